/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Resolves a host name without blocking: getaddrinfo() may block for as long as a dead resolver
 * takes, so a child process calls it and answers through a pipe. A numeric address needs no child.
 */
#pragma once

#include "common/addr.h"

#define RESOLVE_MAX 16 /* addresses kept of one name at most */

struct resolve;

/* Starts to resolve `host` with `port` (a number); `family` is AF_UNSPEC, AF_INET or AF_INET6.
 * Returns NULL with errno when the child cannot be started. */
struct resolve *resolve_start(const char *host, const char *port, int family);
/* Ends the child if it still runs, and frees. NULL is harmless. */
void resolve_free(struct resolve *r);

/* The descriptor that can be read when the answer is there; -1 when it is there already. */
int resolve_fd(const struct resolve *r);
/* Takes the answer, when resolve_fd() can be read or is -1: `*count` addresses in `list`, or 0 and
 * `*error` (error-text.h). IPv4-mapped addresses are IPv4's. Returns false before the answer. */
bool resolve_answer(struct resolve *r, struct addr list[RESOLVE_MAX], size_t *count, int *error);
