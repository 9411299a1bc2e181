/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the lab's wire costs: the delay it adds when nothing is impaired, how exact a delay of 10 ms
 * is, packets and bits a second; each beside a plain veth pair between two namespaces, with no
 * relay. Prints one table. Needs what upcase-lab needs. */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "lab/hosts/hosts.h"
#include "lab/hosts/netlink.h"
#include "lab/link/link.h"

#define PORT 12000
#define PINGS 5000
#define PING_EVERY (200 * NS_PER_US)
/* A host's queue may still be full of the test before. */
#define MISSING_MOST 20
#define LOAD_TIME NS_PER_S
#define SMALL 64
#define BULK (128 << 10)
/* The plain pair's addresses: the hosts' own network is taken by their devices. */
#define PLAIN_NEAR "10.10.0.1"
#define PLAIN_FAR "10.10.0.2"

/* What the relay's process and the measuring one share. */
struct shared {
	/* Written by the relay after every turn. */
	volatile uint64_t delivered, bytes;
	volatile int64_t cpu;
	volatile int64_t delay;
};

struct bench {
	struct hosts_pair pair;
	struct shared *shared;
	pid_t relay;
	const char *name;
};

static void fatal(const char *what)
{
	fprintf(stderr, "bench-link: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int64_t cpu_time(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec * NS_PER_S + t.tv_nsec;
}

/* The relay: as upcase-lab runs it, but for the control socket. */
static void relay(const struct bench *b)
{
	struct impair_settings s = impair_perfect();
	struct device *ends[HOSTS_SIDES];
	struct link *link = hosts_devices(&b->pair, 1500, ends) == 0
	                      ? link_new(&s, &s, 1, ends[HOSTS_NEAR], ends[HOSTS_FAR])
	                      : NULL;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)link_set_priority(true);
	while (link && !link_broken(link)) {
		struct fd_watch w;
		struct timespec wait;
		if (link_settings(link, LINK_GOING)->delay != b->shared->delay) {
			s.delay = b->shared->delay;
			impair_change(link_impair(link, LINK_GOING), &s);
		}
		fd_watch_start(&w);
		link_watch(link, &w);
		if (pselect(w.count, &w.readable, NULL, NULL,
		        clock_until(w.deadline, clock_monotonic(), &wait), NULL) < 0)
			continue;
		link_dispatch(link, &w);
		b->shared->delivered = link_counts(link, LINK_GOING)->delivered;
		b->shared->bytes = link_counts(link, LINK_GOING)->delivered_bytes;
		b->shared->cpu = cpu_time();
	}
	_exit(1);
}

static const char *address_of(const struct bench *b, enum hosts_side side)
{
	if (!b->relay)
		return side == HOSTS_FAR ? PLAIN_FAR : PLAIN_NEAR;
	return side == HOSTS_FAR ? LAB_FAR_IPV4 : LAB_NEAR_IPV4;
}

static int socket_on(const struct bench *b, enum hosts_side side, int type)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_port = htons(side == HOSTS_FAR ? PORT : 0) };
	int one = 1, room = 4 << 20;

	inet_pton(AF_INET, address_of(b, side), &a.sin_addr);
	if (hosts_enter(&b->pair, side))
		fatal("hosts_enter");
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &one, sizeof one);
	setsockopt(fd, SOL_SOCKET, type == SOCK_DGRAM ? SO_RCVBUFFORCE : SO_REUSEADDR, &room,
	    sizeof room);
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a))
		fatal("bind");
	return fd;
}

static void connect_far(const struct bench *b, int fd)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	inet_pton(AF_INET, address_of(b, HOSTS_FAR), &a.sin_addr);
	if (connect(fd, (struct sockaddr *)&a, sizeof a))
		fatal("connect");
}

/* The kernel's receive stamp of the next datagram, or -1 when none comes within a second. */
static int64_t receive_stamp(int fd)
{
	char data[2048];
	union {
		struct cmsghdr head;
		char room[256];
	} control;
	struct iovec part = { data, sizeof data };
	struct msghdr message = { .msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof control };
	struct pollfd ready = { fd, POLLIN, 0 };
	struct timespec stamp;

	if (poll(&ready, 1, 1000) < 1 || recvmsg(fd, &message, 0) < 0)
		return -1;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
			memcpy(&stamp, CMSG_DATA(c), sizeof stamp);
			return stamp.tv_sec * NS_PER_S + stamp.tv_nsec;
		}
	return -1;
}

