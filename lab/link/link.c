/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A packet is read, judged once, and then either gone, written at once (the usual way of an idle wire: no copy
 * is made), or put among the parcels until its time. Times are taken for each packet: a turn may carry
 * a hundred of them, and the last must not bear the first one's time. */
#include "config.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "lab/link/capture.h"
#include "common/clock.h"
#include "common/impair-fields.h"
#include "lab/link/link.h"
#include "common/delay-queue.h"

/* Packets from each side in one turn, and how often due ones are looked for among them. */
#define TURN_PACKETS 128
#define TURN_STEP 8
/* Parcels delivered in one go, before the devices are read again. */
#define TURN_PARCELS 256
/* What those on their way in one direction take, most of a second at 1 Gbit/s: with the model's own memory less than 128 MiB. */
#define PARCELS_MOST (126u << 20)
/* A host that takes no packet is asked again after this, for so long. */
#define RETRY_AFTER (50 * NS_PER_US)
#define RETRY_FOR NS_PER_S
/* A timer that is later than this was not late: somebody else had the processor. */
#define LATE_MOST (100 * NS_PER_US)
#define LATE_WEIGHT 8

/* One direction. */
struct way {
	struct device *from, *to;
	struct impair *impair;
	struct parcels *parcels;
	struct link_counts counts;
	/* The packets' number in this direction; the next that would be in order at the receiver. */
	uint64_t number, expected;
	/* The receiver's host takes nothing before this. */
	int64_t blocked_until;
};

struct link {
	struct way ways[LINK_DIRECTIONS];
	uint64_t seed, serial;
	struct link_witness witness;
	/* Or NULL; then, what it knows the packet by that was read last, and whether pieces cut from that are in it. */
	struct capture *capture;
	struct sightings_key key;
	bool pieces;
	/* When the last link_watch() asked to be woken for a delivery; whether that was still to come. */
	int64_t wake;
	bool waiting;
	/* How late such a wake-up is, on average of late. */
	int64_t late;
	bool broken;
	/* Drops on cue that wait, in the order in which they were asked for. */
	struct {
		unsigned classes, directions;
	} cues[LINK_CUES];
	int cue_count;
	/* The packet that was read; a piece cut from it. */
	uint8_t buffer[DEVICE_PACKET_MAX], piece[DEVICE_PACKET_MAX];
};

static enum link_direction direction_of(const struct link *link, const struct way *way)
{
	return way == &link->ways[LINK_THERE] ? LINK_THERE : LINK_BACK;
}

struct link *link_new(const struct impair_settings *there, const struct impair_settings *back,
    uint64_t seed, struct device *near, struct device *far)
{
	struct link *link = calloc(1, sizeof *link);
	if (!link)
		return NULL;
	link->seed = seed;
	for (int i = 0; i < LINK_DIRECTIONS; i++) {
		struct way *way = &link->ways[i];
		way->from = i == LINK_THERE ? near : far;
		way->to = i == LINK_THERE ? far : near;
		way->impair = impair_new(i == LINK_THERE ? there : back, seed, (uint64_t) i);
		way->parcels = parcels_new(PARCELS_MOST);
		way->blocked_until = INT64_MIN;
		if (!way->impair || !way->parcels) {
			link_free(link);
			return NULL;
		}
	}
	prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
	return link;
}

bool link_take_precedence(void)
{
	const struct sched_param least = { .sched_priority = sched_get_priority_min(SCHED_FIFO) };

	return sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &least) == 0;
}

void link_leave_precedence(void)
{
	const struct sched_param none = { .sched_priority = 0 };

	(void) sched_setscheduler(0, SCHED_OTHER, &none);
}

void link_free(struct link *link)
{
	if (!link)
		return;
	for (int i = 0; i < LINK_DIRECTIONS; i++) {
		impair_free(link->ways[i].impair);
		parcels_free(link->ways[i].parcels);
	}
	capture_free(link->capture);
	free(link);
}

static void capture(struct link *link, const struct way *way, enum pcapng_way which, int64_t now,
    const void *bytes, size_t n, const char *comment)
{
	const bool out = which == PCAPNG_OUT, near = (way == &link->ways[LINK_THERE]) == out;
	const struct capture_packet packet = {
		.host = near ? 0 : 1, .way = which, .at = now, .bytes = bytes, .n = n, .comment = comment,
		.key = out ? link->key : sightings_key(bytes, n, n), .piece = out && link->pieces,
	};

	capture_add(link->capture, &packet);
	link->pieces |= out;
}

