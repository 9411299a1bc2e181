/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The pictures: what is drawn, where the axis is cut, pages, text that must not break XML, files.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "report/picture-files.h"
#include "report/pictures.h"
#include "report/sequence.h"
#include "report/axis.h"
#include "common/clock.h"
#include "tests/lib/ledger_check.h"

#define MS NS_PER_MS
#define COUNT(a) (sizeof(a) / sizeof *(a))

static const struct time_scale scale = { .quiet = 100 * MS,
	.step = 20 * MS,
	.pixels = 24,
	.max = 1000 };

static struct svg_heading heading = { .title = "a <title>", .note = "link: loss 20 %" };

/* --- records --- */

static struct record line(uint64_t number, bool stream, enum ledger_fate fate, const char *text)
{
	const int64_t sent = (int64_t)number * 10 * MS;

	return (struct record){ .row = { .stream = stream,
		                    .number = number,
		                    .fate = fate,
		                    .typed_at = sent,
		                    .sent_at = sent,
		                    .replied_at = fate == FATE_ANSWERED ? sent + 40 * MS
		                                                        : RECORD_NEVER,
		                    .text = (const unsigned char *)text,
		                    .length = strlen(text) } };
}

/* For the packets of one record after the other. */
static struct link_packet packets[100];
static size_t packets_used;
static struct trace_leg legs[LINK_DIRECTIONS];

static void packet(struct record *r, enum link_direction direction, enum link_fate fate, bool again,
    int64_t in, int64_t out)
{
	assert_true(packets_used < COUNT(packets));
	r->legs = legs;
	if (r->packet_count == 0)
		r->packets = &packets[packets_used];
	packets_used++;
	r->packets[r->packet_count++] = (struct link_packet){ .direction = direction,
		.fate = fate,
		.retransmitted = again,
		.payload = true,
		.in = in,
		.out = out,
		.out2 = RECORD_NEVER };
}

static const struct session_event *events;
static size_t event_count;

static char *exchange(const struct record *records, size_t count, size_t page)
{
	char *text = NULL;
	size_t n;
	FILE *out = open_memstream(&text, &n);

	assert_int_equal(svg_sequence_page(out,
	                     &(const struct picture_data){
	                         .records = (struct record *)(uintptr_t)records,
	                         .count = count,
	                         .events = (struct session_event *)(uintptr_t)events,
	                         .event_count = event_count },
	                     page, &heading),
	    0);
	fclose(out);
	return text;
}

static int occurrences(const char *text, const char *what)
{
	int n = 0;

	for (; (text = strstr(text, what)); text += strlen(what))
		n++;
	return n;
}

/* Without the title and the legend's sample: how many lines of a class. */
static void draws(const char *svg, const char *what, int times)
{
	if (occurrences(svg, what) != times)
		fail_msg("%d times %s, not %d, in %s", occurrences(svg, what), what, times, svg);
}

/* --- tests --- */

static void axis_is_cut_where_nothing_happens(void **state)
{
	const int64_t moments[] = { 5000 * MS, 0, 20 * MS, 40 * MS, 40 * MS };
	struct time_axis a;

	(void)state;
	assert_int_equal(time_axis_make(&a, moments, COUNT(moments), &scale), 0);
	assert_int_equal(a.count, 4);
	assert_int_equal(a.cut_count, 1);
	assert_int_equal(a.cuts[0].from, 40 * MS);
	assert_int_equal(a.cuts[0].to, 5000 * MS);
	assert_float_equal(time_axis_place(&a, 20 * MS), 24, 1e-9);
	assert_float_equal(time_axis_place(&a, 10 * MS), 12, 1e-9);
	assert_float_equal(time_axis_place(&a, -5), 0, 1e-9);
	assert_float_equal(time_axis_place(&a, 9000 * MS), a.length, 1e-9);
	assert_true(a.length < 100);
	time_axis_free(&a);
}

/* Words have room before their moment; many cuts share two fifths of the page. */
static void axis_has_room_for_words(void **state)
{
	int64_t moments[] = { 0, 20 * MS, 40 * MS }, typed[100];
	struct time_scale words = scale;
	struct time_axis a;

	(void)state;
	words.stops = &moments[1];
	words.stop_count = 1;
	assert_int_equal(time_axis_make(&a, moments, COUNT(moments), &words), 0);
	assert_float_equal(time_axis_place(&a, 20 * MS), 24 + a.stop, 1e-9);
	assert_float_equal(a.length, 48 + a.stop, 1e-9);
	time_axis_free(&a);
	for (size_t i = 0; i < COUNT(typed); i++)
		typed[i] = (int64_t)(i / 2) * 5000 * MS + (int64_t)(i % 2) * 40 * MS;
	assert_int_equal(time_axis_make(&a, typed, COUNT(typed), &scale), 0);
	assert_float_equal(a.cut * (double)a.cut_count, 400, 1e-6);
	assert_float_equal(a.length, 1000, 1e-6);
	time_axis_free(&a);
}

