/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What udp.c (datagrams in) and udp-send.c (replies out) share. */
#ifndef UPCASED_UDP_INTERNAL_H
#define UPCASED_UDP_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/capitals.h"
#include "server/datagram.h"
#include "server/loop-guard.h"
#include "server/lossy-link.h"
#include "server/listen.h"
#include "server/loop.h"
#include "server/recent-peers.h"
#include "server/counters.h"
#include "server/udp.h"

/* Longer than any datagram. */
#define UDP_LONGEST 65536
/* Replies that are kept to be sent together, and their bytes. */
#define UDP_REPLIES 256
#define UDP_OUT_SIZE (4 * CAPITALS_GROWTH * UDP_LONGEST)

/* A reply that is to be sent. */
struct udp_reply {
	const struct datagram *question;
	/* How long that was. */
	size_t question_size;
	unsigned char *bytes;
	size_t n;
};

/* A reply that waits for the kernel. */
struct udp_held {
	struct udp_held *next;
	struct datagram question;
	size_t question_size, n;
	unsigned char bytes[];
};

struct udp_socket {
	struct udp *udp;
	struct listen_socket *at;
	/* In the order in which they go; while there are any the socket is not read. */
	struct udp_held *held, **held_end;
	/* The kernel's own count of what its queue had no room for, as last told. */
	uint32_t kernel_drops;
	/* Messages to receive at once: fewer where the kernel joins many datagrams in each. */
	int max;
	/* What the kernel accepted, and until when replies are not joined, since it did not accept
	 * some that were. */
	struct mmsg_support support;
	int64_t single_until;
};

struct udp {
	struct loop *loop;
	struct listen *listen;
	struct counters *counters;
	struct recent_peers *peers;
	struct loop_guard *loop_guard;
	/* NULL for no limit. */
	struct rate_limit *rate_limit;
	/* NULL when nothing is impaired. */
	struct lossy_link *link;
	/* What arrives later than this is left: INT64_MAX until the end. */
	int64_t until;
	/* When the kernel was last asked how many it dropped, and how many of them somebody else
	 * has told. */
	int64_t polled_at;
	uint64_t reported;
	struct udp_socket sockets[LISTEN_SOCKETS];
	int count;
	struct datagram_inbox *in;
	/* Replies of one socket, not sent yet: empty outside a turn. */
	struct udp_reply replies[UDP_REPLIES];
	int replies_count;
	/* Their bytes, one behind the other. */
	size_t out_used;
	unsigned char out[UDP_OUT_SIZE];
	/* Messages made of them, and where the replies of each begin and end. */
	struct datagram_reply messages[DATAGRAM_BATCH];
	int firsts[DATAGRAM_BATCH + 1];
	int messages_count;
};

/* Of a datagram that came: it is counted. */
void udp_count(struct udp *u, size_t n);
/* It gets no reply. */
void udp_drop(struct udp *u, const struct datagram *d, size_t n, enum counters_drop why);

/* Where the capitals of `n` bytes may be written; replies that are ready may be sent first. */
unsigned char *udp_reply_space(struct udp_socket *s, size_t n, int64_t now);
/* A reply that is ready, its bytes in that room; `question` lives until udp_send(). */
void udp_reply(struct udp_socket *s, const struct udp_reply *r, int64_t now);
/* Sends what is ready, or keeps it until the kernel takes it. */
void udp_send(struct udp_socket *s, int64_t now);
/* Sends the replies that had to wait. Returns whether all are out of the way. */
bool udp_send_held(struct udp_socket *s);
/* They are dropped. */
void udp_drop_held(struct udp_socket *s);

#endif
