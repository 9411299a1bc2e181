# SPDX-License-Identifier: GPL-3.0-or-later
"""What changes the link while a session goes on is part of it: each order, whoever gave it, is a
record at the time of the lab's own log, is played again, and stands in the pictures between the
lines that it stood between; a drop on cue is named where it hit."""

import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as tree

from lab import PLACE, done, environment, need_hosts, python, run
from tap import UPCASE, UPCASED, point

need_hosts()
SVG = '{http://www.w3.org/2000/svg}'
PROGRAMS = {'UPCASE': shutil.copy(UPCASE, PLACE), 'UPCASED': shutil.copy(UPCASED, PLACE)}
# Lines, and orders with the words of their rows.
STEPS = [
    ('one', ),
    ('drop next request', 'link: will drop the next request'),
    ('two', ),
    ('set loss 100% back', 'link: there loss 1 %; back loss 100 %'),
    ('three', ),
    ('preset none', 'link: a perfect wire'),
    ('drop next udp reply', 'link: will drop the next UDP reply'),
    ('four', ),
    ('drop next tcp request', 'link: will drop the next TCP request'),
    ('five', ),
    ('drop none', 'link: no drop waits any more'),
    ('hold 100ms', 'link: held for 100 ms', 'link: released'),
    ('six', ),
    ('unplug 100ms there', 'link: unplugged there for 100 ms', 'link: plugged in again there'),
    *((f'line {n}', ) for n in range(7, 103)),
    ('set delay 1ms', 'link: delay 1 ms each way'),
    ('last', ),
]
ROWS = [row for step in STEPS for row in step[1:]]
LINES = [step[0] for step in STEPS if len(step) == 1]

# Inside the lab: one step after the other, each when the client has told of the one before.
DRIVER = '''
import json, os, subprocess, time
# A server under sanitizers may need more than the second for which the lab waits for it.
while not os.path.exists(os.environ['UPCASE_LAB_FAR']):
    time.sleep(0.005)
lab, place, steps = os.environ['LAB'], os.environ['PLACE'], json.loads(os.environ['STEPS'])
raw, counts = open(place + '/raw', 'wb'), {b'there': 0, b'back': 0, b'delivered': 0}
log = subprocess.Popen([lab, 'ctl', 'events', 'on', '12000'], stdout=subprocess.PIPE)
def read_line():
    line = log.stdout.readline()
    raw.write(line)
    words = line.split()
    if words[:1] == [b'event']:
        counts[words[2]] += 1
        counts[b'delivered'] += words[2] == b'there' and words[4] == b'fate=delivered'
    return line
while read_line() not in (b'ok\\n', b''):
    pass
client = subprocess.Popen([os.environ['UPCASE'], '--plain', '--json', '--wait', '200ms', '--save', place + '/run.svg 1-103', '10.9.0.2'],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=open(place + '/told', 'w'))
out, sent = [], 0
for step in steps:
    if len(step) == 1:
        client.stdin.write(step[0].encode() + b'\\n')
        client.stdin.flush()
        sent += 1
        while (counts[b'there'] < sent or counts[b'back'] < counts[b'delivered']) and read_line():
            pass
        continue
    subprocess.run([lab, 'ctl', *step[0].split()], stdout=subprocess.DEVNULL)
    for _ in step[1:]:
        while True:
            out.append(client.stdout.readline())
            if b'"type":"event"' in out[-1] or not out[-1]:
                break
client.stdin.close()
out += client.stdout.readlines()
client.wait()
log.terminate()
while read_line():
    pass
raw.close()
open(place + '/run.jsonl', 'wb').write(b''.join(out))
'''


def differences(what, got, wanted):
    return [] if got == wanted else [f'{what}: got {got!r:.400}', f'{what}: wanted {wanted!r:.400}']


def again(*words, recording='run.jsonl'):
    return subprocess.run([
        PROGRAMS['UPCASE'], '--plain', '--read',
        os.path.join(PLACE, recording), *words
    ],
                          capture_output=True,
                          text=True,
                          env={**environment('self'), 'LC_ALL': 'C.UTF-8'},
                          check=False)


