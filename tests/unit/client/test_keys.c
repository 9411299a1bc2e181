/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The key reader: bytes as terminals send them, whole and in every split, and the keys they are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "terminal/keys.h"

#define MS INT64_C(1000000)
#define LONG_AFTER (1000 * MS)

static const char *const names[] = {
	[KEY_PAGE_UP] = "pgup",
	[KEY_PAGE_DOWN] = "pgdn",
	[KEY_TOP] = "top",
	[KEY_BOTTOM] = "bottom",
	[KEY_ROW_UP] = "up",
	[KEY_ROW_DOWN] = "down",
	[KEY_SELECT_UP] = "selectup",
	[KEY_SELECT_DOWN] = "selectdown",
	[KEY_WHEEL_UP] = "wheelup",
	[KEY_WHEEL_DOWN] = "wheeldown",
	[KEY_INTERRUPT] = "int",
	[KEY_SUSPEND] = "susp",
	[KEY_REDRAW] = "redraw",
	[KEY_ESCAPE] = "esc",
};

static void append(char *out, size_t size, const char *s)
{
	size_t used = strlen(out);
	snprintf(out + used, size - used, "%s", s);
}

static void append_bytes(char *out, size_t size, const struct key_event *e)
{
	for (size_t i = 0; i < e->length; i++) {
		char one[8];
		unsigned char c = e->bytes[i];
		snprintf(one, sizeof one,
		    c == 0x1b               ? "^"
		    : c < 0x20 || c == 0x7f ? "\\x%02x"
		                            : "%c",
		    c);
		append(out, size, one);
	}
}

/* All keys there are at `now`, in words: "<text>", "{paste}", "F5", "pgup". */
static void drain(struct keys *k, int64_t now, char *out, size_t size)
{
	struct key_event e;
	while (keys_next(k, now, &e)) {
		append(out, size, out[0] != '\0' ? " " : "");
		if (e.key == KEY_TEXT_BYTES || e.key == KEY_PASTE) {
			append(out, size, e.key == KEY_PASTE ? "{" : "<");
			append_bytes(out, size, &e);
			append(out, size, e.key == KEY_PASTE ? "}" : ">");
			append(out, size, e.clipped ? "!" : "");
			append(out, size, e.unfinished ? "?" : "");
		} else if (e.key == KEY_FUNCTION || e.key == KEY_CLICK) {
			char number[40];
			if (e.key == KEY_FUNCTION)
				snprintf(number, sizeof number, "F%d", e.number);
			else
				snprintf(number, sizeof number, "click(%d,%d)", e.row, e.column);
			append(out, size, number);
		} else {
			append(out, size, names[e.key]);
		}
	}
}

static void check_split(const char *bytes, size_t n, size_t first, const char *expected)
{
	char out[512] = "";
	struct keys *k = keys_new();
	assert_non_null(k);
	assert_int_equal(keys_feed(k, bytes, first, 0), 0);
	drain(k, 0, out, sizeof out);
	assert_int_equal(keys_feed(k, bytes + first, n - first, MS), 0);
	drain(k, MS, out, sizeof out);
	drain(k, LONG_AFTER, out, sizeof out);
	keys_free(k);
	if (strcmp(out, expected) != 0)
		fail_msg("split at %zu: got \"%s\", not \"%s\"", first, out, expected);
}

static void check_bytes(const char *bytes, size_t n, const char *expected)
{
	for (size_t first = 0; first <= n; first++)
		check_split(bytes, n, first, expected);
}

struct one_case {
	const char *bytes, *keys;
};

static void check_table(const struct one_case *table, size_t count)
{
	for (size_t i = 0; i < count; i++)
		check_bytes(table[i].bytes, strlen(table[i].bytes), table[i].keys);
}

#define CHECK(table) check_table(table, sizeof(table) / sizeof *(table))

