/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Settings of a link as people write and read them. Each setting is one row of impair-fields.c: the
 * options of upcase-lab and upcased, the control protocol, /link, its panel and the records are
 * made from it. Pure, and the same in every locale. */
#pragma once

#include "common/impair.h"

/* Room for one value, and for all that differ from a perfect wire. */
#define IMPAIR_VALUE 48
#define IMPAIR_LINE 400

enum impair_field_id {
	IMPAIR_FIELD_loss,
	IMPAIR_FIELD_burst,
	IMPAIR_FIELD_delay,
	IMPAIR_FIELD_jitter,
	IMPAIR_FIELD_distribution,
	IMPAIR_FIELD_order,
	IMPAIR_FIELD_duplicate,
	IMPAIR_FIELD_reorder,
	IMPAIR_FIELD_reorder_by,
	IMPAIR_FIELD_corrupt,
	IMPAIR_FIELD_rate,
	IMPAIR_FIELD_queue,
	IMPAIR_FIELD_mtu,
	IMPAIR_FIELD_icmp,
	IMPAIR_FIELD_COUNT
};

/* How a value is written. */
enum impair_kind {
	IMPAIR_SHARE,
	IMPAIR_BURST,
	IMPAIR_TIME,
	/* One of two words, those of `steps`: 0 or 1 of a bool or an enum. */
	IMPAIR_WORD,
	IMPAIR_RATE,
	/* The link's queue, in packets or in bytes: two members. */
	IMPAIR_QUEUE,
	/* A number of bytes of a packet, or 0 for off. */
	IMPAIR_SIZE,
};

struct impair_field {
	const char *name;
	/* The options' names: for both directions, there, back. */
	const char *options[3];
	/* The name of the value in --help, NULL if the option is a switch that sets the example;
	 * one line of help, a correct value. */
	const char *argument, *help, *example;
	/* The values of the panel, in their order, separated by spaces. */
	const char *steps;
	/* Where it stands in struct impair_settings. */
	enum impair_kind kind;
	size_t at, size;
	/* The setting without which it has no effect. */
	enum impair_field_id requires;
	/* It does not apply to whole datagrams, whose packets are not seen: the kernel drops
	 * corrupt ones and fragments those that are too big. */
	bool packets_only;
};

/* The settings, in their order. */
extern const struct impair_field impair_fields[IMPAIR_FIELD_COUNT];
/* The setting of that name, or IMPAIR_FIELD_COUNT. */
enum impair_field_id impair_field_find(const char *name);

/* Sets one setting from text; "off" switches any of them off. Returns 0, or -1 with the fault of
 * the value in `reason` ("is not a share; write 20% or 0.2"), and leaves `s` alone. impair_check()
 * checks whether the settings fit together, once all are set. */
int impair_fields_set(struct impair_settings *s, enum impair_field_id id, const char *value,
    char reason[IMPAIR_REASON]);

/* One setting as text that impair_fields_set() reads back to the same. Returns `buf`. */
char *impair_fields_get(const struct impair_settings *s, enum impair_field_id id,
    char buf[IMPAIR_VALUE]);
/* The same as an argument for "%s", in memory that lasts as long as the block of the call. */
#define IMPAIR_VALUE_TEXT(s, id) impair_fields_get(s, id, (char[IMPAIR_VALUE]){ 0 })

/* A number that grows with the setting, whatever its unit; infinite where "off" is beyond the
 * greatest value. */
double impair_fields_measure(const struct impair_settings *s, enum impair_field_id id);

/* The settings that differ from a perfect wire, "loss 20%, delay 20ms"; "nothing" if none does.
 * Settings without effect (the queue without a rate) are left out. Returns `buf`. */
char *impair_fields_line(const struct impair_settings *s, char *buf, size_t size);
#define IMPAIR_LINE_TEXT(s) impair_fields_line(s, (char[IMPAIR_LINE]){ 0 }, IMPAIR_LINE)

/* Whether two directions have the same settings, of those with an effect. */
bool impair_fields_same(const struct impair_settings *a, const struct impair_settings *b);

/* Copies the next word of `*text`, which a space, a tab or a comma ends, into `word`. Returns its
 * length, 0 at the end; a word that is too long is cut, and then no setting has its name. */
size_t impair_fields_word(const char **text, char word[IMPAIR_VALUE]);

/* Changes several settings of `s`, "loss 20%, delay 20ms" or "loss 20% delay 20ms". Checks them
 * together. Returns 0, or -1 with the whole `reason` and `s` as it was. */
int impair_fields_parse(struct impair_settings *s, const char *text, char reason[IMPAIR_REASON]);

/* A link that has a name. */
struct impair_preset {
	const char *name;
	/* One line about what it is like. */
	const char *about;
	/* Both directions' settings, for impair_fields_parse() over a perfect wire. */
	const char *there, *back;
};

/* The presets in their order; one without a name ends them. */
extern const struct impair_preset impair_presets[];
/* The preset of that name, or NULL. */
const struct impair_preset *impair_preset_find(const char *name);
/* A preset's settings. Cannot fail. */
void impair_preset_settings(const struct impair_preset *preset, struct impair_settings *there,
    struct impair_settings *back);
