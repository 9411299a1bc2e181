/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The input line and the screen as a person at a terminal has them, by way of
 * tests/screen/demo_prompt.c. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "view/canvas.h"
#include "terminal/line-editor.h"
#include "tests/lib/child.h"
#include "tests/lib/terminal.h"

#define ROWS 12
#define COLUMNS 60
/* Where text begins behind "demo> ". */
#define TEXT 6

static const char *demo(void)
{
	static char path[4096];
	const char *folder = getenv("abs_top_builddir");
	snprintf(path, sizeof(path), "%s/tests/screen/demo_prompt", folder ? folder : ".");
	return path;
}

/* The demo in a terminal, ready for keys. `option` may be NULL. */
static struct terminal *start_with(const char *option, const char *value, const char *const env[])
{
	const char *const argv[] = { demo(), option, value, NULL };
	struct terminal *t = term_start(ROWS, COLUMNS, argv, env);
	term_expect_row(t, -1, "demo>");
	return t;
}

static struct terminal *start(void)
{
	return start_with(NULL, NULL, NULL);
}

/* With an inputrc of the test's own. */
static struct terminal *start_inputrc(const char *inputrc)
{
	const char *const argv[] = { demo(), NULL };
	struct terminal *t = term_open(ROWS, COLUMNS);
	term_setenv(t, "INPUTRC", term_file(t, "inputrc", inputrc));
	term_run(t, argv);
	term_expect_row(t, -1, "demo>");
	return t;
}

static void escape(struct terminal *t, int nth)
{
	char text[32];
	snprintf(text, sizeof(text), "esc %d", nth);
	term_type(t, "\033");
	term_expect_row(t, 0, text);
}

static bool same_modes(struct terminal *t, void *context)
{
	const struct termios *wanted = context;
	struct termios is = term_modes(t);
	return is.c_iflag == wanted->c_iflag && is.c_oflag == wanted->c_oflag &&
	       is.c_cflag == wanted->c_cflag && is.c_lflag == wanted->c_lflag &&
	       memcmp(is.c_cc, wanted->c_cc, sizeof(is.c_cc)) == 0;
}

/* The terminal is as it was before the program, whatever became of that. */
static void assert_given_back(struct terminal *t)
{
	struct termios before = term_modes_before(t);
	size_t n;
	term_expect_that(t, same_modes, &before, "the terminal's modes to be as before");
	assert_false(term_alternate(t));
	assert_true(term_cursor_visible(t));
	assert_false(term_mouse(t));
	const char *raw = term_raw(t, &n);
	const char *on = NULL, *off = NULL;
	for (const char *at = raw; (at = memmem(at, n - (size_t)(at - raw), "\033[?2004", 7));
	    at += 7)
		*(at[7] == 'h' ? &on : &off) = at;
	assert_non_null(on);
	assert_non_null(off);
	assert_true(off > on);
}

/* --- editing --- */

static void edits_wide_and_combining(void **state)
{
	(void)state;
	struct terminal *t = start();
	term_type(t, "aé漢e\xcc\x81z");
	term_expect_row_is(t, -1, "demo> aé漢e\xcc\x81z");
	term_expect_cursor(t, -1, TEXT + 6);
	term_key(t, VTERM_KEY_LEFT, VTERM_MOD_NONE);
	term_expect_cursor(t, -1, TEXT + 5);
	term_key(t, VTERM_KEY_LEFT, VTERM_MOD_NONE);
	term_expect_cursor(t, -1, TEXT + 4);
	term_key(t, VTERM_KEY_LEFT, VTERM_MOD_NONE);
	term_expect_cursor(t, -1, TEXT + 2);
	term_key(t, VTERM_KEY_BACKSPACE, VTERM_MOD_NONE);
	term_type(t, "X");
	term_expect_row_is(t, -1, "demo> aX漢e\xcc\x81z");
	term_type(t, "\r");
	term_expect_row_is(t, 2, "aX漢e\xcc\x81z");
}

static void follows_cursor_sideways(void **state)
{
	(void)state;
	struct terminal *t = start();
	for (int i = 0; i < 12; i++)
		term_type(t, "0123456789");
	term_type(t, "漢");
	term_expect_row(t, -1, "56789漢");
	term_expect_row(t, -1, "demo> ");
	term_key(t, VTERM_KEY_HOME, VTERM_MOD_NONE);
	term_expect_row(t, -1, "demo> 0123456789");
	term_expect_cursor(t, -1, TEXT);
	term_key(t, VTERM_KEY_END, VTERM_MOD_NONE);
	term_expect_row(t, -1, "56789漢");
}

