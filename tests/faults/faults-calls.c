/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The calls that only fail or do not: no word of theirs is shortened, and no more follows than the
 * error says. */
#include "tests/faults/faults.h"

#include <stdarg.h>

/* `kind` `name`(`parameters`) that fails with -1; `fd` is the connection that it may cost. */
#define PLAIN(kind, name, call, fd, parameters, arguments) \
	kind FAULTS_WRAP(name) parameters \
	{ \
		return faults_fail(FAULTS_##call, fd) ? -1 : FAULTS_REAL(name) arguments; \
	}

/* The same for memory, where failing is NULL. */
#define MEMORY(name, parameters, arguments) \
	void *FAULTS_WRAP(name) parameters \
	{ \
		return faults_no_memory() ? NULL : FAULTS_REAL(name) arguments; \
	}

PLAIN(int, setsockopt, SETSOCKOPT, -1,
    (int fd, int level, int name, const void *value, socklen_t size),
    (fd, level, name, value, size))
PLAIN(int, getsockopt, GETSOCKOPT, -1, (int fd, int level, int name, void *value, socklen_t *size),
    (fd, level, name, value, size))
PLAIN(int, shutdown, SHUTDOWN, fd, (int fd, int how), (fd, how))
PLAIN(ssize_t, read, READ, -1, (int fd, void *bytes, size_t n), (fd, bytes, n))
PLAIN(ssize_t, write, WRITE, -1, (int fd, const void *bytes, size_t n), (fd, bytes, n))
PLAIN(int, poll, POLL, -1, (struct pollfd * fds, nfds_t n, int timeout), (fds, n, timeout))
PLAIN(int, getifaddrs, GETIFADDRS, -1, (struct ifaddrs * *all), (all))

MEMORY(malloc, (size_t n), (n))
MEMORY(calloc, (size_t n, size_t size), (n, size))
MEMORY(realloc, (void *old, size_t n), (old, n))
MEMORY(aligned_alloc, (size_t alignment, size_t n), (alignment, n))

PLAIN(pid_t, fork, FORK, -1, (void), ())
PLAIN(int, socketpair, SOCKETPAIR, -1, (int family, int type, int protocol, int pair[2]),
    (family, type, protocol, pair))

void *FAULTS_WRAP(mmap)(void *at, size_t n, int protection, int flags, int fd, off_t from)
{
	return faults_fail(FAULTS_MMAP, -1) ? MAP_FAILED
	                                    : FAULTS_REAL(mmap)(at, n, protection, flags, fd, from);
}

PLAIN(int, socket, SOCKET, -1, (int family, int type, int protocol), (family, type, protocol))
PLAIN(int, bind, BIND, -1, (int fd, const struct sockaddr *at, socklen_t size), (fd, at, size))
PLAIN(int, listen, LISTEN, -1, (int fd, int backlog), (fd, backlog))
PLAIN(int, connect, CONNECT, -1, (int fd, const struct sockaddr *to, socklen_t size),
    (fd, to, size))
PLAIN(int, getsockname, GETSOCKNAME, -1, (int fd, struct sockaddr *at, socklen_t *size),
    (fd, at, size))
PLAIN(int, epoll_create1, EPOLL_CREATE, -1, (int flags), (flags))
PLAIN(ssize_t, getrandom, GETRANDOM, -1, (void *bytes, size_t n, unsigned flags), (bytes, n, flags))
PLAIN(int, mkstemp, MKSTEMP, -1, (char *path), (path))
PLAIN(int, rename, RENAME, -1, (const char *from, const char *to), (from, to))
PLAIN(int, fchmod, FCHMOD, -1, (int fd, mode_t mode), (fd, mode))
PLAIN(int, stat, STAT, -1, (const char *path, struct stat *about), (path, about))
PLAIN(int, fstat, STAT, -1, (int fd, struct stat *about), (fd, about))
PLAIN(int, lstat, STAT, -1, (const char *path, struct stat *about), (path, about))
PLAIN(int, unlink, UNLINK, -1, (const char *path), (path))
PLAIN(int, getrlimit, GETRLIMIT, -1, (faults_limit what, struct rlimit *limit), (what, limit))
PLAIN(int, setrlimit, SETRLIMIT, -1, (faults_limit what, const struct rlimit *limit), (what, limit))

/* Those whose further arguments are not named: of one word each, so that what is not there does no
 * harm. */

int FAULTS_WRAP(fcntl)(int fd, int what, ...)
{
	va_list rest;
	long value;

	va_start(rest, what);
	value = va_arg(rest, long);
	va_end(rest);
	/* Of a thousand descriptors that are not open one says so like the other. */
	if (what == F_GETFD && FAULTS_REAL(fcntl)(fd, what, value) < 0)
		return -1;
	return faults_fail(FAULTS_FCNTL, -1) ? -1 : FAULTS_REAL(fcntl)(fd, what, value);
}

int FAULTS_WRAP(ioctl)(int fd, faults_request what, ...)
{
	va_list rest;
	void *value;

	va_start(rest, what);
	value = va_arg(rest, void *);
	va_end(rest);
	return faults_fail(FAULTS_IOCTL, fd) ? -1 : FAULTS_REAL(ioctl)(fd, what, value);
}

int FAULTS_WRAP(open)(const char *path, int flags, ...)
{
	va_list rest;
	mode_t mode;

	va_start(rest, flags);
	mode = va_arg(rest, mode_t);
	va_end(rest);
	return faults_fail(FAULTS_OPEN, -1) ? -1 : FAULTS_REAL(open)(path, flags, mode);
}

/* What clang and new headers make of open() and poll() with _FORTIFY_SOURCE. */
int FAULTS_WRAP(__open_2)(const char *path, int flags);
int FAULTS_WRAP(__poll_chk)(struct pollfd *fds, nfds_t n, int timeout, size_t size);

int FAULTS_WRAP(__open_2)(const char *path, int flags)
{
	return FAULTS_WRAP(open)(path, flags, (mode_t)0);
}

int FAULTS_WRAP(__poll_chk)(struct pollfd *fds, nfds_t n, int timeout, size_t size)
{
	(void)size;
	return FAULTS_WRAP(poll)(fds, n, timeout);
}

int FAULTS_WRAP(prctl)(int what, ...)
{
	unsigned long words[4];
	va_list rest;

	va_start(rest, what);
	for (int i = 0; i < 4; i++)
		words[i] = va_arg(rest, unsigned long);
	va_end(rest);
	return faults_fail(FAULTS_PRCTL, -1)
	         ? -1
	         : FAULTS_REAL(prctl)(what, words[0], words[1], words[2], words[3]);
}

long FAULTS_WRAP(syscall)(long number, ...)
{
	long words[6];
	va_list rest;

	va_start(rest, number);
	for (int i = 0; i < 6; i++)
		words[i] = va_arg(rest, long);
	va_end(rest);
	if (faults_fail(FAULTS_SYSCALL, -1))
		return -1;
	return FAULTS_REAL(syscall)(number, words[0], words[1], words[2], words[3], words[4],
	    words[5]);
}
