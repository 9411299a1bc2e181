/* SPDX-License-Identifier: GPL-3.0-or-later */
/* main() for a fuzz target where libFuzzer is not to be had: gives it every input of its corpus,
 * then random changes of them. It does not see which code an input reaches, so good seeds matter
 * more than to libFuzzer. Its options are spelt as libFuzzer's: fuzz_x [-runs=N]
 * [-max_total_time=SECONDS] [-seed=N] [-max_len=BYTES] FILE|FOLDER... Without -runs and
 * -max_total_time it gives the target the inputs only, as they are. An input that ends the program
 * is left in the working folder as crash-NAME-PID. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "tests/fuzz/fuzz.h"

/* No one input may take longer. */
#define RUN_SECONDS_MAX 20
/* What is done to an input at most before it is tried. */
#define CHANGES_MAX 8
#define LENGTH_MAX 4096

struct input {
	uint8_t *data;
	size_t size;
};

struct fuzzing {
	struct input *corpus;
	size_t count;
	/* The input that is being changed, with room for max_length bytes. */
	struct input now;
	size_t max_length;
	uint64_t random, seed, runs, max_runs;
	double max_seconds;
};

/* What the last words need; a signal handler has no other way to it. */
static struct {
	const uint8_t *data;
	size_t size;
	/* Counts the inputs, so that a watchdog sees whether one stands still. */
	volatile sig_atomic_t turn;
	sig_atomic_t last_turn;
	int ticks;
	char path[200];
} current;

/* Set by AddressSanitizer and its kin where they are linked in. */
void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

static void keep_input(void)
{
	static const char words[] = "\nthe input is kept in ";
	int fd = open(current.path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	ssize_t n = fd < 0 ? -1 : write(fd, current.data, current.size);

	if (n == (ssize_t)current.size) {
		n = write(STDERR_FILENO, words, sizeof words - 1);
		n = write(STDERR_FILENO, current.path, strlen(current.path));
		n = write(STDERR_FILENO, "\n", 1);
	}
	if (fd >= 0)
		close(fd);
}

static void on_signal(int number)
{
	keep_input();
	signal(number, SIG_DFL);
	raise(number);
}

static void on_tick(int number)
{
	static const char words[] = "one input takes too long\n";

	(void)number;
	current.ticks = current.turn == current.last_turn ? current.ticks + 1 : 0;
	current.last_turn = current.turn;
	if (current.ticks < RUN_SECONDS_MAX)
		return;
	if (write(STDERR_FILENO, words, sizeof words - 1) < 0)
		current.ticks = 0;
	abort();
}

static void install(const char *program)
{
	static const int fatal[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP };
	static char stack[64 * 1024];
	const char *slash = strrchr(program, '/');
	const struct itimerval second = { .it_interval.tv_sec = 1, .it_value.tv_sec = 1 };
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_ONSTACK };

	snprintf(current.path, sizeof current.path, "crash-%.100s-%ld", slash ? slash + 1 : program,
	    (long)getpid());
	sigaltstack(&(stack_t){ .ss_sp = stack, .ss_size = sizeof stack }, NULL);
	sigaction(SIGABRT, &action, NULL);
	/* A sanitizer reports these itself, far better. */
	if (__sanitizer_set_death_callback)
		__sanitizer_set_death_callback(keep_input);
	else
		for (size_t i = 0; i < sizeof fatal / sizeof *fatal; i++)
			sigaction(fatal[i], &action, NULL);
	action = (struct sigaction){ .sa_handler = on_tick, .sa_flags = SA_RESTART };
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &second, NULL);
}

static void run(const uint8_t *data, size_t size)
{
	current.data = data;
	current.size = size;
	current.turn = (current.turn + 1) & 0x7fff;
	LLVMFuzzerTestOneInput(data, size);
}

static void *must(void *memory)
{
	if (!memory) {
		fprintf(stderr, "out of memory\n");
		exit(2);
	}
	return memory;
}

static void add_file(struct fuzzing *f, const char *path, size_t size)
{
	FILE *in = fopen(path, "re");
	struct input *input;

	if (!in) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		exit(2);
	}
	f->corpus = must(realloc(f->corpus, (f->count + 1) * sizeof *f->corpus));
	input = &f->corpus[f->count++];
	/* Of its exact size, so that a sanitizer sees what is read after it. */
	input->data = must(malloc(size + !size));
	input->size = fread(input->data, 1, size, in);
	fclose(in);
}

