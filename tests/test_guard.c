/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The guard: rules of origin, and loops in simulated time. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../server/guard.h"

#define US INT64_C(1000)
#define MS (1000 * US)
#define S (1000 * MS)

/* What the issue of loops allows. */
#define MOST_PACKETS 16

static const struct hash_key key = {0x0706050403020100, 0x0f0e0d0c0b0a0908};

static struct addr address(const char *host, uint16_t port)
{
	struct addr a;

	assert_int_equal(addr_numeric(host, port, &a), 0);
	return a;
}

/* The vector of appendix A of the paper: key 00..0f, input 00..0e; and the first ones of its reference code. */
static void test_hash_is_siphash(void **state)
{
	unsigned char in[16];

	(void)state;
	for (unsigned i = 0; i < sizeof in; i++)
		in[i] = (unsigned char)i;
	assert_true(hash_bytes(&key, in, 15) == UINT64_C(0xa129ca6149be45e5));
	assert_true(hash_bytes(&key, in, 0) == UINT64_C(0x726fdb47dd0e0e31));
	assert_true(hash_bytes(&key, in, 1) == UINT64_C(0x74f839c593dc67fd));
	assert_true(hash_bytes(&key, in, 8) == UINT64_C(0x93f5f5799a932462));
}

static enum guard_verdict origin(const char *host, uint16_t port, bool to_group, bool from_self)
{
	struct addr from = address(host, port);

	return guard_origin(&(struct guard_origin){&from, to_group, from_self});
}

static void test_origin(void **state)
{
	(void)state;
	assert_int_equal(origin("127.0.0.1", 1024, false, false), GUARD_ANSWER);
	assert_int_equal(origin("::1", 65535, false, false), GUARD_ANSWER);
	assert_int_equal(origin("::ffff:127.0.0.1", 5000, false, false), GUARD_ANSWER);
	assert_int_equal(origin("127.0.0.1", 0, false, false), GUARD_LOW_PORT);
	assert_int_equal(origin("127.0.0.1", 7, false, false), GUARD_LOW_PORT);
	assert_int_equal(origin("192.0.2.1", 19, false, false), GUARD_LOW_PORT);
	assert_int_equal(origin("2001:db8::1", 53, false, false), GUARD_LOW_PORT);
	assert_int_equal(origin("127.0.0.1", 1023, false, false), GUARD_LOW_PORT);
	assert_int_equal(origin("0.0.0.0", 5000, false, false), GUARD_BAD_SOURCE);
	assert_int_equal(origin("::", 5000, false, false), GUARD_BAD_SOURCE);
	assert_int_equal(origin("255.255.255.255", 5000, false, false), GUARD_BAD_SOURCE);
	assert_int_equal(origin("224.0.0.1", 5000, false, false), GUARD_BAD_SOURCE);
	assert_int_equal(origin("ff02::1", 5000, false, false), GUARD_BAD_SOURCE);
	assert_int_equal(origin("192.0.2.1", 5000, true, false), GUARD_GROUP);
	assert_int_equal(origin("192.0.2.1", 5000, false, true), GUARD_OWN_ADDRESS);
}

static int setup(void **state)
{
	*state = guard_new(&key);
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	guard_free(*state);
	return 0;
}

static enum guard_verdict ask(struct guard *g, const struct addr *from, const char *bytes, int64_t arrived, int64_t now)
{
	bool news;

	return guard_loop(g, from, bytes, strlen(bytes), arrived, now, &news);
}

/* `n` times the same line, each `gap` after the reply to the one before. Returns how many were answered. */
static int repeat(struct guard *g, const struct addr *from, const char *bytes, int n, int64_t gap, int64_t *now)
{
	int answered = 0;

	for (int i = 0; i < n; i++) {
		*now += gap;
		answered += ask(g, from, bytes, *now, *now + 20 * US) == GUARD_ANSWER;
		*now += 20 * US;
	}
	return answered;
}

static void test_person(void **state)
{
	struct addr from = address("127.0.0.1", 40000);
	int64_t now = 1000 * S;

	/* A line each tenth of a second, a key held down, and both for long; the empty line. */
	assert_int_equal(repeat(*state, &from, "HELLO", 900, 100 * MS, &now), 900);
	now += 2 * S;
	assert_int_equal(repeat(*state, &from, "HELLO", 900, 33 * MS, &now), 900);
	now += 2 * S;
	assert_int_equal(repeat(*state, &from, "", 500, 33 * MS, &now), 500);
	/* From a port of a server or behind a router that changes ports, one a second and slower. */
	from = address("192.0.2.1", 5000);
	assert_int_equal(repeat(*state, &from, "HELLO", 100, 1100 * MS, &now), 100);
}

/* A network that bunches two of a person's lines together now and then does not make the person a loop. */
static void test_person_bunched(void **state)
{
	struct addr from = address("192.0.2.1", 40000);
	int64_t now = 1000 * S;

	for (int i = 0; i < 60; i++) {
		assert_int_equal(repeat(*state, &from, "HELLO", 1, 4 * MS, &now), 1);
		assert_int_equal(repeat(*state, &from, "HELLO", 7, 50 * MS, &now), 7);
	}
}

