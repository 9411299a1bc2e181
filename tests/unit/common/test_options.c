/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <fcntl.h>
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/clock.h"
#include "common/options.h"
#include "common/units.h"
#include "tests/lib/cmocka-compat.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define ARGUMENTS_MAX 12

struct settings {
	int64_t wait;
	char name[8192];
	int ordered, tcp;
};

static int set_wait(const struct options_spec *o, void *to, const char *value,
    char reason[OPTIONS_REASON])
{
	(void)o;
	if (units_duration(value, &((struct settings *)to)->wait) == 0)
		return 0;
	snprintf(reason, OPTIONS_REASON, "is not a duration");
	return -1;
}

static int set_name(const struct options_spec *o, void *to, const char *value,
    char reason[OPTIONS_REASON])
{
	(void)o;
	(void)reason;
	snprintf(((struct settings *)to)->name, sizeof((struct settings *)to)->name, "%s", value);
	return 0;
}

static int set_ordered(const struct options_spec *o, void *to, const char *value,
    char reason[OPTIONS_REASON])
{
	(void)o;
	(void)reason;
	assert_null(value);
	((struct settings *)to)->ordered++;
	return 0;
}

static int set_tcp(const struct options_spec *o, void *to, const char *value,
    char reason[OPTIONS_REASON])
{
	(void)o;
	(void)value;
	if (((struct settings *)to)->tcp++ == 0)
		return 0;
	snprintf(reason, OPTIONS_REASON, "once is enough");
	return -1;
}

static const struct options_spec table[] = {
	{ "wait", 'w', "DURATION", "how long a reply may take", "500ms", .set = set_wait },
	{ "wake", 0, NULL, "nothing", NULL, .set = set_ordered },
	{ "name", 'n', "ADDRESS", "any text", NULL, .set = set_name },
	{ "ordered", 'o', NULL, "in the order typed", NULL, .set = set_ordered },
	{ "tcp", 't', NULL, "over TCP", NULL, .set = set_tcp },
	{ "connect-timeout", 0, "DURATION",
	    "a help text that is so long that it does not fit on the line that it begins on, twice over, "
	    "and goes on",
	    "5s", .set = set_wait },
	{ "a-name-that-is-longer-than-most", 0, "ARGUMENT", "far right", "x", .set = set_name },
	{ "help", 'h', NULL, "this text", NULL, .set = set_ordered, .command_line_only = true },
	{ .name = NULL },
};

/* What a test writes goes below a folder of its own. */
static int make_folder(void **state)
{
	char *folder = strdup("/tmp/test_options.XXXXXX");

	*state = folder;
	return folder && mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	int result = rmdir(*state);

	free(*state);
	return result;
}

/* stderr goes to a file while the options are read; what was said is in `said`. */
struct log_lines {
	int real_stderr;
	FILE *file;
	char said[4096];
};

static void capture_stderr(struct log_lines *h)
{
	fflush(stderr);
	h->file = tmpfile();
	assert_non_null(h->file);
	h->real_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	dup2(fileno(h->file), STDERR_FILENO);
}

static const char *captured_stderr(struct log_lines *h)
{
	size_t n;

	fflush(stderr);
	dup2(h->real_stderr, STDERR_FILENO);
	close(h->real_stderr);
	rewind(h->file);
	n = fread(h->said, 1, sizeof h->said - 1, h->file);
	h->said[n] = '\0';
	fclose(h->file);
	return h->said;
}

/* Reads a command line, its arguments parted by blanks; an empty one stands as %. Returns the index
 * of the first operand, and what was said in `said`. */
static int read_arguments(struct settings *s, const char *line, char said[4096])
{
	char copy[1024], *argv[ARGUMENTS_MAX + 1], *next, *word;
	struct log_lines h;
	int argc = 0, first;

	snprintf(copy, sizeof copy, "%s", line);
	for (word = strtok_r(copy, " ", &next); word && argc < ARGUMENTS_MAX;
	    word = strtok_r(NULL, " ", &next))
		argv[argc++] = strcmp(word, "%") ? word : word + 1;
	argv[argc] = NULL;
	*s = (struct settings){ 0 };
	capture_stderr(&h);
	first = options_command_line(table, s, argc, argv);
	snprintf(said, 4096, "%s", captured_stderr(&h));
	return first;
}

