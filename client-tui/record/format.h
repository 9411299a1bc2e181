/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Writes and reads each type of record as JSON, one line of text each (upcase(1), RECORD FORMAT),
 * and writes it as comma-separated values (RFC 4180), one row each. Pure. */
#pragma once

#include "record/record.h"

enum record_type {
	RECORD_START,    /* struct record_run; in CSV the names of the columns */
	RECORD_SESSION,  /* struct record_session */
	RECORD_LINE,     /* struct record */
	RECORD_REPLY,    /* struct record_reply */
	RECORD_NOTICE,   /* struct session_event */
	RECORD_EVENT,    /* the same */
	RECORD_WINDOW,   /* struct window_sample */
	RECORD_SUMMARY,  /* struct record_summary */
	RECORD_INTERVAL, /* struct interval; only written */
	RECORD_UNKNOWN,  /* a type of a later version, to be skipped */
};

/* Writes a record of a known type; CSV has only lines and replies. A notice among the events gets
 * its own type. Returns 0, or -1 with errno. */
int record_write(FILE *out, enum record_output output, enum record_type type, const void *record);

/* A record that was read. */
struct json_record {
	enum record_type type;
	struct record_run run; /* RECORD_START */
	struct record_session session;
	struct record line;
	struct record_reply reply;
	struct session_event event;
	struct window_sample window;
	struct record_summary summary;
};

/* Reads one line of a file. Skips unknown keys and types, so that later versions can add some.
 * Returns 0, or -1 with the error in `reason`; json_record_free() frees in both cases. */
int json_read(struct json_record *r, const char *text, size_t n, char reason[RECORD_REASON]);
void json_record_free(struct json_record *r);
