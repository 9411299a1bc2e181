# SPDX-License-Identifier: GPL-3.0-or-later
"""What upcase-check prints: text, TAP, JUnit's XML and JSON, points, the choice of cases, the exit status, and
wrong usage. The judged server prints and answers what could spoil each."""
import json
import os
import pty
import re
import subprocess
import traceback
import xml.etree.ElementTree as ElementTree

from checker import CHECK, ENVIRONMENT, PLACE, check, file, script
from tap import done, point

# Answers rightly where the text has "good" in it, and prints what each form of output must mask.
SERVER = script('server.py', r'''
import socket, sys
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
sys.stdout.buffer.write(b"\x1b]0;owned\x07 \x01\x7f\xff \xc2\x9b1m caf\xc3\xa9 ]]> <&>\"'\n")
sys.stdout.flush()
while True:
    client = server.accept()[0]
    while data := client.recv(100):
        sys.stdout.buffer.write(b"\x1b[31m" + data + b"\xed\xa0\x80 ]]> <&>\"'\n")
        sys.stdout.flush()
        client.sendall(data.upper() if b"good" in data else b"\x1b[2J\xff]]>\"'<\x00\n")
''') + ['{port}']
CASES = file('own.cases', r'''# a comment

case first textbook tcp
title the <good> & "first" ]]> é
why because
open
ask good
ask very good
case second robust tcp
title the second
why it's "why" <&> ]]> ü
open
ask b\x1b]\xff"'<&>]]>

case third unicode udp
title the third
why no UDP
open
ask good
''')
OWN = ['server', '--cases', CASES]
# What XML 1.0 and a terminal must not see: controls but the end of line, those of C1 too.
CONTROLS = re.compile('[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffd]')
SHOWN = '\\x1b[2J\\xff]]>"\'<'


def same(what, got, wanted):
    return [] if got == wanted else [f'{what}: got {got!r}', f'{what}: wanted {wanted!r}']


def text_of(output, what):
    """The output as UTF-8 without controls, and faults."""
    text = output.decode(errors='surrogateescape')
    found = CONTROLS.search(text)
    return text, [f'{what}: {found[0]!r} in it: {text!r}'] if found else []


def run(*options, words=SERVER, status=1, **more):
    """Judges the server: the output, and faults."""
    got = check(*OWN, *options, '--', *words, **more)
    text, faults = text_of(got.stdout, 'stdout')
    return text, faults + same('status', got.returncode, status) + same('stderr', got.stderr, b'')


def test_text():
    text, faults = run()
    for part in (' ✓ first ', 'the <good> & "first" ]]> é\n', ' ✗ second ',
                 ' – third          the third: not run, it has no UDP\n',
                 '\n1 passed, 1 failed, 1 not run\n', 'level textbook: 1 of 1\n',
                 'level robust: 0 of 1\n', '  right    it\'s "why" <&> ]]> ü\n', '  wrong    ',
                 '  sent     "b\\x1b]\\xff', '  printed  ', SHOWN):
        if part not in text:
            faults.append(f'there is no {part!r} in {text!r}')
    if 'point' in text:
        faults.append('points, without --weights')
    return faults


def test_ascii():
    text, faults = run(env={'LC_ALL': 'C'})
    for part in ' ok first ', ' NO second ', ' -- third ':
        if part not in text:
            faults.append(f'there is no {part!r} in {text!r}')
    return faults


def on_terminal(**env):
    """What a terminal gets."""
    master, slave = pty.openpty()
    with subprocess.Popen([CHECK, *OWN, '--', *SERVER], stdin=slave, stdout=slave, stderr=slave,
                          env={**ENVIRONMENT, **env}) as judge:
        os.close(slave)
        text = b''
        try:
            while data := os.read(master, 4096):
                text += data
        except OSError:
            pass
        os.close(master)
        judge.wait()
    return text.decode(errors='surrogateescape').replace('\r\n', '\n')


def test_colour():
    text, plain = on_terminal(), re.compile('\033\\[[0-9]*m')
    faults = [f'there is no {mark!r} in {text!r}' for mark in
              ('\033[32m✓\033[0m', '\033[31m✗\033[0m') if mark not in text]
    return faults + text_of(plain.sub('', text).encode(errors='surrogateescape'), 'terminal')[1]


