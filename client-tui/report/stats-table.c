/* SPDX-License-Identifier: GPL-3.0-or-later */
/* All figures of a session, or of two side by side, as a table. What each of them means stands in
 * upcase(1), STATISTICS. */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "report/summary.h"
#include "report/text.h"
#include "common/utf8.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
/* A cell's text; the page's. */
#define CELL 120
#define PAGE 8000
/* There are not lines enough to say it. */
#define TOO_FEW "too few"

/* ---- the table's cells: nothing for what does not apply ---- */

static void cell_count(struct text *out, const struct figures *f, size_t field)
{
	uint64_t count;

	memcpy(&count, (const char *)f->totals + field, sizeof(count));
	text_put(out, "%" PRIu64, count);
}

static void cell_answered(struct text *out, const struct figures *f)
{
	text_put(out, "%" PRIu64 " of %" PRIu64, f->totals->answered, f->totals->sent);
}

static void cell_loss(struct text *out, const struct figures *f)
{
	if (!f->stream && ledger_by_chance(f->totals))
		summary_put_loss(out, f->totals, "");
	else if (!f->stream)
		text_put(out, "0");
}

/* Figures of losses are UDP's: over TCP nothing is lost while the connection lives. */
static void cell_datagram_count(struct text *out, const struct figures *f, size_t field)
{
	if (!f->stream)
		cell_count(out, f, field);
}

static void cell_stream_count(struct text *out, const struct figures *f, size_t field)
{
	if (f->stream)
		cell_count(out, f, field);
}

static void cell_longest_run(struct text *out, const struct figures *f)
{
	if (!f->stream)
		text_count(out, f->stats->longest_run, "line");
}

static void cell_mean_run(struct text *out, const struct figures *f)
{
	if (f->stream || !f->stats->run_count)
		return;
	summary_put_mean_run(out, f->stats);
	text_put(out, " lines in ");
	text_count(out, f->stats->run_count, "run");
}

/* Of lines that were timed; less than 0 where there are too few of them. */
static void put_timed(struct text *out, const struct figures *f, double ns)
{
	if (f->totals->timed && ns < 0)
		text_put(out, TOO_FEW);
	else if (f->totals->timed)
		text_span(out, (int64_t)(ns + 0.5));
}

/* The times at `field` of the totals. */
static const struct ledger_times *times_at(const struct figures *f, size_t field)
{
	return (const void *)((const char *)f->totals + field);
}

static void cell_min(struct text *out, const struct figures *f, size_t field)
{
	put_timed(out, f, (double)times_at(f, field)->min);
}

static void cell_mean(struct text *out, const struct figures *f, size_t field)
{
	put_timed(out, f, times_at(f, field)->mean);
}

static void cell_max(struct text *out, const struct figures *f, size_t field)
{
	put_timed(out, f, (double)times_at(f, field)->max);
}

static void cell_part(struct text *out, const struct figures *f, size_t field)
{
	summary_put_part(out, "", (const void *)((const char *)f->totals + field), f->totals->timed,
	    "");
}

static void cell_deviation(struct text *out, const struct figures *f, size_t field)
{
	put_timed(out, f, summary_deviation(times_at(f, field), f->totals->timed));
}

/* A quantile of the histogram at `field` of the statistics. */
#define QUANTILE(cell, field) \
	static void cell(struct text *out, const struct figures *f, size_t which) \
	{ \
		put_timed(out, f, \
		    (double)histogram_quantile(&f->stats->field, summary_quantiles[which].q)); \
	}
QUANTILE(cell_quantile, rtt)
QUANTILE(cell_waited_quantile, waited)
QUANTILE(cell_ipdv, ipdv)

static void cell_ipdv_mean(struct text *out, const struct figures *f)
{
	put_timed(out, f, stats_mean_ipdv(f->stats));
}

static void cell_pdv(struct text *out, const struct figures *f, size_t field)
{
	put_timed(out, f, (double)stats_pdv(f->stats, summary_quantiles[field].q));
}

static void cell_retransmissions(struct text *out, const struct figures *f)
{
	if (f->stream && f->tcp.samples)
		text_count(out, f->tcp.retransmitted, "segment");
}

