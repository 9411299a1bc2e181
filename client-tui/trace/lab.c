/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An answer comes after all events of what the link did before it: so an order now and then tells
 * up to which moment everything is known, and the trace judges up to there. */
#include "config.h"

#include "trace/lab.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/addr.h"
#include "common/clock.h"

/* Our own orders, beside the user's. */
enum own_purpose { PURPOSE_SYNC = -3, PURPOSE_STATUS = -2, PURPOSE_EVENTS = -1 };

/* How often the trace judges. */
#define SYNC_EVERY (200 * NS_PER_MS)
/* How long to wait for an answer when nothing may happen before it. */
#define SETTLE (NS_PER_S)
#define ORDER_SETTLE (50 * NS_PER_MS)
/* Until when steps of the panel join the first of them. */
#define JOIN NS_PER_S
/* Ports in one "events on" (lab/link/control-commands.h). */
#define PORTS 8

struct lab {
	struct lab_socket *socket;
	/* NULL when there is none. */
	struct server_tcp *server_tcp;
	struct lab_hooks hooks;
	struct trace *trace;
	struct link_status status;
	/* They came anew: to be shown. */
	bool status_new;
	/* The ports that events are wanted of; more than PORTS: of all. */
	uint16_t ports[PORTS];
	int port_count;
	/* The flow that the far server is asked about, and the answer of it that the trace has had;
	 * -1 and 0 before. */
	int server_flow;
	int64_t server_asked_at;
	/* How many orders were given that may change the link: facts asked for before the last of
	 * them are old. */
	int64_t changes;
	/* The change that comes next is a step of the panel; steps not told yet, and when they are:
	 * CLOCK_NEVER for none. */
	bool step;
	struct link_change steps;
	int64_t report_at;
	/* The time of the last sync asked for; whether it is still to be answered. */
	int64_t synced_at;
	bool syncing;
	/* Up to when all is known, and is wanted. */
	int64_t known, wanted;
	/* Now, as of this turn. */
	int64_t now;
};

static void ask_status(struct lab *t)
{
	(void)lab_socket_command(t->socket, PURPOSE_STATUS, t->changes, "link");
}

static void take_status(struct lab *t, const struct lab_socket_answer *answer)
{
	const struct link_status before = t->status;

	if (!answer->ok || answer->note != t->changes ||
	    link_status_read(&t->status, answer->text, t->now) < 0)
		return;
	/* Somebody else's hold or unplugging leaves the settings as they are, but shows. */
	t->status_new = true;
	if (t->hooks.changed && (!before.known ||
	                            !impair_fields_same(&before.settings[LINK_GOING],
	                                &t->status.settings[LINK_GOING]) ||
	                            !impair_fields_same(&before.settings[LINK_COMING],
	                                &t->status.settings[LINK_COMING])))
		t->hooks.changed(t->hooks.context);
}

static void on_answer(void *context, const struct lab_socket_answer *answer)
{
	struct lab *t = context;

	switch (answer->purpose) {
	case PURPOSE_SYNC:
		t->syncing = false;
		if (answer->ok)
			trace_check(t->trace, t->known = answer->note);
		break;
	case PURPOSE_STATUS:
		take_status(t, answer);
		break;
	case PURPOSE_EVENTS:
		break;
	default:
		t->step = answer->ok && answer->purpose == 0;
		if (t->hooks.answer)
			t->hooks.answer(t->hooks.context, answer->purpose, answer->ok,
			    answer->text);
		break;
	}
}

static void report(const struct lab *t, enum session_event_kind kind, int64_t at, char *text,
    char *there, char *back)
{
	if (t->hooks.event)
		t->hooks.event(t->hooks.context, &(const struct session_event){ .kind = kind,
		                                     .session = -1,
		                                     .at = at,
		                                     .text = text,
		                                     .there = there,
		                                     .back = back });
}

void lab_report(struct lab *t)
{
	if (t->report_at == CLOCK_NEVER)
		return;
	t->report_at = CLOCK_NEVER;
	report(t, SESSION_EVENT_LINK, t->steps.at, t->steps.text, t->steps.there, t->steps.back);
}

static void take_change(struct lab *t, struct link_change *change)
{
	if (t->step) {
		if (t->report_at == CLOCK_NEVER)
			t->report_at = change->at + JOIN;
		t->steps = *change;
	} else {
		lab_report(t);
		report(t, change->kind, change->at, change->text,
		    *change->there ? change->there : NULL, *change->there ? change->back : NULL);
	}
	t->step = false;
	ask_status(t);
}

