/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The layout: what a text looks like in cells, and where it wraps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "view/layout.h"

/* As wcwidth() says for these, but the same on every machine. */
static int width(wchar_t c)
{
	if (c == 0x301 || c == 0x327 || c == 0x200d || c == 0xfe0f)
		return 0;
	if (c == 0x2028 || c == 0xe000)
		return -1;
	return (c >= 0x1100 && c < 0x1160) || (c >= 0x4e00 && c < 0xa000) || c >= 0x1f300 ? 2 : 1;
}

static int ascii_width(wchar_t c)
{
	return c >= 0x20 && c < 0x7f ? 1 : -1;
}

/* The cells in words: their characters in hexadecimal where they are not ASCII, "*" behind a
 * substitute, "2" behind a wide one. */
static char *describe(const struct layout *l, char *out, size_t size)
{
	size_t used = 0;
	out[0] = '\0';
	for (size_t i = 0; i < l->count; i++) {
		const struct layout_cell *cell = &l->cells[i];
		for (int j = 0; j < LAYOUT_CELL_CHARS && cell->chars[j] != 0; j++) {
			unsigned long c = (unsigned long)cell->chars[j];
			used += (size_t)snprintf(out + used, size - used, "%s", j > 0 ? "+" : "");
			if (c > 0x20 && c < 0x7f)
				out[used++] = (char)c;
			else
				used += (size_t)snprintf(out + used, size - used, "%lx", c);
		}
		used += (size_t)snprintf(out + used, size - used, "%s%s ",
		    cell->substitute ? "*" : "", cell->width == 2 ? "(2)" : "");
	}
	return out;
}

static void check(const char *bytes, size_t n, layout_width *w, const char *expected)
{
	char out[512];
	struct layout l = { 0 };
	assert_int_equal(layout_text(&l, bytes, n, w), 0);
	assert_string_equal(describe(&l, out, sizeof out), expected);
	layout_free(&l);
}

static void test_cells(void **state)
{
	(void)state;
	static const struct {
		const char *bytes, *cells;
	} table[] = {
		{ "", "" },
		{ "a b", "a 20 b " },
		{ "é", "e9 " },
		{ "漢x", "6f22(2) x " },
		{ "e\xcc\x81x", "e+301 x " },
		{ "🙂", "1f642(2) " },
		{ "1\xef\xb8\x8fx", "1+fe0f(2) x " },
		{ "\x1b[m", "^* [* [ m " },
		{ "\t\x7f", "^* I* ^* ?* " },
		{ "\xc2\x9bm", "fffd* m " },
		{ "\xe2\x80\xae"
		  "a",
		    "fffd* a " },
		{ "\xe2\x81\xa6\xd8\x9c", "fffd* fffd* " },
		{ "\xff"
		  "a",
		    "fffd* a " },
		{ "\xe6\xbc", "fffd* fffd* " },
		{ "\xc0\xaf", "fffd* fffd* " },
		{ "\xed\xa0\x80", "fffd* fffd* fffd* " },
		{ "\xf4\x90\x80\x80", "fffd* fffd* fffd* fffd* " },
		{ "\xe0\x80\x80", "fffd* fffd* fffd* " },
		{ "\xe2\x80\xa8", "fffd* " },
		{ "\xcc\x81"
		  "a",
		    "fffd* a " },
		{ "\x01\xcc\x81", "^* A* fffd* " },
		{ "a\xcc\x81\xcc\xa7\xcc\x81\xcc\x81\xcc\x81\xcc\x81"
		  "b",
		    "a+301+327+301+301 b " },
	};
	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		check(table[i].bytes, strlen(table[i].bytes), width, table[i].cells);
	check("a\0b", 3, width, "a ^* @* b ");
	check("é\xff"
	      "a",
	    4, ascii_width, "?* ?* a ");
}

static void test_offsets(void **state)
{
	(void)state;
	struct layout l = { 0 };
	layout_text(&l,
	    "a漢\x01"
	    "e\xcc\x81z",
	    9, width);
	static const uint32_t offsets[] = { 0, 1, 4, 4, 5, 8 };
	assert_int_equal(l.count, 6);
	for (size_t i = 0; i < l.count; i++)
		assert_int_equal(l.cells[i].offset, offsets[i]);
	assert_int_equal(layout_columns(&l, 0, l.count), 7);
	assert_int_equal(layout_columns(&l, 1, 2), 2);
	assert_int_equal(layout_columns(&l, 5, 99), 1);
	/* It is used again. */
	layout_text(&l, "x", 1, width);
	assert_int_equal(l.count, 1);
	layout_free(&l);
}

/* The lines that wrapping makes, separated by '|'. */
static void check_wrap(const char *text, size_t columns, const char *expected)
{
	char out[256] = "";
	struct layout l = { 0 };
	layout_text(&l, text, strlen(text), width);
	for (size_t i = 0, next; i < l.count; i = next) {
		next = layout_wrap(&l, i, columns);
		size_t end = next < l.count ? l.cells[next].offset : strlen(text);
		strcat(strncat(out, text + l.cells[i].offset, end - l.cells[i].offset), "|");
	}
	assert_string_equal(out, expected);
	layout_free(&l);
}

static void test_wrap(void **state)
{
	(void)state;
	check_wrap("", 5, "");
	check_wrap("hello", 5, "hello|");
	check_wrap("hello world", 5, "hello |world|");
	check_wrap("hello world", 8, "hello |world|");
	check_wrap("a extraordinary", 8, "a extrao|rdinary|");
	check_wrap("s connecting)", 11, "s |connecting)|");
	check_wrap("one two three", 9, "one two |three|");
	check_wrap("abcdef", 1, "a|b|c|d|e|f|");
	check_wrap("漢漢a", 1, "漢|漢|a|");
	check_wrap("漢漢a", 3, "漢|漢a|");
	check_wrap("a漢漢", 3, "a漢|漢|");
	check_wrap("    ", 2, "   | |");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cells),
		cmocka_unit_test(test_offsets),
		cmocka_unit_test(test_wrap),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
