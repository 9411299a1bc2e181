/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "app/run.h"

#include "common/clock.h"
#include "common/standard.h"
#include "report/summary.h"

/* The time in which TCP lines of a peer left by /connect may still be answered. */
#define LEAVE_TIME (5 * NS_PER_S)
/* The maximum time for sending generated lines, so that a key does not wait longer. */
#define BATCH_TIME (10 * NS_PER_MS)

void run_init(struct run *run, const struct settings *settings, const struct run_hooks *hooks)
{
	run->settings = *settings;
	run->hooks = *hooks;
	run->utf8 = standard_utf8();
	run->plan = (struct generator_plan){ .count = (uint64_t)settings->count,
		.interval = settings->interval,
		.size = (size_t)settings->size,
		.duration = settings->duration };
}

/* The first connection has the ledger of all. */
static void free_session(struct run_session *of)
{
	while (of->count > 0 && !of->run->replay)
		session_close(of->connections[--of->count].session);
	free(of->meter);
	free(of->told);
	free(of);
}

void run_close(struct run *run)
{
	recorder_free(run->recorder);
	for (size_t i = 0; i < run->count; i++)
		free_session(run->sessions[i]);
	flow_close(run->flow);
	lab_close(run->lab);
}

/* --- events --- */

int64_t run_time(const struct run *run, int64_t now)
{
	return run->replay ? replay_now(run->replay, now) : now;
}

struct trace *run_trace(const struct run *run)
{
	return run->replay ? replay_status(run->replay)->trace
	     : run->lab    ? lab_status(run->lab)->trace
	                   : NULL;
}

void run_record(struct run *run, const struct session_event *event)
{
	recorder_event(run->recorder, event, run_time(run, clock_monotonic()));
}

void run_notice(struct run *run, int session, bool bad, const char *text)
{
	run->hooks.lab.event(run->hooks.lab.context,
	    &(const struct session_event){ .kind = bad ? SESSION_EVENT_ERROR : SESSION_EVENT_NOTICE,
	        .session = session,
	        .at = run_time(run, clock_monotonic()),
	        .text = (char *)(uintptr_t)text });
}

static void on_reply(void *context, const struct session_reply *reply)
{
	struct run_session *of = ((struct run_connection *)context)->of;
	struct run *run = of->run;
	const struct ledger_row *row = of->meter && reply->matched.match == MATCH_ANSWER
	                                 ? ledger_find(session_ledger(of->session),
	                                       reply->matched.number)
	                                 : NULL;

	recorder_reply(run->recorder, of->recorded, reply, run_time(run, clock_monotonic()));
	if (row)
		interval_add(of->meter, row);
	run->hooks.reply(run->hooks.lab.context, of, reply);
}

static void on_row(void *context, uint64_t number)
{
	struct run_session *of = ((struct run_connection *)context)->of;

	of->run->hooks.row(of->run->hooks.lab.context, of, number);
}

static void on_evicted(void *context, const struct ledger_row *row)
{
	const struct run_session *of = ((struct run_connection *)context)->of;

	recorder_evicted(of->run->recorder, of->recorded, row, clock_monotonic());
}

static void on_notice(void *context, bool bad, const char *text)
{
	const struct run_connection *c = context;
	struct run_session *of = c->of;

	/* Several connections fail and end alike: once is enough. */
	if (of->told && of->told_by != c && strcmp(of->told, text) == 0)
		return;
	free(of->told);
	of->told = strdup(text);
	of->told_by = c;
	run_notice(of->run, of->run->screen ? -1 : of->recorded, bad, text);
}

static void report_connection(void *context, const struct session_event *event,
    struct connection_note *note, bool final)
{
	struct run *run = context;

	if (final)
		recorder_event(run->recorder, event, run->screen ? event->at : clock_monotonic());
	run->hooks.connection(run->hooks.lab.context, event, note, final);
}

