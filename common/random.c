/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/random.h"

static uint64_t rotate(uint64_t x, int bits)
{
	return (x << bits) | (x >> (64 - bits));
}

/* SplitMix64: the golden ratio as the step, then a mix (Steele, Lea and Flood, 2014). */
static uint64_t split(uint64_t *x)
{
	*x += UINT64_C(0x9e3779b97f4a7c15);
	uint64_t z = *x;
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

void random_seed(struct random *random, uint64_t seed, uint64_t stream)
{
	/* Mixed before the xor: otherwise seed 1, stream 2 could equal seed 2, stream 1. */
	uint64_t x = seed ^ split(&stream);
	for (int i = 0; i < 4; i++)
		random->s[i] = split(&x);
}

uint64_t random_next(struct random *random)
{
	uint64_t *s = random->s;
	uint64_t result = rotate(s[1] * 5, 7) * 9;
	uint64_t t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotate(s[3], 45);
	return result;
}

double random_share(struct random *random)
{
	return (double)(random_next(random) >> 11) * 0x1p-53;
}
