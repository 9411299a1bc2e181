/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A recording on the screen: the rows, fates and totals are those that were recorded, at its own
 * speed or step by step. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/client.h"

#define START "{\"type\":\"start\",\"format\":\"upcase\",\"version\":1}\n"
#define LAB_START \
	"{\"type\":\"start\",\"format\":\"upcase\",\"version\":1,\"link\":\"loss 20 % each way\"}\n"
#define SESSION(n, transport) \
	"{\"type\":\"session\",\"session\":" n ",\"transport\":\"" transport \
	"\",\"peer\":\"10.9.0.2:12000\",\"wait_ns\":100000000}\n"
#define LEG(tries, again, through, lost, fate) \
	"{\"tries\":" tries ",\"again\":" again ",\"through\":" through ",\"lost\":" lost \
	",\"fate\":\"" fate \
	"\",\"first_in_ns\":1,\"last_in_ns\":1,\"first_out_ns\":null,\"last_out_ns\":null}"
#define LINK(there, back) ",\"link\":{\"place\":\"going\",\"there\":" there ",\"back\":" back "}"

/* As from a lab: lost on the way there, lost on the way back, answered twice, late, refused; a
 * stray and a notice. */
static const char lab[] = LAB_START SESSION("0",
    "udp") "{\"type\":\"line\",\"session\":0,\"transport\":\"udp\",\"n\":1,"
           "\"fate\":\"lost\",\"typed_ns\":1000000,\"sent_ns\":1000000,\"text\":\"one\"" LINK(
               LEG("1", "0", "0", "1", "lost"),
               LEG("0", "0", "0", "0",
                   "none")) "}\n"
                            "{\"type\":\"line\",\"session\":0,\"transport\":\"udp\",\"n\":2,"
                            "\"fate\":\"lost\",\"typed_ns\":2000000,\"sent_ns\":2000000,"
                            "\"text\":\"two\"" LINK(LEG("1", "0", "1", "0", "none"),
                                LEG("1", "0", "0", "1",
                                    "corrupted")) "}\n"
                                                  "{\"type\":\"line\",\"session\":0,\"transport\":\"udp\","
                                                  "\"n\":3,\"fate\":\"answered\",\"duplicates\":1,"
                                                  "\"typed_ns\":3000000,\"sent_ns\":3000000,"
                                                  "\"replied_ns\":43300000,\"duplicates_ns\":[50000000],"
                                                  "\"tag\":3,\"text\":\"three\"}\n"
                                                  "{\"type\":\"line\",\"session\":0,\"transport\":\"udp\","
                                                  "\"n\":4,\"fate\":\"lost\",\"late\":true,"
                                                  "\"typed_ns\":4000000,\"sent_ns\":4000000,"
                                                  "\"replied_ns\":204000000,\"text\":\"four\"}\n"
                                                  "{\"type\":\"line\",\"session\":0,\"transport\":\"udp\","
                                                  "\"n\":5,\"fate\":\"refused\",\"typed_ns\":5000000,"
                                                  "\"sent_ns\":5000000,"
                                                  "\"error\":\"ECONNREFUSED\",\"text\":\"five\"}\n"
                                                  "{\"type\":\"reply\",\"session\":0,"
                                                  "\"transport\":\"udp\",\"match\":\"stray\","
                                                  "\"replied_ns\":250000000,\"text\":\"NOBODY\"}\n"
                                                  "{\"type\":\"notice\",\"at_ns\":260000000,\"bad\":false,"
                                                  "\"text\":\"something happened\"}\n"
                                                  "{\"type\":\"summary\",\"ended_ns\":300000000,"
                                                  "\"sessions\":[{\"session\":0,\"transport\":\"udp\","
                                                  "\"peer\":\"10.9.0.2:12000\"}],"
                                                  "\"truth\":{\"judged\":2,\"mismatches\":0}}\n";

static struct terminal *read_again(const char *text, const char *option)
{
	struct terminal *t = term_open(24, 120);
	const char *const argv[] = { client_path(), "--read", term_file(t, "a.jsonl", text), option,
		NULL };

	term_run(t, argv);
	return t;
}

