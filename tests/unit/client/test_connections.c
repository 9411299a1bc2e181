/* SPDX-License-Identifier: GPL-3.0-or-later */
/* TCP connections as events: what is said of each, by the kernel alone and with what the link
 * tells, which have a row, and what is recorded. */
#include <setjmp.h>
#include <stdarg.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "record/connections.h"

#define MS INT64_C(1000000)
#define HERE 40000
#define BEGAN (100 * MS)

struct fixture {
	struct connections connections;
	struct trace *trace;
	int flow;
	/* What was told last, how often, and how often finally. */
	char text[500];
	bool quiet;
	int told, final;
	struct link_packet packets[RECORD_PACKETS];
	size_t packet_count;
	int64_t at, duration;
};

static int set_up(void **state)
{
	struct fixture *d = calloc(1, sizeof *d);

	assert_non_null(d);
	d->trace = trace_new(16);
	d->flow = trace_flow(d->trace, true, 1000 * MS);
	trace_opened(d->trace, d->flow, HERE, 12000, 0);
	*state = d;
	return d->trace ? 0 : -1;
}

static int tear_down(void **state)
{
	struct fixture *d = *state;

	trace_free(d->trace);
	free(d);
	return 0;
}

static void report(void *context, const struct session_event *event, struct connection_note *note,
    bool final)
{
	struct fixture *d = context;

	assert_int_equal(event->kind, SESSION_EVENT_TCP);
	snprintf(d->text, sizeof d->text, "%s", event->text);
	d->quiet = event->quiet;
	d->at = event->at;
	d->duration = event->duration;
	assert_int_equal(event->connection.here, HERE);
	d->told++;
	d->final += final;
	d->packet_count = event->packet_count;
	for (size_t i = 0; i < event->packet_count; i++)
		d->packets[i] = record_packet_shifted(&event->packets[i], event->at);
	if (!event->quiet)
		note->row = 7;
}

static struct session_connection stage(enum session_stage stage, int64_t at, unsigned syns,
    int error)
{
	return (struct session_connection){
		.stage = stage, .here = HERE, .began = BEGAN, .at = at, .syns = syns, .error = error
	};
}

static void take(struct fixture *d, enum session_stage now, int64_t at, unsigned syns, int error)
{
	const struct session_connection c = stage(now, at, syns, error);

	connections_take(&d->connections, &c);
}

static int64_t turn(struct fixture *d, int64_t complete_until, int64_t now)
{
	return connections_dispatch(&d->connections, 0,
	    complete_until == INT64_MIN ? NULL : d->trace, complete_until, now, report, d);
}

static void segment(struct fixture *d, bool there, const char *fate, const char *flags, int64_t in,
    int64_t out)
{
	static uint64_t serial;
	char told[300];
	struct packet_event e;

	snprintf(told, sizeof told,
	    "event %llu %s in=%lld fate=%s%s%.0lld proto=tcp sport=%d dport=%d seq=%d ack=0 flags=%s payload=0",
	    (unsigned long long)++serial, there ? "there" : "back", (long long)in, fate,
	    out ? " out=" : "", (long long)out, there ? HERE : 12000, there ? 12000 : HERE, 500,
	    flags);
	assert_int_equal(event_line_read(&e, told), 0);
	trace_event(d->trace, &e);
}

static void says(const struct fixture *d, const char *text, bool quiet, int final)
{
	assert_string_equal(d->text, text);
	assert_int_equal(d->quiet, quiet);
	assert_int_equal(d->final, final);
}

