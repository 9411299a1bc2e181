/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lines that wait to go over a stream: their bytes one behind the other, and where in the stream each line ends. A line
 * may still be growing at its end while its beginning has gone. */
#ifndef UPCASE_STREAM_QUEUE_H
#define UPCASE_STREAM_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A line: its number, and where it ends, UINT64_MAX while it grows. */
struct stream_mark {
	uint64_t number, end;
};

/* All zero is empty. Positions count bytes from the stream's beginning. */
struct stream_queue {
	/* What waits: bytes[begin] to before bytes[end]; bytes[begin] is byte `written` of the stream. */
	unsigned char *bytes;
	size_t begin, end, room;
	uint64_t written;
	/* Where the first line begins. */
	uint64_t line_start;
	struct stream_mark *marks;
	size_t mark_begin, mark_end, mark_room;
};

void stream_queue_free(struct stream_queue *q);

/* A line begins behind all others. Returns 0, or -1 when memory is short, as the next one does. */
int stream_queue_line(struct stream_queue *q, uint64_t number);
/* The last line goes on with these. */
int stream_queue_add(struct stream_queue *q, const void *bytes, size_t n);
/* It is whole. */
void stream_queue_end_line(struct stream_queue *q);

/* Lines of which something may be yet to go, and the bytes that are. */
size_t stream_queue_lines(const struct stream_queue *q);
size_t stream_queue_bytes(const struct stream_queue *q);
/* Of these the ones of the first line. */
size_t stream_queue_first_bytes(const struct stream_queue *q);
/* Whether some of the first line's have gone. */
bool stream_queue_has_begun(const struct stream_queue *q);
/* The first of them; until the next call that changes anything. */
const unsigned char *stream_queue_next(const struct stream_queue *q);
/* NULL if there is none. */
const struct stream_mark *stream_queue_first(const struct stream_queue *q);

/* The first `n` bytes have gone. */
void stream_queue_wrote(struct stream_queue *q, size_t n);
/* Takes the first line out if all of it has gone, into `*line`, and says where it began. Returns whether it had. */
bool stream_queue_pop(struct stream_queue *q, struct stream_mark *line, uint64_t *from);
/* Takes the first line out, and the rest of its bytes, as if they had gone. Returns whether it was still growing: what
 * comes of it yet is not to be added. */
bool stream_queue_drop(struct stream_queue *q);
/* Everything goes, as if it had been written. */
void stream_queue_clear(struct stream_queue *q);

#endif
