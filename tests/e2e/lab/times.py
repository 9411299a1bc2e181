# SPDX-License-Identifier: GPL-3.0-or-later
"""The client's round-trip times beside those of the lab's capture, line by line: both are the near
host's kernel's. On an idle link; while the screen draws under 5,000 replies a second; and every
packet of every kind bears a kernel's stamp."""

import fcntl
import json
import os
import pty
import re
import select
import shutil
import statistics
import struct
import subprocess
import termios
import time

from lab import LAB, PATIENCE, PLACE, done, environment, need_hosts, run, working_backends
from tap import UPCASE, UPCASED, Late, best_of, has, not_here, point

need_hosts()
if not shutil.which('tshark'):
    not_here('tshark is not installed')

# ns; a machine that is busy with other things is tried again, and the best round counts.
# Where the kernel's times are not known, those of the program are as late as it runs.
LIMIT = (20_000 if has('ERROR_QUEUE') else 500_000) * float(os.environ.get('TEST_PATIENCE', '1'))
ROUNDS = 5
# s, without anything drawn: the screen follows within a tenth of that.
QUIET = 0.5
MORE = {'UPCASED': UPCASED, 'HOME': PLACE}


def tshark(capture, *words):
    result = subprocess.run(['tshark', '-r', capture, *words],
                            capture_output=True,
                            text=True,
                            check=False)
    return result.stdout.splitlines()


def nanoseconds(text):
    whole, part = text.split('.')
    return int(whole) * 10**9 + int(part.ljust(9, '0'))


def captured(capture):
    """By the lines' text: when the near host sent it, when it received its reply, over UDP; and the times of all packets as they stand in the file."""
    times, stamps = ({}, {}), []
    for row in tshark(capture, '-T', 'fields', '-e', 'frame.time_epoch', '-e',
                      'frame.interface_name', '-e', 'udp.dstport', '-e', 'udp.payload'):
        at, host, port, payload = row.split('\t')
        stamps.append(nanoseconds(at))
        if host == 'near' and payload:
            times[port != '12000'].setdefault(bytes.fromhex(payload).decode().lower(), stamps[-1])
    return *times, stamps


def unstamped(capture):
    """For each host: packets without its kernel's stamp, and packets."""
    with open(capture, 'rb') as file:
        return [
            tuple(map(int, pair)) for pair in re.findall(
                rb'(\d+) of (\d+) packets bear the link\'s own time', file.read())
        ]


def compare(capture, records):
    """The client's round-trip times less the capture's, ns, faults, and the times of the capture's packets."""
    sent, received, stamps = captured(capture)
    with open(records, encoding='utf-8') as file:
        lines = [record for record in map(json.loads, file) if record['type'] == 'line']
    faults = [
        f'line {record["n"]}: {record["fate"]}' for record in lines if record['fate'] != 'answered'
    ][:5]
    known = [(record['rtt_ns'], record['text'].lower()) for record in lines
             if record['text'].lower() in received]
    faults += [] if len(known) == len(lines) else [
        f'{len(known)} of {len(lines)} lines are in the capture'
    ]
    return [
        rtt - (received[text] - sent[text]) for rtt, text in known
        if rtt is not None and text in sent
    ], faults, stamps


def check_order(name, stamps):
    late = [
        f'{before - after} ns back' for before, after in zip(stamps, stamps[1:]) if after < before
    ]
    point(f'{name}: the file is in the order of its times',
          late[:5] + ([] if stamps else ['it is empty']))


def check_round_trips(name, count, play):
    """Plays rounds until the two agree, and says how well. A link that is crowded may drop a reply, and
    a machine that is busy may be late with one: that round is no fault."""
    best, faults = None, ['nothing was played']
    capture, records = (os.path.join(PLACE,
                                     name.replace(' ', '-').replace(',', '') + ending)
                        for ending in ('.pcapng', '.jsonl'))
    for _ in range(ROUNDS):
        # The client writes over no file.
        if os.path.exists(records):
            os.remove(records)
        faults = play(capture, records)
        if faults:
            break
        differences, faults, stamps = compare(capture, records)
        faults += [] if len(differences) == count else [
            f'{len(differences)} round trips, not {count}'
        ]
        away = sorted(map(abs, differences))
        if away and (best is None or statistics.median(away) < statistics.median(best)):
            best = away
        if not faults and statistics.median(away) < LIMIT:
            break
    if best:
        print(
            f'# {name}: {len(best)} round trips, client and capture apart by {statistics.median(best) / 1000:.1f} us at the '
            f'median, {best[len(best) * 9 // 10] / 1000:.1f} at the 90th percentile')
    if not faults and statistics.median(best) >= LIMIT:
        faults = [f'{statistics.median(best)} ns apart, of which {LIMIT} are allowed']
    point(f'{name}: the client\'s round-trip times are the capture\'s', faults)
    if not faults:
        check_order(name, stamps)


def lines_of(backend, address):
    def play(capture, records):
        script = f'"{UPCASE}" --plain --count 300 --interval 5ms --json {address} > {records}'
        status, out, err = run('-q',
                               f'--backend={backend}',
                               f'--pcap={capture}',
                               '--',
                               'sh',
                               '-c',
                               script,
                               env=MORE)
        return [f'exit status {status}', out, err] if status else []
    return play


