/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The screen front end: its state, and what its files offer each other, from the bottom up. For the
 * files of the screen only. */
#ifndef UPCASE_TUI_STATE_H
#define UPCASE_TUI_STATE_H

#include "app/run.h"
#include "ledger/transcript.h"
#include "report/export.h"
#include "terminal/keys.h"
#include "view/canvas.h"
#include "view/view.h"

/* A question that the next key answers: whether pasted lines are sent. */
struct tui_question {
	bool open;
	char text[120];
	unsigned char *paste;
	size_t length;
};

struct tui {
	struct run run;
	struct transcript *transcript;
	/* The progress of generated lines or of a recording, and when the recording goes on. */
	char progress[100];
	int64_t replay_at;

	struct view view;
	struct canvas canvas;
	struct keys *keys;
	struct view_page page;
	/* The hints of the last row. */
	char hints[200];
	/* The text of the page, and what /find looks for; owned. */
	char *page_text, *find;
	struct view_plot plot;

	/* What the screen shows of the lab, its panel, and both ends of TCP. */
	struct view_lab lab_view;
	struct link_steps panel;
	struct view_ends ends;
	/* Of a recording: how the link was set then. */
	char link_words[RECORD_LINK];
	/* The message once the lab has taken a requested fault. */
	char lab_fault[160];
	/* UDP lines of which chance had decided, and those of them answered, when the link was
	 * changed last. */
	uint64_t base_decided, base_answered;

	struct tui_question question;
	/* A message on the last row, until then. */
	char message[400];
	int64_t message_until;
	/* Until then another Ctrl-C leaves. */
	int64_t quit_until;

	/* Something changed since the last draw, and when that was. */
	bool changed;
	int64_t drawn_at;
	bool quit;
};

/* tui-state.c */
/* Shows a message on the last row for some seconds. */
void tui_say(struct tui *tui, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Shows and records an event; a notice is one. */
void tui_event(void *tui, const struct session_event *event);
void tui_notice(struct tui *tui, bool bad, const char *text);
/* Shows a page over the panes; takes `text` (malloc()ed). */
void tui_page(struct tui *tui, const char *title, char *text);
void tui_close_page(struct tui *tui);
/* Shows a plot, or none (PLOT_NONE). */
void tui_plot(struct tui *tui, enum plot_kind kind);
/* True, after a message, while a recording is shown. */
bool tui_replay_refuses(struct tui *tui);
/* 'A', 'B', 'C' or 'D' of the arrow keys' bytes: up, down, right, left; else 0. */
char tui_arrow(const unsigned char *bytes, size_t n);

/* tui-sessions.c */
void tui_reply(void *tui, struct run_session *of, const struct session_reply *reply);
void tui_row(void *tui, struct run_session *of, uint64_t number);
/* Adds the row of a line; over both transports `other` is TCP's session, else NULL. */
void tui_add_line(void *tui, const struct run_session *of, const struct run_session *other,
    uint64_t number);
void tui_connection(void *tui, const struct session_event *event, struct connection_note *note,
    bool final);
/* Opens the sessions in use, if there are none. Returns 0, or -1 after a message. */
int tui_open_sessions(struct tui *tui, int64_t now);
/* From now on over this transport, or over both at once. */
void tui_switch(struct tui *tui, enum session_transport transport, bool both, int64_t now);
/* The input line's prompt names what is in use. */
void tui_prompt(struct tui *tui);
/* Sends a line over what is in use; `pieces` as for session_send(). Returns 0, or -1 after a
 * message. */
int tui_send(void *tui, const char *text, size_t n, int pieces, int64_t now);
/* Generated lines: starts as run.plan says; stops; F5 does the one or the other. */
void tui_burst(struct tui *tui, int64_t now);
void tui_burst_stop(struct tui *tui, int64_t now);
void tui_burst_toggle(struct tui *tui, int64_t now);
/* The loop: sends what is due. */
void tui_burst_dispatch(struct tui *tui);
/* What the status line says of generated lines or of a recording, or NULL. */
const char *tui_progress(struct tui *tui, int64_t now);
/* Writes the rows into a file. Returns 0, or -1 with one line in `why`. */
int tui_save(struct tui *tui, const char *path, int64_t now, char why[EXPORT_WHY]);
/* Shows the recording run.replay. Returns 0, or -1 when memory is short. */
int tui_replay_start(struct tui *tui, int64_t now);
/* Takes the keys that a recording goes on by. */
bool tui_replay_key(struct tui *tui, const unsigned char *bytes, size_t n, int64_t now);

/* tui-lab.c */
/* What answers of the lab do. */
enum tui_lab_purpose {
	TUI_LAB_STEP, /* of the panel: only a refusal is shown */
	TUI_LAB_SET,
	TUI_LAB_FAULT,
	TUI_LAB_PAGE,
};
/* Hooks of the lab. */
void tui_lab_answer(void *tui, int purpose, bool ok, const char *text);
void tui_lab_changed(void *tui);
void tui_lab_gone(void *tui);
void tui_lab_start(struct tui *tui, int64_t now);
/* False, after a message, outside the lab. */
bool tui_in_lab(struct tui *tui);
/* Gives the lab an order: two words or groups of words, the first may be "". */
void tui_lab_order(struct tui *tui, enum tui_lab_purpose purpose, const char *before,
    const char *arguments);
/* Before a draw: asks both ends of TCP. */
void tui_lab_ends(struct tui *tui);
/* The page of the link. */
void tui_lab_page(struct tui *tui, int64_t now);
/* Opens or closes the panel. */
void tui_lab_panel(struct tui *tui);
/* A key for the panel: true when it was taken. */
bool tui_lab_key(struct tui *tui, const unsigned char *bytes, size_t n);

/* tui-keys.c */
void tui_keys(struct tui *tui, int64_t now);
/* The line editor's hook: a line was entered. */
void tui_line(void *tui, const char *line, size_t n);

#endif
