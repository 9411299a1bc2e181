/* SPDX-License-Identifier: GPL-3.0-or-later */
/* TCP's windows over time: what the kernels at both ends said, the queue before the link's
 * transmitter, and where a segment was lost and sent again. Pure; times are ns of the monotonic
 * clock. */
#pragma once

#include "common/event-line.h"
#include "ledger/figures.h"

/* Samples at most. When there are more, every second one that is no mark is dropped: the beginning
 * stays, in less detail. */
#define WINDOW_SAMPLES 65536

/* What happened to a segment with payload. */
enum window_mark {
	WINDOW_NO_MARK,
	WINDOW_LOST,    /* the link lost it */
	WINDOW_TIMEOUT, /* it was sent again: by the retransmission timer (RFC 6298) */
	WINDOW_FAST,    /* because later ones arrived (RFC 5681, 3.2; RFC 8985) */
	WINDOW_PROBE,   /* as a tail loss probe (RFC 8985, 7) */
	WINDOW_AGAIN,   /* it is not known why */
	WINDOW_MARKS
};
/* The letters of a segment that was sent again: "t", "f", "p", "a"; NULL for the others. */
extern const char *const window_letters[WINDOW_MARKS];

/* The flow of /flow, of which this end's kernel alone is asked. */
#define WINDOW_SECOND_FLOW UINT8_MAX

struct window_sample {
	uint64_t serial; /* from 1 on, in the order of adding */
	int64_t at;
	/* The flow among those of TCP, from 0 on, WINDOW_SECOND_FLOW, or of a queue 0. The way of
	 * the segments or the packets: LINK_GOING is this end's window, LINK_COMING the server's.
	 */
	uint8_t flow, way;
	/* One of these: a mark; what waits before the transmitter, packets and bytes, else -1; or
	 * what a kernel said. */
	uint8_t mark;
	int32_t queue, queued;
	struct tcp_window tcp;
};
#define WINDOW_NO_QUEUE .queue = -1, .queued = -1

/* All zero at first. */
struct window_log {
	struct window_sample *samples;
	size_t count, capacity;
	uint64_t added; /* the last serial */
};

void window_free(struct window_log *l);
/* Adds a sample, unless it says the same as the one of its kind before. Samples of a kind come in
 * the order of time; a mark may come later. It is left out if memory is short. */
void window_add(struct window_log *l, const struct window_sample *sample);
/* Returns the first sample from *index on whose serial is more than `serial`, and sets *index to
 * its place; NULL if there is none. Here `l` may be NULL. */
const struct window_sample *window_after(const struct window_log *l, uint64_t serial,
    size_t *index);

/* Finds the last activity before `until` in which a kernel said something. It began after a second
 * or more in which nothing was added and no segment was out. Returns false if there is none; `l`
 * may be NULL. */
bool window_span(const struct window_log *l, int64_t until, int64_t *from, int64_t *to);

enum window_value {
	WINDOW_CWND,
	WINDOW_SSTHRESH,
	WINDOW_IN_FLIGHT,
	WINDOW_PEER, /* the peer's receive window, in segments */
	WINDOW_QUEUE,
	WINDOW_VALUES
};

/* The parts of a plot over time: the windows of this end and of the server, by the way that they
 * send, and the queues. */
enum window_part {
	WINDOW_HERE = LINK_GOING,
	WINDOW_SERVER = LINK_COMING,
	WINDOW_QUEUES,
	WINDOW_PARTS
};

/* The flows in a plot at most. */
#define WINDOW_FLOWS 4

struct window_plot {
	const struct window_log *log;
	/* The times in the middle of the first and of the last column; the flows in between. */
	int64_t from, to;
	uint8_t flows[WINDOW_FLOWS];
	int flow_count;
	/* The greatest value in a part, but for the peer's window, which is often far larger; -1 if
	 * nothing is known. */
	int32_t parts[WINDOW_PARTS];
	struct window_column {
		/* The least and the greatest value, segments or packets; -1: none is known. */
		int32_t min[WINDOW_VALUES], max[WINDOW_VALUES];
		unsigned marks; /* a set: bit WINDOW_LOST is set if there was such a mark */
	} *columns;
	size_t count;
};

/* Begins a plot of window_span() in `count` columns, 2 at least. Returns 0, or -1 if there is
 * nothing or memory is short. window_plot_end() in both cases. */
int window_plot_begin(struct window_plot *p, const struct window_log *l, int64_t until,
    size_t count);
void window_plot_end(struct window_plot *p);
/* Fills in the columns with the window of a flow, and the queue, of one way. What a kernel said
 * holds until it says something else, a queue for 10 ms at most. */
void window_plot_fill(struct window_plot *p, uint8_t flow, enum link_direction way);
