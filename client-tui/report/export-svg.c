/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "report/export-svg.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/file.h"
#include "common/grow.h"
#include "report/summary.h"
#include "report/sequence.h"
#include "report/svg-sequence.h"
#include "report/svg-plots.h"
#include "common/text.h"

/* What is drawn, and where to: one picture after the other. */
struct job {
	/* Lines whole, for the exchange; and all lines, for the plots. */
	struct record *records;
	size_t count, capacity;
	struct plots_line *lines;
	size_t line_count, line_capacity;
	/* What changed the link or the server, and TCP connections; texts are the recorder's. */
	struct session_event *events;
	size_t event_count, event_capacity;
	const struct recorder *recorder;
	char title[300], note[400];
	/* NAME, without its ending. */
	char name[PATH_MAX];
	size_t pages;
	/* The one that is written, and the files of those before it. */
	size_t picture;
	struct stat made[EXPORT_SVG_PAGES + 1];
};

/* Behind the pages come the plots. */
static void file_name(const struct job *job, size_t picture, char *path, size_t size)
{
	if (picture == 0)
		snprintf(path, size, "%s.svg", job->name);
	else if (picture < job->pages)
		snprintf(path, size, "%s-%zu.svg", job->name, picture + 1);
	else
		snprintf(path, size, "%s-plots.svg", job->name);
}

/* How the link was set when the picture begins. */
static void put_link(const struct job *job, int64_t at, char *buf, size_t size)
{
	char words[RECORD_LINK];

	recorder_link_at(job->recorder, at, words, sizeof words);
	snprintf(buf, size, "%s%s", *words ? "link: " : "", words);
}

static int write_picture(const struct job *job, size_t picture, FILE *out)
{
	char title[300], note[500], link[RECORD_LINK + 10];
	struct svg_heading heading = { .title = title, .note = note, .link = link };

	snprintf(title, sizeof title, "%s", job->title);
	snprintf(note, sizeof note, "%s", job->note);
	put_link(job,
	    picture < job->pages ? sequence_page_begin(job->records, job->count, picture)
	                         : INT64_MIN,
	    link, sizeof link);
	if (picture == job->pages)
		return plots_page(out, job->lines, job->line_count, job->events, job->event_count,
		    &heading);
	if (job->pages > 1)
		snprintf(title + strlen(title), sizeof title - strlen(title), ", page %zu of %zu",
		    picture + 1, job->pages);
	if (job->line_count > job->count)
		snprintf(note + strlen(note), sizeof note - strlen(note),
		    "; only the first %d lines are drawn", EXPORT_SVG_PAGES * SEQUENCE_LINES);
	return svg_sequence_page(out, job->records, job->count, picture, job->events,
	    job->event_count, &heading);
}

static int put_picture(void *job, FILE *out)
{
	if (write_picture(job, ((const struct job *)job)->picture, out) == 0)
		return 0;
	errno = ENOMEM;
	return -1;
}

const char *export_svg_reason(int error)
{
	return error == EEXIST ? "there is such a file already; choose another name"
	                       : strerror(error);
}

/* --- what is drawn --- */

static int take(void *context, struct record *record, size_t index)
{
	struct job *job = context;

	if (grow_list(&job->lines, &job->line_capacity, job->line_count + 1, sizeof *job->lines) <
	        0 ||
	    grow_list(&job->records, &job->capacity, job->count + 1, sizeof *job->records) < 0) {
		record_free(record);
		return -1;
	}
	job->lines[job->line_count++] = (struct plots_line){ .number = record->number,
		.stream = record->stream,
		.late = record->late,
		.fate = record->fate,
		.waited = record->fate == FATE_ANSWERED ? record_parts(record).waited : -1,
		.typed_at = record->typed_at };
	if (index < EXPORT_SVG_PAGES * SEQUENCE_LINES)
		job->records[job->count++] = *record;
	else
		record_free(record);
	return 0;
}

static int by_number(uint64_t a, bool a_stream, uint64_t b, bool b_stream)
{
	return a != b ? (a < b ? -1 : 1) : (int)a_stream - (int)b_stream;
}

static int compare_records(const void *a, const void *b)
{
	const struct record *x = a, *y = b;

	return by_number(x->number, x->stream, y->number, y->stream);
}

