/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Completion with Tab: the names of commands, and the words that may follow them. */
#pragma once

struct tui;

/* Returns the words that begin with `word` and may follow the first `n` bytes of `line`, in the
 * order of their tables: a NULL-ended malloc()ed array of malloc()ed strings, or NULL. Sets *files
 * where a file's name may follow. */
char **complete_word(const struct tui *tui, const char *line, size_t n, const char *word,
    bool *files);
