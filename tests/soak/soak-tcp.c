/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A client is a plan and where it stands in it. The text that it sends follows from its key, so
 * that nothing of it is kept: one place in it for what was sent, one for what came back. */
#include "tests/soak/soak-tcp.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define CLIENTS_MOST 16384
/* How long a well-behaved client waits while it is the server's turn. */
#define PATIENCE (15 * NS_PER_S)
/* Connects in one tick: no more than a backlog holds, so that none waits for a SYN to be sent
 * again. */
#define CONNECTS 200
#define IPV6_SHARE 10
/* A flood is so many clients more than the server takes, and stays for so long when all have come.
 */
#define FLOOD_MORE 50
#define FLOOD_HOLDS (100 * NS_PER_MS)
/* Nothing has moved for so long: the server takes no more. */
#define BLOCKED (50 * NS_PER_MS)
/* The server's clock of a connection may have begun so much before ours. */
#define IDLE_MARGIN (200 * NS_PER_MS)

enum end {
	/* Shuts down its side, reads to the end. */
	END_HALF_CLOSE,
	/* Closes when all has come. */
	END_CLOSE,
	/* Breaks off (SO_LINGER of 0) in the middle of sending; with replies unread; after its
	   half-close. */
	END_RESET,
	END_RESET_HALF,
	/* Waits until the server has had enough. */
	END_IDLE,
	/* Holds for a while, and breaks off or closes. */
	END_HOLD,
};

struct plan {
	const char *name;
	/* At once, of a full load. */
	unsigned count;
	/* Bytes to send, or pieces where it ends without a half-close: what ends within a character
	 * stays unanswered. */
	unsigned least, most;
	/* Bytes at once, and pauses between in ms, at most. */
	unsigned chunk, pause;
	/* Bytes read at once, and pauses between. 0: it does not read at all. */
	unsigned read, read_pause;
	/* Of the receive buffer, and of the send buffer of a late one; 0 for the system's. */
	int buffer;
	/* How long it holds at most, ms. */
	unsigned hold;
	enum end end;
	/* Each piece waits for the reply to the one before. */
	bool lockstep;
	/* It does not read before the server takes no more of it, with replies waiting in the
	 * server too. */
	bool late;
};

static const struct plan plans[] = {
	{ "half-close", 60, 1, 1 << 18, 20000, 20, 65536, 0, 0, 0, END_HALF_CLOSE, false, false },
	{ "bulk", 2, 1 << 20, 1 << 23, 65536, 1, 65536, 0, 0, 0, END_HALF_CLOSE, false, false },
	{ "lines", 60, 2, 60, 2000, 50, 65536, 0, 0, 0, END_CLOSE, true, false },
	{ "churn", 30, 1, 1, 2000, 0, 65536, 0, 0, 0, END_CLOSE, false, false },
	{ "byte by byte", 40, 1, 12, 1, 200, 65536, 0, 0, 0, END_HALF_CLOSE, false, false },
	{ "slow reader", 40, 1 << 12, 1 << 19, 65536, 5, 3000, 20, 4096, 0, END_HALF_CLOSE, false,
	    false },
	{ "late reader", 8, 3 << 21, 1 << 23, 65536, 0, 65536, 0, 65536, 0, END_HALF_CLOSE, false,
	    true },
	{ "reset", 40, 1, 1 << 18, 30000, 4, 65536, 2, 0, 0, END_RESET, false, false },
	{ "reset unread", 20, 1, 1 << 19, 65536, 2, 0, 0, 0, 0, END_RESET, false, false },
	{ "reset half-closed", 20, 1, 1 << 16, 30000, 2, 1000, 4, 0, 20, END_RESET_HALF, false,
	    false },
	{ "never reads", 30, 1 << 19, 1 << 23, 65536, 1, 0, 0, 0, 4000, END_HOLD, false, false },
	{ "never reads, idle", 10, 1 << 24, 1 << 24, 65536, 1, 0, 0, 0, 0, END_IDLE, false, false },
	{ "idle", 30, 0, 2, 2000, 10, 65536, 0, 0, 0, END_IDLE, false, false },
	{ "flood", 0, 0, 0, 1, 0, 65536, 0, 0, 0, END_HOLD, false, false },
};
#define PLANS (sizeof plans / sizeof *plans)
#define FLOOD (PLANS - 1)

