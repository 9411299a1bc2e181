/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The plain front end's state: what plain.c (start, loop, end), plain-input.c (lines in) and
 * plain-output.c (lines out) share. For these files only. */
#ifndef UPCASE_PLAIN_INTERNAL_H
#define UPCASE_PLAIN_INTERNAL_H

#include "record/connections.h"
#include "app/generator.h"
#include "record/recorder.h"
#include "net/session.h"
#include "app/settings.h"
#include "trace/lab.h"

#define PLAIN_READ_SIZE 65536
#define PLAIN_WRITE_SIZE 65536
/* A longer line goes out in pieces over TCP; over UDP it is longer than any datagram and fails. */
#define PLAIN_LINE_WHOLE 65536
/* UDP and TCP. */
#define PLAIN_CHANNELS 2

struct plain;

/* One transport's way: a session, and what comes back of it. */
struct channel {
	struct plain *plain;
	struct session *session;
	bool stream;
	/* What stands before its replies, "" with one channel. */
	const char *prefix;
	/* Its flow in the lab; what the recorder knows it as. */
	int flow, recorded;
	struct connections connections;
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
	const struct settings *settings;
	struct channel channels[PLAIN_CHANNELS];
	size_t channel_count;
	/* Bytes read for which the sessions have no room yet: from `begin` to before `end`. */
	unsigned char input[PLAIN_READ_SIZE];
	size_t begin, end;
	/* When they were read, or the generated line was made. */
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
	uint64_t last_number;
	/* --count. */
	bool generating;
	struct generator generator;
	/* The progress that stands on standard error: its width, 0 for none; and when it is written
	 * anew. Standard output may be the same terminal. */
	bool progress, same_terminal;
	size_t progress_shown;
	int64_t progress_at;
	/* --json, --csv, --save; else NULL. When it writes again. */
	struct recorder *recorder;
	struct record_run run;
	int64_t record_at;
	/* Lines passed on since the last dispatch. */
	int64_t passed_on;
	unsigned reported;
	/* Memory is short: the end. */
	bool failed;
	/* Standard input could not be read to its end; why standard output could not be written, or
	 * 0. */
	bool read_failed;
	int write_error;
	/* Standard input is a terminal; standard output is one. */
	bool typed, shown;
	/* Standard error shows UTF-8. */
	bool utf8;
	/* In the lab: what the link did, NULL elsewhere; and until when its events are waited for,
	 * 0: not yet. */
	struct lab *lab;
	int64_t lab_until;
};

/* plain-input.c */
/* No session sends any more: lines fail at once. */
bool plain_cannot_send(const struct plain *p);
/* There is room for more lines, read or generated. */
bool plain_has_room(const struct plain *p);
/* Takes in what can be read, or its end. */
void plain_read(struct plain *p);
/* Passes on what was read, as far as there is room. */
void plain_pass(struct plain *p, int64_t now);
/* When the generator has something to do next, CLOCK_NEVER when it waits for the sessions or has
 * ended. */
int64_t plain_generate_at(const struct plain *p);
/* Begins when the sessions are ready; sends what is due; ends the sending. */
void plain_generate(struct plain *p);
void plain_end_input(struct plain *p, int64_t now);

/* plain-record.c */
/* Returns 0, or -1 when memory is short. */
int plain_record_start(struct plain *p, int64_t now, int64_t wall);
int plain_record_channel(struct channel *channel);
void plain_record_reply(struct channel *channel, const struct session_reply *reply);
void plain_record_row(struct channel *channel, uint64_t number);
void plain_record_event(struct plain *p, const struct session_event *event);
/* Writes what is final. */
void plain_record_dispatch(struct plain *p, int64_t now);
/* A channel's figures, with the generator's and the far end's. */
void plain_figures(const struct plain *p, const struct channel *channel, int64_t now,
    struct figures *figures);
/* Writes the rest, and the file of --save. Returns 0, or -1 after one line on standard error. */
int plain_record_end(struct plain *p, bool complete, int64_t now);

/* plain-output.c */
void plain_say(struct plain *p, bool bad, const char *words);
/* Room for what --ordered keeps. Returns 0 or -1. */
int plain_order_start(struct channel *channel);
bool plain_order_has_room(const struct channel *channel);
/* Prints what is decided. */
void plain_put_in_order(struct channel *channel);
void plain_reply(void *context, const struct session_reply *reply);
void plain_row(void *context, uint64_t number);
void plain_notice(void *context, bool bad, const char *text);
/* Says and records it. */
void plain_event(void *plain, const struct session_event *event);
/* A session's hook; and what is new of the connections is reported. `all`: whatever is not known
 * yet. */
void plain_connection(void *context, const struct session_connection *connection);
void plain_connections_dispatch(struct plain *p, bool all);
/* Hands all replies to the kernel. */
void plain_flush(struct plain *p);
/* Prints what is still held. */
void plain_end_output(struct plain *p);
void plain_free_channel(struct channel *channel);
/* Writes the progress when it is time, and takes it away. */
void plain_progress(struct plain *p, int64_t now);
void plain_erase_progress(struct plain *p);

#endif
