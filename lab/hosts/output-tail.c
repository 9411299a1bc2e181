/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "lab/hosts/output-tail.h"

#include <stdio.h>
#include <string.h>

#include "common/printable.h"

void tail_add(struct tail *tail, const char *text, size_t n)
{
	if (n > TAIL_SIZE) {
		text += n - TAIL_SIZE;
		n = TAIL_SIZE;
	}
	if (tail->n + n > TAIL_SIZE) {
		size_t old = tail->n + n - TAIL_SIZE;

		memmove(tail->text, tail->text + old, tail->n - old);
		tail->n -= old;
	}
	memcpy(tail->text + tail->n, text, n);
	tail->n += n;
}

char *tail_last_line(const struct tail *tail, char *line, size_t size)
{
	size_t end = tail->n, start;

	while (end > 0 && tail->text[end - 1] == '\n')
		end--;
	for (start = end; start > 0 && tail->text[start - 1] != '\n'; start--)
		;
	snprintf(line, size, "%.*s", (int)(end - start), tail->text + start);
	return printable_tame(line, strlen(line));
}
