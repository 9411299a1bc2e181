/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "checker/peer.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include "checker/difference.h"
#include "common/capitals.h"
#include "common/file.h"
#include "common/grow.h"
#include "common/os.h"

/* The largest datagram; what may wait unread of a stream; bytes. */
#define DATAGRAM_MAX 65507
#define UNREAD_MAX (64u << 20)
/* In a lab: the time after which one looks whether the link has lost a datagram. */
#define LOSS_STEP (50 * NS_PER_MS)
/* The time to connect: where a listener's queue is full, TCP waits 1 s, 2 s, 4 s between SYNs. */
#define CONNECT_TIME (10 * NS_PER_S)
/* The time for the rest of a wrong reply to come, for the reason. */
#define REST_TIME (100 * NS_PER_MS)

/* --- turns --- */

static void watch(struct peer *p, struct fd_watch *w)
{
	if (p->paused || p->ended || p->error || p->has_datagram || p->end - p->first > UNREAD_MAX)
		return;
	fd_watch_read(w, p->fd);
	if (p->sending)
		fd_watch_write(w, p->fd);
}

static void read_datagram(struct peer *p)
{
	ssize_t n;

	p->first = p->end = 0;
	if (grow_queue(&p->in, &p->capacity, &p->first, &p->end, DATAGRAM_MAX + 1) < 0)
		return;
	p->from.len = sizeof p->from.storage;
	n = recvfrom(p->fd, p->in, DATAGRAM_MAX + 1, 0, &p->from.sa, &p->from.len);
	if (n >= 0) {
		p->end = (size_t)n;
		p->has_datagram = true;
	} else if (errno != EAGAIN && errno != EINTR) {
		p->error = errno;
	}
}

static void read_stream(struct peer *p)
{
	ssize_t n;

	if (grow_queue(&p->in, &p->capacity, &p->first, &p->end, 65536) < 0)
		return;
	n = recv(p->fd, p->in + p->end, 65536, 0);
	if (n > 0)
		p->end += (size_t)n;
	else if (n == 0)
		p->ended = true;
	else if (errno != EAGAIN && errno != EINTR)
		p->error = errno;
}

static void dispatch(struct peer *p, const struct fd_watch *w)
{
	if (fd_watch_can_read(w, p->fd) && !p->listens)
		(p->transport == CASE_UDP ? read_datagram : read_stream)(p);
}

bool peer_turn(struct trial *t, int64_t until)
{
	const int64_t now = clock_monotonic();
	struct fd_watch w;
	struct timespec ts;
	sigset_t none;

	until = until < t->deadline ? until : t->deadline;
	if (now >= until || *t->stop)
		return false;
	fd_watch_start(&w);
	fd_watch_until(&w, until);
	program_watch(&t->program, &w);
	for (int i = 0; i < t->peer_count; i++)
		watch(t->peers[i], &w);
	sigemptyset(&none);
	if (pselect(w.count, &w.readable, &w.writable, NULL, clock_until(w.deadline, now, &ts),
	        &none) < 0)
		return true;
	program_dispatch(&t->program, &w);
	for (int i = 0; i < t->peer_count; i++)
		dispatch(t->peers[i], &w);
	return true;
}

bool peer_pause(struct trial *t, int64_t ns)
{
	const int64_t until = clock_monotonic() + ns;

	while (peer_turn(t, until))
		;
	return true;
}

/* --- making and ending --- */

/* Its number in the transcript; 0 where there is one only. */
static int number(const struct peer *p)
{
	return p->trial->peer_count > 1 ? p->number : 0;
}

static void log_bytes(const struct peer *p, bool sent, const void *bytes, size_t n)
{
	if (n > 0 || p->transport == CASE_UDP)
		trial_log(p->trial, sent, number(p), bytes, n);
}

static size_t unread(const struct peer *p)
{
	return p->end - p->first;
}

/* A socket of this host; or, in a lab, of the program's. */
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
		trial_fail(t, "the judge has no socket: %s", strerror(errno));
		(void)file_close(fd);
		free(p);
		return NULL;
	}
	p->trial = t;
	p->transport = transport;
	p->fd = fd;
	p->to = t->address;
	p->number = t->peer_count + 1;
	t->peers[t->peer_count++] = p;
	if (transport == CASE_TCP)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	return p;
}

