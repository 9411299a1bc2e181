/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The lab on the screen: its answers, both ends of TCP, its page and its panel. */

#include "app/tui-state.h"

/* --- hooks --- */

/* Counts the UDP lines whose fate was chance, and those of them that were answered. */
static void count_by_chance(const struct tui *tui, uint64_t *decided, uint64_t *answered)
{
	for (size_t i = 0; i < tui->run.count; i++) {
		const struct run_session *of = tui->run.sessions[i];
		const struct ledger_totals *t = ledger_totals(session_ledger(of->session));

		if (of->stream)
			continue;
		*decided += ledger_answered_or_lost(t);
		*answered += t->answered;
	}
}

void tui_lab_changed(void *context)
{
	struct tui *tui = context;

	tui->base_decided = tui->base_answered = 0;
	count_by_chance(tui, &tui->base_decided, &tui->base_answered);
	tui->changed = true;
}

void tui_lab_answer(void *context, int purpose, bool ok, const char *text)
{
	struct tui *tui = context;

	if (purpose == TUI_LAB_DEMO)
		tui->demo.ordered = ok ? LAB_ACCEPTED : LAB_REFUSED;
	if (!ok)
		tui_message(tui, "the lab: %.300s", text);
	else if (purpose == TUI_LAB_SET)
		tui_message(tui, "the link is changed");
	else if (purpose == TUI_LAB_FAULT)
		tui_message(tui, "%s", tui->lab_fault);
}

void tui_lab_gone(void *context)
{
	struct tui *tui = context;

	tui->lab_view.gone = true;
	tui->panel.open = false;
	run_notice(&tui->run, -1, false,
	    "the lab has ended: what the link does is not known any more");
}

/* --- start --- */

void tui_lab_start(struct tui *tui, int64_t now)
{
	struct run *run = &tui->run;

	run_open_lab(run, now);
	if (!run->lab)
		return;
	tui->lab_view = (struct view_lab){ .link = &lab_status(run->lab)->link,
		.trace = lab_status(run->lab)->trace,
		.panel = &tui->panel };
	tui->view.lab = &tui->lab_view;
}

/* --- both ends of TCP --- */

/* The kernel's sample of the session's connection. Of several each would have its own. */
static bool sample_end(const struct run_session *tcp, struct tcp_sample *sample)
{
	return tcp && tcp->count == 1 && session_tcp_sample(tcp->session, sample) == 0;
}

void tui_lab_ends(struct tui *tui)
{
	const struct run *run = &tui->run;
	const struct run_session *tcp = run->used_count ? run->used[run->used_count - 1] : NULL;
	const bool sampled = run->lab && sample_end(tcp, &tui->sample);
	const struct trace_timer *server = sampled && !lab_status(run->lab)->gone
	                                     ? server_tcp_sample(lab_status(run->lab)->server_tcp)
	                                     : NULL;

	tui->view.senders[LINK_GOING] = sampled ? &tui->sample : NULL;
	tui->view.senders[LINK_COMING] = server ? &server->tcp : NULL;
}

/* --- the page --- */

void tui_lab_page(struct tui *tui, int64_t now)
{
	const struct run_session *tcp = tui->run.peer[SESSION_TCP];
	const struct lab_status *lab = lab_status(tui->run.lab);
	const struct trace_timer *server = server_tcp_sample(lab->server_tcp);
	struct tcp_sample sample;
	struct link_report report = {
		.status = &lab->link,
		.now = now,
		.reply_timeout = tui->run.settings.session.reply_timeout,
		.traced = trace_totals(lab->trace),
	};

	count_by_chance(tui, &report.decided, &report.answered);
	report.decided -= tui->base_decided;
	report.answered -= tui->base_answered;
	if (sample_end(tcp, &sample)) {
		report.tcp = &sample;
		report.far = server ? &server->tcp : NULL;
	}
	tui_page(tui, "the link", link_report_page(&report));
}

/* --- commands --- */

bool tui_in_lab(struct tui *tui)
{
	if (tui->run.lab && !lab_status(tui->run.lab)->gone)
		return true;
	if (tui->run.lab)
		tui_message(tui, "the lab has ended");
	else if (!*tui->run.settings.lab_command)
		tui_message(tui, "needs a lab, which runs on Linux alone");
	else
		tui_message(tui, "needs a lab: %s --loss 20%% (leave with Ctrl-D first)",
		    tui->run.settings.lab_command);
	return false;
}

void tui_lab_command(struct tui *tui, enum tui_lab_purpose purpose, const char *before,
    const char *arguments)
{
	char command[LAB_SOCKET_COMMAND_MAX];

	if ((size_t)snprintf(command, sizeof command, "%s%s%s", before, *before ? " " : "",
	        arguments) >= sizeof command ||
	    lab_command(tui->run.lab, (int)purpose, command) < 0)
		tui_message(tui, "the lab cannot take that now");
}

/* --- the panel --- */

void tui_lab_panel(struct tui *tui)
{
	/* A page or a plot would hide it. */
	const bool hidden = tui->view.page != NULL;

	tui_close_page(tui);
	if (tui->panel.open && !hidden)
		tui->panel.open = false;
	else if (tui_in_lab(tui))
		tui->panel.open = true;
}

bool tui_lab_key(struct tui *tui, const unsigned char *bytes, size_t n)
{
	const char arrow = tui_arrow(bytes, n);
	const int step = arrow == 'A' || arrow == 'D' ? -1 : 1;
	/* In the panel's first rows Enter gives the command that is shown. */
	const bool enter = n == 1 && strchr("\r\n", bytes[0]), first = tui->panel.field < 0,
	           drop = tui->panel.field == LINK_STEPS_DROP;
	char reason[IMPAIR_REASON], command[LAB_SOCKET_COMMAND_MAX];

	if (!tui->panel.open)
		return false;
	if (arrow == 'A' || arrow == 'B') {
		link_steps_move(&tui->panel, step);
	} else if (arrow && first) {
		link_steps_turn(&tui->panel, step);
	} else if (arrow) {
		if (lab_step(tui->run.lab, &tui->panel, step, reason) < 0 && *reason)
			tui_message(tui, "%s", reason);
	} else if (enter && first) {
		link_steps_command(&tui->panel, command, sizeof command);
		if (drop)
			snprintf(tui->lab_fault, sizeof tui->lab_fault, "the lab will %.100s",
			    command);
		tui_lab_command(tui, drop ? TUI_LAB_FAULT : TUI_LAB_SET, "", command);
	} else if (n == 1 && bytes[0] == '\t') {
		link_steps_next(&tui->panel);
	} else {
		tui->panel.open = false;
		return enter || (n == 1 && bytes[0] == 'q');
	}
	return true;
}
