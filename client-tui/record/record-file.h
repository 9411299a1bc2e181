/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A whole file of records in memory, checked, its lines in the order of their numbers. Reads the
 * FILE that it is given. */
#ifndef UPCASE_RECORD_FILE_H
#define UPCASE_RECORD_FILE_H

#include <stdio.h>

#include "record/json-write.h"

/* What is kept of a file at most: lines and replies together, and what they take. */
#define RECORD_FILE_MAX 2000000
#define RECORD_FILE_BYTES (UINT64_C(1024) * 1024 * 1024)
#define RECORD_FILE_WHY 300

struct record_file_session {
	struct record_session of;
	/* In the order of numbers. Each is allocated without the packets. */
	struct record_kept **lines;
	size_t count, capacity;
	/* Recorded at the end. */
	bool has_sum;
	struct record_sum sum;
};

/* A line, as short as it can be kept. */
struct record_kept {
	uint64_t number, tag;
	/* Its line in the file. */
	uint64_t at_line;
	int64_t typed_at, sent_at, replied_at, decided_at, connecting;
	int64_t *duplicate_at;
	uint32_t duplicates;
	uint8_t duplicate_count, fate;
	bool late, reordered, differs, cut_short, partial;
	int error;
	/* NULL when the link was not recorded. */
	struct trace_line *traced;
	/* Its packets, as they were recorded. */
	struct record_packet *packets;
	size_t packet_count;
	unsigned char *text, *reply;
	size_t length, reply_length;
};

struct record_file {
	struct record_run run;
	bool has_end;
	uint64_t compared, mismatches;
	struct record_file_session sessions[RECORDER_SESSIONS];
	size_t session_count;
	struct record_reply *replies;
	size_t reply_count, reply_capacity;
	struct session_event *events;
	size_t event_count, event_capacity;
	bool has_link;
	uint64_t bytes;
};

/* NULL with "line 17: ..." in `why`. */
struct record_file *record_file_read(FILE *in, char why[RECORD_FILE_WHY]);
void record_file_free(struct record_file *f);

#endif
