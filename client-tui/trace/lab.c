/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The lab answers a command after it has sent all events of what the link did before. After a
 * command now and then, all events up to that moment are there and are compared. */
#include "trace/lab.h"

#include <errno.h>

#include "common/addr.h"
#include "common/clock.h"
#include "common/text.h"

/* Our own commands, beside the user's. */
enum own_purpose { PURPOSE_SYNC = -3, PURPOSE_STATUS = -2, PURPOSE_EVENTS = -1 };

#define SYNC_EVERY (200 * NS_PER_MS) /* how often the trace compares */
/* How long to wait for an answer before anything else may happen. */
#define SETTLE (NS_PER_S)
#define COMMAND_SETTLE (50 * NS_PER_MS)
#define JOIN NS_PER_S /* how long further steps of the panel are joined to the first one */
/* How often this end is sampled at least, while lines wait. */
#define SAMPLE_EVERY (50 * NS_PER_MS)
#define MOMENTS 1024 /* acknowledgements on their way whose arrivals are sampled */
#define PORTS 8      /* ports in one "events on" (lab/link/control-commands.h) */

/* When an acknowledgement reaches the end that sends that way; a ring in the order of time. */
struct moments {
	struct moment {
		int64_t at;
		int flow;
	} list[MOMENTS];
	size_t first, count;
};

struct lab {
	struct lab_status status;
	struct lab_socket *socket;
	struct lab_hooks hooks;
	bool status_new;       /* a new status was received and is to be drawn */
	uint16_t ports[PORTS]; /* whose events are wanted */
	int port_count;        /* more than PORTS: of all ports */
	/* By the way that an end sends: when to sample it; the flows that are to be sampled now. */
	struct moments moments[LINK_DIRECTIONS];
	bool due[LINK_DIRECTIONS][TRACE_FLOWS];
	int64_t sampled_at; /* when this end of all flows was to be sampled last */
	/* The flow whose server end is sampled, or -1; when the last sample was received. */
	int server_flow;
	int64_t server_received;
	/* How many commands may have changed the link: older status is outdated. */
	int64_t changes;
	/* The next change is a step of the panel; steps to report, and when, or CLOCK_NEVER. */
	bool step;
	struct link_change steps;
	int64_t report_at;
	int64_t synced_at;    /* when the last sync was sent */
	bool syncing;         /* its answer is still to come */
	int64_t needed_until; /* all events up to `needed_until` are needed */
	int64_t now;          /* the time of the last dispatch */
};

static void request_status(struct lab *lab)
{
	(void)lab_socket_command(lab->socket, PURPOSE_STATUS, lab->changes, "link");
}

static void take_status(struct lab *lab, const struct lab_socket_answer *answer)
{
	const struct link_status before = lab->status.link;

	if (!answer->ok || answer->note != lab->changes ||
	    link_status_read(&lab->status.link, answer->text, lab->now) < 0)
		return;
	/* A hold or an unplugging leaves the settings as they are, but the screen shows it. */
	lab->status_new = true;
	if (lab->hooks.changed && (!before.known ||
	                              !impair_fields_same(&before.settings[LINK_GOING],
	                                  &lab->status.link.settings[LINK_GOING]) ||
	                              !impair_fields_same(&before.settings[LINK_COMING],
	                                  &lab->status.link.settings[LINK_COMING])))
		lab->hooks.changed(lab->hooks.context);
}

static void on_answer(void *context, const struct lab_socket_answer *answer)
{
	struct lab *lab = context;

	switch (answer->purpose) {
	case PURPOSE_SYNC:
		lab->syncing = false;
		if (answer->ok)
			trace_check(lab->status.trace, lab->status.complete_until = answer->note);
		break;
	case PURPOSE_STATUS:
		take_status(lab, answer);
		break;
	case PURPOSE_EVENTS:
		break;
	default:
		lab->step = answer->ok && answer->purpose == LAB_STEP;
		if (lab->hooks.answer)
			lab->hooks.answer(lab->hooks.context, answer->purpose, answer->ok,
			    answer->text);
		break;
	}
}

