/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "report/svg.h"

#include <math.h>

#include "common/colours.h"
#include "common/utf8.h"

/* Pixels: an arrow's head, a cross, the title; columns: the title, a row of words. */
#define HEAD_LENGTH 13.0
#define HEAD_WIDTH 5.0
#define CROSS 8.0
#define TITLE_FONT 36.0
#define TITLE_COLUMNS 50
#define ROW_COLUMNS 84

/* The shapes' classes and colours; those of no meaning on the screen, on white and on black. */
static const struct {
	const char *name;
	enum colour colour;
	unsigned rgb[2];
} classes[SVG_STYLES] = {
	[SVG_AXIS] = { "axis", COLOUR_NONE, { 0x222222, 0xe4e6eb } },
	[SVG_GRID] = { "grid", COLOUR_NONE, { 0xdddddd, 0x3a3e46 } },
	[SVG_UDP] = { "udp", COLOUR_UDP, { 0 } },
	[SVG_TCP] = { "tcp", COLOUR_TCP, { 0 } },
	[SVG_RETRANSMITTED] = { "again", COLOUR_AGAIN, { 0 } },
	[SVG_BARE] = { "bare", COLOUR_NONE, { 0x999999, 0x8a8f98 } },
	[SVG_GROUND] = { "ground", COLOUR_NONE, { 0xffffff, 0x16181d } },
	[SVG_LOST] = { "lost", COLOUR_LOST, { 0 } },
	[SVG_LATE] = { "late", COLOUR_LATE, { 0 } },
	[SVG_EVENT] = { "event", COLOUR_NONE, { 0x8a6d00, 0xd7c15f } },
	[SVG_WAITS] = { "waits", COLOUR_NONE, { 0xf0c000, 0xe6b93c } },
};

static unsigned rgb(enum svg_style style, bool dark)
{
	const int index = colours_index(classes[style].colour,
	    dark ? BACKGROUND_DARK : BACKGROUND_LIGHT, 256);

	return index < 0 ? classes[style].rgb[dark] : colours_rgb(index);
}

unsigned svg_ground(bool dark)
{
	return rgb(SVG_GROUND, dark);
}

unsigned svg_ink(bool dark)
{
	return rgb(SVG_AXIS, dark);
}

static void put_sheet(FILE *out, bool dark)
{
	fprintf(out,
	    "<style>\nsvg { background: #%06x }\n"
	    "text { font-family: 'DejaVu Sans', 'Noto Sans', Verdana, sans-serif; fill: #%06x }\n"
	    "line, path { fill: none; stroke-width: 3 } polyline { stroke-width: 4 }\n",
	    svg_ground(dark), svg_ink(dark));
	for (int i = 0; i < SVG_STYLES; i++)
		fprintf(out, ".%s { stroke: #%06x; fill: #%06x }\n", classes[i].name,
		    rgb((enum svg_style)i, dark), rgb((enum svg_style)i, dark));
	fputs("line.grid { stroke-width: 1.5 } line.event { stroke-width: 2; "
	      "stroke-dasharray: 3 5 }\n"
	      "line.waits { stroke-width: 9 } line.lost, path.lost { stroke-width: 4 }\n"
	      "path.head { stroke: none } .dash { stroke-dasharray: 10 8 }\n"
	      "g text { fill: inherit; font-weight: bold; stroke: none }\n"
	      "</style>\n",
	    out);
}

static void put_character(FILE *out, const unsigned char *s, size_t n)
{
	const uint32_t code = utf8_code(s, n);

	if (n == 1 && (*s == '&' || *s == '<' || *s == '>' || *s == '"'))
		fputs(*s == '&'   ? "&amp;"
		      : *s == '<' ? "&lt;"
		      : *s == '>' ? "&gt;"
		                  : "&quot;",
		    out);
	else if (utf8_is_control(code) || code == 0xfffe || code == 0xffff)
		fputs("\xef\xbf\xbd", out);
	else
		fwrite(s, 1, n, out);
}

/* The columns of the first character, whose length in bytes is *length, 0 for a broken one. */
static size_t character_columns(const unsigned char *s, size_t n, size_t *length)
{
	*length = utf8_character(s, n);
	return *length && utf8_code(s, *length) >= 0x1100 ? 2 : 1;
}

/* Writes text escaped, at most `columns` columns of it; the last is an ellipsis if there is more.
 */
static void put_text(FILE *out, const void *text, size_t n, size_t columns)
{
	const unsigned char *s = text;
	size_t whole = 0, used = 0, length;

	for (size_t at = 0; at < n && whole <= columns; at += length ? length : 1)
		whole += character_columns(s + at, n - at, &length);
	for (size_t at = 0; at < n; at += length ? length : 1) {
		used += character_columns(s + at, n - at, &length);
		if (used + (whole > columns) > columns) {
			fputs("…", out);
			return;
		}
		if (length == 0)
			fputs("\xef\xbf\xbd", out);
		else
			put_character(out, s + at, length);
	}
}

void svg_escaped(FILE *out, const char *text)
{
	put_text(out, text, strlen(text), SIZE_MAX);
}

void svg_line(FILE *out, double x1, double y1, double x2, double y2, enum svg_style style,
    int dashed)
{
	fprintf(out, "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" class=\"%s%s\"/>\n", x1,
	    y1, x2, y2, classes[style].name, dashed ? " dash" : "");
}

