/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the commands do. Their names and help stand in commands.c. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/tui-internal.h"
#include "common/clock.h"
#include "app/commands.h"
#include "report/summary.h"

/* The session that its lines go over, of both UDP's, has the new peer. */
static void tell_peer(struct app *app, int64_t now)
{
	const struct app_session *of = app_current(app);
	char text[400];

	snprintf(text, sizeof text, "%s %s", app->settings.both ? "UDP and TCP" : session_transport(of->session) == SESSION_TCP ? "TCP" :
	    "UDP", session_peer(of->session));
	app_event(app, &(const struct record_event){.kind = SESSION_EVENT_CONNECT, .session = of->recorded, .at = now, .text = text});
}

static void connect_to(struct app *app, char *arguments, int64_t now)
{
	char *rest = NULL;
	const char *host = strtok_r(arguments, " \t", &rest);
	const char *port = strtok_r(NULL, " \t", &rest);
	struct client_settings changed = app->settings;
	char why[300];

	if (app_replay_refuses(app))
		return;
	if (!host || strtok_r(NULL, " \t", &rest)) {
		app_say(app, "/connect HOST [PORT]; for example /connect localhost " CLIENT_PORT);
		return;
	}
	strcpy(changed.port, CLIENT_PORT);
	if (client_peer(host, port, &changed, why, sizeof why) < 0) {
		app_say(app, "%s", why);
		return;
	}
	app_leave_peer(app, now);
	app->settings = changed;
	if (app_open_current(app, now) == 0)
		tell_peer(app, now);
}

static void find(struct app *app, const char *text)
{
	int rows, columns;
	char *copy;

	if (*text) {
		copy = strdup(text);
		if (!copy)
			return;
		free(app->find);
		app->find = copy;
		app->view.find = NULL;
	}
	if (!app->find) {
		app_say(app, "/find TEXT; for example /find hello; /find alone goes on to the next older one");
		return;
	}
	screen_size(&rows, &columns);
	if (!view_find(&app->view, app->board, rows, columns, app->find))
		app_say(app, "'%.200s' is not found%s", app->find, app->view.find ? " further up" : "");
}

/* The transports that were used with this peer, side by side; the one in use before anything was sent. */
static void show_stats(struct app *app, int64_t now)
{
	const struct app_session *const of[] = {app->udp, app->tcp};
	struct facts facts[2], *used[2] = {NULL, NULL};

	for (int i = 0; i < 2; i++) {
		if (!of[i])
			continue;
		app_facts(app, of[i]->session, app_time(app, now), &facts[i]);
		if (facts[i].totals->typed > 0 || of[i] == app_current(app))
			used[i] = &facts[i];
	}
	if (used[0] || used[1])
		app_page(app, "statistics", stats_page(used[0], used[1]));
}

static void run(struct app *app, enum command command, char *arguments, int64_t now)
{
	switch (command) {
	case COMMAND_UDP:
		app_switch(app, SESSION_UDP, now);
		break;
	case COMMAND_TCP:
		app_switch(app, SESSION_TCP, now);
		break;
	case COMMAND_BOTH:
		app_both(app, now);
		break;
	case COMMAND_BURST:
		app_burst_command(app, arguments, now);
		break;
	case COMMAND_PLOT:
		app_plot_command(app, arguments);
		break;
	case COMMAND_CONNECT:
		connect_to(app, arguments, now);
		break;
	case COMMAND_ORDER:
		app->view.arrivals = !app->view.arrivals;
		break;
	case COMMAND_FIND:
		find(app, arguments);
		break;
	case COMMAND_STATS:
		show_stats(app, now);
		break;
	case COMMAND_CLEAR:
		board_clear(app->board);
		app->view.find = NULL;
		view_scroll_end(&app->view);
		break;
	case COMMAND_SAVE:
		app_save(app, arguments, now);
		break;
	case COMMAND_LINK:
	case COMMAND_DROP:
	case COMMAND_HOLD:
	case COMMAND_UNPLUG:
		app_lab_command(app, command, arguments, now);
		break;
	case COMMAND_HELP:
		app_page(app, "help", command_help_page());
		break;
	case COMMAND_QUIT:
		app->quit = true;
		break;
	default:
		break;
	}
}

void app_command(struct app *app, const char *line, size_t n, int64_t now)
{
	const char *arguments = "";
	const enum command command = command_parse(line, n, &arguments);
	char names[200], *copy;

	if (command == COMMAND_UNKNOWN) {
		app_say(app, "%.60s: no such command; /help lists them, // sends a line that starts with /", line);
		return;
	}
	if (command == COMMAND_AMBIGUOUS) {
		app_say(app, "more than one command begins so: %s", command_candidates(line, n, names, sizeof names));
		return;
	}
	copy = strndup(arguments, command_trim(arguments, n - (size_t)(arguments - line)));
	if (!copy)
		return;
	run(app, command, copy, now);
	app->changed = true;
	free(copy);
}
