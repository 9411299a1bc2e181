/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A question begins with its client's name and its number, "c0012 q0000002a ", and the rest follows
 * from these two: a reply says by itself what it must be. Replies to one client come in the order
 * of the questions. */
#include "tests/soak/soak-udp.h"

#include <errno.h>
#include <linux/sock_diag.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define GOOD_MOST 64
#define FLOODERS 32
#define LOOPERS 2
#define SOCKETS (GOOD_MOST + FLOODERS + LOOPERS + 1)
/* "c0012 q0000002a " */
#define HEADER 16
#define LONGEST 65536
/* The longest question: all of its capitals fit into one datagram. */
#define PIECES_MOST 12
#define WINDOW 8
#define PAUSE_MS 20
/* After so long a client asks on. */
#define WAIT (NS_PER_S / 2)
/* Datagrams of a flood in one call, and in one tick. */
#define BATCH 64
#define TICK_MOST 512
#define LOW_PORT 1023
/* Of the largest datagram over IPv4: RFC 768, RFC 791. */
#define DATAGRAM_MOST 65507

enum kind { KIND_GOOD, KIND_FLOODER, KIND_LOOPER, KIND_LOW };

struct udp_socket {
	struct soak_waits waits;
	struct soak_udp *udp;
	enum kind kind;
	unsigned name;
	int fd;
	struct soak_place to;
	/* What the system dropped here, as last told. */
	uint32_t dropped;
	uint64_t sent, received;
	/* Good ones: numbers of the next question, of the one that waits the longest, of the last
	 * one answered + 1. */
	uint32_t next, oldest, after_answered;
	unsigned window;
	int64_t ask_at, waiting_since;
};

struct soak_udp {
	struct soak *soak;
	struct udp_socket sockets[SOCKETS];
	int count;
	struct soak_udp_counts counts;
	struct soak_rate flood, renewal;
	unsigned char in[LONGEST], out[LONGEST], buffer[LONGEST];
	/* What floods send from: anything, what has three times as long capitals, what has none
	 * longer than itself. */
	unsigned char noise[DATAGRAM_MOST], growing[DATAGRAM_MOST], letters[DATAGRAM_MOST];
};

static void socket_ready(struct soak *s, struct soak_waits *w, uint32_t events);

