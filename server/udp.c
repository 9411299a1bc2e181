/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One buffer for what comes in and one for what goes out serve all datagrams. Only a reply that the kernel cannot take
 * yet is kept apart, one for each socket, which is not read meanwhile: what then comes waits in the kernel's queue. With a
 * link between (--loss and the like) a datagram goes from arrive() to answer() and from there to reply() by way of the
 * link, at once or at a later turn. */
#include "config.h"

#include "udp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "addr.h"
#include "capitals.h"
#include "clock.h"
#include "datagram.h"
#include "guard.h"
#include "impairment.h"
#include "log.h"
#include "peers.h"
#include "quota.h"
#include "source.h"

/* Longer than any datagram. */
#define IN_SIZE 65536
#define OUT_SIZE (CAPITALS_GROWTH * IN_SIZE)
/* Datagrams of one socket in one turn. */
#define TURN 64
/* Turns at the end: more than a receive buffer of some megabytes holds. */
#define LAST_TURNS 1024
/* Datagrams that the link lets through in one turn. */
#define LINK_TURN 256
/* What stands before a datagram's bytes: RFC 768, RFC 791, RFC 8200. */
#define UDP_HEADER 8
#define IPV4_HEADER 20
#define IPV6_HEADER 40

/* A reply that waits for the kernel. */
struct held {
	struct datagram question;
	size_t n;
	unsigned char bytes[];
};

/* What the link keeps of a datagram beside its bytes. */
struct travelling {
	struct udp_socket *socket;
	struct datagram datagram;
};

struct udp_socket {
	struct udp *udp;
	struct listen_socket *at;
	struct held *held;
	/* The kernel's own count of what its queue had no room for, as last told. */
	uint32_t overflowed;
};

struct udp {
	struct loop *loop;
	struct listen *listen;
	struct totals *totals;
	struct peers *peers;
	struct guard *guard;
	/* NULL for no limit. */
	struct quota *quota;
	/* NULL when nothing is impaired. */
	struct impairment *link;
	/* What arrives later than this is left: INT64_MAX until the end. */
	int64_t until;
	struct udp_socket sockets[LISTEN_SOCKETS];
	int count;
	unsigned char in[IN_SIZE], out[OUT_SIZE];
};

/* The next datagram of a socket into `in`. Returns 0, or -1 with errno. */
static int receive(struct udp_socket *s, struct datagram *d)
{
	if (datagram_receive(s->at->fd, s->udp->in, IN_SIZE, d) < 0)
		return -1;
	if (d->tells_overflow) {
		s->udp->totals->udp_overflowed += d->overflowed - s->overflowed;
		s->overflowed = d->overflowed;
	}
	return 0;
}

static void count(struct udp *u, const struct datagram *d)
{
	u->totals->udp_datagrams++;
	u->totals->udp_bytes_in += d->n;
}

/* It has been answered or dropped. Counted only now, so that the sums are right also while a reply waits; but on a link, which
 * may lose or copy what has come, when it comes. */
static void count_settled(struct udp *u, const struct datagram *d)
{
	if (!u->link)
		count(u, d);
}

static void drop(struct udp *u, const struct datagram *d, enum totals_drop why)
{
	char from[ADDR_TEXT];

	count_settled(u, d);
	u->totals->udp_dropped[why]++;
	log_event(LOG_LEVEL_PEER, "udp %s: %zu bytes without a reply: %s", addr_text(&d->from, from), d->n,
	    totals_drop_word(why));
}

static bool must_wait(int error)
{
	return error == EAGAIN || error == EWOULDBLOCK;
}

/* Sends a reply. Returns whether that is settled, one way or the other; if not, the kernel cannot take it yet. */
static bool send_reply(const struct udp_socket *s, struct datagram *d, void *bytes, size_t n)
{
	struct udp *u = s->udp;
	ssize_t sent = datagram_send(s->at->fd, d, bytes, n);

	/* An error that an earlier datagram caused is reported here once, and nothing is sent. */
	if (sent < 0 && !must_wait(errno) && errno != EMSGSIZE) {
		u->totals->udp_errors++;
		sent = datagram_send(s->at->fd, d, bytes, n);
	}
	if (sent >= 0) {
		count_settled(u, d);
		u->totals->udp_replies++;
		u->totals->udp_bytes_out += n;
		return true;
	}
	if (must_wait(errno))
		return false;
	drop(u, d, errno == EMSGSIZE ? TOTALS_TOO_LONG : TOTALS_UNSENDABLE);
	return true;
}

