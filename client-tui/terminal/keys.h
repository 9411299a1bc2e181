/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From the terminal's bytes to keys: a tokeniser that takes any bytes in any pieces, never blocks
 * and holds little. Function keys, scrolling, the wheel and pastes are ours; everything else goes
 * on to the line editor, whole sequences at a time. Pure: the time is an argument. */
#ifndef UPCASE_KEYS_H
#define UPCASE_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum key {
	KEY_TEXT_BYTES, /* for the line editor: `bytes`, `length` */
	KEY_PASTE,      /* a bracketed paste: `bytes`, `length`; `clipped` if it was too long,
	                   `unfinished` if its end did not come */
	KEY_FUNCTION,   /* F1 to F12: `number` */
	KEY_PAGE_UP,
	KEY_PAGE_DOWN,
	KEY_TOP,
	KEY_BOTTOM, /* Ctrl-Home, Ctrl-End */
	KEY_ROW_UP,
	KEY_ROW_DOWN, /* Shift-Up and -Down, Ctrl-Up and -Down */
	KEY_WHEEL_UP,
	KEY_WHEEL_DOWN,
	KEY_INTERRUPT, /* ^C */
	KEY_SUSPEND,   /* ^Z */
	KEY_REDRAW,    /* ^L */
	KEY_ESCAPE,    /* Esc alone (the line editor wants it too, in vi mode: bytes is "\033") */
};

/* How long a lone Esc, or the beginning of a character, waits for the rest, ns. */
#define KEYS_ESCAPE_WAIT (50 * INT64_C(1000000))
/* How long a sequence that has begun (ESC [ ...) waits for its end: a slow line may split it, ns.
 */
#define KEYS_SEQUENCE_WAIT (500 * INT64_C(1000000))
/* The longest paste kept, bytes; of a longer one the rest is dropped and `clipped` set. */
#define KEYS_PASTE_MAX (4u * 1024 * 1024)
/* A paste whose end got lost would swallow all keys: it ends when nothing comes for so long, ns, or
 * KEYS_ESCAPE_WAIT after a ^C that nothing follows. What there is of it is then a KEY_PASTE
 * (`unfinished`), and that ^C a KEY_INTERRUPT. */
#define KEYS_PASTE_SILENCE (3000 * INT64_C(1000000))
/* An answer of the terminal whose end got lost would do the same, and typed keys would be of it: it
 * has so many bytes at most, and takes no longer, ns. */
#define KEYS_STRING_MAX 65536u
#define KEYS_STRING_WAIT (2000 * INT64_C(1000000))

struct key_event {
	enum key key;
	int number;
	/* Valid until the next call. */
	const unsigned char *bytes;
	size_t length;
	bool clipped, unfinished;
};

struct keys;

struct keys *keys_new(void);
void keys_free(struct keys *k);

/* Bytes as read at `now`. Returns 0, or -1 when memory is short (the bytes are lost). */
int keys_feed(struct keys *k, const void *bytes, size_t n, int64_t now);
/* The next key, if there is one whole: true and *event. Text comes one character at a time. A lone
 * Esc becomes one when KEYS_ESCAPE_WAIT has passed, or at once when another Esc, ^C, ^Z or ^L
 * follows. A quoted byte (the one after ^V or ^Q, see keys_quote()) goes to the line editor
 * whatever it is. Function keys and scrolling are the same with any modifier; Home and End scroll
 * only with Shift or Ctrl. CSI and SS3 sequences go to the line editor whole when it could know
 * them (arrows, Home, End, Delete, Insert, with modifiers; Shift-Tab), the application keypad as
 * the characters on it; else they are dropped, as are control strings (OSC, DCS, APC, PM, SOS): the
 * terminal's answers to somebody's questions, also in the form of C1 controls. A cursor report
 * looks like F3 with a modifier where it tells row 1 and column 2 to 16; as nobody here asks for
 * one, that is F3. ESC + character (Meta) goes to the line editor as both bytes. A UTF-8 character
 * is never split. A slow line may take the ESC from its sequence: what follows a lone Esc within
 * KEYS_SEQUENCE_WAIT and makes a CSI sequence that is a key, or an answer, is that; else it is
 * text, as it was typed. */
bool keys_next(struct keys *k, int64_t now, struct key_event *event);
/* When keys_next() may have something without new bytes, or INT64_MAX. */
int64_t keys_deadline(const struct keys *k);
/* The next byte is quoted: the line editor is in quoted-insert. */
void keys_quote(struct keys *k);

#endif
