/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See glyphs.h. */
#include "config.h"

#include "view/glyphs.h"

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

/* First what stands in the wire (or, where there is no room for it, in place of the reply), then
 * what stands behind a text, then the rest of the screen. */
const struct mark_spec mark_table[] = {
	{ "answered-udp", "──▶", "-->", "answered over UDP; the time is from Enter to the reply" },
	{ "answered-tcp", "━━▶", "==>", "answered over TCP; the time is from Enter to the reply" },
	{ "twice", "══▶", "##>", "answered over UDP, more than once" },
	{ "late", "─ ─▶", "- ->",
	    "the reply came after the wait: the line counts as lost; the time is from Enter to the "
	    "reply" },
	{ "lost", "──✗ lost", "--x lost", "UDP: the wait is over and nothing came" },
	{ "waiting", "··  waiting", "..  waiting",
	    "sent, no reply yet, the wait is not over; the time is since Enter" },
	{ "queued", "queued", "queued",
	    "not sent yet, since Enter or for a part of a reply's time: the connection takes no "
	    "more, or the line waits its turn" },
	{ "connecting", "connecting", "connecting",
	    "TCP: there is no connection yet; of a reply's time, the part before there was one" },
	{ "opening", "opening", "opening",
	    "UDP: the same, while the name is looked up or there is no way to the address" },
	{ "on-the-wire", "on the wire", "on the wire",
	    "of a reply's time, the round trip, where the parts before it differ" },
	{ "refused", "──✗ refused", "--x refused",
	    "UDP: the host says that nothing listens there" },
	{ "failed", "✗ failed", "x failed", "it could not be sent; behind it stands why" },
	{ "cut-off", "━━✗ cut off", "==x cut off",
	    "TCP: the connection ended before the reply; whether the server saw the line is "
	    "unknown" },
	{ "stray", "stray", "stray", "a reply that belongs to no line" },
	{ "copies", "(×2", "(x2", "so many replies came to this line" },
	{ "late-reply", "(late", "(late", "the reply came after the wait" },
	{ "duplicate", "(duplicate", "(duplicate",
	    "in the order of arrival: one more reply to a line that has one" },
	{ "reordered", "↷ reordered", "^ reordered",
	    "the reply came after the reply to a later line" },
	{ "differs", "≠ differs", "!= differs", "the reply is not the capitals of the line" },
	{ "cut-short", "… cut short", "... cut short",
	    "the reply is only the beginning of the capitals" },
	{ "beginning", "… beginning", "... beginning",
	    "a long line: only its beginning is kept and shown" },
	{ "forgotten", "(forgotten)", "(forgotten)",
	    "so long ago that the line is no longer kept" },
	{ "empty", "(empty)", "(empty)", "the line or reply has no characters at all" },
	{ "bar-udp", "│", "|",
	    "between the panes: this line went over UDP; of three panes, UDP's" },
	{ "bar-tcp", "┃", ":",
	    "between the panes: this line went over TCP; of three panes, TCP's" },
	{ "notice", "-- ", "-- ", "something happened; no line and no reply" },
	{ "connect", "-- connect: ", "-- connect: ", "the lines go to another server from now on" },
	{ "error", "!! ", "!! ", "something is wrong; no line and no reply" },
	{ "below", "more below --", "more below --", "there is more further down" },
	{ "cut-left", "<", "<", "the input line goes on to the left" },
	{ "cut-right", ">", ">", "the input line goes on to the right" },
	{ "control", "^", "^",
	    "with another sign: a control character, such as ^[ for ESC and ^? for DEL" },
	{ "unshown", "\xef\xbf\xbd", "?", "a byte or character that cannot be shown" },
	{ NULL, NULL, NULL, NULL },
};

/* What the link did. The crosses stand in the wire, or where there is no room for it, in place of
 * the reply. */
const struct mark_spec lab_mark_table[] = {
	{ "lost-going", "──✗ lost going", "--x lost going",
	    "lost, and the link dropped it on the way there" },
	{ "lost-coming", "────✗ lost coming", "----x lost coming",
	    "lost: the server's reply was dropped on the way back" },
	{ "no-reply", "─────✗ no reply", "-----x no reply",
	    "lost: it got there, and the server sent no reply" },
	{ "still-going", "✗ still going", "x still going",
	    "lost: the link had not let it go when the wait was over" },
	{ "still-coming", "✗ still coming", "x still coming",
	    "lost: the link had not let the reply go when the wait was over" },
	{ "corrupted", "✗ corrupted", "x corrupted",
	    "a bit was flipped on that way, so that the receiver dropped it" },
	{ "queue-full", "✗ queue full", "x queue full",
	    "no room in the queue before the link, on that way" },
	{ "too-big", "✗ too big", "x too big", "more than the link's MTU" },
	{ "unplugged", "✗ unplugged", "x unplugged", "the link was unplugged" },
	{ "on-cue", "on cue", "on cue", "/drop hit it, or a segment of the line" },
	{ "changed", "-- link: ", "-- link: ", "the link was changed, by whoever gave the order" },
	{ "second-copy", "2× going", "2x going", "the link delivered it twice on that way" },
	{ "held-back", "held back", "held back",
	    "the link kept it, for all or for later ones to pass" },
	{ "again", "1× again", "1x again",
	    "TCP: so often a segment of the line was sent again; behind it, which timeouts ran "
	    "out" },
	{ "again-coming", "1× again coming", "1x again coming",
	    "the same for the reply, by the server's kernel" },
	{ "missing", "··  lost going", "..  lost going",
	    "TCP: a segment was dropped on that way and will be sent again" },
	{ "link", "link: ", "link: ", "what the link is told to do, both ways" },
	{ "here", "here: ", "here: ",
	    "what this end's kernel says of the TCP connection: segments sent again, the timeout" },
	{ "server", "server: ", "server: ",
	    "the same by the server's kernel: it sends lost replies again" },
	{ "after", "(after ", "(after ",
	    "TCP: the time between two tries, where it was no timeout that ran out" },
	{ "timeout", "RTO ", "RTO ",
	    "TCP: the timeout after which the missing segment is sent again; each try doubles it" },
	{ "truth", "truth: ", "truth: ",
	    "how many lines were compared with what the link did, and how many of them do not "
	    "agree: it must be 0" },
	{ NULL, NULL, NULL, NULL },
};
