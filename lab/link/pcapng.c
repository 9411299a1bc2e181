/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every block is type, length, body, length again; options are code, length, value; all padded to
 * four bytes and in this machine's byte order, which the section header names. */
#include "lab/link/pcapng.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/send-buffer.h"

/* Block types. */
#define SECTION UINT32_C(0x0a0d0d0a)
#define INTERFACE 1
#define INTERFACE_STATISTICS 5
#define ENHANCED_PACKET 6
#define BYTE_ORDER_MAGIC UINT32_C(0x1a2b3c4d)
#define LENGTH_UNKNOWN UINT64_MAX

#define LINKTYPE_RAW 101

/* Option codes; 2 has another meaning in each block. */
#define OPTION_COMMENT 1
#define OPTION_IF_NAME 2
#define OPTION_EPB_FLAGS 2
#define OPTION_SHB_USERAPPL 4
#define OPTION_ISB_IFRECV 4
#define OPTION_ISB_IFDROP 5
#define OPTION_IF_TSRESOL 9

#define NANOSECONDS 9

/* Room for a block's options: a name or comment and a few numbers. */
#define OPTIONS_ROOM (PCAPNG_COMMENT + 64)

/* The room in the queue that packets leave for the statistics at the end. */
#define END_ROOM 4096
/* The bytes that are written at once. */
#define WRITE_AT (64u << 10)

struct pcapng {
	int fd;
	/* Whole blocks; the number of bytes of the first block that are already written. */
	struct send_buffer queue;
	size_t written;
	int64_t wait_each, wait_until;
	/* A write failed: no more writes are made. */
	bool failed;
};

struct block_options {
	uint8_t bytes[OPTIONS_ROOM];
	size_t n;
};

static size_t padded(size_t n)
{
	return (n + 3) & ~(size_t)3;
}

static void put_option(struct block_options *o, uint16_t code, const void *value, size_t n)
{
	uint16_t head[2] = { code, (uint16_t)n };

	memcpy(o->bytes + o->n, head, sizeof head);
	memset(o->bytes + o->n + 4, 0, padded(n));
	memcpy(o->bytes + o->n + 4, value, n);
	o->n += 4 + padded(n);
}

static void put_text(struct block_options *o, uint16_t code, const char *text)
{
	const size_t length = strlen(text);

	put_option(o, code, text, length < PCAPNG_COMMENT ? length : PCAPNG_COMMENT);
}

/* The size of a block with these options and the end of options. */
static size_t block_size(size_t fixed_size, size_t n, const struct block_options *o)
{
	return 16 + fixed_size + padded(n) + o->n;
}

/* Adds a block: fixed fields, then a body that is padded, then the options. */
static void put_block(struct send_buffer *out, uint32_t type, const void *fixed, size_t fixed_size,
    const void *body, size_t n, const struct block_options *o)
{
	const uint32_t head[2] = { type, (uint32_t)block_size(fixed_size, n, o) };

	send_buffer_add(out, (const char *)head, sizeof head);
	send_buffer_add(out, fixed, fixed_size);
	if (n > 0)
		send_buffer_add(out, body, n);
	send_buffer_add(out, "\0\0\0", padded(n) - n);
	send_buffer_add(out, (const char *)o->bytes, o->n);
	send_buffer_add(out, "\0\0\0" /* the end of options */, 4);
	send_buffer_add(out, (const char *)&head[1], sizeof head[1]);
}

struct pcapng *pcapng_new(int fd, const char *const *names, const char *comment, int count)
{
	static const struct {
		uint32_t magic;
		uint16_t major, minor;
		uint64_t length;
	} section = { BYTE_ORDER_MAGIC, 1, 0, LENGTH_UNKNOWN };
	static const struct {
		uint16_t type, reserved;
		uint32_t longest;
	} interface = { LINKTYPE_RAW, 0, 0 };
	const uint8_t resolution = NANOSECONDS;
	struct pcapng *p = calloc(1, sizeof *p);
	struct block_options o = { .n = 0 };

	if (!p)
		return NULL;
	p->fd = fd;
	put_text(&o, OPTION_SHB_USERAPPL, "upcase-lab");
	put_block(&p->queue, SECTION, &section, sizeof section, NULL, 0, &o);
	for (int i = 0; i < count; i++) {
		o.n = 0;
		put_text(&o, OPTION_IF_NAME, names[i]);
		if (comment)
			put_text(&o, OPTION_COMMENT, comment);
		put_option(&o, OPTION_IF_TSRESOL, &resolution, 1);
		put_block(&p->queue, INTERFACE, &interface, sizeof interface, NULL, 0, &o);
	}
	return p;
}

bool pcapng_packet(struct pcapng *p, int interface, enum pcapng_direction direction, int64_t wall,
    const void *bytes, size_t n, const char *comment)
{
	uint32_t fixed[5] = {
		(uint32_t)interface,
		(uint32_t)((uint64_t)wall >> 32),
		(uint32_t)wall,
		(uint32_t)n,
		(uint32_t)n,
	};
	uint32_t flags = direction;
	struct block_options o = { .n = 0 };

	if (comment)
		put_text(&o, OPTION_COMMENT, comment);
	put_option(&o, OPTION_EPB_FLAGS, &flags, sizeof flags);
	if (p->queue.end - p->queue.first >= WRITE_AT)
		(void)pcapng_flush(p);
	if (p->queue.end - p->queue.first + block_size(sizeof fixed, n, &o) >
	    SEND_BUFFER_MAX - END_ROOM)
		return false;
	put_block(&p->queue, ENHANCED_PACKET, fixed, sizeof fixed, bytes, n, &o);
	return true;
}

