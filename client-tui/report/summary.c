/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The summary of a session in sentences, and all its figures as a table, of two sessions side by
 * side. upcase(1), STATISTICS, defines each figure; ledger/figures.c lists them. */
#include "report/summary.h"

#include <math.h>

#include "common/clock.h"
#include "common/text.h"
#include "common/utf8.h"
#include "ledger/error-text.h"
#include "ledger/line-times.h"

/* ---- loss ---- */

/* The number of decimals: `min`, or as many as a percentage above 0 needs to differ from 0. */
static int digits_for(double percent, int min)
{
	double shown = percent;

	for (int i = 0; i < min; i++)
		shown *= 10;
	for (; percent > 0 && shown < 0.5 && min < 9; min++)
		shown *= 10;
	return min;
}

/* Writes "3/12 lost (25 %, 95 % 9–53)", `word` for " lost", of the lines whose fate was chance. */
static void put_loss(struct text *out, const struct ledger_totals *t, const char *word)
{
	const uint64_t by_chance = ledger_answered_or_lost(t);
	const double percent = 100 * (double)t->lost / (double)by_chance;
	const int digits = digits_for(percent, percent < 9.95 && t->lost ? 1 : 0);
	double low, high;

	stats_wilson(t->lost, by_chance, &low, &high);
	/* The interval has decimals if none of very many lines was lost. */
	text_put(out, "%" PRIu64 "/%" PRIu64 "%s (%s %%, 95 %% %s–%s)", t->lost, by_chance, word,
	    TEXT_DECIMAL(percent, digits), TEXT_DECIMAL(100 * low, digits),
	    TEXT_DECIMAL(100 * high,
	        digits_for(100 * high, high < 0.00995 && !digits ? 2 : digits)));
}

/* ---- fates ---- */

const char *summary_fate(const struct ledger_row *row, char *buf, size_t size)
{
	static const char *const words[FATES] = {
		[FATE_QUEUED] = "never sent",
		[FATE_WAITING] = "still waiting",
		[FATE_ANSWERED] = "answered",
		[FATE_LOST] = "lost",
		[FATE_REFUSED] = "refused: nothing listens on that port there",
		[FATE_CUT_OFF] = "cut off: the connection ended before the reply",
	};

	if (row->fate != FATE_FAILED)
		return words[row->fate];
	snprintf(buf, size, "failed: %s", error_sentence(row->error, row->stream));
	return summary_ascii(buf);
}

const char *summary_place(enum trace_place place, const struct trace_leg *legs, char *buf,
    size_t size)
{
	const enum link_direction direction = place == TRACE_GOING ? LINK_GOING : LINK_COMING;

	switch (place) {
	case TRACE_GOING:
	case TRACE_COMING:
		return link_loss_text((enum link_fate)legs[direction].fate,
		    legs[direction].requested, direction, buf, size);
	case TRACE_STILL_GOING:
		return "still going";
	case TRACE_STILL_COMING:
		return "still coming";
	case TRACE_SERVER:
		return "no reply";
	default:
		return NULL;
	}
}

/* ---- a session in sentences ---- */

/* Writes the counts of this kind that are not 0. */
static void put_named(struct text *out, const char *before, const struct figures *f,
    enum figure_named named)
{
	const struct figure *rows[FIGURES_MAX];
	const size_t count = figures_by_place(rows);

	for (size_t i = 0; i < count; i++) {
		const int64_t value = rows[i]->named == named ? figure_value(rows[i], f) : 0;

		if (value == 0)
			continue;
		text_put(out, "%s%" PRId64 " %s", before, value,
		    value == 1 ? rows[i]->one : rows[i]->many);
		before = ", ";
	}
}

/* Fates that were not chance come first; the loss and its interval are of the other lines. */
static void put_totals(struct text *out, const struct figures *f)
{
	const struct ledger_totals *t = &f->totals;

	text_put(out, "answered %" PRIu64 " of %" PRIu64, t->answered, t->sent);
	put_named(out, ", ", f, FIGURE_NAMED_FATE);
	put_named(out, ", ", f, FIGURE_NAMED_OPEN);
	if (ledger_answered_or_lost(t) == 0 || (f->stream && !t->lost))
		return;
	text_put(out, ", ");
	put_loss(out, t, " lost");
	if (t->late)
		text_put(out, ", of them %" PRIu64 " late", t->late);
}

char *summary_totals(const struct ledger_totals *t, bool stream, char *buf, size_t size)
{
	struct text out = text_begin(buf, size);

	put_totals(&out, &(const struct figures){ .stream = stream, .totals = *t });
	return buf;
}

