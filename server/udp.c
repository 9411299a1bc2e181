/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One buffer for what comes in and one for what goes out serve all datagrams, a batch of one socket
 * at a time. Only replies that the kernel cannot take yet are kept apart, by socket, which is not
 * read meanwhile: what then comes waits in the kernel's queue. With a link between (--loss and the
 * like) a datagram goes from arrive() to answer() and from there to reply() by way of the link, at
 * once or at a later turn. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "server/rate-limit.h"
#include "server/source-key.h"
#include "server/udp-internal.h"

/* Messages of one socket in one turn; fewer as long as more datagrams than TURN_MAX come in them.
 */
#define TURN DATAGRAM_BATCH
#define TURN_MIN 4
#define TURN_MAX 256
/* Turns at the end: more than a receive buffer of some megabytes holds. */
#define LAST_TURNS 1024
/* Datagrams that the link lets through in one turn. */
#define LINK_TURN 256
/* Holds a burst of thousands of datagrams. */
#define BUFFER (4 << 20)
/* How often the kernel is asked how many it dropped. */
#define KERNEL_DROPS_INTERVAL (100 * NS_PER_MS)
/* What stands before a datagram's bytes: RFC 768, RFC 791, RFC 8200. */
#define UDP_HEADER 8
#define IPV4_HEADER 20
#define IPV6_HEADER 40

/* What the link keeps of a datagram beside its bytes. */
struct travelling {
	struct udp_socket *socket;
	/* How long the question was. */
	size_t question_size;
	struct datagram datagram;
};

/* The kernel's count; one that came with a datagram may be older than one that was asked for. */
static void note_kernel_drops(struct udp_socket *s, uint32_t count)
{
	struct udp *u = s->udp;
	uint64_t more = count - s->kernel_drops, reported;

	if ((int32_t)(count - s->kernel_drops) <= 0)
		return;
	s->kernel_drops = count;
	reported = u->reported < more ? u->reported : more;
	u->reported -= reported;
	u->counters->udp_kernel_drops += more - reported;
}

static void poll_drops(struct udp_socket *s)
{
	uint32_t count;

	if (s->at->fd >= 0 && datagram_kernel_drops(s->at->fd, &count))
		note_kernel_drops(s, count);
}

void udp_inherit(struct udp *u, uint64_t kernel_drops)
{
	u->reported = kernel_drops;
}

void udp_poll_drops(struct udp *u)
{
	for (int i = 0; i < u->count; i++)
		poll_drops(&u->sockets[i]);
}

static int headers_of(const struct addr *a)
{
	bool ipv4 = a->sa.sa_family == AF_INET || IN6_IS_ADDR_V4MAPPED(&a->in6.sin6_addr);

	return UDP_HEADER + (ipv4 ? IPV4_HEADER : IPV6_HEADER);
}

/* Sends a datagram over the link. Returns how many copies arrive at once. */
static int travel(struct udp_socket *s, const struct udp_reply *r,
    enum counters_direction direction, const void *bytes, size_t n, int64_t now)
{
	const struct datagram *d = r->question;
	const struct travelling about = { s, r->question_size, *d };
	const struct lossy_link_datagram load = { &about, sizeof about, bytes, n,
		headers_of(&d->from) };
	char from[ADDR_TEXT];
	enum impair_fate fate;
	int at_once = lossy_link_add(s->udp->link, direction, &load, now, &fate);

	if (fate != IMPAIR_DELIVERED && log_enabled(LOG_LEVEL_PEER))
		log_event(LOG_LEVEL_PEER, "udp %s: %zu bytes %s: %s", addr_text(&d->from, from), n,
		    direction == COUNTERS_THERE ? "there" : "back", impair_fate_text(fate));
	return at_once;
}

/* A reply, in the room for replies. */
static void reply(struct udp_socket *s, const struct udp_reply *r, int64_t now)
{
	for (int i = s->udp->link ? travel(s, r, COUNTERS_BACK, r->bytes, r->n, now) : 1; i > 0;
	    i--)
		udp_reply(s, r, now);
}

static void note_peer(struct udp *u, const struct datagram *d, size_t n)
{
	const struct source_key who = source_key_of(&d->from);
	char from[ADDR_TEXT];

	if (!recent_peers_note(u->peers, &who))
		return;
	u->counters->udp_clients++;
	if (log_enabled(LOG_LEVEL_PEER))
		log_event(LOG_LEVEL_PEER, "udp %s: first datagram, %zu bytes",
		    addr_text(&d->from, from), n);
}

/* Whether its source has not come too fast. */
static bool is_in_time(struct udp *u, const struct datagram *d, int64_t now)
{
	const struct source_key who = source_key_network(&d->from);

	return !u->rate_limit || rate_limit_take(u->rate_limit, &who, now);
}

static bool is_loop(struct udp *u, const struct loop_guard_origin *o, const unsigned char *bytes,
    size_t n, int64_t now)
{
	char from[ADDR_TEXT];
	bool new_loop;

	if (loop_guard_check(u->loop_guard, o, bytes, n, now, &new_loop) == LOOP_GUARD_ANSWER)
		return false;
	if (new_loop)
		log_event(LOG_LEVEL_NOTICE, "udp %s: sends back what it is sent: a loop, silenced",
		    addr_text(o->from, from));
	return true;
}

