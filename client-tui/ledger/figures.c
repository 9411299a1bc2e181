/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ledger/figures.h"

#include <math.h>

#include "common/os.h"
#include "common/text.h"
#include "ledger/ledger-internal.h"
#include "ledger/line-times.h"

#define OF(kind, member) .type = FIGURE_##kind, .field = offsetof(struct figures, member)
#define STATS(kind, member) .type = FIGURE_##kind, .field = offsetof(struct stats, member)
#define NAMED(kind, word, words) .named = FIGURE_NAMED_##kind, .one = word, .many = words

const struct figure figures_table[] = {
	{ "", "typed", 0, NULL, OF(COUNT, totals.typed) },
	{ "", "queued", 10200, "never sent", OF(COUNT, totals.queued), .shown = FIGURE_IF_SOME,
	    NAMED(OPEN, "never sent", "never sent") },
	{ "", "sent", 10001, " of ", OF(COUNT, totals.sent) },
	{ "", "answered", 10000, "answered", OF(COUNT, totals.answered) },
	{ "", "lost", 10600, "lost", OF(LOSS, totals.lost), .scope = FIGURE_UDP },
	{ "", "late", 10700, "of them late", OF(COUNT, totals.late), .scope = FIGURE_UDP },
	{ "", "waiting", 10100, "waiting", OF(COUNT, totals.waiting), .shown = FIGURE_IF_SOME,
	    NAMED(OPEN, "still waiting", "still waiting") },
	{ "", "refused", 10300, "refused", OF(COUNT, totals.refused), .scope = FIGURE_UDP,
	    NAMED(FATE, "refused", "refused") },
	{ "", "failed", 10400, "failed", OF(COUNT, totals.failed),
	    NAMED(FATE, "failed", "failed") },
	{ "", "cut_off", 10500, "cut off", OF(COUNT, totals.cut_off), .scope = FIGURE_TCP,
	    NAMED(FATE, "cut off", "cut off") },
	{ "", "duplicates", 11000, "duplicates", OF(COUNT, totals.duplicates), .scope = FIGURE_UDP,
	    NAMED(MARK, "duplicate", "duplicates") },
	{ "", "reordered", 11100, "reordered", OF(COUNT, totals.reordered), .scope = FIGURE_UDP,
	    NAMED(MARK, "reordered", "reordered") },
	{ "", "differs", 11300, "differ", OF(COUNT, totals.differs), .shown = FIGURE_IF_SOME,
	    NAMED(MARK, "differs", "differ") },
	{ "", "cut_short", 11200, "cut short", OF(COUNT, totals.cut_short), .shown = FIGURE_IF_SOME,
	    NAMED(MARK, "cut short", "cut short") },
	{ "", "strays", 11400, "stray replies", OF(COUNT, totals.strays), .shown = FIGURE_IF_SOME,
	    NAMED(MARK, "stray reply", "stray replies") },
	{ "", "unrecorded", 0, NULL, OF(COUNT, unrecorded) },

#define TIMED .scope = FIGURE_TIMED
#define ON_PAGE .shown = FIGURE_ON_PAGE
	{ "waited", "count", 0, NULL, OF(DERIVED, totals.timed) },
	{ "waited", "min_ns", 20000, "waited, least", OF(MIN, totals.waited), TIMED },
	{ "waited", "mean_ns", 20100, "mean", OF(MEAN, totals.waited), TIMED },
	{ "waited", "max_ns", 20600, "greatest", OF(MAX, totals.waited), TIMED },
	{ "waited", "sd_ns", 20900, "standard deviation", OF(DEVIATION, totals.waited), TIMED,
	    ON_PAGE },
	{ "waited", "median_ns", 20200, "median", STATS(QUANTILE, waited), TIMED, .q = 0.5 },
	{ "waited", "p90_ns", 20300, "p90", STATS(QUANTILE, waited), TIMED, .q = 0.9 },
	{ "waited", "p99_ns", 20400, "p99", STATS(QUANTILE, waited), TIMED, .q = 0.99 },
	{ "waited", "p999_ns", 20500, "p99.9", STATS(QUANTILE, waited), TIMED, .q = 0.999 },
	{ NULL, NULL, 20700, "of it connecting", OF(PART_MEAN, totals.connecting) },
	{ NULL, NULL, 20701, ", at most ", OF(PART_MAX, totals.connecting) },
	{ NULL, NULL, 20800, "of it queued", OF(PART_MEAN, totals.queued_for) },
	{ NULL, NULL, 20801, ", at most ", OF(PART_MAX, totals.queued_for) },

	{ "round_trip", "count", 0, NULL, OF(DERIVED, totals.timed) },
	{ "round_trip", "min_ns", 30000, "round trip, least", OF(MIN, totals.rtt), TIMED },
	{ "round_trip", "mean_ns", 30100, "mean", OF(MEAN, totals.rtt), TIMED },
	{ "round_trip", "max_ns", 30600, "greatest", OF(MAX, totals.rtt), TIMED },
	{ "round_trip", "sd_ns", 30700, "standard deviation", OF(DEVIATION, totals.rtt), TIMED,
	    ON_PAGE },
	{ "round_trip", "median_ns", 30200, "median", STATS(QUANTILE, rtt), TIMED, ON_PAGE,
	    .q = 0.5 },
	{ "round_trip", "p90_ns", 30300, "p90", STATS(QUANTILE, rtt), TIMED, ON_PAGE, .q = 0.9 },
	{ "round_trip", "p99_ns", 30400, "p99", STATS(QUANTILE, rtt), TIMED, ON_PAGE, .q = 0.99 },
	{ "round_trip", "p999_ns", 30500, "p99.9", STATS(QUANTILE, rtt), TIMED, ON_PAGE,
	    .q = 0.999 },

	{ "delay_variation", "count", 0, NULL, STATS(STATS_COUNT, ipdv.count) },
	{ "delay_variation", "mean_ns", 30800, "ipdv, mean", .type = FIGURE_IPDV_MEAN, TIMED },
	{ "delay_variation", "median_ns", 0, NULL, STATS(QUANTILE, ipdv), .q = 0.5 },
	{ "delay_variation", "p90_ns", 0, NULL, STATS(QUANTILE, ipdv), .q = 0.9 },
	{ "delay_variation", "p99_ns", 30900, "ipdv, p99", STATS(QUANTILE, ipdv), TIMED,
	    .q = 0.99 },
	{ "delay_variation", "p999_ns", 0, NULL, STATS(QUANTILE, ipdv), .q = 0.999 },
	{ NULL, NULL, 31000, "pdv, p99", .type = FIGURE_PDV, TIMED, .q = 0.99 },
	{ NULL, NULL, 31100, "pdv, p99.9", .type = FIGURE_PDV, TIMED, .q = 0.999 },

	{ "loss_runs", "count", 10901, " lines in ", STATS(STATS_COUNT, run_count), .unit = "run" },
	{ "loss_runs", "longest", 10800, "longest run lost", STATS(STATS_COUNT, longest_run),
	    .scope = FIGURE_UDP, .unit = "line" },
	{ "loss_runs", "mean", 10900, "mean burst length", .type = FIGURE_RUN_MEAN,
	    .scope = FIGURE_UDP },

	{ "times", "sent_kernel", 50000, "send times", OF(CLOCK, times.sent_kernel) },
	{ "times", "sent_program", 0, NULL, OF(COUNT, times.sent_program) },
	{ "times", "received_kernel", 50100, "receive times", OF(CLOCK, times.received_kernel) },
	{ "times", "received_program", 0, NULL, OF(COUNT, times.received_program) },
	{ "times", "clock_steps", 50200, "wall clock was set", OF(COUNT, times.clock_steps),
	    .scope = FIGURE_SOME, .unit = "time" },
	{ "", "overflows", 50300, "dropped here", OF(KNOWN, overflows), .scope = FIGURE_UDP },
	{ "schedule", "due", 0, NULL, OF(COUNT, schedule.due) },
	{ "schedule", "slipped", 0, NULL, OF(COUNT, schedule.slipped) },
	{ "schedule", "worst_ns", 0, NULL, OF(SPAN, schedule.worst) },

#define TCP .scope = FIGURE_TCP
#define SAMPLED .scope = FIGURE_TCP | FIGURE_SAMPLED
	{ "tcp", "connections", 40700, "connections", OF(COUNT, tcp.connections), TCP },
	{ "tcp", "looks", 0, NULL, OF(COUNT, tcp.samples) },
	{ "tcp", "retransmissions", 40000, "sent again", OF(COUNT, tcp.retransmitted), SAMPLED,
	    .unit = "segment" },
	{ "tcp", "rto_ns", 40200, "time-out", OF(SPAN, tcp.timeout), SAMPLED },
	{ "tcp", "rto_most_ns", 40201, ", at most ", OF(SPAN, tcp.timeout_max), SAMPLED },
	{ "tcp", "srtt_ns", 40300, "smoothed round trip", OF(SPAN, tcp.round_trip), SAMPLED },
	{ "tcp", "rttvar_ns", 40301, " ± ", OF(SPAN, tcp.variation), SAMPLED },
	{ "tcp", "cwnd", 40400, "congestion window", OF(SMALL, tcp.window), SAMPLED,
	    .unit = "segment" },
	{ "tcp", "cwnd_least", 40401, ", ", OF(SMALL, tcp.window_min), SAMPLED },
	{ "tcp", "cwnd_most", 40402, " to ", OF(SMALL, tcp.window_max), SAMPLED },
	{ "tcp", "far_retransmissions", 40100, "by the far end",
	    OF(SERVER, tcp.server_retransmitted), TCP, .unit = "segment" },
	{ "tcp", "stalls", 40501, " in ", OF(COUNT, stalls.count), .unit = "stall" },
	{ "tcp", "stalled_ns", 40500, "stalled", OF(SPAN, stalls.total), TCP },
	{ "tcp", "longest_stall_ns", 40600, "longest stall", OF(SPAN, stalls.longest),
	    .scope = FIGURE_TCP | FIGURE_SOME },
#define TRACED .scope = FIGURE_TCP | FIGURE_SOME | FIGURE_TRACED
	{ "tcp", "blocked", 40611, " in ", OF(COUNT, blocked.lines), TRACED, .unit = "line" },
	{ "tcp", "blocked_ns", 40610, "behind other lines", OF(SPAN, blocked.total), TRACED },
	{ "tcp", "longest_blocked_ns", 40620, "longest such wait", OF(SPAN, blocked.longest),
	    TRACED },
	{ "tcp", "held", 40631, " in ", OF(COUNT, blocked.held_lines), TRACED, .unit = "line" },
	{ "tcp", "held_ns", 40630, "held for an ACK", OF(SPAN, blocked.held), TRACED },
	{ "tcp", "bulk_goodput", 40800, "goodput", OF(GOODPUT, bulk),
	    .scope = FIGURE_TCP | FIGURE_SOME },
	{ "tcp", "bulk_answered", 40801, ", ", OF(BYTES, bulk.answered), TCP },
	{ "tcp", "bulk_ns", 40802, " in ", OF(SPAN, bulk.time), TCP },
	{ "tcp", "flow_bytes", 40900, "second flow", OF(BYTES, flow.bytes[SHARE_FLOW]),
	    .scope = FIGURE_TCP | FIGURE_SOME },
	{ "tcp", "flow_lines_bytes", 40901, " beside ", OF(BYTES, flow.bytes[SHARE_LINES]), TCP },
	{ "tcp", "flow_ns", 40902, " in ", OF(SPAN, flow.took), TCP },
	{ "tcp", "flow_fairness", 40910, "Jain's index", OF(FAIRNESS, flow),
	    .scope = FIGURE_TCP | FIGURE_SOME },
	{ "tcp", "bulk_lines", 0, NULL, OF(COUNT, bulk.lines) },
	{ "tcp", "bulk_sent", 0, NULL, OF(BYTES, bulk.sent) },
};

