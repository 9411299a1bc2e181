/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/icmp.h"

#include <errno.h>
/* needs struct timespec from <time.h> */
#include <linux/errqueue.h>
#include <netinet/in.h>

#include "ledger/error-text.h"

/* The types "destination unreachable" of RFC 792 and RFC 4443. */
#define UNREACHABLE4 3
#define UNREACHABLE6 1
/* The headers before a datagram's bytes, at least: of IP (RFC 791, RFC 8200) and UDP. */
#define HEADERS4 (20 + 8)
#define HEADERS6 (40 + 8)

void icmp_enable(int fd, int family, bool on)
{
	const int value = on;

	/* Where this fails, errors are only an errno. */
	if (family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &value, sizeof value);
	else
		(void)setsockopt(fd, IPPROTO_IP, IP_RECVERR, &value, sizeof value);
}

const struct sock_extended_err *icmp_queued(struct msghdr *m)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c))
		if ((c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR) ||
		    (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR))
			return (const void *)CMSG_DATA(c);
	return NULL;
}

/* A firewall of this machine forbids the datagram itself, or answers for another host. */
static bool is_own_firewall(int fd, const struct addr *to, const struct addr *from, bool prohibited)
{
	struct addr here = { .len = sizeof here.storage };

	return getsockname(fd, &here.sa, &here.len) == 0 && addr_same_host(from, &here) &&
	       (prohibited || !(addr_same_host(from, to) || addr_is_unspecified(to)));
}

static int error_of(int fd, const struct addr *to, const struct sock_extended_err *e,
    const struct addr *from)
{
	const bool ipv6 = e->ee_origin == SO_EE_ORIGIN_ICMP6;
	const int type = e->ee_type, code = e->ee_code;
	const bool prohibited = ipv6
	                          ? type == UNREACHABLE6 && code == 1
	                          : type == UNREACHABLE4 && (code == 9 || code == 10 || code == 13);

	if ((prohibited || e->ee_errno == ECONNREFUSED) &&
	    is_own_firewall(fd, to, from, prohibited))
		return EPERM;
	if (e->ee_errno == ECONNREFUSED)
		return ECONNREFUSED;
	return ipv6 ? ERROR_ICMP6(type, code) : ERROR_ICMP4(type, code);
}

bool icmp_read(int fd, const struct addr *to, struct msghdr *m, struct icmp *out)
{
	const struct sock_extended_err *e = icmp_queued(m);
	const struct sockaddr *offender;
	size_t headers;

	if (!e || (e->ee_origin != SO_EE_ORIGIN_ICMP && e->ee_origin != SO_EE_ORIGIN_ICMP6))
		return false;
	headers = e->ee_origin == SO_EE_ORIGIN_ICMP6 ? HEADERS6 : HEADERS4;
	*out = (struct icmp){ .from = { .len = 0 } };
	/* SO_EE_OFFENDER() has no const. */
	offender = (const struct sockaddr *)(e + 1);
	if (offender->sa_family != AF_UNSPEC) {
		out->from.len = headers == HEADERS6 ? sizeof out->from.in6 : sizeof out->from.in;
		memcpy(&out->from.storage, offender, out->from.len);
	}
	out->error = error_of(fd, to, e, &out->from);
	if (e->ee_errno == EMSGSIZE && e->ee_info >= headers)
		out->min_length = e->ee_info - headers + 1;
	return true;
}

int icmp_error(int fd, const struct addr *to)
{
	unsigned char control[512];
	struct msghdr m = { .msg_control = control, .msg_controllen = sizeof control };
	struct icmp icmp;

	return recvmsg(fd, &m, MSG_ERRQUEUE | MSG_DONTWAIT) >= 0 && icmp_read(fd, to, &m, &icmp)
	         ? icmp.error
	         : 0;
}
