/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "app/generator.h"

#include "app/settings.h"
#include "common/clock.h"
#include "common/text.h"
#include "common/units.h"

/* The maximum of rows, half a gigabyte. */
#define ROWS_MAX 1000000
#define EXAMPLE "; for example /burst 200 every 5ms size 100"
#define BULK_EXAMPLE "; for example /bulk 5s size 1000"

/* --- reading --- */

static int wrong(char reason[GENERATOR_REASON], const char *subject, const char *value,
    const char *how)
{
	return text_refuse(reason, GENERATOR_REASON, "%s%s%s%.30s%s%s", subject,
	    *subject ? " " : "", *value ? "'" : "", value, *value ? "' " : "", how);
}

static int read_named(const char *name, const char *value, struct generator_plan *plan,
    char reason[GENERATOR_REASON])
{
	const bool bulk = generator_is_bulk(plan), every = !bulk && strcmp(name, "every") == 0;
	int64_t size;

	if (!every && strcmp(name, "size") != 0)
		return wrong(reason, "", name,
		    bulk ? "is not 'size'" : "is neither 'every' nor 'size'");
	if (!value)
		return wrong(reason, name, "",
		    every ? "wants a duration" : "wants a number of bytes");
	if (every)
		return units_duration(value, &plan->interval) == 0 &&
		               plan->interval <= 3600 * NS_PER_S
		         ? 0
		         : wrong(reason, "every", value, "is not a duration, 0 to 1h");
	if (units_count(value, 1, SETTINGS_SIZE_MAX, &size) < 0)
		return wrong(reason, "size", value, "is not a number of bytes, 1 to 65507");
	plan->size = (size_t)size;
	return 0;
}

static int read_first(const char *word, bool bulk, struct generator_plan *plan,
    char reason[GENERATOR_REASON])
{
	int64_t count = SETTINGS_ENDLESS;

	*plan = bulk ? (struct generator_plan){ .size = SETTINGS_BULK_SIZE }
	             : (struct generator_plan){ .interval = SETTINGS_INTERVAL };
	if (!word)
		return wrong(reason, "", "",
		    bulk ? "/bulk wants a duration" : "/burst wants a number of lines");
	if (bulk && (units_duration(word, &plan->duration) < 0 || plan->duration < NS_PER_MS ||
	                plan->duration > SETTINGS_BULK_MAX))
		return wrong(reason, "", word, "is not a duration, 1ms to 1h");
	if (!bulk && units_count(word, 1, SETTINGS_COUNT_MAX, &count) < 0)
		return wrong(reason, "", word, "is not a number of lines, 1 to 1000000000");
	plan->count = (uint64_t)count;
	return 0;
}

int generator_read(const char *text, bool bulk, struct generator_plan *plan,
    char reason[GENERATOR_REASON])
{
	struct generator_plan read;
	char *copy = strdup(text), *rest = NULL, *word;
	int result;

	if (!copy)
		return wrong(reason, "", "", "memory is short");
	result = read_first(strtok_r(copy, " \t", &rest), bulk, &read, reason);
	while (result == 0 && (word = strtok_r(NULL, " \t", &rest)))
		result = read_named(word, strtok_r(NULL, " \t", &rest), &read, reason);
	if (result == 0)
		*plan = read;
	else
		text_append(reason, GENERATOR_REASON, bulk ? BULK_EXAMPLE : EXAMPLE);
	free(copy);
	return result;
}

bool generator_is_bulk(const struct generator_plan *plan)
{
	return plan->count == SETTINGS_ENDLESS && plan->interval == 0 && plan->duration > 0;
}

/* --- the schedule --- */

size_t generator_rows(const struct generator_plan *plan, int64_t reply_timeout, size_t rows)
{
	const int64_t max = ROWS_MAX, interval = plan->interval;
	uint64_t open = (uint64_t)(interval > 0 && reply_timeout / interval < max / 3
	                               ? 3 * (reply_timeout / interval) + 1
	                               : max);

	if (open > plan->count)
		open = plan->count;
	return open > rows ? (size_t)open : rows;
}

