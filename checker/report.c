/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "checker/report.h"

#include <errno.h>
#include <jansson.h>
#include <unistd.h>

#include "common/printable.h"
#include "common/standard.h"
#include "common/utf8.h"

static const char *const result_names[] = { "passed", "failed", "skipped" };

/* The rows that explain a failure: their word and their text; those without a text are left out. */
struct detail {
	const char *word, *text;
};
#define DETAILS 5
/* Room for the program's name. */
#define PROGRAM_TEXT 1000

static void get_details(const struct check_case *c, const struct trial_outcome *o,
    struct detail out[DETAILS])
{
	const struct detail details[DETAILS] = { { "sent", o->sent }, { "came", o->came },
		{ "wrong", o->reason }, { "right", c->why }, { "printed", o->printed } };

	memcpy(out, details, sizeof details);
	if (!*o->came && *o->sent)
		out[1].text = "nothing";
}

struct sums {
	int results[3], levels[CASE_LEVELS][2];
	int64_t points, of;
};

static struct sums add_up(const struct report *r)
{
	struct sums s = { .points = 0 };

	for (int i = 0; i < r->count; i++) {
		const struct check_case *c = r->cases[i].of;
		const enum trial_result result = r->cases[i].outcome.result;

		s.results[result]++;
		if (result == TRIAL_SKIPPED)
			continue;
		s.levels[c->level][result]++;
		s.of += c->points;
		s.points += result == TRIAL_PASSED ? c->points : 0;
	}
	return s;
}

/* The command, or the server's address; nothing in it drives a terminal. */
static char *program_text(const struct trial *t, char text[PROGRAM_TEXT])
{
	char *const *words = t->options->command, shown[PRINTABLE_ROOM(200)];
	struct text out = text_begin(text, PROGRAM_TEXT);

	for (int i = 0; words && words[i]; i++) {
		printable_text(shown, words[i], strnlen(words[i], 200), "", true);
		text_put(&out, "%s%s", i ? " " : "", shown);
	}
	if (!words)
		text_put(&out, "%s", ADDR_TEXT(&t->address));
	return text;
}

static const char *side(const struct report *r)
{
	return r->options->client ? "client" : "server";
}

/* --- for people --- */

struct mark {
	const char *utf8, *ascii, *colour;
};
static const struct mark marks[] = {
	[TRIAL_PASSED] = { "✓", "ok", "32" },
	[TRIAL_FAILED] = { "✗", "NO", "31" },
	[TRIAL_SKIPPED] = { "–", "--", "2" },
};

/* Each line of a text behind a word. */
static void put_detail(const struct detail *d)
{
	const char *word = d->word;

	for (const char *at = d->text, *end; *at; at = *end ? end + 1 : end) {
		end = at + strcspn(at, "\n");
		if (end > at)
			printf("      %-8s %.*s\n", word, (int)(end - at), at);
		word = end > at ? "" : word;
	}
}

static void put_text(const struct report *r, const struct check_case *c,
    const struct trial_outcome *o)
{
	const struct mark *m = &marks[o->result];
	struct detail details[DETAILS];

	printf(" %s%s%s%s%s%s %-14s %s", r->coloured ? "\033[" : "", r->coloured ? m->colour : "",
	    r->coloured ? "m" : "", r->utf8 ? m->utf8 : m->ascii, r->coloured ? "\033[0m" : "", "",
	    c->name, c->title);
	if (o->result == TRIAL_SKIPPED)
		printf(": not run, %s", o->reason);
	putchar('\n');
	if (*o->note)
		put_detail(&(struct detail){ "note", o->note });
	if (o->result != TRIAL_FAILED)
		return;
	get_details(c, o, details);
	for (int i = 0; i < DETAILS; i++)
		put_detail(&details[i]);
}

static void end_text(const struct report *r)
{
	const struct sums s = add_up(r);

	printf("\n%d passed, %d failed, %d not run", s.results[0], s.results[1], s.results[2]);
	if (r->options->weights)
		printf("; %" PRId64 " of %s", s.points, TEXT_COUNT((uint64_t)s.of, "point"));
	putchar('\n');
	for (int level = 0; level < CASE_LEVELS; level++) {
		const int *of = s.levels[level];

		if (of[0] + of[1] > 0)
			printf("  level %s: %d of %d\n", case_level_names[level], of[0],
			    of[0] + of[1]);
	}
}

/* --- TAP --- */

