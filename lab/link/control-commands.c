/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "lab/link/control-commands.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "common/clock.h"
#include "common/impair-fields.h"
#include "common/printable.h"
#include "common/text.h"
#include "common/units.h"

#define WORDS 40

/* A command, split into words. */
struct command_words {
	char *word[WORDS];
	int count;
	/* The last word if it was a direction, else both; it no longer counts among the words. */
	unsigned directions;
};

struct command_call {
	struct link *link;
	struct command_words command_words;
	int64_t now;
	struct event_filter *filter;
	struct send_buffer *out;
	char *change;
};

static void take_apart(struct command_words *w, char *line)
{
	char *rest = NULL;

	*w = (struct command_words){ .directions = LINK_BOTH };
	for (char *word = strtok_r(line, " \t\r", &rest); word && w->count < WORDS;
	    word = strtok_r(NULL, " \t\r", &rest))
		w->word[w->count++] = word;
	if (w->count < 2)
		return;
	const char *last = w->word[w->count - 1];
	if (!strcmp(last, "there"))
		w->directions = LINK_BIT(LINK_THERE);
	else if (!strcmp(last, "back"))
		w->directions = LINK_BIT(LINK_BACK);
	else if (strcmp(last, "both"))
		return;
	w->count--;
}

static const char *word(const struct command_call *a, int i)
{
	return i < a->command_words.count ? a->command_words.word[i] : "";
}

/* What somebody sent, without what a terminal would obey; as much as fits. */
static const char *harmless(char *buf, size_t size, const char *text)
{
	snprintf(buf, size, "%s", text);
	return printable_replace(buf, strlen(buf));
}

/* Both may quote what somebody sent. */
static bool refuse(const struct command_call *a, const char *quote, const char *why)
{
	char quoted[32], reason[IMPAIR_WHY];
	const char *mark = *quote ? "'" : "";

	send_buffer_print(a->out, "error %s%s%s%s%s\n", mark,
	    harmless(quoted, sizeof quoted, quote), mark, *mark ? " " : "",
	    harmless(reason, sizeof reason, why));
	return false;
}

/* A share in percent, by the settings' own writer. */
static void print_share(const struct command_call *a, const char *before, double share)
{
	char value[IMPAIR_VALUE];
	/* More places than a share can have in six digits mislead. */
	struct impair_settings s = { .loss = round(share * 1e6) / 1e6 };

	send_buffer_print(a->out, "%s %s\n", before,
	    impair_fields_get(&s, IMPAIR_FIELD_loss, value));
}

static void print_time(const struct command_call *a, const char *direction, const char *name,
    int64_t ns)
{
	char value[IMPAIR_VALUE];
	struct impair_settings s = { .delay = ns };

	send_buffer_print(a->out, "%s %s %s\n", direction, name,
	    impair_fields_get(&s, IMPAIR_FIELD_delay, value));
}

/* How long something is still on, in whole ms; nothing if it is not. */
static void print_rest(const struct command_call *a, const char *direction, const char *name,
    int64_t until)
{
	if (until > a->now)
		print_time(a, direction, name,
		    (until - a->now + NS_PER_MS - 1) / NS_PER_MS * NS_PER_MS);
}

static void print_derived(const struct command_call *a, enum link_direction direction)
{
	const struct impair_settings *s = link_settings(a->link, direction);
	const struct impair *impair = link_impair(a->link, direction);
	const char *name = link_direction_name(direction);
	char line[IMPAIR_LINE], value[IMPAIR_VALUE], before[32];
	double p, r;

	if (s->loss > 0 && s->loss < 1) {
		struct impair_settings mean = { .burst = impair_mean_burst(s) };
		impair_chain(s, &p, &r);
		snprintf(before, sizeof before, "%s good-to-bad", name);
		print_share(a, before, p);
		snprintf(before, sizeof before, "%s bad-to-good", name);
		print_share(a, before, r);
		send_buffer_print(a->out, "%s mean-burst %s\n", name,
		    impair_fields_get(&mean, IMPAIR_FIELD_burst, value));
	}
	print_rest(a, name, "held-for", impair_held_until(impair));
	print_rest(a, name, "unplugged-for", impair_unplugged_until(impair));
	send_buffer_print(a->out, "%s line %s\n", name, impair_fields_line(s, line, sizeof line));
}

