/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The front end without a terminal: lines from standard input, replies to standard output, notices
 * to standard error. */
#pragma once

#include "app/settings.h"
#include "record/replay.h"

/* Runs until the end. Shows `notice`, which may be NULL, first, and `replay` instead of a session
 * unless it is NULL: at once its replies in the order in which they came, or its records. Returns
 * the exit status: 0 if all lines were answered, else 1. */
int plain_run(const struct settings *settings, struct replay *replay, const char *notice);
