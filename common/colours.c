/* SPDX-License-Identifier: GPL-3.0-or-later */
/* On a dark or a light background each of the 256 colours has a contrast of 4.5 to 1 or more (WCAG
 * 2, 1.4.3) with black or white and with the backgrounds of common themes. On an unknown one it is
 * about that with both black and white: its relative luminance is near 0.18. With 8 colours each is
 * the best of them. */
#include "common/colours.h"

/* The eight colours of ECMA-48, and the bright ones of aixterm. */
enum { NONE = -1, RED = 1, GREEN, YELLOW, BLUE, MAGENTA, CYAN, BRIGHT_BLUE = 8 + BLUE };

/* Indexed by enum background. */
static const struct {
	int many[3], eight[3];
} colours[COLOURS] = {
	[COLOUR_NONE] = { { NONE, NONE, NONE }, { NONE, NONE, NONE } },
	[COLOUR_UDP] = { { 130, 215, 94 }, { MAGENTA, YELLOW, MAGENTA } },
	[COLOUR_TCP] = { { 27, 75, 25 }, { BRIGHT_BLUE, CYAN, BLUE } },
	[COLOUR_ANSWERED] = { { 28, 114, 22 }, { GREEN, GREEN, NONE } },
	[COLOUR_LOST] = { { 160, 203, 124 }, { RED, RED, RED } },
	[COLOUR_LATE] = { { 163, 177, 90 }, { MAGENTA, MAGENTA, MAGENTA } },
	[COLOUR_AGAIN] = { { 162, 212, 126 }, { MAGENTA, MAGENTA, MAGENTA } },
	[COLOUR_NOTICE] = { { 30, 116, 23 }, { NONE, NONE, NONE } },
	/* The terminal's own faint is invisible on a projector, so it is not used. */
	[COLOUR_FAINT] = { { 243, 248, 240 }, { NONE, NONE, NONE } },
};

int colours_index(enum colour colour, enum background background, int count)
{
	return (count >= 256 ? colours[colour].many : colours[colour].eight)[background];
}

/* The levels of the 6x6x6 cube of colours. */
static unsigned level(int n)
{
	return n == 0 ? 0 : 55 + 40 * (unsigned)n;
}

unsigned colours_rgb(int index)
{
	const int cube = index - 16, grey = index - 232;

	if (grey >= 0)
		return (8 + 10 * (unsigned)grey) * 0x10101;
	return level(cube / 36) << 16 | level(cube / 6 % 6) << 8 | level(cube % 6);
}
