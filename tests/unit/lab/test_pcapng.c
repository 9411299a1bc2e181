/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reads captures back by the draft's definition. That tshark reads them too is for the end-to-end
 * tests. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/clock.h"
#include "lab/link/pcapng.h"
#include "tests/lib/sink.h"
#include "tests/lib/cmocka-compat.h"

struct capture {
	char *bytes;
	size_t n, at;
};

static uint32_t word(const struct capture *c, size_t offset)
{
	uint32_t w;
	assert_true(c->at + offset + 4 <= c->n);
	memcpy(&w, c->bytes + c->at + offset, 4);
	return w;
}

/* The block's type; its two lengths agree and are a multiple of four. */
static uint32_t block(const struct capture *c)
{
	uint32_t length = word(c, 4);
	assert_int_equal(length % 4, 0);
	assert_int_equal(word(c, length - 4), length);
	return word(c, 0);
}

static void next(struct capture *c)
{
	c->at += word(c, 4);
}

/* The option `code` of a block whose options begin at `offset`, or NULL; its length in `n`. */
static const char *option(const struct capture *c, size_t offset, uint16_t code, size_t *n)
{
	size_t end = word(c, 4) - 4;
	while (offset + 4 <= end) {
		uint16_t head[2];
		memcpy(head, c->bytes + c->at + offset, 4);
		if (head[0] == 0)
			break;
		*n = head[1];
		if (head[0] == code)
			return c->bytes + c->at + offset + 4;
		offset += 4 + (head[1] + 3u) / 4 * 4;
	}
	return NULL;
}

static struct capture written(void (*write)(struct pcapng *))
{
	static const char *const names[] = { "near", "far" };
	struct capture c = { NULL, 0, 0 };
	int kept;
	struct pcapng *p = pcapng_new(sink_open(&kept), names, NULL, 2);

	assert_non_null(p);
	write(p);
	assert_int_equal(pcapng_free(p), 0);
	c.bytes = sink_bytes(kept, &c.n);
	close(kept);
	return c;
}

static void write_nothing(struct pcapng *p)
{
	(void)p;
}

/* Nothing comes behind. */
static void no_more(struct capture *c)
{
	assert_int_equal(c->at, c->n);
	free(c->bytes);
}

static void test_begins_with_section_and_interfaces(void **state)
{
	(void)state;
	struct capture c = written(write_nothing);
	size_t n;

	assert_int_equal(block(&c), 0x0a0d0d0a);
	assert_int_equal(word(&c, 8), 0x1a2b3c4d);
	/* Version 1.0, two numbers of 16 bits. */
	const uint16_t version[] = { 1, 0 };
	assert_memory_equal(c.bytes + c.at + 12, version, sizeof version);
	assert_true(word(&c, 16) == UINT32_MAX && word(&c, 20) == UINT32_MAX);
	for (int i = 0; i < 2; i++) {
		next(&c);
		assert_int_equal(block(&c), 1);
		/* LINKTYPE_RAW, and 16 bits of nothing. */
		assert_memory_equal(c.bytes + c.at + 8, ((const uint16_t[]){ 101, 0 }), 4);
		const char *name = option(&c, 16, 2, &n);
		assert_int_equal(n, i ? 3 : 4);
		assert_memory_equal(name, i ? "far" : "near", n);
		assert_int_equal(*option(&c, 16, 9, &n), 9);
	}
	next(&c);
	no_more(&c);
}

#define WALL INT64_C(1795000000123456789)

static void write_packets(struct pcapng *p)
{
	char bytes[64];
	for (int i = 0; i < 64; i++)
		bytes[i] = (char)i;
	for (size_t n = 1; n <= 64; n++)
		pcapng_packet(p, n % 2, n % 3 ? PCAPNG_OUT : PCAPNG_IN, WALL + (int64_t)n, bytes, n,
		    n % 2 ? "lost on the way there" : NULL);
}