static void undoes_kills_and_records(void **state)
{
	(void)state;
	struct terminal *t = start();
	term_type(t, "one two three");
	term_type(t, "\x17\x17");
	term_expect_row_is(t, -1, "demo> one");
	term_type(t, "\x19");
	term_expect_row_is(t, -1, "demo> one two three");
	term_type(t, "\x1f");
	term_expect_row_is(t, -1, "demo> one");
	term_type(t, "\x15");
	term_type(t, "ab");
	term_type(t, "\x14");
	term_expect_row_is(t, -1, "demo> ba");
	/* A macro, and a Meta key. */
	term_type(t, "\x18(xy\x18)\x18"
	             "e");
	term_expect_row_is(t, -1, "demo> baxyxy");
	term_type(t, "\033b\033u");
	term_expect_row_is(t, -1, "demo> BAXYXY");
	term_type(t, "\033"
	             "3!");
	term_expect_row_is(t, -1, "demo> BAXYXY!!!");
}

static void searches_with_multibyte_text(void **state)
{
	(void)state;
	struct terminal *t = start();
	term_type(t, "café\rtea\r");
	term_expect_row_is(t, 3, "tea");
	term_type(t, "\x12");
	term_expect_row_is(t, -1, "(reverse-i-search)`':");
	term_type(t, "é");
	term_expect_row_is(t, -1, "(reverse-i-search)`é': café");
	term_type(t, "\r");
	term_expect_row_is(t, 4, "café");
	/* A paste is searched for; Esc ends the search, leaving the line. */
	term_type(t, "\x12");
	term_paste(t, "tea");
	term_expect_row_is(t, -1, "(reverse-i-search)`tea': tea");
	escape(t, 1);
	term_expect_row_is(t, -1, "demo> tea");
	term_type(t, "!\r");
	/* Esc took no key with it. */
	term_expect_row(t, 5, "tea");
	term_expect_row(t, 5, "!");
}

static void shows_arguments(void **state)
{
	(void)state;
	struct terminal *t = start();
	term_type(t, "\033"
	             "1");
	term_expect_row_is(t, -1, "(arg: 1)");
	term_type(t, "2x");
	term_expect_row_is(t, -1, "demo> xxxxxxxxxxxx");
}

static void changes_prompt(void **state)
{
	(void)state;
	struct terminal *t = start();
	term_type(t, "!prompt \x16\x01"
	             "a\x16\x02> \r");
	term_expect_row_is(t, -1, "a>");
	term_expect_cursor(t, -1, 3);
}

static void inserts_quoted(void **state)
{
	(void)state;
	struct terminal *t = start();
	term_type(t, "\x16");
	term_expect_row(t, 0, "quoting");
	term_type(t, "\x01");
	term_expect_row_is(t, -1, "demo> ^A");
	term_expect_gone(t, "quoting");
	/* What else would be ours: ^C, Esc, ^Z. */
	term_type(t, "\x16\x03\x16\033\x16\x1az");
	term_expect_row_is(t, -1, "demo> ^A^C^[^Zz");
	term_expect_gone(t, "quoting");
	term_type(t, "\r");
	term_expect_row_is(t, 2, "^A^C^[^Zz");
}

static void clears_line(void **state)
{
	(void)state;
	struct terminal *t = start();
	term_type(t, "first\rsecond");
	term_expect_row_is(t, -1, "demo> second");
	term_type(t, "\x03");
	term_expect_row_is(t, -1, "demo>");
	/* In a search. */
	term_type(t, "\x12"
	             "fi");
	term_expect_row(t, -1, "first");
	term_type(t, "\x03");
	term_expect_row_is(t, -1, "demo>");
	/* In an argument. */
	term_type(t, "\033"
	             "3");
	term_expect_row_is(t, -1, "(arg: 3)");
	term_type(t, "\x03");
	term_expect_row_is(t, -1, "demo>");
	/* Behind Esc: b is then no Meta key. */
	escape(t, 1);
	term_type(t, "\x03");
	term_type(t, "b");
	term_expect_row_is(t, -1, "demo> b");
	/* On a line of the history: Down does not bring back what was cleared. */
	term_key(t, VTERM_KEY_UP, VTERM_MOD_NONE);
	term_expect_row_is(t, -1, "demo> first");
	term_type(t, "\x03");
	term_expect_row_is(t, -1, "demo>");
	term_key(t, VTERM_KEY_DOWN, VTERM_MOD_NONE);
	term_type(t, "c");
	term_expect_row_is(t, -1, "demo> c");
}

