/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Finding text whatever its case: texts are compared by their capitals. The capitals of a text are
 * those of its characters, one after the other, so a place among them is a place among the cells.
 */
#include "config.h"

#include "view/view-internal.h"

#include <stdlib.h>
#include <string.h>

#include "common/capitals.h"
#include "common/grow.h"

bool view_bytes_reserve(struct view_bytes *b, size_t capacity)
{
	return grow_list(&b->bytes, &b->capacity, capacity, 1) == 0;
}

/* The capitals of a text, in v->capitals, behind the first `keep` bytes there. Returns how many
 * they are. */
static size_t capitals_behind(struct view *v, size_t keep, const void *text, size_t n)
{
	if (n == 0 || !view_bytes_reserve(&v->capitals, keep + CAPITALS_GROWTH * n))
		return 0;
	return capitals_text(text, n, v->capitals.bytes + keep);
}

/* The needle's capitals first, then those of a text: true if they are in it. */
static bool contains(struct view *v, size_t needle, const void *text, size_t n)
{
	size_t length = capitals_behind(v, needle, text, n);
	const unsigned char *s = v->capitals.bytes;
	return needle > 0 && length > 0 && memmem(s + needle, length, s, needle) != NULL;
}

/* In the order of arrival a pane shows the replies of its own transport only. */
static bool sees(const struct view *v, bool stream)
{
	return !v->arrivals || list_shown(v, stream ? LIST_TCP : LIST_UDP);
}

/* The line or a reply that its row shows. */
static bool line_contains(struct view *v, size_t needle, const struct transcript_item *item)
{
	struct view_row_side sides[VIEW_SIDES];
	const struct ledger_row *typed = view_row_sides(v, item, sides);
	if (typed == NULL)
		return false;
	bool found = contains(v, needle, typed->text, typed->length);
	for (int i = 0; i < VIEW_SIDES && !found; i++) {
		const struct ledger_row *line = sees(v, sides[i].stream) ? sides[i].line : NULL;
		found = line != NULL && line->reply != NULL &&
		        contains(v, needle, line->reply, line->reply_length);
	}
	return found;
}

static bool item_contains(struct view *v, size_t needle, const struct transcript_item *item)
{
	if (item->kind == TRANSCRIPT_LINE)
		return line_contains(v, needle, item);
	return (item->kind != TRANSCRIPT_STRAY || sees(v, item->stream)) &&
	       contains(v, needle, item->text, item->length);
}

bool view_find(struct view *v, const struct transcript *b, int rows, int columns, const char *text)
{
	size_t needle = capitals_behind(v, 0, text, strlen(text));
	bool repeated = v->find != NULL && strcmp(v->find, text) == 0;
	uint64_t index = transcript_end(b);
	if (repeated && v->found < index)
		index = v->found;
	while (needle > 0 && index > transcript_first(b)) {
		if (item_contains(v, needle, transcript_item(b, --index))) {
			v->find = text;
			v->found = index;
			v->finds++;
			v->page = NULL;
			v->scrolled = true;
			for (enum view_list of = 0; of < VIEW_LISTS; of++) {
				scroll_to_item(&(const struct list){ .v = v, .b = b, .of = of },
				    index);
				v->bottom[of].lines = 1;
			}
			/* In the middle of the screen, where both neighbours can be read; its
			 * beginning if it is long. */
			view_scroll(v, b, rows, columns,
			    panes_measure(v, b, rows, columns).height / 2);
			return true;
		}
	}
	return false;
}

/* The bytes of the text that cell `i` stands for. */
static size_t cell_length(const struct layout *l, size_t i, size_t n)
{
	size_t next = i + 1;
	while (next < l->count && l->cells[next].offset == l->cells[i].offset)
		next++;
	size_t end = next < l->count ? l->cells[next].offset : n;
	return end > l->cells[i].offset ? end - l->cells[i].offset : 0;
}

/* Where the needle, the first bytes of `s`, stands next among the `length` bytes behind it, from
 * `from` on; SIZE_MAX for nowhere. */
static size_t next_match(const unsigned char *s, size_t needle, size_t length, size_t from)
{
	const unsigned char *found = from < length
	                               ? memmem(s + needle + from, length - from, s, needle)
	                               : NULL;
	return found != NULL ? (size_t)(found - s) - needle : SIZE_MAX;
}

void find_mark(struct view *v, struct layout *l, const void *text, size_t n)
{
	size_t needle = capitals_behind(v, 0, v->find, strlen(v->find));
	size_t length = capitals_behind(v, needle, text, n);
	/* Room for the capitals of one cell at a time, behind all. */
	if (needle == 0 || length == 0 ||
	    !view_bytes_reserve(&v->capitals, needle + length + CAPITALS_GROWTH * n + 1))
		return;
	const unsigned char *s = v->capitals.bytes;
	size_t match = next_match(s, needle, length, 0), at = 0, end = 0;
	for (size_t i = 0; i < l->count && l->cells[i].offset < n; i++) {
		if (i == 0 || l->cells[i].offset != l->cells[i - 1].offset) {
			at = end;
			end += capitals_text((const unsigned char *)text + l->cells[i].offset,
			    cell_length(l, i, n), v->capitals.bytes + needle + length);
		}
		while (match != SIZE_MAX && match + needle <= at)
			match = next_match(s, needle, length, match + 1);
		l->cells[i].found = match != SIZE_MAX && match < end;
	}
}
