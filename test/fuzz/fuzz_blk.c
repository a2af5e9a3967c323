/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * A block device over the loopback. The input controls its driver and its backend.
 * Input: a byte for each choice about the device, then operations with their arguments. Output:
 * none, unless a check fails: every popped chain is used after the backend has finished it, nothing
 * is in flight after a reset, and no file descriptor is leaked.
 * Thread: libFuzzer's; the control thread works only while it is waited for.
 */
#include <string.h>
#include <unistd.h>

#include <linux/virtio_blk.h>
#include <linux/virtio_config.h>

#include <rte_memory.h>
#include <rte_vduse_compat.h>

#include <virtio_blk/backend/fault.h>
#include <virtio_blk/blk.h>
#include <vduse/core/device.h>

#include "fuzz_ring.h"

#define STATUS_FEATURES                                                                            \
	(VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER | VIRTIO_CONFIG_S_FEATURES_OK)
#define STATUS_UP (STATUS_FEATURES | VIRTIO_CONFIG_S_DRIVER_OK)

/* Requests that one operation posts, polls that one makes, and those of a queue that is idle soon. */
#define POSTS_MAX  1024
#define POLLS_MAX  64
#define IDLE_POLLS 512

struct disk {
	struct fuzz_input in;
	struct vduse_loopback *loop;
	struct rte_vduse_blk *blk;
	struct rte_vduse_dev *dev;
	struct rte_vduse_blk_backend *fault; /* the backend, or NULL: another kind */
	struct fuzz_memory memory;
	struct fuzz_ring ring;
	bool held;
	uint16_t narrow;
};

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	RTE_SET_USED(argc);
	RTE_SET_USED(argv);
	fuzz_init();
	return 0;
}

static struct vblk_queue *
disk_queue(struct disk *disk)
{
	return &disk->blk->queues[0];
}

static uint32_t
disk_state(struct disk *disk)
{
	return rte_atomic_load_explicit(&disk_queue(disk)->vq->state, rte_memory_order_acquire);
}

/* The backend finishes: the control thread waits for what is in flight before memory changes. */
static void
disk_let_go(struct disk *disk)
{
	if (disk->fault == NULL)
		return;
	vblk_fault_hold(disk->fault, false);
	vblk_fault_narrow(disk->fault, UINT16_MAX);
}

static void
disk_hold_again(struct disk *disk)
{
	if (disk->fault == NULL)
		return;
	vblk_fault_hold(disk->fault, disk->held);
	vblk_fault_narrow(disk->fault, disk->narrow);
}

static bool
disk_ask(struct disk *disk, struct vduse_dev_request req)
{
	bool ok;

	disk_let_go(disk);
	ok = fuzz_ask(disk->loop, &req);
	fuzz_sync(disk->dev);
	disk_hold_again(disk);
	return ok;
}

static bool
disk_set_status(struct disk *disk, uint8_t status)
{
	return disk_ask(disk,
			(struct vduse_dev_request){ .type = VDUSE_SET_STATUS, .s.status = status });
}

static void
disk_reset(struct disk *disk)
{
	struct vblk_queue *queue = disk_queue(disk);

	fuzz_check(disk_set_status(disk, 0), "reset refused");
	fuzz_check(queue->in_flight == 0, "%u in flight after a reset", queue->in_flight);
	fuzz_check(disk->fault == NULL || vblk_fault_held(disk->fault) == 0,
		   "the backend has requests after a reset");
	fuzz_check(disk_state(disk) == RTE_VDUSE_VQ_IDLE, "state %u after a reset",
		   disk_state(disk));
}

/* One poll; what it woke the control thread for is done when this returns. */
static unsigned int
disk_poll(struct disk *disk)
{
	unsigned int n = rte_vduse_blk_poll(disk->blk, 0);

	if (disk_state(disk) == RTE_VDUSE_VQ_WAITING) {
		disk_let_go(disk);
		fuzz_sync(disk->dev);
		disk_hold_again(disk);
		fuzz_check(disk_state(disk) != RTE_VDUSE_VQ_WAITING, "a miss is not served");
	}
	return n;
}

static bool
all_used(const struct vblk_queue *queue)
{
	const struct vring_vq *ring = &queue->vq->ring;

	if (queue->packed)
		return ring->packed.used == ring->packed.avail && queue->nb_spare == ring->size;
	return ring->next_used == ring->next_avail;
}

