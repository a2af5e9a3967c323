/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * A vhost-user driver behind an IOMMU: the device asks for each address, and uses no translation
 * that was taken away.
 */
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_random.h>
#include <rte_vduse_compat.h>

#include "create_over.h"
#include "iommu_client.h"

#define NB_PAGES 64
#define MEMORY   (NB_PAGES * PAGE)
#define ACKED                                                                                      \
	(LOOPBACK_DEV_FEATURES | VHOST_USER_BIT(MSG_F_PROTOCOL_FEATURES) |                         \
	 VHOST_USER_BIT(VIRTIO_F_ACCESS_PLATFORM))
/* The driver's addresses of the ring, which is in page 0, and of its buffers. */
#define RING    (VHOST_CLIENT_USER)
#define BUFFERS UINT64_C(0xffff00000000)

static char path[64];
static struct loopback_dev self;
static struct rte_vduse_dev_ops ops;
static int memory, client, channel;
static uint8_t *va; /* the client's memory */
static uint16_t nb_posted;
static unsigned int fds_before;
static unsigned int in_flight; /* atomic; what vq_drain reports */

static unsigned int
on_vq_drain(struct rte_vduse_vq *vq, bool stop, void *arg)
{
	RTE_SET_USED(vq);
	RTE_SET_USED(stop);
	RTE_SET_USED(arg);
	return rte_atomic_load_explicit(&in_flight, rte_memory_order_relaxed);
}

/* A device with an IOMMU whose rings the library maps. */
static int
setup(void **state)
{
	struct rte_vduse_dev_conf conf = loopback_dev_conf(&self);

	RTE_SET_USED(state);
	unit_ctrl_turn();
	fds_before = unit_fds();
	memset(&self, 0, sizeof(self));
	unit_log_clear();
	snprintf(path, sizeof(path), "/tmp/vduse-unit-%d.sock", getpid());
	loopback_dev_conf_mapped(&conf, &ops);
	ops.vq_drain = on_vq_drain;
	conf.path = path;
	conf.iommu = true;
	conf.memory_limit = MEMORY + PAGE; /* translations do not count */
	conf.features |= VHOST_USER_BIT(VIRTIO_F_ACCESS_PLATFORM);
	if (create_dev_over(&conf, &vduse_transport_vhost_user, NULL, &self.dev) < 0)
		return -1;
	self.vqs[0] = rte_vduse_dev_vq(self.dev, 0);
	memory = unit_memfd("unit-vhost-user", MEMORY);
	va = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
	if (va == MAP_FAILED || rte_vduse_dev_start(self.dev, RTE_VDUSE_ATTACH_NONE) < 0)
		return -1;
	nb_posted = 0;
	in_flight = 0;
	client = vhost_client_connect(path);
	channel = iommu_client_channel(client);
	return 0;
}

static int
teardown(void **state)
{
	RTE_SET_USED(state);
	munmap(va, MEMORY);
	close(client);
	close(channel);
	close(memory);
	rte_vduse_dev_destroy(self.dev);
	unit_fds_back(fds_before);
	return 0;
}

/* Maps pages of memory at an address of the driver. */
static void
map(uint64_t iova, uint32_t page, uint32_t nb, uint8_t perm)
{
	assert_int_equal(iommu_client_tell(client, MSG_IOTLB_UPDATE, iova, nb * PAGE,
					   VHOST_CLIENT_USER + page * PAGE, perm),
			 0);
}

static void
unmap(uint64_t iova, uint32_t nb)
{
	assert_int_equal(iommu_client_tell(client, MSG_IOTLB_INVALIDATE, iova, nb * PAGE, 0, 0), 0);
}

static void
begin(void)
{
	struct vhost_user_msg table = vhost_client_table(0, MEMORY, true);

	assert_int_equal(vhost_client_ask(client, MSG_SET_FEATURES, ACKED, 8, true), 0);
	vhost_client_send(client, &table, 1, memory);
	assert_int_equal(vhost_client_answer(client, MSG_SET_MEM_TABLE), 0);
}

