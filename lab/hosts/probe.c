/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "lab/hosts/probe.h"

#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/addr.h"
#include "lab/hosts/supervisor-ipc.h"

/* The discard service's port: nobody else's. */
#define PORT 9
/* How long a datagram may take, ms. */
#define TIMEOUT_MS 3000

/* A UDP socket on that host's address, or -1. */
static int open_socket(const struct host_pair *pair, enum host_side side, const char *address)
{
	struct addr here;
	int fd;

	if (addr_numeric(address, PORT, &here) != 0 || hosts_enter(pair, side) != 0)
		return -1;
	fd = socket(here.sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && bind(fd, &here.sa, here.len) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static bool passes(int from, int to, const char *address)
{
	static const char word[] = "is anyone there";
	struct pollfd wait = { .fd = to, .events = POLLIN };
	struct addr there;
	char got[sizeof(word)];

	return addr_numeric(address, PORT, &there) == 0 &&
	       sendto(from, word, sizeof(word), 0, &there.sa, there.len) == sizeof(word) &&
	       poll(&wait, 1, TIMEOUT_MS) == 1 && recv(to, got, sizeof(got), 0) == sizeof(word) &&
	       memcmp(got, word, sizeof(word)) == 0;
}

static bool reach_each_other(const struct host_pair *pair, const char *near_address,
    const char *far_address)
{
	int near = open_socket(pair, HOST_NEAR, near_address),
	    far = open_socket(pair, HOST_FAR, far_address);
	bool result = near >= 0 && far >= 0 && passes(near, far, far_address) &&
	              passes(far, near, near_address);

	if (near >= 0)
		close(near);
	if (far >= 0)
		close(far);
	return result;
}

int probe_run(const struct host_pair *pair)
{
	return (reach_each_other(pair, LAB_NEAR_IPV4, LAB_FAR_IPV4) ? SUPERVISOR_PROBE_IPV4 : 0) |
	       (reach_each_other(pair, LAB_NEAR_IPV6, LAB_FAR_IPV6) ? SUPERVISOR_PROBE_IPV6 : 0);
}
