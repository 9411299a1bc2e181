/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Control sockets: Unix stream sockets on which a client sends commands, a line each, and reads
 * lines up to "ok" or "error REASON". The server's part belongs to the caller's loop, which watches
 * the descriptors; a slow or rude client costs only its own connection. */
#pragma once

#include <sys/stat.h>

#include "common/send-buffer.h"

/* The most bytes of a command, and the most clients, of any server. */
#define CONTROL_LINE_MAX 1000
#define CONTROL_CLIENTS_MAX 16
/* Room for the reason of a refusal. */
#define CONTROL_REASON 256

/* What control_client_wants() waits for. */
#define CONTROL_READ 1u
#define CONTROL_WRITE 2u

struct control_client {
	struct control_server *server;
	int fd;
	/* Its place among the server's clients. */
	int place;
	/* Bytes that it sent and that are not executed yet. */
	char in[CONTROL_LINE_MAX + 1];
	size_t n;
	/* The rest of a command that is too long is skipped. */
	bool skipping;
	/* It sends no more; it is dropped when it has read everything. */
	bool ended;
	struct send_buffer out;
};

/* The caller sets what is not zero. */
struct control_server {
	/* The most bytes of a command, clients, and commands of a client in a turn. */
	size_t line_max;
	int clients_max, turn_max;
	/* Sent to clients for which there is no place; NULL: they wait for one. */
	const char *full;
	void *context;
	/* Executes a command, `line` without its newline, and adds the answer to client->out. */
	void (*execute)(void *context, struct control_client *client, char *line, int64_t now);
	/* A client came; returns -1 if it cannot be served. A client goes: its descriptor is about
	 * to be closed. Each may be NULL. */
	int (*opened)(void *context, struct control_client *client);
	void (*closing)(void *context, struct control_client *client);
	/* The listening socket, or -1. */
	int listener;
	/* Until when no client is accepted, for want of descriptors; else CLOCK_NEVER. */
	int64_t accept_after;
	struct control_client *clients[CONTROL_CLIENTS_MAX];
};

/* Makes a listening socket at `path`, which must not exist, for its owner alone; `made` is its
 * file. Returns the descriptor, or -1 with errno (ENAMETOOLONG beyond 107 bytes). */
int control_listen(const char *path, struct stat *made);

/* Serves the connected socket `fd`, which it takes over. Returns 0, or -1 when there is no place or
 * no memory; the caller then keeps `fd`. */
int control_server_add(struct control_server *s, int fd);
bool control_server_is_full(const struct control_server *s);
/* Accepts the waiting clients. */
void control_server_accept(struct control_server *s, int64_t now);
/* Drops all clients and closes the listener. */
void control_server_close(struct control_server *s);

/* What the client's descriptor is to be watched for: a set of CONTROL_READ and CONTROL_WRITE. */
unsigned control_client_wants(struct control_client *client);
/* Reads, executes and sends as a turn may. Returns false when the client is to be dropped. */
bool control_client_dispatch(struct control_client *client, bool readable, int64_t now);
void control_client_drop(struct control_client *client);

/* Connects to the socket at `path`. Returns the descriptor, or -1 with errno. */
int control_connect(const char *path, bool blocking);

/* A command for the server at `path`, whose answer is waited for. */
struct control_request {
	const char *path, *command;
	/* Read on after the "ok", until the server is gone: for lines that come between answers. */
	bool follow;
	/* Receives each line of the answer without its newline, which it may change; with `follow`
	 * the "ok" too. Returns true when it has enough. */
	bool (*line)(void *context, char *line);
	void *context;
};

/* Returns 0; 1 with the server's `reason` to refuse; -1 with errno when it cannot be reached. */
int control_request_send(const struct control_request *request, char reason[CONTROL_REASON]);
