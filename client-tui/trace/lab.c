/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An answer comes after all events of what the link did before it: so an order now and then tells up to which moment everything
 * is known, and the witness judges up to there. */
#include "config.h"

#include "trace/lab.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/addr.h"
#include "common/clock.h"

/* Our own orders, beside the user's. */
enum own_purpose { PURPOSE_SYNC = -3, PURPOSE_FACTS = -2, PURPOSE_EVENTS = -1 };

/* How often the witness judges. */
#define SYNC_EVERY (200 * NS_PER_MS)
/* How long to wait for an answer when nothing may happen before it. */
#define SETTLE (NS_PER_S)
#define ORDER_SETTLE (50 * NS_PER_MS)
/* Until when steps of the panel join the first of them. */
#define JOIN NS_PER_S
/* Ports in one "events on" (lab/link/events.h). */
#define PORTS 8

struct truth {
	struct lab *lab;
	/* NULL when there is none. */
	struct far *far;
	struct truth_hooks hooks;
	struct witness *witness;
	struct link_facts facts;
	/* They came anew: to be shown. */
	bool facts_new;
	/* The ports that events are wanted of; more than PORTS: of all. */
	uint16_t ports[PORTS];
	int port_count;
	/* The flow that the far server is asked about, and the answer of it that the witness has had; -1 and 0 before. */
	int far_flow;
	int64_t far_heard;
	/* How many orders were given that may change the link: facts asked for before the last of them are old. */
	int64_t changes;
	/* The change that comes next is a step of the panel; steps not told yet, and when they are: CLOCK_NEVER for none. */
	bool step;
	struct link_change steps;
	int64_t tell_at;
	/* The time of the last sync asked for; whether it is still to be answered. */
	int64_t synced_at;
	bool syncing;
	/* Up to when all is known, and is wanted. */
	int64_t known, wanted;
	/* Now, as of this turn. */
	int64_t now;
};

static void ask_facts(struct truth *t)
{
	(void)lab_order(t->lab, PURPOSE_FACTS, t->changes, "link");
}

static void take_facts(struct truth *t, const struct lab_answer *answer)
{
	const struct link_facts before = t->facts;

	if (!answer->ok || answer->note != t->changes || link_facts_read(&t->facts, answer->text, t->now) < 0)
		return;
	/* Somebody else's hold or unplugging leaves the settings as they are, but shows. */
	t->facts_new = true;
	if (t->hooks.changed && (!before.known ||
	    !impair_text_same(&before.settings[EVENT_THERE], &t->facts.settings[EVENT_THERE]) ||
	    !impair_text_same(&before.settings[EVENT_BACK], &t->facts.settings[EVENT_BACK])))
		t->hooks.changed(t->hooks.context);
}

static void on_answer(void *context, const struct lab_answer *answer)
{
	struct truth *t = context;

	switch (answer->purpose) {
	case PURPOSE_SYNC:
		t->syncing = false;
		if (answer->ok)
			witness_judge(t->witness, t->known = answer->note);
		break;
	case PURPOSE_FACTS:
		take_facts(t, answer);
		break;
	case PURPOSE_EVENTS:
		break;
	default:
		t->step = answer->ok && answer->purpose == 0;
		if (t->hooks.answer)
			t->hooks.answer(t->hooks.context, answer->purpose, answer->ok, answer->text);
		break;
	}
}

static void tell(const struct truth *t, enum session_event_kind kind, int64_t at, char *text, char *there, char *back)
{
	if (t->hooks.event)
		t->hooks.event(t->hooks.context, &(const struct record_event){.kind = kind, .session = -1, .at = at, .text = text,
			.there = there, .back = back});
}

void truth_tell(struct truth *t)
{
	if (t->tell_at == CLOCK_NEVER)
		return;
	t->tell_at = CLOCK_NEVER;
	tell(t, SESSION_EVENT_LINK, t->steps.at, t->steps.text, t->steps.there, t->steps.back);
}

