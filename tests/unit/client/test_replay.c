/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A replay: its steps, its clock, and that going back is as if it had never gone further. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/clock.h"
#include "record/replay.h"
#include "tests/lib/cmocka-compat.h"

#define START "{\"type\":\"start\",\"format\":\"upcase\",\"version\":1}\n"
#define SESSION(n, transport) \
	"{\"type\":\"session\",\"session\":" n ",\"transport\":\"" transport \
	"\",\"peer\":\"10.9.0.2:12000\",\"wait_ns\":100000000}\n"
#define LINE(session, transport, n, fate, typed, sent, rest) \
	"{\"type\":\"line\",\"session\":" session ",\"transport\":\"" transport "\",\"n\":" n \
	",\"fate\":\"" fate "\",\"typed_ns\":" typed ",\"sent_ns\":" sent rest \
	",\"text\":\"x\"}\n"

/* Line 1 goes over both and is sent at once over UDP, later over TCP; line 2 goes over UDP. */
static const char both[] = START SESSION("0", "udp") SESSION("1", "tcp")
    LINE("0", "udp", "1", "answered", "1000000", "1000100", ",\"replied_ns\":30000000")
        LINE("1", "tcp", "1", "answered", "1000000", "20000000", ",\"replied_ns\":60000000")
            LINE("0", "udp", "2", "lost", "50000000", "50000200", "");

/* What is seen: the totals of both sessions, and the time. */
struct seen {
	struct ledger_totals totals[2];
	int64_t now;
};

struct fixture {
	struct replay *r;
	struct session *sessions[2];
};

static void on_reply(void *context, const struct session_reply *reply)
{
	(void)context, (void)reply;
}

static void on_row(void *context, uint64_t number)
{
	(void)context, (void)number;
}

static void take_sessions(struct fixture *f)
{
	for (size_t i = 0; i < 2; i++)
		f->sessions[i] = replay_session(f->r, i,
		    &(struct session_hooks){ .reply = on_reply, .row = on_row });
}

static int set_up(void **state)
{
	static struct fixture fixture;
	char path[] = "/tmp/upcase-test-XXXXXX", reason[REPLAY_REASON];
	const int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, both, strlen(both)), strlen(both));
	close(fd);
	fixture.r = replay_open(path, reason);
	unlink(path);
	assert_non_null(fixture.r);
	*state = &fixture;
	return 0;
}

static int tear_down(void **state)
{
	replay_close(((struct fixture *)*state)->r);
	return 0;
}

static void start(struct fixture *f, bool step, int64_t now)
{
	const struct replay_hooks hooks = { .context = f };

	assert_int_equal(replay_start(f->r, &hooks, 100, step, now), 0);
	take_sessions(f);
}

static struct seen see(const struct fixture *f)
{
	struct seen seen;

	memset(&seen, 0, sizeof seen);
	for (size_t i = 0; i < 2; i++)
		seen.totals[i] = *ledger_totals(session_ledger(f->sessions[i]));
	seen.now = replay_now(f->r, INT64_MAX);
	return seen;
}

/* Typed and sent, over both; sent over TCP; UDP's reply; line 2; TCP's reply; line 2 is lost. */
static void steps(void **state)
{
	struct fixture *f = *state;
	const struct replay_status *status = replay_status(f->r);

	start(f, true, 0);
	assert_int_equal(status->length, 6);
	assert_int_equal(replay_find_line(f->r, REPLAY_LINE, 1), 1);
	assert_int_equal(replay_find_line(f->r, REPLAY_LINE, 2), 4);
	assert_int_equal(replay_find_line(f->r, REPLAY_LINE, 3), 0);
	assert_int_equal(replay_find_line(f->r, REPLAY_LINE_AFTER, 0), 1);
	assert_int_equal(replay_find_line(f->r, REPLAY_LINE_BEFORE, 0), 0);
	replay_seek(f->r, 1, 0);
	assert_int_equal(status->position, 1);
	assert_int_equal(see(f).totals[0].waiting, 1);
	assert_int_equal(see(f).totals[1].queued, 1);
	assert_int_equal(replay_find_line(f->r, REPLAY_LINE_AFTER, 0), 4);
	assert_int_equal(replay_find_line(f->r, REPLAY_LINE_BEFORE, 0), 0);
	replay_seek(f->r, 2, 0);
	assert_int_equal(see(f).totals[1].waiting, 1);
	replay_seek(f->r, 5, 0);
	assert_int_equal(see(f).totals[1].answered, 1);
	assert_int_equal(replay_find_line(f->r, REPLAY_LINE_BEFORE, 0), 4);
	assert_int_equal(replay_find_line(f->r, REPLAY_LINE_AFTER, 0), 6);
	replay_seek(f->r, 100, 0);
	assert_int_equal(status->position, 6);
	assert_int_equal(see(f).totals[0].lost, 1);
}

static void goes_back(void **state)
{
	struct fixture *f = *state;
	struct seen there[7], back;

	start(f, true, 5);
	for (size_t step = 0; step <= 6; step++) {
		replay_seek(f->r, step, 5);
		there[step] = see(f);
	}
	for (size_t step = 7; step-- > 0;) {
		assert_int_equal(replay_restart(f->r), 0);
		take_sessions(f);
		assert_int_equal(replay_status(f->r)->position, 0);
		assert_true(replay_status(f->r)->paused);
		replay_seek(f->r, step, 5);
		back = see(f);
		assert_memory_equal(&back, &there[step], sizeof back);
	}
}

/* At four times the speed 40 ms of the recording take 10 ms; while it stands still, none. */
static void clock_and_speed(void **state)
{
	struct fixture *f = *state;
	const struct replay_status *status = replay_status(f->r);
	const int64_t origin = 1000 * NS_PER_MS;
	int64_t at;

	start(f, false, origin + NS_PER_MS);
	assert_int_equal(status->origin, origin);
	assert_int_equal(replay_now(f->r, origin + 2 * NS_PER_MS), origin + 2 * NS_PER_MS);
	replay_set_clock(f->r, false, 2, origin + 10 * NS_PER_MS);
	assert_int_equal(replay_now(f->r, origin + 20 * NS_PER_MS), origin + 50 * NS_PER_MS);
	replay_set_clock(f->r, true, 2, origin + 20 * NS_PER_MS);
	assert_int_equal(replay_now(f->r, origin + 90 * NS_PER_MS), origin + 50 * NS_PER_MS);
	assert_int_equal(replay_dispatch(f->r, origin + 90 * NS_PER_MS), INT64_MAX);
	assert_int_equal(status->position, 0);
	/* Half the speed from here on: the reply at 60 ms is due 20 ms later. */
	replay_set_clock(f->r, true, -1, origin + 90 * NS_PER_MS);
	replay_set_clock(f->r, false, -1, origin + 100 * NS_PER_MS);
	at = replay_dispatch(f->r, origin + 101 * NS_PER_MS);
	assert_int_equal(status->position, 4);
	assert_uint_in_range(at, origin + 120 * NS_PER_MS, origin + 120 * NS_PER_MS + 2);
	/* What is due is played when it is due. */
	at = replay_dispatch(f->r, at);
	assert_int_equal(status->position, 5);
	assert_int_equal(replay_dispatch(f->r, at), INT64_MAX);
	assert_int_equal(status->position, 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(steps, set_up, tear_down),
		cmocka_unit_test_setup_teardown(goes_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(clock_and_speed, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
