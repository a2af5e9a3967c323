/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * A guest that runs before its memory has arrived: the test is the front end, which is told the pages
 * that are waited for and sends them. No page is allocated but those, and no thread but one waits.
 */
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/userfaultfd.h>

#include <rte_cycles.h>
#include <rte_vduse_compat.h>

#include <vduse/vhost_user/postcopy.h>

#include "create_over.h"
#include "vhost_client.h"

#define NB_PAGES 64
#define MEMORY   (NB_PAGES * PAGE)
#define ACKED    (LOOPBACK_DEV_FEATURES | VHOST_USER_BIT(MSG_F_PROTOCOL_FEATURES))

static char path[64];
static struct loopback_dev self;
static struct rte_vduse_dev_ops ops;
static int memory, client, uffd;
static uint64_t base; /* of memory, where the device waits for it */
static uint8_t *va;   /* the front end's own */
static uint16_t nb_posted;
static unsigned int fds_before;

static int
setup_device(bool postcopy)
{
	struct rte_vduse_dev_conf conf = loopback_dev_conf(&self);

	unit_ctrl_turn();
	fds_before = unit_fds();
	memset(&self, 0, sizeof(self));
	unit_log_clear();
	snprintf(path, sizeof(path), "/tmp/vduse-unit-%d.sock", getpid());
	loopback_dev_conf_mapped(&conf, &ops);
	conf.path = path;
	conf.postcopy = postcopy;
	if (create_dev_over(&conf, &vduse_transport_vhost_user, NULL, &self.dev) < 0)
		return -1;
	self.vqs[0] = rte_vduse_dev_vq(self.dev, 0);
	memory = unit_memfd("unit-postcopy", MEMORY);
	va = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
	if (va == MAP_FAILED || rte_vduse_dev_start(self.dev, RTE_VDUSE_ATTACH_NONE) < 0)
		return -1;
	nb_posted = 0;
	uffd = -1;
	client = vhost_client_connect(path);
	return 0;
}

static int
setup(void **state)
{
	RTE_SET_USED(state);
	return setup_device(true);
}

static int
setup_without(void **state)
{
	RTE_SET_USED(state);
	return setup_device(false);
}

static int
teardown(void **state)
{
	RTE_SET_USED(state);
	munmap(va, MEMORY);
	if (client >= 0)
		close(client);
	if (uffd >= 0)
		close(uffd);
	close(memory);
	rte_vduse_dev_destroy(self.dev);
	unit_fds_back(fds_before);
	return 0;
}

static unsigned int
nb_allocated(void)
{
	struct stat st;

	assert_int_equal(fstat(memory, &st), 0);
	return (unsigned int)((uint64_t)st.st_blocks * 512 / PAGE);
}

/* Returns the descriptor in the answer. */
static int
advise(void)
{
	struct vhost_user_msg msg = vhost_client_msg(MSG_POSTCOPY_ADVISE, 0, 0, false);
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec bytes = { &msg, VHOST_USER_MSG_HEAD };
	struct msghdr head = {
		.msg_iov = &bytes,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	int fd;

	vhost_client_send(client, &msg, 0, -1);
	assert_int_equal(recvmsg(client, &head, MSG_CMSG_CLOEXEC), VHOST_USER_MSG_HEAD);
	assert_int_equal(msg.type, MSG_POSTCOPY_ADVISE);
	assert_int_equal(msg.flags, MSG_VERSION | MSG_FLAG_REPLY);
	assert_int_equal(msg.size, 0);
	assert_non_null(CMSG_FIRSTHDR(&head));
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&head)), sizeof(fd));
	return fd;
}

/* Sends a message that changes memory. Returns the address at which the device waits for its region. */
static uint64_t
describe(struct vhost_user_msg msg, bool table)
{
	struct vhost_user_msg answer;
	size_t size = VHOST_USER_MSG_HEAD + msg.size;

	msg.flags = MSG_VERSION;
	vhost_client_send(client, &msg, 1, memory);
	assert_int_equal(recv(client, &answer, size, MSG_WAITALL), size);
	assert_int_equal(answer.type, msg.type);
	assert_int_equal(answer.flags, MSG_VERSION | MSG_FLAG_REPLY);
	assert_int_equal(answer.size, msg.size);
	return table ? answer.payload.table.regions[0].user : answer.payload.slot.region.user;
}

static void
go(uint32_t type, uint64_t value)
{
	struct vhost_user_msg msg = vhost_client_msg(type, value, 8, false);

	vhost_client_send(client, &msg, 0, -1);
}

static void
listen_only(void)
{
	uffd = advise();
	assert_int_equal(vhost_client_ask(client, MSG_POSTCOPY_LISTEN, 0, 0, true), 0);
	assert_int_equal(vhost_client_ask(client, MSG_SET_FEATURES, ACKED, 8, true), 0);
}

