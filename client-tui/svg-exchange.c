/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A page is a slice of the records. First every moment that stands in it is collected for the axis of time, then each transport is
 * drawn as a panel of its own: the hosts' lines, the arrows, and the words at both sides, moved down where they would cover each
 * other. */
#include "config.h"

#include "svg-exchange.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "capitals.h"
#include "clock.h"
#include "svg.h"
#include "time-axis.h"
#include "units.h"

/* Pixels: the words at the left and right of a panel, the way between the hosts, the margins, a row of words. */
#define WORDS_LEFT 290.0
#define WORDS_RIGHT 170.0
#define WAY 300.0
#define PANEL (WORDS_LEFT + WAY + WORDS_RIGHT)
#define MARGIN 30.0
/* The words of the axis of time, at the very left. */
#define TIMES 60.0
#define TOP (SVG_HEADING + 56)
#define LEGEND 60.0
#define ROW 13.0
#define FONT 11.0
/* An arrow of usual duration falls by so many pixels; a page is not longer than the axis may be. */
#define FALL 24.0
/* Or by up to so many, where lines are sent so fast that their arrows would cover each other. */
#define FALL_MOST 300.0
#define AXIS_MOST 4200.0
/* Nothing for so many usual durations: the axis is cut. */
#define QUIET 8
/* Characters of a text. */
#define TEXT_COLUMNS 16
/* How far a packet got that died on the way: the link says only that it did. */
#define DIED_AT 0.55

struct picture {
	FILE *out;
	const struct record *records;
	size_t count;
	struct time_axis axis;
	/* The usual time of one way, ns. */
	int64_t way;
	bool transports[2];
	double height;
};

struct panel {
	struct picture *picture;
	bool stream;
	/* The hosts' lines. */
	double client, server;
	/* Where the next words at the left and at the right may begin. */
	double left, right;
};

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

/* --- times --- */

static bool known(int64_t moment)
{
	return moment != RECORD_NEVER;
}

static int64_t half_way(const struct record *r)
{
	return r->sent_at + (r->replied_at - r->sent_at) / 2;
}

static bool has_packets(const struct record *r)
{
	return r->has_link && r->packet_count > 0;
}

/* When a packet that died would have arrived. */
static int64_t packet_end(const struct picture *p, const struct record_packet *packet)
{
	return known(packet->out) ? packet->out : packet->in + p->way;
}

struct moments {
	int64_t *at;
	size_t count;
};

static void add_moment(struct moments *m, int64_t moment)
{
	if (known(moment))
		m->at[m->count++] = moment;
}

static void add_moments(const struct picture *p, const struct record *r, struct moments *m)
{
	add_moment(m, r->sent_at);
	add_moment(m, r->replied_at);
	if (!has_packets(r)) {
		if (known(r->sent_at))
			add_moment(m, known(r->replied_at) ? half_way(r) : r->sent_at + p->way);
		return;
	}
	for (size_t i = 0; i < r->packet_count; i++) {
		add_moment(m, r->packets[i].in);
		add_moment(m, packet_end(p, &r->packets[i]));
		add_moment(m, r->packets[i].out2);
	}
}

