/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Part of the line editor: prevents crashes and endless loops of readline 8.2. It waits for a FIFO
 * as its inputrc, reads one of any size and follows $include for ever; loops over bytes that are no
 * character; frees its undo lists twice; crashes in macros; and runs for ever in some commands. */
#pragma once

/* The maximum number of overstrikes of one key: the time for each grows with their number. */
#define READLINE_GUARD_OVERSTRIKES_MAX 4096

/* readline's Keymap, and its type of commands. */
struct _keymap_entry;
typedef int readline_guard_command(int count, int key);

/* Returns true if readline may read the user's inputrc with all that it includes: 100 regular files
 * at most, of 256 KiB at most. Readline itself skips files that are missing or cannot be read.
 * Otherwise writes the problem to `reason`, in one line; with `replace` readline then reads an
 * empty file. */
bool readline_guard_inputrc(bool replace, char *reason, size_t size);

/* Binds the keys of this keymap again; call it after readline has read its inputrc. Commands that
 * would not end, or crash, become safe ones; macros become `play`; reading the inputrc again
 * becomes `again`. */
void readline_guard_bind(struct _keymap_entry *map, readline_guard_command *play,
    readline_guard_command *again);
/* The text of the macro, for `play`, of the key and keymap that readline executes; NULL if none. */
const char *readline_guard_macro(struct _keymap_entry *map, int key);
/* Call it after each key. `place` is readline's place in the history before the key; `searched` is
 * true if readline was then in a non-incremental search. Returns false if the line became too long
 * and was cut. */
bool readline_guard_settle(int place, bool searched);

/* Returns true if `text` has bytes that are no character of the locale. */
bool readline_guard_is_broken(const void *text, size_t n);
/* A copy with a sign (U+FFFD or "?") in place of each such byte, and a zero at the end that is not
 * counted in *length; the caller frees. NULL when memory is short. */
unsigned char *readline_guard_copy(const void *text, size_t n, size_t *length);
