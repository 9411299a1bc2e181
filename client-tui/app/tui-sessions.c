/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The sessions behind the screen: with the peer in use one a transport, and those that were left
 * and finish what is on its way. */
#include "config.h"

#include <stdlib.h>

#include "app/tui-internal.h"
#include "common/clock.h"
#include "terminal/line-editor.h"

/* How long TCP lines left behind by /connect may still be answered. */
#define LEAVE_TIME (5 * NS_PER_S)

/* --- what the sessions tell --- */

void tui_reply(void *context, const struct session_reply *reply)
{
	const struct tui_session *of = context;
	struct tui *tui = of->tui;
	const bool stream = session_transport(of->session) == SESSION_TCP;

	/* Pieces of an endless line are not for a screen; its end is reported. */
	if (reply->more)
		return;
	recorder_reply(tui->recorder, of->recorded, reply, tui_time(tui, clock_monotonic()));
	if (reply->matched.match == MATCH_STRAY)
		transcript_add_text(tui->transcript, TRANSCRIPT_STRAY, stream, reply->text,
		    reply->length);
	transcript_add_arrival(tui->transcript, reply->matched.match, stream, reply->matched.number,
	    reply->text, reply->length);
	tui->changed = true;
}

static void on_row(void *context, uint64_t number)
{
	struct tui_session *of = context;

	recorder_row(of->tui->recorder, of->recorded, number, clock_monotonic());
	of->tui->changed = true;
}

static void on_sent(void *context, uint64_t number, uint64_t from, uint64_t to)
{
	tui_lab_sent(context, number, from, to);
	on_row(context, number);
}

static void report_connection(void *context, const struct session_event *event,
    struct connection_note *note, bool final)
{
	struct tui *tui = context;

	if (!event->quiet && note->row == CONNECTIONS_NO_ROW) {
		note->row = transcript_end(tui->transcript);
		transcript_add_event(tui->transcript, event);
	} else if (!event->quiet) {
		transcript_change_event(tui->transcript, note->row, event);
	}
	if (final)
		recorder_event(tui->recorder, event, event->at);
	tui->changed = true;
}

static void report_connections(struct tui_session *of, bool all, int64_t now)
{
	connections_dispatch_lab(&of->connections, of->tui->lab, of->recorded, all, now,
	    report_connection, of->tui);
}

void tui_connections_dispatch(struct tui *tui, bool all, int64_t now)
{
	if (all && tui->lab)
		lab_settle(tui->lab);
	for (size_t i = 0; i < tui->session_count; i++)
		report_connections(tui->sessions[i], all, now);
}

/* At once, before the notice of what it means; not while the session is being opened, which is not
 * known yet. */
static void on_connection(void *context, const struct session_connection *connection)
{
	struct tui_session *of = context;

	connections_take(&of->connections, connection);
	if (of->session)
		report_connections(of, false, clock_monotonic());
}

static void on_notice(void *context, bool bad, const char *text)
{
	tui_notice(((struct tui_session *)context)->tui, bad, text);
}

/* --- sessions --- */

struct tui_session *tui_current(struct tui *tui)
{
	return tui->settings.transport == SESSION_TCP && !tui->settings.both ? tui->tcp : tui->udp;
}

/* Sessions to peers that were left before a line was typed stand in no row: they need not stay. */
static void drop_unused(struct tui *tui)
{
	size_t kept = 0;

	for (size_t i = 0; i < tui->session_count; i++) {
		struct tui_session *s = tui->sessions[i];

		if (s->left && session_dead(s->session) &&
		    ledger_totals(session_ledger(s->session))->typed == 0) {
			recorder_remove(tui->recorder, s->recorded);
			session_close(s->session);
			free(s);
		} else {
			tui->sessions[kept++] = s;
		}
	}
	tui->session_count = kept;
}

static struct tui_session *new_session(struct tui *tui, enum session_transport transport,
    int64_t now)
{
	const struct settings *s = &tui->settings;
	struct session_settings settings = settings_session(s, transport);
	struct tui_session *new;

	if (s->count > 0)
		settings.rows = generator_rows(&tui->plan, s->reply_timeout, (size_t)s->rows);
	drop_unused(tui);
	if (tui->session_count == TUI_SESSIONS || !(new = calloc(1, sizeof *new)))
		return NULL;
	new->tui = tui;
	new->recorded = -1;
	new->flow = tui_lab_flow(tui, transport);
	new->session = session_open(&settings,
	    &(struct session_hooks){ .context = new,
	        .reply = tui_reply,
	        .row = on_row,
	        .notice = on_notice,
	        .connection = on_connection,
	        .opened = tui_lab_opened,
	        .sent = on_sent },
	    now);
	if (!new->session) {
		free(new);
		return NULL;
	}
	lab_set_ledger(tui->lab, new->flow, session_ledger(new->session));
	tui->sessions[tui->session_count++] = new;
	tui_record_session(new);
	return new;
}

static bool in_use(const struct tui *tui, enum session_transport transport)
{
	return tui->settings.both || tui->settings.transport == transport;
}

