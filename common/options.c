/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/options.h"

#include <errno.h>
#include <getopt.h>

#include "common/file.h"
#include "common/impair-fields.h"
#include "common/member.h"
#include "common/standard.h"
#include "common/utf8.h"

/* What getopt_long() returns for the first long option; above every letter. */
#define FIRST_LONG 256
#define HELP_WIDTH 80
/* Where the help texts begin at the latest. */
#define HELP_COLUMN_MAX 34
/* No option's name is longer; a longer name is near none. */
#define NAME_MAX_BYTES 40
/* Room for what show() writes: characters of four bytes, the sign for those left out, the end. */
#define SHOWN 176
/* Its greatest number of columns. */
#define SHOWN_COLUMNS 40
/* Room for the fault of a command line: all options of a table, if an abbreviation fits all. */
#define REASON 4000
/* The longest line of a configuration file, and with it the longest value. */
#define LINE_MAX_BYTES 4096
/* The mark that some editors put at the beginning: U+FEFF in UTF-8. */
#define MARK "\xef\xbb\xbf"
#define MARK_BYTES 3
/* The largest file. */
#define FILE_MAX_BYTES (1u << 20)

/* --- names --- */

/* Writes the `n` bytes at `text` for a message: what could drive a terminal is escaped (\x1b), a
 * long text is cut. Returns `buf`. */
static char *show(const char *text, size_t n, char buf[SHOWN])
{
	const unsigned char *s = (const unsigned char *)text, *const end = s + n;
	struct text t = text_begin(buf, SHOWN);
	int columns = 0;

	for (size_t length; s < end && columns + 4 <= SHOWN_COLUMNS; s += length ? length : 1) {
		length = utf8_harmless(s, (size_t)(end - s));
		if (length)
			text_put(&t, "%.*s", (int)length, s);
		else
			text_put(&t, "\\x%02x", *s);
		columns += length ? 1 : 4;
	}
	text_put(&t, "%s", s < end ? "..." : "");
	return buf;
}
/* The same in memory that lasts as long as the block of the call. */
#define SHOW(text, n) show(text, n, (char[SHOWN]){ 0 })

/* The option of this name; NULL if there is none. */
static const struct options_spec *find(const struct options_spec *table, const char *name)
{
	for (; table->name; table++)
		if (strcmp(table->name, name) == 0)
			return table;
	return NULL;
}

