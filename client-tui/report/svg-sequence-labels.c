/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The words at both sides of the space-time diagram, moved down where they would cover each other.
 */
#include "config.h"

#include <inttypes.h>
#include <stdlib.h>

#include "common/capitals.h"
#include "report/svg-sequence-internal.h"
#include "common/units.h"

/* Characters of a text. */
#define TEXT_COLUMNS 16

/* What became of a line, in words: where it died if that is known. */
static const char *fate_words(const struct record *r, char *buf, size_t size)
{
	static const char *const places[] = {
		[TRACE_STILL_GOING] = "still going",
		[TRACE_SERVER] = "no reply",
		[TRACE_STILL_COMING] = "still coming",
	};
	static const char *const fates[] = {
		[FATE_QUEUED] = "queued",
		[FATE_WAITING] = "waiting",
		[FATE_ANSWERED] = "",
		[FATE_LOST] = "lost",
		[FATE_REFUSED] = "refused",
		[FATE_FAILED] = "failed",
		[FATE_CUT_OFF] = "cut off",
	};

	const enum link_way way = r->place == TRACE_GOING ? LINK_GOING : LINK_COMING;

	if (r->fate == FATE_LOST && !r->late && r->legs &&
	    (r->place == TRACE_GOING || r->place == TRACE_COMING))
		return link_loss_text((enum link_fate)r->legs[way].fate, way, buf, size);
	if (r->fate == FATE_LOST && !r->late && r->legs &&
	    (size_t)r->place < sizeof places / sizeof *places && places[r->place])
		return places[r->place];
	return r->late ? "late" : fates[r->fate];
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
	const struct parts parts = record_parts(r);
	char time[60] = "", retransmitted[30] = "", words[40];
	const char *fate = fate_words(r, words, sizeof words);

	if (svg_sequence_known(r->replied_at) && svg_sequence_known(r->sent_at))
		parts_text(&parts, PARTS_LONGEST, "µ", time, sizeof time);
	if (retransmission_count(r) > 0)
		snprintf(retransmitted, sizeof retransmitted, " · again %d×",
		    retransmission_count(r));
	snprintf(buf, size, "%s%s%s%s ", fate, *fate && *time ? " " : "", time, retransmitted);
}

/* Words beside a host's line at `y`, lower if others stand there; then a faint line leads to them.
 */
static double put_beside(const struct sequence_picture *p, double *next, double x, double y,
    double to)
{
	const double at = y > *next ? y : *next;

	if (at - y > 2)
		svg_line(p->out, x, y, to, at, SVG_GRID, 0);
	*next = at + SVG_SEQUENCE_ROW;
	return at + SVG_SEQUENCE_FONT / 3;
}

void svg_sequence_left(struct sequence_panel *panel, const struct record *r)
{
	struct sequence_picture *p = panel->picture;
	const double y = svg_sequence_place(p, svg_sequence_begins(r)),
	             x = panel->client - SVG_SEQUENCE_WORDS_LEFT + 8;
	const double at = put_beside(p, &panel->left, panel->client - 4, y, panel->client - 16);
	char words[120], number[24];

	snprintf(number, sizeof number, "%" PRIu64 " ", r->number);
	svg_text(p->out, x, at, SVG_SEQUENCE_FONT, SVG_START, number, r->text, r->length,
	    TEXT_COLUMNS);
	left_words(r, words, sizeof words);
	svg_words(p->out, panel->client - 16, at, SVG_SEQUENCE_FONT, SVG_END, words);
}

/* When the server had the line: in the lab the true time, else half the round trip. */
static int64_t server_time(const struct record *r)
{
	for (size_t i = 0; svg_sequence_has_packets(r) && i < r->packet_count; i++)
		if (r->packets[i].way == LINK_COMING && r->packets[i].payload)
			return r->packets[i].in;
	if (svg_sequence_has_packets(r) || !svg_sequence_known(r->replied_at) ||
	    !svg_sequence_known(r->sent_at))
		return RECORD_NEVER;
	return svg_sequence_half_way(r);
}

/* A reply, or several that one segment brought, in the order of time, since words give way
 * downwards. */
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
static struct reply_words *find_replies(const struct sequence_picture *p, bool stream,
    size_t *count)
{
	struct reply_words *w = calloc(p->count + 1, sizeof *w);
	size_t n = 0, groups = 0;

	for (size_t i = 0; w && i < p->count; i++)
		if (p->records[i].stream == stream &&
		    svg_sequence_known(server_time(&p->records[i])))
			w[n++] = (struct reply_words){ server_time(&p->records[i]), &p->records[i],
				&p->records[i] };
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
static const unsigned char *reply_text(const struct record *r,
    unsigned char buf[CAPITALS_GROWTH * 64], size_t *n)
{
	if (r->reply) {
		*n = r->reply_length;
		return r->reply;
	}
	*n = capitals_text(r->text, r->length < 64 ? r->length : 64, buf);
	return buf;
}

static void draw_reply(struct sequence_panel *panel, const struct reply_words *w)
{
	struct sequence_picture *p = panel->picture;
	const double at = put_beside(p, &panel->right, panel->server + 4,
	    svg_sequence_place(p, w->at), panel->server + 16);
	unsigned char capitals[CAPITALS_GROWTH * 64];
	const unsigned char *text;
	char number[60];
	size_t n;

	if (w->first == w->last)
		snprintf(number, sizeof number, "%" PRIu64 " ", w->first->number);
	else
		snprintf(number, sizeof number, "%" PRIu64 "–%" PRIu64 " … ", w->first->number,
		    w->last->number);
	text = reply_text(w->last, capitals, &n);
	svg_text(p->out, panel->server + 18, at, SVG_SEQUENCE_FONT, SVG_START, number, text, n,
	    TEXT_COLUMNS);
}

void svg_sequence_replies(struct sequence_panel *panel)
{
	size_t n = 0;
	struct reply_words *w = find_replies(panel->picture, panel->stream, &n);

	for (size_t i = 0; i < n; i++)
		draw_reply(panel, &w[i]);
	free(w);
}

static double words_end(double *next, double y)
{
	*next = (y > *next ? y : *next) + SVG_SEQUENCE_ROW;
	return *next;
}

double svg_sequence_words_height(const struct sequence_picture *p, bool stream)
{
	double left = 0, right = 0;
	size_t n = 0;
	struct reply_words *w = find_replies(p, stream, &n);

	for (size_t i = 0; i < p->count; i++)
		if (p->records[i].stream == stream)
			words_end(&left,
			    time_axis_place(&p->axis, svg_sequence_begins(&p->records[i])));
	for (size_t i = 0; i < n; i++)
		words_end(&right, time_axis_place(&p->axis, w[i].at));
	free(w);
	return left > right ? left : right;
}