/* Writes "40.3/41.0/44.2 ms": times in ns, in the unit in which the greatest has three digits. */
static void put_figures(struct text *out, const double *figures, size_t count, double max)
{
	const double unit = max >= NS_PER_S ? NS_PER_S : max >= NS_PER_MS ? NS_PER_MS : NS_PER_US;
	const double scaled = max / unit;
	const int digits = scaled < 10 ? 2 : scaled < 100 ? 1 : 0;

	for (size_t i = 0; i < count; i++) {
		int needed = digits;

		/* A figure far below the greatest keeps two digits. */
		for (double tens = figures[i] / unit * pow(10, digits);
		    tens > 0 && tens < 9.5 && needed < 9; tens *= 10)
			needed++;
		text_put(out, "%s%s", i ? "/" : "", TEXT_DECIMAL(figures[i] / unit, needed));
	}
	text_put(out, " %s", unit == NS_PER_S ? "s" : unit == NS_PER_MS ? "ms" : "µs");
}

/* "waited min/mean/max/sd 40.4/41.1/44.3/0.2 ms": the figures of a group of records, either its
 * quantiles or the others, as far as there are lines enough; at least two. */
static void put_group(struct text *out, const struct figures *f, const char *group, bool quantiles,
    const char *name, const char *end)
{
	double values[8], max = 0;
	char names[60];
	struct text list = text_begin(names, sizeof names);
	size_t n = 0;

	for (const struct figure *row = figures_table; row < figures_table + figures_count; row++) {
		const bool times = row->type >= FIGURE_MIN && row->type <= FIGURE_DEVIATION;

		if (!row->group || strcmp(row->group, group) != 0 ||
		    !(quantiles ? row->type == FIGURE_QUANTILE : times))
			continue;
		values[n] = figure_real(row, f);
		if (values[n] < 0)
			break;
		max = values[n] > max ? values[n] : max;
		text_put(&list, "%s%.*s", n++ ? "/" : "",
		    quantiles ? 10 : (int)strcspn(row->key, "_"),
		    quantiles ? row->title : row->key);
	}
	if (n < 2)
		return;
	text_put(out, "%s %s ", name, names);
	put_figures(out, values, n, max);
	text_put(out, "%s\n", end);
}

/* Writes the mean and the greatest of a part of the waiting times, if it is significant. */
static void put_part(struct text *out, const char *before, const struct ledger_part *part,
    uint64_t count)
{
	if (part->max < PARTS_DIFFER)
		return;
	text_put(out, "of it %s: mean %s, at most %s\n", before,
	    TEXT_SPAN((int64_t)(part->sum / (double)count + 0.5)), TEXT_SPAN(part->max));
}

/* Writes "by the kernel", with counts and `rest` if the program measured some of them. */
static void put_clock(struct text *out, uint64_t kernel, uint64_t program, const char *rest)
{
	text_put(out, "by the %s", kernel ? "kernel" : "program");
	if (kernel && program)
		text_put(out, " for %" PRIu64 " of %" PRIu64 "%s", kernel, kernel + program, rest);
}

char *summary_times(const struct figures *f, char *buf, size_t size)
{
	static const char rest[] = " lines, else by the program";
	const struct figures_times *t = &f->times;
	const bool kernel = t->sent_kernel || t->received_kernel,
	           program = t->sent_program || t->received_program;
	struct text out = text_begin(buf, size);

	if (kernel && program) {
		text_put(&out, "send times ");
		put_clock(&out, t->sent_kernel, t->sent_program, rest);
		text_put(&out, ", receive times ");
		put_clock(&out, t->received_kernel, t->received_program, rest);
	} else {
		text_put(&out, "send and receive times by the %s", kernel ? "kernel" : "program");
	}
	if (t->clock_steps)
		text_put(&out, "; the wall clock was set %s", TEXT_COUNT(t->clock_steps, "time"));
	return buf;
}

/* Writes the runs of lost lines and the delay variation, for which there are lines enough. */
static void put_runs_and_variation(struct text *out, const struct stats *s)
{
	const int64_t p99 = histogram_quantile(&s->ipdv, 0.99);

	if (s->lost >= 2)
		text_put(out, "lost in %s: the longest %s, the mean %s\n",
		    TEXT_COUNT(s->run_count, "run"), TEXT_COUNT(s->longest_run, "line"),
		    TEXT_DECIMAL(stats_mean_run(s), 2));
	if (p99 < 0)
		return;
	text_put(out, "delay variation ipdv mean %s, p99 %s",
	    TEXT_SPAN((int64_t)stats_mean_ipdv(s)), TEXT_SPAN(p99));
	if (stats_pdv(s, 0.99) >= 0)
		text_put(out, "; pdv p99 %s", TEXT_SPAN(stats_pdv(s, 0.99)));
	text_put(out, "\n");
}