static void hold(struct udp_socket *s, const struct datagram *d, const void *bytes, size_t n)
{
	s->held = malloc(sizeof *s->held + n);
	if (!s->held) {
		drop(s->udp, d, TOTALS_UNSENT);
		return;
	}
	s->held->question = *d;
	s->held->n = n;
	memcpy(s->held->bytes, bytes, n);
	loop_want(s->udp->loop, s->at->fd, LOOP_WRITE);
}

/* Sends a reply, or keeps it until the kernel takes it. */
static void put_reply(struct udp_socket *s, struct datagram *d, void *bytes, size_t n)
{
	if (s->held)
		drop(s->udp, d, TOTALS_UNSENT);
	else if (!send_reply(s, d, bytes, n))
		hold(s, d, bytes, n);
}

static int headers_of(const struct addr *a)
{
	bool ipv4 = a->sa.sa_family == AF_INET || IN6_IS_ADDR_V4MAPPED(&a->in6.sin6_addr);

	return UDP_HEADER + (ipv4 ? IPV4_HEADER : IPV6_HEADER);
}

/* Sends a datagram over the link. Returns how many copies arrive at once. */
static int travel(struct udp_socket *s, const struct datagram *d, enum totals_way_name way, const void *bytes, size_t n,
    int64_t now)
{
	const struct travelling about = {s, *d};
	const struct impairment_load load = {&about, sizeof about, bytes, n, headers_of(&d->from)};
	char from[ADDR_TEXT];
	enum impair_fate fate;
	int at_once = impairment_meet(s->udp->link, way, &load, now, &fate);

	if (fate != IMPAIR_DELIVERED)
		log_event(LOG_LEVEL_PEER, "udp %s: %zu bytes %s: %s", addr_text(&d->from, from), n,
		    way == TOTALS_THERE ? "there" : "back", impair_fate_text(fate));
	return at_once;
}

static void reply(struct udp_socket *s, struct datagram *d, size_t n, int64_t now)
{
	struct udp *u = s->udp;

	for (int i = u->link ? travel(s, d, TOTALS_BACK, u->out, n, now) : 1; i > 0; i--)
		put_reply(s, d, u->out, n);
}

static void note_peer(struct udp *u, const struct datagram *d)
{
	const struct source who = source_of(&d->from);
	char from[ADDR_TEXT];

	if (!peers_note(u->peers, &who))
		return;
	u->totals->udp_clients++;
	log_event(LOG_LEVEL_PEER, "udp %s: first datagram, %zu bytes", addr_text(&d->from, from), d->n);
}

/* Whether a datagram that is its own capitals may be answered. */
static bool is_no_loop(struct udp *u, const struct datagram *d, const void *bytes)
{
	char from[ADDR_TEXT];
	bool news;

	if (guard_loop(u->guard, &d->from, bytes, d->n, d->arrived, clock_realtime(), &news) == GUARD_ANSWER)
		return true;
	if (news)
		log_event(LOG_LEVEL_NOTICE, "udp %s: sends back what it is sent: a loop, silenced", addr_text(&d->from, from));
	drop(u, d, TOTALS_LOOP);
	return false;
}

/* Whether its source has not come too fast. */
static bool is_in_time(struct udp *u, const struct datagram *d, int64_t now)
{
	const struct source who = source_network(&d->from);

	return !u->quota || quota_take(u->quota, &who, now);
}

static void answer(struct udp_socket *s, struct datagram *d, const unsigned char *bytes, int64_t now)
{
	struct udp *u = s->udp;
	const struct guard_origin origin = {&d->from, d->to_group, listen_serves(u->listen, &d->from, now)};
	enum guard_verdict verdict = guard_origin(&origin);
	size_t n;

	if (verdict != GUARD_ANSWER) {
		drop(u, d, (enum totals_drop)verdict);
		return;
	}
	if (!is_in_time(u, d, now)) {
		drop(u, d, TOTALS_TOO_FAST);
		return;
	}
	note_peer(u, d);
	n = capitals_text(bytes, d->n, u->out);
	if (n == d->n && memcmp(bytes, u->out, n) == 0 && !is_no_loop(u, d, bytes))
		return;
	reply(s, d, n, now);
}

