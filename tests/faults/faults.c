/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Between the server and the system: linked into the server's own object files with --wrap=NAME for
 * every call that the server makes, it lets some of them fail, as seeds say. Who drives it shares a
 * piece of memory with it, struct shared, whose descriptor UPCASE_FAULTS names; without that
 * nothing fails.
 *
 * What a fault means is kept to: a connection that was said to be broken is dead from then on, and
 * its client's port is noted, so that the driver knows which connections lived. */
#include "tests/faults/faults.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef SOL_UDP
#define SOL_UDP IPPROTO_UDP
#endif

/* What follows a fault. */
enum effect {
	/* Nothing: the same again may go well. */
	PASSES,
	/* Nothing; and no more than one of these in a schedule, and not in every schedule: the
	   server rests after it. */
	RESTS,
	/* The connection is broken. */
	DIES,
	/* The connection may be lost to the server, which can do nothing about it. */
	LOSES,
	/* No fault: less than was asked for, or more than there is. */
	FEWER,
	SPURIOUS,
	/* Splitting is what the device does not do. */
	UNSPLIT,
	/* Only when the server starts, one at a time. */
	STARTS,
};

struct fault {
	enum faults_call call;
	const char *name;
	int error;
	enum effect effect;
};

#define FAULT(call, error, effect) { FAULTS_##call, #call " " #error, error, effect }
#define SHAPE(call, effect) { FAULTS_##call, #call " " #effect, 0, effect }

