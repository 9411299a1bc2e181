# SPDX-License-Identifier: GPL-3.0-or-later
"""The manual as web pages (make html): the tour comes first, every page is well-formed and made for a phone too, every link and
picture leads somewhere, and no word of the manual is lost."""
import os
import re
import subprocess
import tempfile
from html.parser import HTMLParser

from tap import MANDOC, TOP, done, have_mandoc, point

PAGES = ['upcase-tour.7', 'upcase-exercises.7', 'upcase.1', 'upcase-lab.1', 'upcase-check.1', 'upcased.8', 'upcase.7',
         'upcase-solutions.7']
# These may stay open, or have no end.
OPEN = {'meta', 'link', 'img', 'br', 'hr', 'col'}
OTHERS = re.compile(r'https://manpages\.debian\.org/[a-z0-9_-]+\.[1-8]$')


class Page(HTMLParser):
    """What a page has: its words, links, anchors, titles."""
    def __init__(self, path):
        super().__init__()
        self.open, self.faults, self.links, self.anchors = [], [], [], []
        self.text, self.title, self.viewport = [], '', ''
        with open(path, encoding='utf-8') as file:
            self.feed(file.read())
        self.close()
        self.faults += [f'<{tag}> does not end' for tag in self.open]

    def handle_starttag(self, tag, attrs):
        named = dict(attrs)
        if tag not in OPEN:
            self.open.append(tag)
        self.anchors += [named['id']] if 'id' in named else []
        self.links += [named[name] for name in ('href', 'src') if name in named]
        if named.get('name') == 'viewport':
            self.viewport = named['content']
        if tag == 'img' and not named.get('alt'):
            self.faults.append(f'{named.get("src")} has no words in its place')
        if tag == 'script':
            self.faults.append('it has a script')

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in OPEN:
            self.open.pop()

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.faults.append(f'</{tag}> at {self.getpos()} ends another')

    def handle_data(self, data):
        if 'title' in self.open:
            self.title += data
        elif 'nav' not in self.open and 'details' not in self.open and 'figure' not in self.open:
            self.text.append(data)


def lost_links(folder, name, pages):
    """The links of a page that lead nowhere."""
    lost = []
    for link in pages[name].links:
        file, _, anchor = link.partition('#')
        target = pages.get(file or name)
        if not (OTHERS.match(link) or os.path.exists(os.path.join(folder, file or name))) or (
                anchor and (not target or anchor not in target.anchors)):
            lost.append(f'{link} leads nowhere')
    return lost


def squeezed(text):
    """What is the same wherever lines end, whatever marks items, and however long the dash is."""
    return re.sub(r'\s', '', re.sub(r'(?m)^ +(•|\d+\. ) +', '', text)).replace('–', '—')


def lost_words(name, page):
    """Where the web page does not say what mandoc prints of the manual page, up to its foot."""
    printed = subprocess.run([MANDOC, '-Tutf8', '-O', 'width=1000', os.path.join(TOP, 'man', name)],
                             capture_output=True,
                             text=True,
                             check=True).stdout
    wanted = squeezed(re.sub('.\b', '', printed.rpartition('\n\n')[0]))
    found = squeezed(''.join(page.text))
    same = len(os.path.commonprefix([wanted, found]))
    return [] if same == len(wanted) > 0 else [
        f'printed: {wanted[same:same + 60]}', f'on the web page: {found[same:same + 60]}']


def check_page(folder, name, pages):
    page = pages[name]
    faults = page.faults + lost_links(folder, name, pages)
    faults += [f'the anchor {anchor} stands twice' for anchor in set(page.anchors)
               if page.anchors.count(anchor) > 1]
    faults += [] if len(page.title) > 8 else ['it has no title']
    faults += [] if 'width=device-width' in page.viewport else ['it is not made for a phone']
    point(f'{name} is well-formed, and its links and pictures lead somewhere', faults)


def main():
    have_mandoc()
    with tempfile.TemporaryDirectory() as folder:
        made = subprocess.run(
            ['sh', os.path.join(TOP, 'tools/manual-html'), folder],
            capture_output=True,
            text=True,
            check=False)
        point('the pages are made', [made.stderr] if made.returncode or made.stderr else [])
        pages = {name: Page(os.path.join(folder, name))
                 for name in sorted(os.listdir(folder)) if name.endswith('.html')}
        for name in pages:
            check_page(folder, name, pages)
        for name in PAGES:
            point(f'{name}.html has every word of the page', lost_words(name, pages[f'{name}.html']))
        listed = [link for link in pages['index.html'].links if link.endswith('.html')]
        wanted = ['index.html'] + 2 * [f'{name}.html' for name in PAGES]
        point('the index has the tour first, then the programs', [] if listed == wanted else listed)
        shown = {link for page in pages.values() for link in page.links if link.endswith('.svg')}
        point('each picture is shown', [
            f'{name} is not shown' for name in os.listdir(os.path.join(folder, 'pictures'))
            if f'pictures/{name}' not in shown])
    done()


main()
