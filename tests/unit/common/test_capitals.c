/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/lib/capitals-reference.h"
#include "tests/lib/cmocka-compat.h"
#include "common/capitals.h"
#include "common/utf8.h"

/* So many bytes before and after bring a character out of the slow end of a text, and into a
 * vector's block. */
#define AROUND 81

/* What is too large for a stack. The room for capitals is exact, so that AddressSanitizer sees one
 * byte too many. */
struct texts {
	uint8_t *ours, *theirs;
	size_t our_length, their_length;
};

static struct texts both(const void *in, size_t n)
{
	struct texts t = { .ours = malloc(CAPITALS_GROWTH * n + !n),
		.theirs = malloc(CAPITALS_GROWTH * n + !n) };

	assert_non_null(t.ours);
	assert_non_null(t.theirs);
	t.our_length = capitals_text(in, n, t.ours);
	t.their_length = reference_capitals(in, n, t.theirs);
	return t;
}

static int same(const struct texts *t)
{
	return t->our_length == t->their_length && memcmp(t->ours, t->theirs, t->our_length) == 0;
}

static void let_go(struct texts *t)
{
	free(t->ours);
	free(t->theirs);
}

static void show(const char *what, const uint8_t *s, size_t n)
{
	print_error("%s:", what);
	for (size_t i = 0; i < n && i < 64; i++)
		print_error(" %02x", s[i]);
	print_error("\n");
}

static void check(const void *in, size_t n)
{
	struct texts t = both(in, n);

	if (!same(&t)) {
		show("in    ", in, n);
		show("ours  ", t.ours, t.our_length);
		show("theirs", t.theirs, t.their_length);
		fail();
	}
	let_go(&t);
}

/* ASCII, or letters of three bytes that have no case. */
static void fill(uint8_t *text, size_t n, int ascii)
{
	for (size_t i = 0; i < n; i++)
		text[i] = ascii ? (uint8_t)('@' + i % 64) : (uint8_t)"\xe0\xa4\x95"[i % 3];
}

/* The bytes alone, and in the midst of others. */
static void check_around(const uint8_t *s, size_t n)
{
	uint8_t text[2 * AROUND + 16];

	check(s, n);
	for (int ascii = 0; ascii < 2; ascii++) {
		fill(text, sizeof text, ascii);
		memcpy(text + AROUND, s, n);
		check(text, 2 * AROUND + n);
	}
}

static void test_every_character(void **state)
{
	(void)state;
	for (ucs4_t uc = 0; uc < 0x110000; uc++) {
		uint8_t s[8];
		int n = u8_uctomb(s, uc, sizeof s);

		if (n > 0)
			check(s, (size_t)n);
		if (n > 0 && uc % 0x100 < 2)
			check_around(s, (size_t)n);
	}
}

/* All characters one after another, so that each takes the fast way and meets its neighbours. */
static void test_all_characters_in_one_text(void **state)
{
	uint8_t *text = malloc(4 * 0x110000);
	size_t n = 0;

	(void)state;
	assert_non_null(text);
	for (ucs4_t uc = 0; uc < 0x110000; uc++) {
		int length = u8_uctomb(text + n, uc, 4);

		n += length > 0 ? (size_t)length : 0;
	}
	check(text, n);
	free(text);
}

static void test_special_casing(void **state)
{
	static const char *const pairs[][2] = {
		{ "grüße", "GRÜSSE" },
		{ "ŉ", "ʼN" },
		{ "ǰ", "J\xcc\x8c" },
		{ "ΐ", "\xce\x99\xcc\x88\xcc\x81" },
		{ "ΰ", "\xce\xa5\xcc\x88\xcc\x81" },
		{ "ᾳ", "ΑΙ" },
		{ "ᾼ", "ΑΙ" },
		{ "ﬃ", "FFI" },
		{ "ﬓ", "ՄՆ" },
		{ "ǅ", "Ǆ" },
		{ "ẞ", "ẞ" },
		{ "ı i İ", "I I İ" },
		{ "ς σ Σ", "Σ Σ Σ" },
		{ "ა", "Ა" },
		{ "ꭰ", "Ꭰ" },
		{ "𐐨", "𐐀" },
		{ "ﬀ", "FF" },
		{ "ÿ", "Ÿ" },
		{ "µ", "Μ" },
		{ "ſ", "S" },
		{ "ɐ", "Ɐ" },
		{ "Καλημέρα", "ΚΑΛΗΜΈΡΑ" },
		{ "日本語", "日本語" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
		uint8_t out[64];
		size_t n = capitals_text(pairs[i][0], strlen(pairs[i][0]), out);

		out[n] = '\0';
		assert_string_equal((char *)out, pairs[i][1]);
	}
}

/* Every length, with each byte in place of one of its capitals and then of one of the text. */
static void test_ascii_run(void **state)
{
	uint8_t text[20] = { 0 }, capitals[CAPITALS_GROWTH * sizeof text] = { 0 };

	(void)state;
	for (size_t n = 0; n <= sizeof text; n++) {
		fill(text, n, 1);
		assert_int_equal(capitals_text(text, n, capitals), n);
		assert_int_equal(capitals_ascii(text, capitals, n), n);
		for (size_t at = 0; at < n; at++) {
			const uint8_t kept = text[at], capital = capitals[at];

			for (unsigned byte = 0; byte < 0x100; byte++) {
				capitals[at] = (uint8_t)byte;
				assert_int_equal(capitals_ascii(text, capitals, n),
				    byte == capital ? n : at);
				text[at] = (uint8_t)byte;
				capitals[at] = byte >= 'a' && byte <= 'z'
				                 ? (uint8_t)(byte - 'a' + 'A')
				                 : (uint8_t)byte;
				assert_int_equal(capitals_ascii(text, capitals, n),
				    byte < 0x80 ? n : at);
				text[at] = kept;
				capitals[at] = capital;
			}
		}
	}
}

/* Turkish, Azeri and Lithuanian have rules of their own; the wire has none of them. */
static void test_no_locale_matters(void **state)
{
	static const char *const locales[] = { "tr_TR.UTF-8", "lt_LT.UTF-8", "C", "C.UTF-8" };
	uint8_t out[16];

	(void)state;
	for (size_t i = 0; i < sizeof locales / sizeof *locales; i++) {
		setenv("LC_ALL", locales[i], 1);
		setenv("LANGUAGE", locales[i], 1);
		setlocale(LC_ALL, "");
		assert_int_equal(capitals_text("i\xc4\xb1i\xcc\x87", 6, out), 5);
		assert_memory_equal(out, "III\xcc\x87", 5);
	}
	setlocale(LC_ALL, "C");
}

static void test_pairs_of_bytes(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 0x10000; i++) {
		uint8_t s[2] = { (uint8_t)(i >> 8), (uint8_t)i };

		check(s, 2);
		if (s[0] >= 0xc0)
			check_around(s, 2);
	}
}

