/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The load tool of make bench-server: asks a server on this host in one way for a while, checks
 * what comes back and prints the figures as one line of JSON. bench/server.py drives it. The
 * processor's time of the server is taken at the very ends of the measured time, by its own clock,
 * which counts nanoseconds and all threads. */
#include "bench/load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

/* Descriptors besides those of connections. */
#define SPARE_FILES 64

struct way {
	const char *name;
	void (*run)(struct load *load);
	const char *what;
};

static const struct way ways[] = {
	{ "udp-rtt", load_udp_rtt, "one datagram in flight" },
	{ "udp-burst", load_udp_burst,
	    "64 datagrams of --size at once, again when all are answered" },
	{ "udp-2048", load_udp_2048, "2,048 datagrams at once" },
	{ "udp-spread", load_udp_spread, "--connections sockets, one datagram in flight on each" },
	{ "udp-open", load_udp_open, "--rate datagrams a second" },
	{ "tcp-open", load_tcp_open, "--rate lines a second, over --connections in turn" },
	{ "rr", load_rr, "--connections, one line in flight on each" },
	{ "stream", load_stream,
	    "--connections, as many bytes as there is room for, or --window KiB" },
	{ "churn", load_churn, "connect, a line, its reply, close" },
};

void load_fail(const char *what, int error)
{
	if (error != 0)
		fprintf(stderr, "load: %s: %s\n", what, strerror(error));
	else
		fprintf(stderr, "load: %s\n", what);
	exit(1);
}

static int64_t clock_of(clockid_t id)
{
	struct timespec ts;

	if (clock_gettime(id, &ts) != 0)
		load_fail("the processor's time", errno);
	return ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

static int64_t server_clock(const struct load *load)
{
	clockid_t id;

	if (load->pid == 0)
		return 0;
	if (clock_getcpuclockid(load->pid, &id) != 0)
		load_fail("the server's process is not there", 0);
	return clock_of(id);
}

/* The measured time begins: what was counted so far was warm-up. */
static void begin(struct load *load, int64_t now)
{
	load->measuring = true;
	load->begin = now;
	load->end = now + load->length;
	load->server_cpu = server_clock(load);
	load->own_cpu = clock_of(CLOCK_PROCESS_CPUTIME_ID);
	load->replies = load->bytes = load->lost = load->wrong = load->dropped_here = 0;
	memset(load->times, 0, sizeof load->times);
}

static void finish(struct load *load, int64_t now)
{
	load->server_cpu = server_clock(load) - load->server_cpu;
	load->own_cpu = clock_of(CLOCK_PROCESS_CPUTIME_ID) - load->own_cpu;
	load->end = now;
	load->measuring = false;
}

bool load_running(struct load *load, int64_t now)
{
	if (!load->measuring) {
		if (load->begin == 0)
			load->begin = now + load->warmup;
		if (now >= load->begin)
			begin(load, now);
		return true;
	}
	if (now < load->end)
		return true;
	finish(load, now);
	return false;
}

void load_write(const struct load *load, char *text, int size, bool line, uint32_t number)
{
	memcpy(text, load->small, (size_t)size);
	for (int i = LOAD_NUMBER - 1; i >= 0; i--, number >>= 4)
		text[i] = "0123456789:;<=>?"[number & 15];
	if (line)
		text[size - 1] = '\n';
}

bool load_number(const char *text, int size, uint32_t *number)
{
	*number = 0;
	if (size < LOAD_NUMBER)
		return false;
	for (int i = 0; i < LOAD_NUMBER; i++) {
		if (text[i] < '0' || text[i] > '?')
			return false;
		*number = *number << 4 | (uint32_t)(text[i] - '0');
	}
	return true;
}

void load_wrong(struct load *load)
{
	load->wrong++;
	load->wrong_ever++;
}

void load_check(struct load *load, const char *text, int size, int wanted_size, bool line,
    uint32_t number)
{
	const int letters = wanted_size - LOAD_NUMBER - line;
	uint32_t got;

	load->replies++;
	load->bytes += (uint64_t)size;
	if (size != wanted_size || !load_number(text, size, &got) || got != number ||
	    memcmp(text + LOAD_NUMBER, load->capitals + LOAD_NUMBER, (size_t)letters) != 0 ||
	    (line && text[size - 1] != '\n'))
		load_wrong(load);
}

void load_time(struct load *load, int64_t ns)
{
	const uint64_t value = ns < 64 ? 64 : (uint64_t)ns;
	const int doublings = 63 - __builtin_clzll(value) - 6;
	const int bucket = doublings * 64 + (int)(value >> doublings) - 64;

	load->times[bucket < LOAD_BUCKETS ? bucket : LOAD_BUCKETS - 1]++;
}

/* The time that a share of the round trips did not exceed, in microseconds; 0 if none was taken. */
static double quantile(const struct load *load, double share)
{
	uint64_t count = 0, seen = 0;

	for (int i = 0; i < LOAD_BUCKETS; i++)
		count += load->times[i];
	for (int i = 0; i < LOAD_BUCKETS; i++) {
		seen += load->times[i];
		if (load->times[i] != 0 && (double)seen >= share * (double)count)
			return (64 + i % 64 + 0.5) * (double)(UINT64_C(1) << i / 64) / 1e3;
	}
	return 0;
}

int load_connect(const struct load *load, int type, uint32_t source)
{
	const int one = 1;
	struct sockaddr_in from = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK + source) };
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	if (fd < 0)
		load_fail("socket", errno);
	if (type == SOCK_STREAM) {
		/* The port is chosen when the peer is known, so that each source has all ports. */
		if (setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one) != 0 ||
		    bind(fd, (const struct sockaddr *)&from, sizeof from) != 0)
			load_fail("bind", errno);
	}
	if (connect(fd, (const struct sockaddr *)&load->server, sizeof load->server) != 0)
		load_fail("connect", errno);
	return fd;
}

