/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What ICMP says of what a socket sent. The kernel keeps it in the socket's error queue, with who
 * said it. */
#ifndef UPCASE_ICMP_H
#define UPCASE_ICMP_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "common/addr.h"

struct icmp {
	/* As errors.h has it. */
	int error;
	/* Who says so; its family is AF_UNSPEC when that is not known. */
	struct addr from;
	/* It is about a datagram of so many bytes at least: what fits the path's MTU was not too
	 * large for it. */
	size_t min_length;
};

/* Asks the kernel to keep what ICMP says, or not any more. */
void icmp_ask(int fd, int family, bool on);
/* Reads what came from the error queue in `m` of what goes to `to`; false when it is none of ICMP.
 */
bool icmp_read(int fd, const struct addr *to, struct msghdr *m, struct icmp *out);
/* The error that stands in the error queue of a stream, else 0. */
int icmp_error(int fd, const struct addr *to);

#endif
