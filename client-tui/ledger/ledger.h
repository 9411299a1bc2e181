/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The ledger: one line, one row, one fate. It knows which reply belongs to which line and keeps
 * exact totals for all lines, with a bounded number of rows. Pure: no clock, no socket, no screen;
 * the time is an argument in ns of the monotonic clock.
 *
 * Terms: round-trip loss is RFC 6673's, reordering RFC 4737's (the next expected number never
 * decreases), duplication RFC 5560's. At every moment
 *     sent = answered + lost + waiting + refused + failed + cut_off
 * and late is a part of lost; queued lines are not sent yet. */
#pragma once

#include "ledger/ledger-row.h"
#include "ledger/stats.h"

/* A stream can go over several connections at once, each with lines and replies in an order of its
 * own: 1 to LEDGER_CONNECTIONS; the only connection is 0. Datagrams have 0. */
#define LEDGER_CONNECTIONS 16

enum ledger_tag { LEDGER_TAG_AUTO, LEDGER_TAG_ALWAYS, LEDGER_TAG_NEVER };

/* Datagrams are matched by capitals; a stream's replies come in order, without tags or losses. */
enum ledger_kind { LEDGER_DATAGRAM, LEDGER_STREAM };

struct ledger_settings {
	enum ledger_kind kind;
	enum ledger_tag tag;
	/* The greatest number of rows, 1 or more. Queued lines are kept beyond it. */
	size_t capacity;
	/* The greatest number of bytes of lines and replies, so that long lines need no more memory
	 * than short ones; 0 for no limit. The last row is kept even if it alone is more. */
	size_t bytes;
	int64_t reply_timeout; /* the longest time that a datagram's reply may take, ns */
	/* The time after sending in which a line can still be answered, ns: a later reply is a
	 * stray, and its text may be used again without a tag. Never less than `reply_timeout`.
	 * When rows are evicted sooner, LEDGER_TAG_AUTO tags every line. */
	int64_t answerable;
	/* A decided line's row is about to be evicted. May be NULL. */
	void (*evicted)(void *context, const struct ledger_row *row);
	void *context;
};

/* What a reply is. */
enum ledger_match {
	MATCH_STRAY,     /* it belongs to no line */
	MATCH_ANSWER,    /* the first reply, within the wait */
	MATCH_LATE,      /* the first reply, after the wait */
	MATCH_DUPLICATE, /* one more reply to a line that has one */
};

struct ledger_reply_match {
	enum ledger_match match;
	/* The line that it belongs to; 0 for a stray, or when its row was evicted (stream). */
	uint64_t number;
	/* Where the reply's own text begins, after the tag: bytes to leave out at its beginning. */
	size_t skip;
	int64_t rtt; /* round-trip time, ns; -1 if unknown */
};

struct ledger;

enum ledger_line_kind {
	LEDGER_LINE,
	/* A line with a text unlike all others that are added so: it gets no tag just because other
	   such rows were evicted. */
	LEDGER_LINE_UNIQUE,
	/* The beginning of a long line of a stream: only these bytes are kept, and its reply is not
	   compared. */
	LEDGER_LINE_PARTIAL,
};

/* Returns NULL when memory is short. The caller frees with ledger_free(), which takes NULL too. */
struct ledger *ledger_new(const struct ledger_settings *settings);
void ledger_free(struct ledger *l);

/* Adds a line typed at `now`, FATE_QUEUED: `n` bytes, copied. `number` is greater than any before.
 * Decides the tag. May evict the oldest rows: first the decided ones, then the waiting ones, never
 * queued ones. Returns 0, or -1 when memory is short (nothing changed). */
int ledger_add(struct ledger *l, uint64_t number, const void *text, size_t n, int64_t now);
/* The same for a line of another kind. */
int ledger_add_as(struct ledger *l, uint64_t number, const void *text, size_t n,
    enum ledger_line_kind kind, int64_t now);

/* The line that was added last goes over this connection. */
void ledger_assign(struct ledger *l, uint64_t number, unsigned connection);

/* Writes the bytes to send for a line, tag and text, without an end of line: at most `size` bytes.
 * Returns the whole length (more than `size`: it did not fit), or (size_t)-1 without a row. */
size_t ledger_wire(const struct ledger *l, uint64_t number, void *out, size_t size);

/* The session tries to connect from `now` on (calls may repeat); it no longer does. */
void ledger_connecting(struct ledger *l, unsigned connection, int64_t now);
void ledger_connected(struct ledger *l, unsigned connection, int64_t now);
bool ledger_is_connecting(const struct ledger *l, unsigned connection);

/* The line was handed to the kernel at `now`: queued becomes waiting. A waiting line that is sent
 * again elsewhere waits anew. */
void ledger_sent(struct ledger *l, uint64_t number, int64_t now);
/* The kernel's time stamp of its departure is `at`, later than assumed: its wait begins then.
 * Returns false, and changes nothing, unless the line still waits and was handed over before `at`.
 * The wait of lines that were sent meanwhile ends no earlier than this line's. */
