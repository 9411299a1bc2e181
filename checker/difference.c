/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "checker/difference.h"

#include "common/text.h"
#include "common/utf8.h"

static size_t same_bytes(const unsigned char *a, size_t n, const unsigned char *b, size_t m)
{
	size_t i = 0;

	while (i < n && i < m && a[i] == b[i])
		i++;
	return i;
}

static bool is(const unsigned char *a, size_t n, const unsigned char *b, size_t m)
{
	return b && n == m && same_bytes(a, n, b, m) == n;
}

/* More came than the right reply, which is the beginning. */
static void put_rest(const struct difference *d, struct text *t)
{
	const unsigned char *rest = d->got + d->wanted;
	const size_t n = d->came - d->wanted;

	if (rest[0] == '\0')
		text_put(t,
		    "%s after the reply, the first a zero byte: the reply is longer than what "
		    "was received, not strlen()+1 and not the size of the buffer",
		    TEXT_COUNT(n, "byte"));
	else if (d->before && d->before_length > d->wanted &&
	         same_bytes(d->before + d->wanted, d->before_length - d->wanted, rest, n) ==
	             (n < d->before_length - d->wanted ? n : d->before_length - d->wanted))
		text_put(t, "the reply, and then the end of an earlier one: the buffer still holds "
		            "it, and more is sent than was received");
	else if (n <= 2 && rest[n - 1] == '\n')
		text_put(t, "an end of line after the reply: the text had none");
	else if (d->wanted > 0 && n >= d->wanted && is(rest, d->wanted, d->want, d->wanted))
		text_put(t, "the reply comes more than once");
	else
		text_put(t, "%s more than the reply", TEXT_COUNT(n, "byte"));
}

/* Less came: the beginning of the right reply. */
static void put_beginning(const struct difference *d, struct text *t)
{
	if (d->came + 1 == d->wanted && d->want[d->came] == '\n')
		text_put(t, "the end of line (\\n) is missing at the end of the reply");
	else
		text_put(t, "only the first %zu of %zu bytes came", d->came, d->wanted);
	if (d->ended)
		text_put(t, ", then the end of the connection");
}

static void put_difference(const struct difference *d, struct text *t)
{
	const size_t at = same_bytes(d->want, d->wanted, d->got, d->came);

	if (d->want[at] == '\n')
		text_put(t, "the end of line (\\n) is missing behind byte %zu", at);
	else if (d->want[at] >= 0x80 || d->got[at] >= 0x80)
		text_put(t, "from byte %zu on not the capitals of this UTF-8 text", at + 1);
	else if (at < d->sent_length && d->got[at] == d->sent[at])
		text_put(t, "not in capitals from byte %zu on", at + 1);
	else
		text_put(t, "differs from byte %zu on", at + 1);
}

char *difference_text(const struct difference *d, char *buf, size_t size)
{
	const size_t same = same_bytes(d->want, d->wanted, d->got, d->came);
	struct text t = text_begin(buf, size);

	if (is(d->got, d->came, d->sent, d->sent_length))
		text_put(&t, "the text came back as it was sent, not in capitals");
	else if (is(d->got, d->came, d->before, d->before_length))
		text_put(&t, "the reply to the line before came once more, or late");
	else if (same == d->wanted)
		put_rest(d, &t);
	else if (same == d->came)
		put_beginning(d, &t);
	else
		put_difference(d, &t);
	return buf;
}