def session():
    """The records by type, and the lab's own log: changes with their times, and the payload of what was dropped on cue."""
    capture = os.path.join(PLACE, 'run.pcapng')
    status, _, err = run('-q',
                         '--loss',
                         '1%',
                         '--seed',
                         '7',
                         '--pcap',
                         capture,
                         '--',
                         *python(DRIVER),
                         env={
                             **PROGRAMS, 'LAB': os.path.join(PLACE, 'upcase-lab'), 'PLACE': PLACE,
                             'STEPS': json.dumps(STEPS), 'HOME': PLACE
                         })
    if status:
        sys.exit(f'the session: {status} {err}')
    with open(os.path.join(PLACE, 'run.jsonl'), encoding='utf-8') as file:
        records = [json.loads(line) for line in file]
    with open(os.path.join(PLACE, 'raw'), encoding='ascii') as file:
        raw = file.read()
    return records, re.findall(r'^changed (\d+) (.*)$', raw,
                               re.M), re.findall(r'fate=cue .* data=(\w+)$', raw, re.M), capture


def check_records(records, changes):
    events = [record for record in records if record['type'] == 'event']
    point('a record for each change, in words',
          differences('rows', ['link: ' + event['text'] for event in events], ROWS))
    point('the lab\'s log has as many', differences('changes', len(changes), len(ROWS)))
    ahead = {int(change[0]) - event['at_ns'] for change, event in zip(changes, events)}
    point('each at the lab\'s own time', [] if len(ahead) == 1 else [f'ahead: {sorted(ahead)}'])
    link = [(event['there'], event['back']) for event in events if event['kind'] == 'link']
    point(
        'with the settings of both ways',
        differences('settings', [f'set {there}; {back}' for there, back in link],
                    [words for _, words in changes if words.startswith('set ')]))
    point(
        'the first record says how it was set then, the last how it is now',
        differences('start', records[0]['link'], 'loss 1 % each way') +
        differences('end', records[-1]['link'], 'delay 1 ms each way'))
    point('every fate is the link\'s',
          differences('truth', records[-1]['truth'], {'judged': len(LINES), 'mismatches': 0}))


def check_cues(records, dropped, capture):
    lines = [record for record in records if record['type'] == 'line']
    wanted = {'two': 'there', 'four': 'back'}
    named = {
        line['text']: way
        for line in lines for way in ('there', 'back') if line['link'][way]['fate'] == 'on cue'
    }
    packets = [
        line['text'] for line in lines for packet in line['link']['packets']
        if packet['fate'] == 'on cue'
    ]
    point(
        'a drop on cue is named on the line that it hit, and no other',
        differences('lines', named, wanted) + differences('packets', packets, list(wanted)) +
        differences('flags', [
            line['text'] for line in lines
            for way in ('there', 'back') if line['link'][way]['on_cue']
        ], list(wanted)))
    point(
        'as in the lab\'s log',
        differences('dropped', [bytes.fromhex(data).decode().lower() for data in dropped],
                    list(wanted)))
    with open(capture, 'rb') as file:
        point('and in the capture',
              differences('comments',
                          file.read().count(b'dropped on cue'), len(wanted)))
    with open(os.path.join(PLACE, 'told'), encoding='utf-8') as file:
        point('and in the summary', [] if '2 packets dropped on cue' in file.read() else ['not so'])


def check_again():
    told = again().stderr
    point(
        '--read tells the changes in their order',
        differences('told',
                    [line for line in told.splitlines() if line.startswith('upcase: link: ')],
                    [f'upcase: {row}' for row in ROWS]))
    with open(os.path.join(PLACE, 'run.jsonl'), encoding='utf-8') as file:
        # A line's record is due some time after its fate: on a busy machine an event may come
        # before it.
        written = [sorted(text.splitlines(), key=lambda line: json.loads(line)['type'] == 'event')
                   for text in (again('--json').stdout, file.read())]
    pairs = itertools.zip_longest(*written)
    point('and writes the same records',
          [f'{got}, not {wanted}' for got, wanted in pairs if got != wanted])
    again('--save', os.path.join(PLACE, 'again.svg last 200'))
    again('--save', os.path.join(PLACE, 'run.txt'))
    same = [
        os.path.join(PLACE, name) for name in ('run.svg', 'again.svg', 'run-2.svg', 'again-2.svg')
    ]
    texts = [open(path, encoding='utf-8').read() for path in same]
    point('and draws the same pictures',
          [] if texts[0] == texts[1] and texts[2] == texts[3] else ['not so'])
    with open(os.path.join(PLACE, 'run.txt'), encoding='utf-8') as file:
        rows = [line.strip() for line in file if line.startswith('-- ')]
    point('a text lists them too', differences('rows', rows, [f'-- {row}' for row in ROWS]))