static void leaves_at_end(void **state)
{
	(void)state;
	struct terminal *t = start();
	term_type(t, "ab");
	term_key(t, VTERM_KEY_LEFT, VTERM_MOD_NONE);
	term_type(t, "\x04");
	term_expect_row_is(t, -1, "demo> a");
	term_type(t, "\x08\r\r");
	term_expect_row(t, 0, "entered 2");
	term_type(t, "\x04");
	assert_int_equal(term_exit_status(t), 0);
	term_expect(t, "demo: 2 entered");
	assert_given_back(t);
}

static void ends_from_inside(void **state)
{
	(void)state;
	struct terminal *t = start();
	term_type(t, "!quit\rmore\r");
	assert_int_equal(term_exit_status(t), 0);
	term_expect(t, "demo: 1 entered");
	assert_given_back(t);
}

/* --- pastes --- */

static void takes_pastes_as_text(void **state)
{
	(void)state;
	struct terminal *t = start();
	term_type(t, "<>");
	term_key(t, VTERM_KEY_LEFT, VTERM_MOD_NONE);
	term_paste(t, "one\ttwo\x03 é\nthree");
	term_expect_row_is(t, -1, "demo> <one^Itwo^C é^Jthree>");
	/* One undo takes it away. */
	term_type(t, "\x1f");
	term_expect_row_is(t, -1, "demo> <>");
}

#if !SANITIZED
/* Readline copies its line for each 256 bytes: under sanitizers that takes half a minute. */
static void refuses_endless_lines(void **state)
{
	(void)state;
	struct terminal *t = start();
	size_t n = 600 * 1024;
	char *text = malloc(n + 1);
	assert_non_null(text);
	memset(text, 'x', n);
	text[n] = '\0';
	term_paste(t, text);
	term_expect_row(t, -1, "xxxx");
	assert_int_equal(term_bells(t), 0);
	term_paste(t, text);
	term_type(t, "\r");
	free(text);
	term_expect_row(t, 0, "long 614400");
	assert_int_equal(term_bells(t), 1);
	/* A key that inserts much. */
	term_type(t, "\033"
	             "900000x\033"
	             "900000y\r");
	term_expect_row(t, 0, "long 1048576");
}
#endif

/* --- completion --- */

static void completes_commands(void **state)
{
	(void)state;
	struct terminal *t = start();
	term_type(t, "/co\t");
	term_expect_row_is(t, -1, "demo> /connect");
	term_expect_cursor(t, -1, TEXT + 9);
	term_type(t, "\x15/c\t\t");
	term_expect_row(t, 0, "matches: /clear /connect");
	term_expect_row_is(t, -1, "demo> /c");
	term_type(t, "\x15");
	/* No file names for ordinary text, nor behind a command. */
	size_t bells = term_bells(t);
	term_type(t, "/udp /et\t");
	term_expect_row_is(t, -1, "demo> /udp /et");
	term_type(t, "\x15/etc/pas\t.");
	term_expect_row_is(t, -1, "demo> /etc/pas.");
	assert_true(term_bells(t) > bells);
}

/* A file's name, where one may follow; not one that would be two words, or more than a line. */
static void completes_files(void **state)
{
	(void)state;
	struct terminal *t = start();
	char line[600];
	term_file(t, "deep/lesson", "");
	term_file(t, "deep/two words", "");
	term_file(t, "deep/two\nlines", "");
	snprintf(line, sizeof(line), "/save %s/de\t", term_home(t));
	term_type(t, line);
	term_expect(t, "/deep/");
	term_type(t, "le\t.");
	term_expect(t, "/deep/lesson .");
	snprintf(line, sizeof(line), "\x15/save %s/deep/tw\t.", term_home(t));
	term_type(t, line);
	term_expect(t, "/deep/tw.");
}

/* --- vi mode --- */

