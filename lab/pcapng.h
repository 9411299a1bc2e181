/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Writes captures (draft-ietf-opsawg-pcapng, version 1.0): one interface for each host, bare IP packets
 * (LINKTYPE_RAW), stamps in ns of the wall clock. */
#ifndef UPCASE_LAB_PCAPNG_H
#define UPCASE_LAB_PCAPNG_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* The longest comment; what is longer is cut. */
#define PCAPNG_COMMENT 200

/* Which way a packet passes its interface. */
enum pcapng_way { PCAPNG_IN = 1, PCAPNG_OUT = 2 };

/* Opaque. */
struct pcapng;

/* Writes to `out`, which it closes in the end, the beginning of a capture with `count` interfaces of these names, all with
 * this comment (NULL: none). NULL when memory runs out; then `out` is still the caller's. */
struct pcapng *pcapng_new(FILE *out, const char *const *names, const char *comment, int count);

/* One packet on interface `interface` (from 0) at `wall`, ns since 1970; `comment` may be NULL. */
void pcapng_packet(struct pcapng *p, int interface, enum pcapng_way way, int64_t wall, const void *bytes,
    size_t n, const char *comment);

/* What is to be said of an interface in the end: at `wall` so many packets had passed it. */
void pcapng_interface_end(struct pcapng *p, int interface, int64_t wall, uint64_t packets, const char *comment);

/* Hands all to the kernel. Returns 0, or -1 if anything since the beginning could not be written (a full
 * disk). */
int pcapng_flush(struct pcapng *p);

/* Flushes and closes; the same result. NULL is allowed: 0. */
int pcapng_free(struct pcapng *p);

#endif
