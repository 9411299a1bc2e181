/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What was recorded becomes events in the order of time: a line is typed, sent, answered, lost; a
 * duplicate or a stray comes. */
#include "config.h"

#include <stdlib.h>

#include "common/grow.h"
#include "record/replay-core.h"

static int add(struct replay *r, enum replay_event_kind kind, size_t side, size_t index, int64_t at)
{
	if (grow_list(&r->events, &r->capacity, r->count + 1, sizeof *r->events) < 0)
		return -1;
	r->events[r->count++] = (struct replay_event){
		.at = at, .index = (uint32_t)index, .side = (uint16_t)side, .kind = (uint8_t)kind
	};
	return 0;
}

static int add_duplicates(struct replay *r, size_t side, size_t index,
    const struct record_kept *line, int64_t first)
{
	for (uint32_t i = 0; i < line->duplicates; i++) {
		const int64_t at = i < line->duplicate_count ? line->duplicate_at[i] : first;

		if (add(r, REPLAY_DUPLICATE, side, index, replay_later(at, first)) < 0)
			return -1;
	}
	return 0;
}

/* A late reply came after the line was given up. */
static int add_end(struct replay *r, size_t side, size_t index, const struct record_kept *line,
    int64_t sent)
{
	const int64_t lost = sent + r->file->sessions[side].of.reply_timeout;
	const int64_t replied = line->replied_at == RECORD_NEVER
	                          ? 0
	                          : replay_later(line->replied_at, line->late ? lost : sent);

	switch ((enum ledger_fate)line->fate) {
	case FATE_ANSWERED:
		return add(r, REPLAY_REPLY, side, index, replied) < 0
		         ? -1
		         : add_duplicates(r, side, index, line, replied);
	case FATE_LOST:
		if (add(r, REPLAY_LOST, side, index,
		        line->decided_at == RECORD_NEVER
		            ? lost
		            : replay_later(line->decided_at, sent)) < 0)
			return -1;
		if (!line->late)
			return 0;
		return add(r, REPLAY_LATE, side, index, replied) < 0
		         ? -1
		         : add_duplicates(r, side, index, line, replied);
	case FATE_QUEUED:
	case FATE_WAITING:
		return 0;
	default:
		return add(r, REPLAY_DECIDED, side, index,
		    line->decided_at == RECORD_NEVER ? sent : replay_later(line->decided_at, sent));
	}
}

static int add_line(struct replay *r, size_t side, size_t index)
{
	const struct record_kept *line = r->file->sessions[side].lines[index];
	const int64_t sent = line->sent_at == RECORD_NEVER
	                       ? line->typed_at
	                       : replay_later(line->typed_at, line->sent_at);

	if (add(r, REPLAY_TYPED, side, index, line->typed_at) < 0)
		return -1;
	if (line->sent_at != RECORD_NEVER && add(r, REPLAY_SENT, side, index, sent) < 0)
		return -1;
	return add_end(r, side, index, line, sent);
}

/* At the same time, a line is typed before it is sent and sent before it is answered; else as in
 * the file. */
static int by_time(const void *a, const void *b)
{
	const struct replay_event *one = a, *other = b;

	if (one->at != other->at)
		return one->at < other->at ? -1 : 1;
	if (one->kind != other->kind)
		return one->kind < other->kind ? -1 : 1;
	if (one->index != other->index)
		return one->index < other->index ? -1 : 1;
	return one->side < other->side ? -1 : one->side > other->side;
}

int replay_add_events(struct replay *r)
{
	const struct record_file *f = r->file;

	for (size_t side = 0; side < f->session_count; side++)
		for (size_t i = 0; i < f->sessions[side].count; i++)
			if (add_line(r, side, i) < 0)
				return -1;
	for (size_t i = 0; i < f->reply_count; i++)
		if (add(r, REPLAY_OTHER, f->replies[i].session, i, f->replies[i].replied_at) < 0)
			return -1;
	for (size_t i = 0; i < f->event_count; i++)
		if (add(r, REPLAY_EVENT, 0, i, f->events[i].at) < 0)
			return -1;
	if (r->count > 0)
		qsort(r->events, r->count, sizeof *r->events, by_time);
	r->first = r->count > 0 ? r->events[0].at : 0;
	return 0;
}
