/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Each transport is drawn as a panel of its own: the hosts' lines, the arrows, and the words at
 * both sides, moved down where they would cover each other. */
#include "config.h"

#include "report/pictures.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/capitals.h"
#include "common/clock.h"
#include "common/text.h"
#include "ledger/transport.h"
#include "report/sequence.h"
#include "report/summary.h"

/* Pixels: the beginning of the axis of time; the words at the left of a panel; their font size. */
#define TOP (SVG_HEADING + 56)
#define WORDS_LEFT 350.0
#define FONT 11.0
/* Pixels: the words at the right of a panel, the way between the hosts, the margins. */
#define WORDS_RIGHT 170.0
#define WAY 300.0
#define PANEL (WORDS_LEFT + WAY + WORDS_RIGHT)
#define MARGIN 30.0
/* The width of the words of the axis of time, at the left end. */
#define TIMES 60.0
#define LEGEND 60.0
/* An event's words: their font size, the height of a row, the maximum number of characters. */
#define EVENT_FONT 10.0
#define EVENT_ROW 12.0
#define EVENT_COLUMNS 110
/* A lost packet's arrow ends at this part of the way: the link does not report where it was lost.
 */
#define DROPPED_AT 0.55
/* The place of a segment's name along its arrow; that of an acknowledgement, which often goes with
 * another, is further on. */
#define FLAGS_AT 0.25
#define ACK_AT 0.4
/* The maximum number of characters of a text. */
#define TEXT_COLUMNS 16

struct picture {
	FILE *out;
	struct sequence s;
};

struct panel {
	const struct picture *picture;
	bool stream;
	/* The hosts' lines. */
	double client, server;
	/* The places where the next words at the left and at the right may begin. */
	double left, right;
};

/* The place of a moment on the page. */
static double place(const struct picture *p, int64_t moment)
{
	return TOP + time_axis_place(&p->s.axis, moment);
}

/* --- words --- */

/* Writes the fate of a line in words, with the place of its loss if known. */
static const char *fate_words(const struct record *r, char *buf, size_t size)
{
	const char *place = r->row.fate == FATE_LOST && !r->row.late && r->legs
	                      ? summary_place(r->place, r->legs, buf, size)
	                      : NULL;

	return place                        ? place
	     : r->row.late                  ? "late"
	     : r->row.fate == FATE_ANSWERED ? ""
	                                    : ledger_fate_names[r->row.fate];
}

static int retransmission_count(const struct record *r)
{
	int retransmitted = 0;

	for (size_t i = 0; i < r->packet_count; i++)
		retransmitted += r->packets[i].retransmitted && r->packets[i].payload;
	return retransmitted;
}

static void left_words(const struct record *r, char *buf, size_t size)
{
	const struct parts parts = parts_of_row(&r->row);
	char time[60] = "", retransmitted[30] = "", words[40];
	const char *fate = fate_words(r, words, sizeof words);

	if (sequence_known(r->row.replied_at) && sequence_known(r->row.sent_at))
		parts_text(&parts, PARTS_LONGEST, "µ", time, sizeof time);
	if (retransmission_count(r) > 0)
		snprintf(retransmitted, sizeof retransmitted, " · again %d×",
		    retransmission_count(r));
	snprintf(buf, size, "%s%s%s%s ", fate, *fate && *time ? " " : "", time, retransmitted);
}

/* The place of words at `y`, or lower if others are there; the next words are a row below. */
static double below(double *next, double y, double row)
{
	const double at = y > *next ? y : *next;

	*next = at + row;
	return at;
}

/* Writes words beside a host's line; a faint line leads to words that are lower. */
static double put_beside(const struct picture *p, double *next, double x, double y, double to)
{
	const double at = below(next, y, SEQUENCE_ROW);

	if (at - y > 2)
		svg_line(p->out, x, y, to, at, SVG_GRID, 0);
	return at + FONT / 3;
}