static void cell_server_retransmissions(struct text *out, const struct figures *f)
{
	if (f->stream && f->tcp.has_server)
		text_count(out, f->tcp.server_retransmitted, "segment");
}

static void cell_timeout(struct text *out, const struct figures *f)
{
	if (!f->stream || !f->tcp.samples)
		return;
	text_span(out, f->tcp.timeout);
	text_put(out, ", at most ");
	text_span(out, f->tcp.timeout_max);
}

static void cell_smoothed(struct text *out, const struct figures *f)
{
	if (!f->stream || !f->tcp.samples)
		return;
	text_span(out, f->tcp.round_trip);
	text_put(out, " ± ");
	text_span(out, f->tcp.variation);
}

static void cell_window(struct text *out, const struct figures *f)
{
	if (!f->stream || !f->tcp.samples)
		return;
	text_count(out, f->tcp.window, "segment");
	text_put(out, ", %" PRIu32 " to %" PRIu32, f->tcp.window_min, f->tcp.window_max);
}

static void cell_stalled(struct text *out, const struct figures *f)
{
	if (!f->stream)
		return;
	text_span(out, f->stalls.total);
	text_put(out, " in ");
	text_count(out, f->stalls.count, "stall");
}

static void cell_longest_stall(struct text *out, const struct figures *f)
{
	if (f->stream && f->stalls.count)
		text_span(out, f->stalls.longest);
}

static void cell_connections(struct text *out, const struct figures *f)
{
	if (f->stream)
		text_put(out, "%" PRIu64, f->tcp.connections);
}

static void put_whose(struct text *out, uint64_t kernel, uint64_t program)
{
	if (kernel && program)
		text_put(out, "by the kernel for %" PRIu64 " of %" PRIu64, kernel,
		    kernel + program);
	else if (kernel || program)
		text_put(out, "by the %s", kernel ? "kernel" : "program");
}

static void cell_send_times(struct text *out, const struct figures *f)
{
	put_whose(out, f->times.sent_kernel, f->times.sent_program);
}

static void cell_receive_times(struct text *out, const struct figures *f)
{
	put_whose(out, f->times.received_kernel, f->times.received_program);
}

static void cell_clock_steps(struct text *out, const struct figures *f)
{
	if (f->times.clock_steps)
		text_count(out, f->times.clock_steps, "time");
}

static void cell_overflows(struct text *out, const struct figures *f)
{
	if (!f->stream)
		text_put(out, "%" PRIu64, f->overflows);
}

/* ---- the table ---- */

#define TOTAL(field) offsetof(struct ledger_totals, field)

/* A summary leaves out what is 0, and the page what is 0 and rare; what a summary has no room for
 * stands on the page only. */
enum shown { ALWAYS, IF_SOME, ON_PAGE };

