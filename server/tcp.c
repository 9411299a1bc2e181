/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every connection stands in two lists: the order in which bytes last moved on them (without an
 * idle timeout: in which they came), whose oldest end is the next one to be found idle, and the
 * chain of those whose source has the same hash value, where the connections of one source are
 * counted. */
#include "config.h"

#include "server/tcp.h"

#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/addr.h"
#include "common/clock.h"
#include "common/log.h"
#include "server/sources.h"
#include "server/tcp-connection.h"

/* Accepts of one listener in one turn; at the end, more than any backlog. */
#define ACCEPTS 16
#define LAST_ACCEPTS 8192
/* When accept() finds no descriptor or no memory, listening rests: at first so long, then twice as
 * long each time. */
#define ACCEPT_PAUSE_FIRST (100 * NS_PER_MS)
#define ACCEPT_PAUSE_MAX NS_PER_S
/* How often connections that linger at the end are looked at. */
#define LINGER_STEP (10 * NS_PER_MS)
#define CHAINS 1024
/* Reads of what a refused client has sent already. */
#define REFUSED_READS 8

struct tcp_client {
	/* The first member: a pointer to one is a pointer to the other. */
	struct tcp_connection connection;
	struct source_key peer;
	struct source_key network;
	/* ns: when it came, and when a byte last moved. */
	int64_t since, moved;
	TAILQ_ENTRY(tcp_client) order;
	LIST_ENTRY(tcp_client) chain;
};

struct tcp {
	struct loop *loop;
	struct listen *listen;
	struct counters *counters;
	struct siphash_key key;
	struct tcp_limits limits;
	/* NULL for no limit. */
	struct rate_limit *rate_limit;
	/* The longest without a byte first. */
	TAILQ_HEAD(, tcp_client) order;
	LIST_HEAD(, tcp_client) chains[CHAINS];
	/* The turns of the loop, and the last one in which somebody came; how many were accepted
	 * then at most. */
	uint64_t dispatch_count, accepted_in;
	int max;
	/* Listening rests until then, or CLOCK_NEVER if it does not; the rest before was so long.
	 */
	int64_t accept_after, accept_pause;
	/* The server ends; the connections are looked at again then. */
	bool finishing;
	int64_t check_again_at;
	struct tcp_connection_shared shared;
};

static const char *peer_text(const struct source_key *s, char buf[ADDR_TEXT])
{
	struct addr a = { .len = sizeof a.in6 };

	a.in6.sin6_family = AF_INET6;
	a.in6.sin6_port = htons((uint16_t)s->port);
	a.in6.sin6_scope_id = s->scope;
	memcpy(&a.in6.sin6_addr, s->host, sizeof s->host);
	return addr_text(&a, buf);
}

/* How many connections `network` has, counted up to `max`. */
static int64_t count_source(const struct tcp *t, const struct source_key *network, int64_t max)
{
	const struct tcp_client *c;
	int64_t found = 0;

	LIST_FOREACH(c, &t->chains[source_key_hash(&t->key, network) % CHAINS], chain)
	if ((found += source_key_equal(&c->network, network)) >= max)
		break;
	return found;
}

static void watch_listeners(struct tcp *t, unsigned want)
{
	for (int i = 0; i < t->listen->count; i++)
		if (t->listen->sockets[i].type == SOCK_STREAM && t->listen->sockets[i].fd >= 0)
			loop_want(t->loop, t->listen->sockets[i].fd, want);
}

static void accept_pause(struct tcp *t, int error, int64_t now)
{
	t->accept_pause = t->accept_pause == 0                   ? ACCEPT_PAUSE_FIRST
	                : t->accept_pause < ACCEPT_PAUSE_MAX / 2 ? 2 * t->accept_pause
	                                                         : ACCEPT_PAUSE_MAX;
	t->accept_after = now + t->accept_pause;
	watch_listeners(t, 0);
	log_event(LOG_LEVEL_ERROR, "tcp: cannot accept: %s; new clients wait", strerror(error));
}

static void listen_again(struct tcp *t)
{
	t->accept_after = CLOCK_NEVER;
	if (!t->finishing)
		watch_listeners(t, LOOP_READ);
}

