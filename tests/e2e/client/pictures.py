# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures of real sessions: well-formed SVG that a renderer draws, with as many arrows as there
were packets; and those of the manual."""
import json
import os
import re
import shutil
import struct
import subprocess
import xml.etree.ElementTree as tree
import zlib

from client import python, run as client, upcased
from lab import PLACE, done, need_hosts, run
from tap import BUILD, TOP, UPCASE, UPCASED, point

SVG = '{http://www.w3.org/2000/svg}'
PROGRAMS = {'UPCASE': shutil.copy(UPCASE, PLACE), 'UPCASED': shutil.copy(UPCASED, PLACE)}


def differences(what, got, wanted):
    return [] if got == wanted else [f'{what}: got {got!r:.300}', f'{what}: wanted {wanted!r:.300}']


def words(root):
    return [''.join(text.itertext()) for text in root.iter(SVG + 'text')]


def marks(root, name):
    """Arrows' heads and the crosses of what died, by their class; those of legend and axes are no paths, or not of that class."""
    return [path for path in root.iter(SVG + 'path') if name in path.get('class').split()]


def pixels(png):
    """How many bytes of a PNG's image are not the most usual one's."""
    data, at = b'', 8
    while at < len(png):
        size, = struct.unpack('>I', png[at:at + 4])
        if png[at + 4:at + 8] == b'IDAT':
            data += png[at + 8:at + 8 + size]
        at += size + 12
    raw = zlib.decompress(data)
    return len(raw), len(raw) - max(raw.count(bytes([value])) for value in (0, 255))


def check_drawn(path, slide=True):
    """Well-formed, one root of the right kind, nothing out of the picture, and a renderer draws something."""
    root = tree.parse(path).getroot()
    faults = differences('root', root.tag, SVG + 'svg')
    width, height = float(root.get('width')), float(root.get('height'))
    if slide:
        # 20 pt where the slide is 7.5 in high, 540 pt.
        small = [''.join(text.itertext()) for text in root.iter(SVG + 'text')
                 if float(text.get('font-size')) < height * 20 / 540]
        faults += differences('16:9', width / height, 16 / 9) + differences('small', small, [])
    for text in root.iter(SVG + 'text'):
        if not (0 <= float(text.get('x')) <= width and 0 < float(text.get('y')) <= height):
            faults.append(
                f'outside: {"".join(text.itertext())!r} at {text.get("x")}, {text.get("y")}')
    if shutil.which('xmllint') and subprocess.run(['xmllint', '--noout', path],
                                                  check=False).returncode:
        faults.append('xmllint complains')
    png = path + '.png'
    drawn = subprocess.run(['rsvg-convert', path, '-o', png],
                           capture_output=True,
                           text=True,
                           check=False)
    if drawn.returncode or drawn.stderr:
        return faults + [f'rsvg-convert: {drawn.returncode} {drawn.stderr}']
    with open(png, 'rb') as file:
        total, ink = pixels(file.read())
    return faults + ([] if ink > total / 1000 else [f'blank: {ink} of {total}'])


def packets(lines, page, stream):
    """Those of the lines and connections of a page, each once: that arrived (copies too), that died, that were sent again."""
    found = {}
    second = max(line['typed_ns'] for line in lines if line['type'] == 'line' and line['n'] == 12)
    for event in lines:
        if stream and event['type'] == 'event' and (event['at_ns'] > second) == (page == 1):
            for packet in event.get('packets', []):
                found[packet['in_ns'], packet['way'], packet['seq'], packet['length']] = packet
    for line in lines:
        if line['type'] == 'line' and (line['transport']
                                       == 'tcp') == stream and (line['n'] - 1) // 12 == page:
            for packet in line['link']['packets']:
                found[packet['in_ns'], packet['way'], packet['seq'], packet['length']] = packet
    arrived = sum((p['out_ns'] is not None) + (p['out2_ns'] is not None) for p in found.values())
    return (arrived, sum(p['out_ns'] is None or p['fate'] == 'corrupted' for p in found.values()),
            sum(p['again'] and p['payload'] for p in found.values()))


