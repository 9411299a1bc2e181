/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "terminal/history.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/file.h"
#include "terminal/line-editor.h"

/* The largest file, bytes; the longest line is the line editor's. */
#define FILE_MAX (16u << 20)
/* Symbolic links on the way to it, as many as Linux follows. */
#define LINKS 40

/* How often another session's lock is looked at again: for 5 s in all, for 0.5 s once the session
 * was told to end. */
#define LOCK_TRIES 500
#define HURRY_TRIES 50
static const struct timespec lock_wait = { .tv_nsec = 10000000 };

/* Whether no other user decides what `path` is: his links could lead to any file of this user's,
 * and his folders root, who may be in another's home. The system's user, who has "/", may. This
 * user's own links, at most so many, are followed. */
static bool is_own_path(const char *path, int links)
{
	struct stat top, st;
	char way[PATH_MAX], to[PATH_MAX], target[PATH_MAX];
	bool own = stat("/", &top) == 0;

	for (size_t n = 1, all = strlen(path); own && n <= all; n++) {
		if (path[n] != '/' && path[n] != '\0')
			continue;
		snprintf(way, sizeof(way), "%.*s", (int)n, path);
		own = lstat(way, &st) < 0 || st.st_uid == geteuid() || st.st_uid == top.st_uid ||
		      (geteuid() != 0 && !S_ISLNK(st.st_mode));
		const ssize_t length = own ? readlink(way, to, sizeof(to)) : -1;
		if (length <= 0 || links == 0)
			continue;
		const char *slash = *to == '/' ? NULL : strrchr(way, '/');
		const int length_needed = snprintf(target, sizeof(target), "%.*s%.*s",
		    slash ? (int)(slash - way) + 1 : 0, way, (int)length, to);
		own = length_needed < PATH_MAX && is_own_path(target, links - 1);
	}
	return own;
}

/* Opens it to read it. Returns the descriptor, or -1 with errno and *why. */
static int open_own(const char *path, const char **why)
{
	struct stat st;
	const int fd = file_read(path, FILE_MAX, why);

	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid != geteuid())
		*why = "belongs to another user";
	else if (!is_own_path(path, LINKS))
		*why = "is reached by way of what belongs to another user";
	else
		return fd;
	if (fd >= 0)
		close(fd);
	return file_refuse(EPERM, *why, why);
}

int history_read(const char *path, void (*entry)(void *context, const char *line), void *context,
    const char **why)
{
	size_t length;
	const int fd = open_own(path, why);
	char *text = fd < 0 ? NULL : file_text(fd, FILE_MAX, &length, why);

	if (!text)
		return errno == ENOENT ? 0 : -1;
	for (char *line = text, *end; line < text + length; line = end + 1) {
		end = memchr(line, '\n', (size_t)(text + length - line));
		end = end ? end : text + length;
		*end = '\0';
		if (end - line > (ptrdiff_t)LINE_EDITOR_MAX) {
			free(text);
			return file_refuse(EFBIG, "has a line of more than 1 MiB", why);
		}
		if (end > line && strlen(line) == (size_t)(end - line))
			entry(context, line);
	}
	free(text);
	return 0;
}

/* Every folder on the way to the file; what went wrong shows when the file is opened. The path is
 * changed and restored. */
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

/* The file to add to, behind a symbolic link, made where it is missing, so that the link stays. The
 * caller frees; NULL with errno, and *why unless that says all. */
static char *find_file(const char *path, const char **why)
{
	int fd = open_own(path, why);
	char *copy = fd < 0 && errno == ENOENT ? strdup(path) : NULL;

	if (copy) {
		*why = NULL;
		make_folders(copy);
		free(copy);
		fd = open(path, O_RDWR | O_CREAT | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0600);
	}
	if (fd < 0)
		return NULL;
	close(fd);
	return realpath(path, NULL);
}

/* Whether `path` still names the file that is open, and not one that was put in its place. */
static bool is_current(int fd, const char *path, struct stat *st)
{
	struct stat named;
	return fstat(fd, st) == 0 && stat(path, &named) == 0 && st->st_ino == named.st_ino &&
	       st->st_dev == named.st_dev;
}

/* Opens the file and locks it against other sessions; the lock goes with the descriptor. What is no
 * regular file is not locked. Returns the descriptor, or -1 with errno. */
