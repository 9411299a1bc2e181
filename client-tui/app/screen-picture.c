/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "app/screen-picture.h"

#include <limits.h>
#include <stdlib.h>

#include "report/svg.h"
#include "terminal/palette.h"

/* Pixels. A cell has the size of DejaVu Sans Mono's; the baseline is so far below its top. */
#define FONT_SIZE 14
#define CELL_WIDTH 8.43
#define CELL_HEIGHT 17.0
#define BASELINE 13.0
#define BORDER 12.0

/* Colours are 0xrrggbb. */
struct look {
	unsigned ink, ground, marks;
};

static struct look look_of(const struct screen_picture *p, enum style style)
{
	const bool dark = p->background == BACKGROUND_DARK;
	const struct palette_entry e = palette_entry(style, p->coloured ? 256 : 0, p->background);
	const unsigned ink = e.colour < 0 ? svg_ink(dark) : colours_rgb(e.colour);
	const bool reverse = e.marks & PALETTE_REVERSE;

	return (struct look){ .ink = reverse ? svg_ground(dark) : ink,
		.ground = reverse ? ink : svg_ground(dark),
		.marks = e.marks };
}

static void put_box(FILE *out, int row, int column, int end, unsigned colour)
{
	fprintf(out,
	    "<rect x=\"%.2f\" y=\"%.1f\" width=\"%.2f\" height=\"%.1f\" fill=\"#%06x\"/>\n",
	    BORDER + column * CELL_WIDTH, BORDER + row * CELL_HEIGHT, (end - column) * CELL_WIDTH,
	    CELL_HEIGHT, colour);
}

static bool is_blank(const struct canvas_cell *cell)
{
	return cell->chars[0] == L' ' && !cell->chars[1];
}

/* A Latin letter, which every monospace font has. Other signs may come from another font and be
 * wider or narrower, so they stand in runs of their own, and a wide one alone. */
static bool joins(const struct canvas_cell *a, const struct canvas_cell *b)
{
	return a->style == b->style && a->width == 1 && b->width == 1 &&
	       (a->chars[0] < 0x250) == (b->chars[0] < 0x250);
}

static void put_cells(FILE *out, const struct canvas_cell *cell, int count)
{
	for (; count > 0; count--, cell++)
		for (int i = 0; i < LAYOUT_CELL_CHARS && cell->chars[i]; i++) {
			char bytes[MB_LEN_MAX + 1] = "";

			if (wctomb(bytes, cell->chars[i]) > 0)
				svg_escaped(out, bytes);
		}
}

static void put_run(const struct screen_picture *p, FILE *out, int row, int column, int end)
{
	const struct canvas_cell *cell = canvas_at(p->canvas, row, column);
	const struct look look = look_of(p, cell->style);

	if (look.ground != svg_ground(p->background == BACKGROUND_DARK))
		put_box(out, row, column, end, look.ground);
	for (; column < end && is_blank(cell); cell++)
		column++;
	while (end > column && is_blank(canvas_at(p->canvas, row, end - 1)))
		end--;
	if (column == end)
		return;
	fprintf(out,
	    "<text x=\"%.2f\" y=\"%.1f\" textLength=\"%.2f\" lengthAdjust=\"spacingAndGlyphs\" "
	    "fill=\"#%06x\"%s%s>",
	    BORDER + column * CELL_WIDTH, BORDER + row * CELL_HEIGHT + BASELINE,
	    (end - column) * CELL_WIDTH, look.ink,
	    look.marks & PALETTE_BOLD ? " font-weight=\"bold\"" : "",
	    look.marks & PALETTE_UNDERLINE ? " text-decoration=\"underline\"" : "");
	put_cells(out, cell, end - column);
	fputs("</text>\n", out);
}

static void put_row(const struct screen_picture *p, FILE *out, int row)
{
	for (int column = 0, end; column < p->canvas->columns; column = end) {
		const struct canvas_cell *first = canvas_at(p->canvas, row, column);

		end = column + (first->width > 1 ? 2 : 1);
		while (end < p->canvas->columns && joins(first, canvas_at(p->canvas, row, end)))
			end++;
		put_run(p, out, row, column, end);
	}
}

int screen_picture_write(void *picture, FILE *out)
{
	const struct screen_picture *p = picture;
	const struct canvas *c = p->canvas;
	const bool dark = p->background == BACKGROUND_DARK;
	const double width = 2 * BORDER + c->columns * CELL_WIDTH,
	             height = 2 * BORDER + c->rows * CELL_HEIGHT;

	fprintf(out,
	    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	    "<svg xmlns=\"http://www.w3.org/2000/svg\" version=\"1.1\" width=\"%.0f\" "
	    "height=\"%.0f\" viewBox=\"0 0 %.0f %.0f\" role=\"img\" font-size=\"%d\" "
	    "xml:space=\"preserve\" font-family=\"'DejaVu Sans Mono', Menlo, Consolas, "
	    "monospace\">\n<title>",
	    width, height, width, height, FONT_SIZE);
	svg_escaped(out, p->title);
	fprintf(out, "</title>\n<rect width=\"%.0f\" height=\"%.0f\" fill=\"#%06x\"/>\n", width,
	    height, svg_ground(dark));
	for (int row = 0; row < c->rows; row++)
		put_row(p, out, row);
	if (c->cursor_row >= 0)
		put_box(out, c->cursor_row, c->cursor_column, c->cursor_column + 1, svg_ink(dark));
	svg_end(out);
	return 0;
}
