/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The view: what the screen says of lines in every state, on screens of every size. */
#include <setjmp.h>
#include <stdarg.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "common/capitals.h"
#include "view/view.h"
#include "tests/lib/marks.h"
#include "tests/lib/row_text.h"
#include "tests/lib/ledger_check.h"
#include "tests/lib/cmocka-compat.h"

#define MS INT64_C(1000000)
#define WAIT (1000 * MS)

/* The bytes of texts that the view looked at. */
static size_t looked_at;

size_t __real_capitals_text(const void *in, size_t n, void *out);
int __real_layout_more(struct layout *l, const void *text, size_t n, layout_width *w);
int __real_layout_text(struct layout *l, const void *text, size_t n, layout_width *w);
size_t __wrap_capitals_text(const void *in, size_t n, void *out);
int __wrap_layout_more(struct layout *l, const void *text, size_t n, layout_width *w);
int __wrap_layout_text(struct layout *l, const void *text, size_t n, layout_width *w);

size_t __wrap_capitals_text(const void *in, size_t n, void *out)
{
	looked_at += n;
	return __real_capitals_text(in, n, out);
}

int __wrap_layout_more(struct layout *l, const void *text, size_t n, layout_width *w)
{
	looked_at += n;
	return __real_layout_more(l, text, n, w);
}

int __wrap_layout_text(struct layout *l, const void *text, size_t n, layout_width *w)
{
	looked_at += n;
	return __real_layout_text(l, text, n, w);
}

/* A whole program's worth: two ledgers, a transcript, a view and a canvas. */
struct fixture {
	struct ledger *udp, *tcp;
	struct transcript *transcript;
	struct view view;
	struct canvas canvas;
	struct view_status status;
	struct view_input input;
	struct view_page page;
	uint64_t numbers;
	int64_t now;
	char row[2048];
};

static const struct view_button buttons[] = {
	{ "F1", "help", 1 },
	{ "F2", "udp/tcp", 2 },
	{ "F10", "quit", 10 },
};

/* As wcwidth() says for the characters of these tests. */
static int width(wchar_t c)
{
	if (c == 0x301 || c == 0x200d || c == 0xfe0f)
		return 0;
	return (c >= 0x4e00 && c < 0xa000) || c >= 0x1f300 ? 2 : 1;
}

static int set_up(void **state)
{
	struct fixture *s = calloc(1, sizeof *s);
	struct ledger_settings settings = { .kind = LEDGER_DATAGRAM,
		.tag = LEDGER_TAG_AUTO,
		.capacity = 10000,
		.reply_timeout = WAIT,
		.answerable = 60 * WAIT };
	s->udp = ledger_new(&settings);
	settings.kind = LEDGER_STREAM;
	s->tcp = ledger_new(&settings);
	s->transcript = transcript_new(10000);
	s->view = (struct view){ .width = width, .buttons = buttons, .button_count = 3 };
	s->now = 1000 * MS;
	s->status = (struct view_status){ .peer = "127.0.0.1:12000",
		.sides[0].totals = ledger_totals(s->udp),
		.reply_timeout = WAIT };
	s->input = (struct view_input){ .prompt = "udp> ", .text = "" };
	*state = s;
	return s->udp == NULL || s->tcp == NULL || s->transcript == NULL;
}

static int tear_down(void **state)
{
	struct fixture *s = *state;
	bool balanced = ledger_balanced(s->udp) && ledger_balanced(s->tcp);
	view_free(&s->view);
	canvas_free(&s->canvas);
	transcript_free(s->transcript);
	ledger_free(s->udp);
	ledger_free(s->tcp);
	free(s);
	return balanced ? 0 : -1;
}

static uint64_t type(struct fixture *s, bool stream, const char *text)
{
	struct ledger *l = stream ? s->tcp : s->udp;
	assert_int_equal(ledger_add(l, ++s->numbers, text, strlen(text), s->now), 0);
	assert_int_equal(transcript_add_line(s->transcript, l, NULL, stream, s->numbers), 0);
	return s->numbers;
}

static uint64_t send(struct fixture *s, bool stream, const char *text)
{
	uint64_t number = type(s, stream, text);
	ledger_sent(stream ? s->tcp : s->udp, number, s->now);
	return number;
}

static void reply(struct fixture *s, bool stream, const char *text)
{
	struct ledger_reply_match matched = stream
	                                      ? ledger_stream_reply(s->tcp, 0, text, strlen(text),
	                                            false, s->now)
	                                      : ledger_reply(s->udp, text, strlen(text), s->now);
	if (matched.match == MATCH_STRAY)
		assert_int_equal(transcript_add_text(s->transcript, TRANSCRIPT_STRAY, stream, text,
		                     strlen(text)),
		    0);
	assert_int_equal(transcript_add_arrival(s->transcript, matched.match, stream,
	                     matched.number, text + matched.skip, strlen(text) - matched.skip),
	    0);
}

static void pass(struct fixture *s, int64_t ns)
{
	s->now += ns;
	while (ledger_expire(s->udp, s->now) != 0)
		continue;
}

static void notice(struct fixture *s, enum transcript_kind kind, const char *text)
{
	assert_int_equal(transcript_add_text(s->transcript, kind, false, text, strlen(text)), 0);
}

/* The view on a screen of that size. */
static struct view *sized(struct fixture *s, int rows, int columns)
{
	s->view.transcript = s->transcript;
	s->view.rows = rows;
	s->view.columns = columns;
	return &s->view;
}

static void draw(struct fixture *s, int rows, int columns)
{
	assert_int_equal(canvas_resize(&s->canvas, rows, columns), 0);
	s->status.now = s->now;
	view_draw(sized(s, rows, columns), &s->canvas, &s->status, &s->input);
}

/* What is kept from draw to draw shows in none: a view that has not drawn before draws the same. */
static void check_as_new(struct fixture *s)
{
	struct view fresh = s->view;
	struct canvas c = { 0 };
	memset((char *)&fresh + offsetof(struct view, line), 0,
	    sizeof fresh - offsetof(struct view, line));
	assert_int_equal(canvas_resize(&c, s->canvas.rows, s->canvas.columns), 0);
	view_draw(&fresh, &c, &s->status, &s->input);
	assert_memory_equal(c.cells, s->canvas.cells,
	    (size_t)c.rows * (size_t)c.columns * sizeof *c.cells);
	view_free(&fresh);
	canvas_free(&c);
}

/* `head`, then `unit` as often as fits. */
static char *fill(char *text, size_t size, const char *head, const char *unit)
{
	size_t used = strlen(head), n = strlen(unit);
	memcpy(text, head, used);
	for (; used + n < size; used += n)
		memcpy(text + used, unit, n);
	text[used] = '\0';
	return text;
}

static const char *row_text(struct fixture *s, int row)
{
	return canvas_row_text(&s->canvas, row, s->row, sizeof s->row);
}

static void check_row(struct fixture *s, int row, const char *expected)
{
	assert_string_equal(row_text(s, row), expected);
}

static int row_with(struct fixture *s, const char *text)
{
	for (int row = 0; row < s->canvas.rows; row++) {
		if (strstr(row_text(s, row), text) != NULL)
			return row;
	}
	return -1;
}

static void check_seen(struct fixture *s, const char *text)
{
	if (row_with(s, text) < 0)
		fail_msg("\"%s\" is nowhere on the screen", text);
}

/* Where the view's `text` stands in the canvas's cells, its style. */
static enum style style_of(struct fixture *s, const char *text)
{
	for (int row = 0; row < s->canvas.rows; row++) {
		for (int column = 0; column < s->canvas.columns; column++) {
			size_t i = 0;
			while (text[i] != '\0' && column + (int)i < s->canvas.columns &&
			       canvas_at(&s->canvas, row, column + (int)i)->chars[0] ==
			           (wchar_t)text[i])
				i++;
			if (text[i] == '\0')
				return canvas_at(&s->canvas, row, column)->style;
		}
	}
	fail_msg("\"%s\" is nowhere on the screen", text);
	return STYLES;
}

/* Over both at once, with one number. */
static uint64_t send_both(struct fixture *s, const char *text)
{
	uint64_t number = ++s->numbers;
	assert_int_equal(ledger_add(s->udp, number, text, strlen(text), s->now), 0);
	assert_int_equal(ledger_add(s->tcp, number, text, strlen(text), s->now), 0);
	assert_int_equal(transcript_add_line(s->transcript, s->udp, s->tcp, false, number), 0);
	ledger_sent(s->udp, number, s->now);
	ledger_sent(s->tcp, number, s->now);
	return number;
}

static void turn_both(struct fixture *s)
{
	s->view.both = true;
	s->status.sides[0].totals = ledger_totals(s->udp);
	s->status.sides[1] = (struct view_side){ .totals = ledger_totals(s->tcp) };
	s->input.prompt = "both> ";
}

/* One line in each state, over UDP; the waiting one last. */
static void every_fate(struct fixture *s)
{
	send(s, false, "hello");
	pass(s, 40900000);
	reply(s, false, "HELLO");
	send(s, false, "gone");
	pass(s, WAIT + 1);
	send(s, false, "slow");
	pass(s, WAIT + 200 * MS);
	reply(s, false, "SLOW");
	send(s, false, "twice");
	pass(s, 40300000);
	reply(s, false, "TWICE");
	reply(s, false, "TWICE");
	send(s, false, "first");
	send(s, false, "second");
	pass(s, 10 * MS);
	reply(s, false, "SECOND");
	reply(s, false, "FIRST");
	send(s, false, "echo");
	reply(s, false, "echo");
	send(s, false, "cut this");
	reply(s, false, "CUT");
	ledger_failed(s->udp, type(s, false, "long"), EMSGSIZE, 0);
	uint64_t refused = send(s, false, "knock");
	assert_int_equal(ledger_unreachable(s->udp, "knock", 5, 0, ECONNREFUSED, 0), refused);
	reply(s, false, "WHAT");
	type(s, false, "later");
	send(s, false, "here?");
	pass(s, 300 * MS);
}

