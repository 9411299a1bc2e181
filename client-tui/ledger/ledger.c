/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The rows are in a ring by number. Beside it, each line is in the list of its fate (queued,
 * waiting, lost without a reply). A datagram that could still be answered is also in the index by
 * its capitals and in the list of ages; its oldest lines leave the index first. Every step is O(1)
 * on average, except a reply that was cut short, which is compared with all waiting lines.
 *
 * A row that is evicted while it waits stays in the waiting list as an evicted row without text, so
 * that the totals and, in a stream, the order of the replies stay exact. Neighbouring evicted rows
 * become one: of a stream always, of datagrams when they were sent at about the same time. */

#include "ledger/ledger-internal.h"
#include "ledger/line-times.h"

/* Evicted datagrams that were sent within this part of the wait become one row, which is lost when
 * the last of them is: some are lost later by this much, none earlier. */
#define EVICTED_GRAIN 64

const char *const ledger_fate_names[FATES] = {
	[FATE_QUEUED] = "queued",
	[FATE_WAITING] = "waiting",
	[FATE_ANSWERED] = "answered",
	[FATE_LOST] = "lost",
	[FATE_REFUSED] = "refused",
	[FATE_FAILED] = "failed",
	[FATE_CUT_OFF] = "cut off",
};

const struct transport_info transport_info[2] = {
	{ .title = "UDP", .name = "udp", .opening = "opening" },
	{ .title = "TCP", .name = "tcp", .opening = "connecting" },
};

struct ledger *ledger_new(const struct ledger_settings *settings)
{
	struct ledger *l = calloc(1, sizeof(*l));
	if (!l)
		return NULL;
	l->settings = *settings;
	if (l->settings.capacity < 1)
		l->settings.capacity = 1;
	if (l->settings.reply_timeout < 0)
		l->settings.reply_timeout = 0;
	if (l->settings.answerable < l->settings.reply_timeout)
		l->settings.answerable = l->settings.reply_timeout;
	l->tag_all_until = l->tag_common_until = INT64_MIN;
	for (int i = 0; i <= LEDGER_CONNECTIONS; i++)
		l->connections[i].connecting_since = INT64_MAX;
	return l;
}

/* Lines of a stream are not in the index. */
static void remove_from_index(struct ledger *l, struct ledger_line *e)
{
	if (e->group)
		line_index_remove(&l->index, e);
}

static void discard(struct ledger *l, struct ledger_line *e)
{
	remove_from_index(l, e);
	ledger_line_free(e);
}

void ledger_free(struct ledger *l)
{
	if (!l)
		return;
	while (l->lines.count)
		discard(l, ledger_lines_take(&l->lines, 0));
	for (int i = 0; i <= LEDGER_CONNECTIONS; i++)
		while (l->connections[i].waiting.first)
			discard(l, l->connections[i].waiting.first);
	ledger_block_release(l->block);
	free(l->lines.slots);
	free(l->stats_order.slots);
	line_index_end(&l->index);
	free(l->key.bytes);
	free(l);
}

/* ---- time ---- */

/* `span` ns after `t`; does not wrap around. */
static int64_t time_after(int64_t t, int64_t span)
{
	return t > INT64_MAX - span ? INT64_MAX : t + span;
}

bool ledger_is_over(const struct ledger_line *e, int64_t span, int64_t now)
{
	return now > time_after(e->row.sent_at, span);
}

/* The time that the session had tried to connect until `at`, ns. */
static int64_t connecting_until(const struct ledger_connection *c, int64_t at)
{
	return c->connecting + (at > c->connecting_since ? at - c->connecting_since : 0);
}

void ledger_connecting(struct ledger *l, unsigned connection, int64_t now)
{
	if (!ledger_is_connecting(l, connection))
		l->connections[connection].connecting_since = now;
}

void ledger_connected(struct ledger *l, unsigned connection, int64_t now)
{
	struct ledger_connection *c = &l->connections[connection];

	c->connecting = connecting_until(c, now);
	c->connecting_since = INT64_MAX;
}

bool ledger_is_connecting(const struct ledger *l, unsigned connection)
{
	return l->connections[connection].connecting_since != INT64_MAX;
}

