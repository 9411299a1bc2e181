/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Settings of a link as people write and read them. The list of settings is written once, here: the
 * options of upcase-lab and upcased, the control protocol and /link are made from it. Pure, and the
 * same in every locale. */
#ifndef UPCASE_IMPAIR_FIELDS_H
#define UPCASE_IMPAIR_FIELDS_H

#include <stddef.h>

#include "common/impair.h"

/* Room for one value, and for all that differ from a perfect wire. */
#define IMPAIR_VALUE 48
#define IMPAIR_LINE 400

/* X(identifier, name, argument, help, example): a setting's C name, its name for people, what its
 * value is called in --help, one line of help, a value that is right. */
#define IMPAIR_FIELDS(X) \
	IMPAIR_FIELDS_PATH(X) \
	X(corrupt, "corrupt", "SHARE", "flip one bit of packets", "1%") \
	IMPAIR_FIELDS_RATE(X) \
	X(mtu, "mtu", "BYTES", "the largest packet that passes", "1400")

/* Those that also make sense for whole datagrams, of which no packet is seen: the kernel drops what
 * is corrupt and cuts what is too big. */
#define IMPAIR_FIELDS_PATH(X) \
	X(loss, "loss", "SHARE", "lose packets, each on its own", "20%") \
	X(burst, "burst", "PACKETS", "lose them in bursts of this mean length", "4") \
	X(delay, "delay", "TIME", "how long each packet travels", "50ms") \
	X(jitter, "jitter", "TIME", "how much that varies, more and less", "10ms") \
	X(distribution, "distribution", "KIND", "of the jitter: uniform or normal", "normal") \
	X(order, "order", "WHAT", "kept, or free: jitter lets packets overtake", "free") \
	X(duplicate, "duplicate", "SHARE", "deliver packets twice", "1%") \
	X(reorder, "reorder", "SHARE", "hold packets back while later ones pass", "5%") \
	X(reorder_by, "reorder-by", "TIME", "how long these are held back", "10ms")
#define IMPAIR_FIELDS_RATE(X) \
	X(rate, "rate", "RATE", "bits a second that the link carries", "1mbit") \
	X(queue, "queue", "SIZE", "what waits for it: packets (p) or bytes", "100p")

enum impair_field_id {
#define X(id, name, argument, help, example) IMPAIR_FIELD_##id,
	IMPAIR_FIELDS(X)
#undef X
	    IMPAIR_FIELD_COUNT
};

struct impair_field {
	const char *name, *argument, *help, *example;
};

/* The settings, in their order. `id` is less than IMPAIR_FIELD_COUNT. */
const struct impair_field *impair_field(enum impair_field_id id);
/* The setting of that name, or IMPAIR_FIELD_COUNT. */
enum impair_field_id impair_field_find(const char *name);

/* One setting from text; "off" switches any of them off. Returns 0, or -1 with what is wrong with
 * the value in `why` ("is not a share; write 20% or 0.2"), and leaves `s` alone. Whether the
 * settings fit together is for impair_check(), once all are set. */
int impair_fields_set(struct impair_settings *s, enum impair_field_id id, const char *value,
    char why[IMPAIR_WHY]);

/* One setting as text that impair_fields_set() reads back to the same. Returns `buf`. */
char *impair_fields_get(const struct impair_settings *s, enum impair_field_id id,
    char buf[IMPAIR_VALUE]);

/* A number that grows as the setting does, whatever its unit; infinite where "off" is beyond the
 * greatest value. */
double impair_fields_measure(const struct impair_settings *s, enum impair_field_id id);

/* What differs from a perfect wire, "loss 20%, delay 20ms"; "nothing" if all is perfect. Settings
 * that have no effect (the queue without a rate) are left out. Returns `buf`. */
char *impair_fields_line(const struct impair_settings *s, char *buf, size_t size);

/* Whether two directions are alike in what has an effect. */
bool impair_fields_same(const struct impair_settings *a, const struct impair_settings *b);

/* Several settings, "loss 20%, delay 20ms" or "loss 20% delay 20ms": over those in `s`. Checks them
 * together. Returns 0, or -1 with the whole reason in `why` and `s` as it was. */
int impair_fields_parse(struct impair_settings *s, const char *text, char why[IMPAIR_WHY]);

/* A link that has a name. */
struct impair_preset {
	const char *name;
	/* One line about what it is like. */
	const char *about;
	/* Both directions' settings, for impair_fields_parse() over a perfect wire. */
	const char *there, *back;
};

/* The presets in their order; NULL after the last. */
const struct impair_preset *impair_preset(size_t index);
/* The preset of that name, or NULL. */
const struct impair_preset *impair_preset_find(const char *name);
/* A preset's settings. Cannot fail. */
void impair_preset_settings(const struct impair_preset *preset, struct impair_settings *there,
    struct impair_settings *back);

#endif
