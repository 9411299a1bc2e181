/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Commands to the link, one a line: each is answered by lines that can be shown and of which only
 * the last one begins with "ok" or "error", a refused one changes nothing, and the link's settings
 * are always such as the model allows. */
#include <string.h>
#include <sys/socket.h>

#include "lab/link/control-commands.h"
#include "common/clock.h"
#include "tests/fuzz/fuzz.h"

/* More would only repeat. */
#define ORDERS_MOST 32

static struct device *socket_device(void)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0)
		abort();
	return device_new(pair[0], -1, 1500);
}

static struct link *new_link(void)
{
	/* Nothing is sent: two devices do for all inputs. */
	static struct device *devices[2];
	const struct impair_settings perfect = impair_perfect();
	struct link *link;

	for (int i = 0; i < 2 && !devices[i]; i++)
		devices[i] = socket_device();
	link = link_new(&perfect, &perfect, 1, devices[0], devices[1]);
	if (!link)
		abort();
	return link;
}

static int begins(const char *line, size_t n, const char *word)
{
	const size_t length = strlen(word);

	return n >= length && memcmp(line, word, length) == 0 &&
	       (n == length || line[length] == ' ');
}

/* Returns whether the order was refused. */
static int check_answer(const struct send_buffer *out)
{
	const char *line = out->bytes + out->first, *end = out->bytes + out->end, *next;
	int refused = 0;

	fuzz_check(!send_buffer_empty(out) && !out->overflowed && end[-1] == '\n');
	for (; line < end; line = next + 1) {
		next = memchr(line, '\n', (size_t)(end - line));
		const size_t n = (size_t)(next - line);
		refused = begins(line, n, "error");
		fuzz_check((refused || begins(line, n, "ok")) == (next + 1 == end));
		for (size_t i = 0; i < n; i++)
			fuzz_check((unsigned char)line[i] >= ' ' && line[i] != 127);
	}
	return refused;
}

static int in_range(double x, double low, double high)
{
	return x >= low && x <= high;
}

static void check_ranges(const struct impair_settings *s)
{
	fuzz_check(in_range(s->loss, 0, 1) && in_range(s->duplicate, 0, 1) &&
	           in_range(s->reorder, 0, 1) && in_range(s->corrupt, 0, 1));
	fuzz_check(s->delay >= 0 && s->delay <= IMPAIR_DELAY_MAX && s->jitter >= 0 &&
	           s->jitter <= IMPAIR_DELAY_MAX && s->reorder_by >= 0 &&
	           s->reorder_by <= IMPAIR_DELAY_MAX);
	fuzz_check(s->rate == 0 || (s->rate >= IMPAIR_RATE_MIN && s->rate <= IMPAIR_RATE_MAX));
	fuzz_check(s->queue_packets >= 0 && s->queue_packets <= IMPAIR_QUEUE_PACKETS_MAX &&
	           s->queue_bytes >= 0 && s->queue_bytes <= IMPAIR_QUEUE_BYTES_MAX &&
	           (s->queue_packets > 0 || s->queue_bytes > 0));
	fuzz_check(s->mtu == 0 || (s->mtu >= IMPAIR_MTU_MIN && s->mtu <= IMPAIR_MTU_MAX));
	fuzz_check(s->burst == 0 || in_range(s->burst, 1, 1e6));
}

static void check_link(const struct link *link, const struct event_filter *filter)
{
	char reason[IMPAIR_REASON];

	for (int d = 0; d < LINK_DIRECTIONS; d++) {
		check_ranges(link_settings(link, (enum link_direction)d));
		fuzz_check(impair_check(link_settings(link, (enum link_direction)d), reason) == 0);
	}
	fuzz_check(link_balanced(link));
	fuzz_check(filter->count >= 0 && filter->count <= EVENTS_PORTS);
}

static void execute(struct link *link, const char *text, size_t n, int64_t now,
    struct event_filter *filter)
{
	struct impair_settings before[LINK_DIRECTIONS];
	struct send_buffer out = { .bytes = NULL };
	char *line = malloc(n + 1);
	char change[CONTROL_CHANGE] = "";
	bool changed;

	memcpy(line, text, n);
	line[n] = '\0';
	for (int d = 0; d < LINK_DIRECTIONS; d++)
		before[d] = *link_settings(link, (enum link_direction)d);
	changed = lab_control_execute(link, line, now, filter, &out, change);
	fuzz_check(changed == (*change != '\0') && strlen(change) < sizeof change &&
	           !strpbrk(change, "\r\n\033"));
	if (check_answer(&out)) {
		fuzz_check(!changed);
		for (int d = 0; d < LINK_DIRECTIONS; d++)
			fuzz_check(memcmp(&before[d], link_settings(link, (enum link_direction)d),
			               sizeof before[d]) == 0);
	}
	check_link(link, filter);
	send_buffer_free(&out);
	free(line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data, *end = text + size;
	struct event_filter filter = { .on = false };
	struct link *link = new_link();
	int64_t now = NS_PER_S;

	for (int i = 0; i < ORDERS_MOST && text < end; i++, now += NS_PER_S) {
		const char *next = memchr(text, '\n', (size_t)(end - text));
		const size_t n = (size_t)((next ? next : end) - text);
		execute(link, text, n, now, &filter);
		text += n + 1;
	}
	link_free(link);
	return 0;
}