static int by_time(const void *a, const void *b)
{
	const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

/* The median of what the packets took that arrived, or of half the round trips. */
static int64_t usual_way(const struct record *records, size_t count)
{
	int64_t *times = calloc(count * (RECORD_PACKETS + 1) + 1, sizeof *times), usual = NS_PER_MS;
	size_t n = 0;

	for (size_t i = 0; times && i < count; i++) {
		const struct record *r = &records[i];

		for (size_t k = 0; has_packets(r) && k < r->packet_count; k++)
			if (known(r->packets[k].out))
				times[n++] = r->packets[k].out - r->packets[k].in;
		if (!has_packets(r) && r->fate == FATE_ANSWERED && known(r->sent_at) && known(r->replied_at))
			times[n++] = half_way(r) - r->sent_at;
	}
	if (n > 0) {
		qsort(times, n, sizeof *times, by_time);
		usual = times[n / 2];
	}
	free(times);
	return usual > 1000 ? usual : 1000;
}

/* The median time between two lines sent one after the other; 0 when that says nothing. */
static int64_t usual_gap(const struct picture *p)
{
	int64_t *gaps = calloc(p->count + 1, sizeof *gaps), usual = 0;
	const struct record *before = NULL;
	size_t n = 0;

	for (size_t i = 0; gaps && i < p->count; i++) {
		const struct record *r = &p->records[i];

		if (r->stream != p->records[0].stream || !known(r->sent_at))
			continue;
		if (before && r->sent_at > before->sent_at)
			gaps[n++] = r->sent_at - before->sent_at;
		before = r;
	}
	if (n > 0) {
		qsort(gaps, n, sizeof *gaps, by_time);
		usual = gaps[n / 2];
	}
	free(gaps);
	return usual;
}

/* How far an arrow falls, so that each line has a row of words beside it, if that can be. */
static double fall(const struct picture *p)
{
	const int64_t gap = usual_gap(p);
	const double wanted = gap > 0 ? ROW * (double)p->way / (double)gap : FALL;

	return wanted < FALL ? FALL : wanted > FALL_MOST ? FALL_MOST : wanted;
}

static int make_axis(struct picture *p)
{
	struct moments m = { .at = calloc(p->count * (3 * RECORD_PACKETS + 3) + 1, sizeof *m.at) };
	int result = -1;

	for (size_t i = 0; m.at && i < p->count; i++)
		add_moments(p, &p->records[i], &m);
	if (m.at)
		result = time_axis_make(&p->axis, m.at, m.count, QUIET * p->way, p->way, fall(p), AXIS_MOST);
	free(m.at);
	return result;
}

/* --- arrows --- */

static double place(const struct picture *p, int64_t moment)
{
	return TOP + time_axis_place(&p->axis, moment);
}

static enum svg_style own_style(const struct panel *panel)
{
	return panel->stream ? SVG_TCP : SVG_UDP;
}

static void draw_packet(const struct panel *panel, const struct record *r, const struct record_packet *k)
{
	struct picture *p = panel->picture;
	const bool there = k->way == EVENT_THERE;
	const double from = there ? panel->client : panel->server, to = there ? panel->server : panel->client;
	const double y1 = place(p, k->in), y2 = place(p, packet_end(p, k));
	enum svg_style style = !k->payload ? SVG_BARE : k->again ? SVG_AGAIN : r->late && !there ? SVG_LATE : own_style(panel);

	if (known(k->out)) {
		svg_arrow(p->out, from, y1, to, y2, style, 0);
		if (k->fate == EVENT_CORRUPTED)
			svg_cross(p->out, to + (there ? -8 : 8), y2, SVG_LOST);
	} else {
		const double x = from + (to - from) * DIED_AT, y = y1 + (y2 - y1) * DIED_AT;

		svg_line(p->out, from, y1, x, y, style, 0);
		svg_cross(p->out, x, y, SVG_LOST);
	}
	if (known(k->out2))
		svg_arrow(p->out, from, y1, to, place(p, k->out2), style, 0);
}

/* Without the link's word: the client's end is true, the server's is reckoned. */
static void draw_reckoned(const struct panel *panel, const struct record *r)
{
	struct picture *p = panel->picture;
	const double middle = (panel->client + panel->server) / 2, y1 = place(p, r->sent_at);
	const enum svg_style style = own_style(panel);

	if (known(r->replied_at)) {
		const double y2 = place(p, half_way(r)), y3 = place(p, r->replied_at);

		svg_line(p->out, panel->client, y1, middle, (y1 + y2) / 2, style, 0);
		svg_arrow(p->out, middle, (y1 + y2) / 2, panel->server, y2, style, 1);
		svg_line(p->out, panel->server, y2, middle, (y2 + y3) / 2, r->late ? SVG_LATE : style, 1);
		svg_arrow(p->out, middle, (y2 + y3) / 2, panel->client, y3, r->late ? SVG_LATE : style, 0);
	} else if (r->fate != FATE_FAILED && r->fate != FATE_QUEUED) {
		const double y2 = place(p, r->sent_at + p->way);

		svg_line(p->out, panel->client, y1, middle, (y1 + y2) / 2, style, r->fate == FATE_WAITING);
		if (r->fate != FATE_WAITING)
			svg_cross(p->out, middle, (y1 + y2) / 2, SVG_LOST);
	}
}

/* --- words --- */

/* What became of a line, in words: where it died if that is known. */
static const char *fate_words(const struct record *r)
{
	static const char *const places[] = {
		[WITNESS_GOING] = "lost going", [WITNESS_STILL_GOING] = "still going", [WITNESS_SERVER] = "no reply",
		[WITNESS_COMING] = "lost coming", [WITNESS_STILL_COMING] = "still coming",
	};
	static const char *const fates[] = {
		[FATE_QUEUED] = "queued", [FATE_WAITING] = "waiting", [FATE_ANSWERED] = "", [FATE_LOST] = "lost",
		[FATE_REFUSED] = "refused", [FATE_FAILED] = "failed", [FATE_CUT_OFF] = "cut off",
	};

	if (r->fate == FATE_LOST && !r->late && r->has_link && (size_t)r->place < sizeof places / sizeof *places &&
	    places[r->place])
		return places[r->place];
	return r->late ? "late" : fates[r->fate];
}

static int times_again(const struct record *r)
{
	int again = 0;

	for (size_t i = 0; i < r->packet_count; i++)
		again += r->packets[i].again && r->packets[i].payload;
	return again;
}

static void left_words(const struct record *r, char *buf, size_t size)
{
	char time[40] = "", again[30] = "";

	if (known(r->replied_at) && known(r->sent_at))
		units_duration_text(r->replied_at - r->sent_at, "µ", time, sizeof time);
	if (times_again(r) > 0)
		snprintf(again, sizeof again, " · again %d×", times_again(r));
	snprintf(buf, size, "%s%s%s%s ", *fate_words(r) ? fate_words(r) : "", *fate_words(r) && *time ? " " : "", time, again);
}

/* Words beside a host's line at `y`, lower if others stand there; then a faint line leads to them. */
static double put_beside(const struct picture *p, double *next, double x, double y, double to)
{
	const double at = y > *next ? y : *next;

	if (at - y > 2)
		svg_line(p->out, x, y, to, at, SVG_GRID, 0);
	*next = at + ROW;
	return at + FONT / 3;
}

static void draw_left(struct panel *panel, const struct record *r)
{
	struct picture *p = panel->picture;
	const double y = place(p, known(r->sent_at) ? r->sent_at : r->typed_at), x = panel->client - WORDS_LEFT + 8;
	const double at = put_beside(p, &panel->left, panel->client - 4, y, panel->client - 16);
	char words[120], number[24];

	snprintf(number, sizeof number, "%" PRIu64 " ", r->number);
	svg_text(p->out, x, at, FONT, SVG_START, number, r->text, r->length, TEXT_COLUMNS);
	left_words(r, words, sizeof words);
	svg_words(p->out, panel->client - 16, at, FONT, SVG_END, words);
}

/* When the server had the line: in the lab the true time, else half the round trip. */
static int64_t server_time(const struct record *r)
{
	for (size_t i = 0; has_packets(r) && i < r->packet_count; i++)
		if (r->packets[i].way == EVENT_BACK && r->packets[i].payload)
			return r->packets[i].in;
	if (has_packets(r) || !known(r->replied_at) || !known(r->sent_at))
		return RECORD_NEVER;
	return half_way(r);
}

/* A reply, or several that one segment brought, in the order of time, since words give way downwards. */
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
	struct reply_words *w = calloc(p->count + 1, sizeof *w);
	size_t n = 0, groups = 0;

	for (size_t i = 0; w && i < p->count; i++)
		if (p->records[i].stream == stream && known(server_time(&p->records[i])))
			w[n++] = (struct reply_words){ server_time(&p->records[i]), &p->records[i], &p->records[i] };
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

/* What the server sent: the capitals, or what came instead. Into `buf`. */
static const unsigned char *reply_text(const struct record *r, unsigned char buf[CAPITALS_GROWTH * 64], size_t *n)
{
	if (r->reply) {
		*n = r->reply_length;
		return r->reply;
	}
	*n = capitals_text(r->text, r->length < 64 ? r->length : 64, buf);
	return buf;
}

static void draw_reply(struct panel *panel, const struct reply_words *w)
{
	struct picture *p = panel->picture;
	const double at = put_beside(p, &panel->right, panel->server + 4, place(p, w->at), panel->server + 16);
	unsigned char capitals[CAPITALS_GROWTH * 64];
	const unsigned char *text;
	char number[60];
	size_t n;

	if (w->first == w->last)
		snprintf(number, sizeof number, "%" PRIu64 " ", w->first->number);
	else
		snprintf(number, sizeof number, "%" PRIu64 "–%" PRIu64 " … ", w->first->number, w->last->number);
	text = reply_text(w->last, capitals, &n);
	svg_text(p->out, panel->server + 18, at, FONT, SVG_START, number, text, n, TEXT_COLUMNS);
}

static void draw_replies(struct panel *panel)
{
	size_t n = 0;
	struct reply_words *w = find_replies(panel->picture, panel->stream, &n);

	for (size_t i = 0; i < n; i++)
		draw_reply(panel, &w[i]);
	free(w);
}

/* A packet that carries several lines stands in the record of each, and is drawn once. */
struct packet_of {
	const struct record_packet *packet;
	const struct record *record;
};

static int by_packet(const void *a, const void *b)
{
	const struct record_packet *x = ((const struct packet_of *)a)->packet, *y = ((const struct packet_of *)b)->packet;

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
	struct packet_of *all = calloc(p->count * RECORD_PACKETS + 1, sizeof *all);
	size_t n = 0;

	for (size_t i = 0; all && i < p->count; i++) {
		const struct record *r = &p->records[i];

		for (size_t k = 0; r->stream == panel->stream && has_packets(r) && k < r->packet_count; k++)
			all[n++] = (struct packet_of){ &r->packets[k], r };
	}
	if (n > 0)
		qsort(all, n, sizeof *all, by_packet);
	for (size_t i = 0; i < n; i++)
		if (i == 0 || by_packet(&all[i - 1], &all[i]) != 0)
			draw_packet(panel, all[i].record, all[i].packet);
	free(all);
}

static void draw_line(struct panel *panel, const struct record *r)
{
	if (!has_packets(r) && known(r->sent_at))
		draw_reckoned(panel, r);
	draw_left(panel, r);
}

/* --- the picture --- */

/* A faint line between the hosts of each panel, and the time at the left of all. */
static void draw_mark(const struct picture *p, double y, int dashed, const char *words)
{
	const int panels = p->transports[0] + p->transports[1];

	for (int i = 0; i < panels; i++) {
		const double client = MARGIN + TIMES + i * PANEL + WORDS_LEFT;

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
		draw_mark(p, TOP + (cut->begin + cut->end) / 2, 1, words);
	}
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
		if (t >= a->moments[0])
			draw_mark(p, place(p, t), 0, units_duration_text(t, "µ", text, sizeof text));
	}
}

