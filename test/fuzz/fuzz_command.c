/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* See fuzz_command.h. */
#include "fuzz_command.h"

#include <string.h>

#include <linux/virtio_config.h>
#include <linux/virtio_net.h>
#include <linux/virtio_ring.h>

#include <rte_byteorder.h>
#include <rte_common.h>
#include <rte_ether.h>

#include <virtio_net/ctrl.h>

/* Numbers at the ends of addresses and of VLANs: few, so that frames meet commands. */
#define STATIONS 4

static void
put(struct fuzz_command *command, const void *from, uint32_t len)
{
	fuzz_check(len <= sizeof(command->bytes) - command->len, "a command of %u bytes",
		   command->len + len);
	memcpy(command->bytes + command->len, from, len);
	command->len += len;
}

static void
put_16(struct fuzz_command *command, uint16_t value)
{
	value = rte_cpu_to_le_16(value);
	put(command, &value, sizeof(value));
}

static void
put_32(struct fuzz_command *command, uint32_t value)
{
	value = rte_cpu_to_le_32(value);
	put(command, &value, sizeof(value));
}

static void
put_64(struct fuzz_command *command, uint64_t value)
{
	value = rte_cpu_to_le_64(value);
	put(command, &value, sizeof(value));
}

static void
put_header(struct fuzz_command *command, uint8_t class, uint8_t number)
{
	put(command, &class, sizeof(class));
	put(command, &number, sizeof(number));
}

/* What is known of the answer, unless the command is damaged later. */
static void
command_known(struct fuzz_command *command, uint8_t feature, bool valid)
{
	command->known = true;
	command->valid = valid;
	command->feature = feature;
}

/* Of a station, of a group, or everybody. */
static struct rte_ether_addr
command_address(uint8_t which)
{
	struct rte_ether_addr address = { { which & 0x40 ? 1 : 2, 0, 0, 0, 0, which % STATIONS } };

	if (which & 0x80)
		memset(&address, 0xff, sizeof(address));
	return address;
}

static void
command_rx(struct fuzz_command *command, struct fuzz_input *in)
{
	uint8_t how = fuzz_u8(in), on = how >> 4 & 3;

	/* On is 0 or 1; one value of four is wrong, and two of eight commands are unknown. */
	on = on == 3 ? how : on & 1;
	put_header(command, VIRTIO_NET_CTRL_RX, how % 8);
	put(command, &on, sizeof(on));
	command_known(command,
		      how % 8 <= VIRTIO_NET_CTRL_RX_ALLMULTI ? VIRTIO_NET_F_CTRL_RX
							     : VIRTIO_NET_F_CTRL_RX_EXTRA,
		      how % 8 < VNET_RX_MODES && on <= 1);
}

static void
command_macs(struct fuzz_command *command, struct fuzz_input *in)
{
	uint8_t group, i;

	put_header(command, VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_TABLE_SET);
	command_known(command, VIRTIO_NET_F_CTRL_RX, true);
	for (group = 0; group < 2; group++) {
		uint8_t nb = fuzz_u8(in), first = fuzz_u8(in);

		/* Few, or about as many as are compared. */
		nb = nb & 0x80 ? (uint8_t)(VNET_MACS_MAX - 4 + nb % 8) : nb % 8;
		put_32(command, nb);
		for (i = 0; i < nb; i++) {
			struct rte_ether_addr address =
				command_address((uint8_t)((first + i) % STATIONS | group << 6));

			put(command, &address, sizeof(address));
		}
	}
}

static void
command_mac(struct fuzz_command *command, struct fuzz_input *in)
{
	struct rte_ether_addr address = command_address(fuzz_u8(in));

	put_header(command, VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_ADDR_SET);
	put(command, &address, sizeof(address));
	command_known(command, VIRTIO_NET_F_CTRL_MAC_ADDR,
		      rte_is_valid_assigned_ether_addr(&address));
}

static void
command_vlan(struct fuzz_command *command, struct fuzz_input *in)
{
	uint8_t how = fuzz_u8(in);
	uint16_t id = how & 0x80 ? fuzz_u16(in) : how / 2 % STATIONS;

	put_header(command, VIRTIO_NET_CTRL_VLAN, how % 2);
	put_16(command, id);
	command_known(command, VIRTIO_NET_F_CTRL_VLAN, id < VNET_VLANS);
}

static void
command_announce(struct fuzz_command *command, struct fuzz_input *in)
{
	RTE_SET_USED(in);
	put_header(command, VIRTIO_NET_CTRL_ANNOUNCE, VIRTIO_NET_CTRL_ANNOUNCE_ACK);
}

