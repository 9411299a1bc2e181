/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The life of a session, the same for both transports: resolve the name, try one address after the
 * other, pause and try again, give up. udp.c and tcp.c send and receive. */
#include "net/session.h"

#include <errno.h>
#include <stdarg.h>

#include "ledger/error-text.h"
#include "net/session-internal.h"
#include "net/tcp-info.h"

/* Pauses between attempts double from the first to the longest, which comes after so many. */
#define PAUSE_FIRST NS_PER_S
#define PAUSE_LONGEST (30 * NS_PER_S)
#define PAUSE_DOUBLINGS 5
/* The bytes of lines and replies that the ledger keeps, however many rows. A stream's lines are
 * matched without a row; a datagram evicted within the minute gives later lines a tag. */
#define STREAM_BYTES_KEPT (32u * 1024 * 1024)
#define DATAGRAM_BYTES_KEPT (128u * 1024 * 1024)

/* The limits of generated lines queued in a session, and of their bytes: a connection that stalls
 * must not take the machine's memory, whatever the schedule says. Short lines take about 20 MiB. */
#define QUEUE_LINES 65536
#define QUEUE_BYTES (32u * 1024 * 1024)

void session_notice(struct session *s, bool bad, const char *format, ...)
{
	char text[600];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	s->hooks.notice(s->hooks.context, bad, text);
}

void session_reply(struct session *s, const struct session_reply *reply)
{
	if (s->hooks.reply)
		s->hooks.reply(s->hooks.context, reply);
}

void session_row(struct session *s, uint64_t number)
{
	if (s->hooks.row)
		s->hooks.row(s->hooks.context, number);
}

void session_opened(struct session *s, const struct addr *here, uint64_t from)
{
	if (s->hooks.opened)
		s->hooks.opened(s->hooks.context, addr_port(here),
		    addr_port(&s->addresses[s->address]), from);
}

void session_sent(struct session *s, uint64_t number, uint64_t from, uint64_t to)
{
	if (s->hooks.sent)
		s->hooks.sent(s->hooks.context, number, from, to);
}

bool session_is_stream(const struct session *s)
{
	return s->settings.stream;
}

static void fail_queued(struct session *s, int error, int64_t now)
{
	uint64_t number;

	while ((number = ledger_first_queued(s->ledger, s->settings.connection)) != 0) {
		ledger_failed(s->ledger, number, error, now);
		session_row(s, number);
	}
}

/* No address can be reached now. Explains the first failure and the last one. */
static void pause_or_give_up(struct session *s, int error, int64_t now)
{
	const bool last = s->settings.retries != SESSION_RETRY_FOR_EVER &&
	                  s->failures >= s->settings.retries;

	s->error = error;
	s->failures++;
	if (s->failures == 1 || last)
		session_notice(s, true, "%s %s: %s", transport_info[s->settings.stream].title,
		    s->peer, error_sentence(error, s->settings.stream));
	if (last) {
		s->phase = PHASE_DEAD;
		s->transport->close(s, now);
		fail_queued(s, error, now);
		return;
	}
	s->phase = PHASE_PAUSE;
	s->retry_at = now + (s->failures > PAUSE_DOUBLINGS ? PAUSE_LONGEST
	                                                   : PAUSE_FIRST << (s->failures - 1));
}

bool session_has_next_address(const struct session *s)
{
	return s->address + 1 < s->address_count;
}

/* Opens the first address that can be opened, beginning with the one in use. */
static bool open_next_address(struct session *s, int64_t now, int *error)
{
	for (; s->address < s->address_count; s->address++) {
		const struct addr *a = &s->addresses[s->address];

		addr_text(a, s->peer);
		s->answered = false;
		/* These errors are found without a socket. */
		*error = addr_is_group(a)        ? ERROR_GROUP
		       : addr_is_zero_network(a) ? ERROR_ZERO_NETWORK
		       : addr_lacks_interface(a) ? ERROR_NO_INTERFACE
		                                 : 0;
		if (*error == 0 && (*error = s->transport->open(s, now)) == 0)
			return true;
	}
	return false;
}

void session_reopen(struct session *s, int64_t now)
{
	int error = EADDRNOTAVAIL;

	ledger_connecting(s->ledger, s->settings.connection, now);
	if (!open_next_address(s, now, &error)) {
		s->address = s->address_count > 0 ? s->address_count - 1 : 0;
		pause_or_give_up(s, error, now);
		return;
	}
	if (s->phase == PHASE_READY)
		session_connected(s, now);
	s->transport->push(s, now);
}

