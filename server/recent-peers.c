/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Each peer is in two lists: the chain of its hash value, which is how it is found, and the order
 * in which peers were last heard, whose oldest end gives its place to a new one. */
#include "config.h"

#include "server/recent-peers.h"

#include <stdlib.h>
#include <sys/queue.h>

struct peer {
	struct source_key who;
	LIST_ENTRY(peer) chain;
	TAILQ_ENTRY(peer) order;
};

LIST_HEAD(chain, peer);

struct recent_peers {
	struct siphash_key key;
	size_t used;
	struct chain chains[RECENT_PEERS_MAX];
	/* Newest first. */
	TAILQ_HEAD(order, peer) order;
	struct peer all[RECENT_PEERS_MAX];
};

struct recent_peers *recent_peers_new(const struct siphash_key *key)
{
	struct recent_peers *p = calloc(1, sizeof *p);

	if (!p)
		return NULL;
	p->key = *key;
	TAILQ_INIT(&p->order);
	return p;
}

void recent_peers_free(struct recent_peers *p)
{
	free(p);
}

static struct peer *find(const struct chain *chain, const struct source_key *who)
{
	struct peer *peer;

	LIST_FOREACH(peer, chain, chain)
	if (source_key_equal(&peer->who, who))
		break;
	return peer;
}

bool recent_peers_note(struct recent_peers *p, const struct source_key *who)
{
	struct peer *peer = TAILQ_FIRST(&p->order);
	struct chain *chain;

	if (peer && source_key_equal(&peer->who, who))
		return false;
	chain = &p->chains[source_key_hash(&p->key, who) % RECENT_PEERS_MAX];
	peer = find(chain, who);
	const bool known = peer != NULL, fresh = !known && p->used < RECENT_PEERS_MAX;
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
