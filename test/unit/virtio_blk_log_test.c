/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A process that serves a disk is killed, at every store that another process can see, and a
 * second one goes on. A child polls the device while this process lets it make one instruction
 * after the other, and keeps a picture of ring and log whenever they changed. From each picture
 * a device is started anew, on an empty disk: what is on it then is what was done twice or for
 * the first time, and must be all that the driver had not seen as used, and nothing else.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <fcntl.h>
#include <unistd.h>

#include <linux/virtio_blk.h>

#include <rte_memory.h>

#include <backend_fault.h>
#include <blk.h>
#include <device.h>
#include <transport_loopback.h>

#include "unit.h"
#include "vring_driver.h"

#define RING	 16u
#define REQUESTS 24u /* of one run */
#define SLOTS	 5u  /* requests that the driver has out at once: 3 descriptors each */
#define ROUNDS	 14u
#define SECTOR	 512u

#define BIT(nr) (UINT64_C(1) << (nr))
#define FEATURES                                                                                   \
	(BIT(VIRTIO_F_VERSION_1) | BIT(VIRTIO_F_ACCESS_PLATFORM) |                                 \
	 BIT(VIRTIO_RING_F_INDIRECT_DESC) | BIT(VIRTIO_BLK_F_FLUSH))
#define PACKED (FEATURES | BIT(VIRTIO_F_RING_PACKED))

#define STATUS_UP                                                                                  \
	(VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER | VIRTIO_CONFIG_S_FEATURES_OK |       \
	 VIRTIO_CONFIG_S_DRIVER_OK)

/* Instructions of a sanitizer's program are many: there a format begins at one place only. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define EVERYWHERE false
#else
#define EVERYWHERE true
#endif

/* A request is known by its number: it writes the sector of that number. */
enum request_state { REQUEST_NEW, REQUEST_OUT, REQUEST_USED };

/* What the driver knows, shared with the child, which plays both sides. */
struct world {
	struct driver driver;
	uint16_t descs[RING]; /* driver.packed's */
	uint16_t order[RING];
	enum request_state requests[REQUESTS];
	uint32_t nb_posted;
	uint32_t slots[SLOTS]; /* the request of each, or REQUESTS */
	bool device;           /* the device's turn: what changes is its doing */
};

/* All that outlives a process. */
struct picture {
	struct world world;
	uint8_t *memory[2];
	uint8_t *log;
};

static struct world *world;
static struct vduse_loopback *loop;
static struct rte_vduse_blk *blk;
static char run_dir[] = "/tmp/vduse-unit-XXXXXX";
static uint8_t header[4096]; /* of the state file */
static size_t header_size;
static size_t log_size;

static struct picture *pictures;
static unsigned int nb_pictures;

static void
state_path(char *path, size_t size)
{
	snprintf(path, size, "%s/unit0.state", run_dir);
}

/* The device over a driver's memory as it is. left: the driver is up already. */
static void
device_create(bool left)
{
	struct rte_vduse_blk_conf conf = {
		.path = "/dev/vduse/unit0",
		.queues = 1,
		.queue_size = RING,
		.backend = "fault",
		.backend_args = "under=ram,size=64K",
		.socket_id = SOCKET_ID_ANY,
		.packed = true,
		.in_order = true,
		.log = true,
	};
	unsigned int i;

	loop = vduse_loopback_new();
	assert_non_null(loop);
	if (left)
		vduse_loopback_leave(loop);
	vduse_loopback_set_features(loop, world->driver.features);
	for (i = 0; i < world->driver.nb_regions; i++) {
		const struct driver_region *region = &world->driver.regions[i];

		assert_int_equal(vduse_loopback_region_add(loop, region->first,
							   region->first + region->size - 1, 0,
							   VDUSE_ACCESS_RW, region->fd), 0);
	}
	assert_int_equal(vblk_create(&conf, &vduse_transport_loopback, loop, &blk), 0);
}

static void
device_destroy(void)
{
	rte_vduse_blk_destroy(blk);
	vduse_loopback_free(loop);
	blk = NULL;
}

