/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A number is read as whole part and billionths, both integers: "0.1" is exactly a tenth. */
#include "common/units.h"

#include "common/clock.h"

#define BILLION INT64_C(1000000000)
#define LONGEST (365 * 24 * 3600 * NS_PER_S)

struct decimal {
	int64_t whole;
	/* The part after the point, in billionths. */
	int64_t billionths;
};

struct unit {
	/* The text after the number; NULL ends a table. */
	const char *name;
	int64_t factor;
};

static const struct unit durations[] = {
	{ "", NS_PER_S },
	{ "ns", 1 },
	{ "us", NS_PER_US },
	/* U+00B5, the micro sign, and U+03BC, the Greek letter: keyboards differ. */
	{ "\xc2\xb5s", NS_PER_US },
	{ "\xce\xbcs", NS_PER_US },
	{ "ms", NS_PER_MS },
	{ "s", NS_PER_S },
	{ "m", 60 * NS_PER_S },
	{ "min", 60 * NS_PER_S },
	{ "h", 3600 * NS_PER_S },
	{ "d", 24 * 3600 * NS_PER_S },
	{ NULL, 0 },
};

static const struct unit counts[] = {
	{ "", 1 },
	{ "k", 1000 },
	{ "K", 1000 },
	{ "M", 1000000 },
	{ NULL, 0 },
};

