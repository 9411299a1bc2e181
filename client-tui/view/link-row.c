/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The lab on the screen: one row for the link, and a panel over the panes that changes it. */
#include "config.h"

#include "view/view-internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Columns of a setting's name and of a value. */
#define NAME_COLUMNS 14
#define VALUE_COLUMNS 15
/* From this many columns on the count of mismatches is always there. */
#define TRACE_SCREEN 50

const struct trace_line *link_row_trace(const struct view *v, const struct transcript_item *item,
    bool stream)
{
	if (v->lab == NULL || item == NULL || item->kind != TRANSCRIPT_LINE)
		return NULL;
	return trace_find(v->lab->trace, stream, item->number);
}

/* --- the row --- */

static void trace_text(const struct trace_totals *t, bool whole, char *buf, size_t size)
{
	int n = snprintf(buf, size, "truth: %" PRIu64 " mismatch%s", t->mismatches,
	    t->mismatches == 1 ? "" : "es");
	if (whole)
		snprintf(buf + n, size - (size_t)n, " in %" PRIu64, t->compared);
}

/* The result of the trace at the right, shorter where it must be; returns the column that the
 * link's words may take up to. */
static int draw_trace(const struct view *v, struct canvas *c, const struct panes *p, int linked)
{
	const struct trace_totals *t = trace_totals(v->lab->trace);
	char text[80];
	trace_text(t, true, text, sizeof text);
	if (linked + 2 + utf8_columns(text) >= p->columns)
		trace_text(t, false, text, sizeof text);
	int from = p->columns - 1 - utf8_columns(text);
	/* On a narrow screen the link comes first, but for a mismatch. */
	if (from < linked + 2 && p->columns < TRACE_SCREEN && t->mismatches == 0)
		return p->columns;
	canvas_text(c, p->link_row, from > p->pad ? from : p->pad, p->columns, text,
	    t->mismatches > 0 ? STYLE_ERROR : STYLE_FAINT);
	return from - 2;
}

void link_row_draw(struct view *v, struct canvas *c, const struct panes *p, int64_t now)
{
	char link[900] = "link: ";
	if (p->link_row < 0)
		return;
	if (v->lab->gone)
		snprintf(link, sizeof link, "link: the lab has ended");
	else if (v->lab->link->known)
		link_status_line(v->lab->link, now, link + strlen(link),
		    sizeof link - strlen(link));
	else if (v->lab->words)
		snprintf(link + strlen(link), sizeof link - strlen(link), "%.880s", v->lab->words);
	int columns = utf8_columns(link), end = draw_trace(v, c, p, p->pad + columns);
	bool cut = p->pad + columns > end;
	int cut_at = end - (v->ascii ? 3 : 1);
	canvas_text(c, p->link_row, p->pad, cut ? cut_at : end, link, STYLE_HEADING);
	if (cut && cut_at > p->pad)
		canvas_text(c, p->link_row, cut_at, end, glyph(GLYPH_ELLIPSIS, v->ascii),
		    STYLE_FAINT);
}

/* --- the panel --- */

static void draw_value(const struct view *v, struct canvas *c, const struct panes *p, int row,
    int column, enum link_way way, int field)
{
	const struct link_steps *panel = v->lab->panel;
	bool chosen = field == panel->field && link_steps_touches(panel, way);
	char value[64], text[80];
	link_status_value(&v->lab->link->settings[way], field, value, sizeof value);
	snprintf(text, sizeof text, chosen ? "[%s]" : " %s", value);
	canvas_text(c, row, column, p->columns, text, chosen ? STYLE_FOUND : STYLE_NORMAL);
}

static void draw_setting(const struct view *v, struct canvas *c, const struct panes *p, int row,
    int field)
{
	const struct impair_field *f = impair_field((enum impair_field_id)field);
	bool chosen = field == v->lab->panel->field;
	int column = p->pad + 2;
	if (chosen)
		canvas_text(c, row, p->pad, p->columns, ">", STYLE_PROMPT);
	canvas_text(c, row, column, column + NAME_COLUMNS - 1, f->name,
	    chosen ? STYLE_PROMPT : STYLE_NORMAL);
	draw_value(v, c, p, row, column + NAME_COLUMNS, LINK_GOING, field);
	draw_value(v, c, p, row, column + NAME_COLUMNS + VALUE_COLUMNS, LINK_COMING, field);
	canvas_text(c, row, column + NAME_COLUMNS + 2 * VALUE_COLUMNS, p->columns, f->help,
	    STYLE_FAINT);
}

static void draw_heading(struct canvas *c, const struct panes *p)
{
	int column = p->pad + 2 + NAME_COLUMNS, row = p->heading_row;
	if (row < 0)
		return;
	canvas_fill(c, row, 0, p->columns, L' ', STYLE_HEADING);
	canvas_text(c, row, p->pad, p->columns, "the link", STYLE_HEADING);
	canvas_text(c, row, column + 1, p->columns, "there", STYLE_HEADING);
	canvas_text(c, row, column + 1 + VALUE_COLUMNS, p->columns, "back", STYLE_HEADING);
}

void link_row_draw_panel(struct view *v, struct canvas *c, const struct panes *p)
{
	static const char *const ways[LINK_STEPS_WAYS] = { "both ways", "there", "back" };
	const struct link_steps *panel = v->lab->panel;
	char keys[120];
	int height = p->height > 1 ? p->height - 1 : p->height, first = panel->field - height + 1;
	draw_heading(c, p);
	if (first < 0)
		first = 0;
	for (int i = 0; i < height && first + i < IMPAIR_FIELD_COUNT; i++)
		draw_setting(v, c, p, p->top + i, first + i);
	if (p->height < 2)
		return;
	snprintf(keys, sizeof keys,
	    "Up, Down choose; Left, Right change %s; Tab other ways; Esc or F7 leaves",
	    ways[panel->ways]);
	canvas_text(c, p->top + p->height - 1, p->pad, p->columns, keys, STYLE_FAINT);
}
