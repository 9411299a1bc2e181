/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lines in, capitals out. Input is read only while the sessions have room, so that a gigabyte
 * streams through in the memory of a few lines. */
#include "config.h"

#include "app/plain.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "app/plain-internal.h"
#include "common/standard.h"
#include "app/stop.h"
#include "report/summary.h"

/* In the lab: how long the last lines may still be compared with what the link did. */
#define LAB_TIME (2 * NS_PER_S)

/* --- the lab --- */

static void on_opened(void *context, uint16_t here, uint16_t there, uint64_t from)
{
	const struct channel *channel = context;

	lab_opened(channel->plain->lab, channel->flow, here, there, from);
}

static void on_sent(void *context, uint64_t number, uint64_t from, uint64_t to)
{
	struct channel *channel = context;

	lab_sent(channel->plain->lab, channel->flow, number, from, to);
	plain_record_row(channel, number);
}

static void on_gone(void *context)
{
	plain_say(context, false, "the lab has ended");
}

static void open_lab(struct plain *p, int64_t now)
{
	const struct settings *s = p->settings;
	const struct lab_hooks hooks = { .context = p, .event = plain_event, .gone = on_gone };

	if (!s->lab)
		return;
	p->lab = lab_open(s->lab, s->lab_server, (size_t)s->rows, &hooks, now);
	if (!p->lab)
		plain_say(p, false, "UPCASE_LAB names a lab that is not there");
}

/* All lines have their fates; what the link did with the last of them is not known yet. */
static bool lab_awaited(struct plain *p)
{
	const int64_t now = clock_monotonic();

	if (!p->lab || !lab_is_pending(p->lab))
		return false;
	if (!p->lab_until)
		p->lab_until = now + LAB_TIME;
	return now < p->lab_until;
}

/* --- the loop --- */

static bool all_settled(const struct plain *p)
{
	for (size_t i = 0; i < p->channel_count; i++)
		if (!session_settled(p->channels[i].session))
			return false;
	return true;
}

static bool finished(struct plain *p)
{
	return stop_asked() || p->failed || p->write_error ||
	       (p->input_ended && all_settled(p) && !lab_awaited(p));
}

/* SIGINT while lines are generated ends only that; the next one ends all, as SIGTERM does. */
static void take_interrupt(struct plain *p)
{
	if (!stop_take_interrupt())
		return;
	if (p->input_ended) {
		raise(SIGINT);
		return;
	}
	generator_stop(&p->generator, clock_monotonic());
	plain_end_input(p, clock_monotonic());
	plain_say(p, false, "stopped: waiting for the last replies; the next Ctrl-C does not wait");
}

/* Nobody can be reached: each line of the input fails all the same, but nobody needs to type more.
 */
static bool typed_in_vain(const struct plain *p)
{
	return p->typed && plain_cannot_send(p);
}

static void watch_all(const struct plain *p, struct fd_watch *w, bool hungry)
{
	fd_watch_start(w);
	for (size_t i = 0; i < p->channel_count; i++)
		session_watch(p->channels[i].session, w);
	if (p->lab)
		lab_watch(p->lab, w);
	if (p->lab_until)
		fd_watch_until(w, p->lab_until);
	fd_watch_until(w, p->record_at);
	if (hungry)
		fd_watch_read(w, STDIN_FILENO);
	if (hungry && typed_in_vain(p))
		fd_watch_until(w, 0);
	fd_watch_until(w, plain_generate_at(p));
	if (p->progress && p->generator.running)
		fd_watch_until(w, p->progress_at);
}

static void dispatch_once(struct plain *p)
{
	const bool generated = p->settings->count > 0;
	const bool hungry = !generated && !p->input_ended && p->begin == p->end &&
	                    plain_has_room(p);
	const bool in_vain = hungry && typed_in_vain(p);
	struct fd_watch w;

	watch_all(p, &w, hungry);
	stop_wait(&w, clock_monotonic());
	take_interrupt(p);
	for (size_t i = 0; i < p->channel_count; i++)
		session_dispatch(p->channels[i].session, &w, clock_monotonic());
	if (p->lab)
		lab_dispatch(p->lab, &w, clock_monotonic());
	plain_connections_dispatch(p, false);
	if (hungry && fd_watch_can_read(&w, STDIN_FILENO))
		plain_read(p);
	else if (in_vain)
		plain_end_input(p, clock_monotonic());
	if (generated)
		plain_generate(p);
	else
		plain_pass(p, clock_monotonic());
	plain_record_dispatch(p, clock_monotonic());
	plain_flush(p);
	plain_progress(p, clock_monotonic());
}

/* The first record says how the link is set, and may be due before anything else is heard of the
 * lab. */
static void await_link(struct plain *p)
{
	const int64_t until = clock_monotonic() + LAB_TIME;
	struct fd_watch w;

	while (p->recorder && p->lab && !lab_link_status(p->lab)->known && !lab_is_gone(p->lab) &&
	       clock_monotonic() < until) {
		p->record_at = until;
		watch_all(p, &w, false);
		stop_wait(&w, clock_monotonic());
		lab_dispatch(p->lab, &w, clock_monotonic());
	}
	plain_record_dispatch(p, clock_monotonic());
}

/* --- start and end --- */

