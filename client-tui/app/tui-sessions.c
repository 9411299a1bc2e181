/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The sessions behind the screen: with the peer in use one a transport, and those that were left and finish what is on its way. */
#include "config.h"

#include <stdlib.h>

#include "app/tui-internal.h"
#include "common/clock.h"
#include "terminal/line-editor.h"

/* How long TCP lines left behind by /connect may still be answered. */
#define LEAVE_TIME (5 * NS_PER_S)

/* --- what the sessions tell --- */

void app_reply(void *context, const struct session_reply *reply)
{
	const struct app_session *of = context;
	struct app *app = of->app;
	const bool stream = session_transport(of->session) == SESSION_TCP;

	/* Pieces of an endless line are not for a screen; its end is told. */
	if (reply->more)
		return;
	recorder_reply(app->recorder, of->recorded, reply, app_time(app, clock_monotonic()));
	if (reply->verdict.match == MATCH_STRAY)
		board_add_text(app->board, BOARD_STRAY, stream, reply->text, reply->length);
	board_add_arrival(app->board, reply->verdict.match, stream, reply->verdict.number, reply->text, reply->length);
	app->changed = true;
}

static void on_row(void *context, uint64_t number)
{
	struct app_session *of = context;

	recorder_row(of->app->recorder, of->recorded, number, clock_monotonic());
	of->app->changed = true;
}

static void tell_connection(void *context, const struct record_event *event, struct connection_note *note, bool final)
{
	struct app *app = context;

	if (!event->quiet && note->row == CONNECTIONS_NO_ROW) {
		note->row = board_end(app->board);
		board_add_event(app->board, event);
	} else if (!event->quiet) {
		board_change_event(app->board, note->row, event);
	}
	if (final)
		recorder_event(app->recorder, event, event->at);
	app->changed = true;
}

static void tell_connections(struct app_session *of, bool all, int64_t now)
{
	truth_connections(of->app->truth, &of->connections, of->recorded, all, now, tell_connection, of->app);
}

void app_connections_turn(struct app *app, bool all, int64_t now)
{
	if (all && app->truth)
		truth_settle(app->truth);
	for (size_t i = 0; i < app->session_count; i++)
		tell_connections(app->sessions[i], all, now);
}

/* At once, before the notice of what it means; not while the session is being opened, which is not known yet. */
static void on_connection(void *context, const struct session_connection *connection)
{
	struct app_session *of = context;

	connections_take(&of->connections, connection);
	if (of->session)
		tell_connections(of, false, clock_monotonic());
}

static void on_notice(void *context, bool bad, const char *text)
{
	app_notice(((struct app_session *)context)->app, bad, text);
}

/* --- sessions --- */

struct app_session *app_current(struct app *app)
{
	return app->settings.transport == SESSION_TCP && !app->settings.both ? app->tcp : app->udp;
}

/* Sessions to peers that were left before a line was typed stand in no row: they need not stay. */
static void drop_unused(struct app *app)
{
	size_t kept = 0;

	for (size_t i = 0; i < app->session_count; i++) {
		struct app_session *s = app->sessions[i];

		if (s->left && session_dead(s->session) && ledger_totals(session_ledger(s->session))->typed == 0) {
			recorder_forget(app->recorder, s->recorded);
			session_close(s->session);
			free(s);
		} else {
			app->sessions[kept++] = s;
		}
	}
	app->session_count = kept;
}

static struct app_session *new_session(struct app *app, enum session_transport transport, int64_t now)
{
	const struct client_settings *s = &app->settings;
	struct session_settings settings = client_session(s, transport);
	struct app_session *new;

	if (s->count > 0)
		settings.rows = generator_rows(&app->plan, s->wait, (size_t)s->rows);
	drop_unused(app);
	if (app->session_count == APP_SESSIONS || !(new = calloc(1, sizeof *new)))
		return NULL;
	new->app = app;
	new->recorded = -1;
	new->flow = app_lab_flow(app, transport);
	new->session = session_open(&settings,
	    &(struct session_hooks){.context = new, .reply = app_reply, .row = on_row, .notice = on_notice,
		.connection = on_connection, .opened = app_lab_opened, .sent = app_lab_sent},
	    now);
	if (!new->session) {
		free(new);
		return NULL;
	}
	truth_set_ledger(app->truth, new->flow, session_ledger(new->session));
	app->sessions[app->session_count++] = new;
	app_record_session(new);
	return new;
}

static bool in_use(const struct app *app, enum session_transport transport)
{
	return app->settings.both || app->settings.transport == transport;
}