static void obeys_vi(void **state)
{
	(void)state;
	struct terminal *t = start_inputrc("$if upcase\nset editing-mode vi\n$endif\n");
	term_type(t, "abcdef");
	term_expect_cursor(t, -1, TEXT + 6);
	escape(t, 1);
	term_expect_cursor(t, -1, TEXT + 5);
	term_type(t, "x0x");
	term_expect_row_is(t, -1, "demo> bcde");
	/* Esc in command mode takes no key with it. */
	escape(t, 2);
	term_type(t, "x");
	term_expect_row_is(t, -1, "demo> cde");
	/* It drops a command that is half typed: replace, delete, a count. */
	term_type(t, "r");
	escape(t, 3);
	term_type(t, "x");
	term_expect_row_is(t, -1, "demo> de");
	term_type(t, "d");
	escape(t, 4);
	term_type(t, "$x");
	term_expect_row_is(t, -1, "demo> d");
	term_type(t, "izé");
	term_expect_row_is(t, -1, "demo> zéd");
	term_key(t, VTERM_KEY_LEFT, VTERM_MOD_NONE);
	term_type(t, "y\r");
	term_expect_row_is(t, 2, "zyéd");
	/* A new line begins with inserting; ^C does too. */
	term_type(t, "ab");
	escape(t, 5);
	term_type(t, "\x03");
	term_expect_row_is(t, -1, "demo>");
	term_type(t, "x");
	term_expect_row_is(t, -1, "demo> x");
	/* A search of vi's. */
	escape(t, 6);
	term_type(t, "/zy\r");
	term_expect_row_is(t, -1, "demo> zyéd");
}

static void heeds_inputrc(void **state)
{
	(void)state;
	struct terminal *t =
	    start_inputrc("$if upcase\n\"\\C-o\": \"macro\"\n$else\n\"\\C-o\": \"wrong\"\n$endif\n"
	                  "set no-such-variable on\n\"\\C-x: unfinished\n");
	term_type(t, "\x0f");
	term_expect_row_is(t, -1, "demo> macro");
	/* Its mistakes are not written over the screen. */
	term_type(t, "\x0c");
	term_type(t, "!");
	term_expect_row_is(t, -1, "demo> macro!");
	size_t n;
	const char *raw = term_raw(t, &n);
	assert_null(memmem(raw, n, "no-such-variable", 16));
}

static void ignores_unknown_keys(void **state)
{
	(void)state;
	struct terminal *t = start();
	term_type(t, "a\033[99~b\033[?7;8qc\033[1;9Zd");
	term_expect_row_is(t, -1, "demo> abcd");
}

/* --- the history --- */

static void read_text(const char *path, char *to, size_t size)
{
	FILE *file = fopen(path, "r");
	assert_non_null(file);
	size_t n = fread(to, 1, size - 1, file);
	to[n] = '\0';
	fclose(file);
}

