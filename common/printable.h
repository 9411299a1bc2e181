/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is not ours, as it may meet a terminal: arguments, paths, names, what a peer or a file says.
 * Pure. */
#ifndef UPCASE_PRINTABLE_H
#define UPCASE_PRINTABLE_H

#include <stdbool.h>
#include <stddef.h>

/* Room for the text of `n` bytes that printable_text() makes. */
#define PRINTABLE_ROOM(n) (4 * (n) + 1)

/* Spells out what could drive a terminal or turn the order of its text about, byte by byte (\x1b):
 * what utf8_is_control() names, and what is no UTF-8. Where `utf8` is false the terminal takes the
 * locale's bytes: then of those beyond ASCII what the locale prints as one character stays. The
 * controls in `kept` stay too, such as "\n". Returns the length of `shown`, which ends with a zero.
 */
size_t printable_text(char *shown, const void *text, size_t n, const char *kept, bool utf8);
/* The same of UTF-8 where it must not become longer: in place, with a "?" for each byte. Returns
 * `text`. */
char *printable_replace(char *text, size_t n);

#endif