static const struct stats_row {
	/* NULL for an empty line. */
	const char *label;
	void (*cell)(struct text *out, const struct figures *f);
	/* Or of a field of the totals, or of a quantile. */
	void (*of)(struct text *out, const struct figures *f, size_t field);
	size_t field;
	enum shown shown;
} rows[] = {
	{ "answered", cell_answered, NULL, 0, ALWAYS },
	{ "waiting", NULL, cell_count, TOTAL(waiting), IF_SOME },
	{ "never sent", NULL, cell_count, TOTAL(queued), IF_SOME },
	{ "refused", NULL, cell_datagram_count, TOTAL(refused), ALWAYS },
	{ "failed", NULL, cell_count, TOTAL(failed), ALWAYS },
	{ "cut off", NULL, cell_stream_count, TOTAL(cut_off), ALWAYS },
	{ "lost", cell_loss, NULL, 0, ALWAYS },
	{ "of them late", NULL, cell_datagram_count, TOTAL(late), ALWAYS },
	{ "longest run lost", cell_longest_run, NULL, 0, ALWAYS },
	{ "mean burst length", cell_mean_run, NULL, 0, ALWAYS },
	{ "duplicates", NULL, cell_datagram_count, TOTAL(duplicates), ALWAYS },
	{ "reordered", NULL, cell_datagram_count, TOTAL(reordered), ALWAYS },
	{ "cut short", NULL, cell_count, TOTAL(cut_short), IF_SOME },
	{ "differ", NULL, cell_count, TOTAL(differs), IF_SOME },
	{ "stray replies", NULL, cell_count, TOTAL(strays), IF_SOME },
	{ NULL, NULL, NULL, 0, ALWAYS },
	{ "waited, least", NULL, cell_min, TOTAL(waited), ALWAYS },
	{ "mean", NULL, cell_mean, TOTAL(waited), ALWAYS },
	{ "median", NULL, cell_waited_quantile, 0, ALWAYS },
	{ "p90", NULL, cell_waited_quantile, 1, ALWAYS },
	{ "p99", NULL, cell_waited_quantile, 2, ALWAYS },
	{ "p99.9", NULL, cell_waited_quantile, 3, ALWAYS },
	{ "greatest", NULL, cell_max, TOTAL(waited), ALWAYS },
	{ "of it connecting", NULL, cell_part, TOTAL(connecting), ALWAYS },
	{ "of it queued", NULL, cell_part, TOTAL(queued_for), ALWAYS },
	{ "standard deviation", NULL, cell_deviation, TOTAL(waited), ON_PAGE },
	{ NULL, NULL, NULL, 0, ALWAYS },
	{ "round trip, least", NULL, cell_min, TOTAL(rtt), ALWAYS },
	{ "mean", NULL, cell_mean, TOTAL(rtt), ALWAYS },
	{ "median", NULL, cell_quantile, 0, ON_PAGE },
	{ "p90", NULL, cell_quantile, 1, ON_PAGE },
	{ "p99", NULL, cell_quantile, 2, ON_PAGE },
	{ "p99.9", NULL, cell_quantile, 3, ON_PAGE },
	{ "greatest", NULL, cell_max, TOTAL(rtt), ALWAYS },
	{ "standard deviation", NULL, cell_deviation, TOTAL(rtt), ON_PAGE },
	{ "ipdv, mean", cell_ipdv_mean, NULL, 0, ALWAYS },
	{ "ipdv, p99", NULL, cell_ipdv, 2, ALWAYS },
	{ "pdv, p99", NULL, cell_pdv, 2, ALWAYS },
	{ "pdv, p99.9", NULL, cell_pdv, 3, ALWAYS },
	{ NULL, NULL, NULL, 0, ALWAYS },
	{ "sent again", cell_retransmissions, NULL, 0, ALWAYS },
	{ "by the far end", cell_server_retransmissions, NULL, 0, ALWAYS },
	{ "time-out", cell_timeout, NULL, 0, ALWAYS },
	{ "smoothed round trip", cell_smoothed, NULL, 0, ALWAYS },
	{ "congestion window", cell_window, NULL, 0, ALWAYS },
	{ "stalled", cell_stalled, NULL, 0, ALWAYS },
	{ "longest stall", cell_longest_stall, NULL, 0, ALWAYS },
	{ "connections", cell_connections, NULL, 0, ALWAYS },
	{ NULL, NULL, NULL, 0, ALWAYS },
	{ "send times", cell_send_times, NULL, 0, ALWAYS },
	{ "receive times", cell_receive_times, NULL, 0, ALWAYS },
	{ "wall clock was set", cell_clock_steps, NULL, 0, ALWAYS },
	{ "dropped here", cell_overflows, NULL, 0, ALWAYS },
};

/* One or two columns; what says nothing is left out when `brief`. */
struct stats_table {
	const struct figures *figures[2];
	int columns;
	bool brief;
	int width;
};

static void fill_cell(const struct stats_table *t, const struct stats_row *r, int column, char *buf)
{
	struct text out = text_begin(buf, CELL);
	if (r->cell)
		r->cell(&out, t->figures[column]);
	if (r->of)
		r->of(&out, t->figures[column], r->field);
}

static bool left_out(const struct stats_table *t, const struct stats_row *r)
{
	bool empty = true, zero = true;
	char cell[CELL];

	for (int i = 0; i < t->columns; i++) {
		fill_cell(t, r, i, cell);
		empty = empty && !*cell;
		zero = zero && (!*cell || strcmp(cell, "0") == 0 || strcmp(cell, TOO_FEW) == 0);
	}
	return empty || (t->brief && r->shown == ON_PAGE) ||
	       ((t->brief || r->shown == IF_SOME) && zero);
}

