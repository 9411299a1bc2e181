/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A peer of upcased: a server on libuv, written for speed: datagrams received in batches and
 * answered at once where the system takes them, streams read into one buffer that all share, and
 * only what the system does not take is copied. */
#include <uv.h>

#include "bench/peer.h"

/* libuv receives as many datagrams at once as fit with the longest length: 20 at most. */
#define DATAGRAMS 20

struct shared {
	char stream[PEER_READ];
	char datagrams[DATAGRAMS * PEER_DATAGRAM];
};

/* What did not go out at once, and where it is. */
struct rest {
	union {
		uv_write_t write;
		uv_udp_send_t send;
	};
	char text[];
};

static void check(int result, const char *what)
{
	if (result < 0) {
		fprintf(stderr, "peer: %s: %s\n", what, uv_strerror(result));
		exit(1);
	}
}

static struct rest *rest_new(const char *text, size_t size)
{
	struct rest *rest = malloc(sizeof *rest + size);

	if (rest == NULL)
		peer_fail("memory", errno);
	memcpy(rest->text, text, size);
	return rest;
}

static void give_stream(uv_handle_t *handle, size_t size, uv_buf_t *buf)
{
	struct shared *shared = handle->loop->data;

	(void)size;
	*buf = uv_buf_init(shared->stream, sizeof shared->stream);
}

static void give_datagrams(uv_handle_t *handle, size_t size, uv_buf_t *buf)
{
	struct shared *shared = handle->loop->data;

	(void)size;
	*buf = uv_buf_init(shared->datagrams, sizeof shared->datagrams);
}

static void closed(uv_handle_t *handle)
{
	free(handle);
}

static void on_read(uv_stream_t *client, ssize_t size, const uv_buf_t *buf);

/* The rest has gone out: on with reading. */
static void written(uv_write_t *write, int status)
{
	uv_stream_t *client = write->handle;

	free(write);
	if (status < 0 && !uv_is_closing((uv_handle_t *)client))
		uv_close((uv_handle_t *)client, closed);
	else if (status == 0)
		uv_read_start(client, give_stream, on_read);
}

static void on_read(uv_stream_t *client, ssize_t size, const uv_buf_t *buf)
{
	uv_buf_t out;
	struct rest *rest;
	int sent;

	if (size < 0)
		uv_close((uv_handle_t *)client, closed);
	if (size <= 0)
		return;
	peer_capitals(buf->base, (size_t)size);
	out = uv_buf_init(buf->base, (unsigned)size);
	sent = uv_try_write(client, &out, 1);
	if (sent == size)
		return;
	if (sent < 0)
		sent = 0;
	rest = rest_new(buf->base + sent, (size_t)(size - sent));
	out = uv_buf_init(rest->text, (unsigned)(size - sent));
	uv_read_stop(client);
	check(uv_write(&rest->write, client, &out, 1, written), "write");
}

static void on_connection(uv_stream_t *listener, int status)
{
	uv_tcp_t *client = malloc(sizeof *client);

	if (client == NULL)
		peer_fail("memory", errno);
	if (status < 0 || uv_tcp_init(listener->loop, client) != 0) {
		free(client);
		return;
	}
	if (uv_accept(listener, (uv_stream_t *)client) != 0) {
		uv_close((uv_handle_t *)client, closed);
		return;
	}
	uv_tcp_nodelay(client, 1);
	uv_read_start((uv_stream_t *)client, give_stream, on_read);
}

static void sent_later(uv_udp_send_t *send, int status)
{
	(void)status;
	free(send);
}

static void on_datagram(uv_udp_t *udp, ssize_t size, const uv_buf_t *buf,
    const struct sockaddr *from, unsigned flags)
{
	uv_buf_t out;
	struct rest *rest;

	(void)flags;
	if (size < 0 || from == NULL)
		return;
	peer_capitals(buf->base, (size_t)size);
	out = uv_buf_init(buf->base, (unsigned)size);
	if (uv_udp_try_send(udp, &out, 1, from) != UV_EAGAIN)
		return;
	rest = rest_new(buf->base, (size_t)size);
	out = uv_buf_init(rest->text, (unsigned)size);
	if (uv_udp_send(&rest->send, udp, &out, 1, from, sent_later) != 0)
		free(rest);
}

int main(int argc, char **argv)
{
	static struct shared shared;
	const struct sockaddr_in address = peer_start(argc > 1 ? argv[1] : NULL);
	uv_loop_t *loop = uv_default_loop();
	uv_tcp_t listener;
	uv_udp_t udp;
	int fd;

	loop->data = &shared;
	check(uv_tcp_init(loop, &listener), "TCP");
	check(uv_tcp_bind(&listener, (const struct sockaddr *)&address, 0), "bind");
	check(uv_listen((uv_stream_t *)&listener, PEER_BACKLOG, on_connection), "listen");
	check(uv_udp_init_ex(loop, &udp, AF_INET | UV_UDP_RECVMMSG), "UDP");
	check(uv_udp_bind(&udp, (const struct sockaddr *)&address, 0), "bind");
	check(uv_fileno((const uv_handle_t *)&udp, &fd), "UDP");
	peer_udp_buffer(fd);
	check(uv_udp_recv_start(&udp, give_datagrams, on_datagram), "receive");
	peer_ready();
	return uv_run(loop, UV_RUN_DEFAULT);
}
