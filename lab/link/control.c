/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "lab/link/control.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/clock.h"
#include "lab/link/events.h"
#include "common/file.h"
#include "lab/link/control-commands.h"

#define BACKLOG 8
/* When descriptors run out, new clients wait for so long. */
#define ACCEPT_RETRY (200 * NS_PER_MS)
/* A client's commands wait while it leaves this much unread. */
#define UNREAD_MAX (64u << 10)

/* More than any line of an answer; what is longer comes in pieces. */
#define ANSWER_LINE 4096

/* What goes on for a time. */
enum pause { HOLD, UNPLUG, PAUSES };

struct client {
	int fd;
	/* The command that is being read; `skipping` the rest of one that is too long. */
	char line[CONTROL_LINE + 1];
	size_t n;
	bool skipping;
	/* It sends no more; it goes when it has read all. */
	bool ended;
	struct event_filter filter;
	struct send_buffer out;
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
	*a = (struct sockaddr_un){ .sun_family = AF_UNIX };
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
	/* The socket file takes its mode from the descriptor: nobody else can connect, not even for
	 * a moment. */
	if (fchmod(fd, S_IRUSR | S_IWUSR) || bind(fd, (struct sockaddr *)&a, sizeof a) ||
	    listen(fd, BACKLOG))
		return file_give_up(fd);
	return fd;
}

static void notify_packet(void *context, const struct link_event *event)
{
	struct control *control = context;
	for (int i = 0; i < CONTROL_CLIENTS; i++) {
		struct client *client = control->clients[i];
		if (client && events_match(&client->filter, event->packet))
			events_print(event, &client->out);
	}
}

static void notify_undelivered(void *context, uint64_t serial, enum link_direction direction)
{
	struct control *control = context;
	for (int i = 0; i < CONTROL_CLIENTS; i++)
		if (control->clients[i] && control->clients[i]->filter.on)
			events_print_undelivered(serial, direction, &control->clients[i]->out);
}

static void notify_changed(struct control *control, int64_t at, const char *change)
{
	for (int i = 0; i < CONTROL_CLIENTS; i++)
		if (control->clients[i] && control->clients[i]->filter.on)
			events_print_changed(at, change, &control->clients[i]->out);
}

static void note_ends(struct control *control, int64_t now)
{
	for (int d = 0; d < LINK_DIRECTIONS; d++) {
		const struct impair *impair = link_impair(control->link, d);
		const int64_t until[PAUSES] = { impair_held_until(impair),
			impair_unplugged_until(impair) };

		for (int i = 0; i < PAUSES; i++)
			control->ends[i][d] = until[i] > now ? until[i] : CLOCK_NEVER;
	}
}

