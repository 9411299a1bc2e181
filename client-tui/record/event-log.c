/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "record/event-log.h"

#include "common/grow.h"
#include "common/search.h"

static struct event_log_entry *slot(const struct event_log *l, size_t index)
{
	return &l->entries[(l->first + index) & (l->capacity - 1)];
}

static void evict_oldest(struct event_log *l)
{
	struct event_log_entry *entry = slot(l, 0);

	l->bytes -= entry->length;
	free(entry->text);
	record_event_free(&entry->event);
	l->first++;
	l->count--;
}

void event_log_clear(struct event_log *l)
{
	while (l->count > 0)
		evict_oldest(l);
	free(l->entries);
}

void event_log_add(struct event_log *l, const struct event_log_entry *entry)
{
	struct event_log_entry new = *entry;

	while (l->count > 0 &&
	       (l->count == EVENT_LOG_ENTRIES || l->bytes + entry->length > EVENT_LOG_BYTES))
		evict_oldest(l);
	if (l->count == l->capacity &&
	    grow_ring(&l->entries, &l->capacity, l->first, l->count, sizeof *l->entries) < 0)
		return;
	if (entry->kind == EVENT_LOG_EVENT && record_event_copy(&new.event, &entry->event) < 0)
		return;
	if (entry->text && !(new.text = grow_copy(entry->text, entry->length)))
		return;
	if (l->count > 0 && slot(l, l->count - 1)->reported_at > new.reported_at)
		new.reported_at = slot(l, l->count - 1)->reported_at;
	l->bytes += new.length;
	*slot(l, l->count++) = new;
}

const struct event_log_entry *event_log_at(const struct event_log *l, size_t index)
{
	return index < l->count ? slot(l, index) : NULL;
}

size_t event_log_since(const struct event_log *l, int64_t at)
{
	size_t i;

	SEARCH_FIRST(i, 0, l->count, slot(l, i)->reported_at >= at);
	return i;
}
