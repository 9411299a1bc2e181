/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/addr.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <sys/socket.h>

#include "common/os.h"

/* Reads the scope after "%": the name of an interface or its number. */
static int scope_number(const char *text, uint32_t *out)
{
	const size_t n = strlen(text);

	if (n > 0 && strspn(text, "0123456789") == n && n <= 10) {
		const unsigned long long number = strtoull(text, NULL, 10);

		*out = (uint32_t)number;
		return number == 0 || number > UINT32_MAX ? -1 : 0;
	}
	*out = if_nametoindex(text);
	return *out ? 0 : -1;
}

static int numeric6(const char *host, uint16_t port, struct addr *a)
{
	char text[INET6_ADDRSTRLEN];
	const char *scope = strchr(host, '%');
	size_t n = scope ? (size_t)(scope - host) : strlen(host);

	if (n >= sizeof text)
		return -1;
	memcpy(text, host, n);
	text[n] = '\0';
	if (inet_pton(AF_INET6, text, &a->in6.sin6_addr) != 1)
		return -1;
	if (scope && scope_number(scope + 1, &a->in6.sin6_scope_id) < 0)
		return -1;
	a->in6.sin6_family = AF_INET6;
	a->in6.sin6_port = htons(port);
	a->len = sizeof a->in6;
	return 0;
}

bool addr_names_no_interface(const char *host)
{
	char name[IF_NAMESIZE], address[INET6_ADDRSTRLEN];
	const char *scope = strchr(host, '%');
	uint32_t number;
	struct addr a;

	if (!scope || scope - host >= INET6_ADDRSTRLEN)
		return false;
	snprintf(address, sizeof address, "%.*s", (int)(scope - host), host);
	return numeric6(address, 0, &a) == 0 &&
	       (scope_number(scope + 1, &number) < 0 || !if_indextoname(number, name));
}

/* The IPv4 address, also of an IPv4-mapped one, in network order. */
static bool ipv4_of(const struct addr *a, struct in_addr *out)
{
	if (a->sa.sa_family == AF_INET) {
		*out = a->in.sin_addr;
		return true;
	}
	if (a->sa.sa_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&a->in6.sin6_addr))
		return false;
	memcpy(out, a->in6.sin6_addr.s6_addr + 12, sizeof *out);
	return true;
}

void addr_unmap(struct addr *a)
{
	const in_port_t port = a->in6.sin6_port;
	struct in_addr in;

	if (a->sa.sa_family != AF_INET6 || !ipv4_of(a, &in))
		return;
	memset(a, 0, sizeof *a);
	a->in = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = port, .sin_addr = in };
	a->len = sizeof a->in;
}

int addr_numeric(const char *host, uint16_t port, struct addr *out)
{
	struct addr a;

	memset(&a, 0, sizeof a);
	if (inet_pton(AF_INET, host, &a.in.sin_addr) == 1) {
		a.in.sin_family = AF_INET;
		a.in.sin_port = htons(port);
		a.len = sizeof a.in;
	} else if (numeric6(host, port, &a) < 0) {
		return -1;
	}
	*out = a;
	return 0;
}

int addr_port_number(const char *text, uint16_t *port)
{
	const size_t digits = strspn(text, "0123456789");
	const unsigned long long number = strtoull(text, NULL, 10);

	if (digits == 0 || text[digits] || number > UINT16_MAX)
		return -1;
	*port = (uint16_t)number;
	return 0;
}

uint16_t addr_port(const struct addr *a)
{
	return a->sa.sa_family == AF_INET  ? ntohs(a->in.sin_port)
	     : a->sa.sa_family == AF_INET6 ? ntohs(a->in6.sin6_port)
	                                   : 0;
}

void addr_set_port(struct addr *a, uint16_t port)
{
	if (a->sa.sa_family == AF_INET)
		a->in.sin_port = htons(port);
	else if (a->sa.sa_family == AF_INET6)
		a->in6.sin6_port = htons(port);
}

/* "%eth0", or "%7" where the interface is gone; "" without a scope. */
static void scope_text(uint32_t scope, char *buf, size_t size)
{
	char name[IF_NAMESIZE];

	if (scope == 0)
		*buf = '\0';
	else if (os_interface_name(scope, name))
		snprintf(buf, size, "%%%s", name);
	else
		snprintf(buf, size, "%%%lu", (unsigned long)scope);
}

char *addr_host_text(const struct addr *a, char buf[ADDR_TEXT_SIZE])
{
	struct in_addr in;
	size_t n;

	if (ipv4_of(a, &in)) {
		inet_ntop(AF_INET, &in, buf, ADDR_TEXT_SIZE);
	} else if (a->sa.sa_family == AF_INET6) {
		inet_ntop(AF_INET6, &a->in6.sin6_addr, buf, ADDR_TEXT_SIZE);
		n = strlen(buf);
		scope_text(a->in6.sin6_scope_id, buf + n, ADDR_TEXT_SIZE - n);
	} else {
		snprintf(buf, ADDR_TEXT_SIZE, "?");
	}
	return buf;
}

char *addr_text(const struct addr *a, char buf[ADDR_TEXT_SIZE])
{
	char host[ADDR_TEXT_SIZE];
	bool colons = strchr(addr_host_text(a, host), ':') != NULL;

	snprintf(buf, ADDR_TEXT_SIZE, "%s%.70s%s:%u", colons ? "[" : "", host, colons ? "]" : "",
	    addr_port(a));
	return buf;
}

bool addr_same_host(const struct addr *a, const struct addr *b)
{
	struct in_addr in_a, in_b;
	bool is_a = ipv4_of(a, &in_a), is_b = ipv4_of(b, &in_b);

	if (is_a || is_b)
		return is_a && is_b && in_a.s_addr == in_b.s_addr;
	return a->sa.sa_family == AF_INET6 && b->sa.sa_family == AF_INET6 &&
	       memcmp(&a->in6.sin6_addr, &b->in6.sin6_addr, sizeof a->in6.sin6_addr) == 0 &&
	       a->in6.sin6_scope_id == b->in6.sin6_scope_id;
}

bool addr_equal(const struct addr *a, const struct addr *b)
{
	return addr_same_host(a, b) && addr_port(a) == addr_port(b);
}

bool addr_is_loopback(const struct addr *a)
{
	struct in_addr in;

	if (ipv4_of(a, &in))
		return ntohl(in.s_addr) >> 24 == 127;
	return a->sa.sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&a->in6.sin6_addr);
}

bool addr_is_unspecified(const struct addr *a)
{
	struct in_addr in;

	if (ipv4_of(a, &in))
		return in.s_addr == htonl(INADDR_ANY);
	return a->sa.sa_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&a->in6.sin6_addr);
}

bool addr_is_zero_network(const struct addr *a)
{
	struct in_addr in;

	return ipv4_of(a, &in) && ntohl(in.s_addr) >> 24 == 0 && in.s_addr != htonl(INADDR_ANY);
}

bool addr_lacks_interface(const struct addr *a)
{
	return a->sa.sa_family == AF_INET6 && !a->in6.sin6_scope_id &&
	       IN6_IS_ADDR_LINKLOCAL(&a->in6.sin6_addr);
}

bool addr_is_group(const struct addr *a)
{
	struct in_addr in;

	if (ipv4_of(a, &in))
		return IN_MULTICAST(ntohl(in.s_addr)) || in.s_addr == htonl(INADDR_BROADCAST);
	return a->sa.sa_family == AF_INET6 && IN6_IS_ADDR_MULTICAST(&a->in6.sin6_addr);
}