/* The ring runs, in page 0. */
static void
start_ring(void)
{
	begin();
	vhost_client_ring(client, 0, 0, 0);
	iommu_client_asked(channel, MSG_IOTLB_MISS, RING, VDUSE_ACCESS_RO);
	map(RING, 0, 1, VDUSE_ACCESS_RW);
	loopback_dev_wait(&self, 0, RTE_VDUSE_VQ_RUNNING);
}

/* The driver makes a chain of one buffer available. */
static void
post(uint64_t iova, uint32_t len, uint16_t flags)
{
	vhost_client_post(va, nb_posted++, iova, len, flags);
}

static uint16_t
nb_used(void)
{
	const struct vring_used *used = (void *)(va + 0x800);

	return rte_atomic_load_explicit(&used->idx, rte_memory_order_acquire);
}

/* A poll. Writes a byte to what there is to write, and returns the number of chains. */
static uint16_t
poll_once(uint8_t byte)
{
	struct rte_vduse_chain chain = { 0 };
	uint16_t n, i;

	if (!rte_vduse_vq_enter(self.vqs[0]))
		return 0;
	n = rte_vduse_vq_dequeue(self.vqs[0], &chain, 1);
	for (i = 0; n > 0 && i < chain.nb_in; i++)
		memset(chain.bufs[chain.nb_out + i].va, byte, chain.bufs[chain.nb_out + i].len);
	chain.used_len = chain.in_len;
	if (n > 0)
		rte_vduse_vq_enqueue(self.vqs[0], &chain, 1);
	(void)rte_vduse_vq_flush(self.vqs[0]);
	rte_vduse_vq_leave(self.vqs[0]);
	return n;
}

static void
serve_one(uint8_t byte)
{
	while (poll_once(byte) == 0)
		sched_yield();
}

static void
test_offered(void **state)
{
	uint64_t features = vhost_client_ask(client, MSG_GET_FEATURES, 0, 0, false);
	uint64_t protocol = vhost_client_ask(client, MSG_GET_PROTOCOL_FEATURES, 0, 0, false);

	RTE_SET_USED(state);
	assert_int_equal(features >> VIRTIO_F_ACCESS_PLATFORM & 1, 1);
	assert_int_equal(features >> MSG_F_LOG_ALL & 1, 1);
	assert_int_equal(protocol >> MSG_PROTOCOL_LOG_SHMFD & 1, 1);
	assert_int_equal(protocol >> MSG_PROTOCOL_BACKEND_CHANNEL & 1, 1);
	assert_int_equal(protocol >> MSG_PROTOCOL_REPLY_ACK & 1, 1);
}

/* A chain that misses is taken once its pages are mapped, and neither before nor twice. */
static void
test_miss(void **state)
{
	RTE_SET_USED(state);
	start_ring();
	post(BUFFERS + PAGE - 8, 16, VRING_DESC_F_WRITE);
	assert_int_equal(poll_once(0x55), 0);
	iommu_client_asked(channel, MSG_IOTLB_MISS, BUFFERS + PAGE - 8, VDUSE_ACCESS_WO);
	assert_int_equal(poll_once(0x55), 0);
	/* Pages that are neighbours there only. */
	map(BUFFERS, 9, 1, VDUSE_ACCESS_RW);
	loopback_dev_wait(&self, 0, RTE_VDUSE_VQ_RUNNING);
	assert_int_equal(poll_once(0x55), 0);
	iommu_client_asked(channel, MSG_IOTLB_MISS, BUFFERS + PAGE, VDUSE_ACCESS_WO);
	map(BUFFERS + PAGE, 3, 1, VDUSE_ACCESS_RW);
	serve_one(0x55);
	assert_int_equal(nb_used(), 1);
	assert_int_equal(va[10 * PAGE - 9], 0);
	assert_int_equal(va[10 * PAGE - 8], 0x55);
	assert_int_equal(va[10 * PAGE - 1], 0x55);
	assert_int_equal(va[10 * PAGE], 0);
	assert_int_equal(va[3 * PAGE + 7], 0x55);
	assert_int_equal(va[3 * PAGE + 8], 0);
	post(BUFFERS, 2 * (uint32_t)PAGE, VRING_DESC_F_WRITE);
	serve_one(0x66);
	assert_int_equal(va[9 * PAGE] & va[4 * PAGE - 1], 0x66);
	assert_int_equal(va[10 * PAGE] | va[4 * PAGE], 0);
	iommu_client_asked_nothing(channel);
}

