/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/os.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>
#if HAVE_NETLINK
#include <linux/netlink.h>
#include <net/if.h>
#include <sys/ioctl.h>
#endif
#if HAVE_GETRANDOM
#include <sys/random.h>
#endif
#if HAVE_MALLOC_TRIM
#include <malloc.h>
#endif

#include "common/addr.h"
#include "common/file.h"

#if HAVE_ACCEPT4
int os_socket(int family, int type)
{
	return socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

int os_accept(int listener, struct addr *from)
{
	return accept4(listener, from ? &from->sa : NULL, from ? &from->len : NULL,
	    SOCK_NONBLOCK | SOCK_CLOEXEC);
}

int os_socketpair(int ends[2])
{
	return socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends);
}

int os_pipe(int ends[2], bool blocking)
{
	return pipe2(ends, O_CLOEXEC | (blocking ? 0 : O_NONBLOCK));
}
#endif

#if HAVE_PROC
int os_reopen(int fd)
{
	char path[32];

	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	return open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

bool os_program_path(char *path, size_t size)
{
	const ssize_t n = readlink("/proc/self/exe", path, size - 1);

	path[n > 0 ? n : 0] = '\0';
	return n > 0;
}
#endif

#if HAVE_NETLINK
/* Like if_indextoname(3), which uses a socket of AF_UNIX; the server's sandbox allows only
 * AF_NETLINK. */
char *os_interface_name(unsigned number, char *name)
{
	struct ifreq request = { .ifr_ifindex = (int)number };
	const int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	const bool found = fd >= 0 && ioctl(fd, SIOCGIFNAME, &request) == 0;

	(void)file_close(fd);
	return found ? strcpy(name, request.ifr_name) : if_indextoname(number, name);
}
#endif

#if HAVE_GETRANDOM
bool os_random(void *bytes, size_t n)
{
	return getrandom(bytes, n, 0) == (ssize_t)n;
}
#endif

#if HAVE_MALLOC_TRIM
void os_trim_memory(void)
{
	malloc_trim(0);
}
#endif
