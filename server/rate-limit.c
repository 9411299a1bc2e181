/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table has sets of a few places each, found by a keyed hash, so that nobody can choose whose
 * set to crowd. A source that is not there takes the place whose bucket is nearest to full. If that
 * one is full, nothing is lost: its owner would find it full again. If not, the newcomer takes over
 * what is missing in it: so nobody gets a full bucket by being pushed out, and all sources of a
 * crowded set together get what its buckets give. */
#include "config.h"

#include "server/rate-limit.h"

#include <stdlib.h>

#include "common/bucket.h"

#define SETS 4096
#define PLACES 4

struct rate_limit_entry {
	/* The source's; two sources with the same 64 bits are not to be expected. */
	uint64_t hash;
	/* When its bucket is full again. */
	int64_t full;
};

struct rate_limit {
	struct siphash_key key;
	int64_t rate, burst;
	struct rate_limit_entry sets[SETS][PLACES];
};

struct rate_limit *rate_limit_new(const struct siphash_key *key, int64_t rate, int64_t burst)
{
	struct rate_limit *q = calloc(1, sizeof *q);

	if (q) {
		q->key = *key;
		q->rate = rate;
		q->burst = burst;
	}
	return q;
}

void rate_limit_free(struct rate_limit *q)
{
	free(q);
}

static struct rate_limit_entry *find(struct rate_limit *q, uint64_t hash)
{
	struct rate_limit_entry *set = q->sets[hash % SETS], *fullest = &set[0];

	for (int i = 0; i < PLACES; i++) {
		if (set[i].hash == hash)
			return &set[i];
		if (set[i].full < fullest->full)
			fullest = &set[i];
	}
	fullest->hash = hash;
	return fullest;
}

bool rate_limit_take(struct rate_limit *q, const struct source_key *who, int64_t now)
{
	struct rate_limit_entry *p = find(q, source_key_hash(&q->key, who));
	struct bucket b = bucket_full(q->rate, q->burst);
	bool taken;

	b.full = p->full;
	taken = bucket_take(&b, now);
	p->full = b.full;
	return taken;
}
