# SPDX-License-Identifier: GPL-3.0-or-later
"""Verbose lines in the lab say where a line was lost and what was sent again, as the records do."""

import json
import os
import re
import subprocess

from lab import LAB, PATIENCE, PLACE, done, environment, need_hosts
from tap import UPCASE, UPCASED, point

need_hosts()
MORE = {'UPCASED': UPCASED, 'HOME': PLACE}
SAVED = os.path.join(PLACE, 'verbose.jsonl')
PLACES = {
    'going': 'lost going',
    'coming': 'lost coming',
    'server': 'lost: no reply from the server',
    'still going': 'lost: still going',
    'still coming': 'lost: still coming'
}


def wanted(record):
    """What the line must say."""
    link = record['link']
    if record['fate'] == 'lost':
        return f'-x {PLACES[link["place"]]}'
    again, coming = link['there']['again'], link['back']['again']
    words = [f'{again}x again'] if again else []
    words += [f'{coming}x again coming'] if coming else []
    return ', '.join(words)


result = subprocess.run([
    LAB, '--loss', '15%', '--delay', '20ms', '--seed', '3', '--', UPCASE, '--verbose', '--both',
    '--count=60', '--interval=20ms', '--save', SAVED, 'far'
],
                        capture_output=True,
                        text=True,
                        timeout=PATIENCE,
                        env=environment('self', **MORE),
                        check=False)
live = [line for line in result.stdout.splitlines() if re.match(r'\d+ (udp|tcp) line ', line)]
said = {tuple(line.split()[:2]): line for line in live}
with open(SAVED, encoding='utf-8') as file:
    records = [record for record in map(json.loads, file) if record['type'] == 'line']
faults, lost, again, later = [], 0, 0, set()
for record in records:
    # Who waited for whom, and for an ACK, are blocking.py's and nagle.py's affair.
    line = re.sub(r'(waited|held) [^,)]*(, )?', '',
                  said.get((str(record['n']), record['transport']), 'nothing'))
    lost += record['fate'] == 'lost'
    again += 'again' in wanted(record)
    # The server may send a reply again that has come, because its ACK was lost.
    at = record['replied_ns'] or record['decided_ns']
    if any(packet['in_ns'] > at for packet in record['link']['packets']):
        later.add((str(record['n']), record['transport']))
    elif wanted(record) not in line:
        faults.append(f'{line!r}, not {wanted(record)!r}')
print(f'# {len(records)} lines, {lost} lost, {again} sent again, {len(later)} with packets after the reply')
point('each line says what the link did', faults + ([] if len(records) == 120 else [result.stderr]))
point('some were lost, and some sent again', [] if lost and again else [result.stdout])
read = subprocess.run([UPCASE, '--verbose', '--read', SAVED],
                      capture_output=True,
                      text=True,
                      timeout=PATIENCE,
                      check=False).stdout.splitlines()
point('a recording is printed in the same lines', [
    f'{line!r} is only in one' for line in sorted(set(read) ^ set(live))
    if tuple(line.split()[:2]) not in later
])
done()
