/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The peers heard of lately, for UDP, which has no connections to count. Exactly RECENT_PEERS_MAX
 * are known at most; whoever has been silent longest is forgotten first. Pure. */
#ifndef UPCASED_RECENT_PEERS_H
#define UPCASED_RECENT_PEERS_H

#include <stdbool.h>

#include "server/siphash.h"
#include "server/source-key.h"

#define RECENT_PEERS_MAX 4096

struct recent_peers;

/* NULL when memory is short. recent_peers_free() frees; NULL is nothing. */
struct recent_peers *recent_peers_new(const struct siphash_key *key);
void recent_peers_free(struct recent_peers *p);

/* Something came from `who`. Returns whether it was not known. */
bool recent_peers_note(struct recent_peers *p, const struct source_key *who);

#endif