void session_next_address(struct session *s, int64_t now)
{
	s->address++;
	session_reopen(s, now);
}

void session_connected(struct session *s, int64_t now)
{
	s->phase = PHASE_READY;
	ledger_connected(s->ledger, s->settings.connection, now);
	if (s->failures > 0)
		session_notice(s, false, "%s %s: reached again",
		    transport_info[s->settings.stream].title, s->peer);
	s->failures = 0;
}

void session_failed(struct session *s, int error, int64_t now)
{
	if (session_has_next_address(s))
		session_next_address(s, now);
	else
		pause_or_give_up(s, error, now);
}

static void take_addresses(struct session *s, int64_t now)
{
	int error;

	if (!resolve_answer(s->resolve, s->addresses, &s->address_count, &error))
		return;
	resolve_free(s->resolve);
	s->resolve = NULL;
	s->address = 0;
	if (s->address_count == 0) {
		pause_or_give_up(s, error, now);
		return;
	}
	session_reopen(s, now);
}

static void start_lookup(struct session *s, int64_t now)
{
	const bool bracket = strchr(s->settings.host, ':') != NULL;

	s->phase = PHASE_LOOKUP;
	ledger_connecting(s->ledger, s->settings.connection, now);
	if (s->failures == 0)
		snprintf(s->peer, sizeof s->peer, "%s%s%s:%s", bracket ? "[" : "", s->settings.host,
		    bracket ? "]" : "", s->settings.port);
	s->resolve = resolve_start(s->settings.host, s->settings.port, s->settings.family);
	if (!s->resolve)
		pause_or_give_up(s, errno, now);
	else if (resolve_fd(s->resolve) < 0)
		take_addresses(s, now);
}

/* A line in flight needs its row: without it the reply would be a stray. */
static size_t row_capacity(const struct session_settings *settings)
{
	const size_t window = settings->stream ? 0 : (size_t)settings->window;

	return settings->rows > window ? settings->rows : window + 1;
}

struct session *session_open(const struct transport *transport,
    const struct session_settings *settings, const struct session_hooks *hooks, int64_t now)
{
	struct session *s = calloc(1, sizeof *s);

	if (!s)
		return NULL;
	s->settings = *settings;
	s->hooks = *hooks;
	s->transport = transport;
	s->data = calloc(1, transport->data_size);
	s->fd = -1;
	if (settings->first) {
		s->ledger = settings->first->ledger;
		s->next = settings->first->next;
		settings->first->next = s;
	} else {
		s->ledger = ledger_new(&(struct ledger_settings){
		    .kind = s->settings.stream ? LEDGER_STREAM : LEDGER_DATAGRAM,
		    .tag = settings->tag,
		    .capacity = row_capacity(settings),
		    .bytes = s->settings.stream ? STREAM_BYTES_KEPT : DATAGRAM_BYTES_KEPT,
		    .reply_timeout = settings->reply_timeout,
		    .answerable = 60 * NS_PER_S,
		    .evicted = hooks->evicted,
		    .context = hooks->context,
		});
	}
	if (!s->data || !s->ledger) {
		session_close(s);
		return NULL;
	}
	start_lookup(s, now);
	return s;
}

void session_close(struct session *s)
{
	if (!s)
		return;
	s->hooks.connection = NULL;
	if (s->data && s->transport->close)
		s->transport->close(s, 0);
	if (s->data && s->transport->free)
		s->transport->free(s);
	if (s->transport->data_size > 0)
		free(s->data);
	resolve_free(s->resolve);
	if (s->settings.first)
		s->settings.first->next = s->next;
	else
		ledger_free(s->ledger);
	free(s);
}

int session_send(struct session *s, uint64_t number, const void *text, size_t n, int pieces,
    int64_t typed, int64_t now)
{
	const uint64_t queued = ledger_totals(s->ledger)->queued;

	if ((pieces & SESSION_GENERATED) && (queued >= QUEUE_LINES || queued * n >= QUEUE_BYTES)) {
		/* It has its row and its fate like any other line. */
		if (ledger_add(s->ledger, number, text, n, now) < 0)
			return -1;
		ledger_failed(s->ledger, number, EXFULL, now);
		session_row(s, number);
		return 0;
	}
	if (s->transport->send(s, number, text, n, pieces, typed) < 0)
		return -1;
	if (s->phase == PHASE_DEAD)
		fail_queued(s, s->error ? s->error : ECANCELED, now);
	else if (!(pieces & SESSION_MORE) || !s->settings.stream)
		s->transport->push(s, now);
	/* A new line cuts a long pause short. */
	if (s->phase == PHASE_PAUSE && s->retry_at > now + PAUSE_FIRST)
		s->retry_at = now + PAUSE_FIRST;
	return 0;
}

