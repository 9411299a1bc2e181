/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What options.c and options-file.c share: showing what somebody wrote, and finding what they
 * may have meant. Pure. */
#ifndef UPCASE_OPTIONS_TEXT_H
#define UPCASE_OPTIONS_TEXT_H

#include <stddef.h>

#include "common/options.h"

/* Room for a text shown by options_shown(): characters of four bytes, the sign that some were
 * left out, and the end. */
#define OPTIONS_SHOWN 176
/* The most columns of it. */
#define OPTIONS_SHOWN_COLUMNS 40

/* The `n` bytes at `text` for a message: what could drive a terminal is spelt out (\x1b), a long
 * text is cut. Returns `buf`. */
char *options_shown(const char *text, size_t n, char buf[OPTIONS_SHOWN]);

/* The option of this name, `n` bytes; NULL if there is none. */
const struct options_spec *options_find(const struct options_spec *table, const char *name,
    size_t n);

/* The option that was probably meant by a name that is none; NULL if none is near. */
const struct options_spec *options_nearest(const struct options_spec *table, const char *name,
    size_t n);

/* "a" or "an", as the word wants it. */
const char *options_article(const char *word);

#endif