static void test_different_lines_are_no_loop(void **state)
{
	struct addr from = address("127.0.0.1", 40000);
	int64_t now = 1000 * S;
	char line[20];

	for (int i = 0; i < 10000; i++) {
		snprintf(line, sizeof line, "LINE %d", i);
		assert_int_equal(repeat(*state, &from, line, 1, 30 * US, &now), 1);
	}
}

static void test_loop_at_each_pace(void **state)
{
	static const int64_t gaps[] = {20 * US, 500 * US, 9 * MS};
	struct addr client = address("127.0.0.1", 32768), server = address("127.0.0.1", 32767);
	int64_t now = 1000 * S;

	for (size_t i = 0; i < sizeof gaps / sizeof *gaps; i++) {
		assert_int_equal(repeat(*state, &client, "X", 30, gaps[i], &now), GUARD_LINKS);
		now += 2 * S;
	}
	assert_int_equal(repeat(*state, &server, "X", 30, 900 * MS, &now), GUARD_LINKS);
}

/* One that crawls does not go on for ever either. */
static void test_slow_loop_ends(void **state)
{
	struct addr from = address("127.0.0.1", 40000);
	int64_t now = 1000 * S;

	assert_int_equal(repeat(*state, &from, "X", GUARD_SLOW_LINKS + 1, 50 * MS, &now), GUARD_SLOW_LINKS);
}

/* Silence ends when the loop has stayed away, so that a program that was taken for one goes on. */
static void test_silence_ends(void **state)
{
	struct addr from = address("127.0.0.1", 40000);
	int64_t now = 1000 * S;

	repeat(*state, &from, "X", 20, 30 * US, &now);
	assert_int_equal(repeat(*state, &from, "X", 20, GUARD_CLIENT_QUIET - MS, &now), 0);
	assert_int_equal(repeat(*state, &from, "X", 3, GUARD_CLIENT_QUIET + MS, &now), 3);
}

static void test_silence_is_for_one_pair(void **state)
{
	struct addr from = address("127.0.0.1", 40000), other = address("127.0.0.1", 40001);
	int64_t now = 1000 * S;

	repeat(*state, &from, "X", 20, 30 * US, &now);
	assert_int_equal(repeat(*state, &other, "X", 1, 30 * US, &now), 1);
	assert_int_equal(repeat(*state, &from, "Y", 1, 30 * US, &now), 1);
	assert_int_equal(repeat(*state, &from, "X", 1, 30 * US, &now), 0);
}

static void test_logged_once(void **state)
{
	struct addr from = address("127.0.0.1", 40000);
	int64_t now = 1000 * S;
	char line[20];
	int logged = 0;
	bool news;

	for (int i = 0; i < 50; i++) {
		snprintf(line, sizeof line, "X%d", i);
		for (int j = 0; j < 20; j++, now += 30 * US) {
			guard_loop(*state, &from, line, strlen(line), now, now + US, &news);
			logged += news;
		}
	}
	assert_int_equal(logged, 1);
}

/* What a client sends at once, before any reply, is one round however much it is. */
static void test_burst_before_replies(void **state)
{
	struct addr from = address("127.0.0.1", 40000);
	int64_t now = 1000 * S;

	for (int i = 0; i < 2000; i++)
		assert_int_equal(ask(*state, &from, "X", now, now + S / 10 + i * 4 * US), GUARD_ANSWER);
}

/* The clock was set back: nothing is a loop for that, and loops are still found. */
static void test_clock_set_back(void **state)
{
	struct addr from = address("127.0.0.1", 40000);
	int64_t now = 100000 * S;

	repeat(*state, &from, "X", 3, 30 * US, &now);
	now -= 3600 * S;
	assert_int_equal(repeat(*state, &from, "X", 30, 30 * US, &now), 1 + GUARD_LINKS - 1);
}

/* Two servers, A and B, and datagrams that go round between them, in simulated time: each takes them one by one. */
struct datagram {
	int64_t arrives;
	int line;
};

#define RING 65536

struct server {
	struct guard *guard;
	/* As the other one sees it. */
	struct addr addr;
	struct datagram queue[RING];
	unsigned first, last;
	/* When it has dealt with the one before. */
	int64_t free;
};

static void deliver(struct server *s, int64_t when, int line)
{
	s->queue[s->last++ % RING] = (struct datagram){when, line};
}

/* The server that is the next one to do something, NULL if none has anything to do. */
static struct server *next_server(struct server *a, struct server *b)
{
	int64_t when_a = INT64_MAX, when_b = INT64_MAX;

	if (a->first != a->last)
		when_a = a->queue[a->first % RING].arrives > a->free ? a->queue[a->first % RING].arrives : a->free;
	if (b->first != b->last)
		when_b = b->queue[b->first % RING].arrives > b->free ? b->queue[b->first % RING].arrives : b->free;
	if (when_a == INT64_MAX && when_b == INT64_MAX)
		return NULL;
	return when_a <= when_b ? a : b;
}

