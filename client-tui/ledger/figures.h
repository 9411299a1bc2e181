/* SPDX-License-Identifier: GPL-3.0-or-later */
/* All figures of one session, and one table of them for all who write or read them: the summary,
 * the page of statistics, the JSON summary. session_figures() fills the struct. A new figure is a
 * row of the table, beside what measures it. Pure. */
#pragma once

#include "common/clock.h"
#include "ledger/ledger.h"
#include "ledger/shares.h"

/* ---- stalls of TCP ---- */

/* TCP stalls when lines wait and no byte comes for longer than the smoothed round-trip time and
 * STALL_MARGIN. A segment that was not lost arrives before that; a lost one is sent again after the
 * retransmission time-out, which Linux never makes shorter. A stall begins at the arrival of the
 * last byte, or when the line that waits longest was sent, if that is later. It ends at the arrival
 * of the next byte or at the end of the connection. Only arrival times are used, so a stall is
 * exact however rarely it is sampled. A slow server looks the same. Times are ns, monotonic. */

/* The least time-out of Linux (TCP_RTO_MIN); RFC 6298 section 2.4 would have a second. */
#define STALL_MARGIN (200 * NS_PER_MS)
#define STALL_NONE INT64_MAX /* no line is waiting */

struct stall_totals {
	uint64_t count;
	int64_t total, longest;
};

/* All zero is the start, also for `last_byte` of each connection. */
struct stall {
	struct stall_totals totals;
	/* When the last byte came on this connection, 0 for none yet: on a new one, too. */
	int64_t last_byte;
};

/* Bytes came at `at`, or the connection ended. `since`: when the line that waited longest until
 * then was sent, STALL_NONE for none; `round_trip`: smoothed, 0 while not known. */
void stall_end(struct stall *s, int64_t since, int64_t round_trip, int64_t at);
/* The totals as if a stall that goes on ended now. */
struct stall_totals stall_now(const struct stall *s, int64_t since, int64_t round_trip,
    int64_t now);

/* ---- head-of-line blocking ---- */

/* Lines over TCP that waited for an earlier line's bytes, at the server or here, as the lab's link
 * saw it; over all of them, and the longest wait, ns. Those that were held for an ACK (Nagle's
 * algorithm), and how long in all. */
struct blocked_totals {
	uint64_t lines, held_lines;
	int64_t total, longest, held;
};

/* ---- validity of a run ---- */

/* A valid run measures the network. A run that this machine shaped is not valid, and has a reason.
 */

/* A line sent this much off its schedule has slipped; a run of which more than VALIDITY_SHARE of
 * the lines slipped is not valid. */
#define VALIDITY_SLIP (10 * NS_PER_MS)
#define VALIDITY_SHARE 0.01

/* The schedule of generated lines, and how it was kept. All zero without one. */
struct schedule_totals {
	uint64_t due, slipped; /* lines that were due; of them sent more than VALIDITY_SLIP off */
	int64_t worst;         /* the worst, ns */
};

/* Why a run is not valid: a set of these. */
enum validity {
	VALIDITY_OK = 0,
	/* More than 1 % of the lines were sent more than 10 ms off schedule. */
	VALIDITY_SCHEDULE = 1,
	/* This machine dropped replies: the socket's receive buffer was full. */
	VALIDITY_OVERFLOW = 2,
};
#define VALIDITY_REASONS 2

/* The reasons, VALIDITY_OK for none. `overflows`: replies that this machine's own sockets dropped.
 */
unsigned validity_check(const struct schedule_totals *schedule, uint64_t overflows);
/* The names of the reasons in records, by bit. */
extern const char *const validity_names[VALIDITY_REASONS];
/* "INVALID: 31 of 1000 lines (3.1 %) were sent more than 10 ms off schedule, at worst 85.0 ms;
 * ...": shaped by this machine. "" when it is valid. 300 bytes are enough. Returns `buf`. */
char *validity_text(const struct schedule_totals *schedule, uint64_t overflows, char *buf,
    size_t size);

/* ---- all figures ---- */

/* The clock readings that the times of lines are. */
struct figures_times {
	/* The number of handed-over lines whose time is the kernel's time of departure; the number
	 * of the others, whose time is taken just before the call that handed them over. */
	uint64_t sent_kernel, sent_program;
	/* Replies with the kernel's time of arrival; the others, with that of the read. */
	uint64_t received_kernel, received_program;
	/* How often the wall clock was set; then the kernel's stamps are not used. */
	uint64_t clock_steps;
};

/* Linux's states of a sender (enum tcp_ca_state, which begins with 0 for open). */
enum tcp_state {
	TCP_STATE_UNKNOWN,
	TCP_STATE_OPEN,
	TCP_STATE_DISORDER,
	TCP_STATE_CWR,
	TCP_STATE_RECOVERY,
	TCP_STATE_LOSS,
	TCP_STATES
};

