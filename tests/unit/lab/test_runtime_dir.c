/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/lib/child.h"
#include "lab/hosts/runtime-dir.h"

struct place {
	char runtime[64];
};

static int open_place(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	strcpy(p->runtime, "/tmp/upcase-test-XXXXXX");
	if (!mkdtemp(p->runtime))
		return -1;
	setenv("XDG_RUNTIME_DIR", p->runtime, 1);
	setenv("TMPDIR", p->runtime, 1);
	*state = p;
	return 0;
}

static int close_place(void **state)
{
	struct place *p = *state;
	/* Fails, and with it the test, if anything is left. */
	int result = rmdir(p->runtime);

	free(p);
	return result;
}

static int make(char path[RUNTIME_DIR_PATH])
{
	char reasons[512];

	return runtime_dir_make(path, reasons, sizeof(reasons));
}

/* A lab that listens in its folder. */
static int listen_in(const char *folder)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(at.sun_path, sizeof(at.sun_path), "%s/" RUNTIME_DIR_LINK, folder);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (const struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(fd, 5), 0);
	return fd;
}

static void is_the_users_alone(void **state)
{
	const struct place *p = *state;
	char path[RUNTIME_DIR_PATH];
	struct stat st;

	assert_int_equal(make(path), 0);
	assert_memory_equal(path, p->runtime, strlen(p->runtime));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	runtime_dir_remove(path);
	assert_int_not_equal(access(path, F_OK), 0);
}

static void is_removed_with_its_files(void **state)
{
	char path[RUNTIME_DIR_PATH];
	int fd;

	(void)state;
	assert_int_equal(make(path), 0);
	fd = listen_in(path);
	runtime_dir_remove(path);
	assert_int_not_equal(access(path, F_OK), 0);
	close(fd);
	/* Neither does harm. */
	runtime_dir_remove(path);
	runtime_dir_remove("");
}

