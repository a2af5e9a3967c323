/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Sizes, offsets and numbers of the kernel's interface, checked by compiling: as 64-bit and as
 * 32-bit code, where 64-bit fields have another alignment. The numbers are the kernel's, written
 * out, for two mistakes in a header could make up for each other.
 */
#include <stddef.h>

#include <linux/ioctl.h>
#include <linux/vduse.h>

#define SIZE(type, size)     _Static_assert(sizeof(struct type) == (size), #type)
#define AT(type, field, at)  _Static_assert(offsetof(struct type, field) == (at), #type "." #field)
#define NUMBER(name, number) _Static_assert((name) == (number), #name)

/* A struct that ends in a byte after 64-bit fields is shorter on i386. */
#ifdef __i386__
#define PAD(i386, other) (i386)
#else
#define PAD(i386, other) (other)
#endif

SIZE(vduse_dev_config, 336);
AT(vduse_dev_config, vendor_id, 256);
AT(vduse_dev_config, device_id, 260);
AT(vduse_dev_config, features, 264);
AT(vduse_dev_config, vq_num, 272);
AT(vduse_dev_config, vq_align, 276);
AT(vduse_dev_config, ngroups, 280);
AT(vduse_dev_config, nas, 284);
AT(vduse_dev_config, reserved, 288);
AT(vduse_dev_config, config_size, 332);
AT(vduse_dev_config, config, 336);

SIZE(vduse_iotlb_entry, PAD(28, 32));
AT(vduse_iotlb_entry, start, 8);
AT(vduse_iotlb_entry, last, 16);
AT(vduse_iotlb_entry, perm, 24);
SIZE(vduse_iotlb_entry_v2, 80);
AT(vduse_iotlb_entry_v2, perm, 24);
AT(vduse_iotlb_entry_v2, asid, 32);
AT(vduse_iotlb_entry_v2, reserved, 36);

SIZE(vduse_config_data, 8);
AT(vduse_config_data, length, 4);
AT(vduse_config_data, buffer, 8);
SIZE(vduse_vq_config, 32);
AT(vduse_vq_config, max_size, 4);
AT(vduse_vq_config, group, 8);
AT(vduse_vq_config, reserved2, 12);
SIZE(vduse_vq_info, PAD(44, 48));
AT(vduse_vq_info, desc_addr, 8);
AT(vduse_vq_info, device_addr, 24);
AT(vduse_vq_info, packed, 32);
AT(vduse_vq_info, ready, 40);
SIZE(vduse_vq_eventfd, 8);
SIZE(vduse_iova_umem, 48);
AT(vduse_iova_umem, asid, 24);
AT(vduse_iova_umem, reserved, 28);
SIZE(vduse_iova_info, 48);
AT(vduse_iova_info, capability, 16);
AT(vduse_iova_info, asid, 24);
AT(vduse_iova_info, reserved, 28);

SIZE(vduse_dev_request, 152);
AT(vduse_dev_request, request_id, 4);
AT(vduse_dev_request, vq_state, 24);
AT(vduse_dev_request, s, 24);
AT(vduse_dev_request, iova, 24);
AT(vduse_dev_request, iova_v2, 24);
AT(vduse_dev_request, vq_group_asid, 24);
AT(vduse_dev_request, vq_ready, 24);
SIZE(vduse_vq_state, 12);
SIZE(vduse_iova_range, 16);
SIZE(vduse_iova_range_v2, 24);
AT(vduse_iova_range_v2, asid, 16);
SIZE(vduse_vq_group_asid, 8);
SIZE(vduse_vq_ready, 8);
SIZE(vduse_dev_response, 152);
AT(vduse_dev_response, result, 4);
AT(vduse_dev_response, vq_state, 24);

NUMBER(VDUSE_GET_API_VERSION, 0x80088100);
NUMBER(VDUSE_SET_API_VERSION, 0x40088101);
NUMBER(VDUSE_CREATE_DEV, 0x41508102);
NUMBER(VDUSE_DESTROY_DEV, 0x41008103);
NUMBER(VDUSE_GET_FEATURES, 0x80088104);
NUMBER(VDUSE_SET_FEATURES, 0x40088105);
NUMBER(VDUSE_IOTLB_GET_FD, PAD(0xc01c8110, 0xc0208110));
NUMBER(VDUSE_DEV_GET_FEATURES, 0x80088111);
NUMBER(VDUSE_DEV_SET_CONFIG, 0x40088112);
NUMBER(VDUSE_DEV_INJECT_CONFIG_IRQ, 0x00008113);
NUMBER(VDUSE_VQ_SETUP, 0x40208114);
NUMBER(VDUSE_VQ_GET_INFO, PAD(0xc02c8115, 0xc0308115));
NUMBER(VDUSE_VQ_SETUP_KICKFD, 0x40088116);
NUMBER(VDUSE_VQ_INJECT_IRQ, 0x40048117);
NUMBER(VDUSE_IOTLB_REG_UMEM, 0x40308118);
NUMBER(VDUSE_IOTLB_DEREG_UMEM, 0x40308119);
NUMBER(VDUSE_IOTLB_GET_INFO, 0xc030811a);
NUMBER(VDUSE_IOTLB_GET_FD2, 0xc050811b);
