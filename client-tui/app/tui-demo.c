/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Plays a demonstration on the screen. Each step is tried in every turn of the loop until it is
 * done; those with a text are done when the user enters a line. */

#include "app/tui-state.h"
#include "common/clock.h"
#include "common/program.h"
#include "common/text.h"

/* Copies and overtaken replies come within this time after the last line has its fate. */
#define SETTLE (300 * NS_PER_MS)

/* --- the link and the peer --- */

static void order(struct tui *tui, const char *words)
{
	tui->demo.ordered = LAB_WAITING;
	if (lab_command(tui->run.lab, TUI_LAB_DEMO, words) < 0)
		tui->demo.ordered = LAB_REFUSED;
}

/* Sets all settings of the link in some directions ("", "there", "back"), with one order. */
static void set_link(struct tui *tui, const struct impair_settings *s, const char *directions)
{
	char command[LAB_SOCKET_COMMAND_MAX];
	struct text t = text_begin(command, sizeof command);

	text_put(&t, "set ");
	for (int id = 0; id < IMPAIR_FIELD_COUNT; id++)
		text_put(&t, "%s %s ", impair_fields[id].name, IMPAIR_VALUE_TEXT(s, id));
	text_put(&t, "%s", directions);
	order(tui, command);
}

static void restore_link(struct tui *tui)
{
	const struct tui_demo *d = &tui->demo;

	if (!d->link_changed || lab_status(tui->run.lab)->gone)
		return;
	if (d->fault) {
		order(tui, "drop none");
		order(tui, "unplug 0s");
	}
	if (impair_fields_same(&d->link[LINK_GOING], &d->link[LINK_COMING])) {
		set_link(tui, &d->link[LINK_GOING], "");
	} else {
		set_link(tui, &d->link[LINK_GOING], "there");
		set_link(tui, &d->link[LINK_COMING], "back");
	}
}

/* Goes to a port of the server's host, outside the lab this one's; the sessions stay open. */
static void visit(struct tui *tui, const char *port, int64_t now)
{
	struct run *run = &tui->run;

	tui->demo.visiting = true;
	memcpy(tui->demo.peer, run->peer, sizeof run->peer);
	memset(run->peer, 0, sizeof run->peer);
	snprintf(run->settings.session.port, sizeof run->settings.session.port, "%s", port);
	if (!run->lab)
		strcpy(run->settings.session.host, "localhost");
	tui_open_sessions(tui, now);
}

/* --- steps: true when they are done --- */

static bool try_text(struct tui *tui)
{
	struct tui_demo *d = &tui->demo;
	const struct demo_step *step = d->step;

	if (d->begun)
		return d->entered;
	d->caption.top = 0;
	d->caption.text = step->text;
	d->caption.hint = step->kind != DEMO_ASK             ? "Enter goes on, Esc leaves"
	                : strcmp(step->words, "number") == 0 ? "Type a number and Enter"
	                                                     : "Type udp or tcp and Enter";
	if (step->kind == DEMO_EXPECT)
		d->caption.text = demo_compare(&d->lines, step->words, d->answer, d->pointed,
		    d->text, sizeof d->text);
	return false;
}

static bool try_order(struct tui *tui)
{
	struct tui_demo *d = &tui->demo;
	struct impair_settings s = impair_perfect();
	char reason[IMPAIR_REASON];

	if (!tui->run.lab)
		return true;
	if (!d->begun && d->step->kind == DEMO_ORDER) {
		d->fault = true;
		order(tui, d->step->words);
	} else if (!d->begun && impair_fields_parse(&s, d->step->words, reason) == 0) {
		d->link_changed = true;
		set_link(tui, &s, "");
	}
	return d->ordered == LAB_ACCEPTED;
}

static void begin_sending(struct tui *tui, int64_t now)
{
	struct tui_demo *d = &tui->demo;
	const struct generator_plan plan = demo_plan(d->step);

	generator_start(&d->generator, &plan, now);
	d->lines = (struct demo_lines){ .trace = run_trace(&tui->run) };
	for (size_t i = 0; i < tui->run.used_count; i++)
		d->lines
		    .ledgers[tui->run.used[i]->stream] = session_ledger(tui->run.used[i]->session);
	view_scroll_end(&tui->view);
	tui->view.selected = d->pointed = 0;
	snprintf(d->text, sizeof d->text, "Sends %s and waits until all is decided.",
	    TEXT_COUNT(plan.count, "line"));
	d->caption.text = d->text;
	d->caption.hint = "Esc leaves";
}

static bool try_send(struct tui *tui, int64_t now)
{
	struct tui_demo *d = &tui->demo;
	char text[DEMO_LINE_SIZE];
	size_t n;

	if (!d->begun)
		begin_sending(tui, now);
	while (generator_next(&d->generator, now)) {
		n = generator_text(tui->run.last_number + 1, d->generator.plan.size, text,
		    sizeof text);
		if (tui_send(tui, text, n, SESSION_LINE | SESSION_GENERATED | SESSION_MORE, now) ==
		    0)
			d->lines.numbers[d->lines.count++] = tui->run.last_number;
	}
	run_push(&tui->run, now);
	return !d->generator.running;
}

static bool try_wait(struct tui *tui, int64_t now)
{
	struct tui_demo *d = &tui->demo;

	if (!demo_decided(&d->lines))
		return false;
	if (d->settled_at == CLOCK_NEVER)
		d->settled_at = now + SETTLE;
	if (tui->run.lab)
		lab_need_until(tui->run.lab, d->settled_at);
	if (now < d->settled_at ||
	    (tui->run.lab && lab_status(tui->run.lab)->complete_until < d->settled_at))
		return false;
	d->fault = false;
	return true;
}