static void add_path(struct fuzzing *f, const char *path)
{
	struct dirent **entries;
	struct stat st;
	int n;

	if (stat(path, &st) < 0) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		exit(2);
	}
	if (!S_ISDIR(st.st_mode)) {
		add_file(f, path, (size_t)st.st_size);
		return;
	}
	/* In order, so that a seed gives the same run everywhere. */
	n = scandir(path, &entries, NULL, alphasort);
	for (int i = 0; i < n; i++) {
		char below[4096];

		snprintf(below, sizeof below, "%s/%s", path, entries[i]->d_name);
		if (entries[i]->d_name[0] != '.')
			add_path(f, below);
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
}

/* A random number below `n`, or 0: xorshift64*. */
static size_t below(struct fuzzing *f, size_t n)
{
	f->random ^= f->random >> 12;
	f->random ^= f->random << 25;
	f->random ^= f->random >> 27;
	return n ? (size_t)((f->random * UINT64_C(0x2545f4914f6cdd1d)) >> 32) % n : 0;
}

/* Puts `n` bytes in at `at`; what has no room falls off the end. */
static void insert(struct fuzzing *f, size_t at, const uint8_t *bytes, size_t n)
{
	struct input *i = &f->now;

	if (n > f->max_length - at)
		n = f->max_length - at;
	if (i->size > f->max_length - n)
		i->size = f->max_length - n;
	if (at > i->size)
		at = i->size;
	memmove(i->data + at + n, i->data + at, i->size - at);
	memcpy(i->data + at, bytes, n);
	i->size += n;
}

static void change_bit(struct fuzzing *f)
{
	if (f->now.size)
		f->now.data[below(f, f->now.size)] ^= (uint8_t)(1u << below(f, 8));
}

static void change_byte(struct fuzzing *f)
{
	if (f->now.size)
		f->now.data[below(f, f->now.size)] = (uint8_t)below(f, 256);
}

static void insert_bytes(struct fuzzing *f)
{
	uint8_t bytes[16];
	size_t n = 1 + below(f, below(f, 4) ? 2 : sizeof bytes);

	for (size_t i = 0; i < n; i++)
		bytes[i] = (uint8_t)below(f, 256);
	insert(f, below(f, f->now.size + 1), bytes, n);
}

static void delete_bytes(struct fuzzing *f)
{
	struct input *i = &f->now;
	size_t at = below(f, i->size + 1), n = below(f, below(f, 4) ? 4 : i->size + 1);

	if (n > i->size - at)
		n = i->size - at;
	memmove(i->data + at, i->data + at + n, i->size - at - n);
	i->size -= n;
}

static void repeat_bytes(struct fuzzing *f)
{
	uint8_t bytes[256];
	size_t at = below(f, f->now.size + 1), n = below(f, below(f, 4) ? 16 : sizeof bytes) + 1;

	if (n > f->now.size - at)
		n = f->now.size - at;
	if (n > sizeof bytes)
		n = sizeof bytes;
	memcpy(bytes, f->now.data + at, n);
	for (size_t times = 1 + below(f, below(f, 8) ? 2 : 40); times > 0; times--)
		insert(f, at, bytes, n);
}

/* What parsers trip over: ends, signs, controls, and the edges of UTF-8 and of numbers. */
static void insert_known(struct fuzzing *f)
{
	static const struct {
		const char *bytes;
		size_t n;
	} known[] = {
		{ "\0", 1 },
		{ "\n", 1 },
		{ "\r\n", 2 },
		{ "\t", 1 },
		{ " ", 1 },
		{ "=", 1 },
		{ "#", 1 },
		{ "-", 1 },
		{ "\x1b", 1 },
		{ "\x1b[", 2 },
		{ "\x7f", 1 },
		{ "\x80", 1 },
		{ "\xff", 1 },
		{ "\xc0\x80", 2 },
		{ "\xc2\x9b", 2 },
		{ "\xc3\x9f", 2 },
		{ "\xce\x90", 2 },
		{ "\xc5\x89", 2 },
		{ "\xe2\x82\xac", 3 },
		{ "\xe2\x82", 2 },
		{ "\xed\xa0\x80", 3 },
		{ "\xef\xbf\xbf", 3 },
		{ "\xef\xbb\xbf", 3 },
		{ "\xf0\x90\x90\xa8", 4 },
		{ "\xf0\x9f\x98", 3 },
		{ "\xf4\x8f\xbf\xbf", 4 },
		{ "\xf4\x90\x80\x80", 4 },
		{ "\xcc\x81", 2 },
		{ "\xe2\x80\x8d", 3 },
		{ "0", 1 },
		{ "-1", 2 },
		{ "9", 1 },
		{ "65536", 5 },
		{ "2147483648", 10 },
		{ "4294967296", 10 },
		{ "9223372036854775808", 19 },
		{ "18446744073709551616", 20 },
		{ ".", 1 },
		{ "%s%n", 4 },
	};
	size_t which = below(f, sizeof known / sizeof *known);

	insert(f, below(f, f->now.size + 1), (const uint8_t *)known[which].bytes, known[which].n);
}

