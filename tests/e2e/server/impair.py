# SPDX-License-Identifier: GPL-3.0-or-later
"""upcased's own bad link: UDP loses, delays, doubles and reorders as told, TCP does not notice."""
import contextlib
import os
import signal
import socket
import statistics
import subprocess
import sys
import time

from server import PATIENCE, Server, ask, expect, line, queued, refused_start, run, stop_process, tcp, udp, \
    wait_until

DATAGRAMS = 2000
# Of the normal distribution: 99.99 % lie within.
SIGMAS = 3.89


def settled(totals):
    """Nothing is under way."""
    return totals["udp there"]["waiting"] == totals["udp back"]["waiting"] == 0


def drain(client):
    """All that has come."""
    found = []
    client.setblocking(False)
    while True:
        try:
            found.append(client.recv(1 << 17))
        except BlockingIOError:
            client.settimeout(PATIENCE)
            return found


def exchange(server, count, client=None):
    """Sends numbered lines and waits until the server is done with them: the replies as they came, and the totals."""
    client = client or udp(server)
    replies = []
    for number in range(count):
        client.send(f"line {number}".encode())
        # The kernel tells at once, the totals twice a second.
        if number % 50 == 49:
            wait_until(lambda: not queued(server), "the server to read")
            replies += drain(client)
    totals = server.wait_totals(lambda t: t["udp"]["datagrams"] == count and settled(t),
                                "all dealt with")
    return replies + drain(client), totals


def within(got, n, p, what):
    """A count of n chances p, within the 99.99 % interval."""
    room = SIGMAS * (n * p * (1 - p)) ** .5
    if not n * p - room <= got <= n * p + room:
        raise AssertionError(f"{what}: {got} of {n}, wanted {n * p:.0f} +- {room:.0f}")


def loses_as_told():
    """--loss=20%: 36 % are never answered, and the totals say where each was lost"""
    with Server("--loss=20%", "--seed=1") as server:
        replies, totals = exchange(server, DATAGRAMS)
        there, back = totals["udp there"], totals["udp back"]
        within(len(replies), DATAGRAMS, .64, "answered")
        within(there["random"], DATAGRAMS, .2, "lost there")
        within(back["random"], back["datagrams"], .2, "lost back")
        expect(back["datagrams"], DATAGRAMS - there["random"], "replies that met the link")
        expect((totals["udp"]["replies"], len(set(replies))), (len(replies), len(replies)),
               "replies sent and received")
        expect(all(reply.startswith(b"LINE ") for reply in replies), True, "capitals")


def bursts():
    """--burst: as many are lost, more in a row"""
    with Server("--loss-back=30%", "--burst-back=5", "--seed=3") as server:
        replies, totals = exchange(server, DATAGRAMS)
        numbers = [int(reply.split()[1]) for reply in replies]
        runs = sum(after - before > 1
                   for before, after in zip([-1] + numbers, numbers + [DATAGRAMS]))
        lost = DATAGRAMS - len(replies)
        expect((totals["udp back"]["burst"], totals["udp there"]["random"]), (lost, 0),
               "lost in bursts")
        if not (400 < lost < 800 and 3.5 < lost / runs < 6.5):
            raise AssertionError(f"{lost} lost in {runs} bursts")


def same_seed_same_fates():
    """the same seed gives the same fates, another one others"""
    found = []
    for seed in (7, 7, 8):
        with Server("--loss=30%", "--duplicate=10%", f"--seed={seed}") as server:
            found.append(sorted(exchange(server, 300)[0]))
    expect(found[0], found[1], "fates by the same seed")
    expect(found[0] != found[2], True, "fates by another seed")


def one_direction():
    """--loss-there loses before the server looks, --loss-back after it has answered"""
    with Server("--loss-there=100%") as server:
        replies, totals = exchange(server, 20)
        expect((replies, totals["udp"]["clients"], totals["udp there"]["random"]), ([], 0, 20),
               "lost there")
    with Server("--loss-back=100%") as server:
        replies, totals = exchange(server, 20)
        expect((replies, totals["udp"]["clients"], totals["udp there"]["random"],
                totals["udp back"]["random"]), ([], 1, 0, 20), "lost back")
        expect((totals["udp"]["replies"], totals["udp"]["bytes-out"]), (0, 0), "sent")


# Sleeps as long as the server's link, twice for each datagram: what a delay takes on a machine that is
# busy with other things.
SLEEPER = '''
import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("127.0.0.1", 0))
print(s.getsockname()[1], flush=True)
while True:
    text, peer = s.recvfrom(1000)
    time.sleep(0.03)
    time.sleep(0.02)
    s.sendto(text.upper(), peer)
'''


@contextlib.contextmanager
def sleeper():
    """A client of such a program."""
    with subprocess.Popen([sys.executable, "-c", SLEEPER], stdout=subprocess.PIPE) as process:
        try:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
                client.settimeout(PATIENCE)
                client.connect(("127.0.0.1", int(process.stdout.readline())))
                yield client
        finally:
            process.kill()


