/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Text for the line editor: characters of the locale only. In vi mode readline 8.2 loops for ever
 * over a line with bytes that are none, so none may get into it. Pure but for the locale. */
#ifndef UPCASE_VALID_TEXT_H
#define UPCASE_VALID_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Some bytes of `text` are no character. */
bool valid_text_is_broken(const void *text, size_t n);
/* A copy with a sign (U+FFFD or "?") in place of each such byte, and a zero at the end that is not
 * counted in *length; the caller frees. NULL when memory is short. */
unsigned char *valid_text_copy(const void *text, size_t n, size_t *length);

#endif
