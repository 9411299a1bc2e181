/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The lab on the screen: its commands, its panel, what the sessions tell it. Outside a lab all of it is one sentence. */
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
static void measure(const struct app *app, uint64_t *decided, uint64_t *answered)
{
	for (size_t i = 0; i < app->session_count; i++) {
		const struct session *s = app->sessions[i]->session;
		const struct ledger_totals *t = ledger_totals(session_ledger(s));

		if (session_transport(s) == SESSION_TCP)
			continue;
		*decided += ledger_by_chance(t);
		*answered += t->answered;
	}
}

static void on_changed(void *context)
{
	struct app *app = context;

	app->base_decided = app->base_answered = 0;
	measure(app, &app->base_decided, &app->base_answered);
	app->changed = true;
}

static void on_answer(void *context, int purpose, bool ok, const char *text)
{
	struct app *app = context;
	char *copy;

	if (!ok) {
		app_say(app, "the lab: %.300s", text);
		return;
	}
	switch (purpose) {
	case PURPOSE_SET:
		app_say(app, "the link is changed");
		break;
	case PURPOSE_FAULT:
		app_say(app, "%s", app->lab_fault);
		break;
	case PURPOSE_PAGE:
		copy = strdup(text);
		app_page(app, "the lab", copy);
		break;
	default:
		break;
	}
}

static void on_gone(void *context)
{
	struct app *app = context;

	app->lab.gone = true;
	app->panel.open = false;
	app_notice(app, false, "the lab has ended: what the link does is not known any more");
}

/* --- start and end --- */

void app_lab_start(struct app *app, int64_t now)
{
	const struct truth_hooks hooks = {.context = app, .answer = on_answer, .changed = on_changed, .event = app_event,
		.gone = on_gone};
	char words[RECORD_LINK];

	if (!app->settings.lab)
		return;
	app->truth = truth_open(app->settings.lab, app->settings.lab_far, (size_t)app->settings.rows, &hooks, now);
	if (!app->truth) {
		app_notice(app, false, "UPCASE_LAB names a lab that is not there");
		return;
	}
	app->lab = (struct view_lab){
		.link = truth_facts(app->truth), .witness = truth_witness(app->truth), .panel = &app->panel};
	app->view.lab = &app->lab;
	recorder_link(app->recorder, link_facts_line(truth_facts(app->truth), now, words, sizeof words));
}

int app_lab_flow(struct app *app, enum session_transport transport)
{
	const struct client_settings *s = &app->settings;

	return app->truth ? truth_flow(app->truth, transport == SESSION_TCP, s->wait, s->port) : -1;
}

void app_lab_opened(void *context, uint16_t here, uint16_t there, uint64_t from)
{
	const struct app_session *of = context;

	truth_opened(of->app->truth, of->flow, here, there, from);
}

void app_lab_sent(void *context, uint64_t number, uint64_t from, uint64_t to)
{
	const struct app_session *of = context;

	truth_sent(of->app->truth, of->flow, number, from, to);
}

/* --- both ends of TCP --- */

static bool ask_here(struct app *app)
{
	const int64_t asked = clock_monotonic();

	if (session_tcp_state(app->tcp->session, &app->ends.here) < 0)
		return false;
	truth_timer(app->truth, app->tcp->flow, EVENT_THERE, &app->ends.here, asked, clock_monotonic());
	return true;
}

void app_lab_ends(struct app *app)
{
	const struct far *far = app->truth && !truth_gone(app->truth) ? truth_far(app->truth) : NULL;
	const bool in_use = app->settings.both || app->settings.transport == SESSION_TCP;

	app->ends = (struct view_ends){.has_here = false};
	app->view.ends = NULL;
	if (!app->truth || !app->tcp || !in_use)
		return;
	app->ends.has_here = ask_here(app);
	app->ends.has_far = app->ends.has_here && far_tcp(far);
	if (app->ends.has_far)
		app->ends.far = *far_tcp(far);
	if (app->ends.has_here)
		app->view.ends = &app->ends;
}

void app_lab_facts(const struct app *app, const struct session *s, struct facts *facts)
{
	/* The far end is asked about all TCP together; with one peer, as in the lab, that is this session's. */
	if (app->truth && session_transport(s) == SESSION_TCP)
		facts->tcp.has_far = far_again(truth_far(app->truth), &facts->tcp.far_again);
}

/* --- the page --- */

