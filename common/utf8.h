/* SPDX-License-Identifier: GPL-3.0-or-later */
/* UTF-8: the well-formed byte sequences of table 3-7 of the Unicode Standard. Overlong forms,
 * surrogates and code points above U+10FFFF are ill-formed. Pure. */
#pragma once

/* The length of a character whose first byte is `first`: 1 to 4, or 0 if none begins so. */
static inline size_t utf8_length(unsigned char first)
{
	if (first < 0x80)
		return 1;
	if (first < 0xc2 || first > 0xf4)
		return 0;
	return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

static inline bool utf8_follows(unsigned char byte)
{
	return (byte & 0xc0) == 0x80;
}

/* Whether `second` can follow `first`, which begins a character of more than one byte: the second
 * byte has narrower limits after some first bytes, later bytes never. */
static inline bool utf8_second(unsigned char first, unsigned char second)
{
	switch (first) {
	case 0xe0:
		return second >= 0xa0 && second <= 0xbf;
	case 0xed:
		return second >= 0x80 && second <= 0x9f;
	case 0xf0:
		return second >= 0x90 && second <= 0xbf;
	case 0xf4:
		return second >= 0x80 && second <= 0x8f;
	default:
		return utf8_follows(second);
	}
}

/* The length of the character at `s`, of which `n` bytes, 1 or more, are there; 0 if it is none. */
static inline size_t utf8_character(const unsigned char *s, size_t n)
{
	size_t length = utf8_length(s[0]);

	if (length <= 1)
		return length;
	if (n < length || !utf8_second(s[0], s[1]))
		return 0;
	for (size_t i = 2; i < length; i++)
		if (!utf8_follows(s[i]))
			return 0;
	return length;
}

/* The character of `length` bytes at `s`, as utf8_character() has it. */
static inline uint32_t utf8_code(const unsigned char *s, size_t length)
{
	uint32_t code = length == 1 ? s[0] : s[0] & (0x7fu >> length);

	for (size_t i = 1; i < length; i++)
		code = code << 6 | (s[i] & 0x3fu);
	return code;
}

/* Whether a character could drive a terminal (the controls of ISO 6429), ends lines or changes the
 * order of the text around it (the Unicode Standard, section 23.2), so that names look alike. */
static inline bool utf8_is_control(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code < 0xa0) || (code >= 0x2028 && code <= 0x202e) ||
	       (code >= 0x2066 && code <= 0x2069) || code == 0x200e || code == 0x200f ||
	       code == 0x061c;
}

/* The length of the character at `s` as utf8_character() has it; 0 also if it is a control. */
static inline size_t utf8_harmless(const unsigned char *s, size_t n)
{
	const size_t length = utf8_character(s, n);

	return length && utf8_is_control(utf8_code(s, length)) ? 0 : length;
}

/* The number of bytes at the end of the text that begin an unfinished character: 0 to 3. */
static inline size_t utf8_cut_off(const unsigned char *s, size_t n)
{
	for (size_t k = 1; k <= 3 && k <= n; k++) {
		const unsigned char *first = s + n - k;

		if (utf8_follows(*first))
			continue;
		return utf8_length(*first) > k && (k == 1 || utf8_second(first[0], first[1])) ? k
		                                                                              : 0;
	}
	return 0;
}

/* The columns of UTF-8 whose characters are one column wide, as in all texts of the programs. */
static inline int utf8_columns(const char *text)
{
	int columns = 0;

	for (; *text; text++)
		columns += ((unsigned char)*text & 0xc0) != 0x80;
	return columns;
}
