/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The packed ring (VIRTIO 1.2, section 2.8).
 * Input: descriptors that the driver marked available. Output: used descriptors, written over
 * them. Thread: polling; begin, map, seed, notify and resume: control.
 */
#include <errno.h>

#include <vring/chain.h>
#include <vring/packed.h>
#include <rte_vduse_compat.h>

#define PACKED_AVAIL (1u << VRING_PACKED_DESC_F_AVAIL)
#define PACKED_USED  (1u << VRING_PACKED_DESC_F_USED)

/* A local copy of a descriptor, in host byte order. */
struct packed_desc {
	uint64_t addr;
	uint32_t len;
	uint16_t id;
	uint16_t flags;
};

/* For loops that store: they keep ring and size in locals, because a store may alias the vq. */
static inline uint32_t
packed_step(uint32_t size, uint32_t place, uint32_t n)
{
	place += n;
	return place < 2 * size ? place : place - 2 * size;
}

static inline struct vring_packed_desc *
packed_slot(struct vring_packed_desc *ring, uint32_t size, uint32_t place)
{
	return &ring[place < size ? place : place - size];
}

static inline uint32_t
packed_forward(const struct vring_vq *vq, uint32_t place, uint32_t n)
{
	return packed_step(vq->size, place, n);
}

/* Number of places from one to a later one. */
static inline uint32_t
packed_distance(const struct vring_vq *vq, uint32_t from, uint32_t to)
{
	return to >= from ? to - from : to + 2u * vq->size - from;
}

static inline bool
packed_wrap(const struct vring_vq *vq, uint32_t place)
{
	return place < vq->size;
}

static inline struct vring_packed_desc *
packed_at(const struct vring_vq *vq, uint32_t place)
{
	return packed_slot(vq->packed.desc, vq->size, place);
}

/* Converts an index with a wrap counter to a place, and back. */
static uint32_t
packed_place(const struct vring_vq *vq, uint32_t position)
{
	return (position & VRING_PACKED_INDEX) + (position & VRING_PACKED_WRAP ? 0 : vq->size);
}

static uint32_t
packed_index(const struct vring_vq *vq, uint32_t place)
{
	return packed_wrap(vq, place) ? place | VRING_PACKED_WRAP : place - vq->size;
}

static int
packed_map(struct vring_vq *vq)
{
	const struct vring_layout *layout = &vq->layout;
	uint64_t size = vq->size * sizeof(struct vring_packed_desc);
	struct vring_packed *packed = &vq->packed;

	/* Descriptors are read and written, each event area only one of the two. */
	packed->desc = vring_map_area(vq, layout->desc, size, true);
	if (packed->desc == NULL || vring_map_area(vq, layout->desc, size, false) == NULL)
		return -EFAULT;
	packed->driver_event =
		vring_map_area(vq, layout->driver, sizeof(*packed->driver_event), false);
	if (packed->driver_event == NULL)
		return -EFAULT;
	packed->device_event =
		vring_map_area(vq, layout->device, sizeof(*packed->device_event), true);
	return packed->device_event != NULL ? 0 : -EFAULT;
}

static void
packed_notify(struct vring_vq *vq)
{
	vring_store16(&vq->packed.device_event->flags, vq->notify
							       ? VRING_PACKED_EVENT_FLAG_ENABLE
							       : VRING_PACKED_EVENT_FLAG_DISABLE);
}

static inline uint16_t
packed_load_flags(const struct vring_packed_desc *desc)
{
	/* Acquire: pairs with the driver's barrier between writing the chain's descriptors and
	 * buffers and writing these flags.
	 */
	return rte_le_to_cpu_16(rte_atomic_load_explicit(&desc->flags, rte_memory_order_acquire));
}

/* Whether the descriptor at a place is available. Sets *flags in any case. */
static inline bool
packed_available(const struct vring_vq *vq, uint32_t place, uint16_t *flags)
{
	uint16_t wanted = packed_wrap(vq, place) ? PACKED_AVAIL : PACKED_USED;

	*flags = packed_load_flags(packed_at(vq, place));
	return (*flags & (PACKED_AVAIL | PACKED_USED)) == wanted;
}

static void
packed_begin(struct vring_vq *vq)
{
	vq->packed.avail = packed_place(vq, vq->layout.position);
	vq->packed.used = packed_place(vq, vq->layout.position >> 16);
}

