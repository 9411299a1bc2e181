/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Each direction counts the packets of each class. The number of a packet for a rule is the sum of
 * the counts of the rule's classes, less what it was when the rule came. */
#include "lab/link/packet-rules.h"

#include "common/fnv.h"
#include "common/text.h"
#include "common/units.h"

/* Room for a word, and what stands between words. */
#define WORD 40
#define BLANKS " \t\r,:"
/* The bits of enum packet_class. */
#define CLASSES 5
/* TCP flows whose retransmissions are known, each direction one, and how many places one may take.
 */
#define FLOWS 4096
#define FLOW_PLACES 8
/* Segments at once whose retransmissions are still to come; datagrams at once whose fragments are.
 */
#define REPEATS 256
#define FRAGMENTS 16

struct flow {
	uint64_t key;
	/* The first sequence number, and the one after the highest that was sent. */
	uint32_t first, next;
	/* When it was used last, counted in packets. */
	uint64_t used;
};

/* A segment to which a rule applies `times` more when it is sent again. */
struct repeat {
	uint64_t flow;
	uint32_t seq;
	int times;
	struct impair_request request;
};

/* A datagram that was fragmented: the later fragments share the fate of the first. */
struct fragments {
	uint64_t key;
	struct impair_request request;
};

struct active_rule {
	struct packet_rule rule;
	/* The numbers when it came, by direction. */
	uint64_t base[LINK_DIRECTIONS];
};

struct packet_rules {
	/* Oldest first; the one for the next packet that is about the present one, or -1. */
	struct active_rule active[PACKET_RULES_MAX];
	int count, present;
	/* Packets of each class that were sent for the first time. */
	uint64_t sent[LINK_DIRECTIONS][CLASSES];
	struct flow flows[FLOWS];
	uint64_t packets;
	struct repeat repeats[REPEATS];
	struct fragments fragments[FRAGMENTS];
	unsigned next_repeat, next_fragments;
};

/* --- reading --- */

static const struct packet_kind {
	const char *name;
	unsigned classes;
	/* The direction of its number, where none is given; whether it has no other. */
	enum link_direction direction;
	bool one_way;
} kinds[] = {
	{ "request", PACKET_CLASS_DATAGRAM | PACKET_CLASS_STREAM, LINK_GOING, true },
	{ "reply", PACKET_CLASS_DATAGRAM | PACKET_CLASS_STREAM, LINK_COMING, true },
	{ "datagram", PACKET_CLASS_DATAGRAM, LINK_GOING, false },
	{ "segment", PACKET_CLASS_STREAM, LINK_GOING, false },
	{ "syn", PACKET_CLASS_SYN, LINK_GOING, false },
	{ "ack", PACKET_CLASS_ACK, LINK_COMING, false },
	{ "fin", PACKET_CLASS_FIN, LINK_GOING, false },
};

/* A rule that is being read. `kind`, `transport` (classes) and `directions` are 0 until their words
 * came. */
struct reading {
	struct packet_rule *rule;
	const char *text;
	char *reason;
	const struct packet_kind *kind;
	unsigned transport, directions;
};

/* Copies the next word, which blanks, commas and colons end. Returns whether there is one. */
static bool next_word(struct reading *r, char word[WORD])
{
	r->text += strspn(r->text, BLANKS);
	const size_t n = strcspn(r->text, BLANKS);

	snprintf(word, WORD, "%.*s", (int)n, r->text);
	r->text += n;
	return n > 0;
}

static int refuse(const struct reading *r, const char *word, const char *fault)
{
	return text_refuse(r->reason, PACKET_RULE_REASON, "'%.20s' %s", word, fault);
}

/* Reads an action. Returns 1 if the word is none. */
static int read_action(struct reading *r, const char *action)
{
	struct impair_request *request = &r->rule->request;
	char word[WORD];

	request->duplicate = strcmp(action, "duplicate") == 0;
	request->corrupt = strcmp(action, "corrupt") == 0;
	request->drop = strcmp(action, "drop") == 0;
	if (request->drop || request->duplicate || request->corrupt)
		return 0;
	if (strcmp(action, "delay") != 0)
		return 1;
	/* As for the link's own delay, a number without its unit could be meant in ms. */
	if (!next_word(r, word) || units_duration(word, &request->delay) != 0 ||
	    !word[strspn(word, "0123456789.")] || request->delay <= 0 ||
	    request->delay > IMPAIR_DELAY_MAX)
		return refuse(r, word, "is not a time up to 60s");
	return 0;
}

