/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The canvas: clipping, wide cells cut in two, and that a row never gets out of step. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "view/canvas.h"
#include "tests/lib/row_text.h"

static int width(wchar_t c)
{
	return c >= 0x4e00 && c < 0xa000 ? 2 : 1;
}

static int draw(struct canvas *c, int row, int column, int limit, const char *text,
    enum style style)
{
	struct layout l = { 0 };
	assert_int_equal(layout_text(&l, text, strlen(text), width), 0);
	int end = canvas_cells(c, row, column, limit, l.cells, l.count, style);
	layout_free(&l);
	return end;
}

/* Each wide cell is followed by its second half, and no half stands alone. */
static void check_in_step(const struct canvas *c)
{
	for (int row = 0; row < c->rows; row++) {
		for (int column = 0; column < c->columns; column++) {
			bool after_wide = column > 0 && canvas_at(c, row, column - 1)->width == 2;
			assert_int_equal(canvas_at(c, row, column)->width == 0, after_wide);
		}
		assert_int_not_equal(canvas_at(c, row, c->columns - 1)->width, 2);
	}
}

static void check_row(const struct canvas *c, int row, const char *expected)
{
	char buf[256];
	check_in_step(c);
	assert_string_equal(canvas_row_text(c, row, buf, sizeof buf), expected);
}

static void test_clipping(void **state)
{
	(void)state;
	struct canvas c = { 0 };
	assert_int_equal(canvas_resize(&c, 2, 6), 0);
	assert_int_equal(c.cursor_row, -1);
	assert_int_equal(draw(&c, 0, 1, 99, "abcdefgh", STYLE_UDP), 6);
	check_row(&c, 0, " abcde");
	assert_int_equal(draw(&c, 0, 0, 3, "xyzw", STYLE_UDP), 3);
	check_row(&c, 0, "xyzcde");
	assert_int_equal(draw(&c, 1, -2, 99, "12345", STYLE_UDP), 3);
	check_row(&c, 1, "345");
	draw(&c, 2, 0, 9, "no", STYLE_UDP);
	draw(&c, -1, 0, 9, "no", STYLE_UDP);
	canvas_fill(&c, 5, 0, 9, L'-', STYLE_UDP);
	assert_null(canvas_at(&c, 2, 0));
	assert_null(canvas_at(&c, 0, 6));
	canvas_free(&c);
}

static void test_wide(void **state)
{
	(void)state;
	struct canvas c = { 0 };
	canvas_resize(&c, 1, 6);
	draw(&c, 0, 0, 6, "漢字漢", STYLE_NORMAL);
	check_row(&c, 0, "漢字漢");
	/* Half of a wide one is drawn over: the other half is a space. */
	draw(&c, 0, 1, 6, "x", STYLE_NORMAL);
	check_row(&c, 0, " x字漢");
	draw(&c, 0, 4, 6, "y", STYLE_NORMAL);
	check_row(&c, 0, " x字y");
	draw(&c, 0, 1, 6, "漢", STYLE_NORMAL);
	check_row(&c, 0, " 漢 y");
	/* One that sticks out is a space. */
	canvas_clear(&c);
	assert_int_equal(draw(&c, 0, 5, 6, "漢", STYLE_UDP), 6);
	assert_int_equal(draw(&c, 0, -1, 6, "漢a", STYLE_TCP), 2);
	check_row(&c, 0, " a");
	assert_int_equal(canvas_at(&c, 0, 5)->style, STYLE_UDP);
	assert_int_equal(canvas_at(&c, 0, 0)->style, STYLE_TCP);
	canvas_free(&c);
}

static void test_styles(void **state)
{
	(void)state;
	struct canvas c = { 0 };
	canvas_resize(&c, 1, 8);
	draw(&c, 0, 0, 8, "a\x01", STYLE_ANSWERED);
	assert_int_equal(canvas_at(&c, 0, 0)->style, STYLE_ANSWERED);
	assert_int_equal(canvas_at(&c, 0, 1)->style, STYLE_SUBSTITUTE);
	canvas_free(&c);
}

static void test_own_text(void **state)
{
	(void)state;
	struct canvas c = { 0 };
	canvas_resize(&c, 1, 10);
	assert_int_equal(canvas_text(&c, 0, 1, 9, "──▶ a\033b", STYLE_UDP), 9);
	check_row(&c, 0, " ──▶ a^[b");
	assert_int_equal(canvas_fill(&c, 0, 7, 99, L'=', STYLE_UDP), 10);
	check_row(&c, 0, " ──▶ a^===");
	char small[5];
	assert_string_equal(canvas_row_text(&c, 0, small, sizeof small), " ─");
	canvas_free(&c);
}

static void test_resize(void **state)
{
	(void)state;
	struct canvas c = { 0 };
	assert_int_equal(canvas_resize(&c, 0, 5), -1);
	assert_int_equal(canvas_resize(&c, 1, 1), 0);
	draw(&c, 0, 0, 1, "漢", STYLE_NORMAL);
	check_row(&c, 0, "");
	assert_int_equal(canvas_resize(&c, 3, 4), 0);
	draw(&c, 2, 0, 4, "abcd", STYLE_NORMAL);
	check_row(&c, 2, "abcd");
	assert_int_equal(canvas_resize(&c, 3, 4), 0);
	check_row(&c, 2, "");
	canvas_free(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clipping),
		cmocka_unit_test(test_wide),
		cmocka_unit_test(test_styles),
		cmocka_unit_test(test_own_text),
		cmocka_unit_test(test_resize),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
