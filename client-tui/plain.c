/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lines in, capitals out. Input is read only while the session has room, so that a gigabyte streams through in the
 * memory of a few lines. */
#include "config.h"

#include "plain.h"

#include <errno.h>
#include <langinfo.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <unistd.h>

#include "clock.h"
#include "summary.h"
#include "truth.h"

#define READ_SIZE 65536
/* A longer line goes out in pieces over TCP; over UDP it is longer than any datagram and fails. */
#define LINE_MAX_WHOLE 65536
/* --ordered: replies kept while an earlier line is undecided; no more is sent when there are so many. */
#define ORDER_ROOM 65536
#define ORDER_BYTES (32u * 1024 * 1024)
/* Lines lost that are told one by one; the summary counts them all. */
#define TOLD_LINES 10
/* In the lab: how long the last lines may still be compared with what the link did. */
#define TRUTH_TIME (2 * NS_PER_S)

static volatile sig_atomic_t stopped;

struct plain {
	const struct client_settings *settings;
	struct session *session;
	/* The line being read: its first bytes, and how many of them are left unsent. */
	unsigned char line[LINE_MAX_WHOLE];
	size_t used;
	/* A piece of the line has been sent. */
	bool begun;
	bool input_ended;
	/* The last line of the input when it had no end of line: neither has its reply. */
	uint64_t bare;
	/* An end of line is owed before the next reply. */
	bool owed;
	uint64_t last_number;
	unsigned told;
	/* --ordered: the next line to print, and the replies that came before their turn. */
	uint64_t next;
	struct early {
		unsigned char *text;
		size_t length;
		bool there;
	} *early;
	size_t early_bytes;
	bool write_failed;
	/* Standard error shows UTF-8. */
	bool utf8;
	/* In the lab: what the link did, NULL elsewhere; our flow there, and until when its truth is waited for, 0: not yet. */
	struct truth *truth;
	int flow;
	int64_t truth_by;
};

static void on_stop(int signal)
{
	stopped = signal;
}

static void say(const struct plain *p, bool bad, const char *words)
{
	char text[800];

	if (!bad && p->settings->quiet)
		return;
	snprintf(text, sizeof text, "%s", words);
	fprintf(stderr, "upcase: %s\n", p->utf8 ? text : summary_ascii(text));
}

/* --- output --- */

static void put(struct plain *p, const void *bytes, size_t n)
{
	if (n > 0 && fwrite(bytes, 1, n, stdout) != n)
		p->write_failed = true;
}

static void put_reply(struct plain *p, uint64_t number, const void *text, size_t n)
{
	if (p->owed)
		put(p, "\n", 1);
	p->owed = false;
	put(p, text, n);
	if (number != 0 && number == p->bare)
		p->owed = true;
	else
		put(p, "\n", 1);
}

static bool decided(const struct plain *p, uint64_t number)
{
	const struct ledger_row *row = ledger_find(session_ledger(p->session), number);

	return number <= p->last_number && (!row || (row->fate != FATE_QUEUED && row->fate != FATE_WAITING));
}

/* --ordered: prints as far as every line is decided. */
static void put_in_order(struct plain *p)
{
	while (decided(p, p->next)) {
		struct early *e = &p->early[p->next % ORDER_ROOM];

		if (e->there)
			put_reply(p, p->next, e->text, e->length);
		p->early_bytes -= e->length;
		free(e->text);
		*e = (struct early){0};
		p->next++;
	}
}

static void keep_for_its_turn(struct plain *p, uint64_t number, const unsigned char *text, size_t n)
{
	struct early *e = &p->early[number % ORDER_ROOM];

	if (number < p->next || e->there)
		return;
	e->text = malloc(n + 1);
	if (!e->text) {
		say(p, true, "memory is short: a reply is left out");
		return;
	}
	memcpy(e->text, text, n);
	e->length = n;
	e->there = true;
	p->early_bytes += n;
}

/* --- what the session tells --- */

static void on_stray(struct plain *p, const struct session_reply *reply)
{
	char text[120];

	if (p->told >= TOLD_LINES || p->settings->quiet)
		return;
	snprintf(text, sizeof text, "a stray reply of %zu bytes, which belongs to no line", reply->length);
	say(p, false, text);
	p->told++;
}

static void on_reply(void *context, const struct session_reply *reply)
{
	struct plain *p = context;
	const enum ledger_match match = reply->verdict.match;
	const bool stream = p->settings->transport == SESSION_TCP;

	if (reply->more) {
		put(p, reply->text, reply->length);
		return;
	}
	if (match == MATCH_STRAY && !stream) {
		on_stray(p, reply);
	} else if (match == MATCH_DUPLICATE) {
		return;
	} else if (p->early) {
		if (match == MATCH_ANSWER)
			keep_for_its_turn(p, reply->verdict.number, reply->text, reply->length);
		put_in_order(p);
	} else {
		put_reply(p, reply->verdict.number, reply->text, reply->length);
	}
}

