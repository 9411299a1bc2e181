/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The link in the client's words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "trace/link-status.h"
#include "common/clock.h"
#include "common/impair-fields.h"

/* The lab's answer to "link", from settings as text. */
static void answer(char *text, size_t size, const char *there, const char *back, const char *more)
{
	const char *const names[LINK_DIRECTIONS] = { "there", "back" },
	                  *const said[LINK_DIRECTIONS] = { there, back };
	size_t used = (size_t)snprintf(text, size, "seed 7\n");

	for (int direction = 0; direction < LINK_DIRECTIONS; direction++) {
		struct impair_settings s = impair_perfect();
		char reason[IMPAIR_REASON], value[IMPAIR_VALUE];

		assert_int_equal(impair_fields_parse(&s, said[direction], reason), 0);
		for (int id = 0; id < IMPAIR_FIELD_COUNT; id++)
			used += (size_t)snprintf(text + used, size - used, "%s %s %s\n",
			    names[direction], impair_fields[id].name,
			    impair_fields_get(&s, (enum impair_field_id)id, value));
	}
	snprintf(text + used, size - used, "%s", more);
}

static struct link_status status(const char *there, const char *back, const char *more)
{
	struct link_status f = { .known = false };
	char text[4000];

	answer(text, sizeof text, there, back, more);
	assert_int_equal(link_status_read(&f, text, NS_PER_S), 0);
	assert_true(f.known);
	assert_int_equal(f.seed, 7);
	return f;
}

static void check_line(const char *there, const char *back, const char *more, const char *expected)
{
	const struct link_status f = status(there, back, more);
	char line[1000];

	assert_string_equal(link_status_line(&f, NS_PER_S, line, sizeof line), expected);
}

static void lines(void **state)
{
	(void)state;
	check_line("", "", "", "a perfect wire");
	check_line("loss 20% delay 20ms", "loss 20% delay 20ms", "",
	    "loss 20 % each way, delay 20 ms");
	check_line("loss 20%", "", "", "there loss 20 %; back nothing");
	check_line("rate 1mbit queue 1p", "rate 1mbit queue 11p", "",
	    "there rate 1 mbit, queue 1 packet; back rate 1 mbit, queue 11 packets");
	check_line("loss 20%", "delay 100ms rate 1mbit", "",
	    "there loss 20 %; back delay 100 ms, rate 1 mbit, queue 100 packets");
	check_line("", "", "there held-for 2500ms\n", "held there for 3 s, a perfect wire");
	check_line("", "", "there unplugged-for 5s\nback unplugged-for 5s\n",
	    "unplugged for 5 s, a perfect wire");
}

static void not_whole(void **state)
{
	struct link_status f = { .seed = 99 };
	char text[4000];

	(void)state;
	answer(text, sizeof text, "loss 20%", "", "");
	*strstr(text, "back mtu") = '\0';
	assert_int_equal(link_status_read(&f, text, 0), -1);
	assert_int_equal(link_status_read(&f, "", 0), -1);
	assert_int_equal(link_status_read(&f, "there loss many\n", 0), -1);
	assert_int_equal(f.seed, 99);
	assert_false(f.known);
}

static void expected_share(void **state)
{
	struct link_status f = status("loss 20%", "loss 20%", "");

	(void)state;
	assert_true(link_status_reply_probability(&f) > 0.6399 &&
	            link_status_reply_probability(&f) < 0.6401);
	f = status("loss 20% corrupt 50%", "", "");
	assert_true(link_status_reply_probability(&f) > 0.3999 &&
	            link_status_reply_probability(&f) < 0.4001);
	/* Each line arrives twice: one reply of two is enough. */
	f = status("duplicate 100%", "loss 50%", "");
	assert_true(link_status_reply_probability(&f) > 0.7499 &&
	            link_status_reply_probability(&f) < 0.7501);
}

static void expect_page(uint64_t decided, uint64_t answered, const char *words)
{
	const struct link_status f = status("loss 20%", "loss 20%", "");
	const struct trace_totals traced = { .compared = 200, .lost = { 41, 26 } };
	const struct tcp_sample tcp = { .retransmitted = 3,
		.timeout = 448 * NS_PER_MS,
		.backoff = 1,
		.round_trip = 41 * NS_PER_MS };
	char *page = link_report_page(&(struct link_report){ .status = &f,
	    .reply_timeout = NS_PER_S,
	    .decided = decided,
	    .answered = answered,
	    .traced = &traced,
	    .tcp = &tcp });

	assert_non_null(page);
	assert_non_null(strstr(page, "expected      64.0 % = 80.0 % going × 80.0 % coming\n"));
	if (!strstr(page, words))
		fail_msg("no '%s' in:\n%s", words, page);
	assert_non_null(strstr(page, "41 lost going, 26 lost coming"));
	assert_non_null(strstr(page, "0 mismatches in 200 lines compared"));
	assert_non_null(strstr(page, "timeout       448 ms, doubled 1 time"));
	assert_null(strstr(page, "The far end"));
	free(page);
}

static void pages(void **state)
{
	(void)state;
	expect_page(0, 0, "no line is decided");
	expect_page(4, 3, "not yet enough lines");
	expect_page(200, 133, "measured      66.5 %, 133 of 200 lines");
	expect_page(200, 133, ": consistent\n");
	expect_page(200, 190, ": not consistent");
}

