/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A peer of upcased: a server on io_uring. Connections are accepted, streams and datagrams received
 * by requests that stay until they fail (multishot), into buffers that the kernel picks from a
 * ring; what was made capitals goes out of the same buffer, which is given back when it has gone.
 * The kernel does its work only when this program asks for it (DEFER_TASKRUN), as one thread wants
 * it. */
#include <liburing.h>

#include "bench/peer.h"

#define REQUESTS 4096
#define STREAM_BUFFERS 128
#define STREAM_BYTES (1 << 16)
/* Room for a datagram of 4 KiB less its head; a longer one is cut. */
#define DATAGRAM_BUFFERS 2048
#define DATAGRAM_BYTES (1 << 12)

/* What a request is, in the lowest bits of what it carries; above it a client or a buffer's number.
 */
enum { ACCEPT, DATAGRAMS, DATAGRAM_SENT, RECEIVE, SENT, KINDS = 8 };

struct pool {
	struct io_uring_buf_ring *ring;
	char *memory;
	unsigned count, bytes;
	int group;
};

/* A client's buffers wait in a list, by number, for those before them; -1 ends it. */
struct client {
	int fd;
	int first, last;
	/* The part of the first that has gone out. */
	unsigned at;
	bool sending, receiving, starved, ended;
	struct client *next_starved;
};

struct server {
	struct io_uring ring;
	struct pool streams, datagrams;
	int listener, udp;
	int next[STREAM_BUFFERS];
	unsigned length[STREAM_BUFFERS];
	struct client *starved;
	bool datagrams_starved;
	/* What a reception says about itself; the room that it leaves for the sender's address. */
	struct msghdr received;
	struct msghdr out[DATAGRAM_BUFFERS];
	struct iovec out_iov[DATAGRAM_BUFFERS];
};

static char *buffer_of(const struct pool *pool, unsigned number)
{
	return pool->memory + (size_t)number * pool->bytes;
}

static void give_back(struct pool *pool, unsigned number)
{
	io_uring_buf_ring_add(pool->ring, buffer_of(pool, number), pool->bytes,
	    (unsigned short)number, io_uring_buf_ring_mask(pool->count), 0);
	io_uring_buf_ring_advance(pool->ring, 1);
}

static void make_pool(struct io_uring *ring, struct pool *pool, int group, unsigned count,
    unsigned bytes)
{
	struct io_uring_buf_reg reg = { .ring_entries = count, .bgid = (unsigned short)group };
	const size_t size = count * sizeof(struct io_uring_buf);
	void *memory;
	int result;

	*pool = (struct pool){ .count = count, .bytes = bytes, .group = group };
	if (posix_memalign(&memory, 4096, size) != 0 ||
	    (pool->memory = malloc((size_t)count * bytes)) == NULL)
		peer_fail("memory", errno);
	pool->ring = memory;
	reg.ring_addr = (uintptr_t)memory;
	result = io_uring_register_buf_ring(ring, &reg, 0);
	if (result < 0)
		peer_fail("ring of buffers", -result);
	io_uring_buf_ring_init(pool->ring);
	for (unsigned i = 0; i < count; i++)
		give_back(pool, i);
}

static struct io_uring_sqe *request(struct server *server, uintptr_t what)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&server->ring);

	if (sqe == NULL) {
		io_uring_submit(&server->ring);
		sqe = io_uring_get_sqe(&server->ring);
	}
	if (sqe == NULL)
		peer_fail("requests", EBUSY);
	/* The calls that prepare a request leave this alone. */
	io_uring_sqe_set_data64(sqe, what);
	return sqe;
}

static void take_from(struct io_uring_sqe *sqe, const struct pool *pool)
{
	sqe->flags |= IOSQE_BUFFER_SELECT;
	sqe->buf_group = (unsigned short)pool->group;
}

static void want_clients(struct server *server)
{
	struct io_uring_sqe *sqe = request(server, ACCEPT);

	io_uring_prep_multishot_accept(sqe, server->listener, NULL, NULL, SOCK_CLOEXEC);
	io_uring_sqe_set_data64(sqe, ACCEPT);
}

