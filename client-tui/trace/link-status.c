/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The settings have one grammar, that of common/impair-fields.h; here they get the blanks that people write. */
#include "config.h"

#include "trace/link-status.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/impair-fields.h"
#include "report/summary.h"
#include "common/text.h"
#include "common/units.h"

static const char *const ways[EVENT_WAYS] = { "there", "back" };

/* --- reading --- */

static int64_t until(const char *value, int64_t now)
{
	int64_t span;

	return units_duration(value, &span) == 0 ? now + span : INT64_MIN;
}

/* "there loss 20%". Returns 1 for a setting, 0 for something else, -1 for nonsense. */
static int read_line(struct link_facts *facts, char *line, int64_t now)
{
	char why[IMPAIR_WHY], *rest = NULL;
	const char *way_word = strtok_r(line, " ", &rest), *name = strtok_r(NULL, " ", &rest);
	const char *value = rest ? rest + strspn(rest, " ") : "";
	const bool back = way_word && strcmp(way_word, ways[EVENT_BACK]) == 0;
	enum impair_field_id id;

	if (!way_word || !name)
		return 0;
	if (strcmp(way_word, "seed") == 0)
		facts->seed = strtoull(name, NULL, 10);
	if (!back && strcmp(way_word, ways[EVENT_THERE]) != 0)
		return 0;
	if (strcmp(name, "held-for") == 0)
		facts->held_until[back] = until(value, now);
	if (strcmp(name, "unplugged-for") == 0)
		facts->unplugged_until[back] = until(value, now);
	id = impair_field_find(name);
	if (id == IMPAIR_FIELD_COUNT)
		return 0;
	return impair_text_set(&facts->settings[back], id, value, why) == 0 ? 1 : -1;
}

int link_facts_read(struct link_facts *facts, const char *answer, int64_t now)
{
	struct link_facts read = { .known = true };
	char *text = strdup(answer), *rest = NULL;
	int settings = 0, result = 0;

	for (int way = 0; way < EVENT_WAYS; way++) {
		read.settings[way] = impair_perfect();
		read.held_until[way] = read.unplugged_until[way] = INT64_MIN;
	}
	for (char *line = text ? strtok_r(text, "\n", &rest) : NULL; line && result >= 0; line = strtok_r(NULL, "\n", &rest))
		settings += (result = read_line(&read, line, now)) > 0;
	free(text);
	if (result < 0 || settings < EVENT_WAYS * IMPAIR_FIELD_COUNT)
		return -1;
	*facts = read;
	return 0;
}

/* --- words --- */

/* "20%" becomes "20 %", "20ms" "20 ms", "100p" "100 packets", "1p" "1 packet". */
static void put_spaced(struct text *t, const char *words)
{
	for (const char *c = words; *c; c++) {
		const bool unit = c > words && isdigit((unsigned char)c[-1]) && (*c == '%' || isalpha((unsigned char)*c));

		if (unit && *c == 'p' && !isalpha((unsigned char)c[1]))
			text_put(t, c[-1] == '1' && (c - 1 == words || !isdigit((unsigned char)c[-2])) ? " packet" : " packets");
		else
			text_put(t, "%s%c", unit ? " " : "", *c);
	}
}

char *link_facts_value(const struct impair_settings *settings, int field, char *buf, size_t size)
{
	struct text t = text_begin(buf, size);
	char value[IMPAIR_VALUE];

	put_spaced(&t, impair_text_get(settings, (enum impair_field_id)field, value));
	return buf;
}

static void put_settings(struct text *t, const struct impair_settings *s, const char *behind_first)
{
	char line[IMPAIR_LINE], *comma;

	impair_text_line(s, line, sizeof line);
	comma = strchr(line, ',');
	if (comma)
		*comma = '\0';
	put_spaced(t, line);
	text_put(t, "%s", behind_first);
	if (comma) {
		text_put(t, ",");
		put_spaced(t, comma + 1);
	}
}

/* "held for 3 s, " or "unplugged there for 3 s, ". */
static void put_pause(struct text *t, const char *word, const int64_t ends[EVENT_WAYS], int64_t now)
{
	const bool there = ends[EVENT_THERE] > now, back = ends[EVENT_BACK] > now;
	const int64_t end = there && (!back || ends[EVENT_THERE] > ends[EVENT_BACK]) ? ends[EVENT_THERE] : ends[EVENT_BACK];

	if (there || back)
		text_put(t, "%s%s%s for %" PRId64 " s, ", word, there && back ? "" : " ",
		    there && back ? "" : ways[there ? EVENT_THERE : EVENT_BACK], (end - now + NS_PER_S - 1) / NS_PER_S);
}

