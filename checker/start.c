/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "checker/start.h"

#include <errno.h>
#include <sys/un.h>

#include "checker/peer.h"
#include "common/file.h"
#include "common/os.h"

/* The time for a second transport after the first; between two looks at the kernel's tables. */
#define SECOND_TIME (1500 * NS_PER_MS)
#define START_STEP (20 * NS_PER_MS)
/* The time to start: at least so long, and so many times --wait. */
#define START_LEAST (10 * NS_PER_S)
#define START_WAITS 4
/* The ports to choose from; how far apart two judges begin that were started together. */
#define PORT_FIRST 10000
#define PORT_COUNT 22000
#define PORT_STEP 101

/* Takes a port from other judges, as long as t->claim is open: an abstract name (unix(7)). */
static bool claim_port(struct trial *t, int port)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	const int n = snprintf(name.sun_path + 1, sizeof name.sun_path - 1, "upcase-check-%d",
	    port);

	(void)file_close(t->claim);
	t->claim = os_socket(AF_UNIX, SOCK_DGRAM);
	return bind(t->claim, (struct sockaddr *)&name,
	           (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n)) == 0;
}

/* Chooses the server's port: one that is free for both transports, and that the system gives to no
 * client of somebody else's meanwhile (IANA's dynamic ports begin at 49152, Linux's at 32768). On a
 * host of the lab all are free: another one each time, since datagrams to the program before may
 * still be under way. */
static void choose_port(struct trial *t)
{
	struct addr a = t->address;

	addr_set_port(&t->address, (uint16_t)(t->options->port ? t->options->port
	                                      : t->link        ? CHECK_PORT + t->ports++
	                                                       : 0));
	for (int try = 0; try < PORT_COUNT && addr_port(&t->address) == 0; try++) {
		const int tcp = os_socket(a.sa.sa_family, SOCK_STREAM),
		          udp = os_socket(a.sa.sa_family, SOCK_DGRAM),
		          place = (getpid() * PORT_STEP + t->ports++) % PORT_COUNT;

		addr_set_port(&a, (uint16_t)(PORT_FIRST + place));
		if (claim_port(t, PORT_FIRST + place) && bind(tcp, &a.sa, a.len) == 0 &&
		    bind(udp, &a.sa, a.len) == 0)
			t->address = a;
		(void)file_close(tcp);
		(void)file_close(udp);
	}
}

int64_t start_timeout(const struct trial *t)
{
	const int64_t waits = START_WAITS * t->options->wait;

	return waits > START_LEAST ? waits : START_LEAST;
}

static bool execute(struct trial *t)
{
	t->input_ended = false;
	t->not_started = program_start(&t->program, t->options->command, &t->address) < 0;
	return !t->not_started || trial_fail(t, "%s: %s", t->options->command[0], strerror(errno));
}

bool start_program(struct trial *t, bool served)
{
	choose_port(t);
	return (!served || (peer_listen(t, CASE_UDP) && peer_listen(t, CASE_TCP))) && execute(t);
}

/* Waits until the program serves what is demanded, or what it has served before, or one transport
 * and perhaps the other. */
static bool await_service(struct trial *t)
{
	const unsigned wanted = t->demanded | (t->transports ? t->transports : CASE_TRANSPORTS);
	int64_t until = clock_monotonic() + start_timeout(t);
	unsigned serves = 0, before;

	do {
		before = serves;
		serves = program_serves(&t->program, addr_port(&t->address));
		if (serves != before && (serves & t->demanded) == t->demanded)
			until = clock_monotonic() + SECOND_TIME;
		if (program_has_ended(&t->program))
			return trial_fail_ended(t);
	} while ((serves & wanted) != wanted && peer_pause(t, START_STEP) &&
	         clock_monotonic() < (until < t->deadline ? until : t->deadline) && !*t->stop);
	t->transports |= serves;
	return serves || trial_fail(t, "it does not listen on port %d within %s%s",
	                     addr_port(&t->address), TEXT_SPAN(start_timeout(t)),
	                     t->options->port ? "" : ": is another port in its source? see --port");
}

bool start_server(struct trial *t, uint16_t port)
{
	if (port)
		addr_set_port(&t->address, port);
	else
		choose_port(t);
	if (!t->link && program_serves(&t->program, addr_port(&t->address))) {
		t->not_started = true;
		return trial_fail(t, "port %d is taken by another program: see --port",
		    addr_port(&t->address));
	}
	return execute(t) && await_service(t);
}