def delay_is_exact():
    """--delay is kept to a few ms and never undercut; the server rests meanwhile"""
    with Server("--delay-there=30ms", "--delay-back=20ms") as server, sleeper() as reference:
        for _ in range(5):
            times = {udp(server): [], reference: []}
            for number in range(20):
                for client, took in times.items():
                    start = time.monotonic()
                    ask(client, f"line {number}".encode())
                    took.append((time.monotonic() - start) * 1000)
            ours, sleeps = times.values()
            expect(min(ours) >= 50, True, f"shortest of {ours}")
            # Others may have the processor, for once or all the time.
            most = statistics.median(sleeps) + 4.5
            if statistics.median(ours) < most:
                break
        expect(statistics.median(ours) < most, True, f"median of {ours}, of sleeps {sleeps}")
        with open(f"/proc/{server.pid}/stat", encoding="ascii") as file:
            ticks = sum(map(int, file.read().rsplit(") ", 1)[1].split()[11:13]))
        expect(ticks / os.sysconf("SC_CLK_TCK") < 0.3, True, f"{ticks} ticks of the processor")


def order_under_jitter():
    """jitter keeps the order unless told otherwise"""
    with Server("--delay=20ms", "--jitter=15ms", "--seed=1") as server:
        replies, _ = exchange(server, 100)
        expect(replies, [f"LINE {n}".encode() for n in range(100)], "order")
    with Server("--delay=20ms", "--jitter=15ms", "--order=free", "--seed=1") as server:
        replies, _ = exchange(server, 100)
        expect(sorted(replies) == sorted(f"LINE {n}".encode() for n in range(100)), True, "replies")
        expect(replies != sorted(replies, key=lambda reply: int(reply.split()[1])), True,
               "overtaking")


def held_back():
    """--reorder holds some back while others pass"""
    with Server("--reorder-there=20%", "--reorder-by-there=50ms", "--seed=2") as server:
        replies, totals = exchange(server, 50)
        expect(len(replies), 50, "replies")
        held = totals["udp there"]["held-back"]
        expect(0 < held < 50, True, f"{held} held back")
        numbers = [int(reply.split()[1]) for reply in replies]
        # Those that passed kept their order.
        passed = [n for n, after in zip(numbers, numbers[1:]) if n < after]
        expect(numbers != sorted(numbers) and len(passed) > 25, True, f"order {numbers}")


def doubles():
    """--duplicate: two come there, and two replies to each"""
    with Server("--duplicate=100%") as server:
        replies, totals = exchange(server, 10)
        expect(sorted(replies), sorted(4 * [f"LINE {n}".encode() for n in range(10)]), "replies")
        expect((totals["udp"]["datagrams"], totals["udp"]["replies"], totals["udp there"]["copies"],
                totals["udp back"]["copies"]), (10, 40, 10, 20), "totals")


def full_queue():
    """--rate and --queue: what does not fit is lost, the rest takes its time"""
    with Server("--rate-there=80kbit", "--queue-there=5p", "-4") as server:
        client = udp(server)
        stop_process(server)
        # With IP's and UDP's headers 100 bytes: 10 ms each. The server reads them all in one turn.
        for number in range(40):
            client.send(f"{number:072}".encode())
        start = time.monotonic()
        os.kill(server.pid, signal.SIGCONT)
        for number in range(6):
            expect(int(client.recv(1000)), number, "reply")
        elapsed = (time.monotonic() - start) * 1000
        expect(elapsed >= 59, True, f"{elapsed} ms for 6 times 10 ms")
        totals = server.wait_totals(settled, "all dealt with")
        expect((totals["udp there"]["queue"], totals["udp"]["replies"]), (34, 6),
               "lost in the queue, answered")
        expect(drain(client), [], "more replies")


def tcp_is_untouched():
    """TCP does not notice, neither loss nor delay"""
    with Server("--loss=100%", "--delay=10s", "--rate=1kbit") as server:
        client = tcp(server)
        start = time.monotonic()
        for number in range(50):
            expect(line(client, f"line {number}\n".encode()), f"LINE {number}\n".encode(), "reply")
        expect(time.monotonic() - start < 5, True, "time")


def ipv6():
    """over IPv6 too, and to the right client"""
    with Server("--delay=5ms") as server:
        hosts = ["127.0.0.1"] + (["::1"] if "[::1]" in server.stdout() else [])
        clients = [udp(server, host) for host in hosts * 3]
        for number, client in enumerate(clients):
            client.send(f"line {number}".encode())
        for number, client in enumerate(clients):
            expect(client.recv(100), f"LINE {number}".encode(), f"reply to {number}")


