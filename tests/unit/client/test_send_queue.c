/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lines that wait for a stream, beside a plain account of the same: the bytes that go are those
 * that came, in order, and each line ends where it should. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/send-queue.h"
#include "common/random.h"
#include "tests/lib/cmocka-compat.h"

#define STEPS 200000
#define PIECE_MOST 700
#define SEEDS 5

/* Byte number `at` of everything that is ever added. */
static unsigned char byte_at(uint64_t at)
{
	return (unsigned char)(at * 131 + (at >> 8));
}

/* What is expected: lines begun, popped, and the ends of those between; all bytes added. */
struct account {
	uint64_t begun, popped, added, gone, start;
	uint64_t ends[STEPS + 1];
	bool growing;
};

static uint32_t below(struct random *d, size_t n)
{
	return (uint32_t)(random_next(d) % n);
}

static void add_some(struct send_queue *q, struct account *a, size_t n)
{
	unsigned char bytes[PIECE_MOST];

	for (size_t i = 0; i < n; i++)
		bytes[i] = byte_at(a->added + i);
	assert_int_equal(send_queue_add(q, bytes, n), 0);
	a->added += n;
}

static void add_piece(struct send_queue *q, struct account *a, struct random *d)
{
	if (!a->growing) {
		assert_int_equal(send_queue_line(q, a->begun), 0);
		a->begun++;
	}
	/* At least a byte: a line has its \n. */
	add_some(q, a, 1 + below(d, PIECE_MOST - 1));
	a->growing = below(d, 4) == 0;
	if (!a->growing) {
		send_queue_end_line(q);
		a->ends[a->begun - 1] = a->added;
	}
}

static void write_piece(struct send_queue *q, struct account *a, struct random *d)
{
	const size_t waiting = send_queue_bytes(q), n = waiting ? 1 + below(d, waiting) : 0;
	const unsigned char *next = n ? q->bytes + q->begin : NULL;
	struct send_mark line;
	uint64_t from;

	for (size_t i = 0; i < n; i++)
		assert_int_equal(next[i], byte_at(a->gone + i));
	send_queue_wrote(q, n);
	a->gone += n;
	while (send_queue_pop(q, &line, &from)) {
		assert_int_equal(line.number, a->popped);
		assert_int_equal(line.end, a->ends[a->popped]);
		assert_int_equal(from, a->start);
		assert_true(line.end <= a->gone);
		a->start = line.end;
		a->popped++;
	}
}

/* The connection has ended in the middle of a line. */
static void drop(struct send_queue *q, struct account *a)
{
	const bool growing = a->growing && a->popped + 1 == a->begun;
	const uint64_t end = growing ? a->added : a->ends[a->popped];

	if (!send_queue_lines(q) || !send_queue_has_begun(q))
		return;
	assert_int_equal(send_queue_drop(q), growing);
	a->gone = a->start = end;
	a->popped++;
	a->growing &= !growing;
}

static void check(const struct send_queue *q, const struct account *a)
{
	const struct send_mark *first = send_queue_first(q);
	const bool growing = a->growing && a->popped + 1 == a->begun;

	assert_int_equal(send_queue_lines(q), a->begun - a->popped);
	assert_int_equal(send_queue_bytes(q), a->added - a->gone);
	assert_int_equal(send_queue_has_begun(q), a->gone > a->start);
	assert_int_equal(first != NULL, a->begun > a->popped);
	if (!first)
		return;
	const uint64_t end = growing ? a->added : a->ends[a->popped],
	               middle = a->start + (end - a->start) / 2;
	assert_int_equal(send_queue_first_bytes(q), end - a->gone);
	assert_int_equal(send_queue_half(q),
	    (!growing && a->gone < middle ? middle : end) - a->gone);
}

static void as_the_account_says(void **state)
{
	struct account *a = malloc(sizeof *a);

	(void)state;
	assert_non_null(a);
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct send_queue q = { .bytes = NULL };
		struct random d;

		random_seed(&d, seed, 0);
		memset(a, 0, sizeof *a);
		for (int i = 0; i < STEPS; i++) {
			const uint32_t what = below(&d, 100);

			if (what < 50)
				add_piece(&q, a, &d);
			else if (what < 99)
				write_piece(&q, a, &d);
			else
				drop(&q, a);
			check(&q, a);
		}
		assert_uint_in_range(a->popped, STEPS / 10, STEPS);
		send_queue_free(&q);
	}
	free(a);
}

static void cleared_goes_on_behind(void **state)
{
	struct send_queue q = { .bytes = NULL };
	struct send_mark line;
	uint64_t from;

	(void)state;
	assert_int_equal(send_queue_line(&q, 7), 0);
	assert_int_equal(send_queue_add(&q, "lost\n", 5), 0);
	send_queue_wrote(&q, 2);
	send_queue_clear(&q);
	assert_null(send_queue_first(&q));
	assert_int_equal(send_queue_bytes(&q), 0);
	assert_false(send_queue_has_begun(&q));
	assert_int_equal(send_queue_line(&q, 8), 0);
	assert_int_equal(send_queue_add(&q, "next\n", 5), 0);
	send_queue_end_line(&q);
	assert_memory_equal(q.bytes + q.begin, "next\n", 5);
	assert_false(send_queue_pop(&q, &line, &from));
	send_queue_wrote(&q, 5);
	assert_true(send_queue_pop(&q, &line, &from));
	assert_int_equal(line.number, 8);
	assert_int_equal(from, 5);
	assert_int_equal(line.end, 10);
	send_queue_free(&q);
}

/* A long session neither keeps what has gone nor moves it about each time. */
static void room_is_used_again(void **state)
{
	struct send_queue q = { .bytes = NULL };
	struct send_mark line;
	uint64_t from;

	(void)state;
	for (uint64_t i = 0; i < 100000; i++) {
		assert_int_equal(send_queue_line(&q, i), 0);
		assert_int_equal(send_queue_add(&q, "0123456789", 10), 0);
		send_queue_end_line(&q);
		if (i < 3)
			continue;
		send_queue_wrote(&q, 10);
		assert_true(send_queue_pop(&q, &line, &from));
	}
	assert_uint_in_range(q.capacity, 1, 65536);
	assert_uint_in_range(q.mark_capacity, 1, 4096);
	send_queue_free(&q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_the_account_says),
		cmocka_unit_test(cleared_goes_on_behind),
		cmocka_unit_test(room_is_used_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
