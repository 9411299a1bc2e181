/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Each event of the recording changes a ledger, and calls hooks, as a transport would. */
#include "record/replay.h"

#include <errno.h>
#include <unistd.h>

#include "common/capitals.h"
#include "common/clock.h"
#include "common/grow.h"
#include "common/search.h"
#include "ledger/ledger.h"
#include "net/session-internal.h"
#include "record/record-file.h"

/* A line that was sent within this time after it was typed, ns, is typed and sent in one step. */
#define SENT_AT_ONCE NS_PER_MS

enum replay_event_kind {
	REPLAY_TYPED,
	REPLAY_SENT,
	REPLAY_REPLY,
	REPLAY_DECIDED,
	REPLAY_LATE,
	REPLAY_DUPLICATE,
	REPLAY_EVENT,
	REPLAY_OTHER,
	REPLAY_WINDOW
};

struct replay_event {
	int64_t at;
	/* The index of the line in its session `side`, or of the event, reply or sample in the
	 * file.
	 */
	uint32_t index;
	uint16_t side;
	uint8_t kind;
	bool begins; /* a step begins with it */
};

struct replay {
	struct record_file *file;
	struct replay_event *events;
	size_t count, capacity;
	size_t next; /* the next event to play */
	size_t rows; /* the capacity of ledgers and trace */
	struct replay_status status;
	bool failed; /* memory was short */
	struct replay_hooks hooks;
	struct session *sessions[RECORDER_SESSIONS];
	int64_t at, since; /* the replay's clock showed `at` when the real clock showed `since` */
	unsigned char *bytes; /* for capitals */
	size_t bytes_capacity;
};

static int64_t max_time(int64_t one, int64_t other)
{
	return one > other ? one : other;
}

/* --- the order of events --- */

static void add(struct replay *r, enum replay_event_kind kind, size_t side, size_t index,
    int64_t at)
{
	r->failed = r->failed ||
	            grow_list(&r->events, &r->capacity, r->count + 1, sizeof *r->events) < 0;
	if (!r->failed)
		r->events[r->count++] = (struct replay_event){ .at = at,
			.index = (uint32_t)index,
			.side = (uint16_t)side,
			.kind = (uint8_t)kind };
}

static void add_reply(struct replay *r, enum replay_event_kind kind, size_t side, size_t index,
    int64_t not_before)
{
	const struct record *line = &r->file->sessions[side].lines[index];
	const int64_t first = max_time(line->row.replied_at, not_before);

	add(r, kind, side, index, first);
	for (uint32_t i = 0; i < line->row.duplicates; i++)
		add(r, REPLAY_DUPLICATE, side, index,
		    i < line->duplicate_count ? max_time(line->duplicate_at[i], first) : first);
}

static void add_line(struct replay *r, size_t side, size_t index)
{
	const struct record *line = &r->file->sessions[side].lines[index];
	const int64_t sent = max_time(line->row.typed_at, line->row.sent_at);
	const int64_t lost = sent + r->file->sessions[side].of.reply_timeout;
	const int64_t decided = line->row.decided_at;

	add(r, REPLAY_TYPED, side, index, line->row.typed_at);
	if (line->row.sent_at != RECORD_NEVER)
		add(r, REPLAY_SENT, side, index, sent);
	if (line->row.fate == FATE_ANSWERED)
		add_reply(r, REPLAY_REPLY, side, index, sent);
	else if (ledger_is_decided(line->row.fate))
		add(r, REPLAY_DECIDED, side, index,
		    line->row.fate == FATE_LOST && decided == RECORD_NEVER
		        ? lost
		        : max_time(decided, sent));
	/* A late reply came after the line was lost. */
	if (line->row.fate == FATE_LOST && line->row.late)
		add_reply(r, REPLAY_LATE, side, index, lost);
}

/* Sorts by time. At the same time, a line is typed before it is sent, and sent before it is
 * answered; otherwise the order is that of the file. */
static int by_time(const void *a, const void *b)
{
	const struct replay_event *one = a, *other = b;

	if (one->at != other->at)
		return one->at < other->at ? -1 : 1;
	if (one->kind != other->kind)
		return one->kind < other->kind ? -1 : 1;
	if (one->index != other->index)
		return one->index < other->index ? -1 : 1;
	return one->side < other->side ? -1 : one->side > other->side;
}

static uint64_t line_number(const struct replay *r, const struct replay_event *e)
{
	return r->file->sessions[e->side].lines[e->index].row.number;
}

/* `before` is the event before it, NULL for none; samples are no events here. */
static bool begins_step(const struct replay *r, const struct replay_event *e,
    const struct replay_event *before)
{
	if (!before)
		return true;
	/* The same line over the other transport. */
	if (e->kind == REPLAY_TYPED)
		return before->kind != REPLAY_TYPED || line_number(r, before) != line_number(r, e);
	if (e->kind == REPLAY_SENT)
		return (before->kind != REPLAY_TYPED && before->kind != REPLAY_SENT) ||
		       e->at - before->at > SENT_AT_ONCE;
	return e->kind != REPLAY_EVENT || !r->file->events[e->index].quiet;
}