static void test_each_fate(void **state)
{
	struct fixture *s = *state;
	every_fate(s);
	draw(s, 24, 80);
	check_row(s, 1, " typed                      │ the wire              │ replies");
	check_row(s, 2, "  1 hello                   │ ──────────▶ 40.9 ms   │  1 HELLO");
	check_row(s, 3, "  2 gone                    │ ──✗ lost              │");
	check_row(s, 4, "  3 slow                    │ ─ ─ ─ ─▶ 1.20 s late  │  3 SLOW (late)");
	check_row(s, 5, "  4 twice                   │ ══════════▶ 40.3 ms   │  4 TWICE (×2)");
	check_row(s, 6,
	    "  5 first                   │ ──────────▶ 10.0 ms   │  5 FIRST (↷ reordered)");
	check_row(s, 7, "  6 second                  │ ──────────▶ 10.0 ms   │  6 SECOND");
	assert_true(row_with(s, "8 cut this") == 9);
	check_seen(s, "7 echo (≠ differs)");
	check_seen(s, "8 CUT (… cut short)");
	check_row(s, 10, "  9 long                    │ ✗ failed: too long    │");
	check_row(s, 11, " 10 knock                   │ ──✗ refused           │");
	check_row(s, 12, "                            │ stray                 │    WHAT");
	check_row(s, 13, " 11 later                   │ queued 0.3 s          │");
	check_row(s, 14, " 12 here?                   │ ·····  waiting 0.3 s  │");
	check_row(s, 22, " udp>");
	check_row(s, 23, " F1 help  F2 udp/tcp  F10 quit");
	assert_int_equal(style_of(s, "HELLO"), STYLE_ANSWERED);
	assert_int_equal(style_of(s, "lost"), STYLE_STATUS);
	assert_int_equal(style_of(s, "SLOW"), STYLE_LATE);
	assert_int_equal(canvas_at(&s->canvas, 3, 32)->style, STYLE_LOST);
	assert_int_equal(canvas_at(&s->canvas, 3, 30)->style, STYLE_UDP);
	assert_int_equal(canvas_at(&s->canvas, 14, 37)->style, STYLE_WAITING);
}

static void test_stream_rows(void **state)
{
	struct fixture *s = *state;
	send(s, true, "one");
	pass(s, 2 * MS);
	reply(s, true, "ONE");
	send(s, true, "two");
	ledger_cut_off(s->tcp, 0, 0);
	send(s, false, "three");
	pass(s, MS);
	reply(s, false, "THREE");
	s->status.stream = true;
	s->status.sides[0].totals = ledger_totals(s->tcp);
	s->status.sides[0].state = "connecting";
	draw(s, 24, 90);
	check_row(s, 0,
	    " TCP 127.0.…1:12000 (connecting) sent 2 answered 1 cut off 1 min/avg/max 2.00/2.00/2.00 ms");
	check_row(s, 2, "  1 one                          ┃ ━━━━━━━━━━▶ 2.00 ms   ┃  1 ONE");
	check_row(s, 3, "  2 two                          ┃ ━━✗ cut off           ┃");
	check_row(s, 4, "  3 three                        │ ──────────▶ 1.00 ms   │  3 THREE");
	assert_int_equal(canvas_at(&s->canvas, 2, 35)->style, STYLE_TCP);
}

static void test_status(void **state)
{
	struct fixture *s = *state;
	struct ledger_totals t = { .typed = 8,
		.sent = 8,
		.answered = 5,
		.lost = 2,
		.waiting = 1,
		.duplicates = 1,
		.timed = 5,
		.waited = { .min = 40300000, .max = 44200000, .mean = 41e6 } };
	s->status.sides[0].totals = &t;
	draw(s, 24, 150);
	check_row(s, 0,
	    " UDP 127.0.0.1:12000 · sent 8 · answered 5 · lost 2 (28.6 %) · late 0 · dup 1 · waiting 1 │ "
	    "waited min/avg/max 40.3/41.0/44.2 ms · wait 1.00 s");
	/* First what says nothing, then words that the figures do not need. */
	draw(s, 24, 126);
	check_row(s, 0,
	    " UDP 127.0.0.1:12000 · sent 8 · answered 5 · lost 2 (28.6 %) · late 0 · dup 1 · waiting 1 │ "
	    "min/avg/max 40.3/41.0/44.2 ms");
	draw(s, 24, 112);
	check_row(s, 0,
	    " UDP 127.0.0.1:12000 · sent 8 · answered 5 · lost 2 (28.6 %) · dup 1 · waiting 1 │ "
	    "min/avg/max 40.3/41.0/44.2 ms");
	draw(s, 24, 100);
	check_row(s, 0,
	    " UDP 127.0.0.1:12000 · sent 8 · answered 5 · lost 2 (28.6 %) · dup 1 │ "
	    "min/avg/max 40.3/41.0/44.2 ms");
	draw(s, 24, 80);
	check_row(s, 0,
	    " UDP 127.0.…1:12000 sent 8 answered 5 lost 2 dup 1 min/avg/max 40.3/41.0/44.2 ms");
	draw(s, 24, 73);
	check_row(s, 0,
	    " UDP 127.0.…:12000 sent 8 answered 5 lost 2 min/avg/max 40.3/41.0/44.2 ms");
	draw(s, 24, 60);
	check_row(s, 0, " UDP 127.0.0.1:12000 · sent 8 · answered 5 · lost 2 · dup 1");
	draw(s, 24, 48);
	check_row(s, 0, " UDP 127.0…:12000 · sent 8 · answered 5 · lost 2");
	draw(s, 24, 40);
	check_row(s, 0, " UDP 12…1:12000 sent 8 answered 5 lost 2");
	draw(s, 24, 30);
	check_row(s, 0, " UDP 12….1:12000 sent 8 lost 2");
	/* Of two fields alike, the one further right goes first. */
	t = (struct ledger_totals){ .sent = 3, .answered = 3, .differs = 1, .cut_short = 2 };
	draw(s, 24, 99);
	check_row(s, 0,
	    " UDP 127.0.0.1:12000 · sent 3 · answered 3 · lost 0 (0.0 %) · late 0 · "
	    "differs 1 · cut short 2");
	draw(s, 24, 66);
	check_row(s, 0, " UDP 127.0.0.1:12000 · sent 3 · answered 3 · lost 0 · differs 1");
	t = (struct ledger_totals){
		.sent = 3, .waiting = 3, .strays = 2, .failed = 1, .refused = 4, .reordered = 5
	};
	draw(s, 24, 140);
	check_row(s, 0,
	    " UDP 127.0.0.1:12000 · sent 3 · answered 0 · lost 0 · late 0 · dup 0 · waiting 3 · refused 4 · "
	    "failed 1 · reordered 5 · strays 2");
}

/* What was typed and not sent yet counts: the row, the marks and the totals are from Enter on. */
static void test_parts(void **state)
{
	struct fixture *s = *state;
	uint64_t first = type(s, true, "hello"), second;
	ledger_connecting(s->tcp, 0, s->now);
	s->view.stream = s->status.stream = true;
	s->status.sides[0].totals = ledger_totals(s->tcp);
	pass(s, 861 * MS);
	draw(s, 24, 80);
	check_seen(s, "1 hello                   ┃ connecting 0.8 s");
	second = type(s, true, "behind");
	ledger_connected(s->tcp, 0, s->now);
	ledger_sent(s->tcp, first, s->now);
	pass(s, 20 * MS);
	draw(s, 24, 80);
	check_seen(s, "·····  waiting 0.8 s");
	pass(s, 25 * MS);
	reply(s, true, "HELLO");
	ledger_sent(s->tcp, second, s->now);
	pass(s, 40 * MS);
	reply(s, true, "BEHIND");
	draw(s, 24, 80);
	check_row(s, 2, "  1 hello                   ┃ ━━━━━━━━━━▶ 906 ms    ┃  1 HELLO");
	check_row(s, 3,
	    "  2 behind                  ┃ ━━━━━━━━━━▶ 85.0 ms   ┃  2 BEHIND (45.0 ms queued)");
	draw(s, 24, 100);
	check_seen(s, "min/avg/max 85.0/496/906 ms");
}

static void test_fates_without_wire(void **state)
{
	struct fixture *s = *state;
	every_fate(s);
	draw(s, 30, 50);
	check_row(s, 1, " typed                   │ replies");
	check_row(s, 2, "  1 hello                │  1 HELLO");
	check_row(s, 3, "  2 gone                 │    ✗ lost");
	check_row(s, 4, "  3 slow                 │  3 SLOW (late)");
	check_row(s, 5, "  4 twice                │  4 TWICE (×2)");
	check_seen(s, "5 FIRST (↷ reordered)");
	check_seen(s, "  9 long                 │    ✗ failed: too long");
	check_seen(s, " 10 knock                │    ✗ refused");
	check_seen(s, "│    WHAT (stray)");
	check_seen(s, " 11 later                │    queued");
	check_seen(s, " 12 here?                │    · waiting");
	assert_int_equal(canvas_at(&s->canvas, 3, 30)->style, STYLE_LOST);
	draw(s, 30, 24);
	check_row(s, 2, " hello      │ HELLO");
	check_row(s, 3, " gone       │ ✗ lost");
}

static void test_ascii(void **state)
{
	struct fixture *s = *state;
	every_fate(s);
	send(s, true, "grüße 漢 e\xcc\x81");
	reply(s, true, "GRÜSSE 漢 E\xcc\x81");
	notice(s, TRANSCRIPT_NOTICE, "é");
	s->input = (struct view_input){ .prompt = "udp> ", .text = "é", .length = 2, .cursor = 2 };
	s->view.ascii = true;
	s->status.sides[1].totals = ledger_totals(s->tcp);
	s->status.progress = "burst 1/9 · 100/s · 6.6 s left";
	for (int columns = 1; columns < 200; columns += columns < 20 ? 1 : 7) {
		s->view.both = !s->view.both;
		draw(s, 24, columns);
		for (int i = 0; i < 24 * columns; i++)
			assert_uint_in_range(s->canvas.cells[i].chars[0], 0x20, 0x7e);
	}
	s->view.both = true;
	draw(s, 24, 120);
	check_seen(s, "|  1 HELLO              :                       :");
	check_row(s, 0,
	    " UDP 127.0.0.1:12000, sent 11, answered 6, lost 2, late 1, dup 1, refused 1, failed 1 | "
	    "min/avg/max 0.00/16.9/40.9 ms");
	check_seen(s, "burst 1/9, 100/s, 6.6 s left, sent 1, answered 1");
	s->view.both = false;
	s->status.progress = NULL;
	draw(s, 24, 80);
	check_row(s, 2, "  1 hello                   | ----------> 40.9 ms   |  1 HELLO");
	check_row(s, 3, "  2 gone                    | --x lost              |");
	check_row(s, 5, "  4 twice                   | ##########> 40.3 ms   |  4 TWICE (x2)");
	check_seen(s, "gr??e ? e?              : ====");
	check_seen(s, "GR?SSE ? E?");
	check_row(s, 0,
	    " UDP 1...12000 sent 11 answered 6 lost 2 refused 1 min/avg/max 0.00/16.9/40.9 ms");
}

static void test_arrivals(void **state)
{
	struct fixture *s = *state;
	notice(s, TRANSCRIPT_NOTICE, "ready");
	send(s, false, "first");
	send(s, false, "second");
	pass(s, MS);
	reply(s, false, "SECOND");
	reply(s, false, "WHO");
	reply(s, false, "SECOND");
	pass(s, 2 * WAIT);
	reply(s, false, "FIRST");
	reply(s, false, "FIRST");
	s->view.arrivals = true;
	draw(s, 24, 80);
	check_row(s, 1,
	    " typed                      │ the wire              │ UDP replies as they came");
	check_row(s, 2, " -- ready                                           │  2 SECOND");
	check_row(s, 3, "  1 first                   │ ─ ─ ─ ─▶ 2.00 s late  │    WHO (stray)");
	check_row(s, 4,
	    "  2 second                  │ ══════════▶ 1.00 ms   │  2 SECOND (duplicate)");
	check_row(s, 5, "                            │                       │  1 FIRST (late)");
	check_row(s, 6,
	    "                            │                       │  1 FIRST (duplicate)");
	check_row(s, 7, "");
	send(s, false, "third");
	draw(s, 24, 80);
	/* The stray is no row among the typed lines. */
	check_row(s, 5, "  3 third                   │ ·····  waiting 0.0 s  │  1 FIRST (late)");
	draw(s, 24, 50);
	check_row(s, 5, "  3 third (· waiting)    │  1 FIRST (late)");
	s->view.arrivals = false;
	draw(s, 24, 80);
	check_row(s, 2, " -- ready");
	check_row(s, 3,
	    "  1 first                   │ ─ ─ ─ ─▶ 2.00 s late  │  1 FIRST (×2, late)");
}

