# SPDX-License-Identifier: GPL-3.0-or-later
"""Datagrams many at once: batches of mixed sizes and peers, replies that leave joined and questions
that come joined, what the kernel refuses, what it drops, fairness, and looking again before
sleeping. Witnesses are the kernel's own tables and strace, which also plays a kernel that
cannot."""
import os
import random
import re
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

from server import PATIENCE, Server, ask, drops, expect, read_exactly, run, stop_process, tcp, udp, wait_until
from tap import MUSL, has

SOL_UDP, UDP_SEGMENT = 17, 103
ONE_BY_ONE = not has("BATCHES") or "plain" in os.path.basename(os.environ.get("UPCASED", ""))


class Traced(Server):
    """upcased, watched by strace, which is told more by `words`."""

    def __init__(self, *options, words=()):
        self.folder = tempfile.TemporaryDirectory()
        self.trace = os.path.join(self.folder.name, "trace")
        # -D: the server stays our own child. LeakSanitizer cannot work while it is traced.
        asan = os.environ.get("ASAN_OPTIONS", "")
        super().__init__(*options,
                         before=("strace", "-D", "-q", "-s", "0", "-o", self.trace, *words),
                         env={"ASAN_OPTIONS": f"{asan}:detect_leaks=0"})

    def calls(self, pattern):
        """Calls seen, once the server has ended."""
        with open(self.trace, encoding="utf-8", errors="replace") as file:
            return [line for line in file if re.search(pattern, line)]


def held_back(server, send):
    """Has everything wait in the kernel's queue that send() sends, so that the server finds it at once."""
    stop_process(server)
    send()
    server.process.send_signal(signal.SIGCONT)


def receive(client, n):
    return [client.recv(1 << 17) for _ in range(n)]


def mixed():
    """batches of mixed sizes from mixed peers: each peer gets its own bytes, in order"""
    dice = random.Random(5)
    sizes = [0, 1, 2, 63, 64, 64, 64, 65, 1000, 1400, 1400, 1452, 1453, 3000, 20000]
    with Server() as server:
        for _ in range(6):
            clients = [udp(server, dice.choice(("127.0.0.1", "::1"))) for _ in range(8)]
            sent = {client: [] for client in clients}

            def send():
                for _ in range(250):
                    client = dice.choice(clients)
                    for _ in range(dice.choice((1, 1, 2, 5, 70))):
                        n = dice.choice(sizes[:-1]) if dice.random() < 0.98 else sizes[-1]
                        text = (f"{len(sent[client])} of {client.fileno()} " +
                                "grüße " * n).encode()[:n]
                        if sum(map(len, sent[client])) < 600000 and len(sent[client]) < 300:
                            sent[client].append(text)
                            client.send(text)
            held_back(server, send)
            for client in clients:
                for i, text in enumerate(sent[client]):
                    wanted = text.decode(errors="surrogateescape").upper().encode(
                        errors="surrogateescape")
                    expect(client.recv(1 << 17), wanted, f"reply {i}")
        totals = server.totals()
        expect((totals["udp"]["replies"], totals["udp system"].get("overflowed", 0)),
               (totals["udp"]["datagrams"], 0), "totals")


def joined_replies():
    """replies leave joined and arrive as the datagrams they are"""
    with Traced(words=("-e", "trace=sendmsg,sendmmsg")) as server:
        client = udp(server)
        texts = [b"line %03d of many" % i
                 for i in range(150)] + [b"a shorter one", b"x" * 1400, b"y" * 1400, b"z" * 700]
        held_back(server, lambda: [client.send(text) for text in texts])
        expect(receive(client, len(texts)), [text.upper() for text in texts], "replies")
        server.stop()
        wait_until(lambda: server.calls("exited with 0"), "the end of the trace")
        calls, joined = server.calls("= [1-9]"), server.calls("(UDP_SEGMENT|cmsg_type=0x67)")
        expect((len(calls) > 100, len(joined) > 0) if ONE_BY_ONE else
               (len(calls) < 30, len(joined) > 0), (True, False) if ONE_BY_ONE else (True, True),
               f"calls {len(calls)}, of them joined {len(joined)}")


