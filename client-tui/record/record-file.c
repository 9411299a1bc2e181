/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "record/record-file.h"

#include <errno.h>

#include "common/grow.h"
#include "common/text.h"

struct file_reader {
	struct record_file *file;
	uint64_t line;
	bool begun;
	uint64_t items, bytes; /* of all lists */
	char *reason;
};

static int wrong(const struct file_reader *r, const char *fault)
{
	return text_refuse(r->reason, RECORD_FILE_REASON, "line %" PRIu64 ": %s", r->line, fault);
}

/* Makes room for one more item of a list, `size` bytes in it and `bytes` in all. */
static int make_room(struct file_reader *r, void *list, size_t *capacity, size_t count, size_t size,
    uint64_t bytes)
{
	r->bytes += bytes;
	if (r->items++ >= RECORD_FILE_MAX || r->bytes > RECORD_FILE_BYTES)
		return wrong(r, "more than can be shown again");
	return grow_list(list, capacity, count + 1, size) < 0 ? wrong(r, "memory is short") : 0;
}

/* --- sessions --- */

static int take_session(struct file_reader *r, struct record_session *s)
{
	struct record_file *f = r->file;

	if (s->session != f->session_count)
		return wrong(r, "the sessions are not numbered 0, 1, 2");
	f->sessions[f->session_count++].of = *s;
	s->peer = NULL;
	return 0;
}

static struct record_file_session *find_session(const struct file_reader *r, unsigned session,
    bool stream)
{
	struct record_file_session *side = session < r->file->session_count
	                                     ? &r->file->sessions[session]
	                                     : NULL;

	if (side && side->of.stream == stream)
		return side;
	wrong(r, side ? "\"transport\" is not that of its session"
	              : "a session that was not told before");
	return NULL;
}

static int take_line(struct file_reader *r, struct record *line)
{
	struct record_file_session *side = find_session(r, line->session, line->row.stream);
	const uint64_t bytes = sizeof *line + line->row.length + line->row.reply_length +
	                       (line->legs ? LINK_DIRECTIONS * sizeof *line->legs : 0) +
	                       line->packet_count * sizeof *line->packets;

	if (!side || make_room(r, &side->lines, &side->capacity, side->count, sizeof *side->lines,
	                 bytes) < 0)
		return -1;
	line->at_line = r->line;
	side->lines[side->count++] = *line;
	r->file->has_link = r->file->has_link || line->legs;
	*line = (struct record){ .session = 0 };
	return 0;
}

static int take_reply(struct file_reader *r, struct record_reply *reply)
{
	struct record_file *f = r->file;

	if (!find_session(r, reply->session, reply->row.stream) ||
	    make_room(r, &f->replies, &f->reply_capacity, f->reply_count, sizeof *f->replies,
	        sizeof *reply + reply->row.reply_length) < 0)
		return -1;
	f->replies[f->reply_count++] = *reply;
	reply->row.reply = NULL;
	return 0;
}

static int take_event(struct file_reader *r, struct session_event *event)
{
	struct record_file *f = r->file;
	const size_t bytes = sizeof *event + strlen(event->text) +
	                     event->packet_count * sizeof *event->packets;

	if (event->session >= 0 && (size_t)event->session >= f->session_count)
		return wrong(r, "a session that was not told before");
	if (make_room(r, &f->events, &f->event_capacity, f->event_count, sizeof *f->events, bytes) <
	    0)
		return -1;
	f->events[f->event_count++] = *event;
	*event = (struct session_event){ .text = NULL };
	return 0;
}

static int take_window(struct file_reader *r, const struct window_sample *sample)
{
	struct record_file *f = r->file;

	if (make_room(r, &f->windows, &f->window_capacity, f->window_count, sizeof *f->windows,
	        sizeof *sample) < 0)
		return -1;
	f->windows[f->window_count++] = *sample;
	f->has_link = true;
	return 0;
}

/* Adds the link at the end if it differs, for older files without its changes as events. */
static void add_link(const struct record_file *f, struct record_run *run, const char *end)
{
	const size_t used = strlen(run->link);

	for (size_t i = 0; i < f->event_count; i++)
		if (f->events[i].kind == SESSION_EVENT_LINK)
			return;
	if (*end && strcmp(run->link, end) != 0)
		snprintf(run->link + used, sizeof run->link - used, "%s%s",
		    used ? "; at the end: " : "", end);
}

static int take_summary(const struct file_reader *r, struct record_summary *read)
{
	struct record_file *f = r->file;

	if (read->count != f->session_count)
		return wrong(r, "the summary has other sessions than were told before");
	f->has_end = true;
	f->run.ended_at = read->run.ended_at;
	f->run.stopped = read->run.stopped;
	add_link(f, &f->run, read->run.link);
	f->has_link = f->has_link || read->is_compared;
	f->compared = read->compared;
	f->mismatches = read->mismatches;
	for (size_t i = 0; i < read->count; i++) {
		if (!find_session(r, read->sums[i].of.session, read->sums[i].of.stream) ||
		    read->sums[i].of.session != i)
			return wrong(r, "the summary has other sessions than were told before");
		f->sessions[i].sum = read->sums[i].figures;
		f->sessions[i].has_sum = true;
	}
	return 0;
}

