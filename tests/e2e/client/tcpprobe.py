# SPDX-License-Identifier: GPL-3.0-or-later
"""A file of the kernel's former tcpprobe as a picture: each sample stands where the file has it. The file is made here, in the
form of those that the textbook Computer Networking: Principles, Protocols and Practice has (obonaventure/cnp3,
Missions/S5/traces, whose columns its text explains); UPCASE_TCPPROBE names a folder with the textbook's own."""

import glob
import json
import os
import xml.etree.ElementTree as tree

from client import HOME, run
from tap import done, point

MSS = 1448
NO_THRESHOLD = 2**31 - 1


def made():
    """Slow start to 103 segments, then three times halved, one sample for each acknowledgement, every 12 ms."""
    cwnd, threshold, sent = 2, NO_THRESHOLD, 0x6ff3c612
    for i in range(466):
        if cwnd in (103, 53, 28) and threshold > cwnd:
            threshold = cwnd // 2
        if i > 104 and cwnd > threshold and i % 2:
            cwnd -= 1
        elif cwnd < threshold or i % 40 == 0:
            cwnd += 1
        if i in (250, 380):
            threshold, cwnd = cwnd // 2, 2
        sent += MSS
        yield (f'{52.885690 + i * 0.012:.9f} 192.168.10.2:43545 192.168.12.2:5001 0 32 0x{(sent + cwnd * MSS) % 2**32:x} '
               f'0x{sent % 2**32:x} {cwnd} {threshold} 5792000 23 0x7051ed3e 0x7051ed3e 5840')


def samples(lines):
    """Of each line: ns since the first, the window, the threshold or None, and what is in flight, segments."""
    first = None
    for line in lines:
        time, _, _, _, _, upper, lower, cwnd, threshold, *_ = line.split()
        first = float(time) if first is None else first
        yield (round((float(time) - first) * 1e9), int(cwnd), None if int(threshold) == NO_THRESHOLD else int(threshold),
               -(-((int(upper, 16) - int(lower, 16)) % 2**32) // MSS))


def records(found):
    yield {'type': 'start', 'format': 'upcase', 'version': 1}
    yield {'type': 'session', 'session': 0, 'transport': 'tcp', 'peer': '192.168.12.2:5001', 'wait_ns': 1000000000}
    for at, cwnd, threshold, flight in found:
        record = {'type': 'window', 'at_ns': at, 'flow': 0, 'way': 'there', 'cwnd': cwnd, 'in_flight': flight, 'mss': MSS}
        yield {**record, 'ssthresh': threshold} if threshold is not None else record


def heights(svg, name, x):
    """The least and the greatest y of a curve at x."""
    found = []
    for line in svg.iter('{http://www.w3.org/2000/svg}polyline'):
        points = [tuple(map(float, pair.split(','))) for pair in line.get('points').split()]
        for (x0, y0), (x1, y1) in zip(points, points[1:]):
            if line.get('class') == name and x0 - 0.6 <= x <= x1 + 0.6:
                found += [y0, y1]
    return min(found, default=-1), max(found, default=-1)


def check(name, lines):
    path = os.path.join(HOME.name, name)
    found = list(samples(lines))
    with open(f'{path}.jsonl', 'w', encoding='utf-8') as file:
        file.writelines(json.dumps(record) + '\n' for record in records(found))
    result = run('--plain', '--quiet', '--read', f'{path}.jsonl', '--save', f'{path}.svg')
    faults = [result.stderr.decode()] if result.stderr else []
    svg = tree.parse(f'{path}-window.svg').getroot()
    scale = {''.join(text.itertext()): float(text.get('y')) - 9 for text in svg.iter('{http://www.w3.org/2000/svg}text')
             if text.get('text-anchor') == 'end'}
    top = max(int(word) for word in scale if word.isdigit())
    # The plot ends with what was said last that was new.
    end = max([new[0] for old, new in zip(found, found[1:]) if old[1:] != new[1:]])
    for at, cwnd, threshold, flight in [sample for sample in found if sample[0] <= end]:
        x = 118 + int(at / end * 1110 + 0.5)
        for curve, value in ('tcp', cwnd), ('axis', threshold), ('bare', flight):
            low, high = heights(svg, curve, x)
            y = scale['0'] + (scale[str(top)] - scale['0']) * (value or 0) / top
            if value is not None and not low - 1 <= y <= high + 1:
                faults.append(f'{curve} at {at} ns, {x}: {value} is {y}, not in {low} to {high}')
    point(f'{name}: {len(found)} points stand where the file has them', faults[:10])


check('made', list(made()))
for other in sorted(glob.glob(os.path.join(os.environ.get('UPCASE_TCPPROBE', '/nowhere'), '**', 'tcpprobe_send*.txt'),
                              recursive=True)):
    with open(other, encoding='ascii') as text:
        check(os.path.basename(other), text.read().splitlines())
done()