struct client {
	struct soak_waits waits;
	const struct plan *plan;
	unsigned place;
	int fd;
	uint32_t events;
	bool connecting, shut;
	uint64_t key;
	/* What is to be sent, and was. */
	uint64_t total, sent, received;
	struct text_place out;
	struct text_check in;
	int64_t since, send_at, read_at, end_at, progress;
};

struct soak_tcp {
	struct soak *soak;
	struct client *clients[CLIENTS_MOST];
	unsigned count;
	unsigned now[PLANS];
	uint64_t begun[PLANS], ended[PLANS];
	struct soak_tcp_counts counts;
	struct soak_rate connects;
	/* Which kind is the next to begin. */
	unsigned next;
	/* Of the flood: how many are to come yet, and when the next one begins. */
	unsigned flood;
	int64_t flood_at, flood_until;
	unsigned char buffer[1 << 17];
};

/* Some time from now, or at once when all are to come to their end. */
static int64_t pause_of(struct soak *s, unsigned most_ms)
{
	if (s->draining)
		return s->now;
	return s->now + (int64_t)soak_random(s, most_ms * NS_PER_MS + 1);
}

static bool is_rude(const struct plan *p)
{
	return p->end == END_RESET || p->end == END_RESET_HALF || p->end == END_HOLD ||
	       p->end == END_IDLE;
}

/* Many short ones, few long ones. */
static uint64_t length_of(struct soak *s, const struct plan *p)
{
	unsigned most = p->most;

	while (most / 2 >= p->least && most > 1 && soak_random(s, 3))
		most /= 2;
	return p->least + soak_random(s, most > p->least ? most - p->least + 1 : 1);
}

static void forget(struct soak_tcp *t, struct client *c)
{
	close(c->fd);
	t->now[c->plan - plans]--;
	t->ended[c->plan - plans]++;
	t->clients[c->place] = t->clients[--t->count];
	t->clients[c->place]->place = c->place;
	free(c);
}

static void break_off(struct soak_tcp *t, struct client *c)
{
	const struct linger now = { .l_onoff = 1 };

	setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
	t->counts.resets++;
	forget(t, c);
}

static bool all_sent(const struct client *c)
{
	return c->sent == c->total;
}

static bool may_send(const struct soak *s, const struct client *c)
{
	if (all_sent(c) || c->shut || c->send_at > s->now)
		return false;
	return !c->plan->lockstep || c->in.before == c->sent || c->out.at > 0;
}

/* Has epoll wait for what the client waits for. */
static void watch(struct soak_tcp *t, struct client *c)
{
	struct soak *s = t->soak;
	uint32_t events = c->connecting || may_send(s, c) ? EPOLLOUT : 0;
	struct epoll_event e = { .data.ptr = c };

	if (c->plan->read && !c->connecting && c->read_at <= s->now)
		events |= EPOLLIN;
	if (events == c->events)
		return;
	e.events = c->events = events;
	epoll_ctl(s->epoll, EPOLL_CTL_MOD, c->fd, &e);
}

/* The server has broken it off, or ended it too soon. */
static void ended_early(struct soak_tcp *t, struct client *c, int error)
{
	struct soak *s = t->soak;

	bool waited = s->now - c->since >= s->idle - IDLE_MARGIN;

	if (waited && (c->plan->end == END_IDLE || c->plan->end == END_HOLD))
		t->counts.idle++;
	else if (c->received == 0)
		t->counts.refused++;
	else if (s->stalled < c->since)
		soak_fault(s,
		    "tcp %s: ended by the server after %.3f s, %llu of %llu bytes sent, %llu answered, %llu came: %s",
		    c->plan->name, (double)(s->now - c->since) / 1e9, (unsigned long long)c->sent,
		    (unsigned long long)c->total, (unsigned long long)c->in.before,
		    (unsigned long long)c->received, error ? strerror(error) : "end of file");
	forget(t, c);
}

static void served(struct soak_tcp *t, struct client *c)
{
	t->counts.served++;
	t->counts.half_closed += c->shut;
	forget(t, c);
}

