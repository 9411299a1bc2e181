/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A text becomes an array of cells once; wrapping, scrolling and drawing then only count. The array
 * is used again from text to text, since a draw lays out a screenful of texts, sixty times a
 * second. */
#include "view/layout.h"

#include "common/grow.h"
#include "common/utf8.h"

#define REPLACEMENT 0xfffd

static bool append(struct layout *l, uint32_t c, int width, bool substitute, size_t offset)
{
	if (grow_list(&l->cells, &l->capacity, l->count + 1, sizeof *l->cells) < 0)
		return false;
	l->cells[l->count++] = (struct layout_cell){
		.chars = { (wchar_t)c },
		.width = (uint8_t)width,
		.substitute = substitute,
		.offset = (uint32_t)offset,
	};
	return true;
}

/* Joins a combining character to the last cell. Returns false if no cell can take it. */
static bool join(struct layout *l, uint32_t c)
{
	if (l->count == 0 || l->cells[l->count - 1].substitute)
		return false;
	wchar_t *chars = l->cells[l->count - 1].chars;
	for (int i = 1; i < LAYOUT_CELL_CHARS; i++) {
		if (chars[i] == 0) {
			chars[i] = (wchar_t)c;
			if (c == LAYOUT_EMOJI)
				l->cells[l->count - 1].width = 2;
			break;
		}
	}
	return true;
}

/* Appends U+FFFD, or a question mark if the terminal cannot show that. */
static bool append_replacement(struct layout *l, size_t offset, layout_width *width)
{
	uint32_t c = width(REPLACEMENT) == 1 ? REPLACEMENT : '?';
	return append(l, c, 1, true, offset);
}

static bool append_char(struct layout *l, uint32_t c, size_t offset, layout_width *width)
{
	if (c >= 0x20 && c < 0x7f)
		return append(l, c, 1, false, offset);
	if (c < 0x20 || c == 0x7f)
		return append(l, '^', 1, true, offset) && append(l, c ^ 0x40, 1, true, offset);
	int columns = utf8_is_control(c) ? -1 : width((wchar_t)c);
	if (columns == 0 && join(l, c))
		return true;
	if (columns < 1 || columns > 2)
		return append_replacement(l, offset, width);
	return append(l, c, columns, false, offset);
}

int layout_text(struct layout *l, const void *text, size_t n, layout_width *width)
{
	l->count = 0;
	return layout_more(l, text, n, width);
}

int layout_more(struct layout *l, const void *text, size_t n, layout_width *width)
{
	const unsigned char *s = text;
	if (n > UINT32_MAX)
		n = UINT32_MAX;
	for (size_t i = 0; i < n;) {
		size_t used = utf8_character(s + i, n - i);
		bool kept = used > 0 ? append_char(l, utf8_code(s + i, used), i, width)
		                     : append_replacement(l, i, width);
		if (!kept)
			return -1;
		i += used > 0 ? used : 1;
	}
	return 0;
}

void layout_free(struct layout *l)
{
	free(l->cells);
	*l = (struct layout){ 0 };
}

size_t layout_columns(const struct layout *l, size_t from, size_t to)
{
	size_t columns = 0;
	for (size_t i = from; i < to && i < l->count; i++)
		columns += l->cells[i].width;
	return columns;
}

static bool is_space(const struct layout *l, size_t i)
{
	return l->cells[i].chars[0] == ' ' && !l->cells[i].substitute;
}

size_t layout_wrap(const struct layout *l, size_t from, size_t columns)
{
	size_t used = 0, after_space = from, used_there = 0, i = from;
	for (; i < l->count && used + l->cells[i].width <= columns; i++) {
		used += l->cells[i].width;
		if (is_space(l, i)) {
			after_space = i + 1;
			used_there = used;
		}
	}
	if (i == l->count)
		return i;
	if (i == from)
		return from + 1;
	/* The space between two words may go past the edge, where it is not seen. */
	if (is_space(l, i))
		return i + 1;
	if (after_space > from && 2 * used_there < columns) {
		size_t word = 0;
		for (size_t at = after_space; at < l->count && !is_space(l, at) && word <= columns;
		    at++)
			word += l->cells[at].width;
		return word <= columns ? after_space : i;
	}
	return after_space > from ? after_space : i;
}
