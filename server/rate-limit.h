/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How fast one source may come: a token bucket for each address, or /64, in a table of fixed size.
 * Whoever has a million addresses neither makes the table grow nor gets more than the buckets
 * together give, nor takes away what others have. Pure. */
#ifndef UPCASED_RATE_LIMIT_H
#define UPCASED_RATE_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "server/source-key.h"

/* So many seconds' worth at once, where nothing else is said. */
#define RATE_LIMIT_BURST 2

struct rate_limit;

/* Each source may come `rate` times a second (1 to 1,000,000,000), and `burst` times at once. NULL
 * when memory is short. */
struct rate_limit *rate_limit_new(const struct siphash_key *key, int64_t rate, int64_t burst);
/* NULL is nothing. */
void rate_limit_free(struct rate_limit *q);

/* Whether `who` may come now; ns of the monotonic clock. */
bool rate_limit_take(struct rate_limit *q, const struct source_key *who, int64_t now);

#endif
