/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One buffer for what is received and one for what is sent serve all datagrams, a batch of one
 * socket at a time. With a link between (--loss and the like) a datagram goes from arrive() to
 * answer() and from there to reply() by way of the link, at once or at a later turn.
 *
 * Replies of one turn stand one behind the other. A run of replies of equal length that go one way
 * leaves as one message, which the system splits again (UDP_SEGMENT), and all messages leave in as
 * few calls as can be. A reply that the kernel cannot take yet is copied and held by its socket.
 * From then on the socket is not read and all its replies wait behind that one, in order. */
#include "server/udp.h"

#include <errno.h>

#include "common/capitals.h"
#include "common/clock.h"
#include "common/file.h"
#include "common/log.h"
#include "server/datagram.h"
#include "server/loop-guard.h"
#include "server/lossy-link.h"

/* Messages of one socket in one turn; fewer while they hold more than TURN_MAX datagrams. */
#define TURN DATAGRAM_BATCH
#define TURN_MIN 4
#define TURN_MAX 256
/* Turns at the end: enough for a receive buffer of some megabytes. */
#define LAST_TURNS 1024
/* Datagrams that arrive over the link in one turn. */
#define LINK_TURN 256
/* Holds a burst of thousands of datagrams. */
#define BUFFER (4 << 20)
/* How often the kernel's count of drops is read. */
#define KERNEL_DROPS_INTERVAL (100 * NS_PER_MS)
/* Headers before a datagram's bytes: RFC 768, RFC 791, RFC 8200. */
#define UDP_HEADER 8
#define IPV4_HEADER 20
#define IPV6_HEADER 40

/* Limits of joined replies: no more than every kernel splits, no longer together than a datagram
 * may be, and each short enough for an Ethernet packet over IPv6, because the kernel does not split
 * into longer packets than the route takes. */
#define JOIN_MAX 64
#define JOIN_BYTES 65000
#define JOIN_EACH 1452
/* How long replies go one by one after a refusal to split: by a route's small MTU, or a device. */
#define SINGLE_FOR NS_PER_S

/* Longer than any datagram. */
#define LONGEST 65536
/* Replies that are kept to be sent together, and their bytes. */
#define REPLIES_MAX 256
#define OUT_SIZE (4 * CAPITALS_GROWTH * LONGEST)

/* A reply that is to be sent. */
struct reply {
	/* The datagram that it answers, and that datagram's length. */
	const struct datagram *request;
	size_t request_size;
	unsigned char *bytes;
	size_t n;
};

/* A reply that waits for the kernel, with the data that it points to. */
struct queued_reply {
	struct queued_reply *next;
	struct reply reply;
	struct datagram request;
	unsigned char bytes[];
};

/* A datagram on the link. */
struct in_flight {
	struct udp_socket *socket;
	/* The length of the request. */
	size_t request_size;
	struct datagram datagram;
	unsigned char bytes[];
};

struct udp_socket {
	struct udp *udp;
	struct listen_socket *at;
	/* In the order of sending; while there are any the socket is not read. */
	struct queued_reply *queued, **queued_end;
	/* The kernel's count of datagrams that found no room in its queue, as last read. */
	uint32_t kernel_drops;
	/* Messages to receive at once: fewer where the kernel joins many datagrams in each. */
	int max;
	/* What the kernel accepts; until when replies are not joined, after a refusal. */
	struct os_batches support;
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
	/* Datagrams that are known to arrive later are left unread: INT64_MAX until the end. */
	int64_t until;
	/* When the kernel's counts were last read; how much of them another worker has counted. */
	int64_t polled_at;
	uint64_t reported;
	struct udp_socket sockets[LISTEN_SOCKETS];
	int count;
	struct datagram_inbox *in;
	/* Replies of one socket, not sent yet: empty outside a turn. */
	struct reply replies[REPLIES_MAX];
	int replies_count;
	/* Their bytes, one behind the other. */
	size_t out_used;
	unsigned char out[OUT_SIZE];
	/* Messages made of them, and where the replies of each begin and end. */
	struct datagram_reply messages[DATAGRAM_BATCH];
	int firsts[DATAGRAM_BATCH + 1];
	int messages_count;
};

