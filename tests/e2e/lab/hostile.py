# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab that is none: whatever stands behind the control sockets, the client tells its own fates
and keeps a recording that can be read again, "ctl" needs little memory, and neither lets it drive
the terminal."""
import concurrent.futures
import contextlib
import os
import pty
import random
import re
import socket
import subprocess
import tempfile
import threading
import time

from client import ENVIRONMENT, PATIENCE, run, upcased
from tap import LAB, done, point

NUMBERS = [0, 1, -1, 2**31, 2**32 - 1, 2**62, 2**63 - 1, 2**63, 2**64 - 1, 10**30]
ESCAPES = "\x1b]0;owned\x07\x1b[31mRED\u202e"
# How the link is set, without which the client waits a while before it starts.
SET = ("loss 0%", "burst off", "delay 0ms", "jitter 0ms", "distribution uniform", "order kept",
       "duplicate 0%", "reorder 0%", "reorder-by 10ms", "corrupt 0%", "rate off", "queue 100p",
       "mtu off", "icmp sent")
FATES = "delivered", "random", "queue", "cue", "mtu", "no-icmp", "corrupted", ESCAPES
# The client is to be done in this time, seconds; the lab goes on for a little longer.
LIFE = 2
# KiB that "ctl" may grow by, and bytes that one endless line has.
ROOM, ENDLESS = 4096, 32 << 20


def event(chance, ports):
    time_now = time.monotonic_ns()
    words = {word: chance.choice(NUMBERS + [time_now] * 9) for word in ("in", "out", "out2")}
    words |= {
        word: chance.choice(NUMBERS + [chance.randrange(99)] * 9)
        for word in ("id", "frag", "seq", "ack", "payload", "size")
    }
    words |= {
        "proto": chance.choice(("udp", "tcp", "icmp")), "fate": chance.choice(FATES),
        "marks": ESCAPES, "flags": chance.choice(
            ("S", "SA", "A", "FA", "R", ESCAPES)), "hash": f"{chance.getrandbits(64):x}"
    }
    words |= {word: chance.choice(ports) for word in ("sport", "dport")}
    return (f"event {chance.choice(NUMBERS)} {chance.choice(('there', 'back'))} " +
            " ".join(f"{key}={value}" for key, value in words.items() if chance.random() < 0.9))


def changed(chance):
    return f"changed {chance.choice(NUMBERS)} " + chance.choice(
        ("set loss 30%; nothing", f"set {ESCAPES}; {ESCAPES}", "drop next udp request", "hold 365d",
         f"unplug 5s {ESCAPES}"))


def connection(chance, ports):
    """What the far server knows: nobody's kernel counts so."""
    words = "rto-us", "rtt-us", "rttvar-us", "backoff", "total-retrans", "total-rto"
    return f"connection 127.0.0.1:{chance.choice(ports)} " + " ".join(
        f"{word} {chance.choice(NUMBERS)}" for word in words)


def near_ports(server_port):
    """Of whoever talks to the server: the lab sees them on the wire."""
    ports = [server_port]
    for name in "tcp", "udp":
        with open(f"/proc/net/{name}", encoding="ascii") as file:
            ports += [
                int(here, 16) for here, there in re.findall(r": \w+:(\w+) \w+:(\w+)", file.read())
                if int(there, 16) == server_port
            ]
    return ports


class Lab:
    """A control socket that speaks as `kind` says."""

    def __init__(self, path, kind, server_port=0):
        self.kind, self.port = kind, server_port
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(8)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=self.serve, args=(self.listener.accept()[0], ),
                                 daemon=True).start()

    def serve(self, client):
        end, chance = time.monotonic() + LIFE, random.Random(self.kind)
        client.settimeout(0.01)
        with contextlib.suppress(OSError), client:
            while time.monotonic() < end and self.kind != "closes":
                try:
                    if not (orders := client.recv(4096).decode().splitlines()):
                        return
                except socket.timeout:
                    orders = []
                client.settimeout(1)
                client.sendall(self.say(orders, chance))
                client.settimeout(0.01)

    def say(self, orders, chance):
        if self.kind == "never answers":
            return b""
        if self.kind == "garbage":
            return chance.randbytes(20000)
        if self.kind == "an endless line":
            return b"event 1 there in=" + b"9" * 60000
        if self.kind == "errors":
            return "".join(f"error {ESCAPES * 20}\n" for _ in orders).encode()
        ports = near_ports(self.port)
        lines = [event(chance, ports)
                 for _ in range(40)] + [ESCAPES, f"undelivered {chance.choice(NUMBERS)} back"]
        # At each change the client asks how the link is set now.
        lines += [changed(chance)] if chance.random() < 0.1 else []
        for order in orders:
            lines += [f"{way} {words}" for way in ("there", "back")
                      for words in SET] if order == "link" else []
            lines += [*(connection(chance, ports) for _ in range(5)), ESCAPES, "ok"]
        return ("\n".join(lines) + "\n").encode()

    def close(self):
        self.listener.close()


