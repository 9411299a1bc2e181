/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ledger/error-text.h"

#include <errno.h>
#include <netdb.h>

#define ANY 0xff       /* any code of an ICMP type */
#define ERRNO_END 4096 /* beyond any errno */
/* EAI_ codes are small, and negative in some libraries. */
#define LOOKUP(eai) (0x2000 | ((eai) & 0xff))

#define UNREACHABLE_NETWORK \
	"a router on the way knows no route to that network; is the address right?"
#define UNREACHABLE_HOST "no host answers at that address: is it on, is the address right?"
#define PROHIBITED \
	"prohibited: a firewall on the way or at that host turns it away; ask who runs it, or " \
	"try another port"
#define HOPS "went in circles on the way until its hop limit was used up; traceroute shows where"
#define FRAGMENT \
	"a fragment of it was lost on the way, so the rest was thrown away; a shorter line needs " \
	"no fragments"
#define PATH_MTU \
	"dropped on the way: larger than the path's MTU, and sent in one piece; from now on this " \
	"machine cuts such lines into fragments"
#define HEADER "a router or that host does not understand the header of its packet"

/* An errno, and an EAI_ code, with its name. */
#define NAMED(e) .error = e, .name = #e
#define LOOKUP_ERROR(e) .error = LOOKUP(e), .name = #e

/* The first row of an error gives its name and words. Names do not differ between systems, numbers
 * do. ICMP's numbers are made of type and code. */
