/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "server/settings.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include "common/clock.h"
#include "common/impair-options.h"
#include "common/units.h"

/* For a server that others can reach. Five minutes are long for a person who reads and short for
 * one who left. */
#define OPEN_IDLE_TIMEOUT (300 * NS_PER_S)
/* A classroom behind one address is smaller. */
#define OPEN_MAX_PER_SOURCE 64
/* Beyond it waking up costs nothing to speak of. */
#define SPIN_MAX NS_PER_S
/* Five times what a student's test of a line every 5 ms takes; and a page that opens connections
 * one after the other. */
#define OPEN_DATAGRAM_RATE 1000
#define OPEN_CONNECT_RATE 50
#define RATE_MAX 1000000

static int set_port(void *settings, const char *value, char why[OPTIONS_WHY])
{
	struct settings *s = settings;

	if (addr_port_number(value, &s->port) < 0)
		return text_refuse(why, OPTIONS_WHY,
		    "is not a port, 0 to 65535 (0 takes a free one)");
	s->port_given = true;
	return 0;
}

/* What no socket can be bound to, though it is an address. NULL if it is none of that. */
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

static int add_place(struct settings *s, const char *host, bool optional, char why[OPTIONS_WHY])
{
	struct settings_place place = { .optional = optional };
	const char *fault;

	if (addr_names_no_interface(host))
		return text_refuse(why, OPTIONS_WHY,
		    "names no interface of this host behind the %%: \"ip link\" lists them");
	if (addr_numeric(host, 0, &place.addr) < 0)
		return text_refuse(why, OPTIONS_WHY,
		    "is neither an IPv4 or IPv6 address nor localhost nor * (all addresses)");
	if ((fault = not_bindable(&place.addr)))
		return text_refuse(why, OPTIONS_WHY, "%s", fault);
	if (s->places_count == SETTINGS_PLACES)
		return text_refuse(why, OPTIONS_WHY, "is one address too many: at most %d",
		    SETTINGS_PLACES);
	s->places[s->places_count++] = place;
	return 0;
}

static int set_bind(void *settings, const char *value, char why[OPTIONS_WHY])
{
	struct settings *s = settings;

	if (strcmp(value, "*") == 0)
		s->everywhere = true;
	else if (strcmp(value, "localhost") == 0)
		s->localhost = true;
	else
		return add_place(s, value, false, why);
	return 0;
}

OPTIONS_SETTER(set_public, settings, public, true)
OPTIONS_SETTER(set_ipv4, settings, ipv4, true)
OPTIONS_SETTER(set_ipv6, settings, ipv6, true)

static int set_descriptor(int *fd, const char *value, char why[OPTIONS_WHY])
{
	int64_t number;

	if (units_count(value, 0, INT_MAX, &number) < 0)
		return text_refuse(why, OPTIONS_WHY, "is not the number of a descriptor");
	*fd = (int)number;
	return 0;
}

#define DESCRIPTOR(setter, field) \
	static int setter(void *settings, const char *value, char why[OPTIONS_WHY]) \
	{ \
		return set_descriptor(&((struct settings *)settings)->field, value, why); \
	}
DESCRIPTOR(set_ready_fd, ready_fd)
DESCRIPTOR(set_lifeline_fd, lifeline_fd)

static int set_port_file(void *settings, const char *value, char why[OPTIONS_WHY])
{
	if (!*value)
		return text_refuse(why, OPTIONS_WHY, "is not the name of a file");
	((struct settings *)settings)->port_file = value;
	return 0;
}

static int set_control(void *settings, const char *value, char why[OPTIONS_WHY])
{
	const size_t max = sizeof((struct sockaddr_un){ 0 }).sun_path - 1;

	if (!*value || strlen(value) > max)
		return text_refuse(why, OPTIONS_WHY, "is not the name of a socket, 1 to %zu bytes",
		    max);
	((struct settings *)settings)->control = value;
	return 0;
}

static int set_idle_timeout(void *settings, const char *value, char why[OPTIONS_WHY])
{
	if (units_duration(value, &((struct settings *)settings)->idle_timeout) < 0)
		return text_refuse(why, OPTIONS_WHY, "is not a duration (0 for never)");
	return 0;
}

