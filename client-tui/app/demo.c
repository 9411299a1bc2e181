/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "app/demo.h"

#include <strings.h>

#include "common/clock.h"
#include "common/text.h"
#include "common/units.h"

/* Packets of one line that are looked at: more than a line of DEMO_LINE_SIZE has. */
#define PACKETS 256

static const struct demo_step demo_steps[] = {
#include "client-tui/app/demo-table.h"
	{ DEMO_END, "", "" },
};

const struct demo_step *demo_find(int64_t number)
{
	const struct demo_step *s = demo_steps;

	while (s->kind != DEMO_END && (s->kind != DEMO_DEMO || --number > 0))
		s++;
	return s->kind == DEMO_DEMO ? s : NULL;
}

const struct demo_step *demo_last_of_round(const struct demo_step *round)
{
	while (round[1].kind > DEMO_ROUND && round[1].kind < DEMO_END)
		round++;
	return round;
}

bool demo_needs_lab(const struct demo_step *first)
{
	for (first++; first->kind == DEMO_ROUND; first = demo_last_of_round(first) + 1)
		if (!*first->words)
			return false;
	return true;
}

char *demo_page(void)
{
	struct text t = text_page();
	const struct demo_step *first;

	text_put(&t,
	    "/demo 1 plays the first one; Esc leaves it, and the link is then as before.\n\n");
	for (int n = 1; (first = demo_find(n)); n++)
		text_put(&t, "  %d  %-38s %s\n", n, first->words,
		    demo_needs_lab(first) ? "needs the lab" : "");
	text_put(&t, "\nOutside the lab, number 3 plays only its second half.\n"
	             "What needs a shell, or a second terminal, stands in the manual: man "
	             "upcase-tour\n");
	return t.buf;
}

struct generator_plan demo_plan(const struct demo_step *send)
{
	unsigned count = 0, ms = 0;
	size_t size = 0;

	sscanf(send->words, "%u %ums %zu", &count, &ms, &size);
	return (struct generator_plan){ .count = count, .interval = ms * NS_PER_MS, .size = size };
}

int demo_answer(const struct demo_step *ask, const char *line, size_t n, int64_t *answer,
    char reason[DEMO_REASON])
{
	char word[30];

	snprintf(word, sizeof word, "%.*s", (int)n, line);
	if (strcmp(ask->words, "number") == 0)
		return units_count(word, 0, INT32_MAX, answer) == 0
		         ? 0
		         : text_refuse(reason, DEMO_REASON, "'%s' is not a number; for example 12",
		               word);
	if (strcasecmp(word, "tcp") == 0 || strcasecmp(word, "t") == 0)
		*answer = 1;
	else if (strcasecmp(word, "udp") == 0 || strcasecmp(word, "u") == 0)
		*answer = 0;
	else
		return text_refuse(reason, DEMO_REASON,
		    "'%s' is neither udp nor tcp; type one of them", word);
	return 0;
}

/* --- figures --- */

enum demo_figure { LOST, WRONG, REFUSED, ANSWERED, DISORDER, PACKETS_SENT, SLOWEST, FIGURES };

static const struct {
	/* The word of a step; the words on the screen; the unit, NULL for a number of lines. */
	const char *name, *words, *unit;
} figures[FIGURES] = {
	[LOST] = { "lost", "Lost", NULL },
	[WRONG] = { "wrong", "Wrong replies", NULL },
	[REFUSED] = { "refused", "Refused", NULL },
	[ANSWERED] = { "answered", "Answered", NULL },
	[DISORDER] = { "disorder", "Twice or out of order", NULL },
	[PACKETS_SENT] = { "packets", "Packets", "" },
	[SLOWEST] = { "slowest", "Slowest reply", " ms" },
};

/* The packets with data that went there and whose first line this is. */
static uint64_t count_packets(const struct trace *trace, const struct ledger_row *row)
{
	struct logged_packet packets[PACKETS];
	const size_t n = trace ? trace_packets(trace, row->stream, row->number, packets, PACKETS)
	                       : 0;
	uint64_t count = 0;

	for (size_t i = 0; i < n; i++)
		count += packets[i].first == row->number && packets[i].of.payload &&
		         packets[i].of.direction == LINK_GOING;
	return count;
}

