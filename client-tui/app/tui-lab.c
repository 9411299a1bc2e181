/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The lab on the screen: its commands, its panel, what the sessions tell it. Outside a lab all of
 * it is one sentence. */
#include "config.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "app/tui-internal.h"
#include "common/clock.h"
#include "app/commands.h"

/* The user's orders, for their answers. */
enum purpose {
	PURPOSE_STEP, /* the panel's: only a refusal is told */
	PURPOSE_SET,
	PURPOSE_FAULT,
	PURPOSE_PAGE,
};

/* --- what the lab tells --- */

/* Adds the UDP lines of which chance decided, and those of them answered. */
static void measure(const struct tui *tui, uint64_t *decided, uint64_t *answered)
{
	for (size_t i = 0; i < tui->session_count; i++) {
		const struct session *s = tui->sessions[i]->session;
		const struct ledger_totals *t = ledger_totals(session_ledger(s));

		if (session_transport(s) == SESSION_TCP)
			continue;
		*decided += ledger_by_chance(t);
		*answered += t->answered;
	}
}

static void on_changed(void *context)
{
	struct tui *tui = context;

	tui->base_decided = tui->base_answered = 0;
	measure(tui, &tui->base_decided, &tui->base_answered);
	tui->changed = true;
}

static void on_answer(void *context, int purpose, bool ok, const char *text)
{
	struct tui *tui = context;
	char *copy;

	if (!ok) {
		tui_say(tui, "the lab: %.300s", text);
		return;
	}
	switch (purpose) {
	case PURPOSE_SET:
		tui_say(tui, "the link is changed");
		break;
	case PURPOSE_FAULT:
		tui_say(tui, "%s", tui->lab_fault);
		break;
	case PURPOSE_PAGE:
		copy = strdup(text);
		tui_page(tui, "the lab", copy);
		break;
	default:
		break;
	}
}

static void on_gone(void *context)
{
	struct tui *tui = context;

	tui->lab_view.gone = true;
	tui->panel.open = false;
	tui_notice(tui, false, "the lab has ended: what the link does is not known any more");
}

/* --- start and end --- */

void tui_lab_start(struct tui *tui, int64_t now)
{
	const struct lab_hooks hooks = { .context = tui,
		.answer = on_answer,
		.changed = on_changed,
		.event = tui_event,
		.gone = on_gone };
	char words[RECORD_LINK];

	if (!tui->settings.lab)
		return;
	tui->lab = lab_open(tui->settings.lab, tui->settings.lab_server, (size_t)tui->settings.rows,
	    &hooks, now);
	if (!tui->lab) {
		tui_notice(tui, false, "UPCASE_LAB names a lab that is not there");
		return;
	}
	tui->lab_view = (struct view_lab){ .link = lab_link_status(tui->lab),
		.trace = lab_trace(tui->lab),
		.panel = &tui->panel };
	tui->view.lab = &tui->lab_view;
	recorder_link(tui->recorder,
	    link_status_line(lab_link_status(tui->lab), now, words, sizeof words));
}

int tui_lab_flow(struct tui *tui, enum session_transport transport)
{
	const struct settings *s = &tui->settings;

	return tui->lab ? lab_flow(tui->lab, transport == SESSION_TCP, s->reply_timeout, s->port)
	                : -1;
}

void tui_lab_opened(void *context, uint16_t here, uint16_t there, uint64_t from)
{
	const struct tui_session *of = context;

	lab_opened(of->tui->lab, of->flow, here, there, from);
}

void tui_lab_sent(void *context, uint64_t number, uint64_t from, uint64_t to)
{
	const struct tui_session *of = context;

	lab_sent(of->tui->lab, of->flow, number, from, to);
}

/* --- both ends of TCP --- */

static bool ask_here(struct tui *tui)
{
	const int64_t asked = clock_monotonic();

	if (session_tcp_sample(tui->tcp->session, &tui->ends.here) < 0)
		return false;
	lab_timer(tui->lab, tui->tcp->flow, LINK_GOING, &tui->ends.here, asked, clock_monotonic());
	return true;
}

void tui_lab_ends(struct tui *tui)
{
	const struct server_tcp *server = tui->lab && !lab_is_gone(tui->lab)
	                                    ? lab_server_tcp(tui->lab)
	                                    : NULL;
	const bool in_use = tui->settings.both || tui->settings.transport == SESSION_TCP;

	tui->ends = (struct view_ends){ .has_here = false };
	tui->view.ends = NULL;
	if (!tui->lab || !tui->tcp || !in_use)
		return;
	tui->ends.has_here = ask_here(tui);
	tui->ends.has_server = tui->ends.has_here && server_tcp_sample(server);
	if (tui->ends.has_server)
		tui->ends.server = *server_tcp_sample(server);
	if (tui->ends.has_here)
		tui->view.ends = &tui->ends;
}

void tui_lab_figures(const struct tui *tui, const struct session *s, struct figures *figures)
{
	/* The far end is asked about all TCP together; with one peer, as in the lab, that is this
	 * session's. */
	if (tui->lab && session_transport(s) == SESSION_TCP)
		figures->tcp.has_server = server_retransmitted(lab_server_tcp(tui->lab),
		    &figures->tcp.server_retransmitted);
}