bool ledger_stamped(struct ledger *l, uint64_t number, int64_t at);
/* It could not be sent (`error` as error-text.h has it): queued or waiting becomes failed. */
void ledger_failed(struct ledger *l, uint64_t number, int error, int64_t now);
/* It goes back to the queue, as if never sent: waiting becomes queued. */
void ledger_requeue(struct ledger *l, uint64_t number);

/* A datagram came at `now` (the kernel's receive time, on the monotonic clock). Only that time
 * decides whether it is within the wait or late: a line that is already counted as lost, because
 * its reply stayed unread in the socket, becomes answered. Of equal lines (LEDGER_TAG_NEVER) the
 * reply belongs to the waiting one that was sent first, else to the one lost first, else to the one
 * answered first. A reply is a stray if its line was refused, failed or cut off, if the row is
 * evicted, or if the line was sent more than `answerable` ago; also if it is the beginning of
 * several waiting lines, and whenever memory is short. */
struct ledger_reply_match ledger_reply(struct ledger *l, const void *reply, size_t n, int64_t now);
/* One whole reply line of a stream came, without its end of line: it answers the line that waits
 * longest on its connection. `ended`: the connection ended instead of an end of line, so the reply
 * may be cut short (it is, when it is a true beginning of the capitals). With `ended`, n = 0 is no
 * reply and is not counted. `n` may be less than what came when the line was long (`partial`). */
struct ledger_reply_match ledger_stream_reply(struct ledger *l, unsigned connection,
    const void *reply, size_t n, bool ended, int64_t now);

/* An ICMP error came about a datagram of ours of at least `min_length` bytes, of which it quotes
 * the first `n` (none: n = 0). The oldest waiting line that was sent with exactly these bytes, else
 * the oldest that begins with them (without a quote: the oldest), becomes refused (ECONNREFUSED) or
 * failed (other errors of error-text.h). Returns its number, or 0. */
uint64_t ledger_unreachable(struct ledger *l, const void *quoted, size_t n, size_t min_length,
    int error, int64_t now);

/* The connection ended: every line that waits on it is cut off. Returns how many. Queued lines stay
 * queued. */
uint64_t ledger_cut_off(struct ledger *l, unsigned connection, int64_t now);

/* Datagrams: the next line whose wait was over before `now` becomes lost. Returns its number, 0
 * when there is none (call until then). A reply at exactly sent + wait is still within the wait. */
uint64_t ledger_expire(struct ledger *l, int64_t now);
/* The session ends before every wait is over: waiting datagrams stay so, because their fate is
 * unknown, and the statistics omit them. Nothing may be reported to the ledger afterwards. */
void ledger_give_up(struct ledger *l);
/* When ledger_expire() is to be called next, or INT64_MAX. */
int64_t ledger_deadline(const struct ledger *l);

/* The row of a line, or NULL if there is none (any more). Valid until the ledger changes. */
const struct ledger_row *ledger_find(const struct ledger *l, uint64_t number);
/* Kept rows by age: 0 is the oldest. */
size_t ledger_count(const struct ledger *l);
const struct ledger_row *ledger_at(const struct ledger *l, size_t index);
/* The index of the first row whose number is not less. */
size_t ledger_index(const struct ledger *l, uint64_t number);
/* The number of the oldest queued line of that connection; of the datagram that waits longest; 0
 * for none. */
uint64_t ledger_first_queued(const struct ledger *l, unsigned connection);
uint64_t ledger_first_waiting(const struct ledger *l);

/* When the line that waits longest on that connection was sent, also if its row is evicted;
 * INT64_MAX when none waits. */
int64_t ledger_waiting_since(const struct ledger *l, unsigned connection);

const struct ledger_totals *ledger_totals(const struct ledger *l);
/* Of all lines up to the oldest one that still waits, in the order of sending. */
const struct stats *ledger_stats(const struct ledger *l);

/* ---- replays ---- */

/* Lines whose fates are known from a record: no reply is matched, and time decides nothing. After
 * these calls a ledger has the same totals, rows and statistics as the recorded one. */

/* Adds a line typed at `now`, queued, with the row's number, text, tag and `partial`. Returns 0, or
 * -1 when memory is short or the number is not greater than any before. */
int ledger_replay_line(struct ledger *l, const struct ledger_row *row, int64_t now);
/* It was handed to the kernel at `now`; `connecting` as in the row. */
void ledger_replay_sent(struct ledger *l, uint64_t number, int64_t connecting, int64_t now);
/* A waiting or queued line is lost, refused, failed or cut off at `now`, 0 if that is not known. */
void ledger_replay_fate(struct ledger *l, uint64_t number, enum ledger_fate fate, int error,
    int64_t now);

/* The first reply came at `now`, to a line that waits or is lost (the reply was late, or read
 * late). The row has its marks and, if the reply was not the capitals, its text. */
void ledger_replay_reply(struct ledger *l, const struct ledger_row *row, int64_t now);
/* One more reply to a line that has one; a reply that belongs to no line. */
void ledger_replay_duplicate(struct ledger *l, uint64_t number);
void ledger_replay_stray(struct ledger *l);
