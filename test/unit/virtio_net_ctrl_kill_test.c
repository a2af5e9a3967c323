/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * A process that serves a network device is killed, and another one takes the device over: all that
 * the driver set through the control queue still holds. Children serve devices and are killed before
 * EAL starts here; the tests take over what they left.
 */
#include "flow_frame.h"
#include "loopback_ctrl.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <rte_byteorder.h>
#include <rte_vduse_compat.h>

#include <vduse/core/state.h>
#include <virtio_net/steer.h>

#define PAIRS     4
#define GUEST     (BIT(VIRTIO_NET_F_GUEST_TSO4) | BIT(VIRTIO_NET_F_GUEST_TSO6))
#define RSS       BIT(VIRTIO_NET_F_RSS)
#define HASH      BIT(VIRTIO_NET_F_HASH_REPORT)
#define ALL       (CTRL_MQ | CTRL_COAL | GUEST)
#define FILE_MAX  (16 * VNET_PART_SIZE)
#define DAMAGES   300u
#define CHILD_SEC 120u

/* All that the driver set, and that bursts read. */
struct look {
	struct ctrl_state state;
	struct vnet_rss rss, rss_in, steer;
	struct vnet_coal_params coal[2], coal_vq[2];
};

/* A device of a process that is killed, in memory that is shared with it. */
struct world {
	struct loopback_ctrl first, second; /* the second driver comes up after a reset */
	struct look look;                   /* the last one of the process */
	bool done;                          /* the process may be killed; atomic */
	char dir[32];
	int status; /* how it ended */
};

static struct loopback_ctrl *driver;

static void
accepted(uint8_t class, uint8_t command, const void *data, uint32_t len)
{
	assert_int_equal(loopback_ctrl_command(driver, class, command, data, len), VIRTIO_NET_OK);
}

static void
look(struct look *now)
{
	const struct rte_vduse_net *net = driver->net;
	const struct vnet_ctrl *ctrl = net->ctrl;

	memset(now, 0, sizeof(*now));
	now->state = loopback_ctrl_state(driver);
	now->rss = ctrl->rss;
	now->rss_in = *net->queues[0].rss;
	now->steer = net->steer->rss;
	memcpy(now->coal, ctrl->coal, sizeof(now->coal));
	now->coal_vq[0] = net->queues[0].coal.params;
	now->coal_vq[1] = net->queues[driver->indices[CTRL_RX1]].coal.params;
}

static void
same_rss(const struct vnet_rss *now, const struct vnet_rss *before)
{
	assert_int_equal(now->types, before->types);
	assert_int_equal(now->on, before->on);
	assert_int_equal(now->mask, before->mask);
	assert_int_equal(now->unclassified, before->unclassified);
	assert_memory_equal(now->key, before->key, sizeof(now->key));
	assert_memory_equal(now->table, before->table, (now->mask + 1u) * sizeof(now->table[0]));
}

static void
same(const struct look *before)
{
	const struct vnet_filter *then = &before->state.filter, *filter;
	struct look now;
	uint32_t i;

	look(&now);
	filter = &now.state.filter;
	assert_int_equal(now.state.guest_offloads, before->state.guest_offloads);
	assert_int_equal(now.state.offloads, before->state.offloads);
	assert_int_equal(now.state.pairs, before->state.pairs);
	assert_int_equal(now.state.pairs_used, before->state.pairs_used);
	assert_int_equal(filter->rx, then->rx);
	assert_int_equal(filter->vlan, then->vlan);
	assert_memory_equal(filter->mode, then->mode, sizeof(filter->mode));
	assert_int_equal(filter->mac, then->mac);
	assert_memory_equal(now.state.config.mac, before->state.config.mac, 6);
	for (i = 0; i < 2; i++) {
		const struct vnet_macs *macs = &filter->lists[i];

		assert_int_equal(macs->all, then->lists[i].all);
		assert_int_equal(macs->nb, then->lists[i].nb);
		assert_memory_equal(macs->macs, then->lists[i].macs, 8u * macs->nb);
	}
	assert_memory_equal(filter->vlans, then->vlans, sizeof(filter->vlans));
	same_rss(&now.rss, &before->rss);
	same_rss(&now.rss_in, &before->rss_in);
	same_rss(&now.steer, &before->steer);
	assert_memory_equal(now.coal, before->coal, sizeof(now.coal));
	assert_memory_equal(now.coal_vq, before->coal_vq, sizeof(now.coal_vq));
}

