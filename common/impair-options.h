/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A link's settings as options of a program, the same for upcase-lab and upcased. A program's
 * struct of options begins with a struct impair_options. Pure. */
#pragma once

#include "common/impair-fields.h"
#include "common/impair.h"
#include "common/options.h"

#define IMPAIR_OPTIONS_NO_SEED UINT64_MAX

struct impair_options {
	/* By direction. */
	struct impair_settings there, back;
	/* The seed of the random generator; IMPAIR_OPTIONS_NO_SEED until one is given, or
	 * impair_options_seed() chooses it. */
	uint64_t seed;
};

/* Both directions perfect, no seed. */
void impair_options_start(struct impair_options *o);

/* Appends the rows of a link to a table, at most IMPAIR_OPTIONS_ROWS with the end row: --preset,
 * which sets everything in both directions and so comes before the options that differ from it,
 * --seed, and for each setting an option for both directions and, with `each`, for one. `packets`:
 * also the rows that do not apply to whole datagrams. */
#define IMPAIR_OPTIONS_ROWS (2 + 3 * IMPAIR_FIELD_COUNT + 1)
void impair_options_append(struct options_spec *to, bool packets, bool each);

/* Whether the settings of each direction fit together. Returns 0, or -1 with the `reason`. */
int impair_options_check(const struct impair_options *o, char reason[IMPAIR_REASON]);

/* Whether nothing is impaired. */
bool impair_options_perfect(const struct impair_options *o);

/* Chooses the seed by the random number `chance`, unless one was given: a short one. */
void impair_options_seed(struct impair_options *o, uint32_t chance);

/* Both directions in one line, with the seed, "each way: loss 20%; seed 42" or "there: loss 20%;
 * back: perfect; seed 42". Returns `buf`. */
#define IMPAIR_OPTIONS_LINE (2 * IMPAIR_LINE + 60)
char *impair_options_line(const struct impair_options *o, char buf[IMPAIR_OPTIONS_LINE]);
