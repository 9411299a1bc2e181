/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/icmp.h"

#include <errno.h>

#include "common/os.h"
#include "ledger/error-text.h"

/* The types "destination unreachable" of RFC 792 and RFC 4443. */
#define UNREACHABLE4 3
#define UNREACHABLE6 1
/* The headers before a datagram's bytes, at least: of IP (RFC 791, RFC 8200) and UDP. */
#define HEADERS4 (20 + 8)
#define HEADERS6 (40 + 8)

/* A firewall of this machine forbids the datagram itself, or answers for another host. */
static bool is_own_firewall(int fd, const struct addr *to, const struct addr *from, bool prohibited)
{
	struct addr here = { .len = sizeof here.storage };

	return getsockname(fd, &here.sa, &here.len) == 0 && addr_same_host(from, &here) &&
	       (prohibited || !(addr_same_host(from, to) || addr_is_unspecified(to)));
}

static int error_of(int fd, const struct addr *to, const struct os_error *e,
    const struct addr *from)
{
	const bool ipv6 = e->kind == OS_ERROR_ICMP6;
	const int type = e->type, code = e->code;
	const bool prohibited = ipv6
	                          ? type == UNREACHABLE6 && code == 1
	                          : type == UNREACHABLE4 && (code == 9 || code == 10 || code == 13);

	if ((prohibited || e->error == ECONNREFUSED) && is_own_firewall(fd, to, from, prohibited))
		return EPERM;
	if (e->error == ECONNREFUSED)
		return ECONNREFUSED;
	return ipv6 ? ERROR_ICMP6(type, code) : ERROR_ICMP4(type, code);
}

bool icmp_read(int fd, const struct addr *to, const struct os_error *e, struct icmp *out)
{
	const size_t headers = e->kind == OS_ERROR_ICMP6 ? HEADERS6 : HEADERS4;

	if (e->kind != OS_ERROR_ICMP4 && e->kind != OS_ERROR_ICMP6)
		return false;
	*out = (struct icmp){ .from.len = e->from_length };
	out->from.storage = e->from;
	out->error = error_of(fd, to, e, &out->from);
	if (e->mtu >= headers)
		out->min_length = e->mtu - headers + 1;
	return true;
}

int icmp_error(int fd, const struct addr *to)
{
	struct os_error e;
	struct icmp icmp;

	return os_next_error(fd, NULL, 0, &e) >= 0 && icmp_read(fd, to, &e, &icmp) ? icmp.error : 0;
}
