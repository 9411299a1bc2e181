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
static void report_peer(struct tui *tui, int64_t now)
{
	const struct tui_session *of = tui_current(tui);
	char text[400];

	snprintf(text, sizeof text, "%s %s",
	    tui->settings.both                              ? "UDP and TCP"
	    : session_transport(of->session) == SESSION_TCP ? "TCP"
	                                                    : "UDP",
	    session_peer(of->session));
	tui_event(tui,
	    &(const struct session_event){
	        .kind = SESSION_EVENT_CONNECT, .session = of->recorded, .at = now, .text = text });
}

static void connect_to(struct tui *tui, char *arguments, int64_t now)
{
	char *rest = NULL;
	const char *host = strtok_r(arguments, " \t", &rest);
	const char *port = strtok_r(NULL, " \t", &rest);
	struct settings changed = tui->settings;
	char why[300];

	if (tui_replay_refuses(tui))
		return;
	if (!host || strtok_r(NULL, " \t", &rest)) {
		tui_say(tui,
		    "/connect HOST [PORT]; for example /connect localhost " SETTINGS_PEER_PORT);
		return;
	}
	strcpy(changed.port, SETTINGS_PEER_PORT);
	if (settings_peer(host, port, &changed, why, sizeof why) < 0) {
		tui_say(tui, "%s", why);
		return;
	}
	tui_leave_peer(tui, now);
	tui->settings = changed;
	if (tui_open_current(tui, now) == 0)
		report_peer(tui, now);
}

static void find(struct tui *tui, const char *text)
{
	int rows, columns;
	char *copy;

	if (*text) {
		copy = strdup(text);
		if (!copy)
			return;
		free(tui->find);
		tui->find = copy;
		tui->view.find = NULL;
	}
	if (!tui->find) {
		tui_say(tui,
		    "/find TEXT; for example /find hello; /find alone goes on to the next older "
		    "one");
		return;
	}
	screen_size(&rows, &columns);
	if (!view_find(&tui->view, tui->transcript, rows, columns, tui->find))
		tui_say(tui, "'%.200s' is not found%s", tui->find,
		    tui->view.find ? " further up" : "");
}

/* The transports that were used with this peer, side by side; the one in use before anything was
 * sent. */
static void show_stats(struct tui *tui, int64_t now)
{
	const struct tui_session *const of[] = { tui->udp, tui->tcp };
	struct figures figures[2], *used[2] = { NULL, NULL };

	for (int i = 0; i < 2; i++) {
		if (!of[i])
			continue;
		tui_figures(tui, of[i]->session, tui_time(tui, now), &figures[i]);
		if (figures[i].totals.typed > 0 || of[i] == tui_current(tui))
			used[i] = &figures[i];
	}
	if (used[0] || used[1])
		tui_page(tui, "statistics", summary_page(used[0], used[1]));
}

static void run(struct tui *tui, enum command command, char *arguments, int64_t now)
{
	switch (command) {
	case COMMAND_UDP:
		tui_switch(tui, SESSION_UDP, now);
		break;
	case COMMAND_TCP:
		tui_switch(tui, SESSION_TCP, now);
		break;
	case COMMAND_BOTH:
		tui_both(tui, now);
		break;
	case COMMAND_BURST:
		tui_burst_command(tui, arguments, now);
		break;
	case COMMAND_PLOT:
		tui_plot_command(tui, arguments);
		break;
	case COMMAND_CONNECT:
		connect_to(tui, arguments, now);
		break;
	case COMMAND_ORDER:
		tui->view.arrivals = !tui->view.arrivals;
		break;
	case COMMAND_FIND:
		find(tui, arguments);
		break;
	case COMMAND_STATS:
		show_stats(tui, now);
		break;
	case COMMAND_CLEAR:
		transcript_clear(tui->transcript);
		tui->view.find = NULL;
		view_scroll_end(&tui->view);
		break;
	case COMMAND_SAVE:
		tui_save(tui, arguments, now);
		break;
	case COMMAND_LINK:
	case COMMAND_DROP:
	case COMMAND_HOLD:
	case COMMAND_UNPLUG:
		tui_lab_command(tui, command, arguments, now);
		break;
	case COMMAND_HELP:
		tui_page(tui, "help", command_help_page());
		break;
	case COMMAND_QUIT:
		tui->quit = true;
		break;
	default:
		break;
	}
}

void tui_command(struct tui *tui, const char *line, size_t n, int64_t now)
{
	const char *arguments = "";
	const enum command command = command_parse(line, n, &arguments);
	char names[200], *copy;

	if (command == COMMAND_UNKNOWN) {
		tui_say(tui,
		    "%.60s: no such command; /help lists them, // sends a line that starts with /",
		    line);
		return;
	}
	if (command == COMMAND_AMBIGUOUS) {
		tui_say(tui, "more than one command begins so: %s",
		    command_candidates(line, n, names, sizeof names));
		return;
	}
	copy = strndup(arguments, command_trim(arguments, n - (size_t)(arguments - line)));
	if (!copy)
		return;
	run(tui, command, copy, now);
	tui->changed = true;
	free(copy);
}