/* What the next chains need is asked for before a poller takes them. */
static void
test_ahead(void **state)
{
	RTE_SET_USED(state);
	start_ring();
	post(BUFFERS + PAGE - 8, 16, VRING_DESC_F_WRITE);
	iommu_client_asked(channel, MSG_IOTLB_MISS, BUFFERS + PAGE - 8, VDUSE_ACCESS_WO);
	map(BUFFERS, 9, 1, VDUSE_ACCESS_RW);
	iommu_client_asked(channel, MSG_IOTLB_MISS, BUFFERS + PAGE, VDUSE_ACCESS_WO);
	assert_int_equal(loopback_dev_state(&self, 0), RTE_VDUSE_VQ_RUNNING);
	map(BUFFERS + PAGE, 3, 1, VDUSE_ACCESS_RW);
	serve_one(0x55);
	assert_int_equal(va[10 * PAGE - 1] & va[3 * PAGE], 0x55);
	assert_int_equal(self.vqs[0]->misses, 0);
	assert_int_equal(nb_used(), 1);
}

/* A translation that comes and goes at once is asked for again at once, and not in a second. */
static void
test_comes_and_goes(void **state)
{
	struct vhost_user_msg msgs[2] = {
		iommu_client_msg(MSG_IOTLB_UPDATE, BUFFERS, PAGE, VHOST_CLIENT_USER + 9 * PAGE,
				 VDUSE_ACCESS_RW),
		iommu_client_msg(MSG_IOTLB_INVALIDATE, BUFFERS, PAGE, 0, 0),
	};
	uint8_t both[2 * (VHOST_USER_MSG_HEAD + sizeof(struct msg_iotlb))];
	uint64_t begin;
	unsigned int i;

	RTE_SET_USED(state);
	start_ring();
	post(BUFFERS, 16, VRING_DESC_F_WRITE);
	iommu_client_asked(channel, MSG_IOTLB_MISS, BUFFERS, VDUSE_ACCESS_WO);
	for (i = 0; i < 2; i++)
		memcpy(both + i * sizeof(both) / 2, &msgs[i], sizeof(both) / 2);
	begin = rte_get_timer_cycles();
	for (i = 0; i < 8; i++) {
		assert_int_equal(send(client, both, sizeof(both), 0), sizeof(both));
		assert_int_equal(vhost_client_answer(client, MSG_IOTLB), 0);
		assert_int_equal(vhost_client_answer(client, MSG_IOTLB), 0);
		iommu_client_asked(channel, MSG_IOTLB_MISS, BUFFERS, VDUSE_ACCESS_WO);
	}
	/* Each would wait for nearly a second. */
	assert_in_range(rte_get_timer_cycles() - begin, 0, 4 * rte_get_timer_hz());
}

/* A page that may only be read is not written, and the virtqueue waits for no answer for ever. */
static void
test_no_permission(void **state)
{
	unsigned int i;

	RTE_SET_USED(state);
	start_ring();
	map(BUFFERS, 9, 1, VDUSE_ACCESS_RO);
	post(BUFFERS, 16, 0);
	serve_one(0);
	post(BUFFERS, 16, VRING_DESC_F_WRITE);
	assert_int_equal(poll_once(0x55), 0);
	for (i = 0; i < 5; i++) {
		iommu_client_asked(channel, MSG_IOTLB_MISS, BUFFERS, VDUSE_ACCESS_WO);
		map(BUFFERS, 9, 1, VDUSE_ACCESS_RO);
	}
	iommu_client_asked(channel, MSG_IOTLB_ACCESS_FAIL, BUFFERS, VDUSE_ACCESS_WO);
	loopback_dev_wait(&self, 0, RTE_VDUSE_VQ_ERROR);
	assert_int_equal(va[9 * PAGE], 0);
	/* The control thread logs it after the state is set. */
	unit_log_wait("its driver's IOMMU does not map the address");
	assert_int_equal(unit_log_count("its driver's IOMMU does not map the address"), 1);
	/* A start is asked again, although the address is the same. */
	(void)vhost_client_ask(client, MSG_GET_VRING_BASE, 0, 8, false);
	map(RING, 0, 1, VDUSE_ACCESS_RW);
	vhost_client_ring(client, 0, 0, 2);
	iommu_client_asked(channel, MSG_IOTLB_MISS, BUFFERS, VDUSE_ACCESS_WO);
	map(BUFFERS, 9, 1, VDUSE_ACCESS_RW);
	serve_one(0x66);
	assert_int_equal(va[9 * PAGE], 0x66);
}