/* A line that still waits stays in the index, however old, until it is declared lost. */
void ledger_age(struct ledger *l, int64_t now)
{
	struct ledger_line *e;
	while ((e = l->aging.first) && ledger_is_over(e, l->settings.answerable, now)) {
		ledger_line_remove(e, LINE_LIST_AGE);
		ledger_line_remove(e, LINE_LIST_TRUNCATED);
		if (e->row.fate == FATE_LOST && !e->row.late)
			ledger_line_remove(e, LINE_LIST_FATE);
		if (e->row.fate != FATE_WAITING)
			remove_from_index(l, e);
	}
}

/* ---- fates ---- */

/* The queue is in the order of numbers. A line that comes back usually has a neighbour there. */
static void enqueue(struct ledger *l, struct ledger_line *e)
{
	size_t i = ledger_lines_index(&l->lines, e->row.number);
	struct ledger_line *before = i ? ledger_lines_at(&l->lines, i - 1) : NULL;
	struct ledger_line *next = l->queued.first;

	if (before && before->row.fate == FATE_QUEUED)
		next = before->place[LINE_LIST_FATE].next;
	while (next && next->row.number < e->row.number)
		next = next->place[LINE_LIST_FATE].next;
	ledger_line_insert(&l->queued, next, e, LINE_LIST_FATE);
}

/* Takes a line that can no longer be answered out of all lists but the ring. */
static void remove_from_lists(struct ledger *l, struct ledger_line *e)
{
	ledger_line_remove(e, LINE_LIST_FATE);
	ledger_line_remove(e, LINE_LIST_AGE);
	remove_from_index(l, e);
}

static void sort_by_fate(struct ledger *l, struct ledger_line *e)
{
	switch (e->row.fate) {
	case FATE_QUEUED:
		ledger_line_remove(e, LINE_LIST_AGE);
		enqueue(l, e);
		break;
	case FATE_WAITING:
		ledger_line_append(&l->connections[e->row.connection].waiting, e, LINE_LIST_FATE);
		break;
	case FATE_LOST:
	case FATE_ANSWERED:
		if (!e->place[LINE_LIST_AGE].in)
			remove_from_lists(l, e);
		else if (ledger_is_replied(&e->row))
			ledger_line_remove(e, LINE_LIST_FATE);
		else
			ledger_line_append(&l->unanswered, e, LINE_LIST_FATE);
		break;
	case FATE_REFUSED:
	case FATE_FAILED:
	case FATE_CUT_OFF:
		if (e->uncertain && e->place[LINE_LIST_AGE].in)
			ledger_line_remove(e, LINE_LIST_FATE);
		else
			remove_from_lists(l, e);
		break;
	}
	if (e->group)
		line_index_regroup(e);
}

/* A line that could not be sent has a position too; one that is sent again gets a new one. */
static void order_stats(struct ledger *l, struct ledger_line *e, enum ledger_fate fate)
{
	const int64_t waited = fate == FATE_ANSWERED ? parts_waited(&e->row) : -1;
	const int64_t outcome = fate == FATE_ANSWERED ? e->row.replied_at - e->row.sent_at
	                      : fate == FATE_LOST     ? STATS_ORDER_LOST
	                      : fate == FATE_QUEUED   ? STATS_ORDER_VOID
	                                              : STATS_ORDER_NONE;

	if (fate == FATE_WAITING) {
		stats_order_decide(&l->stats_order, &l->stats, e->position, STATS_ORDER_VOID, -1);
		e->position = stats_order_take(&l->stats_order);
		return;
	}
	if (e->row.fate == FATE_QUEUED)
		e->position = stats_order_take(&l->stats_order);
	if (!stats_order_decide(&l->stats_order, &l->stats, e->position, outcome, waited) &&
	    fate == FATE_ANSWERED)
		stats_amend(&l->stats, outcome, waited);
	if (fate == FATE_QUEUED)
		e->position = 0;
}

void ledger_change_fate(struct ledger *l, struct ledger_line *e, enum ledger_fate fate)
{
	enum ledger_fate old = e->row.fate;

	order_stats(l, e, fate);
	--l->totals.fates[old];
	++l->totals.fates[fate];
	l->totals.sent -= fate == FATE_QUEUED;
	l->totals.sent += old == FATE_QUEUED;
	e->row.fate = fate;
	if (ledger_is_decided(fate) && e->row.number < l->decided_from)
		l->decided_from = e->row.number;
	sort_by_fate(l, e);
}

