/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The guard: rules of origin, and loops in simulated time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "server/loop-guard.h"
#include "tests/lib/cmocka-compat.h"

#define US INT64_C(1000)
#define MS (1000 * US)
#define S (1000 * MS)

/* What a row holds: at full speed, with pauses between, and from a port of the same number. */
#define FAST 30000
#define SLOW 300
#define SAME_PORT 16
/* The server's own port. */
#define PORT 12000

static const struct siphash_key key = { 0x0706050403020100, 0x0f0e0d0c0b0a0908 };

static struct addr address(const char *host, uint16_t port)
{
	struct addr a;

	assert_int_equal(addr_numeric(host, port, &a), 0);
	return a;
}

/* The vector of appendix A of the paper: key 00..0f, input 00..0e; and the first ones of its
 * reference code. */
static void test_hash_is_siphash(void **state)
{
	unsigned char in[16];

	(void)state;
	for (unsigned i = 0; i < sizeof in; i++)
		in[i] = (unsigned char)i;
	assert_true(siphash_bytes(&key, in, 15) == UINT64_C(0xa129ca6149be45e5));
	assert_true(siphash_bytes(&key, in, 0) == UINT64_C(0x726fdb47dd0e0e31));
	assert_true(siphash_bytes(&key, in, 1) == UINT64_C(0x74f839c593dc67fd));
	assert_true(siphash_bytes(&key, in, 8) == UINT64_C(0x93f5f5799a932462));
}

static enum counters_drop origin(const char *host, uint16_t port, bool to_group, bool from_self)
{
	struct addr from = address(host, port);

	return loop_guard_origin(&(struct loop_guard_origin){
	    &from, to_group, from_self, 64, PORT });
}

static void test_origin(void **state)
{
	(void)state;
	assert_int_equal(origin("127.0.0.1", 1024, false, false), COUNTERS_ANSWER);
	assert_int_equal(origin("::1", 65535, false, false), COUNTERS_ANSWER);
	assert_int_equal(origin("::ffff:127.0.0.1", 5000, false, false), COUNTERS_ANSWER);
	assert_int_equal(origin("127.0.0.1", 0, false, false), COUNTERS_LOW_PORT);
	assert_int_equal(origin("127.0.0.1", 7, false, false), COUNTERS_LOW_PORT);
	assert_int_equal(origin("192.0.2.1", 19, false, false), COUNTERS_LOW_PORT);
	assert_int_equal(origin("2001:db8::1", 53, false, false), COUNTERS_LOW_PORT);
	assert_int_equal(origin("127.0.0.1", 1023, false, false), COUNTERS_LOW_PORT);
	assert_int_equal(origin("0.0.0.0", 5000, false, false), COUNTERS_BAD_SOURCE);
	assert_int_equal(origin("::", 5000, false, false), COUNTERS_BAD_SOURCE);
	assert_int_equal(origin("255.255.255.255", 5000, false, false), COUNTERS_BAD_SOURCE);
	assert_int_equal(origin("224.0.0.1", 5000, false, false), COUNTERS_BAD_SOURCE);
	assert_int_equal(origin("ff02::1", 5000, false, false), COUNTERS_BAD_SOURCE);
	assert_int_equal(origin("192.0.2.1", 5000, true, false), COUNTERS_GROUP);
	assert_int_equal(origin("192.0.2.1", 5000, false, true), COUNTERS_OWN_ADDRESS);
}

