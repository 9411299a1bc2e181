/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "report.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "text.h"

static int write_port(int fd, uint16_t port)
{
	char text[8];
	int n = snprintf(text, sizeof text, "%u\n", port);
	ssize_t written;

	do
		written = write(fd, text, (size_t)n);
	while (written < 0 && errno == EINTR);
	return written == n ? 0 : -1;
}

static int say_why(const char *file, char why[OPTIONS_WHY])
{
	return text_refuse(why, OPTIONS_WHY, "--port-file=%.80s: cannot be written: %s", file, strerror(errno));
}

static void remove_hidden(struct report *r)
{
	int saved = errno;

	if (*r->hidden)
		unlink(r->hidden);
	*r->hidden = '\0';
	errno = saved;
}

/* As others may read it: mkstemp() makes it for the owner alone. */
static int fill(struct report *r, int fd, uint16_t port)
{
	mode_t mask = umask(0);
	struct stat st;

	umask(mask);
	if (fchmod(fd, 0666 & ~mask) < 0 || write_port(fd, port) < 0 || fstat(fd, &st) < 0)
		return -1;
	r->device = st.st_dev;
	r->inode = st.st_ino;
	return 0;
}

int report_prepare(struct report *r, const char *file, uint16_t port, char why[OPTIONS_WHY])
{
	struct stat st;
	int fd, result;

	*r = (struct report){0};
	if (!file)
		return 0;
	/* Else it were found out when it has been said that all is ready. */
	if (stat(file, &st) == 0 && S_ISDIR(st.st_mode)) {
		errno = EISDIR;
		return say_why(file, why);
	}
	/* A new file would take the place of a device. */
	if (stat(file, &st) == 0 && !S_ISREG(st.st_mode)) {
		snprintf(why, OPTIONS_WHY, "--port-file=%.80s: is there already and is no file", file);
		return -1;
	}
	if (snprintf(r->hidden, sizeof r->hidden, "%s.XXXXXX", file) >= (int)sizeof r->hidden) {
		errno = ENAMETOOLONG;
		*r->hidden = '\0';
		return say_why(file, why);
	}
	fd = mkstemp(r->hidden);
	if (fd < 0) {
		*r->hidden = '\0';
		return say_why(file, why);
	}
	r->file = file;
	result = fill(r, fd, port);
	if (result < 0) {
		remove_hidden(r);
		say_why(file, why);
	}
	close(fd);
	return result;
}

int report_file(struct report *r, char why[OPTIONS_WHY])
{
	if (!r->file)
		return 0;
	if (rename(r->hidden, r->file) < 0) {
		remove_hidden(r);
		return say_why(r->file, why);
	}
	*r->hidden = '\0';
	return 0;
}

int report_port(int fd, uint16_t port, char why[OPTIONS_WHY])
{
	if (fd < 0)
		return 0;
	if (write_port(fd, port) < 0)
		return text_refuse(why, OPTIONS_WHY, "--ready-fd=%d: cannot be written: %s", fd, strerror(errno));
	if (fd > STDERR_FILENO)
		close(fd);
	return 0;
}

void report_end(const struct report *r)
{
	struct stat st;

	if (*r->hidden)
		unlink(r->hidden);
	else if (r->file && stat(r->file, &st) == 0 && st.st_dev == r->device && st.st_ino == r->inode)
		unlink(r->file);
}
