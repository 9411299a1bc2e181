# SPDX-License-Identifier: GPL-3.0-or-later
"""The plain client: order, ends of input, exit status, errors, bounded memory, the private server."""
import os
import select
import signal
import socket
import subprocess
import tempfile
import time
import unicodedata

from client import BUILD, ENVIRONMENT, HOME, PATIENCE, TOP, UPCASE, differences, python, run, upcased
from tap import done, point


def status(result, wanted):
    return differences("status", str(result.returncode), str(wanted)) + \
        ([f"stderr: {result.stderr[-400:]!r}"] if result.returncode != wanted else [])


def read(name):
    with open(os.path.join(TOP, name), "rb") as file:
        return file.read()


def program(name, *arguments, stdin=b""):
    return subprocess.run([os.path.join(BUILD, "tests/unit/common", name), *arguments],
                          input=stdin,
                          stdout=subprocess.PIPE,
                          check=True).stdout


def capitals(data):
    """Python's, where its Unicode is ours; else ours, which capitals_python.py compares with
    Python's and lists what differs."""
    if unicodedata.unidata_version.startswith(
            program("capitals_filter", "unicode").decode().strip() + "."):
        return data.decode().upper().encode()
    return program("capitals_filter", stdin=data)


def no_such_process(pid):
    """Waits until it is gone."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            with open(f"/proc/{pid}/stat", encoding="ascii") as file:
                if file.read().rpartition(")")[2].split()[0] == "Z":
                    return []
        except FileNotFoundError:
            return []
        select.select([], [], [], 0.01)
    return [f"process {pid} is still there"]


# Whole texts, byte for byte.
TEXTS = {"the GPL": read("COPYING"), "a sampler of scripts": read("tests/lib/samples/scripts.txt"),
         "no end of line at the end": b"one\ntwo\nthree", "empty lines": b"\n\n\nx\n\n"}
with upcased() as server:
    for name, text in TEXTS.items():
        for transport in (["--udp", "--ordered"], ["--tcp"]):
            result = run("--plain", *transport, "127.0.0.1", server.port, stdin=text)
            point(f"{name} over {transport[0]}",
                  differences("replies", result.stdout, capitals(text)) + status(result, 0))
    result = run("--plain", "-t", "127.0.0.1", server.port, stdin=b"")
    point("no input at all", differences("replies", result.stdout, b"") + status(result, 0))
    # One line of a megabyte, and lines longer than a datagram among others.
    line = b"abcdefghij" * 100000
    result = run("--plain", "-t", "127.0.0.1", server.port, stdin=line + b"\n" + line)
    point("a line of a megabyte over TCP, twice",
          differences("replies", result.stdout, (line + b"\n" + line).upper()) + status(result, 0))
    result = run("--plain",
                 "--ordered",
                 "127.0.0.1",
                 server.port,
                 stdin=b"before\n" + line + b"\nafter\n")
    point("a line that is too long for a datagram fails, the rest go on",
          differences("replies", result.stdout, b"BEFORE\nAFTER\n") + status(result, 1) +
          ([] if b"too long" in result.stderr else [f"stderr: {result.stderr!r}"]))
    largest = b"x" * 65507
    result = run("--plain", "127.0.0.1", server.port, stdin=largest + b"\n")
    point("the largest datagram",
          differences("replies", result.stdout,
                      largest.upper() + b"\n") + status(result, 0))
    result = run("--plain", "-q", "127.0.0.1", server.port, stdin=b"x\n")
    point("--quiet says nothing", differences("stderr", result.stderr, b""))

# A server that does as it is told.
with python("scripted_server.py", "udp") as server:
    text = b"hold one\ntwo\nlose three\nfour\n"
    result = run("--plain", "--wait=300ms", "127.0.0.1", server.port, stdin=text)
    point("UDP: as they come, the lost one counted",
          differences("replies", result.stdout, b"TWO\nHOLD ONE\nFOUR\n") + status(result, 1) +
          ([] if b"1/4 lost" in result.stderr else [f"stderr: {result.stderr!r}"]))
    result = run("--plain", "--ordered", "--wait=300ms", "127.0.0.1", server.port, stdin=text)
    point("UDP: --ordered",
          differences("replies", result.stdout, b"HOLD ONE\nTWO\nFOUR\n") + status(result, 1))
    result = run("--plain",
                 "--wait=2s",
                 "127.0.0.1",
                 server.port,
                 stdin=b"twice x\nlate 100 y\nstray z\n")
    point(
        "UDP: neither duplicates nor strays are printed",
        differences("replies", b"".join(sorted(result.stdout.splitlines(True))),
                    b"LATE 100 Y\nSTRAY Z\nTWICE X\n") + status(result, 0))
    fifty = b"late 50 same\n" * 50
    result = run("--plain", "--wait=5s", "127.0.0.1", server.port, stdin=fifty)
    point("UDP: fifty equal lines in flight",
          differences("replies", result.stdout, fifty.upper()) + status(result, 0))

with python("scripted_server.py", "tcp") as server:
    result = run("--plain", "-t", "127.0.0.1", server.port, stdin=b"one\ntwo\nclose\n")
    point("TCP: closed before the reply is cut off",
          differences("replies", result.stdout, b"ONE\nTWO\n") + status(result, 1) +
          ([] if b"cut off" in result.stderr else [f"stderr: {result.stderr!r}"]))

# The window holds the sender back: nobody answers, and no more than so many datagrams come.
quiet = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
quiet.bind(("127.0.0.1", 0))
quiet.setblocking(False)
client = subprocess.Popen([
    UPCASE, "--plain", "--window=7", "--wait=1h", "127.0.0.1",
    str(quiet.getsockname()[1])
],
                          stdin=subprocess.PIPE,
                          stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE,
                          env=ENVIRONMENT)
client.stdin.write(b"x\n" * 100)
client.stdin.flush()
got = 0
while select.select([quiet], [], [], 1 if got >= 7 else PATIENCE)[0]:
    quiet.recv(100)
    got += 1
client.send_signal(signal.SIGINT)
told = client.communicate(timeout=PATIENCE)[1]
point("--window=7: seven on the way, and no more", differences("datagrams", str(got), "7"))
point(
    "SIGINT ends with a summary and status 1",
    differences("status", str(client.returncode), "1") +
    ([] if b"answered 0 of 7, 7 still waiting; wait" in told else [f"stderr: {told!r}"]))

# Nobody there.
with upcased() as server:
    gone = server.port
for option, word in (("-u", b"refused"), ("-t", b"refused")):
    result = run("--plain", option, "127.0.0.1", gone, stdin=b"x\n")
    point(f"nobody listens, {option}",
          status(result, 1) + ([] if word in result.stderr else [f"stderr: {result.stderr!r}"]))

# Bad input: one line, status 2.
BAD = [["--wait=3x"], ["--wiat=3"], ["--window=0"], ["host", "0"], ["host", "70000"],
       ["a", "1", "b"], ["--port=x"], ["--tag=perhaps"], ["--config=/nonexistent"], ["[::1"],
       ["--color=red"], ["bad host"]]
for arguments in BAD:
    result = run(*arguments)
    lines = result.stderr.splitlines()
    point(
        f"usage: {' '.join(arguments)}",
        status(result, 2) + differences("lines", str(len(lines)), "1") +
        differences("stdout", result.stdout, b""))

# The configuration file.
with tempfile.TemporaryDirectory() as folder:
    os.makedirs(os.path.join(folder, "upcase"))
    path = os.path.join(folder, "upcase", "config")
    with upcased() as server:
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"# a comment\n\ntcp\nhost = 127.0.0.1\nport {server.port}\nquiet\n")
        result = run(stdin=b"from the file\n", env={"XDG_CONFIG_HOME": folder})
        point(
            "the configuration file's lines are the long options",
            differences("replies", result.stdout, b"FROM THE FILE\n") +
            differences("stderr", result.stderr, b""))
    with open(path, "w", encoding="utf-8") as file:
        file.write("tcp\nwait = 3x\n")
    result = run(env={"XDG_CONFIG_HOME": folder})
    point("a wrong line in it is named", status(result, 2) +
          ([] if b"config:2:" in result.stderr else [f"stderr: {result.stderr!r}"]))

# Rows are forgotten when there are more than --rows; a line on its way is not.
with upcased() as server:
    result = run("--plain",
                 "--rows=1",
                 "127.0.0.1",
                 server.port,
                 stdin=b"".join(b"%d\n" % i for i in range(1000)))
    point("--rows=1: all are answered all the same", status(result, 0) +
          ([] if b"answered 1000 of 1000" in result.stderr else [f"stderr: {result.stderr!r}"]))
    result = run("--plain", "127.0.0.1", server.port, stdin=b"x\n", preexec_fn=lambda: os.close(1))
    point("a closed standard output is told", status(result, 1))

# A server that never stops talking does not keep lines from being sent.
chatter = socket.create_server(("127.0.0.1", 0))
client = subprocess.Popen([UPCASE, "--plain", "-t", "127.0.0.1",
                           str(chatter.getsockname()[1])],
                          stdin=subprocess.PIPE,
                          stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL,
                          env=ENVIRONMENT)
client.stdin.write(b"one\ntwo\nthree\n")
client.stdin.flush()
talk = chatter.accept()[0]
heard, end = b"", time.monotonic() + PATIENCE
while heard != b"one\ntwo\nthree\n" and time.monotonic() < end:
    talk.sendall(b"chatter\n" * 10)
    if select.select([talk], [], [], 0.01)[0]:
        heard += talk.recv(100)
point("TCP: chatter does not hold lines back", differences("heard", heard, b"one\ntwo\nthree\n"))
client.kill()
client.communicate()

# The private server ends with the client, however that ends.
for how in (signal.SIGKILL, signal.SIGTERM, None):
    client = subprocess.Popen([UPCASE, "--plain"],
                              stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE,
                              env=ENVIRONMENT)
    client.stdin.write(b"hello\n")
    client.stdin.flush()
    reply = client.stdout.readline()
    with open(f"/proc/{client.pid}/task/{client.pid}/children", encoding="ascii") as file:
        children = file.read().split()
    if how is None:
        client.stdin.close()
    else:
        client.send_signal(how)
    client.wait(PATIENCE)
    faults = differences("reply", reply, b"HELLO\n") + differences("children", str(len(children)),
                                                                   "1")
    for child in children:
        faults += no_such_process(child)
    point(f"a private server, ended with the client by {how.name if how else 'the end of input'}",
          faults)

# Even when somebody stopped it.
client = subprocess.Popen([UPCASE, "--plain"],
                          stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL,
                          env=ENVIRONMENT)
client.stdin.write(b"hello\n")
client.stdin.flush()
client.stdout.readline()
with open(f"/proc/{client.pid}/task/{client.pid}/children", encoding="ascii") as file:
    child = int(file.read())
os.kill(child, signal.SIGSTOP)
client.stdin.close()
try:
    client.wait(PATIENCE / 4)
    faults = []
except subprocess.TimeoutExpired:
    faults = ["the client waits for it"]
    client.kill()
point("a private server that is stopped is ended too", faults + no_such_process(child))

# Several connections: what each says stays whole.
with upcased() as server, python("scripted_server.py", "tcp") as scripted:
    LONG = [letter * 5_000_000 for letter in (b"a", b"b", b"c", b"d")]
    result = run("-tq", "--connections=3", "127.0.0.1", server.port, stdin=b"\n".join(LONG) + b"\n")
    point("long replies over several connections, each in one piece",
          differences("lines", str(sorted((len(line), line[:1]) for line in result.stdout.split())),
                      str([(len(line), line[:1].upper()) for line in LONG])) +
          [f"{set(line)}" for line in result.stdout.split() if len(set(line)) > 1])
    result = run("-tqv", "--connections=2", "127.0.0.1", scripted.port,
                 stdin=b"one\ntwo\nlose three\nclose\nclose\n")
    point("--verbose: lines are cut off in any order, and each is told",
          differences("cut off", str(sorted(line.split()[0] for line in result.stdout.splitlines()
                                            if b"-x cut off" in line)), str([b"3", b"4", b"5"])) +
          differences("connections", str([b", connection %d: closed" % n in result.stderr for n in (1, 2)]),
                      "[True, True]"))
with socket.create_server(("127.0.0.1", 0)) as nobody:
    port = nobody.getsockname()[1]
result = run("-t", "--connections=4", "127.0.0.1", port, stdin=b"x\n")
point("what all connections meet is told once",
      differences("notices", str(result.stderr.count(b"upcase: TCP 127.0.0.1")), "1"))

# Memory is bounded whatever comes: by lines of any length.
with upcased() as server:
    for what, block, count in (
        ("short", b"a line of text that is neither long nor short, number 12345678\n" * 16384,
         64), ("long", (b"abcdefghi " * 6000 + b"\n") * 16, 320)):
        client = subprocess.Popen([UPCASE, "--plain", "-tq", "127.0.0.1",
                                   str(server.port)],
                                  stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE,
                                  env=ENVIRONMENT)
        blocks = count if "TEST_PATIENCE" not in os.environ else count // 8
        received = peak = 0
        if os.fork() == 0:
            client.stdout.close()
            for _ in range(blocks):
                client.stdin.write(block)
            os._exit(0)
        client.stdin.close()
        while data := client.stdout.read(1 << 20):
            received += len(data)
            with open(f"/proc/{client.pid}/status", encoding="ascii") as file:
                peak = max([peak] +
                           [int(line.split()[1]) for line in file if line.startswith("VmHWM")])
        client.wait(PATIENCE)
        os.wait()
        print(
            f"# {received >> 20} MiB of {what} lines through TCP, the client's memory at most {peak >> 10} MiB"
        )
        point(
            f"a long stream of {what} lines in bounded memory",
            differences("bytes", str(received), str(blocks * len(block))) +
            differences("status", str(client.returncode), "0") +
            ([] if peak < 200 << 10 or "TEST_PATIENCE" in os.environ else [f"{peak} KiB"]))
HOME.cleanup()
done()