static void report_connections(struct run_connection *c, bool all, int64_t now)
{
	struct run *run = c->of->run;
	const struct lab_status *lab = lab_status(run->lab);
	const int64_t wanted = connections_dispatch(&c->notes, c->of->recorded,
	    lab ? lab->trace : NULL, all || !lab ? INT64_MAX : lab->complete_until, now,
	    report_connection, run);

	if (lab)
		lab_need_until(run->lab, wanted);
}

/* Reports a connection at once, before the notice about it, once the session is known. */
static void on_connection(void *context, const struct session_connection *connection)
{
	struct run_connection *c = context;

	connections_take(&c->notes, connection);
	if (c->session)
		report_connections(c, false, clock_monotonic());
}

static void on_opened(void *context, uint16_t here, uint16_t there, uint64_t from)
{
	const struct run_connection *c = context;

	lab_opened(c->of->run->lab, c->flow, c == c->of->connections, here, there, from);
}

static void on_sent(void *context, uint64_t number, uint64_t from, uint64_t to)
{
	const struct run_connection *c = context;
	struct run *run = c->of->run;

	if (c->flow >= 0 && !lab_status(run->lab)->gone)
		trace_sent(run_trace(run), c->flow, number, from, to);
	if (run->screen)
		run->hooks.row(run->hooks.lab.context, c->of, number);
}

/* --- start --- */

static void record_link(struct run *run, int64_t now)
{
	if (run->lab)
		link_status_line(&lab_status(run->lab)->link, now, run->record.link,
		    sizeof run->record.link);
}

void run_open_lab(struct run *run, int64_t now)
{
	const struct settings *s = &run->settings;

	if (!s->lab)
		return;
	run->lab = lab_open(s->lab, s->lab_server, s->session.rows, &run->hooks.lab, now);
	record_link(run, now);
	if (!run->lab)
		run_notice(run, -1, false, "UPCASE_LAB names a lab that is not there");
}

static int open_recorder(struct run *run, int64_t now)
{
	const enum record_output output = run->settings.output;

	run->recorder = recorder_new(output, output == RECORD_OUTPUT_TEXT ? NULL : stdout,
	    run->settings.summary, now, &run->record);
	return run->recorder ? 0 : -1;
}

int run_open_recorder(struct run *run, int64_t now, int64_t wall)
{
	run->record = settings_run(&run->settings, wall);
	if (open_recorder(run, now) < 0)
		return -1;
	record_link(run, now);
	return 0;
}

/* --- sessions --- */

/* Closes sessions that were left before a line was typed: no row needs them. */
static void close_unused(struct run *run)
{
	size_t kept = 0;

	for (size_t i = 0; i < run->count; i++) {
		struct run_session *of = run->sessions[i];

		if (of->leave_by && run_dead(of) &&
		    ledger_totals(session_ledger(of->session))->typed == 0) {
			recorder_remove(run->recorder, of->recorded);
			free_session(of);
		} else {
			run->sessions[kept++] = of;
		}
	}
	run->count = kept;
}

static struct run_session *new_session(struct run *run)
{
	struct run_session *of = run->count < RUN_SESSIONS ? calloc(1, sizeof *of) : NULL;

	if (of)
		*of = (struct run_session){ .run = run, .recorded = -1 };
	return of;
}

static int record_session(struct run_session *of, const struct trace *trace)
{
	struct run *run = of->run;

	if (!run->recorder)
		return 0;
	of->recorded = recorder_add(run->recorder, session_ledger(of->session), of->stream,
	    session_peer(of->session), session_reply_timeout(of->session), trace);
	return of->recorded < 0 && !run->screen ? -1 : 0;
}

