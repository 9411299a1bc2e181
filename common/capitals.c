/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "capitals.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unicase.h>

#include "utf8.h"

/* The capitals of well-formed UTF-8. */
static size_t write_run(const unsigned char *in, size_t n, unsigned char *out)
{
	size_t size = CAPITALS_GROWTH * n;
	uint8_t *result;

	if (n == 0)
		return 0;
	result = u8_toupper(in, n, "", NULL, out, &size);
	if (!result) {
		memcpy(out, in, n);
		return n;
	}
	if (result != out) {
		memcpy(out, result, size);
		free(result);
	}
	return size;
}

/* Writes all but the beginning of a character that the end cuts off, and sets `*rest` to how many bytes that is. */
static size_t write_whole(const unsigned char *in, size_t n, unsigned char *out, size_t *rest)
{
	size_t run = 0, at = 0, written = 0, length, have;

	*rest = 0;
	while (at < n) {
		have = utf8_span(in + at, n - at, &length);
		if (length == have) {
			at += have;
			continue;
		}
		written += write_run(in + run, at - run, out + written);
		if (length) {
			*rest = have;
			return written;
		}
		memcpy(out + written, in + at, have);
		written += have;
		at += have;
		run = at;
	}
	return written + write_run(in + run, at - run, out + written);
}

size_t capitals_text(const void *in, size_t n, void *out)
{
	const unsigned char *from = in;
	unsigned char *to = out;
	size_t rest, written = write_whole(from, n, to, &rest);

	memcpy(to + written, from + n - rest, rest);
	return written + rest;
}

size_t capitals_feed(struct capitals *c, const void *in, size_t n, void *out)
{
	const unsigned char *from = in;
	unsigned char *to = out;
	unsigned char join[2 * CAPITALS_HELD + 1];
	size_t written = 0, rest, used = 0;

	while (c->held && used < n) {
		memcpy(join, c->part, c->held);
		join[c->held] = from[used++];
		written += write_whole(join, c->held + 1u, to + written, &rest);
		memcpy(c->part, join + c->held + 1 - rest, rest);
		c->held = (unsigned char)rest;
	}
	if (used == n)
		return written;
	written += write_whole(from + used, n - used, to + written, &rest);
	memcpy(c->part, from + n - rest, rest);
	c->held = (unsigned char)rest;
	return written;
}

size_t capitals_end(struct capitals *c, void *out)
{
	size_t n = c->held;

	memcpy(out, c->part, n);
	c->held = 0;
	return n;
}

const char *capitals_unicode(void)
{
	return "14.0";
}
