/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The fields of records: one table for each struct has the name, kind and place of each field. The
 * table drives the writing and reading of JSON and the writing of CSV. Pure. */
#pragma once

/* A type of jansson. */
struct json_t;

enum field_kind {
	FIELD_NUMBER, /* an integer; null when it is less than `min` */
	FIELD_BOOL,   /* an integer, false for 0 */
	FIELD_NAME,   /* an enum by its `names`; null for one without a name */
	FIELD_ERROR,  /* an int, an error of error-text.h by its name; 0 is null */
	FIELD_WORDS,  /* a char *, words for people; owned */
	FIELD_LINE,   /* a char array; "" is null */
	FIELD_BYTES,  /* an unsigned char *, as text, or as KEY_base64; owned; `count` is its length
	               */
	FIELD_FLAGS,  /* the TCP flags of the struct link_packet itself */
	FIELD_LIST,   /* a pointer to structs with `fields`, or to numbers without `fields`; owned;
	                 `count` */
	FIELD_ARRAY,  /* an array of numbers; `count` */
	FIELD_WITHIN, /* an object with `fields` of the same struct; null unless the bool, or the
	                 pointer to something owned, is set */
	FIELD_PART,   /* an object with `fields` of the struct `part` bytes behind the pointer */
	FIELD_FIGURES, /* a struct figures: the keys of figures_table in the groups `names` (NULL:
	                  in all), without one of its own */
};

enum field_flag {
	FIELD_CSV = 1,       /* a column of CSV */
	FIELD_CSV_ONLY = 2,  /* a column of CSV that is not in JSON */
	FIELD_DERIVED = 4,   /* only written, never read */
	FIELD_REQUIRED = 8,  /* must be present */
	FIELD_OMITTED = 16,  /* left out when it is null or false */
	FIELD_ZERO_NULL = 32 /* 0 is null; an array: its count is that of the array before it */
};

struct field {
	const char *key; /* NULL at the end of a table */
	enum field_kind kind;
	/* The place and the size of the member; for a list and an array the size of an item; for
	 * FIELD_WITHIN the size of what is allocated for the pointer. */
	size_t offset, size;
	unsigned flags;
	size_t count, count_size;
	size_t part;
	int64_t min, max, missing; /* the range of a number, and the value of a missing one */
	size_t items_max;
	const struct field *fields;
	const char *const *names;
	size_t name_count;
	/* The reason why an unknown or missing name is refused; NULL: it may be missing. */
	const char *refused;
	const char *column; /* the column of CSV, if it has another name */
};

/* The ranges of numbers. Sums of counts never overflow. */
#define FIELD_COUNT_MAX (INT64_C(1) << 52)
#define FIELD_COUNT .kind = FIELD_NUMBER, .max = FIELD_COUNT_MAX
#define FIELD_TIME \
	.kind = FIELD_NUMBER, .min = -SESSION_TIME_MAX, .max = SESSION_TIME_MAX, \
	.missing = RECORD_NEVER
#define FIELD_SPAN .kind = FIELD_NUMBER, .max = SESSION_TIME_MAX

/* A reader of an object: it checks each value's kind and range, and reports the first error in
 * `reason`, RECORD_REASON bytes. A missing key equals null. */
struct fields_reader {
	struct json_t *object;
	char *reason;
	bool bad;
};

/* Adds the fields of the struct at `from` to an object. */
void fields_put(struct json_t *to, const struct field *fields, const void *from);
/* Writes an object as a line, and frees it. Returns 0, or -1 with errno. */
int fields_write(FILE *out, struct json_t *object);
/* Sets the members of the struct at `to`, which is zeroed, from an object. The caller frees owned
 * members, also after an error. */
void fields_read(struct fields_reader *r, const struct field *fields, void *to);
void fields_fail(struct fields_reader *r, const char *key, const char *fault);
/* The place of the name among `names`, some of which may be NULL, as `name` may; -1 for none. */
int fields_name(const char *const *names, size_t count, const char *name);
/* Returns a string that is valid as long as the object; NULL if it is missing. */
const char *fields_word(struct fields_reader *r, const char *key);

/* Writes a row: the type, then for each of the `columns` the field of that name, or nothing. */
void fields_row(FILE *out, const char *type, const struct field *columns,
    const struct field *fields, const void *from);
/* Writes the names of the columns. */
void fields_header(FILE *out, const struct field *columns);
