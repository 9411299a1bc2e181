# SPDX-License-Identifier: GPL-3.0-or-later
"""Forged datagrams. Nobody needs to be root to forge one here: while a server is stopped, a
datagram is sent to it from a port that another server takes over before the first one goes on, so
that it comes from that server as far as anyone can tell. All else is real: two programs, their
sockets, and the kernel between them."""
import collections
import os
import random
import re
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from server import (ACTIVATE, WORKERS, NotHere, Server, ask, expect, has_ipv6, need_family, run, silence, stop_process,
                    udp, wait_until)
from tap import TOP, checksum, has

# How many equal capitals in a row a stranger is answered at full speed, and one at a port of the
# server's number.
FAST, SAME_PORT = 30000, 16
# Whether a server knows another one's reply by its TTL; else both are strangers to each other.
MARKED = has("ARRIVALS")
# Between two servers, for one forged datagram, that one included.
MOST = 2 if MARKED else 2 * (FAST + 1)
# Of linux/in.h; what a client's system begins with.
IP_RECVTTL, TTL = 12, 64


def is_free(host, port):
    """For UDP and TCP?"""
    try:
        with socket.socket(need_family(host),
                           socket.SOCK_DGRAM) as u, socket.socket(need_family(host),
                                                                  socket.SOCK_STREAM) as t:
            u.bind((host, port))
            t.bind((host, port))
            return True
    except OSError:
        return False


def free_port(lowest, highest):
    while True:
        port = random.randrange(lowest, highest)
        if is_free("127.0.0.1", port) and is_free("::1", port):
            return port


def forge(first, datagrams, port, host="127.0.0.1", start=Server):
    """What `start` makes on `port`, from which `datagrams` have come to the first server."""
    if not is_stopped(first):
        stop_process(first)
    with socket.socket(need_family(host), socket.SOCK_DGRAM) as forger:
        forger.bind((host, port))
        for text in datagrams:
            forger.sendto(text, (host, first.port))
    second = start(port=port)
    first.process.send_signal(signal.SIGCONT)
    return second


def start_on_free_port(start, ports):
    """start(port=...), again if somebody else has taken the port in between."""
    while True:
        try:
            return start(port=free_port(*ports))
        except (AssertionError, OSError) as error:
            if "in use" not in str(error):
                raise


def is_stopped(server):
    with open(f"/proc/{server.pid}/stat", encoding="utf-8") as file:
        return file.read().rsplit(")", 1)[1].split()[0] == "T"


def at_rest(t):
    return t.get("udp there", {}).get("waiting", 0) == t.get("udp back", {}).get("waiting", 0) == 0


def settled(first, second, forged):
    """The totals of both once nothing goes round any more: each has got what the other one sent."""
    def both():
        a, b = first.totals(), second.totals()
        return at_rest(a) and at_rest(b) and a["udp"]["datagrams"] == forged + b["udp"]["replies"] and \
            b["udp"]["datagrams"] == a["udp"]["replies"] and (a, b)
    return wait_until(both, "that nothing goes round any more")


# Of linux/if_packet.h; sizes of headers.
SOL_PACKET, PACKET_STATISTICS, PACKET_VNET_HDR, VNET_HEADER, ETHERNET_HEADER = 263, 6, 15, 10, 14
SO_RCVBUFFORCE = 33


class Wire:
    """What goes over the loopback interface from or to a server, where one may look: each line's
    packets are counted. An ordinary user may not; then the servers' own totals must do."""

    def __init__(self, server):
        self.port = server.port
        try:
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        except PermissionError:
            self.socket = None
            return
        try:
            # All that goes over the loopback interface waits here, other programs' too.
            self.socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 28)
        except PermissionError:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        # Replies that are joined pass here in one packet: the header before each packet (struct
        # virtio_net_hdr) tells.
        self.socket.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
        self.socket.bind(("lo", 3))
        self.socket.setblocking(False)

    def packets(self):
        """The text of each datagram from or to the server."""
        while True:
            try:
                packet, where = self.socket.recvfrom(1 << 17)
            except BlockingIOError:
                return
            joined, size = packet[1] & 0x7f, int.from_bytes(packet[4:6], sys.byteorder)
            packet = packet[VNET_HEADER + ETHERNET_HEADER:]
            start = 4 * (packet[0] & 15) if packet[0] >> 4 == 4 else 40
            udp_header = packet[start:start + 8]
            ports = (int.from_bytes(udp_header[:2], "big"), int.from_bytes(udp_header[2:4], "big"))
            # Loopback shows each packet twice, going out and coming in.
            if where[2] == socket.PACKET_OUTGOING and packet[
                    9 if start != 40 else 6] == 17 and self.port in ports:
                text = packet[start + 8:]
                size = size if joined else max(len(text), 1)
                for at in range(0, max(len(text), 1), size):
                    yield text[at:at + size]

    def check(self, datagrams):
        """No line made more packets than it may."""
        if not self.socket:
            return
        seen = collections.Counter(text.decode().upper() for text in self.packets())
        if int.from_bytes(
                self.socket.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8)[4:], sys.byteorder):
            # Somebody else's flood has pushed ours out: the totals must do here too.
            self.socket.close()
            return
        for text, copies in collections.Counter(text.decode().upper()
                                                for text in datagrams).items():
            expect(1 < seen[text] <= MOST * copies, True,
                   f"{seen[text]} packets of {text[:20]!r}, {copies} forged")
        self.socket.close()


