/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A process that serves a network device is killed, at every store to a ring that another process
 * can see, and a second one goes on. A child polls the device while this process lets it make one
 * instruction after the other, and keeps a picture of ring, buffers and state file whenever they
 * changed. From each picture a device is started again: what the driver saw as used stays used,
 * the rest is used once, and the ring goes on. A packed ring whose used descriptors were written in
 * part is refused instead, and no other ring is.
 * Input: both directions, split and packed rings. Output: pictures, and a device from each.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/virtio_net.h>

#include <rte_mbuf.h>
#include <rte_vduse_compat.h>

#include <net.h>
#include <transport_loopback.h>

#include "unit.h"
#include "vring_driver.h"

#define RING	 16u
#define SLOTS	 8u   /* chains that the driver has out at once: at most 2 descriptors each */
#define BURST	 8u
#define ROUNDS	 9u   /* of the child */
#define POSTED	 40u  /* chains of the child's */
#define MORE	 48u  /* and those after it: the ring turns twice */
#define FRESH	 128u /* number of the first packet that the second process sends */
#define RX_ROOM	 200u /* bytes of a buffer to receive into */
#define HDR	 ((uint32_t)sizeof(struct virtio_net_hdr_v1))
#define LEN_MAX	 400u

#define RX 0 /* virtqueues, as the driver sees them */
#define TX 1

#define BIT(nr) (UINT64_C(1) << (nr))
#define SPLIT                                                                                      \
	(BIT(VIRTIO_F_VERSION_1) | BIT(VIRTIO_F_ACCESS_PLATFORM) |                                 \
	 BIT(VIRTIO_RING_F_INDIRECT_DESC) | BIT(VIRTIO_NET_F_MRG_RXBUF))
#define PACKED	 (SPLIT | BIT(VIRTIO_F_RING_PACKED))
#define IN_ORDER BIT(VIRTIO_F_IN_ORDER)

#define STATUS_UP                                                                                  \
	(VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER | VIRTIO_CONFIG_S_FEATURES_OK |       \
	 VIRTIO_CONFIG_S_DRIVER_OK)

/* Instructions of a sanitizer's program are many: there a format begins at one place only. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define EVERYWHERE false
#else
#define EVERYWHERE true
#endif

/* What the driver knows, shared with the child, which plays both sides. */
struct world {
	struct driver driver;
	uint16_t descs[RING]; /* driver.packed's */
	uint16_t order[RING];
	uint16_t queue;        /* RX or TX */
	uint32_t posted;       /* chains so far */
	uint32_t taken;        /* of them; they come back in order */
	uint32_t slots[SLOTS]; /* 1 + the chain that each has out, or 0 */
	uint32_t received;     /* RX: number of the packet that comes next */
	uint32_t parts;        /* of that packet, still to come */
	uint32_t got;          /* bytes of it */
	uint8_t packet[2 * LEN_MAX];
	uint32_t polled;       /* number of the packet that the device handles next */
	bool device;           /* the device's turn: what changes is its doing */
};

/* All that outlives a process. */
struct picture {
	struct world world;
	uint8_t *memory[2];
	uint8_t file[4 * 4096];
	size_t file_size;
};

static struct world *world;
static struct vduse_loopback *loop;
static struct rte_vduse_net *net;
static struct rte_mempool *pool;
static struct picture *pictures;
static unsigned int nb_pictures;
static char run_dir[] = "/tmp/vduse-unit-XXXXXX";

static bool
is_packed(void)
{
	return driver_has(&world->driver, VIRTIO_F_RING_PACKED);
}

/* Packets: length and bytes follow from the number, in few instructions: the child steps. */
static uint32_t
packet_len(uint32_t number)
{
	return 60 + number * 37 % (LEN_MAX - 60);
}

static void
packet_fill(uint8_t *bytes, uint32_t number)
{
	memset(bytes, (int)number, packet_len(number));
}

static void
packet_is(const uint8_t *bytes, uint32_t len, uint32_t number)
{
	uint8_t expected[LEN_MAX];

	packet_fill(expected, number);
	assert_int_equal(len, packet_len(number));
	assert_memory_equal(bytes, expected, len);
}

/* The driver. The memory of a slot: header and packet, and a table behind them. */
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

/* A chain of two descriptors, of one, of two, and of two in a table. */
static void
slot_post(unsigned int slot, uint32_t len)
{
	uint16_t flags = world->queue == RX ? VRING_DESC_F_WRITE : 0, i;
	uint16_t descs[2] = { (uint16_t)(2 * slot), (uint16_t)(2 * slot + 1) };
	struct driver_part parts[2] = {
		{ slot_iova(slot, 0), slot % 4 == 1 ? len : HDR, flags },
		{ slot_iova(slot, HDR), len - HDR, flags },
	};
	struct driver_part whole = { slot_iova(slot, 3072), 32, VRING_DESC_F_INDIRECT };
	struct vring_desc *table = slot_va(slot, 3072);

	if (slot % 4 != 3) {
		driver_post_chain(&world->driver, descs, parts, slot % 4 == 1 ? 1 : 2);
		return;
	}
	for (i = 0; i < 2; i++) {
		uint16_t more = i == 0 ? VRING_DESC_F_NEXT : 0;

		/* In a packed ring they follow one another, and flags stand last. */
		table[i] = (struct vring_desc){
			.addr = parts[i].iova,
			.len = parts[i].len,
			.flags = is_packed() ? 0 : flags | more,
			.next = is_packed() ? flags : (uint16_t)(i + 1),
		};
	}
	driver_post_chain(&world->driver, descs, &whole, 1);
}

