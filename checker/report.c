/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "checker/report.h"

#include <errno.h>
#include <jansson.h>
#include <unistd.h>

#include "common/printable.h"
#include "common/standard.h"

static const char *const results[TRIAL_RESULTS] = { "passed", "failed", "skipped" };
/* The members of a case that explain why it failed. */
static const char *const details[] = { "sent", "came", "wrong", "right", "printed" };
#define DETAILS (sizeof details / sizeof *details)

/* --- as JSON --- */

static const char *text_of(const json_t *is, const char *key)
{
	const char *text = json_string_value(json_object_get(is, key));

	return text ? text : "";
}

static void put_text(json_t *is, const char *key, const char *text)
{
	if (*text)
		json_object_set_new(is, key, json_string(text));
}

static json_t *make_case(const struct check_case *c, const struct trial_outcome *o)
{
	json_t *is = json_pack("{ss ss ss ss sI sf}", "name", c->name, "title", c->title, "level",
	    case_level_names[c->level], "result", results[o->result], "points",
	    (json_int_t)(o->result == TRIAL_PASSED ? c->points : 0), "seconds",
	    (double)o->took / NS_PER_S);

	if (o->result == TRIAL_SKIPPED)
		put_text(is, "skipped", o->reason);
	if (o->result == TRIAL_FAILED) {
		put_text(is, "sent", o->sent);
		put_text(is, "came", *o->sent && !*o->came ? "nothing" : o->came);
		put_text(is, "wrong", o->reason);
		put_text(is, "right", c->why);
		put_text(is, "printed", o->printed);
	}
	put_text(is, "note", o->note);
	return is;
}

