/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What comes over TCP, split at \n, and when it came. */
#include "config.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "common/clock.h"
#include "common/grow.h"
#include "net/tcp-core.h"
#include "net/tcp-info.h"

/* The reads of one turn. */
#define DISPATCH_READS 8
/* The longest reply line that is kept whole to be compared: capitals of the longest line that can
 * be typed. */
#define REPLY_KEEP (3u * 1024 * 1024)
/* How long after the first reply a close may follow it: the textbook's server closes at once; this
 * allows for a slow machine. */
#define CLOSE_FOLLOWS (50 * NS_PER_MS)

void tcp_end_stall(struct session *s, int64_t at)
{
	struct tcp *t = s->data;

	stall_end(&t->stall, ledger_waiting_since(s->ledger), t->seen.round_trip, at);
}

static void learn_answer(struct session *s)
{
	struct tcp *t = s->data;

	t->answered++;
	t->answered_at = t->read_at;
	if (t->reuse != REUSE_ALWAYS)
		t->probe_until = t->read_at +
		                 (t->reuse == REUSE_NEVER ? TCP_CLOSE_EXPECTED : CLOSE_FOLLOWS);
}

static void deliver(struct session *s, const unsigned char *text, size_t n, bool ended, int64_t at)
{
	struct tcp *t = s->data;
	struct session_reply reply = { .text = text, .length = n };

	reply.matched = ledger_stream_reply(s->ledger, text, n, ended, at);
	s->answered = true;
	/* What no line asked for (a greeting, chatter without end) says nothing about when this
	 * server closes. */
	if (reply.matched.match != MATCH_STRAY) {
		learn_answer(s);
		timestamps_count(&t->timestamps, t->stamped, 1);
	}
	s->hooks.reply(s->hooks.context, &reply);
	t->in_used = 0;
	t->in_long = false;
}

/* A long line is passed on in pieces rather than kept. */
static void keep(struct session *s, const unsigned char *bytes, size_t n)
{
	struct tcp *t = s->data;

	if (t->in_used + n <= REPLY_KEEP &&
	    grow_list(&t->in, &t->in_capacity, t->in_used + n, 1) == 0) {
		memcpy(t->in + t->in_used, bytes, n);
		t->in_used += n;
		return;
	}
	if (t->in_used > 0)
		s->hooks.reply(s->hooks.context,
		    &(struct session_reply){ .text = t->in, .length = t->in_used, .more = true });
	s->hooks.reply(s->hooks.context,
	    &(struct session_reply){ .text = bytes, .length = n, .more = true });
	t->in_used = 0;
	t->in_long = true;
}

static void take_bytes(struct session *s, const unsigned char *bytes, size_t n, int64_t at)
{
	struct tcp *t = s->data;

	while (n > 0) {
		const unsigned char *end = memchr(bytes, '\n', n);
		const size_t length = end ? (size_t)(end - bytes) : n;

		if (!end) {
			keep(s, bytes, n);
			return;
		}
		if (t->in_used == 0) {
			deliver(s, bytes, length, false, at);
		} else {
			keep(s, bytes, length);
			deliver(s, t->in, t->in_used, false, at);
		}
		bytes += length + 1;
		n -= length + 1;
	}
}

/* Segments came out of order since the last read that left nothing behind: the kernel tells when
 * the last one of a read came, but here the one that was missing came after it, and nothing could
 * be read before. */
static bool is_disordered(struct session *s, bool emptied)
{
	struct tcp *t = s->data;
	uint32_t segments = t->disorder;
	bool more;

	(void)tcp_info_disorder(s->fd, &segments);
	more = segments != t->disorder;
	if (emptied)
		t->disorder = segments;
	return more;
}

/* When what was read now came. What was there when the last read left nothing behind, and could not
 * be read then, waited for a segment that was missing. That moment is taken after the look at the
 * counter: what came out of order between the two is either counted by the next look or older than
 * the moment. */
static int64_t arrival(struct session *s, struct msghdr *m, size_t n)
{
	struct tcp *t = s->data;
	const bool emptied = n < sizeof t->buffer, disordered = is_disordered(s, emptied);
	int64_t at = t->read_at;

	t->stamped = !disordered && timestamps_has(&t->timestamps, m);
	if (t->stamped)
		at = timestamps_received(&t->timestamps, m, t->read_at);
	if (t->stamped && at < t->emptied_at) {
		t->stamped = false;
		at = t->read_at;
	}
	/* A stamp in our time may be later than it was by as much as the look at the clocks took.
	 */
	if (emptied)
		t->emptied_at = clock_monotonic() + t->timestamps.bracket;
	return at;
}

/* One read; of what several segments brought, the kernel tells when the last one came. */
static ssize_t read_once(struct session *s, int64_t *at)
{
	struct tcp *t = s->data;
	unsigned char control[256];
	struct iovec part = { .iov_base = t->buffer, .iov_len = sizeof t->buffer };
	struct msghdr m = { .msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof control };
	const ssize_t n = recvmsg(s->fd, &m, 0);

	t->read_at = clock_monotonic();
	*at = t->read_at;
	if (n > 0)
		*at = arrival(s, &m, (size_t)n);
	return n;
}

bool tcp_receive(struct session *s, int *error, int64_t *at)
{
	struct tcp *t = s->data;

	timestamps_sample(&t->timestamps);
	for (int i = 0; i < DISPATCH_READS; i++) {
		const ssize_t n = read_once(s, at);

		if (n > 0) {
			tcp_end_stall(s, *at);
			take_bytes(s, t->buffer, (size_t)n, *at);
			continue;
		}
		*error = n == 0 ? 0 : errno;
		return n < 0 && (*error == EAGAIN || *error == EWOULDBLOCK || *error == EINTR);
	}
	return true;
}

void tcp_receive_end(struct session *s, int64_t now)
{
	struct tcp *t = s->data;

	tcp_end_stall(s, now);
	t->read_at = now;
	t->stamped = false;
	if (t->in_used > 0 || t->in_long)
		deliver(s, t->in, t->in_used, true, now);
}