def test_no_colour():
    return text_of(on_terminal(NO_COLOR='1').encode(errors='surrogateescape'), 'terminal')[1]


def read_tap(text):
    """The points of a TAP stream, version 14: number, result, description, directive; and faults."""
    lines = text.splitlines()
    faults = same('version', lines[:1], ['TAP version 14'])
    plan = re.fullmatch(r'1\.\.(\d+)', lines[1]) or ['', '-1']
    points, block = [], None
    for line in lines[2:]:
        match = re.fullmatch(r'(ok|not ok) (\d+) - ((?:[^#\\]|\\[#\\]|(?<=\S)#)*?)(?: # (SKIP|TODO) (.*))?', line)
        if block is not None:
            row = re.fullmatch(r'  ([a-z]+): (".*")', line)
            if line == '  ...':
                block = None
            elif row:
                block[row[1]] = json.loads(row[2])
            else:
                faults.append(f'in a block: {line!r}')
        elif match:
            points.append((*match.groups(), {}))
        elif line == '  ---' and points:
            block = points[-1][-1]
        elif not line.startswith('#'):
            faults.append(f'no TAP: {line!r}')
    return points, faults + same('plan', int(plan[1]), len(points)) + same(
        'numbers', [p[1] for p in points], [str(i + 1) for i in range(len(points))]) + (
            ['a block without an end'] if block is not None else [])


def test_tap():
    text, faults = run('--tap')
    points, wrong = read_tap(text)
    faults += wrong
    faults += same('results', [(p[0], p[3], p[4]) for p in points],
                           [('ok', None, None), ('not ok', None, None),
                            ('ok', 'SKIP', 'it has no UDP')])
    block = points[1][5]
    faults += same('keys', sorted(block), ['came', 'printed', 'right', 'sent', 'wrong'])
    return faults + ([] if SHOWN in block['came'] else [f'no {SHOWN!r} in {block}'])


def test_tap_hash():
    cases = file('hash.cases', 'case a#b textbook tcp\ntitle #' + ' SKIP this \\ that\nwhy x\nopen\nask good\n')
    got = check('server', '--cases', cases, '--tap', '--', *SERVER)
    points, faults = read_tap(got.stdout.decode())
    return faults + same('directives', [(p[0], p[3]) for p in points], [('ok', None)])


def test_junit():
    path = os.path.join(PLACE, 'results.xml')
    text, faults = run('--junit', path, '--tap')
    faults += read_tap(text)[1]
    with open(path, 'rb') as results:
        raw = results.read()
    faults += text_of(raw, 'XML')[1]
    suite = ElementTree.fromstring(raw).find('testsuite')
    faults += same('counts', {key: suite.get(key) for key in ('tests', 'failures', 'errors', 'skipped')},
                   {'tests': '3', 'failures': '1', 'errors': '0', 'skipped': '1'})
    cases = suite.findall('testcase')
    faults += same('elements', [[child.tag for child in case] for case in cases],
                   [[], ['failure'], ['skipped']])
    faults += same('name', cases[0].get('name'), 'first: the <good> & "first" ]]> é')
    faults += same('classes', [case.get('classname') for case in cases],
                   ['server.textbook', 'server.robust', 'server.unicode'])
    body = cases[1].find('failure').text
    faults += [f'no {part!r} in {body!r}' for part in
               (SHOWN, '\\x1b[31m', '\\xed\\xa0\\x80 ]]> <&>"\'', 'it\'s "why" <&> ]]> ü') if part not in body]
    if float(suite.get('time')) < sum(float(case.get('time')) for case in cases) - 0.01:
        faults.append('the suite took less than its cases')
    return faults


def test_junit_words():
    """The command's words too."""
    path = os.path.join(PLACE, 'words.xml')
    odd = '<"&\'>]]>\x1b\x01 \n é'
    _, faults = run('--junit', path, words=[*SERVER, odd])
    value = ElementTree.parse(path).find('testsuite/properties/property').get('value')
    return faults + [f'no {part!r} in {value!r}' for part in ('<"&\'>]]>', 'é') if part not in value]