/* Returns whether the client is still there. */
static bool receive(struct soak_tcp *t, struct client *c)
{
	struct soak *s = t->soak;
	ssize_t n = recv(c->fd, t->buffer, 1 + soak_random(s, c->plan->read), 0);

	if (n < 0 && errno == EAGAIN)
		return true;
	if (n <= 0) {
		if (n == 0 && c->shut && text_complete(&c->in))
			served(t, c);
		else
			ended_early(t, c, n < 0 ? errno : 0);
		return false;
	}
	t->counts.bytes_checked += (size_t)n;
	c->received += (size_t)n;
	c->progress = s->now;
	c->read_at = pause_of(s, c->plan->read_pause);
	if (!text_agrees(s->text, c->key, &c->in, t->buffer, (size_t)n)) {
		soak_fault(s, "tcp %s: a reply is wrong, after %llu bytes", c->plan->name,
		    (unsigned long long)c->received);
		forget(t, c);
		return false;
	}
	if (c->plan->end == END_CLOSE && text_complete(&c->in)) {
		served(t, c);
		return false;
	}
	return true;
}

static bool transmit(struct soak_tcp *t, struct client *c)
{
	struct soak *s = t->soak;
	struct text_place p = c->out;
	uint64_t rest = c->total - c->sent;
	size_t n = 1 + soak_random(s, c->plan->chunk);
	ssize_t sent;

	if (c->plan->lockstep && n > text_rest(s->text, c->key, &p))
		n = text_rest(s->text, c->key, &p);
	n = n < rest ? n : rest;
	text_take(s->text, c->key, &p, t->buffer, n);
	sent = send(c->fd, t->buffer, n, MSG_NOSIGNAL);
	if (sent < 0 && errno == EAGAIN)
		return true;
	if (sent < 0) {
		ended_early(t, c, errno);
		return false;
	}
	text_take(s->text, c->key, &c->out, NULL, (size_t)sent);
	c->sent += (size_t)sent;
	t->counts.bytes_sent += (size_t)sent;
	c->progress = s->now;
	c->send_at = pause_of(s, c->plan->pause);
	return true;
}

/* What follows when all is sent. Returns whether the client is still there. */
static bool go_on(struct soak_tcp *t, struct client *c)
{
	enum end end = c->plan->end;

	if (!all_sent(c) || c->shut)
		return true;
	if (end == END_RESET) {
		break_off(t, c);
		return false;
	}
	if (end == END_HALF_CLOSE || end == END_RESET_HALF) {
		shutdown(c->fd, SHUT_WR);
		c->shut = true;
		c->end_at = pause_of(t->soak, c->plan->hold);
	}
	return true;
}

static void connected(struct soak_tcp *t, struct client *c)
{
	c->connecting = false;
	t->counts.connected++;
	c->since = c->progress = t->soak->now;
}

static void client_ready(struct soak *s, struct soak_waits *w, uint32_t events);

static void end_or_go_on(struct soak_tcp *t, struct client *c)
{
	if (go_on(t, c))
		watch(t, c);
}

/* The first word of a connection: it is there, or why not. Returns whether the client goes on. */
static bool finish_connect(struct soak_tcp *t, struct client *c)
{
	int error = 0;
	socklen_t size = sizeof error;

	getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &size);
	if (error == 0) {
		connected(t, c);
		return true;
	}
	/* A refusal of a full server, which has come at once. */
	if (error == ECONNRESET || error == EPIPE) {
		t->counts.connected++;
		ended_early(t, c, error);
		return false;
	}
	soak_fault(t->soak, "tcp %s: connect: %s", c->plan->name, strerror(error));
	forget(t, c);
	return false;
}

/* The soak's only one: epoll gives the client, and the client no more than that. */
struct located {
	struct client client;
	struct soak_tcp *tcp;
};

static void client_ready(struct soak *s, struct soak_waits *w, uint32_t events)
{
	struct client *c = (struct client *)w;
	struct soak_tcp *t = ((struct located *)w)->tcp;

	if (c->connecting && !finish_connect(t, c))
		return;
	/* Both sides have ended: what is left to be read can be read at once, and a reset meets
	 * replies that nobody has read. */
	if ((events & (EPOLLHUP | EPOLLERR)) == EPOLLHUP && c->plan->end == END_RESET_HALF) {
		break_off(t, c);
		return;
	}
	if ((events & (EPOLLIN | EPOLLHUP)) && c->plan->read && !receive(t, c))
		return;
	if ((events & EPOLLOUT) && may_send(s, c) && !transmit(t, c))
		return;
	if ((events & EPOLLERR) || ((events & EPOLLHUP) && !c->plan->read)) {
		int error = 0;
		socklen_t size = sizeof error;

		getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &size);
		ended_early(t, c, error);
		return;
	}
	end_or_go_on(t, c);
}