static void put_ways(struct text *t, const struct impair_settings *there, const struct impair_settings *back)
{
	const struct impair_settings perfect = impair_perfect();
	const bool same = impair_text_same(there, back);

	if (same && impair_text_same(there, &perfect)) {
		text_put(t, "a perfect wire");
	} else if (same) {
		put_settings(t, there, " each way");
	} else {
		text_put(t, "there ");
		put_settings(t, there, "");
		text_put(t, "; back ");
		put_settings(t, back, "");
	}
}

bool link_facts_paused(const struct link_facts *facts, int64_t now)
{
	for (int way = 0; way < EVENT_WAYS; way++)
		if (facts->known && (facts->held_until[way] > now || facts->unplugged_until[way] > now))
			return true;
	return false;
}

char *link_facts_line(const struct link_facts *facts, int64_t now, char *buf, size_t size)
{
	struct text t = text_begin(buf, size);

	if (!facts->known)
		return buf;
	put_pause(&t, "held", facts->held_until, now);
	put_pause(&t, "unplugged", facts->unplugged_until, now);
	put_ways(&t, &facts->settings[EVENT_THERE], &facts->settings[EVENT_BACK]);
	return buf;
}

/* --- changes --- */

/* "loss 30%, delay 5ms; nothing", which is taken apart. */
static int change_settings(struct link_change *c, struct text *t, char *words)
{
	struct impair_settings settings[EVENT_WAYS] = { impair_perfect(), impair_perfect() };
	char *back = strstr(words, "; "), why[IMPAIR_WHY];

	if (!back)
		return -1;
	*back = '\0';
	snprintf(c->there, sizeof c->there, "%s", words);
	snprintf(c->back, sizeof c->back, "%s", back + 2);
	if ((strcmp(c->there, "nothing") != 0 && impair_text_parse(&settings[EVENT_THERE], c->there, why) < 0) ||
	    (strcmp(c->back, "nothing") != 0 && impair_text_parse(&settings[EVENT_BACK], c->back, why) < 0))
		return -1;
	c->kind = SESSION_EVENT_LINK;
	put_ways(t, &settings[EVENT_THERE], &settings[EVENT_BACK]);
	return 0;
}

/* "next udp request", "next ack back", "none". */
static int change_drop(struct text *t, char *words)
{
	static const struct {
		const char *word, *shown;
	} names[] = {
		{ "udp", "UDP " }, { "tcp", "TCP " }, { "request", "request" }, { "reply", "reply" }, { "syn", "SYN" }, { "ack", "ACK" },
		{ "there", " there" }, { "back", " back" },
	};
	char *rest = NULL;
	const char *word = strtok_r(words, " ", &rest);

	text_put(t, word && strcmp(word, "none") == 0 ? "no drop waits any more" : "will drop the next ");
	while ((word = strtok_r(NULL, " ", &rest)) != NULL)
		for (size_t i = 0; i < sizeof names / sizeof *names; i++)
			if (strcmp(word, names[i].word) == 0)
				text_put(t, "%s", names[i].shown);
	return 0;
}

/* "3s", "0s back": its beginning, or an end by order. */
static int change_pause(struct text *t, char *words, const char *begun, const char *ended)
{
	struct impair_settings s = impair_perfect();
	char value[IMPAIR_VALUE], *way = words + strcspn(words, " ");

	if (*way)
		*way++ = '\0';
	if (units_duration(words, &s.delay) < 0)
		return -1;
	text_put(t, "%s%s%s", s.delay > 0 ? begun : ended, *way ? " " : "", way);
	if (s.delay > 0) {
		text_put(t, " for ");
		put_spaced(t, impair_text_get(&s, IMPAIR_FIELD_delay, value));
	}
	return 0;
}

