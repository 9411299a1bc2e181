/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "server/ready.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "common/file.h"
#include "common/standard.h"
#include "common/text.h"

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

static int report_write_error(const char *file, char reason[OPTIONS_REASON])
{
	return OPTIONS_REFUSE(reason, "--port-file=%.80s: cannot be written: %s", file,
	    strerror(errno));
}

static bool is_port(const char *bytes, size_t n)
{
	unsigned port = 0;
	size_t digits = 0;

	for (; digits < n && digits < 5 && bytes[digits] >= '0' && bytes[digits] <= '9'; digits++)
		port = 10 * port + (unsigned)(bytes[digits] - '0');
	return digits > 0 && port <= UINT16_MAX && n == digits + 1 && bytes[digits] == '\n';
}

int ready_check(const char *file, char reason[OPTIONS_REASON])
{
	const char *detail;

	if (!file || file_replaceable(file, is_port, &detail) == 0)
		return 0;
	return OPTIONS_REFUSE(reason,
	    "--port-file=%.60s: %s; name a file that is new, or holds a port and is yours", file,
	    detail);
}

int ready_prepare(struct ready *r, const char *file, uint16_t port, char reason[OPTIONS_REASON])
{
	int fd, result;
	mode_t mask;

	*r = (struct ready){ 0 };
	if (!file)
		return 0;
	errno = ENAMETOOLONG;
	fd = snprintf(r->hidden, sizeof r->hidden, "%s.XXXXXX", file) < (int)sizeof r->hidden
	       ? mkstemp(r->hidden)
	       : -1;
	if (fd < 0) {
		*r->hidden = '\0';
		return report_write_error(file, reason);
	}
	r->file = file;
	/* Other users may read it like any file; mkstemp() makes it for the owner alone. */
	mask = umask(0);
	umask(mask);
	result = fchmod(fd, 0666 & ~mask) < 0 ? -1 : write_port(fd, port);
	if (fstat(fd, &r->made) < 0)
		result = -1;
	if (result < 0) {
		report_write_error(file, reason);
		(void)file_remove(r->hidden, &r->made);
		*r->hidden = '\0';
	}
	close(fd);
	return result;
}

int ready_file(struct ready *r, char reason[OPTIONS_REASON])
{
	if (!r->file)
		return 0;
	/* Another file may have been made there since. */
	if (ready_check(r->file, reason) < 0)
		return -1;
	if (rename(r->hidden, r->file) < 0)
		return report_write_error(r->file, reason);
	*r->hidden = '\0';
	return 0;
}

int ready_port(int fd, uint16_t port, char reason[OPTIONS_REASON])
{
	bool stuck;

	if (fd < 0)
		return 0;
	stuck = standard_would_block(fd, POLLOUT);
	if (stuck)
		errno = EAGAIN;
	if (stuck || write_port(fd, port) < 0)
		return OPTIONS_REFUSE(reason, "--ready-fd=%d: cannot be written: %s", fd,
		    strerror(errno));
	if (fd > STDERR_FILENO)
		close(fd);
	return 0;
}

void ready_end(const struct ready *r)
{
	if (r->file)
		(void)file_remove(*r->hidden ? r->hidden : r->file, &r->made);
}
