/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/lib/recording.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client-tui/record/record.h"
#include "client-tui/report/svg-cells.h"
#include "client-tui/report/svg.h"
#include "common/colours.h"

/* Pixels below the screen for the words, and their size. */
#define SAID_HEIGHT 40.0
#define SAID_FONT 17
#define SAID_INK 0xd7c15f
#define PICTURE_MAX 1000000

/* What a layer shows from `begin` to `end`, in seconds. */
struct span {
	char *svg;
	double begin, end;
};

/* A row of the screen, or what is drawn over all rows: never more than one thing at a time. */
struct layer {
	struct span *spans;
	size_t count;
};

/* Behind the rows' layers. */
enum { LAYER_CURSOR, LAYER_SAID, LAYER_PICTURE, LAYERS };

struct recording {
	struct terminal *terminal;
	int rows, columns;
	struct layer *layers; /* rows + LAYERS */
	const char *said;
	double now, still;
};

/* A text that is written through a stream. */
struct text {
	char *bytes;
	size_t n;
};

struct recording *recording_new(struct terminal *t)
{
	struct recording *r = calloc(1, sizeof *r);

	assert_non_null(r);
	r->terminal = t;
	r->rows = term_rows(t);
	r->columns = term_columns(t);
	r->layers = calloc((size_t)(r->rows + LAYERS), sizeof *r->layers);
	r->said = "";
	assert_non_null(r->layers);
	return r;
}

void recording_free(struct recording *r)
{
	for (int i = 0; i < r->rows + LAYERS; i++) {
		for (size_t k = 0; k < r->layers[i].count; k++)
			free(r->layers[i].spans[k].svg);
		free(r->layers[i].spans);
	}
	free(r->layers);
	free(r);
}

void recording_say(struct recording *r, const char *words)
{
	r->said = words;
}

void recording_still(struct recording *r)
{
	const struct layer *last = &r->layers[r->rows + LAYER_SAID];

	assert_true(last->count > 0);
	r->still = r->now;
}

/* Shows `svg`, which the layer then owns, up to the time `end`. */
static void show(struct recording *r, int number, char *svg, double end)
{
	struct layer *l = &r->layers[number];
	struct span *last = l->count > 0 ? &l->spans[l->count - 1] : NULL;

	if (last && strcmp(last->svg, svg) == 0) {
		last->end = end;
		free(svg);
		return;
	}
	l->spans = realloc(l->spans, (l->count + 1) * sizeof *l->spans);
	assert_non_null(l->spans);
	l->spans[l->count++] = (struct span){ svg, r->now, end };
}

/* --- drawing --- */

static unsigned colour(const struct terminal *t, VTermColor from, unsigned usual)
{
	const VTermColor rgb = term_rgb(t, from);

	if (VTERM_COLOR_IS_DEFAULT_FG(&from) || VTERM_COLOR_IS_DEFAULT_BG(&from))
		return usual;
	if (VTERM_COLOR_IS_INDEXED(&from))
		return colours_rgb(from.indexed.idx);
	return (unsigned)rgb.rgb.red << 16 | (unsigned)rgb.rgb.green << 8 | rgb.rgb.blue;
}

static struct svg_cell cell_of(struct terminal *t, int row, int column)
{
	const VTermScreenCell from = term_cell(t, row, column);
	const unsigned ink = colour(t, from.fg, svg_ink(true)),
	               ground = colour(t, from.bg, svg_ground(true));
	struct svg_cell cell = { .width = from.width,
		.ink = from.attrs.reverse ? ground : ink,
		.ground = from.attrs.reverse ? ink : ground,
		.bold = from.attrs.bold,
		.underline = from.attrs.underline };

	for (int i = 0; i < SVG_CELL_CHARS && i < VTERM_MAX_CHARS_PER_CELL; i++)
		cell.chars[i] = (wchar_t)from.chars[i];
	if (!cell.chars[0])
		cell.chars[0] = L' ';
	return cell;
}

static char *row_of(struct terminal *t, int row)
{
	const int columns = term_columns(t);
	struct svg_cell *cells = calloc((size_t)columns, sizeof *cells);
	struct text text = { 0 };
	FILE *out = open_memstream(&text.bytes, &text.n);

	assert_non_null(cells);
	assert_non_null(out);
	for (int column = 0; column < columns; column += cells[column].width > 1 ? 2 : 1)
		cells[column] = cell_of(t, row, column);
	svg_cells_row(out, row, cells, columns, svg_ground(true));
	fclose(out);
	free(cells);
	return text.bytes;
}

static char *cursor_of(struct terminal *t)
{
	struct text text = { 0 };
	FILE *out = open_memstream(&text.bytes, &text.n);
	int row, column;

	assert_non_null(out);
	term_cursor(t, &row, &column);
	if (term_cursor_visible(t))
		svg_cells_box(out, row, column, column + 1, svg_ink(true));
	fclose(out);
	return text.bytes;
}

