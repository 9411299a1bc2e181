/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The file that keeps the lines typed in earlier runs: one line each, nothing else in it.
 * (readline's own reader takes a first line such as "#17 hello" for a time stamp.) */
#pragma once

#define HISTORY_LINE_MAX (1024u * 1024) /* the longest line, bytes */

/* Calls `entry` for every line of the file, oldest first, except empty lines and those with a zero
 * byte. The file is a regular one of this user's, of 16 MiB and lines of 1 MiB at most, or
 * /dev/null. Returns 0, also if there is no file; -1 with errno and *reason, perhaps after some
 * lines, if it is another kind of file or cannot be read. */
int history_read(const char *path, void (*entry)(void *context, const char *line), void *context,
    const char **reason);

/* Adds a text of lines and drops the oldest beyond `max_lines` and 16 MiB. A new file replaces the
 * old one, which stays if that fails, or if history_read() would refuse it. Makes the file (0600)
 * and its folders (0700). Programs may call it at the same time and all keep their lines: each
 * waits for the others, 5 s at most; with `short_wait` or after a signal 0.5 s at most for each of
 * them. Returns 0, or -1 with errno and *reason. */
int history_append(const char *path, const char *text, size_t max_lines, bool short_wait,
    const char **reason);
