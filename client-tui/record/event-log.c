/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "record/event-log.h"

#include <stdlib.h>
#include <string.h>

#include "common/grow.h"
#include "common/search.h"

struct journal {
	/* A ring: `room` is a power of 2. */
	struct journal_note *notes;
	size_t room, first, count;
	size_t bytes;
};

struct journal *journal_new(void)
{
	return calloc(1, sizeof(struct journal));
}

static struct journal_note *slot(const struct journal *j, size_t index)
{
	return &j->notes[(j->first + index) & (j->room - 1)];
}

static void drop_oldest(struct journal *j)
{
	struct journal_note *note = slot(j, 0);

	j->bytes -= note->length;
	free(note->text);
	record_event_free(&note->event);
	j->first++;
	j->count--;
}

void journal_free(struct journal *j)
{
	if (!j)
		return;
	while (j->count > 0)
		drop_oldest(j);
	free(j->notes);
	free(j);
}

void journal_add(struct journal *j, const struct journal_note *note)
{
	struct journal_note new = *note;

	while (j->count > 0 && (j->count == JOURNAL_NOTES || j->bytes + note->length > JOURNAL_BYTES))
		drop_oldest(j);
	if (j->count == j->room && grow_ring(&j->notes, &j->room, j->first, j->count, sizeof *j->notes) < 0)
		return;
	new.text = NULL;
	if (note->kind == JOURNAL_EVENT && record_event_copy(&new.event, &note->event) < 0)
		return;
	if (note->text) {
		new.text = grow_copy(note->text, note->length);
		if (!new.text)
			return;
		new.text[note->length] = '\0';
	}
	if (j->count > 0 && slot(j, j->count - 1)->told_at > new.told_at)
		new.told_at = slot(j, j->count - 1)->told_at;
	j->bytes += new.length;
	*slot(j, j->count++) = new;
}

size_t journal_count(const struct journal *j)
{
	return j->count;
}

const struct journal_note *journal_at(const struct journal *j, size_t index)
{
	return index < j->count ? slot(j, index) : NULL;
}

size_t journal_since(const struct journal *j, int64_t at)
{
	size_t i;

	SEARCH_FIRST(i, 0, j->count, slot(j, i)->told_at >= at);
	return i;
}
