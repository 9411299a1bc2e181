/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "checker/steps.h"

#include <signal.h>
#include <sys/wait.h>

#include "checker/peer.h"
#include "checker/start.h"

/* Between two segments that are to arrive alone, or before one looks what became of something. */
#define PAUSE (60 * NS_PER_MS)
/* The times for a program to end, and to say that something is wrong. */
#define END_TIME (5 * NS_PER_S)
#define REACT_TIME (10 * NS_PER_S)
/* The longest text of a step, bytes. */
#define TEXT_MAX 4096
/* In a lab there is less of everything: this part, but some at least, and not too many rounds. */
#define LAB_PART 10
#define LAB_COUNT_MIN 5
#define LAB_COUNT_MAX 100

/* What stands behind a step's word: as it is, with \n, \r, \t, \0, \\ and \xHH replaced, and as a
 * number. */
struct argument {
	const char *raw;
	char text[TEXT_MAX];
	size_t n, number;
};

static void read_argument(const struct trial *t, const char *raw, struct argument *a)
{
	static const char letters[] = "nr0t\\", meant[] = "\n\r\0\t\\";
	unsigned code;

	a->raw = raw;
	for (a->n = 0; *raw && a->n < sizeof a->text - 1; raw++) {
		const char *letter = *raw == '\\' && raw[1] ? strchr(letters, raw[1]) : NULL;

		if (letter) {
			a->text[a->n++] = meant[letter - letters];
			raw++;
		} else if (sscanf(raw, "\\x%2x", &code) == 1) {
			a->text[a->n++] = (char)code;
			raw += 3;
		} else {
			a->text[a->n++] = *raw;
		}
	}
	a->text[a->n] = '\0';
	a->number = strtoul(a->text, NULL, 10);
	if (t->link && a->number > LAB_COUNT_MIN)
		a->number = a->number / LAB_PART > LAB_COUNT_MIN ? a->number / LAB_PART
		                                                 : LAB_COUNT_MIN;
}

/* --- peers --- */

static bool open_peer(struct trial *t, const struct argument *a)
{
	(void)a;
	return (t->peer = peer_open(t, t->transport));
}

static bool send_text(struct trial *t, const struct argument *a)
{
	return peer_send(t->peer, a->text, a->n);
}

static bool want(struct trial *t, const struct argument *a)
{
	return peer_expect(t->peer, a->text, a->n);
}

static bool ask(struct trial *t, const struct argument *a)
{
	return peer_send_line(t->peer, a->text, a->n) && peer_expect_capitals(t->peer);
}

/* A new client's line, which may be answered without an end of line. */
static bool ask_new(struct trial *t, const struct argument *a)
{
	if (!open_peer(t, a))
		return false;
	t->peer->loose = true;
	return ask(t, a);
}

/* The textbook's client sends no end of line, and waits. */
static bool sentence(struct trial *t, const struct argument *a)
{
	if (!open_peer(t, a) || !send_text(t, a))
		return false;
	t->peer->loose = true;
	if (!peer_await(t->peer, 1) && !t->peer->ended && peer_send(t->peer, "\n", 1) &&
	    peer_await(t->peer, 1))
		snprintf(t->outcome.note, TRIAL_REASON,
		    "it answers whole lines only: the textbook's client sends no end of line, and "
		    "would wait for ever");
	return peer_expect_capitals(t->peer);
}

/* "at 3 send hello" */
static bool at_peer(struct trial *t, const struct argument *a)
{
	char *rest;
	const long i = strtol(a->raw, &rest, 10);

	if (i < 0 || i >= t->peer_count)
		return trial_fail(t, "the case has no client %ld", i);
	t->peer = t->peers[i];
	return steps_run(t, rest + strspn(rest, " "), 1);
}

/* "each 50 ask line %d" */
static bool each(struct trial *t, const struct argument *a)
{
	const char *step = a->raw + strcspn(a->raw, " "), *mark;
	char text[TEXT_MAX];

	step += strspn(step, " ");
	for (size_t i = 0; i < a->number && (!t->link || i < LAB_COUNT_MAX); i++) {
		struct text out = text_begin(text, sizeof text);
		const char *rest = step;

		for (; (mark = strstr(rest, "%d")); rest = mark + 2)
			text_put(&out, "%.*s%zu", (int)(mark - rest), rest, i);
		text_put(&out, "%s", rest);
		if (!steps_run(t, text, 1))
			return false;
	}
	return true;
}

static const char words[] = "the quick brown fox jumps over the lazy dog ";

/* Words of so many bytes, from malloc(). */
static char *long_text(size_t n)
{
	char *text = calloc(n + 1, 1);

	for (size_t i = 0; text && i < n; i++)
		text[i] = words[i % (sizeof words - 1)];
	return text;
}

