/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "trace/server-tcp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "trace/lab-socket.h"

/* How often the server is asked: while lines wait, and else, since a reply's acknowledgement may be
 * lost too. */
#define ASK_WAITING (50 * NS_PER_MS)
#define ASK_IDLE (500 * NS_PER_MS)
/* How long the last answer may take. */
#define LAST_ANSWER (200 * NS_PER_MS)

struct server_tcp {
	struct lab_socket *line;
	/* Our end of the present connection, 0 before the first. */
	uint16_t port;
	/* What was said of it last, if anything was. */
	bool known, ever_known, changed;
	struct tcp_sample tcp;
	/* Sent again over the connections before it. */
	uint64_t retransmitted_before;
	/* When it was asked last; the answer is still to come. */
	int64_t asked_at;
	bool asking;
	/* When it was asked for what is known, and by when it had answered. */
	int64_t told_asked, told_answered;
};

/* --- reading --- */

static bool has_port(const char *peer, size_t n, uint16_t port)
{
	char end[16];
	const int length = snprintf(end, sizeof end, ":%u", port);

	return n > (size_t)length && memcmp(peer + n - (size_t)length, end, (size_t)length) == 0;
}

static void take_number(struct tcp_sample *out, const char *name, size_t n, int64_t value)
{
	const struct {
		const char *name;
		unsigned *count;
		int64_t *us;
	} names[] = { { "total-retrans", &out->retransmitted, NULL },
		{ "backoff", &out->backoff, NULL }, { "rto-us", NULL, &out->timeout },
		{ "rtt-us", NULL, &out->round_trip }, { "rttvar-us", NULL, &out->variation },
		{ "total-rto", NULL, NULL } };

	for (size_t i = 0; i < sizeof names / sizeof *names && value >= 0 && value <= UINT32_MAX;
	    i++) {
		if (strlen(names[i].name) != n || memcmp(names[i].name, name, n) != 0)
			continue;
		if (names[i].count)
			*names[i].count = (unsigned)value;
		else if (names[i].us)
			*names[i].us = value * NS_PER_US;
		else
			out->timeouts = (int)value;
	}
}

/* The TCP of one connection, as a line of the server tells it ("connection ADDRESS:PORT ... rto-us
 * 204000 ..."): 0, or -1 if it is none or not that of the client's port. Numbers that the server's
 * system does not know stay 0 (`timeouts`: -1). */
static int read_connection(const char *line, uint16_t port, struct tcp_sample *out)
{
	static const char start[] = "connection ";
	size_t n;

	if (strncmp(line, start, sizeof start - 1) != 0)
		return -1;
	line += sizeof start - 1;
	n = strcspn(line, " \n");
	if (!has_port(line, n, port))
		return -1;
	memset(out, 0, sizeof *out);
	out->timeouts = -1;
	/* Pairs of a name and a value. */
	for (line += n; *line == ' ';) {
		const char *name = line + 1;
		const size_t length = strcspn(name, " \n");
		const char *value = name + length;

		if (*value != ' ')
			break;
		take_number(out, name, length, strtoll(value + 1, NULL, 10));
		line = value + 1 + strcspn(value + 1, " \n");
	}
	return 0;
}

/* --- asking --- */

static void take_answer(void *context, const struct lab_socket_answer *answer)
{
	struct server_tcp *f = context;
	struct tcp_sample tcp;

	f->asking = false;
	if (answer->note != f->port || !answer->ok)
		return;
	for (const char *line = answer->text; *line;) {
		const char *end = strchr(line, '\n');

		if (read_connection(line, f->port, &tcp) == 0) {
			f->changed |= !f->known || memcmp(&tcp, &f->tcp, sizeof tcp) != 0;
			f->tcp = tcp;
			f->known = f->ever_known = true;
			f->told_asked = f->asked_at;
			f->told_answered = clock_monotonic();
		}
		line = end ? end + 1 : "";
	}
}

/* What was said last is old. */
static void take_end(void *context)
{
	struct server_tcp *f = context;

	f->changed |= f->known;
	f->known = false;
}

static void ask(struct server_tcp *f)
{
	f->asking = lab_socket_command(f->line, 0, f->port, "connections") == 0;
}

struct server_tcp *server_tcp_open(const char *path)
{
	struct server_tcp *f = calloc(1, sizeof *f);

	if (!f)
		return NULL;
	f->line = lab_socket_open(path,
	    &(struct lab_socket_hooks){ .context = f, .answer = take_answer, .gone = take_end });
	if (f->line)
		return f;
	free(f);
	return NULL;
}

void server_tcp_close(struct server_tcp *f)
{
	if (!f)
		return;
	lab_socket_close(f->line);
	free(f);
}

void server_tcp_connected(struct server_tcp *f, uint16_t port)
{
	if (!f)
		return;
	f->retransmitted_before += f->tcp.retransmitted;
	memset(&f->tcp, 0, sizeof f->tcp);
	f->changed |= f->known;
	f->known = false;
	f->port = port;
	f->asked_at = 0;
}

void server_tcp_finish(struct server_tcp *f)
{
	if (!f || f->port == 0 || lab_socket_is_gone(f->line))
		return;
	ask(f);
	lab_socket_settle(f->line, LAST_ANSWER);
}

static bool may_ask(const struct server_tcp *f)
{
	return f && f->port != 0 && !lab_socket_is_gone(f->line);
}

void server_tcp_watch(const struct server_tcp *f, bool waiting, struct fd_watch *w)
{
	if (!may_ask(f))
		return;
	lab_socket_watch(f->line, w);
	if (!f->asking)
		fd_watch_until(w, f->asked_at + (waiting ? ASK_WAITING : ASK_IDLE));
}

bool server_tcp_dispatch(struct server_tcp *f, const struct fd_watch *w, bool waiting, int64_t now)
{
	bool changed;

	if (!may_ask(f))
		return false;
	lab_socket_dispatch(f->line, w);
	if (!f->asking && !lab_socket_is_gone(f->line) &&
	    now >= f->asked_at + (waiting ? ASK_WAITING : ASK_IDLE)) {
		f->asked_at = now;
		ask(f);
	}
	changed = f->changed;
	f->changed = false;
	return changed;
}

const struct tcp_sample *server_tcp_sample(const struct server_tcp *f)
{
	return f && f->known ? &f->tcp : NULL;
}

bool server_tcp_times(const struct server_tcp *f, int64_t *asked, int64_t *answered)
{
	if (!f || !f->known)
		return false;
	*asked = f->told_asked;
	*answered = f->told_answered;
	return true;
}

bool server_retransmitted(const struct server_tcp *f, uint64_t *again)
{
	if (!f || !f->ever_known)
		return false;
	*again = f->retransmitted_before + f->tcp.retransmitted;
	return true;
}
