/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The status line: fields in a fixed order, each with a rank. On a narrow screen the fields of the
 * highest rank go first, then the peer becomes shorter in its middle, then the separators, then the
 * other fields but the transport. With both transports at once each has a line; where only one line
 * fits, it shows the main fields of both. */
#include "view/view-internal.h"

#include <stdarg.h>

#include "common/clock.h"
#include "common/units.h"

/* The columns of ":12000". */
#define PORT_COLUMNS 6
/* The minimum width of the peer while other fields can be dropped. */
#define PEER_MIN 8
/* The lowest rank of fields that are dropped before the peer is shortened. */
#define RANK_SPARE 5
#define RANK_ZERO 12 /* the rank of a count of 0: it leaves before all that says something */
/* The maximum number of fields of the progress. */
#define PROGRESS_PARTS 4

struct status_field {
	const char *before; /* the separator before it */
	/* Its words: borrowed, or in `own`. */
	const char *text;
	char own[96];
	enum style style;
	int rank;
	/* Shorter words of that rank, which come first where there is no room; or NULL. */
	const char *brief;
	int brief_rank;
	bool dropped;
};

struct status_line {
	const struct panes *p;
	struct status_field fields[32];
	int count;
	struct status_field *peer;         /* the field that can be shortened, or NULL */
	const struct status_field *indent; /* the blanks below the peer, or NULL */
	int peer_columns;                  /* the maximum width of the peer */
	bool tight, brief;                 /* blanks for separators; shorter words */
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
	    before ? before : glyph(GLYPH_SEPARATOR, s->p->v->ascii));
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(f->own, sizeof f->own, format, arguments);
	va_end(arguments);
	f->text = f->own;
}

static void add_count(struct status_line *s, int rank, const char *name, uint64_t count)
{
	add_words(s, count > 0 ? rank : RANK_ZERO, NULL, "%s %" PRIu64, name, count);
}

/* Adds a count unless it is 0. */
static void add_some(struct status_line *s, int rank, const char *name, uint64_t count)
{
	if (count > 0)
		add_count(s, rank, name, count);
}

static void add_transport(struct status_line *s, bool stream, const char *before)
{
	struct status_field *f = add(s, 0, before);
	f->text = transport_info[stream].title;
	f->style = transport_looks[stream].style;
}

static void add_state(struct status_line *s, const char *state)
{
	if (state)
		add_words(s, 3, " ", "(%s)", state);
}

/* Adds the parts as fields: the middle ones are dropped first, then the last, then the first. */
static void add_progress(struct status_line *s, const char *progress)
{
	static const char divider[] = " · ";
	for (int part = 0; progress && part < PROGRESS_PARTS; part++) {
		const char *end = part + 1 < PROGRESS_PARTS ? strstr(progress, divider) : NULL;
		int length = (int)(end ? (size_t)(end - progress) : strlen(progress));
		add_words(s, part == 0 ? 1 : !end ? 3 : RANK_SPARE, NULL, "%.*s", length, progress);
		progress = end ? end + strlen(divider) : NULL;
	}
}

/* The share is of the lines whose fate was chance. */
static void add_loss(struct status_line *s, const struct ledger_totals *t)
{
	uint64_t by_chance = ledger_answered_or_lost(t);
	add_words(s, t->lost > 0 ? 1 : 3, NULL, "lost %" PRIu64, t->lost);
	if (by_chance > 0) {
		uint64_t tenths = (uint64_t)((double)t->lost * 1000 / (double)by_chance + 0.5);
		add_words(s, t->lost > 0 ? 5 : RANK_ZERO, " ", "(%" PRIu64 ".%" PRIu64 " %%)",
		    tenths / 10, tenths % 10);
	}
}

/* The word "waited" leaves before all else, the figures as fields of `rank`. */
static void add_times(struct status_line *s, const struct ledger_times *w, int rank)
{
	static const char word[] = "waited ";
	const bool ascii = s->p->v->ascii;
	int64_t unit = w->max >= NS_PER_S ? NS_PER_S : w->max >= NS_PER_MS ? NS_PER_MS : NS_PER_US;
	add_words(s, s->brief ? rank : RANK_ZERO + 1, glyph(GLYPH_BAR, ascii),
	    "%smin/avg/max %s/%s/%s %ss", s->brief ? "" : word, UNITS_FIGURES(w->min, unit),
	    UNITS_FIGURES((int64_t)w->mean, unit), UNITS_FIGURES(w->max, unit),
	    unit == NS_PER_S    ? ""
	    : unit == NS_PER_MS ? "m"
	                        : glyph(GLYPH_MICRO, ascii));
	struct status_field *f = &s->fields[s->count - 1];
	f->brief = s->brief ? NULL : f->own + strlen(word);
	f->brief_rank = rank;
}

