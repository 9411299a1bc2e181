/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The link's events as the client reads them: any text is taken or refused, what is taken is whole;
 * and what the lab writes of a packet, which here is the same bytes, is read back as it was. */
#include <string.h>

#include "common/event-line.h"
#include "lab/link/control.h"
#include "common/fnv.h"
#include "tests/fuzz/fuzz.h"

static void check_text(const char *line)
{
	struct packet_event e;
	enum link_direction direction;
	uint64_t serial;

	if (event_line_read(&e, line) == 0) {
		fuzz_check(e.direction == LINK_GOING || e.direction == LINK_COMING);
		fuzz_check(e.fate > LINK_NONE && e.fate < LINK_FATES && e.copies >= 0 &&
		           e.copies <= 2);
		fuzz_check(e.fate != LINK_DELIVERED || e.copies > 0);
		fuzz_check(e.data_length <= EVENT_LINE_DATA && e.data_length <= e.length);
	}
	if (event_line_read_undelivered(line, &serial, &direction) == 0)
		fuzz_check(direction == LINK_GOING || direction == LINK_COMING);
}

static void check_packet(const struct packet_event *e, const struct packet *p)
{
	const size_t shown = (size_t)p->length < EVENT_LINE_DATA ? (size_t)p->length
	                                                         : EVENT_LINE_DATA;

	fuzz_check(e->length == (uint32_t)p->length && e->data_length == shown);
	fuzz_check(memcmp(e->data, p->bytes + p->payload, shown) == 0);
	fuzz_check(p->length == 0 || e->hash == fnv_hash(p->bytes + p->payload, (size_t)p->length));
	fuzz_check(e->id == p->id && e->fragment == p->fragment &&
	           e->offset == (uint32_t)p->offset);
	fuzz_check((e->protocol == LINK_UDP) == (p->kind == LINK_UDP) &&
	           (e->protocol == LINK_TCP) == (p->kind == LINK_TCP));
	if (p->kind == LINK_UDP || p->kind == LINK_TCP)
		fuzz_check(e->source_port == p->source_port && e->target_port == p->target_port);
	if (p->kind == LINK_TCP)
		fuzz_check(e->seq == p->seq && e->ack == p->ack &&
		           e->syn == !!(p->flags & PACKET_SYN) &&
		           e->fin == !!(p->flags & PACKET_FIN) &&
		           e->rst == !!(p->flags & PACKET_RST) &&
		           e->has_ack == !!(p->flags & PACKET_ACK));
}

static void check_written(const uint8_t *data, size_t size)
{
	struct packet p;

	if (size < 2 || packet_read(&p, data + 2, size - 2) != 0)
		return;
	const enum impair_fate fate = (enum impair_fate)(data[0] % IMPAIR_FATES);
	const bool through = fate == IMPAIR_DELIVERED;
	const struct impair_decision v = { .fate = fate,
		.flip = through && data[1] & 1 ? 5 : -1,
		.copies = through ? 1 + (data[1] >> 1 & 1) : 0,
		.at = { 5000000000, 6000000000 },
		.held = data[1] & 4,
		.reordered = data[1] & 8 };
	const struct link_event event = { .serial = UINT64_MAX - data[1],
		.direction = data[1] & 16 ? LINK_COMING : LINK_GOING,
		.in = 4000000000,
		.packet = &p,
		.decision = &v };
	struct send_buffer out = { .bytes = NULL };
	struct packet_event e;
	char *end;

	control_print_event(&event, &out);
	send_buffer_add(&out, "", 1);
	end = strchr(out.bytes, '\n');
	fuzz_check(end && end[1] == '\0');
	*end = '\0';
	fuzz_check(event_line_read(&e, out.bytes) == 0);
	fuzz_check(e.serial == event.serial && e.in == event.in && e.copies == v.copies &&
	           e.held == (v.held || v.reordered));
	fuzz_check((e.direction == LINK_COMING) == (event.direction == LINK_COMING));
	fuzz_check((e.fate == LINK_CORRUPTED) == (v.flip >= 0));
	fuzz_check(v.copies == 0 || e.out[0] == v.at[0]);
	fuzz_check(v.copies < 2 || e.out[1] == v.at[1]);
	check_packet(&e, &p);
	send_buffer_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *line = malloc(size + 1);

	memcpy(line, data, size);
	line[size] = '\0';
	check_text(line);
	free(line);
	check_written(data, size);
	return 0;
}
