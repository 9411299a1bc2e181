/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A hash table of groups with chains; it grows twofold when there are as many groups as buckets.
 * Keys are not kept: they are as long as the lines, and are made again from the first line of a
 * group when hashes are equal. */
#include "ledger/line-index.h"

#include "common/capitals.h"
#include "common/fnv.h"
#include "common/grow.h"

void line_index_end(struct line_index *index)
{
	free(index->buckets);
	free(index->other.bytes);
}

/* Room for the capitals of `n` bytes. */
static int reserve_key(struct line_index_key *key, size_t n)
{
	return n > SIZE_MAX / CAPITALS_GROWTH - 1
	         ? -1
	         : grow_list(&key->bytes, &key->capacity, CAPITALS_GROWTH * n + 1, 1);
}

int line_index_key_capitals(struct line_index_key *key, const void *text, size_t n)
{
	if (reserve_key(key, n))
		return -1;
	key->length = n ? capitals_text(text, n, key->bytes) : 0;
	return 0;
}

int line_index_key_set(struct line_index_key *key, const void *text, size_t n)
{
	if (line_index_key_capitals(key, text, n))
		return -1;
	key->hash = fnv_hash(key->bytes, key->length);
	/* Mixes in the high bits, since buckets take the low ones. */
	key->hash ^= key->hash >> 32;
	return 0;
}

int line_index_key_line(struct line_index_key *key, const struct ledger_line *e)
{
	return line_index_key_set(key, ledger_line_wire(e), ledger_line_wire_length(e));
}

int line_index_are_capitals(const void *bytes, size_t n, const struct ledger_line *e,
    struct line_index_key *spare)
{
	const unsigned char *sent = ledger_line_wire(e);
	const size_t length = ledger_line_wire_length(e);

	if (length == n && capitals_ascii(sent, bytes, n) == n)
		return 1;
	if (line_index_key_capitals(spare, sent, length))
		return -1;
	return spare->length == n && memcmp(spare->bytes, bytes, n) == 0;
}

static bool same_key(struct line_index *index, const struct line_group *g,
    const struct line_index_key *key)
{
	/* Any line of the group. */
	const struct ledger_line *e = g->waiting.first    ? g->waiting.first
	                            : g->unanswered.first ? g->unanswered.first
	                            : g->answered.first   ? g->answered.first
	                                                  : g->unmatchable.first;

	return g->hash == key->hash && e &&
	       line_index_are_capitals(key->bytes, key->length, e, &index->other) == 1;
}

struct line_group *line_index_find(struct line_index *index, const struct line_index_key *key)
{
	struct line_group *g = index->buckets ? index->buckets[key->hash & index->mask] : NULL;
	while (g && !same_key(index, g, key))
		g = g->next;
	return g;
}

/* Doubles the buckets; when memory is short, the chains grow longer instead. */
static void grow(struct line_index *index)
{
	size_t mask = index->mask * 2 + 1;
	struct line_group **buckets = calloc(mask + 1, sizeof(*buckets));
	if (!buckets)
		return;
	for (size_t i = 0; index->buckets && i <= index->mask; i++) {
		for (struct line_group *g = index->buckets[i], *next; g; g = next) {
			next = g->next;
			g->next = buckets[g->hash & mask];
			buckets[g->hash & mask] = g;
		}
	}
	free(index->buckets);
	index->buckets = buckets;
	index->mask = mask;
}

int line_index_insert(struct line_index *index, struct ledger_line *e,
    const struct line_index_key *key)
{
	/* Reserves memory now, so that a later comparison with this line cannot fail. */
	if (reserve_key(&index->other, ledger_line_wire_length(e)))
		return -1;
	struct line_group *g = line_index_find(index, key);
	if (!g) {
		if (index->count >= index->mask)
			grow(index);
		g = index->buckets ? calloc(1, sizeof(*g)) : NULL;
		if (!g)
			return -1;
		index->count++;
		g->hash = key->hash;
		g->next = index->buckets[key->hash & index->mask];
		index->buckets[key->hash & index->mask] = g;
	}
	g->count++;
	e->group = g;
	line_index_regroup(e);
	return 0;
}

void line_index_regroup(struct ledger_line *e)
{
	const bool lost = e->row.fate == FATE_LOST && !e->row.late,
	           answered = ledger_is_replied(&e->row);

	ledger_line_append(e->row.fate == FATE_WAITING ? &e->group->waiting
	                   : lost                      ? &e->group->unanswered
	                   : answered                  ? &e->group->answered
	                                               : &e->group->unmatchable,
	    e, LINE_LIST_GROUP);
}

void line_index_remove(struct line_index *index, struct ledger_line *e)
{
	struct line_group *g = e->group, **from = &index->buckets[g->hash & index->mask];

	ledger_line_remove(e, LINE_LIST_GROUP);
	e->group = NULL;
	if (--g->count > 0)
		return;
	while (*from != g)
		from = &(*from)->next;
	*from = g->next;
	index->count--;
	free(g);
}
