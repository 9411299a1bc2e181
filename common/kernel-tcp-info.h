/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The kernel's state of a TCP connection (TCP_INFO, tcp(7)). */
#pragma once

#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

/* Where tcpi_total_rto, 16 bits, stands in struct tcp_info since Linux 6.7: headers here may be
 * older than the kernel. */
#define KERNEL_TCP_INFO_TOTAL_RTO 240

struct kernel_tcp_info {
	union {
		struct tcp_info info;
		unsigned char bytes[KERNEL_TCP_INFO_TOTAL_RTO + sizeof(uint16_t)];
	};
	/* How much the kernel filled in: an older one less. 0: none. */
	socklen_t size;
};

static inline void kernel_tcp_info_read(int fd, struct kernel_tcp_info *k)
{
	*k = (struct kernel_tcp_info){ .size = offsetof(struct kernel_tcp_info, size) };
	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, k->bytes, &k->size) < 0)
		k->size = 0;
}

/* How often the retransmission timer ran out; -1 where the kernel does not count it. */
static inline int kernel_tcp_info_total_rto(const struct kernel_tcp_info *k)
{
	uint16_t value;

	if (k->size < sizeof k->bytes)
		return -1;
	memcpy(&value, k->bytes + KERNEL_TCP_INFO_TOTAL_RTO, sizeof value);
	return value;
}