static void report(const struct lab *lab, enum session_event_kind kind, int64_t at, char *text,
    char *there, char *back)
{
	if (lab->hooks.event)
		lab->hooks.event(lab->hooks.context, &(const struct session_event){ .kind = kind,
		                                         .session = -1,
		                                         .at = at,
		                                         .text = text,
		                                         .there = there,
		                                         .back = back });
}

void lab_report(struct lab *lab)
{
	if (lab->report_at == CLOCK_NEVER)
		return;
	lab->report_at = CLOCK_NEVER;
	report(lab, SESSION_EVENT_LINK, lab->steps.at, lab->steps.text, lab->steps.there,
	    lab->steps.back);
}

static void take_change(struct lab *lab, struct link_change *change)
{
	if (lab->step) {
		if (lab->report_at == CLOCK_NEVER)
			lab->report_at = change->at + JOIN;
		lab->steps = *change;
	} else {
		lab_report(lab);
		report(lab, change->kind, change->at, change->text,
		    *change->there ? change->there : NULL, *change->there ? change->back : NULL);
	}
	lab->step = false;
	request_status(lab);
}

/* --- when the windows may change --- */

static struct moment *moment(struct moments *m, size_t i)
{
	return &m->list[(m->first + i) % MOMENTS];
}

static void add_moment(struct moments *m, int64_t at, int flow)
{
	size_t i = m->count;

	if (m->count == MOMENTS)
		return;
	for (m->count++; i > 0 && moment(m, i - 1)->at > at; i--)
		*moment(m, i) = *moment(m, i - 1);
	*moment(m, i) = (struct moment){ at, flow };
}

/* A segment changes what is out at its sender, and acknowledges at its receiver. */
static void note_segment(struct lab *lab, int flow, const struct packet_event *event)
{
	lab->due[event->direction][flow] = true;
	for (int i = 0; i < event->copies && event->fate == LINK_DELIVERED; i++)
		add_moment(&lab->moments[!event->direction], event->out[i], flow);
}

/* When all flows of this end are to be sampled anyway. */
static int64_t sample_at(const struct lab *lab)
{
	return lab->server_flow >= 0 && trace_is_pending(lab->status.trace)
	         ? lab->sampled_at + SAMPLE_EVERY
	         : CLOCK_NEVER;
}

static void take_moments(struct lab *lab, int64_t now)
{
	for (int way = 0; way < LINK_DIRECTIONS; way++) {
		struct moments *m = &lab->moments[way];

		for (; m->count > 0 && moment(m, 0)->at <= now; m->count--) {
			lab->due[way][moment(m, 0)->flow] = true;
			m->first++;
		}
	}
	if (now < sample_at(lab))
		return;
	lab->sampled_at = now;
	memset(lab->due[LINK_GOING], true, sizeof lab->due[LINK_GOING]);
}

bool lab_take_due(struct lab *lab, int flow)
{
	const bool due = flow >= 0 && lab->due[LINK_GOING][flow];

	if (due)
		lab->due[LINK_GOING][flow] = false;
	return due;
}

static void take_event(struct lab *lab, const struct packet_event *event)
{
	const int flow = trace_event(lab->status.trace, event);

	if (flow >= 0)
		note_segment(lab, flow, event);
	if (!event->requested || event->protocol != LINK_TCP || event->syn || event->length > 0)
		return;
	report(lab, SESSION_EVENT_FAULT, event->in,
	    TEXT_FORMAT("%s %s %s, on cue",
	        event->fate == LINK_REQUESTED_DROP ? "dropped"
	        : event->fate == LINK_CORRUPTED    ? "damaged"
	        : event->copies > 1                ? "doubled"
	                                           : "delayed",
	        event->fin ? "a FIN" : "an ACK", link_direction_words[event->direction]),
	    NULL, NULL);
}

