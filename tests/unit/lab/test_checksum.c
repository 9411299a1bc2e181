/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "lab/hosts/checksum.h"

/* RFC 1071, 3: the bytes 00 01 f2 03 f4 f5 f6 f7 sum up to ddf2. */
static void completes_the_rfc_example(void **state)
{
	uint8_t packet[12] = { 9, 9, 0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7 };

	(void)state;
	assert_true(checksum_complete(packet, 12, 2, 8));
	assert_int_equal(packet[10], 0xff & ~0xdd);
	assert_int_equal(packet[11], 0xff & ~0xf2);
	assert_int_equal(packet[0], 9);
}

/* What was in the field, the pseudo-header's sum, counts; an odd last byte too. */
static void adds_what_is_there(void **state)
{
	uint8_t packet[5] = { 0x12, 0x34, 0x00, 0x00, 0x01 };

	(void)state;
	assert_true(checksum_complete(packet, 5, 0, 0));
	/* 1234 + 0000 + 0100 = 1334 */
	assert_int_equal(packet[0], 0xec);
	assert_int_equal(packet[1], 0xcb);
}

static void never_gives_zero(void **state)
{
	uint8_t packet[4] = { 0xff, 0xfe, 0x00, 0x01 };

	(void)state;
	assert_true(checksum_complete(packet, 4, 0, 2));
	assert_int_equal(packet[2], 0xff);
	assert_int_equal(packet[3], 0xff);
}

static void refuses_what_lies_outside(void **state)
{
	static const struct {
		size_t n, start, offset;
	} cases[] = {
		{ 8, 9, 0 },
		{ 8, 8, 0 },
		{ 8, 0, 7 },
		{ 8, 7, 0 },
		{ 8, 4, 3 },
		{ 8, 4, SIZE_MAX },
		{ 8, SIZE_MAX, 2 },
		{ 0, 0, 0 },
		{ 1, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		uint8_t packet[8] = { 1, 2, 3, 4, 5, 6, 7, 8 }, before[8];

		memcpy(before, packet, sizeof(packet));
		assert_false(checksum_complete(packet, cases[i].n, cases[i].start,
		    cases[i].offset));
		assert_memory_equal(packet, before, sizeof(packet));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(completes_the_rfc_example),
		cmocka_unit_test(adds_what_is_there),
		cmocka_unit_test(never_gives_zero),
		cmocka_unit_test(refuses_what_lies_outside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
