/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A peer of upcased: a server on libevent's events. Not on its buffered events, which read 4 KiB at
 * a time: streams are read into one buffer that all share, and what the system does not take waits
 * in a buffer of libevent's. Datagrams, which libevent leaves to its user, in batches. */
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <event2/listener.h>

#include "bench/peer.h"

struct shared {
	struct event_base *base;
	char text[PEER_READ];
};

struct client {
	struct shared *shared;
	struct event readable, writable;
	/* What has not gone out yet; nothing is read meanwhile. NULL for nothing. */
	struct evbuffer *rest;
};

static void drop(struct client *client, evutil_socket_t fd)
{
	event_del(&client->readable);
	event_del(&client->writable);
	if (client->rest != NULL)
		evbuffer_free(client->rest);
	close(fd);
	free(client);
}

static void on_readable(evutil_socket_t fd, short what, void *context)
{
	struct client *client = context;
	char *text = client->shared->text;
	const ssize_t n = recv(fd, text, sizeof client->shared->text, 0);
	ssize_t sent;

	(void)what;
	if (n <= 0) {
		if (n == 0 || (errno != EAGAIN && errno != EINTR))
			drop(client, fd);
		return;
	}
	peer_capitals(text, (size_t)n);
	sent = send(fd, text, (size_t)n, MSG_NOSIGNAL);
	if (sent == n)
		return;
	if (sent < 0 && errno != EAGAIN) {
		drop(client, fd);
		return;
	}
	sent = sent < 0 ? 0 : sent;
	client->rest = evbuffer_new();
	if (client->rest == NULL ||
	    evbuffer_add(client->rest, text + sent, (size_t)(n - sent)) != 0)
		peer_fail("memory", errno);
	event_del(&client->readable);
	event_add(&client->writable, NULL);
}

static void on_writable(evutil_socket_t fd, short what, void *context)
{
	struct client *client = context;

	(void)what;
	if (evbuffer_write(client->rest, fd) < 0) {
		if (errno != EAGAIN)
			drop(client, fd);
		return;
	}
	if (evbuffer_get_length(client->rest) > 0)
		return;
	evbuffer_free(client->rest);
	client->rest = NULL;
	event_del(&client->writable);
	event_add(&client->readable, NULL);
}

static void on_connection(struct evconnlistener *listener, evutil_socket_t fd,
    struct sockaddr *from, int size, void *context)
{
	struct client *client = calloc(1, sizeof *client);

	(void)listener;
	(void)from;
	(void)size;
	if (client == NULL)
		peer_fail("memory", errno);
	peer_no_delay(fd);
	client->shared = context;
	event_assign(&client->readable, client->shared->base, fd, EV_READ | EV_PERSIST, on_readable,
	    client);
	event_assign(&client->writable, client->shared->base, fd, EV_WRITE | EV_PERSIST,
	    on_writable, client);
	event_add(&client->readable, NULL);
}

static void on_datagrams(evutil_socket_t fd, short what, void *context)
{
	(void)what;
	(void)peer_batch_serve(context, fd);
}

int main(int argc, char **argv)
{
	static struct shared shared;
	const struct sockaddr_in address = peer_start(argc > 1 ? argv[1] : NULL);
	struct event *datagrams;

	shared.base = event_base_new();
	if (shared.base == NULL)
		peer_fail("libevent", errno);
	if (evconnlistener_new(shared.base, on_connection, &shared, LEV_OPT_CLOSE_ON_FREE, 0,
	        peer_listen(&address)) == NULL)
		peer_fail("listen", errno);
	datagrams = event_new(shared.base, peer_socket(&address, SOCK_DGRAM | SOCK_NONBLOCK),
	    EV_READ | EV_PERSIST, on_datagrams, peer_batch_new());
	if (datagrams == NULL || event_add(datagrams, NULL) != 0)
		peer_fail("datagrams", errno);
	peer_ready();
	return event_base_dispatch(shared.base);
}