/* The page of the ring is unmapped and mapped again, elsewhere. */
static void
test_ring_unmapped(void **state)
{
	RTE_SET_USED(state);
	start_ring();
	map(BUFFERS, 9, 1, VDUSE_ACCESS_RW);
	post(BUFFERS, 16, VRING_DESC_F_WRITE);
	serve_one(0x11);
	unmap(RING, 1);
	iommu_client_asked(channel, MSG_IOTLB_MISS, RING, VDUSE_ACCESS_RO);
	loopback_dev_wait(&self, 0, RTE_VDUSE_VQ_SUSPENDED);
	post(BUFFERS, 16, VRING_DESC_F_WRITE);
	memcpy(va + 20 * PAGE, va, PAGE);
	memset(va, 0xff, PAGE);
	assert_int_equal(poll_once(0x22), 0);
	map(RING, 20, 1, VDUSE_ACCESS_RW);
	serve_one(0x22);
	assert_int_equal(va[9 * PAGE], 0x22);
	assert_int_equal(((struct vring_used *)(void *)(va + 20 * PAGE + 0x800))->idx, 2);
	assert_int_equal(loopback_dev_counted(&self.stops[0]), 0);
}

/* An invalidation is answered when no request is in flight any more. */
static void
test_in_flight(void **state)
{
	struct vhost_user_msg msg = iommu_client_msg(MSG_IOTLB_INVALIDATE, BUFFERS, PAGE, 0, 0);
	uint8_t byte;

	RTE_SET_USED(state);
	start_ring();
	map(BUFFERS, 9, 1, VDUSE_ACCESS_RW);
	rte_atomic_store_explicit(&in_flight, 1, rte_memory_order_relaxed);
	/* Of nothing that is mapped, at once. */
	unmap(BUFFERS + PAGE, 1);
	vhost_client_send(client, &msg, 0, -1);
	unit_ctrl_turn();
	unit_ctrl_turn();
	assert_int_equal(recv(client, &byte, 1, MSG_DONTWAIT), -1);
	rte_atomic_store_explicit(&in_flight, 0, rte_memory_order_relaxed);
	assert_int_equal(vhost_client_answer(client, MSG_IOTLB), 0);
	post(BUFFERS, 16, VRING_DESC_F_WRITE);
	assert_int_equal(poll_once(0x55), 0);
	iommu_client_asked(channel, MSG_IOTLB_MISS, BUFFERS, VDUSE_ACCESS_WO);
}

