/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Looking a name up without waiting for it: getaddrinfo() blocks for as long as a dead resolver
 * likes, so a child process calls it and answers through a pipe. A numeric address needs no child.
 */
#ifndef UPCASE_NET_RESOLVE_H
#define UPCASE_NET_RESOLVE_H

#include <stddef.h>

#include "common/addr.h"

/* Addresses kept of one name at most. */
#define RESOLVE_MAX 16

struct resolve;

/* Starts looking `host` and `port` (a number) up; `family` is AF_UNSPEC, AF_INET or AF_INET6.
 * Returns NULL with errno when the child cannot be started. */
struct resolve *resolve_start(const char *host, const char *port, int family);
/* Ends the child if it still runs, and frees. NULL is harmless. */
void resolve_free(struct resolve *r);

/* What to wait for; -1 when the answer is there already. */
int resolve_fd(const struct resolve *r);
/* The answer: true when there is one: `*count` addresses in `list`, or 0 and the error in *error,
 * as errors.h has it. IPv4-mapped addresses are IPv4's. Call when resolve_fd() can be read, or is
 * -1. */
bool resolve_answer(struct resolve *r, struct addr list[RESOLVE_MAX], size_t *count, int *error);

#endif