void ledger_settle_evicted(struct ledger *l, struct ledger_line *e, uint64_t count,
    enum ledger_fate fate)
{
	l->totals.waiting -= count;
	l->totals.fates[fate] += count;
	stats_order_decide_evicted(&l->stats_order, &l->stats, &e->position, e->last_position,
	    count, fate == FATE_LOST ? STATS_ORDER_LOST : STATS_ORDER_NONE);
	e->evicted_waiting -= count;
	l->evicted_waiting -= count;
	if (e->evicted_waiting == 0)
		ledger_line_free(e);
}

/* ---- eviction ---- */

static void merge_evicted(struct ledger *l, struct ledger_line *a, struct ledger_line *b)
{
	if (!a || !b || !a->evicted_waiting || !b->evicted_waiting ||
	    (ledger_is_datagram(l) &&
	        b->row.sent_at - a->evicted_since > l->settings.reply_timeout / EVICTED_GRAIN))
		return;
	a->evicted_waiting += b->evicted_waiting;
	a->position = a->position ? a->position : b->position;
	a->last_position = b->last_position ? b->last_position : a->last_position;
	if (a->row.sent_at < b->row.sent_at)
		a->row.sent_at = b->row.sent_at;
	ledger_line_free(b);
}

static void make_evicted(struct ledger *l, struct ledger_line *e)
{
	remove_from_index(l, e);
	ledger_line_remove(e, LINE_LIST_AGE);
	stats_order_evict(&l->stats_order, e->position);
	e->last_position = e->position;
	e->evicted_waiting = 1;
	l->evicted_waiting++;
	e->evicted_since = e->row.sent_at;
	/* Frees the memory of the text; if that fails, it stays. */
	struct ledger_line *small = malloc(sizeof(*small));
	if (small) {
		struct line_list *waiting = e->place[LINE_LIST_FATE].in;
		struct ledger_line *next = e->place[LINE_LIST_FATE].next;
		ledger_line_remove(e, LINE_LIST_FATE);
		*small = *e;
		small->block = NULL;
		ledger_line_insert(waiting, next, small, LINE_LIST_FATE);
		ledger_line_free(e);
		e = small;
	}
	merge_evicted(l, e, e->place[LINE_LIST_FATE].next);
	merge_evicted(l, e->place[LINE_LIST_FATE].previous, e);
}

static void extend(int64_t *until, int64_t time)
{
	if (*until < time)
		*until = time;
}

static void evict(struct ledger *l, struct ledger_line *e)
{
	const struct ledger_row *r = &e->row;
	const int64_t answerable_until = time_after(r->sent_at, l->settings.answerable);

	if (ledger_is_datagram(l) && e->group) {
		extend(&l->tag_all_until, answerable_until);
		if (!e->unique)
			extend(&l->tag_common_until, answerable_until);
	}
	l->totals.evicted++;
	l->bytes -= r->length + e->reply_length;
	if (r->fate == FATE_WAITING) {
		make_evicted(l, e);
		return;
	}
	if (l->settings.evicted)
		l->settings.evicted(l->settings.context, r);
	discard(l, e);
}

/* Queued lines are never evicted: they are still to be sent. A waiting line is evicted only when no
 * decided one is left: without its row the reply would be a stray. */
static size_t oldest_to_evict(struct ledger *l)
{
	const bool decided = l->lines.count >
	                     l->totals.queued + l->totals.waiting - l->evicted_waiting;

	for (size_t i = decided ? ledger_lines_index(&l->lines, l->decided_from) : 0;; i++) {
		const struct ledger_row *row = &ledger_lines_at(&l->lines, i)->row;
		if (row->fate == FATE_QUEUED || (row->fate == FATE_WAITING && decided))
			continue;
		if (decided)
			l->decided_from = row->number;
		return i;
	}
}

/* Not inlined: for most lines there is room. */
static __attribute__((noinline)) void evict_oldest(struct ledger *l)
{
	evict(l, ledger_lines_take(&l->lines, oldest_to_evict(l)));
}

void ledger_make_room(struct ledger *l, size_t rows, size_t bytes)
{
	while (l->lines.count > l->totals.queued &&
	       ((rows && l->lines.count + rows > l->settings.capacity) ||
	           (l->settings.bytes && l->bytes + bytes > l->settings.bytes &&
	               l->lines.count + rows > 1)))
		evict_oldest(l);
}

