/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every block is type, length, body, length again; options are code, length, value; all padded to four
 * bytes and in this machine's byte order, which the section header tells. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "pcapng.h"

/* Block types. */
#define SECTION UINT32_C(0x0a0d0d0a)
#define INTERFACE 1
#define INTERFACE_STATISTICS 5
#define ENHANCED_PACKET 6
#define BYTE_ORDER_MAGIC UINT32_C(0x1a2b3c4d)
#define LENGTH_UNKNOWN UINT64_MAX

#define LINKTYPE_RAW 101

/* Option codes, of which 2 means something else in each block. */
#define OPTION_END 0
#define OPTION_COMMENT 1
#define OPTION_IF_NAME 2
#define OPTION_EPB_FLAGS 2
#define OPTION_SHB_USERAPPL 4
#define OPTION_ISB_IFRECV 4
#define OPTION_IF_TSRESOL 9

#define NANOSECONDS 9

/* Room for a block's options: a name or comment and a few numbers. */
#define OPTIONS_ROOM (PCAPNG_COMMENT + 64)

struct pcapng {
	FILE *out;
};

struct options {
	uint8_t bytes[OPTIONS_ROOM];
	size_t n;
};

static size_t padded(size_t n)
{
	return (n + 3) & ~(size_t) 3;
}

static void put_option(struct options *o, uint16_t code, const void *value, size_t n)
{
	uint16_t head[2] = { code, (uint16_t) n };

	memcpy(o->bytes + o->n, head, sizeof head);
	memset(o->bytes + o->n + 4, 0, padded(n));
	memcpy(o->bytes + o->n + 4, value, n);
	o->n += 4 + padded(n);
}

static void put_text(struct options *o, uint16_t code, const char *text)
{
	put_option(o, code, text, strnlen(text, PCAPNG_COMMENT));
}

static void put_end(struct options *o)
{
	put_option(o, OPTION_END, "", 0);
}

/* A block: fixed fields, then a body that is padded, then the options. */
static void put_block(FILE *out, uint32_t type, const void *fixed, size_t fixed_size, const void *body,
    size_t n, const struct options *o)
{
	static const uint8_t zero[4];
	uint32_t length = (uint32_t) (12 + fixed_size + padded(n) + o->n);

	fwrite(&type, sizeof type, 1, out);
	fwrite(&length, sizeof length, 1, out);
	fwrite(fixed, fixed_size, 1, out);
	if (n > 0)
		fwrite(body, n, 1, out);
	fwrite(zero, padded(n) - n, 1, out);
	fwrite(o->bytes, o->n, 1, out);
	fwrite(&length, sizeof length, 1, out);
}

static void put_section(FILE *out)
{
	struct { uint32_t magic; uint16_t major, minor; uint64_t length; } fixed = {
		BYTE_ORDER_MAGIC, 1, 0, LENGTH_UNKNOWN,
	};
	struct options o = { .n = 0 };

	put_text(&o, OPTION_SHB_USERAPPL, "upcase-lab");
	put_end(&o);
	put_block(out, SECTION, &fixed, sizeof fixed, NULL, 0, &o);
}

static void put_interface(FILE *out, const char *name, const char *comment)
{
	struct { uint16_t type, reserved; uint32_t longest; } fixed = { LINKTYPE_RAW, 0, 0 };
	uint8_t resolution = NANOSECONDS;
	struct options o = { .n = 0 };

	put_text(&o, OPTION_IF_NAME, name);
	if (comment)
		put_text(&o, OPTION_COMMENT, comment);
	put_option(&o, OPTION_IF_TSRESOL, &resolution, 1);
	put_end(&o);
	put_block(out, INTERFACE, &fixed, sizeof fixed, NULL, 0, &o);
}

struct pcapng *pcapng_new(FILE *out, const char *const *names, const char *comment, int count)
{
	struct pcapng *p = malloc(sizeof *p);
	if (!p)
		return NULL;
	p->out = out;
	put_section(out);
	for (int i = 0; i < count; i++)
		put_interface(out, names[i], comment);
	return p;
}

void pcapng_packet(struct pcapng *p, int interface, enum pcapng_way way, int64_t wall, const void *bytes,
    size_t n, const char *comment)
{
	uint32_t fixed[5] = {
		(uint32_t) interface, (uint32_t) ((uint64_t) wall >> 32), (uint32_t) wall, (uint32_t) n, (uint32_t) n,
	};
	uint32_t flags = way;
	struct options o = { .n = 0 };

	if (comment)
		put_text(&o, OPTION_COMMENT, comment);
	put_option(&o, OPTION_EPB_FLAGS, &flags, sizeof flags);
	put_end(&o);
	put_block(p->out, ENHANCED_PACKET, fixed, sizeof fixed, bytes, n, &o);
}

void pcapng_interface_end(struct pcapng *p, int interface, int64_t wall, uint64_t packets, const char *comment)
{
	uint32_t fixed[3] = { (uint32_t) interface, (uint32_t) ((uint64_t) wall >> 32), (uint32_t) wall };
	struct options o = { .n = 0 };

	put_text(&o, OPTION_COMMENT, comment);
	put_option(&o, OPTION_ISB_IFRECV, &packets, sizeof packets);
	put_end(&o);
	put_block(p->out, INTERFACE_STATISTICS, fixed, sizeof fixed, NULL, 0, &o);
}

int pcapng_flush(struct pcapng *p)
{
	return fflush(p->out) || ferror(p->out) ? -1 : 0;
}

int pcapng_free(struct pcapng *p)
{
	if (!p)
		return 0;
	int result = pcapng_flush(p);
	if (fclose(p->out))
		result = -1;
	free(p);
	return result;
}
