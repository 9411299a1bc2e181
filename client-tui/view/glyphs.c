/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "view/glyphs.h"

static const struct {
	const char *sign, *ascii;
} glyphs[GLYPHS] = {
	[GLYPH_WIRE_UDP] = { "─", "-" },
	[GLYPH_WIRE_TCP] = { "━", "=" },
	[GLYPH_WIRE_TWICE] = { "═", "#" },
	[GLYPH_HEAD] = { "▶", ">" },
	[GLYPH_CROSS] = { "✗", "x" },
	[GLYPH_WAITING] = { "·", "." },
	[GLYPH_TIMES] = { "×", "x" },
	[GLYPH_REORDERED] = { "↷", "^" },
	[GLYPH_DIFFERS] = { "≠", "!=" },
	[GLYPH_ELLIPSIS] = { "…", "..." },
	[GLYPH_BAR_UDP] = { "│", "|" },
	[GLYPH_BAR_TCP] = { "┃", ":" },
	[GLYPH_BAR] = { " │ ", " | " },
	[GLYPH_SEPARATOR] = { " · ", ", " },
	[GLYPH_MICRO] = { "µ", "u" },
	[GLYPH_SELECTED] = { "▸", ">" },
};

const char *glyph(enum glyph g, bool ascii)
{
	return ascii ? glyphs[g].ascii : glyphs[g].sign;
}

const struct transport_look transport_looks[] = {
	{ STYLE_UDP, GLYPH_WIRE_UDP, GLYPH_BAR_UDP },
	{ STYLE_TCP, GLYPH_WIRE_TCP, GLYPH_BAR_TCP },
};