static int widest(const struct stats_table *t)
{
	int max = 0;
	char cell[CELL];

	for (size_t i = 0; i < COUNT(rows); i++) {
		fill_cell(t, &rows[i], 0, cell);
		if (utf8_columns(cell) > max)
			max = utf8_columns(cell);
	}
	return max;
}

static void put_row(struct text *out, const struct stats_table *t, const char *label,
    const char *const cells[2])
{
	text_put(out, "%-20s%s", label, cells[0]);
	if (t->columns > 1 && *cells[1])
		text_put(out, "%*s%s", t->width + 2 - utf8_columns(cells[0]), "", cells[1]);
	text_put(out, "\n");
}

static void put_table(struct text *out, const struct stats_table *t)
{
	bool gap = false, any = false;

	for (size_t i = 0; i < COUNT(rows); i++) {
		char cells[2][CELL] = { "", "" };

		if (!rows[i].label) {
			gap = any;
			continue;
		}
		if (left_out(t, &rows[i]))
			continue;
		for (int c = 0; c < t->columns; c++) {
			fill_cell(t, &rows[i], c, cells[c]);
			if (!*cells[c])
				strcpy(cells[c], "-");
		}
		if (gap && !t->brief)
			text_put(out, "\n");
		gap = false;
		any = true;
		put_row(out, t, rows[i].label, (const char *const[]){ cells[0], cells[1] });
	}
}

static void put_invalid(struct text *out, const struct stats_table *t)
{
	char verdict[300];

	for (int i = 0; i < t->columns; i++) {
		validity_text(&t->figures[i]->schedule, t->figures[i]->overflows, verdict,
		    sizeof(verdict));
		if (*verdict)
			text_put(out, "%s%s\n",
			    t->columns < 2          ? ""
			    : t->figures[i]->stream ? "TCP: "
			                            : "UDP: ",
			    verdict);
	}
}

static struct stats_table table_of(const struct figures *udp, const struct figures *tcp, bool brief)
{
	struct stats_table t = {
		.figures = { udp ? udp : tcp, tcp }, .columns = udp && tcp ? 2 : 1, .brief = brief
	};
	t.width = widest(&t);
	return t;
}

static void put_heading(struct text *out, const struct stats_table *t)
{
	char wait[40] = "";
	struct text w = text_begin(wait, sizeof(wait));
	const char *const names[2] = { t->figures[0]->stream ? "TCP" : "UDP", "TCP" };

	put_row(out, t, "", names);
	text_span(&w, t->figures[0]->reply_timeout);
	if (!t->figures[0]->stream)
		put_row(out, t, "wait", (const char *const[]){ wait, "-" });
}

static void put_peers(struct text *out, const struct stats_table *t)
{
	text_put(out, "%s", t->figures[0]->peer);
	if (t->columns > 1 && strcmp(t->figures[0]->peer, t->figures[1]->peer) != 0)
		text_put(out, ", %s", t->figures[1]->peer);
}

char *stats_table_peer(const struct figures *udp, const struct figures *tcp, char *buf, size_t size)
{
	struct text out;

	if (!udp || !tcp)
		return summary_figures(udp ? udp : tcp, buf, size);
	const struct stats_table t = table_of(udp, tcp, true);

	out = text_begin(buf, size);
	text_put(&out, "--- UDP beside TCP ");
	put_peers(&out, &t);
	text_put(&out, " ---\n");
	put_heading(&out, &t);
	put_table(&out, &t);
	put_invalid(&out, &t);
	return buf;
}

char *stats_table_page(const struct figures *udp, const struct figures *tcp)
{
	char *page = malloc(PAGE);

	if (!page)
		return NULL;
	const struct stats_table t = table_of(udp, tcp, false);
	struct text out = text_begin(page, PAGE);

	put_peers(&out, &t);
	text_put(&out, "\n");
	put_invalid(&out, &t);
	text_put(&out, "\n");
	put_heading(&out, &t);
	put_table(&out, &t);
	return page;
}
