/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The picture of the screen: each cell in its place, with its colours, as SVG. Pure. */
#ifndef UPCASE_SCREEN_PICTURE_H
#define UPCASE_SCREEN_PICTURE_H

#include <stdio.h>

#include "common/colours.h"
#include "view/canvas.h"

/* Writes the canvas; `title` is for screen readers. Without `coloured`, styles differ by their
 * marks alone. An unknown background is drawn dark. Errors of writing stay with the stream. */
void screen_picture_write(FILE *out, const struct canvas *c, enum background background,
    bool coloured, const char *title);

#endif
