/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The soak's UDP clients: well-behaved ones, each reply of which is checked, and floods. */
#pragma once

#include "tests/soak/soak.h"

struct soak_udp_counts {
	/* Of all sockets: datagrams that the system took, replies that came, replies that it
	 * dropped for want of room here. */
	uint64_t sent, received, dropped;
	/* Of sockets that are closed: questions whose replies may have come too late. */
	uint64_t abandoned;
	/* Of the well-behaved alone, and how many of these waited in vain. */
	uint64_t good_sent, good_answered, late;
	/* Datagrams that are to get no reply: capitals too long, from a low port. */
	uint64_t too_long, low_port;
	/* From sockets that send capitals of capitals. */
	uint64_t loops;
	uint64_t bytes_sent, bytes_received;
};

struct soak_udp;

struct soak_udp *soak_udp_new(struct soak *s);
void soak_udp_free(struct soak_udp *u);
/* Timers and floods. Once a tick. */
void soak_udp_turn(struct soak_udp *u);
/* A burst of so many datagrams at once, whatever the rate. */
void soak_udp_burst(struct soak_udp *u, unsigned n);
/* Reads what is there and counts, up to date. */
const struct soak_udp_counts *soak_udp_counts(struct soak_udp *u);
void soak_udp_report(struct soak_udp *u);
