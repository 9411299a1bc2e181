/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A value that does not fit becomes null; an object is missing if memory is short. */
#include "record/fields.h"

#include <errno.h>
#include <jansson.h>

#include "common/grow.h"
#include "common/member.h"
#include "common/printable.h"
#include "common/text.h"
#include "common/utf8.h"
#include "ledger/error-text.h"
#include "ledger/figures.h"
#include "record/record.h"

/* The name of the value, NULL for none. `buf` has ERROR_NAME bytes. */
static const char *name_of(const struct field *f, const void *at, char *buf)
{
	const uint64_t value = member_get(at, f->size);

	if (f->kind == FIELD_ERROR)
		return value ? error_name((int)value, buf) : NULL;
	return value < f->name_count ? f->names[value] : NULL;
}

/* The number of the value, or RECORD_NEVER for none. */
static int64_t number_of(const struct field *f, const void *at)
{
	const int64_t value = f->size == sizeof(int) && f->missing < 0
	                        ? *(const int *)at
	                        : (int64_t)member_get(at, f->size);

	return value < f->min || (value == 0 && f->flags & FIELD_ZERO_NULL) ? RECORD_NEVER : value;
}

/* --- into JSON --- */

static json_t *number(int64_t value)
{
	return value == RECORD_NEVER ? json_null() : json_integer(value);
}

/* The words as JSON: a system's message that is not UTF-8 is lost in part. */
static json_t *words(const char *text)
{
	json_t *value = text ? json_string(text) : json_null();

	return value ? value : json_string("?");
}

static void put_bytes(json_t *to, const struct field *f, const void *from,
    const unsigned char *bytes)
{
	const size_t n = member_get((const char *)from + f->count, f->count_size);
	char *base64 = bytes && !record_is_text(bytes, n, true) ? record_base64(bytes, n) : NULL;

	if (base64)
		json_object_set_new(to, TEXT_FORMAT("%s_base64", f->key), json_string(base64));
	else
		json_object_set_new(to, f->key,
		    bytes ? json_stringn((const char *)bytes, n) : json_null());
	free(base64);
}

static json_t *object_of(const struct field *fields, const void *from)
{
	json_t *o = json_object();

	fields_put(o, fields, from);
	return o;
}

static json_t *list_of(const struct field *f, const void *from, const char *items)
{
	const uint64_t count = member_get((const char *)from + f->count, f->count_size);
	json_t *list = json_array();

	for (uint64_t i = 0; i < count; i++, items += f->size)
		json_array_append_new(list,
		    f->fields ? object_of(f->fields, items) : number(number_of(f, items)));
	return list;
}

static void *pointer_at(const void *at)
{
	void *pointer;

	memcpy(&pointer, at, sizeof pointer);
	return pointer;
}

/* The value as JSON; NULL leaves it out. */
static json_t *value_of(const struct field *f, const void *from, const void *at)
{
	char name[ERROR_NAME];

	switch (f->kind) {
	case FIELD_NUMBER:
		return number(number_of(f, at));
	case FIELD_BOOL:
		return json_boolean(member_get(at, f->size) != 0);
	case FIELD_NAME:
	case FIELD_ERROR:
		return words(name_of(f, at, name));
	case FIELD_WORDS:
		return words(pointer_at(at));
	case FIELD_LINE:
		return words(*(const char *)at ? at : NULL);
	case FIELD_FLAGS:
		return words(record_flags_name(from));
	case FIELD_LIST:
		return list_of(f, from, pointer_at(at));
	case FIELD_ARRAY:
		return list_of(f, from, at);
	case FIELD_WITHIN:
		return (f->size == sizeof(bool) ? *(const bool *)at : pointer_at(at) != NULL)
		         ? object_of(f->fields, from)
		         : json_null();
	case FIELD_PART:
		return object_of(f->fields, (const char *)pointer_at(at) + f->part);
	case FIELD_BYTES:
	case FIELD_FIGURES:
		break;
	}
	return NULL;
}

/* Adds a figure, and its object with the first figure of that. The object of TCP is null over UDP;
 * without statistics their objects are missing. */
static void put_figure(json_t *o, const struct figure *row, const struct figures *f)
{
	const bool none = !f->stream && strcmp(row->group, "tcp") == 0;
	json_t *to = *row->group ? json_object_get(o, row->group) : o;

	if (row->type >= FIGURE_STATS_COUNT && !f->stats)
		return;
	if (!to)
		json_object_set_new(o, row->group, to = none ? json_null() : json_object());
	if (none)
		return;
	if (row->type >= FIGURE_RUN_MEAN && figure_real(row, f) >= 0)
		json_object_set_new(to, row->key, json_real(figure_real(row, f)));
	else
		json_object_set_new(to, row->key, number(figure_value(row, f)));
}