static void take_event(struct lab *t, const struct packet_event *event)
{
	char text[60];

	trace_event(t->trace, event);
	if (event->fate != LINK_REQUESTED_DROP || event->protocol != LINK_TCP || event->syn ||
	    event->length > 0)
		return;
	snprintf(text, sizeof text, "dropped an ACK %s, on cue",
	    event->way == LINK_COMING ? "coming" : "going");
	report(t, SESSION_EVENT_FAULT, event->in, text, NULL, NULL);
}

static void on_line(void *context, const char *line)
{
	struct lab *t = context;
	struct link_change change;
	struct packet_event event;
	enum link_way way;
	uint64_t serial;

	if (event_line_read(&event, line) == 0)
		take_event(t, &event);
	else if (event_line_read_undelivered(line, &serial, &way) == 0)
		trace_undelivered(t->trace, serial, way);
	else if (link_change_read(&change, line) == 0)
		take_change(t, &change);
}

static void on_gone(void *context)
{
	struct lab *t = context;

	t->hooks.gone(t->hooks.context);
}

struct lab *lab_open(const char *path, const char *far, size_t rows, const struct lab_hooks *hooks,
    int64_t now)
{
	struct lab *t = calloc(1, sizeof *t);

	if (!t)
		return NULL;
	t->hooks = *hooks;
	t->now = now;
	t->server_flow = -1;
	t->report_at = CLOCK_NEVER;
	t->trace = trace_new(rows);
	t->socket = t->trace ? lab_socket_open(path, &(struct lab_socket_hooks){ .context = t,
	                                                 .answer = on_answer,
	                                                 .line = on_line,
	                                                 .gone = on_gone })
	                     : NULL;
	if (!t->socket) {
		const int error = t->trace ? errno : ENOMEM;

		lab_close(t);
		errno = error;
		return NULL;
	}
	if (far)
		t->server_tcp = server_tcp_open(far);
	ask_status(t);
	lab_socket_settle(t->socket, SETTLE);
	return t;
}

void lab_close(struct lab *t)
{
	if (!t)
		return;
	lab_socket_close(t->socket);
	server_tcp_close(t->server_tcp);
	trace_free(t->trace);
	free(t);
}

/* --- flows --- */

static void want_events(struct lab *t)
{
	char order[100] = "events on";

	for (int i = 0; i < t->port_count && t->port_count <= PORTS; i++) {
		const size_t used = strlen(order);

		snprintf(order + used, sizeof order - used, " %u", t->ports[i]);
	}
	(void)lab_socket_command(t->socket, PURPOSE_EVENTS, 0, order);
	lab_socket_settle(t->socket, SETTLE);
}

static void want_port(struct lab *t, const char *text)
{
	uint16_t port;

	if (t->port_count > PORTS)
		return;
	if (addr_port_number(text, &port) < 0 || port == 0) {
		t->port_count = PORTS + 1;
		want_events(t);
		return;
	}
	for (int i = 0; i < t->port_count; i++)
		if (t->ports[i] == port)
			return;
	if (t->port_count < PORTS)
		t->ports[t->port_count] = port;
	t->port_count++;
	want_events(t);
}

int lab_flow(struct lab *t, bool stream, int64_t reply_timeout, const char *port)
{
	if (lab_socket_is_gone(t->socket))
		return -1;
	want_port(t, port);
	return trace_flow(t->trace, stream, reply_timeout);
}

void lab_set_ledger(struct lab *t, int flow, const struct ledger *ledger)
{
	if (flow >= 0)
		trace_set_ledger(t->trace, flow, ledger);
}

void lab_opened(struct lab *t, int flow, uint16_t here, uint16_t there, uint64_t from)
{
	if (flow < 0)
		return;
	trace_opened(t->trace, flow, here, there, from);
	if (!trace_is_stream(t->trace, flow))
		return;
	server_tcp_connected(t->server_tcp, here);
	t->server_flow = flow;
}

void lab_sent(struct lab *t, int flow, uint64_t number, uint64_t from, uint64_t to)
{
	if (flow >= 0 && !lab_socket_is_gone(t->socket))
		trace_sent(t->trace, flow, number, from, to);
}

void lab_timer(struct lab *t, int flow, enum link_way way, const struct tcp_sample *tcp,
    int64_t asked, int64_t answered)
{
	if (flow >= 0)
		trace_timer(t->trace, flow, way,
		    &(struct trace_timer){ .asked = asked,
		        .answered = answered,
		        .timeout = tcp->timeout,
		        .backoff = tcp->backoff,
		        .ran_out = tcp->timeouts });
}

