/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the server counts: the lines of totals, line feeds, peers heard of lately, sources. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/counters.h"
#include "server/sources.h"

static const struct siphash_key key = { 1, 2 };

static void test_lines(void **state)
{
	struct counters t = { .udp_clients = 1,
		.udp_datagrams = 2,
		.udp_replies = 3,
		.udp_bytes_in = 4,
		.udp_bytes_out = UINT64_MAX,
		.udp_dropped = { [COUNTERS_LOOP] = 5, [COUNTERS_TOO_LONG] = 6 },
		.udp_kernel_drops = 7,
		.udp_errors = 8,
		.tcp_clients = 9,
		.tcp_now = 10,
		.tcp_lines = 11,
		.tcp_bytes_in = 12,
		.tcp_bytes_out = 13,
		.tcp_refused = { [COUNTERS_PER_SOURCE] = 14 },
		.tcp_ended = { [COUNTERS_CUT] = 15 } };
	char buf[COUNTERS_LINE];

	(void)state;
	assert_string_equal(counters_line(&t, 0, buf),
	    "udp: clients 1 datagrams 2 replies 3 bytes-in 4 bytes-out 18446744073709551615");
	assert_string_equal(counters_line(&t, 1, buf),
	    "udp dropped: low-port 0 bad-source 0 group 0 own-address 0 loop 5 rate 0 too-long 6 "
	    "unsendable 0 unsent 0");
	assert_string_equal(counters_line(&t, 2, buf),
	    HAVE_ARRIVALS ? "udp system: overflowed 7 errors 8" : "udp system: errors 8");
	assert_string_equal(counters_line(&t, 3, buf),
	    "tcp: clients 9 now 10 lines 11 bytes-in 12 bytes-out 13");
	assert_string_equal(counters_line(&t, 4, buf),
	    "tcp refused: full 0 per-source 14 rate 0 descriptor 0 memory 0");
	assert_string_equal(counters_line(&t, 5, buf),
	    "tcp ended: closed 0 reset 0 idle 0 stopped 0 cut 15");
	assert_null(counters_line(&t, 6, buf));
	t.udp_link[LINK_GOING] = (struct counters_link){ .datagrams = 1,
		.lost = { [IMPAIR_LOST_RANDOM] = 2,
		    [IMPAIR_LOST_BURST] = 3,
		    [IMPAIR_QUEUE_FULL] = 4,
		    [IMPAIR_NO_MEMORY] = 5 },
		.copies = 6,
		.held_back = 7,
		.waiting = 8 };
	assert_string_equal(counters_line(&t, 6, buf),
	    "udp there: datagrams 1 random 2 burst 3 queue 4 room 5 copies 6 held-back 7 waiting "
	    "8");
	assert_string_equal(counters_line(&t, 7, buf),
	    "udp back: datagrams 0 random 0 burst 0 queue 0 room 0 copies 0 held-back 0 waiting 0");
	assert_null(counters_line(&t, 8, buf));
}

static void test_sum(void **state)
{
	uint64_t values[sizeof(struct counters) / sizeof(uint64_t)],
	    sums[sizeof values / sizeof *values];
	struct counters one, sum;

	(void)state;
	for (size_t i = 0; i < sizeof values / sizeof *values; i++)
		values[i] = i + 1;
	memcpy(&one, values, sizeof one);
	sum = one;
	counters_add(&sum, &one);
	memcpy(sums, &sum, sizeof sums);
	for (size_t i = 0; i < sizeof sums / sizeof *sums; i++)
		assert_int_equal(sums[i], 2 * (i + 1));
}

/* Who died over his work: everything adds up all the same. */
static void test_bury(void **state)
{
	struct counters t = { .udp_datagrams = 100,
		.udp_replies = 60,
		.udp_dropped = { [COUNTERS_LOOP] = 10, [COUNTERS_UNSENT] = 1 },
		.udp_link = { { .copies = 5, .lost = { [IMPAIR_LOST_RANDOM] = 2 }, .waiting = 3 },
		    { .copies = 4,
		        .lost = { [IMPAIR_QUEUE_FULL] = 1, [IMPAIR_NO_MEMORY] = 1 },
		        .waiting = 4 } },
		.tcp_clients = 9,
		.tcp_now = 5,
		.tcp_ended = { [COUNTERS_CLOSED] = 3, [COUNTERS_CUT] = 1 } };
	struct counters whole = { .udp_datagrams = 3,
		.udp_replies = 3,
		.tcp_clients = 1,
		.tcp_ended = { [COUNTERS_RESET] = 1 } };
	struct counters before = whole;

	(void)state;
	counters_end_worker(&t);
	assert_int_equal(t.udp_dropped[COUNTERS_UNSENT],
	    1 + (100 + 5 + 4) - (60 + 10 + 1 + 2 + 1 + 1));
	assert_int_equal(t.udp_link[LINK_GOING].waiting + t.udp_link[LINK_COMING].waiting, 0);
	assert_int_equal(t.tcp_now, 0);
	assert_int_equal(t.tcp_ended[COUNTERS_CUT], 6);
	counters_end_worker(&whole);
	assert_memory_equal(&whole, &before, sizeof whole);
}