/* A piece of another input: put in, or instead of the rest. */
static void insert_piece(struct fuzzing *f)
{
	const struct input *other = &f->corpus[below(f, f->count)];
	size_t from = below(f, other->size), n = below(f, other->size - from + 1);
	size_t at = below(f, f->now.size + 1);

	if (below(f, 4) == 0)
		f->now.size = at;
	insert(f, at, other->data + from, n);
}

/* Mostly a change of a seed, sometimes one of what was tried last, which may go far from every
 * seed. */
static void make_next(struct fuzzing *f)
{
	static void (*const changes[])(struct fuzzing *f) = { change_bit, change_byte, insert_bytes,
		delete_bytes, repeat_bytes, insert_known, insert_piece };
	const struct input *seed = &f->corpus[below(f, f->count)];

	if (below(f, 4)) {
		f->now.size = seed->size < f->max_length ? seed->size : f->max_length;
		memcpy(f->now.data, seed->data, f->now.size);
	}
	for (size_t n = 1 + below(f, CHANGES_MAX); n > 0; n--)
		changes[below(f, sizeof changes / sizeof *changes)](f);
}

static double seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void fuzz(struct fuzzing *f)
{
	double end = seconds() + f->max_seconds;

	for (f->runs = 0; f->max_runs == 0 || f->runs < f->max_runs; f->runs++) {
		uint8_t *exact;

		if (f->max_seconds > 0 && f->runs % 16 == 0 && seconds() >= end)
			break;
		make_next(f);
		exact = must(malloc(f->now.size + !f->now.size));
		memcpy(exact, f->now.data, f->now.size);
		run(exact, f->now.size);
		free(exact);
	}
}

/* Takes "-name=number". Returns whether it was that one. */
static bool take(const char *text, const char *name, uint64_t *out)
{
	size_t n = strlen(name);
	char *end;

	if (*text != '-' || strncmp(text + 1, name, n) != 0 || text[n + 1] != '=')
		return false;
	*out = strtoull(text + n + 2, &end, 10);
	if (*end || end == text + n + 2) {
		fprintf(stderr, "%s: is not a number\n", text);
		exit(2);
	}
	return true;
}

static void read_arguments(struct fuzzing *f, int argc, char **argv)
{
	uint64_t number;

	for (int i = 1; i < argc; i++) {
		if (take(argv[i], "max_total_time", &number))
			f->max_seconds = (double)number;
		else if (take(argv[i], "max_len", &number))
			f->max_length = number > 0 && number < 1 << 24 ? (size_t)number
			                                               : LENGTH_MAX;
		else if (!take(argv[i], "runs", &f->max_runs) && !take(argv[i], "seed", &f->seed) &&
		         argv[i][0] != '-')
			add_path(f, argv[i]);
	}
}

static void let_go(struct fuzzing *f)
{
	for (size_t i = 0; i < f->count; i++)
		free(f->corpus[i].data);
	free(f->corpus);
	free(f->now.data);
}

int main(int argc, char **argv)
{
	struct fuzzing f = {
		.max_length = LENGTH_MAX,
		.seed = (uint64_t)time(NULL) << 16 | (uint64_t)(getpid() & 0xffff),
	};
	double start = seconds();

	install(argv[0]);
	read_arguments(&f, argc, argv);
	/* The seed stands first, for the case that there is no last line. */
	fprintf(stderr, "%s: seed %llu, %zu inputs\n", argv[0], (unsigned long long)f.seed,
	    f.count);
	f.random = f.seed * UINT64_C(0x9e3779b97f4a7c15) | 1;
	f.now.data = must(malloc(f.max_length));
	run((const uint8_t *)"", 0);
	for (size_t i = 0; i < f.count; i++)
		run(f.corpus[i].data, f.corpus[i].size);
	if (f.count && (f.max_runs || f.max_seconds > 0))
		fuzz(&f);
	fprintf(stderr, "%s: %llu runs in %.1f s, nothing found\n", argv[0],
	    (unsigned long long)(f.runs + f.count + 1), seconds() - start);
	let_go(&f);
	return 0;
}
