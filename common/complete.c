/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/complete.h"

#include "common/impair-fields.h"

const struct complete_row *complete_find(const struct complete_row *table, const char *command,
    const char *last)
{
	for (; table->command; table++)
		if (strcmp(table->command, command) == 0 &&
		    (strcmp(table->after, last) == 0 ||
		        (*last && strcmp(table->after, COMPLETE_ANY) == 0)))
			return table;
	return NULL;
}

void complete_put(struct text *t, const char *words)
{
	char each[IMPAIR_VALUE];

	while (impair_fields_word(&words, each))
		text_put(t, "%s\n", each);
}

/* Writes what follows "set": a setting's value, or the next setting. */
static void put_settings(struct text *t, const char *last)
{
	const enum impair_field_id id = impair_field_find(last);

	if (id < IMPAIR_FIELD_COUNT) {
		complete_put(t, impair_fields[id].steps);
		return;
	}
	for (int other = 0; other < IMPAIR_FIELD_COUNT; other++)
		text_put(t, "%s\t%s\n", impair_fields[other].name, impair_fields[other].help);
	complete_put(t, *last ? "there back" : "");
}

void complete_order(struct text *t, const char *order, const char *last)
{
	static const struct complete_row table[] = {
		{ "preset", COMPLETE_ANY, "there back" },
		{ "drop", "", "next none udp tcp request:3 reply:2 segment:6 syn:1 ack:every:2" },
		{ "packet", "", "delay duplicate corrupt drop" },
		{ "packet", "delay", "10ms 50ms 200ms" },
		{ "packet", COMPLETE_ANY, "udp tcp next request:3 reply:2 segment:6 syn:1 ack:1" },
		{ "drop", "next", "udp tcp request reply datagram segment syn ack fin" },
		{ "drop", "udp", "request reply datagram" },
		{ "drop", "tcp", "request reply segment syn ack fin" },
		{ "drop", "syn", "there back" },
		{ "drop", "ack", "there back" },
		{ "hold", "", "1s 3s 5s 10s" },
		{ "hold", COMPLETE_ANY, "there back" },
		{ "unplug", "", "1s 3s 5s 10s" },
		{ "unplug", COMPLETE_ANY, "there back" },
		{ "events", "", "on off" },
		{ .command = NULL },
	};
	const struct complete_row *row = complete_find(table, order, last);

	if (strcmp(last, "there") == 0 || strcmp(last, "back") == 0)
		return;
	if (strcmp(order, "set") == 0)
		put_settings(t, last);
	else if (strcmp(order, "preset") == 0 && !*last)
		for (const struct impair_preset *p = impair_presets; p->name; p++)
			text_put(t, "%s\t%s\n", p->name, p->about);
	else if (row)
		complete_put(t, row->words);
}
