/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "terminal/scripts.h"

#include <unictype.h>

struct range {
	wchar_t first, last;
};

bool scripts_width_differs(const struct canvas_cell *cell)
{
	/* Blocks of Unicode: from Devanagari to Myanmar, with Thai; Hangul jamo; Philippine scripts
	 * to Mongolian, with Khmer; symbols of which some are emoji; jamo again; emoji and all
	 * other planes. */
	static const struct range ranges[] = { { 0xad, 0xad }, { 0x900, 0x109f },
		{ 0x1100, 0x11ff }, { 0x1700, 0x18af }, { 0x2600, 0x26ff }, { 0xa960, 0xa97f },
		{ 0xd7b0, 0xd7ff }, { 0x10000, 0x10ffff } };
	const wchar_t c = cell->chars[0];

	if (cell->chars[1])
		return true;
	for (size_t i = 0; c >= ranges[0].first && i < sizeof ranges / sizeof *ranges; i++)
		if (c >= ranges[i].first && c <= ranges[i].last)
			return true;
	return false;
}

bool scripts_right_to_left(const struct canvas_cell *cells, int columns)
{
	for (int i = 0; i < columns; i++) {
		const wchar_t c = cells[i].chars[0];
		/* These scripts are from Hebrew to Arabic, and among the presentation forms. */
		const bool other = c < 0x590 || (c > 0x8ff && c < 0xfb1d);
		const int class = other ? UC_BIDI_L : uc_bidi_class((ucs4_t)c);

		if (class == UC_BIDI_R || class == UC_BIDI_AL || class == UC_BIDI_AN)
			return true;
	}
	return false;
}

bool scripts_is_sign(const struct canvas_cell *cell)
{
	return cell->chars[0] >= 0x2190 && cell->chars[0] <= 0x2bff;
}

bool scripts_is_invisible(const struct canvas_cell *cell, wchar_t c)
{
	return c == 0x200b || c == 0x2060 || c == 0xfeff || (c == 0x200d && cell->width == 2);
}