static void test_wrapping(void **state)
{
	struct fixture *s = *state;
	send(s, false, "a line that is longer than the pane that it stands in");
	pass(s, MS);
	reply(s, false, "A LINE THAT IS LONGER THAN THE PANE THAT IT STANDS IN");
	send(s, false, "");
	reply(s, false, "");
	notice(s, TRANSCRIPT_ERROR, "this is wrong");
	draw(s, 24, 80);
	check_row(s, 2,
	    "  1 a line that is longer   │ ──────────▶ 1.00 ms   │  1 A LINE THAT IS LONGER");
	check_row(s, 3,
	    "    than the pane that it   │                       │    THAN THE PANE THAT IT");
	check_row(s, 4, "    stands in               │                       │    STANDS IN");
	assert_int_equal(row_with(s, "(empty)"), 5);
	assert_int_equal(style_of(s, "(empty)"), STYLE_FAINT);
	check_row(s, 6, " !! this is wrong");
	assert_int_equal(style_of(s, "!!"), STYLE_ERROR);
}

/* Of a line that fills more than the screen, the end shows, and its fate with it. */
static void test_very_long_line(void **state)
{
	struct fixture *s = *state;
	static char text[60001];
	memset(text, 'a', sizeof text - 1);
	memcpy(text + sizeof text - 4, "end", 3);
	ledger_failed(s->udp, type(s, false, text), EMSGSIZE, 0);
	draw(s, 24, 80);
	check_row(s, 2, "  1 aaaaaaaaaaaaaaaaaaaaaaaa│ ✗ failed: too long    │");
	check_row(s, 21, "    aaaaaaaaaaaaaaaaaaaaaend│                       │");
	assert_true(row_with(s, "aaaa") == 2);
	view_scroll(sized(s, 24, 80), -5);
	draw(s, 24, 80);
	check_seen(s, "-- 1 more below --");
	check_seen(s, "too long");
	view_scroll_top(sized(s, 24, 80));
	draw(s, 24, 80);
	assert_int_equal(s->view.bottom[LIST_ROWS].lines, 19);
	view_scroll(sized(s, 24, 80), 100000);
	assert_false(s->view.scrolled);
}

static void test_control_characters(void **state)
{
	struct fixture *s = *state;
	send(s, false, "x\033[31my");
	reply(s, false, "X\033[31MY");
	draw(s, 24, 80);
	check_seen(s, "x^[[31my");
	check_seen(s, "X^[[31MY");
	assert_int_equal(style_of(s, "^[[31m"), STYLE_SUBSTITUTE);
	assert_int_equal(style_of(s, "[31my"), STYLE_NORMAL);
}

static void lines(struct fixture *s, int from, int to)
{
	char text[32];
	for (int i = from; i <= to; i++) {
		snprintf(text, sizeof text, "line%d", i);
		send(s, false, text);
		snprintf(text, sizeof text, "LINE%d", i);
		reply(s, false, text);
	}
}

/* On 24 x 80 the panes have 20 rows: 2 to 21. */
static void test_scrolling(void **state)
{
	struct fixture *s = *state;
	lines(s, 1, 60);
	draw(s, 24, 80);
	assert_int_equal(row_with(s, "LINE41"), 2);
	assert_int_equal(row_with(s, "LINE60"), 21);
	view_scroll(sized(s, 24, 80), -1);
	draw(s, 24, 80);
	assert_int_equal(row_with(s, "LINE41"), 2);
	assert_int_equal(row_with(s, "LINE59"), 20);
	check_row(s, 21,
	    "                                                             -- 1 more below --");
	view_scroll(sized(s, 24, 80), -2);
	draw(s, 24, 80);
	check_seen(s, "-- 3 more below --");
	/* The position is held when more comes, and no longer when the end is reached. */
	lines(s, 61, 70);
	draw(s, 24, 80);
	assert_int_equal(row_with(s, "LINE57"), 20);
	check_seen(s, "-- 13 more below --");
	view_scroll(sized(s, 24, 80), 12);
	draw(s, 24, 80);
	check_seen(s, "-- 1 more below --");
	view_scroll_page(sized(s, 24, 80), 1);
	draw(s, 24, 80);
	assert_int_equal(row_with(s, "more below"), -1);
	lines(s, 71, 71);
	draw(s, 24, 80);
	assert_int_equal(row_with(s, "LINE71"), 21);
	/* No further up than the first line. */
	view_scroll(sized(s, 24, 80), -100000);
	draw(s, 24, 80);
	assert_int_equal(row_with(s, " 1 LINE1"), 2);
	check_seen(s, "-- 52 more below --");
	view_scroll(sized(s, 24, 80), 1);
	draw(s, 24, 80);
	assert_int_equal(row_with(s, " 2 LINE2"), 2);
	view_scroll_top(sized(s, 24, 80));
	draw(s, 24, 80);
	assert_int_equal(row_with(s, " 1 LINE1"), 2);
	view_scroll_end(&s->view);
	draw(s, 24, 80);
	assert_int_equal(row_with(s, "LINE71"), 21);
}

static void test_pages_overlap(void **state)
{
	struct fixture *s = *state;
	lines(s, 1, 100);
	view_scroll_page(sized(s, 24, 80), -1);
	draw(s, 24, 80);
	check_row(s, 20, "  82 line82                 │ ──────────▶ 0 s       │  82 LINE82");
	assert_int_equal(row_with(s, "LINE82"), 20);
	view_scroll_page(sized(s, 24, 80), -1);
	draw(s, 24, 80);
	assert_int_equal(row_with(s, "LINE64"), 20);
	view_scroll_page(sized(s, 24, 80), 2);
	assert_false(s->view.scrolled);
}

static void select_row(struct fixture *s, int steps)
{
	view_select(sized(s, 24, 80), steps);
	draw(s, 24, 80);
}

/* The selection begins at the end of the screen, takes the screen along, and ends after the newest
 * row. */
static void test_selecting(void **state)
{
	struct fixture *s = *state;
	select_row(s, -1);
	assert_int_equal(s->view.selected, 0);
	lines(s, 1, 60);
	draw(s, 24, 80);
	assert_int_equal(row_with(s, "▸"), -1);
	select_row(s, 1);
	assert_int_equal(s->view.selected, 0);
	select_row(s, -1);
	/* The detail area is open now. */
	assert_int_equal(row_with(s, "▸60 line60"), 17);
	check_row(s, 18, " line 60, UDP: LINE60 after 0 s");
	check_row(s, 19, " UDP sent 0 s after Enter, round trip 0 s");
	assert_int_equal(style_of(s, "60 line60"), STYLE_SELECTED);
	select_row(s, -15);
	assert_int_equal(row_with(s, "▸45 line45"), 2);
	assert_false(s->view.scrolled);
	/* Further on, the row stands in the middle. */
	select_row(s, -1);
	assert_int_equal(row_with(s, "▸44 line44"), 8);
	check_seen(s, "-- 8 more below --");
	/* It stays with its line, and comes back to it. */
	lines(s, 61, 80);
	view_scroll_end(&s->view);
	draw(s, 24, 80);
	assert_int_equal(row_with(s, "▸"), -1);
	select_row(s, 1);
	assert_int_equal(row_with(s, "▸45 line45"), 8);
	for (int i = 0; i < 21; i++) {
		select_row(s, 1);
		check_seen(s, "▸");
	}
	select_row(s, 14);
	assert_int_equal(row_with(s, "▸80 line80"), 17);
	select_row(s, 1);
	assert_int_equal(s->view.selected, 0);
	assert_int_equal(row_with(s, "▸"), -1);
	select_row(s, -1000);
	assert_int_equal(row_with(s, "▸ 1 line1"), 2);
	transcript_clear(s->transcript);
	select_row(s, -1);
	assert_int_equal(s->view.selected, 0);
}

static void check_in_step(const struct canvas *c)
{
	for (int row = 0; row < c->rows; row++) {
		for (int column = 0; column < c->columns; column++) {
			bool after_wide = column > 0 && canvas_at(c, row, column - 1)->width == 2;
			assert_int_equal(canvas_at(c, row, column)->width == 0, after_wide);
			assert_true(canvas_at(c, row, column)->style < STYLES);
		}
	}
	assert_uint_in_range(c->cursor_row, 0, c->rows - 1);
	assert_uint_in_range(c->cursor_column, 0, c->columns - 1);
}

/* A cut text ends whole, whatever its characters' width. */
static void test_wide_text_is_cut(void **state)
{
	struct fixture *s = *state;
	send_both(s, "漢字漢字漢字漢字漢字");
	reply(s, false, "漢字漢字漢字漢字漢字");
	turn_both(s);
	draw(s, 24, 80);
	check_seen(s, "  1 漢字漢字漢字… │ ────▶ 0 s     │ 漢字漢字漢字…┃");
	check_in_step(&s->canvas);
	s->view.ascii = true;
	draw(s, 24, 80);
	check_seen(s, "  1 ??????????    | ----> 0 s     | ??????????   :");
	ledger_cut_off(s->tcp, 0, 0);
	pass(s, 2 * WAIT);
}

/* Outside the lab the area tells of the selected line what the client knows. */
static void test_details(void **state)
{
	struct fixture *s = *state;
	every_fate(s);
	draw(s, 24, 80);
	assert_int_equal(row_with(s, " line "), -1);
	view_select_at(sized(s, 24, 80), row_with(s, "3 slow"), 5);
	draw(s, 24, 80);
	check_seen(s, " line 3, UDP: SLOW after 1.20 s, late");
	check_seen(s, " UDP sent 0 s after Enter, round trip 1.20 s");
	assert_int_equal(style_of(s, "UDP sent"), STYLE_UDP);
	assert_int_equal(style_of(s, "line 3, UDP"), STYLE_HEADING);
	select_row(s, 1);
	check_seen(s, " line 4, UDP: TWICE after 40.3 ms, 2 replies");
	select_row(s, 1);
	check_seen(s, ", overtaken by a later line's reply");
	view_select_at(sized(s, 24, 80), row_with(s, "9 long"), 5);
	draw(s, 24, 80);
	check_seen(s, " line 9, UDP: failed: too long");
	assert_int_equal(style_of(s, " too long"), STYLE_LOST);
	uint64_t number = send(s, false, "closed");
	assert_int_equal(ledger_unreachable(s->udp, "closed", 6, 0, ECONNREFUSED, s->now + 3 * MS),
	    number);
	s->view.selected = transcript_end(s->transcript, LIST_ROWS) - 1;
	draw(s, 24, 80);
	check_seen(s, ", UDP: refused after 3.00 ms");
	view_select_at(sized(s, 24, 80), row_with(s, "stray"), 5);
	draw(s, 24, 80);
	check_seen(s, " belongs to no line, UDP: WHAT");
	/* A page, a plot or a low screen has no room for it. */
	draw(s, 17, 80);
	assert_int_equal(row_with(s, "belongs to no line"), -1);
	/* What came from the network is spelt out. */
	send(s, false, "\x1b[31mred");
	reply(s, false, "\x1b[31MRED");
	s->view.selected = transcript_end(s->transcript, LIST_ROWS) - 1;
	draw(s, 24, 80);
	check_seen(s, ", UDP: \\x1b[31MRED after 0 s");
	assert_int_equal(row_with(s, "\x1b"), -1);
}