static int set_spin(void *settings, const char *value, char why[OPTIONS_WHY])
{
	int64_t spin;

	if (units_duration(value, &spin) < 0 || spin > SPIN_MAX)
		return text_refuse(why, OPTIONS_WHY, "is not a duration up to 1s, 0 for off");
	((struct settings *)settings)->spin = spin;
	return 0;
}

OPTIONS_COUNT(set_max_clients, settings, max_clients, 1, INT_MAX,
    "is not a number of clients, 1 or more")
OPTIONS_COUNT(set_max_per_source, settings, max_per_source, 0, INT_MAX,
    "is not a number of clients (0 for no limit)")
OPTIONS_COUNT(set_workers, settings, workers, 1, SETTINGS_WORKERS,
    "is not a number of processes, 1 to %d", SETTINGS_WORKERS)

#define RATE_WRONG "is not a number a second, 0 (for no limit) to %d", RATE_MAX
OPTIONS_COUNT(set_datagram_rate, settings, datagram_rate, 0, RATE_MAX, RATE_WRONG)
OPTIONS_COUNT(set_connect_rate, settings, connect_rate, 0, RATE_MAX, RATE_WRONG)

OPTIONS_SETTER(set_no_sandbox, settings, no_sandbox, true)
OPTIONS_SETTER(set_verbose, settings, level, LOG_LEVEL_PEER)
OPTIONS_SETTER(set_help, settings, help, true)
OPTIONS_SETTER(set_version, settings, version, true)

const struct options_spec settings_table[] = {
	{ "port", 'p', "PORT", "port for UDP and TCP, 0 for a free one [12000]", "12000", set_port,
	    0 },
	{ "bind", 'b', "ADDRESS", "serve this address; also localhost or *; repeatable",
	    "192.0.2.1", set_bind, 0 },
	{ "public", 0, NULL, "serve every address, so that other hosts can connect", NULL,
	    set_public, 0 },
	{ "ipv4", '4', NULL, "IPv4 only", NULL, set_ipv4, 0 },
	{ "ipv6", '6', NULL, "IPv6 only", NULL, set_ipv6, 0 },
	{ "max-clients", 0, "N", "TCP clients at once [as many as select() can watch]", "100",
	    set_max_clients, 0 },
	{ "max-per-source", 0, "N", "of them from one IPv4 address or IPv6 /64, 0 for any", "16",
	    set_max_per_source, 0 },
	{ "connect-rate", 0, "N", "new TCP clients a second from there, 0 for any", "50",
	    set_connect_rate, 0 },
	{ "datagram-rate", 0, "N", "datagrams a second from there, 0 for any", "1000",
	    set_datagram_rate, 0 },
	{ "idle-timeout", 0, "TIME", "end TCP clients idle for so long, 0 for never", "5min",
	    set_idle_timeout, 0 },
	{ "spin", 0, "TIME", "look again for so long before sleeping [off]", "50us", set_spin, 0 },
	{ "workers", 0, "N", "serve with N processes; who dies is replaced", "2", set_workers, 0 },
	{ "ready-fd", 0, "N", "write the port to this descriptor when ready", "3", set_ready_fd,
	    0 },
	{ "port-file", 0, "FILE", "write the port to this file when ready", "/run/upcased.port",
	    set_port_file, 0 },
	{ "lifeline-fd", 0, "N", "end when this descriptor comes to its end of file", "4",
	    set_lifeline_fd, 0 },
	{ "control", 0, "PATH", "answer its owner on this Unix socket", "/run/upcased.control",
	    set_control, 0 },
	{ "no-sandbox", 0, NULL, "do not give up what serving does not need", NULL, set_no_sandbox,
	    0 },
	{ "verbose", 'v', NULL, "log each peer", NULL, set_verbose, 0 },
	{ "help", 'h', NULL, "show this help", NULL, set_help, 1 },
	{ "version", 'V', NULL, "show the version", NULL, set_version, 1 },
	/* From here on those of the link, UDP's alone. */
	{ "preset", 0, "NAME", "a link that has a name; options after it change it", "wifi",
	    impair_option_preset, 0 },
	{ "seed", 0, "NUMBER", "of the dice: the same gives the same fates", "42",
	    impair_option_seed, 0 },
	IMPAIR_FIELDS_PATH(IMPAIR_OPTION_BOTH) IMPAIR_FIELDS_RATE(IMPAIR_OPTION_BOTH)
	/* From here on those of one direction, not in the help. */
	IMPAIR_FIELDS_PATH(IMPAIR_OPTION_EACH)
	    IMPAIR_FIELDS_RATE(IMPAIR_OPTION_EACH){ NULL, 0, NULL, NULL, NULL, NULL, 0 },
};