/* A host's line of time, dashed where the axis is cut. */
static void draw_host(const struct picture *p, double x, double bottom, const char *name)
{
	double from = TOP - 14;

	for (size_t i = 0; i < p->axis.cut_count; i++) {
		const double begin = TOP + p->axis.cuts[i].begin + 6, end = TOP + p->axis.cuts[i].end - 6;

		svg_line(p->out, x, from, x, begin, SVG_AXIS, 0);
		svg_line(p->out, x, begin, x, end, SVG_AXIS, 1);
		from = end;
	}
	svg_arrow(p->out, x, from, x, bottom, SVG_AXIS, 0);
	svg_words(p->out, x, TOP - 20, 12, SVG_MIDDLE, name);
}

static void draw_panel(struct picture *p, bool stream, double x, double bottom)
{
	struct panel panel = { .picture = p, .stream = stream, .client = x + WORDS_LEFT, .server = x + WORDS_LEFT + WAY,
		.left = TOP - 4, .right = TOP - 4 };

	svg_words(p->out, x + WORDS_LEFT + WAY / 2, TOP - 38, 14, SVG_MIDDLE, stream ? "TCP" : "UDP");
	draw_host(p, panel.client, bottom, "client");
	draw_host(p, panel.server, bottom, "server");
	draw_packets(&panel);
	for (size_t i = 0; i < p->count; i++)
		if (p->records[i].stream == stream)
			draw_line(&panel, &p->records[i]);
	draw_replies(&panel);
}

