/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A page is a slice of the records. First every moment that stands in it is collected for the axis of time, then each transport is
 * drawn as a panel of its own: the hosts' lines, the arrows, and the words at both sides, moved down where they would cover each
 * other. */
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
#define PANEL (EXCHANGE_WORDS_LEFT + WAY + WORDS_RIGHT)
#define MARGIN 30.0
/* The words of the axis of time, at the very left. */
#define TIMES 60.0
#define LEGEND 60.0
/* An event's words: their letters, a row of them, as many as fit. */
#define EVENT_FONT 10.0
#define EVENT_ROW 12.0
#define EVENT_COLUMNS 110
/* How far a packet got that died on the way: the link says only that it did. */
#define DIED_AT 0.55
/* Where the name of a segment stands along it; an acknowledgement's, which often goes with another, further on. */
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
		if (lines++ == page * EXCHANGE_LINES)
			return i;
	}
	return count;
}

size_t exchange_pages(const struct record *records, size_t count)
{
	size_t lines = 0;

	for (size_t i = 0; i < count; i++)
		lines += i == 0 || records[i].number != records[i - 1].number;
	return lines <= EXCHANGE_LINES ? 1 : (lines + EXCHANGE_LINES - 1) / EXCHANGE_LINES;
}

/* --- arrows --- */

static enum svg_style own_style(const struct panel *panel)
{
	return panel->stream ? SVG_TCP : SVG_UDP;
}

/* Above its arrow's begin. */
static void draw_flags(const struct panel *panel, const struct record_packet *k, bool payload, double from, double to, double y1, double y2)
{
	const char *flags = record_flags_name(k);
	const double part = k->syn || k->fin || k->rst ? FLAGS_AT : ACK_AT;

	if (flags && (payload ? k->syn || k->fin || k->rst : true))
		svg_words(panel->picture->out, from + (to - from) * part, y1 + (y2 - y1) * part - 4, EVENT_FONT, SVG_MIDDLE, flags);
}

/* `r` is NULL of one that opens or closes a connection. */
static void draw_packet(const struct panel *panel, const struct record *r, const struct record_packet *k)
{
	struct picture *p = panel->picture;
	const bool there = k->way == EVENT_THERE;
	const double from = there ? panel->client : panel->server, to = there ? panel->server : panel->client;
	const double y1 = exchange_place(p, k->in), y2 = exchange_place(p, exchange_packet_end(p, k));
	enum svg_style style = !k->payload ? SVG_BARE : k->again ? SVG_AGAIN : r && r->late && !there ? SVG_LATE : own_style(panel);

	if (exchange_known(k->out) && k->reckoned) {
		const double x = (from + to) / 2, y = (y1 + y2) / 2;

		svg_line(p->out, from, y1, x, y, style, !there);
		svg_arrow(p->out, x, y, to, y2, style, there);
	} else if (exchange_known(k->out)) {
		svg_arrow(p->out, from, y1, to, y2, style, 0);
		if (k->fate == EVENT_CORRUPTED)
			svg_cross(p->out, to + (there ? -8 : 8), y2, SVG_LOST);
	} else {
		const double x = from + (to - from) * DIED_AT, y = y1 + (y2 - y1) * DIED_AT;

		svg_line(p->out, from, y1, x, y, style, 0);
		svg_cross(p->out, x, y, SVG_LOST);
		if (k->fate == EVENT_CUE)
			svg_words(p->out, x, y + 15, EVENT_FONT, SVG_MIDDLE, "on cue");
	}
	if (exchange_known(k->out2))
		svg_arrow(p->out, from, y1, to, exchange_place(p, k->out2), style, 0);
	draw_flags(panel, k, r != NULL, from, to, y1, y2);
}

/* It was sent, and nobody knows how far it came. */
static bool is_under_way(const struct record *r)
{
	return !exchange_known(r->replied_at) && r->fate != FATE_FAILED && r->fate != FATE_QUEUED;
}