static void on_row(void *context, uint64_t number)
{
	struct plain *p = context;
	const struct ledger_row *row = ledger_find(session_ledger(p->session), number);
	char text[300], fate[200];

	if (row && row->fate != FATE_QUEUED && row->fate != FATE_WAITING && p->told++ < TOLD_LINES) {
		summary_fate(row, p->settings->transport == SESSION_TCP, clock_monotonic(), fate, sizeof fate);
		snprintf(text, sizeof text, "line %llu: %s%s", (unsigned long long)number, fate,
		    p->told == TOLD_LINES ? " (further lines are counted, not told)" : "");
		say(p, false, text);
	}
	if (p->early)
		put_in_order(p);
}

static void on_notice(void *context, bool bad, const char *text)
{
	say(context, bad, text);
}

/* --- the lab --- */

static void on_opened(void *context, uint16_t here, uint16_t there, uint64_t from)
{
	struct plain *p = context;

	if (p->truth)
		truth_opened(p->truth, p->flow, here, there, from);
}

static void on_sent(void *context, uint64_t number, uint64_t from, uint64_t to)
{
	struct plain *p = context;

	if (p->truth)
		truth_sent(p->truth, p->flow, number, from, to);
}

static void on_gone(void *context)
{
	say(context, false, "the lab has ended");
}

static void open_truth(struct plain *p, int64_t now)
{
	const struct client_settings *s = p->settings;

	if (!s->lab)
		return;
	p->truth = truth_open(s->lab, (size_t)s->rows, &(struct truth_hooks){.context = p, .gone = on_gone}, now);
	if (p->truth)
		p->flow = truth_flow(p->truth, s->transport == SESSION_TCP, s->wait, s->port);
	else
		say(p, false, "UPCASE_LAB names a lab that is not there");
}

/* All lines have their fates; what the link did with the last of them is not known yet. */
static bool truth_awaited(struct plain *p)
{
	const int64_t now = clock_monotonic();

	if (!p->truth || !truth_waits(p->truth))
		return false;
	if (!p->truth_by)
		p->truth_by = now + TRUTH_TIME;
	return now < p->truth_by;
}

static void tell_truth(const struct plain *p)
{
	char text[600];

	fputs(link_report_end(witness_totals(truth_witness(p->truth)), text, sizeof text), stderr);
}

/* --- input --- */

static void send_line(struct plain *p, bool last_of_line, bool bare, int64_t now)
{
	int pieces = (p->begun ? 0 : SESSION_FIRST) | (last_of_line ? SESSION_LAST : 0) | (bare ? SESSION_BARE : 0) |
	    SESSION_MORE;

	if (!p->begun)
		p->last_number++;
	if (bare)
		p->bare = p->last_number;
	if (session_send(p->session, p->last_number, p->line, p->used, pieces, now) < 0) {
		say(p, true, "memory is short: stopped");
		stopped = SIGTERM;
	}
	p->begun = !last_of_line;
	p->used = 0;
}

/* As much of a line as fits; what is too much goes out as a piece (TCP) or makes it too long for any datagram (UDP). */
static void add_to_line(struct plain *p, const unsigned char *bytes, size_t n, int64_t now)
{
	while (n > 0) {
		size_t room = sizeof p->line - p->used, part = n < room ? n : room;

		memcpy(p->line + p->used, bytes, part);
		p->used += part;
		bytes += part;
		n -= part;
		if (n == 0)
			return;
		if (p->settings->transport != SESSION_TCP)
			return;
		send_line(p, false, false, now);
	}
}

static void take_input(struct plain *p, const unsigned char *bytes, size_t n, int64_t now)
{
	while (n > 0) {
		const unsigned char *end = memchr(bytes, '\n', n);
		const size_t length = end ? (size_t)(end - bytes) : n;

		add_to_line(p, bytes, length, now);
		if (!end)
			return;
		send_line(p, true, false, now);
		bytes += length + 1;
		n -= length + 1;
	}
}

/* Bytes read that the session has no room for yet. */
struct input {
	unsigned char bytes[READ_SIZE];
	size_t begin, end;
};

static bool room(const struct plain *p)
{
	if (p->early && (p->last_number + 1 - p->next >= ORDER_ROOM - 1 || p->early_bytes > ORDER_BYTES))
		return false;
	return session_has_room(p->session);
}

/* Passes on what is there, line by line while there is room. */
static void pass_input(struct plain *p, struct input *in, int64_t now)
{
	while (in->begin < in->end && room(p)) {
		const unsigned char *at = in->bytes + in->begin;
		const unsigned char *end = memchr(at, '\n', in->end - in->begin);
		const size_t n = end ? (size_t)(end - at) + 1 : in->end - in->begin;

		take_input(p, at, n, now);
		in->begin += n;
	}
	session_push(p->session, now);
}

static void end_input(struct plain *p, int64_t now)
{
	if (p->begun || p->used > 0)
		send_line(p, true, true, now);
	p->input_ended = true;
	session_finish(p->session, now);
}

