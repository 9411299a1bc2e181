/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lab/link/control-commands.h"

#include <math.h>

#include "common/clock.h"
#include "common/printable.h"
#include "common/text.h"
#include "common/units.h"

#define WORDS 40

/* The outcome of a command. */
enum command_result { REFUSED, ANSWERED, CHANGED };

/* A command, split into words, and its context. */
struct command_call {
	char *words[WORDS];
	int count;
	/* The direction in the last word, which then no longer counts among the words, else both
	 * directions. A rule for packets reads its own. */
	unsigned directions;
	struct link *link;
	int64_t now;
	struct event_filter *filter;
	struct send_buffer *out;
	char *change;
};

static void split(struct command_call *call, char *line)
{
	char *rest = NULL;

	for (char *word = strtok_r(line, " \t\r", &rest); word && call->count < WORDS;
	    word = strtok_r(NULL, " \t\r", &rest))
		call->words[call->count++] = word;
	if (call->count < 2 || !strcmp(call->words[0], "drop") || !strcmp(call->words[0], "packet"))
		return;
	const char *last = call->words[call->count - 1];
	if (!strcmp(last, "there"))
		call->directions = LINK_BIT(LINK_GOING);
	else if (!strcmp(last, "back"))
		call->directions = LINK_BIT(LINK_COMING);
	else if (strcmp(last, "both"))
		return;
	call->count--;
}

static const char *word(const struct command_call *call, int i)
{
	return i < call->count ? call->words[i] : "";
}

/* Writes the words from the one at `from` on. Returns whether there is room for all. */
static bool join_words(const struct command_call *call, int from, char text[CONTROL_CHANGE])
{
	struct text t = text_begin(text, CONTROL_CHANGE);

	for (int i = from; i < call->count; i++)
		text_put(&t, "%s%s", i > from ? " " : "", call->words[i]);
	return t.used < CONTROL_CHANGE;
}

/* Both texts may quote what a client sent: control characters become '?'. */
static enum command_result refuse(const struct command_call *call, const char *quote,
    const char *reason)
{
	char quoted[32], detail[IMPAIR_REASON];

	snprintf(quoted, sizeof quoted, "%s", quote);
	snprintf(detail, sizeof detail, "%s", reason);
	printable_replace(quoted, strlen(quoted));
	printable_replace(detail, strlen(detail));
	send_buffer_print(call->out, *quote ? "error '%s' %s\n" : "error %s%s\n", quoted, detail);
	return REFUSED;
}

/* Prints a share in percent, as the settings are written. */
static void print_share(const struct command_call *call, const char *before, double share)
{
	/* Digits beyond the six of a share would mislead. */
	const struct impair_settings s = { .loss = round(share * 1e6) / 1e6 };

	send_buffer_print(call->out, "%s %s\n", before, IMPAIR_VALUE_TEXT(&s, IMPAIR_FIELD_loss));
}

static void print_time(const struct command_call *call, const char *direction, const char *name,
    int64_t ns)
{
	const struct impair_settings s = { .delay = ns };

	send_buffer_print(call->out, "%s %s %s\n", direction, name,
	    IMPAIR_VALUE_TEXT(&s, IMPAIR_FIELD_delay));
}

/* Prints the remaining time of a pause, in whole ms; nothing when it is over. */
static void print_rest(const struct command_call *call, const char *direction, const char *name,
    int64_t until)
{
	if (until > call->now)
		print_time(call, direction, name,
		    (until - call->now + NS_PER_MS - 1) / NS_PER_MS * NS_PER_MS);
}

static void print_derived(const struct command_call *call, enum link_direction direction)
{
	const struct impair_settings *s = link_settings(call->link, direction);
	const struct impair *impair = link_impair(call->link, direction);
	const char *name = link_direction_names[direction];
	double p, r;

	if (s->loss > 0 && s->loss < 1) {
		const struct impair_settings mean = { .burst = impair_mean_burst(s) };
		impair_chain(s, &p, &r);
		print_share(call, TEXT_FORMAT("%s good-to-bad", name), p);
		print_share(call, TEXT_FORMAT("%s bad-to-good", name), r);
		send_buffer_print(call->out, "%s mean-burst %s\n", name,
		    IMPAIR_VALUE_TEXT(&mean, IMPAIR_FIELD_burst));
	}
	print_rest(call, name, "held-for", impair_paused_until(impair, IMPAIR_HOLD));
	print_rest(call, name, "unplugged-for", impair_paused_until(impair, IMPAIR_UNPLUG));
	send_buffer_print(call->out, "%s line %s\n", name, IMPAIR_LINE_TEXT(s));
}

static enum command_result do_link(const struct command_call *call)
{
	send_buffer_print(call->out, "seed %" PRIu64 "\n", link_seed(call->link));
	const struct packet_rule *rule;

