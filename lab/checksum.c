/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "checksum.h"

/* The Internet checksum (RFC 1071) of `n` bytes, not yet inverted. */
static uint16_t sum_up(const uint8_t *p, size_t n)
{
	uint64_t sum = 0;

	for (; n >= 2; p += 2, n -= 2)
		sum += (uint64_t)(p[0] << 8 | p[1]);
	if (n)
		sum += (uint64_t)(p[0] << 8);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

bool checksum_complete(uint8_t *packet, size_t n, size_t start, size_t offset)
{
	uint16_t sum;

	if (start > n || offset > n - start || n - start - offset < 2)
		return false;
	sum = (uint16_t)~sum_up(packet + start, n - start);
	/* UDP's zero means "no checksum" (RFC 768); elsewhere all ones is the same as zero. */
	if (sum == 0)
		sum = 0xffff;
	packet[start + offset] = (uint8_t)(sum >> 8);
	packet[start + offset + 1] = (uint8_t)sum;
	return true;
}