static void axis_is_not_too_long(void **state)
{
	int64_t moments[1000];
	struct time_axis a;

	(void)state;
	for (size_t i = 0; i < COUNT(moments); i++)
		moments[i] = (int64_t)i * 50 * MS;
	assert_int_equal(time_axis_make(&a, moments, COUNT(moments), &scale), 0);
	assert_float_equal(a.length, 1000, 1e-6);
	assert_true((double)time_axis_step(&a, 60) * a.scale >= 60);
	time_axis_free(&a);
}

static void nothing_at_all(void **state)
{
	struct time_axis a;
	char *svg = exchange(NULL, 0, 0);

	(void)state;
	assert_int_equal(time_axis_make(&a, NULL, 0, &scale), 0);
	assert_float_equal(time_axis_place(&a, 7), 0, 1e-9);
	time_axis_free(&a);
	assert_int_equal(sequence_pages(&(const struct picture_data){ 0 }), 1);
	assert_non_null(strstr(svg, "</svg>"));
	free(svg);
}

static void ticks_are_round(void **state)
{
	double marks[8];
	struct axis t = axis_for(0, 43 * MS);
	size_t n = axis_marks(&t, marks, COUNT(marks));

	(void)state;
	assert_false(!t.logarithmic);
	t = axis_for(38 * MS, 43 * MS);
	n = axis_marks(&t, marks, COUNT(marks));
	assert_false(t.logarithmic);
	assert_float_equal(t.low, 0, 1e-9);
	assert_float_equal(t.high, 50 * MS, 1e-3);
	assert_float_equal(marks[n - 1], 50 * MS, 1e-3);
	t = axis_for(40 * MS, 3000 * MS);
	n = axis_marks(&t, marks, COUNT(marks));
	assert_true(t.logarithmic);
	assert_float_equal(t.low, 20 * MS, 1e-3);
	assert_float_equal(t.high, 5000 * MS, 1e-3);
	assert_true(n >= 2 && n <= COUNT(marks));
	for (size_t i = 0; i < n; i++)
		assert_float_equal(axis_value(&t, axis_place(&t, marks[i])), marks[i],
		    marks[i] * 1e-6);
	/* However few marks there are, they say where the axis begins and ends. */
	for (size_t max = 2; max <= COUNT(marks); max++) {
		n = axis_marks(&t, marks, max);
		assert_true(n >= 2 && n <= max);
		assert_float_equal(marks[0], t.low, 1e-3);
		assert_float_equal(marks[n - 1], t.high, 1e-3);
	}
	assert_float_equal(axis_place(&t, 1), 0, 1e-9);
	assert_float_equal(axis_place(&t, 1e15), 1, 1e-9);
}

/* Late in a session, marks a few milliseconds apart. */
static void no_two_marks_have_the_same_words(void **state)
{
	struct record records[] = { line(213, false, FATE_ANSWERED, "one"),
		line(214, false, FATE_ANSWERED, "two") };
	char *svg;

	(void)state;
	records[0].row.replied_at = records[0].row.sent_at + 2 * MS;
	records[1].row.typed_at = records[1].row.sent_at = records[0].row.sent_at + 3 * MS;
	records[1].row.replied_at = records[0].row.sent_at + 5 * MS;
	svg = exchange(records, COUNT(records), 0);
	draws(svg, ">2.13 s<", 1);
	draws(svg, ">2.135 s<", 1);
	free(svg);
}

/* The time is from Enter; what passed before the line was sent is a stroke from there on, also of
 * one that is lost. */
static void what_a_line_waited(void **state)
{
	struct record records[] = { line(1, true, FATE_ANSWERED, "one"),
		line(2, false, FATE_LOST, "two"), line(3, false, FATE_ANSWERED, "three") };
	char *svg;

	(void)state;
	records[0].row.sent_at += 861 * MS;
	records[0].row.connecting = 861 * MS;
	records[0].row.replied_at = records[0].row.sent_at + 45 * MS;
	records[1].row.sent_at += 30 * MS;
	svg = exchange(records, COUNT(records), 0);
	draws(svg, ">906 ms ONE<", 1);
	draws(svg, ">lost<", 1);
	draws(svg, ">40.0 ms THREE<", 1);
	/* Two strokes and the legend's. */
	draws(svg, "class=\"waits\"", 3);
	draws(svg, "not sent yet", 1);
	free(svg);
	svg = exchange(records + 2, 1, 0);
	draws(svg, "class=\"waits\"", 0);
	draws(svg, "not sent yet", 0);
	free(svg);
}

