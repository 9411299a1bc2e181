/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which colour and which marks a style has, by how many colours the terminal knows and what its
 * background is. Pure. */
#ifndef UPCASE_PALETTE_H
#define UPCASE_PALETTE_H

#include "view/canvas.h"

enum palette_background { PALETTE_UNKNOWN, PALETTE_DARK, PALETTE_LIGHT };

/* The terminal's own colour. */
#define PALETTE_DEFAULT (-1)

enum { PALETTE_BOLD = 1, PALETTE_UNDERLINE = 2, PALETTE_REVERSE = 4 };

struct palette_entry {
	/* The foreground, an index into the terminal's colours, or PALETTE_DEFAULT; the background
	 * is always the terminal's own. */
	int colour;
	unsigned marks;
};

/* `colours`: how many the terminal has, 0 for none (or none wanted). */
struct palette_entry palette_entry(enum style style, int colours,
    enum palette_background background);

/* What COLORFGBG ("15;0", "0;default;15") says of the background. NULL is unknown. */
enum palette_background palette_background(const char *colorfgbg);

#endif
