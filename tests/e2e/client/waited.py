# SPDX-License-Identifier: GPL-3.0-or-later
"""The time from Enter to reply and its parts, beside what the test sees itself: when it typed a
line, when its own server had it and answered it. A connection that comes late, a server that closes
after each reply, a window; and totals that chance did not decide."""

import json
import os
import re
import socket
import subprocess
import sys
import threading
import time

from client import ENVIRONMENT, PATIENCE, UPCASE, python, run
from tap import Late, best_of, done, point

HERE = "127.0.0.1"
DELAY = 0.2
# s: what waking up and writing a record may take, also on a machine that is busy with other things.
SLACK = 0.12 * PATIENCE / 60


class Client:
    """A plain client whose records are read as they come."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen([UPCASE, "--plain", "--json", *map(str, arguments)],
                                        stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE,
                                        env=ENVIRONMENT)
        self.typed = {}
        self.count = 0

    def type(self, *lines):
        self.process.stdin.write(b"".join(b"%s\n" % line.encode() for line in lines))
        self.process.stdin.flush()
        for _ in lines:
            self.count += 1
            self.typed[self.count] = time.monotonic()

    def record(self):
        """The next record of a line, and when it was seen."""
        for text in self.process.stdout:
            record = json.loads(text)
            if record["type"] == "line":
                return record, time.monotonic()
        raise EOFError("no more records")

    def end(self):
        """The records that are left, and what stands on standard error."""
        out, err = self.process.communicate(timeout=PATIENCE)
        return [json.loads(line) for line in out.splitlines()], err.decode()


def seconds(record, *keys):
    return sum(record[key + "_ns"] for key in keys) / 1e9


def close_to(what, got, wanted, slack=SLACK):
    return [] if wanted - slack <= got <= wanted + slack else [
        Late(f"{what}: {got:.4f} s, not about {wanted:.4f}")
    ]


def whole(record):
    parts = seconds(record, "connecting", "queued", "rtt")
    return [] if abs(parts - seconds(record, "waited")) < 1e-9 else [
        f"line {record['n']}: the parts make {parts}"
    ]


def closing_server(listener, answered):
    """Reads a line of each connection, answers after DELAY and closes; notes when."""
    while True:
        connection, _ = listener.accept()
        line = connection.recv(1000)
        time.sleep(DELAY)
        answered[line.strip().decode()] = time.monotonic()
        connection.sendall(line.upper())
        connection.close()


def closes_after_each_reply():
    answered = {}
    listener = socket.create_server((HERE, 0))
    threading.Thread(target=closing_server, args=(listener, answered), daemon=True).start()
    client = Client("-t", HERE, listener.getsockname()[1])
    client.type("one", "two", "three", "four")
    client.process.stdin.close()
    client.process.stdin = None
    records, err = client.end()
    lines = [record for record in records if record["type"] == "line"]
    faults = [] if len(lines) == 4 else [f"{len(lines)} lines", err]
    for k, record in enumerate(lines, 1):
        seen = answered[record["text"]] - client.typed[record["n"]]
        faults += whole(record) + close_to(f"line {k}, waited", seconds(record, "waited"), seen)
        faults += close_to(f"line {k}, on the wire", seconds(record, "rtt"), DELAY)
        # The others go first, each with its connection.
        faults += close_to(f"line {k}, before", seconds(record, "connecting", "queued"),
                           seen - DELAY)
        if k > 1 and record["queued_ns"] < (k - 1) * DELAY * 0.9e9:
            faults.append(Late(f"line {k}: queued {record['queued_ns']} ns behind {k - 1} lines"))
    summary = records[-1]["sessions"][0]
    last = max(line["waited_ns"] for line in lines)
    if summary["waited"]["max_ns"] != last or summary["round_trip"]["max_ns"] >= summary["waited"][
            "max_ns"]:
        faults.append(f"summary: {summary['waited']}, {summary['round_trip']}")
    return faults


def nobody_listens_yet():
    with socket.create_server((HERE, 0)) as reserved:
        port = reserved.getsockname()[1]
    began = time.monotonic()
    client = Client("-t", "--retries=9", HERE, port)
    client.type("hello")
    said = b""
    while b"refused" not in said:
        said += client.process.stderr.readline()
    answered = {}
    listener = socket.create_server((HERE, port))
    threading.Thread(target=closing_server, args=(listener, answered), daemon=True).start()
    record, seen = client.record()
    client.process.stdin.close()
    client.process.stdin = None
    client.end()
    faults = whole(record) + close_to("waited", seconds(record, "waited"),
                                      answered["hello"] - client.typed[1])
    faults += close_to("connecting", seconds(record, "connecting"),
                       answered["hello"] - DELAY - client.typed[1])
    faults += close_to("on the wire", seconds(record, "rtt"), DELAY)
    # The first pause between two attempts.
    faults += [] if record["connecting_ns"] > 0.5e9 else [
        f"connecting: {record['connecting_ns']} ns"
    ]
    faults += [] if seconds(record, "waited") <= seen - began else ["longer than all of it took"]
    return faults


def udp_server(delay):
    """Answers each datagram after a delay of its own; notes when it came and when it was answered."""
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind((HERE, 0))
    came, answered = {}, {}

    def serve():
        while True:
            line, peer = server.recvfrom(1000)
            came[line.decode()] = time.monotonic()
            time.sleep(delay)
            answered[line.decode()] = time.monotonic()
            server.sendto(line.upper(), peer)
    threading.Thread(target=serve, daemon=True).start()
    return server.getsockname()[1], came, answered


def behind_the_window():
    port, came, answered = udp_server(DELAY)
    # The fate "lost" counts from the hand-over: the last line waits longer than that in all, and
    # is not lost.
    client = Client("-u", "--window=1", "--wait=600ms", HERE, port)
    texts = [f"line {k}" for k in range(1, 6)]
    client.type(*texts)
    client.process.stdin.close()
    client.process.stdin = None
    records, err = client.end()
    lines = [record for record in records if record["type"] == "line"]
    faults = [
        Late(f"line {line['n']}: {line['fate']}") for line in lines if line["fate"] != "answered"
    ]
    faults += [] if len(lines) == 5 else [f"{len(lines)} lines", err]
    for record in lines:
        faults += whole(record) + close_to(f"line {record['n']}, on the wire", seconds(
            record, "rtt"), answered[record["text"]] - came[record["text"]])
        faults += close_to(f"line {record['n']}, waited", seconds(record, "waited"),
                           answered[record["text"]] - client.typed[record["n"]])
        if record["connecting_ns"] != 0:
            faults.append(f"line {record['n']}: connecting {record['connecting_ns']} ns")
    return faults


def typed_behind_the_window():
    """The same on the screen, where lines are typed whatever the window: a paste."""
    port, _, answered = udp_server(DELAY)
    import pty  # pylint: disable=import-outside-toplevel
    main, side = pty.openpty()
    save = os.path.join(ENVIRONMENT["HOME"], f"window-{port}.jsonl")
    process = subprocess.Popen([
        "setsid", "-c", UPCASE, "--window=1", "--wait=600ms", f"--save={save}", HERE,
        str(port)
    ],
                               stdin=side,
                               stdout=side,
                               stderr=side,
                               env={**ENVIRONMENT, "TERM": "xterm"})
    os.close(side)
    seen = b""
    while b"udp> " not in seen:
        seen += os.read(main, 65536)
    before = time.monotonic()
    os.write(main, b"".join(b"line %d\r" % k for k in range(1, 6)))
    while b"LINE 5" not in seen:
        seen += os.read(main, 65536)
    shown = time.monotonic()
    os.write(main, b"\004")
    try:
        while True:
            seen += os.read(main, 65536)
    except OSError:
        process.wait()
    os.close(main)
    with open(save, encoding="utf-8") as file:
        lines = [record for record in map(json.loads, file) if record["type"] == "line"]
    faults = [
        Late(f"line {line['n']}: {line['fate']}") for line in lines if line["fate"] != "answered"
    ]
    faults += [] if len(lines) == 5 else [f"{len(lines)} lines"]
    for record in lines:
        faults += whole(record) + close_to(f"line {record['n']}, waited", seconds(record, "waited"),
                                           answered[record["text"]] - before)
        faults += close_to(f"line {record['n']}, queued", seconds(record, "queued"),
                           (record["n"] - 1) * DELAY)
    if not faults and seconds(lines[-1], "waited") > shown - before:
        faults.append("the last line waited longer than it took until its reply was seen")
    words = re.search(
        rb"waited min/mean/max/sd [\d.]+/[\d.]+/([\d.]+)/[\d.]+ s, from Enter to reply", seen)
    if not words or abs(float(words[1]) - lines[-1]["waited_ns"] / 1e9) > 0.01:
        faults.append(f"the summary: {seen[-400:]!r}")
    return faults


def chance_decided():
    """Lines that were refused or failed are in no share that has an interval."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as reserved:
        reserved.bind((HERE, 0))
        port = reserved.getsockname()[1]
    save = os.path.join(ENVIRONMENT["HOME"], "refused.txt")
    told = run("--plain", "--count=800", "--interval=0", f"--save={save}", HERE,
               port).stderr.decode()
    faults = [] if "\nanswered 0 of 800, 800 refused; wait" in told else [told[-300:]]
    faults += [word for word in ("95 %", "lost") if word in told]
    with open(save, encoding="utf-8") as file:
        text = file.read()
    faults += [] if text.endswith("\nUDP: answered 0 of 800, 800 refused\n") else [text[-200:]]
    point("800 lines refused: answered 0 of 800, and no interval", faults)
    with python("scripted_server.py", "udp") as server:
        told = run("--plain",
                   "--wait=300ms",
                   HERE,
                   server.port,
                   stdin=b"lose this\n" + b"x" * 70000 + b"\nhello\n").stderr.decode()
    point("of three lines one failed: chance decided of two",
          [] if "\nanswered 1 of 3, 1 failed, 1/2 lost (50 %, 95 % 9–91); wait 300 ms\n" in told
          else [told])


point("a server that closes after each reply: lines behind the first are queued",
      best_of(closes_after_each_reply))
point("refused at first: the pause between two attempts is connecting",
      best_of(nobody_listens_yet))
point(
    "plain input over UDP behind --window=1 is queued from when it was read, on the wire as long as the server takes",
    best_of(behind_the_window))
point("typed lines behind --window=1 are queued, and not lost by that",
      best_of(typed_behind_the_window))
chance_decided()
sys.stdout.flush()
done()
