/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "checker/difference.h"

#include "common/text.h"

static size_t same_bytes(const unsigned char *a, size_t n, const unsigned char *b, size_t m)
{
	size_t i = 0;

	while (i < n && i < m && a[i] == b[i])
		i++;
	return i;
}

bool difference_none(const struct bytes *a, const struct bytes *b)
{
	return a->at && b->at && a->n == b->n && same_bytes(a->at, a->n, b->at, b->n) == a->n;
}

/* Whether `n` bytes behind the reply are of the longer reply before it. */
static bool is_old_end(const struct exchange *x, const unsigned char *rest, size_t n)
{
	const size_t at = x->wanted.n, old = x->before.n > at ? x->before.n - at : 0;

	return old > 0 && same_bytes(x->before.at + at, old, rest, n) == (n < old ? n : old);
}

/* More came than the right reply, which is the beginning. */
static void put_rest(const struct exchange *x, struct text *t)
{
	const unsigned char *rest = x->came.at + x->wanted.n;
	const size_t n = x->came.n - x->wanted.n;

	if (rest[0] == '\0')
		text_put(t,
		    "%s after the reply, the first a zero byte: the reply is longer than what "
		    "was received, not strlen()+1 and not the size of the buffer",
		    TEXT_COUNT(n, "byte"));
	else if (is_old_end(x, rest, n))
		text_put(t, "the reply, and then the end of an earlier one: the buffer still holds "
		            "it, and more is sent than was received");
	else if (n <= 2 && rest[n - 1] == '\n')
		text_put(t, "an end of line after the reply: the text had none");
	else if (x->wanted.n > 0 && same_bytes(rest, n, x->wanted.at, x->wanted.n) == x->wanted.n)
		text_put(t, "the reply comes more than once");
	else
		text_put(t, "%s more than the reply", TEXT_COUNT(n, "byte"));
}

static void put_difference(const struct exchange *x, size_t at, struct text *t)
{
	const int want = x->wanted.at[at], got = x->came.at[at];

	if (want == '\n' && got == '\r')
		text_put(t, "a carriage return (\\r) before the end of line: the text had none");
	else if (want == '\n')
		text_put(t, "the end of line (\\n) is missing behind byte %zu", at);
	else if (want >= 0x80 || got >= 0x80)
		text_put(t, "from byte %zu on not the capitals of this UTF-8 text", at + 1);
	else if (at < x->sent.n && got == x->sent.at[at])
		text_put(t, "not in capitals from byte %zu on", at + 1);
	else
		text_put(t, "differs from byte %zu on", at + 1);
}

char *difference_text(const struct exchange *x, char *buf, size_t size)
{
	const struct bytes *want = &x->wanted, *came = &x->came;
	const size_t same = same_bytes(want->at, want->n, came->at, came->n);
	struct text t = text_begin(buf, size);

	if (difference_none(came, &x->sent))
		text_put(&t, "the text came back as it was sent, not in capitals");
	else if (difference_none(came, &x->before))
		text_put(&t, "the reply to the line before came once more, or late");
	else if (same == want->n)
		put_rest(x, &t);
	else if (same < came->n)
		put_difference(x, same, &t);
	else if (same + 1 == want->n && want->at[same] == '\n')
		text_put(&t, "the end of line (\\n) is missing at the end of the reply");
	else
		text_put(&t, "only the first %zu of %zu bytes came", same, want->n);
	if (same == came->n && x->ended)
		text_put(&t, ", then the end of the connection");
	return buf;
}
