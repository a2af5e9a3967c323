/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The serial number of a device. A polling thread must not wait for the thread that changes it, so
 * there are two texts: one is read while the other is written. A reader that was so slow that its text
 * was written again sees that by the version, and reads the newer one.
 * Input: a text. Output: the answer to GET_ID. Thread: vblk_serial_get(): polling; others: any.
 */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include <virtio_blk/blk.h>
#include <virtio_blk/serial.h>

void
vblk_serial_set(struct vblk_serial *serial, const char *text)
{
	uint32_t version = rte_atomic_load_explicit(&serial->version, rte_memory_order_relaxed) + 1;
	uint64_t *to = serial->texts[version % 2], words[VBLK_SERIAL_WORDS] = { 0 };
	unsigned int i;

	memcpy(words, text, strnlen(text, RTE_VDUSE_BLK_SERIAL_MAX));
	/*
	 * Release: a reader that sees a word of this version sees that the version before was there.
	 * Pairs with the fence of vblk_serial_get().
	 */
	rte_atomic_thread_fence(rte_memory_order_release);
	for (i = 0; i < VBLK_SERIAL_WORDS; i++)
		rte_atomic_store_explicit(&to[i], words[i], rte_memory_order_relaxed);
	/* Release: after the text. Pairs with the acquire of vblk_serial_get(). */
	rte_atomic_store_explicit(&serial->version, version, rte_memory_order_release);
}

void
vblk_serial_get(const struct vblk_serial *serial, char text[RTE_VDUSE_BLK_SERIAL_MAX])
{
	uint64_t words[VBLK_SERIAL_WORDS];
	uint32_t version, before;
	unsigned int i;

	/* Acquire: the text is that of the version or a later one. Pairs with vblk_serial_set(). */
	version = rte_atomic_load_explicit(&serial->version, rte_memory_order_acquire);
	do {
		const uint64_t *from = serial->texts[version % 2];

		before = version;
		for (i = 0; i < VBLK_SERIAL_WORDS; i++)
			words[i] = rte_atomic_load_explicit(&from[i], rte_memory_order_relaxed);
		/* Acquire: the version is read after the text. Pairs with vblk_serial_set(). */
		rte_atomic_thread_fence(rte_memory_order_acquire);
		version = rte_atomic_load_explicit(&serial->version, rte_memory_order_acquire);
	} while (version != before);
	memcpy(text, words, RTE_VDUSE_BLK_SERIAL_MAX);
}

/* Those that every driver, shell and udev rule can show, and that a file of --config can hold. */
static bool
serial_valid(const char *text)
{
	size_t len = strnlen(text, RTE_VDUSE_BLK_SERIAL_MAX + 1), i;

	if (len == 0 || len > RTE_VDUSE_BLK_SERIAL_MAX || text[0] == ' ' || text[len - 1] == ' ')
		return false;
	for (i = 0; i < len; i++)
		if (text[i] < ' ' || text[i] > '~')
			return false;
	return true;
}

int
rte_vduse_blk_serial_set(struct rte_vduse_blk *blk, const char *serial)
{
	if (!serial_valid(serial)) {
		VBLK_LOG(
			ERR, rte_vduse_dev_name(blk->dev),
			"the new serial number is refused: use 1 to %u printable ASCII characters, "
			"no blank at an end",
			RTE_VDUSE_BLK_SERIAL_MAX);
		return -EINVAL;
	}
	vblk_serial_set(&blk->serial, serial);
	return 0;
}