static void test_text(void **state)
{
	(void)state;
	static const struct one_case table[] = {
		{ "ab", "<a> <b>" },
		{ "\r", "<\\x0d>" },
		{ "\n", "<\\x0a>" },
		{ "\x7f", "<\\x7f>" },
		{ "\x16", "<\\x16>" },
		{ "é漢🙂", "<é> <漢> <🙂>" },
		{ "\xe9"
		  "a",
		    "<\xe9> <a>" },
		{ "\xe6\xbc", "<\xe6> <\xbc>" },
		{ "\xff\x80\xc0", "<\xff> <\x80> <\xc0>" },
		{ "a\x03z\x1a\x0c", "<a> int <z> susp redraw" },
		{ "\033b\033é", "<^b> <^é>" },
		{ "\033\x08", "<^\\x08>" },
		{ "\033\r\033\n", "esc <\\x0d> esc <\\x0a>" },
		{ "\033", "esc" },
		{ "\033\033", "esc esc" },
		{ "\033\033[C", "esc <^[C>" },
		{ "\033\033x", "esc <^x>" },
		/* Alt: the parameter 3, or rxvt's second ESC. */
		{ "\033[1;3A", "selectup" },
		{ "\033[1;3B", "selectdown" },
		{ "\033\033[A", "selectup" },
		{ "\033\033[B", "selectdown" },
		{ "\033\033OA", "selectup" },
		{ "\033\033OB", "selectdown" },
		{ "\033[1;3C", "<^[1;3C>" },
		{ "\033\x03", "esc int" },
		{ "\033\x0c", "esc redraw" },
	};
	CHECK(table);
	check_bytes("a\0b", 3, "<a> <\\x00> <b>");
	check_bytes("\033\0", 2, "<^\\x00>");
}

static void test_function_keys(void **state)
{
	(void)state;
	static const struct one_case table[] = {
		{ "\033OP\033OQ\033OR\033OS", "F1 F2 F3 F4" },
		{ "\033[11~\033[12~\033[13~\033[14~\033[15~", "F1 F2 F3 F4 F5" },
		{ "\033[17~\033[18~\033[19~\033[20~\033[21~\033[23~\033[24~",
		    "F6 F7 F8 F9 F10 F11 F12" },
		{ "\033[[A\033[[B\033[[C\033[[D\033[[E", "F1 F2 F3 F4 F5" },
		{ "\033[1;2P\033[1;5Q\033[1;3R\033[1;6S", "F1 F2 F3 F4" },
		{ "\033O2P\033O1;2Q", "F1 F2" },
		{ "\033[Q\033[R\033[S\033OR\033[13~", "F2 F3 F4 F3 F3" },
		{ "\033[15;5~\033[15^\033[15$\033[15@", "F5 F5 F5 F5" },
		{ "\033[16~\033[22~\033[25~\033[34~\033[[F\033[P", "" },
	};
	CHECK(table);
}

static void test_scrolling(void **state)
{
	(void)state;
	static const struct one_case table[] = {
		{ "\033[5~\033[6~", "pgup pgdn" },
		{ "\033[5;5~\033[6;2~\033[5^\033[6$", "pgup pgdn pgup pgdn" },
		{ "\033[1;5H\033[1;5F\033[1;2H\033[1;2F", "top bottom top bottom" },
		{ "\033[7^\033[8^\033[7$\033[8$", "top bottom top bottom" },
		{ "\033[1;5~\033[4;5~", "top bottom" },
		{ "\033[1;2A\033[1;2B\033[1;5A\033[1;5B\033[1;6A", "up down up down up" },
		{ "\033[a\033[b\033Oa\033Ob", "up down up down" },
		{ "\033[<64;10;5M\033[<65;10;5M", "wheelup wheeldown" },
		{ "\033[<68;300;5M\033[<64;1;1m\033[<66;1;1M", "wheelup" },
		{ "\033[M`!!\033[Ma\xff\xff", "wheelup wheeldown" },
		{ "\033[96;3;4M\033[97;3;4M", "wheelup wheeldown" },
	};
	CHECK(table);
}

/* Presses of the left button are clicks: no release, no other button, no modifier, no motion, no
 * cell outside of every screen, no report with too few or too many numbers. */