/* Opens the next connection of the session. Returns 0, or -1 when memory is short. */
static int open_connection(struct run_session *of, const struct session_settings *wanted,
    int64_t now)
{
	struct run *run = of->run;
	struct run_connection *c = &of->connections[of->count];

	/* The session's first connection has a row. */
	*c = (struct run_connection){ .of = of, .flow = -1, .notes.was_open = of->count > 0 };
	if (run->lab)
		c->flow = lab_flow(run->lab, of->stream, wanted->reply_timeout, wanted->port);
	c->session = session_open(of->stream ? &transport_tcp : &transport_udp, wanted,
	    &(struct session_hooks){ .context = c,
	        .reply = on_reply,
	        .row = on_row,
	        .evicted = on_evicted,
	        .notice = on_notice,
	        .connection = on_connection,
	        .opened = on_opened,
	        .sent = on_sent },
	    now);
	if (!c->session)
		return -1;
	of->session = of->connections[0].session;
	if (c->flow >= 0)
		trace_set_ledger(run_trace(run), c->flow, session_ledger(c->session),
		    wanted->nagle);
	of->count++;
	return 0;
}

static struct run_session *open_session(struct run *run, bool stream, int64_t now)
{
	const struct settings *s = &run->settings;
	const size_t count = stream ? (size_t)s->connections : 1;
	struct session_settings wanted = s->session;
	struct run_session *of;

	close_unused(run);
	of = new_session(run);
	if (!of)
		return NULL;
	wanted.stream = of->stream = stream;
	if (s->count > 0)
		wanted.rows = generator_rows(&run->plan, wanted.reply_timeout, wanted.rows);
	if (!run->screen && !s->retries_given)
		wanted.retries = 0;
	while (of->count < count) {
		wanted.connection = count > 1 ? (unsigned)of->count + 1 : 0;
		wanted.first = of->session;
		if (open_connection(of, &wanted, now) < 0) {
			free_session(of);
			return NULL;
		}
	}
	if (s->report > 0 && (of->meter = calloc(1, sizeof *of->meter)))
		of->meter->from = now;
	/* Not before: the hooks may be called while the session opens. */
	run->sessions[run->count++] = of;
	return record_session(of, run_trace(run)) < 0 ? NULL : of;
}

int run_open_sessions(struct run *run, int64_t now)
{
	const struct settings *s = &run->settings;

	run->used_count = 0;
	for (int stream = SESSION_UDP; stream <= SESSION_TCP && !run->replay; stream++) {
		if (!s->both && s->session.stream != stream)
			continue;
		if (!run->peer[stream])
			run->peer[stream] = open_session(run, stream, now);
		if (!run->peer[stream])
			return -1;
		run->used[run->used_count++] = run->peer[stream];
	}
	return 0;
}

void run_leave_peer(struct run *run, int64_t now)
{
	(void)run_flow_stop(run, now);
	for (int i = 0; i < 2; i++) {
		struct run_session *of = run->peer[i];

		run->peer[i] = NULL;
		if (!of)
			continue;
		of->leave_by = now +
		               (of->stream ? LEAVE_TIME : 2 * session_reply_timeout(of->session));
		run_finish(of, now);
	}
	run->used_count = 0;
}

void run_finish(struct run_session *of, int64_t now)
{
	for (size_t i = 0; i < of->count; i++)
		session_finish(of->connections[i].session, now);
}

bool run_dead(const struct run_session *of)
{
	for (size_t i = 0; i < of->count; i++)
		if (!session_dead(of->connections[i].session))
			return false;
	return true;
}

const char *run_state(const struct run_session *of, int64_t now)
{
	const char *state = NULL;

	for (size_t i = 0; i < of->count && !state; i++)
		state = session_state(of->connections[i].session, now);
	return state;
}

struct run_session *run_current(const struct run *run)
{
	return run->peer[run_is_tcp_alone(run)];
}

/* --- a recording --- */

static void on_replay_event(void *context, const struct session_event *event)
{
	struct run *run = context;

	run->hooks.lab.event(run->hooks.lab.context, event);
}

static void on_replay_line(void *context, size_t session, size_t other, uint64_t number)
{
	struct run *run = context;

	if (run->hooks.line)
		run->hooks.line(run->hooks.lab.context, run->sessions[session],
		    other == SIZE_MAX ? NULL : run->sessions[other], number);
}

