/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A session in words: its totals, a row's fate, the summary that stays after leaving, the page of
 * all figures. All texts are UTF-8; where only ASCII can be shown,
 * summary_ascii(). Pure. */
#ifndef UPCASE_REPORT_SUMMARY_H
#define UPCASE_REPORT_SUMMARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ledger/figures.h"
#include "ledger/ledger.h"

/* "answered 9 of 12, 3/12 lost (25 %, 95 % 9–53), of them 1 late", "answered 0 of 800, 800
 * refused": of all lines that were sent, and a loss with its interval of those of which chance
 * decided, if there are any. Under 10 % with one decimal: "2/150 lost (1.3 %, 95 % 0.4–4.7)". 300
 * bytes are enough. */
char *summary_totals(const struct ledger_totals *t, bool stream, char *buf, size_t size);

/* The fate of a line, in a few words for people: "answered in 40.9 ms", "answered in 906 ms: 861
 * connecting, 44.8 on the wire", "lost", "late after 1.20 s, 2 duplicates", "failed: too long ...".
 */
char *summary_fate(const struct ledger_row *row, bool stream, int64_t now, char *buf, size_t size);

/* The summary of a peer over one transport, the other NULL, some lines ended by \n, like ping's:
 *   --- UDP 127.0.0.1:12000 ---
 *   answered 5 of 8, 3/8 lost (38 %, 95 % 14–69), of them 1 late; wait 1.00 s
 *   1 duplicate, 2 reordered
 *   waited min/mean/max/sd 40.4/41.1/44.3/0.2 ms, from Enter to reply
 *   round trip min/mean/max/sd 40.3/41.0/44.2/0.2 ms, on the wire
 * then quantiles for which there are lines enough, runs of lost lines, delay variation, what TCP
 * did, whose times these are when not the usual ones, and whether the run is INVALID. Lines without
 * anything to say are left out; every count that is not zero is said. Over both transports, UDP
 * beside TCP in two columns, without the rows that say nothing. 6000 bytes are enough. */
char *summary_peer(const struct figures *udp, const struct figures *tcp, char *buf, size_t size);
/* All figures, for the page of /stats: UDP beside TCP where both are given, else the one. The
 * caller frees; NULL when memory is short. */
char *summary_page(const struct figures *udp, const struct figures *tcp);
/* "send and receive times by the kernel", "send times by the program, receive times by the kernel",
 * with counts where they differ from line to line. For records too. */
char *summary_times(const struct figures *f, char *buf, size_t size);

/* The same text with ASCII in place of the signs that the functions above write ("–", "µ", "±"). In
 * place; returns it. */
char *summary_ascii(char *text);

#endif
