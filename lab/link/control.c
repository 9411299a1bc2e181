/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/clock.h"
#include "lab/link/control.h"
#include "lab/link/events.h"
#include "common/file.h"
#include "lab/link/control-commands.h"

#define BACKLOG 8
/* When descriptors run out, new clients wait for so long. */
#define ACCEPT_AGAIN (200 * NS_PER_MS)
/* A client's orders wait while it leaves this much unread. */
#define UNREAD_MOST (64u << 10)

/* More than any line of an answer; what is longer comes in pieces. */
#define ANSWER_LINE 4096

/* What goes on for a time. */
enum pause { HOLD, UNPLUG, PAUSES };

struct client {
	int fd;
	/* The order that is being read; `skipping` the rest of one that is too long. */
	char line[CONTROL_LINE + 1];
	size_t n;
	bool skipping;
	/* It sends no more; it goes when it has read all. */
	bool ended;
	struct events_wish wish;
	struct outbox out;
};

struct control {
	int listener;
	struct link *link;
	struct client *clients[CONTROL_CLIENTS];
	int64_t accept_after;
	/* When the holds and the unpluggings end that are on, by direction; else CLOCK_NEVER. */
	int64_t ends[PAUSES][LINK_DIRECTIONS];
};

static int address(const char *path, struct sockaddr_un *a)
{
	*a = (struct sockaddr_un) { .sun_family = AF_UNIX };
	if (strlen(path) >= sizeof a->sun_path) {
		errno = ENAMETOOLONG;
		return -1;
	}
	strcpy(a->sun_path, path);
	return 0;
}

int control_listen(const char *path)
{
	struct sockaddr_un a;

	if (address(path, &a))
		return -1;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	/* The socket file takes its mode from the descriptor: nobody else can connect, not even for a moment. */
	if (fchmod(fd, S_IRUSR | S_IWUSR) || bind(fd, (struct sockaddr *) &a, sizeof a) || listen(fd, BACKLOG))
		return file_give_up(fd);
	return fd;
}

static void tell_packet(void *context, const struct link_event *event)
{
	struct control *control = context;
	for (int i = 0; i < CONTROL_CLIENTS; i++) {
		struct client *client = control->clients[i];
		if (client && events_want(&client->wish, event->packet))
			events_print(event, &client->out);
	}
}

static void tell_undelivered(void *context, uint64_t serial, enum link_direction direction)
{
	struct control *control = context;
	for (int i = 0; i < CONTROL_CLIENTS; i++)
		if (control->clients[i] && control->clients[i]->wish.on)
			events_print_undelivered(serial, direction, &control->clients[i]->out);
}

static void tell_changed(struct control *control, int64_t at, const char *change)
{
	for (int i = 0; i < CONTROL_CLIENTS; i++)
		if (control->clients[i] && control->clients[i]->wish.on)
			events_print_changed(at, change, &control->clients[i]->out);
}

static void note_ends(struct control *control, int64_t now)
{
	for (int d = 0; d < LINK_DIRECTIONS; d++) {
		const struct impair *impair = link_impair(control->link, d);
		const int64_t until[PAUSES] = { impair_held_until(impair), impair_unplugged_until(impair) };

		for (int i = 0; i < PAUSES; i++)
			control->ends[i][d] = until[i] > now ? until[i] : CLOCK_NEVER;
	}
}

/* What has gone on for its time; both ways at once where they end together. */
static void tell_ends(struct control *control, int64_t now)
{
	static const char *const words[PAUSES] = { "released", "plugged" };
	char change[20];

	for (int i = 0; i < PAUSES; i++) {
		int64_t *ends = control->ends[i];
		const bool together = ends[LINK_THERE] == ends[LINK_BACK];

		for (int d = 0; d < LINK_DIRECTIONS; d++) {
			if (ends[d] > now)
				continue;
			snprintf(change, sizeof change, "%s%s%s", words[i], together ? "" : " ", together ? "" : link_direction_name(d));
			if (!together || d == LINK_THERE)
				tell_changed(control, ends[d], change);
			ends[d] = CLOCK_NEVER;
		}
	}
}

struct control *control_new(int listener, struct link *link)
{
	struct control *control = calloc(1, sizeof *control);
	if (!control)
		return NULL;
	control->listener = listener;
	control->link = link;
	note_ends(control, INT64_MAX);
	link_set_witness(link, &(struct link_witness) {
		.context = control, .packet = tell_packet, .undelivered = tell_undelivered,
	});
	return control;
}

static void drop(struct control *control, int i)
{
	struct client *client = control->clients[i];

	close(client->fd);
	outbox_free(&client->out);
	free(client);
	control->clients[i] = NULL;
}

void control_free(struct control *control)
{
	if (!control)
		return;
	link_set_witness(control->link, NULL);
	for (int i = 0; i < CONTROL_CLIENTS; i++)
		if (control->clients[i])
			drop(control, i);
	if (control->listener >= 0)
		close(control->listener);
	free(control);
}

static int free_place(const struct control *control)
{
	int i = 0;
	while (i < CONTROL_CLIENTS && control->clients[i])
		i++;
	return i;
}

int control_add(struct control *control, int fd)
{
	int i = free_place(control);
	struct client *client = i < CONTROL_CLIENTS && fd < FD_SETSIZE ? calloc(1, sizeof *client) : NULL;

	if (!client)
		return -1;
	client->fd = fd;
	control->clients[i] = client;
	return 0;
}