static void what_the_kernel_tells(void **state)
{
	static const struct {
		enum session_stage stage;
		unsigned syns;
		int error;
		int64_t duration;
		const char *text;
	} ends[] = {
		{ SESSION_CONNECTED, 1, 0, 41 * MS, "connected in 41.0 ms" },
		{ SESSION_CONNECTED, 2, 0, 1040 * MS, "SYN sent 2 times, connected after 1.04 s" },
		{ SESSION_FAILED, 1, ECONNREFUSED, 3 * MS / 10, "refused (RST) after 0.3 ms" },
		{ SESSION_FAILED, 5, ETIMEDOUT, 10000 * MS,
		    "SYN sent 5 times, no answer after 10.0 s" },
		{ SESSION_FAILED, 1, EHOSTUNREACH, 2 * MS, "unreachable after 2.00 ms" },
	};

	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
		struct fixture *d = *state;

		d->connections = (struct connections){ .count = 0 };
		d->told = d->final = 0;
		take(d, SESSION_CONNECTING, BEGAN, 1, 0);
		assert_true(connections_due(&d->connections) > BEGAN);
		turn(d, INT64_MIN, BEGAN + MS);
		assert_int_equal(d->told, 0);
		take(d, ends[i].stage, BEGAN + ends[i].duration, ends[i].syns, ends[i].error);
		turn(d, INT64_MIN, BEGAN + ends[i].duration);
		says(d, ends[i].text, false, 1);
		assert_int_equal(d->at, BEGAN);
		assert_int_equal(d->packet_count, 0);
		assert_int_equal(connections_due(&d->connections), INT64_MAX);
		turn(d, INT64_MIN, INT64_MAX);
		assert_int_equal(d->told, 1);
	}
}

/* While it takes long it has a row, which is told again only when it says something else. */
static void a_row_while_it_connects(void **state)
{
	struct fixture *d = *state;

	take(d, SESSION_CONNECTING, BEGAN, 1, 0);
	turn(d, INT64_MIN, connections_due(&d->connections));
	says(d, "SYN sent, no answer yet", false, 0);
	turn(d, INT64_MIN, BEGAN + 900 * MS);
	assert_int_equal(d->told, 1);
	take(d, SESSION_CONNECTING, BEGAN + 1001 * MS, 2, 0);
	turn(d, INT64_MIN, BEGAN + 1001 * MS);
	says(d, "SYN sent 2 times, no answer yet", false, 0);
	take(d, SESSION_CONNECTED, BEGAN + 1041 * MS, 2, 0);
	turn(d, INT64_MIN, BEGAN + 1041 * MS);
	says(d, "SYN sent 2 times, connected after 1.04 s", false, 1);
}

static void what_the_link_tells(void **state)
{
	struct fixture *d = *state;

	take(d, SESSION_CONNECTING, BEGAN, 1, 0);
	segment(d, true, "cue", "S", BEGAN, 0);
	/* At once, since the link knows. */
	turn(d, 0, BEGAN + MS);
	says(d, "SYN sent, lost going, on cue", false, 0);
	segment(d, true, "delivered", "S", BEGAN + 1000 * MS, BEGAN + 1020 * MS);
	segment(d, false, "random", "SA", BEGAN + 1020 * MS, 0);
	turn(d, 0, BEGAN + 1021 * MS);
	says(d, "SYN sent, lost going, on cue, again after 1.00 s, SYN-ACK lost coming", false, 0);
	segment(d, false, "delivered", "SA", BEGAN + 2020 * MS, BEGAN + 2040 * MS);
	take(d, SESSION_CONNECTED, BEGAN + 2040 * MS, 2, 0);
	/* Not final before the link has told all. */
	assert_int_equal(turn(d, BEGAN + 2000 * MS, BEGAN + 2040 * MS), BEGAN + 2040 * MS);
	assert_int_equal(d->final, 0);
	segment(d, true, "delivered", "A", BEGAN + 2040 * MS, BEGAN + 2060 * MS);
	turn(d, BEGAN + 2041 * MS, BEGAN + 2200 * MS);
	says(d,
	    "SYN sent, lost going, on cue, again after 1.00 s, SYN-ACK lost coming, SYN-ACK again after 2.02 s, connected after 2.04 s",
	    false, 1);
	assert_int_equal(d->packet_count, 5);
	assert_int_equal(d->packets[0].in, BEGAN);
	assert_int_equal(d->packets[0].out, RECORD_NEVER);
	assert_string_equal(record_flags_name(&d->packets[0]), "SYN");
	assert_true(d->packets[1].retransmitted);
	assert_string_equal(record_flags_name(&d->packets[2]), "SYN-ACK");
	assert_string_equal(record_flags_name(&d->packets[4]), "ACK");
	assert_int_equal(d->packets[4].out, BEGAN + 2060 * MS);
	assert_int_equal(d->duration, 2040 * MS);
}

