/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "checker/peer.h"

#include <netinet/tcp.h>

#include "common/capitals.h"
#include "common/file.h"
#include "common/grow.h"
#include "common/os.h"

/* More than the largest datagram; what may wait unread of a stream; bytes. */
#define READ_SIZE 65536
#define UNREAD_MAX (64u << 20)
/* How often one looks whether the lab's link has lost a datagram. */
#define LOSS_STEP (50 * NS_PER_MS)
/* The time to connect: where a listener's queue is full, TCP waits 1 s, 2 s, 4 s between SYNs. */
#define CONNECT_TIME (10 * NS_PER_S)
/* The time for the rest of a wrong reply to come, for the reason. */
#define REST_TIME (100 * NS_PER_MS)

/* Its number in the transcript; 0 for the only one, and for the judged client's. */
static int number(const struct peer *p)
{
	const struct trial *t = p->trial;

	return t->options->client ? (p == t->peer ? 0 : p->number)
	     : t->peer_count > 1  ? p->number
	                          : 0;
}

static void log_bytes(const struct peer *p, bool sent, const void *bytes, size_t n)
{
	if (n > 0 || p->transport == CASE_UDP)
		trial_log(p->trial, sent, number(p), bytes, n);
}

static void log_came(const struct peer *p)
{
	log_bytes(p, false, p->x.came.at, p->x.came.n);
}

/* --- turns --- */

static void watch(const struct peer *p, struct fd_watch *w)
{
	if (p->sending)
		fd_watch_write(w, p->fd);
	if (!p->paused && !p->x.ended && !p->error && !p->has_datagram && p->x.came.n <= UNREAD_MAX)
		fd_watch_read(w, p->fd);
}

static void receive(struct peer *p)
{
	const bool udp = p->transport == CASE_UDP;
	struct bytes *in = &p->x.came;
	ssize_t n;

	if (grow_list(&in->at, &in->capacity, in->n + READ_SIZE, 1) < 0)
		return;
	p->from.len = sizeof p->from.storage;
	n = recvfrom(p->fd, in->at + in->n, READ_SIZE, 0, &p->from.sa, &p->from.len);
	if (n < 0 && errno != EAGAIN && errno != EINTR)
		p->error = errno;
	if (n < 0)
		return;
	in->n += (size_t)n;
	p->has_datagram = udp;
	p->x.ended = !udp && n == 0;
}

/* Whether there is time until then, in the case's time too. */
static bool is_in_time(const struct trial *t, int64_t until)
{
	const int64_t now = clock_monotonic();

	return now < until && now < t->deadline && !*t->stop;
}

bool peer_turn(struct trial *t, int64_t until)
{
	struct fd_watch w;
	struct timespec ts;
	sigset_t none;

	if (!is_in_time(t, until))
		return false;
	fd_watch_start(&w);
	fd_watch_until(&w, until);
	fd_watch_until(&w, t->deadline);
	program_watch(&t->program, &w);
	for (int i = 0; i < t->peer_count; i++)
		watch(t->peers[i], &w);
	sigemptyset(&none);
	if (pselect(w.count, &w.readable, &w.writable, NULL,
	        clock_until(w.deadline, clock_monotonic(), &ts), &none) < 0)
		return true;
	program_dispatch(&t->program, &w);
	for (int i = 0; i < t->peer_count; i++)
		if (fd_watch_can_read(&w, t->peers[i]->fd) && !t->peers[i]->listens)
			receive(t->peers[i]);
	return true;
}

bool peer_pause(struct trial *t, int64_t ns)
{
	PEER_AWAIT(t, ns, false);
	return true;
}

/* --- making and ending --- */

/* A socket of this host; or, in a lab, of the far one. */
static int new_socket(const struct trial *t, unsigned transport, bool far)
{
	const int type = transport == CASE_TCP ? SOCK_STREAM : SOCK_DGRAM,
	          family = t->address.sa.sa_family;

	return far && t->link ? lab_link_far_socket(t->link, family, type)
	                      : os_socket(family, type);
}

