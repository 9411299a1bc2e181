/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Invariant, which put() keeps: a cell of width 0 follows each of width 2, and no other. */
#include "view/canvas.h"

static const struct canvas_cell blank = { .chars = { L' ' }, .style = STYLE_NORMAL, .width = 1 };

int canvas_resize(struct canvas *c, int rows, int columns)
{
	if (rows < 1 || columns < 1 ||
	    (size_t)rows > SIZE_MAX / sizeof(struct canvas_cell) / (size_t)columns)
		return -1;
	if (!c->cells || rows != c->rows || columns != c->columns) {
		struct canvas_cell *cells = realloc(c->cells,
		    (size_t)rows * (size_t)columns * sizeof *cells);
		if (!cells)
			return -1;
		c->cells = cells;
		c->rows = rows;
		c->columns = columns;
	}
	canvas_clear(c);
	return 0;
}

void canvas_free(struct canvas *c)
{
	free(c->cells);
	*c = (struct canvas){ 0 };
}

void canvas_clear(struct canvas *c)
{
	for (size_t i = 0; i < (size_t)c->rows * (size_t)c->columns; i++)
		c->cells[i] = blank;
	c->cursor_row = -1;
	c->cursor_column = 0;
}

struct canvas_cell *canvas_at(const struct canvas *c, int row, int column)
{
	if (row < 0 || row >= c->rows || column < 0 || column >= c->columns)
		return NULL;
	return &c->cells[(size_t)row * (size_t)c->columns + (size_t)column];
}

static void make_blank(struct canvas_cell *cell)
{
	memset(cell->chars, 0, sizeof cell->chars);
	cell->chars[0] = L' ';
	cell->width = 1;
}

/* Replaces the other half of a wide cell by a space before one half is overwritten. */
static void break_wide(struct canvas *c, int row, int column)
{
	struct canvas_cell *cell = canvas_at(c, row, column);
	if (cell->width == 0)
		make_blank(cell - 1);
	else if (cell->width == 2)
		make_blank(cell + 1);
}

static void put(struct canvas *c, int row, int column, const wchar_t *chars, int width,
    enum style style)
{
	struct canvas_cell *cell = canvas_at(c, row, column);
	break_wide(c, row, column);
	if (width == 2) {
		break_wide(c, row, column + 1);
		cell[1] = (struct canvas_cell){ .style = (unsigned char)style, .width = 0 };
	}
	memcpy(cell->chars, chars, sizeof cell->chars);
	cell->style = (unsigned char)style;
	cell->width = (unsigned char)width;
}

/* Draws one character cell where it fits between 0 and `limit`; the inner half of a wide cell that
 * crosses a limit becomes a space. Returns the column after it. */
static int put_clipped(struct canvas *c, int row, int column, int limit, const wchar_t *chars,
    int width, enum style style)
{
	static const wchar_t space[LAYOUT_CELL_CHARS] = { L' ' };
	int end = column + width;
	if (column >= 0 && end <= limit) {
		put(c, row, column, chars, width, style);
		return end;
	}
	for (int i = column; i < end; i++) {
		if (i >= 0 && i < limit)
			put(c, row, i, space, 1, style);
	}
	return end < limit ? end : limit;
}

static int clip(const struct canvas *c, int limit)
{
	return limit < c->columns ? limit : c->columns;
}

int canvas_cells(struct canvas *c, int row, int column, int limit, const struct layout_cell *cells,
    size_t count, enum style style)
{
	limit = clip(c, limit);
	if (row < 0 || row >= c->rows)
		return column;
	for (size_t i = 0; i < count && column < limit; i++) {
		enum style own = cells[i].found      ? STYLE_FOUND
		               : cells[i].substitute ? STYLE_SUBSTITUTE
		                                     : style;
		column = put_clipped(c, row, column, limit, cells[i].chars, cells[i].width, own);
	}
	return column;
}

static int one_column(wchar_t ch)
{
	(void)ch;
	return 1;
}

int canvas_text(struct canvas *c, int row, int column, int limit, const char *utf8,
    enum style style)
{
	struct layout l = { 0 };
	/* The end of the text is missing if memory is short. */
	(void)layout_text(&l, utf8, strlen(utf8), one_column);
	column = canvas_cells(c, row, column, limit, l.cells, l.count, style);
	layout_free(&l);
	return column;
}

int canvas_fill(struct canvas *c, int row, int column, int limit, wchar_t ch, enum style style)
{
	const wchar_t chars[LAYOUT_CELL_CHARS] = { ch };
	limit = clip(c, limit);
	if (row < 0 || row >= c->rows)
		return column;
	while (column < limit)
		column = put_clipped(c, row, column, limit, chars, 1, style);
	return column;
}
