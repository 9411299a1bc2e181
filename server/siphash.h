/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A keyed hash, so that nobody outside can choose what falls together: SipHash-2-4 (Aumasson and
 * Bernstein, "SipHash: a fast short-input PRF", 2012). Pure. */
#ifndef UPCASED_SIPHASH_H
#define UPCASED_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

/* A secret: two random numbers, in the paper's order. */
struct siphash_key {
	uint64_t k0, k1;
};

uint64_t siphash_bytes(const struct siphash_key *key, const void *bytes, size_t n);

#endif
