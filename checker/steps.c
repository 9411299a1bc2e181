/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "checker/steps.h"

#include <signal.h>
#include <sys/wait.h>

#include "checker/peer.h"
#include "checker/start.h"
#include "common/printable.h"

/* Not every step has an argument. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

/* Between two segments that are to arrive alone, or before one looks what became of something. */
#define PAUSE (60 * NS_PER_MS)
/* The times for a program to end, and to say that something is wrong. */
#define END_TIME (5 * NS_PER_S)
#define REACT_TIME (10 * NS_PER_S)
/* How often the end of input is typed. */
#define TYPE_AGAIN NS_PER_S
/* Texts of so many bytes have these words; the bytes of one. */
static const char words[] = "the quick brown fox jumps over the lazy dog ";
#define WORDS_MAX 16000000
/* In a lab there is less of everything: this part, but some at least, and not too many rounds. */
#define LAB_PART 10
#define LAB_COUNT_MIN 5
#define LAB_COUNT_MAX 100
#define LAB_BYTES_MIN 2000

/* What stands behind a step's word: as it is; as a number; and as bytes from malloc(), with room
 * for one more. */
struct argument {
	const char *raw;
	char *text;
	size_t n, number;
	/* The next step is "finish". */
	bool last;
};

static size_t in_lab(const struct trial *t, size_t n, size_t least)
{
	const size_t part = n / LAB_PART > least ? n / LAB_PART : least;

	return t->link && part < n ? part : n;
}

/* Writes what the beginning of `raw` means. Returns how much of it that is. */
static int put_bytes(const struct trial *t, const char *raw, FILE *out)
{
	static const char letters[] = "nr0t\\", meant[] = "\n\r\0\t\\";
	const char *letter = *raw == '\\' && raw[1] ? strchr(letters, raw[1]) : NULL;
	int used = letter || text_begins(raw, "%d") ? 2 : 0;
	unsigned n;

	if (letter)
		fputc(meant[letter - letters], out);
	else if (used)
		fprintf(out, "%d", t->round);
	else if (sscanf(raw, "\\x%2x%n", &n, &used) == 1 && used == 4)
		fputc((int)n, out);
	else if (sscanf(raw, "\\{%u}%n", &n, &used) == 1 && used > 0)
		for (size_t i = 0; i < in_lab(t, n, LAB_BYTES_MIN) && i < WORDS_MAX; i++)
			fputc(words[i % (sizeof words - 1)], out);
	else
		used = fputc(*raw, out) != EOF;
	return used;
}

static bool read_argument(struct trial *t, const char *raw, struct argument *a)
{
	FILE *out = open_memstream(&a->text, &a->n);

	a->raw = raw;
	a->number = in_lab(t, strtoul(raw, NULL, 10), LAB_COUNT_MIN);
	while (out && *raw)
		raw += put_bytes(t, raw, out);
	return (out && fclose(out) == 0) || trial_fail(t, "memory is short");
}

/* --- peers --- */

static bool open_peer(struct trial *t, const struct argument *a)
{
	return (t->peer = peer_open(t, t->transport));
}

static bool send_text(struct trial *t, const struct argument *a)
{
	t->peer->last = a->last;
	return peer_send(t->peer, a->text, a->n);
}

static bool want(struct trial *t, const struct argument *a)
{
	if (peer_expect(t->peer, a->text, a->n))
		return true;
	text_append(t->outcome.reason, TRIAL_TEXT, TEXT_FORMAT("; wanted \"%.80s\"", a->raw));
	printable_replace(t->outcome.reason, strlen(t->outcome.reason));
	return false;
}

/* Over TCP a line has an end of line. */
static bool ask(struct trial *t, const struct argument *a)
{
	a->text[a->n] = '\n';
	return peer_send(t->peer, a->text, a->n + (t->peer->transport == CASE_TCP)) &&
	       peer_expect_capitals(t->peer);
}