static int setup(void **state)
{
	*state = loop_guard_new(&key);
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

static enum counters_drop ask(struct loop_guard *g, const struct addr *from, int ttl,
    const char *bytes, int64_t now)
{
	const struct loop_guard_origin o = { .from = from, .ttl = ttl, .port = PORT };
	bool news;

	return loop_guard_check(g, &o, bytes, strlen(bytes), now, &news);
}

/* `n` times the same line, each `pause` after the one before. Returns how many were answered. */
static int repeat(struct loop_guard *g, const struct addr *from, const char *bytes, int n,
    int64_t pause, int64_t *now)
{
	int answered = 0;

	for (int i = 0; i < n; i++)
		answered += ask(g, from, 64, bytes, *now += pause) == COUNTERS_ANSWER;
	return answered;
}

/* Replies are known, of whatever way they have come; what systems send of themselves is no reply.
 */
static void test_reply_of_a_server(void **state)
{
	const struct addr from[] = { address("192.0.2.1", 40000), address("2001:db8::1", 5000),
		address("192.0.2.2", PORT) };
	static const int systems[] = { 0, 1, 32, 60, 64, 128 - 31, 128, 255 - 63, 255 };
	int64_t now = 1000 * S;

	for (size_t i = 0; i < sizeof from / sizeof *from; i++) {
		for (int hops = 0; hops < 32; hops++)
			assert_int_equal(ask(*state, &from[i], LOOP_GUARD_TTL - hops, "X",
			                     now += S),
			    COUNTERS_LOOP);
		for (size_t j = 0; j < sizeof systems / sizeof *systems; j++)
			assert_int_equal(ask(*state, &from[i], systems[j], "X", now += S),
			    COUNTERS_ANSWER);
	}
}

static void test_person(void **state)
{
	struct addr from = address("127.0.0.1", 40000);
	int64_t now = 1000 * S;

	/* A line each tenth of a second, a key held down, and both for long; the empty line. */
	assert_int_equal(repeat(*state, &from, "HELLO", 300, 100 * MS, &now), 300);
	now += LOOP_GUARD_RTT_MAX;
	assert_int_equal(repeat(*state, &from, "HELLO", 900, 33 * MS, &now), 900);
	assert_int_equal(repeat(*state, &from, "", 900, 33 * MS, &now), 900);
	/* From a port of a server or behind a router that changes ports, one a second; and slower
	 * than any round trip. */
	from = address("192.0.2.1", 5000);
	assert_int_equal(repeat(*state, &from, "HELLO", 300, S, &now), 300);
	assert_int_equal(repeat(*state, &from, "SLOW", 2000, LOOP_GUARD_RTT_MAX + 1, &now), 2000);
}

/* A program that waits for each reply, or for none. */
static void test_program(void **state)
{
	static const int64_t pauses[] = { 0, 20 * US, 500 * US, MS };
	struct addr high = address("127.0.0.1", 40000), low = address("127.0.0.1", 5000);
	int64_t now = 1000 * S;

	for (size_t i = 0; i < sizeof pauses / sizeof *pauses; i++) {
		now += LOOP_GUARD_RTT_MAX + 1;
		assert_int_equal(repeat(*state, &high, "HELLO", FAST, pauses[i], &now), FAST);
		assert_int_equal(repeat(*state, &low, "HELLO", FAST, pauses[i], &now), FAST);
	}
}

static void test_different_lines_are_no_loop(void **state)
{
	struct addr from = address("127.0.0.1", PORT);
	int64_t now = 1000 * S;
	char line[20];

	for (int i = 0; i < 50000; i++) {
		snprintf(line, sizeof line, "LINE %d", i);
		assert_int_equal(repeat(*state, &from, line, 1, 30 * US, &now), 1);
	}
}

/* Whatever the round trip, from a tenth of a millisecond to minutes. */
static void test_row_ends(void **state)
{
	static const struct {
		int64_t pause;
		int answered;
	} rows[] = { { 100 * US, FAST }, { MS, FAST }, { 60 * MS, 500 }, { 300 * MS, SLOW },
		{ 1200 * MS, SLOW }, { 30 * S, SLOW }, { 240 * S, SLOW },
		{ LOOP_GUARD_RTT_MAX, SLOW } };
	struct addr from = address("127.0.0.1", 40000), same = address("127.0.0.2", PORT);
	int64_t now = 1000 * S;

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		now += 2 * LOOP_GUARD_RTT_MAX;
		assert_uint_in_range(repeat(*state, &from, "X", rows[i].answered + 1, rows[i].pause,
		                         &now),
		    rows[i].answered, rows[i].answered + 1);
		assert_int_equal(repeat(*state, &same, "X", SAME_PORT + 1, rows[i].pause, &now),
		    SAME_PORT);
	}
}

/* Silence is as long as twice the row's longest pause, also where its datagrams keep coming. */
static void test_silence_ends(void **state)
{
	static const struct {
		int64_t pause, silence;
	} rows[] = { { 30 * US, LOOP_GUARD_SILENCE_MIN }, { 3 * S, 6 * S }, { 100 * S, 200 * S },
		{ 200 * S, LOOP_GUARD_RTT_MAX } };
	struct addr from = address("127.0.0.1", PORT);
	int64_t now = 1000 * S, last;

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		now += LOOP_GUARD_RTT_MAX + 1;
		assert_int_equal(repeat(*state, &from, "X", 2, rows[i].pause, &now), 2);
		assert_int_equal(repeat(*state, &from, "X", SAME_PORT - 2, 10 * US, &now),
		    SAME_PORT - 2);
		last = now;
		assert_int_equal(repeat(*state, &from, "X", 100, rows[i].silence / 100, &now), 0);
		now = last + rows[i].silence;
		assert_int_equal(repeat(*state, &from, "X", SAME_PORT + 1, US, &now), SAME_PORT);
	}
}

