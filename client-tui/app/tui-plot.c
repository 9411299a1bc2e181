/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Plots on the screen: /plot, F6, and the row of the last round-trip times. */
#include "config.h"

#include "app/tui-internal.h"
#include "view/plot.h"

/* The transports of the peer in use over which a line was typed, UDP first. */
void tui_plot_follow(struct tui *tui)
{
	const struct tui_session *of[] = { tui->udp, tui->tcp };

	tui->plot.count = 0;
	for (int i = 0; i < 2; i++) {
		const struct ledger *ledger = of[i] ? session_ledger(of[i]->session) : NULL;

		if (ledger && ledger_totals(ledger)->typed > 0)
			tui->plot.sources[tui->plot.count++] = (struct plot_source){ ledger,
				ledger_stats(ledger), i == 1 };
	}
	tui->view.plot = &tui->plot;
}

static void show(struct tui *tui, enum plot_kind kind)
{
	tui_close_page(tui);
	tui->panel.open = false;
	tui->plot.kind = kind;
	tui->changed = true;
}

void tui_plot_next(struct tui *tui)
{
	show(tui, tui->plot.kind == PLOT_NONE ? PLOT_WAITED : tui->plot.kind + 1);
}

bool tui_plot_close(struct tui *tui)
{
	if (tui->plot.kind == PLOT_NONE)
		return false;
	tui->plot.kind = PLOT_NONE;
	return true;
}

void tui_plot_command(struct tui *tui, const char *name)
{
	const int kind = *name ? plot_kind(name) : PLOT_WAITED;

	if (kind < 0)
		tui_say(tui,
		    "'%.40s' is no plot; /plot waited, rtt, histogram, cumulative or runs; /plot "
		    "off",
		    name);
	else
		show(tui, (enum plot_kind)kind);
}
