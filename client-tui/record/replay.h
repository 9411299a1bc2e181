/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A recorded session that is shown again: sessions whose lines get the fates that were recorded, at
 * the recorded times, on a clock that can stand still. Nothing is sent anywhere. */
#ifndef UPCASE_RECORD_REPLAY_H
#define UPCASE_RECORD_REPLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record/recorder.h"
#include "net/session.h"
#include "trace/trace.h"

#define REPLAY_WHY 400

struct replay;

struct replay_hooks {
	void *context;
	/* As a session's hooks; `session` counts them as replay_session() does. */
	void (*reply)(void *context, size_t session, const struct session_reply *reply);
	/* `timed`: the recording says when; else it is shown when the line was sent, which is no
	 * time to be recorded again. */
	void (*row)(void *context, size_t session, uint64_t number, bool timed);
	/* As recorded, but for its time, which is the replay's. */
	void (*event)(void *context, const struct session_event *event);
	/* A line was typed; over both at once: `other` is TCP's session, else SIZE_MAX. */
	void (*line)(void *context, size_t session, size_t other, uint64_t number);
};

/* Reads the whole file, "-" for standard input. NULL with one line in `why`, that names the line of
 * the file; errno is EIO if it could not be read to its end, else 0. */
struct replay *replay_open(const char *path, char why[REPLAY_WHY]);
void replay_close(struct replay *r);

/* Makes the sessions; at `now` its time 0 is. Call once. Returns 0, or -1 when memory is short. */
int replay_start(struct replay *r, const struct replay_hooks *hooks, size_t rows, bool step,
    int64_t now);
/* They belong to the replay, session_close() is not called. Their session_dispatch() and
 * session_watch() do nothing. */
size_t replay_sessions(const struct replay *r);
struct session *replay_session(const struct replay *r, size_t i);
/* Lines that went over UDP and TCP at once are among them. */
bool replay_both(const struct replay *r);
/* What the link did, NULL when it was not recorded. */
const struct trace *replay_witness(const struct replay *r);
/* As recorded in the beginning and, as far as there is an end, there (`ended_at` is then since time
 * 0). Time 0, for a recorder. */
const struct record_run *replay_run(const struct replay *r);
int64_t replay_origin(const struct replay *r);
/* The recording has its end. */
bool replay_is_whole(const struct replay *r);

/* Its own time, which the view and the statistics go by: ns of a clock like the monotonic one,
 * never ahead of `now`. */
int64_t replay_now(const struct replay *r, int64_t now);
/* Stands still; goes on. */
void replay_pause(struct replay *r, bool paused, int64_t now);
bool replay_is_paused(const struct replay *r);
/* The next event at once, and stands still. */
void replay_step(struct replay *r, int64_t now);
bool replay_at_end(const struct replay *r);
/* For "event 17 of 240". */
size_t replay_position(const struct replay *r);
size_t replay_length(const struct replay *r);

/* Plays what is due; INT64_MAX plays all. Returns when to come again, on the real clock, or
 * INT64_MAX. */
int64_t replay_dispatch(struct replay *r, int64_t now);

#endif