/* The clock of files is coarse. */
static void set_time(const char *path, time_t seconds, long ns)
{
	const struct timespec times[] = { { seconds, ns }, { seconds, ns } };

	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void newest_is_the_last_that_lives(void **state)
{
	char first[RUNTIME_DIR_PATH], second[RUNTIME_DIR_PATH], dead[RUNTIME_DIR_PATH], found[200],
	    want[200];
	int one, two;

	(void)state;
	assert_int_equal(runtime_dir_newest(found, sizeof(found)), -1);
	assert_int_equal(make(first), 0);
	assert_int_equal(runtime_dir_newest(found, sizeof(found)), -1);
	one = listen_in(first);
	assert_int_equal(make(second), 0);
	two = listen_in(second);
	assert_int_equal(make(dead), 0);
	set_time(first, 10, 0);
	set_time(second, 10, 1);
	set_time(dead, 10, 2);
	snprintf(want, sizeof(want), "%s/" RUNTIME_DIR_LINK, second);
	assert_int_equal(runtime_dir_newest(found, sizeof(found)), 0);
	assert_string_equal(found, want);
	close(two);
	snprintf(want, sizeof(want), "%s/" RUNTIME_DIR_LINK, first);
	assert_int_equal(runtime_dir_newest(found, sizeof(found)), 0);
	assert_string_equal(found, want);
	close(one);
	runtime_dir_remove(first);
	runtime_dir_remove(second);
	runtime_dir_remove(dead);
}

/* What a lab left that was killed with its supervisor goes; what a living one has stays, also
 * before it listens. */
static void removes_what_was_left_behind(void **state)
{
	const struct place *p = *state;
	char left[200], ours[RUNTIME_DIR_PATH], fresh[RUNTIME_DIR_PATH];

	/* No process has this number: it is beyond the kernel's largest (4194304). */
	snprintf(left, sizeof(left), "%s/upcase-lab-99999999.abcdef", p->runtime);
	assert_int_equal(mkdir(left, 0700), 0);
	close(listen_in(left));
	assert_int_equal(make(ours), 0);
	assert_int_not_equal(access(left, F_OK), 0);
	assert_int_equal(make(fresh), 0);
	assert_int_equal(access(ours, F_OK), 0);
	runtime_dir_remove(ours);
	runtime_dir_remove(fresh);
}

static void falls_back_to_tmp(void **state)
{
	const struct place *p = *state;
	char path[RUNTIME_DIR_PATH], missing[100], far[120];

	snprintf(missing, sizeof(missing), "%s/missing", p->runtime);
	setenv("XDG_RUNTIME_DIR", missing, 1);
	assert_int_equal(make(path), 0);
	assert_memory_equal(path, p->runtime, strlen(p->runtime));
	runtime_dir_remove(path);
	unsetenv("TMPDIR");
	assert_int_equal(make(path), 0);
	assert_memory_equal(path, "/tmp/upcase-lab-", 16);
	runtime_dir_remove(path);
	/* A path that no socket's address can hold. */
	memset(far, 'x', sizeof(far) - 1);
	far[0] = '/';
	far[sizeof(far) - 1] = 0;
	setenv("XDG_RUNTIME_DIR", far, 1);
	assert_int_equal(make(path), 0);
	assert_memory_equal(path, "/tmp/upcase-lab-", 16);
	runtime_dir_remove(path);
}

/* Where another user could put something in its place: a folder that others may write to, or one
 * below such a folder. With the sticky bit they cannot. */
static void does_not_lie_where_others_write(void **state)
{
	const struct place *p = *state;
	char open[80], below[100], path[RUNTIME_DIR_PATH], first[RUNTIME_DIR_PATH], reasons[512],
	    found[200], want[160];
	int fd;

	snprintf(open, sizeof(open), "%s/open", p->runtime);
	snprintf(below, sizeof(below), "%s/below", open);
	assert_int_equal(mkdir(open, 0700), 0);
	assert_int_equal(mkdir(below, 0700), 0);
	setenv("XDG_RUNTIME_DIR", below, 1);
	assert_int_equal(make(path), 0);
	assert_memory_equal(path, below, strlen(below));
	strcpy(first, path);
	fd = listen_in(path);
	assert_int_equal(runtime_dir_newest(found, sizeof(found)), 0);
	assert_int_equal(chmod(open, 0777), 0);
	/* Nor is a lab looked for there. */
	assert_int_equal(runtime_dir_newest(found, sizeof(found)), -1);
	runtime_dir_remove(first);
	close(fd);
	assert_int_equal(runtime_dir_make(path, reasons, sizeof(reasons)), 0);
	assert_memory_not_equal(path, below, strlen(below));
	runtime_dir_remove(path);
	snprintf(want, sizeof(want), "%s: another user can change what lies there", below);
	assert_string_equal(reasons, want);
	assert_int_equal(chmod(open, 01777), 0);
	assert_int_equal(make(path), 0);
	assert_memory_equal(path, below, strlen(below));
	runtime_dir_remove(path);
	assert_int_equal(rmdir(below), 0);
	assert_int_equal(rmdir(open), 0);
}

/* A folder of ours that a link leads to is not the lab's. */
static void removes_nothing_through_a_link(void **state)
{
	const struct place *p = *state;
	char other[80], link[100], file[100];

	snprintf(other, sizeof(other), "%s/other", p->runtime);
	snprintf(link, sizeof(link), "%s/upcase-lab-99999999.abcdef", p->runtime);
	snprintf(file, sizeof(file), "%s/" RUNTIME_DIR_LINK, other);
	assert_int_equal(mkdir(other, 0700), 0);
	close(listen_in(other));
	assert_int_equal(symlink(other, link), 0);
	runtime_dir_remove(link);
	assert_int_equal(access(file, F_OK), 0);
	assert_int_equal(unlink(file), 0);
	assert_int_equal(unlink(link), 0);
	assert_int_equal(rmdir(other), 0);
}

/* Root in a folder of another user's. */
static void is_not_made_in_a_folder_of_another_user(void **state)
{
	const struct place *p = *state;
	char path[RUNTIME_DIR_PATH], reasons[512];

	if (geteuid() != 0)
		not_here("a folder of another user's: only root makes one");
	assert_int_equal(chown(p->runtime, 65534, 65534), 0);
	assert_int_equal(runtime_dir_make(path, reasons, sizeof(reasons)), -1);
	assert_non_null(strstr(reasons, "; /tmp/upcase-test-"));
	assert_int_equal(setenv("TMPDIR", "/tmp", 1), 0);
	assert_int_equal(make(path), 0);
	assert_memory_equal(path, "/tmp/upcase-lab-", 16);
	runtime_dir_remove(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(is_the_users_alone, open_place, close_place),
		cmocka_unit_test_setup_teardown(is_removed_with_its_files, open_place, close_place),
		cmocka_unit_test_setup_teardown(newest_is_the_last_that_lives, open_place,
		    close_place),
		cmocka_unit_test_setup_teardown(removes_what_was_left_behind, open_place,
		    close_place),
		cmocka_unit_test_setup_teardown(falls_back_to_tmp, open_place, close_place),
		cmocka_unit_test_setup_teardown(does_not_lie_where_others_write, open_place,
		    close_place),
		cmocka_unit_test_setup_teardown(removes_nothing_through_a_link, open_place,
		    close_place),
		cmocka_unit_test_setup_teardown(is_not_made_in_a_folder_of_another_user, open_place,
		    close_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
