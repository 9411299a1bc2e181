/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A recording of a terminal, as an animated SVG that begins again at its end. It is made of frames;
 * each row is drawn once for as long as it stays. What has no animation shows one frame, the still.
 */
#pragma once

#include <stdio.h>

#include "tests/lib/terminal.h"

struct recording;

/* The terminal is dark and has 256 colours. It stays the caller's. */
struct recording *recording_new(struct terminal *t);
void recording_free(struct recording *r);
/* Words below the screen in all frames from now on; kept by the caller. */
void recording_say(struct recording *r, const char *words);
/* A frame: what the terminal shows now, for so many seconds. */
void recording_frame(struct recording *r, double seconds);
/* A frame: an SVG file, as large as there is room for, before the screen. */
void recording_picture(struct recording *r, const char *path, double seconds);
/* The last frame is the still. */
void recording_still(struct recording *r);
void recording_write(const struct recording *r, const char *title, FILE *out);
