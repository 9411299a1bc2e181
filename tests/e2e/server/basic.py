# SPDX-License-Identifier: GPL-3.0-or-later
"""upcased starts, says what it serves, serves it, and says what is wrong with what it was told."""
import os
import re
import socket
import stat
import subprocess
import tempfile

from server import (PATIENCE, UPCASED, Server, ask, ask_at, expect, has_ipv6, line, read_all, read_exactly,
                    refused_start, run, tcp, udp, wait_until)
from tap import has


HOSTS = ["127.0.0.1", "::1"] if has_ipv6() else ["127.0.0.1"]


def says_that_it_is_ready():
    """the first line is the textbook's, the second one the addresses"""
    with Server() as server:
        text = wait_until(lambda: server.stdout().count("\n") == 2 and server.stdout(), "two lines")
        addresses = " ".join(f"[{h}]:{server.port}" if ":" in h else f"{h}:{server.port}"
                             for h in HOSTS)
        expect(text, f"The server is ready to receive\n{addresses} (UDP and TCP)\n", "stdout")


def answers_over_both():
    """UDP and TCP on one port, IPv4 and IPv6"""
    with Server() as server:
        for host in HOSTS:
            expect(ask(udp(server, host), "grüße ŉ".encode()), "GRÜSSE ʼN".encode(),
                   f"UDP at {host}")
            expect(line(tcp(server, host), b"hello\n"), b"HELLO\n", f"TCP at {host}")


def answers_without_a_line_feed():
    """a sentence without a line feed is answered at once"""
    with Server() as server:
        client = tcp(server)
        for text in (b"a", b"bc", b"", b"def"):
            expect(line(client, text), text.upper(), "reply")


def half_close():
    """a half-closed connection gets all its replies before the close"""
    text = ("grüße, ŉ, ﬁ, 42\n" * 200000).encode()
    with Server() as server:
        client = tcp(server, buffer=4096)
        reader, writer = client, client.dup()
        if os.fork() == 0:
            writer.sendall(text)
            writer.shutdown(socket.SHUT_WR)
            os._exit(0)
        expect(read_all(reader), text.decode().upper().encode(), "replies")
        os.wait()


def split_characters():
    """a character split over reads, at every place"""
    text = "aéß漢😀ΐ\n".encode()
    with Server() as server:
        client = tcp(server)
        for at in range(1, len(text)):
            whole = text[:at].decode(errors="ignore").upper().encode()
            client.sendall(text[:at])
            # What is whole comes at once; the rest when the rest has come.
            expect(read_exactly(client, len(whole)), whole, f"{at} bytes")
            client.sendall(text[at:])
            rest = text.decode().upper().encode()[len(whole):]
            expect(read_exactly(client, len(rest)), rest, f"the rest after {at} bytes")


def urgent():
    """a byte that is sent as urgent is one of the stream"""
    with Server() as server:
        client = tcp(server)
        for text in (b"before", b"after"):
            client.sendall(text)
            client.send(b"!", socket.MSG_OOB)
        client.shutdown(socket.SHUT_WR)
        expect(read_all(client), b"BEFORE!AFTER!", "reply")


def not_utf8():
    """bytes that are not UTF-8 pass; the beginning of a character passes at the end"""
    text = b"a\xff\xfeb\xc3(\xed\xa0\x80c\xf5\x80d\x80e\xc0\xafz"
    wanted = b"A\xff\xfeB\xc3(\xed\xa0\x80C\xf5\x80D\x80E\xc0\xafZ"
    with Server() as server:
        expect(ask(udp(server), text + b"\xe6\xbc"), wanted + b"\xe6\xbc", "UDP")
        for end in (b"", b"\xc3", b"\xe6\xbc", b"\xf0\x9f\x98"):
            client = tcp(server)
            client.sendall(text + end)
            client.shutdown(socket.SHUT_WR)
            expect(read_all(client), wanted + end, f"TCP, ending in {end!r}")


def port_zero_is_one_port():
    """--port=0: one free port for every address and both transports"""
    with Server("--bind=127.0.0.1", "--bind=127.0.0.2", "--bind=127.0.0.3",
                *(["--bind=::1"] if "::1" in HOSTS else [])) as s:
        for host in ["127.0.0.1", "127.0.0.2", "127.0.0.3", *HOSTS]:
            expect(ask(udp(s, host), b"x"), b"X", host)
            expect(line(tcp(s, host), b"x"), b"X", host)