static void show_link(struct app *app, int64_t now)
{
	struct session_tcp tcp;
	const struct session_tcp *far = far_tcp(truth_far(app->truth));
	struct link_report report = {
		.facts = truth_facts(app->truth),
		.now = now,
		.wait = app->settings.wait,
		.truth = witness_totals(truth_witness(app->truth)),
	};

	measure(app, &report.decided, &report.answered);
	report.decided -= app->base_decided;
	report.answered -= app->base_answered;
	if (app->tcp && session_tcp_state(app->tcp->session, &tcp) == 0)
		report.tcp = &tcp;
	report.far = report.tcp ? far : NULL;
	app_page(app, "the link", link_report_page(&report));
}

/* --- commands --- */

static bool in_lab(struct app *app)
{
	if (app->truth && !truth_gone(app->truth))
		return true;
	app_say(app, app->truth ? "the lab has ended" :
	    "only in the lab; start it with: upcase-lab --loss 20%%");
	return false;
}

static void give(struct app *app, enum purpose purpose, const char *before, const char *arguments)
{
	char order[LAB_ORDER_MOST];

	if ((size_t)snprintf(order, sizeof order, "%s%s%s", before, *before ? " " : "", arguments) >= sizeof order ||
	    truth_order(app->truth, (int)purpose, order) < 0)
		app_say(app, "the lab cannot take that now");
}

static bool first_word_is(const char *arguments, const char *word)
{
	const size_t n = strlen(word);

	return strncmp(arguments, word, n) == 0 && (arguments[n] == '\0' || isspace((unsigned char)arguments[n]));
}

static void link_command(struct app *app, const char *arguments, int64_t now)
{
	if (!*arguments)
		show_link(app, now);
	else if (strcmp(arguments, "panel") == 0)
		app_lab_panel(app);
	else if (first_word_is(arguments, "presets"))
		give(app, PURPOSE_PAGE, "", arguments);
	else if (first_word_is(arguments, "preset"))
		give(app, PURPOSE_SET, "", arguments);
	else
		give(app, PURPOSE_SET, "set", arguments);
}

/* A fault on cue, and what is said when the lab has taken it. */
static void fault(struct app *app, const char *order, const char *arguments, const char *example)
{
	if (!*arguments) {
		app_say(app, "%s", example);
		return;
	}
	snprintf(app->lab_fault, sizeof app->lab_fault, "the lab will %s %.100s", order, arguments);
	give(app, PURPOSE_FAULT, order, arguments);
}

void app_lab_command(struct app *app, enum command command, const char *arguments, int64_t now)
{
	if (!in_lab(app))
		return;
	switch (command) {
	case COMMAND_LINK:
		link_command(app, arguments, now);
		break;
	case COMMAND_DROP:
		fault(app, "drop", arguments, "/drop next [udp|tcp] request, reply, syn or ack; /drop none forgets it");
		break;
	case COMMAND_HOLD:
		fault(app, "hold", arguments, "/hold TIME [there|back]; for example /hold 3s");
		break;
	case COMMAND_UNPLUG:
		fault(app, "unplug", arguments, "/unplug TIME [there|back]; for example /unplug 5s");
		break;
	default:
		break;
	}
}

/* --- the panel --- */

void app_lab_panel(struct app *app)
{
	/* A page or a plot would hide it. */
	const bool hidden = app->view.page != NULL;

	app_close_page(app);
	if (app->panel.open && !hidden)
		app->panel.open = false;
	else if (in_lab(app))
		app->panel.open = true;
}

bool app_lab_key(struct app *app, const unsigned char *bytes, size_t n)
{
	static const char *const keys[] = {"A", "B", "C", "D"};
	size_t key = sizeof keys / sizeof *keys;
	char why[IMPAIR_WHY];

	if (!app->panel.open)
		return false;
	if (n == 3 && bytes[0] == '\033' && (bytes[1] == '[' || bytes[1] == 'O'))
		for (key = 0; key < sizeof keys / sizeof *keys && bytes[2] != keys[key][0]; key++)
			;
	if (key < 2)
		panel_move(&app->panel, key == 0 ? -1 : 1);
	else if (key < 4 && truth_step(app->truth, &app->panel, key == 2 ? 1 : -1, why) < 0 && *why)
		app_say(app, "%s", why);
	else if (key < 4)
		return true;
	else if (n == 1 && bytes[0] == '\t')
		panel_turn(&app->panel);
	else
		app->panel.open = false;
	return key < 4 || (n == 1 && strchr("\tq\r\n", bytes[0]) != NULL);
}
