/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * A process that serves a network device is killed at every store to a ring that another process
 * can see, and a second one continues. A child polls the device while this process single-steps it
 * and takes a snapshot of ring, buffers and state file whenever they changed. From each snapshot a
 * device is started again: what the driver saw as used stays used, the rest is used once, and the
 * ring continues. A packed ring whose used descriptors were written only in part is refused; no
 * other ring is.
 * Input: both directions, split and packed rings. Output: snapshots, and a device from each.
 */
#include "loopback_world.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/virtio_net.h>

#define ROUNDS 9u   /* of the child */
#define POSTED 40u  /* chains of the child's */
#define MORE   48u  /* and those after it: the ring turns twice */
#define FRESH  128u /* number of the first packet that the second process sends */

#define BIT(nr) (UINT64_C(1) << (nr))
#define SPLIT                                                                                      \
	(BIT(VIRTIO_F_VERSION_1) | BIT(VIRTIO_F_ACCESS_PLATFORM) |                                 \
	 BIT(VIRTIO_RING_F_INDIRECT_DESC) | BIT(VIRTIO_NET_F_MRG_RXBUF))
#define PACKED   (SPLIT | BIT(VIRTIO_F_RING_PACKED))
#define IN_ORDER BIT(VIRTIO_F_IN_ORDER)

/* Instructions of a sanitizer's program are many: there a format begins at one place only. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define EVERYWHERE false
#else
#define EVERYWHERE true
#endif

/* All that outlives a process. */
struct picture {
	struct world world;
	uint8_t *memory[2];
	uint8_t file[4 * 4096];
	size_t file_size;
};

static struct picture *pictures;
static unsigned int nb_pictures;
static char run_dir[] = "/tmp/vduse-unit-XXXXXX";

static int
state_open(int flags)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "%s/unit0.state", run_dir);
	fd = open(path, flags, 0600);
	assert_true(fd >= 0);
	return fd;
}

static void
picture_take(void)
{
	struct picture *picture;
	struct stat stat;
	unsigned int i;
	int fd = state_open(O_RDONLY);

	pictures = realloc(pictures, (nb_pictures + 1) * sizeof(*pictures));
	assert_non_null(pictures);
	picture = &pictures[nb_pictures++];
	picture->world = *world;
	for (i = 0; i < 2; i++) {
		const struct driver_region *region = &world->driver.regions[i];

		picture->memory[i] = malloc(region->size);
		assert_non_null(picture->memory[i]);
		memcpy(picture->memory[i], region->va, region->size);
	}
	assert_int_equal(fstat(fd, &stat), 0);
	assert_in_range(stat.st_size, 1, sizeof(picture->file));
	picture->file_size = (size_t)stat.st_size;
	assert_int_equal(read(fd, picture->file, picture->file_size), (ssize_t)stat.st_size);
	close(fd);
}

static void
pictures_free(void)
{
	for (; nb_pictures > 0; nb_pictures--) {
		free(pictures[nb_pictures - 1].memory[0]);
		free(pictures[nb_pictures - 1].memory[1]);
	}
	free(pictures);
	pictures = NULL;
}

static void
picture_restore(const struct picture *picture)
{
	int fd = state_open(O_WRONLY | O_CREAT | O_TRUNC);
	unsigned int i;

	*world = picture->world;
	for (i = 0; i < 2; i++)
		memcpy(world->driver.regions[i].va, picture->memory[i],
		       world->driver.regions[i].size);
	assert_int_equal(write(fd, picture->file, picture->file_size), (ssize_t)picture->file_size);
	close(fd);
}

/* The child: both sides in turn, bursts of different lengths. */
static void
child_run(void)
{
	unsigned int round;

	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
	raise(SIGSTOP);
	for (round = 0; round < ROUNDS; round++) {
		world_receive();
		world_send(POSTED);
		world->device = true;
		/* Each instruction from here on. */
		raise(SIGTRAP);
		world_poll((uint16_t)(1 + round * 3 % BURST));
		world->device = false;
	}
	_exit(0);
}

/* What a queue notes is short, and the rest of its page is empty. */
static bool
picture_differs(const struct picture *last, uint8_t *kept, const uint8_t *noted, size_t size)
{
	const struct driver_region *rings = &world->driver.regions[0];

	if (memcmp(last->memory[0], rings->va, rings->size) == 0 && memcmp(kept, noted, size) == 0)
		return false;
	memcpy(kept, noted, size);
	return true;
}

/*
 * Lets a child go on, instruction by instruction while it is the device's turn, and keeps what it
 * leaves on the way.
 */
