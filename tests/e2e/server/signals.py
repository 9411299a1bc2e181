# SPDX-License-Identifier: GPL-3.0-or-later
"""SIGTERM and SIGINT finish what was received, SIGUSR1 tells the totals; the manual explains every word of them."""
import os
import re
import signal
import socket
import subprocess
import threading
import time

from server import (PATIENCE, UPCASED, Server, ask, expect, line, read_all, read_exactly, run,
                    stop_process, tcp, udp, wait_until)
from tap import has, read


def totals_while_it_runs():
    """SIGUSR1 tells the totals, and it goes on"""
    with Server() as server:
        client, peer = tcp(server), udp(server)
        expect(line(client, b"one\ntwo\nthree"), b"ONE\nTWO\nTHREE", "reply")
        expect(ask(peer, "ŉ".encode()), "ʼN".encode(), "reply")
        totals = server.totals()
        expect(totals["tcp"], {"clients": 1, "now": 1, "lines": 2, "bytes-in": 13, "bytes-out": 13},
               "TCP")
        expect(totals["udp"],
               {"clients": 1, "datagrams": 1, "replies": 1, "bytes-in": 2, "bytes-out": 3}, "UDP")
        expect(line(client, b"four\n"), b"FOUR\n", "reply")
        expect(server.totals()["tcp"]["lines"], 3, "lines")


def ends_with_status_0():
    """SIGTERM, SIGINT and SIGHUP: the totals, status 0; clients see the end, not a reset"""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        server = Server()
        clients = [tcp(server) for _ in range(3)]
        for client in clients:
            expect(line(client, b"hello\n"), b"HELLO\n", "reply")
        totals = server.stop(number)
        for client in clients:
            expect(read_all(client), b"", "nothing more")
        expect((totals["tcp"]["clients"], totals["tcp ended"]["stopped"], totals["tcp"]["lines"]),
               (3, 3, 3), "totals")
        expect(number.name in server.log(), True, server.log())


def sigint_in_the_background():
    """SIGINT ends it also where a shell had it ignored"""
    server = Server(prepare=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN))
    server.stop(signal.SIGINT)