static void
driver_send(uint32_t until)
{
	unsigned int slot;

	for (slot = 0; slot < SLOTS && world->posted < until; slot++) {
		if (world->slots[slot] != 0)
			continue;
		if (world->queue == TX) {
			memset(slot_va(slot, 0), 0, HDR);
			packet_fill(slot_va(slot, HDR), world->posted);
			slot_post(slot, HDR + packet_len(world->posted));
		} else {
			memset(slot_va(slot, 0), 0xee, RX_ROOM);
			slot_post(slot, RX_ROOM);
		}
		world->slots[slot] = ++world->posted;
	}
}

/* A buffer with a packet, or a part of one. */
static void
driver_receive_part(unsigned int slot, uint32_t len)
{
	const struct virtio_net_hdr_v1 *hdr = slot_va(slot, 0);

	assert_in_range(len, 1, RX_ROOM);
	if (world->parts == 0) {
		world->parts = hdr->num_buffers;
		world->got = 0;
		assert_in_range(world->parts, 1, SLOTS);
	}
	assert_in_range(world->got + len, 1, sizeof(world->packet));
	memcpy(world->packet + world->got, slot_va(slot, 0), len);
	world->got += len;
	if (--world->parts == 0)
		packet_is(world->packet + HDR, world->got - HDR, world->received++);
}

static void
driver_receive(void)
{
	uint32_t head, len;

	while (driver_take(&world->driver, &head, &len)) {
		unsigned int slot = head / 2;

		assert_int_equal(head % 2, 0);
		assert_in_range(slot, 0, SLOTS - 1);
		/* What is used twice has no chain, or another one than the oldest. */
		assert_int_equal(world->slots[slot], ++world->taken);
		world->slots[slot] = 0;
		if (world->queue == RX)
			driver_receive_part(slot, len);
	}
	/* A packet is shown whole. */
	assert_int_equal(world->parts, 0);
}

/* The device. */
static void
device_take_packets(uint16_t nb)
{
	struct rte_mbuf *mbufs[BURST];
	uint16_t i;

	nb = rte_vduse_net_rx_burst(net, 0, pool, mbufs, nb);
	for (i = 0; i < nb; i++) {
		packet_is(rte_pktmbuf_mtod(mbufs[i], const uint8_t *), mbufs[i]->pkt_len,
			  world->polled++);
		rte_pktmbuf_free(mbufs[i]);
	}
}

static void
device_give_packets(uint16_t nb)
{
	struct rte_mbuf *mbufs[BURST];
	uint16_t i, sent;

	for (i = 0; i < nb; i++) {
		uint32_t number = world->polled + i;

		mbufs[i] = rte_pktmbuf_alloc(pool);
		assert_non_null(mbufs[i]);
		packet_fill((void *)rte_pktmbuf_append(mbufs[i], (uint16_t)packet_len(number)),
			    number);
	}
	sent = rte_vduse_net_tx_burst(net, 0, mbufs, nb);
	world->polled += sent;
	rte_pktmbuf_free_bulk(mbufs + sent, nb - sent);
}

static void
device_poll(uint16_t nb)
{
	if (world->queue == TX)
		device_take_packets(nb);
	else
		device_give_packets(nb);
}

static void
device_create(bool left)
{
	struct rte_vduse_net_conf conf = {
		.path = "/dev/vduse/unit0",
		.pairs = 1,
		.queue_size = RING,
		.mac = { { 2, 0, 0, 0, 0, 1 } },
		.socket_id = SOCKET_ID_ANY,
	};
	unsigned int i;

	loop = vduse_loopback_new();
	assert_non_null(loop);
	if (left)
		vduse_loopback_leave(loop, NULL);
	vduse_loopback_set_features(loop, world->driver.features);
	for (i = 0; i < world->driver.nb_regions; i++) {
		const struct driver_region *region = &world->driver.regions[i];

		assert_int_equal(vduse_loopback_region_add(loop, region->first,
							   region->first + region->size - 1, 0,
							   VDUSE_ACCESS_RW, region->fd), 0);
	}
	assert_int_equal(vnet_create(&conf, &vduse_transport_loopback, loop, &net), 0);
}

static void
device_destroy(void)
{
	rte_vduse_net_destroy(net);
	vduse_loopback_free(loop);
	net = NULL;
}

