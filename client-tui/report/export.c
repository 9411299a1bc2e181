/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A transcript as text, a session as pictures, and either in a file. */
#include "config.h"

#include "report/export.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"
#include "common/grow.h"
#include "common/text.h"
#include "ledger/transport.h"
#include "report/line-text.h"
#include "report/sequence.h"
#include "report/summary.h"

/* ---- a transcript as text ---- */

static int save_item(FILE *out, const struct transcript_item *item, const struct trace *trace,
    int64_t now)
{
	switch (item->kind) {
	case TRANSCRIPT_LINE:
		/* A line over both transports at once has a fate over each. */
		if (line_text_write(out, item->ledger, item->stream, item->number, trace, now) < 0)
			return -1;
		return item->other
		         ? line_text_write(out, item->other, true, item->number, trace, now)
		         : 0;
	case TRANSCRIPT_STRAY:
		line_text_stray(out, item->stream, item->text, item->length);
		return 0;
	case TRANSCRIPT_NOTICE:
		fputs("-- ", out);
		break;
	case TRANSCRIPT_ERROR:
		fputs("!! ", out);
		break;
	}
	line_text_put(out, item->text, item->length);
	fputc('\n', out);
	return 0;
}

int export_text(FILE *out, const struct transcript *t, const struct trace *trace, int64_t now)
{
	fputs("upcase: number, transport, line, and its reply with the time or what became of it\n",
	    out);
	for (uint64_t serial = transcript_first(t); serial < transcript_end(t); serial++) {
		if (save_item(out, transcript_item(t, serial), trace, now)) {
			errno = ENOMEM;
			return -1;
		}
		if (ferror(out))
			return -1;
	}
	return fflush(out) == 0 && !ferror(out) ? 0 : -1;
}

/* ---- pictures ---- */

/* The maximum number of pages of one session; a note says that later lines are left out. */
#define PAGES 50

/* The reason why a new file could not be made, in words. Static, or strerror()'s. */
static const char *error_words(int error)
{
	return error == EEXIST ? "there is such a file already; choose another name"
	                       : strerror(error);
}

static int wrong(char reason[EXPORT_REASON], const char *path, const char *fault)
{
	return text_refuse(reason, EXPORT_REASON, "'%.100s': %s", path, fault);
}

/* The pictures to draw and their files, one after the other. */
struct job {
	/* The recorder owns the texts of the events, which are changes of the link or the server,
	 * and TCP connections. */
	struct picture_data data;
	size_t capacity, line_capacity, event_capacity;
	const struct recorder *recorder;
	char title[300], note[400];
	/* NAME, without its ending. */
	char name[PATH_MAX];
	size_t pages;
	/* The picture being written, and the files of the previous ones. */
	size_t picture;
	struct stat made[PAGES + 1];
};

/* The plots follow the pages. */
static void file_name(const struct job *job, size_t picture, char *path, size_t size)
{
	if (picture == 0)
		snprintf(path, size, "%s.svg", job->name);
	else if (picture < job->pages)
		snprintf(path, size, "%s-%zu.svg", job->name, picture + 1);
	else
		snprintf(path, size, "%s-plots.svg", job->name);
}

static int write_picture(void *context, FILE *out)
{
	const struct job *job = context;
	char title[300], note[500], words[RECORD_LINK], link[RECORD_LINK + 10];
	const struct svg_heading heading = { .title = title, .note = note, .link = link };
	const bool plots = job->picture == job->pages;
	int result;

	snprintf(title, sizeof title, "%s", job->title);
	snprintf(note, sizeof note, "%s", job->note);
	/* The link's settings at the picture's beginning. */
	recorder_link_at(job->recorder,
	    plots ? INT64_MIN : sequence_page_begin(&job->data, job->picture), words, sizeof words);
	snprintf(link, sizeof link, "%s%s", *words ? "link: " : "", words);
	if (!plots && job->pages > 1)
		snprintf(title + strlen(title), sizeof title - strlen(title), ", page %zu of %zu",
		    job->picture + 1, job->pages);
	if (!plots && job->data.line_count > job->data.count)
		snprintf(note + strlen(note), sizeof note - strlen(note),
		    "; only the first %d lines are drawn", PAGES * SEQUENCE_LINES);
	result = plots ? svg_plots_page(out, &job->data, &heading)
	               : svg_sequence_page(out, &job->data, job->picture, &heading);
	if (result < 0)
		errno = ENOMEM;
	return result;
}