static void
begin(void)
{
	listen_only();
	base = describe(vhost_client_table(0, MEMORY, false), true);
	assert_int_not_equal(base, 0);
	go(MSG_SET_MEM_TABLE, 0);
}

/* Waits until the device waits for a page, and returns which. */
static uint64_t
waited_for(void)
{
	struct pollfd fd = { .fd = uffd, .events = POLLIN };
	struct uffd_msg msg;

	assert_int_equal(poll(&fd, 1, UNIT_PATIENCE_MS), 1);
	assert_int_equal(read(uffd, &msg, sizeof(msg)), sizeof(msg));
	assert_int_equal(msg.event, UFFD_EVENT_PAGEFAULT);
	assert_in_range(msg.arg.pagefault.address, base, base + MEMORY - 1);
	return (msg.arg.pagefault.address - base) / PAGE;
}

static void
waited_for_nothing(void)
{
	struct pollfd fd = { .fd = uffd, .events = POLLIN };

	unit_ctrl_turn();
	assert_int_equal(poll(&fd, 1, 20), 0);
}

static void
wake(uint64_t page)
{
	struct uffdio_range range = { base + page * PAGE, PAGE };

	assert_int_equal(ioctl(uffd, UFFDIO_WAKE, &range), 0);
}

/* A page arrives, full of a byte. */
static void
arrive(uint64_t page, uint8_t byte)
{
	uint8_t bytes[PAGE];

	memset(bytes, byte, sizeof(bytes));
	assert_int_equal(pwrite(memory, bytes, PAGE, (off_t)(page * PAGE)), PAGE);
	wake(page);
}

/* The ring is in page 0. */
static void
start_ring(void)
{
	vhost_client_ring(client, 0, 0, 0);
	assert_int_equal(waited_for(), 0);
	arrive(0, 0);
	loopback_dev_wait(&self, 0, RTE_VDUSE_VQ_RUNNING);
}

/* The driver makes a chain of one buffer available. */
static void
post(uint64_t iova, uint32_t len, uint16_t flags)
{
	vhost_client_post(va, nb_posted++, iova, len, flags);
}

/* A poll: returns the sum of the bytes that there are to read, or -1 without a chain. */
static int
poll_once(void)
{
	struct rte_vduse_chain chain = { 0 };
	uint32_t i, k, sum = 0;
	uint16_t n;

	if (!rte_vduse_vq_enter(self.vqs[0]))
		return -1;
	n = rte_vduse_vq_dequeue(self.vqs[0], &chain, 1);
	for (i = 0; n > 0 && i < chain.nb_out; i++)
		for (k = 0; k < chain.bufs[i].len; k++)
			sum += ((const uint8_t *)chain.bufs[i].va)[k];
	for (i = 0; n > 0 && i < chain.nb_in; i++)
		memset(chain.bufs[chain.nb_out + i].va, 0x77, chain.bufs[chain.nb_out + i].len);
	chain.used_len = chain.in_len;
	if (n > 0)
		rte_vduse_vq_enqueue(self.vqs[0], &chain, 1);
	(void)rte_vduse_vq_flush(self.vqs[0]);
	rte_vduse_vq_leave(self.vqs[0]);
	return n > 0 ? (int)sum : -1;
}

static int
serve_one(void)
{
	int sum;

	do {
		sum = poll_once();
		sched_yield();
	} while (sum < 0);
	return sum;
}

static void
test_offered(void **state)
{
	uint64_t protocol = vhost_client_ask(client, MSG_GET_PROTOCOL_FEATURES, 0, 0, false);
	int again;

	RTE_SET_USED(state);
	assert_int_equal(protocol >> MSG_PROTOCOL_PAGEFAULT & 1, 1);
	assert_int_equal(protocol >> MSG_PROTOCOL_LOG_SHMFD & 1, 1);
	/* QEMU asks once for each queue pair. */
	uffd = advise();
	again = advise();
	close(again);
	assert_int_equal(vhost_client_ask(client, MSG_POSTCOPY_END, 0, 0, true), 0);
}

static void
test_not_offered(void **state)
{
	uint64_t protocol = vhost_client_ask(client, MSG_GET_PROTOCOL_FEATURES, 0, 0, false);
	struct vhost_user_msg msg = vhost_client_msg(MSG_POSTCOPY_ADVISE, 0, 0, false);

	RTE_SET_USED(state);
	assert_int_equal(protocol >> MSG_PROTOCOL_PAGEFAULT & 1, 0);
	assert_int_equal(vhost_client_ask(client, MSG_POSTCOPY_LISTEN, 0, 0, true), 1);
	assert_int_equal(vhost_client_ask(client, MSG_POSTCOPY_END, 0, 0, true), 1);
	vhost_client_send(client, &msg, 0, -1);
	vhost_client_dropped(client);
	client = -1;
}

