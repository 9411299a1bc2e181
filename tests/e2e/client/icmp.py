# SPDX-License-Identifier: GPL-3.0-or-later
"""What ICMP says: which line it is about, with which words, and that it costs no other line its
sending. The router is this test: it reads what the client sends from the other end of a pair of
devices in a network namespace of its own."""
import json
import os
import socket
import struct
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from client import ENVIRONMENT, PATIENCE, UPCASE
from tap import LAB, checksum, done, enter_namespaces, has, point

NEAR = {4: "10.7.0.1", 6: "fd07::1"}
FAR = {4: "10.7.0.9", 6: "fd07::9"}
ROUTER = {4: "10.7.0.254", 6: "fd07::fe"}
ETH_ALL = 3
# No line is lost here: each waits until its reply or its error has come, on a busy machine too.
WAIT = "20s"
FAMILY = {4: socket.AF_INET, 6: socket.AF_INET6}


def address(version, text):
    return socket.inet_pton(FAMILY[version], text)


def ip_packet(version, protocol, source, target, body):
    if version == 6:
        return struct.pack("!IHBB", 0x60000000, len(body), protocol, 64) + source + target + body
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), 0, 0, 64, protocol,
                       0) + source + target
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + body


class Packet:
    """What the client's machine sent: an IP packet."""

    def __init__(self, data):
        self.data = data
        self.version = data[0] >> 4
        head = 20 if self.version == 4 else 40
        self.protocol = data[9] if self.version == 4 else data[6]
        self.source, self.target = (data[12:16],
                                    data[16:20]) if self.version == 4 else (data[8:24], data[24:40])
        self.ports, self.body = data[head:head + 4], data[head + 8:]
        self.head = head

    def icmp(self, kind, code, said_by, info=0, quoted=65535, padding=b""):
        """An ICMP error about it, which quotes so many bytes of what follows its IP header."""
        body = struct.pack("!BBHI", kind, code, 0, info) + self.data[:self.head + quoted] + padding
        who = address(self.version, said_by)
        pseudo = b"" if self.version == 4 else who + self.source + struct.pack("!II", len(body), 58)
        body = body[:2] + struct.pack("!H", checksum(pseudo + body)) + body[4:]
        return ip_packet(self.version, 1 if self.version == 4 else 58, who, self.source, body)

    def reply(self):
        """The server's: the same in capitals."""
        udp = self.ports[2:] + self.ports[:2] + struct.pack("!HH", 8 + len(self.body),
                                                            0) + self.body.upper()
        if self.version == 6:
            pseudo = self.target + self.source + struct.pack("!II", len(udp), 17)
            udp = udp[:6] + struct.pack("!H", checksum(pseudo + udp) or 0xffff) + udp[8:]
        return ip_packet(self.version, 17, self.target, self.source, udp)


class Router(threading.Thread):
    """Answers what comes with what `answer(packet)` returns; keeps what came over UDP and TCP."""

    def __init__(self):
        super().__init__(daemon=True)
        self.wire = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_ALL))
        self.wire.bind(("far", ETH_ALL))
        self.answer = lambda packet: []
        self.came = []

    def run(self):
        # On one processor, and before the client: an error is there before the client's next call.
        os.sched_setaffinity(threading.get_native_id(), CPU)
        try:
            os.sched_setscheduler(threading.get_native_id(), os.SCHED_FIFO, os.sched_param(1))
        except PermissionError:
            pass
        while True:
            data, (_, kind, way, _, client) = self.wire.recvfrom(65536)
            if way == socket.PACKET_OUTGOING or kind not in (0x0800, 0x86dd):
                continue
            packet = Packet(data)
            if packet.protocol not in (6, 17) or packet.target != address(
                    packet.version, FAR[packet.version]):
                continue
            self.came.append(packet)
            for answer in self.answer(packet):
                self.wire.sendto(answer, ("far", kind, 0, 0, client))


def shell(script):
    subprocess.run(["sh", "-ec", script], check=True)


def client(version, *options, stdin=b"first\nsecond\n"):
    """Runs it: the records of its lines, what it said, and what the router saw of it."""
    ROUTE.came = []
    result = subprocess.run([
        UPCASE, "--plain", "--json", f"--wait={WAIT}", *options, FAR[version], "9"
    ],
                            input=stdin,
                            capture_output=True,
                            timeout=PATIENCE,
                            env=ENVIRONMENT,
                            check=False,
                            preexec_fn=lambda: os.sched_setaffinity(0, CPU))
    lines = [
        record for record in map(json.loads, result.stdout.splitlines()) if record["type"] == "line"
    ]
    return lines, result.stderr.decode(), [
        packet.body for packet in ROUTE.came if packet.protocol == 17
    ]


def wanted(lines, *fates):
    """Faults: the lines' fates and errors are not these."""
    got = [(line["fate"], line["error"]) for line in lines]
    return [] if got == list(fates) else [f"got {got}, wanted {list(fates)}"]


