/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* See loopback_ctrl.h. */
#include "loopback_ctrl.h"

#include <sched.h>
#include <string.h>
#include <sys/eventfd.h>

#include <rte_cycles.h>
#include <rte_vduse_compat.h>

/* Of the pool of a packet. */
#define CTRL_MBUFS 63u

/* Where things lie in the 4096 bytes of a head. */
#define SLOT     4096u
#define AT_ACK   2048u
#define AT_TABLE 2560u
#define DESCS    (1536u / 16)

#define STATUS_UP                                                                                  \
	(VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER | VIRTIO_CONFIG_S_FEATURES_OK |      \
	 VIRTIO_CONFIG_S_DRIVER_OK)

static void
ctrl_create(struct loopback_ctrl *self, uint16_t pairs, bool hash_report,
	    enum rte_vduse_net_steer steer)
{
	struct rte_vduse_net_conf conf = {
		.size = sizeof(conf),
		.path = "/dev/vduse/unit0",
		.pairs = pairs,
		.queue_size = CTRL_RING,
		.mac = { { 2, 0, 0, 0, 0, 1 } },
		.socket_id = SOCKET_ID_ANY,
		.offloads = UINT64_MAX,
		.ctrl_queue = true,
		.hash_report = hash_report,
		.steer = (uint8_t)steer,
	};

	conf.transport = &vduse_transport_loopback;
	conf.transport_priv = self->loop;
	assert_int_equal(rte_vduse_net_create(&conf, &self->net), 0);
	assert_int_equal(rte_vduse_net_start(self->net, RTE_VDUSE_ATTACH_NONE), 0);
}

void
loopback_ctrl_create_hash(struct loopback_ctrl *self, uint16_t pairs, bool hash_report,
			  enum rte_vduse_net_steer steer)
{
	memset(self, 0, sizeof(*self));
	self->loop = vduse_loopback_new();
	assert_non_null(self->loop);
	ctrl_create(self, pairs, hash_report, steer);
}

void
loopback_ctrl_create(struct loopback_ctrl *self, uint16_t pairs)
{
	loopback_ctrl_create_hash(self, pairs, false, RTE_VDUSE_NET_STEER_APP);
}

static void
ctrl_ask_status(struct loopback_ctrl *self, uint8_t status)
{
	struct vduse_dev_request req = { .type = VDUSE_SET_STATUS, .s.status = status };
	struct vduse_dev_response resp;

	assert_int_equal(vduse_loopback_ask(self->loop, &req, &resp, UNIT_PATIENCE_MS), 0);
	assert_int_equal(resp.result, VDUSE_REQ_RESULT_OK);
}

void
loopback_ctrl_reset(struct loopback_ctrl *self)
{
	const struct vduse_vq_info none = { 0 };
	unsigned int i;

	ctrl_ask_status(self, 0);
	vduse_loopback_regions_clear(self->loop);
	for (i = 0; self->up && i < self->nb_queues; i++) {
		vduse_loopback_set_vq(self->loop, self->indices[i], &none);
		driver_free(&self->queues[i]);
	}
	self->up = false;
}

void
loopback_ctrl_destroy(struct loopback_ctrl *self)
{
	loopback_ctrl_reset(self);
	rte_vduse_net_destroy(self->net);
	vduse_loopback_free(self->loop);
}

static void
ctrl_regions(struct loopback_ctrl *self, unsigned int queue)
{
	const struct driver *driver = &self->queues[queue];
	uint64_t end;
	unsigned int i;

	for (i = 0; i < driver->nb_regions; i++) {
		const struct driver_region *region = &driver->regions[i];

		end = region->first + region->size - 1;
		if (queue == CTRL_VQ && i == 0 && self->read_only) {
			/* The used ring is on a page of its own: see ctrl_vq_info(). */
			assert_int_equal(vduse_loopback_region_add(self->loop, region->first, end,
								   0, VDUSE_ACCESS_RO, region->fd),
					 0);
			continue;
		}
		assert_int_equal(vduse_loopback_region_add(self->loop, region->first, end, 0,
							   VDUSE_ACCESS_RW, region->fd),
				 0);
	}
}

