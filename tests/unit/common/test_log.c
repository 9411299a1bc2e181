/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/bucket.h"
#include "common/log.h"
#include "common/standard.h"
#include "tests/lib/cmocka-compat.h"

/* Stands for stderr while one test runs. */
struct caught {
	int reader, real_stderr;
	char text[65536];
	size_t n;
};

static struct caught caught;

static int catch_stderr(void **state)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -1;
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	caught.reader = fds[0];
	caught.real_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	dup2(fds[1], STDERR_FILENO);
	close(fds[1]);
	caught.n = 0;
	assert_int_equal(standard_open("upcased", 0), 0);
	log_open(LOG_LEVEL_PEER);
	*state = &caught;
	return 0;
}

static int let_stderr_go(void **state)
{
	struct caught *c = *state;

	dup2(c->real_stderr, STDERR_FILENO);
	close(c->real_stderr);
	if (c->reader >= 0)
		close(c->reader);
	return 0;
}

/* What has been written since; the writer is this process, so it is all there. */
static const char *written(struct caught *c)
{
	ssize_t n;

	c->n = 0;
	while ((n = read(c->reader, c->text + c->n, sizeof c->text - 1 - c->n)) > 0)
		c->n += (size_t)n;
	c->text[c->n] = '\0';
	return c->text;
}