static void put_tcp(struct text *out, const struct figures *f)
{
	if (!f->stream || (!f->tcp.retransmitted && !f->stalls.count))
		return;
	if (f->tcp.samples)
		text_put(out, "%s sent again", TEXT_COUNT(f->tcp.retransmitted, "segment"));
	else
		text_put(out, "segments sent again: not known here");
	if (f->tcp.has_server)
		text_put(out, ", %" PRIu64 " by the far end", f->tcp.server_retransmitted);
	if (f->tcp.samples)
		text_put(out, "; time-out %s, at most %s", TEXT_SPAN(f->tcp.timeout),
		    TEXT_SPAN(f->tcp.timeout_max));
	if (f->stalls.count)
		text_put(out, "; stalled %s, %s in all, %s at most",
		    TEXT_COUNT(f->stalls.count, "time"), TEXT_SPAN(f->stalls.total),
		    TEXT_SPAN(f->stalls.longest));
	text_put(out, "\n");
}

static void put_blocked(struct text *out, const struct figures *f)
{
	if (f->is_traced && f->blocked.lines)
		text_put(out,
		    "%s waited %s behind others' segments (head-of-line blocking), %s at most\n",
		    TEXT_COUNT(f->blocked.lines, "line"), TEXT_SPAN(f->blocked.total),
		    TEXT_SPAN(f->blocked.longest));
	if (f->is_traced && f->blocked.held_lines)
		text_put(out, "%s held for an ACK (Nagle's algorithm), %s in all\n",
		    TEXT_COUNT(f->blocked.held_lines, "line"), TEXT_SPAN(f->blocked.held));
}

static void put_bulk(struct text *out, const struct figures_bulk *b)
{
	if (b->lines > 0)
		text_put(out, "bulk: %s, %s sent, %s answered in %s: goodput %s/s\n",
		    TEXT_COUNT(b->lines, "line"), UNITS_SIZE(b->sent), UNITS_SIZE(b->answered),
		    TEXT_SPAN(b->time), UNITS_SIZE(figures_goodput(b)));
}

static void put_flow(struct text *out, const struct share *f)
{
	if (f->took > 0)
		text_put(out,
		    "second flow: %s acknowledged beside %s of the lines in %s, Jain's index "
		    "%s\n",
		    UNITS_SIZE(f->bytes[SHARE_FLOW]), UNITS_SIZE(f->bytes[SHARE_LINES]),
		    TEXT_SPAN(f->took), TEXT_DECIMAL(shares_fairness(f->bytes), 2));
}

static void put_invalid(struct text *out, const char *before, const struct figures *f)
{
	char words[300];

	validity_text(&f->schedule, f->overflows, words, sizeof words);
	if (*words)
		text_put(out, "%s%s\n", before, words);
}

static void put_session(struct text *out, const struct figures *f)
{
	const struct ledger_totals *t = &f->totals;
	char times[300];
	size_t used;

	text_put(out, "--- %s %s ---\n", transport_info[f->stream].title, f->peer);
	put_totals(out, f);
	if (!f->stream)
		text_put(out, "; wait %s", TEXT_SPAN(f->reply_timeout));
	text_put(out, "\n");
	used = out->used;
	put_named(out, "", f, FIGURE_NAMED_MARK);
	text_put(out, out->used > used ? "\n" : "");
	put_group(out, f, "waited", false, "waited", ", from Enter to reply");
	put_part(out, transport_info[f->stream].opening, &t->connecting, t->timed);
	put_part(out, "queued", &t->queued_for, t->timed);
	put_group(out, f, "round_trip", false, "round trip", ", on the wire");
	if (f->stats) {
		/* Below ten lines there is no p90, and nothing is written. */
		put_group(out, f, "waited", true, "waited", "");
		put_group(out, f, "round_trip", true, "round trip", "");
		put_runs_and_variation(out, f->stats);
	}
	put_tcp(out, f);
	put_blocked(out, f);
	put_bulk(out, &f->bulk);
	put_flow(out, &f->flow);
	/* The kernel timestamps datagrams both ways, and only the arrivals of a stream. */
	if (t->timed && (f->times.received_program || f->times.clock_steps ||
	                    (!f->stream && f->times.sent_program)))
		text_put(out, "%s\n", summary_times(f, times, sizeof times));
	put_invalid(out, "", f);
}