static void
take_pictures(void)
{
	const uint8_t *noted = world_net->queues[world->queue].part.data;
	uint8_t kept[64];
	int status;
	pid_t pid;

	assert_non_null(noted);
	memcpy(kept, noted, sizeof(kept));
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0)
		child_run();
	picture_take();
	while (waitpid(pid, &status, 0) == pid && WIFSTOPPED(status)) {
		bool device = world->device;

		if (device &&
		    picture_differs(&pictures[nb_pictures - 1], kept, noted, sizeof(kept)))
			picture_take();
		assert_int_equal(ptrace(device ? PTRACE_SINGLESTEP : PTRACE_CONT, pid, NULL, NULL),
				 0);
	}
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* Whether a descriptor after those that the driver can take is marked used in its turn. */
static bool
ring_is_torn(void)
{
	const struct driver_packed *packed = &world->driver.packed;
	uint32_t i;

	if (!world_is_packed())
		return false;
	for (i = 0; i < RING; i++) {
		uint32_t place = (packed->seen + i) % (2 * RING);
		uint16_t flags = packed->desc[place % RING].flags;
		bool avail = flags >> VRING_PACKED_DESC_F_AVAIL & 1;
		bool used = flags >> VRING_PACKED_DESC_F_USED & 1;

		if (avail == used && used == (place < RING))
			return true;
	}
	return false;
}

/* The second process does what the first did not, and the ring goes on. */
static void
expect_served(void)
{
	uint32_t until = world->posted + MORE, round;

	/* What the driver saw before the new process did anything is never done again. */
	world_receive();
	world->polled = world->queue == TX ? world->taken : FRESH;
	world->received = FRESH;
	for (round = 0; world->taken < until && round < 4 * MORE; round++) {
		world_send(world->queue == TX ? until : UINT32_MAX);
		world_poll(world->queue == TX ? BURST : 1);
		world_receive();
	}
	assert_true(world->taken >= until);
	if (world->queue == TX)
		assert_int_equal(world->polled, until);
	else
		assert_int_equal(world->polled, world->received);
	assert_int_equal(world_device_state(), RTE_VDUSE_VQ_RUNNING);
}

/* How a run goes on from one picture. eager: the driver has taken and sent before. */
static bool
recover(const struct picture *picture, uint16_t index, bool eager)
{
	uint32_t taken;
	bool torn;

	picture_restore(picture);
	world_receive();
	torn = ring_is_torn();
	if (eager)
		world_send(UINT32_MAX);
	else
		*world = picture->world;
	unit_log_clear();
	world_device_create(true);
	world_device_set_vq(index);
	assert_int_equal(rte_vduse_net_start(world_net, RTE_VDUSE_ATTACH_NONE), 0);
	world_device_ask(vduse_loopback_memory_changed());
	assert_int_equal(unit_log_count("was left while it was written"), torn);
	if (torn) {
		assert_int_equal(world_device_state(), RTE_VDUSE_VQ_ERROR);
		/* It is left as it is. */
		world_receive();
		taken = world->taken;
		world_poll(BURST);
		world_receive();
		assert_int_equal(world->taken, taken);
	} else {
		assert_int_equal(world_device_state(), RTE_VDUSE_VQ_RUNNING);
		assert_true(vduse_loopback_calls(world_loop, world->queue) > 0);
		expect_served();
	}
	world_device_destroy();
	return torn;
}

static void
every_store(uint16_t queue, uint64_t features, uint16_t index)
{
	unsigned int i, torn = 0;
	bool packed;

	world_begin(queue, features, index);
	take_pictures();
	world_device_destroy();
	packed = world_is_packed();
	/* Each round shows something; a packed ring's is noted before and after. */
	assert_true(nb_pictures > (packed ? 3 : 1) * ROUNDS);
	for (i = 0; i < nb_pictures; i++) {
		bool first = recover(&pictures[i], index, false);

		assert_int_equal(recover(&pictures[i], index, true), first);
		torn += first;
	}
	print_message("%u stores, %u in the middle of a burst\n", nb_pictures, torn);
	/* In order one used descriptor stands for all that was sent. */
	if (packed && !(queue == TX && (features & IN_ORDER)))
		assert_in_range(torn, 1, nb_pictures - 1);
	else
		assert_int_equal(torn, 0);
	pictures_free();
	world_end();
}

/* In both directions. */
static void
every_direction(uint64_t features, uint16_t index)
{
	every_store(RX, features, index);
	every_store(TX, features, index);
}

static void
killed_at_every_store_split(void **state)
{
	RTE_SET_USED(state);
	every_direction(SPLIT, 65530);
}

static void
killed_at_every_store_packed(void **state)
{
	RTE_SET_USED(state);
	every_direction(PACKED, 2 * RING - 7);
	if (EVERYWHERE)
		every_direction(PACKED, RING - 5);
}

static void
killed_at_every_store_in_order(void **state)
{
	RTE_SET_USED(state);
	every_direction(SPLIT | IN_ORDER, 3);
	if (EVERYWHERE)
		every_direction(PACKED | IN_ORDER, 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(killed_at_every_store_split),
		cmocka_unit_test(killed_at_every_store_packed),
		cmocka_unit_test(killed_at_every_store_in_order),
	};
	int failed;

	if (unit_init() < 0 || mkdtemp(run_dir) == NULL)
		return EXIT_FAILURE;
	setenv("DPDK_VDUSE_RUN_DIR", run_dir, 1);
	world_pool = rte_pktmbuf_pool_create("kill", 255, 0, 0, RTE_PKTMBUF_HEADROOM + LEN_MAX,
					     SOCKET_ID_ANY);
	failed = world_pool == NULL || cmocka_run_group_tests(tests, NULL, NULL) != 0;
	(void)rmdir(run_dir);
	return unit_done(failed);
}