/* Counts a datagram when it is answered or dropped, so that the sums are also right while a reply
 * waits. With a link, which may lose or copy it, it was counted when it came. */
static void count_settled(struct udp *u, size_t request_size)
{
	if (u->link)
		return;
	u->counters->udp_datagrams++;
	u->counters->udp_bytes_in += request_size;
}

/* Counts a datagram of `n` bytes that gets no reply. */
static void drop(struct udp *u, const struct datagram *d, size_t n, enum counters_drop reason)
{
	count_settled(u, n);
	u->counters->udp_dropped[reason]++;
	/* Saves work in a flood, such as asking the system for the name of an interface. */
	if (log_enabled(LOG_LEVEL_PEER))
		log_event(LOG_LEVEL_PEER, "udp %s: %zu bytes without a reply: %s",
		    ADDR_TEXT(&d->from), n, COUNTERS_WORD(udp_dropped, reason));
}

static void count_sent(struct udp *u, const struct reply *r)
{
	count_settled(u, r->request_size);
	u->counters->udp_replies++;
	u->counters->udp_bytes_out += r->n;
}

static bool must_wait(int error)
{
	return error == EAGAIN || error == EWOULDBLOCK;
}

/* Sends one reply as one message. Returns 1, or -1 with errno. */
static int send_one(const struct udp_socket *s, const struct reply *r)
{
	const struct datagram_reply message = { r->request, r->bytes, r->n, r->n };
	int sent;

	do
		sent = datagram_send(s->at->fd, &message, 1);
	while (sent < 0 && errno == EINTR);
	return sent;
}

/* Sends a reply alone. Returns whether it is done, sent or dropped; else it must wait. */
static bool send_alone(const struct udp_socket *s, const struct reply *r)
{
	struct udp *u = s->udp;
	int sent = send_one(s, r);

	/* An error that an earlier datagram caused is reported here once, and nothing is sent. */
	if (sent < 0 && !must_wait(errno) && errno != EMSGSIZE) {
		u->counters->udp_errors++;
		sent = send_one(s, r);
	}
	if (sent > 0)
		count_sent(u, r);
	else if (must_wait(errno))
		return false;
	else
		drop(u, r->request, r->request_size,
		    errno == EMSGSIZE ? COUNTERS_TOO_LONG : COUNTERS_UNSENDABLE);
	return true;
}

static void queue_reply(struct udp_socket *s, const struct reply *r)
{
	struct queued_reply *queued = malloc(sizeof *queued + r->n);

	if (!queued) {
		drop(s->udp, r->request, r->request_size, COUNTERS_UNSENT);
		return;
	}
	queued->next = NULL;
	queued->request = *r->request;
	queued->reply = (struct reply){ &queued->request, r->request_size, queued->bytes, r->n };
	memcpy(queued->bytes, r->bytes, r->n);
	if (!s->queued) {
		s->queued_end = &s->queued;
		loop_want(s->udp->loop, s->at->fd, LOOP_WRITE);
	}
	*s->queued_end = queued;
	s->queued_end = &queued->next;
}

static void remove_queued(struct udp_socket *s)
{
	struct queued_reply *first = s->queued;

	s->queued = first->next;
	free(first);
}

/* Sends the replies that had to wait. Returns whether none is left. */
static bool send_queued(struct udp_socket *s)
{
	for (; s->queued; remove_queued(s))
		if (!send_alone(s, &s->queued->reply))
			return false;
	loop_want(s->udp->loop, s->at->fd, LOOP_READ);
	return true;
}

/* Sends messages from `first` on, as many as the kernel takes at once. Returns how many. */
static int send_some(const struct udp_socket *s, int first)
{
	struct udp *u = s->udp;
	int n = datagram_send(s->at->fd, u->messages + first, u->messages_count - first);

	for (int i = first; i < first + n; i++)
		for (int k = u->firsts[i]; k < u->firsts[i + 1]; k++)
			count_sent(u, &u->replies[k]);
	return n > 0 ? n : 0;
}

