/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The input line by itself, without a terminal: what it does with keys and pieces of keys. */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <readline/readline.h>

#include "terminal/line-editor.h"
#include "tests/lib/cmocka-compat.h"

struct received {
	char line[256];
	size_t length, lines, ends, bells;
};

static void on_line(void *context, const char *line, size_t n)
{
	struct received *h = context;
	h->lines++;
	h->length = n;
	snprintf(h->line, sizeof(h->line), "%s", line);
}

static void on_end(void *context)
{
	((struct received *)context)->ends++;
}

static void on_bell(void *context)
{
	((struct received *)context)->bells++;
}

static void feed(const char *keys)
{
	line_editor_feed((const unsigned char *)keys, strlen(keys));
}

/* Key by key, as one types: readline takes what comes in one piece a little differently. */
static void type(const char *keys)
{
	while (*keys) {
		size_t n = 1;
		while (((unsigned char)keys[n] & 0xc0) == 0x80)
			n++;
		line_editor_feed((const unsigned char *)keys, n);
		keys += n;
	}
}

/* In emacs mode, whatever the test before has left: readline keeps the mode. */
static int set_up(void **state)
{
	static struct received received;
	const struct line_editor_hooks hooks = {
		.context = &received, .line = on_line, .end = on_end, .bell = on_bell
	};
	memset(&received, 0, sizeof(received));
	*state = &received;
	if (line_editor_start(&hooks, NULL, 100) < 0)
		return -1;
	line_editor_escape();
	feed("\005");
	line_editor_clear();
	memset(&received, 0, sizeof(received));
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	return line_editor_stop(false) ? -1 : 0;
}

static void insert(const char *text)
{
	line_editor_insert((const unsigned char *)text, strlen(text));
}

static void assert_line(const char *text, size_t cursor)
{
	struct view_input s = line_editor_state();
	assert_string_equal(s.text, text);
	assert_int_equal(s.length, strlen(text));
	assert_int_equal(s.cursor, cursor);
}

static void takes_keys(void **state)
{
	struct received *h = *state;
	feed("é");
	feed("b\033[D");
	assert_line("éb", 2);
	feed("c\r");
	assert_line("", 0);
	assert_int_equal(h->lines, 1);
	assert_string_equal(h->line, "écb");
	assert_int_equal(h->length, 4);
	/* Two lines in one piece, and the beginning of a third. */
	feed("1\r2\r3");
	assert_int_equal(h->lines, 3);
	assert_string_equal(h->line, "2");
	assert_line("3", 1);
	feed("\x08\x04");
	assert_int_equal(h->ends, 1);
	/* It goes on if its owner does. */
	feed("4\r");
	assert_int_equal(h->lines, 4);
	assert_int_equal(h->bells, 0);
}

/* Keys in pieces of every length do the same. */
static void takes_pieces(void **state)
{
	static const char keys[] = "ab漢\033[D\033bX\x0b\x19\x12"
	                           "e\x07\033OH\033[3~é\x16\033\033[1;5C!";
	char whole[256];
	(void)state;
	feed(keys);
	snprintf(whole, sizeof(whole), "%s", line_editor_state().text);
	assert_true(strlen(whole) > 3);
	for (size_t size = 1; size < sizeof(keys); size++) {
		line_editor_clear();
		assert_line("", 0);
		for (size_t at = 0, n; at < sizeof(keys) - 1; at += n) {
			n = size < sizeof(keys) - 1 - at ? size : sizeof(keys) - 1 - at;
			/* Characters are never split. */
			while (((unsigned char)keys[at + n] & 0xc0) == 0x80)
				n++;
			line_editor_feed((const unsigned char *)keys + at, n);
		}
		assert_string_equal(line_editor_state().text, whole);
	}
}

static void skips_unknown_sequences(void **state)
{
	(void)state;
	feed("a\033[99~b\033[15~c\033[<64;10;5Md\033[?7;8qe\033[1;9Zf");
	assert_line("abcdef", 6);
	feed("\033[D\033[1;5Dg");
	assert_line("gabcdef", 1);
}

/* No end of the paste ever comes; readline's own reader would wait for it. */
static void waits_for_no_paste(void **state)
{
	(void)state;
	feed("\033[200~abc");
	assert_line("abc", 3);
	feed("\x12\033[200~a");
	line_editor_clear();
	assert_line("", 0);
}