static void
command_key(struct fuzz_command *command, struct fuzz_input *in)
{
	uint8_t len = fuzz_u8(in), key[UINT8_MAX], first = fuzz_u8(in), i;

	len = len & 0x80 ? len : len % (VNET_HASH_KEY_MAX + 1);
	for (i = 0; i < len; i++)
		key[i] = (uint8_t)(first * (i + 1u) + i);
	put(command, &len, sizeof(len));
	put(command, key, len);
}

/* Types of hashes: often some that the device has. */
static void
command_types(struct fuzz_command *command, struct fuzz_input *in)
{
	uint8_t types = fuzz_u8(in);

	put_32(command, types & 0x80 ? fuzz_u32(in) : types & VNET_HASH_TYPES);
}

/* The pairs of the table follow one another, apart from one that may be anything. */
static void
command_rss(struct fuzz_command *command, struct fuzz_input *in, uint16_t pairs)
{
	uint8_t shape = fuzz_u8(in), step = fuzz_u8(in), odd = fuzz_u8(in);
	uint16_t mask = (uint16_t)((1u << shape % 9) - 1), i;

	put_header(command, VIRTIO_NET_CTRL_MQ, VIRTIO_NET_CTRL_MQ_RSS_CONFIG);
	command_types(command, in);
	put_16(command, shape & 0x80 ? fuzz_u16(in) : mask);
	put_16(command, shape & 0x40 ? odd : step % pairs);
	for (i = 0; i <= mask; i++)
		put_16(command, (uint16_t)((i * step + odd) % pairs));
	if (shape & 0x20)
		memset(command->bytes + command->len - 2 - odd % (mask + 1u) * 2, step, 2);
	put_16(command, shape & 0x10 ? fuzz_u16(in) : odd % pairs + 1);
	command_key(command, in);
}

static void
command_hash(struct fuzz_command *command, struct fuzz_input *in)
{
	put_header(command, VIRTIO_NET_CTRL_MQ, VIRTIO_NET_CTRL_MQ_HASH_CONFIG);
	command_types(command, in);
	put_64(command, 0);
	command_key(command, in);
}

static void
command_offloads(struct fuzz_command *command, struct fuzz_input *in)
{
	uint8_t how = fuzz_u8(in), i, nr;
	uint64_t offloads = 0;

	/* Each bit of the input is one of those that may be switched. */
	for (i = 0, nr = 0; nr < 64; nr++)
		if (VNET_GUEST_OFFLOADS >> nr & 1)
			offloads |= (uint64_t)(how >> i++ & 1) << nr;
	if (how & 0x80)
		offloads ^= UINT64_C(1) << fuzz_u8(in) % 64;
	put_header(command, VIRTIO_NET_CTRL_GUEST_OFFLOADS, VIRTIO_NET_CTRL_GUEST_OFFLOADS_SET);
	put_64(command, offloads);
}

static void
command_coal(struct fuzz_command *command, struct fuzz_input *in, uint16_t pairs)
{
	uint8_t how = fuzz_u8(in), number = how % 4;

	put_header(command, VIRTIO_NET_CTRL_NOTF_COAL, number);
	if (number >= VIRTIO_NET_CTRL_NOTF_COAL_VQ_SET) {
		put_16(command, (uint16_t)(how / 4 % (2 * pairs + 2)));
		put_16(command, 0);
	}
	if (number == VIRTIO_NET_CTRL_NOTF_COAL_VQ_GET)
		return;
	put_32(command, how & 0x80 ? fuzz_u32(in) : fuzz_u8(in));
	put_32(command, how & 0x40 ? fuzz_u32(in) : fuzz_u16(in));
	if (number < VIRTIO_NET_CTRL_NOTF_COAL_VQ_SET)
		command_known(command, VIRTIO_NET_F_NOTF_COAL, true);
}

static void
command_stats(struct fuzz_command *command, struct fuzz_input *in, uint16_t pairs)
{
	uint8_t how = fuzz_u8(in), first = fuzz_u8(in), i;
	uint16_t index;

	put_header(command, VIRTIO_NET_CTRL_STATS, how & 1);
	for (i = 0; (how & 1) && i < how / 2 % 16; i++) {
		index = (uint16_t)((first + i) % (2 * pairs + 1));
		put_16(command, index);
		put(command, "\0\0\0\0\0", 6);
		if (how & 0x40)
			put_64(command, UINT64_C(1) << fuzz_u8(in) % 64);
		else if (index == 2 * pairs)
			put_64(command, VNET_STATS_TYPE(CVQ));
		else
			put_64(command,
			       index % 2 ? VNET_STATS_TYPE(TX_BASIC) : VNET_STATS_TYPE(RX_BASIC));
	}
}