static void expect_lab(struct terminal *t)
{
	client_expect_pair(t, "1 one", "lost going");
	client_expect_pair(t, "2 two", "corrupted coming");
	client_expect_pair(t, "3 three", "40.3 ms");
	client_expect_pair(t, "3 three", "3 THREE (×2");
	client_expect_pair(t, "4 four", "200 ms");
	client_expect_pair(t, "4 four", "4 FOUR (late");
	client_expect_pair(t, "5 five", "refused");
	client_expect_pair(t, "stray", "NOBODY");
	term_expect(t, "something happened");
	term_expect_row(t, 0, "10.9.0.2:12000");
	term_expect_row(t, 0, "sent 5");
	term_expect_row(t, 0, "answered 1");
	term_expect_row(t, 0, "lost 3");
	term_expect_row(t, 0, "late 1");
	term_expect_row(t, 0, "dup 1");
	term_expect(t, "link: loss 20 % each way");
	term_expect(t, "truth: 0 mismatches in 2");
}

static void shows_what_was_recorded(void **state)
{
	struct terminal *t = read_again(lab, NULL);

	(void)state;
	expect_lab(t);
	client_line(t, "hello");
	term_expect_row(t, -1, "nothing can be sent");
	client_line(t, "/connect localhost");
	term_expect_row(t, -1, "nothing can be sent");
	client_leave(t);
	term_expect(t, "answered 1 of 5, 1 refused, 3/4 lost");
	term_expect(t, "of them 1 late");
}

static void goes_step_by_step(void **state)
{
	struct terminal *t = read_again(lab, "--step");

	(void)state;
	term_expect_row(t, -1, "space");
	term_type(t, " ");
	term_expect_row(t, 0, "sent 1");
	client_expect_pair(t, "1 one", "waiting 0.0 s");
	term_type(t, "  ");
	term_expect_row(t, 0, "sent 3");
	term_expect_gone(t, "4 four");
	/* Typing a command, a space is a space. */
	term_type(t, "/find o ");
	term_expect(t, "/find o");
	term_expect_row(t, 0, "sent 3");
	term_bytes(t, "\003", 1);
	for (int i = 0; i < 20; i++)
		term_type(t, " ");
	expect_lab(t);
	client_leave(t);
}

static void both_side_by_side(void **state)
{
	static const char both[] = START SESSION("0", "udp") SESSION("1",
	    "tcp") "{\"type\":\"line\",\"session\":0,\"transport\":\"udp\",\"n\":1,"
	           "\"fate\":\"lost\",\"typed_ns\":1,\"sent_ns\":2,\"text\":\"one\"}\n"
	           "{\"type\":\"line\",\"session\":1,\"transport\":\"tcp\",\"n\":1,"
	           "\"fate\":\"answered\",\"typed_ns\":1,\"sent_ns\":2,\"replied_ns\":50000002,"
	           "\"text\":\"one\"}\n";
	struct terminal *t = read_again(both, NULL);

	(void)state;
	client_expect_pair(t, "1 one", "lost");
	client_expect_pair(t, "1 one", "ONE");
	term_expect(t, "no end");
	client_leave(t);
	term_expect(t, "TCP 10.9.0.2:12000");
}

/* Events have their rows between the lines, at their time. */
static void shows_events(void **state)
{
	static const char events[] = LAB_START SESSION("0",
	    "udp") "{\"type\":\"line\",\"session\":0,\"transport\":\"udp\",\"n\":1,"
	           "\"fate\":\"lost\",\"typed_ns\":1,\"sent_ns\":2,\"text\":\"one\"" LINK(
	               LEG("1", "0", "0", "1", "on cue"),
	               LEG("0", "0", "0", "0",
	                   "none")) "}\n"
	                            "{\"type\":\"line\",\"session\":0,\"transport\":\"udp\",\"n\":2,"
	                            "\"fate\":\"lost\",\"typed_ns\":30,\"sent_ns\":30,"
	                            "\"text\":\"two\"}\n"
	                            "{\"type\":\"event\",\"at_ns\":20,\"kind\":\"link\",\"there\":\"loss "
	                            "30%\",\"back\":\"loss 30%\",\"text\":\"loss 30 % each way\"}\n"
	                            "{\"type\":\"event\",\"at_ns\":40,\"kind\":\"tcp\",\"session\":0,"
	                            "\"text\":\"SYN sent\"}\n";
	static const char *const rows[] = { "1 one", "-- link", "2 two", "-- TCP" };
	struct terminal *t = read_again(events, "--step");
	int row, column;

	(void)state;
	term_type(t, " ");
	client_expect_pair(t, "1 one", "waiting");
	term_expect_row(t, 21, " link: loss 20 % each way");
	term_type(t, " ");
	term_expect(t, "-- link: loss 30 % each way");
	term_expect_row(t, 21, " link: loss 30 % each way");
	term_expect_gone(t, "2 two");
	term_type(t, "  ");
	term_expect(t, "-- TCP: SYN sent");
	term_type(t, " ");
	client_expect_pair(t, "1 one", "✗ lost going, on cue");
	for (size_t i = 0, above = 0; i < sizeof rows / sizeof *rows; i++, above = (size_t)row) {
		assert_true(term_find(t, rows[i], &row, &column));
		assert_true((size_t)row > above);
	}
	client_leave(t);
}