/* What the transport says of the ring: positions are those of its beginning. */
static void
device_set_vq(uint16_t index)
{
	struct vring_layout layout = driver_layout(&world->driver);
	struct vduse_vq_info info = {
		.num = RING,
		.desc_addr = layout.desc,
		.driver_addr = layout.driver,
		.device_addr = layout.device,
		.ready = 1,
	};

	if (world->driver.features & BIT(VIRTIO_F_RING_PACKED)) {
		info.packed.last_avail_counter = index < RING;
		info.packed.last_used_counter = index < RING;
		info.packed.last_avail_idx = index % RING;
		info.packed.last_used_idx = index % RING;
	} else {
		info.split.avail_index = index;
	}
	vduse_loopback_set_vq(loop, 0, &info);
}

static void
device_ask(struct vduse_dev_request req)
{
	struct vduse_dev_response resp;

	assert_int_equal(vduse_loopback_ask(loop, &req, &resp, UNIT_PATIENCE_MS), 0);
	assert_int_equal(resp.result, VDUSE_REQ_RESULT_OK);
}

static enum rte_vduse_vq_state
device_state(void)
{
	return __atomic_load_n(&rte_vduse_dev_vq(rte_vduse_blk_dev(blk), 0)->state,
			       __ATOMIC_ACQUIRE);
}

/* A new driver on new memory, its ring at an index (packed: a place). */
static void
world_begin(uint64_t features, uint16_t index)
{
	struct vduse_dev_request up = { .type = VDUSE_SET_STATUS, .s.status = STATUS_UP };
	struct driver *driver;
	unsigned int i;

	world = mmap(NULL, sizeof(*world), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		     0);
	assert_ptr_not_equal(world, MAP_FAILED);
	driver = &world->driver;
	driver_init_shared(driver, RING, features, index);
	/* The child's are this process's, too. */
	free(driver->packed.descs);
	free(driver->packed.order);
	driver->packed.descs = world->descs;
	driver->packed.order = world->order;
	for (i = 0; i < SLOTS; i++)
		world->slots[i] = REQUESTS;
	device_create(false);
	device_set_vq(index);
	assert_int_equal(rte_vduse_blk_start(blk, RTE_VDUSE_ATTACH_NONE), 0);
	device_ask(up);
	device_ask(vduse_loopback_memory_changed());
	assert_int_equal(device_state(), RTE_VDUSE_VQ_RUNNING);
}

static void
world_end(void)
{
	world->driver.packed.descs = NULL;
	world->driver.packed.order = NULL;
	driver_free(&world->driver);
	munmap(world, sizeof(*world));
}

/* The memory of a slot: header, data, status, table. */
static uint64_t
slot_iova(unsigned int slot, uint32_t offset)
{
	return world->driver.data + slot * UINT64_C(4096) + offset;
}

static void *
slot_va(unsigned int slot, uint32_t offset)
{
	return driver_va(&world->driver, slot_iova(slot, offset));
}

static uint8_t
request_byte(uint32_t request)
{
	return (uint8_t)(0x40 + request);
}

/* In every second slot the chain lies in a table. */
static void
slot_post(unsigned int slot, uint32_t type, uint64_t sector, uint32_t len)
{
	struct virtio_blk_outhdr hdr = { .type = type, .sector = sector };
	uint16_t descs[3] = { (uint16_t)(3 * slot), (uint16_t)(3 * slot + 1),
			      (uint16_t)(3 * slot + 2) };
	uint16_t in = type == VIRTIO_BLK_T_IN ? VRING_DESC_F_WRITE : 0;
	struct driver_part parts[3] = {
		{ slot_iova(slot, 0), sizeof(hdr), 0 },
		{ slot_iova(slot, 1024), len, in },
		{ slot_iova(slot, 3000), 1, VRING_DESC_F_WRITE },
	};
	struct driver_part whole = { slot_iova(slot, 3072), 48, VRING_DESC_F_INDIRECT };
	bool packed = (world->driver.features & BIT(VIRTIO_F_RING_PACKED)) != 0;
	struct vring_desc *table = slot_va(slot, 3072);
	uint16_t i;

	memcpy(slot_va(slot, 0), &hdr, sizeof(hdr));
	*(uint8_t *)slot_va(slot, 3000) = 0xaa;
	if (slot % 2 == 0) {
		driver_post_chain(&world->driver, descs, parts, 3);
		return;
	}
	for (i = 0; i < 3; i++) {
		uint16_t flags = (uint16_t)(parts[i].flags | (i < 2 ? VRING_DESC_F_NEXT : 0));

		/* In a packed ring they follow one another, and flags stand last. */
		table[i] = (struct vring_desc){
			.addr = parts[i].iova,
			.len = parts[i].len,
			.flags = packed ? 0 : flags,
			.next = packed ? parts[i].flags : (uint16_t)(i + 1),
		};
	}
	driver_post_chain(&world->driver, descs, &whole, 1);
}