void generator_start(struct generator *g, const struct generator_plan *plan, int64_t now)
{
	*g = (struct generator){ .plan = *plan,
		.running = plan->count > 0,
		.start = now,
		.end = now,
		.until = plan->duration > 0 ? now + plan->duration : INT64_MAX };
}

void generator_stop(struct generator *g, int64_t now)
{
	if (g->running)
		g->end = now;
	g->running = false;
}

/* The end is the time of the last line. */
void generator_expire(struct generator *g, int64_t now)
{
	if (!g->running || now < g->until)
		return;
	g->running = false;
	g->expired = true;
}

bool generator_is_complete(const struct generator *g)
{
	return g->expired || g->sent == g->plan.count ||
	       (g->plan.count == SETTINGS_ENDLESS && g->plan.duration == 0);
}

void generator_pause(struct generator *g, int64_t until, int64_t now)
{
	const int64_t max = g->start + GENERATOR_PAUSE_MAX;

	if (!g->running || g->sent != 1)
		return;
	until = until < max ? until : max;
	if (now >= until && g->paused_until) {
		g->start = now - g->plan.interval;
		/* Bulk lines are measured from here on. */
		if (generator_is_bulk(&g->plan))
			g->until = g->start + g->plan.duration;
	}
	g->paused_until = now < until ? until : 0;
}

static int64_t due_at(const struct generator *g, uint64_t line)
{
	int64_t after;

	if (__builtin_mul_overflow(line, g->plan.interval, &after) ||
	    __builtin_add_overflow(g->start, after, &after))
		return INT64_MAX;
	return after;
}

int64_t generator_due(const struct generator *g)
{
	if (!g->running)
		return INT64_MAX;
	return g->paused_until ? g->paused_until : due_at(g, g->sent);
}

bool generator_next(struct generator *g, int64_t now)
{
	const int64_t due = generator_due(g), late = now - due;

	if (!g->running || late < 0)
		return false;
	/* Without an interval there is no schedule to keep. */
	if (g->plan.interval > 0 && late > g->worst)
		g->worst = late;
	if (g->plan.interval > 0 && late > VALIDITY_SLIP)
		g->slipped++;
	g->end = now;
	if (++g->sent == g->plan.count)
		generator_stop(g, now);
	return true;
}

void generator_measure(struct generator *g, uint64_t answered, int64_t now)
{
	/* The first line, which may go alone, is not measured. */
	if (g->sent <= 1)
		g->answered_before = answered;
	g->answered = answered - g->answered_before;
	g->measured_at = now;
}

struct figures_bulk generator_measured(const struct generator *g)
{
	return (struct figures_bulk){ .lines = g->sent,
		.sent = g->bytes,
		.answered = g->answered,
		.time = g->measured_at > g->start ? g->measured_at - g->start : 0 };
}

/* --- the lines --- */

size_t generator_text(uint64_t number, size_t size, char *text, size_t capacity)
{
	static const char before[] = "line ";
	char digits[24];
	const size_t digit_count = (size_t)snprintf(digits, sizeof digits, "%" PRIu64, number);
	const size_t max = sizeof before - 1;
	const size_t words = size == 0 || size >= max + digit_count ? max
	                   : size > digit_count                     ? size - digit_count
	                                                            : 0;
	char head[sizeof before + sizeof digits];
	size_t used = (size_t)snprintf(head, sizeof head, "%.*s%s", (int)words, before, digits);

	if (size < used)
		size = used;
	if (size > capacity)
		size = capacity;
	memcpy(text, head, used < size ? used : size);
	if (used < size)
		text[used++] = ' ';
	for (unsigned letter = 0; used < size; letter++)
		text[used++] = (char)('a' + letter % 26);
	return size;
}

/* --- in words --- */

/* The measured rate, lines per second. */
static double rate(const struct generator *g, int64_t now)
{
	const int64_t until = g->running ? now : g->end;
	/* The first line is due at once. */
	const double seconds = (double)(until - g->start) / (double)NS_PER_S;
	const double steps = g->sent > 1 ? (double)g->sent - 1 : (double)g->sent;

	return seconds > 0 ? steps / seconds : 0;
}

