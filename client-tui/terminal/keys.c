/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A queue holds the bytes until the token at its front, or the paste, is whole. Only the bytes at
 * the front, and whether the timeout has passed, decide what the token is; how the bytes were split
 * does not matter. */
#include "terminal/keys.h"

#include "common/bytes.h"
#include "common/grow.h"

#define ESC 0x1b
#define CTRL(c) ((c) & 0x1f)
/* The parameter that means Alt: 1 + 2. */
#define ALT 3
/* A longer sequence, which no terminal sends, is dropped up to its end. */
#define SEQUENCE_MAX 64
#define QUEUE_KEEP 65536 /* an empty queue larger than this is freed */

static const char paste_end[] = "\033[201~";
#define PASTE_END_LENGTH (sizeof paste_end - 1)

struct keys {
	unsigned char *queue;
	size_t head, tail, capacity;
	int64_t fed_at; /* the time of the last bytes */
	bool quoted;    /* the next byte is taken literally */
	/* The kind of bytes that are dropped up to their end; the number of bytes dropped of a
	 * control string, and the time when that began. */
	enum { SKIP_NOTHING, SKIP_SEQUENCE, SKIP_STRING } skipping;
	size_t skipped;
	int64_t skipped_from;
	/* The control string is an OSC, or begins with a control of 8 bits; its beginning. */
	bool osc, eight_bits;
	char string[43];
	struct keys_answers answers;
	/* The last key was a lone Esc; the queue begins with that Esc once more. */
	bool escaped, late;
	/* Between ESC[200~ and ESC[201~, which does not begin among the first `pasted` bytes. */
	bool pasting, clipped;
	size_t pasted;
};

/* The kinds of the token at the front of the queue: none (dropped), an answer of the terminal that
 * no user types (dropped), a token that is too long, a key, the beginning of a paste or of a
 * control string. */
enum token_kind { NOTHING, ANSWER, TOO_LONG, KEY, PASTE, STRING };

struct token {
	/* The token's length in bytes; 0: it needs more. */
	size_t used;
	enum token_kind kind;
};

struct keys *keys_new(void)
{
	return calloc(1, sizeof(struct keys));
}

void keys_free(struct keys *k)
{
	if (!k)
		return;
	free(k->queue);
	free(k);
}

int keys_feed(struct keys *k, const void *bytes, size_t n, int64_t now)
{
	if (n == 0)
		return 0;
	if (n == SIZE_MAX || grow_queue(&k->queue, &k->capacity, &k->head, &k->tail, n + 1) < 0)
		return -1;
	unsigned char first = *(const unsigned char *)bytes;
	if (k->escaped && k->head == k->tail && now - k->fed_at < KEYS_SEQUENCE_WAIT &&
	    (first == '[' || first == ']')) {
		k->queue[k->tail++] = ESC;
		k->late = true;
	}
	k->escaped = false;
	memcpy(k->queue + k->tail, bytes, n);
	k->tail += n;
	k->fed_at = now;
	return 0;
}

static struct token key(size_t used, struct key_event *event, enum key which)
{
	event->key = which;
	return (struct token){ used, KEY };
}

static struct token text(struct key_event *event, const unsigned char *bytes, size_t length)
{
	event->bytes = bytes;
	event->length = length;
	return key(length, event, KEY_TEXT_BYTES);
}

static struct token drop(size_t used)
{
	return (struct token){ used, NOTHING };
}

/* The token of `n` incomplete bytes: they wait for more, or are dropped after the timeout. */
static struct token wait_or_drop(size_t n, bool timeout)
{
	return drop(timeout ? n : 0);
}

/* The length of the UTF-8 character at `s`: 1 for a stray byte, 0 for an incomplete one. */
static size_t character(const unsigned char *s, size_t n, bool timeout)
{
	size_t length = s[0] < 0xc2 ? 1 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : s[0] < 0xf5 ? 4 : 1;
	for (size_t i = 1; i < length; i++) {
		if (i == n)
			return timeout ? 1 : 0;
		if ((s[i] & 0xc0) != 0x80)
			return 1;
	}
	return length;
}

