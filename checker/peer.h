/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The judge's end of a conversation: a client of the judged server, or the server of the judged
 * client. What goes over it stands in the outcome of the case. Functions that return bool call
 * trial_fail() before they return false, and wait while the program and the other peers have their
 * turns. */
#pragma once

#include "checker/difference.h"
#include "checker/trial.h"

struct peer {
	struct trial *trial;
	/* CASE_UDP or CASE_TCP. */
	unsigned transport;
	int fd;
	/* Its number among the case's peers, from 1 on. */
	int number;
	bool listens;
	/* Do not read for now; wait also for room to send; its own side has ended. */
	bool paused, sending, finished;
	/* An end of line more or less behind the reply is no fault. The client's line had one. */
	bool loose, has_newline;
	/* What is sent next is the last of the stream: with its end, in one segment if it fits. */
	bool last;
	/* The error that ended it, or 0. */
	int error;
	/* What has come and is not yet taken is one datagram, or bytes of a stream. Of a UDP
	 * client, x.before is its last line. */
	struct exchange x;
	bool has_datagram;
	/* Where the datagram came from, and where datagrams go. */
	struct addr from, to;
	/* How many packets the link had lost when the datagram was sent. */
	uint64_t lost;
};

/* Waits until something happens, and acts on it. Returns false when it is `until`, or the case's
 * time is over. */
bool peer_turn(struct trial *t, int64_t until);
/* Waits so long, ns; or until then at the latest for the condition. peer_pause() returns true. */
bool peer_pause(struct trial *t, int64_t ns);
#define PEER_AWAIT(t, ns, condition) \
	do { \
		const int64_t until_ = clock_monotonic() + (ns); \
		while (!(condition) && peer_turn(t, until_)) \
			; \
	} while (0)

/* A client's socket, connected to the server. NULL when that fails. */
struct peer *peer_open(struct trial *t, unsigned transport);
/* A server's socket at the judge's address. NULL when that fails. */
struct peer *peer_listen(struct trial *t, unsigned transport);
/* The next connection of a listener; NULL while there is none. */
struct peer *peer_accept(struct peer *listener);

bool peer_send(struct peer *p, const void *bytes, size_t n);
/* Sends what the system takes without the peer's reading, at most `n` bytes. */
bool peer_fill(struct peer *p, const void *bytes, size_t n);
/* Waits for a datagram, or for `n` bytes. Returns whether they are there; never fails. */
bool peer_await(struct peer *p, size_t n);
/* Takes what has come, `n` bytes of a stream. */
void peer_take(struct peer *p, size_t n);
/* Waits for these bytes, or for a datagram of them; other bytes fail. */
bool peer_expect(struct peer *p, const void *want, size_t n);
/* Waits for the capitals of what was sent since the last reply. */
bool peer_expect_capitals(struct peer *p);
/* Waits for a client's line, perhaps with an end of line. */
bool peer_expect_request(struct peer *p, const void *want, size_t n);
/* Waits for the end of the stream, with nothing before it. */
bool peer_expect_end(struct peer *p);
/* Fails when more has come than was expected. */
bool peer_expect_nothing(struct peer *p);

/* These always return true. */
bool peer_loosen(struct peer *p);
bool peer_resume(struct peer *p);
/* Ends what it sends, TCP's half-close; resets the connection; closes. */
bool peer_finish(struct peer *p);
bool peer_reset(struct peer *p);
bool peer_close(struct peer *p);
void peer_free(struct peer *p);
