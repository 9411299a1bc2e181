/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A second flow beside a session's: one TCP connection to the same peer, which writes lines that
 * are no rows, as fast as the kernel takes them, for a time, and drops the replies. It reports, as
 * events, its beginning, both flows' shares every SHARES_INTERVAL, and its end. It never blocks. */
#pragma once

#include "net/session.h"

/* The longest flow, ns. */
#define FLOW_DURATION_MAX INT64_C(600000000000)

struct flow_plan {
	int64_t duration;                    /* ns; 0: no flow */
	char congestion[SESSION_CONGESTION]; /* as in struct session_settings */
};

typedef void flow_report(void *context, const struct session_event *event);

struct flow;

/* Connects as a session over TCP with these settings would. NULL when memory is short. */
struct flow *flow_open(const struct session_settings *settings, const struct flow_plan *plan,
    flow_report *report, void *context, int64_t now);
/* Closes it at once, without a report. NULL is harmless. */
void flow_close(struct flow *f);
/* Ends its sending, with the report of the end. */
void flow_stop(struct flow *f, int64_t now);

void flow_watch(const struct flow *f, struct fd_watch *w);
/* `beside` is the session over TCP whose share is measured, or NULL. Returns false at the end. */
bool flow_dispatch(struct flow *f, const struct session *beside, const struct fd_watch *w,
    int64_t now);

/* The time left, ns: more than 0 as long as it connects or sends. */
int64_t flow_left(const struct flow *f, int64_t now);
/* The kernel's state of its connection while it sends. Returns 0, or -1. */
int flow_tcp_sample(const struct flow *f, struct tcp_sample *out);
const struct share *flow_totals(const struct flow *f);
