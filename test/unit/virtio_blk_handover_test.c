/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * A disk over a socket that changes its owner while it is under load: every request is answered once,
 * and the lock of its image has one owner at a time.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <rte_memory.h>
#include <rte_vduse_handover.h>

#include <vduse/handover/record.h>
#include <virtio_blk/blk.h>

#include "handover_pair.h"
#include "poller.h"
#include "vhost_client.h"
#include "vring_driver.h"

#define RING      64u
#define TIMES     50u
#define DISK      (UINT32_C(1) << 20)
#define DEPTH     16u
#define PER_ID    4u /* descriptors of an id, the last unused */
#define SECTOR    512u
#define BIT(name) (UINT64_C(1) << (name))

static char dir[64], path[96], args[128];
static const char *backend = "file";
static struct rte_vduse_blk *blk;
static struct rte_vduse_blk *polled[2]; /* under the lock */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct poller poller;
static struct driver driver;
static int client, pair[2], given;
static bool packed, shares, busy[DEPTH];
static uint32_t nb_sent[DEPTH];
static uint64_t nb_done;

static void
poll_all(void)
{
	unsigned int i;

	pthread_mutex_lock(&lock);
	for (i = 0; i < RTE_DIM(polled); i++)
		if (polled[i] != NULL)
			(void)rte_vduse_blk_poll(polled[i], 0);
	pthread_mutex_unlock(&lock);
}

static void
set_polled(unsigned int i, struct rte_vduse_blk *which)
{
	pthread_mutex_lock(&lock);
	polled[i] = which;
	pthread_mutex_unlock(&lock);
}

static int
create(struct rte_vduse_handover *from, const char *at, struct rte_vduse_blk **result)
{
	const struct rte_vduse_blk_conf conf = {
		.size = sizeof(conf),
		.path = at,
		.queues = 1,
		.queue_size = RING,
		.backend = backend,
		.backend_args = args,
		.socket_id = SOCKET_ID_ANY,
		.packed = true,
		.inflight = true,
		.from = from,
	};

	return rte_vduse_blk_create(&conf, result);
}

static void
set(uint32_t type, uint64_t value)
{
	assert_int_equal(vhost_client_ask(client, type, value, 8, true), 0);
}

static void
set_up_ring(uint64_t base)
{
	const struct vring_layout layout = driver_layout(&driver);
	struct vhost_user_msg msg;

	set(MSG_SET_VRING_NUM, (uint64_t)RING << 32);
	set(MSG_SET_VRING_BASE, base << 32);
	msg = vhost_client_msg(MSG_SET_VRING_ADDR, 0, sizeof(msg.payload.addresses), true);
	msg.payload.addresses.desc = VHOST_CLIENT_USER + layout.desc;
	msg.payload.addresses.driver = VHOST_CLIENT_USER + layout.driver;
	msg.payload.addresses.device = VHOST_CLIENT_USER + layout.device;
	vhost_client_send(client, &msg, 0, -1);
	assert_int_equal(vhost_client_answer(client, MSG_SET_VRING_ADDR), 0);
	set(MSG_SET_VRING_KICK, 1u << 8);
	set(MSG_SET_VRING_ENABLE, UINT64_C(1) << 32);
}

static void
set_up(void)
{
	struct vhost_user_msg msg;
	unsigned int i;

	set(MSG_SET_FEATURES, driver.features | BIT(MSG_F_PROTOCOL_FEATURES));
	for (i = 0; i < driver.nb_regions; i++) {
		msg = vhost_client_slot(MSG_ADD_MEM_REG, driver.regions[i].first,
					driver.regions[i].size);
		vhost_client_send(client, &msg, 1, driver.regions[i].fd);
		assert_int_equal(vhost_client_answer(client, MSG_ADD_MEM_REG), 0);
	}
	set_up_ring(driver_layout(&driver).position & 0xffff);
}

static uint64_t
room(unsigned int id)
{
	return driver.data + (uint64_t)id * 2 * 4096;
}

/* Of each id: writes its own sector, and reads it back, in turns. */
static void
post(unsigned int id)
{
	const uint16_t descs[] = { (uint16_t)(id * PER_ID), (uint16_t)(id * PER_ID + 1),
				   (uint16_t)(id * PER_ID + 2) };
	bool out = nb_sent[id] % 2 == 0;
	struct virtio_blk_outhdr header = {
		.type = out ? VIRTIO_BLK_T_OUT : VIRTIO_BLK_T_IN,
		.sector = id,
	};
	const struct driver_part parts[] = {
		{ room(id), sizeof(header), 0 },
		{ room(id) + 1024, SECTOR, out ? 0 : VRING_DESC_F_WRITE },
		{ room(id) + 2048, 1, VRING_DESC_F_WRITE },
	};

	memcpy(driver_va(&driver, room(id)), &header, sizeof(header));
	memset(driver_va(&driver, room(id) + 1024), out ? (int)(nb_sent[id] / 2 % 251) : 0xee,
	       SECTOR);
	memset(driver_va(&driver, room(id) + 2048), 0xaa, 1);
	busy[id] = true;
	(void)driver_post_chain(&driver, descs, parts, 3);
}