/* Reads "every:2", or "3", "3-7", "3-"; behind each may stand "x2". */
static int read_numbers(struct reading *r, char *word)
{
	const bool every = strcmp(word, "every") == 0;
	char all[WORD], *last, *times;
	int64_t n[3] = { 0, INT64_MAX, 1 };
	struct packet_rule *rule = r->rule;

	snprintf(all, sizeof all, "%s", word);
	if (every)
		next_word(r, word);
	if ((times = strchr(word, 'x')))
		*times++ = '\0';
	if ((last = strchr(word, '-')))
		*last++ = '\0';
	if (units_count(word, 1, PACKET_RULE_NUMBER_MAX, &n[0]) != 0 || (every && last) ||
	    (last && *last && units_count(last, n[0], PACKET_RULE_NUMBER_MAX, &n[1]) != 0) ||
	    (times && units_count(times, 1, PACKET_RULE_TIMES_MAX, &n[2]) != 0))
		return refuse(r, all, "is no packet's number, such as 3, 3-7, 6x2 or every:2");
	if (rule->count == PACKET_RULE_NUMBERS)
		return refuse(r, all, "is one number too many: a rule has 16");
	rule->numbers[rule->count++] = (struct packet_numbers){ .first = (uint64_t)n[0],
		.last = (uint64_t)(last || every ? n[1] : n[0]),
		.step = (uint64_t)(every ? n[0] : 1),
		.times = (int)n[2] };
	return 0;
}

static int read_kind(struct reading *r, const char *word)
{
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds && !r->kind; i++)
		if (strcmp(word, kinds[i].name) == 0) {
			r->kind = &kinds[i];
			return 0;
		}
	return refuse(r, word,
	    r->kind ? "is not expected here"
	            : "is none of request, reply, datagram, segment, syn, ack and fin");
}

static int read_word(struct reading *r, char *word)
{
	static const struct {
		const char *word;
		unsigned directions, transport;
	} words[] = {
		{ "there", LINK_BIT(LINK_GOING), 0 },
		{ "back", LINK_BIT(LINK_COMING), 0 },
		{ "both", LINK_BOTH, 0 },
		{ "udp", 0, PACKET_CLASS_DATAGRAM },
		{ "tcp", 0, ~(unsigned)PACKET_CLASS_DATAGRAM },
	};

	if ((*word >= '0' && *word <= '9') || strcmp(word, "every") == 0)
		return read_numbers(r, word);
	if (strcmp(word, "next") == 0) {
		r->rule->next = true;
		return 0;
	}
	if (strcmp(word, "start") == 0 || strcmp(word, "now") == 0) {
		r->rule->from_start = *word == 's';
		return 0;
	}
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strcmp(word, words[i].word) == 0) {
			r->directions |= words[i].directions;
			r->transport |= words[i].transport;
			return 0;
		}
	return read_kind(r, word);
}

/* Sets what the words together say of the packets. */
static int choose_packets(const struct reading *r)
{
	const struct packet_kind *kind = r->kind;
	struct packet_rule *rule = r->rule;

	if (!kind)
		return text_refuse(r->reason, PACKET_RULE_REASON,
		    "the kind of packets is missing: "
		    "request, reply, datagram, segment, syn, ack or fin");
	if (rule->next == (rule->count > 0))
		return text_refuse(r->reason, PACKET_RULE_REASON,
		    "the numbers of the packets are missing, such as 3,7, every:2 or next");
	rule->classes = kind->classes & (r->transport ? r->transport : ~0u);
	if (!rule->classes)
		return text_refuse(r->reason, PACKET_RULE_REASON, "%s has no %s",
		    r->transport == PACKET_CLASS_DATAGRAM ? "udp" : "tcp", kind->name);
	rule->directions = r->directions                ? r->directions
	                 : rule->next && !kind->one_way ? LINK_BOTH
	                                                : LINK_BIT(kind->direction);
	if (kind->one_way && rule->directions != LINK_BIT(kind->direction))
		return text_refuse(r->reason, PACKET_RULE_REASON,
		    "requests go there, replies come back");
	return 0;
}

