/* SPDX-License-Identifier: GPL-3.0-or-later */
/* readline keeps its state in globals and calls back without a context, so there is one line editor
 * in the process, `self`.
 *
 * readline reads whole key sequences from `input`, so it never waits for the rest of a sequence. It
 * shows nothing: it does not touch the terminal's modes, its redisplay is empty, its output goes to
 * /dev/null, and while it runs a pipe takes the place of standard error and catches the bell and
 * error messages about the inputrc. */
#include "terminal/line-editor.h"

#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include <readline/history.h>
#include <readline/readline.h>

#include "common/complete.h"
#include "common/file.h"
#include "common/os.h"
#include "terminal/readline-guard.h"

/* A key sequence is pending, or readline reads something other than the line. */
#define BUSY_STATES \
	(RL_STATE_ISEARCH | RL_STATE_NSEARCH | RL_STATE_NUMERICARG | RL_STATE_MULTIKEY | \
	    RL_STATE_VIMOTION | RL_STATE_CHARSEARCH)
/* readline shows its own text in place of the prompt. */
#define MESSAGE_STATES (RL_STATE_ISEARCH | RL_STATE_NSEARCH | RL_STATE_NUMERICARG)
#define SEARCH_PASTE_MAX 256 /* the longest paste that is used as a search text */
/* Bounds for one key: reads past the last byte before end of file is returned, and before the
 * command is aborted; and commands of macros, which may call themselves. */
#define READS_TO_END 64
#define READS_MAX 1024
#define COMMANDS_MAX 4096

static struct {
	bool running, quoting, bell_rung, prompt_changed, discarding, aborted;
	struct line_editor_hooks hooks;
	/* The bytes that readline has not read yet; the number of reads past the last one, and of
	 * commands of macros since then. */
	const unsigned char *input;
	size_t left;
	unsigned drained, commands;
	/* A macro's text with the keys behind it (`input` points into it), or NULL; the number of
	 * bytes at its end that are keys; the number of macros that these keys started. */
	unsigned char *typed;
	size_t keys_left;
	unsigned played;
	char *prompt, *shown; /* the prompt, and a copy without readline's marks */
	/* The history's file, the maximum number of entries, and the new lines as they were
	 * entered: those in readline's history can be edited. */
	char *history;
	int entries;
	FILE *entered;
	char *entered_text;
	size_t entered_length;
	/* What the hook of completion wrote, and what readline has not taken of it. */
	char words[COMPLETE_WORDS], *words_left;
	FILE *null_output;
	/* The pipe's ends, and the true standard error. */
	int caught[2], standard_error;
} self;

/* A sequence that no terminal sends, bound in every keymap to entering the line. */
static const unsigned char clear_key[] = "\033[!!c";

static const char *const keymaps[] = { "emacs", "vi-insert", "vi-move" };

/* readline runs between enter() and leave(), but for its hooks, between hook_begin() and enter(),
 * which write to the true standard error. */
static void enter(void)
{
	dup2(self.caught[1], STDERR_FILENO);
}

/* Passes the prompt to readline, unless readline shows its own text for a search or an argument. */
static void apply_prompt(void)
{
	if (!self.running || !self.prompt_changed || RL_ISSTATE(MESSAGE_STATES))
		return;
	rl_set_prompt(self.prompt);
	self.prompt_changed = false;
}

static void hook_begin(void)
{
	dup2(self.standard_error, STDERR_FILENO);
}

/* Empties the pipe. Returns whether readline rang the bell. */
static bool take_bell(void)
{
	char bytes[256];
	bool rung = self.bell_rung;

	self.bell_rung = false;
	for (ssize_t n; (n = read(self.caught[0], bytes, sizeof bytes)) > 0;)
		rung = rung || memchr(bytes, '\a', (size_t)n);
	return rung;
}

static void leave(void)
{
	apply_prompt();
	hook_begin();
	if (take_bell() && self.running && self.hooks.bell)
		self.hooks.bell(self.hooks.context);
}

/* Jumps to where readline reads its next command, as its own abort does; does not return. */
static void abort_command(void)
{
	self.aborted = true;
	self.drained = self.commands = 0;
	rl_abort(1, '\a');
}

