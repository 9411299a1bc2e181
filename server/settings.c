/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "server/settings.h"

#include <limits.h>
#include <sys/un.h>

#include "common/clock.h"

/* The defaults of an open server. Five minutes are long for who reads and short for who left. */
#define OPEN_IDLE_TIMEOUT (300 * NS_PER_S)
/* A classroom behind one address is smaller. */
#define OPEN_MAX_PER_SOURCE 64
/* Beyond this, waking up costs very little in comparison. */
#define SPIN_MAX NS_PER_S
/* Five times the rate of a test with a line every 5 ms; enough for a page's connections in turn. */
#define OPEN_DATAGRAM_RATE 1000
#define OPEN_CONNECT_RATE 50
#define RATE_MAX 1000000

static int read_port(void *port, const char *value, char reason[OPTIONS_REASON])
{
	if (addr_port_number(value, port) == 0)
		return 0;
	return OPTIONS_REFUSE(reason, "is not a port, 0 to 65535 (0 takes a free one)");
}

/* Why no socket can be bound to an address, or NULL. */
static const char *not_bindable(const struct addr *a)
{
	if (addr_is_group(a))
		return "is not the address of one host";
	if (a->sa.sa_family != AF_INET6)
		return NULL;
	if (IN6_IS_ADDR_V4MAPPED(&a->in6.sin6_addr))
		return "is an IPv4 address in one of IPv6: leave ::ffff: out";
	if (addr_lacks_interface(a))
		return "is an address of one link: add the interface, as in fe80::1%eth0";
	return NULL;
}

static int add_place(struct settings *s, const char *host, bool optional,
    char reason[OPTIONS_REASON])
{
	struct settings_place place = { .optional = optional };
	const char *fault;

	if (addr_names_no_interface(host))
		return OPTIONS_REFUSE(reason,
		    "names no interface of this host behind the %%: \"ip link\" lists them");
	if (addr_numeric(host, 0, &place.addr) < 0)
		return OPTIONS_REFUSE(reason,
		    "is neither an IPv4 or IPv6 address nor localhost nor * (all addresses)");
	if ((fault = not_bindable(&place.addr)))
		return OPTIONS_REFUSE(reason, "%s", fault);
	if (s->places_count == SETTINGS_PLACES)
		return OPTIONS_REFUSE(reason, "is one address too many: at most %d",
		    SETTINGS_PLACES);
	s->places[s->places_count++] = place;
	return 0;
}

static int read_bind(void *settings, const char *value, char reason[OPTIONS_REASON])
{
	struct settings *s = settings;

	if (strcmp(value, "*") == 0)
		s->everywhere = true;
	else if (strcmp(value, "localhost") == 0)
		s->localhost = true;
	else
		return add_place(s, value, false, reason);
	return 0;
}

/* The longest name of a Unix socket: sockaddr_un's path without its zero. */
#define SOCKET_NAME_MAX 107
_Static_assert(SOCKET_NAME_MAX == sizeof((struct sockaddr_un *)NULL)->sun_path - 1, "unix(7)");

#define RATE_WRONG "is not a number a second, 0 (for no limit) to " OPTIONS_DIGITS(RATE_MAX)
#define DESCRIPTOR_WRONG "is not the number of a descriptor"
#define INTO(field) OPTIONS_FIELD(struct settings, field)

