/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The link reads a packet, decides its fate once, and then drops it, writes it at once (usual on an
 * idle link: no copy is made) or puts it into the delay queue. It reads the clock for each packet:
 * a turn may carry a hundred, and the last must not have the first one's time. */
#include "lab/link/link.h"

#include <errno.h>
#include <sched.h>
#include <sys/prctl.h>

#include "common/clock.h"
#include "common/delay-queue.h"
#include "common/impair-fields.h"

/* Packets from each side in one turn; after each TURN_STEP, due packets are delivered. */
#define TURN_PACKETS 128
#define TURN_STEP 8
/* Delayed packets delivered at once before the devices are read again. */
#define TURN_DELIVERIES 256
/* Bytes of the packets on their way in one direction, most of a second at 1 Gbit/s: with the
 * model's own memory less than 128 MiB. */
#define DELAY_QUEUE_MAX (126u << 20)
/* Time after which a write to a host whose queue is full is tried again, and for how long. */
#define RETRY_AFTER (50 * NS_PER_US)
#define RETRY_FOR NS_PER_S
/* A longer delay is not the timer's: another process had the processor. */
#define LATE_MAX (100 * NS_PER_US)
#define LATE_WEIGHT 8

/* One direction. */
struct link_path {
	enum link_direction direction;
	struct device *from, *to;
	struct impair *impair;
	struct delay_queue *delay_queue;
	struct link_counts counts;
	/* The packets' number in this direction; the next number that would be in order at the
	 * receiver. */
	uint64_t number, expected;
	/* The receiver's host takes no packet before this. */
	int64_t blocked_until;
};

struct link {
	struct link_path paths[LINK_DIRECTIONS];
	uint64_t seed, serial;
	struct link_observer observer;
	/* The capture, or NULL; the key of the packet read last; whether a fragment of it was
	 * captured. */
	struct capture *capture;
	struct packet_times_key key;
	bool fragments;
	/* The wake-up time of the last link_watch() for a delivery; whether it was in the future.
	 */
	int64_t wake;
	bool waiting;
	/* The running average of how late such a wake-up is. */
	int64_t lateness;
	bool broken;
	struct packet_rules *rules;
	/* The packet that was read; a fragment of it. */
	uint8_t buffer[DEVICE_PACKET_MAX], fragment[DEVICE_PACKET_MAX];
};

struct link *link_new(const struct impair_settings *there, const struct impair_settings *back,
    uint64_t seed, struct device *near, struct device *far)
{
	struct link *link = calloc(1, sizeof *link);
	if (!link)
		return NULL;
	link->seed = seed;
	link->rules = packet_rules_new();
	for (int i = 0; i < LINK_DIRECTIONS; i++) {
		struct link_path *path = &link->paths[i];
		path->direction = (enum link_direction)i;
		path->from = i == LINK_GOING ? near : far;
		path->to = i == LINK_GOING ? far : near;
		path->impair = impair_new(i == LINK_GOING ? there : back, seed, (uint64_t)i);
		path->delay_queue = delay_queue_new(DELAY_QUEUE_MAX);
		path->blocked_until = INT64_MIN;
		if (!link->rules || !path->impair || !path->delay_queue) {
			link_free(link);
			return NULL;
		}
	}
	prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
	return link;
}

bool link_set_priority(bool first)
{
	const struct sched_param p = { .sched_priority = first ? sched_get_priority_min(SCHED_FIFO)
		                                               : 0 };

	return sched_setscheduler(0, first ? SCHED_FIFO | SCHED_RESET_ON_FORK : SCHED_OTHER, &p) ==
	       0;
}

void link_free(struct link *link)
{
	if (!link)
		return;
	for (int i = 0; i < LINK_DIRECTIONS; i++) {
		free(link->paths[i].impair);
		delay_queue_free(link->paths[i].delay_queue);
	}
	capture_free(link->capture);
	free(link->rules);
	free(link);
}

static void capture(struct link *link, const struct link_path *path, enum pcapng_direction which,
    int64_t now, const void *bytes, size_t n, const char *comment)
{
	const bool out = which == PCAPNG_OUT, near = (path == &link->paths[LINK_GOING]) == out;
	const struct capture_packet packet = { .host = near ? 0 : 1,
		.direction = which,
		.at = now,
		.bytes = bytes,
		.n = n,
		.comment = comment,
		.key = out ? link->key : packet_times_key(bytes, n, n),
		.fragment = out && link->fragments };

	capture_add(link->capture, &packet);
	link->fragments |= out;
}

