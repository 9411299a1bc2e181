/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A session in words: its totals, a row's fate, the summary after the program has left the screen,
 * the page of all figures. All texts are UTF-8; summary_ascii() converts them to ASCII. Pure. */
#pragma once

#include "ledger/figures.h"
#include "ledger/ledger.h"
#include "trace/trace.h"

/* Writes "answered 9 of 12, 3/12 lost (25 %, 95 % 9–53), of them 1 late", "answered 0 of 800, 800
 * refused": the counts are of all lines that were sent, the loss and its interval of the lines
 * whose fate was chance, if any. A loss under 10 % has a decimal. 300 bytes are enough. */
char *summary_totals(const struct ledger_totals *t, bool stream, char *buf, size_t size);

/* The fate of a line without a reply: "lost", "failed: too long ...", in `buf` or static. */
const char *summary_fate(const struct ledger_row *row, char *buf, size_t size);
/* Where the link lost a datagram, "lost going", "no reply", in `buf` or static; NULL: not known. */
const char *summary_place(enum trace_place place, const struct trace_leg *legs, char *buf,
    size_t size);

/* The summary of a peer over one transport, the other NULL, some lines ended by \n, like ping's:
 *   --- UDP 127.0.0.1:12000 ---
 *   answered 5 of 8, 3/8 lost (38 %, 95 % 14–69), of them 1 late; wait 1.00 s
 *   1 duplicate, 2 reordered
 *   waited min/mean/max/sd 40.4/41.1/44.3/0.2 ms, from Enter to reply
 *   round trip min/mean/max/sd 40.3/41.0/44.2/0.2 ms, on the wire
 * then quantiles for which there are lines enough, runs of lost lines, delay variation, what TCP
 * did, who measured the times, if not the usual clocks, and whether the run is INVALID. Empty lines
 * are left out; every count that is not zero is shown. With both transports, UDP stands beside TCP
 * in two columns, without empty rows. 6000 bytes are enough. */
char *summary_peer(const struct figures *udp, const struct figures *tcp, char *buf, size_t size);
/* Returns all figures, for /stats: UDP beside TCP, or one. Free it; NULL when memory is short. */
char *summary_page(const struct figures *udp, const struct figures *tcp);
/* "send and receive times by the kernel", "send times by the program, receive times by the kernel",
 * with counts if they differ from line to line. */
char *summary_times(const struct figures *f, char *buf, size_t size);

/* "10.00-20.00 s udp: sent 1000, answered 990, lost 10 (1.0 %), min/avg/max 40.3/41.0/44.2 ms,
 * p50/p99 41.0/44.0 ms", with counts that are not 0 and figures for which there are lines enough;
 * times since `start`. 600 bytes are enough. */
char *summary_interval(const struct interval *i, int64_t start, char *buf, size_t size);

/* Replaces the signs of these texts ("–", "µ", "±") by ASCII, in place. Returns `text`. */
char *summary_ascii(char *text);