/* Opens the socket of `u`, from a source of its own. Returns 0, or -1. */
static int open_socket(struct soak_udp *u, struct udp_socket *k, uint16_t port)
{
	struct soak *s = u->soak;
	struct sockaddr_in from = soak_source(s);
	struct epoll_event e = { .events = EPOLLIN, .data.ptr = k };
	const int room = 1 << 20;

	from.sin_port = htons(port);
	k->fd = socket(k->to.addr.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (k->fd < 0)
		return -1;
	setsockopt(k->fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
	if ((k->to.addr.ss_family == AF_INET &&
	        bind(k->fd, (const struct sockaddr *)&from, sizeof from) < 0) ||
	    connect(k->fd, (const struct sockaddr *)&k->to.addr, k->to.len) < 0 ||
	    epoll_ctl(s->epoll, EPOLL_CTL_ADD, k->fd, &e) < 0) {
		close(k->fd);
		k->fd = -1;
		return -1;
	}
	k->dropped = 0;
	k->sent = k->received = 0;
	return 0;
}

static void note_dropped(struct udp_socket *k)
{
	uint32_t values[SK_MEMINFO_VARS] = { 0 };
	socklen_t size = sizeof values;

	if (getsockopt(k->fd, SOL_SOCKET, SO_MEMINFO, values, &size) < 0)
		return;
	k->udp->counts.dropped += values[SK_MEMINFO_DROPS] - k->dropped;
	k->dropped = values[SK_MEMINFO_DROPS];
}

/* Sends; what the system does not take was not sent. */
static bool send_one(struct udp_socket *k, const void *bytes, size_t n)
{
	struct soak_udp *u = k->udp;

	if (send(k->fd, bytes, n, 0) != (ssize_t)n) {
		/* What ICMP says of the time before: only a server that is not there would say so.
		 */
		if (errno == ECONNREFUSED)
			soak_fault(u->soak, "udp: the server is not there");
		return false;
	}
	k->sent++;
	u->counts.sent++;
	u->counts.bytes_sent += n;
	return true;
}

/* A question and its answer. Returns the length of the question, in `*n_out` that of the answer. */
static size_t question(struct soak_udp *u, const struct udp_socket *k, uint32_t number,
    size_t *n_out)
{
	const uint64_t key = text_mix(text_mix(u->soak->options.seed, k->name), number);
	const uint64_t n = text_length(u->soak->text, key, key % 4 ? key % 3 : key % PIECES_MOST);
	struct text_place p = { 0 };
	char header[HEADER + 1];

	snprintf(header, sizeof header, "c%04x q%08x ", k->name & 0xffff, number);
	memcpy(u->in, header, HEADER);
	text_take(u->soak->text, key, &p, u->in + HEADER, n);
	*n_out = n;
	return HEADER + n;
}

/* Whether a reply is the one to question `number`. */
static bool is_answer(struct soak_udp *u, const struct udp_socket *k, uint32_t number,
    const unsigned char *bytes, size_t n)
{
	const uint64_t key = text_mix(text_mix(u->soak->options.seed, k->name), number);
	struct text_check check = { .total = 0 };
	char header[HEADER + 1];
	size_t n_out;

	question(u, k, number, &n_out);
	check.total = n_out;
	snprintf(header, sizeof header, "C%04X Q%08X ", k->name & 0xffff, number);
	return n >= HEADER && memcmp(bytes, header, HEADER) == 0 &&
	       text_agrees(u->soak->text, key, &check, bytes + HEADER, n - HEADER) &&
	       text_complete(&check);
}

static void request(struct udp_socket *k)
{
	struct soak *s = k->udp->soak;
	size_t ignored, n;

	if (k->next == k->oldest)
		k->waiting_since = s->now;
	n = question(k->udp, k, k->next, &ignored);
	if (!send_one(k, k->udp->in, n))
		return;
	k->next++;
	k->udp->counts.good_sent++;
	if (k->next - k->oldest >= k->window) {
		k->window = 1 + (unsigned)soak_random(s, WINDOW);
		k->ask_at = s->now + (int64_t)soak_random(s, PAUSE_MS * NS_PER_MS);
	}
}

/* Asks as long as not too much is unanswered. */
static void request_more(struct udp_socket *k)
{
	struct soak *s = k->udp->soak;

	if (k->next != k->oldest &&
	    s->now - k->waiting_since > (int64_t)(WAIT * s->options.patience))
		k->oldest = k->next;
	while (!s->draining && k->next - k->oldest < k->window && k->ask_at <= s->now) {
		uint32_t before = k->next;

		request(k);
		if (k->next == before)
			return;
	}
}

static void take_answer(struct udp_socket *k, size_t n)
{
	struct soak_udp *u = k->udp;
	unsigned name, number;

	u->buffer[n < LONGEST ? n : LONGEST - 1] = '\0';
	if (sscanf((const char *)u->buffer, "C%4X Q%8X ", &name, &number) != 2 ||
	    !is_answer(u, k, number, u->buffer, n)) {
		soak_fault(u->soak, "udp c%04x: a reply of %zu bytes is no answer: \"%.20s\"",
		    k->name, n, u->buffer);
		return;
	}
	if (number >= k->next || number < k->after_answered) {
		soak_fault(u->soak,
		    "udp c%04x: the answer to question %x comes after that to %x, or twice",
		    k->name, number, k->after_answered - 1);
		return;
	}
	u->counts.good_answered++;
	u->counts.late += number < k->oldest;
	k->after_answered = number + 1;
	k->waiting_since = u->soak->now;
	if (k->oldest < k->after_answered)
		k->oldest = k->after_answered;
}

static void receive(struct udp_socket *k)
{
	struct soak_udp *u = k->udp;
	ssize_t n;

	while ((n = recv(k->fd, u->buffer, LONGEST - 1, 0)) >= 0) {
		k->received++;
		u->counts.received++;
		u->counts.bytes_received += (size_t)n;
		if (k->kind == KIND_GOOD)
			take_answer(k, (size_t)n);
		else if (k->kind == KIND_LOOPER && !u->soak->draining)
			u->counts.loops += send_one(k, u->buffer, (size_t)n);
	}
}

static void socket_ready(struct soak *s, struct soak_waits *w, uint32_t events)
{
	struct udp_socket *k = (struct udp_socket *)w;

	(void)s;
	(void)events;
	receive(k);
	if (k->kind == KIND_GOOD)
		request_more(k);
}

/* One of any length, many short ones, some empty, some the longest that there are, some with
 * capitals that are too long. */
static void flood_one(struct udp_socket *k)
{
	struct soak_udp *u = k->udp;
	struct soak *s = u->soak;
	uint64_t kind = soak_random(s, 100);
	size_t n = kind < 5  ? 0
	         : kind < 85 ? soak_random(s, 100)
	         : kind < 97 ? soak_random(s, 1472)
	         : kind < 98 ? DATAGRAM_MOST
	                     : soak_random(s, DATAGRAM_MOST);

	if (kind == 99)
		u->counts.too_long += send_one(k, u->growing,
		    DATAGRAM_MOST - 2 - soak_random(s, DATAGRAM_MOST / 4) * 2);
	else
		send_one(k,
		    (kind < 97 ? u->noise : u->letters) + soak_random(s, DATAGRAM_MOST - n + 1), n);
}

void soak_udp_burst(struct soak_udp *u, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct udp_socket *k = &u->sockets[GOOD_MOST + soak_random(u->soak, FLOODERS)];

		if (k->fd >= 0)
			flood_one(k);
	}
}

/* Another source instead; who is gone is told nothing more. */
static void renew(struct soak_udp *u, struct udp_socket *k)
{
	receive(k);
	note_dropped(k);
	u->counts.abandoned += k->sent - (k->received < k->sent ? k->received : k->sent);
	close(k->fd);
	open_socket(u, k, 0);
}

static void flood(struct soak_udp *u)
{
	struct soak *s = u->soak;
	unsigned allowed = soak_allowed(s, &u->flood),
	         n = allowed < TICK_MOST ? allowed : TICK_MOST;

	/* In bursts. */
	if (n >= BATCH) {
		soak_udp_burst(u, n);
		soak_spend(&u->flood, n);
	}
	if (soak_allowed(s, &u->renewal)) {
		renew(u, &u->sockets[GOOD_MOST + soak_random(s, FLOODERS)]);
		soak_spend(&u->renewal, 1);
	}
}

void soak_udp_turn(struct soak_udp *u)
{
	struct soak *s = u->soak;

	for (int i = 0; i < SOCKETS; i++) {
		struct udp_socket *k = &u->sockets[i];

		if (k->fd < 0 || s->draining)
			continue;
		if (k->kind == KIND_GOOD)
			request_more(k);
		else if (k->kind == KIND_LOOPER && soak_random(s, 100) == 0)
			u->counts.loops += send_one(k, "ROUND AND ROUND", 15);
		else if (k->kind == KIND_LOW && soak_random(s, 20) == 0)
			u->counts.low_port += send_one(k, "from below", 10);
	}
	if (!s->draining)
		flood(u);
}

static void make_noise(struct soak_udp *u)
{
	struct text_place p = { 0 };

	text_take(u->soak->text, 0, &p, u->noise, sizeof u->noise);
	/* U+0390, of two bytes, has capitals of six. */
	for (size_t i = 0; i + 1 < sizeof u->growing; i += 2)
		memcpy(u->growing + i, "\xce\x90", 2);
	memset(u->letters, 'z', sizeof u->letters);
}

static void add(struct soak_udp *u, enum kind kind, unsigned i, bool wanted)
{
	struct soak *s = u->soak;
	struct udp_socket *k = &u->sockets[i];

	*k = (struct udp_socket){ .waits.ready = socket_ready,
		.udp = u,
		.kind = kind,
		.name = i,
		.fd = -1,
		.window = 1,
		.to = kind == KIND_GOOD && s->has_ipv6 && i % 5 == 0 ? s->ipv6 : s->ipv4 };
	/* A low port is for the privileged. */
	if (wanted && open_socket(u, k, kind == KIND_LOW ? LOW_PORT : 0) < 0 && kind != KIND_LOW)
		soak_fault(s, "udp: no socket: %s", strerror(errno));
}

struct soak_udp *soak_udp_new(struct soak *s)
{
	struct soak_udp *u = calloc(1, sizeof *u);
	unsigned i = 0;

	if (!u)
		return NULL;
	u->soak = s;
	u->flood = (struct soak_rate){ .per_second = 20000 * s->options.load, .most = 4096 };
	u->renewal = (struct soak_rate){ .per_second = 5, .most = 1 };
	make_noise(u);
	for (; i < GOOD_MOST; i++)
		add(u, KIND_GOOD, i, i < soak_share(s, GOOD_MOST));
	for (; i < GOOD_MOST + FLOODERS; i++)
		add(u, KIND_FLOODER, i, true);
	for (; i < GOOD_MOST + FLOODERS + LOOPERS; i++)
		add(u, KIND_LOOPER, i, true);
	add(u, KIND_LOW, i, true);
	return u;
}

void soak_udp_free(struct soak_udp *u)
{
	for (int i = 0; u && i < SOCKETS; i++)
		if (u->sockets[i].fd >= 0)
			close(u->sockets[i].fd);
	free(u);
}

const struct soak_udp_counts *soak_udp_counts(struct soak_udp *u)
{
	for (int i = 0; i < SOCKETS; i++)
		if (u->sockets[i].fd >= 0) {
			receive(&u->sockets[i]);
			note_dropped(&u->sockets[i]);
		}
	return &u->counts;
}

void soak_udp_report(struct soak_udp *u)
{
	const struct soak_udp_counts *c = soak_udp_counts(u);

	printf(
	    "soak: udp: %llu sent, %llu replies, %llu dropped here, %llu abandoned; well-behaved: %llu sent, %llu answered, "
	    "%llu of them late; %llu too long, %llu from a low port, %llu of loops; %llu bytes sent, %llu received\n",
	    (unsigned long long)c->sent, (unsigned long long)c->received,
	    (unsigned long long)c->dropped, (unsigned long long)c->abandoned,
	    (unsigned long long)c->good_sent, (unsigned long long)c->good_answered,
	    (unsigned long long)c->late, (unsigned long long)c->too_long,
	    (unsigned long long)c->low_port, (unsigned long long)c->loops,
	    (unsigned long long)c->bytes_sent, (unsigned long long)c->bytes_received);
}