/* Returns 0, or -1 when memory is short. */
static int add_events(struct replay *r)
{
	const struct record_file *f = r->file;
	const struct replay_event *before = NULL;

	for (size_t side = 0; side < f->session_count; side++)
		for (size_t i = 0; i < f->sessions[side].count; i++)
			add_line(r, side, i);
	for (size_t i = 0; i < f->reply_count; i++)
		add(r, REPLAY_OTHER, f->replies[i].session, i, f->replies[i].row.replied_at);
	for (size_t i = 0; i < f->event_count; i++)
		add(r, REPLAY_EVENT, 0, i, f->events[i].at);
	for (size_t i = 0; i < f->window_count; i++)
		add(r, REPLAY_WINDOW, 0, i, f->windows[i].at);
	if (r->count > 0)
		qsort(r->events, r->count, sizeof *r->events, by_time);
	for (size_t i = 0; i < r->count; i++) {
		struct replay_event *e = &r->events[i];

		if (e->kind == REPLAY_WINDOW)
			continue;
		e->begins = begins_step(r, e, before);
		r->status.length += e->begins;
		before = e;
	}
	return r->failed ? -1 : 0;
}

/* --- recorded sessions --- */

/* Fills in the figures of the recording's end, which are not known before. */
static void fill_figures(const struct session *s, int64_t now, struct figures *out)
{
	const struct record_file_session *side = s->data;

	(void)now;
	if (side && side->has_sum)
		figures_restore(out, &side->sum);
}

static const struct transport transport_replay = { .figures = fill_figures };

static struct session *make_session(struct record_file_session *side, size_t rows)
{
	struct session *s = calloc(1, sizeof *s);

	if (!s)
		return NULL;
	s->settings = (struct session_settings){ .stream = side->of.stream,
		.reply_timeout = side->of.reply_timeout };
	s->transport = &transport_replay;
	s->phase = PHASE_REPLAY;
	s->fd = -1;
	snprintf(s->peer, sizeof s->peer, "%.299s", side->of.peer);
	s->ledger = ledger_new(&(struct ledger_settings){
	    .kind = side->of.stream ? LEDGER_STREAM : LEDGER_DATAGRAM,
	    .capacity = rows,
	    .reply_timeout = side->of.reply_timeout });
	if (s->ledger)
		return s;
	free(s);
	return NULL;
}

/* --- opening --- */

static FILE *open_file(const char *path)
{
	FILE *in = strcmp(path, "-") == 0 ? fdopen(dup(STDIN_FILENO), "r") : fopen(path, "re");

	/* The stand-in for a closed standard input cannot be read. */
	if (!in && errno == EINVAL)
		errno = EBADF;
	return in;
}

struct replay *replay_open(const char *path, char reason[REPLAY_REASON])
{
	char detail[RECORD_FILE_REASON];
	bool unreadable = false;
	struct replay *r = calloc(1, sizeof *r);
	FILE *in = r ? open_file(path) : NULL;

	snprintf(detail, sizeof detail, "%s", r ? strerror(errno) : "memory is short");
	if (in) {
		r->file = record_file_read(in, detail);
		unreadable = ferror(in);
		fclose(in);
	}
	if (r && r->file && add_events(r) == 0) {
		r->status.sessions = r->file->session_count;
		r->status.run = &r->file->run;
		r->status.whole = r->file->has_end;
		return r;
	}
	snprintf(reason, REPLAY_REASON, "'%.80s': %s", path,
	    r && r->file ? "memory is short" : detail);
	replay_close(r);
	errno = unreadable ? EIO : 0;
	return NULL;
}

void replay_close(struct replay *r)
{
	if (!r)
		return;
	for (size_t i = 0; r->file && i < r->file->session_count; i++)
		session_close(r->sessions[i]);
	trace_free(r->status.trace);
	record_file_free(r->file);
	free(r->events);
	free(r->bytes);
	free(r);
}

/* Makes sessions and trace, as before the first event. Returns 0, or -1 when memory is short. */
static int begin(struct replay *r)
{
	r->next = r->status.position = 0;
	r->at = r->status.origin + (r->count > 0 ? r->events[0].at : 0);
	if (r->file->has_link && !(r->status.trace = trace_new(r->rows)))
		return -1;
	for (size_t i = 0; i < r->file->session_count; i++)
		if (!(r->sessions[i] = make_session(&r->file->sessions[i], r->rows)))
			return -1;
	return 0;
}

