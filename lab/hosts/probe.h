/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whether the hosts really reach each other: one datagram there and one back, by IPv4 and IPv6. */
#ifndef UPCASE_LAB_PROBE_H
#define UPCASE_LAB_PROBE_H

#include "lab/hosts/hosts.h"

/* Moves between the hosts; a relay must carry their packets meanwhile. Takes four seconds at most.
 * Returns a set of enum supervisor_probe: what went both ways. */
int probe_run(const struct host_pair *pair);

#endif
