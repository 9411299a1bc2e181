# SPDX-License-Identifier: GPL-3.0-or-later
"""The manual says what the programs do: mandoc has nothing to say about a page; options, commands,
keys, environment variables and exit statuses are in the page exactly if they are in the program."""

import html
import json
import os
import re
import subprocess

from tap import BUILD, CHECK, LAB, MANDOC, TOP, UPCASE, UPCASED, done, have_mandoc, point, read

PAGES = [
    'upcase.1', 'upcased.8', 'upcase.7', 'upcase-lab.1', 'upcase-check.1', 'upcase-tour.7', 'upcase-exercises.7',
    'upcase-solutions.7'
]

# What the libraries read, not we: in the page without standing in the source.
LIBRARY_ENVIRONMENT = {
    'upcase.1': {
        'TERM', 'LINES', 'COLUMNS', 'INPUTRC', 'LC_ALL', 'LC_CTYPE', 'LANG', 'TERMINFO', 'ESCDELAY',
        'PATH', 'SHELL'
    },
    'upcased.8': set(),
    'upcase-lab.1': set(),
    'upcase-check.1': {'LC_ALL', 'LC_CTYPE', 'LANG'},
}


def page(name):
    return read('man', name) or ''


def section(name, title):
    """The lines of one section of a page."""
    match = re.search(rf'^\.Sh "?{title}"?$(.*?)(?=^\.Sh |\Z)', page(name), re.M | re.S)
    return match[1] if match else ''


def words(line):
    """What a line of mdoc shows: without macros and escapes."""
    line = line.replace('\\-', '-').replace('\\&', '').replace('\\e', '\\')
    return [word.strip('"') for word in line.split()]


def plain(text):
    """What lines of mdoc show, in one line."""
    return ' '.join(' '.join(words(line)) for line in text.splitlines())


def items(text):
    """The heads of the lists' items."""
    return re.findall(r'^\.It (.*)$', text, re.M)


def both_ways(what, page_name, of_program, of_page):
    return ([f'{what} {name} is not in {page_name}' for name in sorted(of_program - of_page)] + [
        f'{what} {name} is in {page_name} but not in the program'
        for name in sorted(of_page - of_program)
    ] + ([] if of_program else [f'no {what} found in the program']))


def program_options(program):
    shown = subprocess.run([program, '--help'],
                           capture_output=True,
                           text=True,
                           check=True,
                           stdin=subprocess.DEVNULL)
    found = set()
    for line in shown.stdout.splitlines():
        match = re.match(r' +(?:(-\w), +)?(--[a-z][a-z0-9-]*)', line)
        if match:
            found |= {option for option in match.groups() if option}
    return found


def page_options(name):
    """Options have items of their own in OPTIONS: .It Fl w , Fl -wait Ns = Ns Ar time"""
    found = set()
    for item in items(section(name, 'OPTIONS')):
        item = words(item)
        found |= {'-' + option for macro, option in zip(item, item[1:]) if macro == 'Fl'}
    return found


def mentioned_options(name):
    """Options that the rest of the page speaks of."""
    return {'-' + option for option in re.findall(r'\bFl (-[a-z][a-z0-9-]*)', page(name))}


def check_options(program, name, more=()):
    have = program_options(program)
    point(f'{name} has the options of --help', both_ways('option', name, have, page_options(name)))
    point(f'{name} speaks of no other option', [
        f'{option} is no option' for option in sorted(mentioned_options(name) - have - set(more))])


def tables():
    """The client's own tables: table, name and what follows."""
    shown = subprocess.run([os.path.join(BUILD, 'tests/tree', 'list_tables')],
                           capture_output=True,
                           text=True,
                           check=True)
    return [line.split('\t') for line in shown.stdout.splitlines()]


def check_tables(name):
    rows = tables()
    commands = {'/' + name for table, name, *_ in rows if table == 'command'}
    described = set()
    for item in items(section(name, 'COMMANDS')):
        described |= {word for word in words(item) if re.match(r'/[a-z]', word)}
    point(f'{name} has the commands of the program', both_ways('command', name, commands,
                                                               described))
    # A key's name may be of several words, and an item may name several keys.
    keys = {key for table, key, *_ in rows if table == 'key'}
    described = [' '.join(word for word in words(item) if word not in ('Ic', 'Sy', 'Cm', 'Ns'))
                 for item in items(section(name, 'KEY BINDINGS') or section(name, 'KEYS'))]
    described = {part.strip() for item in described for part in re.split(r' , | or ', item)}
    point(f'{name} has the keys of the program', both_ways('key', name, keys, described))