const size_t figures_count = sizeof figures_table / sizeof *figures_table;
_Static_assert(sizeof figures_table / sizeof *figures_table <= FIGURES_MAX, "room for all rows");

static int by_place(const void *a, const void *b)
{
	return (*(const struct figure *const *)a)->place -
	       (*(const struct figure *const *)b)->place;
}

size_t figures_by_place(const struct figure *rows[FIGURES_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < figures_count; i++)
		if (figures_table[i].place > 0)
			rows[n++] = &figures_table[i];
	qsort(rows, n, sizeof *rows, by_place);
	return n;
}

bool figure_not_known(const struct figure *row, const struct figures *f)
{
	const void *at = (const char *)f + row->field;

	return row->type == FIGURE_KNOWN
	         ? *(const uint64_t *)at == FIGURES_NOT_KNOWN
	         : row->scope & FIGURE_SAMPLED && f->tcp.connections > 0 && f->tcp.samples == 0;
}

bool figure_applies(const struct figure *row, const struct figures *f)
{
	return !(row->scope & (f->stream ? FIGURE_UDP : FIGURE_TCP)) &&
	       (!(row->scope & FIGURE_SAMPLED) || f->tcp.samples > 0 || figure_not_known(row, f)) &&
	       (!(row->scope & FIGURE_TRACED) || f->is_traced) &&
	       (!(row->scope & FIGURE_SOME) || figure_value(row, f) != 0) &&
	       (!(row->scope & FIGURE_TIMED) || f->totals.timed > 0);
}