/* Commands of the driver. */
static void
set_macs(uint32_t nb_single, uint32_t nb_groups, uint8_t number)
{
	uint32_t nb[2] = { nb_single, nb_groups }, at = 0, i, list, le;
	uint8_t bytes[1024];

	for (list = 0; list < 2; list++) {
		le = rte_cpu_to_le_32(nb[list]);
		memcpy(bytes + at, &le, sizeof(le));
		at += sizeof(le);
		for (i = 0; i < nb[list]; i++, at += 6)
			memcpy(bytes + at,
			       (uint8_t[]){ (uint8_t)(2 + list), number, 0, 0, 0, (uint8_t)i }, 6);
	}
	accepted(VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_TABLE_SET, bytes, at);
}

static void
set_mode(uint8_t command, uint8_t on)
{
	accepted(VIRTIO_NET_CTRL_RX, command, &on, 1);
}

static void
set_vlan(uint8_t command, uint16_t id)
{
	id = rte_cpu_to_le_16(id);
	accepted(VIRTIO_NET_CTRL_VLAN, command, &id, sizeof(id));
}

static void
set_pairs(uint16_t pairs)
{
	pairs = rte_cpu_to_le_16(pairs);
	accepted(VIRTIO_NET_CTRL_MQ, VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET, &pairs, sizeof(pairs));
}

static void
set_offloads(uint64_t offloads)
{
	offloads = rte_cpu_to_le_64(offloads);
	accepted(VIRTIO_NET_CTRL_GUEST_OFFLOADS, VIRTIO_NET_CTRL_GUEST_OFFLOADS_SET, &offloads,
		 sizeof(offloads));
}

/* table: 128 entries; otherwise the command is HASH_CONFIG. */
static void
set_hash(bool table, uint16_t max_tx)
{
	uint32_t types = RTE_LE32(VIRTIO_NET_RSS_HASH_TYPE_TCPv4), at, i;
	uint8_t bytes[512] = { 0 };
	uint16_t word;

	memcpy(bytes, &types, sizeof(types));
	if (table)
		bytes[4] = VNET_RSS_TABLE_MAX - 1;
	at = 8;
	for (i = 0; i < (table ? VNET_RSS_TABLE_MAX + 1u : 2u); i++, at += 2) {
		word = rte_cpu_to_le_16(i == VNET_RSS_TABLE_MAX ? max_tx : (uint16_t)(i % 2));
		memcpy(bytes + at, &word, table ? sizeof(word) : 0);
	}
	bytes[at++] = VNET_HASH_KEY_MAX;
	memcpy(bytes + at, flow_key, VNET_HASH_KEY_MAX);
	accepted(VIRTIO_NET_CTRL_MQ,
		 table ? VIRTIO_NET_CTRL_MQ_RSS_CONFIG : VIRTIO_NET_CTRL_MQ_HASH_CONFIG, bytes,
		 at + VNET_HASH_KEY_MAX);
}

static void
set_coal(uint8_t command, uint32_t max_packets)
{
	uint32_t params[2] = { rte_cpu_to_le_32(max_packets), RTE_LE32(7) };

	accepted(VIRTIO_NET_CTRL_NOTF_COAL, command, params, sizeof(params));
}

static void
set_coal_vq(uint16_t index, uint32_t max_packets)
{
	uint32_t vq[3] = { rte_cpu_to_le_32(index), rte_cpu_to_le_32(max_packets), RTE_LE32(9) };

	accepted(VIRTIO_NET_CTRL_NOTF_COAL, VIRTIO_NET_CTRL_NOTF_COAL_VQ_SET, vq, sizeof(vq));
}

