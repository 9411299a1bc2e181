# SPDX-License-Identifier: GPL-3.0-or-later
"""upcased --workers: several processes share the port, one that dies is replaced, and everything adds up."""
import contextlib
import os
import re
import resource
import signal
import socket
import subprocess
import tempfile
import time

from server import ACTIVATE, PATIENCE, UPCASED, Server, ask, drops, expect, line, read_all, refused_start, run, stop_process, tcp, udp, wait_until
from server_control_client import Control, name_of
from tap import has

WORKERS = 3


def state(pid):
    """The kernel's letter for it; Z when it has ended."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return file.read().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return "Z"


def is_alive(pid):
    return state(pid) != "Z"


def wait_workers(server, n=WORKERS):
    return wait_until(lambda: (lambda found: len(found) == n and found)(server.workers()),
                      f"{n} workers")


def connections_of(pid):
    """How many TCP connections a process has, as the kernel tells."""
    inodes = set()
    for fd in os.listdir(f"/proc/{pid}/fd"):
        target = os.readlink(f"/proc/{pid}/fd/{fd}")
        if target.startswith("socket:["):
            inodes.add(target[8:-1])
    with open("/proc/net/tcp", encoding="ascii") as file:
        rows = [row.split() for row in file][1:]
    # While others come and go the table may show a row twice.
    return len({row[9] for row in rows if row[3] == "01"} & inodes)


def share():
    """the clients are shared out, over both transports, and all are served; the totals are of all"""
    with Server(f"--workers={WORKERS}") as server:
        workers = wait_workers(server)
        clients = [tcp(server) for _ in range(200)]
        for number, client in enumerate(clients):
            expect(line(client, b"client %d\n" % number), b"CLIENT %d\n" % number, "reply")
        counts = [connections_of(pid) for pid in workers]
        expect((sum(counts), min(counts) > 20), (200, True), f"connections of each: {counts}")
        expect(connections_of(server.pid), 0, "connections of who watches")
        # All at once: a port that was free again would be the same client's.
        peers = [udp(server) for _ in range(100)]
        for number, peer in enumerate(peers):
            expect(ask(peer, b"peer %d" % number), b"PEER %d" % number, "reply")
        totals = server.wait_totals(
            lambda t: (t["udp"]["replies"], t["tcp"]["lines"]) == (100, 200), "all")
        expect((totals["udp"]["clients"], totals["tcp"]["now"]), (100, 200), "clients")
        for client in clients:
            client.close()
        server.wait_totals(lambda t: t["tcp ended"]["closed"] == 200, "all closed")
        expect(server.workers(), workers, "the same workers")


def one_is_killed():
    """kill -9 of a worker: the others go on, it is replaced, and the totals are what the clients counted"""
    with Server(f"--workers={WORKERS}") as server:
        workers = wait_workers(server)
        clients = [tcp(server) for _ in range(90)]
        lines = datagrams = 0
        peers = [udp(server) for _ in range(60)]

        def traffic(some):
            nonlocal lines, datagrams
            for client in some:
                expect(line(client, b"hello\n"), b"HELLO\n", "reply")
                lines += 1
            for peer in peers:
                expect(ask(peer, b"hello"), b"HELLO", "reply")
                datagrams += 1
        traffic(clients)
        dead, now = 0, clients
        for pid in workers:
            lost = connections_of(pid)
            # It had lived for more than a second, or it would be given a pause.
            os.kill(pid, signal.SIGKILL)
            wait_until(
                lambda pid=pid: pid not in server.workers() and len(server.workers()) == WORKERS,
                "the next one")
            dead += lost
            # Its end reaches the clients in a moment.
            wait_until(lambda: sum(not ended(client) for client in now) == len(clients) - dead,
                       "connections that live")
            now = [client for client in now if not ended(client)]
            traffic(now)
        now = [tcp(server) for _ in range(30)]
        traffic(now)
        totals = server.wait_totals(
            lambda t: (t["tcp"]["lines"], t["udp"]["replies"]) == (lines, datagrams),
            f"{lines} and {datagrams}")
        expect((totals["tcp"]["clients"], totals["tcp"]["now"], totals["tcp ended"]["cut"]),
               (120, 30, 90), "connections")
        expect(len([text for text in server.log().splitlines() if "ended: signal 9" in text]),
               WORKERS, server.log())
        last = server.stop()
        expect((last["tcp"]["lines"], last["udp"]["replies"], last["tcp ended"]["stopped"]),
               (lines, datagrams, 30), "end")


def ended(client):
    """Whether the other end has closed it, in whatever way."""
    client.setblocking(False)
    try:
        return client.recv(1) == b""
    except BlockingIOError:
        return False
    except ConnectionResetError:
        return True
    finally:
        client.setblocking(True)


def what_waited():
    """connections and datagrams that waited at the sockets of one that died are served by the next one"""
    with Server("--workers=1") as server:
        pid = wait_workers(server, 1)[0]
        os.kill(pid, signal.SIGSTOP)
        clients, peer = [tcp(server) for _ in range(10)], udp(server)
        for client in clients:
            client.sendall(b"waited\n")
        peer.send(b"waited")
        os.kill(pid, signal.SIGKILL)
        for client in clients:
            expect(client.recv(100), b"WAITED\n", "reply")
        expect(peer.recv(100), b"WAITED", "reply")


def dropped_is_told_once():
    """what the kernel dropped at the sockets of one that died is not told again by the next one, and is not forgotten"""
    with Server("--workers=1", "--ipv4") as server:
        peer = udp(server)
        for _ in range(3):
            pid = wait_workers(server, 1)[0]
            # Once while it lives, once more that it never learns of.
            for number in (signal.SIGCONT, signal.SIGKILL):
                os.kill(pid, signal.SIGSTOP)
                before = drops(server)
                while drops(server) < before + 50:
                    peer.send(b"x" * 1400)
                os.kill(pid, number)
                server.wait_totals(lambda t: t["udp system"]["overflowed"] >= drops(server),
                                   "all that was dropped")
            wait_until(lambda pid=pid: pid not in server.workers(), "its end")
        ask(udp(server), b"x")
        expect(server.totals()["udp system"]["overflowed"], drops(server), "overflowed")


def dies_at_once():
    """one that dies at once is replaced after pauses that grow"""
    with Server("--workers=1") as server:
        for _ in range(4):
            pid = wait_workers(server, 1)[0]
            os.kill(pid, signal.SIGKILL)
            wait_until(lambda pid=pid: pid not in server.workers(), "its end")
        server.wait_log(r"comes in 0\.[48] s")
        began = time.monotonic()
        wait_workers(server, 1)
        expect(time.monotonic() - began > 0.1, True, "a pause")
        expect(ask(udp(server), b"x"), b"X", "reply")


def storm_of_deaths():
    """all that are there are killed every few milliseconds while they work: everything adds up, and all come back"""
    with Server(f"--workers={WORKERS}") as server:
        wait_workers(server)
        expect(ask(udp(server), b"x"), b"X", "reply")
        before, waiting = server.descriptors(), []
        for _ in range(200):
            waiting += [tcp(server), udp(server)]
            for client in waiting[-2:]:
                client.send(b"hello\n" * 1000)
            for pid in server.workers():
                # One of the last round may be gone since the list was read.
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.003)
        totals = server.totals()
        expect(totals["tcp"]["now"] <= totals["tcp"]["clients"], True, f"connections in {totals}")
        wait_workers(server)
        for _ in range(10):
            expect(line(tcp(server), b"hello\n"), b"HELLO\n", "reply afterwards")
        wait_until(lambda: server.descriptors() == before, "descriptors as before")


def all_end():
    """SIGTERM and SIGINT end all, with what was received answered; also when the terminal tells each of them"""
    for number in (signal.SIGTERM, signal.SIGINT):
        server = Server(f"--workers={WORKERS}", start_new_session=True)
        workers = wait_workers(server)
        clients = [tcp(server) for _ in range(20)]
        for client in clients:
            line(client, b"x")
        for pid in workers:
            os.kill(pid, signal.SIGSTOP)
        for client in clients:
            client.sendall(b"last words\n")
        os.killpg(server.pid, number)
        for pid in workers:
            os.kill(pid, signal.SIGCONT)
        for client in clients:
            expect(read_all(client), b"LAST WORDS\n", "reply")
        totals = server.wait()
        expect((totals["tcp ended"]["stopped"], totals["tcp"]["lines"]), (20, 20), "totals")
        expect([pid for pid in workers if is_alive(pid)], [], "left")


def none_is_left():
    """SIGKILL of the first process leaves no process, and the port is free again"""
    server = Server(f"--workers={WORKERS}")
    workers = wait_workers(server)
    expect(line(tcp(server), b"x"), b"X", "reply")
    # One that has only just been made does not know yet that it ends with the first process.
    wait_until(lambda: state(workers[0]) == "S", "a worker in its loop")
    os.kill(workers[0], signal.SIGSTOP)
    server.process.kill()
    server.process.wait()
    wait_until(lambda: not any(map(is_alive, workers)), "the end of all")
    with Server(port=server.port) as again:
        expect(ask(udp(again), b"x"), b"X", "reply")


def port_in_use():
    """a port that another server has is in use, also one that is shared by its workers"""
    for first in ("--workers=2", "--verbose"):
        with Server(first) as server:
            wait_until(lambda: ask(udp(server), b"x") == b"X", "it serves")  # pylint: disable=cell-var-from-loop
            for second in ("--workers=2", "--verbose"):
                message = refused_start(f"--port={server.port}", second, status=1)
                expect("is in use" in message, True, message)


def control():
    """--control: the sum of the totals, every worker's connections, and one of them wherever it is"""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "control")
        with Server(f"--workers={WORKERS}", f"--control={path}", "--max-clients=2000") as server:
            workers = wait_workers(server)
            asked = Control(path)
            clients = [tcp(server) for _ in range(60)]
            for client in clients:
                line(client, b"hello\n")
            expect(sorted(asked.connections()), sorted(map(name_of, clients)), "peers")
            for client in clients:
                answer = asked.ask(f"connection {name_of(client)}")
                expect((len(answer), answer[0].split()[1], answer[1]), (2, name_of(client), "ok"),
                       "one of them")
            expect(asked.ask("connection 127.0.0.1:1")[0].startswith("error"), True, "nobody")
            wait_until(
                lambda: "tcp: clients 60 now 60 lines 60 bytes-in 360 bytes-out 360" in asked.ask(
                    "totals"), "sum")
            # One that stands still is told, and does not spoil the next answers.
            os.kill(workers[1], signal.SIGSTOP)
            expect(asked.ask("connections")[-1], "error worker 2 does not answer", "silent")
            expect(asked.ask("connections")[-1], "error worker 2 does not answer", "silent")
            os.kill(workers[1], signal.SIGCONT)
            wait_until(lambda: asked.ask("connections")[-1] == "ok", "all answers")
            expect(sorted(asked.connections()), sorted(map(name_of, clients)), "peers again")
            os.kill(workers[0], signal.SIGKILL)
            wait_until(
                lambda: workers[0] not in server.workers() and len(server.workers()) == WORKERS,
                "the next one")
            expect(set(asked.connections()) < set(map(name_of, clients)), True, "those that live")
        expect(os.listdir(folder), [], "files at the end")