static void on_line(void *context, const char *line)
{
	struct lab *lab = context;
	struct link_change change;
	struct packet_event event;
	enum link_direction direction;
	uint64_t serial;

	if (event_line_read(&event, line) == 0)
		take_event(lab, &event);
	else if (event_line_read_undelivered(line, &serial, &direction) == 0)
		trace_undelivered(lab->status.trace, serial, direction);
	else if (link_change_read(&change, line) == 0)
		take_change(lab, &change);
}

static void on_gone(void *context)
{
	struct lab *lab = context;

	lab->status.gone = true;
	lab->status.complete_until = INT64_MAX;
	lab->hooks.gone(lab->hooks.context);
}

struct lab *lab_open(const char *path, const char *server_path, size_t rows,
    const struct lab_hooks *hooks, int64_t now)
{
	struct lab *lab = calloc(1, sizeof *lab);

	if (!lab)
		return NULL;
	lab->hooks = *hooks;
	lab->now = now;
	lab->server_flow = -1;
	lab->report_at = CLOCK_NEVER;
	lab->status.trace = trace_new(rows);
	lab->socket = lab->status.trace
	                ? lab_socket_open(path, &(struct lab_socket_hooks){ .context = lab,
	                                            .answer = on_answer,
	                                            .line = on_line,
	                                            .gone = on_gone })
	                : NULL;
	if (!lab->socket) {
		const int error = lab->status.trace ? errno : ENOMEM;

		lab_close(lab);
		errno = error;
		return NULL;
	}
	if (server_path)
		lab->status.server_tcp = server_tcp_open(server_path);
	request_status(lab);
	lab_socket_settle(lab->socket, SETTLE);
	return lab;
}

void lab_close(struct lab *lab)
{
	if (!lab)
		return;
	lab_socket_close(lab->socket);
	server_tcp_close(lab->status.server_tcp);
	trace_free(lab->status.trace);
	free(lab);
}

/* --- flows --- */

static void request_events(struct lab *lab)
{
	char command[100];
	struct text t = text_begin(command, sizeof command);

	text_put(&t, "events on");
	for (int i = 0; i < lab->port_count && lab->port_count <= PORTS; i++)
		text_put(&t, " %u", lab->ports[i]);
	(void)lab_socket_command(lab->socket, PURPOSE_EVENTS, 0, command);
	lab_socket_settle(lab->socket, SETTLE);
}

static void request_port(struct lab *lab, const char *text)
{
	uint16_t port;

	if (lab->port_count > PORTS)
		return;
	if (addr_port_number(text, &port) < 0 || port == 0) {
		lab->port_count = PORTS + 1;
		request_events(lab);
		return;
	}
	for (int i = 0; i < lab->port_count; i++)
		if (lab->ports[i] == port)
			return;
	if (lab->port_count < PORTS)
		lab->ports[lab->port_count] = port;
	lab->port_count++;
	request_events(lab);
}

int lab_flow(struct lab *lab, bool stream, int64_t reply_timeout, const char *port)
{
	if (lab->status.gone)
		return -1;
	request_port(lab, port);
	return trace_flow(lab->status.trace, stream, reply_timeout);
}

void lab_opened(struct lab *lab, int flow, bool first, uint16_t here, uint16_t there, uint64_t from)
{
	if (flow < 0)
		return;
	trace_opened(lab->status.trace, flow, here, there, from);
	if (!first || !trace_is_stream(lab->status.trace, flow))
		return;
	server_tcp_connected(lab->status.server_tcp, here);
	lab->server_flow = flow;
}

/* Gives the server's sample to the trace. Returns true when the trace waited for it. */
static bool take_server_tcp(struct lab *lab)
{
	const struct trace_timer *sample = server_tcp_sample(lab->status.server_tcp);
	const bool wanted = lab->server_flow >= 0 &&
	                    trace_wants_timer(lab->status.trace, lab->server_flow, LINK_COMING);

	if (!sample || sample->received == lab->server_received || lab->server_flow < 0)
		return false;
	lab->server_received = sample->received;
	trace_timer(lab->status.trace, lab->server_flow, LINK_COMING, sample);
	return wanted;
}

