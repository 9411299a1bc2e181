/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "checker/cases.h"

#include "common/text.h"
#include "common/utf8.h"

const char *const case_level_names[CASE_LEVELS] = { "textbook", "robust", "unicode" };

const char *const case_need_names[CASE_NEEDS] = { "udp", "tcp", "command", "lossless", "lines" };

static int find_word(const char *const *words, size_t n, const char *word)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(words[i], word) == 0)
			return (int)i;
	return -1;
}

/* "case NAME LEVEL NEED...": returns NULL, or what is wrong. */
static const char *begin_case(struct case_table *t, char *words)
{
	struct check_case *c = &t->cases[t->count];
	const char *name = strsep(&words, " "), *level = strsep(&words, " "), *need;
	int found;

	if (t->count == CASES_MAX)
		return "is one case too many";
	if (!level || (found = find_word(case_level_names, CASE_LEVELS, level)) < 0)
		return "needs a name and a level: " CASES_LEVELS;
	if (cases_find(t, name, strlen(name)))
		return "has the name of another case";
	*c = (struct check_case){
		.name = name, .title = "", .why = "", .level = (enum case_level)found, .points = 1
	};
	while ((need = strsep(&words, " "))) {
		if ((found = find_word(case_need_names, CASE_NEEDS, need)) < 0)
			return "can need udp, tcp, command, lossless, lines";
		c->needs |= 1u << found;
	}
	t->count++;
	return NULL;
}

static bool is_text(const char *line)
{
	const unsigned char *at = (const unsigned char *)line;
	size_t n = strlen(line);

	for (size_t length; n > 0; at += length, n -= length)
		if (!(length = utf8_harmless(at, n)))
			return false;
	return true;
}

static const char *take_line(struct case_table *t, char *line)
{
	struct check_case *c = t->count ? &t->cases[t->count - 1] : NULL;
	char *rest = line + strcspn(line, " ");

	rest += strspn(rest, " ");
	if (!is_text(line))
		return "is no text: UTF-8, without tabs and other controls";
	if (text_begins_word(line, "case"))
		return begin_case(t, rest);
	if (!c)
		return "stands before the first case";
	if (text_begins_word(line, "title") && c->step_count == 0)
		c->title = rest;
	else if (text_begins_word(line, "why") && c->step_count == 0)
		c->why = rest;
	else if (!t->known(line))
		return "is no step: see upcase-check(1), THE LANGUAGE OF CASES";
	else if (!c->step_count++)
		c->steps = line;
	return NULL;
}

/* "tcp-line 5" */
static const char *take_weight(struct case_table *t, char *line)
{
	struct check_case *c = cases_find(t, line, strcspn(line, " \t"));
	const char *number = line + strcspn(line, " \t");

	if (!c)
		return "names no case; --list lists them";
	number += strspn(number, " \t");
	return units_count(number, 0, 1000, &c->points) == 0
	         ? NULL
	         : "needs a number of points, 0 to 1000";
}

/* Gives the lines to `take`, which returns NULL or what is wrong, one behind the other, each ended
 * by a zero: comments and empty lines go. */
static int take_lines(struct case_table *t, char *text, char reason[CASES_REASON],
    const char *(*take)(struct case_table *t, char *line))
{
	const char *wrong;
	char *line, *end = text, shown[60];

	for (int number = 1; (line = strsep(&text, "\n")); number++) {
		snprintf(shown, sizeof shown, "%s", line);
		shown[strlen(shown) - utf8_cut_off((unsigned char *)shown, strlen(shown))] = '\0';
		if (!*line || *line == '#')
			continue;
		line = memmove(end, line, strlen(line) + 1);
		end += strlen(line) + 1;
		if ((wrong = take(t, line)))
			return text_refuse(reason, CASES_REASON, "line %d: '%s' %s", number, shown,
			    wrong);
	}
	return 0;
}

int cases_read(struct case_table *t, char *text, char reason[CASES_REASON])
{
	return take_lines(t, text, reason, take_line);
}

int cases_weigh(struct case_table *t, char *text, char reason[CASES_REASON])
{
	return take_lines(t, text, reason, take_weight);
}

struct check_case *cases_find(struct case_table *t, const char *name, size_t n)
{
	for (int i = 0; i < t->count; i++)
		if (strlen(t->cases[i].name) == n && memcmp(t->cases[i].name, name, n) == 0)
			return &t->cases[i];
	return NULL;
}
