/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Faults while a device is created and started: each call that allocates memory, file descriptors
 * or file space fails once, one after the other. After each fault the caller gets an error and the
 * log has a line, or the device works without the resource; nothing is leaked; the next attempt
 * succeeds. test/unit/meson.build redirects the calls of the libraries to the functions here.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#ifdef VBLK_HAVE_LIBURING
#include <liburing.h>
#endif

#include <rte_lcore.h>
#include <rte_malloc.h>

#include <virtio_blk/blk.h>
#include <virtio_net/net.h>
#include <vduse/loopback/loopback.h>

#include "create_over.h"
#include "unit.h"

/* More calls than any of these devices makes: a walk ends before. */
#define CALLS_MAX 2000

/* Other threads are left alone, so that the calls are the same each time. */
static __thread bool armed;
static unsigned int calls, failing;
/* What failed. */
static const char *failed;

static bool
fails(const char *name)
{
	if (!armed || ++calls != failing)
		return false;
	failed = name;
	return true;
}

/* FAULT(type, function, what it returns then, errno, parameters, arguments) */
#define FAULT(type, name, none, error, params, args)                                               \
	type __real_##name params;                                                                 \
	type __wrap_##name params;                                                                 \
	type __wrap_##name params                                                                  \
	{                                                                                          \
		if (!fails(#name))                                                                 \
			return __real_##name args;                                                 \
		errno = error;                                                                     \
		return none;                                                                       \
	}

FAULT(void *, malloc, NULL, ENOMEM, (size_t size), (size))
FAULT(void *, calloc, NULL, ENOMEM, (size_t nb, size_t size), (nb, size))
FAULT(void *, aligned_alloc, NULL, ENOMEM, (size_t align, size_t size), (align, size))
FAULT(char *, strdup, NULL, ENOMEM, (const char *text), (text))
FAULT(void *, rte_zmalloc_socket, NULL, ENOMEM,
      (const char *type, size_t size, unsigned int align, int socket), (type, size, align, socket))
FAULT(void *, mmap64, MAP_FAILED, ENOMEM,
      (void *addr, size_t len, int prot, int flags, int fd, off64_t offset),
      (addr, len, prot, flags, fd, offset))
FAULT(int, memfd_create, -1, EMFILE, (const char *name, unsigned int flags), (name, flags))
FAULT(int, eventfd, -1, EMFILE, (unsigned int value, int flags), (value, flags))
FAULT(int, epoll_create1, -1, EMFILE, (int flags), (flags))
FAULT(int, epoll_ctl, -1, ENOSPC, (int epoll, int op, int fd, struct epoll_event *event),
      (epoll, op, fd, event))
FAULT(int, ftruncate64, -1, EIO, (int fd, off64_t len), (fd, len))
FAULT(int, posix_fallocate64, ENOSPC, 0, (int fd, off64_t offset, off64_t len), (fd, offset, len))
FAULT(ssize_t, pwrite64, -1, EIO, (int fd, const void *from, size_t len, off64_t offset),
      (fd, from, len, offset))
FAULT(ssize_t, pread64, -1, EIO, (int fd, void *to, size_t len, off64_t offset),
      (fd, to, len, offset))
FAULT(int, timerfd_create, -1, EMFILE, (int clock, int flags), (clock, flags))
FAULT(int, socket, -1, EMFILE, (int domain, int type, int protocol), (domain, type, protocol))
FAULT(int, fchmod, -1, EPERM, (int fd, mode_t mode), (fd, mode))
FAULT(int, bind, -1, ENOSPC, (int fd, const struct sockaddr *address, socklen_t len),
      (fd, address, len))
FAULT(int, listen, -1, EMFILE, (int fd, int backlog), (fd, backlog))
#ifdef VBLK_HAVE_LIBURING
FAULT(int, io_uring_queue_init, -ENOMEM, 0,
      (unsigned int entries, struct io_uring *ring, unsigned int flags), (entries, ring, flags))
FAULT(int, io_uring_register_files, -ENOMEM, 0,
      (struct io_uring * ring, const int *files, unsigned int nb), (ring, files, nb))
#endif

int
__real_open64(const char *path, int flags, ...);
int
__wrap_open64(const char *path, int flags, ...);

int
__wrap_open64(const char *path, int flags, ...)
{
	mode_t mode;
	va_list list;

	if (fails("open64")) {
		errno = EMFILE;
		return -1;
	}
	va_start(list, flags);
	mode = (flags & O_CREAT) != 0 ? va_arg(list, mode_t) : 0;
	va_end(list);
	return __real_open64(path, flags, mode);
}

static char dir[64], image[96], socket_path[96];
static struct vduse_loopback *loop;

static const struct rte_vduse_net_conf net_conf = {
	.size = sizeof(struct rte_vduse_net_conf),
	.path = "/dev/vduse/faults",
	.mac = { { 0x02, 0, 0, 0, 0, 1 } },
	.pairs = 1,
	.queue_size = 256,
	.mtu = 1500,
	.socket_id = SOCKET_ID_ANY,
};

static struct rte_vduse_blk_conf
blk_conf(const char *backend, const char *args)
{
	return (struct rte_vduse_blk_conf){
		.size = sizeof(struct rte_vduse_blk_conf),
		.path = "/dev/vduse/faults",
		.queues = 2,
		.queue_size = 64,
		.backend = backend,
		.backend_args = args,
		.inflight = true,
		.socket_id = SOCKET_ID_ANY,
	};
}

static int
try_net(void)
{
	struct rte_vduse_net *net = NULL;
	int ret = create_net_over(&net_conf, &vduse_transport_loopback, loop, &net);

	if (ret == 0)
		ret = rte_vduse_net_start(net, RTE_VDUSE_ATTACH_NONE);
	armed = false;
	rte_vduse_net_destroy(net);
	return ret;
}

static int
try_blk(const struct rte_vduse_blk_conf *conf, const struct vduse_transport_ops *transport)
{
	struct rte_vduse_blk *blk = NULL;
	int ret = create_blk_over(conf, transport, loop, &blk);

	if (ret == 0)
		ret = rte_vduse_blk_start(blk, RTE_VDUSE_ATTACH_NONE);
	armed = false;
	rte_vduse_blk_destroy(blk);
	return ret;
}

static int
try_ram(void)
{
	struct rte_vduse_blk_conf conf = blk_conf("ram", "size=1M");

	return try_blk(&conf, &vduse_transport_loopback);
}

static int
try_fault(void)
{
	struct rte_vduse_blk_conf conf = blk_conf("fault", "under=ram,size=1M");

	return try_blk(&conf, &vduse_transport_loopback);
}

#ifdef VBLK_HAVE_LIBURING
static int
try_file(void)
{
	struct rte_vduse_blk_conf conf = blk_conf("file", image);

	return try_blk(&conf, &vduse_transport_loopback);
}
#endif

/* The same transport as in a program: a socket. */
static int
try_socket(void)
{
	struct rte_vduse_blk_conf conf = blk_conf("null", "size=1M");

	conf.path = socket_path;
	return try_blk(&conf, NULL);
}

/* One attempt, in which the call of that number fails; 0: none. Returns how many there were. */
static unsigned int
attempt(int (*try)(void), unsigned int number, int *ret)
{
	loop = vduse_loopback_new();
	assert_non_null(loop);
	unit_log_clear();
	calls = 0;
	failing = number;
	armed = true;
	*ret = try();
	armed = false;
	vduse_loopback_free(loop);
	return calls;
}

/* Each call fails once. Returns in how many attempts there was no device. */
static unsigned int
walk(int (*try)(void))
{
	unsigned int number, made, refused = 0;
	int ret;

	for (number = 1; number < CALLS_MAX; number++) {
		made = attempt(try, number, &ret);
		if (made < number)
			break;
		if (ret == 0)
			continue;
		assert_in_range(-ret, 1, 4095);
		if (unit_log_count("") == 0)
			fail_msg("call %u, %s, failed: refused with %d without a word", number,
				 failed, ret);
		refused++;
	}
	assert_true(number < CALLS_MAX);
	assert_int_equal(ret, 0);
	return refused;
}

/* What stays for the life of the process is there after the first walk. */
static void
walk_twice(int (*try)(void))
{
	unsigned int refused = walk(try), fds = unit_fds();

	assert_true(refused > 0);
	assert_true(walk(try) > 0);
	assert_int_equal(unit_fds(), fds);
}

static void
test_net(void **state)
{
	RTE_SET_USED(state);
	walk_twice(try_net);
}

static void
test_ram(void **state)
{
	RTE_SET_USED(state);
	walk_twice(try_ram);
}

static void
test_fault(void **state)
{
	RTE_SET_USED(state);
	walk_twice(try_fault);
}

#ifdef VBLK_HAVE_LIBURING
static void
test_file(void **state)
{
	FILE *file;

	RTE_SET_USED(state);
	file = fopen(image + strlen("path="), "w");
	assert_non_null(file);
	assert_int_equal(ftruncate(fileno(file), 1 << 20), 0);
	fclose(file);
	walk_twice(try_file);
}
#endif

static void
test_socket(void **state)
{
	RTE_SET_USED(state);
	walk_twice(try_socket);
	assert_int_equal(access(socket_path, F_OK), -1);
}

static int
setup(void **state)
{
	RTE_SET_USED(state);
	strcpy(dir, "/tmp/unit-faults-XXXXXX");
	assert_non_null(mkdtemp(dir));
	assert_int_equal(setenv("DPDK_VDUSE_RUN_DIR", dir, 1), 0);
	snprintf(image, sizeof(image), "path=%s/image", dir);
	snprintf(socket_path, sizeof(socket_path), "%s/socket", dir);
	return 0;
}

/* The image and the folder: no state file, no socket. */
static int
teardown(void **state)
{
	RTE_SET_USED(state);
	unlink(image + strlen("path="));
	assert_int_equal(rmdir(dir), 0);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_net, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ram, setup, teardown),
		cmocka_unit_test_setup_teardown(test_fault, setup, teardown),
#ifdef VBLK_HAVE_LIBURING
		cmocka_unit_test_setup_teardown(test_file, setup, teardown),
#endif
		cmocka_unit_test_setup_teardown(test_socket, setup, teardown),
	};

	if (unit_init() < 0)
		return 1;
	return unit_done(cmocka_run_group_tests(tests, NULL, NULL));
}
