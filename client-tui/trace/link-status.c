/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Settings have the grammar of common/impair-fields.h, here with a blank before the unit. */
#include "trace/link-status.h"

#include <ctype.h>

#include "common/clock.h"
#include "common/text.h"
#include "common/units.h"
#include "ledger/stats.h"

/* Pauses: the lab's words for command, remaining time and end. */
static const struct {
	const char *command, *rest, *over;
} pauses[IMPAIR_PAUSES] = {
	[IMPAIR_HOLD] = { "hold", "held-for", "released" },
	[IMPAIR_UNPLUG] = { "unplug", "unplugged-for", "plugged" },
};

const struct link_pause link_pauses[IMPAIR_PAUSES] = {
	[IMPAIR_HOLD] = { "held", "released" },
	[IMPAIR_UNPLUG] = { "unplugged", "plugged in again" },
};

/* --- reading --- */

/* "there loss 20%". Returns 1 for a setting, 0 for something else, -1 for a wrong value. */
static int read_line(struct link_status *status, const char *line, int64_t now)
{
	char first[16], name[IMPAIR_VALUE], reason[IMPAIR_REASON];
	int n = 0, direction = LINK_GOING;
	int64_t span;

	if (sscanf(line, "%15s %47s %n", first, name, &n) < 2)
		return 0;
	if (strcmp(first, "seed") == 0)
		status->seed = strtoull(name, NULL, 10);
	while (direction < LINK_DIRECTIONS && strcmp(first, link_direction_names[direction]) != 0)
		direction++;
	if (direction == LINK_DIRECTIONS)
		return 0;
	for (int pause = 0; pause < IMPAIR_PAUSES; pause++)
		if (strcmp(name, pauses[pause].rest) == 0 && units_duration(line + n, &span) == 0)
			status->paused_until[pause][direction] = now + span;
	const enum impair_field_id id = impair_field_find(name);

	if (id == IMPAIR_FIELD_COUNT)
		return 0;
	return impair_fields_set(&status->settings[direction], id, line + n, reason) == 0 ? 1 : -1;
}

int link_status_read(struct link_status *status, const char *answer, int64_t now)
{
	struct link_status read = { .known = true };
	char *text = strdup(answer), *rest = NULL;
	int settings = 0, result = 0;

	for (int direction = 0; direction < LINK_DIRECTIONS; direction++) {
		read.settings[direction] = impair_perfect();
		for (int pause = 0; pause < IMPAIR_PAUSES; pause++)
			read.paused_until[pause][direction] = INT64_MIN;
	}
	for (char *line = text ? strtok_r(text, "\n", &rest) : NULL; line && result >= 0;
	    line = strtok_r(NULL, "\n", &rest))
		settings += (result = read_line(&read, line, now)) > 0;
	free(text);
	if (result < 0 || settings < LINK_DIRECTIONS * IMPAIR_FIELD_COUNT)
		return -1;
	*status = read;
	return 0;
}

/* --- words --- */

/* "20%" becomes "20 %", "20ms" "20 ms", "100p" "100 packets", "1p" "1 packet". */
static void put_spaced(struct text *t, const char *words)
{
	for (const char *c = words; *c; c++) {
		const bool unit = c > words && isdigit((unsigned char)c[-1]) &&
		                  (*c == '%' || isalpha((unsigned char)*c));

		if (unit && *c == 'p' && !isalpha((unsigned char)c[1]))
			text_put(t,
			    c[-1] == '1' && (c - 1 == words || !isdigit((unsigned char)c[-2]))
			        ? " packet"
			        : " packets");
		else
			text_put(t, "%s%c", unit ? " " : "", *c);
	}
}

char *link_status_value(const struct impair_settings *settings, int field, char *buf, size_t size)
{
	struct text t = text_begin(buf, size);

	put_spaced(&t, IMPAIR_VALUE_TEXT(settings, (enum impair_field_id)field));
	return buf;
}

