/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A recording on the screen: the rows, fates and totals are those that were recorded, at its own
 * speed or step by step. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/client.h"

#define START "{\"type\":\"start\",\"format\":\"upcase\",\"version\":1}\n"
#define LAB_START \
	"{\"type\":\"start\",\"format\":\"upcase\",\"version\":1,\"link\":\"loss 20 % each way\"}\n"
#define SESSION(n, transport) \
	"{\"type\":\"session\",\"session\":" n ",\"transport\":\"" transport \
	"\",\"peer\":\"10.9.0.2:12000\",\"wait_ns\":100000000}\n"
#define TRY(fate, again, in, out) \
	"{\"way\":\"there\",\"fate\":\"" fate "\",\"again\":" again \
	",\"payload\":true,\"in_ns\":" in ",\"out_ns\":" out \
	",\"out2_ns\":null,\"seq\":0,\"length\":4}"
#define LEG(tries, again, through, lost, fate) \
	"{\"tries\":" tries ",\"again\":" again ",\"through\":" through ",\"lost\":" lost \
	",\"fate\":\"" fate \
	"\",\"first_in_ns\":1,\"last_in_ns\":1,\"first_out_ns\":null,\"last_out_ns\":null}"
#define LINK(there, back) ",\"link\":{\"place\":\"going\",\"there\":" there ",\"back\":" back "}"

/* As from a lab: lost on the way there, lost on the way back, answered twice, late, refused; a
 * stray and a notice. */
static const char lab[] = LAB_START SESSION("0",
    "udp") "{\"type\":\"line\",\"session\":0,\"transport\":\"udp\",\"n\":1,"
           "\"fate\":\"lost\",\"typed_ns\":1000000,\"sent_ns\":1000000,\"text\":\"one\"" LINK(
               LEG("1", "0", "0", "1", "lost"),
               LEG("0", "0", "0", "0",
                   "none")) "}\n"
                            "{\"type\":\"line\",\"session\":0,\"transport\":\"udp\",\"n\":2,"
                            "\"fate\":\"lost\",\"typed_ns\":2000000,\"sent_ns\":2000000,"
                            "\"text\":\"two\"" LINK(LEG("1", "0", "1", "0", "none"),
                                LEG("1", "0", "0", "1",
                                    "corrupted")) "}\n"
                                                  "{\"type\":\"line\",\"session\":0,\"transport\":\"udp\","
                                                  "\"n\":3,\"fate\":\"answered\",\"duplicates\":1,"
                                                  "\"typed_ns\":3000000,\"sent_ns\":3000000,"
                                                  "\"replied_ns\":43300000,\"duplicates_ns\":[50000000],"
                                                  "\"tag\":3,\"text\":\"three\"}\n"
                                                  "{\"type\":\"line\",\"session\":0,\"transport\":\"udp\","
                                                  "\"n\":4,\"fate\":\"lost\",\"late\":true,"
                                                  "\"typed_ns\":4000000,\"sent_ns\":4000000,"
                                                  "\"replied_ns\":204000000,\"text\":\"four\"}\n"
                                                  "{\"type\":\"line\",\"session\":0,\"transport\":\"udp\","
                                                  "\"n\":5,\"fate\":\"refused\",\"typed_ns\":5000000,"
                                                  "\"sent_ns\":5000000,"
                                                  "\"error\":\"ECONNREFUSED\",\"text\":\"five\"}\n"
                                                  "{\"type\":\"reply\",\"session\":0,"
                                                  "\"transport\":\"udp\",\"match\":\"stray\","
                                                  "\"replied_ns\":250000000,\"text\":\"NOBODY\"}\n"
                                                  "{\"type\":\"notice\",\"at_ns\":260000000,\"bad\":false,"
                                                  "\"text\":\"something happened\"}\n"
                                                  "{\"type\":\"summary\",\"ended_ns\":300000000,"
                                                  "\"sessions\":[{\"session\":0,\"transport\":\"udp\","
                                                  "\"peer\":\"10.9.0.2:12000\"}],"
                                                  "\"truth\":{\"judged\":2,\"mismatches\":0}}\n";