/* What limits the sender of a connection now; -1: not known. */
struct tcp_window {
	/* RFC 5681, section 2: the congestion window; the slow-start threshold, -1 also when there
	 * is none yet; what is sent and not acknowledged (FlightSize). Segments of `mss` bytes. */
	int32_t cwnd, ssthresh, in_flight, mss;
	int32_t peer_window; /* the receive window that the peer has announced, bytes */
	int32_t state;       /* enum tcp_state */
};

/* A sample of TCP_INFO of one connection. */
struct tcp_sample {
	unsigned retransmitted;        /* segments retransmitted since it was established */
	int64_t timeout;               /* the retransmission time-out, ns */
	unsigned backoff;              /* how often it has doubled */
	int64_t round_trip, variation; /* its round-trip time and how much that varies, ns */
	struct tcp_window window;
	/* How often the timer ran out since it was established; -1 before Linux 6.7. */
	int timeouts;
	uint32_t disorder; /* segments that came out of order; 0 before Linux 5.4 */
	/* Bytes of ours that the peer has acknowledged; 0 where the system does not tell. */
	uint64_t acknowledged;
};

/* Makes a sample of what a kernel said; equal ones are equal in all bytes. Returns 0, or -1 if it
 * did not say even how often it sent again. Numbers that an older kernel does not know are 0, those
 * of a window -1. */
struct os_tcp;
int tcp_sample_read(struct tcp_sample *out, const struct os_tcp *kernel);

/* TCP_INFO of the kernel, while lines wait and at the end of each connection. Times in ns. */
struct figures_tcp {
	/* Established connections; segments retransmitted, over all of them. */
	uint64_t connections, retransmitted;
	/* The retransmission time-out: in the last sample, and the largest seen. */
	int64_t timeout, timeout_max;
	/* Smoothed round-trip time and its mean deviation, RFC 6298; in the last sample. */
	int64_t round_trip, variation;
	/* The congestion window, segments: in the last sample, the least, the largest. */
	uint32_t window, window_min, window_max;
	uint64_t samples; /* samples; without any, only `connections` is valid */
	/* Segments that the far end's kernel retransmitted, where it reports them (the lab). */
	bool has_server;
	uint64_t server_retransmitted;
	/* Bytes of replies that answered lines, with their ends of line. */
	uint64_t answered_bytes;
};

/* The session's last bulk lines (/bulk): how many, and their bytes; the bytes of lines answered in
 * the time, ns, in which they were sent. */
struct figures_bulk {
	uint64_t lines, sent, answered;
	int64_t time;
};

/* Bytes answered a second; 0 without any time. */
uint64_t figures_goodput(const struct figures_bulk *bulk);

struct figures {
	bool stream;
	const char *peer; /* borrowed: valid until the session is dispatched again */
	int64_t reply_timeout;
	struct ledger_totals totals;
	/* Borrowed; NULL for none (as when they were read from a record). */
	const struct stats *stats;
	struct figures_times times;
	uint64_t overflows; /* UDP: datagrams dropped here because the socket's buffer was full */
	struct figures_tcp tcp;
	struct stall_totals stalls;
	/* In the lab (`is_traced`). */
	bool is_traced;
	struct blocked_totals blocked;
	/* The generator's, filled in by the caller; zero without a generator, a /bulk, a /flow. */
	struct schedule_totals schedule;
	struct figures_bulk bulk;
	struct share flow; /* of the last second flow, while it sent */
	/* From records: counted lines without a record, because they were evicted. */
	uint64_t unrecorded;
};

/* How a figure is found and written. `field` is an offset in struct figures, from
 * FIGURE_STATS_COUNT on in struct stats. Those before FIGURE_DERIVED are also read from records. */
enum figure_type {
	FIGURE_COUNT,   /* a uint64_t */
	FIGURE_BYTES,   /* the same, of bytes */
	FIGURE_LOSS,    /* the same, on the page with its share and interval */
	FIGURE_CLOCK,   /* the same, times by the kernel; the row of those by the program is next */
	FIGURE_SMALL,   /* a uint32_t */
	FIGURE_KNOWN,   /* a uint64_t, or FIGURES_NOT_KNOWN */
	FIGURE_SERVER,  /* a uint64_t, known if tcp.has_server */
	FIGURE_SPAN,    /* an int64_t, ns */
	FIGURE_DERIVED, /* a uint64_t */
	FIGURE_GOODPUT, /* of a struct figures_bulk, bytes a second */
	FIGURE_MIN,     /* of a struct ledger_times, ns */
	FIGURE_MEAN,
	FIGURE_MAX,
	FIGURE_DEVIATION,
	FIGURE_PART_MEAN, /* of a struct ledger_part, ns; none where the part does not matter */
	FIGURE_PART_MAX,
	FIGURE_STATS_COUNT, /* a uint64_t */
	FIGURE_QUANTILE,    /* `q` of a struct histogram, ns */
	FIGURE_PDV,         /* `q` of the delay variation, ns */
	FIGURE_IPDV_MEAN,   /* ns */
	FIGURE_RUN_MEAN,    /* lines, no whole number */
	FIGURE_FAIRNESS,    /* of a struct share, no whole number */
};

