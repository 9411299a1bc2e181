/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The seam between the server and the system, where calls fail. */
#pragma once

#include <fcntl.h>
#include <ifaddrs.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* As the C library has them. */
#ifdef __GLIBC__
typedef __rlimit_resource_t faults_limit;
typedef unsigned long faults_request;
typedef int faults_flags;
#else
typedef int faults_limit;
typedef int faults_request;
typedef unsigned faults_flags;
#endif

enum faults_call {
	FAULTS_PSELECT,
	FAULTS_EPOLL_WAIT,
	FAULTS_EPOLL_CTL,
	FAULTS_ACCEPT,
	FAULTS_RECV,
	FAULTS_SEND,
	FAULTS_RECVMSG,
	FAULTS_RECVMMSG,
	FAULTS_SENDMSG,
	FAULTS_SENDMMSG,
	FAULTS_SETSOCKOPT,
	FAULTS_GETSOCKOPT,
	FAULTS_CLOSE,
	FAULTS_SHUTDOWN,
	FAULTS_IOCTL,
	FAULTS_READ,
	FAULTS_WRITE,
	FAULTS_POLL,
	FAULTS_GETIFADDRS,
	FAULTS_ALLOCATE,
	FAULTS_FORK,
	FAULTS_SOCKETPAIR,
	FAULTS_MMAP,
	FAULTS_SOCKET,
	FAULTS_BIND,
	FAULTS_LISTEN,
	FAULTS_CONNECT,
	FAULTS_GETSOCKNAME,
	FAULTS_FCNTL,
	FAULTS_OPEN,
	FAULTS_EPOLL_CREATE,
	FAULTS_GETRANDOM,
	FAULTS_MKSTEMP,
	FAULTS_RENAME,
	FAULTS_FCHMOD,
	FAULTS_STAT,
	FAULTS_UNLINK,
	FAULTS_GETRLIMIT,
	FAULTS_SETRLIMIT,
	FAULTS_PRCTL,
	FAULTS_SYSCALL,
};

#define FAULTS_MOST 128
#define FAULTS_NAME 24
#define FAULTS_NOTES 65536

/* What is shared with the driver: tests/faults/server_faults.py has the same. */
struct shared {
	/* Written by the driver. A new number is a new schedule, whose chance begins with `seed`;
	 * one call in so many fails, none if 0. */
	uint64_t schedule, seed, one_in;
	/* Instead: of all calls, or of all for memory, this one alone fails; the first is 1. */
	uint64_t nth, only_memory;
	/* What the log needs does not fail. */
	uint64_t spare_log;
	/* Written here. How many calls were counted for `nth`, and one more than the number of the
	 * fault that happened. */
	uint64_t made, failed;
	/* Messages sent for the kernel to split. */
	uint64_t splits;
	/* Connections that did not live: the number of the schedule and the client's port, in
	 * order, round and round. */
	uint64_t noted;
	/* Kinds of faults, and how many there were of each. */
	uint64_t count;
	struct {
		char name[FAULTS_NAME];
		uint64_t count;
	} tallies[FAULTS_MOST];
	uint64_t notes[FAULTS_NOTES];
};

struct fault;

/* What is to happen to this call; NULL for nothing. */
const struct fault *faults_pick(enum faults_call call);
/* It happens, to the connection `fd` or to none (-1). Returns -1 with errno. */
int faults_strike(const struct fault *f, int fd);
/* Both, where there is nothing but errors. Returns whether it failed, with errno. */
bool faults_fail(enum faults_call call, int fd);
/* The same for memory. */
bool faults_no_memory(void);

/* The linker has the server's calls of x() come to __wrap_x(); __real_x() is the system's. */
#define FAULTS_WRAP(name) __wrap_##name
#define FAULTS_REAL(name) __real_##name
#define FAULTS_SEAM(name) __typeof__(name) FAULTS_WRAP(name), FAULTS_REAL(name)
#define FAULTS_SEAM_ADDRESS(name, type, ...) \
	int FAULTS_WRAP(name)(int, type *, __VA_ARGS__); \
	int FAULTS_REAL(name)(int, type *, __VA_ARGS__)

/* In the loop. */
FAULTS_SEAM(pselect);
FAULTS_SEAM(epoll_wait);
FAULTS_SEAM(epoll_ctl);
FAULTS_SEAM_ADDRESS(accept, struct sockaddr, socklen_t *);
FAULTS_SEAM_ADDRESS(accept4, struct sockaddr, socklen_t *, int);
FAULTS_SEAM(recv);
FAULTS_SEAM(send);
FAULTS_SEAM(recvmsg);
FAULTS_SEAM(recvmmsg);
FAULTS_SEAM(sendmsg);
FAULTS_SEAM(sendmmsg);
FAULTS_SEAM(setsockopt);
FAULTS_SEAM(getsockopt);
FAULTS_SEAM(close);
FAULTS_SEAM(shutdown);
FAULTS_SEAM(ioctl);
FAULTS_SEAM(read);
FAULTS_SEAM(write);
FAULTS_SEAM(poll);
FAULTS_SEAM(getifaddrs);
FAULTS_SEAM(malloc);
FAULTS_SEAM(calloc);
FAULTS_SEAM(realloc);
FAULTS_SEAM(aligned_alloc);
FAULTS_SEAM(clock_gettime);
/* Of workers. */
FAULTS_SEAM(fork);
FAULTS_SEAM(socketpair);
FAULTS_SEAM(mmap);
/* At the start and at the end. */
FAULTS_SEAM(socket);
FAULTS_SEAM_ADDRESS(bind, const struct sockaddr, socklen_t);
FAULTS_SEAM(listen);
FAULTS_SEAM_ADDRESS(connect, const struct sockaddr, socklen_t);
FAULTS_SEAM_ADDRESS(getsockname, struct sockaddr, socklen_t *);
FAULTS_SEAM(fcntl);
FAULTS_SEAM(open);
FAULTS_SEAM(epoll_create1);
FAULTS_SEAM(getrandom);
FAULTS_SEAM(mkstemp);
FAULTS_SEAM(rename);
FAULTS_SEAM(fchmod);
FAULTS_SEAM(stat);
FAULTS_SEAM(fstat);
FAULTS_SEAM(lstat);
FAULTS_SEAM(unlink);
FAULTS_SEAM(getrlimit);
FAULTS_SEAM(setrlimit);
FAULTS_SEAM(prctl);
FAULTS_SEAM(syscall);