static void keeps_history(void **state)
{
	(void)state;
	char path[160], folder[128], text[512];
	struct stat st;
	struct terminal *t = term_open(ROWS, COLUMNS);
	snprintf(folder, sizeof(folder), "%s/.local/state/upcase", term_home(t));
	snprintf(path, sizeof(path), "%s/history", folder);
	const char *const argv[] = { demo(), "-h", path, "-n", "4", NULL };
	term_run(t, argv);
	term_expect_row(t, -1, "demo>");
	term_type(t, "#17 hello\r\rtwo\rtwo\r blank\r");
	term_expect_row_is(t, 6, " blank");
	term_type(t, "\x04");
	assert_int_equal(term_exit_status(t), 0);
	read_text(path, text, sizeof(text));
	assert_string_equal(text, "#17 hello\ntwo\n blank\n");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(stat(folder, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);

	term_run(t, argv);
	term_expect(t, "entered 0");
	for (int i = 0; i < 3; i++)
		term_key(t, VTERM_KEY_UP, VTERM_MOD_NONE);
	term_expect_row_is(t, -1, "demo> #17 hello");
	/* A line of the history that was edited but not entered stays in the file as it was. */
	term_type(t, "\rfour é\rfive\r");
	term_key(t, VTERM_KEY_UP, VTERM_MOD_NONE);
	term_type(t, "XX");
	term_key(t, VTERM_KEY_UP, VTERM_MOD_NONE);
	term_expect_row_is(t, -1, "demo> four é");
	term_type(t, "\x03");
	term_expect_row(t, 0, "entered 3");
	term_type(t, "\x04");
	assert_int_equal(term_exit_status(t), 0);
	read_text(path, text, sizeof(text));
	assert_string_equal(text, " blank\n#17 hello\nfour é\nfive\n");
}

static void tells_unwritable_history(void **state)
{
	(void)state;
	struct terminal *t = start_with("-h", "/proc/no/history", NULL);
	term_type(t, "x\r\x04");
	assert_int_equal(term_exit_status(t), 0);
	term_expect(t, "demo_prompt: history: ");
}

/* --- the screen --- */

static void follows_size(void **state)
{
	(void)state;
	static const int sizes[][2] = { { 5, 20 }, { 2, 3 }, { 1, 1 }, { 3, 2 }, { 1, 80 },
		{ 40, 1 }, { 30, 100 } };
	/* Exported by some shells, and then wrong. */
	static const char *const env[] = { "LINES=7", "COLUMNS=33", NULL };
	struct terminal *t = start_with(NULL, NULL, env);
	term_expect_row(t, 0, "12x60");
	term_type(t, "漢字漢字");
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		term_resize(t, sizes[i][0], sizes[i][1]);
	term_expect_row(t, 0, "30x100");
	term_expect_row_is(t, -1, "demo> 漢字漢字");
	term_resize(t, 4, 10);
	term_expect_row(t, 0, "4x10");
	term_expect_row(t, -1, "demo>");
	term_type(t, "\x03\x04");
	assert_int_equal(term_exit_status(t), 0);
}

static void repaints(void **state)
{
	(void)state;
	struct terminal *t = start();
	term_type(t, "hello\r");
	term_expect_row_is(t, 2, "hello");
	/* Somebody else writes on the terminal: `wall`, a program in the background. */
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/fd/1", (int)term_pid(t));
	int fd = open(path, O_WRONLY | O_NOCTTY);
	assert_true(fd >= 0);
	assert_true(write(fd, "\033[3;1Hgarbage", 13) == 13);
	close(fd);
	term_expect_row_is(t, 2, "garbage");
	term_type(t, "\x0c");
	term_expect_row_is(t, 2, "hello");
}

static bool is_cursor_visible(struct terminal *t, void *context)
{
	return term_cursor_visible(t) == *(const bool *)context;
}

static void hides_cursor(void **state)
{
	(void)state;
	bool yes = true, no = false;
	struct terminal *t = start();
	assert_true(term_cursor_visible(t));
	term_type(t, "!hide\r");
	term_expect_that(t, is_cursor_visible, &no, "no cursor");
	term_type(t, "!hide\rab");
	term_expect_that(t, is_cursor_visible, &yes, "a cursor");
	term_expect_cursor(t, -1, TEXT + 2);
	/* Leaving shows it. */
	term_type(t, "\x03!hide\r");
	term_expect_that(t, is_cursor_visible, &no, "no cursor");
	term_type(t, "\x04");
	assert_int_equal(term_exit_status(t), 0);
	assert_given_back(t);
}

static void suspends_and_continues(void **state)
{
	(void)state;
	const char *const argv[] = { demo(), "-m", NULL };
	struct terminal *t = term_open(ROWS, COLUMNS);
	term_run_job(t, argv);
	term_expect_row(t, -1, "demo>");
	struct termios ours = term_modes(t);
	term_type(t, "hello");
	term_expect_row_is(t, -1, "demo> hello");
	for (int i = 0; i < 2; i++) {
		term_type(t, "\x1a");
		term_expect(t, "[stopped]");
		assert_given_back(t);
		term_resize(t, ROWS + i, COLUMNS);
		term_type(t, "fg\n");
		term_expect_row(t, -1, "demo> hello");
		term_expect_that(t, same_modes, &ours, "the program's modes");
		assert_true(term_alternate(t));
		assert_true(term_mouse(t));
	}
	term_type(t, "!\r");
	term_expect_row_is(t, 2, "hello!");
	term_expect_row(t, 0, "13x60");
	term_type(t, "\x04");
	assert_int_equal(term_exit_status(t), 0);
	assert_given_back(t);
}

/* Whether the screen has begun twice. */
static bool began_again(struct terminal *t, void *context)
{
	static const char begin[] = "\033[?1049h";
	size_t n;
	const char *raw = term_raw(t, &n), *first = memmem(raw, n, begin, strlen(begin));

	(void)context;
	return first && memmem(first + 1, n - (size_t)(first + 1 - raw), begin, strlen(begin));
}

static void does_not_stop_without_job_control(void **state)
{
	(void)state;
	struct terminal *t = start();
	term_type(t, "\x1a");
	/* What is typed before it has begun again may go with an answer that comes late. */
	term_expect_that(t, began_again, NULL, "the screen again");
	term_type(t, "still here\r");
	term_expect_row_is(t, 2, "still here");
}

/* Stopped by SIGSTOP it has no chance to give the terminal back, and a shell takes it. */
static void recovers_from_stop(void **state)
{
	(void)state;
	struct terminal *t = start();
	struct termios ours = term_modes(t), shell = term_modes_before(t);
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/fd/1", (int)term_pid(t));
	int fd = open(path, O_RDWR | O_NOCTTY);
	assert_true(fd >= 0);
	term_signal(t, SIGSTOP);
	assert_int_equal(tcsetattr(fd, TCSANOW, &shell), 0);
	close(fd);
	term_signal(t, SIGCONT);
	term_expect_that(t, same_modes, &ours, "the program's modes");
	term_type(t, "x\r");
	term_expect_row_is(t, 2, "x");
}

static bool find_style(struct terminal *t, enum style style, VTermScreenCell *cell)
{
	char name[16];
	int row, column;
	snprintf(name, sizeof(name), " s%d", (int)style);
	term_expect(t, name);
	if (!term_find(t, name, &row, &column))
		return false;
	*cell = term_cell(t, row, column + 1);
	return true;
}

static void assert_colour(struct terminal *t, enum style style, int index)
{
	VTermScreenCell cell = { 0 };
	assert_true(find_style(t, style, &cell));
	assert_true(VTERM_COLOR_IS_DEFAULT_BG(&cell.bg));
	if (index < 0) {
		assert_true(VTERM_COLOR_IS_DEFAULT_FG(&cell.fg));
	} else {
		assert_true(VTERM_COLOR_IS_INDEXED(&cell.fg));
		assert_int_equal(cell.fg.indexed.idx, index);
	}
}

static void uses_colours(void **state)
{
	(void)state;
	struct terminal *t = start();
	VTermScreenCell cell;
	assert_colour(t, STYLE_LOST, 160);
	assert_colour(t, STYLE_TCP, 27);
	assert_colour(t, STYLE_HEADING, -1);
	assert_true(find_style(t, STYLE_STATUS, &cell));
	assert_true(cell.attrs.reverse);
	assert_true(find_style(t, STYLE_LOST, &cell));
	assert_true(cell.attrs.bold);
	term_close(t);

	static const char *const dark[] = { "COLORFGBG=15;0", NULL };
	t = start_with(NULL, NULL, dark);
	assert_colour(t, STYLE_TCP, 75);
	term_close(t);
	static const char *const light[] = { "COLORFGBG=0;default;15", NULL };
	t = start_with(NULL, NULL, light);
	assert_colour(t, STYLE_TCP, 25);
	term_close(t);
	/* The setting goes before it. */
	t = start_with("-b", "dark", light);
	assert_colour(t, STYLE_TCP, 75);
	term_close(t);
	static const char *const eight[] = { "TERM=xterm", NULL };
	t = start_with(NULL, NULL, eight);
	assert_colour(t, STYLE_LOST, 1);
	/* Bright blue, which is bold of 8 colours. */
	assert_colour(t, STYLE_TCP, 4);
	assert_true(find_style(t, STYLE_TCP, &cell));
	assert_true(cell.attrs.bold);
	assert_colour(t, STYLE_UDP, 5);
}

static void goes_without_colours(void **state)
{
	(void)state;
	static const char *const no_colour[] = { "NO_COLOR=1", NULL };
	struct terminal *t = start_with(NULL, NULL, no_colour);
	VTermScreenCell cell;
	for (int style = 1; style < STYLES; style++) {
		assert_colour(t, (enum style)style, -1);
	}
	assert_true(find_style(t, STYLE_LOST, &cell));
	assert_true(cell.attrs.bold);
	assert_true(find_style(t, STYLE_LATE, &cell));
	assert_true(cell.attrs.underline);
	term_close(t);
	/* Asked for all the same; and an empty NO_COLOR says nothing (no-color.org). */
	t = start_with("-c", "always", no_colour);
	assert_colour(t, STYLE_LOST, 160);
	term_close(t);
	static const char *const empty[] = { "NO_COLOR=", NULL };
	t = start_with(NULL, NULL, empty);
	assert_colour(t, STYLE_LOST, 160);
	term_close(t);
	t = start_with("-c", "never", NULL);
	assert_colour(t, STYLE_LOST, -1);
	term_close(t);
	static const char *const mono[] = { "TERM=vt220", NULL };
	t = start_with(NULL, NULL, mono);
	assert_colour(t, STYLE_LOST, -1);
}

static void runs_on_many_terminals(void **state)
{
	(void)state;
	static const char *const types[] = { "linux", "vt100", "vt220", "xterm", "xterm-256color",
		"screen", "screen-256color", "tmux", "tmux-256color", "rxvt-unicode-256color" };
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		char variable[64];
		snprintf(variable, sizeof(variable), "TERM=%s", types[i]);
		const char *const env[] = { variable, NULL };
		struct terminal *t = start_with(NULL, NULL, env);
		term_type(t, "é漢\rab");
		term_expect_row_is(t, 2, "é漢");
		term_key(t, VTERM_KEY_UP, VTERM_MOD_NONE);
		term_expect_row_is(t, -1, "demo> é漢");
		term_key(t, VTERM_KEY_DOWN, VTERM_MOD_NONE);
		term_expect_row_is(t, -1, "demo> ab");
		term_type(t, "\x03\x04");
		assert_int_equal(term_exit_status(t), 0);
		term_expect(t, "demo: 1 entered");
		assert_given_back(t);
		term_close(t);
	}
}

