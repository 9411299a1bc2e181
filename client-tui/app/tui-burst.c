/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Generated lines on the screen: /burst, F5, --count. */
#include "config.h"

#include <stdio.h>

#include "app/tui-internal.h"
#include "common/clock.h"

/* The lines of one turn at most take so long: a key waits no longer for them. */
#define BATCH_TIME (10 * NS_PER_MS)

bool tui_bursting(const struct tui *tui)
{
	return tui->burst_due || tui->burst.running;
}

static void report_result(struct tui *tui)
{
	char text[300], reported[320];

	generator_result(&tui->burst, tui->utf8 ? "µ" : "u", text, sizeof text);
	snprintf(reported, sizeof reported, "burst: %s", text);
	tui_notice(tui, tui->burst.slipped > 0, reported);
}

void tui_burst_stop(struct tui *tui, int64_t now)
{
	if (tui->burst.running) {
		generator_stop(&tui->burst, now);
		report_result(tui);
	} else if (tui->burst_due) {
		tui_say(tui, "no lines were sent yet, and none will be");
	}
	tui->burst_due = false;
	tui->changed = true;
}

void tui_burst(struct tui *tui, int64_t now)
{
	if (tui_replay_refuses(tui))
		return;
	tui_burst_stop(tui, now);
	view_scroll_end(&tui->view);
	tui->burst_due = tui_open_current(tui, now) == 0;
	tui->changed = true;
}

void tui_burst_toggle(struct tui *tui, int64_t now)
{
	if (tui_bursting(tui))
		tui_burst_stop(tui, now);
	else
		tui_burst(tui, now);
}

void tui_burst_command(struct tui *tui, const char *arguments, int64_t now)
{
	char why[GENERATOR_WHY];

	if (generator_read(arguments, &tui->plan, why) < 0)
		tui_say(tui, "%s", why);
	else
		tui_burst(tui, now);
}

/* --- the loop --- */

/* The sessions that lines go over now; there may be one only. */
static size_t sessions_in_use(const struct tui *tui, struct session *s[2])
{
	size_t n = 0;

	if (tui->udp && (tui->settings.both || tui->settings.transport == SESSION_UDP))
		s[n++] = tui->udp->session;
	if (tui->tcp && (tui->settings.both || tui->settings.transport == SESSION_TCP))
		s[n++] = tui->tcp->session;
	return n;
}

static bool opening(const struct tui *tui)
{
	struct session *s[2];
	const size_t n = sessions_in_use(tui, s);

	for (size_t i = 0; i < n; i++)
		if (session_opening(s[i]))
			return true;
	return false;
}

static bool has_room(const struct tui *tui)
{
	struct session *s[2];
	const size_t n = sessions_in_use(tui, s);

	for (size_t i = 0; i < n; i++)
		if (!session_has_room(s[i]))
			return false;
	return true;
}

int64_t tui_burst_due(struct tui *tui)
{
	/* Without an interval what holds the lines back is the sessions' room, and that they are
	 * not ready yet. */
	if (tui->burst_due)
		return opening(tui) ? CLOCK_NEVER : 0;
	return tui->burst.plan.interval == 0 && !has_room(tui) ? CLOCK_NEVER
	                                                       : generator_due(&tui->burst);
}

static int64_t alone_until(const struct tui *tui)
{
	struct session *s[2];
	const size_t n = sessions_in_use(tui, s);
	int64_t until = 0;

	for (size_t i = 0; i < n; i++)
		if (session_alone_until(s[i]) > until)
			until = session_alone_until(s[i]);
	return until;
}

static bool send_next(struct tui *tui, int64_t now)
{
	const int more = tui->burst.plan.interval > 0 ? 0 : SESSION_MORE;
	char text[65536];
	size_t n;

	generator_hold(&tui->burst, alone_until(tui), now);
	if ((tui->burst.plan.interval == 0 && !has_room(tui)) || !generator_next(&tui->burst, now))
		return false;
	n = generator_text(tui->last_number + 1, tui->burst.plan.size, text, sizeof text);
	if (tui_send(tui, text, n, SESSION_LINE | SESSION_GENERATED | more, now) < 0)
		generator_stop(&tui->burst, now);
	return true;
}

void tui_burst_dispatch(struct tui *tui)
{
	int64_t now = clock_monotonic();
	const int64_t until = now + BATCH_TIME;
	struct session *s[2];

	if (tui->burst_due && !opening(tui)) {
		tui->burst_due = false;
		generator_start(&tui->burst, &tui->plan, now);
	}
	if (!tui->burst.running)
		return;
	for (int i = 0; i < GENERATOR_BATCH && now < until && send_next(tui, now); i++)
		now = clock_monotonic();
	const size_t n = sessions_in_use(tui, s);
	for (size_t i = 0; i < n; i++)
		session_push(s[i], now);
	if (!tui->burst.running)
		report_result(tui);
}

const char *tui_burst_progress(struct tui *tui, int64_t now)
{
	char text[sizeof tui->progress - 8];

	if (tui->burst_due)
		return "burst: waits for the connection";
	if (!tui->burst.running)
		return NULL;
	generator_progress(&tui->burst, now, tui->utf8 ? "·" : "-", text, sizeof text);
	snprintf(tui->progress, sizeof tui->progress, "burst %s", text);
	return tui->progress;
}