int packet_rule_read(struct packet_rule *rule, const char *text, bool drop,
    char reason[PACKET_RULE_REASON])
{
	struct reading r = { .rule = rule, .text = text, .reason = reason };
	char word[WORD];
	int result = 1;

	*rule = (struct packet_rule){ .count = 0 };
	if ((size_t)snprintf(rule->text, sizeof rule->text, "%s%s", drop ? "drop " : "", text) >=
	    sizeof rule->text)
		return text_refuse(reason, PACKET_RULE_REASON, "is longer than %d bytes",
		    PACKET_RULE_TEXT - 1);
	if (!next_word(&r, word))
		return choose_packets(&r);
	if (!drop)
		result = read_action(&r, word);
	if (result > 0) {
		rule->request.drop = true;
		result = read_word(&r, word);
	}
	while (result == 0 && next_word(&r, word))
		result = read_word(&r, word);
	return result == 0 ? choose_packets(&r) : -1;
}

/* --- the rules of a link --- */

struct packet_rules *packet_rules_new(void)
{
	return calloc(1, sizeof(struct packet_rules));
}

/* How many packets of these classes were sent for the first time. */
static uint64_t sent(const struct packet_rules *rules, unsigned classes, int direction)
{
	uint64_t sum = 0;

	for (int bit = 0; bit < CLASSES; bit++)
		if (classes & 1u << bit)
			sum += rules->sent[direction][bit];
	return sum;
}

/* The last number of a rule. */
static uint64_t last_number(const struct packet_rule *rule)
{
	uint64_t last = 0;

	for (int i = 0; i < rule->count; i++)
		last = rule->numbers[i].last > last ? rule->numbers[i].last : last;
	return last;
}

/* Whether all of its packets were sent. */
static bool is_over(const struct packet_rules *rules, const struct active_rule *a)
{
	for (int d = 0; d < LINK_DIRECTIONS; d++)
		if (a->rule.directions & 1u << d &&
		    sent(rules, a->rule.classes, d) - a->base[d] < last_number(&a->rule))
			return false;
	return !a->rule.next;
}

int packet_rules_add(struct packet_rules *rules, const struct packet_rule *rule,
    char reason[PACKET_RULE_REASON])
{
	struct active_rule new = { .rule = *rule };

	if (rules->count == PACKET_RULES_MAX)
		return text_refuse(reason, PACKET_RULE_REASON,
		    "too many rules wait already: drop none removes them");
	for (int d = 0; d < LINK_DIRECTIONS && !rule->from_start; d++)
		new.base[d] = sent(rules, rule->classes, d);
	if (is_over(rules, &new))
		return text_refuse(reason, PACKET_RULE_REASON,
		    "all of them were sent already; without start, they are counted from now");
	rules->active[rules->count++] = new;
	return 0;
}

void packet_rules_clear(struct packet_rules *rules)
{
	rules->count = 0;
	memset(rules->repeats, 0, sizeof rules->repeats);
}

const struct packet_rule *packet_rules_at(const struct packet_rules *rules, int i)
{
	return i < rules->count ? &rules->active[i].rule : NULL;
}

static void remove_rule(struct packet_rules *rules, int i)
{
	memmove(&rules->active[i], &rules->active[i + 1],
	    (size_t)(--rules->count - i) * sizeof *rules->active);
}

static void add_request(struct impair_request *to, const struct impair_request *r)
{
	to->drop |= r->drop;
	to->duplicate |= r->duplicate;
	to->corrupt |= r->corrupt;
	to->delay += r->delay;
}

/* --- packets --- */

/* The addresses and two numbers; never 0, which is an empty place. */
static uint64_t key_of(const struct packet *p, enum link_direction direction, uint32_t number)
{
	const size_t at = p->version == 4 ? 12 : 8, n = p->version == 4 ? 8 : 32;
	const uint64_t parts[] = { fnv_hash(p->bytes + at, n), direction, number };

	return fnv_hash(parts, sizeof parts) | 1;
}

/* The place of a flow: its own, else the one that was used least recently. */
static struct flow *find_flow(struct packet_rules *rules, uint64_t key)
{
	struct flow *found = NULL;

	for (uint64_t i = 0; i < FLOW_PLACES; i++) {
		struct flow *f = &rules->flows[(key / 2 + i) % FLOWS];

		if (f->key == key)
			return f;
		if (!found || f->used < found->used)
			found = f;
	}
	return found;
}

/* Bytes, a SYN and a FIN take sequence numbers. */
static uint32_t length_of(const struct packet *p)
{
	return (uint32_t)p->length + !!(p->flags & PACKET_SYN) + !!(p->flags & PACKET_FIN);
}

