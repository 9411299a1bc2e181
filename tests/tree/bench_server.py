# SPDX-License-Identifier: GPL-3.0-or-later
"""The bench of the server works: every way to ask it gives figures and no wrong replies, and a
server that answers wrongly is noticed. Nothing is said about how fast anything is."""
import json
import os
import re
import socket
import subprocess
import sys
import threading

from server import PATIENCE, Server, expect, run
from tap import BUILD, TOP

LOAD = os.path.join(BUILD, "bench", "load")
DRIVER = os.path.join(TOP, "bench", "server.py")
# How long to ask: short, since all that matters is that there are figures; longer where the machine
# gave no time to it.
SECONDS = (0.03, 0.3, 3)
WAYS = ("udp-rtt", "udp-rtt --awake", "udp-burst", "udp-burst --size=1400", "udp-2048",
        "udp-spread --connections=16", "udp-open --rate=1000 --idle=20",
        "tcp-open --rate=1000 --idle=20", "rr --connections=10", "rr --awake --connections=3",
        "stream --connections=3", "stream --window=256", "churn")


def load(way, port, *options, figure="replies"):
    """Asks a server until there is some of a figure: the load tool's status and figures."""
    for seconds in SECONDS:
        ended = subprocess.run([
            LOAD, "--warmup=0.01", f"--seconds={seconds}", *options, *way.split(),
            str(port)
        ],
                               capture_output=True,
                               text=True,
                               timeout=PATIENCE,
                               check=False)
        if ended.returncode not in (0, 3):
            raise AssertionError(f"load {way}: status {ended.returncode}: {ended.stderr}")
        told = json.loads(ended.stdout)
        expect(told["seconds"] >= seconds, True, f"{way}: time measured: {told}")
        if told[figure] > 0:
            break
    return ended.returncode, told


def every_way():
    """each way to ask gives figures; nothing wrong in what upcased answers"""
    with Server() as server:
        for way in WAYS:
            status, told = load(way, server.port, f"--pid={server.pid}", figure="server_cpu_s")
            expect((status, told["wrong"]), (0, 0), f"{way}: status and wrong replies")
            for figure in ("seconds", "replies", "bytes", "server_cpu_s"):
                expect(told[figure] > 0, True, f"{way}: {figure}: {told}")
            expect("stream" in way or 0 < told["p50_us"] <= told["p99_us"], True,
                   f"{way}: round trips: {told}")


def report():
    """the report has a table for each test and upcased's figures in it"""
    for seconds in SECONDS:
        ended = subprocess.run([
            sys.executable, DRIVER, "--rounds=2", "--repeats=0", f"--seconds={seconds}",
            "--tests=udp-rtt,rr-1,udp-2048", "--peers=epoll,joined,busy"
        ],
                               capture_output=True,
                               text=True,
                               timeout=2 * PATIENCE,
                               check=False,
                               env={**os.environ, "abs_top_builddir": BUILD})
        if "nothing came back" not in ended.stdout:
            break
    expect((ended.returncode, ended.stderr), (0, ""), f"status, and what is said\n{ended.stdout}")
    for test in ("udp-rtt", "rr-1", "udp-2048"):
        # Median (least-most).
        figure = r"[0-9][0-9.,]* \([0-9.,]+–[0-9.,]+\)"
        row = rf"^### {test}:.*\n\n.*\n.*\n\| upcased \| {figure} \| {figure} \|"
        expect(
            re.search(row, ended.stdout, re.M) is not None, True,
            f"the table of {test}\n{ended.stdout}")
    for peer in ("upcased-spin", "epoll", "joined", "busy"):
        expect(
            re.search(rf"^\| {peer} \| [1-9]", ended.stdout, re.M) is not None, True,
            f"figures of {peer}\n{ended.stdout}")
    expect(
        re.search(r"^\| UDP, burst of 2,048: lost \|", ended.stdout, re.M) is not None, True,
        f"the summary\n{ended.stdout}")
    expect("WRONG" in ended.stdout, False, "wrong replies")


def deaf(datagrams, asked):
    """Answers as it should, but not every eighth."""
    while True:
        text, peer = datagrams.recvfrom(1 << 16)
        asked.append(1)
        if len(asked) % 8:
            datagrams.sendto(text.upper(), peer)


def counted():
    """what a server does not answer is counted as lost"""
    with socket.socket(type=socket.SOCK_DGRAM) as datagrams:
        datagrams.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        datagrams.bind(("127.0.0.1", 0))
        threading.Thread(target=deaf, args=(datagrams, []), daemon=True).start()
        for way in ("udp-rtt", "udp-burst", "udp-spread --connections=16", "udp-open --rate=1000"):
            status, told = load(way, datagrams.getsockname()[1], figure="lost")
            expect((status, told["wrong"], told["lost"] > 0), (0, 0, True),
                   f"{way}: status, wrong, lost: {told}")
            if way == "udp-burst":
                # More where the machine lets it wait for longer than the load tool does.
                expect(told["replies"] <= 7 * told["lost"], True,
                       f"{way}: an eighth of each 64: {told}")


def wrong(text):
    """In capitals, but one letter behind the number."""
    text = bytearray(text.upper())
    if len(text) > 20:
        text[20] ^= 1
    return bytes(text)


def serve_stream(client):
    """One client, to its end."""
    with client:
        try:
            while text := client.recv(1 << 20):
                client.sendall(wrong(text))
        except OSError:
            # The load tool does not wait for what is under way at the end.
            pass


def serve(listener, datagrams):
    """Both transports, for as long as the test runs."""
    def accept():
        while True:
            threading.Thread(target=serve_stream, args=(listener.accept()[0],), daemon=True).start()
    threading.Thread(target=accept, daemon=True).start()
    while True:
        text, peer = datagrams.recvfrom(1 << 16)
        datagrams.sendto(wrong(text), peer)


def noticed():
    """a server that answers one letter wrong is noticed in each way"""
    with socket.create_server(
        ("127.0.0.1", 0)) as listener, socket.socket(type=socket.SOCK_DGRAM) as datagrams:
        port = listener.getsockname()[1]
        datagrams.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        datagrams.bind(("127.0.0.1", port))
        threading.Thread(target=serve, args=(listener, datagrams), daemon=True).start()
        for way in WAYS:
            if "idle" not in way:
                status, told = load(way, port)
                expect((status, told["wrong"] > 0), (3, True),
                       f"{way}: status and wrong replies: {told}")


run(every_way, report, counted, noticed)
