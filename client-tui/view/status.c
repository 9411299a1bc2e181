/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The status line: fields in a fixed order, each with a rank. On a narrow screen the fields of the
 * highest rank go first, then the peer becomes shorter in its middle, then the separators, then the
 * other fields but the transport. With both transports at once each has a line; where only one line
 * fits, it shows the main fields of both. */
#include "config.h"

#include "view/view-internal.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/units.h"

/* The minimum width of the peer while other fields can be dropped. */
#define PEER_MIN 8
/* The lowest rank of fields that are dropped before the peer is shortened. */
#define RANK_SPARE 4
/* The maximum number of fields of the progress. */
#define PROGRESS_PARTS 4
/* A rank above that of all fields. */
#define RANK_MAX 99

struct status_field {
	/* The separator before it. */
	const char *before;
	/* Its words: borrowed, or in `own`. */
	const char *text;
	char own[96];
	enum style style;
	int rank;
	bool dropped;
};

struct status_line {
	const struct panes *p;
	struct status_field fields[32];
	int count;
	/* The field that can be shortened, or NULL. */
	struct status_field *peer;
	/* The maximum width of the peer. */
	int peer_columns;
	bool tight;
};

static struct status_field *add(struct status_line *s, int rank, const char *before)
{
	struct status_field *f = &s->fields[s->count++];
	*f = (struct status_field){ .before = before, .rank = rank, .style = STYLE_STATUS };
	return f;
}

__attribute__((format(printf, 4, 5))) static void add_words(struct status_line *s, int rank,
    const char *before, const char *format, ...)
{
	struct status_field *f = add(s, rank,
	    before != NULL ? before : glyph(GLYPH_SEPARATOR, s->p->v->ascii));
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(f->own, sizeof f->own, format, arguments);
	va_end(arguments);
	f->text = f->own;
}

/* Adds a count unless it is 0. */
static void add_some(struct status_line *s, int rank, const char *name, uint64_t count)
{
	if (count > 0)
		add_words(s, rank, NULL, "%s %" PRIu64, name, count);
}

static void add_transport(struct status_line *s, bool stream, const char *before)
{
	struct status_field *f = add(s, 0, before);
	f->text = transport_info[stream].title;
	f->style = transport_looks[stream].style;
}

static void add_state(struct status_line *s, const char *state)
{
	if (state != NULL)
		add_words(s, 3, " ", "(%s)", state);
}

/* Adds the parts as fields: the middle ones are dropped first, then the last, then the first. */
static void add_progress(struct status_line *s, const char *progress)
{
	static const char divider[] = " · ";
	for (int part = 0; progress != NULL && part < PROGRESS_PARTS; part++) {
		const char *end = part + 1 < PROGRESS_PARTS ? strstr(progress, divider) : NULL;
		int length = (int)(end != NULL ? (size_t)(end - progress) : strlen(progress));
		add_words(s, part == 0 ? 1 : end == NULL ? 3 : 4, NULL, "%.*s", length, progress);
		progress = end != NULL ? end + strlen(divider) : NULL;
	}
}

/* The share is of the lines whose fate was chance. */
static void add_loss(struct status_line *s, const struct ledger_totals *t)
{
	uint64_t by_chance = ledger_answered_or_lost(t);
	add_words(s, 1, NULL, "lost %" PRIu64, t->lost);
	if (by_chance > 0) {
		uint64_t tenths = (uint64_t)((double)t->lost * 1000 / (double)by_chance + 0.5);
		add_words(s, 5, " ", "(%" PRIu64 ".%" PRIu64 " %%)", tenths / 10, tenths % 10);
	}
}

static void add_waited(struct status_line *s, const struct ledger_totals *t, bool stream,
    int64_t limit)
{
	const bool ascii = s->p->v->ascii;
	const char *bar = glyph(GLYPH_BAR, ascii);
	if (t->timed > 0) {
		const struct ledger_times *w = &t->waited;
		int64_t unit = w->max >= NS_PER_S  ? NS_PER_S
		             : w->max >= NS_PER_MS ? NS_PER_MS
		                                   : NS_PER_US;
		add_words(s, 13, bar, "waited %s / %s / %s %s%s", UNITS_FIGURES(w->min, unit),
		    UNITS_FIGURES((int64_t)w->mean, unit), UNITS_FIGURES(w->max, unit),
		    unit == NS_PER_S    ? ""
		    : unit == NS_PER_MS ? "m"
		                        : glyph(GLYPH_MICRO, ascii),
		    "s");
		bar = NULL;
	}
	if (!stream)
		add_words(s, 14, bar, "wait %s", UNITS_DURATION(limit, glyph(GLYPH_MICRO, ascii)));
}