static const struct {
	int error;
	int alias; /* another error with the same meaning */
	const char *name, *word, *sentence;
	const char *stream; /* the sentence over a stream; NULL where it is the same */
} table[] = {
	/* --- of sockets --- */
	{ NAMED(ECONNREFUSED), "refused",
	    "refused: nothing listens on that port there; is the server running, and on this "
	    "port?" },
	{ NAMED(EMSGSIZE), "too long",
	    "too long for a datagram: it takes 65507 bytes over IPv4, 65527 over IPv6, with the "
	    "tag; TCP takes any length",
	    "too long" },
	{ NAMED(ENETUNREACH), "unreachable",
	    "this machine has no route to that network; is it connected, and the address right?" },
	{ NAMED(EHOSTUNREACH), "unreachable",
	    "that host cannot be reached: is it on, is the address right, does a firewall turn "
	    "packets away?" },
	{ NAMED(EHOSTDOWN), "host is down", UNREACHABLE_HOST },
	{ NAMED(ENETDOWN), "net is down", "the network is down; is this machine connected?" },
	{ NAMED(ETIMEDOUT), "timed out",
	    "no answer at all: the host is off, the address is wrong, or a firewall swallows the "
	    "packets" },
	{ NAMED(ECONNRESET), "reset", "the other side reset the connection; did the server end?" },
	{ NAMED(ECONNABORTED), "aborted", "the connection was given up" },
	{ NAMED(EPIPE), "closed", "the other side has closed the connection" },
	{ NAMED(ENOTCONN), "gone", "there is no connection any more" },
	{ NAMED(EACCES), "forbidden",
	    "not allowed: it is a broadcast address, or a rule of this machine forbids it (a "
	    "route, a firewall)" },
	{ NAMED(EPERM), "forbidden", "not allowed: a firewall on this machine forbids it" },
	{ NAMED(EADDRNOTAVAIL), "no address",
	    "this machine has no IPv6 address to send from: is IPv6 off here? Use an IPv4 address, "
	    "or --ipv4",
	    "this machine has no free port for it, wait a minute; or no IPv6 address to send from, "
	    "use an IPv4 one" },
	{ NAMED(EADDRINUSE), "no free port",
	    "this machine has no free port for it; wait a minute" },
	{ NAMED(EAGAIN), "none left",
	    "this machine has no port or process left for it; wait a moment, or see ulimit -u" },
	{ NAMED(EAFNOSUPPORT), "no such IP",
	    "this machine does not speak that version of IP; use the other one: --ipv4 or --ipv6, "
	    "or its address" },
	{ NAMED(EINVAL), "no way there",
	    "nothing can be sent to that address: a route of this machine throws it away (see ip "
	    "route)" },
	{ NAMED(ENOBUFS), "no buffers", "this machine has no room for more packets; try again" },
	{ NAMED(EXFULL), "queue full", "too many lines were queued before it" },
	{ NAMED(ENOMEM), "no memory", "memory is short" },
	{ NAMED(EMFILE), "no more files", "too many files are open; see ulimit -n" },
	{ NAMED(ENFILE), "no more files", "too many files are open on this machine" },
	{ NAMED(ENOPROTOOPT), "protocol", "that host does not speak UDP",
	    "that host does not speak TCP" },
	{ NAMED(EPROTO), "protocol", HEADER },
	{ NAMED(EIO), "input/output", "input or output failed" },
	{ NAMED(ECANCELED), "given up", "given up before it was sent" },

	/* --- of addresses --- */
	{ ERROR_NO_IPV4, .name = "no IPv4 address", "no IPv4",
	    "that host has no IPv4 address: leave out --ipv4, or give one that it has" },
	{ ERROR_NO_IPV6, .name = "no IPv6 address", "no IPv6",
	    "that host has no IPv6 address: leave out --ipv6, or give one that it has" },
	{ ERROR_NO_INTERFACE, .name = "no interface", "no interface",
	    "that address belongs to one link: name its interface, as in fe80::1%eth0; ip link "
	    "lists them" },
	{ ERROR_WRONG_INTERFACE, .name = "no such interface", "bad interface",
	    "this machine has no interface of that name (behind the %): ip link lists those that "
	    "it has" },
	{ ERROR_GROUP, .name = "group address", "group address",
	    "that is a multicast or broadcast address: give the one that the server has for "
	    "itself" },
	{ ERROR_ZERO_NETWORK, .name = "address of no host", "no host",
	    "addresses that begin with 0 belong to no host; a port stands behind the host, as in "
	    "localhost:12000" },

	/* --- of looking a name up --- */
	{ LOOKUP_ERROR(EAI_NONAME), "name not found",
	    "no such host is known: check the spelling, or give a numeric address" },
	{ LOOKUP_ERROR(EAI_AGAIN), "no DNS answer",
	    "no name server gave an answer: is the network up, /etc/resolv.conf right? A numeric "
	    "address needs none" },
	{ LOOKUP_ERROR(EAI_FAIL), "DNS failed",
	    "the name server does not want or is not able to answer: try another one, or give a "
	    "numeric address" },
#if HAVE_EAI_NODATA
	{ LOOKUP_ERROR(EAI_NODATA), "no address",
	    "that name is known but stands for no address: is it the right one? Or give a numeric "
	    "address" },
#endif
	{ LOOKUP_ERROR(EAI_OVERFLOW), "name too long",
	    "that name is too long for any host: check it, or give a numeric address" },
	{ LOOKUP_ERROR(EAI_SYSTEM), "no look-up",
	    "the look-up of the name ended without an answer: try again, or give a numeric "
	    "address" },

	/* --- of ICMP: RFC 792, RFC 1122 (3.2.2.1), RFC 1812 (5.2.7.1); RFC 4443 --- */
	{ ERROR_ICMP4(3, 0), ERROR_ICMP6(1, 0), .word = "unreachable", UNREACHABLE_NETWORK },
	{ ERROR_ICMP4(3, 6), .word = "net unknown", UNREACHABLE_NETWORK },
	{ ERROR_ICMP4(3, 1), ERROR_ICMP6(1, 3), .word = "unreachable", UNREACHABLE_HOST },
	{ ERROR_ICMP4(3, 7), .word = "host unknown", UNREACHABLE_HOST },
	{ ERROR_ICMP4(3, 2), ERROR_ICMP6(4, 1), .word = "protocol", "that host does not speak UDP",
	    "that host does not speak TCP" },
	{ ERROR_ICMP4(3, 4), ERROR_ICMP6(2, 0), .word = "path MTU", PATH_MTU },
	{ ERROR_ICMP4(3, 9), ERROR_ICMP4(3, 10), .word = "prohibited", PROHIBITED },
	{ ERROR_ICMP4(3, 13), ERROR_ICMP6(1, 1), .word = "prohibited", PROHIBITED },
	{ ERROR_ICMP6(1, 5), .word = "prohibited",
	    "prohibited: a router on the way lets no packet from this machine's address pass; is "
	    "that address right?" },
	{ ERROR_ICMP6(1, 6), .word = "prohibited",
	    "prohibited: a router on the way rejects every packet to that network; ask who runs "
	    "it" },
	{ ERROR_ICMP6(1, 2), .word = "out of scope",
	    "this machine's address is one of its own link, and that host lies beyond it; give "
	    "this machine a global one" },
	{ ERROR_ICMP4(3, 8), .word = "isolated",
	    "a router on the way takes no packet of this machine: it is isolated" },
	{ ERROR_ICMP4(3, 11), ERROR_ICMP4(3, 12), .word = "unreachable",
	    "a router on the way has no route for its type of service" },
	{ ERROR_ICMP4(3, 14), ERROR_ICMP4(3, 15), .word = "prohibited",
	    "a router on the way turns packets of its precedence away" },
	{ ERROR_ICMP4(3, ANY), ERROR_ICMP6(1, ANY), .word = "unreachable",
	    "a router on the way or that host says that it cannot be delivered, for a reason that "
	    "has no name" },
	{ ERROR_ICMP4(11, 0), ERROR_ICMP6(3, 0), .word = "hop limit", HOPS },
	{ ERROR_ICMP4(11, 1), ERROR_ICMP6(3, 1), .word = "fragment lost", FRAGMENT },
	{ ERROR_ICMP4(12, ANY), ERROR_ICMP6(4, ANY), .word = "bad header", HEADER },
	{ ERROR_ICMP4(ANY, ANY), ERROR_ICMP6(ANY, ANY), .word = "ICMP error",
	    "a router on the way or that host answered with an error that has no name; is it a "
	    "server at all?" },
};

