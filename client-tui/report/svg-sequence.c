/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A page is a slice of the records. First every moment that stands in it is collected for the axis
 * of time, then each transport is drawn as a panel of its own: the hosts' lines, the arrows, and
 * the words at both sides, moved down where they would cover each other. */
#include "config.h"

#include "report/svg-sequence.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "report/svg-sequence-internal.h"
#include "common/units.h"

/* Pixels: the words at the right of a panel, the way between the hosts, the margins. */
#define WORDS_RIGHT 170.0
#define WAY 300.0
#define PANEL (SVG_SEQUENCE_WORDS_LEFT + WAY + WORDS_RIGHT)
#define MARGIN 30.0
/* The words of the axis of time, at the very left. */
#define TIMES 60.0
#define LEGEND 60.0
/* An event's words: their letters, a row of them, as many as fit. */
#define EVENT_FONT 10.0
#define EVENT_ROW 12.0
#define EVENT_COLUMNS 110
/* How far a packet got that died on the way: the link says only that it did. */
#define DROPPED_AT 0.55
/* Where the name of a segment stands along it; an acknowledgement's, which often goes with another,
 * further on. */
#define FLAGS_AT 0.25
#define ACK_AT 0.4

/* --- slices --- */

/* The first record of page `page`. */
static size_t page_begin(const struct record *records, size_t count, size_t page)
{
	size_t lines = 0;

	for (size_t i = 0; i < count; i++) {
		if (i > 0 && records[i].number == records[i - 1].number)
			continue;
		if (lines++ == page * SVG_SEQUENCE_LINES)
			return i;
	}
	return count;
}

size_t svg_sequence_pages(const struct record *records, size_t count)
{
	size_t lines = 0;

	for (size_t i = 0; i < count; i++)
		lines += i == 0 || records[i].number != records[i - 1].number;
	return lines <= SVG_SEQUENCE_LINES ? 1
	                                   : (lines + SVG_SEQUENCE_LINES - 1) / SVG_SEQUENCE_LINES;
}

/* --- arrows --- */

static enum svg_style own_style(const struct sequence_panel *panel)
{
	return panel->stream ? SVG_TCP : SVG_UDP;
}

/* Above its arrow's begin. */
static void draw_flags(const struct sequence_panel *panel, const struct record_packet *k,
    bool payload, double from, double to, double y1, double y2)
{
	const char *flags = record_flags_name(k);
	const double part = k->syn || k->fin || k->rst ? FLAGS_AT : ACK_AT;

	if (flags && (payload ? k->syn || k->fin || k->rst : true))
		svg_words(panel->picture->out, from + (to - from) * part, y1 + (y2 - y1) * part - 4,
		    EVENT_FONT, SVG_MIDDLE, flags);
}

