/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Each transport is drawn as a panel of its own: the hosts' lines, the arrows, and the words beside
 * them, moved where they would cover each other. One transport has its lines' fates at the left and
 * the replies at the right; two share the lines at the left and have both at the right. */
#include "report/pictures.h"

#include "common/capitals.h"
#include "common/text.h"
#include "common/utf8.h"
#include "report/sequence.h"
#include "report/summary.h"

/* Pixels: the axis of time begins and ends; the times of the axis end, and behind them the lines'
 * texts begin. */
#define TOP (SVG_HEADING + 54)
#define BOTTOM (TOP + SEQUENCE_ROWS * SEQUENCE_ROW)
#define TIMES 154.0
#define TEXTS 164.0
/* Pixels, with one transport and with two: the first client's line, the way between the hosts, and
 * the way to the next client's line. The maximum columns of a line's number and text, and of the
 * words and replies at the right, by transport. */
static const struct layout {
	double client, way, next;
	size_t columns, right[2];
	enum parts_detail detail;
} layouts[] = {
	{ 750, 262, 0, 16, { 14, 14 }, PARTS_LONGEST },
	{ 352, 140, 396, 11, { 15, 24 }, PARTS_TIME },
};
/* The maximum columns of an event's words; and the columns of a reply that is shown. */
#define EVENT_COLUMNS 67
#define REPLY_MIN 4
#define REPLY_MAX 12
/* Where a lost packet's arrow ends, as a part of the way: the link does not report the place. */
#define DROPPED_AT 0.55

/* Entries of the legend besides the styles. */
enum { UNKNOWN = SVG_STYLES, ESTIMATED, ENTRIES };

