# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures: what --save writes is XML that a renderer draws; each packet of the link is an arrow; pages; and the manual's own."""

import json
import os
import shutil
import subprocess
import tempfile
import xml.dom.minidom

from lab import PLACE, done, need_hosts, run
from tap import TOP, UPCASE, UPCASED, point

need_hosts()
PROGRAMS = {'UPCASE': shutil.copy(UPCASE, PLACE), 'UPCASED': shutil.copy(UPCASED, PLACE)}
CLIENT = PROGRAMS['UPCASE']


def picture(path):
    """The document, which must be XML."""
    return xml.dom.minidom.parse(path)


def shapes(document, name, kind):
    return sum(kind in element.getAttribute('class').split() for element in document.getElementsByTagName(name))


def words(document):
    return [''.join(node.data for node in element.childNodes) for element in document.getElementsByTagName('text')]


def drawn(path):
    """Whether a renderer makes more of it than an empty page."""
    png = path + '.png'
    subprocess.run(['rsvg-convert', '-z', '0.5', path, '-o', png], check=True)
    return os.path.getsize(png) > 4000


def session(folder, *link, lines, more=()):
    """A session over both transports in the lab: its records, and the names of its files."""
    env = {**PROGRAMS, 'HOME': folder}
    status, out, err = run('-q', *link, '--', CLIENT, '--plain', '--both', '--count', str(lines), '--interval', '5ms', '--json',
                           *more, '--save', os.path.join(folder, 'run.svg'), env=env)
    if status not in (0, 1):
        raise AssertionError(err)
    return [json.loads(line) for line in out.splitlines()]


def check_lab(folder):
    records = session(folder, '--loss', '20%', '--delay', '10ms', '--seed', '3', lines=40)
    lines = [record for record in records if record['type'] == 'line']
    # A segment that carries several lines stands with each of them.
    packets = list({(line['transport'], packet['way'], packet['in_ns']): packet for line in lines
                    for packet in line['link']['packets']}.values())
    arrived = sum(packet['out_ns'] is not None for packet in packets)
    again = sum(packet['again'] and packet['payload'] and packet['out_ns'] is not None for packet in packets)
    document = picture(os.path.join(folder, 'run.svg'))
    heads = sum(shapes(document, 'path', kind) and
                sum({kind, 'head'} <= set(element.getAttribute('class').split())
                    for element in document.getElementsByTagName('path'))
                for kind in ('udp', 'tcp', 'again', 'bare', 'late'))
    crosses = shapes(document, 'path', 'lost')
    said = words(document)
    faults = [f'{what}: {got}, not {want}' for what, got, want in (
        ('heads of arrows', heads, arrived),
        ('of what was sent again', sum({'again', 'head'} <= set(element.getAttribute('class').split())
                                       for element in document.getElementsByTagName('path')), again),
        # One more in the legend.
        ('crosses', crosses, len(packets) - arrived + 1),
        ('dashed lines', shapes(document, 'line', 'dash') > 0 and 'server\'s end reckoned at half the round trip' in said, False),
        ('files', sorted(os.listdir(folder)), ['run-plots.svg', 'run.svg'])) if got != want]
    faults += [f'{name} is empty' for name in ('run.svg', 'run-plots.svg') if not drawn(os.path.join(folder, name))]
    point('in the lab each packet is an arrow from where and when it was to where it came, or a cross', faults)


def check_pages(folder):
    session(folder, '--loss', '5%', '--seed', '4', lines=250)
    faults = [] if sorted(os.listdir(folder)) == ['run-2.svg', 'run-3.svg', 'run-plots.svg', 'run.svg'] else \
        [f'files: {sorted(os.listdir(folder))}']
    for page, first, last in (('run.svg', 1, 100), ('run-2.svg', 101, 200), ('run-3.svg', 201, 250)):
        said = words(picture(os.path.join(folder, page)))
        faults += [f'{page}: line {number} is {"not " if wanted else ""}there' for number, wanted in (
            (first - 1, False), (first, first > 0), (last, True), (last + 1, False))
            if (f'{number} line {number}' in said) != wanted]
    point('after a hundred lines there is a page more', faults)


def check_outside(folder):
    subprocess.run([CLIENT, '--plain', '-q', '--count', '5', '--save', os.path.join(folder, 'run.svg')], check=True,
                   stdout=subprocess.DEVNULL, env={**os.environ, **PROGRAMS, 'HOME': folder})
    document = picture(os.path.join(folder, 'run.svg'))
    faults = [] if 'server\'s end reckoned at half the round trip' in words(document) else ['it is not said']
    faults += [] if shapes(document, 'line', 'dash') >= 10 else ['nothing is dashed']
    point('outside the lab the server\'s end is dashed, and that is said', faults)


def check_manual():
    folder = os.path.join(TOP, 'man', 'pictures')
    names = sorted(name for name in os.listdir(folder) if name.endswith('.svg'))
    faults = [] if names == ['loss.svg', 'plots.svg', 'queue.svg'] else [f'{names}']
    for name in names:
        picture(os.path.join(folder, name))
        copy = shutil.copy(os.path.join(folder, name), PLACE)
        faults += [] if drawn(copy) else [f'{name} is empty']
    point('the manual\'s pictures are pictures', faults)


for check in check_lab, check_pages, check_outside:
    check(tempfile.mkdtemp(dir=PLACE))
check_manual()
done()
