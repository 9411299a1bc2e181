/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/complete.h"

#include "common/impair-options.h"

bool complete_asked(int argc, char **argv)
{
	return argc > 1 && strcmp(argv[1], "--complete") == 0;
}

/* --- options --- */

/* The option of that name, `n` bytes, or of which this is the only abbreviation; else NULL. */
static const struct options_spec *of_name(const struct options_spec *table, const char *name,
    size_t n)
{
	const struct options_spec *found = NULL;
	int fits = 0;

	for (; table->name; table++) {
		if (strncmp(table->name, name, n) != 0)
			continue;
		if (!table->name[n])
			return table;
		found = table;
		fits++;
	}
	return fits == 1 ? found : NULL;
}

/* The option of a word that has a value: *value is where it begins in the word, or NULL if it is
 * the next word. NULL: none has. */
static const struct options_spec *with_value(const struct options_spec *table, const char *word,
    const char **value)
{
	const size_t n = strcspn(word, "=");
	const struct options_spec *o = NULL;

	*value = NULL;
	if (text_begins(word, "--")) {
		o = n > 2 ? of_name(table, word + 2, n - 2) : NULL;
		if (!o || !o->argument)
			return NULL;
		*value = word[n] ? word + n + 1 : NULL;
		return o;
	}
	/* Letters: of "-tw5" the value begins behind the w. */
	while (*++word) {
		for (o = table; o->name && o->letter != *word;)
			o++;
		if (!o->name)
			return NULL;
		if (o->argument) {
			*value = word[1] ? word + 1 : NULL;
			return o;
		}
	}
	return NULL;
}

/* Prints the values of an option, each behind the first `n` bytes of `word`. */
static void put_values(const struct options_spec *o, const char *word, size_t n, FILE *out)
{
	static const struct {
		const char *argument, *names;
	} kinds[] = { { "FILE", "files" }, { "PATH", "files" }, { "HOST", "hosts" },
		{ "COMMAND", "commands" } };
	const char *words = o->words ? o->words : "";
	char each[IMPAIR_VALUE];

	fprintf(out, "\tabout %s: %s\n", o->argument, o->help);
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (strcmp(o->argument, kinds[i].argument) == 0)
			fprintf(out, "\t%s\n", kinds[i].names);
	if (o->set == impair_option_preset)
		for (const struct impair_preset *p = impair_presets; p->name; p++)
			fprintf(out, "%.*s%s\t%s\n", (int)n, word, p->name, p->about);
	while (impair_fields_word(&words, each))
		fprintf(out, "%.*s%s\n", (int)n, word, each);
}

/* The length of a name without the direction: of "loss" in loss-there. */
static size_t undirected(const char *name)
{
	const char *dash = strrchr(name, '-');

	return dash && (strcmp(dash, "-there") == 0 || strcmp(dash, "-back") == 0)
	         ? (size_t)(dash - name)
	         : strlen(name);
}

/* One way only is offered once the option itself is written, "--loss-". */
void complete_names(const struct options_spec *table, const char *word, FILE *out)
{
	for (const struct options_spec *o = table; o->name; o++) {
		const size_t n = undirected(o->name);

		if (o->letter && strlen(word) < 2)
			fprintf(out, "-%c\t%s\n", o->letter, o->help);
		if (!o->name[n] ||
		    (text_begins(word, "--") && strncmp(word + 2, o->name, n + 1) == 0))
			fprintf(out, "--%s\t%s\n", o->name, o->help);
	}
}

int complete_options(const struct options_spec *table, bool permute, int argc, char **argv,
    FILE *out)
{
	const char *word = argc > 1 ? argv[argc - 1] : "", *value;
	/* Whose value the next word is. */
	const struct options_spec *o = NULL;
	bool ended = false;
	int operands = 0;

	for (int i = 1; i < argc - 1; i++) {
		if (o) {
			o = NULL;
		} else if (ended || argv[i][0] != '-' || !argv[i][1]) {
			operands++;
			ended = ended || !permute;
		} else if (strcmp(argv[i], "--") == 0) {
			ended = true;
		} else {
			o = with_value(table, argv[i], &value);
			o = value ? NULL : o;
		}
	}
	if (o) {
		put_values(o, "", 0, out);
		return -1;
	}
	if (ended || *word != '-')
		return operands;
	o = with_value(table, word, &value);
	if (value)
		put_values(o, word, (size_t)(value - word), out);
	else
		complete_names(table, word, out);
	return -1;
}

/* --- the words of commands --- */

const struct complete_row *complete_find(const struct complete_row *table, const char *command,
    const char *last)
{
	for (; table->command; table++)
		if (strcmp(table->command, command) == 0 &&
		    (strcmp(table->after, last) == 0 ||
		        (*last && strcmp(table->after, COMPLETE_ANY) == 0)))
			return table;
	return NULL;
}

void complete_put(struct text *t, const char *words)
{
	char each[IMPAIR_VALUE];

	while (impair_fields_word(&words, each))
		text_put(t, "%s\n", each);
}

/* Writes what follows "set": a setting's value, or the next setting. */
static void put_settings(struct text *t, const char *last)
{
	const enum impair_field_id id = impair_field_find(last);

	if (id < IMPAIR_FIELD_COUNT) {
		complete_put(t, impair_fields[id].steps);
		return;
	}
	for (int other = 0; other < IMPAIR_FIELD_COUNT; other++)
		text_put(t, "%s\t%s\n", impair_fields[other].name, impair_fields[other].help);
	complete_put(t, *last ? "there back" : "");
}

void complete_order(struct text *t, const char *order, const char *last)
{
	static const struct complete_row table[] = {
		{ "preset", COMPLETE_ANY, "there back" },
		{ "drop", "", "next none" },
		{ "drop", "next", "udp tcp request reply syn ack" },
		{ "drop", "udp", "request reply" },
		{ "drop", "tcp", "request reply syn ack" },
		{ "drop", "syn", "there back" },
		{ "drop", "ack", "there back" },
		{ "hold", "", "1s 3s 5s 10s" },
		{ "hold", COMPLETE_ANY, "there back" },
		{ "unplug", "", "1s 3s 5s 10s" },
		{ "unplug", COMPLETE_ANY, "there back" },
		{ .command = NULL },
	};
	const struct complete_row *row = complete_find(table, order, last);

	if (strcmp(last, "there") == 0 || strcmp(last, "back") == 0)
		return;
	if (strcmp(order, "set") == 0)
		put_settings(t, last);
	else if (strcmp(order, "preset") == 0 && !*last)
		for (const struct impair_preset *p = impair_presets; p->name; p++)
			text_put(t, "%s\t%s\n", p->name, p->about);
	else if (row)
		complete_put(t, row->words);
}
