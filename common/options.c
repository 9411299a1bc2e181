/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "common/options.h"

#include <getopt.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/options-text.h"
#include "common/standard.h"
#include "common/utf8.h"

/* What getopt_long() returns for the first long option; above every letter. */
#define FIRST_LONG 256
#define HELP_WIDTH 80
/* Where the help texts begin at the latest. */
#define HELP_COLUMN_MAX 34

/* One command line and what it takes to read it. */
struct options_reading {
	const struct options_spec *table;
	size_t count;
	/* What messages begin with. */
	const char *program;
	int argc;
	char **argv;
	/* What getopt_long() wants, made from the table. */
	struct option *longs;
	char *letters;
	/* What is wrong, for standard error. */
	FILE *out;
};

static size_t count_options(const struct options_spec *table)
{
	size_t n = 0;

	while (table[n].name)
		n++;
	return n;
}

static const char *base_name(const char *path)
{
	const char *slash = path ? strrchr(path, '/') : NULL;

	return slash ? slash + 1 : path;
}

static int prepare(struct options_reading *r)
{
	char *letter;

	r->longs = calloc(r->count + 1, sizeof *r->longs);
	/* ":" first tells a missing argument from an unknown option. */
	r->letters = letter = malloc(2 * r->count + 2);
	if (!r->longs || !r->letters)
		return -1;
	*letter++ = ':';
	for (size_t i = 0; i < r->count; i++) {
		const struct options_spec *o = &r->table[i];

		r->longs[i] = (struct option){
			.name = o->name,
			.has_arg = o->argument ? required_argument : no_argument,
			.val = FIRST_LONG + (int)i,
		};
		if (!o->letter)
			continue;
		*letter++ = o->letter;
		if (o->argument)
			*letter++ = ':';
	}
	*letter = '\0';
	return 0;
}

/* The option that getopt_long() means by `code`, a letter or a number from FIRST_LONG on; NULL
 * if none. */
static const struct options_spec *option_of(const struct options_reading *r, int code)
{
	if (code >= FIRST_LONG)
		return (size_t)(code - FIRST_LONG) < r->count ? &r->table[code - FIRST_LONG] : NULL;
	for (size_t i = 0; i < r->count; i++)
		if (code && r->table[i].letter == code)
			return &r->table[i];
	return NULL;
}

/* An option as it was written, "--wait=" or "-w ", to put a value behind it. */
static void put_option(const struct options_spec *o, int code, FILE *out)
{
	if (code >= FIRST_LONG)
		fprintf(out, "--%s=", o->name);
	else
		fprintf(out, "-%c ", o->letter);
}

static void put_example(const struct options_spec *o, int code, FILE *out)
{
	if (o->example) {
		fputs("; for example ", out);
		put_option(o, code, out);
		fputs(o->example, out);
	}
	fputc('\n', out);
}

static void say_value_is_wrong(const struct options_reading *r, const struct options_spec *o,
    int code, const char *value, const char *why)
{
	char shown[OPTIONS_SHOWN];

	fprintf(r->out, "%s: ", r->program);
	if (o->argument) {
		put_option(o, code, r->out);
		fprintf(r->out, "%s: ", options_shown(value, strlen(value), shown));
	} else {
		fprintf(r->out, "--%s: ", o->name);
	}
	fputs(why, r->out);
	put_example(o, code, r->out);
}

static void say_value_is_missing(const struct options_reading *r, const struct options_spec *o,
    int code)
{
	if (code >= FIRST_LONG)
		fprintf(r->out, "%s: --%s needs", r->program, o->name);
	else
		fprintf(r->out, "%s: -%c needs", r->program, o->letter);
	fprintf(r->out, " %s %s", options_article(o->argument), o->argument);
	put_example(o, code, r->out);
}

/* The abbreviation fits several options. */
static void say_ambiguous(const struct options_reading *r, const char *name, size_t n)
{
	char shown[OPTIONS_SHOWN];
	const char *comma = "";

	fprintf(r->out, "%s: --%s: is short for more than one option:", r->program,
	    options_shown(name, n, shown));
	for (const struct options_spec *o = r->table; o->name; o++) {
		if (strncmp(o->name, name, n) != 0)
			continue;
		fprintf(r->out, "%s --%s", comma, o->name);
		comma = ",";
	}
	fputc('\n', r->out);
}

static void say_unknown(const struct options_reading *r, const char *dashes, const char *name,
    size_t n)
{
	char shown[OPTIONS_SHOWN];
	const struct options_spec *near = options_nearest(r->table, name, n);

	fprintf(r->out, "%s: %s%s: there is no such option", r->program, dashes,
	    options_shown(name, n, shown));
	if (near)
		fprintf(r->out, "; did you mean --%s?", near->name);
	if (options_find(r->table, "help", strlen("help")))
		fprintf(r->out, " (%s --help lists them)", r->program);
	fputc('\n', r->out);
}

static void say_long_is_wrong(const struct options_reading *r, const char *name)
{
	size_t n = strcspn(name, "="), fits = 0;

	for (const struct options_spec *o = r->table; o->name; o++)
		fits += strncmp(o->name, name, n) == 0;
	if (fits > 1)
		say_ambiguous(r, name, n);
	else
		say_unknown(r, "--", name, n);
}