static bool do_link(const struct command_call *a)
{
	char value[IMPAIR_VALUE];

	send_buffer_print(a->out, "seed %" PRIu64 "\n", link_seed(a->link));
	for (int d = 0; d < LINK_DIRECTIONS; d++) {
		for (int id = 0; id < IMPAIR_FIELD_COUNT; id++)
			send_buffer_print(a->out, "%s %s %s\n", link_direction_name(d),
			    impair_field(id)->name,
			    impair_fields_get(link_settings(a->link, d), id, value));
		print_derived(a, d);
	}
	send_buffer_print(a->out, "ok\n");
	return false;
}

static bool done(const struct command_call *a, const struct impair_settings *to)
{
	char line[IMPAIR_LINE];
	bool changed = false;

	snprintf(a->change, EVENTS_CHANGE, "set ");
	for (int d = 0; d < LINK_DIRECTIONS; d++) {
		const size_t used = strlen(a->change);

		changed |= !impair_fields_same(link_settings(a->link, d), &to[d]);
		impair_fields_line(&to[d], line, sizeof line);
		link_change(a->link, d, &to[d]);
		send_buffer_print(a->out, "%s line %s\n", link_direction_name(d), line);
		snprintf(a->change + used, EVENTS_CHANGE - used, "%s%s", line, d == 0 ? "; " : "");
	}
	send_buffer_print(a->out, "ok\n");
	if (!changed)
		*a->change = '\0';
	return changed;
}

static bool do_set(const struct command_call *a)
{
	struct impair_settings changed[LINK_DIRECTIONS];
	char text[IMPAIR_LINE * 2], why[IMPAIR_WHY];
	struct text command_words = text_begin(text, sizeof text);

	if (a->command_words.count < 2)
		return refuse(a, "", "set needs a name and a value; for example: set loss 30%");
	for (int i = 1; i < a->command_words.count; i++)
		text_put(&command_words, "%s ", a->command_words.word[i]);
	for (int d = 0; d < LINK_DIRECTIONS; d++) {
		changed[d] = *link_settings(a->link, d);
		if (command_words.used >= sizeof text)
			return refuse(a, "", "too long; for example: set loss 30%");
		if ((a->command_words.directions & LINK_BIT(d)) &&
		    impair_fields_parse(&changed[d], text, why))
			return refuse(a, "", why);
	}
	return done(a, changed);
}

static bool do_preset(const struct command_call *a)
{
	struct impair_settings s[LINK_DIRECTIONS];
	const struct impair_preset *preset = impair_preset_find(word(a, 1));

	if (a->command_words.count < 2)
		return refuse(a, "",
		    "preset needs a name; for example: preset wifi (presets lists them)");
	if (a->command_words.count > 2)
		return refuse(a, word(a, 2),
		    "is neither there nor back; for example: preset wifi back");
	if (!preset)
		return refuse(a, word(a, 1),
		    "is no preset; for example: preset wifi (presets lists them)");
	impair_preset_settings(preset, &s[LINK_THERE], &s[LINK_BACK]);
	for (int d = 0; d < LINK_DIRECTIONS; d++)
		if (!(a->command_words.directions & LINK_BIT(d)))
			s[d] = *link_settings(a->link, d);
	return done(a, s);
}

static bool do_presets(const struct command_call *a)
{
	const struct impair_preset *preset;
	struct impair_settings s[LINK_DIRECTIONS];
	char line[IMPAIR_LINE];

	for (size_t i = 0; (preset = impair_preset(i)); i++) {
		impair_preset_settings(preset, &s[LINK_THERE], &s[LINK_BACK]);
		send_buffer_print(a->out, "preset %s about %s\n", preset->name, preset->about);
		for (int d = 0; d < LINK_DIRECTIONS; d++)
			send_buffer_print(a->out, "preset %s %s %s\n", preset->name,
			    link_direction_name(d), impair_fields_line(&s[d], line, sizeof line));
	}
	send_buffer_print(a->out, "ok\n");
	return false;
}