/* A new client's line, which may be answered without an end of line. */
static bool ask_new(struct trial *t, const struct argument *a)
{
	return open_peer(t, a) && peer_loosen(t->peer) && ask(t, a);
}

/* The textbook's client sends no end of line, and waits. */
static bool sentence(struct trial *t, const struct argument *a)
{
	if (!open_peer(t, a) || !peer_loosen(t->peer) || !send_text(t, a))
		return false;
	if (!peer_await(t->peer, 1) && !t->peer->x.ended && peer_send(t->peer, "\n", 1) &&
	    peer_await(t->peer, 1))
		snprintf(t->outcome.note, TRIAL_TEXT,
		    "it answers whole lines only: the textbook's client sends no end of line, and "
		    "would wait for ever");
	return peer_expect_capitals(t->peer);
}

/* "at 3 send hello" */
static bool at_peer(struct trial *t, const struct argument *a)
{
	char *step;
	const long i = strtol(a->raw, &step, 10);

	if (i < 0 || i >= t->peer_count)
		return trial_fail(t, "the case has no client %ld", i);
	t->peer = t->peers[i];
	return steps_run(t, step + strspn(step, " "), 1);
}

/* "each 50 ask line %d", and "all send line %d" for each client. */
static bool repeat(struct trial *t, const char *step, size_t count, bool all)
{
	for (size_t i = 0; i < count; i++) {
		t->round = (int)i;
		if (all)
			t->peer = t->peers[i];
		if (!steps_run(t, step, 1))
			return false;
	}
	return true;
}

static bool each(struct trial *t, const struct argument *a)
{
	const char *step = a->raw + strcspn(a->raw, " ");

	return repeat(t, step + strspn(step, " "),
	    t->link && a->number > LAB_COUNT_MAX ? LAB_COUNT_MAX : a->number, false);
}

static bool all(struct trial *t, const struct argument *a)
{
	return repeat(t, a->raw, (size_t)t->peer_count, true);
}

/* Sends the bytes as lines, without reading, until nothing more is taken. */
static bool fill(struct trial *t, const struct argument *a)
{
	for (size_t end = sizeof words - 2; end < a->n; end += sizeof words - 1)
		a->text[end] = '\n';
	return peer_fill(t->peer, a->text, a->n);
}

/* Bytes of all kinds, others in each round, the same in each run, from a new client that leaves. */
static bool garbage(struct trial *t, const struct argument *a)
{
	unsigned char bytes[512];
	uint32_t state = (uint32_t)t->round;

	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (unsigned char)((state = state * 1664525 + 1013904223) >> 24);
	return open_peer(t, a) && peer_send(t->peer, bytes, 1 + (size_t)t->round % sizeof bytes) &&
	       peer_pause(t, PAUSE / 10) && peer_close(t->peer);
}

static bool pause_for(struct trial *t, const struct argument *a)
{
	int64_t ns = PAUSE;

	(void)(a->n && units_duration(a->text, &ns));
	return peer_pause(t, ns);
}

/* --- the process --- */

/* Ends the connections whose clients have ended theirs, as a server does. Returns false. */
static bool finish_ended(struct trial *t)
{
	for (int i = 0; i < t->peer_count && t->options->client; i++)
		if (t->peers[i]->x.ended && !t->peers[i]->finished)
			peer_finish(t->peers[i]);
	return false;
}

static bool exits(struct trial *t, const struct argument *a)
{
	for (int64_t time = 0; time < END_TIME; time += TYPE_AGAIN) {
		PEER_AWAIT(t, TYPE_AGAIN, finish_ended(t) || program_has_ended(&t->program));
		/* An editor of lines that sets the terminal up has lost the end of input. */
		if (t->input_ended && !program_has_ended(&t->program))
			program_type(&t->program, "\4", 1);
	}
	peer_pause(t, PAUSE);
	if (!program_has_ended(&t->program))
		return trial_fail(t, "it still runs after %s", TEXT_SPAN(END_TIME));
	/* Not by a signal, but for that of `terminate`. */
	return !a || !WIFSIGNALED(t->program.status) || trial_fail_ended(t);
}

