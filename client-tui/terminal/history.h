/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The file that keeps the lines typed in earlier runs: one line each, nothing else in it.
 * (readline's own reader takes a first line such as "#17 hello" for a time stamp.) */
#ifndef UPCASE_HISTORY_H
#define UPCASE_HISTORY_H

#include <stdbool.h>
#include <stddef.h>

/* The longest line, bytes. */
#define HISTORY_LINE_MAX (1024u * 1024)

/* Hands every line of the file to `entry`, oldest first; empty lines and those with a zero byte are
 * left out. Only an ordinary file of this user's is read, of 16 MiB and lines of 1 MiB at most, or
 * /dev/null. Returns 0, also if there is no file; -1 with errno and the reason in *why if it is
 * none of that or cannot be read, perhaps after some lines. */
int history_read(const char *path, void (*entry)(void *context, const char *line), void *context,
    const char **why);

/* Adds `count` lines and drops the oldest beyond `keep` and 16 MiB: a new file takes the place of
 * the old one, which stays as it was if that fails, or if it is not one to be read. Makes the file
 * (0600) and its folders (0700). Programs may do so at the same time and all keep their lines; each
 * waits for the others, 5 s at most, and 0.5 s if it is to `hurry` or a signal comes. Returns 0, or
 * -1 with errno and the reason in *why. */
int history_append(const char *path, const char *const *lines, size_t count, size_t keep,
    bool hurry, const char **why);

#endif
