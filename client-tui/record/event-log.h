/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The event log has the events of sessions that no row of a ledger keeps: strays, events, times of
 * duplicates, in the order of their reports. The oldest are dropped first. Pure. */
#pragma once

#include "record/record.h"

#define EVENT_LOG_ENTRIES 65536
#define EVENT_LOG_BYTES (32u * 1024 * 1024)

enum event_log_kind {
	EVENT_LOG_REPLY, /* a duplicate to the line `number`, or a stray with its `text` */
	EVENT_LOG_EVENT, /* `event` */
};

struct event_log_entry {
	enum event_log_kind kind;
	unsigned session;
	enum ledger_match match;
	uint64_t number;
	/* The time of the reply, and the time of the report, which never decreases; ns. */
	int64_t at, reported_at;
	unsigned char *text; /* owned by the event log */
	size_t length;
	struct session_event event;
};

/* All zero at first. A ring: `capacity` is a power of 2. */
struct event_log {
	struct event_log_entry *entries;
	size_t capacity, first, count;
	size_t bytes;
};

void event_log_clear(struct event_log *l);
/* Adds an entry and copies its texts. The entry is left out if memory is short. */
void event_log_add(struct event_log *l, const struct event_log_entry *entry);
/* The entry by age, 0 is the oldest; NULL past the last one. */
const struct event_log_entry *event_log_at(const struct event_log *l, size_t index);
/* The index of the first entry that was reported at `at` or later. */
size_t event_log_since(const struct event_log *l, int64_t at);