static void draw_left(struct panel *panel, const struct record *r)
{
	const struct picture *p = panel->picture;
	const double y = place(p, sequence_begins(r)), x = panel->client - WORDS_LEFT + 8;
	const double at = put_beside(p, &panel->left, panel->client - 4, y, panel->client - 16);
	char words[120];

	svg_text(p->out, x, at, FONT, SVG_START, TEXT_FORMAT("%" PRIu64 " ", r->row.number),
	    r->row.text, r->row.length, TEXT_COLUMNS);
	left_words(r, words, sizeof words);
	svg_words(p->out, panel->client - 16, at, FONT, SVG_END, words);
}

/* The time when the server had the line: the true time in the lab, else half the round trip. */
static int64_t server_time(const struct record *r)
{
	for (size_t i = 0; sequence_has_packets(r) && i < r->packet_count; i++)
		if (r->packets[i].direction == LINK_COMING && r->packets[i].payload)
			return r->packets[i].in;
	if (sequence_has_packets(r) || !sequence_known(r->row.replied_at) ||
	    !sequence_known(r->row.sent_at))
		return RECORD_NEVER;
	return sequence_midpoint(r);
}

/* A reply, or several in one segment, in order of time, since words are moved downwards. */
struct reply_words {
	int64_t at;
	const struct record *first, *last;
};

static int by_moment(const void *a, const void *b)
{
	const struct reply_words *x = a, *y = b;

	return x->at != y->at ? (x->at < y->at ? -1 : 1) : x->first < y->first ? -1 : 1;
}

/* malloc()ed, NULL when there are none. */
static struct reply_words *find_replies(const struct picture *p, bool stream, size_t *count)
{
	struct reply_words *w = calloc(p->s.count + 1, sizeof *w);
	size_t n = 0, groups = 0;

	for (size_t i = 0; w && i < p->s.count; i++)
		if (p->s.records[i].row.stream == stream &&
		    sequence_known(server_time(&p->s.records[i])))
			w[n++] = (struct reply_words){ server_time(&p->s.records[i]),
				&p->s.records[i], &p->s.records[i] };
	if (n > 0)
		qsort(w, n, sizeof *w, by_moment);
	for (size_t i = 0; i < n; i++) {
		if (groups > 0 && w[groups - 1].at == w[i].at)
			w[groups - 1].last = w[i].first;
		else
			w[groups++] = w[i];
	}
	*count = groups;
	return w;
}

/* The server's reply: the capitals, made in `buf`, or the different text that came. */
static const unsigned char *reply_text(const struct record *r,
    unsigned char buf[CAPITALS_GROWTH * 64], size_t *n)
{
	if (r->row.reply) {
		*n = r->row.reply_length;
		return r->row.reply;
	}
	*n = capitals_text(r->row.text, r->row.length < 64 ? r->row.length : 64, buf);
	return buf;
}

static void draw_reply(struct panel *panel, const struct reply_words *w)
{
	const struct picture *p = panel->picture;
	const double at = put_beside(p, &panel->right, panel->server + 4, place(p, w->at),
	    panel->server + 16);
	const char *number = w->first == w->last ? TEXT_FORMAT("%" PRIu64 " ", w->first->row.number)
	                                         : TEXT_FORMAT("%" PRIu64 "–%" PRIu64 " … ",
	                                               w->first->row.number, w->last->row.number);
	unsigned char capitals[CAPITALS_GROWTH * 64];
	size_t n;
	const unsigned char *text = reply_text(w->last, capitals, &n);

	svg_text(p->out, panel->server + 18, at, FONT, SVG_START, number, text, n, TEXT_COLUMNS);
}

static double words_height(const struct picture *p, bool stream)
{
	double left = 0, right = 0;
	size_t n = 0;
	struct reply_words *w = find_replies(p, stream, &n);

	for (size_t i = 0; i < p->s.count; i++)
		if (p->s.records[i].row.stream == stream)
			below(&left, time_axis_place(&p->s.axis, sequence_begins(&p->s.records[i])),
			    SEQUENCE_ROW);
	for (size_t i = 0; i < n; i++)
		below(&right, time_axis_place(&p->s.axis, w[i].at), SEQUENCE_ROW);
	free(w);
	return left > right ? left : right;
}

/* --- arrows --- */

