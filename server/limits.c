/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "limits.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/select.h>

/* How many descriptor numbers there are, FD_SETSIZE at most. */
static int number_of_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return FD_SETSIZE;
	if (limit.rlim_cur < FD_SETSIZE && limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max < FD_SETSIZE ? limit.rlim_max : FD_SETSIZE;
		setrlimit(RLIMIT_NOFILE, &limit);
		getrlimit(RLIMIT_NOFILE, &limit);
	}
	return limit.rlim_cur < FD_SETSIZE ? (int)limit.rlim_cur : FD_SETSIZE;
}

int limits_free_descriptors(void)
{
	int all = number_of_descriptors(), found = 0;

	for (int fd = 0; fd < all; fd++)
		found += fcntl(fd, F_GETFD) < 0;
	return found;
}