static struct vduse_vq_info
ctrl_vq_info(struct loopback_ctrl *self, unsigned int queue)
{
	struct driver *driver = &self->queues[queue];
	struct vring_layout layout = driver_layout(driver);
	struct vduse_vq_info info = {
		.index = self->indices[queue],
		.num = layout.size,
		.desc_addr = layout.desc,
		.driver_addr = layout.driver,
		.device_addr = layout.device,
		.ready = 1,
	};

	if ((self->features & CTRL_PACKED) == 0) {
		info.split.avail_index = (uint16_t)layout.position;
	} else {
		info.packed.last_avail_idx = layout.position & 0x7fff;
		info.packed.last_avail_counter = layout.position >> 15 & 1;
		info.packed.last_used_idx = layout.position >> 16 & 0x7fff;
		info.packed.last_used_counter = layout.position >> 31;
	}
	if (queue == CTRL_VQ && self->read_only) {
		/* The last slot of the buffers holds what the device writes. */
		info.device_addr = driver->data + (uint64_t)(CTRL_RING - 1) * SLOT;
		driver->used = driver_va(driver, info.device_addr);
		driver->used->idx = driver->next;
	}
	return info;
}

static bool
ctrl_runs(void *arg)
{
	struct loopback_ctrl *self = arg;
	struct rte_vduse_vq *vq =
		rte_vduse_dev_vq(rte_vduse_net_dev(self->net), self->indices[CTRL_VQ]);

	return rte_vduse_net_link(self->net) &&
	       rte_atomic_load_explicit(&vq->state, rte_memory_order_acquire) ==
		       RTE_VDUSE_VQ_RUNNING;
}

/* Shows the rings and the features of the driver to the device. */
static void
ctrl_show(struct loopback_ctrl *self)
{
	struct vduse_vq_info info;
	unsigned int i;

	for (i = 0; i < self->nb_queues; i++) {
		info = ctrl_vq_info(self, i);
		vduse_loopback_set_vq(self->loop, self->indices[i], &info);
		ctrl_regions(self, i);
	}
	self->up = true;
	vduse_loopback_set_features(self->loop, self->features);
}

/* The rings of a new driver of a device of so many pairs. */
static void
ctrl_lay_out_rings(struct loopback_ctrl *self, uint16_t pairs, uint64_t features, uint16_t index)
{
	bool several = (features & VNET_CTRL_SEVERAL) != 0;
	unsigned int i;

	self->features = features;
	self->indices[CTRL_RX0] = 0;
	/* Without MQ there is no second pair: the test's second ring is on virtqueue 1. */
	self->indices[CTRL_RX1] = several ? 2 : 1;
	self->indices[CTRL_VQ] = several ? (uint16_t)(2 * pairs) : 2;
	self->nb_queues = self->whole ? CTRL_ALL_QUEUES : CTRL_QUEUES;
	for (i = CTRL_QUEUES; i < self->nb_queues; i++)
		self->indices[i] =
			(uint16_t)(i < CTRL_TX0 ? 2 * (i - CTRL_RX2 + 2) : 2 * (i - CTRL_TX0) + 1);
	for (i = 0; i < self->nb_queues; i++) {
		driver_init_shared_nth(&self->queues[i], i, CTRL_RING, features, index);
		self->next_desc[i] = 0;
	}
}

void
loopback_ctrl_come_up(struct loopback_ctrl *self)
{
	ctrl_show(self);
	ctrl_ask_status(self, STATUS_UP & ~VIRTIO_CONFIG_S_DRIVER_OK);
	ctrl_ask_status(self, STATUS_UP);
	assert_true(unit_wait(ctrl_runs, self));
}

void
loopback_ctrl_up(struct loopback_ctrl *self, uint64_t features, uint16_t index)
{
	loopback_ctrl_reset(self);
	ctrl_lay_out_rings(self, self->net->pairs, features, index);
	loopback_ctrl_come_up(self);
}

void
loopback_ctrl_prepare(struct loopback_ctrl *self, uint16_t pairs, uint64_t features)
{
	memset(self, 0, sizeof(*self));
	ctrl_lay_out_rings(self, pairs, features, 0);
}