def check_marks(name):
    """Every mark on the screen stands in an item, in both its forms."""
    text = section(name, 'THE SCREEN').replace('\\(ha', '^').replace('\\&', '')
    described = set(
        re.findall(r'"([^"]*)"',
                   '\n'.join(line for line in text.splitlines() if line.startswith('.It'))))
    signs = {sign.strip() for table, *forms in tables() if table == 'mark' for sign in forms}
    point(f'{name} has the marks of the screen', both_ways('mark', name, signs, described))


def check_figures(name):
    """Every figure is described: by its key in records, and by its label on the page. A label that
    begins with a space or a comma joins parts of one cell."""
    records = set(re.findall(r'[a-z_0-9]+', section(name, 'RECORD FORMAT')))
    shown = plain(section(name, 'STATISTICS'))
    figures = [row[1:] for row in tables() if row[0] == 'figure']
    point(f'{name} has the figures of the program', [
        f'{key} is not in RECORD FORMAT' for key, _ in figures if key and key not in records
    ] + [
        f'"{label}" is not in STATISTICS' for _, label in figures
        if re.match('[^ ,]', label) and label.split(',')[0] not in shown
    ])


def item_of(text, head):
    """The lines under an item of a list."""
    return '\n'.join(re.findall(rf'(?ms)^\.It {head}$(.*?)(?=^\.It |^\.El|\Z)', text))


def check_fates():
    """Every fate of the link stands where the client, the lab and the server show it."""
    fates = [row[1:] for row in tables() if row[0] == 'fate' and row[1] != 'delivered']
    records = {
        word for text in re.findall(r'(?ms)^\.It Ql fate$(.*?)(?=^\.It )',
                                    section('upcase.1', 'RECORD FORMAT'))
        for word in re.findall(r'(?m)^\.Dq (.*?) ?[,.]?$', text)
    }
    screen = section('upcase.1', 'THE SCREEN')
    drawn = ' '.join(items(screen) + re.findall(r'(?m)^\.Ql (on cue) \.$', screen))
    events = set(
        re.findall(r'(?m)^\.Cm (\S+)', item_of(subsection('upcase-lab.1', 'Events'), 'Cm fate')))
    counters = {words(item)[1] for item in items(section('upcased.8', 'TOTALS'))
                if item.startswith('Cm ')}
    point('the manual has the fates of the link', [
        f'{fate} is not in {where}' for fate, where, found in [
            *((name, 'upcase.1, THE SCREEN', name in drawn) for name, _, _ in fates),
            *((name, 'upcase.1, RECORD FORMAT', name in records) for name, _, _ in fates),
            *((word, 'upcase-lab.1, Events', word in events) for _, word, _ in fates),
            *((counter, 'upcased.8', counter in counters) for _, _, counter in fates if counter)
        ] if not found
    ] + ([] if fates else ['no fate found in the program']))


def source_environment(folders):
    found = set()
    for folder in folders:
        for at, _, files in os.walk(os.path.join(TOP, folder)):
            for file in files:
                if file.endswith('.c'):
                    found |= set(
                        re.findall(
                            r'\b[gs]etenv\("([A-Z_]+)"|"(XDG_[A-Z_]+)"|(?:program_find|absolute)\("([A-Z_]+)"',
                            read(at, file)))
    return {name for names in found for name in names if name}


def check_environment(name, folders):
    ours = source_environment(folders) - {'POSIXLY_CORRECT'}
    described = {
        words(item)[1]
        for item in items(section(name, 'ENVIRONMENT')) if item.startswith('Ev ')
    }
    point(f'{name} has the environment variables of the program', [
        f'{variable} is not in {name}' for variable in sorted(ours - described)] + [
        f'{variable} is in {name} but nobody reads it'
        for variable in sorted(described - ours - LIBRARY_ENVIRONMENT[name])])


def check_exit(name, statuses):
    text = section(name, 'EXIT STATUS')
    described = {words(item)[-1] for item in items(text)}
    point(f'{name} has the exit statuses', [f'{status} is not in {name}' for status in statuses
                                            if status not in described])


def source_words(pattern, *path):
    return set(re.findall(pattern, read(*path) or ''))


def subsection(name, title):
    match = re.search(rf'^\.Ss {title}$(.*?)(?=^\.S[sh] |\Z)', page(name), re.M | re.S)
    return match[1] if match else ''


