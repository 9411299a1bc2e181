# SPDX-License-Identifier: GPL-3.0-or-later
"""A short soak: every kind of client of one server at once, by select() alone and with many
clients; make soak is a long one.

SOAK_SECONDS, SOAK_SEED and SOAK_LOAD say how long, which and how much."""
import os
import signal
import subprocess
import time

from server import PATIENCE, UPCASED, Server, expect, line, need_room, read_exactly, run, stop_process, tcp, wait_until
from tap import BUILD, has

SECONDS = os.environ.get("SOAK_SECONDS", "3")
SEED = os.environ.get("SOAK_SEED")
SLOWLY = float(os.environ.get("TEST_PATIENCE", "1"))
# Tests with times of their own run beside it.
LOAD = os.environ.get("SOAK_LOAD", "0.15" if SLOWLY == 1 else "0.06")

# Longer than 400 clients take to connect.
IDLE = 0.6 * SLOWLY


def soak(*options):
    """What a sanitizer keeps of the memory is no leak, and what is one it tells itself."""
    need_room(*options)
    command = [
        os.path.join(BUILD, "tests/soak", "soak"), f"--seconds={SECONDS}", f"--load={LOAD}",
        f"--patience={SLOWLY}", *options
    ]
    command += [f"--seed={SEED}"] if SEED else []
    command += ["--memory-free"] if SLOWLY > 1 else []
    ended = subprocess.run([*command, UPCASED],
                           capture_output=True,
                           text=True,
                           timeout=4 * PATIENCE + float(SECONDS),
                           check=False)
    text = ended.stdout + ended.stderr
    for line in text.splitlines():
        if "seed" in line:
            print(f"# {line}")
    if ended.returncode != 0:
        raise AssertionError(f"{' '.join(command)}\n{text}")


def by_select():
    """every well-behaved client served, nothing lost uncounted, memory and descriptors flat: by select()"""
    soak("--max-clients=150")


def many():
    """the same with more clients than select() can watch"""
    soak("--max-clients=1200")


def stood_still():
    """who has sent something while the server stood still for longer than the time-out is not idle"""
    # More of them than are looked at in one turn.
    with Server(f"--max-clients={2000 if has('EPOLL') else 500}", f"--idle-timeout={IDLE}s") as server:
        clients = [tcp(server) for _ in range(400)]
        for client in clients:
            expect(line(client, b"first\n"), b"FIRST\n", "reply")
        stop_process(server)
        stopped = time.monotonic()
        for client in clients:
            client.sendall(b"still here\n")
        wait_until(lambda: time.monotonic() - stopped > 1.2 * IDLE, "longer than that")
        os.kill(server.pid, signal.SIGCONT)
        for client in clients:
            expect(read_exactly(client, 11), b"STILL HERE\n", "reply to one who was not idle")
        for client in clients:
            expect(client.recv(1), b"", "the end of an idle one")
        expect(server.totals()["tcp ended"]["idle"], 400, "ended as idle")


run(by_select, *([many] if has("EPOLL") else []), stood_still)