static void take_change(struct truth *t, struct link_change *change)
{
	if (t->step) {
		if (t->tell_at == CLOCK_NEVER)
			t->tell_at = change->at + JOIN;
		t->steps = *change;
	} else {
		truth_tell(t);
		tell(t, change->kind, change->at, change->text, *change->there ? change->there : NULL,
		    *change->there ? change->back : NULL);
	}
	t->step = false;
	ask_facts(t);
}

static void take_event(struct truth *t, const struct event *event)
{
	char text[60];

	witness_event(t->witness, event);
	if (event->fate != EVENT_CUE || event->protocol != EVENT_TCP || event->syn || event->length > 0)
		return;
	snprintf(text, sizeof text, "dropped an ACK %s, on cue", event->way == EVENT_BACK ? "coming" : "going");
	tell(t, SESSION_EVENT_FAULT, event->in, text, NULL, NULL);
}

static void on_line(void *context, const char *line)
{
	struct truth *t = context;
	struct link_change change;
	struct event event;
	enum event_way way;
	uint64_t serial;

	if (event_read(&event, line) == 0)
		take_event(t, &event);
	else if (event_read_undelivered(line, &serial, &way) == 0)
		witness_undelivered(t->witness, serial, way);
	else if (link_change_read(&change, line) == 0)
		take_change(t, &change);
}

static void on_gone(void *context)
{
	struct truth *t = context;

	t->hooks.gone(t->hooks.context);
}

struct truth *truth_open(const char *path, const char *far, size_t rows, const struct truth_hooks *hooks, int64_t now)
{
	struct truth *t = calloc(1, sizeof *t);

	if (!t)
		return NULL;
	t->hooks = *hooks;
	t->now = now;
	t->far_flow = -1;
	t->tell_at = CLOCK_NEVER;
	t->witness = witness_new(rows);
	t->lab = t->witness ? lab_open(path,
	    &(struct lab_hooks){.context = t, .answer = on_answer, .line = on_line, .gone = on_gone}) : NULL;
	if (!t->lab) {
		const int error = t->witness ? errno : ENOMEM;

		truth_close(t);
		errno = error;
		return NULL;
	}
	if (far)
		t->far = far_open(far);
	ask_facts(t);
	lab_settle(t->lab, SETTLE);
	return t;
}

void truth_close(struct truth *t)
{
	if (!t)
		return;
	lab_close(t->lab);
	far_close(t->far);
	witness_free(t->witness);
	free(t);
}

/* --- flows --- */

static void want_events(struct truth *t)
{
	char order[100] = "events on";

	for (int i = 0; i < t->port_count && t->port_count <= PORTS; i++) {
		const size_t used = strlen(order);

		snprintf(order + used, sizeof order - used, " %u", t->ports[i]);
	}
	(void)lab_order(t->lab, PURPOSE_EVENTS, 0, order);
	lab_settle(t->lab, SETTLE);
}

static void want_port(struct truth *t, const char *text)
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

int truth_flow(struct truth *t, bool stream, int64_t wait, const char *port)
{
	if (lab_is_gone(t->lab))
		return -1;
	want_port(t, port);
	return witness_flow(t->witness, stream, wait);
}

void truth_set_ledger(struct truth *t, int flow, const struct ledger *ledger)
{
	if (flow >= 0)
		witness_set_ledger(t->witness, flow, ledger);
}

void truth_opened(struct truth *t, int flow, uint16_t here, uint16_t there, uint64_t from)
{
	if (flow < 0)
		return;
	witness_opened(t->witness, flow, here, there, from);
	if (!witness_is_stream(t->witness, flow))
		return;
	far_connected(t->far, here);
	t->far_flow = flow;
}

void truth_sent(struct truth *t, int flow, uint64_t number, uint64_t from, uint64_t to)
{
	if (flow >= 0 && !lab_is_gone(t->lab))
		witness_sent(t->witness, flow, number, from, to);
}

void truth_timer(struct truth *t, int flow, enum event_way way, const struct session_tcp *tcp, int64_t asked, int64_t answered)
{
	if (flow >= 0)
		witness_timer(t->witness, flow, way, &(struct witness_timer){.asked = asked, .answered = answered,
		    .timeout = tcp->timeout, .doubled = tcp->doubled, .ran_out = tcp->timeouts});
}

