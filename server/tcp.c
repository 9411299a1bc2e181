/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every connection is in two lists: the order in which bytes last moved on them (without an idle
 * timeout: in which they came), whose oldest is the next one to be found idle, and the chain of
 * those whose source has the same hash value, in which the connections of one source are counted. A
 * connection has a buffer of its own only while the client is slower than the server. */
#include "server/tcp.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdalign.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/addr.h"
#include "common/capitals.h"
#include "common/clock.h"
#include "common/file.h"
#include "common/list.h"
#include "common/log.h"
#include "common/os.h"

/* The connections accepted from one listener in one turn; at the end, more than any backlog. */
#define ACCEPTS 16
#define LAST_ACCEPTS 8192
/* When accept() finds no descriptor or no memory, listening pauses: for this time at first, then
 * twice as long each time. */
#define ACCEPT_PAUSE_FIRST (100 * NS_PER_MS)
#define ACCEPT_PAUSE_MAX NS_PER_S
/* How often connections that linger at the end are checked. */
#define LINGER_STEP (10 * NS_PER_MS)
#define CHAINS 1024
/* Reads of unanswered bytes: of a refused client, and at the server's end. */
#define LAST_READS 8

/* Bytes read at once. While the held replies of all clients are PENDING_MAX bytes, a read is short:
 * a thousand clients that do not read their replies then cost that much and at most 24 KiB each. */
#define READ_MAX 262144
#define READ_SHORT 8192
#define PENDING_MAX (UINT64_C(16) << 20)
/* Room also for the bytes that the capitals hold back of the piece before, and for their growth. */
#define OUT_SIZE (CAPITALS_GROWTH * (READ_MAX + 2 * CAPITALS_PART_MAX))
/* In one turn each connection is read once. A connection that fills the buffer is read up to
 * REREADS times more, as long as all together have not been read again REREADS_ALL times: waiting
 * costs more than reading, but datagrams and the other clients wait meanwhile. */
#define REREADS 3
#define REREADS_ALL 16
/* A piece is counted and then capitalized while it is still in the processor's nearest cache. */
#define PIECE 8192

struct connection {
	struct tcp *tcp;
	int fd;
	struct addr peer;
	struct source_key network;
	/* ns: when it came, and when a byte last moved. */
	int64_t since, last_activity;
	LIST_PLACE(connection) order, chain;
	struct capitals capitals;
	/* Nothing more will be read: it ends once all is written. */
	bool ending;
	/* All is written; the system has not sent all yet: `waiting` bytes at the last check. */
	bool draining;
	/* The server ends: only `left` more bytes are read, which had been received by then. */
	bool finishing;
	size_t left;
	/* All is written, sending is shut; it waits until the client's system has all. */
	bool lingering;
	/* Bytes that the kernel did not take: `waiting` from `begin` on, to the end; or NULL. */
	unsigned char *pending;
	size_t begin, waiting;
	uint64_t bytes_in, bytes_out;
};

struct tcp {
	struct loop *loop;
	struct listen *listen;
	struct counters *counters;
	struct siphash_key key;
	const struct settings *settings;
	/* ns without a byte after which a connection ends; 0 for never. */
	int64_t idle;
	/* NULL for no limit. */
	struct rate_limit *rate_limit;
	/* The connection without a byte for the longest time first. */
	LIST_OF(connection, ) order;
	LIST_OF(connection, chain) chains[CHAINS];
	/* The loop's turns, and the last with a new client; how many it accepted at most. */
	uint64_t dispatch_count, accepted_in;
	int max;
	/* Listening pauses until then, CLOCK_NEVER if it does not; the length of the last pause. */
	int64_t accept_after, accept_pause;
	/* The server ends; lingering connections are checked again then. */
	bool finishing;
	int64_t check_again_at;
	/* How many more rereads there may be in the turn that began at `dispatched_at`, ns. */
	int rereads;
	int64_t dispatched_at;
	/* The size of all that is `pending`, bytes. */
	uint64_t pending_bytes;
	alignas(4096) unsigned char in[READ_MAX];
	alignas(4096) unsigned char out[OUT_SIZE];
};

