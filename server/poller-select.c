/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The crowd in the loop's own sets: one plain pselect(), whole. */
#include "config.h"

#include "server/poller.h"

#include <stdlib.h>

struct in_loop {
	/* The first member: a pointer to one is a pointer to the other. */
	struct crowd crowd;
	struct loop *loop;
};

static struct loop *loop_of(struct crowd *c)
{
	return ((struct in_loop *)c)->loop;
}

static int add(struct crowd *c, int fd, loop_call *call, void *context)
{
	loop_add(loop_of(c), fd, LOOP_READ, call, context);
	return 0;
}

static int want_from_now(struct crowd *c, int fd, unsigned want)
{
	loop_want(loop_of(c), fd, want);
	return 0;
}

static void take_out(struct crowd *c, int fd)
{
	loop_remove(loop_of(c), fd);
}

static void let_go(struct crowd *c)
{
	free(c);
}

struct crowd *crowd_select(struct loop *loop)
{
	struct in_loop *s = malloc(sizeof *s);

	if (!s)
		return NULL;
	*s = (struct in_loop){{FD_SETSIZE, add, want_from_now, take_out, let_go}, loop};
	return &s->crowd;
}

void crowd_free(struct crowd *c)
{
	if (c)
		c->free(c);
}
