/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "checker/judge.h"

#include <netdb.h>
#include <signal.h>

#include "checker/peer.h"
#include "checker/report.h"
#include "checker/start.h"
#include "checker/steps.h"
#include "common/file.h"
#include "common/printable.h"
#include "common/program.h"
#include "common/standard.h"

/* How often a client's case runs again that has lost datagrams to the link; a server's that has
 * lost segments. */
#define AGAIN_MAX 20
#define SERVER_AGAIN_MAX 2
/* The time for more to come than was asked. */
#define MORE_TIME (30 * NS_PER_MS)
/* The longest case. */
#define CASE_TIME (60 * NS_PER_S)

static volatile sig_atomic_t end_requested;

static void on_signal(int number)
{
	if (number != SIGCHLD)
		end_requested = number;
}

/* Signals come only while the judge waits. */
static void prepare_signals(void)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP, SIGCHLD };
	struct sigaction action = { .sa_handler = on_signal };
	sigset_t blocked;

	sigemptyset(&blocked);
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
		sigaddset(&blocked, numbers[i]);
		sigaction(numbers[i], &action, NULL);
	}
	sigprocmask(SIG_SETMASK, &blocked, NULL);
	signal(SIGPIPE, SIG_IGN);
}

/* --- cases --- */

static void begin_case(struct trial *t)
{
	const int64_t now = clock_monotonic();

	memset(&t->outcome, 0, sizeof t->outcome);
	t->program.begin = t->program.used;
	t->round = 0;
	t->deadline = now + CASE_TIME < t->end ? now + CASE_TIME : t->end;
}

static void end_case(struct trial *t)
{
	while (t->peer_count > 0)
		peer_free(t->peers[--t->peer_count]);
	t->peer = NULL;
}

/* Finds out which transports a server has that runs already. Where nothing listens for UDP, the
 * system says so; silence is a fault of the server. */
static void discover_server(struct trial *t)
{
	struct peer *p;

	t->transports = peer_open(t, CASE_TCP) ? CASE_TCP : 0;
	p = peer_open(t, CASE_UDP);
	if (p && peer_send(p, "hello", 5) && (peer_await(p, 1) || !p->error))
		t->transports |= CASE_UDP;
	end_case(t);
}

/* Finds out which transport a client uses, and whether it sends a second line. */
static void discover_client(struct trial *t)
{
	static const char first[] = "serve\0type hello\0get hello\0reply HELLO\0shows HELLO",
	                  second[] = "type again\0get again";

	t->lines = steps_run(t, first, 5) && steps_run(t, second, 2);
	end_case(t);
	program_end(&t->program);
}

/* Why the case does not run, or "". */
static const char *why_skipped(const struct trial *t, const struct check_case *c)
{
	const struct check_options *o = t->options;
	const unsigned asked = c->needs & CASE_TRANSPORTS, has = t->transports | t->demanded;

	if ((c->needs & CASE_COMMAND) && !o->command)
		return "it needs the command";
	if ((c->needs & CASE_LOSSLESS) && t->link && (*o->lab || o->drop_count))
		return "a lossy link would decide it";
	if (asked && !(asked & has) && has)
		return asked == CASE_UDP ? "it has no UDP" : "it has no TCP";
	return (c->needs & CASE_LINES) && !t->lines ? "it sends one line only" : "";
}

/* Starts a server, unless it runs. */
static bool is_running(struct trial *t)
{
	struct program *p = &t->program;

	if (t->options->client || !t->options->command || (p->process > 0 && !program_has_ended(p)))
		return true;
	program_end(p);
	return start_server(t, 0);
}

static bool passes(struct trial *t, const struct check_case *c)
{
	/* One that has never come to serve will not do so now. */
	if (*t->unusable)
		return trial_fail(t, "%s", t->unusable);
	t->transport = c->needs & CASE_UDP ? CASE_UDP : CASE_TCP;
	if (!is_running(t) || !steps_run(t, c->steps, c->step_count))
		return false;
	peer_pause(t, MORE_TIME);
	for (int i = 0; i < t->peer_count; i++)
		if (!t->peers[i]->listens &&
		    !(t->options->client && t->peers[i]->transport == CASE_TCP) &&
		    !peer_expect_nothing(t->peers[i]))
			return false;
	return t->options->client || (c->needs & CASE_COMMAND) || !program_has_ended(&t->program) ||
	       trial_fail_ended(t);
}

/* Whether a failed case runs again, since the link has lost packets of it: a client that repeats
 * nothing is not to blame, nor is a server for TCP's timers, which grow with each loss. */
