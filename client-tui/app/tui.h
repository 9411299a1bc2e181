/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The front end with the screen. */
#pragma once

#include "app/settings.h"
#include "record/replay.h"

/* Runs until the user leaves. Shows `notice`, which may be NULL, first, and `replay` instead of a
 * session unless it is NULL. Returns the exit status: 0, or 1 if the screen did not start or --save
 * failed (after one line on stderr). */
int tui_run(const struct settings *settings, struct replay *replay, const char *notice);
