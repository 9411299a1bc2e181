/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The poller in the loop's own sets: one plain pselect(), whole. */
#include "config.h"

#include "server/poller.h"

#include <stdlib.h>

struct in_loop {
	/* The first member: a pointer to one is a pointer to the other. */
	struct poller poller;
	struct loop *loop;
};

static struct loop *loop_of(struct poller *c)
{
	return ((struct in_loop *)c)->loop;
}

static int add(struct poller *c, int fd, loop_call *call, void *context)
{
	loop_add(loop_of(c), fd, LOOP_READ, call, context);
	return 0;
}

static int want_from_now(struct poller *c, int fd, unsigned want)
{
	loop_want(loop_of(c), fd, want);
	return 0;
}

static void take_out(struct poller *c, int fd)
{
	loop_remove(loop_of(c), fd);
}

static void let_go(struct poller *c)
{
	free(c);
}

struct poller *poller_select(struct loop *loop)
{
	struct in_loop *s = malloc(sizeof *s);

	if (!s)
		return NULL;
	*s = (struct in_loop){ { FD_SETSIZE, add, want_from_now, take_out, let_go }, loop };
	return &s->poller;
}

void poller_free(struct poller *c)
{
	if (c)
		c->free(c);
}