/* Everything that was popped is used, or the queue is in the error state. */
static void
disk_settle(struct disk *disk)
{
	struct vblk_queue *queue = disk_queue(disk);
	unsigned int i;

	disk->held = false;
	disk->narrow = UINT16_MAX;
	disk_let_go(disk);
	for (i = 0; i < IDLE_POLLS && disk_poll(disk) > 0; i++)
		fuzz_ring_reap(&disk->ring);
	if (i == IDLE_POLLS || disk_state(disk) != RTE_VDUSE_VQ_RUNNING)
		return;
	fuzz_check(queue->in_flight == 0, "%u in flight in an idle queue", queue->in_flight);
	fuzz_check(queue->nb_done == 0, "%u done and not shown", queue->nb_done);
	fuzz_check(all_used(queue), "a chain was popped and not used");
}

static void
disk_create(struct disk *disk, uint8_t how, uint8_t size)
{
	static const char *const args[] = { "under=ram,size=1M", "size=1M" };
	struct rte_vduse_blk_conf conf = {
		.size = sizeof(struct rte_vduse_blk_conf),
		.path = "/dev/vduse/fuzz0",
		.queues = 1,
		.queue_size = (uint16_t)(4 << size % 7),
		.read_only = (how & 0xc0) == 0xc0,
		.backend = how & 1 ? "ram" : "fault",
		.backend_args = args[how & 1],
		.socket_id = SOCKET_ID_ANY,
		.packed = (how & 2) != 0,
		.in_order = (how & 4) != 0,
		.inflight = (how & 8) != 0,
	};

	disk->loop = vduse_loopback_new();
	fuzz_check(disk->loop != NULL, "no memory");
	conf.transport = &vduse_transport_loopback;
	conf.transport_priv = disk->loop;
	if (how & 16)
		vduse_loopback_vq_size_max(disk->loop, VRING_SIZE_MAX);
	fuzz_check(rte_vduse_blk_create(&conf, &disk->blk) == 0, "no device");
	disk->dev = rte_vduse_blk_dev(disk->blk);
	disk->fault = how & 1 ? NULL : disk->blk->backend;
	fuzz_check(rte_vduse_blk_start(disk->blk, RTE_VDUSE_ATTACH_NONE) == 0, "no start");
}

/* A driver comes up with a new ring. how: features that it leaves; size: of the ring. */
static void
disk_up(struct disk *disk)
{
	/* The largest rings take long to start. */
	static const uint8_t shifts[16] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 4, 5, 6, 7, 9, 11, 15 };
	uint8_t size = fuzz_u8(&disk->in), without = fuzz_u8(&disk->in), how = fuzz_u8(&disk->in);
	uint16_t index = how & 1 ? fuzz_u16(&disk->in) : 0;
	uint64_t features = disk->blk->features;
	uint32_t number = size < 0xf0 ? 1u << shifts[size % 16] : fuzz_u32(&disk->in);
	struct vduse_vq_info info;

	if (without & 1)
		features &= ~FUZZ_BIT(VIRTIO_F_RING_PACKED);
	if (without & 2)
		features &= ~FUZZ_BIT(VIRTIO_F_IN_ORDER);
	if (without & 4)
		features &= ~FUZZ_BIT(VIRTIO_RING_F_INDIRECT_DESC);
	if (without & 8)
		features &= ~FUZZ_BIT(VIRTIO_RING_F_EVENT_IDX);
	if (without & 16)
		features &= ~FUZZ_BIT(VIRTIO_BLK_F_FLUSH);
	if (without & 32)
		features &= ~FUZZ_BIT(VIRTIO_BLK_F_CONFIG_WCE);
	if ((without & 0xc0) == 0xc0)
		features ^= FUZZ_BIT(fuzz_u8(&disk->in) % 64);
	disk_reset(disk);
	fuzz_memory_truncate(&disk->memory, 0);
	fuzz_memory_truncate(&disk->memory, FUZZ_ALL);
	fuzz_ring_close(&disk->ring);
	fuzz_ring_open(&disk->ring, &disk->memory, 0, number, features, index);
	info = fuzz_ring_info(&disk->ring, 0, (how & 2) == 0);
	vduse_loopback_set_vq(disk->loop, 0, &info);
	fuzz_memory_show(&disk->memory, disk->loop, how & 4 ? how >> 5 : 6);
	vduse_loopback_set_features(disk->loop, features);
	if (how & 8)
		(void)disk_set_status(disk, STATUS_FEATURES);
	(void)disk_set_status(disk, STATUS_UP);
}

