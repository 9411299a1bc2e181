/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The link's settings in the lab, what is expected of them, and both as text. Pure. */
#pragma once

#include "common/event-line.h"
#include "common/impair-fields.h"
#include "ledger/figures.h"
#include "ledger/session-event.h"
#include "trace/trace.h"

struct link_status {
	bool known; /* the lab has answered at least once */
	uint64_t seed;
	struct impair_settings settings[LINK_DIRECTIONS];
	/* The end of a hold or of unplugging, ns; a past time when there is none. */
	int64_t paused_until[IMPAIR_PAUSES][LINK_DIRECTIONS];
};

/* The words of a pause for people, at the beginning of texts: "held", and when it is over. */
extern const struct link_pause {
	const char *begun, *ended;
} link_pauses[IMPAIR_PAUSES];

/* Reads the settings from the lab's answer to "link" (lab/link/control-commands.h). Returns 0, or
 * -1 when the answer is not whole, and then leaves `status` alone. */
int link_status_read(struct link_status *status, const char *answer, int64_t now);

/* A change of the link, by whatever program. */
struct link_change {
	int64_t at;                   /* ns of the monotonic clock */
	enum session_event_kind kind; /* SESSION_EVENT_LINK or SESSION_EVENT_FAULT */
	/* "loss 30 % each way", "held for 3 s"; settings as the lab writes them. */
	char text[2 * IMPAIR_LINE + 100], there[IMPAIR_LINE], back[IMPAIR_LINE];
};

/* Reads "changed NS KIND WORDS" (upcase-lab(1), Events). Returns 0, or -1 for another line. */
int link_change_read(struct link_change *change, const char *line);

/* A hold or unplugging, then "loss 20 % each way, delay 20 ms", "a perfect wire". Returns `buf`. */
char *link_status_line(const struct link_status *status, int64_t now, char *buf, size_t size);
/* Whether a hold or unplugging is on. */
bool link_status_paused(const struct link_status *status, int64_t now);
/* The value of a setting, "20 %", "100 packets". Returns `buf`. */
char *link_status_value(const struct impair_settings *settings, int field, char *buf, size_t size);

/* The probability that a line over UDP is answered, if each direction loses or corrupts a packet
 * with its own probability: (1-p)(1-q); with second copies one of two replies is enough. */
double link_status_reply_probability(const struct link_status *status);

/* The input of the page of /link. */
struct link_report {
	const struct link_status *status;
	int64_t now, reply_timeout;
	/* UDP lines since the last change whose fate was chance; the answered ones. */
	uint64_t decided, answered;
	const struct trace_totals *traced;
	const struct tcp_sample *tcp; /* the connection in use, or NULL */
	const struct tcp_sample *far; /* the server's sample of its end, or NULL */
};

/* The presets in words, from malloc(); NULL when memory is short. */
char *link_presets_page(void);
/* The page of /link, from malloc(); NULL when memory is short. */
char *link_report_page(const struct link_report *report);
/* The summary's lines: what the link did with datagrams and segments; mismatches. Returns `buf`. */
char *link_report_end(const struct trace_totals *traced, char *buf, size_t size);