static void want_datagrams(struct server *server)
{
	struct io_uring_sqe *sqe = request(server, DATAGRAMS);

	io_uring_prep_recvmsg_multishot(sqe, server->udp, &server->received, 0);
	take_from(sqe, &server->datagrams);
	io_uring_sqe_set_data64(sqe, DATAGRAMS);
}

static void want_text(struct server *server, struct client *client)
{
	struct io_uring_sqe *sqe = request(server, 0);

	io_uring_prep_recv_multishot(sqe, client->fd, NULL, 0, 0);
	take_from(sqe, &server->streams);
	io_uring_sqe_set_data64(sqe, (uintptr_t)client | RECEIVE);
	client->receiving = true;
}

static void send_first(struct server *server, struct client *client)
{
	const unsigned number = (unsigned)client->first;
	struct io_uring_sqe *sqe = request(server, 0);

	io_uring_prep_send(sqe, client->fd, buffer_of(&server->streams, number) + client->at,
	    server->length[number] - client->at, MSG_NOSIGNAL | MSG_WAITALL);
	io_uring_sqe_set_data64(sqe, (uintptr_t)client | SENT);
	client->sending = true;
}

/* A client that has ended goes when nothing of it is under way any more. */
static void tidy(struct client *client)
{
	if (!client->ended || client->sending || client->receiving || client->starved ||
	    client->first >= 0)
		return;
	close(client->fd);
	free(client);
}

/* A buffer is free again: whoever found none may try again. */
static void buffer_gone(struct server *server, unsigned number)
{
	struct client *client = server->starved;

	give_back(&server->streams, number);
	if (client == NULL)
		return;
	server->starved = client->next_starved;
	client->starved = false;
	if (client->ended)
		tidy(client);
	else
		want_text(server, client);
}

static void drop_rest(struct server *server, struct client *client)
{
	while (client->first >= 0) {
		const int number = client->first;

		client->first = server->next[number];
		buffer_gone(server, (unsigned)number);
	}
}

static void on_client(struct server *server, const struct io_uring_cqe *cqe)
{
	struct client *client;

	if ((cqe->flags & IORING_CQE_F_MORE) == 0)
		want_clients(server);
	if (cqe->res < 0)
		return;
	client = aligned_alloc(64, 64);
	if (client == NULL)
		peer_fail("memory", errno);
	*client = (struct client){ .fd = cqe->res, .first = -1, .last = -1 };
	peer_no_delay(client->fd);
	want_text(server, client);
}

static void on_text(struct server *server, struct client *client, const struct io_uring_cqe *cqe)
{
	client->receiving = (cqe->flags & IORING_CQE_F_MORE) != 0;
	if (cqe->res > 0) {
		const int number = (int)(cqe->flags >> IORING_CQE_BUFFER_SHIFT);

		peer_capitals(buffer_of(&server->streams, (unsigned)number), (size_t)cqe->res);
		server->length[number] = (unsigned)cqe->res;
		server->next[number] = -1;
		if (client->first < 0)
			client->first = number;
		else
			server->next[client->last] = number;
		client->last = number;
		if (!client->sending)
			send_first(server, client);
	}
	if (client->receiving)
		return;
	if (cqe->res == -ENOBUFS) {
		client->starved = true;
		client->next_starved = server->starved;
		server->starved = client;
	} else if (cqe->res > 0) {
		want_text(server, client);
	} else {
		client->ended = true;
		tidy(client);
	}
}

static void on_sent(struct server *server, struct client *client, const struct io_uring_cqe *cqe)
{
	const unsigned number = (unsigned)client->first;

	client->sending = false;
	if (cqe->res < 0) {
		/* The reception sees the error too, and ends. */
		drop_rest(server, client);
		shutdown(client->fd, SHUT_RDWR);
		tidy(client);
		return;
	}
	client->at += (unsigned)cqe->res;
	if (client->at == server->length[number]) {
		client->first = server->next[number];
		client->at = 0;
		buffer_gone(server, number);
	}
	if (client->first >= 0)
		send_first(server, client);
	tidy(client);
}