/* The sessions that a figure applies to; the page leaves it out for the others. */
enum figure_scope {
	FIGURE_UDP = 1,     /* not to TCP: nothing is lost while the connection lives */
	FIGURE_TCP = 2,     /* not to UDP */
	FIGURE_SAMPLED = 4, /* of TCP_INFO: not known where connections had no sample */
	FIGURE_SOME = 8,    /* not when it is 0 */
	FIGURE_TIMED = 16, /* only where a line was timed; then there may be too few lines for it */
	FIGURE_TRACED = 32, /* known in the lab only */
};

/* A summary omits a figure that is 0, and the page one that is 0 and rare; a figure without room in
 * the summary is on the page only. */
enum figure_shown { FIGURE_ALWAYS, FIGURE_IF_SOME, FIGURE_ON_PAGE };

/* The counts that a summary of one session names when they are not 0, in this order: fates other
 * than answered and lost, fates that may still change, and marks. */
enum figure_named { FIGURE_UNNAMED, FIGURE_NAMED_FATE, FIGURE_NAMED_OPEN, FIGURE_NAMED_MARK };

struct figure {
	/* In records: the object of the session that it stands in, "" for the session itself, and
	 * its key. The order of rows is that of records. NULL: on the page only. */
	const char *group, *key;
	/* On the page: its place, 0 for none, and its label. Places count up in hundreds, so that
	 * new rows find room at the tens between. Places that differ only in the last digit are
	 * parts of one cell, and the label stands before the part. A section has ten thousand. */
	int place;
	const char *title;
	enum figure_type type;
	size_t field;
	double q;
	unsigned scope; /* values of enum figure_scope */
	enum figure_shown shown;
	const char *unit; /* of a count, "segment"; NULL for a bare number */
	enum figure_named named;
	const char *one, *many; /* the words behind the count */
};

extern const struct figure figures_table[];
extern const size_t figures_count;
#define FIGURES_MAX 90 /* rows at most */
/* The rows with a place on the page, in its order. Returns how many. */
size_t figures_by_place(const struct figure *rows[FIGURES_MAX]);

/* A count that the system does not tell. */
#define FIGURES_NOT_KNOWN UINT64_MAX
bool figure_not_known(const struct figure *row, const struct figures *f);

#define FIGURE_NONE INT64_MIN /* the session has no such figure, or too few lines for it */
/* The value: a count (INT64_MAX at most) or ns. figure_real() does not round; -1 is none. */
int64_t figure_value(const struct figure *row, const struct figures *f);
double figure_real(const struct figure *row, const struct figures *f);
/* True if the figure applies to the session, by its scope. */
bool figure_applies(const struct figure *row, const struct figures *f);
/* Adds what is not of the ledger: the figures of another connection of the session. */
void figures_add_connection(struct figures *f, const struct figures *other);
/* Sets one that is read from records. */
void figure_set(const struct figure *row, struct figures *f, int64_t value);
/* Sets the figures that a replay does not measure again, as they are in `recorded`. */
void figures_restore(struct figures *f, const struct figures *recorded);

/* ---- intervals ---- */

/* --report: the figures of a session that belong to an interval. The sums of the counts over all
 * intervals are those of the session. */

/* An interval, `from` to before `to`, ns. The counts are gains, but those of lines without a fate
 * are of its end; the times, `stats->waited` and `stats->rtt` are of the lines answered in it. */
struct interval {
	unsigned session;
	int64_t from, to;
	struct figures figures;
	bool some; /* a count has a gain */
};

/* What was measured since the last interval. All zero and `from` at first. */
struct interval_meter {
	int64_t from;
	struct figures before;
	struct ledger_totals times;
	struct stats stats;
};

/* The line was answered. */
void interval_add(struct interval_meter *m, const struct ledger_row *row);
/* The interval that ends at `now`, with the session's present figures. It borrows `m`. */
struct interval interval_get(const struct interval_meter *m, const struct figures *present,
    int64_t now);
void interval_begin(struct interval_meter *m, const struct figures *present, int64_t now);
