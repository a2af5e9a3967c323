/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Random calls at the VDUSE interface for a bounded time: ioctls with random and with nearly right
 * arguments, reads, writes, maps and touches, by several threads on one device, while another
 * attaches and detaches it, and another process is its driver where vhost_vdpa is loaded. Nothing
 * is checked but that it ends: the kernel's log is the result.
 *
 *   kernel-fuzz SECONDS SEED
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "dev.h"
#include "fuzz.h"
#include "tap.h"
#include "vhost.h"

#define THREADS	4
/* In the file of an address space, where rings begin. */
#define RINGS_START	(1UL << 30)

/* Shared with the process that is the driver: whether vhost_vdpa is done with its start. */
struct gate {
	pthread_mutex_t lock;
	bool attached;
};

static struct gate *gate;
static time_t fuzz_end;
static atomic_int fuzz_fd = -1;
static atomic_uint fuzz_users;	/* threads that may be using it */
static atomic_ulong fuzz_calls;
static __thread sigjmp_buf fault;

static const unsigned long requests[] = {
	VDUSE_IOTLB_GET_FD, VDUSE_IOTLB_GET_FD2, VDUSE_IOTLB_GET_INFO, VDUSE_IOTLB_REG_UMEM,
	VDUSE_IOTLB_DEREG_UMEM, VDUSE_DEV_GET_FEATURES, VDUSE_DEV_SET_CONFIG,
	VDUSE_DEV_INJECT_CONFIG_IRQ, VDUSE_VQ_SETUP, VDUSE_VQ_GET_INFO, VDUSE_VQ_SETUP_KICKFD,
	VDUSE_VQ_INJECT_IRQ,
};

uint64_t
fuzz_pick(unsigned int *seed)
{
	switch (rand_r(seed) % 6) {
	case 0: return 0;
	case 1: return rand_r(seed) % 4;
	case 2: return 1ULL << rand_r(seed) % 64;
	case 3: return UINT64_MAX;
	case 4: return (uint64_t)(rand_r(seed) % 512) << 12;
	default: return (uint64_t)rand_r(seed) << 32 | (unsigned int)rand_r(seed);
	}
}

void
fuzz_fill(uint64_t *words, unsigned int nb, unsigned int *seed)
{
	unsigned int i;

	for (i = 0; i < nb; i++)
		words[i] = rand_r(seed) % 3 ? 0 : fuzz_pick(seed);
}

static void
on_fault(int signal)
{
	(void)signal;
	siglongjmp(fault, 1);
}

/*
 * Rings are only read: virtio_net waits with softirqs off for what a wild used index promises, and
 * the processor it runs on is lost, on every kernel module.
 */
static int
protection(off_t offset, size_t size)
{
	return (uint64_t)offset <= RINGS_START - size ? PROT_READ | PROT_WRITE : PROT_READ;
}

static void
touch_pages(volatile uint8_t *va, size_t size, int prot, unsigned int *seed)
{
	size_t at = rand_r(seed) % size;

	if (sigsetjmp(fault, 1) != 0)
		return;
	if (prot & PROT_WRITE) {
		va[at] = rand_r(seed);
		va[size - 1] ^= 1;
	} else {
		(void)va[at];
	}
}

/* A region's memory, touched, whatever is there by now. */
static void
touch(int fd, unsigned int *seed)
{
	struct vduse_iotlb_entry entry = { .start = fuzz_pick(seed), .last = UINT64_MAX };
	int file = ioctl(fd, VDUSE_IOTLB_GET_FD, &entry);
	size_t size = (size_t)(1 + rand_r(seed) % 1024) << 12;
	off_t offset = rand_r(seed) % 2 ? entry.offset : fuzz_pick(seed) & ~4095ULL;
	int prot = protection(offset, size);
	void *va;

	if (file < 0)
		return;
	va = mmap(NULL, size, prot, rand_r(seed) % 8 ? MAP_SHARED : MAP_PRIVATE, file, offset);
	close(file);
	if (va == MAP_FAILED)
		return;
	touch_pages(va, size, prot, seed);
	munmap(va, size);
}

/* Registers memory that fits now and then, so that it is in the way of the driver's copies. */
static void
umem(int fd, unsigned int *seed)
{
	static __thread void *memory;
	struct vduse_iova_umem arg = { .size = 1 << 20 };

	if (memory == NULL)
		memory = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	arg.uaddr = (uintptr_t)memory;
	ioctl(fd, rand_r(seed) % 2 ? VDUSE_IOTLB_REG_UMEM : VDUSE_IOTLB_DEREG_UMEM, &arg);
}

static void
kickfd(int fd, unsigned int *seed)
{
	struct vduse_vq_eventfd arg = { .index = rand_r(seed) % 3, .fd = eventfd(0, 0) };

	ioctl(fd, VDUSE_VQ_SETUP_KICKFD, &arg);
	if (arg.fd >= 0)
		close(arg.fd);
}

/* Half of the answers are right: otherwise nothing would ever go on. */
static void
message(int fd, unsigned int *seed)
{
	struct vduse_dev_request req = { 0 };
	uint64_t garbage[19];

	if (read(fd, &req, sizeof(req)) == sizeof(req))
		dev_answer(fd, req.request_id, rand_r(seed) % 4 == 0);
	fuzz_fill(garbage, 19, seed);
	if (write(fd, garbage, rand_r(seed) % (sizeof(garbage) + 1)) < 0 &&
			read(fd, garbage, rand_r(seed) % sizeof(garbage)) < 0)
		return;
}