def client(kind, place, port):
    """Faults of the client in such a lab."""
    paths = [os.path.join(place, name + kind) for name in ("near", "far")]
    labs = [Lab(path, kind, port) for path in paths]
    saved = os.path.join(place, f"{kind}.jsonl")
    ended = run("--plain",
                "--both",
                "--count=8",
                "--interval=20ms",
                "--save",
                saved,
                "127.0.0.1",
                port,
                env={"UPCASE_LAB": paths[0], "UPCASE_LAB_FAR": paths[1]})
    again = run("--plain", "--read", saved)
    for lab in labs:
        lab.close()
    faults = [f"status {ended.returncode}: {ended.stderr[-300:]!r}"] if ended.returncode else []
    faults += [f"replies: {ended.stdout!r}"] if len(set(ended.stdout.splitlines())) != 16 else []
    faults += [f"status {again.returncode} when it is read again: {again.stderr[-300:]!r}"
               ] if again.returncode else []
    return faults + [
        f"{byte!r} on standard error"
        for byte in (b"\x1b", "\u202e".encode()) if byte in ended.stderr
    ]


def grown(process):
    """KiB that it has had at most so far."""
    with open(f"/proc/{process.pid}/status", encoding="ascii") as file:
        return int(re.search(r"^VmHWM:\s*(\d+)", file.read(), re.M)[1])


def ctl_endless(place):
    """Faults of "ctl watch" when a line does not end."""
    path, faults = os.path.join(place, "endless"), []
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(1)
    with subprocess.Popen([LAB, "ctl", "--socket", path, "watch"],
                          env=ENVIRONMENT,
                          stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL) as ctl:
        lab = listener.accept()[0]
        lab.settimeout(PATIENCE)
        lab.sendall(b"ok\n")
        before = grown(ctl)
        for _ in range(ENDLESS // 65536):
            lab.sendall(b"9" * 65536)
        # It has read all of it but for what a socket holds.
        more = grown(ctl) - before
        faults += [f"{more} KiB more for a line of {ENDLESS} bytes"] if more > ROOM else []
        lab.close()
        faults += [f"status {ctl.returncode}"] if ctl.wait(PATIENCE) else []
    listener.close()
    return faults


def ctl_on_terminal(place, words):
    """Faults of "ctl" on a terminal."""
    path = os.path.join(place, "tty" + "".join(words))
    lab = Lab(path, "events", 7)
    ours, theirs = pty.openpty()
    with subprocess.Popen([LAB, "ctl", "--socket", path, *words],
                          env=ENVIRONMENT,
                          stdin=subprocess.DEVNULL,
                          stdout=theirs,
                          stderr=theirs) as ctl:
        os.close(theirs)
        text = b""
        with contextlib.suppress(OSError):
            while data := os.read(ours, 65536):
                text += data
        status = ctl.wait(PATIENCE)
    os.close(ours)
    lab.close()
    faults = [f"status {status}: {text[-300:]!r}"] if status or len(text) < 1000 else []
    return faults + [
        f"{byte!r} on the terminal"
        for byte in (b"\x1b", b"\x07", "\u202e".encode()) if byte in text
    ]


KINDS = "events", "garbage", "an endless line", "errors", "never answers", "closes"
with tempfile.TemporaryDirectory() as folder:
    # At once: most of them wait for an answer that does not come.
    with upcased() as server, concurrent.futures.ThreadPoolExecutor() as pool:
        for what, found in zip(KINDS, pool.map(lambda kind: client(kind, folder, server.port),
                                               KINDS)):
            point(f"the client in a lab that is none: {what}", found)
    point("ctl watch: an endless line takes little memory", ctl_endless(folder))
    point("ctl watch: nothing that the lab says drives the terminal",
          ctl_on_terminal(folder, ["watch"]))
    point("ctl link: nothing that the lab says drives the terminal",
          ctl_on_terminal(folder, ["link"]))
done()