/* Where it ends who is idle: a turn in which this process has stood still (stopped, or its machine)
 * began long ago, and who was served at its end is not idle since then. */
static int64_t time_of(const struct tcp *t, int64_t now)
{
	return t->limits.idle ? clock_monotonic() : now;
}

static void connection_moved(void *context, struct tcp_connection *s, int64_t now)
{
	struct tcp *t = context;
	struct tcp_client *c = (struct tcp_client *)s;

	c->moved = time_of(t, now);
	/* Where nobody is ended as idle the order is that in which they came: its neighbours are
	 * not in the cache. */
	if (!TAILQ_NEXT(c, order) || !t->limits.idle)
		return;
	TAILQ_REMOVE(&t->order, c, order);
	TAILQ_INSERT_TAIL(&t->order, c, order);
}

static void log_end(const struct tcp_client *c, enum counters_end how, int error, int64_t now)
{
	const struct tcp_connection *s = &c->connection;
	const int64_t age = now > c->since ? now - c->since : 0;
	char peer[ADDR_TEXT];

	if (!log_enabled(LOG_LEVEL_PEER))
		return;
	log_event(LOG_LEVEL_PEER, "tcp %s: %s%s%s after %.3f s, %llu bytes in, %llu out",
	    peer_text(&c->peer, peer), counters_end_word(how), error ? ": " : "",
	    error ? strerror(error) : "", (double)age / (double)NS_PER_S,
	    (unsigned long long)s->bytes_in, (unsigned long long)s->bytes_out);
}

static void connection_over(void *context, struct tcp_connection *s, enum counters_end how,
    int error, int64_t now)
{
	struct tcp *t = context;
	struct tcp_client *c = (struct tcp_client *)s;

	log_end(c, how, error, now);
	t->counters->tcp_ended[how]++;
	t->counters->tcp_now--;
	tcp_connection_close(s, how);
	TAILQ_REMOVE(&t->order, c, order);
	LIST_REMOVE(c, chain);
	free(c);
	/* A descriptor is free again. */
	if (t->accept_after != CLOCK_NEVER)
		listen_again(t);
}

/* An end that the client can tell from a broken connection: what it has sent by now is read, for
 * closing with bytes unread would reset the connection. */
static void refuse(struct tcp *t, int fd, const struct source_key *peer, enum counters_refusal why)
{
	char text[ADDR_TEXT];

	t->counters->tcp_refused[why]++;
	log_event(LOG_LEVEL_NOTICE, "tcp %s: refused: %s", peer_text(peer, text),
	    counters_refusal_word(why));
	shutdown(fd, SHUT_WR);
	for (int i = 0; i < REFUSED_READS && recv(fd, t->shared.in, TCP_CONNECTION_IN,
	                                         MSG_DONTWAIT) == TCP_CONNECTION_IN;
	    i++)
		;
	close(fd);
}

static void serve(struct tcp *t, struct tcp_client *c, int64_t now)
{
	char peer[ADDR_TEXT];

	if (!t->listen->prepared)
		listen_prepare(c->connection.fd);
	c->since = c->moved = time_of(t, now);
	TAILQ_INSERT_TAIL(&t->order, c, order);
	LIST_INSERT_HEAD(&t->chains[source_key_hash(&t->key, &c->network) % CHAINS], c, chain);
	t->counters->tcp_clients++;
	t->counters->tcp_now++;
	if (log_enabled(LOG_LEVEL_PEER))
		log_event(LOG_LEVEL_PEER, "tcp %s: connected, %llu now", peer_text(&c->peer, peer),
		    (unsigned long long)t->counters->tcp_now);
	/* What a client sends right after it has connected is mostly there by now. */
	if (!t->finishing)
		tcp_connection_read(&c->connection, now);
}