static void survives_broken_text(void **state)
{
	(void)state;
	feed("a\xe6\xbc");
	feed("\r\xff\xc3\r");
	feed("\x12\xc3");
	feed("\xa9\xe6");
	feed("\x12\xf0\x9f");
	line_editor_clear();
	feed("\x1d\xc3");
	feed("\xa9");
	line_editor_clear();
	feed("ok");
	assert_line("ok", 2);
	/* What is no character is shown as such, and vi mode does not stumble over it. */
	feed("\xe6");
	insert("\xa9"
	       "é\xff");
	assert_line("ok\xef\xbf\xbd\xef\xbf\xbdé\xef\xbf\xbd", 13);
	feed("\033\n");
	line_editor_escape();
	feed("0E0W\\");
	feed("\005");
	line_editor_clear();
	assert_line("", 0);
}

/* Any bytes at all: it returns, and the cursor is within the line. */
static void survives_any_keys(void **state)
{
	unsigned seed = 1;
	(void)state;
	for (int round = 0; round < 20000; round++) {
		unsigned char bytes[12];
		size_t n = 1 + (size_t)(seed >> 16) % sizeof(bytes);
		for (size_t i = 0; i < n; i++) {
			seed = seed * 1664525u + 1013904223u;
			bytes[i] = (unsigned char)(seed >> 24);
		}
		/* Left out: re-reading the inputrc, and arguments in the millions. */
		if (memchr(bytes, 0x18, n) || memchr(bytes, 0x1b, n))
			bytes[0] = '\033', n = 1;
		if (round % 50 == 0)
			line_editor_clear();
		else if (round % 17 == 0)
			line_editor_insert(bytes, n);
		else if (round % 13 == 0)
			line_editor_escape();
		else
			line_editor_feed(bytes, n);
		struct view_input s = line_editor_state();
		assert_int_equal(strlen(s.text), s.length);
		assert_true(s.cursor <= s.length);
	}
	line_editor_clear();
	assert_line("", 0);
	feed("ok");
	assert_line("ok", 2);
}

/* Ways to Enter on which readline 8.2 frees twice: edits here and there in the history, searches
 * given up. A sanitizer, or the C library, would end the program. */
static void survives_undos_in_history(void **state)
{
	static const char *const keys[] = { "é", "\017", "a", "\017", "\020", " ", "\020", "\016" };
	(void)state;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		feed(keys[i]);
	line_editor_escape();
	feed("\r");
	line_editor_clear();
	feed("\022");
	feed(" ");
	feed("\033r");
	line_editor_clear();
	assert_line("", 0);

	static const char *const texts[] = {
		"one\rtwo\r\033[A\025x\033[A\010\020\r",
		"a\r\033[A\033p\007a\033[A\r",
		"a\r\020\033p\010b\033<\r",
		"x\r\033nD\rb\033r\031\020n\020\r",
		"b\r\033[A\033n\010b\033[A\r",
		"\033\np\r\033\r\033/p\ra;\r",
	};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		for (int times = 0; times < 3; times++) {
			type(texts[i]);
			line_editor_clear();
			assert_line("", 0);
		}
	/* vi: found, edited, older ones asked for, and searched again. */
	feed("\033\n");
	feed("p\r");
	line_editor_escape();
	feed("/p\r");
	assert_line("p", 0);
	feed("NA");
	line_editor_escape();
	feed("k/");
	line_editor_clear();
	line_editor_escape();
	feed("\005");
	assert_line("", 0);
}

/* Esc in vi's command mode, then what would go on a sequence: two keys, not one. */
static void keeps_escape_apart(void **state)
{
	(void)state;
	feed("\033\nabc");
	line_editor_escape();
	line_editor_escape();
	feed("[");
	feed("x");
	assert_line("ab", 1);
	/* It leaves a search, and is no text of it. */
	feed("/b");
	line_editor_escape();
	assert_line("ab", 1);
	feed("ic");
	assert_line("acb", 2);
	line_editor_clear();
	/* In emacs mode it does nothing, whatever was begun: not even to a search that it may not
	 * end. */
	feed("\033\005");
	line_editor_escape();
	feed("\005");
	feed("one two");
	line_editor_escape();
	feed("b");
	assert_line("one twob", 8);
	feed("\033"
	     "3");
	line_editor_escape();
	feed("c");
	assert_line("one twobccc", 11);
	feed("\r\x12w");
	rl_variable_bind("isearch-terminators", "\r");
	line_editor_escape();
	rl_variable_bind("isearch-terminators", "\033\n");
	feed("\005d");
	assert_line("one twobcccd", 12);
}