/* ---- an interval ---- */

char *summary_interval(const struct interval *i, int64_t start, char *buf, size_t size)
{
	const struct figures *f = &i->figures;
	const struct ledger_times *t = &f->totals.waited;
	const double times[] = { (double)t->min, t->mean, (double)t->max };
	const int64_t median = histogram_quantile(&f->stats->waited, 0.5),
	              p99 = histogram_quantile(&f->stats->waited, 0.99);
	const double quantiles[] = { (double)median, (double)p99 };
	struct text out = text_begin(buf, size);

	text_put(&out, "%.2f-%.2f s %s: sent %" PRIu64 ", answered %" PRIu64 ", lost %" PRIu64,
	    (double)(i->from - start) / NS_PER_S, (double)(i->to - start) / NS_PER_S,
	    transport_info[f->stream].name, f->totals.sent, f->totals.answered, f->totals.lost);
	if (f->totals.lost)
		text_put(&out, " (%s %%)",
		    TEXT_DECIMAL(100 * (double)f->totals.lost /
		                     (double)ledger_answered_or_lost(&f->totals),
		        1));
	if (f->totals.late)
		text_put(&out, ", %" PRIu64 " late", f->totals.late);
	put_named(&out, ", ", f, FIGURE_NAMED_FATE);
	put_named(&out, ", ", f, FIGURE_NAMED_MARK);
	if (f->totals.timed) {
		text_put(&out, ", min/avg/max ");
		put_figures(&out, times, 3, times[2]);
	}
	if (median >= 0) {
		text_put(&out, p99 >= 0 ? ", p50/p99 " : ", p50 ");
		put_figures(&out, quantiles, p99 >= 0 ? 2 : 1, quantiles[p99 >= 0]);
	}
	return buf;
}

/* ---- all figures in a table ---- */

#define CELL 120 /* the size of a cell's text */
#define TOO_FEW "too few"

/* One or two columns; `brief` leaves out rows without a figure other than 0. */
struct table {
	const struct figures *figures[2];
	int columns;
	bool brief;
	int width;
	const struct figure *rows[FIGURES_MAX];
	size_t count;
};

static void put_value(struct text *out, const struct figure *row, const struct figures *f)
{
	const int64_t value = figure_value(row, f),
	              program = row->type == FIGURE_CLOCK ? figure_value(row + 1, f) : 0;

	switch (row->type) {
	case FIGURE_CLOCK:
		if (value || program)
			put_clock(out, (uint64_t)value, (uint64_t)program, "");
		break;
	case FIGURE_RUN_MEAN:
	case FIGURE_FAIRNESS:
		text_put(out, "%s", TEXT_DECIMAL(figure_real(row, f), 2));
		break;
	case FIGURE_BYTES:
	case FIGURE_GOODPUT:
		text_put(out, "%s%s", UNITS_SIZE((uint64_t)value),
		    row->type == FIGURE_GOODPUT ? "/s" : "");
		break;
	case FIGURE_LOSS:
		if (ledger_answered_or_lost(&f->totals))
			put_loss(out, &f->totals, "");
		else
			text_put(out, "0");
		break;
	case FIGURE_COUNT:
	case FIGURE_KNOWN:
	case FIGURE_SMALL:
	case FIGURE_SERVER:
	case FIGURE_DERIVED:
	case FIGURE_STATS_COUNT:
		if (row->unit)
			text_put(out, "%s", TEXT_COUNT((uint64_t)value, row->unit));
		else
			text_put(out, "%" PRId64, value);
		break;
	default:
		text_put(out, "%s", TEXT_SPAN(value));
	}
}

/* Writes the cell of row `i` with its parts, or nothing. Returns the place of the next cell. */
static size_t fill_cell(const struct table *t, size_t i, int column, char *buf)
{
	const struct figure *row = t->rows[i];
	const struct figures *f = t->figures[column];
	struct text out = text_begin(buf, CELL);
	const bool none = !figure_applies(row, f) || figure_value(row, f) == FIGURE_NONE;

	if (!none)
		put_value(&out, row, f);
	else if (figure_applies(row, f) && row->scope & FIGURE_TIMED)
		text_put(&out, TOO_FEW);
	else if (figure_applies(row, f) && figure_not_known(row, f))
		text_put(&out, "not known here");
	while (++i < t->count && t->rows[i]->place / 10 == row->place / 10)
		if (!none) {
			text_put(&out, "%s", t->rows[i]->title);
			put_value(&out, t->rows[i], f);
		}
	return i;
}

