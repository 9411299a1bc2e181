/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Standard input, output and error. All text on standard error goes through this file, and so does
 * foreign text on a terminal: nothing in it drives the terminal (printable.h). */
#pragma once

/* Opens /dev/null for those of descriptors 0 to 2 that the caller closed: otherwise sockets and
 * files would get them. Reading 0 or writing 1 then fails, so that the error shows. `flags`:
 * O_CLOEXEC where a command is to find them closed as well. `program` is the name of the program
 * in messages; it must live on. Returns 0, or 1, an exit status, after a line on stderr. */
int standard_open(const char *program, int flags);
const char *standard_program(void);
/* Whether the locale's characters are UTF-8. Call it after setlocale(). */
bool standard_utf8(void);
/* Writes all bytes to descriptor 1, past the stream. Returns whether it could. Signal-safe. */
bool standard_write(const char *bytes, size_t n);
/* The same for a terminal, with controls escaped; a character may come in pieces. */
bool standard_show(const void *bytes, size_t n);
/* Whether reading from `fd` (POLLIN) or writing to it (POLLOUT) would have to wait. Signal-safe. */
bool standard_would_block(int fd, short events);
/* Makes `fd`, a pipe or terminal that can be reopened, non-blocking for this process alone. */
void standard_nonblocking(int fd);
/* Writes lines of text whose foreign parts are escaped on a terminal and on stderr. */
void standard_put(FILE *out, const char *text);
/* Writes one line to standard error, behind the program's name; escapes newlines in it. */
void standard_report(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Flushes standard output. Returns 0, or 1, an exit status, after a line on stderr. */
int standard_end(void);