static unsigned min(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* The edits from `a` to `b`: characters inserted, deleted, changed, and neighbours swapped (the
 * "optimal string alignment" distance). Three rows of its table are enough. */
static unsigned distance(const char *a, size_t n, const char *b, size_t m)
{
	unsigned rows[3][NAME_MAX_BYTES + 1];

	for (size_t j = 0; j <= m; j++)
		rows[0][j] = (unsigned)j;
	for (size_t i = 1; i <= n; i++) {
		unsigned *row = rows[i % 3], *above = rows[(i + 2) % 3],
		         *higher = rows[(i + 1) % 3];

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= m; j++) {
			row[j] = min(min(above[j], row[j - 1]) + 1,
			    above[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = min(row[j], higher[j - 2] + 1);
		}
	}
	return rows[n % 3][m];
}

/* The option that an unknown name probably means; NULL if none is near. A third of the letters may
 * be wrong: "wiat" is near "wait", but "tcp" is not near "udp". */
static const struct options_spec *nearest(const struct options_spec *table, const char *name,
    size_t n)
{
	const struct options_spec *found = NULL;
	unsigned best = n / 3 < 3 ? (unsigned)(n / 3) + 1 : 4, d;

	if (n > NAME_MAX_BYTES)
		return NULL;
	for (; table->name; table++) {
		if (strlen(table->name) > NAME_MAX_BYTES)
			continue;
		d = distance(name, n, table->name, strlen(table->name));
		if (d < best) {
			best = d;
			found = table;
		}
	}
	return found;
}

const char *options_article(const char *word)
{
	/* A single letter is read by its name: an N. */
	return strchr(word[1] ? "AEIOUaeiou" : "AEFHILMNORSXaefhilmnorsx", *word) ? "an" : "a";
}

/* --- values --- */

static int refuse(const struct options_spec *o, const char *otherwise, char reason[OPTIONS_REASON])
{
	return OPTIONS_REFUSE(reason, "%s", o->wrong ? o->wrong : otherwise);
}

static int set_number(const struct options_spec *o, void *to, const char *value,
    char reason[OPTIONS_REASON])
{
	int64_t number;

	if ((o->kind == OPTIONS_BYTES ? units_bytes : units_count)(value, o->low, o->high,
	        &number) < 0)
		return refuse(o,
		    TEXT_FORMAT("is not a number from %" PRId64 " to %" PRId64, o->low, o->high),
		    reason);
	member_set(to, o->size, (uint64_t)number);
	return 0;
}

static int set_time(const struct options_spec *o, void *to, const char *value,
    char reason[OPTIONS_REASON])
{
	int64_t ns;

	if (units_duration(value, &ns) < 0)
		return refuse(o, "is not a duration", reason);
	if (ns < o->low || (o->high && ns > o->high))
		return o->range ? OPTIONS_REFUSE(reason, "is out of range, %s", o->range)
		                : refuse(o, "is not a duration", reason);
	member_set(to, o->size, (uint64_t)ns);
	return 0;
}

static int set_text(const struct options_spec *o, void *to, const char *value,
    char reason[OPTIONS_REASON])
{
	const int64_t n = (int64_t)strlen(value);

	if (n < o->low ||
	    (o->kind == OPTIONS_COPY ? n >= (int64_t)o->size : o->high && n > o->high))
		return refuse(o, "is not right", reason);
	if (o->kind == OPTIONS_COPY)
		memcpy(to, value, (size_t)n + 1);
	else
		*(const char **)to = value;
	return 0;
}

static int set_word(const struct options_spec *o, void *to, const char *value,
    char reason[OPTIONS_REASON])
{
	const char *words = o->words;
	char word[IMPAIR_VALUE];

	for (uint64_t i = 0; impair_fields_word(&words, word); i++)
		if (strcmp(word, value) == 0) {
			member_set(to, o->size, i);
			return 0;
		}
	return refuse(o, TEXT_FORMAT("is not one of %s", o->words), reason);
}

int options_set(const struct options_spec *o, void *settings, const char *value,
    char reason[OPTIONS_REASON])
{
	void *to = (char *)settings + o->at;

	snprintf(reason, OPTIONS_REASON, "is not right");
	switch (o->kind) {
	case OPTIONS_SETTER:
		return o->read ? o->read(to, value, reason) : o->set(o, settings, value, reason);
	case OPTIONS_SWITCH:
		member_set(to, o->size, o->low ? (uint64_t)o->low : true);
		break;
	case OPTIONS_NUMBER:
	case OPTIONS_BYTES:
		return set_number(o, to, value, reason);
	case OPTIONS_TIME:
		return set_time(o, to, value, reason);
	case OPTIONS_TEXT:
	case OPTIONS_COPY:
		return set_text(o, to, value, reason);
	case OPTIONS_WORD:
		return set_word(o, to, value, reason);
	}
	return 0;
}

struct options_spec *options_append(struct options_spec *to, const struct options_spec *rows)
{
	while (rows->name)
		*to++ = *rows++;
	*to = *rows;
	return to;
}

/* --- the command line --- */

/* No table has more rows. */
#define ROWS_MAX 200

/* One command line and the state for reading it. */
struct options_reading {
	const struct options_spec *table;
	size_t count;
	/* The first operand ends the options. */
	bool ordered;
	int argc;
	char **argv;
	/* The options of getopt_long(), made from the table. */
	struct option longs[ROWS_MAX + 1];
	char letters[2 * ROWS_MAX + 3];
	/* The fault. */
	struct text *reason;
};

static void prepare(struct options_reading *r)
{
	char *letter = r->letters;

	while (r->count < ROWS_MAX && r->table[r->count].name)
		r->count++;
	/* Not every C library looks at the variable. */
	if (r->ordered || getenv("POSIXLY_CORRECT"))
		*letter++ = '+';
	/* Makes getopt_long() tell a missing argument from an unknown option. */
	*letter++ = ':';
	for (size_t i = 0; i < r->count; i++) {
		const struct options_spec *o = &r->table[i];

		r->longs[i] = (struct option){
			.name = o->name,
			.has_arg = o->argument ? required_argument : no_argument,
			.val = FIRST_LONG + (int)i,
		};
		if (!o->letter)
			continue;
		*letter++ = o->letter;
		if (o->argument)
			*letter++ = ':';
	}
	*letter = '\0';
}

/* The option of getopt_long()'s `code`, a letter or a number from FIRST_LONG on; NULL if none. */
static const struct options_spec *option_of(const struct options_reading *r, int code)
{
	if (code >= FIRST_LONG)
		return (size_t)(code - FIRST_LONG) < r->count ? &r->table[code - FIRST_LONG] : NULL;
	for (size_t i = 0; i < r->count; i++)
		if (code && r->table[i].letter == code)
			return &r->table[i];
	return NULL;
}

/* Adds an option as it was written, "--wait" or "-w", and `value` after it, if there is one. */
static void put_option(struct text *reason, const struct options_spec *o, int code,
    const char *value)
{
	if (code >= FIRST_LONG)
		text_put(reason, "--%s%s%s", o->name, value ? "=" : "", value ? value : "");
	else
		text_put(reason, "-%c%s%s", o->letter, value ? " " : "", value ? value : "");
}

static void put_example(struct text *reason, const struct options_spec *o, int code)
{
	if (!o->example)
		return;
	text_put(reason, "; for example ");
	put_option(reason, o, code, o->example);
}

static void put_missing(struct text *reason, const struct options_spec *o, int code)
{
	put_option(reason, o, code, NULL);
	text_put(reason, " needs %s %s", options_article(o->argument), o->argument);
	put_example(reason, o, code);
}

static void put_unknown(const struct options_reading *r, const char *dashes, const char *name,
    size_t n)
{
	const char *shown = SHOW(name, n);
	const struct options_spec *near = nearest(r->table, name, n);
	const struct impair_field *field = impair_fields, *end = field + IMPAIR_FIELD_COUNT;

	text_put(r->reason, "%s%s: there is no such option", dashes, shown);
	while (field < end && strcmp(field->options[0], shown) != 0)
		field++;
	if (field < end) {
		text_put(r->reason, "; it is one of the lab: upcase-lab --%s%s%s", shown,
		    field->argument ? " " : "", field->argument ? field->example : "");
		return;
	}
	if (near)
		text_put(r->reason, "; did you mean --%s?", near->name);
	if (find(r->table, "help"))
		text_put(r->reason, " (%s --help lists them)", standard_program());
}

/* Adds the fault of a long name that is unknown, or an abbreviation that fits several options. */
static void put_wrong_name(const struct options_reading *r, const char *name)
{
	const size_t n = strcspn(name, "=");
	size_t fits = 0;

	for (const struct options_spec *o = r->table; o->name; o++)
		fits += strncmp(o->name, name, n) == 0;
	if (fits < 2) {
		put_unknown(r, "--", name, n);
		return;
	}
	text_put(r->reason, "--%s: is short for more than one option:", SHOW(name, n));
	for (const struct options_spec *o = r->table; o->name; o++)
		if (strncmp(o->name, name, n) == 0)
			text_put(r->reason, " --%s%s", o->name, --fits ? "," : "");
}

/* Of a character beyond ASCII getopt_long() gives one byte, or in other C libraries its number; the
 * character is the first one of that kind in the arguments. */
static void put_wrong_letter(const struct options_reading *r, int letter)
{
	const char byte = (char)letter;

	for (int i = 1; i < r->argc && (letter < 0 || letter > 0x7f); i++) {
		const char *at = r->argv[i];

		while (*at && !(*at & 0x80))
			at++;
		if (*at && r->argv[i][0] == '-' && r->argv[i][1] != '-') {
			const size_t n = utf8_character((const unsigned char *)at, strlen(at));

			put_unknown(r, "-", at, n ? n : 1);
			return;
		}
	}
	put_unknown(r, "-", &byte, 1);
}

/* Adds the fault for which getopt_long() returned '?'. It sets optopt to a known option if that is
 * a switch and was given a value, to a letter it does not know, or to 0 for a long option. */
static void put_refused(const struct options_reading *r)
{
	const struct options_spec *o = option_of(r, optopt);
	const char *text = optind > 0 && optind <= r->argc ? r->argv[optind - 1] : "";

	if (optopt == 0 && strncmp(text, "--", 2) == 0)
		put_wrong_name(r, text + 2);
	else if (o)
		text_put(r->reason, "%s: --%s takes no value", SHOW(text, strlen(text)), o->name);
	else
		put_wrong_letter(r, optopt);
}

static int take(const struct options_reading *r, void *settings, int code)
{
	const struct options_spec *o = option_of(r, code);
	char reason[OPTIONS_REASON];

	if (!o || options_set(o, settings, o->argument ? optarg : NULL, reason) == 0)
		return 0;
	if (o->argument)
		put_option(r->reason, o, code, SHOW(optarg, strlen(optarg)));
	else
		put_option(r->reason, o, FIRST_LONG, NULL);
	text_put(r->reason, ": %s", reason);
	put_example(r->reason, o, code);
	return -1;
}

static int read_all(const struct options_reading *r, void *settings)
{
	int code;

	/* 0, not 1: getopt_long() starts anew, whatever it read before. */
	optind = 0;
	opterr = 0;
	while ((code = getopt_long(r->argc, r->argv, r->letters, r->longs, NULL)) != -1) {
		if (code == '?')
			return put_refused(r), -1;
		if (code == ':')
			return put_missing(r->reason, option_of(r, optopt), optopt), -1;
		if (take(r, settings, code) < 0)
			return -1;
	}
	return optind;
}

int options_command_line(const struct options_spec *table, void *settings, int argc, char **argv)
{
	char reason[REASON];
	struct text text = text_begin(reason, sizeof reason);
	struct options_reading r = { .table = table, .argc = argc, .argv = argv, .reason = &text };
	int first;

	if (argc == 0)
		return 0;
	prepare(&r);
	first = read_all(&r, settings);
	if (first < 0)
		standard_report("%s", reason);
	return first;
}

/* --- completion --- */

/* Prints the values of an option, each behind the first `n` bytes of `word`. */
static void put_values(const struct options_spec *o, const char *word, size_t n, FILE *out)
{
	const char *words = o->words ? o->words : "";
	char each[IMPAIR_VALUE];

	fprintf(out, "\t%s: %s\n", o->argument, o->help);
	if (strcmp(o->name, "preset") == 0)
		for (const struct impair_preset *p = impair_presets; p->name; p++)
			fprintf(out, "%.*s%s\t%s\n", (int)n, word, p->name, p->about);
	while (impair_fields_word(&words, each))
		fprintf(out, "%.*s%s\n", (int)n, word, each);
}

static void put_names(const struct options_spec *o, const char *word, FILE *out)
{
	for (; o->name; o++) {
		const size_t n = o->one_way ? (size_t)(strrchr(o->name, '-') - o->name + 1) : 0;

		if (o->letter && !word[1])
			fprintf(out, "-%c\t%s\n", o->letter, o->help);
		if (n == 0 || (word[1] && strncmp(word + 2, o->name, n) == 0))
			fprintf(out, "--%s\t%s\n", o->name, o->help);
	}
}

/* The option of the last word that has any; *value is its value, NULL where that is missing. */
static const struct options_spec *last_option(const struct options_reading *r, char **value)
{
	const struct options_spec *o = NULL;
	int code;

	*value = NULL;
	optind = opterr = 0;
	while ((code = getopt_long(r->argc, r->argv, r->letters, r->longs, NULL)) != -1) {
		o = option_of(r, code == ':' ? optopt : code);
		*value = code == ':' ? NULL : optarg;
	}
	return o;
}

int options_complete(const struct options_spec *table, bool permute, int argc, char **argv,
    FILE *out)
{
	char *word = argv[argc - 1], *value, *alone[] = { argv[0], word, NULL };
	struct options_reading r = {
		.table = table, .ordered = !permute, .argc = argc - 1, .argv = argv
	};
	const struct options_spec *o;
	int operands = -1;

	prepare(&r);
	/* Some C libraries look for the argument behind the last word. */
	argv[r.argc] = NULL;
	o = last_option(&r, &value);
	argv[r.argc] = word;
	if (o && o->argument && !value) {
		put_values(o, word, 0, out);
	} else if (*word != '-' || (optind < r.argc && !permute) ||
	           strcmp(argv[optind - 1], "--") == 0) {
		operands = r.argc - optind;
	} else {
		r.argc = 2;
		r.argv = alone;
		o = last_option(&r, &value);
		if (value)
			put_values(o, word, (size_t)(value - word), out);
		else
			put_names(table, word, out);
	}
	return operands;
}

/* --- the configuration file --- */

#define BLANKS " \t"

/* Splits a line: name, blanks, perhaps "=", blanks, value. Ends the name, which `line` then is.
 * Returns the value, NULL if the line is only a name. */
static char *split(char *line)
{
	char *const end = line + strcspn(line, BLANKS "="), *value = end + strspn(end, BLANKS);

	if (!*end)
		return NULL;
	value += *value == '=';
	*end = '\0';
	return value + strspn(value, BLANKS);
}

static int refuse_name(const struct options_spec *table, const char *name,
    char reason[OPTIONS_REASON])
{
	const char *shown = SHOW(name, strlen(name));
	const struct options_spec *near = NULL;

	if (!*name)
		return OPTIONS_REFUSE(reason, "there is no option's name before the \"=\"");
	if (*name == '-') {
		name += strspn(name, "-");
		near = find(table, name);
		if (near)
			return OPTIONS_REFUSE(reason, "%s: options stand without dashes here: %s",
			    shown, near->name);
	}
	near = nearest(table, name, strlen(name));
	return OPTIONS_REFUSE(reason, "%s: there is no such option%s%s%s", shown,
	    near ? "; did you mean " : "", near ? near->name : "", near ? "?" : "");
}

/* Writes why a setter refused, in full: the line and a correct value. */
static int refuse_value(const struct options_spec *o, const char *value, const char *detail,
    char reason[OPTIONS_REASON])
{
	struct text t = text_begin(reason, OPTIONS_REASON);

	text_put(&t, "%s: ", o->name);
	if (o->argument)
		text_put(&t, "'%s' ", SHOW(value, strlen(value)));
	text_put(&t, "%s", detail);
	if (o->argument && o->example)
		text_put(&t, "; for example %s = %s", o->name, o->example);
	return -1;
}

static int apply(const struct options_spec *o, void *settings, const char *value,
    char reason[OPTIONS_REASON])
{
	char detail[OPTIONS_REASON];

	if (o->command_line_only)
		return OPTIONS_REFUSE(reason, "%s: works on the command line only", o->name);
	if (!o->argument && value)
		return OPTIONS_REFUSE(reason,
		    "%s: takes no value; write it alone, or leave the line out", o->name);
	if (o->argument && !value)
		return OPTIONS_REFUSE(reason, "%s: needs %s %s; for example %s = %s", o->name,
		    options_article(o->argument), o->argument, o->name,
		    o->example ? o->example : o->argument);
	return options_set(o, settings, value, detail) == 0
	         ? 0
	         : refuse_value(o, value, detail, reason);
}

int options_line(const struct options_spec *table, void *settings, const char *line, size_t n,
    char reason[OPTIONS_REASON])
{
	const struct options_spec *o;
	char copy[LINE_MAX_BYTES + 1], *name = copy, *value;

	if (n > LINE_MAX_BYTES)
		return OPTIONS_REFUSE(reason, "the line is longer than %d bytes", LINE_MAX_BYTES);
	if (memchr(line, '\0', n))
		return OPTIONS_REFUSE(reason,
		    "the line has a NUL byte in it: is this a text file?");
	if (n > 0 && line[n - 1] == '\r')
		n--;
	while (n > 0 && strchr(BLANKS, line[n - 1]))
		n--;
	memcpy(copy, line, n);
	copy[n] = '\0';
	name += strspn(name, BLANKS);
	if (!*name || *name == '#')
		return 0;
	value = split(name);
	o = find(table, name);
	return o ? apply(o, settings, value, reason) : refuse_name(table, name, reason);
}

static int read_lines(const struct options_spec *table, void *settings, const char *text,
    size_t length, const char *path)
{
	const char *line = text, *const end = text + length;
	char reason[OPTIONS_REASON];

	if (length >= MARK_BYTES && memcmp(line, MARK, MARK_BYTES) == 0)
		line += MARK_BYTES;
	for (unsigned long number = 1; line < end; number++) {
		const char *feed = memchr(line, '\n', (size_t)(end - line)),
		           *stop = feed ? feed : end;

		if (options_line(table, settings, line, (size_t)(stop - line), reason) < 0) {
			standard_report("%s:%lu: %s", path, number, reason);
			return -1;
		}
		line = stop + 1;
	}
	return 0;
}

int options_file(const struct options_spec *table, void *settings, const char *path)
{
	const char *reason;
	size_t length;
	const int fd = file_read(path, FILE_MAX_BYTES, &reason);
	char *text = NULL;
	int result;

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return 1;
	if (fd >= 0)
		text = file_text(fd, FILE_MAX_BYTES, &length, &reason);
	if (!text) {
		standard_report("%s: cannot be read: %s; a configuration is an ordinary file", path,
		    reason);
		return -1;
	}
	result = read_lines(table, settings, text, length, path);
	free(text);
	return result;
}

/* --- help --- */

/* Writes "  -w, --wait=DURATION". Returns its columns. */
static size_t put_synopsis(const struct options_spec *o, char line[SHOWN])
{
	struct text t = text_begin(line, SHOWN);

	if (o->letter)
		text_put(&t, "  -%c, ", o->letter);
	else
		text_put(&t, "      ");
	text_put(&t, "--%s%s%s", o->name, o->argument ? "=" : "", o->argument ? o->argument : "");
	return (size_t)utf8_columns(line);
}

/* Writes the words of `text` from column `left` on, each line within HELP_WIDTH. */
static void put_wrapped(const char *text, size_t left, FILE *out)
{
	size_t column = left;

	while (*text) {
		size_t n = strcspn(text, " "), columns = 0;

		for (size_t i = 0; i < n; i++)
			columns += (text[i] & 0xc0) != 0x80;
		if (column > left && column + 1 + columns > HELP_WIDTH) {
			fprintf(out, "\n%*s", (int)left, "");
			column = left;
		}
		fprintf(out, "%s%.*s", column > left ? " " : "", (int)n, text);
		column += columns + (column > left);
		text += n;
		text += strspn(text, " ");
	}
	fputc('\n', out);
}

void options_help(const struct options_spec *table, FILE *out)
{
	size_t left = 0, columns;
	char line[SHOWN];

	for (const struct options_spec *o = table; o->name; o++) {
		columns = put_synopsis(o, line) + 2;
		if (columns > left && columns <= HELP_COLUMN_MAX)
			left = columns;
	}
	for (const struct options_spec *o = table; o->name; o++) {
		columns = put_synopsis(o, line);
		if (columns + 2 > left)
			fprintf(out, "%s\n%*s", line, (int)left, "");
		else
			fprintf(out, "%s%*s", line, (int)(left - columns), "");
		put_wrapped(o->help, left, out);
	}
}