/* Why the packet did not arrive, or what else happened to it; NULL for nothing. */
static const char *capture_comment(const struct link_path *path, const struct impair_decision *d,
    char comment[PCAPNG_COMMENT])
{
	char settings[PCAPNG_COMMENT / 2];

	if (d->fate != IMPAIR_DELIVERED) {
		snprintf(comment, PCAPNG_COMMENT, "lost on the way %s: %s (link: %s)",
		    link_direction_names[path->direction], impair_fates[d->fate].text,
		    impair_fields_line(impair_settings(path->impair), settings, sizeof settings));
		return comment;
	}
	snprintf(comment, PCAPNG_COMMENT, "%s%s%s%s%s",
	    d->flip >= 0 ? "one bit flipped on the way, so the receiver drops it; " : "",
	    d->copies == 2 ? "delivered twice; " : "", d->held ? "held back on cue; " : "",
	    d->reordered ? "held back for later ones to pass; " : "",
	    d->requested ? "by a rule for this packet; " : "");
	size_t n = strlen(comment);
	if (n == 0)
		return NULL;
	comment[n - 2] = '\0';
	return comment;
}

static void notify(struct link *link, const struct link_path *path, int64_t now,
    const struct packet *p, const struct impair_decision *d)
{
	struct link_event event = { .serial = link->serial,
		.direction = path->direction,
		.in = now,
		.packet = p,
		.decision = d };
	char comment[PCAPNG_COMMENT];

	if (link->observer.packet)
		link->observer.packet(link->observer.context, &event);
	if (link->capture)
		capture(link, path, PCAPNG_OUT, now, p->bytes, (size_t)p->size,
		    capture_comment(path, d, comment));
}

static void count_delivered(struct link_path *path, uint64_t number, bool copy, size_t size)
{
	path->counts.delivered++;
	path->counts.delivered_bytes += size;
	if (copy)
		return;
	if (number < path->expected)
		path->counts.reordered++;
	else
		path->expected = number + 1;
}

static void give_up(struct link *link, struct link_path *path, const struct delayed_packet *about)
{
	path->counts.undelivered++;
	if (link->observer.undelivered)
		link->observer.undelivered(link->observer.context, about->serial, path->direction);
}

/* Gives a packet to the receiver's host. Returns 0; or -1 to try again later, when its queue is
 * full. Counts and reports packets that the host refuses for good. */
static int deliver(struct link *link, struct link_path *path, const struct delayed_packet *about,
    const void *bytes, int64_t now)
{
	if (device_write(path->to, bytes, about->size) == 0) {
		count_delivered(path, about->number, about->copy, about->size);
		if (link->capture)
			capture(link, path, PCAPNG_IN, now, bytes, about->size,
			    about->copy      ? "the link's second copy"
			    : about->damaged ? "damaged by the link"
			                     : NULL);
		return 0;
	}
	bool full = errno == EAGAIN || errno == ENOBUFS;
	if (full && now - about->at < RETRY_FOR)
		return -1;
	give_up(link, path, about);
	return 0;
}

static void deliver_due(struct link *link, struct link_path *path, int64_t now)
{
	struct delayed_packet *delayed;

	if (now < path->blocked_until)
		return;
	for (int i = 0; i < TURN_DELIVERIES && (delayed = delay_queue_first(path->delay_queue)) &&
	                delayed->at <= now;
	    i++) {
		if (deliver(link, path, delayed, delayed->bytes, now)) {
			path->blocked_until = now + RETRY_AFTER;
			return;
		}
		path->counts.in_flight--;
		delay_queue_remove_first(path->delay_queue);
	}
	path->blocked_until = INT64_MIN;
}

