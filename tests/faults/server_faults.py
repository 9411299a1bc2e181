# SPDX-License-Identifier: GPL-3.0-or-later
"""Every system call of the server's loop fails now and then: random schedules of faults, each
repeated by its seed.

In a schedule a few clients over TCP and UDP are served while calls fail. On every connection that
lived, and the seam tells which did not, all capitals come back, once, in order, and then the end;
on one that did not, a part of them from the beginning. Every datagram has one reply, from the
address that was asked, or is in the totals as dropped."""
import collections
import functools
import mmap
import os
import random
import selectors
import socket
import struct
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.environ.get("abs_top_builddir") or os.path.join(HERE, "..", "..", "build")
WHOLE, PLAIN = (os.path.join(BUILD, "tests/faults", name)
                for name in ("upcased-faults", "upcased-plain-faults"))
os.environ["UPCASED"] = WHOLE

import server as servers
from server import PATIENCE, NotHere, Server, expect, line, run, tcp, wait_until
from tap import has, sanitized

SCHEDULES = int(os.environ.get("UPCASE_TEST_SCHEDULES", "0")) or 3000
SEED = int(os.environ.get("UPCASE_TEST_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 40)
TALLIED = collections.Counter()
UDP_SEGMENT = 103
ALPHABETS = ["abc xyz 0123\n", "grüße, ŉ, ﬁ, ΐ\n", "漢字 😀 ß ι\n", "ALREADY CAPITALS\n"]


class Seam:
    """What is shared with tests/faults/faults.c: struct shared of tests/faults/faults.h."""
    HEAD = struct.Struct("11Q")
    TALLY = struct.Struct("24sQ")
    MOST, NOTES = 128, 65536
    SCHEDULE, SEED, ONE_IN, NTH, ONLY_MEMORY, SPARE_LOG, MADE, FAILED, SPLITS, NOTED, COUNT = range(
        11)

    def __init__(self):
        self.fd = os.memfd_create("seam")
        size = self.HEAD.size + self.MOST * self.TALLY.size + self.NOTES * 8
        os.ftruncate(self.fd, size)
        self.memory = mmap.mmap(self.fd, size)
        self.schedule, self.read = 0, 0

    def get(self, which):
        return struct.unpack_from("Q", self.memory, 8 * which)[0]

    def put(self, which, value):
        struct.pack_into("Q", self.memory, 8 * which, value)

    def begin(self, seed, one_in):
        self.schedule += 1
        self.put(self.SEED, seed)
        self.put(self.SCHEDULE, self.schedule)
        self.put(self.ONE_IN, one_in)

    def end(self):
        self.put(self.ONE_IN, 0)

    def dead(self):
        """The ports of the clients whose connections did not live in this schedule."""
        noted, ports = self.get(self.NOTED), set()
        start = self.HEAD.size + self.MOST * self.TALLY.size
        for i in range(self.read, noted):
            note = struct.unpack_from("Q", self.memory, start + 8 * (i % self.NOTES))[0]
            if note >> 16 == self.schedule:
                ports.add(note & 0xffff)
        self.read = noted
        return ports

    def _tally(self, i):
        name, count = self.TALLY.unpack_from(self.memory, self.HEAD.size + i * self.TALLY.size)
        return name.split(b"\0")[0].decode(), count

    def tallies(self):
        found = collections.Counter()
        for i in range(self.get(self.COUNT)):
            name, count = self._tally(i)
            found[name] += count
        return found

    def failed(self):
        """The name of the fault of Seam.NTH; None if there were not so many calls."""
        number = self.get(self.FAILED)
        return self._tally(number - 1)[0] if number else None


class Faulty(Server):
    """upcased behind the seam."""

    def __init__(self, *options, program=WHOLE, **more):
        self.seam = Seam()
        servers.UPCASED = program
        self.lifeline, self.held = os.pipe()
        super().__init__(f"--lifeline-fd={self.lifeline}",
                         *options,
                         pass_fds=(self.seam.fd, self.lifeline),
                         env={"UPCASE_FAULTS": str(self.seam.fd)},
                         **more)

    def kill(self):
        super().kill()
        for fd in (self.lifeline, self.held, self.seam.fd):
            os.close(fd)
        self.seam.memory.close()


def capitals(text):
    return text.decode().upper().encode()


def some_text(chance, most):
    alphabet = chance.choice(ALPHABETS)
    n = chance.choice([0, 1, 5, 80, chance.randrange(most)])
    return "".join(chance.choices(alphabet, k=min(n, 200))).encode() * (1 + n // 200)


class Client:
    """A connection: sends its text in pieces, then its end."""

    def __init__(self, server, chance):
        large = chance.random() < 0.05
        self.text = some_text(chance, 300000 if large else 4000)
        self.wanted, self.got, self.sent = capitals(self.text), bytearray(), 0
        self.piece = chance.choice([1 + len(self.text) // 3, 1 + len(self.text) // 10, 1 << 20])
        self.socket = socket.socket()
        self.socket.setblocking(False)
        if large:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.connect_ex(("127.0.0.1", server.port))
        self.port = self.socket.getsockname()[1]
        self.broken = None

    def write(self):
        """Returns whether there is more to write."""
        try:
            self.sent += self.socket.send(self.text[self.sent:self.sent + self.piece])
            if self.sent == len(self.text):
                self.socket.shutdown(socket.SHUT_WR)
        except OSError as error:
            self.broken = error
            return False
        return self.sent < len(self.text)

    def read(self):
        """Returns whether the end has come."""
        try:
            data = self.socket.recv(1 << 16)
        except OSError as error:
            self.broken = error
            return True
        self.got += data
        return not data

    def judge(self, dead):
        got = bytes(self.got)
        if self.port in dead:
            expect(self.wanted.startswith(got), True,
                   f"a broken connection's bytes {got[-80:]!r} are some that were asked for")
        elif self.broken or got != self.wanted:
            raise AssertionError(
                f"port {self.port}: {len(got)} of {len(self.wanted)} bytes, {len(self.text)} asked, "
                f"{self.broken}, a part from the beginning: {self.wanted.startswith(got)}")
        return self.port in dead


class Peer:
    """A socket that sends datagrams and knows what may come back."""

    def __init__(self, server, host="127.0.0.1", name="a"):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self.socket.settimeout(PATIENCE)
        self.at, self.name = (host, server.port), name
        self.waiting, self.sent, self.got, self.number = collections.Counter(), 0, 0, 0

    def send(self, data):
        self.socket.sendto(data, self.at)
        self.waiting[capitals(data)] += 1
        self.sent += 1

    def _text(self, chance, n):
        self.number += 1
        return f"{self.name} {self.number} ".encode() + (chance.choice(ALPHABETS).encode() *
                                                         (1 + n // 12))[:n]

    def burst(self, chance):
        """Some datagrams: of many lengths, of one, or sent as one for the kernel to split."""
        way, n = chance.randrange(4), chance.choice([1, 3, 20, 40])
        if way == 0:
            for _ in range(n):
                text = self._text(chance, chance.choice([0, 10, 700, 3000]))
                self.send(text.decode(errors="ignore").encode())
            self.send(capitals(self._text(chance, 0)))
        elif way == 1:
            for _ in range(n):
                self.send(self._text(chance, 0).ljust(60, b"x"))
        else:
            texts = [self._text(chance, 0).ljust(100, b"y") for _ in range(n)]
            self.socket.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, 100)
            self.socket.sendto(b"".join(texts), self.at)
            self.socket.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, 0)
            for text in texts:
                self.waiting[capitals(text)] += 1
            self.sent += n

    def collect(self):
        """All replies that come, up to one to what is sent now, when nothing fails any more."""
        last = self._text(random, 0) + b"last"
        self.send(last)
        while True:
            reply, origin = self.socket.recvfrom(1 << 17)
            expect(origin, self.at, "where a reply comes from")
            if not self.waiting[reply]:
                raise AssertionError(f"a reply too many, or of another one's: {reply[:100]!r}")
            self.waiting[reply] -= 1
            self.got += 1
            if reply == capitals(last):
                break
        self.waiting.clear()


def serve_all(clients, peers, chance):
    """All clients to their ends; bursts of datagrams in between."""
    bursts = [peer for peer in peers for _ in range(chance.randrange(3))]
    chance.shuffle(bursts)
    with selectors.PollSelector() as selector:
        for client in clients:
            selector.register(client.socket, selectors.EVENT_READ | selectors.EVENT_WRITE, client)
        left = len(clients)
        while left or bursts:
            if bursts:
                bursts.pop().burst(chance)
            ready = selector.select(PATIENCE if left and not bursts else 0)
            if not ready and left and not bursts:
                raise AssertionError(f"{left} connections stand still: " + ", ".join(
                    f"port {client.port}, {client.sent} of {len(client.text)} sent, {len(client.got)} back"
                    for client in clients if client.socket.fileno() in selector.get_map()))
            for key, events in ready:
                client = key.data
                if events & selectors.EVENT_WRITE and client.sent < len(
                        client.text) + 1 and not client.write():
                    selector.modify(client.socket, selectors.EVENT_READ, client)
                if events & selectors.EVENT_READ and client.read():
                    selector.unregister(client.socket)
                    left -= 1


class Course:
    """Schedules on one server, and what they did together."""

    def __init__(self, server, hosts, control_path):
        self.server, self.hosts, self.control_path = server, hosts, control_path
        self.connections, self.died, self.peers = 0, 0, []
        for name in "ab":
            for host in hosts:
                self.peers.append(Peer(server, host, f"{name} {host}"))

    def schedule(self, seed):
        chance = random.Random(seed)
        peers = [peer for peer in self.peers if chance.random() < 0.5]
        self.server.seam.begin(seed, chance.choice([2, 3, 5, 10, 30]))
        clients = [Client(self.server, chance) for _ in range(chance.randrange(4))]
        serve_all(clients, peers, chance)
        if chance.random() < 0.2:
            control(self.control_path)
        self.server.seam.end()
        if peers:
            # The last ones are not to be dropped by the kernel.
            wait_until(lambda: not queued(self.server), "the server to read")
        for peer in peers:
            peer.collect()
        dead = self.server.seam.dead()
        for client in clients:
            self.died += client.judge(dead)
            client.socket.close()
        self.connections += len(clients)

    def check(self, totals):
        """What the clients saw is what the server counted."""
        sent, got = (sum(getattr(peer, what) for peer in self.peers) for what in ("sent", "got"))
        # Where the system gives a small receive buffer.
        overflowed = totals["udp system"].get("overflowed", 0)
        expect(totals["udp"]["datagrams"] + overflowed, sent, "datagrams received")
        expect(totals["udp"]["replies"], got, "replies sent")
        dropped = totals["udp dropped"]
        lost = sum(dropped[word] for word in ("unsendable", "unsent", "too-long"))
        lost += sum(totals[way]["room"] for way in ("udp there", "udp back") if way in totals)
        expect(lost + overflowed, sent - got, f"losses by faults in {totals}")
        bad = sum(totals["tcp ended"][word] for word in ("reset", "cut", "idle"))
        refused = sum(totals["tcp refused"].values())
        expect(bad + refused <= self.died, True, f"{self.died} connections were broken; {totals}")
        expect(totals["tcp"]["clients"] + refused <= self.connections, True,
               f"{self.connections} connections: {totals}")


def queued(server):
    """Bytes in the receive queues of the server's datagram sockets: the kernel's own word."""
    with open("/proc/net/udp", encoding="ascii") as table:
        rows = [row.split() for row in table][1:]
    return sum(
        int(row[4].split(":")[1], 16) for row in rows if row[1].endswith(f":{server.port:04X}"))


def control(path):
    """Two orders over the control socket: how many were answered whole, when the answer has ended."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(PATIENCE)
        answer = b""
        try:
            client.connect(path)
            client.sendall(b"totals\nconnections\n")
            client.shutdown(socket.SHUT_WR)
            answer = servers.read_all(client)
        except (ConnectionResetError, BrokenPipeError):
            pass
    return answer.split(b"\n").count(b"ok")


def cpu(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        return sum(map(int, file.read().rsplit(")", 1)[1].split()[11:13]))


def check_rest(server, descriptors):
    """Nobody is there any more: nothing is left of them, the server sleeps, and serves whoever comes."""
    server.wait_totals(lambda t: t["tcp"]["now"] == 0, "no client")
    expect(server.descriptors(), descriptors, "descriptors")
    before = cpu(server.pid)
    time.sleep(0.3)
    expect(cpu(server.pid) - before <= 2, True, "ticks of a server that nobody asks")


def at_the_end(seed, *options, **more):
    """SIGTERM while calls fail: what was received before is answered all the same."""
    chance = random.Random(seed)
    with Faulty(*options, **more) as server:
        clients = [tcp(server) for _ in range(3)]
        for client in clients:
            expect(line(client, b"first\n"), b"FIRST\n", "reply")
        # The last totals are to be read.
        server.seam.put(Seam.SPARE_LOG, 1)
        server.seam.begin(seed, chance.choice([2, 3, 5, 10]))
        texts = [some_text(chance, 4000) for _ in clients]
        for client, text in zip(clients, texts):
            client.sendall(text)
        server.stop()
        dead = server.seam.dead()
        for client, text in zip(clients, texts):
            got = b""
            try:
                got = servers.read_all(client)
            except ConnectionResetError:
                expect(client.getsockname()[1] in dead, True,
                       "a connection that was reset did not live")
            if client.getsockname()[1] in dead:
                expect(capitals(text).startswith(got), True, "the bytes of a broken connection")
            else:
                expect(got, capitals(text), "the last bytes of a connection that lived")
            client.close()
        TALLIED.update(server.seam.tallies())


def repeated(seed, function, *arguments):
    """Runs it; if it fails, says how to repeat it."""
    try:
        function(*arguments)
    except Exception as error:
        raise AssertionError(
            f"schedule {seed} (UPCASE_TEST_SEED={seed} UPCASE_TEST_SCHEDULES=1 repeats it)"
        ) from error


def outside(program):
    """The names that a program takes from libraries."""
    names = subprocess.run(["nm", "-u", program], capture_output=True, check=True).stdout
    if sanitized() and b"__asan_" not in names:
        raise NotHere("a seam in the calls where clang has linked in its sanitizers, which make such calls too")
    return names


def schedules(share, *options, hosts=("127.0.0.1",), needed=(), **more):
    """`share` of all schedules on one server with these options, and some ends."""
    names = outside(more.get("program", WHOLE))
    if b"__pselect64" in names:
        raise NotHere("a seam in the calls of 32 bits, which have other names for times of 64 bits")
    count = max(1, int(SCHEDULES * share))
    started, options = time.monotonic(), ("--idle-timeout=0", *options)
    folder = tempfile.TemporaryDirectory(prefix="upcase-test-")
    path = os.path.join(folder.name, "control")
    with folder, Faulty(*options, f"--control={path}", **more) as server:
        course = Course(server, hosts, path)
        expect(line(tcp(server), b"hello\n"), b"HELLO\n", "before any fault")
        course.connections += 1
        server.wait_totals(lambda t: t["tcp"]["now"] == 0, "no client")
        descriptors = server.descriptors()
        for seed in range(SEED, SEED + count):
            repeated(seed, course.schedule, seed)
        expect(control(path), 2, "orders answered when nothing fails")
        check_rest(server, descriptors)
        course.check(server.totals())
        tallies = server.seam.tallies()
        faults, splits = sum(tallies.values()), server.seam.get(Seam.SPLITS)
        course.check(server.stop())
    for seed in range(SEED, SEED + max(1, count // 100)):
        repeated(seed, functools.partial(at_the_end, **more), seed, *options)
    TALLIED.update(tallies)
    print(
        f"# {count} schedules from seed {SEED}: {faults} faults, {course.connections} connections ({course.died} did not "
        f"live), {sum(peer.sent for peer in course.peers)} datagrams, {splits} messages split, "
        f"{time.monotonic() - started:.1f} s")
    if count >= 300:
        expect([
            name for name in needed
            if not any(tally.startswith(name) and n for tally, n in tallies.items())
        ], [], "calls that never failed")


BATCHES = ("RECVMMSG", "SENDMMSG") if has("BATCHES") else ("RECVMSG",)
LOOP = ("PSELECT", "ACCEPT", "RECV ", "SEND ", *(["GETSOCKOPT"] if has("TCP_INFO") else []), "CLOSE", "ALLOCATE")


def by_select():
    """select(), datagrams in batches"""
    schedules(0.3, "--bind=127.0.0.1", needed=(*LOOP, *BATCHES, "SENDMSG"))


def by_epoll():
    """epoll for the clients, at two addresses of a socket that is bound to none"""
    schedules(0.3, "--bind=0.0.0.0", "--max-clients=6000", hosts=("127.0.0.1", "127.0.0.2"),
              needed=(*LOOP, "EPOLL_WAIT", "EPOLL_CTL"))


def plain():
    """datagrams one by one"""
    schedules(0.2, "--bind=127.0.0.1", program=PLAIN, needed=(*LOOP, "RECVMSG", "SENDMSG"))


def linked():
    """datagrams that travel over a link, which needs memory"""
    schedules(0.1, "--bind=127.0.0.1", "--delay=1ms", needed=("ALLOCATE",))


def workers():
    """two workers that share the port"""
    schedules(0.1, "--bind=127.0.0.1", "--workers=2", needed=LOOP)


def show():
    """the count of faults by kind"""
    print("# " + ", ".join(f"{name} {count}" for name, count in sorted(TALLIED.items()) if count))
    if not TALLIED:
        raise NotHere("any schedule")
    expect(sum(TALLIED.values()) > 0, True, "faults")


if __name__ == "__main__":
    servers.LIMIT += SCHEDULES / 20
    run(by_select, *([by_epoll] if has("EPOLL") else []), plain, linked,
        *([workers] if has("WORKERS") else []), show)
