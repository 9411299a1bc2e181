/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A link's settings as options of a program, the same ones for upcase-lab and upcased. A program's
 * table of options is made from IMPAIR_FIELDS with these setters, and what the table fills in
 * begins with a struct impair_options. Pure. */
#ifndef UPCASE_IMPAIR_OPTIONS_H
#define UPCASE_IMPAIR_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/impair-fields.h"
#include "common/impair.h"
#include "common/options.h"

struct impair_options {
	/* By direction. */
	struct impair_settings there, back;
	/* Of the random generator; impair_options_seed() chooses it when none is given. */
	uint64_t seed;
	bool seed_given;
};

/* Both directions perfect, no seed. */
void impair_options_start(struct impair_options *o);

/* Setters of options_spec: --loss, --loss-there and --loss-back, and so on. `options` points to a
 * struct impair_options, or to what begins with one. */
#define X(id, name, argument, help, example) \
	int impair_option_##id(void *options, const char *value, char why[OPTIONS_WHY]); \
	int impair_option_##id##_there(void *options, const char *value, char why[OPTIONS_WHY]); \
	int impair_option_##id##_back(void *options, const char *value, char why[OPTIONS_WHY]);
IMPAIR_FIELDS(X)
#undef X
int impair_option_seed(void *options, const char *value, char why[OPTIONS_WHY]);
/* All settings of both directions, so it is to be given before those that differ from it. */
int impair_option_preset(void *options, const char *value, char why[OPTIONS_WHY]);

/* Entries of a table: for X() of IMPAIR_FIELDS, both directions in one, and each by itself. */
#define IMPAIR_OPTION_BOTH(id, name, argument, help, example) \
	{ name, 0, argument, help, example, impair_option_##id, 1 },
#define IMPAIR_OPTION_EACH(id, name, argument, help, example) \
	{ name "-there", 0, argument, help, example, impair_option_##id##_there, 1 }, \
	    { name "-back", 0, argument, help, example, impair_option_##id##_back, 1 },

/* Whether the settings of each direction fit together. Returns 0, or -1 with the reason in `why`.
 */
int impair_options_check(const struct impair_options *o, char why[IMPAIR_WHY]);

/* Whether nothing is impaired. */
bool impair_options_perfect(const struct impair_options *o);

/* Settles the seed: one short enough to be typed again, made of `chance`, unless one was given. */
void impair_options_seed(struct impair_options *o, uint32_t chance);

/* Both directions in one line, with the seed, "each way: loss 20%; seed 42" or "there: loss 20%;
 * back: perfect; seed 42". Returns `buf`. */
#define IMPAIR_OPTIONS_LINE (2 * IMPAIR_LINE + 60)
char *impair_options_line(const struct impair_options *o, char buf[IMPAIR_OPTIONS_LINE]);

#endif
