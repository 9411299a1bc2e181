/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The line to the lab, with a lab that is only a socket: pieces, order, bounds, its end. */
#include <setjmp.h>
#include <stdarg.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "trace/lab-socket.h"

struct fixture {
	char folder[32], path[48];
	int listener, far;
	struct lab_socket *lab;
	/* Everything that was told, one word a piece. */
	char told[20000];
	int gone;
};

static void add(struct fixture *s, const char *text)
{
	strncat(s->told, text, sizeof s->told - strlen(s->told) - 1);
}

static void on_answer(void *context, const struct lab_socket_answer *answer)
{
	char text[400];

	snprintf(text, sizeof text, "[%d %d %s %.300s]", answer->purpose, (int)answer->note,
	    answer->ok ? "ok" : "no", answer->text);
	add(context, text);
}

static void on_line(void *context, const char *line)
{
	add(context, "<");
	add(context, line);
	add(context, ">");
}

static void on_gone(void *context)
{
	((struct fixture *)context)->gone++;
}

static int set_up(void **state)
{
	struct fixture *s = calloc(1, sizeof *s);
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	strcpy(s->folder, "/tmp/upcase-line-XXXXXX");
	assert_non_null(mkdtemp(s->folder));
	snprintf(s->path, sizeof s->path, "%s/link", s->folder);
	strcpy(a.sun_path, s->path);
	s->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(s->listener, (struct sockaddr *)&a, sizeof a), 0);
	assert_int_equal(listen(s->listener, 1), 0);
	s->lab = lab_socket_open(s->path,
	    &(struct lab_socket_hooks){
	        .context = s, .answer = on_answer, .line = on_line, .gone = on_gone });
	assert_non_null(s->lab);
	s->far = accept(s->listener, NULL, NULL);
	assert_true(s->far >= 0);
	*state = s;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *s = *state;

	lab_socket_close(s->lab);
	if (s->far >= 0)
		close(s->far);
	close(s->listener);
	unlink(s->path);
	rmdir(s->folder);
	free(s);
	return 0;
}

static void send_text(struct fixture *s, const char *text)
{
	assert_int_equal(write(s->far, text, strlen(text)), strlen(text));
}

/* What is there is taken: one turn of a loop. */
static void turn(struct fixture *s)
{
	struct fd_watch w;
	struct timespec soon = { .tv_nsec = 1000000 };

	fd_watch_start(&w);
	lab_socket_watch(s->lab, &w);
	if (pselect(w.count, &w.readable, &w.writable, NULL, &soon, NULL) > 0)
		lab_socket_dispatch(s->lab, &w);
}

static void answers_in_their_order(void **state)
{
	struct fixture *s = *state;
	char heard[100] = "";

	assert_int_equal(lab_socket_command(s->lab, 1, 10, "link"), 0);
	assert_int_equal(lab_socket_command(s->lab, 2, 20, "set loss many"), 0);
	assert_int_equal(read(s->far, heard, sizeof heard - 1), 19);
	assert_string_equal(heard, "link\nset loss many\n");
	send_text(s, "there loss 20%\nevent 1 there in=5\nback lo");
	turn(s);
	assert_string_equal(s->told, "<event 1 there in=5>");
	send_text(s, "ss 0%\nok\nchanged 7 none drop\nerror 'many' is not a share\n");
	turn(s);
	assert_string_equal(s->told,
	    "<event 1 there in=5>[1 10 ok there loss 20%\nback loss 0%\n]<changed 7 none drop>[2 "
	    "20 no 'many' is not a share]");
	/* An answer to nothing is nothing. */
	send_text(s, "ok\n");
	turn(s);
	assert_int_equal(s->gone, 0);
}

static void byte_by_byte(void **state)
{
	struct fixture *s = *state;
	const char *text = "a\nok\nchanged 7 none drop\n";

	lab_socket_command(s->lab, 1, 2, "link");
	for (; *text; text++) {
		assert_int_equal(write(s->far, text, 1), 1);
		turn(s);
	}
	assert_string_equal(s->told, "[1 2 ok a\n]<changed 7 none drop>");
}

static void the_end_is_told_once(void **state)
{
	struct fixture *s = *state;

	lab_socket_command(s->lab, 1, 2, "link");
	send_text(s, "last words\nok\n");
	close(s->far);
	s->far = -1;
	for (int i = 0; i < 5; i++)
		turn(s);
	assert_string_equal(s->told, "[1 2 ok last words\n]");
	assert_int_equal(s->gone, 1);
	assert_true(lab_socket_is_gone(s->lab));
	assert_int_equal(lab_socket_command(s->lab, 1, 2, "link"), -1);
	lab_socket_settle(s->lab, 1000000000);
	assert_int_equal(s->gone, 1);
}

/* A lab that answers nothing gets only so many orders; one that says too much in a line or an
 * answer costs no memory. */
static void bounds(void **state)
{
	struct fixture *s = *state;
	char text[5000];
	int taken = 0;

	while (lab_socket_command(s->lab, 1, 2, "link") == 0)
		assert_true(++taken <= LAB_SOCKET_COMMANDS);
	assert_int_equal(taken, LAB_SOCKET_COMMANDS);
	assert_int_equal(lab_socket_command(s->lab, 1, 2, "two\nlines"), -1);
	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	for (int i = 0; i < 20; i++) {
		send_text(s, text);
		send_text(s, "\n");
		turn(s);
	}
	send_text(s, "ok\n");
	turn(s);
	turn(s);
	assert_non_null(strstr(s->told, "[1 2 ok xxx"));
	assert_int_equal(lab_socket_command(s->lab, 1, 2, text), -1);
	assert_int_equal(lab_socket_command(s->lab, 1, 2, "link"), 0);
}

static void settling(void **state)
{
	struct fixture *s = *state;

	lab_socket_command(s->lab, 1, 2, "events on");
	/* Nobody answers: it ends all the same. */
	lab_socket_settle(s->lab, 30000000);
	assert_string_equal(s->told, "");
	send_text(s, "ok\n");
	lab_socket_settle(s->lab, 1000000000);
	assert_string_equal(s->told, "[1 2 ok ]");
}

static void no_lab(void **state)
{
	struct fixture *s = *state;
	const struct lab_socket_hooks hooks = { .context = s };
	char longest[200];

	assert_null(lab_socket_open("/nonexistent/link", &hooks));
	assert_int_equal(errno, ENOENT);
	memset(longest, 'x', sizeof longest - 1);
	longest[sizeof longest - 1] = '\0';
	assert_null(lab_socket_open(longest, &hooks));
	assert_int_equal(errno, ENAMETOOLONG);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(answers_in_their_order),
		TEST(byte_by_byte),
		TEST(the_end_is_told_once),
		TEST(bounds),
		TEST(settling),
		TEST(no_lab),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
