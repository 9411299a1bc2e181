/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lab/ctl.h"

#include <errno.h>

#include "common/clock.h"
#include "common/complete.h"
#include "common/control-socket.h"
#include "common/event-line.h"
#include "common/impair-fields.h"
#include "common/options.h"
#include "common/standard.h"
#include "common/text.h"
#include "lab/hosts/runtime-dir.h"
#include "lab/link/control-commands.h"

/* The flow of a segment; a new one has no last time. */
static struct event_text_flow *find_flow(struct event_text *t, const struct packet_event *e)
{
	const uint64_t key = (uint64_t)(e->direction == LINK_GOING ? 1 : 2) << 32 |
	                     (uint64_t)e->source_port << 16 | e->target_port;
	struct event_text_flow *flow;

	for (size_t i = 0; i < EVENT_TEXT_FLOWS; i++)
		if (t->flows[i].key == key)
			return &t->flows[i];
	flow = &t->flows[t->oldest++ % EVENT_TEXT_FLOWS];
	*flow = (struct event_text_flow){ .key = key };
	return flow;
}

/* For TEXT_DECIMAL(). */
static double seconds(int64_t ns)
{
	return ns > 0 ? (double)ns / (double)NS_PER_S : 0;
}

/* Bytes, a SYN and a FIN take sequence numbers; one that was used before is a retransmission. */
static void add_retransmission(struct event_text *t, const struct packet_event *e,
    struct text *line)
{
	const uint32_t length = e->length + e->syn + e->fin, next = e->seq + length;
	struct event_text_flow *flow;

	if (length == 0 || e->protocol != LINK_TCP)
		return;
	flow = find_flow(t, e);
	if (flow->last && (int32_t)(next - flow->next) <= 0)
		text_put(line, "; again, after %s s", TEXT_DECIMAL(seconds(e->in - flow->last), 3));
	else
		flow->next = next;
	flow->last = e->in;
}

static void add_packet(const struct packet_event *e, struct text *line)
{
	text_put(line, "  %-5s  %-4s ", link_direction_names[e->direction],
	    link_protocol_names[e->protocol]);
	if (e->protocol == LINK_ICMP)
		text_put(line, "type %u code %u", e->source_port, e->target_port);
	else if (e->source_port || e->target_port)
		text_put(line, "%u > %u", e->source_port, e->target_port);
	if (*e->flags)
		text_put(line, " %-2s", e->flags);
	if (e->fragment)
		text_put(line, " fragment at %" PRIu32, e->offset);
	if (e->protocol != LINK_ICMP)
		text_put(line, " %" PRIu32 " bytes", e->length);
	text_put(line, " (%" PRIu32 ")", e->size);
}

static void add_fate(const struct packet_event *e, struct text *line)
{
	if (e->fate == LINK_DELIVERED || e->fate == LINK_CORRUPTED)
		text_put(line, ": %s", e->fate_word);
	else
		text_put(line, ": LOST, %s%s", e->fate == LINK_REQUESTED_DROP ? "on " : "",
		    e->fate_word);
	if (*e->marks)
		text_put(line, ", %s", e->marks);
}

/* Adds the time since the first event. */
static void add_moment(struct event_text *t, int64_t at, struct text *line)
{
	if (!t->begun) {
		t->begun = true;
		t->start = at;
	}
	text_put(line, "%s", TEXT_DECIMAL(seconds(at - t->start), 3));
}

bool event_text_line(struct event_text *t, char *event, char text[EVENT_TEXT_LINE])
{
	static const char changed[] = "changed ";
	struct text line = text_begin(text, EVENT_TEXT_LINE);
	struct packet_event e;
	char *words;
	int64_t at;

	if (strncmp(event, changed, strlen(changed)) == 0) {
		at = strtoll(event + strlen(changed), &words, 10);
		if (at <= 0 || *words != ' ')
			return false;
		add_moment(t, at, &line);
		text_put(&line, "  link  %s", words);
		return true;
	}
	if (event_line_parse(&e, event) < 0 || e.in <= 0)
		return false;
	add_moment(t, e.in, &line);
	add_packet(&e, &line);
	add_fate(&e, &line);
	add_retransmission(t, &e, &line);
	return true;
}

struct ctl_options {
	const char *socket;
	bool help;
};

static const struct options_spec table[] = {
	{ "socket", 0, "PATH", "the lab's control socket", "/run/user/1000/upcase-lab-77.x/link",
	    OPTIONS_TEXT, OPTIONS_FIELD(struct ctl_options, socket), 1, .wrong = "is no path" },
	OPTIONS_FLAG("help", 'h', "show this help", OPTIONS_FIELD(struct ctl_options, help)),
	{ .name = NULL },
};

/* Prints the orders for --help or for completion, which has the settings among them. The link's own
 * help lists its commands; this needs no link. */
