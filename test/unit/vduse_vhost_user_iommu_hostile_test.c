/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * A front end of a driver behind an IOMMU that is hostile, or only unlucky: what it says may not
 * reach memory beyond its own, lose the position of a ring, or keep the device busy.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_vduse_compat.h>

#include "create_over.h"
#include "iommu_client.h"

#define NB_PAGES 4
#define MEMORY   (NB_PAGES * PAGE)
#define ACKED                                                                                      \
	(LOOPBACK_DEV_FEATURES | VHOST_USER_BIT(MSG_F_PROTOCOL_FEATURES) |                         \
	 VHOST_USER_BIT(VIRTIO_F_ACCESS_PLATFORM))
/* The driver's addresses of the ring, which is in page 0, and of its buffers. */
#define RING    VHOST_CLIENT_USER
#define BUFFERS UINT64_C(0xffff00000000)

static char path[64];
static struct loopback_dev self;
static struct rte_vduse_dev_ops ops;
static int memory, client, channel;
static uint8_t *va; /* the client's memory */
static unsigned int fds_before;
static int start_error; /* what the device type returns when a virtqueue starts */

static int
on_vq_start(struct rte_vduse_vq *vq, const struct rte_vduse_vq_info *info, void *arg)
{
	RTE_SET_USED(vq);
	RTE_SET_USED(info);
	RTE_SET_USED(arg);
	return start_error;
}

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
	ops.vq_start = on_vq_start;
	conf.path = path;
	conf.iommu = true;
	conf.features |= VHOST_USER_BIT(VIRTIO_F_ACCESS_PLATFORM);
	if (create_dev_over(&conf, &vduse_transport_vhost_user, NULL, &self.dev) < 0)
		return -1;
	self.vqs[0] = rte_vduse_dev_vq(self.dev, 0);
	memory = unit_memfd("unit-vhost-user", MEMORY);
	va = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
	if (va == MAP_FAILED || rte_vduse_dev_start(self.dev, RTE_VDUSE_ATTACH_NONE) < 0)
		return -1;
	start_error = 0;
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

static void
map(uint64_t iova, uint32_t page, uint32_t nb)
{
	assert_int_equal(iommu_client_tell(client, MSG_IOTLB_UPDATE, iova, nb * PAGE,
					   VHOST_CLIENT_USER + page * PAGE, VDUSE_ACCESS_RW),
			 0);
}

/* Sets the ring up from a position on. It waits for the address of its descriptors. */
static void
begin(uint64_t features, uint32_t position)
{
	struct vhost_user_msg table = vhost_client_table(0, MEMORY, true);

	assert_int_equal(vhost_client_ask(client, MSG_SET_FEATURES, ACKED | features, 8, true), 0);
	vhost_client_send(client, &table, 1, memory);
	assert_int_equal(vhost_client_answer(client, MSG_SET_MEM_TABLE), 0);
	vhost_client_ring(client, 0, 0, position);
	iommu_client_asked(channel, MSG_IOTLB_MISS, RING,
			   features != 0 ? VDUSE_ACCESS_WO : VDUSE_ACCESS_RO);
}

static void
start_ring(void)
{
	begin(0, 0);
	map(RING, 0, 1);
	loopback_dev_wait(&self, 0, RTE_VDUSE_VQ_RUNNING);
}

/* Adds a region of memory that is in a file of its own. */
static void
add_region(uint64_t first, uint64_t size, uint64_t user, int fd)
{
	struct vhost_user_msg msg = vhost_client_slot(MSG_ADD_MEM_REG, first, size);

	msg.payload.slot.region.user = user;
	vhost_client_send(client, &msg, 1, fd);
	assert_int_equal(vhost_client_answer(client, MSG_ADD_MEM_REG), 0);
}

/*
 * Neighbours are one translation only within one region, also where another region makes the front
 * end's own addresses ambiguous.
 */
static void
test_regions_overlap(void **state)
{
	const uint64_t first = 0x100000, user = VHOST_CLIENT_USER + 0x1000000;
	int one = unit_memfd("unit-one", PAGE), two = unit_memfd("unit-two", PAGE);
	int both = unit_memfd("unit-both", 2 * PAGE);
	struct rte_vduse_region region;

	RTE_SET_USED(state);
	start_ring();
	add_region(first, PAGE, user, one);
	add_region(first + PAGE, PAGE, user + PAGE, two);
	add_region(2 * first, 2 * PAGE, user, both);
	assert_int_equal(iommu_client_tell(client, MSG_IOTLB_UPDATE, BUFFERS, PAGE, user, PERM_RW),
			 0);
	assert_int_equal(iommu_client_tell(client, MSG_IOTLB_UPDATE, BUFFERS + PAGE, PAGE,
					   user + PAGE, PERM_RW),
			 0);
	assert_true(loopback_dev_lookup(&self, 0, BUFFERS, &region));
	assert_int_equal(region.last, BUFFERS + PAGE - 1);
	assert_true(loopback_dev_lookup(&self, 0, BUFFERS + PAGE, &region));
	region.va[0] = 0x5a;
	assert_int_equal(pread(two, &region.last, 1, 0), 1);
	assert_int_equal((uint8_t)region.last, 0x5a);
	close(one);
	close(two);
	close(both);
}