/* The list of those whose network has the same hash value. */
static struct chain *chain_of(struct tcp *t, const struct source_key *network)
{
	return &t->chains[source_key_hash(&t->key, network) % CHAINS];
}

/* How many connections `network` has, counted up to `max`. */
static int64_t count_source(struct tcp *t, const struct source_key *network, int64_t max)
{
	const struct connection *c;
	int64_t found = 0;

	LIST_EACH(c, chain_of(t, network), chain)
	if ((found += source_key_equal(&c->network, network)) >= max)
		break;
	return found;
}

static void watch_listeners(struct tcp *t, unsigned want)
{
	LISTEN_EACH(s, t->listen, SOCK_STREAM)
		loop_want(t->loop, s->fd, want);
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

/* The time at which a byte moved. `now` is the beginning of the turn, which is long ago if this
 * process has been stopped, or its machine: with an idle timeout the clock is read again. */
static int64_t time_of(const struct tcp *t, int64_t now)
{
	return t->idle ? clock_monotonic() : now;
}

/* Bytes were read or written; the connection continues. */
static void note_activity(struct connection *c, int64_t now)
{
	struct tcp *t = c->tcp;

	c->last_activity = time_of(t, now);
	/* Without an idle timeout the order is of arrival; the neighbours are not in the cache. */
	if (!c->order.next || !t->idle)
		return;
	LIST_REMOVE(&t->order, c, order);
	LIST_APPEND(&t->order, c, order);
}

static void drop_pending(struct connection *c)
{
	if (!c->pending)
		return;
	c->tcp->pending_bytes -= c->begin + c->waiting;
	free(c->pending);
	c->pending = NULL;
}

/* The number of written bytes that the client's system has not acknowledged; 0 where that is not
 * known: then the system takes care of them after the close, and nobody counts them. */
static size_t unacknowledged(const struct connection *c)
{
	const int bytes = os_unacknowledged(c->fd);

	return bytes > 0 ? (size_t)bytes : 0;
}

/* The connection is over, for the reason `how`; errno `error` or 0. Closes and frees. */
static void connection_over(struct connection *c, enum counters_end how, int error, int64_t now)
{
	const int64_t age = now > c->since ? now - c->since : 0;
	struct tcp *t = c->tcp;

	if (log_enabled(LOG_LEVEL_PEER))
		log_event(LOG_LEVEL_PEER, "tcp %s: %s%s%s after %.3f s, %llu bytes in, %llu out",
		    ADDR_TEXT(&c->peer), COUNTERS_WORD(tcp_ended, how), error ? ": " : "",
		    error ? strerror(error) : "", (double)age / (double)NS_PER_S,
		    (unsigned long long)c->bytes_in, (unsigned long long)c->bytes_out);
	t->counters->tcp_ended[how]++;
	t->counters->tcp_now--;
	/* The client has not taken these bytes for long; the system must not offer them longer. */
	if (how == COUNTERS_IDLE && (c->pending || unacknowledged(c)))
		setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &(struct linger){ .l_onoff = 1 },
		    sizeof(struct linger));
	loop_remove(t->loop, c->fd);
	close(c->fd);
	drop_pending(c);
	LIST_REMOVE(&t->order, c, order);
	LIST_REMOVE(chain_of(t, &c->network), c, chain);
	free(c);
	/* A descriptor is free again. */
	if (t->accept_after != CLOCK_NEVER)
		listen_again(t);
}

/* Reads bytes without answering them: closing with bytes unread would reset the connection. */
static void discard_input(struct tcp *t, int fd)
{
	for (int i = 0; i < LAST_READS && recv(fd, t->in, READ_MAX, MSG_DONTWAIT) == READ_MAX; i++)
		;
}

/* Whether the error only means that the system is short of memory for a moment. */
static bool must_wait(int error)
{
	return error == EAGAIN || error == EWOULDBLOCK || error == EINTR || error == ENOMEM ||
	       error == ENOBUFS;
}