/* Commands that read keys by themselves, and end with the end of file or with nothing at all. */
static size_t read_by_command;

static int read_to_end(int count, int key)
{
	(void)count, (void)key;
	while (rl_read_key() >= 0)
		read_by_command++;
	return 0;
}

static int read_for_ever(int count, int key)
{
	(void)count, (void)key;
	for (;;) {
		RL_SETSTATE(RL_STATE_MOREINPUT);
		rl_read_key();
		RL_UNSETSTATE(RL_STATE_MOREINPUT);
		read_by_command++;
	}
	return 0;
}

static void stops_commands_that_read(void **state)
{
	struct received *h = *state;
	rl_add_defun("read-to-end", read_to_end, -1);
	rl_add_defun("read-for-ever", read_for_ever, -1);
	rl_parse_and_bind((char[]){ "\"\\C-xr\": read-to-end" });
	rl_parse_and_bind((char[]){ "\"\\C-xf\": read-for-ever" });
	for (int i = 0; i < 3; i++) {
		read_by_command = 0;
		feed("ab\x18r");
		assert_true(read_by_command > 0 && read_by_command < 10000);
		assert_line("ab", 2);
		feed("\x18"
		     "f");
		feed("c");
		assert_line("abc", 3);
		feed("\x08\x08\x08");
	}
	/* What comes with it is the command's. */
	read_by_command = 0;
	feed("\x18rabc");
	assert_true(read_by_command >= 3);
	assert_line("", 0);
	assert_int_equal(h->lines + h->ends, 0);
	/* In vi mode too, where the first is bound to nothing. */
	feed("\033\n");
	rl_bind_keyseq_in_map("f", read_for_ever, rl_get_keymap_by_name("vi-move"));
	line_editor_escape();
	feed("f");
	feed("ix");
	assert_line("x", 1);
	rl_bind_keyseq_in_map("f", rl_vi_char_search, rl_get_keymap_by_name("vi-move"));
	/* The one of readline 8.3 is not to be had by a key. */
	rl_command_func_t *named = rl_named_function("execute-named-command");
	assert_true(!named || !rl_invoking_keyseqs(named));
	line_editor_escape();
	feed("\005");
	line_editor_clear();
	feed("\033x");
	feed("y");
	assert_line("y", 1);
	/* An inputrc that is read anew brings it back. */
	rl_bind_keyseq("\\C-xn", named);
	feed("\x18n");
	feed("z");
	assert_line("yz", 2);
}

/* Reads an inputrc anew, as one that was changed. */
static void bind_anew(const char *path, const char *key, const char *name)
{
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fprintf(file, "set keymap vi-move\n\"%s\": %s\nset keymap emacs\n\"%s\": %s\n", key, name,
	    key, name);
	assert_int_equal(fclose(file), 0);
	feed("\x18\x12");
}

/* Types it with a great argument and a line of some length, as the last key and with keys behind
 * it, in both modes: it comes back, and one can type. */
static void press(const char *key, const char *name)
{
	char text[301], keys[40];
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	for (int variant = 0; variant < 4; variant++) {
		bool vi = variant / 2;
		insert(text);
		if (vi) {
			feed("\033\n");
			line_editor_escape();
		}
		snprintf(keys, sizeof(keys), vi ? "yy99999%s" : "\025\031\03399999%s", key);
		feed(keys);
		if (variant % 2)
			feed("aa");
		line_editor_clear();
		line_editor_escape();
		feed("\005");
		line_editor_clear();
		feed("ok");
		if (line_editor_state().length != 2)
			fail_msg("%s: \"%.40s\"", name, line_editor_state().text);
		line_editor_clear();
	}
}