def joined_questions():
    """datagrams that come joined are each counted and answered"""
    with Server() as server:
        client = udp(server)
        for n, size in ((40, 64), (64, 10), (40, 1400), (1, 50), (3, 1)):
            parts = [b"%02d" % i + b"q" * size for i in range(n)]
            parts = [part[:size] for part in parts] + [b"end"[:size]]
            client.sendmsg([b"".join(parts)], [(SOL_UDP, UDP_SEGMENT, struct.pack("=H", size))])
            whole = b"".join(parts)
            wanted = [whole[at:at + size].upper() for at in range(0, len(whole), size)]
            expect(receive(client, len(wanted)), wanted, f"replies of {size}")
        totals = server.totals()
        expect(totals["udp"]["datagrams"], totals["udp"]["replies"], "datagrams and replies")


def peer_that_is_gone():
    """peers that are gone in the midst of a batch spoil nobody else's replies"""
    with Server() as server:
        stay = [udp(server) for _ in range(5)]

        def send():
            for i in range(30):
                gone = udp(server)
                for _ in range(3):
                    gone.send(b"gone %02d" % i)
                gone.close()
                for client in stay:
                    client.send(b"here %02d" % i)
                    client.send(b"and here %02d" % i)
        for _ in range(3):
            held_back(server, send)
            for client in stay:
                expect(receive(client, 60),
                       [text % i for i in range(30) for text in (b"HERE %02d", b"AND HERE %02d")],
                       "replies")
        expect(server.totals()["udp"]["datagrams"], 3 * 30 * 13, "datagrams")


def dropped():
    """what the kernel drops is counted, as its own table has it"""
    with Server("--ipv4") as server:
        client = udp(server)
        for _ in range(2):
            before = drops(server)
            sent = server.totals()["udp"]["datagrams"]
            n = 0

            def flood():
                nonlocal n
                while drops(server) < before + 50:
                    for _ in range(100):
                        client.send(b"x" * 1400)
                    n += 100
            held_back(server, flood)
            totals = server.wait_totals(
                lambda t: t["udp"]["datagrams"] - sent == n - (drops(server) - before),
                "all that was not dropped")
            expect(totals["udp system"].get("overflowed"), drops(server) if has("ARRIVALS") else None,
                   "overflowed")
        expect(drops(server) >= 100, True, "dropped at all")


FLOOD = """
import socket, struct, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.connect(("127.0.0.1", int(sys.argv[1])))
for _ in iter(int, 1):
    s.sendmsg([b"f" * 64000], [(17, 103, struct.pack("=H", 1000))])
"""


def fair():
    """a flood of joined datagrams does not starve a TCP client, nor another datagram's sender"""
    with Server() as server:
        line, client = tcp(server), udp(server)
        flood = subprocess.Popen([sys.executable, "-c", FLOOD, str(server.port)])
        try:
            wait_until(lambda: server.totals()["udp"]["datagrams"] > 10000, "the flood")
            slowest = 0
            for i in range(100):
                start = time.monotonic()
                line.sendall(b"line %d\n" % i)
                expect(read_exactly(line, len(b"line %d\n" % i)), b"LINE %d\n" % i, "line")
                slowest = max(slowest, time.monotonic() - start)
            expect(slowest < PATIENCE / 10, True, f"slowest line {slowest:.3f} s")
            client.settimeout(0.2)
            for _ in range(200):
                try:
                    expect(ask(client, b"hello"), b"HELLO", "reply")
                    break
                except TimeoutError:
                    pass
            else:
                raise AssertionError("no reply amid the flood")
        finally:
            flood.kill()
            flood.wait()


def used(server):
    """Processor time, and that with what it waited for a processor that others had, s."""
    with open(f"/proc/{server.pid}/schedstat", encoding="ascii") as file:
        had, waited = map(int, file.read().split()[:2])
    return had / 1e9, (had + waited) / 1e9


def settled(server):
    """Both when they grow no more."""
    seen = [used(server)]

    def quiet():
        time.sleep(0.1)
        seen.append(used(server))
        return seen[-1][1] - seen[-2][1] < 0.001
    wait_until(quiet, "that it sleeps")
    return seen[-1]


def spin():
    """it looks again as long as --spin says, and then sleeps; without, it sleeps at once"""
    for options, least, most in (((), 0, 0.03), (("--spin=0", ), 0, 0.03), (("--spin=400ms", ),
                                                                            0.04, 0.6)):
        with Server(*options) as server:
            client, line = udp(server), tcp(server)
            line.sendall(b"before\n")
            expect(read_exactly(line, 7), b"BEFORE\n", "line")
            had, wanted = settled(server)
            expect(ask(client, b"hello"), b"HELLO", "reply")
            # Both are served while it looks.
            line.sendall(b"during\n")
            expect(read_exactly(line, 7), b"DURING\n", "line")
            expect(ask(client, b"again"), b"AGAIN", "reply")
            after = settled(server)
            took = f"{options}: {after[0] - had:.3f} s used, {after[1] - wanted:.3f} s wanted"
            expect(after[0] - had <= most and least <= after[1] - wanted, True, took)
            expect(settled(server)[0] - after[0] < 0.005, True, "idle")
    with Server("--spin=1s") as server:
        expect(ask(udp(server, "::1"), b"hello"), b"HELLO", "reply")
        server.stop()


