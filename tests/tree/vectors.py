#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The loops that every byte passes are vector instructions, by each compiler that is here and at
each level that one builds with: a loop that a compiler leaves as it is still works, twenty times
slower, and no other test would tell."""

import os
import re
import shutil
import subprocess

from tap import BUILD, TOP, done, not_here, point

LEVELS = [
    '-O2', '-O3', '-O2 -g -fstack-protector-strong -fstack-clash-protection -fcf-protection -fPIE'
]
# Where, and the functions there: with the wide vectors that a processor may have; there are others
# with those that each has.
LOOPS = [('common/capitals.c', {'write_wide': 'y', 'write_widest': 'z'}),
         ('server/counters.c', {'count_wide': 'y'})]
# Bytes of a vector compared with each other, or the least or greatest of them.
COMPARED = {
    'x86_64': r'\bv?p(?:cmpu?\w*b|minub|maxub|minsb|maxsb)\b.*%%%smm',
    'aarch64': r'\bcm(?:gt|ge|eq|hi|hs)\b.*\.16b',
}


def machine(compiler):
    """The processor that a compiler builds for."""
    return subprocess.run([*compiler.split(), '-dumpmachine'], capture_output=True, text=True,
                          check=True).stdout.split('-')[0]


def compilers():
    """The one that builds this first; none twice."""
    found = {}
    for name in (os.environ.get('CC') or 'cc', 'gcc', 'clang'):
        path = shutil.which(name.split()[0])
        if path:
            found.setdefault(os.path.realpath(path), name)
    return list(found.values())


def assembly(compiler, level, source):
    """What the compiler makes of a source file."""
    with open(os.path.join(BUILD, 'Makefile'), encoding='utf-8') as file:
        # Where configure was told that libraries are.
        folders = [f'-I{folder}' for folder in (BUILD, TOP)] + re.search(r'^CPPFLAGS =(.*)$', file.read(), re.M)[1].split()
    made = subprocess.run([
        *compiler.split(), *level.split(), '-std=gnu11', *folders, '-include', 'config.h', '-S',
        '-o', '-', f'{TOP}/{source}'
    ],
                          capture_output=True,
                          text=True,
                          check=False)
    return made.stdout if made.returncode == 0 else '', made.stderr


def split(text, names):
    """The lines of each of the functions, and all others."""
    inside, outside = {name: [] for name in names}, []
    here = outside
    for line in text.splitlines():
        label = re.match(r'([A-Za-z_][\w.]*):', line)
        if label:
            here = inside.get(label.group(1).split('.')[0], outside)
        here.append(line)
    return inside, outside


def has(lines, pattern):
    return any(re.search(pattern, line) for line in lines)


def faults(compiler, level, source, names):
    text, said = assembly(compiler, level, source)
    if not text:
        return [
            f'{compiler} {level} {source}: {line}' for line in said.splitlines()[:5] or ['nothing']
        ]
    inside, outside = split(text, names)
    compared = COMPARED[machine(compiler)]
    if '%s' not in compared:
        return [] if has(outside, compared) else [f'{source}: no vectors']
    wrong = []
    for name, register in names.items():
        if not has(inside[name], compared % register):
            wrong.append(f'{source}: {name}() has no vectors in {register}mm registers')
    if not has(outside, compared % 'x'):
        wrong.append(f'{source}: no vectors of 16 bytes for other processors')
    return wrong


for compiler in compilers():
    for level in LEVELS:
        if machine(compiler) in COMPARED:
            point(f'vectors by {compiler} {level}',
                  [fault for source, names in LOOPS for fault in faults(compiler, level, source, names)])
        else:
            not_here(f'vectors of {machine(compiler)}', f'vectors by {compiler} {level}')
# That the test can fail.
if machine(compilers()[0]) in COMPARED:
    point('without the level there are none',
          [] if faults(compilers()[0], '-O0', *LOOPS[0]) else ['they are found at -O0'])
done()