int link_change_read(struct link_change *c, const char *line)
{
	char copy[2 * IMPAIR_LINE + 100], *words, *kind;
	struct text t = text_begin(c->text, sizeof c->text);
	long long at;
	int n = 0;

	*c = (struct link_change){ .kind = SESSION_EVENT_FAULT };
	if (sscanf(line, "changed %lld %n", &at, &n) != 1 || at <= 0 || at > RECORD_TIME_MOST || strlen(line + n) >= sizeof copy)
		return -1;
	c->at = at;
	strcpy(copy, line + n);
	kind = copy;
	words = copy + strcspn(copy, " ");
	if (*words)
		*words++ = '\0';
	if (strcmp(kind, "set") == 0)
		return change_settings(c, &t, words);
	if (strcmp(kind, "drop") == 0)
		return change_drop(&t, words);
	if (strcmp(kind, "hold") == 0)
		return change_pause(&t, words, "held", "released");
	if (strcmp(kind, "unplug") == 0)
		return change_pause(&t, words, "unplugged", "plugged in again");
	text_put(&t, "%s%s%s", strcmp(kind, "plugged") == 0 ? "plugged in again" : kind, *words ? " " : "", words);
	return strcmp(kind, "plugged") == 0 || strcmp(kind, "released") == 0 ? 0 : -1;
}

/* --- expected and measured --- */

double link_facts_answered(const struct link_facts *facts)
{
	const struct impair_settings *there = &facts->settings[EVENT_THERE], *back = &facts->settings[EVENT_BACK];
	const double going = impair_through(there), coming = impair_through(back);

	return going * ((1 - there->duplicate) * coming + there->duplicate * (1 - (1 - coming) * (1 - coming)));
}

static void put_percent(struct text *t, double share)
{
	text_decimal(t, 100 * share, 1);
	text_put(t, " %%");
}

/* So few lines say little: the interval is wider than half of everything. */
#define FEW_LINES 10

static void put_measured(struct text *t, const struct link_report *r)
{
	const double expected = link_facts_answered(r->facts);
	double low, high;

	if (r->decided == 0) {
		text_put(t, "measured      no line is decided since the link was changed last\n");
		return;
	}
	summary_wilson(r->answered, r->decided, &low, &high);
	text_put(t, "measured      ");
	put_percent(t, (double)r->answered / (double)r->decided);
	text_put(t, ", %" PRIu64 " of %" PRIu64 " lines since the link was changed last\n              95 %% interval ", r->answered,
	    r->decided);
	put_percent(t, low);
	text_put(t, " to ");
	put_percent(t, high);
	text_put(t, ": %s\n", expected >= low && expected <= high ? (r->decided < FEW_LINES ? "not yet enough lines" : "consistent") :
	    r->decided < FEW_LINES ? "not yet enough lines" : "not consistent (by chance alone, one time in twenty)");
}

static void put_expected(struct text *t, const struct link_report *r)
{
	const struct impair_settings *there = &r->facts->settings[EVENT_THERE], *back = &r->facts->settings[EVENT_BACK];

	text_put(t, "\nAnswered over UDP\nexpected      ");
	put_percent(t, link_facts_answered(r->facts));
	text_put(t, " = ");
	put_percent(t, impair_through(there));
	text_put(t, " going × ");
	put_percent(t, impair_through(back));
	text_put(t, " coming%s\n", there->duplicate > 0 ? ", and more for second copies" : "");
	put_measured(t, r);
	if (there->delay + back->delay > r->wait)
		text_put(t, "              the delays alone are longer than the wait: lines that are answered are late\n");
}

/* --- the page --- */

static void put_table(struct text *t, const struct link_facts *f)
{
	char there[IMPAIR_VALUE + 16], back[IMPAIR_VALUE + 16];

	text_put(t, "\n%-14s%-14s%s\n", "Settings", "there", "back");
	for (int id = 0; id < IMPAIR_FIELD_COUNT; id++) {
		link_facts_value(&f->settings[EVENT_THERE], id, there, sizeof there);
		link_facts_value(&f->settings[EVENT_BACK], id, back, sizeof back);
		text_put(t, "%-14s%-14s%s\n", impair_field((enum impair_field_id)id)->name, there, back);
	}
	text_put(t, "seed          %" PRIu64 "\n", f->seed);
}

static void put_lost(struct text *t, const struct witness_totals *w)
{
	text_put(t, "%" PRIu64 " lost going, %" PRIu64 " lost coming", w->lost[EVENT_THERE], w->lost[EVENT_BACK]);
	if (w->server)
		text_put(t, ", %" PRIu64 " without a reply from the server", w->server);
	if (w->late)
		text_put(t, ", %" PRIu64 " late", w->late);
	if (w->before)
		text_put(t, ", %" PRIu64 " never seen by the link", w->before);
}