def texts_of(name):
    """The words of a picture with their places, and the lines across."""
    root = tree.parse(os.path.join(PLACE, name)).getroot()
    across = [float(line.get('y1')) for line in root.iter(SVG + 'line')
              if line.get('class') == 'event' and line.get('y1') == line.get('y2')]
    return [(''.join(text.itertext()), float(text.get('y')))
            for text in root.iter(SVG + 'text')], across


def last_page(name):
    return max((page for page in os.listdir(PLACE) if re.match(name + r'-\d+\.svg$', page)),
               key=lambda page: int(re.sub(r'\D', '', page)))


def heading(page):
    return [words for words, y in page if words.startswith('link: ') and y < 126]


def check_pictures():
    first, across = texts_of('run.svg')
    next_page, more = texts_of('run-2.svg')
    # What is under way at the end of a page stands on both.
    found = sorted(
        (page, y, words) for page, texts in enumerate((first, next_page)) for words, y in texts
        if y > 126 and (words in ROWS or re.match(r'\d+ (one|two|three|four|five|six|line 7)$', words)))
    order = list(dict.fromkeys(re.sub(r'^\d+ ', '', words) for _, _, words in found))
    wanted = [word for step in STEPS[:STEPS.index(('line 7',)) + 1] for word in (step[1:] or step)]
    # What is sent while packets are held and the end of that stand as it comes.
    point('each change stands between the lines that it stood between', differences(
        'order', [word for word in order if word not in ('link: released', 'six')],
        [word for word in wanted if word not in ('link: released', 'six')]))
    # The legends have one each.
    point('a line across for each', differences('lines', len(across) + len(more) >= len(ROWS) - 1 + 2, True))
    point(
        'a drop on cue is named there',
        differences('crosses', sum(words == 'on cue' for words, _ in first), 2) + [
            f'no {word}' for word in ('lost going, on cue', 'lost coming, on cue')
            if not any(word in words for words, _ in first)
        ])
    second, across = texts_of(last_page('run'))
    point(
        'a heading says how the link was set when its page begins',
        differences('pages', [heading(first), heading(second)],
                    [['link: loss 1 % each way'], ['link: a perfect wire']]))
    point(
        'a change stands on the page that it falls into',
        differences('second', [words
                               for words, y in second if words in ROWS and y > 126], ROWS[-1:]) +
        differences('lines', len(across), 2))


def check_pauses(records):
    """The same session, had it begun while packets were held, and without the end of its unplugging."""
    held = 'held there for 3 s, loss 1 % each way'
    with open(os.path.join(PLACE, 'paused.jsonl'), 'w', encoding='utf-8') as file:
        for record in [{**records[0], 'link': held}, *records[1:]]:
            if record.get('text') != 'plugged in again there':
                file.write(json.dumps(record) + '\n')
    again('--save', os.path.join(PLACE, 'paused.svg 1-103'), recording='paused.jsonl')
    last = json.loads(again('--json', recording='paused.jsonl').stdout.splitlines()[-1])
    point('a heading and the last record say what was held or unplugged then', differences(
        'pages', [heading(texts_of(name)[0]) for name in ('paused.svg', last_page('paused'))],
        [[f'link: {held}'], ['link: unplugged there for 100 ms, a perfect wire']]) + differences(
            'end', last['link'], 'unplugged there for 100 ms, delay 1 ms each way'))


RECORDS, CHANGES, DROPPED, CAPTURE = session()
check_records(RECORDS, CHANGES)
check_cues(RECORDS, DROPPED, CAPTURE)
check_again()
check_pictures()
check_pauses(RECORDS)
done()
