/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Writes a picture as SVG 1.1: a few shapes and words, nothing that a viewer could lack. Text from
 * the network is shown safely: what XML does not allow becomes a replacement character. Errors of
 * writing stay with the stream: check ferror() at the end. */
#ifndef UPCASE_SVG_H
#define UPCASE_SVG_H

#include <stddef.h>
#include <stdio.h>

/* The meaning of a shape; its colour and dashes stand in the picture's own style sheet, so that all
 * pictures agree, in print and on a dark page too. */
enum svg_style {
	SVG_AXIS, /* frames and the two hosts' lines of time */
	SVG_GRID, /* faint lines behind */
	SVG_UDP,
	SVG_TCP,
	SVG_RETRANSMITTED, /* sent again */
	SVG_BARE,          /* a segment without payload */
	SVG_LOST,
	SVG_LATE,
	SVG_WAITS, /* a line that is typed and not sent yet */
	SVG_EVENT, /* the link was changed, and the like: a line across */
	SVG_STYLES
};

/* The words above the picture, our own. */
struct svg_heading {
	const char *title, *note;
	/* The settings of the lab's link; "" or NULL for none. */
	const char *link;
};
/* Room for it, pixels. */
#define SVG_HEADING 70.0

enum svg_anchor { SVG_START, SVG_MIDDLE, SVG_END };

/* Width and height in pixels; the heading, which begins at `x`, is also there for who cannot see.
 */
void svg_begin(FILE *out, double width, double height, double x, const struct svg_heading *heading);
void svg_end(FILE *out);
/* `dashed`: it is not known, only reckoned. */
void svg_line(FILE *out, double x1, double y1, double x2, double y2, enum svg_style style,
    int dashed);
/* A line with a head at its end. */
void svg_arrow(FILE *out, double x1, double y1, double x2, double y2, enum svg_style style,
    int dashed);
void svg_cross(FILE *out, double x, double y, enum svg_style style);
void svg_dot(FILE *out, double x, double y, enum svg_style style);
void svg_box(FILE *out, double x, double y, double width, double height, enum svg_style style);
/* A curve through `n` points: begin, then svg_point() for each, then end. */
void svg_curve_begin(FILE *out, enum svg_style style);
void svg_curve_point(FILE *out, double x, double y);
void svg_curve_end(FILE *out);
/* Our own words, UTF-8; `size` in pixels. */
void svg_words(FILE *out, double x, double y, double size, enum svg_anchor anchor,
    const char *words);
/* Somebody's text, at most `columns` characters of it and then an ellipsis, behind our own words.
 */
void svg_text(FILE *out, double x, double y, double size, enum svg_anchor anchor, const char *words,
    const void *text, size_t n, size_t columns);

#endif