/* From its own source, so that ports do not run out. Returns 0, or -1. */
static int begin_connect(struct soak *s, int fd, const struct soak_place *to)
{
	const int on = 1;
	const struct sockaddr_in from = soak_source(s);

	if (to->addr.ss_family == AF_INET &&
	    (setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on) < 0 ||
	        bind(fd, (const struct sockaddr *)&from, sizeof from) < 0))
		return -1;
	if (connect(fd, (const struct sockaddr *)&to->addr, to->len) == 0 || errno == EINPROGRESS)
		return 0;
	return -1;
}

static struct client *new_client(struct soak_tcp *t, const struct plan *p, int fd)
{
	struct soak *s = t->soak;
	struct located *l = calloc(1, sizeof *l);
	struct client *c = &l->client;
	uint64_t length = length_of(s, p);

	if (!l)
		abort();
	l->tcp = t;
	*c = (struct client){ .waits.ready = client_ready,
		.plan = p,
		.place = t->count,
		.fd = fd,
		.connecting = true,
		.key = soak_random(s, UINT64_MAX),
		.since = s->now,
		.progress = s->now };
	c->total = p->end == END_CLOSE || (p->end == END_IDLE && p->read)
	             ? text_length(s->text, c->key, length)
	             : length;
	c->in.total = c->total;
	c->end_at = pause_of(s, p->hold);
	c->read_at = p->late ? INT64_MAX : 0;
	t->clients[t->count++] = c;
	return c;
}

static void connect_one(struct soak_tcp *t, const struct plan *p)
{
	struct soak *s = t->soak;
	const struct soak_place *to = s->has_ipv6 && soak_random(s, 100) < IPV6_SHARE ? &s->ipv6
	                                                                              : &s->ipv4;
	int fd = socket(to->addr.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct epoll_event e = { .events = EPOLLOUT };
	struct client *c;

	if (fd >= 0 && p->buffer)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &p->buffer, sizeof p->buffer);
	if (fd >= 0 && p->late)
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &p->buffer, sizeof p->buffer);
	if (fd < 0 || begin_connect(s, fd, to) < 0) {
		t->counts.unconnected++;
		if (fd >= 0)
			close(fd);
		return;
	}
	c = new_client(t, p, fd);
	e.data.ptr = c;
	c->events = e.events;
	epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &e);
	t->now[p - plans]++;
	t->begun[p - plans]++;
}

static void begin(struct soak_tcp *t, const struct plan *p)
{
	if (t->count == CLIENTS_MOST) {
		t->counts.unconnected++;
		return;
	}
	connect_one(t, p);
}

/* The well-behaved one that waits too long. */
static void check_patience(struct soak_tcp *t, struct client *c)
{
	struct soak *s = t->soak;

	if (is_rude(c->plan) || s->now - c->progress < (int64_t)(PATIENCE * s->options.patience))
		return;
	soak_fault(s,
	    "tcp %s: nothing moves: connecting %d, %llu of %llu bytes sent, %llu answered",
	    c->plan->name, c->connecting, (unsigned long long)c->sent, (unsigned long long)c->total,
	    (unsigned long long)c->in.before);
	forget(t, c);
}

static void tend(struct soak_tcp *t, struct client *c)
{
	struct soak *s = t->soak;
	enum end end = c->plan->end;

	/* What it sends may find room for so long that the server, which waits for it to read,
	 * takes it for idle. */
	if (c->plan->late &&
	    (all_sent(c) || s->now - c->progress > BLOCKED || s->now - c->since > s->idle / 4))
		c->read_at = c->read_at < s->now ? c->read_at : s->now;
	if (c->connecting) {
		check_patience(t, c);
	} else if (end == END_HOLD &&
	           s->now >= (c->plan == &plans[FLOOD] ? t->flood_until : c->end_at)) {
		if (soak_random(s, 2)) {
			break_off(t, c);
		} else {
			t->counts.left++;
			forget(t, c);
		}
	} else if (end == END_RESET_HALF && c->shut && s->now >= c->end_at) {
		break_off(t, c);
	} else if (end == END_IDLE &&
	           s->now - c->progress > (int64_t)(s->idle + PATIENCE * s->options.patience)) {
		soak_fault(s, "tcp %s: the server has not ended it after %.3f s", c->plan->name,
		    (double)(s->now - c->progress) / 1e9);
		forget(t, c);
	} else if (end == END_RESET && !c->plan->read && s->now - c->progress > NS_PER_S / 4) {
		/* The server takes no more of it. */
		break_off(t, c);
	} else {
		watch(t, c);
		check_patience(t, c);
	}
}