static void
take_all(void)
{
	uint32_t head, len;

	while (driver_take(&driver, &head, &len)) {
		unsigned int id = head / PER_ID;
		const uint8_t *bytes = driver_va(&driver, room(id) + 1024);

		assert_true(id < DEPTH && head % PER_ID == 0 && busy[id]);
		busy[id] = false;
		assert_int_equal(*(uint8_t *)driver_va(&driver, room(id) + 2048), 0);
		assert_int_equal(bytes[SECTOR - 1], nb_sent[id] / 2 % 251);
		assert_int_equal(len, nb_sent[id] % 2 == 0 ? 1 : SECTOR + 1);
		nb_sent[id]++;
		nb_done++;
	}
}

static void
load(void)
{
	unsigned int id;

	for (id = 0; id < DEPTH; id++)
		if (!busy[id])
			post(id);
	take_all();
}

static bool
has_done(void *arg)
{
	load();
	return nb_done >= *(uint64_t *)arg;
}

static void
more(uint64_t nb)
{
	uint64_t want = nb_done + nb;

	assert_true(unit_wait(has_done, &want));
}

static int
give(int socket)
{
	return rte_vduse_blk_hand_over(blk, socket, UNIT_PATIENCE_MS);
}

static void *
give_main(void *arg)
{
	RTE_SET_USED(arg);
	given = give(pair[0]);
	return NULL;
}

static struct rte_vduse_blk *next;

static int
take(struct rte_vduse_handover *from)
{
	int ret = create(from, path, &next);

	if (ret < 0)
		return ret;
	set_polled(1, next);
	return rte_vduse_blk_start(next, RTE_VDUSE_ATTACH_NONE);
}

static void
hand_over(void)
{
	static const struct handover_pair run = { .give = give, .take = take, .load = load };

	handover_pair_run(&run);
	set_polled(0, next);
	set_polled(1, NULL);
	rte_vduse_blk_destroy(blk);
	blk = next;
}

static void
test_load(void **state)
{
	char other[96];
	struct rte_vduse_blk *third;
	unsigned int i;

	RTE_SET_USED(state);
	for (i = 0; i < TIMES; i++) {
		more(DEPTH);
		hand_over();
	}
	more(10 * DEPTH);
	/* The lock of the image went along. */
	snprintf(other, sizeof(other), "%s/other", dir);
	assert_true(create(NULL, other, &third) < 0);
}

/* As the test gets the disk: until the giver has prepared everything. */
static void
await_prepared(void)
{
	struct vduse_record record;

	do {
		assert_int_equal(vduse_record_recv(pair[1], &record), 0);
		vduse_record_close(&record);
	} while (record.type != VDUSE_RECORD_PREPARED);
}

/* Another disk with the same image, which does not share it; NULL: it is locked. */
static struct rte_vduse_blk *
third_open(void)
{
	char other[96], all[sizeof(args)];
	struct rte_vduse_blk *third = NULL;
	int ret;

	snprintf(other, sizeof(other), "%s/other", dir);
	memcpy(all, args, sizeof(all));
	snprintf(args, sizeof(args), "path=%s/disk", dir);
	ret = create(NULL, other, &third);
	memcpy(args, all, sizeof(args));
	return ret == 0 ? third : NULL;
}

/* The giver cannot send: there is no room. It has to rest, and give the lock up, before it waits. */
static void
fill(void)
{
	const struct vduse_record junk = { .type = VDUSE_RECORD_READY, .size = 1000 };
	const struct timeval none = { .tv_usec = 1 };

	assert_int_equal(setsockopt(pair[0], SOL_SOCKET, SO_SNDTIMEO, &none, sizeof(none)), 0);
	while (vduse_record_send(pair[0], &junk) == 0)
		;
	vduse_record_limit(pair[0], UNIT_PATIENCE_MS);
}

static void
give_until_prepared(pthread_t *giver)
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	assert_int_equal(pthread_create(giver, NULL, give_main, blk), 0);
	await_prepared();
}

static void
end_given(pthread_t giver)
{
	close(pair[1]);
	pthread_join(giver, NULL);
	close(pair[0]);
	assert_int_equal(given, -ECONNRESET);
}

static bool
is_free(void *arg)
{
	struct rte_vduse_blk **third = arg;

	*third = third_open();
	return *third != NULL;
}

/* As a driver that resets the virtqueue and goes on where it was. */
static void
restart_ring(void)
{
	set_up_ring(vhost_client_ask(client, MSG_GET_VRING_BASE, 0, 8, false) >> 32);
}

static void
check_not_served(void)
{
	uint64_t before;

	take_all();
	before = nb_done;
	load();
	unit_sleep_ms(50);
	take_all();
	assert_int_equal(nb_done, before);
}