#define FLOW(at, quiet, took, lines, flow, text) \
	"{\"type\":\"event\",\"at_ns\":" at "000000,\"kind\":\"flow\",\"text\":\"" text \
	"\",\"quiet\":" quiet ",\"took_ns\":" took ",\"lines_bytes\":" lines \
	",\"flow_bytes\":" flow "}\n"

/* A second flow beside one line: two intervals. */
static const char flow[] = START SESSION("0", "tcp") FLOW("100", "false", "0", "0", "0",
    "cubic begins, for 200 ms") FLOW("200", "true", "100000000", "100000", "100000",
    "") "{\"type\":\"line\",\"session\":0,\"transport\":\"tcp\",\"n\":1,\"fate\":\"answered\","
        "\"typed_ns\":201000000,\"sent_ns\":201000000,\"replied_ns\":202000000,"
        "\"text\":\"one\"}\n" FLOW("300", "true", "100000000", "0", "200000", "")
            FLOW("300", "false", "200000000", "100000", "300000", "cubic 1.50 MB/s");

static struct terminal *read_sized(const char *text, const char *option, int rows, int columns)
{
	struct terminal *t = term_open(rows, columns);
	const char *const argv[] = { client_path(), "--read", term_file(t, "a.jsonl", text), option,
		NULL };

	term_run(t, argv);
	return t;
}

static struct terminal *read_again(const char *text, const char *option)
{
	return read_sized(text, option, 24, 120);
}

static void expect_lab(struct terminal *t)
{
	client_expect_pair(t, "1 one", "lost going");
	client_expect_pair(t, "2 two", "corrupted coming");
	client_expect_pair(t, "3 three", "40.3 ms");
	client_expect_pair(t, "3 three", "3 THREE (×2");
	client_expect_pair(t, "4 four", "200 ms");
	client_expect_pair(t, "4 four", "4 FOUR (late");
	client_expect_pair(t, "5 five", "refused");
	client_expect_pair(t, "stray", "NOBODY");
	term_expect(t, "something happened");
	term_expect_row(t, 0, "10.9.0.2:12000");
	term_expect_row(t, 0, "sent 5");
	term_expect_row(t, 0, "answered 1");
	term_expect_row(t, 0, "lost 3");
	term_expect_row(t, 0, "late 1");
	term_expect_row(t, 0, "dup 1");
	term_expect(t, "link: loss 20 % each way");
	client_line(t, "/stats");
	term_type(t, "\033[1;5F");
	term_expect(t, "truth: 0 mismatches in 2");
	term_type(t, "q");
	term_expect_gone(t, "truth");
}

static void shows_what_was_recorded(void **state)
{
	struct terminal *t = read_again(lab, NULL);

	(void)state;
	expect_lab(t);
	client_line(t, "hello");
	term_expect_row(t, -1, "nothing can be sent");
	client_line(t, "/connect localhost");
	term_expect_row(t, -1, "nothing can be sent");
	client_leave(t);
	term_expect(t, "answered 1 of 5, 1 refused, 3/4 lost");
	term_expect(t, "of them 1 late");
}

static void goes_step_by_step(void **state)
{
	struct terminal *t = read_again(lab, "--step");

	(void)state;
	term_expect_row(t, -1, "space step  p play");
	term_type(t, " ");
	term_expect_row(t, 0, "sent 1");
	client_expect_pair(t, "1 one", "waiting 0.0 s");
	term_type(t, "  ");
	term_expect_row(t, 0, "sent 3");
	term_expect_gone(t, "4 four");
	/* Typing a command, a space is a space. */
	term_type(t, "/find o ");
	term_expect(t, "/find o");
	term_expect_row(t, 0, "sent 3");
	term_bytes(t, "\003", 1);
	for (int i = 0; i < 20; i++)
		term_type(t, " ");
	expect_lab(t);
	client_leave(t);
}

/* --- moving --- */

#define POSITION_ROWS 24
#define POSITION_TEXT 1024

