/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The fields of records: one table a struct says what each field is called, what kind of value it
 * has and where it stands. JSON is written and read by the table, and the cells of CSV are written
 * by it. Pure. */
#ifndef UPCASE_RECORD_FIELDS_H
#define UPCASE_RECORD_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* jansson's. */
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
	FIELD_LIST,   /* a pointer to structs of `fields`, or to numbers without; owned; `count` */
	FIELD_ARRAY,  /* an array of numbers; `count` */
	FIELD_WITHIN, /* an object with `fields` of the same struct; null unless the bool, or the
	                 pointer to something owned, is set */
	FIELD_PART,   /* an object with `fields` of the struct `part` bytes behind the pointer */
	FIELD_FIGURES, /* a struct figures: the keys of figures_table, without one of its own */
};

enum field_flag {
	FIELD_CSV = 1,       /* it is a column of CSV */
	FIELD_CSV_ONLY = 2,  /* the same, and it is not in JSON */
	FIELD_DERIVED = 4,   /* it is written only */
	FIELD_REQUIRED = 8,  /* it must be there */
	FIELD_OMITTED = 16,  /* it is left out when it is null or false */
	FIELD_LENIENT = 32,  /* a name that is not known counts as the first */
	FIELD_ZERO_NULL = 64 /* 0 is null; an array: its count is that of the array before it */
};

struct field {
	/* NULL at the end of a table. */
	const char *key;
	enum field_kind kind;
	/* Where the member stands, and its size; of a list and an array the size of an item;
	 * FIELD_WITHIN: of what is allocated behind the pointer. */
	size_t offset, size;
	unsigned flags;
	/* Where the count stands, and its size. */
	size_t count, count_size;
	size_t part;
	/* The range of a number, and what one that is missing is. */
	int64_t min, max, missing;
	/* The longest list. */
	size_t items_max;
	const struct field *fields;
	const char *const *names;
	size_t name_count;
	/* Why a name that is not known, or missing, is refused; NULL: it may be missing. */
	const char *refused;
	/* The column of CSV, when that has another name. */
	const char *column;
};

/* The ranges of numbers. Sums of counts never overflow. */
#define FIELD_COUNT_MAX (INT64_C(1) << 52)
#define FIELD_COUNT .kind = FIELD_NUMBER, .max = FIELD_COUNT_MAX
#define FIELD_TIME \
	.kind = FIELD_NUMBER, .min = -SESSION_TIME_MAX, .max = SESSION_TIME_MAX, \
	.missing = RECORD_NEVER
#define FIELD_SPAN .kind = FIELD_NUMBER, .max = SESSION_TIME_MAX

/* An object that is read: each value is checked for its kind and its range, and the first that is
 * wrong is reported in `why`, RECORD_WHY bytes. A key that is missing is as good as null. */
struct fields_reader {
	struct json_t *object;
	char *why;
	bool bad;
};

/* Adds the fields of the struct at `from` to an object. */
void fields_put(struct json_t *to, const struct field *fields, const void *from);
/* Writes an object as a line, and frees it. Returns 0, or -1 with errno. */
int fields_write(FILE *out, struct json_t *object);
/* Sets the members of the struct at `to`, which is zeroed, from an object. What is owned has to be
 * freed even if something is wrong. */
void fields_read(struct fields_reader *r, const struct field *fields, void *to);
void fields_fail(struct fields_reader *r, const char *key, const char *what);
/* Valid as long as the object; NULL when it is missing. */
const char *fields_word(struct fields_reader *r, const char *key);

/* Writes a row: the type, and in the order of the `columns` those of the `fields` that have the
 * same name; the others are empty. */
void fields_row(FILE *out, const char *type, const struct field *columns,
    const struct field *fields, const void *from);
/* Writes the names of the columns. */
void fields_header(FILE *out, const struct field *columns);

#endif
