/* SPDX-License-Identifier: GPL-3.0-or-later */
/* FNV-1a (Fowler, Noll and Vo), 64 bits. Bytes that others can choose need a keyed hash:
 * server/sources.h. Pure. */
#pragma once

#define FNV_START UINT64_C(0xcbf29ce484222325)

static inline uint64_t fnv_byte(uint64_t hash, unsigned char byte)
{
	return (hash ^ byte) * UINT64_C(0x100000001b3);
}

static inline uint64_t fnv_hash(const void *bytes, size_t n)
{
	const unsigned char *at = bytes;
	uint64_t hash = FNV_START;

	for (size_t i = 0; i < n; i++)
		hash = fnv_byte(hash, at[i]);
	return hash;
}