static uint64_t figure_of(const struct demo_lines *lines, enum demo_figure figure,
    const struct ledger_row *row)
{
	switch (figure) {
	case LOST:
		return ledger_is_unanswered(row->fate);
	case WRONG:
		return row->differs || row->cut_short;
	case REFUSED:
		return row->fate == FATE_REFUSED;
	case ANSWERED:
		return row->fate == FATE_ANSWERED;
	case DISORDER:
		return row->duplicates > 0 || row->reordered;
	case PACKETS_SENT:
		return count_packets(lines->trace, row);
	default:
		return row->replied_at
		         ? (uint64_t)((row->replied_at - row->typed_at + NS_PER_MS / 2) / NS_PER_MS)
		         : 0;
	}
}

/* The figure of all lines over a transport: their sum, or for times the greatest; and the last line
 * where it is greatest, 0 for none. */
static uint64_t measure(const struct demo_lines *lines, enum demo_figure figure, int transport,
    uint64_t *where)
{
	uint64_t sum = 0, greatest = 0;

	*where = 0;
	for (size_t i = 0; lines->ledgers[transport] && i < lines->count; i++) {
		const struct ledger_row *row = ledger_find(lines->ledgers[transport],
		    lines->numbers[i]);
		const uint64_t value = row ? figure_of(lines, figure, row) : 0;

		sum += value;
		if (value > 0 && value >= greatest) {
			greatest = value;
			*where = lines->numbers[i];
		}
	}
	return figure == SLOWEST ? greatest : sum;
}

/* Goes on to the next word and returns its figure; FIGURES at the end. */
static enum demo_figure next_figure(const char **words)
{
	enum demo_figure f = 0;

	*words += strcspn(*words, " ");
	*words += strspn(*words, " ");
	while (f < FIGURES && !(**words && text_begins(*words, figures[f].name)))
		f++;
	return f;
}

bool demo_decided(const struct demo_lines *lines)
{
	for (size_t i = 0; i < 2 * lines->count; i++) {
		const struct ledger *ledger = lines->ledgers[i % 2];
		const struct ledger_row *row = ledger ? ledger_find(ledger, lines->numbers[i / 2])
		                                      : NULL;

		if (row && !ledger_is_decided(row->fate))
			return false;
	}
	return true;
}

uint64_t demo_point(const struct demo_lines *lines, const char *words)
{
	const int transport = text_begins(words, "tcp");
	uint64_t where;

	measure(lines, next_figure(&words), transport, &where);
	return where;
}

static void put_figure(struct text *t, const struct demo_lines *lines, enum demo_figure figure,
    int transport)
{
	uint64_t where, value = measure(lines, figure, transport, &where);

	text_put(t, " %s over %s: %" PRIu64, figures[figure].words, transport_info[transport].title,
	    value);
	if (figures[figure].unit)
		text_put(t, "%s.", figures[figure].unit);
	else
		text_put(t, " of %s (%.0f %%).", TEXT_COUNT(lines->count, "line"),
		    100.0 * (double)value / (double)lines->count);
}

/* The answer beside what was measured: the figure, or the transport with the greater one. */
static void put_answer(struct text *t, const struct demo_lines *lines, const char *words,
    int64_t answer)
{
	const bool both = text_begins(words, "both"), tcp = text_begins(words, "tcp");
	const enum demo_figure figure = next_figure(&words);
	uint64_t where, udp_value = measure(lines, figure, 0, &where),
	                tcp_value = measure(lines, figure, 1, &where);

	if (answer < 0)
		text_put(t, "No answer.");
	else if (both)
		text_put(t, "You expected %s, %s.", transport_info[answer].title,
		    udp_value == tcp_value              ? "but both are equal"
		    : (tcp_value > udp_value) == answer ? "and so it is"
		                                        : "but it is the other");
	else
		text_put(t, "You expected %" PRId64 "%s.", answer,
		    (int64_t)(tcp ? tcp_value : udp_value) == answer ? ", and so it is" : "");
}

char *demo_compare(const struct demo_lines *lines, const char *words, int64_t answer,
    uint64_t pointed, char *buf, size_t size)
{
	const bool both = text_begins(words, "both"), tcp = text_begins(words, "tcp");
	struct text t = text_begin(buf, size);
	enum demo_figure figure;

	put_answer(&t, lines, words, answer);
	while ((figure = next_figure(&words)) != FIGURES)
		for (int transport = 0; transport < 2; transport++)
			if (both || transport == tcp)
				put_figure(&t, lines, figure, transport);
	if (pointed > 0)
		text_put(&t, " Look at line %" PRIu64 ", which is marked.", pointed);
	return buf;
}
