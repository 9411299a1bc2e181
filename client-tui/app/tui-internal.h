/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The screen front end's state: what tui.c (the loop), tui-sessions.c (who is talked to), tui-input.c (keys and lines)
 * and tui-command.c (what commands do) share. For these files only. */
#ifndef UPCASE_APP_H
#define UPCASE_APP_H

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
#include "view/draw.h"

/* Peers that one run can have talked to: a transport and a peer each. */
#define APP_SESSIONS 256

struct app;

/* A session and whose it is. Sessions stay until the end, since the rows on the screen stand in their ledgers; one that is
 * left behind by /connect finishes what is on its way. */
struct app_session {
	struct app *app;
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
struct app_question {
	bool open;
	char text[120];
	unsigned char *paste;
	size_t length;
};

struct app {
	/* The settings; host, port and transport change while it runs. */
	struct client_settings settings;
	struct board *board;
	struct app_session *sessions[APP_SESSIONS];
	size_t session_count;
	/* The sessions of the peer in use, by transport; NULL until first used. */
	struct app_session *udp, *tcp;
	uint64_t last_number;

	/* Generated lines: as the last /burst or the command line asked, and those that are being sent. They begin when the sessions are
	 * ready: until then they are `due`. */
	struct generator_plan plan;
	struct generator burst;
	bool burst_due;
	char progress[100];

	/* What /save writes, and of what run; the recording that is shown instead of sessions, or NULL, and when it goes on. */
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
	struct truth *truth;
	struct view_lab lab;
	struct panel panel;
	struct view_ends ends;
	/* Of a recording: how the link was set then. */
	char link_words[RECORD_LINK];
	/* What is said when a fault on cue was taken. */
	char lab_fault[160];
	/* UDP lines of which chance had decided, and those of them answered, when the link was changed last. */
	uint64_t base_decided, base_answered;

	/* The plots. */
	struct view_plot plot;

	struct app_question question;
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
void app_say(struct app *app, const char *format, ...) __attribute__((format(printf, 2, 3)));
void app_notice(struct app *app, bool bad, const char *text);
/* Shows and records it. */
void app_event(void *app, const struct record_event *event);

/* tui-sessions.c */
/* The session of the transport in use; of UDP when both are. */
struct app_session *app_current(struct app *app);
/* Opens the sessions in use to the peer in the settings if there are none. */
int app_open_current(struct app *app, int64_t now);
/* Leaves the sessions of the peer in use. */
void app_leave_peer(struct app *app, int64_t now);
void app_switch(struct app *app, enum session_transport transport, int64_t now);
/* From now on over both at once. */
void app_both(struct app *app, int64_t now);
/* The input line's prompt says what is in use. */
void app_prompt(struct app *app);
/* All figures of a session, with those that it does not know itself. */
void app_facts(const struct app *app, const struct session *s, int64_t now, struct facts *facts);
void app_reply(void *of, const struct session_reply *reply);
/* Sends a line over what is in use. `pieces` is SESSION_LINE, with SESSION_GENERATED and SESSION_MORE where they fit. Returns 0, or
 * -1 after saying why. */
int app_send(struct app *app, const char *text, size_t n, int pieces, int64_t now);
/* The loop: something of theirs is running; what they wait for; their turn; nothing is waited for any more. */
bool app_sessions_busy(const struct app *app, int64_t now);
void app_sessions_watch(const struct app *app, struct watch *w);
/* Tells what is new of the TCP connections; after the truth's turn. `all`: whatever is not known yet. */
void app_connections_turn(struct app *app, bool all, int64_t now);
void app_sessions_turn(struct app *app, const struct watch *w, int64_t now);
void app_sessions_end(struct app *app);

/* tui-input.c */
void app_keys(struct app *app, int64_t now);
void app_line(void *app, const char *line, size_t n);
/* Shows a page over the panes; takes `text` (malloc()ed). */
void app_page(struct app *app, const char *title, char *text);
void app_close_page(struct app *app);

/* tui-lab.c */
void app_lab_start(struct app *app, int64_t now);
/* The flow of a session that is about to be opened, with the present settings; -1 outside the lab. */
int app_lab_flow(struct app *app, enum session_transport transport);
/* The session's hooks; and before its socket is closed. */
void app_lab_opened(void *context, uint16_t here, uint16_t there, uint64_t from);
void app_lab_sent(void *context, uint64_t number, uint64_t from, uint64_t to);
void app_lab_command(struct app *app, enum command command, const char *arguments, int64_t now);
/* Before a draw: what both ends of TCP say. */
void app_lab_ends(struct app *app);
/* What is known of the far end of a session. */
void app_lab_facts(const struct app *app, const struct session *s, struct facts *facts);
/* Opens or closes the panel. */
void app_lab_panel(struct app *app);
/* A key for the panel: true when it was taken. */
bool app_lab_key(struct app *app, const unsigned char *bytes, size_t n);

/* tui-plot.c */
/* Before a draw: what plots are drawn of. */
void app_plot_follow(struct app *app);
/* F6; and away with it: false if there is none. */
void app_plot_next(struct app *app);
bool app_plot_close(struct app *app);
void app_plot_command(struct app *app, const char *name);

/* tui-burst.c */
/* Starts as app->plan says; stops what is being sent. */
void app_burst(struct app *app, int64_t now);
void app_burst_stop(struct app *app, int64_t now);
/* F5: the one or the other. */
void app_burst_toggle(struct app *app, int64_t now);
void app_burst_command(struct app *app, const char *arguments, int64_t now);
/* Generated lines are being sent, or are about to be. */
bool app_bursting(const struct app *app);
/* The loop: when to come again, CLOCK_NEVER for none; sends what is due. */
int64_t app_burst_due(struct app *app);
void app_burst_turn(struct app *app);
/* What the status line says of it, or NULL. */
const char *app_burst_progress(struct app *app, int64_t now);

/* tui-record.c */
/* Returns 0, or -1 when memory is short. `wall`: now, ns since 1970. */
int app_record_start(struct app *app, int64_t now, int64_t wall);
void app_record_session(struct app_session *of);
int app_record_save(struct app *app, const char *path, const struct board *board, int64_t now, char why[SAVE_WHY]);
void app_save(struct app *app, const char *path, int64_t now);
/* What the view goes by: `now`, or a recording's time. */
int64_t app_time(const struct app *app, int64_t now);
int app_replay_start(struct app *app, int64_t now);
/* Takes the keys that a recording goes on by. */
bool app_replay_key(struct app *app, const unsigned char *bytes, size_t n, int64_t now);
/* True, and says so, while a recording is shown. */
bool app_replay_refuses(struct app *app);
/* When to come again. */
int64_t app_replay_turn(struct app *app, int64_t now);
const char *app_replay_progress(struct app *app);

/* tui-command.c */
void app_command(struct app *app, const char *line, size_t n, int64_t now);

#endif
