/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The lines to draw are chosen by their rows, without texts; then their records are taken. */
#include "config.h"

#include "report/picture-files.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/file.h"
#include "common/grow.h"
#include "common/search.h"
#include "common/text.h"
#include "report/pictures.h"
#include "report/sequence.h"
#include "report/summary.h"

/* The maximum number of pages, and of those that nobody asked for. */
#define PAGES 50
#define PAGES_UNASKED 10
/* Lines are a burst if each is typed so soon after the one before, ns, and there are more than so
 * many. So many of them, which matter most, are then drawn. */
#define BURST_GAP (250 * NS_PER_MS)
#define BURST_LINES ((size_t)2 * SEQUENCE_LINES)
#define BURST_DRAWN 8
#define FILE_NAME (PATH_MAX + 40) /* room for a file's name */

/* The pictures to draw and their files, one after the other. */
struct job {
	const struct export_request *request;
	/* The recorder owns the texts of the events, which are changes of the link or the server,
	 * and TCP connections; but not those of bursts. */
	struct picture_data data;
	size_t capacity, line_capacity, event_capacity;
	/* The numbers of the lines that are drawn, in order; the events from and up to. */
	uint64_t *numbers;
	size_t number_count;
	int64_t from, to;
	const struct recorder *recorder;
	/* The peers and the date. */
	char about[300], note[400];
	size_t pages;
	/* The picture being written, and the files of the previous ones. */
	size_t picture;
	struct stat made[PAGES + 1];
};

/* --- the choice --- */