double figure_real(const struct figure *row, const struct figures *f)
{
	const void *at = (const char *)f + row->field;
	const struct ledger_times *times = at;
	const struct ledger_part *part = at;
	const uint64_t count = f->totals.timed;
	int64_t value;

	switch (row->type) {
	case FIGURE_MEAN:
		return count > 0 ? times->mean : -1;
	case FIGURE_DEVIATION:
		return count > 1 ? sqrt(times->m2 / (double)(count - 1)) : -1;
	case FIGURE_PART_MEAN:
		return part->max < PARTS_DIFFER ? -1 : part->sum / (double)count;
	case FIGURE_IPDV_MEAN:
		return f->stats ? stats_mean_ipdv(f->stats) : -1;
	case FIGURE_FAIRNESS:
		return shares_fairness(((const struct share *)at)->bytes);
	case FIGURE_RUN_MEAN:
		return f->stats && f->stats->run_count ? stats_mean_run(f->stats) : -1;
	default:
		value = figure_value(row, f);
		return value == FIGURE_NONE ? -1 : (double)value;
	}
}

static int64_t count_of(uint64_t count)
{
	return count > INT64_MAX ? INT64_MAX : (int64_t)count;
}

/* A number of the kernel's, -1 if it is not known or, as an infinite threshold, more than `max`. */
static int32_t known(const struct os_tcp *kernel, enum os_tcp_number n, uint64_t max)
{
	return os_tcp_knows(kernel, n) && kernel->value[n] <= max ? (int32_t)kernel->value[n] : -1;
}

