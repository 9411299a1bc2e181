/* SPDX-License-Identifier: GPL-3.0-or-later */
/* With 256 colours and an unknown background, each colour has a contrast of about 4.5 to 1 (WCAG 2,
 * 1.4.3) with both black and white: its relative luminance is near 0.18. With 8 colours, each is
 * the best of them on both. A glyph or a word repeats the meaning of each colour, so few styles
 * have marks. */
#include "config.h"

#include "terminal/palette.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* The eight colours of ECMA-48. */
enum { RED = 1, GREEN = 2, YELLOW = 3, BLUE = 4, MAGENTA = 5, CYAN = 6, NONE = PALETTE_DEFAULT };

struct rendition {
	/* The marks (bold, underline, reverse) with colours and without. */
	unsigned marks, plain_marks;
	/* The colours, indexed by enum palette_background. */
	int many[3], eight[3];
};

#define B PALETTE_BOLD
#define U PALETTE_UNDERLINE
#define R PALETTE_REVERSE

static const struct rendition renditions[STYLES] = {
	[STYLE_NORMAL] = { 0, 0, { NONE, NONE, NONE }, { NONE, NONE, NONE } },
	[STYLE_STATUS] = { R, R, { NONE, NONE, NONE }, { NONE, NONE, NONE } },
	[STYLE_HEADING] = { B, B, { NONE, NONE, NONE }, { NONE, NONE, NONE } },
	/* The terminal's own faint is invisible on a projector, so it is not used. */
	[STYLE_FAINT] = { 0, 0, { 243, 248, 240 }, { NONE, NONE, NONE } },
	[STYLE_UDP] = { 0, 0, { 130, 215, 130 }, { MAGENTA, YELLOW, MAGENTA } },
	[STYLE_TCP] = { 0, 0, { 27, 117, 25 }, { NONE, CYAN, BLUE } },
	[STYLE_ANSWERED] = { 0, 0, { 28, 114, 22 }, { GREEN, GREEN, NONE } },
	[STYLE_WAITING] = { 0, 0, { 30, 80, 24 }, { NONE, CYAN, BLUE } },
	[STYLE_LOST] = { B, B, { 160, 203, 124 }, { RED, RED, RED } },
	[STYLE_LATE] = { 0, U, { 163, 213, 90 }, { MAGENTA, MAGENTA, MAGENTA } },
	[STYLE_NOTICE] = { 0, 0, { 30, 117, 25 }, { NONE, CYAN, BLUE } },
	[STYLE_ERROR] = { B, B, { 160, 203, 124 }, { RED, RED, RED } },
	[STYLE_FOUND] = { R, R, { NONE, NONE, NONE }, { NONE, NONE, NONE } },
	[STYLE_SUBSTITUTE] = { 0, U, { 163, 180, 90 }, { MAGENTA, YELLOW, MAGENTA } },
	[STYLE_PROMPT] = { B, B, { NONE, NONE, NONE }, { NONE, NONE, NONE } },
	/* Not reversed: the words beside it are, and bold alone is hardly seen in reverse. */
	[STYLE_KEY] = { B, B, { NONE, NONE, NONE }, { NONE, NONE, NONE } },
	[STYLE_SELECTED] = { R | B, R | B, { NONE, NONE, NONE }, { NONE, NONE, NONE } },
};

struct palette_entry palette_entry(enum style style, int colours,
    enum palette_background background)
{
	const struct rendition *rendition = &renditions[style];
	struct palette_entry entry = { PALETTE_DEFAULT, rendition->plain_marks };
	if (colours >= 8) {
		entry.marks = rendition->marks;
		entry.colour = colours >= 256 ? rendition->many[background]
		                              : rendition->eight[background];
	}
	return entry;
}

enum palette_background palette_background(const char *colorfgbg)
{
	const char *last = colorfgbg ? strrchr(colorfgbg, ';') : NULL;
	char *end;
	if (!last || last[1] < '0' || last[1] > '9')
		return PALETTE_UNKNOWN;
	long colour = strtol(last + 1, &end, 10);
	if (*end != '\0' || colour > 15)
		return PALETTE_UNKNOWN;
	/* White, and the bright colours except bright black. */
	return colour == 7 || colour > 8 ? PALETTE_LIGHT : PALETTE_DARK;
}