static void add_counts(struct status_line *s, const struct ledger_totals *t, bool stream)
{
	add_words(s, 1, NULL, "sent %" PRIu64, t->sent);
	add_words(s, 2, NULL, "answered %" PRIu64, t->answered);
	if (stream) {
		add_words(s, 2, NULL, "waiting %" PRIu64, t->waiting);
		add_some(s, 3, "cut off", t->cut_off);
		add_some(s, 4, "lost", t->lost);
	} else {
		add_loss(s, t);
		/* A count that is not 0 has a lower rank. */
		add_words(s, t->late > 0 ? 7 : 10, NULL, "late %" PRIu64, t->late);
		add_words(s, t->duplicates > 0 ? 7 : 11, NULL, "dup %" PRIu64, t->duplicates);
		add_some(s, 8, "waiting", t->waiting);
		add_some(s, 4, "cut off", t->cut_off);
	}
	add_some(s, 4, "refused", t->refused);
	add_some(s, 4, "failed", t->failed);
	add_some(s, 6, "queued", t->queued);
	add_some(s, 9, "reordered", t->reordered);
	add_some(s, 12, "differs", t->differs);
	add_some(s, 12, "cut short", t->cut_short);
	add_some(s, 9, "strays", t->strays);
	if (stream)
		add_some(s, 11, "dup", t->duplicates);
}

/* The separator before a field: a sign, words or a blank. */
static const char *field_before(const struct status_line *s, const struct status_field *f)
{
	return s->tight && f->before[0] != '\0' ? " " : f->before;
}

/* Lays the text out in v->line. */
static int columns_of(const struct status_line *s, const char *text)
{
	const struct layout *l = &s->p->v->line;
	view_lay(s->p->v, text);
	return (int)layout_columns(l, 0, l->count);
}

static int total_columns(const struct status_line *s)
{
	int total = 0;
	for (int i = 0; i < s->count; i++) {
		const struct status_field *f = &s->fields[i];
		if (f->dropped)
			continue;
		int columns = columns_of(s, f->text);
		if (f == s->peer && columns > s->peer_columns)
			columns = s->peer_columns;
		total += utf8_columns(field_before(s, f)) + columns;
	}
	return total;
}

/* Drops the field of the highest rank, at least `min`. */
static bool drop_one(struct status_line *s, int min)
{
	struct status_field *worst = NULL;
	for (int i = 0; i < s->count; i++) {
		struct status_field *f = &s->fields[i];
		if (!f->dropped && f->rank >= min && (worst == NULL || f->rank >= worst->rank))
			worst = f;
	}
	if (worst != NULL)
		worst->dropped = true;
	return worst != NULL;
}

static void shorten_peer(struct status_line *s, int width, int min)
{
	int peer = columns_of(s, s->peer->text);
	if (peer > s->peer_columns)
		peer = s->peer_columns;
	int over = total_columns(s) - width;
	s->peer_columns = peer - over > min ? peer - over : peer < min ? peer : min;
}

static void fit(struct status_line *s, int width)
{
	if (s->peer != NULL)
		s->peer_columns = columns_of(s, s->peer->text);
	while (total_columns(s) > width && drop_one(s, RANK_SPARE))
		continue;
	if (s->peer != NULL && total_columns(s) > width)
		shorten_peer(s, width, PEER_MIN);
	s->tight = total_columns(s) > width;
	while (total_columns(s) > width && drop_one(s, 1))
		continue;
	/* Drops the peer last, and makes it wider again if other dropped fields left room. */
	if (s->peer != NULL && total_columns(s) > width)
		shorten_peer(s, width, 1);
	else if (s->peer != NULL && s->peer_columns < columns_of(s, s->peer->text))
		s->peer_columns += width - total_columns(s);
}

