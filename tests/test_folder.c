/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "folder.h"

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

/* A lab that listens in its folder. */
static int listen_in(const char *folder)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(at.sun_path, sizeof(at.sun_path), "%s/" FOLDER_LINK, folder);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (const struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(fd, 5), 0);
	return fd;
}

static void is_the_users_alone(void **state)
{
	const struct place *p = *state;
	char path[FOLDER_PATH];
	struct stat st;

	assert_int_equal(folder_make(path), 0);
	assert_memory_equal(path, p->runtime, strlen(p->runtime));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	folder_remove(path);
	assert_int_not_equal(access(path, F_OK), 0);
}

static void is_removed_with_its_files(void **state)
{
	char path[FOLDER_PATH];
	int fd;

	(void)state;
	assert_int_equal(folder_make(path), 0);
	fd = listen_in(path);
	folder_remove(path);
	assert_int_not_equal(access(path, F_OK), 0);
	close(fd);
	/* Neither does harm. */
	folder_remove(path);
	folder_remove("");
}

/* The clock of files is coarse. */
static void set_time(const char *path, time_t seconds, long ns)
{
	const struct timespec times[] = { { seconds, ns }, { seconds, ns } };

	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void newest_is_the_last_that_lives(void **state)
{
	char first[FOLDER_PATH], second[FOLDER_PATH], dead[FOLDER_PATH], found[200], want[200];
	int one, two;

	(void)state;
	assert_int_equal(folder_newest(found, sizeof(found)), -1);
	assert_int_equal(folder_make(first), 0);
	assert_int_equal(folder_newest(found, sizeof(found)), -1);
	one = listen_in(first);
	assert_int_equal(folder_make(second), 0);
	two = listen_in(second);
	assert_int_equal(folder_make(dead), 0);
	set_time(first, 10, 0);
	set_time(second, 10, 1);
	set_time(dead, 10, 2);
	snprintf(want, sizeof(want), "%s/" FOLDER_LINK, second);
	assert_int_equal(folder_newest(found, sizeof(found)), 0);
	assert_string_equal(found, want);
	close(two);
	snprintf(want, sizeof(want), "%s/" FOLDER_LINK, first);
	assert_int_equal(folder_newest(found, sizeof(found)), 0);
	assert_string_equal(found, want);
	close(one);
	folder_remove(first);
	folder_remove(second);
	folder_remove(dead);
}

/* What a lab left that was killed with its keeper goes; what a living one has stays, also before it listens. */
static void removes_what_was_left_behind(void **state)
{
	const struct place *p = *state;
	char left[200], ours[FOLDER_PATH], fresh[FOLDER_PATH];

	/* No process has this number: it is beyond the kernel's largest (4194304). */
	snprintf(left, sizeof(left), "%s/upcase-lab-99999999.abcdef", p->runtime);
	assert_int_equal(mkdir(left, 0700), 0);
	close(listen_in(left));
	assert_int_equal(folder_make(ours), 0);
	assert_int_not_equal(access(left, F_OK), 0);
	assert_int_equal(folder_make(fresh), 0);
	assert_int_equal(access(ours, F_OK), 0);
	folder_remove(ours);
	folder_remove(fresh);
}

static void falls_back_to_tmp(void **state)
{
	const struct place *p = *state;
	char path[FOLDER_PATH], missing[100], far[120];

	snprintf(missing, sizeof(missing), "%s/missing", p->runtime);
	setenv("XDG_RUNTIME_DIR", missing, 1);
	assert_int_equal(folder_make(path), 0);
	assert_memory_equal(path, p->runtime, strlen(p->runtime));
	folder_remove(path);
	unsetenv("TMPDIR");
	assert_int_equal(folder_make(path), 0);
	assert_memory_equal(path, "/tmp/upcase-lab-", 16);
	folder_remove(path);
	/* A path that no socket's address can hold. */
	memset(far, 'x', sizeof(far) - 1);
	far[0] = '/';
	far[sizeof(far) - 1] = 0;
	setenv("XDG_RUNTIME_DIR", far, 1);
	assert_int_equal(folder_make(path), 0);
	assert_memory_equal(path, "/tmp/upcase-lab-", 16);
	folder_remove(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(is_the_users_alone, open_place, close_place),
		cmocka_unit_test_setup_teardown(is_removed_with_its_files, open_place, close_place),
		cmocka_unit_test_setup_teardown(newest_is_the_last_that_lives, open_place, close_place),
		cmocka_unit_test_setup_teardown(removes_what_was_left_behind, open_place, close_place),
		cmocka_unit_test_setup_teardown(falls_back_to_tmp, open_place, close_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
