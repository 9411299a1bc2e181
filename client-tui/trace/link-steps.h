/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The panel of the link (F7): which setting of which way is chosen, and the order that a step makes. Pure. */
#ifndef UPCASE_PANEL_H
#define UPCASE_PANEL_H

#include <stdbool.h>
#include <stddef.h>

#include "trace/link-event.h"
#include "common/impair-fields.h"

/* Which ways a step changes. */
enum panel_ways { PANEL_BOTH, PANEL_THERE, PANEL_BACK, PANEL_WAYS };

struct panel {
	bool open;
	int field;
	enum panel_ways ways;
};

/* Chooses another setting, `by` -1 or 1; stops at the ends. */
void panel_move(struct panel *p, int by);
/* The next choice of ways: both, there, back. */
void panel_turn(struct panel *p);
/* Whether a step would change this way. */
bool panel_touches(const struct panel *p, enum event_way way);

/* A step down (-1) or up (1) of the chosen setting: changes `settings` and writes the order for the lab, "set loss 25% there".
 * Returns 0, or -1 when there is no further step, or the settings then do not fit together, with the reason in `why` ("" for
 * none). Of both ways the first one's value counts. */
int panel_step(const struct panel *p, int by, struct impair_settings settings[EVENT_WAYS], char *order, size_t size,
    char why[IMPAIR_WHY]);

#endif
