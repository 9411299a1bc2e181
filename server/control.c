/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Executes one command of each client in a turn. */
#include "server/control.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/control-socket.h"
#include "common/file.h"

/* The number of tries to lock the folder, and the time between, ms. */
#define LOCK_TRIES 50
#define LOCK_WAIT 5

_Static_assert(CONTROL_READ == LOOP_READ && CONTROL_WRITE == LOOP_WRITE, "the same bits");

struct control {
	struct control_server server;
	struct loop *loop;
	struct control_sources sources;
	/* The path of the file and its identity: one of the same name may be another server's. */
	char path[sizeof((struct sockaddr_un){ 0 }).sun_path];
	struct stat made;
};

static void watch_listener(struct control *c)
{
	const struct control_server *s = &c->server;
	const bool open = !control_server_is_full(s) && s->accept_after == CLOCK_NEVER;

	if (s->listener >= 0)
		loop_want(c->loop, s->listener, open ? LOOP_READ : 0);
}

static void execute(void *context, struct control_client *client, char *line, int64_t now)
{
	const struct control *c = context;

	control_commands_execute(&c->sources, line, now, &client->out);
}

static void client_ready(void *context, int fd, unsigned ready, int64_t now)
{
	struct control_client *client = context;
	struct control *c = client->server->context;

	if (!control_client_dispatch(client, ready & LOOP_READ, now) ||
	    loop_want(c->loop, fd, control_client_wants(client)) < 0) {
		control_client_drop(client);
		watch_listener(c);
	}
}

static int opened(void *context, struct control_client *client)
{
	struct control *c = context;

	return loop_add_client(c->loop, client->fd, client_ready, client);
}

static void closing(void *context, struct control_client *client)
{
	struct control *c = context;

	loop_remove(c->loop, client->fd);
}

static void listener_ready(void *context, int listener, unsigned ready, int64_t now)
{
	struct control *c = context;

	(void)listener;
	(void)ready;
	control_server_accept(&c->server, now);
	watch_listener(c);
}

int64_t control_deadline(const struct control *c)
{
	return c ? c->server.accept_after : CLOCK_NEVER;
}

void control_timers(struct control *c, int64_t now)
{
	if (!c || now < c->server.accept_after)
		return;
	c->server.accept_after = CLOCK_NEVER;
	watch_listener(c);
}

/* Locks the folder, so that of two servers that start at once neither takes the other's socket for
 * a stale one. Does not wait long. Returns the descriptor that holds the lock, or -1. */
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

/* Removes a socket that a killed server of this user has left. Returns 0, or -1 with errno:
 * EADDRINUSE when somebody listens on it, EEXIST when it is something else. */
static int remove_stale(const char *path)
{
	struct stat st;
	int fd;

	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : -1;
	if (!S_ISSOCK(st.st_mode) || st.st_uid != geteuid()) {
		errno = EEXIST;
		return -1;
	}
	fd = control_connect(path, false);
	if (fd < 0 && errno == ECONNREFUSED) {
		(void)file_remove(path, &st);
		return 0;
	}
	/* EAGAIN: there is a server, with many clients waiting. */
	if (fd >= 0 || errno == EAGAIN)
		errno = EADDRINUSE;
	return file_close(fd);
}

static struct control *control_new(struct loop *loop, const struct control_sources *sources)
{
	struct control *c = calloc(1, sizeof *c);

	if (!c)
		return NULL;
	c->loop = loop;
	c->sources = *sources;
	c->server = (struct control_server){
		.line_max = CONTROL_LINE,
		.clients_max = CONTROL_CLIENTS,
		.turn_max = 1,
		.context = c,
		.execute = execute,
		.opened = opened,
		.closing = closing,
		.listener = -1,
		.accept_after = CLOCK_NEVER,
	};
	return c;
}

struct control *control_open(struct loop *loop, const char *path,
    const struct control_sources *sources, char reason[OPTIONS_REASON])
{
	struct control *c = control_new(loop, sources);
	const int lock = lock_folder(path);
	int fd = -1, error;

	if (c && remove_stale(path) == 0)
		fd = control_listen(path, &c->made);
	error = errno;
	(void)file_close(lock);
	if (fd < 0) {
		snprintf(reason, OPTIONS_REASON, "--control=%.80s: %s", path,
		    error == EADDRINUSE ? "another server answers there"
		    : error == EEXIST
		        ? "is there already and is no socket of yours; choose another name"
		        : strerror(error));
		free(c);
		errno = error;
		return NULL;
	}
	c->server.listener = fd;
	snprintf(c->path, sizeof c->path, "%s", path);
	loop_add(loop, fd, LOOP_READ, listener_ready, c);
	return c;
}

struct control *control_answer(struct loop *loop, int fd, const struct control_sources *sources)
{
	struct control *c = control_new(loop, sources);

	if (c && control_server_add(&c->server, fd) == 0)
		return c;
	free(c);
	return NULL;
}

void control_leave(struct control *c)
{
	if (!c)
		return;
	if (c->server.listener >= 0)
		loop_remove(c->loop, c->server.listener);
	control_server_close(&c->server);
	free(c);
}

void control_close(struct control *c)
{
	if (c && *c->path)
		(void)file_remove(c->path, &c->made);
	control_leave(c);
}