/* The change is in the command's own words. */
static bool done_as_given(const struct command_call *a)
{
	struct text change = text_begin(a->change, EVENTS_CHANGE);

	for (int i = 0; i < a->command_words.count; i++)
		text_put(&change, "%s%s", i ? " " : "", word(a, i));
	if (a->command_words.directions != LINK_BOTH)
		text_put(&change, " %s",
		    link_direction_name(a->command_words.directions == LINK_BIT(LINK_BACK)
		                            ? LINK_BACK
		                            : LINK_THERE));
	send_buffer_print(a->out, "ok\n");
	return true;
}

static bool do_drop(const struct command_call *a)
{
	static const struct {
		const char *name;
		unsigned classes, directions;
	} what[] = {
		{ "request", PACKET_CLASS_DATAGRAM | PACKET_CLASS_STREAM, LINK_BIT(LINK_THERE) },
		{ "reply", PACKET_CLASS_DATAGRAM | PACKET_CLASS_STREAM, LINK_BIT(LINK_BACK) },
		{ "syn", PACKET_CLASS_SYN, LINK_BOTH },
		{ "ack", PACKET_CLASS_ACK, LINK_BOTH },
	};
	const bool udp = !strcmp(word(a, 2), "udp"), tcp = !strcmp(word(a, 2), "tcp");
	const int at = 2 + (udp || tcp);

	if (a->command_words.count == 2 && !strcmp(word(a, 1), "none")) {
		link_drop_none(a->link);
		return done_as_given(a);
	}
	for (size_t i = 0; i < sizeof what / sizeof *what && !strcmp(word(a, 1), "next"); i++)
		if (a->command_words.count == at + 1 && !strcmp(word(a, at), what[i].name)) {
			const unsigned directions = what[i].directions &
			                            a->command_words.directions;
			const unsigned classes = what[i].classes &
			                         (udp      ? PACKET_CLASS_DATAGRAM
			                             : tcp ? ~(unsigned)PACKET_CLASS_DATAGRAM
			                                   : ~0u);

			if (!classes)
				return refuse(a, "",
				    "only TCP has a syn and an ack; for example: drop next udp "
				    "request");
			if (!directions)
				return refuse(a, "",
				    "requests go there, replies come back; for example: drop next "
				    "reply");
			if (link_drop_next(a->link, classes, directions))
				return refuse(a, "",
				    "too many drops wait already; for example: drop none");
			return done_as_given(a);
		}
	return refuse(a, "",
	    "drop next [udp|tcp] request, reply, syn or ack; for example: drop next reply");
}

static bool for_a_time(const struct command_call *a,
    void (*start)(struct link *, unsigned, int64_t, int64_t))
{
	char why[64];
	int64_t span;

	if (a->command_words.count != 2) {
		snprintf(why, sizeof why, "%s takes a time up to 1h; for example: %s 3s",
		    word(a, 0), word(a, 0));
		return refuse(a, "", why);
	}
	if (units_duration(word(a, 1), &span) || span > 3600 * NS_PER_S) {
		snprintf(why, sizeof why, "is not a time up to 1h; for example: %s 3s", word(a, 0));
		return refuse(a, word(a, 1), why);
	}
	start(a->link, a->command_words.directions, a->now, span);
	return done_as_given(a);
}

static bool do_hold(const struct command_call *a)
{
	return for_a_time(a, link_hold);
}

static bool do_unplug(const struct command_call *a)
{
	return for_a_time(a, link_unplug);
}

static bool do_counts(const struct command_call *a)
{
	for (int d = 0; d < LINK_DIRECTIONS; d++) {
		const struct link_counts *c = link_counts(a->link, d);
		const char *name = link_direction_name(d);
		const struct {
			const char *name;
			uint64_t value;
		} list[] = {
			{ "packets", c->packets },
			{ "bytes", c->bytes },
			{ "delivered", c->delivered },
			{ "delivered-bytes", c->delivered_bytes },
			{ "in-flight", c->in_flight },
			{ "undelivered", c->undelivered },
			{ "duplicated", c->duplicated },
			{ "corrupted", c->corrupted },
			{ "held", c->held },
			{ "held-to-pass", c->delayed },
			{ "reordered", c->reordered },
			{ "cut", c->cut },
			{ "too-big-answers", c->too_big_answers },
			{ "chatter", c->unsolicited },
		};
		for (size_t i = 0; i < sizeof list / sizeof *list; i++)
			send_buffer_print(a->out, "%s %s %" PRIu64 "\n", name, list[i].name,
			    list[i].value);
		for (int fate = IMPAIR_DELIVERED + 1; fate < IMPAIR_FATES; fate++)
			send_buffer_print(a->out, "%s lost-%s %" PRIu64 "\n", name,
			    impair_fate_word(fate), c->fates[fate]);
	}
	send_buffer_print(a->out, "balanced %s\nok\n", link_balanced(a->link) ? "yes" : "no");
	return false;
}