/* A parsed CSI sequence (ECMA-48 section 5.4). */
struct csi {
	const unsigned char *whole;
	size_t length;
	unsigned char prefix; /* '<' of the mouse, '?' of answers, 0 for none */
	/* A missing parameter is 0. */
	int params[3];
	int count;
	unsigned char final;
};

static void read_params(struct csi *csi)
{
	const unsigned char *s = csi->whole + 2, *end = csi->whole + csi->length - 1;
	if (s < end && *s >= '<' && *s <= '?')
		csi->prefix = *s++;
	for (; s < end; s++) {
		if (csi->count == 0)
			csi->count = 1;
		if (*s == ';')
			csi->count++;
		else if (*s >= '0' && *s <= '9' && csi->count <= 3 &&
		         csi->params[csi->count - 1] < 10000)
			csi->params[csi->count - 1] = 10 * csi->params[csi->count - 1] + (*s - '0');
	}
	csi->final = *end;
}

/* Whether Home, End or an arrow scrolls: xterm sends 1 + a sum of Shift 1, Alt 2, Ctrl 4. */
static bool scrolls(const struct csi *csi)
{
	int modifiers = csi->params[1] - 1;
	return csi->count >= 2 && (modifiers == 1 || modifiers == 4 || modifiers == 5);
}

/* A press of `buttons` at a row and column, which count from 1. */
static struct token mouse(size_t length, int buttons, int column, int row, struct key_event *event)
{
	/* ctlseqs: 0 left button, 3 release, 64 and 65 wheel, 4, 8, 16 modifiers, 32 motion. */
	int button = buttons & ~(4 | 8 | 16);
	if (button == 64 || button == 65)
		return key(length, event, button == 64 ? KEY_WHEEL_UP : KEY_WHEEL_DOWN);
	if (buttons != 0 || column < 1 || row < 1)
		return drop(length);
	event->row = row - 1;
	event->column = column - 1;
	return key(length, event, KEY_CLICK);
}

static struct token function(size_t used, struct key_event *event, int number)
{
	event->number = number;
	return key(used, event, KEY_FUNCTION);
}

/* Home (1, 7), End (4, 8) and the like: a number and '~', or rxvt's signs for Shift and Ctrl. */
static struct token key_of_number(const struct csi *csi, struct key_event *event)
{
	static const signed char functions[] = {
		[11] = 1, 2, 3, 4, 5, [17] = 6, 7, 8, 9, 10, [23] = 11, 12
	};
	int n = csi->params[0];
	bool rxvt = csi->final != '~';
	if (n < (int)sizeof functions && functions[n] > 0)
		return function(csi->length, event, functions[n]);
	if (n == 200 && !rxvt)
		return (struct token){ csi->length, PASTE };
	if (n == 5 || n == 6)
		return key(csi->length, event, n == 5 ? KEY_PAGE_UP : KEY_PAGE_DOWN);
	if (rxvt || scrolls(csi)) {
		if (n == 1 || n == 7)
			return key(csi->length, event, KEY_TOP);
		if (n == 4 || n == 8)
			return key(csi->length, event, KEY_BOTTOM);
	}
	return !rxvt && n >= 1 && n <= 8 ? text(event, csi->whole, csi->length) : drop(csi->length);
}

static struct token key_of_letter(const struct csi *csi, struct key_event *event)
{
	static const char scrolling[] = "ABHF";
	static const enum key keys[] = { KEY_ROW_UP, KEY_ROW_DOWN, KEY_TOP, KEY_BOTTOM };
	const unsigned char final = csi->final;
	const char *at = strchr(scrolling, final);
	if (csi->count == 1 || (csi->count == 2 && csi->params[0] != 1))
		return drop(csi->length);
	if (at && scrolls(csi))
		return key(csi->length, event, keys[at - scrolling]);
	if ((final == 'A' || final == 'B') && csi->count == 2 && csi->params[1] == ALT)
		return key(csi->length, event, final == 'A' ? KEY_SELECT_UP : KEY_SELECT_DOWN);
	if (at || final == 'C' || final == 'D' || final == 'Z')
		return text(event, csi->whole, csi->length);
	/* P alone is the Linux console's Pause. */
	if (final >= 'P' && final <= 'S' && (final != 'P' || csi->count == 2))
		return function(csi->length, event, final - 'P' + 1);
	/* rxvt's Shift-Up and -Down. */
	if ((final == 'a' || final == 'b') && csi->count == 0)
		return key(csi->length, event, final == 'a' ? KEY_ROW_UP : KEY_ROW_DOWN);
	return drop(csi->length);
}