static void
test_refused(void **state)
{
	struct vhost_user_msg table = vhost_client_table(0, MEMORY, true);

	RTE_SET_USED(state);
	assert_int_equal(vhost_client_ask(client, MSG_POSTCOPY_LISTEN, 0, 0, true), 1);
	assert_int_equal(unit_log_count("comes without POSTCOPY_ADVISE"), 1);
	vhost_client_send(client, &table, 1, memory);
	assert_int_equal(vhost_client_answer(client, MSG_SET_MEM_TABLE), 0);
	uffd = advise();
	assert_int_equal(vhost_client_ask(client, MSG_POSTCOPY_LISTEN, 0, 0, true), 1);
	assert_int_equal(unit_log_count("comes after memory was described"), 1);
}

/* The front end has no address: it says so, and nothing is waited for. */
static void
test_no_go(void **state)
{
	RTE_SET_USED(state);
	listen_only();
	base = describe(vhost_client_table(0, MEMORY, false), true);
	vhost_client_ring(client, 0, 0, 0);
	waited_for_nothing();
	go(MSG_SET_MEM_TABLE, 1);
	vhost_client_dropped(client);
	client = -1;
	assert_int_equal(nb_allocated(), 0);
}

/* The device waits for what it needs, in turn, and everything else goes on. */
static void
test_pages(void **state)
{
	RTE_SET_USED(state);
	begin();
	vhost_client_ring(client, 0, 0, 0);
	assert_int_equal(waited_for(), 0);
	/* The control thread answers, and a poller finds nothing. */
	(void)vhost_client_ask(client, MSG_GET_FEATURES, 0, 0, false);
	assert_int_equal(poll_once(), -1);
	assert_int_equal(nb_allocated(), 0);
	arrive(0, 0);
	loopback_dev_wait(&self, 0, RTE_VDUSE_VQ_RUNNING);
	post(10 * PAGE - 2, 4, 0);
	assert_int_equal(waited_for(), 9);
	(void)vhost_client_ask(client, MSG_GET_FEATURES, 0, 0, false);
	assert_int_equal(poll_once(), -1);
	arrive(9, 1);
	assert_int_equal(waited_for(), 10);
	assert_int_equal(poll_once(), -1);
	arrive(10, 3);
	assert_int_equal(serve_one(), 8);
	assert_int_equal(nb_allocated(), 3);
	/* It is not asked for again, and may be written. */
	post(9 * PAGE, (uint32_t)PAGE, VRING_DESC_F_WRITE);
	(void)serve_one();
	assert_int_equal(va[9 * PAGE] & va[10 * PAGE - 1], 0x77);
	assert_int_equal(va[10 * PAGE], 3);
	waited_for_nothing();
	assert_int_equal(nb_allocated(), 3);
}

/* What is there already is found, and not more than that. */
static void
test_there(void **state)
{
	uint8_t bytes[4 * PAGE];

	RTE_SET_USED(state);
	begin();
	start_ring();
	memset(bytes, 1, sizeof(bytes));
	assert_int_equal(pwrite(memory, bytes, sizeof(bytes), 20 * PAGE), sizeof(bytes));
	post(20 * PAGE, 4 * (uint32_t)PAGE, 0);
	assert_int_equal(serve_one(), 4 * PAGE);
	waited_for_nothing();
	post(23 * PAGE, 2 * (uint32_t)PAGE, 0);
	assert_int_equal(waited_for(), 24);
	arrive(24, 1);
	assert_int_equal(serve_one(), 2 * PAGE);
	assert_int_equal(nb_allocated(), 6);
}

/* Of memory that has all arrived, nothing is waited for: a page that is not there is a hole. */
static void
test_end(void **state)
{
	RTE_SET_USED(state);
	begin();
	start_ring();
	post(9 * PAGE, 8, 0);
	assert_int_equal(waited_for(), 9);
	assert_int_equal(poll_once(), -1);
	/* It has waited for a page that did not arrive: the front end knows why. */
	assert_int_equal(vhost_client_ask(client, MSG_POSTCOPY_END, 0, 0, true), 0);
	assert_int_equal(serve_one(), 0);
	post(40 * PAGE, 8, VRING_DESC_F_WRITE);
	(void)serve_one();
	assert_int_equal(va[40 * PAGE], 0x77);
	close(client);
	client = vhost_client_connect(path);
	assert_int_equal(vhost_client_ask(client, MSG_POSTCOPY_LISTEN, 0, 0, true), 1);
}

