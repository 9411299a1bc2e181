/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The poller in an epoll set, whose own descriptor stands in the loop's sets. It is
 * level-triggered, and the kernel puts who was told and is still ready behind the others, so that a
 * bounded number a turn starves nobody.
 *
 * Who is to be told is kept by the number of the descriptor. What a batch says of one that was
 * removed meanwhile, and perhaps given to another connection, is at worst one call in vain. */
#include "config.h"

#include "server/poller.h"

#include <errno.h>

#ifdef HAVE_SYS_EPOLL_H

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "common/grow.h"

/* How many are told in a turn. */
#define BATCH 256

struct poller_member {
	loop_call *call;
	void *context;
	/* What it is watched for; with 0 it is not in the set, where even so the end of a
	 * connection would be told for ever. */
	unsigned want;
};

struct poller_set {
	/* The first member: a pointer to one is a pointer to the other. */
	struct poller poller;
	struct loop *loop;
	int fd;
	/* By descriptor; `capacity` of them. */
	struct poller_member *members;
	size_t capacity;
	struct epoll_event ready[BATCH];
};

/* An EPOLL_CTL_ADD, _MOD or _DEL. Returns 0, or -1 with errno. */
static int control_set(struct poller_set *s, int what, int fd, unsigned want)
{
	struct epoll_event e = { .data.fd = fd };

	e.events = (want & LOOP_READ ? EPOLLIN : 0) | (want & LOOP_WRITE ? EPOLLOUT : 0);
	return epoll_ctl(s->fd, what, fd, &e);
}

/* Makes room for the member of `fd`. Returns 0, or -1 with errno. */
static int make_room(struct poller_set *s, int fd)
{
	const size_t had = s->capacity;

	if (grow_list(&s->members, &s->capacity, (size_t)fd + 1, sizeof *s->members) < 0)
		return -1;
	memset(s->members + had, 0, (s->capacity - had) * sizeof *s->members);
	return 0;
}

static int add(struct poller *c, int fd, loop_call *call, void *context)
{
	struct poller_set *s = (struct poller_set *)c;

	if (make_room(s, fd) < 0 || control_set(s, EPOLL_CTL_ADD, fd, LOOP_READ) < 0)
		return -1;
	s->members[fd] = (struct poller_member){ call, context, LOOP_READ };
	return 0;
}

static int want_from_now(struct poller *c, int fd, unsigned want)
{
	struct poller_set *s = (struct poller_set *)c;
	struct poller_member *m = &s->members[fd];
	int what = !want ? EPOLL_CTL_DEL : m->want ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;

	if (want == m->want)
		return 0;
	if (control_set(s, what, fd, want) < 0)
		return -1;
	m->want = want;
	return 0;
}

static void take_out(struct poller *c, int fd)
{
	struct poller_set *s = (struct poller_set *)c;

	/* Closing does it too, but for a descriptor that another process holds as well. */
	if (s->members[fd].want)
		control_set(s, EPOLL_CTL_DEL, fd, 0);
	s->members[fd] = (struct poller_member){ NULL, NULL, 0 };
}

/* An end or an error makes ready whatever is waited for, as select() has it. */
static unsigned what_is_ready(uint32_t events)
{
	return (events & ~(uint32_t)EPOLLOUT ? LOOP_READ : 0) |
	       (events & ~(uint32_t)EPOLLIN ? LOOP_WRITE : 0);
}

static void set_ready(void *context, int fd, unsigned ready, int64_t now)
{
	struct poller_set *s = context;
	int n = epoll_wait(fd, s->ready, BATCH, 0);

	(void)ready;
	for (int i = 0; i < n; i++) {
		const struct poller_member *m = &s->members[s->ready[i].data.fd];
		unsigned notified = what_is_ready(s->ready[i].events) & m->want;

		if (notified)
			m->call(m->context, s->ready[i].data.fd, notified, now);
	}
}

static void let_go(struct poller *c)
{
	struct poller_set *s = (struct poller_set *)c;

	loop_remove(s->loop, s->fd);
	close(s->fd);
	free(s->members);
	free(s);
}

struct poller *poller_epoll(struct loop *loop)
{
	struct poller_set *s = calloc(1, sizeof *s);
	int fd = s ? epoll_create1(EPOLL_CLOEXEC) : -1;

	if (fd < 0 || fd >= FD_SETSIZE) {
		if (fd >= 0) {
			close(fd);
			errno = EMFILE;
		}
		free(s);
		return NULL;
	}
	s->poller = (struct poller){ INT_MAX, add, want_from_now, take_out, let_go };
	s->loop = loop;
	s->fd = fd;
	loop_add(loop, fd, LOOP_READ, set_ready, s);
	return &s->poller;
}

bool poller_has_epoll(void)
{
	return true;
}

#else

struct poller *poller_epoll(struct loop *loop)
{
	(void)loop;
	errno = ENOSYS;
	return NULL;
}

bool poller_has_epoll(void)
{
	return false;
}

#endif
