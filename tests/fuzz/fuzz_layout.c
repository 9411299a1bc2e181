/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The layout and the canvas: no cell can drive a terminal, wrapping makes progress and keeps to its
 * columns, and a canvas of any size stays in step. The first two bytes are the size. */
#include <stdlib.h>
#include <string.h>

#include "view/canvas.h"
#include "view/layout.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Rather more kinds of width than wcwidth() has, and some answers that it never gives. */
static int width(wchar_t c)
{
	static const int widths[] = { 1, 1, 0, 2, -1, 1, 3, 1, 2, 0, 1, 1, -7, 1, 1, 2 };
	return c == 0xfffd ? 1 : widths[(unsigned)c / 16 % 16];
}

static void check_char(wchar_t c)
{
	if (c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0xd800 && c < 0xe000) || c > 0x10ffff)
		abort();
	if ((c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0x200e ||
	    c == 0x200f)
		abort();
}

static void check_cells(const struct layout *l, size_t size)
{
	for (size_t i = 0; i < l->count; i++) {
		const struct layout_cell *cell = &l->cells[i];
		if (cell->width < 1 || cell->width > 2 || cell->offset >= size)
			abort();
		if (i > 0 && cell->offset < cell[-1].offset)
			abort();
		if (cell->chars[0] == 0)
			abort();
		for (int j = 0; j < LAYOUT_CELL_CHARS && cell->chars[j] != 0; j++)
			check_char(cell->chars[j]);
	}
}

static void check_wrap(const struct layout *l, size_t columns)
{
	size_t used = 0;
	for (size_t i = 0, next; i < l->count; i = next) {
		next = layout_wrap(l, i, columns);
		if (next <= i || next > l->count)
			abort();
		size_t line = layout_columns(l, i, next);
		bool hangs = line == columns + 1 && l->cells[next - 1].chars[0] == ' ';
		if (line > columns && next > i + 1 && !hangs)
			abort();
		used += line;
	}
	if (used != layout_columns(l, 0, l->count))
		abort();
}

static void check_canvas(const struct canvas *c)
{
	for (int row = 0; row < c->rows; row++) {
		int columns = 0;
		for (int column = 0; column < c->columns; column++) {
			const struct canvas_cell *cell = canvas_at(c, row, column);
			columns += cell->width;
			if ((cell->width == 0) != (column > 0 && cell[-1].width == 2))
				abort();
		}
		if (columns != c->columns)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	int rows = 1 + data[0] % 16, columns = 1 + data[1] % 64;
	struct layout l = { 0 };
	struct canvas c = { 0 };
	if (canvas_resize(&c, rows, columns) != 0 ||
	    layout_text(&l, data + 2, size - 2, width) != 0)
		abort();
	check_cells(&l, size - 2);
	check_wrap(&l, (size_t)columns);
	for (size_t i = 0, next; i < l.count; i = next) {
		next = layout_wrap(&l, i, (size_t)columns);
		/* Somewhat outside on every side too. */
		int row = (int)(i % (size_t)(rows + 2)) - 1,
		    column = (int)(i % (size_t)(columns + 4)) - 2;
		canvas_cells(&c, row, column, columns - (int)(i % 3), l.cells + i, next - i,
		    STYLE_NORMAL);
		check_canvas(&c);
	}
	layout_free(&l);
	canvas_free(&c);
	return 0;
}
