# SPDX-License-Identifier: GPL-3.0-or-later
"""What the person waited, in the lab: beside the capture of the near host and the clock of who
types. A SYN that is dropped is in the time from Enter to reply, as connecting; the round trip is
the wire's alone."""

import json
import os
import re
import shutil
import subprocess
import time

from lab import LAB, PATIENCE, PLACE, done, environment, need_hosts, side_by_side, working_backends
from tap import UPCASE, UPCASED, Late, best_of, not_here, point

need_hosts()
if not shutil.which('tshark'):
    not_here('tshark is not installed')

# s: what a machine that is busy with other things may add; and between two clocks of the near host.
SLACK = 0.15 * PATIENCE / 30
NEAR = 0.002 * PATIENCE / 30
ENV = {'UPCASED': UPCASED, 'HOME': PLACE}


class Client:
    """A plain client in the lab, with the link's next SYN dropped; its lines are typed one after the other, as by a person."""

    def __init__(self, options, *more):
        script = f'"{LAB}" ctl "drop next syn" && echo ready && exec "{UPCASE}" --plain --json "$@" 10.9.0.2'
        self.process = subprocess.Popen([
            LAB, '-q', *options, '--', 'sh', '-c', script, 'sh', *more
        ],
                                        stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE,
                                        text=True,
                                        env=environment('self', **ENV))
        for line in self.process.stdout:
            if line == 'ready\n':
                break
        self.records = []

    def type(self, line, transport='tcp'):
        """Types a line and waits for its record over that transport: the record, and how long that took, s."""
        begin = time.monotonic()
        print(line, file=self.process.stdin, flush=True)
        for text in self.process.stdout:
            self.records.append(json.loads(text))
            record = self.records[-1]
            if record['type'] == 'line' and record['transport'] == transport:
                return record, time.monotonic() - begin
        raise EOFError('no record of ' + line)

    def end(self):
        """All records, and what stands on standard error."""
        out, err = self.process.communicate(timeout=PATIENCE)
        return self.records + [json.loads(line) for line in out.splitlines()], err


def capture_times(path, display_filter):
    result = subprocess.run([
        'tshark', '-r', path, '-Y', f'frame.interface_name == "near" && ({display_filter})', '-T',
        'fields', '-e', 'frame.time_epoch'
    ],
                            capture_output=True,
                            text=True,
                            check=False)
    return [float(row) for row in result.stdout.split()]


def near(what, got, wanted, slack):
    return [] if abs(got - wanted) <= slack else [
        Late(f'{what}: {got:.6f} s, not {wanted:.6f}')
    ]


def a_lost_syn(backend):
    """The first line of a connection whose SYN is dropped, and a line over a connection that stands."""
    capture = os.path.join(PLACE, f'{backend}-syn.pcapng')
    client = Client([f'--backend={backend}', '--delay=20ms', f'--pcap={capture}'], '-t')
    seen = [client.type('hello'), client.type('again')]
    (first, _), (second, _) = seen
    client.end()
    syns = capture_times(capture, 'tcp.flags.syn == 1 && tcp.flags.ack == 0')
    stood = capture_times(capture, 'tcp.flags.syn == 1 && tcp.flags.ack == 1')
    there = capture_times(capture, 'tcp.len > 0 && tcp.dstport == 12000')
    back = capture_times(capture, 'tcp.len > 0 && tcp.srcport == 12000')
    faults = [] if (len(syns), len(stood), len(there),
                    len(back)) == (2, 1, 2, 2) else [Late(f'{syns} {stood} {there} {back}')]
    if not faults:
        # By the near host's kernel: from the first SYN until the connection stood, from the line's
        # segment to its reply's.
        faults += near('rtt', first['rtt_ns'] / 1e9, back[0] - there[0], NEAR)
        faults += near('rtt of the second', second['rtt_ns'] / 1e9, back[1] - there[1], NEAR)
        faults += near('from the SYN to the reply',
                       (first['replied_ns'] - first['sent_ns'] + first['connecting_ns']) / 1e9,
                       back[0] - syns[0], SLACK)
        faults += [] if syns[1] - syns[0] > 0.5 and first['connecting_ns'] / 1e9 > syns[1] - syns[0] - SLACK else \
            [Late(f'connecting {first["connecting_ns"]} ns, SYNs at {syns}')]
    # By the clock of who typed: not longer than it took to be seen, and not much shorter.
    for record, took in seen:
        if not took - SLACK <= record['waited_ns'] / 1e9 <= took:
            faults.append(
                Late(f'line {record["n"]}: waited {record["waited_ns"]} ns, seen after {took:.6f} s'))
        if record['waited_ns'] != record['connecting_ns'] + record['queued_ns'] + record['rtt_ns']:
            faults.append(f'line {record["n"]}: the parts are not the whole: {record}')
    if second['connecting_ns'] != 0 or second['waited_ns'] > second['rtt_ns'] + SLACK * 1e9:
        faults.append(Late(f'the second: {second}'))
    return faults


def beside_udp(backend):
    """UDP and TCP at once over a link that loses. TCP's greatest is above UDP's."""
    client = Client([f'--backend={backend}', '--loss=20%', '--delay=20ms', '--seed=3'], '-b')
    took = [client.type(f'line {k}')[1] for k in range(8)]
    records, err = client.end()
    udp, tcp = (next(s for s in records[-1]['sessions'] if s['transport'] == name)
                for name in ('udp', 'tcp'))
    faults = near('the greatest of TCP, beside the clock of who typed',
                  tcp['waited']['max_ns'] / 1e9, max(took), SLACK)
    if not tcp['waited']['max_ns'] > 0.9e9 > udp['waited']['max_ns']:
        faults.append(Late(f'TCP {tcp["waited"]}, UDP {udp["waited"]}'))
    row = re.search(r'(?m)^waited, least .*\n(?:.*\n)*?greatest +([\d.]+) (m?s) +([\d.]+) (m?s)$',
                    err)
    if not row or float(row[1]) * {'ms': 1, 's': 1000}[row[2]] >= float(
            row[3]) * {'ms': 1, 's': 1000}[row[4]]:
        faults.append(err)
    return faults


def check(backend):
    point(
        f'{backend}: a SYN that is dropped is in the time from Enter, and the round trip is the wire\'s',
        best_of(lambda: a_lost_syn(backend)))
    point(
        f'{backend}: over a link that loses TCP keeps the person waiting longer than UDP, and the summary says so',
        best_of(lambda: beside_udp(backend)))


side_by_side(check, working_backends())
done()