/* The status line shows the last session of each transport. */
static int open_replay_sessions(struct run *run)
{
	const struct replay_status *status = replay_status(run->replay);

	if (open_recorder(run, status->origin) < 0)
		return -1;
	for (size_t i = 0; i < status->sessions; i++) {
		struct run_session *of = new_session(run);
		struct run_connection *c;

		if (!of)
			return -1;
		c = &of->connections[of->count++];
		*c = (struct run_connection){ .of = of, .flow = -1 };
		of->session = c->session = replay_session(run->replay, i,
		    &(struct session_hooks){ .context = c, .reply = on_reply, .row = on_row });
		of->stream = session_is_stream(of->session);
		run->sessions[run->count++] = of;
		if (record_session(of, status->trace) < 0)
			return -1;
		run->peer[of->stream] = of;
		run->settings.session.reply_timeout = session_reply_timeout(of->session);
	}
	return 0;
}

int run_open_replay(struct run *run, size_t rows, bool step, int64_t now)
{
	const struct replay_hooks hooks = {
		.context = run, .event = on_replay_event, .line = on_replay_line
	};

	if (replay_start(run->replay, &hooks, rows, step, now) < 0)
		return -1;
	run->record = *replay_status(run->replay)->run;
	run->record.ended_at += replay_status(run->replay)->origin;
	if (open_replay_sessions(run) < 0)
		return -1;
	run->settings.both = replay_both(run->replay);
	run->settings.session.stream = !run->peer[SESSION_UDP];
	return 0;
}

int run_restart_replay(struct run *run)
{
	recorder_free(run->recorder);
	run->recorder = NULL;
	while (run->count > 0)
		free(run->sessions[--run->count]);
	if (replay_restart(run->replay) < 0)
		return -1;
	return open_replay_sessions(run);
}

/* --- sending --- */

unsigned run_send(struct run *run, const void *text, size_t n, int pieces, int64_t typed,
    int64_t now)
{
	unsigned failed = 0;

	if (run->settings.flow.duration > 0 && !run->flow_begun)
		run_flow(run, &run->settings.flow, now);
	run->flow_begun = true;
	for (size_t i = 0; i < run->used_count; i++) {
		struct run_session *to = run->used[i];
		struct session *session = to->connections[to->next].session;

		if (!to->stream && !(pieces & SESSION_FIRST))
			continue;
		if (pieces & SESSION_LAST)
			to->next = (to->next + 1) % to->count;
		if (session_send(session, run->last_number, text, n, pieces, typed, now) < 0)
			failed |= 1u << to->stream;
	}
	return failed;
}

void run_push(struct run *run, int64_t now)
{
	for (size_t i = 0; i < run->used_count; i++)
		for (size_t k = 0; k < run->used[i]->count; k++)
			session_push(run->used[i]->connections[k].session, now);
}

bool run_has_room(const struct run *run)
{
	for (size_t i = 0; i < run->used_count; i++)
		if (!session_has_room(run->used[i]->connections[run->used[i]->next].session))
			return false;
	return true;
}

bool run_settled(const struct run *run)
{
	for (size_t i = 0; i < run->count; i++)
		if (!session_is_idle(run->sessions[i]->session))
			return false;
	return !run->flow_due && !(run->flow && flow_left(run->flow, 0) > 0);
}

/* --- generated lines --- */

bool run_is_tcp_alone(const struct run *run)
{
	return run->settings.session.stream && !run->settings.both;
}

bool run_generating(const struct run *run)
{
	return run->due || run->generator.running;
}

static bool opening(const struct run *run)
{
	for (size_t i = 0; i < run->used_count; i++)
		for (size_t k = 0; k < run->used[i]->count; k++)
			if (session_opening(run->used[i]->connections[k].session))
				return true;
	return false;
}