/* A screen, row by row. */
struct screen_text {
	char rows[POSITION_ROWS][POSITION_TEXT];
};

/* The last row is that of the keys. */
static void read_screen(struct terminal *t, struct screen_text *s)
{
	for (int row = 0; row < POSITION_ROWS - 1; row++)
		snprintf(s->rows[row], POSITION_TEXT, "%s", term_row(t, row));
}

static bool is_screen(struct terminal *t, void *context)
{
	const struct screen_text *wanted = context;

	for (int row = 0; row < POSITION_ROWS - 1; row++)
		if (strcmp(term_row(t, row), wanted->rows[row]) != 0)
			return false;
	return true;
}

static void expect_event(struct terminal *t, int position)
{
	char text[40];

	snprintf(text, sizeof text, "event %d of ", position);
	term_expect_row(t, 0, text);
	/* What the screen then has is drawn before what is typed now. */
	term_type(t, "/");
	term_expect_row(t, -2, "read> /");
	term_type(t, "\x7f");
	term_expect_row_is(t, -2, " read>");
}

/* Each screen on the way back is the one on the way there: rows, figures, plots, the link. */
static void check_way_back(const char *text, const char *keys, int columns, int events)
{
	static struct screen_text there[40];
	struct terminal *t = read_sized(text, "--step", POSITION_ROWS, columns);

	assert_true(events < 40);
	term_expect_row(t, 0, "event 0 of ");
	term_type(t, keys);
	for (int i = 0; i <= events; i++) {
		expect_event(t, i);
		read_screen(t, &there[i]);
		assert_true(i == 0 || !is_screen(t, &there[i - 1]));
		term_type(t, "\033[C");
	}
	for (int i = events - 1; i >= 0; i--) {
		term_type(t, "\033[D");
		term_expect_that(t, is_screen, &there[i], "the screen as it was");
	}
	/* Jumps too, in any direction. */
	for (int i = 1; i <= events; i++) {
		char jump[40];
		const int to = i * 7 % (events + 1);

		snprintf(jump, sizeof jump, "/goto start\r/goto +%d\r", to > 0 ? to : 1);
		term_type(t, jump);
		term_expect_that(t, is_screen, &there[to > 0 ? to : 1], "the screen as it was");
	}
	client_leave(t);
}

static void goes_back(void **state)
{
	static const int columns[] = { 80, 120 };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		check_way_back(lab, "", columns[i], 14);
		/* In the order of arrival; the plot of times. */
		check_way_back(lab, "\033OS", columns[i], 14);
		check_way_back(lab, "\033[17~", columns[i], 14);
	}
}

/* The page of statistics has the figures of the moment, not those of the end. */
static void figures_of_the_moment(void **state)
{
	struct terminal *t = read_again(lab, "--step");

	(void)state;
	term_type(t, "/goto end\r");
	term_expect_row(t, 0, "event 14 of 14 · the end");
	term_type(t, "/goto 3\r/stats\r");
	term_expect_row(t, 0, "event 3 of 14");
	term_expect_row(t, 0, "sent 3");
	term_expect(t, "statistics");
	client_leave(t);
	term_expect(t, "answered 0 of 3");
}

/* A number and Enter goes to a line, as /goto does; < and > go from line to line. */
static void goes_to_lines(void **state)
{
	struct terminal *t = read_again(lab, NULL);

	(void)state;
	expect_lab(t);
	client_line(t, "2");
	term_expect_row(t, 0, "event 2 of 14 · paused");
	client_expect_pair(t, "2 two", "waiting");
	term_expect_gone(t, "3 three");
	term_type(t, ">");
	term_expect_row(t, 0, "event 3 of 14 · paused");
	term_type(t, "<<");
	term_expect_row(t, 0, "event 1 of 14 · paused");
	term_type(t, "<");
	term_expect_row(t, 0, "event 0 of 14 · paused");
	term_expect_gone(t, "1 one");
	term_type(t, "<\033[D");
	client_line(t, "/goto line 5");
	term_expect_row(t, 0, "event 5 of 14");
	term_type(t, "<");
	client_line(t, "/goto 5");
	term_expect_row(t, 0, "event 5 of 14");
	term_type(t, ">>");
	term_expect_row(t, 0, "event 14 of 14");
	client_line(t, "/goto -2");
	term_expect_row(t, 0, "event 12 of 14");
	client_line(t, "77");
	term_expect_row(t, -1, "no line 77");
	client_line(t, "/goto 99999999999");
	term_expect_row(t, -1, "the recording has no line 99999999999");
	client_line(t, "/goto somewhere");
	term_expect_row(t, -1, "'somewhere' is no place");
	client_line(t, "/goto");
	term_expect_row(t, -1, "for example /goto 12");
	term_expect_row(t, 0, "event 12 of 14");
	client_line(t, "/pause");
	expect_lab(t);
	client_leave(t);
}

