/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A process has one stderr and so one log, kept here. A log that is passed down would be in the
 * signature of every function that may log something. */
#include "common/log.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <time.h>
#include <unistd.h>

#include "common/bucket.h"
#include "common/clock.h"
#include "common/printable.h"
#include "common/standard.h"
#include "common/text.h"
#include "common/utf8.h"

#define LINES_A_SECOND 20
#define LINES_AT_ONCE 100
/* The longest line with its end; well below PIPE_BUF, so that it is written whole or not at all. */
#define LINE_MAX_BYTES 1024

static struct {
	enum log_level level;
	struct bucket bucket;
	/* Events that were left out since the last one that was written. */
	uint64_t left_out;
} one_log = { .level = LOG_LEVEL_NOTICE,
	.bucket = { .interval = NS_PER_S / LINES_A_SECOND, .burst = LINES_AT_ONCE } };

void log_open(enum log_level level)
{
	/* Reads the time zone before a sandbox forbids it. */
	tzset();
	one_log.level = level;
	one_log.left_out = 0;
	one_log.bucket = bucket_full(LINES_A_SECOND, LINES_AT_ONCE);
	standard_nonblocking(STDERR_FILENO);
}

/* Writes a line, unless that would have to wait: a stalled reader of stderr must not hold up the
 * program. Returns whether it was written. */
static bool write_line(const char *line, size_t n)
{
	struct pollfd fd = { .fd = STDERR_FILENO, .events = POLLOUT };
	ssize_t written;

	bucket_spend(&one_log.bucket, clock_monotonic());
	if (poll(&fd, 1, 0) != 1 || !(fd.revents & POLLOUT) || (fd.revents & (POLLERR | POLLNVAL)))
		return false;
	do
		written = write(STDERR_FILENO, line, n);
	while (written < 0 && errno == EINTR);
	return written > 0;
}

static size_t put_start(char line[LINE_MAX_BYTES])
{
	const int64_t now = clock_realtime();
	const time_t seconds = (time_t)(now / NS_PER_S);
	struct tm tm;
	size_t n = strftime(line, LINE_MAX_BYTES, "%Y-%m-%dT%H:%M:%S", gmtime_r(&seconds, &tm));

	return n + (size_t)snprintf(line + n, LINE_MAX_BYTES - n,
	               ".%03dZ %.60s: ", (int)(now % NS_PER_S / NS_PER_MS), standard_program());
}

static bool write_text(const char *text)
{
	char line[LINE_MAX_BYTES];
	size_t start = put_start(line), room = sizeof line - start - 1, n = strlen(text);

	if (n >= room) {
		n = room - 1;
		n -= utf8_cut_off((const unsigned char *)text, n);
	}
	memcpy(line + start, text, n);
	printable_replace(line + start, n);
	line[start + n] = '\n';
	return write_line(line, start + n + 1);
}

void log_flush(void)
{
	if (one_log.left_out &&
	    write_text(TEXT_FORMAT("%s left out here", TEXT_COUNT(one_log.left_out, "event"))))
		one_log.left_out = 0;
}

bool log_enabled(enum log_level level)
{
	return level <= one_log.level;
}

static void __attribute__((format(printf, 1, 0))) write_event(const char *format, va_list args)
{
	char text[LINE_MAX_BYTES];

	vsnprintf(text, sizeof text, format, args);
	log_flush();
	if (!write_text(text))
		one_log.left_out++;
}

void log_event(enum log_level level, const char *format, ...)
{
	va_list args;

	if (!log_enabled(level))
		return;
	if (!bucket_has(&one_log.bucket, clock_monotonic())) {
		one_log.left_out++;
		return;
	}
	va_start(args, format);
	write_event(format, args);
	va_end(args);
}

void log_always(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	write_event(format, args);
	va_end(args);
}
