/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The signals of the client's loops. After the first one that ends the program, the program has
 * less than a second: /dev/null replaces standard input, output and error where they block, so that
 * the program ends as usual; if that does not help, a signal kills the program. */
#pragma once

#include "common/fd-watch.h"

/* Catches SIGINT, SIGTERM, SIGWINCH and, unless it is ignored, SIGHUP. `interruptible`: the first
 * SIGINT is an interrupt, unless standard output or error blocks. */
void stop_catch(bool interruptible);
/* Returns the signal that ends the program, or 0. */
int stop_requested(void);
/* Sets whether the program saves now: then it may work long, and wait 9 s at a time for a disk or a
 * lock. After stop_requested() it may work long in any case. */
void stop_may_work(bool may);
/* Return true after an interrupt, or a change of the terminal's size, since the last call. */
bool stop_take_interrupt(void);
bool stop_take_resize(void);
/* Waits for `w`, or for such a signal: then nothing is ready. */
void stop_wait(struct fd_watch *w, int64_t now);