/* What the transport says of the ring: its position is that of its beginning. */
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

	if (is_packed()) {
		info.packed.last_avail_counter = index < RING;
		info.packed.last_used_counter = index < RING;
		info.packed.last_avail_idx = index % RING;
		info.packed.last_used_idx = index % RING;
	} else {
		info.split.avail_index = index;
	}
	vduse_loopback_set_vq(loop, world->queue, &info);
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
	return rte_atomic_load_explicit(&net->queues[world->queue].vq->state,
					rte_memory_order_acquire);
}

/* A new driver on new memory, its ring at an index (packed: a place), and a device. */
static void
world_begin(uint16_t queue, uint64_t features, uint16_t index)
{
	struct vduse_dev_request up = { .type = VDUSE_SET_STATUS, .s.status = STATUS_UP };

	world = mmap(NULL, sizeof(*world), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		     0);
	assert_ptr_not_equal(world, MAP_FAILED);
	world->queue = queue;
	driver_init_shared(&world->driver, RING, features, index);
	/* The child's are this process's, too. */
	free(world->driver.packed.descs);
	free(world->driver.packed.order);
	world->driver.packed.descs = world->descs;
	world->driver.packed.order = world->order;
	device_create(false);
	device_set_vq(index);
	assert_int_equal(rte_vduse_net_start(net, RTE_VDUSE_ATTACH_NONE), 0);
	device_ask(up);
	device_ask(vduse_loopback_memory_changed());
	assert_int_equal(device_state(), RTE_VDUSE_VQ_RUNNING);
}

static void
world_end(void)
{
	for (; nb_pictures > 0; nb_pictures--) {
		free(pictures[nb_pictures - 1].memory[0]);
		free(pictures[nb_pictures - 1].memory[1]);
	}
	free(pictures);
	pictures = NULL;
	world->driver.packed.descs = NULL;
	world->driver.packed.order = NULL;
	driver_free(&world->driver);
	munmap(world, sizeof(*world));
}

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
picture_restore(const struct picture *picture)
{
	int fd = state_open(O_WRONLY | O_CREAT | O_TRUNC);
	unsigned int i;

	*world = picture->world;
	for (i = 0; i < 2; i++)
		memcpy(world->driver.regions[i].va, picture->memory[i],
		       world->driver.regions[i].size);
	assert_int_equal(write(fd, picture->file, picture->file_size),
			 (ssize_t)picture->file_size);
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
		driver_receive();
		driver_send(POSTED);
		world->device = true;
		device_poll((uint16_t)(1 + round * 3 % BURST));
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

/* Lets a child go on instruction by instruction, and keeps what it leaves on the way. */
static void
take_pictures(void)
{
	const uint8_t *noted = net->queues[world->queue].part.data;
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
		if (world->device && picture_differs(&pictures[nb_pictures - 1], kept, noted,
						    sizeof(kept)))
			picture_take();
		assert_int_equal(ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL), 0);
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

	if (!is_packed())
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
	driver_receive();
	world->polled = world->queue == TX ? world->taken : FRESH;
	world->received = FRESH;
	for (round = 0; world->taken < until && round < 4 * MORE; round++) {
		driver_send(world->queue == TX ? until : UINT32_MAX);
		device_poll(world->queue == TX ? BURST : 1);
		driver_receive();
	}
	assert_true(world->taken >= until);
	if (world->queue == TX)
		assert_int_equal(world->polled, until);
	else
		assert_int_equal(world->polled, world->received);
	assert_int_equal(device_state(), RTE_VDUSE_VQ_RUNNING);
}

/* How a run goes on from one picture. eager: the driver has taken and sent before. */
static bool
recover(const struct picture *picture, uint16_t index, bool eager)
{
	uint32_t taken;
	bool torn;

	picture_restore(picture);
	driver_receive();
	torn = ring_is_torn();
	if (eager)
		driver_send(UINT32_MAX);
	else
		*world = picture->world;
	unit_log_clear();
	device_create(true);
	device_set_vq(index);
	assert_int_equal(rte_vduse_net_start(net, RTE_VDUSE_ATTACH_NONE), 0);
	device_ask(vduse_loopback_memory_changed());
	assert_int_equal(unit_log_count("was left while it was written"), torn);
	if (torn) {
		assert_int_equal(device_state(), RTE_VDUSE_VQ_ERROR);
		/* It is left as it is. */
		driver_receive();
		taken = world->taken;
		device_poll(BURST);
		driver_receive();
		assert_int_equal(world->taken, taken);
	} else {
		assert_int_equal(device_state(), RTE_VDUSE_VQ_RUNNING);
		assert_true(vduse_loopback_calls(loop, world->queue) > 0);
		expect_served();
	}
	device_destroy();
	return torn;
}

static void
every_store(uint16_t queue, uint64_t features, uint16_t index)
{
	unsigned int i, torn = 0;
	bool packed;

	world_begin(queue, features, index);
	take_pictures();
	device_destroy();
	packed = is_packed();
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
	pool = rte_pktmbuf_pool_create("kill", 255, 0, 0, RTE_PKTMBUF_HEADROOM + LEN_MAX,
				       SOCKET_ID_ANY);
	failed = pool == NULL || cmocka_run_group_tests(tests, NULL, NULL) != 0;
	(void)rmdir(run_dir);
	return unit_done(failed);
}