static double width_of(const struct recording *r)
{
	return 2 * SVG_CELL_BORDER + r->columns * SVG_CELL_WIDTH;
}

static double height_of(const struct recording *r)
{
	return 2 * SVG_CELL_BORDER + r->rows * SVG_CELL_HEIGHT;
}

static char *words_of(const struct recording *r)
{
	struct text text = { 0 };
	FILE *out = open_memstream(&text.bytes, &text.n);

	assert_non_null(out);
	fprintf(out,
	    "<text x=\"%.1f\" y=\"%.1f\" font-size=\"%d\" text-anchor=\"middle\" "
	    "font-family=\"'DejaVu Sans', Verdana, sans-serif\" fill=\"#%06x\">",
	    width_of(r) / 2, height_of(r) + SAID_HEIGHT / 2, SAID_FONT, SAID_INK);
	svg_escaped(out, r->said);
	fputs("</text>\n", out);
	fclose(out);
	return text.bytes;
}

/* The picture's own style sheet is for nothing else, so that it stays a document of its own. */
static char *picture_of(const struct recording *r, const char *path)
{
	unsigned char *bytes = malloc(PICTURE_MAX);
	struct text text = { 0 };
	FILE *in = fopen(path, "r"), *out = open_memstream(&text.bytes, &text.n);
	size_t n;

	assert_non_null(bytes);
	assert_non_null(in);
	assert_non_null(out);
	n = fread(bytes, 1, PICTURE_MAX, in);
	fclose(in);
	char *base64 = record_base64(bytes, n);
	free(bytes);
	assert_non_null(base64);
	fprintf(out,
	    "<rect width=\"%.0f\" height=\"%.0f\" fill=\"#%06x\"/>\n<image width=\"%.0f\" "
	    "height=\"%.0f\" href=\"data:image/svg+xml;base64,%s\"/>\n",
	    width_of(r), height_of(r), svg_ground(true), width_of(r), height_of(r), base64);
	free(base64);
	fclose(out);
	return text.bytes;
}

/* --- frames --- */

static void show_frame(struct recording *r, char *picture, double seconds)
{
	const double end = r->now + seconds;

	for (int row = 0; row < r->rows; row++)
		show(r, row, row_of(r->terminal, row), end);
	show(r, r->rows + LAYER_CURSOR, cursor_of(r->terminal), end);
	show(r, r->rows + LAYER_SAID, words_of(r), end);
	show(r, r->rows + LAYER_PICTURE, picture, end);
	r->now = end;
}

void recording_frame(struct recording *r, double seconds)
{
	show_frame(r, strdup(""), seconds);
}

void recording_picture(struct recording *r, const char *path, double seconds)
{
	show_frame(r, picture_of(r, path), seconds);
}

/* --- the whole --- */

static bool is_in_still(const struct recording *r, const struct span *s)
{
	return s->begin < r->still && r->still <= s->end;
}

/* Writes a layer's span, and with it each later span of the layer that looks the same. */
static void put_span(const struct recording *r, const struct layer *l, size_t number, FILE *out,
    int name)
{
	const char *svg = l->spans[number].svg;
	bool still = false;

	for (size_t i = 0; i < number; i++)
		if (strcmp(l->spans[i].svg, svg) == 0)
			return;
	fprintf(out, "<style>@keyframes k%d{", name);
	if (l->spans[number].begin > 0)
		fputs("0%{visibility:hidden}", out);
	for (size_t i = number; i < l->count; i++)
		if (strcmp(l->spans[i].svg, svg) == 0) {
			still |= is_in_still(r, &l->spans[i]);
			fprintf(out, "%.4g%%{visibility:visible}",
			    100 * l->spans[i].begin / r->now);
			if (l->spans[i].end < r->now)
				fprintf(out, "%.4g%%{visibility:hidden}",
				    100 * l->spans[i].end / r->now);
		}
	fprintf(out, "}</style>\n<g class=\"f%s\" style=\"animation-name:k%d\">\n%s</g>\n",
	    still ? " still" : "", name, svg);
}

void recording_write(const struct recording *r, const char *title, FILE *out)
{
	int name = 0;

	svg_cells_begin(out, r->rows, r->columns, SAID_HEIGHT, svg_ground(true), title);
	fprintf(out,
	    "<style>.f{visibility:hidden;animation:%.4gs step-end infinite}.still{visibility:visible}"
	    "@media (prefers-reduced-motion:reduce){.f{animation:none}}</style>\n",
	    r->now);
	for (int i = 0; i < r->rows + LAYERS; i++)
		for (size_t k = 0; k < r->layers[i].count; k++)
			if (*r->layers[i].spans[k].svg)
				put_span(r, &r->layers[i], k, out, name++);
	svg_end(out);
}