/* Returns true if lines may be generated: with an interval always, else while there is room. */
static bool may_generate(const struct run *run)
{
	return run->generator.plan.interval > 0 ||
	       (run_has_room(run) &&
	           (!run->hooks.has_room || run->hooks.has_room(run->hooks.lab.context)));
}

int64_t run_generate_at(const struct run *run)
{
	const int64_t due = may_generate(run) ? generator_due(&run->generator) : CLOCK_NEVER;

	if (run->due)
		return opening(run) ? CLOCK_NEVER : 0;
	if (!run->generator.running)
		return CLOCK_NEVER;
	return due < run->generator.until ? due : run->generator.until;
}

/* Begins the lines that are due. */
static void begin_lines(struct run *run, int64_t now)
{
	run->due = false;
	run->bulk = generator_is_bulk(&run->plan) && run_is_tcp_alone(run) ? run->used[0] : NULL;
	generator_start(&run->generator, &run->plan, now);
}

/* Bulk lines end when their session is no longer the one in use. */
static void measure_bulk(struct run *run, int64_t now)
{
	struct figures figures;

	if (!run->bulk)
		return;
	if (!run_is_tcp_alone(run) || run->used[0] != run->bulk) {
		generator_stop(&run->generator, now);
		return;
	}
	session_figures(run->bulk->session, now, &figures);
	generator_measure(&run->generator, figures.tcp.answered_bytes, now);
	run->bulk->bulk = generator_measured(&run->generator);
}

/* Until when a connection in use sends no further lines. */
static int64_t single_until(const struct run *run)
{
	int64_t until = 0;

	for (size_t i = 0; i < run->used_count; i++) {
		const struct run_session *of = run->used[i];

		for (size_t k = 0; k < of->count; k++) {
			const int64_t at = session_single_until(of->connections[k].session);

			until = at > until ? at : until;
		}
	}
	return until;
}

static bool generate_line(struct run *run, int64_t now)
{
	const int more = run->generator.plan.interval > 0 ? 0 : SESSION_MORE;
	char text[65536];
	size_t n;

	generator_pause(&run->generator, single_until(run), now);
	if (!may_generate(run) || !generator_next(&run->generator, now))
		return false;
	n = generator_text(run->last_number + 1, run->generator.plan.size, text, sizeof text);
	run->generator.bytes += n + 1;
	if (run->hooks.generated(run->hooks.lab.context, text, n,
	        SESSION_LINE | SESSION_GENERATED | more, now) < 0)
		generator_stop(&run->generator, now);
	return true;
}

bool run_generate(struct run *run)
{
	int64_t now = clock_monotonic();
	const int64_t until = now + BATCH_TIME;

	if (run->due && !opening(run))
		begin_lines(run, now);
	if (!run->generator.running)
		return false;
	measure_bulk(run, now);
	generator_expire(&run->generator, now);
	for (int i = 0; i < GENERATOR_BATCH && now < until && generate_line(run, now); i++)
		now = clock_monotonic();
	run_push(run, now);
	return !run->generator.running;
}

char *run_generated(const struct run *run, char *buf, size_t size)
{
	return generator_result(&run->generator, run->utf8 ? "µ" : "u", buf, size);
}

/* --- a second flow --- */

void run_flow(struct run *run, const struct flow_plan *plan, int64_t now)
{
	(void)run_flow_stop(run, now);
	run->flow_plan = *plan;
	run->flow_due = true;
}

bool run_flow_stop(struct run *run, int64_t now)
{
	const bool due = run->flow_due, sending = run->flow && flow_left(run->flow, now) > 0;

	run->flow_due = false;
	if (sending)
		flow_stop(run->flow, now);
	return due || sending;
}

static void begin_flow(struct run *run, int64_t now)
{
	run->flow_due = false;
	flow_close(run->flow);
	run->flow = flow_open(&run->settings.session, &run->flow_plan, run->hooks.lab.event,
	    run->hooks.lab.context, now);
	if (!run->flow)
		run_notice(run, -1, true, "flow: memory is short");
}

