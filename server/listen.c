/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "server/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/file.h"
#include "common/os.h"
#include "common/text.h"
#include "common/units.h"

/* The first descriptor of those handed over: sd_listen_fds(3). */
#define FIRST_HANDED_OVER 3
/* Tries for a free port: one that is free for one socket may be taken for the next. */
#define FREE_PORT_TRIES 100
#define LOCALS_MAX_AGE NS_PER_S

static const int types[] = { SOCK_STREAM, SOCK_DGRAM };

/* The bytes that the system takes for one connection beyond those that it may send now. */
#define UNSENT_MAX 262144
/* The bytes of one connection from another host that the system takes before they are read. Its own
 * bound is megabytes, which suits streams on this host. */
#define UNREAD_MAX 262144

static const char *type_name(int type)
{
	return type == SOCK_STREAM ? "TCP" : "UDP";
}

/* How a set of sockets gets its port: alone; as the first set of those that share the port, bound
 * before sharing is allowed, so that a port of another server is found out; as a further set. */
enum port_sharing { ALONE, FIRST, FURTHER };

static int switch_on(int fd, int level, int option)
{
	return setsockopt(fd, level, option, &(int){ 1 }, sizeof(int));
}

void listen_prepare(int fd, bool nagle)
{
	/* Replies are written in one piece: waiting for more would only delay them. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ !nagle }, sizeof(int));
	/* An urgent byte stays in the stream (RFC 6093, section 6) instead of being taken out. */
	switch_on(fd, SOL_SOCKET, SO_OOBINLINE);
	switch_on(fd, SOL_SOCKET, SO_KEEPALIVE);
	/* Else a client that does not read takes megabytes of what all share (tcp_mem). */
	os_limit_unsent(fd, UNSENT_MAX);
}

/* Connections inherit it. */
static void limit_receive_buffer(const struct listen_socket *s)
{
	if (s->type == SOCK_STREAM && !addr_is_loopback(&s->addr))
		setsockopt(s->fd, SOL_SOCKET, SO_RCVBUF, &(int){ UNREAD_MAX }, sizeof(int));
}

/* Returns 0, or -1 with errno. */
static int bind_socket(struct listen_socket *s, enum port_sharing share, bool nagle)
{
	const bool stream = s->type == SOCK_STREAM;

	s->fd = os_socket(s->addr.sa.sa_family, s->type);
	if (s->fd < 0)
		return -1;
	if (s->fd >= FD_SETSIZE) {
		errno = EMFILE;
		return -1;
	}
	/* Connections of an earlier server may linger; over UDP it would let two servers bind. */
	if (stream && switch_on(s->fd, SOL_SOCKET, SO_REUSEADDR) < 0)
		return -1;
	if (stream)
		listen_prepare(s->fd, nagle);
	limit_receive_buffer(s);
	if (s->addr.sa.sa_family == AF_INET6 && switch_on(s->fd, IPPROTO_IPV6, IPV6_V6ONLY) < 0)
		return -1;
	if ((share == FURTHER && os_share_port(s->fd) < 0) ||
	    bind(s->fd, &s->addr.sa, s->addr.len) < 0 ||
	    (share == FIRST && os_share_port(s->fd) < 0) ||
	    (stream && listen(s->fd, SOMAXCONN) < 0))
		return -1;
	s->addr.len = sizeof s->addr.storage;
	return getsockname(s->fd, &s->addr.sa, &s->addr.len);
}

static void close_sockets(struct listen *l)
{
	while (l->count)
		(void)file_close(l->sockets[--l->count].fd);
}

/* Writes why the socket could not be bound, by errno. Returns -1. */
static int report_bind_error(const struct listen_socket *s, uint16_t port,
    char reason[OPTIONS_REASON])
{
	const char *host = ADDR_HOST_TEXT(&s->addr);

	if (errno == EADDRINUSE)
		return OPTIONS_REFUSE(reason,
		    "port %u is in use (%s, %s): another upcased? try --port=0", port,
		    type_name(s->type), host);
	if (errno == EACCES)
		return OPTIONS_REFUSE(reason,
		    "port %u is not allowed for this user: try --port=12000", port);
	if (errno == EADDRNOTAVAIL)
		return OPTIONS_REFUSE(reason,
		    "%s is not an address of this host: try --public, or one that \"ip address\" "
		    "shows",
		    host);
	return OPTIONS_REFUSE(reason, "cannot serve %s over %s: %s", host, type_name(s->type),
	    strerror(errno));
}