static void refuses(const char *term, const char *reason)
{
	const char *const argv[] = { demo(), NULL };
	struct terminal *t = term_open(ROWS, 100);
	size_t n;
	term_setenv(t, "TERM", term);
	term_run(t, argv);
	assert_int_equal(term_exit_status(t), 2);
	term_expect(t, reason);
	/* Nothing but the message. */
	const char *raw = term_raw(t, &n);
	assert_null(memchr(raw, '\033', n));
	struct termios before = term_modes_before(t);
	assert_true(same_modes(t, &before));
	term_close(t);
}

static void refuses_useless_terminals(void **state)
{
	(void)state;
	refuses("dumb", "'dumb' cannot place the cursor; try --plain");
	refuses("no-such-terminal", "'no-such-terminal' is not known; try TERM=xterm");
	refuses("", "TERM is not set");
	refuses(NULL, "TERM is not set");
	char command[4200];
	snprintf(command, sizeof(command), "exec %s </dev/null", demo());
	const char *const argv[] = { "sh", "-c", command, NULL };
	struct terminal *t = term_start(ROWS, 100, argv, NULL);
	assert_int_equal(term_exit_status(t), 2);
	term_expect(t, "not both a terminal");
}

static void asks_for_wheel_only_when_wanted(void **state)
{
	(void)state;
	size_t n;
	struct terminal *t = start_with("-m", NULL, NULL);
	assert_true(term_mouse(t));
	term_wheel(t, true);
	term_expect_row(t, 2, "key ");
	term_type(t, "\x04");
	assert_int_equal(term_exit_status(t), 0);
	assert_given_back(t);
	term_close(t);
	t = start();
	assert_false(term_mouse(t));
	/* Nor does the terminal turn it into arrow keys. What it did before is saved once: later it
	 * would be the program's own. */
	term_type(t, "\x0cx");
	term_expect_row_is(t, -1, "demo> x");
	const char *raw = term_raw(t, &n), *saved = memmem(raw, n, "\033[?1007s", 8);
	assert_non_null(memmem(raw, n, "\033[?1007l", 8));
	assert_non_null(saved);
	assert_null(memmem(saved + 1, n - (size_t)(saved + 1 - raw), "\033[?1007s", 8));
	assert_null(memmem(raw, n, "\033[?1000h", 8));
}

