/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The signs on the screen, in UTF-8 and for terminals that show only ASCII, and what each mark
 * means: written once, for the view, the help page and the manual's test. Pure. */
#ifndef UPCASE_GLYPHS_H
#define UPCASE_GLYPHS_H

#include <stdbool.h>

/* What marks are made of. */
enum glyph {
	GLYPH_WIRE_UDP,
	GLYPH_WIRE_TCP,
	GLYPH_WIRE_TWICE, /* one column of an arrow */
	GLYPH_HEAD,       /* its end */
	GLYPH_CROSS,      /* where it broke */
	GLYPH_WAITING,    /* one column of waiting */
	GLYPH_TIMES,      /* before a number of copies */
	GLYPH_REORDERED,
	GLYPH_DIFFERS,
	GLYPH_ELLIPSIS,
	GLYPH_BAR_UDP,
	GLYPH_BAR_TCP,   /* between the panes */
	GLYPH_SEPARATOR, /* between two fields of the status line */
	GLYPH_MICRO,
	GLYPHS,
};

/* Static, UTF-8 or ASCII; each character takes one column. */
const char *glyph(enum glyph g, bool ascii);

/* A mark as a reader meets it. */
struct mark_spec {
	/* One name each, ASCII. NULL in the last entry. */
	const char *name;
	/* The part of it that is always there. */
	const char *sign, *ascii;
	const char *meaning;
};

extern const struct mark_spec mark_table[];
/* Those that are seen only in the lab. */
extern const struct mark_spec lab_mark_table[];

#endif