static const struct options_spec own[] = {
	{ "port", 'p', "PORT", "port for UDP and TCP, 0 for a free one [12000]", "12000",
	    .read = read_port, INTO(port), .words = "0, 12000" },
	{ "bind", 'b', "ADDRESS", "serve this address; also localhost or *; repeatable",
	    "192.0.2.1", .read = read_bind, .words = "localhost, 127.0.0.1, ::1, 0.0.0.0, ::" },
	OPTIONS_FLAG("public", 0, "serve every address, so that other hosts can connect",
	    INTO(public)),
	OPTIONS_FLAG("ipv4", '4', "IPv4 only", INTO(ipv4)),
	OPTIONS_FLAG("ipv6", '6', "IPv6 only", INTO(ipv6)),
	{ "max-clients", 0, "N", "TCP clients at once [as many as select() can watch]", "100",
	    OPTIONS_NUMBER, INTO(max_clients), 1, INT_MAX,
	    "is not a number of clients, 1 or more" },
	{ "max-per-source", 0, "N", "of them from one IPv4 address or IPv6 /64, 0 for any", "16",
	    OPTIONS_NUMBER, INTO(max_per_source), 0, INT_MAX,
	    "is not a number of clients (0 for no limit)" },
	{ "connect-rate", 0, "N", "new TCP clients a second from there, 0 for any", "50",
	    OPTIONS_NUMBER, INTO(connect_rate), 0, RATE_MAX, RATE_WRONG },
	{ "datagram-rate", 0, "N", "datagrams a second from there, 0 for any", "1000",
	    OPTIONS_NUMBER, INTO(datagram_rate), 0, RATE_MAX, RATE_WRONG },
	{ "idle-timeout", 0, "TIME", "end TCP clients idle for so long, 0 for never", "5min",
	    OPTIONS_TIME, INTO(idle_timeout), .wrong = "is not a duration (0 for never)",
	    .words = "0, 30s, 5min, 1h" },
	{ "spin", 0, "TIME", "look again for so long before sleeping [off]", "50us", OPTIONS_TIME,
	    INTO(spin), 0, SPIN_MAX, "is not a duration up to 1s, 0 for off",
	    .words = "20us, 50us, 200us" },
	{ "workers", 0, "N", "serve with N processes; who dies is replaced", "2", OPTIONS_NUMBER,
	    INTO(workers), 1, SETTINGS_WORKERS,
	    "is not a number of processes, 1 to " OPTIONS_DIGITS(SETTINGS_WORKERS) },
	OPTIONS_FLAG("nagle", 0, "hold small TCP segments back for an ACK (TCP_NODELAY off)",
	    INTO(nagle)),
	{ "ready-fd", 0, "N", "write the port to this descriptor when ready", "3", OPTIONS_NUMBER,
	    INTO(ready_fd), 0, INT_MAX, DESCRIPTOR_WRONG },
	{ "port-file", 0, "FILE", "write the port to this file when ready", "/run/upcased.port",
	    OPTIONS_TEXT, INTO(port_file), 1, .wrong = "is not the name of a file" },
	{ "lifeline-fd", 0, "N", "end when this descriptor comes to its end of file", "4",
	    OPTIONS_NUMBER, INTO(lifeline_fd), 0, INT_MAX, DESCRIPTOR_WRONG },
	{ "control", 0, "PATH", "answer its owner on this Unix socket", "/run/upcased.control",
	    OPTIONS_TEXT, INTO(control), 1, SOCKET_NAME_MAX,
	    "is not the name of a socket, 1 to " OPTIONS_DIGITS(SOCKET_NAME_MAX) " bytes" },
	OPTIONS_FLAG("no-sandbox", 0, "do not give up what serving does not need",
	    INTO(no_sandbox)),
	OPTIONS_FLAG("verbose", 'v', "log each peer", INTO(level), LOG_LEVEL_PEER),
	OPTIONS_FLAG("help", 'h', "show this help", INTO(help)),
	OPTIONS_FLAG("version", 'V', "show the version", INTO(version)),
	{ .name = NULL },
};

_Static_assert(sizeof own <= SETTINGS_OWN_ROWS * sizeof *own, "room for the rows");

void settings_table(struct options_spec table[SETTINGS_ROWS])
{
	impair_options_append(options_append(table, own), false, true);
}

void settings_help(FILE *out)
{
	struct options_spec table[SETTINGS_ROWS];

	options_help(own, out);
	fputs("\nTreat UDP as a bad link would, both ways; with -there (to the server) or -back\n"
	      "one way only, as in --loss-back=20%:\n",
	    out);
	impair_options_append(table, false, false);
	options_help(table, out);
}