static void
call(int fd, unsigned int *seed)
{
	uint64_t arg[32];
	unsigned long request = requests[rand_r(seed) % (sizeof(requests) / sizeof(requests[0]))];
	int file;

	switch (rand_r(seed) % 9) {
	case 0: touch(fd, seed); break;
	case 1: umem(fd, seed); break;
	case 2: kickfd(fd, seed); break;
	case 3:
	case 4: message(fd, seed); break;
	case 5: ioctl(fd, fuzz_pick(seed), fuzz_pick(seed)); break;
	case 6: fuzz_attribute(seed); break;
	default:
		fuzz_fill(arg, 32, seed);
		file = ioctl(fd, request, arg);
		if (file > 0)
			close(file);
		break;
	}
	atomic_fetch_add(&fuzz_calls, 1);
}

static void
make_gate(void)
{
	pthread_mutexattr_t attr;

	gate = mmap(NULL, sizeof(*gate), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	need(gate != MAP_FAILED, "shared memory");
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	need(pthread_mutex_init(&gate->lock, &attr) == 0, "a lock");
}

static void
set_attached(bool attached)
{
	pthread_mutex_lock(&gate->lock);
	gate->attached = attached;
	pthread_mutex_unlock(&gate->lock);
}

/*
 * vhost_vdpa of 6.12 shows its file before it has made what close() completes, and empties its
 * list of address spaces after that: who is done with the file by then brings the kernel down, and
 * what is mapped by then is lost.
 */
static int
open_attached(void)
{
	int vhost = -1;

	pthread_mutex_lock(&gate->lock);
	if (gate->attached)
		vhost = open(VHOST_PATH, O_RDWR | O_CLOEXEC);
	pthread_mutex_unlock(&gate->lock);
	return vhost;
}

/*
 * The driver is another process, for vhost_vdpa waits for the device's answer with the memory map
 * of its user locked.
 */
static pid_t
start_driver(unsigned int seed)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	for (; time(NULL) < fuzz_end; usleep(1000)) {
		int vhost = open_attached();

		if (vhost >= 0)
			fuzz_vhost(vhost, &seed);
	}
	_exit(0);
}

static void *
fuzz(void *arg)
{
	unsigned int seed = (uintptr_t)arg;
	int fd;

	while (time(NULL) < fuzz_end) {
		if (atomic_load(&fuzz_fd) < 0) {
			usleep(1000);
			continue;
		}
		/* Counted before it is looked at: close_device() does it the other way round. */
		atomic_fetch_add(&fuzz_users, 1);
		fd = atomic_load(&fuzz_fd);
		if (fd >= 0)
			call(fd, &seed);
		atomic_fetch_sub(&fuzz_users, 1);
	}
	return NULL;
}

/* Once nobody calls it: its number may soon be another file's, whose read() would never end. */
static void
close_device(int fd)
{
	atomic_store(&fuzz_fd, -1);
	while (atomic_load(&fuzz_users) != 0)
		usleep(1000);
	close(fd);
}

/* The device's life, again and again, with a small region that is soon exhausted. */
static void
live(int control, unsigned int *seed)
{
	uint64_t version = rand_r(seed) % 2, features = rand_r(seed) % 4;
	struct dev_arg arg;
	int fd;

	dev_arg_init(&arg);
	if (ioctl(control, VDUSE_SET_API_VERSION, &version) == 0 && version == 1) {
		ioctl(control, VDUSE_SET_FEATURES, &features);
		arg.config.ngroups = 2;
		arg.config.nas = 2;
	}
	fd = dev_make(control, &arg);
	dev_set_attr("bounce_size", "1048576");
	dev_set_attr("msg_timeout", "1");
	atomic_store(&fuzz_fd, fd);
	if (dev_attach()) {
		set_attached(true);
		usleep(rand_r(seed) % 300000);
		if (system("ip link set up dev $(ls /sys/bus/vdpa/devices/" DEV_NAME
				"/virtio*/net 2>/dev/null) 2>/dev/null"))
			usleep(1000);
		usleep(rand_r(seed) % 300000);
		dev_detach();
		set_attached(false);
	}
	close_device(fd);
	while (dev_destroy(control, DEV_NAME) < 0 && errno == EBUSY)
		usleep(10000);
}

int
main(int argc, char **argv)
{
	unsigned int seed = argc > 2 ? atoi(argv[2]) : 1, lives = 0;
	int control = control_open(0), i;
	pthread_t thread[THREADS];
	pid_t driver;

	fuzz_end = time(NULL) + (argc > 1 ? atoi(argv[1]) : 10);
	make_gate();
	driver = start_driver(seed);
	signal(SIGBUS, on_fault);
	signal(SIGSEGV, on_fault);
	for (i = 0; i < THREADS; i++)
		need(pthread_create(&thread[i], NULL, fuzz,
				(void *)(uintptr_t)(seed * THREADS + i)) == 0, "start a thread");
	for (; time(NULL) < fuzz_end; lives++)
		live(control, &seed);
	for (i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	waitpid(driver, NULL, 0);
	printf("%lu calls, %u devices, seed %d\n", atomic_load(&fuzz_calls), lives,
			argc > 2 ? atoi(argv[2]) : 1);
	return 0;
}
