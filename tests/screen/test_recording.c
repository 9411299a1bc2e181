/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The recording on top of README: plays its script, man/recording.script, on the real screen in the
 * real lab, and holds what is to be seen against man/pictures/recording.svg. Times and counts may
 * be others. make recording writes the file anew. */
#include <ctype.h>
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/lib/child.h"
#include "tests/lib/client.h"
#include "tests/lib/recording.h"

#define TITLE \
	"UDP loses lines on a link that loses packets; TCP sends them again; a picture of both"
/* Tries: what the kernel's TCP does on a machine that stalls is another run. */
#define TRIES 3
/* Seconds for a typed letter. */
#define LETTER 0.07
#define SVG_MAX 1000000

struct player {
	struct terminal *terminal;
	struct recording *recording;
	char typed[200]; /* on the input line */
};

static const char *source(const char *name)
{
	static char path[4096];

	snprintf(path, sizeof path, "%s/man/%s", getenv("abs_top_srcdir"), name);
	return path;
}

/* Reads a file; free() it. */
static char *read_file(const char *path)
{
	char *text = calloc(1, SVG_MAX + 1);
	FILE *file = fopen(path, "r");

	assert_non_null(text);
	if (file) {
		assert_true(fread(text, 1, SVG_MAX, file) < SVG_MAX);
		fclose(file);
	}
	return text;
}

/* --- playing the script --- */

/* The screen is drawn whole when the cursor is back behind what is typed. */
static bool is_at_input(struct terminal *t, void *context)
{
	const struct player *p = context;
	char wanted[220];
	int row, column;

	snprintf(wanted, sizeof wanted, "p>%s%s", *p->typed ? " " : "", p->typed);
	term_cursor(t, &row, &column);
	const char *text = term_row(t, row), *at = strstr(text, wanted);
	return at && !at[strlen(wanted)] && term_cursor_visible(t);
}

static void frame(struct player *p, double seconds)
{
	term_expect_that(p->terminal, is_at_input, p, "the cursor behind what is typed");
	recording_frame(p->recording, seconds);
}

static void play_size(struct player *p, char *words)
{
	const int rows = (int)strtol(words, &words, 10), columns = (int)strtol(words, NULL, 10);

	p->terminal = term_open(rows, columns);
	p->recording = recording_new(p->terminal);
	term_setenv(p->terminal, "COLORFGBG", "15;0");
}

static void play_run(struct player *p, char *words)
{
	char command[9000];
	const char *const argv[] = { "/bin/sh", "-c", command, NULL };

	snprintf(command, sizeof command,
	    "PATH='%1$s/lab:%1$s/client-tui:%1$s/server:'$PATH && cd '%2$s' && exec %3$s",
	    getenv("abs_top_builddir"), term_home(p->terminal), words);
	term_run(p->terminal, argv);
}

static void play_say(struct player *p, char *words)
{
	recording_say(p->recording, words);
}

static void play_type(struct player *p, char *words)
{
	for (char *at = words; *at;) {
		size_t n = 1;

		while ((at[n] & 0xc0) == 0x80)
			n++;
		strncat(p->typed, at, n);
		term_bytes(p->terminal, at, n);
		at += n;
		if (at[-1] != ' ')
			frame(p, LETTER);
	}
}

static void play_key(struct player *p, char *words)
{
	if (*words == 'F') {
		term_key(p->terminal, (VTermKey)VTERM_KEY_FUNCTION(atoi(words + 1)),
		    VTERM_MOD_NONE);
	} else {
		assert_string_equal(words, "Enter");
		*p->typed = '\0';
		term_type(p->terminal, "\r");
	}
}

static void play_wait(struct player *p, char *words)
{
	term_expect(p->terminal, words);
}

static void play_hold(struct player *p, char *words)
{
	frame(p, strtod(words, NULL));
}

static void play_still(struct player *p, char *words)
{
	(void)words;
	recording_still(p->recording);
}

/* FILE SECONDS */
static void play_picture(struct player *p, char *words)
{
	char path[300], *seconds = strchr(words, ' ');

	assert_non_null(seconds);
	*seconds = '\0';
	snprintf(path, sizeof path, "%s/%s", term_home(p->terminal), words);
	recording_picture(p->recording, path, strtod(seconds + 1, NULL));
}

static void play_row(struct player *p, char *row)
{
	static const struct {
		const char *name;
		void (*play)(struct player *p, char *words);
	} steps[] = {
		{ "size ", play_size },
		{ "run ", play_run },
		{ "say ", play_say },
		{ "type ", play_type },
		{ "key ", play_key },
		{ "wait ", play_wait },
		{ "hold ", play_hold },
		{ "still", play_still },
		{ "picture ", play_picture },
	};

	if (!*row || *row == '#')
		return;
	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
		if (strncmp(row, steps[i].name, strlen(steps[i].name)) == 0) {
			steps[i].play(p, row + strlen(steps[i].name));
			return;
		}
	fail_msg("man/recording.script has a step that is not known: %s", row);
}

