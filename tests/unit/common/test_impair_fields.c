/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/impair-fields.h"

#define US INT64_C(1000)
#define MS INT64_C(1000000)
#define S INT64_C(1000000000)

static struct impair_settings parsed(const char *text)
{
	struct impair_settings s = impair_perfect();
	char reason[IMPAIR_REASON];

	if (impair_fields_parse(&s, text, reason))
		fail_msg("%s: %s", text, reason);
	return s;
}

static void assert_refused(const char *text, const char *want)
{
	struct impair_settings s = impair_perfect(), before = s;
	char reason[IMPAIR_REASON] = "accepted";

	assert_int_equal(impair_fields_parse(&s, text, reason), -1);
	assert_string_equal(reason, want);
	assert_memory_equal(&s, &before, sizeof s);
}

static void test_shares(void **state)
{
	(void)state;
	assert_true(parsed("loss 20%").loss == 0.2);
	assert_true(parsed("loss 0.2").loss == 0.2);
	assert_true(parsed("loss .5").loss == 0.5);
	assert_true(parsed("loss 100%").loss == 1);
	assert_true(parsed("loss 0").loss == 0);
	assert_true(parsed("loss 0.1%").loss == 0.001);
	assert_true(parsed("duplicate 3%").duplicate == 0.03);
	assert_true(parsed("reorder 4%").reorder == 0.04);
	assert_true(parsed("corrupt 5%").corrupt == 0.05);
}

static void test_times(void **state)
{
	(void)state;
	assert_true(parsed("delay 50ms").delay == 50 * MS);
	assert_true(parsed("delay 1.5s").delay == 1500 * MS);
	assert_true(parsed("jitter 200us").jitter == 200 * US);
	assert_true(parsed("delay 0").delay == 0);
	assert_true(parsed("reorder-by 3ms").reorder_by == 3 * MS);
	assert_true(parsed("delay 60s").delay == 60 * S);
}

static void test_rates(void **state)
{
	(void)state;
	assert_true(parsed("rate 1mbit").rate == 1000000);
	assert_true(parsed("rate 1Mbit/s").rate == 1000000);
	assert_true(parsed("rate 2.5gbit").rate == INT64_C(2500000000));
	assert_true(parsed("rate 56k").rate == 56000);
	assert_true(parsed("rate 9600").rate == 9600);
	assert_true(parsed("rate 9600bit").rate == 9600);
	assert_true(parsed("rate 0").rate == 0);
}

static void test_queues(void **state)
{
	(void)state;
	struct impair_settings s = parsed("queue 20p");
	assert_int_equal(s.queue_packets, 20);
	assert_true(s.queue_bytes == 0);
	s = parsed("queue 64kB");
	assert_int_equal(s.queue_packets, 0);
	assert_true(s.queue_bytes == 64000);
	assert_true(parsed("queue 1500B").queue_bytes == 1500);
	s = parsed("queue off");
	assert_int_equal(s.queue_packets, IMPAIR_QUEUE_PACKETS);
}

static void test_words(void **state)
{
	(void)state;
	assert_int_equal(parsed("distribution normal").distribution, IMPAIR_NORMAL);
	assert_int_equal(parsed("distribution uniform").distribution, IMPAIR_UNIFORM);
	assert_true(parsed("order free").any_order);
	assert_false(parsed("order kept").any_order);
	assert_int_equal(parsed("mtu 1400").mtu, 1400);
	assert_int_equal(parsed("mtu off").mtu, 0);
	assert_true(parsed("icmp none").no_icmp);
	assert_false(parsed("icmp sent").no_icmp);
	assert_true(parsed("burst 2.5 loss 1%").burst == 2.5);
}

static void test_refusals_show_what_is_right(void **state)
{
	(void)state;
	assert_refused("loss 3x", "loss: '3x' is not a share, 0% to 100%; for example loss 20%");
	assert_refused("loss 20", "loss: '20' needs its percent sign; for example loss 20%");
	assert_refused("loss 1.5", "loss: '1.5' needs its percent sign; for example loss 20%");
	assert_refused("loss 1",
	    "loss: '1' could mean percent or all: write 1% or 100%; for example loss 20%");
	assert_refused("loss 101%", "loss: '101%' is more than 100%; for example loss 20%");
	assert_refused("loss -1%", "loss: '-1%' is not a share, 0% to 100%; for example loss 20%");
	assert_refused("loss nan", "loss: 'nan' is not a share, 0% to 100%; for example loss 20%");
	assert_refused("loss", "loss needs a value; for example loss 20%");
	assert_refused("delay 50", "delay: '50' needs its unit, ms or s; for example delay 50ms");
	assert_refused("delay 61s", "delay: '61s' is more than 60s; for example delay 50ms");
	assert_refused("rate 5kB", "rate: '5kB' is not a rate in bit/s; for example rate 1mbit");
	assert_refused("rate 10",
	    "rate: '10' is not from 1kbit to 100gbit; for example rate 1mbit");
	assert_refused("queue 100",
	    "queue: '100' could mean packets or bytes: write 100p or 64kB; for example queue 100p");
	assert_refused("delay -1ms", "delay: '-1ms' is not a time; for example delay 50ms");
	assert_refused("loss nan", "loss: 'nan' is not a share, 0% to 100%; for example loss 20%");
	assert_refused("queue 0p", "queue: '0p' is not from 1p to 100000p; for example queue 100p");
	assert_refused("mtu 67",
	    "mtu: '67' is not a number of bytes, 68 to 65535; for example mtu 1400");
	assert_refused("order up", "order: 'up' is neither kept nor free; for example order free");
	assert_refused("lose 5%", "'lose' is no setting of a link; for example loss 20%");
	assert_refused("burst 0.5",
	    "burst: '0.5' is not from 1 to 1000000 packets; for example burst 4");
	assert_refused("loss 90% burst 2",
	    "90% loss cannot come in bursts of 2 packets; for example burst 9");
	/* All or nothing. */
	assert_refused("loss 10%, delay x", "delay: 'x' is not a time; for example delay 50ms");
}

