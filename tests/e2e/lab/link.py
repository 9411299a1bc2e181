# SPDX-License-Identifier: GPL-3.0-or-later
"""The link between real hosts: what it says it did is what the kernels and the programs on both
ends saw; its captures are what tshark takes them for; a smaller MTU is discovered; faults come on
cue."""

import json
import os
import shlex
import shutil
import subprocess
import textwrap

from lab import PATIENCE, PLACE, done, need_hosts, python, run, serves, side_by_side, working_backends
from tap import point

need_hosts()

# Capitals on the far host, and its kernel's UDP counters for whoever sends "report".
SERVER = textwrap.dedent('''
    import json, os, selectors, socket
    wait = selectors.DefaultSelector()
    def serve(family, address, kind):
        s = socket.socket(family, kind)
        if kind == socket.SOCK_DGRAM:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        s.bind((address, 12000))
        if kind == socket.SOCK_STREAM:
            s.listen()
        s.setblocking(False)
        wait.register(s, selectors.EVENT_READ, kind == socket.SOCK_STREAM)
    def counters():
        found = {}
        with open("/proc/net/snmp") as snmp:
            rows = [line.split() for line in snmp if line.startswith("Udp:")]
        found = dict(zip(rows[0][1:], map(int, rows[1][1:])))
        with open("/proc/net/snmp6") as snmp:
            rows = dict(line.split() for line in snmp)
        for name in "InDatagrams", "InErrors", "RcvbufErrors", "InCsumErrors":
            found[name] += int(rows["Udp6" + name])
        return json.dumps(found).encode()
    for family, address in (socket.AF_INET, "10.9.0.2"), (socket.AF_INET6, "fd09::2"):
        serve(family, address, socket.SOCK_DGRAM)
        serve(family, address, socket.SOCK_STREAM)
    open(os.environ["SERVES"], "w").close()
    while True:
        for key, _ in wait.select():
            s = key.fileobj
            try:
                if s.type == socket.SOCK_DGRAM:
                    data, who = s.recvfrom(70000)
                    s.sendto(counters() if data == b"report" else data.upper(), who)
                elif key.data:
                    wait.register(s.accept()[0], selectors.EVENT_READ, False)
                else:
                    data = s.recv(65536)
                    s.sendall(data.upper())
                    if not data:
                        wait.unregister(s)
                        s.close()
            except BlockingIOError:
                # A datagram whose checksum is wrong wakes, but is not there to be read.
                pass
    ''')

# What the near host's programs share: the link's control socket and its events.
CLIENT = textwrap.dedent('''
    import collections, json, os, select, socket, struct, sys, time
    while not os.path.exists(os.environ["SERVES"]):
        time.sleep(0.005)
    class Link:
        def __init__(self):
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.connect(os.environ["UPCASE_LAB"])
            self.text = bytearray()
        def ask(self, order):
            self.socket.sendall(order.encode() + b"\\n")
            start = len(self.text)
            while b"\\nok\\n" not in b"\\n" + self.text[start:]:
                assert b"\\nerror" not in b"\\n" + self.text[start:], self.text[start:]
                self.text += self.socket.recv(1 << 20)
            return [line for line in self.text[start:].decode().splitlines()
                    if line.split()[0] not in ("event", "changed", "ok")]
        def read(self):
            self.text += self.socket.recv(1 << 20)
        def events(self):
            found = []
            for line in self.text.decode().splitlines():
                words = line.split()
                if words[0] == "event":
                    keys = dict(word.split("=", 1) for word in words[3:])
                    keys.update(serial=int(words[1]), there=words[2] == "there")
                    found.append(keys)
            return found
        def counts(self):
            return {tuple(line.split()[:-1]): line.split()[-1] for line in self.ask("counts")}
    def udp(address):
        s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
        s.connect((address, 12000))
        s.settimeout(5)
        return s
    def report(address):
        s = udp(address)
        s.send(b"report")
        return json.loads(s.recv(9999))
    ''')