void svg_arrow(FILE *out, double x1, double y1, double x2, double y2, enum svg_style style,
    int dashed)
{
	const double length = hypot(x2 - x1, y2 - y1);
	const double dx = length > 0 ? (x2 - x1) / length : 1,
	             dy = length > 0 ? (y2 - y1) / length : 0;
	const double x = x2 - HEAD_LENGTH * dx, y = y2 - HEAD_LENGTH * dy;

	svg_line(out, x1, y1, x, y, style, dashed);
	fprintf(out, "<path d=\"M%.1f %.1fL%.1f %.1fL%.1f %.1fz\" class=\"%s head\"/>\n", x2, y2,
	    x - HEAD_WIDTH * dy, y + HEAD_WIDTH * dx, x + HEAD_WIDTH * dy, y - HEAD_WIDTH * dx,
	    classes[style].name);
}

void svg_cross(FILE *out, double x, double y, enum svg_style style)
{
	fprintf(out, "<path d=\"M%.1f %.1fL%.1f %.1fM%.1f %.1fL%.1f %.1f\" class=\"%s\"/>\n",
	    x - CROSS, y - CROSS, x + CROSS, y + CROSS, x - CROSS, y + CROSS, x + CROSS, y - CROSS,
	    classes[style].name);
}

void svg_dot(FILE *out, double x, double y, enum svg_style style)
{
	fprintf(out, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"4\" class=\"%s\"/>\n", x, y,
	    classes[style].name);
}

void svg_box(FILE *out, double x, double y, double width, double height, enum svg_style style)
{
	fprintf(out, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" class=\"%s\"/>\n",
	    x, y, width, height, classes[style].name);
}

void svg_curve(FILE *out, double (*points)[2], size_t n, enum svg_style style)
{
	fprintf(out, "<polyline fill=\"none\" style=\"fill:none\" class=\"%s\" points=\"",
	    classes[style].name);
	for (size_t i = 0; i < n; i++)
		fprintf(out, "%.1f,%.1f ", points[i][0], points[i][1]);
	fputs("\"/>\n", out);
}

/* Writes words of the size in pixels, as svg_text() does. */
static void put_words(FILE *out, double x, double y, double size, enum svg_anchor anchor,
    const char *words, const void *text, size_t n, size_t columns)
{
	static const char *const anchors[] = { "start", "middle", "end" };

	fprintf(out,
	    "<text x=\"%.1f\" y=\"%.1f\" font-size=\"%.0f\" text-anchor=\"%s\" "
	    "xml:space=\"preserve\">",
	    x, y, size, anchors[anchor]);
	svg_escaped(out, words);
	put_text(out, text, n, columns);
	fputs("</text>\n", out);
}

void svg_text(FILE *out, double x, double y, enum svg_anchor anchor, const char *words,
    const void *text, size_t n, size_t columns)
{
	put_words(out, x, y, SVG_FONT, anchor, words, text, n, columns);
}

void svg_words(FILE *out, double x, double y, enum svg_anchor anchor, const char *words)
{
	svg_text(out, x, y, anchor, words, "", 0, 0);
}

void svg_name(FILE *out, double x, double y, enum svg_style style, const char *words)
{
	fprintf(out, "<g class=\"%s\">\n", classes[style].name);
	svg_words(out, x, y, SVG_END, words);
	fputs("</g>\n", out);
}

/* --- the whole --- */

/* Writes a row of the heading, as much as there is room for. */
static void put_row(FILE *out, double y, double size, const char *words, size_t columns)
{
	put_words(out, SVG_MARGIN, y, size, SVG_START, "", words, strlen(words), columns);
}

/* Writes the heading as the description. */
static void put_description(FILE *out, const struct svg_heading *heading, bool link)
{
	fputs("<title>", out);
	svg_escaped(out, heading->title);
	fputs("</title>\n<desc>", out);
	svg_escaped(out, heading->note);
	fputs(link ? "; " : "", out);
	svg_escaped(out, link ? heading->link : "");
	svg_escaped(out, heading->about ? heading->about : "");
	fputs("</desc>\n", out);
}

void svg_begin(FILE *out, const struct svg_heading *heading)
{
	const bool link = heading->link && *heading->link,
	           large = utf8_columns(heading->title) <= TITLE_COLUMNS - (heading->page ? 8 : 0);

	fprintf(out,
	    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	    "<svg xmlns=\"http://www.w3.org/2000/svg\" version=\"1.1\" width=\"%.0f\" "
	    "height=\"%.0f\" viewBox=\"0 0 %.0f %.0f\">\n",
	    SVG_WIDTH, SVG_HEIGHT, SVG_WIDTH, SVG_HEIGHT);
	put_description(out, heading, link);
	put_sheet(out, heading->dark);
	fprintf(out, "<rect width=\"%.0f\" height=\"%.0f\" fill=\"#%06x\"/>\n", SVG_WIDTH,
	    SVG_HEIGHT, svg_ground(heading->dark));
	put_row(out, 44, large ? TITLE_FONT : SVG_FONT, heading->title,
	    large ? TITLE_COLUMNS : ROW_COLUMNS - (heading->page ? 12 : 0));
	if (heading->page)
		svg_words(out, SVG_WIDTH - SVG_MARGIN, 44, SVG_END, heading->page);
	put_row(out, 80, SVG_FONT, heading->note, ROW_COLUMNS);
	if (link)
		put_row(out, 113, SVG_FONT, heading->link, ROW_COLUMNS);
}

void svg_end(FILE *out)
{
	fputs("</svg>\n", out);
}
