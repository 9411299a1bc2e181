# SPDX-License-Identifier: GPL-3.0-or-later
"""Verbose lines, live, saved and read again; lines for a time and without end; reports of intervals, whose sums are the totals; the summary alone."""
import json
import os
import re
import signal
import subprocess
import tempfile
import time

from client import ENVIRONMENT, HOME, PATIENCE, UPCASE, differences, python, run, upcased
from tap import done, point

TIME = r"[0-9.]+ (?:us|ms|s)"
COUNTS = ("typed", "sent", "answered", "lost", "late", "refused", "failed", "cut_off",
          "duplicates", "reordered", "differs", "cut_short", "strays")


def status(result, wanted):
    return differences("status", str(result.returncode), str(wanted)) + \
        ([f"stderr: {result.stderr[-400:]!r}"] if result.returncode != wanted else [])


def timeless(text):
    """The lines with T for the time and the parts of it, which no test knows."""
    return [
        re.sub(rf" {TIME}(?= \(|$)", " T", line)
        for line in re.sub(rf"{TIME} (?:opening|connecting|queued|on the wire)(?:, )?", "",
                           text.decode()).replace(" ()", "").splitlines()
    ]


def started(*arguments, **more):
    return subprocess.Popen([UPCASE, "--plain", *map(str, arguments)],
                            stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE,
                            env=ENVIRONMENT,
                            **more)


def records(text):
    return [json.loads(line) for line in text.splitlines()]


# --- verbose lines ---

TEXT = (b"hello\nlose it\ntwice x\nlate 500 y\necho abc\ncut 3 abcdef\nstray z\n"
        b"a -> b -x c\n-> 3 ms\n\nx\x1b[31m\ty\xff\nhold one\nlose the last")
# In any order; each state of a line once.
WANTED = [
    "1 udp hello -> HELLO T", "2 udp lose it -x lost", "3 udp twice x -> TWICE X T",
    "3 udp twice x -> TWICE X T (1 duplicate)", "4 udp late 500 y -x lost",
    "4 udp late 500 y -> LATE 500 Y T (late)", "5 udp echo abc -> echo abc T (differs)",
    "6 udp cut 3 abcdef -> CUT T (cut short)", "- udp -> NOBODY ASKED FOR THIS (stray)",
    "7 udp stray z -> STRAY Z T", "8 udp a \\x2d> b \\x2dx c -> A \\x2d> B -X C T",
    "9 udp \\x2d> 3 ms -> \\x2d> 3 MS T", "10 udp  ->  T",
    "11 udp x^[[31m^Iy\ufffd -> X^[[31M^IY\ufffd T",
    "12 udp hold one -x lost", "13 udp lose the last -x lost"
]
# Of each line the last state.
LAST = [line for i, line in enumerate(WANTED)
        if not any(other.split()[:1] == line.split()[:1] for other in WANTED[i + 1:])]

with python("scripted_server.py", "udp") as server, tempfile.TemporaryDirectory() as folder:
    saved = os.path.join(folder, "v.txt")
    recorded = os.path.join(folder, "v.jsonl")
    # The last line is sent when the second one is lost, so that the late reply comes before its end.
    result = run("-v", "--wait=400ms", "--window=3", "--save", saved, "127.0.0.1", server.port, stdin=TEXT)
    point("--verbose: a line for each line, as it is decided",
          differences("lines", sorted(timeless(result.stdout)), sorted(WANTED)) +
          status(result, 1))
    point("lost lines have no notice, and the summary is on standard error",
          [] if b": lost" not in result.stderr and b"answered 9 of 13" in result.stderr else
          [f"stderr: {result.stderr!r}"])
    with open(saved, "rb") as file:
        lines = timeless(file.read())
    point("--save FILE.txt has the same lines in their last state",
          differences("lines", sorted(lines[1:-1]), sorted(LAST)))
    with open(recorded, "wb") as file:
        file.write(run("--wait=400ms", "--window=3", "--json", "127.0.0.1", server.port, stdin=TEXT).stdout)
    result = run("--plain", "--verbose", "--read", recorded)
    point("--read prints the same",
          differences("lines", sorted(timeless(result.stdout)), sorted(WANTED)) +
          status(result, 1))
    # What divides a line is no part of its text.
    for line in run("-v", "--wait=400ms", "--window=3", "127.0.0.1", server.port, stdin=TEXT).stdout.splitlines():
        if len(re.findall(rb" (?:->|-x) ", line)) != 1:
            point("one sign in each line", [f"{line!r}"])
    result = run("-v", "-q", "127.0.0.1", server.port, stdin=b"x\n")
    point("--verbose --quiet", differences("lines", timeless(result.stdout), ["1 udp x -> X T"]) +
          differences("stderr", result.stderr, b""))
    client = started("-v", "--wait=1h", "--window=2", "127.0.0.1", server.port, "--count=3",
                     "--interval=0", "--size=6")
    line = client.stdout.readline()
    point("a line is printed at once", differences("line", timeless(line), ["1 udp line 1 -> LINE 1 T"]))
    client.communicate(timeout=PATIENCE)

