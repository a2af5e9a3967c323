/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Frames through virtio_net and back, while the process continuously replaces bounce memory with
 * its own and removes it again. One thread sends, one receives, and this one is the device: it
 * copies every frame from the transmit ring to the receive ring. All check every byte.
 */
#include <glob.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>

#include "conform.h"
#include "dev.h"
#include "ring.h"
#include "tap.h"

#define BOUNCE_SIZE	(2UL << 20)
#define ETHERTYPE	0x88b5
#define ETHERTYPE_LESS	0x88b6
#define HEADER		12	/* virtio's, in front of a frame */
#define FRAME_SIZE	1000
#define ROUNDS		40
#define ROUND_US	20000

struct frame {
	struct ethhdr eth;
	uint32_t number;
	uint8_t byte[FRAME_SIZE - sizeof(struct ethhdr) - sizeof(uint32_t)];
} __attribute__((packed));

static atomic_bool over;
static atomic_uint received, damaged;
static int packets;

/* --- frames --- */

static void
frame_fill(struct frame *frame, uint32_t number)
{
	unsigned int i;

	memset(frame->eth.h_dest, 0xff, ETH_ALEN);
	memset(frame->eth.h_source, 2, ETH_ALEN);
	frame->eth.h_proto = htons(ETHERTYPE);
	frame->number = number;
	for (i = 0; i < sizeof(frame->byte); i++)
		frame->byte[i] = number * 7 + i;
}

static void
frame_check(const struct frame *frame)
{
	struct frame right;

	frame_fill(&right, frame->number);
	if (memcmp(frame, &right, sizeof(right)) != 0)
		atomic_fetch_add(&damaged, 1);
}

static void *
send_frames(void *unused)
{
	struct pollfd poll_fd = { .fd = packets, .events = POLLOUT };
	struct frame frame;
	uint32_t number = 0;

	while (!atomic_load(&over)) {
		frame_fill(&frame, number);
		if (poll(&poll_fd, 1, 50) == 1 &&
				send(packets, &frame, sizeof(frame), MSG_DONTWAIT) == sizeof(frame))
			number++;
	}
	return unused;
}

static void *
receive_frames(void *unused)
{
	struct pollfd poll_fd = { .fd = packets, .events = POLLIN };
	struct frame frame;

	while (!atomic_load(&over)) {
		if (poll(&poll_fd, 1, 50) != 1 || !(poll_fd.revents & POLLIN) ||
				recv(packets, &frame, sizeof(frame), MSG_DONTWAIT) != sizeof(frame))
			continue;
		frame_check(&frame);
		atomic_fetch_add(&received, 1);
	}
	return unused;
}

static unsigned int
interface(void)
{
	glob_t found;
	unsigned int index;

	need(glob("/sys/bus/vdpa/devices/" DEV_NAME "/virtio*/net/*", 0, NULL, &found) == 0,
			"find the interface");
	index = if_nametoindex(strrchr(found.gl_pathv[0], '/') + 1);
	globfree(&found);
	return index;
}

static int
open_packets(uint16_t ethertype)
{
	struct sockaddr_ll address = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ethertype),
		.sll_ifindex = interface(),
	};

	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ethertype));

	need(fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0,
			"open a packet socket");
	return fd;
}

/* --- the device --- */

static void
forward(int fd, struct ring *tx, struct ring *rx, uint8_t *base)
{
	uint8_t buffer[2048];
	uint32_t len;
	bool any = false;

	while (ring_has(tx) && ring_has(rx)) {
		len = ring_copy(tx, base, buffer, sizeof(buffer), false);
		ring_finish(tx, 0);
		if (len == HEADER + FRAME_SIZE)
			frame_check((struct frame *)(buffer + HEADER));
		memset(buffer, 0, HEADER);
		ring_finish(rx, ring_copy(rx, base, buffer, len, true));
		any = true;
	}
	if (!any)
		return;
	ioctl(fd, VDUSE_VQ_INJECT_IRQ, &tx->index);
	ioctl(fd, VDUSE_VQ_INJECT_IRQ, &rx->index);
}