	for (int d = 0; d < LINK_DIRECTIONS; d++) {
		for (int id = 0; id < IMPAIR_FIELD_COUNT; id++)
			send_buffer_print(call->out, "%s %s %s\n", link_direction_names[d],
			    impair_fields[id].name,
			    IMPAIR_VALUE_TEXT(link_settings(call->link, d), id));
		print_derived(call, d);
	}
	for (int i = 0; (rule = packet_rules_at(link_rules(call->link), i)); i++)
		send_buffer_print(call->out, "rule %s\n", rule->text);
	return ANSWERED;
}

static enum command_result done(const struct command_call *call, const struct impair_settings *to)
{
	struct text change = text_begin(call->change, CONTROL_CHANGE);
	bool changed = false;

	for (int d = 0; d < LINK_DIRECTIONS; d++) {
		const char *line = IMPAIR_LINE_TEXT(&to[d]);

		changed |= !impair_fields_same(link_settings(call->link, d), &to[d]);
		impair_change(link_impair(call->link, d), &to[d]);
		send_buffer_print(call->out, "%s line %s\n", link_direction_names[d], line);
		text_put(&change, "%s%s", d == 0 ? "set " : "; ", line);
	}
	return changed ? CHANGED : ANSWERED;
}

static enum command_result do_set(const struct command_call *call)
{
	struct impair_settings changed[LINK_DIRECTIONS];
	char text[CONTROL_CHANGE], reason[IMPAIR_REASON];

	if (call->count < 2)
		return refuse(call, "", "set needs a name and a value; for example: set loss 30%");
	const bool whole = join_words(call, 1, text);
	for (int d = 0; d < LINK_DIRECTIONS; d++) {
		changed[d] = *link_settings(call->link, d);
		if (!whole)
			return refuse(call, "", "too long; for example: set loss 30%");
		if ((call->directions & LINK_BIT(d)) &&
		    impair_fields_parse(&changed[d], text, reason))
			return refuse(call, "", reason);
	}
	return done(call, changed);
}

static enum command_result do_preset(const struct command_call *call)
{
	struct impair_settings s[LINK_DIRECTIONS];
	const struct impair_preset *preset = impair_preset_find(word(call, 1));

	if (call->count < 2)
		return refuse(call, "",
		    "preset needs a name; for example: preset wifi (presets lists them)");
	if (call->count > 2)
		return refuse(call, word(call, 2),
		    "is neither there nor back; for example: preset wifi back");
	if (!preset)
		return refuse(call, word(call, 1),
		    "is no preset; for example: preset wifi (presets lists them)");
	impair_preset_settings(preset, &s[LINK_GOING], &s[LINK_COMING]);
	for (int d = 0; d < LINK_DIRECTIONS; d++)
		if (!(call->directions & LINK_BIT(d)))
			s[d] = *link_settings(call->link, d);
	return done(call, s);
}

static enum command_result do_presets(const struct command_call *call)
{
	struct impair_settings s[LINK_DIRECTIONS];

	for (const struct impair_preset *preset = impair_presets; preset->name; preset++) {
		impair_preset_settings(preset, &s[LINK_GOING], &s[LINK_COMING]);
		send_buffer_print(call->out, "preset %s about %s\n", preset->name, preset->about);
		for (int d = 0; d < LINK_DIRECTIONS; d++)
			send_buffer_print(call->out, "preset %s %s %s\n", preset->name,
			    link_direction_names[d], IMPAIR_LINE_TEXT(&s[d]));
	}
	return ANSWERED;
}

/* Reports the change in the command's own words. */
static enum command_result report_as_given(const struct command_call *call)
{
	join_words(call, 0, call->change);
	if (call->directions != LINK_BOTH)
		text_append(call->change, CONTROL_CHANGE,
		    call->directions == LINK_BIT(LINK_COMING) ? " back" : " there");
	return CHANGED;
}

/* "drop" and "packet", whose rule begins with its action. */
static enum command_result do_packet(const struct command_call *call)
{
	const bool drop = *call->words[0] == 'd';
	char text[CONTROL_CHANGE], reason[PACKET_RULE_REASON];
	struct packet_rule rule;

	join_words(call, 1, text);
	if (drop && strcmp(text, "none") == 0)
		packet_rules_clear(link_rules(call->link));
	else if (packet_rule_read(&rule, text, drop, reason) != 0 ||
	         packet_rules_add(link_rules(call->link), &rule, reason) != 0)
		return refuse(call, "",
		    TEXT_FORMAT("%s; for example: %s", reason,
		        drop ? "drop request:3,7" : "packet delay 50ms reply:2"));
	return report_as_given(call);
}

/* "hold" and "unplug". */
static enum command_result do_pause(const struct command_call *call)
{
	const char *name = word(call, 0);
	int64_t span;

	if (call->count != 2)
		return refuse(call, "",
		    TEXT_FORMAT("%s takes a time up to 1h; for example: %s 3s", name, name));
	if (units_duration(word(call, 1), &span) || span > 3600 * NS_PER_S)
		return refuse(call, word(call, 1),
		    TEXT_FORMAT("is not a time up to 1h; for example: %s 3s", name));
	for (int d = 0; d < LINK_DIRECTIONS; d++)
		if (call->directions & LINK_BIT(d))
			impair_pause(link_impair(call->link, d),
			    *name == 'h' ? IMPAIR_HOLD : IMPAIR_UNPLUG, call->now + span);
	return report_as_given(call);
}

