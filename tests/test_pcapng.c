/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reads captures back by the draft's definition. That tshark reads them too is for the end-to-end tests. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pcapng.h"

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
	FILE *out = open_memstream(&c.bytes, &c.n);
	struct pcapng *p = pcapng_new(out, names, NULL, 2);

	assert_non_null(p);
	write(p);
	assert_int_equal(pcapng_free(p), 0);
	return c;
}

static void write_nothing(struct pcapng *p)
{
	(void) p;
}

static void test_begins_with_section_and_interfaces(void **state)
{
	(void) state;
	struct capture c = written(write_nothing);
	size_t n;

	assert_int_equal(block(&c), 0x0a0d0d0a);
	assert_int_equal(word(&c, 8), 0x1a2b3c4d);
	assert_int_equal(word(&c, 12), 1);
	assert_true(word(&c, 16) == UINT32_MAX && word(&c, 20) == UINT32_MAX);
	for (int i = 0; i < 2; i++) {
		next(&c);
		assert_int_equal(block(&c), 1);
		assert_int_equal(word(&c, 8), 101);
		const char *name = option(&c, 16, 2, &n);
		assert_int_equal(n, i ? 3 : 4);
		assert_memory_equal(name, i ? "far" : "near", n);
		assert_int_equal(*option(&c, 16, 9, &n), 9);
	}
	next(&c);
	assert_int_equal(c.at, c.n);
	free(c.bytes);
}

#define WALL INT64_C(1795000000123456789)

static void write_packets(struct pcapng *p)
{
	char bytes[64];
	for (int i = 0; i < 64; i++)
		bytes[i] = (char) i;
	for (size_t n = 1; n <= 64; n++)
		pcapng_packet(p, n % 2, n % 3 ? PCAPNG_OUT : PCAPNG_IN, WALL + (int64_t) n, bytes, n,
		    n % 2 ? "lost on the way there" : NULL);
}

static void test_packets_come_back(void **state)
{
	(void) state;
	struct capture c = written(write_packets);
	size_t length;

	for (int i = 0; i < 3; i++)
		next(&c);
	for (uint32_t n = 1; n <= 64; n++, next(&c)) {
		assert_int_equal(block(&c), 6);
		assert_int_equal(word(&c, 8), n % 2);
		int64_t wall = (int64_t) ((uint64_t) word(&c, 12) << 32 | word(&c, 16));
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
		assert_int_equal(*option(&c, options, 2, &length), n % 3 ? 2 : 1);
	}
	assert_int_equal(c.at, c.n);
	free(c.bytes);
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
	(void) state;
	struct capture c = written(write_long_comment);
	size_t n;

	for (int i = 0; i < 3; i++)
		next(&c);
	assert_non_null(option(&c, 32, 1, &n));
	assert_int_equal(n, PCAPNG_COMMENT);
	next(&c);
	assert_int_equal(c.at, c.n);
	free(c.bytes);
}

static void test_interfaces_are_commented_on(void **state)
{
	(void) state;
	static const char *const names[] = { "near", "far" };
	struct capture c = { NULL, 0, 0 };
	struct pcapng *p = pcapng_new(open_memstream(&c.bytes, &c.n), names, "remark", 2);
	uint64_t packets;
	size_t n;

	assert_non_null(p);
	pcapng_interface_end(p, 1, WALL, 12345, "in the end");
	assert_int_equal(pcapng_free(p), 0);
	for (int i = 0; i < 2; i++) {
		next(&c);
		const char *comment = option(&c, 16, 1, &n);
		assert_true(comment && n == 6 && !memcmp(comment, "remark", 6));
	}
	next(&c);
	assert_int_equal(block(&c), 5);
	assert_int_equal(word(&c, 8), 1);
	assert_true((int64_t) ((uint64_t) word(&c, 12) << 32 | word(&c, 16)) == WALL);
	const char *comment = option(&c, 20, 1, &n);
	assert_true(comment && n == 10 && !memcmp(comment, "in the end", 10));
	memcpy(&packets, option(&c, 20, 4, &n), sizeof packets);
	assert_true(n == sizeof packets && packets == 12345);
	next(&c);
	assert_int_equal(c.at, c.n);
	free(c.bytes);
}

static void test_a_full_disk_is_told(void **state)
{
	(void) state;
	static const char *const names[] = { "near" };
	FILE *out = fopen("/dev/full", "w");

	assert_non_null(out);
	struct pcapng *p = pcapng_new(out, names, NULL, 1);
	assert_non_null(p);
	assert_int_equal(pcapng_flush(p), -1);
	/* It does not forget. */
	assert_int_equal(pcapng_flush(p), -1);
	assert_int_equal(pcapng_free(p), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_begins_with_section_and_interfaces),
		cmocka_unit_test(test_packets_come_back),
		cmocka_unit_test(test_long_comments_are_cut),
		cmocka_unit_test(test_interfaces_are_commented_on),
		cmocka_unit_test(test_a_full_disk_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