/* What the colours mean; only what is in the picture. */
static void draw_legend(const struct picture *p, double y)
{
	bool again = false, bare = false, late = false, link = false, reckoned = false;
	double x = MARGIN;
	const struct { bool shown; enum svg_style style; int dashed; const char *words; } entries[] = {
		{ p->transports[0], SVG_UDP, 0, "UDP datagram" },
		{ p->transports[1], SVG_TCP, 0, "TCP segment" },
		{ true, SVG_AGAIN, 0, "sent again" },
		{ true, SVG_BARE, 0, "no payload (ACK)" },
		{ true, SVG_LATE, 0, "late" },
		{ true, SVG_LOST, 0, "it died on the way" },
		{ true, SVG_LOST, 0, "lost; where is not known" },
		{ true, SVG_AXIS, 1, "server's end reckoned at half the round trip" },
	};

	for (size_t i = 0; i < p->count; i++) {
		const struct record *r = &p->records[i];

		late |= r->late;
		link |= has_packets(r);
		reckoned |= !has_packets(r) && known(r->replied_at);
		for (size_t k = 0; k < r->packet_count; k++) {
			again |= r->packets[k].again;
			bare |= !r->packets[k].payload;
		}
	}
	for (size_t i = 0; i < sizeof entries / sizeof *entries; i++) {
		if (!entries[i].shown || (i == 2 && !again) || (i == 3 && !bare) || (i == 4 && !late) || (i == 5 && !link) || (i == 6 && link) ||
		    (i == 7 && !reckoned))
			continue;
		if (entries[i].style == SVG_LOST)
			svg_cross(p->out, x + 14, y, SVG_LOST);
		else
			svg_line(p->out, x, y, x + 28, y, entries[i].style, entries[i].dashed);
		svg_words(p->out, x + 34, y + 4, FONT, SVG_START, entries[i].words);
		x += 44 + 7.0 * (double)strlen(entries[i].words);
	}
}