# Bytes that are not UTF-8 among the command's words.
INVALID = [*SERVER, b'\xff\xc3'.decode(errors='surrogateescape')]


def test_json_words():
    text, faults = run('--json', words=INVALID)
    return faults or same('failed', json.loads(text).get('failed'), 1)


def test_junit_invalid():
    path = os.path.join(PLACE, 'invalid.xml')
    faults = run('--junit', path, words=INVALID)[1]
    return faults + same('name', ElementTree.parse(path).find('testsuite').get('name'), 'upcase-check server')


def test_junit_full():
    got = check(*OWN, '--junit', '/dev/full', '--case', 'first', '--', *SERVER)
    return same('status', got.returncode, 1) + same(
        'stderr', got.stderr, b'upcase-check: /dev/full: No space left on device\n')


def test_json():
    text, faults = run('--json')
    all_ = json.loads(text)
    faults += same('keys', sorted(all_), ['cases', 'check', 'failed', 'level', 'of', 'passed', 'points',
                                          'program', 'skipped'])
    faults += same('sums', [all_.get(key) for key in ('passed', 'failed', 'skipped', 'points', 'of')],
                   [1, 1, 1, 1, 2])
    faults += same('judged', [all_.get('check'), all_.get('level'), all_.get('program')],
                   ['server', 'unicode', ' '.join(SERVER)])
    usual = ['level', 'name', 'points', 'result', 'seconds', 'title']
    more = [[], ['came', 'printed', 'right', 'sent', 'wrong'], ['skipped']]
    faults += same('cases', [sorted(case) for case in all_['cases']], [sorted(usual + m) for m in more])
    return faults + same('results', [case['result'] for case in all_['cases']],
                         ['passed', 'failed', 'skipped'])


def test_long():
    """Texts too long to be shown whole are cut between characters."""
    faults = []
    for n in range(2):
        odd = 'x' * n + 'é' * 300
        cases = file('long.cases', f'case long textbook\ntitle {odd}\nwhy {odd}\nserve\ntype {odd}\nshows {odd}\n')
        path = os.path.join(PLACE, 'long.xml')
        words = ['client', '--cases', cases, '--wait', '100ms', '--junit', path]
        text, wrong = text_of(check(*words, '--', 'sh', '-c', 'sleep 10', '{port}', odd, odd).stdout, 'text')
        judged = json.loads(check(*words, '--json', '--', 'sh', '-c', 'sleep 10', '{port}', odd, odd).stdout)
        faults += wrong + [f'no {key!r} in {judged}' for key in ('sent', 'wrong', 'right') if key not in judged['cases'][0]]
        faults += same('cases', len(ElementTree.parse(path).findall('testsuite/testcase')), 1)
    return faults


def test_points():
    weights = file('points', '# points\nfirst 5\nsecond 7\n')
    text, faults = run('--json', '--weights', weights)
    all_ = json.loads(text)
    faults += same('points', [case['points'] for case in all_['cases']], [5, 0, 0])
    faults += same('sums', [all_['points'], all_['of']], [5, 12])
    text, wrong = run('--weights', weights)
    return faults + wrong + ([] if '; 5 of 12 points\n' in text else [f'no points in {text!r}'])


def names(*options):
    """The cases that run with these options."""
    return [case['name'] for case in
            json.loads(check(*OWN, '--json', *options, '--', *SERVER).stdout)['cases']]


def test_choice():
    faults = []
    for options, wanted in ((['--level', 'textbook'], ['first']),
                            (['--level', 'robust'], ['first', 'second']),
                            (['--case', 'third,first'], ['first', 'third']),
                            (['--skip', 'second,first'], ['third']),
                            (['--case', 'first,second', '--skip', 'second'], ['first'])):
        faults += same(' '.join(options), names(*options), wanted)
    return faults


def test_demands():
    """A server without UDP fails the cases of UDP where that is demanded; else they are not run."""
    faults = []
    for option, wanted in ('--udp', ['passed', 'failed']), ('--tcp', ['passed', 'skipped']):
        out = check(*OWN, '--json', '--wait', '100ms', option, '--case', 'first,third', '--', *SERVER)
        faults += same(option, [case['result'] for case in json.loads(out.stdout)['cases']], wanted)
    return faults