static void test_silence_is_for_one_pair(void **state)
{
	struct addr from = address("127.0.0.1", PORT), other = address("127.0.0.2", PORT);
	int64_t now = 1000 * S;

	repeat(*state, &from, "X", 20, 30 * US, &now);
	assert_int_equal(repeat(*state, &other, "X", 1, 30 * US, &now), 1);
	assert_int_equal(repeat(*state, &from, "Y", 1, 30 * US, &now), 1);
	assert_int_equal(repeat(*state, &from, "X", 1, 30 * US, &now), 0);
}

/* Once for each source, whether it was known at once or not. */
static void test_logged_once(void **state)
{
	struct addr from[] = { address("127.0.0.1", PORT), address("127.0.0.1", 40000) };
	struct loop_guard_origin o[] = { { .from = &from[0], .ttl = 64, .port = PORT },
		{ .from = &from[1], .ttl = LOOP_GUARD_TTL, .port = PORT } };
	int64_t now = 1000 * S;
	char line[20];
	int logged = 0;
	bool news;

	for (int i = 0; i < 50; i++) {
		snprintf(line, sizeof line, "X%d", i);
		for (int j = 0; j < 20 * 2; j++, now += 30 * US)
			logged += loop_guard_check(*state, &o[j % 2], line, strlen(line), now,
			              &news) == COUNTERS_LOOP &&
			          news;
	}
	assert_int_equal(logged, 2);
}

/* Two servers, A and B, and datagrams that go round between them, in simulated time: each takes
 * them one by one. */
struct datagram {
	int64_t arrives;
	int line;
};

#define RING 262144

struct server {
	struct loop_guard *guard;
	/* As the other one sees it. */
	struct addr addr;
	struct datagram queue[RING];
	unsigned first, last;
	/* When it has dealt with the one before. */
	int64_t free;
};

/* How the two are placed: their ports, the TTL that replies arrive with, the copies that become of
 * each reply on its way, what a datagram costs a server, and the delay of the path, up to `jitter`
 * more. */
struct lane {
	uint16_t port;
	int ttl, copies;
	int64_t cost, delay, jitter;
};

static void deliver(struct server *s, int64_t when, int line)
{
	assert_true(s->last - s->first < RING);
	s->queue[s->last++ % RING] = (struct datagram){ when, line };
}

/* The server that is the next one to do something, NULL if none has anything to do. */
static struct server *next_server(struct server *a, struct server *b)
{
	int64_t when_a = INT64_MAX, when_b = INT64_MAX;

	if (a->first != a->last)
		when_a = a->queue[a->first % RING].arrives > a->free
		           ? a->queue[a->first % RING].arrives
		           : a->free;
	if (b->first != b->last)
		when_b = b->queue[b->first % RING].arrives > b->free
		           ? b->queue[b->first % RING].arrives
		           : b->free;
	if (when_a == INT64_MAX && when_b == INT64_MAX)
		return NULL;
	return when_a <= when_b ? a : b;
}

/* Serves one datagram and sends the replies. Returns how many. */
static int serve_one(struct server *s, struct server *other, const struct lane *lane, int ttl)
{
	struct datagram d = s->queue[s->first++ % RING];
	int64_t now = (d.arrives > s->free ? d.arrives : s->free) + lane->cost;
	char line[20];

	s->free = now;
	snprintf(line, sizeof line, "LINE %d", d.line);
	if (ask(s->guard, &other->addr, ttl, line, now) != COUNTERS_ANSWER)
		return 0;
	for (int i = 0; i < lane->copies; i++)
		deliver(other,
		    now + lane->delay +
		        (lane->jitter ? (int64_t)s->first * 7919 * US % lane->jitter : 0),
		    d.line);
	return lane->copies;
}

/* An empty one: too large for a stack. */
static void begin(struct server *s, const struct siphash_key *its_key, struct addr addr)
{
	memset(s, 0, sizeof *s);
	s->guard = loop_guard_new(its_key);
	s->addr = addr;
}

/* `lines` different datagrams, each `copies` times, forged from B to A `spacing` apart. Returns the
 * most packets that any line made, with the forged ones, for each copy. */