/* Sends the messages; a message that the kernel does not take is sent reply by reply. */
static void send_messages(struct udp_socket *s, int64_t now)
{
	struct udp *u = s->udp;
	int n;

	for (int i = 0; i < u->messages_count; i += n) {
		n = s->queued ? 0 : send_some(s, i);
		if (n > 0)
			continue;
		/* The kernel may be unable to split, or the error may be an earlier datagram's. */
		if (!s->queued && !must_wait(errno) && errno != EINTR &&
		    u->firsts[i + 1] - u->firsts[i] > 1)
			s->single_until = now + SINGLE_FOR;
		for (int k = u->firsts[i]; k < u->firsts[i + 1]; k++)
			if (s->queued || !send_alone(s, &u->replies[k]))
				queue_reply(s, &u->replies[k]);
		n = 1;
	}
	u->messages_count = 0;
}

/* The end of the run that begins at reply `first`, `end` at most. */
static int run_end(const struct udp_socket *s, int first, int end, int64_t now)
{
	const struct reply *r = &s->udp->replies[first];
	size_t bytes = r->n;
	int i;

	if (!s->support.splits || now < s->single_until || r->n == 0 || r->n > JOIN_EACH)
		return first + 1;
	for (i = first + 1; i < end && i - first < JOIN_MAX; i++) {
		const struct reply *last = &s->udp->replies[i - 1], *next = last + 1;

		bytes += next->n;
		if (last->n != r->n || next->n > r->n || next->n == 0 || bytes > JOIN_BYTES ||
		    next->bytes != last->bytes + last->n ||
		    !datagram_same_way(r->request, next->request))
			break;
	}
	return i;
}

/* Sends the replies that are ready, or holds them until the kernel takes them. */
static void send_replies(struct udp_socket *s, int64_t now)
{
	struct udp *u = s->udp;
	int end;

	for (int i = 0; i < u->replies_count; i = end) {
		const struct reply *first = &u->replies[i], *last;

		end = run_end(s, i, u->replies_count, now);
		last = &u->replies[end - 1];
		if (u->messages_count == DATAGRAM_BATCH)
			send_messages(s, now);
		u->messages[u->messages_count] = (struct datagram_reply){ first->request,
			first->bytes, (size_t)(last->bytes - first->bytes) + last->n, first->n };
		u->firsts[u->messages_count++] = i;
		u->firsts[u->messages_count] = end;
	}
	send_messages(s, now);
	u->replies_count = 0;
	u->out_used = 0;
}

/* The room for the capitals of `n` bytes; replies that are ready may be sent first. */
static unsigned char *reply_space(struct udp_socket *s, size_t n, int64_t now)
{
	struct udp *u = s->udp;

	if (sizeof u->out - u->out_used < CAPITALS_GROWTH * n)
		send_replies(s, now);
	return u->out + u->out_used;
}

/* Adds a reply, its bytes in that space; `request` lives until send_replies(). */
static void add_reply(struct udp_socket *s, const struct reply *r, int64_t now)
{
	struct udp *u = s->udp;

	u->replies[u->replies_count++] = *r;
	u->out_used = (size_t)(r->bytes - u->out) + r->n;
	if (u->replies_count == REPLIES_MAX)
		send_replies(s, now);
}

/* Takes the kernel's count, -1 for none; it may be an old one that came with a datagram. */
static void note_kernel_drops(struct udp_socket *s, int64_t drops)
{
	const uint32_t count = (uint32_t)drops;
	struct udp *u = s->udp;
	uint64_t more = count - s->kernel_drops, reported;

	if (drops < 0 || (int32_t)(count - s->kernel_drops) <= 0)
		return;
	s->kernel_drops = count;
	reported = u->reported < more ? u->reported : more;
	u->reported -= reported;
	u->counters->udp_kernel_drops += more - reported;
}

void udp_inherit(struct udp *u, uint64_t kernel_drops)
{
	u->reported = kernel_drops;
}

void udp_poll_drops(struct udp *u)
{
	for (int i = 0; i < u->count; i++)
		note_kernel_drops(&u->sockets[i], datagram_kernel_drops(u->sockets[i].at->fd));
}