/* A recording of twenty minutes is over in a few seconds only if it is played faster, and it does
 * not move while it stands still. */
static void plays_faster(void **state)
{
	static const char slow[] = START SESSION("0",
	    "udp") "{\"type\":\"line\",\"session\":0,\"transport\":\"udp\",\"n\":1,"
	           "\"fate\":\"lost\",\"typed_ns\":1,\"sent_ns\":2,\"text\":\"one\"}\n"
	           "{\"type\":\"line\",\"session\":0,\"transport\":\"udp\",\"n\":2,"
	           "\"fate\":\"lost\",\"typed_ns\":25000000000,\"sent_ns\":25000000000,"
	           "\"text\":\"two\"}\n";
	struct terminal *t = read_again(slow, NULL);

	(void)state;
	term_expect_row(t, -1, "space pause");
	term_type(t, " ");
	term_expect_row(t, 0, "paused");
	term_expect_row(t, -1, "space play");
	term_type(t, "+");
	term_expect_row(t, 0, " at 2× · paused");
	term_type(t, "+");
	term_expect_row(t, 0, " at 4× · paused");
	term_type(t, "---");
	term_expect_row(t, 0, " at 1/2× · paused");
	term_type(t, "---");
	term_expect_row(t, 0, " at 1/4× · paused");
	client_line(t, "/speed 3");
	term_expect_row(t, -1, "'3' is no speed");
	client_line(t, "/speed 16");
	term_expect_row(t, 0, " at 16× · paused");
	term_type(t, "+ ");
	term_expect_row(t, -1, "space pause");
	client_expect_pair(t, "2 two", "lost");
	term_expect_row(t, 0, "the end");
	client_leave(t);
	/* A narrow screen shows the speed too. */
	t = read_sized(lab, "--step", 18, 64);
	term_type(t, "+");
	term_expect_row(t, 0, " at 2×");
}

/* What a replay refuses is neither on the last row nor completed nor in the help. */
static void offers_what_it_can(void **state)
{
	static const struct {
		int rows, columns;
		const char *keys;
	} sizes[] = {
		{ 12, 40, " ? help  ^D quit  space pause  ← → event" },
		{ 18, 64, " ? help  ^D quit  space pause  ← → event  < > line  - + speed" },
		{ 24, 80,
		    " ? help  ^D quit  space pause  ← → event  < > line  - + speed  /goto N  F4 order" },
		{ 40, 120,
		    " ? help  ^D quit  space pause  ← → event  < > line  - + speed  /goto N  F4 order"
		    "  F6 plot  F8 mouse" },
	};
	static const char *const refused[] = { "/connect localhost", "/burst 3", "/drop none",
		"/hold 1s", "/unplug 1s", "/link", "/tcp", "/udp", "/both" };
	struct terminal *t;

	(void)state;
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		t = read_sized(lab, NULL, sizes[i].rows, sizes[i].columns);
		term_expect_row_is(t, -1, sizes[i].keys);
		client_leave(t);
		term_close(t);
	}
	t = read_again(lab, NULL);
	expect_lab(t);
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
		client_line(t, refused[i]);
		term_expect_row(t, -1, "nothing can be sent, so no /");
		term_type(t, "/goto +1\r");
		term_expect_row(t, -1, "space");
	}
	for (int key = 2; key <= 7; key++) {
		if (key == 4 || key == 6)
			continue;
		term_key(t, VTERM_KEY_FUNCTION(key), VTERM_MOD_NONE);
		term_expect_row(t, -1, "nothing can be sent, so no F");
		term_type(t, "/goto +1\r");
		term_expect_row(t, -1, "space");
	}
	expect_lab(t);
	term_type(t, "/\t\t");
	term_expect_row(t, -1, "/order /stats /plot /find /clear /save /pause /goto /speed");
	term_type(t, "\x03?");
	term_expect_row(t, 1, "help");
	term_expect(t, "A recording is shown: nothing is sent.");
	term_expect(t, "one event back");
	assert_false(term_find(t, "F5", &(int){ 0 }, &(int){ 0 }));
	client_leave(t);
}

