/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Part of the prompt: the macros that an inputrc binds to keys. readline 8.2 crashes when one of
 * them holds a sequence that is bound to nothing: its abort returns to a function that has ended.
 * So the prompt types their text itself. */
#ifndef UPCASE_MACROS_H
#define UPCASE_MACROS_H

/* readline's Keymap. */
struct _keymap_entry;

/* The keys of this keymap, and of those below it, that are bound to macros go to `play`, readline's
 * command, from now on. */
void macros_take(struct _keymap_entry *map, int (*play)(int count, int key));
/* The text of a key's macro, for `play`: the key and its keymap are those that readline executes.
 * NULL for none. */
const char *macros_text(struct _keymap_entry *map, int key);

#endif
