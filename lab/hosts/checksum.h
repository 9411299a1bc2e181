/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Checksums of packets, and the completion of those that a kernel left to its device. Pure. */
#pragma once

/* The sum of the Internet checksum (RFC 1071): adds `n` bytes to `sum`, the sum of earlier parts of
 * even length, 64 KiB at most in all. checksum_fold() turns it into the packet's field. */
static inline uint32_t checksum_add(uint32_t sum, const uint8_t *p, size_t n)
{
	for (; n > 1; p += 2, n -= 2)
		sum += (uint32_t)(p[0] << 8 | p[1]);
	return n ? sum + (uint32_t)(p[0] << 8) : sum;
}

static inline uint16_t checksum_fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/* Completes the checksum at `start` + `offset` of `packet`, which holds the pseudo-header's sum:
 * adds the rest, from `start` to the end (virtio's VIRTIO_NET_HDR_F_NEEDS_CSUM). Returns whether it
 * lies in the packet. */
static inline bool checksum_complete(uint8_t *packet, size_t n, size_t start, size_t offset)
{
	uint16_t sum;

	if (start > n || offset > n - start || n - start - offset < 2)
		return false;
	sum = checksum_fold(checksum_add(0, packet + start, n - start));
	/* UDP's zero means "no checksum" (RFC 768); elsewhere all ones is the same as zero. */
	if (sum == 0)
		sum = 0xffff;
	packet[start + offset] = (uint8_t)(sum >> 8);
	packet[start + offset + 1] = (uint8_t)sum;
	return true;
}