/* Why it never arrived, or what it met: NULL if it was just carried. */
static const char *explain(const struct way *way, bool there, const struct impair_verdict *v,
    char comment[PCAPNG_COMMENT])
{
	char settings[PCAPNG_COMMENT / 2];

	if (v->fate != IMPAIR_DELIVERED) {
		snprintf(comment, PCAPNG_COMMENT, "lost on the way %s: %s (link: %s)", there ? "there" : "back",
		    impair_fate_text(v->fate),
		    impair_text_line(impair_settings(way->impair), settings, sizeof settings));
		return comment;
	}
	snprintf(comment, PCAPNG_COMMENT, "%s%s%s%s",
	    v->flip >= 0 ? "one bit flipped on the way, so the receiver drops it; " : "",
	    v->copies == 2 ? "delivered twice; " : "", v->held ? "held back on cue; " : "",
	    v->reordered ? "held back for later ones to pass; " : "");
	size_t n = strlen(comment);
	if (n == 0)
		return NULL;
	comment[n - 2] = '\0';
	return comment;
}

static void tell(struct link *link, const struct way *way, int64_t now, const struct packet *p,
    const struct impair_verdict *v)
{
	struct link_event event = {
		.serial = link->serial, .direction = direction_of(link, way), .in = now, .packet = p, .verdict = v,
	};
	char comment[PCAPNG_COMMENT];

	if (link->witness.packet)
		link->witness.packet(link->witness.context, &event);
	if (link->capture)
		capture(link, way, PCAPNG_OUT, now, p->bytes, (size_t) p->size,
		    explain(way, event.direction == LINK_THERE, v, comment));
}

static void count_delivered(struct way *way, uint64_t number, bool copy, int size)
{
	way->counts.delivered++;
	way->counts.delivered_bytes += (uint64_t) size;
	if (copy)
		return;
	if (number < way->expected)
		way->counts.reordered++;
	else
		way->expected = number + 1;
}

/* Gives a packet to the receiver's host. Returns 0; or -1 to try again later, when its queue is full. What the host
 * refuses for good is counted and told. */
static int give(struct link *link, struct way *way, const struct parcel *about, const void *bytes,
    int64_t now)
{
	if (device_write(way->to, bytes, (size_t) about->size) == 0) {
		count_delivered(way, about->number, about->copy, about->size);
		if (link->capture)
			capture(link, way, PCAPNG_IN, now, bytes, (size_t) about->size,
			    about->copy ? "the link's second copy" : about->damaged ? "damaged by the link" : NULL);
		return 0;
	}
	bool full = errno == EAGAIN || errno == ENOBUFS;
	if (full && now - about->at < RETRY_FOR)
		return -1;
	way->counts.undelivered++;
	if (link->witness.undelivered)
		link->witness.undelivered(link->witness.context, about->serial, direction_of(link, way));
	return 0;
}

static void deliver_due(struct link *link, struct way *way, int64_t now)
{
	struct parcel *parcel;

	if (now < way->blocked_until)
		return;
	for (int i = 0; i < TURN_PARCELS && (parcel = parcels_first(way->parcels)) && parcel->at <= now; i++) {
		if (give(link, way, parcel, parcels_bytes(way->parcels), now)) {
			way->blocked_until = now + RETRY_AFTER;
			return;
		}
		way->counts.in_flight--;
		parcels_drop_first(way->parcels);
	}
	way->blocked_until = INT64_MIN;
}

/* Room was made sure of before the verdict was told. */
static void keep(struct way *way, const struct parcel *about, const void *bytes)
{
	struct parcel *parcel = parcels_add(way->parcels, about->at, NULL, 0, bytes, (size_t) about->size);

	parcel->number = about->number;
	parcel->serial = about->serial;
	parcel->copy = about->copy;
	parcel->damaged = about->damaged;
	way->counts.in_flight++;
}

/* Sends the copies of a packet that was let through on their way. */
static void dispatch(struct link *link, struct way *way, const struct packet *p, uint8_t *bytes,
    const struct impair_verdict *v, int64_t now)
{
	struct parcel about = {
		.number = way->number, .serial = link->serial, .damaged = v->flip >= 0, .size = p->size,
	};

	if (v->flip >= 0)
		packet_flip(p, bytes, v->flip);
	for (int i = 0; i < v->copies; i++) {
		const struct parcel *first = parcels_first(way->parcels);
		about.at = v->at[i];
		about.copy = i > 0;
		bool at_once = about.at <= now && (!first || first->at > now);
		if (!at_once || give(link, way, &about, bytes, now))
			keep(way, &about, bytes);
	}
}