static const struct unit sizes[] = {
	{ "", 1 },
	{ "B", 1 },
	{ "k", 1 << 10 },
	{ "K", 1 << 10 },
	{ "KiB", 1 << 10 },
	{ "kB", 1000 },
	{ "KB", 1000 },
	{ "M", 1 << 20 },
	{ "MiB", 1 << 20 },
	{ "MB", 1000000 },
	{ "G", 1 << 30 },
	{ "GiB", 1 << 30 },
	{ "GB", BILLION },
	{ NULL, 0 },
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Reads one to nine digits after the point. Returns their end, or NULL. */
static const char *read_fraction(const char *s, int64_t *billionths)
{
	int64_t place = BILLION / 10;

	if (!is_digit(*s))
		return NULL;
	for (*billionths = 0; is_digit(*s); s++, place /= 10) {
		if (place == 0)
			return NULL;
		*billionths += (*s - '0') * place;
	}
	return s;
}

/* Reads "12", "1.5", ".5". Returns the number's end, or NULL if it is none or too large. */
static const char *read_number(const char *s, struct decimal *d)
{
	bool digits = is_digit(*s);

	*d = (struct decimal){ 0, 0 };
	for (; is_digit(*s); s++)
		if (__builtin_mul_overflow(d->whole, 10, &d->whole) ||
		    __builtin_add_overflow(d->whole, *s - '0', &d->whole))
			return NULL;
	if (*s == '.')
		return read_fraction(s + 1, &d->billionths);
	return digits ? s : NULL;
}

/* The unit that is the whole text at `s`, after one blank at most; NULL if none. */
static const struct unit *find_unit(const struct unit *table, const char *s)
{
	if (s[0] == ' ' && s[1])
		s++;
	for (; table->name; table++)
		if (strcmp(table->name, s) == 0)
			return table;
	return NULL;
}

/* Reads a number and its unit; the fraction of the value goes to `*rest`, in billionths. */
static int read_value(const char *s, const struct unit *table, int64_t *value, int64_t *rest)
{
	struct decimal d;
	const struct unit *unit;
	int64_t high, low;

	s = read_number(s, &d);
	unit = s ? find_unit(table, s) : NULL;
	if (!unit || __builtin_mul_overflow(d.whole, unit->factor, value))
		return -1;
	/* billionths * factor / BILLION, in two steps that cannot overflow. */
	high = d.billionths * (unit->factor / BILLION);
	low = d.billionths * (unit->factor % BILLION);
	*rest = low % BILLION;
	return __builtin_add_overflow(*value, high + low / BILLION, value) ? -1 : 0;
}

static int read_whole(const char *text, const struct unit *table, int64_t lo, int64_t hi,
    int64_t *out)
{
	bool negative = *text == '-' && lo < 0;
	int64_t value, rest;

	if (read_value(text + negative, table, &value, &rest) < 0 || rest != 0)
		return -1;
	if (negative)
		value = -value;
	if (value < lo || value > hi)
		return -1;
	*out = value;
	return 0;
}

int units_count(const char *text, int64_t lo, int64_t hi, int64_t *out)
{
	return read_whole(text, counts, lo, hi, out);
}

int units_bytes(const char *text, int64_t lo, int64_t hi, int64_t *out)
{
	return read_whole(text, sizes, lo, hi, out);
}

int units_duration(const char *text, int64_t *ns)
{
	int64_t value, rest;

	if (read_value(text, durations, &value, &rest) < 0)
		return -1;
	if (rest >= BILLION / 2)
		value++;
	if (value > LONGEST)
		return -1;
	*ns = value;
	return 0;
}

/* Writes a time below a minute: three figures; rounding may reach the next unit. */
static void put_short(uint64_t ns, const char *sign, const char *micro, char *buf, size_t size)
{
	uint64_t step = 1;

	while (ns / step >= 1000)
		step *= 10;
	ns = (ns + step / 2) / step * step;
	if (ns < 1000) {
		snprintf(buf, size, "%s%u ns", sign, (unsigned)ns);
		return;
	}
	const int64_t factor = ns < 1000000 ? NS_PER_US : ns < BILLION ? NS_PER_MS : NS_PER_S;
	const char *prefix = factor == NS_PER_US ? micro : factor == NS_PER_MS ? "m" : "";

	snprintf(buf, size, "%s%s %ss", sign, UNITS_FIGURES((int64_t)ns, factor), prefix);
}

/* Writes a minute or more: two units, the lower one rounded. */
static void put_long(uint64_t ns, const char *sign, char *buf, size_t size)
{
	uint64_t s = (ns + NS_PER_S / 2) / NS_PER_S;
	uint64_t minutes = (s + 30) / 60, hours = (minutes + 30) / 60;

	if (s < 3600)
		snprintf(buf, size, "%s%u min %u s", sign, (unsigned)(s / 60), (unsigned)(s % 60));
	else if (minutes < 24 * 60)
		snprintf(buf, size, "%s%u h %u min", sign, (unsigned)(minutes / 60),
		    (unsigned)(minutes % 60));
	else
		snprintf(buf, size, "%s%u d %u h", sign, (unsigned)(hours / 24),
		    (unsigned)(hours % 24));
}

char *units_duration_text(int64_t ns, const char *micro, char *buf, size_t size)
{
	uint64_t amount = ns < 0 ? -(uint64_t)ns : (uint64_t)ns;
	const char *sign = ns < 0 ? "-" : "";

	if (ns == 0)
		snprintf(buf, size, "0 s");
	else if (amount < 59950 * (uint64_t)NS_PER_MS)
		put_short(amount, sign, micro, buf, size);
	else
		put_long(amount, sign, buf, size);
	return buf;
}

char *units_running_text(int64_t ns, const char *micro, char *buf, size_t size)
{
	if (ns >= 100 * NS_PER_S)
		return units_duration_text(ns, micro, buf, size);
	ns = ns > 0 ? ns : 0;
	snprintf(buf, size, "%" PRId64 ".%" PRId64 " s", ns / NS_PER_S, ns / (NS_PER_S / 10) % 10);
	return buf;
}

char *units_figures(int64_t ns, int64_t unit, char *buf, size_t size)
{
	/* In integers: doubles round elsewhere on other processors. 9.995 and 99.95 units. */
	const int64_t ten = 10 * unit - unit / 200;
	const int decimals = ns < ten ? 2 : ns < 10 * ten ? 1 : 0;
	const int64_t step = unit / (decimals == 2 ? 100 : decimals == 1 ? 10 : 1);
	const int64_t steps = ns / step + (ns % step >= step / 2);

	snprintf(buf, size, "%.*f", decimals, (double)steps * (double)step / (double)unit);
	return buf;
}

char *units_size_text(uint64_t bytes, char *buf, size_t size)
{
	static const char prefixes[] = "kMGTP";
	const int64_t n = bytes > INT64_MAX ? INT64_MAX : (int64_t)bytes;
	const char *prefix = prefixes;
	int64_t unit = 1000;

	if (n < unit) {
		snprintf(buf, size, "%" PRId64 " B", n);
		return buf;
	}
	/* What would be rounded to a thousand has the next prefix. */
	for (; prefix[1] && n >= unit * 1000 - unit / 2; prefix++)
		unit *= 1000;
	snprintf(buf, size, "%s %cB", UNITS_FIGURES(n, unit), *prefix);
	return buf;
}