TRUTH = CLIENT + textwrap.dedent('''
    address, lines, size = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    def line(i):
        return (b"line %d" % i).ljust(size, b".")
    link, s = Link(), udp(address)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
    s.setblocking(False)
    link.ask(f"events on {s.getsockname()[1]}")
    got, damaged = collections.Counter(), 0
    def pump(seconds):
        end = time.monotonic() + seconds
        while True:
            ready = select.select([s, link.socket], [], [], max(0, end - time.monotonic()))[0]
            if link.socket in ready:
                link.read()
            if s in ready:
                try:
                    got[s.recv(70000)] += 1
                except BlockingIOError:
                    pass
            if not ready or time.monotonic() > end + 5:
                return
    def unanswered():
        counts = link.counts()
        return sum(sign * int(counts[key]) for sign, key in (
            (1, ("there", "delivered")), (-1, ("there", "corrupted")), (-1, ("back", "packets"))))
    for i in range(lines):
        s.send(line(i))
        if i % 10 == 9:
            pump(0.001)
        # A server that waits for a processor has no room for more: without root the kernel gives it
        # 200 KB (net.core.rmem_max).
        for _ in range(500 if i % 100 == 99 else 0):
            if unanswered() <= 100:
                break
            pump(0.01)
    # Until all is told and nothing is on its way.
    while any(int(link.counts()[way, "in-flight"]) for way in ("there", "back")):
        pump(0.05)
    pump(0.5)
    link.ask("preset none")
    kernel = report(address)
    told = {True: collections.Counter(), False: collections.Counter()}
    entered, hurt, fates = collections.Counter(), collections.Counter(), collections.Counter()
    for event in link.events():
        data, copies = bytes.fromhex(event.get("data", "")), 1 + ("out2" in event)
        entered[event["there"]] += 1
        fates["there" if event["there"] else "back", event["fate"]] += 1
        if event["fate"] == "delivered":
            told[event["there"]][data] += copies
        elif event["fate"] == "corrupted":
            hurt[event["there"]] += copies
    # How long the link decided to keep each, ms.
    delays = {"there": [], "back": []}
    for event in link.events():
        if "out" in event:
            delays["there" if event["there"] else "back"].append((int(event["out"]) - int(event["in"])) / 1e6)
    # The client's fates: answered so often; and the link's, of which it shows the first 64 bytes:
    # the same.
    replies = [line(i).upper() for i in range(lines)]
    mismatches = sum(got[reply] != told[False][reply[:64]] for reply in replies)
    mismatches += sum(got.values()) != sum(told[False].values())
    print(json.dumps({
        "mismatches": mismatches, "lines": lines, "entered": entered[True],
        "answered": sum(got[reply] > 0 for reply in replies),
        "delays": {way: [min(delays[way]), max(delays[way])] for way in delays},
        "full": fates["there", "queue"] + fates["back", "queue"],
        "to the server": sum(told[True].values()), "server answered": entered[False],
        "damaged": hurt[True], "kernel": kernel, "balanced": link.counts()["balanced",],
        "marks": sorted({mark for event in link.events() for mark in event.get("marks", "").split(",") if mark})}))
    ''')


def run_client(options, source, *words):
    """Runs source on the near host and a server on the far one: what the source printed, and what went wrong."""
    status, out, err = run('--quiet', *options, f'--far={shlex.join(python(SERVER))}', '--',
                           *python(source), *words, env=serves(), patience=4 * PATIENCE)
    return out, [] if status == 0 else [f'status {status}', *err.splitlines()]


def check_truth(name, options, address, lines, size=0):
    """Returns what was found, or None."""
    out, faults = run_client(options, TRUTH, address, str(lines), str(size))
    if faults:
        point(name, faults)
        return None
    facts = json.loads(out)
    kernel = facts['kernel']
    print(f'# {out.strip()}')
    # The report itself came after all that.
    equal = {
        'mismatches': (facts['mismatches'], 0),
        'packets there': (facts['entered'], lines),
        'balanced': (facts['balanced'], 'yes'),
        'datagrams that the kernel gave the server': (kernel['InDatagrams'] - 1,
                                                      facts['to the server']),
        'datagrams that the server answered': (facts['server answered'], facts['to the server']),
        'wrong checksums': (kernel['InCsumErrors'], facts['damaged']),
        'full buffers': (kernel['RcvbufErrors'], 0),
    }
    point(f'{name}: {facts["mismatches"]} mismatches in {lines} lines',
          [f'{what}: {got}, not {want}' for what, (got, want) in equal.items() if got != want])
    return facts