/* `r` is NULL of one that opens or closes a connection. */
static void draw_packet(const struct sequence_panel *panel, const struct record *r,
    const struct record_packet *k)
{
	struct sequence_picture *p = panel->picture;
	const bool there = k->way == LINK_GOING;
	const double from = there ? panel->client : panel->server,
	             to = there ? panel->server : panel->client;
	const double y1 = svg_sequence_place(p, k->in),
	             y2 = svg_sequence_place(p, svg_sequence_packet_end(p, k));
	enum svg_style style = !k->payload            ? SVG_BARE
	                     : k->retransmitted       ? SVG_RETRANSMITTED
	                     : r && r->late && !there ? SVG_LATE
	                                              : own_style(panel);

	if (svg_sequence_known(k->out) && k->reckoned) {
		const double x = (from + to) / 2, y = (y1 + y2) / 2;

		svg_line(p->out, from, y1, x, y, style, !there);
		svg_arrow(p->out, x, y, to, y2, style, there);
	} else if (svg_sequence_known(k->out)) {
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
	if (svg_sequence_known(k->out2))
		svg_arrow(p->out, from, y1, to, svg_sequence_place(p, k->out2), style, 0);
	draw_flags(panel, k, r != NULL, from, to, y1, y2);
}

/* It was sent, and nobody knows how far it came. */
static bool is_under_way(const struct record *r)
{
	return !svg_sequence_known(r->replied_at) && r->fate != FATE_FAILED &&
	       r->fate != FATE_QUEUED;
}

/* Without the link's word: the client's end is true, the server's is reckoned. */
static void draw_reckoned(const struct sequence_panel *panel, const struct record *r)
{
	struct sequence_picture *p = panel->picture;
	const double middle = (panel->client + panel->server) / 2,
	             y1 = svg_sequence_place(p, r->sent_at);
	const enum svg_style style = own_style(panel);

	if (svg_sequence_known(r->replied_at)) {
		const double y2 = svg_sequence_place(p, svg_sequence_half_way(r)),
		             y3 = svg_sequence_place(p, r->replied_at);

		svg_line(p->out, panel->client, y1, middle, (y1 + y2) / 2, style, 0);
		svg_arrow(p->out, middle, (y1 + y2) / 2, panel->server, y2, style, 1);
		svg_line(p->out, panel->server, y2, middle, (y2 + y3) / 2,
		    r->late ? SVG_LATE : style, 1);
		svg_arrow(p->out, middle, (y2 + y3) / 2, panel->client, y3,
		    r->late ? SVG_LATE : style, 0);
	} else if (is_under_way(r)) {
		const double y2 = svg_sequence_place(p, r->sent_at + p->way);

		svg_line(p->out, panel->client, y1, middle, (y1 + y2) / 2, style,
		    r->fate == FATE_WAITING);
		if (r->fate != FATE_WAITING)
			svg_cross(p->out, middle, (y1 + y2) / 2, SVG_LOST);
	}
}

/* A packet that carries several lines stands in the record of each, and is drawn once. */
struct packet_of {
	const struct record_packet *packet;
	const struct record *record;
};

/* What carries something is drawn over what does not. */
static int by_packet(const void *a, const void *b)
{
	const struct record_packet *x = ((const struct packet_of *)a)->packet,
	                           *y = ((const struct packet_of *)b)->packet;

	if (x->payload != y->payload)
		return x->payload ? 1 : -1;
	if (x->in != y->in)
		return x->in < y->in ? -1 : 1;
	if (x->way != y->way)
		return x->way < y->way ? -1 : 1;
	if (x->seq != y->seq)
		return x->seq < y->seq ? -1 : 1;
	return x->length < y->length ? -1 : x->length > y->length;
}

static void draw_packets(const struct sequence_panel *panel)
{
	const struct sequence_picture *p = panel->picture;
	struct packet_of *all = calloc(p->count * RECORD_PACKETS + p->handshake_count + 1,
	    sizeof *all);
	size_t n = 0;

	for (size_t i = 0; all && i < p->count; i++) {
		const struct record *r = &p->records[i];

		for (size_t k = 0; r->stream == panel->stream && svg_sequence_has_packets(r) &&
		                   k < r->packet_count;
		    k++)
			all[n++] = (struct packet_of){ &r->packets[k], r };
	}
	for (size_t i = 0; all && panel->stream && i < p->handshake_count; i++)
		all[n++] = (struct packet_of){ &p->handshakes[i], NULL };
	if (n > 0)
		qsort(all, n, sizeof *all, by_packet);
	for (size_t i = 0; i < n; i++)
		if (i == 0 || by_packet(&all[i - 1], &all[i]) != 0)
			draw_packet(panel, all[i].record, all[i].packet);
	free(all);
}

static void draw_line(struct sequence_panel *panel, const struct record *r)
{
	if (svg_sequence_waits(r))
		svg_line(panel->picture->out, panel->client,
		    svg_sequence_place(panel->picture, r->typed_at), panel->client,
		    svg_sequence_place(panel->picture, r->sent_at), SVG_WAITS, 0);
	if (!svg_sequence_has_packets(r) && svg_sequence_known(r->sent_at))
		draw_reckoned(panel, r);
	svg_sequence_left(panel, r);
}

/* --- the picture --- */

/* A faint line between the hosts of each panel, and the time at the left of all. */
static void draw_mark(const struct sequence_picture *p, double y, int dashed, const char *words)
{
	const int panels = p->transports[0] + p->transports[1];

	for (int i = 0; i < panels; i++) {
		const double client = MARGIN + TIMES + i * PANEL + SVG_SEQUENCE_WORDS_LEFT;

		svg_line(p->out, client, y, client + WAY, y, SVG_GRID, dashed);
	}
	svg_words(p->out, MARGIN, y + 3, 9, SVG_START, words);
}

static void draw_cuts(const struct sequence_picture *p)
{
	char time[40], words[50];

	for (size_t i = 0; i < p->axis.cut_count; i++) {
		const struct time_cut *cut = &p->axis.cuts[i];

		units_duration_text(cut->to - cut->from, "µ", time, sizeof time);
		snprintf(words, sizeof words, "⋯ %s", time);
		draw_mark(p, SVG_SEQUENCE_TOP + (cut->begin + cut->end) / 2, 1, words);
	}
}

/* With so many digits that two marks are never told by the same words. */
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

static void draw_times(const struct sequence_picture *p)
{
	const struct time_axis *a = &p->axis;
	const int64_t step = time_axis_step(a, 60);
	char text[40];
	size_t cut = 0;

	for (int64_t t = a->count ? a->moments[0] / step * step : 0;
	    a->count && t <= a->moments[a->count - 1]; t += step) {
		while (cut < a->cut_count && a->cuts[cut].to <= t)
			cut++;
		if (cut < a->cut_count && t > a->cuts[cut].from) {
			/* On to the last mark within the cut: the next is behind it. */
			t = (a->cuts[cut].to - 1) / step * step;
			continue;
		}
		if (t < a->moments[0])
			continue;
		mark_words(t, step, text, sizeof text);
		draw_mark(p, svg_sequence_place(p, t), 0, text);
	}
}

/* A host's line of time, dashed where the axis is cut. */
static void draw_host(const struct sequence_picture *p, double x, double bottom, const char *name)
{
	double from = SVG_SEQUENCE_TOP - 14;

	for (size_t i = 0; i < p->axis.cut_count; i++) {
		const double begin = SVG_SEQUENCE_TOP + p->axis.cuts[i].begin + 6,
		             end = SVG_SEQUENCE_TOP + p->axis.cuts[i].end - 6;

		svg_line(p->out, x, from, x, begin, SVG_AXIS, 0);
		svg_line(p->out, x, begin, x, end, SVG_AXIS, 1);
		from = end;
	}
	svg_arrow(p->out, x, from, x, bottom, SVG_AXIS, 0);
	svg_words(p->out, x, SVG_SEQUENCE_TOP - 20, 12, SVG_MIDDLE, name);
}

/* Connections are drawn by their packets. */
static bool is_across(const struct session_event *e)
{
	return e->kind != SESSION_EVENT_TCP;
}

/* Where the words of the next event stand, not over those of the one before. */
static double event_words(const struct sequence_picture *p, size_t event, double *next)
{
	const double y = svg_sequence_place(p, p->events[event].at) - 3;

	*next = (y > *next ? y : *next) + EVENT_ROW;
	return *next - EVENT_ROW;
}

static void draw_events(const struct sequence_picture *p)
{
	const int panels = p->transports[0] + p->transports[1];
	const double left = MARGIN + TIMES, right = left + (panels ? panels : 1) * PANEL;
	double next = SVG_SEQUENCE_TOP - 12;
	char words[SESSION_EVENT_WORDS];

	for (size_t i = 0; i < p->event_count; i++) {
		if (!is_across(&p->events[i]))
			continue;
		const double y = svg_sequence_place(p, p->events[i].at),
		             at = event_words(p, i, &next);

		svg_line(p->out, left, y, right, y, SVG_EVENT, 0);
		session_event_words(&p->events[i], words);
		svg_text(p->out, left + SVG_SEQUENCE_WORDS_LEFT + 14, at, EVENT_FONT, SVG_START, "",
		    words, strlen(words), EVENT_COLUMNS);
	}
}

static void draw_panel(struct sequence_picture *p, bool stream, double x, double bottom)
{
	struct sequence_panel panel = { .picture = p,
		.stream = stream,
		.client = x + SVG_SEQUENCE_WORDS_LEFT,
		.server = x + SVG_SEQUENCE_WORDS_LEFT + WAY,
		.left = SVG_SEQUENCE_TOP - 4,
		.right = SVG_SEQUENCE_TOP - 4 };

	svg_words(p->out, x + SVG_SEQUENCE_WORDS_LEFT + WAY / 2, SVG_SEQUENCE_TOP - 38, 14,
	    SVG_MIDDLE, stream ? "TCP" : "UDP");
	draw_host(p, panel.client, bottom, "client");
	draw_host(p, panel.server, bottom, "server");
	draw_packets(&panel);
	for (size_t i = 0; i < p->count; i++)
		if (p->records[i].stream == stream)
			draw_line(&panel, &p->records[i]);
	svg_sequence_replies(&panel);
}

static void see_packet(const struct record_packet *k, bool *retransmitted, bool *bare,
    bool *dropped)
{
	*retransmitted |= k->retransmitted && k->payload;
	*bare |= !k->payload;
	*dropped |= !svg_sequence_known(k->out) || k->fate == LINK_CORRUPTED;
}

/* What the colours mean; only what is in the picture. */
static void draw_legend(const struct sequence_picture *p, double y)
{
	bool retransmitted = false, bare = false, late = false, dropped = false, unknown = false,
	     reckoned = false, waits = false, changed = false;
	double x = MARGIN;

	for (size_t i = 0; i < p->count; i++) {
		const struct record *r = &p->records[i];

		late |= r->late;
		waits |= svg_sequence_waits(r);
		unknown |= !svg_sequence_has_packets(r) && svg_sequence_known(r->sent_at) &&
		           is_under_way(r) && r->fate != FATE_WAITING;
		reckoned |= !svg_sequence_has_packets(r) && svg_sequence_known(r->replied_at);
		for (size_t k = 0; k < r->packet_count; k++)
			see_packet(&r->packets[k], &retransmitted, &bare, &dropped);
	}
	for (size_t i = 0; i < p->handshake_count; i++) {
		see_packet(&p->handshakes[i], &retransmitted, &bare,
		    p->handshakes[i].reckoned ? &unknown : &dropped);
		reckoned |= p->handshakes[i].reckoned;
	}
	for (size_t i = 0; i < p->event_count; i++)
		changed |= is_across(&p->events[i]);

	const struct {
		bool shown;
		enum svg_style style;
		int dashed;
		const char *words;
	} entries[] = {
		{ p->transports[0], SVG_UDP, 0, "UDP datagram" },
		{ p->transports[1], SVG_TCP, 0, "TCP segment" },
		{ retransmitted, SVG_RETRANSMITTED, 0, "sent again" },
		{ bare, SVG_BARE, 0, "no payload (ACK)" },
		{ late, SVG_LATE, 0, "late" },
		{ waits, SVG_WAITS, 0, "typed, not sent yet" },
		{ dropped, SVG_LOST, 0, "it died on the way" },
		{ unknown, SVG_LOST, 0, "no reply; how far it came is not known" },
		{ reckoned, SVG_AXIS, 1, "server's end reckoned at half the round trip" },
		{ changed, SVG_EVENT, 0, "the link or the server is changed" },
	};

	for (size_t i = 0; i < sizeof entries / sizeof *entries; i++) {
		if (!entries[i].shown)
			continue;
		if (entries[i].style == SVG_LOST)
			svg_cross(p->out, x + 14, y, SVG_LOST);
		else
			svg_line(p->out, x, y, x + 28, y, entries[i].style, entries[i].dashed);
		svg_words(p->out, x + 34, y + 4, SVG_SEQUENCE_FONT, SVG_START, entries[i].words);
		x += 44 + 7.0 * (double)strlen(entries[i].words);
	}
}

/* Words moved down may need more room than the axis. */
static double body_height(const struct sequence_picture *p)
{
	double height = p->axis.length, next = 0;

	for (int stream = 0; stream < 2; stream++) {
		const double words = svg_sequence_words_height(p, stream == 1);

		height = words > height ? words : height;
	}
	for (size_t i = 0; i < p->event_count; i++)
		if (is_across(&p->events[i]))
			event_words(p, i, &next);
	return (next - SVG_SEQUENCE_TOP > height ? next - SVG_SEQUENCE_TOP : height) + 24;
}

static void draw(struct sequence_picture *p, const struct svg_heading *heading)
{
	const int panels = p->transports[0] + p->transports[1];
	const double width = 2 * MARGIN + TIMES + (panels ? panels : 1) * PANEL,
	             bottom = SVG_SEQUENCE_TOP + body_height(p);
	double x = MARGIN + TIMES;

	svg_begin(p->out, width, bottom + LEGEND, MARGIN, heading);
	draw_times(p);
	draw_cuts(p);
	draw_events(p);
	for (int stream = 0; stream < 2; stream++) {
		if (!p->transports[stream])
			continue;
		draw_panel(p, stream == 1, x, bottom);
		x += PANEL;
	}
	draw_legend(p, bottom + LEGEND / 2);
	svg_end(p->out);
}

int64_t svg_sequence_page_begin(const struct record *records, size_t count, size_t page)
{
	int64_t first = page > 0 ? INT64_MAX : INT64_MIN;

	for (size_t i = page_begin(records, count, page); i < page_begin(records, count, page + 1);
	    i++)
		first = records[i].typed_at < first ? records[i].typed_at : first;
	return first;
}

/* From its begin to the next page's, or as long as its lines last. */
static void choose_events(struct sequence_picture *p, const struct record *records, size_t count,
    size_t page, const struct session_event *events, size_t event_count)
{
	const int64_t from = svg_sequence_page_begin(records, count, page),
	              next = svg_sequence_page_begin(records, count, page + 1);
	const int64_t last = svg_sequence_last(p);
	size_t begin = 0, end = 0;

	while (begin < event_count && events[begin].at < from)
		begin++;
	for (end = begin; end < event_count && (events[end].at < next || events[end].at <= last);)
		end++;
	p->events = events + begin;
	p->event_count = end - begin;
}

static void reckon_packet(struct sequence_picture *p, struct record_packet packet, int64_t in,
    int64_t out)
{
	packet.fate = svg_sequence_known(out) ? LINK_DELIVERED : LINK_LOST;
	packet.in = in;
	packet.out = out;
	packet.out2 = RECORD_NEVER;
	packet.reckoned = true;
	p->handshakes[p->handshake_count++] = packet;
}

/* Without the link's word: the client's end is true. Of a SYN that was sent more than once only the
 * first is known, and the answer to the last. */
static void reckon_connection(struct sequence_picture *p, const struct session_event *e)
{
	const struct session_connection *c = &e->connection;
	const struct record_packet syn = { .way = LINK_GOING, .syn = true };
	const struct record_packet end = { .way = c->ours ? LINK_GOING : LINK_COMING,
		.fin = !c->error,
		.rst = c->error == ECONNRESET };
	const bool refused = c->stage == SESSION_FAILED && c->error == ECONNREFUSED;
	const struct record_packet answer = {
		.way = LINK_COMING, .syn = !refused, .rst = refused, .ack = true
	};
	const bool answered = c->stage == SESSION_CONNECTED || refused;
	const int64_t half = e->at + e->took - (c->syns > 1 ? p->way : e->took / 2);

	if (c->stage == SESSION_ENDED) {
		if (end.fin || end.rst)
			reckon_packet(p, end, c->ours ? e->at : e->at - p->way,
			    c->ours ? e->at + p->way : e->at);
		return;
	}
	reckon_packet(p, syn, e->at, answered && c->syns < 2 ? half : RECORD_NEVER);
	if (answered)
		reckon_packet(p, answer, half, e->at + e->took);
}

static int choose_handshakes(struct sequence_picture *p, bool lab)
{
	p->handshakes = calloc(p->event_count * RECORD_PACKETS + 1, sizeof *p->handshakes);
	for (size_t i = 0; p->handshakes && i < p->event_count; i++) {
		for (size_t k = 0; k < p->events[i].packet_count; k++)
			p->handshakes[p->handshake_count++] = record_event_packet(&p->events[i], k);
		if (p->events[i].kind == SESSION_EVENT_TCP && !lab)
			reckon_connection(p, &p->events[i]);
	}
	return p->handshakes ? 0 : -1;
}

int svg_sequence_page(FILE *out, const struct record *records, size_t count, size_t page,
    const struct session_event *events, size_t event_count, const struct svg_heading *heading)
{
	const size_t begin = page_begin(records, count, page);
	struct sequence_picture p = { .out = out,
		.records = records + begin,
		.count = page_begin(records, count, page + 1) - begin };
	int result;

	p.way = svg_sequence_usual_way(p.records, p.count, events, event_count);
	choose_events(&p, records, count, page, events, event_count);
	for (size_t i = 0; i < p.count; i++)
		p.transports[p.records[i].stream] = true;
	result = choose_handshakes(&p, heading->link && *heading->link) < 0 ||
	                 svg_sequence_make_axis(&p) < 0
	           ? -1
	           : 0;
	if (result == 0) {
		p.transports[1] |= p.handshake_count > 0;
		draw(&p, heading);
		time_axis_free(&p.axis);
	}
	free(p.handshakes);
	return result;
}