static void usage(int status)
{
	FILE *to = status == 0 ? stdout : stderr;

	fputs("usage: load [OPTION]... WAY PORT\n"
	      "  --warmup SECONDS  --seconds SECONDS  --pid PID\n"
	      "  --size BYTES  --rate A_SECOND  --connections N  --idle N  --window KIB\n"
	      "  --awake  (udp-rtt, rr: do not sleep until a reply comes)\n",
	    to);
	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
		fprintf(to, "%-11s %s\n", ways[i].name, ways[i].what);
	exit(status);
}

static double number(const char *text, double least, double most)
{
	char *end;
	const double value = strtod(text, &end);

	if (end == text || *end != '\0' || !(value >= least && value <= most)) {
		fprintf(stderr, "load: %s: a number from %g to %g\n", text, least, most);
		exit(2);
	}
	return value;
}

static const struct way *parse(struct load *load, int argc, char **argv)
{
	static const struct option options[] = { { "warmup", required_argument, NULL, 'w' },
		{ "seconds", required_argument, NULL, 's' },
		{ "pid", required_argument, NULL, 'p' }, { "size", required_argument, NULL, 'z' },
		{ "rate", required_argument, NULL, 'r' },
		{ "connections", required_argument, NULL, 'c' },
		{ "idle", required_argument, NULL, 'i' },
		{ "window", required_argument, NULL, 'b' }, { "awake", no_argument, NULL, 'a' },
		{ "help", no_argument, NULL, 'h' }, { 0 } };

	for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		switch (c) {
		case 'w':
			load->warmup = (int64_t)(number(optarg, 0, 600) * NS_PER_S);
			break;
		case 's':
			load->length = (int64_t)(number(optarg, 0.001, 600) * NS_PER_S);
			break;
		case 'p':
			load->pid = (int)number(optarg, 1, 1 << 30);
			break;
		case 'z':
			load->size = (int)number(optarg, LOAD_NUMBER + 2, LOAD_TEXT_MAX);
			break;
		case 'r':
			load->rate = (int)number(optarg, 1, 1e6);
			break;
		case 'c':
			load->connections = (int)number(optarg, 1, 50000);
			break;
		case 'i':
			load->idle = (int)number(optarg, 0, 50000);
			break;
		case 'b':
			load->window = (uint64_t)number(optarg, 1, 1 << 20) * 1024;
			break;
		case 'a':
			load->awake = true;
			break;
		default:
			usage(c == 'h' ? 0 : 2);
		}
	}
	if (argc - optind != 2)
		usage(2);
	load->server.sin_port = htons((uint16_t)number(argv[optind + 1], 1, 65535));
	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
		if (strcmp(ways[i].name, argv[optind]) == 0)
			return &ways[i];
	usage(2);
	return NULL;
}

static void raise_files(const struct load *load)
{
	const rlim_t wanted = (rlim_t)(load->connections + load->idle + SPARE_FILES);
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		load_fail("limit of open files", errno);
	if (limit.rlim_cur >= wanted)
		return;
	limit.rlim_cur = wanted;
	if (limit.rlim_max < wanted || setrlimit(RLIMIT_NOFILE, &limit) != 0) {
		fprintf(stderr, "load: %ju open files are needed, the limit is %ju (ulimit -n)\n",
		    (uintmax_t)wanted, (uintmax_t)limit.rlim_max);
		exit(1);
	}
}

static void report(const struct load *load)
{
	const double seconds = (double)(load->end - load->begin) / 1e9;

	printf("{\"seconds\": %.6f, \"replies\": %" PRIu64 ", \"bytes\": %" PRIu64
	       ", \"lost\": %" PRIu64 ", \"wrong\": %" PRIu64 ", \"dropped_here\": %" PRIu64
	       ", \"p50_us\": %.3f, \"p99_us\": %.3f"
	       ", \"server_cpu_s\": %.9f, \"own_cpu_s\": %.9f}\n",
	    seconds, load->replies, load->bytes, load->lost, load->wrong_ever, load->dropped_here,
	    quantile(load, 0.5), quantile(load, 0.99), (double)load->server_cpu / 1e9,
	    (double)load->own_cpu / 1e9);
}

int main(int argc, char **argv)
{
	static struct load load = { .server = { .sin_family = AF_INET },
		.warmup = NS_PER_S / 5,
		.length = NS_PER_S,
		.window = UINT64_MAX,
		.size = LOAD_LINE,
		.rate = 1000,
		.connections = 1 };
	const struct way *way = parse(&load, argc, argv);

	load.server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	for (int i = 0; i < LOAD_TEXT_MAX; i++) {
		load.small[i] = "the quick brown fox jumps over the lazy dog; "[i % 45];
		load.capitals[i] = "THE QUICK BROWN FOX JUMPS OVER THE LAZY DOG; "[i % 45];
	}
	raise_files(&load);
	load_idle(&load);
	way->run(&load);
	report(&load);
	return load.wrong_ever != 0 ? 3 : 0;
}
