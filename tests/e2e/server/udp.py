# SPDX-License-Identifier: GPL-3.0-or-later
"""Datagrams of every size, replies that grow, bursts, the address that replies come from, and errors of the network."""
import socket

from server import Server, ask, ask_at, expect, read_exactly, run, silence, stop_process, tcp, udp
from tap import has

IPV4_MOST = 65507
IPV6_MOST = 65527


def empty():
    """the empty datagram has an empty reply"""
    with Server() as server:
        client = udp(server)
        for _ in range(3):
            expect(ask(client, b""), b"", "reply")
        expect(server.totals()["udp"]["datagrams"], 3, "datagrams")


def every_size():
    """sizes up to the longest datagram"""
    with Server() as server:
        client = udp(server)
        for n in (1, 2, 511, 512, 1471, 1472, 1473, 8191, 8192, 65000, IPV4_MOST):
            text = (b"the quick brown fox \xc3\xa9 " * 3000)[:n]
            expect(ask(client, text), text.replace(b"\xc3\xa9", b"\xc3\x89").upper(), f"{n} bytes")
        server.stop()


def longest_over_ipv6():
    """the longest datagram over IPv6"""
    with Server() as server:
        expect(ask(udp(server, "::1"), b"x" * IPV6_MOST), b"X" * IPV6_MOST, "reply")


def growing_reply():
    """a reply that grows past the limit is dropped and counted, and nothing else suffers"""
    with Server() as server:
        client, other = udp(server), udp(server)
        fits = "ŉ".encode() * (IPV4_MOST // 3)
        expect(
            ask(client, fits[:IPV4_MOST // 2]),
            fits[:IPV4_MOST // 2].decode(errors="ignore").upper().encode() +
            (b"\xc5" if IPV4_MOST // 2 % 2 else b""), "a reply that fits")
        client.send("ŉ".encode() * (IPV4_MOST // 2))
        client.send("ΐ".encode() * (IPV4_MOST // 2))
        silence(client, other)
        totals = server.totals()
        expect((totals["udp dropped"]["too-long"], totals["udp"]["replies"]), (2, 2),
               "dropped and sent")


def burst():
    """a burst of 2,048 datagrams, more than a default buffer holds: each is answered or counted as overflowed"""
    with Server() as server:
        client = udp(server)
        stop_process(server)
        for i in range(2048):
            client.send(b"datagram %d" % i)
        server.process.send_signal(18)
        client.settimeout(0.5)
        got = set()
        try:
            while len(got) < 2048:
                got.add(client.recv(100))
        except TimeoutError:
            pass
        totals = server.totals()
        # A second burst tells the kernel's count of the first one's loss.
        expect(ask(udp(server), b"x"), b"X", "reply")
        overflowed = server.totals()["udp system"].get("overflowed", 0)
        expect(got <= {b"DATAGRAM %d" % i for i in range(2048)}, True, "replies")
        expect(totals["udp"]["replies"] + overflowed, 2048, "replies and overflowed")
        with open("/proc/sys/net/core/rmem_max", encoding="ascii") as file:
            if int(file.read()) >= 4 << 20:
                expect((len(got), overflowed), (2048, 0),
                       "replies and overflowed with the buffer asked for")


def reply_from_the_address_asked():
    """on a socket for all addresses the reply comes from the one that was asked"""
    with Server("--bind=*") as server:
        for host in ("127.0.0.1", "127.0.0.2", "127.1.2.3", "::1"):
            # A connected socket takes replies from that address alone.
            expect(ask_at(server, host, b"hello"), b"HELLO", host)


def broadcast():
    """what was sent to a broadcast address gets no reply"""
    with Server("--bind=*") as server:
        client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        client.bind(("127.0.0.1", 0))
        client.sendto(b"anyone there", ("127.255.255.255", server.port))
        if has("ARRIVALS"):
            silence(client, udp(server))
        else:
            expect(client.recv(100), b"ANYONE THERE", "a reply, as upcased(8) says")
        expect(server.totals()["udp dropped"]["group"], has("ARRIVALS"), "dropped")
    with Server("--bind=127.0.0.1") as server:
        client.sendto(b"anyone here", ("127.255.255.255", server.port))
        silence(client, udp(server))


def peers_that_are_gone():
    """peers that are gone before their reply: ICMP errors end nothing"""
    with Server() as server:
        stay = udp(server)
        for host in ("127.0.0.1", "::1"):
            for i in range(200):
                stop = i % 50 == 0
                if stop:
                    stop_process(server)
                client = udp(server, host)
                client.send(b"hello")
                client.send(b"again")
                client.close()
                if stop:
                    server.process.send_signal(18)
                expect(ask(stay, b"still there %d" % i), b"STILL THERE %d" % i, "reply")
        expect(server.totals()["udp"]["datagrams"], 1200, "datagrams")


def clients_are_counted():
    """clients: each address and port once"""
    with Server() as server:
        clients = [udp(server) for _ in range(100)]
        for _ in range(3):
            for i, client in enumerate(clients):
                expect(ask(client, b"line %d" % i), b"LINE %d" % i, "reply")
        totals = server.totals()["udp"]
        expect((totals["clients"], totals["datagrams"], totals["replies"]), (100, 300, 300),
               "totals")
        expect(totals["bytes-in"], totals["bytes-out"], "bytes")


def flood_beside_tcp():
    """a flood of datagrams does not starve a TCP client"""
    with Server() as server:
        flood, client = udp(server), tcp(server)
        flood.setblocking(False)
        for i in range(300):
            for _ in range(100):
                flood.send(b"x" * 1000)
            client.sendall(b"line %d\n" % i)
            expect(read_exactly(client, len(b"line %d\n" % i)), b"LINE %d\n" % i, "reply")


run(empty, every_size, longest_over_ipv6, growing_reply, burst, reply_from_the_address_asked,
    broadcast, peers_that_are_gone, clients_are_counted, flood_beside_tcp)