/* A new connection: it is served, or refused. */
static void accept_connection(struct tcp *t, int fd, const struct addr *from, int64_t now)
{
	const struct source_key peer = source_key_of(from), network = source_key_network(from);
	const struct tcp_limits *limits = &t->limits;
	struct tcp_client *c;

	if (fd >= poller_limit(t->shared.poller)) {
		refuse(t, fd, &peer, COUNTERS_DESCRIPTOR);
	} else if (t->counters->tcp_now >= (uint64_t)limits->clients) {
		refuse(t, fd, &peer, COUNTERS_FULL);
	} else if (t->rate_limit && !rate_limit_take(t->rate_limit, &network, now)) {
		refuse(t, fd, &peer, COUNTERS_RATE);
	} else if (limits->per_source &&
	           count_source(t, &network, limits->per_source) >= limits->per_source) {
		refuse(t, fd, &peer, COUNTERS_PER_SOURCE);
	} else if (!(c = calloc(1, sizeof *c))) {
		refuse(t, fd, &peer, COUNTERS_MEMORY);
	} else if (tcp_connection_open(&c->connection, &t->shared, fd) < 0) {
		refuse(t, fd, &peer, errno == ENOMEM ? COUNTERS_MEMORY : COUNTERS_DESCRIPTOR);
		free(c);
	} else {
		c->peer = peer;
		c->network = network;
		serve(t, c, now);
	}
}

/* What is one connection's own trouble, which it had before it was accepted (accept(2)); the next
 * one is fine. */
static bool is_passing(int error)
{
	switch (error) {
	case EINTR:
	case ECONNABORTED:
	case EPERM:
	case EPROTO:
	case ENETDOWN:
	case ENOPROTOOPT:
	case EHOSTDOWN:
	case ENONET:
	case EHOSTUNREACH:
	case EOPNOTSUPP:
	case ENETUNREACH:
	case ETIMEDOUT:
		return true;
	}
	return false;
}

/* Up to `max` new connections. */
static void accept_some(struct tcp *t, int listener, int max, int64_t now)
{
	for (int i = 0; i < max; i++) {
		struct addr from = { .len = sizeof from.storage };
		int fd = accept4(listener, &from.sa, &from.len, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) {
			t->accept_pause = 0;
			accept_connection(t, fd, &from, now);
		} else if (errno == EAGAIN || errno == EWOULDBLOCK) {
			return;
		} else if (!is_passing(errno)) {
			/* Whatever else it is, it would be there again at once: rest as well. */
			accept_pause(t, errno, now);
			return;
		}
	}
}

/* One who comes alone is accepted without the call that would find no other; while they come turn
 * after turn, twice as many each time. */
static void listener_ready(void *context, int fd, unsigned ready, int64_t now)
{
	struct tcp *t = context;
	const bool again = t->dispatch_count - t->accepted_in <= 1;

	(void)ready;
	t->max = !again ? 1 : t->max < ACCEPTS ? 2 * t->max : ACCEPTS;
	t->accepted_in = t->dispatch_count;
	accept_some(t, fd, t->max, now);
}

struct tcp *tcp_new(struct loop *loop, struct poller *poller, struct listen *l,
    struct counters *counters, const struct siphash_key *key, const struct tcp_limits *limits)
{
	struct tcp *t = aligned_alloc(alignof(struct tcp), sizeof *t);

	if (!t)
		return NULL;
	memset(t, 0, sizeof *t);
	t->loop = loop;
	t->listen = l;
	t->counters = counters;
	t->key = *key;
	t->limits = *limits;
	t->rate_limit = limits->rate
	                  ? rate_limit_new(key, limits->rate, RATE_LIMIT_BURST * limits->rate)
	                  : NULL;
	if (limits->rate && !t->rate_limit) {
		free(t);
		return NULL;
	}
	TAILQ_INIT(&t->order);
	t->max = 1;
	t->accept_after = CLOCK_NEVER;
	t->shared.poller = poller;
	t->shared.counters = counters;
	t->shared.moved = connection_moved;
	t->shared.over = connection_over;
	t->shared.context = t;
	for (int i = 0; i < l->count; i++)
		if (l->sockets[i].type == SOCK_STREAM)
			loop_add(loop, l->sockets[i].fd, LOOP_READ, listener_ready, t);
	return t;
}

static void close_listeners(struct tcp *t)
{
	for (int i = 0; i < t->listen->count; i++) {
		struct listen_socket *s = &t->listen->sockets[i];

		if (s->type != SOCK_STREAM || s->fd < 0)
			continue;
		loop_remove(t->loop, s->fd);
		listen_close_one(s);
	}
}

