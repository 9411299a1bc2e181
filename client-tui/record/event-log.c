/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "record/event-log.h"

#include <stdlib.h>
#include <string.h>

#include "common/grow.h"
#include "common/search.h"

struct event_log {
	/* A ring: `capacity` is a power of 2. */
	struct event_log_entry *notes;
	size_t capacity, first, count;
	size_t bytes;
};

struct event_log *event_log_new(void)
{
	return calloc(1, sizeof(struct event_log));
}

static struct event_log_entry *slot(const struct event_log *j, size_t index)
{
	return &j->notes[(j->first + index) & (j->capacity - 1)];
}

static void drop_oldest(struct event_log *j)
{
	struct event_log_entry *note = slot(j, 0);

	j->bytes -= note->length;
	free(note->text);
	record_event_free(&note->event);
	j->first++;
	j->count--;
}

void event_log_free(struct event_log *j)
{
	if (!j)
		return;
	while (j->count > 0)
		drop_oldest(j);
	free(j->notes);
	free(j);
}

void event_log_add(struct event_log *j, const struct event_log_entry *note)
{
	struct event_log_entry new = *note;

	while (j->count > 0 &&
	       (j->count == EVENT_LOG_ENTRIES || j->bytes + note->length > EVENT_LOG_BYTES))
		drop_oldest(j);
	if (j->count == j->capacity &&
	    grow_ring(&j->notes, &j->capacity, j->first, j->count, sizeof *j->notes) < 0)
		return;
	new.text = NULL;
	if (note->kind == EVENT_LOG_EVENT && record_event_copy(&new.event, &note->event) < 0)
		return;
	if (note->text) {
		new.text = grow_copy(note->text, note->length);
		if (!new.text)
			return;
		new.text[note->length] = '\0';
	}
	if (j->count > 0 && slot(j, j->count - 1)->reported_at > new.reported_at)
		new.reported_at = slot(j, j->count - 1)->reported_at;
	j->bytes += new.length;
	*slot(j, j->count++) = new;
}

size_t event_log_count(const struct event_log *j)
{
	return j->count;
}

const struct event_log_entry *event_log_at(const struct event_log *j, size_t index)
{
	return index < j->count ? slot(j, index) : NULL;
}

size_t event_log_since(const struct event_log *j, int64_t at)
{
	size_t i;

	SEARCH_FIRST(i, 0, j->count, slot(j, i)->reported_at >= at);
	return i;
}
