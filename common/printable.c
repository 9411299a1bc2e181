/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/printable.h"

#include <ctype.h>

#include "common/utf8.h"

/* The length of the character at `s` if it stays unchanged, else 0. */
static size_t count_shown(const unsigned char *s, size_t n, const char *kept, bool utf8)
{
	const size_t length = utf8 || *s < 0x80 ? utf8_character(s, n) : 0;

	if (*s && strchr(kept, *s))
		return 1;
	/* CR LF. */
	if (n > 1 && s[0] == '\r' && s[1] == '\n' && strchr(kept, '\n'))
		return 2;
	if (length)
		return utf8_is_control(utf8_code(s, length)) ? 0 : length;
	/* 0x80 to 0x9f are controls in each one-byte set that a terminal can mistake for one of
	 * ISO's. */
	return !utf8 && MB_CUR_MAX == 1 && *s >= 0xa0 && isprint(*s);
}

size_t printable_text(char *shown, const void *text, size_t n, const char *kept, bool utf8)
{
	const unsigned char *s = text;
	size_t used = 0;

	for (size_t at = 0, length; at < n; at += length ? length : 1) {
		length = count_shown(s + at, n - at, kept, utf8);
		if (length)
			memcpy(shown + used, s + at, length);
		else
			sprintf(shown + used, "\\x%02x", s[at]);
		used += length ? length : 4;
	}
	shown[used] = '\0';
	return used;
}

size_t printable_piece(struct printable_rest *rest, char shown[PRINTABLE_PIECE_ROOM],
    const void *text, size_t n, const char *kept, bool utf8)
{
	unsigned char piece[PRINTABLE_PIECE + sizeof rest->bytes];

	memcpy(piece, rest->bytes, rest->n);
	memcpy(piece + rest->n, text, n);
	n += rest->n;
	rest->n = utf8 ? utf8_cut_off(piece, n) : 0;
	n -= rest->n;
	memcpy(rest->bytes, piece + n, rest->n);
	return printable_text(shown, piece, n, kept, utf8);
}

char *printable_replace(char *text, size_t n)
{
	unsigned char *s = (unsigned char *)text;

	for (size_t at = 0, length; at < n; at += length ? length : 1) {
		length = utf8_character(s + at, n - at);
		if (utf8_harmless(s + at, n - at) == 0)
			memset(s + at, '?', length ? length : 1);
	}
	return text;
}
