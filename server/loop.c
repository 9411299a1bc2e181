/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The sets are kept from turn to turn and copied for pselect(). Afterwards whole words of the
 * copies are checked, so that a turn costs by the ready descriptors, not by the open ones.
 *
 * The epoll set is level-triggered, and the kernel puts a descriptor that was reported and is still
 * ready behind the others, so that a bounded number a turn starves nobody. If a batch has one that
 * was removed meanwhile, and perhaps given to another connection, a call is in vain. */
#include "server/loop.h"

#include <errno.h>

#include "common/file.h"
#include "common/grow.h"
#include "common/os.h"

#define WORD_BITS (8 * (int)sizeof(unsigned long))
#define WORDS (FD_SETSIZE / WORD_BITS)

struct loop_member {
	loop_call *call;
	void *context;
	/* The conditions that it is watched for. With 0 it is not in the epoll set, which would
	 * report the end of a connection for ever. */
	unsigned want;
	/* It is watched by the epoll set. */
	bool polled;
};

struct loop {
	/* The descriptors that pselect() watches. */
	fd_set read, write;
	/* How many are in `write`: mostly none. */
	int writers;
	/* One more than the highest of them. */
	int count;
	/* Those that pselect() found ready, and how many. */
	fd_set read_ready, write_ready;
	int ready;
	/* The clients' epoll set, or -1: pselect() watches them. */
	int set;
	/* By descriptor; there are `capacity`. */
	struct loop_member *members;
	size_t capacity;
	struct os_ready reported[OS_READY_MAX];
};

/* Calls a descriptor's function, unless an earlier call of this turn has removed or changed it. */
static void notify(struct loop *l, int fd, unsigned ready, int64_t now)
{
	const struct loop_member *m = &l->members[fd];

	if (ready & m->want)
		m->call(m->context, fd, ready & m->want, now);
}

static void set_ready(void *context, int set, unsigned ready, int64_t now)
{
	struct loop *l = context;
	const int n = os_poller_ready(set, l->reported);

	(void)ready;
	for (int i = 0; i < n; i++)
		notify(l, l->reported[i].fd,
		    (l->reported[i].read ? LOOP_READ : 0) | (l->reported[i].write ? LOOP_WRITE : 0),
		    now);
}

/* Returns 0, or -1 with errno. */
static int open_set(struct loop *l)
{
	l->set = os_poller();
	if (l->set < 0)
		return -1;
	if (l->set >= FD_SETSIZE) {
		errno = EMFILE;
		return -1;
	}
	loop_add(l, l->set, LOOP_READ, set_ready, l);
	return 0;
}

struct loop *loop_new(bool many)
{
	struct loop *l = calloc(1, sizeof *l);

	if (!l)
		return NULL;
	l->set = -1;
	l->capacity = FD_SETSIZE;
	l->members = calloc(l->capacity, sizeof *l->members);
	if (l->members && (!many || open_set(l) == 0))
		return l;
	loop_free(l);
	return NULL;
}

void loop_free(struct loop *l)
{
	if (!l)
		return;
	(void)file_close(l->set);
	free(l->members);
	free(l);
}

void loop_add(struct loop *l, int fd, unsigned want, loop_call *call, void *context)
{
	l->members[fd] = (struct loop_member){ .call = call, .context = context };
	(void)loop_want(l, fd, want);
}

int loop_add_client(struct loop *l, int fd, loop_call *call, void *context)
{
	const size_t had = l->capacity;

	if (l->set < 0 && fd >= FD_SETSIZE) {
		errno = EMFILE;
		return -1;
	}
	if (grow_list(&l->members, &l->capacity, (size_t)fd + 1, sizeof *l->members) < 0)
		return -1;
	memset(l->members + had, 0, (l->capacity - had) * sizeof *l->members);
	l->members[fd] = (struct loop_member){
		.call = call, .context = context, .polled = l->set >= 0
	};
	return loop_want(l, fd, LOOP_READ);
}

static void change_selected(struct loop *l, int fd, unsigned had, unsigned want)
{
	FD_CLR(fd, &l->read);
	FD_CLR(fd, &l->write);
	if (want & LOOP_READ)
		FD_SET(fd, &l->read);
	if (want & LOOP_WRITE)
		FD_SET(fd, &l->write);
	l->writers += !!(want & LOOP_WRITE) - !!(had & LOOP_WRITE);
	if (want && fd >= l->count)
		l->count = fd + 1;
	while (l->count && !FD_ISSET(l->count - 1, &l->read) && !FD_ISSET(l->count - 1, &l->write))
		l->count--;
}

int loop_want(struct loop *l, int fd, unsigned want)
{
	struct loop_member *m = &l->members[fd];

	if (want == m->want)
		return 0;
	if (!m->polled)
		change_selected(l, fd, m->want, want);
	else if (os_poller_watch(l->set, fd, m->want, want & LOOP_READ, want & LOOP_WRITE) < 0)
		return -1;
	m->want = want;
	return 0;
}

void loop_remove(struct loop *l, int fd)
{
	/* Closing does it too for the epoll set, unless another process holds the descriptor. */
	(void)loop_want(l, fd, 0);
	l->members[fd] = (struct loop_member){ .want = 0 };
}

int loop_wait(struct loop *l, int64_t deadline, int64_t now, const sigset_t *mask)
{
	struct timespec ts;

	l->read_ready = l->read;
	if (l->writers)
		l->write_ready = l->write;
	l->ready = pselect(l->count, &l->read_ready, l->writers ? &l->write_ready : NULL, NULL,
	    clock_until(deadline, now, &ts), mask);
	if (l->ready <= 0 || !l->writers)
		FD_ZERO(&l->write_ready);
	if (l->ready >= 0)
		return l->ready;
	l->ready = 0;
	/* Memory may come back; pselect() would report a bad descriptor again at once, for ever. */
	return errno == EINTR || errno == ENOMEM ? 0 : -1;
}

int loop_dispatch(struct loop *l, int64_t now)
{
	unsigned long readable[WORDS], writable[WORDS];
	int notified = 0, alone = -1;

	if (!l->ready)
		return -1;
	memcpy(readable, &l->read_ready, sizeof readable);
	memcpy(writable, &l->write_ready, sizeof writable);
	for (int word = 0; word < WORDS && l->ready > 0; word++)
		for (unsigned long bits = readable[word] | writable[word]; bits; bits &= bits - 1) {
			unsigned long bit = bits & -bits;
			int fd = word * WORD_BITS + __builtin_ctzl(bits);

			l->ready -= !!(readable[word] & bit) + !!(writable[word] & bit);
			alone = notified++ || l->ready ? -1 : fd;
			notify(l, fd,
			    (readable[word] & bit ? LOOP_READ : 0) |
			        (writable[word] & bit ? LOOP_WRITE : 0),
			    now);
		}
	return alone;
}

void loop_call_reader(struct loop *l, int fd, int64_t now)
{
	if (fd >= 0)
		notify(l, fd, LOOP_READ, now);
}
