/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Packets find their sightings also when these come in another order, twice, or not at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lab/hosts/timestamp-tap.h"

#define SIZE 60
#define FOREVER INT64_MAX

/* A UDP datagram over IPv4, with nothing in it but what tells it from others. */
static void make(uint8_t packet[SIZE], int number)
{
	memset(packet, 0, SIZE);
	packet[0] = 0x45;
	packet[3] = SIZE;
	packet[9] = 17;
	memcpy(packet + 28, &number, sizeof number);
}

static struct packet_times_key key(int number)
{
	uint8_t packet[SIZE];

	make(packet, number);
	return packet_times_key(packet, SIZE, SIZE);
}

static void expect(struct packet_times *t, int number, int64_t at)
{
	int64_t seen = -1;

	assert_true(packet_times_take(t, key(number), 0, FOREVER, &seen));
	assert_int_equal(seen, at);
}

static void expect_none(struct packet_times *t, int number)
{
	int64_t seen = -1;

	assert_false(packet_times_take(t, key(number), 0, FOREVER, &seen));
	assert_int_equal(seen, -1);
}

static void test_in_order(void **state)
{
	struct packet_times *t = packet_times_new();

	(void)state;
	/* More than there is room for, but never at once. */
	for (int i = 0; i < 3 * PACKET_TIMES_MAX; i++) {
		packet_times_add(t, key(i), 10 * i);
		expect(t, i, 10 * i);
		expect_none(t, i);
	}
	free(t);
}

static void test_in_any_order(void **state)
{
	struct packet_times *t = packet_times_new();

	(void)state;
	for (int i = 0; i < 1000; i++)
		packet_times_add(t, key(i), 10 * i);
	/* 7 and 1000 have no common divisor: each once. */
	for (int i = 0; i < 1000; i++)
		expect(t, i * 7 % 1000, 10 * (i * 7 % 1000));
	for (int i = 0; i < 1000; i++)
		expect_none(t, i);
	free(t);
}

static void test_what_is_missing_leaves_the_others_alone(void **state)
{
	struct packet_times *t = packet_times_new();

	(void)state;
	for (int i = 0; i < 900; i += 3)
		packet_times_add(t, key(i), 10 * i);
	for (int i = 0; i < 900; i++) {
		if (i % 3 == 0)
			expect(t, i, 10 * i);
		else
			expect_none(t, i);
	}
	free(t);
}

static void test_twice_the_same(void **state)
{
	struct packet_times *t = packet_times_new();

	(void)state;
	packet_times_add(t, key(1), 10);
	packet_times_add(t, key(2), 20);
	packet_times_add(t, key(1), 30);
	expect(t, 1, 10);
	expect(t, 1, 30);
	expect_none(t, 1);
	expect(t, 2, 20);
	free(t);
}

static void test_what_nobody_asks_for_is_forgotten_in_the_end(void **state)
{
	struct packet_times *t = packet_times_new();

	(void)state;
	for (int i = 0; i < PACKET_TIMES_MAX + 100; i++)
		packet_times_add(t, key(i), i);
	for (int i = 0; i < 100; i++)
		expect_none(t, i);
	for (int i = 100; i < PACKET_TIMES_MAX + 100; i++)
		expect(t, i, i);
	/* Full once more, with gaps. */
	for (int i = 0; i < PACKET_TIMES_MAX; i++)
		packet_times_add(t, key(i % 5), i);
	for (int i = 0; i < PACKET_TIMES_MAX; i++)
		expect(t, i % 5, i);
	free(t);
}

static void test_only_near_in_time(void **state)
{
	struct packet_times *t = packet_times_new();
	int64_t seen = -1;

	(void)state;
	packet_times_add(t, key(1), 100);
	packet_times_add(t, key(1), 200);
	packet_times_add(t, key(1), 300);
	/* Too early for what was seen last, and too late for what was seen first: that one is gone.
	 */
	assert_false(packet_times_take(t, key(1), 101, 199, &seen));
	assert_true(packet_times_take(t, key(1), 101, 200, &seen));
	assert_int_equal(seen, 200);
	assert_true(packet_times_take(t, key(1), 0, 300, &seen));
	assert_int_equal(seen, 300);
	free(t);
}

static void expect_blind(uint8_t *packet, size_t n, size_t at, bool blind)
{
	const struct packet_times_key before = packet_times_key(packet, n, n);

	packet[at] ^= 0x40;
	assert_int_equal(packet_times_equal(before, packet_times_key(packet, n, n)), blind);
	packet[at] ^= 0x40;
}

static void test_the_checksum_does_not_count(void **state)
{
	static const struct {
		uint8_t protocol;
		size_t checksum;
	} kinds[] = { { 17, 6 }, { 6, 16 } };

	(void)state;
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		uint8_t four[SIZE], six[SIZE + 20] = { 0x60 };
		make(four, 1);
		four[9] = six[6] = kinds[i].protocol;
		for (size_t at = 1; at < SIZE; at++) {
			const bool blind = at - 20 == kinds[i].checksum ||
			                   at - 20 == kinds[i].checksum + 1;
			/* Another protocol, a fragment: something else stands there. */
			if (at != 9 && at != 6 && at != 7)
				expect_blind(four, SIZE, at, blind);
		}
		expect_blind(six, sizeof six, 40 + kinds[i].checksum, true);
		expect_blind(six, sizeof six, 40 + kinds[i].checksum + 2, false);
		/* In a fragment but the first it is data. */
		four[7] = 1;
		expect_blind(four, SIZE, 20 + kinds[i].checksum, false);
	}
}

static void test_short_packets_and_long_ones(void **state)
{
	uint8_t packet[2000];

	(void)state;
	memset(packet, 0x45, sizeof packet);
	/* Nothing is read beyond what is there, whatever the header says of its length. */
	for (size_t n = 0; n <= 64; n++)
		(void)packet_times_key(packet + sizeof packet - n, n, n);
	/* Of a long one the end does not count, but its length does. */
	assert_true(packet_times_equal(packet_times_key(packet, 2000, 2000),
	    packet_times_key(packet, PACKET_TIMES_BYTES, 2000)));
	assert_false(packet_times_equal(packet_times_key(packet, 2000, 2000),
	    packet_times_key(packet, 2000, 1999)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_in_order),
		cmocka_unit_test(test_in_any_order),
		cmocka_unit_test(test_what_is_missing_leaves_the_others_alone),
		cmocka_unit_test(test_twice_the_same),
		cmocka_unit_test(test_what_nobody_asks_for_is_forgotten_in_the_end),
		cmocka_unit_test(test_only_near_in_time),
		cmocka_unit_test(test_the_checksum_does_not_count),
		cmocka_unit_test(test_short_packets_and_long_ones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