static void
test_malformed(void **state)
{
	uint64_t user = VHOST_CLIENT_USER;

	RTE_SET_USED(state);
	assert_int_equal(iommu_client_tell(client, MSG_IOTLB_UPDATE, 0, PAGE, user, PERM_RW),
			 1); /* not acked */
	begin();
	assert_int_equal(iommu_client_tell(client, MSG_IOTLB_UPDATE, 0, 0, user, PERM_RW), 1);
	assert_int_equal(
		iommu_client_tell(client, MSG_IOTLB_UPDATE, UINT64_MAX - 10, PAGE, user, PERM_RW),
		1);
	assert_int_equal(iommu_client_tell(client, MSG_IOTLB_UPDATE, 0, PAGE, user - PAGE, PERM_RW),
			 1);
	assert_int_equal(
		iommu_client_tell(client, MSG_IOTLB_UPDATE, 0, PAGE, user + MEMORY, PERM_RW), 1);
	assert_int_equal(iommu_client_tell(client, MSG_IOTLB_UPDATE, 0, MEMORY + 1, user, PERM_RW),
			 1);
	assert_int_equal(iommu_client_tell(client, MSG_IOTLB_UPDATE, 0, UINT64_MAX, user, PERM_RW),
			 1);
	assert_int_equal(iommu_client_tell(client, MSG_IOTLB_UPDATE, 0, PAGE, user + 1, PERM_RW),
			 1);
	assert_int_equal(iommu_client_tell(client, MSG_IOTLB_UPDATE, 0, PAGE, user, 0), 1);
	assert_int_equal(iommu_client_tell(client, MSG_IOTLB_UPDATE, 0, PAGE, user, 4), 1);
	assert_int_equal(iommu_client_tell(client, MSG_IOTLB_MISS, 0, PAGE, user, PERM_RW), 1);
	assert_int_equal(iommu_client_tell(client, MSG_IOTLB_ACCESS_FAIL, 0, PAGE, user, PERM_RW),
			 1);
	assert_int_equal(iommu_client_tell(client, MSG_IOTLB_UPDATE, 1, 5, user + 1, PERM_RW), 0);
}

/* More translations than are kept: any may be dropped, and is asked for again. */
static void
test_many(void **state)
{
	struct rte_vduse_dev_stats stats;
	unsigned int i;

	RTE_SET_USED(state);
	start_ring();
	for (i = 0; i < VDUSE_IOTLB_REGIONS_MAX + 100; i++)
		map(BUFFERS + i * 2 * PAGE, i % NB_PAGES, 1, VDUSE_ACCESS_RW);
	rte_vduse_dev_stats(self.dev, &stats, sizeof(stats));
	assert_int_equal(stats.regions, VDUSE_IOTLB_REGIONS_MAX);
	if (loopback_dev_state(&self, 0) == RTE_VDUSE_VQ_SUSPENDED)
		map(RING, 0, 1, VDUSE_ACCESS_RW);
	loopback_dev_wait(&self, 0, RTE_VDUSE_VQ_RUNNING);
	/* The last ones are there, as nothing was dropped after them. */
	post(BUFFERS + (i - 1) * 2 * PAGE, 16, VRING_DESC_F_WRITE);
	serve_one(0x77);
	assert_int_equal(va[(i - 1) % NB_PAGES * PAGE], 0x77);
	assert_int_equal(
		iommu_client_tell(client, MSG_IOTLB_INVALIDATE, BUFFERS, i * 2 * PAGE, 0, 0), 0);
	rte_vduse_dev_stats(self.dev, &stats, sizeof(stats));
	assert_in_range(stats.regions, 0, 1);
}

/* Memory that goes takes its translations along. */
static void
test_memory_removed(void **state)
{
	struct vhost_user_msg msg = vhost_client_slot(MSG_ADD_MEM_REG, MEMORY, PAGE);
	uint64_t user = VHOST_CLIENT_USER + MEMORY;
	struct rte_vduse_region region;
	int more = unit_memfd("unit-vhost-user-more", PAGE);

	RTE_SET_USED(state);
	start_ring();
	vhost_client_send(client, &msg, 1, more);
	assert_int_equal(vhost_client_answer(client, MSG_ADD_MEM_REG), 0);
	assert_int_equal(iommu_client_tell(client, MSG_IOTLB_UPDATE, BUFFERS, PAGE, user, PERM_RW),
			 0);
	map(BUFFERS + PAGE, 5, 1, PERM_RW);
	assert_true(loopback_dev_lookup(&self, 0, BUFFERS, &region));
	msg.type = MSG_REM_MEM_REG;
	vhost_client_send(client, &msg, 0, -1);
	assert_int_equal(vhost_client_answer(client, MSG_REM_MEM_REG), 0);
	assert_false(loopback_dev_lookup(&self, 0, BUFFERS, &region));
	assert_true(loopback_dev_lookup(&self, 0, BUFFERS + PAGE, &region));
	assert_int_equal(unit_maps("unit-vhost-user-more"), 0);
	assert_int_equal(iommu_client_tell(client, MSG_IOTLB_UPDATE, BUFFERS, PAGE, user, PERM_RW),
			 1);
	close(more);
}

