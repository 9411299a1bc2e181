# SPDX-License-Identifier: GPL-3.0-or-later
"""What the client says of a TCP connection is what the link's own log and a capture of both hosts
say: which SYN, SYN-ACK, FIN and RST there were, when, and what became of each; in words, in the
records, and in the pictures, also of the recording."""

import glob
import json
import os
import re
import shutil
import subprocess

from lab import LAB, PLACE, done, need_hosts, run
from tap import UPCASE, UPCASED, Late, not_here, points_of_best

need_hosts()
if not shutil.which('tshark'):
    not_here('tshark is not installed')
PROGRAMS = {
    'UPCASE': shutil.copy(UPCASE, PLACE), 'UPCASED': shutil.copy(UPCASED, PLACE), 'LAB': LAB,
    'PLACE': PLACE, 'HOME': PLACE
}
PATIENCE = float(os.environ.get('TEST_PATIENCE', '1'))
# s: what the clocks of program, link and capture may differ in.
SLACK = 0.02 * PATIENCE
# The log has begun when a datagram stands in it.
SCRIPT = r'''rm -f $PLACE/log
$LAB ctl watch >$PLACE/log 2>/dev/null &
watch=$!
until [ -s $PLACE/log ]; do echo begin | "$UPCASE" --plain --quiet --wait=50ms 10.9.0.2 9 >/dev/null 2>&1; done
for order in $ORDERS; do $LAB ctl $(echo $order | tr _ ' ') >/dev/null; done
printf 'hello\n' | "$UPCASE" --plain -t --json --save $PLACE/first.svg $CLIENT >$PLACE/records
status=$?
sleep 0.2
kill $watch
exit $status'''


def differences(what, got, want):
    return [] if got == want else [f'{what}: got {got}', f'{what}: wanted {want}']


def name_of(flags):
    """As the records have it, of the log's letters."""
    return 'SYN-ACK' if 'S' in flags and 'A' in flags else 'SYN' if 'S' in flags else 'RST' if 'R' in flags else \
        'FIN' if 'F' in flags else 'ACK' if 'A' in flags else flags


def logged():
    """SYN, SYN-ACK, FIN and RST in the link's log: way, name, delivered, seconds."""
    found = []
    with open(os.path.join(PLACE, 'log'), encoding='utf-8') as file:
        for line in file:
            match = re.match(r'([\d.]+) +(there|back) +tcp +\d+ > \d+ +(\w+) .*: (\w+)', line)
            if match and re.search('[SFR]', match[3]):
                found.append(
                    (match[2], name_of(match[3]), match[4] == 'delivered', float(match[1])))
    return found


def captured(capture):
    """The same as the sending host saw it: way, name, seconds."""
    result = subprocess.run([
        'tshark', '-r', capture, '-Y',
        'tcp.flags.syn == 1 || tcp.flags.fin == 1 || tcp.flags.reset == 1', '-T', 'fields', '-e',
        'frame.interface_name', '-e', 'ip.src', '-e', 'tcp.flags.str', '-e', 'frame.time_epoch'
    ],
                            capture_output=True,
                            text=True,
                            check=True)
    found = []
    for line in result.stdout.splitlines():
        host, source, flags, at = line.split('\t')
        if host == ('near' if source == '10.9.0.1' else 'far'):
            found.append(('there' if host == 'near' else 'back', name_of(flags), float(at)))
    return sorted(found, key=lambda packet: packet[2])


def compare(name, told, seen):
    """Packets one by one, each way for itself, and how long each came after the first; both in order of time."""
    faults = []
    for way in 'there', 'back':
        ours, theirs = ([packet for packet in packets if packet[0] == way]
                        for packets in (told, seen))
        faults += differences(f'packets, {name}', [packet[:-1] for packet in ours], [
            packet[:-1] for packet in theirs
        ]) or [
            Late(f'{name}: {a[:-1]} after {a[-1] - told[0][-1]:.4f} s, '
                 f'not {b[-1] - seen[0][-1]:.4f} s')
            for a, b in zip(ours, theirs) if abs((a[-1] - told[0][-1]) -
                                                 (b[-1] - seen[0][-1])) > SLACK
        ]
    return faults


