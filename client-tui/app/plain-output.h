/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The plain front end's state and output, for plain.c only. */
#pragma once

#include "app/run.h"
#include "common/capitals.h"

#define PLAIN_WRITE_SIZE 65536
/* The maximum length of a line that is sent whole. A longer line goes out in pieces over TCP; over
 * UDP it fails, longer than any datagram. */
#define PLAIN_LINE_WHOLE 65536

struct plain {
	struct run run;
	bool prefixes; /* each reply begins with its transport */
	/* Pieces of a reply over TCP were printed, but not its end; meanwhile, UDP's replies. */
	bool long_begun;
	unsigned char *held;
	size_t held_length, held_capacity;
	/* --verbose: the last line of each connection that was cut off and printed */
	uint64_t cut_off[LEDGER_CONNECTIONS + 1];
	/* --ordered: the next line over UDP to print, 0 without; the bytes of the replies that came
	 * early; room for the capitals of a line. */
	uint64_t next;
	size_t early_bytes;
	unsigned char capitals[CAPITALS_GROWTH * PLAIN_LINE_WHOLE];
	/* Bytes read that wait for room in the sessions, or for the end of their line: from `begin`
	 * to before `end`. */
	unsigned char input[2 * PLAIN_LINE_WHOLE];
	size_t begin, end;
	int64_t typed_at; /* the time when they were read */
	bool begun;       /* a piece of the line has been sent */
	/* Replies for standard output: stdio's buffer is much smaller. */
	unsigned char output[PLAIN_WRITE_SIZE];
	size_t output_length;
	bool input_ended; /* the input has ended: no more lines will be sent */
	/* The number of the input's last line if that had no end: its reply gets none either. */
	uint64_t unterminated;
	bool newline_due; /* an end of line is due before the next reply */
	/* The progress on standard error, where standard output may be the same terminal; its
	 * width, 0 for none; the time of its next update. */
	bool progress;
	size_t progress_shown;
	int64_t progress_at;
	int64_t record_at; /* the time of the recorder's next call */
	/* --verbose, in the lab: the link's events up to this pass of the loop are known. */
	bool lab_settled;
	/* --report: when the sessions were opened; the next report, CLOCK_NEVER for none. */
	int64_t started, report_at;
	unsigned reported; /* the numbers of lost lines and of strays that were reported */
	bool failed;       /* memory is short: the program ends */
	/* Standard input could not be read to its end; the error of standard output, or 0. */
	bool read_failed;
	int write_error;
	bool typed, shown; /* standard input is a terminal; standard output is one */
	/* In the lab: the time until which its events are awaited, 0: not set. */
	int64_t lab_until;
};

/* Writes one line to standard error; with --quiet only if it is `bad`. */
void plain_notice(struct plain *p, bool bad, const char *words);
/* Writes the progress when it is time, and removes it. */
void plain_progress(struct plain *p, int64_t now);
void plain_erase_progress(struct plain *p);

/* --report: prints or records the summary of an interval. */
void plain_interval(void *plain, const struct interval *interval);

/* Whether --ordered has room for the reply of another line. */
bool plain_order_has_room(const void *plain);

/* Hooks of the run; plain_event() shows and records an event. */
void plain_event(void *plain, const struct session_event *event);
void plain_reply(void *plain, struct run_session *of, const struct session_reply *reply);
void plain_row(void *plain, struct run_session *of, uint64_t number);
void plain_connection(void *plain, const struct session_event *event, struct connection_note *note,
    bool final);

/* Writes all replies to the kernel. */
void plain_flush(struct plain *p);
/* Prints all decided and all held replies. */
void plain_end_output(struct plain *p);