static void test_clicks(void **state)
{
	(void)state;
	static const struct one_case table[] = {
		{ "\033[<0;1;1M", "click(0,0)" },
		{ "\033[<0;80;24M\033[<0;80;24m", "click(23,79)" },
		{ "\033[<0;300;200M", "click(199,299)" },
		{ "\033[M !\"\033[M##!", "click(1,0)" },
		{ "\033[32;3;4M\033[35;3;4M", "click(3,2)" },
		{ "\033[<1;1;1M\033[<2;1;1M\033[<3;1;1M\033[<128;1;1M", "" },
		{ "\033[<4;1;1M\033[<8;1;1M\033[<16;1;1M\033[<32;1;1M\033[<35;1;1M", "" },
		{ "\033[<0;0;1M\033[<0;1;0M\033[<0;1M\033[<0;1;1;1M\033[<M\033[0;1;1M", "" },
		{ "\033[M  !\033[M !\x1f", "" },
	};
	CHECK(table);
}

static void test_editor_sequences(void **state)
{
	(void)state;
	static const struct one_case table[] = {
		{ "\033[A\033[B\033[C\033[D", "<^[A> <^[B> <^[C> <^[D>" },
		{ "\033OA\033OH\033OF", "<^OA> <^OH> <^OF>" },
		{ "\033[H\033[F\033[1~\033[4~\033[7~\033[8~",
		    "<^[H> <^[F> <^[1~> <^[4~> <^[7~> <^[8~>" },
		{ "\033[2~\033[3~\033[3;5~", "<^[2~> <^[3~> <^[3;5~>" },
		{ "\033[1;5C\033[1;3D\033[1;4A", "<^[1;5C> <^[1;3D> <^[1;4A>" },
		{ "\033[Z", "<^[Z>" },
		{ "\033Oj\033Oq\033OM\033Op", "<*> <1> <\\x0d> <0>" },
	};
	CHECK(table);
}

static void test_unknown_is_dropped(void **state)
{
	(void)state;
	static const struct one_case table[] = {
		{ "\033[99~x", "<x>" },
		{ "\033[Ix\033[O", "<x>" },
		{ "\033[?1;2cx", "<x>" },
		{ "\033[?2004;1$yx", "<x>" },
		{ "\033[3^x", "<x>" },
		{ "\033Ozx", "<x>" },
		{ "\033[12\x03x", "int <x>" },
		{ "\033[12é", "<é>" },
		{ "\033[201~x", "<x>" },
		{ "\033[", "" },
		{ "\033[1;", "" },
		{ "\033[M!", "" },
		{ "\033O", "<^O>" },
		{ "\033O\r", "<^O> <\\x0d>" },
		{ "\033[99999999999999999999~x", "<x>" },
		{ "\033[1;2;3;4;5;6;7;8;9~x", "<x>" },
	};
	CHECK(table);
}

