/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The metrics and the fields of telemetry that they come from. See doc/guides/telemetry.md.
 * Thread: any.
 */
#include "exporter.h"

const struct family families[] = {
	{
		.name = "vduse_up",
		.type = "gauge",
		.help = "1 if the process answers",
		.place = FAMILY_PROCESS,
		.samples = {
			{ "up", NULL },
		},
	},
	{
		.name = "vduse_devices",
		.type = "gauge",
		.help = "Devices of the process",
		.place = FAMILY_PROCESS,
		.samples = {
			{ "devices", NULL },
		},
	},
	{
		.name = "vduse_device",
		.type = "info",
		.help = "Type, transport and path of a device",
		.place = FAMILY_DEVICE,
		.samples = {
			{ "name", NULL },
		},
	},
	{
		.name = "vduse_device_driver_ok",
		.type = "gauge",
		.help = "1 if a driver uses the device",
		.place = FAMILY_DEVICE,
		.mask = 0x4,
		.samples = {
			{ "status", NULL },
		},
	},
	{
		.name = "vduse_device_driver_failed",
		.type = "gauge",
		.help = "1 if the driver gave up, or the device needs a reset",
		.place = FAMILY_DEVICE,
		.mask = 0xc0,
		.samples = {
			{ "status", NULL },
		},
	},
	{
		.name = "vduse_device_broken",
		.type = "gauge",
		.help = "1 if the kernel gave up the device",
		.place = FAMILY_DEVICE,
		.samples = {
			{ "broken", NULL },
		},
	},
	{
		.name = "vduse_device_suspended",
		.type = "gauge",
		.help = "1 if the device is suspended",
		.place = FAMILY_DEVICE,
		.samples = {
			{ "suspended", NULL },
		},
	},
	{
		.name = "vduse_device_taken_over",
		.type = "gauge",
		.help = "1 if the device came from a process that was killed",
		.place = FAMILY_DEVICE,
		.samples = {
			{ "taken_over", NULL },
		},
	},
	{
		.name = "vduse_device_messages",
		.type = "counter",
		.help = "Messages of the kernel or the peer",
		.place = FAMILY_DEVICE,
		.samples = {
			{ "messages", NULL },
		},
	},
	{
		.name = "vduse_device_resets",
		.type = "counter",
		.help = "Resets by the driver",
		.place = FAMILY_DEVICE,
		.samples = {
			{ "resets", NULL },
		},
	},
	{
		.name = "vduse_device_iotlb_updates",
		.type = "counter",
		.help = "Changes of driver memory",
		.place = FAMILY_DEVICE,
		.samples = {
			{ "iotlb_updates", NULL },
		},
	},
	{
		.name = "vduse_device_regions",
		.type = "gauge",
		.help = "Regions of driver memory",
		.place = FAMILY_DEVICE,
		.samples = {
			{ "regions", NULL },
		},
	},
	{
		.name = "vduse_device_mapped_bytes",
		.type = "gauge",
		.unit = "bytes",
		.help = "Driver memory that is mapped",
		.place = FAMILY_DEVICE,
		.samples = {
			{ "mapped_bytes", NULL },
		},
	},
	{
		.name = "vduse_virtqueue_ready",
		.type = "gauge",
		.help = "1 if the driver enabled the virtqueue",
		.place = FAMILY_VQ,
		.samples = {
			{ "ready", NULL },
		},
	},
	{
		.name = "vduse_virtqueue_error",
		.type = "gauge",
		.help = "1 if the virtqueue stopped at an error of the driver",
		.place = FAMILY_VQ,
		.equals = "error",
		.samples = {
			{ "state", NULL },
		},
	},
	{
		.name = "vduse_virtqueue_size",
		.type = "gauge",
		.help = "Entries of the ring",
		.place = FAMILY_VQ,
		.samples = {
			{ "size", NULL },
		},
	},
	{
		.name = "vduse_virtqueue_iotlb_misses",
		.type = "counter",
		.help = "Addresses that were not mapped when they were needed",
		.place = FAMILY_VQ,
		.samples = {
			{ "misses", NULL },
		},
	},
	{
		.name = "vduse_virtqueue_faults",
		.type = "counter",
		.help = "Faults of the driver",
		.place = FAMILY_VQ,
		.samples = {
			{ "faults", NULL },
		},
	},
	{
		.name = "vduse_blk_capacity_bytes",
		.type = "gauge",
		.unit = "bytes",
		.help = "Size of the disk",
		.place = FAMILY_DEVICE,
		.scale = 512,
		.samples = {
			{ "sectors", NULL },
		},
	},
	{
		.name = "vduse_blk_requests",
		.type = "counter",
		.help = "Requests of a disk that were finished",
		.place = FAMILY_BLK,
		.samples = {
			{ "reads", "operation=\"read\"" },
			{ "writes", "operation=\"write\"" },
			{ "flushes", "operation=\"flush\"" },
			{ "discards", "operation=\"discard\"" },
			{ "write_zeroes", "operation=\"write_zeroes\"" },
			{ "secure_erases", "operation=\"secure_erase\"" },
			{ "others", "operation=\"other\"" },
		},
	},
	{
		.name = "vduse_blk_bytes",
		.type = "counter",
		.unit = "bytes",
		.help = "Data of requests",
		.place = FAMILY_BLK,
		.samples = {
			{ "read_bytes", "operation=\"read\"" },
			{ "written_bytes", "operation=\"write\"" },
		},
	},
	{
		.name = "vduse_blk_errors",
		.type = "counter",
		.help = "Requests and descriptors that failed",
		.place = FAMILY_BLK,
		.samples = {
			{ "io_errors", "reason=\"io\"" },
			{ "bad_requests", "reason=\"bad_request\"" },
			{ "unsupported", "reason=\"unsupported\"" },
			{ "bad_descriptors", "reason=\"bad_descriptor\"" },
		},
	},
	{
		.name = "vduse_blk_in_flight",
		.type = "gauge",
		.help = "Requests that are not finished",
		.place = FAMILY_BLK,
		.samples = {
			{ "in_flight", NULL },
		},
	},
	{
		.name = "vduse_blk_limited",
		.type = "counter",
		.help = "Requests that waited for the limits of the disk",
		.place = FAMILY_BLK,
		.samples = {
			{ "limited", NULL },
		},
	},
	{
		.name = "vduse_blk_held",
		.type = "gauge",
		.help = "Requests that failed and are held until the disk is let go on",
		.place = FAMILY_BLK,
		.samples = {
			{ "held", NULL },
		},
	},
	{
		.name = "vduse_blk_calls",
		.type = "counter",
		.help = "Interrupts of the driver",
		.place = FAMILY_BLK,
		.samples = {
			{ "calls", NULL },
		},
	},
	{
		.name = "vduse_blk_calls_suppressed",
		.type = "counter",
		.help = "Interrupts that the driver did not want",
		.place = FAMILY_BLK,
		.samples = {
			{ "calls_suppressed", NULL },
		},
	},
	{
		.name = "vduse_blk_latency_seconds",
		.type = "histogram",
		.unit = "seconds",
		.help = "Time from taking a request from the ring to its end",
		.place = FAMILY_LATENCY,
		.samples = {
			{ "read", "operation=\"read\"" },
			{ "write", "operation=\"write\"" },
			{ "flush", "operation=\"flush\"" },
			{ "ranges", "operation=\"ranges\"" },
		},
	},
	{
		.name = "vduse_net_packets",
		.type = "counter",
		.help = "Packets; rx: from the driver",
		.place = FAMILY_NET,
		.samples = {
			{ "rx_packets", "direction=\"rx\"" },
			{ "tx_packets", "direction=\"tx\"" },
		},
	},
	{
		.name = "vduse_net_bytes",
		.type = "counter",
		.unit = "bytes",
		.help = "Bytes of packets; rx: from the driver",
		.place = FAMILY_NET,
		.samples = {
			{ "rx_bytes", "direction=\"rx\"" },
			{ "tx_bytes", "direction=\"tx\"" },
		},
	},
	{
		.name = "vduse_net_drops",
		.type = "counter",
		.help = "Packets that were dropped",
		.place = FAMILY_NET,
		.samples = {
			{ "rx_drops", "direction=\"rx\"" },
			{ "tx_drops", "direction=\"tx\"" },
		},
	},
	{
		.name = "vduse_net_nombuf",
		.type = "counter",
		.help = "Packets that found no buffer of the application",
		.place = FAMILY_NET,
		.samples = {
			{ "rx_nombuf", "direction=\"rx\"" },
			{ "tx_nombuf", "direction=\"tx\"" },
		},
	},
	{
		.name = "vduse_net_bad_descriptors",
		.type = "counter",
		.help = "Chains of descriptors that are malformed",
		.place = FAMILY_NET,
		.samples = {
			{ "rx_bad_descriptors", "direction=\"rx\"" },
			{ "tx_bad_descriptors", "direction=\"tx\"" },
		},
	},
	{
		.name = "vduse_net_oversize",
		.type = "counter",
		.help = "Packets that are too long",
		.place = FAMILY_NET,
		.samples = {
			{ "rx_oversize", "direction=\"rx\"" },
			{ "tx_oversize", "direction=\"tx\"" },
		},
	},
	{
		.name = "vduse_net_filtered",
		.type = "counter",
		.help = "Packets that a filter rejected",
		.place = FAMILY_NET,
		.samples = {
			{ "rx_filtered", "direction=\"rx\"" },
			{ "tx_filtered", "direction=\"tx\"" },
		},
	},
	{
		.name = "vduse_net_multicast_packets",
		.type = "counter",
		.help = "Packets to groups",
		.place = FAMILY_NET,
		.samples = {
			{ "rx_multicast", "direction=\"rx\"" },
			{ "tx_multicast", "direction=\"tx\"" },
		},
	},
	{
		.name = "vduse_net_broadcast_packets",
		.type = "counter",
		.help = "Packets to all",
		.place = FAMILY_NET,
		.samples = {
			{ "rx_broadcast", "direction=\"rx\"" },
			{ "tx_broadcast", "direction=\"tx\"" },
		},
	},
	{
		.name = "vduse_net_bad_offloads",
		.type = "counter",
		.help = "Packets whose offload request is malformed",
		.place = FAMILY_NET,
		.samples = {
			{ "rx_bad_offloads", "direction=\"rx\"" },
			{ "tx_bad_offloads", "direction=\"tx\"" },
		},
	},
	{
		.name = "vduse_net_checksums_passed",
		.type = "counter",
		.help = "Checksums that were left to the other side",
		.place = FAMILY_NET,
		.samples = {
			{ "rx_csum_passed", "direction=\"rx\"" },
			{ "tx_csum_passed", "direction=\"tx\"" },
		},
	},
	{
		.name = "vduse_net_checksums_computed",
		.type = "counter",
		.help = "Checksums that were computed",
		.place = FAMILY_NET,
		.samples = {
			{ "rx_csum_software", "direction=\"rx\"" },
			{ "tx_csum_software", "direction=\"tx\"" },
		},
	},
	{
		.name = "vduse_net_segmentation_passed",
		.type = "counter",
		.help = "Packets whose segmentation was left to the other side",
		.place = FAMILY_NET,
		.samples = {
			{ "rx_gso_passed", "direction=\"rx\"" },
			{ "tx_gso_passed", "direction=\"tx\"" },
		},
	},
	{
		.name = "vduse_net_segmentation_done",
		.type = "counter",
		.help = "Packets that were cut into segments",
		.place = FAMILY_NET,
		.samples = {
			{ "rx_gso_software", "direction=\"rx\"" },
			{ "tx_gso_software", "direction=\"tx\"" },
		},
	},
	{
		.name = "vduse_net_calls",
		.type = "counter",
		.help = "Interrupts of the driver",
		.place = FAMILY_NET,
		.samples = {
			{ "rx_calls", "direction=\"rx\"" },
			{ "tx_calls", "direction=\"tx\"" },
		},
	},
	{
		.name = "vduse_net_calls_suppressed",
		.type = "counter",
		.help = "Interrupts that the driver did not want",
		.place = FAMILY_NET,
		.samples = {
			{ "rx_calls_suppressed", "direction=\"rx\"" },
			{ "tx_calls_suppressed", "direction=\"tx\"" },
		},
	},
	{
		.name = "vduse_net_sized_packets",
		.type = "counter",
		.help = "Packets by their size",
		.place = FAMILY_NET,
		.samples = {
			{ "rx_size_below_64", "direction=\"rx\",size=\"below_64\"" },
			{ "rx_size_64", "direction=\"rx\",size=\"64\"" },
			{ "rx_size_65_to_127", "direction=\"rx\",size=\"65_to_127\"" },
			{ "rx_size_128_to_255", "direction=\"rx\",size=\"128_to_255\"" },
			{ "rx_size_256_to_511", "direction=\"rx\",size=\"256_to_511\"" },
			{ "rx_size_512_to_1023", "direction=\"rx\",size=\"512_to_1023\"" },
			{ "rx_size_1024_to_1518", "direction=\"rx\",size=\"1024_to_1518\"" },
			{ "rx_size_above_1518", "direction=\"rx\",size=\"above_1518\"" },
			{ "tx_size_below_64", "direction=\"tx\",size=\"below_64\"" },
			{ "tx_size_64", "direction=\"tx\",size=\"64\"" },
			{ "tx_size_65_to_127", "direction=\"tx\",size=\"65_to_127\"" },
			{ "tx_size_128_to_255", "direction=\"tx\",size=\"128_to_255\"" },
			{ "tx_size_256_to_511", "direction=\"tx\",size=\"256_to_511\"" },
			{ "tx_size_512_to_1023", "direction=\"tx\",size=\"512_to_1023\"" },
			{ "tx_size_1024_to_1518", "direction=\"tx\",size=\"1024_to_1518\"" },
			{ "tx_size_above_1518", "direction=\"tx\",size=\"above_1518\"" },
		},
	},
	{ NULL },
};