/* readline reads past the end of the input for the rest of a broken character or sequence. It then
 * gets the end of a paste, which is part of neither; nothing else stops its paste reader. Commands
 * that read keys themselves stop at the end of file, or are aborted. Between commands, readline
 * takes the end of file for Enter. */
static int next_byte(FILE *in)
{
	static const char end_of_paste[] = "\033[201~";
	(void)in;
	if (self.left > 0) {
		self.drained = self.commands = 0;
		self.left--;
		return *self.input++;
	}
	unsigned nth = self.drained++;
	if (nth >= READS_MAX || (nth >= READS_TO_END && RL_ISSTATE(RL_STATE_READCMD)))
		abort_command();
	return nth < READS_TO_END ? end_of_paste[nth % strlen(end_of_paste)] : EOF;
}

/* Decides whether an ESC stands alone: whole sequences show that at once. While readline records a
 * keyboard macro it must not read ahead: those bytes would be missing in the macro. */
static int input_available(void)
{
	return self.left > 0 && !RL_ISSTATE(RL_STATE_MACRODEF);
}

/* readline calls this function after each command, after each digit of an argument, and from its
 * abort. It bounds macros that call themselves, or that yank what they killed into ever longer
 * lines, and overstriking, which moves the rest of the line for each character. */
static void bound_keys(void)
{
	if (rl_insert_mode == 0 && rl_numeric_arg > READLINE_GUARD_OVERSTRIKES_MAX)
		rl_numeric_arg = READLINE_GUARD_OVERSTRIKES_MAX;
	if (self.aborted || !RL_ISSTATE(RL_STATE_MACROINPUT))
		return;
	if (++self.commands > COMMANDS_MAX || rl_end > (int)LINE_EDITOR_MAX)
		abort_command();
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
	char *word = strtok_r(state == 0 ? self.words : NULL, "\n", &self.words_left);
	while (word && !text_begins(word, text))
		word = strtok_r(NULL, "\n", &self.words_left);
	return word ? strndup(word, strcspn(word, "\t")) : NULL;
}

/* The next file's name. Leaves out names that would not be one word of the line. */
static char *next_file(const char *text, int state)
{
	char *name = rl_filename_completion_function(text, state);
	while (name && (strpbrk(name, " \t\r\n") || readline_guard_is_broken(name, strlen(name)))) {
		free(name);
		name = rl_filename_completion_function(text, 1);
	}
	return name;
}

static char **complete(const char *word, int start, int end)
{
	(void)end;
	bool files = false;
	struct text words = text_begin(self.words, sizeof self.words);
	/* Prevents the completion of file names, readline's default. */
	rl_attempted_completion_over = 1;
	if (!self.hooks.complete)
		return NULL;
	hook_begin();
	self.hooks.complete(self.hooks.context, rl_line_buffer, (size_t)start, &words, &files);
	enter();
	/* Words keep their order. */
	rl_sort_completion_matches = files;
	return rl_completion_matches(word, files ? next_file : next_word);
}

static void show_matches(char **matches, int count, int longest)
{
	(void)longest;
	if (!self.hooks.matches || count < 1)
		return;
	hook_begin();
	/* matches[0] is their common beginning. */
	self.hooks.matches(self.hooks.context, matches + 1, (size_t)count);
	enter();
}

/* Adds to readline's history. Returns false if the settings exclude it or it is the last line. */
static bool remember(const char *line)
{
	if (self.entries <= 0 || line[0] == '\0' || readline_guard_is_broken(line, strlen(line)))
		return false;
	const HIST_ENTRY *last = history_get(history_base + history_length - 1);
	if (last && strcmp(last->line, line) == 0)
		return false;
	add_history(line);
	return true;
}

static void add_history_line(void *context, const char *line)
{
	(void)context;
	remember(line);
}

/* Calls the hook for each line: a quoted line feed ends a line too, which has its own reply. */
static void deliver_lines(char *text)
{
	for (char *line = text, *next; line && self.running; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		if (remember(line))
			fprintf(self.entered, "%s\n", line);
		self.hooks.line(self.hooks.context, line, strlen(line));
	}
	free(text);
}

static void line_entered(char *line)
{
	hook_begin();
	if (self.discarding) {
		self.discarding = false;
		free(line);
	} else if (line) {
		deliver_lines(line);
	} else {
		self.hooks.end(self.hooks.context);
	}
	/* The hook may have ended the line editor, which puts standard error back. */
	if (self.running)
		enter();
}

