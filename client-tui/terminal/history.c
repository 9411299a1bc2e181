/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "terminal/history.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/bytes.h"
#include "common/clock.h"
#include "common/file.h"

#define FILE_MAX (16u << 20) /* the largest file, bytes */
#define LINKS 40 /* the maximum number of symbolic links on the way to the file, as in Linux */

/* Waits so long for other sessions' locks; SHORT_ for each of them, after a signal that ends the
 * program. */
#define LOCK_WAIT (5 * NS_PER_S)
#define SHORT_LOCK_WAIT (500 * NS_PER_MS)
/* The pause between two tries. */
static const struct timespec lock_pause = { .tv_nsec = 10000000 };

/* Returns true if no other user can choose the file behind `path`: another user's link could lead
 * to any file of this user's, and for root another user's folder too. The owner of "/" is trusted.
 * This user's own links are followed, `links` at most. */
static bool is_own_path(const char *path, int links)
{
	struct stat st;
	char prefix[PATH_MAX], to[PATH_MAX], target[PATH_MAX];
	bool own = true;
	for (size_t n = 1, all = strlen(path); own && n <= all; n++) {
		if (path[n] != '/' && path[n] != '\0')
			continue;
		snprintf(prefix, sizeof prefix, "%.*s", (int)n, path);
		own = lstat(prefix, &st) < 0 || file_is_trusted(st.st_uid) ||
		      (geteuid() != 0 && !S_ISLNK(st.st_mode));
		const ssize_t length = own ? readlink(prefix, to, sizeof to) : -1;
		if (length <= 0 || links == 0)
			continue;
		const char *slash = *to == '/' ? NULL : strrchr(prefix, '/');
		const int needed = snprintf(target, sizeof target, "%.*s%.*s",
		    slash ? (int)(slash - prefix) + 1 : 0, prefix, (int)length, to);
		own = needed < PATH_MAX && is_own_path(target, links - 1);
	}
	return own;
}

/* Opens a file of this user's to read it. Returns the descriptor, or -1 with errno and *reason. */
static int open_own(const char *path, const char **reason)
{
	struct stat st;
	const int fd = file_read(path, FILE_MAX, reason);
	const int error = errno;
	const bool anothers = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	                      st.st_uid != geteuid();

	if (!anothers && is_own_path(path, LINKS)) {
		/* That there is no file, though another session may have made it since. */
		errno = error;
		return fd;
	}
	if (fd >= 0)
		close(fd);
	return file_refuse(EPERM,
	    anothers ? "belongs to another user"
	             : "is reached by way of what belongs to another user",
	    reason);
}

int history_read(const char *path, void (*entry)(void *context, const char *line), void *context,
    const char **reason)
{
	size_t length;
	const int fd = open_own(path, reason);
	char *text = fd < 0 ? NULL : file_text(fd, FILE_MAX, &length, reason);

	if (!text)
		return errno == ENOENT ? 0 : -1;
	for (char *line = text, *end; line < text + length; line = end + 1) {
		end = memchr(line, '\n', (size_t)(text + length - line));
		end = end ? end : text + length;
		*end = '\0';
		if (end - line > (ptrdiff_t)HISTORY_LINE_MAX) {
			free(text);
			return file_refuse(EFBIG, "has a line of more than 1 MiB", reason);
		}
		if (end > line && strlen(line) == (size_t)(end - line))
			entry(context, line);
	}
	free(text);
	return 0;
}

/* Finds the file behind symbolic links, so that these stay; makes it and its folders (0700) if they
 * are missing. The caller frees the path. Returns NULL with errno, and *reason unless errno is
 * enough. */
static char *find_file(const char *path, const char **reason)
{
	int fd = open_own(path, reason);
	char *folder = fd < 0 && errno == ENOENT ? strdup(path) : NULL;
	if (folder) {
		*reason = NULL;
		/* If mkdir() fails, the open below reports it. */
		for (char *slash = *path ? strchr(folder + 1, '/') : NULL; slash;
		    slash = strchr(slash + 1, '/')) {
			*slash = '\0';
			mkdir(folder, 0700);
			*slash = '/';
		}
		free(folder);
		fd = open(path, O_RDWR | O_CREAT | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0600);
	}
	if (fd < 0)
		return NULL;
	close(fd);
	return realpath(path, NULL);
}

/* Opens the file and locks it against other sessions until the descriptor is closed; only a regular
 * file is locked. Returns the descriptor, or -1 with errno. */