/* Every counter is told: the sum of all numbers in the lines is that of all members. */
static void test_nothing_is_left_out(void **state)
{
	uint64_t values[sizeof(struct counters) / sizeof(uint64_t)], sum = 0, wanted = 0, number;
	struct counters t;
	char buf[COUNTERS_LINE], word[40];
	int used;

	(void)state;
	for (size_t i = 0; i < sizeof values / sizeof *values; i++)
		values[i] = UINT64_C(1) << i;
	memcpy(&t, values, sizeof t);
	/* The loop guard's first decision is no drop. */
	t.udp_dropped[COUNTERS_ANSWER] = 0;
	if (!HAVE_ARRIVALS)
		t.udp_kernel_drops = 0;
	/* Whole datagrams do not have these fates. */
	for (int i = 0; i < LINK_DIRECTIONS; i++)
		t.udp_link[i].lost[IMPAIR_DELIVERED] = t.udp_link[i].lost[IMPAIR_TOO_BIG] =
		    t.udp_link[i].lost[IMPAIR_NO_ICMP] = t.udp_link[i].lost[IMPAIR_REQUESTED_DROP] =
		        t.udp_link[i].lost[IMPAIR_UNPLUGGED] = 0;
	memcpy(values, &t, sizeof t);
	for (size_t i = 0; i < sizeof values / sizeof *values; i++)
		wanted += values[i];
	for (int i = 0; counters_line(&t, i, buf); i++)
		for (const char *at = strchr(buf, ':') + 1;
		    sscanf(at, " %39s %" SCNu64 "%n", word, &number, &used) == 2; at += used)
			sum += number;
	assert_true(sum == wanted);
}

static void test_words(void **state)
{
	(void)state;
	assert_string_equal(COUNTERS_WORD(udp_dropped, COUNTERS_LOW_PORT), "low-port");
	assert_string_equal(COUNTERS_WORD(udp_dropped, COUNTERS_UNSENT), "unsent");
	assert_string_equal(COUNTERS_WORD(tcp_refused, COUNTERS_FULL), "full");
	assert_string_equal(COUNTERS_WORD(tcp_ended, COUNTERS_IDLE), "idle");
}

static void test_line_feeds(void **state)
{
	unsigned char bytes[64 + 16];
	uint64_t wanted = 0, random = 1;

	(void)state;
	for (int round = 0; round < 2000; round++) {
		size_t from = (size_t)round % 13, n = (size_t)round % 64;

		wanted = 0;
		for (size_t i = 0; i < sizeof bytes; i++) {
			random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
			/* Line feeds and what differs from one in a single bit. */
			bytes[i] = (unsigned char)(random >> 62 ? '\n' ^ 1 << (random >> 33 & 7)
			                                        : '\n');
		}
		for (size_t i = 0; i < n; i++)
			wanted += bytes[from + i] == '\n';
		assert_int_equal(counters_line_feeds(bytes + from, n), wanted);
	}
}

static struct source_key source(const char *host, uint16_t port)
{
	struct addr a;

	assert_int_equal(addr_numeric(host, port, &a), 0);
	return source_key_of(&a);
}

static struct source_key network(const char *host)
{
	struct addr a;

	assert_int_equal(addr_numeric(host, 5, &a), 0);
	return source_key_network(&a);
}

static void assert_same(struct source_key a, struct source_key b, bool same)
{
	assert_int_equal(source_key_equal(&a, &b), same);
}

static void test_sources(void **state)
{
	(void)state;
	assert_same(source("127.0.0.1", 5), source("::ffff:127.0.0.1", 5), true);
	assert_same(source("127.0.0.1", 5), source("127.0.0.1", 6), false);
	assert_same(source("fe80::1%1", 5), source("fe80::1%2", 5), false);
	assert_same(network("192.0.2.1"), network("192.0.2.2"), false);
	assert_same(network("192.0.2.1"), network("::ffff:192.0.2.1"), true);
	assert_same(network("2001:db8::1"), network("2001:db8::ffff:0:0:1"), true);
	assert_same(network("2001:db8::1"), network("2001:db8:0:1::1"), false);
}

static void test_peers_are_known_exactly(void **state)
{
	struct recent_peers *p = recent_peers_new(&key);
	struct source_key who = source("192.0.2.1", 0), first;

	(void)state;
	assert_non_null(p);
	for (uint32_t i = 1; i <= RECENT_PEERS_MAX; i++) {
		who.port = i;
		assert_true(recent_peers_note(p, &who));
		assert_false(recent_peers_note(p, &who));
	}
	/* The first one is heard again, so the second one is forgotten for the next. */
	first = who;
	first.port = 1;
	assert_false(recent_peers_note(p, &first));
	who.port = RECENT_PEERS_MAX + 1;
	assert_true(recent_peers_note(p, &who));
	assert_false(recent_peers_note(p, &first));
	who.port = 3;
	assert_false(recent_peers_note(p, &who));
	who.port = 2;
	assert_true(recent_peers_note(p, &who));
	free(p);
}

/* Many more than are kept, in and out, against a plain search. */
static void test_peers_against_a_list(void **state)
{
	static uint32_t last_heard[20000];
	struct recent_peers *p = recent_peers_new(&key);
	struct source_key who = source("2001:db8::1", 0);
	uint64_t random = 7;

	(void)state;
	memset(last_heard, 0, sizeof last_heard);
	for (uint32_t now = 1; now <= 30000; now++) {
		uint32_t between = 0;
		bool known;

		random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
		who.port = (uint32_t)(random >> 40) % (now % 2 ? 20000 : 4200);
		/* How many others were heard since tells whether it is still known; asked now and
		 * then, for it is slow. */
		known = last_heard[who.port] != 0;
		if (known && now % 50 == 0) {
			for (size_t i = 0; i < 20000; i++)
				between += last_heard[i] > last_heard[who.port];
			known = between < RECENT_PEERS_MAX;
			assert_int_equal(recent_peers_note(p, &who), !known);
		} else {
			recent_peers_note(p, &who);
		}
		last_heard[who.port] = now;
	}
	free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_sum),
		cmocka_unit_test(test_bury),
		cmocka_unit_test(test_nothing_is_left_out),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_line_feeds),
		cmocka_unit_test(test_sources),
		cmocka_unit_test(test_peers_are_known_exactly),
		cmocka_unit_test(test_peers_against_a_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
