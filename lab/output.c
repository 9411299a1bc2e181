/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "lab/output.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "common/file.h"

#define FLAGS (O_RDWR | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)

/* What any user may have (fs.pipe-max-size): a reader that loses the processor for a moment loses
 * nothing. */
#define PIPE_SIZE (1 << 20)

/* What takes bytes and keeps none: nothing in it can be lost. The number is that of /dev/full:
 * Documentation/admin-guide/devices.txt. */
static bool is_stream(const struct stat *st)
{
	return S_ISFIFO(st->st_mode) || file_is_null(st) ||
	       (S_ISCHR(st->st_mode) && st->st_rdev == makedev(1, 7));
}

/* What lies there may have changed since it was looked at. */
static bool is_same(int fd, const struct stat *seen)
{
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_dev == seen->st_dev && st.st_ino == seen->st_ino;
}

int output_open(const char *path, bool (*kind)(const char *bytes, size_t n), const char **why)
{
	struct stat st = { 0 };
	const bool stream = stat(path, &st) == 0 && is_stream(&st);
	int fd = stream ? -1 : open(path, FLAGS | O_CREAT | O_EXCL, 0666);

	if (fd >= 0)
		return fd;
	if (!stream && errno == EEXIST && !file_replaceable(path, kind, why))
		return -1;
	if (stream || errno == EEXIST)
		fd = open(path, FLAGS | (stream ? 0 : O_NOFOLLOW));
	if (fd >= 0 && stream)
		(void)fcntl(fd, F_SETPIPE_SZ, PIPE_SIZE);
	*why = fd < 0 ? strerror(errno) : "is no longer what it was";
	return fd < 0 || is_same(fd, &st) ? fd : file_give_up(fd);
}
