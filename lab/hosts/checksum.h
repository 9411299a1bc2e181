/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Checksums of packets, and those that a kernel left to its network device. Pure. */
#ifndef UPCASE_LAB_CHECKSUM_H
#define UPCASE_LAB_CHECKSUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The sum of the Internet checksum (RFC 1071): adds `n` bytes to `sum`, that of even lengths
 * before, 64 KiB at most in all. checksum_fold() turns it into the packet's field. */
uint32_t checksum_add(uint32_t sum, const uint8_t *p, size_t n);
uint16_t checksum_fold(uint32_t sum);

/* Completes the checksum at `start` + `offset` of `packet`, which holds the pseudo-header's sum:
 * adds the rest, from `start` to the end (virtio's VIRTIO_NET_HDR_F_NEEDS_CSUM). Returns whether it
 * lies in the packet. */
bool checksum_complete(uint8_t *packet, size_t n, size_t start, size_t offset);

#endif
