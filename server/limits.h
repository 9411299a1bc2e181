/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How many descriptors this process may have that select() can watch. */
#ifndef UPCASED_LIMITS_H
#define UPCASED_LIMITS_H

/* Raises the soft limit of open files up to FD_SETSIZE where the hard one allows it. Returns how many descriptors that
 * select() can watch are still free. */
int limits_free_descriptors(void);

#endif