static bool send_long(struct trial *t, const struct argument *a)
{
	char *text = long_text(a->number);
	const bool sent = text && peer_send_line(t->peer, text, a->number);

	free(text);
	return sent;
}

/* Sends lines without reading, until nothing more is taken. */
static bool fill(struct trial *t, const struct argument *a)
{
	char *lines = long_text(a->number);

	for (size_t end = sizeof words - 2; lines && end < a->number; end += sizeof words - 1)
		lines[end] = '\n';
	t->peer->paused = true;
	if (lines)
		peer_send_some(t->peer, lines, a->number);
	free(lines);
	return lines;
}

/* Bytes of all kinds, the same in each run, from a new client that then leaves. */
static bool garbage(struct trial *t, const struct argument *a)
{
	unsigned char bytes[512];
	uint32_t state = (uint32_t)a->number;

	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (unsigned char)((state = state * 1664525 + 1013904223) >> 24);
	return open_peer(t, a) && peer_send(t->peer, bytes, 1 + a->number % sizeof bytes) &&
	       peer_pause(t, PAUSE / 10) && peer_close(t->peer);
}

static bool pause_for(struct trial *t, const struct argument *a)
{
	int64_t ns = PAUSE;

	(void)(a->n && units_duration(a->text, &ns));
	return peer_pause(t, ns);
}

/* --- the process --- */

/* It ends, and not by a signal. */
static bool exits(struct trial *t, const struct argument *a)
{
	const int64_t until = clock_monotonic() + END_TIME;

	while (!program_has_ended(&t->program) && peer_turn(t, until))
		;
	peer_pause(t, PAUSE);
	if (!program_has_ended(&t->program))
		return trial_fail(t, "it still runs after %s", TEXT_SPAN(END_TIME));
	return !a || !WIFSIGNALED(t->program.status) || trial_fail_ended(t);
}

/* If it has ended, its status says that something is wrong. */
static bool no_success(struct trial *t, const struct argument *a)
{
	(void)a;
	return !program_has_ended(&t->program) || t->program.status != 0 ||
	       trial_fail(t, "it ended with status 0, as if all were well");
}

static bool fails(struct trial *t, const struct argument *a)
{
	if (!exits(t, a))
		return false;
	return no_success(t, a) &&
	       (t->program.used > 0 || trial_fail(t, "it ended without a word about the reason"));
}

static bool terminate(struct trial *t, const struct argument *a)
{
	(void)a;
	trial_remark(t, true, 0, "SIGTERM");
	kill(t->program.process, SIGTERM);
	if (!exits(t, NULL))
		return false;
	return !program_serves(&t->program, addr_port(&t->address)) ||
	       trial_fail(t, "it has ended, but something that it has started has its port still");
}

/* Leaves in TIME-WAIT what the server has closed first, and starts it again on its port. */
static bool restart(struct trial *t, const struct argument *a)
{
	(void)a;
	t->peer->ended = false;
	peer_close(t->peer);
	program_end(&t->program);
	return start_server(t, addr_port(&t->address));
}

static bool occupy(struct trial *t, const struct argument *a)
{
	(void)a;
	program_end(&t->program);
	start_choose_port(t);
	return start_program(t, true);
}

/* --- clients --- */

/* Starts the client; with "nobody", nothing listens. */
static bool serve(struct trial *t, const struct argument *a)
{
	start_choose_port(t);
	return start_program(t, strcmp(a->text, "nobody") != 0);
}

static bool type(struct trial *t, const struct argument *a)
{
	trial_remark(t, true, 0, TEXT_FORMAT("typed \"%.80s\"", a->raw));
	t->seen = t->program.used;
	program_type(&t->program, a->text, a->n);
	program_type(&t->program, "\n", 1);
	return true;
}

/* The line that came had its end. */
static bool newline(struct trial *t, const struct argument *a)
{
	(void)a;
	return t->peer->has_newline || trial_fail(t, "the line came without its end (\\n)");
}

static bool end_input(struct trial *t, const struct argument *a)
{
	(void)a;
	trial_remark(t, true, 0, "typed the end of input");
	program_type(&t->program, "\4", 1);
	return true;
}

/* The client's line; it may send each on a new connection. */
static bool get(struct trial *t, const struct argument *a)
{
	const struct peer *p = t->peer;

	return ((p && p->transport == CASE_TCP && !p->ended) || start_await_client(t)) &&
	       peer_expect_request(t->peer, a->text, a->n);
}

/* Types so many bytes, of which a terminal's line has room for 4,095, and waits for them. */
static bool type_long(struct trial *t, const struct argument *a)
{
	char *text = a->number < TEXT_MAX ? long_text(a->number) : NULL;
	struct argument typed;
	bool right;

	read_argument(t, text ? text : "", &typed);
	right = type(t, &typed) && get(t, &typed);
	free(text);
	return right;
}