static bool do_predict(const struct command_call *a)
{
	const struct impair_settings *there = link_settings(a->link, LINK_THERE);
	const struct impair_settings *back = link_settings(a->link, LINK_BACK);

	print_share(a, "there through", impair_through(there));
	print_share(a, "back through", impair_through(back));
	print_share(a, "answered", impair_through(there) * impair_through(back));
	print_time(a, "round-trip", "delay", there->delay + back->delay);
	print_time(a, "round-trip", "jitter", there->jitter + back->jitter);
	send_buffer_print(a->out, "ok\n");
	return false;
}

static bool do_events(const struct command_call *a)
{
	struct event_filter filter = { .on = !strcmp(word(a, 1), "on") };
	int64_t port;

	if (!filter.on && (strcmp(word(a, 1), "off") || a->command_words.count > 2))
		return refuse(a, word(a, 1), "is neither on nor off; for example: events on 12000");
	for (int i = 2; i < a->command_words.count; i++) {
		if (units_count(word(a, i), 1, UINT16_MAX, &port))
			return refuse(a, word(a, i),
			    "is not a port, 1 to 65535; for example 12000");
		if (filter.count == EVENTS_PORTS)
			return refuse(a, word(a, i), "is one port too many: there may be 8");
		filter.ports[filter.count++] = (uint16_t)port;
	}
	*a->filter = filter;
	send_buffer_print(a->out, "ok\n");
	return false;
}

static bool do_help(const struct command_call *a);

static const struct control_command {
	const char *name, *arguments, *help;
	bool (*run)(const struct command_call *a);
} commands[] = {
	{ "link", "", "all settings", do_link },
	{ "set", "NAME VALUE ... [there|back]", "change settings", do_set },
	{ "preset", "NAME [there|back]", "take the settings of a link with a name", do_preset },
	{ "presets", "", "their names and values", do_presets },
	{ "drop", "next [udp|tcp] request|reply|syn|ack [there|back]", "drop that one", do_drop },
	{ "hold", "SPAN [there|back]", "keep all packets for so long", do_hold },
	{ "unplug", "SPAN [there|back]", "lose all packets for so long", do_unplug },
	{ "counts", "", "what happened so far", do_counts },
	{ "predict", "", "the share of lines to be answered", do_predict },
	{ "events", "on [PORT]...|off", "a line for every packet", do_events },
	{ "help", "", "this list", do_help },
};

static bool do_help(const struct command_call *a)
{
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
		send_buffer_print(a->out, "help %s%s%s: %s\n", commands[i].name,
		    commands[i].arguments[0] ? " " : "", commands[i].arguments, commands[i].help);
	for (int id = 0; id < IMPAIR_FIELD_COUNT; id++)
		send_buffer_print(a->out, "help set %s %s: %s\n", impair_field(id)->name,
		    impair_field(id)->example, impair_field(id)->help);
	send_buffer_print(a->out, "ok\n");
	return false;
}

bool lab_control_execute(struct link *link, char *line, int64_t now, struct event_filter *filter,
    struct send_buffer *out, char change[EVENTS_CHANGE])
{
	struct command_call a = {
		.link = link, .now = now, .filter = filter, .out = out, .change = change
	};

	take_apart(&a.command_words, line);
	if (a.command_words.count == WORDS)
		return refuse(&a, "", "too many words; for example: help");
	if (a.command_words.count == 0)
		return refuse(&a, "", "an empty order; for example: help");
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
		if (!strcmp(a.command_words.word[0], commands[i].name))
			return a.command_words.count > 1 && !commands[i].arguments[0]
			         ? refuse(&a, commands[i].name, "takes no words")
			         : commands[i].run(&a);
	return refuse(&a, a.command_words.word[0], "is no order; for example: help");
}
