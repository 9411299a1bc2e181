/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A terminal for tests: runs a program in a pseudo-terminal behind a terminal emulator (libvterm),
 * types into it and reads its screen. Nothing sleeps: term_expect_...() wait for a condition up to
 * TERM_PATIENCE seconds (times the number in the environment variable TEST_PATIENCE), then show the
 * screen as "# |...|" lines and fail the cmocka test.
 *
 *     static void greets(void **state)
 *     {
 *         const char *const argv[] = { "./program", NULL };
 *         struct terminal *t = term_start(24, 80, argv, NULL);
 *         term_type(t, "hello\r");
 *         term_expect(t, "HELLO");
 *         term_key(t, VTERM_KEY_FUNCTION(10), VTERM_MOD_NONE);
 *         assert_int_equal(term_exit_status(t), 0);
 *     }
 *     ... cmocka_unit_test_teardown(greets, term_teardown)
 *
 * To prove that something does not appear, do something harmless afterwards and wait for that. A
 * row may be counted from the bottom: -1 is the last one. */
#pragma once

#include <sys/types.h>
#include <termios.h>

#include <vterm.h>

#define TERM_PATIENCE 10

struct terminal;

/* A terminal with a private home folder, nothing running. The program will get this environment:
 * ours, with HOME and the XDG folders in there, TERM=xterm-256color, LC_ALL=C.UTF-8,
 * INPUTRC=/dev/null; without LINES, COLUMNS, NO_COLOR, COLORFGBG. */
struct terminal *term_open(int rows, int columns);
/* It has no alternate screen, whatever TERM says, as where that is turned off. Before the first
 * program. */
void term_without_alternate(struct terminal *t);
/* What the terminal sends when it is asked for its attributes, which is the last of the program's
 * questions: instead of the attributes of the emulator these bytes, which stay the caller's; "" for
 * a terminal that answers nothing. Before the first program. */
void term_answer(struct terminal *t, const char *bytes);
/* From now on the terminal shows `shown` in place of this one character, as one that has another
 * width for it. Both are kept. */
void term_show_as(struct terminal *t, const char *character, const char *shown);
/* NULL unsets. For the next program. */
void term_setenv(struct terminal *t, const char *name, const char *value);
/* Writes a file below the home folder ("folder/file" makes the folder), and its path; valid until
 * the next call. */
const char *term_file(struct terminal *t, const char *name, const char *text);
const char *term_home(const struct terminal *t);
/* Runs a program, after the one before has ended; the screen and the home folder stay. */
void term_run(struct terminal *t, const char *const argv[]);
/* The same as a job of a little shell with job control: when the program stops, the shell says
 * "[stopped]" and continues it when "fg\n" is typed. */
void term_run_job(struct terminal *t, const char *const argv[]);
/* term_open(), term_setenv() of "NAME=value" (or "NAME": unset) strings up to NULL, term_run().
 * `env` may be NULL. */
struct terminal *term_start(int rows, int columns, const char *const argv[],
    const char *const env[]);
/* Kills what runs, removes the home folder, frees. */
void term_close(struct terminal *t);
/* A cmocka teardown: closes all that are still open. */
int term_teardown(void **state);

/* Input. Text and bytes go to the program as they are (Enter is "\r"); keys as the terminal sends
 * them in its present modes. */
void term_type(struct terminal *t, const char *text);
void term_bytes(struct terminal *t, const void *bytes, size_t n);
void term_key(struct terminal *t, VTermKey key, VTermModifier modifier);
/* Bracketed, if the program asked for it. */
void term_paste(struct terminal *t, const char *text);
/* One notch of the wheel over the middle of the screen; nothing is sent if the program did not ask
 * for the mouse. */
void term_wheel(struct terminal *t, bool up);
/* A press and a release of a button (1 is the left one) on a cell; the same. */
void term_click(struct terminal *t, int row, int column, int button, VTermModifier modifier);
void term_resize(struct terminal *t, int rows, int columns);
/* To the program itself. */
void term_signal(struct terminal *t, int signal_number);
/* The terminal goes away. */
void term_hang_up(struct terminal *t);

/* What is to be seen now; reads what has come. Texts are UTF-8, without trailing blanks, valid
 * until the next call. */
void term_update(struct terminal *t);
const char *term_row(struct terminal *t, int row);
bool term_find(struct terminal *t, const char *text, int *row, int *column);
VTermScreenCell term_cell(struct terminal *t, int row, int column);
/* A cell's colour, which may be a number of the palette, as red, green and blue. */
VTermColor term_rgb(const struct terminal *t, VTermColor colour);
void term_cursor(struct terminal *t, int *row, int *column);
bool term_cursor_visible(const struct terminal *t);
/* The program is on the alternate screen. */
bool term_alternate(const struct terminal *t);
/* It asked for the mouse. */
bool term_mouse(const struct terminal *t);
/* How often the bell rang. */
size_t term_bells(const struct terminal *t);
int term_rows(const struct terminal *t);
int term_columns(const struct terminal *t);
/* Every byte the program sent since term_open(). */
const char *term_raw(const struct terminal *t, size_t *n);
/* The modes of the terminal now (while a program runs), or as the last program left them; and as
 * they were before. */
struct termios term_modes(struct terminal *t);
struct termios term_modes_before(const struct terminal *t);
/* The program's process. */
pid_t term_pid(const struct terminal *t);
/* Shows the screen as "# |...|" lines. */
void term_dump(struct terminal *t);

/* Waiting for what is to be seen. */
#define term_expect(t, text) term_expect_at((t), (text), __FILE__, __LINE__)
#define term_expect_gone(t, text) term_expect_gone_at((t), (text), __FILE__, __LINE__)
/* `text` is somewhere in the row. */
#define term_expect_row(t, row, text) term_expect_row_at((t), (row), (text), __FILE__, __LINE__)
/* The row is `text` and nothing else. */
#define term_expect_row_is(t, row, text) \
	term_expect_row_is_at((t), (row), (text), __FILE__, __LINE__)
#define term_expect_cursor(t, row, column) \
	term_expect_cursor_at((t), (row), (column), __FILE__, __LINE__)
/* A condition of the test's own, named by `what`. */
#define term_expect_that(t, condition, context, what) \
	term_expect_that_at((t), (condition), (context), (what), __FILE__, __LINE__)
/* Waits until the program ends. Its exit status, or 128 + the signal that ended it. */
#define term_exit_status(t) term_exit_status_at((t), __FILE__, __LINE__)

typedef bool term_condition(struct terminal *t, void *context);

void term_expect_at(struct terminal *t, const char *text, const char *file, int line);
void term_expect_gone_at(struct terminal *t, const char *text, const char *file, int line);
void term_expect_row_at(struct terminal *t, int row, const char *text, const char *file, int line);
void term_expect_row_is_at(struct terminal *t, int row, const char *text, const char *file,
    int line);
void term_expect_cursor_at(struct terminal *t, int row, int column, const char *file, int line);
void term_expect_that_at(struct terminal *t, term_condition *condition, void *context,
    const char *what, const char *file, int line);
int term_exit_status_at(struct terminal *t, const char *file, int line);