/* The front end goes away while a page is waited for, and keeps the file. The page stays missing. */
static void
test_hang_up(void **state)
{
	RTE_SET_USED(state);
	begin();
	start_ring();
	post(9 * PAGE, 8, 0);
	assert_int_equal(waited_for(), 9);
	close(client);
	client = vhost_client_connect(path);
	(void)vhost_client_ask(client, MSG_GET_FEATURES, 0, 0, false);
	waited_for_nothing();
	assert_int_equal(nb_allocated(), 1);
	close(client);
	client = -1;
}

/* Memory is added while a page is waited for: it is waited for at another address. */
static void
test_slots(void **state)
{
	const uint64_t half = MEMORY / 2;

	RTE_SET_USED(state);
	listen_only();
	base = describe(vhost_client_slot(MSG_ADD_MEM_REG, 0, half), false);
	go(MSG_ADD_MEM_REG, 0);
	start_ring();
	post(9 * PAGE, 8, 0);
	assert_int_equal(waited_for(), 9);
	/* The same file's first half once more, behind it. */
	(void)describe(vhost_client_slot(MSG_ADD_MEM_REG, half, half), false);
	assert_int_equal(nb_allocated(), 1);
	go(MSG_ADD_MEM_REG, 0);
	assert_int_equal(unit_log_count("refused"), 0);
	post(half, 8, 0);
	unit_ctrl_turn();
	assert_int_equal(nb_allocated(), 1);
}

/* An address in no region never comes. */
static void
test_nowhere(void **state)
{
	RTE_SET_USED(state);
	begin();
	start_ring();
	post(MEMORY + PAGE, 8, 0);
	while (loopback_dev_state(&self, 0) != RTE_VDUSE_VQ_ERROR) {
		assert_int_equal(poll_once(), -1);
		sched_yield();
	}
	waited_for_nothing();
}

/* The front end takes the memory away while a page of it is waited for. */
static void
test_truncated(void **state)
{
	RTE_SET_USED(state);
	unit_sigbus_restore();
	begin();
	start_ring();
	post(9 * PAGE, 8, 0);
	assert_int_equal(waited_for(), 9);
	assert_int_equal(ftruncate(memory, PAGE), 0);
	wake(9);
	(void)vhost_client_ask(client, MSG_GET_FEATURES, 0, 0, false);
	assert_int_equal(ftruncate(memory, MEMORY), 0);
}

/* An application locks its memory, as testpmd does: the kernel populates what is mapped then. */
static void
test_locked(void **state)
{
	RTE_SET_USED(state);
	if (mlockall(MCL_FUTURE) < 0)
		skip();
	begin();
	assert_int_equal(nb_allocated(), 0);
	start_ring();
	post(9 * PAGE, 8, 0);
	assert_int_equal(waited_for(), 9);
	arrive(9, 1);
	assert_int_equal(serve_one(), 8);
	assert_int_equal(nb_allocated(), 2);
	munlockall();
}

/* And so when it takes memory that is there, of which a driver may show much more than it has. */
static void
test_locked_sparse(void **state)
{
	struct vhost_user_msg table = vhost_client_table(0, MEMORY, true);

	RTE_SET_USED(state);
	if (mlockall(MCL_FUTURE) < 0)
		skip();
	assert_int_equal(vhost_client_ask(client, MSG_SET_FEATURES, ACKED, 8, true), 0);
	vhost_client_send(client, &table, 1, memory);
	assert_int_equal(vhost_client_answer(client, MSG_SET_MEM_TABLE), 0);
	va[0] = 0;
	vhost_client_ring(client, 0, 0, 0);
	loopback_dev_wait(&self, 0, RTE_VDUSE_VQ_RUNNING);
	assert_int_equal(nb_allocated(), 1);
	munlockall();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_offered, setup, teardown),
		cmocka_unit_test_setup_teardown(test_not_offered, setup_without, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_go, setup, teardown),
		cmocka_unit_test_setup_teardown(test_pages, setup, teardown),
		cmocka_unit_test_setup_teardown(test_there, setup, teardown),
		cmocka_unit_test_setup_teardown(test_end, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hang_up, setup, teardown),
		cmocka_unit_test_setup_teardown(test_slots, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nowhere, setup, teardown),
		cmocka_unit_test_setup_teardown(test_truncated, setup, teardown),
		cmocka_unit_test_setup_teardown(test_locked, setup, teardown),
		cmocka_unit_test_setup_teardown(test_locked_sparse, setup, teardown),
	};

	if (vhost_user_postcopy_probe() < 0) {
		fprintf(stderr, "*** SKIP: no userfaultfd(2)\n");
		return 77;
	}
	unit_init();
	assert_int_equal(vduse_guard_install(), 0);
	unit_sigbus_keep();
	return unit_done(cmocka_run_group_tests(tests, NULL, NULL));
}
