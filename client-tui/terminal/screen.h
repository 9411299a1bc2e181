/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The terminal: curses, which only this module includes. It shows a canvas, and restores the
 * terminal on every way out, also after a fatal signal. */
#ifndef UPCASE_SCREEN_H
#define UPCASE_SCREEN_H

#include <stdbool.h>

#include "view/canvas.h"

enum screen_colour { SCREEN_COLOUR_AUTO, SCREEN_COLOUR_NEVER, SCREEN_COLOUR_ALWAYS };
enum screen_background { SCREEN_BACKGROUND_AUTO, SCREEN_BACKGROUND_DARK, SCREEN_BACKGROUND_LIGHT };

struct screen_settings {
	/* AUTO: unless NO_COLOR is set (not empty). */
	enum screen_colour colour;
	/* AUTO: as COLORFGBG says, else colours that can be read on both. */
	enum screen_background background;
	/* Ask the terminal for wheel events. */
	bool mouse;
};

/* Takes the terminal (stdin and stdout; TERM must be known). After setlocale(). Returns 0, or -1
 * with why in `why` ("the terminal type 'xyz' is not known; try TERM=xterm"), the terminal
 * untouched. */
int screen_start(const struct screen_settings *settings, char *why, size_t size);
/* Gives it back: modes, alternate screen, colours. Harmless when not started; safe to call
 * twice. */
void screen_stop(void);

/* The size now, asked of the kernel; at least 1x1. */
void screen_size(int *rows, int *columns);
/* After SIGWINCH or SIGCONT: takes the new size. */
void screen_resize(void);
/* Shows the canvas, only what changed; writes at once. */
void screen_show(const struct canvas *c);
/* The next screen_show() paints everything (^L, after a stop). */
void screen_repaint(void);
/* Stops this process as ^Z does: gives the terminal back, stops, and takes it again when
 * continued. */
void screen_suspend(void);
/* A short sound or flash. */
void screen_bell(void);

#endif
