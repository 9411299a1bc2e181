/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/file.h"

#include <fcntl.h>

bool file_is_trusted(uid_t owner)
{
	struct stat top;
	return owner == geteuid() || (stat("/", &top) == 0 && owner == top.st_uid);
}

bool file_is_null(const struct stat *st)
{
	struct stat null;

	return S_ISCHR(st->st_mode) && stat("/dev/null", &null) == 0 && st->st_rdev == null.st_rdev;
}

static const char *file_type_words(mode_t mode)
{
	if (S_ISDIR(mode))
		return "is a folder";
	if (S_ISFIFO(mode))
		return "is a FIFO";
	if (S_ISSOCK(mode))
		return "is a socket";
	if (S_ISLNK(mode))
		return "is a symbolic link";
	return "is a device";
}

int file_refuse(int error, const char *words, const char **reason)
{
	*reason = words;
	errno = error;
	return -1;
}

static const char *too_large(off_t limit)
{
	static char text[40];

	snprintf(text, sizeof text, "is larger than %lld %s",
	    (long long)(limit >> (limit >> 20 ? 20 : 10)), limit >> 20 ? "MiB" : "KiB");
	return text;
}

/* Returns 0; or -1 with errno and *reason for a file that is not read. */
static int check(const struct stat *st, off_t limit, const char **reason)
{
	if (!S_ISREG(st->st_mode) && !file_is_null(st))
		return file_refuse(ENOTSUP, file_type_words(st->st_mode), reason);
	return st->st_size > limit ? file_refuse(EFBIG, too_large(limit), reason) : 0;
}

int file_read(const char *path, off_t limit, const char **reason)
{
	struct stat st;
	int fd;

	/* stat() comes first: opening a device may have effects. */
	if (stat(path, &st) < 0)
		return file_refuse(errno, strerror(errno), reason);
	if (check(&st, limit, reason) < 0)
		return -1;
	fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return file_refuse(errno, strerror(errno), reason);
	if (fstat(fd, &st) < 0)
		(void)file_refuse(errno, strerror(errno), reason);
	else if (check(&st, limit, reason) == 0)
		return fd;
	return file_close(fd);
}

char *file_text(int fd, size_t limit, size_t *length, const char **reason)
{
	/* One byte more than the limit shows a file that is too large, also one that grows
	 * meanwhile or has no size, as in /proc. */
	char *text = malloc(limit + 2);
	ssize_t more = text ? 1 : -1;
	size_t n = 0;
	int error;

	while (more > 0 && n <= limit) {
		more = read(fd, text + n, limit + 1 - n);
		n += more > 0 ? (size_t)more : 0;
	}
	error = more < 0 ? errno : EFBIG;
	close(fd);
	if (more == 0) {
		text[n] = '\0';
		*length = n;
		return text;
	}
	free(text);
	(void)file_refuse(error, more < 0 ? strerror(error) : too_large((off_t)limit), reason);
	return NULL;
}

static int check_kind(const char *path, off_t size, bool (*kind)(const char *bytes, size_t n),
    const char **reason)
{
	char bytes[16];
	const int fd = size && kind
	                 ? open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC)
	                 : -1;
	const ssize_t n = fd < 0 ? -1 : read(fd, bytes, sizeof bytes);

	(void)file_close(fd);
	if (size == 0 || !kind || (n >= 0 && kind(bytes, (size_t)n)))
		return 0;
	return file_refuse(n < 0 ? errno : EEXIST, n < 0 ? strerror(errno) : "holds something else",
	    reason);
}

int file_replaceable(const char *path, bool (*kind)(const char *bytes, size_t n),
    const char **reason)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : file_refuse(errno, strerror(errno), reason);
	if (!S_ISREG(st.st_mode))
		return file_refuse(EEXIST, file_type_words(st.st_mode), reason);
	if (st.st_uid != geteuid())
		return file_refuse(EEXIST, "belongs to another user", reason);
	return check_kind(path, st.st_size, kind, reason);
}

int file_remove(const char *path, const struct stat *made)
{
	struct stat st;

	if (lstat(path, &st) < 0 || !file_is_same(&st, made) ||
	    st.st_mtim.tv_sec != made->st_mtim.tv_sec ||
	    st.st_mtim.tv_nsec != made->st_mtim.tv_nsec)
		return -1;
	return unlink(path);
}

int file_make(const char *path, int (*put)(void *context, FILE *out), void *context,
    struct stat *made)
{
	const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	/* The first descriptor stays open until fstat(), so that no other file gets its inode. */
	const int second = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0);
	FILE *out = second < 0 ? NULL : fdopen(second, "w");
	int error;

	if (fd < 0)
		return -1;
	/* The error if `put` sets none. */
	errno = out ? EIO : errno;
	error = !out || put(context, out) < 0 || ferror(out) ? errno : 0;
	if ((out ? fclose(out) : close(second)) != 0 && !error)
		error = errno;
	if (fstat(fd, made) == 0 && error)
		(void)file_remove(path, made);
	close(fd);
	errno = error;
	return error ? -1 : 0;
}