static struct token key_of_csi(const struct csi *csi, struct key_event *event)
{
	if (csi->final == 'M' && csi->count == 3 && (csi->prefix == '<' || csi->prefix == 0))
		return mouse(csi->length, csi->params[0] - (csi->prefix == '<' ? 0 : 32),
		    csi->params[1], csi->params[2], event);
	/* Keys have no more than a number and modifiers, 1 + a sum of Shift 1, Alt 2, Ctrl 4, Meta
	 * 8; the rest is an answer. */
	if (csi->prefix != 0 || csi->count > 2 ||
	    (csi->count == 2 && (csi->params[1] < 2 || csi->params[1] > 16)))
		return drop(csi->length);
	if (csi->final == '~' || csi->final == '^' || csi->final == '@' || csi->final == '$')
		return key_of_number(csi, event);
	return key_of_letter(csi, event);
}

static struct token whole_csi(const unsigned char *s, size_t length, struct key_event *event)
{
	struct csi csi = { .whole = s, .length = length };
	read_params(&csi);
	struct token t = key_of_csi(&csi, event);
	if (t.kind == NOTHING && (csi.prefix != 0 || csi.count >= 2))
		t.kind = ANSWER;
	return t;
}

/* Returns the token of an ESC O sequence that ends after `i` bytes. */
static struct token whole_ss3(const unsigned char *s, size_t i, struct key_event *event)
{
	/* The application keypad: final bytes, and the characters on the keys. */
	static const char finals[] = "jklmnopqrstuvwxyMX";
	static const unsigned char characters[] = "*+,-./0123456789\r=";
	const unsigned char c = s[i];
	const char *at = strchr(finals, c);
	if (c >= 'P' && c <= 'S')
		return function(i + 1, event, c - 'P' + 1);
	if (c == 'a' || c == 'b')
		return key(i + 1, event, c == 'a' ? KEY_ROW_UP : KEY_ROW_DOWN);
	if (strchr("ABCDHFcd", c))
		return text(event, s, i + 1);
	if (!at)
		return drop(i + 1);
	struct token t = text(event, &characters[at - finals], 1);
	t.used = i + 1;
	return t;
}

/* `s` begins with ESC [ [, a form outside the standard. */
static struct token read_console_key(const unsigned char *s, size_t n, bool timeout,
    struct key_event *event)
{
	if (n < 4)
		return wait_or_drop(n, timeout);
	/* The Linux console's F1 to F5. */
	return s[3] >= 'A' && s[3] <= 'E' ? function(4, event, s[3] - 'A' + 1)
	                                  : drop(s[3] < 0x20 || s[3] > 0x7e ? 3 : 4);
}

/* `s` begins with ESC [ or ESC O; digits of modifiers, which some terminals send after ESC O too,
 * and a final byte follow. rxvt ends Shift-Home and its like with '$', which the standard does not
 * count as a final byte; it is one only after plain digits. ESC O alone is a Meta key. */
static struct token read_sequence(const unsigned char *s, size_t n, bool timeout,
    struct key_event *event)
{
	const bool ss3 = s[1] == 'O';
	if (!ss3 && n > 2 && s[2] == '[')
		return read_console_key(s, n, timeout, event);
	if (!ss3 && n > 2 && s[2] == 'M')
		return n < 6 ? wait_or_drop(n, timeout)
		             : mouse(6, s[3] - 32, s[4] - 32, s[5] - 32, event);
	for (size_t i = 2; i < n; i++) {
		if (i >= SEQUENCE_MAX)
			return (struct token){ i, TOO_LONG };
		if (s[i] < 0x20 || s[i] > 0x7e)
			return ss3 && i == 2 ? text(event, s, 2) : drop(i);
		bool rxvt_end = !ss3 && s[i] == '$' && i > 2 &&
		                strspn((const char *)s + 2, "0123456789") == i - 2;
		if (s[i] >= 0x40 || rxvt_end)
			return ss3 ? whole_ss3(s, i, event) : whole_csi(s, i + 1, event);
	}
	return ss3 && n == 2 && timeout ? text(event, s, 2) : wait_or_drop(n, timeout);
}

