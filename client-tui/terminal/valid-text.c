/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "terminal/valid-text.h"

#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

/* How many bytes the character at `bytes` has, of `n` (1 or more); 0 if there is none in this
 * locale. */
static size_t character(const unsigned char *bytes, size_t n)
{
	mbstate_t state;
	if (bytes[0] < 0x80 || MB_CUR_MAX == 1)
		return 1;
	memset(&state, 0, sizeof(state));
	size_t length = mbrlen((const char *)bytes, n, &state);
	return length > n ? 0 : length;
}

unsigned char *valid_text_copy(const void *text, size_t n, size_t *length)
{
	const unsigned char *bytes = text;
	const char *sign = strcmp(nl_langinfo(CODESET), "UTF-8") == 0 ? "\xef\xbf\xbd" : "?";
	unsigned char *copy = malloc(n * strlen(sign) + 1);
	if (!copy)
		return NULL;
	*length = 0;
	for (size_t at = 0; at < n;) {
		size_t size = character(bytes + at, n - at);
		const void *from = size ? (const void *)(bytes + at) : sign;
		size_t written = size ? size : strlen(sign);
		memcpy(copy + *length, from, written);
		*length += written;
		at += size ? size : 1;
	}
	copy[*length] = '\0';
	return copy;
}

bool valid_text_is_broken(const void *text, size_t n)
{
	const unsigned char *bytes = text;
	for (size_t at = 0, size; at < n; at += size)
		if ((size = character(bytes + at, n - at)) == 0)
			return true;
	return false;
}