/* One request: its header, its data in as many pieces, its status. */
static bool
disk_post_one(struct disk *disk, uint32_t type, uint64_t sector, uint32_t len, uint8_t shape)
{
	uint64_t slot = disk->ring.posted % 192 * 4096, at = FUZZ_DATA_IOVA + slot;
	struct virtio_blk_outhdr *header = fuzz_memory_at(&disk->memory, at, sizeof(*header));
	bool in = type == VIRTIO_BLK_T_IN || type == VIRTIO_BLK_T_GET_ID;
	unsigned int nb = 0, parts = shape % 8, i;
	struct fuzz_piece pieces[FUZZ_PIECES];
	struct virtio_blk_discard_write_zeroes *range;

	if (header == NULL)
		return false;
	*header = (struct virtio_blk_outhdr){ .type = type, .sector = sector };
	range = fuzz_memory_at(&disk->memory, at + 32, sizeof(*range));
	if (range != NULL && type >= VIRTIO_BLK_T_DISCARD)
		*range = (struct virtio_blk_discard_write_zeroes){ sector, len / 16, 0 };
	pieces[nb++] = (struct fuzz_piece){ at, sizeof(*header), false };
	for (i = 0; i < parts; i++)
		pieces[nb++] = (struct fuzz_piece){ at + 32 + i * 64, len / parts, in };
	pieces[nb++] = (struct fuzz_piece){ at + 31, 1, true };
	return fuzz_ring_post(&disk->ring, pieces, nb, (shape & 8) != 0);
}

/* A row of like requests. */
static void
disk_post(struct disk *disk)
{
	static const uint32_t types[] = {
		VIRTIO_BLK_T_IN,           VIRTIO_BLK_T_OUT,
		VIRTIO_BLK_T_FLUSH,        VIRTIO_BLK_T_GET_ID,
		VIRTIO_BLK_T_DISCARD,      VIRTIO_BLK_T_WRITE_ZEROES,
		VIRTIO_BLK_T_SECURE_ERASE, 99,
	};
	uint8_t what = fuzz_u8(&disk->in), shape = fuzz_u8(&disk->in);
	uint32_t nb = 1 + fuzz_u8(&disk->in) * (what & 8 ? 16u : 1u), i;
	uint16_t sector = fuzz_u16(&disk->in);
	uint32_t len = 512u * (shape / 16);

	if (what & 16)
		len = fuzz_u16(&disk->in);
	else if (types[what % 8] == VIRTIO_BLK_T_GET_ID)
		len = 20;
	else if (types[what % 8] >= VIRTIO_BLK_T_DISCARD)
		len = 16;
	for (i = 0; i < RTE_MIN(nb, POSTS_MAX); i++)
		if (!disk_post_one(disk, types[what % 8], sector + i, len, shape))
			return;
}

static void
disk_polls(struct disk *disk)
{
	unsigned int nb = fuzz_u8(&disk->in) % POLLS_MAX + 1;

	while (nb-- > 0) {
		(void)disk_poll(disk);
		fuzz_ring_reap(&disk->ring);
	}
}

/* What the backend does next. */
static void
disk_backend(struct disk *disk)
{
	uint8_t how = fuzz_u8(&disk->in), nb = fuzz_u8(&disk->in);

	if (disk->fault == NULL)
		return;
	switch (how % 4) {
	case 0:
		disk->held = (how & 4) != 0;
		vblk_fault_hold(disk->fault, disk->held);
		break;
	case 1:
		vblk_fault_release(disk->fault, nb, (how & 4) != 0);
		break;
	case 2:
		vblk_fault_fail(disk->fault, nb % (RTE_VDUSE_BLK_OPS + 1), -EIO, how / 4);
		break;
	default:
		disk->narrow = how & 4 ? nb : UINT16_MAX;
		vblk_fault_narrow(disk->fault, disk->narrow);
	}
}

