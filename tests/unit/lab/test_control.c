/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The control socket: commands, answers, events, and clients that behave badly. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/clock.h"
#include "common/control-socket.h"
#include "tests/lib/wire.h"

#define ROOM (64 << 10)

/* A client: what it has read so far. */
struct client {
	int fd;
	char text[ROOM];
	size_t n;
};

/* The socket of the wire that was opened last. */
static char socket_folder[32], socket_path[40];

static void remove_socket(void)
{
	unlink(socket_path);
	rmdir(socket_folder);
}

static struct wire open_wire(void)
{
	struct wire wire = wire_open("", "", 1);
	struct stat made;

	remove_socket();
	strcpy(socket_folder, "/tmp/test-control-XXXXXX");
	assert_non_null(mkdtemp(socket_folder));
	snprintf(socket_path, sizeof socket_path, "%s/link", socket_folder);
	wire.control = control_new(control_listen(socket_path, &made), wire.link);
	assert_non_null(wire.control);
	return wire;
}

static struct client *join(struct wire *wire)
{
	struct client *client = calloc(1, sizeof *client);

	assert_non_null(client);
	client->fd = control_connect(socket_path, false);
	assert_true(client->fd >= 0);
	wire_turn(wire, NS_PER_S);
	return client;
}

static void leave(struct client *client)
{
	close(client->fd);
	free(client);
}

