# SPDX-License-Identifier: GPL-3.0-or-later
"""Nagle's algorithm and delayed acknowledgements: what a line waited for, as its row, its record and the link's packets say;
and nothing of it where TCP_NODELAY is on."""

import json
import os
import re
import shlex

from lab import PLACE, PYTHON, done, need_hosts, run, side_by_side, working_backends
from tap import UPCASE, UPCASED, point

need_hosts()
LINES = 7
# ns: Linux delays an ACK for 40 ms at least (TCP_DELACK_MIN, TCP_ATO_MIN), in ticks of its clock.
DELAYED = 36_000_000
# ns: shorter times are not told; how soon a segment follows its ACK.
TOLD = PROMPT = 1_000_000
# It answers whole lines, and nothing before.
LINE_SERVER = '''
import socket
server = socket.create_server(("10.9.0.2", 12000))
while True:
    stream = server.accept()[0]
    for line in stream.makefile("rb"):
        stream.sendall(line.upper())
'''
FAR_LINES = f'--far={shlex.join((PYTHON, "-c", LINE_SERVER))}'
FAR_NAGLE = f'--far=exec {shlex.quote(UPCASED)} --nagle --bind 10.9.0.2'


def play(name, lab, client):
    """The records of the lines, what was said of each, and faults."""
    saved = os.path.join(PLACE, f'{name}.jsonl')
    status, out, err = run('-q', *lab, '--', UPCASE, '--verbose', '--tcp', f'--count={LINES}', '--interval=80ms',
                           '--save', saved, *client, '10.9.0.2', env={'UPCASED': UPCASED, 'HOME': PLACE})
    if status != 0 or not os.path.exists(saved):
        return [], [], [f'status {status}: {out!r} {err!r}']
    with open(saved, encoding='utf-8') as file:
        *records, summary = map(json.loads, file)
    records = [record for record in records if record['type'] == 'line']
    said = [line for line in out.splitlines() if re.match(r'\d+ tcp line ', line)]
    faults = [] if len(records) == len(said) == LINES else [f'{len(records)} records, {out!r} {err!r}']
    waits = [[ns for way in ('there', 'back') if (ns := held(record, way)) >= TOLD] for record in records]
    total = sum(map(bool, waits)), sum(map(sum, waits))
    tcp = summary['sessions'][0]['tcp']
    if (tcp['held'], tcp['held_ns']) != total:
        faults.append(f'the summary: {tcp}, not {total}')
    return records, said, faults


def pieces(record, way):
    """Segments: one that a busy machine's kernel sent again counts once."""
    return record['link'][way]['tries'] - record['link'][way]['again']


def held(record, way):
    return record['link'][way].get('ack_wait_ns', 0)


def check_words(records, said):
    """The line says what its record has."""
    faults = []
    for record, line in zip(records, said):
        for way, behind in ('there', ''), ('back', ' coming'):
            ns = held(record, way)
            words = f'held {(ns + TOLD // 2) // TOLD} ms for an ACK{behind}'
            if (ns >= TOLD) != (re.search(re.escape(words) + r'[,)]', line) is not None):
                faults.append(f'{line!r}, {ns} ns {way}')
    return faults


def check_packets(records, way, since):
    """The link saw the last piece of each line that was held so long after `since`, right behind an ACK: which
    belongs to the line that was written last."""
    faults, packets = [], [packet for record in records for packet in record['link']['packets']]
    for record in records:
        left = [packet['in_ns'] for packet in record['link']['packets']
                if packet['way'] == way and packet['payload'] and not packet['again']][-1]
        begun = since(record)
        if not held(record, way):
            continue
        if not any(packet['way'] != way and packet['out_ns'] is not None
                   and begun < packet['out_ns'] <= left < packet['out_ns'] + PROMPT for packet in packets):
            faults.append(f'line {record["n"]}: no ACK {begun} to {left}: {packets}')
        if left - begun != held(record, way):
            faults.append(f'line {record["n"]}: {left - begun} ns {way}, not {held(record, way)}')
    return faults


def check_client(backend):
    records, said, faults = play(f'{backend}-client', [f'--backend={backend}', '--delay=2ms', FAR_LINES],
                                 ['--nagle', '--split'])
    faults += check_words(records, said) + check_packets(records, 'there', lambda record: record['sent_ns'])
    count = sum(held(record, 'there') >= DELAYED for record in records)
    point(f'{backend}: half a line is held for the ACK of the other half, by the client',
          faults + ([] if count >= LINES // 2 else [f'{count} of {LINES}: {said}']))


def check_server(backend):
    """The halves arrive one after the other, and so the server answers each. Here the client sends its ACK at once: it
    has not sent for longer than an ACK may wait."""
    records, said, faults = play(f'{backend}-server', [f'--backend={backend}', '--rate-there=50kbit', FAR_NAGLE],
                                 ['--split'])
    faults += check_words(records, said)
    faults += check_packets(records, 'back', lambda record: record['link']['there']['first_out_ns'])
    count = sum(held(record, 'back') >= TOLD for record in records)
    point(f'{backend}: half a reply is held for the ACK of the other half, by the server',
          faults + ([] if count >= LINES // 2 else [f'{count} of {LINES}: {said}']))


def check_neither(backend, name, lab):
    records, said, faults = play(f'{backend}-{len(lab)}', [f'--backend={backend}', lab], ['--split'])
    faults += [line for line in said if 'held' in line]
    faults += [f'line {record["n"]}: {record["link"]["packets"]}' for record in records
               if held(record, 'there') or held(record, 'back') or pieces(record, 'there') != 2]
    point(f'{backend}: without it no piece waits, {name}', faults)


def check(job):
    job[0](*job[1:])


ABLE = working_backends()
side_by_side(check, [(check_client, backend) for backend in ABLE] +
             [(check_server, ABLE[-1]), (check_neither, ABLE[0], 'a server of lines', FAR_LINES),
              (check_neither, ABLE[0], 'upcased', '--delay=1ms')])
done()