/* A refusal that the link loses: the next SYN is this connection's too. */
static void a_refusal_that_is_lost(void **state)
{
	struct fixture *d = *state;

	take(d, SESSION_CONNECTING, BEGAN, 1, 0);
	segment(d, true, "delivered", "S", BEGAN, BEGAN);
	segment(d, false, "unplugged", "RA", BEGAN, 0);
	segment(d, true, "delivered", "S", BEGAN + 1000 * MS, BEGAN + 1000 * MS);
	segment(d, false, "delivered", "RA", BEGAN + 1000 * MS, BEGAN + 1001 * MS);
	take(d, SESSION_FAILED, BEGAN + 1001 * MS, 2, ECONNREFUSED);
	turn(d, INT64_MAX, BEGAN + 1001 * MS);
	says(d,
	    "SYN sent, RST unplugged coming, SYN again after 1.00 s, refused (RST) after 1.00 s",
	    false, 1);
	assert_int_equal(d->packet_count, 4);
}

/* A requested drop has a row, also in an attempt that fails as the one before. */
static void a_drop_is_always_told(void **state)
{
	struct fixture *d = *state;

	for (int i = 0; i < 2; i++) {
		take(d, SESSION_CONNECTING, BEGAN, 1, 0);
		if (i == 1)
			segment(d, true, "cue", "S", BEGAN, 0);
		segment(d, true, "delivered", "S", BEGAN + i * 1000 * MS, BEGAN + i * 1000 * MS);
		segment(d, false, "delivered", "RA", BEGAN + i * 1000 * MS,
		    BEGAN + (i * 1000 + 1) * MS);
		take(d, SESSION_FAILED, BEGAN + (i * 1000 + 1) * MS, 1 + (unsigned)i, ECONNREFUSED);
		turn(d, INT64_MAX, BEGAN + (i * 1000 + 1) * MS);
	}
	assert_false(d->quiet);
	assert_non_null(strstr(d->text, "lost going, on cue, again after 1.00 s"));
}

/* The packets that close it are recorded, and those that opened it not once more; no row. */
static void its_end(void **state)
{
	struct fixture *d = *state;

	take(d, SESSION_CONNECTING, BEGAN, 1, 0);
	segment(d, true, "delivered", "S", BEGAN, BEGAN + 20 * MS);
	segment(d, false, "delivered", "SA", BEGAN + 20 * MS, BEGAN + 40 * MS);
	segment(d, true, "delivered", "A", BEGAN + 40 * MS, BEGAN + 60 * MS);
	take(d, SESSION_CONNECTED, BEGAN + 40 * MS, 1, 0);
	turn(d, BEGAN + 40 * MS, BEGAN + 41 * MS);
	says(d, "connected in 40.0 ms", false, 1);
	segment(d, false, "delivered", "FA", BEGAN + 500 * MS, BEGAN + 520 * MS);
	segment(d, true, "delivered", "FA", BEGAN + 521 * MS, BEGAN + 541 * MS);
	segment(d, false, "delivered", "A", BEGAN + 541 * MS, BEGAN + 561 * MS);
	take(d, SESSION_ENDED, BEGAN + 520 * MS, 1, 0);
	assert_true(turn(d, BEGAN + 520 * MS, BEGAN + 520 * MS) > BEGAN + 561 * MS);
	turn(d, INT64_MAX, BEGAN + 600 * MS);
	says(d, "closed by the server (FIN)", true, 2);
	assert_int_equal(d->packet_count, 3);
	assert_string_equal(record_flags_name(&d->packets[0]), "FIN");
	assert_int_equal(d->packets[0].direction, LINK_COMING);
	assert_string_equal(record_flags_name(&d->packets[2]), "ACK");
	take(d, SESSION_ENDED, BEGAN + 700 * MS, 1, ECONNRESET);
	segment(d, false, "delivered", "RA", BEGAN + 690 * MS, BEGAN + 700 * MS);
	turn(d, INT64_MAX, BEGAN + 700 * MS);
	says(d, "reset by the server (RST)", true, 3);
	assert_string_equal(record_flags_name(&d->packets[d->packet_count - 1]), "RST");
}