def says(text, *words):
    return [f"does not say {word!r}: {text!r}" for word in words if word not in text]


def says_not(text, *words):
    return [f"says {word!r}: {text!r}" for word in words if word in text]


def seen(bodies, *texts):
    return [] if bodies == [*texts] else [f"on the wire: {bodies}"]


enter_namespaces("--net")
CPU = {min(os.sched_getaffinity(0))}
shell(f"""ip link set lo up; ip link add near type veth peer name far address 02:00:00:00:00:02
echo 1 >/proc/sys/net/ipv6/conf/far/disable_ipv6; echo 1 >/proc/sys/net/ipv4/conf/near/accept_local
ip addr add {NEAR[4]}/24 dev near; ip addr add {NEAR[6]}/64 dev near nodad
ip link set near up; ip link set far up
ip neigh add {FAR[4]} lladdr 02:00:00:00:00:02 dev near; ip neigh add {FAR[6]} lladdr 02:00:00:00:00:02 dev near"""
      )
ROUTE = Router()
ROUTE.start()


def wait_for_route(version):
    """Sends datagrams until the router sees them, and the last of them: a device drops what is sent
    before the kernel has noticed that its other end is up."""
    end, last = time.monotonic() + PATIENCE, None
    with socket.socket(FAMILY[version], socket.SOCK_DGRAM) as probe:
        while time.monotonic() < end:
            bodies = [packet.body for packet in ROUTE.came if packet.version == version]
            if last and last in bodies:
                return
            if not bodies:
                last = b"probe %d" % time.monotonic_ns()
                probe.sendto(last, (FAR[version], 9))
            time.sleep(0.01)
    raise TimeoutError(f"no datagram of IPv{version} comes to the router")


for ip_version in FAR:
    wait_for_route(ip_version)

# Where there is no error queue, an error is a later call's: it names no line and no router, and is
# at most that nothing listens. TCP's is as it ever was, but for the type.
if not has("ERROR_QUEUE"):
    WAIT = "1s"
    for version, kind, code, udp, tcp in ((4, 3, 0, None, "ENETUNREACH"), (4, 3, 3, "ECONNREFUSED", "ECONNREFUSED"),
                                          (4, 3, 13, None, "EHOSTUNREACH"), (6, 1, 0, None, "ENETUNREACH"),
                                          (6, 1, 4, "ECONNREFUSED", "ECONNREFUSED")):
        ROUTE.answer = lambda packet: [packet.icmp(kind, code, ROUTER[version])] if packet.body == b"first" else \
            [packet.reply()]
        lines, told, bodies = client(version)
        point(f"ICMP{'v6' if version == 6 else ''} {kind}/{code} without an error queue",
              wanted(lines, ("refused" if udp else "lost", udp), ("answered", None)) +
              says_not(told, "ICMP", "so says") + seen(bodies, b"first", b"second"))
        ROUTE.answer = lambda packet: [packet.icmp(kind, code, ROUTER[version])]
        point(f"ICMP{'v6' if version == 6 else ''} {kind}/{code}, TCP, without an error queue",
              wanted(client(version, "--tcp", stdin=b"first\n")[0], ("failed", tcp)))
    done()

