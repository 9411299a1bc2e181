/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "common/impair-options.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/text.h"
#include "common/units.h"

/* A seed that was chosen is less than this. */
#define SEEDS 1000000

enum direction_set { DIRECTION_THERE = 1, DIRECTION_BACK = 2, DIRECTION_BOTH = 3 };

void impair_options_start(struct impair_options *o)
{
	*o = (struct impair_options){ .there = impair_perfect(), .back = impair_perfect() };
}

static int set(struct impair_options *o, enum impair_field_id id, enum direction_set direction,
    const char *value, char *why)
{
	if ((direction & DIRECTION_THERE) && impair_fields_set(&o->there, id, value, why) != 0)
		return -1;
	if ((direction & DIRECTION_BACK) && impair_fields_set(&o->back, id, value, why) != 0)
		return -1;
	return 0;
}

_Static_assert(OPTIONS_WHY >= IMPAIR_WHY, "a setting's reason becomes an option's");

#define X(id, name, argument, help, example) \
	int impair_option_##id(void *options, const char *value, char why[OPTIONS_WHY]) \
	{ \
		return set(options, IMPAIR_FIELD_##id, DIRECTION_BOTH, value, why); \
	} \
	int impair_option_##id##_there(void *options, const char *value, char why[OPTIONS_WHY]) \
	{ \
		return set(options, IMPAIR_FIELD_##id, DIRECTION_THERE, value, why); \
	} \
	int impair_option_##id##_back(void *options, const char *value, char why[OPTIONS_WHY]) \
	{ \
		return set(options, IMPAIR_FIELD_##id, DIRECTION_BACK, value, why); \
	}
IMPAIR_FIELDS(X)
#undef X

int impair_option_seed(void *options, const char *value, char why[OPTIONS_WHY])
{
	struct impair_options *o = options;
	int64_t seed;

	if (units_count(value, 0, INT64_MAX, &seed) != 0)
		return text_refuse(why, OPTIONS_WHY, "is not a whole number, 0 to %" PRId64,
		    INT64_MAX);
	o->seed = (uint64_t)seed;
	o->seed_given = true;
	return 0;
}

int impair_option_preset(void *options, const char *value, char why[OPTIONS_WHY])
{
	const struct impair_preset *preset = impair_preset_find(value);
	struct impair_options *o = options;
	struct text out = text_begin(why, OPTIONS_WHY);

	if (preset) {
		impair_preset_settings(preset, &o->there, &o->back);
		return 0;
	}
	text_put(&out, "is none of");
	for (size_t i = 0; (preset = impair_preset(i)); i++)
		text_put(&out, "%s %s", i ? "," : "", preset->name);
	return -1;
}

int impair_options_check(const struct impair_options *o, char why[IMPAIR_WHY])
{
	return impair_check(&o->there, why) != 0 || impair_check(&o->back, why) != 0 ? -1 : 0;
}

bool impair_options_perfect(const struct impair_options *o)
{
	const struct impair_settings perfect = impair_perfect();

	return impair_fields_same(&o->there, &perfect) && impair_fields_same(&o->back, &perfect);
}

void impair_options_seed(struct impair_options *o, uint32_t chance)
{
	if (!o->seed_given)
		o->seed = chance % SEEDS;
}

char *impair_options_line(const struct impair_options *o, char buf[IMPAIR_OPTIONS_LINE])
{
	const struct impair_settings perfect = impair_perfect(), *const ways[] = { &o->there,
		&o->back };
	char lines[2][IMPAIR_LINE];

	for (int i = 0; i < 2; i++)
		if (impair_fields_same(ways[i], &perfect))
			strcpy(lines[i], "perfect");
		else
			impair_fields_line(ways[i], lines[i], IMPAIR_LINE);
	if (impair_fields_same(&o->there, &o->back))
		snprintf(buf, IMPAIR_OPTIONS_LINE, "each way: %s; seed %" PRIu64, lines[0],
		    o->seed);
	else
		snprintf(buf, IMPAIR_OPTIONS_LINE, "there: %s; back: %s; seed %" PRIu64, lines[0],
		    lines[1], o->seed);
	return buf;
}