static void answer(struct udp_socket *s, const struct datagram *d, const unsigned char *bytes,
    size_t n, int64_t now)
{
	struct udp *u = s->udp;
	const struct loop_guard_origin origin = { &d->from, d->to_group,
		listen_serves(u->listen, &d->from, now), d->ttl, addr_port(&s->at->addr) };
	enum loop_guard_decision decision = loop_guard_origin(&origin);
	struct udp_reply r = { .question = d, .question_size = n };

	if (decision != LOOP_GUARD_ANSWER) {
		udp_drop(u, d, n, (enum counters_drop)decision);
		return;
	}
	if (!is_in_time(u, d, now)) {
		udp_drop(u, d, n, COUNTERS_TOO_FAST);
		return;
	}
	note_peer(u, d, n);
	r.bytes = udp_reply_space(s, n, now);
	r.n = capitals_text(bytes, n, r.bytes);
	if (n == r.n && memcmp(bytes, r.bytes, n) == 0 && is_loop(u, &origin, bytes, n, now))
		udp_drop(u, d, n, COUNTERS_LOOP);
	else
		reply(s, &r, now);
}

/* A datagram was received. */
static void arrive(struct udp_socket *s, const struct datagram *d, const unsigned char *bytes,
    size_t n, int64_t now)
{
	struct udp *u = s->udp;
	const struct udp_reply question = { .question = d, .question_size = n };

	if (u->link)
		udp_count(u, n);
	for (int i = u->link ? travel(s, &question, COUNTERS_THERE, bytes, n, now) : 1; i > 0; i--)
		answer(s, d, bytes, n, now);
}

/* All datagrams of a message. Returns how many. */
static int take_apart(struct udp_socket *s, const struct datagram_message *m, int64_t now)
{
	size_t at = 0, n;
	int count = 0;

	if (m->about.has_kernel_drops)
		note_kernel_drops(s, m->about.kernel_drops);
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
	poll_drops(s);
	loop_remove(s->udp->loop, s->at->fd);
	listen_close_one(s->at);
}

/* At the end, when the socket has been read: it stays open for what is still on the link. */
static void settle(struct udp_socket *s)
{
	if (s->held || s->at->fd < 0)
		return;
	if (!s->udp->link || (lossy_link_deadline(s->udp->link, COUNTERS_THERE) == CLOCK_NEVER &&
	                         lossy_link_deadline(s->udp->link, COUNTERS_BACK) == CLOCK_NEVER))
		close_socket(s);
	else
		loop_want(s->udp->loop, s->at->fd, 0);
}

/* How many messages come next, after `count` datagrams came in the last ones. */
static void adapt(struct udp_socket *s, int count)
{
	if (count > TURN_MAX && s->max > TURN_MIN)
		s->max /= 2;
	else if (count <= TURN_MAX / 4 && s->max < TURN)
		s->max *= 2;
}

/* Up to a turn's datagrams. Returns whether there may be more at once. */
static bool serve(struct udp_socket *s, int64_t now)
{
	struct udp *u = s->udp;
	int n = datagram_receive(s->at->fd, u->in, s->max), count = 0;
	bool more = n == s->max;

	if (n < 0) {
		if (errno == EAGAIN || errno == EWOULDBLOCK)
			return false;
		/* What ICMP told of an earlier reply, or of a network that is down. */
		u->counters->udp_errors += errno != EINTR;
		return true;
	}
	for (int i = 0; i < n; i++) {
		const struct datagram_message *m = datagram_at(u->in, i);

		if (m->about.arrived > u->until) {
			more = false;
			break;
		}
		count += take_apart(s, m, now);
	}
	udp_send(s, now);
	adapt(s, count);
	return more && !s->held;
}

static void socket_ready(void *context, int fd, unsigned ready, int64_t now)
{
	struct udp_socket *s = context;
	bool more;

	(void)fd;
	(void)ready;
	if (s->held && !udp_send_held(s))
		return;
	more = serve(s, now);
	if (!more && s->udp->until != INT64_MAX)
		settle(s);
}

/* Less than asked for is less of a burst kept. */
static void log_support(const struct listen_socket *at, const struct mmsg_support *support,
    int buffer)
{
	char text[ADDR_TEXT];

	addr_text(&at->addr, text);
	if (buffer < BUFFER)
		log_event(LOG_LEVEL_NOTICE,
		    "udp %s: the system gives a receive buffer of %d KiB instead of %d: a burst "
		    "may lose "
		    "datagrams (raise net.core.rmem_max)",
		    text, buffer >> 10, BUFFER >> 10);
	log_event(LOG_LEVEL_INFO, "udp %s: %s, replies %s, receives %s", text,
	    support->batches ? "recvmmsg and sendmmsg" : "recvmsg and sendmsg",
	    support->splits ? "joined (UDP_SEGMENT)" : "one by one",
	    support->joins ? "joined (UDP_GRO)" : "one by one");
}