/* Outside of a recording its commands say what they are for. */
static void nothing_to_move_in(void **state)
{
	struct terminal *t = client_private(24, 80, (struct client_arguments){ { NULL } });

	(void)state;
	client_line(t, "/goto 3");
	term_expect_row(t, -1, "/goto is for recordings, which upcase --read FILE shows");
	client_line(t, "/pause");
	term_expect_row(t, -1, "/pause is for recordings");
	term_type(t, " x\r");
	client_expect_pair(t, "1  x", "1  X");
	client_leave(t);
}

/* The keys of a recording are buttons, whatever is typed. */
static void buttons_move(void **state)
{
	struct terminal *t = read_again(lab, "--step");
	int row, column, before;

	(void)state;
	client_line(t, "/mouse");
	term_expect_row(t, -1, "mouse on");
	term_type(t, "/sa");
	term_expect_row(t, -1, "space step");
	assert_true(term_find(t, "← → event", &row, &column));
	before = column;
	term_click(t, row, column + 2, 1, VTERM_MOD_NONE);
	term_expect_row(t, 0, "event 1 of 14");
	term_click(t, row, column + 5, 1, VTERM_MOD_NONE);
	term_expect_row(t, 0, "event 2 of 14");
	term_click(t, row, column, 1, VTERM_MOD_NONE);
	term_expect_row(t, 0, "event 1 of 14");
	term_expect_row(t, -2, "read> /sa");
	/* Where a button stands does not depend on whether the replay is paused. */
	assert_true(term_find(t, "p play", &row, &column));
	term_click(t, row, column, 1, VTERM_MOD_NONE);
	term_expect_row(t, -1, "p pause");
	term_expect_row(t, 0, "the end");
	assert_true(term_find(t, "← → event", &row, &column));
	assert_int_equal(column, before);
	assert_true(term_find(t, "/goto N", &row, &column));
	term_click(t, row, column, 1, VTERM_MOD_NONE);
	term_type(t, "\x03");
	term_expect_row_is(t, -2, " read>");
	term_click(t, row, column, 1, VTERM_MOD_NONE);
	term_expect_row(t, -2, "read> /goto");
	term_type(t, "4\r");
	term_expect_row(t, 0, "event 4 of 14");
	client_leave(t);
}

static void both_side_by_side(void **state)
{
	static const char both[] = START SESSION("0", "udp") SESSION("1",
	    "tcp") "{\"type\":\"line\",\"session\":0,\"transport\":\"udp\",\"n\":1,"
	           "\"fate\":\"lost\",\"typed_ns\":1,\"sent_ns\":2,\"text\":\"one\"}\n"
	           "{\"type\":\"line\",\"session\":1,\"transport\":\"tcp\",\"n\":1,"
	           "\"fate\":\"answered\",\"typed_ns\":1,\"sent_ns\":2,\"replied_ns\":50000002,"
	           "\"text\":\"one\"}\n";
	struct terminal *t = read_again(both, NULL);

	(void)state;
	client_expect_pair(t, "1 one", "lost");
	client_expect_pair(t, "1 one", "ONE");
	term_expect(t, "no end");
	client_leave(t);
	term_expect(t, "TCP 10.9.0.2:12000");
}