void
loopback_ctrl_serve(struct loopback_ctrl *self, uint16_t pairs, bool hash_report,
		    enum rte_vduse_net_steer steer)
{
	self->loop = vduse_loopback_new();
	assert_non_null(self->loop);
	ctrl_create(self, pairs, hash_report, steer);
	loopback_ctrl_come_up(self);
}

void
loopback_ctrl_take_over(struct loopback_ctrl *self, uint16_t pairs, bool hash_report,
			enum rte_vduse_net_steer steer, const struct rte_vduse_left *left)
{
	self->loop = vduse_loopback_new();
	assert_non_null(self->loop);
	vduse_loopback_leave(self->loop, left);
	ctrl_show(self);
	ctrl_create(self, pairs, hash_report, steer);
	assert_true(unit_wait(ctrl_runs, self));
}

uint8_t *
loopback_ctrl_room(struct loopback_ctrl *self, uint16_t head)
{
	struct driver *driver = &self->queues[CTRL_VQ];

	return driver_va(driver, driver->data + (uint64_t)head * SLOT);
}

uint8_t *
loopback_ctrl_answer(struct loopback_ctrl *self, uint16_t head)
{
	return loopback_ctrl_room(self, head) + AT_ACK;
}

/* The descriptors of a command, in the room of its head. Returns how many. */
static uint16_t
ctrl_lay_out(const struct ctrl_request *request, uint64_t at, struct driver_part *parts)
{
	uint32_t step = request->step != 0 ? request->step : RTE_MAX(request->len, 1u), done;
	uint16_t nb = 0;

	for (done = 0; done < request->len; done += step) {
		assert_true(nb < DESCS);
		parts[nb++] =
			(struct driver_part){ at + done, RTE_MIN(step, request->len - done), 0 };
	}
	if (request->no_ack_desc && nb > 0)
		return nb;
	step = request->ack_step != 0 ? request->ack_step : RTE_MAX(request->ack, 1u);
	done = 0;
	do {
		assert_true(nb < DESCS);
		parts[nb++] = (struct driver_part){ at + AT_ACK + done,
						    RTE_MIN(step, request->ack - done),
						    request->ack_out ? 0 : VRING_DESC_F_WRITE };
		done += step;
	} while (done < request->ack);
	return nb;
}

/* An indirect table of these parts. */
static void
ctrl_table(const struct loopback_ctrl *self, void *at, const struct driver_part *parts, uint16_t nb)
{
	struct vring_packed_desc *packed = at;
	struct vring_desc *split = at;
	uint16_t i;

	for (i = 0; i < nb; i++) {
		if (self->features & CTRL_PACKED)
			packed[i] = (struct vring_packed_desc){ .addr = parts[i].iova,
								.len = parts[i].len,
								.flags = parts[i].flags };
		else
			split[i] = (struct vring_desc){
				.addr = parts[i].iova,
				.len = parts[i].len,
				.flags = (uint16_t)(parts[i].flags |
						    (i + 1 < nb ? VRING_DESC_F_NEXT : 0)),
				.next = (uint16_t)(i + 1),
			};
	}
}

static void
ctrl_kick(struct loopback_ctrl *self)
{
	int fd = vduse_loopback_kick_fd(self->loop, self->indices[CTRL_VQ]);

	assert_int_equal(eventfd_write(fd, 1), 0);
}

uint16_t
loopback_ctrl_post(struct loopback_ctrl *self, const struct ctrl_request *request)
{
	struct driver *driver = &self->queues[CTRL_VQ];
	/* With read_only the last slots are the used ring's. */
	uint16_t head = self->next_desc[CTRL_VQ] % (CTRL_RING - DESCS), descs[DESCS], nb, i;
	uint64_t at = driver->data + (uint64_t)head * SLOT;
	struct driver_part parts[DESCS];
	uint8_t *room = loopback_ctrl_room(self, head);

	memcpy(room, request->bytes, request->len);
	assert_in_range(request->ack, 0, AT_TABLE - AT_ACK - 1);
	memset(room + AT_ACK, CTRL_NO_ANSWER, AT_TABLE - AT_ACK);
	nb = ctrl_lay_out(request, at, parts);
	for (i = 0; i < nb; i++)
		descs[i] = (uint16_t)(head + i);
	if (request->indirect) {
		ctrl_table(self, room + AT_TABLE, parts, nb);
		parts[0] = (struct driver_part){ at + AT_TABLE, nb * 16u, VRING_DESC_F_INDIRECT };
		nb = 1;
	}
	self->next_desc[CTRL_VQ] = (uint16_t)((head + nb) % (CTRL_RING - DESCS));
	if (driver_post_chain(driver, descs, parts, nb))
		ctrl_kick(self);
	return head;
}

