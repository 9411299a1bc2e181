/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the far server tells of our connection, with a server that is only a socket. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "../client-tui/far.h"

#define MS NS_PER_MS
#define HERE "10.9.0.1:40000"
#define NUMBERS " age-ms 5 state established backoff 2 rto-us 816000 rtt-us 187 rttvar-us 105 unacked 1 total-retrans 3 novelty 9"

struct stage {
	char folder[32], path[48];
	int listener, server;
	struct far *far;
	struct session_tcp told;
	int tellings, gone;
	int64_t asked;
};

static void on_told(void *context, const struct session_tcp *tcp, int64_t asked, int64_t answered)
{
	struct stage *s = context;

	assert_true(answered > asked);
	s->told = *tcp;
	s->asked = asked;
	s->tellings++;
}

static void on_gone(void *context)
{
	((struct stage *)context)->gone++;
}

static void serve(struct stage *s)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};

	strcpy(a.sun_path, s->path);
	s->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(s->listener, (struct sockaddr *)&a, sizeof a), 0);
	assert_int_equal(listen(s->listener, 1), 0);
}

static int set_up(void **state)
{
	struct stage *s = calloc(1, sizeof *s);

	strcpy(s->folder, "/tmp/upcase-far-XXXXXX");
	assert_non_null(mkdtemp(s->folder));
	snprintf(s->path, sizeof s->path, "%s/far", s->folder);
	s->listener = s->server = -1;
	s->far = far_open(s->path, &(struct far_hooks){.context = s, .told = on_told, .gone = on_gone});
	*state = s;
	return 0;
}

static void end_server(struct stage *s)
{
	if (s->server >= 0)
		close(s->server);
	if (s->listener >= 0)
		close(s->listener);
	s->listener = s->server = -1;
	unlink(s->path);
}

static int tear_down(void **state)
{
	struct stage *s = *state;

	far_close(s->far);
	end_server(s);
	rmdir(s->folder);
	free(s);
	return 0;
}

static void turn(struct stage *s)
{
	struct timespec soon = {.tv_nsec = 1000000};
	struct watch w;

	watch_start(&w);
	far_watch(s->far, &w);
	if (w.count > 0 && pselect(w.count, &w.readable, &w.writable, NULL, &soon, NULL) > 0)
		far_turn(s->far, &w);
}

/* What was asked, all of it. */
static void expect_asked(struct stage *s, const char *text)
{
	char heard[200] = "";

	if (s->server < 0)
		s->server = accept4(s->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	assert_true(s->server >= 0);
	(void)!read(s->server, heard, sizeof heard - 1);
	assert_string_equal(heard, text);
}

static void say(struct stage *s, const char *text)
{
	assert_int_equal(write(s->server, text, strlen(text)), strlen(text));
	turn(s);
}

static void reads_a_line(void **state)
{
	struct session_tcp tcp;

	(void)state;
	assert_int_equal(far_read(&tcp, "connection " HERE NUMBERS " total-rto 2\n"), 0);
	assert_string_equal(tcp.here, HERE);
	assert_int_equal(tcp.again, 3);
	assert_int_equal(tcp.timeouts, 2);
	assert_int_equal(tcp.timeout, 816 * MS);
	assert_int_equal(tcp.doubled, 2);
	assert_int_equal(tcp.unacked, 1);
	assert_int_equal(tcp.round_trip, 187 * NS_PER_US);
	assert_int_equal(tcp.variation, 105 * NS_PER_US);
	/* An older kernel. */
	assert_int_equal(far_read(&tcp, "connection " HERE NUMBERS), 0);
	assert_int_equal(tcp.timeouts, -1);
	assert_int_equal(far_read(&tcp, "connection " HERE " age-ms 3"), -1);
	assert_int_equal(far_read(&tcp, "connection"), -1);
	assert_int_equal(far_read(&tcp, "udp: clients 1"), -1);
	assert_int_equal(far_read(&tcp, ""), -1);
}

static void asks_when_it_is_time(void **state)
{
	struct stage *s = *state;

	serve(s);
	assert_true(far_next(s->far, 100 * MS) == CLOCK_NEVER);
	far_ask(s->far, HERE, 100 * MS, 1000 * MS);
	expect_asked(s, "connection " HERE "\n");
	/* One question at a time. */
	assert_true(far_next(s->far, 100 * MS) == CLOCK_NEVER);
	far_ask(s->far, HERE, 100 * MS, 2000 * MS);
	expect_asked(s, "");
	assert_null(far_told(s->far));
	say(s, "connection " HERE NUMBERS "\nok\n");
	assert_int_equal(s->tellings, 1);
	assert_true(s->asked == 1000 * MS);
	assert_int_equal(far_told(s->far)->again, 3);
	assert_true(far_next(s->far, 100 * MS) == 1100 * MS);
	far_ask(s->far, HERE, 100 * MS, 1099 * MS);
	expect_asked(s, "");
	far_ask(s->far, HERE, 100 * MS, 1100 * MS);
	expect_asked(s, "connection " HERE "\n");
	/* Nobody of that name: nothing is known. */
	say(s, "error '" HERE "' is not connected; \"connections\" lists who is\n");
	assert_null(far_told(s->far));
	assert_int_equal(s->tellings, 1);
	assert_int_equal(s->gone, 0);
}

static void follows_the_connection(void **state)
{
	struct stage *s = *state;

	serve(s);
	far_ask(s->far, HERE, 1000 * MS, 1000 * MS);
	expect_asked(s, "connection " HERE "\n");
	/* Another one before the answer: that one is old. */
	far_ask(s->far, "[fd09::1]:40001", 1000 * MS, 1001 * MS);
	say(s, "connection " HERE NUMBERS "\nok\n");
	assert_null(far_told(s->far));
	far_ask(s->far, "[fd09::1]:40001", 0, 1002 * MS);
	expect_asked(s, "connection [fd09::1]:40001\n");
	say(s, "connection [fd09::1]:40001" NUMBERS "\nok\n");
	assert_string_equal(far_told(s->far)->here, "[fd09::1]:40001");
	far_ask(s->far, "", 0, 1003 * MS);
	assert_null(far_told(s->far));
	expect_asked(s, "");
	assert_true(far_next(s->far, 0) == CLOCK_NEVER);
}

static void its_end_is_told_once(void **state)
{
	struct stage *s = *state;

	/* Nobody at first: no word about it. */
	far_ask(s->far, HERE, 0, 1000 * MS);
	turn(s);
	assert_int_equal(s->gone, 0);
	for (int i = 0; i < 2; i++) {
		serve(s);
		far_ask(s->far, i ? "10.9.0.1:2" : "10.9.0.1:1", 0, 2000 * MS);
		expect_asked(s, i ? "connection 10.9.0.1:2\n" : "connection 10.9.0.1:1\n");
		end_server(s);
		turn(s);
		assert_int_equal(s->gone, 1);
		assert_null(far_told(s->far));
		far_ask(s->far, i ? "10.9.0.1:2" : "10.9.0.1:1", 0, 3000 * MS);
		turn(s);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(reads_a_line), TEST(asks_when_it_is_time), TEST(follows_the_connection), TEST(its_end_is_told_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
