/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * A UEFI application for a disk that boots: copies 32 MiB of the disk from 8 MiB to 40 MiB, prints
 * the result on the console, and ends QEMU through isa-debug-exit at port 0xf4: with 0x10 if all
 * succeeded, else with 0x11. The firmware makes one request with one descriptor of each call.
 * Input: the disk that it was loaded from. Output: its second half.
 * Built without UEFI headers: the structures are those of the UEFI specification 2.10, with names
 * only for what is used.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#define EFIAPI   __attribute__((ms_abi))
#define MIB      (UINT64_C(1) << 20)
#define FROM     (8 * MIB)
#define TO       (40 * MIB)
#define LEN      (32 * MIB)
#define DATA     4 /* EfiBootServicesData */
#define ANYWHERE 0 /* AllocateAnyPages */

/* The values that isa-debug-exit takes. */
#define PASSED 0x10
#define FAILED 0x11

struct guid {
	uint32_t a;
	uint16_t b, c;
	uint8_t d[8];
};

/* Section 13.9. */
struct media {
	uint32_t id;
	uint8_t flags[8];
	uint32_t block_size;
};

struct block_io {
	uint64_t revision;
	struct media *media;
	void *reset;
	uint64_t(EFIAPI *read)(struct block_io *self, uint32_t id, uint64_t lba, size_t len,
			       void *buffer);
	uint64_t(EFIAPI *write)(struct block_io *self, uint32_t id, uint64_t lba, size_t len,
				const void *buffer);
	uint64_t(EFIAPI *flush)(struct block_io *self);
};

/* Section 9.1. */
struct loaded_image {
	void *before[3];
	void *device;
};

/* Section 12.4. */
struct text_output {
	void *reset;
	uint64_t(EFIAPI *print)(struct text_output *self, const uint16_t *text);
};

/* Section 4.4. */
struct boot_services {
	uint8_t header[24];
	void *before[2];
	uint64_t(EFIAPI *allocate_pages)(uint32_t how, uint32_t kind, size_t nb, void **pages);
	void *between[13];
	uint64_t(EFIAPI *handle_protocol)(void *handle, const struct guid *guid, void **protocol);
};

/* Section 4.3. */
struct system_table {
	uint8_t header[24];
	void *before[5];
	struct text_output *out;
	void *between[3];
	struct boot_services *boot;
};

static const struct guid loaded_image_guid = {
	0x5b1b31a1,
	0x9562,
	0x11d2,
	{ 0x8e, 0x3f, 0x00, 0xa0, 0xc9, 0x69, 0x72, 0x3b },
};
static const struct guid block_io_guid = {
	0x964e5b21,
	0x6459,
	0x11d2,
	{ 0x8e, 0x39, 0x00, 0xa0, 0xc9, 0x69, 0x72, 0x3b },
};

static_assert(offsetof(struct media, block_size) == 12, "EFI_BLOCK_IO_MEDIA");
static_assert(offsetof(struct loaded_image, device) == 24, "EFI_LOADED_IMAGE_PROTOCOL");
static_assert(offsetof(struct boot_services, handle_protocol) == 152, "EFI_BOOT_SERVICES");
static_assert(offsetof(struct system_table, boot) == 96, "EFI_SYSTEM_TABLE");

uint64_t EFIAPI
efi_main(void *handle, struct system_table *system);

/* NULL, or the step that failed. */
static const uint16_t *
copy(void *handle, struct boot_services *boot)
{
	struct loaded_image *image;
	struct block_io *disk;
	uint32_t block;
	void *buffer;

	if (boot->handle_protocol(handle, &loaded_image_guid, (void **)&image) != 0)
		return u"image";
	if (boot->handle_protocol(image->device, &block_io_guid, (void **)&disk) != 0)
		return u"block I/O";
	if (boot->allocate_pages(ANYWHERE, DATA, LEN / 4096, &buffer) != 0)
		return u"memory";
	block = disk->media->block_size;
	if (disk->read(disk, disk->media->id, FROM / block, LEN, buffer) != 0)
		return u"read";
	if (disk->write(disk, disk->media->id, TO / block, LEN, buffer) != 0)
		return u"write";
	if (disk->flush(disk) != 0)
		return u"flush";
	return NULL;
}

uint64_t EFIAPI
efi_main(void *handle, struct system_table *system)
{
	const uint16_t *failed = copy(handle, system->boot);
	uint8_t code = failed == NULL ? PASSED : FAILED;

	system->out->print(system->out, failed == NULL ? u"copied" : u"cannot copy: ");
	if (failed != NULL)
		system->out->print(system->out, failed);
	system->out->print(system->out, u"\r\n");
	__asm__ volatile("outb %0, $0xf4" : : "a"(code));
	for (;;)
		;
}
