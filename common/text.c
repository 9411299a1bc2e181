/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/text.h"

#include <stdarg.h>

#include "common/utf8.h"

struct text text_begin(char *buf, size_t size)
{
	if (size)
		buf[0] = '\0';
	return (struct text){ .buf = buf, .size = size };
}

struct text text_page(void)
{
	char *page = malloc(TEXT_PAGE);

	return text_begin(page, page ? TEXT_PAGE : 0);
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

char *text_middle(char *buf, size_t size, const char *utf8, int columns)
{
	static const char dots[] = "...";
	const int all = utf8_columns(utf8), room = columns > 8 ? columns : 8,
	          head = (room - (int)strlen(dots)) / 3,
	          gone = all > room ? all - room + (int)strlen(dots) : 0;
	struct text t = text_begin(buf, size);
	int column = 0;

	for (const char *s = utf8; *s; column++) {
		const char *next = s + 1;

		while (utf8_follows((unsigned char)*next))
			next++;
		if (gone > 0 && column == head)
			text_put(&t, "%s", dots);
		if (gone == 0 || column < head || column >= head + gone)
			text_put(&t, "%.*s", (int)(next - s), s);
		s = next;
	}
	return buf;
}
