/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "net/tcp-info.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

/* Where tcpi_total_rto, 16 bits, stands in struct tcp_info since Linux 6.7: headers here may be
 * older than the kernel. */
#define TOTAL_RTO_AT 240
#define TOTAL_RTO_END (TOTAL_RTO_AT + sizeof(uint16_t))

/* -1 where the kernel does not count them. */
static int total_rto(const unsigned char *bytes, socklen_t size)
{
	uint16_t value;

	if (size < TOTAL_RTO_END)
		return -1;
	memcpy(&value, bytes + TOTAL_RTO_AT, sizeof value);
	return value;
}

int tcp_info_read(int fd, struct tcp_sample *out)
{
	unsigned char bytes[TOTAL_RTO_END > sizeof(struct tcp_info) ? TOTAL_RTO_END
	                                                            : sizeof(struct tcp_info)] = {
		0
	};
	struct tcp_info info;
	socklen_t size = sizeof bytes;

	/* An older kernel fills less. */
	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, bytes, &size) < 0 ||
	    size < offsetof(struct tcp_info, tcpi_total_retrans) + sizeof info.tcpi_total_retrans)
		return -1;
	memcpy(&info, bytes, sizeof info);
	*out = (struct tcp_sample){
		.retransmitted = info.tcpi_total_retrans,
		.timeout = info.tcpi_rto * NS_PER_US,
		.backoff = info.tcpi_backoff,
		.round_trip = info.tcpi_rtt * NS_PER_US,
		.variation = info.tcpi_rttvar * NS_PER_US,
		.window = info.tcpi_snd_cwnd,
		.timeouts = total_rto(bytes, size),
		.disorder = info.tcpi_rcv_ooopack,
	};
	return 0;
}

void tcp_info_add(struct figures_tcp *f, const struct tcp_sample *now,
    uint64_t retransmitted_before)
{
	f->retransmitted = retransmitted_before + now->retransmitted;
	f->timeout = now->timeout;
	if (now->timeout > f->timeout_max)
		f->timeout_max = now->timeout;
	f->round_trip = now->round_trip;
	f->variation = now->variation;
	f->window = now->window;
	if (f->samples == 0 || now->window < f->window_min)
		f->window_min = now->window;
	if (now->window > f->window_max)
		f->window_max = now->window;
	f->samples++;
}
