/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The values of a JSON object that may come from anywhere: each is checked for its kind and its
 * range, and the first that is wrong is blamed. A key that is missing is as good as null. */
#ifndef UPCASE_JSON_READER_H
#define UPCASE_JSON_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* jansson's. */
struct json_t;

/* An object being read, and where to say what is wrong, RECORD_WHY bytes; `bad` once something is.
 */
struct json_values {
	struct json_t *object;
	char *why;
	bool bad;
};

void json_values_fail(struct json_values *r, const char *key, const char *what);
/* The value, NULL when it is null or missing. */
struct json_t *json_values_get(const struct json_values *r, const char *key);
/* A whole number from `low` to `high`. */
int64_t json_values_int(struct json_values *r, const char *key, int64_t low, int64_t high,
    int64_t missing);
bool json_values_bool(struct json_values *r, const char *key);
/* Valid as long as the object; NULL when it is missing. */
const char *json_values_word(struct json_values *r, const char *key);
/* What the word means: `meaning` has a negative value for one that is not known. */
int json_values_name(struct json_values *r, const char *key, int (*meaning)(const char *),
    int missing);
/* Words for people, spelled out as printable_text() does. malloc()ed; NULL when it is missing. */
char *json_values_copy(struct json_values *r, const char *key);
/* malloc()ed: under `key` as text, or under `key64` as base64; NULL when neither is there. */
unsigned char *json_values_bytes(struct json_values *r, const char *key, const char *key64,
    size_t *length);
/* An array, NULL when it is missing; at most so long. */
struct json_t *json_values_array(struct json_values *r, const char *key, size_t max);
/* An object in this one. What is bad in it has to be taken over by who asked. */
struct json_values json_values_inside(struct json_values *r, const char *key, struct json_t *value);

#endif
