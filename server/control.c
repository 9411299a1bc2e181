/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Of each client one command is executed in a turn, and none while it leaves much unread: however
 * much it asks, the server does and keeps a bounded amount for it. */
#include "config.h"

#include "server/control.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/file.h"

#define BACKLOG 64
/* When accept() finds no descriptor or no memory, new clients wait for so long. */
#define ACCEPT_PAUSE (200 * NS_PER_MS)
/* A client's commands wait while it leaves this much unread. */
#define UNREAD_MAX (64u << 10)
/* How often the lock of the folder is asked for, and the time between, ms. */
#define LOCK_TRIES 50
#define LOCK_WAIT 5

struct client {
	struct control *control;
	int fd;
	/* What it sent and was not executed yet. */
	char in[CONTROL_LINE + 1];
	size_t n;
	/* The rest of a command that is too long goes by. */
	bool skipping;
	/* It sends no more; it goes when it has read all. */
	bool ended;
	struct send_buffer out;
};

struct control {
	struct loop *loop;
	struct poller *poller;
	struct control_sources sources;
	/* -1: it only answers on one that it was given. */
	int listener;
	struct client *clients[CONTROL_CLIENTS];
	/* No client is accepted until then, or CLOCK_NEVER. */
	int64_t accept_after;
	/* The file, and which one it is: another server's of the same name is not ours to remove.
	 */
	char path[sizeof((struct sockaddr_un){ 0 }).sun_path];
	struct stat made;
};

static int free_place(const struct control *c)
{
	int i = 0;

	while (i < CONTROL_CLIENTS && c->clients[i])
		i++;
	return i;
}

static void watch_listener(struct control *c)
{
	bool open = free_place(c) < CONTROL_CLIENTS && c->accept_after == CLOCK_NEVER;

	if (c->listener >= 0)
		loop_want(c->loop, c->listener, open ? LOOP_READ : 0);
}

static void drop(struct client *client)
{
	struct control *c = client->control;

	for (int i = 0; i < CONTROL_CLIENTS; i++)
		if (c->clients[i] == client)
			c->clients[i] = NULL;
	poller_remove(c->poller, client->fd);
	close(client->fd);
	send_buffer_free(&client->out);
	free(client);
}

/* Takes in what was sent, as much as there is room for. */
static void receive(struct client *client)
{
	size_t room = sizeof client->in - client->n;
	ssize_t n = recv(client->fd, client->in + client->n, room, MSG_DONTWAIT);

	if (n > 0)
		client->n += (size_t)n;
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		client->ended = true;
}

/* The end of the command that comes first, NULL if it is not whole. The last one needs no newline:
 * printf totals | nc -U. */
static char *command_end(struct client *client)
{
	char *end = memchr(client->in, '\n', client->n);

	if (!end && client->ended && client->n > 0 && client->n < sizeof client->in)
		end = client->in + client->n++;
	return end;
}

static void execute(struct client *client, char *end, int64_t now)
{
	size_t n = (size_t)(end - client->in) + 1;

	*end = '\0';
	if (client->skipping)
		send_buffer_print(&client->out,
		    "error an order has %d bytes at most; for example: help\n", CONTROL_LINE);
	else
		control_commands_execute(&client->control->sources, client->in, now, &client->out);
	client->skipping = false;
	memmove(client->in, client->in + n, client->n - n);
	client->n -= n;
}

/* What to wait for, with the whole command that ends at `end` still to be executed, or none. */
static unsigned what_next(const struct client *client, const char *end)
{
	return (client->ended || end ? 0 : LOOP_READ) |
	       (end || !send_buffer_empty(&client->out) ? LOOP_WRITE : 0);
}

static void client_ready(void *context, int fd, unsigned ready, int64_t now)
{
	struct client *client = context;
	struct control *c = client->control;
	char *end;

	if (ready & LOOP_READ)
		receive(client);
	end = command_end(client);
	if (!end && client->n == sizeof client->in) {
		client->skipping = true;
		client->n = 0;
	}
	if (end && client->out.end - client->out.first < UNREAD_MAX) {
		execute(client, end, now);
		end = command_end(client);
	}
	if (send_buffer_send(&client->out, fd) < 0 || client->out.overflowed ||
	    (client->ended && !end && send_buffer_empty(&client->out)) ||
	    poller_want(c->poller, fd, what_next(client, end)) < 0) {
		drop(client);
		watch_listener(c);
	}
}

/* Takes over `fd`. Returns 0, or -1. */
static int add(struct control *c, int fd)
{
	struct client *client = fd < c->poller->limit ? calloc(1, sizeof *client) : NULL;

	if (!client || poller_add(c->poller, fd, client_ready, client) < 0) {
		free(client);
		return -1;
	}
	client->control = c;
	client->fd = fd;
	c->clients[free_place(c)] = client;
	return 0;
}

