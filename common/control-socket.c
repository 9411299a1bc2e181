/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A client's commands wait while it leaves many bytes unread: its cost is bounded. */
#include "common/control-socket.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/file.h"
#include "common/os.h"

#define BACKLOG 64
/* The time for which new clients wait when accept() finds no descriptor or no memory. */
#define ACCEPT_PAUSE (200 * NS_PER_MS)
/* The unread bytes of a client at which its commands wait. */
#define UNREAD_MAX (64u << 10)
/* More than any line of an answer; a longer line comes in pieces. */
#define ANSWER_LINE 4096

/* Opens a socket for `path`, whose address is in `a`. Returns -1 with errno. */
static int open_socket(const char *path, struct sockaddr_un *a)
{
	*a = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (strlen(path) >= sizeof a->sun_path) {
		errno = ENAMETOOLONG;
		return -1;
	}
	strcpy(a->sun_path, path);
	return os_socket(AF_UNIX, SOCK_STREAM);
}

int control_listen(const char *path, struct stat *made)
{
	struct sockaddr_un a;
	const int fd = open_socket(path, &a);

	if (fd < 0)
		return -1;
	/* pselect() cannot watch it. */
	errno = EMFILE;
	/* The file takes its mode from the descriptor: at no moment can another user connect. */
	if (fd >= FD_SETSIZE || fchmod(fd, S_IRUSR | S_IWUSR) != 0 ||
	    bind(fd, (const struct sockaddr *)&a, sizeof a) != 0)
		return file_close(fd);
	if (lstat(path, made) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	const int error = errno;
	(void)file_remove(path, made);
	errno = error;
	return file_close(fd);
}

int control_connect(const char *path, bool blocking)
{
	struct sockaddr_un a;
	const int fd = open_socket(path, &a);

	if (fd >= 0 && blocking)
		(void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
	if (fd >= 0 && connect(fd, (const struct sockaddr *)&a, sizeof a) != 0)
		return file_close(fd);
	return fd;
}

/* --- the server --- */

static int free_place(const struct control_server *s)
{
	int i = 0;

	while (i < s->clients_max && s->clients[i])
		i++;
	return i;
}

bool control_server_is_full(const struct control_server *s)
{
	return free_place(s) == s->clients_max;
}

int control_server_add(struct control_server *s, int fd)
{
	const int place = free_place(s);
	struct control_client *client = place < s->clients_max ? calloc(1, sizeof *client) : NULL;

	if (!client)
		return -1;
	client->server = s;
	client->fd = fd;
	client->place = place;
	if (s->opened && s->opened(s->context, client) < 0) {
		free(client);
		return -1;
	}
	s->clients[place] = client;
	return 0;
}

void control_server_accept(struct control_server *s, int64_t now)
{
	while (s->full || !control_server_is_full(s)) {
		const int fd = os_accept(s->listener, NULL, NULL);

		if (fd < 0) {
			if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
				s->accept_after = now + ACCEPT_PAUSE;
			return;
		}
		if (control_server_add(s, fd) == 0)
			continue;
		if (s->full)
			(void)send(fd, s->full, strlen(s->full), MSG_DONTWAIT | MSG_NOSIGNAL);
		close(fd);
	}
}

void control_client_drop(struct control_client *client)
{
	struct control_server *s = client->server;

	s->clients[client->place] = NULL;
	if (s->closing)
		s->closing(s->context, client);
	close(client->fd);
	send_buffer_free(&client->out);
	free(client);
}

void control_server_close(struct control_server *s)
{
	for (int i = 0; i < s->clients_max; i++)
		if (s->clients[i])
			control_client_drop(s->clients[i]);
	if (s->listener >= 0)
		close(s->listener);
}

/* Adds what the client sent to its first command. */
static void receive(struct control_client *client)
{
	const size_t room = client->server->line_max + 1;
	const ssize_t n = recv(client->fd, client->in + client->n, room - client->n, MSG_DONTWAIT);

	if (n > 0)
		client->n += (size_t)n;
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		client->ended = true;
	if (client->n == room && !memchr(client->in, '\n', room)) {
		client->skipping = true;
		client->n = 0;
	}
}

/* The end of the first command, or NULL if it is not whole. The last one needs no newline:
 * printf totals | nc -U. */
static char *command_end(struct control_client *client)
{
	char *end = memchr(client->in, '\n', client->n);

	if (!end && client->ended && (client->n > 0 || client->skipping)) {
		end = client->in + client->n++;
		*end = '\n';
	}
	return end;
}

static void execute(struct control_client *client, char *end, int64_t now)
{
	const struct control_server *s = client->server;
	const size_t n = (size_t)(end - client->in) + 1;

	*end = '\0';
	if (client->skipping)
		send_buffer_print(&client->out,
		    "error an order has %zu bytes at most; for example: help\n", s->line_max);
	else
		s->execute(s->context, client, client->in, now);
	client->skipping = false;
	memmove(client->in, client->in + n, client->n - n);
	client->n -= n;
}

static size_t unread(const struct control_client *client)
{
	return client->out.end - client->out.first;
}

unsigned control_client_wants(struct control_client *client)
{
	const bool whole = command_end(client);

	return (client->ended || whole ? 0 : CONTROL_READ) |
	       (whole || unread(client) > 0 ? CONTROL_WRITE : 0);
}

bool control_client_dispatch(struct control_client *client, bool readable, int64_t now)
{
	char *end = command_end(client);

	for (int i = 0; i < client->server->turn_max; i++) {
		if (!end && readable && !client->ended) {
			receive(client);
			end = command_end(client);
		}
		if (!end || unread(client) >= UNREAD_MAX)
			break;
		execute(client, end, now);
		end = command_end(client);
	}
	return send_buffer_send(&client->out, client->fd) == 0 && !client->out.overflowed &&
	       (!client->ended || end || unread(client) > 0);
}

/* --- a client that asks once --- */

static int send_command(int fd, const char *command)
{
	char line[CONTROL_LINE_MAX + 2];
	const size_t n = (size_t)snprintf(line, sizeof line, "%s\n", command);

	if (n >= sizeof line) {
		errno = EMSGSIZE;
		return -1;
	}
	return send(fd, line, n, MSG_NOSIGNAL) == (ssize_t)n ? 0 : -1;
}

/* Reads until "ok" or "error"; with `follow`, after an "ok", until the server is gone. Returns 0
 * after "ok", 1 after "error", else -1. */
static int read_answer(FILE *in, const struct control_request *request, char reason[CONTROL_REASON])
{
	char line[ANSWER_LINE + 1];
	int result = -1;

	while (fgets(line, sizeof line, in)) {
		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, "error ", 6) == 0) {
			snprintf(reason, CONTROL_REASON, "%.*s", CONTROL_REASON - 1, line + 6);
			return 1;
		}
		if (strcmp(line, "ok") == 0)
			result = 0;
		if ((result == 0 && !request->follow) || request->line(request->context, line))
			return result;
	}
	errno = feof(in) ? ECONNRESET : errno;
	return result;
}

int control_request_send(const struct control_request *request, char reason[CONTROL_REASON])
{
	const int fd = control_connect(request->path, true);
	FILE *in = fd < 0 ? NULL : fdopen(fd, "r");
	int result = -1;

	if (!in)
		return file_close(fd);
	/* A refused client can still read the reason, though it can no longer write. */
	if (send_command(fd, request->command) == 0 || errno == EPIPE)
		result = read_answer(in, request, reason);
	const int error = errno;
	fclose(in);
	errno = error;
	return result;
}