static void reckons_without_a_link(void **state)
{
	const struct record records[] = { line(1, false, FATE_ANSWERED, "one"),
		line(2, false, FATE_LOST, "two") };
	char *svg = exchange(records, COUNT(records), 0);

	(void)state;
	/* Each half of the server's end, and the legend's. */
	draws(svg, "class=\"udp dash\"", 2);
	draws(svg, "server's time estimated", 1);
	draws(svg, "class=\"lost\"", 2);
	draws(svg, ">no reply<", 1);
	draws(svg, "1 one", 1);
	draws(svg, "1 ONE", 1);
	draws(svg, "2 TWO", 0);
	free(svg);
	/* Only what is in the picture is explained. */
	svg = exchange(records, 1, 0);
	draws(svg, ">no reply<", 0);
	free(svg);
}

static void true_times_in_the_lab(void **state)
{
	struct record records[] = { line(1, true, FATE_ANSWERED, "one"),
		line(2, false, FATE_LOST, "two") };
	char *svg;

	(void)state;
	records[0].row.replied_at = 180 * MS;
	packet(&records[0], LINK_GOING, LINK_LOST, false, 10 * MS, RECORD_NEVER);
	packet(&records[0], LINK_GOING, LINK_DELIVERED, true, 130 * MS, 150 * MS);
	packet(&records[0], LINK_COMING, LINK_DELIVERED, false, 150 * MS, 170 * MS);
	packet(&records[1], LINK_GOING, LINK_DELIVERED, false, 20 * MS, 40 * MS);
	packet(&records[1], LINK_COMING, LINK_LOST, false, 40 * MS, RECORD_NEVER);
	records[1].place = TRACE_COMING;
	svg = exchange(records, COUNT(records), 0);
	draws(svg, "class=\"again head\"", 1);
	draws(svg, "sent again", 1);
	draws(svg, "class=\"udp dash\"", 0);
	draws(svg, "class=\"tcp dash\"", 0);
	draws(svg, ">170 ms, 1× again ONE<", 1);
	draws(svg, "lost coming", 1);
	/* Two that died, and the legend's. */
	draws(svg, "class=\"lost\"", 3);
	draws(svg, ">UDP<", 1);
	draws(svg, ">TCP<", 1);
	free(svg);
}

/* Control characters, broken UTF-8, what XML forbids or means. */
static void text_cannot_break_out(void **state)
{
	static const char evil[] =
	    "<a&\"\x01\x7f\xff\xc2\x85\xef\xbf\xbf]]>\xe2\x80\xae\xe2\x81\xa6\xd8\x9c\xe2\x80\xa8";
	struct record r = line(1, false, FATE_ANSWERED, evil);
	char *svg;

	(void)state;
	r.row.reply = (const unsigned char *)"<script>";
	r.row.reply_length = 8;
	svg = exchange(&r, 1, 0);
	draws(svg, "<a", 0);
	draws(svg, "&lt;a&amp;&quot;", 1);
	draws(svg, "<script", 0);
	draws(svg, "&lt;script&gt;", 1);
	draws(svg, "\xef\xbf\xbf", 0);
	draws(svg, "\x01", 0);
	draws(svg, "\xc2\x85", 0);
	draws(svg, "\xe2\x80\xae", 0);
	draws(svg, "\xe2\x81\xa6", 0);
	draws(svg, "\xd8\x9c", 0);
	draws(svg, "\xe2\x80\xa8", 0);
	draws(svg, "<title>a &lt;title&gt;</title>", 1);
	free(svg);
}

static void twelve_lines_a_page(void **state)
{
	struct record records[2 * 30];
	char *svg;

	(void)state;
	for (size_t i = 0; i < COUNT(records); i++)
		records[i] = line(i / 2 + 1, i % 2 == 1, FATE_ANSWERED, "text");
	assert_int_equal(sequence_pages(&(const struct picture_data){
	                     .records = records, .count = 24 }),
	    1);
	assert_int_equal(sequence_pages(&(const struct picture_data){
	                     .records = records, .count = 26 }),
	    2);
	assert_int_equal(sequence_pages(&(const struct picture_data){
	                     .records = records, .count = COUNT(records) }),
	    3);
	/* Two transports share the texts. */
	svg = exchange(records, COUNT(records), 1);
	draws(svg, ">12 text", 0);
	draws(svg, ">13 text", 1);
	draws(svg, ">24 text", 1);
	draws(svg, ">25 text", 0);
	free(svg);
	svg = exchange(records, COUNT(records), 2);
	draws(svg, ">30 text", 1);
	free(svg);
}

/* 16:9, and no words smaller than 20 pt where the slide is 7.5 in high, or outside of it. */
static void check_slide(const char *svg)
{
	double x, y, size;

	draws(svg, "width=\"1280\" height=\"720\" viewBox=\"0 0 1280 720\"", 1);
	for (const char *text = svg; (text = strstr(text, "<text ")); text++) {
		assert_int_equal(sscanf(text, "<text x=\"%lf\" y=\"%lf\" font-size=\"%lf\"", &x, &y,
		                     &size),
		    3);
		assert_true(size >= 20 / 72.0 * 96);
		assert_true(x >= 0 && x <= 1280 && y >= size && y <= 715);
	}
}

