/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whether a run says something about the network, or about this machine: one that was shaped by the host is not valid, and says
 * why. Pure. */
#ifndef UPCASE_VERDICT_H
#define UPCASE_VERDICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/clock.h"

/* Sent so much later than its schedule says, a line has slipped; a run of which more than VERDICT_SHARE of the lines slipped was
 * not sent as it was meant. */
#define VERDICT_SLIP (10 * NS_PER_MS)
#define VERDICT_SHARE 0.01

/* What became of the schedule of generated lines. All zero when there was none. */
struct schedule_totals {
	/* Lines that were due; of them sent more than VERDICT_SLIP off. */
	uint64_t due, slipped;
	/* The worst, ns. */
	int64_t worst;
};

/* Why a run is not valid: some of these. */
enum verdict {
	VERDICT_VALID = 0,
	/* More than 1 % of the lines were sent more than 10 ms off schedule. */
	VERDICT_SCHEDULE = 1,
	/* This machine dropped replies: the socket's receive buffer was full. */
	VERDICT_OVERFLOW = 2,
};

/* The reasons, VERDICT_VALID for none. `overflows`: replies that this machine's own sockets dropped. */
unsigned verdict_judge(const struct schedule_totals *schedule, uint64_t overflows);
/* The name of one reason, for records: "schedule", "overflow"; static. NULL for no such. */
const char *verdict_name(enum verdict reason);
/* "INVALID: 31 of 1000 lines (3.1 %) were sent more than 10 ms off schedule, at worst 85.0 ms; ...": shaped by this machine, not by
 * the network. "" when it is valid. 300 bytes are enough; returns `buf`. */
char *verdict_text(const struct schedule_totals *schedule, uint64_t overflows, char *buf, size_t size);

#endif