static void add_waited(struct status_line *s, const struct ledger_totals *t, bool stream,
    const struct view_status *status)
{
	const bool ascii = s->p->v->ascii;
	/* On one line, the progress of lines or of a recording goes before. */
	if (t->timed > 0)
		add_times(s, &t->waited, status->progress && !s->p->v->both ? RANK_SPARE : 2);
	if (!stream)
		add_words(s, RANK_ZERO + 1, t->timed > 0 ? NULL : glyph(GLYPH_BAR, ascii),
		    "wait %s", UNITS_DURATION(status->reply_timeout, glyph(GLYPH_MICRO, ascii)));
}

static void add_counts(struct status_line *s, const struct ledger_totals *t, bool stream)
{
	add_words(s, 1, NULL, "sent %" PRIu64, t->sent);
	add_words(s, 2, NULL, "answered %" PRIu64, t->answered);
	if (stream) {
		add_count(s, 3, "waiting", t->waiting);
		add_some(s, 3, "lost", t->lost);
	} else {
		add_loss(s, t);
		add_count(s, 4, "late", t->late);
		add_count(s, 4, "dup", t->duplicates);
		add_some(s, 6, "waiting", t->waiting);
	}
	add_some(s, 3, "cut off", t->cut_off);
	add_some(s, 3, "refused", t->refused);
	add_some(s, 3, "failed", t->failed);
	add_some(s, 6, "queued", t->queued);
	add_some(s, 7, "reordered", t->reordered);
	add_some(s, 8, "differs", t->differs);
	add_some(s, 8, "cut short", t->cut_short);
	add_some(s, 7, "strays", t->strays);
	if (stream)
		add_some(s, 8, "dup", t->duplicates);
}

/* The separator before a field: a sign, words or a blank. */
static const char *field_before(const struct status_line *s, const struct status_field *f)
{
	return s->tight && f->before[0] ? " " : f->before;
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

/* Drops the field of the highest rank, at least `min`, or makes it shorter. */
static bool drop_one(struct status_line *s, int min)
{
	struct status_field *worst = NULL;
	for (int i = 0; i < s->count; i++) {
		struct status_field *f = &s->fields[i];
		if (!f->dropped && f->rank >= min && (!worst || f->rank >= worst->rank))
			worst = f;
	}
	if (!worst)
		return false;
	if (!worst->brief) {
		worst->dropped = true;
	} else {
		s->brief = true;
		worst->text = worst->brief;
		worst->rank = worst->brief_rank;
		worst->brief = NULL;
	}
	return true;
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
	const bool tight = s->tight;
	if (s->peer)
		s->peer_columns = columns_of(s, s->peer->text);
	while (total_columns(s) > width && drop_one(s, RANK_SPARE))
		continue;
	if (s->peer && total_columns(s) > width)
		shorten_peer(s, width, PEER_MIN);
	s->tight = tight || total_columns(s) > width;
	while (total_columns(s) > width && drop_one(s, 1))
		continue;
	/* What was dropped may have left room for the separators and for smaller fields. */
	s->tight = tight && s->indent && !s->indent->dropped;
	s->tight |= total_columns(s) > width;
	for (struct status_field *f = s->fields; f < s->fields + s->count; f++)
		if (f->dropped && f->rank < RANK_SPARE) {
			f->dropped = false;
			f->dropped = total_columns(s) > width;
		}
	/* Drops the peer last, and makes it wider again if other dropped fields left room. */
	if (s->peer && total_columns(s) > width)
		shorten_peer(s, width, 1);
	else if (s->peer && s->peer_columns < columns_of(s, s->peer->text))
		s->peer_columns += width - total_columns(s);
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
		/* A name's beginning and the port stay. */
		const int part = s->peer_columns >= 2 * PORT_COLUMNS ? 2 : 4;
		bool cut = columns_of(s, f->text) > s->peer_columns && f == s->peer;
		column = cut ? panes_draw_ends(p, row, column, column + s->peer_columns, part, l,
		                   f->style)
		             : canvas_cells(p->c, row, column, p->columns, l->cells, l->count,
		                   f->style);
	}
}

/* Draws one transport's own line. Below UDP's line, TCP's has blanks as wide as the peer is there,
 * the same separators and words, if there is room, so that the counts of both are aligned. */
static void draw_side(struct status_line *s, const struct view_status *status, int i, int row)
{
	const struct view_side *side = &status->sides[i];
	const bool stream = i > 0 || (status->stream && !s->p->v->both);
	add_transport(s, stream, "");
	if (i == 0) {
		s->peer = add(s, 0, " ");
		s->peer->text = status->peer;
	} else if (!side->state) {
		add_words(s, 8, " ", "%*s", s->peer_columns, "");
		s->indent = &s->fields[s->count - 1];
	}
	add_state(s, side->state);
	/* With both transports it is on TCP's line, which has no peer. */
	add_progress(s, stream || !s->p->v->both ? status->progress : NULL);
	add_counts(s, side->totals, stream);
	add_waited(s, side->totals, stream, status);
	draw_fields(s, row);
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
	struct status_line udp = { .p = p };
	draw_side(&udp, status, 0, p->status_row);
	struct status_line tcp = {
		.p = p, .peer_columns = udp.peer_columns, .tight = udp.tight, .brief = udp.brief
	};
	if (p->v->both)
		draw_side(&tcp, status, 1, p->other_row);
}
