# SPDX-License-Identifier: GPL-3.0-or-later
"""What the manual pages say of memory, and of how much is remembered, filled with what costs most.
Each row of the table quotes its page: a sentence that is changed there has to be measured anew.
Other bounds have their tests beside what they bound: slow clients in e2e/server/limits.py, the
control socket's in test_control_commands.c, the log's in test_log.c, loops in
e2e/server/reflection.py."""
import contextlib
import os
import pty
import re
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

import lab
from client import ENVIRONMENT
from server import PATIENCE, NotHere, Server, expect, queued, run, udp, wait_until
from tap import MUSL, UPCASE, read, sanitized

IP_PKTINFO, SOL_UDP, UDP_SEGMENT = 8, 17, 103
MIB = 1 << 10
# What any program takes whatever is kept, KiB: its code, its data, an allocator's own (glibc 2.43 keeps
# more blocks of 60 KB that were freed than older ones).
OWN = 12 * MIB


def memory(pid):
    """The most that it ever had, KiB; 0 when it is gone."""
    with contextlib.suppress(OSError), open(f"/proc/{pid}/status", encoding="ascii") as file:
        return int((re.search(r"^VmHWM:\s*(\d+)", file.read(), re.M) or ("", 0))[1])
    return 0


def within(kib, least, most, what):
    """A bound that is not nearly reached has not been tried."""
    print(f"# {what}: {kib} KiB, at most {most}")
    if MUSL:
        # The share that its allocator takes for itself.
        most += most // 8
    expect(least <= kib <= most, True, f"{what}: {kib} KiB, wanted {least} to {most}")


# --- the server ---