/* ---- adding and sending ---- */

/* Leaves the line's key in l->key. A tag is needed when the plain text could be mistaken for
 * another line's; a tag that equals a typed text is skipped. */
static int choose_tag(struct ledger *l, struct ledger_line *e)
{
	bool tagged = l->settings.tag == LEDGER_TAG_ALWAYS;

	if (line_index_key_line(&l->key, e))
		return -1;
	if (l->settings.tag == LEDGER_TAG_AUTO)
		tagged = e->row.typed_at <= (e->unique ? l->tag_common_until : l->tag_all_until) ||
		         line_index_find(&l->index, &l->key);
	for (uint64_t tag = e->row.number; tagged; tag++) {
		ledger_line_set_tag(e, tag);
		if (line_index_key_line(&l->key, e))
			return -1;
		tagged = line_index_find(&l->index, &l->key) != NULL;
	}
	return 0;
}

void ledger_insert(struct ledger *l, struct ledger_line *e)
{
	ledger_make_room(l, 1, e->row.length);
	ledger_lines_push(&l->lines, e);
	l->bytes += e->row.length;
	ledger_line_append(&l->queued, e, LINE_LIST_FATE);
	l->last_number = e->row.number;
	l->totals.typed++;
	l->totals.queued++;
}

struct ledger_line *ledger_new_line(struct ledger *l, uint64_t number, const void *text, size_t n,
    int64_t now)
{
	struct ledger_line *e = ledger_line_new(ledger_is_datagram(l) ? NULL : &l->block, number,
	    text, n, now);

	if (e)
		e->row.stream = !ledger_is_datagram(l);
	return e;
}

int ledger_add_as(struct ledger *l, uint64_t number, const void *text, size_t n,
    enum ledger_line_kind kind, int64_t now)
{
	if (number <= l->last_number || ledger_lines_reserve(&l->lines))
		return -1;
	struct ledger_line *e = ledger_new_line(l, number, text, n, now);
	if (!e)
		return -1;
	e->row.partial = kind == LEDGER_LINE_PARTIAL;
	e->unique = kind == LEDGER_LINE_UNIQUE;
	e->connecting_before = connecting_until(&l->connections[0], now);
	if (ledger_is_datagram(l)) {
		ledger_age(l, now);
		if (choose_tag(l, e) || line_index_insert(&l->index, e, &l->key)) {
			ledger_line_free(e);
			return -1;
		}
	}
	ledger_insert(l, e);
	return 0;
}

int ledger_add(struct ledger *l, uint64_t number, const void *text, size_t n, int64_t now)
{
	return ledger_add_as(l, number, text, n, LEDGER_LINE, now);
}

void ledger_assign(struct ledger *l, uint64_t number, unsigned connection)
{
	struct ledger_line *e = ledger_lines_find(&l->lines, number);

	e->row.connection = (uint8_t)connection;
	e->connecting_before = connecting_until(&l->connections[connection], e->row.typed_at);
}

size_t ledger_wire(const struct ledger *l, uint64_t number, void *out, size_t size)
{
	const struct ledger_line *e = ledger_lines_find(&l->lines, number);
	if (!e)
		return (size_t)-1;
	size_t n = ledger_line_wire_length(e);
	if (n > 0 && n <= size)
		memcpy(out, ledger_line_wire(e), n);
	return n;
}

/* A queued or waiting line, or NULL. */
static struct ledger_line *find_open(const struct ledger *l, uint64_t number)
{
	struct ledger_line *e = ledger_lines_find(&l->lines, number);
	return e && (e->row.fate == FATE_QUEUED || e->row.fate == FATE_WAITING) ? e : NULL;
}

void ledger_sent(struct ledger *l, uint64_t number, int64_t now)
{
	struct ledger_line *e = find_open(l, number);
	if (!e)
		return;
	e->row.sent_at = now;
	e->row.connecting = connecting_until(&l->connections[e->row.connection], now) -
	                    e->connecting_before;
	/* The line may be taken a little after the connection was reported. */
	if (e->row.connecting < 0)
		e->row.connecting = 0;
	if (ledger_is_datagram(l))
		ledger_line_append(&l->aging, e, LINE_LIST_AGE);
	ledger_change_fate(l, e, FATE_WAITING);
}

