/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The demonstrations of upcase-tour(7) for /demo: their steps, which make-demo.awk takes from the
 * page, and what is to be found out about the lines of one. Pure. */
#pragma once

#include "app/generator.h"
#include "ledger/ledger.h"
#include "trace/trace.h"

/* The maximum number of lines that one step sends, and of their bytes. */
#define DEMO_LINES 200
#define DEMO_LINE_SIZE 70000
#define DEMO_REASON 100

enum demo_kind {
	DEMO_DEMO,   /* begins a demonstration: its title; `text` has its number too */
	DEMO_ROUND,  /* begins a part of it; "lab": a part that needs the lab */
	DEMO_SAY,    /* shows `text` */
	DEMO_ASK,    /* asks `text`; "number", or "which" of UDP and TCP */
	DEMO_SET,    /* sets the link, which is perfect otherwise: "loss 20% delay 20ms" */
	DEMO_OVER,   /* the transport: "udp", "tcp" or "both" */
	DEMO_PORT,   /* goes to that port of the server's host */
	DEMO_ORDER,  /* gives an order to the lab: "unplug 3s" */
	DEMO_SEND,   /* sends lines: how many, one each, of how many bytes: "60 5ms 1000" */
	DEMO_WAIT,   /* waits until each of them has its fate */
	DEMO_POINT,  /* points at the last row where the figure is greatest: "udp lost" */
	DEMO_EXPECT, /* compares figures with the answer: "udp wrong lost", "both packets" */
	DEMO_WHY,    /* shows `text` */
	DEMO_END,    /* ends the table */
};

struct demo_step {
	enum demo_kind kind;
	const char *words, *text;
};

/* The lines that a step has sent: the ledgers of UDP and TCP, NULL for a transport that is not
 * used; the trace, NULL outside the lab; their numbers. */
struct demo_lines {
	const struct ledger *ledgers[2];
	const struct trace *trace;
	uint64_t numbers[DEMO_LINES];
	size_t count;
};

/* The step that begins a demonstration; `number` is 1 or more. NULL if there is none. */
const struct demo_step *demo_find(int64_t number);
/* Returns true if no part of the demonstration that begins there can be played outside the lab. */
bool demo_needs_lab(const struct demo_step *first);
/* The last step of the part that begins there. */
const struct demo_step *demo_last_of_round(const struct demo_step *round);
/* Returns the page of all demonstrations, from malloc(); NULL when memory is short. */
char *demo_page(void);
/* The lines of a step that sends some. */
struct generator_plan demo_plan(const struct demo_step *send);
/* Reads the answer: a number, or 0 for UDP, 1 for TCP. Returns 0, or -1 with the `reason`. */
int demo_answer(const struct demo_step *ask, const char *line, size_t n, int64_t *answer,
    char reason[DEMO_REASON]);

/* Whether each line has its fate over each transport. */
bool demo_decided(const struct demo_lines *lines);
/* The number of the last line with the greatest figure; 0 if the figure is 0 for all. */
uint64_t demo_point(const struct demo_lines *lines, const char *words);
/* Writes the figures that `words` name beside the answer, -1 without one, and the number of the
 * line pointed at, unless it is 0: "You expected 8. Lost over UDP: 13 of 40 lines (33 %). Look at
 * line 7, which is marked." Returns `buf`. */
char *demo_compare(const struct demo_lines *lines, const char *words, int64_t answer,
    uint64_t pointed, char *buf, size_t size);