static void listener_ready(void *context, int listener, unsigned ready, int64_t now)
{
	struct control *c = context;

	(void)ready;
	while (free_place(c) < CONTROL_CLIENTS) {
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd >= 0 && add(c, fd) < 0)
			close(fd);
		if (fd >= 0)
			continue;
		if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
			c->accept_after = now + ACCEPT_PAUSE;
		break;
	}
	watch_listener(c);
}

int64_t control_deadline(const struct control *c)
{
	return c ? c->accept_after : CLOCK_NEVER;
}

void control_timers(struct control *c, int64_t now)
{
	if (!c || now < c->accept_after)
		return;
	c->accept_after = CLOCK_NEVER;
	watch_listener(c);
}

/* Two that start at once do not take each other's socket for one that was left. A folder that
 * others keep locked is not waited for long. Returns the descriptor that holds the lock, or -1. */
static int lock_folder(const char *path)
{
	char folder[sizeof((struct sockaddr_un){ 0 }).sun_path];
	int fd;

	snprintf(folder, sizeof folder, "%s", path);
	fd = open(dirname(folder), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (int tries = 0; fd >= 0 && tries < LOCK_TRIES && flock(fd, LOCK_EX | LOCK_NB) < 0;
	    tries++)
		poll(NULL, 0, LOCK_WAIT);
	return fd;
}

/* Removes a socket that a server of this user's that was killed has left. Returns 0, or -1 with
 * errno: EADDRINUSE when somebody listens on it, EEXIST when it is something else. */
static int remove_stale(const struct sockaddr_un *a)
{
	struct stat st;
	int fd, result;

	if (lstat(a->sun_path, &st) < 0)
		return errno == ENOENT ? 0 : -1;
	if (!S_ISSOCK(st.st_mode) || st.st_uid != geteuid()) {
		errno = EEXIST;
		return -1;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	result = connect(fd, (const struct sockaddr *)a, sizeof *a);
	if (result < 0 && errno == ECONNREFUSED) {
		close(fd);
		(void)file_remove(a->sun_path, &st);
		return 0;
	}
	/* EAGAIN: there is one, with many waiting. */
	if (result == 0 || errno == EAGAIN)
		errno = EADDRINUSE;
	return file_give_up(fd);
}

/* Makes the listening socket, and tells which file it is. Returns it, or -1 with errno. */
static int listen_at(const struct sockaddr_un *a, struct stat *made)
{
	int fd, error;
	bool bound;

	if (remove_stale(a) < 0 ||
	    (fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) < 0)
		return -1;
	errno = EMFILE;
	/* The file takes its mode from the descriptor: nobody else can connect, not even for a
	 * moment. */
	bound = fd < FD_SETSIZE && fchmod(fd, S_IRUSR | S_IWUSR) == 0 &&
	        bind(fd, (const struct sockaddr *)a, sizeof *a) == 0;
	if (bound && lstat(a->sun_path, made) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	error = errno;
	if (bound)
		(void)file_remove(a->sun_path, made);
	close(fd);
	errno = error;
	return -1;
}

struct control *control_open(struct loop *loop, struct poller *poller, const char *path,
    const struct control_sources *sources, char why[OPTIONS_WHY])
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	struct control *c = calloc(1, sizeof *c);
	struct stat made = { 0 };
	int lock, fd, error;

	snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
	lock = lock_folder(path);
	fd = c ? listen_at(&a, &made) : -1;
	error = errno;
	if (lock >= 0)
		close(lock);
	if (fd < 0) {
		snprintf(why, OPTIONS_WHY, "--control=%.80s: %s", path,
		    error == EADDRINUSE ? "another server answers there"
		    : error == EEXIST
		        ? "is there already and is no socket of yours; choose another name"
		        : strerror(error));
		free(c);
		errno = error;
		return NULL;
	}
	*c = (struct control){ .loop = loop,
		.poller = poller,
		.sources = *sources,
		.listener = fd,
		.accept_after = CLOCK_NEVER,
		.made = made };
	memcpy(c->path, a.sun_path, sizeof c->path);
	loop_add(loop, fd, LOOP_READ, listener_ready, c);
	return c;
}

struct control *control_answer(struct poller *poller, int fd, const struct control_sources *sources)
{
	struct control *c = calloc(1, sizeof *c);

	if (!c)
		return NULL;
	*c = (struct control){
		.poller = poller, .sources = *sources, .listener = -1, .accept_after = CLOCK_NEVER
	};
	if (add(c, fd) == 0)
		return c;
	free(c);
	return NULL;
}

void control_leave(struct control *c)
{
	if (!c)
		return;
	for (int i = 0; i < CONTROL_CLIENTS; i++)
		if (c->clients[i])
			drop(c->clients[i]);
	if (c->listener >= 0) {
		loop_remove(c->loop, c->listener);
		close(c->listener);
	}
	free(c);
}

void control_close(struct control *c)
{
	if (c && *c->path)
		(void)file_remove(c->path, &c->made);
	control_leave(c);
}
