/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The front end reads lines and prints capitals. It reads input only while the sessions have room,
 * so that a gigabyte streams through in the memory of a few lines. */
#include "app/plain.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "app/plain-output.h"
#include "app/stop.h"
#include "common/clock.h"
#include "common/standard.h"
#include "common/text.h"
#include "record/record-file.h"
#include "report/export.h"

/* In the lab: the maximum time for comparing the last lines with the link's events. */
#define LAB_TIME (2 * NS_PER_S)

/* --- sending --- */

/* Returns true if no session sends any more: lines fail at once. */
static bool cannot_send(const struct plain *p)
{
	for (size_t i = 0; i < p->run.used_count; i++)
		if (!run_dead(p->run.used[i]))
			return false;
	return true;
}

static bool has_room(const struct plain *p)
{
	return run_has_room(&p->run) && plain_order_has_room(p);
}

static void send_over_all(struct plain *p, const void *text, size_t n, int pieces, int64_t now)
{
	if (p->failed || run_send(&p->run, text, n, pieces, p->typed_at, now) == 0)
		return;
	plain_notice(p, true, "memory is short: stopped");
	p->failed = true;
}

/* Sends a line, or a piece of one: SESSION_LAST, also with SESSION_BARE, or 0. */
static void send_line(struct plain *p, const void *text, size_t n, int pieces, int64_t now)
{
	if (!p->begun)
		p->run.last_number++;
	if (pieces & SESSION_BARE)
		p->unterminated = p->run.last_number;
	send_over_all(p, text, n, pieces | SESSION_MORE | (p->begun ? 0 : SESSION_FIRST), now);
	p->begun = !(pieces & SESSION_LAST);
}

static void dispatch_recorder(struct plain *p, int64_t now)
{
	p->record_at = recorder_dispatch(p->run.recorder, now);
	if (!p->write_error)
		p->write_error = recorder_error(p->run.recorder);
}

/* Sends the lines read, as far as there is room. A line that is too long goes out in pieces (TCP);
 * over UDP alone it is not needed whole to fail. */
static void pass(struct plain *p, int64_t now)
{
	const bool tcp = p->run.used[p->run.used_count - 1]->stream;

	while (p->begin < p->end && has_room(p)) {
		const unsigned char *at = p->input + p->begin;
		const unsigned char *end = memchr(at, '\n', p->end - p->begin);
		const size_t n = end ? (size_t)(end - at) : p->end - p->begin,
		             part = n < PLAIN_LINE_WHOLE ? n : PLAIN_LINE_WHOLE;
		const bool last = end && (part == n || !tcp);

		if (!end && (part == n || !tcp)) {
			p->end = p->begin + part + (part < n);
			break;
		}
		send_line(p, at, part, last ? SESSION_LAST : 0, now);
		p->begin += last ? n + 1 : part;
	}
	run_push(&p->run, now);
}

static void end_input(struct plain *p, int64_t now)
{
	const size_t n = p->end - p->begin;

	if (p->begun || n > 0)
		send_line(p, p->input + p->begin, n < PLAIN_LINE_WHOLE ? n : PLAIN_LINE_WHOLE,
		    SESSION_LAST | SESSION_BARE, now);
	p->begin = p->end;
	p->input_ended = true;
	/* TCP's connection of generated lines stays open until all are answered, for queries. */
	for (size_t i = 0; i < p->run.used_count; i++)
		if (!(p->run.settings.count > 0 && p->run.used[i]->stream))
			run_finish(p->run.used[i], now);
}

/* Whether there is room for a line, and none has been read whole. */
static bool wants_input(const struct plain *p)
{
	const size_t n = p->end - p->begin;

	return p->run.settings.count == 0 && !p->input_ended && n <= PLAIN_LINE_WHOLE + 1 &&
	       !memchr(p->input + p->begin, '\n', n) && has_room(p);
}

static void read_input(struct plain *p)
{
	ssize_t n;

	memmove(p->input, p->input + p->begin, p->end - p->begin);
	p->end -= p->begin;
	p->begin = 0;
	n = read(STDIN_FILENO, p->input + p->end, sizeof p->input - p->end);
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n < 0) {
		run_notice(&p->run, -1, true, TEXT_FORMAT("standard input: %s", strerror(errno)));
		p->read_failed = true;
	}
	if (n > 0) {
		p->end += (size_t)n;
		p->typed_at = clock_monotonic();
	} else {
		end_input(p, clock_monotonic());
	}
}

/* --- generated lines --- */

static int send_generated(void *plain, const char *text, size_t n, int pieces, int64_t now)
{
	struct plain *p = plain;

	p->run.last_number++;
	p->typed_at = now;
	send_over_all(p, text, n, pieces, now);
	return p->failed ? -1 : 0;
}