/* Whatever is written is read back to the same, and written again the same. */
static void test_round_trip(void **state)
{
	(void)state;
	static const char *const lines[] = {
		"nothing",
		"loss 20%, delay 20ms",
		"loss 12.345%, burst 3.5, delay 1.5s, jitter 999us, distribution normal, order free",
		"duplicate 0.001%, reorder 5%, reorder-by 10ms, corrupt 1%",
		"delay 1ns, rate 1.544mbit, queue 64kB, mtu 576",
		"mtu 1300, icmp none",
		"delay 1.001ms, jitter 1.000001ms, rate 1000001bit, queue 1B",
		"rate 100gbit, queue 100000p",
	};
	char reason[IMPAIR_REASON], line[IMPAIR_LINE], value[IMPAIR_VALUE];

	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		struct impair_settings s = parsed(i ? lines[i] : ""), again = impair_perfect();
		for (int id = 0; id < IMPAIR_FIELD_COUNT; id++)
			if (impair_fields_set(&again, id, impair_fields_get(&s, id, value), reason))
				fail_msg("%s %s: %s", impair_fields[id].name, value, reason);
		impair_fields_line(&again, line, sizeof line);
		if (i != 6)
			assert_string_equal(line, lines[i]);
		assert_true(again.delay == s.delay && again.jitter == s.jitter &&
		            again.rate == s.rate);
		assert_true(again.loss == s.loss && again.queue_bytes == s.queue_bytes);
	}
}

static void test_off_switches_off(void **state)
{
	(void)state;
	struct impair_settings
	    s = parsed(
	        "loss 20% burst 3 delay 1s jitter 1s distribution normal order free duplicate 1%"
	        " reorder 1% reorder-by 1s corrupt 1% rate 1mbit queue 5p mtu 500 icmp none"),
	    perfect = impair_perfect();
	char reason[IMPAIR_REASON], before[IMPAIR_VALUE], after[IMPAIR_VALUE];

	for (int id = 0; id < IMPAIR_FIELD_COUNT; id++) {
		impair_fields_get(&s, id, before);
		assert_int_equal(impair_fields_set(&s, id, "off", reason), 0);
		assert_string_not_equal(impair_fields_get(&s, id, after), before);
		assert_string_equal(after, impair_fields_get(&perfect, id, before));
	}
}

static void test_every_field_has_a_right_example(void **state)
{
	(void)state;
	for (int id = 0; id < IMPAIR_FIELD_COUNT; id++) {
		struct impair_settings s = impair_perfect();
		const struct impair_field *field = &impair_fields[id];
		char reason[IMPAIR_REASON];
		assert_int_equal(impair_fields_set(&s, id, field->example, reason), 0);
		assert_int_equal(impair_field_find(field->name), id);
	}
	assert_int_equal(impair_field_find("nothing"), IMPAIR_FIELD_COUNT);
}

static void test_presets(void **state)
{
	(void)state;
	char line[IMPAIR_LINE], reason[IMPAIR_REASON];
	size_t i = 0;

	for (const struct impair_preset *preset; (preset = &impair_presets[i])->name; i++) {
		struct impair_settings there, back, s = impair_perfect();
		impair_preset_settings(preset, &there, &back);
		assert_int_equal(impair_check(&there, reason), 0);
		assert_int_equal(impair_fields_parse(&s, preset->there, reason), 0);
		assert_int_equal(impair_fields_parse(&s, preset->back, reason), 0);
		impair_fields_line(&there, line, sizeof line);
		assert_int_equal(strcmp(preset->name, "none") == 0, strcmp(line, "nothing") == 0);
		assert_ptr_equal(impair_preset_find(preset->name), preset);
	}
	assert_true(i >= 10);
	assert_null(impair_preset_find("x"));
}

/* A short buffer cuts; nothing is written behind it. */
static void test_line_is_bounded(void **state)
{
	(void)state;
	struct impair_settings s = parsed("loss 20% delay 20ms jitter 3ms");
	char line[IMPAIR_LINE];

	for (size_t size = 1; size < 60; size++) {
		memset(line, '#', sizeof line);
		impair_fields_line(&s, line, size);
		assert_true(strlen(line) < size);
		assert_int_equal(line[size], '#');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shares),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_rates),
		cmocka_unit_test(test_queues),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_refusals_show_what_is_right),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_off_switches_off),
		cmocka_unit_test(test_every_field_has_a_right_example),
		cmocka_unit_test(test_presets),
		cmocka_unit_test(test_line_is_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