/* However fast the lines came, on however crowded a page. */
static void pages_are_slides(void **state)
{
	struct record records[2 * 12];
	char *svg;

	(void)state;
	for (int64_t gap = 0; gap <= 1000 * MS; gap = gap ? 10 * gap : MS / 10) {
		for (size_t i = 0; i < COUNT(records); i++) {
			records[i] = line(i / 2 + 1, i % 2 == 1, FATE_ANSWERED, "text");
			records[i].row.typed_at = records[i].row.sent_at = (int64_t)(i / 2) * gap;
			records[i].row.replied_at = records[i].row.sent_at + 40 * MS;
		}
		svg = exchange(records, COUNT(records), 0);
		check_slide(svg);
		draws(svg, ">12 text", 1);
		free(svg);
	}
}

static void bright_on_dark(void **state)
{
	const struct record r = line(1, false, FATE_LOST, "text");
	char *svg;

	(void)state;
	heading.dark = true;
	svg = exchange(&r, 1, 0);
	draws(svg, "fill=\"#16181d\"", 1);
	draws(svg, ".udp { stroke: #ffaf5f", 1);
	free(svg);
	heading.dark = false;
	svg = exchange(&r, 1, 0);
	draws(svg, "fill=\"#ffffff\"", 1);
	draws(svg, "#16181d", 0);
	free(svg);
}

static struct session_event change(int64_t at, const char *words)
{
	return (struct session_event){ .kind = SESSION_EVENT_LINK,
		.session = -1,
		.at = at,
		.text = (char *)(uintptr_t)words };
}

/* The y of words. */
static double across(const char *svg, const char *words)
{
	const char *end = strstr(svg, words), *text = NULL;
	double y = -1;

	assert_non_null(end);
	for (const char *next = svg; (next = strstr(next, "<text")) && next < end; next++)
		text = next;
	assert_non_null(text);
	assert_int_equal(sscanf(text, "<text x=\"%*f\" y=\"%lf\"", &y), 1);
	return y;
}

/* An event stands between what was sent before and after it, on the page that it falls into, and on
 * the one before while a line of that still waits for its reply. */
static void events_stand_at_their_moment(void **state)
{
	struct record records[20];
	const struct session_event changes[] = { change(-5 * MS, "before all"),
		change(15 * MS, "loss 30 % each way"), change(145 * MS, "delay 5 ms each way"),
		change(180 * MS, "on the second page"), change(9000 * MS, "at last") };
	char *svg;

	(void)state;
	for (size_t i = 0; i < COUNT(records); i++)
		records[i] = line(i + 1, false, FATE_ANSWERED, "text");
	assert_int_equal(sequence_page_begin(&(const struct picture_data){ .records = records,
	                                         .count = COUNT(records) },
	                     1),
	    120 * MS + 1);
	events = changes + 1;
	event_count = COUNT(changes) - 1;
	svg = exchange(records, COUNT(records), 0);
	draws(svg, ">link: loss 30 % each way<", 1);
	draws(svg, ">link: delay 5 ms each way<", 1);
	draws(svg, "on the second page", 0);
	draws(svg, "class=\"event\"", 2 + 1);
	assert_true(across(svg, "loss 30") < across(svg, "delay 5"));
	assert_true(across(svg, ">1 text") < across(svg, "loss 30"));
	assert_true(across(svg, "loss 30") < across(svg, ">2 text"));
	free(svg);
	/* One more has no room for its words there, but on the next page. */
	events = changes;
	event_count = COUNT(changes);
	svg = exchange(records, COUNT(records), 0);
	draws(svg, ">link: before all<", 1);
	draws(svg, ">link: delay 5 ms each way<", 0);
	draws(svg, "class=\"event\"", 3 + 1);
	assert_true(across(svg, "before all") < across(svg, ">1 text"));
	check_slide(svg);
	free(svg);
	svg = exchange(records, COUNT(records), 1);
	draws(svg, "loss 30", 0);
	draws(svg, ">link: delay 5 ms each way<", 1);
	draws(svg, "class=\"event\"", 3 + 1);
	draws(svg, ">link: at last<", 1);
	free(svg);
	events = NULL;
	event_count = 0;
	svg = exchange(records, COUNT(records), 0);
	draws(svg, "class=\"event\"", 0);
	free(svg);
}

/* SYN, SYN-ACK, FIN and RST are arrows with their names, a cross where one died; a connection is no
 * line across. */