def circle(datagrams, ports, host="127.0.0.1", options=(), most=MOST):
    """Lets datagrams go round between two servers, and none makes more than `most` packets."""
    def start(port):
        return Server(*options, port=port)
    first = start_on_free_port(start, ports[0])
    wire = Wire(first)
    second = start_on_free_port(lambda port: forge(first, datagrams, port, host, start), ports[1])
    a, b = settled(first, second, len(datagrams))
    packets = len(datagrams) + a["udp"]["replies"] + b["udp"]["replies"]
    if not options:
        wire.check(datagrams)
        loops = a["udp dropped"]["loop"] + b["udp dropped"]["loop"]
        expect(loops, len(datagrams), "known by one of them")
        if MARKED:
            expect(a["udp"]["replies"], len(datagrams), "answered by the other")
    expect((b["udp"]["replies"] == 0, packets <= most * len(datagrams)), (MARKED, True),
           f"{packets} packets, {options}, {a} {b}")
    if MARKED:
        expect(len(re.findall("a loop, silenced", first.log() + second.log())),
               int(b["udp dropped"]["loop"] > 0), "logged once")
    # Both still serve, the same lines too.
    for server in (first, second):
        if not options:
            expect(ask(udp(server, host), datagrams[0]), datagrams[0].decode().upper().encode(),
                   "another client's reply")
        server.stop()


# Ports where servers sit, and ports that a system gives to clients.
LOW, HIGH = (20000, 30000), (40000, 60000)


def one_datagram():
    """one forged datagram: one reply, on ports of any kind, over IPv4 and IPv6"""
    # Long ones that go round find no room on a busy machine.
    long = b"x" * (30000 if MARKED else 300)
    circles = [([text], ports)
               for text in (b"hello", b"HELLO", b"", b"42", "ŉ".encode(), long)
               for ports in ((LOW, LOW), (HIGH, HIGH), (LOW, HIGH))]
    if has_ipv6():
        circles.append(([b"hello"], (HIGH, HIGH), "::1"))
    # Each waits for totals, which a server tells twice a second.
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda arguments: circle(*arguments), circles))


def many_datagrams():
    """fifty different ones or copies at once: one reply each"""
    count = 50 if MARKED else 5
    for datagrams in ([b"hello %d" % i for i in range(count)], [b"HELLO %d" % i for i in range(count)],
                      [b"HELLO"] * count):
        circle(datagrams, (HIGH, HIGH))


def its_own_link():
    """whatever the servers' own links do: one reply, and no more copies than they make"""
    need_mark()
    for options in (["--delay=600ms", "--duplicate=100%"], [
            "--delay=30ms", "--jitter=20ms", "--duplicate=50%", "--loss=20%", "--reorder=30%"
    ]):
        circle([b"hello", b"HELLO"], (HIGH, LOW), options=options, most=5)


def need_mark():
    """Else a loop lasts as long as upcased(8) says, half a minute or more on a slow way."""
    if not MARKED:
        raise NotHere("loops over slow ways: this build knows none by its TTL")


class Way(threading.Thread):
    """A way between two servers, which takes `delay` in each direction and hands everything on
    `copies` times, as a router does. What passes is counted."""

    def __init__(self, delay, copies):
        super().__init__(daemon=True)
        self.servers = [Server(), Server()]
        self.ends = []
        self.under_way, self.passed, self.delay, self.copies = [], [0, 0], delay, copies
        for server in self.servers:
            end = udp(server)
            end.setsockopt(socket.IPPROTO_IP, IP_RECVTTL, 1)
            end.setblocking(False)
            self.ends.append(end)
        self.ended = False
        self.hand_over(0, b"hello", TTL)
        self.start()

    def hand_over(self, to, text, ttl):
        self.passed[to] += 1
        self.ends[to].setsockopt(socket.IPPROTO_IP, socket.IP_TTL, ttl)
        self.ends[to].send(text)

    def run(self):
        while not self.ended:
            now = time.monotonic()
            while self.under_way and self.under_way[0][0] <= now:
                self.hand_over(*self.under_way.pop(0)[1:])
            wait = min(self.under_way[0][0] - now, .05) if self.under_way else .05
            for end in select.select(self.ends, [], [], max(wait, 0))[0]:
                text, control, _, _ = end.recvmsg(1 << 16, 64)
                ttl = int.from_bytes(control[0][2], sys.byteorder) - 1
                self.under_way += [
                    (time.monotonic() + self.delay, 1 - self.ends.index(end), text, ttl)
                ] * self.copies

    def dropped(self):
        return [server.totals()["udp dropped"]["loop"] for server in self.servers]