void pcapng_interface_end(struct pcapng *p, int interface, int64_t wall, uint64_t packets,
    uint64_t dropped, const char *comment)
{
	uint32_t fixed[3] = { (uint32_t)interface, (uint32_t)((uint64_t)wall >> 32),
		(uint32_t)wall };
	struct block_options o = { .n = 0 };

	put_text(&o, OPTION_COMMENT, comment);
	put_option(&o, OPTION_ISB_IFRECV, &packets, sizeof packets);
	put_option(&o, OPTION_ISB_IFDROP, &dropped, sizeof dropped);
	put_block(&p->queue, INTERFACE_STATISTICS, fixed, sizeof fixed, NULL, 0, &o);
}

void pcapng_wait(struct pcapng *p, int64_t each, int64_t deadline)
{
	p->wait_each = each;
	p->wait_until = deadline;
}

/* The length of the block at `at` of the queue, bytes. */
static size_t block_at(const struct pcapng *p, size_t at)
{
	uint32_t length;

	memcpy(&length, p->queue.bytes + at + sizeof length, sizeof length);
	return length;
}

/* The next write's size: blocks that a pipe takes whole or not at all (PIPE_BUF), or a larger
 * one. */
static size_t next_piece(const struct pcapng *p)
{
	size_t n = block_at(p, p->queue.first);

	while (p->written == 0 && p->queue.first + n < p->queue.end &&
	       n + block_at(p, p->queue.first + n) <= PIPE_BUF)
		n += block_at(p, p->queue.first + n);
	return n - p->written;
}

static void take_written(struct pcapng *p, size_t n)
{
	p->written += n;
	while (!send_buffer_empty(&p->queue) && p->written >= block_at(p, p->queue.first)) {
		p->written -= block_at(p, p->queue.first);
		p->queue.first += block_at(p, p->queue.first);
	}
}

/* Waits for a slow reader. Returns false when that takes too long; then nothing waits again. */
static bool may_write(struct pcapng *p)
{
	const int64_t in_all = p->wait_until - clock_monotonic();
	const int64_t left = in_all < p->wait_each ? in_all : p->wait_each;
	struct pollfd ready = { .fd = p->fd, .events = POLLOUT };

	if (left > 0 && poll(&ready, 1, (int)(left / NS_PER_MS) + 1) != 0)
		return true;
	p->wait_until = 0;
	return false;
}

static void fail(struct pcapng *p)
{
	const off_t end = lseek(p->fd, 0, SEEK_END);

	p->failed = true;
	/* Cuts off the unfinished block, where the file can be cut. */
	if (end >= (off_t)p->written && ftruncate(p->fd, end - (off_t)p->written) == 0)
		p->written = 0;
}

int pcapng_flush(struct pcapng *p)
{
	p->failed |= p->queue.overflowed;
	while (!p->failed && !send_buffer_empty(&p->queue)) {
		const ssize_t n = write(p->fd, p->queue.bytes + p->queue.first + p->written,
		    next_piece(p));

		if (n > 0)
			take_written(p, (size_t)n);
		else if (n < 0 && errno != EAGAIN && errno != EINTR)
			fail(p);
		else if (!may_write(p))
			break;
	}
	if (p->failed)
		p->queue.first = p->queue.end;
	return p->failed ? -1 : 0;
}

bool pcapng_pending(const struct pcapng *p)
{
	return !send_buffer_empty(&p->queue);
}

uint64_t pcapng_unread(const struct pcapng *p)
{
	uint64_t packets = 0;
	uint32_t type;

	for (size_t at = p->queue.first; at < p->queue.end; at += block_at(p, at)) {
		memcpy(&type, p->queue.bytes + at, sizeof type);
		packets += type == ENHANCED_PACKET;
	}
	return packets;
}

int pcapng_free(struct pcapng *p)
{
	if (!p)
		return 0;
	int result = pcapng_flush(p);
	if (close(p->fd))
		result = -1;
	send_buffer_free(&p->queue);
	free(p);
	return result;
}

bool pcapng_is_capture(const char *bytes, size_t n)
{
	/* pcapng; pcap with us and with ns, in either byte order (draft-ietf-opsawg-pcap, 4). */
	static const char *const magics[] = {
		"\x0a\x0d\x0d\x0a",
		"\xa1\xb2\xc3\xd4",
		"\xd4\xc3\xb2\xa1",
		"\xa1\xb2\x3c\x4d",
		"\x4d\x3c\xb2\xa1",
	};

	for (size_t i = 0; i < sizeof magics / sizeof *magics; i++)
		if (n >= 4 && memcmp(bytes, magics[i], 4) == 0)
			return true;
	return false;
}
