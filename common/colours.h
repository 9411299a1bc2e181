/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The colours by their meaning, for the screen and the pictures: UDP is orange and TCP is blue in
 * both, which people who cannot distinguish red from green can tell apart. Pure. */
#pragma once

enum background { BACKGROUND_UNKNOWN, BACKGROUND_DARK, BACKGROUND_LIGHT };

enum colour {
	COLOUR_NONE, /* the terminal's own */
	COLOUR_UDP,
	COLOUR_TCP,
	COLOUR_ANSWERED,
	COLOUR_LOST, /* and what is wrong */
	COLOUR_LATE,
	COLOUR_AGAIN, /* sent again */
	COLOUR_NOTICE,
	COLOUR_FAINT,
	COLOURS,
};

/* The index of a colour among the terminal's `count` colours, 8 or more; 8 to 15 are the bright
 * ones. -1 is the terminal's own colour. */
int colours_index(enum colour colour, enum background background, int count);
/* The colour of xterm's palette with this index, 16 to 255, as 0xrrggbb. */
unsigned colours_rgb(int index);
