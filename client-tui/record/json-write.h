/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Records as JSON, one line of text each (upcase(1), RECORD FORMAT), and back. Pure. */
#ifndef UPCASE_RECORD_JSON_H
#define UPCASE_RECORD_JSON_H

#include "record/record.h"
#include "ledger/figures.h"

enum record_type {
	RECORD_START,
	RECORD_SESSION,
	RECORD_LINE,
	RECORD_REPLY,
	RECORD_NOTICE,
	RECORD_EVENT,
	RECORD_SUMMARY,
	RECORD_UNKNOWN, /* of a later version: to be passed over */
};

/* What a session's lines come to, in the summary. */
struct record_sum {
	struct record_session of;
	/* `stats` is borrowed. */
	struct figures figures;
};

/* Each malloc()ed, without an end of line; NULL when memory is short. */
char *json_write_start(const struct record_run *run);
char *json_write_session(const struct record_session *s);
char *json_write_line(const struct record *r);
char *json_write_reply(const struct record_reply *r);
/* RECORD_NOTICE or RECORD_EVENT, by its kind. */
char *json_write_event(const struct session_event *e);
/* `traced`: of the lab's link, NULL outside. */
char *json_write_summary(const struct record_run *run, int64_t start,
    const struct trace_totals *traced, const struct record_sum *sums, size_t count);

/* A record that was read. */
struct json_record {
	enum record_type type;
	/* RECORD_START and RECORD_SUMMARY. */
	struct record_run run;
	/* RECORD_SUMMARY, in the lab: lines compared with what the link did, and of them in
	 * contradiction. */
	bool has_truth;
	uint64_t compared, mismatches;
	struct record_session session;
	struct record line;
	struct record_reply reply;
	struct session_event event;
	/* RECORD_SUMMARY: a session each, owned. */
	struct record_sum *sums;
	size_t sum_count;
};

#define RECORD_WHY 200

/* One line of a file. Returns 0, or -1 with what is wrong in `why`. Then, too, json_record_free()
 * frees. */
int json_read(struct json_record *r, const char *text, size_t n, char why[RECORD_WHY]);
void json_record_free(struct json_record *r);

#endif
