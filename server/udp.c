/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One buffer for what comes in and one for what goes out serve all datagrams, a batch of one socket at a time. Only replies
 * that the kernel cannot take yet are kept apart, by socket, which is not read meanwhile: what then comes waits in the
 * kernel's queue. With a link between (--loss and the like) a datagram goes from arrive() to answer() and from there to
 * reply() by way of the link, at once or at a later turn. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "server/rate-limit.h"
#include "server/source-key.h"
#include "server/udp-internal.h"

/* Messages of one socket in one turn; fewer as long as more datagrams than TURN_MOST come in them. */
#define TURN DATAGRAM_BATCH
#define TURN_LEAST 4
#define TURN_MOST 256
/* Turns at the end: more than a receive buffer of some megabytes holds. */
#define LAST_TURNS 1024
/* Datagrams that the link lets through in one turn. */
#define LINK_TURN 256
/* Holds a burst of thousands of datagrams. */
#define BUFFER (4 << 20)
/* How often the kernel is asked how many it dropped. */
#define OVERFLOW_STEP (100 * NS_PER_MS)
/* What stands before a datagram's bytes: RFC 768, RFC 791, RFC 8200. */
#define UDP_HEADER 8
#define IPV4_HEADER 20
#define IPV6_HEADER 40

/* What the link keeps of a datagram beside its bytes. */
struct travelling {
	struct udp_socket *socket;
	/* How long the question was. */
	size_t asked;
	struct datagram datagram;
};

/* The kernel's count; one that came with a datagram may be older than one that was asked for. */
static void note_overflow(struct udp_socket *s, uint32_t count)
{
	struct udp *u = s->udp;
	uint64_t more = count - s->overflowed, told;

	if ((int32_t)(count - s->overflowed) <= 0)
		return;
	s->overflowed = count;
	told = u->told < more ? u->told : more;
	u->told -= told;
	u->totals->udp_overflowed += more - told;
}

static void look(struct udp_socket *s)
{
	uint32_t count;

	if (s->at->fd >= 0 && datagram_overflowed(s->at->fd, &count))
		note_overflow(s, count);
}

void udp_inherit(struct udp *u, uint64_t overflowed)
{
	u->told = overflowed;
}

void udp_look(struct udp *u)
{
	for (int i = 0; i < u->count; i++)
		look(&u->sockets[i]);
}

static int headers_of(const struct addr *a)
{
	bool ipv4 = a->sa.sa_family == AF_INET || IN6_IS_ADDR_V4MAPPED(&a->in6.sin6_addr);

	return UDP_HEADER + (ipv4 ? IPV4_HEADER : IPV6_HEADER);
}

/* Sends a datagram over the link. Returns how many copies arrive at once. */
static int travel(struct udp_socket *s, const struct udp_reply *r, enum totals_way_name way, const void *bytes, size_t n,
    int64_t now)
{
	const struct datagram *d = r->question;
	const struct travelling about = {s, r->asked, *d};
	const struct impairment_load load = {&about, sizeof about, bytes, n, headers_of(&d->from)};
	char from[ADDR_TEXT];
	enum impair_fate fate;
	int at_once = impairment_meet(s->udp->link, way, &load, now, &fate);

	if (fate != IMPAIR_DELIVERED && log_tells(LOG_LEVEL_PEER))
		log_event(LOG_LEVEL_PEER, "udp %s: %zu bytes %s: %s", addr_text(&d->from, from), n,
		    way == TOTALS_THERE ? "there" : "back", impair_fate_text(fate));
	return at_once;
}

/* A reply, in the room for replies. */
static void reply(struct udp_socket *s, const struct udp_reply *r, int64_t now)
{
	for (int i = s->udp->link ? travel(s, r, TOTALS_BACK, r->bytes, r->n, now) : 1; i > 0; i--)
		udp_reply(s, r, now);
}

static void note_peer(struct udp *u, const struct datagram *d, size_t n)
{
	const struct source who = source_of(&d->from);
	char from[ADDR_TEXT];

	if (!peers_note(u->peers, &who))
		return;
	u->totals->udp_clients++;
	if (log_tells(LOG_LEVEL_PEER))
		log_event(LOG_LEVEL_PEER, "udp %s: first datagram, %zu bytes", addr_text(&d->from, from), n);
}

/* Whether its source has not come too fast. */
static bool is_in_time(struct udp *u, const struct datagram *d, int64_t now)
{
	const struct source who = source_network(&d->from);

	return !u->quota || quota_take(u->quota, &who, now);
}