/* The options from the one called `first` up to the one called `end`. */
static void show_some(const char *first, const char *end, FILE *out)
{
	struct options_spec some[sizeof settings_table / sizeof *settings_table];
	size_t from = 0, n = 0;

	while (strcmp(settings_table[from].name, first) != 0)
		from++;
	for (; strcmp(settings_table[from + n].name, end) != 0; n++)
		some[n] = settings_table[from + n];
	some[n] = (struct options_spec){ .name = NULL };
	options_help(some, out);
}

void settings_help(FILE *out)
{
	show_some("port", "preset", out);
	fputs("\nTreat UDP as a bad link would, both ways; with -there (to the server) or -back\n"
	      "one way only, as in --loss-back=20%:\n",
	    out);
	show_some("preset", "loss-there", out);
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

/* Whether `a` serves all that `b` does: the same address, or every address of its family. */
static bool covers(const struct settings_place *a, const struct settings_place *b)
{
	return a->addr.sa.sa_family == b->addr.sa.sa_family &&
	       (addr_is_unspecified(&a->addr) || addr_same_host(&a->addr, &b->addr));
}

/* A second socket for the same address could not be bound. */
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

/* "This host" or "everywhere", in the families that are wanted. */
static int add_both(struct settings *s, const char *ipv4, const char *ipv6, char why[OPTIONS_WHY])
{
	char reason[OPTIONS_WHY];

	if ((s->ipv6 || add_place(s, ipv4, !s->ipv4, reason) == 0) &&
	    (s->ipv4 || add_place(s, ipv6, !s->ipv6, reason) == 0))
		return 0;
	return text_refuse(why, OPTIONS_WHY, "--bind=%s: %.100s", s->everywhere ? "*" : "localhost",
	    reason);
}

/* Of whole datagrams nothing is corrupt or too big, whatever a preset says. */
static int check_impairment(struct impair_options *o, char why[OPTIONS_WHY])
{
	char reason[IMPAIR_WHY];

	o->there.corrupt = o->back.corrupt = 0;
	o->there.mtu = o->back.mtu = 0;
	if (impair_options_check(o, reason) == 0)
		return 0;
	return text_refuse(why, OPTIONS_WHY, "the link: %.100s", reason);
}

int settings_check(struct settings *s, char why[OPTIONS_WHY])
{
	char host[ADDR_TEXT];
	bool asked = s->places_count || s->localhost || s->everywhere;

	if (s->ipv4 && s->ipv6)
		return text_refuse(why, OPTIONS_WHY,
		    "--ipv4 and --ipv6 exclude each other; without them both are served");
	if (s->public && asked)
		return text_refuse(why, OPTIONS_WHY,
		    "--public serves every address: leave --bind out");
	for (int i = 0; i < s->places_count; i++)
		if (s->places[i].addr.sa.sa_family == AF_INET ? s->ipv6 : s->ipv4)
			return text_refuse(why, OPTIONS_WHY, "--bind=%s: is not what --%s asks for",
			    addr_host_text(&s->places[i].addr, host), s->ipv4 ? "ipv4" : "ipv6");
	if ((s->public || s->everywhere) && add_both(s, "0.0.0.0", "::", why) < 0)
		return -1;
	if ((s->localhost || (!asked && !s->public)) && add_both(s, "127.0.0.1", "::1", why) < 0)
		return -1;
	if (check_impairment(&s->impair, why) < 0)
		return -1;
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
	/* Who serves everybody wants them; on an address of one's choice a measurement may be as
	 * fast as it likes. */
	if (s->datagram_rate == SETTINGS_UNSET)
		s->datagram_rate = s->public || s->everywhere ? OPEN_DATAGRAM_RATE : 0;
	if (s->connect_rate == SETTINGS_UNSET)
		s->connect_rate = s->public || s->everywhere ? OPEN_CONNECT_RATE : 0;
}