/* Translations of one driver are not those of the next one, nor those of the time before a stop. */
static void
test_stale(void **state)
{
	RTE_SET_USED(state);
	start_ring();
	map(BUFFERS, 9, 1, PERM_RW);
	(void)vhost_client_ask(client, MSG_GET_VRING_BASE, 0, 8, false);
	vhost_client_ring(client, 0, 0, nb_posted);
	iommu_client_asked(channel, MSG_IOTLB_MISS, RING, VDUSE_ACCESS_RO);
	map(RING, 0, 1, PERM_RW);
	loopback_dev_wait(&self, 0, RTE_VDUSE_VQ_RUNNING);
	post(BUFFERS, 16, VRING_DESC_F_WRITE);
	assert_int_equal(poll_once(0x55), 0);
	iommu_client_asked(channel, MSG_IOTLB_MISS, BUFFERS, VDUSE_ACCESS_WO);
	close(client);
	close(channel);
	client = vhost_client_connect(path);
	channel = iommu_client_channel(client);
	start_ring();
}

/* What is mapped at a page of the driver in the model: a page of memory and its permissions. */
struct model {
	uint32_t page;
	uint8_t perm;
};

static void
compare(const struct model *model, uint64_t iova)
{
	struct rte_vduse_region region;
	bool found = loopback_dev_lookup(&self, 0, iova, &region);

	assert_int_equal(found, model->perm != 0);
	if (!found)
		return;
	assert_int_equal(region.readable, model->perm & VDUSE_ACCESS_RO ? 1 : 0);
	assert_int_equal(region.writable, model->perm & VDUSE_ACCESS_WO ? 1 : 0);
	assert_int_equal(*(uint32_t *)(void *)(region.va + (iova - region.first)), model->page);
}

/* Ranges are mapped and unmapped at random; each page is what a table of pages says. */
static void
test_model(void **state)
{
	struct model model[NB_PAGES] = { 0 };
	uint32_t i, j, first, nb, page;
	uint8_t perm;

	RTE_SET_USED(state);
	start_ring();
	for (i = 1; i < NB_PAGES; i++)
		memcpy(va + i * PAGE, &i, sizeof(i));
	for (i = 0; i < 2000; i++) {
		first = (uint32_t)rte_rand_max(NB_PAGES);
		nb = 1 + (uint32_t)rte_rand_max(NB_PAGES - first);
		nb = RTE_MIN(nb, 1 + (uint32_t)rte_rand_max(8));
		page = 1 + (uint32_t)rte_rand_max(NB_PAGES - nb);
		/* Often where a neighbour may go on. */
		if (first > 0 && model[first - 1].perm != 0 && i % 2 == 0)
			page = RTE_MIN(model[first - 1].page + 1, NB_PAGES - nb);
		perm = (uint8_t)rte_rand_max(4);
		if (perm == 0)
			unmap(BUFFERS + first * PAGE, nb);
		else
			map(BUFFERS + first * PAGE, page, nb, perm);
		for (j = 0; j < nb; j++)
			model[first + j] = (struct model){ page + j, perm };
		for (j = 0; j < NB_PAGES; j++)
			compare(&model[j], BUFFERS + j * PAGE);
	}
}

static bool done;

static void *
client_main(void *arg)
{
	unsigned int i;

	RTE_SET_USED(arg);
	for (i = 0; i < 2000; i++) {
		map(BUFFERS, 9 + i % 2, 1, PERM_RW);
		if (i % 3 == 0)
			unmap(BUFFERS, 1);
	}
	map(BUFFERS, 9, 1, PERM_RW);
	rte_atomic_store_explicit(&done, true, rte_memory_order_release);
	return NULL;
}