static void print_json(const struct report *r)
{
	json_t *all = json_pack("{ss ss ss sO si si si sI sI}", "check", r->side, "program",
	    r->program, "level", case_level_names[r->options->level], "cases", r->cases, results[0],
	    r->counts[CASE_LEVELS][TRIAL_PASSED], results[1], r->counts[CASE_LEVELS][TRIAL_FAILED],
	    results[2], r->counts[CASE_LEVELS][TRIAL_SKIPPED], "points", (json_int_t)r->points,
	    "of", (json_int_t)r->of);

	json_dumpf(all, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(all);
}

/* --- for people --- */

/* Each line of a text behind a word. */
static void print_detail(const char *word, const char *text)
{
	for (size_t n; *text; text += n + (text[n] == '\n')) {
		n = strcspn(text, "\n");
		if (n > 0)
			printf("      %-8s %.*s\n", word, (int)n, text);
		word = n > 0 ? "" : word;
	}
}

static void print_text(const json_t *is, enum trial_result result)
{
	static const struct {
		const char *utf8, *ascii, *colour;
	} marks[] = { { "✓", "ok", "32" }, { "✗", "NO", "31" }, { "–", "--", "2" } };
	const char *no_colour = getenv("NO_COLOR"),
	           *mark = standard_utf8() ? marks[result].utf8 : marks[result].ascii;
	const bool coloured = isatty(STDOUT_FILENO) && !(no_colour && *no_colour);

	printf(coloured ? " \033[%3$sm%1$s\033[0m %2$-14s " : " %1$s %2$-14s ", mark,
	    text_of(is, "name"), marks[result].colour);
	printf("%s%s%s\n", text_of(is, "title"), result == TRIAL_SKIPPED ? ": not run, " : "",
	    text_of(is, "skipped"));
	print_detail("note", text_of(is, "note"));
	for (size_t i = 0; i < DETAILS; i++)
		print_detail(details[i], text_of(is, details[i]));
}

static void print_sums(const struct report *r)
{
	printf("\n%d passed, %d failed, %d not run", r->counts[CASE_LEVELS][TRIAL_PASSED],
	    r->counts[CASE_LEVELS][TRIAL_FAILED], r->counts[CASE_LEVELS][TRIAL_SKIPPED]);
	if (r->options->weights)
		printf("; %" PRId64 " of %s", r->points, TEXT_COUNT((uint64_t)r->of, "point"));
	putchar('\n');
	for (int level = 0; level < CASE_LEVELS; level++) {
		const int passed = r->counts[level][TRIAL_PASSED],
		          all = passed + r->counts[level][TRIAL_FAILED];

		if (all > 0)
			printf("  level %s: %d of %d\n", case_level_names[level], passed, all);
	}
}

/* --- TAP --- */

static void print_tap(const json_t *is, enum trial_result result, size_t number)
{
	printf("%s %zu - %s: ", result == TRIAL_FAILED ? "not ok" : "ok", number,
	    text_of(is, "name"));
	for (const char *at = text_of(is, "title"); *at; at++)
		printf("%s%c", *at == '#' || *at == '\\' ? "\\" : "", *at);
	printf("%s%s\n", result == TRIAL_SKIPPED ? " # SKIP " : "", text_of(is, "skipped"));
	if (*text_of(is, "note"))
		printf("# %s\n", text_of(is, "note"));
	if (result != TRIAL_FAILED)
		return;
	puts("  ---");
	for (size_t i = 0; i < DETAILS; i++) {
		/* A JSON string is a YAML scalar. */
		char *quoted = json_dumps(json_object_get(is, details[i]), JSON_ENCODE_ANY);

		if (quoted)
			printf("  %s: %s\n", details[i], quoted);
		free(quoted);
	}
	puts("  ...");
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

/* Writes XML in which each "%" stands for the next of the texts. */
#define XML(out, xml, ...) write_xml(out, xml, (const char *const[]){ __VA_ARGS__ })
static void write_xml(FILE *out, const char *xml, const char *const *texts)
{
	for (; *xml; xml++)
		if (*xml == '%')
			put_xml(*texts++, out);
		else
			fputc(*xml, out);
}

static void write_junit_case(const struct report *r, const json_t *is, FILE *out)
{
	XML(out, "    <testcase classname=\"%.%\" name=\"%: %\" time=\"%\">", r->side,
	    text_of(is, "level"), text_of(is, "name"), text_of(is, "title"),
	    TEXT_FORMAT("%.3f", json_real_value(json_object_get(is, "seconds"))));
	if (*text_of(is, "skipped"))
		XML(out, "<skipped message=\"%\"/>", text_of(is, "skipped"));
	if (strcmp(text_of(is, "result"), results[TRIAL_FAILED]) == 0) {
		XML(out, "<failure type=\"failed\" message=\"%\">", text_of(is, "wrong"));
		for (size_t i = 0; i < DETAILS; i++)
			if (*text_of(is, details[i]))
				XML(out, "%: %\n", details[i], text_of(is, details[i]));
		fputs("</failure>", out);
	}
	fputs("</testcase>\n", out);
}

/* Returns 0, or -1 after one line on stderr. */
static int write_junit(const struct report *r, FILE *out)
{
	const json_t *is;
	double took = 0;
	size_t i;

	json_array_foreach(r->cases, i, is) took += json_real_value(json_object_get(is, "seconds"));
	XML(out,
	    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n"
	    "  <testsuite name=\"upcase-check %\" tests=\"%\" failures=\"%\" errors=\"0\" "
	    "skipped=\"%\" time=\"%\">\n"
	    "    <properties><property name=\"program\" value=\"%\"/>"
	    "<property name=\"points\" value=\"%\"/></properties>\n",
	    r->side, TEXT_FORMAT("%zu", i), TEXT_FORMAT("%d", r->counts[CASE_LEVELS][TRIAL_FAILED]),
	    TEXT_FORMAT("%d", r->counts[CASE_LEVELS][TRIAL_SKIPPED]), TEXT_FORMAT("%.3f", took),
	    r->program, TEXT_FORMAT("%" PRId64 " of %" PRId64, r->points, r->of));
	json_array_foreach(r->cases, i, is) write_junit_case(r, is, out);
	fputs("  </testsuite>\n</testsuites>\n", out);
	if (fflush(out) == 0 && fclose(out) == 0)
		return 0;
	standard_report("%s: %s", r->options->junit, strerror(errno));
	return -1;
}

/* --- all --- */

int report_begin(struct report *r, const struct trial *t)
{
	char *const *words = t->options->command, shown[PRINTABLE_ROOM(200)];
	struct text program = text_begin(r->program, sizeof r->program);

	*r = (struct report){ .options = t->options,
		.side = t->options->client ? "client" : "server",
		.cases = json_array() };
	for (int i = 0; words && words[i]; i++) {
		/* Nothing in it drives a terminal. */
		printable_text(shown, words[i], strnlen(words[i], 200), "", true);
		text_put(&program, "%s%s", i ? " " : "", shown);
	}
	if (!words)
		addr_text(&t->address, r->program);
	if (r->options->junit && !(r->junit = fopen(r->options->junit, "we"))) {
		standard_report("--junit %s: %s", r->options->junit, strerror(errno));
		json_decref(r->cases);
		return -1;
	}
	if (r->options->format == CHECK_TAP)
		printf("TAP version 14\n1..%d\n", r->options->table.count);
	if (r->options->format == CHECK_TEXT)
		printf("%s: a %s, up to level %s\n\n", r->program, r->side,
		    case_level_names[r->options->level]);
	fflush(stdout);
	return 0;
}

void report_case(struct report *r, const struct trial *t, const struct check_case *c)
{
	const enum trial_result result = t->outcome.result;
	json_t *is = make_case(c, &t->outcome);

	json_array_append_new(r->cases, is);
	r->counts[c->level][result]++;
	r->counts[CASE_LEVELS][result]++;
	r->points += result == TRIAL_PASSED ? c->points : 0;
	r->of += result != TRIAL_SKIPPED ? c->points : 0;
	if (r->options->format == CHECK_TAP)
		print_tap(is, result, json_array_size(r->cases));
	if (r->options->format == CHECK_TEXT)
		print_text(is, result);
	fflush(stdout);
}

int report_end(struct report *r)
{
	int status = r->counts[CASE_LEVELS][TRIAL_FAILED] > 0 ||
	             r->counts[CASE_LEVELS][TRIAL_PASSED] == 0;

	if (r->options->format == CHECK_JSON)
		print_json(r);
	if (r->options->format == CHECK_TEXT)
		print_sums(r);
	if (r->junit && write_junit(r, r->junit) < 0)
		status = 1;
	json_decref(r->cases);
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

		if (o->show)
			show_case(c, out);
		else
			fprintf(out, "%-14s %-9s %s\n", c->name, case_level_names[c->level],
			    c->title);
	}
}
