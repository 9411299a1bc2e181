/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/impair-options.h"

#include "common/text.h"

/* A seed that the program chooses is less than this. */
#define SEEDS 1000000

/* Which of a setting's options: for both directions, or for one. */
enum option_direction { OPTION_BOTH, OPTION_THERE, OPTION_BACK };

void impair_options_start(struct impair_options *o)
{
	*o = (struct impair_options){
		.there = impair_perfect(), .back = impair_perfect(), .seed = IMPAIR_OPTIONS_NO_SEED
	};
}

_Static_assert(OPTIONS_REASON >= IMPAIR_REASON, "a setting's reason becomes an option's");

/* The row's `low` is the setting; its `high` is which of the setting's options this is. A switch
 * sets its example. */
static int set_field(const struct options_spec *row, void *settings, const char *value,
    char reason[OPTIONS_REASON])
{
	struct impair_options *o = settings;
	const enum impair_field_id id = (enum impair_field_id)row->low;

	if (!value)
		value = row->example;
	if (row->high != OPTION_BACK && impair_fields_set(&o->there, id, value, reason) != 0)
		return -1;
	return row->high == OPTION_THERE ? 0 : impair_fields_set(&o->back, id, value, reason);
}

static int read_preset(void *options, const char *value, char reason[OPTIONS_REASON])
{
	const struct impair_preset *preset = impair_preset_find(value);
	struct impair_options *o = options;
	struct text out = text_begin(reason, OPTIONS_REASON);

	if (preset) {
		impair_preset_settings(preset, &o->there, &o->back);
		return 0;
	}
	text_put(&out, "is none of");
	for (preset = impair_presets; preset->name; preset++)
		text_put(&out, "%s %s", preset > impair_presets ? "," : "", preset->name);
	return -1;
}

void impair_options_append(struct options_spec *to, bool packets, bool each)
{
	static const struct options_spec own[] = {
		{ "preset", 0, "NAME", "a link that has a name; options after it change it", "wifi",
		    .read = read_preset },
		{ "seed", 0, "NUMBER", "of the dice: the same gives the same fates", "42",
		    OPTIONS_NUMBER, OPTIONS_FIELD(struct impair_options, seed), 0, INT64_MAX },
		{ .name = NULL },
	};

	to = options_append(to, own);
	for (int direction = OPTION_BOTH; direction <= (each ? OPTION_BACK : OPTION_BOTH);
	    direction++)
		for (int id = 0; id < IMPAIR_FIELD_COUNT; id++) {
			const struct impair_field *f = &impair_fields[id];

			if (packets || !f->packets_only)
				*to++ = (struct options_spec){
					.name = f->options[direction],
					.argument = f->argument,
					.help = f->help,
					.example = f->example,
					.words = f->steps,
					.set = set_field,
					.low = id,
					.high = direction,
					.one_way = direction != OPTION_BOTH,
					.command_line_only = true,
				};
		}
	*to = (struct options_spec){ .name = NULL };
}

int impair_options_check(const struct impair_options *o, char reason[IMPAIR_REASON])
{
	return impair_check(&o->there, reason) != 0 || impair_check(&o->back, reason) != 0 ? -1 : 0;
}

bool impair_options_perfect(const struct impair_options *o)
{
	const struct impair_settings perfect = impair_perfect();

	return impair_fields_same(&o->there, &perfect) && impair_fields_same(&o->back, &perfect);
}

void impair_options_seed(struct impair_options *o, uint32_t chance)
{
	if (o->seed == IMPAIR_OPTIONS_NO_SEED)
		o->seed = chance % SEEDS;
}

static void put_direction(struct text *t, const char *direction, const struct impair_settings *s)
{
	const struct impair_settings perfect = impair_perfect();

	text_put(t, "%s: %s; ", direction,
	    impair_fields_same(s, &perfect) ? "perfect" : IMPAIR_LINE_TEXT(s));
}

char *impair_options_line(const struct impair_options *o, char buf[IMPAIR_OPTIONS_LINE])
{
	const bool same = impair_fields_same(&o->there, &o->back);
	struct text t = text_begin(buf, IMPAIR_OPTIONS_LINE);

	put_direction(&t, same ? "each way" : "there", &o->there);
	if (!same)
		put_direction(&t, "back", &o->back);
	text_put(&t, "seed %" PRIu64, o->seed);
	return buf;
}