def asked_to_end_alone():
    """SIGTERM to one worker: it answers what it has, ends, and is replaced; the control socket stays"""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "control")
        with Server("--workers=1", f"--control={path}") as server:
            pid, client = wait_workers(server, 1)[0], tcp(server)
            expect(line(client, b"x\n"), b"X\n", "reply")
            os.kill(pid, signal.SIGTERM)
            expect(read_all(client), b"", "the end")
            expect(line(tcp(server), b"y\n"), b"Y\n", "the next one's reply")
            expect(Control(path).ask("link")[-1], "ok", "answer")


def not_with_sockets_handed_over():
    """--workers cannot share sockets that were handed over; a wrong number: one line, status 2"""
    for value in ("0", "65", "x", ""):
        expect("--workers" in refused_start(f"--workers={value}", status=2), True, value)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ended_at = subprocess.run([*ACTIVATE,
                                   str(listener.fileno()), UPCASED, "--workers=2"],
                                  pass_fds=[listener.fileno()],
                                  capture_output=True,
                                  text=True,
                                  timeout=PATIENCE,
                                  check=False)
        expect((ended_at.returncode, "LISTEN_FDS" in ended_at.stderr), (2, True), ended_at.stderr)


def too_few_descriptors():
    """where there is no room for the sockets of all: one line with the way out, status 2, and not some that never start"""
    def low(most=40):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    message = refused_start("--workers=16", "--port=0", "--ipv4", status=2, before=low)
    needed = int(re.search(r"^upcased: --workers=16: .* raise it \(ulimit -n (\d+)\)$", message)[1])
    with Server("--workers=16", "--ipv4", prepare=lambda: low(needed + 2)) as server:
        wait_workers(server, 16)
        expect("cannot" in server.log(), False, server.log())
    addresses = [f"--bind=127.0.0.{i}" for i in range(1, 33)]
    message = refused_start("--workers=16", "--port=0", *addresses, status=2)
    expect("--workers=16: is more than the 15 for whose sockets select() has room" in message, True,
           message)
    with Server("--workers=15", *addresses) as server:
        wait_workers(server, 15)
        for i in range(1, 33):
            expect(ask(udp(server, f"127.0.0.{i}"), b"x"), b"X", f"reply of 127.0.0.{i}")


def stopped_parent():
    """workers serve also while who watches stands still"""
    with Server("--workers=2") as server:
        wait_workers(server, 2)
        stop_process(server)
        for _ in range(20):
            expect(line(tcp(server), b"x"), b"X", "reply")
        os.kill(server.pid, signal.SIGCONT)


def not_built():
    """where processes cannot share a port --workers is refused in one line, status 2"""
    expect("--workers: this build has no way" in refused_start("--workers=2", status=2), True, "line")


run(*[not_built] if not has("WORKERS") else (share, one_is_killed, what_waited, dropped_is_told_once, dies_at_once, storm_of_deaths, all_end,
    none_is_left, port_in_use, control, asked_to_end_alone, not_with_sockets_handed_over,
    too_few_descriptors, stopped_parent))
