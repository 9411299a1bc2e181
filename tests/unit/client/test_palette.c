/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The palette: colours that can be read, and the terminal's background. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "terminal/palette.h"
#include "tests/lib/cmocka-compat.h"

static void understands_colorfgbg(void **state)
{
	(void)state;
	assert_int_equal(palette_background("15;0"), BACKGROUND_DARK);
	assert_int_equal(palette_background("0;15"), BACKGROUND_LIGHT);
	assert_int_equal(palette_background("0;default;7"), BACKGROUND_LIGHT);
	assert_int_equal(palette_background("7;8"), BACKGROUND_DARK);
	static const char *const unknown[] = { NULL, "", "15", "15;", "15;default", "1;-1", "1;99",
		"0;7x", ";" };
	for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++)
		assert_int_equal(palette_background(unknown[i]), BACKGROUND_UNKNOWN);
}

/* WCAG's relative luminance of 0xrrggbb. */
static double luminance(unsigned rgb)
{
	static const double weights[] = { 0.0722, 0.7152, 0.2126 };
	double sum = 0;
	for (int i = 0; i < 3; i++, rgb >>= 8) {
		double c = (rgb & 0xff) / 255.0;
		sum += weights[i] * (c <= 0.04045 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4));
	}
	return sum;
}

static double contrast(unsigned a, unsigned b)
{
	double x = luminance(a) + 0.05, y = luminance(b) + 0.05;
	return x > y ? x / y : y / x;
}

/* Fails unless each colour has that contrast on this ground. */
static void check_contrast(enum background background, unsigned ground, double least)
{
	for (int style = 0; style < STYLES; style++) {
		int colour = palette_entry((enum style)style, 256, background).colour;
		if (colour == PALETTE_DEFAULT)
			continue;
		assert_uint_in_range(colour, 16, 255);
		double has = contrast(colours_rgb(colour), ground);
		if (has < least)
			fail_msg("style %d, colour %d: %.2f on #%06x", style, colour, has, ground);
	}
}

static void understands_the_terminals_answer(void **state)
{
	(void)state;
	static const struct {
		const char *colour;
		enum background background;
	} table[] = {
		{ "rgb:ffff/ffff/ffff", BACKGROUND_LIGHT },
		{ "rgb:ff/ff/FF", BACKGROUND_LIGHT },
		{ "rgb:f/f/d", BACKGROUND_LIGHT },
		{ "rgb:fdfd/f6f6/e3e3", BACKGROUND_LIGHT },
		{ "rgba:ffff/ffff/ffff/8000", BACKGROUND_LIGHT },
		{ "#ffffff", BACKGROUND_LIGHT },
		{ "#fff", BACKGROUND_LIGHT },
		{ "#ffffffffffff", BACKGROUND_LIGHT },
		{ "rgb:808/808/808", BACKGROUND_LIGHT },
		{ "rgb:0/0/0", BACKGROUND_DARK },
		{ "rgb:3030/0a0a/2424", BACKGROUND_DARK },
		{ "rgb:00/00/ff", BACKGROUND_DARK },
		{ "#002b36", BACKGROUND_DARK },
		{ "rgba:0000/0000/0000/ffff", BACKGROUND_DARK },
	};
	static const char *const garbage[] = { "", "?", "r", "rgb:", "rgb:ff", "rgb:ff/ff",
		"rgb:ff/ff/", "rgb://", "rgb:ff/ff/fg", "rgb:12345/0/0", "rgb:-1/0/0", "#", "#ff",
		"#ffff", "#fffffg", "#ffffffffffffffff", "white", "rgb:0/0/0 ", "rgbi:0/0/0" };
	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		assert_int_equal(palette_background_of(table[i].colour), table[i].background);
	for (size_t i = 0; i < sizeof garbage / sizeof *garbage; i++)
		assert_int_equal(palette_background_of(garbage[i]), BACKGROUND_UNKNOWN);
}

static void colours_can_be_read(void **state)
{
	(void)state;
	/* Black, GNOME Terminal of Ubuntu, Solarized dark, Dracula. */
	static const unsigned dark[] = { 0x000000, 0x300a24, 0x002b36, 0x282a36 };
	/* White, Solarized light, Breeze, xterm's old yellow. */
	static const unsigned light[] = { 0xffffff, 0xfdf6e3, 0xeff0f1, 0xffffdd };
	for (size_t i = 0; i < sizeof(dark) / sizeof(dark[0]); i++) {
		check_contrast(BACKGROUND_DARK, dark[i], 4.5);
		check_contrast(BACKGROUND_LIGHT, light[i], 4.5);
	}
	check_contrast(BACKGROUND_UNKNOWN, 0x000000, 3.8);
	check_contrast(BACKGROUND_UNKNOWN, 0xffffff, 3.8);
}

/* UDP is orange and TCP is blue, and with 8 colours two others. */
static void transports_have_two_colours(void **state)
{
	(void)state;
	for (int i = BACKGROUND_UNKNOWN; i <= BACKGROUND_LIGHT; i++) {
		enum background b = (enum background)i;
		unsigned udp = colours_rgb(palette_entry(STYLE_UDP, 256, b).colour);
		unsigned tcp = colours_rgb(palette_entry(STYLE_TCP, 256, b).colour);
		assert_true(udp >> 16 > (udp >> 8 & 0xff) && (udp >> 8 & 0xff) > (udp & 0xff));
		assert_true(tcp >> 16 < (tcp >> 8 & 0xff) && (tcp >> 8 & 0xff) < (tcp & 0xff));
		struct palette_entry few[] = { palette_entry(STYLE_UDP, 8, b),
			palette_entry(STYLE_TCP, 8, b) };
		assert_int_not_equal(few[0].colour, PALETTE_DEFAULT);
		assert_int_not_equal(few[1].colour, PALETTE_DEFAULT);
		assert_int_not_equal(few[0].colour, few[1].colour);
	}
}

static void few_colours_are_few(void **state)
{
	(void)state;
	for (int style = 0; style < STYLES; style++) {
		assert_int_equal(palette_entry((enum style)style, 0, BACKGROUND_DARK).colour,
		    PALETTE_DEFAULT);
		for (int ground = BACKGROUND_UNKNOWN; ground <= BACKGROUND_LIGHT; ground++) {
			int colour = palette_entry((enum style)style, 8, (enum background)ground)
			                 .colour;
			assert_true(colour < 8 && colour != 0 && colour != 7);
			/* Yellow and cyan are not to be seen on white. */
			assert_true(ground == BACKGROUND_DARK || (colour != 3 && colour != 6));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(understands_colorfgbg),
		cmocka_unit_test(understands_the_terminals_answer),
		cmocka_unit_test(colours_can_be_read),
		cmocka_unit_test(transports_have_two_colours),
		cmocka_unit_test(few_colours_are_few),
	};
	return cmocka_run_group_tests_name("palette", tests, NULL, NULL);
}