static void ends(void **state)
{
	const struct trace_totals none = { .compared = 0 }, early = { .compared = 4, .waiting = 2 };
	const struct trace_totals all = { .compared = 10,
		.mismatches = 1,
		.first = 4,
		.first_kind = TRACE_COPIES,
		.datagrams = { 5, 5 },
		.lost = { 1, 2 },
		.server = 1,
		.segments = { 9, 8 },
		.dropped = { 2, 1 },
		.retransmitted = { 2, 1 } };
	char text[600];

	(void)state;
	assert_string_equal(link_report_end(&none, text, sizeof text),
	    "truth: 0 mismatches in 0 lines compared\n");
	assert_string_equal(link_report_end(&early, text, sizeof text),
	    "truth: 0 mismatches in 4 lines compared; 2 not yet, at the end\n");
	assert_string_equal(link_report_end(&all, text, sizeof text),
	    "link: 1 lost going, 2 lost coming, 1 without a reply from the server\n"
	    "link: 2 of 9 segments dropped going, 1 of 8 coming; sent again: 2 going, 1 coming\n"
	    "truth: 1 mismatch in 10 lines compared (first line 4: not as many replies as were let "
	    "through)\n");
}

static void check_change(const char *line, enum session_event_kind kind, const char *words)
{
	struct link_change c;

	if (link_change_read(&c, line) != 0)
		fail_msg("not read: %s", line);
	assert_int_equal(c.at, 77);
	assert_int_equal(c.kind, kind);
	assert_string_equal(c.text, words);
	assert_int_equal(*c.there != '\0', kind == SESSION_EVENT_LINK);
}

/* The lab's words of each order, as lab/link/control-commands.h has them, in those of the rows. */
static void changes(void **state)
{
	static const char *const none[] = { "", "changed", "changed 77",
		"changed x set nothing; nothing", "changed 77 set nothing",
		"changed 77 set loss much; nothing", "changed 77 hold soon",
		"changed 77 weather fine", "changed -1 drop none",
		/* Past any clock. */
		"changed 9223372036854775807 drop none" };
	struct link_change c;

	(void)state;
	check_change("changed 77 set loss 30%; loss 30%", SESSION_EVENT_LINK, "loss 30 % each way");
	check_change("changed 77 set loss 30%, delay 5ms; nothing", SESSION_EVENT_LINK,
	    "there loss 30 %, delay 5 ms; back nothing");
	check_change("changed 77 set nothing; nothing", SESSION_EVENT_LINK, "a perfect wire");
	check_change("changed 77 set rate 1mbit, queue 50p; rate 1mbit, queue 50p",
	    SESSION_EVENT_LINK, "rate 1 mbit each way, queue 50 packets");
	check_change("changed 77 drop next request", SESSION_EVENT_FAULT,
	    "will drop the next request");
	check_change("changed 77 drop next udp reply", SESSION_EVENT_FAULT,
	    "will drop the next UDP reply");
	check_change("changed 77 drop next tcp ack back", SESSION_EVENT_FAULT,
	    "will drop the next TCP ACK back");
	check_change("changed 77 drop next fin both", SESSION_EVENT_FAULT,
	    "will drop the next FIN both");
	check_change("changed 77 drop next tcp segment", SESSION_EVENT_FAULT,
	    "will drop the next TCP segment");
	check_change("changed 77 drop next syn", SESSION_EVENT_FAULT, "will drop the next SYN");
	check_change("changed 77 drop tcp segment:3,6x2 back", SESSION_EVENT_FAULT,
	    "will drop tcp segment:3,6x2 back");
	check_change("changed 77 packet delay 50ms reply:2", SESSION_EVENT_FAULT,
	    "will delay 50ms reply:2");
	check_change("changed 77 drop none", SESSION_EVENT_FAULT, "no drop waits any more");
	check_change("changed 77 hold 3s", SESSION_EVENT_FAULT, "held for 3 s");
	check_change("changed 77 hold 700ms there", SESSION_EVENT_FAULT, "held there for 700 ms");
	check_change("changed 77 hold 2", SESSION_EVENT_FAULT, "held for 2 s");
	check_change("changed 77 hold 0s back", SESSION_EVENT_FAULT, "released back");
	check_change("changed 77 unplug 5s back", SESSION_EVENT_FAULT, "unplugged back for 5 s");
	check_change("changed 77 unplug 0", SESSION_EVENT_FAULT, "plugged in again");
	check_change("changed 77 released", SESSION_EVENT_FAULT, "released");
	check_change("changed 77 plugged there", SESSION_EVENT_FAULT, "plugged in again there");
	for (size_t i = 0; i < sizeof none / sizeof *none; i++)
		if (link_change_read(&c, none[i]) == 0)
			fail_msg("read: %s", none[i]);
}

/* Each preset by its name, in lines that fit 80 columns. */
static void presets(void **state)
{
	char *page = link_presets_page();

	(void)state;
	assert_non_null(page);
	for (const struct impair_preset *p = impair_presets; p->name; p++) {
		char line[100];

		snprintf(line, sizeof line, "\n%s: %s\n", p->name, p->about);
		assert_non_null(strstr(page, line));
	}
	assert_non_null(strstr(page, "\n  loss 8 % in bursts of 4, 8 ms ± 6 ms, 6 mbit, "
	                             "queue 100 packets\n"));
	assert_non_null(strstr(page, "\n  there 90 ms ± 5 ms, 34 kbit, queue 20 packets"
	                             "\n  back  90 ms ± 5 ms, 50 kbit, queue 20 packets\n"));
	for (const char *line = page; *line; line += strcspn(line, "\n") + 1)
		assert_true(strcspn(line, "\n") <= 79);
	free(page);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines),
		cmocka_unit_test(not_whole),
		cmocka_unit_test(expected_share),
		cmocka_unit_test(pages),
		cmocka_unit_test(ends),
		cmocka_unit_test(changes),
		cmocka_unit_test(presets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