int tcp_sample_read(struct tcp_sample *out, const struct os_tcp *kernel)
{
	const uint64_t *value = kernel->value;

	if (!os_tcp_knows(kernel, OS_TCP_TOTAL_RETRANS))
		return -1;
	memset(out, 0, sizeof *out);
	out->retransmitted = (uint32_t)value[OS_TCP_TOTAL_RETRANS];
	out->timeout = (int64_t)value[OS_TCP_RTO] * NS_PER_US;
	out->backoff = (unsigned)value[OS_TCP_BACKOFF];
	out->round_trip = (int64_t)value[OS_TCP_RTT] * NS_PER_US;
	out->variation = (int64_t)value[OS_TCP_RTTVAR] * NS_PER_US;
	out->window = (struct tcp_window){
		.cwnd = known(kernel, OS_TCP_CWND, INT32_MAX),
		.ssthresh = known(kernel, OS_TCP_SSTHRESH, OS_TCP_NO_SSTHRESH - 1),
		.in_flight = known(kernel, OS_TCP_UNACKED, INT32_MAX),
		.mss = known(kernel, OS_TCP_MSS, INT32_MAX),
		.peer_window = known(kernel, OS_TCP_PEER_WINDOW, INT32_MAX),
		.state = TCP_STATE_OPEN + known(kernel, OS_TCP_CA_STATE, INT8_MAX),
	};
	out->timeouts = known(kernel, OS_TCP_TOTAL_RTO, UINT16_MAX);
	out->disorder = (uint32_t)value[OS_TCP_OUT_OF_ORDER];
	out->acknowledged = value[OS_TCP_BYTES_ACKED];
	return 0;
}