static enum svg_style own_style(const struct panel *panel)
{
	return panel->stream ? SVG_TCP : SVG_UDP;
}

/* Draws the name of a segment above the beginning of its arrow. */
static void draw_flags(const struct panel *panel, const struct link_packet *k, bool payload,
    double from, double to, double y1, double y2)
{
	const char *flags = record_flags_name(k);
	const double part = k->syn || k->fin || k->rst ? FLAGS_AT : ACK_AT;

	if (flags && (payload ? k->syn || k->fin || k->rst : true))
		svg_words(panel->picture->out, from + (to - from) * part, y1 + (y2 - y1) * part - 4,
		    EVENT_FONT, SVG_MIDDLE, flags);
}

/* `r` is NULL for a packet that opens or closes a connection. */
static void draw_packet(const struct panel *panel, const struct record *r,
    const struct link_packet *k)
{
	const struct picture *p = panel->picture;
	const bool there = k->direction == LINK_GOING;
	const double from = there ? panel->client : panel->server,
	             to = there ? panel->server : panel->client;
	const double y1 = place(p, k->in), y2 = place(p, sequence_packet_end(&p->s, k));
	enum svg_style style = !k->payload                ? SVG_BARE
	                     : k->retransmitted           ? SVG_RETRANSMITTED
	                     : r && r->row.late && !there ? SVG_LATE
	                                                  : own_style(panel);

	if (sequence_known(k->out) && k->estimated) {
		const double x = (from + to) / 2, y = (y1 + y2) / 2;

		svg_line(p->out, from, y1, x, y, style, !there);
		svg_arrow(p->out, x, y, to, y2, style, there);
	} else if (sequence_known(k->out)) {
		svg_arrow(p->out, from, y1, to, y2, style, 0);
		if (k->fate == LINK_CORRUPTED)
			svg_cross(p->out, to + (there ? -8 : 8), y2, SVG_LOST);
	} else {
		const double x = from + (to - from) * DROPPED_AT, y = y1 + (y2 - y1) * DROPPED_AT;

		svg_line(p->out, from, y1, x, y, style, 0);
		svg_cross(p->out, x, y, SVG_LOST);
		if (k->fate == LINK_REQUESTED_DROP)
			svg_words(p->out, x, y + 15, EVENT_FONT, SVG_MIDDLE, "on cue");
	}
	if (sequence_known(k->out2))
		svg_arrow(p->out, from, y1, to, place(p, k->out2), style, 0);
	draw_flags(panel, k, r != NULL, from, to, y1, y2);
}

/* Returns true if the line was sent and its place is not known. */
static bool is_in_flight(const struct record *r)
{
	return !sequence_known(r->row.replied_at) && r->row.fate != FATE_FAILED &&
	       r->row.fate != FATE_QUEUED;
}

/* Draws an arrow without the link's events: the client's end is true, the server's is estimated. */
static void draw_estimated(const struct panel *panel, const struct record *r)
{
	const struct picture *p = panel->picture;
	const double middle = (panel->client + panel->server) / 2, y1 = place(p, r->row.sent_at);
	const enum svg_style style = own_style(panel);

	if (sequence_known(r->row.replied_at)) {
		const double y2 = place(p, sequence_midpoint(r)), y3 = place(p, r->row.replied_at);

		svg_line(p->out, panel->client, y1, middle, (y1 + y2) / 2, style, 0);
		svg_arrow(p->out, middle, (y1 + y2) / 2, panel->server, y2, style, 1);
		svg_line(p->out, panel->server, y2, middle, (y2 + y3) / 2,
		    r->row.late ? SVG_LATE : style, 1);
		svg_arrow(p->out, middle, (y2 + y3) / 2, panel->client, y3,
		    r->row.late ? SVG_LATE : style, 0);
	} else if (is_in_flight(r)) {
		const double y2 = place(p, r->row.sent_at + p->s.one_way);

		svg_line(p->out, panel->client, y1, middle, (y1 + y2) / 2, style,
		    r->row.fate == FATE_WAITING);
		if (r->row.fate != FATE_WAITING)
			svg_cross(p->out, middle, (y1 + y2) / 2, SVG_LOST);
	}
}

