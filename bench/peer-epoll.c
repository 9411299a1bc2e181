/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A peer of upcased: a plain epoll server, as one would write it by hand. Level-triggered, one read
 * of a ready connection a turn into a buffer that all share, what the system does not take kept
 * until it does, datagrams in batches. */
#include <fcntl.h>
#include <sys/epoll.h>

#include "bench/peer.h"

#define EVENTS 256

struct client {
	int fd;
	/* What has not gone out yet: `size` bytes from `at` on. Nothing is read meanwhile. */
	char *rest;
	size_t at, size;
};

struct server {
	int epoll, listener, udp;
	struct peer_batch *batch;
	char text[PEER_READ];
};

static void watch(const struct server *server, int how, struct client *client, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = client };

	if (epoll_ctl(server->epoll, how, client->fd, &event) != 0)
		peer_fail("epoll", errno);
}

static void drop(struct client *client)
{
	close(client->fd);
	free(client->rest);
	free(client);
}

static void accept_all(struct server *server)
{
	int fd;

	while ((fd = accept4(server->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		struct client *client = calloc(1, sizeof *client);

		if (client == NULL)
			peer_fail("memory", errno);
		client->fd = fd;
		peer_no_delay(fd);
		watch(server, EPOLL_CTL_ADD, client, EPOLLIN);
	}
}

static void keep(struct server *server, struct client *client, const char *text, size_t size)
{
	client->rest = malloc(size);
	if (client->rest == NULL)
		peer_fail("memory", errno);
	memcpy(client->rest, text, size);
	client->at = 0;
	client->size = size;
	watch(server, EPOLL_CTL_MOD, client, EPOLLOUT);
}

static void serve(struct server *server, struct client *client)
{
	const ssize_t n = recv(client->fd, server->text, sizeof server->text, 0);
	ssize_t sent;

	if (n <= 0) {
		if (n == 0 || (errno != EAGAIN && errno != EINTR))
			drop(client);
		return;
	}
	peer_capitals(server->text, (size_t)n);
	sent = send(client->fd, server->text, (size_t)n, MSG_NOSIGNAL);
	if (sent < 0 && errno != EAGAIN)
		drop(client);
	else if (sent < n)
		keep(server, client, server->text + (sent > 0 ? sent : 0),
		    (size_t)(n - (sent > 0 ? sent : 0)));
}

static void flush(struct server *server, struct client *client)
{
	const ssize_t sent = send(client->fd, client->rest + client->at, client->size,
	    MSG_NOSIGNAL);

	if (sent < 0) {
		if (errno != EAGAIN)
			drop(client);
		return;
	}
	client->at += (size_t)sent;
	client->size -= (size_t)sent;
	if (client->size > 0)
		return;
	free(client->rest);
	client->rest = NULL;
	watch(server, EPOLL_CTL_MOD, client, EPOLLIN);
}

static void add(struct server *server, int fd, int *mark)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = mark };

	if (epoll_ctl(server->epoll, EPOLL_CTL_ADD, fd, &event) != 0)
		peer_fail("epoll", errno);
}

int main(int argc, char **argv)
{
	static struct server server;
	const struct sockaddr_in address = peer_start(argc > 1 ? argv[1] : NULL);
	struct epoll_event events[EVENTS];

	server.epoll = epoll_create1(EPOLL_CLOEXEC);
	server.listener = peer_listen(&address);
	server.udp = peer_socket(&address, SOCK_DGRAM | SOCK_NONBLOCK);
	server.batch = peer_batch_new();
	add(&server, server.listener, &server.listener);
	add(&server, server.udp, &server.udp);
	peer_ready();
	for (;;) {
		const int n = epoll_wait(server.epoll, events, EVENTS, -1);

		for (int i = 0; i < n; i++) {
			void *who = events[i].data.ptr;

			if (who == &server.listener)
				accept_all(&server);
			else if (who == &server.udp)
				(void)peer_batch_serve(server.batch, server.udp);
			else if (((struct client *)who)->rest != NULL)
				flush(&server, who);
			else
				serve(&server, who);
		}
	}
}
