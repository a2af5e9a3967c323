/* SPDX-License-Identifier: ((GPL-2.0-only WITH Linux-syscall-note) OR BSD-3-Clause) */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * VDUSE: the interface between the kernel and a process that serves a virtio
 * device. /dev/vduse/control makes and destroys devices, /dev/vduse/NAME is
 * one of them: ioctls for its memory and virtqueues, read() for what the
 * kernel asks, write() for the answers.
 *
 * Every size, offset and number is part of the ABI.
 */
#ifndef _UAPI_VDUSE_H_
#define _UAPI_VDUSE_H_

#include <linux/types.h>

#define VDUSE_BASE	0x81

/* Versions of the interface; 1 adds virtqueue groups and address spaces. */
#define VDUSE_API_VERSION	0
#define VDUSE_API_VERSION_1	1

/*
 * --- /dev/vduse/control ---
 *
 * Version and features belong to the open file and are taken over by the
 * devices made with it. A file that neither asks nor tells makes devices of
 * version 0.
 */

/* Newest version the kernel has; an open file that asks is set to it. */
#define VDUSE_GET_API_VERSION	_IOR(VDUSE_BASE, 0x00, __u64)

/* Version that the caller was written for. */
#define VDUSE_SET_API_VERSION	_IOW(VDUSE_BASE, 0x01, __u64)

#define VDUSE_NAME_MAX	256

/**
 * struct vduse_dev_config - what a new device is
 * @name: name of the device and of its file, with a terminating NUL
 * @vendor_id: virtio vendor
 * @device_id: virtio device type
 * @features: virtio features that are offered
 * @vq_num: number of virtqueues
 * @vq_align: alignment of a virtqueue in bytes, a power of two
 * @ngroups: number of virtqueue groups; 0 in version 0
 * @nas: number of address spaces; 0 in version 0
 * @reserved: zero
 * @config_size: bytes in @config
 * @config: what the configuration space holds at first
 */
struct vduse_dev_config {
	char name[VDUSE_NAME_MAX];
	__u32 vendor_id;
	__u32 device_id;
	__u64 features;
	__u32 vq_num;
	__u32 vq_align;
	__u32 ngroups;
	__u32 nas;
	__u32 reserved[11];
	__u32 config_size;
	__u8 config[];
};

/* Make the device and its file. */
#define VDUSE_CREATE_DEV	_IOW(VDUSE_BASE, 0x02, struct vduse_dev_config)

/* Destroy a device whose file is closed and which is on no bus. */
#define VDUSE_DESTROY_DEV	_IOW(VDUSE_BASE, 0x03, char[VDUSE_NAME_MAX])

/* Numbers of the bits for optional parts. */
/* The kernel asks for every change of a virtqueue's ready state. */
#define VDUSE_F_QUEUE_READY	0
/* The kernel may ask a device to suspend. */
#define VDUSE_F_SUSPEND		1

/* Optional parts that the kernel has, 1 << VDUSE_F_*. */
#define VDUSE_GET_FEATURES	_IOR(VDUSE_BASE, 0x04, __u64)

/* Optional parts that the caller wants, 1 << VDUSE_F_*. */
#define VDUSE_SET_FEATURES	_IOW(VDUSE_BASE, 0x05, __u64)

/* --- /dev/vduse/NAME --- */

#define VDUSE_ACCESS_RO 0x1
#define VDUSE_ACCESS_WO 0x2
#define VDUSE_ACCESS_RW 0x3

/**
 * struct vduse_iotlb_entry - a region of address space 0
 * @offset: where the region begins in the file that is returned
 * @start: in: first address asked about; out: first address of the region
 * @last: in: last address asked about; out: last address of the region
 * @perm: VDUSE_ACCESS_*
 */
struct vduse_iotlb_entry {
	__u64 offset;
	__u64 start;
	__u64 last;
	__u8 perm;
};

/* First region within [start, last]; returns a file to map. EINVAL: none. */
#define VDUSE_IOTLB_GET_FD	_IOWR(VDUSE_BASE, 0x10, struct vduse_iotlb_entry)

/* The features that the driver chose, final once FEATURES_OK is set. */
#define VDUSE_DEV_GET_FEATURES	_IOR(VDUSE_BASE, 0x11, __u64)

/**
 * struct vduse_config_data - part of the configuration space
 * @offset: where it begins
 * @length: bytes in @buffer
 * @buffer: the new contents
 */
struct vduse_config_data {
	__u32 offset;
	__u32 length;
	__u8 buffer[];
};

/* Change the configuration space. */
#define VDUSE_DEV_SET_CONFIG	_IOW(VDUSE_BASE, 0x12, struct vduse_config_data)