def any_round_trip():
    """whatever the round trip, and whether the way makes copies: one reply"""
    need_mark()
    ways = [Way(trip / 2, copies) for trip in (0, .001, .06, .3, 1.2) for copies in (1, 3)]
    try:
        for way in ways:
            wait_until(lambda w=way: w.dropped() == [0, w.copies],
                       "that the second server gets the first one's reply")
        for way in ways:
            expect((way.under_way, way.passed, way.dropped()),
                   ([], [1, way.copies], [0, way.copies]), f"{way.delay} s, what passed")
    finally:
        for way in ways:
            way.ended = True
            way.join()


def a_stranger(answer, local="127.0.0.1", same=False, limit=FAST):
    """A server and another program that sends back what it gets, until the row is over."""
    with Server() as server:
        peer = udp(server, port=server.port if same else 0, local=local)
        peer.send(b"HELLO")
        peer.settimeout(.2)
        while True:
            try:
                peer.send(answer(peer.recv(1 << 16)))
            except TimeoutError:
                totals = server.totals()
                if totals["udp dropped"]["loop"]:
                    break
        # A stall of this machine is a part of the row.
        expect((limit / 2 < totals["udp"]["replies"] <= limit, totals["udp dropped"]["loop"]),
               (True, 1), f"{totals}")
        expect(len(re.findall("a loop, silenced", server.log())), 1, "logged once")
        expect(ask(udp(server), b"HELLO"), b"HELLO", "another client's reply")


def strangers():
    """a program that sends back what it gets: 30,000 replies at most, or 16 at a port of the same number"""
    a_stranger(bytes.upper)
    a_stranger(bytes, local="127.0.0.2", same=True, limit=SAME_PORT)


def a_textbook_server():
    """the textbook's server: 30,000 replies at most"""
    def textbook(port):
        process = subprocess.Popen([
            os.environ.get("PYTHON") or "python3",
            os.path.join(TOP, "tests/lib/textbook/udp_server.py"),
            str(port)
        ],
                                   stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT)
        if b"ready" not in process.stdout.readline():
            process.kill()
            process.wait()
            raise AssertionError("the port is in use")
        return process
    with Server() as server:
        process = start_on_free_port(lambda port: forge(server, [b"hello"], port, start=textbook),
                                     LOW)
        try:
            totals = server.wait_totals(lambda t: t["udp dropped"]["loop"] > 0, "the end of it")
            # The forged one is not its own capitals.
            expect((totals["udp"]["replies"] <= FAST + 1, totals["udp dropped"]["loop"]), (True, 1),
                   f"{totals}")
        finally:
            process.kill()
            process.wait()
            process.stdout.close()


def the_mark():
    """replies leave with a TTL of 96, over IPv4 and IPv6, by workers and by a socket of both, and one that comes with that gets none"""
    both = socket.socket(need_family("::1"), socket.SOCK_DGRAM)
    both.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    both.bind(("::", 0))
    for server in (Server(), *([Server(*WORKERS)] if WORKERS else []), handed_over(both)):
        for host, level, send, tell in (("127.0.0.1", socket.IPPROTO_IP, socket.IP_TTL, IP_RECVTTL),
                                        ("::1", socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS,
                                         socket.IPV6_RECVHOPLIMIT)):
            client = udp(server, host)
            client.setsockopt(level, tell, 1)
            client.send(b"HELLO")
            text, control, _, _ = client.recvmsg(100, 64)
            expect((text, [int.from_bytes(c[2], sys.byteorder) for c in control]), (b"HELLO", [96]),
                   f"reply at {host}")
            client.setsockopt(level, send, 96)
            client.send(b"HELLO")
            if MARKED:
                silence(client, udp(server, host))
            else:
                expect(client.recv(100), b"HELLO", "reply to what is not known by its TTL")
            # What has small letters is no reply.
            expect(ask(client, b"hello"), b"HELLO", "reply")
        # Those of a worker are told a moment later.
        wait_until(lambda: server.totals()["udp dropped"]["loop"] == 2 * MARKED, "both are counted")
        server.stop()