/* A packet that carries several lines is in the record of each, and is drawn once. */
struct packet_record {
	const struct link_packet *packet;
	const struct record *record;
};

/* Packets with payload are drawn over packets without. */
static int by_packet(const void *a, const void *b)
{
	const struct link_packet *x = ((const struct packet_record *)a)->packet,
	                         *y = ((const struct packet_record *)b)->packet;

	if (x->payload != y->payload)
		return x->payload ? 1 : -1;
	if (x->in != y->in)
		return x->in < y->in ? -1 : 1;
	if (x->direction != y->direction)
		return x->direction < y->direction ? -1 : 1;
	if (x->seq != y->seq)
		return x->seq < y->seq ? -1 : 1;
	return x->length < y->length ? -1 : x->length > y->length;
}

static void draw_packets(const struct panel *panel)
{
	const struct picture *p = panel->picture;
	struct packet_record *all = calloc(p->s.count * RECORD_PACKETS + p->s.handshake_count + 1,
	    sizeof *all);
	size_t n = 0;

	for (size_t i = 0; all && i < p->s.count; i++) {
		const struct record *r = &p->s.records[i];

		for (size_t k = 0; r->row.stream == panel->stream && sequence_has_packets(r) &&
		                   k < r->packet_count;
		    k++)
			all[n++] = (struct packet_record){ &r->packets[k], r };
	}
	for (size_t i = 0; all && panel->stream && i < p->s.handshake_count; i++)
		all[n++] = (struct packet_record){ &p->s.handshakes[i], NULL };
	if (n > 0)
		qsort(all, n, sizeof *all, by_packet);
	for (size_t i = 0; i < n; i++)
		if (i == 0 || by_packet(&all[i - 1], &all[i]) != 0)
			draw_packet(panel, all[i].record, all[i].packet);
	free(all);
}

static void draw_line(struct panel *panel, const struct record *r)
{
	if (sequence_waits(r))
		svg_line(panel->picture->out, panel->client, place(panel->picture, r->row.typed_at),
		    panel->client, place(panel->picture, r->row.sent_at), SVG_WAITS, 0);
	if (!sequence_has_packets(r) && sequence_known(r->row.sent_at))
		draw_estimated(panel, r);
	draw_left(panel, r);
}

/* --- the picture --- */

/* Draws a faint line between the hosts of each panel, and the time at the left. */
static void draw_mark(const struct picture *p, double y, int dashed, const char *words)
{
	const int panels = p->s.transports[0] + p->s.transports[1];

	for (int i = 0; i < panels; i++) {
		const double client = MARGIN + TIMES + i * PANEL + WORDS_LEFT;

		svg_line(p->out, client, y, client + WAY, y, SVG_GRID, dashed);
	}
	svg_words(p->out, MARGIN, y + 3, 9, SVG_START, words);
}

static void draw_cuts(const struct picture *p)
{
	for (size_t i = 0; i < p->s.axis.cut_count; i++) {
		const struct time_cut *cut = &p->s.axis.cuts[i];

		draw_mark(p, TOP + (cut->begin + cut->end) / 2, 1,
		    TEXT_FORMAT("⋯ %s", TEXT_SPAN(cut->to - cut->from)));
	}
}

/* Writes a time with enough digits that no two marks have the same words. */
static void mark_words(int64_t at, int64_t step, char *buf, size_t size)
{
	static const struct {
		int64_t ns;
		const char *name;
	} units[] = {
		{ NS_PER_S, "s" },
		{ NS_PER_MS, "ms" },
		{ NS_PER_US, "µs" },
		{ 1, "ns" },
	};
	char digits[12] = ".";
	size_t i = 0, n = 1;

	while (i + 1 < sizeof units / sizeof *units && at < units[i].ns)
		i++;
	for (int64_t part = units[i].ns; part > step && part > 1 && n + 1 < sizeof digits;) {
		part /= 10;
		digits[n++] = (char)('0' + at / part % 10);
	}
	snprintf(buf, size, "%" PRId64 "%s %s", at / units[i].ns, n > 1 ? digits : "",
	    units[i].name);
}