void lab_closed(struct lab *lab, int flow, int64_t now)
{
	if (flow < 0)
		return;
	if (trace_is_stream(lab->status.trace, flow)) {
		server_tcp_finish(lab->status.server_tcp);
		take_server_tcp(lab);
	}
	trace_closed(lab->status.trace, flow, now);
}

/* --- commands --- */

int lab_command(struct lab *lab, int purpose, const char *command)
{
	lab->changes++;
	if (lab_socket_command(lab->socket, purpose, 0, command) < 0)
		return -1;
	request_status(lab);
	/* The next packets meet the changed link. */
	lab_socket_settle(lab->socket, COMMAND_SETTLE);
	return 0;
}

int lab_step(struct lab *lab, const struct link_steps *panel, int by, char reason[IMPAIR_REASON])
{
	char command[LAB_SOCKET_COMMAND_MAX];

	if (link_steps_apply(panel, by, lab->status.link.settings, command, sizeof command,
	        reason) < 0)
		return -1;
	if (lab->hooks.changed)
		lab->hooks.changed(lab->hooks.context);
	return lab_command(lab, LAB_STEP, command);
}

/* --- the loop --- */

void lab_need_until(struct lab *lab, int64_t until)
{
	if (until > lab->needed_until)
		lab->needed_until = until;
}

void lab_settle(struct lab *lab)
{
	/* The lab may execute a command before a waiting packet, but not two. */
	for (int i = 0; i < 2; i++)
		if (lab_socket_command(lab->socket, PURPOSE_SYNC, lab->now, "predict") == 0)
			lab_socket_settle(lab->socket, SETTLE);
}

/* When to send the next sync; CLOCK_NEVER while an answer is pending or no event is wanted. */
static int64_t sync_at(const struct lab *lab)
{
	const int64_t next = lab->synced_at + SYNC_EVERY;

	if (lab->status.gone || lab->syncing)
		return CLOCK_NEVER;
	if (trace_is_pending(lab->status.trace))
		return next;
	return lab->needed_until <= lab->status.complete_until ? CLOCK_NEVER
	     : lab->needed_until > next                        ? lab->needed_until
	                                                       : next;
}

void lab_watch(const struct lab *lab, struct fd_watch *w)
{
	lab_socket_watch(lab->socket, w);
	server_tcp_watch(lab->status.server_tcp, trace_is_pending(lab->status.trace), w);
	for (int way = 0; way < LINK_DIRECTIONS; way++)
		if (lab->moments[way].count > 0)
			fd_watch_until(w,
			    lab->moments[way].list[lab->moments[way].first % MOMENTS].at);
	fd_watch_until(w, sample_at(lab));
	fd_watch_until(w, lab->report_at);
	fd_watch_until(w, sync_at(lab));
}

bool lab_dispatch(struct lab *lab, const struct fd_watch *w, int64_t now)
{
	const uint64_t compared = trace_totals(lab->status.trace)->compared;

	lab->now = now;
	lab_socket_dispatch(lab->socket, w);
	take_moments(lab, now);
	if (now >= lab->report_at)
		lab_report(lab);
	if (now >= sync_at(lab)) {
		lab->synced_at = now;
		lab->syncing = lab_socket_command(lab->socket, PURPOSE_SYNC, now, "predict") == 0;
	}
	if (lab->server_flow >= 0 && lab->due[LINK_COMING][lab->server_flow]) {
		lab->due[LINK_COMING][lab->server_flow] = false;
		server_tcp_ask(lab->status.server_tcp);
	}
	bool redraw = server_tcp_dispatch(lab->status.server_tcp, w,
	    trace_is_pending(lab->status.trace), now);

	redraw |= take_server_tcp(lab);
	redraw |= lab->status_new;
	lab->status_new = false;
	return redraw || compared != trace_totals(lab->status.trace)->compared;
}

const struct lab_status *lab_status(const struct lab *lab)
{
	return lab ? &lab->status : NULL;
}