int app_open_current(struct app *app, int64_t now)
{
	if (app->replay)
		return 0;
	if (!app->udp && in_use(app, SESSION_UDP))
		app->udp = new_session(app, SESSION_UDP, now);
	if (!app->tcp && in_use(app, SESSION_TCP))
		app->tcp = new_session(app, SESSION_TCP, now);
	if ((app->udp || !in_use(app, SESSION_UDP)) && (app->tcp || !in_use(app, SESSION_TCP)))
		return 0;
	app_say(app, app->session_count == APP_SESSIONS ? "too many peers in one run: start anew" : "memory is short");
	return -1;
}

static void leave(struct app_session *of, int64_t now)
{
	if (!of)
		return;
	of->left = true;
	of->leave_by = now + (session_transport(of->session) == SESSION_TCP ? LEAVE_TIME : 2 * session_wait(of->session));
	session_finish(of->session, now);
}

void app_leave_peer(struct app *app, int64_t now)
{
	leave(app->udp, now);
	leave(app->tcp, now);
	app->udp = app->tcp = NULL;
}

void app_prompt(struct app *app)
{
	app->view.both = app->settings.both;
	prompt_set(app->replay ? "read> " : app->settings.both ? "both> " : app->settings.transport == SESSION_TCP ? "tcp> " : "udp> ");
}

void app_switch(struct app *app, enum session_transport transport, int64_t now)
{
	app->settings.transport = transport;
	app->settings.both = false;
	app_prompt(app);
	app_open_current(app, now);
	app->changed = true;
}

void app_both(struct app *app, int64_t now)
{
	app->settings.both = true;
	app_prompt(app);
	app_open_current(app, now);
	app->changed = true;
}

/* With the number that the line has over the other transport too. */
static bool send_over(struct app *app, struct app_session *to, const char *text, size_t n, int pieces, int64_t now)
{
	if (session_send(to->session, app->last_number, text, n, pieces, now, now) == 0)
		return true;
	app_say(app, "memory is short: the line was not sent");
	return false;
}

int app_send(struct app *app, const char *text, size_t n, int pieces, int64_t now)
{
	bool udp, tcp;

	if (app_replay_refuses(app))
		return -1;
	if (app_open_current(app, now) < 0)
		return -1;
	if (app->truth)
		truth_tell(app->truth);
	app->last_number++;
	udp = in_use(app, SESSION_UDP) && send_over(app, app->udp, text, n, pieces, now);
	tcp = in_use(app, SESSION_TCP) && send_over(app, app->tcp, text, n, pieces, now);
	if (udp && tcp)
		board_add_both(app->board, session_ledger(app->udp->session), session_ledger(app->tcp->session), app->last_number);
	else if (udp || tcp)
		board_add_line(app->board, session_ledger((tcp ? app->tcp : app->udp)->session), tcp, app->last_number);
	app->changed = true;
	return udp || tcp ? 0 : -1;
}

void app_facts(const struct app *app, const struct session *s, int64_t now, struct facts *facts)
{
	const struct generator *g = &app->burst;

	session_facts(s, now, facts);
	app_lab_facts(app, s, facts);
	if (!app->replay && g->plan.interval > 0)
		facts->schedule = (struct schedule_totals){.due = g->sent, .slipped = g->slipped, .worst = g->worst};
}

/* --- the loop --- */

static void give_up(struct app_session *of, int64_t now)
{
	truth_closed(of->app->truth, of->flow, now);
	session_give_up(of->session, now);
}

bool app_sessions_busy(const struct app *app, int64_t now)
{
	for (size_t i = 0; i < app->session_count; i++)
		if (!session_settled(app->sessions[i]->session))
			return true;
	return (in_use(app, SESSION_UDP) && app->udp && session_state(app->udp->session, now)) ||
	    (in_use(app, SESSION_TCP) && app->tcp && session_state(app->tcp->session, now));
}

void app_sessions_watch(const struct app *app, struct watch *w)
{
	for (size_t i = 0; i < app->session_count; i++) {
		session_watch(app->sessions[i]->session, w);
		watch_until(w, connections_due(&app->sessions[i]->connections));
		if (app->sessions[i]->left && !session_dead(app->sessions[i]->session))
			watch_until(w, app->sessions[i]->leave_by);
	}
}

void app_sessions_turn(struct app *app, const struct watch *w, int64_t now)
{
	for (size_t i = 0; i < app->session_count; i++) {
		struct app_session *s = app->sessions[i];

		session_turn(s->session, w, now);
		if (s->left && !session_dead(s->session) && (session_settled(s->session) || now >= s->leave_by))
			give_up(s, now);
	}
}

void app_sessions_end(struct app *app)
{
	for (size_t i = 0; i < app->session_count; i++)
		give_up(app->sessions[i], clock_monotonic());
	app_connections_turn(app, true, clock_monotonic());
}
