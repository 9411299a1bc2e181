/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Writes a picture as SVG 1.1: a few shapes and words that every viewer supports. A page has the
 * size of a slide, 16:9, 13.33 in wide at 96 pixels an inch. Text from the network is safe: a
 * replacement character stands for each character that XML does not allow. Errors of writing stay
 * with the stream: check ferror() at the end. */
#pragma once

/* A page, pixels; the size of its words, 20 pt, and its margin. */
#define SVG_WIDTH 1280.0
#define SVG_HEIGHT 720.0
#define SVG_FONT 27.0
#define SVG_MARGIN 24.0
#define SVG_COLUMN 16.5 /* the width of a column of words at that size: a wide letter's */

/* The meaning of a shape: the style sheet has its colour and dashes, also for print. */
enum svg_style {
	SVG_AXIS, /* frames, and the two hosts' lines of time */
	SVG_GRID, /* faint background lines */
	SVG_UDP,
	SVG_TCP,
	SVG_RETRANSMITTED, /* sent again */
	SVG_BARE,          /* a segment without payload */
	SVG_LOST,
	SVG_LATE,
	SVG_WAITS,  /* a line that is typed but not sent yet */
	SVG_GROUND, /* nothing: what is below is covered */
	SVG_EVENT,  /* a line across for an event, such as a change of the link */
	SVG_STYLES
};

/* The program's words above the picture. */
struct svg_heading {
	const char *title, *note;
	const char *link;  /* the settings of the lab's link; "" or NULL for none */
	const char *about; /* more, for the description only; "" or NULL for none */
	const char *page;  /* "page 2 of 3", or NULL */
	bool dark;         /* bright on a dark ground */
};
#define SVG_HEADING 126.0 /* the height of the heading, pixels */

enum svg_anchor { SVG_START, SVG_MIDDLE, SVG_END };

/* Begins a page; screen readers get the whole heading, viewers as much as there is room for. */
void svg_begin(FILE *out, const struct svg_heading *heading);
void svg_end(FILE *out);
/* A line; with `dashed`, it is estimated. */
void svg_line(FILE *out, double x1, double y1, double x2, double y2, enum svg_style style,
    int dashed);
/* A line with a head at its end. */
void svg_arrow(FILE *out, double x1, double y1, double x2, double y2, enum svg_style style,
    int dashed);
void svg_cross(FILE *out, double x, double y, enum svg_style style);
void svg_dot(FILE *out, double x, double y, enum svg_style style);
void svg_box(FILE *out, double x, double y, double width, double height, enum svg_style style);
/* A curve through `n` points, each x and y. */
void svg_curve(FILE *out, double (*points)[2], size_t n, enum svg_style style);
/* The program's own words, UTF-8. */
void svg_words(FILE *out, double x, double y, enum svg_anchor anchor, const char *words);
/* The same in bold and in the colour of a style, up to `x`. */
void svg_name(FILE *out, double x, double y, enum svg_style style, const char *words);
/* Writes foreign text, at most `columns` columns, the last an ellipsis if it is cut, after the
 * program's own words. Characters from U+1100 on, East Asia's and pictures, have two columns. */
void svg_text(FILE *out, double x, double y, enum svg_anchor anchor, const char *words,
    const void *text, size_t n, size_t columns);
/* The colours of the ground and of words, 0xrrggbb. */
unsigned svg_ground(bool dark);
unsigned svg_ink(bool dark);
/* Writes a text escaped, as content or in an attribute. */
void svg_escaped(FILE *out, const char *text);
