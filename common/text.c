/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "common/text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/units.h"

struct text text_begin(char *buf, size_t size)
{
	if (size)
		buf[0] = '\0';
	return (struct text){ .buf = buf, .size = size };
}

void text_put(struct text *t, const char *format, ...)
{
	const size_t at = t->used < t->size ? t->used : t->size;
	va_list arguments;

	va_start(arguments, format);
	const int n = vsnprintf(at < t->size ? t->buf + at : NULL, t->size - at, format, arguments);
	va_end(arguments);
	t->used += n > 0 ? (size_t)n : 0;
}

char *text_format(char buf[TEXT_FORMAT_SIZE], const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(buf, TEXT_FORMAT_SIZE, format, arguments);
	va_end(arguments);
	return buf;
}

char *text_count(char buf[TEXT_WORDS], uint64_t n, const char *one)
{
	snprintf(buf, TEXT_WORDS, "%" PRIu64 " %s%s", n, one, n == 1 ? "" : "s");
	return buf;
}

char *text_decimal(char buf[TEXT_WORDS], double value, int digits)
{
	double power = 1;

	for (int i = 0; i < digits; i++)
		power *= 10;
	snprintf(buf, TEXT_WORDS, "%.*f", digits, (double)(uint64_t)(value * power + 0.5) / power);
	return buf;
}

char *text_span(char buf[TEXT_WORDS], int64_t ns)
{
	return units_duration_text(ns, "µ", buf, TEXT_WORDS);
}

int text_refuse(char *reason, size_t size, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(reason, size, format, arguments);
	va_end(arguments);
	return -1;
}

void text_append(char *buf, size_t size, const char *s)
{
	const size_t used = strlen(buf);

	snprintf(buf + used, size - used, "%s", s);
}
