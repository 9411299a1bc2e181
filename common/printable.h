/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Foreign text, made harmless for a terminal: arguments, paths, names, text of a peer or a file.
 * Pure. */
#pragma once

/* Room for the text of `n` bytes that printable_text() makes. */
#define PRINTABLE_ROOM(n) (4 * (n) + 1)

/* Escapes, byte by byte (\x1b), what could drive a terminal or change the order of its text: the
 * characters of utf8_is_control() and bytes that are not UTF-8. Where `utf8` is false, the terminal
 * has the locale's character set: bytes beyond ASCII that the locale prints as one character stay.
 * The controls in `kept`, such as "\n", stay too. Returns the length of `shown`, which ends with a
 * zero. */
size_t printable_text(char *shown, const void *text, size_t n, const char *kept, bool utf8);
/* The beginning of a character whose rest is still to come. All zero at first. */
struct printable_rest {
	unsigned char bytes[3];
	size_t n;
};
/* As printable_text() for text that comes in pieces, of `n` bytes, PRINTABLE_PIECE at most. */
#define PRINTABLE_PIECE 4096
#define PRINTABLE_PIECE_ROOM PRINTABLE_ROOM(PRINTABLE_PIECE + 3)
size_t printable_piece(struct printable_rest *rest, char shown[PRINTABLE_PIECE_ROOM],
    const void *text, size_t n, const char *kept, bool utf8);
/* The same in place, for UTF-8 that must not grow: a "?" for each byte. Returns `text`. */
char *printable_replace(char *text, size_t n);
