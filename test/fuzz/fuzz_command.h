/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Commands of a driver for the control queue of a network device, their answers, and frames to which
 * they apply. Most are well formed, the input changes bytes and lengths of others.
 * Thread: libFuzzer's.
 */
#ifndef FUZZ_COMMAND_H
#define FUZZ_COMMAND_H

#include "fuzz_ring.h"

/* Bytes in the room for an answer that the device did not write. */
#define FUZZ_NO_ANSWER   0xee
#define FUZZ_LEN_UNKNOWN UINT32_MAX

/* Two tables of more addresses than are compared fit in. */
#define FUZZ_COMMAND_MAX 1536

struct fuzz_command {
	/* Whether it is valid depends on the feature alone, or it is not valid at all. */
	bool known;
	bool valid;
	uint8_t feature;
	uint32_t len;
	uint8_t bytes[FUZZ_COMMAND_MAX];
};

/* The next command, for a device of so many pairs. */
void
fuzz_command_read(struct fuzz_command *command, struct fuzz_input *in, uint16_t pairs);

/* The next bytes of the input as a command. */
void
fuzz_command_read_raw(struct fuzz_command *command, struct fuzz_input *in, uint16_t pairs);

/* The ack byte for a driver of these features; FUZZ_NO_ANSWER: it depends on more than that. */
uint8_t
fuzz_command_ack(const struct fuzz_command *command, uint64_t features);

bool
fuzz_command_is(const struct fuzz_command *command, uint8_t class, uint8_t number);

/* A command that was posted. */
struct fuzz_request {
	uint64_t answer; /* address of the room for its answer, which was filled with the above */
	uint32_t room;
	uint32_t used_len; /* FUZZ_LEN_UNKNOWN: the device did not tell it */
	uint16_t head;
	uint8_t ack;   /* as fuzz_command_ack() has it */
	bool coal_get; /* the ack byte comes after the data */
};

/* A command and the room for its answer lie in a slot of so many bytes of the driver's memory. */
#define FUZZ_COMMAND_SLOT   4096
#define FUZZ_COMMAND_ANSWER 2048 /* where the room begins after the command */
#define FUZZ_ANSWER_MAX     1024

/* Commands that are posted, and not answered as far as the driver knows. */
#define FUZZ_REQUESTS_MAX 64
struct fuzz_requests {
	unsigned int nb;
	struct fuzz_request all[FUZZ_REQUESTS_MAX];
};

/*
 * Posts a command of a driver with the features of the ring at an address. The choices say how long
 * the room for the answer is, and which pieces there are, in order or not. Returns whether there was
 * room in the ring.
 */
bool
fuzz_requests_post(struct fuzz_requests *requests, struct fuzz_ring *ring,
		   const struct fuzz_command *command, uint64_t at, uint8_t shape, uint8_t step);

/*
 * The driver takes the answers. honest: it kept the rules and the device has not stopped the
 * virtqueue, so fails unless each command is answered once, as fuzz_request_check() has it.
 */
void
fuzz_requests_take(struct fuzz_requests *requests, struct fuzz_ring *ring, bool honest);

/* Features of a driver that leaves out some of what commands and rings need. */
uint64_t
fuzz_command_features(struct fuzz_input *in, uint64_t offered);

/* Fails if the answer has no ack byte or a wrong one, or if more is written than the length says. */
void
fuzz_request_check(const struct fuzz_request *request, const struct fuzz_memory *memory);

/* Lengths of the headers of a frame; l4 of TCP, or 8 for all else. */
struct fuzz_frame {
	uint32_t l2, l3, l4;
	bool ipv6, udp;
};

/* A frame of len bytes, 128 or more, to an address and of a VLAN that commands may name. */
struct fuzz_frame
fuzz_command_frame(struct fuzz_input *in, uint8_t *at, uint32_t len);

#endif /* FUZZ_COMMAND_H */
