/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files that were there before: opened without waiting, and only where they are what is meant. */
#ifndef UPCASE_FILE_H
#define UPCASE_FILE_H

#include <stdbool.h>
#include <sys/types.h>

/* Opens an ordinary file of at most `limit` bytes to read it, or /dev/null. Never waits. Returns the descriptor; or -1 with errno
 * and the reason in words in *why, which lasts until the next call: "is a FIFO", "is larger than 16 MiB". errno is ENOTSUP
 * where the file is none of this kind, EFBIG where it is too large. */
int file_read(const char *path, off_t limit, const char **why);

/* Whether a file of ours may take the place of what `path` names: nothing, or an ordinary file, no link, of the effective user
 * that is empty or whose first `n` bytes, at most 16, `kind` recognises. Else false, with the reason in *why as above: "is a
 * device", "belongs to another user", "holds something else". */
bool file_replaceable(const char *path, bool (*kind)(const char *bytes, size_t n), const char **why);

#endif