/* What the processes that are killed do. */
static void
drive_filters(void)
{
	const uint8_t mac[6] = { 2, 9, 9, 9, 9, 9 };

	set_mode(VIRTIO_NET_CTRL_RX_PROMISC, 0);
	set_mode(VIRTIO_NET_CTRL_RX_NOBCAST, 1);
	set_macs(3, VNET_MACS_MAX, 1);
	accepted(VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_ADDR_SET, mac, sizeof(mac));
	set_vlan(VIRTIO_NET_CTRL_VLAN_ADD, 4095);
	set_vlan(VIRTIO_NET_CTRL_VLAN_ADD, 7);
	set_vlan(VIRTIO_NET_CTRL_VLAN_DEL, 7);
	set_offloads(BIT(VIRTIO_NET_F_GUEST_CSUM));
}

static void
drive_all(struct world *world)
{
	RTE_SET_USED(world);
	drive_filters();
	set_pairs(3);
	set_hash(true, 3);
	set_coal(VIRTIO_NET_CTRL_NOTF_COAL_RX_SET, 5);
	set_coal(VIRTIO_NET_CTRL_NOTF_COAL_TX_SET, 6);
	set_coal_vq(driver->indices[CTRL_RX1], 11);
}

/* RSS that is turned off again, and more addresses than are compared. */
static void
drive_rss_off(struct world *world)
{
	RTE_SET_USED(world);
	set_macs(VNET_MACS_MAX + 1, 0, 1);
	set_hash(true, 3);
	set_pairs(2);
}

static void
drive_hash(struct world *world)
{
	RTE_SET_USED(world);
	drive_filters();
	set_hash(false, 0);
	if ((driver->features & VNET_CTRL_SEVERAL) != 0)
		set_pairs(2);
}

/* The next driver sends nothing. */
static void
drive_reset(struct world *world)
{
	drive_filters();
	set_pairs(3);
	loopback_ctrl_reset(driver);
	driver = &world->second;
	driver->loop = world->first.loop;
	driver->net = world->first.net;
	loopback_ctrl_come_up(driver);
}

static struct scenario {
	uint64_t features;
	void (*drive)(struct world *world);
	struct world *world;
} scenarios[] = {
	{ ALL | RSS | HASH, drive_all, NULL },
	{ ALL | RSS | HASH | CTRL_PACKED, drive_all, NULL },
	{ ALL | RSS | HASH, drive_rss_off, NULL },
	{ ALL | HASH, drive_hash, NULL },
	{ CTRL_ALL | GUEST | HASH, drive_hash, NULL }, /* the control queue is virtqueue 2 */
	{ ALL, drive_reset, NULL },
	{ ALL | RSS | HASH, drive_all, NULL }, /* the file is damaged */
};

enum { SPLIT, PACKED, RSS_OFF, HASH_ONLY, ONE_PAIR, RESET, DAMAGED };

static void __attribute__((noreturn)) child_run(const struct scenario *scenario)
{
	struct world *world = scenario->world;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)alarm(CHILD_SEC);
	if (setenv("DPDK_VDUSE_RUN_DIR", world->dir, 1) < 0 || unit_init() < 0)
		_exit(1);
	driver = &world->first;
	loopback_ctrl_serve(driver, PAIRS, true, RTE_VDUSE_NET_STEER_RSS);
	scenario->drive(world);
	look(&world->look);
	rte_atomic_store_explicit(&world->done, true, rte_memory_order_release);
	for (;;)
		(void)pause();
}

