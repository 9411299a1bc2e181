/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Each transport is drawn as a panel of its own: the hosts' lines, the arrows, and the words beside
 * them, moved where they would cover each other. One transport has its lines' fates at the left and
 * the replies at the right; two share the lines at the left and have their fates at the right. */
#include "config.h"

#include "report/pictures.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/capitals.h"
#include "common/clock.h"
#include "common/text.h"
#include "report/sequence.h"
#include "report/summary.h"

/* Pixels: the ends of the axis of time; the lines' texts, behind the times of the axis. */
#define TOP (SVG_HEADING + 54)
#define BOTTOM (TOP + SEQUENCE_ROWS * SEQUENCE_ROW)
#define TEXTS 168.0
/* Pixels, with one transport and with two: the first client's line, the way between the hosts, and
 * the way to the next client's line. The maximum columns of a text, and of a fate. */
static const struct layout {
	double client, way, next;
	size_t columns;
	enum parts_detail detail;
} layouts[] = {
	{ 750, 262, 0, 12, PARTS_LONGEST },
	{ 398, 200, 397, 9, PARTS_TIME },
};
/* The maximum columns of an event's words, and of a reply in capitals. */
#define EVENT_COLUMNS 66
#define REPLY_COLUMNS 11
#define FATE_COLUMNS 12 /* the maximum columns of a fate between two panels */
/* Where a lost packet's arrow ends, as a part of the way: the link does not report the place. */
#define DROPPED_AT 0.55
#define FLAGS_AT 0.3 /* the place of a segment's name along its arrow */

/* Entries of the legend besides the styles. */
enum { UNKNOWN = SVG_STYLES, ESTIMATED };

struct picture {
	FILE *out;
	struct sequence s;
	const struct layout *layout;
	bool both; /* two transports */
	/* The rows of events' words: the events' times, and the places on the page. */
	struct {
		int64_t at;
		double y;
	} rows[SEQUENCE_ROWS];
	size_t row_count;
	unsigned *shown; /* what is drawn, for the legend: 1 << style */
};

static void show(const struct picture *p, int entry)
{
	*p->shown |= 1u << entry;
}

struct panel {
	const struct picture *picture;
	bool stream;
	double client, server; /* the hosts' lines */
};