static int compare_lines(const void *a, const void *b)
{
	const struct plots_line *x = a, *y = b;

	return by_number(x->number, x->stream, y->number, y->stream);
}

static int compare_events(const void *a, const void *b)
{
	const struct session_event *x = a, *y = b;

	return x->at < y->at ? -1 : x->at > y->at;
}

/* "UDP answered 13 of 20, 7/20 lost". */
static void add_totals(const struct recorder *r, bool stream, char *note, size_t size)
{
	struct ledger_totals t;
	char totals[300];

	recorder_totals(r, stream, &t);
	if (t.sent == 0)
		return;
	snprintf(note + strlen(note), size - strlen(note), "%s%s %s", *note ? "; " : "",
	    stream ? "TCP" : "UDP", summary_totals(&t, stream, totals, sizeof totals));
}

static void head(struct job *job, const struct recorder *r)
{
	const time_t seconds = (time_t)(recorder_started(r) / NS_PER_S);
	char peers[150];
	struct tm tm;

	gmtime_r(&seconds, &tm);
	snprintf(job->title, sizeof job->title, "upcase: %s, %04d-%02d-%02d %02d:%02d:%02d UTC",
	    recorder_peers(r, peers, sizeof peers), tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
	    tm.tm_hour, tm.tm_min, tm.tm_sec);
	add_totals(r, false, job->note, sizeof job->note);
	add_totals(r, true, job->note, sizeof job->note);
}

static int collect_events(struct job *job)
{
	struct session_event event;

	for (size_t i = 0; recorder_next_event(job->recorder, &i, &event);) {
		if (session_event_is_notice(&event))
			continue;
		if (grow_list(&job->events, &job->event_capacity, job->event_count + 1,
		        sizeof *job->events) < 0)
			return -1;
		job->events[job->event_count++] = event;
	}
	if (job->event_count > 0)
		qsort(job->events, job->event_count, sizeof *job->events, compare_events);
	return 0;
}

static int collect(struct job *job, const struct recorder *r, int64_t now)
{
	job->recorder = r;
	if (recorder_each_line(r, now, take, job) < 0 || collect_events(job) < 0)
		return -1;
	if (job->count > 0)
		qsort(job->records, job->count, sizeof *job->records, compare_records);
	if (job->line_count > 0)
		qsort(job->lines, job->line_count, sizeof *job->lines, compare_lines);
	head(job, r);
	job->pages = sequence_pages(job->records, job->count);
	if (job->pages > EXPORT_SVG_PAGES)
		job->pages = EXPORT_SVG_PAGES;
	return 0;
}

static void drop(struct job *job)
{
	for (size_t i = 0; i < job->count; i++)
		record_free(&job->records[i]);
	free(job->records);
	free(job->lines);
	free(job->events);
}

/* --- into files --- */

static int write_all(struct job *job, char *why, size_t size)
{
	char file[PATH_MAX + 40];

	for (job->picture = 0; job->picture <= job->pages; job->picture++) {
		file_name(job, job->picture, file, sizeof file);
		if (file_make(file, put_picture, job, &job->made[job->picture]) == 0)
			continue;
		snprintf(why, size, "'%.100s': %s", file, export_svg_reason(errno));
		while (job->picture-- > 0) {
			file_name(job, job->picture, file, sizeof file);
			(void)file_remove(file, &job->made[job->picture]);
		}
		return -1;
	}
	return (int)job->pages + 1;
}

int export_svg(const char *path, const struct recorder *r, int64_t now, char *why, size_t size)
{
	struct job job = { .count = 0 };
	int result = -1;

	snprintf(job.name, sizeof job.name, "%.*s", (int)(strlen(path) - strlen(".svg")), path);
	if (collect(&job, r, now) == 0)
		result = write_all(&job, why, size);
	else
		snprintf(why, size, "memory is short");
	drop(&job);
	return result;
}

int export_svg_check(const char *path, char *why, size_t size)
{
	struct job job = { .pages = 1 };
	char file[PATH_MAX + 40];

	snprintf(job.name, sizeof job.name, "%.*s", (int)(strlen(path) - strlen(".svg")), path);
	for (size_t picture = 0; picture <= 1; picture++) {
		file_name(&job, picture, file, sizeof file);
		if (faccessat(AT_FDCWD, file, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			return text_refuse(why, size, "'%.100s': %s", file,
			    export_svg_reason(EEXIST));
	}
	return 0;
}
