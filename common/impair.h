/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One direction of an impaired link: the fate of each packet, and when it leaves.
 * Pure: no clock, no socket; the time is an argument, in ns of one clock that never goes back.
 *
 * A packet meets, in this order, as on a real path:
 *   1. an unplugged cable (everything is lost), an MTU (too big: dropped), a requested drop;
 *   2. the transmitter: at `rate` it takes size * 8 / rate; while it is busy packets wait in a
 *      drop-tail queue;
 *   3. the medium: loss, then corruption of one bit;
 *   4. the path: delay and jitter; a requested hold; a second copy; reordering.
 * A lost packet has used the transmitter: loss is not congestion.
 *
 * A request for one packet decides in place of chance, at the same places.
 *
 * Every packet takes the same number of random numbers, whatever is switched on and whatever its
 * fate is. So the same seed and the same sequence of packets give the same fates, and changing one
 * setting leaves the random numbers of the others as they are. A setting that is added draws from a
 * generator of its own (a stream from 2 on), for the same reason. Times decide too only where they
 * must: with a rate (is the queue full?) and for holds and unplugging. */
#pragma once

/* Room for what is wrong with settings. */
#define IMPAIR_REASON 160

/* Bounds of the settings. The longest practical path, to the Moon, takes 1.3 s. */
#define IMPAIR_DELAY_MAX (INT64_C(60) * 1000000000)
#define IMPAIR_RATE_MIN 1000
#define IMPAIR_RATE_MAX (INT64_C(100) * 1000000000)
#define IMPAIR_QUEUE_PACKETS_MAX 100000
#define IMPAIR_QUEUE_BYTES_MAX (INT64_C(100) * 1000000)
/* RFC 791: every host must be able to forward 68 bytes whole. */
#define IMPAIR_MTU_MIN 68
#define IMPAIR_MTU_MAX 65535
/* The queue when none is set: at a full 1,500 bytes a packet, 1.2 s at 1 Mbit/s. */
#define IMPAIR_QUEUE_PACKETS 100
/* How long a packet that is to be overtaken is held, when nothing is set. */
#define IMPAIR_REORDER_BY (INT64_C(10) * 1000000)

enum impair_distribution {
	/* delay - jitter to delay + jitter, all equally likely. */
	IMPAIR_UNIFORM,
	/* Normal with mean `delay` and standard deviation `jitter`. */
	IMPAIR_NORMAL,
};

/* Shares are 0 to 1. Times are ns. All zero but the queue is a perfect wire: impair_perfect(). */
struct impair_settings {
	/* The mean share of packets that is lost. */
	double loss;
	/* The mean number of packets that are lost in a row. 0: each on its own, which makes bursts
	 * of 1 / (1 - loss). Else a Gilbert-Elliott chain that loses all in its bad state and none
	 * in its good one; see impair_chain(). */
	double burst;
	/* How long every packet travels. */
	int64_t delay;
	/* How much the delay varies. A sum below 0 counts as 0. */
	int64_t jitter;
	enum impair_distribution distribution;
	/* Jitter may reorder packets. If not, packets leave in the order of their arrival, except
	 * those that `reorder` picks. */
	bool any_order;
	/* The share that arrives twice. The copy has its own jitter. */
	double duplicate;
	/* The share that leaves `reorder_by` later, while packets behind it pass. A packet is out
	 * of order only if another one comes within that time. */
	double reorder;
	int64_t reorder_by;
	/* The share of which one bit is flipped, in both copies if there are two. */
	double corrupt;
	/* bit/s of whole IP packets; 0: no limit and no queue. */
	int64_t rate;
	/* The queue's limits in packets and in bytes, without the packet being sent. 0: no limit;
	 * one of the two is set. IMPAIR_QUEUE_PACKETS_MAX packets are always a limit. */
	int32_t queue_packets;
	int64_t queue_bytes;
	/* The largest packet, in bytes with its IP header; 0: any. */
	int32_t mtu;
	/* A packet that is too big gets no ICMP error: a black hole for path-MTU discovery (RFC
	 * 2923, 2.1). */
	bool no_icmp;
};

/* What became of a packet. X(identifier, word, text, short name, counted): the word of an event
 * line, the text of the lab's report, the client's name, and whether upcased counts it, whose link
 * has whole datagrams. Fates that share a short name are one fate for the client. Random loss is of
 * each packet on its own; burst loss is of several in a row. A requested drop is of one packet, by
 * command. This model never decides "no memory": that fate is for a caller that keeps packets. */
