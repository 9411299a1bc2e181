/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the client knows of the lab's link: its settings, what is expected of them, and both in
 * words. Pure. */
#ifndef UPCASE_TRACE_LINK_STATUS_H
#define UPCASE_TRACE_LINK_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/event-line.h"
#include "common/impair-fields.h"
#include "ledger/ledger.h"
#include "ledger/figures.h"
#include "ledger/session-event.h"
#include "trace/trace.h"

struct link_status {
	/* The lab has said it at least once. */
	bool known;
	uint64_t seed;
	struct impair_settings settings[LINK_WAYS];
	/* Until when packets are held or lost, ns; a time that has passed when they are not. */
	int64_t held_until[LINK_WAYS], unplugged_until[LINK_WAYS];
};

/* The settings from the lab's answer to "link" (lab/link/control-commands.h). Returns 0, or -1 when
 * something of it is missing, and leaves the facts alone. */
int link_status_read(struct link_status *status, const char *answer, int64_t now);

/* What the lab says of a change, whoever made it. */
struct link_change {
	/* ns of the monotonic clock. */
	int64_t at;
	/* SESSION_EVENT_LINK or SESSION_EVENT_FAULT. */
	enum session_event_kind kind;
	/* "loss 30 % each way", "held for 3 s"; of a link the settings of each way as the lab
	 * writes them. */
	char text[2 * IMPAIR_LINE + 100], there[IMPAIR_LINE], back[IMPAIR_LINE];
};

/* Reads "changed NS KIND WORDS" (upcase-lab(1), Events). Returns 0, or -1 for what is none. */
int link_change_read(struct link_change *change, const char *line);

/* "loss 20 % each way, delay 20 ms", "there loss 20 %; back nothing", "a perfect wire"; what is
 * held or unplugged first. Returns `buf`. */
char *link_status_line(const struct link_status *status, int64_t now, char *buf, size_t size);
/* Whether something is held or unplugged. */
bool link_status_paused(const struct link_status *status, int64_t now);
/* A value of a setting as people read it, "20 %", "100 packets". Returns `buf`. */
char *link_status_value(const struct impair_settings *settings, int field, char *buf, size_t size);

/* The share of lines that are answered over UDP by chance alone, if each way loses (or damages) a
 * packet with its own probability: (1-p)(1-q); with second copies one of two replies is enough.
 * What comes too late is not in it. */
double link_status_answered(const struct link_status *status);

/* What /link shows beside the settings. */
struct link_report {
	const struct link_status *status;
	int64_t now, reply_timeout;
	/* UDP lines of which chance decided, and those of them answered, since the link was changed
	 * last. */
	uint64_t decided, answered;
	const struct trace_totals *traced;
	/* The connection in use, or NULL. */
	const struct tcp_sample *tcp;
	/* The same by the server at the far end, or NULL. */
	const struct tcp_sample *far;
};

/* The page: malloc()ed, NULL when memory is short. */
char *link_report_page(const struct link_report *report);
/* For the summary that stays: what the link did with datagrams, with segments, and the mismatches;
 * lines ended by \n. Returns `buf`. */
char *link_report_end(const struct trace_totals *traced, char *buf, size_t size);

#endif
