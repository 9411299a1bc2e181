# SPDX-License-Identifier: GPL-3.0-or-later
"""The manual says what the programs do: mandoc has nothing to say about a page; options, commands, keys, environment
variables and exit statuses are in the page exactly if they are in the program."""

import os
import re
import subprocess

from tap import BUILD, TOP, UPCASE, UPCASED, done, point, read

MANDOC = os.environ.get('MANDOC') or 'mandoc'
PAGES = ['upcase.1', 'upcased.8', 'upcase.7']

# What the libraries read, not we: in the page without standing in the source.
LIBRARY_ENVIRONMENT = {
    'upcase.1': {'TERM', 'LINES', 'COLUMNS', 'INPUTRC', 'LC_ALL', 'LC_CTYPE', 'LANG', 'TERMINFO', 'ESCDELAY', 'PATH', 'SHELL'},
    'upcased.8': set(),
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


def items(text):
    """The heads of the lists' items."""
    return re.findall(r'^\.It (.*)$', text, re.M)


def both_ways(what, page_name, of_program, of_page):
    return ([f'{what} {name} is not in {page_name}' for name in sorted(of_program - of_page)] +
            [f'{what} {name} is in {page_name} but not in the program' for name in sorted(of_page - of_program)] +
            ([] if of_program else [f'no {what} found in the program']))


def program_options(program):
    shown = subprocess.run([program, '--help'], capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL)
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


def check_options(program, name):
    have = program_options(program)
    point(f'{name} has the options of --help', both_ways('option', name, have, page_options(name)))
    point(f'{name} speaks of no other option', [
        f'{option} is no option' for option in sorted(mentioned_options(name) - have)])


def tables():
    """The client's own tables: table, name and what follows."""
    shown = subprocess.run([os.path.join(BUILD, 'tests', 'list_tables')], capture_output=True, text=True, check=True)
    return [line.split('\t') for line in shown.stdout.splitlines()]


def check_tables(name):
    rows = tables()
    commands = {'/' + name for table, name, _ in rows if table == 'command'}
    described = set()
    for item in items(section(name, 'COMMANDS')):
        described |= {word for word in words(item) if re.match(r'/[a-z]', word)}
    point(f'{name} has the commands of the program', both_ways('command', name, commands, described))
    # A key's name may be of several words, and an item may name several keys.
    keys = {key for table, key, _ in rows if table == 'key'}
    described = [' '.join(word for word in words(item) if word not in ('Ic', 'Sy', 'Cm', 'Ns'))
                 for item in items(section(name, 'KEY BINDINGS') or section(name, 'KEYS'))]
    described = {part.strip() for item in described for part in re.split(r' , | or ', item)}
    point(f'{name} has the keys of the program', both_ways('key', name, keys, described))


def check_marks(name):
    """Every mark on the screen stands in an item, in both its forms."""
    text = section(name, 'THE SCREEN').replace('\\(ha', '^').replace('\\&', '')
    described = set(re.findall(r'"([^"]*)"', '\n'.join(line for line in text.splitlines() if line.startswith('.It'))))
    signs = {sign.strip() for table, *forms in tables() if table == 'mark' for sign in forms}
    point(f'{name} has the marks of the screen', both_ways('mark', name, signs, described))


def source_environment(folders):
    found = set()
    for folder in folders:
        for file in sorted(os.listdir(os.path.join(TOP, folder))):
            if file.endswith('.c'):
                found |= set(re.findall(r'getenv\("([A-Z_]+)"\)|"(XDG_[A-Z_]+)"', read(folder, file)))
    return {name for names in found for name in names if name}


def check_environment(name, folders):
    ours = source_environment(folders)
    described = {words(item)[1] for item in items(section(name, 'ENVIRONMENT')) if item.startswith('Ev ')}
    point(f'{name} has the environment variables of the program', [
        f'{variable} is not in {name}' for variable in sorted(ours - described)] + [
        f'{variable} is in {name} but nobody reads it'
        for variable in sorted(described - ours - LIBRARY_ENVIRONMENT[name])])


def check_exit(name, statuses):
    text = section(name, 'EXIT STATUS')
    described = {words(item)[-1] for item in items(text)}
    point(f'{name} has the exit statuses', [f'{status} is not in {name}' for status in statuses
                                            if status not in described])


def check_pages():
    for name in PAGES:
        path = os.path.join(TOP, 'man', name)
        lint = subprocess.run([MANDOC, '-Tlint', path], capture_output=True, text=True, check=False)
        # Which pages this machine has installed, and whether it has a list of them, is no fault of the page.
        said = [line for line in (lint.stdout + lint.stderr).splitlines()
                if 'referenced manual not found' not in line and 'mandoc.db' not in line]
        point(f'mandoc has nothing to say about {name}', said)
    wrong = []
    for name in PAGES:
        for other, number in re.findall(r'\bXr (upcase[a-z-]*) (\d)', page(name)):
            if not page(f'{other}.{number}'):
                wrong.append(f'{name} refers to {other}({number})')
    point('pages of ours that a page refers to are there', wrong)


def main():
    check_pages()
    check_options(UPCASE, 'upcase.1')
    check_options(UPCASED, 'upcased.8')
    check_tables('upcase.1')
    check_marks('upcase.1')
    check_environment('upcase.1', ['common', 'client-tui'])
    check_environment('upcased.8', ['common', 'server'])
    check_exit('upcase.1', ['0', '1', '2'])
    check_exit('upcased.8', ['0', '1', '2'])
    done()


main()
