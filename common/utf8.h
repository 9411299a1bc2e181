/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is UTF-8 and what is not: the well-formed byte sequences of table 3-7 of the Unicode Standard. Overlong
 * forms, surrogates and what lies above U+10FFFF are not. Pure. */
#ifndef UPCASE_UTF8_H
#define UPCASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* How long a character that begins with `first` is: 1 to 4, or 0 if none begins so. */
static inline size_t utf8_length(unsigned char first)
{
	if (first < 0x80)
		return 1;
	if (first < 0xc2 || first > 0xf4)
		return 0;
	return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

/* Whether `second` can follow `first` in a character of more than one byte: only the second byte has limits of its
 * own. */
static inline bool utf8_second(unsigned char first, unsigned char second)
{
	unsigned char low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
	unsigned char high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;

	return second >= low && second <= high;
}

/* How many of the `n` bytes at `s`, one at least, belong to one character, whole or cut off by the end; and `*length`,
 * how long that character is when it is whole. The two differ for one that is cut off, and for one that an unfit byte
 * breaks off, which `*length` 0 tells apart: then so many bytes are no character. */
static inline size_t utf8_span(const unsigned char *s, size_t n, size_t *length)
{
	size_t have = 1;

	*length = utf8_length(*s);
	if (*length <= 1)
		return 1;
	if (n > 1 && utf8_second(s[0], s[1]))
		for (have = 2; have < *length && have < n && (s[have] & 0xc0) == 0x80;)
			have++;
	if (have < *length && have < n)
		*length = 0;
	return have;
}

#endif
