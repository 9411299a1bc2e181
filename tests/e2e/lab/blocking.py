# SPDX-License-Identifier: GPL-3.0-or-later
"""Head-of-line blocking: which line waited behind which, and how long, is what the link's own log says, computed here byte
by byte; a reply that is dropped by its number holds up those behind it, in words and in the summary."""

import json
import os
import re
import shutil

from lab import LAB, PLACE, done, need_hosts, python, run, side_by_side, working_backends
from tap import UPCASE, UPCASED, point

need_hosts()
PROGRAMS = {
    'LAB': LAB,
    'PLACE': PLACE,
    'UPCASE': shutil.copy(UPCASE, PLACE),
    'UPCASED': shutil.copy(UPCASED, PLACE)
}
LINK = ['--seed=17', '--loss=6%', '--delay=12ms', '--jitter=4ms', '--order=free', '--reorder=4%', '--reorder-by=30ms']

# Inside the lab: the link's log and the client's records, each in its file. The log has told all when it tells of a change
# of the link after the client's end.
DRIVER = '''
import os, subprocess, sys, threading
name, lab = os.environ['PLACE'] + '/' + os.environ['NAME'], os.environ['LAB']
log = subprocess.Popen([lab, 'ctl', 'events', 'on', '12000'], stdout=subprocess.PIPE)
while log.stdout.readline() not in (b'ok\\n', b''):
    pass
def client():
    with open(name + '.jsonl', 'wb') as records:
        subprocess.run([os.environ['UPCASE'], '--json', '-t', '--count', '200', '--interval', '2ms', *os.environ['OPTIONS'].split(),
                        '10.9.0.2'], stdin=subprocess.DEVNULL, stdout=records, stderr=subprocess.DEVNULL)
    subprocess.run([lab, 'ctl', 'set', 'delay', '1ms'], stdout=subprocess.DEVNULL)
threading.Thread(target=client).start()
with open(name + '.log', 'wb') as raw:
    while (line := log.stdout.readline()) and not line.startswith(b'changed'):
        raw.write(line)
log.terminate()
'''


class Stream:
    """One direction of a connection: when each of its bytes left the link for the first time."""

    def __init__(self, isn):
        self.isn, self.left, self.first = isn, {}, b''

    def take(self, seq, length, data, out):
        first = (seq - self.isn - 1) % 2**32
        if first == 0:
            self.first = bytes.fromhex(data)
        for byte in range(first, first + length):
            self.left[byte] = min(out, self.left.get(byte, out))


def streams(path):
    """The connections of the link's log, by our port: what each direction carried."""
    found = {}
    with open(path, encoding='ascii') as file:
        for words in (line.split() for line in file):
            if words[:1] != ['event']:
                continue
            event = dict(word.split('=', 1) for word in words[3:])
            way = words[2]
            port = event['sport'] if way == 'there' else event['dport']
            if 'S' in event['flags']:
                found.setdefault(port, {}).setdefault(way, Stream(int(event['seq'])))
            elif int(event['payload']) > 0 and event['fate'] == 'delivered':
                out = min(int(event[key]) for key in ('out', 'out2') if key in event)
                found[port][way].take(int(event['seq']), int(event['payload']), event['data'], out)
    return found


def waits(stream, lines):
    """For each line, a number and its bytes: the line it waited behind, and how long; (None, None) for those that did not."""
    result, at, latest, behind = {}, 0, -1, None
    for number, length in lines:
        own = [stream.left[byte] for byte in range(at, at + length)]
        at += length
        result[number] = (behind, latest - max(own)) if max(own) < latest else (None, None)
        if max(own) >= latest:
            latest, behind = max(own), number
    return result


def check_by_log(backend, connections):
    name = f'{backend}-{connections}'
    options = f'--connections={connections}' if connections > 1 else ''
    status, _, err = run(f'--backend={backend}', '-q', *LINK, '--', *python(DRIVER),
                         env={**PROGRAMS, 'NAME': name, 'OPTIONS': options})
    with open(os.path.join(PLACE, name + '.jsonl'), encoding='utf-8') as file:
        records = [json.loads(line) for line in file]
    lines = [record for record in records if record['type'] == 'line']
    faults = [] if status == 0 else [f'status {status}: {err}']
    blocked, total, longest = set(), 0, 0
    for port, ways in streams(os.path.join(PLACE, name + '.log')).items():
        # Lines go over the connections in turn.
        first = int(ways['there'].first.split()[1])
        here = [line for line in lines if (line['n'] - first) % connections == 0]
        for way, stream in ways.items():
            want = waits(stream, [(line['n'], len(line['text']) + 1) for line in here])
            for line in here:
                leg = line['link'][way]
                got = leg.get('behind'), leg.get('behind_ns')
                if got != want[line['n']]:
                    faults.append(f'port {port}, line {line["n"]} {way}: {got}, not {want[line["n"]]}')
                if got[0]:
                    blocked.add(line['n'])
                    total += got[1]
                    longest = max(longest, got[1])
    tcp = records[-1]['sessions'][0]['tcp']
    if (tcp['blocked'], tcp['blocked_ns'], tcp['longest_blocked_ns']) != (len(blocked), total, longest):
        faults.append(f'the summary: {tcp}, not {(len(blocked), total, longest)}')
    if len(lines) != 200 or len(blocked) < 20 // connections or records[-1]['truth']['mismatches'] != 0:
        faults.append(f'{len(lines)} lines, {len(blocked)} blocked, {records[-1]["truth"]}')
    point(f'{backend}, --connections={connections}: {len(blocked)} of {len(lines)} lines waited {total / 1e9:.2f} s as the log says', faults[:5])


def check_words(backend):
    """The third reply is dropped three times: those behind it wait for it."""
    status, out, err = run(f'--backend={backend}', '-q', '--delay=5ms', '--drop=tcp reply:3x3', '--', PROGRAMS['UPCASE'],
                           '--plain', '--verbose', '-t', '--count=6', '--interval=30ms', '10.9.0.2',
                           env=PROGRAMS)
    rows = re.findall(r'^(\d) tcp .* \((?:.*, )?waited [\d.]+ m?s behind line 3\)$', out, re.M)
    summary = re.search(r"^(\d) lines? waited .* behind others' segments \(head-of-line blocking\)", err, re.M)
    # On a busy machine some share a segment with line 3, and a small window keeps some at the server.
    faults = [] if status == 0 and rows and summary and int(summary[1]) == len(rows) else [out, err]
    point(f'{backend}: {len(rows)} lines wait behind the third', faults)


JOBS = [job for backend in working_backends()
        for job in ((check_words, backend), (check_by_log, backend, 1), (check_by_log, backend, 3))]
side_by_side(lambda job: job[0](*job[1:]), JOBS)
done()