static void dispatch_flow(struct run *run, const struct fd_watch *w, int64_t now)
{
	const struct run_session *beside = run->peer[SESSION_TCP];
	bool goes_on;

	if (run->flow_due && run->used_count > 0 && !opening(run)) {
		begin_flow(run, now);
	} else if (run->flow) {
		goes_on = flow_dispatch(run->flow, beside ? beside->session : NULL, w, now);
		run->flow_totals = *flow_totals(run->flow);
		if (!goes_on) {
			flow_close(run->flow);
			run->flow = NULL;
		}
	}
}

/* --- the loop --- */

static void give_up(struct run_session *of, int64_t now)
{
	for (size_t i = 0; i < of->count; i++) {
		lab_closed(of->run->lab, of->connections[i].flow, now);
		session_give_up(of->connections[i].session, now);
	}
}

static void dispatch_connections(struct run *run, bool all, int64_t now)
{
	if (all && run->lab)
		lab_settle(run->lab);
	for (size_t i = 0; i < run->count; i++)
		for (size_t k = 0; k < run->sessions[i]->count; k++)
			report_connections(&run->sessions[i]->connections[k], all, now);
}

void run_watch(const struct run *run, struct fd_watch *w)
{
	for (size_t i = 0; i < run->count; i++) {
		const struct run_session *of = run->sessions[i];

		for (size_t k = 0; k < of->count; k++) {
			session_watch(of->connections[k].session, w);
			if (run->screen)
				fd_watch_until(w, connections_due(&of->connections[k].notes));
		}
		if (of->leave_by && !run_dead(of))
			fd_watch_until(w, of->leave_by);
	}
	if (run->flow)
		flow_watch(run->flow, w);
	if (run->flow_due && !opening(run))
		fd_watch_until(w, 0);
	if (run->lab)
		lab_watch(run->lab, w);
}

/* The trace does not follow the second flow: it gets a sample in each turn, and keeps the news. */
static void sample_flow(struct run *run, int64_t now)
{
	static const struct tcp_window none = {
		.cwnd = -1, .ssthresh = -1, .in_flight = -1, .mss = -1, .peer_window = -1
	};
	struct tcp_sample sample;

	if (!run->flow || (flow_tcp_sample(run->flow, &sample) < 0 && flow_left(run->flow, now)))
		return;
	trace_add_window(run_trace(run),
	    &(struct window_sample){ .at = now,
	        .flow = WINDOW_SECOND_FLOW,
	        .way = LINK_GOING,
	        WINDOW_NO_QUEUE,
	        .tcp = flow_left(run->flow, now) ? sample.window : none });
}

/* Gives the trace samples of this end's TCP connections when they are due. */
static void sample_windows(struct run *run)
{
	sample_flow(run, clock_monotonic());
	for (size_t i = 0; i < run->count; i++)
		for (size_t k = 0; k < run->sessions[i]->count; k++) {
			const struct run_connection *c = &run->sessions[i]->connections[k];
			struct trace_timer timer = { .requested = clock_monotonic() };

			if (!lab_take_due(run->lab, c->flow) ||
			    session_tcp_sample(c->session, &timer.tcp) < 0)
				continue;
			timer.received = clock_monotonic();
			trace_timer(run_trace(run), c->flow, LINK_GOING, &timer);
		}
}

bool run_dispatch(struct run *run, const struct fd_watch *w, int64_t now)
{
	bool changed;

	for (size_t i = 0; i < run->count; i++) {
		struct run_session *of = run->sessions[i];

		for (size_t k = 0; k < of->count; k++)
			session_dispatch(of->connections[k].session, w, now);
		if (of->leave_by && !run_dead(of) &&
		    (session_is_idle(of->session) || now >= of->leave_by))
			give_up(of, now);
	}
	dispatch_flow(run, w, now);
	changed = run->lab && lab_dispatch(run->lab, w, now);
	if (run->lab)
		sample_windows(run);
	dispatch_connections(run, false, now);
	return changed;
}

