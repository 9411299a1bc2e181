/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The signs on the screen, in UTF-8 and ASCII, and the look of each transport. Pure. */
#pragma once

#include "view/canvas.h"

enum glyph {
	GLYPH_WIRE_UDP,
	GLYPH_WIRE_TCP,
	GLYPH_WIRE_TWICE, /* one column of an arrow */
	GLYPH_HEAD,       /* the end of an arrow */
	GLYPH_CROSS,      /* the place where an arrow broke */
	GLYPH_WAITING,    /* one column of waiting */
	GLYPH_TIMES,      /* before a number of copies */
	GLYPH_REORDERED,
	GLYPH_DIFFERS,
	GLYPH_ELLIPSIS,
	GLYPH_BAR_UDP,
	GLYPH_BAR_TCP,   /* between the panes */
	GLYPH_BAR,       /* between two groups of fields */
	GLYPH_SEPARATOR, /* between two fields of the status line */
	GLYPH_MICRO,
	GLYPH_SELECTED, /* before the selected row */
	GLYPHS,
};

/* Returns a static string, UTF-8 or ASCII; each of its characters takes one column. */
const char *glyph(enum glyph g, bool ascii);

/* The look of UDP, then TCP: the index is true for a stream. */
struct transport_look {
	enum style style;
	enum glyph wire, bar;
};
extern const struct transport_look transport_looks[2];