static void rings_on_terminal_only(void **state)
{
	(void)state;
	char command[4400], path[256], text[64];
	struct terminal *t = term_open(ROWS, COLUMNS);
	snprintf(path, sizeof(path), "%s/stderr", term_home(t));
	snprintf(command, sizeof(command), "exec %s 2>%s", demo(), path);
	const char *const argv[] = { "sh", "-c", command, NULL };
	term_run(t, argv);
	term_expect_row(t, -1, "demo>");
	term_type(t, "\x08z");
	term_expect_row_is(t, -1, "demo> z");
	assert_int_equal(term_bells(t), 1);
	term_type(t, "\x03\x04");
	assert_int_equal(term_exit_status(t), 0);
	read_text(path, text, sizeof(text));
	assert_string_equal(text, "");
}

static void keeps_bytes_of_other_locales(void **state)
{
	(void)state;
	static const char *const env[] = { "LC_ALL=C", NULL };
#ifndef __GLIBC__
	not_here("a locale without UTF-8: this C library has none");
#endif
	struct terminal *t = start_with(NULL, NULL, env);
	/* No Meta keys: M-C and so on would do things. */
	term_type(t, "aéb\r");
	term_expect_row(t, 2, "a");
	term_expect_row(t, 2, "b");
	size_t n;
	const char *raw = term_raw(t, &n);
	for (size_t i = 0; i < n; i++)
		assert_true((unsigned char)raw[i] < 0x80);
}

