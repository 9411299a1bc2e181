/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bytes in memory: what POSIX and C lack of searching, and the order of bytes in a word. Pure. */
#pragma once

/* Compilers define both. */
static const bool bytes_big_endian = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;

/* A word of which the first byte in memory is the lowest. */
static inline uint64_t bytes_little_endian(uint64_t word)
{
	return bytes_big_endian ? __builtin_bswap64(word) : word;
}

/* The first place of `length` bytes among `n`, or NULL. */
static inline const void *bytes_find(const void *in, size_t n, const void *what, size_t length)
{
	const unsigned char *at = in, *const end = at + n;

	for (; (size_t)(end - at) >= length; at++) {
		if (length > 0)
			at = memchr(at, *(const unsigned char *)what,
			    (size_t)(end - at) - length + 1);
		if (!at || memcmp(at, what, length) == 0)
			return at;
	}
	return NULL;
}

/* The last place of a byte among `n`, or NULL. */
static inline const void *bytes_find_last(const void *in, int byte, size_t n)
{
	const unsigned char *bytes = in;

	while (n > 0)
		if (bytes[--n] == byte)
			return bytes + n;
	return NULL;
}
