/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/send-queue.h"

/* When this many marks are used up, the others move to the front, so that the array stays short. */
#define MARKS_GONE 1024

void send_queue_free(struct send_queue *q)
{
	free(q->bytes);
	free(q->marks);
	*q = (struct send_queue){ .bytes = NULL };
}

int send_queue_add(struct send_queue *q, const void *bytes, size_t n)
{
	if (n == 0)
		return 0;
	if (q->begin > 0 && q->begin >= q->capacity / 2) {
		memmove(q->bytes, q->bytes + q->begin, q->end - q->begin);
		q->end -= q->begin;
		q->begin = 0;
	}
	if (grow_list(&q->bytes, &q->capacity, q->end + n, 1) < 0)
		return -1;
	memcpy(q->bytes + q->end, bytes, n);
	q->end += n;
	return 0;
}

static uint64_t end_position(const struct send_queue *q)
{
	return q->written + (q->end - q->begin);
}

size_t send_queue_first_bytes(const struct send_queue *q)
{
	const struct send_mark *first = send_queue_first(q);

	if (!first)
		return 0;
	return first->end == UINT64_MAX ? send_queue_bytes(q) : (size_t)(first->end - q->written);
}

size_t send_queue_half(const struct send_queue *q)
{
	const struct send_mark *first = send_queue_first(q);
	const bool whole = first && first->end != UINT64_MAX;
	const uint64_t middle = whole ? q->line_start + (first->end - q->line_start) / 2 : 0;

	return q->written < middle ? (size_t)(middle - q->written) : send_queue_first_bytes(q);
}

static inline void pop_mark(struct send_queue *q)
{
	q->line_start = q->marks[q->mark_begin].end;
	q->mark_begin++;
	if (q->mark_begin < MARKS_GONE)
		return;
	memmove(q->marks, q->marks + q->mark_begin, send_queue_lines(q) * sizeof *q->marks);
	q->mark_end -= q->mark_begin;
	q->mark_begin = 0;
}

bool send_queue_pop(struct send_queue *q, struct send_mark *line, uint64_t *from)
{
	const struct send_mark *first = send_queue_first(q);

	if (!first || first->end > q->written)
		return false;
	*line = *first;
	*from = q->line_start;
	pop_mark(q);
	return true;
}

bool send_queue_drop(struct send_queue *q)
{
	struct send_mark *first = &q->marks[q->mark_begin];
	const bool growing = first->end == UINT64_MAX;

	if (growing)
		first->end = end_position(q);
	send_queue_wrote(q, send_queue_first_bytes(q));
	pop_mark(q);
	return growing;
}

void send_queue_clear(struct send_queue *q)
{
	q->line_start = q->written = end_position(q);
	q->begin = q->end = 0;
	q->mark_begin = q->mark_end = 0;
}
