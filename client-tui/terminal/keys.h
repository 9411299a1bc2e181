/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A tokeniser turns the terminal's bytes into keys. It takes them in pieces of any size, never
 * blocks and holds little. The program handles function keys, scrolling, the mouse and pastes;
 * everything else goes to the line editor, whole sequences at a time. Pure: the time is an
 * argument. */
#pragma once

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
	KEY_SELECT_UP,
	KEY_SELECT_DOWN, /* Alt-Up and -Down */
	KEY_WHEEL_UP,
	KEY_WHEEL_DOWN,
	KEY_CLICK,     /* the left button without modifiers: `row`, `column` */
	KEY_INTERRUPT, /* ^C */
	KEY_SUSPEND,   /* ^Z */
	KEY_REDRAW,    /* ^L */
	KEY_ESCAPE,    /* Esc alone (the line editor wants it too, in vi mode: bytes is "\033") */
};

/* The time that a lone Esc, or the beginning of a character, waits for the rest, ns. */
#define KEYS_ESCAPE_WAIT (50 * INT64_C(1000000))
/* The time that ESC [ ... waits for its end, ns: a slow line may split it. */
#define KEYS_SEQUENCE_WAIT (500 * INT64_C(1000000))
/* The longest paste kept, bytes; the rest of a longer one is dropped and sets `clipped`. */
#define KEYS_PASTE_MAX (4u * 1024 * 1024)
/* A paste whose end is lost would swallow all keys. So it ends after this time without bytes, ns,
 * or KEYS_ESCAPE_WAIT after a ^C that nothing follows. The part received becomes a KEY_PASTE
 * (`unfinished`), and that ^C a KEY_INTERRUPT. */
#define KEYS_PASTE_SILENCE (3000 * INT64_C(1000000))
/* An answer whose end is lost would swallow keys: its bytes and its time, ns, are limited. */
#define KEYS_STRING_MAX 65536u
#define KEYS_STRING_WAIT (2000 * INT64_C(1000000))

struct key_event {
	enum key key;
	int number;
	/* Valid until the next call. */
	const unsigned char *bytes;
	size_t length;
	bool clipped, unfinished;
	int row, column; /* from 0; a cell that the screen may not have */
};

/* What the terminal answered. */
struct keys_answers {
	/* Its background as an X11 colour ("rgb:1e1e/1e1e/1e1e"), "" for none. */
	char background[40];
	bool attributes; /* its attributes came */
};

struct keys;

struct keys *keys_new(void);
void keys_free(struct keys *k);

/* Takes bytes read at `now`. Returns 0, or -1 when memory is short (the bytes are lost). */
int keys_feed(struct keys *k, const void *bytes, size_t n, int64_t now);
/* Returns true and the next key in *event if it is whole.
 * Text comes one character at a time; a UTF-8 character is never split.
 * Esc alone is a key when KEYS_ESCAPE_WAIT has passed, or at once when ^C, ^Z or ^L follows, or an
 * Esc that begins no arrow.
 * Meta (ESC + character) goes to the line editor as both bytes, and a quoted byte (after ^V or ^Q,
 * see keys_quote()) whatever it is.
 * Of the mouse, presses of the left button without modifiers and the wheel are keys; releases,
 * motion and other buttons are dropped.
 * Function keys and scrolling are the same with any modifier; Home and End scroll only with Shift
 * or Ctrl.
 * CSI and SS3 sequences go whole to the line editor when it could know them (arrows, Home, End,
 * Delete, Insert, with modifiers; Shift-Tab); the application keypad is the characters on it. All
 * others are dropped, and so are control strings (OSC, DCS, APC, PM, SOS): they are answers of the
 * terminal. C1 controls in UTF-8 count as their forms with ESC, and so do those of 8 bits that
 * begin the answers in struct keys_answers. A cursor report of row 1, column 2 to 16 looks like F3
 * with a modifier and is F3, since the program asks for no report. A slow line may separate ESC
 * from its sequence. Bytes that follow a lone Esc within KEYS_SEQUENCE_WAIT are a CSI sequence if
 * that makes a key or an answer, else typed text. */
bool keys_next(struct keys *k, int64_t now, struct key_event *event);
/* The time at which keys_next() may return a key without new bytes, or INT64_MAX. */
int64_t keys_deadline(const struct keys *k);
/* Returns the answers since the last call; keys_next() drops them. */
struct keys_answers keys_take_answers(struct keys *k);
/* Makes the next byte literal: the line editor is in quoted-insert. */
void keys_quote(struct keys *k);