static void count_verdict(struct way *way, const struct packet *p, const struct impair_verdict *v)
{
	struct link_counts *c = &way->counts;

	c->packets++;
	c->bytes += (uint64_t) p->size;
	c->fates[v->fate]++;
	c->duplicated += v->copies == 2;
	c->corrupted += v->flip >= 0;
	c->held += v->held;
	c->delayed += v->reordered;
}

/* The oldest that waits for such a packet; cue_count for none. */
static int find_cue(const struct link *link, const struct way *way, enum packet_class class)
{
	int i = 0;

	while (i < link->cue_count &&
	    !(link->cues[i].classes & class && link->cues[i].directions & LINK_BIT(direction_of(link, way))))
		i++;
	return i;
}

static void answer_too_big(struct link *link, struct way *way, const struct packet *p, int64_t now)
{
	uint8_t answer[PACKET_ERROR_MAX];
	size_t n = packet_too_big(p, impair_settings(way->impair)->mtu, answer);

	if (n == 0 || device_write(way->from, answer, n))
		return;
	way->counts.too_big_answers++;
	if (link->capture)
		capture(link, &link->ways[way == &link->ways[LINK_THERE] ? LINK_BACK : LINK_THERE], PCAPNG_IN, now, answer, n,
		    "the link's own answer");
}

/* One packet that counts: its fate, and all that follows from it. */
static void judge(struct link *link, struct way *way, const struct packet *p, uint8_t *bytes, int64_t now)
{
	const int cue = find_cue(link, way, packet_class(p));
	struct impair_packet facts = { p->size, packet_bits(p), cue < link->cue_count };
	struct impair_verdict v;

	link->serial++;
	way->number++;
	impair_judge(way->impair, &facts, now, &v);
	if (v.copies > 0 && !parcels_have_room(way->parcels, (size_t) p->size, v.copies))
		v = (struct impair_verdict) { .fate = IMPAIR_NO_ROOM, .flip = -1 };
	count_verdict(way, p, &v);
	tell(link, way, now, p, &v);
	if (v.fate == IMPAIR_TOO_BIG)
		answer_too_big(link, way, p, now);
	else if (v.fate == IMPAIR_CUE)
		memmove(&link->cues[cue], &link->cues[cue + 1], (size_t) (--link->cue_count - cue) * sizeof *link->cues);
	else if (v.fate == IMPAIR_DELIVERED)
		dispatch(link, way, p, bytes, &v, now);
}

/* A router cuts what is too big and may be cut; each piece then has its own fate. */
static void judge_pieces(struct link *link, struct way *way, const struct packet *p, int mtu, int64_t now)
{
	struct packet piece;
	size_t n;

	way->counts.cut++;
	for (int at = 0; (n = packet_cut(p, mtu, &at, link->piece)) > 0;)
		if (packet_read(&piece, link->piece, n) == 0)
			judge(link, way, &piece, link->piece, now);
}

/* Reads one packet and carries it. Returns whether there may be another. */
static bool carry(struct link *link, struct way *way)
{
	ssize_t n = device_read(way->from, link->buffer, sizeof link->buffer);
	struct packet p;

	if (n < 0) {
		link->broken |= errno != EAGAIN && errno != EINTR;
		return false;
	}
	if (n == 0)
		return true;
	int64_t now = clock_monotonic();
	int mtu = impair_settings(way->impair)->mtu;
	if (link->capture) {
		link->key = sightings_key(link->buffer, (size_t) n, (size_t) n);
		link->pieces = false;
	}
	if (packet_read(&p, link->buffer, (size_t) n) || packet_is_chatter(&p)) {
		way->counts.chatter++;
		device_write(way->to, link->buffer, (size_t) n);
	} else if (mtu && p.size > mtu && packet_may_cut(&p)) {
		judge_pieces(link, way, &p, mtu, now);
	} else {
		judge(link, way, &p, link->buffer, now);
	}
	return true;
}

static void deliver_all_due(struct link *link)
{
	for (int i = 0; i < LINK_DIRECTIONS; i++)
		deliver_due(link, &link->ways[i], clock_monotonic());
}

