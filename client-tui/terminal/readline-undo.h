/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Part of the line editor: keeps readline 8.2 from freeing its lists of undos twice, by what
 * readline offers publicly. It hangs the list of an edited line of the history on its entry and
 * then loses count of who has it (Up, an edit, Up, an edit, Enter); and it does so around its
 * non-incremental searches (M-p, vi's /). */
#ifndef UPCASE_READLINE_UNDO_H
#define UPCASE_READLINE_UNDO_H

/* readline's Keymap. */
struct _keymap_entry;

/* After each key: no entry of the history has undos. One can undo what was done since one came to
 * the line. `place` is where in the history it was before the key; if it is still there (no older
 * line), the list may have been freed already. */
void readline_undo_forget(int place);
/* When a non-incremental search has ended: what it found is the line that is being typed. */
void readline_undo_settle_search(void);
/* Keys of this keymap that search so begin at the line that is being typed, with nothing to
 * undo. */
void readline_undo_guard_searches(struct _keymap_entry *map);
/* Whatever keys of this keymap are bound to one of readline's functions go to another. */
void readline_undo_rebind(int (*from)(int count, int key), int (*to)(int count, int key),
    struct _keymap_entry *map);

#endif