static uint64_t goodput_of(const struct generator *g)
{
	const struct figures_bulk measured = generator_measured(g);

	return figures_goodput(&measured);
}

/* "99.5/s". */
#define RATE_TEXT(rate) TEXT_FORMAT("%.*f/s", (rate) < 9.95, rate)

/* The time left by the schedule while it is kept, else by the rate so far, and by the duration. */
static int64_t time_left(const struct generator *g, int64_t now)
{
	const uint64_t lines = g->plan.count - g->sent;
	const int64_t planned = due_at(g, g->plan.count - 1) - now;
	const double measured = rate(g, now);
	const double at_rate = measured > 0 ? (double)lines / measured * (double)NS_PER_S : 0;

	int64_t left = planned;

	if (planned <= 0 || now - generator_due(g) >= VALIDITY_SLIP)
		left = at_rate > 9e18             ? INT64_MAX
		     : (int64_t)at_rate > planned ? (int64_t)at_rate
		                                  : planned;
	return left < g->until - now ? left : g->until - now;
}

char *generator_progress(const struct generator *g, int64_t now, const char *dot, char *buf,
    size_t size)
{
	const int64_t left = g->running ? time_left(g, now) : 0;
	struct text t = text_begin(buf, size);

	if (g->measured_at > 0)
		text_put(&t, "%s/s", UNITS_SIZE(goodput_of(g)));
	else
		text_put(&t, "%" PRIu64, g->sent);
	if (g->plan.count != SETTINGS_ENDLESS)
		text_put(&t, "/%" PRIu64, g->plan.count);
	/* One line has no rate. */
	if (g->measured_at == 0)
		text_put(&t, " %s %s", dot, RATE_TEXT(g->sent > 1 ? rate(g, now) : 0));
	if (left < 60 * NS_PER_S)
		text_put(&t, " %s %.1f s left", dot, (double)left / (double)NS_PER_S);
	else if (left < INT64_MAX / 2)
		text_put(&t, " %s %s left", dot, UNITS_DURATION(left, "u"));
	return buf;
}

static void put_measured(struct text *t, const struct generator *g, const char *micro)
{
	text_put(t, "%s", TEXT_COUNT(g->sent, "line"));
	if (g->plan.size > 0)
		text_put(t, " of %zu bytes", g->plan.size);
	text_put(t, " in %s: %s sent, goodput %s/s",
	    UNITS_DURATION(generator_measured(g).time, micro), UNITS_SIZE(g->bytes),
	    UNITS_SIZE(goodput_of(g)));
}

char *generator_result(const struct generator *g, const char *micro, char *buf, size_t size)
{
	const uint64_t of = g->plan.count == SETTINGS_ENDLESS ? g->sent : g->plan.count;
	struct text t = text_begin(buf, size);

	if (g->measured_at > 0) {
		put_measured(&t, g, micro);
		return buf;
	}
	if (g->sent < of)
		text_put(&t, "%" PRIu64 " of ", g->sent);
	text_put(&t, "%s sent in %s", TEXT_COUNT(of, "line"),
	    UNITS_DURATION(g->end - g->start, micro));
	/* A rate needs two lines. */
	if (g->sent > 1)
		text_put(&t, ", %s", RATE_TEXT(rate(g, g->end)));
	if (g->plan.interval == 0 || g->sent == 0)
		return buf;
	if (g->slipped == 0)
		text_put(&t, "; on schedule, at most %s late", UNITS_DURATION(g->worst, micro));
	else
		text_put(&t,
		    "; the schedule slipped: %" PRIu64 " %s more than 10 ms late, the worst %s",
		    g->slipped, g->slipped == 1 ? "was" : "were", UNITS_DURATION(g->worst, micro));
	return buf;
}

struct schedule_totals generator_schedule(const struct generator *g)
{
	return (struct schedule_totals){ .due = g->sent, .slipped = g->slipped, .worst = g->worst };
}

bool generator_failed(const struct generator *g)
{
	const struct schedule_totals schedule = generator_schedule(g);

	return g->slipped > 1 && validity_check(&schedule, 0) != VALIDITY_OK;
}
