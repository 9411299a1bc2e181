/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The steps of the link's panel. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "trace/link-steps.h"

static void both_perfect(struct impair_settings s[LINK_DIRECTIONS])
{
	s[LINK_GOING] = s[LINK_COMING] = impair_perfect();
}

static void choosing(void **state)
{
	struct link_steps p = { .field = 0 };

	(void)state;
	link_steps_move(&p, -1);
	link_steps_move(&p, -1);
	assert_int_equal(p.field, LINK_STEPS_DROP);
	for (int i = 0; i < 100; i++)
		link_steps_move(&p, 1);
	assert_int_equal(p.field, IMPAIR_FIELD_COUNT - 1);
	assert_true(link_steps_touches(&p, LINK_GOING) && link_steps_touches(&p, LINK_COMING));
	link_steps_next(&p);
	assert_true(link_steps_touches(&p, LINK_GOING) && !link_steps_touches(&p, LINK_COMING));
	link_steps_next(&p);
	assert_true(!link_steps_touches(&p, LINK_GOING) && link_steps_touches(&p, LINK_COMING));
	link_steps_next(&p);
	assert_int_equal(p.directions, LINK_STEPS_BOTH);
}

static void presets(void **state)
{
	struct link_steps p = { .field = LINK_STEPS_PRESET };
	char command[100];

	(void)state;
	link_steps_turn(&p, -1);
	link_steps_command(&p, command, sizeof command);
	assert_string_equal(command, "preset none");
	link_steps_turn(&p, 1);
	p.directions = LINK_STEPS_BACK;
	link_steps_command(&p, command, sizeof command);
	assert_string_equal(command, "preset classroom back");
	for (int i = 0; i < 100; i++)
		link_steps_turn(&p, 1);
	link_steps_command(&p, command, sizeof command);
	assert_string_equal(command, "preset chaos back");
}

static void drops(void **state)
{
	struct link_steps p = { .field = LINK_STEPS_DROP };
	char command[100];

	(void)state;
	link_steps_turn(&p, -1);
	link_steps_command(&p, command, sizeof command);
	assert_string_equal(command, "drop next request");
	for (int i = 0; i < 3; i++)
		link_steps_turn(&p, 1);
	link_steps_next(&p);
	link_steps_command(&p, command, sizeof command);
	assert_string_equal(command, "drop reply:3");
	for (int i = 0; i < 100; i++)
		link_steps_turn(&p, 1);
	for (int i = 0; i < 6; i++)
		link_steps_next(&p);
	link_steps_command(&p, command, sizeof command);
	assert_string_equal(command, "drop request:every:10");
}

static void commands(void **state)
{
	struct impair_settings s[LINK_DIRECTIONS];
	struct link_steps p = { .field = IMPAIR_FIELD_loss };
	char command[100], reason[IMPAIR_REASON];

	(void)state;
	both_perfect(s);
	s[LINK_GOING].loss = s[LINK_COMING].loss = 0.23;
	assert_int_equal(link_steps_apply(&p, 1, s, command, sizeof command, reason), 0);
	assert_string_equal(command, "set loss 25%");
	assert_true(s[LINK_COMING].loss == 0.25);
	p.directions = LINK_STEPS_THERE;
	assert_int_equal(link_steps_apply(&p, -1, s, command, sizeof command, reason), 0);
	assert_string_equal(command, "set loss 20% there");
	assert_true(s[LINK_GOING].loss == 0.2 && s[LINK_COMING].loss == 0.25);
	p.directions = LINK_STEPS_BACK;
	assert_int_equal(link_steps_apply(&p, 1, s, command, sizeof command, reason), 0);
	assert_string_equal(command, "set loss 30% back");
}

/* From one end of every setting to the other and back: each step changes it, is possible, and the
 * list is in order. */
static void every_setting(void **state)
{
	(void)state;
	for (int field = 0; field < IMPAIR_FIELD_COUNT; field++) {
		struct link_steps p = { .field = field };
		struct impair_settings s[LINK_DIRECTIONS];
		char command[100], last[100] = "", reason[IMPAIR_REASON];
		int down = 0, up = 0;

		both_perfect(s);
		while (link_steps_apply(&p, -1, s, command, sizeof command, reason) == 0)
			assert_true(++down < 100);
		assert_string_equal(reason, "");
		while (link_steps_apply(&p, 1, s, command, sizeof command, reason) == 0) {
			char check[IMPAIR_REASON];

			assert_string_not_equal(command, last);
			strcpy(last, command);
			assert_int_equal(impair_check(&s[LINK_GOING], check), 0);
			assert_true(++up < 100);
		}
		down = 0;
		while (link_steps_apply(&p, -1, s, command, sizeof command, reason) == 0)
			down++;
		/* What does not fit with the other settings ends it too, with a reason. */
		if (!*reason)
			assert_int_equal(down, up);
		assert_true(up > 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(choosing),
		cmocka_unit_test(presets),
		cmocka_unit_test(drops),
		cmocka_unit_test(commands),
		cmocka_unit_test(every_setting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