/* Whether the first byte of a segment was sent before. */
static bool is_sent_again(struct packet_rules *rules, const struct packet *p, uint64_t key)
{
	const uint32_t end = p->seq + length_of(p);
	struct flow *f = find_flow(rules, key);
	bool again;

	if (f->key != key || (p->flags & PACKET_SYN && p->seq != f->first))
		*f = (struct flow){ .key = key, .first = p->seq, .next = p->seq };
	f->used = ++rules->packets;
	again = end != p->seq && (int32_t)(p->seq - f->next) < 0;
	if ((int32_t)(end - f->next) > 0)
		f->next = end;
	return again;
}

static const struct packet_numbers *find_number(const struct packet_rule *rule, uint64_t number)
{
	for (int i = 0; i < rule->count; i++) {
		const struct packet_numbers *n = &rule->numbers[i];

		if (number >= n->first && number <= n->last && (number - n->first) % n->step == 0)
			return n;
	}
	return NULL;
}

static void apply_number(struct packet_rules *rules, const struct active_rule *a,
    const struct packet *p, enum link_direction direction, uint64_t flow,
    struct impair_request *request)
{
	const uint64_t number = sent(rules, a->rule.classes, direction) - a->base[direction];
	const struct packet_numbers *n = find_number(&a->rule, number);

	if (!n)
		return;
	add_request(request, &a->rule.request);
	if (n->times > 1)
		rules->repeats[rules->next_repeat++ % REPEATS] = (struct repeat){ .flow = flow,
			.seq = p->seq,
			.times = n->times - 1,
			.request = a->rule.request };
}

static void apply_repeats(struct packet_rules *rules, const struct packet *p, uint64_t flow,
    struct impair_request *request)
{
	for (struct repeat *r = rules->repeats; r < rules->repeats + REPEATS; r++)
		if (r->times > 0 && r->flow == flow && r->seq - p->seq < length_of(p)) {
			r->times--;
			add_request(request, &r->request);
		}
}

/* Applies the rules to a packet that is sent for the first time. */
static void apply_rules(struct packet_rules *rules, const struct packet *p, unsigned classes,
    enum link_direction direction, uint64_t flow, struct impair_request *request)
{
	for (int i = rules->count - 1; i >= 0; i--) {
		struct active_rule *a = &rules->active[i];

		if (a->rule.next || !(a->rule.classes & classes) ||
		    !(a->rule.directions & LINK_BIT(direction)))
			continue;
		apply_number(rules, a, p, direction, flow, request);
		if (is_over(rules, a))
			remove_rule(rules, i);
	}
}

/* Applies the oldest rule for the next packet that is about this one. */
static void apply_next(struct packet_rules *rules, unsigned classes, enum link_direction direction,
    struct impair_request *request)
{
	for (int i = 0; i < rules->count && rules->present < 0; i++)
		if (rules->active[i].rule.next && rules->active[i].rule.classes & classes &&
		    rules->active[i].rule.directions & LINK_BIT(direction)) {
			rules->present = i;
			add_request(request, &rules->active[i].rule.request);
		}
}

struct impair_request packet_rules_number(struct packet_rules *rules, const struct packet *p,
    enum link_direction direction)
{
	const uint64_t flow = p->kind == LINK_TCP
	                        ? key_of(p, direction,
	                              (uint32_t)p->source_port << 16 | p->target_port)
	                        : 0,
	               datagram = p->fragment ? key_of(p, direction, p->id) : 0;
	const unsigned classes = packet_class(p) | (p->flags & PACKET_FIN ? PACKET_CLASS_FIN : 0);
	struct impair_request request = { .drop = false };
	bool again;

	rules->present = -1;
	for (int i = 0; i < FRAGMENTS && p->offset > 0; i++)
		if (rules->fragments[i].key == datagram)
			return rules->fragments[i].request;
	again = p->offset > 0 || (p->kind == LINK_TCP && is_sent_again(rules, p, flow));
	for (int bit = 0; bit < CLASSES && !again; bit++)
		rules->sent[direction][bit] += !!(classes & 1u << bit);
	if (!again)
		apply_rules(rules, p, classes, direction, flow, &request);
	else if (p->offset == 0)
		apply_repeats(rules, p, flow, &request);
	apply_next(rules, classes, direction, &request);
	if (p->fragment)
		rules->fragments[rules->next_fragments++ % FRAGMENTS] = (struct fragments){
			.key = datagram, .request = request
		};
	return request;
}

void packet_rules_decided(struct packet_rules *rules, const struct impair_decision *decision)
{
	if (rules->present >= 0 && decision->requested)
		remove_rule(rules, rules->present);
}