/* From time to time more clients than the server takes. */
static void flood(struct soak_tcp *t)
{
	struct soak *s = t->soak;
	int64_t workers = s->options.workers ? s->options.workers : 1;

	if (s->now < t->flood_at)
		return;
	t->flood_at = s->now + (s->options.duration < 40 * NS_PER_S ? s->options.duration / 4
	                                                            : 10 * NS_PER_S);
	t->flood = (unsigned)(s->options.max_clients * workers) + FLOOD_MORE;
	t->flood_until = INT64_MAX;
}

static void begin_more(struct soak_tcp *t)
{
	struct soak *s = t->soak;
	unsigned allowed = soak_allowed(s, &t->connects), used = 0;

	for (unsigned i = 0; i < soak_share(s, CONNECTS) && t->flood > 0; i++, t->flood--)
		begin(t, &plans[FLOOD]);
	if (t->flood == 0 && t->flood_until == INT64_MAX)
		t->flood_until = s->now + FLOOD_HOLDS;
	/* Each kind in its turn, so that the short-lived ones leave something of the rate to the
	 * others. */
	for (unsigned full = 0; used < allowed && full < FLOOD; t->next = (t->next + 1) % FLOOD) {
		if (t->now[t->next] >= soak_share(s, plans[t->next].count)) {
			full++;
			continue;
		}
		begin(t, &plans[t->next]);
		full = 0;
		used++;
	}
	soak_spend(&t->connects, used);
}

void soak_tcp_turn(struct soak_tcp *t)
{
	if (!t->soak->draining) {
		flood(t);
		begin_more(t);
	}
	for (unsigned i = t->count; i-- > 0;)
		tend(t, t->clients[i]);
}

unsigned soak_tcp_drain(struct soak_tcp *t)
{
	for (unsigned i = t->count; i-- > 0;) {
		struct client *c = t->clients[i];

		if (is_rude(c->plan) && !c->connecting)
			break_off(t, c);
	}
	return t->count;
}

struct soak_tcp *soak_tcp_new(struct soak *s)
{
	struct soak_tcp *t = calloc(1, sizeof *t);

	if (!t)
		return NULL;
	t->soak = s;
	t->connects.per_second = 1500 * s->options.load;
	t->connects.most = CONNECTS / 2;
	t->flood_at = s->now + NS_PER_S / 2;
	return t;
}

void soak_tcp_free(struct soak_tcp *t)
{
	while (t && t->count)
		forget(t, t->clients[0]);
	free(t);
}

const struct soak_tcp_counts *soak_tcp_counts(const struct soak_tcp *t)
{
	return &t->counts;
}

unsigned soak_tcp_now(const struct soak_tcp *t)
{
	return t->count;
}

void soak_tcp_report(const struct soak_tcp *t)
{
	const struct soak_tcp_counts *c = &t->counts;

	printf(
	    "soak: tcp: %llu connected, %llu could not be, %llu served whole, %llu refused, %llu ended as idle, %llu reset, "
	    "%llu left; %llu bytes sent, %llu checked\n",
	    (unsigned long long)c->connected, (unsigned long long)c->unconnected,
	    (unsigned long long)c->served, (unsigned long long)c->refused,
	    (unsigned long long)c->idle, (unsigned long long)c->resets, (unsigned long long)c->left,
	    (unsigned long long)c->bytes_sent, (unsigned long long)c->bytes_checked);
	printf("soak: tcp clients by kind:");
	for (size_t i = 0; i < PLANS; i++)
		printf("%s %s %llu", i ? "," : "", plans[i].name, (unsigned long long)t->begun[i]);
	printf("\n");
}
