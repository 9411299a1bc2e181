/* SPDX-License-Identifier: GPL-3.0-or-later */
/* readline keeps its state in globals and calls back without a context, so there is one prompt in the process, `self`.
 *
 * readline is given whole key sequences only, from `input`, so that it never has to wait for the rest of one. What it
 * would show itself is taken from it: it does not touch the terminal's modes, its redisplay is empty, its output goes to
 * /dev/null, and what it writes to stderr (the bell, and complaints about the inputrc) is caught by a stream that
 * stands in for stderr while readline runs. */
#include "config.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <readline/history.h>
#include <readline/readline.h>

#include "past.h"
#include "prompt.h"

/* A key sequence is pending, or readline reads something other than the line. */
#define BUSY_STATES (RL_STATE_ISEARCH | RL_STATE_NSEARCH | RL_STATE_NUMERICARG | RL_STATE_MULTIKEY | \
	    RL_STATE_VIMOTION | RL_STATE_CHARSEARCH)
/* readline shows its own text in place of the prompt. */
#define MESSAGE_STATES (RL_STATE_ISEARCH | RL_STATE_NSEARCH | RL_STATE_NUMERICARG)
/* A longer paste is not what one searches for. */
#define SEARCH_PASTE_MAX 256

static struct {
	bool running, quoting, rang, prompt_changed;
	struct prompt_hooks hooks;
	/* The keys that readline has not read yet; `drained` counts its reads after the last. */
	const unsigned char *input;
	size_t left;
	unsigned drained;
	/* What stands before the line, and the same as it was shown last. */
	char *prompt, *shown;
	/* Where the history goes, how much of it is kept, how much of it is new. */
	char *history;
	int entries, fresh;
	/* The hook's words on their way to readline, and the next one. */
	char **words;
	size_t next_word;
	FILE *nowhere, *muffler, *stderr_kept;
} self;

static const char *const keymaps[] = { "emacs", "vi-insert", "vi-move" };

/* readline runs between enter() and leave(). */
static void enter(void)
{
	self.stderr_kept = stderr;
	stderr = self.muffler;
}

static void leave(void)
{
	stderr = self.stderr_kept;
	if (!self.rang)
		return;
	self.rang = false;
	if (self.running && self.hooks.bell)
		self.hooks.bell(self.hooks.context);
}

/* Our own code, called from inside readline, has the true stderr. */
static void hook_begin(void)
{
	stderr = self.stderr_kept;
}

static void hook_end(void)
{
	stderr = self.muffler;
}

static ssize_t muffle(void *cookie, const char *bytes, size_t n)
{
	(void)cookie;
	if (memchr(bytes, '\a', n))
		self.rang = true;
	return (ssize_t)n;
}

/* readline reads past the end only for the rest of a broken character or sequence. The answer must not be part of either and must
 * not be the end of file (which would end the line); readline's own paste reader stops at no other than this. */
static int next_byte(FILE *in)
{
	static const char end_of_paste[] = "\033[201~";
	(void)in;
	if (self.left == 0)
		return end_of_paste[self.drained++ % strlen(end_of_paste)];
	self.left--;
	return *self.input++;
}

/* Decides whether an ESC stands alone; with whole sequences that is known at once. */
static int input_available(void)
{
	return self.left > 0;
}

static void draw_nothing(void)
{
}

static void prepare_nothing(int meta)
{
	(void)meta;
}

static int do_nothing(int count, int key)
{
	(void)count;
	(void)key;
	return 0;
}

static char *no_word(const char *text, int state)
{
	(void)text;
	(void)state;
	return NULL;
}

static char *next_word(const char *text, int state)
{
	(void)text;
	if (state == 0)
		self.next_word = 0;
	return self.words[self.next_word] ? self.words[self.next_word++] : NULL;
}

static char **complete(const char *word, int start, int end)
{
	(void)end;
	/* Without this readline would offer the names of files. */
	rl_attempted_completion_over = 1;
	if (!self.hooks.complete)
		return NULL;
	hook_begin();
	self.words = self.hooks.complete(self.hooks.context, word, rl_line_buffer, (size_t)start);
	hook_end();
	if (!self.words)
		return NULL;
	/* Takes over the words, not the array. */
	char **matches = rl_completion_matches(word, next_word);
	free(self.words);
	self.words = NULL;
	return matches;
}

static void show_matches(char **matches, int count, int longest)
{
	(void)longest;
	if (!self.hooks.matches || count < 1)
		return;
	hook_begin();
	/* matches[0] is what they have in common. */
	self.hooks.matches(self.hooks.context, matches + 1, (size_t)count);
	hook_end();
}

static void remember(const char *line)
{
	if (self.entries <= 0 || line[0] == '\0' || strchr(line, '\n'))
		return;
	const HIST_ENTRY *last = history_get(history_base + history_length - 1);
	if (last && strcmp(last->line, line) == 0)
		return;
	add_history(line);
	self.fresh++;
}

static void remember_past(void *context, const char *line)
{
	(void)context;
	remember(line);
}

