/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "terminal/readline-guard.h"

#include <ctype.h>
#include <errno.h>
#include <langinfo.h>
#include <strings.h>
#include <wchar.h>

#include <readline/history.h>
#include <readline/readline.h>
#include <readline/tilde.h>

#include "common/file.h"
#include "common/text.h"
#include "terminal/history.h"

/* The largest inputrc, bytes; the number of files read, each as often as it is included. */
#define INPUTRC_MAX (256u << 10)
#define INPUTRCS_MAX 100
#define DEPTH_MAX 16 /* the maximum depth of keymaps in keymaps */

static struct {
	/* The macros that keys were bound to. */
	struct macro {
		Keymap map;
		int key;
		char *text;
	} *macros;
	size_t macro_count;
	int longest; /* the longest line so far: text that is put back is no longer */
	bool redoing;
} self;

/* --- the inputrc --- */

struct scan {
	int files;
	char *reason;
	size_t size;
};

/* Returns the file that a line includes, or NULL, also for lines that $if skips. */
static const char *included(char *line)
{
	line += strspn(line, " \t");
	if (*line != '$')
		return NULL;
	line += 1 + strspn(line + 1, " \t");
	if (strncasecmp(line, "include", 7) != 0 || (line[7] != ' ' && line[7] != '\t'))
		return NULL;
	line[strcspn(line, "\r")] = '\0';
	return line + 7 + strspn(line + 7, " \t");
}

static int check_file(struct scan *c, const char *name)
{
	const char *detail;
	size_t length = 0;
	char *path = tilde_expand(name);
	const int fd = file_read(path, INPUTRC_MAX, &detail);
	char *text = fd < 0 ? NULL : file_text(fd, INPUTRC_MAX, &length, &detail);
	int result = 0;
	if (!text && (errno == ENOTSUP || errno == EFBIG))
		result = text_refuse(c->reason, c->size,
		    "inputrc: %.100s: %s; the keys are the usual ones", path, detail);
	else if (text && ++c->files > INPUTRCS_MAX)
		result = text_refuse(c->reason, c->size,
		    "inputrc: %.100s: more than %d times $include, or itself; the keys are the "
		    "usual ones",
		    path, INPUTRCS_MAX);
	for (char *line = text, *end; result == 0 && line < text + length; line = end + 1) {
		end = memchr(line, '\n', (size_t)(text + length - line));
		end = end ? end : text + length;
		*end = '\0';
		if ((name = included(line)) != NULL)
			result = check_file(c, name);
	}
	free(text);
	free(path);
	return result;
}

bool readline_guard_inputrc(bool replace, char *reason, size_t size)
{
	struct scan c = { .reason = reason, .size = size };
	const char *given = getenv("INPUTRC");
	bool usable = given && *given
	                ? check_file(&c, given) == 0
	                : check_file(&c, "~/.inputrc") == 0 && check_file(&c, "/etc/inputrc") == 0;
	if (!usable && replace)
		setenv("INPUTRC", "/dev/null", 1);
	return usable;
}

/* --- characters: in vi mode readline loops for ever over bytes that are no character --- */

/* The length of the character at `bytes`, of `n` bytes, 1 or more; 0 if it is none. */
static size_t character(const unsigned char *bytes, size_t n)
{
	mbstate_t state = { 0 };
	if (bytes[0] < 0x80 || MB_CUR_MAX == 1)
		return 1;
	size_t length = mbrlen((const char *)bytes, n, &state);
	return length > n ? 0 : length;
}

bool readline_guard_is_broken(const void *text, size_t n)
{
	const unsigned char *bytes = text;
	for (size_t at = 0, size; at < n; at += size)
		if ((size = character(bytes + at, n - at)) == 0)
			return true;
	return false;
}

unsigned char *readline_guard_copy(const void *text, size_t n, size_t *length)
{
	const unsigned char *bytes = text;
	const char *sign = strcmp(nl_langinfo(CODESET), "UTF-8") == 0 ? "\xef\xbf\xbd" : "?";
	unsigned char *copy = malloc(n * strlen(sign) + 1), *out = copy;
	for (size_t at = 0; copy && at < n;) {
		const size_t size = character(bytes + at, n - at),
		             length_out = size ? size : strlen(sign);
		memcpy(out, size ? (const char *)bytes + at : sign, length_out);
		out += length_out;
		at += size ? size : 1;
	}
	if (!copy)
		return NULL;
	*out = '\0';
	*length = (size_t)(out - copy);
	return copy;
}