/* Plays the script; the recording as SVG, free() it. */
static char *play(void)
{
	char *script = read_file(source("recording.script")), *rest = script, *row, *svg = NULL;
	struct player p = { 0 };
	size_t n;

	while ((row = strsep(&rest, "\n")))
		play_row(&p, row);
	FILE *out = open_memstream(&svg, &n);
	assert_non_null(out);
	recording_write(p.recording, TITLE, out);
	fclose(out);
	recording_free(p.recording);
	term_close(p.terminal);
	free(script);
	return svg;
}

/* --- comparing --- */

/* The length of a sign of a sparkline; 0 for anything else. */
static size_t bar(const char *at)
{
	return strncmp(at, "\xe2\x96", 2) == 0 && (unsigned char)at[2] >= 0x81 &&
	               (unsigned char)at[2] <= 0x88
	         ? 3
	         : 0;
}

/* The length of a number or a time, from a digit on. */
static size_t number(const char *at)
{
	static const char *const units[] = { " µs", " ms", " s" };
	const size_t n = strspn(at, "0123456789.");

	for (size_t i = 0; n > 0 && i < sizeof units / sizeof *units; i++) {
		const size_t unit = strlen(units[i]);

		if (strncmp(at + n, units[i], unit) == 0 && !isalpha((unsigned char)at[n + unit]))
			return n + unit;
	}
	return n;
}

/* The length of a style sheet or a tag. */
static size_t markup(const char *at)
{
	const char *end = strncmp(at, "<style>", 7) == 0 ? strstr(at, "</style>") : at;

	if (*at != '<' || !end)
		return 0;
	return (size_t)(strchr(end, '>') + 1 - at);
}

/* A segment below the panes: on a machine that is busy, the wait in the send buffer stands there
 * first, and in its place. */
static bool is_segment(const char *line)
{
	return strncmp(line, "TCPgoing", 8) == 0 || strncmp(line, "TCPcoming", 9) == 0 ||
	       strncmp(line, "TCPinthishost", 13) == 0;
}

/* The words of a recording, a line for each thing that is shown; free() it. What differs from run
 * to run is left out: shapes and their places, times, counts, the bars of times, and how often they
 * change. */
static char *words_of(const char *svg)
{
	char *words = calloc(1, strlen(svg) + 1), *to = words, *line = words, *before = words;

	assert_non_null(words);
	for (const char *at = svg; *at;) {
		size_t skipped = markup(at);

		if (strncmp(at, "</g>", 4) == 0 && to > line) {
			*to++ = '\n';
			const size_t n = (size_t)(to - line);
			if (is_segment(line) || (line != before && strncmp(before, line, n) == 0))
				to = line;
			before = to == line ? before : line;
			line = to;
		}
		skipped = skipped ? skipped : number(at);
		skipped = skipped ? skipped : bar(at);
		skipped = skipped ? skipped : strspn(at, " \n");
		if (skipped)
			at += skipped;
		else
			*to++ = *at++;
	}
	*to = '\0';
	return words;
}

/* Says how two texts differ. */
static void tell_difference(const char *got, const char *wanted)
{
	while (*got && strcspn(got, "\n") == strcspn(wanted, "\n") &&
	       strncmp(got, wanted, strcspn(got, "\n") + 1) == 0) {
		got += strcspn(got, "\n") + 1;
		wanted += strcspn(wanted, "\n") + 1;
	}
	print_message("# shown: %.*s\n# in man/pictures/recording.svg: %.*s\n",
	    (int)strcspn(got, "\n"), got, (int)strcspn(wanted, "\n"), wanted);
}

static bool is_as_drawn(const char *wanted)
{
	char *svg = play(), *words = words_of(svg);
	const bool same = strcmp(words, wanted) == 0;

	if (!same)
		tell_difference(words, wanted);
	free(words);
	free(svg);
	return same;
}

static void is_what_the_program_does(void **state)
{
	char *svg, *wanted;
	int left = TRIES;

	(void)state;
	if (!HAVE_TCP_INFO)
		not_here("the recording: it shows what only Linux's TCP tells");
	need_hosts();
	svg = read_file(source("pictures/recording.svg"));
	wanted = words_of(svg);
	while (!is_as_drawn(wanted))
		if (--left == 0)
			fail_msg("the recording is not what the program does: make recording");
	free(wanted);
	free(svg);
}

/* For make recording: writes it to the file that the environment names. */
static void is_drawn(void **state)
{
	char *svg = play();
	FILE *file = fopen(getenv("RECORDING"), "w");

	(void)state;
	assert_non_null(file);
	fputs(svg, file);
	assert_int_equal(fclose(file), 0);
	free(svg);
}

int main(void)
{
	const struct CMUnitTest test = cmocka_unit_test_teardown(is_what_the_program_does,
	                            client_teardown),
	                        drawing = cmocka_unit_test_teardown(is_drawn, client_teardown);
	const struct CMUnitTest tests[] = { getenv("RECORDING") ? drawing : test };

	setlocale(LC_ALL, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
