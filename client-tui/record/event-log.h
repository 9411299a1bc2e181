/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The event log: what happened to a session that no ledger's row keeps: strays, events, when
 * duplicates came and when lines were refused. In the order in which it came; bounded, the oldest
 * goes first. Pure. */
#ifndef UPCASE_JOURNAL_H
#define UPCASE_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record/record.h"

#define EVENT_LOG_ENTRIES 65536
#define EVENT_LOG_BYTES (32u * 1024 * 1024)

enum event_log_kind {
	EVENT_LOG_REPLY, /* all but first replies to lines: `match`, `number`, `rtt`, and of a stray
	                    `text` */
	EVENT_LOG_DECIDED, /* a line got its fate otherwise than by a reply: `number`; 0: all that
	                      waited were cut off */
	EVENT_LOG_EVENT,   /* `event` */
};

struct event_log_entry {
	enum event_log_kind kind;
	unsigned session;
	enum ledger_match match;
	uint64_t number;
	/* When it happened, and when it was reported, which never decreases; ns. */
	int64_t at, reported_at;
	int64_t rtt;
	/* Owned by the event log, with a zero behind it. */
	unsigned char *text;
	size_t length;
	struct session_event event;
};

struct event_log;

struct event_log *event_log_new(void);
void event_log_free(struct event_log *j);
/* The texts are copied. Without memory the note is left out. */
void event_log_add(struct event_log *j, const struct event_log_entry *note);
/* Those kept: by age, 0 is the oldest. */
size_t event_log_count(const struct event_log *j);
const struct event_log_entry *event_log_at(const struct event_log *j, size_t index);
/* The index of the first that was reported at `at` or later. */
size_t event_log_since(const struct event_log *j, int64_t at);

#endif