int replay_start(struct replay *r, const struct replay_hooks *hooks, size_t rows, bool step,
    int64_t now)
{
	r->hooks = *hooks;
	r->rows = rows;
	r->status.origin = now - (r->count > 0 ? r->events[0].at : 0);
	r->status.paused = step;
	r->since = now;
	return begin(r);
}

int replay_restart(struct replay *r)
{
	for (size_t i = 0; i < r->file->session_count; i++) {
		session_close(r->sessions[i]);
		r->sessions[i] = NULL;
	}
	trace_free(r->status.trace);
	r->status.trace = NULL;
	r->status.paused = true;
	return begin(r);
}

const struct replay_status *replay_status(const struct replay *r)
{
	return &r->status;
}

struct session *replay_session(struct replay *r, size_t i, const struct session_hooks *hooks)
{
	r->sessions[i]->hooks = *hooks;
	return r->sessions[i];
}

/* --- playing --- */

static bool at_end(const struct replay *r)
{
	return r->next == r->count;
}

/* The session with the same line over the other transport, SIZE_MAX for none. */
static size_t find_other(const struct replay *r, size_t of, uint64_t number)
{
	for (size_t i = 0, at; i < r->file->session_count; i++) {
		const struct record_file_session *side = &r->file->sessions[i];

		SEARCH_FIRST(at, 0, side->count, side->lines[at].row.number >= number);
		if (side->of.stream != r->file->sessions[of].of.stream && at < side->count &&
		    side->lines[at].row.number == number)
			return i;
	}
	return SIZE_MAX;
}

bool replay_both(const struct replay *r)
{
	for (size_t k = 0; k < r->file->session_count; k++)
		for (size_t i = 0; i < r->file->sessions[k].count; i++)
			if (find_other(r, k, r->file->sessions[k].lines[i].row.number) != SIZE_MAX)
				return true;
	return false;
}

/* Adds a line; the hook is called when both ledgers have it. */
static void type_line(struct replay *r, size_t side, const struct record *line, int64_t at)
{
	const size_t other = find_other(r, side, line->row.number);
	const bool first = other != SIZE_MAX &&
	                   !ledger_find(r->sessions[other]->ledger, line->row.number);

	ledger_replay_line(r->sessions[side]->ledger, &line->row, at);
	if (first || !r->hooks.line)
		return;
	if (other != SIZE_MAX && r->file->sessions[side].of.stream)
		r->hooks.line(r->hooks.context, other, side, line->row.number);
	else
		r->hooks.line(r->hooks.context, side, other, line->row.number);
}

/* The text of a line's reply, without its tag: the kept text, or the line's capitals. */
static const unsigned char *reply_text(struct replay *r, const struct record *line, size_t *n)
{
	const size_t capacity = CAPITALS_GROWTH * line->row.length + 1;

	*n = line->row.reply_length;
	if (line->row.reply)
		return line->row.reply;
	*n = 0;
	if (grow_list(&r->bytes, &r->bytes_capacity, capacity, 1) < 0)
		return (const unsigned char *)"";
	if (line->row.length > 0)
		*n = capitals_text(line->row.text, line->row.length, r->bytes);
	return r->bytes;
}

static void report_reply(struct replay *r, struct session *s, enum ledger_match match,
    const struct record *line, int64_t at)
{
	const struct ledger_row *row = ledger_find(s->ledger, line->row.number);
	struct session_reply reply = {
		.matched = { .match = match, .number = line->row.number, .rtt = -1 }
	};

	if (row && row->sent_at)
		reply.matched.rtt = max_time(at - row->sent_at, 0);
	reply.text = reply_text(r, line, &reply.length);
	session_reply(s, &reply);
}

static void show_trace(struct replay *r, const struct record *line)
{
	struct trace_line traced = { .number = line->row.number, .stream = line->row.stream };

	if (!r->status.trace || !line->legs)
		return;
	for (int direction = 0; direction < LINK_DIRECTIONS; direction++)
		traced.legs[direction] = record_leg_shifted(&line->legs[direction],
		    r->status.origin);
	trace_restore(r->status.trace, &traced);
	for (size_t i = 0; i < line->packet_count; i++) {
		const struct logged_packet packet = { .first = line->row.number,
			.last = line->row.number,
			.stream = line->row.stream,
			.of = record_packet_shifted(&line->packets[i], r->status.origin) };

		trace_add_packet(r->status.trace, &packet);
	}
}

/* Plays a reply with a record of its own. */
static void play_reply(struct replay *r, const struct record_reply *reply, int64_t at)
{
	struct session *s = r->sessions[reply->session];
	struct ledger_row row = reply->row;

	row.late = reply->match == MATCH_LATE;
	if (row.reply_length == 0 || (!row.differs && !row.cut_short))
		row.reply = NULL;
	if (reply->match == MATCH_STRAY)
		ledger_replay_stray(s->ledger);
	else if (reply->match == MATCH_DUPLICATE)
		ledger_replay_duplicate(s->ledger, row.number);
	else
		ledger_replay_reply(s->ledger, &row, at);
	session_reply(s,
	    &(struct session_reply){
	        .matched = { .match = reply->match, .number = row.number, .rtt = reply->rtt },
	        .text = reply->row.reply,
	        .length = row.reply_length });
}