/* With three panes a connection's notice is one row, whose end stays; the area has all of it. */
static void test_connection_notice(void **state)
{
	struct fixture *s = *state;
	char text[] =
	    "SYN sent, lost going, again after 1.03 s, SYN-ACK lost coming, SYN-ACK again "
	    "after 2.05 s, connected after 2.09 s";
	const struct session_event tcp = { .kind = SESSION_EVENT_TCP, .text = text };
	assert_int_equal(transcript_add_event(s->transcript, &tcp), 0);
	draw(s, 24, 80);
	assert_int_equal(row_with(s, "connected after"), row_with(s, "-- TCP: SYN sent") + 1);
	select_row(s, -1);
	assert_int_equal(s->view.selected, 0);
	turn_both(s);
	draw(s, 24, 80);
	check_seen(s, " -- TCP: SYN sent, lost goi…");
	assert_int_equal(row_with(s, ", connected after 2.09 s"), row_with(s, "-- TCP: SYN sent"));
	assert_int_equal(row_with(s, "coming, SYN-ACK again"), -1);
	select_row(s, -1);
	check_seen(s, "▸-- TCP: SYN sent");
	check_seen(s, " TCP: SYN sent, lost going, again after 1.03 s, SYN-ACK lost coming");
	check_in_step(&s->canvas);
}

/* A click selects the row under it, also its second display line; not what is no row. */
static void test_selecting_a_cell(void **state)
{
	struct fixture *s = *state;
	char text[60];
	lines(s, 1, 9);
	send(s, false, fill(text, sizeof text, "long", " word"));
	lines(s, 11, 12);
	assert_false(view_select_at(sized(s, 24, 80), 1, 5));
	assert_false(view_select_at(sized(s, 24, 80), 23, 5));
	assert_false(view_select_at(sized(s, 24, 80), 20, 5));
	assert_true(view_select_at(sized(s, 24, 80), 4, 70));
	draw(s, 24, 80);
	assert_int_equal(row_with(s, "▸ 3 line3"), 4);
	int last = row_with(s, "LINE11") - 1;
	assert_int_not_equal(row_with(s, "long"), last);
	assert_true(view_select_at(sized(s, 24, 80), last, 0));
	draw(s, 24, 80);
	assert_int_equal(row_with(s, "▸10 long"), 11);
	pass(s, 2 * WAIT);
}

/* In the order of arrival a click on a reply selects its line. */
static void test_selecting_an_arrival(void **state)
{
	struct fixture *s = *state;
	send(s, false, "first");
	send(s, false, "second");
	reply(s, false, "SECOND");
	reply(s, false, "FIRST");
	s->view.arrivals = true;
	assert_true(view_select_at(sized(s, 24, 80), 2, 70));
	draw(s, 24, 80);
	assert_int_equal(row_with(s, "▸ 2 second"), 3);
	assert_false(view_select_at(sized(s, 24, 80), 4, 70));
}

static void test_few_rows_do_not_scroll(void **state)
{
	struct fixture *s = *state;
	view_scroll(sized(s, 24, 80), -1);
	view_scroll_top(sized(s, 24, 80));
	draw(s, 24, 80);
	lines(s, 1, 20);
	view_scroll(sized(s, 24, 80), -3);
	assert_false(s->view.scrolled);
	draw(s, 24, 80);
	assert_int_equal(row_with(s, " 1 LINE1"), 2);
	/* A position from a small screen, on one where all fits. */
	view_scroll(sized(s, 10, 80), -3);
	assert_true(s->view.scrolled);
	draw(s, 24, 80);
	assert_false(s->view.scrolled);
	assert_int_equal(row_with(s, "more below"), -1);
}

static void test_forgotten_while_scrolled(void **state)
{
	struct fixture *s = *state;
	struct transcript *small = transcript_new(50);
	transcript_free(s->transcript);
	s->transcript = small;
	lines(s, 1, 50);
	view_scroll_top(sized(s, 24, 80));
	lines(s, 51, 80);
	draw(s, 24, 80);
	assert_int_equal(row_with(s, "LINE31"), 2);
	assert_int_equal(row_with(s, "LINE49"), 20);
	check_seen(s, "-- 31 more below --");
	transcript_clear(s->transcript);
	draw(s, 24, 80);
	assert_false(s->view.scrolled);
	check_row(s, 2, "");
}

static void test_find(void **state)
{
	struct fixture *s = *state;
	send(s, false, "a Needle in Straße");
	lines(s, 1, 50);
	notice(s, TRANSCRIPT_NOTICE, "the needle again");
	const char *needle = "nEEdle", *street = "STRASSE";
	assert_false(view_find(sized(s, 24, 80), "nothing of the kind"));
	assert_false(view_find(sized(s, 24, 80), ""));
	assert_null(s->view.find);
	assert_true(view_find(sized(s, 24, 80), needle));
	draw(s, 24, 80);
	assert_int_equal(style_of(s, "needle"), STYLE_FOUND);
	assert_int_equal(style_of(s, "again"), STYLE_NOTICE);
	assert_false(s->view.scrolled);
	assert_true(view_find(sized(s, 24, 80), needle));
	draw(s, 24, 80);
	assert_int_equal(row_with(s, "a Needle in"), 2);
	assert_int_equal(style_of(s, "Needle"), STYLE_FOUND);
	assert_int_equal(style_of(s, "a Needle"), STYLE_NORMAL);
	assert_int_equal(style_of(s, " Needle"), STYLE_NORMAL);
	assert_int_equal(style_of(s, " in Stra"), STYLE_NORMAL);
	assert_false(view_find(sized(s, 24, 80), needle));
	assert_ptr_equal(s->view.find, needle);
	/* One character here is two capitals there. */
	assert_true(view_find(sized(s, 24, 80), street));
	draw(s, 24, 80);
	assert_int_equal(style_of(s, "Stra"), STYLE_FOUND);
	assert_int_equal(canvas_at(&s->canvas, 2, 20)->style, STYLE_FOUND);
	assert_int_equal(canvas_at(&s->canvas, 2, 22)->style, STYLE_NORMAL);
	const char *middle = "line30";
	assert_true(view_find(sized(s, 24, 80), middle));
	draw(s, 24, 80);
	assert_uint_in_range(row_with(s, "LINE30"), 6, 16);
}

/* From row 0 on, as far as the picture goes. */
static void check_picture(struct fixture *s, int rows, int columns, const char *const *picture)
{
	draw(s, rows, columns);
	for (int row = 0; picture[row] != NULL; row++)
		check_row(s, row, picture[row]);
}

/* Lines that went over one transport before, then over both with every fate. */
static void both_exchange(struct fixture *s)
{
	send(s, false, "over udp");
	pass(s, 40900000);
	reply(s, false, "OVER UDP");
	send(s, true, "over tcp");
	pass(s, 41 * MS);
	reply(s, true, "OVER TCP");
	notice(s, TRANSCRIPT_NOTICE, "both transports at once");
	send_both(s, "hello");
	pass(s, 40900000);
	reply(s, false, "HELLO");
	pass(s, 600000);
	reply(s, true, "HELLO");
	send_both(s, "is anyone there, in this hall");
	pass(s, 265 * MS);
	reply(s, true, "IS ANYONE THERE, IN THIS HALL");
	pass(s, WAIT);
	send_both(s, "twice");
	pass(s, 40300000);
	reply(s, false, "TWICE");
	reply(s, true, "TWICE");
	reply(s, false, "TWICE");
	reply(s, false, "WHAT");
	send_both(s, "slow");
	pass(s, WAIT + 200 * MS);
	reply(s, false, "SLOW");
	ledger_cut_off(s->tcp, 0, 0);
	ledger_failed(s->udp, type(s, false, "long"), EMSGSIZE, 0);
	send_both(s, "here?");
	pass(s, 300 * MS);
}

static void test_both(void **state)
{
	static const char *const wide[] = {
		" UDP 127.0.0.1:12000 · sent 7 · answered 3 · lost 2 (40.0 %) · late 1 · dup 1 · failed 1 │ min/avg/max 40.3/40.7/40.9 ms",
		" TCP                 · sent 6 · answered 4 · waiting 1 · cut off 1 │ min/avg/max 40.3/97.0/265 ms",
		" typed                  │ the UDP wire          │ UDP replies           ┃ the TCP wire          ┃ TCP replies",
		"  1 over udp            │ ──────────▶ 40.9 ms   │  1 OVER UDP           ┃                       ┃",
		"  2 over tcp            │                       │                       ┃ ━━━━━━━━━━▶ 41.0 ms   ┃  2 OVER TCP",
		" -- both transports at once",
		"  3 hello               │ ──────────▶ 40.9 ms   │  3 HELLO              ┃ ━━━━━━━━━━▶ 41.5 ms   ┃  3 HELLO",
		"  4 is anyone there, in…│ ──✗ lost              │                       ┃ ━━━━━━━━━━▶ 265 ms    ┃  4 IS ANYONE THERE, I…",
		"  5 twice               │ ══════════▶ 40.3 ms   │  5 TWICE (×2)         ┃ ━━━━━━━━━━▶ 40.3 ms   ┃  5 TWICE",
		"                        │ stray                 │    WHAT               ┃                       ┃",
		"  6 slow                │ ─ ─ ─ ─▶ 1.20 s late  │  6 SLOW (late)        ┃ ━━✗ cut off           ┃",
		"  7 long                │ ✗ failed: too long    │                       ┃                       ┃",
		"  8 here?               │ ·····  waiting 0.3 s  │                       ┃ ·····  waiting 0.3 s  ┃",
		"",
		NULL,
	};
	static const char *const usual[] = {
		" UDP 12….1:12000 sent 7 answered 3 lost 2 failed 1 min/avg/max 40.3/40.7/40.9 ms",
		" TCP sent 6 answered 4 waiting 1 cut off 1 min/avg/max 40.3/97.0/265 ms",
		" typed            │ the UDP wire  │ UDP replies  ┃ the TCP wire  ┃ TCP replies",
		"  1 over udp      │ ────▶ 40.9 ms │ OVER UDP     ┃               ┃",
		"  2 over tcp      │               │              ┃ ━━━━▶ 41.0 ms ┃ OVER TCP",
		" -- both transports at once",
		"  3 hello         │ ────▶ 40.9 ms │ HELLO        ┃ ━━━━▶ 41.5 ms ┃ HELLO",
		"  4 is anyone the…│ ──✗ lost      │              ┃ ━━━━▶ 265 ms  ┃ IS ANYONE TH…",
		"  5 twice         │ ════▶ 40.3 ms │ TWICE (×2)   ┃ ━━━━▶ 40.3 ms ┃ TWICE",
		"                  │ stray         │ WHAT         ┃               ┃",
		"  6 slow          │ ─ ─▶ 1.20 s   │ SLOW (late)  ┃ ━━✗ cut off   ┃",
		"  7 long          │ ✗ too long    │              ┃               ┃",
		"  8 here?         │ ·····  0.3 s  │              ┃ ·····  0.3 s  ┃",
		"",
		NULL,
	};
	struct fixture *s = *state;
	both_exchange(s);
	turn_both(s);
	check_picture(s, 24, 120, wide);
	assert_int_equal(canvas_at(&s->canvas, 4, 72)->style, STYLE_TCP);
	assert_int_equal(canvas_at(&s->canvas, 7, 26)->style, STYLE_UDP);
	assert_int_equal(canvas_at(&s->canvas, 7, 28)->style, STYLE_LOST);
	assert_int_equal(style_of(s, "SLOW"), STYLE_LATE);
	assert_int_equal(canvas_at(&s->canvas, 0, 1)->style, STYLE_UDP);
	assert_int_equal(canvas_at(&s->canvas, 1, 1)->style, STYLE_TCP);
	check_picture(s, 24, 80, usual);
}