static void put_settings(struct text *t, const struct impair_settings *s, const char *behind_first)
{
	char line[IMPAIR_LINE], *comma;

	impair_fields_line(s, line, sizeof line);
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
static void put_pause(struct text *t, const char *word, const int64_t ends[LINK_DIRECTIONS],
    int64_t now)
{
	const int64_t there = ends[LINK_GOING], back = ends[LINK_COMING],
	              end = there > back ? there : back;

	if (end <= now)
		return;
	text_put(t, "%s", word);
	if (there <= now || back <= now)
		text_put(t, " %s", link_direction_names[there > now ? LINK_GOING : LINK_COMING]);
	text_put(t, " for %" PRId64 " s, ", (end - now + NS_PER_S - 1) / NS_PER_S);
}

static void put_directions(struct text *t, const struct impair_settings *there,
    const struct impair_settings *back)
{
	const struct impair_settings perfect = impair_perfect();
	const bool same = impair_fields_same(there, back);

	if (same && impair_fields_same(there, &perfect)) {
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

bool link_status_paused(const struct link_status *status, int64_t now)
{
	for (int pause = 0; pause < IMPAIR_PAUSES; pause++)
		for (int direction = 0; direction < LINK_DIRECTIONS; direction++)
			if (status->known && status->paused_until[pause][direction] > now)
				return true;
	return false;
}

char *link_status_line(const struct link_status *status, int64_t now, char *buf, size_t size)
{
	struct text t = text_begin(buf, size);

	if (!status->known)
		return buf;
	for (int pause = 0; pause < IMPAIR_PAUSES; pause++)
		put_pause(&t, link_pauses[pause].begun, status->paused_until[pause], now);
	put_directions(&t, &status->settings[LINK_GOING], &status->settings[LINK_COMING]);
	return buf;
}

/* --- changes --- */

/* Reads the settings of one direction as the lab writes them. Returns 0 or -1. */
static int parse_direction(struct impair_settings *s, const char *text)
{
	char reason[IMPAIR_REASON];

	*s = impair_perfect();
	return strcmp(text, "nothing") == 0 ? 0 : impair_fields_parse(s, text, reason);
}

/* "loss 30%, delay 5ms; nothing". */
static int change_settings(struct link_change *c, struct text *t, const char *words)
{
	struct impair_settings there, back;
	const char *end = strstr(words, "; ");

	if (!end)
		return -1;
	snprintf(c->there, sizeof c->there, "%.*s", (int)(end - words), words);
	snprintf(c->back, sizeof c->back, "%s", end + 2);
	if (parse_direction(&there, c->there) < 0 || parse_direction(&back, c->back) < 0)
		return -1;
	c->kind = SESSION_EVENT_LINK;
	put_directions(t, &there, &back);
	return 0;
}

/* "drop" followed by "next udp request", "request:3,7 back" or "none"; "packet" with a whole rule.
 */
static int change_packets(struct text *t, const char *words, const char *action)
{
	static const char *const capitals[] = { "UDP", "TCP", "SYN", "ACK", "FIN" };
	const char *rule = words;
	char word[IMPAIR_VALUE];

	if (!impair_fields_word(&words, word) || (strcmp(word, "none") && strcmp(word, "next"))) {
		text_put(t, "will%s%s", action, rule);
		return 0;
	}
	text_put(t, strcmp(word, "none") == 0 ? "no drop waits any more" : "will drop the next");
	while (impair_fields_word(&words, word)) {
		const char *shown = word;

		for (size_t i = 0; i < sizeof capitals / sizeof *capitals; i++)
			if (strcasecmp(word, capitals[i]) == 0)
				shown = capitals[i];
		text_put(t, " %s", shown);
	}
	return 0;
}

/* "3s", "0s back": the beginning of a pause, or its end by a command. */
static int change_pause(struct text *t, const char *words, int pause)
{
	struct impair_settings s = impair_perfect();
	char word[IMPAIR_VALUE];

	impair_fields_word(&words, word);
	if (units_duration(word, &s.delay) < 0)
		return -1;
	text_put(t, "%s%s", s.delay > 0 ? link_pauses[pause].begun : link_pauses[pause].ended,
	    words);
	if (s.delay > 0) {
		text_put(t, " for ");
		put_spaced(t, IMPAIR_VALUE_TEXT(&s, IMPAIR_FIELD_delay));
	}
	return 0;
}

int link_change_read(struct link_change *c, const char *line)
{
	struct text t = text_begin(c->text, sizeof c->text);
	char kind[IMPAIR_VALUE];
	long long at;
	int n = 0;

	*c = (struct link_change){ .kind = SESSION_EVENT_FAULT };
	if (sscanf(line, "changed %lld %n", &at, &n) != 1 || at <= 0 || at > SESSION_TIME_MAX ||
	    strlen(line + n) >= sizeof c->text)
		return -1;
	c->at = at;
	line += n;
	impair_fields_word(&line, kind);
	if (strcmp(kind, "set") == 0)
		return change_settings(c, &t, *line ? line + 1 : line);
	if (strcmp(kind, "drop") == 0)
		return change_packets(&t, line, " drop");
	if (strcmp(kind, "packet") == 0)
		return change_packets(&t, line, "");
	for (int pause = 0; pause < IMPAIR_PAUSES; pause++) {
		if (strcmp(kind, pauses[pause].command) == 0)
			return change_pause(&t, line, pause);
		if (strcmp(kind, pauses[pause].over) != 0)
			continue;
		text_put(&t, "%s%s", link_pauses[pause].ended, line);
		return 0;
	}
	return -1;
}

/* --- expected and measured --- */

double link_status_reply_probability(const struct link_status *status)
{
	const struct impair_settings *there = &status->settings[LINK_GOING],
	                             *back = &status->settings[LINK_COMING];
	const double going = impair_delivery_probability(there),
	             coming = impair_delivery_probability(back);

	return going * ((1 - there->duplicate) * coming +
	                   there->duplicate * (1 - (1 - coming) * (1 - coming)));
}

/* "64.0", for "%s %%". */
#define PERCENT(share) TEXT_DECIMAL(100 * (share), 1)
#define FEW_LINES 10 /* with fewer lines the interval is wider than 50 % */

static void put_measured(struct text *t, const struct link_report *r)
{
	const double expected = link_status_reply_probability(r->status);
	double low, high;

	if (r->decided == 0) {
		text_put(t, "measured      no line is decided since the link was changed last\n");
		return;
	}
	stats_wilson(r->answered, r->decided, &low, &high);
	text_put(t,
	    "measured      %s %%, %" PRIu64 " of %" PRIu64
	    " lines since the link was changed last\n"
	    "              95 %% interval %s %% to %s %%: %s\n",
	    PERCENT((double)r->answered / (double)r->decided), r->answered, r->decided,
	    PERCENT(low), PERCENT(high),
	    r->decided < FEW_LINES                ? "not yet enough lines"
	    : expected >= low && expected <= high ? "consistent"
	                                          : "not consistent (by chance alone, one time in "
	                                            "twenty)");
}

static void put_expected(struct text *t, const struct link_report *r)
{
	const struct impair_settings *there = &r->status->settings[LINK_GOING],
	                             *back = &r->status->settings[LINK_COMING];

	text_put(t, "\nAnswered over UDP\nexpected      %s %% = %s %% going × %s %% coming%s\n",
	    PERCENT(link_status_reply_probability(r->status)),
	    PERCENT(impair_delivery_probability(there)), PERCENT(impair_delivery_probability(back)),
	    there->duplicate > 0 ? ", and more for second copies" : "");
	put_measured(t, r);
	if (there->delay + back->delay > r->reply_timeout)
		text_put(t,
		    "              the delays alone are longer than the wait: lines that are "
		    "answered are late\n");
}

/* --- the page --- */

static void put_table(struct text *t, const struct link_status *status)
{
	char there[IMPAIR_VALUE + 16], back[IMPAIR_VALUE + 16];

	text_put(t, "\n%-14s%-14s%s\n", "Settings", "there", "back");
	for (int id = 0; id < IMPAIR_FIELD_COUNT; id++) {
		link_status_value(&status->settings[LINK_GOING], id, there, sizeof there);
		link_status_value(&status->settings[LINK_COMING], id, back, sizeof back);
		text_put(t, "%-14s%-14s%s\n", impair_fields[id].name, there, back);
	}
	text_put(t, "seed          %" PRIu64 "\n", status->seed);
}

static void put_lost(struct text *t, const struct trace_totals *totals)
{
	text_put(t, "%" PRIu64 " lost going, %" PRIu64 " lost coming", totals->lost[LINK_GOING],
	    totals->lost[LINK_COMING]);
	if (totals->server)
		text_put(t, ", %" PRIu64 " without a reply from the server", totals->server);
	if (totals->late)
		text_put(t, ", %" PRIu64 " late", totals->late);
	if (totals->before)
		text_put(t, ", %" PRIu64 " never seen by the link", totals->before);
}

static void put_segments(struct text *t, const struct trace_totals *totals)
{
	text_put(t,
	    "%" PRIu64 " of %" PRIu64 " segments dropped going, %" PRIu64 " of %" PRIu64
	    " coming; sent again: %" PRIu64 " going, %" PRIu64 " coming",
	    totals->dropped[LINK_GOING], totals->segments[LINK_GOING], totals->dropped[LINK_COMING],
	    totals->segments[LINK_COMING], totals->retransmitted[LINK_GOING],
	    totals->retransmitted[LINK_COMING]);
}

static void put_mismatches(struct text *t, const struct trace_totals *totals)
{
	text_put(t, "%" PRIu64 " mismatch%s in %s compared", totals->mismatches,
	    totals->mismatches == 1 ? "" : "es", TEXT_COUNT(totals->compared, "line"));
	if (totals->mismatches)
		text_put(t, " (first line %" PRIu64 ": %s)", totals->first,
		    trace_mismatch_text(totals->first_kind));
}

static void put_trace(struct text *t, const struct trace_totals *totals)
{
	text_put(t, "\nThe link's truth\ndatagrams     ");
	put_lost(t, totals);
	text_put(t, "\nsegments      ");
	put_segments(t, totals);
	if (totals->requested_drops)
		text_put(t, "\nby /drop      %s dropped",
		    TEXT_COUNT(totals->requested_drops, "packet"));
	text_put(t, "\ntruth         ");
	put_mismatches(t, totals);
	text_put(t, "\n");
}

static void put_tcp(struct text *t, const char *whose, const struct tcp_sample *tcp)
{
	if (tcp)
		text_put(t,
		    "\n%s\nsent again    %s, its SYN included\n"
		    "timeout       %s, doubled %s\n"
		    "round trip    %s ± %s\n",
		    whose, TEXT_COUNT(tcp->retransmitted, "segment"), TEXT_SPAN(tcp->timeout),
		    TEXT_COUNT(tcp->backoff, "time"), TEXT_SPAN(tcp->round_trip),
		    TEXT_SPAN(tcp->variation));
}

/* Writes settings as "loss 8 % in bursts of 4, 8 ms ± 6 ms, 6 mbit" after `before`; a perfect
 * wire's as nothing. How long reordered packets are held back is left out. */
static void put_phrase(struct text *t, const char *before, const struct impair_settings *s)
{
	static const struct {
		const char *name, *words;
	} phrases[] = { { "burst", " in bursts of " }, { "jitter", " ± " }, { "delay", ", " },
		{ "rate", ", " } };
	char line[IMPAIR_LINE], name[IMPAIR_VALUE], value[IMPAIR_VALUE];
	const char *rest = impair_fields_line(s, line, sizeof line);

	while (impair_fields_word(&rest, name) && impair_fields_word(&rest, value)) {
		const char *words = TEXT_FORMAT(", %s ", name);

		if (strcmp(name, "reorder-by") == 0)
			continue;
		for (size_t i = 0; i < sizeof phrases / sizeof *phrases; i++)
			if (strcmp(name, phrases[i].name) == 0)
				words = phrases[i].words;
		text_put(t, "%s%s", before, *before ? words + strlen(", ") : words);
		put_spaced(t, value);
		before = "";
	}
}

char *link_presets_page(void)
{
	struct text t = text_page();
	struct impair_settings there, back;

	text_put(&t, "/link preset NAME sets both directions, or one: /link preset NAME back.\n"
	             "F7 has the presets in its first row.\n");
	for (const struct impair_preset *p = impair_presets; p->name; p++) {
		const bool same = strcmp(p->there, p->back) == 0;

		impair_preset_settings(p, &there, &back);
		text_put(&t, "\n%s: %s", p->name, p->about);
		put_phrase(&t, same ? "\n  " : "\n  there ", &there);
		if (!same)
			put_phrase(&t, "\n  back  ", &back);
	}
	text_put(&t, "\n");
	return t.buf;
}

char *link_report_page(const struct link_report *r)
{
	struct text t = text_page();
	char line[2 * IMPAIR_LINE + 100];

	text_put(&t, "link: %s\n", link_status_line(r->status, r->now, line, sizeof line));
	put_expected(&t, r);
	put_trace(&t, r->traced);
	put_tcp(&t, "This end's TCP (the kernel's own)", r->tcp);
	if (!HAVE_TCP_INFO && !r->tcp)
		text_put(&t, "\nThis end's TCP\nnot known here\n");
	put_tcp(&t, "The server's TCP (its kernel's own): it sends replies again", r->far);
	put_table(&t, r->status);
	text_put(&t,
	    "\n/link loss 30%%   /link delay 100ms back   /link preset wifi   /link presets\n"
	    "F7 changes it with the arrows\n"
	    "/drop next reply   /drop tcp segment:3,7   /packet delay 50ms reply:2   /hold 3s\n");
	return t.buf;
}

char *link_report_end(const struct trace_totals *totals, char *buf, size_t size)
{
	struct text t = text_begin(buf, size);

	if (totals->datagrams[LINK_GOING] > 0) {
		text_put(&t, "link: ");
		put_lost(&t, totals);
		text_put(&t, "\n");
	}
	if (totals->segments[LINK_GOING] > 0) {
		text_put(&t, "link: ");
		put_segments(&t, totals);
		text_put(&t, "\n");
	}
	if (totals->requested_drops > 0)
		text_put(&t, "link: %s dropped on cue\n",
		    TEXT_COUNT(totals->requested_drops, "packet"));
	text_put(&t, "truth: ");
	put_mismatches(&t, totals);
	/* At the end of a session some lines are in neither direction's losses yet. */
	if (totals->waiting > 0)
		text_put(&t, "; %" PRIu64 " not yet, at the end", totals->waiting);
	text_put(&t, "\n");
	return buf;
}