static int open_locked(const char *path, struct stat *st, bool hurry, const char **why)
{
	sigset_t none;

	sigemptyset(&none);
	for (int left = hurry ? HURRY_TRIES : LOCK_TRIES; left > 0; left--) {
		int fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
		    0600);
		if (fd < 0)
			return -1;
		bool locked = flock(fd, LOCK_EX | LOCK_NB) == 0,
		     taken = !locked && errno == EWOULDBLOCK;
		bool current = is_current(fd, path, st);
		/* A file system without locks does as well as it can. */
		if (current && (!taken || !S_ISREG(st->st_mode)))
			return fd;
		close(fd);
		if (taken && ppoll(NULL, 0, &lock_wait, &none) < 0 && left > HURRY_TRIES)
			left = HURRY_TRIES;
	}
	return file_refuse(EBUSY, "another program keeps it locked", why);
}

/* What is put into a file: lines of an old one and new ones. Of all lines the newest that there is
 * room for. */
struct rewriting {
	const char *old;
	const char *const *lines;
	size_t count, keep;
	/* Lines and bytes that are still to come. */
	size_t left, left_bytes;
	FILE *out;
	const char **why;
};

static void count_line(void *context, const char *line)
{
	struct rewriting *r = context;
	r->left++;
	r->left_bytes += strlen(line) + 1;
}

static void copy_line(void *context, const char *line)
{
	struct rewriting *r = context;
	if (r->left <= r->keep && r->left_bytes <= FILE_MAX)
		fprintf(r->out, "%s\n", line);
	r->left--;
	r->left_bytes -= strlen(line) + 1;
}

static int each_line(struct rewriting *r, void (*entry)(void *context, const char *line))
{
	if (history_read(r->old, entry, r, r->why) < 0)
		return -1;
	for (size_t i = 0; i < r->count; i++)
		entry(r, r->lines[i]);
	return 0;
}

static int put_lines(void *rewriting, FILE *out)
{
	struct rewriting *r = rewriting;
	r->out = out;
	return each_line(r, copy_line) < 0 || fflush(out) != 0 || fsync(fileno(out)) != 0 ? -1 : 0;
}

/* Puts a new file in the place of the old one, so that no reader ever sees half of it and a full
 * disk takes nothing. Its name is always the same: what a killed session has left of it goes. */
static int rewrite(struct rewriting *r)
{
	char fresh[PATH_MAX];
	struct stat made;

	if ((size_t)snprintf(fresh, sizeof(fresh), "%s.upcase-new", r->old) >= sizeof(fresh))
		return file_refuse(ENAMETOOLONG, strerror(ENAMETOOLONG), r->why);
	if (each_line(r, count_line) < 0)
		return -1;
	if (!file_replaceable(fresh, NULL, r->why))
		return -1;
	*r->why = NULL;
	(void)unlink(fresh);
	if (file_make(fresh, put_lines, r, &made) < 0)
		return -1;
	if (rename(fresh, r->old) == 0)
		return 0;
	int error = errno;
	(void)file_remove(fresh, &made);
	errno = error;
	return -1;
}

/* Whether the last line has no end, since a disk was full. */
static bool is_cut(int fd)
{
	struct stat st;
	char last;
	return fstat(fd, &st) == 0 && st.st_size > 0 && pread(fd, &last, 1, st.st_size - 1) == 1 &&
	       last != '\n';
}

/* Adds the new lines where no file can be made beside it. */
static int add_lines(int fd, const struct rewriting *r)
{
	FILE *out = fdopen(dup(fd), "a");

	if (!out)
		return -1;
	if (is_cut(fd))
		putc('\n', out);
	for (size_t i = 0; i < r->count; i++)
		fprintf(out, "%s\n", r->lines[i]);
	return fclose(out);
}

int history_append(const char *path, const char *const *lines, size_t count, size_t keep,
    bool hurry, const char **why)
{
	struct stat st;
	*why = NULL;
	char *file = find_file(path, why);
	int lock = file ? open_locked(file, &st, hurry, why) : -1, r = -1;
	struct rewriting all = {
		.old = file, .lines = lines, .count = count, .keep = keep, .why = why
	};

	/* Lines for /dev/null are as good as there. */
	if (lock >= 0)
		r = S_ISREG(st.st_mode) ? rewrite(&all) : 0;
	if (r < 0 && lock >= 0 && (errno == EACCES || errno == EROFS))
		r = add_lines(lock, &all);
	int error = errno;
	if (lock >= 0)
		close(lock);
	free(file);
	if (r < 0 && !*why)
		*why = strerror(error);
	errno = error;
	return r;
}
