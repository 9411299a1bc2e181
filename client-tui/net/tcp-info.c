/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/tcp-info.h"

#include <errno.h>

#include "common/file.h"
#include "common/text.h"

/* A number of the kernel's, -1 if it is not known or, as an infinite threshold, more than `max`. */
static int32_t known(const struct os_tcp *kernel, enum os_tcp_number n, uint64_t max)
{
	return os_tcp_knows(kernel, n) && kernel->value[n] <= max ? (int32_t)kernel->value[n] : -1;
}

int tcp_info_read(int fd, struct tcp_sample *out)
{
	struct os_tcp kernel;
	const uint64_t *value = kernel.value;

	os_tcp_read(fd, &kernel);
	if (!os_tcp_knows(&kernel, OS_TCP_TOTAL_RETRANS))
		return -1;
	*out = (struct tcp_sample){
		.retransmitted = (uint32_t)value[OS_TCP_TOTAL_RETRANS],
		.timeout = (int64_t)value[OS_TCP_RTO] * NS_PER_US,
		.backoff = (int)value[OS_TCP_BACKOFF],
		.round_trip = (int64_t)value[OS_TCP_RTT] * NS_PER_US,
		.variation = (int64_t)value[OS_TCP_RTTVAR] * NS_PER_US,
		.window = { .cwnd = known(&kernel, OS_TCP_CWND, INT32_MAX),
		    .ssthresh = known(&kernel, OS_TCP_SSTHRESH, OS_TCP_NO_SSTHRESH - 1),
		    .in_flight = known(&kernel, OS_TCP_UNACKED, INT32_MAX),
		    .mss = known(&kernel, OS_TCP_MSS, INT32_MAX),
		    .peer_window = known(&kernel, OS_TCP_PEER_WINDOW, INT32_MAX),
		    .state = TCP_STATE_OPEN + known(&kernel, OS_TCP_CA_STATE, INT8_MAX) },
		.timeouts = os_tcp_knows(&kernel, OS_TCP_TOTAL_RTO) ? (int)value[OS_TCP_TOTAL_RTO]
		                                                    : -1,
		.disorder = (uint32_t)value[OS_TCP_OUT_OF_ORDER],
		.acknowledged = value[OS_TCP_BYTES_ACKED],
	};
	return 0;
}

char *tcp_congestion(int fd, char name[OS_CONGESTION])
{
	return os_congestion(fd, name);
}

char *tcp_congestion_names(char *names, size_t size)
{
	FILE *in = fopen("/proc/sys/net/ipv4/tcp_available_congestion_control", "re");
	const int fd = os_socket(AF_INET, SOCK_STREAM);
	struct text t = text_begin(names, size);
	char name[OS_CONGESTION];

	/* Some are for root alone: the kernel knows which. */
	while (in && fd >= 0 && fscanf(in, "%15s", name) == 1)
		if (os_set_congestion(fd, name) == 0)
			text_put(&t, "%s%s", t.used ? " " : "", name);
	(void)file_close(fd);
	if (in)
		fclose(in);
	return names;
}

int tcp_congestion_check(const char *name, char *reason, size_t size)
{
	const int fd = os_socket(AF_INET, SOCK_STREAM);
	const int error = fd >= 0 && os_set_congestion(fd, name) < 0 ? errno : 0;
	char names[256];

	(void)file_close(fd);
	tcp_congestion_names(names, sizeof names);
	if (error == ENOSYS)
		return text_refuse(reason, size, "cannot be chosen: not to be had here");
	if (error == EPERM)
		return text_refuse(reason, size, "may be chosen by root alone here; others: %s",
		    names);
	if (error)
		return text_refuse(reason, size, "is none that this kernel has%s%s",
		    *names ? "; choose of: " : "", names);
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
	f->window = (uint32_t)now->window.cwnd;
	if (f->samples == 0 || f->window < f->window_min)
		f->window_min = f->window;
	if (f->window > f->window_max)
		f->window_max = f->window;
	f->samples++;
}
