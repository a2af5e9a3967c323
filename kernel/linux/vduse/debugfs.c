// SPDX-License-Identifier: GPL-2.0-only
// SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
/*
 * Counters of a device in /sys/kernel/debug/vduse/NAME.
 */
#include <linux/debugfs.h>
#include <linux/seq_file.h>

#include "vduse.h"

static struct dentry *debugfs_root;

static void show_messages(struct seq_file *seq, struct vduse_dev *dev)
{
	struct vduse_messages *messages = &dev->msg;

	spin_lock(&messages->lock);
	seq_printf(seq, "messages %llu\nmessages_failed %llu\nbroken %u\n", messages->nr_sent,
		   messages->nr_failed, messages->broken);
	spin_unlock(&messages->lock);
}

static void show_address_spaces(struct seq_file *seq, struct vduse_dev *dev)
{
	struct vduse_bounce_stats stats;
	struct vduse_domain *domain;
	u32 i;

	for (i = 0; i < dev->nas; i++) {
		domain = vduse_dev_domain(dev, i);
		if (!domain)
			continue;
		vduse_bounce_read_stats(&domain->bounce, &stats);
		seq_printf(seq, "as%u maps %llu to_device_bytes %llu from_device_bytes %llu exhausted %llu umem %u\n",
			   i, stats.maps, stats.to_device_bytes, stats.from_device_bytes,
			   stats.exhausted, !!READ_ONCE(domain->umem));
	}
}

static int counters_show(struct seq_file *seq, void *unused)
{
	struct vduse_dev *dev = seq->private;
	u32 i;

	show_messages(seq, dev);
	show_address_spaces(seq, dev);
	for (i = 0; i < dev->vq_num; i++)
		seq_printf(seq, "vq%u kicks %llu irqs %llu\n", i, READ_ONCE(dev->vq[i]->kicks),
			   READ_ONCE(dev->vq[i]->irqs));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(counters);

void vduse_debugfs_init(void)
{
	debugfs_root = debugfs_create_dir("vduse", NULL);
}

void vduse_debugfs_exit(void)
{
	debugfs_remove(debugfs_root);
}

/* Removing the entry waits for its readers. It is removed before the device is freed. */
void vduse_debugfs_add(struct vduse_dev *dev)
{
	dev->debugfs = debugfs_create_file(dev_name(&dev->dev), 0400, debugfs_root, dev,
					   &counters_fops);
}

void vduse_debugfs_del(struct vduse_dev *dev)
{
	debugfs_remove(dev->debugfs);
}
