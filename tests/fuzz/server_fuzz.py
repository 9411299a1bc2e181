# SPDX-License-Identifier: GPL-3.0-or-later
"""Random deeds of random clients at all of the server's sockets, beside a model: the capitals of
the bytes that were sent.

UPCASE_TEST_FUZZ_SECONDS says for how long each of the servers, UPCASE_TEST_FUZZ_SEED which deeds,
and UPCASE_TEST_FUZZ_ROUND from which round on: each round depends on these two numbers alone."""
import os
import random
import select
import socket
import struct
import subprocess
import tempfile
import time
import unicodedata

from server import ACTIVATE, PATIENCE, Server, ask, expect, has_ipv6, line, run, tcp, udp, wait_until
from server_control_client import Control
from tap import BUILD, has

SECONDS = float(os.environ.get("UPCASE_TEST_FUZZ_SECONDS", "1.5"))
SEED = os.environ.get("UPCASE_TEST_FUZZ_SEED") or str(random.SystemRandom().randrange(10 ** 9))
FIRST = int(os.environ.get("UPCASE_TEST_FUZZ_ROUND", "0"))
FILTER = os.path.join(BUILD, "tests/unit/common", "capitals_filter")
# RFC 768, RFC 791; over IPv6 no longer than a packet of loopback carries whole.
LONGEST = {socket.AF_INET: 65507, socket.AF_INET6: 65487}
LONGEST_REPLY = {socket.AF_INET: 65507, socket.AF_INET6: 65527}
ORDERS = [
    b"totals", b"connections", b"connection 127.0.0.1:40000", b"connection [::1]:1", b"link",
    b"help", b"", b"connection", b"totals totals", b"\xff\xfe", b"x" * 199, b"x" * 200, b"x" * 201,
    b"x" * 1000
]
BLOCKS = [(0, 0x7f), (0x20, 0x7e), (0x80, 0x24f), (0x370, 0x3ff), (0x400, 0x52f), (0x1e00, 0x1fff),
          (0x3040, 0x30ff), (0xfb00, 0xfb17), (0x10400, 0x1044f), (0x1f300, 0x1f64f), (0, 0xd7ff),
          (0xe000, 0x10ffff)]


def other_capitals():
    """Where our Unicode is not Python's: what ours has."""
    ours = subprocess.run([FILTER, "unicode"], stdout=subprocess.PIPE,
                          check=True).stdout.decode().strip()
    if unicodedata.unidata_version.startswith(ours + "."):
        return {}
    characters = [chr(c) for c in range(0x110000) if not 0xd800 <= c <= 0xdfff and c != 10]
    mapped = subprocess.run([FILTER],
                            input="\n".join(characters).encode(),
                            stdout=subprocess.PIPE,
                            check=True).stdout
    return {c: m for c, m in zip(characters, mapped.decode().split("\n")) if m != c.upper()}


OTHER = other_capitals()


def capitals(data):
    text = data.decode("utf-8", "surrogateescape")
    if OTHER and not OTHER.keys().isdisjoint(text):
        text = "".join(OTHER.get(c) or c.upper() for c in text)
    else:
        text = text.upper()
    return text.encode("utf-8", "surrogateescape")


def characters_of(dice, n):
    first, last = dice.choice(BLOCKS)
    return "".join(chr(dice.randint(first, last))
                   for _ in range(n)).encode("utf-8", "surrogatepass")