def on_screen(backend):
    """5,000 lines in a second, on a terminal that reads all that is drawn."""
    def play(capture, records):
        main, side = pty.openpty()
        fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack('HHHH', 40, 120, 0, 0))
        process = subprocess.Popen([
            'setsid', '-c', LAB, '-q', f'--backend={backend}', f'--pcap={capture}', '--', UPCASE,
            '--count=5000', '--interval=200us', f'--save={records}', '10.9.0.2'
        ],
                                   stdin=side,
                                   stdout=side,
                                   stderr=side,
                                   env=environment('self', TERM='xterm-256color', **MORE))
        os.close(side)
        seen, asked, end = b'', False, time.monotonic() + PATIENCE
        while (left := end - time.monotonic()) > 0:
            # The last replies come after the last line was sent, and /quit waits for none: it is
            # typed when all is drawn.
            sent = not asked and b'5000 lines sent' in seen
            if select.select([main], [], [], min(left, QUIET) if sent else left)[0]:
                try:
                    seen += os.read(main, 65536)
                except OSError:
                    break
            elif sent:
                os.write(main, b'/quit\r')
                asked = True
        if not asked or time.monotonic() >= end:
            process.kill()
        status = process.wait()
        os.close(main)
        return [f'exit status {status}, {len(seen)} bytes drawn',
                repr(seen[-300:])] if status or not asked else []
    return play


TRAFFIC = """
    "$UPCASE" --plain -u --count 200 --interval 1ms --size 700 10.9.0.2 &
    "$UPCASE" --plain -t --count 200 --interval 1ms 10.9.0.2 &
    "$UPCASE" --plain -u --count 200 --interval 1ms fd09::2 &
    "$UPCASE" --plain -t --count 200 --interval 1ms fd09::2 &
    wait"""


def stamped(backend, capture):
    """With all that the link does to packets; it cuts some to pieces, which their sender never saw."""
    status, _, err = run('-q',
                         f'--backend={backend}',
                         f'--pcap={capture}',
                         '--loss=5%',
                         '--duplicate=5%',
                         '--corrupt=5%',
                         '--reorder=5%',
                         '--delay=3ms',
                         '--jitter=1ms',
                         '--',
                         'sh',
                         '-c',
                         TRAFFIC,
                         env={**MORE, 'UPCASE': UPCASE})
    counts = unstamped(capture)
    faults = [f'exit status {status}', err] if status else []
    faults += [f'only {packets} packets' for _, packets in counts if packets < 800]
    faults += [
        f'{missing} of {packets} packets have none' for missing, packets in counts if missing
    ]
    return faults + ([] if len(counts) == 2 else [f'{len(counts)} hosts'])


def check_stamped(backend):
    capture = os.path.join(PLACE, f'{backend}-all.pcapng')
    point(f'{backend}: every packet has a kernel\'s stamp', stamped(backend, capture))
    check_order(f'{backend}, all',
                [nanoseconds(row) for row in tshark(capture, '-T', 'fields', '-e', 'frame.time_epoch')])


def causes(backend):
    """Nothing is received before it is sent, and a delay of 3 ms takes that long."""
    capture = os.path.join(PLACE, f'{backend}-cut.pcapng')
    source = (
        'import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.connect(("10.9.0.2", 12000)); '
        's.setsockopt(0, 10, 0); s.settimeout(20); [(s.send(b"%04d" % i + b"x" * 1400), s.recv(2000)) for i in range(100)]'
    )
    status, _, err = run('-q',
                         f'--backend={backend}',
                         f'--pcap={capture}',
                         '--delay=3ms',
                         '--link-mtu-there=576',
                         '--',
                         'python3',
                         '-c',
                         source,
                         env=MORE)
    faults = [f'exit status {status}', err] if status else []
    counts = unstamped(capture)
    faults += [
        f'{missing} of {packets} packets have none' for missing, packets in counts if missing
    ]
    faults += [] if len(counts) == 2 else [f'{len(counts)} hosts']
    times, sent = {}, {}
    for row in tshark(capture, '-Y', 'ip', '-T', 'fields', '-e', 'frame.interface_name', '-e',
                      'ip.src', '-e', 'ip.id', '-e', 'ip.frag_offset', '-e', 'frame.time_epoch'):
        host, *packet, at = row.split('\t')
        times.setdefault(tuple(packet), {})[host] = nanoseconds(at)
        if host == 'near' and packet[0] == '10.9.0.1':
            sent.setdefault(packet[1], set()).add(at)
    for (source, *_), seen in times.items():
        first, second = ('near', 'far') if source == '10.9.0.1' else ('far', 'near')
        if len(seen) != 2 or seen[second] - seen[first] < 3_000_000:
            faults.append(f'{source}: {seen}')
        elif seen[second] - seen[first] > 100_000_000:
            faults.append(Late(f'{source}: {seen}'))
    faults += [
        f'{len(stamps)} stamps on the pieces of one packet' for stamps in sent.values()
        if len(stamps) > 1
    ]
    faults += [] if len(times) == 400 else [f'{len(times)} pieces']
    return faults[:5]


def check_causes(backend):
    point(f'{backend}: pieces bear the stamp of the packet they were cut from',
          best_of(lambda: causes(backend), ROUNDS))


for kind in working_backends():
    check_round_trips(f'{kind}, idle', 300, lines_of(kind, '10.9.0.2'))
    check_round_trips(f'{kind}, idle, IPv6', 300, lines_of(kind, 'fd09::2'))
    check_round_trips(f'{kind}, on the screen', 5000, on_screen(kind))
    check_stamped(kind)
    check_causes(kind)
done()
