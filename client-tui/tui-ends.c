/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Both ends of the TCP connection in the lab: each kernel is asked now and then, and some times in every timeout while lines wait;
 * what it says goes to the screen and to the witness. */
#include "config.h"

#include "app.h"
#include "clock.h"

/* How often a kernel is asked when nothing happens, and while lines wait. */
#define SELDOM NS_PER_S
#define OFTEN (100 * NS_PER_MS)
/* This end's costs nothing but a call. */
#define OFTEN_HERE (50 * NS_PER_MS)

static void show(struct app *app, const struct view_ends *ends)
{
	app->ends = *ends;
	app->changed = true;
}

static void on_told(void *context, const struct session_tcp *tcp, int64_t asked, int64_t answered)
{
	struct app *app = context;

	if (app->tcp)
		truth_timer(app->truth, app->tcp->flow, EVENT_BACK, tcp, asked, answered);
	app->changed = true;
}

static void on_gone(void *context)
{
	app_notice(context, false, "the server does not tell its numbers any more");
}

void app_ends_start(struct app *app)
{
	if (app->truth && app->settings.far)
		app->far = far_open(app->settings.far, &(struct far_hooks){.context = app, .told = on_told, .gone = on_gone});
}

static bool busy(const struct app *app, enum event_way way)
{
	return !session_settled(app->tcp->session) || truth_asks(app->truth, app->tcp->flow, way);
}

static int64_t every(const struct app *app, enum event_way way)
{
	if (!app->near_known)
		return OFTEN;
	return !busy(app, way) ? SELDOM : way == EVENT_THERE ? OFTEN_HERE : OFTEN;
}

void app_ends_watch(struct app *app, struct watch *w)
{
	if (!app->truth)
		return;
	if (app->far)
		far_watch(app->far, w);
	if (!app->tcp)
		return;
	watch_until(w, app->near_at + every(app, EVENT_THERE));
	if (app->far)
		watch_until(w, far_next(app->far, every(app, EVENT_BACK)));
}

static void ask_near(struct app *app, int64_t now)
{
	if (now < app->near_at + every(app, EVENT_THERE))
		return;
	app->near_at = now;
	app->near_known = session_tcp_state(app->tcp->session, &app->near_tcp) == 0;
	if (app->near_known)
		truth_timer(app->truth, app->tcp->flow, EVENT_THERE, &app->near_tcp, now, clock_monotonic());
}

void app_ends_turn(struct app *app, const struct watch *w, int64_t now)
{
	struct view_ends ends = {.near = NULL};

	if (!app->truth)
		return;
	if (app->far)
		far_turn(app->far, w);
	if (app->tcp) {
		ask_near(app, now);
		if (app->near_known)
			ends.near = &app->near_tcp;
		if (app->far) {
			far_ask(app->far, app->near_known ? app->near_tcp.here : "", every(app, EVENT_BACK), now);
			ends.far = far_told(app->far);
		}
	}
	if (ends.near != app->ends.near || ends.far != app->ends.far)
		show(app, &ends);
	app->lab.ends = app->settings.transport == SESSION_TCP && app->tcp ? &app->ends : NULL;
}
