# SPDX-License-Identifier: GPL-3.0-or-later
"""upcased --control: what it answers, to whom, and that nobody there can hurt the server."""
import os
import signal
import socket
import stat
import tempfile

from server_control_client import Control, name_of, parse
from server import PATIENCE, Server, ask, drops, expect, line, queued, read_all, refused_start, run, tcp, udp, wait_until
from tap import has, sanitized

PLACES = 8


class House:
    """A server with a control socket in a folder of its own."""

    def __init__(self, *options):
        self.folder = tempfile.TemporaryDirectory()
        self.path = os.path.join(self.folder.name, "control")
        self.server = Server(f"--control={self.path}", *options)

    def __enter__(self):
        return self.server, self.path

    def __exit__(self, kind, *more):
        self.server.__exit__(kind, *more)
        left = os.listdir(self.folder.name)
        self.folder.cleanup()
        if kind is None:
            expect(left, [], "files at the end")


def totals():
    """totals: the lines that SIGUSR1 logs"""
    with House() as (server, path):
        ask(udp(server), b"x")
        line(tcp(server), b"hello\n")
        control = Control(path)
        *lines, last = control.ask("totals")
        server.totals()
        logged = [text.split(" upcased: ", 1)[1] for text in server.log().splitlines()]
        expect((lines, last), (logged[-len(lines):], "ok"), "totals")
        expect(lines[0], "udp: clients 1 datagrams 1 replies 1 bytes-in 1 bytes-out 1",
               "first line")


def dropped():
    """totals: what the kernel has dropped by now, also where a burst was over before the server looked, and where workers serve"""
    for options in ((), *([("--workers=1",)] if has("WORKERS") else [])):
        with House("--ipv4", *options) as (server, path):
            control, peer = Control(path), udp(server)
            ask(peer, b"x")
            pid = server.workers()[0] if options else server.pid
            for _ in range(3):
                before = drops(server)
                os.kill(pid, signal.SIGSTOP)
                while drops(server) < before + 50:
                    for _ in range(200):
                        peer.send(b"x" * 1400)
                os.kill(pid, signal.SIGCONT)
                # Its answer is behind the others.
                control.ask("totals")
                wait_until(lambda: not queued(server), "an empty queue")
                lines = control.ask("totals")
                told = f"udp system: overflowed {drops(server)} " if has("ARRIVALS") else "udp system: errors "
                expect(any(text.startswith(told) for text in lines), True, f"{lines}")


def connections():
    """connections: each with its own bytes and the kernel's facts; it is gone when it has ended"""
    with House() as (server, path):
        control = Control(path)
        expect(control.connections(), {}, "connections")
        hosts = ["127.0.0.1"] + (["::1"] if "[::1]" in server.stdout() else [])
        clients = [tcp(server, host) for host in hosts * 2]
        for number, client in enumerate(clients):
            line(client, b"x" * (number + 1))
        found = control.connections()
        expect(sorted(found), sorted(map(name_of, clients)), "peers")
        for number, client in enumerate(clients):
            facts = found[name_of(client)]
            expect((facts["bytes-in"], facts["bytes-out"], facts["pending"]),
                   (number + 1, number + 1, 0), "bytes")
            expect(0 <= facts["idle-ms"] <= facts["age-ms"], True, f"numbers in {facts}")
            if has("TCP_INFO"):
                expect((facts["state"], facts["retransmits"], facts["backoff"], facts["total-retrans"],
                        facts["bytes-retrans"]), ("established", 0, 0, 0, 0), "of the kernel")
                expect(facts["rto-us"] >= 1000 and facts["cwnd"] > 0, True, f"numbers in {facts}")
            else:
                expect(sorted(facts), ["age-ms", "bytes-in", "bytes-out", "idle-ms", "pending"],
                       "none of the kernel's")
            alone = control.ask(f"connection {name_of(client)}")
            expect((len(alone), parse(alone[0])[0]), (2, name_of(client)), "one of them")
        gone = name_of(clients[0])
        clients[0].close()
        wait_until(lambda: gone not in control.connections(), "its end")
        expect(
            control.ask(f"connection {gone}")[0].startswith(f"error '{gone}' is not connected"),
            True, "error")
        # Looking is no activity.
        expect(control.connections()[name_of(clients[1])]["bytes-in"], 2, "bytes")


def in_order():
    """connections: in the order in which they came; where idle ones are ended, who has been idle longest comes first"""
    for options, wanted in ((), (0, 1, 2)), (("--idle-timeout=1h",), (2, 0, 1)):
        with House(*options) as (server, path):
            clients = [tcp(server) for _ in range(3)]
            for number in (0, 1, 2, 2, 0, 1):
                line(clients[number], b"x")
            expect(list(Control(path).connections()), [name_of(clients[i]) for i in wanted],
                   f"order with {options}")


def pending():
    """a client that does not read: what waits here, and what the kernel has"""
    with House() as (server, path):
        control, client = Control(path), tcp(server, buffer=4096)
        client.setblocking(False)
        try:
            while True:
                client.send(b"x" * 65536)
        except BlockingIOError:
            pass
        facts = wait_until(
            lambda: (lambda f: f["pending"] and f)(control.connections()[name_of(client)]),
            "pending bytes")
        expect(facts["bytes-out"] > 0 and ("notsent" not in facts or facts["notsent"] > 0), True, f"numbers in {facts}")


def link():
    """link: what is done to UDP"""
    with House("--loss=20%", "--delay-back=5ms", "--seed=42") as (_, path):
        expect(Control(path).ask("link"),
               ["seed 42", "there line loss 20%", "back line loss 20%, delay 5ms", "ok"], "link")


