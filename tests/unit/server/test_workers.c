/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Workers that somebody has taken over, who write into their memory and say on their lines what
 * they like: who watches goes on. */
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* Whoever looks at a worker's count of copies finds another one each time. */
#undef atomic_load
#define atomic_load(at) atomic_fetch_add(at, 1)
#include "server/workers.c"
#include "tests/lib/child.h"
#include "tests/lib/cmocka-compat.h"

#define WORKERS 3
/* Where nobody is waited for longer. */
#define AT_ONCE (NS_PER_S / 10 * 9)

typedef void deed(struct workers *w, int number);

static struct workers_slot *slots[WORKERS];

/* Each of them does `act`, and never returns. */
static struct workers *start_all(deed *act)
{
	struct workers *w = workers_new(WORKERS);
	int number;

	assert_non_null(w);
	for (int i = 0; i < WORKERS; i++)
		slots[i] = w->all[i].slot;
	number = workers_supervise(w, clock_monotonic());
	if (number < 0)
		return w;
	signal(SIGSEGV, SIG_DFL);
	act(w, number);
	_exit(0);
}

static void end(struct workers *w)
{
	workers_kill(w);
	workers_free(w);
}

static void scribble(struct workers *w, int number)
{
	struct workers_slot *slot = w->all[number].slot;

	for (unsigned n = 1;; n++)
		((volatile unsigned char *)
		        slot)[n * 67 % sizeof *slot] = (unsigned char)(n * 2654435761u >> 24);
}

static void test_scribbling(void **state)
{
	struct workers *w = start_all(scribble);
	struct counters sum;

	(void)state;
	/* Ends the test, which would not end otherwise. */
	alarm(20);
	for (int i = 0; i < 1000; i++)
		workers_sum(w, &sum);
	end(w);
	alarm(0);
}

static void reach_for_others(struct workers *w, int number)
{
	(void)w;
	memset(slots[(number + 1) % WORKERS], 0xff, sizeof *slots[0]);
}

static void test_others_are_out_of_reach(void **state)
{
	struct workers *w = start_all(reach_for_others);
	struct counters sum;
	siginfo_t how;

	(void)state;
	for (int i = 0; i < WORKERS; i++) {
		assert_int_equal(waitid(P_PID, (id_t)w->all[i].pid, &how, WEXITED | WNOWAIT), 0);
		assert_int_equal(how.si_status, SIGSEGV);
	}
	workers_sum(w, &sum);
	assert_int_equal(sum.udp_datagrams, 0);
	end(w);
}

/* Somebody wants the end, as a signal tells. */
static volatile sig_atomic_t end_requests;

/* How long a command takes, ns; `*lines` lines are told. */
static int64_t query(struct workers *w, int *silent, workers_line *tell, int *lines)
{
	const int64_t start = clock_monotonic();

	*lines = 0;
	*silent = workers_query(w, "connections\n", &end_requests, tell, lines);
	return clock_monotonic() - start;
}

static void count(void *lines, const char *line)
{
	(void)line;
	++*(int *)lines;
}

static void say_for_ever(int line, const char *text)
{
	struct pollfd p = { .fd = line, .events = POLLOUT };

	for (;;)
		if (send(line, text, strlen(text), MSG_NOSIGNAL) < 0)
			poll(&p, 1, -1);
}

static void keep_silent(struct workers *w, int number)
{
	char order[100];

	for (;;) {
		struct pollfd p = { .fd = workers_channel(w), .events = POLLIN };

		poll(&p, 1, -1);
		/* The last one alone answers. */
		if (recv(p.fd, order, sizeof order, 0) > 0 && number == WORKERS - 1)
			send(p.fd, "a line\nok\n", 10, 0);
	}
}

static void test_silent(void **state)
{
	struct workers *w = start_all(keep_silent);
	int silent, lines;

	(void)state;
	assert_uint_in_range(query(w, &silent, count, &lines), NS_PER_S, NS_PER_S + AT_ONCE);
	assert_int_equal(silent, WORKERS - 1);
	assert_int_equal(lines, 1);
	/* Once is enough. */
	assert_uint_in_range(query(w, &silent, count, &lines), 0, AT_ONCE);
	assert_int_equal(silent, WORKERS - 1);
	assert_int_equal(lines, 1);
	end(w);
}

static void on_alarm(int number)
{
	end_requests = number;
}

/* The end that is asked for in the meantime is not late, though signals are blocked. */
static void test_silent_at_the_end(void **state)
{
	struct workers *w = start_all(keep_silent);
	sigset_t blocked;
	int silent, lines;

	(void)state;
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGALRM);
	sigprocmask(SIG_BLOCK, &blocked, NULL);
	signal(SIGALRM, on_alarm);
	/* Late enough for the one that answers, early enough to be no wait. */
	ualarm(300000, 0);
	assert_uint_in_range(query(w, &silent, count, &lines), 0, AT_ONCE);
	assert_int_equal(silent, WORKERS - 1);
	end_requests = 0;
	end(w);
}

static void say_ok(struct workers *w, int number)
{
	(void)number;
	say_for_ever(workers_channel(w), "ok\nok\nok\nok\nok\n");
}

static void test_too_many_answers(void **state)
{
	struct workers *w = start_all(say_ok);
	int silent, lines;

	(void)state;
	for (int i = 0; i < 100; i++) {
		assert_uint_in_range(query(w, &silent, count, &lines), 0, AT_ONCE);
		assert_int_equal(silent, 0);
		for (int k = 0; k < WORKERS; k++)
			assert_int_equal(w->all[k].unanswered_count, 0);
	}
	end(w);
}

static void say_much(struct workers *w, int number)
{
	say_for_ever(workers_channel(w), number ? "a line\n" : "no end of a line ");
}

static void test_no_end(void **state)
{
	struct workers *w = start_all(say_much);
	int silent, lines;

	(void)state;
	assert_uint_in_range(query(w, &silent, count, &lines), 0, NS_PER_S + AT_ONCE);
	assert_int_equal(silent, WORKERS);
	assert_uint_in_range(query(w, &silent, count, &lines), 0, AT_ONCE);
	end(w);
}

static void test_refused(void **state)
{
	(void)state;
	not_here("workers, which this build refuses");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scribbling),
		cmocka_unit_test(test_others_are_out_of_reach),
		cmocka_unit_test(test_silent),
		cmocka_unit_test(test_silent_at_the_end),
		cmocka_unit_test(test_too_many_answers),
		cmocka_unit_test(test_no_end),
	};

	const struct CMUnitTest refused[] = { cmocka_unit_test(test_refused) };

	return HAVE_WORKERS ? cmocka_run_group_tests(tests, NULL, NULL)
	                    : cmocka_run_group_tests(refused, NULL, NULL);
}