/* Over both transports side by side. */
static void report_end(struct plain *p)
{
	struct figures figures[2];
	const struct figures *udp = NULL, *tcp = NULL;
	char text[6000];

	if (p->settings->quiet)
		return;
	for (size_t i = 0; i < p->channel_count; i++) {
		plain_figures(p, &p->channels[i], clock_monotonic(), &figures[i]);
		*(p->channels[i].stream ? &tcp : &udp) = &figures[i];
	}
	if (udp || tcp)
		standard_put(stderr,
		    p->utf8 ? summary_peer(udp, tcp, text, sizeof text)
		            : summary_ascii(summary_peer(udp, tcp, text, sizeof text)));
}

static int end(struct plain *p)
{
	bool all, all_sent, recorded;
	char text[600];

	generator_stop(&p->generator, clock_monotonic());
	all_sent = all = p->input_ended && !p->read_failed &&
	                 (p->settings->count == 0 || p->generator.sent == p->generator.plan.count);

	for (size_t i = 0; i < p->channel_count; i++) {
		const struct ledger_totals *t = ledger_totals(session_ledger(p->channels[i]
		        .session));

		/* Nobody was reached, even if nobody asked for anything. */
		all = all && !session_dead(p->channels[i].session);
		lab_closed(p->lab, p->channels[i].flow, clock_monotonic());
		session_give_up(p->channels[i].session, clock_monotonic());
		plain_put_in_order(&p->channels[i]);
		all = all && t->answered == t->typed;
	}
	plain_connections_dispatch(p, true);
	plain_end_output(p);
	plain_erase_progress(p);
	recorded = plain_record_end(p, all_sent, clock_monotonic()) == 0;
	if (p->write_error && recorded && !stop_asked())
		standard_say("upcase: standard output: %s", strerror(p->write_error));
	if (p->generating)
		plain_say(p, false,
		    generator_result(&p->generator, p->utf8 ? "µ" : "u", text, sizeof text));
	report_end(p);
	if (!p->settings->quiet && p->lab)
		standard_put(stderr,
		    link_report_end(trace_totals(lab_trace(p->lab)), text, sizeof text));
	return all && recorded && !p->write_error && !p->failed ? 0 : 1;
}

static int open_channel(struct plain *p, enum session_transport transport, int64_t now)
{
	const struct settings *s = p->settings;
	const struct generator_plan plan = { .count = (uint64_t)s->count, .interval = s->interval };
	struct session_settings settings = settings_session(s, transport);
	struct channel *channel = &p->channels[p->channel_count];

	settings.rows = generator_rows(&plan, s->reply_timeout, (size_t)s->rows);
	if (!s->retries_given)
		settings.retries = 0;
	*channel = (struct channel){ .plain = p,
		.stream = transport == SESSION_TCP,
		.flow = -1,
		.recorded = -1,
		.next = 1 };
	channel->prefix = !s->both ? "" : channel->stream ? "tcp " : "udp ";
	if (s->ordered && !channel->stream && plain_order_start(channel) < 0)
		return -1;
	if (p->lab)
		channel->flow = lab_flow(p->lab, channel->stream, s->reply_timeout, s->port);
	channel->session = session_open(&settings,
	    &(struct session_hooks){ .context = channel,
	        .reply = plain_reply,
	        .row = plain_row,
	        .notice = plain_notice,
	        .connection = plain_connection,
	        .opened = on_opened,
	        .sent = on_sent },
	    now);
	if (!channel->session)
		return -1;
	p->channel_count++;
	if (plain_record_channel(channel) < 0)
		return -1;
	lab_set_ledger(p->lab, channel->flow, session_ledger(channel->session));
	return 0;
}

static int open_channels(struct plain *p, int64_t now)
{
	const struct settings *s = p->settings;

	if (!s->both)
		return open_channel(p, s->transport, now);
	return open_channel(p, SESSION_UDP, now) < 0 || open_channel(p, SESSION_TCP, now) < 0 ? -1
	                                                                                      : 0;
}

static struct plain *plain_new(const struct settings *settings)
{
	struct plain *p = calloc(1, sizeof *p);

	if (!p)
		return NULL;
	p->settings = settings;
	p->utf8 = standard_utf8();
	p->progress = settings->count > 0 && !settings->quiet && isatty(STDERR_FILENO);
	p->typed = isatty(STDIN_FILENO);
	p->shown = isatty(STDOUT_FILENO);
	p->same_terminal = p->progress && p->shown;
	return p;
}

int plain_run(const struct settings *settings, const char *notice)
{
	struct plain *p = plain_new(settings);
	int status = 1;
	bool ready;

	if (!p)
		return 1;
	standard_filter();
	if (notice)
		plain_say(p, false, notice);
	open_lab(p, clock_monotonic());
	ready = plain_record_start(p, clock_monotonic(), clock_realtime()) == 0;
	if (ready)
		await_link(p);
	if (ready && open_channels(p, clock_monotonic()) == 0) {
		stop_catch(settings->count > 0);
		while (!finished(p))
			dispatch_once(p);
		status = end(p);
	} else {
		standard_say("upcase: memory is short");
	}
	for (size_t i = 0; i < PLAIN_CHANNELS; i++) {
		session_close(p->channels[i].session);
		plain_free_channel(&p->channels[i]);
	}
	recorder_free(p->recorder);
	lab_close(p->lab);
	free(p);
	return status;
}
