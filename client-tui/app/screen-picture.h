/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The picture of the screen: each cell in its place, with its colours, as SVG. Pure. */
#pragma once

#include "common/colours.h"
#include "view/canvas.h"

struct screen_picture {
	const struct canvas *canvas;
	enum background background; /* dark or light */
	bool coloured;              /* else styles differ by their marks alone */
	const char *title;          /* for screen readers */
};

/* Writes a struct screen_picture, for file_make(). Returns 0, or -1 when memory is short; errors of
 * writing stay with the stream. */
int screen_picture_write(void *picture, FILE *out);