static void test_packets_come_back(void **state)
{
	(void)state;
	struct capture c = written(write_packets);
	size_t length;

	for (int i = 0; i < 3; i++)
		next(&c);
	for (uint32_t n = 1; n <= 64; n++, next(&c)) {
		assert_int_equal(block(&c), 6);
		assert_int_equal(word(&c, 8), n % 2);
		int64_t wall = (int64_t)((uint64_t)word(&c, 12) << 32 | word(&c, 16));
		assert_true(wall == WALL + n);
		assert_int_equal(word(&c, 20), n);
		assert_int_equal(word(&c, 24), n);
		for (uint32_t i = 0; i < n; i++)
			assert_int_equal(c.bytes[c.at + 28 + i], i);
		size_t options = 28 + (n + 3) / 4 * 4;
		const char *comment = option(&c, options, 1, &length);
		assert_int_equal(comment != NULL, n % 2);
		if (comment)
			assert_true(length == 21 && !memcmp(comment, "lost on the way there", 21));
		const uint32_t flags = n % 3 ? 2 : 1;
		assert_memory_equal(option(&c, options, 2, &length), &flags, sizeof flags);
	}
	no_more(&c);
}

static void write_long_comment(struct pcapng *p)
{
	char comment[1000];
	memset(comment, 'x', sizeof comment - 1);
	comment[sizeof comment - 1] = '\0';
	pcapng_packet(p, 0, PCAPNG_OUT, WALL, "E", 1, comment);
}

static void test_long_comments_are_cut(void **state)
{
	(void)state;
	struct capture c = written(write_long_comment);
	size_t n;

	for (int i = 0; i < 3; i++)
		next(&c);
	assert_non_null(option(&c, 32, 1, &n));
	assert_int_equal(n, PCAPNG_COMMENT);
	next(&c);
	no_more(&c);
}

static void test_interfaces_are_commented_on(void **state)
{
	(void)state;
	static const char *const names[] = { "near", "far" };
	struct capture c = { NULL, 0, 0 };
	int kept;
	struct pcapng *p = pcapng_new(sink_open(&kept), names, "remark", 2);
	uint64_t packets;
	size_t n;

	assert_non_null(p);
	pcapng_interface_end(p, 1, WALL, 12345, 67, "in the end");
	assert_int_equal(pcapng_free(p), 0);
	c.bytes = sink_bytes(kept, &c.n);
	close(kept);
	for (int i = 0; i < 2; i++) {
		next(&c);
		const char *comment = option(&c, 16, 1, &n);
		assert_true(comment && n == 6 && !memcmp(comment, "remark", 6));
	}
	next(&c);
	assert_int_equal(block(&c), 5);
	assert_int_equal(word(&c, 8), 1);
	assert_true((int64_t)((uint64_t)word(&c, 12) << 32 | word(&c, 16)) == WALL);
	const char *comment = option(&c, 20, 1, &n);
	assert_true(comment && n == 10 && !memcmp(comment, "in the end", 10));
	memcpy(&packets, option(&c, 20, 4, &n), sizeof packets);
	assert_true(n == sizeof packets && packets == 12345);
	memcpy(&packets, option(&c, 20, 5, &n), sizeof packets);
	assert_true(n == sizeof packets && packets == 67);
	next(&c);
	no_more(&c);
}

static void test_a_full_disk_is_told(void **state)
{
	(void)state;
	static const char *const names[] = { "near" };
	struct pcapng *p = pcapng_new(open("/dev/full", O_WRONLY | O_CLOEXEC), names, NULL, 1);

	assert_non_null(p);
	assert_int_equal(pcapng_flush(p), -1);
	/* It does not forget. */
	assert_int_equal(pcapng_flush(p), -1);
	assert_int_equal(pcapng_free(p), -1);
}

/* Where it is full in the middle of a block, that block is taken back. */
static void test_a_full_disk_ends_with_a_whole_block(void **state)
{
	(void)state;
	static const char *const names[] = { "near" };
	struct capture c = { NULL, 0, 0 };
	const struct rlimit little = { 10000, RLIM_INFINITY },
	                    any = { RLIM_INFINITY, RLIM_INFINITY };
	int kept;
	struct pcapng *p = pcapng_new(sink_open(&kept), names, NULL, 1);

	assert_non_null(p);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &little), 0);
	for (int i = 0; i < 20; i++)
		write_packets(p);
	assert_int_equal(pcapng_free(p), -1);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &any), 0);
	c.bytes = sink_bytes(kept, &c.n);
	close(kept);
	assert_uint_in_range(c.n, 9800, 10000);
	while (c.at < c.n) {
		(void)block(&c);
		next(&c);
	}
	no_more(&c);
}

