/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the server's control socket answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "server/control-commands.h"
#include "common/clock.h"

struct fixture {
	struct counters counters;
	struct impair_options link;
	struct control_connection connections[2];
	struct control_sources sources;
	char answer[8000];
};

static void each(const struct tcp *tcp, int64_t now, control_connection_call *tell, void *context)
{
	const struct fixture *h = (const void *)tcp;

	(void)now;
	for (int i = 0; i < 2; i++)
		tell(context, &h->connections[i]);
}

static void open_house(struct fixture *h)
{
	*h = (struct fixture){ .counters = { .udp_datagrams = 5 },
		.connections = { { .peer = "10.9.0.1:40000",
		                     .age = 12345 * NS_PER_MS,
		                     .idle = 10 * NS_PER_MS,
		                     .bytes_in = 1,
		                     .bytes_out = 2,
		                     .pending = 3,
		                     .kernel.known = (1u << OS_TCP_NUMBERS) - 1 },
		    { .peer = "[fd09::1]:50000" } } };
	uint64_t *kernel = h->connections[0].kernel.value;

	impair_options_start(&h->link);
	h->link.there.loss = 0.2;
	h->link.seed = 42;
	kernel[OS_TCP_STATE] = 1;
	kernel[OS_TCP_RETRANSMITS] = 2;
	kernel[OS_TCP_BACKOFF] = 3;
	kernel[OS_TCP_RTO] = 1600000;
	kernel[OS_TCP_BYTES_RETRANS] = UINT64_MAX;
	kernel[OS_TCP_TOTAL_RTO] = 7;
	h->sources = (struct control_sources){
		.counters = &h->counters, .link = &h->link, .each = each, .tcp = (const void *)h
	};
}

static const char *query(struct fixture *h, const char *command)
{
	struct send_buffer out = { .bytes = NULL };
	char line[100];

	snprintf(line, sizeof line, "%s", command);
	control_commands_execute(&h->sources, line, 0, &out);
	assert_false(send_buffer_empty(&out));
	snprintf(h->answer, sizeof h->answer, "%.*s", (int)(out.end - out.first),
	    out.bytes + out.first);
	send_buffer_free(&out);
	return h->answer;
}

static void test_connections(void **state)
{
	static const char first[] =
	    "connection 10.9.0.1:40000 age-ms 12345 idle-ms 10 bytes-in 1 bytes-out 2 pending 3"
	    " state established retransmits 2 probes 0 backoff 3 rto-us 1600000 rtt-us 0 rttvar-us 0 min-rtt-us 0 cwnd 0"
	    " unacked 0 lost 0 total-retrans 0 bytes-retrans 18446744073709551615 notsent 0 "
	    "total-rto 7 ca-state 0 ssthresh 0 mss 0 peer-window 0\n";
	static const char second[] =
	    "connection [fd09::1]:50000 age-ms 0 idle-ms 0 bytes-in 0 bytes-out 0 pending 0\n";
	char both[2000];
	struct fixture h;

	(void)state;
	open_house(&h);
	snprintf(both, sizeof both, "%s%sok\n", first, second);
	assert_string_equal(query(&h, "connections"), both);
	snprintf(both, sizeof both, "%sok\n", second);
	assert_string_equal(query(&h, " connection\t[fd09::1]:50000 \r"), both);
	assert_string_equal(query(&h, "connection 10.9.0.1:4"),
	    "error '10.9.0.1:4' is not connected; \"connections\" lists who is\n");
}

/* An old kernel fills in less: nothing is told of what it did not write, and no part of a number.
 */
static void test_old_kernels(void **state)
{
	struct fixture h;

	(void)state;
	open_house(&h);
	h.connections[0].kernel.known &= ~(1u << OS_TCP_BYTES_RETRANS);
	assert_null(strstr(query(&h, "connections"), "bytes-retrans"));
	assert_non_null(strstr(h.answer, " notsent "));
	h.connections[0].kernel.known = (1u << OS_TCP_STATE) | 1u << OS_TCP_TOTAL_RETRANS;
	assert_non_null(strstr(query(&h, "connections"), " total-retrans 0\n"));
	assert_null(strstr(h.answer, "min-rtt"));
	h.connections[0].kernel.known = 1u << OS_TCP_STATE;
	assert_non_null(strstr(query(&h, "connections"), " pending 3 state established\n"));
	h.connections[0].kernel.value[OS_TCP_STATE] = 200;
	assert_non_null(strstr(query(&h, "connections"), " state other\n"));
}

