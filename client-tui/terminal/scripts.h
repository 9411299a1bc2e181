/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Cells that terminals lay out differently. Pure. */
#pragma once

#include "view/canvas.h"

/* Returns true if terminals give the cell different numbers of columns: combined characters, emoji,
 * flags, the soft hyphen, Thai, Hangul jamo and scripts like them. */
bool scripts_width_differs(const struct canvas_cell *cell);
/* Returns true if a character of the row is written from right to left. Terminals that reorder text
 * then also reorder what is between two such texts. */
bool scripts_right_to_left(const struct canvas_cell *cells, int columns);
/* Returns true if the cell is one of the screen's own signs: bars, arrows, blocks. */
bool scripts_is_sign(const struct canvas_cell *cell);
/* Returns true if this character of the cell is not drawn: it has no shape of its own, and some
 * terminals give it a column. Joined emoji are drawn one by one. */
bool scripts_is_invisible(const struct canvas_cell *cell, wchar_t c);