def only_what_was_asked_for():
    """loopback alone unless told otherwise; --ipv4, --bind"""
    with Server("--ipv4") as server:
        expect(server.stdout().splitlines()[1], f"127.0.0.1:{server.port} (UDP and TCP)", "--ipv4")
        try:
            tcp(server, "127.0.0.2").close()
            raise AssertionError("127.0.0.2 is served")
        except ConnectionRefusedError:
            pass
    with Server("--public") as server:
        expect(ask_at(server, "127.0.0.2", b"x"), b"X", "--public")
        wait_until(lambda: f"0.0.0.0:{server.port}" in server.stdout(), "0.0.0.0")
    with Server("--bind=127.0.0.2", "--bind=127.0.0.2", "--bind=localhost", "--ipv4") as server:
        expect(ask(udp(server, "127.0.0.2"), b"x"), b"X", "--bind")
        expect(ask(udp(server), b"x"), b"X", "--bind")


def port_file():
    """--port-file appears whole, holds the port and goes away"""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "port")
        with Server(f"--port-file={path}") as server:
            with open(path, encoding="ascii") as file:
                expect(file.read(), f"{server.port}\n", "port file")
            expect(os.listdir(folder), ["port"], "files")
        expect(os.listdir(folder), [], "files at the end")
        # One that another server has written meanwhile is not ours.
        with Server(f"--port-file={path}") as first, Server(f"--port-file={path}") as second:
            first.stop()
            with open(path, encoding="ascii") as file:
                expect(file.read(), f"{second.port}\n", "the second one's port file")
        # Nor is one that was put there by hand, under the same name or, as numbers are given again,
        # as the same file.
        for swap in ("unlink", "rename", "change"):
            with Server(f"--port-file={path}"):
                if swap == "unlink":
                    os.unlink(path)
                if swap == "rename":
                    os.rename(path, f"{path}.moved")
                    os.symlink(f"{path}.moved", path)
                else:
                    with open(path, "w", encoding="ascii") as file:
                        file.write("1\n")
            expect(os.path.lexists(path), True, f"what came there by {swap}")
            os.unlink(path)
        os.unlink(f"{path}.moved")
        # One that was left is replaced.
        with open(path, "w", encoding="ascii") as file:
            file.write("12000\n")
        with Server(f"--port-file={path}") as server:
            with open(path, encoding="ascii") as file:
                expect(file.read(), f"{server.port}\n", "in place of one that was left")
        message = refused_start("--port=0", f"--port-file={folder}/none/port", status=1)
        expect(bool(re.search(r"--port-file=.*none/port: .*No such file", message)), True, message)


def ready_on_stdout():
    """--ready-fd=1: the port comes first"""
    with subprocess.Popen([UPCASED, "--port=0", "--ready-fd=1"],
                          stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL) as p:
        lines = [p.stdout.readline() for _ in range(3)]
        p.terminate()
        expect(lines[0].strip().isdigit(), True, "first line")
        expect(lines[1], b"The server is ready to receive\n", "second line")
        expect(p.wait(PATIENCE), 0, "status")


def port_in_use():
    """a port in use: one line with the way out, status 1"""
    with Server() as server:
        message = refused_start(f"--port={server.port}", status=1)
        expect(f"port {server.port} is in use" in message and "--port=0" in message, True, message)
        # By UDP alone as well, if nobody happens to have the port for TCP.
        for _ in range(20):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
                taken.bind(("127.0.0.1", 0))
                message = refused_start(f"--port={taken.getsockname()[1]}",
                                        "--bind=127.0.0.1",
                                        status=1)
            if "(TCP" not in message:
                break
        expect("(UDP" in message, True, message)


def bad_options():
    """what is wrong with an option is said in one line, status 2"""
    for options, said in [(["--port=http"], "--port=http"), (["-p", "65536"], "65536"),
                          (["--port"], "--port"), (["--bind=example.org"], "example.org"),
                          (["--bind=224.0.0.1"], "224.0.0.1"), (["--bind=fe80::1"], "fe80::1%eth0"),
                          (["--bind=::ffff:127.0.0.1"], "IPv4 address"),
                          ([*(f"--bind=127.0.0.{i}" for i in range(2, 34)),
                            "--bind=localhost"], "--bind=localhost"), (["--idle-timeout=5x"], "5x"),
                          (["--max-clients=0"], "--max-clients=0"),
                          (["--max-clients=100000"], "--max-clients=100000"),
                          (["--max-per-source=-1"], "--max-per-source"),
                          (["--ready-fd=77"], "--ready-fd=77"),
                          (["--lifeline-fd=77"], "--lifeline-fd=77"),
                          (["--lifeline-fd=5000"], "--lifeline-fd=5000"), (["-4", "-6"], "--ipv6"),
                          (["--public", "--bind=::1"], "--public"),
                          (["-4", "--bind=::1"], "--bind=::1"), (["--nonsense"], "--nonsense"),
                          (["somethingelse"], "somethingelse"), (["--", "-p"], "-p"),
                          (["--verbose=5"], "--verbose")]:
        message = refused_start(*options, status=2)
        expect(said in message, True, message)
    message = refused_start("--ready-fd=0",
                            status=2,
                            before=lambda: os.dup2(os.open(os.devnull, os.O_RDONLY), 0))
    expect("--ready-fd=0: is open for reading only" in message, True, message)
    message = refused_start("--lifeline-fd=0",
                            status=2,
                            before=lambda: os.dup2(os.open(os.devnull, os.O_WRONLY), 0))
    expect("--lifeline-fd=0: is open for writing only" in message, True, message)
    message = refused_start("--bind=192.0.2.77", "--port=0", status=1)
    expect("192.0.2.77" in message, True, message)


