/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See glyphs.h. */
#include "config.h"

#include "glyphs.h"

#include <stddef.h>

static const struct {
	const char *sign, *ascii;
} glyphs[GLYPHS] = {
	[GLYPH_WIRE_UDP] = { "─", "-" },
	[GLYPH_WIRE_TCP] = { "━", "=" },
	[GLYPH_WIRE_TWICE] = { "═", "#" },
	[GLYPH_HEAD] = { "▶", ">" },
	[GLYPH_CROSS] = { "✗", "x" },
	[GLYPH_WAITING] = { "·", "." },
	[GLYPH_TIMES] = { "×", "x" },
	[GLYPH_REORDERED] = { "↷", "^" },
	[GLYPH_DIFFERS] = { "≠", "!=" },
	[GLYPH_ELLIPSIS] = { "…", "..." },
	[GLYPH_BAR_UDP] = { "│", "|" },
	[GLYPH_BAR_TCP] = { "┃", ":" },
	[GLYPH_SEPARATOR] = { " · ", ", " },
	[GLYPH_MICRO] = { "µ", "u" },
};

const char *glyph(enum glyph g, bool ascii)
{
	return ascii ? glyphs[g].ascii : glyphs[g].sign;
}

/* First what stands in the wire (or, where there is no room for it, in place of the reply), then what stands behind a text,
 * then the rest of the screen. */
const struct mark_spec mark_table[] = {
	{ "answered-udp", "──▶", "-->", "answered over UDP; the time is the round trip" },
	{ "answered-tcp", "━━▶", "==>", "answered over TCP; the time is the round trip" },
	{ "twice", "══▶", "##>", "answered over UDP, more than once" },
	{ "late", "─ ─▶", "- ->", "the reply came after the wait: the line counts as lost; the time is the round trip" },
	{ "lost", "──✗ lost", "--x lost", "UDP: the wait is over and nothing came" },
	{ "waiting", "··  waiting", "..  waiting", "sent, no reply yet, the wait is not over; the time is since it was sent" },
	{ "queued", "queued", "queued", "not sent yet: the connection is not there, or it takes no more" },
	{ "refused", "──✗ refused", "--x refused", "UDP: the host says that nothing listens there" },
	{ "failed", "✗ failed", "x failed", "it could not be sent; behind it stands why" },
	{ "cut-off", "━━✗ cut off", "==x cut off",
	    "TCP: the connection ended before the reply; whether the server saw the line is unknown" },
	{ "stray", "stray", "stray", "a reply that belongs to no line" },
	{ "copies", "(×2", "(x2", "so many replies came to this line" },
	{ "late-reply", "(late", "(late", "the reply came after the wait" },
	{ "duplicate", "(duplicate", "(duplicate", "in the order of arrival: one more reply to a line that has one" },
	{ "reordered", "↷ reordered", "^ reordered", "the reply came after the reply to a later line" },
	{ "differs", "≠ differs", "!= differs", "the reply is not the capitals of the line" },
	{ "cut-short", "… cut short", "... cut short", "the reply is only the beginning of the capitals" },
	{ "beginning", "… beginning", "... beginning", "a long line: only its beginning is kept and shown" },
	{ "forgotten", "(forgotten)", "(forgotten)", "so long ago that the line is no longer kept" },
	{ "empty", "(empty)", "(empty)", "the line or reply has no characters at all" },
	{ "bar-udp", "│", "|", "between the panes: this line went over UDP" },
	{ "bar-tcp", "┃", ":", "between the panes: this line went over TCP" },
	{ "notice", "-- ", "-- ", "something happened; no line and no reply" },
	{ "error", "!! ", "!! ", "something is wrong; no line and no reply" },
	{ "below", "more below --", "more below --", "there is more further down" },
	{ "cut-left", "<", "<", "the input line goes on to the left" },
	{ "cut-right", ">", ">", "the input line goes on to the right" },
	{ "control", "^", "^", "with another sign: a control character, such as ^[ for ESC and ^? for DEL" },
	{ "unshown", "\xef\xbf\xbd", "?", "a byte or character that cannot be shown" },
	{ NULL, NULL, NULL, NULL },
};
