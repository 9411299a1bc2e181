/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "past.h"

/* How often another session's lock is looked at again, and the time between, ms: 5 s in all. */
#define LOCK_TRIES 500
#define LOCK_WAIT 10

int past_read(const char *path, void (*entry)(void *context, const char *line), void *context)
{
	/* A pipe that nobody writes to is not waited for. */
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	FILE *file = fd >= 0 ? fdopen(fd, "r") : NULL;
	if (!file) {
		int r = errno == ENOENT ? 0 : -1;
		if (fd >= 0)
			close(fd);
		return r;
	}

	char *line = NULL;
	size_t room = 0;
	ssize_t n;
	while ((n = getline(&line, &room, file)) > 0) {
		if (line[n - 1] == '\n')
			line[--n] = '\0';
		if (n > 0 && strlen(line) == (size_t)n)
			entry(context, line);
	}
	int error = ferror(file) ? EIO : 0;
	free(line);
	fclose(file);
	errno = error;
	return error ? -1 : 0;
}

/* Every folder on the way to the file; what went wrong shows when the file is opened. The path is
 * changed and mended. */
static void make_folders(char *path)
{
	if (path[0] == '\0')
		return;
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(path, 0700);
		*slash = '/';
	}
}

/* The file to add to, behind a symbolic link, made where it is missing, so that the link stays. The caller frees; NULL
 * with errno. */
static char *find_file(const char *path)
{
	char *copy = strdup(path);
	if (!copy)
		return NULL;
	make_folders(copy);
	free(copy);
	int fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return NULL;
	close(fd);
	return realpath(path, NULL);
}

/* Whether `path` still names the file that is open, and not one that was put in its place. */
static bool is_current(int fd, const char *path, struct stat *st)
{
	struct stat named;
	return fstat(fd, st) == 0 && stat(path, &named) == 0 && st->st_ino == named.st_ino && st->st_dev == named.st_dev;
}

/* Opens the file and locks it against other sessions; the lock goes with the descriptor. What is no regular file is not
 * locked. Returns the descriptor, or -1 with errno. */
static int open_locked(const char *path, struct stat *st)
{
	for (int i = 0; i < LOCK_TRIES; i++) {
		int fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
		if (fd < 0)
			return -1;
		bool locked = flock(fd, LOCK_EX | LOCK_NB) == 0, taken = !locked && errno == EWOULDBLOCK;
		bool current = is_current(fd, path, st);
		/* A file system without locks does as well as it can. */
		if (current && (!taken || !S_ISREG(st->st_mode)))
			return fd;
		close(fd);
		if (taken)
			poll(NULL, 0, LOCK_WAIT);
	}
	errno = EBUSY;
	return -1;
}

/* Lines on their way into `to`, without the oldest. */
struct copying {
	FILE *to;
	size_t skip;
};

static void count_line(void *context, const char *line)
{
	(void)line;
	++*(size_t *)context;
}

static void copy_line(void *context, const char *line)
{
	struct copying *c = context;
	if (c->skip > 0)
		c->skip--;
	else
		fprintf(c->to, "%s\n", line);
}

/* Whether the last line has no end, since a disk was full. */
static bool is_cut(int fd)
{
	struct stat st;
	char last;
	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0 && pread(fd, &last, 1, st.st_size - 1) == 1 &&
	    last != '\n';
}

/* Writes the lines of the file `old`, if it is not NULL, and the new ones behind what is in `fd`, which it closes. Returns 0,
 * or -1 with errno if any of it was lost. */
static int write_lines(int fd, const char *old, const char *const *lines, size_t count, size_t skip)
{
	struct copying c = { .to = fdopen(fd, "a"), .skip = skip };
	if (!c.to) {
		close(fd);
		return -1;
	}
	if (is_cut(fd))
		putc('\n', c.to);
	int r = old ? past_read(old, copy_line, &c) : 0;
	for (size_t i = 0; i < count; i++)
		copy_line(&c, lines[i]);
	if (fflush(c.to) != 0 || (old && fsync(fd) != 0))
		r = -1;
	int error = errno;
	if (fclose(c.to) != 0)
		return -1;
	errno = error;
	return r;
}

/* Puts a new file in the place of the old one, so that no reader ever sees half of it and a full disk takes nothing. Its
 * name is always the same: what a killed session has left of it goes. */
static int rewrite(const char *path, const struct stat *old, const char *const *lines, size_t count, size_t keep)
{
	char fresh[PATH_MAX];
	size_t all = count;
	if ((size_t)snprintf(fresh, sizeof(fresh), "%s.new", path) >= sizeof(fresh)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (past_read(path, count_line, &all) < 0 || (unlink(fresh) < 0 && errno != ENOENT))
		return -1;
	int fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -1;
	/* Root does not take another's history from him. */
	int mine = fchown(fd, old->st_uid, old->st_gid);
	(void)mine;
	if (write_lines(fd, path, lines, count, all > keep ? all - keep : 0) == 0 && rename(fresh, path) == 0)
		return 0;
	int error = errno;
	unlink(fresh);
	errno = error;
	return -1;
}

int past_append(const char *path, const char *const *lines, size_t count, size_t keep)
{
	struct stat st;
	char *file = find_file(path);
	int lock = file ? open_locked(file, &st) : -1, r = -1;

	if (lock >= 0 && S_ISREG(st.st_mode))
		r = rewrite(file, &st, lines, count, keep);
	/* A device such as /dev/null, or a folder in which no file can be made: added to as it is. */
	if (lock >= 0 && r < 0 && (!S_ISREG(st.st_mode) || errno == EACCES || errno == EROFS))
		r = write_lines(dup(lock), NULL, lines, count, 0);
	int error = errno;
	if (lock >= 0)
		close(lock);
	free(file);
	errno = error;
	return r;
}
