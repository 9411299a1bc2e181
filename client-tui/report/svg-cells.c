/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "report/svg-cells.h"

#include <limits.h>

#include "report/svg.h"

#define FONT_SIZE 14
#define BASELINE 13.0 /* pixels below a cell's top */

void svg_cells_box(FILE *out, int row, int column, int end, unsigned colour)
{
	fprintf(out,
	    "<rect x=\"%.2f\" y=\"%.1f\" width=\"%.2f\" height=\"%.1f\" fill=\"#%06x\"/>\n",
	    SVG_CELL_BORDER + column * SVG_CELL_WIDTH, SVG_CELL_BORDER + row * SVG_CELL_HEIGHT,
	    (end - column) * SVG_CELL_WIDTH, SVG_CELL_HEIGHT, colour);
}

static bool is_blank(const struct svg_cell *cell)
{
	return cell->chars[0] == L' ' && !cell->chars[1];
}

/* A Latin letter, which every monospace font has. Other signs may come from another font and be
 * wider or narrower, so they stand in runs of their own, and a wide one alone. */
static bool joins(const struct svg_cell *a, const struct svg_cell *b)
{
	return a->ink == b->ink && a->ground == b->ground && a->bold == b->bold &&
	       a->underline == b->underline && a->width == 1 && b->width == 1 &&
	       (a->chars[0] < 0x250) == (b->chars[0] < 0x250);
}

static void put_cells(FILE *out, const struct svg_cell *cell, const struct svg_cell *end)
{
	for (; cell < end; cell++)
		for (int i = 0; i < SVG_CELL_CHARS && cell->chars[i]; i++) {
			char bytes[MB_LEN_MAX + 1] = "";

			if (wctomb(bytes, cell->chars[i]) > 0)
				svg_escaped(out, bytes);
		}
}

static void put_run(FILE *out, int row, const struct svg_cell *cells, int column, int end,
    unsigned ground)
{
	const struct svg_cell *look = &cells[column];

	if (look->ground != ground)
		svg_cells_box(out, row, column, end, look->ground);
	while (column < end && is_blank(&cells[column]))
		column++;
	while (end > column && is_blank(&cells[end - 1]))
		end--;
	if (column == end)
		return;
	fprintf(out,
	    "<text x=\"%.2f\" y=\"%.1f\" textLength=\"%.2f\" lengthAdjust=\"spacingAndGlyphs\" "
	    "fill=\"#%06x\"%s%s>",
	    SVG_CELL_BORDER + column * SVG_CELL_WIDTH,
	    SVG_CELL_BORDER + row * SVG_CELL_HEIGHT + BASELINE, (end - column) * SVG_CELL_WIDTH,
	    look->ink, look->bold ? " font-weight=\"bold\"" : "",
	    look->underline ? " text-decoration=\"underline\"" : "");
	put_cells(out, &cells[column], &cells[end]);
	fputs("</text>\n", out);
}

void svg_cells_row(FILE *out, int row, const struct svg_cell *cells, int columns, unsigned ground)
{
	for (int column = 0, end; column < columns; column = end) {
		end = column + (cells[column].width > 1 ? 2 : 1);
		while (end < columns && joins(&cells[column], &cells[end]))
			end++;
		put_run(out, row, cells, column, end, ground);
	}
}

void svg_cells_begin(FILE *out, int rows, int columns, double more, unsigned ground,
    const char *title)
{
	const double width = 2 * SVG_CELL_BORDER + columns * SVG_CELL_WIDTH,
	             height = 2 * SVG_CELL_BORDER + rows * SVG_CELL_HEIGHT + more;

	fprintf(out,
	    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	    "<svg xmlns=\"http://www.w3.org/2000/svg\" version=\"1.1\" width=\"%.0f\" "
	    "height=\"%.0f\" viewBox=\"0 0 %.0f %.0f\" role=\"img\" font-size=\"%d\" "
	    "xml:space=\"preserve\" font-family=\"'DejaVu Sans Mono', Menlo, Consolas, "
	    "monospace\">\n<title>",
	    width, height, width, height, FONT_SIZE);
	svg_escaped(out, title);
	/* A browser's own style for text outdoes xml:space. */
	fprintf(out,
	    "</title>\n<style>text { white-space: pre }</style>\n"
	    "<rect width=\"%.0f\" height=\"%.0f\" fill=\"#%06x\"/>\n",
	    width, height, ground);
}
