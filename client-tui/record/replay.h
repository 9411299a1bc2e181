/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A replay shows a recorded session again: its lines get the recorded fates at the recorded times,
 * on a clock that can be paused, or run faster. It goes back by beginning anew. */
#pragma once

#include "net/session.h"
#include "record/recorder.h"
#include "trace/trace.h"

#define REPLAY_REASON 400

/* The slowest speed, as a power of two. */
#define REPLAY_SLOWEST (-2)

struct replay;

/* The position of a replay, and the data of its recording. */
struct replay_status {
	size_t sessions;
	/* The number of steps, and of those played. A step is what is seen as one event: a line
	 * that is typed and sent, over both transports if it was; a reply; a fate. */
	size_t length, position;
	/* The run as recorded; `ended_at` is since time 0, if the recording has its end (`whole`).
	 */
	const struct record_run *run;
	bool whole;
	struct trace *trace; /* the link's events, NULL when they were not recorded */
	/* Time 0 of the recording on the replay's clock, which stands still while `paused`. */
	int64_t origin;
	bool paused;
	int speed; /* a power of two: 1 is twice as fast */
};

struct replay_hooks {
	void *context;
	/* An event as recorded, with the time of the replay's clock. */
	void (*event)(void *context, const struct session_event *event);
	/* A line was typed: the index of its session, and of TCP's, or SIZE_MAX. */
	void (*line)(void *context, size_t session, size_t other, uint64_t number);
};

/* Reads the whole file, "-" for standard input. Returns NULL with one line in `reason` after an
 * error, which names the line of the file; errno is then EIO if reading failed, else 0. */
struct replay *replay_open(const char *path, char reason[REPLAY_REASON]);
void replay_close(struct replay *r);
/* The status is valid until replay_close(). */
const struct replay_status *replay_status(const struct replay *r);

/* Makes the sessions, once; the first event is due at `now`. 0, or -1 when memory is short. */
int replay_start(struct replay *r, const struct replay_hooks *hooks, size_t rows, bool step,
    int64_t now);
/* Goes back to before the first event, and stops the clock. The sessions and the trace are new, the
 * former ones freed. Returns 0, or -1 when memory is short; the replay can then only be closed. */
int replay_restart(struct replay *r);
/* The sessions are the replay's, not to be closed; session_dispatch() and session_watch() do
 * nothing. The hooks `reply` and `row` are called, `row` if the recording has the time. */
struct session *replay_session(struct replay *r, size_t i, const struct session_hooks *hooks);
/* Returns true if a line went over UDP and TCP at once. */
bool replay_both(const struct replay *r);
/* The time of the replay's clock: as the monotonic clock, never ahead of `now`. */
int64_t replay_now(const struct replay *r, int64_t now);
/* Stops or starts the clock, and sets its speed. */
void replay_set_clock(struct replay *r, bool paused, int speed, int64_t now);
/* Plays at once up to the end of that step, and stops the clock. It does not go back. */
void replay_seek(struct replay *r, size_t step, int64_t now);
/* Returns the number of the step in which the line `number` was typed, 0 for none; or that of the
 * nearest line after the position, the last step for none; or before it, 0 for none. */
enum replay_find { REPLAY_LINE, REPLAY_LINE_AFTER, REPLAY_LINE_BEFORE };
size_t replay_find_line(const struct replay *r, enum replay_find what, uint64_t number);
/* Plays what is due. Returns when the next event is due, or INT64_MAX. */
int64_t replay_dispatch(struct replay *r, int64_t now);