/* The first one of a call is the one that happens at the start. */
static const struct fault faults[] = {
	FAULT(PSELECT, EINTR, PASSES),
	FAULT(PSELECT, ENOMEM, PASSES),
	SHAPE(PSELECT, FEWER),
	SHAPE(PSELECT, SPURIOUS),
	FAULT(EPOLL_WAIT, EINTR, PASSES),
	SHAPE(EPOLL_WAIT, FEWER),
	SHAPE(EPOLL_WAIT, SPURIOUS),
	FAULT(EPOLL_CTL, ENOSPC, LOSES),
	FAULT(EPOLL_CTL, ENOMEM, LOSES),
	FAULT(ACCEPT, EMFILE, RESTS),
	FAULT(ACCEPT, ENFILE, RESTS),
	FAULT(ACCEPT, ENOMEM, RESTS),
	FAULT(ACCEPT, ENOBUFS, RESTS),
	FAULT(ACCEPT, EINTR, PASSES),
	FAULT(ACCEPT, EAGAIN, PASSES),
	FAULT(ACCEPT, ECONNABORTED, DIES),
	FAULT(ACCEPT, EPERM, DIES),
	FAULT(ACCEPT, EPROTO, DIES),
	FAULT(RECV, EINTR, PASSES),
	FAULT(RECV, EAGAIN, PASSES),
	FAULT(RECV, ENOMEM, PASSES),
	FAULT(RECV, ENOBUFS, PASSES),
	SHAPE(RECV, FEWER),
	FAULT(RECV, ECONNRESET, DIES),
	FAULT(RECV, ETIMEDOUT, DIES),
	FAULT(SEND, EINTR, PASSES),
	FAULT(SEND, EAGAIN, PASSES),
	FAULT(SEND, ENOMEM, PASSES),
	FAULT(SEND, ENOBUFS, PASSES),
	SHAPE(SEND, FEWER),
	SHAPE(SEND, FEWER),
	FAULT(SEND, ECONNRESET, DIES),
	FAULT(SEND, EPIPE, DIES),
	FAULT(RECVMSG, EINTR, PASSES),
	FAULT(RECVMSG, EAGAIN, PASSES),
	FAULT(RECVMSG, ENOMEM, PASSES),
	FAULT(RECVMSG, ENOBUFS, PASSES),
	FAULT(RECVMSG, ECONNREFUSED, PASSES),
	FAULT(RECVMMSG, ENOSYS, PASSES),
	FAULT(RECVMMSG, EPERM, PASSES),
	FAULT(RECVMMSG, EINTR, PASSES),
	FAULT(RECVMMSG, EAGAIN, PASSES),
	FAULT(RECVMMSG, ENOMEM, PASSES),
	FAULT(RECVMMSG, ENOBUFS, PASSES),
	FAULT(RECVMMSG, ECONNREFUSED, PASSES),
	SHAPE(RECVMMSG, FEWER),
	FAULT(SENDMSG, EINTR, PASSES),
	FAULT(SENDMSG, EAGAIN, PASSES),
	FAULT(SENDMSG, ENOMEM, PASSES),
	FAULT(SENDMSG, ENOBUFS, PASSES),
	FAULT(SENDMSG, EPERM, PASSES),
	FAULT(SENDMSG, ECONNREFUSED, PASSES),
	FAULT(SENDMSG, EMSGSIZE, PASSES),
	FAULT(SENDMSG, EIO, UNSPLIT),
	FAULT(SENDMSG, EINVAL, UNSPLIT),
	FAULT(SENDMMSG, EINTR, PASSES),
	FAULT(SENDMMSG, EAGAIN, PASSES),
	FAULT(SENDMMSG, ENOMEM, PASSES),
	FAULT(SENDMMSG, ENOBUFS, PASSES),
	FAULT(SENDMMSG, EPERM, PASSES),
	FAULT(SENDMMSG, ECONNREFUSED, PASSES),
	FAULT(SENDMMSG, ENOSYS, PASSES),
	SHAPE(SENDMMSG, FEWER),
	FAULT(SENDMMSG, EIO, UNSPLIT),
	FAULT(SENDMMSG, EINVAL, UNSPLIT),
	FAULT(SETSOCKOPT, ENOBUFS, PASSES),
	FAULT(SETSOCKOPT, ENOMEM, PASSES),
	FAULT(GETSOCKOPT, ENOBUFS, PASSES),
	FAULT(GETSOCKOPT, ENOMEM, PASSES),
	FAULT(CLOSE, EINTR, PASSES),
	FAULT(CLOSE, EIO, PASSES),
	FAULT(SHUTDOWN, ENOTCONN, DIES),
	FAULT(IOCTL, EPERM, LOSES),
	FAULT(READ, EINTR, PASSES),
	FAULT(READ, EAGAIN, PASSES),
	FAULT(WRITE, EINTR, PASSES),
	FAULT(WRITE, ENOSPC, PASSES),
	FAULT(POLL, EINTR, PASSES),
	FAULT(POLL, ENOMEM, PASSES),
	FAULT(GETIFADDRS, ENOMEM, PASSES),
	FAULT(ALLOCATE, ENOMEM, LOSES),
	FAULT(FORK, EAGAIN, RESTS),
	FAULT(SOCKETPAIR, EMFILE, RESTS),
	FAULT(MMAP, ENOMEM, STARTS),
	FAULT(SOCKET, EMFILE, STARTS),
	FAULT(BIND, EACCES, STARTS),
	FAULT(LISTEN, EADDRINUSE, STARTS),
	FAULT(CONNECT, ENOMEM, STARTS),
	FAULT(GETSOCKNAME, ENOBUFS, STARTS),
	FAULT(FCNTL, EMFILE, STARTS),
	FAULT(OPEN, EMFILE, STARTS),
	FAULT(EPOLL_CREATE, EMFILE, STARTS),
	FAULT(GETRANDOM, ENOSYS, STARTS),
	FAULT(MKSTEMP, EACCES, STARTS),
	FAULT(RENAME, EACCES, STARTS),
	FAULT(FCHMOD, EPERM, STARTS),
	FAULT(STAT, ENOMEM, STARTS),
	FAULT(UNLINK, EACCES, STARTS),
	FAULT(GETRLIMIT, EFAULT, STARTS),
	FAULT(SETRLIMIT, EPERM, STARTS),
	FAULT(PRCTL, EINVAL, STARTS),
	FAULT(SYSCALL, ENOSYS, STARTS),
};
#define COUNT ((int)(sizeof faults / sizeof *faults))
_Static_assert(sizeof faults / sizeof *faults <= FAULTS_MOST, "struct shared has room for all");

/* Descriptors there is room for. */
#define DESCRIPTORS 8192

static struct {
	volatile struct shared *shared;
	/* The schedule that it follows, and what chance stands at. */
	uint64_t schedule, chance;
	bool rested;
	/* Seconds that passed between schedules: what rests after a fault rests no more. */
	time_t passed;
	/* Of this schedule: a bit for each fault. */
	bool chosen[FAULTS_MOST];
	/* Whose call was the last one: memory that it needs then is for that. */
	int last;
	struct {
		uint16_t port;
		bool dead;
		/* What it is watched for in an epoll set. */
		bool watched;
		struct epoll_event event;
	} about[DESCRIPTORS];
} seam = { .last = -1 };

/* Splitmix64. */
static uint64_t chance(uint64_t below)
{
	uint64_t z = seam.chance += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return (z ^ z >> 31) % below;
}

