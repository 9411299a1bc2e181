/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A hash table of twins with chains; it doubles when there are as many twins as buckets. Keys are
 * not kept: they are as long as the lines, and are made again from the first twin when hashes are equal. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "common/capitals.h"
#include "common/fnv.h"
#include "common/grow.h"
#include "ledger/line-index.h"

#define FIRST_BUCKETS 64

int lookup_start(struct lookup *k)
{
	*k = (struct lookup){ .mask = FIRST_BUCKETS - 1 };
	k->buckets = calloc(FIRST_BUCKETS, sizeof(*k->buckets));
	return k->buckets ? 0 : -1;
}

void lookup_end(struct lookup *k)
{
	free(k->buckets);
	free(k->other.bytes);
}

/* Room for the capitals of `n` bytes. */
static int key_room(struct lookup_key *key, size_t n)
{
	return n > SIZE_MAX / CAPITALS_GROWTH - 1 ? -1 : grow_list(&key->bytes, &key->room, CAPITALS_GROWTH * n + 1, 1);
}

int lookup_key_set(struct lookup_key *key, const void *text, size_t n)
{
	if (key_room(key, n))
		return -1;
	key->length = n ? capitals_text(text, n, key->bytes) : 0;
	key->hash = fnv_hash(key->bytes, key->length);
	/* A last stir because buckets take the low bits. */
	key->hash ^= key->hash >> 32;
	return 0;
}

int lookup_key_line(struct lookup_key *key, const struct entry *e)
{
	return lookup_key_set(key, entry_wire(e), entry_wire_length(e));
}

static const struct entry *any_twin(const struct lookup_twins *t)
{
	const struct entry_list *lists[] = { &t->waiting, &t->silent, &t->answered, &t->mute };
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		if (lists[i]->first)
			return lists[i]->first;
	return NULL;
}

static bool same_key(struct lookup *k, const struct lookup_twins *t, const struct lookup_key *key)
{
	const struct entry *e = any_twin(t);
	return t->hash == key->hash && e && lookup_key_line(&k->other, e) == 0 &&
	    k->other.length == key->length && memcmp(k->other.bytes, key->bytes, key->length) == 0;
}

struct lookup_twins *lookup_find(struct lookup *k, const struct lookup_key *key)
{
	struct lookup_twins *t = k->buckets[key->hash & k->mask];
	while (t && !same_key(k, t, key))
		t = t->next;
	return t;
}

/* Without memory for more buckets the chains only grow longer. */
static void grow(struct lookup *k)
{
	size_t mask = k->mask * 2 + 1;
	struct lookup_twins **buckets = calloc(mask + 1, sizeof(*buckets));
	if (!buckets)
		return;
	for (size_t i = 0; i <= k->mask; i++) {
		for (struct lookup_twins *t = k->buckets[i], *next; t; t = next) {
			next = t->next;
			t->next = buckets[t->hash & mask];
			buckets[t->hash & mask] = t;
		}
	}
	free(k->buckets);
	k->buckets = buckets;
	k->mask = mask;
}

int lookup_enter(struct lookup *k, struct entry *e, const struct lookup_key *key)
{
	/* So that comparing with this line never fails later. */
	if (key_room(&k->other, entry_wire_length(e)))
		return -1;
	struct lookup_twins *t = lookup_find(k, key);
	if (!t) {
		t = calloc(1, sizeof(*t));
		if (!t)
			return -1;
		if (++k->count > k->mask)
			grow(k);
		t->hash = key->hash;
		t->next = k->buckets[key->hash & k->mask];
		k->buckets[key->hash & k->mask] = t;
	}
	t->count++;
	e->twins = t;
	lookup_sort(e);
	return 0;
}

static struct entry_list *list_for(const struct entry *e)
{
	switch (e->row.fate) {
	case FATE_WAITING:
		return &e->twins->waiting;
	case FATE_LOST:
		return e->row.late ? &e->twins->answered : &e->twins->silent;
	case FATE_ANSWERED:
		return &e->twins->answered;
	default:
		return &e->twins->mute;
	}
}

void lookup_sort(struct entry *e)
{
	if (e->twins)
		entry_append(list_for(e), e, LINK_TWIN);
}

static void drop_twins(struct lookup *k, struct lookup_twins *t)
{
	struct lookup_twins **from = &k->buckets[t->hash & k->mask];
	while (*from != t)
		from = &(*from)->next;
	*from = t->next;
	k->count--;
	free(t);
}

void lookup_leave(struct lookup *k, struct entry *e)
{
	struct lookup_twins *t = e->twins;
	if (!t)
		return;
	entry_leave(e, LINK_TWIN);
	e->twins = NULL;
	if (--t->count == 0)
		drop_twins(k, t);
}
