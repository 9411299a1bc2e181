/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The lines to draw are chosen by their rows, without texts; then their records are taken. */
#include "report/picture-files.h"

#include <errno.h>
#include <fcntl.h>
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
 * many. So many of them are then drawn, and of these so many before the first without an answer. */
#define BURST_GAP (250 * NS_PER_MS)
#define BURST_LINES ((size_t)2 * SEQUENCE_LINES)
#define BURST_DRAWN 8
#define BURST_BEFORE 3
#define FILE_NAME (PATH_MAX + 40) /* room for a file's name */

/* The pictures to draw and their files, one after the other. */
struct job {
	const struct export_request *request;
	/* The recorder owns the texts of the events, which are changes of the link or the server,
	 * and TCP connections; but not those of bursts. */
	struct picture_data data;
	size_t capacity, line_capacity, event_capacity;
	/* By line of the data: it is drawn. The events from and up to. */
	bool *drawn;
	int64_t from, to;
	const struct recorder *recorder;
	/* The peers and the date. */
	char about[300], note[400];
	size_t pages;
	/* The picture being written, after the pages the plots and the windows, and the files of
	 * the previous ones. */
	size_t picture, pictures;
	struct stat made[PAGES + 2];
};

/* --- the choice --- */

static int take_row(void *context, struct record *record)
{
	struct job *job = context;
	struct picture_data *d = &job->data;
	int result = grow_list(&d->lines, &job->line_capacity, d->line_count + 1, sizeof *d->lines);

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

/* Puts "lines 1-400: UDP answered 361 of 400, TCP 400 of 400" for `count` lines, 1 or more. */
static void put_answered(struct text *t, const struct ledger_row *lines, size_t count)
{
	const uint64_t first = lines[0].number, last = lines[count - 1].number;
	size_t typed[2] = { 0 }, answered[2] = { 0 };

	for (size_t i = 0; i < count; i++) {
		typed[lines[i].stream]++;
		answered[lines[i].stream] += lines[i].fate == FATE_ANSWERED;
	}
	text_put(t, first == last ? "line %" PRIu64 : "lines %" PRIu64 "–%" PRIu64, first, last);
	for (int stream = 0; stream < 2; stream++)
		if (typed[stream] > 0)
			text_put(t, "%s %s%s %zu of %zu", stream && typed[0] ? "," : ":",
			    transport_info[stream].title, stream && typed[0] ? "" : " answered",
			    answered[stream], typed[stream]);
}

/* Adds an event whose words sum up lines `begin` to `end`; it owns them. */
static int sum_up(struct job *job, size_t begin, size_t end, int64_t at)
{
	struct session_event event = { .kind = SESSION_EVENT_NOTICE, .session = -1, .at = at };
	char words[200];
	struct text t = text_begin(words, sizeof words);

	put_answered(&t, job->data.lines + begin, end - begin);
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

/* Sums up a burst, lines `begin` to `end`, and chooses some in a row. */
static int choose_of_burst(struct job *job, size_t begin, size_t end)
{
	const struct ledger_row *lines = job->data.lines;
	const uint64_t last = lines[end - 1].number - BURST_DRAWN + 1;
	uint64_t first = lines[begin].number;
	size_t i = begin;

	while (i < end && !ledger_is_unanswered(lines[i].fate))
		i++;
	if (i < end && lines[i].number > first + BURST_BEFORE)
		first = lines[i].number - BURST_BEFORE;
	if (first > last)
		first = last;
	for (i = end; i > begin && lines[i - 1].number >= first; i--)
		job->drawn[i - 1] = lines[i - 1].number < first + BURST_DRAWN;
	return sum_up(job, begin, end, lines[i].typed_at);
}

/* Chooses up to `most` lines that end at `end` and begin at *begin, which becomes the first chosen
 * one. Returns their number; a line over both transports is one. */
static size_t choose_last(struct job *job, size_t *begin, size_t end, size_t most)
{
	const struct ledger_row *lines = job->data.lines;
	size_t n = 0, i = end;

	for (; i > *begin; i--) {
		if (i == end || lines[i - 1].number != lines[i].number)
			n++;
		if (n > most)
			break;
		job->drawn[i - 1] = true;
	}
	*begin = i;
	return n < most ? n : most;
}

/* Returns the beginning of the lines up to `end` that were typed fast one after the other; *count
 * is the number of numbers. */
static size_t burst_begin(const struct picture_data *d, size_t end, size_t *count)
{
	size_t i = end - 1;

	*count = 1;
	for (; i > 0 && d->lines[i].typed_at - d->lines[i - 1].typed_at <= BURST_GAP; i--)
		*count += d->lines[i].number != d->lines[i - 1].number;
	return i;
}

/* Chooses the lines to draw: all that were asked for; else the last ones, and of a burst some. */
static int choose(struct job *job, char reason[EXPORT_REASON])
{
	const struct picture_data *d = &job->data;
	const bool asked = job->request->newest > 0 || job->request->last > 0;
	const size_t most = (size_t)SEQUENCE_LINES * (asked ? PAGES : PAGES_UNASKED);
	size_t count, chosen = 0, end = d->line_count;

	if (job->request->last > 0 && d->line_count == 0)
		return text_refuse(reason, EXPORT_REASON, "there are no such lines");
	job->drawn = calloc(d->line_count + 1, sizeof *job->drawn);
	if (!job->drawn)
		return -1;
	for (size_t begin; end > 0 && chosen < most; end = begin) {
		begin = burst_begin(d, end, &count);
		if (asked || count <= BURST_LINES)
			chosen += choose_last(job, &begin, end, most - chosen);
		else if (choose_of_burst(job, begin, end) == 0)
			chosen += BURST_DRAWN;
		else
			return -1;
	}
	if (end == 0)
		return 0;
	job->from = d->lines[end - 1].typed_at;
	text_append(job->note, sizeof job->note, TEXT_FORMAT("the last %zu drawn; ", chosen));
	return 0;
}

static int take_record(void *context, struct record *record)
{
	struct job *job = context;
	struct picture_data *d = &job->data;
	size_t i;

	SEARCH_FIRST(i, 0, d->line_count, d->lines[i].number >= record->row.number);
	if (i == d->line_count || d->lines[i].number != record->row.number || !job->drawn[i]) {
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
		if (session_event_is_notice(&event) || event.at < job->from || event.at > job->to ||
		    (event.kind == SESSION_EVENT_FLOW && event.quiet))
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

/* Adds "UDP answered 13 of 20, 7/20 lost" of the whole session, or the counts of the lines that
 * were asked for. */
static void add_totals(struct job *job)
{
	const struct picture_data *d = &job->data;
	struct text t = text_begin(job->note + strlen(job->note),
	    sizeof job->note - strlen(job->note));
	struct ledger_totals sum[2];
	char totals[300];

	if (job->request->newest > 0 || job->request->last > 0) {
		if (d->line_count > 0)
			put_answered(&t, d->lines, d->line_count);
		return;
	}
	for (int stream = 0; stream < 2; stream++) {
		const bool second = stream && sum[0].sent > 0;

		recorder_totals(job->recorder, stream, &sum[stream]);
		summary_totals(&sum[stream], stream, totals, sizeof totals);
		if (sum[stream].sent > 0)
			text_put(&t, "%s%s %s", second ? "; " : "", transport_info[stream].title,
			    totals + (second ? strlen("answered ") : 0));
	}
}

static void set_title(struct job *job)
{
	char peers[150], date[RECORD_DATE_SIZE];

	record_date(recorder_run(job->recorder)->started, date);
	recorder_peers(job->recorder, peers, sizeof peers);
	snprintf(job->about, sizeof job->about, "upcase: %s, %.10s %.8s UTC",
	    *peers ? peers : "no lines", date, date + strlen("YYYY-MM-DDT"));
}

static int collect(struct job *job, char reason[EXPORT_REASON])
{
	struct picture_data *d = &job->data;
	int64_t from, to;

	if (recorder_each_line(job->recorder, take_row, job) < 0)
		return -1;
	if (d->line_count > 0)
		qsort(d->lines, d->line_count, sizeof *d->lines, by_number);
	want_lines(job);
	if (choose(job, reason) < 0 || recorder_each_line(job->recorder, take_record, job) < 0 ||
	    collect_events(job) < 0)
		return -1;
	if (d->count > 0)
		qsort(d->records, d->count, sizeof *d->records, compare_records);
	add_totals(job);
	set_title(job);
	job->pages = sequence_pages(d);
	if (job->pages > PAGES) {
		/* Events have rows too. */
		job->pages = PAGES;
		text_append(job->note, sizeof job->note, TEXT_FORMAT("; only %d pages", PAGES));
	}
	d->windows = trace_windows(recorder_trace(job->recorder));
	d->windows_until = job->to == INT64_MAX ? job->to : job->to + recorder_start(job->recorder);
	if (!window_span(d->windows, d->windows_until, &from, &to))
		d->windows_until = INT64_MAX;
	job->pictures = job->pages + 1 + window_span(d->windows, INT64_MAX, &from, &to);
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
	free(job->drawn);
}

/* --- files --- */

/* Writes NAME.svg, which is `path`, NAME-2.svg ..., or after the pages NAME-plots.svg and
 * NAME-window.svg. */
static void file_name(const char *path, size_t picture, size_t pages, char file[FILE_NAME])
{
	const int n = (int)(strlen(path) - strlen(".svg"));

	if (picture == 0)
		snprintf(file, FILE_NAME, "%s", path);
	else if (picture < pages)
		snprintf(file, FILE_NAME, "%.*s-%zu.svg", n, path, picture + 1);
	else
		snprintf(file, FILE_NAME, "%.*s-%s.svg", n, path,
		    picture == pages ? "plots" : "window");
}

static int write_picture(void *context, FILE *out)
{
	const struct job *job = context;
	const bool plots = job->picture >= job->pages, own = *job->request->title;
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
	result = !plots ? svg_sequence_page(out, &job->data, job->picture, &heading)
	       : job->picture == job->pages ? svg_plots_page(out, &job->data, &heading)
	                                    : svg_window_page(out, &job->data, &heading);
	if (result < 0)
		errno = ENOMEM;
	return result;
}

static int write_all(struct job *job, char reason[EXPORT_REASON])
{
	char file[FILE_NAME];

	for (job->picture = 0; job->picture < job->pictures; job->picture++) {
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
	return (int)job->pictures;
}

int picture_files_write(const struct export_request *request, const struct recorder *r,
    char reason[EXPORT_REASON])
{
	struct job job = { .request = request, .recorder = r };
	int result = -1;

	snprintf(reason, EXPORT_REASON, "memory is short");
	if (collect(&job, reason) == 0)
		result = write_all(&job, reason);
	drop(&job);
	return result;
}

int picture_files_check(const char *path, char reason[EXPORT_REASON])
{
	char file[FILE_NAME];

	for (size_t picture = 0; picture <= 2; picture++) {
		file_name(path, picture, 1, file);
		if (faccessat(AT_FDCWD, file, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			return export_refuse(reason, file, EEXIST);
	}
	return 0;
}