static void
packed_seed(struct vring_vq *vq)
{
	struct vring_packed *packed = &vq->packed;
	uint16_t flags;

	/* Chains that were popped and not used are still available and are popped again. If
	 * there are none, the used position may be missing (vhost-user front ends know only the
	 * avail position): use the avail position for both.
	 */
	if (packed_available(vq, packed->used, &flags))
		packed->avail = packed->used;
	else
		packed->used = packed->avail;
	packed->published = packed->used;
	packed->nb_held = 0;
}

/* Unpacks a loaded descriptor: vring_desc has the id and flags in other fields. */
static inline struct packed_desc
packed_unpack(const struct vring_desc *raw)
{
	return (struct packed_desc){
		.addr = raw->addr,
		.len = raw->len,
		.id = raw->flags,
		.flags = raw->next,
	};
}

static inline struct packed_desc
packed_load(const struct vring_vq *vq, uint32_t place)
{
	struct vring_desc raw = vring_load_desc(packed_at(vq, place));

	return packed_unpack(&raw);
}

/* Adds a descriptor's buffer. An indirect descriptor is a fault here. */
static inline bool
packed_add(struct vring_vq *vq, struct rte_vduse_chain *chain, const struct packed_desc *desc)
{
	if (desc->flags & VRING_DESC_F_INDIRECT)
		return vring_chain_fault(vq, VRING_FAULT_INDIRECT, desc->flags);
	return vring_chain_add(vq, chain, desc->addr, desc->len,
			       (desc->flags & VRING_DESC_F_WRITE) != 0);
}

/* Section 2.8.7: an indirect descriptor is a chain by itself; its table is read in sequence. */
static bool
packed_table(struct vring_vq *vq, struct rte_vduse_chain *chain, const struct packed_desc *table)
{
	uint32_t nb = table->len / VRING_DESC_SIZE, i;

	if (table->flags & VRING_DESC_F_NEXT)
		return vring_chain_fault(vq, VRING_FAULT_INDIRECT, table->flags);
	if (!vring_chain_table(vq, table->addr, table->len))
		return false;
	if (nb > vq->chain_limit)
		return vring_chain_fault(vq, VRING_FAULT_LONG, nb);
	vq->nb_read += nb;
	for (i = 0; i < nb; i++) {
		struct packed_desc desc;
		struct vring_desc raw;

		if (!vring_chain_load(vq, table->addr + i * VRING_DESC_SIZE, &raw))
			return false;
		desc = packed_unpack(&raw);
		if (vq->reads_tables)
			desc.flags &= (uint16_t)~VRING_DESC_F_WRITE;
		if (!packed_add(vq, chain, &desc))
			return false;
	}
	return true;
}

/* Reads a chain in the ring from its first descriptor, desc, on. The last one holds the id. */
static bool
packed_walk(struct vring_vq *vq, struct rte_vduse_chain *chain, struct packed_desc *desc,
	    uint32_t room)
{
	for (;;) {
		if (!packed_add(vq, chain, desc))
			return false;
		vq->nb_read++;
		chain->head = desc->id;
		if (!(desc->flags & VRING_DESC_F_NEXT))
			return true;
		if (chain->nb_descs == room)
			return vring_chain_fault(vq, VRING_FAULT_LOOP, chain->nb_descs);
		*desc = packed_load(vq, packed_forward(vq, vq->packed.avail, chain->nb_descs));
		chain->nb_descs++;
	}
}

/* Reads the chain at the avail position. room: descriptors that the device has not popped. */
static inline bool
packed_chain(struct vring_vq *vq, struct rte_vduse_chain *chain, uint16_t flags, uint32_t room)
{
	struct packed_desc desc = packed_load(vq, vq->packed.avail);

	/* Use the flags that were checked: the driver may have changed them since. */
	desc.flags = flags;
	if (likely(!(flags & (VRING_DESC_F_NEXT | VRING_DESC_F_INDIRECT))))
		return vring_chain_single(vq, chain, desc.id, desc.addr, desc.len,
					  (flags & VRING_DESC_F_WRITE) != 0);
	vring_chain_begin(vq, chain, desc.id);
	if (flags & VRING_DESC_F_INDIRECT)
		return packed_table(vq, chain, &desc);
	return packed_walk(vq, chain, &desc, room);
}

