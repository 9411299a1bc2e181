# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts that no system would be: packets made here, which reach the server through a TUN device, from thousands of addresses."""
import fcntl
import os
import random
import select
import socket
import struct
import subprocess
import time

from server import PATIENCE, WORKERS, Server, ask, expect, line, run, tcp, udp, wait_until
from tap import checksum, enter_namespaces, has, not_here

enter_namespaces("--net")
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
TCP, UDP, ICMP = 6, 17, {4: 1, 6: 58}
HERE = {4: "10.9.0.1", 6: "fd09::1"}
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454ca, 1, 0x1000
CHANCE = random.Random(13)


def open_device():
    try:
        device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH14x", b"t0", IFF_TUN | IFF_NO_PI))
    except OSError as error:
        not_here(f"/dev/net/tun: {error.strerror}")
    subprocess.run([
        "sh", "-ec",
        "ip link set lo up; ip link set t0 up; ip addr add 10.9.0.1/8 broadcast + dev t0; "
        "ip addr add fd09::1/16 dev t0 nodad"
    ],
                   check=True)
    return device


DEVICE = open_device()


def version(host):
    return 6 if ":" in host else 4


def address(host):
    return socket.inet_pton(socket.AF_INET6 if ":" in host else socket.AF_INET, host)


def packet(source, target, protocol, body, check=None):
    """An IP packet whose body has its checksum, unless None, at that place."""
    ends = address(source) + address(target)
    if check is not None:
        pseudo = b"" if protocol == ICMP[4] else ends + struct.pack("!II", len(body), protocol)
        body = body[:check] + struct.pack("!H",
                                          checksum(pseudo + body) or 0xffff) + body[check + 2:]
    if version(source) == 6:
        return struct.pack("!IHBB", 0x60000000, len(body), protocol, 64) + ends + body
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), 0, 0, 64, protocol, 0) + ends
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + body


def put(data):
    """What the system does not take is no packet."""
    try:
        os.write(DEVICE, data)
    except OSError:
        pass