__attribute__((constructor)) static void open_seam(void)
{
	const char *number = getenv("UPCASE_FAULTS");
	int fd = number ? atoi(number) : -1;
	struct shared *memory;

	if (fd < 0)
		return;
	memory = FAULTS_REAL(mmap)(NULL, sizeof(struct shared), PROT_READ | PROT_WRITE, MAP_SHARED,
	    fd, 0);
	FAULTS_REAL(close)(fd);
	if (memory == MAP_FAILED)
		abort();
	unsetenv("UPCASE_FAULTS");
	memory->count = COUNT;
	for (int i = 0; i < COUNT; i++)
		snprintf(memory->tallies[i].name, FAULTS_NAME, "%s", faults[i].name);
	seam.shared = memory;
}

/* A new schedule: some of the faults, each with its chance. */
static void begin_schedule(void)
{
	/* Nothing rests before the first one; and a clock that jumps ends the clients of a server
	 * that ends. */
	if (seam.schedule)
		seam.passed += 2;
	seam.schedule = seam.shared->schedule;
	seam.chance = seam.shared->seed;
	seam.rested = false;
	for (int i = 0; i < COUNT; i++)
		seam.chosen[i] = faults[i].effect != STARTS &&
		                 chance(faults[i].effect == RESTS || faults[i].effect == UNSPLIT
		                            ? 8
		                            : 2) == 0;
}

static const struct fault *tally(const struct fault *f)
{
	__atomic_add_fetch(&seam.shared->tallies[f - faults].count, 1, __ATOMIC_RELAXED);
	if (f->effect == RESTS)
		seam.rested = true;
	return f;
}

/* The one that is to fail at the start. */
static const struct fault *pick_nth(enum faults_call call)
{
	const struct fault *f = faults;

	if (seam.shared->only_memory && call != FAULTS_ALLOCATE)
		return NULL;
	if (__atomic_add_fetch(&seam.shared->made, 1, __ATOMIC_RELAXED) != seam.shared->nth)
		return NULL;
	while (f->call != call)
		f++;
	seam.shared->failed = 1 + (uint64_t)(f - faults);
	return tally(f);
}

const struct fault *faults_pick(enum faults_call call)
{
	int candidates[FAULTS_MOST], n = 0;
	uint64_t one_in;

	if (!seam.shared)
		return NULL;
	if (seam.shared->nth)
		return pick_nth(call);
	/* Read once: the driver may take it away at any time. */
	one_in = seam.shared->one_in;
	if (!one_in)
		return NULL;
	if (seam.shared->spare_log && (call == FAULTS_POLL || call == FAULTS_WRITE))
		return NULL;
	if (seam.schedule != seam.shared->schedule)
		begin_schedule();
	if (chance(one_in))
		return NULL;
	for (int i = 0; i < COUNT; i++)
		if (faults[i].call == call && seam.chosen[i] &&
		    !(faults[i].effect == RESTS && seam.rested))
			candidates[n++] = i;
	return n ? &faults[candidates[chance((uint64_t)n)]] : NULL;
}

static bool is_known(int fd)
{
	return fd >= 0 && fd < DESCRIPTORS;
}

/* The connection of `port` did not live. */
static void note_port(uint16_t port)
{
	uint64_t at = __atomic_fetch_add(&seam.shared->noted, 1, __ATOMIC_RELAXED);

	seam.shared->notes[at % FAULTS_NOTES] = seam.schedule << 16 | port;
}

/* Lets it happen to `fd`, or to none. Returns -1 with errno. */
int faults_strike(const struct fault *f, int fd)
{
	tally(f);
	if ((f->effect == DIES || f->effect == LOSES) && is_known(fd)) {
		if (f->effect == DIES)
			seam.about[fd].dead = true;
		note_port(seam.about[fd].port);
	}
	errno = f->error;
	return -1;
}

bool faults_fail(enum faults_call call, int fd)
{
	const struct fault *f = faults_pick(call);

	if (!f || f->error == 0 || f->effect == UNSPLIT)
		return false;
	faults_strike(f, fd);
	return true;
}

/* Allocations. */

bool faults_no_memory(void)
{
	return faults_fail(FAULTS_ALLOCATE, seam.last);
}

/* Time, which never fails. */
int FAULTS_WRAP(clock_gettime)(clockid_t clock, struct timespec *now)
{
	int result = FAULTS_REAL(clock_gettime)(clock, now);

	if (clock == CLOCK_MONOTONIC)
		now->tv_sec += seam.passed;
	return result;
}

