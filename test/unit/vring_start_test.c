/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Addresses of split rings: across region boundaries, in read-only memory, and their state after a
 * move or a stop.
 */
#include <errno.h>

#include "unit.h"
#include "vring_driver.h"

#define BIT(nr) (UINT64_C(1) << (nr))

static struct driver driver;

static void
begin(uint32_t size, uint64_t features)
{
	driver_init(&driver, size, features, 0);
	assert_int_equal(driver_start(&driver), 0);
}

/* Whether a seam at this offset of the rings' region lies inside of one of them. */
static bool
seam_in_ring(uint64_t seam)
{
	uint64_t size = driver.size, avail = 16 * size;
	uint64_t used = (uint64_t)((uint8_t *)driver.used - (uint8_t *)driver.desc);

	return (seam > 0 && seam < 16 * size) || (seam > avail && seam < avail + 6 + 2 * size) ||
	       (seam > used && seam < used + 6 + 8 * size);
}

/* Regions that meet in our memory too are one; others may meet between rings only. */
static void
rings_over_a_seam(void **state)
{
	struct driver_region *low, *high;
	uint64_t whole, seam;
	uint8_t *near, *far;

	RTE_SET_USED(state);
	driver_init(&driver, 8, 0, 0);
	low = &driver.regions[0];
	whole = low->size;
	high = driver_region(&driver, 0, whole);
	near = low->va;
	far = high->va;
	for (seam = 1; seam < 256; seam++) {
		int result = seam_in_ring(seam) ? -EFAULT : 0;

		low->size = seam;
		high->size = whole - seam;
		high->first = low->first + seam;
		high->va = near + seam;
		assert_int_equal(driver_start(&driver), 0);
		high->va = far + seam; /* aligned as in the driver's memory */
		assert_int_equal(vring_remap(&driver.vq), result);
		assert_int_equal(driver_start(&driver), result);
		if (result < 0)
			assert_int_equal(driver.vq.fault_iova, high->first);
		vring_stop(&driver.vq);
	}
	low->size = whole;
	high->va = far;
	driver_free(&driver);
}

/* Memory that ends within the rings, at any byte, with nothing after it. */
static void
rings_longer_than_memory(void **state)
{
	uint64_t whole, end;

	RTE_SET_USED(state);
	begin(8, 0);
	vring_stop(&driver.vq);
	whole = driver.regions[0].size;
	end = (uint64_t)((uint8_t *)&driver.used->ring[8] - (uint8_t *)driver.desc) +
	      sizeof(uint16_t);
	for (driver.regions[0].size = 0; driver.regions[0].size < end; driver.regions[0].size++)
		assert_int_equal(driver_start(&driver), -EFAULT);
	assert_int_equal(driver_start(&driver), 0);
	driver.regions[0].size = whole;
	driver_free(&driver);
}

/* Its two halves meet in our memory; in the driver's they are as far apart as can be. */
static void
ring_that_wraps_around(void **state)
{
	struct driver_region *top = &driver.regions[2], *bottom = &driver.regions[0];
	struct vring_layout layout = { .desc = UINT64_MAX - 15, .driver = 64, .device = 128 };

	RTE_SET_USED(state);
	begin(2, 0);
	*top = (struct driver_region){ .first = UINT64_MAX - 15, .size = 16, .va = bottom->va };
	driver.nb_regions = 3;
	bottom->first = 0;
	bottom->va += 16;
	bottom->size -= 16;
	layout.size = 2;
	assert_int_equal(vring_start(&driver.vq, &layout, driver.vq.mem.lookup, &driver), -EFAULT);
	assert_int_equal(driver.vq.fault_iova, layout.desc);
	driver.nb_regions = 2;
	bottom->va -= 16;
	driver_free(&driver);
}

/* Only the used ring is written. */
static void
rings_that_are_read_only(void **state)
{
	RTE_SET_USED(state);
	driver_init(&driver, 8, 0, 0);
	driver.regions[0].read_only = true;
	assert_int_equal(driver_start(&driver), -EFAULT);
	assert_int_equal(driver.vq.fault_iova, driver.rings + (uint64_t)((uint8_t *)driver.used -
									 (uint8_t *)driver.desc));
	driver_free(&driver);
}

static void
stop_forgets_memory(void **state)
{
	RTE_SET_USED(state);
	begin(8, 0);
	vring_stop(&driver.vq);
	assert_false(driver.vq.started);
	assert_null(driver.vq.bufs);
	assert_null(driver.vq.desc);
	assert_null(driver.vq.avail);
	assert_null(driver.vq.used);
	assert_int_equal(driver.vq.mem.window[0].size, 0);
	assert_int_equal(driver.vq.mem.window[1].size, 0);
	vring_stop(&driver.vq);
	driver_free(&driver);
}

/* Memory that moved may have come back without what was said in it. */
static void
remap_quiets_again(void **state)
{
	uint16_t *event;

	RTE_SET_USED(state);
	begin(8, 0);
	driver.used->flags = 0;
	assert_int_equal(vring_remap(&driver.vq), 0);
	assert_int_equal(driver.used->flags, VRING_USED_F_NO_NOTIFY);
	driver_free(&driver);
	begin(8, BIT(VIRTIO_RING_F_EVENT_IDX));
	event = (uint16_t *)(void *)&driver.used->ring[8];
	*event = 0;
	assert_int_equal(vring_remap(&driver.vq), 0);
	driver_desc(&driver, 0, driver.data, 1, 0, 0);
	assert_false(driver_post(&driver, 0));
	driver_free(&driver);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rings_over_a_seam),
		cmocka_unit_test(rings_longer_than_memory),
		cmocka_unit_test(ring_that_wraps_around),
		cmocka_unit_test(rings_that_are_read_only),
		cmocka_unit_test(stop_forgets_memory),
		cmocka_unit_test(remap_quiets_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