/* Every command that an inputrc can bind, behind a prefix and on a key alone. */
static void every_command_returns(void **state)
{
	char path[] = "/tmp/test-line-XXXXXX";
	const char **names = rl_funmap_names();
	int fd = mkstemp(path);
	(void)state;
	assert_true(fd >= 0);
	close(fd);
	rl_read_init_file(path);
	for (size_t i = 0; names[i]; i++) {
		bind_anew(path, "\\C-xo", names[i]);
		press("\x18o", names[i]);
		bind_anew(path, "\\C-o", names[i]);
		press("\x0f", names[i]);
	}
	bind_anew(path, "\\C-xo", "vi-overstrike");
	feed("\033300000\x18o");
	assert_uint_in_range(line_editor_state().length, 4000, 5000);
	line_editor_clear();
	line_editor_escape();
	feed("\005");
	line_editor_clear();
	bind_anew(path, "\\C-xo", "abort");
	bind_anew(path, "\\C-o", "operate-and-get-next");
	/* A second sign is no digit. */
	bind_anew(path, "-", "digit-argument");
	feed("-3--a");
	line_editor_clear();
	bind_anew(path, "-", "self-insert");
	rl_bind_keyseq_in_map("-", rl_get_previous_history, rl_get_keymap_by_name("vi-move"));
	unlink(path);
	free(names);
}

/* What overwrites moves the rest of the line for each character: a great argument is cut down. */
static void overwrites_so_many(void **state)
{
	(void)state;
	rl_parse_and_bind((char[]){ "\"\\C-o\": overwrite-mode" });
	feed("\x0f\033300000xy");
	assert_uint_in_range(line_editor_state().length, 4000, 5000);
	feed("\x0f");
	line_editor_clear();
	rl_parse_and_bind((char[]){ "\"\\C-o\": operate-and-get-next" });
}

/* Macros that call themselves: at once, with text, with Enter, by way of each other, within a
 * search, ever longer. The line that doubles is nine times a power of two, less two: it ends just
 * over the longest line. readline makes its buffer larger by 256 bytes at a time, and to move all
 * of it each time takes a sanitizer seconds. */
static void stops_macros(void **state)
{
	static const char *const macros[] = {
		"\"\\C-o\": \"\\C-o\"",
		"\"\\C-o\": \"x\\C-o\"",
		"\"\\C-o\": \"\\C-ox\"",
		"\"\\C-o\": \"x\\C-m\\C-o\"",
		"\"\\C-o\": \"\\C-xo\"",
		"\"\\C-o\": \"\\C-r\\C-o\"",
		"\"\\C-o\": \"\\C-rx\\C-o\"",
		"\"\\C-o\": \"x\\C-a\\C-k\\C-y\\C-y\\C-o\"",
		/* Readline copies its line for each 256 bytes, and sanitizers make that slow. */
		SANITIZED ? "\"\\C-o\": \"\\e50000x\\C-o\"" : "\"\\C-o\": \"\\e1000000x\\C-o\"",
		"\"\\C-o\": \"\\C-v\\C-o\\C-o\"",
		"\"\\C-o\": \"\\C-]\\C-o\\C-o\"",
	};
	struct received *h = *state;
	for (size_t i = 0; i < sizeof(macros) / sizeof(macros[0]); i++) {
		char text[64];
		snprintf(text, sizeof(text), "%s", macros[i]);
		rl_parse_and_bind((char[]){ "\"\\C-xo\": \"\\C-o\"" });
		rl_parse_and_bind(text);
		feed("abcdefg\x0f");
		line_editor_clear();
		assert_line("", 0);
		feed("ok\r");
		assert_string_equal(h->line, "ok");
		assert_int_equal(h->ends, 0);
	}
	rl_parse_and_bind((char[]){ "\"\\C-o\": operate-and-get-next" });
}

/* What readline 8.2 does with a sequence that is bound to nothing crashes it within a macro; what
 * goes well there goes on to. Each is bound by an inputrc that is read again. */
