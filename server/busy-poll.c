/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "server/busy-poll.h"

/* Soon, for a peer on this host, and for waking up. */
#define SOON (60 * NS_PER_US)
/* A look in vain costs about two sleeps: it takes so many times as many messages until the next one, and half as many after
 * one that was not. */
#define NEEDED_LEAST 4
#define NEEDED_MOST 4096
#define DEARER 4

void pace_start(struct pace *p)
{
	*p = (struct pace){.fd = -1, .needed = NEEDED_LEAST};
}

void pace_note(struct pace *p, int fd, int64_t now, int64_t answered)
{
	if (fd < 0 || fd != p->fd || now - p->came > SOON)
		p->run = 0;
	else if (p->run < p->needed)
		p->run++;
	if (p->until && p->run && p->needed > NEEDED_LEAST)
		p->needed /= 2;
	p->fd = fd;
	p->came = now;
	p->until = p->run >= p->needed ? answered + PACE_LOOK : 0;
}

bool pace_looks(struct pace *p, int64_t now)
{
	if (!p->until || now < p->until)
		return p->until != 0;
	p->until = 0;
	p->run = 0;
	p->needed = p->needed < NEEDED_MOST / DEARER ? p->needed * DEARER : NEEDED_MOST;
	return false;
}