/* The manual's picture. */
static void test_both_in_the_manual(void **state)
{
	static const char *const picture[] = {
		" UDP 12…:12000 sent 4 answered 3 lost 1 dup 1 min/avg/max 40.3/40.8/41.2 ms",
		" TCP           sent 3 answered 3 waiting 0 min/avg/max 40.8/116/265 ms",
		" typed          │ the UDP wire  │ UDP replies ┃ the TCP wire  ┃ TCP replies",
		"  1 before      │ ────▶ 40.9 ms │ BEFORE      ┃               ┃",
		"  2 hello       │ ────▶ 41.2 ms │ HELLO       ┃ ━━━━▶ 41.5 ms ┃ HELLO",
		"  3 a hole      │ ──✗ lost      │             ┃ ━━━━▶ 265 ms  ┃ A HOLE",
		"  4 twice       │ ════▶ 40.3 ms │ TWICE (×2)  ┃ ━━━━▶ 40.8 ms ┃ TWICE",
		"",
		" both>",
		" F1 help  F2 udp/tcp  F10 quit",
		NULL,
	};
	struct fixture *s = *state;
	send(s, false, "before");
	pass(s, 40900000);
	reply(s, false, "BEFORE");
	send_both(s, "hello");
	pass(s, 41200000);
	reply(s, false, "HELLO");
	pass(s, 300000);
	reply(s, true, "HELLO");
	send_both(s, "a hole");
	pass(s, 265 * MS);
	reply(s, true, "A HOLE");
	pass(s, WAIT);
	send_both(s, "twice");
	pass(s, 40300000);
	reply(s, false, "TWICE");
	reply(s, false, "TWICE");
	pass(s, 500000);
	reply(s, true, "TWICE");
	turn_both(s);
	check_picture(s, 10, 75, picture);
}

static void test_both_narrow(void **state)
{
	static const char *const no_wires[] = {
		" UDP 127.0.…1:12000 · sent 7 · answered 3 · lost 2",
		" TCP · sent 6 · answered 4 · waiting 1 · cut off 1",
		" typed            │ UDP replies   ┃ TCP replies",
		"  3 hello         │ HELLO         ┃ HELLO",
		"  4 is anyone the…│ ✗ lost        ┃ IS ANYONE THE…",
		"  5 twice         │ TWICE (×2)    ┃ TWICE",
		"                  │ WHAT (stray)  ┃",
		"  6 slow          │ SLOW (late)   ┃ ✗ cut off",
		"  7 long          │ ✗ too long    ┃",
		"  8 here?         │ · waiting     ┃ · waiting",
		" both>",
		NULL,
	};
	static const char *const tiny[] = {
		" UDP 3/7 · lost 2 │ TCP 4/6",
		" typed    │ UDP     ┃ TCP",
		" slow     │ SLOW(la ┃ cut off",
		" long     │ too lon ┃",
		" here?    │ waiting ┃ waiting",
		"          │         ┃",
		" both>",
		NULL,
	};
	struct fixture *s = *state;
	both_exchange(s);
	turn_both(s);
	check_picture(s, 12, 50, no_wires);
	notice(s, TRANSCRIPT_NOTICE, "");
	draw(s, 8, 30);
	check_row(s, 4, " here?    │ waiting ┃ waiting");
	check_row(s, 5, " --");
	check_row(s, 0, tiny[0]);
	check_row(s, 1, tiny[1]);
	draw(s, 3, 30);
	check_row(s, 0, tiny[0]);
	check_row(s, 1, " --");
	draw(s, 8, 20);
	check_row(s, 0, " UDP 3/7 │ TCP 4/6");
	s->view.ascii = true;
	draw(s, 8, 40);
	check_row(s, 0, " UDP 3/7, lost 2, failed 1 | TCP 4/6");
	check_row(s, 1, " typed         | UDP        : TCP");
}

/* The counts say whose they are; what the connections do stands with each. */
static void test_both_status(void **state)
{
	struct fixture *s = *state;
	struct ledger_totals udp = { .sent = 340, .answered = 300, .lost = 40 },
	                     tcp = { .sent = 340, .answered = 340 };
	turn_both(s);
	s->status.sides[0].totals = &udp;
	s->status.sides[1] = (struct view_side){ .state = "refused, again in 2 s", .totals = &tcp };
	s->status.progress = "burst 340/1000 · 100/s · 6.6 s left";
	draw(s, 24, 120);
	check_row(s, 0,
	    " UDP 127.0.0.1:12000 · sent 340 · answered 300 · lost 40 (11.8 %) · late 0 · dup 0 "
	    "│ wait 1.00 s");
	check_row(s, 1,
	    " TCP (refused, again in 2 s) · burst 340/1000 · 100/s · 6.6 s left · sent 340 "
	    "· answered 340 · waiting 0");
	/* The times of both stay on a narrow screen. */
	udp.timed = tcp.timed = 300;
	udp.waited = tcp.waited = (struct ledger_times){
		.min = 40 * NS_PER_MS, .mean = 41.0 * NS_PER_MS, .max = 42 * NS_PER_MS
	};
	s->status.sides[1].state = NULL;
	draw(s, 24, 80);
	check_row(s, 0,
	    " UDP 127.0.0.1:12000 sent 340 answered 300 lost 40 min/avg/max 40.0/41.0/42.0 ms");
	check_row(s, 1,
	    " TCP · burst 340/1000 · sent 340 · answered 340 │ min/avg/max 40.0/41.0/42.0 ms");
	udp.timed = tcp.timed = 0;
	s->status.sides[1].state = "refused, again in 2 s";
	draw(s, 9, 80);
	check_row(s, 0,
	    " UDP 300/340 · lost 40 │ TCP (refused, again in 2 s) 340/340 · burst 340/1000");
	s->view.both = false;
	draw(s, 24, 110);
	check_row(s, 0,
	    " UDP 127.0.0.1:12000 · burst 340/1000 · 100/s · 6.6 s left · sent 340 · answered 300 "
	    "· lost 40 (11.8 %)");
}

static void test_both_arrivals(void **state)
{
	static const char *const wide[] = {
		" typed                  │ the UDP wire          │ UDP as they came      ┃ the TCP wire          ┃ TCP as they came",
		"  1 over udp            │ ──────────▶ 40.9 ms   │  1 OVER UDP           ┃                       ┃  2 OVER TCP",
		"  2 over tcp            │                       │  3 HELLO              ┃ ━━━━━━━━━━▶ 41.0 ms   ┃  3 HELLO",
		" -- both transports at once                     │  5 TWICE              ┃                       ┃  4 IS ANYONE THERE, I…",
		"  3 hello               │ ──────────▶ 40.9 ms   │  5 TWICE (duplicate)  ┃ ━━━━━━━━━━▶ 41.5 ms   ┃  5 TWICE",
		"  4 is anyone there, in…│ ──✗ lost              │    WHAT (stray)       ┃ ━━━━━━━━━━▶ 265 ms    ┃",
		"  5 twice               │ ══════════▶ 40.3 ms   │  6 SLOW (late)        ┃ ━━━━━━━━━━▶ 40.3 ms   ┃",
		"  6 slow                │ ─ ─ ─ ─▶ 1.20 s late  │                       ┃ ━━✗ cut off           ┃",
		NULL,
	};
	struct fixture *s = *state;
	both_exchange(s);
	turn_both(s);
	s->view.arrivals = true;
	draw(s, 24, 120);
	for (int row = 0; wide[row] != NULL; row++)
		check_row(s, 2 + row, wide[row]);
	draw(s, 24, 80);
	check_row(s, 2,
	    " typed          │ the UDP wire  │ UDP arrivals  ┃ the TCP wire  ┃ TCP arrivals");
	check_row(s, 4,
	    "  2 over tcp    │               │  3 HELLO      ┃ ━━━━▶ 41.0 ms ┃  3 HELLO");
	draw(s, 24, 50);
	check_seen(s, "(TCP");
	/* More replies of one transport than there are rows. */
	for (int i = 0; i < 8; i++)
		reply(s, false, "TWICE");
	draw(s, 40, 120);
	assert_int_equal(row_with(s, "HERE?"), -1);
	uint64_t udp = transcript_end(s->transcript, LIST_UDP) -
	               transcript_first(s->transcript, LIST_UDP);
	assert_int_equal(udp, 14);
	assert_int_equal(row_with(s, "WHAT (stray)"), 7);
	check_row(s, 16,
	    "                        │                       │  5 TWICE (duplicate)  ┃             "
	    "          ┃");
}

/* So many lines over both: of each ten, the fourth is lost over UDP, and the seventh is answered
 * twice. */
static void lossy_lines(struct fixture *s, int from, int to)
{
	char text[32], capitals[32];
	for (int i = from; i <= to; i++) {
		snprintf(text, sizeof text, "row%d", i);
		snprintf(capitals, sizeof capitals, "ROW%d", i);
		send_both(s, text);
		for (int j = 0; j < (i % 10 == 4 ? 0 : i % 10 == 7 ? 2 : 1); j++)
			reply(s, false, capitals);
		pass(s, MS);
		reply(s, true, capitals);
	}
	pass(s, 2 * WAIT);
}

