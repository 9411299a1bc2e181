/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Replies of one turn stand one behind the other. A run of them that is as long as each other and
 * goes one way leaves as one message, which the system splits again (UDP_SEGMENT), and all messages
 * in as few calls as can be. What the kernel cannot take yet is copied, and from then on everything
 * of that socket waits behind it, so that replies stay in order. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "server/udp-internal.h"

/* What is joined: no more than every kernel splits, no longer than a datagram may be, and of
 * datagrams that fit into the packets of an Ethernet over IPv6, since the kernel will not split
 * into longer ones than the route takes. */
#define JOIN_MAX 64
#define JOIN_BYTES 65000
#define JOIN_EACH 1452
/* How long replies go one by one where the kernel has refused to split: a route has a smaller MTU,
 * a device cannot. */
#define SINGLE_FOR NS_PER_S

void udp_count(struct udp *u, size_t n)
{
	u->counters->udp_datagrams++;
	u->counters->udp_bytes_in += n;
}

/* It has been answered or dropped. Counted only now, so that the sums are right also while a reply
 * waits; but on a link, which may lose or copy what has come, when it comes. */
static void count_settled(struct udp *u, size_t question_size)
{
	if (!u->link)
		udp_count(u, question_size);
}

void udp_drop(struct udp *u, const struct datagram *d, size_t n, enum counters_drop why)
{
	char from[ADDR_TEXT];

	count_settled(u, n);
	u->counters->udp_dropped[why]++;
	/* A link-local source's name is asked of the system: not for nothing, amid a flood. */
	if (log_enabled(LOG_LEVEL_PEER))
		log_event(LOG_LEVEL_PEER, "udp %s: %zu bytes without a reply: %s",
		    addr_text(&d->from, from), n, counters_drop_word(why));
}

static void count_sent(struct udp *u, size_t question_size, size_t n)
{
	count_settled(u, question_size);
	u->counters->udp_replies++;
	u->counters->udp_bytes_out += n;
}

static bool must_wait(int error)
{
	return error == EAGAIN || error == EWOULDBLOCK;
}

/* One reply, one message. */
static int send_one(const struct udp_socket *s, const struct datagram *d, unsigned char *bytes,
    size_t n)
{
	const struct datagram_reply message = { d, bytes, n, n };
	int sent;

	do
		sent = datagram_send(s->at->fd, &message, 1);
	while (sent < 0 && errno == EINTR);
	return sent;
}

/* Sends a reply alone. Returns whether that is settled, one way or the other; if not, the kernel
 * cannot take it yet. */
static bool send_alone(const struct udp_socket *s, const struct datagram *d, size_t question_size,
    unsigned char *bytes, size_t n)
{
	struct udp *u = s->udp;
	int sent = send_one(s, d, bytes, n);

	/* An error that an earlier datagram caused is reported here once, and nothing is sent. */
	if (sent < 0 && !must_wait(errno) && errno != EMSGSIZE) {
		u->counters->udp_errors++;
		sent = send_one(s, d, bytes, n);
	}
	if (sent > 0)
		count_sent(u, question_size, n);
	else if (must_wait(errno))
		return false;
	else
		udp_drop(u, d, question_size,
		    errno == EMSGSIZE ? COUNTERS_TOO_LONG : COUNTERS_UNSENDABLE);
	return true;
}

static void hold(struct udp_socket *s, const struct udp_reply *r)
{
	struct udp_held *held = malloc(sizeof *held + r->n);

	if (!held) {
		udp_drop(s->udp, r->question, r->question_size, COUNTERS_UNSENT);
		return;
	}
	held->next = NULL;
	held->question = *r->question;
	held->question_size = r->question_size;
	held->n = r->n;
	memcpy(held->bytes, r->bytes, r->n);
	if (!s->held) {
		s->held_end = &s->held;
		loop_want(s->udp->loop, s->at->fd, LOOP_WRITE);
	}
	*s->held_end = held;
	s->held_end = &held->next;
}

/* The replies of a message one by one. */
static void send_each(struct udp_socket *s, int message)
{
	struct udp *u = s->udp;

	for (int i = u->firsts[message]; i < u->firsts[message + 1]; i++) {
		struct udp_reply *r = &u->replies[i];

		if (s->held || !send_alone(s, r->question, r->question_size, r->bytes, r->n))
			hold(s, r);
	}
}

