/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "standard.h"

#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "printable.h"
#include "utf8.h"

int standard_open(int flags)
{
	static const int modes[] = {O_WRONLY, O_RDONLY, O_RDWR};

	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", modes[fd] | flags) != fd)
			return -1;
	return 0;
}

bool standard_utf8(void)
{
	return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

/* The beginning of a character whose rest is still to come. */
struct cut {
	unsigned char bytes[3];
	size_t n;
};

static bool write_all(const char *bytes, size_t n)
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

/* What the stream hands over: of any length, cut anywhere. */
static ssize_t write_shown(void *cookie, const char *bytes, size_t n)
{
	struct cut *cut = cookie;
	const size_t all = cut->n + n;
	unsigned char *text = malloc(all);
	char *shown = malloc(PRINTABLE_ROOM(all));
	bool written = false;

	if (text && shown) {
		memcpy(text, cut->bytes, cut->n);
		memcpy(text + cut->n, bytes, n);
		cut->n = standard_utf8() ? utf8_cut_off(text, all) : 0;
		memcpy(cut->bytes, text + all - cut->n, cut->n);
		written = write_all(shown, printable_text(shown, text, all - cut->n, "\t\n", standard_utf8()));
	}
	free(text);
	free(shown);
	return written ? (ssize_t)n : 0;
}

void standard_guard(void)
{
	struct cut *cut = isatty(STDOUT_FILENO) ? calloc(1, sizeof *cut) : NULL;
	FILE *shown = cut ? fopencookie(cut, "w", (cookie_io_functions_t){.write = write_shown}) : NULL;

	if (!shown) {
		free(cut);
		return;
	}
	setvbuf(shown, NULL, _IOLBF, 0);
	stdout = shown;
}

/* In one piece: others may write there too. */
static void put_shown(FILE *out, const char *text, const char *kept, const char *end)
{
	const size_t n = strlen(text);
	char *shown = malloc(PRINTABLE_ROOM(n));

	if (!shown)
		return;
	printable_text(shown, text, n, kept, standard_utf8());
	fprintf(out, "%s%s", shown, end);
	free(shown);
}

void standard_put(FILE *out, const char *text)
{
	if (out == stderr || isatty(fileno(out)))
		put_shown(out, text, "\n", "");
	else
		fputs(text, out);
}

void standard_say(const char *format, ...)
{
	va_list args;
	char *text;
	int n;

	va_start(args, format);
	n = vasprintf(&text, format, args);
	va_end(args);
	if (n < 0)
		return;
	put_shown(stderr, text, "", "\n");
	free(text);
}

int standard_end(const char *program)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return 0;
	standard_say("%s: standard output: %s", program, strerror(errno));
	return 1;
}