/* Bytes of any kind. */
static void
command_raw(struct fuzz_command *command, struct fuzz_input *in)
{
	uint8_t bytes[32], len = fuzz_u8(in) % (sizeof(bytes) + 1);

	fuzz_bytes(in, bytes, len);
	put(command, bytes, len);
}

static void
command_pairs(struct fuzz_command *command, struct fuzz_input *in, uint16_t pairs)
{
	uint8_t how = fuzz_u8(in);
	uint16_t wanted = how & 0x80 ? fuzz_u16(in) : (uint16_t)(how % (pairs + 2));

	put_header(command, VIRTIO_NET_CTRL_MQ, VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET);
	put_16(command, wanted);
	command_known(command, VIRTIO_NET_F_MQ, wanted >= 1 && wanted <= pairs);
}

/* Damages a command: a byte, its end, more after its end. */
static void
command_change(struct fuzz_command *command, struct fuzz_input *in)
{
	uint8_t how = fuzz_u8(in), more = fuzz_u8(in);
	uint16_t at = fuzz_u16(in);

	if (command->len > 0 && (how & 1))
		command->bytes[at % command->len] ^= more;
	if (command->len > 0 && (how & 2))
		command->len = at % command->len;
	if (how & 4) {
		more = (uint8_t)RTE_MIN((uint32_t)more, FUZZ_COMMAND_MAX - command->len);
		memset(command->bytes + command->len, how, more);
		command->len += more;
	}
}

void
fuzz_command_read(struct fuzz_command *command, struct fuzz_input *in, uint16_t pairs)
{
	static void (*const simple[])(struct fuzz_command * to, struct fuzz_input * from) = {
		command_rx,   command_rx,       command_macs, command_mac,      command_vlan,
		command_vlan, command_announce, command_hash, command_offloads, command_raw,
	};
	static void (*const paired[])(struct fuzz_command * to, struct fuzz_input * from,
				      uint16_t nb) = {
		command_pairs, command_rss, command_rss, command_coal, command_coal, command_stats,
	};
	uint8_t which = fuzz_u8(in), kind = which % 16;

	command->len = 0;
	command->known = false;
	if (kind < RTE_DIM(simple))
		simple[kind](command, in);
	else
		paired[kind - RTE_DIM(simple)](command, in, pairs);
	if ((which & 0xe0) == 0xe0) {
		command_change(command, in);
		command->known = false;
	}
}

/* What is known of a command of these bytes. */
static void
command_know(struct fuzz_command *command, uint16_t pairs)
{
	uint8_t number = command->bytes[1];
	const uint8_t *data = command->bytes + 2;
	uint16_t word = (uint16_t)(data[0] | data[1] << 8);
	struct rte_ether_addr address;

	if (command->len < 2)
		return;
	switch (command->bytes[0]) {
	case VIRTIO_NET_CTRL_RX:
		command_known(command,
			      number <= VIRTIO_NET_CTRL_RX_ALLMULTI ? VIRTIO_NET_F_CTRL_RX
								    : VIRTIO_NET_F_CTRL_RX_EXTRA,
			      number < VNET_RX_MODES && command->len == 3 && data[0] <= 1);
		return;
	case VIRTIO_NET_CTRL_MAC:
		memcpy(&address, data, sizeof(address));
		if (number == VIRTIO_NET_CTRL_MAC_ADDR_SET)
			command_known(command, VIRTIO_NET_F_CTRL_MAC_ADDR,
				      command->len == 2 + sizeof(address) &&
					      rte_is_valid_assigned_ether_addr(&address));
		return;
	case VIRTIO_NET_CTRL_VLAN:
		command_known(command, VIRTIO_NET_F_CTRL_VLAN,
			      number <= VIRTIO_NET_CTRL_VLAN_DEL && command->len == 4 &&
				      word < VNET_VLANS);
		return;
	case VIRTIO_NET_CTRL_MQ:
		if (number == VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET)
			command_known(command, VIRTIO_NET_F_MQ,
				      command->len == 4 && word >= 1 && word <= pairs);
		return;
	default:
		return;
	}
}