static bool runs_again(struct trial *t, uint64_t lost, unsigned again)
{
	const unsigned most = t->options->client       ? AGAIN_MAX
	                    : t->transport == CASE_TCP ? SERVER_AGAIN_MAX
	                                               : 0;

	if (!t->link || again > most || lab_link_lost(t->link) == lost)
		return false;
	end_case(t);
	program_end(&t->program);
	begin_case(t);
	snprintf(t->outcome.note, TRIAL_TEXT, "run again %s, since the link had lost a packet",
	    TEXT_COUNT(again, "time"));
	return true;
}

/* The end of what the program printed in this case. */
static void show_printed(struct trial *t)
{
	const struct program *p = &t->program;
	size_t n = p->used - p->begin;

	n = n < TRIAL_TEXT / 5 ? n : TRIAL_TEXT / 5;
	printable_text(t->outcome.printed, p->output + p->used - n, n, "\n", true);
	for (char *at = t->outcome.printed; (at = strchr(at, '\r'));)
		memmove(at, at + 1, strlen(at));
}

static void run_case(struct trial *t, const struct check_case *c)
{
	const char *skipped = why_skipped(t, c);
	const int64_t begin = clock_monotonic();
	struct trial_outcome *o = &t->outcome;
	unsigned again = 0;
	uint64_t lost = 0;
	bool passed;

	begin_case(t);
	text_append(o->reason, TRIAL_TEXT, skipped);
	o->result = TRIAL_SKIPPED;
	if (*skipped)
		return;
	if (t->link)
		(void)lab_link_begin(t->link);
	do {
		lost = t->link ? lab_link_lost(t->link) : 0;
		passed = passes(t, c);
	} while (!passed && runs_again(t, lost, ++again));
	if (!passed && clock_monotonic() >= t->deadline)
		snprintf(o->reason, TRIAL_TEXT, "the time of %s is over",
		    t->deadline == t->end ? "all cases (--limit)" : "the case");
	o->result = passed ? TRIAL_PASSED : TRIAL_FAILED;
	o->took = clock_monotonic() - begin;
	show_printed(t);
	end_case(t);
	/* The next case gets a program that this one has not confused. */
	if (!passed || t->options->client)
		program_end(&t->program);
}

/* Finds the server's address, or that where the judge serves. Returns 0, or -1 after a line. */
static int find_address(struct trial *t)
{
	const struct check_options *o = t->options;
	const char *host = t->link ? LAB_FAR_IPV4 : o->host ? o->host : "127.0.0.1";
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *found;
	const int error = getaddrinfo(host, NULL, &hints, &found);

	if (error) {
		standard_report("%s: %s", host, gai_strerror(error));
		return -1;
	}
	memcpy(&t->address.storage, found->ai_addr, found->ai_addrlen);
	t->address.len = found->ai_addrlen;
	addr_set_port(&t->address, (uint16_t)o->port);
	freeaddrinfo(found);
	return 0;
}

/* Returns the exit status. */
static int judge_all(struct trial *t)
{
	const struct case_table *table = &t->options->table;
	struct report report;
	int status;

	if (find_address(t) < 0)
		return 2;
	begin_case(t);
	if (t->options->client)
		discover_client(t);
	else if (!t->options->command)
		discover_server(t);
	else if (!is_running(t))
		memcpy(t->unusable, t->outcome.reason, TRIAL_TEXT);
	if (t->not_started) {
		standard_report("%s", t->outcome.reason);
		return 2;
	}
	if (report_begin(&report, t) < 0)
		return 2;
	for (int i = 0; i < table->count && !end_requested; i++) {
		run_case(t, &table->cases[i]);
		if (!end_requested)
			report_case(&report, t, &table->cases[i]);
	}
	status = report_end(&report);
	return end_requested ? 128 + end_requested : status;
}

int judge_run(struct check_options *o)
{
	struct trial *t = calloc(1, sizeof *t);
	int status = 2;

	if (!t)
		return 1;
	t->options = o;
	t->demanded = (o->udp ? CASE_UDP : 0) | (o->tcp ? CASE_TCP : 0);
	t->stop = &end_requested;
	t->program.fd = t->program.network = t->claim = -1;
	t->deadline = t->end = clock_monotonic() + o->limit;
	prepare_signals();
	if (!o->lab || (t->link = lab_link_open(o->lab, o->drops, o->drop_count))) {
		if (t->link && !o->client)
			t->program.network = lab_link_far(t->link);
		status = judge_all(t);
		program_end(&t->program);
	}
	lab_link_close(t->link);
	(void)file_close(t->claim);
	free(t);
	return status;
}
