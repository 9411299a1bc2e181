# SPDX-License-Identifier: GPL-3.0-or-later
"""tools/matrix without a root: its cells, what it says of names that are none, what a log comes to, and the table."""

import importlib.machinery
import importlib.util
import json
import os
import subprocess
import sys
import tempfile

from tap import TOP, done, point

PATH = os.path.join(TOP, 'tools', 'matrix')

LOG = """matrix: compiler: 12.2.0
matrix: libc6:amd64: 2.36-9+deb12u10
matrix: libreadline-dev: 8.2-1.3+b1
check: building as it is in build-check/
check: as it is: not to be had here (2): /dev/net/tun
FAIL: tests/unit/client/test_view 3 - rows
check: as it is: 1204 passed, 1 failed, 2 not to be had here
"""


def load():
    sys.dont_write_bytecode = True
    loader = importlib.machinery.SourceFileLoader('matrix', PATH)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader('matrix', loader))
    loader.exec_module(module)
    return module


def run(*arguments, **environment):
    return subprocess.run([sys.executable, PATH, *arguments], env={**os.environ, **environment},
                          capture_output=True, text=True, check=False)


def cells(matrix):
    names = [cell.name for cell in matrix.CELLS]
    faults = [f'{name} stands there twice' for name in set(names) if names.count(name) > 1]
    faults += [f'{cell.name}: no root {cell.root}' for cell in matrix.CELLS if cell.root not in matrix.ROOTS]
    faults += [f'no cell uses {name}' for name in matrix.ROOTS if name not in {cell.root for cell in matrix.CELLS}]
    return faults


def covers(matrix):
    """The compilers, flags and releases that README promises."""
    wanted = {f'gcc-{number}' for number in range(12, 17)} | {'clang-14'}
    faults = sorted(wanted - {cell.compiler for cell in matrix.CELLS})
    flags = ' '.join(cell.flags for cell in matrix.CELLS).split()
    faults += [flag for flag in ('-O0', '-O2', '-O3', '-flto=auto') if flag not in flags]
    faults += ['--enable-portable'] if not any('--enable-portable' in cell.options for cell in matrix.CELLS) else []
    faults += ['musl-gcc'] if 'musl-gcc' not in {cell.compiler for cell in matrix.CELLS} else []
    releases = {root.release for root in matrix.ROOTS.values()}
    return [f'no cell has {name}' for name in (*faults, *sorted({'bookworm', 'trixie', 'sid'} - releases))]


def unknown():
    faults = []
    for names in (['x'], ['--list', 'debian12-gcc12', 'x']):
        result = run(*names)
        if (result.returncode, result.stdout) != (2, '') or not result.stderr.startswith(
                'tools/matrix: no cell is called x: ') or result.stderr.count('\n') != 1:
            faults.append(f'{names}: {result}')
    return faults


def misplaced():
    """A folder whose roots would be taken for sources is named in one line."""
    faults = []
    for folder in os.path.join(TOP, 'roots'), '':
        result = run('--folder', folder, 'debian12-gcc12')
        if (result.returncode, result.stdout) != (1, '') or folder not in result.stderr or result.stderr.count('\n') != 1:
            faults.append(f'{folder}: {result}')
    return faults


def listed(matrix):
    everything = [line.split()[0] for line in run('--list').stdout.splitlines()]
    some = run('--list', 'sid-*').stdout.splitlines()
    return ([] if everything == [cell.name for cell in matrix.CELLS] else [str(everything)]) + (
        [] if some and all(line.startswith('sid-') for line in some) else [str(some)])


def shown(matrix):
    cell, other = matrix.CELLS[:2]
    failed = {**matrix.read_log(LOG), 'seconds': 65, 'status': 1, 'log': '/log'}
    lines = matrix.table([(cell, failed), (other, {'absent_because': 'no network'})])
    heads, first, second, *behind = lines
    faults = [f'{head}: {heads!r}' for head in ('cell', 'glibc', 'passed', 'time') if head not in heads]
    for field, head in (('12.2.0', 'compiler'), ('2.36', 'glibc'), ('8.2', 'readline'), ('ok', 'build'),
                        ('1204', 'passed'), ('1', 'failed'), ('2', 'not here'), ('1:05', 'time')):
        if field not in first[heads.index(head):].split('  ')[0]:
            faults.append(f'{head} is not {field}: {first!r}')
    for line in (f'{cell.name}: failed: tests/unit/client/test_view 3 - rows', f'{cell.name}: all of it: /log',
                 f'{other.name}: not to be had here: no network',
                 f'not to be had here (2): /dev/net/tun [{cell.name}]',
                 '0 cells passed, 1 failed, 1 not to be had here'):
        if line not in behind:
            faults.append(f'{line!r} is not in {behind}')
    return faults + ([] if 'not here' in second else [second])