with python("scripted_server.py", "tcp") as server:
    result = run("-v", "-t", "127.0.0.1", server.port, stdin=b"one\nclose\nthree\n")
    cut = "-x cut off: the connection ended before the reply"
    point("TCP: lines that are cut off",
          differences("lines", timeless(result.stdout),
                      ["1 tcp one -> ONE T", f"2 tcp close {cut}", f"3 tcp three {cut}"]) +
          status(result, 1))
    result = run("-v", "--both", "127.0.0.1", server.port, stdin=b"one\n")
    point("both: one is refused",
          differences("lines", sorted(timeless(result.stdout)), [
              "1 tcp one -> ONE T", "1 udp one -x refused: nothing listens on that port there"
          ]))
with upcased() as server:
    result = run("-v", "-t", "127.0.0.1", server.port, stdin=b"x" * 200000 + b"\n")
    point("a long line", [] if re.fullmatch(
        rf"1 tcp x+\.\.\. -> \.\.\. {TIME} \(.*only the beginning is kept\)\n",
        result.stdout.decode()) else [f"{result.stdout[-200:]!r}"])
result = run("-v", "-b", "nosuchhost.invalid", stdin=b"x\n")
point("a name that is not known", differences(
    "lines", sorted(line.split(":")[0] for line in result.stdout.decode().splitlines()),
    ["1 tcp x -x failed", "1 udp x -x failed"]) + status(result, 1))

# Its reader goes.
with upcased() as server:
    client = started("-v", "--count=0", "--interval=1ms", "127.0.0.1", server.port)
    client.stdout.readline()
    client.stdout.close()
    told = client.stderr.read()
    point("a closed pipe ends it without a word",
          differences("status", str(client.wait(PATIENCE)), str(-signal.SIGPIPE)) +
          differences("stderr", told, b""))

# --- for a time, and without end ---

with upcased() as server:
    begin = time.monotonic()
    result = run("--plain", "--duration=500ms", "--interval=50ms", "127.0.0.1", server.port,
                 stdin=b"not this\n")
    took = time.monotonic() - begin
    point("--duration: the lines that are due in it",
          differences("lines", result.stdout.count(b"\n"), 10) + status(result, 0) +
          ([] if took >= 0.5 else [f"{took} s"]) +
          ([] if b"upcase: 10 lines sent in 45" in result.stderr else [f"{result.stderr!r}"]))
    result = run("--plain", "--duration=10m", "--count=3", "--interval=1ms", "127.0.0.1",
                 server.port)
    point("--count comes before --duration",
          differences("lines", result.stdout.count(b"\n"), 3) + status(result, 0))
    result = run("--plain", "--duration=30ms", "--count=1000", "--interval=10ms", "--json",
                 "127.0.0.1", server.port)
    found = records(result.stdout)
    point("--duration comes before --count",
          differences("stopped", found[-1]["stopped"], False) + status(result, 0) +
          differences("start", [found[0][key] for key in ("count", "interval_ns", "duration_ns")],
                      [1000, 10**7, 3 * 10**7]))
    for more, wanted in (([], 0), (["--duration=10m"], 1)):
        client = started("--count=0", "--interval=1ms", "--json", *more, "127.0.0.1", server.port)
        first = json.loads(client.stdout.readline())
        for line in client.stdout:
            if b'"type":"line"' in line:
                break
        client.send_signal(signal.SIGINT)
        rest = client.stdout.read()
        client.wait(timeout=PATIENCE)
        point(f"--count=0 {' '.join(more)} ends with SIGINT",
              differences("status", client.returncode, wanted) +
              differences("count", first["count"], None) +
              differences("stopped", records(rest)[-1]["stopped"], bool(wanted)))


# --- intervals ---

def check_sums(found):
    """The sums over the intervals of each session are its counts in the summary."""
    faults = []
    for total in found[-1]["sessions"]:
        intervals = [record for record in found
                     if record["type"] == "interval" and record["session"] == total["session"]]
        for count in COUNTS:
            faults += differences(f"{total['transport']} {count}",
                                  sum(record[count] for record in intervals), total[count])
        faults += [
            f"{one['to_ns']} is not {next['from_ns']}"
            for one, next in zip(intervals, intervals[1:]) if one["to_ns"] != next["from_ns"]
        ]
        timed = [record for record in intervals if record["waited"]["count"]]
        for group in ("waited", "round_trip") if timed else ():
            of, whole = [record[group] for record in timed], total[group]
            faults += differences(f"{group} least", min(one["min_ns"] for one in of), whole["min_ns"])
            faults += differences(f"{group} greatest", max(one["max_ns"] for one in of), whole["max_ns"])
            faults += differences(f"{group} count", sum(one["count"] for one in of), whole["count"])
            mean = sum(one["mean_ns"] * one["count"] for one in of) / whole["count"]
            if abs(mean - whole["mean_ns"]) > 2:
                faults.append(f"{group} mean {mean}, not {whole['mean_ns']}")
    return faults