static void answer(struct server *server, struct io_uring_recvmsg_out *in, unsigned number)
{
	struct iovec *iov = &server->out_iov[number];
	struct msghdr *out = &server->out[number];
	struct io_uring_sqe *sqe = request(server, 0);

	iov->iov_base = io_uring_recvmsg_payload(in, &server->received);
	peer_capitals(iov->iov_base, iov->iov_len);
	*out = (struct msghdr){ .msg_name = io_uring_recvmsg_name(in),
		.msg_namelen = in->namelen,
		.msg_iov = iov,
		.msg_iovlen = 1 };
	io_uring_prep_sendmsg(sqe, server->udp, out, 0);
	io_uring_sqe_set_data64(sqe, (uintptr_t)number * KINDS | DATAGRAM_SENT);
}

static void on_datagram(struct server *server, const struct io_uring_cqe *cqe)
{
	if (cqe->res >= 0) {
		const unsigned number = cqe->flags >> IORING_CQE_BUFFER_SHIFT;
		struct io_uring_recvmsg_out
		    *in = io_uring_recvmsg_validate(buffer_of(&server->datagrams, number), cqe->res,
		        &server->received);

		if (in != NULL) {
			server->out_iov[number].iov_len = io_uring_recvmsg_payload_length(in,
			    cqe->res, &server->received);
			answer(server, in, number);
		} else {
			give_back(&server->datagrams, number);
		}
	}
	if ((cqe->flags & IORING_CQE_F_MORE) != 0)
		return;
	if (cqe->res == -ENOBUFS)
		server->datagrams_starved = true;
	else
		want_datagrams(server);
}

static void on_datagram_sent(struct server *server, unsigned number)
{
	give_back(&server->datagrams, number);
	if (server->datagrams_starved) {
		server->datagrams_starved = false;
		want_datagrams(server);
	}
}

static void take(struct server *server, const struct io_uring_cqe *cqe)
{
	const uintptr_t what = (uintptr_t)io_uring_cqe_get_data64(cqe);
	/* What was carried there is what comes back. */
	struct client *client = (struct client *)(what & ~(uintptr_t)(KINDS - 1));

	switch (what % KINDS) {
	case ACCEPT:
		on_client(server, cqe);
		break;
	case DATAGRAMS:
		on_datagram(server, cqe);
		break;
	case DATAGRAM_SENT:
		on_datagram_sent(server, (unsigned)(what / KINDS));
		break;
	case RECEIVE:
		on_text(server, client, cqe);
		break;
	default:
		on_sent(server, client, cqe);
	}
}

static void open_ring(struct io_uring *ring)
{
	struct io_uring_params params = { .flags = IORING_SETUP_CQSIZE |
		                                   IORING_SETUP_SINGLE_ISSUER |
		                                   IORING_SETUP_DEFER_TASKRUN,
		.cq_entries = 4 * REQUESTS };
	int result = io_uring_queue_init_params(REQUESTS, ring, &params);

	if (result == -EINVAL) {
		/* Before Linux 6.1. */
		params = (struct io_uring_params){ .flags = IORING_SETUP_CQSIZE,
			.cq_entries = 4 * REQUESTS };
		result = io_uring_queue_init_params(REQUESTS, ring, &params);
	}
	if (result < 0)
		peer_fail("io_uring", -result);
}

int main(int argc, char **argv)
{
	static struct server server;
	const struct sockaddr_in address = peer_start(argc > 1 ? argv[1] : NULL);

	open_ring(&server.ring);
	make_pool(&server.ring, &server.streams, 0, STREAM_BUFFERS, STREAM_BYTES);
	make_pool(&server.ring, &server.datagrams, 1, DATAGRAM_BUFFERS, DATAGRAM_BYTES);
	server.received.msg_namelen = sizeof(struct sockaddr_in);
	/* Blocking sockets: the ring waits in our stead. */
	server.listener = peer_socket(&address, SOCK_STREAM);
	if (listen(server.listener, PEER_BACKLOG) != 0)
		peer_fail("listen", errno);
	server.udp = peer_socket(&address, SOCK_DGRAM);
	want_clients(&server);
	want_datagrams(&server);
	peer_ready();
	for (;;) {
		struct io_uring_cqe *cqe;
		unsigned head, count = 0;

		if (io_uring_submit_and_wait(&server.ring, 1) < 0)
			continue;
		io_uring_for_each_cqe(&server.ring, head, cqe)
		{
			take(&server, cqe);
			count++;
		}
		io_uring_cq_advance(&server.ring, count);
	}
}
