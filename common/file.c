/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* Linux's numbers: Documentation/admin-guide/devices.txt. */
static bool is_null_device(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == makedev(1, 3);
}

static const char *what_it_is(mode_t mode)
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

static int refuse(int error, const char *reason, const char **why)
{
	*why = reason;
	errno = error;
	return -1;
}

static const char *too_large(off_t limit)
{
	static char text[40];

	snprintf(text, sizeof text, "is larger than %lld %s", (long long)(limit >> (limit >> 20 ? 20 : 10)), limit >> 20 ? "MiB" : "KiB");
	return text;
}

int file_read(const char *path, off_t limit, const char **why)
{
	struct stat st;
	const int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	int error;

	if (fd < 0)
		return refuse(errno, strerror(errno), why);
	if (fstat(fd, &st) < 0)
		(void)refuse(errno, strerror(errno), why);
	else if (!S_ISREG(st.st_mode) && !is_null_device(&st))
		(void)refuse(ENOTSUP, what_it_is(st.st_mode), why);
	else if (st.st_size > limit)
		(void)refuse(EFBIG, too_large(limit), why);
	else
		return fd;
	error = errno;
	close(fd);
	return refuse(error, *why, why);
}

static bool holds_kind(const char *path, off_t size, bool (*kind)(const char *bytes, size_t n), const char **why)
{
	char bytes[16];
	const int fd = size ? open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC) : -1;
	const ssize_t n = fd < 0 ? -1 : read(fd, bytes, sizeof bytes);
	const int error = errno;

	if (fd >= 0)
		close(fd);
	if (size == 0 || (n >= 0 && kind(bytes, (size_t)n)))
		return true;
	(void)refuse(n < 0 ? error : EEXIST, n < 0 ? strerror(error) : "holds something else", why);
	return false;
}

bool file_replaceable(const char *path, bool (*kind)(const char *bytes, size_t n), const char **why)
{
	struct stat st;

	if (lstat(path, &st) < 0) {
		const bool none = errno == ENOENT;

		(void)refuse(errno, strerror(errno), why);
		return none;
	}
	if (!S_ISREG(st.st_mode))
		(void)refuse(EEXIST, what_it_is(st.st_mode), why);
	else if (st.st_uid != geteuid())
		(void)refuse(EEXIST, "belongs to another user", why);
	else
		return holds_kind(path, st.st_size, kind, why);
	return false;
}
