/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How fast one source may come: a token bucket for each address, or /64, in a table of fixed size. Whoever has a million addresses
 * neither makes the table grow nor gets more than the buckets together give, nor takes away what others have. Pure. */
#ifndef UPCASED_QUOTA_H
#define UPCASED_QUOTA_H

#include <stdbool.h>
#include <stdint.h>

#include "server/source-key.h"

/* So many seconds' worth at once, where nothing else is said. */
#define QUOTA_BURST 2

struct quota;

/* Each source may come `rate` times a second (1 to 1,000,000,000), and `burst` times at once. NULL when memory is short. */
struct quota *quota_new(const struct hash_key *key, int64_t rate, int64_t burst);
/* NULL is nothing. */
void quota_free(struct quota *q);

/* Whether `who` may come now; ns of the monotonic clock. */
bool quota_take(struct quota *q, const struct source *who, int64_t now);

#endif
