/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Plots on the screen: /plot, F6, and the row of the last round-trip times. */
#include "config.h"

#include "app/tui-internal.h"

/* The transports of the peer in use over which a line was typed, UDP first. */
void app_plot_follow(struct app *app)
{
	const struct app_session *of[] = { app->udp, app->tcp };

	app->plot.count = 0;
	for (int i = 0; i < 2; i++) {
		const struct ledger *ledger = of[i] ? session_ledger(of[i]->session) : NULL;

		if (ledger && ledger_totals(ledger)->typed > 0)
			app->plot.sources[app->plot.count++] = (struct plot_source){ ledger, ledger_stats(ledger), i == 1 };
	}
	app->view.plot = &app->plot;
}

static void show(struct app *app, enum plot_kind kind)
{
	app_close_page(app);
	app->panel.open = false;
	app->plot.kind = kind;
	app->changed = true;
}

void app_plot_next(struct app *app)
{
	show(app, app->plot.kind == PLOT_NONE ? PLOT_WAITED : app->plot.kind + 1);
}

bool app_plot_close(struct app *app)
{
	if (app->plot.kind == PLOT_NONE)
		return false;
	app->plot.kind = PLOT_NONE;
	return true;
}

void app_plot_command(struct app *app, const char *name)
{
	const int kind = *name ? plot_kind(name) : PLOT_WAITED;

	if (kind < 0)
		app_say(app, "'%.40s' is no plot; /plot waited, rtt, histogram, cumulative or runs; /plot off", name);
	else
		show(app, (enum plot_kind)kind);
}