static bool is_loop(struct udp *u, const struct guard_origin *o, const unsigned char *bytes, size_t n, int64_t now)
{
	char from[ADDR_TEXT];
	bool news;

	if (guard_loop(u->guard, o, bytes, n, now, &news) == GUARD_ANSWER)
		return false;
	if (news)
		log_event(LOG_LEVEL_NOTICE, "udp %s: sends back what it is sent: a loop, silenced", addr_text(o->from, from));
	return true;
}

static void answer(struct udp_socket *s, const struct datagram *d, const unsigned char *bytes, size_t n, int64_t now)
{
	struct udp *u = s->udp;
	const struct guard_origin origin = {&d->from, d->to_group, listen_serves(u->listen, &d->from, now), d->ttl,
	    addr_port(&s->at->addr)};
	enum guard_verdict verdict = guard_origin(&origin);
	struct udp_reply r = {.question = d, .asked = n};

	if (verdict != GUARD_ANSWER) {
		udp_drop(u, d, n, (enum totals_drop)verdict);
		return;
	}
	if (!is_in_time(u, d, now)) {
		udp_drop(u, d, n, TOTALS_TOO_FAST);
		return;
	}
	note_peer(u, d, n);
	r.bytes = udp_room(s, n, now);
	r.n = capitals_text(bytes, n, r.bytes);
	if (n == r.n && memcmp(bytes, r.bytes, n) == 0 && is_loop(u, &origin, bytes, n, now))
		udp_drop(u, d, n, TOTALS_LOOP);
	else
		reply(s, &r, now);
}

/* A datagram was received. */
static void arrive(struct udp_socket *s, const struct datagram *d, const unsigned char *bytes, size_t n, int64_t now)
{
	struct udp *u = s->udp;
	const struct udp_reply question = {.question = d, .asked = n};

	if (u->link)
		udp_count(u, n);
	for (int i = u->link ? travel(s, &question, TOTALS_THERE, bytes, n, now) : 1; i > 0; i--)
		answer(s, d, bytes, n, now);
}

/* All datagrams of a message. Returns how many. */
static int take_apart(struct udp_socket *s, const struct datagram_message *m, int64_t now)
{
	size_t at = 0, n;
	int count = 0;

	if (m->about.tells_overflow)
		note_overflow(s, m->about.overflowed);
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
	look(s);
	loop_remove(s->udp->loop, s->at->fd);
	listen_close_one(s->at);
}

/* At the end, when the socket has been read: it stays open for what is still on the link. */
static void settle(struct udp_socket *s)
{
	if (s->held || s->at->fd < 0)
		return;
	if (!s->udp->link || (impairment_deadline(s->udp->link, TOTALS_THERE) == CLOCK_NEVER &&
	    impairment_deadline(s->udp->link, TOTALS_BACK) == CLOCK_NEVER))
		close_socket(s);
	else
		loop_want(s->udp->loop, s->at->fd, 0);
}

/* How many messages come next, after `count` datagrams came in the last ones. */
static void adapt(struct udp_socket *s, int count)
{
	if (count > TURN_MOST && s->most > TURN_LEAST)
		s->most /= 2;
	else if (count <= TURN_MOST / 4 && s->most < TURN)
		s->most *= 2;
}

