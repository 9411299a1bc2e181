/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Within a text all parts have the unit of the whole time; a part that rounds to 0 is left out. */
#include "ledger/line-times.h"

#include "common/text.h"
#include "common/units.h"

#define DIFFER_SHARE 20
/* From this time on units_duration_text() has two units, and each part has its own. */
#define LONG (59950 * NS_PER_MS)

struct parts parts_of_row(const struct ledger_row *row)
{
	const int64_t before = row->sent_at > row->typed_at ? row->sent_at - row->typed_at : 0;
	const int64_t wire = row->replied_at > row->sent_at ? row->replied_at - row->sent_at : 0;
	const int64_t connecting = row->connecting < before ? row->connecting : before;

	return (struct parts){ .waited = parts_waited(row),
		.connecting = connecting,
		.queued = before - connecting,
		.wire = wire,
		.stream = row->stream };
}

bool parts_differ(const struct parts *p)
{
	const int64_t before = p->connecting + p->queued;

	return before >= PARTS_DIFFER && before >= p->waited / DIFFER_SHARE;
}

/* Adds a part; `unit` 0: in a unit of its own. A part that rounds to 0.00 is left out. */
static void put_part(int64_t part, int64_t unit, const char *name, const char *micro,
    struct text *out, size_t begin)
{
	if (part >= (unit > 0 ? unit : NS_PER_MS) / 200)
		text_put(out, "%s%s %s", out->used > begin ? ", " : "",
		    unit > 0 ? UNITS_FIGURES(part, unit) : UNITS_DURATION(part, micro), name);
}

static void put_parts(const struct parts *p, enum parts_detail detail, int64_t unit,
    const char *micro, struct text *out)
{
	const bool queued = p->queued > p->connecting;
	const size_t begin = out->used;

	if (detail == PARTS_ALL || !queued)
		put_part(p->connecting, unit, transport_info[p->stream].opening, micro, out, begin);
	if (detail == PARTS_ALL || queued)
		put_part(p->queued, unit, "queued", micro, out, begin);
	if (detail == PARTS_ALL)
		put_part(p->wire, unit, "on the wire", micro, out, begin);
}

char *parts_text(const struct parts *p, enum parts_detail detail, const char *micro, char *buf,
    size_t size)
{
	/* From half a millisecond below a second, three figures round to a second. */
	const int64_t unit = p->waited >= LONG                     ? 0
	                   : p->waited >= NS_PER_S - NS_PER_MS / 2 ? NS_PER_S
	                                                           : NS_PER_MS;
	struct text out;

	units_duration_text(p->waited, micro, buf, size);
	if (detail == PARTS_TIME || !parts_differ(p))
		return buf;
	out = (struct text){ .buf = buf, .size = size, .used = strlen(buf) };
	text_put(&out, ": ");
	put_parts(p, detail, unit, micro, &out);
	return buf;
}

char *parts_alone(const struct parts *p, enum parts_detail detail, const char *micro, char *buf,
    size_t size)
{
	struct text out = text_begin(buf, size);

	if (detail != PARTS_TIME && parts_differ(p))
		put_parts(p, detail, 0, micro, &out);
	return buf;
}