KINDS = [b"lose", b"twice", b"late 500", b"hello", b"stray"]
LINES = b"".join(b"%s %d\n" % (KINDS[i % 5], i) for i in range(200))
with python("scripted_server.py", "udp") as server:
    result = run("--json", "--report=50ms", "--wait=400ms", "--window=20", "127.0.0.1",
                 server.port, stdin=LINES)
    found = records(result.stdout)
    point("--report --json: the sums are the totals, of every fate",
          check_sums(found) + differences("lost", found[-1]["sessions"][0]["lost"], 80) +
          ([] if sum(record["type"] == "interval" for record in found) > 3 else ["too few"]) +
          ([] if found[-1]["type"] == "summary" else [f"last: {found[-1]}"]))
    with tempfile.NamedTemporaryFile("wb", suffix=".jsonl") as file:
        file.write(result.stdout)
        file.flush()
        again = records(run("--read", file.name, "--json").stdout)
        point("a recording with intervals can be read",
              differences("sessions", again[-1]["sessions"], found[-1]["sessions"]))
    result = run("--summary", "--report=100ms", "--wait=400ms", "--window=20", "127.0.0.1",
                 server.port, stdin=LINES)
    text = result.stdout.decode()
    rows = re.findall(r"^(\d+\.\d\d)-(\d+\.\d\d) s udp: sent (\d+), answered (\d+), lost (\d+)",
                      text, re.M)
    point("--report as text: the sums are those of the summary",
          differences("sent", sum(int(row[2]) for row in rows), 200) +
          differences("answered", sum(int(row[3]) for row in rows), 120) +
          differences("lost", sum(int(row[4]) for row in rows), 80) +
          differences("times", [row[0] for row in rows[1:]], [row[1] for row in rows[:-1]]) +
          ([] if "\nanswered 120 of 200, 80/200 lost" in text else [text]) +
          ([] if re.search(r"min/avg/max [0-9.]+/[0-9.]+/[0-9.]+ (µs|ms)", text) else [text]))
with upcased() as server:
    result = run("--json", "--both", "--report=20ms", "--count=100", "--interval=1ms",
                 "127.0.0.1", server.port)
    point("both transports have intervals", check_sums(records(result.stdout)) + status(result, 0))
    result = run("--plain", "--report=1h", "--count=2", "--interval=0", "127.0.0.1", server.port)
    point("a session shorter than the interval has one",
          [] if re.search(rb"\n0\.00-\d+\.\d\d s udp: sent 2, answered 2, lost 0", result.stdout)
          else [f"{result.stdout!r}"])

    # --- the summary alone ---

    result = run("--summary", "--count=3", "--interval=1ms", "127.0.0.1", server.port)
    point("--summary prints nothing else", status(result, 0) +
          differences("stderr", result.stderr, b"") +
          ([] if result.stdout.startswith(b"--- UDP 127.0.0.1:") and b"\nanswered 3 of 3"
           in result.stdout and b"LINE" not in result.stdout else [f"{result.stdout!r}"]))
    result = run("--summary", "--json", "--count=3", "--interval=1ms", "127.0.0.1", server.port)
    point("--summary --json is one record", differences("stderr", result.stderr, b"") +
          differences("types", [record["type"] for record in records(result.stdout)], ["summary"]))
    with open("/dev/full", "wb") as full:
        result = subprocess.run([UPCASE, "--summary", "127.0.0.1", str(server.port)],
                                input=b"x\n", stdout=full, stderr=subprocess.PIPE,
                                env=ENVIRONMENT, check=False)
    point("a summary that cannot be written",
          status(result, 1) + ([] if b"standard output: " in result.stderr else [f"{result.stderr!r}"]))

for arguments in (["--json", "--verbose"], ["--csv", "--summary"], ["--csv", "--report=1s"],
                  ["--verbose", "--summary"], ["--read=x", "--report=1s"], ["--read=x", "--duration=1s"],
                  ["--duration=0"], ["--duration=soon"], ["--duration=366d"], ["--report=9ms"],
                  ["--report=25h"]):
    result = run(*arguments)
    point(f"usage: {' '.join(arguments)}",
          status(result, 2) + differences("lines", len(result.stderr.splitlines()), 1) +
          differences("stdout", result.stdout, b""))
HOME.cleanup()
done()