/* Up to a turn's datagrams. Returns whether there may be more at once. */
static bool serve(struct udp_socket *s, int64_t now)
{
	struct udp *u = s->udp;
	int n = datagram_receive(s->at->fd, u->in, s->most), count = 0;
	bool more = n == s->most;

	if (n < 0) {
		if (errno == EAGAIN || errno == EWOULDBLOCK)
			return false;
		/* What ICMP told of an earlier reply, or of a network that is down. */
		u->totals->udp_errors += errno != EINTR;
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
static void tell_means(const struct listen_socket *at, const struct messages_means *means, int buffer)
{
	char text[ADDR_TEXT];

	addr_text(&at->addr, text);
	if (buffer < BUFFER)
		log_event(LOG_LEVEL_NOTICE, "udp %s: the system gives a receive buffer of %d KiB instead of %d: a burst may lose "
		    "datagrams (raise net.core.rmem_max)", text, buffer >> 10, BUFFER >> 10);
	log_event(LOG_LEVEL_INFO, "udp %s: %s, replies %s, receives %s", text,
	    means->batches ? "recvmmsg and sendmmsg" : "recvmsg and sendmsg",
	    means->splits ? "joined (UDP_SEGMENT)" : "one by one", means->joins ? "joined (UDP_GRO)" : "one by one");
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

	*s = (struct udp_socket){.udp = u, .at = at, .most = TURN};
	s->means = datagram_prepare(at->fd, &at->addr, GUARD_TTL, BUFFER, &buffer);
	tell_means(at, &s->means, buffer);
	loop_add(u->loop, at->fd, LOOP_READ, socket_ready, s);
}

struct udp *udp_new(struct loop *loop, struct listen *l, struct totals *totals, const struct hash_key *key,
    const struct impair_options *link, int64_t rate)
{
	struct udp *u = calloc(1, sizeof *u);

	if (!u)
		return NULL;
	u->loop = loop;
	u->listen = l;
	u->totals = totals;
	u->peers = peers_new(key);
	u->guard = guard_new(key);
	u->quota = rate ? quota_new(key, rate, QUOTA_BURST * rate) : NULL;
	u->in = datagram_inbox_new();
	u->link = link ? impairment_new(link, totals->udp_ways) : NULL;
	u->until = INT64_MAX;
	if (!u->peers || !u->guard || !u->in || (rate && !u->quota) || (link && !u->link)) {
		udp_free(u);
		return NULL;
	}
	for (int i = 0; i < l->count; i++)
		if (l->sockets[i].type == SOCK_DGRAM)
			add_socket(u, &l->sockets[i]);
	return u;
}

/* The next datagram on the link in one direction, and its bytes; NULL if there is none. */
static unsigned char *first_travelling(const struct udp *u, enum totals_way_name way, struct travelling *about, size_t *n)
{
	unsigned char *bytes = impairment_next(u->link, way, n);

	if (!bytes)
		return NULL;
	memcpy(about, bytes, sizeof *about);
	*n -= sizeof *about;
	return bytes + sizeof *about;
}

/* A reply has travelled. */
static void arrive_back(const struct travelling *t, const unsigned char *bytes, size_t n, int64_t now)
{
	const struct udp_reply r = {&t->datagram, t->asked, memcpy(udp_room(t->socket, n, now), bytes, n), n};

	udp_reply(t->socket, &r, now);
}

/* Deals with what has arrived over the link in one direction, until a socket has to wait for the kernel. */
static void end_travels(struct udp *u, enum totals_way_name way, int64_t now)
{
	struct travelling t;
	unsigned char *bytes;
	size_t n;

	for (int i = 0; i < LINK_TURN && impairment_deadline(u->link, way) <= now; i++) {
		bytes = first_travelling(u, way, &t, &n);
		if (t.socket->held)
			return;
		if (way == TOTALS_THERE)
			answer(t.socket, &t.datagram, bytes, n, now);
		else
			arrive_back(&t, bytes, n, now);
		udp_send(t.socket, now);
		impairment_arrived(u->link, way);
	}
}

void udp_timers(struct udp *u, int64_t now)
{
	if (now - u->looked >= OVERFLOW_STEP) {
		u->looked = now;
		udp_look(u);
	}
	if (!u->link)
		return;
	for (int way = 0; way < TOTALS_WAYS; way++)
		end_travels(u, way, now);
	for (int i = 0; i < u->count && u->until != INT64_MAX; i++)
		settle(&u->sockets[i]);
}

int64_t udp_deadline(const struct udp *u)
{
	int64_t deadline = CLOCK_NEVER, arrives;
	struct travelling t;
	size_t n;

	for (int way = 0; u->link && way < TOTALS_WAYS; way++) {
		arrives = impairment_deadline(u->link, way);
		/* What has to wait for the kernel is told by the loop. */
		if (arrives < deadline && first_travelling(u, way, &t, &n) && !t.socket->held)
			deadline = arrives;
	}
	return deadline;
}

/* The end has come too soon for what is on the link. */
static void drop_travelling(struct udp *u)
{
	struct travelling t;
	size_t n;

	for (int way = 0; u->link && way < TOTALS_WAYS; way++)
		for (; first_travelling(u, way, &t, &n); impairment_arrived(u->link, way))
			udp_drop(u, &t.datagram, t.asked, TOTALS_UNSENT);
	impairment_free(u->link);
}

void udp_free(struct udp *u)
{
	drop_travelling(u);
	for (int i = 0; i < u->count; i++) {
		udp_drop_held(&u->sockets[i]);
		close_socket(&u->sockets[i]);
	}
	peers_free(u->peers);
	guard_free(u->guard);
	quota_free(u->quota);
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