/* --- ways out --- */

/* A crash that a test asks for is no finding of a sanitizer, whose report would be one. */
static char *sanitizer_options;

static int let_it_crash(void **state)
{
	const char *before = getenv("ASAN_OPTIONS");
	(void)state;
	sanitizer_options = before ? strdup(before) : NULL;
	return setenv("ASAN_OPTIONS",
	    "handle_segv=0:handle_abort=0:handle_sigbus=0:handle_sigfpe=0:handle_sigill=0", 1);
}

static int crashed(void **state)
{
	if (sanitizer_options)
		setenv("ASAN_OPTIONS", sanitizer_options, 1);
	else
		unsetenv("ASAN_OPTIONS");
	free(sanitizer_options);
	return term_teardown(state);
}

static void gives_back_after_signals(void **state)
{
	(void)state;
	static const int signals[] = { SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGQUIT, SIGINT,
		SIGHUP };
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		struct terminal *t = start_with("-m", NULL, NULL);
		term_signal(t, signals[i]);
		/* A sanitizer reports some and exits by itself. */
		assert_int_not_equal(term_exit_status(t), 0);
		assert_given_back(t);
		term_close(t);
	}
}

static void gives_back_after_crashes(void **state)
{
	(void)state;
	static const char *const lines[] = { "!segv\r", "!abort\r", "!exit\r" };
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct terminal *t = start();
		term_type(t, lines[i]);
		assert_int_not_equal(term_exit_status(t), 0);
		assert_given_back(t);
		term_close(t);
	}
}

static void gives_back_without_alternate_screen(void **state)
{
	(void)state;
	static const char *const env[] = { "TERM=vt100", NULL };
	struct terminal *t = start_with(NULL, NULL, env);
	term_type(t, "above\r");
	term_expect_row_is(t, 2, "above");
	term_signal(t, SIGSEGV);
	assert_int_not_equal(term_exit_status(t), 0);
	assert_given_back(t);
	/* The rows stay, the input line does not. */
	term_expect_gone(t, "demo>");
	term_expect_row_is(t, 2, "above");
	int row, column;
	term_cursor(t, &row, &column);
	assert_int_equal(column, 0);
}

static void leaves_when_asked(void **state)
{
	(void)state;
	struct terminal *t = start();
	term_signal(t, SIGTERM);
	assert_int_equal(term_exit_status(t), 0);
	term_expect(t, "demo: 0 entered, terminated");
	assert_given_back(t);
}

static void ends_when_terminal_goes(void **state)
{
	(void)state;
	struct terminal *t = start();
	term_hang_up(t);
	term_exit_status(t);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_teardown(f, term_teardown)
	const struct CMUnitTest tests[] = {
		TEST(edits_wide_and_combining),
		TEST(follows_cursor_sideways),
		TEST(undoes_kills_and_records),
		TEST(searches_with_multibyte_text),
		TEST(shows_arguments),
		TEST(changes_prompt),
		TEST(inserts_quoted),
		TEST(clears_line),
		TEST(leaves_at_end),
		TEST(ends_from_inside),
		TEST(takes_pastes_as_text),
#if !SANITIZED
		TEST(refuses_endless_lines),
#endif
		TEST(completes_commands),
		TEST(completes_files),
		TEST(obeys_vi),
		TEST(heeds_inputrc),
		TEST(ignores_unknown_keys),
		TEST(keeps_history),
		TEST(tells_unwritable_history),
		TEST(follows_size),
		TEST(repaints),
		TEST(hides_cursor),
		TEST(suspends_and_continues),
		TEST(does_not_stop_without_job_control),
		TEST(recovers_from_stop),
		TEST(uses_colours),
		TEST(goes_without_colours),
		TEST(runs_on_many_terminals),
		TEST(refuses_useless_terminals),
		TEST(asks_for_wheel_only_when_wanted),
		TEST(rings_on_terminal_only),
		TEST(keeps_bytes_of_other_locales),
		cmocka_unit_test_setup_teardown(gives_back_after_signals, let_it_crash, crashed),
		cmocka_unit_test_setup_teardown(gives_back_after_crashes, let_it_crash, crashed),
		cmocka_unit_test_setup_teardown(gives_back_without_alternate_screen, let_it_crash,
		    crashed),
		TEST(leaves_when_asked),
		TEST(ends_when_terminal_goes),
	};
	return cmocka_run_group_tests_name("prompt", tests, NULL, NULL);
}