/* The reply ends as the request did: where that had no end of line, the end of the stream tells. */
static bool reply(struct trial *t, const struct argument *a)
{
	struct peer *p = t->peer;

	if (p->has_newline)
		return peer_send(p, TEXT_FORMAT("%s\n", a->text), a->n + 1);
	return send_text(t, a) && (p->transport == CASE_UDP || peer_finish(p));
}

/* A datagram from another port than the one that the client has asked. */
static bool stranger(struct trial *t, const struct argument *a)
{
	struct peer *other = peer_open(t, CASE_UDP);

	if (!other)
		return false;
	other->to = t->peer->to;
	return peer_send(other, a->text, a->n);
}

static bool shows(struct trial *t, const struct argument *a)
{
	const int64_t until = clock_monotonic() + trial_patience(t, t->transports);
	struct program *p = &t->program;

	while (!program_printed(p, t->seen, a->text, a->n) && !p->silent && peer_turn(t, until))
		;
	return program_printed(p, t->seen, a->text, a->n) ||
	       trial_fail(t, "it does not show \"%.80s\"%s%s", a->raw,
	           program_has_ended(p) ? "; it " : "", program_has_ended(p) ? PROGRAM_END(p) : "");
}

static bool hides(struct trial *t, const struct argument *a)
{
	return !program_printed(&t->program, 0, a->text, a->n) ||
	       trial_fail(t, "it shows \"%.80s\"", a->raw);
}

/* Prints something, sends again, or ends. */
static bool reacts(struct trial *t, const struct argument *a)
{
	const int64_t until = clock_monotonic() + REACT_TIME;
	struct peer *p = t->peer;

	(void)a;
	while (t->program.used == t->seen && !program_has_ended(&t->program) &&
	       !(p && p->has_datagram))
		if (!peer_turn(t, until))
			return trial_fail(t, "it says nothing, and waits still after %s",
			    TEXT_SPAN(REACT_TIME));
	if (p)
		p->has_datagram = false;
	return true;
}

/* --- the table --- */

/* A step by its own function, or one of a peer, which there must be; `of_peer` says that for the
 * former. */
static const struct step {
	const char *word;
	bool (*run)(struct trial *t, const struct argument *a);
	bool (*peer)(struct peer *p);
	bool of_peer;
} steps[] = {
	{ "ask", ask, NULL, true },
	{ "ask-new", ask_new, NULL, false },
	{ "at", at_peer, NULL, false },
	{ "capitals", NULL, peer_expect_capitals, true },
	{ "close", NULL, peer_close, true },
	{ "each", each, NULL, false },
	{ "end-input", end_input, NULL, false },
	{ "exits", exits, NULL, false },
	{ "fails", fails, NULL, false },
	{ "fill", fill, NULL, true },
	{ "finish", NULL, peer_finish, true },
	{ "garbage", garbage, NULL, false },
	{ "get", get, NULL, false },
	{ "hides", hides, NULL, false },
	{ "loose", NULL, peer_loosen, true },
	{ "newline", newline, NULL, true },
	{ "no-success", no_success, NULL, false },
	{ "occupy", occupy, NULL, false },
	{ "open", open_peer, NULL, false },
	{ "pause", pause_for, NULL, false },
	{ "reacts", reacts, NULL, false },
	{ "reply", reply, NULL, true },
	{ "reset", NULL, peer_reset, true },
	{ "restart", restart, NULL, true },
	{ "resume", NULL, peer_resume, true },
	{ "send", send_text, NULL, true },
	{ "send-long", send_long, NULL, true },
	{ "sentence", sentence, NULL, false },
	{ "serve", serve, NULL, false },
	{ "shows", shows, NULL, false },
	{ "stranger", stranger, NULL, true },
	{ "terminate", terminate, NULL, false },
	{ "type", type, NULL, false },
	{ "type-long", type_long, NULL, false },
	{ "want", want, NULL, true },
	{ "want-end", NULL, peer_expect_end, true },
};

static const struct step *find_step(const char *line)
{
	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
		if (text_begins_word(line, steps[i].word))
			return &steps[i];
	return NULL;
}

bool steps_known(const char *line)
{
	return find_step(line);
}

bool steps_run(struct trial *t, const char *step, int count)
{
	for (; count > 0; count--, step += strlen(step) + 1) {
		const struct step *s = find_step(step);
		const char *raw = step + strcspn(step, " ");
		struct argument a;

		if (!s || (s->of_peer && !t->peer))
			return trial_fail(t, "the case is wrong: %.80s", step);
		read_argument(t, raw + (*raw == ' '), &a);
		if (!(s->peer ? s->peer(t->peer) : s->run(t, &a)))
			return false;
	}
	return true;
}