/* --- commands that would not end, or crash --- */

#define COMMAND(name, result) \
	static int name(int count, int key) \
	{ \
		return result; \
	}

/* A great argument makes vi's commands write more than memory holds, or run for minutes. */
static int repeat(rl_command_func_t *command, int count, int max, int key)
{
	if (count > max)
		count = rl_numeric_arg = max;
	return command(count, key);
}

static int longest_lines(void)
{
	return (int)HISTORY_LINE_MAX / (self.longest + 1) + 1;
}

COMMAND(put_bounded, repeat(rl_vi_put, count, longest_lines(), key))

/* The redo command can be the command that it repeats. */
static int redo_bounded(int count, int key)
{
	if (self.redoing)
		return rl_ding();
	self.redoing = true;
	int r = repeat(rl_vi_redo, count, longest_lines(), key);
	self.redoing = false;
	return r;
}

COMMAND(change_case_bounded, repeat(rl_vi_change_case, count, rl_end, key))
COMMAND(overstrike_bounded, repeat(rl_vi_overstrike, count, READLINE_GUARD_OVERSTRIKES_MAX, key))

/* The commands for digits read their key again. For a key that is no digit they run the key's
 * command, which is the same one, for ever. */
static int only_digits(rl_command_func_t *command, int count, int key)
{
	return isdigit(key & 0x7f) || (key == '-' && !rl_explicit_arg) ? command(count, key)
	                                                               : rl_ding();
}

COMMAND(digit_argument, only_digits(rl_digit_argument, count, key))
COMMAND(vi_digit_argument, only_digits(rl_vi_arg_digit, count, key))

/* readline attaches the undo list of an edited line to its history entry and later frees it twice
 * (Up, an edit, Up, an edit, Enter). So after each key no entry has an undo list: the user can undo
 * only edits since moving to the line. If readline did not move (there is no older line), the list
 * may be freed already. */
static void drop_undos(int place)
{
	HIST_ENTRY **list = history_list();
	bool moved = where_history() != place;
	for (size_t i = 0; list && list[i]; i++) {
		UNDO_LIST *own = list[i]->data, *current = rl_undo_list;
		list[i]->data = NULL;
		if (!own || own == current || !moved)
			continue;
		rl_undo_list = own;
		rl_free_undo_list();
		rl_undo_list = current;
	}
}

/* After a non-incremental search, the line that it found is the current line. */
static void end_search(void)
{
	if (!RL_ISSTATE(RL_STATE_NSEARCH))
		using_history();
}

/* readline frees undo lists twice after non-incremental searches (M-p, vi's /) too: they begin at
 * the current line, with nothing to undo. */
static int search_safely(rl_command_func_t *search, int count, int key)
{
	int place = where_history();
	if (place < history_length)
		rl_end_of_history(1, 0);
	drop_undos(place);
	rl_free_undo_list();
	int r = search(count, key);
	end_search();
	return r;
}

#define SEARCHES(X) \
	X(rl_noninc_forward_search) \
	X(rl_noninc_reverse_search) \
	X(rl_noninc_forward_search_again) \
	X(rl_noninc_reverse_search_again) \
	X(rl_vi_search) \
	X(rl_vi_search_again)
#define SAFELY(name) COMMAND(name##_safely, search_safely(name, count, key))
SEARCHES(SAFELY)

#define PAIR(name) { name, name##_safely },
static const struct {
	rl_command_func_t *command, *safe;
} commands[] = { { rl_vi_put, put_bounded }, { rl_vi_redo, redo_bounded },
	{ rl_vi_change_case, change_case_bounded }, { rl_vi_overstrike, overstrike_bounded },
	{ rl_digit_argument, digit_argument }, { rl_vi_arg_digit, vi_digit_argument },
	SEARCHES(PAIR) };

