/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The history file: what the prompt does without a terminal. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "terminal/history.h"
#include "tests/lib/child.h"
#include "tests/lib/cmocka-compat.h"
#include "common/clock.h"
#include "common/file.h"

/* The reason of the last call. */
static const char *reason;

static int append(const char *path, const char *const *lines, size_t count, size_t keep)
{
	char *text = NULL;
	size_t n;
	FILE *out = open_memstream(&text, &n);

	for (size_t i = 0; i < count; i++)
		fprintf(out, "%s\n", lines[i]);
	fclose(out);
	int result = history_append(path, text, keep, false, &reason), error = errno;
	free(text);
	errno = error;
	return result;
}

/* The lines read, joined by '|'. */
struct joined {
	char text[256];
};

static void join(void *context, const char *line)
{
	struct joined *j = context;
	size_t n = strlen(j->text);
	snprintf(j->text + n, sizeof(j->text) - n, "%s|", line);
}

static int remove_entry(const char *path, const struct stat *st, int kind, struct FTW *where)
{
	(void)st;
	(void)kind;
	(void)where;
	return remove(path);
}

static int set_up(void **state)
{
	char *folder = strdup("/tmp/past.XXXXXX");
	if (!folder || !mkdtemp(folder))
		return -1;
	*state = folder;
	return 0;
}

static int tear_down(void **state)
{
	nftw(*state, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
	free(*state);
	return 0;
}

static const char *path_of(void **state, const char *name)
{
	static char path[2][128];
	static int turn;
	turn = !turn;
	snprintf(path[turn], sizeof(path[turn]), "%s/%s", (const char *)*state, name);
	return path[turn];
}

static void write_file(const char *path, const void *bytes, size_t n)
{
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, n, file), n);
	assert_int_equal(fclose(file), 0);
}

static void assert_lines(const char *path, const char *joined)
{
	struct joined j = { "" };
	assert_int_equal(history_read(path, join, &j, &reason), 0);
	assert_string_equal(j.text, joined);
}

static void reads_any_file(void **state)
{
	static const char bytes[] = "#17 hello\n\n  two \nze\0ro\n\xff\xfe\nlast";
	const char *path = path_of(state, "history");
	assert_lines(path, "");
	write_file(path, bytes, sizeof(bytes) - 1);
	assert_lines(path, "#17 hello|  two |\xff\xfe|last|");
	struct joined j = { "" };
	assert_int_equal(history_read(path_of(state, "."), join, &j, &reason), -1);
	assert_string_equal(reason, "is a folder");
	/* A pipe without a writer is not waited for. */
	path = path_of(state, "pipe");
	assert_int_equal(mkfifo(path, 0600), 0);
	alarm(10);
	assert_int_equal(history_read(path, join, &j, &reason), -1);
	assert_string_equal(reason, "is a FIFO");
	assert_lines("/dev/null", "");
	alarm(0);
}

static void refused(const char *path, off_t size, const char *expected)
{
	static const char *const lines[] = { "new" };
	struct joined j = { "" };
	struct stat st;

	assert_int_equal(history_read(path, join, &j, &reason), -1);
	assert_string_equal(reason, expected);
	assert_int_equal(append(path, lines, 1, 10), -1);
	assert_string_equal(reason, expected);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, size);
}

/* Never read into memory whole, and never made smaller. */
static void leaves_alone_what_is_too_large(void **state)
{
	const char *path = path_of(state, "history");

	write_file(path, "old\n", 4);
	assert_int_equal(truncate(path, (16 << 20) + 1), 0);
	refused(path, (16 << 20) + 1, "is larger than 16 MiB");
	assert_int_equal(truncate(path, 4 + (1 << 20) + 1), 0);
	refused(path, 4 + (1 << 20) + 1, "has a line of more than 1 MiB");
}

/* The oldest lines make room in bytes as well: else it could not be read the next time. */
static void stays_small_enough(void **state)
{
	const char *path = path_of(state, "history"), *lines[20];
	struct stat st;
	char *line = malloc((1 << 20) + 1);

	assert_non_null(line);
	memset(line, 'x', 1 << 20);
	line[1 << 20] = '\0';
	for (int i = 0; i < 20; i++)
		lines[i] = line;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(append(path, lines, 20, 100), 0);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_size, 15 * ((1 << 20) + 1));
	}
	free(line);
}