void
fuzz_command_read_raw(struct fuzz_command *command, struct fuzz_input *in, uint16_t pairs)
{
	uint16_t len = fuzz_u8(in);

	/* All the rest, or as many bytes as most commands have. */
	if (len == UINT8_MAX)
		len = (uint16_t)RTE_MIN(in->left, sizeof(command->bytes));
	command->known = false;
	command->len = len;
	memset(command->bytes, 0, 2 + RTE_ETHER_ADDR_LEN);
	fuzz_bytes(in, command->bytes, len);
	command_know(command, pairs);
}

uint8_t
fuzz_command_ack(const struct fuzz_command *command, uint64_t features)
{
	if (!command->known)
		return FUZZ_NO_ANSWER;
	return command->valid && (features >> command->feature & 1) != 0 ? VIRTIO_NET_OK
									 : VIRTIO_NET_ERR;
}

bool
fuzz_command_is(const struct fuzz_command *command, uint8_t class, uint8_t number)
{
	return command->len >= 2 && command->bytes[0] == class && command->bytes[1] == number;
}

bool
fuzz_requests_post(struct fuzz_requests *requests, struct fuzz_ring *ring,
		   const struct fuzz_command *command, uint64_t at, uint8_t shape, uint8_t step)
{
	static const uint16_t rooms[8] = { 1, 1, 1, 9, 8, 64, FUZZ_ANSWER_MAX, 0 };
	struct fuzz_piece pieces[FUZZ_PIECES];
	struct fuzz_request request = { .answer = at + FUZZ_COMMAND_ANSWER,
					.room = rooms[shape % 8],
					.used_len = FUZZ_LEN_UNKNOWN };
	uint8_t *bytes = fuzz_memory_at(ring->memory, at, FUZZ_COMMAND_ANSWER + FUZZ_ANSWER_MAX);
	unsigned int nb, first = 0;

	request.ack = fuzz_command_ack(command, ring->features);
	request.coal_get = fuzz_command_is(command, VIRTIO_NET_CTRL_NOTF_COAL,
					   VIRTIO_NET_CTRL_NOTF_COAL_VQ_GET);
	if (bytes != NULL) {
		memcpy(bytes, command->bytes, command->len);
		memset(bytes + FUZZ_COMMAND_ANSWER, FUZZ_NO_ANSWER, FUZZ_ANSWER_MAX);
	}
	nb = fuzz_ring_split(pieces, 10, at, command->len, step % 16, false);
	/* Without a piece for the answer, or with all pieces in the wrong order. */
	if ((shape & 0xc0) == 0xc0)
		request.room = 0;
	else
		nb += fuzz_ring_split(pieces + nb, 5, request.answer, request.room, step >> 4,
				      true);
	if ((shape & 0xe0) == 0xa0) {
		pieces[nb] = pieces[0];
		first = 1;
	}
	if (!fuzz_ring_post(ring, pieces + first, nb, (shape & 8) != 0))
		return false;
	request.head = ring->order[(ring->posted - 1) % ring->room];
	requests->all[requests->nb++] = request;
	return true;
}

void
fuzz_requests_take(struct fuzz_requests *requests, struct fuzz_ring *ring, bool honest)
{
	struct fuzz_request *request = requests->all, *end = request + requests->nb;
	enum fuzz_taken taken;
	uint32_t head, len;

	while ((taken = fuzz_ring_take(ring, &head, &len)) == FUZZ_TAKEN)
		for (request = requests->all; request < end; request++)
			if (request->head == head)
				request->used_len = len;
	if (honest) {
		fuzz_check(taken != FUZZ_TAKEN_WRONG, "chain %u was used twice or not posted",
			   head);
		fuzz_check(ring->packed ? ring->in_ring == 0 : ring->nb_free == ring->room,
			   "a command of %u is not used", requests->nb);
	}
	for (request = requests->all; honest && request < end; request++) {
		fuzz_check(request->used_len != FUZZ_LEN_UNKNOWN ||
				   (ring->features & FUZZ_BIT(VIRTIO_F_IN_ORDER)),
			   "command %td is not used", request - requests->all);
		fuzz_request_check(request, ring->memory);
	}
	requests->nb = 0;
}

