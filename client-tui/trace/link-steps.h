/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The panel of the link (F7): which setting of which way is chosen, and the order that a step
 * makes. Pure. */
#ifndef UPCASE_TRACE_LINK_STEPS_H
#define UPCASE_TRACE_LINK_STEPS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/event-line.h"
#include "common/impair-fields.h"

/* Which ways a step changes. */
enum link_steps_ways { LINK_STEPS_BOTH, LINK_STEPS_THERE, LINK_STEPS_BACK, LINK_STEPS_WAYS };

struct link_steps {
	bool open;
	int field;
	enum link_steps_ways ways;
};

/* Chooses another setting, `by` -1 or 1; stops at the ends. */
void link_steps_move(struct link_steps *p, int by);
/* The next choice of ways: both, there, back. */
void link_steps_next_ways(struct link_steps *p);
/* Whether a step would change this way. */
bool link_steps_touches(const struct link_steps *p, enum link_way way);

/* A step down (-1) or up (1) of the chosen setting: changes `settings` and writes the order for the
 * lab, "set loss 25% there". Returns 0, or -1 when there is no further step, or the settings then
 * do not fit together, with the reason in `why` ("" for none). Of both ways the first one's value
 * counts. */
int link_steps_apply(const struct link_steps *p, int by, struct impair_settings settings[LINK_WAYS],
    char *order, size_t size, char why[IMPAIR_WHY]);

#endif
