/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Text that grows in a buffer of fixed size. Pure. */
#pragma once

#include "common/units.h"

/* Text that does not fit is left out, but counted in `used`: with size 0 it is measured. */
struct text {
	char *buf;
	size_t size, used;
};

/* Starts with an empty buffer; or with TEXT_PAGE bytes of malloc(), `buf` NULL when that fails. */
struct text text_begin(char *buf, size_t size);
struct text text_page(void);
#define TEXT_PAGE 16384
void text_put(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Arguments for "%s", each in memory of its own that lasts as long as the block of the call:
 * "1 duplicate", "2 duplicates"; a value, 0 or more, with `digits` decimals, 15 digits in all at
 * most, halves rounded up; "40.9 ms". */
#define TEXT_COUNT(n, one) text_count((char[TEXT_WORDS]){ 0 }, n, one)
#define TEXT_DECIMAL(value, digits) text_decimal((char[TEXT_WORDS]){ 0 }, value, digits)
#define TEXT_SPAN(ns) UNITS_DURATION(ns, "µ")
#define TEXT_WORDS 60
/* The words of any format, at most 299 bytes. */
#define TEXT_FORMAT(...) text_format((char[TEXT_FORMAT_SIZE]){ 0 }, __VA_ARGS__)
#define TEXT_FORMAT_SIZE 300
char *text_format(char buf[TEXT_FORMAT_SIZE], const char *format, ...)
    __attribute__((format(printf, 2, 3)));
char *text_count(char buf[TEXT_WORDS], uint64_t n, const char *one);
char *text_decimal(char buf[TEXT_WORDS], double value, int digits);

/* Writes UTF-8 text of one column a character in at most `columns`, or 8, dots in place of the
 * middle of a longer one. Returns `buf`. */
char *text_middle(char *buf, size_t size, const char *utf8, int columns);
/* Writes a refusal to `reason`. Returns -1. */
int text_refuse(char *reason, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Adds `s` to the text in a buffer. */
void text_append(char *buf, size_t size, const char *s);
/* Whether `text` begins with `with`; with this word, behind which a blank or the end stands. */
static inline bool text_begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}
static inline bool text_begins_word(const char *text, const char *word)
{
	return text_begins(text, word) && strchr(" \t", text[strlen(word)]);
}