static enum command_result do_counts(const struct command_call *call)
{
	for (int d = 0; d < LINK_DIRECTIONS; d++) {
		const struct link_counts *c = link_counts(call->link, d);
		const char *name = link_direction_names[d];

#define X(member, word) send_buffer_print(call->out, "%s " word " %" PRIu64 "\n", name, c->member);
		LINK_COUNTS_LIST(X)
#undef X
		for (int fate = IMPAIR_DELIVERED + 1; fate < IMPAIR_FATES; fate++)
			send_buffer_print(call->out, "%s lost-%s %" PRIu64 "\n", name,
			    impair_fates[fate].word, c->fates[fate]);
	}
	send_buffer_print(call->out, "balanced %s\n", link_balanced(call->link) ? "yes" : "no");
	return ANSWERED;
}

static enum command_result do_predict(const struct command_call *call)
{
	const struct impair_settings *there = link_settings(call->link, LINK_GOING);
	const struct impair_settings *back = link_settings(call->link, LINK_COMING);

	print_share(call, "there through", impair_delivery_probability(there));
	print_share(call, "back through", impair_delivery_probability(back));
	print_share(call, "answered",
	    impair_delivery_probability(there) * impair_delivery_probability(back));
	print_time(call, "round-trip", "delay", there->delay + back->delay);
	print_time(call, "round-trip", "jitter", there->jitter + back->jitter);
	return ANSWERED;
}

static enum command_result do_events(const struct command_call *call)
{
	struct event_filter filter = { .on = !strcmp(word(call, 1), "on") };
	int64_t port;

	if (!filter.on && (strcmp(word(call, 1), "off") || call->count > 2))
		return refuse(call, word(call, 1),
		    "is neither on nor off; for example: events on 12000");
	for (int i = 2; i < call->count; i++) {
		if (units_count(word(call, i), 1, UINT16_MAX, &port))
			return refuse(call, word(call, i),
			    "is not a port, 1 to 65535; for example 12000");
		if (filter.count == EVENTS_PORTS)
			return refuse(call, word(call, i), "is one port too many: there may be 8");
		filter.ports[filter.count++] = (uint16_t)port;
	}
	*call->filter = filter;
	return ANSWERED;
}

static enum command_result do_help(const struct command_call *call);

static const struct control_command {
	const char *name, *arguments, *help;
	enum command_result (*run)(const struct command_call *call);
} commands[] = {
	{ "link", "", "all settings", do_link },
	{ "set", "NAME VALUE ... [there|back]", "change settings", do_set },
	{ "preset", "NAME [there|back]", "take the settings of a link with a name", do_preset },
	{ "presets", "", "their names and values", do_presets },
	{ "drop", "request:3,7|next reply|...", "drop these packets", do_packet },
	{ "packet", "delay 50ms|duplicate|corrupt ...", "do that to packets", do_packet },
	{ "hold", "SPAN [there|back]", "keep all packets for so long", do_pause },
	{ "unplug", "SPAN [there|back]", "lose all packets for so long", do_pause },
	{ "counts", "", "what happened so far", do_counts },
	{ "predict", "", "the share of lines to be answered", do_predict },
	{ "events", "on [PORT]...|off", "a line for every packet", do_events },
	{ "help", "", "this list", do_help },
};

static enum command_result do_help(const struct command_call *call)
{
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
		send_buffer_print(call->out, "help %s%s%s: %s\n", commands[i].name,
		    commands[i].arguments[0] ? " " : "", commands[i].arguments, commands[i].help);
	for (int id = 0; id < IMPAIR_FIELD_COUNT; id++)
		send_buffer_print(call->out, "help set %s %s: %s\n", impair_fields[id].name,
		    impair_fields[id].example, impair_fields[id].help);
	return ANSWERED;
}

static enum command_result run(const struct command_call *call)
{
	if (call->count == WORDS)
		return refuse(call, "", "too many words; for example: help");
	if (call->count == 0)
		return refuse(call, "", "an empty order; for example: help");
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
		if (!strcmp(call->words[0], commands[i].name))
			return call->count > 1 && !commands[i].arguments[0]
			         ? refuse(call, commands[i].name, "takes no words")
			         : commands[i].run(call);
	return refuse(call, call->words[0], "is no order; for example: help");
}

bool lab_control_execute(struct link *link, char *line, int64_t now, struct event_filter *filter,
    struct send_buffer *out, char change[CONTROL_CHANGE])
{
	struct command_call call = {
		.directions = LINK_BOTH,
		.link = link,
		.now = now,
		.filter = filter,
		.out = out,
		.change = change,
	};

	split(&call, line);
	const enum command_result result = run(&call);
	if (result != REFUSED)
		send_buffer_print(out, "ok\n");
	if (result != CHANGED)
		*change = '\0';
	return result == CHANGED;
}