def flood(server, text, full):
    """Datagrams until it is full, many in a call where they are small, no faster than the server reads."""
    client, each = udp(server), 60 if len(text) < 1000 else 1
    if each > 1:
        client.setsockopt(SOL_UDP, UDP_SEGMENT, len(text))
    while not full(server.totals()):
        for i in range(30 * MIB * 1024 // 4 // (256 * each + len(text))):
            client.send(text * each)
            if i % 8 == 0:
                wait_until(lambda: queued(server) < 1 << 16, "the server to read")


def server_link():
    """datagrams of a byte, of a packet, the longest, and replies that grew, on a link that lets nothing out"""
    for way, text in ("there", b"x"), ("there",
                                       b"x" * 1400), ("there",
                                                      b"x" * 65507), ("back", "ΐ".encode() * 10000):
        with Server(f"--delay-{way}=60s") as server:
            before = server.memory()
            flood(server, text, lambda totals, name=f"udp {way}": totals.get(name, {}).get("room"))
            # And what the longest ones are received into.
            within(memory(server.pid) - before, 26 * MIB, 36 * MIB, f"{len(text)} bytes {way}")
            server.kill()


def server_gives_back():
    """what a peak took the sandboxed server gives back when it is over"""
    # On a busy machine the first datagrams leave before the last ones come: a longer delay helps.
    for delay in "2s", "10s":
        with Server(f"--delay-there={delay}") as server:
            before = server.memory()
            flood(server, b"x" * 1400,
                  lambda totals: totals.get("udp there", {}).get("datagrams", 0) > 12000)
            peaked = memory(server.pid) - before > 16 * MIB
            if peaked:
                server.wait_totals(lambda t: t["udp there"]["waiting"] == 0, "the end of the peak")
                wait_until(lambda: server.memory() - before < 4 * MIB, "memory that is given back")
                break
            server.kill()
    expect(peaked, True, "a peak")


def from_many(server, client, first, count):
    """A datagram from each of so many addresses of this host."""
    for i in range(first, first + count):
        # struct in_pktinfo: no interface, and the source's address.
        source = struct.pack("=i4s4x", 0, struct.pack("!I", 0x7f010000 + i))
        client.sendmsg([b"x"], [(socket.IPPROTO_IP, IP_PKTINFO, source)], 0,
                       ("127.0.0.1", server.port))
        if i % 128 == 0:
            wait_until(lambda: not queued(server), "the server to read")


def server_peers():
    """each of 4096 peers is counted once; one more, and who was silent longest is new again, others are not"""
    with Server() as server, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.bind(("0.0.0.0", 0))
        sent = 0
        for first, count, wanted in ((0, 4096, 4096), (0, 4096, 4096), (4096, 1, 4097),
                                     (0, 1, 4098), (2, 4094, 4098)):
            from_many(server, client, first, count)
            sent += count
            totals = server.wait_totals(lambda t, n=sent: t["udp"]["datagrams"] == n,
                                        "all datagrams")
            expect(totals["udp"]["clients"], wanted, f"clients after {sent} datagrams")


def server_sources():
    """30,000 sources, and 30,000 more, beside a rate for each"""
    with Server("--datagram-rate=1000") as server, socket.socket(socket.AF_INET,
                                                                 socket.SOCK_DGRAM) as client:
        client.bind(("0.0.0.0", 0))
        taken = []
        for first in 0, 30000:
            from_many(server, client, first, 30000)
            server.wait_totals(lambda t, n=first + 30000: t["udp"]["datagrams"] == n,
                               "all datagrams")
            taken.append(memory(server.pid))
        within(taken[1] - taken[0], 0, 256, "30,000 more sources")


# --- the lab ---

NEAR = f'''
import socket, sys, time
size, count = map(int, sys.argv[1:])
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.connect(("10.9.0.2", 9))
each = 60 if size < 1000 else 1
if each > 1:
    s.setsockopt({SOL_UDP}, {UDP_SEGMENT}, size)
link = socket.socket(socket.AF_UNIX)
link.connect(__import__("os").environ["UPCASE_LAB"])
def full():
    link.sendall(b"counts\\n")
    text = b""
    while b"\\nok\\n" not in text:
        text += link.recv(65536)
    return b"there lost-room 0\\n" not in text
while not full():
    for i in range(0, count, each):
        s.send(b"x" * size * each)
print("full", flush=True)
sys.stdin.readline()
'''


def lab_link():
    """packets of 29 bytes and of a full MTU on a link that lets nothing out"""
    if not lab.working_backends():
        raise NotHere("no back end of the lab works")
    for size, count in (1, 60000), (1472, 6000):
        process = lab.start("--delay-there=60s",
                            "--far=sleep 1000",
                            "--",
                            *lab.python(NEAR),
                            str(size),
                            str(count),
                            stdin=subprocess.PIPE)
        said = lab.read_line(process.stdout)
        most = max(map(memory, lab.processes(lab.LAB)), default=0)
        ended = lab.finish(process, "\n")
        expect(said, "full\n", f"the near host's word ({ended})")
        # One of the back ends has rings of 16 MiB.
        within(most, 120 * MIB, (128 + 16) * MIB + OWN, f"packets of {size + 28} bytes")


# --- the client ---

class Echo(threading.Thread):
    """Sends back what comes, which is no capitals, and with each datagram, if asked to, one that belongs to no line."""

    def __init__(self, transport="--udp", stray=False):
        super().__init__(daemon=True)
        self.stray = stray
        self.socket = socket.socket(
            socket.AF_INET, socket.SOCK_DGRAM if transport == "--udp" else socket.SOCK_STREAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        if transport == "--tcp":
            self.socket.listen()
        self.start()

    def run(self):
        if self.socket.type == socket.SOCK_STREAM:
            client = self.socket.accept()[0]
            while text := client.recv(1 << 20):
                client.sendall(text)
            return
        while True:
            text, who = self.socket.recvfrom(65536)
            self.socket.sendto(text, who)
            if self.stray:
                self.socket.sendto(b"?" + text[1:], who)


def peak(client, full=lambda: False):
    """The most memory that it has until it ends, or full() holds and it has taken no more for half a second; KiB."""
    most, since, until = 0, time.monotonic(), time.monotonic() + 3 * PATIENCE
    while client.poll() is None and not (full() and time.monotonic() > since + 0.5):
        now = memory(client.pid)
        if now > most:
            most, since = now, time.monotonic()
        expect(time.monotonic() < until, True, "an end")
        time.sleep(0.005)
    return most


def plain(port, *options, **more):
    return subprocess.Popen([UPCASE, "--plain", *options, "127.0.0.1",
                             str(port)],
                            env=ENVIRONMENT,
                            **{
                                "stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL,
                                "stderr": subprocess.DEVNULL, **more
                            })


def client_rows():
    """rows with a reply that differs, each of a few bytes"""
    with tempfile.TemporaryFile() as file:
        file.write(b"".join(b"x%x\n" % i for i in range(60000)))
        file.seek(0)
        within(peak(plain(Echo().port, "-q", "--rows=40000", stdin=file)), 12 * MIB,
               40000 // 2 + OWN, "40,000 rows")


def client_texts():
    """long lines with a reply that differs, over UDP and TCP"""
    for transport, bound, count in ("--udp", 128 * MIB, 1300), ("--tcp", 32 * MIB, 450):
        client = plain(Echo(transport).port, "-q", transport, stdin=subprocess.PIPE)

        def write(stdin=client.stdin, lines=count):
            with contextlib.suppress(BrokenPipeError), stdin:
                for i in range(lines):
                    stdin.write(b"%d" % i + b"x" * 60000 + b"\n")
        threading.Thread(target=write, daemon=True).start()
        within(peak(client), bound, bound + OWN, f"{count} lines of 60,000 bytes, {transport}")


def client_screen():
    """the screen, long lines, replies that differ, and as long ones that belong to no line"""
    main, side = pty.openpty()
    echo = Echo(stray=True)
    client = subprocess.Popen([
        UPCASE, "--udp", "--count=100000", "--interval=1ms", "--size=60000", "127.0.0.1",
        str(echo.port)
    ],
                              stdin=side,
                              stdout=side,
                              stderr=side,
                              env={**ENVIRONMENT, "TERM": "xterm"},
                              start_new_session=True)
    os.close(side)

    def drain():
        with contextlib.suppress(OSError):
            while os.read(main, 65536):
                pass
    threading.Thread(target=drain, daemon=True).start()
    try:
        bound, drawn = (128 + 32 + 2 * 32) * MIB, 48 * MIB
        wait_until(lambda: memory(client.pid) > bound, "all of it to be filled", 3 * PATIENCE)
        time.sleep(0.5)
        # Its rings of 100,000 rows are its own too.
        within(memory(client.pid), bound, bound + drawn + 32 * MIB, "the screen")
    finally:
        client.kill()
        client.wait()


def keeps_pace(port):
    """As many short lines as are kept at 50,000 a second. On a machine that is busy with other things
    many wait at a time, which takes memory beside their rows: tried again."""
    most = 77 * 1000000 // 1024
    for _ in range(5):
        kib = peak(plain(port, "-u", "-n160000", "-i20us"))
        if kib <= most:
            break
        print(f"# tried again: {kib} KiB")
    within(kib, 50 * MIB, most, "-u -n160000 -i20us")


def client_run():
    """as many short lines as are kept at that pace, and at any; over a connection that stalls; long ones over such a connection"""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    stalls = listener.getsockname()[1]
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(Server())
        within(peak(plain(server.port, "-u", "-n200000", "-i0")), 50 * MIB, 200000 // 2 + OWN,
               "-u -n200000 -i0")
        keeps_pace(server.port)
        runs = []
        for options, most in (("-t -n160000 -i20us -s60", 100 * 1000000 // 1024),
                              ("-t -n1000 -i1ms -s65507", 64 * MIB + OWN)):
            said = stack.enter_context(tempfile.TemporaryFile())
            client = plain(stalls, *options.split(), stderr=said)
            stack.callback(client.kill)
            runs.append((client, said, options, most))
        stack.enter_context(listener)
        for _ in range(2):
            stack.enter_context(listener.accept()[0])
        for client, said, options, most in runs:
            within(
                peak(client,
                     lambda file=said: b"failed: too many lines were queued" in os.pread(
                         file.fileno(), 1 << 16, 0)), 50 * MIB, most, options)


# --- the table ---

BOUNDS = [
    ("upcased.8", "lost because those under way took 32 MiB of memory already.", server_link),
    ("upcased.8", "It is given back when none is under way.", server_gives_back),
    ("upcased.8", "addresses and ports that were not among the last 4096 that had sent a datagram.",
     server_peers),
    ("upcased.8", "whoever has a million addresses neither makes it grow", server_sources),
    ("upcase-lab.1", "Packets on their way take at most 128 MiB of memory each way", lab_link),
    ("upcase.1", "Each takes half a kilobyte besides its text.", client_rows),
    ("upcase.1", "take 128 MiB at most over UDP and 32 MiB over TCP.", client_texts),
    ("upcase.1",
     "arrival, 32 MiB at most; replies that belong to no line, 32 MiB to show and 32 MiB to save; and the drawn form of "
     "long texts, 48 MiB at most.", client_screen),
    ("upcase.1",
     "take about 70 MB, and a connection that stalls takes some 25 MB more. With long lines such a connection takes twice "
     "the 32 MiB. With the interval 0 up to a million lines are remembered", client_run),
]


def row(page, sentence, test):
    def measured():
        text = " ".join(re.sub(r"^\..*$|\\&", " ", read("man", page), flags=re.M).split())
        expect(sentence in text, True, f"{page} says: {sentence}")
        test()
    measured.__doc__ = f"{page}, \"{sentence}\": {test.__doc__}"
    return measured


# A sanitizer takes memory of its own: with one only what is not measured in bytes can be.
tried = [server_peers] if sanitized() else [test for *_, test in BOUNDS]
run(*(row(*bound) for bound in BOUNDS
      if bound[2] in tried and bound[2].__name__ in (sys.argv[1:] or bound[2].__name__)))
