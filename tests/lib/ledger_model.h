/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A ledger as simple as can be, written from the contract alone: every line for ever in one array,
 * every question answered by walking it. Each step is done to it and to the real ledger, and
 * everything that can be seen of the two is compared. For tests; slow. */
#pragma once

#include "ledger/ledger.h"

#define MODEL_TEXT 64
#define MODEL_LINES 600

struct model_line {
	uint64_t number, tag;
	enum ledger_fate fate;
	unsigned char text[MODEL_TEXT], wire[MODEL_TEXT + LEDGER_TAG_SIZE], caps[4 * MODEL_TEXT];
	size_t length, wire_length, caps_length;
	/* The first reply as it came, with its tag. */
	unsigned char reply[4 * MODEL_TEXT];
	size_t reply_length;
	int64_t typed_at, sent_at, replied_at, connecting;
	/* Places in the order of sending and in the order of first replies. */
	uint64_t order, reply_order;
	uint32_t duplicates;
	bool late, reordered, differs, cut_short, partial, uncertain, evicted;
	int error;
};

struct model_times {
	int64_t min, max, sum;
};

/* An attempt to connect, from `began` to `ended`, INT64_MAX while it goes on. */
struct model_attempt {
	int64_t began, ended;
};

struct model {
	struct ledger_settings settings;
	struct ledger *ledger;
	struct model_line *lines;
	size_t count;
	uint64_t orders, replies, expected, strays;
	/* The latest time of an addition or a reply; until when no text is known to be free. */
	int64_t latest, tag_all_until;
	uint64_t timed;
	struct model_times rtt, waited;
	struct model_attempt attempts[MODEL_LINES];
	size_t attempt_count;
	/* model_give_up() was called; it is the last step. */
	bool over;
	/* The first thing that was not as it should be, or NULL. */
	const char *wrong;
};

/* `wait` must be less than 64 ns: the real ledger then forgets no line's deadline. */
struct model *model_new(const struct ledger_settings *settings);
void model_free(struct model *m);

/* Each does one step to both and compares; what is wrong stands in m->wrong. At most MODEL_LINES
 * lines of at most MODEL_TEXT bytes, replies of at most 4 * MODEL_TEXT; more is ignored. */
void model_add(struct model *m, uint64_t number, const void *text, size_t n, bool partial,
    int64_t now);
/* The session begins to connect, or if it does already, it stands. */
void model_connect(struct model *m, int64_t now);
void model_sent(struct model *m, uint64_t number, int64_t now);
void model_failed(struct model *m, uint64_t number, int error);
void model_requeue(struct model *m, uint64_t number);
void model_reply(struct model *m, const void *reply, size_t n, int64_t now);
void model_stream_reply(struct model *m, const void *reply, size_t n, bool ended, int64_t now);
void model_unreachable(struct model *m, const void *quoted, size_t n, size_t least, int error);
void model_cut_off(struct model *m);
void model_expire(struct model *m, int64_t now);
void model_give_up(struct model *m);

/* One step after another as the bytes say, until they are used up or something is wrong: settings
 * first, then lines that look alike and replies of all kinds. Returns what is wrong, or NULL. */
const char *model_play(const unsigned char *bytes, size_t n);