static void plays_macros_of_an_inputrc(void **state)
{
	static const struct {
		const char *bindings, *keys, *line;
	} cases[] = {
		{ "\"\\C-t\": \"\\eq\"",
		    "ab\x14"
		    "cd",
		    "abcd" },
		{ "\"\\C-t\": \"\\e5\"\n\"\\e5\": \"\\eq\"",
		    "ab\x14"
		    "cd",
		    "abcd" },
		{ "\"\\C-t\": \"\\e5x\"\n\"\\e5\": \"\\eqz\"",
		    "ab\x14"
		    "cd",
		    "abzxcd" },
		{ "\"\\C-t\": \"\\e\\C-g\"",
		    "ab\x14"
		    "cd",
		    "abcd" },
		{ "\"\\C-xt\": \"\\e5a\"\n\"\\e5\": \"\\eb\"",
		    "ab\x18"
		    "tcd",
		    "acdab" },
		{ "\"\\C-t\": \"yz\"\n\"\\e5\": \"\\C-t\\C-t\"",
		    "a\x1b"
		    "5b",
		    "ayzyzb" },
		/* M-. goes on where M-. was before. */
		{ "\"\\C-t\": \"\\e.\"", "\x1b.\x14", "acdab" },
		{ "\"\\C-t\": \"\\C-t\"", "ab\x14", "ab" },
		{ "\"\\C-t\": \"uv\"",
		    "\x18(\x14w\x18)\x18"
		    "e",
		    "uvwuvw" },
		{ "\"\\C-t\": \"\\eq\"",
		    "\x18(a\x14"
		    "b\x18)",
		    "ab" },
		{ "\"\\C-t\": \"x\\C-t\\C-t\"",
		    "\x14\x15"
		    "ab",
		    "ab" },
	};
	struct received *h = *state;
	char path[] = "/tmp/upcase-inputrc-XXXXXX";
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		FILE *file = fopen(path, "w");
		assert_non_null(file);
		fprintf(file, "%s\n", cases[i].bindings);
		fclose(file);
		rl_read_init_file(path);
		feed("\x18\x12");
		line_editor_clear();
		feed(cases[i].keys);
		feed("\r");
		assert_string_equal(h->line, cases[i].line);
		assert_int_equal(h->ends, 0);
		rl_parse_and_bind((char[]){ "\"\\e5\": digit-argument" });
	}
	rl_parse_and_bind((char[]){ "\"\\C-t\": transpose-chars" });
	close(fd);
	unlink(path);
}

/* A line feed that is quoted ends a line as Enter does; a carriage return is a character. */
static void hands_over_lines(void **state)
{
	struct received *h = *state;
	feed("one\x16\ntwo\r");
	assert_int_equal(h->lines, 2);
	assert_string_equal(h->line, "two");
	assert_int_equal(h->length, 3);
	/* They are lines of the history as well. */
	feed("\020\020");
	assert_line("one", 3);
	line_editor_clear();
	feed("a\x16\r"
	     "b\x16\n\x16\n\r");
	assert_int_equal(h->lines, 5);
	assert_int_equal(h->length, 0);
	feed("\020");
	assert_line("a\r"
	            "b",
	    3);
	line_editor_clear();
	rl_parse_and_bind((char[]){ "\"\\C-xo\": \"m\\C-v\\C-jn\"" });
	feed("\x18o\r");
	assert_int_equal(h->lines, 7);
	assert_string_equal(h->line, "n");
}

/* The first key of an empty line. */
static void tells_first_key(void **state)
{
	(void)state;
	assert_true(line_editor_begins_with('?'));
	assert_false(line_editor_begins_with('\r'));
	static const char *const begun[] = { "x", "\x16", "\x12", "\x18", "\0333", "\033p" };
	for (size_t i = 0; i < sizeof(begun) / sizeof(begun[0]); i++) {
		feed(begun[i]);
		assert_false(line_editor_begins_with('?'));
		assert_true(line_editor_clear());
		assert_false(line_editor_clear());
		assert_true(line_editor_begins_with('?'));
	}
	feed("\033\n");
	assert_true(line_editor_begins_with('?'));
	line_editor_escape();
	assert_false(line_editor_begins_with('?'));
	feed("i");
	assert_true(line_editor_begins_with('?'));
}

static void tells_quoting(void **state)
{
	(void)state;
	assert_false(line_editor_quoting());
	feed("\x16");
	assert_true(line_editor_quoting());
	feed("\x16");
	assert_false(line_editor_quoting());
	assert_line("\x16", 1);
	feed("\x11");
	assert_true(line_editor_quoting());
	feed("é");
	assert_false(line_editor_quoting());
	assert_line("\x16é", 3);
	feed("\x16");
	line_editor_clear();
	assert_false(line_editor_quoting());
	feed("\x16");
	insert("x");
	assert_false(line_editor_quoting());
	assert_line("x", 1);
	feed("\x16q\x16");
	assert_true(line_editor_quoting());
	feed("\r");
	assert_line("xq\r", 3);
}