def test_status():
    faults = []
    for case, status in ('first', 0), ('second', 1):
        faults += run('--case', case, status=status)[1]
    return faults


def test_lists():
    faults = []
    for side in 'server', 'client':
        plain = check(side, '--list')
        steps = check(side, '--show')
        faults += same('status', [plain.returncode, steps.returncode], [0, 0])
        rows = plain.stdout.decode().splitlines()
        faults += [f'no row of a case: {row!r}' for row in rows
                   if not re.fullmatch(r'[a-z0-9-]+ +(textbook|robust|unicode) +\S.*', row)]
        if len(rows) < 15:
            faults.append(f'{len(rows)} cases')
        # What --show prints is what --cases reads.
        again = file('shown.cases', steps.stdout.decode())
        faults += same('read again', check(side, '--cases', again, '--list').stdout, plain.stdout)
        faults += same('shown again', check(side, '--cases', again, '--show').stdout, steps.stdout)
    faults += same('chosen', check(*OWN, '--list', '--level', 'robust', '--skip', 'first').stdout.split()[:1], [b'second'])
    own = check(*OWN, '--list').stdout.decode().split('\n')
    return faults + same('own cases', [row.split(' ')[0] for row in own], ['first', 'second', 'third', ''])


# A line that is wrong among cases, and what must be said of it.
WRONG_CASES = {
    'open\n': "line 1: 'open' stands before the first case",
    'case x textbook\nopen\n\n# x\njump\n': "line 5: 'jump' is no step",
    'case x\n': "line 1: 'case x' needs a name and a level",
    'case\n': "line 1: 'case' needs a name and a level",
    'case x hard\n': "line 1: 'case x hard' needs a name and a level",
    'case x textbook sctp\n': "line 1: 'case x textbook sctp' can need udp, tcp",
    'case x textbook\ncase x robust\n': "line 2: 'case x robust' has the name of another case",
    ''.join(f'case c{i} textbook\n' for i in range(65)): "line 65: 'case c64 textbook' is one case too many",
    'case x textbook\nopen\x00\n': 'zero byte',
    'case x textbook\n\x1b]0;owned\x07\n': "line 2: '\\x1b]0;owned\\x07' is no text",
}


def refused(words, said=(), env=None):
    """Wrong usage: one line on stderr, with these parts, and status 2."""
    got = check(*words, env=env, patience=20)
    text, faults = text_of(got.stderr, 'stderr')
    what = ' '.join(words)[:100]
    faults += same(f'{what}: status', got.returncode, 2) + same(f'{what}: stdout', got.stdout, b'')
    if not text.startswith('upcase-check: ') or text.count('\n') != 1:
        faults.append(f'{what}: no single line: {text!r}')
    return faults + [f'{what}: no {part!r} in {text!r}' for part in said if part not in text]


def test_wrong_cases():
    return [fault for i, (text, said) in enumerate(WRONG_CASES.items())
            for fault in refused(['server', '--cases', file(f'wrong{i}.cases', text), '--list'], [said])]


WRONG_WEIGHTS = {
    'first 5\nfourth 1\n': ["line 2: 'fourth 1' names no case"],
    'first x\n': ['line 1: ', 'first', 'number of points'],
    'first -1\n': ['line 1: ', 'number of points'],
    'first 1001\n': ['line 1: ', 'number of points'],
    'first\n': ['line 1: ', 'first', 'number of points'],
    'first\0 5\n': ['zero byte'],
}


def test_wrong_weights():
    faults = refused([*OWN, '--weights', '/nonexistent', '127.0.0.1', '9'], ['/nonexistent'])
    for i, (text, said) in enumerate(WRONG_WEIGHTS.items()):
        faults += refused([*OWN, '--weights', file(f'wrong{i}.points', text), '127.0.0.1', '9'], said)
    return faults