/* Sends the copies of a packet that was let through on their way. */
static void send_copies(struct link *link, struct link_path *path, const struct packet *p,
    uint8_t *bytes, const struct impair_decision *d, int64_t now)
{
	struct delayed_packet about = { .number = path->number,
		.serial = link->serial,
		.damaged = d->flip >= 0,
		.size = (size_t)p->size };

	if (d->flip >= 0)
		packet_flip(p, bytes, d->flip);
	for (int i = 0; i < d->copies; i++) {
		const struct delayed_packet *first = delay_queue_first(path->delay_queue);
		about.at = d->at[i];
		about.copy = i > 0;
		bool at_once = about.at <= now && (!first || first->at > now);
		if (at_once && deliver(link, path, &about, bytes, now) == 0)
			continue;
		/* decide() has checked that there is room, but the system may have none. */
		void *copy = delay_queue_add(path->delay_queue, &about);
		if (!copy) {
			give_up(link, path, &about);
			continue;
		}
		memcpy(copy, bytes, about.size);
		path->counts.in_flight++;
	}
}

static void count_decision(struct link_path *path, const struct packet *p,
    const struct impair_decision *d)
{
	struct link_counts *c = &path->counts;

	c->packets++;
	c->bytes += (uint64_t)p->size;
	c->fates[d->fate]++;
	c->duplicated += d->copies == 2;
	c->corrupted += d->flip >= 0;
	c->held += d->held;
	c->delayed += d->reordered;
}

static void answer_too_big(struct link *link, struct link_path *path, const struct packet *p,
    int64_t now)
{
	uint8_t answer[PACKET_ERROR_MAX];
	size_t n = packet_too_big(p, impair_settings(path->impair)->mtu, answer);

	if (n == 0 || device_write(path->from, answer, n))
		return;
	path->counts.too_big_answers++;
	if (link->capture)
		capture(link,
		    &link->paths[path == &link->paths[LINK_GOING] ? LINK_COMING : LINK_GOING],
		    PCAPNG_IN, now, answer, n, "the link's own answer");
}

/* Decides the fate of one packet and carries it out. */
static void decide(struct link *link, struct link_path *path, const struct packet *p,
    uint8_t *bytes, int64_t now)
{
	const struct impair_packet facts = { .size = p->size,
		.bits = packet_bits(p),
		.request = packet_rules_number(link->rules, p, path->direction) };
	struct impair_decision v;

	link->serial++;
	path->number++;
	impair_decide(path->impair, &facts, now, &v);
	if (v.copies > 0 && !delay_queue_has_room(path->delay_queue, (size_t)p->size, v.copies))
		v = (struct impair_decision){ .fate = IMPAIR_NO_MEMORY, .flip = -1 };
	packet_rules_decided(link->rules, &v);
	count_decision(path, p, &v);
	notify(link, path, now, p, &v);
	if (v.fate == IMPAIR_TOO_BIG)
		answer_too_big(link, path, p, now);
	else if (v.fate == IMPAIR_DELIVERED)
		send_copies(link, path, p, bytes, &v, now);
}

/* Fragments a packet as a router does; each fragment has its own fate. */
static void decide_fragments(struct link *link, struct link_path *path, const struct packet *p,
    int mtu, int64_t now)
{
	struct packet fragment;
	size_t n;

	path->counts.cut++;
	for (int at = 0; (n = packet_fragment(p, mtu, &at, link->fragment)) > 0;)
		if (packet_read(&fragment, link->fragment, n) == 0)
			decide(link, path, &fragment, link->fragment, now);
}

/* Reads one packet and carries it. Returns whether there may be another. */
static bool forward(struct link *link, struct link_path *path)
{
	ssize_t n = device_read(path->from, link->buffer, sizeof link->buffer);
	struct packet p;

	if (n < 0) {
		link->broken |= errno != EAGAIN && errno != EINTR;
		return false;
	}
	if (n == 0)
		return true;
	int64_t now = clock_monotonic();
	int mtu = impair_settings(path->impair)->mtu;
	if (link->capture) {
		link->key = packet_times_key(link->buffer, (size_t)n, (size_t)n);
		link->fragments = false;
	}
	if (packet_read(&p, link->buffer, (size_t)n) || packet_is_unsolicited(&p)) {
		path->counts.unsolicited++;
		device_write(path->to, link->buffer, (size_t)n);
	} else if (mtu && p.size > mtu && packet_may_fragment(&p)) {
		decide_fragments(link, path, &p, mtu, now);
	} else {
		decide(link, path, &p, link->buffer, now);
	}
	return true;
}