def check_queue(backend):
    """The tour's full queue: what it says of times, by the link's own log."""
    facts = check_truth(f'{backend}, a full queue',
                        [f'--backend={backend}', '--rate=1mbit', '--queue=10p', '--delay=10ms'],
                        '10.9.0.2', 200, 1000)
    if not facts:
        return
    own = 10 + 1028 * 8 / 1000
    (least, most), back = facts['delays']['there'], facts['delays']['back']
    faults = [] if abs(least - own) < 0.001 else [f'{least} ms, not {own}, for a line alone']
    # As many wait before it as the queue holds, the first of them partly sent.
    faults += [] if own + 9 * 8.224 < most < own + 10 * 8.224 + 0.001 else [f'{most} ms']
    faults += [] if most + back[0] < 120 else [f'{most} + {back[0]} ms']
    faults += [] if facts['full'] > 20 else [f'{facts["full"]} times full']
    point(f'{backend}, a full queue makes a line wait for ten others', faults)


EVERYTHING = [
    '--loss=20%', '--burst=2', '--delay=5ms', '--jitter=3ms', '--order=free', '--duplicate=5%',
    '--reorder=5%', '--corrupt=2%', '--seed=5'
]

FATES = CLIENT + textwrap.dedent('''
    link, s = Link(), udp("10.9.0.2")
    link.ask(f"events on {s.getsockname()[1]}")
    for i in range(500):
        s.send(b"line %d" % i)
    while int(link.counts()["there", "packets"]) < 500:
        pass
    print(" ".join(event["fate"] for event in link.events() if event["there"]))
    ''')


def check_seed(backend):
    outs = []
    for seed in 1, 1, 2:
        out, faults = run_client([f'--backend={backend}', '--loss=30%', f'--seed={seed}'], FATES)
        if faults:
            point(f'{backend}: the same seed gives the same fates', faults)
            return
        outs.append(out)
    point(f'{backend}: the same seed gives the same fates', [
        *(['the same seed gave others'] if outs[0] != outs[1] else []),
        *(['another seed gave the same'] if outs[0] == outs[2] else []),
        *([] if 90 < outs[0].split().count('random') < 210 else ['not about 30 %: ' + outs[0]])])


PATH_MTU = CLIENT + textwrap.dedent('''
    def too_big():
        counts = Link().counts()
        return [int(counts[way, "lost-mtu"]) for way in ("there", "back")]
    for address in "10.9.0.2", "fd09::2":
        s = udp(address)
        # The first one is lost and the router's answer heard; then the kernel cuts what it sends.
        s.settimeout(0.2)
        sizes = []
        for _ in range(4):
            try:
                s.send(b"a" * 1400)
                sizes.append(len(s.recv(9999)))
            except (socket.timeout, OSError) as error:
                sizes.append(type(error).__name__)
        print("udp", sizes[-1])
        t = socket.create_connection((address, 12000), 5)
        def echo(n=0):
            t.sendall(b"x" * 100000)
            while n < 100000:
                n += len(t.recv(65536))
            return n
        n = echo()
        print("tcp", n, struct.unpack_from("I", t.getsockopt(6, 11, 280), 60)[0])
        # Both ends have learned: of as much again nothing is too big.
        before = too_big()
        print("again", echo(), [n - m for m, n in zip(before, too_big())])
    # Without DF a router cuts: it arrives at once.
    s = udp("10.9.0.2")
    s.setsockopt(socket.IPPROTO_IP, 10, 0)
    s.send(b"b" * 1400)
    print("cut", len(s.recv(9999)))
    counts = Link().counts()
    # Every packet that is too big is answered.
    answers = [int(counts[way, "too-big-answers"]) for way in ("there", "back")]
    print("answers", min(answers) >= 2, answers == too_big(), "balanced", counts["balanced",])
    ''')


