/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "trace/server-tcp.h"

#include "common/bytes.h"
#include "common/clock.h"
#include "common/os.h"
#include "common/text.h"
#include "trace/lab-socket.h"

/* The interval of samples: while lines wait, and else, since a reply's ACK may be lost too. */
#define INTERVAL_WAITING (50 * NS_PER_MS)
#define INTERVAL_IDLE (500 * NS_PER_MS)
#define LAST_SAMPLE (200 * NS_PER_MS) /* how long the last sample may take */

struct server_tcp {
	struct lab_socket *socket;
	uint16_t port; /* our end of the present connection, 0 before the first */
	/* There is a sample; there was one of any connection; it changed since the dispatch. */
	bool sampled, ever_sampled, changed;
	struct trace_timer sample;
	uint64_t retransmitted_before; /* retransmissions over the connections before it */
	int64_t requested_at;          /* the last request */
	bool pending;                  /* its answer is still to come */
	bool asked;                    /* another request follows at once */
};

/* --- reading --- */

/* The number behind its word, " rto-us 204000", in a line of `n` bytes; -1 for none. */
static int64_t number_in(const char *line, size_t n, const char *word)
{
	const char *key = TEXT_FORMAT(" %s ", word), *at = bytes_find(line, n, key, strlen(key));
	const int64_t value = at ? strtoll(at + strlen(key), NULL, 10) : -1;

	return value < INT32_MAX ? value : -1;
}

/* Reads the TCP of one connection from a line of the server, "connection ADDRESS:PORT ... rto-us
 * 204000 ...". Returns 0, or -1 if the line is none, has another port than the client's or nothing
 * of its system's. */
static int read_connection(const char *line, size_t n, uint16_t port, struct tcp_sample *out)
{
	static const char start[] = "connection ";
	static const char *const words[OS_TCP_NUMBERS] = OS_TCP_WORDS;
	const char *port_text = TEXT_FORMAT(":%u", port), *peer = line + strlen(start);
	const size_t length = strlen(port_text), end = strcspn(peer, " \n");
	struct os_tcp kernel = { .known = 0 };

	if (!text_begins(line, start) || end <= length ||
	    memcmp(peer + end - length, port_text, length) != 0)
		return -1;
	for (int i = 0; i < OS_TCP_NUMBERS; i++) {
		const int64_t value = words[i] ? number_in(line, n, words[i]) : -1;

		if (value < 0)
			continue;
		kernel.value[i] = (uint64_t)value;
		kernel.known |= 1u << i;
	}
	return tcp_sample_read(out, &kernel);
}

/* --- sampling --- */

static void take_answer(void *context, const struct lab_socket_answer *answer)
{
	struct server_tcp *s = context;
	struct tcp_sample sample;
	size_t n;

	s->pending = false;
	if (answer->note != s->port || !answer->ok)
		return;
	for (const char *line = answer->text; *line; line += n + (line[n] == '\n')) {
		n = strcspn(line, "\n");
		if (read_connection(line, n, s->port, &sample) < 0)
			continue;
		s->changed |= !s->sampled || memcmp(&sample, &s->sample.tcp, sizeof sample) != 0;
		s->sampled = s->ever_sampled = true;
		s->sample.tcp = sample;
		s->sample.requested = s->requested_at;
		s->sample.received = clock_monotonic();
	}
}

/* The sample is old from now on. */
static void take_end(void *context)
{
	struct server_tcp *s = context;

	s->changed |= s->sampled;
	s->sampled = false;
}

static void request(struct server_tcp *s)
{
	s->asked = false;
	s->requested_at = clock_monotonic();
	s->pending = lab_socket_command(s->socket, 0, s->port, "connections") == 0;
}

struct server_tcp *server_tcp_open(const char *path)
{
	struct server_tcp *s = calloc(1, sizeof *s);

	if (!s)
		return NULL;
	s->socket = lab_socket_open(path,
	    &(struct lab_socket_hooks){ .context = s, .answer = take_answer, .gone = take_end });
	if (s->socket)
		return s;
	free(s);
	return NULL;
}

void server_tcp_close(struct server_tcp *s)
{
	if (!s)
		return;
	lab_socket_close(s->socket);
	free(s);
}

void server_tcp_connected(struct server_tcp *s, uint16_t port)
{
	if (!s)
		return;
	s->retransmitted_before += s->sample.tcp.retransmitted;
	memset(&s->sample, 0, sizeof s->sample);
	s->changed |= s->sampled;
	s->sampled = false;
	s->port = port;
	s->requested_at = 0;
}

static bool may_sample(const struct server_tcp *s)
{
	return s && s->port != 0 && !lab_socket_is_gone(s->socket);
}

void server_tcp_finish(struct server_tcp *s)
{
	if (!may_sample(s))
		return;
	request(s);
	lab_socket_settle(s->socket, LAST_SAMPLE);
}

void server_tcp_ask(struct server_tcp *s)
{
	if (s)
		s->asked = true;
}

void server_tcp_watch(const struct server_tcp *s, bool waiting, struct fd_watch *w)
{
	if (!may_sample(s))
		return;
	lab_socket_watch(s->socket, w);
	if (!s->pending)
		fd_watch_until(w, s->requested_at + (waiting ? INTERVAL_WAITING : INTERVAL_IDLE));
}

bool server_tcp_dispatch(struct server_tcp *s, const struct fd_watch *w, bool waiting, int64_t now)
{
	bool changed;

	if (!may_sample(s))
		return false;
	lab_socket_dispatch(s->socket, w);
	if (!s->pending && !lab_socket_is_gone(s->socket) &&
	    (s->asked || now >= s->requested_at + (waiting ? INTERVAL_WAITING : INTERVAL_IDLE)))
		request(s);
	changed = s->changed;
	s->changed = false;
	return changed;
}

const struct trace_timer *server_tcp_sample(const struct server_tcp *s)
{
	return s && s->sampled ? &s->sample : NULL;
}

bool server_retransmitted(const struct server_tcp *s, uint64_t *segments)
{
	if (!s || !s->ever_sampled)
		return false;
	*segments = s->retransmitted_before + s->sample.tcp.retransmitted;
	return true;
}
