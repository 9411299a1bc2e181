# SPDX-License-Identifier: GPL-3.0-or-later
"""The figures of the summary beside what a server did on purpose and wrote down: losses in runs,
delays, copies, stalls, and replies that the client's own socket had no room for."""
import json
import os
import re
import signal
import socket
import statistics
import struct
import subprocess
import threading
import time

from client import ENVIRONMENT, PATIENCE, UPCASE, run
from tap import Late, best_of, done, has, point, points_of_best


SO_TIMESTAMPNS = 35


class UdpServer(threading.Thread):
    """Does to line k what plan(k) says: None loses it, else a list of delays in seconds, one for
    each reply. When a line came is the kernel's word, so that it does not matter how long this
    program then takes."""

    def __init__(self, plan):
        super().__init__(daemon=True)
        self.plan, self.socket = plan, socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.delays = {}
        self.start()

    def run(self):
        while True:
            line, control, _, client = self.socket.recvmsg(65536, 256)
            seconds, rest = struct.unpack("ll", control[0][2])
            came = seconds + rest / 1e9
            k = int(line.split()[-1])
            for delay in self.plan(k) or []:
                threading.Timer(max(0, came + delay - time.time()), self.reply,
                                (k, line, client, came)).start()

    def reply(self, k, line, client, came):
        self.delays.setdefault(k, time.time() - came)
        self.socket.sendto(line.upper(), client)


def nanoseconds(number, unit):
    return float(number) * {"s": 1e9, "ms": 1e6, "µs": 1e3, "ns": 1}[unit]


def spans(pattern, text):
    """The figures of a line such as "a/b/c 1/2/3 ms" by name, in ns."""
    match = re.search(pattern + r" (\S+) ([\d./]+) (s|ms|µs)[,\n]", text)
    if not match:
        return {}
    return {
        name: nanoseconds(value, match[3])
        for name, value in zip(match[1].split("/"), match[2].split("/"))
    }


def must(faults, text, *parts):
    return faults + [f"not in the summary: {part!r}" for part in parts if part not in text]


def near(what, got, wanted, slack):
    return [] if got is not None and abs(got - wanted) <= slack else [
        Late(f"{what}: got {got}, wanted {wanted} ± {slack}")
    ]


# --- UDP: losses in runs, delays, copies ---

LINES = 300
LOST = {5, 6, 7, 40, *range(100, 112), 200, 202, 299, 300}


def plan(k):
    if k in LOST:
        return None
    if k == 50:
        return [0.6]  # after the wait
    return [0.02 + k % 10 * 0.004] * (3 if k in (60, 61) else 1)


def delays():
    """Each point about the delays that a server made, and its faults."""
    server = UdpServer(plan)
    result = run("--plain",
                 "--wait",
                 "500ms",
                 "127.0.0.1",
                 server.port,
                 stdin=b"".join(b"line %d\n" % k for k in range(1, LINES + 1)))
    summary = result.stderr.decode()
    answered = [k for k in range(1, LINES + 1) if k not in LOST and k != 50]
    lost = len(LOST) + 1
    # Line 50 is late, so it is lost: a run of its own.
    yield (
        "lost, late, duplicates and runs are what the server did",
        must([], summary, f"answered {len(answered)} of {LINES}, {lost}/{LINES} lost", "of them 1 late",
             "4 duplicates", f"lost in 7 runs: the longest 12 lines, the mean {lost / 7 + 1e-9:.2f}\n"))
    true = sorted(server.delays[k] * 1e9 for k in answered)
    figures = {}
    for line in summary.splitlines(keepends=True):
        for name in ("round trip", "waited"):
            figures.update({(name, figure): value for figure, value in spans(name, line).items()})
    cuts = statistics.quantiles(true, n=100, method="inclusive")
    wanted = {
        "min": true[0], "mean": statistics.mean(true), "max": true[-1], "sd": statistics.stdev(true),
        "median": statistics.median(true), "p90": cuts[89], "p99": cuts[98]
    }
    # The slack is for the way through this machine, and for a copy that overtakes the noted reply.
    yield ("round-trip times are those that the server made", [
        f"no {which} of {time}: {summary!r}" for time in ("round trip", "waited")
        for which in wanted if (time, which) not in figures
    ] + [
        fault for (time, which), value in figures.items()
        for fault in near(f"{time} {which}", value, wanted[which], 0.01 * wanted[which] + 8e6)
        if time == "round trip"
    ])
    # Of 300 lines that were read at once, all but 64 waited their turn: the last for as long as those
    # before it took.
    yield ("what was waited has the time behind the window in it",
          [f"{which}: {figures}" for which in ("mean", "max")
           if figures.get(("waited", which), 0) < figures.get(("round trip", which), 0) + 0.05e9])
    steps = [abs(server.delays[k] - server.delays[k - 1]) * 1e9 for k in answered if k - 1 in answered]
    match = re.search(r"ipdv mean ([\d.]+) (ms|µs), p99 ([\d.]+) (ms|µs); pdv p99 ([\d.]+) (ms|µs)",
                      summary)
    yield ("delay variation is that which the server made", ["no line of it: " + summary] if not match
          else near("ipdv mean", nanoseconds(match[1], match[2]), statistics.mean(steps), 4e6) +
          near("ipdv p99", nanoseconds(match[3], match[4]),
               statistics.quantiles(steps, n=100, method="inclusive")[98], 8e6) +
          near("pdv p99", nanoseconds(match[5], match[6]), cuts[98] - true[0], 8e6))
    yield ("no quantile for which there are too few lines, and the usual times are not told",
          [f"{word}: {summary!r}" for word in ("p99.9", "by the kernel", "INVALID") if word in summary])