/* Puts the macro's text before the keys that are left. A keyboard macro's text already follows its
 * key, since it was typed while it was recorded. */
static int play_macro(int count, int key)
{
	const char *text = readline_guard_macro(rl_executing_keymap, key);
	const size_t n = text ? strlen(text) : 0;
	unsigned char *typed;

	(void)count;
	if (RL_ISSTATE(RL_STATE_MACROINPUT))
		return 0;
	if (self.left < self.keys_left)
		self.keys_left = self.left;
	typed = text && ++self.played <= COMMANDS_MAX && n + self.left <= LINE_EDITOR_MAX
	          ? malloc(n + self.left + 1)
	          : NULL;
	if (!typed) {
		self.input += self.left - self.keys_left;
		self.left = self.keys_left;
		self.played = 0;
		return rl_ding();
	}
	memcpy(typed, text, n);
	memcpy(typed + n, self.input, self.left);
	free(self.typed);
	self.input = self.typed = typed;
	self.left += n;
	return 0;
}

static int read_inputrc_again(int count, int key);

static void bind_keys(void)
{
	for (size_t i = 0; i < sizeof keymaps / sizeof keymaps[0]; i++) {
		Keymap map = rl_get_keymap_by_name(keymaps[i]);
		/* Skips a whole CSI sequence without a binding: else its end would be text. */
		rl_bind_keyseq_in_map("\033[", rl_skip_csi_sequence, map);
		/* Pastes come through line_editor_insert(); readline would wait for the end. */
		rl_bind_keyseq_in_map("\033[200~", do_nothing, map);
		rl_bind_keyseq_in_map((const char *)clear_key, rl_newline, map);
		/* ^L is ours. */
		rl_bind_keyseq_in_map("\f", do_nothing, map);
		rl_bind_keyseq_in_map("\033\f", do_nothing, map);
		readline_guard_bind(map, play_macro, read_inputrc_again);
	}
	/* Otherwise an incremental search reads pastes itself. */
	rl_variable_bind("enable-bracketed-paste", "off");
	/* The user would not see readline's visible bell; the hook decides how to show a bell. */
	const char *bell = rl_variable_value("bell-style");
	if (bell && strcmp(bell, "visible") == 0)
		rl_variable_bind("bell-style", "audible");
}

static bool is_inputrc_usable(bool replace)
{
	char reason[200];

	if (readline_guard_inputrc(replace, reason, sizeof reason))
		return true;
	hook_begin();
	if (self.hooks.notice)
		self.hooks.notice(self.hooks.context, reason);
	enter();
	return false;
}

static int read_inputrc_again(int count, int key)
{
	int r = is_inputrc_usable(false) ? rl_re_read_init_file(count, key) : 0;
	bind_keys();
	return r;
}

static void start_readline(void)
{
	rl_readline_name = "upcase";
	rl_instream = stdin;
	rl_outstream = self.null_output;
	rl_catch_signals = rl_catch_sigwinch = 0;
	/* LINES and COLUMNS in the environment would be wrong after a change of size. */
	rl_change_environment = 0;
	rl_prep_term_function = NULL;
	rl_deprep_term_function = NULL;
	rl_redisplay_function = bound_keys;
	rl_getc_function = next_byte;
	rl_input_available_hook = input_available;
	rl_attempted_completion_function = complete;
	rl_completion_entry_function = no_word;
	rl_completion_display_matches_hook = show_matches;
	rl_completer_word_break_characters = " \t";
	/* The first Tab shows what is possible, unless the inputrc sets it otherwise. */
	rl_variable_bind("show-all-if-ambiguous", "on");
	rl_variable_bind("match-hidden-files", "off");
	rl_basic_quote_characters = "";
	/* A byte over 127 is text, not Meta, in the C locale too, unless the inputrc says so. */
	rl_variable_bind("input-meta", "on");
	rl_variable_bind("convert-meta", "off");
	rl_variable_bind("output-meta", "on");
	is_inputrc_usable(true);
	rl_initialize();
	/* readline rings the bell only if it believes that it echoes. Earlier versions then also
	 * write at the end of a line. */
	if (rl_readline_version >= 0x0802)
		rl_tty_set_echoing(1);
	bind_keys();
}