/* The driver sends what it has slots for. */
static void
driver_send(uint32_t until)
{
	unsigned int slot;

	for (slot = 0; slot < SLOTS && world->nb_posted < until; slot++) {
		uint32_t request = world->nb_posted;

		if (world->slots[slot] != REQUESTS)
			continue;
		world->nb_posted++;
		world->slots[slot] = request;
		world->requests[request] = REQUEST_OUT;
		memset(slot_va(slot, 1024), request_byte(request), SECTOR);
		slot_post(slot, VIRTIO_BLK_T_OUT, request, SECTOR);
	}
}

/* It takes what is used. Returns how much. */
static unsigned int
driver_receive(void)
{
	unsigned int n = 0, slot;
	uint32_t head, len;

	for (; driver_take(&world->driver, &head, &len); n++) {
		slot = head / 3;
		assert_int_equal(head % 3, 0);
		assert_in_range(slot, 0, SLOTS - 1);
		assert_int_not_equal(world->slots[slot], REQUESTS);
		assert_int_equal(world->requests[world->slots[slot]], REQUEST_OUT);
		assert_int_equal(*(uint8_t *)slot_va(slot, 3000), VIRTIO_BLK_S_OK);
		world->requests[world->slots[slot]] = REQUEST_USED;
		world->slots[slot] = REQUESTS;
	}
	return n;
}

/* The child: both sides in turn, requests finish in an order of their own. */
static void
child_run(void)
{
	unsigned int round;

	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
	raise(SIGSTOP);
	vblk_fault_hold(blk->backend, true);
	for (round = 0; round < ROUNDS; round++) {
		driver_receive();
		/* Some rounds without anything new, so that many finish in one. */
		if (round % 4 != 2)
			driver_send(REQUESTS - SLOTS);
		vblk_fault_release(blk->backend, round % 3, round % 2 == 0);
		world->device = true;
		rte_vduse_blk_poll(blk, 0);
		world->device = false;
	}
	_exit(0);
}

static bool
picture_differs(const struct picture *last)
{
	const struct driver_region *rings = &world->driver.regions[0];

	return memcmp(last->log, blk->state.data, log_size) != 0 ||
	       memcmp(last->memory[0], rings->va, rings->size) != 0;
}

static void
picture_take(void)
{
	struct picture *picture;
	unsigned int i;

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
	picture->log = malloc(log_size);
	assert_non_null(picture->log);
	memcpy(picture->log, blk->state.data, log_size);
}

static void
pictures_free(void)
{
	for (; nb_pictures > 0; nb_pictures--) {
		free(pictures[nb_pictures - 1].memory[0]);
		free(pictures[nb_pictures - 1].memory[1]);
		free(pictures[nb_pictures - 1].log);
	}
	free(pictures);
	pictures = NULL;
}

/* Lets a child go on instruction by instruction, and keeps what it leaves on the way. */
static void
take_pictures(void)
{
	int status;
	pid_t pid;

	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0)
		child_run();
	picture_take();
	while (waitpid(pid, &status, 0) == pid && WIFSTOPPED(status)) {
		if (world->device && picture_differs(&pictures[nb_pictures - 1]))
			picture_take();
		assert_int_equal(ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL), 0);
	}
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void
state_write(const uint8_t *log, size_t size)
{
	char path[64];
	int fd;

	state_path(path, sizeof(path));
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, header, header_size), (ssize_t)header_size);
	assert_int_equal(write(fd, log, size), (ssize_t)size);
	close(fd);
}

/* Keeps what stands before the log in the file. */
static void
state_keep(void)
{
	struct stat stat;
	char path[64];
	int fd;

	log_size = blk->state.size;
	state_path(path, sizeof(path));
	fd = open(path, O_RDONLY);
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &stat), 0);
	header_size = (size_t)stat.st_size - log_size;
	assert_in_range(header_size, 1, sizeof(header));
	assert_int_equal(read(fd, header, header_size), (ssize_t)header_size);
	close(fd);
}

