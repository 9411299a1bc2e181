/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The end of what a program said: kept to be shown if it goes wrong. */
#ifndef UPCASE_LAB_OUTPUT_TAIL_H
#define UPCASE_LAB_OUTPUT_TAIL_H

#include <stddef.h>

#define OUTPUT_TAIL_SIZE 1024

struct output_tail {
	char text[OUTPUT_TAIL_SIZE];
	size_t n;
};

/* Adds; what is too old is forgotten. */
void output_tail_add(struct output_tail *output_tail, const char *text, size_t n);
/* The last line that is not empty, without its newline, and with '?' for control characters, into
 * `line`. Returns `line`. */
char *output_tail_last_line(const struct output_tail *output_tail, char *line, size_t size);

#endif