static int take(struct file_reader *r, struct json_record *read)
{
	if (!r->begun && read->type != RECORD_START)
		return wrong(r,
		    "it does not begin with a record of the type \"start\": not a recording of "
		    "upcase's");
	if (r->file->has_end || (r->begun && read->type == RECORD_START))
		return wrong(r,
		    r->file->has_end ? "there is more behind the summary" : "it begins once more");
	r->begun = true;
	switch (read->type) {
	case RECORD_START:
		r->file->run = read->run;
		return 0;
	case RECORD_SESSION:
		return take_session(r, &read->session);
	case RECORD_LINE:
		return take_line(r, &read->line);
	case RECORD_REPLY:
		return take_reply(r, &read->reply);
	case RECORD_NOTICE:
	case RECORD_EVENT:
		return take_event(r, &read->event);
	case RECORD_WINDOW:
		return take_window(r, &read->window);
	case RECORD_SUMMARY:
		return take_summary(r, &read->summary);
	default:
		return 0;
	}
}

/* --- the order of the lines --- */

static int by_number(const void *a, const void *b)
{
	const struct record *one = a, *other = b;

	return one->row.number < other->row.number ? -1 : one->row.number > other->row.number;
}

static int check_order(struct file_reader *r, const struct record_file_session *side)
{
	if (side->count > 0)
		qsort(side->lines, side->count, sizeof *side->lines, by_number);
	for (size_t i = 1; i < side->count; i++) {
		const struct record *line = &side->lines[i], *before = line - 1;

		r->line = line->at_line > before->at_line ? line->at_line : before->at_line;
		if (line->row.number == before->row.number)
			return wrong(r, "a line with this \"n\" was there before");
		if (line->row.typed_at < before->row.typed_at)
			return wrong(r,
			    "its \"n\" and \"typed_ns\" are in another order than those of the "
			    "line before it");
	}
	return 0;
}

/* --- the file --- */

/* Reads a line into *buf, without its end. Returns 1, 0 at the end, or -1 with the `reason`. */
static int next_line(const struct file_reader *r, FILE *in, char **buf, size_t *capacity, size_t *n)
{
	int c;

	for (*n = 0; (c = getc_unlocked(in)) != EOF && c != '\n';) {
		if (*n == RECORD_LINE_MAX)
			return wrong(r, "longer than any record");
		if (grow_list(buf, capacity, *n + 1, 1) < 0)
			return wrong(r, "memory is short");
		(*buf)[(*n)++] = (char)c;
	}
	if (c == EOF && ferror(in))
		return wrong(r, strerror(errno));
	if (c == EOF && *n > 0)
		return wrong(r, "the file ends within a record: it is cut off");
	return c != EOF;
}

static int read_all(struct file_reader *r, FILE *in, char **buf)
{
	struct json_record read;
	char reason[RECORD_REASON];
	size_t capacity = 0, n;
	int more;

	for (r->line = 1; (more = next_line(r, in, buf, &capacity, &n)) > 0; r->line++) {
		int result = n > 0 ? json_read(&read, *buf, n, reason) : -1;

		if (n == 0)
			return wrong(r, "empty");
		result = result < 0 ? wrong(r, reason) : take(r, &read);
		json_record_free(&read);
		if (result < 0)
			return -1;
	}
	if (more == 0 && !r->begun)
		return wrong(r, "the file is empty");
	for (size_t i = 0; more == 0 && i < r->file->session_count; i++)
		if (check_order(r, &r->file->sessions[i]) < 0)
			return -1;
	return more;
}

struct record_file *record_file_read(FILE *in, char reason[RECORD_FILE_REASON])
{
	struct file_reader r = { .file = calloc(1, sizeof(struct record_file)), .reason = reason };
	char *buf = NULL;
	int result;

	if (!r.file) {
		snprintf(reason, RECORD_FILE_REASON, "memory is short");
		return NULL;
	}
	result = read_all(&r, in, &buf);
	free(buf);
	if (result < 0)
		record_file_free(r.file);
	return result < 0 ? NULL : r.file;
}

void record_file_free(struct record_file *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < f->session_count; i++) {
		for (size_t k = 0; k < f->sessions[i].count; k++)
			record_free(&f->sessions[i].lines[k]);
		free(f->sessions[i].lines);
		free(f->sessions[i].of.peer);
	}
	for (size_t i = 0; i < f->reply_count; i++)
		free((void *)(uintptr_t)f->replies[i].row.reply);
	for (size_t i = 0; i < f->event_count; i++)
		record_event_free(&f->events[i]);
	free(f->replies);
	free(f->events);
	free(f->windows);
	free(f);
}