/* What has gone on for its time; both ways at once where they end together. */
static void notify_ends(struct control *control, int64_t now)
{
	static const char *const words[PAUSES] = { "released", "plugged" };
	char change[20];

	for (int i = 0; i < PAUSES; i++) {
		int64_t *ends = control->ends[i];
		const bool together = ends[LINK_THERE] == ends[LINK_BACK];

		for (int d = 0; d < LINK_DIRECTIONS; d++) {
			if (ends[d] > now)
				continue;
			snprintf(change, sizeof change, "%s%s%s", words[i], together ? "" : " ",
			    together ? "" : link_direction_name(d));
			if (!together || d == LINK_THERE)
				notify_changed(control, ends[d], change);
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
	link_set_observer(link, &(struct link_observer){
	                            .context = control,
	                            .packet = notify_packet,
	                            .undelivered = notify_undelivered,
	                        });
	return control;
}

static void drop(struct control *control, int i)
{
	struct client *client = control->clients[i];

	close(client->fd);
	send_buffer_free(&client->out);
	free(client);
	control->clients[i] = NULL;
}

void control_free(struct control *control)
{
	if (!control)
		return;
	link_set_observer(control->link, NULL);
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
	struct client *client = i < CONTROL_CLIENTS && fd < FD_SETSIZE ? calloc(1, sizeof *client)
	                                                               : NULL;

	if (!client)
		return -1;
	client->fd = fd;
	control->clients[i] = client;
	return 0;
}

/* Who finds no place is told so, and does not wait for one. */
static void refuse_client(int fd)
{
	static const char full[] =
	    "error too many are connected to this lab; end one of them, such as a watch\n";

	(void)send(fd, full, sizeof full - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
	close(fd);
}

static void accept_clients(struct control *control, int64_t now)
{
	for (;;) {
		int fd = accept4(control->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd >= 0 && control_add(control, fd)) {
			refuse_client(fd);
		} else if (fd < 0) {
			if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
				control->accept_after = now + ACCEPT_RETRY;
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
		send_buffer_print(&client->out,
		    "error an order has %d bytes at most; for example: help\n", CONTROL_LINE);
	else if (lab_control_execute(control->link, client->line, now, &client->filter,
	             &client->out, change)) {
		note_ends(control, now);
		notify_changed(control, now, change);
	}
	client->skipping = false;
}

static void receive(struct control *control, struct client *client, int64_t now)
{
	char bytes[4096];
	ssize_t n = recv(client->fd, bytes, sizeof bytes, MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		/* A command without its newline counts: printf 'link' | nc -U. */
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

void control_watch(const struct control *control, struct fd_watch *w)
{
	for (int i = 0; i < PAUSES; i++)
		for (int d = 0; d < LINK_DIRECTIONS; d++)
			fd_watch_until(w, control->ends[i][d]);
	if (control->listener >= 0) {
		if (control->accept_after)
			fd_watch_until(w, control->accept_after);
		else
			fd_watch_read(w, control->listener);
	}
	for (int i = 0; i < CONTROL_CLIENTS; i++) {
		const struct client *client = control->clients[i];
		if (client && !client->ended && client->out.end - client->out.first < UNREAD_MAX)
			fd_watch_read(w, client->fd);
		if (client && !send_buffer_empty(&client->out))
			fd_watch_write(w, client->fd);
	}
}

void control_dispatch(struct control *control, const struct fd_watch *w, int64_t now)
{
	notify_ends(control, now);
	if (fd_watch_can_read(w, control->listener) ||
	    (control->accept_after && now >= control->accept_after)) {
		control->accept_after = 0;
		accept_clients(control, now);
	}
	for (int i = 0; i < CONTROL_CLIENTS; i++) {
		struct client *client = control->clients[i];
		if (!client)
			continue;
		if (!client->ended && fd_watch_can_read(w, client->fd))
			receive(control, client, now);
		if (send_buffer_send(&client->out, client->fd) || client->out.overflowed ||
		    (client->ended && send_buffer_empty(&client->out)))
			drop(control, i);
	}
}

static int send_command(int fd, const char *command)
{
	char line[CONTROL_LINE + 2];
	size_t n = (size_t)snprintf(line, sizeof line, "%s\n", command);

	if (n >= sizeof line) {
		errno = EMSGSIZE;
		return -1;
	}
	return send(fd, line, n, MSG_NOSIGNAL) == (ssize_t)n ? 0 : -1;
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

static int ask(const char *path, const char *command, bool follow,
    const struct control_reader *reader, char why[256])
{
	struct sockaddr_un a;
	int result = -1;

	int fd = address(path, &a) ? -1 : socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	FILE *in = fdopen(fd, "r");
	/* Who was turned away can read why, though no longer write. */
	if (in && !connect(fd, (struct sockaddr *)&a, sizeof a) &&
	    (!send_command(fd, command) || errno == EPIPE))
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

int control_ask(const char *path, const char *command, FILE *out, char why[256])
{
	return ask(path, command, false, &(struct control_reader){ out, print_line }, why);
}

int control_follow(const char *path, const char *command, const struct control_reader *reader,
    char why[256])
{
	return ask(path, command, true, reader, why);
}
