# SPDX-License-Identifier: GPL-3.0-or-later
"""Forged datagrams. Nobody needs to be root to forge one here: while a server is stopped, a datagram is sent to it from a
port that another server takes over before the first one goes on, so that it comes from that server as far as anyone can
tell. All else is real: two programs, their sockets, and the kernel between them."""
import collections
import os
import random
import re
import signal
import socket
import sys
import time

from server import Server, ask, expect, need_family, run, silence, stop_process, udp, wait_until

# What the issue allows for one forged datagram, that one included.
MOST = 16


def is_free(host, port):
    """For UDP and TCP?"""
    try:
        with socket.socket(need_family(host), socket.SOCK_DGRAM) as u, socket.socket(need_family(host), socket.SOCK_STREAM) as t:
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


def forge(first, datagrams, port, host="127.0.0.1"):
    """A second server on `port`, from which `datagrams` have come to the first one."""
    if not is_stopped(first):
        stop_process(first)
    with socket.socket(need_family(host), socket.SOCK_DGRAM) as forger:
        forger.bind((host, port))
        for text in datagrams:
            forger.sendto(text, (host, first.port))
    second = Server(port=port)
    first.process.send_signal(signal.SIGCONT)
    return second


def start_on_free_port(start, ports):
    """start(port=...), again if somebody else has taken the port in between."""
    while True:
        try:
            return start(port=free_port(*ports))
        except AssertionError as error:
            if "in use" not in str(error):
                raise


def is_stopped(server):
    with open(f"/proc/{server.pid}/stat", encoding="utf-8") as file:
        return file.read().rsplit(")", 1)[1].split()[0] == "T"


def settled(first, second):
    """The totals of both once nothing goes round any more."""
    seen = []

    def quiet():
        now = (first.totals()["udp"]["datagrams"], second.totals()["udp"]["datagrams"])
        seen.append((now, time.monotonic()))
        since = [when for counts, when in seen if counts == now]
        return now[0] > 0 and seen[-1][1] - since[0] > 0.15
    wait_until(quiet, "that nothing goes round any more")
    return first.totals(), second.totals()


# Of linux/if_packet.h; sizes of headers.
SOL_PACKET, PACKET_STATISTICS, PACKET_VNET_HDR, VNET_HEADER, ETHERNET_HEADER = 263, 6, 15, 10, 14
SO_RCVBUFFORCE = 33


class Wire:
    """What goes over the loopback interface from or to a server, where one may look: each line's packets are counted.
    An ordinary user may not; then the servers' own totals must do."""

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
        # Replies that are joined pass here in one packet: the header before each packet (struct virtio_net_hdr) tells.
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
            if where[2] == socket.PACKET_OUTGOING and packet[9 if start != 40 else 6] == 17 and self.port in ports:
                text = packet[start + 8:]
                size = size if joined else max(len(text), 1)
                for at in range(0, max(len(text), 1), size):
                    yield text[at:at + size]

    def check(self, datagrams):
        """No line made more packets than it may."""
        if not self.socket:
            return
        seen = collections.Counter(text.decode().upper() for text in self.packets())
        if int.from_bytes(self.socket.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8)[4:], sys.byteorder):
            # Somebody else's flood has pushed ours out: the totals must do here too.
            self.socket.close()
            return
        for text, copies in collections.Counter(text.decode().upper() for text in datagrams).items():
            expect(1 < seen[text] <= MOST * copies, True, f"{seen[text]} packets of {text[:20]!r}, {copies} forged")
        self.socket.close()


def circle(datagrams, ports, host="127.0.0.1"):
    """Lets datagrams go round between two servers. Returns all packets, the forged ones included."""
    first = start_on_free_port(Server, ports[0])
    wire = Wire(first)
    second = start_on_free_port(lambda port: forge(first, datagrams, port, host), ports[1])
    a, b = settled(first, second)
    packets = len(datagrams) + a["udp"]["replies"] + b["udp"]["replies"]
    wire.check(datagrams)
    expect(a["udp dropped"]["loop"] + b["udp dropped"]["loop"] > 0, True, f"a loop was found: {a} {b}")
    expect(a["udp"]["replies"] > 0 and b["udp"]["replies"] > 0, True, "both answered")
    logged = len(re.findall("a loop, silenced", first.log() + second.log()))
    expect(logged in (1, 2), True, f"logged once by each: {logged}")
    # Both still serve, the same lines too.
    for server in (first, second):
        expect(ask(udp(server, host), datagrams[0]), datagrams[0].decode().upper().encode(), "another client's reply")
        server.stop()
    return packets


# Ports where servers sit, and ports that a system gives to clients.
LOW, HIGH = (20000, 30000), (40000, 60000)