/* Writes as much as the kernel takes. Returns how much; or -1 with errno: it is broken. */
static ssize_t write_some(struct connection *c, const unsigned char *bytes, size_t n)
{
	ssize_t written = n ? send(c->fd, bytes, n, MSG_NOSIGNAL) : 0;

	if (written < 0)
		return must_wait(errno) ? 0 : -1;
	c->bytes_out += (size_t)written;
	c->tcp->counters->tcp_bytes_out += (size_t)written;
	return written;
}

/* Writes, and keeps the bytes that the kernel does not take. Returns 0, or -1 with errno. */
static int put(struct connection *c, const unsigned char *bytes, size_t n)
{
	ssize_t written = write_some(c, bytes, n);

	if (written < 0)
		return -1;
	n -= (size_t)written;
	if (n == 0)
		return 0;
	c->pending = malloc(n);
	if (!c->pending) {
		errno = ENOMEM;
		return -1;
	}
	memcpy(c->pending, bytes + written, n);
	c->begin = 0;
	c->waiting = n;
	c->tcp->pending_bytes += n;
	return 0;
}

/* Writes pending bytes. Returns 0, or -1 with errno. */
static int put_pending(struct connection *c)
{
	ssize_t written = write_some(c, c->pending + c->begin, c->waiting);

	if (written < 0)
		return -1;
	c->begin += (size_t)written;
	c->waiting -= (size_t)written;
	if (c->waiting == 0)
		drop_pending(c);
	return 0;
}

/* Ends a connection of which all is written and nothing more is read.
 *
 * After a close the system would keep for minutes what the client has no room for, and nobody would
 * count it. So the connection stays until the system has sent all, which is when the descriptor is
 * ready for writing.
 *
 * When the server ends, the client may still be sending: closing with bytes unread, or bytes that
 * come later, would reset the connection and throw away what is on its way to the client. So the
 * connection lingers, and throws away what comes, until the client's system has everything or,
 * where that is not known, until the client ends it too. */
static void end(struct connection *c, int64_t now)
{
	struct tcp *t = c->tcp;

	if (!c->finishing && !c->draining && (c->waiting = unacknowledged(c))) {
		c->draining = true;
		os_limit_unsent(c->fd, 1);
		if (loop_want(t->loop, c->fd, LOOP_WRITE) < 0)
			connection_over(c, COUNTERS_CUT, errno, now);
		else
			note_activity(c, now);
	} else if (!c->finishing) {
		connection_over(c, COUNTERS_CLOSED, 0, now);
	} else if (os_unacknowledged(c->fd) != 0) {
		shutdown(c->fd, SHUT_WR);
		c->lingering = true;
		if (loop_want(t->loop, c->fd, LOOP_READ) < 0)
			connection_over(c, COUNTERS_CUT, errno, now);
	} else {
		shutdown(c->fd, SHUT_WR);
		discard_input(t, c->fd);
		connection_over(c, COUNTERS_STOPPED, 0, now);
	}
}

/* After the last bytes, writes the held-back beginning of an unfinished character, unchanged. */
static int put_end(struct connection *c)
{
	unsigned char rest[CAPITALS_PART_MAX];

	c->ending = true;
	return put(c, rest, capitals_end(&c->capitals, rest));
}

/* Without memory the server cuts the connection; otherwise it was broken off. */
static enum counters_end end_of_error(int error)
{
	return error == ENOMEM ? COUNTERS_CUT : COUNTERS_RESET;
}

/* Bytes have moved: waits for more, or ends. */
static void continue_connection(struct connection *c, int64_t now)
{
	bool last = c->finishing && c->left == 0 && !c->ending && !c->pending;

	if (last && put_end(c) < 0) {
		connection_over(c, end_of_error(errno), errno, now);
	} else if (c->ending && !c->pending) {
		end(c, now);
	} else if (loop_want(c->tcp->loop, c->fd, c->pending ? LOOP_WRITE : LOOP_READ) < 0) {
		connection_over(c, COUNTERS_CUT, errno, now);
	} else {
		note_activity(c, now);
	}
}