#define LENGTH (sizeof table / sizeof *table)

static bool is_icmp(int error)
{
	return error >= ERROR_ICMP4(0, 0);
}

static size_t find_exactly(int error)
{
	size_t i = 0;

	while (i < LENGTH && table[i].error != error && (table[i].alias != error || !error))
		i++;
	return i;
}

/* The index of the row, LENGTH for none. */
static size_t find(int error)
{
	size_t i = find_exactly(error);

	for (int any = ANY; i == LENGTH && is_icmp(error) && any <= 0xffff; any = any << 8 | ANY)
		i = find_exactly(error | any);
	return i;
}

int error_from_eai(int eai)
{
	const int error = LOOKUP(eai);

	return find_exactly(error) < LENGTH ? error : LOOKUP(EAI_SYSTEM);
}

const char *error_sentence(int error, bool stream)
{
	const size_t i = find(error);

	if (i < LENGTH)
		return stream && table[i].stream ? table[i].stream : table[i].sentence;
	return error ? strerror(error) : "unknown error";
}

const char *error_word(int error)
{
	const size_t i = find(error);

	return i < LENGTH ? table[i].word : "failed";
}

/* The name of an error that has none in the table. */
static const char *name_by_number(int error, char buf[ERROR_NAME])
{
	if (is_icmp(error))
		snprintf(buf, ERROR_NAME, "ICMP%s %d/%d", error < ERROR_ICMP6(0, 0) ? "" : "v6",
		    error >> 8 & 0xff, error & 0xff);
	else
		snprintf(buf, ERROR_NAME, "errno %d", error);
	return buf;
}

const char *error_name(int error, char buf[ERROR_NAME])
{
	const size_t i = find_exactly(error);

	return i < LENGTH && table[i].name && table[i].error == error ? table[i].name
	                                                              : name_by_number(error, buf);
}

int error_number(const char *name)
{
	unsigned number = 0, type, code;
	char buf[ERROR_NAME];

	for (size_t i = 0; i < LENGTH; i++)
		if (table[i].name && strcmp(table[i].name, name) == 0)
			return table[i].error;
	if (sscanf(name, "errno %4u", &number) == 1)
		number = number < ERRNO_END ? number : 0;
	else if (sscanf(name, "ICMP %3u/%3u", &type, &code) == 2)
		number = ERROR_ICMP4(type, code);
	else if (sscanf(name, "ICMPv6 %3u/%3u", &type, &code) == 2)
		number = ERROR_ICMP6(type, code);
	return strcmp(name, name_by_number((int)number, buf)) == 0 ? (int)number : -1;
}
