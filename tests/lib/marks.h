/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every mark on the screen, so that tests find each one drawn and described in the manual. The part
 * of it that is always there, in UTF-8 and in ASCII. */
#pragma once

struct mark {
	/* One name each. NULL in the last entry. */
	const char *name;
	const char *sign, *ascii;
};

/* First what stands in the wire (or, where there is no room for it, in place of the reply), then
 * what stands behind a text, then the rest of the screen. */
__attribute__((unused)) static const struct mark screen_marks[] = {
	{ "answered-udp", "──▶", "-->" },
	{ "answered-tcp", "━━▶", "==>" },
	{ "twice", "══▶", "##>" },
	{ "late", "─ ─▶", "- ->" },
	{ "lost", "──✗ lost", "--x lost" },
	{ "waiting", "··  waiting", "..  waiting" },
	{ "queued", "queued", "queued" },
	{ "connecting", "connecting", "connecting" },
	{ "opening", "opening", "opening" },
	{ "on-the-wire", "on the wire", "on the wire" },
	{ "refused", "──✗ refused", "--x refused" },
	{ "failed", "✗ failed", "x failed" },
	{ "cut-off", "━━✗ cut off", "==x cut off" },
	{ "stray", "stray", "stray" },
	{ "copies", "(×2", "(x2" },
	{ "late-reply", "(late", "(late" },
	{ "duplicate", "(duplicate", "(duplicate" },
	{ "reordered", "↷ reordered", "^ reordered" },
	{ "differs", "≠ differs", "!= differs" },
	{ "cut-short", "… cut short", "... cut short" },
	{ "beginning", "… beginning", "... beginning" },
	{ "forgotten", "(forgotten)", "(forgotten)" },
	{ "empty", "(empty)", "(empty)" },
	{ "bar-udp", "│", "|" },
	{ "bar-tcp", "┃", ":" },
	{ "notice", "-- ", "-- " },
	{ "connect", "-- connect: ", "-- connect: " },
	{ "error", "!! ", "!! " },
	{ "selected", "▸", ">" },
	{ "below", "more below --", "more below --" },
	{ "cut-left", "<", "<" },
	{ "cut-right", ">", ">" },
	{ "control", "^", "^" },
	{ "unshown", "\xef\xbf\xbd", "?" },
	{ NULL, NULL, NULL },
};

/* Marks that are seen only in the lab. */
__attribute__((unused)) static const struct mark lab_marks[] = {
	{ "lost-going", "──✗ lost going", "--x lost going" },
	{ "lost-coming", "────✗ lost coming", "----x lost coming" },
	{ "no-reply", "─────✗ no reply", "-----x no reply" },
	{ "still-going", "✗ still going", "x still going" },
	{ "still-coming", "✗ still coming", "x still coming" },
	{ "corrupted", "✗ corrupted", "x corrupted" },
	{ "queue-full", "✗ queue full", "x queue full" },
	{ "too-big", "✗ too big", "x too big" },
	{ "no-icmp", "✗ too big, no ICMP", "x too big, no ICMP" },
	{ "black-hole", "too big, no ICMP: 1× again", "too big, no ICMP: 1x again" },
	{ "unplugged", "✗ unplugged", "x unplugged" },
	{ "on-cue", "on cue", "on cue" },
	{ "changed", "-- link: ", "-- link: " },
	{ "second-copy", "2× going", "2x going" },
	{ "held-back", "held back", "held back" },
	{ "again", "1× again", "1x again" },
	{ "behind", "behind line", "behind line" },
	{ "held-for-ack", "held 40 ms for an ACK", "held 40 ms for an ACK" },
	{ "missing", "··  lost going", "..  lost going" },
	{ "link", "link: ", "link: " },
	{ "here", "here: ", "here: " },
	{ "server", "server: ", "server: " },
	{ "timeout", "RTO ", "RTO " },
	{ "dropped-on-cue", "dropped on cue", "dropped on cue" },
	{ "truth", "truth: ", "truth: " },
	{ NULL, NULL, NULL },
};