/* Something stands in each pane in that row: the bars of the heading say where the panes are. */
static void check_panes_filled(struct fixture *s, int heading, int row)
{
	bool filled = false;
	for (int column = 0; column <= s->canvas.columns; column++) {
		wchar_t bar = column < s->canvas.columns
		                ? canvas_at(&s->canvas, heading, column)->chars[0]
		                : L'│';
		if (bar == L'│' || bar == L'┃') {
			if (!filled)
				fail_msg("row %d has a blank pane before column %d: \"%s\"", row,
				    column, row_text(s, row));
			filled = false;
		} else if (canvas_at(&s->canvas, row, column)->chars[0] != L' ') {
			filled = true;
		}
	}
}

static int count_seen(struct fixture *s, const char *text)
{
	int count = 0;
	for (int row = 0; row < s->canvas.rows; row++) {
		for (const char *at = row_text(s, row); (at = strstr(at, text)) != NULL; at++)
			count++;
	}
	return count;
}

/* Each pane follows its own newest row, of its own transport, on a screen of any size. */
static void test_arrivals_follow(void **state)
{
	static const struct {
		int rows, columns, last;
	} sizes[] = { { 24, 80, 21 }, { 40, 120, 37 }, { 8, 30, 5 } };
	struct fixture *s = *state;
	lossy_lines(s, 1, 100);
	s->view.arrivals = true;
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		int rows = sizes[i].rows, columns = sizes[i].columns, heading = rows >= 10 ? 2 : 1;
		turn_both(s);
		draw(s, rows, columns);
		for (int row = heading + 1; row <= sizes[i].last; row++)
			check_panes_filled(s, heading, row);
		assert_non_null(strstr(row_text(s, sizes[i].last), "row100"));
		assert_int_equal(count_seen(s, "ROW100"), 2);
		s->view.both = false;
		for (int stream = 0; stream <= 1; stream++) {
			s->status.stream = stream;
			draw(s, rows, columns);
			for (int row = 2; row <= sizes[i].last; row++)
				check_panes_filled(s, 1, row);
			assert_non_null(strstr(row_text(s, sizes[i].last), "row100"));
			assert_int_equal(count_seen(s, "ROW100"), 1);
			if (rows > 8)
				assert_int_equal(count_seen(s, "ROW97"), stream ? 1 : 2);
		}
	}
	/* However many replies belong to no line: the typed lines stay. */
	for (int i = 0; i < 60; i++)
		reply(s, i % 2, "WHO");
	turn_both(s);
	draw(s, 24, 120);
	for (int row = 3; row <= 21; row++)
		check_panes_filled(s, 2, row);
	assert_non_null(strstr(row_text(s, 21), "100 row100"));
	assert_int_equal(count_seen(s, "WHO (stray)"), 2 * 19);
	transcript_clear(s->transcript);
	draw(s, 24, 80);
	assert_int_equal(count_seen(s, "row"), 0);
	lossy_lines(s, 101, 102);
	draw(s, 24, 80);
	check_row(s, 4,
	    " 102 row102     │ ────▶ 0 s     │ 102 ROW102    ┃ ━━━━▶ 1.00 ms ┃ 102 ROW102");
}

/* All panes scroll by the same lines, each as far as it has some, and each says what is below. */
static void test_arrivals_scroll(void **state)
{
	struct fixture *s = *state;
	lossy_lines(s, 1, 100);
	for (int i = 0; i < 100; i++)
		reply(s, true, "WHO");
	turn_both(s);
	s->view.arrivals = true;
	draw(s, 24, 80);
	view_scroll_page(sized(s, 24, 80), -1);
	for (int page = 0; page < 20;
	    page++, view_scroll_page(sized(s, 24, 80), page < 10 ? -1 : 1)) {
		draw(s, 24, 80);
		for (int row = 3; row <= 20; row++)
			check_panes_filled(s, 2, row);
	}
	view_scroll_top(sized(s, 24, 80));
	draw(s, 24, 80);
	check_row(s, 3,
	    "   1 row1       │ ────▶ 0 s     │   1 ROW1      ┃ ━━━━▶ 1.00 ms ┃   1 ROW1");
	check_row(s, 21,
	    "  82 more below                   82 more below                  182 more below");
	/* Held, whatever comes. */
	lossy_lines(s, 101, 110);
	draw(s, 24, 80);
	check_row(s, 3,
	    "   1 row1       │ ────▶ 0 s     │   1 ROW1      ┃ ━━━━▶ 1.00 ms ┃   1 ROW1");
	view_scroll_end(&s->view);
	draw(s, 24, 80);
	assert_int_equal(count_seen(s, "110 ROW110"), 2);
}

/* What is found is seen in each pane, and marked there; replies that come onto a scrolled screen
 * belong to its rows. */
static void test_arrivals_find(void **state)
{
	struct fixture *s = *state;
	lossy_lines(s, 1, 60);
	reply(s, false, "STRANGER");
	lossy_lines(s, 61, 160);
	turn_both(s);
	draw(s, 24, 80);
	view_scroll(sized(s, 24, 80), -70);
	draw(s, 24, 80);
	assert_int_equal(count_seen(s, "ROW90"), 2);
	s->view.arrivals = true;
	draw(s, 24, 80);
	assert_int_equal(count_seen(s, "ROW90"), 2);
	assert_true(view_find(sized(s, 24, 80), "row30"));
	draw(s, 24, 80);
	assert_int_equal(count_seen(s, "row30"), 1);
	assert_int_equal(count_seen(s, "ROW30"), 2);
	assert_int_equal(style_of(s, "row30"), STYLE_FOUND);
	assert_int_equal(style_of(s, "ROW30"), STYLE_FOUND);
	assert_int_not_equal(style_of(s, "ROW31"), STYLE_FOUND);
	/* On a screen that has hardly a row for it. */
	view_scroll_end(&s->view);
	assert_true(view_find(sized(s, 8, 30), "row24"));
	draw(s, 8, 30);
	assert_int_equal(count_seen(s, "row24"), 1);
	assert_int_equal(count_seen(s, "ROW24"), 1);
	s->view.both = false;
	s->status.stream = true;
	draw(s, 24, 80);
	assert_int_equal(count_seen(s, "ROW24"), 1);
	/* A stray is found in the pane of its transport only. */
	s->view.find = NULL;
	assert_false(view_find(sized(s, 24, 80), "stranger"));
	s->status.stream = false;
	draw(s, 24, 80);
	assert_int_equal(count_seen(s, "ROW23"), 1);
	assert_true(view_find(sized(s, 24, 80), "stranger"));
	draw(s, 24, 80);
	assert_int_equal(style_of(s, "STRANGER"), STYLE_FOUND);
	assert_int_equal(count_seen(s, "row60"), 1);
}

/* In one pane a row that went over both shows the transport in use, one that did not its own. */
static void test_both_in_one_pane(void **state)
{
	struct fixture *s = *state;
	both_exchange(s);
	draw(s, 24, 80);
	check_row(s, 3, "  2 over tcp                ┃ ━━━━━━━━━━▶ 41.0 ms   ┃  2 OVER TCP");
	check_row(s, 5, "  3 hello                   │ ──────────▶ 40.9 ms   │  3 HELLO");
	check_row(s, 6, "  4 is anyone there, in this│ ──✗ lost              │");
	check_row(s, 8, "  5 twice                   │ ══════════▶ 40.3 ms   │  5 TWICE (×2)");
	s->status.stream = true;
	draw(s, 24, 80);
	check_row(s, 2, "  1 over udp                │ ──────────▶ 40.9 ms   │  1 OVER UDP");
	check_row(s, 5, "  3 hello                   ┃ ━━━━━━━━━━▶ 41.5 ms   ┃  3 HELLO");
	check_row(s, 6,
	    "  4 is anyone there, in this┃ ━━━━━━━━━━▶ 265 ms    ┃  4 IS ANYONE THERE, IN");
	check_row(s, 8, "  5 twice                   ┃ ━━━━━━━━━━▶ 40.3 ms   ┃  5 TWICE");
	check_row(s, 9, "                            │ stray                 │    WHAT");
	draw(s, 24, 50);
	check_seen(s, "  6 slow                 ┃    ✗ cut off");
	s->view.arrivals = true;
	draw(s, 24, 50);
	check_seen(s, "6 slow (TCP ✗ cut off)");
	check_seen(s, "7 long (✗ failed: too");
}

/* What one ledger has forgotten and the other has not. */
static void test_both_forgotten(void **state)
{
	struct fixture *s = *state;
	struct ledger_settings settings = { .kind = LEDGER_DATAGRAM,
		.tag = LEDGER_TAG_AUTO,
		.capacity = 1,
		.reply_timeout = WAIT,
		.answerable = 60 * WAIT };
	ledger_free(s->udp);
	s->udp = ledger_new(&settings);
	turn_both(s);
	send_both(s, "one");
	reply(s, false, "ONE");
	reply(s, true, "ONE");
	send_both(s, "two");
	draw(s, 24, 120);
	check_row(s, 3,
	    "  1 one                 │                       │    (forgotten)        ┃ ━━━━━━━━━━▶ "
	    "0 s       ┃  1 ONE");
	s->view.both = false;
	draw(s, 24, 80);
	check_row(s, 2, "  1 one                     │                       │    (forgotten)");
	s->status.stream = true;
	draw(s, 24, 80);
	check_row(s, 2, "  1 one                     ┃ ━━━━━━━━━━▶ 0 s       ┃  1 ONE");
}

static void test_both_find(void **state)
{
	struct fixture *s = *state;
	turn_both(s);
	send_both(s, "line");
	reply(s, true, "odd reply");
	send_both(s, "other");
	lines(s, 1, 40);
	assert_true(view_find(sized(s, 24, 80), "odd"));
	draw(s, 24, 80);
	assert_int_equal(style_of(s, "odd"), STYLE_FOUND);
	assert_int_equal(style_of(s, " reply"), STYLE_ANSWERED);
	assert_int_equal(row_with(s, "  1 line "), 3);
	/* Not what cannot be seen. */
	s->view.both = false;
	view_scroll_end(&s->view);
	draw(s, 24, 80);
	assert_false(view_find(sized(s, 24, 80), "odd reply"));
	s->status.stream = true;
	draw(s, 24, 80);
	assert_true(view_find(sized(s, 24, 80), "odd reply"));
}

static void type_input(struct fixture *s, const char *text, size_t cursor)
{
	s->input.text = text;
	s->input.length = strlen(text);
	s->input.cursor = cursor;
}

