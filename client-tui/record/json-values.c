/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "record/json-values.h"

#include "common/grow.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/printable.h"
#include "record/json-write.h"

void json_values_fail(struct json_values *r, const char *key, const char *what)
{
	if (!r->bad)
		snprintf(r->why, RECORD_WHY, "\"%s\" %s", key, what);
	r->bad = true;
}

json_t *json_values_get(const struct json_values *r, const char *key)
{
	json_t *value = json_object_get(r->object, key);

	return json_is_null(value) ? NULL : value;
}

int64_t json_values_int(struct json_values *r, const char *key, int64_t low, int64_t high,
    int64_t missing)
{
	json_t *value = json_values_get(r, key);

	if (!value)
		return missing;
	if (!json_is_integer(value)) {
		json_values_fail(r, key, "is not a whole number");
		return missing;
	}
	if (json_integer_value(value) >= low && json_integer_value(value) <= high)
		return json_integer_value(value);
	json_values_fail(r, key, "is out of range");
	return missing;
}

bool json_values_bool(struct json_values *r, const char *key)
{
	json_t *value = json_values_get(r, key);

	if (value && !json_is_boolean(value))
		json_values_fail(r, key, "is neither true nor false");
	return json_is_true(value);
}

const char *json_values_word(struct json_values *r, const char *key)
{
	json_t *value = json_values_get(r, key);

	if (value && !json_is_string(value))
		json_values_fail(r, key, "is not a text");
	return json_string_value(value);
}

int json_values_name(struct json_values *r, const char *key, int (*meaning)(const char *),
    int missing)
{
	const char *word = json_values_word(r, key);
	const int value = word ? meaning(word) : missing;

	if (word && value < 0)
		json_values_fail(r, key, "has a value that is not known");
	return value < 0 ? missing : value;
}

char *json_values_copy(struct json_values *r, const char *key)
{
	const char *word = json_values_word(r, key);
	const size_t n = word ? strlen(word) : 0;
	char *copy = word ? malloc(PRINTABLE_ROOM(n)) : NULL;

	if (copy)
		printable_text(copy, word, n, "", true);
	else if (word)
		json_values_fail(r, key, "is more than memory has room for");
	return copy;
}

unsigned char *json_values_bytes(struct json_values *r, const char *key, const char *key64,
    size_t *length)
{
	const bool as_text = json_values_get(r, key) != NULL;
	const char *word = json_values_word(r, as_text ? key : key64);
	const size_t n = json_string_length(json_values_get(r, as_text ? key : key64));
	unsigned char *bytes;

	*length = n;
	if (!word)
		return NULL;
	bytes = as_text ? grow_copy(word, n) : record_from_base64(word, n, length);
	if (!bytes)
		json_values_fail(r, as_text ? key : key64,
		    as_text ? "is more than memory has room for" : "is not base64");
	return bytes;
}

json_t *json_values_array(struct json_values *r, const char *key, size_t max)
{
	json_t *value = json_values_get(r, key);

	if (value && !json_is_array(value))
		json_values_fail(r, key, "is not a list");
	else if (json_array_size(value) > max)
		json_values_fail(r, key, "is too long");
	return r->bad ? NULL : value;
}

struct json_values json_values_inside(struct json_values *r, const char *key, json_t *value)
{
	if (!json_is_object(value))
		json_values_fail(r, key, "is not an object");
	return (struct json_values){
		.object = json_is_object(value) ? value : NULL, .why = r->why, .bad = r->bad
	};
}