def prompt():
    """peers that send at once on each reply: each gets its own, others beside them too, and afterwards it sleeps"""
    with Server() as server:
        client, line, other = udp(server), tcp(server), udp(server)
        for i in range(6000):
            text = b"message %d" % i
            if i // 1000 % 2:
                line.sendall(text + b"\n")
                got = read_exactly(line, len(text) + 1)[:-1]
            else:
                got = ask(client, text)
            expect(got, text.upper(), "reply")
            if i % 100 == 0:
                expect(ask(other, b"beside"), b"BESIDE", "reply of another")
        before = settled(server)
        expect(settled(server)[0] - before[0] < 0.005, True, "idle")


def refused(words, texts, log=None):
    """A kernel that refuses as strace is told."""
    with Traced("-v", words=("-e", "trace=sendmsg,sendmmsg,recvmsg,recvmmsg,?recvmmsg_time64,getsockopt",
                             *words)) as server:
        client, other = udp(server), udp(server)
        held_back(server, lambda: [who.send(text) for text in texts for who in (client, other)])
        for who in (client, other):
            expect(receive(who, len(texts)), [text.upper() for text in texts], f"replies ({words})")
        held_back(server, lambda: [client.send(text) for text in texts])
        expect(receive(client, len(texts)), [text.upper() for text in texts], f"replies ({words})")
        if log:
            server.wait_log(log)
        totals = server.stop()
        expect((totals["udp"]["replies"], sum(totals["udp dropped"].values())), (3 * len(texts), 0),
               "totals")
        wait_until(lambda: server.calls("exited with 0"), "the end of the trace")
        expect(len(server.calls("INJECTED")) > 0, True, "something was refused")


TEXTS = [b"line %02d" % i for i in range(30)]


def cannot():
    """a kernel without the calls, or a filter that forbids them: one by one, and the log says so"""
    for error in ("ENOSYS", "EPERM"):
        refused(("-e", "inject=getsockopt:error=ENOPROTOOPT", "-e",
                 f"inject=recvmmsg,?recvmmsg_time64,sendmmsg:error={error}"), TEXTS,
                r"udp 127.0.0.1:\d+: recvmsg and sendmsg, replies one by one")


def refuses_to_join():
    """a route that cannot split: the same replies one by one"""
    for error in ("EINVAL", "EIO"):
        # The first call of the kind: many messages to two peers, or one message of many replies.
        # musl's sendmmsg() calls sendmsg for each.
        for call in ("sendmsg",) if ONE_BY_ONE or MUSL else ("sendmsg", "sendmmsg"):
            refused(("-e", f"inject={call}:error={error}:when=1"), TEXTS)
    if not ONE_BY_ONE and not MUSL:
        refused(("-e", "inject=sendmmsg:error=EMSGSIZE:when=1"), TEXTS)


def waits():
    """a full queue: what waits goes out in order"""
    refused(("-e", "inject=sendmsg,sendmmsg:error=EAGAIN:when=1..4"), TEXTS)
    refused(("-e", "inject=sendmsg,sendmmsg:error=EINTR:when=1+3"), TEXTS)
    refused(("-e", "inject=sendmsg,sendmmsg:error=ECONNREFUSED:when=1+2"), TEXTS)


def told():
    """the log tells which calls are used, when it is asked to"""
    with Server("-v") as server:
        server.wait_log(
            "udp 127.0.0.1:[0-9]+: recvmsg and sendmsg, replies one by one, receives one by one"
            if ONE_BY_ONE else
            "udp 127.0.0.1:[0-9]+: recvmmsg and sendmmsg, replies joined .UDP_SEGMENT., receives joined .UDP_GRO."
        )
    with Server() as server:
        expect("recvm" in server.log(), False, "told unasked")


run(mixed, joined_replies, joined_questions, peer_that_is_gone, dropped, fair, spin, prompt,
    refuses_to_join, waits, told, *(() if ONE_BY_ONE else (cannot, )))
