/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/os.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <net/if.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/file.h"

/* Where the system has nothing to call, the arguments are for nothing. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

#if !HAVE_ACCEPT4
/* Another thread could start a program between the two calls; there is none. */
static int prepare(int fd, bool blocking)
{
	if (fd < 0)
		return -1;
#ifdef SO_NOSIGPIPE
	(void)setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &(int){ 1 }, sizeof(int));
#endif
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 ||
	    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | (blocking ? 0 : O_NONBLOCK)) < 0)
		return file_close(fd);
	return fd;
}

/* Prepares both ends. Returns 0; or -1 with errno: both are closed, and are -1. */
static int prepare_both(int ends[2], bool blocking)
{
	const int first = prepare(ends[0], blocking), second = prepare(ends[1], blocking);

	if (first >= 0 && second >= 0)
		return 0;
	(void)file_close(first);
	(void)file_close(second);
	ends[0] = ends[1] = -1;
	return -1;
}

int os_socket(int family, int type)
{
	return prepare(socket(family, type, 0), false);
}

int os_accept(int listener, struct sockaddr *from, socklen_t *length)
{
	return prepare(accept(listener, from, length), false);
}

int os_socketpair(int ends[2])
{
	return socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0 ? -1 : prepare_both(ends, false);
}

int os_pipe(int ends[2], bool blocking)
{
	return pipe(ends) < 0 ? -1 : prepare_both(ends, blocking);
}
#endif

#if !HAVE_PROC
/* A terminal has a name; a pipe has none. */
int os_reopen(int fd)
{
	char path[PATH_MAX];

	errno = ttyname_r(fd, path, sizeof path);
	return errno ? -1 : open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

bool os_program_path(char *path, size_t size)
{
	*path = '\0';
	return false;
}
#endif

#if !HAVE_NETLINK
char *os_interface_name(unsigned number, char *name)
{
	return if_indextoname(number, name);
}
#endif

#if !HAVE_GETRANDOM
bool os_random(void *bytes, size_t n)
{
	const int fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
	const bool given = fd >= 0 && read(fd, bytes, n) == (ssize_t)n;

	(void)file_close(fd);
	return given;
}
#endif

#if !HAVE_MALLOC_TRIM
void os_trim_memory(void)
{
}
#endif

ssize_t os_receive(int fd, void *bytes, size_t size, struct os_arrival *out)
{
	union os_control control;
	struct iovec part = { bytes, size };
	struct msghdr m = { .msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof control };
	const ssize_t n = recvmsg(fd, &m, 0);

	if (n >= 0)
		os_read_arrival(&m, out);
	return n;
}

#if !HAVE_ARRIVALS
void os_ask(int fd, unsigned what)
{
}

void os_read_arrival(struct msghdr *m, struct os_arrival *out)
{
	*out = (struct os_arrival){ .stamp = -1, .drops = -1 };
}

int64_t os_drops(int fd)
{
	return -1;
}

int64_t os_host_drops(void)
{
	return -1;
}

int os_buffer(int fd, int option)
{
	int size = 0;
	socklen_t length = sizeof size;

	return getsockopt(fd, SOL_SOCKET, option, &size, &length) < 0 ? 0 : size;
}

void os_set_buffer(int fd, int option, int size)
{
	(void)setsockopt(fd, SOL_SOCKET, option, &size, sizeof size);
}

size_t os_write_control(union os_control *out, const struct os_local *from, size_t each)
{
	return 0;
}
#endif

#if !HAVE_BATCHES
struct os_batches os_batches(int fd)
{
	return (struct os_batches){ .calls = false };
}

int os_receive_many(int fd, struct os_message *messages, int count)
{
	errno = ENOSYS;
	return -1;
}

int os_send_many(int fd, struct os_message *messages, int count)
{
	return os_receive_many(fd, messages, count);
}
#endif

#if !HAVE_ERROR_QUEUE
bool os_queue_errors(int fd, int family, bool on)
{
	return false;
}

bool os_queue_sent(int fd)
{
	return false;
}

ssize_t os_next_error(int fd, void *bytes, size_t size, struct os_error *out)
{
	return -1;
}
#endif

#if !HAVE_TCP_INFO
void os_tcp_read(int fd, struct os_tcp *out)
{
	*out = (struct os_tcp){ .known = 0 };
}

int os_set_congestion(int fd, const char *name)
{
	errno = ENOSYS;
	return -1;
}

char *os_congestion(int fd, char name[OS_CONGESTION])
{
	*name = '\0';
	return name;
}
#endif

#if !HAVE_SEND_QUEUE
int os_unacknowledged(int fd)
{
	return -1;
}

/* What is sent and not acknowledged counts too. */
void os_limit_unsent(int fd, int bytes)
{
	os_set_buffer(fd, SO_SNDBUF, bytes);
}
#endif

#if !HAVE_EPOLL
int os_poller(void)
{
	errno = ENOSYS;
	return -1;
}

int os_poller_watch(int poller, int fd, bool had, bool read, bool write)
{
	errno = ENOSYS;
	return -1;
}

int os_poller_ready(int poller, struct os_ready ready[OS_READY_MAX])
{
	return 0;
}
#endif

#if !HAVE_WORKERS
int os_share_port(int fd)
{
	errno = ENOSYS;
	return -1;
}

void *os_shared_memory(size_t size)
{
	errno = ENOSYS;
	return NULL;
}

void os_end_with_parent(pid_t parent)
{
	if (getppid() != parent)
		_exit(1);
}
#endif
