/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lines that wait to be sent over a stream: their bytes in order, and where in the stream each line
 * ends. The last line may still grow while its first bytes have been sent. */
#pragma once

#include "common/grow.h"

/* A line: its number, and where it ends, UINT64_MAX while it grows. */
struct send_mark {
	uint64_t number, end;
};

/* All zero is empty. Positions count bytes from the stream's beginning. */
struct send_queue {
	/* The waiting bytes: bytes[begin], byte `written` of the stream, to before bytes[end]. */
	unsigned char *bytes;
	size_t begin, end, capacity;
	uint64_t written;
	uint64_t line_start; /* where the first line begins */
	struct send_mark *marks;
	size_t mark_begin, mark_end, mark_capacity;
};

void send_queue_free(struct send_queue *q);

/* Begins a line after all others. Returns 0, or -1 when memory is short, as the next two do. */
static inline int send_queue_line(struct send_queue *q, uint64_t number)
{
	if (q->mark_begin == q->mark_end)
		q->mark_begin = q->mark_end = 0;
	if (grow_list(&q->marks, &q->mark_capacity, q->mark_end + 1, sizeof *q->marks) < 0)
		return -1;
	q->marks[q->mark_end++] = (struct send_mark){ number, UINT64_MAX };
	return 0;
}
/* Adds bytes to the last line. */
int send_queue_add(struct send_queue *q, const void *bytes, size_t n);
/* The same for one byte, such as an end of line. */
static inline int send_queue_add_byte(struct send_queue *q, unsigned char byte)
{
	if (q->end == q->capacity)
		return send_queue_add(q, &byte, 1);
	q->bytes[q->end++] = byte;
	return 0;
}
static inline void send_queue_end_line(struct send_queue *q)
{
	q->marks[q->mark_end - 1].end = q->written + (q->end - q->begin);
}

/* The number of lines with waiting bytes; the number of waiting bytes. */
static inline size_t send_queue_lines(const struct send_queue *q)
{
	return q->mark_end - q->mark_begin;
}
static inline size_t send_queue_bytes(const struct send_queue *q)
{
	return q->end - q->begin;
}
/* The first line, or NULL. */
static inline const struct send_mark *send_queue_first(const struct send_queue *q)
{
	return q->mark_begin < q->mark_end ? &q->marks[q->mark_begin] : NULL;
}
/* The number of waiting bytes of the first line; whether some of its bytes have been sent. */
size_t send_queue_first_bytes(const struct send_queue *q);
/* The same, but before its middle only the number of those before it. */
size_t send_queue_half(const struct send_queue *q);
static inline bool send_queue_has_begun(const struct send_queue *q)
{
	return q->written > q->line_start;
}

/* The first `n` waiting bytes have been sent. */
static inline void send_queue_wrote(struct send_queue *q, size_t n)
{
	q->begin += n;
	q->written += n;
}
/* Takes the first line out if all of it has been sent (returns true); `*from` is where it began. */
bool send_queue_pop(struct send_queue *q, struct send_mark *line, uint64_t *from);
/* Takes the first line out, and the rest of its bytes, as if they had been sent. Returns whether it
 * was still growing: the caller then drops the rest of it. */
bool send_queue_drop(struct send_queue *q);
/* Drops all lines, as if they had been sent. */
void send_queue_clear(struct send_queue *q);