def check_path_mtu(backend):
    out, faults = run_client([f'--backend={backend}', '--link-mtu=1300'], PATH_MTU)
    want = ['udp 1400', 'tcp 100000 1300', 'again 100000 [0, 0]'] * 2 + [
        'cut 1400', 'answers True True balanced yes'
    ]
    point(f'{backend}: a smaller MTU is discovered, by IPv4 and IPv6',
          faults or ([] if out.splitlines() == want else [f'{out.splitlines()}, not {want}']))


BLACK_HOLE = CLIENT + textwrap.dedent('''
    link, u = Link(), udp("10.9.0.2")
    def lost():
        return int(link.counts()["there", "lost-no-icmp"])
    # Over UDP nothing is learned: the second is sent as the first was.
    for i in 1, 2:
        u.send(b"u" * 1400)
    u.send(b"small")
    print("udp", u.recv(9999), lost())
    t = socket.create_connection(("10.9.0.2", 12000), 5)
    def echo():
        t.sendall(b"t" * 1400)
    def answered(n=0):
        while n < 1400:
            n += len(t.recv(9999))
        return n
    echo()
    while lost() < 4:
        time.sleep(0.01)
    link.ask("set icmp sent")
    print("told", answered(), struct.unpack_from("I", t.getsockopt(6, 11, 280), 60)[0])
    link.ask("set icmp none")
    # After the first timeouts, not the third.
    try:
        for name in "tcp_mtu_probing", "tcp_retries1":
            with open("/proc/sys/net/ipv4/" + name, "w") as file:
                file.write("1")
    except OSError as error:
        print("not here", error)
        sys.exit()
    # This host knows the MTU to the other address.
    t = socket.create_connection(("fd09::2", 12000), 5)
    before = lost()
    echo()
    print("probed", answered(), lost() > before)
    counts = link.counts()
    print("answers", counts["there", "too-big-answers"] == counts["there", "lost-mtu"], counts["balanced",])
    ''')


def check_black_hole(backend):
    """A packet that is too big is lost as often as it is sent, until an ICMP error tells of it, or TCP
    probes; Linux's setting for that is the sender's own."""
    out, faults = run_client([f'--backend={backend}', '--link-mtu-there=1300', '--no-icmp'], BLACK_HOLE)
    want = ["udp b'SMALL' 2", 'told 1400 1300', 'probed 1400 True', 'answers True yes']
    got = out.splitlines()
    if got[2:] and got[2].startswith('not here'):
        got, want = got[:2], want[:2]
    point(f'{backend}: without ICMP errors an MTU is a black hole',
          faults or ([] if got == want else [f'{got}, not {want}']))


CUES = CLIENT + textwrap.dedent('''
    link, s = Link(), udp("10.9.0.2")
    def answered(seconds):
        s.settimeout(seconds)
        s.send(b"hello")
        try:
            return s.recv(99) == b"HELLO"
        except socket.timeout:
            return False
    def took(action):
        start = time.monotonic()
        action()
        return time.monotonic() - start
    for order in "drop next request", "drop next reply":
        link.ask(order)
        print(order, answered(0.2), answered(5))
    # From before the order: how long its answer takes is the machine's affair.
    held = took(lambda: (link.ask("hold 300ms there"), print("held", answered(5))))
    print("long enough", held >= 0.3)
    link.ask("unplug 1h")
    print("unplugged", answered(0.2))
    link.ask("unplug 0s")
    print("plugged", answered(5))
    link.ask("drop next syn")
    # A first SYN is sent again after a second (RFC 6298).
    connecting = took(lambda: globals().update(t=socket.create_connection(("10.9.0.2", 12000), 9)))
    print("syn", 0.9 < connecting < 3)
    def line():
        t.sendall(b"hello\\n")
        assert t.recv(99) == b"HELLO\\n"
    line()
    link.ask("drop next reply")
    print("reply", 0.15 < took(line) < 3, struct.unpack_from("I", t.getsockopt(6, 11, 280), 100)[0])
    link.ask("drop next request")
    print("request", 0.15 < took(line) < 3, struct.unpack_from("I", t.getsockopt(6, 11, 280), 100)[0])
    counts = link.counts()
    print(counts["there", "lost-cue"], counts["back", "lost-cue"], counts["balanced",])
    ''')