void fields_put(json_t *to, const struct field *f, const void *from)
{
	for (; f->key; f++) {
		const void *at = (const char *)from + f->offset;

		if (f->flags & FIELD_CSV_ONLY)
			continue;
		if (f->kind == FIELD_BYTES) {
			put_bytes(to, f, from, pointer_at(at));
			continue;
		}
		if (f->kind == FIELD_FIGURES) {
			for (size_t i = 0; i < figures_count; i++)
				if (figures_table[i].key &&
				    (!f->names || fields_name(f->names, f->name_count,
				                      figures_table[i].group) >= 0))
					put_figure(to, &figures_table[i], at);
			continue;
		}
		json_t *value = value_of(f, from, at);
		if (f->flags & FIELD_OMITTED && (json_is_null(value) || json_is_false(value)))
			json_decref(value);
		else
			json_object_set_new(to, f->key, value);
	}
}

/* Writes JSON. jansson escapes U+0000 to U+001F only; this function also escapes other characters
 * that control a terminal or change the direction of the text. */
static void write_escaped(FILE *out, const char *json)
{
	const unsigned char *s = (const unsigned char *)json;
	const char *rest = json;

	for (size_t length; *s; s += length) {
		length = utf8_length(*s);
		const uint32_t code = utf8_code(s, length);
		if (!utf8_is_control(code))
			continue;
		fwrite(rest, 1, (size_t)((const char *)s - rest), out);
		fprintf(out, "\\u%04" PRIX32, code);
		rest = (const char *)s + length;
	}
	fputs(rest, out);
}

int fields_write(FILE *out, json_t *object)
{
	char *json = object ? json_dumps(object, JSON_COMPACT) : NULL;

	json_decref(object);
	if (!json) {
		errno = ENOMEM;
		return -1;
	}
	write_escaped(out, json);
	free(json);
	return putc('\n', out) == EOF || ferror(out) ? -1 : 0;
}

/* --- from JSON --- */

void fields_fail(struct fields_reader *r, const char *key, const char *fault)
{
	if (!r->bad)
		snprintf(r->reason, RECORD_REASON, "\"%s\" %s", key, fault);
	r->bad = true;
}

/* The value, NULL when it is null or missing. */
static json_t *get(const struct fields_reader *r, const char *key)
{
	json_t *value = json_object_get(r->object, key);

	return json_is_null(value) ? NULL : value;
}

const char *fields_word(struct fields_reader *r, const char *key)
{
	json_t *value = get(r, key);

	if (value && !json_is_string(value))
		fields_fail(r, key, "is not a text");
	return json_string_value(value);
}

static void read_number(struct fields_reader *r, const struct field *f, void *at)
{
	json_t *value = get(r, f->key);
	const json_int_t n = json_integer_value(value);

	member_set(at, f->size, (uint64_t)f->missing);
	if (value && !json_is_integer(value))
		fields_fail(r, f->key, "is not a whole number");
	else if (value && (n < f->min || n > f->max))
		fields_fail(r, f->key, "is out of range");
	else if (value)
		member_set(at, f->size, (uint64_t)n);
}

/* Allocates `count` zeroed items for the pointer at `at`. */
static void *allocate(struct fields_reader *r, const struct field *f, size_t count, void *at)
{
	void *items = calloc(count, f->size);

	memcpy(at, &items, sizeof items);
	if (!items)
		fields_fail(r, f->key, "is more than memory has room for");
	return items;
}

static void read_inside(struct fields_reader *from, const char *key, json_t *value,
    const struct field *fields, void *to)
{
	struct fields_reader r = { .object = value, .reason = from->reason, .bad = from->bad };

	if (!json_is_object(value))
		fields_fail(from, key, "is not an object");
	else
		fields_read(&r, fields, to);
	from->bad = from->bad || r.bad;
}

static void read_items(struct fields_reader *r, const struct field *f, json_t *list, char *items)
{
	json_t *value;
	size_t i;

	json_array_foreach(list, i, value)
	{
		const json_int_t n = json_integer_value(value);

		if (f->fields)
			read_inside(r, f->key, value, f->fields, items + i * f->size);
		else if (json_is_integer(value) && n >= f->min && n <= f->max)
			member_set(items + i * f->size, f->size, (uint64_t)n);
		else if (!(f->flags & FIELD_ZERO_NULL && json_is_null(value)))
			fields_fail(r, f->key, "has a value that is not a time");
	}
}