#define IMPAIR_FATE_LIST(X) \
	X(DELIVERED, "delivered", "delivered", "delivered", false) \
	X(LOST_RANDOM, "random", "lost at random", "lost", true) \
	X(LOST_BURST, "burst", "lost in a burst", "lost", true) \
	X(QUEUE_FULL, "queue", "queue full", "queue full", true) \
	X(TOO_BIG, "mtu", "larger than the MTU", "too big", false) \
	X(NO_ICMP, "no-icmp", "larger than the MTU without an ICMP error", "too big, no ICMP", \
	    false) \
	X(REQUESTED_DROP, "cue", "dropped on cue", "on cue", false) \
	X(UNPLUGGED, "unplugged", "unplugged", "unplugged", false) \
	X(NO_MEMORY, "room", "no room in memory", "lost", true)

enum impair_fate {
#define X(id, word, text, name, counted) IMPAIR_##id,
	IMPAIR_FATE_LIST(X)
#undef X
	    IMPAIR_FATES
};

/* What is to happen to one packet, besides chance, if it comes so far. All zero: nothing. */
struct impair_request {
	bool drop, duplicate, corrupt;
	/* ns beside the path's; packets behind it pass. */
	int64_t delay;
};

struct impair_packet {
	/* Bytes, with the IP header. */
	int32_t size;
	/* How many bits of it may be flipped; 0: it cannot be corrupted. */
	int32_t bits;
	struct impair_request request;
};

struct impair_decision {
	enum impair_fate fate;
	/* 0 lost, 1, or 2. */
	int copies;
	/* When each copy leaves, not before now. */
	int64_t at[2];
	/* Which of the packet's `bits` is flipped, or -1. */
	int32_t flip;
	/* Delayed by `reorder_by`; delayed until the end of a hold, or by a request. A
	 * duplicate has two copies. */
	bool reordered, held;
	/* What was requested happened. */
	bool requested;
	/* With a rate: what waited before the transmitter when the packet came, without the packet
	 * that was being sent. */
	bool has_queue;
	uint32_t queue_packets;
	int64_t queue_bytes;
};

/* What happens to all packets for a time. */
enum impair_pause {
	/* Packets that would leave before its end leave at its end, in order. */
	IMPAIR_HOLD,
	/* Packets that come before its end are lost. */
	IMPAIR_UNPLUG,
	IMPAIR_PAUSES
};

/* The settings of a link that impairs nothing. */
struct impair_settings impair_perfect(void);

/* Whether settings, each of which is in its range, fit together. Returns 0, or -1 with the
 * `reason`. */
int impair_check(const struct impair_settings *s, char reason[IMPAIR_REASON]);

/* The Gilbert-Elliott chain for a mean loss and a mean burst length (Gilbert 1960; the parameters p
 * and r of Hasslinger and Hohlfeld 2008): p = P(good to bad), r = P(bad to good) = 1 / burst, loss
 * = p / (p + r). */
void impair_chain(const struct impair_settings *s, double *p, double *r);

/* The mean number of packets lost in a row, also when bursts are not set. 0 without loss. */
double impair_mean_burst(const struct impair_settings *s);

/* The probability that a packet is neither lost nor corrupted by chance. A full queue, the MTU and
 * requested drops are not chance. */
double impair_delivery_probability(const struct impair_settings *s);

/* The words of each fate, as in the list. */
extern const struct impair_fate_words {
	const char *word, *text, *name;
} impair_fates[IMPAIR_FATES];

/* A direction with its state. Opaque. */
struct impair;

/* The two directions of a link have one seed and different `stream`s. The settings must have passed
 * impair_check(). The caller frees with free(). NULL when memory runs out. */
struct impair *impair_new(const struct impair_settings *s, uint64_t seed, uint64_t stream);

/* Changes the settings for the packets that come from now on. */
void impair_change(struct impair *impair, const struct impair_settings *s);
const struct impair_settings *impair_settings(const struct impair *impair);

/* Begins a pause, or changes its end. A past time ends it. */
void impair_pause(struct impair *impair, enum impair_pause pause, int64_t until);
/* The end of a pause; a past time or INT64_MIN when there is none. */
int64_t impair_paused_until(const struct impair *impair, enum impair_pause pause);

/* Decides the fate of a packet that comes at `now`. */
void impair_decide(struct impair *impair, const struct impair_packet *packet, int64_t now,
    struct impair_decision *decision);