static bool no_success(struct trial *t, const struct argument *a)
{
	return !program_has_ended(&t->program) || t->program.status != 0 ||
	       trial_fail(t, "it ended with status 0, as if all were well");
}

static bool says(struct trial *t, const struct argument *a)
{
	return t->program.used > 0 || trial_fail(t, "it ended without a word about the reason");
}

static bool terminate(struct trial *t, const struct argument *a)
{
	trial_remark(t, true, 0, "SIGTERM");
	if (!program_has_ended(&t->program))
		kill(t->program.process, SIGTERM);
	if (!exits(t, NULL))
		return false;
	return !program_serves(&t->program, addr_port(&t->address)) ||
	       trial_fail(t, "it has ended, but something that it has started has its port still, "
	                     "as where a wrapper (go run, npm start) does not pass the signal on");
}

/* Leaves in TIME-WAIT what the server has closed first, and starts it again on its port. */
static bool restart(struct trial *t, const struct argument *a)
{
	t->peer->x.ended = false;
	peer_close(t->peer);
	program_end(&t->program);
	return start_server(t, addr_port(&t->address));
}

/* --- clients --- */

/* Starts the program where the judge listens; with "nobody", nothing does. */
static bool serve(struct trial *t, const struct argument *a)
{
	program_end(&t->program);
	return start_program(t, strcmp(a->text, "nobody") != 0);
}

static bool type(struct trial *t, const struct argument *a)
{
	trial_remark(t, true, 0, TEXT_FORMAT("typed \"%.80s\"", a->raw));
	t->program.seen = t->program.used;
	program_type(&t->program, a->text, a->n);
	program_type(&t->program, "\n", 1);
	return true;
}

/* The line that came had its end. */
static bool newline(struct trial *t, const struct argument *a)
{
	return t->peer->has_newline || trial_fail(t, "the line came without its end (\\n)");
}

static bool end_input(struct trial *t, const struct argument *a)
{
	t->input_ended = true;
	trial_remark(t, true, 0, "typed the end of input");
	program_type(&t->program, "\4", 1);
	return true;
}

/* A client that has sent something: a datagram, or on the last connection or a new one. */
static struct peer *find_client(struct trial *t, struct peer *last)
{
	if (t->peers[0]->has_datagram)
		return t->peers[0];
	return last && last->transport == CASE_TCP && last->x.came.n > 0 ? last
	                                                                 : peer_accept(t->peers[1]);
}

/* The client's line; it may send each on a new connection. */
static bool get(struct trial *t, const struct argument *a)
{
	struct peer *p = NULL;

	if (t->peer_count < 2)
		return trial_fail(t, "the case is wrong: get without serve");
	t->peers[1]->paused = false;
	/* It may still be starting. */
	PEER_AWAIT(t, start_timeout(t),
	    (p = find_client(t, t->peer)) || program_has_ended(&t->program));
	t->peers[1]->paused = true;
	if (!p)
		return program_has_ended(&t->program)
		         ? trial_fail_ended(t)
		         : trial_fail(t, "nothing comes from it within %s",
		               TEXT_SPAN(start_timeout(t)));
	t->peer = p;
	t->transports = p->transport;
	if (t->demanded && !(t->demanded & p->transport))
		return trial_fail(t, "it uses %s", p->transport == CASE_UDP ? "UDP" : "TCP");
	return peer_expect_request(p, a->text, a->n);
}

