/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Gives the terminal back when a fatal signal ends the program: a fault, an abort, a hang-up, or a
 * request to end that the program does not handle itself. The signal then does what it would have
 * done. */
#ifndef UPCASE_RESTORE_H
#define UPCASE_RESTORE_H

#include <stdbool.h>
#include <termios.h>

#define RESTORE_BYTES 512

/* Catches the signals that nobody handles yet (faults also when a handler is there, which is
 * called afterwards). If one comes while armed, `bytes` (fewer than RESTORE_BYTES) are written to
 * standard output and `modes` set on standard input. Copied. */
void restore_start(const char *bytes, const struct termios *modes);
void restore_arm(bool armed);
/* Gives it back if armed, without waiting for it. A signal handler may call it. */
void restore_now(void);
/* Puts the signals' handlers back, but for those that somebody replaced since. */
void restore_stop(void);

#endif
