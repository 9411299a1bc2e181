/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The relay's signals: they set flags, which its loop reads. */
#ifndef UPCASE_LAB_SIGNALS_H
#define UPCASE_LAB_SIGNALS_H

#include <signal.h>
#include <stdbool.h>

/* From now on SIGTERM, SIGHUP, SIGINT and SIGQUIT set flags; the terminal's stop signals,
 * SIGPIPE and SIGXFSZ do nothing: whether to stop is for the near command. What is executed
 * inherits none of this. */
void signals_catch(void);
/* Undoes that, in a child that executes nothing yet: there a signal must act, not set a flag. */
void signals_release(void);
/* Blocks those with flags; `mask` is the mask before, for pselect(). */
void signals_block(sigset_t *mask);
/* Takes a signal whose flag is set; 0 if there is none. `typed`: the terminal sent it, to the whole
 * foreground. */
int signals_take(bool *typed);
/* The process dies of it in a tenth of a second, whatever it does then. */
void signals_die_soon(int number);
/* The process dies of it, so that the parent sees why. */
void signals_die(int number) __attribute__((noreturn));

#endif
