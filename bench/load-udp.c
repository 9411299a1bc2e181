/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Datagrams: one at a time, in bursts, from many sockets, and on schedule. What this program does
 * itself is made as cheap as the system allows (runs joined both ways), so that the server is what
 * is measured. */
#include <errno.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "bench/load.h"

#define WINDOW 64
#define WINDOW_MAX 2048
/* What one message to the system may hold: 64 datagrams (UDP_MAX_SEGMENTS), and what IP can count.
 */
#define JOINED_MAX 64
#define JOINED_BYTES 65000
#define BATCH 16
#define BUFFER_BYTES (1 << 22)

/* A window of datagrams: numbers from `first` on, which of them were answered, and how many. */
struct window {
	uint32_t first;
	int size, answered;
	bool seen[WINDOW_MAX];
};

/* One turn's replies, each perhaps a run of several joined by the system. */
struct batch {
	char text[BATCH][1 << 16];
	char control[BATCH][CMSG_SPACE(sizeof(int))];
	struct iovec iov[BATCH];
	struct mmsghdr messages[BATCH];
};

static int open_socket(const struct load *load)
{
	const int bytes = BUFFER_BYTES, one = 1;
	const struct timeval patience = { .tv_usec = LOAD_PATIENCE / 1000 };
	int fd = load_connect(load, SOCK_DGRAM, 0);

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes) != 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) != 0)
		load_fail("time to wait", errno);
	(void)setsockopt(fd, IPPROTO_UDP, UDP_GRO, &one, sizeof one);
	return fd;
}

/* What the system has dropped for want of room in this socket since it was opened. */
static uint64_t dropped(int fd)
{
	uint32_t info[16] = { 0 };
	socklen_t size = sizeof info;

	/* The ninth number: SK_MEMINFO_DROPS. */
	return getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info, &size) == 0 && size >= 9 * sizeof *info
	         ? info[8]
	         : 0;
}

static bool would_wait(void)
{
	return errno == EAGAIN || errno == EINTR;
}

/* The next reply, or -1 with errno where there was none in time. */
static ssize_t receive_one(const struct load *load, int fd, char *reply, size_t size, int64_t sent)
{
	ssize_t n;

	if (!load->awake)
		return recv(fd, reply, size, 0);
	do
		n = recv(fd, reply, size, MSG_DONTWAIT);
	while (n < 0 && would_wait() && clock_monotonic() - sent < LOAD_PATIENCE);
	return n;
}

void load_udp_rtt(struct load *load)
{
	const int fd = open_socket(load);
	char text[LOAD_TEXT_MAX], reply[1 << 16];
	int64_t now = clock_monotonic();

	for (uint32_t n = 0; load_running(load, now); n++) {
		const int64_t sent = clock_monotonic();
		uint32_t got = n;
		ssize_t size;

		load_write(load, text, load->size, false, n);
		if (send(fd, text, (size_t)load->size, 0) < 0)
			load_fail("send", errno);
		do {
			/* A late reply to one that was given up is not this one's. */
			size = receive_one(load, fd, reply, sizeof reply, sent);
		} while (size >= 0 && load_number(reply, (int)size, &got) && got < n);
		now = clock_monotonic();
		if (size < 0 && !would_wait())
			load_fail("receive", errno);
		if (size < 0) {
			load->lost++;
			continue;
		}
		load_check(load, reply, (int)size, load->size, false, n);
		load_time(load, now - sent);
	}
	close(fd);
}

/* Sends a run of datagrams in one piece that the system takes apart. */
static void send_joined(const struct load *load, int fd, uint32_t first, int count)
{
	static char text[1 << 16];
	char control[CMSG_SPACE(sizeof(uint16_t))] = { 0 };
	struct iovec iov = { .iov_base = text, .iov_len = (size_t)(count * load->size) };
	struct msghdr message = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof control };
	struct cmsghdr *segment = CMSG_FIRSTHDR(&message);
	const uint16_t size = (uint16_t)load->size;

	segment->cmsg_level = IPPROTO_UDP;
	segment->cmsg_type = UDP_SEGMENT;
	segment->cmsg_len = CMSG_LEN(sizeof size);
	memcpy(CMSG_DATA(segment), &size, sizeof size);
	for (int i = 0; i < count; i++)
		load_write(load, text + i * load->size, load->size, false, first + (uint32_t)i);
	if (sendmsg(fd, &message, 0) < 0)
		load_fail("send a run of datagrams (UDP_SEGMENT)", errno);
}

static void prepare(struct batch *batch)
{
	for (int i = 0; i < BATCH; i++) {
		batch->iov[i] = (struct iovec){ .iov_base = batch->text[i],
			.iov_len = sizeof batch->text[i] };
		batch->messages[i].msg_hdr = (struct msghdr){ .msg_iov = &batch->iov[i],
			.msg_iovlen = 1,
			.msg_control = batch->control[i],
			.msg_controllen = sizeof batch->control[i] };
	}
}

/* The length of each datagram in what was received as one. */
static int segment_size(struct mmsghdr *message)
{
	int size = (int)message->msg_len;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(&message->msg_hdr); c != NULL;
	    c = CMSG_NXTHDR(&message->msg_hdr, c))
		if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO)
			memcpy(&size, CMSG_DATA(c), sizeof size);
	return size > 0 ? size : 1;
}

