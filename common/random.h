/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Repeatable random numbers: xoshiro256** (Blackman and Vigna, "Scrambled linear pseudorandom
 * number generators", 2021), seeded by SplitMix64 as its authors advise. Not for secrets. Pure. */
#pragma once

struct random {
	/* The generator's state, never all zero. */
	uint64_t s[4];
};

/* Seeds that differ in one bit give unrelated sequences, and so do streams of one seed. */
void random_seed(struct random *random, uint64_t seed, uint64_t stream);

/* The next 64 bits. */
uint64_t random_next(struct random *random);

/* The next share, uniform, 0 <= share < 1, in steps of 2^-53. */
double random_share(struct random *random);
