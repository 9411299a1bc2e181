/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What stands on a row of a canvas. */
#pragma once

#include <string.h>

#include "view/canvas.h"

static inline size_t encode(uint32_t c, char *out)
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	size_t length = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	for (size_t i = length - 1; i > 0; i--, c >>= 6)
		out[i] = (char)(0x80 | (c & 0x3f));
	static const unsigned char lead[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
	out[0] = (char)(lead[length] | c);
	return length;
}

static inline bool is_blank(const struct canvas_cell *cell)
{
	return cell->width == 1 && cell->chars[0] == L' ' && cell->chars[1] == 0;
}

/* As UTF-8, trailing blanks left out. Writes at most `size` bytes with the end. */
static inline char *canvas_row_text(const struct canvas *c, int row, char *buf, size_t size)
{
	size_t used = 0;
	int end = row >= 0 && row < c->rows ? c->columns : 0;
	while (end > 0 && is_blank(canvas_at(c, row, end - 1)))
		end--;
	for (int column = 0; column < end; column++) {
		const struct canvas_cell *cell = canvas_at(c, row, column);
		for (int i = 0; i < LAYOUT_CELL_CHARS && cell->chars[i] != 0; i++) {
			char one[4];
			size_t length = encode((uint32_t)cell->chars[i], one);
			if (used + length >= size)
				goto out;
			memcpy(buf + used, one, length);
			used += length;
		}
	}
out:
	if (size > 0)
		buf[used] = '\0';
	return buf;
}