/* Words one below the other: where the next may stand, and how many are to come. */
struct column {
	double next;
	size_t left;
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

static void fate_and_time(const struct picture *p, const struct record *r, char *buf, size_t size)
{
	const struct parts parts = parts_of_row(&r->row);
	char time[60] = "", words[40];
	const char *fate = fate_words(r, words, sizeof words);
	struct text t = text_begin(buf, size);

	if (sequence_known(r->row.replied_at) && sequence_known(r->row.sent_at))
		parts_text(&parts, p->layout->detail, "µ", time, sizeof time);
	text_put(&t, "%s%s%s", fate, *fate && *time ? " " : "", time);
	if (retransmission_count(r) > 0)
		text_put(&t, ", %d× again", retransmission_count(r));
}

/* The place of the column's next words, at `y` if the others leave room there. */
static double row_place(struct column *c, double y)
{
	double at = y > c->next ? y : c->next, last = BOTTOM - (double)c->left * SEQUENCE_ROW;

	c->left--;
	at = at < last ? at : last;
	c->next = at + SEQUENCE_ROW;
	return at;
}

/* Returns the baseline of words from `to` on; a faint line leads from `x` to them if moved. */
static double put_beside(const struct picture *p, struct column *c, double x, double y, double to)
{
	const double at = row_place(c, y);

	if (at - y > 6 || y - at > 6)
		svg_line(p->out, x, y, to, at, SVG_GRID, 0);
	return at + SVG_FONT / 3;
}

/* The words of events stand across: those of a line are below. */
static void go_below_events(const struct picture *p, struct column *c, int64_t at)
{
	for (size_t i = 0; i < p->row_count; i++)
		if (p->rows[i].at <= at && p->rows[i].y + SEQUENCE_ROW > c->next)
			c->next = p->rows[i].y + SEQUENCE_ROW;
}

static void draw_fate(const struct panel *panel, struct column *c, const struct record *r)
{
	const struct picture *p = panel->picture;
	const double y = place(p, sequence_begins(r));
	char words[120];

	go_below_events(p, c, sequence_begins(r));
	fate_and_time(p, r, words, sizeof words);
	svg_text(p->out, p->both ? panel->server + 12 : panel->client - 36,
	    row_place(c, y) + SVG_FONT / 3, SVG_FONT, p->both ? SVG_START : SVG_END, "", words,
	    strlen(words), p->both && !panel->stream ? FATE_COLUMNS : SIZE_MAX);
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

static void draw_reply(const struct panel *panel, struct column *c, const struct record *r)
{
	const struct picture *p = panel->picture;
	const double at = put_beside(p, c, panel->server + 4, place(p, server_time(r)),
	    panel->server + 12);
	unsigned char capitals[CAPITALS_GROWTH * 64];
	size_t n;
	const unsigned char *text = reply_text(r, capitals, &n);

	svg_text(p->out, panel->server + 14, at, SVG_FONT, SVG_START,
	    TEXT_FORMAT("%" PRIu64 " ", r->row.number), text, n, REPLY_COLUMNS);
}

/* --- arrows --- */

static enum svg_style own_style(const struct panel *panel)
{
	return panel->stream ? SVG_TCP : SVG_UDP;
}

/* Draws the name of a segment above the beginning of its arrow. */
static void draw_flags(const struct panel *panel, const struct link_packet *k, double from,
    double to, double y1, double y2)
{
	if (sequence_is_named(k))
		svg_words(panel->picture->out, from + (to - from) * FLAGS_AT,
		    y1 + (y2 - y1) * FLAGS_AT - 5, SVG_FONT, SVG_MIDDLE, record_flags_name(k));
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

	show(p, style);
	if (sequence_known(k->out) && k->estimated) {
		const double x = (from + to) / 2, y = (y1 + y2) / 2;

		show(p, ESTIMATED);
		svg_line(p->out, from, y1, x, y, style, !there);
		svg_arrow(p->out, x, y, to, y2, style, there);
	} else if (sequence_known(k->out)) {
		svg_arrow(p->out, from, y1, to, y2, style, 0);
		if (k->fate == LINK_CORRUPTED) {
			show(p, SVG_LOST);
			svg_cross(p->out, to + (there ? -8 : 8), y2, SVG_LOST);
		}
	} else {
		const double part = r && k->estimated ? 0.5 : DROPPED_AT;
		const double x = from + (to - from) * part, y = y1 + (y2 - y1) * part;

		show(p, k->estimated ? UNKNOWN : SVG_LOST);
		svg_line(p->out, from, y1, x, y, style, 0);
		svg_cross(p->out, x, y, SVG_LOST);
		if (k->fate == LINK_REQUESTED_DROP)
			svg_words(p->out, x, y + 34, SVG_FONT, SVG_MIDDLE, "on cue");
	}
	if (sequence_known(k->out2))
		svg_arrow(p->out, from, y1, to, place(p, k->out2), style, 0);
	draw_flags(panel, k, from, to, y1, y2);
}

/* Draws a line without the link's events: the client's end is true, the server's is estimated. */
static void draw_estimated(const struct panel *panel, const struct record *r)
{
	const struct picture *p = panel->picture;
	const bool replied = sequence_known(r->row.replied_at);
	struct link_packet k = { .direction = LINK_GOING,
		.payload = true,
		.estimated = true,
		.in = r->row.sent_at,
		.out = replied ? sequence_midpoint(r) : RECORD_NEVER,
		.out2 = RECORD_NEVER };

	if (!replied && r->row.fate == FATE_WAITING)
		svg_line(p->out, panel->client, place(p, k.in), (panel->client + panel->server) / 2,
		    (place(p, k.in) + place(p, sequence_packet_end(&p->s, &k))) / 2,
		    own_style(panel), 1);
	else if (replied || (r->row.fate != FATE_FAILED && r->row.fate != FATE_QUEUED))
		draw_packet(panel, r, &k);
	if (!replied)
		return;
	k.direction = LINK_COMING;
	k.in = k.out;
	k.out = r->row.replied_at;
	draw_packet(panel, r, &k);
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

static void draw_line(const struct panel *panel, const struct record *r)
{
	const struct picture *p = panel->picture;

	if (sequence_waits(r)) {
		show(p, SVG_WAITS);
		svg_line(p->out, panel->client, place(p, r->row.typed_at), panel->client,
		    place(p, r->row.sent_at), SVG_WAITS, 0);
	}
	if (!sequence_has_packets(r) && sequence_known(r->row.sent_at))
		draw_estimated(panel, r);
}

/* --- the picture --- */

/* Draws a faint line between each panel's hosts, and at the left the time, or NULL. */
static void draw_mark(const struct picture *p, double y, int dashed, const char *words)
{
	for (int i = 0; i <= p->both; i++) {
		const double client = p->layout->client + i * p->layout->next;

		svg_line(p->out, client, y, client + p->layout->way, y, SVG_GRID, dashed);
	}
	if (words)
		svg_words(p->out, TEXTS - 14, y + SVG_FONT / 3, SVG_FONT, SVG_END, words);
}

/* The middle of a cut on the page. */
static double cut_place(const struct time_cut *cut)
{
	return TOP + (cut->begin + cut->end) / 2;
}

static void draw_cuts(const struct picture *p)
{
	double next = 0;

	for (size_t i = 0; i < p->s.axis.cut_count; i++) {
		const struct time_cut *cut = &p->s.axis.cuts[i];
		const bool room = cut_place(cut) >= next;

		draw_mark(p, cut_place(cut), 1,
		    room ? TEXT_FORMAT("⋯ %s", TEXT_SPAN(cut->to - cut->from)) : NULL);
		if (room)
			next = cut_place(cut) + SVG_FONT;
	}
}

static bool has_room(const struct picture *p, double y)
{
	for (size_t i = 0; i < p->s.axis.cut_count; i++)
		if (y > cut_place(&p->s.axis.cuts[i]) - SEQUENCE_ROW &&
		    y < cut_place(&p->s.axis.cuts[i]) + SEQUENCE_ROW)
			return false;
	return true;
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
		draw_mark(p, place(p, t), 0, has_room(p, place(p, t)) ? text : NULL);
	}
}

/* Draws a host's line of time, dashed where the axis is cut. */
static void draw_host(const struct picture *p, double x, double bottom, const char *name)
{
	double from = TOP - 10;

	for (size_t i = 0; i < p->s.axis.cut_count; i++) {
		const double begin = TOP + p->s.axis.cuts[i].begin + 2,
		             end = TOP + p->s.axis.cuts[i].end - 2;

		svg_line(p->out, x, from, x, begin, SVG_AXIS, 0);
		svg_line(p->out, x, begin, x, end, SVG_AXIS, 1);
		from = end;
	}
	svg_arrow(p->out, x, from, x, bottom, SVG_AXIS, 0);
	svg_words(p->out, x, TOP - 18, SVG_FONT, SVG_MIDDLE, name);
}

static bool is_new_number(const struct picture *p, size_t i)
{
	return i == 0 || p->s.records[i].row.number != p->s.records[i - 1].row.number;
}

/* Draws an event's line, and below it its words as far as the column has rows for events. */
static void draw_event(struct picture *p, struct column *c, const struct session_event *e,
    size_t rows)
{
	const bool notice = session_event_is_notice(e);
	const double y = place(p, e->at) - p->s.axis.cut * (notice ? 2 : 1);
	const char *words = SESSION_EVENT_TEXT(e);
	double at;

	if (!sequence_is_row(e))
		return;
	if (!notice)
		show(p, SVG_EVENT);
	svg_line(p->out, TEXTS, y, SVG_WIDTH - SVG_MARGIN, y, SVG_EVENT, 0);
	if (p->row_count == rows)
		return;
	at = row_place(c, y + SEQUENCE_ROW / 2);
	svg_text(p->out, TEXTS, at + SVG_FONT / 3, SVG_FONT, SVG_START, "", words, strlen(words),
	    EVENT_COLUMNS);
	p->rows[p->row_count].at = e->at;
	p->rows[p->row_count++].y = at;
}

/* Draws the texts of lines and the events, in order of time. */
static void draw_rows(struct picture *p)
{
	const double client = p->layout->client;
	struct column column = { .next = TOP };
	size_t lines = 0, events = 0, e = 0;

	for (size_t i = 0; i < p->s.count; i++)
		lines += is_new_number(p, i);
	for (size_t i = 0; i < p->s.event_count; i++)
		events += lines + events < SEQUENCE_ROWS && sequence_is_row(&p->s.events[i]);
	column.left = lines + events;
	for (size_t i = 0; i < p->s.count; i++) {
		const struct record *r = &p->s.records[i];

		if (!is_new_number(p, i))
			continue;
		while (e < p->s.event_count && p->s.events[e].at <= sequence_begins(r))
			draw_event(p, &column, &p->s.events[e++], events);
		svg_text(p->out, TEXTS,
		    put_beside(p, &column, client - 4, place(p, sequence_begins(r)), client - 30),
		    SVG_FONT, SVG_START, TEXT_FORMAT("%" PRIu64 " ", r->row.number), r->row.text,
		    r->row.length, p->layout->columns);
	}
	while (e < p->s.event_count)
		draw_event(p, &column, &p->s.events[e++], events);
}

static void draw_panel(const struct picture *p, bool stream, double client)
{
	const struct panel panel = {
		.picture = p, .stream = stream, .client = client, .server = client + p->layout->way
	};
	struct column fates = { .next = TOP }, replies = { .next = TOP };

	svg_name(p->out, client + p->layout->way / 2, TOP - 18, own_style(&panel),
	    transport_info[stream].title);
	draw_host(p, panel.client, BOTTOM + 14, "client");
	draw_host(p, panel.server, BOTTOM + 14, "server");
	draw_packets(&panel);
	for (size_t i = 0; i < p->s.count; i++)
		fates.left += p->s.records[i].row.stream == stream;
	for (size_t i = 0; i < p->s.count; i++)
		replies.left += sequence_known(server_time(&p->s.records[i]));
	for (size_t i = 0; i < p->s.count; i++) {
		const struct record *r = &p->s.records[i];

		if (r->row.stream != stream)
			continue;
		draw_line(&panel, r);
		draw_fate(&panel, &fates, r);
		if (!p->both && sequence_known(server_time(r)))
			draw_reply(&panel, &replies, r);
	}
}

/* Draws the legend of what is in the picture. */
static void draw_legend(const struct picture *p, double y)
{
	static const struct {
		int entry;
		enum svg_style style;
		const char *words;
	} entries[] = {
		{ SVG_RETRANSMITTED, SVG_RETRANSMITTED, "sent again" },
		{ SVG_BARE, SVG_BARE, "no data (ACK)" },
		{ SVG_LATE, SVG_LATE, "late" },
		{ SVG_WAITS, SVG_WAITS, "not sent yet" },
		{ SVG_LOST, SVG_LOST, "lost" },
		{ UNKNOWN, SVG_LOST, "no reply" },
		{ ESTIMATED, SVG_AXIS, "server's time estimated" },
		{ SVG_EVENT, SVG_EVENT, "change" },
	};
	double x = SVG_MARGIN;

	for (size_t i = 0; i < sizeof entries / sizeof *entries; i++) {
		if (!(*p->shown & 1u << entries[i].entry))
			continue;
		if (entries[i].style == SVG_LOST)
			svg_cross(p->out, x + 20, y, SVG_LOST);
		else
			svg_line(p->out, x, y, x + 40, y, entries[i].style,
			    entries[i].entry == ESTIMATED);
		svg_words(p->out, x + 48, y + SVG_FONT / 3, SVG_FONT, SVG_START, entries[i].words);
		x += 74 + SVG_COLUMN * (double)strlen(entries[i].words);
	}
}

static void draw(struct picture *p, const struct svg_heading *heading)
{
	double client = p->layout->client;

	svg_begin(p->out, heading);
	draw_times(p);
	draw_cuts(p);
	draw_rows(p);
	for (int stream = 0; stream < 2; stream++) {
		if (!p->s.transports[stream])
			continue;
		draw_panel(p, stream == 1, client);
		client += p->layout->next;
	}
	if (!p->s.transports[0] && !p->s.transports[1])
		svg_words(p->out, TEXTS, TOP, SVG_FONT, SVG_START, "no lines");
	draw_legend(p, SVG_HEIGHT - 32);
	svg_end(p->out);
}

int svg_sequence_page(FILE *out, const struct picture_data *d, size_t page,
    const struct svg_heading *heading)
{
	unsigned shown = 0;
	struct picture p = { .out = out, .shown = &shown };

	if (sequence_make(&p.s, d, page, heading->link && *heading->link) < 0)
		return -1;
	p.both = p.s.transports[0] && p.s.transports[1];
	p.layout = &layouts[p.both];
	draw(&p, heading);
	sequence_free(&p.s);
	return 0;
}
