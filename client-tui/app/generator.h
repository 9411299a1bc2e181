/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The generator: numbered lines on a schedule. It is an open loop: line k is due k intervals after
 * the start, whatever happens to earlier lines; a line that is sent more than VALIDITY_SLIP later
 * counts as slipped. Pure: the caller sends the lines. Times are ns of the monotonic clock. */
#pragma once

#include "ledger/figures.h"

/* The maximum number of lines sent in one pass of a loop: keys and replies must not be delayed. */
#define GENERATOR_BATCH 256
/* The longest pause after the first line, ns. */
#define GENERATOR_PAUSE_MAX INT64_C(1000000000)
#define GENERATOR_REASON 160

struct generator_plan {
	/* The number of lines, one every `interval` ns (0: as fast as possible), each of `size`
	 * bytes (0: as short as possible). They end `duration` ns after the first one, too (0: no
	 * such end). */
	uint64_t count;
	int64_t interval;
	size_t size;
	int64_t duration;
};

struct generator {
	struct generator_plan plan;
	bool running;
	int64_t start, end;
	int64_t until;        /* when `duration` is over, INT64_MAX without one */
	bool expired;         /* it is over */
	uint64_t sent;        /* lines sent so far */
	int64_t paused_until; /* the second line waits until then; 0: it does not */
	/* Lines sent more than VALIDITY_SLIP later than due; the largest delay, ns. */
	uint64_t slipped;
	int64_t worst;
	/* Over TCP, where it is measured: the bytes sent, with ends of line; those of lines
	 * answered since the start, until `measured_at`, and before it. */
	uint64_t bytes, answered, answered_before;
	int64_t measured_at; /* 0: not measured */
};

/* Reads "N [every D] [size S]", as "200 every 5ms size 100", into `plan`; the defaults are 10 ms
 * and the shortest lines. Of bulk lines "DURATION [size S]", as "5s size 1000". Returns 0, or -1
 * with the error in `reason` and `plan` unchanged. */
int generator_read(const char *text, bool bulk, struct generator_plan *plan,
    char reason[GENERATOR_REASON]);
/* Returns true for a plan of bulk lines: as fast as possible, for so long. */
bool generator_is_bulk(const struct generator_plan *plan);

/* The number of rows of a ledger with which each line keeps its row until its fate is known and
 * reported: the lines of three times `reply_timeout`, at least `rows`, at most a million. */
size_t generator_rows(const struct generator_plan *plan, int64_t reply_timeout, size_t rows);

/* Starts the generator: the first line is due at `now`. */
void generator_start(struct generator *g, const struct generator_plan *plan, int64_t now);
void generator_stop(struct generator *g, int64_t now);
/* Pauses after the first line until `until`, at most for GENERATOR_PAUSE_MAX: over TCP this line
 * shows whether the server keeps the connection (session_single_until()). The later lines follow on
 * schedule. Call it before each generator_next(). */
void generator_pause(struct generator *g, int64_t until, int64_t now);
/* The time when the next line is due, or INT64_MAX when there is none. */
int64_t generator_due(const struct generator *g);
/* Returns true if a line is due at `now`, and counts it as sent. Stops after the last line. */
bool generator_next(struct generator *g, int64_t now);
/* Measures the goodput until now: `answered` bytes of lines have been answered in all. Call it
 * before lines are sent, and before generator_expire(). */
void generator_measure(struct generator *g, uint64_t answered, int64_t now);
struct figures_bulk generator_measured(const struct generator *g);
/* Stops if the duration is over. */
void generator_expire(struct generator *g, int64_t now);
/* Returns true if all lines of the plan were sent, or it has no end. */
bool generator_is_complete(const struct generator *g);

/* Writes the text of the line with that number: "line 17", then letters up to `size` bytes. A
 * shorter text drops letters but no digits. Writes at most `capacity` bytes; returns the length. */
size_t generator_text(uint64_t number, size_t size, char *text, size_t capacity);

/* Writes "340/1000 · 100/s · 6.6 s left", without an end "340 · 100/s"; measured, "2.47 MB/s ·
 * 3.2 s left". Returns `buf`. */
char *generator_progress(const struct generator *g, int64_t now, const char *dot, char *buf,
    size_t size);
/* Writes "1000 lines sent in 9.99 s, 100/s; on schedule, at most 0.21 ms late", or how many lines
 * slipped; measured, "12345 lines of 1000 bytes in 5.00 s: 12.4 MB sent, goodput 2.47 MB/s".
 * `micro` as for units_duration_text(). Returns `buf`. */
char *generator_result(const struct generator *g, const char *micro, char *buf, size_t size);
struct schedule_totals generator_schedule(const struct generator *g);
/* Returns true if the schedule makes the run invalid; one late line alone is no fault. */
bool generator_failed(const struct generator *g);
