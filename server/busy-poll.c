/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "server/busy-poll.h"

/* A message comes soon if a peer on this host sends it within this time, waking up included. */
#define SOON (60 * NS_PER_US)
/* A fruitless poll costs about two sleeps: it multiplies the number of messages in a row that is
 * needed before the next poll by BACKOFF; success halves that number. */
#define NEEDED_MIN 4
#define NEEDED_MAX 4096
#define BACKOFF 4

void busy_poll_start(struct busy_poll *p)
{
	*p = (struct busy_poll){ .fd = -1, .needed = NEEDED_MIN };
}

void busy_poll_note(struct busy_poll *p, int fd, int64_t now, int64_t answered)
{
	if (fd < 0 || fd != p->fd || now - p->last_at > SOON)
		p->run = 0;
	else if (p->run < p->needed)
		p->run++;
	if (p->until && p->run && p->needed > NEEDED_MIN)
		p->needed /= 2;
	p->fd = fd;
	p->last_at = now;
	p->until = p->run >= p->needed ? answered + BUSY_POLL_TIME : 0;
}

bool busy_poll_active(struct busy_poll *p, int64_t now)
{
	if (!p->until || now < p->until)
		return p->until != 0;
	p->until = 0;
	p->run = 0;
	p->needed = p->needed < NEEDED_MAX / BACKOFF ? p->needed * BACKOFF : NEEDED_MAX;
	return false;
}
