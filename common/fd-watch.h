/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What one pselect() of a loop waits for: the descriptors and the earliest deadline. Each part of a
 * program adds its own before the call and checks them after it. */
#pragma once

#include <sys/select.h>

#include "common/clock.h"

struct fd_watch {
	fd_set readable, writable;
	/* One more than the highest descriptor, as pselect() wants it. */
	int count;
	/* The earliest deadline, ns of the monotonic clock, or CLOCK_NEVER. */
	int64_t deadline;
};

static inline void fd_watch_start(struct fd_watch *w)
{
	FD_ZERO(&w->readable);
	FD_ZERO(&w->writable);
	w->count = 0;
	w->deadline = CLOCK_NEVER;
}

static inline void fd_watch_add(struct fd_watch *w, int fd, fd_set *set)
{
	if (fd < 0 || fd >= FD_SETSIZE)
		return;
	FD_SET(fd, set);
	if (fd >= w->count)
		w->count = fd + 1;
}

static inline void fd_watch_read(struct fd_watch *w, int fd)
{
	fd_watch_add(w, fd, &w->readable);
}

static inline void fd_watch_write(struct fd_watch *w, int fd)
{
	fd_watch_add(w, fd, &w->writable);
}

static inline void fd_watch_until(struct fd_watch *w, int64_t deadline)
{
	if (deadline < w->deadline)
		w->deadline = deadline;
}

static inline bool fd_watch_can_read(const struct fd_watch *w, int fd)
{
	return fd >= 0 && fd < FD_SETSIZE && FD_ISSET(fd, &w->readable);
}

static inline bool fd_watch_can_write(const struct fd_watch *w, int fd)
{
	return fd >= 0 && fd < FD_SETSIZE && FD_ISSET(fd, &w->writable);
}
