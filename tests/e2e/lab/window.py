# SPDX-License-Identifier: GPL-3.0-or-later
"""TCP's windows in the lab: samples of both ends' kernels, the link's queue, and how a segment that the link lost was sent
again, in records, in a picture, and the same when they are read back."""

import json
import os
import shutil
import subprocess
import xml.etree.ElementTree as tree

from lab import PLACE, done, need_hosts, run, side_by_side
from tap import UPCASE, UPCASED, point

need_hosts()
PROGRAMS = {'UPCASE': shutil.copy(UPCASE, PLACE), 'UPCASED': shutil.copy(UPCASED, PLACE), 'HOME': PLACE}
# The first line goes alone, until it is known that the server keeps the connection.
LINES = ''.join(f'{n:1400}\n' for n in range(1, 31))


def play(name, *options):
    """The records of window of a run, and what is wrong with it."""
    path = os.path.join(PLACE, name)
    status, out, err = run('-q', '--cc=cubic', '--delay=10ms', *options, '--', PROGRAMS['UPCASE'], '--plain', '--quiet',
                           '--tcp', '--json', '--save', f'{path}.svg', '10.9.0.2', said=LINES, env=PROGRAMS)
    with open(f'{path}.jsonl', 'w', encoding='utf-8') as file:
        file.write(out)
    faults = [] if status == 0 and not err else [f'status {status}, {err!r}']
    records = [json.loads(line) for line in out.splitlines()]
    if records[-1].get('truth', {}).get('mismatches') != 0:
        faults.append(f'truth: {records[-1].get("truth")}')
    return [record for record in records if record['type'] == 'window'], faults


def of(windows, way, key):
    return [window[key] for window in windows if window['way'] == way and key in window]


def expect(faults, what, holds, windows):
    if not holds:
        faults.append(f'{what}: ' + ' '.join(json.dumps(window) for window in windows if 'queue' not in window)[:2000])


def check(case):
    globals()[case]()


def slow_start():
    """Nothing is lost: the window grows by what was acknowledged, and there is no threshold."""
    windows, faults = play('slow')
    for way in 'there', 'back':
        cwnd = of(windows, way, 'cwnd')
        expect(faults, f'{way}: from 10 on, never less', cwnd and cwnd[0] == 10 and cwnd == sorted(cwnd) and
               cwnd[-1] > 10, windows)
        expect(faults, f'{way}: some are out', max(of(windows, way, 'in_flight'), default=0) > 5, windows)
        expect(faults, f'{way}: open', set(of(windows, way, 'state')) == {'open'}, windows)
    expect(faults, 'no threshold, mark or queue', not [window for window in windows if
                                                       {'ssthresh', 'mark', 'queue'} & window.keys()], windows)
    expect(faults, "the peer's window", min(of(windows, 'there', 'peer_window'), default=0) > 20000, windows)
    point('slow start: both windows grow', faults)


def fast():
    """One of many is lost: later ones tell of it, and cubic takes 7 tenths of the window (RFC 9438, 4.6)."""
    windows, faults = play('fast', '--rate=10mbit', '--drop', 'segment:5 there')
    expect(faults, 'marks', of(windows, 'there', 'mark') == ['lost', 'fast'], windows)
    expect(faults, 'no mark at the server', not of(windows, 'back', 'mark'), windows)
    expect(faults, 'recovery', 'recovery' in of(windows, 'there', 'state') and
           of(windows, 'there', 'state')[-1] == 'open', windows)
    before = [window for window in windows if window['way'] == 'there' and 'cwnd' in window and 'ssthresh' not in window]
    thresholds = of(windows, 'there', 'ssthresh')
    # On a busy machine the window may have grown since the last sample.
    expect(faults, 'threshold', len(set(thresholds)) == 1 and
           thresholds[0] in [(before[-1]['cwnd'] + more) * 717 // 1024 for more in range(4)], windows)
    point('a segment that was lost is sent again fast', faults)
    check_picture(windows)


def probe():
    """The last segment is lost: a probe repairs it; that too: the timer."""
    windows, faults = play('probe', '--drop', 'segment:1 back')
    expect(faults, 'marks', of(windows, 'back', 'mark') == ['lost', 'probe'], windows)
    point("the server's only segment is sent again as a probe", faults)


def timeout():
    windows, faults = play('timeout', '--drop', 'segment:1x2 there')
    expect(faults, 'marks', of(windows, 'there', 'mark') == ['lost', 'lost', 'probe', 'timeout'] or
           of(windows, 'there', 'mark') == ['lost', 'probe', 'lost', 'timeout'], windows)
    expect(faults, 'loss', 'loss' in of(windows, 'there', 'state') and 1 in of(windows, 'there', 'cwnd'), windows)
    point('and that lost too, after a timeout', faults)


def queue():
    """At 4 Mbit/s and a queue of 5 packets some find no room; none sees more than 5 before it."""
    windows, faults = play('queue', '--rate=4mbit', '--queue=5p')
    there = of(windows, 'there', 'queue')
    expect(faults, 'queue', set(there) >= {0, 5} and max(there) == 5, windows)
    expect(faults, 'bytes', all(window['queued'] <= window['queue'] * 1500 and (window['queued'] > 0) == (window['queue'] > 0)
                                for window in windows if 'queue' in window), windows)
    expect(faults, 'lost', 'lost' in of(windows, 'there', 'mark'), windows)
    point('the queue', faults)


def check_picture(windows):
    """The curve of the congestion window, and the records read back."""
    path = os.path.join(PLACE, 'fast')
    faults = []
    svg = tree.parse(f'{path}-window.svg').getroot()
    words = [''.join(text.itertext()) for text in svg.iter('{http://www.w3.org/2000/svg}text')]
    for word in "this end's window, segments", "the server's window, segments", 'f', 'sent again: t timeout, f fast, p probe':
        if word not in words:
            faults.append(f'no {word!r} in {words}')
    read = subprocess.run([UPCASE, '--plain', '--quiet', '--read', f'{path}.jsonl', '--save', f'{path}-again.jsonl'],
                          env={**os.environ, **PROGRAMS}, capture_output=True, stdin=subprocess.DEVNULL, check=False)
    if read.stderr:
        faults.append(f'--read: {read.stderr!r}')
    with open(f'{path}-again.jsonl', encoding='utf-8') as file:
        again = [record for record in map(json.loads, file) if record['type'] == 'window']
    if sorted(map(json.dumps, again)) != sorted(map(json.dumps, windows)):
        faults.append(f'{len(again)} windows came back, not the {len(windows)}')
    point('the picture, and the records read back', faults)


side_by_side(check, ['slow_start', 'fast', 'probe', 'timeout', 'queue'])
done()
