/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Growing arrays. Pure. */
#pragma once

/* A copy of `n` bytes, which may be 0, from malloc(); NULL when memory is short. */
static inline void *grow_copy(const void *bytes, size_t n)
{
	void *copy = malloc(n + 1);

	return copy && n ? memcpy(copy, bytes, n) : copy;
}

/* Makes room for `wanted` items of `size` bytes in a list from malloc() or NULL, to whose pointer
 * `list` points, and which has `*capacity`: doubles the capacity as often as needed. Returns 0, or
 * -1 when memory is short; the list is then as before. */
static inline int grow_list(void *list, size_t *capacity, size_t wanted, size_t size)
{
	size_t more = *capacity ? *capacity : 64;
	void *items;

	if (wanted <= *capacity)
		return 0;
	if (wanted > SIZE_MAX / 2 / size)
		return -1;
	while (more < wanted)
		more *= 2;
	memcpy(&items, list, sizeof items);
	items = realloc(items, more * size);
	if (!items)
		return -1;
	memcpy(list, &items, sizeof items);
	*capacity = more;
	return 0;
}

/* Makes room for `more` bytes after `*end` in a queue, a list of bytes that is used from `*first`
 * on; moves them to the beginning where that helps. Returns as grow_list() does. */
static inline int grow_queue(void *list, size_t *capacity, size_t *first, size_t *end, size_t more)
{
	char *bytes;

	if (*first > 0 && more > *capacity - *end) {
		memcpy(&bytes, list, sizeof bytes);
		memmove(bytes, bytes + *first, *end - *first);
		*end -= *first;
		*first = 0;
	}
	return more > SIZE_MAX - *end ? -1 : grow_list(list, capacity, *end + more, 1);
}

/* Makes room for twice as many items, 64 at first, in a ring from calloc() or NULL with
 * `*capacity`, a power of 2: item `i` of the `count` stays the one at (first + i) modulo the room.
 * Returns 0, or -1 when memory is short; the ring is then as before. */
static inline int grow_ring(void *ring, size_t *capacity, size_t first, size_t count, size_t size)
{
	const size_t more = *capacity ? 2 * *capacity : 64;
	char *items = calloc(more, size), *old;

	if (!items)
		return -1;
	memcpy(&old, ring, sizeof old);
	/* Copies stretches, at most two: a stretch ends where the smaller ring does. */
	for (size_t part; count > 0; first += part, count -= part) {
		part = *capacity - (first & (*capacity - 1));
		part = count < part ? count : part;
		memcpy(items + (first & (more - 1)) * size, old + (first & (*capacity - 1)) * size,
		    part * size);
	}
	free(old);
	memcpy(ring, &items, sizeof items);
	*capacity = more;
	return 0;
}