/* Tell the driver that the configuration space changed. */
#define VDUSE_DEV_INJECT_CONFIG_IRQ	_IO(VDUSE_BASE, 0x13)

/**
 * struct vduse_vq_config - what a virtqueue is
 * @index: which one
 * @max_size: largest number of entries
 * @reserved1: zero
 * @group: group that it belongs to; 0 in version 0
 * @reserved2: zero
 */
struct vduse_vq_config {
	__u32 index;
	__u16 max_size;
	__u16 reserved1;
	__u32 group;
	__u16 reserved2[10];
};

/* Set a virtqueue up: each one, before the device is put on the bus. */
#define VDUSE_VQ_SETUP	_IOW(VDUSE_BASE, 0x14, struct vduse_vq_config)

/**
 * struct vduse_vq_state_split - where a split ring is to go on
 * @avail_index: next entry of the available ring
 */
struct vduse_vq_state_split {
	__u16 avail_index;
};

/**
 * struct vduse_vq_state_packed - where a packed ring is to go on
 * @last_avail_counter: wrap counter beside @last_avail_idx
 * @last_avail_idx: next descriptor to look at
 * @last_used_counter: wrap counter beside @last_used_idx
 * @last_used_idx: next descriptor to give back
 */
struct vduse_vq_state_packed {
	__u16 last_avail_counter;
	__u16 last_avail_idx;
	__u16 last_used_counter;
	__u16 last_used_idx;
};

/**
 * struct vduse_vq_info - what the driver made of a virtqueue
 * @index: in: which one
 * @num: entries
 * @desc_addr: address of the descriptor area
 * @driver_addr: address of the driver's area
 * @device_addr: address of the device's area
 * @split: where to go on, if the ring is split
 * @packed: where to go on, if the ring is packed
 * @ready: the driver switched it on
 */
struct vduse_vq_info {
	__u32 index;
	__u32 num;
	__u64 desc_addr;
	__u64 driver_addr;
	__u64 device_addr;
	union {
		struct vduse_vq_state_split split;
		struct vduse_vq_state_packed packed;
	};
	__u8 ready;
};

#define VDUSE_VQ_GET_INFO	_IOWR(VDUSE_BASE, 0x15, struct vduse_vq_info)

#define VDUSE_EVENTFD_DEASSIGN -1

/**
 * struct vduse_vq_eventfd - the eventfd that a kick signals
 * @index: virtqueue
 * @fd: an eventfd, or VDUSE_EVENTFD_DEASSIGN for none
 */
struct vduse_vq_eventfd {
	__u32 index;
	int fd;
};

#define VDUSE_VQ_SETUP_KICKFD	_IOW(VDUSE_BASE, 0x16, struct vduse_vq_eventfd)

/* Interrupt the driver of the virtqueue of this index. */
#define VDUSE_VQ_INJECT_IRQ	_IOW(VDUSE_BASE, 0x17, __u32)

/**
 * struct vduse_iova_umem - memory of the caller's in place of bounce memory
 * @uaddr: where it begins, aligned to a page
 * @iova: first address of the region it serves: 0
 * @size: size of the whole region
 * @asid: address space; 0 in version 0
 * @reserved: zero
 */
struct vduse_iova_umem {
	__u64 uaddr;
	__u64 iova;
	__u64 size;
	__u32 asid;
	__u32 reserved[5];
};

#define VDUSE_IOTLB_REG_UMEM	_IOW(VDUSE_BASE, 0x18, struct vduse_iova_umem)

/* Give the memory back; @uaddr is not looked at. */
#define VDUSE_IOTLB_DEREG_UMEM	_IOW(VDUSE_BASE, 0x19, struct vduse_iova_umem)

/* The region takes VDUSE_IOTLB_REG_UMEM. */
#define VDUSE_IOVA_CAP_UMEM 0x1

/**
 * struct vduse_iova_info - what a region can do
 * @start: in: first address asked about; out: first address of the region
 * @last: in: last address asked about; out: last address of the region
 * @capability: VDUSE_IOVA_CAP_*
 * @asid: address space; 0 in version 0
 * @reserved: zero
 */
struct vduse_iova_info {
	__u64 start;
	__u64 last;
	__u64 capability;
	__u32 asid;
	__u32 reserved[5];
};

#define VDUSE_IOTLB_GET_INFO	_IOWR(VDUSE_BASE, 0x1a, struct vduse_iova_info)

/**
 * struct vduse_iotlb_entry_v2 - a region of any address space
 * @offset: where the region begins in the file that is returned
 * @start: in: first address asked about; out: first address of the region
 * @last: in: last address asked about; out: last address of the region
 * @perm: VDUSE_ACCESS_*
 * @padding: zero
 * @asid: address space
 * @reserved: zero
 */
