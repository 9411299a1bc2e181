/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The screen front end's state: what tui.c (the loop), tui-sessions.c (who is talked to),
 * tui-keys.c (keys and lines) and tui-commands.c (what commands do) share. For these files only. */
#ifndef UPCASE_TUI_INTERNAL_H
#define UPCASE_TUI_INTERNAL_H

#include "ledger/transcript.h"
#include "view/canvas.h"
#include "record/connections.h"
#include "app/generator.h"
#include "terminal/keys.h"
#include "record/recorder.h"
#include "record/replay.h"
#include "report/export.h"
#include "net/session.h"
#include "app/commands.h"
#include "app/settings.h"
#include "trace/lab.h"
#include "view/view.h"

/* Peers that one run can have talked to: a transport and a peer each. */
#define TUI_SESSIONS 256

struct tui;

/* A session and whose it is. Sessions stay until the end, since the rows on the screen stand in
 * their ledgers; one that is left behind by /connect finishes what is on its way. */
struct tui_session {
	struct tui *tui;
	struct session *session;
	bool left;
	/* When what is still on its way is given up. */
	int64_t leave_by;
	/* What the lab knows it as; -1 outside. */
	int flow;
	/* What the recorder knows it as. */
	int recorded;
	/* Over TCP: what is to be told of its connections. */
	struct connections connections;
};

/* A question that the next key answers. */
struct tui_question {
	bool open;
	char text[120];
	unsigned char *paste;
	size_t length;
};

struct tui {
	/* The settings; host, port and transport change while it runs. */
	struct settings settings;
	struct transcript *transcript;
	struct tui_session *sessions[TUI_SESSIONS];
	size_t session_count;
	/* The sessions of the peer in use, by transport; NULL until first used. */
	struct tui_session *udp, *tcp;
	uint64_t last_number;

	/* Generated lines: as the last /burst or the command line asked, and those that are being
	 * sent. They begin when the sessions are ready: until then they are `due`. */
	struct generator_plan plan;
	struct generator burst;
	bool burst_due;
	char progress[100];

	/* What /save writes, and of what run; the recording that is shown instead of sessions, or
	 * NULL, and when it goes on. */
	struct recorder *recorder;
	struct record_run run;
	struct replay *replay;
	int64_t replay_at;

	struct view view;
	struct canvas canvas;
	struct keys *keys;
	struct view_page page;
	/* The text of the page, owned. */
	char *page_text;
	/* What /find looks for, owned. */
	char *find;

	/* The lab, NULL outside; what the screen shows of it, and its panel. */
	struct lab *lab;
	struct view_lab lab_view;
	struct link_steps panel;
	struct view_ends ends;
	/* Of a recording: how the link was set then. */
	char link_words[RECORD_LINK];
	/* What is said when a requested fault was taken. */
	char lab_fault[160];
	/* UDP lines of which chance had decided, and those of them answered, when the link was
	 * changed last. */
	uint64_t base_decided, base_answered;

	/* The plots. */
	struct view_plot plot;

	struct tui_question question;
	/* A word to the user on the last row, until then. */
	char message[400];
	int64_t message_until;
	/* Until then another Ctrl-C leaves. */
	int64_t quit_until;

	/* Something changed since the last draw, and when that was. */
	bool changed;
	int64_t drawn_at;
	bool quit;
	/* Pieces of a screen in a locale other than UTF-8 have to be converted. */
	bool utf8;
};

/* tui.c */
void tui_say(struct tui *tui, const char *format, ...) __attribute__((format(printf, 2, 3)));
void tui_notice(struct tui *tui, bool bad, const char *text);
/* Shows and records it. */
void tui_event(void *tui, const struct session_event *event);

/* tui-sessions.c */
/* The session of the transport in use; of UDP when both are. */
struct tui_session *tui_current(struct tui *tui);
/* Opens the sessions in use to the peer in the settings if there are none. */
int tui_open_current(struct tui *tui, int64_t now);
/* Leaves the sessions of the peer in use. */
void tui_leave_peer(struct tui *tui, int64_t now);
void tui_switch(struct tui *tui, enum session_transport transport, int64_t now);
/* From now on over both at once. */
void tui_both(struct tui *tui, int64_t now);
/* The input line's prompt says what is in use. */
void tui_prompt(struct tui *tui);
/* All figures of a session, with those that it does not know itself. */
void tui_figures(const struct tui *tui, const struct session *s, int64_t now,
    struct figures *figures);