static int compare(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;
	return (*x > *y) - (*x < *y);
}

struct spread {
	double median, p99;
	int n;
};

/* One-way times there in us, less `expected`, one datagram at a time. */
static struct spread one_way(const struct bench *b, int64_t expected)
{
	static int64_t took[PINGS];
	int near = socket_on(b, HOSTS_NEAR, SOCK_DGRAM), far = socket_on(b, HOSTS_FAR, SOCK_DGRAM);
	char data[SMALL] = "hello";
	int n = 0, missing = 0;

	connect_far(b, near);
	for (int i = 0; i < (expected ? PINGS / 5 : PINGS); i++) {
		struct timespec pause = { 0, PING_EVERY };
		nanosleep(&pause, NULL);
		int64_t start = clock_realtime();
		if (send(near, data, sizeof data, 0) < 0)
			fatal("send");
		int64_t stamp = receive_stamp(far);
		if (stamp > 0)
			took[n++] = stamp - start - expected;
		else if (++missing > MISSING_MOST)
			fatal("datagrams do not arrive");
	}
	close(near);
	close(far);
	qsort(took, (size_t)n, sizeof *took, compare);
	return (struct spread){ (double)took[n / 2] / 1e3, (double)took[n * 99 / 100] / 1e3, n };
}

/* Small datagrams as fast as one process sends them: packets a second delivered, and for each
 * second of the relay's processor. */
static void packets(const struct bench *b, double *wall, double *core)
{
	int near = socket_on(b, HOSTS_NEAR, SOCK_DGRAM), far = socket_on(b, HOSTS_FAR, SOCK_DGRAM);
	struct iovec part = { (char[SMALL]){ "hello" }, SMALL };
	struct mmsghdr batch[32];
	int64_t got = 0;

	connect_far(b, near);
	memset(batch, 0, sizeof batch);
	for (int i = 0; i < 32; i++)
		batch[i].msg_hdr = (struct msghdr){ .msg_iov = &part, .msg_iovlen = 1 };
	int64_t start = clock_monotonic(), cpu = b->shared->cpu;
	uint64_t before = b->shared->delivered;
	while (clock_monotonic() - start < LOAD_TIME) {
		if (sendmmsg(near, batch, 32, 0) < 0 && errno != ENOBUFS)
			fatal("sendmmsg");
		/* Without a relay nobody else counts. */
		struct mmsghdr in[64];
		memset(in, 0, sizeof in);
		int n = b->relay ? 0 : recvmmsg(far, in, 64, MSG_DONTWAIT, NULL);
		got += n > 0 ? n : 0;
	}
	double seconds = (double)(clock_monotonic() - start) / 1e9;
	*wall = (b->relay ? (double)(b->shared->delivered - before) : (double)got) / seconds;
	*core = b->relay
	          ? (double)(b->shared->delivered - before) / ((double)(b->shared->cpu - cpu) / 1e9)
	          : 0;
	close(near);
	close(far);
}

static void flood(int fd)
{
	static char data[BULK];
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (send(fd, data, sizeof data, MSG_NOSIGNAL) > 0)
		;
	_exit(0);
}

/* One TCP connection in bulk: Gbit/s of payload, and for each second of the relay's processor. */
static void bits(const struct bench *b, double *wall, double *core)
{
	static char data[BULK];
	int listener = socket_on(b, HOSTS_FAR, SOCK_STREAM),
	    near = socket_on(b, HOSTS_NEAR, SOCK_STREAM);
	int64_t bytes = 0;

	if (listen(listener, 1))
		fatal("listen");
	connect_far(b, near);
	int far = accept(listener, NULL, NULL);
	pid_t sender = fork();
	if (sender == 0)
		flood(near);
	close(near);
	int64_t start = clock_monotonic(), cpu = b->shared->cpu;
	while (clock_monotonic() - start < LOAD_TIME) {
		ssize_t n = recv(far, data, sizeof data, 0);
		if (n <= 0)
			break;
		bytes += n;
	}
	double seconds = (double)(clock_monotonic() - start) / 1e9;
	double gigabits = (double)bytes * 8 / 1e9;
	*wall = gigabits / seconds;
	*core = b->relay ? gigabits / ((double)(b->shared->cpu - cpu) / 1e9) : 0;
	kill(sender, SIGKILL);
	waitpid(sender, NULL, 0);
	close(far);
	close(listener);
}

