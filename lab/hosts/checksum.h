/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Checksums of packets, and those that a kernel left to its network device. Pure. */
#ifndef UPCASE_LAB_CHECKSUM_H
#define UPCASE_LAB_CHECKSUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The Internet checksum (RFC 1071) of `n` bytes over `sum`, that of even lengths before, 64 KiB at
 * most in all; and what stands in a packet. */
uint32_t checksum_add(uint32_t sum, const uint8_t *p, size_t n);
uint16_t checksum_fold(uint32_t sum);

/* The checksum at `start` + `offset` of `packet` holds the pseudo-header's sum and wants the rest
 * added, from `start` to the end (virtio's VIRTIO_NET_HDR_F_NEEDS_CSUM). Returns whether it lies in
 * the packet. */
bool checksum_complete(uint8_t *packet, size_t n, size_t start, size_t offset);

#endif