static void deliver_all_due(struct link *link)
{
	for (int i = 0; i < LINK_DIRECTIONS; i++)
		deliver_due(link, &link->paths[i], clock_monotonic());
}

void link_watch(struct link *link, struct fd_watch *w)
{
	int64_t due = CLOCK_NEVER;

	for (int i = 0; i < LINK_DIRECTIONS && !link->broken; i++) {
		const struct link_path *path = &link->paths[i];
		const struct delayed_packet *first = delay_queue_first(path->delay_queue);
		int64_t at = !first                          ? CLOCK_NEVER
		           : first->at > path->blocked_until ? first->at
		                                             : path->blocked_until;
		fd_watch_read(w, device_fd(path->from));
		due = at < due ? at : due;
	}
	link->waiting = false;
	if (due != CLOCK_NEVER) {
		link->wake = due - 2 * link->lateness;
		link->waiting = link->wake > clock_monotonic();
		fd_watch_until(w, link->wake);
	}
	if (link->capture)
		fd_watch_until(w, capture_due(link->capture));
}

/* Learns the lateness of a wake-up that only the timer caused. */
static void update_lateness(struct link *link, bool readable)
{
	int64_t lateness = clock_monotonic() - link->wake;

	if (!link->waiting || readable || lateness < 0)
		return;
	link->lateness += ((lateness < LATE_MAX ? lateness : LATE_MAX) - link->lateness) /
	                  LATE_WEIGHT;
}

void link_dispatch(struct link *link, const struct fd_watch *w)
{
	const int64_t now = clock_monotonic();
	bool more[LINK_DIRECTIONS];

	for (int d = 0; d < LINK_DIRECTIONS; d++)
		more[d] = fd_watch_can_read(w, device_fd(link->paths[d].from));
	update_lateness(link, more[LINK_GOING] || more[LINK_COMING]);
	deliver_all_due(link);
	/* The capture needs to know that there is no other. */
	if (link->capture)
		more[LINK_GOING] = more[LINK_COMING] = true;
	for (int i = 1;
	    i <= TURN_PACKETS && !link->broken && (more[LINK_GOING] || more[LINK_COMING]); i++) {
		for (int d = 0; d < LINK_DIRECTIONS; d++)
			more[d] = more[d] && forward(link, &link->paths[d]);
		if (i % TURN_STEP == 0)
			deliver_all_due(link);
	}
	if (link->capture)
		capture_dispatch(link->capture, now, !more[LINK_GOING] && !more[LINK_COMING]);
}

bool link_broken(const struct link *link)
{
	return link->broken;
}

void link_set_observer(struct link *link, const struct link_observer *observer)
{
	link->observer = observer ? *observer : (struct link_observer){ .context = NULL };
}

struct capture *link_capture(struct link *link, int fd,
    struct timestamp_tap *const timestamp_taps[LINK_DIRECTIONS])
{
	link->capture = capture_new(fd, timestamp_taps);
	return link->capture;
}

uint64_t link_seed(const struct link *link)
{
	return link->seed;
}

const struct impair_settings *link_settings(const struct link *link, enum link_direction direction)
{
	return impair_settings(link->paths[direction].impair);
}

struct impair *link_impair(struct link *link, enum link_direction direction)
{
	return link->paths[direction].impair;
}

const struct link_counts *link_counts(const struct link *link, enum link_direction direction)
{
	return &link->paths[direction].counts;
}

bool link_balanced(const struct link *link)
{
	for (int i = 0; i < LINK_DIRECTIONS; i++) {
		const struct link_counts *c = &link->paths[i].counts;
		uint64_t lost = 0;
		for (int fate = IMPAIR_DELIVERED + 1; fate < IMPAIR_FATES; fate++)
			lost += c->fates[fate];
		if (c->packets + c->duplicated !=
		        c->delivered + lost + c->undelivered + c->in_flight ||
		    c->fates[IMPAIR_DELIVERED] + lost != c->packets ||
		    c->in_flight != delay_queue_count(link->paths[i].delay_queue))
			return false;
	}
	return true;
}

struct packet_rules *link_rules(struct link *link)
{
	return link->rules;
}
