/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The front end with the screen. */
#ifndef UPCASE_TUI_H
#define UPCASE_TUI_H

#include "record/replay.h"
#include "app/settings.h"

/* Runs until the user leaves. `notice` is shown first, or NULL; `replay` is shown instead
 * of a session, or NULL. Returns the exit status: 0; 1 when the screen could not be started, or
 * --save not be done (after one line on stderr). */
int tui_run(const struct settings *settings, struct replay *replay, const char *notice);

#endif