/* Makes one chain of each descriptor of a line. write is a constant once this is inlined. */
static __rte_always_inline bool
packed_take_line(const struct vring_window *window, const struct vring_packed_desc *line,
		 bool write, struct rte_vduse_buf *bufs, struct rte_vduse_chain *chains)
{
	bool good = true;
	int i;

	/* Unrolling would spill registers. */
#pragma GCC unroll 1
	for (i = 0; i < VRING_PACKED_LINE; i++) {
		struct vring_desc raw = vring_load_desc(&line[i]);
		struct packed_desc desc = packed_unpack(&raw);

		good &= vring_chain_take(window, desc.id, desc.addr, desc.len, write, &bufs[i],
					 &chains[i]);
	}
	return good;
}

/*
 * Fast path for a full cache line of available descriptors, as a driver that runs ahead leaves
 * them: single-descriptor chains with equal flags, all inside the cached window. False: one of
 * these does not hold, read them one by one. wanted: avail and used bits of an available one.
 */
static inline bool
packed_line(const struct vring_window *windows, const struct vring_packed_desc *line,
	    uint16_t wanted, struct rte_vduse_buf *bufs, struct rte_vduse_chain *chains)
{
	uint16_t flags = packed_load_flags(&line[0]), odd;

	odd = (flags ^ packed_load_flags(&line[1])) | (flags ^ packed_load_flags(&line[2])) |
	      (flags ^ packed_load_flags(&line[3]));
	odd |= (flags ^ wanted) &
	       (PACKED_AVAIL | PACKED_USED | VRING_DESC_F_NEXT | VRING_DESC_F_INDIRECT);
	if (odd != 0)
		return false;
	if (flags & VRING_DESC_F_WRITE)
		return packed_take_line(&windows[1], line, true, bufs, chains);
	return packed_take_line(&windows[0], line, false, bufs, chains);
}

/* Pops full cache lines, at most nb descriptors. Returns the number of chains. */
static uint16_t
packed_lines(struct vring_vq *vq, struct rte_vduse_chain *chains, uint32_t nb)
{
	const struct vring_window windows[2] = { vq->mem.window[0], vq->mem.window[1] };
	struct vring_packed_desc *ring = vq->packed.desc;
	struct rte_vduse_buf *bufs = &vq->bufs[vq->nb_bufs];
	uint32_t size = vq->size, place = vq->packed.avail;
	uint16_t n = 0;

	nb = RTE_MIN(nb, vq->max_bufs - vq->nb_bufs);
	while (nb - n >= VRING_PACKED_LINE) {
		if (!packed_line(windows, packed_slot(ring, size, place),
				 place < size ? PACKED_AVAIL : PACKED_USED, &bufs[n], &chains[n]))
			break;
		n += VRING_PACKED_LINE;
		place = packed_step(size, place, VRING_PACKED_LINE);
	}
	vq->nb_bufs += n;
	vq->packed.avail = place;
	return n;
}

/* Pops the chain at the avail position. Returns whether there was one without a fault. */
static bool
packed_one(struct vring_vq *vq, struct rte_vduse_chain *chain, uint32_t room)
{
	struct vring_packed *packed = &vq->packed;
	uint16_t flags;

	if (!packed_available(vq, packed->avail, &flags))
		return false;
	/* The device popped this descriptor already, one lap ago. */
	if (unlikely(room == 0))
		return vring_chain_fault(vq, VRING_FAULT_AVAIL, packed_index(vq, packed->avail));
	if (unlikely(!packed_chain(vq, chain, flags, room)))
		return false;
	packed->avail = packed_forward(vq, packed->avail, chain->nb_descs);
	return true;
}

static uint16_t
packed_pop(struct vring_vq *vq, struct rte_vduse_chain *chains, uint16_t nb)
{
	struct vring_packed *packed = &vq->packed;
	/* With other sizes the second lap does not start at a cache line. */
	bool lines = vq->size % VRING_PACKED_LINE == 0;
	uint32_t room;
	uint16_t n = 0;

	if (unlikely(vq->fault != VRING_FAULT_NONE))
		return 0;
	nb = RTE_MIN(nb, RTE_VDUSE_BURST_MAX);
	vq->nb_bufs = 0;
	vq->nb_read = 0;
	room = vq->size - packed_distance(vq, packed->used, packed->avail);
	while (n < nb && vq->nb_read < VRING_POP_DESCS) {
		if (lines && packed->avail % VRING_PACKED_LINE == 0) {
			uint32_t most = RTE_MIN(room, (uint32_t)(nb - n));
			uint16_t got = packed_lines(vq, &chains[n], most);

			n += got;
			room -= got;
			if (n == nb)
				break;
		}
		if (!packed_one(vq, &chains[n], room))
			break;
		room -= chains[n++].nb_descs;
	}
	return n;
}