static void
forward_for(int fd, struct ring *tx, struct ring *rx, uint8_t *base, unsigned int microseconds)
{
	struct timespec begin, now;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	do {
		forward(fd, tx, rx, base);
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while ((now.tv_sec - begin.tv_sec) * 1000000 + (now.tv_nsec - begin.tv_nsec) / 1000 <
			microseconds);
}

static unsigned int
run_rounds(int fd, uint8_t *bounce)
{
	uint8_t *own = mmap(NULL, BOUNCE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			-1, 0);
	struct vduse_iova_umem umem = { .uaddr = (uintptr_t)own, .size = BOUNCE_SIZE };
	struct ring rx, tx;
	unsigned int i, failed = 0;

	ring_open(&rx, fd, 0);
	ring_open(&tx, fd, 1);
	for (i = 0; i < ROUNDS; i++) {
		forward_for(fd, &tx, &rx, bounce, ROUND_US);
		failed += ioctl(fd, VDUSE_IOTLB_REG_UMEM, &umem) < 0;
		forward_for(fd, &tx, &rx, own, ROUND_US);
		failed += ioctl(fd, VDUSE_IOTLB_DEREG_UMEM, &umem) < 0;
	}
	munmap(own, BOUNCE_SIZE);
	return failed;
}

/* Writes less than it says: a frame that begins, in each buffer of the ring. */
static bool
send_less(int fd, struct ring *rx, uint8_t *base)
{
	struct {
		uint8_t header[HEADER];
		struct ethhdr eth;
	} __attribute__((packed)) begin = { .eth.h_proto = htons(ETHERTYPE_LESS) };
	unsigned int ms;

	memset(begin.eth.h_dest, 0xff, ETH_ALEN);
	for (ms = 0; !ring_has(rx) && ms < 5000; ms++)
		usleep(1000);
	if (!ring_has(rx))
		return false;
	ring_copy(rx, base, &begin, sizeof(begin), true);
	ring_finish(rx, HEADER + FRAME_SIZE);
	return ioctl(fd, VDUSE_VQ_INJECT_IRQ, &rx->index) == 0;
}

/* The driver's buffers have had frames of the tests before, and must not show them again. */
static void
test_written_less(int fd, uint8_t *base)
{
	struct pollfd poll_fd = { .fd = open_packets(ETHERTYPE_LESS), .events = POLLIN };
	static const uint8_t nothing[FRAME_SIZE - sizeof(struct ethhdr)];
	uint8_t frame[FRAME_SIZE + 1];
	unsigned int i, clean = 0;
	struct ring rx;

	ring_open(&rx, fd, 0);
	for (i = 0; i < DEV_VQ_SIZE && send_less(fd, &rx, base); i++) {
		if (poll(&poll_fd, 1, 5000) != 1 ||
				recv(poll_fd.fd, frame, sizeof(frame), MSG_DONTWAIT) != FRAME_SIZE)
			break;
		clean += memcmp(frame + sizeof(struct ethhdr), nothing, sizeof(nothing)) == 0;
	}
	close(poll_fd.fd);
	tap(i == DEV_VQ_SIZE, "written less: each buffer of the ring");
	tap(clean == i, "written less: nothing of earlier frames");
	if (clean != i)
		printf("# %u of %u show earlier frames\n", i - clean, i);
}

/* The device is under virtio_net, its interface is up, and its rings have not been served. */
void
conform_traffic(int fd)
{
	struct vduse_iotlb_entry entry;
	uint8_t *bounce = dev_map(fd, 0, MAP_SHARED, &entry);
	pthread_t sender, receiver;

	need(bounce != MAP_FAILED, "map bounce memory");
	packets = open_packets(ETHERTYPE);
	need(pthread_create(&sender, NULL, send_frames, NULL) == 0, "start a thread");
	need(pthread_create(&receiver, NULL, receive_frames, NULL) == 0, "start another");
	tap(run_rounds(fd, bounce) == 0, "umem: replaced and given back under traffic");
	atomic_store(&over, true);
	pthread_join(sender, NULL);
	pthread_join(receiver, NULL);
	close(packets);
	printf("# %u frames came back\n", atomic_load(&received));
	tap(atomic_load(&received) > ROUNDS, "umem: frames come back");
	tap(atomic_load(&damaged) == 0, "umem: every frame is whole");
	test_written_less(fd, bounce);
	munmap(bounce, BOUNCE_SIZE);
}
