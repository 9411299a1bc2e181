/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A line with what became of it, as one line of text for people, screen readers and awk; upcase(1),
 * VERBOSE LINES, describes it:
 *   1 udp hello -> HELLO 40.9 ms
 *   4 udp are you there -x lost going
 * " -> " and " -x " stand before the reply and the fate, and nowhere in a text. Pure. */
#pragma once

#include "ledger/ledger.h"
#include "trace/trace.h"

/* Writes bytes with control characters visible, as on the screen ("^["), and a sign as "\x2d>". */
void line_text_put(FILE *out, const unsigned char *text, size_t n);
/* Writes the line in its state at `now`, with its end. `trace` adds what the lab's link did; NULL
 * outside the lab. Returns 0, or -1 when memory is short. */
int line_text_write(FILE *out, const struct ledger *ledger, bool stream, uint64_t number,
    const struct trace *trace, int64_t now);
/* "held 40 ms for an ACK", of trace_leg.ack_wait; "" below 1 ms. Returns `buf`. */
#define LINE_TEXT_HELD 40
char *line_text_held(int64_t ns, char buf[LINE_TEXT_HELD]);
/* Writes a reply that belongs to no line: "- udp -> HELLO (stray)". */
void line_text_stray(FILE *out, bool stream, const unsigned char *text, size_t n);
