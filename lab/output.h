/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files whose names the user gives and to which the lab writes. */
#ifndef UPCASE_LAB_OUTPUT_H
#define UPCASE_LAB_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

/* Opens it to append, without waiting: a new file; an ordinary one of the effective user that is
 * empty or whose first bytes, at most 16, `kind` recognises (NULL: any); a FIFO or a pipe, both
 * ways, so that it neither needs a reader nor suffers when one goes; /dev/null or /dev/full.
 * Returns the descriptor, which does not block, or -1 with the reason in *why, as
 * file_replaceable() gives it. */
int output_open(const char *path, bool (*kind)(const char *bytes, size_t n), const char **why);

#endif
