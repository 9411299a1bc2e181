/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The flow has a session of its own, whose rows and replies nobody sees. */
#include "net/flow.h"

#include "common/text.h"
#include "net/session-internal.h"

/* The size of its lines, bytes; how many wait for the kernel; the rows of its ledger. */
#define LINE 1000
#define QUEUED 64
#define ROWS 1000
/* How long the last replies may take. */
#define LAST_REPLIES (5 * NS_PER_S)

struct flow {
	struct session *session;
	struct flow_plan plan;
	flow_report *report;
	void *context;
	/* When it began, 0 before; when it ends, or gives up the last replies; the last share. */
	int64_t began, until, shared_at, now;
	bool ended;
	uint64_t lines;
	struct share totals;
	/* What each had acknowledged at the last share. */
	uint64_t before[SHARES_FLOWS];
	/* The congestion control of each; "" while it has no connection. */
	char congestion[SHARES_FLOWS][SESSION_CONGESTION];
};

/* Only errors are told: they say "TCP" and the peer. */
static void on_notice(void *context, bool bad, const char *text)
{
	const struct flow *f = context;

	if (bad)
		f->report(f->context,
		    &(const struct session_event){ .kind = SESSION_EVENT_ERROR,
		        .session = -1,
		        .at = f->now,
		        .text = (char *)(uintptr_t)TEXT_FORMAT("second flow: %.250s", text) });
}

struct flow *flow_open(const struct session_settings *settings, const struct flow_plan *plan,
    flow_report *report, void *context, int64_t now)
{
	struct session_settings own = *settings;
	struct flow *f = calloc(1, sizeof *f);

	if (!f)
		return NULL;
	*f = (struct flow){ .plan = *plan, .report = report, .context = context, .now = now };
	own.stream = true;
	own.rows = ROWS;
	own.retries = 0;
	own.split = false;
	own.bulk = true;
	memcpy(own.congestion, plan->congestion, sizeof own.congestion);
	f->session = session_open(&transport_tcp, &own,
	    &(struct session_hooks){ .context = f, .notice = on_notice }, now);
	if (f->session)
		return f;
	free(f);
	return NULL;
}

void flow_close(struct flow *f)
{
	if (f)
		session_close(f->session);
	free(f);
}

/* --- shares --- */

static void report(const struct flow *f, const struct share *of, bool quiet, int64_t now,
    const char *text)
{
	struct session_event event = { .kind = SESSION_EVENT_FLOW,
		.session = -1,
		.at = now,
		.quiet = quiet,
		.text = (char *)(uintptr_t)text,
		.duration = of->took };

	memcpy(event.shares, of->bytes, sizeof event.shares);
	f->report(f->context, &event);
}

/* Adds what a session's connections have acknowledged since the last share. New ones begin at 0. */
static void count(struct flow *f, enum shares_flow flow, const struct session *s,
    struct share *share)
{
	const uint64_t before = f->before[flow];
	struct tcp_sample sample;

	f->before[flow] = 0;
	for (; s; s = s->next)
		if (session_tcp_sample(s, &sample) == 0) {
			session_congestion(s, f->congestion[flow]);
			f->before[flow] += sample.acknowledged;
		}
	share->bytes[flow] = f->before[flow] - (f->before[flow] < before ? 0 : before);
	f->totals.bytes[flow] += share->bytes[flow];
}

static struct share take_share(struct flow *f, const struct session *beside, int64_t now)
{
	struct share share = { .took = now - f->shared_at };

	count(f, SHARE_FLOW, f->session, &share);
	count(f, SHARE_LINES, beside, &share);
	f->totals.took = now - f->began;
	f->shared_at = now;
	return share;
}

static void begin(struct flow *f, const struct session *beside, int64_t now)
{
	f->began = now;
	f->until = now + f->plan.duration;
	/* What was acknowledged before does not count. */
	(void)take_share(f, beside, now);
	f->totals = (struct share){ .took = 0 };
	report(f, &f->totals, false, now,
	    TEXT_FORMAT("%s begins, for %s", f->congestion[SHARE_FLOW],
	        TEXT_SPAN(f->plan.duration)));
}

/* "cubic 620 kB/s, lines (reno) 410 kB/s for 5.00 s; Jain's index 0.96" */
static void report_end(const struct flow *f, int64_t now)
{
	const struct share *all = &f->totals;
	char words[TEXT_FORMAT_SIZE];
	struct text t = text_begin(words, sizeof words);

	text_put(&t, "%s %s/s", f->congestion[SHARE_FLOW],
	    UNITS_SIZE((uint64_t)shares_rate(all, SHARE_FLOW)));
	if (*f->congestion[SHARE_LINES])
		text_put(&t, ", lines (%s) %s/s", f->congestion[SHARE_LINES],
		    UNITS_SIZE((uint64_t)shares_rate(all, SHARE_LINES)));
	text_put(&t, " for %s", TEXT_SPAN(all->took));
	if (*f->congestion[SHARE_LINES])
		text_put(&t, "; Jain's index %s", TEXT_DECIMAL(shares_fairness(all->bytes), 2));
	report(f, all, false, now, words);
}

void flow_stop(struct flow *f, int64_t now)
{
	if (f->ended)
		return;
	if (f->began > 0)
		report_end(f, now);
	f->ended = true;
	f->until = now + LAST_REPLIES;
	session_finish(f->session, now);
}

/* --- the loop --- */

/* The lines that the kernel has not taken. */
static uint64_t queued(const struct flow *f)
{
	return ledger_totals(session_ledger(f->session))->queued;
}

void flow_watch(const struct flow *f, struct fd_watch *w)
{
	session_watch(f->session, w);
	if (f->began > 0)
		fd_watch_until(w, f->until);
	if (f->began > 0 && !f->ended)
		fd_watch_until(w, queued(f) == 0 ? 0 : f->shared_at + SHARES_INTERVAL);
}

static void send_lines(struct flow *f, int64_t now)
{
	char text[LINE];

	memset(text, 'f', sizeof text);
	while (queued(f) < QUEUED && session_send(f->session, ++f->lines, text, sizeof text,
	                                 SESSION_LINE | SESSION_MORE, now, now) == 0)
		;
	session_push(f->session, now);
}

bool flow_dispatch(struct flow *f, const struct session *beside, const struct fd_watch *w,
    int64_t now)
{
	struct tcp_sample sample;
	bool connected;

	f->now = now;
	session_dispatch(f->session, w, now);
	connected = session_tcp_sample(f->session, &sample) == 0;
	if (!connected && !session_opening(f->session))
		flow_stop(f, now);
	if (f->ended)
		return connected && now < f->until;
	if (f->began == 0 && connected)
		begin(f, beside, now);
	if (f->began > 0 && (now >= f->until || now >= f->shared_at + SHARES_INTERVAL)) {
		const struct share share = take_share(f, beside, now);

		report(f, &share, true, now,
		    TEXT_FORMAT("%s, lines %s", UNITS_SIZE(share.bytes[SHARE_FLOW]),
		        UNITS_SIZE(share.bytes[SHARE_LINES])));
	}
	if (f->began > 0 && now >= f->until)
		flow_stop(f, now);
	else if (connected)
		send_lines(f, now);
	return true;
}

int64_t flow_left(const struct flow *f, int64_t now)
{
	return f->ended ? 0 : f->began == 0 ? f->plan.duration : f->until - now;
}

int flow_tcp_sample(const struct flow *f, struct tcp_sample *out)
{
	return f->began > 0 && !f->ended ? session_tcp_sample(f->session, out) : -1;
}

const struct share *flow_totals(const struct flow *f)
{
	return &f->totals;
}
