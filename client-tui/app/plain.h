/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The front end without a terminal: lines from standard input, replies to standard output, notices
 * to standard error. */
#ifndef UPCASE_PLAIN_H
#define UPCASE_PLAIN_H

#include "app/settings.h"
#include "record/replay.h"

/* Runs to the end. `notice` is shown first, or NULL. Returns the exit status: 0 all
 * answered, 1 not. */
int plain_run(const struct settings *settings, const char *notice);
/* Shows a recording, all at once: as replies in the order in which they came, or as records.
 * Returns the exit status, as above. */
int plain_replay(const struct settings *settings, struct replay *replay);

#endif