static void test_command_line(void **state)
{
	struct settings s;
	char said[4096];

	(void)state;
	assert_int_equal(read_arguments(&s, "/usr/bin/upcase -w 2s -o --name=x --tcp host 12000",
	                     said),
	    6);
	assert_int_equal(s.wait, 2000000000);
	assert_int_equal(s.ordered, 1);
	assert_int_equal(s.tcp, 1);
	assert_string_equal(s.name, "x");
	assert_string_equal(said, "");
	assert_int_equal(read_arguments(&s, "upcase -otw3s", said), 2);
	assert_int_equal(s.wait, 3000000000);
	assert_int_equal(s.ordered + s.tcp, 2);
	assert_int_equal(read_arguments(&s, "upcase --connect 1s --ord", said), 4);
	assert_int_equal(s.wait, 1000000000);
	assert_int_equal(read_arguments(&s, "upcase", said), 1);
	assert_int_equal(read_arguments(&s, "upcase --name= x", said), 2);
	assert_string_equal(s.name, "");
	assert_int_equal(read_arguments(&s, "upcase --name --wait", said), 3);
	assert_string_equal(s.name, "--wait");
}

static void test_operands_anywhere(void **state)
{
	struct settings s;
	char said[4096];

	(void)state;
	assert_int_equal(read_arguments(&s, "upcase host -o 12000 -w 2s", said), 4);
	assert_int_equal(s.ordered, 1);
	assert_int_equal(read_arguments(&s, "upcase -o -- -w", said), 3);
	assert_int_equal(s.wait, 0);
	assert_int_equal(read_arguments(&s, "upcase -o -", said), 2);
	setenv("POSIXLY_CORRECT", "1", 1);
	assert_int_equal(read_arguments(&s, "upcase host -o", said), 1);
	assert_int_equal(s.ordered, 0);
	unsetenv("POSIXLY_CORRECT");
	assert_int_equal(read_arguments(&s, "upcase host -o", said), 2);
	assert_int_equal(s.ordered, 1);
}

/* The client reads its command line twice, with the configuration file in between. */
static void test_twice_is_the_same(void **state)
{
	char upcase[] = "upcase", host[] = "host", o[] = "-o", end[] = "--", port[] = "12000";
	char *argv[] = { upcase, host, o, end, port, NULL };
	struct settings s = { 0 };
	int first, second;

	(void)state;
	first = options_command_line(table, &s, 5, argv);
	second = options_command_line(table, &s, 5, argv);
	assert_int_equal(first, 3);
	assert_int_equal(second, 3);
	assert_int_equal(s.ordered, 2);
	assert_string_equal(argv[3], "host");
	assert_string_equal(argv[4], "12000");
	assert_int_equal(options_command_line(table, &s, 0, argv + 5), 0);
}

static void test_command_line_messages(void **state)
{
	static const char *const cases[][2] = {
		{ "upcase --wait=3x",
		    "upcase: --wait=3x: is not a duration; for example --wait=500ms\n" },
		{ "upcase --wai 3x",
		    "upcase: --wait=3x: is not a duration; for example --wait=500ms\n" },
		{ "upcase -w3x", "upcase: -w 3x: is not a duration; for example -w 500ms\n" },
		{ "upcase -ow 3x", "upcase: -w 3x: is not a duration; for example -w 500ms\n" },
		{ "upcase --wait=",
		    "upcase: --wait=: is not a duration; for example --wait=500ms\n" },
		{ "upcase --wiat",
		    "upcase: --wiat: there is no such option; did you mean --wait? (upcase --help "
		    "lists them)\n" },
		{ "./x/upcase --wiat=2s",
		    "upcase: --wiat: there is no such option; did you mean --wait? (upcase --help "
		    "lists them)\n" },
		{ "upcase --connecttimeout 1",
		    "upcase: --connecttimeout: there is no such option; did you mean --connect-timeout? "
		    "(upcase --help lists them)\n" },
		{ "upcase --connet-timout=1",
		    "upcase: --connet-timout: there is no such option; did you mean --connect-timeout? "
		    "(upcase --help lists them)\n" },
		{ "upcase --cnnecttmeot",
		    "upcase: --cnnecttmeot: there is no such option (upcase --help lists them)\n" },
		{ "upcase --udp",
		    "upcase: --udp: there is no such option (upcase --help lists them)\n" },
		{ "upcase --loss=20%",
		    "upcase: --loss: there is no such option; it is one of the lab: upcase-lab "
		    "--loss 20%\n" },
		{ "upcase --no-icmp",
		    "upcase: --no-icmp: there is no such option; it is one of the lab: upcase-lab "
		    "--no-icmp\n" },
		{ "upcase --wait", "upcase: --wait needs a DURATION; for example --wait=500ms\n" },
		{ "upcase -ow", "upcase: -w needs a DURATION; for example -w 500ms\n" },
		{ "upcase -n", "upcase: -n needs an ADDRESS\n" },
		{ "upcase --wa=3",
		    "upcase: --wa: is short for more than one option: --wait, --wake\n" },
		{ "upcase --ordered=yes", "upcase: --ordered=yes: --ordered takes no value\n" },
		{ "upcase -t -t", "upcase: --tcp: once is enough\n" },
		{ "upcase host -x",
		    "upcase: -x: there is no such option (upcase --help lists them)\n" },
		{ "upcase -o\xc3\xa9",
		    "upcase: -\xc3\xa9: there is no such option (upcase --help lists them)\n" },
		{ "upcase -o\xff",
		    "upcase: -\\xff: there is no such option (upcase --help lists them)\n" },
		{ "upcase -:", "upcase: -:: there is no such option (upcase --help lists them)\n" },
		{ "upcase --w\xc2\x9b\x1b",
		    "upcase: --w\\xc2\\x9b\\x1b: there is no such option (upcase --help lists "
		    "them)\n" },
		{ "upcase --wait=\x1b[2J",
		    "upcase: --wait=\\x1b[2J: is not a duration; for example --wait=500ms\n" },
		{ "upcase --wait=1234567890123456789012345678901234567890s",
		    "upcase: --wait=1234567890123456789012345678901234567...: "
		    "is not a duration; for example --wait=500ms\n" },
		{ "/ --wiat",
		    "upcase: --wiat: there is no such option; did you mean --wait? (upcase --help "
		    "lists them)\n" },
	};
	struct settings s;
	char said[4096];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(read_arguments(&s, cases[i][0], said), -1);
		assert_string_equal(said, cases[i][1]);
	}
}