static double words_end(double *next, double y)
{
	*next = (y > *next ? y : *next) + ROW;
	return *next;
}

static double panel_height(const struct picture *p, bool stream)
{
	double left = 0, right = 0;
	size_t n = 0;
	struct reply_words *w = find_replies(p, stream, &n);

	for (size_t i = 0; i < p->count; i++)
		if (p->records[i].stream == stream)
			words_end(&left, known(p->records[i].sent_at) ? time_axis_place(&p->axis, p->records[i].sent_at) : 0);
	for (size_t i = 0; i < n; i++)
		words_end(&right, time_axis_place(&p->axis, w[i].at));
	free(w);
	return left > right ? left : right;
}

/* Words moved down may need more room than the axis. */
static double body_height(const struct picture *p)
{
	double height = p->axis.length;

	for (int stream = 0; stream < 2; stream++) {
		const double words = panel_height(p, stream == 1);

		height = words > height ? words : height;
	}
	return height + 24;
}

static void draw(struct picture *p, const struct svg_heading *heading)
{
	const int panels = p->transports[0] + p->transports[1];
	const double width = 2 * MARGIN + TIMES + (panels ? panels : 1) * PANEL, bottom = TOP + body_height(p);
	double x = MARGIN + TIMES;

	svg_begin(p->out, width, bottom + LEGEND, MARGIN, heading);
	draw_times(p);
	draw_cuts(p);
	for (int stream = 0; stream < 2; stream++) {
		if (!p->transports[stream])
			continue;
		draw_panel(p, stream == 1, x, bottom);
		x += PANEL;
	}
	draw_legend(p, bottom + LEGEND / 2);
	svg_end(p->out);
}

int exchange_page(FILE *out, const struct record *records, size_t count, size_t page, const struct svg_heading *heading)
{
	const size_t begin = page_begin(records, count, page);
	struct picture p = { .out = out, .records = records + begin, .count = page_begin(records, count, page + 1) - begin };

	p.way = usual_way(p.records, p.count);
	for (size_t i = 0; i < p.count; i++)
		p.transports[p.records[i].stream] = true;
	if (make_axis(&p) < 0)
		return -1;
	draw(&p, heading);
	time_axis_free(&p.axis);
	return 0;
}