static size_t count_lines(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

static void test_a_line(void **state)
{
	const char *text;
	int month, day, hour, minute, second, thousandth, n = 0;

	log_event(LOG_LEVEL_NOTICE, "client %d of %s", 7, "many");
	text = written(*state);
	assert_int_equal(sscanf(text, "20%*2d-%2d-%2dT%2d:%2d:%2d.%3dZ %n", &month, &day, &hour,
	                     &minute, &second, &thousandth, &n),
	    6);
	assert_int_equal(n, 25);
	assert_string_equal(text + n, "upcased: client 7 of many\n");
}

static void test_levels(void **state)
{
	log_open(LOG_LEVEL_NOTICE);
	log_event(LOG_LEVEL_PEER, "peer");
	log_event(LOG_LEVEL_NOTICE, "notice");
	log_event(LOG_LEVEL_ERROR, "error");
	assert_null(strstr(written(*state), "peer"));
	assert_non_null(strstr(caught.text, "notice\n"));
	assert_non_null(strstr(caught.text, "error\n"));
	log_open(LOG_LEVEL_ERROR);
	log_event(LOG_LEVEL_NOTICE, "notice");
	assert_string_equal(written(*state), "");
}

static void test_nothing_drives_a_terminal(void **state)
{
	const char *text;

	log_event(LOG_LEVEL_NOTICE, "a\x1b[2J\r\n\t\x7f"
	                            "b\xc2\x9b"
	                            "c\x9b"
	                            "d\xff\xe2\x82 gr\xc3\xbc\xc3\x9f");
	text = written(*state);
	assert_int_equal(count_lines(text), 1);
	assert_non_null(strstr(text, ": a?[2J????b??c?d??? gr\xc3\xbc\xc3\x9f\n"));
	log_event(LOG_LEVEL_NOTICE, "a\xe2\x80\xae"
	                            "b\xe2\x81\xa6"
	                            "c\xe2\x80\xa8"
	                            "d");
	assert_non_null(strstr(written(*state), ": a???b???c???d\n"));
}

static void test_long_lines_are_cut(void **state)
{
	char longest[5000];
	const char *text;

	for (size_t i = 0; i + 1 < sizeof longest; i += 2)
		memcpy(longest + i, "\xc3\xbc", 2);
	/* One of the two cuts a character in half. */
	for (size_t skip = 0; skip < 2; skip++) {
		longest[sizeof longest - 1] = '\0';
		log_always("%s%s", skip ? "x" : "", longest);
		text = written(*state);
		assert_uint_in_range(strlen(text), 900, 1024);
		assert_int_equal(count_lines(text), 1);
		assert_null(strchr(text, '?'));
		assert_int_equal(text[strlen(text) - 2], (char)0xbc);
	}
}

static void test_the_rate_has_a_limit(void **state)
{
	for (int i = 0; i < 1000; i++)
		log_event(LOG_LEVEL_PEER, "event %d", i);
	/* A burst of 100, and what came into the bucket while this ran; under a sanitizer a second
	 * may pass. */
	assert_uint_in_range(count_lines(written(*state)), 100, 200);
	assert_null(strstr(caught.text, "left out"));
	log_flush();
	assert_non_null(strstr(written(*state), " events left out here\n"));
	log_flush();
	assert_string_equal(written(*state), "");
}

static void test_always_is_always(void **state)
{
	for (int i = 0; i < 300; i++)
		log_event(LOG_LEVEL_PEER, "event");
	written(*state);
	for (int i = 0; i < 50; i++)
		log_always("total");
	assert_non_null(strstr(written(*state), "left out here\n"));
	assert_int_equal(count_lines(caught.text), 51);
}

/* They count as events do, so that all lines together keep the limit. */
static void test_what_is_always_told_counts(void **state)
{
	for (int i = 0; i < 110; i++)
		log_always("total");
	assert_int_equal(count_lines(written(*state)), 110);
	log_event(LOG_LEVEL_NOTICE, "event");
	assert_string_equal(written(*state), "");
}

/* A reader that stands still: the log must return, and say later what it could not. */
static void test_a_full_pipe_does_not_block(void **state)
{
	char full[4096];
	ssize_t n;

	memset(full, '.', sizeof full);
	fcntl(STDERR_FILENO, F_SETFL, O_NONBLOCK);
	while ((n = write(STDERR_FILENO, full, sizeof full)) > 0)
		;
	/* As it is where nobody made it non-blocking. */
	fcntl(STDERR_FILENO, F_SETFL, 0);
	log_always("one");
	log_event(LOG_LEVEL_NOTICE, "two");
	written(*state);
	while (read(caught.reader, full, sizeof full) > 0)
		;
	log_event(LOG_LEVEL_NOTICE, "three");
	assert_non_null(strstr(written(*state), "2 events left out here\n"));
	assert_non_null(strstr(caught.text, "three\n"));
}

static void test_no_reader_does_not_kill(void **state)
{
	close(caught.reader);
	caught.reader = -1;
	signal(SIGPIPE, SIG_DFL);
	log_always("nobody reads this");
	close(STDERR_FILENO);
	log_always("nor this");
	(void)state;
}

static void test_bucket(void **state)
{
	struct bucket b = bucket_full(20, 100);
	int64_t now = 5 * NS_PER_S;
	int taken;

	(void)state;
	for (taken = 0; bucket_take(&b, now); taken++)
		;
	assert_int_equal(taken, 100);
	/* A token every 50 ms, not one ns earlier. */
	assert_false(bucket_take(&b, now + 50 * NS_PER_MS - 1));
	assert_true(bucket_take(&b, now + 50 * NS_PER_MS));
	assert_false(bucket_take(&b, now + 50 * NS_PER_MS));
	now += 3 * NS_PER_S;
	for (taken = 0; bucket_take(&b, now); taken++)
		;
	assert_int_equal(taken, 59);
	/* However long it stands, it does not hold more. */
	now += 1000 * NS_PER_S;
	for (taken = 0; bucket_take(&b, now); taken++)
		;
	assert_int_equal(taken, 100);
}

/* In any time it gives no more than the rate and one burst, and when always asked, no less. */
static void test_bucket_over_time(void **state)
{
	struct bucket b = bucket_full(7, 3);
	int taken = 0;

	(void)state;
	for (int64_t now = 0; now < 100 * NS_PER_S; now += NS_PER_MS)
		taken += bucket_take(&b, now);
	assert_uint_in_range(taken, 700, 703);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_line, catch_stderr, let_stderr_go),
		cmocka_unit_test_setup_teardown(test_levels, catch_stderr, let_stderr_go),
		cmocka_unit_test_setup_teardown(test_nothing_drives_a_terminal, catch_stderr,
		    let_stderr_go),
		cmocka_unit_test_setup_teardown(test_long_lines_are_cut, catch_stderr,
		    let_stderr_go),
		cmocka_unit_test_setup_teardown(test_the_rate_has_a_limit, catch_stderr,
		    let_stderr_go),
		cmocka_unit_test_setup_teardown(test_always_is_always, catch_stderr, let_stderr_go),
		cmocka_unit_test_setup_teardown(test_what_is_always_told_counts, catch_stderr,
		    let_stderr_go),
		cmocka_unit_test_setup_teardown(test_a_full_pipe_does_not_block, catch_stderr,
		    let_stderr_go),
		cmocka_unit_test_setup_teardown(test_no_reader_does_not_kill, catch_stderr,
		    let_stderr_go),
		cmocka_unit_test(test_bucket),
		cmocka_unit_test(test_bucket_over_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