void run_give_up(struct run *run, int64_t now)
{
	(void)run_flow_stop(run, now);
	for (size_t i = 0; i < run->count; i++)
		give_up(run->sessions[i], now);
	dispatch_connections(run, true, now);
}

/* --- end --- */

/* Adds what the link knows of the session. */
static void add_traced(const struct lab_status *lab, const struct run_session *of,
    struct figures *figures)
{
	/* The far end reports on the first connection alone. */
	if (of->count == 1)
		figures->tcp.has_server = server_retransmitted(lab->server_tcp,
		    &figures->tcp.server_retransmitted);
	figures->is_traced = true;
	for (size_t i = 0; i < of->count; i++)
		figures->is_traced &= of->connections[i].flow >= 0 &&
		                      trace_blocked(lab->trace, of->connections[i].flow,
		                          &figures->blocked);
}

void run_figures(const struct run *run, const struct run_session *of, int64_t now,
    struct figures *figures)
{
	const struct generator *g = &run->generator;

	session_figures(of->session, now, figures);
	if (run->lab && of->stream)
		add_traced(lab_status(run->lab), of, figures);
	if (!run->replay && (!run->screen || g->plan.interval > 0))
		figures->schedule = generator_schedule(g);
	if (!run->replay)
		figures->bulk = of->bulk;
	if (!run->replay && of->stream)
		figures->flow = run->flow_totals;
}

void run_report(struct run *run, bool all, int64_t now,
    void (*report)(void *context, const struct interval *interval))
{
	for (size_t i = 0; i < run->used_count; i++) {
		struct run_session *of = run->used[i];
		struct figures figures;
		struct interval interval;

		if (!of->meter)
			continue;
		run_figures(run, of, now, &figures);
		interval = interval_get(of->meter, &figures, now);
		interval.session = (unsigned)of->recorded;
		if (all || interval.some)
			report(run->hooks.lab.context, &interval);
		interval_begin(of->meter, &figures, now);
	}
}

void run_record_figures(struct run *run, int64_t now)
{
	for (size_t i = 0; i < run->count; i++) {
		struct figures figures;

		run_figures(run, run->sessions[i], now, &figures);
		recorder_figures(run->recorder, run->sessions[i]->recorded, &figures);
	}
}

/* The place of the session beside which the one at `index` is summed up: the only other one with
 * its peer, over the other transport; run->count for none. The addresses of two sessions over which
 * each line went may differ. */
static size_t partner(const struct run *run, size_t index)
{
	const struct run_session *of = run->sessions[index];
	const bool pair = run->settings.both && run->count == 2;
	size_t found = run->count;

	for (size_t i = 0; i < run->count; i++) {
		const struct run_session *s = run->sessions[i];

		if (i == index || ledger_totals(session_ledger(s->session))->typed == 0 ||
		    (!pair && strcmp(session_peer(s->session), session_peer(of->session)) != 0))
			continue;
		if (found < run->count || s->stream == of->stream)
			return run->count;
		found = i;
	}
	return found;
}

/* The earlier of two partners prints both. */
void run_put_summaries(const struct run *run, FILE *out, int64_t now)
{
	char text[6000];

	for (size_t i = 0; i < run->count; i++) {
		const struct run_session *of = run->sessions[i];
		const size_t with = partner(run, i);
		const bool both = with < run->count;
		struct figures figures[2];

		run_figures(run, of, now, &figures[of->stream]);
		if ((figures[of->stream].totals.typed == 0 && run->count > 1) || with < i)
			continue;
		if (both)
			run_figures(run, run->sessions[with], now, &figures[!of->stream]);
		summary_peer(both || !of->stream ? &figures[0] : NULL,
		    both || of->stream ? &figures[1] : NULL, text, sizeof text);
		standard_put(out, run->utf8 ? text : summary_ascii(text));
	}
	if (run->lab)
		standard_put(out,
		    link_report_end(trace_totals(lab_status(run->lab)->trace), text, sizeof text));
}