/* Kills the process once its driver has done its part. */
static void
scenario_run(struct scenario *scenario)
{
	struct world *world = mmap(NULL, sizeof(*world), PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid;

	assert_true(world != MAP_FAILED);
	scenario->world = world;
	strcpy(world->dir, "/tmp/unit-ctrl-kill-XXXXXX");
	assert_non_null(mkdtemp(world->dir));
	loopback_ctrl_prepare(&world->first, PAIRS, scenario->features);
	if (scenario->drive == drive_reset)
		loopback_ctrl_prepare(&world->second, PAIRS, scenario->features);
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0)
		child_run(scenario);
	while (!rte_atomic_load_explicit(&world->done, rte_memory_order_acquire)) {
		if (waitpid(pid, &world->status, WNOHANG) == pid)
			return;
		unit_sleep_ms(1);
	}
	kill(pid, SIGKILL);
	(void)waitpid(pid, &world->status, 0);
}

/* Takes the device over, from the process that was killed or from the one before. */
static void
take_over(const struct scenario *scenario, struct loopback_ctrl *self)
{
	struct rte_vduse_left left;

	driver = self;
	assert_int_equal(vduse_state_read("/dev/vduse/unit0", &left), 0);
	assert_int_equal(left.features, scenario->features);
	unit_log_clear();
	loopback_ctrl_take_over(driver, PAIRS, true, RTE_VDUSE_NET_STEER_RSS, &left);
}

static struct world *
killed(unsigned int number)
{
	struct world *world = scenarios[number].world;

	assert_true(WIFSIGNALED(world->status));
	assert_int_equal(WTERMSIG(world->status), SIGKILL);
	assert_int_equal(setenv("DPDK_VDUSE_RUN_DIR", world->dir, 1), 0);
	return world;
}

static int
file_open(const struct world *world, int flags)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "%s/unit0.state", world->dir);
	fd = open(path, flags | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	return fd;
}

static size_t
file_read(const struct world *world, uint8_t bytes[FILE_MAX])
{
	int fd = file_open(world, O_RDONLY);
	ssize_t size = read(fd, bytes, FILE_MAX);

	close(fd);
	assert_in_range(size, 2 * VNET_PART_SIZE, FILE_MAX - 1);
	return (size_t)size;
}

static void
file_write(const struct world *world, const uint8_t *bytes, size_t size)
{
	int fd = file_open(world, O_WRONLY | O_CREAT | O_TRUNC);

	assert_int_equal(write(fd, bytes, size), (ssize_t)size);
	close(fd);
}

/* Leaves the rings and the device as they are. */
static void
end_without_reset(void)
{
	rte_vduse_net_destroy(driver->net);
	vduse_loopback_free(driver->loop);
}

/* Also if the process that took the device over is killed, and another one takes it over. */
static void
expect_same(unsigned int number)
{
	static uint8_t bytes[FILE_MAX];
	struct world *world = killed(number);
	unsigned int time;
	size_t size;

	for (time = 0; time < 2; time++) {
		take_over(&scenarios[number], &world->first);
		same(&world->look);
		assert_int_equal(unit_log_count("is not known"), 0);
		/* The queue goes on. */
		set_mode(VIRTIO_NET_CTRL_RX_ALLMULTI, 1);
		set_mode(VIRTIO_NET_CTRL_RX_ALLMULTI, 0);
		same(&world->look);
		size = file_read(world, bytes);
		if (time == 0) {
			end_without_reset();
			file_write(world, bytes, size);
		}
	}
	loopback_ctrl_destroy(driver);
	assert_int_equal(rmdir(world->dir), 0);
}

static void
all_split(void **state)
{
	struct world *world = killed(SPLIT);

	RTE_SET_USED(state);
	/* The test is about something. */
	assert_int_equal(world->look.state.guest_offloads, BIT(VIRTIO_NET_F_GUEST_CSUM));
	assert_int_equal(world->look.state.pairs_used, 3);
	assert_int_equal(world->look.state.filter.lists[1].nb, VNET_MACS_MAX);
	assert_true(world->look.rss.on);
	assert_int_equal(world->look.coal_vq[0].max_packets, RTE_LE32(5));
	assert_int_equal(world->look.coal_vq[1].max_packets, RTE_LE32(11));
	expect_same(SPLIT);
}

static void
all_packed(void **state)
{
	RTE_SET_USED(state);
	expect_same(PACKED);
}

