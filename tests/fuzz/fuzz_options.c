/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The parser of configuration files, given any bytes, line by line and as a file: it ends, says why
 * it refuses in one line that cannot drive a terminal, gives setters only what stands in the line,
 * and reads the same both ways. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/fuzz/fuzz.h"
#include "common/options.h"
#include "common/units.h"

/* What the setters were given, as a sum to compare, and the line that it must stand in. */
struct settings {
	uint64_t sum;
	const char *line;
	size_t n;
};

static void note(struct settings *s, unsigned option, const char *value)
{
	s->sum = s->sum * 31 + option;
	for (const char *c = value ? value : ""; *c; c++)
		s->sum = s->sum * 31 + (unsigned char)*c;
	if (value && *value && s->line)
		fuzz_check(memmem(s->line, s->n, value, strlen(value)));
}

static int set_wait(const struct options_spec *o, void *to, const char *value,
    char reason[OPTIONS_REASON])
{
	(void)o;
	int64_t ns = -1;

	fuzz_check(value);
	note(to, 1, value);
	if (units_duration(value, &ns) == 0) {
		fuzz_check(ns >= 0);
		return 0;
	}
	fuzz_check(ns == -1);
	snprintf(reason, OPTIONS_REASON, "is not a duration");
	return -1;
}

static int set_rows(const struct options_spec *o, void *to, const char *value,
    char reason[OPTIONS_REASON])
{
	(void)o;
	int64_t n = -1;

	fuzz_check(value);
	note(to, 2, value);
	if (units_count(value, 1, 10000000, &n) == 0 || units_bytes(value, 1, 10000000, &n) == 0) {
		fuzz_check(n >= 1 && n <= 10000000);
		return 0;
	}
	memset(reason, 'w', OPTIONS_REASON - 1);
	reason[OPTIONS_REASON - 1] = '\0';
	return -1;
}

static int set_host(const struct options_spec *o, void *to, const char *value,
    char reason[OPTIONS_REASON])
{
	(void)o;
	(void)reason;
	fuzz_check(value);
	note(to, 3, value);
	return 0;
}

static int set_ordered(const struct options_spec *o, void *to, const char *value,
    char reason[OPTIONS_REASON])
{
	(void)o;
	(void)reason;
	fuzz_check(!value);
	note(to, 4, value);
	return 0;
}

static int set_never(const struct options_spec *o, void *to, const char *value,
    char reason[OPTIONS_REASON])
{
	(void)o;
	(void)to, (void)value, (void)reason;
	fuzz_check(!"a file cannot set what is for the command line only");
	return -1;
}

static const struct options_spec table[] = {
	{ "wait", 'w', "DURATION", "", "500ms", .set = set_wait },
	{ "rows", 'r', "COUNT", "", "100000", .set = set_rows },
	{ "host", 0, "HOST", "", NULL, .set = set_host },
	{ "ordered", 'o', NULL, "", NULL, .set = set_ordered },
	{ "help", 'h', NULL, "", NULL, .set = set_never, .command_line_only = true },
	{ .name = NULL },
};

static void check_reason(const char reason[OPTIONS_REASON])
{
	size_t n = strnlen(reason, OPTIONS_REASON);

	fuzz_check(n > 0 && n < OPTIONS_REASON);
	for (size_t i = 0; i < n; i++)
		fuzz_check((unsigned char)reason[i] >= ' ' && reason[i] != 0x7f);
}

/* Line by line, until one is refused. Returns what options_file() should. */
static int read_lines(const uint8_t *data, size_t size, struct settings *s)
{
	const char *at = (const char *)data, *end = at + size;
	char reason[OPTIONS_REASON];

	if (size >= 3 && memcmp(at, "\xef\xbb\xbf", 3) == 0)
		at += 3;
	while (at < end) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));

		if (!stop)
			stop = end;
		s->line = at;
		s->n = (size_t)(stop - at);
		memset(reason, '\0', sizeof reason);
		if (options_line(table, s, at, s->n, reason) < 0) {
			check_reason(reason);
			return -1;
		}
		at = stop < end ? stop + 1 : end;
	}
	return 0;
}

/* As a file that exists in memory only. What it says goes nowhere. */
static int read_file(const uint8_t *data, size_t size, struct settings *s)
{
	char path[40];
	int fd = memfd_create("fuzz_options", MFD_CLOEXEC), real_stderr, nowhere, result;

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	real_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
	dup2(nowhere, STDERR_FILENO);
	result = options_file(table, s, path);
	dup2(real_stderr, STDERR_FILENO);
	close(real_stderr);
	close(nowhere);
	close(fd);
	return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct settings by_lines = { 0 }, by_file = { 0 };
	/* A copy of the exact size, so that AddressSanitizer sees one byte too many. */
	uint8_t *copy = malloc(size + !size);
	int result;

	if (!copy)
		abort();
	if (size)
		memcpy(copy, data, size);
	result = read_lines(copy, size, &by_lines);
	/* Files cost system calls, and the way by lines has nearly all the code: one in sixteen. */
	if (size % 16 == 0) {
		fuzz_check(read_file(copy, size, &by_file) == result);
		fuzz_check(by_file.sum == by_lines.sum);
	}
	free(copy);
	return 0;
}