/* Sends a request or its reply over the link. Returns how many copies arrive at once. */
static int send_over_link(struct udp_socket *s, const struct datagram *d, size_t request_size,
    enum link_direction direction, const void *bytes, size_t n, int64_t now)
{
	const bool ipv4 = d->from.sa.sa_family == AF_INET ||
	                  IN6_IS_ADDR_V4MAPPED(&d->from.in6.sin6_addr);
	const struct in_flight about = { s, request_size, *d };
	const struct lossy_link_datagram load = { &about, sizeof about, bytes, n,
		UDP_HEADER + (ipv4 ? IPV4_HEADER : IPV6_HEADER) };
	enum impair_fate fate;
	int at_once = lossy_link_add(s->udp->link, direction, &load, now, &fate);

	if (fate != IMPAIR_DELIVERED && log_enabled(LOG_LEVEL_PEER))
		log_event(LOG_LEVEL_PEER, "udp %s: %zu bytes %s: %s", ADDR_TEXT(&d->from), n,
		    link_direction_names[direction], impair_fates[fate].text);
	return at_once;
}

static void note_peer(struct udp *u, const struct datagram *d, size_t n)
{
	const struct source_key source = source_key_of(&d->from);

	if (!recent_peers_note(u->peers, &source))
		return;
	u->counters->udp_clients++;
	if (log_enabled(LOG_LEVEL_PEER))
		log_event(LOG_LEVEL_PEER, "udp %s: first datagram, %zu bytes", ADDR_TEXT(&d->from),
		    n);
}

static bool is_loop(struct udp *u, const struct loop_guard_origin *o, const unsigned char *bytes,
    size_t n, int64_t now)
{
	bool new_loop;

	if (loop_guard_check(u->loop_guard, o, bytes, n, now, &new_loop) == COUNTERS_ANSWER)
		return false;
	if (new_loop)
		log_event(LOG_LEVEL_NOTICE, "udp %s: sends back what it is sent: a loop, silenced",
		    ADDR_TEXT(o->from));
	return true;
}

/* Answers a datagram, unless there is a reason not to. */
static void answer(struct udp_socket *s, const struct datagram *d, const unsigned char *bytes,
    size_t n, int64_t now)
{
	struct udp *u = s->udp;
	const struct loop_guard_origin origin = { &d->from, d->arrival.local.group,
		listen_serves(u->listen, &d->from, now), d->arrival.ttl, addr_port(&s->at->addr) };
	const enum counters_drop decision = loop_guard_origin(&origin);
	const struct source_key network = source_key_network(&d->from);
	struct reply r = { .request = d, .request_size = n };
	int copies;

	if (decision != COUNTERS_ANSWER) {
		drop(u, d, n, decision);
		return;
	}
	if (u->rate_limit && !rate_limit_take(u->rate_limit, &network, now)) {
		drop(u, d, n, COUNTERS_TOO_FAST);
		return;
	}
	note_peer(u, d, n);
	r.bytes = reply_space(s, n, now);
	r.n = capitals_text(bytes, n, r.bytes);
	if (n == r.n && memcmp(bytes, r.bytes, n) == 0 && is_loop(u, &origin, bytes, n, now)) {
		drop(u, d, n, COUNTERS_LOOP);
		return;
	}
	copies = u->link ? send_over_link(s, d, n, LINK_COMING, r.bytes, r.n, now) : 1;
	for (int i = 0; i < copies; i++)
		add_reply(s, &r, now);
}

/* Handles a datagram that was received. */
static void arrive(struct udp_socket *s, const struct datagram *d, const unsigned char *bytes,
    size_t n, int64_t now)
{
	struct udp *u = s->udp;
	int copies = 1;

	if (u->link) {
		u->counters->udp_datagrams++;
		u->counters->udp_bytes_in += n;
		copies = send_over_link(s, d, n, LINK_GOING, bytes, n, now);
	}
	for (int i = 0; i < copies; i++)
		answer(s, d, bytes, n, now);
}

/* Handles all datagrams of a message. Returns how many. */
static int handle_message(struct udp_socket *s, const struct datagram_message *m, int64_t now)
{
	size_t at = 0, n;
	int count = 0;

	note_kernel_drops(s, m->about.arrival.drops);
	do {
		n = m->each && m->each < m->n - at ? m->each : m->n - at;
		arrive(s, &m->about, m->bytes + at, n, now);
		count++;
	} while ((at += n) < m->n);
	return count;
}