/* OSC, DCS, APC, PM, SOS: ESC and one of these. */
static bool introduces_string(unsigned char c)
{
	return c == ']' || c == 'P' || c == '_' || c == '^' || c == 'X';
}

/* `s` begins with ESC and one of those. It is a Meta key if nothing or another key follows. */
static struct token read_string(const unsigned char *s, size_t n, bool timeout,
    struct key_event *event)
{
	bool ended = n > 3 && s[2] == ESC && s[3] == '\\';
	bool may_be_key = n == 2 || (n == 3 && s[2] == ESC);
	if (may_be_key && !timeout)
		return drop(0);
	if (may_be_key || (s[2] < 0x20 && s[2] != '\a' && !ended))
		return text(event, s, 2);
	return (struct token){ 2, STRING };
}

/* `s` begins with ESC ESC: rxvt's Alt with an arrow; else the first ESC is a key. */
static struct token read_two_escapes(const unsigned char *s, size_t n, bool timeout,
    struct key_event *event)
{
	const bool begins = n == 2 || s[2] == '[' || s[2] == 'O';
	if (begins && n >= 4 && (s[3] == 'A' || s[3] == 'B'))
		return key(4, event, s[3] == 'A' ? KEY_SELECT_UP : KEY_SELECT_DOWN);
	return begins && n < 4 && !timeout ? drop(0) : key(1, event, KEY_ESCAPE);
}

static struct token read_escape(const unsigned char *s, size_t n, bool timeout,
    struct key_event *event)
{
	event->bytes = s;
	event->length = 1;
	if (n == 1)
		return timeout ? key(1, event, KEY_ESCAPE) : drop(0);
	switch (s[1]) {
	case ESC:
		return read_two_escapes(s, n, timeout, event);
	case CTRL('C'):
	case CTRL('Z'):
	case CTRL('L'):
	/* Enter soon after Esc: Meta-Enter would make readline's keys those of vi. */
	case '\r':
	case '\n':
		return key(1, event, KEY_ESCAPE);
	case '[':
	case 'O':
		return read_sequence(s, n, timeout, event);
	default: {
		if (introduces_string(s[1]))
			return read_string(s, n, timeout, event);
		size_t length = character(s + 1, n - 1, timeout);
		return length == 0 ? drop(0) : text(event, s, 1 + length);
	}
	}
}

/* An answer may begin with an OSC or CSI of 8 bits. In other encodings than UTF-8 these may be
 * text, so only the beginnings of answers count. */
static struct token read_eight_bits(const unsigned char *s, size_t n, bool timeout,
    struct key_event *event)
{
	const char *answer = s[0] == 0x9d ? "\x9d"
	                                    "11;"
	                                  : "\x9b?";
	const size_t length = strlen(answer);
	if (memcmp(s, answer, n < length ? n : length) != 0 || (n < length && timeout))
		return text(event, s, 1);
	return n < length   ? drop(0)
	     : s[0] == 0x9d ? (struct token){ 1, STRING }
	                    : (struct token){ length, TOO_LONG };
}

static struct token read_token(const unsigned char *s, size_t n, bool timeout, bool quoted,
    struct key_event *event)
{
	if (!quoted) {
		if (s[0] == ESC)
			return read_escape(s, n, timeout, event);
		if (s[0] == 0x9d || s[0] == 0x9b)
			return read_eight_bits(s, n, timeout, event);
		if (s[0] == CTRL('C'))
			return key(1, event, KEY_INTERRUPT);
		if (s[0] == CTRL('Z'))
			return key(1, event, KEY_SUSPEND);
		if (s[0] == CTRL('L'))
			return key(1, event, KEY_REDRAW);
	}
	size_t length = character(s, n, timeout);
	return length == 0 ? drop(0) : text(event, s, length);
}