struct vduse_iotlb_entry_v2 {
	__u64 offset;
	__u64 start;
	__u64 last;
	__u8 perm;
	__u8 padding[7];
	__u32 asid;
	__u32 reserved[11];
};

/* As VDUSE_IOTLB_GET_FD; devices of version 1. */
#define VDUSE_IOTLB_GET_FD2	_IOWR(VDUSE_BASE, 0x1b, struct vduse_iotlb_entry_v2)

/* --- what read() gives and write() takes --- */

/**
 * enum vduse_req_type - what the kernel asks
 * @VDUSE_GET_VQ_STATE: where a virtqueue stands
 * @VDUSE_SET_STATUS: take a new status; 0 is a reset
 * @VDUSE_UPDATE_IOTLB: forget what is known of a range of addresses
 * @VDUSE_SET_VQ_GROUP_ASID: a virtqueue group changes its address space
 * @VDUSE_SET_VQ_READY: a virtqueue is switched, with VDUSE_F_QUEUE_READY
 * @VDUSE_SUSPEND: stop using the rings, with VDUSE_F_SUSPEND
 */
enum vduse_req_type {
	VDUSE_GET_VQ_STATE,
	VDUSE_SET_STATUS,
	VDUSE_UPDATE_IOTLB,
	VDUSE_SET_VQ_GROUP_ASID,
	VDUSE_SET_VQ_READY,
	VDUSE_SUSPEND,
};

/**
 * struct vduse_vq_state - where a virtqueue stands
 * @index: which one
 * @split: if its ring is split
 * @packed: if its ring is packed
 */
struct vduse_vq_state {
	__u32 index;
	union {
		struct vduse_vq_state_split split;
		struct vduse_vq_state_packed packed;
	};
};

/**
 * struct vduse_dev_status - a new status
 * @status: virtio status byte
 */
struct vduse_dev_status {
	__u8 status;
};

/**
 * struct vduse_iova_range - addresses [start, last]
 * @start: the first
 * @last: the last
 */
struct vduse_iova_range {
	__u64 start;
	__u64 last;
};

/**
 * struct vduse_iova_range_v2 - addresses [start, last] of an address space
 * @start: the first
 * @last: the last
 * @asid: address space
 * @padding: zero
 */
struct vduse_iova_range_v2 {
	__u64 start;
	__u64 last;
	__u32 asid;
	__u32 padding;
};

/**
 * struct vduse_vq_group_asid - a group's new address space
 * @group: virtqueue group
 * @asid: address space
 */
struct vduse_vq_group_asid {
	__u32 group;
	__u32 asid;
};

/**
 * struct vduse_vq_ready - a virtqueue's new ready state
 * @num: virtqueue
 * @ready: 0 or 1
 */
struct vduse_vq_ready {
	__u32 num;
	__u32 ready;
};

/**
 * struct vduse_dev_request - what read() gives
 * @type: enum vduse_req_type
 * @request_id: to be repeated in the answer
 * @reserved: zero
 * @vq_state: VDUSE_GET_VQ_STATE, the index
 * @s: VDUSE_SET_STATUS
 * @iova: VDUSE_UPDATE_IOTLB in version 0
 * @iova_v2: VDUSE_UPDATE_IOTLB in version 1
 * @vq_group_asid: VDUSE_SET_VQ_GROUP_ASID
 * @vq_ready: VDUSE_SET_VQ_READY
 * @padding: to the full size
 */
struct vduse_dev_request {
	__u32 type;
	__u32 request_id;
	__u32 reserved[4];
	union {
		struct vduse_vq_state vq_state;
		struct vduse_dev_status s;
		struct vduse_iova_range iova;
		struct vduse_iova_range_v2 iova_v2;
		struct vduse_vq_group_asid vq_group_asid;
		struct vduse_vq_ready vq_ready;
		__u32 padding[32];
	};
};

#define VDUSE_REQ_RESULT_OK	0x00
#define VDUSE_REQ_RESULT_FAILED	0x01

/**
 * struct vduse_dev_response - what write() takes
 * @request_id: the request that it answers
 * @result: VDUSE_REQ_RESULT_*
 * @reserved: zero
 * @vq_state: VDUSE_GET_VQ_STATE
 * @padding: to the full size
 */
struct vduse_dev_response {
	__u32 request_id;
	__u32 result;
	__u32 reserved[4];
	union {
		struct vduse_vq_state vq_state;
		__u32 padding[32];
	};
};

#endif /* _UAPI_VDUSE_H_ */