static void connections_are_drawn(void **state)
{
	const struct record lines[] = { line(1, true, FATE_ANSWERED, "text"),
		line(2, false, FATE_ANSWERED, "text") };
	struct link_packet opening[] = {
		{ .direction = LINK_GOING,
		    .fate = LINK_LOST,
		    .syn = true,
		    .in = 0,
		    .out = RECORD_NEVER,
		    .out2 = RECORD_NEVER },
		{ .direction = LINK_GOING,
		    .fate = LINK_DELIVERED,
		    .syn = true,
		    .retransmitted = true,
		    .in = 1000 * MS,
		    .out = 1020 * MS,
		    .out2 = RECORD_NEVER },
		{ .direction = LINK_COMING,
		    .fate = LINK_DELIVERED,
		    .syn = true,
		    .ack = true,
		    .in = 1020 * MS,
		    .out = 1040 * MS,
		    .out2 = RECORD_NEVER },
	};
	struct link_packet closing[] = {
		{ .direction = LINK_COMING,
		    .fate = LINK_DELIVERED,
		    .fin = true,
		    .ack = true,
		    .in = 0,
		    .out = 20 * MS,
		    .out2 = RECORD_NEVER },
		{ .direction = LINK_GOING,
		    .fate = LINK_DELIVERED,
		    .rst = true,
		    .in = 20 * MS,
		    .out = 40 * MS,
		    .out2 = RECORD_NEVER },
	};
	char words[] = "words of no picture";
	const struct session_event connections[] = {
		{ .kind = SESSION_EVENT_TCP,
		    .at = -1000 * MS,
		    .text = words,
		    .packets = opening,
		    .packet_count = COUNT(opening) },
		{ .kind = SESSION_EVENT_TCP,
		    .at = 90 * MS,
		    .text = words,
		    .packets = closing,
		    .packet_count = COUNT(closing) },
	};
	char *svg;

	(void)state;
	events = connections;
	event_count = COUNT(connections);
	heading.link = "link: loss 20 %";
	svg = exchange(lines, COUNT(lines), 0);
	draws(svg, ">SYN<", 2);
	draws(svg, ">SYN-ACK<", 1);
	draws(svg, ">FIN<", 1);
	draws(svg, ">RST<", 1);
	draws(svg, "class=\"bare head\"", 4);
	/* And the legend's. */
	draws(svg, "class=\"lost\"", 1 + 1);
	draws(svg, "class=\"event\"", 0);
	draws(svg, words, 0);
	free(svg);
	/* Elsewhere the client's end is true, the server's reckoned: a SYN and what came back; of
	 * more than one SYN only the first is known, and not how far it came. */
	const struct session_event elsewhere[] = {
		{ .kind = SESSION_EVENT_TCP,
		    .at = -50 * MS,
		    .text = words,
		    .duration = 40 * MS,
		    .connection = { .stage = SESSION_FAILED, .error = ECONNREFUSED, .syns = 1 } },
		{ .kind = SESSION_EVENT_TCP,
		    .at = -9 * MS,
		    .text = words,
		    .duration = 40 * MS,
		    .connection = { .stage = SESSION_CONNECTED, .syns = 1 } },
		{ .kind = SESSION_EVENT_TCP,
		    .at = 60 * MS,
		    .text = words,
		    .connection = { .stage = SESSION_ENDED } },
		{ .kind = SESSION_EVENT_TCP,
		    .at = 70 * MS,
		    .text = words,
		    .duration = 1040 * MS,
		    .connection = { .stage = SESSION_CONNECTED, .syns = 2 } },
		{ .kind = SESSION_EVENT_TCP,
		    .at = 2000 * MS,
		    .text = words,
		    .connection = { .stage = SESSION_ENDED, .error = ECONNRESET } }
	};
	heading.link = NULL;
	events = elsewhere;
	event_count = COUNT(elsewhere);
	svg = exchange(lines, COUNT(lines), 0);
	draws(svg, ">SYN<", 3);
	draws(svg, ">SYN-ACK<", 2);
	draws(svg, ">FIN<", 1);
	draws(svg, ">RST<", 1 + 1);
	draws(svg, "class=\"lost\"", 1 + 1);
	draws(svg, ">no reply<", 1);
	draws(svg, "server's time estimated", 1);
	free(svg);
	events = connections;
	event_count = COUNT(connections);
	heading.link = "link: loss 20 %";
	/* Also where no line went over TCP. */
	svg = exchange(lines + 1, 1, 0);
	draws(svg, ">TCP<", 1);
	draws(svg, ">SYN<", 2);
	free(svg);
	heading.link = NULL;
	events = NULL;
	event_count = 0;
}