def errors():
    """what is no order is answered with an error, and the connection goes on"""
    with House() as (_, path):
        control = Control(path)
        for order, said in [("nonsense", "error 'nonsense' is no order"),
                            ("", "error an order is missing"),
                            ("totals please", "error 'totals' takes no words"),
                            ("x" * 201, "error an order has 200"),
                            ("x" * 100000, "error an order has 200"),
                            ("\0totals", "error an order is missing"),
                            ("set loss 0%", "error 'set'"), ("\x1b[2Jé", "error '?[2J??' is")]:
            answer = control.ask(order)
            expect(answer[-1].startswith(said), True, f"{order[:20]!r}: {answer}")
        expect(control.ask("help")[-1], "ok", "help")
        for count, order in enumerate(control.ask("help")[:-1]):
            word = order.split(":")[0].split()[0]
            expect(
                control.ask(word)[-1].startswith("error '" + word + "' is no order"), False,
                f"{count}: {word}")


def pieces():
    """orders in pieces, many at once, and the last one without its newline"""
    with House() as (_, path):
        control = Control(path)
        for byte in b"link\r\n":
            control.socket.sendall(bytes([byte]))
        expect(control.answer()[-1], "ok", "in pieces")
        control.socket.sendall(b"link\n" * 500 + b"totals")
        control.socket.shutdown(socket.SHUT_WR)
        text = read_all(control.socket).decode()
        expect((text.count("seed "), text.count("\nok\n"), text.count("udp: ")), (500, 501, 1),
               "answers")


def its_file():
    """the socket is its owner's alone, goes away at the end, and comes back after SIGKILL"""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "control")
        first = Server(f"--control={path}")
        mode = os.stat(path).st_mode
        expect((stat.S_ISSOCK(mode), stat.S_IMODE(mode)), (True, 0o600), "mode")
        message = refused_start("--port=0", f"--control={path}", status=1)
        expect("another server answers there" in message, True, message)
        expect(Control(path).ask("link")[-1], "ok", "the first one still answers")
        first.process.kill()
        first.process.wait()
        expect(os.listdir(folder), ["control"], "left behind")
        with Server(f"--control={path}") as second:
            expect(Control(path).ask("link")[-1], "ok", "the second one answers")
            # One that another server has put there meanwhile is not ours.
            os.unlink(path)
            with Server(f"--control={path}"):
                second.stop()
                expect(Control(path).ask("link")[-1], "ok", "the third one answers")
        expect(os.listdir(folder), [], "at the end")


def bad_paths():
    """a path that cannot be: one line, status 1 or 2"""
    with tempfile.TemporaryDirectory() as folder:
        kept = os.path.join(folder, "kept")
        with open(kept, "w", encoding="ascii") as file:
            file.write("kept")
        for path, status, said in [(kept, 2, "no socket"), (folder, 2, "no socket"),
                                   (f"{folder}/none/x", 1, "No such file"), ("", 2, "--control"),
                                   (folder + "/" + "x" * 107, 2, "107 bytes")]:
            message = refused_start("--port=0", f"--control={path}", status=status)
            expect(said in message and "--control=" in message, True, message)
        with open(kept, encoding="ascii") as file:
            expect((file.read(), os.listdir(folder)), ("kept", ["kept"]), "file")


def slow_clients():
    """one that asks and never reads costs little and holds up nobody"""
    with House() as (server, path):
        clients = [tcp(server) for _ in range(100)]
        for client in clients:
            line(client, b"x")
        control, slow = Control(path), Control(path)
        # What a first answer takes, a sanitizer's share too, is no growth.
        for each in control, slow:
            expect(len(each.ask("connections")), 101, "lines")
        before = server.memory()
        slow.socket.setblocking(False)
        for _ in range(1000):
            try:
                slow.socket.send(b"connections\n" * 1000)
            except BlockingIOError:
                pass
            if _ % 100 == 0:
                expect(len(control.ask("connections")), 101, "the other one's lines")
                expect(line(clients[0], b"hello"), b"HELLO", "reply")
        grown = server.memory() - before
        expect(grown < (4000 if sanitized() else 500), True, f"{grown} KiB more")
        slow.close()
        expect(len(control.ask("connections")), 101, "the other one's lines")


def many_clients():
    """more clients than places: who comes late waits until one has gone"""
    with House() as (server, path):
        controls = [Control(path) for _ in range(PLACES)]
        for control in controls:
            expect(control.ask("link")[-1], "ok", "answer")
        late = Control(path)
        late.socket.sendall(b"link\n")
        descriptors = server.descriptors()
        expect(ask(udp(server), b"x"), b"X", "reply")
        controls.pop().close()
        expect(late.answer()[-1], "ok", "the late one's answer")
        expect(server.descriptors(), descriptors, "descriptors")


def rude_clients():
    """garbage, resets and clients that are there at the end"""
    with House() as (server, path):
        for _ in range(50):
            control = Control(path)
            control.socket.sendall(os.urandom(5000).replace(b"\n", b"") + b"\nconnections\n")
            control.close()
        for _ in range(50):
            control = Control(path)
            control.socket.sendall(b"totals")
            control.close()
        last = Control(path)
        expect(last.ask("link")[-1], "ok", "answer")
        server.stop()
        expect(read_all(last.socket), b"", "the end")


def short_of_descriptors():
    """control clients have descriptors of their own: TCP clients cannot take them"""
    with House("--max-clients=5") as (server, path):
        clients = [tcp(server) for _ in range(5)]
        for client in clients:
            line(client, b"x")
        refused = tcp(server)
        expect(refused.recv(1), b"", "one too many")
        expect(len(Control(path).ask("connections")), 6, "lines")
        os.kill(server.pid, signal.SIGUSR1)


run(totals, dropped, connections, in_order, pending, link, errors, pieces, its_file, bad_paths,
    slow_clients, many_clients, rude_clients, short_of_descriptors)