def segment(source, port, server, seq, ack, flags, window=65535, data=b"", options=b"", urgent=0):
    head = struct.pack("!HHIIBBHHH", port, server.port, seq % 2**32, ack % 2**32,
                       (5 + len(options) // 4) << 4, flags, window, 0, urgent)
    put(packet(source, HERE[version(source)], TCP, head + options + data, 16))


def datagram(source, target, port, server, data, length=None):
    head = struct.pack("!HHHH", port, server.port, 8 + len(data) if length is None else length, 0)
    return packet(source, target, UDP, head + data, 6)


def came(patience):
    """Packets that the system sends, for so long."""
    end = time.monotonic() + patience
    while select.select([DEVICE], [], [], max(0, end - time.monotonic()))[0]:
        yield os.read(DEVICE, 70000)


def somewhere(six):
    if six:
        return f"fd09:1:{CHANCE.randrange(65536):x}:{CHANCE.randrange(65536):x}::{CHANCE.randrange(1, 65536):x}"
    return f"10.{CHANCE.randrange(10, 250)}.{CHANCE.randrange(256)}.{CHANCE.randrange(1, 255)}"


def connect(source, port, server, window=65535):
    """Shakes hands; the next numbers of both."""
    seq = CHANCE.getrandbits(32)
    segment(source, port, server, seq, 0, SYN, options=b"\2\4\5\xb4")
    head = 20 if version(source) == 4 else 40
    for data in came(PATIENCE):
        ends, body = data[head - 2 * len(address(source)):head], data[head:]
        if ends[len(ends) // 2:] == address(source) and body[2:4] == struct.pack(
                "!H", port) and body[13] == SYN | ACK:
            ack = struct.unpack("!I", body[4:8])[0] + 1
            segment(source, port, server, seq + 1, ack, ACK, window)
            return seq + 1, ack
    raise AssertionError(f"no SYN-ACK for {source}")


def still_serves(server):
    with tcp(server) as client, udp(server) as other:
        expect(line(client, b"hello\n"), b"HELLO\n", "reply over TCP")
        expect(ask(other, b"hello"), b"HELLO", "reply over UDP")
    list(came(0))


def half_open():
    """6,000 connections that are never completed, from as many sources: everybody else is served"""
    with Server("--public") as server:
        for i in range(6000):
            segment(somewhere(i % 2),
                    CHANCE.randrange(1024, 65536),
                    server,
                    i,
                    0,
                    SYN,
                    options=b"\2\4\5\xb4")
            if i % 2000 == 1999:
                still_serves(server)
        expect(server.totals()["tcp"]["clients"], 3, "clients")


def every_state():
    """any segment, among them a reset, in every state of a connection costs only that one"""
    with Server("--public", "--connect-rate=0", "--max-per-source=0", *WORKERS) as server:
        for i in range(500):
            source, port, state = somewhere(i % 2), 2000 + i, i % 4
            seq, ack = connect(source, port, server)
            if state >= 1:
                segment(source, port, server, seq, ack, ACK | PSH, data=b"hello\n")
            if state >= 2:
                segment(source, port, server, seq + 6, ack + 6, ACK | FIN)
            if state >= 3:
                segment(source, port, server, seq + 7, ack + 7, ACK)
            segment(source, port, server, seq + CHANCE.choice((0, 6, 7, 2**31)),
                    ack + CHANCE.choice((0, 6, 7, 2**31)), i % 256, CHANCE.choice((0, 1, 65535)),
                    CHANCE.randbytes(i % 9), CHANCE.randbytes(4 * (i % 5)),
                    CHANCE.choice((0, 5, 65535)))
            segment(source, port, server, seq + (0, 6, 7, 7)[state], ack, RST)
            list(came(0))
        still_serves(server)


def no_room():
    """300 clients from as many sources that leave no room for replies, some with their side closed, end as idle; nothing is kept"""
    with Server("--public", "--connect-rate=0", "--idle-timeout=2s") as server:
        for i in range(300):
            source = somewhere(i % 2)
            seq, ack = connect(source, 3000 + i, server, window=0)
            segment(source, 3000 + i, server, seq, ack, ACK | PSH, 0, b"q" * 1000)
            if i % 3 == 0:
                segment(source, 3000 + i, server, seq + 1000, ack, ACK | FIN, 0)
        server.wait_totals(lambda t: t["tcp"]["bytes-in"] == 300000, "all lines")
        still_serves(server)
        if not has("SEND_QUEUE"):
            # Those that have closed their side have ended; what is not sent is the system's.
            totals = server.wait_totals(lambda t: t["tcp ended"]["idle"] == 200, "200 ends")
            expect(totals["tcp ended"]["closed"] >= 100, True, f"ends of the others: {totals}")
            return
        server.wait_totals(lambda t: t["tcp ended"]["idle"] >= 300, "300 ends")
        list(came(0))

        def kept():
            rows = []
            for name in "tcp", "tcp6":
                with open(f"/proc/net/{name}", encoding="ascii") as file:
                    rows += [row.split() for row in list(file)[1:]]
            # Neither LISTEN nor TIME_WAIT.
            return [
                row for row in rows
                if row[1].endswith(f":{server.port:04X}") and row[3] not in ("0A", "06")
            ]
        wait_until(lambda: not kept(), "that the system keeps none")


def odd_datagrams():
    """datagrams from where no reply may go, with false lengths and behind any headers: none has a reply, all others do"""
    with Server("--public") as server:
        for four in "10.255.255.255", "255.255.255.255", "224.0.0.1", "0.0.0.0", "127.0.0.1", "10.9.0.1":
            put(datagram(four, HERE[4], server.port, server, b"HELLO"))
        for target in "10.255.255.255", "224.0.0.1", "255.255.255.255":
            put(datagram("10.20.0.1", target, 5555, server, b"HELLO"))
        for six in "ff02::1", "::", "::1", "fd09::1", "::ffff:10.20.0.1":
            put(datagram(six, HERE[6], server.port, server, b"HELLO"))
        for port in 0, 7, 1023:
            put(datagram("10.20.0.1", HERE[4], port, server, b"HELLO"))
            put(datagram("fd09:1::1", HERE[6], port, server, b"HELLO"))
        for length in 0, 7, 12, 65535:
            put(datagram("10.20.0.1", HERE[4], 5555, server, b"HELLO", length))
        whole = datagram("fd09:1::1", HERE[6], 1000, server, b"HELLO")[40:]
        for i in range(500):
            following, body = UDP, whole
            for kind in CHANCE.choices((0, 43, 44, 51, 60, 135), k=1 + i % 6):
                body = bytes([following, CHANCE.choice(
                    (0, 0, 1, 255))]) + CHANCE.randbytes(6) + body
                following = kind
            data = packet("fd09:1::1", HERE[6], following, body)
            put(data[:CHANCE.randrange(40, len(data))] if i % 2 else data)
        still_serves(server)
        totals = server.totals()
        # Where the system does not tell that a datagram was sent to a group, it has a reply.
        most = 1 if has("ARRIVALS") else 4
        expect(1 <= totals["udp"]["replies"] <= most, True, f"replies {totals}")


def icmp_errors():
    """4,000 errors of every kind about what the server sends end no connection and hold up nobody"""
    with Server("--public") as server:
        ends = {}
        for source in "10.20.3.1", "fd09:1::5":
            ends[source] = connect(source, 7777, server)
        for i in range(4000):
            source = "fd09:1::5" if i % 2 else "10.20.3.1"
            seq, ack = ends[source]
            about = struct.pack("!HHII", server.port, 7777, ack % 2**32, seq % 2**32) + bytes(8)
            quoted = packet(HERE[version(source)], source, CHANCE.choice((TCP, UDP)),
                            about)[:CHANCE.choice((20, 28, 48, 60))]
            kind = CHANCE.choice((1, 2, 3, 4) if i % 2 else (3, 4, 5, 11, 12))
            body = struct.pack("!BBHI", kind, CHANCE.randrange(16), 0,
                               CHANCE.choice((0, 68, 552, 1280, 2**31))) + quoted
            put(packet(source, HERE[version(source)], ICMP[version(source)], body, 2))
        still_serves(server)
        for source, (seq, ack) in ends.items():
            segment(source, 7777, server, seq, ack, ACK | PSH, data=b"alive?\n")
            expect(any(b"ALIVE?\n" in data for data in came(2)), True, f"a reply to {source}")


run(half_open, every_state, no_room, odd_datagrams, icmp_errors)