/* It is another user's, or he decides by a link what it is. */
static void leaves_alone_what_is_anothers(void **state)
{
	const char *path, *mine;

	if (geteuid() != 0)
		not_here("files of another user: only root makes them");
	assert_int_equal(mkdir(path_of(state, "a"), 0755), 0);
	path = path_of(state, "a/history");
	write_file(path, "old\n", 4);
	assert_int_equal(chown(path, 1, 1), 0);
	refused(path, 4, "belongs to another user");
	assert_int_equal(unlink(path), 0);
	mine = path_of(state, "mine");
	write_file(mine, "old\n", 4);
	assert_int_equal(symlink(mine, path), 0);
	assert_int_equal(lchown(path, 1, 1), 0);
	refused(path, 4, "is reached by way of what belongs to another user");
	char own[128];
	snprintf(own, sizeof(own), "%s/own", (const char *)*state);
	assert_int_equal(symlink("a/history", own), 0);
	refused(own, 4, "is reached by way of what belongs to another user");
	/* Nor does an ordinary user follow his link. */
	assert_int_equal(chmod(*state, 0755), 0);
	assert_int_equal(chown(mine, 2, 2), 0);
	assert_int_equal(seteuid(2), 0);
	refused(path, 4, "is reached by way of what belongs to another user");
	assert_int_equal(seteuid(0), 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(chown(path_of(state, "a"), 1, 1), 0);
	static const char *const lines[] = { "new" };
	path = path_of(state, "a/new/history");
	assert_int_equal(append(path, lines, 1, 10), -1);
	assert_int_equal(access(path_of(state, "a/new"), F_OK), -1);
}

static void makes_folders(void **state)
{
	static const char *const lines[] = { "one", "two" };
	const char *path = path_of(state, "a/b/history");
	struct stat st;
	assert_int_equal(append(path, lines, 2, 10), 0);
	assert_lines(path, "one|two|");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(stat(path_of(state, "a"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
}

static void keeps_the_newest(void **state)
{
	static const char *const first[] = { "1", "2", "3" }, *const second[] = { "4", "5" };
	const char *path = path_of(state, "history");
	assert_int_equal(append(path, first, 3, 4), 0);
	assert_lines(path, "1|2|3|");
	assert_int_equal(append(path, second, 2, 4), 0);
	assert_lines(path, "2|3|4|5|");
	assert_int_equal(append(path, first, 3, 1), 0);
	assert_lines(path, "3|");
	struct stat st;
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

static void mends_a_cut_line(void **state)
{
	static const char *const lines[] = { "new" };
	const char *path = path_of(state, "history");
	write_file(path, "cut", 3);
	assert_int_equal(append(path, lines, 1, 10), 0);
	assert_lines(path, "cut|new|");
}

static void follows_links(void **state)
{
	static const char *const lines[] = { "1", "2" };
	struct stat st;
	const char *path = path_of(state, "real"), *name = path_of(state, "link");
	write_file(path, "0\n", 2);
	assert_int_equal(symlink(path, name), 0);
	assert_int_equal(append(name, lines, 2, 2), 0);
	assert_int_equal(lstat(name, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_lines(path, "1|2|");
	assert_int_equal(append("/dev/null", lines, 2, 1), 0);
	assert_int_equal(stat("/dev/null", &st), 0);
	assert_true(S_ISCHR(st.st_mode));
}

static void tells_failure(void **state)
{
	static const char *const lines[] = { "1" };
	char path[160];
	write_file(path_of(state, "file"), "x", 1);
	snprintf(path, sizeof(path), "%s/below", path_of(state, "file"));
	assert_int_equal(append(path, lines, 1, 2), -1);
	assert_int_equal(errno, ENOTDIR);
	assert_int_equal(append("/dev/full", lines, 1, 2), -1);
	assert_int_equal(append("", lines, 1, 2), -1);
}

#define SESSIONS 8

/* Three lines of session `i`, `count` times; returns how often it failed. Where another session has
 * the lock for all the time that one waits for it, it tries again: a slow disk is no fault. */
static int append_often(const char *path, int i, int count, size_t keep)
{
	int failed = 0;
	for (int n = 0; n < count; n++) {
		char text[3][32];
		const char *lines[3];
		for (int line = 0; line < 3; line++) {
			snprintf(text[line], sizeof(text[line]), "session %d line %d", i,
			    3 * n + line);
			lines[line] = text[line];
		}
		int r, tries = 0;
		do
			r = append(path, lines, 3, keep);
		while (r < 0 && errno == EBUSY && ++tries < 12);
		failed += r < 0;
	}
	return failed;
}

static void start_sessions(pid_t *sessions, const char *path, int count, size_t keep)
{
	for (int i = 0; i < SESSIONS; i++) {
		sessions[i] = fork();
		assert_true(sessions[i] >= 0);
		if (sessions[i] != 0)
			continue;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(append_often(path, i, count, keep) != 0);
	}
}

/* Which lines are there, of each session; all of them whole. */
struct seen {
	int lines, next[SESSIONS];
	bool wrong;
};

static void see(void *context, const char *line)
{
	struct seen *s = context;
	int i, n, end = 0;
	if (sscanf(line, "session %d line %d%n", &i, &n, &end) != 2 || line[end] || i < 0 ||
	    i >= SESSIONS || n < s->next[i]) {
		s->wrong = true;
		return;
	}
	s->next[i] = n + 1;
	s->lines++;
}

/* Sessions that run at the same time, `count` times three lines each: all are there then. */
static void run_sessions(const char *path, int count)
{
	pid_t sessions[SESSIONS];
	struct seen seen = { .lines = 0 };
	start_sessions(sessions, path, count, 1000);
	for (int i = 0; i < SESSIONS; i++) {
		int status;
		assert_int_equal(waitpid(sessions[i], &status, 0), sessions[i]);
		assert_int_equal(status, 0);
	}
	assert_int_equal(history_read(path, see, &seen, &reason), 0);
	assert_false(seen.wrong);
	assert_int_equal(seen.lines, SESSIONS * 3 * count);
}

/* Whatever order they come in: each line of each session is there once. */
static void loses_no_session(void **state)
{
	run_sessions(path_of(state, "history"), 10);
}

/* Where there is no file yet, whoever comes first makes it. */
static void sessions_make_one_file(void **state)
{
	const char *path = path_of(state, "history");
	for (int round = 0; round < (SANITIZED ? 10 : 50); round++) {
		run_sessions(path, 1);
		assert_int_equal(unlink(path), 0);
	}
}

/* Sessions that are killed anywhere on the way: no half line, nothing lost that was there, no lock
 * left. */
static void survives_being_killed(void **state)
{
	const char *path = path_of(state, "history");
	for (int round = 0; round < (SANITIZED ? 6 : 20); round++) {
		pid_t sessions[SESSIONS];
		start_sessions(sessions, path, 1000000, 50);
		/* Until some have written: the file is another one then. */
		struct stat before = { .st_ino = 0 }, now;
		for (int i = 0; i < 4 + round;)
			if (stat(path, &now) == 0 && now.st_ino != before.st_ino) {
				before = now;
				i++;
			}
		for (int i = 0; i < SESSIONS; i++) {
			kill(sessions[i], SIGKILL);
			assert_int_equal(waitpid(sessions[i], NULL, 0), sessions[i]);
		}
		struct seen seen = { .lines = 0 };
		assert_int_equal(append_often(path, 0, 1, 50), 0);
		/* Each round begins its numbers anew, so only their form is looked at. */
		assert_int_equal(history_read(path, see, &seen, &reason), 0);
		assert_uint_in_range(seen.lines, 3, 50);
		assert_int_equal(unlink(path), 0);
	}
}

static void ignore_it(int signal)
{
	(void)signal;
}

/* A process that keeps the file's lock until it is ended. 0 if there is none. */
static pid_t lock_holder;

static void hold_lock(const char *path)
{
	int ends[2];
	char byte;
	assert_int_equal(pipe(ends), 0);
	lock_holder = fork();
	if (lock_holder == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		int fd = open(path, O_RDWR);
		_exit(fd < 0 || flock(fd, LOCK_EX) < 0 || write(ends[1], "x", 1) != 1 || pause());
	}
	assert_true(lock_holder > 0);
	close(ends[1]);
	assert_int_equal(read(ends[0], &byte, 1), 1);
	close(ends[0]);
}

static void end_lock_holder(void)
{
	if (lock_holder <= 0)
		return;
	kill(lock_holder, SIGKILL);
	waitpid(lock_holder, NULL, 0);
	lock_holder = 0;
}

static int tear_down_lock(void **state)
{
	end_lock_holder();
	return tear_down(state);
}

/* The time that it takes to be told that the file stays locked, ms. */
static int64_t time_refused(const char *path, bool short_wait)
{
	const int64_t before = clock_monotonic();
	assert_int_equal(history_append(path, "new\n", 10, short_wait, &reason), -1);
	assert_int_equal(errno, EBUSY);
	return (clock_monotonic() - before) / NS_PER_MS;
}

static void waits_for_a_lock(void **state)
{
	static const char *const lines[] = { "new" };
	const char *path = path_of(state, "history");
	write_file(path, "old\n", 4);
	hold_lock(path);
	/* The wait is bounded. */
	assert_uint_in_range(time_refused(path, false), 5000, 8000);
	/* Even less when the session is told to end, before or meanwhile. */
	assert_uint_in_range(time_refused(path, true), 500, 2000);
	sigset_t user;
	sigemptyset(&user);
	sigaddset(&user, SIGUSR1);
	sigprocmask(SIG_BLOCK, &user, NULL);
	signal(SIGUSR1, ignore_it);
	raise(SIGUSR1);
	assert_uint_in_range(time_refused(path, false), 500, 2000);
	end_lock_holder();
	assert_int_equal(append(path, lines, 1, 10), 0);
	assert_lines(path, "old|new|");
}

/* Sessions that end together: each locks the file that it replaces the other's by. */
static void waits_for_one_after_the_other(void **state)
{
	const char *path = path_of(state, "history");
	write_file(path, "old\n", 4);
	hold_lock(path);
	const pid_t first = lock_holder;
	lock_holder = fork();
	if (lock_holder == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (int i = 0; i < 3; i++) {
			char fresh[PATH_MAX];
			snprintf(fresh, sizeof fresh, "%s.%d", path, i);
			int fd = open(fresh, O_RDWR | O_CREAT, 0600);
			if (fd < 0 || flock(fd, LOCK_EX) < 0 || rename(fresh, path) < 0)
				_exit(1);
			poll(NULL, 0, 300);
		}
		_exit(0);
	}
	assert_true(lock_holder > 0);
	const int64_t before = clock_monotonic();
	assert_int_equal(history_append(path, "new\n", 10, true, &reason), 0);
	assert_uint_in_range((clock_monotonic() - before) / NS_PER_MS, 600, 5000);
	kill(first, SIGKILL);
	waitpid(first, NULL, 0);
	assert_lines(path, "new|");
}

/* As on a full disk. */
static void keeps_the_old_where_there_is_no_room(void **state)
{
	static const char *const lines[] = { "a line that has no room" };
	const char *path = path_of(state, "history");
	struct rlimit before, tight;
	write_file(path, "1\n2\n3\n", 6);
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &before);
	tight = (struct rlimit){ .rlim_cur = 8, .rlim_max = before.rlim_max };
	setrlimit(RLIMIT_FSIZE, &tight);
	int r = append(path, lines, 1, 10), error = errno;
	setrlimit(RLIMIT_FSIZE, &before);
	signal(SIGXFSZ, SIG_DFL);
	assert_int_equal(r, -1);
	assert_int_equal(error, EFBIG);
	assert_lines(path, "1|2|3|");
	assert_int_equal(access(path_of(state, "history.upcase-new"), F_OK), -1);
}

/* What a killed session left goes, whatever it is like. */
static void makes_way_for_a_new_file(void **state)
{
	static const char *const lines[] = { "2" };
	const char *path = path_of(state, "history"), *left = path_of(state, "history.upcase-new");
	struct stat st;
	write_file(path, "1\n", 2);
	write_file(left, "half of a li", 12);
	write_file(path_of(state, "history.new"), "mine", 4);
	path = path_of(state, "history");
	left = path_of(state, "history.upcase-new");
	assert_int_equal(chmod(left, 0444), 0);
	assert_int_equal(append(path, lines, 1, 10), 0);
	assert_lines(path, "1|2|");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	/* What no session leaves stays. */
	assert_int_equal(access(path_of(state, "history.new"), F_OK), 0);
	path = path_of(state, "history");
	assert_int_equal(symlink("elsewhere", left = path_of(state, "history.upcase-new")), 0);
	assert_int_equal(append(path, lines, 1, 10), -1);
	assert_string_equal(reason, "is a symbolic link");
	assert_int_equal(lstat(left, &st), 0);
	assert_lines(path, "1|2|");
}

/* A link to a file that is not there yet stays a link. */
static void follows_a_link_to_nothing(void **state)
{
	static const char *const lines[] = { "1" };
	struct stat st;
	const char *path = path_of(state, "real"), *name = path_of(state, "link");
	assert_int_equal(symlink(path, name), 0);
	assert_int_equal(append(name, lines, 1, 2), 0);
	assert_int_equal(lstat(name, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_lines(path, "1|");
}

/* A file grows while it is read, or has no end and no size. */
static void a_text_is_bounded(void **state)
{
	size_t n;
	char *text;
	(void)state;
	assert_null(file_text(open("/dev/zero", O_RDONLY), 100000, &n, &reason));
	assert_int_equal(errno, EFBIG);
	text = file_text(open("/dev/null", O_RDONLY), 100000, &n, &reason);
	assert_non_null(text);
	assert_int_equal(n, 0);
	assert_string_equal(text, "");
	free(text);
	assert_null(file_text(open("/", O_RDONLY), 100000, &n, &reason));
	assert_string_equal(reason, strerror(EISDIR));
}

static int put_much(void *context, FILE *out)
{
	(void)context;
	fputs("made", out);
	errno = ENOSPC;
	return -1;
}

/* While it is written somebody puts another one there. */
static int put_and_replace(void *context, FILE *out)
{
	void **state = context;
	assert_int_equal(unlink(path_of(state, "made")), 0);
	write_file(path_of(state, "made"), "another", 7);
	return put_much(context, out);
}

static void removes_only_what_it_made(void **state)
{
	char path[128];
	struct stat made, st;

	snprintf(path, sizeof(path), "%s", path_of(state, "made"));
	assert_int_equal(file_make(path, put_much, state, &made), -1);
	assert_int_equal(errno, ENOSPC);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(file_make(path, put_and_replace, state, &made), -1);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, 7);
	assert_int_equal(file_make(path, put_much, state, &made), -1);
	assert_int_equal(errno, EEXIST);
	/* As long as nobody has written to it, and a link to it is not it. */
	assert_int_equal(file_remove(path, &made), -1);
	assert_int_equal(symlink(path, path_of(state, "link")), 0);
	assert_int_equal(file_remove(path_of(state, "link"), &st), -1);
	assert_int_equal(utimensat(AT_FDCWD, path, (const struct timespec[2]){ { 0 } }, 0), 0);
	assert_int_equal(file_remove(path, &st), -1);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(file_remove(path, &st), 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(reads_any_file),
		TEST(leaves_alone_what_is_too_large),
		TEST(stays_small_enough),
		TEST(leaves_alone_what_is_anothers),
		TEST(makes_folders),
		TEST(keeps_the_newest),
		TEST(mends_a_cut_line),
		TEST(follows_links),
		TEST(tells_failure),
		TEST(loses_no_session),
		TEST(sessions_make_one_file),
		TEST(survives_being_killed),
		cmocka_unit_test_setup_teardown(waits_for_a_lock, set_up, tear_down_lock),
		cmocka_unit_test_setup_teardown(waits_for_one_after_the_other, set_up,
		    tear_down_lock),
		TEST(keeps_the_old_where_there_is_no_room),
		TEST(makes_way_for_a_new_file),
		TEST(follows_a_link_to_nothing),
		TEST(a_text_is_bounded),
		TEST(removes_only_what_it_made),
	};
	return cmocka_run_group_tests_name("history", tests, NULL, NULL);
}
