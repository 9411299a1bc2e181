# SPDX-License-Identifier: GPL-3.0-or-later
"""The plain client over both transports at once, and with lines of its own: schedule, progress, ends, exit status."""
import os
import pty
import re
import select
import signal
import socket
import subprocess
import tempfile
import time

from client import ENVIRONMENT, HOME, PATIENCE, UPCASE, differences, python, run, upcased
from tap import done, point


def status(result, wanted):
    return differences("status", str(result.returncode), str(wanted)) + \
        ([f"stderr: {result.stderr[-600:]!r}"] if result.returncode != wanted else [])


def says(result, *words):
    told = re.sub(rb"  +", b" ", result.stderr)
    return [
        f"stderr has no {word!r}: {result.stderr[-600:]!r}" for word in words if word not in told
    ]


def lane(output, prefix):
    """What came over one transport."""
    return b"".join(line[len(prefix):] for line in output.splitlines(True)
                    if line.startswith(prefix))


def lines(count):
    return b"".join(b"LINE %d\n" % (i + 1) for i in range(count))


def in_any_order(text):
    return b"".join(sorted(text.splitlines(True)))


# --- both at once ---

with upcased() as server:
    text = b"".join(b"text %d\n" % i for i in range(500)) + "\ngrüße\n".encode()
    result = run("--plain", "--both", "--ordered", "127.0.0.1", server.port, stdin=text)
    wanted = text.decode().upper().encode()
    point("--both: each line over both", differences("UDP", lane(result.stdout, b"udp "), wanted) +
          differences("TCP", lane(result.stdout, b"tcp "), wanted) + status(result, 0) +
          says(result, b"--- UDP beside TCP ", b"answered 502 of 502 502 of 502\n",
               b"\nlost 0/502 (0 %"))
    result = run("--plain", "-b", "127.0.0.1", server.port, stdin=b"one\nbare")
    point(
        "--both: the last line has no end of line",
        differences("replies", in_any_order(result.stdout),
                    b"tcp BARE\ntcp ONE\nudp BARE\nudp ONE\n") + status(result, 0))
    result = run("--plain", "-b", "127.0.0.1", server.port)
    point("--both: no input at all", differences("replies", result.stdout, b"") + status(result, 0))
    long = b"abcdefghij" * 1000000
    result = run("--plain", "-b", "--wait=10s", "127.0.0.1", server.port,
                 stdin=b"before\n" + long + b"\n" + b"after\n" * 50)
    point(
        "--both: a line of ten megabytes goes over TCP in pieces and is too long for UDP",
        differences("UDP", in_any_order(lane(result.stdout, b"udp ")),
                    b"AFTER\n" * 50 + b"BEFORE\n") +
        differences("TCP", lane(result.stdout, b"tcp "),
                    b"BEFORE\n" + long.upper() + b"\n" + b"AFTER\n" * 50) + status(result, 1) +
        says(result, b"line 2 over UDP: failed: too long",
             b"answered 51 of 52 52 of 52\n",
             b"\nfailed 1 0\n"))
    exact = b"x" * 65536
    result = run("--plain", "-b", "127.0.0.1", server.port, stdin=exact + b"\n" + exact + b"y\n")
    point(
        "--both: lines as long as the buffer and one more",
        differences("UDP", lane(result.stdout, b"udp "), b"") +
        differences("TCP", lane(result.stdout, b"tcp "),
                    exact.upper() + b"\n" + exact.upper() + b"Y\n") + status(result, 1))

with python("scripted_server.py", "udp") as server:
    result = run("--plain", "-b", "127.0.0.1", server.port, stdin=b"one\ntwo\n")
    point(
        "--both: TCP is refused, UDP goes on",
        differences("replies", in_any_order(result.stdout), b"udp ONE\nudp TWO\n") +
        status(result, 1) + says(result, b"refused", b"answered 2 of 2 0 of 2\n"))
with python("scripted_server.py", "tcp") as server:
    result = run("--plain", "-b", "--count=3", "127.0.0.1", server.port)
    point(
        "--both: UDP is refused, TCP goes on",
        differences("replies", result.stdout, b"tcp LINE 1\ntcp LINE 2\ntcp LINE 3\n") +
        status(result, 1) + says(result, b"refused"))

with upcased() as server, tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
    file.write("both\n")
    file.flush()
    for options, wanted in (([], b"tcp X\nudp X\n"), (["-u"], b"X\n"), (["-t"], b"X\n")):
        result = run("--plain",
                     f"--config={file.name}",
                     *options,
                     "127.0.0.1",
                     server.port,
                     stdin=b"x\n")
        point(f"both in the configuration, {' '.join(options) or 'nothing'} on the command line",
              differences("replies", in_any_order(result.stdout), wanted) + status(result, 0))

# --- lines of its own ---

