/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/os.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <net/if.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/addr.h"
#include "common/file.h"

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

/* Prepares both ends. Returns 0; or -1 with errno, and both are closed. */
static int prepare_both(int ends[2], bool blocking)
{
	const int first = prepare(ends[0], blocking), second = prepare(ends[1], blocking);

	if (first >= 0 && second >= 0)
		return 0;
	(void)file_close(first);
	return file_close(second);
}

int os_socket(int family, int type)
{
	return prepare(socket(family, type, 0), false);
}

int os_accept(int listener, struct addr *from)
{
	return prepare(accept(listener, from ? &from->sa : NULL, from ? &from->len : NULL), false);
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
	(void)size;
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
