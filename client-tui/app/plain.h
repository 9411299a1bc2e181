/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The front end without a terminal: lines from standard input, replies to standard output, notices
 * to standard error. */
#ifndef UPCASE_PLAIN_H
#define UPCASE_PLAIN_H

#include "app/settings.h"

/* Runs to the end. `notice` is the first thing told, or NULL. Returns the exit status: 0 all
 * answered, 1 not. */
int plain_run(const struct settings *settings, const char *notice);

#endif