static void
picture_restore(const struct picture *picture)
{
	unsigned int i;

	*world = picture->world;
	for (i = 0; i < 2; i++)
		memcpy(world->driver.regions[i].va, picture->memory[i],
		       world->driver.regions[i].size);
}

/* Another process starts, and finds what is there. */
static void
device_restart(uint16_t index)
{
	device_create(true);
	device_set_vq(index);
	assert_int_equal(rte_vduse_blk_start(blk, RTE_VDUSE_ATTACH_NONE), 0);
	device_ask(vduse_loopback_memory_changed());
}

static void
poll_until_done(void)
{
	unsigned int idle = 0;

	while (idle < 3) {
		(void)rte_vduse_blk_poll(blk, 0);
		idle = driver_receive() > 0 ? 0 : idle + 1;
	}
}

/* One sector, through the device. */
static uint8_t
disk_byte(uint32_t sector)
{
	slot_post(0, VIRTIO_BLK_T_IN, sector, SECTOR);
	world->slots[0] = REQUESTS - 1;
	world->requests[REQUESTS - 1] = REQUEST_OUT;
	poll_until_done();
	assert_int_equal(world->requests[REQUESTS - 1], REQUEST_USED);
	return *(uint8_t *)slot_va(0, 1024);
}

/* How a run goes on from one picture. eager: the driver has taken and sent before. */
static void
recover(const struct picture *picture, uint16_t index, bool eager)
{
	bool used[REQUESTS];
	uint32_t i;

	picture_restore(picture);
	state_write(picture->log, log_size);
	if (eager) {
		driver_receive();
		driver_send(REQUESTS - 1);
	}
	device_restart(index);
	assert_int_equal(device_state(), RTE_VDUSE_VQ_RUNNING);
	assert_true(vduse_loopback_calls(loop, 0) > 0);
	/* What was used before the new process did anything is never to be done again. */
	driver_receive();
	for (i = 0; i < REQUESTS; i++)
		used[i] = world->requests[i] != REQUEST_OUT;
	poll_until_done();
	for (i = 0; i < world->nb_posted; i++) {
		assert_int_equal(world->requests[i], REQUEST_USED);
		assert_int_equal(disk_byte(i), used[i] ? 0 : request_byte(i));
	}
	device_destroy();
}

static void
every_store(uint64_t features, uint16_t index)
{
	unsigned int i;

	world_begin(features, index);
	state_keep();
	take_pictures();
	device_destroy();
	/* A run that logs nothing would have too few. */
	assert_true(nb_pictures > 3 * (REQUESTS - SLOTS));
	for (i = 0; i < nb_pictures; i++) {
		recover(&pictures[i], index, false);
		recover(&pictures[i], index, true);
	}
	print_message("%u stores\n", nb_pictures);
	pictures_free();
	world_end();
}

static void
killed_at_every_store_split(void **state)
{
	RTE_SET_USED(state);
	every_store(FEATURES, 65530);
	if (EVERYWHERE)
		every_store(FEATURES, 0);
}

static void
killed_at_every_store_packed(void **state)
{
	RTE_SET_USED(state);
	every_store(PACKED, 2 * RING - 7);
	if (EVERYWHERE) {
		every_store(PACKED, 0);
		every_store(PACKED, RING - 5);
	}
}

static void
killed_at_every_store_in_order(void **state)
{
	RTE_SET_USED(state);
	every_store(FEATURES | BIT(VIRTIO_F_IN_ORDER), 3);
	if (EVERYWHERE)
		every_store(PACKED | BIT(VIRTIO_F_IN_ORDER), 3);
}

/* A run that is left with requests in flight, to go on with logs of all kinds. */
static const struct picture *
left_in_flight(uint64_t features)
{
	world_begin(features, 0);
	state_keep();
	vblk_fault_hold(blk->backend, true);
	driver_send(SLOTS);
	rte_vduse_blk_poll(blk, 0);
	vblk_fault_release(blk->backend, 2, true);
	rte_vduse_blk_poll(blk, 0);
	picture_take();
	vblk_fault_hold(blk->backend, false);
	device_destroy();
	return &pictures[0];
}