/* Connects, and waits until the connection is there. */
static bool connect_peer(struct peer *p)
{
	struct trial *t = p->trial;
	const int64_t until = clock_monotonic() + CONNECT_TIME;
	struct addr there = { .len = sizeof there.storage };
	socklen_t n = sizeof p->error;
	bool waits = true;

	if (connect(p->fd, &p->to.sa, p->to.len) < 0 && errno != EINPROGRESS)
		p->error = errno;
	while (!p->error && waits && getpeername(p->fd, &there.sa, &there.len) < 0) {
		p->sending = true;
		waits = !program_has_ended(&t->program) && peer_turn(t, until);
		p->sending = false;
		if (!p->error)
			getsockopt(p->fd, SOL_SOCKET, SO_ERROR, &p->error, &n);
	}
	if (p->error)
		return trial_fail(t, "no connection: %s", strerror(p->error));
	if (program_has_ended(&t->program))
		return trial_fail_ended(t);
	return waits || trial_fail(t, "no connection within %s", TEXT_SPAN(CONNECT_TIME));
}

struct peer *peer_open(struct trial *t, unsigned transport)
{
	struct peer *p = add_peer(t, transport, new_socket(t, transport, t->options->client));
	struct addr here = { .sa.sa_family = t->address.sa.sa_family, .len = t->address.len };

	if (!p || (transport == CASE_TCP && !connect_peer(p)))
		return NULL;
	/* Not connected: a reply from another port is to be seen. */
	if (transport == CASE_UDP && bind(p->fd, &here.sa, here.len) == 0)
		(void)os_queue_errors(p->fd, here.sa.sa_family, true);
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
	trial_remark(p->trial, true, number(p), "end of the stream");
	shutdown(p->fd, SHUT_WR);
	return true;
}