/* Adds what the pipe holds to what was read before. */
static void read_pipe(int fd, struct capture *c)
{
	ssize_t n;

	do {
		c->bytes = realloc(c->bytes, c->n + 65536);
		assert_non_null(c->bytes);
		n = read(fd, c->bytes + c->n, 65536);
		c->n += n > 0 ? (size_t)n : 0;
	} while (n > 0);
}

/* Packets of 2 to 9000 bytes, also larger than a pipe takes at once, numbered; until one finds no
 * room. */
static int fill(struct pcapng *p, int number)
{
	static char bytes[9000];

	for (;; number++) {
		memcpy(bytes, &number, sizeof number);
		if (!pcapng_packet(p, number % 2, PCAPNG_OUT, WALL, bytes,
		        10 + (size_t)number * 37 % 8990, "lost"))
			return number;
	}
}

static void test_a_reader_that_stands_still(void **state)
{
	(void)state;
	static const char *const names[] = { "near", "far" };
	struct capture c = { NULL, 0, 0 };
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	struct pcapng *p = pcapng_new(ends[1], names, NULL, 2);
	assert_non_null(p);
	const int refused = fill(p, 0), wanted = refused + 3;
	assert_uint_in_range(refused, 500, 5000);
	assert_true(pcapng_pending(p));
	assert_uint_in_range(pcapng_unread(p), refused - 200, refused);
	/* Others are refused as well, until it reads. */
	assert_int_equal(fill(p, wanted), wanted);
	for (int i = 0; i < 2; i++)
		pcapng_interface_end(p, i, WALL, 1, 2, "in the end");
	while (pcapng_pending(p)) {
		read_pipe(ends[0], &c);
		assert_int_equal(pcapng_flush(p), 0);
	}
	assert_true(pcapng_packet(p, 0, PCAPNG_OUT, WALL, &wanted, sizeof wanted, NULL));
	assert_int_equal(pcapng_free(p), 0);
	read_pipe(ends[0], &c);
	close(ends[0]);
	for (int i = 0; i < 3; i++)
		next(&c);
	for (int i = 0; i < refused; i++, next(&c)) {
		assert_int_equal(block(&c), 6);
		assert_int_equal(word(&c, 28), i);
	}
	for (int i = 0; i < 2; i++, next(&c))
		assert_int_equal(block(&c), 5);
	assert_int_equal(word(&c, 28), wanted);
	next(&c);
	no_more(&c);
}

/* Who does not read at all gets whole blocks all the same, and is waited for only for a while. */
static void test_a_pipe_holds_whole_blocks(void **state)
{
	(void)state;
	static const char *const names[] = { "near", "far" };
	struct capture c = { NULL, 0, 0 };
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	struct pcapng *p = pcapng_new(ends[1], names, NULL, 2);
	assert_non_null(p);
	for (int i = 0; i < 100; i++)
		write_packets(p);
	pcapng_wait(p, 20 * NS_PER_MS, CLOCK_NEVER);
	assert_int_equal(pcapng_free(p), 0);
	read_pipe(ends[0], &c);
	close(ends[0]);
	assert_uint_in_range(c.n, 40000, 1u << 20);
	while (c.at < c.n) {
		(void)block(&c);
		next(&c);
	}
	no_more(&c);
}

static void test_captures_are_recognised(void **state)
{
	(void)state;
	assert_true(pcapng_is_capture("\x0a\x0d\x0d\x0a....", 8));
	assert_true(pcapng_is_capture("\xd4\xc3\xb2\xa1", 4));
	assert_true(pcapng_is_capture("\xa1\xb2\x3c\x4d", 4));
	assert_false(pcapng_is_capture("\xa1\xb2\x3c\x4d", 3));
	assert_false(pcapng_is_capture("text", 4));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_begins_with_section_and_interfaces),
		cmocka_unit_test(test_packets_come_back),
		cmocka_unit_test(test_long_comments_are_cut),
		cmocka_unit_test(test_interfaces_are_commented_on),
		cmocka_unit_test(test_a_full_disk_is_told),
		cmocka_unit_test(test_a_full_disk_ends_with_a_whole_block),
		cmocka_unit_test(test_a_reader_that_stands_still),
		cmocka_unit_test(test_a_pipe_holds_whole_blocks),
		cmocka_unit_test(test_captures_are_recognised),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
