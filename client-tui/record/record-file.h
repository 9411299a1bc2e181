/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A file of records in memory, checked, with its lines in order of number. Reads a given FILE. */
#pragma once

#include "record/format.h"

/* Limits of a file: lines, replies and events together, and the memory for them. */
#define RECORD_FILE_MAX 2000000
#define RECORD_FILE_BYTES (UINT64_C(1024) * 1024 * 1024)
#define RECORD_FILE_REASON 300

struct record_file_session {
	struct record_session of;
	struct record *lines; /* in order of number */
	size_t count, capacity;
	/* From the summary. */
	bool has_sum;
	struct figures sum;
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
	struct window_sample *windows;
	size_t window_count, window_capacity;
	bool has_link;
};

/* Returns NULL with "line 17: ..." in `reason` after an error. */
struct record_file *record_file_read(FILE *in, char reason[RECORD_FILE_REASON]);
void record_file_free(struct record_file *f);