/* The first SIGINT while lines are generated ends only those; the next one ends the program. */
static void take_interrupt(struct plain *p)
{
	if (!stop_take_interrupt())
		return;
	if (p->input_ended) {
		raise(SIGINT);
		return;
	}
	generator_stop(&p->run.generator, clock_monotonic());
	p->run.due = false;
	(void)run_flow_stop(&p->run, clock_monotonic());
	end_input(p, clock_monotonic());
	plain_notice(p, false,
	    "stopped: waiting for the last replies; the next Ctrl-C does not wait");
}

/* --- the loop --- */

/* Returns true if the link's events of the last lines are not known yet. */
static bool lab_awaited(struct plain *p)
{
	const int64_t now = clock_monotonic();
	const struct lab_status *lab = lab_status(p->run.lab);

	if (!lab || lab->gone || !trace_is_pending(lab->trace))
		return false;
	if (!p->lab_until)
		p->lab_until = now + LAB_TIME;
	return now < p->lab_until;
}

/* Returns true if no server can be reached and a user types. Other input is read to its end. */
static bool typed_unreachable(const struct plain *p)
{
	return p->typed && cannot_send(p);
}

static void watch_all(const struct plain *p, struct fd_watch *w, bool wanted)
{
	fd_watch_start(w);
	run_watch(&p->run, w);
	if (p->lab_until)
		fd_watch_until(w, p->lab_until);
	fd_watch_until(w, p->record_at);
	fd_watch_until(w, p->report_at);
	if (wanted)
		fd_watch_read(w, STDIN_FILENO);
	if (wanted && typed_unreachable(p))
		fd_watch_until(w, 0);
	fd_watch_until(w, run_generate_at(&p->run));
	if (p->progress && p->run.generator.running)
		fd_watch_until(w, p->progress_at);
}

static void report(struct plain *p, int64_t now)
{
	if (now < p->report_at)
		return;
	run_report(&p->run, true, now, plain_interval);
	while (p->report_at <= now)
		p->report_at += p->run.settings.report;
}

static void dispatch_once(struct plain *p)
{
	const bool generated = p->run.settings.count > 0;
	const bool wanted = wants_input(p), unreachable = wanted && typed_unreachable(p);
	struct fd_watch w;

	p->lab_settled = false;
	watch_all(p, &w, wanted);
	stop_wait(&w, clock_monotonic());
	take_interrupt(p);
	run_dispatch(&p->run, &w, clock_monotonic());
	if (wanted && fd_watch_can_read(&w, STDIN_FILENO))
		read_input(p);
	else if (unreachable)
		end_input(p, clock_monotonic());
	/* Lines that cannot be sent need no schedule. */
	if (generated && cannot_send(p))
		p->run.plan.interval = p->run.generator.plan.interval = 0;
	if (!generated)
		pass(p, clock_monotonic());
	else if (run_generate(&p->run))
		end_input(p, clock_monotonic());
	report(p, clock_monotonic());
	dispatch_recorder(p, clock_monotonic());
	plain_flush(p);
	plain_progress(p, clock_monotonic());
}

/* --- start and end --- */

static int write_failed(int error)
{
	standard_report("standard output: %s", strerror(error));
	return -1;
}

/* Writes the file of --save. Returns 0, or -1 after one line on standard error. */
static int save(struct plain *p)
{
	const struct run *run = &p->run;
	struct export_request q;
	char reason[EXPORT_REASON];

	if (!run->settings.save)
		return 0;
	if (export_request(run->settings.save, &q, reason) < 0 ||
	    export_file(&q, run->recorder, NULL, reason) < 0) {
		plain_notice(p, true, reason);
		return -1;
	}
	if (q.own_name)
		plain_notice(p, false, TEXT_FORMAT("saved in %s", q.path));
	return 0;
}

/* Writes the rest of the records, and the file of --save. Returns 0 or -1. */
static int end_records(struct plain *p, int64_t now)
{
	struct run *run = &p->run;
	int result = 0;

	if (!run->recorder)
		return 0;
	stop_may_work(true);
	run_record_figures(run, now);
	recorder_end(run->recorder);
	if (recorder_error(run->recorder))
		result = write_failed(recorder_error(run->recorder));
	if (save(p) < 0)
		result = -1;
	stop_may_work(false);
	return result;
}

static void put_summary(struct plain *p, int64_t now)
{
	const struct settings *s = &p->run.settings;
	FILE *out = s->summary ? stdout : stderr;

	if (s->summary ? s->output != RECORD_OUTPUT_TEXT : s->quiet)
		return;
	run_put_summaries(&p->run, out, now);
	if ((fflush(out) != 0 || ferror(out)) && !p->write_error)
		p->write_error = errno;
}

static bool all_answered(const struct run *run)
{
	for (size_t i = 0; i < run->count; i++) {
		const struct ledger *l = session_ledger(run->sessions[i]->session);

		if (ledger_totals(l)->answered != ledger_totals(l)->typed)
			return false;
	}
	return true;
}

