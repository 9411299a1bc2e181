/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the figures of a session say beyond its totals, as lines below its summary. */
#include "config.h"

#include <inttypes.h>
#include <string.h>

#include "report/summary.h"
#include "report/text.h"

const struct summary_quantile summary_quantiles[SUMMARY_QUANTILES] = {
	{ 0.5, "median" },
	{ 0.9, "p90" },
	{ 0.99, "p99" },
	{ 0.999, "p99.9" },
};

/* ---- whose times ---- */

/* "send times by the kernel", or for some of the lines. */
static void put_clock(struct text *out, const char *what, uint64_t kernel, uint64_t program)
{
	if (kernel && program)
		text_put(out,
		    "%s times by the kernel for %" PRIu64 " of %" PRIu64
		    " lines, else by the program",
		    what, kernel, kernel + program);
	else
		text_put(out, "%s times by the %s", what, kernel ? "kernel" : "program");
}

char *summary_times(const struct figures *f, char *buf, size_t size)
{
	const struct figures_times *t = &f->times;
	struct text out = text_begin(buf, size);

	if (!t->sent_program && !t->received_program && (t->sent_kernel || t->received_kernel)) {
		text_put(&out, "send and receive times by the kernel");
	} else if (!t->sent_kernel && !t->received_kernel) {
		text_put(&out, "send and receive times by the program");
	} else {
		put_clock(&out, "send", t->sent_kernel, t->sent_program);
		text_put(&out, ", ");
		put_clock(&out, "receive", t->received_kernel, t->received_program);
	}
	if (t->clock_steps) {
		text_put(&out, "; the wall clock was set ");
		text_count(&out, t->clock_steps, "time");
	}
	return buf;
}

/* ---- lines below a summary ---- */

/* "waited median/p90 40.3/41.0 ms": with fewer than ten lines the line above says it all. */
static void put_quantiles(struct text *out, const char *name, const struct histogram *h)
{
	double figures[SUMMARY_QUANTILES];
	size_t count = 0;

	while (count < SUMMARY_QUANTILES) {
		const int64_t value = histogram_quantile(h, summary_quantiles[count].q);
		if (value < 0)
			break;
		figures[count++] = (double)value;
	}
	if (count < 2)
		return;
	text_put(out, "%s ", name);
	for (size_t i = 0; i < count; i++)
		text_put(out, "%s%s", i ? "/" : "", summary_quantiles[i].name);
	text_put(out, " ");
	summary_put_figures(out, figures, count, figures[count - 1]);
	text_put(out, "\n");
}

void summary_put_mean_run(struct text *out, const struct stats *s)
{
	text_decimal(out, stats_mean_run(s), 2);
}

static void put_runs(struct text *out, const struct stats *s)
{
	if (s->lost < 2)
		return;
	text_put(out, "lost in ");
	text_count(out, s->run_count, "run");
	text_put(out, ": the longest ");
	text_count(out, s->longest_run, "line");
	text_put(out, ", the mean ");
	summary_put_mean_run(out, s);
	text_put(out, "\n");
}

static void put_variation(struct text *out, const struct stats *s)
{
	const int64_t p99 = histogram_quantile(&s->ipdv, 0.99);

	if (p99 < 0)
		return;
	text_put(out, "delay variation ipdv mean ");
	text_span(out, (int64_t)stats_mean_ipdv(s));
	text_put(out, ", p99 ");
	text_span(out, p99);
	if (stats_pdv(s, 0.99) >= 0) {
		text_put(out, "; pdv p99 ");
		text_span(out, stats_pdv(s, 0.99));
	}
	text_put(out, "\n");
}

static void put_tcp(struct text *out, const struct figures *f)
{
	if (!f->stream || (!f->tcp.retransmitted && !f->stalls.count))
		return;
	text_count(out, f->tcp.retransmitted, "segment");
	text_put(out, " sent again");
	if (f->tcp.has_server)
		text_put(out, ", %" PRIu64 " by the far end", f->tcp.server_retransmitted);
	text_put(out, "; time-out ");
	text_span(out, f->tcp.timeout);
	text_put(out, ", at most ");
	text_span(out, f->tcp.timeout_max);
	if (f->stalls.count) {
		text_put(out, "; stalled ");
		text_count(out, f->stalls.count, "time");
		text_put(out, ", ");
		text_span(out, f->stalls.total);
		text_put(out, " in all, ");
		text_span(out, f->stalls.longest);
		text_put(out, " at most");
	}
	text_put(out, "\n");
}

char *summary_figures(const struct figures *f, char *buf, size_t size)
{
	char times[300], verdict[300];
	struct text out;

	summary_session(f->totals, f->stream, f->peer, f->reply_timeout, buf, size);
	out = text_continue(buf, size);
	put_quantiles(&out, "waited", &f->stats->waited);
	put_quantiles(&out, "round trip", &f->stats->rtt);
	put_runs(&out, f->stats);
	put_variation(&out, f->stats);
	put_tcp(&out, f);
	/* The kernel stamps datagrams both ways, and of a stream what arrives. */
	if (f->totals->timed && (f->times.received_program || f->times.clock_steps ||
	                            (!f->stream && f->times.sent_program)))
		text_put(&out, "%s\n", summary_times(f, times, sizeof(times)));
	validity_text(&f->schedule, f->overflows, verdict, sizeof(verdict));
	if (*verdict)
		text_put(&out, "%s\n", verdict);
	return buf;
}
