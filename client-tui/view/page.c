/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A page over the panes: our own words, wrapped, with what is below and how to leave on its last
 * row. */
#include "config.h"

#include "view/view-internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* The rows of the page: a title, its text, a last row, as far as there is room. */
struct frame {
	int title, top, height, last;
};

static struct frame frame_of(const struct panes *p)
{
	struct frame f = {
		.title = p->heading_row, .top = p->top, .height = p->height, .last = -1
	};
	if (f.height >= 2) {
		f.height--;
		f.last = f.top + f.height;
	}
	if (f.title < 0 && f.height >= 3) {
		f.title = f.top++;
		f.height--;
	}
	return f;
}

static size_t wrap_columns(const struct panes *p)
{
	return p->columns > p->pad ? (size_t)(p->columns - p->pad) : 1;
}

/* Lays out the line at `text` in v->line; returns the beginning of the next, NULL after the last.
 */
static const char *lay_line(struct view *v, const char *text)
{
	const char *end = strchr(text, '\n');
	size_t n = end != NULL ? (size_t)(end - text) : strlen(text);
	if (layout_text(&v->line, text, n, view_width(v)) != 0)
		v->line.count = 0;
	return end != NULL && end[1] != '\0' ? end + 1 : NULL;
}

static size_t count_lines(struct view *v, const struct panes *p)
{
	size_t lines = 0;
	for (const char *text = v->page->text; text != NULL;) {
		text = lay_line(v, text);
		lines += layout_lines(&v->line, wrap_columns(p));
	}
	return lines;
}

static size_t max_top(struct view *v, const struct panes *p)
{
	size_t lines = count_lines(v, p);
	int height = frame_of(p).height;
	return height > 0 && lines > (size_t)height ? lines - (size_t)height : 0;
}

void page_scroll(struct view *v, const struct panes *p, long lines)
{
	size_t max = max_top(v, p), top = v->page->top < max ? v->page->top : max;
	if (lines < 0)
		top = top > 0 - (size_t)lines ? top - (0 - (size_t)lines) : 0;
	else
		top = (size_t)lines < max - top ? top + (size_t)lines : max;
	v->page->top = top;
}

void page_more(struct canvas *c, int row, int from, int to, uint64_t n)
{
	char text[64];
	int width = to - 1 - from;
	int length = snprintf(text, sizeof text, "-- %" PRIu64 " more below --", n);
	if (n == 0)
		return;
	if (length > width)
		length = snprintf(text, sizeof text, "%" PRIu64 " more below", n);
	if (length > width)
		length = snprintf(text, sizeof text, "%" PRIu64 " more", n);
	canvas_text(c, row, length < width ? to - 1 - length : from, to, text, STYLE_FAINT);
}

static void draw_text(struct view *v, struct canvas *c, const struct panes *p,
    const struct frame *f)
{
	size_t line = 0, end = v->page->top + (size_t)f->height, columns = wrap_columns(p);
	for (const char *text = v->page->text; text != NULL && line < end;) {
		text = lay_line(v, text);
		size_t i = 0;
		do {
			size_t next = layout_wrap(&v->line, i, columns);
			if (line >= v->page->top && line < end)
				canvas_cells(c, f->top + (int)(line - v->page->top), p->pad,
				    p->columns, v->line.cells + i, next - i, STYLE_NORMAL);
			i = next;
			line++;
		} while (i < v->line.count);
	}
}

void page_draw(struct view *v, struct canvas *c, const struct panes *p)
{
	struct frame f = frame_of(p);
	if (f.height < 1)
		return;
	size_t max = max_top(v, p);
	if (v->page->top > max)
		v->page->top = max;
	if (f.title >= 0) {
		canvas_fill(c, f.title, 0, p->columns, L' ', STYLE_HEADING);
		view_lay(v, &v->line, v->page->title);
		canvas_cells(c, f.title, p->pad, p->columns, v->line.cells, v->line.count,
		    STYLE_HEADING);
	}
	draw_text(v, c, p, &f);
	if (f.last >= 0) {
		int column = canvas_text(c, f.last, p->pad, p->columns, "Esc or F1 leaves",
		    STYLE_FAINT);
		page_more(c, f.last, column + 1, p->columns, max - v->page->top);
	}
}