static void put_segments(struct text *t, const struct witness_totals *w)
{
	text_put(t, "%" PRIu64 " of %" PRIu64 " segments dropped going, %" PRIu64 " of %" PRIu64 " coming; sent again: %" PRIu64
	    " going, %" PRIu64 " coming", w->dropped[EVENT_THERE], w->segments[EVENT_THERE], w->dropped[EVENT_BACK],
	    w->segments[EVENT_BACK], w->again[EVENT_THERE], w->again[EVENT_BACK]);
}

static void put_mismatches(struct text *t, const struct witness_totals *w)
{
	text_put(t, "%" PRIu64 " mismatch%s in %" PRIu64 " line%s compared", w->mismatches, w->mismatches == 1 ? "" : "es", w->judged,
	    w->judged == 1 ? "" : "s");
	if (w->mismatches)
		text_put(t, " (first line %" PRIu64 ": %s)", w->first, witness_mismatch_text(w->first_kind));
}

static void put_truth(struct text *t, const struct witness_totals *w)
{
	text_put(t, "\nThe link's truth\ndatagrams     ");
	put_lost(t, w);
	text_put(t, "\nsegments      ");
	put_segments(t, w);
	if (w->cues)
		text_put(t, "\non cue        %" PRIu64 " packet%s dropped", w->cues, w->cues == 1 ? "" : "s");
	text_put(t, "\ntruth         ");
	put_mismatches(t, w);
	text_put(t, "\n");
}

static void put_tcp(struct text *t, const char *whose, const struct session_tcp *tcp)
{
	if (!tcp)
		return;
	text_put(t, "\n%s\nsent again    %u segment%s, its SYN included\ntimeout       ", whose, tcp->again, tcp->again == 1 ? "" : "s");
	text_span(t, tcp->timeout);
	text_put(t, ", doubled %u time%s\nround trip    ", tcp->doubled, tcp->doubled == 1 ? "" : "s");
	text_span(t, tcp->round_trip);
	text_put(t, " ± ");
	text_span(t, tcp->variation);
	text_put(t, "\n");
}

static size_t write_page(const struct link_report *r, char *buf, size_t size)
{
	struct text t = text_begin(buf, size);
	char line[2 * IMPAIR_LINE + 100];

	text_put(&t, "link: %s\n", link_facts_line(r->facts, r->now, line, sizeof line));
	put_expected(&t, r);
	put_truth(&t, r->truth);
	put_tcp(&t, "This end's TCP (the kernel's own)", r->tcp);
	put_tcp(&t, "The server's TCP (its kernel's own): it sends replies again", r->far);
	put_table(&t, r->facts);
	text_put(&t, "\n/link loss 30%%   /link delay 100ms back   /link preset wifi   F7 changes it with the arrows\n"
	    "/drop next [udp|tcp] request|reply|syn|ack   /hold 3s   /unplug 5s\n");
	return t.used;
}

char *link_report_page(const struct link_report *report)
{
	const size_t size = write_page(report, NULL, 0) + 1;
	char *text = malloc(size);

	if (text)
		write_page(report, text, size);
	return text;
}

char *link_report_end(const struct witness_totals *truth, char *buf, size_t size)
{
	struct text t = text_begin(buf, size);

	if (truth->datagrams[EVENT_THERE] > 0) {
		text_put(&t, "link: ");
		put_lost(&t, truth);
		text_put(&t, "\n");
	}
	if (truth->segments[EVENT_THERE] > 0) {
		text_put(&t, "link: ");
		put_segments(&t, truth);
		text_put(&t, "\n");
	}
	if (truth->cues > 0)
		text_put(&t, "link: %" PRIu64 " packet%s dropped on cue\n", truth->cues, truth->cues == 1 ? "" : "s");
	text_put(&t, "truth: ");
	put_mismatches(&t, truth);
	/* Who leaves soon after the last line leaves before this is known; nor is it among those lost on either way. */
	if (truth->waiting > 0)
		text_put(&t, "; %" PRIu64 " not yet, at the end", truth->waiting);
	text_put(&t, "\n");
	return buf;
}
