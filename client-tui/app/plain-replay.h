/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A recording without a screen: all at once, as replies in the order in which they came, or as
 * records. */
#ifndef UPCASE_PLAIN_REPLAY_H
#define UPCASE_PLAIN_REPLAY_H

#include "record/replay.h"
#include "app/settings.h"

/* Returns the exit status: 0 all answered, 1 not. */
int plain_replay(const struct settings *settings, struct replay *replay);

#endif