static void test_the_rest(void **state)
{
	struct fixture h;

	(void)state;
	open_house(&h);
	assert_memory_equal(query(&h, "totals"), "udp: clients 0 datagrams 5 ", 27);
	assert_string_equal(h.answer + strlen(h.answer) - 4, "\nok\n");
	assert_string_equal(query(&h, "link"),
	    "seed 42\nthere line loss 20%\nback line nothing\nok\n");
	assert_non_null(strstr(query(&h, "help"), "connection ADDRESS:PORT: "));
}

static void test_wrong_orders(void **state)
{
	struct fixture h;

	(void)state;
	open_house(&h);
	assert_string_equal(query(&h, "nonsense"),
	    "error 'nonsense' is no order; for example: help\n");
	assert_string_equal(query(&h, "a\x1b[31m\xff"),
	    "error 'a?[31m?' is no order; for example: help\n");
	assert_string_equal(query(&h, ""), "error an order is missing; for example: help\n");
	assert_string_equal(query(&h, "  "), "error an order is missing; for example: help\n");
	assert_string_equal(query(&h, "totals now"), "error 'totals' takes no words\n");
	assert_memory_equal(query(&h, "connection"), "error 'connection' takes one word", 33);
	assert_memory_equal(query(&h, "connection a b"), "error 'connection' takes one word", 33);
	assert_memory_equal(query(&h, "set loss 3%"), "error 'set' is no order", 23);
}

/* Two workers; the second one may be silent. */
struct workers_stub {
	struct counters *counters;
	int silent;
	char command[100];
};

static void sum_team(struct server *team)
{
	((struct workers_stub *)(void *)team)->counters->udp_datagrams = 77;
}

static int query_team(struct server *team, const char *command,
    void (*line)(void *context, const char *line), void *context)
{
	struct workers_stub *t = (void *)team;

	snprintf(t->command, sizeof t->command, "%s", command);
	if (strstr(command, "nobody"))
		return 0;
	line(context, "connection 10.0.0.1:1 age-ms 1\n");
	if (!t->silent)
		line(context, "connection 10.0.0.2:2 age-ms 2\n");
	return t->silent;
}

static void test_workers(void **state)
{
	struct fixture h;
	struct workers_stub team = { .counters = &h.counters };

	(void)state;
	open_house(&h);
	h.sources = (struct control_sources){ .counters = &h.counters,
		.link = &h.link,
		.sum = sum_team,
		.query = query_team,
		.server = (void *)&team };
	assert_non_null(strstr(query(&h, "totals"), "datagrams 77"));
	assert_string_equal(query(&h, "connections"),
	    "connection 10.0.0.1:1 age-ms 1\nconnection 10.0.0.2:2 age-ms 2\nok\n");
	assert_string_equal(team.command, "connections\n");
	query(&h, "connection 10.0.0.2:2");
	assert_string_equal(team.command, "connection 10.0.0.2:2\n");
	assert_non_null(strstr(query(&h, "connection nobody"), "error 'nobody' is not connected"));
	team.silent = 2;
	assert_string_equal(query(&h, "connections"),
	    "connection 10.0.0.1:1 age-ms 1\nerror worker 2 does not answer\n");
}

/* More connections than there is room for: those that fit, and an error. */
static void each_of_many(const struct tcp *tcp, int64_t now, control_connection_call *report_one,
    void *context)
{
	const struct fixture *h = (const void *)tcp;

	(void)now;
	for (int i = 0; i < 40000; i++)
		report_one(context, &h->connections[0]);
}

static void test_too_many(void **state)
{
	struct send_buffer out = { .bytes = NULL };
	char line[] = "connections",
	     last[] = "\nerror there are too many to tell: ask for one of them\n";
	struct fixture h;

	(void)state;
	open_house(&h);
	h.sources.each = each_of_many;
	control_commands_execute(&h.sources, line, 0, &out);
	assert_false(out.overflowed);
	assert_true(out.end > SEND_BUFFER_MAX / 2);
	assert_memory_equal(out.bytes + out.end - (sizeof last - 1), last, sizeof last - 1);
	send_buffer_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_connections),
		cmocka_unit_test(test_old_kernels),
		cmocka_unit_test(test_the_rest),
		cmocka_unit_test(test_wrong_orders),
		cmocka_unit_test(test_workers),
		cmocka_unit_test(test_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
