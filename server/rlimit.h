/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How many descriptors this process may have. */
#ifndef UPCASED_LIMITS_H
#define UPCASED_LIMITS_H

#include <stdint.h>

/* How many are open of those that select() can watch; whoever starts the server hands over no others. */
int limits_used(void);
/* Raises the limit of open files to `most` where that is allowed. Returns what it is then, `most` at most. */
int64_t limits_raise(int64_t most);

#endif