/* Events have their rows between the lines, at their time. */
static void shows_events(void **state)
{
	static const char events[] = LAB_START SESSION("0",
	    "udp") "{\"type\":\"line\",\"session\":0,\"transport\":\"udp\",\"n\":1,"
	           "\"fate\":\"lost\",\"typed_ns\":1,\"sent_ns\":2,\"text\":\"one\"" LINK(
	               LEG("1", "0", "0", "1", "on cue"),
	               LEG("0", "0", "0", "0",
	                   "none")) "}\n"
	                            "{\"type\":\"line\",\"session\":0,\"transport\":\"udp\",\"n\":2,"
	                            "\"fate\":\"lost\",\"typed_ns\":30,\"sent_ns\":30,"
	                            "\"text\":\"two\"}\n"
	                            "{\"type\":\"event\",\"at_ns\":20,\"kind\":\"link\",\"there\":\"loss "
	                            "30%\",\"back\":\"loss 30%\",\"text\":\"loss 30 % each way\"}\n"
	                            "{\"type\":\"event\",\"at_ns\":40,\"kind\":\"tcp\",\"session\":0,"
	                            "\"text\":\"SYN sent\"}\n";
	static const char *const rows[] = { "1 one", "-- link", "2 two", "-- TCP" };
	struct terminal *t = read_again(events, "--step");
	int row, column;

	(void)state;
	term_type(t, " ");
	client_expect_pair(t, "1 one", "waiting");
	term_expect_row(t, 21, " link: loss 20 % each way");
	term_type(t, " ");
	term_expect(t, "-- link: loss 30 % each way");
	term_expect_row(t, 21, " link: loss 30 % each way");
	term_expect_gone(t, "2 two");
	term_type(t, "  ");
	term_expect(t, "-- TCP: SYN sent");
	term_type(t, " ");
	client_expect_pair(t, "1 one", "✗ lost going, on cue");
	for (size_t i = 0, above = 0; i < sizeof rows / sizeof *rows; i++, above = (size_t)row) {
		assert_true(term_find(t, rows[i], &row, &column));
		assert_true((size_t)row > above);
	}
	client_leave(t);
}

/* What the person waited is in the record, and what of it was connecting. */
static void tells_parts(void **state)
{
	static const char late[] = LAB_START SESSION("0",
	    "tcp") "{\"type\":\"line\",\"session\":0,\"transport\":\"tcp\",\"n\":1,"
	           "\"fate\":\"answered\",\"typed_ns\":0,\"sent_ns\":861000000,"
	           "\"replied_ns\":906000000,\"connecting_ns\":861000000,\"text\":\"one\"}\n"
	           "{\"type\":\"line\",\"session\":0,\"transport\":\"tcp\",\"n\":2,"
	           "\"fate\":\"answered\",\"typed_ns\":706000000,\"sent_ns\":906000000,"
	           "\"replied_ns\":946000000,\"text\":\"two\"}\n";
	struct terminal *t = read_again(late, NULL);

	(void)state;
	client_expect_pair(t, "1 one", "906 ms    ┃  1 ONE (861 ms connecting)");
	client_expect_pair(t, "2 two", "TWO (200 ms queued)");
	client_leave(t);
	term_expect(t, "waited min/mean/max/sd 240/573/906/471 ms");
	term_expect(t, "round trip min/mean/max/sd 40.0/42.5/45.0/3.5 ms");
}