/* Whether the error means that this host does not have the socket's family. */
static bool is_missing(int error)
{
	return error == EAFNOSUPPORT || error == EPFNOSUPPORT || error == EPROTONOSUPPORT ||
	       error == EADDRNOTAVAIL;
}

/* Opens UDP and TCP at one place; if `*port` was 0, sets it to the port of the first socket.
 * Returns 0; or with errno 1 if the place may be left out, else -1 and the socket in `*failed`. */
static int open_place(struct listen *l, const struct settings_place *place, enum port_sharing share,
    uint16_t *port, struct listen_socket *failed)
{
	for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
		struct listen_socket s = { .fd = -1, .type = types[i], .addr = place->addr };

		addr_set_port(&s.addr, *port);
		if (bind_socket(&s, share, l->nagle) < 0) {
			s.fd = file_close(s.fd);
			*failed = s;
			return place->optional && i == 0 && is_missing(errno) ? 1 : -1;
		}
		*port = addr_port(&s.addr);
		l->sockets[l->count++] = s;
	}
	return 0;
}

/* Opens all places once for each set. Returns 0, or -1 with errno and the faulty socket. */
static int open_sets(struct listen *sets, int n, const struct settings *s, uint16_t *port,
    struct listen_socket *failed)
{
	for (struct listen *l = sets; l < sets + n; l++) {
		const enum port_sharing share = n == 1 ? ALONE : l == sets ? FIRST : FURTHER;
		int missing = 0;

		l->nagle = s->nagle;
		for (int i = 0; i < s->places_count; i++) {
			int result = open_place(l, &s->places[i], share, port, failed);

			if (result < 0)
				return -1;
			if (result > 0) {
				missing = errno;
				l->missing = s->places[i].addr.sa.sa_family;
			}
		}
		if (!l->count) {
			errno = missing;
			return -1;
		}
	}
	return 0;
}

int listen_open(struct listen *sets, int n, const struct settings *s, char reason[OPTIONS_REASON])
{
	struct listen_socket failed;
	uint16_t port = s->port;
	int tries = s->port ? 1 : FREE_PORT_TRIES;

	memset(sets, 0, (size_t)n * sizeof *sets);
	while (open_sets(sets, n, s, &port, &failed) < 0) {
		for (int i = 0; i < n; i++)
			close_sockets(&sets[i]);
		if (errno != EADDRINUSE || --tries == 0)
			return report_bind_error(&failed, port, reason);
		port = s->port;
	}
	for (int i = 0; i < n; i++)
		sets[i].prepared = true;
	return 0;
}

int listen_handed_over(char reason[OPTIONS_REASON])
{
	const char *process = getenv("LISTEN_PID"), *number = getenv("LISTEN_FDS");
	int64_t pid, n = 0;

	/* The sockets are for the process that LISTEN_PID names. */
	if (process && number && units_count(process, 1, INT32_MAX, &pid) == 0 && pid == getpid() &&
	    units_count(number, 1, LISTEN_SOCKETS, &n) < 0)
		n = OPTIONS_REFUSE(reason, "LISTEN_FDS=%.40s: is not a number of sockets, 1 to %d",
		    number, LISTEN_SOCKETS);
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	return (int)n;
}

/* A socket option that is a number, or -1. */
static int number_option(int fd, int option)
{
	int value = -1;
	socklen_t size = sizeof value;

	return getsockopt(fd, SOL_SOCKET, option, &value, &size) < 0 ? -1 : value;
}

