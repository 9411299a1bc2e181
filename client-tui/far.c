/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "far.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "lab.h"

struct far {
	char *path;
	struct far_hooks hooks;
	/* NULL before there is somebody to ask about, or when nobody answers at the path. */
	struct lab *line;
	/* The client that is asked about, and how many there were before it: an answer about one of those is old. */
	char here[SESSION_HERE];
	int client;
	bool asking;
	int64_t asked_at;
	/* What was said of it last. */
	bool known;
	struct session_tcp tcp;
	bool told_gone;
};

/* --- reading --- */

static void take(struct session_tcp *tcp, const char *name, const char *value)
{
	const long long number = atoll(value);

	if (strcmp(name, "total-retrans") == 0)
		tcp->again = (unsigned)number;
	else if (strcmp(name, "total-rto") == 0)
		tcp->timeouts = (int)number;
	else if (strcmp(name, "rto-us") == 0)
		tcp->timeout = number * NS_PER_US;
	else if (strcmp(name, "backoff") == 0)
		tcp->doubled = (unsigned)number;
	else if (strcmp(name, "rtt-us") == 0)
		tcp->round_trip = number * NS_PER_US;
	else if (strcmp(name, "rttvar-us") == 0)
		tcp->variation = number * NS_PER_US;
	else if (strcmp(name, "unacked") == 0)
		tcp->unacked = (unsigned)number;
}

int far_read(struct session_tcp *tcp, const char *line)
{
	char text[1000], *rest = NULL, *name, *value;

	if ((size_t)snprintf(text, sizeof text, "%s", line) >= sizeof text)
		return -1;
	name = strtok_r(text, " \n", &rest);
	value = strtok_r(NULL, " \n", &rest);
	if (!name || !value || strcmp(name, "connection") != 0)
		return -1;
	*tcp = (struct session_tcp){.timeouts = -1};
	snprintf(tcp->here, sizeof tcp->here, "%s", value);
	while ((name = strtok_r(NULL, " \n", &rest)) && (value = strtok_r(NULL, " \n", &rest)))
		take(tcp, name, value);
	/* Without these a kernel has told nothing of use. */
	return tcp->timeout > 0 ? 0 : -1;
}

/* --- the line --- */

static void on_answer(void *context, const struct lab_answer *answer)
{
	struct far *f = context;
	struct session_tcp tcp;

	f->asking = false;
	if (answer->purpose != f->client)
		return;
	f->known = answer->ok && far_read(&tcp, answer->text) == 0 && strcmp(tcp.here, f->here) == 0;
	if (!f->known)
		return;
	f->tcp = tcp;
	f->hooks.told(f->hooks.context, &f->tcp, answer->note, clock_monotonic());
}

static void on_line(void *context, const char *line)
{
	(void)context, (void)line;
}

static void on_gone(void *context)
{
	struct far *f = context;

	f->asking = f->known = false;
	if (!f->told_gone)
		f->hooks.gone(f->hooks.context);
	f->told_gone = true;
}

struct far *far_open(const char *path, const struct far_hooks *hooks)
{
	struct far *f = calloc(1, sizeof *f);

	if (!f)
		return NULL;
	f->hooks = *hooks;
	f->path = strdup(path);
	if (f->path)
		return f;
	free(f);
	return NULL;
}

void far_close(struct far *f)
{
	if (!f)
		return;
	lab_close(f->line);
	free(f->path);
	free(f);
}

/* --- asking --- */

/* Each new connection is a chance that the server is there (again). */
static void follow(struct far *f, const char *here)
{
	snprintf(f->here, sizeof f->here, "%s", here);
	f->client++;
	f->known = false;
	if (!*here || (f->line && !lab_is_gone(f->line)))
		return;
	lab_close(f->line);
	f->asking = false;
	f->line = lab_open(f->path,
	    &(struct lab_hooks){.context = f, .answer = on_answer, .line = on_line, .gone = on_gone});
}

static bool can_ask(const struct far *f)
{
	return *f->here && f->line && !lab_is_gone(f->line) && !f->asking;
}

void far_ask(struct far *f, const char *here, int64_t every, int64_t now)
{
	char order[LAB_ORDER_MOST];
	const bool new = strcmp(here, f->here) != 0;

	if (new)
		follow(f, here);
	if (!can_ask(f) || (!new && now < f->asked_at + every))
		return;
	snprintf(order, sizeof order, "connection %s", f->here);
	f->asked_at = now;
	f->asking = true;
	if (lab_order(f->line, f->client, now, order) < 0)
		f->asking = false;
}

int64_t far_next(const struct far *f, int64_t every)
{
	return can_ask(f) ? f->asked_at + every : CLOCK_NEVER;
}

const struct session_tcp *far_told(const struct far *f)
{
	return f->known ? &f->tcp : NULL;
}

void far_watch(const struct far *f, struct watch *w)
{
	if (f->line)
		lab_watch(f->line, w);
}

void far_turn(struct far *f, const struct watch *w)
{
	if (f->line)
		lab_turn(f->line, w);
}