static int set_up_streams(void)
{
	self.standard_error = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
	if (os_pipe(self.caught, false) < 0)
		self.caught[0] = self.caught[1] = -1;
	self.null_output = fopen("/dev/null", "we");
	self.entered = open_memstream(&self.entered_text, &self.entered_length);
	return self.null_output && self.entered && self.caught[0] >= 0 && self.standard_error >= 0
	         ? 0
	         : -1;
}

static void free_state(void)
{
	if (self.null_output)
		fclose(self.null_output);
	file_close(self.caught[0]);
	file_close(self.caught[1]);
	file_close(self.standard_error);
	free(self.prompt);
	free(self.shown);
	free(self.typed);
	free(self.history);
	if (self.entered)
		fclose(self.entered);
	free(self.entered_text);
	memset(&self, 0, sizeof self);
	rl_outstream = stdout;
}

/* The editor starts with an empty history if the file is not usable. */
static void load_history(void)
{
	const char *reason;
	char line[PATH_MAX + 100];

	if (!self.history || history_read(self.history, add_history_line, NULL, &reason) == 0)
		return;
	clear_history();
	snprintf(line, sizeof line, "the history is not used: %s: %s", self.history, reason);
	if (self.hooks.notice)
		self.hooks.notice(self.hooks.context, line);
}

int line_editor_start(const struct line_editor_hooks *hooks, const char *history, int entries)
{
	self.hooks = *hooks;
	self.entries = entries;
	self.prompt = strdup("");
	self.history = history ? strdup(history) : NULL;
	if (set_up_streams() < 0 || !self.prompt || (history && !self.history)) {
		free_state();
		return -1;
	}
	using_history();
	clear_history();
	if (entries > 0)
		stifle_history(entries);
	load_history();

	enter();
	start_readline();
	rl_callback_handler_install("", line_entered);
	leave();
	self.running = true;
	return 0;
}

const char *line_editor_stop(bool short_wait)
{
	const char *reason = NULL;

	if (!self.running)
		return NULL;
	self.running = false;
	/* The line hook may call this from inside readline, where standard error is replaced. */
	hook_begin();
	rl_callback_handler_remove();
	fflush(self.entered);
	bool failed = self.history && self.entered_length > 0 &&
	              history_append(self.history, self.entered_text, (size_t)self.entries,
	                  short_wait, &reason) < 0;
	free_state();
	return failed ? reason : NULL;
}

void line_editor_set_prompt(const char *prompt)
{
	char *copy = self.running ? strdup(prompt) : NULL;
	if (!copy)
		return;
	free(self.prompt);
	self.prompt = copy;
	self.prompt_changed = true;
	apply_prompt();
}

static void feed(const unsigned char *bytes, size_t n)
{
	self.input = bytes;
	self.left = self.keys_left = n;
	self.played = 0;
	while (self.running && self.left > 0) {
		/* Only a new quoted-insert waits; its character leaves rl_last_func unchanged. */
		if (rl_last_func == rl_quoted_insert)
			rl_last_func = NULL;
		rl_command_func_t *last = rl_last_func;
		int place = where_history();
		bool searching = RL_ISSTATE(RL_STATE_NSEARCH);
		rl_callback_read_char();
		if (!self.running)
			return;
		if (self.aborted)
			rl_callback_sigcleanup();
		self.aborted = false;
		/* A macro's commands continue those before it. */
		if (rl_last_func == play_macro)
			rl_last_func = last;
		self.quoting = rl_last_func == rl_quoted_insert;
		self.bell_rung = !readline_guard_settle(place, searching) || self.bell_rung;
	}
	self.left = 0;
	free(self.typed);
	self.typed = NULL;
}

/* Ends a command that waits for more keys. readline's abort key does that, but a quoted-insert
 * would take the key. There is no bell, since nothing has failed. */
static void drop_pending(void)
{
	static const unsigned char abort_key[] = { '\a' };
	if (!self.quoting && RL_ISSTATE(BUSY_STATES))
		feed(abort_key, sizeof abort_key);
	rl_callback_sigcleanup();
	rl_discard_argument();
	(void)take_bell();
	self.quoting = false;
}

void line_editor_feed(const unsigned char *bytes, size_t n)
{
	size_t length;
	unsigned char *copy = self.running ? readline_guard_copy(bytes, n, &length) : NULL;
	if (!copy)
		return;
	enter();
	feed(copy, length);
	free(copy);
	/* The line's hook may have ended the line editor. */
	if (!self.running)
		return;
	leave();
}