static void read_list(struct fields_reader *r, const struct field *f, void *to, void *at)
{
	json_t *list = get(r, f->key);
	void *count = (char *)to + f->count;
	const size_t n = json_array_size(list);

	if (list && !json_is_array(list))
		fields_fail(r, f->key, "is not a list");
	else if (n > (f->flags & FIELD_ZERO_NULL ? member_get(count, f->count_size) : f->items_max))
		fields_fail(r, f->key, "is too long");
	if (r->bad || n == 0)
		return;
	if (f->kind == FIELD_LIST && !(at = allocate(r, f, n, at)))
		return;
	if (!(f->flags & FIELD_ZERO_NULL))
		member_set(count, f->count_size, n);
	read_items(r, f, list, at);
}

static void read_figure(struct fields_reader *r, const struct figure *row, struct figures *f)
{
	const struct field field = { row->key, .size = sizeof(int64_t),
		.max = row->type == FIGURE_SMALL ? UINT32_MAX
		     : row->type == FIGURE_SPAN  ? SESSION_TIME_MAX
		                                 : FIELD_COUNT_MAX };
	const bool missing = !get(r, row->key);
	int64_t value = FIGURE_NONE;

	if (missing &&
	    (row->type == FIGURE_SERVER || row->scope & (FIGURE_SAMPLED | FIGURE_TRACED)))
		return;
	if (!missing || row->type != FIGURE_KNOWN)
		read_number(r, &field, &value);
	figure_set(row, f, value);
}

/* Reads figures, whose objects may be missing. */
static void read_figures(struct fields_reader *r, struct figures *f)
{
	for (const struct figure *row = figures_table; row < figures_table + figures_count; row++) {
		struct fields_reader inside = *r;

		if (!row->key || row->type >= FIGURE_DERIVED ||
		    (*row->group && !get(r, row->group)))
			continue;
		if (*row->group)
			inside.object = get(r, row->group);
		if (!json_is_object(inside.object))
			fields_fail(r, row->group, "is not an object");
		else
			read_figure(&inside, row, f);
		r->bad = r->bad || inside.bad;
	}
}

int fields_name(const char *const *names, size_t count, const char *name)
{
	for (size_t i = 0; name && i < count; i++)
		if (names[i] && strcmp(names[i], name) == 0)
			return (int)i;
	return -1;
}

static void read_name(struct fields_reader *r, const struct field *f, void *at)
{
	const char *word = fields_word(r, f->key);
	const int value = !word && f->refused    ? -1
	                : !word                  ? 0
	                : f->kind == FIELD_ERROR ? error_number(word)
	                                         : fields_name(f->names, f->name_count, word);

	if (value < 0)
		fields_fail(r, f->key, f->refused ? f->refused : "has a value that is not known");
	else
		member_set(at, f->size, (uint64_t)value);
}

/* Reads words for people, spelled out as printable_text() does: malloc()ed; NULL for none. */
static char *read_words(struct fields_reader *r, const char *key)
{
	const char *word = fields_word(r, key);
	const size_t n = word ? strlen(word) : 0;
	char *copy = word ? malloc(PRINTABLE_ROOM(n)) : NULL;

	if (copy)
		printable_text(copy, word, n, "", true);
	else if (word)
		fields_fail(r, key, "is more than memory has room for");
	return copy;
}

static void read_line(struct fields_reader *r, const struct field *f, char *line)
{
	char *text = read_words(r, f->key);

	if (text && strlen(text) >= f->size)
		fields_fail(r, f->key, "is longer than any link's words");
	else if (text)
		strcpy(line, text);
	free(text);
}

static void read_bytes(struct fields_reader *r, const struct field *f, void *to, void *at)
{
	const bool is_text = get(r, f->key);
	char key[40];
	unsigned char *bytes = NULL;
	const char *word;
	size_t n;

	snprintf(key, sizeof key, is_text ? "%s" : "%s_base64", f->key);
	word = fields_word(r, key);
	n = json_string_length(get(r, key));
	if (word)
		bytes = is_text ? grow_copy(word, n) : record_from_base64(word, n, &n);
	if (word && !bytes)
		fields_fail(r, key, is_text ? "is more than memory has room for" : "is not base64");
	if (!word && f->flags & FIELD_REQUIRED)
		fields_fail(r, f->key, "is missing");
	memcpy(at, &bytes, sizeof bytes);
	member_set((char *)to + f->count, f->count_size, n);
}