/* Ends the run. Returns the exit status. */
static int end(struct plain *p)
{
	struct run *run = &p->run;
	const struct generator *g = &run->generator;
	bool all, all_sent, recorded;
	char text[600];

	generator_stop(&run->generator, clock_monotonic());
	all_sent = all = p->input_ended && !p->read_failed &&
	                 (run->settings.count == 0 || generator_is_complete(g));
	/* The exit status is 1 if no server was reached, even if no line was sent. */
	for (size_t i = 0; i < run->used_count; i++)
		all = all && !run_dead(run->used[i]);
	run_give_up(run, clock_monotonic());
	all = all && all_answered(run);
	plain_end_output(p);
	run_report(run, p->report_at == p->started + run->settings.report, clock_monotonic(),
	    plain_interval);
	plain_flush(p);
	plain_erase_progress(p);
	if (!run->replay || !replay_status(run->replay)->whole)
		run->record.ended_at = run_time(run, clock_monotonic());
	if (!run->replay)
		run->record.stopped = !all_sent;
	recorded = end_records(p, run->record.ended_at) == 0;
	if (g->plan.count > 0)
		plain_notice(p, false, run_generated(run, text, sizeof text));
	put_summary(p, clock_monotonic());
	if (p->write_error && recorded && !stop_requested())
		write_failed(p->write_error);
	return all && recorded && !p->write_error && !p->failed ? 0 : 1;
}

static void on_gone(void *plain)
{
	plain_notice(plain, false, "the lab has ended");
}

static struct plain *plain_new(const struct settings *settings, struct replay *replay)
{
	struct plain *p = calloc(1, sizeof *p);

	if (!p) {
		standard_report("memory is short");
		return NULL;
	}
	run_init(&p->run, settings,
	    &(struct run_hooks){ .lab = { .context = p, .event = plain_event, .gone = on_gone },
	        .reply = plain_reply,
	        .row = plain_row,
	        .connection = plain_connection,
	        .generated = send_generated,
	        .has_room = plain_order_has_room });
	p->run.replay = replay;
	p->run.due = settings->count > 0;
	p->record_at = p->report_at = CLOCK_NEVER;
	p->prefixes = replay ? replay_status(replay)->sessions > 1 : settings->both;
	p->typed = isatty(STDIN_FILENO);
	p->shown = isatty(STDOUT_FILENO);
	p->progress = settings->count > 0 && !settings->quiet && !settings->summary &&
	              isatty(STDERR_FILENO);
	return p;
}

/* Closes everything and frees it. Returns `status`. */
static int plain_free(struct plain *p, int status)
{
	run_close(&p->run);
	free(p->held);
	free(p);
	return status;
}

/* Starts the link, records and sessions. Returns 0, or -1 when memory is short. */
static int start(struct plain *p)
{
	const struct settings *s = &p->run.settings;
	const bool records = s->output != RECORD_OUTPUT_TEXT;

	run_open_lab(&p->run, clock_monotonic());
	/* A closed pipe is reported as an error of writing, like a full disk. */
	if (records)
		signal(SIGPIPE, SIG_IGN);
	if ((records || s->save) &&
	    run_open_recorder(&p->run, clock_monotonic(), clock_realtime()) < 0)
		return -1;
	p->next = s->ordered && (s->both || !s->session.stream);
	/* A session may report an event at once, for which a signal may come. */
	stop_catch(s->count > 0);
	p->started = clock_monotonic();
	if (s->report > 0)
		p->report_at = p->started + s->report;
	return run_open_sessions(&p->run, p->started);
}

/* Plays a recording. Returns 0, or -1 when memory is short. */
static int play(struct plain *p)
{
	struct replay *replay = p->run.replay;

	signal(SIGPIPE, SIG_IGN);
	p->input_ended = true;
	/* Any time is valid here: only differences are written. */
	if (run_open_replay(&p->run, RECORD_FILE_MAX + 1, true, NS_PER_S) < 0)
		return -1;
	replay_seek(replay, SIZE_MAX, NS_PER_S);
	plain_flush(p);
	if (!replay_status(replay)->whole)
		plain_notice(p, false,
		    "the recording has no end: what came of its last lines is not known");
	return 0;
}

int plain_run(const struct settings *settings, struct replay *replay, const char *notice)
{
	struct plain *p = plain_new(settings, replay);

	if (!p)
		return 1;
	if (notice)
		plain_notice(p, false, notice);
	if ((replay ? play(p) : start(p)) < 0) {
		standard_report("memory is short");
		return plain_free(p, 1);
	}
	while (!replay && !stop_requested() && !p->failed && !p->write_error &&
	       !(p->input_ended && run_settled(&p->run) && !lab_awaited(p)))
		dispatch_once(p);
	return plain_free(p, end(p));
}
