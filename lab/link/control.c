/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lab/link/control.h"

#include "common/control-socket.h"
#include "common/event-line.h"
#include "common/fnv.h"
#include "common/text.h"
#include "lab/link/control-commands.h"

/* The most commands of one client in a turn. */
#define TURN_COMMANDS 64

/* Room for a line: all keys, two IPv6 addresses, the data. */
#define LINE_SIZE 768

struct control {
	struct control_server server;
	struct link *link;
	/* By the clients' places. */
	struct event_filter filters[CONTROL_CLIENTS_MAX];
	/* When the present holds and unpluggings end, by direction; else CLOCK_NEVER. */
	int64_t ends[IMPAIR_PAUSES][LINK_DIRECTIONS];
};

/* Whether a packet's event is wanted. Fragments and ICMP pass every filter: they belong to some
 * port, but have it in another place. */
static bool matches(const struct event_filter *filter, const struct packet *p)
{
	if (!filter->on || filter->count == 0 || (p->kind != LINK_UDP && p->kind != LINK_TCP))
		return filter->on;
	for (int i = 0; i < filter->count; i++)
		if (p->source_port == filter->ports[i] || p->target_port == filter->ports[i])
			return true;
	return false;
}

/* " payload=2 hash=08326b07b4eb89f1 data=6869"; the data are the first bytes. */
static void put_payload(struct text *line, const struct packet *p)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *bytes = p->bytes + p->payload;
	const int n = p->length < EVENT_LINE_DATA ? p->length : EVENT_LINE_DATA;
	char hex[EVENT_LINE_DATA * 2 + 1];

	text_put(line, " payload=%d", p->length);
	if (p->length == 0)
		return;
	for (int i = 0; i < n; i++) {
		hex[2 * i] = digits[bytes[i] >> 4];
		hex[2 * i + 1] = digits[bytes[i] & 15];
	}
	hex[2 * n] = '\0';
	text_put(line, " hash=%016" PRIx64 " data=%s", fnv_hash(bytes, (size_t)p->length), hex);
}

void control_print_event(const struct link_event *event, struct send_buffer *out)
{
	const struct packet *p = event->packet;
	const struct impair_decision *d = event->decision;
	char flags[8], source[46], target[46], buf[LINE_SIZE];
	const char *marks = TEXT_FORMAT("%s%s%s%s", d->copies > 1 ? ",duplicated" : "",
	    d->held ? ",held" : "", d->reordered ? ",reordered" : "",
	    d->requested && d->copies > 0 ? ",cue" : "");
	struct text line = text_begin(buf, sizeof buf);

	text_put(&line, "event %" PRIu64 " %s in=%" PRId64 " fate=%s", event->serial,
	    link_direction_names[event->direction], event->in,
	    d->flip >= 0 ? "corrupted" : impair_fates[d->fate].word);
	if (d->copies > 0)
		text_put(&line, " out=%" PRId64, d->at[0]);
	if (d->copies > 1)
		text_put(&line, " out2=%" PRId64, d->at[1]);
	if (*marks)
		text_put(&line, " marks=%s", marks + 1);
	if (d->has_queue)
		text_put(&line, " queue=%" PRIu32 " queued=%" PRId64, d->queue_packets,
		    d->queue_bytes);
	packet_hosts(p, source, target);
	text_put(&line, " proto=%s src=%s dst=%s", link_protocol_names[p->kind], source, target);
	if (p->kind == LINK_ICMP)
		text_put(&line, " type=%u code=%u", p->source_port, p->target_port);
	else if (p->kind != LINK_OTHER)
		text_put(&line, " sport=%u dport=%u", p->source_port, p->target_port);
	text_put(&line, " id=%" PRIu32, p->id);
	if (p->fragment)
		text_put(&line, " frag=%d", p->offset);
	text_put(&line, " size=%d", p->size);
	if (p->kind == LINK_TCP)
		text_put(&line, " seq=%" PRIu32 " ack=%" PRIu32 " flags=%s win=%u", p->seq, p->ack,
		    packet_flags_text(p, flags), p->window);
	put_payload(&line, p);
	text_put(&line, "\n");
	send_buffer_add(out, buf, line.used);
}

/* The buffer of a client that gets events, else NULL. */
static struct send_buffer *events_of(const struct control *control, int place)
{
	struct control_client *client = control->server.clients[place];

	return client && control->filters[place].on ? &client->out : NULL;
}

static void notify_packet(void *context, const struct link_event *event)
{
	const struct control *control = context;

	for (int i = 0; i < CONTROL_CLIENTS_MAX; i++) {
		struct send_buffer *out = events_of(control, i);
		if (out && matches(&control->filters[i], event->packet))
			control_print_event(event, out);
	}
}