static void measure(const struct bench *b)
{
	double pps, pps_core, gbit, gbit_core;
	struct spread idle = one_way(b, 0), delayed = { 0, 0, 0 };

	packets(b, &pps, &pps_core);
	bits(b, &gbit, &gbit_core);
	if (b->relay) {
		b->shared->delay = 10 * NS_PER_MS;
		/* The change takes effect with the relay's next turn: one datagram makes it turn.
		 */
		(void)one_way(b, 1);
		delayed = one_way(b, 10 * NS_PER_MS);
	}
	printf("%-8s %8.1f %8.1f %11.1f %8.1f %10.0f %10.0f %9.2f %9.2f\n", b->name, idle.median,
	    idle.p99, delayed.median, delayed.p99, pps, pps_core, gbit, gbit_core);
	fflush(stdout);
}

/* Two hosts joined by a veth pair, with nothing between. */
static void join_plainly(struct bench *b)
{
	static const unsigned char mac[6] = { 2, 0, 0, 9, 0, 1 };
	const struct netlink_setup shape = { .mtu = 1500 };

	if (hosts_enter(&b->pair, HOSTS_NEAR) ||
	    netlink_veth("plain", mac, "plain", b->pair.fds[HOSTS_NS][HOSTS_FAR], 1500) ||
	    netlink_raise("plain", &shape) || netlink_address("plain", PLAIN_NEAR, 24))
		fatal("veth");
	if (hosts_enter(&b->pair, HOSTS_FAR) || netlink_raise("plain", &shape) ||
	    netlink_address("plain", PLAIN_FAR, 24))
		fatal("veth");
}

/* In a process of its own: the first of a process namespace. */
static void run(enum hosts_backend backend, const char *name, bool plain)
{
	/* The machine's own may pace, and then the pacing is measured. */
	struct hosts_settings settings = { .backend = backend, .mtu = 1500, .congestion = "cubic" };
	struct diagnose_facts facts;
	char reason[DIAGNOSE_TEXT];
	struct bench b = { .name = name };

	b.shared = mmap(NULL, sizeof *b.shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
	    -1, 0);
	if (hosts_build(&settings, &b.pair)) {
		hosts_facts(&facts);
		printf("%-8s %s\n", name, diagnose(&b.pair.failure, &facts, reason));
		return;
	}
	if (plain) {
		join_plainly(&b);
	} else if ((b.relay = fork()) == 0) {
		relay(&b);
	}
	measure(&b);
	if (b.relay) {
		kill(b.relay, SIGKILL);
		waitpid(b.relay, NULL, 0);
	}
}

static void isolated(enum hosts_backend backend, const char *name, bool plain)
{
	struct hosts_pair pair = { .fds = { { 0 } } };
	pid_t outer = fork();

	if (outer == 0) {
		if (hosts_isolate(&pair))
			fatal("hosts_isolate");
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		pid_t inner = fork();
		if (inner == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			run(backend, name, plain);
			fflush(stdout);
			_exit(0);
		}
		waitpid(inner, NULL, 0);
		_exit(0);
	}
	waitpid(outer, NULL, 0);
}

int main(void)
{
	printf("%-8s %17s %20s %21s %19s\n", "", "added one way, us", "error of 10 ms, us",
	    "packets/s", "Gbit/s, TCP");
	printf("%-8s %8s %8s %11s %8s %10s %10s %9s %9s\n", "", "median", "p99", "median", "p99",
	    "delivered", "per core", "through", "per core");
	fflush(stdout);
	isolated(HOSTS_BACKEND_VETH, "no relay", true);
	isolated(HOSTS_BACKEND_TUN, "tun", false);
	isolated(HOSTS_BACKEND_VETH, "veth", false);
	return 0;
}