/* Drops the rest of a sequence that was too long; returns true at its end. */
static bool skip_sequence(struct keys *k)
{
	while (k->head < k->tail) {
		unsigned char c = k->queue[k->head];
		if (c < 0x20 || c > 0x7e)
			return true;
		k->head++;
		if (c >= 0x40)
			return true;
	}
	return false;
}

struct keys_answers keys_take_answers(struct keys *k)
{
	struct keys_answers answers = k->answers;
	k->answers = (struct keys_answers){ .attributes = false };
	return answers;
}

/* Notes a whole control string, and removes its end of `n` bytes. */
static bool end_string(struct keys *k, size_t n)
{
	k->head += n;
	k->string[k->skipped < sizeof k->string ? k->skipped : sizeof k->string - 1] = '\0';
	if (k->osc && strncmp(k->string, "11;", 3) == 0)
		strcpy(k->answers.background, k->string + 3);
	return true;
}

/* Drops the rest of a control string. BEL or ST (ESC \, U+009C) ends it; another ESC, and the keys
 * that cancel something, end it too. */
static bool skip_string(struct keys *k)
{
	for (; k->head < k->tail && k->skipped < KEYS_STRING_MAX; k->head++, k->skipped++) {
		const unsigned char *s = k->queue + k->head;
		if (*s == '\a' || (*s == 0x9c && k->eight_bits))
			return end_string(k, 1);
		if (*s == CTRL('C') || *s == CTRL('X') || *s == CTRL('Z'))
			return true;
		if (k->skipped < sizeof k->string - 1)
			k->string[k->skipped] = (char)*s;
		if (*s != ESC && *s != 0xc2)
			continue;
		if (k->tail - k->head < 2)
			return false;
		if (s[1] == (*s == ESC ? '\\' : 0x9c))
			return end_string(k, 2);
		if (*s == ESC)
			return true;
	}
	return k->skipped >= KEYS_STRING_MAX;
}

/* A ^C at the end of the queue may be the key; in the middle of a paste it is text. */
static bool ends_with_interrupt(const struct keys *k)
{
	return k->head < k->tail && k->queue[k->tail - 1] == CTRL('C');
}

/* Drops what is too much of a paste whose end has not come. */
static void clip_paste(struct keys *k)
{
	unsigned char *s = k->queue + k->head;

	if (k->pasted <= KEYS_PASTE_MAX)
		return;
	memmove(s + KEYS_PASTE_MAX, s + k->pasted, k->tail - k->head - k->pasted);
	k->tail -= k->pasted - KEYS_PASTE_MAX;
	k->pasted = KEYS_PASTE_MAX;
	k->clipped = true;
}

/* Returns true, and the paste, at its end. */
static bool take_paste(struct keys *k, bool timeout, struct key_event *event)
{
	const unsigned char *s = k->queue + k->head;
	const size_t n = k->tail - k->head;
	const unsigned char *end = bytes_find(s + k->pasted, n - k->pasted, paste_end,
	    PASTE_END_LENGTH);
	const size_t length = end ? (size_t)(end - s) : n - ends_with_interrupt(k);

	if (!end && !timeout) {
		/* The last bytes may be the beginning of the paste's end. */
		k->pasted = n < PASTE_END_LENGTH ? 0 : n - PASTE_END_LENGTH + 1;
		clip_paste(k);
		return false;
	}
	*event = (struct key_event){ .key = KEY_PASTE,
		.bytes = s,
		.length = length < KEYS_PASTE_MAX ? length : KEYS_PASTE_MAX,
		.clipped = k->clipped || length > KEYS_PASTE_MAX,
		.unfinished = !end };
	k->head += length + (end ? PASTE_END_LENGTH : 0);
	k->pasting = k->clipped = false;
	k->pasted = 0;
	return true;
}

static void free_large(struct keys *k)
{
	if (k->head < k->tail || k->pasting || k->capacity <= QUEUE_KEEP)
		return;
	free(k->queue);
	k->queue = NULL;
	k->head = k->tail = k->capacity = 0;
}

