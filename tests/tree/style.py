# SPDX-License-Identifier: GPL-3.0-or-later
"""One style: C as clang-format has it by .clang-format, lines of 100 columns at most, and its own header first in each source."""
import os
import re
import shutil
import subprocess

from tap import TOP, done, not_here, point, read

# The version that formats: another one breaks lines in other places.
VERSION = '19'
COLUMNS_MAX = 100
FOLDERS = ['common', 'client-tui', 'server', 'lab', 'checker', 'tests', 'bench']


def files(*suffixes):
    found = []
    for folder in FOLDERS:
        for at, _, names in os.walk(os.path.join(TOP, folder)):
            found += [
                os.path.relpath(os.path.join(at, name), TOP) for name in names
                if name.endswith(suffixes)
            ]
    return sorted(found)


def formatter():
    """The command of that version, if it is installed, by its own name or by the plain one."""
    for name in f'clang-format-{VERSION}', 'clang-format':
        if shutil.which(name) and f'version {VERSION}.' in subprocess.run(
                [name, '--version'], capture_output=True, text=True, check=False).stdout:
            return name
    return None


def check_layout(paths):
    name = f'the C is as clang-format {VERSION} has it'
    if formatter():
        point(name, unformatted(formatter(), paths))
    else:
        not_here(f'clang-format of version {VERSION}', name)


def unformatted(command, paths):
    made = subprocess.run([command, '--dry-run', *paths],
                          cwd=TOP,
                          capture_output=True,
                          text=True,
                          check=False)
    return sorted({
        line.split(' warning:')[0]
        for line in made.stderr.splitlines() if 'code should be clang-formatted' in line
    }) + ([made.stderr[-400:]] if made.returncode else [])


def is_shown(path, line):
    """What a test expects to be shown, a row of a wide screen or of a file, stands on one line as it is."""
    return path.startswith('tests/') and re.match(r'\s*(\{ *)?"([^"\\]|\\.)*"[ ,;})]*$', line)


def too_long(path):
    lines = enumerate((read(path) or '').splitlines(), 1)
    return [f'{path}:{number}: {len(line.expandtabs(8))} columns' for number, line in lines
            if len(line.expandtabs(8)) > COLUMNS_MAX and not is_shown(path, line)]


def own_header_last(path):
    """A source includes its own header before all others, so that the header needs none of them."""
    own = path[:-1] + 'h'
    names = [
        name for name in re.findall(r'^#include ["<]([^">]+)', read(path), re.M)
        if name != 'config.h'
    ]
    mine = [name for name in (own, own.removeprefix('client-tui/')) if name in names]
    return [f'{path}: {mine[0]} should be the first'] if mine and names[0] != mine[0] else []


def short_lived(path):
    """The words of TEXT_FORMAT() and its like last as long as the block: they are an argument, or begin a variable of
    that block. An assignment may be the only statement of an `if`, which is a block of its own."""
    assigned = r'(?m)^\s*\w[\w.>\[\]-]* = [^;(]*\b((?:TEXT|UNITS)_[A-Z]+)\('
    return [f'{path}: {name}() is assigned' for name in re.findall(assigned, read(path))]


def main():
    sources = files('.c', '.h')
    check_layout(sources)
    point(f'no line of C has more than {COLUMNS_MAX} columns',
          [fault for path in sources for fault in too_long(path)])
    point('a source includes its own header first', [
        fault for path in sources
        if path.endswith('.c') and os.path.exists(os.path.join(TOP, path[:-1] + 'h'))
        for fault in own_header_last(path)
    ])
    point('words that last as long as a block are not assigned',
          [fault for path in sources for fault in short_lived(path)])
    done()


main()