with upcased() as server:
    result = run("--plain",
                 "--count=100",
                 "--interval=1ms",
                 "127.0.0.1",
                 server.port,
                 stdin=b"not this\n")
    point(
        "--count: numbered lines, and none of the input's",
        differences("replies", in_any_order(result.stdout), in_any_order(lines(100))) +
        status(result, 0) + says(result, b"100 lines sent in ", b"answered 100 of 100"))
    result = run("--plain", "-t", "-n", "1000", "-i", "0", "-s", "100", "127.0.0.1", server.port)
    bad = [line for line in result.stdout.splitlines() if len(line) != 100]
    point(
        "--size: each of so many bytes",
        differences("lines", str(result.stdout.count(b"\n")), "1000") +
        [f"{line!r}" for line in bad[:3]] + status(result, 0))
    result = run("--plain", "-b", "-n", "50", "-i", "1ms", "-s", "65507", "127.0.0.1", server.port)
    point(
        "the largest datagrams, over both",
        differences("bytes", str(len(result.stdout)), str(2 * 50 * (4 + 65507 + 1))) +
        status(result, 0))
    result = run("--plain", "-b", "-n", "20000", "-i", "0", "--wait=5s", "127.0.0.1", server.port)
    sent = re.findall(rb"^answered +\d+ of (\d+) +\d+ of (\d+)$", result.stderr, re.M)
    point(
        "all at once: every line is sent, TCP's all answered",
        differences("sent", str(sent), "[(b'20000', b'20000')]") +
        differences("TCP", lane(result.stdout, b"tcp "), lines(20000)))
    result = run("--plain", "-q", "-n", "3", "-i", "1ms", "127.0.0.1", server.port)
    point("--quiet: no result either",
          differences("stderr", result.stderr, b"") + status(result, 0))

with python("textbook/tcp_server.py", "0") as server:
    result = run("--plain", "-t", "-n", "20", "-i", "1ms", "127.0.0.1", server.port)
    point("the textbook's TCP server, a connection a line",
          differences("replies", result.stdout, lines(20)) + status(result, 0))
with python("textbook/udp_server.py", "0") as server:
    result = run("--plain", "-n", "20", "-i", "1ms", "127.0.0.1", server.port)
    point(
        "the textbook's UDP server",
        differences("replies", in_any_order(result.stdout), in_any_order(lines(20))) +
        status(result, 0))


def bound(kind):
    s = socket.socket(socket.AF_INET, kind)
    s.bind(("127.0.0.1", 0))
    s.settimeout(PATIENCE)
    return s


# Nobody answers, and the window is 1: the lines come on schedule all the same.
silent = bound(socket.SOCK_DGRAM)
client = subprocess.Popen([
    UPCASE, "--plain", "--window=1", "--wait=100ms", "--count=50", "--interval=20ms", "127.0.0.1",
    str(silent.getsockname()[1])
],
                          stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE,
                          env=ENVIRONMENT)
times, texts = [], []
for _ in range(50):
    texts.append(silent.recv(100))
    times.append(time.monotonic())
told = client.communicate(timeout=PATIENCE)[1]
worst = max(abs(t - times[0] - 0.02 * i) for i, t in enumerate(times))
print(f"# the worst of 50 lines came {worst * 1000:.1f} ms off schedule; {told.splitlines()[-3]!r}")
point(
    "open loop: a server that does not answer does not slow the sender",
    differences("texts", b"\n".join(texts) + b"\n",
                lines(50).lower()) + ([] if worst < 0.5 else [f"{worst} s off"]) +
    ([] if b"50 lines sent in 98" in told or b"50 lines sent in 99" in told
     or b"50 lines sent in 1.0" in told else [f"{told!r}"]) +
    ([] if b"50/50 lost" in told else [f"{told!r}"]) +
    differences("status", str(client.returncode), "1"))

# Stopped while it sends: the schedule that was missed is told.
client = subprocess.Popen([
    UPCASE, "--plain", "--wait=100ms", "--count=50", "--interval=20ms", "127.0.0.1",
    str(silent.getsockname()[1])
],
                          stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE,
                          env=ENVIRONMENT)
silent.recv(100)
client.send_signal(signal.SIGSTOP)
select.select([], [], [], 0.3)
client.send_signal(signal.SIGCONT)
told = client.communicate(timeout=PATIENCE)[1]
slip = re.search(rb"the schedule slipped: (\d+) were more than 10 ms late, the worst (\d+) ms",
                 told)
point("a schedule that was missed is told",
      [] if slip and int(slip[1]) >= 12 and int(slip[2]) >= 250 else [f"{told!r}"])
while select.select([silent], [], [], 0)[0]:
    silent.recv(100)