/* What terminals answer to questions that somebody else asked. The C1 forms are those in UTF-8. */
static void test_answers_are_dropped(void **state)
{
	(void)state;
	static const struct one_case table[] = {
		/* The cursor; where it could be a key with a modifier that is taken for one. */
		{ "\033[24;80Rx", "<x>" },
		{ "\033[1;1Rx\033[2;5R\033[1;80R\033[17R\033[?24;80;1R", "<x>" },
		{ "\033[1;5R", "F3" },
		{ "\033[24;5A\033[3;2H\033[1;300C\033[7B\033[1;2;3D\033[3;99~x", "<x>" },
		/* What it is, modes, windows, focus, keyboard, mouse. */
		{ "\033[?62;c\033[>41;354;0c\033[=1c\033[0n\033[?997;1n\033[2;1;1;112;112;1;0xx",
		    "<x>" },
		{ "\033[?2026;2$y\033[4;2$y\033[8;24;80t\033[3;0;0t\033[?1;0;256S\033[I\033[O\033[?1uz",
		    "<z>" },
		{ "\033[<35;10;5M\033[<0;1;1m\033[35;3;4M\033[M#!!\033[1;1;1&wz", "<z>" },
		{ "\033]11;rgb:1e1e/1e1e/1e1e\ax", "<x>" },
		{ "\033]11;rgb:1e1e/1e1e/1e1e\033\\x", "<x>" },
		{ "\033]lgrüße\033\\\033]52;c;aGVsbG8=\ax", "<x>" },
		{ "\033P>|XTerm(370)\033\\\033P1$r0m\033\\\033P!|00000000\033\\x", "<x>" },
		{ "\033Pnothing at "
		  "first\033\\\033_Gi=31;OK\033\\\033^privacy\033\\\033Xany\r\n\033\\x",
		    "<x>" },
		{ "\033]\033\\\033_\a\033P\033\\x", "<x>" },
		{ "\xc2\x9b"
		  "24;80R\xc2\x9d"
		  "11;rgb:0/0/0\xc2\x9c\xc2\x90>|x\033\\x",
		    "<x>" },
		{ "\xc2\x9f"
		  "G\xc2\x9c\xc2\x9e"
		  "p\a\xc2\x98s\xc2\x9cx",
		    "<x>" },
		{ "\xc2\x9b"
		  "A\xc2\x8fR\xc2\x9b"
		  "5~",
		    "<^[A> F3 pgup" },
		/* \x9c is also the end of a character. */
		{ "\033]0;\xc5\x9c\xc2\xa9x\ax", "<x>" },
		/* Broken off by another sequence, and by keys for getting out. */
		{ "\033]11;rgb\033[5~x", "pgup <x>" },
		{ "\033]11;rgb\x03x", "int <x>" },
		{ "\033P>|\x1ax", "susp <x>" },
		{ "\033]11;rgb", "" },
		{ "\033]11;rgb\xc2", "<\xc2>" },
		/* Meta keys have the same beginnings. */
		{ "\033]", "<^]>" },
		{ "\033P\033_\033^\033X", "<^P> <^_> <^^> <^X>" },
		{ "\033_\r", "<^_> <\\x0d>" },
	};
	CHECK(table);
	/* Byte by byte. */
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		char out[128] = "";
		struct keys *k = keys_new();
		for (const char *at = table[i].bytes; *at != '\0'; at++) {
			keys_feed(k, at, 1, 0);
			drain(k, 0, out, sizeof out);
		}
		drain(k, LONG_AFTER, out, sizeof out);
		assert_string_equal(out, table[i].keys);
		keys_free(k);
	}
}

/* The terminal's background and attributes, whole and in every split; other answers are none. */
static void test_answers_are_taken(void **state)
{
	(void)state;
	static const struct {
		const char *bytes, *background;
		bool attributes;
	} table[] = {
		{ "\033]11;rgb:1e1e/1e1e/1e1e\033\\", "rgb:1e1e/1e1e/1e1e", false },
		{ "\033]11;#ffffff\a\033[?64;1;2c", "#ffffff", true },
		{ "\xc2\x9d"
		  "11;rgb:0/0/0\xc2\x9c\xc2\x9b?6c",
		    "rgb:0/0/0", true },
		{ "\x9d"
		  "11;rgb:0/0/0\x9c\x9b?62;4c",
		    "rgb:0/0/0", false },
		{ "\033[?1;2c", "", true },
		{ "\033]11;rgb:0123456789/0123456789/0123456789abcdef\a",
		    "rgb:0123456789/0123456789/0123456789abc", false },
		{ "\033]10;rgb:0/0/0\a\033P11;rgb:0/0/0\033\\\033]11;rgb:0/0\x03\033[>0;1c", "",
		    false },
	};
	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		for (size_t n = strlen(table[i].bytes), first = 0; first <= n; first++) {
			char out[64] = "";
			struct keys *k = keys_new();
			keys_feed(k, table[i].bytes, first, 0);
			drain(k, 0, out, sizeof out);
			keys_feed(k, table[i].bytes + first, n - first, MS);
			drain(k, MS, out, sizeof out);
			struct keys_answers answers = keys_take_answers(k);
			assert_string_equal(answers.background, table[i].background);
			assert_int_equal(answers.attributes, table[i].attributes);
			assert_string_equal(out, strchr(table[i].bytes, '\x03') ? "int" : "");
			answers = keys_take_answers(k);
			assert_string_equal(answers.background, "");
			assert_false(answers.attributes);
			keys_free(k);
		}
}