static void plots_have_what_happened(void **state)
{
	static struct ledger_row lines[] = {
		{ .number = 1,
		    .fate = FATE_ANSWERED,
		    .typed_at = 10,
		    .sent_at = 10,
		    .replied_at = 10 + 40 * MS },
		{ .number = 2, .fate = FATE_LOST, .typed_at = 20, .sent_at = 20 },
		{ .number = 3, .fate = FATE_LOST, .late = true, .typed_at = 30, .sent_at = 30 },
		{ .number = 3,
		    .stream = true,
		    .fate = FATE_ANSWERED,
		    .typed_at = 30,
		    .sent_at = 30,
		    .replied_at = 30 + 40 * MS },
	};
	struct session_event changes[] = { change(5, "early"), change(25, "loss 30 % each way"),
		change(99, "late") };
	char *text = NULL;
	size_t n;
	FILE *out = open_memstream(&text, &n);

	(void)state;
	assert_int_equal(svg_plots_page(out,
	                     &(const struct picture_data){ .lines = lines,
	                         .line_count = COUNT(lines),
	                         .events = changes,
	                         .event_count = COUNT(changes) },
	                     &heading),
	    0);
	fclose(out);
	draws(text, "<circle", 2);
	/* The cross of the one, and a bar for each length of a run; the late one's has its own
	 * colour. */
	draws(text, "class=\"lost\"", 1 + 5 + 1);
	draws(text, "class=\"late\"", 1);
	draws(text, ">UDP lost in a row: longest 2<", 1);
	draws(text, "<polyline", 2);
	/* Over lines 1 to 3 the plot is 470 wide from 118 on: at its begin, three quarters on, at
	 * its end. */
	draws(text, "<line x1=\"118.0\" y1=\"172.0\" x2=\"118.0\" y2=\"362.0\" class=\"event\"", 1);
	draws(text, "<line x1=\"470.5\" y1=\"172.0\" x2=\"470.5\" y2=\"362.0\" class=\"event\"", 1);
	draws(text, "<line x1=\"588.0\" y1=\"172.0\" x2=\"588.0\" y2=\"362.0\" class=\"event\"", 1);
	check_slide(text);
	draws(text, ">link: loss 30 % ea…<", 1);
	free(text);
	out = open_memstream(&text, &n);
	assert_int_equal(svg_plots_page(out, &(const struct picture_data){ 0 }, &heading), 0);
	fclose(out);
	draws(text, "no lines", 1);
	free(text);
}

/* A session of 150 lines over UDP, one every `step` ns, of which each third is lost. */
static struct ledger *session(int64_t step)
{
	struct ledger *l = ledger_new(&(struct ledger_settings){ .kind = LEDGER_DATAGRAM,
	    .tag = LEDGER_TAG_AUTO,
	    .capacity = 1000,
	    .reply_timeout = 1000 * MS,
	    .answerable = 60000 * MS });
	char text[20];

	for (int i = 1; i <= 150; i++) {
		const int n = snprintf(text, sizeof text, "LINE %d", i);

		assert_int_equal(ledger_add(l, (uint64_t)i, text, (size_t)n, i * step), 0);
		ledger_sent(l, (uint64_t)i, i * step);
		if (i % 3)
			ledger_reply(l, text, (size_t)n, i * step + 40 * MS);
	}
	while (ledger_expire(l, 100000 * MS))
		;
	assert_true(ledger_balanced(l));
	return l;
}

static int save(const struct recorder *r, const char *folder, const char *words,
    char reason[EXPORT_REASON])
{
	char all[300];
	struct export_request q;

	snprintf(all, sizeof all, "%s/%s", folder, words);
	if (export_request(all, &q, reason) < 0)
		return -1;
	return picture_files_write(&q, r, reason);
}

/* A file's content, and the file is gone. */
static char *take_file(const char *folder, const char *name)
{
	char path[300];
	char *text = calloc(1, 200000);
	FILE *in;

	snprintf(path, sizeof path, "%s/%s", folder, name);
	in = fopen(path, "r");
	assert_non_null(in);
	assert_non_null(text);
	assert_true(fread(text, 1, 199999, in) > 0);
	fclose(in);
	assert_int_equal(unlink(path), 0);
	return text;
}

static void writes_new_files_only(void **state)
{
	char folder[] = "/tmp/test-svg-XXXXXX", path[100], other[100], reason[EXPORT_REASON] = "";
	struct ledger *l = session(MS);
	struct recorder *r = recorder_new(RECORD_OUTPUT_TEXT, NULL, false, 0,
	    &(struct record_run){ .started = 0 });
	struct stat st;

	(void)state;
	assert_int_equal(recorder_add(r, l, false, "10.9.0.2:12000", 1000 * MS, NULL), 0);
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/run.svg", folder);
	assert_int_equal(picture_files_check(path, reason), 0);
	assert_int_equal(save(r, folder, "run.svg last 20", reason), 3);
	snprintf(other, sizeof other, "%s/run-2.svg", folder);
	assert_int_equal(stat(other, &st), 0);
	assert_int_equal(picture_files_check(path, reason), -1);
	/* The second of the files is there already: none is written, none is taken away. */
	assert_int_equal(unlink(path), 0);
	assert_int_equal(save(r, folder, "run.svg last 20", reason), -1);
	assert_non_null(strstr(reason, "run-2.svg': there is such a file already"));
	assert_int_equal(stat(path, &st), -1);
	assert_int_equal(stat(other, &st), 0);
	assert_int_equal(unlink(other), 0);
	free(take_file(folder, "run-plots.svg"));
	assert_int_equal(rmdir(folder), 0);
	assert_int_equal(save(r, "/dev/null", "run.svg", reason), -1);
	recorder_free(r);
	ledger_free(l);
}

/* Nobody asked for the 150 lines of a burst: a sentence, and eight from the first lost one on. Who
 * asks for lines gets them, up to 600. */