/* Every first byte with every second byte and what is at the edges of third and fourth bytes:
 * overlong forms, surrogates, what is above U+10FFFF, and what is cut off. */
static void test_ill_formed(void **state)
{
	static const uint8_t edges[] = { 0x00, 0x7f, 0x80, 0x9f, 0xa0, 0xbf, 0xc0, 0xff };

	(void)state;
	for (unsigned i = 0xe000; i < 0x10000; i++)
		for (unsigned j = 0; j < sizeof edges * sizeof edges; j++) {
			uint8_t s[4] = { (uint8_t)(i >> 8), (uint8_t)i, edges[j / sizeof edges],
				edges[j % sizeof edges] };
			struct texts t = both(s, 4);

			assert_true(same(&t));
			let_go(&t);
			if (j % 9 == 2)
				check_around(s, 3 + j % 2);
		}
}

/* Every length with one character that grows at every place: the edges of blocks and of what is
 * taken at once. */
static void test_lengths_and_places(void **state)
{
	uint8_t text[700] = { 0 };

	(void)state;
	for (size_t n = 0; n < sizeof text; n += n < 160 ? 1 : 31) {
		for (size_t at = 0; at <= n; at += n < 160 ? 1 : 13) {
			fill(text, n, at % 2);
			if (at + 2 <= n)
				memcpy(text + at, "\xce\x90", 2);
			check(text, n);
		}
	}
}

static void test_nothing(void **state)
{
	struct capitals c = { 0 };
	uint8_t out[16];

	(void)state;
	assert_int_equal(capitals_text(NULL, 0, out), 0);
	assert_int_equal(capitals_feed(&c, NULL, 0, out), 0);
	assert_int_equal(capitals_end(&c, out), 0);
}

static void test_growth_is_exact(void **state)
{
	uint8_t text[2000], out[6000];

	(void)state;
	for (size_t i = 0; i < sizeof text; i += 2)
		memcpy(text + i, "\xce\x90", 2);
	for (size_t n = 2; n <= sizeof text; n += 2) {
		struct texts t = both(text, n);

		assert_int_equal(t.our_length, 3 * n);
		let_go(&t);
	}
	assert_int_equal(capitals_text(text, sizeof text, out), sizeof out);
}

/* Feeds pieces of `sizes`, in turn, to a stream, and checks what comes against the whole text. */
static void check_stream(const uint8_t *in, size_t n, const size_t *sizes, size_t size_count)
{
	struct texts t = both(in, n);
	uint8_t *got = malloc(CAPITALS_GROWTH * n + CAPITALS_PART_MAX);
	struct capitals c = { 0 };
	size_t at = 0, length = 0;

	assert_non_null(got);
	for (size_t i = 0; at < n; i++) {
		size_t size = sizes[i % size_count] < n - at ? sizes[i % size_count] : n - at;
		uint8_t *out = malloc(CAPITALS_GROWTH * (size + CAPITALS_PART_MAX)),
		        *copy = malloc(size + !size);
		size_t written;

		assert_non_null(out);
		assert_non_null(copy);
		memcpy(copy, in + at, size);
		written = capitals_feed(&c, copy, size, out);
		memcpy(got + length, out, written);
		free(out);
		free(copy);
		length += written;
		at += size;
		assert_uint_in_range(c.part_length, 0, CAPITALS_PART_MAX);
		/* What waits is what came last, and a character can still come of it. */
		assert_memory_equal(c.part, in + at - c.part_length, c.part_length);
		if (c.part_length)
			assert_true(reference_begins(c.part, c.part_length));
	}
	length += capitals_end(&c, got + length);
	assert_int_equal(c.part_length, 0);
	assert_int_equal(length, t.our_length);
	assert_memory_equal(got, t.ours, length);
	free(got);
	let_go(&t);
}

