/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A recording that is shown, for the files that show it: replay.c puts it in order, replay.c plays
 * it. Times are ns. */
#ifndef UPCASE_REPLAY_CORE_H
#define UPCASE_REPLAY_CORE_H

#include "record/record-file.h"
#include "record/replay.h"

enum replay_event_kind {
	REPLAY_TYPED,
	REPLAY_SENT,
	REPLAY_REPLY,
	REPLAY_LOST,
	REPLAY_LATE,
	REPLAY_DECIDED,
	REPLAY_DUPLICATE,
	REPLAY_EVENT,
	REPLAY_OTHER
};

struct replay_event {
	int64_t at;
	/* The line of its side; or which of the file's events or replies. */
	uint32_t index;
	uint16_t side;
	uint8_t kind;
};

struct replay {
	struct record_file *file;
	struct replay_event *events;
	size_t count, capacity, next;
	struct replay_hooks hooks;
	struct session *sessions[RECORDER_SESSIONS];
	struct trace *trace;
	/* The time of the first event, on the file's clock; when that is, on ours. */
	int64_t first, start;
	/* The real time is so much ahead; while it stands still, what our time is. */
	int64_t lag, paused_at;
	bool paused;
	/* For capitals. */
	unsigned char *bytes;
	size_t bytes_capacity;
};

static inline int64_t replay_later(int64_t one, int64_t other)
{
	return one > other ? one : other;
}

/* All that is in the file. Returns 0, or -1 when memory is short. */
int replay_add_events(struct replay *r);

#endif