static void put_tap(const struct report *r, const struct check_case *c,
    const struct trial_outcome *o)
{
	struct detail details[DETAILS];

	printf("%s %d - %s: ", o->result == TRIAL_FAILED ? "not ok" : "ok", r->count, c->name);
	for (const char *at = c->title; *at; at++)
		printf("%s%c", *at == '#' || *at == '\\' ? "\\" : "", *at);
	printf("%s%s\n", o->result == TRIAL_SKIPPED ? " # SKIP " : "",
	    o->result == TRIAL_SKIPPED ? o->reason : "");
	if (*o->note)
		printf("# %s\n", o->note);
	if (o->result != TRIAL_FAILED)
		return;
	get_details(c, o, details);
	puts("  ---");
	for (int i = 0; i < DETAILS; i++) {
		/* A JSON string is a YAML scalar. */
		json_t *text = json_string(details[i].text);
		char *quoted = text ? json_dumps(text, JSON_ENCODE_ANY) : NULL;

		if (quoted && *details[i].text)
			printf("  %s: %s\n", details[i].word, quoted);
		free(quoted);
		json_decref(text);
	}
	puts("  ...");
}

/* --- JSON --- */

static json_t *case_json(const struct check_case *c, const struct trial_outcome *o)
{
	struct detail details[DETAILS];
	json_t *is = json_pack("{ss ss ss ss sI sf}", "name", c->name, "title", c->title, "level",
	    case_level_names[c->level], "result", result_names[o->result], "points",
	    (json_int_t)(o->result == TRIAL_PASSED ? c->points : 0), "seconds",
	    (double)o->took / NS_PER_S);

	get_details(c, o, details);
	if (o->result == TRIAL_SKIPPED)
		json_object_set_new(is, "skipped", json_string(o->reason));
	for (int i = 0; i < DETAILS && o->result == TRIAL_FAILED; i++)
		if (*details[i].text)
			json_object_set_new(is, details[i].word, json_string(details[i].text));
	if (*o->note)
		json_object_set_new(is, "note", json_string(o->note));
	return is;
}

