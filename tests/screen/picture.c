/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Draws the README's picture: the screen of the real client in the real lab, each cell as it stands
 * there, as an SVG image. The seed decides which packets are lost, so every picture has the same
 * fates; the times differ by some milliseconds.
 *
 *     tests/screen/picture FILE */
#include "config.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <wchar.h>

#include <cmocka.h>

#include "tests/lib/client.h"

#define ROWS 13
#define COLUMNS 116

/* With this seed one line is lost on the way there and one on the way back over UDP, and TCP sends
 * one again. tools/pictures checks that. */
#define SEED "19"
/* The link is quiet before the next line, as when a person types. Otherwise microseconds decide on
 * the order of the packets, and with it on their fates. */
#define TYPING_PAUSE_MS 500

/* In pixels. A cell has the size of DejaVu Sans Mono's. */
#define FONT_SIZE 14
#define CELL_WIDTH 8.43
#define CELL_HEIGHT 17.0
/* From the top of a row. */
#define BASELINE 13.0
#define BORDER 12.0

/* A dark terminal. Its background is drawn, so that the picture can be read on any page. */
#define BACKGROUND "#16181d"
#define FOREGROUND "#e4e6eb"

/* How a run of cells looks; colours as "#rrggbb". */
struct look {
	char colour[8], background[8];
	bool bold, underline;
};

static const char *output;

/* --- cells --- */

static void set_colour(char name[static 8], struct terminal *t, VTermColor colour,
    const char *otherwise)
{
	if (VTERM_COLOR_IS_DEFAULT_FG(&colour) || VTERM_COLOR_IS_DEFAULT_BG(&colour)) {
		snprintf(name, 8, "%s", otherwise);
		return;
	}
	colour = term_rgb(t, colour);
	snprintf(name, 8, "#%02x%02x%02x", colour.rgb.red, colour.rgb.green, colour.rgb.blue);
}

static struct look look_of(struct terminal *t, const VTermScreenCell *cell)
{
	struct look look = { .bold = cell->attrs.bold, .underline = cell->attrs.underline };
	bool reverse = cell->attrs.reverse;

	set_colour(reverse ? look.background : look.colour, t, cell->fg, FOREGROUND);
	set_colour(reverse ? look.colour : look.background, t, cell->bg, BACKGROUND);
	return look;
}

static bool same_look(const struct look *a, const struct look *b)
{
	return strcmp(a->colour, b->colour) == 0 && strcmp(a->background, b->background) == 0 &&
	       a->bold == b->bold && a->underline == b->underline;
}

static bool is_blank(struct terminal *t, int row, int column)
{
	uint32_t c = term_cell(t, row, column).chars[0];

	return c == 0 || c == ' ';
}

/* A letter of Latin, which every monospace font has. Other signs may come from another font and be
 * wider or narrower, so they stand in runs of their own. */
static bool is_latin(const VTermScreenCell *cell)
{
	return cell->chars[0] < 0x250;
}

/* The column after the run that begins at `column`. */
static int run_end(struct terminal *t, int row, int column)
{
	VTermScreenCell cell = term_cell(t, row, column);
	struct look look = look_of(t, &cell);
	bool latin = is_latin(&cell);

	do {
		struct look next;

		column += cell.width;
		if (column >= COLUMNS)
			break;
		cell = term_cell(t, row, column);
		next = look_of(t, &cell);
		if (!same_look(&look, &next))
			break;
	} while (is_latin(&cell) == latin);
	return column;
}

/* --- SVG --- */

static double x_of(int column)
{
	return BORDER + column * CELL_WIDTH;
}

static double y_of(int row)
{
	return BORDER + row * CELL_HEIGHT;
}

static void put_character(FILE *file, uint32_t c)
{
	if (c == '&' || c == '<' || c == '>')
		fprintf(file, "&#%u;", c);
	else
		fprintf(file, "%lc", (wint_t)c);
}

static void put_cells(FILE *file, struct terminal *t, int row, int column, int end)
{
	while (column < end) {
		VTermScreenCell cell = term_cell(t, row, column);

		if (is_blank(t, row, column))
			fputc(' ', file);
		else
			for (int i = 0; i < VTERM_MAX_CHARS_PER_CELL && cell.chars[i]; i++)
				put_character(file, cell.chars[i]);
		column += cell.width;
	}
}

static void put_box(FILE *file, int row, int column, int end, const char *colour)
{
	fprintf(file, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"%s\"/>\n",
	    x_of(column), y_of(row), (end - column) * CELL_WIDTH, CELL_HEIGHT, colour);
}