def a_person():
    """a person who types the same capitals again and again is not a loop"""
    with Server() as server:
        client = udp(server)
        for text, times, pause in ((b"HELLO", 25, 0.1), (b"", 60, 0.033)):
            for _ in range(times):
                expect(ask(client, text), text, "reply")
                time.sleep(pause)
        expect(server.totals()["udp dropped"]["loop"], 0, "silenced")


def a_program():
    """a program that repeats its capitals: a reply to each, at full speed and many at once, from ports of any kind"""
    with Server() as server:
        for port in (free_port(*LOW), free_port(*HIGH)):
            client = udp(server, port=port)
            for i in range(20000):
                expect(ask(client, b"HELLO"), b"HELLO", f"reply {i} to port {port}")
            for _ in range(40):
                for _ in range(50):
                    client.send(b"BURST")
                expect([client.recv(1 << 16) for _ in range(50)], [b"BURST"] * 50,
                       "replies to a burst")
        expect(server.totals()["udp dropped"]["loop"], 0, "silenced")


def own_address():
    """from the server's own address and port: no packet at all"""
    for host, options in (("127.0.0.1", []), ("::1", []), ("127.0.0.1", ["wild"])):
        own = socket.socket(need_family(host), socket.SOCK_DGRAM)
        own.bind(("0.0.0.0" if options else host, 0))
        port = own.getsockname()[1]
        for text in (b"hello", b"HELLO"):
            own.sendto(text, (host, port))
        with handed_over(own) as server:
            totals = server.wait_totals(lambda t: t["udp"]["datagrams"] == 2, "two datagrams")
            expect((totals["udp"]["replies"], totals["udp dropped"]["own-address"]), (0, 2),
                   f"totals at {host}")
            expect(ask(udp(server, host), b"hello"), b"HELLO", "reply to a client")


def handed_over(own):
    """A server that serves a socket of ours; see activation.py."""
    fd = own.fileno()
    return Server(port=None, before=(*ACTIVATE, str(fd)), pass_fds=[fd])


def low_ports():
    """from ports 7, 19 and 53, and all others below 1024: no packet at all"""
    with Server() as server:
        other = udp(server)
        tried = 0
        for port in (7, 19, 53, 123, 1023):
            for host in ("127.0.0.1", "::1"):
                client = udp(server, host, port)
                client.send(b"hello")
                client.send(b"HELLO")
                silence(client, other)
                client.close()
                tried += 2
        expect(server.totals()["udp dropped"]["low-port"], tried, "dropped")
        expect(ask(udp(server, port=free_port(1024, 9000)), b"hello"), b"HELLO",
               "reply to port 1024 or higher")


def may_bind_low_ports():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        try:
            s.bind(("127.0.0.1", 7))
            return True
        except PermissionError:
            return False


def raw_ports():
    """raw packets from port 0, the own address and odd sources: no packet at all"""
    with Server("--bind=0.0.0.0") as server, socket.socket(socket.AF_INET, socket.SOCK_RAW,
                                                           socket.IPPROTO_RAW) as raw:
        sources = [("127.0.0.1", 0), ("127.0.0.1", server.port), ("127.0.0.9", server.port),
                   ("127.0.0.1", 7)]
        for host, port in sources:
            for text in (b"hello", b"HELLO"):
                datagram = b"".join(
                    n.to_bytes(2, "big") for n in (port, server.port, 8 + len(text), 0)) + text
                header = bytes([0x45, 0]) + (20 + len(datagram)).to_bytes(2, "big") + bytes(
                    [0, 0, 0, 0, 64, 17, 0, 0])
                header += socket.inet_aton(host) + socket.inet_aton("127.0.0.1")
                header = header[:10] + checksum(header).to_bytes(2, "big") + header[12:]
                raw.sendto(header + datagram, ("127.0.0.1", 0))
        expect(ask(udp(server), b"hello"), b"HELLO", "reply to a client")
        totals = server.totals()
        expect(totals["udp"]["datagrams"], 2 * len(sources) + 1, f"datagrams: {totals}")
        expect((totals["udp"]["replies"], totals["udp dropped"]["own-address"],
                totals["udp dropped"]["low-port"]), (1, 4, 4), "totals")


def may_use_raw_sockets():
    try:
        socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW).close()
        return True
    except PermissionError:
        return False


# The last two need rights that an ordinary user does not have; the rules behind them are in
# test_loop_guard.c as well.
run(one_datagram, many_datagrams, its_own_link, any_round_trip, strangers, a_textbook_server,
    the_mark, a_person, a_program, own_address, *([low_ports] if may_bind_low_ports() else []),
    *([raw_ports] if may_use_raw_sockets() else []))