static void end_json(const struct report *r, const struct trial *t)
{
	const struct sums s = add_up(r);
	char program[PROGRAM_TEXT];
	json_t *cases = json_array(),
	       *all = json_pack("{ss ss ss so si si si sI sI}", "check", side(r), "program",
	           program_text(t, program), "level", case_level_names[r->options->level], "cases",
	           cases, "passed", s.results[0], "failed", s.results[1], "skipped", s.results[2],
	           "points", (json_int_t)s.points, "of", (json_int_t)s.of);

	for (int i = 0; i < r->count; i++)
		json_array_append_new(cases, case_json(r->cases[i].of, &r->cases[i].outcome));
	json_dumpf(all, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(all);
}

/* --- JUnit --- */

/* Text for XML 1.0, which has no other controls than these, in an attribute too. */
static void put_xml(const char *text, FILE *out)
{
	for (; *text; text++) {
		if (strchr("<>&\"'\n", *text))
			fprintf(out, "&#%d;", *text);
		else
			fputc((unsigned char)*text < ' ' || *text == 0x7f ? '?' : *text, out);
	}
}

static void put_xml_attribute(const char *name, const char *text, FILE *out)
{
	fprintf(out, " %s=\"", name);
	put_xml(text, out);
	fputc('"', out);
}

static void put_junit_case(const struct report *r, const struct check_case *c,
    const struct trial_outcome *o, FILE *out)
{
	struct detail details[DETAILS];

	fputs("    <testcase", out);
	put_xml_attribute("classname", TEXT_FORMAT("%s.%s", side(r), case_level_names[c->level]),
	    out);
	fprintf(out, " name=\"%s: ", c->name);
	put_xml(c->title, out);
	fprintf(out, "\" time=\"%.3f\">", (double)o->took / NS_PER_S);
	if (o->result == TRIAL_SKIPPED) {
		fputs("<skipped", out);
		put_xml_attribute("message", o->reason, out);
		fputs("/>", out);
	} else if (o->result == TRIAL_FAILED) {
		fputs("<failure type=\"failed\"", out);
		put_xml_attribute("message", o->reason, out);
		fputs(">", out);
		get_details(c, o, details);
		for (int i = 0; i < DETAILS; i++)
			if (*details[i].text) {
				put_xml(TEXT_FORMAT("%s: ", details[i].word), out);
				put_xml(details[i].text, out);
				fputs("\n", out);
			}
		fputs("</failure>", out);
	}
	fputs("</testcase>\n", out);
}

static int end_junit(const struct report *r, const struct trial *t)
{
	const struct sums s = add_up(r);
	char program[PROGRAM_TEXT];
	FILE *out = r->junit;
	int64_t took = 0;

	for (int i = 0; i < r->count; i++)
		took += r->cases[i].outcome.took;
	fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  <testsuite", out);
	put_xml_attribute("name", TEXT_FORMAT("upcase-check %s", side(r)), out);
	fprintf(out, " tests=\"%d\" failures=\"%d\" errors=\"0\" skipped=\"%d\" time=\"%.3f\">\n",
	    r->count, s.results[TRIAL_FAILED], s.results[TRIAL_SKIPPED], (double)took / NS_PER_S);
	fputs("    <properties><property name=\"program\"", out);
	put_xml_attribute("value", program_text(t, program), out);
	fprintf(out,
	    "/><property name=\"points\" value=\"%" PRId64 " of %" PRId64 "\"/></properties>\n",
	    s.points, s.of);
	for (int i = 0; i < r->count; i++)
		put_junit_case(r, r->cases[i].of, &r->cases[i].outcome, out);
	fputs("  </testsuite>\n</testsuites>\n", out);
	if (fflush(out) == 0 && !ferror(out))
		return 0;
	standard_report("%s: %s", r->options->junit, strerror(errno));
	return -1;
}

/* --- all --- */

int report_begin(struct report *r, const struct trial *t)
{
	const char *no_colour = getenv("NO_COLOR");
	int count = 0;

	memset(r, 0, sizeof *r);
	r->options = t->options;
	r->utf8 = standard_utf8();
	r->coloured = isatty(STDOUT_FILENO) && !(no_colour && *no_colour);
	if (r->options->junit && !(r->junit = fopen(r->options->junit, "we"))) {
		standard_report("--junit %s: %s", r->options->junit, strerror(errno));
		return -1;
	}
	for (int i = 0; i < r->options->table.count; i++)
		count += check_options_selects(r->options, &r->options->table.cases[i]);
	if (r->options->format == CHECK_TAP)
		printf("TAP version 14\n1..%d\n", count);
	if (r->options->format == CHECK_TEXT) {
		char program[PROGRAM_TEXT];

		printf("%s: a %s, up to level %s\n\n", program_text(t, program), side(r),
		    case_level_names[r->options->level]);
	}
	fflush(stdout);
	return 0;
}

void report_case(struct report *r, const struct trial *t, const struct check_case *c)
{
	r->cases[r->count].of = c;
	r->cases[r->count++].outcome = t->outcome;
	if (r->options->format == CHECK_TAP)
		put_tap(r, c, &t->outcome);
	else if (r->options->format == CHECK_TEXT)
		put_text(r, c, &t->outcome);
	fflush(stdout);
}

int report_end(struct report *r, const struct trial *t)
{
	const struct sums s = add_up(r);
	int status = s.results[TRIAL_FAILED] > 0 || s.results[TRIAL_PASSED] == 0;

	if (r->options->format == CHECK_JSON)
		end_json(r, t);
	else if (r->options->format == CHECK_TEXT)
		end_text(r);
	if (r->junit && (end_junit(r, t) < 0 || fclose(r->junit) != 0))
		status = 1;
	return status;
}

/* As a file of cases has it. */
static void show_case(const struct check_case *c, FILE *out)
{
	const char *step = c->steps;

	fprintf(out, "case %s %s", c->name, case_level_names[c->level]);
	for (int i = 0; i < CASE_NEEDS; i++)
		if (c->needs >> i & 1)
			fprintf(out, " %s", case_need_names[i]);
	fprintf(out, "\ntitle %s\nwhy %s\n", c->title, c->why);
	for (int n = 0; n < c->step_count; n++, step += strlen(step) + 1)
		fprintf(out, "%s\n", step);
	fputc('\n', out);
}

void report_list(const struct check_options *o, FILE *out)
{
	for (int i = 0; i < o->table.count; i++) {
		const struct check_case *c = &o->table.cases[i];

		if (!check_options_selects(o, c))
			continue;
		if (o->show)
			show_case(c, out);
		else
			fprintf(out, "%-14s %-9s %s\n", c->name, case_level_names[c->level],
			    c->title);
	}
}
