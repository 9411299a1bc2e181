/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Capitals as slowly and as plainly as can be, by libunistring, to compare ours with. */
#pragma once

#include <stdlib.h>
#include <string.h>
#include <unicase.h>
#include <unistr.h>

/* The capitals of the `n` bytes at `in` into `out`, with room for 3 * n; returns how many bytes.
 * Each valid character becomes what libunistring says, each byte that belongs to none passes. */
static inline size_t reference_capitals(const uint8_t *in, size_t n, uint8_t *out)
{
	size_t written = 0;

	for (size_t at = 0; at < n;) {
		ucs4_t uc;
		int length = u8_mbtoucr(&uc, in + at, n - at);
		size_t used = length < 0 ? 1 : (size_t)length, got = 0;
		uint8_t *capitals = length < 0 ? NULL
		                               : u8_toupper(in + at, used, "", NULL, NULL, &got);

		if (capitals)
			memcpy(out + written, capitals, got);
		else
			out[written] = in[at], got = 1;
		free(capitals);
		written += got;
		at += used;
	}
	return written;
}

/* Whether the `n` bytes are the beginning of a character, one byte at least, that lacks bytes. */
static inline int reference_begins(const uint8_t *s, size_t n)
{
	ucs4_t uc;

	return n > 0 && u8_mbtoucr(&uc, s, n) == -2;
}
