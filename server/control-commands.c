/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "server/control-commands.h"

#include "common/clock.h"
#include "common/text.h"

/* Room for one connection's line. */
#define LINE 1000
/* How much of a wrong command is quoted. */
#define QUOTE 32

/* Room for answers that is left free when no more connections are added. */
#define RESERVED 8192

struct command_call {
	const struct control_sources *sources;
	/* The word behind the command's name, "" for none. */
	const char *argument;
	int64_t now;
	struct send_buffer *out;
	/* The number of connections; whether some found no room. */
	int count;
	bool full;
};

/* RFC 9293, section 3.3.2, by the kernel's numbers (include/net/tcp_states.h), from 1 on. */
static const char *const states[] = { "other", "established", "syn-sent", "syn-received",
	"fin-wait-1", "fin-wait-2", "time-wait", "closed", "close-wait", "last-ack", "listen",
	"closing" };

/* NULL: it is not told. */
static const char *const numbers[OS_TCP_NUMBERS] = OS_TCP_WORDS;

/* Takes a connection's line, with its end. */
static void add_line(void *context, const char *line)
{
	struct command_call *call = context;

	call->full = call->full || call->out->end - call->out->first > SEND_BUFFER_MAX - RESERVED;
	call->count++;
	if (!call->full)
		send_buffer_print(call->out, "%s", line);
}

static void add_connection(void *context, const struct control_connection *c)
{
	struct command_call *call = context;
	char line[LINE];
	struct text out = text_begin(line, sizeof line);

	if (*call->argument && strcmp(call->argument, c->peer) != 0)
		return;
	text_put(&out,
	    "connection %s age-ms %" PRId64 " idle-ms %" PRId64 " bytes-in %" PRIu64
	    " bytes-out %" PRIu64 " pending %zu",
	    c->peer, c->age / NS_PER_MS, c->idle / NS_PER_MS, c->bytes_in, c->bytes_out,
	    c->pending);
	if (os_tcp_knows(&c->kernel, OS_TCP_STATE)) {
		const uint64_t state = c->kernel.value[OS_TCP_STATE];

		text_put(&out, " state %s",
		    states[state < sizeof states / sizeof *states ? state : 0]);
	}
	for (int i = 0; i < OS_TCP_NUMBERS; i++)
		if (numbers[i] && os_tcp_knows(&c->kernel, i))
			text_put(&out, " %s %" PRIu64, numbers[i], c->kernel.value[i]);
	text_put(&out, "\n");
	add_line(call, line);
}

/* Refuses a command because of one of its words, or "". The word is quoted in printable ASCII.
 * Returns false. */
static bool refuse(const struct command_call *call, const char *quote, const char *reason)
{
	char safe[QUOTE];
	size_t n = 0;

	for (; quote[n] && n < sizeof safe - 1; n++)
		safe[n] = (unsigned char)quote[n] < ' ' || (unsigned char)quote[n] > '~' ? '?'
		                                                                         : quote[n];
	safe[n] = '\0';
	send_buffer_print(call->out, *quote ? "error '%s' %s\n" : "error %s%s\n", safe, reason);
	return false;
}

static bool do_totals(struct command_call *call)
{
	char line[COUNTERS_LINE];

	if (call->sources->sum)
		call->sources->sum(call->sources->server);
	for (int i = 0; counters_line(call->sources->counters, i, line); i++)
		send_buffer_print(call->out, "%s\n", line);
	return true;
}

/* Answers with the connections, or with the one of the argument. */
static bool do_connections(struct command_call *call)
{
	int unanswered = 0;

	if (call->sources->query)
		unanswered = call->sources->query(call->sources->server,
		    TEXT_FORMAT("connection%s%s\n", *call->argument ? " " : "s", call->argument),
		    add_line, call);
	else
		call->sources->each(call->sources->tcp, call->now, add_connection, call);
	if (unanswered) {
		send_buffer_print(call->out, "error worker %d does not answer\n", unanswered);
		return false;
	}
	if (call->full)
		return refuse(call, "", "there are too many to tell: ask for one of them");
	if (*call->argument && !call->count)
		return refuse(call, call->argument,
		    "is not connected; \"connections\" lists who is");
	return true;
}

static bool do_link(struct command_call *call)
{
	const struct impair_options *o = call->sources->link;
	char there[IMPAIR_LINE], back[IMPAIR_LINE];

	send_buffer_print(call->out, "seed %" PRIu64 "\nthere line %s\nback line %s\n", o->seed,
	    impair_fields_line(&o->there, there, sizeof there),
	    impair_fields_line(&o->back, back, sizeof back));
	return true;
}

static bool do_help(struct command_call *call);

/* `execute` writes the answer without its last line, "ok"; or refuses and returns false. */
static const struct control_command {
	const char *name, *argument, *help;
	bool (*execute)(struct command_call *call);
} table[] = {
	{ "totals", NULL, "what was counted so far", do_totals },
	{ "connections", NULL, "each TCP client, with what the kernel knows of it",
	    do_connections },
	{ "connection", "ADDRESS:PORT", "one of them", do_connections },
	{ "link", NULL, "what is done to UDP", do_link },
	{ "help", NULL, "this", do_help },
};
#define COMMANDS (sizeof table / sizeof *table)

static bool do_help(struct command_call *call)
{
	for (size_t i = 0; i < COMMANDS; i++)
		send_buffer_print(call->out, "%s%s%s: %s\n", table[i].name,
		    table[i].argument ? " " : "", table[i].argument ? table[i].argument : "",
		    table[i].help);
	return true;
}

void control_commands_execute(const struct control_sources *s, char *line, int64_t now,
    struct send_buffer *out)
{
	static const char blanks[] = " \t\r";
	char *rest = NULL;
	const char *name = strtok_r(line, blanks, &rest), *argument = strtok_r(NULL, blanks, &rest);
	struct command_call call = {
		.sources = s, .argument = argument ? argument : "", .now = now, .out = out
	};

	for (size_t i = 0; name && i < COMMANDS; i++) {
		if (strcmp(name, table[i].name) != 0)
			continue;
		if (!table[i].argument != !argument || strtok_r(NULL, blanks, &rest))
			refuse(&call, name,
			    table[i].argument
			        ? "takes one word; for example: connection 127.0.0.1:40000"
			        : "takes no words");
		else if (table[i].execute(&call))
			send_buffer_print(out, "ok\n");
		return;
	}
	refuse(&call, name ? name : "",
	    name ? "is no order; for example: help" : "an order is missing; for example: help");
}