# IP version, type, code; the record's error, words of the sentence.
REFUSED = ("refused", "ECONNREFUSED", "nothing listens")
CASES = [
    (4, 3, 0, "ICMP 3/0", "no route to that network"),
    (4, 3, 1, "ICMP 3/1", "no host answers"),
    (4, 3, 2, "ICMP 3/2", "does not speak"),
    (4, 3, 3, "ECONNREFUSED", "nothing listens"),
    (4, 3, 5, "ICMP 3/5", "cannot be delivered"),
    (4, 3, 6, "ICMP 3/6", "no route to that network"),
    (4, 3, 7, "ICMP 3/7", "no host answers"),
    (4, 3, 8, "ICMP 3/8", "isolated"),
    (4, 3, 9, "ICMP 3/9", "a firewall on the way"),
    (4, 3, 10, "ICMP 3/10", "a firewall on the way"),
    (4, 3, 11, "ICMP 3/11", "type of service"),
    (4, 3, 12, "ICMP 3/12", "type of service"),
    (4, 3, 13, "ICMP 3/13", "a firewall on the way"),
    (4, 3, 14, "ICMP 3/14", "precedence"),
    (4, 3, 15, "ICMP 3/15", "precedence"),
    (4, 11, 0, "ICMP 11/0", "hop limit"),
    (4, 12, 0, "ICMP 12/0", "header"),
    (4, 12, 2, "ICMP 12/2", "header"),
    (6, 1, 0, "ICMPv6 1/0", "no route to that network"),
    (6, 1, 1, "ICMPv6 1/1", "a firewall on the way"),
    (6, 1, 2, "ICMPv6 1/2", "beyond it"),
    (6, 1, 3, "ICMPv6 1/3", "no host answers"),
    (6, 1, 4, "ECONNREFUSED", "nothing listens"),
    (6, 1, 5, "ICMPv6 1/5", "from this machine's address"),
    (6, 1, 6, "ICMPv6 1/6", "rejects every packet"),
    (6, 1, 7, "ICMPv6 1/7", "cannot be delivered"),
    (6, 3, 0, "ICMPv6 3/0", "hop limit"),
    (6, 3, 1, "ICMPv6 3/1", "a fragment"),
    (6, 4, 0, "ICMPv6 4/0", "header"),
    (6, 4, 1, "ICMPv6 4/1", "does not speak"),
    (6, 4, 2, "ICMPv6 4/2", "header"),
]
for version, kind, code, error, words in CASES:
    faults = []
    # All of the line is quoted; as little as RFC 792 asks for; filled up as RFC 4884 has it.
    for quoting in {}, {"quoted": 8}, {"padding": bytes(128 - 28 - 5) + b"\x20\0\xde\xad"}:
        ROUTE.answer = lambda packet: [packet.icmp(kind, code, ROUTER[version], **quoting)] if packet.body == b"first" else \
            [packet.reply()]
        lines, told, bodies = client(version)
        faults += wanted(lines, ("refused" if error == "ECONNREFUSED" else "failed", error),
                         ("answered", None))
        faults += says(told, words, f"so says {ROUTER[version]}") + says_not(
            told, "this machine forbids")
        faults += seen(bodies, b"first", b"second")
    point(
        f"ICMP{'v6' if version == 6 else ''} {kind}/{code} is the first line's, the second is sent",
        faults)

    ROUTE.answer = lambda packet: [packet.icmp(kind, code, ROUTER[version])]
    lines, told, _ = client(version, "--tcp", stdin=b"first\n")
    point(
        f"ICMP{'v6' if version == 6 else ''} {kind}/{code}, TCP",
        wanted(lines,
               ("failed", error)) + says(told, words) + says_not(told, "this machine forbids"))

# What is too large for the path: quoted or not, it is not the short line's.
LONG = b"%01390d" % 0
for version, kind, code, error in (4, 3, 4, "ICMP 3/4"), (6, 2, 0, "ICMPv6 2/0"):
    for quoting in {}, {"quoted": 8}:
        for texts in (LONG, b"short"), (b"short", LONG):
            held = []

            def answer(packet):
                """The short line's reply comes after the error."""
                if len(packet.body) < len(LONG):
                    held.append(packet.reply())
                    return held if len(ROUTE.came) == 2 else []
                return [packet.icmp(kind, code, ROUTER[version], info=1300, **quoting), *held]

            ROUTE.answer = answer
            lines, told, bodies = client(version, stdin=b"\n".join(texts) + b"\n")
            shell(f"ip {'-6' if version == 6 else ''} route flush cache")
            fates = [("failed", error) if text == LONG else ("answered", None) for text in texts]
            point(
                f"too large over IPv{version}, {'long' if texts[0] == LONG else 'short'} first, "
                f"{'8 bytes' if quoting else 'all'} quoted",
                wanted(lines, *fates) + seen(bodies, *texts) +
                says(told, "larger than the path's MTU"))

# This machine's own firewall, which says so with this machine's own address.
for version, kind, code in (4, 3, 13), (4, 3, 3), (6, 1, 1), (6, 1, 4):
    ROUTE.answer = lambda packet: [packet.icmp(kind, code, NEAR[version])]
    lines, told, _ = client(version, "--tcp", stdin=b"first\n")
    point(f"this machine's own firewall, ICMP {kind}/{code}", wanted(lines, ("failed", "EPERM")) +
          says(told, "a firewall on this machine"))

# Nobody has forgotten the lines behind an error for every line.
ROUTE.answer = lambda packet: [packet.icmp(3, 13, ROUTER[4])]
MANY = [b"line %d" % i for i in range(200)]
lines, told, bodies = client(4, stdin=b"\n".join(MANY) + b"\n")
point("200 lines, each of them prohibited: each was sent",
      wanted(lines, *[("failed", "ICMP 3/13")] * 200) + seen(sorted(bodies), *sorted(MANY)))

# The lab's link says so as well: whenever the error comes, the short line is sent.
if subprocess.run([LAB, "--check"], capture_output=True, check=False).returncode == 0:
    def in_lab(_):
        result = subprocess.run([LAB, "-q", "--link-mtu=1300", "--", UPCASE, "--plain", "10.9.0.2"],
                                input=LONG + b"\nhi\n",
                                capture_output=True,
                                timeout=PATIENCE,
                                env={**os.environ, **ENVIRONMENT},
                                check=False)
        return [] if result.stdout == b"HI\n" and b"line 2" not in result.stderr else [
            f"{result.stdout!r} {result.stderr!r}"
        ]
    with ThreadPoolExecutor(5) as pool:
        faults = sum(pool.map(in_lab, range(10)), [])
    point("too large for the lab's link, ten times", faults)

done()