int tui_open_current(struct tui *tui, int64_t now)
{
	if (tui->replay)
		return 0;
	if (!tui->udp && in_use(tui, SESSION_UDP))
		tui->udp = new_session(tui, SESSION_UDP, now);
	if (!tui->tcp && in_use(tui, SESSION_TCP))
		tui->tcp = new_session(tui, SESSION_TCP, now);
	if ((tui->udp || !in_use(tui, SESSION_UDP)) && (tui->tcp || !in_use(tui, SESSION_TCP)))
		return 0;
	tui_say(tui, tui->session_count == TUI_SESSIONS ? "too many peers in one run: start anew"
	                                                : "memory is short");
	return -1;
}

static void leave(struct tui_session *of, int64_t now)
{
	if (!of)
		return;
	of->left = true;
	of->leave_by = now + (session_transport(of->session) == SESSION_TCP
	                             ? LEAVE_TIME
	                             : 2 * session_reply_timeout(of->session));
	session_finish(of->session, now);
}

void tui_leave_peer(struct tui *tui, int64_t now)
{
	leave(tui->udp, now);
	leave(tui->tcp, now);
	tui->udp = tui->tcp = NULL;
}

void tui_prompt(struct tui *tui)
{
	tui->view.both = tui->settings.both;
	line_editor_set_prompt(tui->replay                              ? "read> "
	                       : tui->settings.both                     ? "both> "
	                       : tui->settings.transport == SESSION_TCP ? "tcp> "
	                                                                : "udp> ");
}

void tui_switch(struct tui *tui, enum session_transport transport, int64_t now)
{
	tui->settings.transport = transport;
	tui->settings.both = false;
	tui_prompt(tui);
	tui_open_current(tui, now);
	tui->changed = true;
}

void tui_both(struct tui *tui, int64_t now)
{
	tui->settings.both = true;
	tui_prompt(tui);
	tui_open_current(tui, now);
	tui->changed = true;
}

/* With the number that the line has over the other transport too. */
static bool send_over(struct tui *tui, struct tui_session *to, const char *text, size_t n,
    int pieces, int64_t now)
{
	if (session_send(to->session, tui->last_number, text, n, pieces, now, now) == 0)
		return true;
	tui_say(tui, "memory is short: the line was not sent");
	return false;
}

int tui_send(struct tui *tui, const char *text, size_t n, int pieces, int64_t now)
{
	bool udp, tcp;

	if (tui_replay_refuses(tui))
		return -1;
	if (tui_open_current(tui, now) < 0)
		return -1;
	if (tui->lab)
		lab_report(tui->lab);
	tui->last_number++;
	udp = in_use(tui, SESSION_UDP) && send_over(tui, tui->udp, text, n, pieces, now);
	tcp = in_use(tui, SESSION_TCP) && send_over(tui, tui->tcp, text, n, pieces, now);
	if (udp && tcp)
		transcript_add_both(tui->transcript, session_ledger(tui->udp->session),
		    session_ledger(tui->tcp->session), tui->last_number);
	else if (udp || tcp)
		transcript_add_line(tui->transcript,
		    session_ledger((tcp ? tui->tcp : tui->udp)->session), tcp, tui->last_number);
	tui->changed = true;
	return udp || tcp ? 0 : -1;
}

void tui_figures(const struct tui *tui, const struct session *s, int64_t now,
    struct figures *figures)
{
	const struct generator *g = &tui->burst;

	session_figures(s, now, figures);
	tui_lab_figures(tui, s, figures);
	if (!tui->replay && g->plan.interval > 0)
		figures->schedule = (struct schedule_totals){
			.due = g->sent, .slipped = g->slipped, .worst = g->worst
		};
}

/* --- the loop --- */

static void give_up(struct tui_session *of, int64_t now)
{
	lab_closed(of->tui->lab, of->flow, now);
	session_give_up(of->session, now);
}

bool tui_sessions_busy(const struct tui *tui, int64_t now)
{
	for (size_t i = 0; i < tui->session_count; i++)
		if (!session_settled(tui->sessions[i]->session))
			return true;
	return (in_use(tui, SESSION_UDP) && tui->udp && session_state(tui->udp->session, now)) ||
	       (in_use(tui, SESSION_TCP) && tui->tcp && session_state(tui->tcp->session, now));
}

void tui_sessions_watch(const struct tui *tui, struct fd_watch *w)
{
	for (size_t i = 0; i < tui->session_count; i++) {
		session_watch(tui->sessions[i]->session, w);
		fd_watch_until(w, connections_due(&tui->sessions[i]->connections));
		if (tui->sessions[i]->left && !session_dead(tui->sessions[i]->session))
			fd_watch_until(w, tui->sessions[i]->leave_by);
	}
}

void tui_sessions_dispatch(struct tui *tui, const struct fd_watch *w, int64_t now)
{
	for (size_t i = 0; i < tui->session_count; i++) {
		struct tui_session *s = tui->sessions[i];

		session_dispatch(s->session, w, now);
		if (s->left && !session_dead(s->session) &&
		    (session_settled(s->session) || now >= s->leave_by))
			give_up(s, now);
	}
}

void tui_sessions_end(struct tui *tui)
{
	for (size_t i = 0; i < tui->session_count; i++)
		give_up(tui->sessions[i], clock_monotonic());
	tui_connections_dispatch(tui, true, clock_monotonic());
}