static void
rss_off(void **state)
{
	const struct look *before = &killed(RSS_OFF)->look;

	RTE_SET_USED(state);
	assert_true(before->state.filter.lists[0].all);
	assert_false(before->rss.on);
	assert_int_not_equal(before->rss.types, 0);
	expect_same(RSS_OFF);
}

static void
hash_only(void **state)
{
	RTE_SET_USED(state);
	expect_same(HASH_ONLY);
	expect_same(ONE_PAIR);
}

/* What a driver before a reset set is not the next one's, not even after a kill. */
static void
reset(void **state)
{
	struct world *world = killed(RESET);

	RTE_SET_USED(state);
	assert_int_equal(world->look.state.pairs_used, 1);
	assert_int_equal(world->look.state.filter.lists[1].nb, 0);
	take_over(&scenarios[RESET], &world->second);
	same(&world->look);
	loopback_ctrl_destroy(driver);
	assert_int_equal(rmdir(world->dir), 0);
}

/* Nothing that a driver could not have set. */
static void
expect_valid(void)
{
	const struct rte_vduse_net *net = driver->net;
	struct look now;
	uint32_t i;

	look(&now);
	assert_in_range(now.state.pairs_used, 1, PAIRS);
	assert_int_equal(now.state.offloads & ~(driver->features & VNET_GUEST_OFFLOADS), 0);
	assert_in_range(now.state.filter.lists[0].nb, 0, VNET_MACS_MAX);
	assert_in_range(now.state.filter.lists[1].nb, 0, VNET_MACS_MAX);
	assert_in_range(now.rss.mask, 0, VNET_RSS_TABLE_MAX - 1);
	assert_in_range(now.rss.unclassified, 0, PAIRS - 1);
	for (i = 0; i <= now.rss.mask; i++)
		assert_in_range(now.rss.table[i], 0, PAIRS - 1);
	assert_int_equal(unit_log_count("is not known"), !net->ctrl->known);
	if (net->ctrl->known)
		return;
	/* All that may be in use is, and nothing is filtered. */
	assert_int_equal(now.state.pairs_used, PAIRS);
	assert_int_equal(now.state.offloads, driver->features & VNET_GUEST_OFFLOADS);
	assert_true(vnet_filter_is_open(&now.state.filter));
}

/* A record with bytes that are not of this program is checked as what a driver sends. */
static void
damaged(void **state)
{
	static uint8_t bytes[FILE_MAX], changed[FILE_MAX];
	struct world *world = killed(DAMAGED);
	unsigned int unknown = 0, i;
	uint32_t seed = 1;
	size_t size = file_read(world, bytes);

	RTE_SET_USED(state);
	for (i = 0; i < DAMAGES; i++) {
		size_t part = size - VNET_PART_SIZE + VNET_PART_CTRL, at;

		memcpy(changed, bytes, size);
		seed = seed * 1664525 + 1013904223;
		at = part + (seed >> 8) % (VNET_PART_SIZE - VNET_PART_CTRL);
		/* Each byte of the number that tells which copy counts, then any bytes. */
		changed[i < 4 ? part + i : at] ^= (uint8_t)(1u << i % 8);
		file_write(world, changed, size);
		take_over(&scenarios[DAMAGED], &world->first);
		expect_valid();
		unknown += !driver->net->ctrl->known;
		end_without_reset();
	}
	assert_in_range(unknown, 4, DAMAGES - 1);
	file_write(world, bytes, size);
	expect_same(DAMAGED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_split), cmocka_unit_test(all_packed),
		cmocka_unit_test(rss_off),   cmocka_unit_test(hash_only),
		cmocka_unit_test(reset),     cmocka_unit_test(damaged),
	};
	size_t i;

	for (i = 0; i < RTE_DIM(scenarios); i++)
		scenario_run(&scenarios[i]);
	if (unit_init() < 0)
		return 1;
	return unit_done(cmocka_run_group_tests(tests, NULL, NULL));
}
