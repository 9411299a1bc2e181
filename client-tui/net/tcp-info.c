/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/tcp-info.h"

#include <errno.h>

#include "common/file.h"
#include "common/text.h"

int tcp_info_read(int fd, struct tcp_sample *out)
{
	struct os_tcp kernel;

	os_tcp_read(fd, &kernel);
	return tcp_sample_read(out, &kernel);
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