struct picture {
	FILE *out;
	struct sequence s;
	const struct layout *layout;
	bool both;       /* two transports */
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

/* The time when the server replied to the line. */
static int64_t server_time(const struct picture *p, const struct record *r)
{
	for (size_t i = 0; i < p->s.packet_count; i++) {
		const struct link_packet *k = &p->s.packets[i].of;

		if (p->s.packets[i].record == r && k->direction == LINK_COMING && k->payload)
			return k->in;
	}
	return RECORD_NEVER;
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

/* Writes words and, as far as there are columns left, the reply to the line. */
static void put_reply(const struct panel *panel, double y, const char *words,
    const struct record *r)
{
	const struct picture *p = panel->picture;
	const size_t left = p->layout->right[panel->stream] - (size_t)utf8_columns(words);
	unsigned char capitals[CAPITALS_GROWTH * 64];
	size_t n;
	const unsigned char *text = reply_text(r, capitals, &n);

	svg_text(p->out, panel->server + (p->both ? 8 : 14), y, SVG_START, words, text, n,
	    left < REPLY_MAX ? left : REPLY_MAX);
}

/* With two transports, the reply stands behind its time if there is room. */
static void draw_fate(const struct panel *panel, double y, const struct record *r)
{
	const struct picture *p = panel->picture;
	char words[120];

	fate_and_time(p, r, words, sizeof words);
	if (p->both && r->row.fate == FATE_ANSWERED &&
	    (size_t)utf8_columns(words) + 1 + REPLY_MIN <= p->layout->right[panel->stream])
		put_reply(panel, y, TEXT_FORMAT("%s ", words), r);
	else if (p->both)
		svg_words(p->out, panel->server + 8, y, SVG_START, words);
	else
		svg_words(p->out, panel->client - 36, y, SVG_END, words);
}

/* --- arrows --- */

static enum svg_style own_style(const struct panel *panel)
{
	return panel->stream ? SVG_TCP : SVG_UDP;
}

/* Draws a packet that did not arrive: a cross where the link dropped it, or without the link's
 * report, unless it is still on its way. */
static void draw_lost(const struct panel *panel, const struct sequence_packet *k, double x,
    double y)
{
	const struct picture *p = panel->picture;

	if (k->record && k->record->row.fate == FATE_WAITING && k->estimated)
		return;
	show(p, k->estimated ? UNKNOWN : SVG_LOST);
	svg_cross(p->out, x, y, SVG_LOST);
}

static enum svg_style packet_style(const struct panel *panel, const struct sequence_packet *k)
{
	return !k->of.payload      ? SVG_BARE
	     : k->of.retransmitted ? SVG_RETRANSMITTED
	     : k->record && k->record->row.late && k->of.direction == LINK_COMING
	         ? SVG_LATE
	         : own_style(panel);
}

/* Draws the second half of a packet that arrived, from `x`, `y` to `to`, `end`. */
static void draw_arrived(const struct panel *panel, const struct sequence_packet *k, double x,
    double y, double to, double end)
{
	const struct picture *p = panel->picture;
	const bool there = k->of.direction == LINK_GOING;

	svg_arrow(p->out, x, y, to, end, packet_style(panel, k), k->estimated && there);
	if (k->estimated)
		show(p, ESTIMATED);
	if (k->of.fate != LINK_CORRUPTED)
		return;
	show(p, SVG_LOST);
	svg_cross(p->out, to + (there ? -8 : 8), end, SVG_LOST);
}

static void draw_packet(const struct panel *panel, const struct sequence_packet *packet)
{
	const struct picture *p = panel->picture;
	const struct link_packet *k = &packet->of;
	const bool there = k->direction == LINK_GOING, arrived = sequence_known(k->out);
	const double from = there ? panel->client : panel->server,
	             to = there ? panel->server : panel->client;
	const double y1 = place(p, k->in), y2 = place(p, sequence_packet_end(&p->s, k));
	const double part = arrived ? 0.5 : DROPPED_AT, x = from + (to - from) * part,
	             y = y1 + (y2 - y1) * part;
	const enum svg_style style = packet_style(panel, packet);

	show(p, style);
	/* The half at the server is dashed where it is estimated. */
	svg_line(p->out, from, y1, x, y, style, arrived && packet->estimated && !there);
	if (arrived)
		draw_arrived(panel, packet, x, y, to, y2);
	else
		draw_lost(panel, packet, x, y);
	/* Older recordings know it of dropped packets alone. */
	if (k->requested || k->fate == LINK_REQUESTED_DROP)
		svg_words(p->out, x, y + 34, SVG_MIDDLE, "on cue");
	if (sequence_known(k->out2))
		svg_arrow(p->out, from, y1, to, place(p, k->out2), style, 0);
	if (sequence_is_named(k))
		svg_words(p->out, (from + to) / 2, y1 - 8, SVG_MIDDLE, record_flags_name(k));
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
		svg_words(p->out, TIMES, y + SVG_FONT / 3, SVG_END, words);
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

static void draw_times(const struct picture *p)
{
	const struct time_axis *a = &p->s.axis;
	const int64_t step = time_axis_step(a, 60);
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
		draw_mark(p, place(p, t), 0,
		    has_room(p, place(p, t)) ? AXIS_TIME((double)t, "µ") : NULL);
	}
}

/* Draws a host's line of time, dashed where the axis is cut. */
static void draw_host(const struct picture *p, double x, const char *name)
{
	svg_words(p->out, x, TOP - 18, SVG_MIDDLE, name);
	svg_arrow(p->out, x, TOP - 10, x, BOTTOM + 14, SVG_AXIS, 0);
	for (size_t i = 0; i < p->s.axis.cut_count; i++)
		svg_line(p->out, x, TOP + p->s.axis.cuts[i].begin + 2, x,
		    TOP + p->s.axis.cuts[i].end - 2, SVG_GROUND, 1);
}

static bool is_new_number(const struct picture *p, size_t i)
{
	return i == 0 || p->s.records[i].row.number != p->s.records[i - 1].row.number;
}

/* Draws an event's line, and below it its words if there are rows left for events. */
static void draw_event(const struct picture *p, struct column *c, const struct session_event *e,
    size_t *rows)
{
	const bool notice = session_event_is_notice(e);
	const double y = place(p, e->at) - p->s.axis.stop * (notice ? 2 : 1);
	const char *words = SESSION_EVENT_TEXT(e);
	double at;

	if (!sequence_is_row(e))
		return;
	if (!notice)
		show(p, SVG_EVENT);
	svg_line(p->out, TEXTS, y, SVG_WIDTH - SVG_MARGIN, y, SVG_EVENT, 0);
	if (*rows == 0)
		return;
	--*rows;
	at = row_place(c, y + SEQUENCE_ROW / 2);
	/* No line goes through the words. */
	svg_box(p->out, TEXTS, at - SEQUENCE_ROW / 2 + 2, SVG_COLUMN * (double)utf8_columns(words),
	    SEQUENCE_ROW - 2, SVG_GROUND);
	svg_text(p->out, TEXTS, at + SVG_FONT / 3, SVG_START, "", words, strlen(words),
	    EVENT_COLUMNS);
}

/* Counts the rows of lines and events, and returns those of events. */
static size_t count_rows(const struct picture *p, size_t *rows)
{
	size_t lines = 0, events = 0;

	for (size_t i = 0; i < p->s.count; i++)
		lines += is_new_number(p, i);
	for (size_t i = 0; i < p->s.event_count; i++)
		events += lines + events < SEQUENCE_ROWS && sequence_is_row(&p->s.events[i]);
	*rows = lines + events;
	return events;
}

/* Draws the texts of lines with their fates, and the events, in order of time. */
static void draw_rows(const struct picture *p, const struct panel panels[2])
{
	const double client = p->layout->client;
	struct column column = { .next = TOP };
	size_t events = count_rows(p, &column.left), e = 0;
	double y = TOP;

	for (size_t i = 0; i < p->s.count; i++) {
		const struct record *r = &p->s.records[i];
		const char *number = TEXT_FORMAT("%" PRIu64 " ", r->row.number);

		while (e < p->s.event_count && p->s.events[e].at <= sequence_begins(r))
			draw_event(p, &column, &p->s.events[e++], &events);
		if (is_new_number(p, i)) {
			y = put_beside(p, &column, client - 4, place(p, sequence_begins(r)),
			    client - 24);
			svg_text(p->out, TEXTS, y, SVG_START, number, r->row.text, r->row.length,
			    p->layout->columns - strlen(number));
		}
		draw_fate(&panels[r->row.stream], y, r);
	}
	while (e < p->s.event_count)
		draw_event(p, &column, &p->s.events[e++], &events);
}

/* Draws the hosts and the packets between them. */
static void draw_hosts(const struct panel *panel)
{
	const struct picture *p = panel->picture;
	const struct sequence_packet *k = p->s.packets;

	svg_name(p->out, panel->client - 48, TOP - 18, own_style(panel),
	    transport_info[panel->stream].title);
	draw_host(p, panel->client, "client");
	draw_host(p, panel->server, "server");
	for (size_t i = 0; i < p->s.packet_count; i++)
		if (k[i].stream == panel->stream &&
		    (i == 0 || sequence_order(&k[i - 1], &k[i]) != 0))
			draw_packet(panel, &k[i]);
}

/* Draws what the lines waited before they were sent, and the replies to one transport's. */
static void draw_lines(const struct panel *panel)
{
	const struct picture *p = panel->picture;
	struct column replies = { .next = TOP };

	for (size_t i = 0; i < p->s.count; i++)
		replies.left += sequence_known(server_time(p, &p->s.records[i]));
	for (size_t i = 0; i < p->s.count; i++) {
		const struct record *r = &p->s.records[i];

		if (r->row.stream == panel->stream && sequence_waits(r)) {
			show(p, SVG_WAITS);
			svg_line(p->out, panel->client, place(p, r->row.typed_at), panel->client,
			    place(p, r->row.sent_at), SVG_WAITS, 0);
		}
		if (!p->both && sequence_known(server_time(p, r)))
			put_reply(panel,
			    put_beside(p, &replies, panel->server + 4, place(p, server_time(p, r)),
			        panel->server + 12),
			    TEXT_FORMAT("%" PRIu64 " ", r->row.number), r);
	}
}

/* Draws a sample of an entry of the legend. */
static void draw_sample(const struct picture *p, int entry, double x, double y)
{
	if (entry == SVG_LOST || entry == UNKNOWN)
		svg_cross(p->out, x + 20, y, SVG_LOST);
	else if (entry == ESTIMATED)
		svg_line(p->out, x, y, x + 40, y, SVG_AXIS, 1);
	else
		svg_line(p->out, x, y, x + 40, y, (enum svg_style)entry, 0);
}

/* Draws the legend of what is in the picture. */
static void draw_legend(const struct picture *p, double y)
{
	static const char *const words[ENTRIES] = {
		[SVG_RETRANSMITTED] = "sent again",
		[SVG_BARE] = "no data (ACK)",
		[SVG_LATE] = "late",
		[SVG_WAITS] = "not sent yet",
		[SVG_LOST] = "lost",
		[UNKNOWN] = "no reply",
		[ESTIMATED] = "server's time estimated",
		[SVG_EVENT] = "change",
	};
	double x = SVG_MARGIN;

	for (int entry = 0; entry < ENTRIES; entry++) {
		if (!words[entry] || !(*p->shown & 1u << entry))
			continue;
		draw_sample(p, entry, x, y);
		svg_words(p->out, x + 48, y + SVG_FONT / 3, SVG_START, words[entry]);
		x += 74 + SVG_COLUMN * (double)strlen(words[entry]);
	}
}

static void draw(const struct picture *p, const struct svg_heading *heading)
{
	struct panel panels[2];
	double client = p->layout->client;

	svg_begin(p->out, heading);
	draw_times(p);
	draw_cuts(p);
	for (int stream = 0; stream < 2; stream++) {
		panels[stream] = (struct panel){ p, stream == 1, client, client + p->layout->way };
		if (!p->s.transports[stream])
			continue;
		draw_hosts(&panels[stream]);
		draw_lines(&panels[stream]);
		client += p->layout->next;
	}
	draw_rows(p, panels);
	if (!p->s.transports[0] && !p->s.transports[1])
		svg_words(p->out, TEXTS, TOP, SVG_START, "no lines");
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