static void line_entered(char *line)
{
	hook_begin();
	if (line) {
		remember(line);
		self.hooks.line(self.hooks.context, line, strlen(line));
		free(line);
	} else {
		self.hooks.end(self.hooks.context);
	}
	/* The hook may have ended the prompt, and then there is no stand-in any more. */
	if (self.running)
		hook_end();
}

static void bind_keys(void)
{
	for (size_t i = 0; i < sizeof(keymaps) / sizeof(keymaps[0]); i++) {
		Keymap map = rl_get_keymap_by_name(keymaps[i]);
		/* What no longer sequence is bound to is skipped whole, instead of leaving its tail as text. */
		rl_bind_keyseq_in_map("\033[", rl_skip_csi_sequence, map);
		/* Pastes come through prompt_insert(); readline's reader of them would wait for the end. */
		rl_bind_keyseq_in_map("\033[200~", do_nothing, map);
		/* ^L is ours. */
		rl_bind_keyseq_in_map("\f", do_nothing, map);
		rl_bind_keyseq_in_map("\033\f", do_nothing, map);
	}
	/* Else an incremental search looks for pastes by itself, in what it may read from the terminal. */
	rl_variable_bind("enable-bracketed-paste", "off");
	/* A visible bell would go to where nobody sees it; the hook decides how it is shown. */
	const char *bell = rl_variable_value("bell-style");
	if (bell && strcmp(bell, "visible") == 0)
		rl_variable_bind("bell-style", "audible");
}

static void start_readline(void)
{
	rl_readline_name = "upcase";
	rl_instream = stdin;
	rl_outstream = self.nowhere;
	rl_catch_signals = rl_catch_sigwinch = 0;
	/* LINES and COLUMNS in the environment would outlive the size that they tell. */
	rl_change_environment = 0;
	rl_prep_term_function = prepare_nothing;
	rl_deprep_term_function = draw_nothing;
	rl_redisplay_function = draw_nothing;
	rl_getc_function = next_byte;
	rl_input_available_hook = input_available;
	rl_attempted_completion_function = complete;
	rl_completion_entry_function = no_word;
	rl_completion_display_matches_hook = show_matches;
	rl_completer_word_break_characters = " \t";
	rl_basic_quote_characters = "";
	/* In the C locale too, a byte over 127 is text, not Meta, unless the inputrc says so. */
	rl_variable_bind("input-meta", "on");
	rl_variable_bind("convert-meta", "off");
	rl_variable_bind("output-meta", "on");
	rl_initialize();
	bind_keys();
}

static int set_up_streams(void)
{
	const cookie_io_functions_t muffling = { .write = muffle };
	self.nowhere = fopen("/dev/null", "we");
	self.muffler = fopencookie(NULL, "w", muffling);
	if (!self.nowhere || !self.muffler)
		return -1;
	setvbuf(self.muffler, NULL, _IONBF, 0);
	return 0;
}

static void forget(void)
{
	if (self.nowhere)
		fclose(self.nowhere);
	if (self.muffler)
		fclose(self.muffler);
	free(self.prompt);
	free(self.shown);
	free(self.history);
	memset(&self, 0, sizeof(self));
	rl_outstream = stdout;
}

int prompt_start(const struct prompt_hooks *hooks, const char *history, int entries)
{
	self.hooks = *hooks;
	self.entries = entries;
	self.prompt = strdup("");
	self.history = history ? strdup(history) : NULL;
	if (!self.prompt || (history && !self.history) || set_up_streams() < 0) {
		forget();
		return -1;
	}
	using_history();
	clear_history();
	if (entries > 0)
		stifle_history(entries);
	/* A history that cannot be read is as none. */
	if (history)
		past_read(history, remember_past, NULL);
	self.fresh = 0;

	enter();
	start_readline();
	rl_callback_handler_install("", line_entered);
	leave();
	self.running = true;
	return 0;
}

static int keep_new_lines(void)
{
	int count = self.fresh < history_length ? self.fresh : history_length;
	if (!self.history || count == 0)
		return 0;
	const char **lines = calloc((size_t)count, sizeof(*lines));
	if (!lines)
		return -1;
	for (int i = 0; i < count; i++)
		lines[i] = history_get(history_base + history_length - count + i)->line;
	int r = past_append(self.history, lines, (size_t)count, (size_t)self.entries);
	free(lines);
	return r;
}

int prompt_stop(void)
{
	if (!self.running)
		return 0;
	self.running = false;
	/* Called from the line hook, readline has the stand-in for a moment more: it must be the true one from here on. */
	stderr = self.stderr_kept;
	rl_callback_handler_remove();
	int r = keep_new_lines();
	int error = errno;
	forget();
	errno = error;
	return r;
}

/* Not while a search or an argument shows its own words there. */
static void apply_prompt(void)
{
	if (!self.running || !self.prompt_changed || RL_ISSTATE(MESSAGE_STATES))
		return;
	rl_set_prompt(self.prompt);
	self.prompt_changed = false;
}

