/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Opens existing files without waiting, and only ordinary ones. Removes new files only as long as
 * they are still the ones that were made. */
#pragma once

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

/* Closes a descriptor, unless it is -1, and keeps errno. Returns -1. */
static inline int file_close(int fd)
{
	const int error = errno;

	if (fd >= 0)
		close(fd);
	errno = error;
	return -1;
}

/* Whether both are of the same file. */
static inline bool file_is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* Sets errno and *reason. Returns -1. */
int file_refuse(int error, const char *words, const char **reason);

/* Whether the owner is this user, or the owner of "/", who may change anything: root, whom a user
 * namespace shows under another number. */
bool file_is_trusted(uid_t owner);

/* Whether it is /dev/null, which stands for no file. */
bool file_is_null(const struct stat *st);

/* Opens an ordinary file of at most `limit` bytes, or /dev/null, for reading. Never waits. Returns
 * the descriptor; or -1 with errno and *reason, which lasts until the next call: "is a FIFO", "is
 * larger than 16 MiB". errno is ENOTSUP for another kind of file, EFBIG for a larger one. */
int file_read(const char *path, off_t limit, const char **reason);

/* Reads the whole file, at most `limit` bytes, and closes `fd`. A zero ends the text; `*length`
 * does not count it. The caller frees. NULL with errno and *reason as above. */
char *file_text(int fd, size_t limit, size_t *length, const char **reason);

/* Whether a new file may replace what is at `path`: nothing, or an ordinary file of the effective
 * user, no link, that is empty or whose first `n` bytes, at most 16, `kind` recognises (NULL: any).
 * Returns 0, or -1 with errno and *reason as above: "is a device", "holds something else". */
int file_replaceable(const char *path, bool (*kind)(const char *bytes, size_t n),
    const char **reason);

/* Removes the file `path`, if it is still the one of `made`, from lstat() or fstat(), and has not
 * been written to since. Returns 0 or -1. */
int file_remove(const char *path, const struct stat *made);

/* Makes a new file that only its user can read, and fills it by `put`, which returns 0, or -1 with
 * errno. Returns 0 and the file's identity in *made; or -1 with errno (EEXIST), and no file. */
int file_make(const char *path, int (*put)(void *context, FILE *out), void *context,
    struct stat *made);
