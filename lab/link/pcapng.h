/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Writes captures (draft-ietf-opsawg-pcapng, version 1.0): one interface for each host, bare IP
 * packets (LINKTYPE_RAW), stamps in ns of the wall clock. */
#pragma once

/* The longest comment; a longer one is cut. */
#define PCAPNG_COMMENT 200

/* The direction in which a packet passes its interface. */
enum pcapng_direction { PCAPNG_IN = 1, PCAPNG_OUT = 2 };

struct pcapng;

/* Writes the beginning of a capture to `fd`, which it closes at the end, with `count` interfaces of
 * these names, all with this comment (NULL: none). With a non-blocking descriptor nothing ever
 * waits: up to SEND_BUFFER_MAX bytes wait for their reader, and only whole blocks are written.
 * Returns NULL when memory runs out; the caller then keeps `fd`. */
struct pcapng *pcapng_new(int fd, const char *const *names, const char *comment, int count);

/* Adds one packet on interface `interface` (from 0) at `wall`, ns since 1970; `comment` may be
 * NULL. Returns false if it found no room. */
bool pcapng_packet(struct pcapng *p, int interface, enum pcapng_direction direction, int64_t wall,
    const void *bytes, size_t n, const char *comment);

/* Adds the statistics of an interface, at the end: by `wall` this many packets had passed it, of
 * which `dropped` found no room. */
void pcapng_interface_end(struct pcapng *p, int interface, int64_t wall, uint64_t packets,
    uint64_t dropped, const char *comment);

/* From now on a flush waits for a slow reader: `each` ns from one read of its to the next, and
 * until `deadline` (clock_monotonic()). */
void pcapng_wait(struct pcapng *p, int64_t each, int64_t deadline);
/* Writes what the file takes. Returns 0, or -1 if anything since the beginning could not be written
 * (a full disk); the file then ends with its last whole block. */
int pcapng_flush(struct pcapng *p);
/* Whether blocks wait for their reader; how many packets wait. */
bool pcapng_pending(const struct pcapng *p);
uint64_t pcapng_unread(const struct pcapng *p);

/* Flushes and closes. Returns as pcapng_flush() does. NULL is allowed: 0. */
int pcapng_free(struct pcapng *p);

/* Whether a file with this beginning is a capture, pcap or pcapng. */
bool pcapng_is_capture(const char *bytes, size_t n);
