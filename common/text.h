/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Text that grows in a buffer of fixed size. Pure. */
#ifndef UPCASE_COMMON_TEXT_H
#define UPCASE_COMMON_TEXT_H

#include <stddef.h>
#include <stdint.h>

/* Text that does not fit is left out, but counted in `used`: a first round with size 0 measures the
 * text. */
struct text {
	char *buf;
	size_t size, used;
};

/* Starts with an empty buffer. */
struct text text_begin(char *buf, size_t size);
void text_put(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* "1 duplicate", "2 duplicates". */
void text_count(struct text *t, uint64_t n, const char *one);
/* Writes a value, 0 or more, with `digits` decimals: 15 digits in all at most. Halves are rounded
 * up.
 */
void text_decimal(struct text *t, double value, int digits);
/* "40.9 ms". */
void text_span(struct text *t, int64_t ns);

/* Writes a refusal to `reason`. Returns -1. */
int text_refuse(char *reason, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Adds `s` to the text in a buffer. */
void text_append(char *buf, size_t size, const char *s);

#endif