/* An answer without end holds the keyboard neither for ever nor for any number of bytes. */
static void test_answer_without_end(void **state)
{
	(void)state;
	char out[64] = "", piece[4096];
	size_t fed = 0;
	struct keys *k = keys_new();
	memset(piece, 'x', sizeof piece);
	keys_feed(k, "\033]52;c;", 7, 0);
	drain(k, 0, out, sizeof out);
	assert_int_equal(keys_deadline(k), KEYS_SEQUENCE_WAIT);
	drain(k, KEYS_SEQUENCE_WAIT, out, sizeof out);
	keys_feed(k, "A", 1, LONG_AFTER);
	drain(k, LONG_AFTER, out, sizeof out);
	assert_string_equal(out, "<A>");
	keys_feed(k, "\033P", 2, LONG_AFTER);
	while (strlen(out) < 20 && fed < 2 * KEYS_STRING_MAX) {
		keys_feed(k, piece, sizeof piece, LONG_AFTER);
		drain(k, LONG_AFTER, out, sizeof out);
		fed += sizeof piece;
	}
	assert_int_equal(fed, KEYS_STRING_MAX + sizeof piece);
	keys_free(k);
	/* Nor while somebody types. */
	k = keys_new();
	*out = '\0';
	keys_feed(k, "\033]0;", 4, 0);
	for (int64_t now = 0; now < KEYS_STRING_WAIT; now += KEYS_SEQUENCE_WAIT / 2) {
		drain(k, now, out, sizeof out);
		keys_feed(k, "a", 1, now);
	}
	drain(k, KEYS_STRING_WAIT, out, sizeof out);
	assert_string_equal(out, "");
	keys_feed(k, "b", 1, KEYS_STRING_WAIT);
	drain(k, KEYS_STRING_WAIT, out, sizeof out);
	assert_string_equal(out, "<b>");
	keys_free(k);
}

static void test_long_sequence(void **state)
{
	(void)state;
	char bytes[1024];
	memset(bytes, '1', sizeof bytes);
	memcpy(bytes, "\033[", 2);
	memcpy(bytes + sizeof bytes - 3, "~xy", 3);
	for (size_t first = 0; first < sizeof bytes; first += 31)
		check_split(bytes, sizeof bytes, first, "<x> <y>");
	/* One that never ends does not swallow what is typed later. */
	char out[64] = "";
	struct keys *k = keys_new();
	keys_feed(k, bytes, 500, 0);
	drain(k, 0, out, sizeof out);
	assert_int_equal(keys_deadline(k), KEYS_SEQUENCE_WAIT);
	drain(k, KEYS_SEQUENCE_WAIT, out, sizeof out);
	keys_feed(k, "A", 1, LONG_AFTER);
	drain(k, LONG_AFTER, out, sizeof out);
	assert_string_equal(out, "<A>");
	keys_free(k);
}

static void test_escape_waits(void **state)
{
	(void)state;
	struct key_event e;
	struct keys *k = keys_new();
	assert_int_equal(keys_deadline(k), INT64_MAX);
	keys_feed(k, "\033", 1, 7 * MS);
	assert_false(keys_next(k, 7 * MS, &e));
	assert_int_equal(keys_deadline(k), 7 * MS + KEYS_ESCAPE_WAIT);
	assert_false(keys_next(k, 7 * MS + KEYS_ESCAPE_WAIT - 1, &e));
	assert_true(keys_next(k, 7 * MS + KEYS_ESCAPE_WAIT, &e));
	assert_int_equal(e.key, KEY_ESCAPE);
	assert_int_equal(e.length, 1);
	assert_int_equal(e.bytes[0], 0x1b);
	assert_int_equal(keys_deadline(k), INT64_MAX);
	/* An arrow on a slow line is still an arrow. */
	keys_feed(k, "\033[", 2, 100 * MS);
	assert_false(keys_next(k, 300 * MS, &e));
	keys_feed(k, "A", 1, 300 * MS);
	assert_true(keys_next(k, 300 * MS, &e));
	assert_int_equal(e.key, KEY_TEXT_BYTES);
	assert_int_equal(e.length, 3);
	keys_free(k);
}

