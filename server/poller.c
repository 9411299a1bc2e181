/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The epoll set is level-triggered, and the kernel puts a descriptor that was reported and is still
 * ready behind the others, so that a bounded number a turn starves nobody.
 *
 * Its members are kept by the number of the descriptor. If a batch has one that was removed
 * meanwhile, and perhaps given to another connection, it costs at worst one call in vain. */
#include "config.h"

#include "server/poller.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#ifdef HAVE_SYS_EPOLL_H
#include <sys/epoll.h>
#endif
#include <unistd.h>

#include "common/file.h"
#include "common/grow.h"

/* How many are reported in a turn. */
#define BATCH 256

struct poller_member {
	loop_call *call;
	void *context;
	/* The conditions that it is watched for. With 0 it is not in the set, which would report
	 * the end of a connection for ever. */
	unsigned want;
};

struct poller {
	struct loop *loop;
	/* The epoll set, or -1: the clients are in the loop's sets, and all members below are
	 * unused. */
	int set;
	/* By descriptor; there are `capacity`. */
	struct poller_member *members;
	size_t capacity;
#ifdef HAVE_SYS_EPOLL_H
	struct epoll_event ready[BATCH];
#endif
};

#ifdef HAVE_SYS_EPOLL_H

bool poller_has_epoll(void)
{
	return true;
}

/* Watches a member for `want`, or no more with 0. Returns 0, or -1 with errno. */
static int change_member(struct poller *p, int fd, unsigned want)
{
	struct poller_member *m = &p->members[fd];
	struct epoll_event e = { .data.fd = fd };

	if (want == m->want)
		return 0;
	e.events = (want & LOOP_READ ? EPOLLIN : 0) | (want & LOOP_WRITE ? EPOLLOUT : 0);
	if (epoll_ctl(p->set,
	        !want     ? EPOLL_CTL_DEL
	        : m->want ? EPOLL_CTL_MOD
	                  : EPOLL_CTL_ADD,
	        fd, &e) < 0)
		return -1;
	m->want = want;
	return 0;
}

static void set_ready(void *context, int fd, unsigned ready, int64_t now)
{
	struct poller *p = context;
	int n = epoll_wait(fd, p->ready, BATCH, 0);

	(void)ready;
	for (int i = 0; i < n; i++) {
		const struct poller_member *m = &p->members[p->ready[i].data.fd];
		const uint32_t events = p->ready[i].events;
		/* An end or an error makes every awaited condition ready, as with select(). */
		const unsigned found = (events & ~(uint32_t)EPOLLOUT ? LOOP_READ : 0) |
		                       (events & ~(uint32_t)EPOLLIN ? LOOP_WRITE : 0);

		if (found & m->want)
			m->call(m->context, p->ready[i].data.fd, found & m->want, now);
	}
}

/* Returns 0, or -1 with errno. */
static int open_set(struct poller *p)
{
	p->set = epoll_create1(EPOLL_CLOEXEC);
	if (p->set < 0)
		return -1;
	if (p->set >= FD_SETSIZE) {
		errno = EMFILE;
		return file_give_up(p->set);
	}
	loop_add(p->loop, p->set, LOOP_READ, set_ready, p);
	return 0;
}

#else

bool poller_has_epoll(void)
{
	return false;
}

/* Never called: there are no members. */
static int change_member(struct poller *p, int fd, unsigned want)
{
	(void)p;
	(void)fd;
	(void)want;
	return -1;
}

static int open_set(struct poller *p)
{
	(void)p;
	errno = ENOSYS;
	return -1;
}

#endif

struct poller *poller_new(struct loop *loop, bool many)
{
	struct poller *p = calloc(1, sizeof *p);

	if (!p)
		return NULL;
	p->loop = loop;
	p->set = -1;
	if (many && open_set(p) < 0) {
		free(p);
		return NULL;
	}
	return p;
}

void poller_free(struct poller *p)
{
	if (!p)
		return;
	if (p->set >= 0) {
		loop_remove(p->loop, p->set);
		close(p->set);
	}
	free(p->members);
	free(p);
}

int poller_limit(const struct poller *p)
{
	return p->set < 0 ? FD_SETSIZE : INT_MAX;
}

int poller_add(struct poller *p, int fd, loop_call *call, void *context)
{
	const size_t had = p->capacity;

	if (p->set < 0) {
		loop_add(p->loop, fd, LOOP_READ, call, context);
		return 0;
	}
	if (grow_list(&p->members, &p->capacity, (size_t)fd + 1, sizeof *p->members) < 0)
		return -1;
	memset(p->members + had, 0, (p->capacity - had) * sizeof *p->members);
	p->members[fd] = (struct poller_member){ .call = call, .context = context };
	return change_member(p, fd, LOOP_READ);
}

int poller_want(struct poller *p, int fd, unsigned want)
{
	if (p->set >= 0)
		return change_member(p, fd, want);
	loop_want(p->loop, fd, want);
	return 0;
}

void poller_remove(struct poller *p, int fd)
{
	if (p->set < 0) {
		loop_remove(p->loop, fd);
		return;
	}
	/* Closing does it too, except for a descriptor that another process also holds. */
	(void)change_member(p, fd, 0);
	p->members[fd] = (struct poller_member){ .want = 0 };
}
