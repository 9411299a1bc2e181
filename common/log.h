/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The server's log: one event a line on stderr, with the wall clock's time, rate-limited so that no
 * peer can fill a disk. The caller escapes control characters in text from the network; log_event()
 * itself turns any control character, and bytes that are not UTF-8, into '?'. A line has 1024 bytes
 * at most and is one write(). A stderr that is closed, or whose reader does not read, never blocks
 * the program: the line counts as left out. (A reader that closes between poll() and write() raises
 * SIGPIPE, which the programs ignore.) */
#pragma once

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_NOTICE, LOG_LEVEL_INFO, LOG_LEVEL_PEER };

/* Each line begins with standard_program(); events above `level` are left out. */
void log_open(enum log_level level);

/* Whether events of `level` are written at all: saves the cost of making their text. */
bool log_enabled(enum log_level level);

/* Logs one event: at most 20 lines a second on average with bursts of 100. A line of its own gives
 * the number of events left out once there is room again. Errors count as the others. */
void log_event(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same, never left out: start-up, totals, the end. It counts for the rate limit. */
void log_always(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Logs how many events were left out, if any. */
void log_flush(void);