void tui_reply(void *of, const struct session_reply *reply);
/* Sends a line over what is in use. `pieces` is SESSION_LINE, with SESSION_GENERATED and
 * SESSION_MORE where they fit. Returns 0, or -1 after saying why. */
int tui_send(struct tui *tui, const char *text, size_t n, int pieces, int64_t now);
/* The loop: something of theirs is running; what they wait for; their turn; nothing is waited for
 * any more. */
bool tui_sessions_busy(const struct tui *tui, int64_t now);
void tui_sessions_watch(const struct tui *tui, struct fd_watch *w);
/* Tells what is new of the TCP connections; after the lab's dispatch. `all`: whatever is not known
 * yet. */
void tui_connections_dispatch(struct tui *tui, bool all, int64_t now);
void tui_sessions_dispatch(struct tui *tui, const struct fd_watch *w, int64_t now);
void tui_sessions_end(struct tui *tui);

/* tui-keys.c */
void tui_keys(struct tui *tui, int64_t now);
void tui_line(void *tui, const char *line, size_t n);
/* Shows a page over the panes; takes `text` (malloc()ed). */
void tui_page(struct tui *tui, const char *title, char *text);
void tui_close_page(struct tui *tui);

/* tui-lab.c */
void tui_lab_start(struct tui *tui, int64_t now);
/* The flow of a session that is about to be opened, with the present settings; -1 outside the lab.
 */
int tui_lab_flow(struct tui *tui, enum session_transport transport);
/* The session's hooks; and before its socket is closed. */
void tui_lab_opened(void *context, uint16_t here, uint16_t there, uint64_t from);
void tui_lab_sent(void *context, uint64_t number, uint64_t from, uint64_t to);
void tui_lab_command(struct tui *tui, enum command command, const char *arguments, int64_t now);
/* Before a draw: what both ends of TCP say. */
void tui_lab_ends(struct tui *tui);
/* What is known of the far end of a session. */
void tui_lab_figures(const struct tui *tui, const struct session *s, struct figures *figures);
/* Opens or closes the panel. */
void tui_lab_panel(struct tui *tui);
/* A key for the panel: true when it was taken. */
bool tui_lab_key(struct tui *tui, const unsigned char *bytes, size_t n);

/* tui-commands.c */
/* Before a draw: what plots are drawn of. */
void tui_plot_follow(struct tui *tui);
/* F6; and away with it: false if there is none. */
void tui_plot_next(struct tui *tui);
bool tui_plot_close(struct tui *tui);
void tui_plot_command(struct tui *tui, const char *name);

/* tui-burst.c */
/* Starts as app->plan says; stops what is being sent. */
void tui_burst(struct tui *tui, int64_t now);
void tui_burst_stop(struct tui *tui, int64_t now);
/* F5: the one or the other. */
void tui_burst_toggle(struct tui *tui, int64_t now);
void tui_burst_command(struct tui *tui, const char *arguments, int64_t now);
/* Generated lines are being sent, or are about to be. */
bool tui_bursting(const struct tui *tui);
/* The loop: when to come again, CLOCK_NEVER for none; sends what is due. */
int64_t tui_burst_due(struct tui *tui);
void tui_burst_dispatch(struct tui *tui);
/* What the status line says of it, or NULL. */
const char *tui_burst_progress(struct tui *tui, int64_t now);

/* tui-replay.c */
/* Returns 0, or -1 when memory is short. `wall`: now, ns since 1970. */
int tui_record_start(struct tui *tui, int64_t now, int64_t wall);
void tui_record_session(struct tui_session *of);
int tui_record_save(struct tui *tui, const char *path, const struct transcript *transcript,
    int64_t now, char why[EXPORT_WHY]);
void tui_save(struct tui *tui, const char *path, int64_t now);
/* What the view goes by: `now`, or a recording's time. */
int64_t tui_time(const struct tui *tui, int64_t now);
int tui_replay_start(struct tui *tui, int64_t now);
/* Takes the keys that a recording goes on by. */
bool tui_replay_key(struct tui *tui, const unsigned char *bytes, size_t n, int64_t now);
/* True, and says so, while a recording is shown. */
bool tui_replay_refuses(struct tui *tui);
/* When to come again. */
int64_t tui_replay_dispatch(struct tui *tui, int64_t now);
const char *tui_replay_progress(struct tui *tui);

/* tui-commands.c */
void tui_command(struct tui *tui, const char *line, size_t n, int64_t now);

#endif
