/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The signals that the front ends' loops act on. From the first one that ends the program on it has
 * less than a second, whatever it waits for or does: what stands still at standard input, output
 * and error is let go, so that the program can end as it always does; and where that does not help
 * it dies. */
#ifndef UPCASE_STOP_H
#define UPCASE_STOP_H

#include <stdbool.h>

#include "common/fd-watch.h"

/* Catches SIGINT, SIGTERM, SIGWINCH and, unless it is ignored, SIGHUP. `gentle`: the first SIGINT
 * is an interrupt, unless standard output or error stands still. */
void stop_catch(bool gentle);
/* The signal that ends the program, or 0. */
int stop_asked(void);
/* Whether what is done now may take long, as saving may; so may all once stop_asked() has told the
 * signal. */
void stop_may_work(bool may);
/* Whether there was an interrupt, or the terminal has another size, since the last time. */
bool stop_take_interrupt(void);
bool stop_take_resize(void);
/* Waits as long as `w` says or until such a signal; then nothing is ready. */
void stop_wait(struct fd_watch *w, int64_t now);

#endif