static int take_row(void *context, struct record *record, size_t index)
{
	struct job *job = context;
	struct picture_data *d = &job->data;
	int result;

	(void)index;
	result = grow_list(&d->lines, &job->line_capacity, d->line_count + 1, sizeof *d->lines);
	if (result == 0) {
		d->lines[d->line_count] = record->row;
		d->lines[d->line_count].text = d->lines[d->line_count].reply = NULL;
		d->line_count++;
	}
	record_free(record);
	return result;
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

/* Removes the lines that are not wanted, with the events up to the lines before and after. */
static void want_lines(struct job *job)
{
	struct picture_data *d = &job->data;
	const uint64_t last = d->line_count > 0 ? d->lines[d->line_count - 1].number : 0;
	size_t kept = 0;

	job->from = INT64_MIN;
	job->to = INT64_MAX;
	for (size_t i = 0; i < d->line_count; i++) {
		if (export_wants(job->request, d->lines[i].number, last))
			d->lines[kept++] = d->lines[i];
		else if (kept == 0)
			job->from = d->lines[i].typed_at;
		else if (job->to == INT64_MAX)
			job->to = d->lines[i].typed_at;
	}
	d->line_count = kept;
}

/* Adds an event whose words sum up lines `begin` to `end`; it owns them. */
static int sum_up(struct job *job, size_t begin, size_t end, int64_t at)
{
	const struct ledger_row *lines = job->data.lines;
	uint64_t typed[2] = { 0 }, answered[2] = { 0 };
	char words[200];
	struct text t = text_begin(words, sizeof words);
	struct session_event event = { .kind = SESSION_EVENT_NOTICE, .session = -1, .at = at };

	for (size_t i = begin; i < end; i++) {
		typed[lines[i].stream]++;
		answered[lines[i].stream] += lines[i].fate == FATE_ANSWERED;
	}
	text_put(&t, "lines %" PRIu64 "–%" PRIu64, lines[begin].number, lines[end - 1].number);
	for (int stream = 0; stream < 2; stream++)
		if (typed[stream] > 0)
			text_put(&t, "%s %s%s %" PRIu64 " of %" PRIu64,
			    stream && typed[0] ? "," : ":", transport_info[stream].title,
			    stream && typed[0] ? "" : " answered", answered[stream], typed[stream]);
	text_put(&t, "; %d drawn", BURST_DRAWN);
	event.text = strdup(words);
	if (!event.text || grow_list(&job->data.events, &job->event_capacity,
	                       job->data.event_count + 1, sizeof event) < 0) {
		free(event.text);
		return -1;
	}
	job->data.events[job->data.event_count++] = event;
	return 0;
}

/* A line's weight in a burst: its time, or more if it was not answered and `lost` is set. */
static int64_t weight(const struct ledger_row *line, bool lost)
{
	if (ledger_is_unanswered(line->fate))
		return lost ? INT64_MAX : 1;
	return line->fate == FATE_ANSWERED ? 2 + parts_waited(line) : 0;
}

/* Chooses the line from `begin` to `end` that matters most and is none of the `n` chosen. */
static uint64_t choose_one(const struct picture_data *d, size_t begin, size_t end, bool lost,
    const uint64_t *chosen, size_t n)
{
	const struct ledger_row *best = NULL;

	for (size_t i = begin; i < end; i++) {
		bool taken = false;

		for (size_t k = 0; k < n; k++)
			taken = taken || chosen[k] == d->lines[i].number;
		if (!taken && (!best || weight(&d->lines[i], lost) > weight(best, lost)))
			best = &d->lines[i];
	}
	return best->number;
}

static int by_value(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Chooses the lines of a burst to draw: in turn one that was not answered and a slow one. */
static int choose_of_burst(struct job *job, size_t begin, size_t end)
{
	uint64_t *chosen = &job->numbers[job->number_count];
	size_t first = begin;

	for (size_t n = 0; n < BURST_DRAWN; n++)
		chosen[n] = choose_one(&job->data, begin, end, n % 2 == 0, chosen, n);
	qsort(chosen, BURST_DRAWN, sizeof *chosen, by_value);
	job->number_count += BURST_DRAWN;
	while (job->data.lines[first].number != *chosen)
		first++;
	return sum_up(job, begin, end, job->data.lines[first].typed_at);
}

/* Returns the end of the lines typed fast from `begin` on; *count is their numbers. */
static size_t burst_end(const struct picture_data *d, size_t begin, size_t *count)
{
	size_t i = begin + 1;

	*count = 1;
	for (; i < d->line_count && d->lines[i].typed_at - d->lines[i - 1].typed_at <= BURST_GAP;
	    i++)
		*count += d->lines[i].number != d->lines[i - 1].number;
	return i;
}

/* Keeps the last `most` chosen lines, and what happened since the line before them. */
static void keep_last(struct job *job, size_t most)
{
	struct picture_data *d = &job->data;
	const size_t gone = job->number_count - most;
	size_t kept = 0;

	for (size_t i = 0; d->lines[i].number < job->numbers[gone]; i++)
		job->from = d->lines[i].typed_at;
	for (size_t i = 0; i < d->event_count; i++) {
		if (d->events[i].at > job->from)
			d->events[kept++] = d->events[i];
		else
			free(d->events[i].text);
	}
	d->event_count = kept;
	text_append(job->note, sizeof job->note, TEXT_FORMAT("the last %zu lines; ", most));
	memmove(job->numbers, job->numbers + gone, most * sizeof *job->numbers);
	job->number_count = most;
}

/* Chooses the lines to draw: all that were asked for; else of a burst some. */
static int choose(struct job *job, char reason[EXPORT_REASON])
{
	const struct picture_data *d = &job->data;
	const bool asked = job->request->newest > 0 || job->request->last > 0;
	const size_t most = (size_t)SEQUENCE_LINES * (asked ? PAGES : PAGES_UNASKED);
	size_t count;

	if (job->request->last > 0 && d->line_count == 0)
		return text_refuse(reason, EXPORT_REASON, "there are no such lines");
	job->numbers = calloc(d->line_count + 1, sizeof *job->numbers);
	if (!job->numbers)
		return -1;
	for (size_t i = 0, end; i < d->line_count; i = end) {
		end = burst_end(d, i, &count);
		if (!asked && count > BURST_LINES) {
			if (choose_of_burst(job, i, end) < 0)
				return -1;
			continue;
		}
		for (; i < end; i++)
			if (i == 0 || d->lines[i].number != d->lines[i - 1].number)
				job->numbers[job->number_count++] = d->lines[i].number;
	}
	if (job->number_count <= most)
		return 0;
	if (asked)
		return text_refuse(reason, EXPORT_REASON,
		    "pictures are of %zu lines at most, not of %zu; for example last 12", most,
		    job->number_count);
	keep_last(job, most);
	return 0;
}

static int take_record(void *context, struct record *record, size_t index)
{
	struct job *job = context;
	struct picture_data *d = &job->data;
	size_t i;

	(void)index;
	SEARCH_FIRST(i, 0, job->number_count, job->numbers[i] >= record->row.number);
	if (i == job->number_count || job->numbers[i] != record->row.number) {
		record_free(record);
		return 0;
	}
	if (grow_list(&d->records, &job->capacity, d->count + 1, sizeof *d->records) < 0) {
		record_free(record);
		return -1;
	}
	d->records[d->count++] = *record;
	return 0;
}

static int compare_events(const void *a, const void *b)
{
	const struct session_event *x = a, *y = b;

	return x->at < y->at ? -1 : x->at > y->at;
}

static int collect_events(struct job *job)
{
	struct session_event event;

	for (size_t i = 0; recorder_next_event(job->recorder, &i, &event);) {
		if (session_event_is_notice(&event) || event.at < job->from || event.at > job->to)
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

/* Adds "UDP answered 13 of 20, 7/20 lost". */
static void add_totals(struct job *job, bool stream)
{
	const size_t used = strlen(job->note);
	struct ledger_totals t;
	char totals[300];

	recorder_totals(job->recorder, stream, &t);
	if (t.sent > 0)
		snprintf(job->note + used, sizeof job->note - used, "%s%s %s",
		    stream && used > 0 ? "; " : "", transport_info[stream].title,
		    summary_totals(&t, stream, totals, sizeof totals));
}

static void set_title(struct job *job)
{
	char peers[150], date[RECORD_DATE_SIZE];

	record_date(recorder_started(job->recorder), date);
	recorder_peers(job->recorder, peers, sizeof peers);
	snprintf(job->about, sizeof job->about, "upcase: %s, %.10s %.8s UTC",
	    *peers ? peers : "no lines", date, date + strlen("YYYY-MM-DDT"));
}

static int collect(struct job *job, int64_t now, char reason[EXPORT_REASON])
{
	struct picture_data *d = &job->data;

	if (recorder_each_line(job->recorder, now, take_row, job) < 0)
		return -1;
	if (d->line_count > 0)
		qsort(d->lines, d->line_count, sizeof *d->lines, by_number);
	want_lines(job);
	if (choose(job, reason) < 0 ||
	    recorder_each_line(job->recorder, now, take_record, job) < 0 || collect_events(job) < 0)
		return -1;
	if (d->count > 0)
		qsort(d->records, d->count, sizeof *d->records, compare_records);
	add_totals(job, false);
	add_totals(job, true);
	set_title(job);
	job->pages = sequence_pages(d);
	if (job->pages > PAGES) {
		/* Events have rows too. */
		job->pages = PAGES;
		text_append(job->note, sizeof job->note, TEXT_FORMAT("; only %d pages", PAGES));
	}
	return 0;
}

static void drop(struct job *job)
{
	for (size_t i = 0; i < job->data.count; i++)
		record_free(&job->data.records[i]);
	for (size_t i = 0; i < job->data.event_count; i++)
		if (session_event_is_notice(&job->data.events[i]))
			free(job->data.events[i].text);
	free(job->data.records);
	free(job->data.lines);
	free(job->data.events);
	free(job->numbers);
}

/* --- files --- */

/* Writes NAME.svg, which is `path`, NAME-2.svg ..., or after the pages NAME-plots.svg. */
static void file_name(const char *path, size_t picture, size_t pages, char file[FILE_NAME])
{
	const int n = (int)(strlen(path) - strlen(".svg"));

	if (picture == 0)
		snprintf(file, FILE_NAME, "%s", path);
	else if (picture < pages)
		snprintf(file, FILE_NAME, "%.*s-%zu.svg", n, path, picture + 1);
	else
		snprintf(file, FILE_NAME, "%.*s-plots.svg", n, path);
}

static int write_picture(void *context, FILE *out)
{
	const struct job *job = context;
	const bool plots = job->picture == job->pages, own = *job->request->title;
	char words[RECORD_LINK], link[RECORD_LINK + 10], page[60];
	struct svg_heading heading = { .title = own ? job->request->title : job->about,
		.note = job->note,
		.link = link,
		.about = own ? TEXT_FORMAT("; %s", job->about) : NULL,
		.dark = job->request->dark };
	int result;

	/* The link's settings at the picture's beginning. */
	recorder_link_at(job->recorder,
	    plots ? INT64_MIN : sequence_page_begin(&job->data, job->picture), words, sizeof words);
	snprintf(link, sizeof link, "%s%s", *words ? "link: " : "", words);
	snprintf(page, sizeof page, "page %zu of %zu", job->picture + 1, job->pages);
	if (!plots && job->pages > 1)
		heading.page = page;
	result = plots ? svg_plots_page(out, &job->data, &heading)
	               : svg_sequence_page(out, &job->data, job->picture, &heading);
	if (result < 0)
		errno = ENOMEM;
	return result;
}

static int write_all(struct job *job, char reason[EXPORT_REASON])
{
	char file[FILE_NAME];

	for (job->picture = 0; job->picture <= job->pages; job->picture++) {
		file_name(job->request->path, job->picture, job->pages, file);
		if (file_make(file, write_picture, job, &job->made[job->picture]) == 0)
			continue;
		export_refuse(reason, file, errno);
		while (job->picture-- > 0) {
			file_name(job->request->path, job->picture, job->pages, file);
			(void)file_remove(file, &job->made[job->picture]);
		}
		return -1;
	}
	return (int)job->pages + 1;
}

int picture_files_write(const struct export_request *request, const struct recorder *r, int64_t now,
    char reason[EXPORT_REASON])
{
	struct job job = { .request = request, .recorder = r };
	int result = -1;

	snprintf(reason, EXPORT_REASON, "memory is short");
	if (collect(&job, now, reason) == 0)
		result = write_all(&job, reason);
	drop(&job);
	return result;
}

int picture_files_check(const char *path, char reason[EXPORT_REASON])
{
	char file[FILE_NAME];

	for (size_t picture = 0; picture <= 1; picture++) {
		file_name(path, picture, 1, file);
		if (faccessat(AT_FDCWD, file, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			return export_refuse(reason, file, EEXIST);
	}
	return 0;
}