/* One reply: of this window, of an earlier one (too late), or not a reply to anything. */
static void take(struct load *load, struct window *window, const char *text, int size)
{
	uint32_t number;

	if (!load_number(text, size, &number)) {
		load_wrong(load);
	} else if (number - window->first >= (uint32_t)window->size) {
		if (window->first - number > UINT32_MAX / 2)
			load_wrong(load);
	} else if (window->seen[number - window->first]) {
		load_wrong(load);
	} else {
		window->seen[number - window->first] = true;
		window->answered++;
		load_check(load, text, size, load->size, false, number);
	}
}

/* Receives what is there, or waits for the first of it; false if nothing came in time. */
static bool receive(struct load *load, int fd, struct batch *batch, struct window *window,
    int flags)
{
	int n;

	for (int i = 0; i < BATCH; i++)
		batch->messages[i].msg_hdr.msg_controllen = sizeof batch->control[i];
	n = recvmmsg(fd, batch->messages, BATCH, flags | MSG_WAITFORONE, NULL);
	if (n < 0 && !would_wait())
		load_fail("receive", errno);
	for (int i = 0; i < n; i++) {
		const int length = (int)batch->messages[i].msg_len,
		          step = segment_size(&batch->messages[i]);

		for (int at = 0; at < length; at += step)
			take(load, window, batch->text[i] + at,
			    at + step <= length ? step : length - at);
	}
	return n > 0;
}

/* Windows of `size`, each sent when all of the one before it was answered or given up. */
static void bursts(struct load *load, int size)
{
	static struct batch batch;
	static struct window window;
	const int most = JOINED_BYTES / load->size < JOINED_MAX ? JOINED_BYTES / load->size
	                                                        : JOINED_MAX;
	/* Pieces of one size, so that none is a small rest. */
	const int pieces = (size + most - 1) / most, piece = (size + pieces - 1) / pieces;
	const int fd = open_socket(load);
	uint64_t before = 0;
	int64_t now = clock_monotonic();

	prepare(&batch);
	for (uint32_t first = 0; load_running(load, now); first += (uint32_t)size) {
		const int64_t sent = now;

		if (load->begin == now)
			before = dropped(fd);
		window.first = first;
		window.size = size;
		window.answered = 0;
		memset(window.seen, 0, sizeof window.seen);
		for (int at = 0; at < size; at += piece)
			send_joined(load, fd, first + (uint32_t)at,
			    at + piece <= size ? piece : size - at);
		while (window.answered < size && receive(load, fd, &batch, &window, 0))
			;
		load->lost += (uint64_t)(size - window.answered);
		now = clock_monotonic();
		load_time(load, now - sent);
	}
	load->dropped_here = dropped(fd) - before;
	close(fd);
}

void load_udp_burst(struct load *load)
{
	bursts(load, WINDOW);
}

void load_udp_2048(struct load *load)
{
	bursts(load, WINDOW_MAX);
}

/* One of the sockets of udp-spread: what is in flight on it. */
struct lane {
	int fd;
	uint32_t number;
	int64_t sent;
};

static void lane_send(const struct load *load, struct lane *lane, int64_t now)
{
	char text[LOAD_TEXT_MAX];

	load_write(load, text, load->size, false, ++lane->number);
	lane->sent = now;
	if (send(lane->fd, text, (size_t)load->size, 0) < 0)
		load_fail("send", errno);
}

static void lane_receive(struct load *load, struct lane *lane, int64_t now)
{
	char reply[1 << 12];
	uint32_t number;
	const ssize_t size = recv(lane->fd, reply, sizeof reply, MSG_DONTWAIT);

	if (size < 0 && !would_wait())
		load_fail("receive", errno);
	if (size < 0 || (load_number(reply, (int)size, &number) && number < lane->number))
		return;
	load_check(load, reply, (int)size, load->size, false, lane->number);
	load_time(load, now - lane->sent);
	lane_send(load, lane, now);
}

/* Gives up what was sent too long ago. */
static void lanes_patience(struct load *load, struct lane *lanes, int64_t now)
{
	for (int i = 0; i < load->connections; i++)
		if (now - lanes[i].sent > LOAD_PATIENCE) {
			load->lost++;
			lane_send(load, &lanes[i], now);
		}
}

void load_udp_spread(struct load *load)
{
	struct lane *lanes = calloc((size_t)load->connections, sizeof *lanes);
	const int epoll = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event events[WINDOW];
	int64_t now = clock_monotonic(), looked = now;

	if (lanes == NULL || epoll < 0)
		load_fail("start", errno);
	for (int i = 0; i < load->connections; i++) {
		struct epoll_event event = { .events = EPOLLIN, .data.ptr = &lanes[i] };

		lanes[i].fd = open_socket(load);
		if (epoll_ctl(epoll, EPOLL_CTL_ADD, lanes[i].fd, &event) != 0)
			load_fail("epoll", errno);
		lane_send(load, &lanes[i], now);
	}
	for (; load_running(load, now); now = clock_monotonic()) {
		const int n = epoll_wait(epoll, events, WINDOW, LOAD_PATIENCE / NS_PER_MS);

		now = clock_monotonic();
		for (int i = 0; i < n; i++)
			lane_receive(load, events[i].data.ptr, now);
		if (now - looked > LOAD_PATIENCE) {
			lanes_patience(load, lanes, now);
			looked = now;
		}
	}
	close(epoll);
	free(lanes);
}
