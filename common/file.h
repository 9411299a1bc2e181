/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files that were there before are opened without waiting, and only where they are what is meant.
 * Files that we make are removed only as long as they are what we made. */
#ifndef UPCASE_FILE_H
#define UPCASE_FILE_H

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* Closes a descriptor, unless it is -1, and leaves errno as it is. Returns -1. */
static inline int file_give_up(int fd)
{
	const int error = errno;

	if (fd >= 0)
		close(fd);
	errno = error;
	return -1;
}

/* Says in *why that something is refused, with that errno. Returns -1. */
int file_refuse(int error, const char *reason, const char **why);

/* /dev/null, which stands for no file. */
bool file_is_null(const struct stat *st);

/* Opens an ordinary file of at most `limit` bytes to read it, or /dev/null. Never waits. Returns
 * the descriptor; or -1 with errno and the reason in words in *why, which lasts until the next
 * call: "is a FIFO", "is larger than 16 MiB". errno is ENOTSUP where the file is none of this kind,
 * EFBIG where it is too large. */
int file_read(const char *path, off_t limit, const char **why);

/* All of it, at most `limit` bytes, and a zero behind, which `*length` does not count. Closes `fd`.
 * The caller frees; NULL with errno and *why as above. */
char *file_text(int fd, size_t limit, size_t *length, const char **why);

/* Whether a file of ours may take the place of what `path` names: nothing, or an ordinary file, no
 * link, of the effective user that is empty or whose first `n` bytes, at most 16, `kind` recognises
 * (NULL: any). Else false, with the reason in *why as above: "is a device", "belongs to another
 * user", "holds something else". */
bool file_replaceable(const char *path, bool (*kind)(const char *bytes, size_t n),
    const char **why);

/* Removes what `path` names, if that is still the file that lstat() or fstat() told `made` of, and
 * has not been written to since. Returns 0, or -1. */
int file_remove(const char *path, const struct stat *made);

/* Makes a file that nobody else can read where there was none, and has `put` fill it, which returns
 * 0, or -1 with errno. Returns 0, and which file it is in *made; or -1 with errno: EEXIST, or what
 * went wrong, and then nothing of it stays. */
int file_make(const char *path, int (*put)(void *context, FILE *out), void *context,
    struct stat *made);

#endif
