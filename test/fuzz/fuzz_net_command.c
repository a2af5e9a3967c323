/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The control queue of a network device that is kept for all runs. In each run a driver comes up,
 * posts a few commands, and resets the device.
 * Input: features that the driver leaves out, then commands: their layout and their bytes. Output:
 * none, unless a check fails: only bytes of commands are read and only rooms for answers are written,
 * each command is answered exactly once, a refused one changes nothing, what the commands set stays
 * within bounds, and nothing is left after the reset.
 * Thread: libFuzzer's, which takes the place of the control thread too.
 */
#include <string.h>

#include <linux/virtio_config.h>

#include <vduse/core/device.h>
#include <virtio_net/ctrl.h>

#include "fuzz_command.h"
#include "fuzz_ctrl_state.h"
#include "fuzz_device.h"

#define PAIRS        3
#define QUEUES       (2 * PAIRS + 1)
#define RING_ROOM    2048
#define COMMANDS_MAX 16

/* Descriptors of the control queue; other virtqueues get fewer, because no packet is sent. */
#define CTRL_SIZE  64
#define OTHER_SIZE 8

struct run {
	struct fuzz_input in;
	uint16_t ctrl; /* index of the control queue with the features of the driver */
	struct fuzz_ring ring;
	struct fuzz_requests requests;
	unsigned int slots; /* that commands took */
	bool honest;        /* no chain was one that a driver must not post */
};

static struct fuzz_device device;

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct rte_vduse_net_conf conf = {
		.size = sizeof(struct rte_vduse_net_conf),
		.path = "/dev/vduse/fuzz0",
		.pairs = PAIRS,
		.queue_size = CTRL_SIZE,
		.mac = { { 2, 0, 0, 0, 0, 1 } },
		.mtu = 1500,
		.socket_id = SOCKET_ID_ANY,
		.offloads = UINT64_MAX,
		.ctrl_queue = true,
		.hash_report = true,
		.steer = RTE_VDUSE_NET_STEER_RSS,
	};

	RTE_SET_USED(argc);
	RTE_SET_USED(argv);
	fuzz_init();
	fuzz_device_open(&device, &conf);
	fuzz_device_hide(FUZZ_DATA_IOVA, COMMANDS_MAX * FUZZ_COMMAND_SLOT);
	return 0;
}

static bool
run_has_ctrl(const struct run *run)
{
	return device.dev->vqs[run->ctrl].state == RTE_VDUSE_VQ_RUNNING &&
	       device.net->queues[run->ctrl].ctrl;
}

/* A virtqueue without chains, only so that there is one. */
static void
run_other(uint16_t index, uint64_t features)
{
	struct fuzz_ring ring;
	struct vduse_vq_info info;

	fuzz_device_clear(index * RING_ROOM, 256);
	fuzz_ring_open(&ring, fuzz_device_memory(), index * RING_ROOM, OTHER_SIZE, features, 0);
	info = fuzz_ring_info(&ring, index, true);
	fuzz_ring_close(&ring);
	vduse_loopback_set_vq(device.loop, index, &info);
}

static void
run_up(struct run *run)
{
	uint64_t features = fuzz_command_features(&run->in, device.dev->offered);
	struct vduse_vq_info info;
	uint16_t i;

	run->ctrl = features & VNET_CTRL_SEVERAL ? 2 * PAIRS : 2;
	for (i = 0; i < QUEUES; i++)
		if (i != run->ctrl)
			run_other(i, features);
	fuzz_device_clear(run->ctrl * RING_ROOM, RING_ROOM);
	fuzz_ring_open(&run->ring, fuzz_device_memory(), run->ctrl * RING_ROOM, CTRL_SIZE, features,
		       0);
	info = fuzz_ring_info(&run->ring, run->ctrl, true);
	vduse_loopback_set_vq(device.loop, run->ctrl, &info);
	fuzz_device_up(&device, features);
	run->honest = run_has_ctrl(run);
}

static void
run_kick(struct run *run)
{
	uint64_t ok = device.net->ctrl->commands_ok;
	struct fuzz_ctrl_state before = fuzz_ctrl_state(device.net), after;

	fuzz_device_serve(&device, run->ctrl);
	after = fuzz_ctrl_state(device.net);
	fuzz_check(device.net->ctrl->commands_ok != ok ||
			   memcmp(&before, &after, sizeof(before)) == 0,
		   "a refused command changed something");
	run->honest &= run_has_ctrl(run);
	fuzz_requests_take(&run->requests, &run->ring, run->honest);
	fuzz_ctrl_check(device.net);
}

static void
run_command(struct run *run)
{
	uint8_t how = fuzz_u8(&run->in), shape = fuzz_u8(&run->in), step = fuzz_u8(&run->in);
	uint64_t at = FUZZ_DATA_IOVA + run->slots++ * FUZZ_COMMAND_SLOT;
	struct fuzz_command command;
	uint32_t room = 0;

	if (how & 0x80)
		fuzz_command_read(&command, &run->in, PAIRS);
	else
		fuzz_command_read_raw(&command, &run->in, PAIRS);
	fuzz_device_unhide(at, FUZZ_COMMAND_SLOT);
	at += how % 8;
	if (fuzz_requests_post(&run->requests, &run->ring, &command, at, shape, step))
		room = run->requests.all[run->requests.nb - 1].room;
	/* All but the command and the room for its answer. */
	fuzz_device_hide(at - how % 8, FUZZ_COMMAND_SLOT);
	fuzz_device_unhide(at, command.len);
	fuzz_device_unhide(at + FUZZ_COMMAND_ANSWER, room);
	/* Several commands in one turn, in one of four cases. */
	if ((how & 0x18) != 0x18)
		run_kick(run);
}

static void
run_down(struct run *run)
{
	const struct vnet_ctrl *ctrl = device.net->ctrl;

	fuzz_device_reset(&device);
	fuzz_check(!ctrl->begun && !ctrl->rss.on, "commands last after a reset");
	fuzz_check(memcmp(device.net->config.mac, device.net->mac.addr_bytes, RTE_ETHER_ADDR_LEN) ==
			   0,
		   "the driver's address lasts after a reset");
	fuzz_ctrl_check(device.net);
	fuzz_ring_close(&run->ring);
	fuzz_device_hide(FUZZ_DATA_IOVA, run->slots * FUZZ_COMMAND_SLOT);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct run run = { .in = { data, size } };
	int fd = fuzz_device_next_fd();

	run_up(&run);
	while (run.slots < COMMANDS_MAX && run.in.left > 0)
		run_command(&run);
	run_kick(&run);
	run_down(&run);
	fuzz_check(fuzz_device_next_fd() == fd, "file descriptor %d is leaked", fd);
	return 0;
}