static void test_lines(void **state)
{
	static const char *const same[] = { "wait 2s", "wait = 2s", "wait=2s", "  wait\t=\t2s \t ",
		"wait =2s", "wait= 2s\r", "wait 2 s" };
	static const char *const empty[] = { "", " ", "\t\r", "#", "# wait 2s", "   # x",
		"#\xff\x01" };
	struct settings s;
	char reason[OPTIONS_REASON];

	(void)state;
	for (size_t i = 0; i < COUNT(same); i++) {
		s = (struct settings){ 0 };
		assert_int_equal(options_line(table, &s, same[i], strlen(same[i]), reason), 0);
		assert_int_equal(s.wait, 2000000000);
	}
	s = (struct settings){ 0 };
	for (size_t i = 0; i < COUNT(empty); i++)
		assert_int_equal(options_line(table, &s, empty[i], strlen(empty[i]), reason), 0);
	assert_int_equal(options_line(table, &s, "ordered", 7, reason), 0);
	assert_int_equal(s.ordered, 1);
	assert_int_equal(options_line(table, &s, "name = = a  b # c ", 18, reason), 0);
	assert_string_equal(s.name, "= a  b # c");
	assert_int_equal(options_line(table, &s, "name =", 6, reason), 0);
	assert_string_equal(s.name, "");
	assert_int_equal(s.wait + s.tcp, 0);
}

static void test_line_messages(void **state)
{
	static const char *const cases[][2] = {
		{ "wait = 3x", "wait: '3x' is not a duration; for example wait = 500ms" },
		{ "wait =", "wait: '' is not a duration; for example wait = 500ms" },
		{ "wait", "wait: needs a DURATION; for example wait = 500ms" },
		{ "name", "name: needs an ADDRESS; for example name = ADDRESS" },
		{ "ordered = yes",
		    "ordered: takes no value; write it alone, or leave the line out" },
		{ "ordered =", "ordered: takes no value; write it alone, or leave the line out" },
		{ "help", "help: works on the command line only" },
		{ "wiat 2s", "wiat: there is no such option; did you mean wait?" },
		{ "ord", "ord: there is no such option" },
		{ "w 2s", "w: there is no such option" },
		{ "--wait=2s", "--wait: options stand without dashes here: wait" },
		{ "--wiat=2s", "--wiat: there is no such option; did you mean wait?" },
		{ "= 5", "there is no option's name before the \"=\"" },
		{ "[section]", "[section]: there is no such option" },
		{ "\x1b[2J", "\\x1b[2J: there is no such option" },
		{ "\x7f"
		  "ELF\x02\x01\x01",
		    "\\x7fELF\\x02\\x01\\x01: there is no such option" },
	};
	struct settings s = { 0 };
	char reason[OPTIONS_REASON], longest[5000];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(options_line(table, &s, cases[i][0], strlen(cases[i][0]), reason),
		    -1);
		assert_string_equal(reason, cases[i][1]);
	}
	assert_int_equal(options_line(table, &s, "wait\0=2s", 8, reason), -1);
	assert_string_equal(reason, "the line has a NUL byte in it: is this a text file?");
	memset(longest, 'x', sizeof longest);
	assert_int_equal(options_line(table, &s, longest, sizeof longest, reason), -1);
	assert_string_equal(reason, "the line is longer than 4096 bytes");
	memcpy(longest, "name ", 5);
	assert_int_equal(options_line(table, &s, longest, 4096, reason), 0);
	assert_int_equal(strlen(s.name), 4091);
	assert_int_equal(s.wait + s.ordered, 0);
}

