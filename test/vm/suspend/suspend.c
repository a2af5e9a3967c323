/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Suspends a device of this project again and again while a thread keeps its rings full, and goes on
 * with the same rings at the position that the model of them says.
 *
 *   vdpa-suspend disk|net split|packed CYCLES SEED
 *
 * /dev/vhost-vdpa-0 is an empty disk, or a network device that sends back what it gets. Prints what
 * it did. Exit 1: the device did what it must not do.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>

#include "../conform/tap.h"
#include "../conform/vhost.h"
#include "check.h"
#include "disk.h"
#include "net.h"

#define QUEUES       2
#define IOVA         0x10000000ULL
#define QUEUE_BYTES  (RING_BYTES + RING_SIZE * LOAD_ROOM)
#define RUN_US_MAX   20000
#define WATCH_MS_MAX 8
/* What the device has not done by then is lost. */
#define PATIENCE_S 60

struct suspend {
	int vhost;
	bool disk;
	bool packed;
	uint8_t *memory;
	unsigned int nb;
	struct load loads[QUEUES];
	unsigned int watch_ms;
	_Atomic bool suspended;
	double slowest;     /* SUSPEND, in seconds */
	uint64_t ended;     /* chains that were used while SUSPEND waited, added up */
	unsigned int early; /* cycles in which nothing was used */
};

static double
now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void
start_ring(struct suspend *self, unsigned int index)
{
	struct load *load = &self->loads[index];
	struct vhost_vring_state state = { .index = index, .num = RING_SIZE };
	struct vhost_vring_file file = { .index = index, .fd = load->kick };
	struct vhost_vring_addr addr = {
		.index = index,
		.desc_user_addr = load->ring.iova,
		.avail_user_addr = load->ring.iova + RING_DRIVER,
		.used_user_addr = load->ring.iova + RING_DEVICE,
	};

	need(ioctl(self->vhost, VHOST_SET_VRING_NUM, &state) == 0, "VHOST_SET_VRING_NUM");
	need(ioctl(self->vhost, VHOST_SET_VRING_ADDR, &addr) == 0, "VHOST_SET_VRING_ADDR");
	state.num = ring_base(&load->ring);
	need(ioctl(self->vhost, VHOST_SET_VRING_BASE, &state) == 0, "VHOST_SET_VRING_BASE");
	need(ioctl(self->vhost, VHOST_SET_VRING_KICK, &file) == 0, "VHOST_SET_VRING_KICK");
	file.fd = load->call;
	need(ioctl(self->vhost, VHOST_SET_VRING_CALL, &file) == 0, "VHOST_SET_VRING_CALL");
	state.num = 1;
	need(ioctl(self->vhost, VHOST_VDPA_SET_VRING_ENABLE, &state) == 0, "enable a ring");
}

static void
start_device(struct suspend *self, bool event_idx)
{
	uint64_t features = 0,
		 wanted = 1ULL << VIRTIO_F_VERSION_1 | 1ULL << VIRTIO_F_ACCESS_PLATFORM;
	unsigned int i;

	if (self->disk)
		wanted |= 1ULL << VIRTIO_RING_F_INDIRECT_DESC;
	if (self->packed)
		wanted |= 1ULL << VIRTIO_F_RING_PACKED;
	if (event_idx)
		wanted |= 1ULL << VIRTIO_RING_F_EVENT_IDX;
	vhost_set_status(self->vhost, 3);
	need(ioctl(self->vhost, VHOST_GET_FEATURES, &features) == 0, "VHOST_GET_FEATURES");
	check((wanted & ~features) == 0, "features not offered: 0x%llx",
	      (unsigned long long)(wanted & ~features));
	need(ioctl(self->vhost, VHOST_SET_FEATURES, &wanted) == 0, "VHOST_SET_FEATURES");
	vhost_set_status(self->vhost, 11);
	need(vhost_map(self->vhost, 0, IOVA, self->nb * QUEUE_BYTES, self->memory) == 0, "map");
	for (i = 0; i < self->nb; i++) {
		ring_set_event_idx(&self->loads[i].ring, event_idx);
		start_ring(self, i);
	}
	vhost_set_status(self->vhost, 15);
	check(vhost_get_status(self->vhost) == 15, "the device refused DRIVER_OK: status 0x%x",
	      vhost_get_status(self->vhost));
	for (i = 0; i < self->nb; i++)
		(void)eventfd_write(self->loads[i].kick, 1);
}

static void
reset_device(struct suspend *self)
{
	vhost_set_status(self->vhost, 0);
	need(vhost_unmap(self->vhost, 0, IOVA, self->nb * QUEUE_BYTES) == 0, "unmap");
}

static uint64_t
chains(const struct suspend *self)
{
	uint64_t sum = 0;
	unsigned int i;

	for (i = 0; i < self->nb; i++)
		sum += self->loads[i].chains;
	return sum;
}

static void *
run(void *arg)
{
	struct suspend *self = arg;

	load_run(self->loads, self->nb, &self->suspended, self->watch_ms);
	return NULL;
}

/* Returns how many chains had been used when it began. */
static uint64_t
suspend_device(struct suspend *self)
{
	uint64_t before = chains(self);
	double begin = now(), took;
	unsigned int i;

	check(ioctl(self->vhost, VHOST_VDPA_SUSPEND, 0) == 0, "SUSPEND: %s", strerror(errno));
	for (i = 0; i < self->nb; i++)
		load_note(&self->loads[i]);
	took = now() - begin;
	atomic_store_explicit(&self->suspended, true, memory_order_release);
	self->slowest = took > self->slowest ? took : self->slowest;
	return before;
}