/* Puts `n` bytes that were read into capitals and writes them. Returns 0, or -1 with errno. */
static int take(struct connection *c, size_t n)
{
	struct tcp *t = c->tcp;
	size_t written = 0, piece;

	for (size_t at = 0; at < n; at += piece) {
		piece = n - at < PIECE ? n - at : PIECE;
		t->counters->tcp_lines += counters_line_feeds(t->in + at, piece);
		written += capitals_feed(&c->capitals, t->in + at, piece, t->out + written);
	}
	c->bytes_in += n;
	c->left -= c->finishing ? n : 0;
	t->counters->tcp_bytes_in += n;
	return put(c, t->out, written);
}

/* Reads once and answers. Returns whether there may be more to read, and is to be read. */
static bool read_once(struct connection *c, int64_t now)
{
	const size_t size = c->tcp->pending_bytes < PENDING_MAX ? READ_MAX : READ_SHORT;
	const size_t max = c->finishing && c->left < size ? c->left : size;
	ssize_t n = recv(c->fd, c->tcp->in, max, 0);
	int result;

	if (n < 0 && must_wait(errno))
		return false;
	if (n < 0) {
		connection_over(c, COUNTERS_RESET, errno, now);
		return false;
	}
	result = n == 0 ? put_end(c) : take(c, (size_t)n);
	if (result < 0)
		connection_over(c, end_of_error(errno), errno, now);
	else if ((size_t)n == size && !c->pending && !c->finishing)
		return true;
	else
		continue_connection(c, now);
	return false;
}

/* Reads and answers. The connection may be over when this returns. */
static void read_connection(struct connection *c, int64_t now)
{
	struct tcp *t = c->tcp;

	for (int left = REREADS; read_once(c, now); left--) {
		if (t->dispatched_at != now) {
			t->dispatched_at = now;
			t->rereads = REREADS_ALL;
		}
		if (left == 0 || t->rereads == 0) {
			continue_connection(c, now);
			return;
		}
		t->rereads--;
	}
}

static void connection_ready(void *context, int fd, unsigned ready, int64_t now)
{
	struct connection *c = context;

	(void)fd;
	(void)ready;
	if (c->lingering) {
		ssize_t n = recv(c->fd, c->tcp->in, READ_MAX, 0);

		if (n == 0 || (n < 0 && !must_wait(errno)))
			connection_over(c, COUNTERS_STOPPED, 0, now);
	} else if (!c->pending) {
		read_connection(c, now);
	} else if (put_pending(c) < 0) {
		connection_over(c, COUNTERS_RESET, errno, now);
	} else {
		continue_connection(c, now);
	}
}

/* Reads or writes once, without knowing that it can be done. Returns whether bytes moved or the
 * connection is over. Not inline, for tcp_timers(). */
__attribute__((noinline)) static bool try_connection(struct connection *c, int64_t now)
{
	const struct counters *counters = c->tcp->counters;
	const uint64_t in = counters->tcp_bytes_in, out = c->bytes_out, clients = counters->tcp_now;
	const size_t waiting = c->waiting;

	if (c->lingering)
		return false;
	if (c->pending) {
		if (put_pending(c) < 0)
			connection_over(c, COUNTERS_RESET, errno, now);
		else if (c->bytes_out != out)
			continue_connection(c, now);
		else
			return false;
		return true;
	}
	if (c->draining) {
		c->waiting = unacknowledged(c);
		if (c->waiting == waiting)
			return false;
		note_activity(c, now);
		return true;
	}
	read_connection(c, now);
	return counters->tcp_bytes_in != in || counters->tcp_now != clients;
}

/* Answers the bytes received by now and ends the connection. It may be over when this returns. */
static void finish_connection(struct connection *c, int64_t now)
{
	int received = 0;

	if (c->ending || c->finishing)
		return;
	ioctl(c->fd, FIONREAD, &received);
	c->finishing = true;
	c->left = received > 0 ? (size_t)received : 0;
	/* The bytes that wait to be written come first; the loop continues from there. */
	if (c->pending)
		return;
	if (c->left)
		read_connection(c, now);
	else
		continue_connection(c, now);
}