uint64_t figures_goodput(const struct figures_bulk *bulk)
{
	return bulk->time > 0 ? (uint64_t)((double)bulk->answered * NS_PER_S / (double)bulk->time)
	                      : 0;
}

static int64_t stats_value(const struct figure *row, const struct stats *s)
{
	const void *at = (const char *)s + row->field;
	int64_t value;

	if (row->type == FIGURE_STATS_COUNT)
		return count_of(*(const uint64_t *)at);
	value = row->type == FIGURE_PDV ? stats_pdv(s, row->q) : histogram_quantile(at, row->q);
	return value < 0 ? FIGURE_NONE : value;
}

int64_t figure_value(const struct figure *row, const struct figures *f)
{
	const void *at = (const char *)f + row->field;
	const struct ledger_times *times = at;
	double real;

	if (figure_not_known(row, f) || (row->scope & FIGURE_TRACED && !f->is_traced))
		return FIGURE_NONE;
	switch (row->type) {
	case FIGURE_SERVER:
		return f->tcp.has_server ? count_of(*(const uint64_t *)at) : FIGURE_NONE;
	case FIGURE_COUNT:
	case FIGURE_BYTES:
	case FIGURE_KNOWN:
	case FIGURE_LOSS:
	case FIGURE_CLOCK:
	case FIGURE_DERIVED:
		return count_of(*(const uint64_t *)at);
	case FIGURE_GOODPUT:
		return count_of(figures_goodput(at));
	case FIGURE_SMALL:
		return *(const uint32_t *)at;
	case FIGURE_SPAN:
		return *(const int64_t *)at;
	case FIGURE_MIN:
	case FIGURE_MAX:
		return f->totals.timed == 0    ? FIGURE_NONE
		     : row->type == FIGURE_MIN ? times->min
		                               : times->max;
	case FIGURE_PART_MAX:
		return ((const struct ledger_part *)at)->max;
	case FIGURE_STATS_COUNT:
	case FIGURE_QUANTILE:
	case FIGURE_PDV:
		return f->stats ? stats_value(row, f->stats) : FIGURE_NONE;
	default:
		real = figure_real(row, f);
		return real < 0 ? FIGURE_NONE : llround(real);
	}
}

void figure_set(const struct figure *row, struct figures *f, int64_t value)
{
	void *at = (char *)f + row->field;

	if (row->type == FIGURE_SMALL)
		*(uint32_t *)at = (uint32_t)value;
	else if (row->type == FIGURE_SPAN)
		*(int64_t *)at = value;
	else
		*(uint64_t *)at = value == FIGURE_NONE ? FIGURES_NOT_KNOWN : (uint64_t)value;
	f->tcp.has_server |= row->type == FIGURE_SERVER;
	f->is_traced |= (row->scope & FIGURE_TRACED) != 0;
}

void figures_add_connection(struct figures *f, const struct figures *other)
{
	struct figures_tcp *to = &f->tcp;
	const struct figures_tcp *from = &other->tcp;

	f->times.received_kernel += other->times.received_kernel;
	f->times.received_program += other->times.received_program;
	if (other->times.clock_steps > f->times.clock_steps)
		f->times.clock_steps = other->times.clock_steps;
	f->stalls.count += other->stalls.count;
	f->stalls.total += other->stalls.total;
	if (other->stalls.longest > f->stalls.longest)
		f->stalls.longest = other->stalls.longest;
	to->connections += from->connections;
	to->retransmitted += from->retransmitted;
	to->samples += from->samples;
	to->answered_bytes += from->answered_bytes;
	if (from->timeout_max > to->timeout_max)
		to->timeout_max = from->timeout_max;
	if (from->samples > 0 && (to->window_min == 0 || from->window_min < to->window_min))
		to->window_min = from->window_min;
	if (from->window_max > to->window_max)
		to->window_max = from->window_max;
}

