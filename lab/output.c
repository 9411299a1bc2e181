/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lab/output.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "common/file.h"
#include "common/standard.h"

/* Reads of the far command's output in one turn: more than a pipe holds. */
#define FAR_READS 64
/* How the files are opened. */
#define FLAGS (O_RDWR | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)

/* The default of fs.pipe-max-size, so that a reader that rests for a moment loses nothing. */
#define PIPE_SIZE (1 << 20)

/* Whether it is a FIFO or a device that takes bytes and keeps none, so that nothing in it can be
 * lost. The number is that of /dev/full: Documentation/admin-guide/devices.txt. */
static bool is_stream(const struct stat *st)
{
	return S_ISFIFO(st->st_mode) || file_is_null(st) ||
	       (S_ISCHR(st->st_mode) && st->st_rdev == makedev(1, 7));
}

int output_open(const char *path, bool (*kind)(const char *bytes, size_t n), const char **reason)
{
	struct stat st = { 0 }, opened;
	const bool stream = stat(path, &st) == 0 && is_stream(&st);
	int fd = stream ? -1 : open(path, FLAGS | O_CREAT | O_EXCL, 0666);

	if (fd >= 0)
		return fd;
	if (!stream && errno == EEXIST && file_replaceable(path, kind, reason) < 0)
		return -1;
	if (stream || errno == EEXIST)
		fd = open(path, FLAGS | (stream ? 0 : O_NOFOLLOW));
	if (fd >= 0 && stream)
		(void)fcntl(fd, F_SETPIPE_SZ, PIPE_SIZE);
	*reason = fd < 0 ? strerror(errno) : "is no longer what it was";
	/* The file of stat() may have been replaced since. */
	return fd < 0 || (fstat(fd, &opened) == 0 && file_is_same(&opened, &st)) ? fd
	                                                                         : file_close(fd);
}

void output_tail_add(struct output_tail *tail, const char *text, size_t n)
{
	const size_t fresh = n < OUTPUT_TAIL_SIZE ? n : OUTPUT_TAIL_SIZE,
	             room = OUTPUT_TAIL_SIZE - fresh, kept = tail->n < room ? tail->n : room;

	memmove(tail->text, tail->text + tail->n - kept, kept);
	memcpy(tail->text + kept, text + n - fresh, fresh);
	tail->n = kept + fresh;
}

char *output_tail_last_line(const struct output_tail *tail, char *line, size_t size)
{
	size_t end = tail->n, start;

	while (end > 0 && tail->text[end - 1] == '\n')
		end--;
	for (start = end; start > 0 && tail->text[start - 1] != '\n'; start--)
		;
	snprintf(line, size, "%.*s", (int)(end - start), tail->text + start);
	return printable_replace(line, strlen(line));
}

/* Appends to a log, because any text file may be a log. The far command may wait for its reader. */
static int open_log(const char *path)
{
	const char *reason;
	const int fd = output_open(path, NULL, &reason);

	if (fd < 0)
		standard_report("--far-log=%s: %s; name a new file, or one of yours to add to",
		    path, reason);
	else
		(void)fcntl(fd, F_SETFL, O_APPEND);
	return fd;
}

int output_open_far(struct output *o, const char *file)
{
	const bool to_stderr = file && strcmp(file, "-") == 0;
	int ends[2];

	*o = (struct output){ .fd = -1, .end = -1, .screen = -1 };
	/* Opens the terminal again, so that writes do not block; another user's cannot be. */
	if (to_stderr && isatty(STDERR_FILENO)) {
		o->screen = open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
		if (o->screen < 0)
			o->screen = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	}
	if (file && !to_stderr)
		return (o->end = open_log(file)) < 0 ? 2 : 0;
	if (to_stderr && o->screen < 0) {
		o->end = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	} else if (pipe2(ends, O_CLOEXEC) == 0) {
		(void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
		o->fd = ends[0];
		o->end = ends[1];
	}
	if (o->end < 0)
		standard_report("the far command's output: %s", strerror(errno));
	return o->end < 0;
}

/* Text that the terminal does not take now waits, and the far command waits with it. */
static void show(struct output *o)
{
	ssize_t n = 0;

	while (o->screen >= 0 && !send_buffer_empty(&o->shown) && n >= 0) {
		n = write(o->screen, o->shown.bytes + o->shown.first,
		    o->shown.end - o->shown.first);
		o->shown.first += n > 0 ? (size_t)n : 0;
	}
	/* A terminal that is gone takes no more text. */
	if (n < 0 && errno != EAGAIN && errno != EINTR)
		o->shown.first = o->shown.end;
}

void output_read(struct output *o)
{
	char buf[OUTPUT_TAIL_SIZE], shown[PRINTABLE_PIECE_ROOM];
	ssize_t n = 1;

	for (int i = 0; i < FAR_READS && (n = read(o->fd, buf, sizeof(buf))) > 0; i++) {
		output_tail_add(&o->tail, buf, (size_t)n);
		if (o->screen >= 0)
			send_buffer_add(&o->shown, shown,
			    printable_piece(&o->rest, shown, buf, (size_t)n, "\t\n",
			        standard_utf8()));
	}
	show(o);
	if (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)))
		return;
	o->fd = file_close(o->fd);
}

void output_watch(const struct output *o, struct fd_watch *w)
{
	if (send_buffer_empty(&o->shown))
		fd_watch_read(w, o->fd);
	else
		fd_watch_write(w, o->screen);
}

void output_dispatch(struct output *o, const struct fd_watch *w)
{
	if (fd_watch_can_write(w, o->screen))
		show(o);
	if (fd_watch_can_read(w, o->fd))
		output_read(o);
}
