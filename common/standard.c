/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A process has one standard output and one name, so an unfinished character of the first, and the
 * second, are kept here. This file allocates no memory: it also writes "out of memory". */
#include "common/standard.h"

#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <poll.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/os.h"
#include "common/printable.h"

/* Bytes of text that are escaped at once: more than any path. */
#define PIECE 5000
/* Controls that are not escaped in the program's own text. */
#define KEPT "\t\n"

static struct printable_rest output_rest;

static const char *program_name = "upcase";

int standard_open(const char *program, int flags)
{
	static const int modes[] = { O_WRONLY, O_RDONLY, O_RDWR };

	program_name = program;
	for (int fd = 0; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) >= 0 || errno != EBADF ||
		    open("/dev/null", modes[fd] | flags, 0) == fd)
			continue;
		standard_report("/dev/null: %s", strerror(errno));
		return 1;
	}
	return 0;
}

const char *standard_program(void)
{
	return program_name;
}

bool standard_utf8(void)
{
	return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

bool standard_write(const char *bytes, size_t n)
{
	while (n > 0) {
		ssize_t written = write(STDOUT_FILENO, bytes, n);

		if (written < 0 && errno != EINTR)
			return false;
		bytes += written > 0 ? written : 0;
		n -= written > 0 ? (size_t)written : 0;
	}
	return true;
}

bool standard_would_block(int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };

	return poll(&p, 1, 0) == 0;
}

void standard_nonblocking(int fd)
{
	struct stat st;
	int own = -1;

	if (isatty(fd) || (fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode)))
		own = os_reopen(fd);
	if (own < 0)
		return;
	dup2(own, fd);
	close(own);
}

bool standard_show(const void *bytes, size_t n)
{
	char shown[PRINTABLE_PIECE_ROOM];

	for (size_t at = 0, part; at < n; at += part) {
		part = n - at < PRINTABLE_PIECE ? n - at : PRINTABLE_PIECE;
		if (!standard_write(shown,
		        printable_piece(&output_rest, shown, (const char *)bytes + at, part, KEPT,
		            standard_utf8())))
			return false;
	}
	return true;
}

void standard_put(FILE *out, const char *text)
{
	char shown[PRINTABLE_ROOM(PIECE)];

	if (out != stderr && !isatty(fileno(out))) {
		fputs(text, out);
		return;
	}
	while (*text) {
		const size_t line = strcspn(text, "\n"),
		             n = line < PIECE ? line + (text[line] == '\n') : PIECE;

		printable_text(shown, text, n, KEPT, standard_utf8());
		fputs(shown, out);
		text += n;
	}
}

/* The line is one write: other processes may write there too. */
void standard_report(const char *format, ...)
{
	char text[PIECE], shown[PRINTABLE_ROOM(PIECE)];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	printable_text(shown, text, strlen(text), "", standard_utf8());
	fprintf(stderr, "%s: %s\n", program_name, shown);
}

int standard_end(void)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return 0;
	standard_report("standard output: %s", strerror(errno));
	return 1;
}