/* The lock is taken by another one while the handover fails: nothing is written until it is back. */
static void
test_lock_lost(void **state)
{
	const struct vduse_record ready = { .type = VDUSE_RECORD_READY };
	struct rte_vduse_blk *third;
	pthread_t giver;

	RTE_SET_USED(state);
	more(DEPTH);
	give_until_prepared(&giver);
	assert_null(third_open());
	fill();
	assert_int_equal(vduse_record_send(pair[1], &ready), 0);
	assert_true(unit_wait(is_free, &third));
	end_given(giver);
	check_not_served();
	restart_ring();
	check_not_served();
	rte_vduse_blk_destroy(third);
	restart_ring();
	more(10 * DEPTH);
	assert_null(third_open());
}

/* It is not taken: it is the giver's again, also if the disk shares its image. */
static void
test_lock_back(void **state)
{
	const struct vduse_record ready = { .type = VDUSE_RECORD_READY };
	pthread_t giver;

	RTE_SET_USED(state);
	more(DEPTH);
	give_until_prepared(&giver);
	end_given(giver);
	assert_null(third_open());
	give_until_prepared(&giver);
	fill();
	assert_int_equal(vduse_record_send(pair[1], &ready), 0);
	unit_sleep_ms(50);
	end_given(giver);
	assert_null(third_open());
	more(10 * DEPTH);
}

static bool
is_idle(void *arg)
{
	take_all();
	return !busy[*(unsigned int *)arg];
}

static void
write_one(unsigned int id)
{
	post(id);
	assert_true(unit_wait(is_idle, &id));
}

/*
 * A driver may use a command that the next process's backend lacks. After a kill such a disk is served
 * without it. Here the process that has it serves on.
 */
static void
test_command_missing(void **state)
{
	struct rte_vduse_handover *from;
	pthread_t giver;

	RTE_SET_USED(state);
	write_one(0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	assert_int_equal(pthread_create(&giver, NULL, give_main, blk), 0);
	assert_int_equal(rte_vduse_handover_open(pair[1], UNIT_PATIENCE_MS, &from), 0);
	backend = "file";
	snprintf(args, sizeof(args), "path=%s/disk", dir);
	assert_int_equal(create(from, path, &next), -EEXIST);
	rte_vduse_handover_close(from);
	pthread_join(giver, NULL);
	close(pair[0]);
	assert_int_equal(given, -ECONNRESET);
	write_one(1);
}

static int
setup(void **state)
{
	int fd;

	RTE_SET_USED(state);
	strcpy(dir, "/tmp/unit-blk-over-XXXXXX");
	assert_non_null(mkdtemp(dir));
	assert_int_equal(setenv("DPDK_VDUSE_RUN_DIR", dir, 1), 0);
	snprintf(path, sizeof(path), "%s/socket", dir);
	snprintf(args, sizeof(args), "path=%s/disk", dir);
	fd = open(args + strlen("path="), O_RDWR | O_CREAT, 0600);
	if (shares)
		strcat(args, ",share=1,direct=1");
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, DISK), 0);
	close(fd);
	memset(busy, 0, sizeof(busy));
	memset(nb_sent, 0, sizeof(nb_sent));
	driver_init_shared(&driver, RING,
			   BIT(VIRTIO_F_VERSION_1) | (packed ? BIT(VIRTIO_F_RING_PACKED) : 0), 0);
	if (strcmp(backend, "null") == 0) {
		driver.features |= BIT(VIRTIO_BLK_F_SECURE_ERASE);
		snprintf(args, sizeof(args), "size=%u", DISK);
	}
	assert_int_equal(create(NULL, path, &blk), 0);
	set_polled(0, blk);
	poller_start(&poller, poll_all);
	assert_int_equal(rte_vduse_blk_start(blk, RTE_VDUSE_ATTACH_NONE), 0);
	client = vhost_client_connect(path);
	set_up();
	return 0;
}

static int
setup_split(void **state)
{
	packed = false;
	return setup(state);
}

static int
setup_packed(void **state)
{
	packed = true;
	return setup(state);
}

static int
setup_shares(void **state)
{
	int ret;

	packed = false;
	shares = true;
	ret = setup(state);
	shares = false;
	return ret;
}

static int
setup_erases(void **state)
{
	packed = false;
	backend = "null";
	return setup(state);
}

static int
teardown(void **state)
{
	char command[128];

	RTE_SET_USED(state);
	backend = "file";
	close(client);
	rte_vduse_blk_stop(blk);
	poller_end(&poller);
	set_polled(0, NULL);
	rte_vduse_blk_destroy(blk);
	driver_free(&driver);
	snprintf(command, sizeof(command), "rm -r %s", dir);
	return system(command);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_load, setup_split, teardown),
		cmocka_unit_test_setup_teardown(test_load, setup_packed, teardown),
		cmocka_unit_test_setup_teardown(test_lock_lost, setup_split, teardown),
		cmocka_unit_test_setup_teardown(test_lock_lost, setup_shares, teardown),
		cmocka_unit_test_setup_teardown(test_lock_back, setup_packed, teardown),
		cmocka_unit_test_setup_teardown(test_lock_back, setup_shares, teardown),
		cmocka_unit_test_setup_teardown(test_command_missing, setup_erases, teardown),
	};

	if (unit_init() < 0)
		return 1;
	return unit_done(cmocka_run_group_tests(tests, NULL, NULL));
}
