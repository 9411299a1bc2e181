/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The generator: numbered lines on a schedule. It is an open loop: line k is due k intervals after
 * the start, whatever becomes of the lines before it; a line that is sent later than that has
 * slipped, and is counted. Pure: it says what is due, its owner sends it; times are ns of the
 * monotonic clock. */
#ifndef UPCASE_GENERATOR_H
#define UPCASE_GENERATOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Lines sent in one turn of a loop at most, however late they are: so that keys and replies get
 * their turn. */
#define GENERATOR_BATCH 256
/* From this much on a line has slipped, ns. */
#define GENERATOR_SLIP (10 * 1000 * 1000)
/* How long the second line may be held, ns. */
#define GENERATOR_HOLD INT64_C(1000000000)
#define GENERATOR_WHY 160

struct generator_plan {
	/* How many lines, one every `interval` ns (0: as fast as they can be sent), each of `size`
	 * bytes (0: as short as it can be). */
	uint64_t count;
	int64_t interval;
	size_t size;
};

struct generator {
	struct generator_plan plan;
	bool running;
	int64_t start, end;
	/* Lines sent so far. */
	uint64_t sent;
	/* The second line waits, until `held_until`. */
	bool held;
	int64_t held_until;
	/* Of these, sent more than GENERATOR_SLIP later than due; and the worst, ns. */
	uint64_t slipped;
	int64_t worst;
};

/* Reads "N [every D] [size S]", as "200 every 5ms size 100", into `plan`; what is not given is 10
 * ms and as short as can be. Returns 0, or -1 with what is wrong, and an example, in `why`; `plan`
 * is unchanged then. */
int generator_read(const char *text, struct generator_plan *plan, char why[GENERATOR_WHY]);

/* How many rows a ledger needs so that no line loses its row before its fate is known and told: all
 * that are sent within three times `reply_timeout`; within reason, and at least `rows`. */
size_t generator_rows(const struct generator_plan *plan, int64_t reply_timeout, size_t rows);

/* The first line is due at `now`. */
void generator_start(struct generator *g, const struct generator_plan *plan, int64_t now);
/* No more lines. */
void generator_stop(struct generator *g, int64_t now);
/* The first line goes alone until `until`, at most GENERATOR_HOLD: over TCP it is found out by it
 * whether the server keeps the connection (session_alone_until()). Then the second line is due, and
 * the later ones follow on schedule. Call it before each generator_next(). */
void generator_hold(struct generator *g, int64_t until, int64_t now);
/* When the next line is due, or INT64_MAX when there is none. */
int64_t generator_due(const struct generator *g);
/* A line is due at `now`: true, and it counts as sent then. After the last one it has stopped by
 * itself. */
bool generator_next(struct generator *g, int64_t now);

/* The text of the line with that number: "line 17", then letters up to `size` bytes. No two numbers
 * have the same. One that is to be shorter loses letters, never a digit. Writes at most `capacity`
 * bytes; returns its length, which is that at most. */
size_t generator_text(uint64_t number, size_t size, char *text, size_t capacity);

/* "340/1000 · 100/s · 6.6 s left"; `dot` is what stands between. Returns `buf`. */
char *generator_progress(const struct generator *g, int64_t now, const char *dot, char *buf,
    size_t size);
/* What became of the schedule, once it is over: "1000 lines sent in 9.99 s, 100/s; on schedule, at
 * most 0.21 ms late" and, when lines slipped, how many. `micro` as for units_duration_text().
 * Returns `buf`. */
char *generator_result(const struct generator *g, const char *micro, char *buf, size_t size);

#endif