/* Which have a row: the first; those with more than one SYN; a failure, but not the same once more;
 * all are recorded. */
static void not_a_row_for_each(void **state)
{
	static const struct {
		enum session_stage stage;
		unsigned syns;
		bool more, quiet;
		int error;
	} order[] = {
		{ SESSION_FAILED, 1, true, true, ECONNREFUSED },
		{ SESSION_CONNECTED, 1, false, false, 0 },
		{ SESSION_CONNECTED, 1, false, true, 0 },
		{ SESSION_CONNECTED, 2, false, false, 0 },
		{ SESSION_FAILED, 1, false, false, ECONNREFUSED },
		{ SESSION_FAILED, 1, false, true, ECONNREFUSED },
		{ SESSION_FAILED, 3, false, true, ECONNREFUSED },
		{ SESSION_CONNECTED, 1, false, true, 0 },
		{ SESSION_CONNECTED, 1, false, true, 0 },
		{ SESSION_FAILED, 1, false, false, ECONNREFUSED },
		{ SESSION_FAILED, 1, false, true, ECONNREFUSED },
		/* Another failure, the same again, and the first one again. */
		{ SESSION_FAILED, 3, false, false, ETIMEDOUT },
		{ SESSION_FAILED, 3, false, true, ETIMEDOUT },
		{ SESSION_FAILED, 1, false, false, ECONNREFUSED },
	};
	struct fixture *d = *state;

	for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
		struct session_connection c = stage(SESSION_CONNECTING, BEGAN + (int64_t)i, 1, 0);

		c.began = BEGAN + (int64_t)i;
		connections_take(&d->connections, &c);
		c.stage = order[i].stage;
		c.syns = order[i].syns;
		c.error = order[i].error;
		c.more = order[i].more;
		c.at = c.began + 10 * MS;
		connections_take(&d->connections, &c);
		turn(d, INT64_MIN, c.at);
		if (d->quiet != order[i].quiet)
			fail_msg("attempt %zu: \"%s\" is %squiet", i, d->text,
			    d->quiet ? "" : "not ");
		assert_int_equal(d->final, i + 1);
	}
}

/* Whatever comes, no more is kept than there is room for. */
static void bounded(void **state)
{
	struct fixture *d = *state;

	for (int i = 0; i < 10 * CONNECTIONS_MAX; i++) {
		struct session_connection c = stage(SESSION_CONNECTED, BEGAN + i * MS, 1, 0);

		c.began = c.at;
		connections_take(&d->connections, &c);
		for (int k = 0; k < 5; k++)
			segment(d, true, "random", "S", c.began + k, 0);
	}
	assert_int_equal(d->connections.count, CONNECTIONS_MAX);
	turn(d, INT64_MAX, BEGAN);
	assert_int_equal(d->final, CONNECTIONS_MAX);
	assert_true(d->packet_count <= RECORD_PACKETS);
	assert_true(strlen(d->text) < sizeof d->text - 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(what_the_kernel_tells),
		TEST(a_row_while_it_connects),
		TEST(what_the_link_tells),
		TEST(its_end),
		TEST(not_a_row_for_each),
		TEST(a_refusal_that_is_lost),
		TEST(a_drop_is_always_told),
		TEST(bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