def loops_are_still_found():
    """a loop over the link is silenced like any other, and its copies with it"""
    for option in ("--delay=1ms", "--duplicate=20%", "--duplicate=100%"):
        with Server(option, "--seed=1", "-4") as server:
            client = udp(server, port=server.port, local="127.0.0.2")
            client.send(b"LOOP")
            client.settimeout(1)
            rounds = 0
            try:
                while rounds < 1000:
                    client.send(client.recv(100))
                    rounds += 1
            except TimeoutError:
                pass
            # 16, or twice as many where replies are doubled.
            expect(4 < rounds <= 32, True, f"{rounds} rounds with {option}")
            expect(server.totals()["udp dropped"]["loop"] > 0, True, "found")


def bunches_are_no_loops():
    """the same capitals many times at once are no loop because the link spreads or doubles them"""
    with Server("--delay=30ms", "--jitter=30ms", "--order=free", "--duplicate=50%", "-4") as server:
        client = udp(server)
        stop_process(server)
        for _ in range(50):
            client.send(b"HELLO")
        os.kill(server.pid, signal.SIGCONT)
        totals = server.wait_totals(lambda t: t["udp"]["datagrams"] == 50 and settled(t),
                                    "all dealt with")
        expect((totals["udp dropped"]["loop"], totals["udp"]["replies"] > 50), (0, True),
               "loops, replies")


def end_waits_for_the_link():
    """SIGTERM: what is on the link arrives; a second one does not wait"""
    with Server("--delay=200ms") as server:
        client = udp(server)
        client.send(b"hello")
        # It has come by then, and is on its way for longer. The totals, twice a second, might not
        # see it there.
        totals = server.stop()
        expect((client.recv(100), totals["udp"]["replies"]), (b"HELLO", 1), "reply")
    with Server("--delay=60s") as server:
        client = udp(server)
        client.send(b"hello")
        server.wait_totals(lambda t: t.get("udp there", {}).get("waiting") == 1, "on its way")
        server.process.send_signal(signal.SIGTERM)
        server.wait_log("ends: SIGTERM")
        totals = server.stop()
        expect(totals["udp dropped"]["unsent"], 1, "unsent")


def says_what_it_does():
    """the log says at the start what is impaired, with a seed that gives it again; without, nothing"""
    with Server("--loss-there=20%", "--delay=10ms") as server:
        found = server.wait_log(
            r"impairs UDP, there: loss 20%, delay 10ms; back: delay 10ms; seed (\d+)\n")
        expect(0 <= int(found[1]) < 1000000, True, "seed")
    with Server("--preset=chaos", "--seed=42") as server:
        found = server.wait_log(r"impairs UDP, each way: (.*); seed 42\n")
        expect("duplicate 10%" in found[1] and "corrupt" not in found[1], True, found[1])
    with Server("--seed=5", "--preset=wifi", "--preset=none") as server:
        totals = server.totals()
        expect(("impairs" in server.log(), "udp there" in totals), (False, False), "a word of it")
        expect(ask(udp(server), b"x"), b"X", "reply")
    with Server("-v", "--loss-there=100%") as server:
        client = udp(server)
        client.send(b"hello")
        server.wait_log(rf"udp 127.0.0.1:{client.getsockname()[1]}: 5 bytes there: lost at random")


def bad_options():
    """what is wrong with an option is said in one line, status 2"""
    for options, said in [(["--loss=101%"], "--loss=101%"), (["--loss-there=x"], "--loss-there=x"),
                          (["--loss"], "--loss"), (["--delay=50"], "ms or s"),
                          (["--delay-back=2min"], "60s"), (["--burst=0.5"], "--burst"),
                          (["--loss=80%", "--burst-back=2"], "bursts of 2"),
                          (["--rate=5"], "--rate=5"), (["--queue=100"], "100p"),
                          (["--order=mixed"], "kept nor free"),
                          (["--distribution=pareto"], "uniform nor normal"),
                          (["--preset=nope"], "satellite"), (["--seed=x"], "--seed=x"),
                          (["--duplicate=-1"], "--duplicate"), (["--corrupt=5%"], "--corrupt"),
                          (["--mtu=1400"], "--mtu")]:
        message = refused_start("--port=0", *options, status=2)
        expect(said in message, True, message)


def big_and_empty_datagrams():
    """the longest datagram and the empty one travel as well"""
    with Server("--delay=5ms", "--rate=1gbit") as server:
        client = udp(server)
        for text in (b"", b"x" * 65507):
            expect(ask(client, text), text.upper(), f"{len(text)} bytes")
        # Their capitals fit in no datagram.
        client.send("ŉ".encode() * 32000)
        server.wait_totals(lambda t: t["udp dropped"]["too-long"] == 1, "too long")


run(loses_as_told, bursts, same_seed_same_fates, one_direction, delay_is_exact, order_under_jitter,
    held_back, doubles, full_queue, tcp_is_untouched, ipv6, loops_are_still_found,
    bunches_are_no_loops, end_waits_for_the_link, says_what_it_does, bad_options,
    big_and_empty_datagrams)
