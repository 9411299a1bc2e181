/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Standard input, output and error. Whatever is said on standard error goes through here, and so
 * does what is not ours on a terminal: nothing in it drives the terminal (printable.h). */
#ifndef UPCASE_STANDARD_H
#define UPCASE_STANDARD_H

#include <stdbool.h>
#include <stdio.h>

/* Descriptors 0 to 2 that the caller closed would be given to sockets and files. What stands in for
 * them can be neither read (0) nor written (1), so that what is missing is told. `flags`: O_CLOEXEC
 * where a command is to find them closed as well. Returns 0, or 1, an exit status, after a line
 * that says what was wrong. */
int standard_open(const char *program, int flags);
/* Whether terminals take UTF-8 here. After setlocale(). */
bool standard_utf8(void);
/* Where standard output is a terminal, lets nothing drive it from here on, for programs that never
 * do so themselves. */
void standard_filter(void);
/* Bytes as they are, past the stream, all of them: false if that failed. A signal handler may call
 * it. */
bool standard_write(const char *bytes, size_t n);
/* Whether nothing can be read from `fd` (POLLIN) or written to it (POLLOUT) without waiting. A
 * signal handler may call it. */
bool standard_would_block(int fd, short events);
/* From here on a write to `fd` does not wait but fails, if it is a pipe or a terminal that can be
 * opened anew: whoever else has it open notices nothing. */
void standard_nonblocking(int fd);
/* Text of ours, lines with parts that are not. Into a file or a pipe, but not standard error, it
 * goes as it is. */
void standard_put(FILE *out, const char *text);
/* One line on standard error; its end is added, ends of line in it are spelt out. */
void standard_say(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Hands standard output to the kernel. Returns 0, or 1, an exit status, after a line that says what
 * was wrong. */
int standard_end(const char *program);

#endif