/* Messages from `first` on as far as the kernel takes them at once. Returns how many. */
static int send_some(const struct udp_socket *s, int first)
{
	struct udp *u = s->udp;
	int n = datagram_send(s->at->fd, u->messages + first, u->messages_count - first);

	for (int i = first; i < first + n; i++)
		for (int k = u->firsts[i]; k < u->firsts[i + 1]; k++)
			count_sent(u, u->replies[k].question_size, u->replies[k].n);
	return n > 0 ? n : 0;
}

static void send_messages(struct udp_socket *s, int64_t now)
{
	struct udp *u = s->udp;
	int n;

	for (int i = 0; i < u->messages_count; i += n) {
		n = s->held ? 0 : send_some(s, i);
		if (n > 0)
			continue;
		/* Splitting may be what it does not do, and an error may be an earlier datagram's.
		 */
		if (!s->held && !must_wait(errno) && errno != EINTR &&
		    u->firsts[i + 1] - u->firsts[i] > 1)
			s->single_until = now + SINGLE_FOR;
		send_each(s, i);
		n = 1;
	}
	u->messages_count = 0;
}

/* Where the run that begins at reply `first` ends, `end` at most. */
static int run_end(const struct udp_socket *s, int first, int end, int64_t now)
{
	const struct udp_reply *r = &s->udp->replies[first];
	size_t bytes = r->n;
	int i;

	if (!s->support.splits || now < s->single_until || r->n == 0 || r->n > JOIN_EACH)
		return first + 1;
	for (i = first + 1; i < end && i - first < JOIN_MAX; i++) {
		const struct udp_reply *last = &s->udp->replies[i - 1], *next = last + 1;

		bytes += next->n;
		if (last->n != r->n || next->n > r->n || next->n == 0 || bytes > JOIN_BYTES ||
		    next->bytes != last->bytes + last->n ||
		    !datagram_same_way(r->question, next->question))
			break;
	}
	return i;
}

static void add_message(struct udp_socket *s, int first, int end, int64_t now)
{
	struct udp *u = s->udp;
	const struct udp_reply *r = &u->replies[first], *last = &u->replies[end - 1];

	if (u->messages_count == DATAGRAM_BATCH)
		send_messages(s, now);
	u->messages[u->messages_count] = (struct datagram_reply){ r->question, r->bytes,
		(size_t)(last->bytes - r->bytes) + last->n, r->n };
	u->firsts[u->messages_count++] = first;
	u->firsts[u->messages_count] = end;
}

void udp_send(struct udp_socket *s, int64_t now)
{
	struct udp *u = s->udp;
	int end;

	for (int i = 0; i < u->replies_count; i = end) {
		end = run_end(s, i, u->replies_count, now);
		add_message(s, i, end, now);
	}
	send_messages(s, now);
	u->replies_count = 0;
	u->out_used = 0;
}

unsigned char *udp_reply_space(struct udp_socket *s, size_t n, int64_t now)
{
	struct udp *u = s->udp;

	if (sizeof u->out - u->out_used < CAPITALS_GROWTH * n)
		udp_send(s, now);
	return u->out + u->out_used;
}

void udp_reply(struct udp_socket *s, const struct udp_reply *r, int64_t now)
{
	struct udp *u = s->udp;

	u->replies[u->replies_count++] = *r;
	u->out_used = (size_t)(r->bytes - u->out) + r->n;
	if (u->replies_count == UDP_REPLIES)
		udp_send(s, now);
}

bool udp_send_held(struct udp_socket *s)
{
	struct udp_held *first;

	while ((first = s->held)) {
		if (!send_alone(s, &first->question, first->question_size, first->bytes, first->n))
			return false;
		s->held = first->next;
		free(first);
	}
	loop_want(s->udp->loop, s->at->fd, LOOP_READ);
	return true;
}

void udp_drop_held(struct udp_socket *s)
{
	struct udp_held *first;

	while ((first = s->held)) {
		udp_drop(s->udp, &first->question, first->question_size, COUNTERS_UNSENT);
		s->held = first->next;
		free(first);
	}
}
