# SPDX-License-Identifier: GPL-3.0-or-later
"""The hostile world: sources that come too fast, and what is left to whoever takes the server over."""
import os
import re
import signal
import socket
import tempfile
import time

from server import PATIENCE, NotHere, Server, ask, expect, line, queued, refused_start, run, tcp, udp, wait_until
from tap import has, read, sanitized


def flood(server, count, source="127.0.0.1"):
    """Datagrams from one address; returns how many were answered."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((source, 0))
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    sock.settimeout(0.2)
    answered = 0
    for i in range(count):
        sock.sendto(b"line %d" % i, ("127.0.0.1", server.port))
        if i % 64 == 63:
            # The server's turn: none may be lost for want of room.
            wait_until(lambda: not queued(server), "the server to read")
    try:
        while True:
            answered += sock.recv(2000).startswith(b"LINE ")
    except socket.timeout:
        return answered


def datagrams_too_fast():
    """--datagram-rate: so many at once and no more from one source; another source has its own; each is counted"""
    with Server("--datagram-rate=50") as server:
        start = time.monotonic()
        answered = flood(server, 400)
        most = 100 + 50 * (time.monotonic() - start) + 1
        expect(100 <= answered <= most, True, f"answered {answered} of 400, {most:.0f} at most")
        totals = server.wait_totals(lambda t: t["udp"]["datagrams"] == 400, "all datagrams")
        expect(totals["udp dropped"]["rate"], 400 - answered, "dropped for the rate")
        expect(totals["udp"]["replies"], answered, "replies")
        other = flood(server, 50, "127.0.0.2")
        expect(other, 50, "answered for another source")


def connects_too_fast():
    """--connect-rate: so many at once and no more from one source; refused politely, logged and counted"""
    with Server("--connect-rate=5") as server:
        start = time.monotonic()
        clients = [tcp(server) for _ in range(60)]
        served = [client for client in clients if served_by(client)]
        most = 10 + 5 * (time.monotonic() - start) + 1
        expect(10 <= len(served) <= most, True, f"served {len(served)} of 60, {most:.0f} at most")
        server.wait_log(r"tcp 127.0.0.1:\d+: refused: rate")
        totals = server.wait_totals(lambda t: t["tcp"]["clients"] + t["tcp refused"]["rate"] == 60,
                                    "60 clients")
        expect(totals["tcp"]["clients"], len(served), "served")
        other = socket.create_connection(("127.0.0.1", server.port), PATIENCE, ("127.0.0.3", 0))
        expect(line(other, b"hello\n"), b"HELLO\n", "reply to another source")


def served_by(client):
    try:
        client.sendall(b"hello\n")
        return client.recv(100) == b"HELLO\n"
    except ConnectionError:
        return False


def many_sources():
    """4,000 sources, each with a connection and a datagram: all are served within their limits, in bounded memory"""
    with Server("--datagram-rate=1", "--connect-rate=1", "--max-per-source=1",
                "--idle-timeout=1h") as server:
        before = server.memory()
        for i in range(4000):
            host = f"127.{1 + i % 200}.{i // 200}.{1 + i % 250}"
            with udp(server, local=host) as other:
                expect(ask(other, b"hello"), b"HELLO", f"reply to {host}")
            with socket.create_connection(("127.0.0.1", server.port), PATIENCE,
                                          (host, 0)) as client:
                expect(line(client, b"hello\n"), b"HELLO\n", f"reply over TCP to {host}")
        totals = server.wait_totals(lambda t: t["tcp ended"]["closed"] == 4000, "4,000 ends")
        expect(
            sum(totals["tcp refused"].values()) + sum(totals["udp dropped"].values()), 0,
            f"refused in {totals}")
        expect(server.memory() - before < 2048 or sanitized(), True,
               f"{server.memory() - before} KiB more")


def no_rate_on_loopback():
    """where only this host can come, nobody is too fast"""
    with Server() as server:
        expect(flood(server, 3000) > 0, True, "answered")
        expect(
            server.wait_totals(lambda t: t["udp"]["datagrams"] > 0,
                               "datagrams")["udp dropped"]["rate"], 0, "dropped")


def wrong_rates():
    """a rate that is none: one line, status 2"""
    for option in "--datagram-rate=fast", "--connect-rate=-1", "--datagram-rate=1000001":
        expect(option in refused_start("--port=0", option, status=2), True, option)


KEPT = "NoNewPrivs", "Seccomp"


def status_of(pid):
    with open(f"/proc/{pid}/status") as status:
        return dict(re.findall(r"^(\w+):\s*(.*)$", status.read(), re.M))


def sandboxed():
    """after start-up it has no capabilities, no new privileges and a filter, says so, and serves on"""
    with Server() as server:
        said = server.wait_log(r"sandbox: (.*)")[1]
        status = status_of(server.pid)
        expect(status["NoNewPrivs"], "1", "no new privileges")
        expect([int(status[name], 16) for name in ("CapEff", "CapPrm", "CapInh")], [0, 0, 0],
               "capabilities")
        expect("no capabilities" in said and "no new privileges" in said, True, said)
        # What the log says is so: 2 is a filter.
        expect(status["Seccomp"] == "2", ", seccomp" in said, f"a filter, and the log says: {said}")
        expect(ask(udp(server), b"udp"), b"UDP", "reply")
        expect(line(tcp(server), b"tcp\n"), b"TCP\n", "reply")


def no_sandbox():
    """where there is no sandbox the log says so"""
    with Server() as server:
        server.wait_log(r"sandbox: none")


def watcher_sandboxed():
    """with workers the process that watches them is in one too, and replaces who dies; bursts find the same room as without"""
    with Server("--workers=1") as server:
        said = server.wait_log(r"sandbox of the watching process: (.*)")[1]
        status = status_of(server.pid)
        expect((status["NoNewPrivs"], int(status["CapEff"], 16)), ("1", 0),
               "new privileges, capabilities")
        expect(status["Seccomp"] == "2", ", seccomp" in said, f"a filter, and the log says: {said}")
        server.wait_log(r"sandbox: ")
        with open(f"/proc/{server.pid}/task/{server.pid}/children") as children:
            os.kill(int(children.read().split()[0]), signal.SIGKILL)
        server.wait_log(r"worker 1 .* ended: signal 9")
        expect(ask(udp(server), b"udp"), b"UDP", "reply")
        expect(line(tcp(server), b"tcp\n"), b"TCP\n", "reply")
        server.wait_log(r"(?s)sandbox: .*sandbox: ")
        expect("receive buffer" in server.log(), small_buffers(),
               "a small receive buffer is told of")


def small_buffers():
    with Server() as server:
        ask(udp(server), b"udp")
        return "receive buffer" in server.log()


def within_another_filter():
    """where the system forbids giving up rights it says so and serves; the unit for systemd forbids none of that"""
    calls = ("capset", "landlock_create_ruleset")
    asan = os.environ.get("ASAN_OPTIONS", "")
    with tempfile.NamedTemporaryFile() as trace, \
            Server(before=("strace", "-D", "-q", "-o", trace.name, "-e", f"trace={','.join(calls)}", "-e",
                           f"inject={','.join(calls)}:error=EPERM"), env={"ASAN_OPTIONS": f"{asan}:detect_leaks=0"}) as server:
        said = server.wait_log(r"sandbox: (.*)")[1]
        expect(
            "no new privileges, capabilities kept (Operation not permitted), no Landlock" in said,
            True, said)
        expect(ask(udp(server), b"udp"), b"UDP", "reply")
        expect(line(tcp(server), b"tcp\n"), b"TCP\n", "reply")
    # Neither is in @system-service without @privileged, and without an error number the manager's
    # filter kills.
    unit = read("data", "upcased.service.in")
    allowed = " ".join(re.findall(r"^SystemCallFilter=([a-z].*)$", unit, re.M)).split()
    needed = {*calls, "seccomp", "landlock_add_rule", "landlock_restrict_self"}
    expect((needed - set(allowed), "SystemCallErrorNumber=EPERM" in unit), (set(), True),
           "calls of the unit's filter")


def older_landlock():
    """of an older Landlock it asks what that knows, and the log says what is held"""
    with Server() as server:
        if "(files, TCP, signals)" not in server.wait_log(r"sandbox: (.*)")[1]:
            raise NotHere("Landlock of Linux 6.12")
    asan = os.environ.get("ASAN_OPTIONS", "")
    for version, held in (1, "files"), (3, "files"), (5, "files, TCP"), (9, "files, TCP, signals"):
        with tempfile.NamedTemporaryFile() as trace, \
                Server(before=("strace", "-D", "-q", "-o", trace.name, "-e", "trace=landlock_create_ruleset", "-e",
                               f"inject=landlock_create_ruleset:retval={version}:when=1"),
                       env={"ASAN_OPTIONS": f"{asan}:detect_leaks=0"}) as server:
            expect(f"Landlock ({held})" in server.wait_log(r"sandbox: (.*)")[1], True,
                   f"what version {version} holds")
            expect(ask(udp(server), b"udp"), b"UDP", "reply")


def not_sandboxed():
    """--no-sandbox: as it was started"""
    with Server("--no-sandbox") as server:
        expect(ask(udp(server), b"udp"), b"UDP", "reply")
        # A container may have given up some for all.
        status, before = status_of(server.pid), status_of("self")
        expect([status[name] for name in KEPT], [before[name] for name in KEPT],
               "privileges and filter")
        expect("sandbox" in server.log(), False, "sandbox in the log")


def removes_its_files():
    """within the sandbox it still removes its own socket, and nothing else"""
    folder = tempfile.mkdtemp()
    control = os.path.join(folder, "control")
    try:
        with Server(f"--control={control}") as server:
            wait_until(lambda: os.path.exists(control), "the control socket")
            sock = socket.socket(socket.AF_UNIX)
            sock.connect(control)
            sock.sendall(b"totals\n")
            wait_until(lambda: b"udp:" in sock.recv(65536), "totals")
            server.process.terminate()
            server.process.wait()
        expect(os.path.exists(control), False, "the socket is still there")
    finally:
        os.rmdir(folder)


def all_of_it_within():
    """within the sandbox: the log, the totals on a signal, an idle client's end, the end on a signal"""
    with Server("--idle-timeout=50ms", "--max-clients=2", "-v") as server:
        client = tcp(server)
        expect(line(client, b"hello\n"), b"HELLO\n", "reply")
        expect(client.recv(100), b"", "the end of an idle client")
        server.wait_log(r"idle")
        expect(server.totals()["tcp ended"]["idle"], 1, "idle")
        server.process.terminate()
        expect(server.process.wait(PATIENCE), 0, "status")
        server.wait_log(r"totals at the end")


run(datagrams_too_fast, connects_too_fast, many_sources, no_rate_on_loopback, wrong_rates,
    *((sandboxed, watcher_sandboxed, within_another_filter, older_landlock)
      if has("SANDBOX") else [no_sandbox]), not_sandboxed,
    removes_its_files, all_of_it_within)
