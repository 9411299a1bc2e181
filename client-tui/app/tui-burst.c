/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Generated lines on the screen: /burst, F5, --count. */
#include "config.h"

#include <stdio.h>

#include "app/tui-internal.h"
#include "common/clock.h"

/* The lines of one turn at most take so long: a key waits no longer for them. */
#define TURN_TIME (10 * NS_PER_MS)

bool app_bursting(const struct app *app)
{
	return app->burst_due || app->burst.running;
}

static void tell_result(struct app *app)
{
	char text[300], told[320];

	generator_result(&app->burst, app->utf8 ? "µ" : "u", text, sizeof text);
	snprintf(told, sizeof told, "burst: %s", text);
	app_notice(app, app->burst.slipped > 0, told);
}

void app_burst_stop(struct app *app, int64_t now)
{
	if (app->burst.running) {
		generator_stop(&app->burst, now);
		tell_result(app);
	} else if (app->burst_due) {
		app_say(app, "no lines were sent yet, and none will be");
	}
	app->burst_due = false;
	app->changed = true;
}

void app_burst(struct app *app, int64_t now)
{
	if (app_replay_refuses(app))
		return;
	app_burst_stop(app, now);
	view_scroll_end(&app->view);
	app->burst_due = app_open_current(app, now) == 0;
	app->changed = true;
}

void app_burst_toggle(struct app *app, int64_t now)
{
	if (app_bursting(app))
		app_burst_stop(app, now);
	else
		app_burst(app, now);
}

void app_burst_command(struct app *app, const char *arguments, int64_t now)
{
	char why[GENERATOR_WHY];

	if (generator_read(arguments, &app->plan, why) < 0)
		app_say(app, "%s", why);
	else
		app_burst(app, now);
}

/* --- the loop --- */

/* The sessions that lines go over now; there may be one only. */
static size_t sessions_in_use(const struct app *app, struct session *s[2])
{
	size_t n = 0;

	if (app->udp && (app->settings.both || app->settings.transport == SESSION_UDP))
		s[n++] = app->udp->session;
	if (app->tcp && (app->settings.both || app->settings.transport == SESSION_TCP))
		s[n++] = app->tcp->session;
	return n;
}

static bool opening(const struct app *app)
{
	struct session *s[2];
	const size_t n = sessions_in_use(app, s);

	for (size_t i = 0; i < n; i++)
		if (session_opening(s[i]))
			return true;
	return false;
}

static bool room(const struct app *app)
{
	struct session *s[2];
	const size_t n = sessions_in_use(app, s);

	for (size_t i = 0; i < n; i++)
		if (!session_has_room(s[i]))
			return false;
	return true;
}

int64_t app_burst_due(struct app *app)
{
	/* Without an interval what holds the lines back is the sessions' room, and that they are not ready yet. */
	if (app->burst_due)
		return opening(app) ? CLOCK_NEVER : 0;
	return app->burst.plan.interval == 0 && !room(app) ? CLOCK_NEVER : generator_due(&app->burst);
}

static int64_t alone_until(const struct app *app)
{
	struct session *s[2];
	const size_t n = sessions_in_use(app, s);
	int64_t until = 0;

	for (size_t i = 0; i < n; i++)
		if (session_alone_until(s[i]) > until)
			until = session_alone_until(s[i]);
	return until;
}

static bool send_next(struct app *app, int64_t now)
{
	const int more = app->burst.plan.interval > 0 ? 0 : SESSION_MORE;
	char text[65536];
	size_t n;

	generator_hold(&app->burst, alone_until(app), now);
	if ((app->burst.plan.interval == 0 && !room(app)) || !generator_next(&app->burst, now))
		return false;
	n = generator_text(app->last_number + 1, app->burst.plan.size, text, sizeof text);
	if (app_send(app, text, n, SESSION_LINE | SESSION_GENERATED | more, now) < 0)
		generator_stop(&app->burst, now);
	return true;
}

void app_burst_turn(struct app *app)
{
	int64_t now = clock_monotonic();
	const int64_t until = now + TURN_TIME;
	struct session *s[2];

	if (app->burst_due && !opening(app)) {
		app->burst_due = false;
		generator_start(&app->burst, &app->plan, now);
	}
	if (!app->burst.running)
		return;
	for (int i = 0; i < GENERATOR_TURN && now < until && send_next(app, now); i++)
		now = clock_monotonic();
	const size_t n = sessions_in_use(app, s);
	for (size_t i = 0; i < n; i++)
		session_push(s[i], now);
	if (!app->burst.running)
		tell_result(app);
}

const char *app_burst_progress(struct app *app, int64_t now)
{
	char text[sizeof app->progress - 8];

	if (app->burst_due)
		return "burst: waits for the connection";
	if (!app->burst.running)
		return NULL;
	generator_progress(&app->burst, now, app->utf8 ? "·" : "-", text, sizeof text);
	snprintf(app->progress, sizeof app->progress, "burst %s", text);
	return app->progress;
}
