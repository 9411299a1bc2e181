/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "server/rlimit.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/select.h>

int rlimit_used(void)
{
	int found = 0;

	for (int fd = 0; fd < FD_SETSIZE; fd++)
		found += fcntl(fd, F_GETFD) >= 0;
	return found;
}

int64_t rlimit_raise(int64_t max)
{
	const rlim_t wanted = (rlim_t)max;
	struct rlimit limit, higher;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return FD_SETSIZE < max ? FD_SETSIZE : max;
	if (limit.rlim_cur >= wanted)
		return max;
	/* The hard limit too, for whom that is allowed. */
	higher = (struct rlimit){ .rlim_cur = wanted,
		.rlim_max = limit.rlim_max < wanted ? wanted : limit.rlim_max };
	if (setrlimit(RLIMIT_NOFILE, &higher) == 0)
		return max;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	return getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur > wanted
	         ? max
	         : (int64_t)limit.rlim_cur;
}