uint64_t
fuzz_command_features(struct fuzz_input *in, uint64_t offered)
{
	static const uint8_t bits[16] = {
		VIRTIO_F_RING_PACKED,
		VIRTIO_F_IN_ORDER,
		VIRTIO_RING_F_EVENT_IDX,
		VIRTIO_NET_F_MRG_RXBUF,
		VIRTIO_NET_F_CTRL_RX,
		VIRTIO_NET_F_CTRL_RX_EXTRA,
		VIRTIO_NET_F_CTRL_VLAN,
		VIRTIO_NET_F_CTRL_MAC_ADDR,
		VIRTIO_NET_F_MQ,
		VIRTIO_NET_F_RSS,
		VIRTIO_NET_F_HASH_REPORT,
		VIRTIO_NET_F_NOTF_COAL,
		VIRTIO_NET_F_VQ_NOTF_COAL,
		VIRTIO_NET_F_DEVICE_STATS,
		VIRTIO_RING_F_INDIRECT_DESC,
		VIRTIO_NET_F_CTRL_GUEST_OFFLOADS,
	};
	uint16_t without = fuzz_u16(in);
	uint8_t odd = fuzz_u8(in);
	unsigned int i;

	for (i = 0; i < RTE_DIM(bits); i++)
		if (without & 1 << i)
			offered &= ~FUZZ_BIT(bits[i]);
	if (odd & 0x80)
		offered ^= FUZZ_BIT(odd % 64);
	return offered;
}

void
fuzz_request_check(const struct fuzz_request *request, const struct fuzz_memory *memory)
{
	const uint8_t *bytes = fuzz_memory_at(memory, request->answer, request->room);
	const uint32_t data = sizeof(struct vnet_coal_params);
	bool after = request->coal_get && request->room > data;
	uint32_t len = request->used_len, i;

	if (request->room == 0 || bytes == NULL)
		return;
	fuzz_check(request->ack == FUZZ_NO_ANSWER || bytes[0] == request->ack,
		   "answer 0x%x instead of 0x%x", bytes[0], request->ack);
	/* With in-order the device tells the lengths of some only. */
	if (len == FUZZ_LEN_UNKNOWN) {
		fuzz_check(bytes[0] <= VIRTIO_NET_ERR || (after && bytes[data] <= VIRTIO_NET_ERR),
			   "no answer");
		return;
	}
	fuzz_check(len > 0 && len <= request->room, "%u bytes in room for %u", len, request->room);
	after = after && len == data + 1;
	fuzz_check(bytes[after ? data : 0] <= VIRTIO_NET_ERR, "answer 0x%x",
		   bytes[after ? data : 0]);
	for (i = len; i < request->room; i++)
		fuzz_check(bytes[i] == FUZZ_NO_ANSWER, "byte %u is written, after the length of %u",
			   i, len);
}

struct fuzz_frame
fuzz_command_frame(struct fuzz_input *in, uint8_t *at, uint32_t len)
{
	uint8_t kind = fuzz_u8(in), dst = fuzz_u8(in), flow = fuzz_u8(in), *l3;
	struct fuzz_frame frame = { .l2 = RTE_ETHER_HDR_LEN,
				    .ipv6 = (kind & 1) != 0,
				    .udp = (kind & 2) != 0 };
	struct rte_ether_addr address = command_address(dst);
	uint16_t type = frame.ipv6 ? RTE_ETHER_TYPE_IPV6 : RTE_ETHER_TYPE_IPV4, be;

	memset(at, 0, len);
	memcpy(at, &address, sizeof(address));
	if (kind & 4) {
		be = RTE_BE16(RTE_ETHER_TYPE_VLAN);
		memcpy(at + 12, &be, sizeof(be));
		at[15] = (uint8_t)(flow % STATIONS);
		frame.l2 += RTE_VLAN_HLEN;
	}
	be = rte_cpu_to_be_16(type);
	memcpy(at + frame.l2 - sizeof(be), &be, sizeof(be));
	l3 = at + frame.l2;
	frame.l3 = frame.ipv6 ? 40 : 20;
	frame.l4 = frame.udp ? 8 : 20;
	l3[0] = frame.ipv6 ? 0x60 : 0x45;
	be = rte_cpu_to_be_16((uint16_t)(len - frame.l2 - (frame.ipv6 ? 40 : 0)));
	memcpy(l3 + (frame.ipv6 ? 4 : 2), &be, sizeof(be));
	/* One protocol of four has no ports. */
	l3[frame.ipv6 ? 6 : 9] = (kind & 0x18) == 0x18 ? flow : frame.udp ? 17 : 6;
	l3[frame.l3 - 1] = flow;
	l3[frame.l3 + 1] = (uint8_t)(flow >> 2);
	if (!frame.udp)
		l3[frame.l3 + 12] = 0x50;
	if (kind & 0x20)
		at[fuzz_u8(in) % 128] = fuzz_u8(in);
	return frame;
}