static void inserts_pastes(void **state)
{
	struct received *h = *state;
	feed("<>\033[D");
	line_editor_insert((const unsigned char *)"a\0b\tc\x03", 6);
	assert_line("<ab\tc\x03>", 6);
	feed("\x1f");
	assert_line("<>", 1);
	/* An argument that was begun is dropped, the prompt comes back. */
	line_editor_set_prompt("p> ");
	feed("\033"
	     "3");
	assert_string_equal(line_editor_state().prompt, "(arg: 3) ");
	insert("x");
	assert_line("<x>", 2);
	assert_string_equal(line_editor_state().prompt, "p> ");
	feed("y");
	assert_line("<xy>", 3);
	/* So is Esc. */
	line_editor_escape();
	insert("z");
	feed("b");
	assert_line("<xyzb>", 5);
	assert_int_equal(h->bells, 0);
}

static void bounds_lines(void **state)
{
	struct received *h = *state;
	size_t n = LINE_EDITOR_MAX;
	char *text = malloc(n + 1);
	assert_non_null(text);
	memset(text, 'x', n);
	text[n] = '\0';
	feed("ab");
	insert(text);
	assert_line("ab", 2);
	assert_int_equal(h->bells, 1);
	text[n - 2] = '\0';
	insert(text);
	assert_int_equal(line_editor_state().length, n);
	assert_int_equal(h->bells, 1);
	feed("y");
	assert_int_equal(line_editor_state().length, n);
	assert_int_equal(h->bells, 2);
	feed("\x08é");
	assert_int_equal(line_editor_state().length, n - 1);
	feed("\r");
	assert_int_equal(h->length, n - 1);
	free(text);
}

static void sets_prompt(void **state)
{
	(void)state;
	line_editor_set_prompt("\001\033[1m\002udp\001\033[m\002> ");
	assert_string_equal(line_editor_state().prompt, "\033[1mudp\033[m> ");
	/* Not over a search, but after it. */
	feed("one\r\x12");
	line_editor_set_prompt("tcp> ");
	assert_string_equal(line_editor_state().prompt, "(reverse-i-search)`': ");
	feed("n");
	assert_string_equal(line_editor_state().prompt, "(reverse-i-search)`n': ");
	feed("\033[C");
	assert_string_equal(line_editor_state().prompt, "tcp> ");
	assert_line("one", 2);
	feed("\x12zzz");
	assert_string_equal(line_editor_state().prompt, "(failed reverse-i-search)`zzz': ");
	line_editor_clear();
	assert_string_equal(line_editor_state().prompt, "tcp> ");
}

/* Elsewhere than in UTF-8 bytes stay the locale's. */
static void keeps_bytes_of_other_locales(void **state)
{
	(void)state;
	assert_non_null(setlocale(LC_ALL, "C"));
	feed("a\xe9");
	insert("\xff");
	assert_line("a\xe9\xff", 3);
	feed("\033[Db");
	assert_line("a\xe9"
	            "b\xff",
	    3);
	assert_non_null(setlocale(LC_ALL, ""));
}

static void is_harmless_when_stopped(void **state)
{
	(void)state;
	assert_null(line_editor_stop(false));
	assert_null(line_editor_stop(false));
	feed("x");
	insert("x");
	line_editor_clear();
	line_editor_escape();
	line_editor_set_prompt("x");
	assert_false(line_editor_quoting());
	assert_line("", 0);
	assert_string_equal(line_editor_state().prompt, "");
}

int main(void)
{
	setenv("TERM", "xterm", 1);
	setenv("INPUTRC", "/dev/null", 1);
	setenv("LC_ALL", "C.UTF-8", 1);
	setlocale(LC_ALL, "");
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		/* First, before other tests have been at readline's globals. */
		TEST(survives_undos_in_history),
		TEST(takes_keys),
		TEST(takes_pieces),
		TEST(skips_unknown_sequences),
		TEST(waits_for_no_paste),
		TEST(survives_broken_text),
		TEST(survives_any_keys),
		TEST(keeps_escape_apart),
		TEST(stops_commands_that_read),
		TEST(every_command_returns),
		TEST(overwrites_so_many),
		TEST(stops_macros),
		TEST(plays_macros_of_an_inputrc),
		TEST(hands_over_lines),
		TEST(tells_first_key),
		TEST(tells_quoting),
		TEST(inserts_pastes),
		TEST(bounds_lines),
		TEST(sets_prompt),
		TEST(keeps_bytes_of_other_locales),
		TEST(is_harmless_when_stopped),
	};
	return cmocka_run_group_tests_name("line", tests, NULL, NULL);
}
