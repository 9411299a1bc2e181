/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A recording that is shown, for the files that show it: replay-events.c puts it in order, replay.c plays it. Times are ns. */
#ifndef UPCASE_REPLAY_CORE_H
#define UPCASE_REPLAY_CORE_H

#include "record/record-file.h"
#include "record/replay.h"

enum event_kind { KIND_TYPED, KIND_SENT, KIND_REPLY, KIND_LOST, KIND_LATE, KIND_DECIDED, KIND_DUPLICATE, KIND_EVENT, KIND_OTHER };

struct happening {
	int64_t at;
	/* The line of its side; or which of the file's events or replies. */
	uint32_t index;
	uint16_t side;
	uint8_t kind;
};

struct replay {
	struct record_file *file;
	struct happening *events;
	size_t count, room, next;
	struct replay_hooks hooks;
	struct session *sessions[RECORDER_SESSIONS];
	struct witness *witness;
	/* The time of the first event, on the file's clock; when that is, on ours. */
	int64_t first, start;
	/* The real time is so much ahead; while it stands still, what our time is. */
	int64_t behind, still_at;
	bool still;
	/* For capitals. */
	unsigned char *bytes;
	size_t bytes_room;
};

static inline int64_t replay_later(int64_t one, int64_t other)
{
	return one > other ? one : other;
}

/* All that is in the file. Returns 0, or -1 when memory is short. */
int replay_add_events(struct replay *r);

#endif