/* The virtqueue does not start, and the log says why. */
static void
expect_refused(const char *why)
{
	unit_log_clear();
	device_restart(0);
	assert_int_equal(device_state(), RTE_VDUSE_VQ_ERROR);
	assert_int_equal(unit_log_count("nobody knows which"), 1);
	assert_int_equal(unit_log_count(why), 1);
	assert_int_equal(driver_receive(), 2);
	device_destroy();
}

static void
refuse_logs(uint64_t features)
{
	const struct picture *picture = left_in_flight(features);
	struct vblk_log_ring *ring = (void *)picture->log;
	uint8_t *log = picture->log;
	char path[64];

	state_path(path, sizeof(path));
	(void)unlink(path);
	picture_restore(picture);
	expect_refused("there was none");
	picture_restore(picture);
	state_write(log, log_size / 2);
	expect_refused("it is cut off");
	picture_restore(picture);
	header[8]++;
	state_write(log, log_size);
	expect_refused("it is of another version");
	header[8]--;
	picture_restore(picture);
	header[header_size / 2]++;
	state_write(log, log_size);
	expect_refused("it is of another device");
	header[header_size / 2]--;
	picture_restore(picture);
	ring->desc += 4096;
	state_write(log, log_size);
	expect_refused("another ring");
	ring->desc -= 4096;
	pictures_free();
	world_end();
}

static void
logs_that_are_none(void **state)
{
	RTE_SET_USED(state);
	refuse_logs(FEATURES);
	refuse_logs(PACKED);
}

/* A driver that came up while nobody served it has a ring of its own: the log is not used. */
static void
new_driver_old_log(void **state)
{
	struct vduse_dev_request up = { .type = VDUSE_SET_STATUS, .s.status = STATUS_UP };
	const struct picture *picture = left_in_flight(FEATURES);
	unsigned int i;

	RTE_SET_USED(state);
	picture_restore(picture);
	memset(world->driver.regions[0].va, 0, world->driver.regions[0].size);
	world->driver.next = world->driver.seen = 0;
	for (i = 0; i < SLOTS; i++)
		world->slots[i] = REQUESTS;
	state_write(picture->log, log_size);
	/* No driver is up as the new process starts; then it is told of one. */
	device_create(true);
	vduse_loopback_refuse(loop, VDUSE_LOOPBACK_CONFIG_CALL, -EINVAL);
	device_set_vq(0);
	assert_int_equal(rte_vduse_blk_start(blk, RTE_VDUSE_ATTACH_NONE), 0);
	device_ask(up);
	device_ask(vduse_loopback_memory_changed());
	assert_int_equal(device_state(), RTE_VDUSE_VQ_RUNNING);
	driver_send(2 * SLOTS);
	poll_until_done();
	for (i = 0; i < 2 * SLOTS; i++)
		assert_int_equal(disk_byte(i), i < SLOTS ? 0 : request_byte(i));
	device_destroy();
	pictures_free();
	world_end();
}

/* Whatever stands in a log: all goes on, or nothing does, and no byte lies elsewhere. */
static void
damage_never_kills(void **state)
{
	static const uint64_t features[] = { FEATURES, PACKED };
	unsigned int format, seed, i;

	RTE_SET_USED(state);
	for (format = 0; format < 2; format++) {
		const struct picture *picture = left_in_flight(features[format]);
		uint8_t *log = malloc(log_size);

		assert_non_null(log);
		for (seed = 0; seed < 300; seed++) {
			srand(seed);
			memcpy(log, picture->log, log_size);
			for (i = 0; i < 1 + seed % 8; i++)
				log[(unsigned int)rand() % log_size] = (uint8_t)rand();
			picture_restore(picture);
			state_write(log, log_size);
			device_restart(0);
			for (i = 0; i < 4; i++)
				(void)rte_vduse_blk_poll(blk, 0);
			device_destroy();
		}
		free(log);
		pictures_free();
		world_end();
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(killed_at_every_store_split),
		cmocka_unit_test(killed_at_every_store_packed),
		cmocka_unit_test(killed_at_every_store_in_order),
		cmocka_unit_test(logs_that_are_none),
		cmocka_unit_test(new_driver_old_log),
		cmocka_unit_test(damage_never_kills),
	};
	int failed;

	if (unit_init() < 0 || mkdtemp(run_dir) == NULL)
		return EXIT_FAILURE;
	setenv("DPDK_VDUSE_RUN_DIR", run_dir, 1);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	(void)rmdir(run_dir);
	return unit_done(failed);
}
