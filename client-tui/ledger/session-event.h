/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A session's events besides lines and replies: notices, link changes, connections. Pure. */
#pragma once

#include "common/event-line.h"

/* The latest time in a file of records or from the lab, ns since the session's start: ten years. */
#define SESSION_TIME_MAX EVENT_LINE_TIME_MAX

enum session_event_kind {
	SESSION_EVENT_NOTICE,
	SESSION_EVENT_ERROR,   /* a notice of something wrong */
	SESSION_EVENT_LINK,    /* the settings of the lab's link changed */
	SESSION_EVENT_FAULT,   /* a drop, a hold, an unplugging on request, and its end */
	SESSION_EVENT_CONNECT, /* the session changed to another peer */
	SESSION_EVENT_TCP,     /* a connection opens, closes or breaks */
	SESSION_EVENT_FLOW,    /* a second flow begins or ends; or its share, which is quiet */
	SESSION_EVENT_KINDS
};

enum session_stage {
	SESSION_CONNECTING, /* its SYN was sent, or sent again */
	SESSION_CONNECTED,
	SESSION_FAILED,
	SESSION_ENDED, /* by the peer's FIN; by an RST or another error if `error` is set; by us if
	                  `by_client` */
};

/* A TCP connection, from its first SYN on. */
struct session_connection {
	enum session_stage stage;
	uint16_t here; /* our port; 0 when there is none (yet) */
	/* When its SYN was sent, and when it reached this stage: ns of the monotonic clock. */
	int64_t began, at;
	unsigned syns; /* how often the kernel sent its SYN */
	int error;
	bool by_client;
	bool more; /* it failed, and the peer's next address is tried at once */
};

/* The flows that meet at one link: the lines' connection, and the second flow. */
enum shares_flow { SHARE_LINES, SHARE_FLOW, SHARES_FLOWS };

struct link_packet;

/* One such event. The texts are our own words, one line. */
struct session_event {
	enum session_event_kind kind;
	int session; /* the number of its session, -1 for none */
	int64_t at;
	bool quiet; /* it has no row: another row reports it, or it is not important */
	char *text; /* the text of its row behind the kind's word */
	/* SESSION_EVENT_LINK: the settings as the lab writes them, "loss 30%"; else NULL. */
	char *there, *back;
	/* SESSION_EVENT_TCP: how far it came, and how long that took from the first SYN on; in the
	 * lab the first RECORD_PACKETS packets that opened or closed it, times since `at`. */
	struct session_connection connection;
	int64_t duration;
	struct link_packet *packets;
	size_t packet_count;
	/* SESSION_EVENT_FLOW: the bytes of each that TCP acknowledged in the `duration` before: of
	 * an interval, or at the end of the whole; 0 at the beginning. */
	uint64_t shares[SHARES_FLOWS];
};

/* The names of kinds in records, "link"; NULL for notices, which have a type of their own. */
extern const char *const session_event_names[SESSION_EVENT_KINDS];
/* The words of its row, "link: loss 30 % each way". Returns `buf`. */
#define SESSION_EVENT_WORDS 1000
char *session_event_words(const struct session_event *e, char buf[SESSION_EVENT_WORDS]);
/* The same in memory that lasts as long as the block of the call. */
#define SESSION_EVENT_TEXT(e) session_event_words(e, (char[SESSION_EVENT_WORDS]){ 0 })
bool session_event_is_notice(const struct session_event *e);
