/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The words of the transports. Pure. */
#ifndef UPCASE_LEDGER_TRANSPORT_H
#define UPCASE_LEDGER_TRANSPORT_H

struct transport_info {
	const char *title, *name; /* "UDP", for people; "udp", for records and options */
	/* What a line that was typed too early waits for: "opening", "connecting". */
	const char *opening;
};

/* By whether it is a stream: UDP, then TCP. */
extern const struct transport_info transport_info[2];

#endif