static void test_input(void **state)
{
	struct fixture *s = *state;
	type_input(s, "漢e\xcc\x81\x01z", 3);
	draw(s, 24, 80);
	check_row(s, 22, " udp> 漢e\xcc\x81^Az");
	assert_int_equal(s->canvas.cursor_row, 22);
	assert_int_equal(s->canvas.cursor_column, 8);
	assert_int_equal(style_of(s, "udp>"), STYLE_PROMPT);
	type_input(s, "abcdefghijklmnopqrstuvwxyz", 0);
	draw(s, 24, 20);
	check_row(s, 22, " udp> abcdefghijklm>");
	assert_int_equal(s->canvas.cursor_column, 6);
	type_input(s, s->input.text, 26);
	draw(s, 24, 20);
	check_row(s, 22, " udp> <pqrstuvwxyz");
	assert_int_equal(s->canvas.cursor_column, 18);
	type_input(s, s->input.text, 14);
	draw(s, 24, 20);
	check_row(s, 22, " udp> <ijklmnopqrst>");
	assert_int_equal(s->canvas.cursor_column, 13);
	s->input.prompt = "(reverse-i-search)`x': ";
	draw(s, 24, 20);
	assert_int_equal(row_with(s, "reverse"), -1);
	/* Wherever the cursor is and however narrow, it is on the screen and on its character. */
	static const char text[] = "a漢b字c漢d字e漢fghijklmnopqrstuvwxyz";
	for (int columns = 1; columns < 40; columns++) {
		for (size_t cursor = 0; cursor < sizeof text; cursor++) {
			if ((text[cursor] & 0xc0) == 0x80)
				continue;
			type_input(s, text, cursor);
			draw(s, 3, columns);
			assert_int_equal(s->canvas.cursor_row, 2);
			assert_uint_in_range(s->canvas.cursor_column, 0, columns - 1);
			wchar_t at = canvas_at(&s->canvas, 2, s->canvas.cursor_column)->chars[0];
			if (columns > 1 && (unsigned char)text[cursor] < 0x80)
				assert_int_equal(at, text[cursor] != '\0' ? text[cursor] : ' ');
		}
	}
}

static void test_message(void **state)
{
	struct fixture *s = *state;
	s->input.message = "Send 3 pasted lines?";
	draw(s, 24, 80);
	check_row(s, 23, " Send 3 pasted lines?");
	draw(s, 3, 80);
	check_row(s, 0, " Send 3 pasted lines?");
	draw(s, 1, 80);
	check_row(s, 0, " Send 3 pasted lines?");
	assert_int_equal(s->canvas.cursor_row, 0);
	draw(s, 24, 14);
	check_row(s, 23, " Send 3 paste…");
}

static void test_small_heights(void **state)
{
	struct fixture *s = *state;
	lines(s, 1, 9);
	draw(s, 1, 80);
	check_row(s, 0, " udp>");
	draw(s, 2, 80);
	assert_int_equal(row_with(s, "UDP"), 0);
	check_row(s, 1, " udp>");
	draw(s, 3, 80);
	assert_int_equal(row_with(s, "UDP"), 0);
	assert_int_equal(row_with(s, "LINE9"), 1);
	draw(s, 5, 80);
	assert_int_equal(row_with(s, "typed"), 1);
	assert_int_equal(row_with(s, "LINE9"), 3);
	assert_int_equal(row_with(s, "F1 help"), -1);
	draw(s, 6, 80);
	assert_int_equal(row_with(s, "F1 help"), 5);
}

static void test_page(void **state)
{
	struct fixture *s = *state;
	s->page = (struct view_page){ .title = "help",
		.text = "one\n\ntwo\nthree\nfour\nfive\nsix\n" };
	s->view.page = &s->page;
	lines(s, 1, 3);
	draw(s, 24, 80);
	check_row(s, 1, " help");
	check_row(s, 2, " one");
	check_row(s, 3, "");
	check_row(s, 8, " six");
	check_row(s, 21, " Esc or F1 leaves");
	assert_int_equal(row_with(s, "LINE"), -1);
	draw(s, 8, 80);
	check_row(s, 4, " two");
	check_row(s, 5,
	    " Esc or F1 leaves                                            -- 4 more below --");
	view_scroll(sized(s, 8, 80), 1);
	draw(s, 8, 80);
	check_row(s, 4, " three");
	check_seen(s, "-- 3 more below --");
	view_scroll_page(sized(s, 8, 80), 9);
	draw(s, 8, 80);
	check_row(s, 4, " six");
	assert_int_equal(row_with(s, "more below"), -1);
	view_scroll(sized(s, 8, 80), -1);
	draw(s, 8, 80);
	check_row(s, 4, " five");
	view_scroll_top(sized(s, 8, 80));
	draw(s, 8, 80);
	check_row(s, 2, " one");
	view_scroll_end(&s->view);
	draw(s, 8, 80);
	check_row(s, 4, " six");
	/* What is wrong is red. */
	s->page.text = "one\nUDP: INVALID, shaped by this machine\nnothing INVALID here\n";
	draw(s, 24, 80);
	assert_int_equal(canvas_at(&s->canvas, 2, 1)->style, STYLE_NORMAL);
	assert_int_equal(canvas_at(&s->canvas, 3, 1)->style, STYLE_ERROR);
}

/* Each mark of the table is really drawn like that: the manual is made from it. */
static void test_marks_are_drawn(void **state)
{
	struct fixture *s = *state;
	every_fate(s);
	send(s, true, "stream");
	reply(s, true, "STREAM");
	send(s, true, "ended\x02\xff");
	ledger_cut_off(s->tcp, 0, 0);
	uint64_t number = ++s->numbers;
	ledger_add_as(s->tcp, number, "long", 4, LEDGER_LINE_PARTIAL, s->now);
	transcript_add_line(s->transcript, s->tcp, NULL, true, number);
	ledger_sent(s->tcp, number, s->now);
	reply(s, true, "LONG");
	transcript_add_line(s->transcript, s->udp, NULL, false, 9999);
	send(s, false, "");
	notice(s, TRANSCRIPT_NOTICE, "note");
	char peer[] = "UDP [::1]:7";
	transcript_add_event(s->transcript,
	    &(const struct session_event){ .kind = SESSION_EVENT_CONNECT, .text = peer });
	notice(s, TRANSCRIPT_ERROR, "wrong");
	type_input(s, "abcdefghijklmnopqrstuvwxyz", 14);
	/* A connection, and the address of a name, come late. */
	for (int tcp = 1; tcp >= 0; tcp--) {
		struct ledger *ledger = tcp ? s->tcp : s->udp;
		ledger_connecting(ledger, 0, s->now);
		number = type(s, tcp, "waits");
		pass(s, 20 * MS);
		ledger_connected(ledger, 0, s->now);
		ledger_sent(ledger, number, s->now);
		pass(s, 40 * MS);
		reply(s, tcp, "WAITS");
	}
	s->view.selected = transcript_end(s->transcript, LIST_ROWS) - 1;
	for (int ascii = 0; ascii <= 1; ascii++) {
		s->view.ascii = ascii;
		for (const struct mark *m = screen_marks; m->name != NULL; m++) {
			bool seen = false;
			for (int screen = 0; screen < 5 && !seen; screen++) {
				s->view.arrivals = screen == 1;
				view_scroll_end(&s->view);
				if (screen == 2)
					view_scroll_top(sized(s, 10, 90));
				draw(s, screen == 2 ? 10 : 40,
				    screen == 3   ? 20
				    : screen == 4 ? 130
				                  : 90);
				seen = row_with(s, ascii ? m->ascii : m->sign) >= 0;
			}
			if (!seen)
				fail_msg("the mark \"%s\" is nowhere", m->name);
		}
	}
	reply(s, false, "HERE?");
}

static void test_every_size(void **state)
{
	struct fixture *s = *state;
	every_fate(s);
	send(s, false,
	    "漢字 wide and e\xcc\x81 combining, long enough to be wrapped over more than one row of "
	    "a pane");
	notice(s, TRANSCRIPT_NOTICE, "漢字漢字漢字漢字漢字");
	s->page = (struct view_page){ .title = "help 漢字", .text = "漢字漢字漢字\n\nlast" };
	both_exchange(s);
	send_both(s, "漢字 over both, long enough to be wrapped over more than one row of a pane");
	turn_both(s);
	type_input(s, "漢字漢字", 12);
	for (int rows = 1; rows < 30; rows += rows < 11 ? 1 : 5) {
		for (int columns = 1; columns < 260; columns++) {
			s->view.both = columns / 2 % 2 == 1;
			s->status.progress = columns % 3 == 0 ? "burst 1/漢字 · a · b · c · d · e"
			                                      : NULL;
			s->view.arrivals = columns % 2 == 1;
			s->view.page = columns % 5 == 0 ? &s->page : NULL;
			s->view.ascii = columns % 7 == 0;
			s->input.message = columns % 3 == 0 ? "漢字 message" : NULL;
			view_scroll(sized(s, rows, columns), columns % 11 - 6);
			draw(s, rows, columns);
			check_in_step(&s->canvas);
		}
	}
}

static unsigned next_random(unsigned *seed)
{
	*seed = *seed * 1103515245u + 12345u;
	return *seed >> 16 & 0x7fff;
}

static void random_step(struct fixture *s, unsigned *seed)
{
	static char marks[400], words[400];
	const char *const texts[] = {
		"",
		"a",
		"grüße",
		"漢字 漢字 漢字 漢字 漢字",
		"\033[31m",
		"some words that have to be wrapped somewhere",
		marks,
		words,
	};
	fill(marks, sizeof marks, "a", "\xcc\x81");
	fill(words, sizeof words, "", "many words ");
	const char *text = texts[next_random(seed) % 8];
	int rows = 1 + (int)(next_random(seed) % 30), columns = 1 + (int)(next_random(seed) % 120);
	switch (next_random(seed) % 12) {
	case 0:
	case 1:
		send(s, next_random(seed) % 2, text);
		break;
	case 2:
		send_both(s, text);
		break;
	case 3:
	case 4:
		reply(s, next_random(seed) % 2, text);
		break;
	case 5:
		notice(s, next_random(seed) % 2 ? TRANSCRIPT_NOTICE : TRANSCRIPT_ERROR, text);
		break;
	case 6:
		view_scroll(sized(s, rows, columns), (long)(next_random(seed) % 80) - 40);
		break;
	case 7:
		s->view.arrivals = next_random(seed) % 2;
		s->view.both = next_random(seed) % 2;
		s->status.stream = next_random(seed) % 2;
		break;
	case 8:
		view_select(sized(s, rows, columns), (int)(next_random(seed) % 9) - 5);
		assert_true(s->view.selected == 0 ||
		            transcript_item(s->transcript, s->view.selected) != NULL);
		break;
	case 9:
		view_select_at(sized(s, rows, columns), (int)(next_random(seed) % (unsigned)rows),
		    (int)(next_random(seed) % (unsigned)columns));
		break;
	case 10:
		view_find(sized(s, rows, columns),
		    texts[next_random(seed) % 2 ? 1 : next_random(seed) % 8]);
		break;
	default:
		if (next_random(seed) % 20 == 0)
			transcript_clear(s->transcript);
		pass(s, (int64_t)(next_random(seed) % 500) * MS);
	}
	draw(s, rows, columns);
}

/* Whatever happens in whatever order, with a transcript and ledgers that forget: no step out of
 * step, and a screen that is not scrolled and has more rows than fit is full. */
