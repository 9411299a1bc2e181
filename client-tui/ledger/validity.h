/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whether a run says something about the network, or about this machine: one that was shaped by the
 * host is not valid, and says why. Pure. */
#ifndef UPCASE_LEDGER_VALIDITY_H
#define UPCASE_LEDGER_VALIDITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/clock.h"

/* Sent so much later than its schedule says, a line has slipped; a run of which more than
 * VALIDITY_SHARE of the lines slipped was not sent as it was meant. */
#define VALIDITY_SLIP (10 * NS_PER_MS)
#define VALIDITY_SHARE 0.01

/* The schedule of generated lines, and how it was kept. All zero without one. */
struct schedule_totals {
	/* Lines that were due; of them sent more than VALIDITY_SLIP off. */
	uint64_t due, slipped;
	/* The worst, ns. */
	int64_t worst;
};

/* Why a run is not valid: some of these. */
enum validity {
	VALIDITY_OK = 0,
	/* More than 1 % of the lines were sent more than 10 ms off schedule. */
	VALIDITY_SCHEDULE = 1,
	/* This machine dropped replies: the socket's receive buffer was full. */
	VALIDITY_OVERFLOW = 2,
};

/* The reasons, VALIDITY_OK for none. `overflows`: replies that this machine's own sockets dropped.
 */
unsigned validity_check(const struct schedule_totals *schedule, uint64_t overflows);
/* The name of one reason, for records: "schedule", "overflow"; static. NULL for no such. */
const char *validity_name(enum validity reason);
/* "INVALID: 31 of 1000 lines (3.1 %) were sent more than 10 ms off schedule, at worst 85.0 ms;
 * ...": shaped by this machine, not by the network. "" when it is valid. 300 bytes are enough;
 * returns `buf`. */
char *validity_text(const struct schedule_totals *schedule, uint64_t overflows, char *buf,
    size_t size);

#endif