def check_lab(name):
    """The control protocol's orders and the keys of its events, the presets with their values."""
    orders = {words(item)[1] for item in items(subsection(name, 'Orders'))}
    point(
        f'{name} has the orders of the program',
        both_ways(
            'order', name,
            source_words(r'(?m)^\t\{ "(\w+)", "[^"]*", "[^"]*", do_', 'lab/link',
                         'control-commands.c'), orders))
    keys = {word for item in items(subsection(name, 'Events')) for word in words(item)[1:]
            if item.startswith('Cm ') and word != ','}
    point(f'{name} has the keys of events', both_ways(
        'key', name, source_words(r'[ "]([a-z][a-z0-9]*)=%', 'lab', 'link', 'control.c'), keys))
    shown = subprocess.run([LAB, '--presets'],
                           capture_output=True,
                           text=True,
                           check=True,
                           stdin=subprocess.DEVNULL)
    listed = set(re.findall(r'(?m)^(\S+) ', shown.stdout))
    values = {
        line.split(': ')[-1].strip()
        for line in shown.stdout.splitlines() if line.startswith(' ')
    } - {''}
    text = section(name, 'PRESETS')
    point(f'{name} has the presets',
          both_ways('preset', name, listed, {words(item)[1]
                                             for item in items(text)}))
    point(f'{name} has their values',
          both_ways('link', name, values, set(re.findall(r'(?m)^\.Ql (.*)$', text))))


def cases_of(side):
    """The cases of a file, as the manual has them: name, level, and what stands below the name."""
    found = re.findall(r'(?m)^case (\S+) (\S+) ?(.*)\ntitle (.*)\nwhy (.*)$', read('checker', f'{side}.cases'))
    return [(name, level, f'{title} ({", ".join(needs.split())}). {why}.'.replace(' ()', ''))
            for name, level, needs, title, why in found]


def check_cases(name):
    """The cases and the steps of their language, in both directions, and the reasons word for word."""
    for side in ('server', 'client'):
        levels = re.split(r'(?m)^Level\n\.Cm (\w+) :$', subsection(name, f'Cases for {side}s'))[1:]
        described = {
            (words(item)[1], level): plain(item_of(text, item)).strip()
            for level, text in zip(levels[::2], levels[1::2]) for item in items(text)
        }
        cases = {(case, level): text for case, level, text in cases_of(side)}
        point(f'{name} has the cases of {side}s', both_ways(
            'case', name, {' '.join(case) for case in cases}, {' '.join(case) for case in described}) + [
                f'{case}: {described[case, level]!r}, not {text!r}' for (case, level), text in cases.items()
                if described.get((case, level), text).casefold() != text.casefold()
            ] + ([] if (read('checker', f'{side}.cases') or '').count('\ncase ') == len(cases) else ['a case has no reason']))
    needs = re.search(r'need_names\[\w*\] = \{(.*?)\}', read('checker', 'cases.c'), re.S)[1]
    point(f'{name} has what cases need', both_ways(
        'need', name, set(re.findall(r'"(\w+)"', needs)),
        set(re.findall(r'\w+', ' '.join(re.findall(r'(?m)^\.Cm (.*)$', item_of(
            section(name, 'THE LANGUAGE OF CASES'), r'Li case [^\n]*')))))))
    point(f'{name} has the steps of cases', both_ways(
        'step', name, source_words(r'(?m)^\t\{ "([a-z-]+)", ', 'checker', 'steps.c'),
        {words(item)[1] for item in items(subsection(name, 'Steps'))}))
    shown = json.loads(subprocess.run([CHECK, 'server', '--json', '--case', 'udp-line', '--', 'false'],
                                      capture_output=True, check=False).stdout)
    keys = {word for item in items(subsection(name, 'JSON')) for word in words(item)[1:]}
    point(f'{name} has the keys of the report as JSON', [
        f'{key} is not in {name}' for key in {*shown, *shown['cases'][0]} - keys])


# Suffixes of options, and options of programs that a page tells of.
PARTS_OF_OPTIONS = {'--', '-46v'}
# Macros that a line of mdoc may call; where one of these words is shown, it was meant for one.
MACROS = 'Ns Fl Ar Pq Cm Ic Xr Pa Ql Oc Oo Op Dv Ev Nm Li Sy Em Bq Dq Sq Sx Ss Sh Pp Aq Ta Xo Xc'.split(
)


def marked(shown, name):
    """What a page that is shown as HTML has under one macro, as text."""
    return [
        html.unescape(re.sub('<[^>]*>', '', text)) for text in re.findall(
            rf'<(?:code|h1|h2|i|b|span|var|a) class="{name}"[^>]*>(.*?)</(?:code|h1|h2|i|b|span|var)>',
            shown, re.S)
    ]