/* Waiting. */

/* Takes one of those that are ready out, or puts one more in. */
static int change_sets(const struct fault *f, int n, fd_set *sets[2], const fd_set asked[2],
    int ready)
{
	int from = (int)chance((uint64_t)n);

	for (int i = 0; i < 2 * n; i++) {
		int fd = (from + i / 2) % n, which = i % 2;
		bool is = sets[which] && FD_ISSET(fd, sets[which]);

		if (f->effect == FEWER && is && ready > 1) {
			FD_CLR(fd, sets[which]);
			tally(f);
			return ready - 1;
		}
		if (f->effect == SPURIOUS && sets[which] && !is && FD_ISSET(fd, &asked[which])) {
			FD_SET(fd, sets[which]);
			tally(f);
			return ready + 1;
		}
	}
	return ready;
}

int FAULTS_WRAP(pselect)(int n, fd_set *r, fd_set *w, fd_set *e, const struct timespec *t,
    const sigset_t *mask)
{
	const struct fault *f = faults_pick(FAULTS_PSELECT);
	const struct timespec none = { 0, 0 };
	fd_set *sets[2] = { r, w }, asked[2];
	int ready;

	if (f && f->error)
		return faults_strike(f, -1);
	FD_ZERO(&asked[0]);
	FD_ZERO(&asked[1]);
	for (int i = 0; i < 2; i++)
		if (sets[i])
			asked[i] = *sets[i];
	ready = FAULTS_REAL(pselect)(n, r, w, e, f && f->effect == SPURIOUS ? &none : t, mask);
	return f && n && ready >= 0 ? change_sets(f, n, sets, asked, ready) : ready;
}

/* One more event, of one that is watched. */
static int add_event(const struct fault *f, struct epoll_event *events, int n)
{
	int from = (int)chance(DESCRIPTORS);

	for (int i = 0; i < DESCRIPTORS; i++) {
		int fd = (from + i) % DESCRIPTORS;

		if (!seam.about[fd].watched)
			continue;
		events[n] = seam.about[fd].event;
		tally(f);
		return n + 1;
	}
	return n;
}

int FAULTS_WRAP(epoll_wait)(int fd, struct epoll_event *events, int most, int timeout)
{
	const struct fault *f = faults_pick(FAULTS_EPOLL_WAIT);
	int n;

	if (f && f->error)
		return faults_strike(f, -1);
	if (f && f->effect == FEWER)
		most = 1;
	n = FAULTS_REAL(epoll_wait)(fd, events, most, timeout);
	if (f && f->effect == FEWER && n == 1)
		tally(f);
	return f && f->effect == SPURIOUS && n >= 0 && n < most ? add_event(f, events, n) : n;
}

int FAULTS_WRAP(epoll_ctl)(int set, int what, int fd, struct epoll_event *event)
{
	int result;

	seam.last = fd;
	/* What takes memory; taking out does not. */
	if (what != EPOLL_CTL_DEL && faults_fail(FAULTS_EPOLL_CTL, fd))
		return -1;
	result = FAULTS_REAL(epoll_ctl)(set, what, fd, event);
	if (result == 0 && is_known(fd)) {
		seam.about[fd].watched = what != EPOLL_CTL_DEL;
		if (what != EPOLL_CTL_DEL)
			seam.about[fd].event = *event;
	}
	return result;
}

/* Connections. */