static void read_input(struct plain *p, struct input *in)
{
	ssize_t n = read(STDIN_FILENO, in->bytes, sizeof in->bytes);

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n < 0)
		fprintf(stderr, "upcase: standard input: %s\n", strerror(errno));
	in->begin = 0;
	in->end = n > 0 ? (size_t)n : 0;
	if (n <= 0)
		end_input(p, clock_monotonic());
}

/* --- the loop --- */

static bool finished(struct plain *p)
{
	return stopped || p->write_failed || session_dead(p->session) ||
	    (p->input_ended && session_settled(p->session) && !truth_awaited(p));
}

/* Signals are blocked from the look at `stopped` to the wait and nowhere else: a write to a full pipe can be
 * interrupted. */
static void one_turn(struct plain *p, struct input *in, const sigset_t *blocked)
{
	struct watch w;
	struct timespec ts;
	sigset_t mask;
	const bool hungry = !p->input_ended && in->begin == in->end && room(p);

	watch_start(&w);
	session_watch(p->session, &w);
	if (p->truth)
		truth_watch(p->truth, &w);
	if (p->truth_by)
		watch_until(&w, p->truth_by);
	if (hungry)
		watch_read(&w, STDIN_FILENO);
	sigprocmask(SIG_BLOCK, blocked, &mask);
	if (stopped || pselect(w.count, &w.readable, &w.writable, NULL,
			   clock_until(w.deadline, clock_monotonic(), &ts), &mask) < 0) {
		FD_ZERO(&w.readable);
		FD_ZERO(&w.writable);
	}
	sigprocmask(SIG_SETMASK, &mask, NULL);
	session_turn(p->session, &w, clock_monotonic());
	if (p->truth)
		truth_turn(p->truth, &w, clock_monotonic());
	if (hungry && watch_can_read(&w, STDIN_FILENO))
		read_input(p, in);
	pass_input(p, in, clock_monotonic());
	if (fflush(stdout) != 0)
		p->write_failed = true;
}

static void run(struct plain *p)
{
	struct input in = {.begin = 0};
	sigset_t blocked;

	sigemptyset(&blocked);
	sigaddset(&blocked, SIGINT);
	sigaddset(&blocked, SIGTERM);
	sigaction(SIGINT, &(struct sigaction){.sa_handler = on_stop}, NULL);
	sigaction(SIGTERM, &(struct sigaction){.sa_handler = on_stop}, NULL);
	while (!finished(p))
		one_turn(p, &in, &blocked);
}

static int end(struct plain *p)
{
	const struct ledger_totals *t = ledger_totals(session_ledger(p->session));
	const bool unread = !p->input_ended && session_dead(p->session);
	struct facts facts;
	char text[2000];

	session_give_up(p->session, clock_monotonic());
	if (p->early)
		put_in_order(p);
	if ((fflush(stdout) != 0 || p->write_failed) && !stopped)
		fprintf(stderr, "upcase: standard output: %s\n", strerror(errno));
	session_facts(p->session, clock_monotonic(), &facts);
	summary_facts(&facts, text, sizeof text);
	if (!p->settings->quiet)
		fputs(p->utf8 ? text : summary_ascii(text), stderr);
	if (!p->settings->quiet && p->truth)
		tell_truth(p);
	return t->answered == t->typed && !unread && !p->write_failed ? 0 : 1;
}

int plain_run(const struct client_settings *settings, const char *notice)
{
	struct plain *p = calloc(1, sizeof *p);
	int status = 1;

	if (!p)
		return 1;
	p->settings = settings;
	p->utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	p->next = 1;
	if (settings->ordered && settings->transport == SESSION_UDP)
		p->early = calloc(ORDER_ROOM, sizeof *p->early);
	if (notice)
		say(p, false, notice);
	open_truth(p, clock_monotonic());
	p->session = session_open(
	    &(struct session_settings){
		.transport = settings->transport,
		.host = settings->host,
		.port = settings->port,
		.family = settings->family,
		.tag = settings->tag,
		.rows = (size_t)settings->rows,
		.wait = settings->wait,
		.window = (int)settings->window,
		.retries = settings->retries_given ? (int)settings->retries : 0,
		.connect_timeout = settings->connect_timeout,
	    },
	    &(struct session_hooks){.context = p, .reply = on_reply, .row = on_row, .notice = on_notice,
		.opened = on_opened, .sent = on_sent},
	    clock_monotonic());
	if (p->session && p->truth)
		truth_set_ledger(p->truth, p->flow, session_ledger(p->session));
	if (p->session && (!settings->ordered || settings->transport != SESSION_UDP || p->early)) {
		run(p);
		status = end(p);
	} else {
		fputs("upcase: memory is short\n", stderr);
	}
	session_close(p->session);
	truth_close(p->truth);
	free(p->early);
	free(p);
	return status;
}