/* Selects the row that matters, if it is still there. */
static void point(struct tui *tui)
{
	struct tui_demo *d = &tui->demo;
	uint64_t i = transcript_end(tui->transcript, LIST_ROWS);
	const struct transcript_item *item;

	d->pointed = demo_point(&d->lines, d->step->words);
	do
		item = transcript_item(tui->transcript, --i);
	while (item && (item->kind != TRANSCRIPT_LINE || item->number != d->pointed));
	if (item) {
		tui->view.selected = i;
		view_select(&tui->view, 0);
	} else {
		d->pointed = 0;
	}
}

static bool try_step(struct tui *tui, int64_t now)
{
	const char *words = tui->demo.step->words;

	switch (tui->demo.step->kind) {
	case DEMO_ROUND:
		tui->demo.answer = -1;
		if (*words && !tui->run.lab)
			tui->demo.step = demo_last_of_round(tui->demo.step);
		return true;
	case DEMO_SET:
	case DEMO_ORDER:
		return try_order(tui);
	case DEMO_OVER:
		tui_switch(tui, strcmp(words, "tcp") == 0, strcmp(words, "both") == 0, now);
		return true;
	case DEMO_PORT:
		visit(tui, words, now);
		return true;
	case DEMO_SEND:
		return try_send(tui, now);
	case DEMO_WAIT:
		return try_wait(tui, now);
	case DEMO_POINT:
		point(tui);
		return true;
	default:
		return try_text(tui);
	}
}

/* --- start, steps, end --- */

static void next_step(struct tui_demo *d)
{
	d->step++;
	d->begun = d->entered = false;
	d->settled_at = CLOCK_NEVER;
}

/* Why no demonstration can be played now; NULL if one can. */
static const char *why_not(const struct tui *tui, int64_t now)
{
	const struct run_session *of = run_current(&tui->run);
	const char *peer = of ? session_peer(of->session) : "";

	if (tui->run.settings.session.rows < DEMO_LINES)
		return "too few rows are kept: start without --rows";
	if (!tui->run.lab)
		return NULL;
	if (link_status_paused(&lab_status(tui->run.lab)->link, now))
		return "the link is held or unplugged; /hold 0s or /unplug 0s ends that";
	return strstr(peer, LAB_FAR_IPV4) || strstr(peer, LAB_FAR_IPV6)
	         ? NULL
	         : "the server is not behind the link; first type /connect " LAB_FAR_IPV4;
}

void tui_demo_start(struct tui *tui, const struct demo_step *first, int64_t now)
{
	struct tui_demo *d = &tui->demo;
	const struct lab_status *lab = lab_status(tui->run.lab);
	const char *reason;

	/* While another one is played, the link's own settings are known already. */
	if (lab && !d->step)
		memcpy(d->link, lab->link.settings, sizeof d->link);
	tui_demo_leave(tui, NULL);
	reason = why_not(tui, now);
	if (reason) {
		tui_message(tui, "%s", reason);
		return;
	}
	tui_burst_stop(tui, now);
	*d = (struct tui_demo){ .step = first,
		.caption = { .title = first->text },
		.settings = tui->run.settings,
		.link = { d->link[LINK_GOING], d->link[LINK_COMING] } };
	tui->view.caption = &d->caption;
	next_step(d);
}

void tui_demo_leave(struct tui *tui, const char *why)
{
	struct tui_demo *d = &tui->demo;
	const int64_t now = clock_monotonic();

	if (!d->step)
		return;
	d->step = NULL;
	tui->view.caption = NULL;
	tui->view.selected = 0;
	view_scroll_end(&tui->view);
	restore_link(tui);
	if (d->visiting) {
		run_leave_peer(&tui->run, now);
		memcpy(tui->run.peer, d->peer, sizeof d->peer);
	}
	strcpy(tui->run.settings.session.host, d->settings.session.host);
	strcpy(tui->run.settings.session.port, d->settings.session.port);
	tui_switch(tui, d->settings.session.stream, d->settings.both, now);
	if (why)
		tui_message(tui, "%s%s", why,
		    d->link_changed ? "; the link is as it was before" : "");
}

void tui_demo_dispatch(struct tui *tui, int64_t now)
{
	struct tui_demo *d = &tui->demo;
	bool done = true;

	while (d->step && done) {
		done = try_step(tui, now);
		tui->changed |= !d->begun;
		d->begun = true;
		if (done)
			next_step(d);
		if (d->step->kind == DEMO_DEMO || d->step->kind == DEMO_END)
			tui_demo_leave(tui, "the demonstration has ended");
		else if (d->ordered == LAB_REFUSED ||
		         (tui->run.lab && lab_status(tui->run.lab)->gone))
			tui_demo_leave(tui, NULL);
	}
}

int64_t tui_demo_due(const struct tui *tui)
{
	const struct tui_demo *d = &tui->demo;

	return !d->step                   ? CLOCK_NEVER
	     : d->step->kind == DEMO_SEND ? generator_due(&d->generator)
	     : tui->run.lab               ? CLOCK_NEVER
	                                  : d->settled_at;
}

bool tui_demo_line(struct tui *tui, const char *line, size_t n)
{
	struct tui_demo *d = &tui->demo;
	char reason[DEMO_REASON];

	if (!d->step || (n > 0 && (line[0] == '/' || d->step->kind != DEMO_ASK)))
		return false;
	if (n > 0 && demo_answer(d->step, line, n, &d->answer, reason) < 0)
		tui_message(tui, "%s", reason);
	else if (n == 0 && d->caption.next > 0)
		d->caption.top = d->caption.next;
	else
		d->entered = true;
	return true;
}