static int open_locked(const char *path, struct stat *st, bool short_wait, const char **reason)
{
	sigset_t none;
	sigemptyset(&none);
	const int64_t latest = clock_monotonic() + LOCK_WAIT;
	int64_t end = latest, wait = short_wait ? SHORT_LOCK_WAIT : LOCK_WAIT;
	struct stat before = { 0 };
	do {
		int fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
		    0600);
		if (fd < 0)
			return -1;
		bool locked = flock(fd, LOCK_EX | LOCK_NB) == 0,
		     taken = !locked && errno == EWOULDBLOCK;
		/* `path` may name another file by now, which replaced this one. */
		struct stat named;
		bool current = fstat(fd, st) == 0 && stat(path, &named) == 0 &&
		               file_is_same(st, &named);
		/* Some file systems have no locks: the file is then used without one. */
		if (current && (!taken || !S_ISREG(st->st_mode)))
			return fd;
		close(fd);
		const int64_t now = clock_monotonic();
		/* Each session replaces the file: then it is another's turn. */
		if (!file_is_same(st, &before))
			end = now + wait < latest ? now + wait : latest;
		before = *st;
		if (taken && pselect(0, NULL, NULL, NULL, &lock_pause, &none) < 0) {
			wait = SHORT_LOCK_WAIT;
			end = now + wait < end ? now + wait : end;
		}
	} while (clock_monotonic() < end);
	return file_refuse(EBUSY, "another program keeps it locked", reason);
}

static void put_line(void *out, const char *line)
{
	fprintf(out, "%s\n", line);
}

/* The newest `max_lines` lines of the file and the new ones, FILE_MAX bytes at most. Returns their
 * text, in *all, which the caller frees; NULL with errno, and *reason unless errno is enough. */
static char *newest_lines(const char *path, const char *text, size_t max_lines, char **all,
    const char **reason)
{
	size_t size;
	FILE *out = open_memstream(all, &size);
	bool read = out && history_read(path, put_line, out, reason) == 0;
	int error = errno;
	if (read)
		fputs(text, out);
	if (!out || fclose(out) != 0)
		return NULL;
	errno = error;
	if (!read)
		return NULL;
	char *from = *all + size;
	for (size_t left = max_lines; left > 0 && from > *all; left--) {
		const char *before = bytes_find_last(*all, '\n', (size_t)(from - 1 - *all));
		char *line = before ? *all + (before + 1 - *all) : *all;
		if (*all + size - line > (ptrdiff_t)FILE_MAX)
			break;
		from = line;
	}
	return from;
}

static int put_text(void *text, FILE *out)
{
	return fputs(text, out) < 0 || fflush(out) != 0 || fsync(fileno(out)) != 0 ? -1 : 0;
}

/* Replaces the file by a new one with this text: readers never see half of it, and a full disk
 * loses nothing. The new file always has the same name, so it replaces one that a killed session
 * left. */
static int rewrite(const char *path, char *text, const char **reason)
{
	char fresh[PATH_MAX];
	struct stat made;
	if ((size_t)snprintf(fresh, sizeof fresh, "%s.upcase-new", path) >= sizeof fresh)
		return file_refuse(ENAMETOOLONG, strerror(ENAMETOOLONG), reason);
	if (file_replaceable(fresh, NULL, reason) < 0)
		return -1;
	*reason = NULL;
	(void)unlink(fresh);
	if (file_make(fresh, put_text, text, &made) < 0)
		return -1;
	if (rename(fresh, path) == 0)
		return 0;
	int error = errno;
	(void)file_remove(fresh, &made);
	errno = error;
	return -1;
}

/* Appends the new lines to a file in whose folder no new file can be made. */
static int add_lines(int fd, const char *text)
{
	FILE *out = fdopen(dup(fd), "a");
	struct stat st;
	char last;
	if (!out)
		return -1;
	/* The last line may have no end, because a disk was full. */
	if (fstat(fd, &st) == 0 && st.st_size > 0 && pread(fd, &last, 1, st.st_size - 1) == 1 &&
	    last != '\n')
		putc('\n', out);
	fputs(text, out);
	return fclose(out);
}

int history_append(const char *path, const char *text, size_t max_lines, bool short_wait,
    const char **reason)
{
	struct stat st;
	*reason = NULL;
	char *file = find_file(path, reason), *all = NULL;
	int lock = file ? open_locked(file, &st, short_wait, reason) : -1, r = -1;
	/* Nothing is written to /dev/null. */
	if (lock >= 0 && S_ISREG(st.st_mode)) {
		char *newest = newest_lines(file, text, max_lines, &all, reason);
		r = newest ? rewrite(file, newest, reason) : -1;
	} else if (lock >= 0) {
		r = 0;
	}
	if (r < 0 && lock >= 0 && (errno == EACCES || errno == EROFS))
		r = add_lines(lock, text);
	int error = errno;
	if (lock >= 0)
		close(lock);
	free(all);
	free(file);
	if (r < 0 && !*reason)
		*reason = strerror(error);
	errno = error;
	return r;
}