/* One that was given up before it was accepted: gone it is. */
static void abort_connection(int fd, const struct sockaddr_in *from)
{
	const struct linger at_once = { 1, 0 };

	note_port(ntohs(from->sin_port));
	FAULTS_REAL(setsockopt)(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
	FAULTS_REAL(close)(fd);
}

/* What was accepted is in the seam from now on. Returns its descriptor, or -1 with errno. */
static int take(const struct fault *f, int fd, const struct sockaddr *from)
{
	if (fd < 0)
		return fd;
	if (f && from) {
		abort_connection(fd, (const void *)from);
		return faults_strike(f, -1);
	}
	if (is_known(fd)) {
		memset(&seam.about[fd], 0, sizeof seam.about[fd]);
		if (from)
			seam.about[fd].port = ntohs(((const struct sockaddr_in *)(const void *)from)
			        ->sin_port);
	}
	return seam.last = fd;
}

int FAULTS_WRAP(accept)(int listener, struct sockaddr *from, socklen_t *size)
{
	const struct fault *f = faults_pick(FAULTS_ACCEPT);

	if (f && f->effect != DIES)
		return faults_strike(f, -1);
	return take(f, FAULTS_REAL(accept)(listener, from, size), from);
}

int FAULTS_WRAP(accept4)(int listener, struct sockaddr *from, socklen_t *size, int flags)
{
	const struct fault *f = faults_pick(FAULTS_ACCEPT);

	if (f && f->effect != DIES)
		return faults_strike(f, -1);
	return take(f, FAULTS_REAL(accept4)(listener, from, size, flags), from);
}

/* Less than `n`, and more than nothing. */
static size_t fewer(const struct fault *f, size_t n)
{
	if (n < 2)
		return n;
	tally(f);
	/* Mostly much less, but also all but one. */
	return 1 + (size_t)chance(chance(2) && n > 8 ? 8 : n - 1);
}

ssize_t FAULTS_WRAP(recv)(int fd, void *bytes, size_t n, int flags)
{
	const struct fault *f;

	seam.last = fd;
	if (is_known(fd) && seam.about[fd].dead)
		return 0;
	f = faults_pick(FAULTS_RECV);
	if (f && f->error)
		return faults_strike(f, fd);
	return FAULTS_REAL(recv)(fd, bytes, f ? fewer(f, n) : n, flags);
}

ssize_t FAULTS_WRAP(send)(int fd, const void *bytes, size_t n, int flags)
{
	const struct fault *f;

	seam.last = fd;
	if (is_known(fd) && seam.about[fd].dead) {
		errno = EPIPE;
		return -1;
	}
	f = faults_pick(FAULTS_SEND);
	if (f && f->error)
		return faults_strike(f, fd);
	return FAULTS_REAL(send)(fd, bytes, f ? fewer(f, n) : n, flags);
}

int FAULTS_WRAP(close)(int fd)
{
	if (is_known(fd))
		memset(&seam.about[fd], 0, sizeof seam.about[fd]);
	/* It is closed in any case. */
	return FAULTS_REAL(close)(fd) < 0 || faults_fail(FAULTS_CLOSE, -1) ? -1 : 0;
}

/* Datagrams. */

static bool is_split(const struct msghdr *m)
{
	struct msghdr own = *m;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(&own); c; c = CMSG_NXTHDR(&own, c))
		if (c->cmsg_level == SOL_UDP && c->cmsg_type == UDP_SEGMENT)
			return true;
	return false;
}

static void count_splits(const struct msghdr *m)
{
	if (seam.shared && is_split(m))
		seam.shared->splits++;
}

ssize_t FAULTS_WRAP(sendmsg)(int fd, const struct msghdr *m, int flags)
{
	const struct fault *f = faults_pick(FAULTS_SENDMSG);
	ssize_t sent;

	seam.last = -1;
	if (f && (f->effect != UNSPLIT || is_split(m)))
		return faults_strike(f, -1);
	sent = FAULTS_REAL(sendmsg)(fd, m, flags);
	if (sent >= 0)
		count_splits(m);
	return sent;
}

int FAULTS_WRAP(sendmmsg)(int fd, struct mmsghdr *messages, unsigned count, faults_flags flags)
{
	const struct fault *f = faults_pick(FAULTS_SENDMMSG);
	unsigned most = count;
	int sent;

	seam.last = -1;
	if (f && f->effect == UNSPLIT)
		for (most = 0; most < count && !is_split(&messages[most].msg_hdr);)
			most++;
	if (f && f->effect == FEWER)
		most = (unsigned)fewer(f, count);
	else if (f && (f->effect != UNSPLIT || most == 0))
		return faults_strike(f, -1);
	sent = FAULTS_REAL(sendmmsg)(fd, messages, most, flags);
	for (int i = 0; i < sent; i++)
		count_splits(&messages[i].msg_hdr);
	return sent;
}

ssize_t FAULTS_WRAP(recvmsg)(int fd, struct msghdr *m, int flags)
{
	seam.last = -1;
	return faults_fail(FAULTS_RECVMSG, -1) ? -1 : FAULTS_REAL(recvmsg)(fd, m, flags);
}

int FAULTS_WRAP(recvmmsg)(int fd, struct mmsghdr *messages, unsigned count, faults_flags flags,
    struct timespec *timeout)
{
	const struct fault *f = faults_pick(FAULTS_RECVMMSG);

	seam.last = -1;
	if (f && f->error)
		return faults_strike(f, -1);
	return FAULTS_REAL(recvmmsg)(fd, messages, f ? (unsigned)fewer(f, count) : count, flags,
	    timeout);
}
