/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A step goes to the next value of the setting's list, which need not have the present one. */
#include "trace/link-steps.h"

#include <math.h>

/* The directions at the end of a command. */
static const char *const behind[LINK_STEPS_DIRECTIONS] = { "", " there", " back" };

void link_steps_move(struct link_steps *p, int by)
{
	const int to = p->field + by;

	if (to >= LINK_STEPS_DROP && to < IMPAIR_FIELD_COUNT)
		p->field = to;
}

const char *const link_steps_packets[] = { "request", "reply", "segment", "datagram", "syn", "ack",
	"fin", NULL };
const char *const link_steps_which[] = { "next", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10",
	"every:2", "every:3", "every:5", "every:10", NULL };

void link_steps_turn(struct link_steps *p, int by)
{
	const bool preset = p->field == LINK_STEPS_PRESET;
	int *shown = preset ? &p->preset : &p->which;
	const int to = *shown + by;

	if (to >= 0 && (preset ? impair_presets[to].name : link_steps_which[to]))
		*shown = to;
}

void link_steps_next(struct link_steps *p)
{
	if (p->field != LINK_STEPS_DROP)
		p->directions = (p->directions + 1) % LINK_STEPS_DIRECTIONS;
	else
		p->packets = link_steps_packets[p->packets + 1] ? p->packets + 1 : 0;
}

void link_steps_command(const struct link_steps *p, char *command, size_t size)
{
	const char *packets = link_steps_packets[p->packets], *which = link_steps_which[p->which];

	if (p->field == LINK_STEPS_PRESET)
		snprintf(command, size, "preset %s%s", impair_presets[p->preset].name,
		    behind[p->directions]);
	else
		snprintf(command, size, "drop %s%s%s", p->which ? packets : which,
		    p->which ? ":" : " ", p->which ? which : packets);
}

bool link_steps_touches(const struct link_steps *p, enum link_direction direction)
{
	return p->directions == LINK_STEPS_BOTH ||
	       p->directions == (direction == LINK_COMING ? LINK_STEPS_BACK : LINK_STEPS_THERE);
}

/* The next value of the setting's list in that direction into `found`; false if there is none. */
static bool next_value(const struct impair_settings *s, enum impair_field_id id, int by,
    char found[IMPAIR_VALUE])
{
	const double here = impair_fields_measure(s, id);
	struct impair_settings other = impair_perfect();
	const char *steps = impair_fields[id].steps;
	char value[IMPAIR_VALUE], reason[IMPAIR_REASON];

	*found = '\0';
	while (impair_fields_word(&steps, value) &&
	       impair_fields_set(&other, id, value, reason) == 0) {
		const double there = impair_fields_measure(&other, id);

		/* Values that were written with few digits are not exactly equal. */
		if (by > 0 && there > here && (isinf(there) || there - here > 1e-9 * there)) {
			strcpy(found, value);
			break;
		}
		if (by < 0 && there < here && (isinf(here) || here - there > 1e-9 * here))
			strcpy(found, value);
	}
	return *found;
}

int link_steps_apply(const struct link_steps *p, int by,
    struct impair_settings settings[LINK_DIRECTIONS], char *command, size_t size,
    char reason[IMPAIR_REASON])
{
	const enum impair_field_id id = (enum impair_field_id)p->field;
	struct impair_settings changed[LINK_DIRECTIONS] = { settings[LINK_GOING],
		settings[LINK_COMING] };
	char value[IMPAIR_VALUE];

	reason[0] = '\0';
	if (!next_value(&settings[p->directions == LINK_STEPS_BACK ? LINK_COMING : LINK_GOING], id,
	        by, value))
		return -1;
	for (int direction = 0; direction < LINK_DIRECTIONS; direction++)
		if (link_steps_touches(p, (enum link_direction)direction) &&
		    (impair_fields_set(&changed[direction], id, value, reason) < 0 ||
		        impair_check(&changed[direction], reason) < 0))
			return -1;
	snprintf(command, size, "set %s %s%s", impair_fields[id].name, value,
	    behind[p->directions]);
	settings[LINK_GOING] = changed[LINK_GOING];
	settings[LINK_COMING] = changed[LINK_COMING];
	return 0;
}