/* What the person waited is in the record, and what of it was connecting. */
static void tells_parts(void **state)
{
	static const char late[] = LAB_START SESSION("0",
	    "tcp") "{\"type\":\"line\",\"session\":0,\"transport\":\"tcp\",\"n\":1,"
	           "\"fate\":\"answered\",\"typed_ns\":0,\"sent_ns\":861000000,"
	           "\"replied_ns\":906000000,\"connecting_ns\":861000000,\"text\":\"one\"}\n"
	           "{\"type\":\"line\",\"session\":0,\"transport\":\"tcp\",\"n\":2,"
	           "\"fate\":\"answered\",\"typed_ns\":706000000,\"sent_ns\":906000000,"
	           "\"replied_ns\":946000000,\"text\":\"two\"}\n";
	struct terminal *t = read_again(late, NULL);

	(void)state;
	client_expect_pair(t, "1 one", "906 ms    ┃  1 ONE (861 ms connecting)");
	client_expect_pair(t, "2 two", "TWO (200 ms queued");
	client_leave(t);
	term_expect(t, "waited min/mean/max/sd 240/573/906/471 ms");
	term_expect(t, "round trip min/mean/max/sd 40.0/42.5/45.0/3.5 ms");
}

/* The timeouts that ran out are in the record: the row says what it said. */
static void tells_timeouts(void **state)
{
	static const char again[] = LAB_START SESSION("0",
	    "tcp") "{\"type\":\"line\",\"session\":0,\"transport\":\"tcp\",\"n\":1,"
	           "\"fate\":\"answered\",\"typed_ns\":1,\"sent_ns\":1,"
	           "\"replied_ns\":8000001,\"text\":\"one\",\"link\":{\"place\":\"here\","
	           "\"there\":{\"tries\":4,\"again\":3,\"through\":1,\"lost\":3,"
	           "\"fate\":\"lost\",\"waits_us\":[60000,250300,470000],\"timeouts_us\":[null,"
	           "204000,408000],\"first_in_ns\":1,\"last_in_ns\":2,"
	           "\"first_out_ns\":3,\"last_out_ns\":3},\"back\":" LEG("1", "0", "1", "0",
	               "none") "}}\n";
	struct terminal *t = read_again(again, NULL);

	(void)state;
	client_expect_pair(t, "1 one", "3× again");
	term_expect(t, " line 1, TCP: ONE after 8.00 ms, sent 4 times");
	term_expect(t, "going   sent again after 60.0 ms");
	term_expect(t, "going   RTO of 204 ms ran out");
	client_leave(t);
}

static void saves_again(void **state)
{
	struct terminal *t = read_again(lab, NULL);
	char command[600];
	const char *const argv[] = { client_path(), "--read", command, "--plain", NULL };

	(void)state;
	expect_lab(t);
	snprintf(command, sizeof command, "/save %s/again.jsonl", term_home(t));
	client_line(t, command);
	term_expect_row(t, -1, "saved in");
	client_line(t, command);
	term_expect_row(t, -1, "already");
	client_line(t, "/save x.pdf");
	term_expect_row(t, -1, ".csv");
	client_leave(t);
	snprintf(command, sizeof command, "%s/again.jsonl", term_home(t));
	term_run(t, argv);
	term_expect(t, "FOUR");
	term_expect(t, "1 duplicate, 1 stray reply");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(shows_what_was_recorded, client_teardown),
		cmocka_unit_test_teardown(goes_step_by_step, client_teardown),
		cmocka_unit_test_teardown(both_side_by_side, client_teardown),
		cmocka_unit_test_teardown(shows_events, client_teardown),
		cmocka_unit_test_teardown(tells_parts, client_teardown),
		cmocka_unit_test_teardown(tells_timeouts, client_teardown),
		cmocka_unit_test_teardown(saves_again, client_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
