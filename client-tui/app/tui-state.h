/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The screen front end: its state and its files' functions, for these files only. */
#pragma once

#include "app/demo.h"
#include "app/run.h"
#include "ledger/transcript.h"
#include "report/export.h"
#include "terminal/keys.h"
#include "view/canvas.h"
#include "view/view.h"

struct command_call;

/* A question that the next key answers: whether pasted lines are sent. */
struct tui_question {
	char text[120];
	unsigned char *paste; /* NULL: there is no question */
	size_t length;
};

/* The demonstration that is played. */
struct tui_demo {
	const struct demo_step *step; /* NULL: none */
	bool begun, entered; /* the present step was tried; the user has entered a line for it */
	/* The lab's answer to the last order. */
	enum { LAB_ACCEPTED, LAB_WAITING, LAB_REFUSED } ordered;
	/* The time when all packets of decided lines have come; CLOCK_NEVER before. */
	int64_t settled_at;
	/* The user's answer, -1 for none; the number of the line pointed at, 0 for none. */
	int64_t answer;
	uint64_t pointed;
	struct generator generator;
	struct demo_lines lines;
	struct view_caption caption;
	char text[400];
	/* What to restore: the run's peer and transport, the settings of the link, the sessions
	 * with the server while another one is visited; a drop or an unplugging that may not be
	 * over. */
	struct settings settings;
	struct impair_settings link[LINK_DIRECTIONS];
	struct run_session *peer[2];
	bool link_changed, visiting, fault;
};

struct tui {
	struct run run;
	struct transcript *transcript;
	/* The progress of lines or a recording; the time of the recording's next event. */
	char progress[100];
	int64_t replay_at;

	struct view view;
	struct canvas canvas;
	/* Lays out the screen on the canvas; with `clean`, without a message and what is typed. */
	void (*lay_out)(struct tui *tui, int64_t now, bool clean);
	struct keys *keys;
	struct view_page page;
	struct view_button buttons[VIEW_BUTTONS];
	/* The text of the page, and the text of /find; owned. */
	char *page_text, *find;
	struct view_plot plot;
	struct shares shares; /* of the last second flow, for its plot */

	/* The screen's data of the lab, its panel, and this end of TCP. */
	struct view_lab lab_view;
	struct link_steps panel;
	struct tcp_sample sample;
	char link_words[RECORD_LINK]; /* the link's settings at that time of a recording */
	char lab_fault[160];          /* the message for a requested fault that the lab accepts */
	/* UDP lines whose fate was chance, and answered ones, at the link's last change. */
	uint64_t base_decided, base_answered;

	struct tui_demo demo;
	struct tui_question question;
	/* A message on the last row, and the time when it ends. */
	char message[400];
	int64_t message_until;
	int64_t quit_until; /* the time until which another Ctrl-C leaves the program */

	/* There are changes since the last draw; and the time of that draw. */
	bool changed;
	int64_t drawn_at;
	bool quit;
};

/* tui-state.c */
/* Shows a message on the last row for some seconds. */
void tui_message(struct tui *tui, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Shows and records an event. */
void tui_event(void *tui, const struct session_event *event);
/* Shows a page over the panes; takes `text` (malloc()ed). */
void tui_page(struct tui *tui, const char *title, char *text);
void tui_close_page(struct tui *tui);
void tui_plot(struct tui *tui, enum plot_kind kind);
/* Returns 'A', 'B', 'C' or 'D' for the bytes of an arrow key: up, down, right, left; else 0. */
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
/* Switches to this transport, or to both at once. */
void tui_switch(struct tui *tui, bool stream, bool both, int64_t now);
/* Sets the input line's prompt to the transport in use. */
void tui_prompt(struct tui *tui);
/* Sends a line; `pieces` as for session_send(). Returns 0, or -1 after a message. */
int tui_send(void *tui, const char *text, size_t n, int pieces, int64_t now);
/* Generated lines: start by run.plan; stop. */
void tui_burst(struct tui *tui, int64_t now);
void tui_burst_stop(struct tui *tui, int64_t now);
/* Sends the lines that are due. */
void tui_burst_dispatch(struct tui *tui);
/* The status line's words for generated lines or a recording, or NULL. */
const char *tui_progress(struct tui *tui, int64_t now);
/* Writes the rows, or the picture of the screen as it is laid out, into a file. Returns the number
 * of files, or -1 with one line in `reason`. */
int tui_save(struct tui *tui, const struct export_request *q, int64_t now,
    char reason[EXPORT_REASON]);

/* tui-replay.c */
/* Shows the recording run.replay. Returns 0, or -1 when memory is short. */
int tui_replay_start(struct tui *tui, int64_t now);
/* Commands: stops the clock or starts it; goes to a place and stops it; sets the speed. */
void tui_replay_pause(const struct command_call *c);
void tui_replay_goto(const struct command_call *c);
void tui_replay_speed(const struct command_call *c);
/* The status line's words for the position and the speed. */
const char *tui_replay_progress(struct tui *tui);

/* tui-lab.c */
/* The purposes of answers of the lab, beside LAB_STEP, of which only a refusal is shown. */
enum tui_lab_purpose {
	TUI_LAB_SET = LAB_STEP + 1,
	TUI_LAB_FAULT,
	TUI_LAB_DEMO,
};
/* Hooks of the lab. */
void tui_lab_answer(void *tui, int purpose, bool ok, const char *text);
void tui_lab_changed(void *tui);
void tui_lab_gone(void *tui);
void tui_lab_start(struct tui *tui, int64_t now);
/* Returns true in the lab; false, after a message, outside. */
bool tui_in_lab(struct tui *tui);
/* Sends a command to the lab: two words or groups of words, the first may be "". */
void tui_lab_command(struct tui *tui, enum tui_lab_purpose purpose, const char *before,
    const char *arguments);
/* Queries both ends of TCP, before a draw. */
void tui_lab_ends(struct tui *tui);
void tui_lab_page(struct tui *tui, int64_t now);
/* Opens or closes the panel. */
void tui_lab_panel(struct tui *tui);
/* Handles a key for the panel; returns true if it was one. */
bool tui_lab_key(struct tui *tui, const unsigned char *bytes, size_t n);

/* tui-demo.c */
/* Begins a demonstration, or shows why that is not possible. */
void tui_demo_start(struct tui *tui, const struct demo_step *first, int64_t now);
/* Ends it, if there is one; restores link and transport; shows `why` unless it is NULL. */
void tui_demo_leave(struct tui *tui, const char *why);
/* Goes on with it, as far as possible now; and the time of the next call. */
void tui_demo_dispatch(struct tui *tui, int64_t now);
int64_t tui_demo_due(const struct tui *tui);
/* Takes the demonstration's lines: an answer, or an empty line. Returns false for any other. */
bool tui_demo_line(struct tui *tui, const char *line, size_t n);

/* tui-keys.c */
void tui_keys(struct tui *tui, int64_t now);
/* The line editor's hook: a line was entered. */
void tui_line(void *tui, const char *line, size_t n);