/* C1 controls in UTF-8 that begin a sequence: SS3, DCS, SOS, CSI, OSC, PM, APC. They become ESC and
 * a character, which takes the same number of bytes. */
static void widen_control(unsigned char *s, size_t n)
{
	if (n < 2 || s[0] != 0xc2 || s[1] < 0x80 || s[1] > 0x9f)
		return;
	unsigned char c = s[1] - 0x40;
	if (c != 'O' && c != '[' && !introduces_string(c))
		return;
	s[0] = ESC;
	s[1] = c;
}

/* Returns true if the user typed Esc and then the rest of a token that begins with a late Esc: it
 * is then no sequence of the terminal. A control string begins with a number. */
static bool was_typed(const struct keys *k, struct token t)
{
	const unsigned char *s = k->queue + k->head;
	if (s[1] == ']')
		return t.kind != STRING || s[2] < '0' || s[2] > '9';
	return t.kind == NOTHING;
}

/* Removes the token from the queue; returns true if it is a key. */
static bool take(struct keys *k, struct token t)
{
	bool typed = k->late && was_typed(k, t);
	k->late = false;
	if (typed) {
		/* Drops the Esc, which was already returned as a key. */
		k->head++;
		return false;
	}
	const unsigned char *s = k->queue + k->head;
	k->answers.attributes |= t.kind == ANSWER && s[2] == '?' && s[t.used - 1] == 'c';
	k->eight_bits = t.kind == STRING && s[0] != ESC;
	k->osc = k->eight_bits || (t.kind == STRING && s[1] == ']');
	k->head += t.used;
	k->pasting = t.kind == PASTE;
	k->skipping = t.kind == STRING   ? SKIP_STRING
	            : t.kind == TOO_LONG ? SKIP_SEQUENCE
	                                 : SKIP_NOTHING;
	k->skipped = 0;
	k->skipped_from = k->fed_at;
	return t.kind == KEY;
}

bool keys_next(struct keys *k, int64_t now, struct key_event *event)
{
	free_large(k);
	for (;;) {
		bool timeout = now >= keys_deadline(k);
		if (k->skipping) {
			bool ended = k->skipping == SKIP_STRING ? skip_string(k) : skip_sequence(k);
			if (!ended && !timeout)
				return false;
			k->skipping = SKIP_NOTHING;
		}
		if (k->pasting)
			return take_paste(k, timeout, event);
		if (k->head == k->tail)
			return false;
		*event = (struct key_event){ 0 };
		if (!k->quoted)
			widen_control(k->queue + k->head, k->tail - k->head);
		struct token t = read_token(k->queue + k->head, k->tail - k->head, timeout,
		    k->quoted, event);
		if (t.used == 0)
			return false;
		if (take(k, t)) {
			k->quoted = false;
			k->escaped = event->key == KEY_ESCAPE && timeout;
			return true;
		}
	}
}

/* The time that the token at the front of the queue waits for its rest, ns. */
static int64_t token_timeout(const struct keys *k)
{
	const unsigned char *s = k->queue + k->head;
	size_t n = k->tail - k->head;
	if (k->pasting)
		return ends_with_interrupt(k) ? KEYS_ESCAPE_WAIT : KEYS_PASTE_SILENCE;
	if (k->skipping)
		return KEYS_SEQUENCE_WAIT;
	if (n < 2 || s[0] != ESC || k->quoted)
		return KEYS_ESCAPE_WAIT;
	/* It may be a Meta key; readline has none that is Alt-]. */
	return introduces_string(s[1]) && s[1] != ']' && !k->late ? KEYS_ESCAPE_WAIT
	                                                          : KEYS_SEQUENCE_WAIT;
}

int64_t keys_deadline(const struct keys *k)
{
	if (k->head == k->tail && !k->pasting && !k->skipping)
		return INT64_MAX;
	int64_t until = k->fed_at + token_timeout(k), last = k->skipped_from + KEYS_STRING_WAIT;
	return k->skipping == SKIP_STRING && last < until ? last : until;
}

void keys_quote(struct keys *k)
{
	k->quoted = true;
}