static void bursts_are_summed_up(void **state)
{
	char folder[] = "/tmp/test-svg-XXXXXX", reason[EXPORT_REASON] = "";
	struct ledger *l = session(MS);
	struct recorder *r = recorder_new(RECORD_OUTPUT_TEXT, NULL, false, 0,
	    &(struct record_run){ .started = 0 });
	char *svg;

	(void)state;
	assert_int_equal(recorder_add(r, l, false, "10.9.0.2:12000", 1000 * MS, NULL), 0);
	assert_non_null(mkdtemp(folder));
	assert_int_equal(save(r, folder, "run.svg", reason), 2);
	svg = take_file(folder, "run.svg");
	draws(svg, ">lines 1–150: UDP answered 100 of 150; 8 drawn<", 1);
	draws(svg, ">1 LINE 1<", 2);
	draws(svg, ">lost<", 2);
	draws(svg, ">40.0 ms<", 6);
	draws(svg, ">no reply<", 1);
	free(svg);
	free(take_file(folder, "run-plots.svg"));
	assert_int_equal(save(r, folder, "run.svg 20-22 --title <Three>", reason), 2);
	svg = take_file(folder, "run.svg");
	draws(svg, "<title>&lt;Three&gt;</title>", 1);
	draws(svg, ">lines 20–22: UDP answered 2 of 3<", 1);
	draws(svg, ">20 LINE 20<", 2);
	draws(svg, "LINE 21", 1);
	draws(svg, "LINE 19", 0);
	draws(svg, "LINE 23", 0);
	free(svg);
	svg = take_file(folder, "run-plots.svg");
	draws(svg, "<circle", 2);
	free(svg);
	assert_int_equal(save(r, folder, "run.svg 151-160", reason), -1);
	assert_non_null(strstr(reason, "there are no such lines"));
	assert_int_equal(rmdir(folder), 0);
	recorder_free(r);
	ledger_free(l);
}

/* Of many typed lines the last are drawn; and however many events have rows, there are not more
 * than 50 pages. */
static void pages_are_limited(void **state)
{
	char folder[] = "/tmp/test-svg-XXXXXX", reason[EXPORT_REASON] = "", name[30];
	struct ledger *l = session(300 * MS);
	struct recorder *r = recorder_new(RECORD_OUTPUT_TEXT, NULL, false, 0,
	    &(struct record_run){ .started = 0 });
	char *svg;

	(void)state;
	assert_int_equal(recorder_add(r, l, false, "10.9.0.2:12000", 1000 * MS, NULL), 0);
	assert_non_null(mkdtemp(folder));
	assert_int_equal(save(r, folder, "run.svg", reason), 11);
	svg = take_file(folder, "run.svg");
	draws(svg, "page 1 of 10", 1);
	draws(svg, ">the last 120 drawn; UDP", 2);
	draws(svg, ">31 LINE 31<", 2);
	draws(svg, "LINE 30<", 0);
	free(svg);
	for (int page = 2; page <= 10; page++) {
		snprintf(name, sizeof name, "run-%d.svg", page);
		free(take_file(folder, name));
	}
	free(take_file(folder, "run-plots.svg"));
	for (int i = 0; i < 150 * 14; i++) {
		struct session_event event = change(i * 300 * MS / 14, "loss 30 % each way");

		recorder_event(r, &event, event.at);
	}
	assert_int_equal(save(r, folder, "run.svg last 100", reason), 51);
	svg = take_file(folder, "run.svg");
	draws(svg, "; only 50 pages<", 2);
	free(svg);
	for (int page = 2; page <= 50; page++) {
		snprintf(name, sizeof name, "run-%d.svg", page);
		free(take_file(folder, name));
	}
	free(take_file(folder, "run-plots.svg"));
	assert_int_equal(rmdir(folder), 0);
	recorder_free(r);
	ledger_free(l);
}

/* --- what is asked for --- */

static void asks(const char *words, const char *path, uint64_t first, uint64_t last,
    uint64_t newest, const char *title, bool dark)
{
	char reason[EXPORT_REASON] = "";
	struct export_request q;

	if (export_request(words, &q, reason) < 0)
		fail_msg("%s: %s", words, reason);
	assert_string_equal(q.path, path);
	assert_int_equal(q.first, first);
	assert_int_equal(q.last, last);
	assert_int_equal(q.newest, newest);
	assert_string_equal(q.title, title);
	assert_int_equal(q.dark, dark);
	assert_false(q.own_name);
}

static void refuses(const char *words, const char *why)
{
	char reason[EXPORT_REASON] = "";
	struct export_request q;

	assert_int_equal(export_request(words, &q, reason), -1);
	if (!strstr(reason, why))
		fail_msg("%s: %s", words, reason);
}