void truth_closed(struct truth *t, int flow, int64_t now)
{
	if (flow < 0)
		return;
	if (witness_is_stream(t->witness, flow))
		far_finish(t->far);
	witness_closed(t->witness, flow, now);
}

/* --- orders --- */

int truth_order(struct truth *t, int purpose, const char *order)
{
	t->changes++;
	if (lab_order(t->lab, purpose, 0, order) < 0)
		return -1;
	ask_facts(t);
	/* What is sent next meets the link as it was just ordered. */
	lab_settle(t->lab, ORDER_SETTLE);
	return 0;
}

int truth_step(struct truth *t, const struct panel *panel, int by, char why[IMPAIR_WHY])
{
	char order[LAB_ORDER_MOST];

	if (panel_step(panel, by, t->facts.settings, order, sizeof order, why) < 0)
		return -1;
	if (t->hooks.changed)
		t->hooks.changed(t->hooks.context);
	return truth_order(t, 0, order);
}

/* --- the loop --- */

bool truth_waits(const struct truth *t)
{
	return !lab_is_gone(t->lab) && witness_waits(t->witness);
}

void truth_connections(struct truth *t, struct connections *c, int session, bool all, int64_t now, connections_tell *tell_it,
    void *context)
{
	const int64_t known = all || !t || lab_is_gone(t->lab) ? INT64_MAX : t->known;
	const int64_t wanted = connections_turn(c, session, t ? t->witness : NULL, known, now, tell_it, context);

	if (t && wanted > t->wanted)
		t->wanted = wanted;
}

void truth_settle(struct truth *t)
{
	/* In a turn of its loop the lab may take an order before a packet that is there; in the next the packet comes first. */
	for (int turn = 0; turn < 2; turn++)
		if (lab_order(t->lab, PURPOSE_SYNC, t->now, "predict") == 0)
			lab_settle(t->lab, SETTLE);
}

/* When to ask again, CLOCK_NEVER while an answer is awaited or nothing is to be known. */
static int64_t sync_at(const struct truth *t)
{
	const int64_t next = t->synced_at + SYNC_EVERY;

	if (lab_is_gone(t->lab) || t->syncing)
		return CLOCK_NEVER;
	if (witness_waits(t->witness))
		return next;
	return t->wanted <= t->known ? CLOCK_NEVER : t->wanted > next ? t->wanted : next;
}

void truth_watch(const struct truth *t, struct watch *w)
{
	lab_watch(t->lab, w);
	far_watch(t->far, witness_waits(t->witness), w);
	watch_until(w, t->tell_at);
	watch_until(w, sync_at(t));
}

static void judge(struct truth *t)
{
	if (t->now < sync_at(t))
		return;
	t->synced_at = t->now;
	t->syncing = lab_order(t->lab, PURPOSE_SYNC, t->now, "predict") == 0;
}

/* What the server's kernel says is for the witness too. Returns true when that settled something. */
static bool hear_far(struct truth *t)
{
	int64_t asked, answered;

	if (!far_times(t->far, &asked, &answered) || answered == t->far_heard || t->far_flow < 0)
		return false;
	const bool open = witness_asks(t->witness, t->far_flow, EVENT_BACK);

	t->far_heard = answered;
	truth_timer(t, t->far_flow, EVENT_BACK, far_tcp(t->far), asked, answered);
	return open;
}

bool truth_turn(struct truth *t, const struct watch *w, int64_t now)
{
	const uint64_t judged = witness_totals(t->witness)->judged;

	t->now = now;
	lab_turn(t->lab, w);
	if (now >= t->tell_at)
		truth_tell(t);
	judge(t);
	const bool changed = far_turn(t->far, w, witness_waits(t->witness), now), heard = hear_far(t), told = t->facts_new;

	t->facts_new = false;
	return changed || heard || told || judged != witness_totals(t->witness)->judged;
}

bool truth_gone(const struct truth *t)
{
	return lab_is_gone(t->lab);
}

const struct link_facts *truth_facts(const struct truth *t)
{
	return &t->facts;
}

const struct witness *truth_witness(const struct truth *t)
{
	return t->witness;
}

const struct far *truth_far(const struct truth *t)
{
	return t->far;
}
