/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The terminal: curses, which only this module includes. It shows a canvas, and restores the
 * terminal on every way out, also after a fatal signal. */
#pragma once

#include "common/colours.h"
#include "terminal/keys.h"
#include "view/canvas.h"

/* In the order of the words of --color. */
enum screen_colour { SCREEN_COLOUR_AUTO, SCREEN_COLOUR_ALWAYS, SCREEN_COLOUR_NEVER };

struct screen_settings {
	enum screen_colour colour; /* AUTO: colours unless NO_COLOR is set and not empty */
	/* UNKNOWN: by COLORFGBG, else the terminal is asked; until then, readable on both. */
	enum background background;
	bool mouse; /* requests reports of the mouse from the terminal; see screen_mouse() */
};

/* Takes the terminal (stdin and stdout; TERM must be known). Call it after setlocale(). Returns 0,
 * or -1 with the `reason` ("the terminal type 'xyz' is not known; try TERM=xterm"), and the
 * terminal unchanged. */
int screen_start(const struct screen_settings *settings, char *reason, size_t size);
/* Restores the terminal: modes, alternate screen, colours. Harmless when not started. */
void screen_stop(void);

/* Reads the present size from the kernel; at least 1x1. */
void screen_size(int *rows, int *columns);
/* Takes over the new size, after SIGWINCH or SIGCONT. */
void screen_resize(void);
/* Shows the canvas: writes only the changes, at once. */
void screen_show(const struct canvas *c);
/* Chooses colours by the terminal's answers. Returns true if the next screen_show() has others. */
bool screen_take_answers(const struct keys_answers *answers);
/* Returns true if the screen has colours; sets the background as far as it is known. */
bool screen_coloured(enum background *background);
/* Makes the next screen_show() paint everything (^L, after a stop). */
void screen_repaint(void);
/* Stops this process as ^Z does: restores the terminal, and takes it again on SIGCONT. */
void screen_suspend(void);
/* Turns reports of clicks and the wheel on or off; the terminal's selection then needs Shift. */
void screen_mouse(bool on);
void screen_bell(void);
