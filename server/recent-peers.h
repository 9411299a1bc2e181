/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The peers heard of lately, for UDP, which has no connections to count. Exactly PEERS_KEPT are known at most; whoever
 * has been silent longest is forgotten first. Pure. */
#ifndef UPCASED_PEERS_H
#define UPCASED_PEERS_H

#include <stdbool.h>

#include "server/siphash.h"
#include "server/source-key.h"

#define PEERS_KEPT 4096

struct peers;

/* NULL when memory is short. peers_free() frees; NULL is nothing. */
struct peers *peers_new(const struct hash_key *key);
void peers_free(struct peers *p);

/* Something came from `who`. Returns whether it was not known. */
bool peers_note(struct peers *p, const struct source *who);

#endif