/* Who finds no place is told so, and does not wait for one. */
static void turn_away(int fd)
{
	static const char full[] = "error too many are connected to this lab; end one of them, such as a watch\n";

	(void) send(fd, full, sizeof full - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
	close(fd);
}

static void welcome(struct control *control, int64_t now)
{
	for (;;) {
		int fd = accept4(control->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd >= 0 && control_add(control, fd)) {
			turn_away(fd);
		} else if (fd < 0) {
			if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
				control->accept_after = now + ACCEPT_AGAIN;
			return;
		}
	}
}

static void execute(struct control *control, struct client *client, int64_t now)
{
	char change[EVENTS_CHANGE];

	client->line[client->n] = '\0';
	client->n = 0;
	if (client->skipping)
		outbox_print(&client->out, "error an order has %d bytes at most; for example: help\n", CONTROL_LINE);
	else if (orders_execute(control->link, client->line, now, &client->wish, &client->out, change)) {
		note_ends(control, now);
		tell_changed(control, now, change);
	}
	client->skipping = false;
}

static void hear(struct control *control, struct client *client, int64_t now)
{
	char bytes[4096];
	ssize_t n = recv(client->fd, bytes, sizeof bytes, MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		/* An order without its newline counts: printf 'link' | nc -U. */
		if (n == 0 && client->n > 0)
			execute(control, client, now);
		client->ended = true;
		return;
	}
	for (ssize_t i = 0; i < n; i++) {
		if (bytes[i] == '\n')
			execute(control, client, now);
		else if (client->n == CONTROL_LINE)
			client->skipping = true;
		else
			client->line[client->n++] = bytes[i];
	}
}

void control_watch(const struct control *control, struct watch *w)
{
	for (int i = 0; i < PAUSES; i++)
		for (int d = 0; d < LINK_DIRECTIONS; d++)
			watch_until(w, control->ends[i][d]);
	if (control->listener >= 0) {
		if (control->accept_after)
			watch_until(w, control->accept_after);
		else
			watch_read(w, control->listener);
	}
	for (int i = 0; i < CONTROL_CLIENTS; i++) {
		const struct client *client = control->clients[i];
		if (client && !client->ended && client->out.end - client->out.first < UNREAD_MOST)
			watch_read(w, client->fd);
		if (client && !outbox_empty(&client->out))
			watch_write(w, client->fd);
	}
}

void control_turn(struct control *control, const struct watch *w, int64_t now)
{
	tell_ends(control, now);
	if (watch_can_read(w, control->listener) || (control->accept_after && now >= control->accept_after)) {
		control->accept_after = 0;
		welcome(control, now);
	}
	for (int i = 0; i < CONTROL_CLIENTS; i++) {
		struct client *client = control->clients[i];
		if (!client)
			continue;
		if (!client->ended && watch_can_read(w, client->fd))
			hear(control, client, now);
		if (outbox_send(&client->out, client->fd) || client->out.overflown
		    || (client->ended && outbox_empty(&client->out)))
			drop(control, i);
	}
}

static int send_order(int fd, const char *order)
{
	char line[CONTROL_LINE + 2];
	size_t n = (size_t) snprintf(line, sizeof line, "%s\n", order);

	if (n >= sizeof line) {
		errno = EMSGSIZE;
		return -1;
	}
	return send(fd, line, n, MSG_NOSIGNAL) == (ssize_t) n ? 0 : -1;
}

/* Reads until "ok" or "error"; after an "ok", if `follow`, until the lab is gone. */
static int read_answer(FILE *in, bool follow, const struct control_reader *reader, char why[256])
{
	char line[ANSWER_LINE];
	int result = -1;

	errno = 0;
	while ((result < 0 || follow) && fgets(line, sizeof line, in)) {
		line[strcspn(line, "\n")] = '\0';
		if (!strcmp(line, "ok")) {
			result = 0;
			if (follow && reader->line(reader->context, line))
				break;
		} else if (!strncmp(line, "error ", 6)) {
			snprintf(why, 256, "%.255s", line + 6);
			result = 1;
			follow = false;
		} else if (reader->line(reader->context, line)) {
			break;
		}
	}
	if (result < 0 && !errno)
		errno = ECONNRESET;
	return result;
}

static int ask(const char *path, const char *order, bool follow, const struct control_reader *reader, char why[256])
{
	struct sockaddr_un a;
	int result = -1;

	int fd = address(path, &a) ? -1 : socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	FILE *in = fdopen(fd, "r");
	/* Who was turned away can read why, though no longer write. */
	if (in && !connect(fd, (struct sockaddr *) &a, sizeof a) && (!send_order(fd, order) || errno == EPIPE))
		result = read_answer(in, follow, reader, why);
	int wrong = errno;
	if (in)
		fclose(in);
	else
		close(fd);
	errno = wrong;
	return result;
}

static bool print_line(void *out, char *line)
{
	fprintf(out, "%s\n", line);
	return false;
}

int control_ask(const char *path, const char *order, FILE *out, char why[256])
{
	return ask(path, order, false, &(struct control_reader) { out, print_line }, why);
}

int control_follow(const char *path, const char *order, const struct control_reader *reader, char why[256])
{
	return ask(path, order, true, reader, why);
}