void settings_start(struct settings *s)
{
	*s = (struct settings){
		.port = SETTINGS_PORT,
		.ready_fd = SETTINGS_UNSET,
		.lifeline_fd = SETTINGS_UNSET,
		.idle_timeout = SETTINGS_UNSET,
		.max_clients = SETTINGS_UNSET,
		.max_per_source = SETTINGS_UNSET,
		.datagram_rate = SETTINGS_UNSET,
		.connect_rate = SETTINGS_UNSET,
		.level = LOG_LEVEL_NOTICE,
	};
	impair_options_start(&s->impair);
}

/* Whether `a` serves all that `b` serves: the same address, or every one of its family. */
static bool covers(const struct settings_place *a, const struct settings_place *b)
{
	return a->addr.sa.sa_family == b->addr.sa.sa_family &&
	       (addr_is_unspecified(&a->addr) || addr_same_host(&a->addr, &b->addr));
}

/* Drops each place that another one covers: a second socket could not be bound to an address. */
static void drop_covered(struct settings *s)
{
	int kept = 0;

	for (int i = 0; i < s->places_count; i++) {
		bool needed = true;

		for (int j = 0; j < s->places_count && needed; j++)
			needed = j == i || !covers(&s->places[j], &s->places[i]) ||
			         (i < j && covers(&s->places[i], &s->places[j]));
		if (needed)
			s->places[kept++] = s->places[i];
	}
	s->places_count = kept;
}

/* Adds "this host" or "every address" in the requested families. */
static int add_both(struct settings *s, const char *ipv4, const char *ipv6,
    char reason[OPTIONS_REASON])
{
	char detail[OPTIONS_REASON];

	if ((s->ipv6 || add_place(s, ipv4, !s->ipv4, detail) == 0) &&
	    (s->ipv4 || add_place(s, ipv6, !s->ipv6, detail) == 0))
		return 0;
	return OPTIONS_REFUSE(reason, "--bind=%s: %.100s", s->everywhere ? "*" : "localhost",
	    detail);
}

int settings_check(struct settings *s, char reason[OPTIONS_REASON])
{
	char detail[IMPAIR_REASON];
	bool asked = s->places_count || s->localhost || s->everywhere;

	if (s->ipv4 && s->ipv6)
		return OPTIONS_REFUSE(reason,
		    "--ipv4 and --ipv6 exclude each other; without them both are served");
	if (s->public && asked)
		return OPTIONS_REFUSE(reason, "--public serves every address: leave --bind out");
	for (int i = 0; i < s->places_count; i++)
		if (s->places[i].addr.sa.sa_family == AF_INET ? s->ipv6 : s->ipv4)
			return OPTIONS_REFUSE(reason, "--bind=%s: is not what --%s asks for",
			    ADDR_HOST_TEXT(&s->places[i].addr), s->ipv4 ? "ipv4" : "ipv6");
	if ((s->public || s->everywhere) && add_both(s, "0.0.0.0", "::", reason) < 0)
		return -1;
	if ((s->localhost || (!asked && !s->public)) && add_both(s, "127.0.0.1", "::1", reason) < 0)
		return -1;
	/* Whole datagrams are neither corrupted nor too big, whatever a preset says. */
	s->impair.there.corrupt = s->impair.back.corrupt = 0;
	s->impair.there.mtu = s->impair.back.mtu = 0;
	if (impair_options_check(&s->impair, detail) < 0)
		return OPTIONS_REFUSE(reason, "the link: %.100s", detail);
	drop_covered(s);
	for (int i = 0; i < s->places_count; i++)
		addr_set_port(&s->places[i].addr, s->port);
	return 0;
}

void settings_defaults(struct settings *s, bool open)
{
	if (s->idle_timeout == SETTINGS_UNSET)
		s->idle_timeout = open ? OPEN_IDLE_TIMEOUT : 0;
	if (s->max_per_source == SETTINGS_UNSET)
		s->max_per_source = open ? OPEN_MAX_PER_SOURCE : 0;
	/* A server for everybody needs rates; on a chosen address they would limit measurements. */
	if (s->datagram_rate == SETTINGS_UNSET)
		s->datagram_rate = s->public || s->everywhere ? OPEN_DATAGRAM_RATE : 0;
	if (s->connect_rate == SETTINGS_UNSET)
		s->connect_rate = s->public || s->everywhere ? OPEN_CONNECT_RATE : 0;
}
