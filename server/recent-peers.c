/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Each peer is in two lists: the chain of its hash value, which is how it is found, and the order in which peers were last heard,
 * whose oldest end gives its place to a new one. */
#include "config.h"

#include "server/recent-peers.h"

#include <stdlib.h>
#include <sys/queue.h>

struct peer {
	struct source who;
	LIST_ENTRY(peer) chain;
	TAILQ_ENTRY(peer) order;
};

LIST_HEAD(chain, peer);

struct peers {
	struct hash_key key;
	size_t used;
	struct chain chains[PEERS_KEPT];
	/* Newest first. */
	TAILQ_HEAD(order, peer) order;
	struct peer all[PEERS_KEPT];
};

struct peers *peers_new(const struct hash_key *key)
{
	struct peers *p = calloc(1, sizeof *p);

	if (!p)
		return NULL;
	p->key = *key;
	TAILQ_INIT(&p->order);
	return p;
}

void peers_free(struct peers *p)
{
	free(p);
}

static struct peer *find(const struct chain *chain, const struct source *who)
{
	struct peer *peer;

	LIST_FOREACH(peer, chain, chain)
		if (source_equal(&peer->who, who))
			break;
	return peer;
}

bool peers_note(struct peers *p, const struct source *who)
{
	struct peer *peer = TAILQ_FIRST(&p->order);
	struct chain *chain;

	if (peer && source_equal(&peer->who, who))
		return false;
	chain = &p->chains[source_hash(&p->key, who) % PEERS_KEPT];
	peer = find(chain, who);
	const bool known = peer != NULL, fresh = !known && p->used < PEERS_KEPT;
	if (!known)
		peer = fresh ? &p->all[p->used++] : TAILQ_LAST(&p->order, order);
	if (!known && !fresh)
		LIST_REMOVE(peer, chain);
	if (!fresh)
		TAILQ_REMOVE(&p->order, peer, order);
	if (!known) {
		peer->who = *who;
		LIST_INSERT_HEAD(chain, peer, chain);
	}
	TAILQ_INSERT_HEAD(&p->order, peer, order);
	return !known;
}
