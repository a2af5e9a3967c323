/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* See loopback_log.h. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <rte_memory.h>
#include <rte_vduse_compat.h>

#include <vduse/core/device.h>

#include "create_over.h"
#include "loopback_log.h"

struct world *world;
struct vduse_loopback *loop;
struct rte_vduse_blk *blk;
uint8_t header[4096];
size_t header_size;
size_t log_size;
uint16_t announced = RING;
struct picture *pictures;
unsigned int nb_pictures;

static char run_dir[] = "/tmp/vduse-unit-XXXXXX";

void
state_path(char *path, size_t size)
{
	snprintf(path, size, "%s/unit0.state", run_dir);
}

int
device_try(bool left)
{
	struct rte_vduse_blk_conf conf = {
		.size = sizeof(struct rte_vduse_blk_conf),
		.path = "/dev/vduse/unit0",
		.queues = 1,
		.queue_size = announced,
		.backend = "fault",
		.backend_args = "under=ram,size=64K",
		.socket_id = SOCKET_ID_ANY,
		.packed = true,
		.in_order = true,
		.inflight = true,
	};
	unsigned int i;

	loop = vduse_loopback_new();
	assert_non_null(loop);
	if (left)
		vduse_loopback_leave(loop, NULL);
	vduse_loopback_vq_size_max(loop, RING);
	vduse_loopback_set_features(loop, world->driver.features);
	for (i = 0; i < world->driver.nb_regions; i++) {
		const struct driver_region *region = &world->driver.regions[i];

		assert_int_equal(vduse_loopback_region_add(loop, region->first,
							   region->first + region->size - 1, 0,
							   VDUSE_ACCESS_RW, region->fd),
				 0);
	}
	return create_blk_over(&conf, &vduse_transport_loopback, loop, &blk);
}

void
device_create(bool left)
{
	assert_int_equal(device_try(left), 0);
}

void
device_destroy(void)
{
	rte_vduse_blk_destroy(blk);
	vduse_loopback_free(loop);
	blk = NULL;
}

void
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

void
device_ask(struct vduse_dev_request req)
{
	struct vduse_dev_response resp;

	assert_int_equal(vduse_loopback_ask(loop, &req, &resp, UNIT_PATIENCE_MS), 0);
	assert_int_equal(resp.result, VDUSE_REQ_RESULT_OK);
}

enum rte_vduse_vq_state
device_state(void)
{
	return rte_atomic_load_explicit(&rte_vduse_dev_vq(rte_vduse_blk_dev(blk), 0)->state,
					rte_memory_order_acquire);
}

void
device_restart(uint16_t index)
{
	device_create(true);
	device_set_vq(index);
	assert_int_equal(rte_vduse_blk_start(blk, RTE_VDUSE_ATTACH_NONE), 0);
	device_ask(vduse_loopback_memory_changed());
}

void
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

void
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

uint8_t
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

void
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

unsigned int
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

void
poll_until_done(void)
{
	unsigned int idle = 0;

	while (idle < 3) {
		(void)rte_vduse_blk_poll(blk, 0);
		idle = driver_receive() > 0 ? 0 : idle + 1;
	}
}

uint8_t
disk_byte(uint32_t sector)
{
	slot_post(0, VIRTIO_BLK_T_IN, sector, SECTOR);
	world->slots[0] = REQUESTS - 1;
	world->requests[REQUESTS - 1] = REQUEST_OUT;
	poll_until_done();
	assert_int_equal(world->requests[REQUESTS - 1], REQUEST_USED);
	return *(uint8_t *)slot_va(0, 1024);
}

void
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

void
state_keep(void)
{
	struct stat stat;
	char path[64];
	int fd;

	log_size = blk->queues[0].part.size;
	state_path(path, sizeof(path));
	fd = open(path, O_RDONLY);
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &stat), 0);
	header_size = (size_t)stat.st_size - log_size;
	assert_in_range(header_size, 1, sizeof(header));
	assert_int_equal(read(fd, header, header_size), (ssize_t)header_size);
	close(fd);
}

void
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
	memcpy(picture->log, blk->queues[0].part.data, log_size);
}

void
picture_restore(const struct picture *picture)
{
	unsigned int i;

	*world = picture->world;
	for (i = 0; i < 2; i++)
		memcpy(world->driver.regions[i].va, picture->memory[i],
		       world->driver.regions[i].size);
}

void
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

int
log_run_group(const char *name, const struct CMUnitTest *tests, size_t nb)
{
	int failed;

	if (unit_init() < 0 || mkdtemp(run_dir) == NULL)
		return EXIT_FAILURE;
	setenv("DPDK_VDUSE_RUN_DIR", run_dir, 1);
	failed = _cmocka_run_group_tests(name, tests, nb, NULL, NULL);
	(void)rmdir(run_dir);
	return unit_done(failed);
}