static void
check_positions(const struct suspend *self)
{
	unsigned int i;

	for (i = 0; i < self->nb; i++) {
		struct vhost_vring_state state = { .index = i };
		uint32_t base = ring_base(&self->loads[i].ring);

		check(ioctl(self->vhost, VHOST_GET_VRING_BASE, &state) == 0,
		      "VHOST_GET_VRING_BASE: %s", strerror(errno));
		check(state.num == base, "ring %u is at 0x%x, the driver's model says 0x%x", i,
		      state.num, base);
	}
}

/* Until a random moment under load; in one cycle of four not at all, right after DRIVER_OK. */
static void
wait_for_moment(const struct suspend *self, uint64_t before)
{
	double end = now() + PATIENCE_S;

	if (random() % 4 == 0)
		return;
	while (chains(self) == before) {
		check(now() < end, "the device does nothing");
		usleep(500);
	}
	usleep((useconds_t)random() % RUN_US_MAX);
}

static void
cycle(struct suspend *self, bool event_idx)
{
	uint64_t before = chains(self), begun;
	pthread_t thread;

	self->watch_ms = random() % 4 == 0 ? (unsigned int)random() % WATCH_MS_MAX + 1 : 0;
	atomic_store(&self->suspended, false);
	start_device(self, event_idx);
	need(pthread_create(&thread, NULL, run, self) == 0, "start a thread");
	wait_for_moment(self, before);
	begun = suspend_device(self);
	if (random() % 8 == 0)
		check(ioctl(self->vhost, VHOST_VDPA_SUSPEND, 0) == 0, "SUSPEND again: %s",
		      strerror(errno));
	need(pthread_join(thread, NULL) == 0, "join a thread");
	check_positions(self);
	self->ended += chains(self) - begun;
	self->early += chains(self) == before;
	reset_device(self);
}

/* Receives and sends until the device has used all of its last ring, which gets nothing new. */
static void
drain_rings(struct suspend *self)
{
	const struct ring *last = &self->loads[self->nb - 1].ring;
	double end = now() + PATIENCE_S;
	unsigned int i;

	for (;;) {
		for (i = 0; i < self->nb; i++) {
			(void)load_receive(&self->loads[i]);
			load_send(&self->loads[i], RING_SIZE);
		}
		if (last->used == last->posted)
			return;
		check(now() < end, "%llu of %llu in the last ring are not used",
		      (unsigned long long)(last->posted - last->used),
		      (unsigned long long)last->posted);
		poll(NULL, 0, 1);
	}
}

/* What is out ends. A disk is read back. */
static void
drain(struct suspend *self)
{
	unsigned int i;

	disk_read_back();
	net_stop();
	start_device(self, false);
	drain_rings(self);
	(void)suspend_device(self);
	for (i = 0; i < self->nb; i++)
		(void)load_receive(&self->loads[i]);
	check_positions(self);
	reset_device(self);
}

static void
report(const struct suspend *self, unsigned int cycles)
{
	unsigned int i;

	for (i = 0; i < self->nb; i++)
		printf("ring %u: %llu chains were used, %llu stayed over a reset\n", i,
		       (unsigned long long)self->loads[i].chains,
		       (unsigned long long)self->loads[i].left);
	printf("%u cycles, %u of them before a chain was used; %llu chains were used while SUSPEND "
	       "waited, at most %.1f ms\n",
	       cycles, self->early, (unsigned long long)self->ended, self->slowest * 1000);
	if (self->disk)
		disk_report();
	else
		net_report();
}

/* Real time, so that main runs as soon as SUSPEND is answered. Its threads do not inherit that. */
static void
setup(struct suspend *self)
{
	const struct sched_param priority = { .sched_priority = 1 };

	need(sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &priority) == 0, "real time");
	self->nb = self->disk ? 1 : 2;
	self->memory = vhost_memory(self->nb * QUEUE_BYTES / 4096, 0);
	if (self->disk) {
		load_init(&self->loads[0], &disk_ops, self->memory, IOVA, self->packed, DISK_IDS);
	} else {
		load_init(&self->loads[0], &net_rx_ops, self->memory, IOVA, self->packed,
			  RING_SIZE);
		load_init(&self->loads[1], &net_tx_ops, self->memory + QUEUE_BYTES,
			  IOVA + QUEUE_BYTES, self->packed, RING_SIZE);
	}
	self->vhost = vhost_open();
}

int
main(int argc, char **argv)
{
	static struct suspend self;
	unsigned int i, cycles;

	need(argc == 5, "vdpa-suspend disk|net split|packed CYCLES SEED");
	self.disk = strcmp(argv[1], "disk") == 0;
	self.packed = strcmp(argv[2], "packed") == 0;
	cycles = (unsigned int)atoi(argv[3]);
	srandom((unsigned int)atoi(argv[4]));
	setup(&self);
	for (i = 1; i <= cycles; i++) {
		check_cycle(i);
		cycle(&self, i % 2 == 0);
	}
	drain(&self);
	report(&self, cycles);
	check(self.ended > 0, "SUSPEND never had to end anything");
	close(self.vhost);
	return 0;
}