/* Translations change while the ring is polled. */
static void
test_race(void **state)
{
	pthread_t thread;

	RTE_SET_USED(state);
	start_ring();
	done = false;
	assert_int_equal(pthread_create(&thread, NULL, client_main, NULL), 0);
	post(BUFFERS, 16, VRING_DESC_F_WRITE);
	while (!rte_atomic_load_explicit(&done, rte_memory_order_acquire))
		if (poll_once(0x33) == 1)
			post(BUFFERS, 16, VRING_DESC_F_WRITE);
	pthread_join(thread, NULL);
	serve_one(0x44);
	assert_int_equal(va[9 * PAGE], 0x44);
	assert_in_range(va[10 * PAGE], 0, 0x33);
	assert_int_equal(nb_used(), nb_posted);
}

/* The client's log, of one page. Returns its bits. */
static uint8_t *
set_log(int *file)
{
	struct vhost_user_msg msg = vhost_client_msg(
		MSG_SET_LOG_BASE, PAGE, sizeof(((union msg_payload *)NULL)->log), false);
	uint8_t *bits;

	*file = unit_memfd("unit-dirty-log", PAGE);
	bits = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, *file, 0);
	assert_ptr_not_equal(bits, MAP_FAILED);
	vhost_client_send(client, &msg, 1, *file);
	msg.size = 0;
	(void)recv(client, &msg, VHOST_USER_MSG_HEAD, MSG_WAITALL);
	(void)recv(client, &msg.payload, msg.size, MSG_WAITALL);
	return bits;
}

/* Pages of memory that are marked since the last call, as bits. */
static uint64_t
marked(uint8_t *bits)
{
	uint64_t pages;

	memcpy(&pages, bits, sizeof(pages));
	memset(bits, 0, PAGE);
	return pages;
}

/* Marked is the page of memory that is written, at whatever address the driver knows it. */
static void
test_log(void **state)
{
	uint8_t *bits;
	int file;

	RTE_SET_USED(state);
	start_ring();
	bits = set_log(&file);
	map(BUFFERS, 9, 2, VDUSE_ACCESS_RW);
	post(BUFFERS + PAGE - 8, 16, VRING_DESC_F_WRITE);
	serve_one(0x11);
	assert_int_equal(marked(bits), 0);
	assert_int_equal(vhost_client_ask(client, MSG_SET_FEATURES,
					  ACKED | VHOST_USER_BIT(MSG_F_LOG_ALL), 8, true),
			 0);
	(void)marked(bits);
	post(BUFFERS + PAGE - 8, 16, VRING_DESC_F_WRITE);
	serve_one(0x22);
	assert_int_equal(marked(bits), 1u << 9 | 1u << 10 | 1);
	/* The ring moves to another page, and the buffer. */
	unmap(BUFFERS, 2);
	map(BUFFERS, 33, 1, VDUSE_ACCESS_RW);
	memcpy(va + 20 * PAGE, va, PAGE);
	map(RING, 20, 1, VDUSE_ACCESS_RW);
	loopback_dev_wait(&self, 0, RTE_VDUSE_VQ_RUNNING);
	(void)marked(bits);
	memcpy(va, va + 20 * PAGE, PAGE);
	post(BUFFERS, 16, VRING_DESC_F_WRITE);
	memcpy(va + 20 * PAGE, va, PAGE);
	serve_one(0x33);
	assert_int_equal(va[33 * PAGE], 0x33);
	assert_int_equal(marked(bits), UINT64_C(1) << 33 | 1u << 20);
	munmap(bits, PAGE);
	close(file);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_offered, setup, teardown),
		cmocka_unit_test_setup_teardown(test_miss, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ahead, setup, teardown),
		cmocka_unit_test_setup_teardown(test_comes_and_goes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_permission, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ring_unmapped, setup, teardown),
		cmocka_unit_test_setup_teardown(test_in_flight, setup, teardown),
		cmocka_unit_test_setup_teardown(test_malformed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many, setup, teardown),
		cmocka_unit_test_setup_teardown(test_memory_removed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stale, setup, teardown),
		cmocka_unit_test_setup_teardown(test_model, setup, teardown),
		cmocka_unit_test_setup_teardown(test_race, setup, teardown),
		cmocka_unit_test_setup_teardown(test_log, setup, teardown),
	};

	unit_init();
	assert_int_equal(vduse_guard_install(), 0);
	unit_sigbus_keep();
	return unit_done(cmocka_run_group_tests(tests, NULL, NULL));
}