static int take(void *context, struct record *record, size_t index)
{
	struct job *job = context;
	struct picture_data *d = &job->data;
	struct ledger_row *line;

	if (grow_list(&d->lines, &job->line_capacity, d->line_count + 1, sizeof *d->lines) < 0 ||
	    grow_list(&d->records, &job->capacity, d->count + 1, sizeof *d->records) < 0) {
		record_free(record);
		return -1;
	}
	line = &d->lines[d->line_count++];
	*line = record->row;
	line->text = line->reply = NULL;
	if (index < PAGES * SEQUENCE_LINES)
		d->records[d->count++] = *record;
	else
		record_free(record);
	return 0;
}

/* Over both transports, UDP comes first. */
static int by_number(const void *a, const void *b)
{
	const struct ledger_row *x = a, *y = b;

	return x->number != y->number ? (x->number < y->number ? -1 : 1) : x->stream - y->stream;
}

static int compare_records(const void *a, const void *b)
{
	const struct record *x = a, *y = b;

	return by_number(&x->row, &y->row);
}

static int compare_events(const void *a, const void *b)
{
	const struct session_event *x = a, *y = b;

	return x->at < y->at ? -1 : x->at > y->at;
}

/* Adds "UDP answered 13 of 20, 7/20 lost". */
static void add_totals(const struct recorder *r, bool stream, char *note, size_t size)
{
	struct ledger_totals t;
	char totals[300];

	recorder_totals(r, stream, &t);
	if (t.sent == 0)
		return;
	snprintf(note + strlen(note), size - strlen(note), "%s%s %s", *note ? "; " : "",
	    transport_info[stream].title, summary_totals(&t, stream, totals, sizeof totals));
}

static void head(struct job *job, const struct recorder *r)
{
	char peers[150], date[RECORD_DATE_SIZE];

	record_date(recorder_started(r), date);
	snprintf(job->title, sizeof job->title, "upcase: %s, %.10s %.8s UTC",
	    recorder_peers(r, peers, sizeof peers), date, date + strlen("YYYY-MM-DDT"));
	add_totals(r, false, job->note, sizeof job->note);
	add_totals(r, true, job->note, sizeof job->note);
}

static int collect_events(struct job *job)
{
	struct session_event event;

	for (size_t i = 0; recorder_next_event(job->recorder, &i, &event);) {
		if (session_event_is_notice(&event))
			continue;
		if (grow_list(&job->data.events, &job->event_capacity, job->data.event_count + 1,
		        sizeof *job->data.events) < 0)
			return -1;
		job->data.events[job->data.event_count++] = event;
	}
	if (job->data.event_count > 0)
		qsort(job->data.events, job->data.event_count, sizeof *job->data.events,
		    compare_events);
	return 0;
}

static int collect(struct job *job, const struct recorder *r, int64_t now)
{
	job->recorder = r;
	if (recorder_each_line(r, now, take, job) < 0 || collect_events(job) < 0)
		return -1;
	if (job->data.count > 0)
		qsort(job->data.records, job->data.count, sizeof *job->data.records,
		    compare_records);
	if (job->data.line_count > 0)
		qsort(job->data.lines, job->data.line_count, sizeof *job->data.lines, by_number);
	head(job, r);
	job->pages = sequence_pages(&job->data);
	if (job->pages > PAGES)
		job->pages = PAGES;
	return 0;
}

static void drop(struct job *job)
{
	for (size_t i = 0; i < job->data.count; i++)
		record_free(&job->data.records[i]);
	free(job->data.records);
	free(job->data.lines);
	free(job->data.events);
}

static int write_all(struct job *job, char reason[EXPORT_REASON])
{
	char file[PATH_MAX + 40];

	for (job->picture = 0; job->picture <= job->pages; job->picture++) {
		file_name(job, job->picture, file, sizeof file);
		if (file_make(file, write_picture, job, &job->made[job->picture]) == 0)
			continue;
		wrong(reason, file, error_words(errno));
		while (job->picture-- > 0) {
			file_name(job, job->picture, file, sizeof file);
			(void)file_remove(file, &job->made[job->picture]);
		}
		return -1;
	}
	return (int)job->pages + 1;
}

int export_svg(const char *path, const struct recorder *r, int64_t now, char reason[EXPORT_REASON])
{
	struct job job = { .pages = 0 };
	int result = -1;

	snprintf(job.name, sizeof job.name, "%.*s", (int)(strlen(path) - strlen(".svg")), path);
	if (collect(&job, r, now) == 0)
		result = write_all(&job, reason);
	else
		snprintf(reason, EXPORT_REASON, "memory is short");
	drop(&job);
	return result;
}

