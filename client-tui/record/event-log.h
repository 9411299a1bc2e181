/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The journal: what happened to a session that no ledger's row keeps: strays, events, when duplicates came and when lines were refused. In
 * the order in which it came; bounded, the oldest goes first. Pure. */
#ifndef UPCASE_JOURNAL_H
#define UPCASE_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record/record.h"

#define JOURNAL_NOTES 65536
#define JOURNAL_BYTES (32u * 1024 * 1024)

enum journal_kind {
	JOURNAL_REPLY,   /* all but first replies to lines: `match`, `number`, `rtt`, and of a stray `text` */
	JOURNAL_DECIDED, /* a line got its fate otherwise than by a reply: `number`; 0: all that waited were cut off */
	JOURNAL_EVENT,   /* `event` */
};

struct journal_note {
	enum journal_kind kind;
	unsigned session;
	enum ledger_match match;
	uint64_t number;
	/* When it happened, and when it was told, which never decreases; ns. */
	int64_t at, told_at;
	int64_t rtt;
	/* Owned by the journal, with a zero behind it. */
	unsigned char *text;
	size_t length;
	struct record_event event;
};

struct journal;

struct journal *journal_new(void);
void journal_free(struct journal *j);
/* The texts are copied. Without memory the note is left out. */
void journal_add(struct journal *j, const struct journal_note *note);
/* Those kept: by age, 0 is the oldest. */
size_t journal_count(const struct journal *j);
const struct journal_note *journal_at(const struct journal *j, size_t index);
/* The index of the first that was told at `at` or later. */
size_t journal_since(const struct journal *j, int64_t at);

#endif