static void read_field(struct fields_reader *r, const struct field *f, void *to)
{
	void *at = (char *)to + f->offset;
	json_t *value = get(r, f->key);
	const char *flags;
	char *text;

	switch (f->kind) {
	case FIELD_NUMBER:
		read_number(r, f, at);
		break;
	case FIELD_BOOL:
		if (value && !json_is_boolean(value))
			fields_fail(r, f->key, "is neither true nor false");
		member_set(at, f->size, json_is_true(value));
		break;
	case FIELD_NAME:
	case FIELD_ERROR:
		read_name(r, f, at);
		break;
	case FIELD_WORDS:
		text = read_words(r, f->key);
		memcpy(at, &text, sizeof text);
		break;
	case FIELD_LINE:
		read_line(r, f, at);
		break;
	case FIELD_BYTES:
		read_bytes(r, f, to, at);
		return;
	case FIELD_FLAGS:
		flags = fields_word(r, f->key);
		if (flags && record_flags(flags, to) < 0)
			fields_fail(r, f->key, "is not known");
		break;
	case FIELD_LIST:
	case FIELD_ARRAY:
		read_list(r, f, to, at);
		break;
	case FIELD_WITHIN:
		if (value && f->size == sizeof(bool))
			*(bool *)at = true;
		else if (value && !allocate(r, f, 1, at))
			break;
		if (value)
			read_inside(r, f->key, value, f->fields, to);
		break;
	case FIELD_PART:
		read_inside(r, f->key, value, f->fields, (char *)pointer_at(at) + f->part);
		break;
	case FIELD_FIGURES:
		read_figures(r, at);
		break;
	}
	if (!value && f->flags & FIELD_REQUIRED)
		fields_fail(r, f->key, "is missing");
}

void fields_read(struct fields_reader *r, const struct field *f, void *to)
{
	for (; f->key; f++)
		if (!(f->flags & (FIELD_DERIVED | FIELD_CSV_ONLY)))
			read_field(r, f, to);
}

/* --- CSV --- */

/* Returns true if a spreadsheet takes the text for a formula (in some languages also with
 * full-width signs), or for text that an apostrophe marks as no formula. */
static bool is_formula(const char *text, size_t n)
{
	return strchr("=+-@'", *text) || (n > 2 && text[0] == '\xef' && text[1] == '\xbc' &&
	                                     strchr("\x9d\x8b\x8d\xa0", text[2]));
}

/* Writes the value in quotes. Where the semicolon separates cells these quotes do not protect: a
 * formula may begin after each semicolon, and after quotes, which are doubled. */
static void write_text(FILE *out, const char *text, size_t n)
{
	bool begins = true;

	putc('"', out);
	for (size_t at = 0; at < n; at++) {
		if (begins && is_formula(text + at, n - at))
			putc('\'', out);
		if (text[at] == '"')
			putc('"', out);
		else
			begins = text[at] == ';';
		putc(text[at], out);
	}
	putc('"', out);
}

/* Writes two columns, of which one is used: the text, or base64 if it has control characters, since
 * few readers accept a zero byte or an end of line in a cell, and a terminal executes others. */
static void write_bytes(FILE *out, const unsigned char *bytes, size_t n)
{
	const bool is_text = bytes && record_is_text(bytes, n, false);
	char *base64 = bytes && !is_text ? record_base64(bytes, n) : NULL;

	if (is_text)
		write_text(out, (const char *)bytes, n);
	putc(',', out);
	if (bytes && !is_text)
		write_text(out, base64, base64 ? strlen(base64) : 0);
	free(base64);
}

static void write_cell(FILE *out, const struct field *f, const void *from)
{
	const void *at = (const char *)from + f->offset;
	const char *text;
	char name[ERROR_NAME];

	switch (f->kind) {
	case FIELD_BOOL:
		fputs(member_get(at, f->size) ? "true" : "false", out);
		break;
	case FIELD_NAME:
	case FIELD_ERROR:
		text = name_of(f, at, name);
		fputs(text ? text : "", out);
		break;
	case FIELD_WORDS:
		text = pointer_at(at);
		write_text(out, text, strlen(text));
		break;
	case FIELD_BYTES:
		write_bytes(out, pointer_at(at),
		    member_get((const char *)from + f->count, f->count_size));
		break;
	default:
		if (number_of(f, at) != RECORD_NEVER)
			fprintf(out, "%" PRId64, number_of(f, at));
	}
}

void fields_row(FILE *out, const char *type, const struct field *columns,
    const struct field *fields, const void *from)
{
	fputs(type, out);
	for (const struct field *c = columns; c->key; c++) {
		const struct field *f = fields == columns ? c : fields;

		if (!(c->flags & (FIELD_CSV | FIELD_CSV_ONLY)))
			continue;
		while (f->key && f != c && strcmp(f->column ? f->column : f->key, c->key) != 0)
			f++;
		putc(',', out);
		if (f->key)
			write_cell(out, f, from);
		else if (c->kind == FIELD_BYTES)
			putc(',', out);
	}
	fputs("\r\n", out);
}

void fields_header(FILE *out, const struct field *c)
{
	fputs("type", out);
	for (; c->key; c++) {
		if (!(c->flags & (FIELD_CSV | FIELD_CSV_ONLY)))
			continue;
		fprintf(out, c->kind == FIELD_BYTES ? ",%s,%s_base64" : ",%s", c->key, c->key);
	}
	fputs("\r\n", out);
}
