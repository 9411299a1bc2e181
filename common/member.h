/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Members of structs by place and size: unsigned numbers, enums and bools of 1 to 8 bytes. Pure. */
#pragma once

#include "common/bytes.h"

/* Where the lowest `size` bytes of a number begin. */
static inline size_t member_low(size_t size)
{
	return bytes_big_endian ? sizeof(uint64_t) - size : 0;
}

static inline uint64_t member_get(const void *at, size_t size)
{
	uint64_t value = 0;

	memcpy((char *)&value + member_low(size), at, size);
	return value;
}

static inline void member_set(void *at, size_t size, uint64_t value)
{
	memcpy(at, (const char *)&value + member_low(size), size);
}
