/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Values in log-linear buckets: every power of two is cut into HISTOGRAM_PARTS equal ones, so that
 * memory is bounded and values have a relative error of at most 0.2 %. Pure. */
#pragma once

#define HISTOGRAM_PART_BITS 8
#define HISTOGRAM_PARTS (1 << HISTOGRAM_PART_BITS)
/* Values below HISTOGRAM_PARTS have a bucket each. */
#define HISTOGRAM_BUCKETS ((64 - HISTOGRAM_PART_BITS) * HISTOGRAM_PARTS)

struct histogram {
	uint64_t count;
	int64_t min, max; /* exact; 0 when `count` is */
	uint64_t buckets[HISTOGRAM_BUCKETS];
};

/* `value` in ns, 0 or more (less counts as 0). */
void histogram_add(struct histogram *h, int64_t value);
/* The quantile `q`, 0 to 1: linear between the two nearest values in order (Hyndman and Fan's type
 * 7), so that 0.5 is the median. -1 when there are too few values: fewer than two, or on average
 * less than one beyond it, count * min(q, 1 - q) < 1. */
int64_t histogram_quantile(const struct histogram *h, double q);
/* Values at most `value`, as exactly as the buckets have them. For curves. */
uint64_t histogram_at_most(const struct histogram *h, int64_t value);
/* The bucket's bounds: low <= value < high. */
void histogram_bounds(unsigned bucket, int64_t *low, int64_t *high);