/* The timeouts that ran out are in the record: the row says what it said. */
static void tells_timeouts(void **state)
{
	static const char again[] = LAB_START SESSION("0",
	    "tcp") "{\"type\":\"line\",\"session\":0,\"transport\":\"tcp\",\"n\":1,"
	           "\"fate\":\"answered\",\"typed_ns\":1,\"sent_ns\":1,"
	           "\"replied_ns\":800000001,\"text\":\"one\",\"link\":{\"place\":\"here\","
	           "\"there\":{\"tries\":4,\"again\":3,\"through\":1,\"lost\":3,"
	           "\"fate\":\"lost\",\"waits_us\":[60000,250300,470000],\"timeouts_us\":[null,"
	           "204000,408000],\"first_in_ns\":1,\"last_in_ns\":2,"
	           "\"first_out_ns\":3,\"last_out_ns\":3},\"back\":" LEG("1", "0", "1", "0",
	               "none") ",\"packets\":[" TRY("lost", "false", "1", "null") "," TRY("lost",
	               "true", "60000001", "null") "," TRY("lost", "true", "310000001",
	               "null") "," TRY("delivered", "true", "780000001", "780000002") "]}}\n";
	struct terminal *t = read_again(again, NULL);

	(void)state;
	client_expect_pair(t, "1 one", "3× again");
	term_expect(t, " line 1, TCP: ONE after 800 ms, sent 4 times");
	term_expect(t, " TCP  60.0 ms  going   lost                sent again after 60.0 ms");
	term_type(t, "\033[1;3A\r");
	term_expect(t, " TCP   780 ms  going   arrived at 780 ms   RTO of 408 ms ran out");
	term_type(t, "q");
	client_leave(t);
}

static void saves_again(void **state)
{
	struct terminal *t = read_again(lab, NULL);
	char command[600];
	const char *const argv[] = { client_path(), "--read", command, "--plain", NULL };

	(void)state;
	expect_lab(t);
	/* What was played twice is saved once. */
	client_line(t, "2");
	term_expect_row(t, 0, "event 2 of 14");
	client_line(t, "/goto end");
	expect_lab(t);
	snprintf(command, sizeof command, "/save %s/again.jsonl", term_home(t));
	client_line(t, command);
	term_expect_row(t, -1, "saved in");
	client_line(t, command);
	term_expect_row(t, -1, "already");
	client_line(t, "/save x.pdf");
	term_expect_row(t, -1, ".csv");
	client_leave(t);
	snprintf(command, sizeof command, "%s/again.jsonl", term_home(t));
	term_run(t, argv);
	term_expect(t, "FOUR");
	term_expect(t, "1 duplicate, 1 stray reply");
}

/* The shares of a second flow are those up to the moment, whichever way it was reached. */
static void shows_shares(void **state)
{
	struct terminal *t = read_again(flow, "--step");

	(void)state;
	client_line(t, "/plot shares");
	term_expect(t, "no second flow yet");
	client_line(t, "/goto 1");
	term_expect(t, "Jain's index 1.00");
	client_line(t, "/goto end");
	term_expect(t, "Jain's index 0.80");
	client_line(t, "/goto 1");
	term_expect(t, "Jain's index 1.00");
	client_line(t, "/goto start");
	term_expect(t, "no second flow yet");
	client_line(t, "/plot off");
	client_line(t, "/goto end");
	term_expect(t, "flow: cubic begins, for 200 ms");
	term_expect(t, "flow: cubic 1.50 MB/s");
	client_leave(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(shows_what_was_recorded, client_teardown),
		cmocka_unit_test_teardown(goes_step_by_step, client_teardown),
		cmocka_unit_test_teardown(goes_back, client_teardown),
		cmocka_unit_test_teardown(figures_of_the_moment, client_teardown),
		cmocka_unit_test_teardown(goes_to_lines, client_teardown),
		cmocka_unit_test_teardown(plays_faster, client_teardown),
		cmocka_unit_test_teardown(offers_what_it_can, client_teardown),
		cmocka_unit_test_teardown(nothing_to_move_in, client_teardown),
		cmocka_unit_test_teardown(buttons_move, client_teardown),
		cmocka_unit_test_teardown(both_side_by_side, client_teardown),
		cmocka_unit_test_teardown(shows_events, client_teardown),
		cmocka_unit_test_teardown(tells_parts, client_teardown),
		cmocka_unit_test_teardown(tells_timeouts, client_teardown),
		cmocka_unit_test_teardown(saves_again, client_teardown),
		cmocka_unit_test_teardown(shows_shares, client_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
