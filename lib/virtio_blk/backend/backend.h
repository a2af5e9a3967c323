/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Backends: what holds the bytes of a block device. In flow operations whose memory is the
 * driver's, out flow the same with a result, in any order. A backend is opened and closed by
 * an application's thread; each of its channels serves one queue and is used by one thread at
 * a time: the one that polls the queue, or the control thread while it stops it.
 */
#ifndef VBLK_BACKEND_H
#define VBLK_BACKEND_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include <rte_common.h>

enum vblk_op {
	VBLK_READ,
	VBLK_WRITE,
	VBLK_FLUSH,   /* what was written before is on stable storage when it is done */
	VBLK_DISCARD, /* what the range reads as does not matter any more */
	VBLK_ZERO,    /* the range reads as zeroes */
	VBLK_ERASE,   /* the same, and nobody can have the old bytes back */
	VBLK_OPS,
};

/*
 * One operation. From submit until poll returns it the backend alone touches it, the vectors
 * too; before that its offset and length are checked to lie within the backend's size.
 */
struct vblk_io {
	enum vblk_op op;
	bool fua;   /* VBLK_WRITE, VBLK_ZERO: on stable storage when it is done */
	bool unmap; /* VBLK_ZERO: the space may be given back */
	uint16_t nb_iov;
	struct iovec *iov; /* for VBLK_READ and VBLK_WRITE: len bytes, no entry empty */
	uint64_t offset;   /* bytes */
	uint64_t len;
	int result; /* of poll: 0 or a negative errno; -ENOTSUP: it never can */
	/* The backend's while it has the operation; what they hold before is undefined. */
	uint32_t since;
	struct vblk_io *next;
	uint64_t done;
	void *room;
	void *range;
	unsigned int stage;
	uint16_t done_iov;
	uint8_t edge;
	bool split;
};

/* What a backend is like. Set when it is opened. */
struct vblk_limits {
	uint64_t size;          /* bytes */
	uint32_t block_size;    /* smallest piece that can be read or written, a power of two */
	uint32_t physical_size; /* smallest that is written without reading first */
	uint32_t minimum_io;    /* bytes that are worth a request; 0: unknown */
	uint32_t optimal_io;
	uint32_t alignment;    /* bytes from 0 to the first physical block */
	uint32_t discard_size; /* what VBLK_DISCARD gives back at the least */
	bool read_only;
	/* Most bytes of a VBLK_DISCARD, and of a VBLK_ZERO or VBLK_ERASE; 0: any number. */
	uint64_t discard_part, zero_part;
	bool discard, zero, erase; /* which operations there are */
};

/* Of backends that work on a range while the poller does something else. */
#define VBLK_DISCARD_PART (UINT64_C(256) << 20)
#define VBLK_ZERO_PART    (UINT64_C(16) << 20)

struct vblk_backend_ops;

/* Backends embed both. */
struct vblk_backend {
	const struct vblk_backend_ops *ops;
	char name[64]; /* the device's, for the log */
	struct vblk_limits limits;
};

struct vblk_channel {
	const struct vblk_backend_ops *ops;
};

struct vblk_backend_conf {
	const char *device; /* name */
	const char *args;   /* "key=value,..." of rte_vduse_args.h, never NULL */
	bool read_only;
	int socket_id;
};

struct vblk_backend_ops {
	const char *name;
	/* Opens what args say. Sets the limits; ops and name are set by the caller. Logs. */
	int (*open)(const struct vblk_backend_conf *conf, struct vblk_backend **backend);
	void (*close)(struct vblk_backend *backend);
	/* Looks how large it is now: limits.size. NULL: it never changes. */
	int (*measure)(struct vblk_backend *backend);
	/* For up to depth operations at a time. */
	int (*channel_open)(struct vblk_backend *backend, uint16_t depth,
			    struct vblk_channel **channel);
	/* Nothing is in flight. */
	void (*channel_close)(struct vblk_channel *channel);
	/*
	 * Most buffers of later operations lie in these len bytes, whose pages stay the same until
	 * this is called again; len 0: not any more. Nothing is in flight. NULL: no use for it.
	 */
	void (*channel_memory)(struct vblk_channel *channel, void *va, uint64_t len);
	/* Takes the first of nb operations. Returns how many; the rest are tried again. */
	uint16_t (*submit)(struct vblk_channel *channel, struct vblk_io **ios, uint16_t nb);
	/* Returns up to nb finished operations. */
	uint16_t (*poll)(struct vblk_channel *channel, struct vblk_io **ios, uint16_t nb);
};

static inline void
vblk_channel_memory(struct vblk_channel *channel, void *va, uint64_t len)
{
	if (channel->ops->channel_memory != NULL)
		channel->ops->channel_memory(channel, va, len);
}

extern const struct vblk_backend_ops vblk_backend_null;
extern const struct vblk_backend_ops vblk_backend_ram;
extern const struct vblk_backend_ops vblk_backend_fault;
extern const struct vblk_backend_ops vblk_backend_file;
extern const struct vblk_backend_ops vblk_backend_rbd;

/* backend.c: opens a backend by its name, one log line if it cannot. */
int
vblk_backend_open(const char *name, const struct vblk_backend_conf *conf,
		  struct vblk_backend **backend);
void
vblk_backend_close(struct vblk_backend *backend);

/* backend.c: reads "key=value,..." into variables. */
struct vblk_arg {
	const char *key;
	enum { VBLK_ARG_STRING, VBLK_ARG_SIZE, VBLK_ARG_FLAG } type;
	void *to; /* char * of its own (free() it), uint64_t or bool */
};

/* For an allocation of open() that failed: one log line and -ENOMEM. */
int
vblk_no_memory(const char *device);

/* A key that no entry has, or a value that is none of its type: -EINVAL and one log line. */
int
vblk_backend_args(const char *device, const char *args, const struct vblk_arg *known,
		  unsigned int nb);

/* Finished operations of a backend that has its results at once: first in, first out. */
struct vblk_fifo {
	struct vblk_io *first;
	struct vblk_io **last;
};

static inline void
vblk_fifo_init(struct vblk_fifo *fifo)
{
	fifo->first = NULL;
	fifo->last = &fifo->first;
}

static inline void
vblk_fifo_put(struct vblk_fifo *fifo, struct vblk_io *io)
{
	io->next = NULL;
	*fifo->last = io;
	fifo->last = &io->next;
}

static inline uint16_t
vblk_fifo_take(struct vblk_fifo *fifo, struct vblk_io **ios, uint16_t nb)
{
	uint16_t n;

	for (n = 0; n < nb && fifo->first != NULL; n++) {
		ios[n] = fifo->first;
		fifo->first = ios[n]->next;
	}
	if (fifo->first == NULL)
		fifo->last = &fifo->first;
	return n;
}

#endif /* VBLK_BACKEND_H */