/* What a lone Esc is followed by, and when, by a pause of so many ms before each piece. */
static void check_late(const char *const pieces[], int64_t pause, const char *expected)
{
	char out[128] = "";
	int64_t now = 0;
	struct keys *k = keys_new();
	for (; *pieces != NULL; pieces++) {
		keys_feed(k, *pieces, strlen(*pieces), now);
		drain(k, now, out, sizeof out);
		now += pause * MS;
		drain(k, now, out, sizeof out);
	}
	drain(k, now + LONG_AFTER, out, sizeof out);
	keys_free(k);
	assert_string_equal(out, expected);
}

#define CHECK_LATE(pause, expected, ...) \
	check_late((const char *const[]){ __VA_ARGS__, NULL }, (pause), (expected))

static void test_escape_and_what_follows(void **state)
{
	(void)state;
	/* A slow line splits sequences. */
	CHECK_LATE(100, "esc <^[A>", "\033", "[A");
	CHECK_LATE(100, "esc <^[A> <b>", "\033", "[", "A", "b");
	CHECK_LATE(100, "esc F5", "\033", "[1", "5~");
	CHECK_LATE(100, "esc {text}", "\033", "[200~te", "xt\033[201~");
	CHECK_LATE(100, "esc <x>", "\033", "[24;8", "0Rx");
	CHECK_LATE(100, "esc <x>", "\033", "[24;5Rx");
	CHECK_LATE(100, "esc <x>", "\033", "[?62;cx");
	CHECK_LATE(100, "esc <x>", "\033", "]11;rgb:1/1/1", "\ax");
	CHECK_LATE(100, "<^[A>", "\033[", "A");
	/* People type words. */
	CHECK_LATE(5000, "esc </> <s> <t> <a> <t> <s>", "\033", "/stats");
	CHECK_LATE(100, "esc </> <s>", "\033", "/", "s");
	CHECK_LATE(100, "esc <[> <x> <]>", "\033", "[", "x", "]");
	CHECK_LATE(100, "esc <[> <1> <]>", "\033", "[1]");
	CHECK_LATE(100, "esc <]> <x>", "\033", "]", "x");
	CHECK_LATE(100, "esc <O> <P>", "\033", "OP");
	CHECK_LATE(100, "esc <[>", "\033", "[");
	CHECK_LATE(100, "esc <]>", "\033", "]");
	CHECK_LATE(700, "esc <[> <A>", "\033", "[A");
	/* At once it is Meta. */
	CHECK_LATE(100, "<^b>",
	    "\033"
	    "b");
	CHECK_LATE(20, "<^b>", "\033", "b");
}

static void test_quoted(void **state)
{
	(void)state;
	static const struct one_case table[] = {
		{ "\x03\x03", "<\\x03> int" },
		{ "\033[5~", "<^> <[> <5> <~>" },
		{ "\x1a", "<\\x1a>" },
		{ "é\x0c", "<é> redraw" },
	};
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		char out[128] = "";
		struct keys *k = keys_new();
		keys_quote(k);
		keys_feed(k, table[i].bytes, strlen(table[i].bytes), 0);
		drain(k, 0, out, sizeof out);
		assert_string_equal(out, table[i].keys);
		keys_free(k);
	}
}

static void test_paste(void **state)
{
	(void)state;
	static const struct one_case table[] = {
		{ "\033[200~hello\033[201~", "{hello}" },
		{ "a\033[200~one\ntwo\x03\033[A\033[201~b", "<a> {one\\x0atwo\\x03^[A} <b>" },
		{ "\033[200~\033[201~", "{}" },
		{ "\033[200~\033[20\033[201~", "{^[20}" },
		{ "\033[200~\033\033\033[201~", "{^^}" },
		{ "\033[200~x\033[200~y\033[201~z", "{x^[200~y} <z>" },
		{ "\033[200~a\033[201~\033[200~b\033[201~", "{a} {b}" },
	};
	CHECK(table);
}