static void
packed_unpop(struct vring_vq *vq, const struct rte_vduse_chain *chains, uint16_t nb)
{
	struct vring_packed *packed = &vq->packed;
	uint16_t i;

	for (i = 0; i < nb; i++)
		packed->avail =
			packed_forward(vq, packed->avail, 2u * vq->size - chains[i].nb_descs);
	/* The faulty chain comes after the returned ones: a later pop finds the fault again. */
	if (nb > 0)
		vq->fault = VRING_FAULT_NONE;
}

/*
 * Length, id and flags are one aligned word of a descriptor, written in one store. If the process
 * is killed, a descriptor is either used or still as the driver wrote it.
 */
typedef uint64_t packed_word __rte_may_alias;

static inline void
packed_write(struct vring_packed_desc *desc, uint64_t word)
{
	rte_atomic_store_explicit((packed_word *)(void *)&desc->len, rte_cpu_to_le_64(word),
				  rte_memory_order_relaxed);
}

/* Length, id and flags of a used chain, for a place under wrap counter 1 or 0. */
static inline uint64_t
packed_used_word(const struct rte_vduse_chain *chain, bool wrap)
{
	uint64_t flags = wrap ? PACKED_AVAIL | PACKED_USED : 0;

	/* Section 2.8.5: the length is valid only with this flag. */
	if (chain->nb_in != 0)
		flags |= VRING_DESC_F_WRITE;
	return chain->used_len | (uint64_t)chain->head << 32 | flags << 48;
}

/*
 * Holds a used descriptor back until publish. The driver sees no used descriptor before the first
 * one since the last publish is written. It polls that one's cache line, so all used descriptors
 * of that line are held back: the line then moves to this core once. Returns whether it is held.
 */
static inline bool
packed_hold(struct vring_vq *vq, const struct vring_packed_used *used)
{
	struct vring_packed *packed = &vq->packed;

	if (packed->nb_held == VRING_PACKED_LINE ||
	    packed_distance(vq, packed->published, used->place) >= VRING_PACKED_LINE)
		return false;
	packed->held[packed->nb_held++] = *used;
	return true;
}

static void
packed_push(struct vring_vq *vq, const struct rte_vduse_chain *chains, uint16_t nb)
{
	struct vring_packed_desc *ring = vq->packed.desc;
	uint32_t size = vq->size, place = vq->packed.used;
	bool in_order = vq->in_order, hold = true;
	uint16_t i;

	for (i = 0; i < nb; i++) {
		uint32_t nb_descs = chains[i].nb_descs;
		struct vring_packed_used used = { .place = place };

		/* Section 2.8.9: one used descriptor for a batch, with the id of its last chain at
		 * the place of its first.
		 */
		while (in_order && i + 1 < nb && chains[i].nb_in == 0)
			nb_descs += chains[++i].nb_descs;
		used.word = packed_used_word(&chains[i], place < size);
		/* After one that is not held, none is held. */
		hold = hold && packed_hold(vq, &used);
		if (!hold)
			packed_write(packed_slot(ring, size, place), used.word);
		place = packed_step(size, place, nb_descs);
	}
	vq->packed.used = place;
}

/* Whether the driver wants an interrupt for the descriptors used between two places. */
static bool
packed_wants_call(const struct vring_vq *vq, uint32_t from, uint32_t to)
{
	/* One load: the driver writes the offset before the flags that enable it. */
	uint32_t event = rte_le_to_cpu_32(rte_atomic_load_explicit(
		(const uint32_t *)(const void *)vq->packed.driver_event, rte_memory_order_relaxed));
	uint16_t flags = (uint16_t)(event >> 16);
	uint32_t place;

	if (flags == VRING_PACKED_EVENT_FLAG_DISABLE)
		return false;
	if (flags != VRING_PACKED_EVENT_FLAG_DESC || !vq->event_idx ||
	    (event & VRING_PACKED_INDEX) >= vq->size)
		return true;
	place = packed_place(vq, event & UINT16_MAX);
	return packed_distance(vq, place, to) - 1 < packed_distance(vq, from, to);
}

static bool
packed_calls_off(const struct vring_vq *vq)
{
	return vring_load16(&vq->packed.driver_event->flags) == VRING_PACKED_EVENT_FLAG_DISABLE;
}