static int circle(const struct lane *lane, int lines, int copies, int64_t spacing)
{
	static struct server a, b;
	static int packets[60000];
	struct server *s;
	int most = 0, total = 0, forged = lines * copies;

	begin(&a, &key, address("192.0.2.1", lane->port));
	begin(&b, &(struct siphash_key){ 1, 2 }, address("192.0.2.2", lane->port));
	memset(packets, 0, sizeof packets);
	for (int i = 0; i < forged; i++) {
		deliver(&a, 1000 * S + i * spacing, i % lines);
		packets[i % lines]++;
	}
	while ((s = next_server(&a, &b)) && total < 5000000) {
		int line = s->queue[s->first % RING].line;
		/* The forged ones are ordinary, and come first. */
		int sent = serve_one(s, s == &a ? &b : &a, lane,
		    s == &a && forged-- > 0 ? 64 : lane->ttl);

		packets[line] += sent;
		total += sent;
	}
	assert_null(next_server(&a, &b));
	for (int i = 0; i < lines; i++)
		most = packets[i] > most ? packets[i] : most;
	free(a.guard);
	free(b.guard);
	return (most + copies - 1) / copies;
}

static const int64_t delays[] = { 20 * US, 500 * US, 30 * MS, 150 * MS, 600 * MS, 15 * S, 120 * S };
#define DELAYS (sizeof delays / sizeof *delays)

/* Two of this kind: one reply, and the copies of that, whatever the delay is. */
static void test_two_servers(void **state)
{
	(void)state;
	for (size_t i = 0; i < DELAYS; i++)
		for (int copies = 1; copies <= 4; copies++) {
			struct lane lane = { 40001, LOOP_GUARD_TTL - 5, copies, 5 * US, delays[i],
				0 };

			assert_int_equal(circle(&lane, 1, 1, 0), 1 + copies);
			assert_int_equal(circle(&lane, 50, 3, 7 * US), 1 + copies);
		}
}

/* Where the TTL does not tell: a row of each. */
static void test_two_strangers(void **state)
{
	(void)state;
	for (size_t i = 0; i < DELAYS; i++) {
		struct lane lane = { 40001, 64, 1, 5 * US, delays[i], 0 };
		int most = delays[i] > MS ? 2 * 500 + 3 : 2 * FAST + 1;

		assert_uint_in_range(circle(&lane, 1, 1, 0), 2 * SLOW, most);
		/* Some that go round together share one row. */
		assert_uint_in_range(circle(&lane, 1, 20, 7 * US), 2, most);
		assert_uint_in_range(circle(&lane, 50, 1, 7 * US), 2 * SLOW, most);
	}
}

/* The same, and each reply becomes more on its way, and the copies spread over it. */
static void test_two_strangers_that_copy(void **state)
{
	(void)state;
	for (size_t i = 0; i < DELAYS; i++)
		for (int copies = 2; copies <= 4; copies++) {
			struct lane lane = { 40001, 64, copies, 5 * US, delays[i], 0 };

			assert_uint_in_range(circle(&lane, 1, 1, 0), 2, 1 + 2 * copies * FAST);
			lane.jitter = delays[i] < S ? 2 * S : delays[i] / 2;
			assert_uint_in_range(circle(&lane, 1, 1, 0), 2, 1 + 2 * copies * FAST);
			assert_uint_in_range(circle(&lane, 1, 20, 300 * MS), 2,
			    1 + 2 * copies * FAST);
		}
}

/* More at once than a receive buffer holds, and more than fit in many of the table's sets: they all
 * end. */
static void test_two_strangers_flood(void **state)
{
	const struct lane lane = { PORT, 64, 1, 4 * US, 20 * US, 0 };

	(void)state;
	assert_uint_in_range(circle(&lane, 1, 1, 0), 2, 1 + 2 * SAME_PORT);
	assert_uint_in_range(circle(&lane, 60000, 1, 0), 2, 32 * SAME_PORT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hash_is_siphash),
		cmocka_unit_test(test_origin),
		cmocka_unit_test_setup_teardown(test_reply_of_a_server, setup, teardown),
		cmocka_unit_test_setup_teardown(test_person, setup, teardown),
		cmocka_unit_test_setup_teardown(test_program, setup, teardown),
		cmocka_unit_test_setup_teardown(test_different_lines_are_no_loop, setup, teardown),
		cmocka_unit_test_setup_teardown(test_row_ends, setup, teardown),
		cmocka_unit_test_setup_teardown(test_silence_ends, setup, teardown),
		cmocka_unit_test_setup_teardown(test_silence_is_for_one_pair, setup, teardown),
		cmocka_unit_test_setup_teardown(test_logged_once, setup, teardown),
		cmocka_unit_test(test_two_servers),
		cmocka_unit_test(test_two_strangers),
		cmocka_unit_test(test_two_strangers_that_copy),
		cmocka_unit_test(test_two_strangers_flood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
