/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Restores the terminal when a fatal signal ends the program: a fault, an abort, a hang-up, or a
 * termination signal that the program itself does not handle. The signal then acts as usual. */
#pragma once

#include <termios.h>

#define RESTORE_BYTES 512

/* Catches the signals that have no handler yet, and all faults; a fault's existing handler is
 * called afterwards. A signal while armed writes `bytes` (fewer than RESTORE_BYTES) to standard
 * output and sets `modes` on standard input. Both are copied. The handlers stay. */
void restore_start(const char *bytes, const struct termios *modes);
void restore_arm(bool armed);
/* Restores the terminal if armed, without waiting for it. A signal handler may call it. */
void restore_now(void);
