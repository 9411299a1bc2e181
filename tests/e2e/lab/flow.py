# SPDX-License-Identifier: GPL-3.0-or-later
"""A second flow beside bulk lines, through one link: the shares in the records beside what the near host's
capture says was acknowledged, the index of both, and what is refused."""
import json
import os
import subprocess

from lab import PLACE, need_hosts, run
from tap import BUILD, done, has, not_here, point

PROGRAMS = {
    'UPCASE': os.path.join(BUILD, 'client-tui', 'upcase'),
    'UPCASED': os.path.join(BUILD, 'server', 'upcased')
}
RATE = 8000000
# What the kernel had counted when it was asked, and the tap saw some time before or after.
SLACK = 20 * 1448


def equal(*pairs):
    return [f'{what}: {got}, wanted {wanted}' for what, got, wanted in pairs if got != wanted]


def acknowledged(capture, started):
    """By the near host's port: when its sequence numbers were acknowledged, ns since the start."""
    shown = subprocess.run([
        'tshark', '-r', capture, '-Y',
        'frame.interface_name == "near" && ip.src == 10.9.0.2 && tcp.flags.ack == 1 && !frame.comment contains "lost"',
        '-T', 'fields', '-e', 'frame.time_epoch', '-e', 'tcp.dstport', '-e', 'tcp.ack'
    ],
                           check=True,
                           capture_output=True,
                           text=True).stdout
    found = {}
    for row in shown.splitlines():
        when, port, number = row.split('\t')
        whole, part = when.split('.')
        at = int(whole) * 10**9 + int(part[:9].ljust(9, '0')) - started
        found.setdefault(int(port), []).append((at, int(number)))
    return found


def between(numbers, begin, end):
    """The bytes acknowledged between two times."""
    def upto(limit):
        return max([number for at, number in numbers if at <= limit], default=1)
    return upto(end) - upto(begin)


def check_shares(records, capture):
    started = records[0]['started_ns']
    flows = [record for record in records if record['type'] == 'event' and record['kind'] == 'flow']
    begin, shares, end = flows[0], [flow for flow in flows if flow.get('quiet')], flows[-1]
    lines_port = next(record['port'] for record in records if record.get('kind') == 'tcp')
    acks = acknowledged(capture, started)
    flow_port = next(port for port in acks if port != lines_port)
    faults = equal(('begins', begin['took_ns'], 0), ('ends', 'quiet' in end, False))
    for key, port in (('lines_bytes', lines_port), ('flow_bytes', flow_port)):
        faults += equal((f'sum of {key}', sum(share[key] for share in shares), end[key]))
        for share in shares:
            seen = between(acks[port], share['at_ns'] - share['took_ns'], share['at_ns'])
            if abs(seen - share[key]) > SLACK:
                faults.append(f'{key} at {share["at_ns"]}: {share[key]}, in the capture {seen}')
    point('each share is what the capture says was acknowledged', faults)
    both = end['lines_bytes'] + end['flow_bytes']
    seconds = end['took_ns'] / 1e9
    print(f'# {seconds:.2f} s: lines {end["lines_bytes"]} bytes, flow {end["flow_bytes"]}')
    point('both together have the link, and no more',
          [] if 0.5 * RATE / 8 * seconds < both < 1.02 * RATE / 8 * seconds else [f'{both} bytes'])
    tcp = records[-1]['sessions'][0]['tcp']
    a, b = end['lines_bytes'], end['flow_bytes']
    point('the summary has them, and the index',
          equal(('lines', tcp['flow_lines_bytes'], a), ('flow', tcp['flow_bytes'], b), ('time', tcp['flow_ns'], end['took_ns']),
                ('index', round(tcp['flow_fairness'], 9), round((a + b)**2 / (2 * (a * a + b * b)), 9)),
                ('mismatches', records[-1]['truth']['mismatches'], 0)))
    point('the row names both congestion controls',
          [] if end['text'].startswith('cubic ') and ', lines (reno) ' in end['text']
          and "; Jain's index " in end['text'] and begin['text'] == 'cubic begins, for 800 ms'
          else [f'{begin["text"]!r}, {end["text"]!r}'])


    windows = [record for record in records if record['type'] == 'window' and 'cwnd' in record and record['way'] == 'there']
    flows = {record['flow'] for record in windows}
    point('the windows of both are recorded',
          equal(('flows', flows, {0, 255})) + [f'of {flow} there are few' for flow in flows if sum(
              record['flow'] == flow for record in windows) < 20])


need_hosts()
for words, said in ((['--flow=5s', '--', 'ping', '10.9.0.2'], "'ping' has no second flow"),
                    (['--flow=', '--', 'upcase'], '--flow=')):
    status, out, err = run(*words)
    point(f'refused: {" ".join(words)}',
          equal(('status', status, 2), ('lines', len(err.splitlines()), 1)) +
          ([] if said in err else [err]))
if not has('TCP_INFO'):
    not_here('this build does not know what TCP has acknowledged')
for words, said in ((['--flow=5s,nosuch'], 'is none that this kernel has'), (['--cc=nosuch'], 'is none that this kernel has'),
                    (['--flow=fast'], 'is not a duration'), (['--flow=5s,reno,reno'], 'is more than'),
                    (['--flow=1h'], '100ms to 10m'), (['--read=x', '--flow=5s'], '--read')):
    told = subprocess.run([PROGRAMS['UPCASE'], *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    point(f'refused: {" ".join(words)}',
          equal(('status', told.returncode, 2), ('lines', len(told.stderr.splitlines()), 1)) +
          ([] if said in told.stderr else [told.stderr]))
with open('/proc/sys/net/ipv4/tcp_available_congestion_control', encoding='ascii') as file:
    names = file.read().split()
if not {'reno', 'cubic'} <= {*names}:
    not_here('this kernel has not both reno and cubic')
CAPTURE = os.path.join(PLACE, 'flow.pcapng')
status, out, err = run('-q', '--cc=reno', f'--pcap={CAPTURE}', f'--rate={RATE}', '--delay=5ms', '--queue=60kB', '--flow=800ms,cubic', '--',
                       PROGRAMS['UPCASE'], '--json', '-q', '--cc=reno', '--bulk=1s', '10.9.0.2',
                       env={**PROGRAMS, 'HOME': PLACE})
point('a lab with both ends well', equal(('status', status, 0), ('stderr', err, '')))
check_shares([json.loads(line) for line in out.splitlines()], CAPTURE)
done()