static void close_socket(struct udp_socket *s)
{
	if (s->at->fd < 0)
		return;
	note_kernel_drops(s, datagram_kernel_drops(s->at->fd));
	loop_remove(s->udp->loop, s->at->fd);
	s->at->fd = file_close(s->at->fd);
}

/* Closes a socket that has been read at the end, unless something is still on the link. */
static void close_if_drained(struct udp_socket *s)
{
	if (s->queued || s->at->fd < 0)
		return;
	if (!s->udp->link || (lossy_link_deadline(s->udp->link, LINK_GOING) == CLOCK_NEVER &&
	                         lossy_link_deadline(s->udp->link, LINK_COMING) == CLOCK_NEVER))
		close_socket(s);
	else
		loop_want(s->udp->loop, s->at->fd, 0);
}

/* Serves up to a turn's datagrams. Returns whether there may be more at once. */
static bool serve(struct udp_socket *s, int64_t now)
{
	struct udp *u = s->udp;
	int n = datagram_receive(s->at->fd, u->in, s->max), count = 0;
	bool more = n == s->max;

	if (n < 0) {
		if (errno == EAGAIN || errno == EWOULDBLOCK)
			return false;
		/* ICMP reported about an earlier reply, or the network is down. */
		u->counters->udp_errors += errno != EINTR;
		return true;
	}
	for (int i = 0; i < n; i++) {
		const struct datagram_message *m = datagram_at(u->in, i);

		if (m->about.arrival.stamp > u->until) {
			more = false;
			break;
		}
		count += handle_message(s, m, now);
	}
	send_replies(s, now);
	/* Sets how many messages come next. */
	if (count > TURN_MAX && s->max > TURN_MIN)
		s->max /= 2;
	else if (count <= TURN_MAX / 4 && s->max < TURN)
		s->max *= 2;
	return more && !s->queued;
}

static void socket_ready(void *context, int fd, unsigned ready, int64_t now)
{
	struct udp_socket *s = context;
	bool more;

	(void)fd;
	(void)ready;
	if (s->queued && !send_queued(s))
		return;
	more = serve(s, now);
	if (!more && s->udp->until != INT64_MAX)
		close_if_drained(s);
}

void udp_set_buffers(struct listen *l)
{
	LISTEN_EACH(s, l, SOCK_DGRAM)
		datagram_set_buffers(s->fd, BUFFER);
}

static void add_socket(struct udp *u, struct listen_socket *at)
{
	struct udp_socket *s = &u->sockets[u->count++];
	const struct os_batches *support = &s->support;
	const char *text = ADDR_TEXT(&at->addr);
	int buffer;

	*s = (struct udp_socket){ .udp = u, .at = at, .max = TURN };
	s->support = datagram_prepare(at->fd, &at->addr, LOOP_GUARD_TTL, BUFFER, &buffer);
	if (buffer < BUFFER)
		log_event(LOG_LEVEL_NOTICE,
		    "udp %s: the system gives a receive buffer of %d KiB instead of %d: a burst "
		    "may lose datagrams (raise net.core.rmem_max)",
		    text, buffer >> 10, BUFFER >> 10);
	log_event(LOG_LEVEL_INFO, "udp %s: %s, replies %s, receives %s", text,
	    support->calls ? "recvmmsg and sendmmsg" : "recvmsg and sendmsg",
	    support->splits ? "joined (UDP_SEGMENT)" : "one by one",
	    support->joins ? "joined (UDP_GRO)" : "one by one");
	loop_add(u->loop, at->fd, LOOP_READ, socket_ready, s);
}