void lab_closed(struct lab *t, int flow, int64_t now)
{
	if (flow < 0)
		return;
	if (trace_is_stream(t->trace, flow))
		server_tcp_finish(t->server_tcp);
	trace_closed(t->trace, flow, now);
}

/* --- orders --- */

int lab_command(struct lab *t, int purpose, const char *order)
{
	t->changes++;
	if (lab_socket_command(t->socket, purpose, 0, order) < 0)
		return -1;
	ask_status(t);
	/* What is sent next meets the link as it was just ordered. */
	lab_socket_settle(t->socket, ORDER_SETTLE);
	return 0;
}

int lab_step(struct lab *t, const struct link_steps *panel, int by, char why[IMPAIR_WHY])
{
	char order[LAB_SOCKET_COMMAND_MAX];

	if (link_steps_apply(panel, by, t->status.settings, order, sizeof order, why) < 0)
		return -1;
	if (t->hooks.changed)
		t->hooks.changed(t->hooks.context);
	return lab_command(t, 0, order);
}

/* --- the loop --- */

bool lab_is_pending(const struct lab *t)
{
	return !lab_socket_is_gone(t->socket) && trace_is_pending(t->trace);
}

int64_t lab_known(const struct lab *t)
{
	return lab_socket_is_gone(t->socket) ? INT64_MAX : t->known;
}

void lab_want(struct lab *t, int64_t until)
{
	if (until > t->wanted)
		t->wanted = until;
}

void lab_settle(struct lab *t)
{
	/* In a turn of its loop the lab may take an order before a packet that is there; in the
	 * next the packet comes first. */
	for (int turn = 0; turn < 2; turn++)
		if (lab_socket_command(t->socket, PURPOSE_SYNC, t->now, "predict") == 0)
			lab_socket_settle(t->socket, SETTLE);
}

/* When to ask again, CLOCK_NEVER while an answer is awaited or nothing is to be known. */
static int64_t sync_at(const struct lab *t)
{
	const int64_t next = t->synced_at + SYNC_EVERY;

	if (lab_socket_is_gone(t->socket) || t->syncing)
		return CLOCK_NEVER;
	if (trace_is_pending(t->trace))
		return next;
	return t->wanted <= t->known ? CLOCK_NEVER : t->wanted > next ? t->wanted : next;
}

void lab_watch(const struct lab *t, struct fd_watch *w)
{
	lab_socket_watch(t->socket, w);
	server_tcp_watch(t->server_tcp, trace_is_pending(t->trace), w);
	fd_watch_until(w, t->report_at);
	fd_watch_until(w, sync_at(t));
}

static void check(struct lab *t)
{
	if (t->now < sync_at(t))
		return;
	t->synced_at = t->now;
	t->syncing = lab_socket_command(t->socket, PURPOSE_SYNC, t->now, "predict") == 0;
}

/* What the server's kernel says is for the trace too. Returns true when that settled something. */
static bool take_server_tcp(struct lab *t)
{
	int64_t asked, answered;

	if (!server_tcp_times(t->server_tcp, &asked, &answered) || answered == t->server_asked_at ||
	    t->server_flow < 0)
		return false;
	const bool open = trace_wants_timer(t->trace, t->server_flow, LINK_COMING);

	t->server_asked_at = answered;
	lab_timer(t, t->server_flow, LINK_COMING, server_tcp_sample(t->server_tcp), asked,
	    answered);
	return open;
}

bool lab_dispatch(struct lab *t, const struct fd_watch *w, int64_t now)
{
	const uint64_t compared = trace_totals(t->trace)->compared;

	t->now = now;
	lab_socket_dispatch(t->socket, w);
	if (now >= t->report_at)
		lab_report(t);
	check(t);
	const bool changed = server_tcp_dispatch(t->server_tcp, w, trace_is_pending(t->trace), now),
	           heard = take_server_tcp(t), told = t->status_new;

	t->status_new = false;
	return changed || heard || told || compared != trace_totals(t->trace)->compared;
}

bool lab_is_gone(const struct lab *t)
{
	return lab_socket_is_gone(t->socket);
}

const struct link_status *lab_link_status(const struct lab *t)
{
	return &t->status;
}

const struct trace *lab_trace(const struct lab *t)
{
	return t->trace;
}

const struct server_tcp *lab_server_tcp(const struct lab *t)
{
	return t->server_tcp;
}