/* Without the link's word: the client's end is true, the server's is reckoned. */
static void draw_reckoned(const struct panel *panel, const struct record *r)
{
	struct picture *p = panel->picture;
	const double middle = (panel->client + panel->server) / 2, y1 = exchange_place(p, r->sent_at);
	const enum svg_style style = own_style(panel);

	if (exchange_known(r->replied_at)) {
		const double y2 = exchange_place(p, exchange_half_way(r)), y3 = exchange_place(p, r->replied_at);

		svg_line(p->out, panel->client, y1, middle, (y1 + y2) / 2, style, 0);
		svg_arrow(p->out, middle, (y1 + y2) / 2, panel->server, y2, style, 1);
		svg_line(p->out, panel->server, y2, middle, (y2 + y3) / 2, r->late ? SVG_LATE : style, 1);
		svg_arrow(p->out, middle, (y2 + y3) / 2, panel->client, y3, r->late ? SVG_LATE : style, 0);
	} else if (is_under_way(r)) {
		const double y2 = exchange_place(p, r->sent_at + p->way);

		svg_line(p->out, panel->client, y1, middle, (y1 + y2) / 2, style, r->fate == FATE_WAITING);
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
	const struct record_packet *x = ((const struct packet_of *)a)->packet, *y = ((const struct packet_of *)b)->packet;

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

static void draw_packets(const struct panel *panel)
{
	const struct picture *p = panel->picture;
	struct packet_of *all = calloc(p->count * RECORD_PACKETS + p->handshake_count + 1, sizeof *all);
	size_t n = 0;

	for (size_t i = 0; all && i < p->count; i++) {
		const struct record *r = &p->records[i];

		for (size_t k = 0; r->stream == panel->stream && exchange_has_packets(r) && k < r->packet_count; k++)
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

static void draw_line(struct panel *panel, const struct record *r)
{
	if (exchange_waits(r))
		svg_line(panel->picture->out, panel->client, exchange_place(panel->picture, r->typed_at), panel->client,
		    exchange_place(panel->picture, r->sent_at), SVG_WAITS, 0);
	if (!exchange_has_packets(r) && exchange_known(r->sent_at))
		draw_reckoned(panel, r);
	exchange_left(panel, r);
}

/* --- the picture --- */

/* A faint line between the hosts of each panel, and the time at the left of all. */
static void draw_mark(const struct picture *p, double y, int dashed, const char *words)
{
	const int panels = p->transports[0] + p->transports[1];

	for (int i = 0; i < panels; i++) {
		const double client = MARGIN + TIMES + i * PANEL + EXCHANGE_WORDS_LEFT;

		svg_line(p->out, client, y, client + WAY, y, SVG_GRID, dashed);
	}
	svg_words(p->out, MARGIN, y + 3, 9, SVG_START, words);
}

static void draw_cuts(const struct picture *p)
{
	char time[40], words[50];

	for (size_t i = 0; i < p->axis.cut_count; i++) {
		const struct time_cut *cut = &p->axis.cuts[i];

		units_duration_text(cut->to - cut->from, "µ", time, sizeof time);
		snprintf(words, sizeof words, "⋯ %s", time);
		draw_mark(p, EXCHANGE_TOP + (cut->begin + cut->end) / 2, 1, words);
	}
}

/* With so many digits that two marks are never told by the same words. */
static void mark_words(int64_t at, int64_t step, char *buf, size_t size)
{
	static const struct { int64_t ns; const char *name; } units[] = {
		{ NS_PER_S, "s" }, { NS_PER_MS, "ms" }, { NS_PER_US, "µs" }, { 1, "ns" },
	};
	char digits[12] = ".";
	size_t i = 0, n = 1;

	while (i + 1 < sizeof units / sizeof *units && at < units[i].ns)
		i++;
	for (int64_t part = units[i].ns; part > step && part > 1 && n + 1 < sizeof digits;) {
		part /= 10;
		digits[n++] = (char)('0' + at / part % 10);
	}
	snprintf(buf, size, "%" PRId64 "%s %s", at / units[i].ns, n > 1 ? digits : "", units[i].name);
}

static void draw_times(const struct picture *p)
{
	const struct time_axis *a = &p->axis;
	const int64_t step = time_axis_step(a, 60);
	char text[40];
	size_t cut = 0;

	for (int64_t t = a->count ? a->moments[0] / step * step : 0; a->count && t <= a->moments[a->count - 1]; t += step) {
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
		draw_mark(p, exchange_place(p, t), 0, text);
	}
}

/* A host's line of time, dashed where the axis is cut. */
static void draw_host(const struct picture *p, double x, double bottom, const char *name)
{
	double from = EXCHANGE_TOP - 14;

	for (size_t i = 0; i < p->axis.cut_count; i++) {
		const double begin = EXCHANGE_TOP + p->axis.cuts[i].begin + 6, end = EXCHANGE_TOP + p->axis.cuts[i].end - 6;

		svg_line(p->out, x, from, x, begin, SVG_AXIS, 0);
		svg_line(p->out, x, begin, x, end, SVG_AXIS, 1);
		from = end;
	}
	svg_arrow(p->out, x, from, x, bottom, SVG_AXIS, 0);
	svg_words(p->out, x, EXCHANGE_TOP - 20, 12, SVG_MIDDLE, name);
}

/* Connections are drawn by their packets. */
static bool is_across(const struct record_event *e)
{
	return e->kind != SESSION_EVENT_TCP;
}

/* Where the words of the next event stand, not over those of the one before. */
static double event_words(const struct picture *p, size_t event, double *next)
{
	const double y = exchange_place(p, p->events[event].at) - 3;

	*next = (y > *next ? y : *next) + EVENT_ROW;
	return *next - EVENT_ROW;
}

static void draw_events(const struct picture *p)
{
	const int panels = p->transports[0] + p->transports[1];
	const double left = MARGIN + TIMES, right = left + (panels ? panels : 1) * PANEL;
	double next = EXCHANGE_TOP - 12;
	char words[RECORD_EVENT_WORDS];

	for (size_t i = 0; i < p->event_count; i++) {
		if (!is_across(&p->events[i]))
			continue;
		const double y = exchange_place(p, p->events[i].at), at = event_words(p, i, &next);

		svg_line(p->out, left, y, right, y, SVG_EVENT, 0);
		record_event_words(&p->events[i], words);
		svg_text(p->out, left + EXCHANGE_WORDS_LEFT + 14, at, EVENT_FONT, SVG_START, "", words, strlen(words), EVENT_COLUMNS);
	}
}

static void draw_panel(struct picture *p, bool stream, double x, double bottom)
{
	struct panel panel = { .picture = p, .stream = stream, .client = x + EXCHANGE_WORDS_LEFT, .server = x + EXCHANGE_WORDS_LEFT + WAY,
		.left = EXCHANGE_TOP - 4, .right = EXCHANGE_TOP - 4 };

	svg_words(p->out, x + EXCHANGE_WORDS_LEFT + WAY / 2, EXCHANGE_TOP - 38, 14, SVG_MIDDLE, stream ? "TCP" : "UDP");
	draw_host(p, panel.client, bottom, "client");
	draw_host(p, panel.server, bottom, "server");
	draw_packets(&panel);
	for (size_t i = 0; i < p->count; i++)
		if (p->records[i].stream == stream)
			draw_line(&panel, &p->records[i]);
	exchange_replies(&panel);
}

static void see_packet(const struct record_packet *k, bool *again, bool *bare, bool *died)
{
	*again |= k->again && k->payload;
	*bare |= !k->payload;
	*died |= !exchange_known(k->out) || k->fate == EVENT_CORRUPTED;
}

/* What the colours mean; only what is in the picture. */
static void draw_legend(const struct picture *p, double y)
{
	bool again = false, bare = false, late = false, died = false, unknown = false, reckoned = false, waits = false, changed = false;
	double x = MARGIN;

	for (size_t i = 0; i < p->count; i++) {
		const struct record *r = &p->records[i];

		late |= r->late;
		waits |= exchange_waits(r);
		unknown |= !exchange_has_packets(r) && exchange_known(r->sent_at) && is_under_way(r) && r->fate != FATE_WAITING;
		reckoned |= !exchange_has_packets(r) && exchange_known(r->replied_at);
		for (size_t k = 0; k < r->packet_count; k++)
			see_packet(&r->packets[k], &again, &bare, &died);
	}
	for (size_t i = 0; i < p->handshake_count; i++) {
		see_packet(&p->handshakes[i], &again, &bare, p->handshakes[i].reckoned ? &unknown : &died);
		reckoned |= p->handshakes[i].reckoned;
	}
	for (size_t i = 0; i < p->event_count; i++)
		changed |= is_across(&p->events[i]);

	const struct { bool shown; enum svg_style style; int dashed; const char *words; } entries[] = {
		{ p->transports[0], SVG_UDP, 0, "UDP datagram" },
		{ p->transports[1], SVG_TCP, 0, "TCP segment" },
		{ again, SVG_AGAIN, 0, "sent again" },
		{ bare, SVG_BARE, 0, "no payload (ACK)" },
		{ late, SVG_LATE, 0, "late" },
		{ waits, SVG_WAITS, 0, "typed, not sent yet" },
		{ died, SVG_LOST, 0, "it died on the way" },
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
		svg_words(p->out, x + 34, y + 4, EXCHANGE_FONT, SVG_START, entries[i].words);
		x += 44 + 7.0 * (double)strlen(entries[i].words);
	}
}

/* Words moved down may need more room than the axis. */
static double body_height(const struct picture *p)
{
	double height = p->axis.length, next = 0;

	for (int stream = 0; stream < 2; stream++) {
		const double words = exchange_words_height(p, stream == 1);

		height = words > height ? words : height;
	}
	for (size_t i = 0; i < p->event_count; i++)
		if (is_across(&p->events[i]))
			event_words(p, i, &next);
	return (next - EXCHANGE_TOP > height ? next - EXCHANGE_TOP : height) + 24;
}

static void draw(struct picture *p, const struct svg_heading *heading)
{
	const int panels = p->transports[0] + p->transports[1];
	const double width = 2 * MARGIN + TIMES + (panels ? panels : 1) * PANEL, bottom = EXCHANGE_TOP + body_height(p);
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

int64_t exchange_page_begin(const struct record *records, size_t count, size_t page)
{
	int64_t first = page > 0 ? INT64_MAX : INT64_MIN;

	for (size_t i = page_begin(records, count, page); i < page_begin(records, count, page + 1); i++)
		first = records[i].typed_at < first ? records[i].typed_at : first;
	return first;
}

/* From its begin to the next page's, or as long as its lines last. */
static void choose_events(struct picture *p, const struct record *records, size_t count, size_t page,
    const struct record_event *events, size_t event_count)
{
	const int64_t from = exchange_page_begin(records, count, page), next = exchange_page_begin(records, count, page + 1);
	const int64_t last = exchange_last(p);
	size_t begin = 0, end = 0;

	while (begin < event_count && events[begin].at < from)
		begin++;
	for (end = begin; end < event_count && (events[end].at < next || events[end].at <= last);)
		end++;
	p->events = events + begin;
	p->event_count = end - begin;
}

static void reckon_packet(struct picture *p, struct record_packet packet, int64_t in, int64_t out)
{
	packet.fate = exchange_known(out) ? EVENT_DELIVERED : EVENT_LOST;
	packet.in = in;
	packet.out = out;
	packet.out2 = RECORD_NEVER;
	packet.reckoned = true;
	p->handshakes[p->handshake_count++] = packet;
}

/* Without the link's word: the client's end is true. Of a SYN that was sent more than once only the first is known, and the answer to the
 * last. */
static void reckon_connection(struct picture *p, const struct record_event *e)
{
	const struct session_connection *c = &e->connection;
	const struct record_packet syn = { .way = EVENT_THERE, .syn = true };
	const struct record_packet end = { .way = c->ours ? EVENT_THERE : EVENT_BACK, .fin = !c->error, .rst = c->error == ECONNRESET };
	const bool refused = c->stage == SESSION_FAILED && c->error == ECONNREFUSED;
	const struct record_packet answer = { .way = EVENT_BACK, .syn = !refused, .rst = refused, .ack = true };
	const bool answered = c->stage == SESSION_CONNECTED || refused;
	const int64_t half = e->at + e->took - (c->syns > 1 ? p->way : e->took / 2);

	if (c->stage == SESSION_ENDED) {
		if (end.fin || end.rst)
			reckon_packet(p, end, c->ours ? e->at : e->at - p->way, c->ours ? e->at + p->way : e->at);
		return;
	}
	reckon_packet(p, syn, e->at, answered && c->syns < 2 ? half : RECORD_NEVER);
	if (answered)
		reckon_packet(p, answer, half, e->at + e->took);
}

static int choose_handshakes(struct picture *p, bool lab)
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

int exchange_page(FILE *out, const struct record *records, size_t count, size_t page, const struct record_event *events,
    size_t event_count, const struct svg_heading *heading)
{
	const size_t begin = page_begin(records, count, page);
	struct picture p = { .out = out, .records = records + begin, .count = page_begin(records, count, page + 1) - begin };
	int result;

	p.way = exchange_usual_way(p.records, p.count, events, event_count);
	choose_events(&p, records, count, page, events, event_count);
	for (size_t i = 0; i < p.count; i++)
		p.transports[p.records[i].stream] = true;
	result = choose_handshakes(&p, heading->link && *heading->link) < 0 || exchange_make_axis(&p) < 0 ? -1 : 0;
	if (result == 0) {
		p.transports[1] |= p.handshake_count > 0;
		draw(&p, heading);
		time_axis_free(&p.axis);
	}
	free(p.handshakes);
	return result;
}