void tcp_free(struct tcp *t)
{
	int64_t now = clock_monotonic();
	struct tcp_client *c;

	close_listeners(t);
	while ((c = TAILQ_FIRST(&t->order)))
		connection_over(t, &c->connection,
		    c->connection.pending ? COUNTERS_CUT : COUNTERS_STOPPED, 0, now);
	rate_limit_free(t->rate_limit);
	free(t);
}

int64_t tcp_deadline(const struct tcp *t)
{
	const struct tcp_client *oldest = TAILQ_FIRST(&t->order);
	int64_t idle = t->limits.idle && oldest ? oldest->moved + t->limits.idle : CLOCK_NEVER;
	int64_t deadline = idle < t->accept_after ? idle : t->accept_after;

	return t->finishing && t->check_again_at < deadline ? t->check_again_at : deadline;
}

static void check_lingering(struct tcp *t, int64_t now)
{
	struct tcp_client *c, *next;

	t->check_again_at = now + LINGER_STEP;
	for (c = TAILQ_FIRST(&t->order); c; c = next) {
		next = TAILQ_NEXT(c, order);
		tcp_connection_check(&c->connection, now);
	}
}

void tcp_timers(struct tcp *t, int64_t now)
{
	struct tcp_client *oldest;

	t->dispatch_count++;
	if (t->accept_after <= now)
		listen_again(t);
	/* Where this process has stood still itself, bytes may be there that no turn has come to
	 * yet. */
	while (t->limits.idle && (oldest = TAILQ_FIRST(&t->order)) &&
	       now - oldest->moved >= t->limits.idle)
		if (!tcp_connection_try(&oldest->connection, now))
			connection_over(t, &oldest->connection, COUNTERS_IDLE, 0, now);
	if (t->finishing && t->check_again_at <= now)
		check_lingering(t, now);
}

void tcp_finish(struct tcp *t, int64_t now)
{
	struct tcp_client *c, *next;

	t->finishing = true;
	t->check_again_at = now + LINGER_STEP;
	/* Those in the backlog have been received too. */
	for (int i = 0; i < t->listen->count; i++)
		if (t->listen->sockets[i].type == SOCK_STREAM)
			accept_some(t, t->listen->sockets[i].fd, LAST_ACCEPTS, now);
	close_listeners(t);
	for (c = TAILQ_FIRST(&t->order); c; c = next) {
		next = TAILQ_NEXT(c, order);
		tcp_connection_finish(&c->connection, now);
	}
}

bool tcp_busy(const struct tcp *t)
{
	return !TAILQ_EMPTY(&t->order);
}

/* Where tcpi_total_rto, 16 bits, stands in struct tcp_info since Linux 6.7: headers here may be
 * older than the kernel. */
#define TOTAL_RTO_AT 240
#define TOTAL_RTO_END (TOTAL_RTO_AT + sizeof(uint16_t))

static void ask_kernel(int fd, struct control_connection *about)
{
	unsigned char
	    bytes[TOTAL_RTO_END > sizeof about->info ? TOTAL_RTO_END : sizeof about->info] = { 0 };
	socklen_t size = sizeof bytes;
	uint16_t total_rto;

	about->total_rto = -1;
	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, bytes, &size) < 0)
		size = 0;
	about->info_size = size < sizeof about->info ? size : sizeof about->info;
	memcpy(&about->info, bytes, sizeof about->info);
	if (size < TOTAL_RTO_END)
		return;
	memcpy(&total_rto, bytes + TOTAL_RTO_AT, sizeof total_rto);
	about->total_rto = total_rto;
}

static void describe(const struct tcp_client *c, int64_t now, struct control_connection *about)
{
	const struct tcp_connection *s = &c->connection;

	peer_text(&c->peer, about->peer);
	about->age = now > c->since ? now - c->since : 0;
	about->idle = now > c->moved ? now - c->moved : 0;
	about->bytes_in = s->bytes_in;
	about->bytes_out = s->bytes_out;
	about->pending = s->pending ? s->waiting : 0;
	ask_kernel(s->fd, about);
}

void tcp_each(const struct tcp *t, int64_t now, control_connection_call *call, void *context)
{
	struct control_connection about;
	const struct tcp_client *c;

	TAILQ_FOREACH(c, &t->order, order)
	{
		describe(c, now, &about);
		call(context, &about);
	}
}
