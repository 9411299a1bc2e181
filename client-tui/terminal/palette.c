/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A glyph or a word repeats the meaning of each colour, so few styles have marks. */
#include "terminal/palette.h"

struct rendition {
	enum colour colour;
	/* The marks (bold, underline, reverse) without colours, with 8 to 255 and with more. */
	unsigned marks[3];
};

#define B PALETTE_BOLD
#define U PALETTE_UNDERLINE
#define R PALETTE_REVERSE

static const struct rendition renditions[STYLES] = {
	[STYLE_NORMAL] = { COLOUR_NONE, { 0, 0, 0 } },
	[STYLE_STATUS] = { COLOUR_NONE, { R, R, R } },
	[STYLE_HEADING] = { COLOUR_NONE, { B, B, B } },
	[STYLE_FAINT] = { COLOUR_FAINT, { 0, 0, 0 } },
	[STYLE_UDP] = { COLOUR_UDP, { 0, 0, 0 } },
	[STYLE_TCP] = { COLOUR_TCP, { 0, 0, 0 } },
	[STYLE_ANSWERED] = { COLOUR_ANSWERED, { 0, 0, 0 } },
	[STYLE_WAITING] = { COLOUR_FAINT, { 0, 0, 0 } },
	[STYLE_LOST] = { COLOUR_LOST, { B, B, B } },
	/* Of 8 colours, UDP may have the same. */
	[STYLE_LATE] = { COLOUR_LATE, { U, U, 0 } },
	[STYLE_NOTICE] = { COLOUR_NOTICE, { 0, 0, 0 } },
	[STYLE_ERROR] = { COLOUR_LOST, { B, B, B } },
	[STYLE_FOUND] = { COLOUR_NONE, { R, R, R } },
	[STYLE_SUBSTITUTE] = { COLOUR_LATE, { U, U, U } },
	[STYLE_PROMPT] = { COLOUR_NONE, { B, B, B } },
	/* Not reversed: the words beside it are, and bold alone is hardly seen in reverse. */
	[STYLE_KEY] = { COLOUR_NONE, { B, B, B } },
	[STYLE_SELECTED] = { COLOUR_NONE, { R | B, R | B, R | B } },
};

struct palette_entry palette_entry(enum style style, int colours, enum background background)
{
	const struct rendition *r = &renditions[style];
	struct palette_entry entry = { PALETTE_DEFAULT, r->marks[0] };
	if (colours < 8)
		return entry;
	entry.colour = colours_index(r->colour, background, colours);
	entry.marks = r->marks[colours >= 256 ? 2 : 1];
	/* Terminals of 8 colours show bold as bright. */
	if (entry.colour >= 8 && entry.colour < 16 && colours < 16) {
		entry.colour -= 8;
		entry.marks |= PALETTE_BOLD;
	}
	return entry;
}

enum background palette_background(const char *colorfgbg)
{
	const char *last = colorfgbg ? strrchr(colorfgbg, ';') : NULL;
	char *end;
	if (!last || last[1] < '0' || last[1] > '9')
		return BACKGROUND_UNKNOWN;
	long colour = strtol(last + 1, &end, 10);
	if (*end != '\0' || colour > 15)
		return BACKGROUND_UNKNOWN;
	/* White, and the bright colours except bright black. */
	return colour == 7 || colour > 8 ? BACKGROUND_LIGHT : BACKGROUND_DARK;
}

/* Reads a part of a colour, hexadecimal, `width` digits at most: 0 to 1, or -1 for none. */
static double read_part(const char **s, size_t width)
{
	char digits[5] = "";
	size_t n = strspn(*s, "0123456789abcdefABCDEF");
	n = n < width ? n : width;
	memcpy(digits, *s, n);
	*s += n;
	return n > 0 ? (double)strtoul(digits, NULL, 16) / ((1 << 4 * n) - 1) : -1;
}

enum background palette_background_of(const char *colour)
{
	/* Red, green and blue of the brightness (ITU-R BT.601). */
	static const double weights[3] = { 0.299, 0.587, 0.114 };
	const bool sharp = colour[0] == '#';
	const size_t length = strlen(colour), width = sharp && length < 13 ? (length - 1) / 3 : 4;
	const char *s = colour + (sharp                                 ? 1
	                             : strncmp(colour, "rgb:", 4) == 0  ? 4
	                             : strncmp(colour, "rgba:", 5) == 0 ? 5
	                                                                : length);
	double brightness = 0, part;
	for (int i = 0; i < 3; i++, brightness += weights[i - 1] * part)
		if ((i > 0 && !sharp && *s++ != '/') || (part = read_part(&s, width)) < 0)
			return BACKGROUND_UNKNOWN;
	/* The opacity of rgba: is the fourth part. */
	if (*s && (sharp || *s != '/'))
		return BACKGROUND_UNKNOWN;
	/* On this grey, black and white have the same contrast. */
	return brightness > 0.46 ? BACKGROUND_LIGHT : BACKGROUND_DARK;
}