static void print_orders(bool completing)
{
	struct event_filter filter;
	struct send_buffer out = { .bytes = NULL };
	char change[CONTROL_CHANGE];
	char command[] = "help", *text, *rest = NULL;

	puts(completing ? "watch\tevery packet as it meets the link"
	                : "  watch [PORT]...: every packet as it meets the link");
	lab_control_execute(NULL, command, 0, &filter, &out, change);
	send_buffer_add(&out, "", 1);
	for (text = out.bytes ? strtok_r(out.bytes, "\n", &rest) : NULL; text;
	    text = strtok_r(NULL, "\n", &rest)) {
		if (!text_begins(text, "help "))
			continue;
		text += 5;
		if (completing && text_begins(text, "set ") && text[4] >= 'a')
			text += 4;
		if (completing)
			printf("%.*s\t%s\n", (int)strcspn(text, " :"), text,
			    strstr(text, ": ") + 2);
		else
			printf("  %s\n", text);
	}
	send_buffer_free(&out);
}

static int print_help(void)
{
	fputs("Usage: upcase-lab ctl [--socket PATH] [ORDER [WORD]...]\n"
	      "Asks and changes the link of a running lab. Without an order: link.\n\n",
	    stdout);
	options_help(table, stdout);
	puts("\nThe orders; that of \"set\" may be left out, as in \"loss 20%\":");
	print_orders(false);
	return standard_end();
}

/* "watch" is not a command of the link: ctl writes the events for people. */
static bool is_watch(int count, char **words)
{
	return count > 0 && strcmp(words[0], "watch") == 0;
}

/* Flushes each line, also into a pipe. Returns true to stop. */
static bool print_line(void *context, char *line)
{
	(void)context;
	standard_put(stdout, line);
	putchar('\n');
	return fflush(stdout) != 0;
}

static bool print_event(void *context, char *line)
{
	char text[EVENT_TEXT_LINE];

	if (strcmp(line, "ok") == 0)
		standard_report("watching the link; Ctrl-C ends it");
	else if (event_text_line(context, line, text))
		return print_line(NULL, text);
	return false;
}

/* Whether the first of the words in `text` is a setting's name. */
static bool names_setting(const char *text)
{
	char name[IMPAIR_VALUE];

	snprintf(name, sizeof(name), "%.*s", (int)strcspn(text, " "), text);
	return impair_field_find(name) != IMPAIR_FIELD_COUNT;
}

/* Joins the words by spaces: "link" if there are none, "set" before a setting's name. Returns 0, or
 * -1 if they are too many. */
static int join(char *command, size_t size, int count, char **words)
{
	const bool watch = is_watch(count, words);
	struct text t = text_begin(command, size);

	text_put(&t, "%s",
	    count == 0                ? "link"
	    : names_setting(words[0]) ? "set"
	    : watch                   ? "events on"
	                              : "");
	for (int i = watch; i < count; i++)
		text_put(&t, "%s%s", t.used > 0 ? " " : "", words[i]);
	return t.used >= size || strpbrk(command, "\r\n") ? -1 : 0;
}

/* The path of --socket, else of the environment inside a lab, else of the newest lab. */
static const char *find_socket(const char *given, char *buf, size_t size)
{
	const char *inherited = getenv("UPCASE_LAB");

	if (given)
		return given;
	if (inherited && *inherited)
		return inherited;
	return runtime_dir_newest(buf, size) == 0 ? buf : NULL;
}

static int run_command(const char *path, const char *command, bool watch)
{
	struct event_text event_text = { .begun = false };
	const struct control_request request = {
		.path = path,
		.command = command,
		.follow = strncmp(command, "events on", 9) == 0,
		.line = watch ? print_event : print_line,
		.context = &event_text,
	};
	char reason[CONTROL_REASON] = "";
	int result = control_request_send(&request, reason);

	if (result < 0) {
		standard_report("%s: %s: no lab answers there", path, strerror(errno));
		return 1;
	}
	if (result > 0)
		standard_report("%s", reason);
	return standard_end() || result > 0;
}

int ctl_complete(int argc, char **argv)
{
	const int count = options_complete(table, false, argc, argv, stdout);
	const char *order = count > 0 ? argv[argc - 1 - count] : "";
	const bool set = names_setting(order);
	char text[COMPLETE_WORDS] = "";
	struct text t = text_begin(text, sizeof text);

	if (count == 0)
		print_orders(true);
	complete_order(&t, set ? "set" : order, set || count > 1 ? argv[argc - 2] : "");
	fputs(text, stdout);
	return standard_end();
}

int ctl_run(int argc, char **argv)
{
	struct ctl_options options = { .socket = NULL };
	int first = options_command_line(table, &options, argc, argv);
	char command[CONTROL_LINE_MAX], buf[RUNTIME_DIR_PATH + 8];
	const char *path;

	if (first < 0)
		return 2;
	if (options.help)
		return print_help();
	if (join(command, sizeof(command), argc - first, argv + first) != 0) {
		standard_report(
		    "ctl: the order is longer than %d characters, or more than one line",
		    CONTROL_LINE_MAX);
		return 2;
	}
	if (!(path = find_socket(options.socket, buf, sizeof(buf)))) {
		standard_report("ctl: no lab of yours is running; start one with: upcase-lab");
		return 1;
	}
	return run_command(path, command, is_watch(argc - first, argv + first));
}
