/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The sockets that the server receives on: bound here, or handed over by a service manager. */
#pragma once

#include "common/addr.h"
#include "common/options.h"
#include "server/settings.h"

#define LISTEN_SOCKETS 64

struct listen_socket {
	/* -1 when it is closed. */
	int fd;
	/* SOCK_STREAM or SOCK_DGRAM. */
	int type;
	/* Where it is bound. */
	struct addr addr;
};

/* Goes through the sockets of a struct listen that are of a type and open. */
#define LISTEN_EACH(s, listen, kind) \
	for (struct listen_socket *s = (listen)->sockets; s < (listen)->sockets + (listen)->count; \
	    s++) \
		if (s->type == (kind) && s->fd >= 0)

struct ifaddrs;

struct listen {
	struct listen_socket sockets[LISTEN_SOCKETS];
	int count;
	/* The family that was left out because it is missing here, 0 for none. */
	int missing;
	/* Whether TCP connections inherit the options of listen_prepare(); else each needs it. */
	bool prepared;
	/* As in the settings. */
	bool nagle;
	/* This host's addresses as they were at `locals_read`, NULL before. */
	struct ifaddrs *locals;
	int64_t locals_read;
};

/* How many sockets the environment hands over (LISTEN_PID, LISTEN_FDS): 0 for none, -1 with the
 * `reason`. The variables are removed from the environment. */
int listen_handed_over(char reason[OPTIONS_REASON]);
/* Takes `n` sockets from descriptor 3 on. Returns 0, or -1 with the `reason`. */
int listen_take(struct listen *l, int n, char reason[OPTIONS_REASON]);
/* Binds UDP and TCP to each place of the settings, all on the same port, `n` times: the system
 * gives each of these sets its share of the clients (SO_REUSEPORT), and no other program gets any.
 * Returns 0, or -1 with the `reason`. */
int listen_open(struct listen *sets, int n, const struct settings *s, char reason[OPTIONS_REASON]);
/* Sets the options of a TCP connection; on a listener, of all later connections. `nagle`: it holds
 * small segments back for an ACK. */
void listen_prepare(int fd, bool nagle);
/* Closes the sockets that are left and frees. */
void listen_close(struct listen *l);

/* Whether another host can reach one of the sockets. */
bool listen_is_open(const struct listen *l);
/* "127.0.0.1:12000 [::1]:12000 (UDP and TCP)". Writes `size` bytes at most. Returns `buf`. */
char *listen_text(const struct listen *l, char *buf, size_t size);

/* Whether `from` is an address and port that one of the UDP sockets serves. This host's addresses,
 * which a socket bound to all of them serves, are read anew once a second at most; `now` in ns. */
bool listen_serves(struct listen *l, const struct addr *from, int64_t now);