/* Writes the file, reads it, removes it. */
static int read_file(const char *folder, struct settings *s, const void *text, size_t n,
    char said[4096])
{
	char path[100];
	struct log_lines h;
	FILE *out;
	int result;

	snprintf(path, sizeof path, "%s/config", folder);
	out = fopen(path, "we");
	assert_non_null(out);
	assert_int_equal(fwrite(text, 1, n, out), n);
	assert_int_equal(fclose(out), 0);
	*s = (struct settings){ 0 };
	capture_stderr(&h);
	result = options_file(table, s, path);
	snprintf(said, 4096, "%s", captured_stderr(&h));
	unlink(path);
	return result;
}

static void test_file(void **state)
{
	static const char text[] = "\xef\xbb\xbf"
	                           "wait = 2s\r\n\r\n# all right\nordered\n\nname a b";
	struct settings s;
	char said[4096];

	assert_int_equal(read_file(*state, &s, text, sizeof text - 1, said), 0);
	assert_string_equal(said, "");
	assert_int_equal(s.wait, 2000000000);
	assert_int_equal(s.ordered, 1);
	assert_string_equal(s.name, "a b");
	assert_int_equal(read_file(*state, &s, "", 0, said), 0);
}

static void test_file_messages(void **state)
{
	struct settings s;
	char said[4096], wanted[200], long_line[9000];

	assert_int_equal(read_file(*state, &s, "ordered\n\nwait = 3x\nordered\n", 27, said), -1);
	snprintf(wanted, sizeof wanted,
	    "upcase: %s/config:3: wait: '3x' is not a duration; for example wait = 500ms\n",
	    (char *)*state);
	assert_string_equal(said, wanted);
	assert_int_equal(s.ordered, 1);
	assert_int_equal(read_file(*state, &s, "\0\0\0\n", 4, said), -1);
	assert_non_null(strstr(said, "/config:1: the line has a NUL byte"));
	memset(long_line, '#', sizeof long_line);
	assert_int_equal(read_file(*state, &s, long_line, sizeof long_line, said), -1);
	assert_non_null(strstr(said, "/config:1: the line is longer than"));
	/* The mark at the start does not count, but it does not hide a byte too many either. */
	memcpy(long_line, "\xef\xbb\xbf", 3);
	assert_int_equal(read_file(*state, &s, long_line, 3 + 4097, said), -1);
	assert_int_equal(read_file(*state, &s, long_line, 3 + 4096, said), 0);
}

static void test_files_that_cannot_be_read(void **state)
{
	struct settings s = { 0 };
	struct log_lines h;
	char path[100];
	const char *said;

	snprintf(path, sizeof path, "%s/none", (char *)*state);
	assert_int_equal(options_file(table, &s, path), 1);
	assert_int_equal(options_file(table, &s, "/dev/null/none"), 1);
	assert_int_equal(options_file(table, &s, "/dev/null"), 0);
	capture_stderr(&h);
	assert_int_equal(options_file(table, &s, *state), -1);
	said = captured_stderr(&h);
	assert_non_null(strstr(said,
	    ": cannot be read: is a folder; a configuration is an ordinary file\n"));
}

/* Every line within 80 columns, every option there, the texts in one column. */
static void test_help(void **state)
{
	char text[4096], *next, *line;
	FILE *out = fmemopen(text, sizeof text, "w");

	(void)state;
	options_help(table, out);
	fclose(out);
	assert_non_null(strstr(text, "\n      --connect-timeout=DURATION  a help text that"));
	assert_ptr_equal(strstr(text, "  -w, --wait=DURATION             how long"), text);
	assert_non_null(strstr(text,
	    "\n      --a-name-that-is-longer-than-most=ARGUMENT\n                                  "
	    "far right\n"));
	for (const struct options_spec *o = table; o->name; o++)
		assert_non_null(strstr(text, o->name));
	for (line = strtok_r(text, "\n", &next); line; line = strtok_r(NULL, "\n", &next))
		assert_uint_in_range(strlen(line), 10, 80);
}