def check_shown(name, options):
    """A word of plain English that is the name of a macro, or stands behind one, is shown as what
    it is not: "In the lab" as "<the> lab", "-b, F3 or" as "-b, -F3 -or"; a sign that mdoc takes for
    the end of a sentence stands where none is."""
    shown = subprocess.run([MANDOC, '-Thtml', os.path.join(TOP, 'man', name)],
                           capture_output=True,
                           text=True,
                           check=False).stdout
    text = html.unescape(
        re.sub('<[^>]*>', ' ', re.sub(r'<(style|pre)\b.*?</\1>', ' ', shown, flags=re.S)))
    faults = [
        f'{option} is shown as an option'
        for option in sorted({*marked(shown, 'Fl')} - options - PARTS_OF_OPTIONS)
    ]
    faults += [f'<{word}> is shown as a header of C' for word in marked(shown, 'In')]
    faults += [
        f'{macro} is shown in the text' for macro in MACROS
        if re.search(rf'(?<![\w-]){macro}(?![\w-])', text)
    ]
    faults += [
        f'"{" ".join(match[0].split())}" is shown'
        for match in re.finditer(r'<\s*\w[^<>\n]*>|AT&T|\bUNIX\b|\bBSD\b', text)
    ]
    printed = subprocess.run([MANDOC, '-Tutf8', os.path.join(TOP, 'man', name)],
                             capture_output=True,
                             text=True,
                             check=False).stdout
    faults += [
        f'"{match[0]}" has a sign in a wrong place'
        for match in re.finditer(r'\S*,[:;?!](?=\s)|\) [,;:](?=\s)', re.sub('.\b', '', printed))
    ]
    headings = [' '.join(heading.split()) for heading in marked(shown, 'Sh') + marked(shown, 'Ss')]
    meant = [' '.join(words(line)) for line in re.findall(r'(?m)^\.S[hs] (.*)$', page(name))]
    faults += [
        f'the heading "{heading}" is not shown as it is written' for heading in meant
        if heading not in headings
    ]
    point(f'{name} shows no macro and no mark that was not meant',
          faults + ([] if meant else ['it has no headings']))


def check_pages():
    for name in PAGES:
        path = os.path.join(TOP, 'man', name)
        lint = subprocess.run([MANDOC, '-Tlint', path], capture_output=True, text=True, check=False)
        # Which pages this machine has installed, and whether it has a list of them, is no fault of
        # the page.
        said = [line for line in (lint.stdout + lint.stderr).splitlines()
                if 'referenced manual not found' not in line and 'mandoc.db' not in line]
        point(f'mandoc has nothing to say about {name}', said)
    wrong = []
    for name in PAGES:
        for other, number in re.findall(r'\bXr (upcase[a-z-]*) (\d)', page(name)):
            if not page(f'{other}.{number}'):
                wrong.append(f'{name} refers to {other}({number})')
    point('pages of ours that a page refers to are there', wrong)


def check_demonstrations():
    """The page of demonstrations is their program: what is not known in it ends the build."""
    text = page('upcase-tour.7')
    faults = []
    for what, changed in (('nothing', text), ('@shout', text.replace('@wait', '@shout', 1)),
                          ('.Em', text.replace('.\\" @say\n', '.\\" @say\n.Em now\n', 1)),
                          ('escape', text.replace('.\\" @say\n', '.\\" @say\n\\(zz\n', 1))):
        made = subprocess.run(
            [os.environ.get('AWK') or 'awk', '-f',
             os.path.join(TOP, 'client-tui/app/make-demo.awk')],
            input=changed,
            capture_output=True,
            text=True,
            check=False)
        known = what == 'nothing'
        if (made.returncode == 0) != known or (not known and what not in made.stderr):
            faults.append(f'{what}: status {made.returncode}, {made.stderr}')
    point('a demonstration has no step, macro or escape that is not known', faults)


def main():
    mandoc = have_mandoc('the pages as mandoc shows them')
    if mandoc:
        check_pages()
    check_demonstrations()
    options = program_options(UPCASE) | program_options(UPCASED) | program_options(LAB) | program_options(
        CHECK) | {'--socket', '--loss-there'}
    for name in PAGES if mandoc else []:
        check_shown(name, options)
    check_options(UPCASE, 'upcase.1')
    check_options(UPCASED, 'upcased.8')
    check_options(LAB, 'upcase-lab.1', ['--socket', '--loss-there', '--plain'])
    check_options(CHECK, 'upcase-check.1')
    check_tables('upcase.1')
    check_marks('upcase.1')
    check_figures('upcase.1')
    check_fates()
    check_environment('upcase.1', ['common', 'client-tui'])
    check_environment('upcased.8', ['common', 'server'])
    check_environment('upcase-lab.1', ['lab'])
    check_environment('upcase-check.1', ['checker'])
    check_lab('upcase-lab.1')
    check_cases('upcase-check.1')
    check_exit('upcase-lab.1', ['0', '1', '2', '126', '127'])
    check_exit('upcase-check.1', ['0', '1', '2'])
    check_exit('upcase.1', ['0', '1', '2'])
    check_exit('upcased.8', ['0', '1', '2'])
    done()


main()
