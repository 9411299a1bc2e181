/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "common/options-text.h"

#include <stdio.h>
#include <string.h>

#include "common/utf8.h"

/* No option's name is longer; what is longer is near none. */
#define NAME_MAX_BYTES 40

char *options_shown(const char *text, size_t n, char buf[OPTIONS_SHOWN])
{
	const unsigned char *s = (const unsigned char *)text;
	size_t at = 0, used = 0, columns = 0, length;

	while (at < n) {
		if (columns + 4 > OPTIONS_SHOWN_COLUMNS) {
			used += (size_t)sprintf(buf + used, "...");
			break;
		}
		length = utf8_character(s + at, n - at);
		if (length && !utf8_is_control(utf8_code(s + at, length))) {
			memcpy(buf + used, s + at, length);
			used += length;
			columns++;
			at += length;
		} else {
			used += (size_t)sprintf(buf + used, "\\x%02x", s[at++]);
			columns += 4;
		}
	}
	buf[used] = '\0';
	return buf;
}

const struct options_spec *options_find(const struct options_spec *table, const char *name,
    size_t n)
{
	for (; table->name; table++)
		if (strlen(table->name) == n && memcmp(table->name, name, n) == 0)
			return table;
	return NULL;
}

static unsigned min(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* The edits from `a` to `b`: characters put in, left out, changed, and neighbours swapped (the
 * "optimal string alignment" distance). Three rows of its table are enough. */
static unsigned distance(const char *a, size_t n, const char *b, size_t m)
{
	unsigned rows[3][NAME_MAX_BYTES + 1];

	for (size_t j = 0; j <= m; j++)
		rows[0][j] = (unsigned)j;
	for (size_t i = 1; i <= n; i++) {
		unsigned *row = rows[i % 3], *above = rows[(i + 2) % 3],
		         *higher = rows[(i + 1) % 3];

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= m; j++) {
			row[j] = min(min(above[j], row[j - 1]) + 1,
			    above[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = min(row[j], higher[j - 2] + 1);
		}
	}
	return rows[n % 3][m];
}

/* A third of the letters may be wrong: "wiat" is near "wait", but "tcp" is not near "udp". */
const struct options_spec *options_nearest(const struct options_spec *table, const char *name,
    size_t n)
{
	const struct options_spec *nearest = NULL;
	unsigned best = n / 3 < 3 ? (unsigned)(n / 3) + 1 : 4, d;

	if (n > NAME_MAX_BYTES)
		return NULL;
	for (; table->name; table++) {
		if (strlen(table->name) > NAME_MAX_BYTES)
			continue;
		d = distance(name, n, table->name, strlen(table->name));
		if (d < best) {
			best = d;
			nearest = table;
		}
	}
	return nearest;
}

const char *options_article(const char *word)
{
	/* A letter alone is said by its name: an N. */
	return strchr(word[1] ? "AEIOUaeiou" : "AEFHILMNORSXaefhilmnorsx", *word) ? "an" : "a";
}