static void test_random_walk(void **state)
{
	struct fixture *s = *state;
	struct ledger_settings settings = { .kind = LEDGER_DATAGRAM,
		.tag = LEDGER_TAG_AUTO,
		.capacity = 20,
		.reply_timeout = WAIT,
		.answerable = 60 * WAIT };
	unsigned seed = 12000;
	transcript_free(s->transcript);
	ledger_free(s->udp);
	s->transcript = transcript_new(40);
	s->udp = ledger_new(&settings);
	turn_both(s);
	for (int i = 0; i < 5000; i++) {
		random_step(s, &seed);
		check_in_step(&s->canvas);
		if (i % 4 == 0)
			check_as_new(s);
		int rows = s->canvas.rows;
		bool wide = s->canvas.columns >= 30;
		uint64_t items = s->view.arrivals ? 0
		                                  : transcript_end(s->transcript, LIST_ROWS) -
		                                        transcript_first(s->transcript, LIST_ROWS);
		for (int stream = 0; stream < 2; stream++) {
			uint64_t replies = transcript_end(s->transcript, LIST_UDP + stream) -
			                   transcript_first(s->transcript, LIST_UDP + stream);
			if (s->view.arrivals && (s->view.both || s->status.stream == stream) &&
			    replies > items)
				items = replies;
		}
		/* Else the detail area stands there. */
		wide = wide && (rows < 18 || s->view.selected == 0);
		if (wide && !s->view.scrolled && rows > 6 && items > (uint64_t)rows)
			assert_string_not_equal(row_text(s, rows - 3), "");
		if (wide && s->view.scrolled && rows > 6)
			assert_non_null(strstr(row_text(s, rows - 3),
			    s->view.arrivals ? " more" : "more below"));
		assert_true(ledger_balanced(s->udp) && ledger_balanced(s->tcp));
	}
}

/* Draws that screen twice: at the second one no long text is looked at. */
static void check_laid_once(struct fixture *s, int columns)
{
	draw(s, 50, columns);
	looked_at = 0;
	draw(s, 50, columns);
	assert_uint_in_range(looked_at, 1, 20000);
}

/* A text may have thousands of characters in a cell, or a thousand lines of them: lines, their
 * replies over both transports and strays, wherever the reader looks. */
static void test_long_texts_are_laid_out_once(void **state)
{
	static const char *const units[] = {
		"\xcc\x81",
		"\xe2\x80\x8d",
		"\xef\xb8\x8f",
		"語",
		"\x01",
		"\xff",
		"ﬃ",
		"\xe2\x80\xae",
		"👨\xe2\x80\x8d",
		"many words ",
		"a\xcc\x81\xcc\x81\xcc\x81\xcc\x81\xcc\x81",
	};
	static char text[65508], wire[70000], capitals[CAPITALS_GROWTH * sizeof wire];
	struct fixture *s = *state;
	turn_both(s);
	for (size_t unit = 0; unit < sizeof units / sizeof *units; unit++) {
		transcript_clear(s->transcript);
		fill(text, sizeof text, "find a", units[unit]);
		for (int i = 0; i < 12; i++) {
			uint64_t number = send_both(s, text);
			size_t n = capitals_text(wire,
			    ledger_wire(s->udp, number, wire, sizeof wire), capitals);
			assert_int_equal(ledger_reply(s->udp, capitals, n, s->now).match,
			    MATCH_ANSWER);
			reply(s, true, text);
			assert_int_equal(transcript_add_text(s->transcript, TRANSCRIPT_STRAY, i % 2,
			                     text, strlen(text)),
			    0);
			assert_int_equal(transcript_add_arrival(s->transcript, MATCH_STRAY, false,
			                     0, text, strlen(text)),
			    0);
		}
		for (int direction = 0; direction < 16; direction++) {
			view_scroll_end(&s->view);
			s->view.both = direction & 1;
			s->view.arrivals = direction & 2;
			s->view.find = NULL;
			if (direction & 4)
				assert_true(view_find(sized(s, 50, 100), "FIND"));
			if (direction & 8)
				view_scroll(sized(s, 50, 100), -30);
			check_laid_once(s, 100);
			check_laid_once(s, 99);
			if (unit % 4 == 0)
				check_as_new(s);
		}
		/* 48 MB, and the row that made them as many. */
		assert_uint_in_range(s->view.laid_cells * sizeof(struct layout_cell), 1, 60 << 20);
	}
}

/* A long notice that is said anew, in as many bytes. */
static void test_notice_changes(void **state)
{
	static char text[400];
	struct session_event event = { .kind = SESSION_EVENT_NOTICE, .session = -1, .text = text };
	struct fixture *s = *state;
	for (int i = 0; i < 4; i++) {
		fill(text, sizeof text, i % 2 ? "one " : "two ", "words ");
		if (i == 0)
			assert_int_equal(transcript_add_event(s->transcript, &event), 0);
		else
			assert_int_equal(transcript_change_event(s->transcript,
			                     transcript_first(s->transcript, LIST_ROWS), &event),
			    0);
		draw(s, 24, 80);
		check_seen(s, i % 2 ? "one words" : "two words");
	}
}

/* The input line: a million bytes, of which those near the cursor are looked at. */
static void test_long_input(void **state)
{
	static char text[1024 * 1024];
	struct fixture *s = *state;
	type_input(s, fill(text, sizeof text, "a", "\xcc\x81"), sizeof text - 2);
	looked_at = 0;
	draw(s, 50, 100);
	assert_uint_in_range(looked_at, 1, 40000);
	for (size_t i = 0; i + 1 < sizeof text; i++)
		text[i] = (char)('!' + i % 90);
	for (size_t cursor = 0; cursor < sizeof text; cursor += 9973) {
		type_input(s, text, cursor);
		looked_at = 0;
		draw(s, 3, 80);
		assert_uint_in_range(looked_at, 1, 40000);
		assert_int_equal(canvas_at(&s->canvas, 2, s->canvas.cursor_column)->chars[0],
		    text[cursor]);
		for (int column = 7;
		    column < 79 && column - s->canvas.cursor_column < (int)(strlen(text) - cursor);
		    column++)
			assert_int_equal(canvas_at(&s->canvas, 2, column)->chars[0],
			    text[cursor + (size_t)column - (size_t)s->canvas.cursor_column]);
		assert_int_equal(canvas_at(&s->canvas, 2, 6)->chars[0], cursor < 73 ? '!' : '<');
		assert_int_equal(canvas_at(&s->canvas, 2, 79)->chars[0] == '>',
		    strlen(text) - cursor > (size_t)(80 - s->canvas.cursor_column));
	}
	/* No character is cut. */
	fill(text, sizeof text, "", "語");
	for (size_t cursor = 0; cursor < 60000; cursor += 4999) {
		type_input(s, text, cursor);
		draw(s, 3, 80);
		for (int column = 8; column < 78; column++)
			assert_true(canvas_at(&s->canvas, 2, column)->chars[0] == L'語' ||
			            canvas_at(&s->canvas, 2, column)->width == 0);
	}
}

/* A draw costs what is seen: with all the rows there can be, hundreds of draws take no time to
 * speak of. The limit is generous; walking the transcript in each draw would pass it many times
 * over. */
static void test_draw_is_quick(void **state)
{
	struct fixture *s = *state;
	struct timespec start, end;
	lines(s, 1, 10000);
	for (int scrolled = 0; scrolled <= 1; scrolled++) {
		if (scrolled == 1)
			view_scroll(sized(s, 50, 160), -5000);
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start);
		for (int i = 0; i < 200; i++)
			draw(s, 50, 160);
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
		double each = ((double)(end.tv_sec - start.tv_sec) * 1e9 +
		                  (double)(end.tv_nsec - start.tv_nsec)) /
		              200;
		print_message("a draw of 50 x 160 with 10,000 rows: %.0f us\n", each / 1000);
		assert_true(each < 10e6);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

/* A button is its key, its words and the blank between them. Keys that share words go together. */
static void buttons_have_places(void **state)
{
	static const struct view_button more[] = { { "?", "help", 0 }, { "←", NULL, 1 },
		{ "→", "step", 2 }, { "F9", "ok", 3 } };
	/* " ? help  ← → step  F9 ok" */
	static const char places[] = "-000000--1-222222--33333--";
	struct fixture *s = *state;
	s->view.buttons = more;
	s->view.button_count = 4;
	draw(s, 24, 26);
	check_row(s, 23, " ? help  ← → step  F9 ok");
	assert_int_equal(canvas_at(&s->canvas, 23, 1)->style, STYLE_KEY);
	assert_int_equal(canvas_at(&s->canvas, 23, 3)->style, STYLE_STATUS);
	assert_int_equal(canvas_at(&s->canvas, 23, 9)->style, STYLE_KEY);
	assert_int_equal(canvas_at(&s->canvas, 23, 11)->style, STYLE_KEY);
	for (int column = -1; column < 30; column++) {
		const char c = column >= 0 && column < 26 ? places[column] : '-';
		const int expected = c == '-' ? -1 : c - '0';
		assert_int_equal(view_button_at(sized(s, 24, 26), 23, column), expected);
		assert_int_equal(view_button_at(sized(s, 24, 26), 22, column), -1);
	}
	draw(s, 24, 16);
	check_row(s, 23, " ? help");
	assert_int_equal(view_button_at(sized(s, 24, 16), 23, 9), -1);
	/* The smallest screens have no such row. */
	assert_int_equal(view_button_at(sized(s, 5, 26), 4, 3), -1);
	assert_int_equal(view_button_at(sized(s, 5, 26), -1, 3), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_each_fate),
		TEST(buttons_have_places),
		TEST(test_stream_rows),
		TEST(test_status),
		TEST(test_parts),
		TEST(test_fates_without_wire),
		TEST(test_ascii),
		TEST(test_arrivals),
		TEST(test_wrapping),
		TEST(test_very_long_line),
		TEST(test_control_characters),
		TEST(test_scrolling),
		TEST(test_pages_overlap),
		TEST(test_selecting),
		TEST(test_wide_text_is_cut),
		TEST(test_details),
		TEST(test_connection_notice),
		TEST(test_selecting_a_cell),
		TEST(test_selecting_an_arrival),
		TEST(test_few_rows_do_not_scroll),
		TEST(test_forgotten_while_scrolled),
		TEST(test_find),
		TEST(test_both),
		TEST(test_both_in_the_manual),
		TEST(test_both_narrow),
		TEST(test_both_status),
		TEST(test_both_arrivals),
		TEST(test_arrivals_follow),
		TEST(test_arrivals_scroll),
		TEST(test_arrivals_find),
		TEST(test_both_in_one_pane),
		TEST(test_both_forgotten),
		TEST(test_both_find),
		TEST(test_input),
		TEST(test_message),
		TEST(test_small_heights),
		TEST(test_page),
		TEST(test_marks_are_drawn),
		TEST(test_every_size),
		TEST(test_random_walk),
		TEST(test_long_texts_are_laid_out_once),
		TEST(test_long_input),
		TEST(test_notice_changes),
		TEST(test_draw_is_quick),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