/* Ends a connection so that the client can distinguish it from a broken one. */
static void refuse(struct tcp *t, int fd, const struct addr *from, enum counters_refusal reason)
{
	t->counters->tcp_refused[reason]++;
	log_event(LOG_LEVEL_NOTICE, "tcp %s: refused: %s", ADDR_TEXT(from),
	    COUNTERS_WORD(tcp_refused, reason));
	shutdown(fd, SHUT_WR);
	discard_input(t, fd);
	close(fd);
}

static void serve(struct tcp *t, struct connection *c, int64_t now)
{
	if (!t->listen->prepared)
		listen_prepare(c->fd, t->settings->nagle);
	c->since = c->last_activity = time_of(t, now);
	LIST_APPEND(&t->order, c, order);
	LIST_PREPEND(chain_of(t, &c->network), c, chain);
	t->counters->tcp_clients++;
	t->counters->tcp_now++;
	if (log_enabled(LOG_LEVEL_PEER))
		log_event(LOG_LEVEL_PEER, "tcp %s: connected, %llu now", ADDR_TEXT(&c->peer),
		    (unsigned long long)t->counters->tcp_now);
	/* The client's first bytes are usually there by now. */
	if (!t->finishing)
		read_connection(c, now);
}

/* A new connection: it is served, or refused. */
static void accept_connection(struct tcp *t, int fd, const struct addr *from, int64_t now)
{
	const struct source_key network = source_key_network(from);
	const struct settings *set = t->settings;
	struct connection *c;

	if (t->counters->tcp_now >= (uint64_t)set->max_clients) {
		refuse(t, fd, from, COUNTERS_FULL);
	} else if (t->rate_limit && !rate_limit_take(t->rate_limit, &network, now)) {
		refuse(t, fd, from, COUNTERS_RATE);
	} else if (set->max_per_source &&
	           count_source(t, &network, set->max_per_source) >= set->max_per_source) {
		refuse(t, fd, from, COUNTERS_PER_SOURCE);
	} else if (!(c = calloc(1, sizeof *c))) {
		refuse(t, fd, from, COUNTERS_MEMORY);
	} else if (loop_add_client(t->loop, fd, connection_ready, c) < 0) {
		refuse(t, fd, from, errno == ENOMEM ? COUNTERS_MEMORY : COUNTERS_DESCRIPTOR);
		free(c);
	} else {
		c->tcp = t;
		c->fd = fd;
		c->peer = *from;
		c->network = network;
		serve(t, c, now);
	}
}

/* Errors of a connection before it was accepted (accept(2)); the next accept() can succeed. */
static const int transient_errors[] = { EINTR, ECONNABORTED, EPERM, EPROTO, ENETDOWN, ENOPROTOOPT,
	EHOSTDOWN, EHOSTUNREACH, EOPNOTSUPP, ENETUNREACH, ETIMEDOUT };

static bool is_transient(int error)
{
	for (size_t i = 0; i < sizeof transient_errors / sizeof *transient_errors; i++)
		if (error == transient_errors[i])
			return true;
	return false;
}

/* Accepts up to `max` new connections. */
static void accept_some(struct tcp *t, int listener, int max, int64_t now)
{
	for (int i = 0; i < max; i++) {
		struct addr from = { .len = sizeof from.storage };
		int fd = os_accept(listener, &from.sa, &from.len);

		if (fd >= 0) {
			t->accept_pause = 0;
			accept_connection(t, fd, &from, now);
		} else if (errno == EAGAIN || errno == EWOULDBLOCK) {
			return;
		} else if (!is_transient(errno)) {
			/* Any other error would come again at once: listening pauses as well. */
			accept_pause(t, errno, now);
			return;
		}
	}
}

/* A client that comes alone is accepted without the call that would find no other; while clients
 * come in every turn, twice as many are accepted each time. */
static void listener_ready(void *context, int fd, unsigned ready, int64_t now)
{
	struct tcp *t = context;
	const bool again = t->dispatch_count - t->accepted_in <= 1;

	(void)ready;
	t->max = !again ? 1 : t->max < ACCEPTS ? 2 * t->max : ACCEPTS;
	t->accepted_in = t->dispatch_count;
	accept_some(t, fd, t->max, now);
}

