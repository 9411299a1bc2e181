/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The plain front end's state, and what it prints: replies to standard output, the rest to standard
 * error. For plain.c only. */
#ifndef UPCASE_PLAIN_OUTPUT_H
#define UPCASE_PLAIN_OUTPUT_H

#include "app/run.h"

#define PLAIN_READ_SIZE 65536
#define PLAIN_WRITE_SIZE 65536
/* A longer line goes out in pieces over TCP; over UDP it is longer than any datagram and fails. */
#define PLAIN_LINE_WHOLE 65536

/* The replies of one transport. */
struct plain_channel {
	/* A reply of which pieces were printed is not at its end yet. */
	bool begun;
	/* Its replies while the other channel's has begun. */
	unsigned char *held;
	size_t held_length, held_capacity;
	/* --ordered: the next line to print, and the replies that came before their turn. */
	uint64_t next;
	struct early {
		unsigned char *text;
		size_t length;
		bool there;
	} *early;
	size_t early_bytes;
};

struct plain {
	struct run run;
	/* By transport. `prefixes`: each reply begins with its transport. */
	struct plain_channel channels[2];
	bool prefixes;
	/* Bytes read for which the sessions have no room yet: from `begin` to before `end`. */
	unsigned char input[PLAIN_READ_SIZE];
	size_t begin, end;
	/* When they were read. */
	int64_t typed_at;
	/* The line being read: its first bytes, and how many of them are left unsent. */
	unsigned char line[PLAIN_LINE_WHOLE];
	size_t used;
	/* A piece of the line has been sent. */
	bool begun;
	/* Replies that are yet to be written to standard output: stdio's buffer is much smaller. */
	unsigned char output[PLAIN_WRITE_SIZE];
	size_t output_length;
	/* No more lines will be sent. */
	bool input_ended;
	/* The last line of the input when it had no end of line: neither has its reply. */
	uint64_t unterminated;
	/* An end of line is due before the next reply. */
	bool newline_due;
	/* The progress that stands on standard error: its width, 0 for none; and when it is written
	 * anew. Standard output may be the same terminal. */
	bool progress, same_terminal;
	size_t progress_shown;
	int64_t progress_at;
	/* When the recorder writes again. */
	int64_t record_at;
	/* Lines passed on since the last dispatch. */
	int64_t passed_on;
	/* Lines lost and strays that were reported. */
	unsigned reported;
	/* Memory is short: the end. */
	bool failed;
	/* Standard input could not be read to its end; why standard output could not be written, or
	 * 0. */
	bool read_failed;
	int write_error;
	/* Standard input is a terminal; standard output is one. */
	bool typed, shown;
	/* In the lab: until when its events are waited for, 0: not yet. */
	int64_t lab_until;
};

/* One line on standard error; with --quiet only if it is `bad`. */
void plain_say(struct plain *p, bool bad, const char *words);
/* Writes the progress when it is time, and takes it away. */
void plain_progress(struct plain *p, int64_t now);
void plain_erase_progress(struct plain *p);

/* Room for what --ordered keeps. Returns 0 or -1. */
int plain_order_start(struct plain *p);
bool plain_order_has_room(const void *plain);

/* Hooks of the run; plain_event() shows and records an event. */
void plain_event(void *plain, const struct session_event *event);
void plain_reply(void *plain, struct run_session *of, const struct session_reply *reply);
void plain_row(void *plain, struct run_session *of, uint64_t number);
void plain_connection(void *plain, const struct session_event *event, struct connection_note *note,
    bool final);

/* Hands all replies to the kernel. */
void plain_flush(struct plain *p);
/* Prints what is decided, and what is still held. */
void plain_end_output(struct plain *p);
void plain_free_output(struct plain *p);

#endif