def help_and_version():
    """--help and --version go to stdout, status 0, every line within 80 columns"""
    for option in ("--help", "-h", "--version", "-V"):
        ended = subprocess.run([UPCASED, option],
                               capture_output=True,
                               text=True,
                               timeout=PATIENCE,
                               check=False)
        expect((ended.returncode, ended.stderr), (0, ""), option)
        expect(
            max(map(len, ended.stdout.splitlines())) <= 80 and len(ended.stdout) > 5, True,
            ended.stdout)
    expect("without" in ended.stdout, not has("ARRIVALS"), ended.stdout)


def closed_standard_descriptors():
    """without stdin, stdout and stderr it serves, and no client gets the log"""
    def close():
        for fd in range(3):
            os.close(fd)
    with Server("-v", prepare=close) as server:
        clients = [tcp(server) for _ in range(5)]
        for client in clients:
            expect(line(client, b"hello"), b"HELLO", "reply")
            client.shutdown(socket.SHUT_WR)
            expect(read_all(client), b"", "nothing more")
        os.kill(server.pid, 15)
        expect(server.process.wait(PATIENCE), 0, "status")


def broken_pipe():
    """a reader of its output that goes away does not hurt it"""
    read, write = os.pipe()
    os.close(read)
    with Server("-v", stdout=write, stderr=write) as server:
        os.close(write)
        expect(line(tcp(server), b"hello"), b"HELLO", "reply")
        os.kill(server.pid, 10)
        expect(ask(udp(server), b"hello"), b"HELLO", "reply")
        os.kill(server.pid, 15)
        expect(server.process.wait(PATIENCE), 0, "status")


def full_log():
    """a reader of its log that stands still does not hold it up"""
    read, write = os.pipe()
    with Server("-v", stderr=write) as server:
        os.close(write)
        for i in range(3000):
            client = tcp(server)
            if i % 100 == 0:
                expect(line(client, b"hello"), b"HELLO", "reply")
            client.close()
            os.kill(server.pid, 10)
        expect(line(tcp(server), b"hello"), b"HELLO", "reply")
        os.kill(server.pid, 15)
        expect(server.process.wait(PATIENCE), 0, "status")
    os.close(read)


def lifeline():
    """--lifeline-fd: it ends with the one who holds the other end, however that one ends"""
    read, write = os.pipe()
    server = Server(f"--lifeline-fd={read}", pass_fds=[read])
    os.close(read)
    os.write(write, b"what is written counts for nothing")
    client = tcp(server)
    expect(line(client, b"hello\n"), b"HELLO\n", "reply")
    os.close(write)
    totals = server.wait()
    expect((totals["tcp"]["clients"], totals["tcp ended"]["stopped"]), (1, 1), "clients")
    expect(read_all(client), b"", "the end")
    # It was gone before the server looked.
    read, write = os.pipe()
    os.close(write)
    Server(f"--lifeline-fd={read}", pass_fds=[read]).wait()
    os.close(read)


def verbose():
    """-v logs each peer, control characters never"""
    with Server("-v") as server:
        client = tcp(server)
        expect(line(client, b"\x1b[31mhello\n"), b"\x1b[31MHELLO\n", "reply")
        peer = udp(server)
        for _ in range(3):
            expect(ask(peer, b"hello"), b"HELLO", "reply")
        name = f"127.0.0.1:{client.getsockname()[1]}"
        client.close()
        server.wait_log(rf"tcp {name}: connected, 1 now")
        server.wait_log(rf"tcp {name}: closed after [0-9.]+ s, 11 bytes in, 11 out")
        expect(len(re.findall(rf"udp 127.0.0.1:{peer.getsockname()[1]}: first", server.log())), 1,
               "lines for a peer")
        expect("\x1b" in server.log(), False, "escape in the log")
    with Server() as server:
        expect(line(tcp(server), b"hello\n"), b"HELLO\n", "reply")
        server.totals()
        expect(": connected" in server.log(), False, "peers in the log without -v")


run(says_that_it_is_ready, answers_over_both, answers_without_a_line_feed, half_close,
    split_characters, urgent, not_utf8, port_zero_is_one_port, only_what_was_asked_for, port_file,
    ready_on_stdout, port_in_use, bad_options, help_and_version, closed_standard_descriptors,
    broken_pipe, full_log, lifeline, verbose)