def one_datagram():
    """one forged datagram: at most 16 packets, on ports of any kind, over IPv4 and IPv6"""
    for text in (b"hello", b"HELLO", b"", b"42", "ŉ".encode(), b"x" * 30000):
        for ports in ((LOW, LOW), (HIGH, HIGH), (LOW, HIGH)):
            packets = circle([text], ports)
            expect(packets <= MOST, True, f"{packets} packets for {text[:10]!r}, ports {ports}")
    packets = circle([b"hello"], (HIGH, HIGH), "::1")
    expect(packets <= MOST, True, f"{packets} packets over IPv6")
    print(f"# {packets} packets")


def fifty_datagrams():
    """fifty different ones at once: at most 16 packets each"""
    for text in (b"hello %d", b"HELLO %d"):
        for ports in ((LOW, LOW), (HIGH, HIGH)):
            packets = circle([text % i for i in range(50)], ports)
            print(f"# {packets} packets for 50")
            expect(packets <= 50 * MOST, True, f"{packets} packets")


def fifty_copies():
    """fifty copies of one: they are not taken for a client that sends many at once"""
    for n in (2, 3, 50):
        packets = circle([b"HELLO"] * n, (HIGH, HIGH))
        print(f"# {packets} packets for {n} copies")
        expect(packets <= n * MOST, True, f"{packets} packets for {n} copies")


def a_person():
    """a person who types the same capitals again and again is not a loop"""
    with Server() as server:
        client = udp(server)
        for text, times, pause in ((b"HELLO", 25, 0.1), (b"", 60, 0.033)):
            for _ in range(times):
                expect(ask(client, text), text, "reply")
                time.sleep(pause)
        # And a program that is quick, but never sends the same twice.
        for i in range(2000):
            expect(ask(client, b"LINE %d" % i), b"LINE %d" % i, "reply")
            expect(ask(client, b"hello"), b"HELLO", "reply")
        expect(server.totals()["udp dropped"]["loop"], 0, "silenced")


def taken_for_a_loop():
    """a program that is taken for a loop is answered again after a pause"""
    with Server() as server:
        client, other = udp(server), udp(server)
        client.settimeout(0.4)
        answered = 0
        try:
            for _ in range(100):
                expect(ask(client, b"HELLO"), b"HELLO", "reply")
                answered += 1
        except TimeoutError:
            pass
        expect(answered <= MOST, True, f"{answered} replies")
        expect(ask(client, b"HELLO"), b"HELLO", "reply after a pause")
        expect(ask(other, b"HELLO"), b"HELLO", "another client's reply")
        expect(server.totals()["udp dropped"]["loop"], 1, "silenced")


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
            expect((totals["udp"]["replies"], totals["udp dropped"]["own-address"]), (0, 2), f"totals at {host}")
            expect(ask(udp(server, host), b"hello"), b"HELLO", "reply to a client")


def handed_over(own):
    """A server that serves a socket of ours; see server_activation.py."""
    fd = own.fileno()
    here = os.path.join(os.path.dirname(os.path.abspath(__file__)), "activate.py")
    return Server(port=None, before=(os.environ.get("PYTHON") or "python3", here, str(fd)), pass_fds=[fd])


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
        expect(ask(udp(server, port=free_port(1024, 9000)), b"hello"), b"HELLO", "reply to port 1024 or higher")


def may_bind_low_ports():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        try:
            s.bind(("127.0.0.1", 7))
            return True
        except PermissionError:
            return False


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(int.from_bytes(data[i:i + 2], "big") for i in range(0, len(data), 2))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def raw_ports():
    """raw packets from port 0, the own address and odd sources: no packet at all"""
    with Server("--bind=0.0.0.0") as server, socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as raw:
        sources = [("127.0.0.1", 0), ("127.0.0.1", server.port), ("127.0.0.9", server.port), ("127.0.0.1", 7)]
        for host, port in sources:
            for text in (b"hello", b"HELLO"):
                datagram = b"".join(n.to_bytes(2, "big") for n in (port, server.port, 8 + len(text), 0)) + text
                header = bytes([0x45, 0]) + (20 + len(datagram)).to_bytes(2, "big") + bytes([0, 0, 0, 0, 64, 17, 0, 0])
                header += socket.inet_aton(host) + socket.inet_aton("127.0.0.1")
                header = header[:10] + checksum(header).to_bytes(2, "big") + header[12:]
                raw.sendto(header + datagram, ("127.0.0.1", 0))
        expect(ask(udp(server), b"hello"), b"HELLO", "reply to a client")
        totals = server.totals()
        expect(totals["udp"]["datagrams"], 2 * len(sources) + 1, f"datagrams: {totals}")
        expect((totals["udp"]["replies"], totals["udp dropped"]["own-address"], totals["udp dropped"]["low-port"]),
               (1, 4, 4), "totals")


def may_use_raw_sockets():
    try:
        socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW).close()
        return True
    except PermissionError:
        return False


# The last two need rights that an ordinary user does not have; the rules behind them are in test_guard.c as well.
run(one_datagram, fifty_datagrams, fifty_copies, a_person, taken_for_a_loop, own_address,
    *([low_ports] if may_bind_low_ports() else []), *([raw_ports] if may_use_raw_sockets() else []))
