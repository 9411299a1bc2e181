/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Peers of every pace, with a clock of the test's own: who is looked for, and what that costs where
 * it is in vain. */
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "server/busy-poll.h"
#include "common/clock.h"
#include "tests/lib/cmocka-compat.h"

#define PEER 7
#define OTHER 8
/* What answering takes. */
#define SERVICE (3 * NS_PER_US)
#define TURNS 100000

/* What came of some messages: how many of them a look was there for, and the time spent on looks.
 */
struct outcome {
	int found;
	int64_t looked;
};

/* Messages that each come `gap` after the reply to the one before, from the descriptors in turn. */
static struct outcome run_peers(const int *fds, int count, const int64_t *gaps, int gap_count,
    int turns)
{
	struct outcome o = { 0 };
	struct busy_poll p;
	int64_t now = NS_PER_S;

	busy_poll_start(&p);
	for (int i = 0; i < turns; i++) {
		int64_t answered = now + SERVICE, next = answered + gaps[i % gap_count], end;

		busy_poll_note(&p, fds[i % count], now, answered);
		if (busy_poll_active(&p, answered)) {
			end = p.until;
			o.found += next < end;
			o.looked += next < end ? next - answered : end - answered;
			assert_int_equal(busy_poll_active(&p, next), next < end);
		}
		now = next;
	}
	return o;
}

static struct outcome run_peer(int64_t gap, int turns)
{
	return run_peers((const int[]){ PEER }, 1, &gap, 1, turns);
}

static void prompt_peer_is_looked_for(void **state)
{
	const struct outcome o = run_peer(5 * NS_PER_US, TURNS);

	(void)state;
	assert_uint_in_range(o.found, TURNS - 10, TURNS);
}

static void first_messages_are_slept_for(void **state)
{
	(void)state;
	assert_int_equal(run_peer(5 * NS_PER_US, 4).looked, 0);
}

/* One whose messages a look just misses, and one that is far from it. */
static void slow_peer_costs_next_to_nothing(void **state)
{
	(void)state;
	assert_uint_in_range(run_peer(BUSY_POLL_TIME + 1, TURNS).looked, 1, 40 * BUSY_POLL_TIME);
	assert_int_equal(run_peer(NS_PER_MS, TURNS).looked, 0);
}

/* Where every second look is in vain, looking is not worth it. */
static void unsteady_peer_is_given_up(void **state)
{
	const int64_t gaps[] = { 5 * NS_PER_US, 20 * NS_PER_US };
	const struct outcome o = run_peers((const int[]){ PEER }, 1, gaps, 2, TURNS);

	(void)state;
	assert_uint_in_range(o.looked, 1, 100 * BUSY_POLL_TIME);
}

/* Now and then one is late: that is no reason. */
static void late_message_is_forgiven(void **state)
{
	int64_t gaps[50];
	struct outcome o;

	(void)state;
	for (int i = 0; i < 50; i++)
		gaps[i] = (i ? 5 : 40) * NS_PER_US;
	o = run_peers((const int[]){ PEER }, 1, gaps, 50, TURNS);
	assert_uint_in_range(o.found, TURNS * 6 / 10, TURNS);
}

static void several_peers_are_slept_for(void **state)
{
	const int64_t gap = 5 * NS_PER_US;

	(void)state;
	assert_int_equal(run_peers((const int[]){ PEER, OTHER }, 2, &gap, 1, TURNS).looked, 0);
	assert_int_equal(run_peers((const int[]){ -1 }, 1, &gap, 1, TURNS).looked, 0);
}

/* What was seen of a peer in vain does not stand in its way for ever. */
static void peer_that_becomes_prompt(void **state)
{
	static int64_t gaps[TURNS];
	struct outcome o;

	(void)state;
	for (int i = 0; i < TURNS; i++)
		gaps[i] = (i < TURNS / 2 ? 20 : 5) * NS_PER_US;
	o = run_peers((const int[]){ PEER }, 1, gaps, TURNS, TURNS);
	assert_uint_in_range(o.found, TURNS / 2 - 5000, TURNS / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prompt_peer_is_looked_for),
		cmocka_unit_test(first_messages_are_slept_for),
		cmocka_unit_test(slow_peer_costs_next_to_nothing),
		cmocka_unit_test(unsteady_peer_is_given_up),
		cmocka_unit_test(late_message_is_forgiven),
		cmocka_unit_test(several_peers_are_slept_for),
		cmocka_unit_test(peer_that_becomes_prompt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
