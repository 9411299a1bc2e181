/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/printable.h"
#include "common/utf8.h"

static void assert_shown(const char *text, size_t n, const char *kept, bool utf8,
    const char *wanted)
{
	char shown[1000];

	assert_int_equal(printable_text(shown, text, n, kept, utf8), strlen(wanted));
	assert_string_equal(shown, wanted);
}

static void spells_out_controls(void **state)
{
	(void)state;
#define SHOWN(text, wanted) assert_shown(text, sizeof(text) - 1, "", true, wanted)
	SHOWN("", "");
	SHOWN("plain ~ text", "plain ~ text");
	SHOWN("gr\xc3\xbc\xc3\x9f"
	      "e \xe7\x9b\x9b \xf0\x9f\x98\x80",
	    "gr\xc3\xbc\xc3\x9f"
	    "e \xe7\x9b\x9b \xf0\x9f\x98\x80");
	SHOWN("\x1b]0;x\x07", "\\x1b]0;x\\x07");
	SHOWN("a\0b\x7f\t\n", "a\\x00b\\x7f\\x09\\x0a");
	/* C1 as UTF-8 and as bytes; what begins a character and does not go on. */
	SHOWN("\xc2\x9b"
	      "31m\x9b\xc2\xa0",
	    "\\xc2\\x9b31m\\x9b\xc2\xa0");
	SHOWN("\xe2\x82x\xff\xc0\x80\xed\xa0\x80\xf5",
	    "\\xe2\\x82x\\xff\\xc0\\x80\\xed\\xa0\\x80\\xf5");
	SHOWN(
	    "\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xaa\xe2\x80\xae\xe2\x81\xa6\xe2\x81\xa9\xe2\x80\x8f\xd8\x9c",
	    "\\xe2\\x80\\xa8\\xe2\\x80\\xa9\\xe2\\x80\\xaa\\xe2\\x80\\xae\\xe2\\x81\\xa6\\xe2\\x81\\xa9\\xe2\\x80\\x8f\\xd8\\x9c");
	/* Their neighbours are letters and signs. */
	SHOWN("\xe2\x80\xa7\xe2\x80\xaf\xe2\x81\xa5\xe2\x81\xaa",
	    "\xe2\x80\xa7\xe2\x80\xaf\xe2\x81\xa5\xe2\x81\xaa");
	/* What was shown is shown the same again. */
	SHOWN("\\x1b", "\\x1b");
}

static void keeps_ends_of_line(void **state)
{
	(void)state;
	assert_shown("a\tb\n\r\nc\rd", 9, "\t\n", true, "a\tb\n\r\nc\\x0dd");
	assert_shown("a\0\n", 3, "\n", true, "a\\x00\n");
}

/* The C locale, in which a test runs, has no letters beyond ASCII. */
static void shows_ascii_where_there_is_no_utf8(void **state)
{
	(void)state;
	assert_shown("gr\xc3\xbc\xe7\x9b\x9b\x1b", 8, "", false,
	    "gr\\xc3\\xbc\\xe7\\x9b\\x9b\\x1b");
}

/* Every character there is: as it stands or spelt out, and never a control. */
static void all_characters(void **state)
{
	char shown[PRINTABLE_ROOM(4)];

	(void)state;
	for (unsigned first = 0; first < 256; first++)
		for (unsigned rest = 0; rest < 65536; rest++) {
			const unsigned char text[] = { (unsigned char)first,
				(unsigned char)(rest >> 8), (unsigned char)rest, 0x80 };
			const size_t length = utf8_character(text, sizeof text);

			if (length == 0 || (length < 3 && (rest & 0xff)))
				continue;
			printable_text(shown, text, length, "", true);
			if (utf8_is_control(utf8_code(text, length)))
				assert_int_equal(strlen(shown), 4 * length);
			else
				assert_memory_equal(shown, text, length);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spells_out_controls),
		cmocka_unit_test(keeps_ends_of_line),
		cmocka_unit_test(shows_ascii_where_there_is_no_utf8),
		cmocka_unit_test(all_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
