/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Capitals: Unicode's full upper-case mapping of UTF-8 (Unicode Standard section 3.13, toUppercase,
 * with the unconditional lines of SpecialCasing.txt), the same for every locale. Bytes that are not
 * UTF-8 pass unchanged. Pure, with a table of libunistring's data that is filled before main(). */
#pragma once

/* The most bytes out for each byte in: U+0390 has two, its capitals U+0399 U+0308 U+0301 six. */
#define CAPITALS_GROWTH 3
/* The most bytes that a stream holds back: the beginning of one character. */
#define CAPITALS_PART_MAX 3

/* A stream in capitals: the state between two reads. All zero is the start. */
struct capitals {
	/* The first bytes of a character whose rest has not come yet. */
	unsigned char part[CAPITALS_PART_MAX];
	/* How many of them there are. */
	unsigned char part_length;
};

/* Writes the capitals of a whole text (a datagram): `n` bytes at `in` into `out`, which has room
 * for CAPITALS_GROWTH * n bytes and does not overlap `in`. Returns the bytes written. A character
 * cut off at the end passes unchanged. */
size_t capitals_text(const void *in, size_t n, void *out);

/* How many of the first bytes at `in`, `n` at most, are ASCII with the capitals at `caps`. */
size_t capitals_ascii(const void *in, const void *caps, size_t n);

/* Writes the capitals of the next `n` bytes of a stream into `out`, which has room for
 * CAPITALS_GROWTH * (n + CAPITALS_PART_MAX) bytes and does not overlap `in`. Returns the bytes
 * written. At most CAPITALS_PART_MAX bytes, the beginning of a character, wait in `c`. */
size_t capitals_feed(struct capitals *c, const void *in, size_t n, void *out);

/* Ends the stream: writes what waits in `c`, unchanged, at most CAPITALS_PART_MAX bytes, and starts
 * anew. Returns the bytes written. */
size_t capitals_end(struct capitals *c, void *out);

/* The version of Unicode that has this mapping, for example "14.0". Static. */
const char *capitals_unicode(void);