void link_watch(struct link *link, struct watch *w)
{
	int64_t due = CLOCK_NEVER;

	for (int i = 0; i < LINK_DIRECTIONS && !link->broken; i++) {
		const struct way *way = &link->ways[i];
		const struct parcel *first = parcels_first(way->parcels);
		int64_t at = !first ? CLOCK_NEVER : first->at > way->blocked_until ? first->at : way->blocked_until;
		watch_read(w, device_fd(way->from));
		due = at < due ? at : due;
	}
	link->waiting = false;
	if (due != CLOCK_NEVER) {
		link->wake = due - 2 * link->late;
		link->waiting = link->wake > clock_monotonic();
		watch_until(w, link->wake);
	}
	if (link->capture)
		watch_until(w, capture_due(link->capture));
}

/* Learns from a wake-up that came for the timer alone. */
static void learn_lateness(struct link *link, bool readable)
{
	int64_t late = clock_monotonic() - link->wake;

	if (!link->waiting || readable || late < 0)
		return;
	link->late += ((late < LATE_MOST ? late : LATE_MOST) - link->late) / LATE_WEIGHT;
}

void link_turn(struct link *link, const struct watch *w)
{
	bool more[LINK_DIRECTIONS];

	for (int d = 0; d < LINK_DIRECTIONS; d++)
		more[d] = watch_can_read(w, device_fd(link->ways[d].from));
	learn_lateness(link, more[LINK_THERE] || more[LINK_BACK]);
	deliver_all_due(link);
	for (int i = 1; i <= TURN_PACKETS && !link->broken && (more[LINK_THERE] || more[LINK_BACK]); i++) {
		for (int d = 0; d < LINK_DIRECTIONS; d++)
			more[d] = more[d] && carry(link, &link->ways[d]);
		if (i % TURN_STEP == 0)
			deliver_all_due(link);
	}
	if (link->capture)
		capture_turn(link->capture, clock_monotonic());
}

bool link_broken(const struct link *link)
{
	return link->broken;
}

void link_set_witness(struct link *link, const struct link_witness *witness)
{
	link->witness = witness ? *witness : (struct link_witness) { .context = NULL };
}

int link_capture(struct link *link, int fd, struct stamper *const stampers[LINK_DIRECTIONS])
{
	const char *const names[] = {
		device_name(link->ways[LINK_THERE].from), device_name(link->ways[LINK_BACK].from),
	};

	link->capture = capture_new(fd, names, stampers);
	return link->capture ? 0 : -1;
}

bool link_capture_failed(struct link *link)
{
	return link->capture && capture_finish(link->capture) != 0;
}

uint64_t link_capture_dropped(const struct link *link)
{
	return link->capture ? capture_dropped(link->capture) : 0;
}

uint64_t link_seed(const struct link *link)
{
	return link->seed;
}

const struct impair_settings *link_settings(const struct link *link, enum link_direction direction)
{
	return impair_settings(link->ways[direction].impair);
}

void link_change(struct link *link, enum link_direction direction, const struct impair_settings *s)
{
	impair_change(link->ways[direction].impair, s);
}

const struct link_counts *link_counts(const struct link *link, enum link_direction direction)
{
	return &link->ways[direction].counts;
}

bool link_balanced(const struct link *link)
{
	for (int i = 0; i < LINK_DIRECTIONS; i++) {
		const struct link_counts *c = &link->ways[i].counts;
		uint64_t lost = 0;
		for (int fate = IMPAIR_DELIVERED + 1; fate < IMPAIR_FATES; fate++)
			lost += c->fates[fate];
		if (c->packets + c->duplicated != c->delivered + lost + c->undelivered + c->in_flight
		    || c->fates[IMPAIR_DELIVERED] + lost != c->packets
		    || c->in_flight != parcels_count(link->ways[i].parcels))
			return false;
	}
	return true;
}

int link_drop_next(struct link *link, unsigned classes, unsigned directions)
{
	if (link->cue_count == LINK_CUES)
		return -1;
	link->cues[link->cue_count].classes = classes;
	link->cues[link->cue_count++].directions = directions;
	return 0;
}

void link_drop_none(struct link *link)
{
	link->cue_count = 0;
}

void link_hold(struct link *link, unsigned directions, int64_t now, int64_t span)
{
	for (int i = 0; i < LINK_DIRECTIONS; i++)
		if (directions & LINK_BIT(i))
			impair_hold(link->ways[i].impair, now + span);
}

void link_unplug(struct link *link, unsigned directions, int64_t now, int64_t span)
{
	for (int i = 0; i < LINK_DIRECTIONS; i++)
		if (directions & LINK_BIT(i))
			impair_unplug(link->ways[i].impair, now + span);
}

const struct impair *link_impair(const struct link *link, enum link_direction direction)
{
	return link->ways[direction].impair;
}
