/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Numbers as people write them. Every number from outside is read here: the whole text must be a
 * number and the value in range. Decimal digits, at most nine after a point, and one blank at most
 * between number and unit; no sign (but '-' where the range has negative numbers), exponent or hex.
 * Each function returns 0, or -1 and leaves `*out` alone. Pure. */
#pragma once

/* A whole number, `lo` to `hi`: "1000", "64k" (x 1000), "1.5k", "1M" (x 1 000 000). */
int units_count(const char *text, int64_t lo, int64_t hi, int64_t *out);

/* A span of time in ns, 0 to 365 days: "500ms", "1.5s", "20us", "10ns", "2m", "2min", "1h", "1d". A
 * bare number counts seconds. Fractions of a ns are rounded. */
int units_duration(const char *text, int64_t *ns);

/* A number of bytes: "1400", "64k" and "64KiB" (x 1024), "64kB" (x 1000), "4M", "1G" (and MiB, MB,
 * GiB, GB). */
int units_bytes(const char *text, int64_t lo, int64_t hi, int64_t *out);

/* A span as a person reads it, three figures: "40.9 ms", "1.20 s", "850 us" (`micro` is the sign
 * for micro: "µ" or "u"), "3 min 20 s". Writes at most `size` bytes with the end, returns `buf`. */
char *units_duration_text(int64_t ns, const char *micro, char *buf, size_t size);
/* The same as an argument for "%s", in memory that lasts as long as the block of the call. */
#define UNITS_DURATION(ns, micro) units_duration_text(ns, micro, (char[40]){ 0 }, 40)

/* The age of something that still runs: "0.3 s"; from 100 s on in units that change less often. */
char *units_running_text(int64_t ns, const char *micro, char *buf, size_t size);

/* `ns`, 0 or more, in units of `unit`, three figures: "40.3", "1.20", "104"; less than one has two
 * places, "0.04". Returns `buf`. */
char *units_figures(int64_t ns, int64_t unit, char *buf, size_t size);
#define UNITS_FIGURES(ns, unit) units_figures(ns, unit, (char[40]){ 0 }, 40)

/* A number of bytes as a person reads it, three figures in thousands: "620 B", "62.0 kB", "1.20
 * MB". Returns `buf`. */
char *units_size_text(uint64_t bytes, char *buf, size_t size);
#define UNITS_SIZE(bytes) units_size_text(bytes, (char[40]){ 0 }, 40)