uint8_t
loopback_ctrl_take(struct loopback_ctrl *self, uint32_t *len)
{
	uint64_t end = rte_rdtsc() + 4 * UNIT_PATIENCE_MS / 1000 * rte_get_tsc_hz();
	uint32_t head;

	while (!driver_take(&self->queues[CTRL_VQ], &head, len)) {
		if (rte_rdtsc() > end)
			fail_msg("a command is not answered");
		sched_yield();
	}
	return loopback_ctrl_room(self, (uint16_t)head)[AT_ACK];
}

uint8_t
loopback_ctrl_command(struct loopback_ctrl *self, uint8_t class, uint8_t command, const void *data,
		      uint32_t len)
{
	uint8_t bytes[AT_ACK] = { class, command }, ack;
	struct ctrl_request request = { .bytes = bytes, .len = len + 2, .ack = 1 };
	uint32_t used;

	assert_in_range(len, 0, sizeof(bytes) - 2);
	if (len > 0)
		memcpy(bytes + 2, data, len);
	(void)loopback_ctrl_post(self, &request);
	ack = loopback_ctrl_take(self, &used);
	assert_int_equal(used, 1);
	return ack;
}

struct ctrl_state
loopback_ctrl_state(struct loopback_ctrl *self)
{
	const struct rte_vduse_net *net = self->net;
	struct ctrl_state state;

	/* After it, all that the control thread did is seen here. */
	unit_ctrl_turn();
	memset(&state, 0, sizeof(state));
	memcpy(&state.filter, &net->ctrl->now, sizeof(state.filter));
	state.pairs = net->ctrl->pairs;
	state.offloads = net->ctrl->guest_offloads;
	state.pairs_used = rte_atomic_load_explicit(&net->pairs_used, rte_memory_order_relaxed);
	/* What bursts to the driver read. */
	state.guest_offloads = net->queues[CTRL_RX0].offloads & VNET_GUEST_OFFLOADS;
	vduse_loopback_config(self->loop, 0, &state.config, sizeof(state.config));
	return state;
}

struct rte_mbuf *
loopback_ctrl_packet(const char *name, uint16_t len)
{
	struct rte_mempool *pool;
	struct rte_mbuf *packet;

	pool = rte_pktmbuf_pool_create(name, CTRL_MBUFS, 0, 0, 2048, SOCKET_ID_ANY);
	assert_non_null(pool);
	packet = rte_pktmbuf_alloc(pool);
	assert_non_null(packet);
	memset(rte_pktmbuf_append(packet, len), 2, len);
	return packet;
}

void
loopback_ctrl_packet_free(struct rte_mbuf *packet)
{
	struct rte_mempool *pool = packet->pool;

	rte_pktmbuf_free(packet);
	assert_int_equal(rte_mempool_avail_count(pool), CTRL_MBUFS);
	rte_mempool_free(pool);
}

bool
loopback_ctrl_receives(struct loopback_ctrl *self, uint16_t pair, struct rte_mbuf *packet)
{
	unsigned int queue = pair == 0 ? CTRL_RX0 : CTRL_RX1;
	struct driver *driver = &self->queues[queue];
	uint16_t desc = self->next_desc[queue]++ % CTRL_RING;
	struct driver_part part = { driver->data + (uint64_t)desc * SLOT, SLOT,
				    VRING_DESC_F_WRITE };
	uint32_t head, len;

	if (rte_vduse_net_tx_count(self->net, pair) == 0)
		(void)driver_post_chain(driver, &desc, &part, 1);
	(void)rte_vduse_net_tx_copy(self->net, pair, &packet, 1);
	return driver_take(driver, &head, &len);
}