static struct peer *add_peer(struct trial *t, unsigned transport, int fd)
{
	struct peer *p = t->peer_count < TRIAL_PEERS ? calloc(1, sizeof *p) : NULL;
	const int on = 1;

	if (!p || fd < 0 || fd >= FD_SETSIZE) {
		trial_fail(t, "the judge has no socket: %s",
		    t->peer_count < TRIAL_PEERS ? strerror(errno) : "the case has 64 already");
		(void)file_close(fd);
		free(p);
		return NULL;
	}
	p->trial = t;
	p->transport = transport;
	p->fd = fd;
	p->to = t->address;
	t->peers[t->peer_count++] = p;
	p->number = t->peer_count;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	return p;
}

/* Whether the connection is there, or never will be. */
static bool is_connected(struct peer *p)
{
	if (p->error || connect(p->fd, &p->to.sa, p->to.len) == 0 || errno == EISCONN)
		return true;
	p->error = errno == EINPROGRESS || errno == EALREADY || errno == EINTR ? 0 : errno;
	return p->error;
}

static bool connect_peer(struct peer *p)
{
	struct trial *t = p->trial;

	p->sending = true;
	PEER_AWAIT(t, CONNECT_TIME, is_connected(p) || program_has_ended(&t->program));
	p->sending = false;
	if (p->error)
		return trial_fail(t, "no connection: %s", strerror(p->error));
	if (program_has_ended(&t->program))
		return trial_fail_ended(t);
	return is_connected(p) || trial_fail(t, "no connection within %s", TEXT_SPAN(CONNECT_TIME));
}

struct peer *peer_open(struct trial *t, unsigned transport)
{
	struct peer *p = add_peer(t, transport, new_socket(t, transport, t->options->client));

	if (!p || (transport == CASE_TCP && !connect_peer(p)))
		return NULL;
	/* Not connected: a reply from another port is to be seen. */
	if (transport == CASE_UDP)
		(void)os_queue_errors(p->fd, t->address.sa.sa_family, true);
	return p;
}

struct peer *peer_listen(struct trial *t, unsigned transport)
{
	struct peer *p = add_peer(t, transport, new_socket(t, transport, true));
	const int on = 1;

	if (!p)
		return NULL;
	p->listens = p->paused = transport == CASE_TCP;
	setsockopt(p->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (bind(p->fd, &p->to.sa, p->to.len) == 0 && (!p->listens || listen(p->fd, 16) == 0))
		return p;
	trial_fail(t, "the judge cannot serve at %s: %s", ADDR_TEXT(&p->to), strerror(errno));
	return NULL;
}

struct peer *peer_accept(struct peer *listener)
{
	const int fd = os_accept(listener->fd, NULL, NULL);

