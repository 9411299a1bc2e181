/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The files of keys that readline reads by itself: it would wait for a FIFO, take in a file of any
 * size, and follow $include for ever. */
#ifndef UPCASE_INPUTRC_H
#define UPCASE_INPUTRC_H

#include <stdbool.h>
#include <stddef.h>

/* Whether readline may read the user's inputrc with all that it includes: ordinary files, of 256
 * KiB at most, 100 at most. What is missing or may not be read is readline's to leave out. Else
 * false, and one line in `why` says what is wrong. */
bool inputrc_check(char *why, size_t size);
/* From now on readline finds an empty one. */
void inputrc_none(void);

#endif
