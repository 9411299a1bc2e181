/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One array of peers, each in two lists by its index: the chain of its hash value, which is how it is found, and the
 * order in which peers were last heard, whose oldest end gives its place to a new one. Index 0 stands for none: its
 * `newer` and `older` are the two ends of the order. */
#include "config.h"

#include "peers.h"

#include <stdint.h>
#include <stdlib.h>

struct peer {
	struct source who;
	/* Its hash value, cut to the number of chains. */
	uint16_t chain;
	/* The next one in that chain. */
	uint16_t next;
	/* Its neighbours in the order. */
	uint16_t newer, older;
};

struct peers {
	struct hash_key key;
	uint16_t used;
	uint16_t chains[PEERS_KEPT];
	struct peer all[PEERS_KEPT + 1];
};

struct peers *peers_new(const struct hash_key *key)
{
	struct peers *p = calloc(1, sizeof *p);

	if (p)
		p->key = *key;
	return p;
}

void peers_free(struct peers *p)
{
	free(p);
}

static void leave_order(struct peers *p, uint16_t i)
{
	struct peer *peer = &p->all[i];

	p->all[peer->newer].older = peer->older;
	p->all[peer->older].newer = peer->newer;
}

/* all[0].older is the newest of all, all[0].newer the oldest. */
static void enter_order(struct peers *p, uint16_t i)
{
	struct peer *peer = &p->all[i];

	peer->newer = 0;
	peer->older = p->all[0].older;
	p->all[peer->older].newer = i;
	p->all[0].older = i;
}

static void leave_chain(struct peers *p, uint16_t i)
{
	uint16_t *link = &p->chains[p->all[i].chain];

	while (*link != i)
		link = &p->all[*link].next;
	*link = p->all[i].next;
}

/* A place for a new peer: a fresh one, or the oldest one's. */
static uint16_t free_place(struct peers *p)
{
	uint16_t i = p->all[0].newer;

	if (p->used < PEERS_KEPT)
		return ++p->used;
	leave_order(p, i);
	leave_chain(p, i);
	return i;
}

bool peers_note(struct peers *p, const struct source *who)
{
	uint16_t chain, i = p->all[0].older;

	if (i && source_equal(&p->all[i].who, who))
		return false;
	chain = source_hash(&p->key, who) % PEERS_KEPT;
	for (i = p->chains[chain]; i; i = p->all[i].next)
		if (source_equal(&p->all[i].who, who)) {
			leave_order(p, i);
			enter_order(p, i);
			return false;
		}
	i = free_place(p);
	p->all[i].who = *who;
	p->all[i].chain = chain;
	p->all[i].next = p->chains[chain];
	p->chains[chain] = i;
	enter_order(p, i);
	return true;
}