/* --- the page --- */

static void show_link(struct tui *tui, int64_t now)
{
	struct tcp_sample tcp;
	const struct tcp_sample *server = server_tcp_sample(lab_server_tcp(tui->lab));
	struct link_report report = {
		.status = lab_link_status(tui->lab),
		.now = now,
		.reply_timeout = tui->settings.reply_timeout,
		.traced = trace_totals(lab_trace(tui->lab)),
	};

	measure(tui, &report.decided, &report.answered);
	report.decided -= tui->base_decided;
	report.answered -= tui->base_answered;
	if (tui->tcp && session_tcp_sample(tui->tcp->session, &tcp) == 0)
		report.tcp = &tcp;
	report.far = report.tcp ? server : NULL;
	tui_page(tui, "the link", link_report_page(&report));
}

/* --- commands --- */

static bool in_lab(struct tui *tui)
{
	if (tui->lab && !lab_is_gone(tui->lab))
		return true;
	tui_say(tui, tui->lab ? "the lab has ended"
	                      : "only in the lab; start it with: upcase-lab --loss 20%%");
	return false;
}

static void give(struct tui *tui, enum purpose purpose, const char *before, const char *arguments)
{
	char order[LAB_SOCKET_COMMAND_MAX];

	if ((size_t)snprintf(order, sizeof order, "%s%s%s", before, *before ? " " : "",
	        arguments) >= sizeof order ||
	    lab_command(tui->lab, (int)purpose, order) < 0)
		tui_say(tui, "the lab cannot take that now");
}

static bool first_word_is(const char *arguments, const char *word)
{
	const size_t n = strlen(word);

	return strncmp(arguments, word, n) == 0 &&
	       (arguments[n] == '\0' || isspace((unsigned char)arguments[n]));
}

static void link_command(struct tui *tui, const char *arguments, int64_t now)
{
	if (!*arguments)
		show_link(tui, now);
	else if (strcmp(arguments, "panel") == 0)
		tui_lab_panel(tui);
	else if (first_word_is(arguments, "presets"))
		give(tui, PURPOSE_PAGE, "", arguments);
	else if (first_word_is(arguments, "preset"))
		give(tui, PURPOSE_SET, "", arguments);
	else
		give(tui, PURPOSE_SET, "set", arguments);
}

/* A requested fault, and what is said when the lab has taken it. */
static void fault(struct tui *tui, const char *order, const char *arguments, const char *example)
{
	if (!*arguments) {
		tui_say(tui, "%s", example);
		return;
	}
	snprintf(tui->lab_fault, sizeof tui->lab_fault, "the lab will %s %.100s", order, arguments);
	give(tui, PURPOSE_FAULT, order, arguments);
}

void tui_lab_command(struct tui *tui, enum command command, const char *arguments, int64_t now)
{
	if (!in_lab(tui))
		return;
	switch (command) {
	case COMMAND_LINK:
		link_command(tui, arguments, now);
		break;
	case COMMAND_DROP:
		fault(tui, "drop", arguments,
		    "/drop next [udp|tcp] request, reply, syn or ack; /drop none forgets it");
		break;
	case COMMAND_HOLD:
		fault(tui, "hold", arguments, "/hold TIME [there|back]; for example /hold 3s");
		break;
	case COMMAND_UNPLUG:
		fault(tui, "unplug", arguments,
		    "/unplug TIME [there|back]; for example /unplug 5s");
		break;
	default:
		break;
	}
}

/* --- the panel --- */

void tui_lab_panel(struct tui *tui)
{
	/* A page or a plot would hide it. */
	const bool hidden = tui->view.page != NULL;

	tui_close_page(tui);
	if (tui->panel.open && !hidden)
		tui->panel.open = false;
	else if (in_lab(tui))
		tui->panel.open = true;
}

bool tui_lab_key(struct tui *tui, const unsigned char *bytes, size_t n)
{
	static const char *const keys[] = { "A", "B", "C", "D" };
	size_t key = sizeof keys / sizeof *keys;
	char why[IMPAIR_WHY];

	if (!tui->panel.open)
		return false;
	if (n == 3 && bytes[0] == '\033' && (bytes[1] == '[' || bytes[1] == 'O'))
		for (key = 0; key < sizeof keys / sizeof *keys && bytes[2] != keys[key][0]; key++)
			;
	if (key < 2)
		link_steps_move(&tui->panel, key == 0 ? -1 : 1);
	else if (key < 4 && lab_step(tui->lab, &tui->panel, key == 2 ? 1 : -1, why) < 0 && *why)
		tui_say(tui, "%s", why);
	else if (key < 4)
		return true;
	else if (n == 1 && bytes[0] == '\t')
		link_steps_next_ways(&tui->panel);
	else
		tui->panel.open = false;
	return key < 4 || (n == 1 && strchr("\tq\r\n", bytes[0]) != NULL);
}
