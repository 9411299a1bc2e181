/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The colour and marks of a style, by the terminal's colours and background. Pure. */
#pragma once

#include "common/colours.h"
#include "view/canvas.h"

#define PALETTE_DEFAULT (-1) /* the terminal's own colour */

enum { PALETTE_BOLD = 1, PALETTE_UNDERLINE = 2, PALETTE_REVERSE = 4 };

struct palette_entry {
	/* The foreground's index or PALETTE_DEFAULT; the background is the terminal's. */
	int colour;
	unsigned marks;
};

/* `colours`: the terminal's number of colours, 0 for none (or none wanted). */
struct palette_entry palette_entry(enum style style, int colours, enum background background);

/* The background that COLORFGBG ("15;0", "0;default;15") states; NULL is unknown. */
enum background palette_background(const char *colorfgbg);
/* The background of an X11 colour ("rgb:ffff/ff/0", "rgba:0/0/0/f", "#ffffff"), or unknown. */
enum background palette_background_of(const char *colour);