static void test_any_split_is_the_same(void **state)
{
	static const char text[] =
	    "grüße \xe1\xbe\xb3 日本 \xf0\x90\x90\xa8\xf0\x9f\x98\x80 \xff\xc3\x28\xe2\x82 \xed\xa0\x80"
	    "\xf0\x90\x90 \xf4\x90\x80\x80 \xf0\x90\xce\x90\xe0\x80\x80 x\xce";
	const uint8_t *s = (const uint8_t *)text;
	size_t n = sizeof text - 1;

	(void)state;
	for (size_t end = 1; end <= n; end++)
		for (size_t first = 1; first <= end; first++)
			for (size_t second = 1; second <= 5; second++)
				check_stream(s, end, (size_t[]){ first, second, 1 }, 3);
}

static void test_long_streams(void **state)
{
	uint8_t text[5000];
	uint32_t seed = 20240517;

	(void)state;
	for (int round = 0; round < 60; round++) {
		for (size_t i = 0; i < sizeof text; i++) {
			static const char pieces[] =
			    "abc \xc3\x9f\xce\x90\xe1\xbe\xb3\xe6\x97\xa5\xf0\x90\x90\xa8\xff\xed\xa0";

			seed = seed * 1664525 + 1013904223;
			text[i] = round % 3 == 0 ? (uint8_t)(seed >> 24)
			        : round % 3 == 1 && (seed >> 16) % 50
			            ? 'q'
			            : (uint8_t)pieces[(seed >> 20) % (sizeof pieces - 1)];
		}
		check_stream(text, sizeof text,
		    (size_t[]){ 1 + seed % 7, 1 + seed % 1500, 1 + seed % 64 }, 3);
	}
}

/* Only what can still become a character waits; the rest goes at once. */
static void test_only_beginnings_wait(void **state)
{
	static const struct {
		const char *text;
		unsigned char part_length;
	} cases[] = {
		{ "a", 0 },
		{ "\xc3", 1 },
		{ "\xc1", 0 },
		{ "\x80", 0 },
		{ "\xe0", 1 },
		{ "\xe0\xa0", 2 },
		{ "\xe0\x80", 0 },
		{ "\xed\x9f", 2 },
		{ "\xed\xa0", 0 },
		{ "\xf0\x90\x80", 3 },
		{ "\xf0\x80", 0 },
		{ "\xf4\x8f\xbf", 3 },
		{ "\xf4\x90", 0 },
		{ "\xf5", 0 },
		{ "\xff", 0 },
		{ "\xe2\x82\xac", 0 },
		{ "\xe2\xc3", 1 },
		{ "\xf0\x90\xf0", 1 },
		{ "ab\xe2", 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct capitals c = { 0 };
		uint8_t out[32];
		size_t n = strlen(cases[i].text),
		       written = capitals_feed(&c, cases[i].text, n, out);

		assert_int_equal(c.part_length, cases[i].part_length);
		assert_int_equal(written, n - c.part_length);
		assert_int_equal(capitals_end(&c, out), cases[i].part_length);
		assert_memory_equal(out, cases[i].text + n - cases[i].part_length,
		    cases[i].part_length);
	}
}

/* utf8.h and the capitals each know what is well-formed; they must not differ. */
static void test_utf8(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 1u << 24; i += i < 0xc00000 ? 0x3f1 : SANITIZED ? 53 : 7) {
		uint8_t s[4] = { (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i,
			(uint8_t)(0x80 | (i & 0x3f)) };

		for (size_t n = 1; n <= 4; n++) {
			ucs4_t uc;
			int length = u8_mbtoucr(&uc, s, n);

			assert_int_equal(utf8_character(s, n), length < 0 ? 0 : length);
			if (utf8_length(s[0]) > 1)
				assert_int_equal(utf8_cut_off(s, n) == n, length == -2);
		}
	}
}

static void test_version_is_told(void **state)
{
	(void)state;
	assert_true(strtod(capitals_unicode(), NULL) >= 8.0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_character),
		cmocka_unit_test(test_all_characters_in_one_text),
		cmocka_unit_test(test_special_casing),
		cmocka_unit_test(test_ascii_run),
		cmocka_unit_test(test_no_locale_matters),
		cmocka_unit_test(test_pairs_of_bytes),
		cmocka_unit_test(test_ill_formed),
		cmocka_unit_test(test_lengths_and_places),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_growth_is_exact),
		cmocka_unit_test(test_any_split_is_the_same),
		cmocka_unit_test(test_long_streams),
		cmocka_unit_test(test_only_beginnings_wait),
		cmocka_unit_test(test_utf8),
		cmocka_unit_test(test_version_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