/* A datagram was received, into `in`. */
static void arrive(struct udp_socket *s, struct datagram *d, int64_t now)
{
	struct udp *u = s->udp;

	if (u->link)
		count(u, d);
	for (int i = u->link ? travel(s, d, TOTALS_THERE, u->in, d->n, now) : 1; i > 0; i--)
		answer(s, d, u->in, now);
}

static void close_socket(struct udp_socket *s)
{
	if (s->at->fd < 0)
		return;
	loop_remove(s->udp->loop, s->at->fd);
	listen_close_one(s->at);
}

/* Nothing is on the link. */
static bool is_link_empty(const struct udp *u)
{
	return !u->link || (impairment_deadline(u->link, TOTALS_THERE) == CLOCK_NEVER &&
	    impairment_deadline(u->link, TOTALS_BACK) == CLOCK_NEVER);
}

/* At the end, when the socket has been read: it stays open for what is still on the link. */
static void settle(struct udp_socket *s)
{
	if (s->held || s->at->fd < 0)
		return;
	if (is_link_empty(s->udp))
		close_socket(s);
	else
		loop_want(s->udp->loop, s->at->fd, 0);
}

/* Up to a turn's datagrams. Returns whether there may be more at once. */
static bool serve(struct udp_socket *s, int64_t now)
{
	struct udp *u = s->udp;
	struct datagram d;

	for (int i = 0; i < TURN && !s->held; i++) {
		if (receive(s, &d) == 0) {
			if (d.arrived > u->until)
				return false;
			arrive(s, &d, now);
		} else if (must_wait(errno)) {
			return false;
		} else if (errno != EINTR) {
			/* What ICMP told of an earlier reply, or of a network that is down. */
			u->totals->udp_errors++;
		}
	}
	return !s->held;
}

/* Sends the reply that had to wait. Returns whether it is out of the way. */
static bool send_held(struct udp_socket *s)
{
	if (!send_reply(s, &s->held->question, s->held->bytes, s->held->n))
		return false;
	free(s->held);
	s->held = NULL;
	loop_want(s->udp->loop, s->at->fd, LOOP_READ);
	return true;
}

static void socket_ready(void *context, int fd, unsigned ready, int64_t now)
{
	struct udp_socket *s = context;
	bool more;

	(void)fd;
	(void)ready;
	if (s->held && !send_held(s))
		return;
	more = serve(s, now);
	if (!more && s->udp->until != INT64_MAX)
		settle(s);
}

struct udp *udp_new(struct loop *loop, struct listen *l, struct totals *totals, const struct hash_key *key,
    const struct impair_options *link, int64_t rate)
{
	struct udp *u = calloc(1, sizeof *u);

	if (!u)
		return NULL;
	*u = (struct udp){.loop = loop, .listen = l, .totals = totals, .peers = peers_new(key), .guard = guard_new(key),
	    .quota = rate ? quota_new(key, rate, QUOTA_BURST * rate) : NULL,
	    .link = link ? impairment_new(link, totals->udp_ways) : NULL, .until = INT64_MAX};
	if (!u->peers || !u->guard || (rate && !u->quota) || (link && !u->link)) {
		udp_free(u);
		return NULL;
	}
	for (int i = 0; i < l->count; i++) {
		struct udp_socket *s = &u->sockets[u->count];

		if (l->sockets[i].type != SOCK_DGRAM)
			continue;
		*s = (struct udp_socket){.udp = u, .at = &l->sockets[i]};
		datagram_prepare(s->at->fd, s->at->addr.sa.sa_family);
		loop_add(loop, s->at->fd, LOOP_READ, socket_ready, s);
		u->count++;
	}
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
		if (way == TOTALS_THERE) {
			/* It keeps the time at which it was received: what was there before a reply left was not caused by it. */
			answer(t.socket, &t.datagram, bytes, now);
		} else {
			put_reply(t.socket, &t.datagram, bytes, n);
		}
		impairment_arrived(u->link, way);
	}
}

void udp_timers(struct udp *u, int64_t now)
{
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
			drop(u, &t.datagram, TOTALS_UNSENT);
	impairment_free(u->link);
}

void udp_free(struct udp *u)
{
	drop_travelling(u);
	for (int i = 0; i < u->count; i++) {
		if (u->sockets[i].held)
			drop(u, &u->sockets[i].held->question, TOTALS_UNSENT);
		free(u->sockets[i].held);
		close_socket(&u->sockets[i]);
	}
	peers_free(u->peers);
	guard_free(u->guard);
	quota_free(u->quota);
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
