/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The end of what a program said: kept to be shown if it goes wrong. */
#ifndef UPCASE_LAB_TAIL_H
#define UPCASE_LAB_TAIL_H

#include <stddef.h>

#define TAIL_SIZE 1024

struct tail {
	char text[TAIL_SIZE];
	size_t n;
};

/* Adds; what is too old is forgotten. */
void tail_add(struct tail *tail, const char *text, size_t n);
/* The last line that is not empty, without its newline, and with '?' for control characters, into `line`. Returns `line`. */
char *tail_last_line(const struct tail *tail, char *line, size_t size);

#endif