def bytes_of(dice, most):
    """Up to so many bytes of some kind."""
    kind = dice.randrange(7)
    n = dice.choice([
        0, 1, 2, 3,
        dice.randrange(20),
        dice.randrange(1 + min(most, 2000)),
        dice.randrange(1 + most)
    ])
    if kind == 0:
        data = dice.randbytes(n)
    elif kind == 1:
        data = bytes(n)
    elif kind == 2:
        data = (characters_of(dice, 20) + b"\n") * (n // 20 + 1)
    elif kind == 3:
        data = (characters_of(dice, 3)[:-1] + b"a") * (n // 3 + 1)
    elif kind == 4:
        data = "ΐßﬃ".encode() * (n // 6 + 1)
    elif kind == 5:
        data = b"".join(
            dice.choice([b"\xf0\x9f", b"\xe2\x82", b"\xc3", b"\x80", b"\xff", b"z"])
            for _ in range(n // 2 + 1))
    else:
        data = b"the quick brown fox\n" * (n // 20 + 1)
    return data[:n]


class Connection:
    """A TCP client that sends pieces and checks what comes back, and ends in one of many ways."""

    def __init__(self, dice, server, hosts):
        self.dice = dice
        host = dice.choice(hosts)
        self.socket = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET,
                                    socket.SOCK_STREAM)
        if dice.randrange(4) == 0:
            # With a smaller one the system sends so slowly that there is no end to it.
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF,
                                   dice.choice([5000, 20000, 100000]))
        self.socket.settimeout(PATIENCE)
        self.socket.connect((host, server.port))
        self.socket.setblocking(False)
        self.left = dice.randrange(1, 12)
        self.sent = bytearray()
        self.unsent = b""
        self.received = bytearray()
        # Where an urgent byte stands, which is part of the stream or not, as the system likes.
        self.urgent = None

    def put(self):
        if not self.unsent:
            return
        try:
            n = self.socket.send(self.unsent)
        except BlockingIOError:
            return
        self.sent += self.unsent[:n]
        self.unsent = self.unsent[n:]

    def get(self, most):
        try:
            data = self.socket.recv(most)
        except BlockingIOError:
            return None
        self.received += data
        return data

    def step(self):
        """One deed; whether there are more to come."""
        self.left -= 1
        deed = self.dice.randrange(10)
        if self.left <= 0:
            return self.end()
        if deed < 5 and not self.unsent:
            self.unsent = bytes_of(self.dice, 300000 if self.dice.randrange(4) == 0 else 3000)
            self.put()
        elif deed == 5 and not self.unsent:
            for byte in bytes_of(self.dice, 30):
                self.unsent += bytes([byte])
                self.put()
        elif deed == 6 and self.urgent is None and not self.unsent:
            self.urgent = len(self.sent)
            self.socket.send(b"u", socket.MSG_OOB)
        else:
            self.put()
            self.get(self.dice.choice([1, 100, 1 << 16]))
        return True

    def end(self):
        how = self.dice.randrange(6)
        if how == 0:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif how == 1:
            # It goes with what it was sent unread.
            pass
        elif how == 2:
            self.socket.shutdown(socket.SHUT_WR)
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            self.read_to_the_end()
        if how < 3 and self.urgent is None:
            whole = capitals(bytes(self.sent) + b"...")
            expect(whole.startswith(self.received[:-12]), True,
                   "the beginning of a reply that was given up")
        self.socket.close()
        return False

    def read_to_the_end(self):
        limit = time.monotonic() + PATIENCE
        while self.unsent:
            self.wait(limit, [self.socket])
            self.get(1 << 16)
            self.put()
        self.socket.shutdown(socket.SHUT_WR)
        while self.get(1 << 16) != b"":
            self.wait(limit, [])
        sent = bytes(self.sent)
        possible = [capitals(sent)]
        if self.urgent is not None:
            possible.append(capitals(sent[:self.urgent] + b"u" + sent[self.urgent:]))
        if self.received not in possible:
            at = next((i for i, (a, b) in enumerate(zip(self.received, possible[0])) if a != b), -1)
            raise AssertionError(
                f"TCP: {len(sent)} bytes sent, {len(self.received)} came, {len(possible[0])} wanted, "
                f"different at {at}, urgent {self.urgent}: {bytes(self.received[at:at + 30])!r}")

    def wait(self, limit, writers):
        if not any(select.select([self.socket], writers, [], max(0, limit - time.monotonic()))):
            raise AssertionError(
                f"TCP: nothing moves, {len(self.sent)} sent, {len(self.received)} came")


class Datagrams:
    """A UDP client: some datagrams from one port, each answered, or not where its capitals are too long."""

    def __init__(self, dice, server, hosts):
        self.dice = dice
        host = dice.choice(hosts)
        self.socket = udp(server, host, local="127.0.0.1" if host.startswith("127") else None)
        self.family = socket.AF_INET if "." in host else socket.AF_INET6
        # Fewer than make a loop of one that sends capitals of capitals.
        self.left = dice.randrange(1, 5)

    def step(self):
        text = bytes_of(self.dice, self.dice.choice([100, 1500, LONGEST[self.family]]))
        wanted = capitals(text)
        if len(wanted) <= LONGEST_REPLY[self.family]:
            expect(ask(self.socket, text), wanted, f"the reply to {len(text)} bytes")
        else:
            self.socket.send(text)
            expect(ask(self.socket, b"after it"), b"AFTER IT",
                   "the reply to what comes after one with too long capitals")
        self.left -= 1
        if self.left <= 0:
            self.socket.close()
        return self.left > 0


class Orders:
    """A client of the control socket: each line is one order, and has one answer."""

    def __init__(self, dice, path):
        self.dice = dice
        self.control = Control(path)
        self.left = dice.randrange(1, 8)
        self.sent = b""

    def order(self):
        text = bytearray(self.dice.choice(ORDERS))
        for _ in range(self.dice.choice([0, 0, 0, 1, 3])):
            text.insert(self.dice.randrange(len(text) + 1), self.dice.randrange(256))
        return bytes(text) + self.dice.choice([b"\n", b"\n", b"\r\n", b""])

    def step(self):
        text = b"".join(self.order() for _ in range(self.dice.randrange(4)))
        self.sent += text
        self.control.socket.sendall(text)
        self.left -= 1
        if self.left > 0:
            return True
        if self.dice.randrange(3):
            self.check()
        self.control.close()
        return False

    def check(self):
        self.control.socket.shutdown(socket.SHUT_WR)
        lines = self.control.lines.read().split("\n")
        expect(lines[-1], "", "the last line of answers is whole")
        answers = [text for text in lines if text == "ok" or text.startswith("error")]
        expect(lines[:-1][-1:], answers[-1:], "the end of the answers")
        *whole, last = self.sent.split(b"\n")
        # The beginning of one that is too long, and never ends, has no answer or one.
        least = len(whole) + (0 < len(last) <= 200)
        expect(least <= len(answers) <= len(whole) + (last != b""), True,
               f"{len(answers)} answers to {len(whole)} orders and {last!r}: {self.sent!r}")


def play(dice, server, hosts, path):
    """One round: some clients, whose deeds come in any order."""
    makers = [lambda: Connection(dice, server, hosts)
              ] * 4 + [lambda: Datagrams(dice, server, hosts)] * 2
    makers += [lambda: Orders(dice, path)] if path else []
    clients = [dice.choice(makers)() for _ in range(dice.randrange(1, 7))]
    while clients:
        client = dice.choice(clients)
        if not client.step():
            clients.remove(client)


def work_of(server):
    """Its processor time so far."""
    with open(f"/proc/{server.pid}/stat") as stat:
        return sum(map(int, stat.read().rsplit(")", 1)[1].split()[11:13]))


def rests(server):
    """It takes no processor time while nobody wants anything."""
    before, began = work_of(server), time.monotonic()
    wait_until(lambda: time.monotonic() - began > 0.1, "a moment")
    return work_of(server) <= before


def rounds(server, hosts, path=None):
    hosts = [host for host in hosts if ":" not in host or has_ipv6()]
    # What is opened once only is open then.
    expect(line(tcp(server, hosts[0]), b"first\n"), b"FIRST\n", "reply")
    wait_until(lambda: server.totals()["tcp"]["now"] == 0, "the end of the first one")
    before, end, n = server.descriptors(), time.monotonic() + SECONDS, FIRST
    while time.monotonic() < end or n == FIRST:
        try:
            play(random.Random(f"{SEED}.{n}"), server, hosts, path)
            expect(server.process.poll(), None, "the server's end")
        except Exception as error:
            raise AssertionError(
                f"UPCASE_TEST_FUZZ_SEED={SEED} UPCASE_TEST_FUZZ_ROUND={n}") from error
        n += 1
    wait_until(lambda: server.descriptors() == before, "the descriptors to be what they were")
    wait_until(lambda: rests(server), "the server to rest")
    totals = server.totals()
    expect((totals["tcp"]["now"], totals["tcp ended"]["cut"]), (0, 0), "connections at the end")
    expect(
        ask(udp(server, hosts[0], local="127.0.0.1" if hosts[0].startswith("127") else None),
            b"alive?"), b"ALIVE?", "reply")
    expect(line(tcp(server, hosts[0]), b"alive?\n"), b"ALIVE?\n", "reply")
    print(
        f"# seed {SEED}: {n - FIRST} rounds, {totals['tcp']['clients']} connections, {totals['udp']['datagrams']} datagrams"
    )


def with_control(*options):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "control")
        with Server(f"--control={path}", *options) as server:
            rounds(server, ["127.0.0.1", "::1"], path)


def by_select():
    """random deeds at every socket: what comes back is what the model says, the server lives and rests at the end"""
    with_control()


def many():
    """the same with more clients than select() can watch"""
    with_control("--max-clients=1200", "-v")


def handed_over():
    """the same at sockets that were handed over, with IPv4 as addresses of IPv6"""
    t, u = both_families()
    with activated([u, t]) as server:
        t.close()
        u.close()
        # A reply from the address that was asked.
        rounds(server, ["127.0.0.1", *(["127.0.0.2"] if has("ARRIVALS") else []), "::1"])


def both_families():
    """A listening and a datagram socket of one port, which take both families."""
    while True:
        t, u = (socket.socket(socket.AF_INET6, kind)
                for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM))
        for s in (t, u):
            s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        t.bind(("::", 0))
        t.listen(100)
        try:
            u.bind(("::", t.getsockname()[1]))
            return t, u
        except OSError:
            t.close()
            u.close()


def activated(sockets):
    fds = [s.fileno() for s in sockets]
    return Server(port=None, before=(*ACTIVATE, ",".join(map(str, fds))), pass_fds=fds)


run(by_select, *([many] if has("EPOLL") else []), handed_over)
