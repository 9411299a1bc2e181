/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "past.h"

int past_read(const char *path, void (*entry)(void *context, const char *line), void *context)
{
	FILE *file = fopen(path, "re");
	if (!file)
		return errno == ENOENT ? 0 : -1;

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

/* At the end, for adding; behind a line that was cut off by a full disk, a new line is begun. */
static FILE *open_end(const char *path)
{
	char *copy = strdup(path);
	if (!copy)
		return NULL;
	make_folders(copy);
	free(copy);
	int fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "a");
	if (!file) {
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	char last;
	struct stat st;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0 &&
	    pread(fd, &last, 1, st.st_size - 1) == 1 && last != '\n')
		putc('\n', file);
	return file;
}

/* Returns 0, or -1 if anything written to `file` was lost. */
static int close_written(FILE *file)
{
	int failed = ferror(file);
	if (fclose(file) != 0)
		return -1;
	if (failed)
		errno = EIO;
	return failed ? -1 : 0;
}

static void count_line(void *context, const char *line)
{
	(void)line;
	++*(size_t *)context;
}

struct copying {
	FILE *to;
	size_t skip;
};

static void copy_line(void *context, const char *line)
{
	struct copying *c = context;
	if (c->skip > 0)
		c->skip--;
	else
		fprintf(c->to, "%s\n", line);
}

/* Writes a new file and puts it in the place of the old one, so that no reader ever sees half of
 * it. */
static int rewrite(const char *path, size_t skip)
{
	char fresh[PATH_MAX];
	if ((size_t)snprintf(fresh, sizeof(fresh), "%s.XXXXXX", path) >= sizeof(fresh)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	int fd = mkostemp(fresh, O_CLOEXEC);
	if (fd < 0)
		return -1;
	struct copying c = { .to = fdopen(fd, "w"), .skip = skip };
	if (!c.to) {
		close(fd);
		goto fail;
	}
	int r = past_read(path, copy_line, &c);
	if (close_written(c.to) < 0 || r < 0 || rename(fresh, path) < 0)
		goto fail;
	return 0;
fail:;
	int error = errno;
	unlink(fresh);
	errno = error;
	return -1;
}

static int trim(const char *path, size_t keep)
{
	struct stat st;
	/* The file behind a symbolic link is replaced, not the link; /dev/null and its like are
	 * left alone. */
	char *real = realpath(path, NULL);
	if (!real)
		return -1;
	size_t count = 0;
	int r = 0;
	if (stat(real, &st) == 0 && S_ISREG(st.st_mode) && (r = past_read(real, count_line, &count)) == 0 &&
	    count > keep)
		r = rewrite(real, count - keep);
	free(real);
	return r;
}

int past_append(const char *path, const char *const *lines, size_t count, size_t keep)
{
	FILE *file = open_end(path);
	if (!file)
		return -1;
	for (size_t i = 0; i < count; i++)
		fprintf(file, "%s\n", lines[i]);
	if (close_written(file) < 0)
		return -1;
	return trim(path, keep);
}