def check_cues(backend):
    out, faults = run_client([f'--backend={backend}', '--cc=cubic'], CUES)
    got = out.splitlines()
    # A lost reply is repaired by the server: the client's own TCP may not know (1 is the SYN), or
    # its own line was sent again because the acknowledgement was lost with the reply.
    want = [
        'drop next request False True', 'drop next reply False True', 'held True',
        'long enough True', 'unplugged False', 'plugged True', 'syn True'
    ]
    faults += [f'{g}, not {w}' for g, w in zip(got, want) if g != w]
    if not faults and not (got[7].startswith('reply True') and got[8].startswith('request True')
                           and int(got[8].split()[-1]) > int(got[7].split()[-1])):
        faults = got
    point(f'{backend}: faults come on cue', faults)


RETRANSMITS = CLIENT + textwrap.dedent('''
    t = socket.create_connection(("10.9.0.2", 12000), 60)
    t.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for i in range(60):
        t.sendall(b"line %d\\n" % i)
        data = b""
        while not data.endswith(b"\\n"):
            data += t.recv(999)
    print(struct.unpack_from("I", t.getsockopt(6, 11, 280), 100)[0])
    # The end is a reset, which is never sent again: a FIN that is lost would be, after the count
    # was read.
    t.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    t.close()
    counts = Link().counts()
    print(sum(int(counts[way, "lost-random"]) for way in ("there", "back")))
    ''')


def tshark(capture, *words):
    result = subprocess.run(['tshark', '-r', capture, *words],
                            capture_output=True,
                            text=True,
                            check=False)
    return result.stdout.splitlines(), [] if result.returncode == 0 else result.stderr.splitlines()


def check_capture(backend):
    name = f'{backend}: tshark sees in the capture what the kernel counted'
    if not shutil.which('tshark'):
        point(name, ['tshark is not installed'])
        return
    capture = os.path.join(PLACE, f'{backend}.pcapng')
    out, faults = run_client([
        f'--backend={backend}', '--cc=cubic', '--loss=10%', '--delay=2ms', '--seed=7',
        f'--pcap={capture}'
    ], RETRANSMITS)
    if faults:
        point(name, faults)
        return
    retransmits, lost = map(int, out.split())
    # Each host's view for itself: with both, every packet that arrived is there twice.
    seen, faults = tshark(capture, '-2', '-R', 'frame.interface_name == "near"', '-Y',
                          'tcp.analysis.retransmission && ip.src == 10.9.0.1')
    faults += [f'{len(seen)} retransmissions, not {retransmits}'
               ] if len(seen) != retransmits else []
    commented, more = tshark(capture, '-Y', 'frame.comment contains "lost on the way"', '-T',
                             'fields', '-e', 'frame.interface_name', '-e', 'ip.src', '-e', 'ip.id',
                             '-e', 'frame.comment')
    faults += more + ([f'{len(commented)} lost, not {lost}'] if len(commented) != lost else [])
    senders = {'near': '10.9.0.1', 'far': '10.9.0.2'}
    faults += [line for line in commented if senders[line.split('\t')[0]] != line.split('\t')[1]]
    # What was lost is not on the other host.
    arrived = {
        tuple(line.split('\t'))
        for line in tshark(capture, '-T', 'fields', '-e', 'frame.interface_name', '-e', 'ip.src',
                           '-e', 'ip.id')[0]
    }
    other = {'near': 'far', 'far': 'near'}
    # (A SYN's answer has the identification 0, and so has the one that is sent again.)
    faults += [f'it arrived: {line}' for line in commented if line.split('\t')[2] != '0x0000'
               and (other[line.split('\t')[0]], *line.split('\t')[1:3]) in arrived]
    faults += [] if retransmits and lost else ['nothing was lost']
    point(name, faults)


def check(backend):
    check_truth(f'{backend}, IPv4', [f'--backend={backend}', *EVERYTHING], '10.9.0.2', 5000)
    check_truth(f'{backend}, IPv6', [f'--backend={backend}', *EVERYTHING], 'fd09::2', 1000)
    check_queue(backend)
    check_seed(backend)
    check_path_mtu(backend)
    check_black_hole(backend)
    check_cues(backend)
    check_capture(backend)


side_by_side(check, working_backends())
done()