bool ledger_stamped(struct ledger *l, uint64_t number, int64_t at)
{
	struct ledger_line *e = ledger_lines_find(&l->lines, number);
	if (!e || e->row.fate != FATE_WAITING || at < e->row.sent_at)
		return false;
	e->row.sent_at = at;
	return true;
}

void ledger_end_line(struct ledger *l, struct ledger_line *e, enum ledger_fate fate, int error,
    int64_t now)
{
	e->row.error = error;
	/* The time may be that of the present turn, slightly before the sending. */
	e->row.decided_at = now && now < e->row.sent_at ? e->row.sent_at : now;
	ledger_change_fate(l, e, fate);
}

void ledger_failed(struct ledger *l, uint64_t number, int error, int64_t now)
{
	struct ledger_line *e = find_open(l, number);

	if (e)
		ledger_end_line(l, e, FATE_FAILED, error, now);
}

void ledger_requeue(struct ledger *l, uint64_t number)
{
	struct ledger_line *e = find_open(l, number);
	if (!e || e->row.fate == FATE_QUEUED)
		return;
	e->row.sent_at = e->row.connecting = 0;
	ledger_change_fate(l, e, FATE_QUEUED);
}

/* ---- endings without a reply ---- */

uint64_t ledger_cut_off(struct ledger *l, unsigned connection, int64_t now)
{
	const uint64_t before = l->totals.waiting;
	struct ledger_line *e;

	while ((e = l->connections[connection].waiting.first)) {
		if (e->evicted_waiting)
			ledger_settle_evicted(l, e, e->evicted_waiting, FATE_CUT_OFF);
		else
			ledger_end_line(l, e, FATE_CUT_OFF, 0, now);
	}
	return before - l->totals.waiting;
}

uint64_t ledger_expire(struct ledger *l, int64_t now)
{
	struct ledger_line *e;

	while (ledger_is_datagram(l) && (e = l->connections[0].waiting.first) &&
	       ledger_is_over(e, l->settings.reply_timeout, now)) {
		if (!e->evicted_waiting) {
			ledger_change_fate(l, e, FATE_LOST);
			return e->row.number;
		}
		ledger_settle_evicted(l, e, e->evicted_waiting, FATE_LOST);
	}
	return 0;
}

void ledger_give_up(struct ledger *l)
{
	if (ledger_is_datagram(l))
		stats_order_close(&l->stats_order, &l->stats);
}

int64_t ledger_deadline(const struct ledger *l)
{
	const struct ledger_line *e = l->stats_order.closed ? NULL
	                                                    : l->connections[0].waiting.first;
	return ledger_is_datagram(l) && e
	         ? time_after(time_after(e->row.sent_at, l->settings.reply_timeout), 1)
	         : INT64_MAX;
}

/* ---- reading ---- */

const struct ledger_row *ledger_find(const struct ledger *l, uint64_t number)
{
	const struct ledger_line *e = ledger_lines_find(&l->lines, number);
	return e ? &e->row : NULL;
}

size_t ledger_count(const struct ledger *l)
{
	return l->lines.count;
}

size_t ledger_index(const struct ledger *l, uint64_t number)
{
	return ledger_lines_index(&l->lines, number);
}

const struct ledger_row *ledger_at(const struct ledger *l, size_t index)
{
	return index < l->lines.count ? &ledger_lines_at(&l->lines, index)->row : NULL;
}

uint64_t ledger_first_queued(const struct ledger *l, unsigned connection)
{
	const struct ledger_line *e = l->queued.first;
	while (e && e->row.connection != connection)
		e = e->place[LINE_LIST_FATE].next;
	return e ? e->row.number : 0;
}

uint64_t ledger_first_waiting(const struct ledger *l)
{
	const struct ledger_line *e = l->connections[0].waiting.first;
	while (e && e->evicted_waiting)
		e = e->place[LINE_LIST_FATE].next;
	return e ? e->row.number : 0;
}

int64_t ledger_waiting_since(const struct ledger *l, unsigned connection)
{
	const struct ledger_line *e = l->connections[connection].waiting.first;
	return !e ? INT64_MAX : e->evicted_waiting ? e->evicted_since : e->row.sent_at;
}

const struct stats *ledger_stats(const struct ledger *l)
{
	return &l->stats;
}

const struct ledger_totals *ledger_totals(const struct ledger *l)
{
	return &l->totals;
}
