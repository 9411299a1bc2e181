/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Each setting has a list of values in their order; a step goes to the next one from where the
 * setting is, which need not be in the list. */
#include "config.h"

#include "trace/link-steps.h"

#include <math.h>
#include <stdio.h>

#define VALUES_MAX 24

static const char *const values[IMPAIR_FIELD_COUNT][VALUES_MAX] = {
	[IMPAIR_FIELD_loss] = { "0%", "0.1%", "0.5%", "1%", "2%", "5%", "10%", "15%", "20%", "25%",
	    "30%", "40%", "50%", "60%", "70%", "80%", "90%", "100%" },
	[IMPAIR_FIELD_burst] = { "off", "2", "3", "4", "5", "8", "10", "20", "50" },
	[IMPAIR_FIELD_delay] = { "0ms", "1ms", "2ms", "5ms", "10ms", "20ms", "50ms", "100ms",
	    "150ms", "200ms", "300ms", "500ms", "700ms", "1s", "2s", "5s" },
	[IMPAIR_FIELD_jitter] = { "0ms", "1ms", "2ms", "5ms", "10ms", "20ms", "50ms", "100ms",
	    "200ms", "500ms", "1s" },
	[IMPAIR_FIELD_distribution] = { "uniform", "normal" },
	[IMPAIR_FIELD_order] = { "kept", "free" },
	[IMPAIR_FIELD_duplicate] = { "0%", "1%", "2%", "5%", "10%", "20%", "30%", "50%", "100%" },
	[IMPAIR_FIELD_reorder] = { "0%", "1%", "2%", "5%", "10%", "20%", "30%", "50%", "100%" },
	[IMPAIR_FIELD_reorder_by] = { "1ms", "2ms", "5ms", "10ms", "20ms", "50ms", "100ms", "200ms",
	    "500ms", "1s" },
	[IMPAIR_FIELD_corrupt] = { "0%", "0.1%", "0.5%", "1%", "2%", "5%", "10%", "20%", "30%",
	    "50%", "100%" },
	[IMPAIR_FIELD_rate] = { "10kbit", "20kbit", "50kbit", "100kbit", "200kbit", "500kbit",
	    "1mbit", "2mbit", "5mbit", "10mbit", "20mbit", "50mbit", "100mbit", "1gbit", "off" },
	[IMPAIR_FIELD_queue] = { "1p", "2p", "5p", "10p", "20p", "50p", "100p", "200p", "500p",
	    "1000p", "2000p" },
	[IMPAIR_FIELD_mtu] = { "68", "296", "576", "1000", "1280", "1400", "1500", "off" },
};

void link_steps_move(struct link_steps *p, int by)
{
	const int to = p->field + by;

	if (to >= 0 && to < IMPAIR_FIELD_COUNT)
		p->field = to;
}

void link_steps_next_ways(struct link_steps *p)
{
	p->ways = (p->ways + 1) % LINK_STEPS_WAYS;
}

bool link_steps_touches(const struct link_steps *p, enum link_way way)
{
	return p->ways == LINK_STEPS_BOTH ||
	       p->ways == (way == LINK_COMING ? LINK_STEPS_BACK : LINK_STEPS_THERE);
}

/* The next value of the list in that direction, or NULL. */
static const char *next_value(const struct impair_settings *s, int field, int by)
{
	const double here = impair_fields_measure(s, (enum impair_field_id)field);
	const char *found = NULL;

	for (int i = 0; i < VALUES_MAX && values[field][i]; i++) {
		struct impair_settings other = impair_perfect();
		char why[IMPAIR_WHY];
		double there;

		if (impair_fields_set(&other, (enum impair_field_id)field, values[field][i], why) <
		    0)
			continue;
		/* Values that were written with few digits are not exactly equal. */
		there = impair_fields_measure(&other, (enum impair_field_id)field);
		if (by > 0 && there > here && (isinf(there) || there - here > 1e-9 * there))
			return values[field][i];
		if (by < 0 && there < here && (isinf(here) || here - there > 1e-9 * here))
			found = values[field][i];
	}
	return found;
}

int link_steps_apply(const struct link_steps *p, int by, struct impair_settings settings[LINK_WAYS],
    char *order, size_t size, char why[IMPAIR_WHY])
{
	static const char *const behind[LINK_STEPS_WAYS] = { "", " there", " back" };
	const enum impair_field_id id = (enum impair_field_id)p->field;
	struct impair_settings changed[LINK_WAYS] = { settings[LINK_GOING], settings[LINK_COMING] };
	const char
	    *value = next_value(&settings[p->ways == LINK_STEPS_BACK ? LINK_COMING : LINK_GOING],
	        p->field, by);

	why[0] = '\0';
	if (!value)
		return -1;
	for (int way = 0; way < LINK_WAYS; way++)
		if (link_steps_touches(p, (enum link_way)way) &&
		    (impair_fields_set(&changed[way], id, value, why) < 0 ||
		        impair_check(&changed[way], why) < 0))
			return -1;
	snprintf(order, size, "set %s %s%s", impair_field(id)->name, value, behind[p->ways]);
	settings[LINK_GOING] = changed[LINK_GOING];
	settings[LINK_COMING] = changed[LINK_COMING];
	return 0;
}
