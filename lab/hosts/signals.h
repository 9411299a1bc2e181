/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The relay's signals: they set flags, which its loop reads. */
#pragma once

#include <signal.h>

/* From now on SIGTERM, SIGHUP, SIGINT and SIGQUIT set flags; the terminal's stop signals, SIGPIPE
 * and SIGXFSZ have no effect, because the near command decides whether to stop. An executed program
 * inherits none of this. */
void signals_catch(void);
/* Undoes that in a child that executes no program yet: there a signal must act, not set a flag. */
void signals_release(void);
/* Blocks the signals with flags; `mask` is the mask before, for pselect(). */
void signals_block(sigset_t *mask);
/* Takes a signal whose flag is set; 0 for none. `typed`: the terminal sent it, to the whole
 * foreground. */
int signals_take(bool *typed);
/* Ends the process by the signal in a tenth of a second, whatever it does then. */
void signals_end_process_soon(int number);
/* Ends the process by the signal, so that the parent sees the reason. */
void signals_end_process(int number) __attribute__((noreturn));