def check_lab():
    """20 lines over both: two pages and the plots."""
    base = os.path.join(PLACE, 'run')
    status, out, err = run('--quiet',
                           '--loss=20%',
                           '--duplicate=5%',
                           '--delay=5ms',
                           '--cc=cubic',
                           '--seed=4',
                           '--',
                           PROGRAMS['UPCASE'],
                           '--quiet',
                           '--both',
                           '--count=20',
                           '--interval=5ms',
                           '--json',
                           '--save',
                           base + '.svg',
                           '10.9.0.2',
                           env={**PROGRAMS, 'HOME': PLACE})
    records = [json.loads(line) for line in out.splitlines()]
    lines = [record for record in records if record['type'] == 'line']
    names = sorted(name for name in os.listdir(PLACE)
                   if name.startswith('run') and name.endswith('.svg'))
    point(
        'a run in the lab: two pages, the plots and the windows',
        differences('status', status, 1) +
        differences('files', names, ['run-2.svg', 'run-plots.svg', 'run-window.svg', 'run.svg']) +
        ([err] if err else []))
    point(
        'for the user\'s eyes alone',
        differences('modes',
                    [oct(os.stat(os.path.join(PLACE, name)).st_mode & 0o777) for name in names],
                    ['0o600'] * len(names)))
    # What came to be known after a line's record was written, a second copy of a segment, is in the
    # first pictures only.
    check_again(base, out)
    sent_again = 0
    for page, name in enumerate(('again.svg', 'again-2.svg')):
        path = os.path.join(PLACE, name)
        root = tree.parse(path).getroot()
        told = words(root)
        arrived, died, again = map(
            sum, zip(*(packets(records, page, stream) for stream in (False, True))))
        # Two hosts' lines of time, twice, end in a head too.
        point(
            f'{name}: as many arrows as packets, a cross where one died',
            differences('arrows',
                        len(marks(root, 'head')) - 4, arrived) +
            differences(
                'crosses',
                len(marks(root, 'lost')) -
                len([m
                     for m in marks(root, 'lost') if 'head' in m.get('class').split()]) - 1, died) +
            ([] if died else ['none died']))
        point(f'{name}: it says what it shows', [
            f'no {word!r}'
            for word in (f'page {page + 1} of 2',
                         'link: loss 20 % each way, delay 5 ms, duplicate 5 %', 'UDP', 'TCP',
                         'client', 'server') if not any(word in text for text in told)
        ] + (['estimated'] if any('estimated' in text for text in told) else []) +
              differences('the legend tells "sent again"', 'sent again' in told, again > 0))
        sent_again += again
        numbers = {int(text.split()[0]) for text in told if re.match(r'\d+ line \d+', text)}
        point(
            f'{name}: its twelve lines',
            differences('lines', numbers, set(range(12 * page + 1,
                                                    min(12 * page + 12, 20) + 1))))
        point(f'{name} is drawn', check_drawn(path))
    point('something was sent again', [] if sent_again else ['nothing'])
    for name in 'plots', 'window':
        point(f'{name}: it is drawn', check_drawn(os.path.join(PLACE, f'run-{name}.svg')))
    check_plots(lines)


def check_screen():
    """The picture of the screen, dark and light: the real client's in the lab, each cell in its place."""
    for ground, other in ('dark', 'light'), ('light', 'dark'):
        path = os.path.join(PLACE, f'screen {ground}.svg')
        status, out, err = run('--quiet', '--delay=5ms', '--', 'env', 'LC_ALL=C.UTF-8',
                               os.path.join(TOP, 'tools', 'screen-picture'), '20', '100', path,
                               PROGRAMS['UPCASE'], f'--background={ground}', '--both', '10.9.0.2',
                               said='hello\n<b>&"\ngrüße 👩‍👩‍👧 日本\nمرحبا\n',
                               env={**PROGRAMS, 'HOME': PLACE})
        if not os.path.exists(path):
            point(f'the screen is drawn, {ground}', [f'{status} {out} {err}'])
            continue
        root = tree.parse(path).getroot()
        told = words(root)
        fills = {element.get('fill') for element in root.iter()}
        cell = (float(root.get('width')) - 24) / 100
        point(f'the screen is drawn, {ground}', check_drawn(path, slide=False) + [
            f'no {word!r}' for word in ('hello', 'HELLO', '<b>&"', '<B>&"', '日', 'link: delay 5 ms',
                                        'both>', 'min/avg/max')
            if not any(word in text for text in told)
        ] + [f'{word!r}' for word in ('/save', 'saved in') if any(word in text for text in told)])
        point(f'its colours, {ground}', [
            f'no {colour}' for colour in {'dark': ('#16181d', '#ffaf5f', '#5fafff'),
                                          'light': ('#ffffff', '#875f00', '#005faf')}[ground]
            if colour not in fills
        ] + (['the other ground too'] if {'dark': '#16181d', 'light': '#ffffff'}[other] in fills else []))
        point(f'each run stands where its columns are, {ground}', [
            f'{"".join(text.itertext())!r} at {text.get("x")}, {text.get("textLength")} wide'
            for text in root.iter(SVG + 'text') for value in (float(text.get('x')) - 12,
                                                              float(text.get('textLength')))
            if abs(value / cell - round(value / cell)) > 0.02
        ])