/* Adds a line for all clients that get events. */
static void notify_all(const struct control *control, const char *word, uint64_t number,
    const char *words)
{
	for (int i = 0; i < CONTROL_CLIENTS_MAX; i++) {
		struct send_buffer *out = events_of(control, i);
		if (out)
			send_buffer_print(out, "%s %" PRIu64 " %s\n", word, number, words);
	}
}

static void notify_undelivered(void *context, uint64_t serial, enum link_direction direction)
{
	notify_all(context, "undelivered", serial, link_direction_names[direction]);
}

static void note_ends(struct control *control, int64_t now)
{
	for (int i = 0; i < IMPAIR_PAUSES; i++)
		for (int d = 0; d < LINK_DIRECTIONS; d++) {
			const int64_t until = impair_paused_until(link_impair(control->link, d), i);

			control->ends[i][d] = until > now ? until : CLOCK_NEVER;
		}
}

/* Reports the pauses that have ended; both ways at once where they end together. */
static void notify_ends(struct control *control, int64_t now)
{
	static const char *const words[IMPAIR_PAUSES] = { "released", "plugged" };

	for (int i = 0; i < IMPAIR_PAUSES; i++) {
		int64_t *ends = control->ends[i];
		const bool together = ends[LINK_GOING] == ends[LINK_COMING];

		for (int d = 0; d < LINK_DIRECTIONS; d++) {
			if (ends[d] > now)
				continue;
			if (!together || d == LINK_GOING)
				notify_all(control, "changed", (uint64_t)ends[d],
				    TEXT_FORMAT("%s%s%s", words[i], together ? "" : " ",
				        together ? "" : link_direction_names[d]));
			ends[d] = CLOCK_NEVER;
		}
	}
}

static void execute(void *context, struct control_client *client, char *line, int64_t now)
{
	struct control *control = context;
	char change[CONTROL_CHANGE];

	if (lab_control_execute(control->link, line, now, &control->filters[client->place],
	        &client->out, change)) {
		note_ends(control, now);
		notify_all(control, "changed", (uint64_t)now, change);
	}
}

static int opened(void *context, struct control_client *client)
{
	struct control *control = context;

	control->filters[client->place].on = false;
	return client->fd < FD_SETSIZE ? 0 : -1;
}

struct control *control_new(int listener, struct link *link)
{
	struct control *control = calloc(1, sizeof *control);

	if (!control)
		return NULL;
	control->server = (struct control_server){
		.line_max = CONTROL_LINE_MAX,
		.clients_max = CONTROL_CLIENTS_MAX,
		.turn_max = TURN_COMMANDS,
		.full = "error too many are connected to this lab; end one of them, such as a "
		        "watch\n",
		.context = control,
		.execute = execute,
		.opened = opened,
		.listener = listener,
		.accept_after = CLOCK_NEVER,
	};
	control->link = link;
	note_ends(control, INT64_MAX);
	link_set_observer(link, &(struct link_observer){
	                            .context = control,
	                            .packet = notify_packet,
	                            .undelivered = notify_undelivered,
	                        });
	return control;
}

void control_free(struct control *control)
{
	if (!control)
		return;
	link_set_observer(control->link, NULL);
	control_server_close(&control->server);
	free(control);
}

void control_watch(const struct control *control, struct fd_watch *w)
{
	const struct control_server *s = &control->server;

	for (int i = 0; i < IMPAIR_PAUSES; i++)
		for (int d = 0; d < LINK_DIRECTIONS; d++)
			fd_watch_until(w, control->ends[i][d]);
	fd_watch_until(w, s->accept_after);
	if (s->accept_after == CLOCK_NEVER)
		fd_watch_read(w, s->listener);
	for (int i = 0; i < CONTROL_CLIENTS_MAX; i++) {
		const unsigned wants = s->clients[i] ? control_client_wants(s->clients[i]) : 0;
		if (wants & CONTROL_READ)
			fd_watch_read(w, s->clients[i]->fd);
		if (wants & CONTROL_WRITE)
			fd_watch_write(w, s->clients[i]->fd);
	}
}

void control_dispatch(struct control *control, const struct fd_watch *w, int64_t now)
{
	struct control_server *s = &control->server;

	notify_ends(control, now);
	if (fd_watch_can_read(w, s->listener) || now >= s->accept_after) {
		s->accept_after = CLOCK_NEVER;
		control_server_accept(s, now);
	}
	for (int i = 0; i < CONTROL_CLIENTS_MAX; i++)
		if (s->clients[i] && !control_client_dispatch(s->clients[i],
		                         fd_watch_can_read(w, s->clients[i]->fd), now))
			control_client_drop(s->clients[i]);
}