/* getopt_long() gives one byte of a character that may have more; the whole is in one of the
 * arguments. */
static void say_letter_is_wrong(const struct options_reading *r, char letter)
{
	for (int i = 1; i < r->argc; i++) {
		const char *found = r->argv[i][0] == '-' ? strchr(r->argv[i], letter) : NULL;
		size_t n = found ? utf8_character((const unsigned char *)found, strlen(found)) : 0;

		if (n > 1) {
			say_unknown(r, "-", found, n);
			return;
		}
	}
	say_unknown(r, "-", &letter, 1);
}

/* getopt_long() returned '?'. It sets optopt to a known option if that is a switch and was given
 * a value, to a letter it does not know, or to 0 for a long option. */
static void say_refused(const struct options_reading *r)
{
	const struct options_spec *o = option_of(r, optopt);
	const char *text = optind > 0 && optind <= r->argc ? r->argv[optind - 1] : "";
	char shown[OPTIONS_SHOWN];

	if (optopt == 0 && strncmp(text, "--", 2) == 0)
		say_long_is_wrong(r, text + 2);
	else if (o)
		fprintf(r->out, "%s: %s: --%s takes no value\n", r->program,
		    options_shown(text, strlen(text), shown), o->name);
	else
		say_letter_is_wrong(r, (char)optopt);
}

static int take(const struct options_reading *r, void *settings, int code)
{
	const struct options_spec *o = option_of(r, code);
	char why[OPTIONS_WHY] = "is not right";

	if (!o || o->set(settings, o->argument ? optarg : NULL, why) == 0)
		return 0;
	say_value_is_wrong(r, o, code, optarg, why);
	return -1;
}

static int read_all(const struct options_reading *r, void *settings)
{
	int code;

	/* 0, not 1: start anew, whatever has been read before. */
	optind = 0;
	opterr = 0;
	while ((code = getopt_long(r->argc, r->argv, r->letters, r->longs, NULL)) != -1) {
		if (code == '?')
			return say_refused(r), -1;
		if (code == ':')
			return say_value_is_missing(r, option_of(r, optopt), optopt), -1;
		if (take(r, settings, code) < 0)
			return -1;
	}
	return optind;
}

int options_command_line(const struct options_spec *table, void *settings, int argc, char **argv)
{
	struct options_reading r = {
		.table = table,
		.count = count_options(table),
		.program = base_name(argc > 0 ? argv[0] : NULL),
		.argc = argc,
		.argv = argv,
	};
	char *said = NULL;
	size_t size;
	int first = -1;

	if (!r.program || !*r.program)
		r.program = "upcase";
	if (argc == 0)
		return 0;
	r.out = open_memstream(&said, &size);
	if (r.out && prepare(&r) == 0)
		first = read_all(&r, settings);
	if (r.out && fclose(r.out) == 0 && size > 0)
		standard_put(stderr, said);
	else if (first < 0)
		standard_say("%s: out of memory", r.program);
	free(said);
	free(r.longs);
	free(r.letters);
	return first;
}

/* "  -w, --wait=DURATION": how many columns it takes. */
static size_t synopsis_columns(const struct options_spec *o)
{
	return (size_t)(6 + 2 + utf8_columns(o->name) +
	                (o->argument ? 1 + utf8_columns(o->argument) : 0));
}

static void put_synopsis(const struct options_spec *o, FILE *out)
{
	if (o->letter)
		fprintf(out, "  -%c, --%s", o->letter, o->name);
	else
		fprintf(out, "      --%s", o->name);
	if (o->argument)
		fprintf(out, "=%s", o->argument);
}

/* The words of `text` from column `left` on, each line within HELP_WIDTH. */
static void put_wrapped(const char *text, size_t left, FILE *out)
{
	size_t column = left;

	while (*text) {
		size_t n = strcspn(text, " "), columns = 0;

		for (size_t i = 0; i < n; i++)
			columns += (text[i] & 0xc0) != 0x80;
		if (column > left && column + 1 + columns > HELP_WIDTH) {
			fprintf(out, "\n%*s", (int)left, "");
			column = left;
		}
		fprintf(out, "%s%.*s", column > left ? " " : "", (int)n, text);
		column += columns + (column > left);
		text += n;
		text += strspn(text, " ");
	}
	fputc('\n', out);
}

void options_help(const struct options_spec *table, FILE *out)
{
	size_t left = 0, columns;

	for (const struct options_spec *o = table; o->name; o++) {
		columns = synopsis_columns(o) + 2;
		if (columns > left && columns <= HELP_COLUMN_MAX)
			left = columns;
	}
	for (const struct options_spec *o = table; o->name; o++) {
		columns = synopsis_columns(o);
		put_synopsis(o, out);
		if (columns + 2 > left)
			fprintf(out, "\n%*s", (int)left, "");
		else
			fprintf(out, "%*s", (int)(left - columns), "");
		put_wrapped(o->help, left, out);
	}
}
