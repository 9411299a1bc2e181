/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A link between two socket pairs that stand for the hosts' devices: what a test writes to near_end
 * is what the near host sends. */
#pragma once

#include "lab/link/control.h"
#include "lab/link/link.h"

struct wire {
	struct device *near, *far;
	int near_end, far_end;
	struct link *link;
	/* Set by a test that needs it; else NULL. */
	struct control *control;
};

/* Fails the test when something cannot be made. Settings as text, for impair_fields_parse(). */
struct wire wire_open(const char *there, const char *back, uint64_t seed);
void wire_close(struct wire *wire);

/* One turn, which waits for at most `most` ns; the link's counts add up after it. */
void wire_turn(struct wire *wire, int64_t most);
/* Turns until a packet can be read from `end` and reads it: its length. Fails after ten seconds. */
int wire_receive(struct wire *wire, int end, uint8_t *packet, size_t size);
/* Turns until nothing is on its way. */
void wire_drain(struct wire *wire);

/* A UDP datagram over IPv4 in `packet`, with payload `n` bytes at `payload`; without checksums,
 * which the link does not look at. Returns its length. */
size_t wire_udp(uint8_t *packet, bool there, bool whole, const void *payload, size_t n);
/* The same as a TCP segment with these flags. */
size_t wire_tcp(uint8_t *packet, bool there, uint8_t flags, size_t n);
/* Sends one into `end`, turning while that is full. */
void wire_send(struct wire *wire, int end, const void *packet, size_t n);