	return fd < 0 ? NULL : add_peer(listener->trial, CASE_TCP, fd);
}

bool peer_loosen(struct peer *p)
{
	return (p->loose = true);
}

bool peer_resume(struct peer *p)
{
	return !(p->paused = false);
}

bool peer_finish(struct peer *p)
{
	if (!p->finished)
		trial_remark(p->trial, true, number(p), "end of the stream");
	p->finished = true;
	shutdown(p->fd, SHUT_WR);
	return true;
}

/* Where the other end has closed first, its port would stay in TIME-WAIT (RFC 9293, 3.6.1), and the
 * program could not be started again there: a reset takes the place of the end. */
bool peer_close(struct peer *p)
{
	const struct linger now = { .l_onoff = 1 };

	if (p->x.ended)
		setsockopt(p->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
	p->fd = file_close(p->fd);
	return (p->finished = true);
}

bool peer_reset(struct peer *p)
{
	trial_remark(p->trial, true, number(p), "a reset");
	p->x.ended = true;
	return peer_close(p);
}

void peer_free(struct peer *p)
{
	peer_close(p);
	free(p->x.sent.at);
	free(p->x.wanted.at);
	free(p->x.before.at);
	free(p->x.came.at);
	free(p);
}

/* --- sending --- */

/* Sends what the system takes of the bytes from `*done` on. Returns whether there is no more to
 * do: all is sent, or p->error says why not. */
static bool push(struct peer *p, const void *bytes, size_t n, size_t *done)
{
	const bool udp = p->transport == CASE_UDP;
	ssize_t sent;

	do {
		sent = sendto(p->fd, (const char *)bytes + *done, n - *done,
		    p->last && !udp ? MSG_MORE : 0, udp ? &p->to.sa : NULL, udp ? p->to.len : 0);
		if (sent < 0) {
			p->error = errno == EAGAIN || errno == EINTR ? 0 : errno;
			return p->error;
		}
		*done += (size_t)sent;
	} while (*done < n);
	return true;
}

/* Keeps what is sent: of a stream all since the last reply, else the datagram. */
static void keep(struct peer *p, const void *bytes, size_t n)
{
	struct bytes *sent = &p->x.sent;

	log_bytes(p, true, bytes, n);
	if (p->transport == CASE_UDP)
		sent->n = 0;
	if (grow_list(&sent->at, &sent->capacity, sent->n + n + 1, 1) < 0)
		return;
	memcpy(sent->at + sent->n, bytes, n);
	sent->n += n;
}

static bool fail_send(struct peer *p, size_t done, size_t n)
{
	struct trial *t = p->trial;

	if (program_has_ended(&t->program))
		return trial_fail_ended(t);
	if (!p->error)
		return trial_fail(t, "it reads no more: it took %zu of %zu bytes", done, n);
	if (p->transport == CASE_UDP)
		return trial_fail(t, "cannot be sent: %s", strerror(p->error));
	log_came(p);
	return trial_fail(t, "it closed the connection before all was sent");
}

bool peer_send(struct peer *p, const void *bytes, size_t n)
{
	struct trial *t = p->trial;
	bool pushed = false;
	size_t done = 0;

	keep(p, bytes, n);
	/* TCP repeats by itself what the link loses. */
	if (t->link && p->transport == CASE_UDP)
		p->lost = lab_link_lost(t->link);
	p->sending = true;
	PEER_AWAIT(t, trial_patience(t, p->transport), (pushed = push(p, bytes, n, &done)));
	p->sending = false;
	return (pushed && !p->error) || fail_send(p, done, n);
}

bool peer_fill(struct peer *p, const void *bytes, size_t n)
{
	size_t done = 0, before;

	p->paused = true;
	do
		before = done;
	while (!push(p, bytes, n, &done) && peer_pause(p->trial, REST_TIME) && done > before);
	keep(p, bytes, done);
	return true;
}

/* --- expecting --- */

static bool begins_with(const struct bytes *came, const void *want, size_t n)
{
	return n == 0 || came->n == 0 || memcmp(came->at, want, n < came->n ? n : came->n) == 0;
}

/* Whether it is "\r\n", "\n", or nothing. */
static bool is_end_of_line(const unsigned char *at, size_t n)
{
	return n == 0 || (n == 1 && at[0] == '\n') || (n == 2 && memcmp(at, "\r\n", 2) == 0);
}

void peer_take(struct peer *p, size_t n)
{
	struct bytes *came = &p->x.came;

	if (n < came->n)
		memmove(came->at, came->at + n, came->n - n);
	came->n -= n;
	p->has_datagram = false;
}

/* Nothing more will come. */
static bool is_over(const struct peer *p)
{
	return p->x.ended || p->error || program_has_ended(&p->trial->program);
}

/* Takes a datagram that is the one before: one that the link has doubled, that comes late, or that
 * a client repeats. Returns whether it was one. */
static bool skip_old(struct peer *p)
{
	const struct exchange *x = &p->x;
	const bool old = p->has_datagram && difference_none(&x->came, &x->before);

	if (old) {
		log_came(p);
		peer_take(p, x->came.n);
	}
	return old;
}

/* Whether the reply is there: all of it, or what cannot become it. An old datagram is skipped, and
 * so is an end of line that `loose` permits. */
static bool has_reply(struct peer *p)
{
	const struct exchange *x = &p->x;
	const bool udp = p->transport == CASE_UDP;

	if (p->trial->link && !difference_none(&x->wanted, &x->before))
		skip_old(p);
	while (p->loose && !udp && x->came.n > 0 && x->wanted.n > 0 &&
	       (x->came.at[0] == '\r' || x->came.at[0] == '\n') && x->wanted.at[0] != x->came.at[0])
		peer_take(p, 1);
	return udp ? p->has_datagram
	           : x->came.n >= x->wanted.n || !begins_with(&x->came, x->wanted.at, x->wanted.n);
}

/* Sends a datagram again, if the link has lost one since. */
static bool send_again(struct peer *p)
{
	struct trial *t = p->trial;
	const uint64_t lost = t->link && p->transport == CASE_UDP ? lab_link_lost(t->link)
	                                                          : p->lost;
	size_t done = 0;

	if (lost == p->lost || p->has_datagram)
		return false;
	p->lost = lost;
	trial_remark(t, true, number(p), "the same again, since the link lost a packet");
	snprintf(t->outcome.note, TRIAL_TEXT, "sent again what the link had lost");
	return push(p, p->x.sent.at, p->x.sent.n, &done);
}

/* Waits for the reply, as long as more of it comes. */
static void await_reply(struct peer *p)
{
	struct trial *t = p->trial;
	const int64_t patience = trial_patience(t, p->transport);
	int64_t until = clock_monotonic() + patience;
	size_t had = p->x.came.n;

	while (!has_reply(p) && !is_over(p) && is_in_time(t, until)) {
		PEER_AWAIT(t, LOSS_STEP, has_reply(p) || is_over(p));
		if (p->x.came.n > had || send_again(p))
			until = clock_monotonic() + patience;
		had = p->x.came.n;
	}
}

/* Nothing came. */
static bool fail_silence(struct peer *p)
{
	struct trial *t = p->trial;

	if (program_has_ended(&t->program))
		return trial_fail_ended(t);
	if (p->x.ended)
		return trial_fail(t, "the connection was closed before the reply");
	if (p->error == ECONNREFUSED)
		return trial_fail(t, "nothing listens at %s%s", ADDR_TEXT(&p->to),
		    t->link ? ": does it listen on 127.0.0.1 only?" : "");
	if (p->error)
		return trial_fail(t, "instead of the reply: %s", strerror(p->error));
	if (p->transport == CASE_TCP) {
		shutdown(p->fd, SHUT_WR);
		peer_pause(t, 5 * REST_TIME);
	}
	if (p->x.came.n > 0)
		return trial_fail(t, "the reply comes only after the client has ended its side: "
		                     "flush what you write");
	trial_fail(t, "no reply within %s", TEXT_SPAN(trial_patience(t, p->transport)));
	t->unanswered |= p->transport;
	return false;
}

/* Whether what has come is what another one waits for. */
static bool is_reply_to(const struct peer *p, const struct peer *other)
{
	const struct bytes *sent = &other->x.sent;
	unsigned char *caps = other == p || sent->n == 0 ? NULL : malloc(CAPITALS_GROWTH * sent->n);
	const bool is = caps && p->x.came.n == capitals_text(sent->at, sent->n, caps) &&
	                begins_with(&p->x.came, caps, p->x.came.n);

	free(caps);
	return is;
}

static bool fail_difference(struct peer *p)
{
	struct trial *t = p->trial;
	char reason[TRIAL_TEXT];

	peer_pause(t, REST_TIME);
	log_came(p);
	for (int i = 0; i < t->peer_count; i++)
		if (is_reply_to(p, t->peers[i]))
			return trial_fail(t, "client %d got the reply to client %d", p->number,
			    i + 1);
	return trial_fail(t, "%s", difference_text(&p->x, reason, sizeof reason));
}

bool peer_expect(struct peer *p, const void *want, size_t n)
{
	struct trial *t = p->trial;
	const bool udp = p->transport == CASE_UDP;
	const struct bytes *came = &p->x.came;

	free(p->x.before.at);
	p->x.before = p->x.wanted;
	p->x.wanted = (struct bytes){ .at = grow_copy(want, n), .n = n };
	await_reply(p);
	if (!has_reply(p) && came->n == 0) {
		if (p->x.ended)
			trial_remark(t, false, number(p), "end of the stream");
		return fail_silence(p);
	}
	if (udp && !addr_equal(&p->from, &p->to))
		return trial_fail(t, "the reply came from %s, not from %s", ADDR_TEXT(&p->from),
		    ADDR_TEXT(&p->to));
	if (!begins_with(came, want, n) || came->n < n || (udp && came->n > n))
		return fail_difference(p);
	log_bytes(p, false, came->at, n);
	peer_take(p, n);
	p->x.sent.n = 0;
	t->unanswered &= ~p->transport;
	return true;
}

bool peer_expect_capitals(struct peer *p)
{
	const struct bytes *sent = &p->x.sent;
	const size_t n = sent->n - (p->loose && sent->n && p->transport == CASE_TCP &&
	                               sent->at[sent->n - 1] == '\n');
	unsigned char *caps = malloc(CAPITALS_GROWTH * n + 1);
	const bool right = caps && peer_expect(p, caps, capitals_text(sent->at, n, caps));

	free(caps);
	return right;
}

bool peer_expect_nothing(struct peer *p)
{
	const struct bytes *came = &p->x.came;

	(void)(p->trial->options->client && skip_old(p));
	/* An end of line too many; and where the link doubles datagrams, more is nobody's fault. */
	if ((p->loose && is_end_of_line(came->at, came->n)) ||
	    (p->trial->link && p->transport == CASE_UDP))
		peer_take(p, came->n);
	if (p->fd < 0 || (!p->has_datagram && came->n == 0))
		return true;
	log_came(p);
	return trial_fail(p->trial, "more came than the %s: %s",
	    p->trial->options->client ? "line" : "reply", TEXT_COUNT(came->n, "byte"));
}

bool peer_expect_end(struct peer *p)
{
	struct trial *t = p->trial;

	if (!peer_expect_nothing(p) || (peer_await(p, 1) && !peer_expect_nothing(p)))
		return false;
	if (p->x.ended)
		trial_remark(t, false, number(p), "end of the stream");
	if (p->error)
		return trial_fail(t, "instead of the end of the stream: %s", strerror(p->error));
	return p->x.ended || trial_fail(t, "it does not close the connection, though the client "
	                                   "has ended its side");
}

bool peer_await(struct peer *p, size_t n)
{
	const struct bytes *came = &p->x.came;

	PEER_AWAIT(p->trial, trial_patience(p->trial, p->transport),
	    came->n >= n || p->has_datagram || is_over(p));
	return came->n >= n || p->has_datagram;
}

bool peer_expect_request(struct peer *p, const void *want, size_t n)
{
	const struct bytes *came = &p->x.came, *old = &p->x.before;
	size_t more;

	do {
		(void)peer_await(p, n);
		/* An end of line may come in a segment of its own. */
		peer_pause(p->trial, REST_TIME);
	} while ((old->n < n || !begins_with(old, want, n)) && skip_old(p));
	log_came(p);
	more = came->n - n;
	if (came->n < n || !begins_with(came, want, n) || !is_end_of_line(came->at + n, more))
		return trial_fail(p->trial, "the line that was typed does not arrive as it is");
	p->has_newline = more > 0;
	if (p->transport == CASE_UDP) {
		p->to = p->from;
		free(p->x.before.at);
		p->x.before = (struct bytes){ .at = grow_copy(came->at, came->n), .n = came->n };
	}
	peer_take(p, came->n);
	return true;
}