static bool
packed_publish(struct vring_vq *vq)
{
	struct vring_packed *packed = &vq->packed;
	uint32_t from = packed->published;

	if (packed->used == from)
		return false;
	while (--packed->nb_held > 0) {
		const struct vring_packed_used *used = &packed->held[packed->nb_held];

		packed_write(packed_at(vq, used->place), used->word);
	}
	/* Release: pairs with the driver's barrier between reading these flags and reading the
	 * rest of this descriptor, later used descriptors and the buffers.
	 */
	rte_atomic_store_explicit((packed_word *)(void *)&packed_at(vq, packed->held[0].place)->len,
				  rte_cpu_to_le_64(packed->held[0].word), rte_memory_order_release);
	packed->published = packed->used;
	/* Store the flags before loading the driver's event area: pairs with the driver's barrier
	 * between enabling interrupts and checking the ring again. Without it the driver could
	 * miss the descriptor and the device the request for an interrupt.
	 */
	rte_atomic_thread_fence(rte_memory_order_seq_cst);
	return packed_wants_call(vq, from, packed->used);
}

/* Walks the flags of all available descriptors; nothing else of them is read. */
static uint32_t
packed_count(struct vring_vq *vq)
{
	const struct vring_packed *packed = &vq->packed;
	uint32_t room = vq->size - packed_distance(vq, packed->used, packed->avail);
	uint32_t place = packed->avail, count = 0;
	uint16_t flags;

	if (vq->fault != VRING_FAULT_NONE)
		return 0;
	while (room > 0 && packed_available(vq, place, &flags)) {
		count++;
		do {
			place = packed_forward(vq, place, 1);
			room--;
			if (!(flags & VRING_DESC_F_NEXT))
				break;
			flags = vring_load16(&packed_at(vq, place)->flags);
		} while (room > 0);
	}
	return count;
}

static uint32_t
packed_position(const struct vring_vq *vq)
{
	return packed_index(vq, vq->packed.avail) | packed_index(vq, vq->packed.used) << 16;
}

static uint16_t
packed_published(const struct vring_vq *vq)
{
	return (uint16_t)packed_index(vq, vq->packed.published);
}

/* A used bit equals the wrap counter of its lap from then on, also if it is available again. */
static bool
packed_was_published(struct vring_vq *vq, uint16_t published)
{
	uint32_t place = packed_place(vq, published);

	if ((published & VRING_PACKED_INDEX) >= vq->size)
		return false;
	return !!(vring_load16(&packed_at(vq, place)->flags) & PACKED_USED) ==
	       packed_wrap(vq, place);
}

static int
packed_resume(struct vring_vq *vq, uint16_t published, uint32_t used, uint32_t taken)
{
	struct vring_packed *packed = &vq->packed;

	if ((published & VRING_PACKED_INDEX) >= vq->size || used > vq->size || taken > vq->size)
		return -EINVAL;
	packed->used = packed_forward(vq, packed_place(vq, published), used);
	packed->published = packed->used;
	packed->avail = packed_forward(vq, packed->used, taken);
	packed->nb_held = 0;
	return 0;
}

static bool
packed_reread(struct vring_vq *vq, const struct vring_taken *taken, struct rte_vduse_chain *chain)
{
	struct packed_desc desc = packed_unpack(&taken->descs[0]);
	uint16_t i;

	vring_chain_begin(vq, chain, taken->head);
	chain->nb_descs = taken->nb_descs;
	if (desc.flags & VRING_DESC_F_INDIRECT)
		return packed_table(vq, chain, &desc);
	vq->nb_read += taken->nb_descs;
	for (i = 0; i < taken->nb_descs; i++) {
		desc = packed_unpack(&taken->descs[i]);
		if (!packed_add(vq, chain, &desc))
			return false;
	}
	return true;
}

struct vring_desc
vring_packed_popped(const struct vring_vq *vq, uint32_t nb_back)
{
	return vring_load_desc(
		packed_at(vq, packed_forward(vq, vq->packed.avail, 2u * vq->size - nb_back)));
}

const struct vring_ops vring_packed_ops = {
	.begin = packed_begin,
	.map = packed_map,
	.seed = packed_seed,
	.notify = packed_notify,
	.pop = packed_pop,
	.unpop = packed_unpop,
	.push = packed_push,
	.publish = packed_publish,
	.calls_off = packed_calls_off,
	.count = packed_count,
	.position = packed_position,
	.published = packed_published,
	.was_published = packed_was_published,
	.resume = packed_resume,
	.reread = packed_reread,
};