void figures_restore(struct figures *f, const struct figures *recorded)
{
	const size_t begin = offsetof(struct figures, totals), end = begin + sizeof f->totals;

	for (const struct figure *row = figures_table; row < figures_table + figures_count; row++) {
		const bool measured = row->field >= begin && row->field < end;

		if (row->key && row->type < FIGURE_DERIVED && !measured &&
		    (figure_value(row, recorded) != FIGURE_NONE || row->type == FIGURE_KNOWN))
			figure_set(row, f, figure_value(row, recorded));
	}
}

/* ---- stalls of TCP ---- */

struct stall_totals stall_now(const struct stall *s, int64_t since, int64_t round_trip, int64_t now)
{
	const int64_t begin = since > s->last_byte ? since : s->last_byte;
	struct stall_totals t = s->totals;

	if (since == STALL_NONE || now - begin <= round_trip + STALL_MARGIN)
		return t;
	t.count++;
	t.total += now - begin;
	if (now - begin > t.longest)
		t.longest = now - begin;
	return t;
}

void stall_end(struct stall *s, int64_t since, int64_t round_trip, int64_t at)
{
	s->totals = stall_now(s, since, round_trip, at);
	if (at > s->last_byte)
		s->last_byte = at;
}

/* ---- validity of a run ---- */

unsigned validity_check(const struct schedule_totals *schedule, uint64_t overflows)
{
	unsigned reasons = VALIDITY_OK;

	if ((double)schedule->slipped > VALIDITY_SHARE * (double)schedule->due)
		reasons |= VALIDITY_SCHEDULE;
	if (overflows && overflows != FIGURES_NOT_KNOWN)
		reasons |= VALIDITY_OVERFLOW;
	return reasons;
}

const char *const validity_names[VALIDITY_REASONS] = { "schedule", "overflow" };

char *validity_text(const struct schedule_totals *schedule, uint64_t overflows, char *buf,
    size_t size)
{
	const unsigned reasons = validity_check(schedule, overflows);
	struct text out = text_begin(buf, size);

	if (!reasons)
		return buf;
	text_put(&out, "INVALID, shaped by this machine: ");
	if (reasons & VALIDITY_SCHEDULE)
		text_put(&out,
		    "%" PRIu64 " of %" PRIu64
		    " lines (%s %%) were sent more than 10 ms off schedule, at worst %s",
		    schedule->slipped, schedule->due,
		    TEXT_DECIMAL(schedule->due
		                     ? 100 * (double)schedule->slipped / (double)schedule->due
		                     : 100,
		        1),
		    TEXT_SPAN(schedule->worst));
	if (reasons & VALIDITY_OVERFLOW)
		text_put(&out,
		    "%s%" PRIu64 " %s dropped here, the socket's receive buffer was full",
		    reasons & VALIDITY_SCHEDULE ? "; " : "", overflows,
		    overflows == 1 ? "reply was" : "replies were");
	return buf;
}

/* ---- intervals ---- */

void interval_add(struct interval_meter *m, const struct ledger_row *row)
{
	const struct parts parts = parts_of_row(row);

	ledger_count_times(&m->times, row);
	stats_add(&m->stats, false, parts.wire, parts.waited);
}

struct interval interval_get(const struct interval_meter *m, const struct figures *present,
    int64_t now)
{
	struct interval i = { .from = m->from, .to = now, .figures = *present };

	for (const struct figure *row = figures_table; row < figures_table + figures_count; row++) {
		const int64_t value = figure_value(row, present);

		if (!row->key || *row->group || row->named == FIGURE_NAMED_OPEN ||
		    value == FIGURE_NONE)
			continue;
		figure_set(row, &i.figures, value - figure_value(row, &m->before));
		i.some |= value != figure_value(row, &m->before);
	}
	i.figures.totals.timed = m->times.timed;
	i.figures.totals.rtt = m->times.rtt;
	i.figures.totals.waited = m->times.waited;
	i.figures.stats = &m->stats;
	return i;
}

void interval_begin(struct interval_meter *m, const struct figures *present, int64_t now)
{
	memset(m, 0, sizeof *m);
	m->from = now;
	m->before = *present;
}