static void play(struct replay *r, const struct replay_event *e)
{
	const struct record_file_session *side = &r->file->sessions[e->side];
	const int64_t at = e->at + r->status.origin;
	const struct record *line = e->kind < REPLAY_EVENT ? &side->lines[e->index] : NULL;
	struct session *s = r->sessions[e->side];
	struct session_event event;
	struct window_sample sample;

	switch ((enum replay_event_kind)e->kind) {
	case REPLAY_TYPED:
		type_line(r, e->side, line, at);
		break;
	case REPLAY_SENT:
		ledger_replay_sent(s->ledger, line->row.number, line->row.connecting,
		    line->row.sent_at + r->status.origin);
		break;
	case REPLAY_REPLY:
	case REPLAY_LATE:
		ledger_replay_reply(s->ledger, &line->row, line->row.replied_at + r->status.origin);
		show_trace(r, line);
		report_reply(r, s, line->row.late ? MATCH_LATE : MATCH_ANSWER, line,
		    line->row.replied_at + r->status.origin);
		break;
	case REPLAY_DECIDED:
		ledger_replay_fate(s->ledger, line->row.number, line->row.fate, line->row.error,
		    line->row.decided_at == RECORD_NEVER ? 0 : at);
		show_trace(r, line);
		/* A time that is not in the recording must not be recorded again. */
		if (line->row.decided_at != RECORD_NEVER)
			session_row(s, line->row.number);
		break;
	case REPLAY_DUPLICATE:
		ledger_replay_duplicate(s->ledger, line->row.number);
		report_reply(r, s, MATCH_DUPLICATE, line, at);
		break;
	case REPLAY_EVENT:
		event = r->file->events[e->index];
		event.at = at;
		r->hooks.event(r->hooks.context, &event);
		break;
	case REPLAY_OTHER:
		play_reply(r, &r->file->replies[e->index], at);
		break;
	case REPLAY_WINDOW:
		sample = r->file->windows[e->index];
		sample.at = at;
		trace_add_window(r->status.trace, &sample);
		break;
	}
}

static void play_next(struct replay *r)
{
	r->status.position += r->events[r->next].begins;
	play(r, &r->events[r->next++]);
	if (!at_end(r))
		return;
	for (size_t i = 0; i < r->file->session_count; i++)
		r->sessions[i]->data = &r->file->sessions[i];
	if (r->status.trace && r->file->has_end)
		trace_restore_totals(r->status.trace, r->file->compared, r->file->mismatches);
}

/* --- its clock --- */

static int64_t scale(int64_t time, int speed)
{
	return speed >= 0 ? time * (INT64_C(1) << speed) : time / (INT64_C(1) << -speed);
}

int64_t replay_now(const struct replay *r, int64_t now)
{
	return r->status.paused ? r->at : r->at + scale(now - r->since, r->status.speed);
}

void replay_set_clock(struct replay *r, bool paused, int speed, int64_t now)
{
	r->at = replay_now(r, now);
	r->since = now;
	r->status.paused = paused;
	r->status.speed = speed;
}

static int64_t due(const struct replay *r)
{
	return at_end(r) ? INT64_MAX : r->events[r->next].at + r->status.origin;
}

void replay_seek(struct replay *r, size_t step, int64_t now)
{
	replay_set_clock(r, true, r->status.speed, now);
	while (!at_end(r) && (r->status.position < step || !r->events[r->next].begins)) {
		r->at = max_time(r->at, due(r));
		play_next(r);
	}
}

int64_t replay_dispatch(struct replay *r, int64_t now)
{
	while (!r->status.paused && due(r) <= replay_now(r, now))
		play_next(r);
	/* Rounded up, so that it is due then. */
	return r->status.paused || at_end(r)
	         ? INT64_MAX
	         : r->since + scale(due(r) - r->at, -r->status.speed) + 1;
}

size_t replay_find_line(const struct replay *r, enum replay_find what, uint64_t number)
{
	size_t step = 0, before = 0;

	for (size_t i = 0; i < r->count; i++) {
		step += r->events[i].begins;
		if (r->events[i].kind != REPLAY_TYPED)
			continue;
		if (what == REPLAY_LINE ? line_number(r, &r->events[i]) == number
		                        : what == REPLAY_LINE_AFTER && step > r->status.position)
			return step;
		if (what == REPLAY_LINE_BEFORE && step < r->status.position)
			before = step;
	}
	return what == REPLAY_LINE_AFTER ? r->status.length : before;
}
