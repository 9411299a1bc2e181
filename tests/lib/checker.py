# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of upcase-check share: running it, and the programs that it judges."""
import atexit
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

from tap import BUILD, TOP, Late, best_of, has, not_here, point

CHECK = os.path.join(BUILD, 'checker', 'upcase-check')
if not has('LAB'):
    not_here('upcase-check, which is built where the lab is')
# Not a wrapper, which would start others first.
PYTHON = sys.executable
PATIENCE = 60 * float(os.environ.get('TEST_PATIENCE', '1'))
LONG = os.environ.get('UPCASE_TEST_LONG', '') not in ('', '0')
PLACE = tempfile.mkdtemp(prefix='check-test-')
atexit.register(shutil.rmtree, PLACE, ignore_errors=True)
ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if name not in ('NO_COLOR', 'TERM')},
    'LC_ALL': 'C.UTF-8',
    'TERM': 'xterm',
    'UPCASE_LAB_COMMAND': os.path.join(BUILD, 'lab', 'upcase-lab'),
}


def check(*words, env=None, patience=PATIENCE, **more):
    """Runs upcase-check with these words: its CompletedProcess, with bytes."""
    return subprocess.run([CHECK, *map(str, words)],
                          stdin=subprocess.DEVNULL,
                          capture_output=True,
                          timeout=patience,
                          env={**ENVIRONMENT, **(env or {})},
                          check=False,
                          **more)


def file(name, text):
    """A file of this test's own."""
    path = os.path.join(PLACE, name)
    with open(path, 'w', encoding='utf-8', newline='') as out:
        out.write(text)
    return path


def script(name, source):
    """The command of a program in Python."""
    return [PYTHON, file(name, source)]


def compiled(name, *command):
    """The program of a source of tests/lib/students."""
    path = os.path.join(PLACE, name.split('.')[0])
    if not os.path.exists(path):
        subprocess.run([*command, '-o', path, os.path.join(TOP, 'tests/lib/students', name)], check=True,
                       env={**os.environ, 'GOCACHE': os.path.join(PLACE, 'go'), 'GO111MODULE': 'off'})
    return path


# Plain, as a student compiles it: a sanitizer would find the fault in place of the judge. `go run` is no program
# to judge: it does not pass on SIGTERM.
COMPILERS = {'c': [*(os.environ.get('CC') or 'cc').split(), '-O2', '-pthread', '-w'], 'go': ['go', 'build']}
# What executes a source that is not compiled, and how it is found.
INTERPRETERS = {'py': [PYTHON], 'js': ['node']}


def command(program):
    """The command of a program of tests/lib, or a command itself; None where the machine cannot execute it."""
    if isinstance(program, list):
        return program if shutil.which(program[0]) else None
    name, kind = program.rsplit('.', 1)
    if kind in COMPILERS:
        return [compiled(program, *COMPILERS[kind])] if shutil.which(COMPILERS[kind][0]) else None
    words = INTERPRETERS[kind]
    folder = '' if '/' in program else 'students'
    return [*words, os.path.join(TOP, 'tests/lib', folder, program)] if shutil.which(words[0]) else None


def judge(side, words, *options):
    """The verdict on a command: the report as JSON of each case, by its name."""
    done = check(side, '--json', *options, '--', *words, patience=10 * PATIENCE)
    if done.returncode not in (0, 1) or done.stderr:
        raise RuntimeError(f'{words}: status {done.returncode}, {done.stderr!r}')
    return {case['name']: case for case in json.loads(done.stdout)['cases']}


def side_by_side(check_one, *calls, count=4):
    """Calls check_one with the arguments of each call, so many at a time: a judge mostly waits."""
    with ThreadPoolExecutor(count) as pool:
        for result in [pool.submit(check_one, *call) for call in calls]:
            result.result()


LEVELS = ['textbook', 'robust', 'unicode']


def reasons(cases):
    return [f'{case["name"]}: {case["wrong"]}; sent {case.get("sent", "")}; came {case.get("came", "")}'
            for case in cases if case['result'] == 'failed']


def wrong_verdicts(cases, level, finds):
    """Faults: cases of the level that fail, but for those that find the program's fault; and of these those that pass."""
    passes = LEVELS.index(level) if level else -1
    return reasons(case for case in cases.values()
                   if LEVELS.index(case['level']) <= passes and case['name'] not in finds) + [
        # On a busy machine what comes too early may come in time, and what comes twice too late.
        Late(f'{name} does not find the fault') for name in finds
        if cases.get(name, {}).get('result') != 'failed']


def check_row(side, words, name, level, finds, is_right):
    """A row of the table of programs: a point. A right program shows it in all cases of its level, a faulty one in those
    that find its fault."""
    # Of tools such as socat, whose runs are long, not all cases each time.
    is_tool = os.path.basename(words[0]) in ('socat', 'ncat', 'busybox', 'node')

    def verdicts():
        cases = {}
        if LONG:
            cases = judge(side, words)
        elif is_right and not is_tool:
            cases = judge(side, words, '--level', level)
        if not LONG and finds:
            cases.update(judge(side, words, '--wait', '1s', '--case', ','.join(finds)))
        return wrong_verdicts(cases, level, finds)

    try:
        faults = best_of(verdicts, 3)
    except RuntimeError as error:
        faults = [str(error)]
    point(f'{name}: {", ".join(finds) or level}', faults)
    if LONG and is_right:
        point(f'{name}: 200 times', [reason for _ in range(200)
                                     for reason in reasons(judge(side, words, '--level', level).values())])


def run_table(side, table, operands, count=4):
    """Judges each program of the table; `operands`: what its command line ends with."""
    calls = []
    for program, level, finds in table:
        words = command(program)
        name = program if isinstance(program, str) else ' '.join([os.path.basename(program[0]), *program[1:]])
        if not words:
            # Go, Node.js and busybox: the tests need none of them.
            print(f'# left out, since there is nothing that executes it: {name}')
            continue
        if isinstance(program, str):
            words = words + operands
        is_right = level and (not finds or isinstance(program, str) and not re.search('_(client|server)_', program))
        calls.append((side, words, name, level, finds.split(), is_right))
    side_by_side(check_row, *calls, count=count)