static void test_paste_is_bounded(void **state)
{
	(void)state;
	static char piece[65536];
	memset(piece, 'x', sizeof piece);
	struct key_event e;
	struct keys *k = keys_new();
	keys_feed(k, "\033[200~", 6, 0);
	for (size_t fed = 0; fed < 2 * KEYS_PASTE_MAX; fed += sizeof piece) {
		assert_int_equal(keys_feed(k, piece, sizeof piece, 0), 0);
		assert_false(keys_next(k, 0, &e));
	}
	keys_feed(k, "\033[201~q", 7, 0);
	assert_true(keys_next(k, 0, &e));
	assert_int_equal(e.key, KEY_PASTE);
	assert_int_equal(e.length, KEYS_PASTE_MAX);
	assert_true(e.clipped);
	assert_true(keys_next(k, 0, &e));
	assert_int_equal(e.key, KEY_TEXT_BYTES);
	assert_int_equal(e.bytes[0], 'q');
	assert_false(e.clipped);
	keys_free(k);
}

/* It ends by silence, told apart from one that was too long. */
static void test_paste_without_end(void **state)
{
	(void)state;
	char out[128] = "";
	struct keys *k = keys_new();
	keys_feed(k, "\033[200~lost\033[20", 14, 0);
	drain(k, 0, out, sizeof out);
	assert_int_equal(keys_deadline(k), KEYS_PASTE_SILENCE);
	keys_feed(k, "typed", 5, KEYS_PASTE_SILENCE - 1);
	drain(k, KEYS_PASTE_SILENCE, out, sizeof out);
	assert_string_equal(out, "");
	drain(k, 2 * KEYS_PASTE_SILENCE, out, sizeof out);
	keys_feed(k, "z", 1, 2 * KEYS_PASTE_SILENCE);
	drain(k, 2 * KEYS_PASTE_SILENCE, out, sizeof out);
	assert_string_equal(out, "{lost^[20typed}? <z>");
	assert_int_equal(keys_deadline(k), INT64_MAX);
	keys_free(k);
}

/* A ^C that nothing follows is the key; among other bytes it is text. */
static void test_interrupt_ends_paste(void **state)
{
	(void)state;
	CHECK_LATE(300, "{lost}? int <z>", "\033[200~lost", "\x03", "z");
	CHECK_LATE(300, "{}? int int", "\033[200~", "\x03", "\x03");
	CHECK_LATE(300, "{a}? int", "\033[200~a\x03");
	CHECK_LATE(300, "{a\\x03\\x03}? int", "\033[200~", "a\x03\x03\x03");
	CHECK_LATE(300, "{a^[20}? int", "\033[200~a\033[20", "\x03");
	CHECK_LATE(300, "{a\\x03b}",
	    "\033[200~a\x03"
	    "b",
	    "\033[201~");
	CHECK_LATE(300, "{a\\x03}", "\033[200~a\x03\033[201~");
	/* The text is split right behind it. */
	CHECK_LATE(30, "{a\\x03b}", "\033[200~a\x03", "b\033[201~");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_function_keys),
		cmocka_unit_test(test_scrolling),
		cmocka_unit_test(test_clicks),
		cmocka_unit_test(test_editor_sequences),
		cmocka_unit_test(test_unknown_is_dropped),
		cmocka_unit_test(test_answers_are_dropped),
		cmocka_unit_test(test_answers_are_taken),
		cmocka_unit_test(test_answer_without_end),
		cmocka_unit_test(test_long_sequence),
		cmocka_unit_test(test_escape_waits),
		cmocka_unit_test(test_escape_and_what_follows),
		cmocka_unit_test(test_quoted),
		cmocka_unit_test(test_paste),
		cmocka_unit_test(test_paste_is_bounded),
		cmocka_unit_test(test_paste_without_end),
		cmocka_unit_test(test_interrupt_ends_paste),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
