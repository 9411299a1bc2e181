/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/tcp-info.h"

#include "common/kernel-tcp-info.h"

int tcp_info_read(int fd, struct tcp_sample *out)
{
	struct kernel_tcp_info kernel;
	const struct tcp_info *info = &kernel.info;

	kernel_tcp_info_read(fd, &kernel);
	if (kernel.size <
	    offsetof(struct tcp_info, tcpi_total_retrans) + sizeof info->tcpi_total_retrans)
		return -1;
	*out = (struct tcp_sample){
		.retransmitted = info->tcpi_total_retrans,
		.timeout = info->tcpi_rto * NS_PER_US,
		.backoff = info->tcpi_backoff,
		.round_trip = info->tcpi_rtt * NS_PER_US,
		.variation = info->tcpi_rttvar * NS_PER_US,
		.window = info->tcpi_snd_cwnd,
		.timeouts = kernel_tcp_info_total_rto(&kernel),
		.disorder = info->tcpi_rcv_ooopack,
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
