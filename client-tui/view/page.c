/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A page over the panes: a wrapped text; the last row says what is below and how to leave. */
#include "view/view-internal.h"

#include "common/bytes.h"

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

/* The column of a wrapped line's other rows: that of its last words behind two blanks. */
static size_t hanging(const char *line, size_t n, size_t columns)
{
	size_t column = 0;
	for (size_t i = 2; i < n && i < columns / 2; i++)
		if (line[i] != ' ' && line[i - 1] == ' ' && line[i - 2] == ' ')
			column = i;
	return column;
}

/* Lays out a text and, unless `f` is NULL, draws those of its lines, `from` on, that the frame has
 * room for. Returns its number of lines, or of those up to the last one drawn. */
static size_t lay_page(const struct panes *p, const struct frame *f, const char *text, size_t from)
{
	struct view *v = p->v;
	const struct layout *l = &v->line;
	size_t line = 0, columns = p->columns > p->pad ? (size_t)(p->columns - p->pad) : 1;
	for (const char *end; text && (!f || line - from < (size_t)f->height || line < from);) {
		size_t n = strcspn(text, "\n"), i = 0, indent = 0;
		/* "INVALID" or "UDP: INVALID": the figures do not count. */
		const bool wrong = bytes_find(text, n < 12 ? n : 12, "INVALID", 7);
		if (layout_text(&v->line, text, n, view_width(v)) != 0)
			v->line.count = 0;
		do {
			size_t next = layout_wrap(l, i, columns - indent);
			if (f && line >= from && line - from < (size_t)f->height)
				canvas_cells(p->c, f->top + (int)(line - from),
				    p->pad + (int)indent, p->columns, l->cells + i, next - i,
				    wrong ? STYLE_ERROR : STYLE_NORMAL);
			i = next;
			indent = hanging(text, n, columns);
			line++;
		} while (i < l->count);
		end = text + n;
		text = end[0] && end[1] ? end + 1 : NULL;
	}
	return line;
}

static size_t max_top(const struct panes *p)
{
	size_t lines = lay_page(p, NULL, p->v->page->text, 0);
	int height = frame_of(p).height;
	return height > 0 && lines > (size_t)height ? lines - (size_t)height : 0;
}

void page_scroll(const struct panes *p, long lines)
{
	struct view_page *page = p->v->page;
	size_t max = max_top(p), top = page->top < max ? page->top : max;
	if (lines < 0)
		top = top > 0 - (size_t)lines ? top - (0 - (size_t)lines) : 0;
	else
		top = (size_t)lines < max - top ? top + (size_t)lines : max;
	page->top = top;
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

void page_draw(const struct panes *p)
{
	struct view *v = p->v;
	const struct frame f = frame_of(p);
	if (f.height < 1)
		return;
	size_t max = max_top(p);
	if (v->page->top > max)
		v->page->top = max;
	canvas_fill(p->c, f.title, 0, p->columns, L' ', STYLE_HEADING);
	panes_draw_cut(p, f.title, p->pad, p->columns, v->page->title, STYLE_HEADING);
	lay_page(p, &f, v->page->text, v->page->top);
	int column = canvas_text(p->c, f.last, p->pad, p->columns, "Esc or F1 leaves", STYLE_FAINT);
	page_more(p->c, f.last, column + 1, p->columns, max - v->page->top);
}

size_t page_draw_text(const struct panes *p, int row, int height, const char *text, size_t from)
{
	const char *mark = glyph(GLYPH_ELLIPSIS, p->v->ascii);
	const struct frame f = { .top = row, .height = height };
	struct panes beside = *p;
	for (int i = 0; i < height; i++)
		canvas_fill(p->c, row + i, 0, p->columns, L' ', STYLE_NORMAL);
	/* The mark for more covers no text. */
	if (lay_page(p, NULL, text, 0) > (size_t)height)
		beside.columns -= 1 + utf8_columns(mark);
	lay_page(&beside, &f, text, from);
	if (from + (size_t)height >= lay_page(&beside, NULL, text, 0))
		return 0;
	canvas_text(p->c, row + height - 1, beside.columns + 1, p->columns, mark, STYLE_FAINT);
	return from + (size_t)height;
}

/* Draws the keys, and the title, or its words before the colon, as far as there is room. */
static void draw_caption_heading(const struct panes *p, const struct view_caption *caption)
{
	const int row = p->caption_row, hint = p->columns - p->pad - (int)strlen(caption->hint);
	int columns = utf8_columns(caption->title);
	canvas_fill(p->c, row, 0, p->columns, L' ', STYLE_HEADING);
	canvas_text(p->c, row, hint > p->pad ? hint : p->pad, p->columns, caption->hint,
	    STYLE_HEADING);
	if (p->pad + columns >= hint)
		columns = (int)strcspn(caption->title, ":");
	if (p->pad + columns < hint)
		canvas_text(p->c, row, p->pad, p->pad + columns, caption->title, STYLE_HEADING);
}

void page_draw_caption(const struct panes *p)
{
	struct view_caption *caption = p->v->caption;
	if (p->caption_row < 0)
		return;
	draw_caption_heading(p, caption);
	caption->next = page_draw_text(p, p->caption_row + 1, p->caption_height, caption->text,
	    caption->top);
}