/* A ring that waits for its first translation stops where it is to start. */
static void
stops_while_it_waits(uint64_t features, uint32_t position)
{
	begin(features, position);
	assert_int_equal(vhost_client_ask(client, MSG_GET_VRING_BASE, 0, 8, false) >> 32, position);
}

static void
test_split_position(void **state)
{
	RTE_SET_USED(state);
	stops_while_it_waits(0, 5000);
}

static void
test_packed_position(void **state)
{
	RTE_SET_USED(state);
	stops_while_it_waits(VHOST_USER_BIT(VIRTIO_F_RING_PACKED), 0x80058005);
}

/* A device type that cannot start a ring says so once, and not for each translation. */
static void
test_start_fails(void **state)
{
	RTE_SET_USED(state);
	start_error = -EUCLEAN;
	begin(0, 0);
	map(RING, 0, 1);
	loopback_dev_wait(&self, 0, RTE_VDUSE_VQ_ERROR);
	map(BUFFERS, 1, 1);
	map(BUFFERS + 2 * PAGE, 1, 1);
	iommu_client_asked_nothing(channel);
	assert_int_equal(unit_log_count("virtqueue 0 (size 8) cannot start"), 1);
	assert_int_equal(loopback_dev_state(&self, 0), RTE_VDUSE_VQ_ERROR);
	/* It was never started, so it is not stopped. */
	(void)vhost_client_ask(client, MSG_GET_VRING_BASE, 0, 8, false);
	assert_int_equal(loopback_dev_counted(&self.stops[0]), 0);
}

/* A question is not repeated because a poller has the virtqueue when the control thread looks. */
static void
test_asked_once(void **state)
{
	struct vring_desc *desc = (void *)va;
	struct vring_avail *avail = (void *)(va + 0x400);
	uint64_t begun;
	unsigned int i;

	RTE_SET_USED(state);
	start_ring();
	begun = rte_get_timer_cycles();
	desc[0] = (struct vring_desc){ BUFFERS, 16, VRING_DESC_F_WRITE, 0 };
	rte_atomic_store_explicit(&avail->idx, 1, rte_memory_order_release);
	iommu_client_asked(channel, MSG_IOTLB_MISS, BUFFERS, VDUSE_ACCESS_WO);
	for (i = 0; i < 10; i++) {
		while (!rte_vduse_vq_enter(self.vqs[0]))
			;
		unit_ctrl_turn();
		rte_vduse_vq_leave(self.vqs[0]);
		unit_ctrl_turn();
	}
	/* After a second it is repeated, which a slow machine may take. */
	if (rte_get_timer_cycles() - begun < rte_get_timer_hz() / 2)
		iommu_client_asked_nothing(channel);
}

/* What a front end cannot say of the last address it says with a size of 0. */
static void
test_invalidate_all(void **state)
{
	const uint64_t last = UINT64_MAX - PAGE + 1;
	struct rte_vduse_region region;

	RTE_SET_USED(state);
	start_ring();
	map(BUFFERS, 1, 1);
	map(last, 2, 1);
	assert_int_equal(iommu_client_tell(client, MSG_IOTLB_INVALIDATE, last, 2 * PAGE, 0, 0), 0);
	assert_false(loopback_dev_lookup(&self, 0, last, &region));
	assert_true(loopback_dev_lookup(&self, 0, BUFFERS, &region));
	assert_int_equal(iommu_client_tell(client, MSG_IOTLB_INVALIDATE, 0, 0, 0, 0), 0);
	loopback_dev_wait(&self, 0, RTE_VDUSE_VQ_SUSPENDED);
	iommu_client_asked(channel, MSG_IOTLB_MISS, RING, VDUSE_ACCESS_RO);
	map(RING, 0, 1);
	loopback_dev_wait(&self, 0, RTE_VDUSE_VQ_RUNNING);
	assert_false(loopback_dev_lookup(&self, 0, BUFFERS, &region));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_regions_overlap, setup, teardown),
		cmocka_unit_test_setup_teardown(test_split_position, setup, teardown),
		cmocka_unit_test_setup_teardown(test_packed_position, setup, teardown),
		cmocka_unit_test_setup_teardown(test_start_fails, setup, teardown),
		cmocka_unit_test_setup_teardown(test_asked_once, setup, teardown),
		cmocka_unit_test_setup_teardown(test_invalidate_all, setup, teardown),
	};

	unit_init();
	assert_int_equal(vduse_guard_install(), 0);
	unit_sigbus_keep();
	return unit_done(cmocka_run_group_tests(tests, NULL, NULL));
}