/* The reply ends as the request did: where that had no end of line, the end of the stream tells. */
static bool reply(struct trial *t, const struct argument *a)
{
	struct peer *p = t->peer;

	a->text[a->n] = '\n';
	return peer_send(p, a->text, a->n + p->has_newline) &&
	       (p->has_newline || p->transport == CASE_UDP || peer_finish(p));
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
	struct program *p = &t->program;

	PEER_AWAIT(t, trial_patience(t, t->transports),
	    finish_ended(t) || program_printed(p, a->text, a->n) || p->closed);
	return program_printed(p, a->text, a->n) ||
	       trial_fail(t, "it does not show \"%.80s\"%s", a->raw,
	           program_has_ended(p) ? TEXT_FORMAT("; it %s", PROGRAM_END(p)) : "");
}

static bool hides(struct trial *t, const struct argument *a)
{
	return !program_printed(&t->program, a->text, a->n) ||
	       trial_fail(t, "it shows \"%.80s\"", a->raw);
}

/* Prints something, sends again, or ends. */
static bool reacts(struct trial *t, const struct argument *a)
{
	struct peer *p = t->peer;
	bool reacted;

	PEER_AWAIT(t, REACT_TIME,
	    (reacted = t->program.used != t->program.seen || program_has_ended(&t->program) ||
	               (p && p->has_datagram)));
	if (p && p->has_datagram)
		peer_take(p, p->x.came.n);
	return reacted ||
	       trial_fail(t, "it says nothing, and waits still after %s", TEXT_SPAN(REACT_TIME));
}

/* --- the table --- */

/* A step by its own function, which may need a peer or the command, or by one of a peer. */
#define PEER 1u
#define COMMAND 2u
static const struct step {
	const char *word;
	bool (*run)(struct trial *t, const struct argument *a);
	bool (*peer)(struct peer *p);
	unsigned needs;
} steps[] = {
	{ "all", all, NULL, 0 },
	{ "ask", ask, NULL, PEER },
	{ "ask-new", ask_new, NULL, 0 },
	{ "at", at_peer, NULL, 0 },
	{ "capitals", NULL, peer_expect_capitals, PEER },
	{ "close", NULL, peer_close, PEER },
	{ "each", each, NULL, 0 },
	{ "end-input", end_input, NULL, 0 },
	{ "exits", exits, NULL, 0 },
	{ "fill", fill, NULL, PEER },
	{ "finish", NULL, peer_finish, PEER },
	{ "garbage", garbage, NULL, 0 },
	{ "get", get, NULL, 0 },
	{ "hides", hides, NULL, 0 },
	{ "loose", NULL, peer_loosen, PEER },
	{ "newline", newline, NULL, PEER },
	{ "no-success", no_success, NULL, 0 },
	{ "open", open_peer, NULL, 0 },
	{ "pause", pause_for, NULL, 0 },
	{ "reacts", reacts, NULL, 0 },
	{ "reply", reply, NULL, PEER },
	{ "reset", NULL, peer_reset, PEER },
	{ "restart", restart, NULL, PEER | COMMAND },
	{ "resume", NULL, peer_resume, PEER },
	{ "says", says, NULL, 0 },
	{ "send", send_text, NULL, PEER },
	{ "sentence", sentence, NULL, 0 },
	{ "serve", serve, NULL, COMMAND },
	{ "shows", shows, NULL, 0 },
	{ "stranger", stranger, NULL, PEER },
	{ "terminate", terminate, NULL, COMMAND },
	{ "type", type, NULL, 0 },
	{ "want", want, NULL, PEER },
	{ "want-end", NULL, peer_expect_end, PEER },
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
		struct argument a = { .last = count > 1 &&
			                      strcmp(step + strlen(step) + 1, "finish") == 0 };
		bool passed;

		if (clock_monotonic() >= t->deadline || *t->stop)
			return trial_fail(t, "the time of the case is over");
		if (!s || ((s->needs & PEER) && !t->peer) ||
		    ((s->needs & COMMAND) && !t->options->command))
			return trial_fail(t, "the case is wrong: %.80s", step);
		passed = read_argument(t, raw + (*raw == ' '), &a) &&
		         (s->peer ? s->peer(t->peer) : s->run(t, &a));
		free(a.text);
		if (!passed)
			return false;
	}
	return true;
}
