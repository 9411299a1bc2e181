/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The link's panel (F7): the chosen setting and directions, the command for a step. Pure. */
#pragma once

#include "common/event-line.h"
#include "common/impair-fields.h"

/* The directions that a step changes. */
enum link_steps_directions {
	LINK_STEPS_BOTH,
	LINK_STEPS_THERE,
	LINK_STEPS_BACK,
	LINK_STEPS_DIRECTIONS
};

/* The panel's first rows, in place of a setting: packets to drop, and the presets. */
#define LINK_STEPS_DROP (-2)
#define LINK_STEPS_PRESET (-1)

struct link_steps {
	bool open;
	/* A setting, or one of the first rows; what is shown there: the preset, the kind of packets
	 * and which of them. */
	int field, preset, packets, which;
	enum link_steps_directions directions;
};

/* Chooses the row before (`by` -1) or after (1); stops at the ends. */
void link_steps_move(struct link_steps *p, int by);
/* Chooses the next directions: both, there, back; in the row of drops the next kind of packets. */
void link_steps_next(struct link_steps *p);
/* Whether a step would change this direction. */
bool link_steps_touches(const struct link_steps *p, enum link_direction direction);

/* The kinds of packets that may be dropped, "request", and which of them, "3" or "next". NULL ends
 * each. */
extern const char *const link_steps_packets[], *const link_steps_which[];
/* In the first rows: shows the preset or the number before (`by` -1) or after (1), up to the ends;
 * writes the lab's command, "preset wifi back", "drop next request", "drop request:3". */
void link_steps_turn(struct link_steps *p, int by);
void link_steps_command(const struct link_steps *p, char *command, size_t size);

/* Moves the chosen setting a step down (-1) or up (1): changes `settings` and writes the lab's
 * command, "set loss 25% there". Returns 0; or -1, with the `reason`, when the settings then do not
 * fit together, or, with "", when there is no further step. With both directions chosen, the step
 * is from the value of LINK_GOING. */
int link_steps_apply(const struct link_steps *p, int by,
    struct impair_settings settings[LINK_DIRECTIONS], char *command, size_t size,
    char reason[IMPAIR_REASON]);