struct udp *udp_new(struct loop *loop, struct listen *l, struct counters *counters,
    const struct siphash_key *key, const struct settings *settings)
{
	const bool impaired = !impair_options_perfect(&settings->impair);
	const int64_t rate = settings->datagram_rate;
	struct udp *u = calloc(1, sizeof *u);

	if (!u)
		return NULL;
	u->loop = loop;
	u->listen = l;
	u->counters = counters;
	u->peers = recent_peers_new(key);
	u->loop_guard = loop_guard_new(key);
	u->rate_limit = rate ? rate_limit_new(key, rate, RATE_LIMIT_BURST * rate) : NULL;
	u->in = datagram_inbox_new();
	u->link = impaired ? lossy_link_new(&settings->impair, counters->udp_link) : NULL;
	u->until = INT64_MAX;
	if (!u->peers || !u->loop_guard || !u->in || (rate && !u->rate_limit) ||
	    (impaired && !u->link)) {
		udp_free(u);
		return NULL;
	}
	LISTEN_EACH(s, l, SOCK_DGRAM)
		add_socket(u, s);
	return u;
}

static struct in_flight *in_flight(struct delayed_packet *packet)
{
	return (struct in_flight *)(void *)packet->bytes;
}

/* Handles what has arrived over the link in one direction, until a socket waits for the kernel. */
static void handle_arrived(struct udp *u, enum link_direction direction, int64_t now)
{
	for (int i = 0; i < LINK_TURN && lossy_link_deadline(u->link, direction) <= now; i++) {
		struct delayed_packet *next = lossy_link_next(u->link, direction);
		const struct in_flight *t = in_flight(next);
		const size_t n = next->size - sizeof *t;

		if (t->socket->queued)
			return;
		if (direction == LINK_GOING) {
			answer(t->socket, &t->datagram, t->bytes, n, now);
		} else {
			const struct reply r = { &t->datagram, t->request_size,
				memcpy(reply_space(t->socket, n, now), t->bytes, n), n };

			add_reply(t->socket, &r, now);
		}
		send_replies(t->socket, now);
		lossy_link_remove_next(u->link, direction);
	}
}

void udp_timers(struct udp *u, int64_t now)
{
	if (now - u->polled_at >= KERNEL_DROPS_INTERVAL) {
		u->polled_at = now;
		udp_poll_drops(u);
	}
	if (!u->link)
		return;
	for (int direction = 0; direction < LINK_DIRECTIONS; direction++)
		handle_arrived(u, direction, now);
	for (int i = 0; i < u->count && u->until != INT64_MAX; i++)
		close_if_drained(&u->sockets[i]);
}

int64_t udp_deadline(const struct udp *u)
{
	int64_t deadline = CLOCK_NEVER;

	for (int direction = 0; u->link && direction < LINK_DIRECTIONS; direction++) {
		struct delayed_packet *next = lossy_link_next(u->link, direction);

		/* The loop calls a socket that waits for the kernel. */
		if (next && next->at < deadline && !in_flight(next)->socket->queued)
			deadline = next->at;
	}
	return deadline;
}

void udp_free(struct udp *u)
{
	struct delayed_packet *next;

	/* The end came too soon for what is on the link and what waits for the kernel. */
	for (int direction = 0; u->link && direction < LINK_DIRECTIONS; direction++)
		for (; (next = lossy_link_next(u->link, direction));
		    lossy_link_remove_next(u->link, direction))
			drop(u, &in_flight(next)->datagram, in_flight(next)->request_size,
			    COUNTERS_UNSENT);
	lossy_link_free(u->link);
	for (int i = 0; i < u->count; i++) {
		struct udp_socket *s = &u->sockets[i];

		for (; s->queued; remove_queued(s))
			drop(u, &s->queued->request, s->queued->reply.request_size,
			    COUNTERS_UNSENT);
		close_socket(s);
	}
	free(u->peers);
	free(u->loop_guard);
	free(u->rate_limit);
	free(u->in);
	free(u);
}

void udp_finish(struct udp *u, int64_t now)
{
	u->until = clock_realtime();
	for (int i = 0; i < u->count; i++) {
		struct udp_socket *s = &u->sockets[i];
		bool more = !s->queued;

		for (int turn = 0; more && turn < LAST_TURNS; turn++)
			more = serve(s, now);
		close_if_drained(s);
	}
}

bool udp_busy(const struct udp *u)
{
	for (int i = 0; i < u->count; i++)
		if (u->sockets[i].at->fd >= 0)
			return true;
	return false;
}