def unbuilt(matrix):
    result = matrix.read_log('check: FAIL: building as it is (all of it: prepare.log)\n0 passed, 1 failed\n')
    return [str(result)] if result['built'] or matrix.outcome(result) != 'does not build' else []


def older(matrix):
    """The table of what is kept names the commit of each row, and says which is not of these sources."""
    cell = matrix.CELLS[0]
    with tempfile.TemporaryDirectory() as folder:
        it = matrix.Matrix(folder, TOP, 'now')
        kept = {**matrix.read_log(LOG), 'seconds': 65, 'status': 0, 'commit': 'abc1234', 'source': 'then'}
        with open(it.place('results', f'{cell.name}.json'), 'w', encoding='ascii') as file:
            json.dump(kept, file)
        lines = matrix.table(matrix.results_of(it, matrix.CELLS[:2], it.kept))
    wanted = lines[1].endswith('abc1234, older'), f'run with older sources than these: {cell.name}' in lines, (
        f'{matrix.CELLS[1].name}: not to be had here: it has not run yet' in lines)
    return [] if all(wanted) else lines


def without_tools(matrix):
    """Where nothing is installed a cell says so, and has not failed; but a matrix of such cells alone has shown nothing."""
    with tempfile.TemporaryDirectory() as folder:
        matrix.find = lambda name: None
        try:
            matrix.Matrix(folder, TOP, 'hash').result(matrix.CELLS[0])
        except matrix.NotHere as why:
            absent = (matrix.CELLS[0], {'absent_because': str(why)})
            lines = matrix.table([absent])
            good, bad = ((matrix.CELLS[1], {'status': status}) for status in (0, 1))
            statuses = [matrix.exit_status(results) for results in ([absent], [absent, good], [absent, good, bad])]
            told = 'tools/needs install matrix' in str(why) and lines[-1].startswith('0 cells passed, 0 f')
            return [] if told and statuses == [1, 0, 1] else [*lines, str(statuses)]
    return ['it runs']


def kept(matrix):
    """A cell with a result runs again when it is asked for, or when its packages or the sources are others."""
    cell, tries = matrix.CELLS[0], []
    with tempfile.TemporaryDirectory() as folder:
        root = os.path.join(folder, 'root')
        for path, text in (f'usr/bin/{cell.compiler}', ''), ('var/lib/dpkg/status', 'one'):
            os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
            with open(os.path.join(root, path), 'w', encoding='ascii') as file:
                file.write(text)

        def result(again=False, source='one'):
            it = matrix.Matrix(folder, TOP, source, again)
            it.make_root = lambda name: root
            it.try_cell = lambda cell, root: tries.append(source) or {'status': 0}
            return it.result(cell)['status']
        matrix.find = lambda name: name
        counts = []
        for arguments in {}, {}, {'again': True}, {'source': 'two'}, {'source': 'two'}:
            result(**arguments)
            counts.append(len(tries))
        with open(os.path.join(root, 'var/lib/dpkg/status'), 'w', encoding='ascii') as file:
            file.write('two')
        result(source='two')
        counts.append(len(tries))
    return [] if counts == [1, 1, 2, 3, 3, 4] else [str(counts)]


module = load()
point('each cell has a name of its own and a root', cells(module))
point('the cells have every compiler, flag and release', covers(module))
point('a name that is no cell is named, with status 2', unknown())
point('a folder within the sources is refused', misplaced())
point('--list lists the cells, or those of a pattern', listed(module))
point('the table has a row for each cell, and behind it what failed and what is not there', shown(module))
point('what does not build is told', unbuilt(module))
point('what ran with other sources is marked', older(module))
point('a cell that cannot be had has not failed', without_tools(module))
point('a result is kept until sources, cell or packages are others', kept(module))
done()
