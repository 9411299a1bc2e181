/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "report/svg.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "common/colours.h"
#include "common/utf8.h"

/* The sizes of an arrow's head and of a cross, pixels. */
#define HEAD_LENGTH 7.0
#define HEAD_WIDTH 2.6
#define CROSS 4.0

/* The shapes' classes and colours; those of no meaning on the screen are on white. */
static const struct {
	const char *name;
	enum colour colour;
	unsigned rgb;
} classes[SVG_STYLES] = {
	[SVG_AXIS] = { "axis", COLOUR_NONE, 0x222222 },
	[SVG_GRID] = { "grid", COLOUR_NONE, 0xdddddd },
	[SVG_UDP] = { "udp", COLOUR_UDP, 0 },
	[SVG_TCP] = { "tcp", COLOUR_TCP, 0 },
	[SVG_RETRANSMITTED] = { "again", COLOUR_AGAIN, 0 },
	[SVG_BARE] = { "bare", COLOUR_NONE, 0x999999 },
	[SVG_LOST] = { "lost", COLOUR_LOST, 0 },
	[SVG_LATE] = { "late", COLOUR_LATE, 0 },
	[SVG_EVENT] = { "event", COLOUR_NONE, 0x8a6d00 },
	[SVG_WAITS] = { "waits", COLOUR_NONE, 0xf0c000 },
};

static void put_sheet(FILE *out)
{
	fputs("<style>\n"
	      "svg { background: #fff }\n"
	      "text { font-family: 'DejaVu Sans', 'Noto Sans', sans-serif; fill: #222 }\n"
	      "line, path { fill: none; stroke-width: 1.2 }\n",
	    out);
	for (int i = 0; i < SVG_STYLES; i++) {
		const int index = colours_index(classes[i].colour, BACKGROUND_LIGHT, 256);
		const unsigned rgb = index < 0 ? classes[i].rgb : colours_rgb(index);

		fprintf(out, ".%s { stroke: #%06x; fill: #%06x }\n", classes[i].name, rgb, rgb);
	}
	fputs("line.event { stroke-width: 1; stroke-dasharray: 2 3 }\n"
	      ".waits { stroke-width: 4 }\n"
	      "polyline { stroke-width: 1.6 } line.lost, path.lost { stroke-width: 1.8 }\n"
	      "path.head { stroke: none }\n"
	      ".dash { stroke-dasharray: 5 4 }\n"
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

/* Writes text escaped, at most `columns` characters of it. */
static void put_text(FILE *out, const void *text, size_t n, size_t columns)
{
	const unsigned char *s = text;

	for (size_t at = 0, count = 0; at < n; count++) {
		const size_t length = utf8_character(s + at, n - at);

		if (count == columns) {
			fputs("…", out);
			return;
		}
		if (length == 0)
			fputs("\xef\xbf\xbd", out);
		else
			put_character(out, s + at, length);
		at += length ? length : 1;
	}
}

static void put_words(FILE *out, const char *words)
{
	put_text(out, words, strlen(words), SIZE_MAX);
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
	fprintf(out, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"2\" class=\"%s\"/>\n", x, y,
	    classes[style].name);
}

void svg_box(FILE *out, double x, double y, double width, double height, enum svg_style style)
{
	fprintf(out, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" class=\"%s\"/>\n",
	    x, y, width, height, classes[style].name);
}

void svg_curve_begin(FILE *out, enum svg_style style)
{
	fprintf(out, "<polyline fill=\"none\" style=\"fill:none\" class=\"%s\" points=\"",
	    classes[style].name);
}

void svg_curve_point(FILE *out, double x, double y)
{
	fprintf(out, "%.1f,%.1f ", x, y);
}

void svg_curve_end(FILE *out)
{
	fputs("\"/>\n", out);
}

void svg_text(FILE *out, double x, double y, double size, enum svg_anchor anchor, const char *words,
    const void *text, size_t n, size_t columns)
{
	static const char *const anchors[] = { "start", "middle", "end" };

	fprintf(out,
	    "<text x=\"%.1f\" y=\"%.1f\" font-size=\"%.0f\" text-anchor=\"%s\" "
	    "xml:space=\"preserve\">",
	    x, y, size, anchors[anchor]);
	put_words(out, words);
	put_text(out, text, n, columns);
	fputs("</text>\n", out);
}

void svg_words(FILE *out, double x, double y, double size, enum svg_anchor anchor,
    const char *words)
{
	svg_text(out, x, y, size, anchor, words, "", 0, 0);
}

/* --- the whole --- */

void svg_begin(FILE *out, double width, double height, double x, const struct svg_heading *heading)
{
	const bool link = heading->link && *heading->link;

	fprintf(out,
	    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	    "<svg xmlns=\"http://www.w3.org/2000/svg\" version=\"1.1\" width=\"%.0f\" "
	    "height=\"%.0f\" "
	    "viewBox=\"0 0 %.0f %.0f\">\n<title>",
	    width, height, width, height);
	put_words(out, heading->title);
	fputs("</title>\n<desc>", out);
	put_words(out, heading->note);
	if (link) {
		fputs("; ", out);
		put_words(out, heading->link);
	}
	fputs("</desc>\n", out);
	put_sheet(out);
	fprintf(out, "<rect width=\"%.0f\" height=\"%.0f\" fill=\"#fff\"/>\n", width, height);
	svg_words(out, x, 28, 16, SVG_START, heading->title);
	svg_words(out, x, 46, 11, SVG_START, heading->note);
	if (link)
		svg_words(out, x, 62, 11, SVG_START, heading->link);
}

void svg_end(FILE *out)
{
	fputs("</svg>\n", out);
}
