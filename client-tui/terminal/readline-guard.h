/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Part of the line editor: keeps readline 8.2 from what would crash or stop the program. It waits
 * for a FIFO as its inputrc, takes in a file of any size and follows $include for ever; loops over
 * bytes that are no character; frees its lists of undos twice; crashes in macros; and runs for ever
 * in some commands. */
#ifndef UPCASE_READLINE_GUARD_H
#define UPCASE_READLINE_GUARD_H

#include <stdbool.h>
#include <stddef.h>

/* How often a key may overstrike: a character takes longer the more there are. */
#define READLINE_GUARD_OVERSTRIKES_MAX 4096

/* readline's Keymap, and its type of commands. */
struct _keymap_entry;
typedef int readline_guard_command(int count, int key);

/* Whether readline may read the user's inputrc with all that it includes: ordinary files, of 256
 * KiB at most, 100 at most. Files that are missing or may not be read are readline's to leave out.
 * Else readline finds an empty one from now on if `replace`, and one line in `why` says what is
 * wrong. */
bool readline_guard_inputrc(bool replace, char *why, size_t size);

/* The line editor starts; a line has `line_max` bytes at most. */
void readline_guard_start(int line_max);
/* After readline has read its inputrc: whatever keys of this keymap are bound to commands that
 * would not end, or crash, go to safe ones; those bound to macros go to `play`; and those that read
 * the inputrc again to `again`. */
void readline_guard_bind(struct _keymap_entry *map, readline_guard_command *play,
    readline_guard_command *again);
/* The text of a key's macro, for `play`: the key and its keymap are those that readline executes.
 * NULL for none. */
const char *readline_guard_macro(struct _keymap_entry *map, int key);
/* After each key. `place` is where in the history readline was before it, and `searched` whether it
 * was in a non-incremental search. Returns false if the line became too long, and was cut. */
bool readline_guard_settle(int place, bool searched);

/* Some bytes of `text` are no character of the locale. */
bool readline_guard_is_broken(const void *text, size_t n);
/* A copy with a sign (U+FFFD or "?") in place of each such byte, and a zero at the end that is not
 * counted in *length; the caller frees. NULL when memory is short. */
unsigned char *readline_guard_copy(const void *text, size_t n, size_t *length);

#endif