def received_is_answered():
    """what had been received is answered before the end: datagrams, streams, connections not yet accepted"""
    server = Server()
    peers = [udp(server), udp(server, "::1")]
    old = [tcp(server) for _ in range(10)]
    for client in old:
        expect(line(client, b"hello\n"), b"HELLO\n", "reply")
    stop_process(server)
    for i in range(100):
        for peer in peers:
            peer.send(b"datagram %d" % i)
    new = [tcp(server) for _ in range(20)]
    text = b"a line that had been received\n" * 2000
    for i, client in enumerate([*old, *new]):
        client.sendall(text[:len(text) // (i + 1)] + b"\xc3")
    server.process.send_signal(signal.SIGTERM)
    server.process.send_signal(signal.SIGCONT)
    for peer in peers:
        expect({peer.recv(100)
                for _ in range(100)}, {b"DATAGRAM %d" % i
                                       for i in range(100)}, "replies")
    for i, client in enumerate([*old, *new]):
        expect(read_all(client), text[:len(text) // (i + 1)].upper() + b"\xc3", f"client {i}")
    totals = server.wait()
    expect((totals["tcp"]["clients"], totals["tcp ended"]["stopped"]), (30, 30), "clients")
    expect(totals["udp"]["replies"], 200, "replies")


def nobody_keeps_it():
    """clients that go on sending do not keep it from ending, and get what it has sent"""
    server, got = Server(), []
    client, peer = tcp(server), udp(server)
    over = threading.Event()

    def send(what, text):
        try:
            while not over.is_set():
                what.send(text)
        except OSError:
            pass

    def read_on():
        try:
            while text := client.recv(1 << 20):
                got.append(len(text))
        except OSError:
            pass
    threads = [
        threading.Thread(target=send, args=(client, b"line\n" * 1000)),
        threading.Thread(target=send, args=(peer, b"datagram")),
        threading.Thread(target=read_on)
    ]
    for thread in threads:
        thread.start()
    server.wait_totals(lambda t: t["tcp"]["bytes-out"] > 100000 and t["udp"]["replies"] > 100,
                       "traffic")
    began = time.monotonic()
    totals = server.stop()
    took = time.monotonic() - began
    over.set()
    for thread in threads:
        thread.join(PATIENCE)
    expect(took < PATIENCE / 4, True, f"took {took:.2f} s")
    # On a busy machine half a second may be over first.
    if took < 0.4:
        expect(sum(got), totals["tcp"]["bytes-out"], "bytes")


def slow_reader(server):
    """A client that has sent much and not read a byte, so that replies wait in the server."""
    client = tcp(server, buffer=4096)
    client.settimeout(0.3)
    try:
        for _ in range(1000):
            client.sendall(b"x" * 100000)
    except TimeoutError:
        pass
    client.settimeout(PATIENCE)
    return client


def slow_reader_gets_all():
    """a slow reader has time to take its replies"""
    # On a busy machine half a second may be over first, so that there are tries.
    for _ in range(20):
        server = Server()
        client = slow_reader(server)
        began = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        server.wait_log("ends: SIGTERM")
        try:
            got = len(read_all(client))
        except ConnectionResetError:
            got = 0
        if not has("SEND_QUEUE"):
            # The server does not know that all has come until this end ends too.
            client.close()
        totals = server.wait()
        if time.monotonic() - began < 0.4:
            break
    expect((totals["tcp"]["bytes-in"], totals["tcp ended"]["stopped"]), (got, 1), "bytes and end")


def second_signal():
    """a second signal ends it at once; what a client has not taken is counted as cut"""
    server = Server()
    client = slow_reader(server)
    stop_process(server)
    # Both are there when it goes on.
    server.process.send_signal(signal.SIGTERM)
    server.process.send_signal(signal.SIGINT)
    began = time.monotonic()
    totals = server.stop(signal.SIGCONT)
    expect(time.monotonic() - began < PATIENCE / 4, True, "at once")
    expect(totals["tcp ended"]["cut"], 1, "cut")
    client.close()


def patience_ends():
    """without one it ends after half a second all the same"""
    server = Server()
    client = slow_reader(server)
    began = time.monotonic()
    totals = server.stop()
    took = time.monotonic() - began
    expect(0.45 < took < 0.45 + PATIENCE / 4, True, f"took {took:.2f} s")
    expect(totals["tcp ended"]["cut"], 1, "cut")
    client.close()


def totals_have_a_limit():
    """however often they are asked for, all lines of the log keep its limit, and who asks last gets them too"""
    with Server() as server:
        began = time.monotonic()
        while time.monotonic() < began + 1.2:
            for _ in range(100):
                os.kill(server.pid, signal.SIGUSR1)
        expect(ask(udp(server), b"x"), b"X", "reply")
        server.wait_totals(lambda t: t["udp"]["replies"] == 1, "the reply")
        most = 100 + 20 * (time.monotonic() - began + 1)
        expect(server.log().count("\n") <= most, True,
               f"{server.log().count(chr(10))} lines, {most:.0f} at most")
        expect(server.log().count("totals so far") <= 2 * (time.monotonic() - began) + 1, True,
               "totals")


def signals_while_it_works():
    """hundreds of signals lose no byte"""
    with Server() as server:
        client = tcp(server)
        text = "grüße\n".encode() * 300000

        def send():
            client.sendall(text)
            client.shutdown(socket.SHUT_WR)
        sender = threading.Thread(target=send)
        sender.start()
        parts = []
        while data := client.recv(65536):
            parts.append(data)
            os.kill(server.pid, signal.SIGUSR1)
        sender.join()
        expect(b"".join(parts), text.decode().upper().encode(), "replies")


def port_is_free_again():
    """the port can be served again at once, also with connections that linger"""
    server = Server()
    client = tcp(server)
    expect(line(client, b"hello\n"), b"HELLO\n", "reply")
    server.stop()
    client.close()
    with Server(port=server.port) as again:
        expect(line(tcp(again), b"hello\n"), b"HELLO\n", "reply")


def every_word_is_in_the_manual():
    """upcased(8) explains every word of the totals"""
    with Server("--delay-back=1ms") as server:
        ask(udp(server), b"x")
        totals = server.totals()
    page = re.search(r"^\.Sh TOTALS$(.*?)^\.Sh ", read("man", "upcased.8") or "", re.M | re.S)
    described = set(re.findall(r"^\.It Cm (\S+)", page[1], re.M)) if page else set()
    words = {word for group in totals.values() for word in group}
    # It is left out where the system does not tell.
    expect(sorted((words | {"overflowed"}) ^ described), [], "words on one side only")
    expect([group for group in totals if f'Dq {group}:' not in page[1]], [],
           "lines that are not explained")


def stdin_does_not_matter():
    """the end of its standard input is no end"""
    with subprocess.Popen([UPCASED, "--port=0", "--ready-fd=1"],
                          stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL) as process:
        port = int(process.stdout.readline())
        process.stdin.close()
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as client:
            client.sendall(b"x")
            expect(read_exactly(client, 1), b"X", "reply")
        process.terminate()
        expect(wait_until(lambda: process.poll() is not None and [process.returncode], "the end"),
               [0], "status")


run(totals_while_it_runs, ends_with_status_0, sigint_in_the_background, received_is_answered,
    nobody_keeps_it, slow_reader_gets_all, second_signal, patience_ends, totals_have_a_limit,
    signals_while_it_works, port_is_free_again, every_word_is_in_the_manual, stdin_does_not_matter)