# A busy machine delays replies: then the figures are others, and the run is INVALID.
points_of_best(lambda: [(name, [*map(Late, faults)]) for name, faults in delays()])

# Nine lines: the one line of round trips says it all.
server = UdpServer(lambda k: [0.01])
summary = run("--plain", "127.0.0.1", server.port,
              stdin=b"".join(b"%d\n" % k for k in range(9))).stderr.decode()
point(
    "nine lines have no second line of quantiles",
    must([], summary, "answered 9 of 9", "min/mean/max/sd") +
    [f"{w}: {summary!r}" for w in ("p90", "ipdv", "runs") if w in summary])

# --- UDP: the client's own socket is full ---


def overflow():
    """The client is stopped while more replies come than its socket takes."""
    box = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    box.bind(("127.0.0.1", 0))
    box.settimeout(PATIENCE)
    client = subprocess.Popen([
        UPCASE, "--plain", "--wait", "2s", "127.0.0.1",
        str(box.getsockname()[1])
    ],
                              stdin=subprocess.PIPE,
                              stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE,
                              env=ENVIRONMENT)
    client.stdin.write(b"line 1\n")
    client.stdin.flush()
    line, peer = box.recvfrom(2000)
    client.send_signal(signal.SIGSTOP)
    os.waitpid(client.pid, os.WUNTRACED)
    # The largest buffer there can be here is 8 MiB, by the kernel's reckoning.
    copies = 12000
    for _ in range(copies):
        box.sendto(line.upper() + b" " * 1000, peer)
    client.send_signal(signal.SIGCONT)
    client.stdin.close()
    client.stdin = None
    said = client.communicate(timeout=PATIENCE)[1].decode()
    strays = re.search(r"(\d+) stray", said)
    dropped = re.search(r"INVALID, shaped by this machine: (\d+) replies were dropped here", said)
    if not has("ARRIVALS"):
        return [] if strays and not dropped else [f"summary: {said[-2000:]!r}"]
    if not strays or not dropped:
        return [f"summary: {said!r}"]
    return near("came and dropped", int(strays[1]) + int(dropped[1]), copies, 0)


point("replies for which the client's socket had no room are counted, and the run is INVALID",
      overflow())

# --- TCP: stalls ---


class TcpServer(threading.Thread):
    """Answers line k after pauses[k] seconds, one line after the other."""

    def __init__(self, pauses, close_after=None):
        super().__init__(daemon=True)
        self.pauses, self.close_after = pauses, close_after
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port, self.stalls = self.socket.getsockname()[1], []
        self.start()

    def run(self):
        while True:
            connection = self.socket.accept()[0]
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        lines = connection.makefile("rb")
        for line in lines:
            came = time.monotonic()
            k = int(line.split()[-1])
            time.sleep(self.pauses.get(k, 0))
            connection.sendall(line.upper())
            if k in self.pauses:
                self.stalls.append(time.monotonic() - came)


def one_by_one(port, count):
    """Each line is typed when the reply to the one before has come."""
    client = subprocess.Popen([UPCASE, "--plain", "-t", "127.0.0.1",
                               str(port)],
                              stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE,
                              env=ENVIRONMENT)
    for k in range(1, count + 1):
        client.stdin.write(b"line %d\n" % k)
        client.stdin.flush()
        client.stdout.readline()
    client.stdin.close()
    said = client.stderr.read().decode()
    client.wait(PATIENCE)
    return said


def stalls_of(said):
    match = re.search(r"; stalled (\d+) times?, ([\d.]+) (m?s) in all, ([\d.]+) (m?s) at most",
                      said)
    return (int(match[1]), nanoseconds(match[2], match[3]),
            nanoseconds(match[4], match[5])) if match else None


def stalls():
    """Whether the client tells the stalls that a server made."""
    tcp = TcpServer({3: 0.5, 7: 0.3, 9: 0.05})
    said = one_by_one(tcp.port, 12)
    long = [s * 1e9 for s in tcp.stalls if s > 0.2]
    got = stalls_of(said)
    return [f"no stalls: {said!r}"] if not got else near("stalls", got[0], len(long), 0) + near(
        "in all", got[1], sum(long), 15e6) + near("longest", got[2], max(long), 15e6)


def no_stalls():
    """Whether it tells none where there was none."""
    said = one_by_one(TcpServer({}).port, 12)
    return [Late(f"summary: {said!r}")] if "stalled" in said else []


point("TCP stalled as often and as long as the server was silent", best_of(stalls))
point("nothing is said of stalls when there was none", best_of(no_stalls))

# --- TCP: nobody there ---

with socket.create_server(("127.0.0.1", 0)) as nobody:
    closed = nobody.getsockname()[1]
summary = json.loads(
    run("-t", "--json", "--count=3", "--interval=0", "127.0.0.1",
        closed).stdout.splitlines()[-1])["sessions"][0]
point(
    "lines that were never sent have no send times",
    must([],
         str({key: summary[key]
              for key in ("sent", "failed")} | {"program": summary["times"]["sent_program"]}),
         "{'sent': 3, 'failed': 3, 'program': 0}"))

done()