static void draw_times(const struct picture *p)
{
	const struct time_axis *a = &p->s.axis;
	const int64_t step = time_axis_step(a, 60);
	char text[40];
	size_t cut = 0;

	for (int64_t t = a->count ? a->moments[0] / step * step : 0;
	    a->count && t <= a->moments[a->count - 1]; t += step) {
		while (cut < a->cut_count && a->cuts[cut].to <= t)
			cut++;
		if (cut < a->cut_count && t > a->cuts[cut].from) {
			/* The last mark within the cut; the next one is after it. */
			t = (a->cuts[cut].to - 1) / step * step;
			continue;
		}
		if (t < a->moments[0])
			continue;
		mark_words(t, step, text, sizeof text);
		draw_mark(p, place(p, t), 0, text);
	}
}

/* Draws a host's line of time, dashed where the axis is cut. */
static void draw_host(const struct picture *p, double x, double bottom, const char *name)
{
	double from = TOP - 14;

	for (size_t i = 0; i < p->s.axis.cut_count; i++) {
		const double begin = TOP + p->s.axis.cuts[i].begin + 6,
		             end = TOP + p->s.axis.cuts[i].end - 6;

		svg_line(p->out, x, from, x, begin, SVG_AXIS, 0);
		svg_line(p->out, x, begin, x, end, SVG_AXIS, 1);
		from = end;
	}
	svg_arrow(p->out, x, from, x, bottom, SVG_AXIS, 0);
	svg_words(p->out, x, TOP - 20, 12, SVG_MIDDLE, name);
}

/* Returns true if the event is drawn across the picture; connections are drawn by their packets. */
static bool is_across(const struct session_event *e)
{
	return e->kind != SESSION_EVENT_TCP;
}

/* The place of an event's words, which do not cover those of the previous one. */
static double event_words(const struct picture *p, size_t event, double *next)
{
	return below(next, place(p, p->s.events[event].at) - 3, EVENT_ROW);
}

static void draw_events(const struct picture *p)
{
	const int panels = p->s.transports[0] + p->s.transports[1];
	const double left = MARGIN + TIMES, right = left + (panels ? panels : 1) * PANEL;
	double next = TOP - 12;

	for (size_t i = 0; i < p->s.event_count; i++) {
		if (!is_across(&p->s.events[i]))
			continue;
		const double y = place(p, p->s.events[i].at), at = event_words(p, i, &next);
		const char *words = SESSION_EVENT_TEXT(&p->s.events[i]);

		svg_line(p->out, left, y, right, y, SVG_EVENT, 0);
		svg_text(p->out, left + WORDS_LEFT + 14, at, EVENT_FONT, SVG_START, "", words,
		    strlen(words), EVENT_COLUMNS);
	}
}

static void draw_panel(const struct picture *p, bool stream, double x, double bottom)
{
	size_t n = 0;
	struct reply_words *w = find_replies(p, stream, &n);
	struct panel panel = { .picture = p,
		.stream = stream,
		.client = x + WORDS_LEFT,
		.server = x + WORDS_LEFT + WAY,
		.left = TOP - 4,
		.right = TOP - 4 };

	svg_words(p->out, x + WORDS_LEFT + WAY / 2, TOP - 38, 14, SVG_MIDDLE,
	    transport_info[stream].title);
	draw_host(p, panel.client, bottom, "client");
	draw_host(p, panel.server, bottom, "server");
	draw_packets(&panel);
	for (size_t i = 0; i < p->s.count; i++)
		if (p->s.records[i].row.stream == stream)
			draw_line(&panel, &p->s.records[i]);
	for (size_t i = 0; i < n; i++)
		draw_reply(&panel, &w[i]);
	free(w);
}

static void note_packet(const struct link_packet *k, bool *retransmitted, bool *bare, bool *dropped)
{
	*retransmitted |= k->retransmitted && k->payload;
	*bare |= !k->payload;
	*dropped |= !sequence_known(k->out) || k->fate == LINK_CORRUPTED;
}