def check_plots(lines):
    root = tree.parse(os.path.join(PLACE, 'run-plots.svg')).getroot()
    answered = {
        name: sum(r['fate'] == 'answered' and r['transport'] == name for r in lines)
        for name in ('udp', 'tcp')
    }
    told = words(root)
    dots = {
        name: sum(name in dot.get('class').split() for dot in root.iter(SVG + 'circle'))
        for name in answered
    }
    point(
        'the plots: a dot a line, and the counts',
        differences('dots', dots, answered) + [
            f'no {text!r}'
            for text in (f'UDP: {answered["udp"]} lines', f'TCP: {answered["tcp"]} lines')
            if not any(text in word for word in told)
        ])


def check_again(base, out):
    """From records the same pictures come, however often."""
    with open(base + '.jsonl', 'w', encoding='utf-8') as file:
        file.write(out)
    place = os.path.join(PLACE, 'again')
    texts = []
    # Some lines were lost, so the status is 1.
    statuses = [
        client('--read', source, '--save', target).returncode
        for source, target in ((base + '.jsonl', place + '.svg'),
                               (base + '.jsonl', place + '.jsonl'), (place + '.jsonl',
                                                                     place + '-more.svg'))
    ]
    for name in (place + '.svg', place + '-more.svg'):
        with open(name, encoding='utf-8') as file:
            texts.append(file.read().splitlines())
    point('drawn again of the records: the same', differences('statuses', statuses, [1, 1, 1]) +
          differences('picture', texts[1], texts[0]))
    point('the first pictures are drawn', check_drawn(base + '.svg') + check_drawn(base + '-2.svg'))


def check_elsewhere():
    """Without the lab the server's end is reckoned, dashed, and that is said."""
    path = os.path.join(PLACE, 'plain.svg')
    with python('scripted_server.py', 'udp') as server:
        client('--plain', '--wait=200ms', '--save', path, '127.0.0.1', server.port,
               stdin=b'hello\nlose this\nlate 300 this\n<&"\x1b[31m\n\xff\n')
    root = tree.parse(path).getroot()
    told = words(root)
    dashed = [line for line in root.iter(SVG + 'line') if 'dash' in line.get('class').split()]
    point('without the lab the server\'s end is dashed, and it says so',
          ([] if "server's time estimated" in told else [str(told)]) +
          ([] if len(dashed) > 4 else [f'{len(dashed)} dashed']) +
          (['a link'] if any('link:' in text for text in told) else []))
    point('somebody\'s text is text',
          [] if any('<&"\ufffd[31m' in text for text in told) else [str(told)])
    point('it is drawn', check_drawn(path))
    with upcased() as server:
        result = client('--plain', '--save', path, '127.0.0.1', server.port, stdin=b'x\n')
        point('a picture that exists is not overwritten', differences('status', result.returncode,
                                                                      2))


def check_manual():
    """The manual's and the README's: real runs in the lab, small, and named where they are shown."""
    for name in 'recording', 'screen', 'repair', 'queue', 'plots':
        path = os.path.join(PLACE, f'manual-{name}.svg')
        shutil.copy(os.path.join(TOP, 'man', 'pictures', f'{name}.svg'), path)
        told = words(tree.parse(path).getroot())
        with open(os.path.join(TOP, 'README.md'), encoding='utf-8') as file:
            shown = f'man/pictures/{name}.svg' in file.read()
        point(
            f'the manual\'s {name}.svg',
            check_drawn(path, slide=name not in ('recording', 'screen')) + ([] if os.path.getsize(path) < 150000 else ['too large']) +
            ([] if shown else ['README.md does not show it']) +
            ([] if any(text.startswith('link: ') for text in told) else ['no lab']))


check_manual()
check_elsewhere()
need_hosts()
check_lab()
check_screen()
done()
