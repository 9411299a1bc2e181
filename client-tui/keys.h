/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From the terminal's bytes to keys: a tokeniser that takes any bytes in any pieces, never blocks and holds
 * little. Function keys, scrolling, the wheel and pastes are ours; everything else goes on to the line editor,
 * whole sequences at a time. Pure: the time is an argument. */
#ifndef UPCASE_KEYS_H
#define UPCASE_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum key {
	KEY_TEXT_BYTES, /* for the line editor: `bytes`, `length` */
	KEY_PASTE,      /* a whole bracketed paste: `bytes`, `length`; `clipped` if it was too long */
	KEY_FUNCTION,   /* F1 to F12: `number` */
	KEY_PAGE_UP, KEY_PAGE_DOWN,
	KEY_TOP, KEY_BOTTOM,       /* Ctrl-Home, Ctrl-End */
	KEY_ROW_UP, KEY_ROW_DOWN,  /* Shift-Up and -Down, Ctrl-Up and -Down */
	KEY_WHEEL_UP, KEY_WHEEL_DOWN,
	KEY_INTERRUPT,  /* ^C */
	KEY_SUSPEND,    /* ^Z */
	KEY_REDRAW,     /* ^L */
	KEY_ESCAPE,     /* Esc alone (the line editor wants it too, in vi mode: bytes is "\033") */
};

/* How long a lone Esc, or the beginning of a character, waits for the rest, ns. */
#define KEYS_ESCAPE_WAIT (50 * INT64_C(1000000))
/* How long a sequence that has begun (ESC [ ...) waits for its end: a slow line may split it, ns. */
#define KEYS_SEQUENCE_WAIT (500 * INT64_C(1000000))
/* The longest paste kept, bytes; of a longer one the rest is dropped and `clipped` set. */
#define KEYS_PASTE_MAX (4u * 1024 * 1024)
/* A paste whose end got lost would swallow all keys: a ^C that comes after so long a silence ends it, ns. What there is of it
 * is then a KEY_PASTE (`clipped`), and the ^C a KEY_INTERRUPT. */
#define KEYS_PASTE_SILENCE (500 * INT64_C(1000000))

struct key_event {
	enum key key;
	int number;
	/* Valid until the next call. */
	const unsigned char *bytes;
	size_t length;
	bool clipped;
};

struct keys;

struct keys *keys_new(void);
void keys_free(struct keys *k);

/* Bytes as read at `now`. Returns 0, or -1 when memory is short (the bytes are lost). */
int keys_feed(struct keys *k, const void *bytes, size_t n, int64_t now);
/* The next key, if there is one whole: true and *event. Text comes one character at a time. A lone Esc becomes one when
 * KEYS_ESCAPE_WAIT has passed, or at once when another Esc, ^C, ^Z or ^L follows. A quoted byte (the one after ^V or ^Q, see
 * keys_quote()) goes to the line editor whatever it is. Function keys and scrolling are the same with any modifier; Home and
 * End scroll only with Shift or Ctrl. CSI and SS3 sequences go to the line editor whole when it could know them (arrows, Home,
 * End, Delete, Insert, with modifiers; Shift-Tab), the application keypad as the characters on it; else they are dropped.
 * ESC + character (Meta) goes to the line editor as both bytes. A UTF-8 character is never split. */
bool keys_next(struct keys *k, int64_t now, struct key_event *event);
/* When keys_next() may have something without new bytes, or INT64_MAX. */
int64_t keys_deadline(const struct keys *k);
/* The next byte is quoted: the line editor is in quoted-insert. */
void keys_quote(struct keys *k);

#endif