static void
disk_changed(struct disk *disk, uint32_t type)
{
	struct vduse_dev_request req = { .type = type };
	uint8_t how = fuzz_u8(&disk->in);

	if (type == VDUSE_UPDATE_IOTLB)
		req.iova_v2.last = UINT64_MAX;
	else
		req.vq_state.index = how & 0x80 ? how : 0;
	if (type == VDUSE_TRANSPORT_VQ_CHANGED) {
		struct vduse_vq_info info = fuzz_ring_info(&disk->ring, 0, (how & 1) == 0);

		/* On a socket a driver may say anything of a ring that it stopped. */
		if (how & 2)
			info.num = fuzz_u16(&disk->in);
		if (how & 4)
			info.split.avail_index = fuzz_u16(&disk->in);
		if (how & 8)
			info.device_addr += fuzz_u16(&disk->in);
		vduse_loopback_set_vq(disk->loop, 0, &info);
	}
	(void)disk_ask(disk, req);
}

static void
disk_config_write(struct disk *disk)
{
	uint8_t offset = fuzz_u8(&disk->in), byte = fuzz_u8(&disk->in);

	if (offset < 0x80)
		offset = offsetof(struct virtio_blk_config, wce);
	(void)disk_ask(disk, vduse_loopback_config_written(offset, byte));
}

static void
disk_memory(struct disk *disk)
{
	uint8_t how = fuzz_u8(&disk->in);

	fuzz_memory_show(&disk->memory, disk->loop, how);
	if (how & 0x80)
		(void)disk_ask(disk, vduse_loopback_memory_changed());
}

static void
disk_truncate(struct disk *disk)
{
	uint16_t size = fuzz_u16(&disk->in);

	fuzz_memory_truncate(&disk->memory, size & 1 ? FUZZ_ALL : size % 512 * UINT64_C(4096));
}

static void
disk_write_desc(struct disk *disk)
{
	fuzz_ring_write_desc(&disk->ring, &disk->in);
}

static void
disk_write_avail(struct disk *disk)
{
	fuzz_ring_write_avail(&disk->ring, &disk->in);
}

static void
disk_write_event(struct disk *disk)
{
	fuzz_ring_write_event(&disk->ring, &disk->in);
}

static void
disk_write_bytes(struct disk *disk)
{
	fuzz_ring_write_bytes(&disk->ring, &disk->in);
}

static void
disk_memory_changed(struct disk *disk)
{
	disk_changed(disk, VDUSE_UPDATE_IOTLB);
}

static void
disk_ring_state(struct disk *disk)
{
	disk_changed(disk, VDUSE_GET_VQ_STATE);
}

static void
disk_ring_changed(struct disk *disk)
{
	disk_changed(disk, VDUSE_TRANSPORT_VQ_CHANGED);
}

/* What is to happen more often stands here more often. */
static void (*const operations[])(struct disk *disk) = {
	disk_up,           disk_post,           disk_post,        disk_post,
	disk_polls,        disk_polls,          disk_backend,     disk_backend,
	disk_write_desc,   disk_write_desc,     disk_write_avail, disk_write_event,
	disk_write_bytes,  disk_memory_changed, disk_ring_state,  disk_ring_changed,
	disk_config_write, disk_memory,         disk_truncate,    disk_settle,
};

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct disk disk = { .in = { data, size }, .narrow = UINT16_MAX };
	unsigned int fds = fuzz_fds(), now;
	uint8_t how = fuzz_u8(&disk.in), log2 = fuzz_u8(&disk.in);

	fuzz_memory_open(&disk.memory);
	disk_create(&disk, how, log2);
	disk_up(&disk);
	while (disk.in.left > 0)
		operations[fuzz_u8(&disk.in) % RTE_DIM(operations)](&disk);
	disk_settle(&disk);
	disk_reset(&disk);
	rte_vduse_blk_destroy(disk.blk);
	vduse_loopback_free(disk.loop);
	fuzz_ring_close(&disk.ring);
	fuzz_memory_close(&disk.memory);
	/* The control thread's own come with the first device. */
	now = fuzz_fds();
	fuzz_check(now <= fds + 2, "%u file descriptors, were %u", now, fds);
	return 0;
}