void session_push(struct session *s, int64_t now)
{
	if (s->phase != PHASE_DEAD)
		s->transport->push(s, now);
}

bool session_has_room(const struct session *s)
{
	return s->phase == PHASE_DEAD || s->transport->has_room(s);
}

void session_finish(struct session *s, int64_t now)
{
	s->finished = true;
	s->transport->push(s, now);
}

bool session_is_idle(const struct session *s)
{
	const struct ledger_totals *t = ledger_totals(s->ledger);

	return t->queued == 0 && t->waiting == 0;
}

bool session_dead(const struct session *s)
{
	return s->phase == PHASE_DEAD;
}

bool session_opening(const struct session *s)
{
	return s->failures == 0 && (s->phase == PHASE_LOOKUP || s->phase == PHASE_CONNECT);
}

int64_t session_single_until(const struct session *s)
{
	return s->phase == PHASE_READY && s->transport->single_until ? s->transport->single_until(s)
	                                                             : 0;
}

void session_watch(const struct session *s, struct fd_watch *w)
{
	if (s->phase == PHASE_REPLAY)
		return;
	fd_watch_until(w, ledger_deadline(s->ledger));
	if (s->phase == PHASE_LOOKUP)
		fd_watch_read(w, resolve_fd(s->resolve));
	if (s->phase == PHASE_PAUSE)
		fd_watch_until(w, s->retry_at);
	if (s->phase == PHASE_CONNECT)
		fd_watch_until(w, s->connect_by);
	if (s->fd >= 0)
		s->transport->watch(s, w);
}

void session_dispatch(struct session *s, const struct fd_watch *w, int64_t now)
{
	if (s->phase == PHASE_REPLAY)
		return;
	if (s->phase == PHASE_LOOKUP && fd_watch_can_read(w, resolve_fd(s->resolve)))
		take_addresses(s, now);
	else if (s->phase == PHASE_PAUSE && now >= s->retry_at)
		start_lookup(s, now);
	s->transport->dispatch(s, w, now);
}

const struct ledger *session_ledger(const struct session *s)
{
	return s->ledger;
}

const char *session_peer(const struct session *s)
{
	return s->peer;
}

const char *session_state(struct session *s, int64_t now)
{
	char *state = s->state;

	switch (s->phase) {
	case PHASE_LOOKUP:
		return "looking up";
	case PHASE_CONNECT:
		return "connecting";
	case PHASE_PAUSE:
		snprintf(state, sizeof s->state, "%s, again in %d s", error_word(s->error),
		    (int)((s->retry_at - now + NS_PER_S - 1) / NS_PER_S));
		return state;
	case PHASE_DEAD:
		return error_word(s->error);
	case PHASE_IDLE:
		return "closed, connects for the next line";
	default:
		return NULL;
	}
}

int64_t session_reply_timeout(const struct session *s)
{
	return s->settings.reply_timeout;
}

int session_tcp_sample(const struct session *s, struct tcp_sample *out)
{
	return s->settings.stream && s->phase == PHASE_READY ? tcp_info_read(s->fd, out) : -1;
}

_Static_assert(SESSION_CONGESTION >= OS_CONGESTION, "room for the system's names");

char *session_congestion(const struct session *s, char name[SESSION_CONGESTION])
{
	return tcp_congestion(s->fd, name);
}

void session_figures(const struct session *s, int64_t now, struct figures *out)
{
	*out = (struct figures){
		.stream = s->settings.stream,
		.peer = s->peer,
		.reply_timeout = s->settings.reply_timeout,
		.totals = *ledger_totals(s->ledger),
		.stats = ledger_stats(s->ledger),
	};
	s->transport->figures(s, now, out);
	for (const struct session *other = s->next; other; other = other->next) {
		struct figures figures = { .stream = true };

		other->transport->figures(other, now, &figures);
		figures_add_connection(out, &figures);
	}
}

void session_give_up(struct session *s, int64_t now)
{
	if (s->phase == PHASE_REPLAY) {
		ledger_give_up(s->ledger);
		return;
	}
	s->transport->close(s, now);
	if (!s->settings.stream)
		ledger_give_up(s->ledger);
	else if (ledger_cut_off(s->ledger, s->settings.connection, now) > 0)
		session_row(s, 0);
	fail_queued(s, s->failures > 0 ? s->error : ECANCELED, now);
	resolve_free(s->resolve);
	s->resolve = NULL;
	s->phase = PHASE_DEAD;
}