static bool is_left_out(const struct table *t, const struct figure *row, char cells[2][CELL])
{
	bool empty = true, zero = true;

	for (int i = 0; i < t->columns; i++) {
		const char *cell = cells[i];

		empty = empty && !*cell;
		zero = zero && (!*cell || strcmp(cell, "0") == 0 || strcmp(cell, TOO_FEW) == 0);
	}
	return empty || (t->brief && row->shown == FIGURE_ON_PAGE) ||
	       ((t->brief || row->shown == FIGURE_IF_SOME) && zero);
}

static void put_row(struct text *out, const struct table *t, const char *label, const char *first,
    const char *second)
{
	text_put(out, "%-20s%s", label, first);
	if (t->columns > 1 && *second)
		text_put(out, "%*s%s", t->width + 2 - utf8_columns(first), "", second);
	text_put(out, "\n");
}

static struct table table_of(const struct figures *udp, const struct figures *tcp, bool brief)
{
	struct table t = {
		.figures = { udp ? udp : tcp, tcp }, .columns = udp && tcp ? 2 : 1, .brief = brief
	};
	char cell[CELL];

	t.count = figures_by_place(t.rows);
	for (size_t i = 0; i < t.count;) {
		i = fill_cell(&t, i, 0, cell);
		t.width = utf8_columns(cell) > t.width ? utf8_columns(cell) : t.width;
	}
	return t;
}

/* Writes the transports, the wait, and a row for each figure; gaps on the page. */
static void put_table(struct text *out, const struct table *t)
{
	const struct figures *f = t->figures[0];
	char cells[2][CELL] = { "", "" };
	int section = 0;

	put_row(out, t, "", transport_info[f->stream].title, transport_info[true].title);
	if (!f->stream)
		put_row(out, t, "wait", TEXT_SPAN(f->reply_timeout), "-");
	for (size_t i = 0, next = 0; i < t->count; i = next) {
		const struct figure *row = t->rows[i];

		for (int c = 0; c < t->columns; c++)
			next = fill_cell(t, i, c, cells[c]);
		if (is_left_out(t, row, cells))
			continue;
		if (section && row->place / 10000 > section && !t->brief)
			text_put(out, "\n");
		section = row->place / 10000;
		put_row(out, t, row->title, *cells[0] ? cells[0] : "-", *cells[1] ? cells[1] : "-");
	}
}

static void put_peers(struct text *out, const struct table *t)
{
	text_put(out, "%s", t->figures[0]->peer);
	if (t->columns > 1 && strcmp(t->figures[0]->peer, t->figures[1]->peer) != 0)
		text_put(out, ", %s", t->figures[1]->peer);
}

static void put_all_invalid(struct text *out, const struct table *t)
{
	for (int i = 0; i < t->columns; i++)
		put_invalid(out,
		    t->columns < 2          ? ""
		    : t->figures[i]->stream ? "TCP: "
		                            : "UDP: ",
		    t->figures[i]);
}

char *summary_peer(const struct figures *udp, const struct figures *tcp, char *buf, size_t size)
{
	struct text out = text_begin(buf, size);

	if (udp && tcp) {
		const struct table t = table_of(udp, tcp, true);

		text_put(&out, "--- UDP beside TCP ");
		put_peers(&out, &t);
		text_put(&out, " ---\n");
		put_table(&out, &t);
		put_all_invalid(&out, &t);
	} else {
		put_session(&out, udp ? udp : tcp);
	}
	return buf;
}

char *summary_page(const struct figures *udp, const struct figures *tcp)
{
	const struct table t = table_of(udp, tcp, false);
	struct text out = text_page();

	put_peers(&out, &t);
	text_put(&out, "\n");
	put_all_invalid(&out, &t);
	text_put(&out, "\n");
	put_table(&out, &t);
	return out.buf;
}

/* ---- ASCII ---- */

char *summary_ascii(char *text)
{
	static const struct {
		const char *sign, *ascii; /* `ascii` is not longer than the sign's bytes */
	} signs[] = { { "–", "-" }, { "µ", "u" }, { "±", "+-" }, { "×", "x" } };
	char *out = text;

	for (const char *in = text; *in;) {
		size_t i = 0, count = sizeof(signs) / sizeof(signs[0]);
		while (i < count && strncmp(in, signs[i].sign, strlen(signs[i].sign)) != 0)
			i++;
		if (i == count) {
			*out++ = *in++;
			continue;
		}
		for (const char *c = signs[i].ascii; *c; c++)
			*out++ = *c;
		in += strlen(signs[i].sign);
	}
	*out = '\0';
	return text;
}
