/* SPDX-License-Identifier: GPL-3.0-or-later */
/* All figures of one session, for who writes them: the summary, the page of statistics, records.
 * session_figures() fills it. */
#ifndef UPCASE_FACTS_H
#define UPCASE_FACTS_H

#include <stdbool.h>
#include <stdint.h>

#include "ledger/ledger.h"
#include "ledger/stall.h"
#include "ledger/validity.h"

/* Whose clock reading the times of lines are. */
struct figures_times {
	/* Lines handed over whose time is the kernel's, of when they left; and the others: just
	 * before the call that handed them over. */
	uint64_t sent_kernel, sent_program;
	/* Replies whose time is the kernel's, of when they arrived; and the others: when they were
	 * read. */
	uint64_t received_kernel, received_program;
	/* So often the wall clock was set, so that stamps could not be reported in our time: the
	 * program's were taken. */
	uint64_t clock_steps;
};

/* What the kernel says of a TCP connection. */
struct tcp_sample {
	/* Segments sent again since it stands. */
	unsigned retransmitted;
	/* The timer runs out after so long, ns; how often it has doubled. */
	int64_t timeout;
	unsigned backoff;
	/* Its round-trip time and how much that varies, ns. */
	int64_t round_trip, variation;
	/* The congestion window, segments. */
	uint32_t window;
	/* How often the timer ran out since it stands, where the kernel tells it (Linux 6.7); else
	 * -1. */
	int timeouts;
};

/* What the kernel says of TCP (TCP_INFO), sampled while lines wait and at the end of each
 * connection. Times in ns. */
struct figures_tcp {
	/* Connections that stood; segments sent again, over all of them. */
	uint64_t connections, retransmitted;
	/* The retransmission time-out: at the last look, and the largest seen. */
	int64_t timeout, timeout_max;
	/* Smoothed round-trip time and its mean deviation, RFC 6298; at the last look. */
	int64_t round_trip, variation;
	/* The congestion window, RFC 5681, in segments: at the last look, the least and the largest
	 * seen. */
	uint32_t window, window_min, window_max;
	/* Looks; without any, nothing but `connections` says something. */
	uint64_t samples;
	/* Segments that the far end's kernel sent again, where it can be asked (the lab). */
	bool has_server;
	uint64_t server_retransmitted;
};

struct figures {
	bool stream;
	/* Borrowed: valid until the session's next turn. */
	const char *peer;
	int64_t reply_timeout;
	const struct ledger_totals *totals;
	const struct stats *stats;
	struct figures_times times;
	/* UDP: datagrams that came to this machine and were dropped since the socket's buffer was
	 * full. */
	uint64_t overflows;
	/* TCP. */
	struct figures_tcp tcp;
	struct stall_totals stalls;
	/* The generator's, to be filled by who has one; zero without. */
	struct schedule_totals schedule;
};

#endif