/* Draws the legend of the colours in the picture. */
static void draw_legend(const struct picture *p, double y)
{
	bool retransmitted = false, bare = false, late = false, dropped = false, unknown = false,
	     estimated = false, waits = false, changed = false;
	double x = MARGIN;

	for (size_t i = 0; i < p->s.count; i++) {
		const struct record *r = &p->s.records[i];

		late |= r->row.late;
		waits |= sequence_waits(r);
		unknown |= !sequence_has_packets(r) && sequence_known(r->row.sent_at) &&
		           is_in_flight(r) && r->row.fate != FATE_WAITING;
		estimated |= !sequence_has_packets(r) && sequence_known(r->row.replied_at);
		for (size_t k = 0; k < r->packet_count; k++)
			note_packet(&r->packets[k], &retransmitted, &bare, &dropped);
	}
	for (size_t i = 0; i < p->s.handshake_count; i++) {
		note_packet(&p->s.handshakes[i], &retransmitted, &bare,
		    p->s.handshakes[i].estimated ? &unknown : &dropped);
		estimated |= p->s.handshakes[i].estimated;
	}
	for (size_t i = 0; i < p->s.event_count; i++)
		changed |= is_across(&p->s.events[i]);

	const struct {
		bool shown;
		enum svg_style style;
		int dashed;
		const char *words;
	} entries[] = {
		{ p->s.transports[0], SVG_UDP, 0, "UDP datagram" },
		{ p->s.transports[1], SVG_TCP, 0, "TCP segment" },
		{ retransmitted, SVG_RETRANSMITTED, 0, "sent again" },
		{ bare, SVG_BARE, 0, "no payload (ACK)" },
		{ late, SVG_LATE, 0, "late" },
		{ waits, SVG_WAITS, 0, "typed, not sent yet" },
		{ dropped, SVG_LOST, 0, "it died on the way" },
		{ unknown, SVG_LOST, 0, "no reply; how far it came is not known" },
		{ estimated, SVG_AXIS, 1, "server's end reckoned at half the round trip" },
		{ changed, SVG_EVENT, 0, "the link or the server is changed" },
	};

	for (size_t i = 0; i < sizeof entries / sizeof *entries; i++) {
		if (!entries[i].shown)
			continue;
		if (entries[i].style == SVG_LOST)
			svg_cross(p->out, x + 14, y, SVG_LOST);
		else
			svg_line(p->out, x, y, x + 28, y, entries[i].style, entries[i].dashed);
		svg_words(p->out, x + 34, y + 4, FONT, SVG_START, entries[i].words);
		x += 44 + 7.0 * (double)strlen(entries[i].words);
	}
}

/* Words that were moved down may need more room than the axis. */
static double body_height(const struct picture *p)
{
	double height = p->s.axis.length, next = 0;

	for (int stream = 0; stream < 2; stream++) {
		const double words = words_height(p, stream == 1);

		height = words > height ? words : height;
	}
	for (size_t i = 0; i < p->s.event_count; i++)
		if (is_across(&p->s.events[i]))
			event_words(p, i, &next);
	return (next - TOP > height ? next - TOP : height) + 24;
}

static void draw(const struct picture *p, const struct svg_heading *heading)
{
	const int panels = p->s.transports[0] + p->s.transports[1];
	const double width = 2 * MARGIN + TIMES + (panels ? panels : 1) * PANEL,
	             bottom = TOP + body_height(p);
	double x = MARGIN + TIMES;

	svg_begin(p->out, width, bottom + LEGEND, MARGIN, heading);
	draw_times(p);
	draw_cuts(p);
	draw_events(p);
	for (int stream = 0; stream < 2; stream++) {
		if (!p->s.transports[stream])
			continue;
		draw_panel(p, stream == 1, x, bottom);
		x += PANEL;
	}
	draw_legend(p, bottom + LEGEND / 2);
	svg_end(p->out);
}

int svg_sequence_page(FILE *out, const struct picture_data *d, size_t page,
    const struct svg_heading *heading)
{
	struct picture p = { .out = out };

	if (sequence_make(&p.s, d, page, heading->link && *heading->link) < 0)
		return -1;
	draw(&p, heading);
	sequence_free(&p.s);
	return 0;
}
