/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The sets are kept from turn to turn and copied for pselect(). Afterwards whole words of the
 * copies are checked, so that the cost of a turn depends on the ready descriptors, not on the open
 * ones. */
#include "config.h"

#include "server/loop.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define WORD_BITS (8 * (int)sizeof(unsigned long))
#define WORDS (FD_SETSIZE / WORD_BITS)

struct loop_member {
	loop_call *call;
	void *context;
};

struct loop {
	/* The descriptors that are watched. */
	fd_set read, write;
	/* How many are in `write`: mostly none. */
	int writers;
	/* One more than the highest watched descriptor. */
	int count;
	/* Those that pselect() found ready, and how many. */
	fd_set read_ready, write_ready;
	int ready;
	/* The only one of them, after its call; -1 if there were none or several. */
	int alone;
	struct loop_member members[FD_SETSIZE];
};

struct loop *loop_new(void)
{
	return calloc(1, sizeof(struct loop));
}

void loop_add(struct loop *l, int fd, unsigned want, loop_call *call, void *context)
{
	l->members[fd] = (struct loop_member){ call, context };
	loop_want(l, fd, want);
}

/* What `fd` is watched for now. */
static unsigned watched(const struct loop *l, int fd)
{
	return (FD_ISSET(fd, &l->read) ? LOOP_READ : 0) |
	       (FD_ISSET(fd, &l->write) ? LOOP_WRITE : 0);
}

void loop_want(struct loop *l, int fd, unsigned want)
{
	if (want == watched(l, fd))
		return;
	if (want & LOOP_READ)
		FD_SET(fd, &l->read);
	else
		FD_CLR(fd, &l->read);
	l->writers -= !!FD_ISSET(fd, &l->write);
	if (want & LOOP_WRITE)
		FD_SET(fd, &l->write);
	else
		FD_CLR(fd, &l->write);
	l->writers += !!FD_ISSET(fd, &l->write);
	if (want && fd >= l->count)
		l->count = fd + 1;
	while (l->count && !FD_ISSET(l->count - 1, &l->read) && !FD_ISSET(l->count - 1, &l->write))
		l->count--;
}

void loop_remove(struct loop *l, int fd)
{
	loop_want(l, fd, 0);
	l->members[fd] = (struct loop_member){ NULL, NULL };
}

int loop_wait(struct loop *l, int64_t deadline, int64_t now, const sigset_t *mask)
{
	struct timespec ts;

	l->read_ready = l->read;
	if (l->writers)
		l->write_ready = l->write;
	l->alone = -1;
	l->ready = pselect(l->count, &l->read_ready, l->writers ? &l->write_ready : NULL, NULL,
	    clock_until(deadline, now, &ts), mask);
	if (l->ready <= 0 || !l->writers)
		FD_ZERO(&l->write_ready);
	if (l->ready >= 0)
		return 0;
	l->ready = 0;
	/* Memory may come back; pselect() would report a bad descriptor again at once, for ever. */
	return errno == EINTR || errno == ENOMEM ? 0 : -1;
}

bool loop_found(const struct loop *l)
{
	return l->ready > 0;
}

int loop_only_ready(const struct loop *l)
{
	return l->alone;
}

/* Calls the function of one descriptor, unless an earlier call of this turn has removed it or
 * changed what it is watched for. */
static void notify(struct loop *l, int fd, unsigned ready, int64_t now)
{
	if (!FD_ISSET(fd, &l->read))
		ready &= ~LOOP_READ;
	if (!FD_ISSET(fd, &l->write))
		ready &= ~LOOP_WRITE;
	if (ready && l->members[fd].call)
		l->members[fd].call(l->members[fd].context, fd, ready, now);
}

void loop_dispatch(struct loop *l, int64_t now)
{
	unsigned long readable[WORDS], writable[WORDS];
	int notified = 0;

	if (!l->ready)
		return;
	memcpy(readable, &l->read_ready, sizeof readable);
	memcpy(writable, &l->write_ready, sizeof writable);
	for (int word = 0; word < WORDS && l->ready > 0; word++)
		for (unsigned long bits = readable[word] | writable[word]; bits; bits &= bits - 1) {
			unsigned long bit = bits & -bits;
			int fd = word * WORD_BITS + __builtin_ctzl(bits);

			l->ready -= !!(readable[word] & bit) + !!(writable[word] & bit);
			l->alone = notified++ || l->ready ? -1 : fd;
			notify(l, fd,
			    (readable[word] & bit ? LOOP_READ : 0) |
			        (writable[word] & bit ? LOOP_WRITE : 0),
			    now);
		}
}

void loop_call_reader(struct loop *l, int fd, int64_t now)
{
	if (fd >= 0)
		notify(l, fd, LOOP_READ, now);
}