static void send_text(const struct client *client, const char *text)
{
	assert_int_equal(send(client->fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* Reads until the text ends with `end`, which it then contains; what was read before is forgotten.
 * Returns the text, or NULL when the connection ended. */
static const char *hear(struct wire *wire, struct client *client, const char *end)
{
	int64_t limit = clock_monotonic() + 10 * NS_PER_S;

	client->n = 0;
	client->text[0] = '\0';
	while (client->n < strlen(end) || strcmp(client->text + client->n - strlen(end), end)) {
		ssize_t n = recv(client->fd, client->text + client->n, ROOM - 1 - client->n, 0);
		if (n == 0)
			return NULL;
		if (n < 0) {
			assert_int_equal(errno, EAGAIN);
			assert_true(clock_monotonic() < limit);
			wire_turn(wire, NS_PER_S);
			continue;
		}
		client->n += (size_t)n;
		client->text[client->n] = '\0';
	}
	return client->text;
}

static const char *query(struct wire *wire, struct client *client, const char *command)
{
	send_text(client, command);
	send_text(client, "\n");
	return hear(wire, client, "ok\n");
}

static void assert_has(const char *text, const char *line)
{
	if (!text || !strstr(text, line))
		fail_msg("no '%s' in:\n%s", line, text ? text : "(closed)");
}

static void assert_refused(struct wire *wire, struct client *client, const char *command,
    const char *answer)
{
	send_text(client, command);
	send_text(client, "\n");
	assert_string_equal(hear(wire, client, "\n"), answer);
}

static void test_ask_and_change(void **state)
{
	(void)state;
	struct wire wire = open_wire();
	struct client *client = join(&wire);

	assert_string_equal(query(&wire, client, "set loss 30%"),
	    "there line loss 30%\nback line loss 30%\nok\n");
	assert_string_equal(query(&wire, client, "set delay 100ms burst 2.5 back"),
	    "there line loss 30%\nback line loss 30%, burst 2.5, delay 100ms\nok\n");
	const char *link = query(&wire, client, "link");
	assert_has(link, "seed 1\n");
	assert_has(link, "there loss 30%\n");
	assert_has(link, "there delay 0ms\n");
	assert_has(link, "there rate off\n");
	assert_has(link, "there queue 100p\n");
	assert_has(link, "there mean-burst 1.429\n");
	assert_has(link, "back delay 100ms\n");
	assert_has(link, "back bad-to-good 40%\n");
	assert_has(link, "back good-to-bad 17.1429%\n");
	assert_true(link_settings(wire.link, LINK_COMING)->delay == 100 * NS_PER_MS);
	assert_true(link_settings(wire.link, LINK_GOING)->delay == 0);
	assert_string_equal(query(&wire, client, "predict"),
	    "there through 70%\nback through 70%\nanswered 49%\nround-trip delay 100ms\nround-trip "
	    "jitter 0ms\nok\n");
	leave(client);
	wire_close(&wire);
}

static void test_refusals(void **state)
{
	(void)state;
	struct wire wire = open_wire();
	struct client *client = join(&wire);

	assert_refused(&wire, client, "set loss 3x",
	    "error loss: '3x' is not a share, 0% to 100%; for example loss 20%\n");
	assert_refused(&wire, client, "set loss",
	    "error loss needs a value; for example loss 20%\n");
	assert_refused(&wire, client, "set loss 20% delay",
	    "error delay needs a value; for example delay 50ms\n");
	assert_refused(&wire, client, "frob", "error 'frob' is no order; for example: help\n");
	assert_refused(&wire, client, "\033[2J", "error '?[2J' is no order; for example: help\n");
	assert_refused(&wire, client, "", "error an empty order; for example: help\n");
	assert_refused(&wire, client, "preset mars",
	    "error 'mars' is no preset; for example: preset wifi (presets lists them)\n");
	assert_refused(&wire, client, "hold",
	    "error hold takes a time up to 1h; for example: hold 3s\n");
	assert_refused(&wire, client, "unplug soon",
	    "error 'soon' is not a time up to 1h; for example: unplug 3s\n");
	assert_refused(&wire, client, "drop it",
	    "error 'it' is none of request, reply, datagram, segment, syn, ack and fin; for example: drop request:3,7\n");
	assert_refused(&wire, client, "drop next tcp",
	    "error the kind of packets is missing: request, reply, datagram, segment, syn, ack or fin; for example: drop request:3,7\n");
	assert_refused(&wire, client, "drop next udp ack back",
	    "error udp has no ack; for example: drop request:3,7\n");
	assert_refused(&wire, client, "packet delay 5 reply:2",
	    "error '5' is not a time up to 60s; for example: packet delay 50ms reply:2\n");
	assert_refused(&wire, client, "drop \033[2J:1",
	    "error '?[2J' is none of request, reply, datagram, segment, syn, ack and fin; for example: drop request:3,7\n");
	assert_refused(&wire, client, "events maybe",
	    "error 'maybe' is neither on nor off; for example: events on 12000\n");
	assert_refused(&wire, client, "events on 70000",
	    "error '70000' is not a port, 1 to 65535; for example 12000\n");
	assert_refused(&wire, client, "events on 1 2 3 4 5 6 7 8 9",
	    "error '9' is one port too many: there may be 8\n");
	assert_refused(&wire, client, "set",
	    "error set needs a name and a value; for example: set loss 30%\n");
	assert_refused(&wire, client, "set frob back",
	    "error 'frob' is no setting of a link; for example loss 20%\n");
	assert_refused(&wire, client, "preset",
	    "error preset needs a name; for example: preset wifi (presets lists them)\n");
	assert_refused(&wire, client, "preset classroom sideways",
	    "error 'sideways' is neither there nor back; for example: preset wifi back\n");
	assert_refused(&wire, client, "drop next request back",
	    "error requests go there, replies come back; for example: drop request:3,7\n");
	assert_refused(&wire, client, "hold 3s sideways",
	    "error hold takes a time up to 1h; for example: hold 3s\n");
	assert_refused(&wire, client, "counts now", "error 'counts' takes no words\n");
	assert_refused(&wire, client, "link loss 5%", "error 'link' takes no words\n");
	/* Nothing of it took effect. */
	assert_true(link_settings(wire.link, LINK_GOING)->loss == 0);
	leave(client);
	wire_close(&wire);
}

static void test_presets_and_help(void **state)
{
	(void)state;
	struct wire wire = open_wire();
	struct client *client = join(&wire);

	assert_has(query(&wire, client, "presets"),
	    "preset classroom there loss 20%, delay 20ms\n");
	assert_has(query(&wire, client, "preset classroom there"),
	    "there line loss 20%, delay 20ms\nback line nothing\n");
	/* A preset replaces all: nothing of the last one stays. */
	assert_has(query(&wire, client, "preset lan"),
	    "there line delay 100us, rate 1gbit, queue 100p\n");
	assert_has(query(&wire, client, "help"), "help hold SPAN [there|back]: ");
	leave(client);
	wire_close(&wire);
}

static bool passes(struct wire *wire, bool there)
{
	uint8_t packet[2048];

	wire_send(wire, there ? wire->near_end : wire->far_end, packet,
	    wire_udp(packet, there, true, "hello", 5));
	wire_turn(wire, 0);
	return recv(there ? wire->far_end : wire->near_end, packet, sizeof packet, 0) > 0;
}

static void test_cues(void **state)
{
	(void)state;
	struct wire wire = open_wire();
	struct client *client = join(&wire);

	query(&wire, client, "drop next request");
	assert_true(passes(&wire, false));
	assert_false(passes(&wire, true));
	assert_true(passes(&wire, true));
	query(&wire, client, "drop next reply");
	assert_true(passes(&wire, true));
	assert_false(passes(&wire, false));
	assert_true(passes(&wire, false));
	query(&wire, client, "drop next reply");
	query(&wire, client, "drop none");
	assert_true(passes(&wire, false));
	query(&wire, client, "drop request:2,3");
	assert_true(passes(&wire, true));
	assert_has(query(&wire, client, "link"), "\nrule drop request:2,3\n");
	assert_false(passes(&wire, true));
	assert_false(passes(&wire, true));
	assert_true(passes(&wire, true));
	assert_null(strstr(query(&wire, client, "link"), "rule "));
	query(&wire, client, "unplug 1h there");
	assert_false(passes(&wire, true));
	assert_true(passes(&wire, false));
	assert_has(query(&wire, client, "link"), "there unplugged-for 3");
	query(&wire, client, "unplug 0s");
	assert_true(passes(&wire, true));
	query(&wire, client, "hold 1h back");
	assert_false(passes(&wire, false));
	const char *counts = query(&wire, client, "counts");
	assert_has(counts, "there lost-cue 3\n");
	assert_has(counts, "there lost-unplugged 1\n");
	assert_has(counts, "back lost-cue 1\n");
	assert_has(counts, "back held 1\n");
	assert_has(counts, "back in-flight 1\n");
	assert_has(counts, "balanced yes\n");
	leave(client);
	wire_close(&wire);
}

/* What stands behind "changed NS ", of a time that the monotonic clock has had. */
static const char *after_time(const char *line)
{
	long long at;
	int n = 0;

	assert_int_equal(sscanf(line, "changed %lld %n", &at, &n), 1);
	assert_true(at > 0 && at <= clock_monotonic());
	return line + n;
}

/* Every order that changes the link is told to all who listen, who gave it too, and so is the end
 * of what goes on for a time. */
static void test_changes(void **state)
{
	static const struct {
		const char *command, *told;
	} changes[] = {
		{ "set loss 30%", "set loss 30%; loss 30%\n" },
		{ "set delay 5ms back", "set loss 30%; loss 30%, delay 5ms\n" },
		{ "set loss 0% delay 0ms", "set nothing; nothing\n" },
		{ "preset dsl back",
		    "set nothing; delay 12ms, jitter 1ms, rate 16mbit, queue 200p\n" },
		{ "drop next tcp ack there", "drop next tcp ack there\n" },
		{ "drop segment:6x2 back", "drop segment:6x2 back\n" },
		{ "packet delay 50ms reply:2", "packet delay 50ms reply:2\n" },
		{ "drop none", "drop none\n" },
		{ "hold 1h", "hold 1h\n" },
		{ "hold 0s back", "hold 0s back\n" },
		{ "unplug 1h there", "unplug 1h there\n" },
		{ "hold 0s", "hold 0s\n" },
	};
	struct wire wire = open_wire();
	struct client *giver = join(&wire), *listener = join(&wire);

	(void)state;
	query(&wire, listener, "events on 9");
	for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
		query(&wire, giver, changes[i].command);
		assert_string_equal(after_time(hear(&wire, listener, "\n")), changes[i].told);
	}
	/* What changes nothing is not told; who gives a command is told too. */
	assert_refused(&wire, giver, "set loss much",
	    "error loss: 'much' is not a share, 0% to 100%; for example loss 20%\n");
	query(&wire, giver, "preset dsl back");
	query(&wire, giver, "link");
	send_text(listener, "unplug 0s\n");
	assert_int_equal(strncmp(hear(&wire, listener, " unplug 0s\n"), "ok\nchanged ",
	                     strlen("ok\nchanged ")),
	    0);
	query(&wire, giver, "hold 20ms");
	assert_has(hear(&wire, listener, " released\n"), " hold 20ms\n");
	query(&wire, giver, "unplug 20ms back");
	assert_has(hear(&wire, listener, " plugged back\n"), " unplug 20ms back\n");
	leave(giver);
	leave(listener);
	wire_close(&wire);
}

static void test_events(void **state)
{
	(void)state;
	struct wire wire = open_wire();
	struct client *all = join(&wire), *none = join(&wire), *other = join(&wire);
	uint8_t packet[2048];

	query(&wire, all, "events on");
	query(&wire, other, "events on 9");
	assert_true(passes(&wire, true));
	const char *event = hear(&wire, all, "\n");
	assert_has(event, "event 1 there in=");
	assert_has(event, " fate=delivered out=");
	assert_has(event,
	    " proto=udp src=10.9.0.1 dst=10.9.0.2 sport=40000 dport=12000 id=7 size=33 payload=5"
	    " hash=a430d84680aabd0b data=68656c6c6f\n");
	query(&wire, none, "drop next reply");
	assert_string_equal(after_time(hear(&wire, all, "\n")), "drop next reply\n");
	assert_false(passes(&wire, false));
	event = hear(&wire, all, "\n");
	assert_has(event, "event 2 back in=");
	assert_has(event, " fate=cue proto=udp src=10.9.0.2 dst=10.9.0.1 sport=12000 dport=40000 ");
	wire_send(&wire, wire.near_end, packet, wire_tcp(packet, true, PACKET_ACK | PACKET_PSH, 3));
	event = hear(&wire, all, "\n");
	assert_has(event, " proto=tcp ");
	assert_has(event, " size=43 seq=99 ack=0 flags=PA win=0 payload=3 ");
	/* The filter let nothing through but the change; who asked for nothing heard nothing. */
	assert_string_equal(after_time(hear(&wire, other, "\n")), "drop next reply\n");
	assert_int_equal(recv(other->fd, packet, sizeof packet, 0), -1);
	assert_string_equal(query(&wire, none, "events off"), "ok\n");
	query(&wire, all, "events off");
	assert_true(passes(&wire, true));
	assert_int_equal(recv(all->fd, packet, sizeof packet, 0), -1);
	leave(all);
	leave(none);
	leave(other);
	wire_close(&wire);
}

static void test_orders_in_pieces_and_heaps(void **state)
{
	(void)state;
	struct wire wire = open_wire();
	struct client *client = join(&wire);

	for (const char *c = "set loss 5%\n"; *c; c++) {
		assert_int_equal(send(client->fd, c, 1, 0), 1);
		wire_turn(&wire, 0);
	}
	assert_has(hear(&wire, client, "ok\n"), "there line loss 5%\n");
	send_text(client, "drop none\ndrop none\r\nset loss 1%\n");
	assert_has(hear(&wire, client, "there line loss 1%\nback line loss 1%\nok\n"), "ok\nok\n");
	/* The last order may lack its newline; the answer comes although the client has ended. */
	send_text(client, "predict");
	shutdown(client->fd, SHUT_WR);
	assert_has(hear(&wire, client, "ok\n"), "answered 98.01%\n");
	assert_null(hear(&wire, client, "ok\n"));
	leave(client);
	wire_close(&wire);
}

static void test_too_long_orders(void **state)
{
	(void)state;
	struct wire wire = open_wire();
	struct client *client = join(&wire);
	char *command = malloc(20001);

	assert_non_null(command);
	memset(command, 'x', 20000);
	command[20000] = '\0';
	assert_refused(&wire, client, command,
	    "error an order has 1000 bytes at most; for example: help\n");
	assert_string_equal(query(&wire, client, "drop none"), "ok\n");
	memset(command, ' ', 900);
	for (int i = 0; i < 450; i++)
		command[2 * i] = 'y';
	command[900] = '\0';
	assert_refused(&wire, client, command, "error too many words; for example: help\n");
	free(command);
	leave(client);
	wire_close(&wire);
}

/* One that asks for everything and reads nothing is cut off; the other does not notice. */
static void test_a_slow_client_loses_only_itself(void **state)
{
	(void)state;
	struct wire wire = open_wire();
	struct client *slow = join(&wire), *good = join(&wire);
	uint8_t packet[2048];
	char byte;
	ssize_t n;

	query(&wire, slow, "events on");
	for (int i = 0; i < 40000; i++) {
		wire_send(&wire, wire.near_end, packet, wire_udp(packet, true, true, "hello", 5));
		if (i % 100 == 0)
			wire_turn(&wire, 0);
		while (recv(wire.far_end, packet, sizeof packet, 0) > 0)
			;
	}
	assert_string_equal(query(&wire, good, "drop none"), "ok\n");
	while (link_counts(wire.link, LINK_GOING)->packets < 40000)
		wire_turn(&wire, 0);
	while ((n = recv(slow->fd, slow->text, ROOM, 0)) > 0)
		;
	assert_int_equal(n, 0);
	assert_int_equal(recv(good->fd, &byte, 1, 0), -1);
	leave(slow);
	leave(good);
	wire_close(&wire);
}

/* One that sends commands for ever and reads nothing is no longer heard, so memory stays bounded;
 * when it reads again, it gets every answer. */
static void test_a_flood_of_orders(void **state)
{
	(void)state;
	struct wire wire = open_wire();
	struct client *rude = join(&wire), *good = join(&wire);
	int64_t limit = clock_monotonic() + 10 * NS_PER_S;
	int sent = 0, answers = 0, length = 0;

	for (int full = 0; full < 100; wire_turn(&wire, 0)) {
		ssize_t n = send(rude->fd, "presets\n", 8, MSG_NOSIGNAL);
		full = n < 0 ? full + 1 : 0;
		assert_true(n == 8 || errno == EAGAIN);
		sent += n == 8;
	}
	assert_string_equal(query(&wire, good, "drop none"), "ok\n");
	while (answers < sent) {
		assert_true(clock_monotonic() < limit);
		wire_turn(&wire, 0);
		ssize_t n = recv(rude->fd, rude->text, ROOM, 0);
		assert_true(n > 0 || (n < 0 && errno == EAGAIN));
		/* No other line has two characters. */
		for (ssize_t i = 0; i < n; i++) {
			answers += rude->text[i] == '\n' && length == 2;
			length = rude->text[i] == '\n' ? 0 : length + 1;
		}
	}
	leave(rude);
	leave(good);
	wire_turn(&wire, 0);
	wire_close(&wire);
}

static void test_places_are_bounded(void **state)
{
	(void)state;
	struct wire wire = open_wire();
	struct client *clients[CONTROL_CLIENTS_MAX];

	for (int i = 0; i < CONTROL_CLIENTS_MAX; i++)
		clients[i] = join(&wire);
	struct client *more = join(&wire);
	assert_has(hear(&wire, more, "\n"), "error too many are connected to this lab");
	leave(more);
	leave(clients[3]);
	wire_turn(&wire, NS_PER_S);
	clients[3] = join(&wire);
	for (int i = 0; i < CONTROL_CLIENTS_MAX; i++) {
		assert_string_equal(query(&wire, clients[i], "drop none"), "ok\n");
		leave(clients[i]);
	}
	wire_close(&wire);
}

static bool put_line(void *out, char *line)
{
	fprintf(out, "%s\n", line);
	return false;
}

static int query_once(const char *path, const char *command, FILE *out, char reason[CONTROL_REASON])
{
	return control_request_send(&(struct control_request){ .path = path,
	                                .command = command,
	                                .line = put_line,
	                                .context = out },
	    reason);
}

/* In another process, as upcase-lab ctl does. */
static int query_from_outside(const char *path)
{
	char reason[CONTROL_REASON];
	char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);

	if (query_once(path, "set loss 10%", out, reason) ||
	    query_once(path, "predict", out, reason))
		return 1;
	fclose(out);
	if (!strstr(text, "answered 81%\n"))
		return 2;
	free(text);
	if (query_once(path, "set loss 10", stdout, reason) != 1 ||
	    !strstr(reason, "needs its percent sign"))
		return 3;
	if (query_once("/nowhere/at/all", "link", stdout, reason) != -1 || errno != ENOENT)
		return 4;
	return 0;
}

static void test_from_another_process(void **state)
{
	(void)state;
	struct wire wire = wire_open("", "", 1);
	char folder[] = "/tmp/test-control-XXXXXX", path[64];
	struct stat about;
	int status;

	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/link", folder);
	int listener = control_listen(path, &about);
	assert_true(listener >= 0);
	assert_int_equal(stat(path, &about), 0);
	assert_int_equal(about.st_mode & 0777, 0600);
	assert_int_equal(control_listen(path, &about), -1);
	assert_int_equal(errno, EADDRINUSE);
	wire.control = control_new(listener, wire.link);
	pid_t child = fork();
	if (child == 0)
		_exit(query_from_outside(path));
	while (waitpid(child, &status, WNOHANG) == 0)
		wire_turn(&wire, NS_PER_MS);
	assert_int_equal(status, 0);
	unlink(path);
	rmdir(folder);
	wire_close(&wire);
}

static void test_a_path_that_is_too_long(void **state)
{
	(void)state;
	char path[200];
	struct stat about;

	memset(path, 'x', sizeof path);
	path[199] = '\0';
	assert_int_equal(control_listen(path, &about), -1);
	assert_int_equal(errno, ENAMETOOLONG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ask_and_change),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_presets_and_help),
		cmocka_unit_test(test_cues),
		cmocka_unit_test(test_changes),
		cmocka_unit_test(test_events),
		cmocka_unit_test(test_orders_in_pieces_and_heaps),
		cmocka_unit_test(test_too_long_orders),
		cmocka_unit_test(test_a_slow_client_loses_only_itself),
		cmocka_unit_test(test_a_flood_of_orders),
		cmocka_unit_test(test_places_are_bounded),
		cmocka_unit_test(test_from_another_process),
		cmocka_unit_test(test_a_path_that_is_too_long),
	};
	atexit(remove_socket);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