def interrupted(times_over, wait):
    """^C after the first line; whether it waits for the last replies. Its status, seconds and words."""
    process = subprocess.Popen([
        UPCASE, "--plain", f"--wait={wait}", "--count=1000", "--interval=1s", "127.0.0.1",
        str(silent.getsockname()[1])
    ],
                               stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE,
                               env=ENVIRONMENT)
    _, peer = silent.recvfrom(100)
    process.send_signal(signal.SIGINT)
    said = b""
    while b"stopped" not in said:
        said += process.stderr.readline()
    if times_over > 1:
        process.send_signal(signal.SIGINT)
    else:
        silent.sendto(b"LINE 1", peer)
    out, rest = process.communicate(timeout=PATIENCE)
    return process.returncode, out, said + rest


code, out, told = interrupted(1, "1h")
point(
    "^C stops the sending and waits for the last replies",
    differences("replies", out, b"LINE 1\n") + differences("status", str(code), "1") +
    ([] if b"1 of 1000 lines sent" in told and b"answered 1 of 1" in told else [f"{told!r}"]))
code, out, told = interrupted(2, "1h")
point(
    "the second ^C does not wait",
    differences("replies", out, b"") + differences("status", str(code), "1") +
    ([] if b"answered 0 of 1, 1 still waiting; wait" in told else [f"{told!r}"]))

# A server that reads nothing: what is queued is bounded, and the schedule is kept.


def stalls(seconds):
    """The client of such a server, told to end after so many seconds: the most memory that it had, KiB,
    and what it said."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = subprocess.Popen([
            UPCASE, "--plain", "-t", "--count=1000", "--interval=1ms", "--size=65507", "127.0.0.1",
            str(listener.getsockname()[1])
        ],
                                  stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE,
                                  env=ENVIRONMENT)
        talk = listener.accept()[0]
    first = b""
    while b"\n" not in first:
        first += talk.recv(65536)
    talk.sendall(first.upper())
    most, end = 0, time.monotonic() + seconds
    while client.poll() is None and time.monotonic() < end:
        with open(f"/proc/{client.pid}/status", encoding="ascii") as file:
            most = max([most] + [int(row.split()[1]) for row in file if row.startswith("VmHWM")])
        select.select([], [], [], 0.05)
    client.send_signal(signal.SIGTERM)
    said = client.communicate(timeout=PATIENCE)[1]
    talk.close()
    return most, said


# On an idle machine all lines are due within a second.
for wait in 2, 10, PATIENCE:
    peak, told = stalls(wait)
    if b" of 1000 lines sent in" not in told:
        break
print(f"# a connection that stalls: 65 MB generated, the client's memory at most {peak >> 10} MiB")
point("a connection that stalls takes bounded memory",
      [] if 0 < peak < 200 << 10 or "TEST_PATIENCE" in os.environ else [f"{peak} KiB"])
point("what cannot be queued fails, and is told", [] if b"too many lines were queued" in told
      and b"1000 lines sent in" in told and re.search(rb"\d+ failed", told) else [f"{told!r}"])

# Nobody there, no such host.
with upcased() as server:
    gone = server.port
for options, word in ((["-t"], b"refused"), (["-u"], b"refused"), (["-b"], b"refused")):
    result = run("--plain", *options, "-n", "3", "-i", "1ms", "127.0.0.1", gone)
    point(f"nobody listens, {options[0]}",
          differences("stdout", result.stdout, b"") + status(result, 1) + says(result, word))
for arguments in (["--count=-1"], ["--count=x"], ["--interval=soon",
                                                 "-n1"], ["--size=0",
                                                          "-n1"], ["--size=65508", "-n1"]):
    result = run(*arguments)
    point(f"usage: {' '.join(arguments)}",
          status(result, 2) + differences("lines", str(len(result.stderr.splitlines())), "1"))


# --- progress ---

def on_terminal(*arguments):
    """What it writes to a standard error that is a terminal."""
    main, side = pty.openpty()
    process = subprocess.Popen([UPCASE, "--plain", *arguments],
                               stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL,
                               stderr=side,
                               env=ENVIRONMENT)
    os.close(side)
    said = b""
    while True:
        try:
            data = os.read(main, 65536)
        except OSError:
            break
        if not data:
            break
        said += data
    os.close(main)
    process.wait(PATIENCE)
    return said


with upcased() as server:
    shown = on_terminal("--count=60", "--interval=10ms", "127.0.0.1", str(server.port))
    steps = re.findall(rb"\r(\d+)/60 - [0-9.]+/s - 0\.\d s left", shown)
    point("progress on a terminal: one line, written over, gone at the end",
          ([] if len(steps) >= 2 and steps == sorted(steps, key=int) else [f"{shown!r}"]) +
          ([] if re.search(rb"left *\r +\rupcase: 60 lines sent", shown) else [f"{shown!r}"]))
    shown = on_terminal("-q", "--count=30", "--interval=10ms", "127.0.0.1", str(server.port))
    point("none with --quiet", differences("stderr", shown, b""))
    result = run("--plain", "--count=30", "--interval=10ms", "127.0.0.1", server.port)
    point("none in a pipe",
          [f"{result.stderr!r}"] if b"\r" in result.stderr or b" left" in result.stderr else [])
HOME.cleanup()
done()