/* In vi's command mode ESC is a prefix, which would swallow the next key. So is it in a search that
 * ESC does not end by the inputrc. */
static void feed_escape(void)
{
	static const unsigned char escape[] = { '\033' };
	/* In vi's / the ESC would become text of the search. */
	if (RL_ISSTATE(RL_STATE_NSEARCH)) {
		drop_pending();
		return;
	}
	feed(escape, sizeof escape);
	if (RL_ISSTATE(RL_STATE_ISEARCH))
		rl_callback_sigcleanup();
	if (rl_editing_mode == 0 && RL_ISSTATE(RL_STATE_MULTIKEY))
		drop_pending();
}

void line_editor_escape(void)
{
	if (!self.running || (rl_editing_mode != 0 && !RL_ISSTATE(RL_STATE_ISEARCH)))
		return;
	enter();
	feed_escape();
	leave();
}

/* Drops the line by entering it: freeing its undo list here would free history twice. */
static void enter_and_discard(void)
{
	self.discarding = true;
	for (int tries = 0; self.discarding && tries < 3; tries++) {
		drop_pending();
		/* vi's R has a keymap without a name and clear_key; command mode has one. */
		if (rl_editing_mode == 0)
			feed_escape();
		feed(clear_key, sizeof clear_key - 1);
	}
	if (self.discarding) {
		rl_delete_text(0, rl_end);
		rl_point = 0;
	}
	self.discarding = false;
}

/* Returns true if nothing is typed and readline waits for no rest of a command. */
static bool is_empty(void)
{
	return rl_end == 0 && !self.quoting && !RL_ISSTATE(BUSY_STATES);
}

bool line_editor_begins_with(unsigned char c)
{
	const struct _keymap_entry *key = self.running && is_empty() ? &rl_get_keymap()[c] : NULL;
	return key && key->type == ISFUNC && key->function == rl_insert;
}

bool line_editor_clear(void)
{
	if (!self.running)
		return false;
	bool empty = is_empty();
	enter();
	enter_and_discard();
	self.bell_rung = false;
	leave();
	return !empty;
}

/* Inserts `text`, `n` bytes and a zero. */
static void insert(unsigned char *text, size_t n)
{
	size_t length = 0;
	for (size_t i = 0; i < n; i++)
		if (text[i] != '\0')
			text[length++] = text[i];
	text[length] = '\0';
	if (length > LINE_EDITOR_MAX - (size_t)rl_end) {
		self.bell_rung = true;
		return;
	}
	rl_begin_undo_group();
	rl_insert_text((const char *)text);
	rl_end_undo_group();
}

void line_editor_insert(const unsigned char *bytes, size_t n)
{
	if (!self.running)
		return;
	bool searched = RL_ISSTATE(RL_STATE_ISEARCH) && n <= SEARCH_PASTE_MAX;
	for (size_t i = 0; searched && i < n; i++)
		searched = bytes[i] >= ' ' && bytes[i] != 0x7f;
	if (searched) {
		line_editor_feed(bytes, n);
		return;
	}
	size_t length;
	unsigned char *copy = readline_guard_copy(bytes, n, &length);
	if (!copy)
		return;
	enter();
	/* A non-incremental search reads into the line, so it takes the text itself. An incremental
	 * one ends at the line that it found. */
	if (RL_ISSTATE(RL_STATE_ISEARCH))
		rl_callback_sigcleanup();
	else if (self.quoting || RL_ISSTATE(BUSY_STATES & ~RL_STATE_NSEARCH))
		drop_pending();
	insert(copy, length);
	free(copy);
	rl_last_func = NULL;
	leave();
}

bool line_editor_quoting(void)
{
	return self.running && self.quoting;
}

/* The prompt without readline's marks around characters that take no columns. */
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

struct view_input line_editor_state(void)
{
	if (!self.running)
		return (struct view_input){ .prompt = "", .text = "" };
	return (struct view_input){
		.prompt = visible_prompt(rl_display_prompt ? rl_display_prompt : ""),
		.text = rl_line_buffer,
		.length = (size_t)rl_end,
		.cursor = (size_t)rl_point,
	};
}