/* Rows that say what is right: the fields they fill, and what they refuse with which reason. */
static void test_kinds(void **state)
{
	static const struct typed {
		int64_t before, number, span;
		const char *text;
		int narrow;
		enum { AUTO, ALWAYS, NEVER } word;
		char copy[4];
		bool on;
	} start = { .before = -1 };
#define INTO(field) OPTIONS_FIELD(struct typed, field)
	static const struct options_spec rows[] = {
		{ "number", 0, "N", "", "1", OPTIONS_NUMBER, INTO(number), 2, 5000 },
		{ "bytes", 0, "N", "", "1", OPTIONS_BYTES, INTO(narrow), 68, 4096, "is no size" },
		{ "span", 0, "N", "", "1s", OPTIONS_TIME, INTO(span), 1000000, 3600 * NS_PER_S,
		    .range = "1ms to 1h" },
		{ "free", 0, "N", "", "1s", OPTIONS_TIME, INTO(span), .wrong = "is no time" },
		{ "text", 0, "N", "", "x", OPTIONS_TEXT, INTO(text), 1, 3, "is no name" },
		{ "copy", 0, "N", "", "x", OPTIONS_COPY, INTO(copy), 1, .wrong = "is no word" },
		{ "word", 0, "N", "", "never", OPTIONS_WORD, INTO(word),
		    .words = "auto, always, never" },
		{ "on", 0, NULL, "", NULL, OPTIONS_SWITCH, INTO(on), true },
		{ "never", 0, NULL, "", NULL, OPTIONS_SWITCH, INTO(word), NEVER },
		{ .name = NULL },
	};
#undef INTO
	static const char *const wrong[][2] = {
		{ "number=1", "is not a number from 2 to 5000" },
		{ "number=5001", "is not a number from 2 to 5000" },
		{ "number=x", "is not a number from 2 to 5000" },
		{ "bytes=67", "is no size" },
		{ "bytes=4097", "is no size" },
		{ "span=x", "is not a duration" },
		{ "span=999us", "is out of range, 1ms to 1h" },
		{ "span=61min", "is out of range, 1ms to 1h" },
		{ "free=x", "is no time" },
		{ "text=", "is no name" },
		{ "text=four", "is no name" },
		{ "copy=", "is no word" },
		{ "copy=four", "is no word" },
		{ "word=", "is not one of auto, always, never" },
		{ "word=alway", "is not one of auto, always, never" },
		{ "word=auto, always", "is not one of auto, always, never" },
	};
	struct typed s = start;
	char reason[OPTIONS_REASON];

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		assert_int_equal(options_line(rows, &s, wrong[i][0], strlen(wrong[i][0]), reason),
		    -1);
		if (!strstr(reason, wrong[i][1]))
			fail_msg("%s: %s", wrong[i][0], reason);
		assert_memory_equal(&s, &start, sizeof s);
	}
	for (const struct options_spec *o = rows; o->name; o++) {
		const char *const right[] = { "5k", "4k", "1h", "365d", "abc", "abc", "always",
			NULL, NULL };

		assert_int_equal(options_set(o, &s, right[o - rows], reason), 0);
		if (o - rows == 2)
			assert_true(s.span == 3600 * NS_PER_S);
		if (o - rows == 6)
			assert_int_equal(s.word, ALWAYS);
	}
	assert_true(s.before == -1 && s.number == 5000 && s.narrow == 4096 && s.on &&
	            s.span == 365 * 24 * 3600 * NS_PER_S && s.word == NEVER);
	assert_string_equal(s.text, "abc");
	assert_string_equal(s.copy, "abc");
}

static void test_articles(void **state)
{
	(void)state;
	assert_string_equal(options_article("ADDRESS"), "an");
	assert_string_equal(options_article("NUMBER"), "a");
	assert_string_equal(options_article("N"), "an");
	assert_string_equal(options_article("P"), "a");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_command_line),
		cmocka_unit_test(test_operands_anywhere),
		cmocka_unit_test(test_twice_is_the_same),
		cmocka_unit_test(test_command_line_messages),
		cmocka_unit_test(test_articles),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_line_messages),
		cmocka_unit_test_setup_teardown(test_file, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(test_file_messages, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(test_files_that_cannot_be_read, make_folder,
		    remove_folder),
		cmocka_unit_test(test_help),
	};

	/* As the programs do: only a terminal that takes UTF-8 gets it. */
	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