/* Serves one datagram, `cost` ns, and sends the reply on a way of `way` ns. Returns whether there was a reply. */
static bool serve_one(struct server *s, struct server *other, int64_t cost, int64_t way)
{
	struct datagram d = s->queue[s->first++ % RING];
	int64_t now = (d.arrives > s->free ? d.arrives : s->free) + cost;
	char line[20];

	s->free = now;
	snprintf(line, sizeof line, "LINE %d", d.line);
	if (ask(s->guard, &other->addr, line, d.arrives, now) != GUARD_ANSWER)
		return false;
	deliver(other, now + way, d.line);
	return true;
}

/* `lines` different datagrams, each `copies` times, forged from B to A `spacing` apart. Returns the most packets that
 * any line made, with the forged ones, for each copy. */
static int circle(uint16_t port_a, uint16_t port_b, int lines, int copies, int64_t spacing, int64_t cost, int64_t way)
{
	static struct server a, b;
	static int packets[60000];
	struct server *s;
	int most = 0, total = 0;

	a = (struct server){.guard = guard_new(&key), .addr = address("127.0.0.1", port_a)};
	b = (struct server){.guard = guard_new(&(struct hash_key){1, 2}), .addr = address("127.0.0.1", port_b)};
	memset(packets, 0, sizeof packets);
	for (int i = 0; i < lines * copies; i++) {
		deliver(&a, 1000 * S + i * spacing, i % lines);
		packets[i % lines]++;
	}
	while ((s = next_server(&a, &b)) && total < 2000000) {
		int line = s->queue[s->first % RING].line;

		if (serve_one(s, s == &a ? &b : &a, cost, way)) {
			packets[line]++;
			total++;
		}
	}
	assert_null(next_server(&a, &b));
	for (int i = 0; i < lines; i++)
		most = packets[i] > most ? packets[i] : most;
	guard_free(a.guard);
	guard_free(b.guard);
	return (most + copies - 1) / copies;
}

static void test_two_servers(void **state)
{
	(void)state;
	assert_in_range(circle(12000, 12001, 1, 1, 0, 5 * US, 20 * US), 2, MOST_PACKETS);
	assert_in_range(circle(40000, 50000, 1, 1, 0, 5 * US, 20 * US), 2, MOST_PACKETS);
	/* Far apart. */
	assert_in_range(circle(12000, 12001, 1, 1, 0, 5 * US, 200 * MS), 2, MOST_PACKETS);
}

static void test_two_servers_fifty_lines(void **state)
{
	(void)state;
	assert_in_range(circle(40000, 50000, 50, 1, 0, 5 * US, 20 * US), 2, MOST_PACKETS);
	assert_in_range(circle(40000, 50000, 50, 1, 7 * US, 5 * US, 20 * US), 2, MOST_PACKETS);
	/* Under valgrind, a hundred times slower. */
	assert_in_range(circle(12000, 12001, 50, 1, 0, 500 * US, 20 * US), 2, MOST_PACKETS);
}

/* Copies of one datagram that go round together are not taken for a client that sends many at once. */
static void test_two_servers_equal_lines(void **state)
{
	(void)state;
	for (int copies = 2; copies <= 100; copies++)
		for (int64_t spacing = 0; spacing <= 60 * US; spacing += 3 * US)
			assert_in_range(circle(40000, 50000, 1, copies, spacing, 5 * US, 20 * US), 1, MOST_PACKETS);
}

/* More at once than a receive buffer holds, and more than fit in many of the table's sets: they all end. */
static void test_two_servers_flood(void **state)
{
	(void)state;
	assert_in_range(circle(12000, 12001, 60000, 1, 0, 4 * US, 20 * US), 2, 60);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hash_is_siphash),
		cmocka_unit_test(test_origin),
		cmocka_unit_test_setup_teardown(test_person, setup, teardown),
		cmocka_unit_test_setup_teardown(test_person_bunched, setup, teardown),
		cmocka_unit_test_setup_teardown(test_different_lines_are_no_loop, setup, teardown),
		cmocka_unit_test_setup_teardown(test_loop_at_each_pace, setup, teardown),
		cmocka_unit_test_setup_teardown(test_slow_loop_ends, setup, teardown),
		cmocka_unit_test_setup_teardown(test_silence_ends, setup, teardown),
		cmocka_unit_test_setup_teardown(test_silence_is_for_one_pair, setup, teardown),
		cmocka_unit_test_setup_teardown(test_logged_once, setup, teardown),
		cmocka_unit_test_setup_teardown(test_burst_before_replies, setup, teardown),
		cmocka_unit_test_setup_teardown(test_clock_set_back, setup, teardown),
		cmocka_unit_test(test_two_servers),
		cmocka_unit_test(test_two_servers_fifty_lines),
		cmocka_unit_test(test_two_servers_equal_lines),
		cmocka_unit_test(test_two_servers_flood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