struct tcp *tcp_new(struct loop *loop, struct listen *l, struct counters *counters,
    const struct siphash_key *key, const struct settings *settings)
{
	const int64_t rate = settings->connect_rate;
	struct tcp *t = aligned_alloc(alignof(struct tcp), sizeof *t);

	if (!t)
		return NULL;
	memset(t, 0, sizeof *t);
	t->loop = loop;
	t->listen = l;
	t->counters = counters;
	t->key = *key;
	t->settings = settings;
	t->idle = settings->idle_timeout;
	t->rate_limit = rate ? rate_limit_new(key, rate, RATE_LIMIT_BURST * rate) : NULL;
	if (rate && !t->rate_limit) {
		free(t);
		return NULL;
	}
	t->max = 1;
	t->accept_after = CLOCK_NEVER;
	LISTEN_EACH(s, l, SOCK_STREAM)
		loop_add(loop, s->fd, LOOP_READ, listener_ready, t);
	return t;
}

static void close_listeners(struct tcp *t)
{
	LISTEN_EACH(s, t->listen, SOCK_STREAM) {
		loop_remove(t->loop, s->fd);
		s->fd = file_close(s->fd);
	}
}

void tcp_free(struct tcp *t)
{
	int64_t now = clock_monotonic();
	struct connection *c;

	close_listeners(t);
	while ((c = t->order.first))
		connection_over(c, c->pending ? COUNTERS_CUT : COUNTERS_STOPPED, 0, now);
	free(t->rate_limit);
	free(t);
}

int64_t tcp_deadline(const struct tcp *t)
{
	const struct connection *oldest = t->order.first;
	int64_t idle = t->idle && oldest ? oldest->last_activity + t->idle : CLOCK_NEVER;
	int64_t deadline = idle < t->accept_after ? idle : t->accept_after;

	return t->finishing && t->check_again_at < deadline ? t->check_again_at : deadline;
}

/* Ends the lingering connections whose clients' systems have everything. Not inline, so that a turn
 * that has nothing to do here stays short. */
__attribute__((noinline)) static void check_lingering(struct tcp *t, int64_t now)
{
	struct connection *c, *next;

	t->check_again_at = now + LINGER_STEP;
	for (c = t->order.first; c; c = next) {
		next = c->order.next;
		if (c->lingering && os_unacknowledged(c->fd) == 0)
			connection_over(c, COUNTERS_STOPPED, 0, now);
	}
}

void tcp_timers(struct tcp *t, int64_t now)
{
	struct connection *oldest;

	t->dispatch_count++;
	if (t->accept_after <= now)
		listen_again(t);
	/* After this process has been stopped, there may be bytes that it has not read yet. */
	while (t->idle && (oldest = t->order.first) && now - oldest->last_activity >= t->idle)
		if (!try_connection(oldest, now))
			connection_over(oldest, COUNTERS_IDLE, 0, now);
	if (t->finishing && t->check_again_at <= now)
		check_lingering(t, now);
}

void tcp_finish(struct tcp *t, int64_t now)
{
	struct connection *c, *next;

	t->finishing = true;
	t->check_again_at = now + LINGER_STEP;
	/* The connections in the backlog have also been received. */
	LISTEN_EACH(s, t->listen, SOCK_STREAM)
		accept_some(t, s->fd, LAST_ACCEPTS, now);
	close_listeners(t);
	for (c = t->order.first; c; c = next) {
		next = c->order.next;
		finish_connection(c, now);
	}
}

bool tcp_busy(const struct tcp *t)
{
	return t->order.first != NULL;
}

void tcp_each(const struct tcp *t, int64_t now, control_connection_call *call, void *context)
{
	struct control_connection about;
	const struct connection *c;

	LIST_EACH(c, &t->order, order)
	{
		addr_text(&c->peer, about.peer);
		about.age = now > c->since ? now - c->since : 0;
		about.idle = now > c->last_activity ? now - c->last_activity : 0;
		about.bytes_in = c->bytes_in;
		about.bytes_out = c->bytes_out;
		about.pending = c->pending ? c->waiting : 0;
		os_tcp_read(c->fd, &about.kernel);
		call(context, &about);
	}
}
