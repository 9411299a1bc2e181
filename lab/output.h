/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The files that the user names and the lab writes to, and the output of the far command: it goes
 * to a file, to stderr, or into a pipe whose last bytes are kept, to be shown if it fails. */
#pragma once

#include "common/fd-watch.h"
#include "common/printable.h"
#include "common/send-buffer.h"

/* Opens it to append, without waiting: a new file; an ordinary one of the effective user that is
 * empty or whose first bytes, at most 16, `kind` recognises (NULL: any); a FIFO or a pipe, both
 * ways, so that it needs no reader and stays open when a reader leaves; /dev/null or /dev/full.
 * Returns the descriptor, which does not block, or -1 with *reason, as
 * file_replaceable() gives it. */
int output_open(const char *path, bool (*kind)(const char *bytes, size_t n), const char **reason);

/* The bytes of the tail. */
#define OUTPUT_TAIL_SIZE 1024

/* The end of what a program wrote. */
struct output_tail {
	char text[OUTPUT_TAIL_SIZE];
	size_t n;
};

/* Adds text; drops what is too old. */
void output_tail_add(struct output_tail *tail, const char *text, size_t n);
/* Copies the last line that is not empty, with '?' for controls, no newline. Returns `line`. */
char *output_tail_last_line(const struct output_tail *tail, char *line, size_t size);

/* The output of the far command. */
struct output {
	/* The reading end of its pipe, or -1; the descriptor that it writes to, which the caller
	 * closes; the terminal on which it is shown, or -1. */
	int fd, end, screen;
	struct output_tail tail;
	/* Text that is still to be shown. */
	struct send_buffer shown;
	struct printable_rest rest;
};

/* Opens what --far-log names: `file`, "-" for stderr, NULL for the pipe alone. Nothing in the
 * output drives a terminal. Returns 0, or an exit status after a line on stderr. */
int output_open_far(struct output *o, const char *file);
void output_watch(const struct output *o, struct fd_watch *w);
void output_dispatch(struct output *o, const struct fd_watch *w);
/* Reads the output that is there and shows it. */
void output_read(struct output *o);