static void put_run(FILE *file, struct terminal *t, int row, int column, int end)
{
	VTermScreenCell cell = term_cell(t, row, column);
	struct look look = look_of(t, &cell);

	if (strcmp(look.background, BACKGROUND) != 0)
		put_box(file, row, column, end, look.background);
	while (column < end && is_blank(t, row, column))
		column++;
	while (end > column && is_blank(t, row, end - 1))
		end--;
	if (column == end)
		return;
	fprintf(file, "<text x=\"%.1f\" y=\"%.1f\" textLength=\"%.1f\" fill=\"%s\"%s%s>",
	    x_of(column), y_of(row) + BASELINE, (end - column) * CELL_WIDTH, look.colour,
	    look.bold ? " font-weight=\"bold\"" : "",
	    look.underline ? " text-decoration=\"underline\"" : "");
	put_cells(file, t, row, column, end);
	fputs("</text>\n", file);
}

static void put_head(FILE *file, struct terminal *t)
{
	double width = 2 * BORDER + COLUMNS * CELL_WIDTH, height = 2 * BORDER + ROWS * CELL_HEIGHT;

	fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n", file);
	fprintf(file,
	    "<svg xmlns=\"http://www.w3.org/2000/svg\" version=\"1.1\" width=\"%.0f\" "
	    "height=\"%.0f\" "
	    "viewBox=\"0 0 %.0f %.0f\"\n"
	    "    role=\"img\" aria-labelledby=\"title figures\" font-size=\"%d\"\n"
	    "    xml:space=\"preserve\" font-family=\"'DejaVu Sans Mono', Menlo, Consolas, "
	    "monospace\">\n",
	    width, height, width, height, FONT_SIZE);
	fputs(
	    "<title id=\"title\">The screen of upcase: the same lines over UDP and over TCP, on a "
	    "link that loses packets</title>\n",
	    file);
	fprintf(file, "<desc id=\"figures\">%s;", term_row(t, 0));
	fprintf(file, "%s</desc>\n", term_row(t, 1));
	fprintf(file, "<rect width=\"%.0f\" height=\"%.0f\" rx=\"6\" fill=\"%s\"/>\n", width,
	    height, BACKGROUND);
}

static void write_picture(struct terminal *t, const char *path)
{
	FILE *file = fopen(path, "w");
	int row, column;

	assert_non_null(file);
	put_head(file, t);
	for (row = 0; row < ROWS; row++)
		for (int end, from = 0; from < COLUMNS; from = end) {
			end = run_end(t, row, from);
			put_run(file, t, row, from, end);
		}
	term_cursor(t, &row, &column);
	put_box(file, row, column, column + 1, FOREGROUND);
	fputs("</svg>\n", file);
	assert_int_equal(fclose(file), 0);
}

/* --- the scene --- */

static struct terminal *open_lab(void)
{
	const char *build = getenv("abs_top_builddir");
	char lab[4096];
	const char *const argv[] = { lab, "--quiet", "--seed", SEED, "--loss", "20%", "--delay",
		"20ms", "--cc", "cubic", "--", client_path(), "--both", "10.9.0.2", NULL };
	const char *const environment[] = { "COLORFGBG=15;0", NULL };
	struct terminal *t;

	snprintf(lab, sizeof lab, "%s/lab/upcase-lab", build ? build : ".");
	t = term_start(ROWS, COLUMNS, argv, environment);
	term_expect(t, "both>");
	term_expect(t, "link: loss 20 %");
	term_expect(t, "-- TCP: connected in");
	return t;
}

static void pause_typing(void)
{
	struct timespec left = { .tv_nsec = TYPING_PAUSE_MS * 1000000L };

	while (nanosleep(&left, &left) != 0)
		continue;
}

static void four_lines_over_both(void **state)
{
	static const char *const lines[] = { "hello", "anyone there?", "third time lucky",
		"grüße" };
	struct terminal *t = open_lab();

	(void)state;
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		client_line(t, lines[i]);
		/* Decided over both, and what the link says agrees. */
		client_expect_compared(t, 2 * (long)i + 2);
		pause_typing();
	}
	write_picture(t, output);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(four_lines_over_both, client_teardown),
	};

	if (argc != 2) {
		fprintf(stderr, "usage: %s FILE\n", argv[0]);
		return 2;
	}
	output = argv[1];
	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