static void requests_are_read(void **state)
{
	(void)state;
	asks("talk.svg", "talk.svg", 0, 0, 0, "", false);
	asks(" my talk.svg ", "my talk.svg", 0, 0, 0, "", false);
	asks("talk.svg last 12", "talk.svg", 0, 0, 12, "", false);
	asks("talk.svg 20-30 --dark", "talk.svg", 20, 30, 0, "", true);
	asks("talk.txt 7", "talk.txt", 7, 7, 0, "", false);
	asks("'last 7.txt' 7", "last 7.txt", 7, 7, 0, "", false);
	asks("talk.svg --title Loss at 20 %, last 12 --dark", "talk.svg", 0, 0, 0,
	    "Loss at 20 %, last 12", true);
	asks("talk.svg --title=\"A -- B\" last 2", "talk.svg", 0, 0, 2, "A -- B", false);
	setenv("HOME", "/home/me", 1);
	asks("~/talk.svg", "/home/me/talk.svg", 0, 0, 0, "", false);
	asks("~root/x y.txt", "~root/x y.txt", 0, 0, 0, "", false);
	asks("a~b.txt", "a~b.txt", 0, 0, 0, "", false);
	refuses("talk.svg last", "'last' is none of its words");
	refuses("talk.svg last twelve", "is none of its words");
	refuses("talk.svg 30-20", "'30-20' is no choice of lines");
	refuses("talk.svg 0", "'0' is no choice of lines");
	refuses("talk.svg last 99999999999999999999", "is none of its words");
	refuses("talk.svg --bright", "'--bright' is none of its words");
	refuses("'talk.svg", "its quote does not end");
	refuses("talk.svg --title 'talk",
	    "the title is too long, or its quote does not end: 'talk");
	refuses("talk.jsonl last 12", "records are of all lines");
	refuses("talk.csv 1-2", "records are of all lines");
	refuses("talk.txt --dark", "go with .svg");
	refuses("screen.svg last 2", "the picture of the screen");
	refuses("x/screen-2.svg 7", "the picture of the screen");
	refuses("talk.svg screen 7", "the picture of the screen");
	asks("screen/talk.svg 7", "screen/talk.svg", 7, 7, 0, "", false);
	asks("screen.txt 7", "screen.txt", 7, 7, 0, "", false);
}

/* In the current folder, and never over a file. */
static void own_names(void **state)
{
	char folder[] = "/tmp/test-svg-XXXXXX", reason[EXPORT_REASON] = "", first[PATH_MAX];
	struct export_request q;
	int tries = 0;

	(void)state;
	assert_non_null(mkdtemp(folder));
	assert_int_equal(chdir(folder), 0);
	assert_int_equal(export_request("last 2 --title T", &q, reason), 0);
	assert_non_null(strstr(q.path, ".svg"));
	do {
		/* The second may end in between. */
		assert_int_equal(export_request("", &q, reason), 0);
		assert_true(q.own_name);
		snprintf(first, sizeof first, "%s", q.path);
		fclose(fopen(first, "w"));
		assert_int_equal(export_request(" ", &q, reason), 0);
		assert_string_not_equal(q.path, first);
		unlink(first);
	} while (!strstr(q.path, "-2.txt") && tries++ < 100);
	assert_int_equal(strlen(q.path), strlen("upcase-2026-11-29-154501-2.txt"));
	assert_int_equal(chdir("/"), 0);
	assert_int_equal(rmdir(folder), 0);
}

static void long_names_keep_both_ends(void **state)
{
	char buf[200];

	(void)state;
	assert_string_equal(text_middle(buf, sizeof buf, "talk.svg", 8), "talk.svg");
	assert_string_equal(text_middle(buf, sizeof buf, "/a/long/way/to/talk.svg", 15),
	    "/a/l...talk.svg");
	assert_string_equal(text_middle(buf, sizeof buf, "äöüäöüäöüäöü", 9), "äö...üäöü");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(axis_is_cut_where_nothing_happens),
		cmocka_unit_test(axis_has_room_for_words),
		cmocka_unit_test(axis_is_not_too_long),
		cmocka_unit_test(nothing_at_all),
		cmocka_unit_test(ticks_are_round),
		cmocka_unit_test(what_a_line_waited),
		cmocka_unit_test(reckons_without_a_link),
		cmocka_unit_test(no_two_marks_have_the_same_words),
		cmocka_unit_test(true_times_in_the_lab),
		cmocka_unit_test(text_cannot_break_out),
		cmocka_unit_test(twelve_lines_a_page),
		cmocka_unit_test(pages_are_slides),
		cmocka_unit_test(bright_on_dark),
		cmocka_unit_test(events_stand_at_their_moment),
		cmocka_unit_test(connections_are_drawn),
		cmocka_unit_test(plots_have_what_happened),
		cmocka_unit_test(writes_new_files_only),
		cmocka_unit_test(bursts_are_summed_up),
		cmocka_unit_test(pages_are_limited),
		cmocka_unit_test(requests_are_read),
		cmocka_unit_test(own_names),
		cmocka_unit_test(long_names_keep_both_ends),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