void prompt_set(const char *prompt)
{
	char *copy = self.running ? strdup(prompt) : NULL;
	if (!copy)
		return;
	free(self.prompt);
	self.prompt = copy;
	self.prompt_changed = true;
	apply_prompt();
}

/* Keys such as M-1000000 x insert much at once. */
static void bound_line(void)
{
	if (rl_end <= (int)PROMPT_LINE_MAX)
		return;
	int keep = PROMPT_LINE_MAX;
	while (keep > 0 && ((unsigned char)rl_line_buffer[keep] & 0xc0) == 0x80)
		keep--;
	rl_delete_text(keep, rl_end);
	if (rl_point > rl_end)
		rl_point = rl_end;
	self.rang = true;
}

void prompt_feed(const unsigned char *bytes, size_t n)
{
	if (!self.running)
		return;
	enter();
	self.input = bytes;
	self.left = n;
	while (self.running && self.left > 0) {
		/* Only a quoted-insert that has just been asked for waits; the character it takes leaves rl_last_func as it is. */
		if (rl_last_func == rl_quoted_insert)
			rl_last_func = NULL;
		self.drained = 0;
		rl_callback_read_char();
		if (!self.running)
			return;
		self.quoting = rl_last_func == rl_quoted_insert;
		bound_line();
	}
	self.left = 0;
	apply_prompt();
	leave();
}

/* rl_callback_sigcleanup() does its work only inside a callback. */
static void drop_pending(void)
{
	RL_SETSTATE(RL_STATE_CALLBACK);
	rl_callback_sigcleanup();
	RL_UNSETSTATE(RL_STATE_CALLBACK);
}

void prompt_escape(void)
{
	static const unsigned char escape[] = { '\033' };
	prompt_feed(escape, 1);
	/* In vi's command mode ESC is a prefix to readline, which would swallow the next key. */
	if (self.running && rl_editing_mode == 0 && RL_ISSTATE(RL_STATE_MULTIKEY))
		drop_pending();
}

void prompt_clear(void)
{
	static const unsigned char abort_key[] = { '\a' };
	if (!self.running)
		return;
	/* A search puts things back in order by itself when it is aborted. */
	if (self.quoting || RL_ISSTATE(BUSY_STATES))
		prompt_feed(abort_key, 1);
	enter();
	drop_pending();
	rl_free_line_state();
	rl_replace_line("", 1);
	rl_point = rl_mark = 0;
	/* As for a fresh line: at the end of the history, vi mode inserting. */
	rl_callback_handler_remove();
	rl_callback_handler_install(self.prompt, line_entered);
	self.quoting = self.rang = self.prompt_changed = false;
	rl_last_func = NULL;
	leave();
}

static bool has_controls(const unsigned char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (bytes[i] < ' ' || bytes[i] == 0x7f)
			return true;
	return false;
}

static void insert(const unsigned char *bytes, size_t n)
{
	char *text = malloc(n + 1);
	if (!text)
		return;
	size_t length = 0;
	for (size_t i = 0; i < n; i++)
		if (bytes[i] != '\0')
			text[length++] = (char)bytes[i];
	text[length] = '\0';
	rl_begin_undo_group();
	rl_insert_text(text);
	rl_end_undo_group();
	free(text);
}

void prompt_insert(const unsigned char *bytes, size_t n)
{
	if (!self.running)
		return;
	if (RL_ISSTATE(RL_STATE_ISEARCH) && n <= SEARCH_PASTE_MAX && !has_controls(bytes, n)) {
		prompt_feed(bytes, n);
		return;
	}
	enter();
	/* A non-incremental search reads into the line, and so takes the text itself. */
	if (self.quoting || RL_ISSTATE(BUSY_STATES & ~RL_STATE_NSEARCH)) {
		if (RL_ISSTATE(RL_STATE_NUMERICARG))
			rl_restore_prompt();
		drop_pending();
		rl_discard_argument();
		self.quoting = self.rang = false;
	}
	if (n > PROMPT_LINE_MAX - (size_t)rl_end)
		self.rang = true;
	else
		insert(bytes, n);
	rl_last_func = NULL;
	apply_prompt();
	leave();
}

bool prompt_quoting(void)
{
	return self.running && self.quoting;
}

/* Without the marks for what takes no room. */
static const char *visible_prompt(const char *prompt)
{
	char *copy = realloc(self.shown, strlen(prompt) + 1);
	if (!copy)
		return "";
	self.shown = copy;
	size_t n = 0;
	for (; *prompt; prompt++)
		if (*prompt != RL_PROMPT_START_IGNORE && *prompt != RL_PROMPT_END_IGNORE)
			copy[n++] = *prompt;
	copy[n] = '\0';
	return copy;
}

struct prompt_state prompt_state(void)
{
	if (!self.running)
		return (struct prompt_state){ .prompt = "", .text = "" };
	return (struct prompt_state){
		.prompt = visible_prompt(rl_display_prompt ? rl_display_prompt : ""),
		.text = rl_line_buffer,
		.length = (size_t)rl_end,
		.cursor = (size_t)rl_point,
	};
}