/* Draws the text in v->line with an ellipsis in its middle: a name's beginning and the port stay.
 */
static int draw_short(const struct status_line *s, int row, int column)
{
	struct canvas *c = s->p->c;
	const struct layout *l = &s->p->v->line;
	const char *ellipsis = glyph(GLYPH_ELLIPSIS, s->p->v->ascii);
	int end = s->p->columns, kept = s->peer_columns - utf8_columns(ellipsis), head = kept / 2;
	if (kept < 2)
		return canvas_cells(c, row, column, column + s->peer_columns, l->cells, l->count,
		    STYLE_STATUS);
	canvas_cells(c, row, column, column + head, l->cells, l->count, STYLE_STATUS);
	column = canvas_text(c, row, column + head, end, ellipsis, STYLE_STATUS);
	size_t from = l->count;
	while (from > 0 && layout_columns(l, from - 1, l->count) <= (size_t)(kept - head))
		from--;
	return canvas_cells(c, row, column, end, l->cells + from, l->count - from, STYLE_STATUS);
}

static void draw_fields(struct status_line *s, int row)
{
	const struct panes *p = s->p;
	const struct layout *l = &p->v->line;
	fit(s, p->columns - p->pad);
	canvas_fill(p->c, row, 0, p->columns, L' ', STYLE_STATUS);
	int column = p->pad;
	for (int i = 0; i < s->count; i++) {
		const struct status_field *f = &s->fields[i];
		if (f->dropped)
			continue;
		column = canvas_text(p->c, row, column, p->columns, field_before(s, f),
		    STYLE_STATUS);
		bool cut = columns_of(s, f->text) > s->peer_columns && f == s->peer;
		column = cut ? draw_short(s, row, column)
		             : canvas_cells(p->c, row, column, p->columns, l->cells, l->count,
		                   f->style);
	}
}

/* Draws one transport's own line. Below UDP's line, TCP's has blanks instead of the peer if there
 * is room, so that the counts of both are aligned. */
static void draw_side(const struct panes *p, const struct view_status *status, int i, int row)
{
	const struct view_side *side = &status->sides[i];
	const bool stream = i > 0 || (status->stream && !p->v->both);
	struct status_line s = { .p = p };
	add_transport(&s, stream, "");
	if (i == 0) {
		s.peer = add(&s, 0, " ");
		s.peer->text = status->peer;
	} else if (side->state == NULL) {
		add_words(&s, RANK_MAX, " ", "%*s", columns_of(&s, status->peer), "");
	}
	add_state(&s, side->state);
	add_progress(&s, i == 0 ? status->progress : NULL);
	add_counts(&s, side->totals, stream);
	add_waited(&s, side->totals, stream, status->reply_timeout);
	draw_fields(&s, row);
}

/* Draws both transports in one line. */
static void draw_few(const struct panes *p, const struct view_status *status)
{
	struct status_line s = { .p = p };
	for (int i = 0; i < VIEW_SIDES; i++) {
		const struct ledger_totals *t = status->sides[i].totals;
		add_transport(&s, i > 0, i > 0 ? glyph(GLYPH_BAR, p->v->ascii) : "");
		add_state(&s, status->sides[i].state);
		add_words(&s, 5, " ", "answered");
		add_words(&s, 1, " ", "%" PRIu64 "/%" PRIu64, t->answered, t->sent);
		add_some(&s, 2, "lost", t->lost);
		add_some(&s, 4, "refused", t->refused);
		add_some(&s, 4, "failed", t->failed);
		add_some(&s, 4, "cut off", t->cut_off);
		add_some(&s, 4, "queued", t->queued);
	}
	add_progress(&s, status->progress);
	add(&s, 6, glyph(GLYPH_SEPARATOR, p->v->ascii))->text = status->peer;
	draw_fields(&s, p->status_row);
}

void status_draw(const struct panes *p, const struct view_status *status)
{
	if (p->status_row < 0)
		return;
	if (p->v->both && p->other_row < 0) {
		draw_few(p, status);
		return;
	}
	draw_side(p, status, 0, p->status_row);
	if (p->v->both)
		draw_side(p, status, 1, p->other_row);
}
