/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The reader of recordings: any bytes are read or refused, with a reason of one line. Each record
 * that is read, written anew and read again, is the same text. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "record/record-file.h"

static void no(const char *what)
{
	fprintf(stderr, "not so: %s\n", what);
	abort();
}

static char *write_again(const struct json_record *r)
{
	const void *record = r->type == RECORD_SESSION ? (const void *)&r->session
	                   : r->type == RECORD_LINE    ? (const void *)&r->line
	                   : r->type == RECORD_REPLY   ? (const void *)&r->reply
	                   : r->type == RECORD_NOTICE || r->type == RECORD_EVENT
	                       ? (const void *)&r->event
	                       : NULL;
	char *text = NULL;
	size_t n;
	FILE *out = record ? open_memstream(&text, &n) : NULL;

	if (out) {
		(void)record_write(out, RECORD_OUTPUT_JSON, r->type, record);
		fclose(out);
	}
	return text;
}

static void check_line(const char *text, size_t n)
{
	struct json_record r, again;
	char reason[RECORD_REASON] = "";
	char *first, *second;

	if (json_read(&r, text, n, reason) < 0) {
		if (!*reason || strchr(reason, '\n'))
			no("refused without a reason of one line");
		json_record_free(&r);
		return;
	}
	first = write_again(&r);
	if (first) {
		if (json_read(&again, first, strlen(first), reason) < 0)
			no("what was written is not read");
		second = write_again(&again);
		if (!second || strcmp(first, second) != 0)
			no("read again it is another");
		free(second);
		json_record_free(&again);
	}
	free(first);
	json_record_free(&r);
}

static void check_file(const uint8_t *data, size_t size)
{
	char reason[RECORD_FILE_REASON] = "";
	FILE *in = fmemopen((void *)(uintptr_t)data, size, "r");
	struct record_file *f = in ? record_file_read(in, reason) : NULL;

	if (in && !f && (!*reason || strchr(reason, '\n')))
		no("a file refused without a reason of one line");
	record_file_free(f);
	if (in)
		fclose(in);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *end = memchr(data, '\n', size);

	if (size == 0)
		return 0;
	check_line((const char *)data, end ? (size_t)(end - (const char *)data) : size);
	check_file(data, size);
	return 0;
}
