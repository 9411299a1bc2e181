/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "lab/hosts/output-tail.h"

#include <stdio.h>
#include <string.h>

#include "common/printable.h"

void output_tail_add(struct output_tail *output_tail, const char *text, size_t n)
{
	if (n > OUTPUT_TAIL_SIZE) {
		text += n - OUTPUT_TAIL_SIZE;
		n = OUTPUT_TAIL_SIZE;
	}
	if (output_tail->n + n > OUTPUT_TAIL_SIZE) {
		size_t old = output_tail->n + n - OUTPUT_TAIL_SIZE;

		memmove(output_tail->text, output_tail->text + old, output_tail->n - old);
		output_tail->n -= old;
	}
	memcpy(output_tail->text + output_tail->n, text, n);
	output_tail->n += n;
}

char *output_tail_last_line(const struct output_tail *output_tail, char *line, size_t size)
{
	size_t end = output_tail->n, start;

	while (end > 0 && output_tail->text[end - 1] == '\n')
		end--;
	for (start = end; start > 0 && output_tail->text[start - 1] != '\n'; start--)
		;
	snprintf(line, size, "%.*s", (int)(end - start), output_tail->text + start);
	return printable_replace(line, strlen(line));
}