WRONG_USAGE = [
    ([], ['server', 'client']), (['both', '--', 'true'], ['server', 'client']), (['--tap'], ['server']),
    (['--', 'server', 'h', '1'], ['server']), (['server'], ['HOST PORT']), (['server', 'h'], ['HOST PORT']),
    (['server', 'h', '1', '2'], ['HOST PORT']), (['server', '--'], ['command']),
    (['client'], ['client -- COMMAND']), (['client', 'h', '1'], ['client -- COMMAND']),
    (['client', '--'], ['command']), (['server', 'h', '0'], ['port']), (['server', 'h', '65536'], ['port']),
    (['server', 'h', 'x'], ['port']), (['server', 'h', '-1'], []),
    (['server', '--port', '0', '--', 'x'], ['--port']), (['server', '--level', 'hard', 'h', '1'], ['--level']),
    (['server', '--case', 'line', 'h', '1'], ['--case', "'line'"]),
    (['server', '--case', 'tcp-line,', '--skip', 'x', 'h', '1'], ['--skip', "'x'"]),
    (['server', '--case', '', 'h', '1'], ['--case']), (['server', '--case', ',', 'h', '1'], ['--case']),
    (['server', '--case', 'x\x1b[2J', 'h', '1'], ['--case']), (['server', '--wait', 'x', 'h', '1'], ['--wait']),
    (['server', '--wait', '0', 'h', '1'], ['--wait']), (['server', '--limit', '2h', 'h', '1'], ['--limit']),
    (['server', '--cases', '/nonexistent', 'h', '1'], ['/nonexistent']),
    (['server', '--cases', '/', 'h', '1'], ['/']), (['server', '--cases', '/dev/zero', 'h', '1'], ['/dev/zero']),
    (['server', '--junit', '/nonexistent/x', '127.0.0.1', '9'], ['--junit', '/nonexistent/x']),
    (['server', '--junit', '', 'h', '1'], ['--junit']), (['server', '--nosuch', 'h', '1'], ['--nosuch']),
    (['server', '--udp=1', 'h', '1'], ['--udp']), (['server', '--drop', '', '--', 'x'], ['--drop']),
    (['server', '--lab', '', 'h', '1'], ['COMMAND']), (['server', '--drop', 'request:1', 'h', '1'], ['COMMAND']),
    (['server', *['--drop=request:1'] * 9, '--', 'x'], ['--drop']),
    (['server', '--tap', 'name.invalid', '9'], ['name.invalid']),
]


def test_wrong_usage():
    return [fault for words, said in WRONG_USAGE for fault in refused(words, said)]


def test_nothing_left():
    """No case is left: that is not "all passed"."""
    return [fault for options in (['--level', 'textbook', '--case', 'second'],
                                  ['--case', 'first', '--skip', 'first'],
                                  ['--case', 'third', '--tcp'])
            for fault in same(' '.join(options),
                              check(*OWN, *options, '--', *SERVER).returncode == 0, False)]


for name, test in {
        'text: marks, reasons and sums, nothing that drives the terminal': test_text,
        'ASCII marks in a locale without UTF-8': test_ascii,
        'colour on a terminal': test_colour,
        'no colour with NO_COLOR': test_no_colour,
        '--tap is TAP': test_tap,
        '--tap: a # in a title is no directive': test_tap_hash,
        '--junit is well-formed, beside another form': test_junit,
        "--junit masks the command's words": test_junit_words,
        '--junit is well-formed where a word is not UTF-8': test_junit_invalid,
        '--junit to a full disk': test_junit_full,
        '--json has all keys': test_json,
        '--json where a word is not UTF-8': test_json_words,
        'long texts are cut between characters': test_long,
        '--weights: points add up': test_points,
        '--weights: what is wrong is named': test_wrong_weights,
        '--level, --case and --skip choose': test_choice,
        '--udp and --tcp demand': test_demands,
        'the exit status': test_status,
        'no case is left to judge': test_nothing_left,
        '--list and --show': test_lists,
        '--cases: a wrong line is named': test_wrong_cases,
        'wrong usage is one line and status 2': test_wrong_usage,
}.items():
    try:
        wrong = test()
    except Exception:  # pylint: disable=broad-except
        wrong = traceback.format_exc().splitlines()
    point(name, wrong)
done()