/* Binds all keys of one command to another; with `only_others`, only those that are no capitals. */
static void rebind(rl_command_func_t *from, rl_command_func_t *to, Keymap map, bool only_others)
{
	char **keys = rl_invoking_keyseqs_in_map(from, map);
	for (size_t i = 0; keys && keys[i]; i++) {
		if (!only_others || !isupper((unsigned char)keys[i][strlen(keys[i]) - 1]))
			rl_bind_keyseq_in_map(keys[i], to, map);
		free(keys[i]);
	}
	free(keys);
}

/* --- macros: readline crashes when one contains a sequence that is bound to nothing, since its
 * abort jumps to a function that has returned. So the line editor types their text itself. --- */

static struct macro *find_macro(Keymap map, int key)
{
	for (size_t i = 0; i < self.macro_count; i++)
		if (self.macros[i].map == map && self.macros[i].key == key)
			return &self.macros[i];
	return NULL;
}

/* Takes over the text. */
static int take_macro(Keymap map, int key, char *text)
{
	struct macro *m = find_macro(map, key);
	if (!m) {
		m = realloc(self.macros, (self.macro_count + 1) * sizeof *m);
		if (!m)
			return -1;
		self.macros = m;
		m += self.macro_count++;
		*m = (struct macro){ .map = map, .key = key };
	}
	free(m->text);
	m->text = text;
	return 0;
}

static void take_macros(Keymap map, rl_command_func_t *play, int depth)
{
	/* The keymap's last entry is for sequences with any other continuation. */
	for (int key = 0; key < KEYMAP_SIZE && depth < DEPTH_MAX; key++) {
		if (map[key].type == ISKMAP && map[key].function) {
			take_macros((Keymap)map[key].function, play, depth + 1);
		} else if (map[key].type == ISMACR && map[key].function &&
		           take_macro(map, key, (char *)map[key].function) == 0) {
			map[key].type = ISFUNC;
			map[key].function = play;
		}
	}
}

const char *readline_guard_macro(struct _keymap_entry *map, int key)
{
	const struct macro *m = find_macro(map, key);
	if (!m)
		m = find_macro(map, ANYOTHERKEY);
	return m ? m->text : NULL;
}

/* --- all of them --- */

void readline_guard_bind(struct _keymap_entry *map, readline_guard_command *play,
    readline_guard_command *again)
{
	/* In readline 8.3, this command reads a name by itself. */
	rl_command_func_t *reads_name = rl_named_function("execute-named-command");
	if (reads_name)
		rebind(reads_name, rl_abort, map, false);
	rebind(rl_re_read_init_file, again, map, false);
	/* readline 8.2 searches for ever for the lower case of a key that is no capital. */
	rebind(rl_do_lowercase_version, rl_abort, map, true);
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
		rebind(commands[i].command, commands[i].safe, map, false);
	take_macros(map, play, 0);
}

/* Returns true if the byte of the line at `at` is inside a character. */
static bool is_within(int at)
{
	return ((unsigned char)rl_line_buffer[at] & 0xc0) == 0x80;
}

bool readline_guard_settle(int place, bool searched)
{
	size_t length;
	bool fits = rl_end <= (int)HISTORY_LINE_MAX;
	self.redoing = false;
	if (searched)
		end_search();
	drop_undos(place);
	self.longest = rl_end > self.longest ? rl_end : self.longest;
	if (!fits) {
		/* One command, such as M-1000000 x, can insert a long text. */
		int keep = (int)HISTORY_LINE_MAX;
		while (keep > 0 && is_within(keep))
			keep--;
		rl_delete_text(keep, rl_end);
		rl_point = rl_point > rl_end ? rl_end : rl_point;
	}
	/* Some of vi's commands (R, over a wide character) cut a character. */
	if (rl_editing_mode != 0 || !readline_guard_is_broken(rl_line_buffer, (size_t)rl_end))
		return fits;
	unsigned char *copy = readline_guard_copy(rl_line_buffer, (size_t)rl_end, &length);
	if (!copy)
		return fits;
	int point = rl_point;
	rl_begin_undo_group();
	rl_delete_text(0, rl_end);
	rl_point = 0;
	rl_insert_text((const char *)copy);
	rl_end_undo_group();
	free(copy);
	rl_point = point < rl_end ? point : rl_end;
	while (rl_point > 0 && is_within(rl_point))
		rl_point--;
	return fits;
}