int export_svg_check(const char *path, char reason[EXPORT_REASON])
{
	struct job job = { .pages = 1 };
	char file[PATH_MAX + 40];

	snprintf(job.name, sizeof job.name, "%.*s", (int)(strlen(path) - strlen(".svg")), path);
	for (size_t picture = 0; picture <= 1; picture++) {
		file_name(&job, picture, file, sizeof file);
		if (faccessat(AT_FDCWD, file, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			return wrong(reason, file, error_words(EEXIST));
	}
	return 0;
}

/* ---- into a file ---- */

/* The session to save. */
struct export_job {
	const struct recorder *recorder;
	const struct transcript *transcript;
	const struct record_run *run;
	int64_t now;
	enum record_output output;
};

static int save_text(const struct export_job *s, FILE *out)
{
	struct transcript *all = s->transcript ? NULL : recorder_transcript(s->recorder);
	const struct transcript *t = s->transcript ? s->transcript : all;
	char totals[300];
	struct ledger_totals sum;
	const int result = t ? export_text(out, t, recorder_trace(s->recorder), s->now) : -1;

	transcript_free(all);
	if (result < 0)
		return -1;
	for (int stream = 0; stream < 2; stream++) {
		recorder_totals(s->recorder, stream, &sum);
		if (sum.typed > 0)
			fprintf(out, "%s: %s\n", transport_info[stream].title,
			    summary_totals(&sum, stream, totals, sizeof totals));
	}
	return 0;
}

static int put(void *saving, FILE *out)
{
	const struct export_job *s = saving;

	return s->output == RECORD_OUTPUT_TEXT
	         ? save_text(s, out)
	         : recorder_save(s->recorder, s->output, out, s->run, s->now);
}

/* The format of a file, by its ending. */
static const struct export_kind {
	const char *ending;
	enum record_output output;
} kinds[] = {
	{ "", RECORD_OUTPUT_TEXT },
	{ ".txt", RECORD_OUTPUT_TEXT },
	{ ".jsonl", RECORD_OUTPUT_JSON },
	{ ".csv", RECORD_OUTPUT_CSV },
};

/* Pictures are several files. */
#define PICTURES ".svg"

/* A file name's ending, with its dot, or "". */
static const char *ending(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *dot = strrchr(slash ? slash + 1 : path, '.');

	return dot ? dot : "";
}

static const struct export_kind *find(const char *path, char reason[EXPORT_REASON])
{
	if (strcmp(path, "-") == 0) {
		wrong(reason, path, "is no file; --json and --csv write to standard output");
		return NULL;
	}
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (strcmp(kinds[i].ending, ending(path)) == 0)
			return &kinds[i];
	wrong(reason, path,
	    "its ending says how it is written: .txt, .jsonl, .csv or .svg; for example "
	    "lecture.txt");
	return NULL;
}

/* Checks the folder of the file. */
static int check_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	char folder[4096] = ".";

	if (slash && snprintf(folder, sizeof folder, "%.*s/", (int)(slash - path), path) >=
	                 (int)sizeof folder) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return access(folder, W_OK | X_OK);
}

static bool is_picture(const char *path)
{
	return strcmp(ending(path), PICTURES) == 0;
}

int export_check(const char *path, char reason[EXPORT_REASON])
{
	if (is_picture(path) ? export_svg_check(path, reason) < 0 : !find(path, reason))
		return -1;
	if (faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return wrong(reason, path, error_words(EEXIST));
	if (errno != ENOENT || check_folder(path) < 0)
		return wrong(reason, path,
		    errno == ENOENT ? "there is no such folder" : strerror(errno));
	return 0;
}

int export_file(const char *path, const struct recorder *r, const struct transcript *transcript,
    const struct record_run *run, int64_t now, char reason[EXPORT_REASON])
{
	const struct export_kind *kind;
	struct stat made;

	if (is_picture(path))
		return export_svg(path, r, now, reason) < 0 ? -1 : 0;
	kind = find(path, reason);
	if (!kind)
		return -1;
	return file_make(path, put, &(struct export_job){ r, transcript, run, now, kind->output },
	           &made) < 0
	         ? wrong(reason, path, error_words(errno))
	         : 0;
}
