/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How many descriptors this process may have. */
#ifndef UPCASED_RLIMIT_H
#define UPCASED_RLIMIT_H

#include <stdint.h>

/* How many are open of those that select() can watch; whoever starts the server hands over no
 * others. */
int rlimit_used(void);
/* Raises the limit of open files to `max` where that is allowed. Returns what it is then, `max` at
 * most. */
int64_t rlimit_raise(int64_t max);

#endif
