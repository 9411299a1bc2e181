/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A value from 2^e to before 2^(e+1) is cut to its first HISTOGRAM_PART_BITS + 1 bits; the rest is
 * the bucket's number. Up to twice HISTOGRAM_PARTS the buckets are one wide. */
#include "ledger/histogram.h"

static unsigned bucket_of(int64_t value)
{
	unsigned cut;

	if (value < HISTOGRAM_PARTS)
		return value < 0 ? 0 : (unsigned)value;
	cut = 63 - HISTOGRAM_PART_BITS - (unsigned)__builtin_clzll((unsigned long long)value);
	return cut * HISTOGRAM_PARTS + (unsigned)(value >> cut);
}

void histogram_bounds(unsigned bucket, int64_t *low, int64_t *high)
{
	/* The bits that are cut off a value of this bucket. */
	const unsigned cut = bucket < 2 * HISTOGRAM_PARTS ? 0 : bucket / HISTOGRAM_PARTS - 1;
	const int64_t first = (int64_t)bucket - (int64_t)cut * HISTOGRAM_PARTS;

	*low = first << cut;
	/* The last bucket ends at the greatest number. */
	*high = first + 1 > INT64_MAX >> cut ? INT64_MAX : (first + 1) << cut;
}

void histogram_add(struct histogram *h, int64_t value)
{
	if (value < 0)
		value = 0;
	if (h->count == 0 || value < h->min)
		h->min = value;
	if (value > h->max)
		h->max = value;
	h->count++;
	h->buckets[bucket_of(value)]++;
}

/* The value that represents a bucket: its middle, between the least and the greatest value. */
static int64_t middle(const struct histogram *h, unsigned bucket)
{
	int64_t low, high, value;

	histogram_bounds(bucket, &low, &high);
	value = low + (high - low - 1) / 2;
	return value < h->min ? h->min : value > h->max ? h->max : value;
}

/* The values at `rank` (0 is the least) and at the next rank, as exactly as the buckets have them.
 */
static void at_rank(const struct histogram *h, uint64_t rank, int64_t *here, int64_t *next)
{
	uint64_t below = h->buckets[0];
	unsigned bucket = 0;

	while (below <= rank)
		below += h->buckets[++bucket];
	*here = rank == 0 ? h->min : rank + 1 == h->count ? h->max : middle(h, bucket);
	while (rank + 1 < h->count && below <= rank + 1)
		below += h->buckets[++bucket];
	*next = rank + 2 >= h->count ? h->max : middle(h, bucket);
}

int64_t histogram_quantile(const struct histogram *h, double q)
{
	const double beyond = (double)h->count * (q < 0.5 ? q : 1 - q);
	int64_t here, next;

	/* 1000 lines are enough for 0.999, though 1 - 0.999 is slightly less than a thousandth. */
	if (h->count < 2 || beyond < 1 - 1e-9)
		return -1;
	const double place = q * (double)(h->count - 1);
	const uint64_t rank = (uint64_t)place;

	at_rank(h, rank, &here, &next);
	return here + (int64_t)((place - (double)rank) * (double)(next - here) + 0.5);
}

uint64_t histogram_at_most(const struct histogram *h, int64_t value)
{
	uint64_t count = 0;

	if (value < 0 || h->count == 0 || value < h->min)
		return 0;
	if (value >= h->max)
		return h->count;
	for (unsigned bucket = 0, last = bucket_of(value); bucket <= last; bucket++)
		count += h->buckets[bucket];
	return count;
}
