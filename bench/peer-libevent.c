/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A peer of upcased: a server on libevent: buffered events for streams, whose text is made capitals
 * where it lies and moved from the one buffer to the other; for datagrams, which libevent leaves to its
 * user, batches. */
#include "config.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>

#include "peer.h"

/* Nothing more is read while so much waits to go out. */
#define WAITS_MOST (1 << 20)
#define PIECES 64

static void capitals_in_place(struct evbuffer *buffer)
{
	struct evbuffer_iovec pieces[PIECES];
	const int n = evbuffer_peek(buffer, -1, NULL, pieces, PIECES);

	if (n > PIECES) {
		peer_capitals((char *) evbuffer_pullup(buffer, -1), evbuffer_get_length(buffer));
		return;
	}
	for (int i = 0; i < n; i++)
		peer_capitals(pieces[i].iov_base, pieces[i].iov_len);
}

static void on_read(struct bufferevent *client, void *context)
{
	struct evbuffer *in = bufferevent_get_input(client), *out = bufferevent_get_output(client);

	(void) context;
	capitals_in_place(in);
	evbuffer_add_buffer(out, in);
	if (evbuffer_get_length(out) > WAITS_MOST)
		bufferevent_disable(client, EV_READ);
}

/* All has gone out. */
static void on_written(struct bufferevent *client, void *context)
{
	(void) context;
	bufferevent_enable(client, EV_READ);
}

static void on_last_written(struct bufferevent *client, void *context)
{
	(void) context;
	bufferevent_free(client);
}

static void on_end(struct bufferevent *client, short what, void *context)
{
	(void) context;
	if ((what & BEV_EVENT_EOF) != 0 && evbuffer_get_length(bufferevent_get_output(client)) > 0)
		bufferevent_setcb(client, NULL, on_last_written, on_end, NULL);
	else
		bufferevent_free(client);
}

static void on_connection(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *from, int size, void *context)
{
	struct bufferevent *client = bufferevent_socket_new(evconnlistener_get_base(listener), fd, BEV_OPT_CLOSE_ON_FREE);

	(void) from;
	(void) size;
	(void) context;
	if (client == NULL)
		peer_fail("memory", errno);
	peer_no_delay(fd);
	bufferevent_set_max_single_read(client, PEER_READ);
	bufferevent_set_max_single_write(client, PEER_READ);
	bufferevent_setcb(client, on_read, on_written, on_end, NULL);
	bufferevent_enable(client, EV_READ | EV_WRITE);
}

static void on_datagrams(evutil_socket_t fd, short what, void *context)
{
	(void) what;
	(void) peer_batch_serve(context, fd);
}

int main(int argc, char **argv)
{
	const struct sockaddr_in address = peer_start(argc > 1 ? argv[1] : NULL);
	struct event_base *base = event_base_new();
	struct event *datagrams;

	if (base == NULL)
		peer_fail("libevent", errno);
	if (evconnlistener_new(base, on_connection, NULL, LEV_OPT_CLOSE_ON_FREE, 0, peer_listen(&address)) == NULL)
		peer_fail("listen", errno);
	datagrams = event_new(base, peer_socket(&address, SOCK_DGRAM | SOCK_NONBLOCK), EV_READ | EV_PERSIST, on_datagrams,
	    peer_batch_new());
	if (datagrams == NULL || event_add(datagrams, NULL) != 0)
		peer_fail("datagrams", errno);
	peer_ready();
	return event_base_dispatch(base);
}
