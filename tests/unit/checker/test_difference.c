/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How a reply differs, in words: the fault that a student most likely made. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "checker/difference.h"

/* A text of a test with its length, which may hold zero bytes. */
#define TEXT(text) (const unsigned char *)(text), sizeof(text) - 1

struct row {
	const unsigned char *sent;
	size_t sent_length;
	const unsigned char *want;
	size_t wanted;
	const unsigned char *got;
	size_t came;
	const unsigned char *before;
	size_t before_length;
	bool ended;
	const char *words;
};

static const struct row rows[] = {
	{ TEXT("hello"), TEXT("HELLO"), TEXT("hello"), NULL, 0, false,
	    "the text came back as it was sent, not in capitals" },
	{ TEXT("two"), TEXT("TWO"), TEXT("ONE"), TEXT("ONE"), false,
	    "the reply to the line before came once more, or late" },
	/* The end of the line before. */
	{ TEXT("ab"), TEXT("AB"), TEXT("ABNG LINE"), TEXT("LONG LINE"), false,
	    "the reply, and then the end of an earlier one: the buffer still holds it, and more is "
	    "sent than was received" },
	{ TEXT("ab"), TEXT("AB"), TEXT("ABNG"), TEXT("LONG LINE"), false,
	    "the reply, and then the end of an earlier one: the buffer still holds it, and more is "
	    "sent than was received" },
	{ TEXT("ab"), TEXT("AB"), TEXT("ABXYZ"), TEXT("LONG LINE"), false,
	    "3 bytes more than the reply" },
	{ TEXT("long"), TEXT("LONG"), TEXT("LONG LINE"), TEXT("ab"), false,
	    "5 bytes more than the reply" },
	/* strlen() + 1, and a whole buffer. */
	{ TEXT("ab"), TEXT("AB"), TEXT("AB\0"), NULL, 0, false,
	    "1 byte after the reply, the first a zero byte: the reply is longer than what was "
	    "received, not strlen()+1 and not the size of the buffer" },
	{ TEXT("ab"), TEXT("AB"), TEXT("AB\0\0\0"), TEXT("LONGER"), false,
	    "3 bytes after the reply, the first a zero byte: the reply is longer than what was "
	    "received, not strlen()+1 and not the size of the buffer" },
	/* Ends of lines. */
	{ TEXT("ab"), TEXT("AB"), TEXT("AB\n"), NULL, 0, false,
	    "an end of line after the reply: the text had none" },
	{ TEXT("ab"), TEXT("AB"), TEXT("AB\r\n"), NULL, 0, false,
	    "an end of line after the reply: the text had none" },
	{ TEXT("ab\n"), TEXT("AB\n"), TEXT("AB"), NULL, 0, false,
	    "the end of line (\\n) is missing at the end of the reply" },
	{ TEXT("ab\n"), TEXT("AB\n"), TEXT("AB"), NULL, 0, true,
	    "the end of line (\\n) is missing at the end of the reply, then the end of the "
	    "connection" },
	{ TEXT("ab\n"), TEXT("AB\n"), TEXT("AB\r\n"), NULL, 0, false,
	    "a carriage return (\\r) before the end of line: the text had none" },
	/* More, and less. */
	{ TEXT("ab"), TEXT("AB"), TEXT("ABAB"), NULL, 0, false, "the reply comes more than once" },
	{ TEXT("ab"), TEXT("AB"), TEXT("ABCD"), NULL, 0, false, "2 bytes more than the reply" },
	{ TEXT("ab"), TEXT("AB"), TEXT("ABC"), NULL, 0, false, "1 byte more than the reply" },
	{ TEXT("abcd"), TEXT("ABCD"), TEXT("ABC"), NULL, 0, false,
	    "only the first 3 of 4 bytes came" },
	{ TEXT("abcd"), TEXT("ABCD"), TEXT("A"), NULL, 0, true,
	    "only the first 1 of 4 bytes came, then the end of the connection" },
	{ TEXT("abcd"), TEXT("ABCD"), TEXT(""), NULL, 0, false,
	    "only the first 0 of 4 bytes came" },
	/* An empty line. */
	{ TEXT(""), TEXT(""), TEXT("X"), NULL, 0, false, "1 byte more than the reply" },
	/* Other bytes. */
	{ TEXT("abcd"), TEXT("ABCD"), TEXT("ABcD"), NULL, 0, false,
	    "not in capitals from byte 3 on" },
	{ TEXT("abcd"), TEXT("ABCD"), TEXT("ABXD"), NULL, 0, false, "differs from byte 3 on" },
	{ TEXT("gr\xc3\xbc\xc3\x9f"), TEXT("GR\xc3\x9cSS"), TEXT("GR\xc3\xbc\xc3\x9f"), NULL, 0,
	    false, "from byte 4 on not the capitals of this UTF-8 text" },
	{ TEXT("\xc3\xa9"), TEXT("\xc3\x89"), TEXT("?"), NULL, 0, false,
	    "from byte 1 on not the capitals of this UTF-8 text" },
	/* The capitals are longer than the text: no byte behind its end is read. */
	{ TEXT("\xc3\x9f!"), TEXT("SS!"), TEXT("SSX"), NULL, 0, false, "differs from byte 3 on" },
	{ TEXT("\xc5\x89"), TEXT("\xca\xbcN"), TEXT("\xca\xbcX"), NULL, 0, false,
	    "differs from byte 3 on" },
};

/* A copy without a byte behind its end, where a sanitizer would see a read. */
static struct bytes copy(const unsigned char *bytes, size_t n)
{
	struct bytes is = { .at = bytes ? malloc(n ? n : 1) : NULL, .n = n };

	if (is.at)
		memcpy(is.at, bytes, n);
	return is;
}

static void each_fault_has_its_words(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct row *r = &rows[i];
		struct exchange x = { copy(r->sent, r->sent_length), copy(r->want, r->wanted),
			copy(r->before, r->before_length), copy(r->got, r->came), r->ended };
		char words[300];

		assert_ptr_equal(difference_text(&x, words, sizeof words), words);
		if (strcmp(words, r->words) != 0)
			fail_msg("row %zu: \"%s\", wanted \"%s\"", i, words, r->words);
		free(x.sent.at);
		free(x.wanted.at);
		free(x.before.at);
		free(x.came.at);
	}
}

static void a_small_buffer_holds_what_it_can(void **state)
{
	const struct row *r = &rows[0];
	struct exchange x = { copy(r->sent, r->sent_length), copy(r->want, r->wanted),
		copy(NULL, 0), copy(r->got, r->came), false };

	(void)state;
	for (size_t size = 1; size < 60; size++) {
		char *words = malloc(size);

		assert_non_null(words);
		difference_text(&x, words, size);
		assert_true(strlen(words) < size);
		assert_memory_equal(words, r->words, strlen(words));
		free(words);
	}
	free(x.sent.at);
	free(x.wanted.at);
	free(x.came.at);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_fault_has_its_words),
		cmocka_unit_test(a_small_buffer_holds_what_it_can),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
