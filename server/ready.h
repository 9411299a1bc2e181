/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reports the port to the program that started the server: --ready-fd and --port-file. */
#pragma once

#include <limits.h>
#include <sys/stat.h>

#include "common/options.h"

struct ready {
	/* The port file, NULL for none. Borrowed. */
	const char *file;
	/* The name of the file until it is whole and everything is ready; "" before and after. */
	char hidden[PATH_MAX];
	/* The identity of the file: one of the same name may be another server's. */
	struct stat made;
};

/* Whether `file` (NULL: none) may be written: it does not exist, or it is the user's and holds a
 * port. Returns 0, or -1 with the `reason`. */
int ready_check(const char *file, char reason[OPTIONS_REASON]);
/* Writes the port to a hidden file beside `file` (NULL: none): the part that can fail. Returns 0,
 * or -1 with the `reason`. */
int ready_prepare(struct ready *r, const char *file, uint16_t port, char reason[OPTIONS_REASON]);
/* Gives the hidden file its name. Returns 0, or -1 with the `reason`. */
int ready_file(struct ready *r, char reason[OPTIONS_REASON]);
/* Writes the port and an end of line to descriptor `fd` (-1: to none), which is then closed unless
 * it is one of the first three. Returns 0, or -1 with the `reason`. */
int ready_port(int fd, uint16_t port, char reason[OPTIONS_REASON]);
/* Removes the file, if it is still the one that was made. */
void ready_end(const struct ready *r);
