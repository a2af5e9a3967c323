/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Common parts of the fuzzers: the input as a stream of choices, EAL without huge pages, messages
 * to the control thread with waiting for the answer, and checks that end the process.
 * Thread: libFuzzer's, which acts as driver and poller.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rte_vduse.h>
#include <vduse/loopback/loopback.h>

/* The entry points that libFuzzer calls. */
int
LLVMFuzzerInitialize(int *argc, char ***argv);
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Reads zeroes after its end. */
struct fuzz_input {
	const uint8_t *data;
	size_t left;
};

uint8_t
fuzz_u8(struct fuzz_input *in);
uint16_t
fuzz_u16(struct fuzz_input *in);
uint32_t
fuzz_u32(struct fuzz_input *in);
uint64_t
fuzz_u64(struct fuzz_input *in);
void
fuzz_bytes(struct fuzz_input *in, void *to, size_t len);

/* Prints why and aborts, which libFuzzer reports with the input. */
void
fuzz_fail(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));
#define fuzz_check(condition, format, ...)                                                         \
	do {                                                                                       \
		if (!(condition))                                                                  \
			fuzz_fail("%s: " format, #condition, ##__VA_ARGS__);                       \
	} while (0)

/* EAL, the guard, and a folder of its own for state files, which is removed at exit. */
void
fuzz_init(void);
/* The folder for state files. */
const char *
fuzz_dir(void);

/* Open file descriptors of this process. */
unsigned int
fuzz_fds(void);

/*
 * Returns when the control thread has handled all that it was woken for before this call:
 * virtqueues that missed an address, and such that became ready.
 */
void
fuzz_sync(struct rte_vduse_dev *dev);

/* Sends a message over the loopback and waits for its answer. Returns whether it says OK. */
bool
fuzz_ask(struct vduse_loopback *loop, struct vduse_dev_request *req);

#endif /* FUZZ_H */
