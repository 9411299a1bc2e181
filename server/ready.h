/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tells whoever started the server which port it got: --ready-fd and --port-file. */
#ifndef UPCASED_READY_H
#define UPCASED_READY_H

#include <limits.h>
#include <stdint.h>
#include <sys/stat.h>

#include "common/options.h"

struct ready {
	/* The file to be written, NULL for none. Borrowed. */
	const char *file;
	/* What it is called until it is whole and everything is ready; "" before and after. */
	char hidden[PATH_MAX];
	/* Which file it is: another server's of the same name is not ours to remove. */
	struct stat made;
};

/* Whether `file` (NULL: none) may be written: there is none yet, or one of the user's that holds a
 * port. Returns 0, or -1 with the reason in `why`. */
int ready_check(const char *file, char why[OPTIONS_WHY]);
/* Writes the port to a file beside `file` (NULL: none), as far as that can fail. Returns 0, or -1
 * with the reason in `why`. */
int ready_prepare(struct ready *r, const char *file, uint16_t port, char why[OPTIONS_WHY]);
/* The file appears, whole. Returns 0, or -1 with the reason in `why`. */
int ready_file(struct ready *r, char why[OPTIONS_WHY]);
/* Writes the port and an end of line to descriptor `fd` (-1: to none), which is then closed unless
 * it is one of the first three. Returns 0, or -1 with the reason in `why`. */
int ready_port(int fd, uint16_t port, char why[OPTIONS_WHY]);
/* Removes the file, if it is still the one that was made. */
void ready_end(const struct ready *r);

#endif