/* Closes; a reset takes the place of what the end would leave behind. */
static bool abort_connection(struct peer *p)
{
	const struct linger now = { .l_onoff = 1 };

	setsockopt(p->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
	p->fd = file_close(p->fd);
	return true;
}

bool peer_reset(struct peer *p)
{
	trial_remark(p->trial, true, number(p), "a reset");
	return abort_connection(p);
}

/* Where the other end has closed first, its port would stay in TIME-WAIT (RFC 9293, 3.6.1), and the
 * program could not be started again there: a reset prevents it. */
bool peer_close(struct peer *p)
{
	if (p->ended && p->transport == CASE_TCP)
		return abort_connection(p);
	p->fd = file_close(p->fd);
	return true;
}

void peer_free(struct peer *p)
{
	peer_close(p);
	free(p->in);
	free(p->sent);
	free(p->wanted);
	free(p->before);
	free(p);
}

/* --- sending --- */

enum push { PUSH_FAILED, PUSH_FULL, PUSH_DONE };

/* Sends what the system takes of the bytes from `*done` on. */
static enum push push(const struct peer *p, const void *bytes, size_t n, size_t *done)
{
	ssize_t sent;

	do {
		sent = p->transport == CASE_UDP
		         ? sendto(p->fd, bytes, n, 0, &p->to.sa, p->to.len)
		         : send(p->fd, (const char *)bytes + *done, n - *done, MSG_NOSIGNAL);
		if (sent < 0)
			return errno == EAGAIN || errno == EINTR ? PUSH_FULL : PUSH_FAILED;
		*done += (size_t)sent;
	} while (*done < n);
	return PUSH_DONE;
}

/* Keeps what is sent: of a stream all since the last reply, else the datagram. */
static void keep(struct peer *p, const void *bytes, size_t n)
{
	if (p->transport == CASE_UDP)
		p->sent_length = 0;
	if (grow_list(&p->sent, &p->sent_capacity, p->sent_length + n + 1, 1) < 0)
		return;
	memcpy(p->sent + p->sent_length, bytes, n);
	p->sent_length += n;
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
	log_bytes(p, false, p->in + p->first, unread(p));
	return trial_fail(t, "it closed the connection before all was sent");
}

bool peer_send(struct peer *p, const void *bytes, size_t n)
{
	struct trial *t = p->trial;
	const int64_t until = clock_monotonic() + trial_patience(t, p->transport);
	enum push pushed;
	size_t done = 0;

	log_bytes(p, true, bytes, n);
	keep(p, bytes, n);
	/* TCP repeats by itself what the link loses. */
	if (t->link && p->transport == CASE_UDP)
		p->lost = lab_link_lost(t->link);
	p->sending = true;
	while ((pushed = push(p, bytes, n, &done)) == PUSH_FULL && peer_turn(t, until))
		;
	p->sending = false;
	if (pushed == PUSH_FAILED)
		p->error = errno;
	return pushed == PUSH_DONE || fail_send(p, done, n);
}

bool peer_send_line(struct peer *p, const void *bytes, size_t n)
{
	char *line = grow_copy(bytes, n);
	bool sent;

	if (line)
		line[n] = '\n';
	sent = line && peer_send(p, line, n + (p->transport == CASE_TCP));
	free(line);
	return sent;
}

void peer_send_some(struct peer *p, const void *bytes, size_t n)
{
	size_t done = 0, before;

	do {
		before = done;
		if (push(p, bytes, n, &done) != PUSH_FULL)
			break;
		peer_pause(p->trial, REST_TIME);
	} while (done > before);
	log_bytes(p, true, bytes, done);
	keep(p, bytes, done);
}

/* --- expecting --- */

static bool begins_with(const struct peer *p, const void *want, size_t n)
{
	return memcmp(p->in + p->first, want, n < unread(p) ? n : unread(p)) == 0;
}

/* Takes what has come, `n` bytes of a stream. */
static void take(struct peer *p, size_t n)
{
	log_bytes(p, false, p->in + p->first, n);
	p->first += n;
	p->has_datagram = false;
}

/* Whether the reply is there: all of it, or what cannot become it. A datagram that the link has
 * doubled, or that comes late, is skipped. */
static bool has_reply(struct peer *p, const void *want, size_t n)
{
	if (p->trial->link && p->has_datagram && p->before && unread(p) == p->before_length &&
	    begins_with(p, p->before, p->before_length))
		take(p, unread(p));
	return p->transport == CASE_UDP ? p->has_datagram
	                                : unread(p) >= n || (p->in && !begins_with(p, want, n));
}

/* Sends a datagram again, if the link has lost one since. */
static bool send_again(struct peer *p)
{
	const uint64_t lost = lab_link_lost(p->trial->link);
	size_t done = 0;

	if (lost == p->lost)
		return false;
	p->lost = lost;
	trial_remark(p->trial, true, number(p), "the same again, since the link lost a packet");
	snprintf(p->trial->outcome.note, TRIAL_REASON, "sent again what the link had lost");
	return push(p, p->sent, p->sent_length, &done) == PUSH_DONE;
}

/* Waits for the reply; over TCP as long as more of it comes. */
static void await_reply(struct peer *p, const void *want, size_t n)
{
	struct trial *t = p->trial;
	const bool repeats = t->link && p->transport == CASE_UDP;
	size_t had = unread(p);
	int64_t now = clock_monotonic(), until = now + trial_patience(t, p->transport);

	while (!has_reply(p, want, n) && !p->ended && !p->error &&
	       !program_has_ended(&t->program) && now < until) {
		if (!peer_turn(t, repeats && now + LOSS_STEP < until ? now + LOSS_STEP : until) &&
		    !repeats)
			break;
		now = clock_monotonic();
		if (unread(p) > had || (repeats && !p->has_datagram && send_again(p)))
			until = now + trial_patience(t, p->transport);
		had = unread(p);
	}
}

static bool fail_silence(struct peer *p)
{
	struct trial *t = p->trial;

	if (program_has_ended(&t->program))
		return trial_fail_ended(t);
	if (p->ended)
		return trial_fail(t, "the connection was closed before the reply");
	if (p->error == ECONNREFUSED)
		return trial_fail(t, "nothing listens at %s (ICMP port unreachable)",
		    ADDR_TEXT(&p->to));
	if (p->error)
		return trial_fail(t, "instead of the reply: %s", strerror(p->error));
	if (p->transport == CASE_TCP) {
		shutdown(p->fd, SHUT_WR);
		peer_pause(t, 5 * REST_TIME);
	}
	if (unread(p) > 0)
		return trial_fail(t, "the reply comes only after the client has ended its side: "
		                     "flush what you write");
	return trial_fail(t, "no reply within %s", TEXT_SPAN(trial_patience(t, p->transport)));
}

/* Whether another peer waits for what has come. */
static const struct peer *rightful(const struct peer *p)
{
	const struct trial *t = p->trial;
	unsigned char *caps;
	bool same;

	for (int i = 0; i < t->peer_count; i++) {
		const struct peer *q = t->peers[i];

		if (q == p || !q->sent_length || !(caps = malloc(CAPITALS_GROWTH * q->sent_length)))
			continue;
		same = unread(p) == capitals_text(q->sent, q->sent_length, caps) &&
		       begins_with(p, caps, unread(p));
		free(caps);
		if (same)
			return q;
	}
	return NULL;
}

static bool fail_difference(struct peer *p, const void *want, size_t n)
{
	struct trial *t = p->trial;
	const struct peer *other;
	char reason[TRIAL_REASON];

	peer_pause(t, REST_TIME);
	log_bytes(p, false, p->in + p->first, unread(p));
	if ((other = rightful(p)))
		return trial_fail(t, "client %d got the reply to client %d", p->number,
		    other->number);
	return trial_fail(t, "%s",
	    difference_text(&(struct difference){ .want = want,
	                        .wanted = n,
	                        .got = p->in + p->first,
	                        .came = unread(p),
	                        .sent = p->sent,
	                        .sent_length = p->sent_length,
	                        .before = p->before,
	                        .before_length = p->before_length,
	                        .ended = p->ended },
	        reason, sizeof reason));
}

bool peer_expect(struct peer *p, const void *want, size_t n)
{
	struct trial *t = p->trial;

	free(p->before);
	p->before = p->wanted;
	p->before_length = p->wanted_length;
	p->wanted = grow_copy(want, n);
	p->wanted_length = n;
	await_reply(p, want, n);
	if (!has_reply(p, want, n) && unread(p) == 0) {
		if (p->ended)
			trial_remark(t, false, number(p), "end of the stream");
		return fail_silence(p);
	}
	if (p->transport == CASE_UDP && !addr_equal(&p->from, &p->to))
		return trial_fail(t, "the reply came from %s, not from %s", ADDR_TEXT(&p->from),
		    ADDR_TEXT(&p->to));
	if (!begins_with(p, want, n) || unread(p) < n ||
	    (p->transport == CASE_UDP && unread(p) > n))
		return fail_difference(p, want, n);
	take(p, n);
	p->sent_length = 0;
	return true;
}

bool peer_expect_end(struct peer *p)
{
	struct trial *t = p->trial;

	if (!peer_expect_nothing(p) || (peer_await(p, 1) && !peer_expect_nothing(p)))
		return false;
	if (p->ended)
		trial_remark(t, false, number(p), "end of the stream");
	if (p->error)
		return trial_fail(t, "instead of the end of the stream: %s", strerror(p->error));
	return p->ended || trial_fail(t, "it does not close the connection, though the client "
	                                 "has ended its side");
}

bool peer_expect_nothing(struct peer *p)
{
	static const char newlines[] = "\r\n";

	if (p->fd < 0)
		return true;
	if (p->loose && unread(p) <= 2 && strspn((char *)p->in + p->first, newlines) >= unread(p))
		p->first = p->end;
	if (!p->has_datagram && unread(p) == 0)
		return true;
	/* Where the link doubles datagrams, more is nobody's fault. */
	if (p->trial->link && p->transport == CASE_UDP) {
		p->has_datagram = false;
		return true;
	}
	log_bytes(p, false, p->in + p->first, unread(p));
	return trial_fail(p->trial, "more came than the reply: %s", TEXT_COUNT(unread(p), "byte"));
}

bool peer_expect_capitals(struct peer *p)
{
	const size_t n = p->sent_length - (p->loose && p->sent_length && p->transport == CASE_TCP &&
	                                      p->sent[p->sent_length - 1] == '\n');
	unsigned char *caps = malloc(CAPITALS_GROWTH * n + 1);
	const bool right = caps && peer_expect(p, caps, capitals_text(p->sent, n, caps));

	free(caps);
	return right;
}

bool peer_await(struct peer *p, size_t n)
{
	const int64_t until = clock_monotonic() + trial_patience(p->trial, CASE_TCP);

	while (unread(p) < n && !p->has_datagram && !p->ended && !p->error &&
	       peer_turn(p->trial, until))
		;
	return unread(p) >= n || p->has_datagram;
}

bool peer_expect_request(struct peer *p, const void *want, size_t n)
{
	size_t more;

	(void)peer_await(p, n);
	/* An end of line may come in a segment of its own. */
	peer_pause(p->trial, REST_TIME);
	log_bytes(p, false, p->in + p->first, unread(p));
	more = unread(p) - n;
	if (unread(p) < n || !begins_with(p, want, n) || more > 2 ||
	    strspn((char *)p->in + p->first + n, "\r\n") < more)
		return trial_fail(p->trial, "the line that was typed does not arrive as it is");
	p->has_newline = more > 0;
	p->to = p->transport == CASE_UDP ? p->from : p->to;
	p->first = p->end = 0;
	p->has_datagram = false;
	return true;
}