void udp_ask_buffers(const struct listen *l)
{
	for (int i = 0; i < l->count; i++)
		if (l->sockets[i].type == SOCK_DGRAM)
			datagram_ask_buffers(l->sockets[i].fd, BUFFER);
}

static void add_socket(struct udp *u, struct listen_socket *at)
{
	struct udp_socket *s = &u->sockets[u->count++];
	int buffer;

	*s = (struct udp_socket){ .udp = u, .at = at, .max = TURN };
	s->support = datagram_prepare(at->fd, &at->addr, LOOP_GUARD_TTL, BUFFER, &buffer);
	log_support(at, &s->support, buffer);
	loop_add(u->loop, at->fd, LOOP_READ, socket_ready, s);
}

struct udp *udp_new(struct loop *loop, struct listen *l, struct counters *counters,
    const struct siphash_key *key, const struct impair_options *link, int64_t rate)
{
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
	u->link = link ? lossy_link_new(link, counters->udp_link) : NULL;
	u->until = INT64_MAX;
	if (!u->peers || !u->loop_guard || !u->in || (rate && !u->rate_limit) ||
	    (link && !u->link)) {
		udp_free(u);
		return NULL;
	}
	for (int i = 0; i < l->count; i++)
		if (l->sockets[i].type == SOCK_DGRAM)
			add_socket(u, &l->sockets[i]);
	return u;
}

/* The next datagram on the link in one direction, and its bytes; NULL if there is none. */
static unsigned char *first_travelling(const struct udp *u, enum counters_direction direction,
    struct travelling *about, size_t *n)
{
	unsigned char *bytes = lossy_link_next(u->link, direction, n);

	if (!bytes)
		return NULL;
	memcpy(about, bytes, sizeof *about);
	*n -= sizeof *about;
	return bytes + sizeof *about;
}

/* A reply has travelled. */
static void arrive_back(const struct travelling *t, const unsigned char *bytes, size_t n,
    int64_t now)
{
	const struct udp_reply r = { &t->datagram, t->question_size,
		memcpy(udp_reply_space(t->socket, n, now), bytes, n), n };

	udp_reply(t->socket, &r, now);
}

/* Deals with what has arrived over the link in one direction, until a socket has to wait for the
 * kernel. */
static void end_travels(struct udp *u, enum counters_direction direction, int64_t now)
{
	struct travelling t;
	unsigned char *bytes;
	size_t n;

	for (int i = 0; i < LINK_TURN && lossy_link_deadline(u->link, direction) <= now; i++) {
		bytes = first_travelling(u, direction, &t, &n);
		if (t.socket->held)
			return;
		if (direction == COUNTERS_THERE)
			answer(t.socket, &t.datagram, bytes, n, now);
		else
			arrive_back(&t, bytes, n, now);
		udp_send(t.socket, now);
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
	for (int direction = 0; direction < COUNTERS_DIRECTIONS; direction++)
		end_travels(u, direction, now);
	for (int i = 0; i < u->count && u->until != INT64_MAX; i++)
		settle(&u->sockets[i]);
}

int64_t udp_deadline(const struct udp *u)
{
	int64_t deadline = CLOCK_NEVER, arrives;
	struct travelling t;
	size_t n;

	for (int direction = 0; u->link && direction < COUNTERS_DIRECTIONS; direction++) {
		arrives = lossy_link_deadline(u->link, direction);
		/* What has to wait for the kernel is told by the loop. */
		if (arrives < deadline && first_travelling(u, direction, &t, &n) && !t.socket->held)
			deadline = arrives;
	}
	return deadline;
}

/* The end has come too soon for what is on the link. */
static void drop_travelling(struct udp *u)
{
	struct travelling t;
	size_t n;

	for (int direction = 0; u->link && direction < COUNTERS_DIRECTIONS; direction++)
		for (; first_travelling(u, direction, &t, &n);
		    lossy_link_remove_next(u->link, direction))
			udp_drop(u, &t.datagram, t.question_size, COUNTERS_UNSENT);
	lossy_link_free(u->link);
}

void udp_free(struct udp *u)
{
	drop_travelling(u);
	for (int i = 0; i < u->count; i++) {
		udp_drop_held(&u->sockets[i]);
		close_socket(&u->sockets[i]);
	}
	recent_peers_free(u->peers);
	loop_guard_free(u->loop_guard);
	rate_limit_free(u->rate_limit);
	datagram_inbox_free(u->in);
	free(u);
}

void udp_finish(struct udp *u, int64_t now)
{
	u->until = clock_realtime();
	for (int i = 0; i < u->count; i++) {
		struct udp_socket *s = &u->sockets[i];
		bool more = !s->held;

		for (int turn = 0; more && turn < LAST_TURNS; turn++)
			more = serve(s, now);
		settle(s);
	}
}

bool udp_busy(const struct udp *u)
{
	for (int i = 0; i < u->count; i++)
		if (u->sockets[i].at->fd >= 0)
			return true;
	return false;
}