def pictures(events):
    """The names of all packets stand beside the arrows, as often as they are recorded; and when the recording is drawn again."""
    names = [packet['flags'] for event in events for packet in event['packets']]
    subprocess.run([
        UPCASE, '--plain', '--read',
        os.path.join(PLACE, 'records'), '--save',
        os.path.join(PLACE, 'again.svg')
    ],
                   env={**os.environ, 'HOME': PLACE},
                   check=False,
                   capture_output=True,
                   stdin=subprocess.DEVNULL)
    faults = []
    for svg in 'first.svg', 'again.svg':
        with open(os.path.join(PLACE, svg), encoding='utf-8') as file:
            text = file.read()
        for name in glob.glob(os.path.join(PLACE, svg.replace('.', '*.'))):
            os.unlink(name)
        faults += differences(svg, {
            name: text.count(f'>{name}<')
            for name in ('SYN', 'SYN-ACK', 'FIN', 'RST')
        }, {name: names.count(name)
            for name in ('SYN', 'SYN-ACK', 'FIN', 'RST')})
    return faults


def said_and_seen(what, orders, words, client, answered):
    """Each point about a connection, and its faults."""
    capture = os.path.join(PLACE, 'capture.pcapng')
    status, _, err = run('-q', '--delay=20ms', f'--pcap={capture}', '--', 'sh', '-c', SCRIPT,
                         env={**PROGRAMS, 'ORDERS': orders, 'CLIENT': client})
    with open(os.path.join(PLACE, 'records'), encoding='utf-8') as file:
        records = [json.loads(line) for line in file]
    events = [record for record in records if record['type'] == 'event' and record['kind'] == 'tcp']
    told = [(packet['way'], packet['flags'], packet['fate'] == 'delivered', packet['in_ns'] / 1e9)
            for event in events for packet in event['packets'] if packet['flags'] != 'ACK']
    log, saw = logged(), captured(capture)
    os.unlink(capture)
    yield (f'{what}: each packet of the link\'s log',
          compare('log', told, log) + differences('status', status, 0 if answered else 1))
    yield (f'{what}: each packet of the capture',
          compare('capture', [(*packet[:2], packet[-1]) for packet in told], saw))
    match = re.fullmatch(words, events[0]['text'])
    faults = [] if match else [Late(f'it says: {events[0]["text"]!r}'), Late(err)]
    if match and match.groups():
        syns = [at for way, flags, at in saw if flags == 'SYN']
        ends = [at for way, flags, at in saw if way == 'back' and flags in ('SYN-ACK', 'RST')]
        measured = [at - syns[0] for at in syns[1:] + ends[-1:]]
        # The last one is told when it is here, 20 ms after the far host sent it.
        measured[-1] += 0.02 if ends else 0
        faults += [
            Late(f'{text} s, not {at:.3f}') for text, at in zip(match.groups(), measured)
            if abs(float(text) - at) > SLACK
        ]
    yield (f'{what}: it says so', faults)
    yield (f'{what}: the pictures', pictures(events))
    truth = records[-1]['truth']
    yield (f'{what}: no mismatch', differences('mismatches', truth['mismatches'], 0))


def check(what, orders, words, client='10.9.0.2', answered=True):
    points_of_best(lambda: said_and_seen(what, orders, words, client, answered))


check('at once', '', r'connected in 4\d\.\d ms')
check('a SYN is lost', 'drop_next_syn',
      r'SYN sent, lost going, on cue, again after ([\d.]+) s, connected after ([\d.]+) s')
check(
    'a SYN-ACK is lost', 'unplug_500ms_back',
    r'SYN sent, SYN-ACK unplugged coming(?:, SYN(?:-ACK)? again after [\d.]+ s)+, '
    r'connected after [\d.]+ s')
check('nobody listens', '', r'refused \(RST\) after 4\d\.\d ms', '--retries=0 10.9.0.2 9', False)
check(
    'no answer', 'unplug_30s_there',
    r'SYN sent, unplugged going(?:, again after ([\d.]+) s, unplugged going)+, no answer after 2\.\d+ s',
    '--retries=0 --connect-timeout=2s 10.9.0.2', False)
done()