/* Takes a socket that was handed over. Returns NULL, or why not. */
static const char *take_one(struct listen_socket *s)
{
	s->type = number_option(s->fd, SO_TYPE);
	s->addr.len = sizeof s->addr.storage;
	if (s->type < 0 || getsockname(s->fd, &s->addr.sa, &s->addr.len) < 0)
		return "is not a socket";
	if (s->addr.sa.sa_family != AF_INET && s->addr.sa.sa_family != AF_INET6)
		return "is not an Internet socket";
	if (s->type != SOCK_STREAM && s->type != SOCK_DGRAM)
		return "is neither TCP nor UDP";
	if (s->type == SOCK_STREAM && number_option(s->fd, SO_ACCEPTCONN) != 1)
		return "does not listen (Accept=no is needed)";
	if (addr_port(&s->addr) == 0)
		return "is not bound to a port";
	if (fcntl(s->fd, F_SETFD, FD_CLOEXEC) < 0 ||
	    fcntl(s->fd, F_SETFL, fcntl(s->fd, F_GETFL) | O_NONBLOCK) < 0)
		return "cannot be made non-blocking";
	limit_receive_buffer(s);
	return NULL;
}

int listen_take(struct listen *l, int n, char reason[OPTIONS_REASON])
{
	*l = (struct listen){ 0 };
	for (int i = 0; i < n; i++) {
		struct listen_socket *s = &l->sockets[i];
		const char *fault;

		s->fd = FIRST_HANDED_OVER + i;
		fault = take_one(s);
		if (fault)
			return OPTIONS_REFUSE(reason, "LISTEN_FDS: descriptor %d %s", s->fd, fault);
		l->count++;
	}
	return 0;
}

void listen_close(struct listen *l)
{
	close_sockets(l);
	if (l->locals)
		freeifaddrs(l->locals);
	l->locals = NULL;
}

bool listen_is_open(const struct listen *l)
{
	for (int i = 0; i < l->count; i++)
		if (!addr_is_loopback(&l->sockets[i].addr))
			return true;
	return false;
}

/* Whether the address is also served over the other protocol. */
static bool is_over_both(const struct listen *l, const struct listen_socket *s)
{
	for (int i = 0; i < l->count; i++)
		if (l->sockets[i].type != s->type && addr_equal(&l->sockets[i].addr, &s->addr))
			return true;
	return false;
}

char *listen_text(const struct listen *l, char *buf, size_t size)
{
	static const struct {
		const char *name;
		bool over_both;
		int type;
	} kinds[] = { { "UDP and TCP", true, SOCK_STREAM }, { "TCP", false, SOCK_STREAM },
		{ "UDP", false, SOCK_DGRAM } };
	struct text t = text_begin(buf, size);

	for (size_t kind = 0; kind < sizeof kinds / sizeof *kinds; kind++) {
		const size_t before = t.used;

		for (const struct listen_socket *s = l->sockets; s < l->sockets + l->count; s++)
			if (s->type == kinds[kind].type &&
			    is_over_both(l, s) == kinds[kind].over_both)
				text_put(&t, "%s%s", t.used ? " " : "", ADDR_TEXT(&s->addr));
		if (t.used > before)
			text_put(&t, " (%s)", kinds[kind].name);
	}
	return buf;
}

/* Whether it is one of this host's addresses. */
static bool is_local(struct listen *l, const struct addr *a, int64_t now)
{
	if (addr_is_loopback(a))
		return true;
	if (!l->locals || now - l->locals_read > LOCALS_MAX_AGE) {
		struct ifaddrs *fresh;

		l->locals_read = now;
		if (getifaddrs(&fresh) == 0) {
			if (l->locals)
				freeifaddrs(l->locals);
			l->locals = fresh;
		}
	}
	for (const struct ifaddrs *i = l->locals; i; i = i->ifa_next) {
		struct addr local = { .len = sizeof local.storage };

		if (!i->ifa_addr ||
		    (i->ifa_addr->sa_family != AF_INET && i->ifa_addr->sa_family != AF_INET6))
			continue;
		memcpy(&local.storage, i->ifa_addr,
		    i->ifa_addr->sa_family == AF_INET ? sizeof local.in : sizeof local.in6);
		if (addr_same_host(&local, a))
			return true;
	}
	return false;
}

bool listen_serves(struct listen *l, const struct addr *from, int64_t now)
{
	for (int i = 0; i < l->count; i++) {
		const struct addr *own = &l->sockets[i].addr;

		if (l->sockets[i].type != SOCK_DGRAM || addr_port(own) != addr_port(from))
			continue;
		if (addr_same_host(own, from) ||
		    (addr_is_unspecified(own) && is_local(l, from, now)))
			return true;
	}
	return false;
}
