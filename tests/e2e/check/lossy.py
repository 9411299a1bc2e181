# SPDX-License-Identifier: GPL-3.0-or-later
"""upcase-check in the lab: right programs pass over a link that loses, faulty ones fail there too; packets that --drop names;
wrong words for the link; nothing is left."""
import json
import os
import traceback

import lab
from checker import LONG, PATIENCE, PYTHON, check, command, file, script, side_by_side
from tap import UPCASED, done, point

lab.need_hosts()
MARK = f'CHECK_MARK={os.getpid()}'
LOSSY = 'loss 20% delay 20ms'
# A student's: both transports, at the address that it is given.
SERVER = script('server.py', '''
import socket, sys, threading
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.bind((sys.argv[1], int(sys.argv[2])))
tcp = socket.create_server((sys.argv[1], int(sys.argv[2])), backlog=100)

def serve(client):
    while data := client.recv(4096):
        client.sendall(data.upper())

def accept():
    while True:
        threading.Thread(target=serve, args=(tcp.accept()[0],), daemon=True).start()

threading.Thread(target=accept, daemon=True).start()
while True:
    data, client = udp.recvfrom(65536)
    if "silent" not in sys.argv:
        udp.sendto(data.upper(), client)
''') + ['{host}', '{port}']
ANYWHERE = [*SERVER[:2], '0.0.0.0', '{port}']
CLIENT = ['{host}', '{port}']
CASES = file('own.cases', '''case datagram textbook udp
open
ask hello
ask again
case wrong textbook udp
open
ask hello
want nonsense
case stream textbook tcp
open
ask hello
ask again
''')


def judged(side, words, *options):
    """The results of the cases, and faults."""
    got = check(side, '--json', *options, '--', *words, env=dict([MARK.split('=')]), patience=4 * PATIENCE)
    if got.stderr or got.returncode not in (0, 1):
        return {}, [f'status {got.returncode}, {got.stderr!r}']
    return {case['name']: case for case in json.loads(got.stdout)['cases']}, []


def passes(side, words, *options):
    cases, faults = judged(side, words, *options)
    if not any(case['result'] == 'passed' for case in cases.values()):
        faults.append('nothing has passed')
    return faults + [f'{case}' for case in cases.values() if case['result'] == 'failed']


def fails(side, words, names, *options):
    """These cases fail."""
    cases, faults = judged(side, words, *options, '--case', ','.join(names))
    return faults + [f'{cases.get(name)}' for name in names if cases.get(name, {}).get('result') != 'failed']


def repeats(rule, repeated):
    """What the rule has dropped is sent again, and the report says so: of a case that fails for another reason."""
    cases, faults = judged('server', SERVER, '--cases', CASES, '--drop', rule, '--wait', '1s')
    faults += [f'{name}: {cases.get(name)}' for name, result in
               (('datagram', 'passed'), ('wrong', 'failed'), ('stream', 'passed'))
               if cases.get(name, {}).get('result') != result]
    again = 'the same again, since the link lost a packet' in cases.get('wrong', {}).get('sent', '')
    return faults + ([] if again == repeated else [f'sent again: {again}: {cases.get("wrong")}'])


def slow(rule, case, seconds):
    """TCP sends a segment again after a while, which shows that the rule was there."""
    cases, faults = judged('server', SERVER, '--drop', rule, '--case', case)
    is_ = cases.get(case, {'result': None, 'seconds': 0})
    return faults + ([] if is_['result'] == 'passed' and is_['seconds'] > seconds else [f'{is_}'])


def again(rule, case, note):
    """The case runs again, since TCP was too late for it."""
    cases, faults = judged('server', SERVER, '--drop', rule, '--case', case)
    is_ = cases.get(case, {})
    return faults + ([] if is_.get('result') == 'passed' and is_.get('note') == note else [f'{is_}'])


def refused(said, *options):
    got = check('server', *options, '--', *SERVER, env=dict([MARK.split('=')]))
    text = got.stderr.decode()
    return [] if (got.returncode == 2 and not got.stdout and text.count('\n') == 1 and said in text and
                  text.startswith('upcase-check: ')) else [f'status {got.returncode}, {text!r}, {got.stdout!r}']


def attempt(name, test, *arguments):
    try:
        faults = test(*arguments)
    except Exception:  # pylint: disable=broad-except
        faults = traceback.format_exc().splitlines()
    point(name, faults)


# Those of many datagrams or connections take a minute over such a link.
MANY = ['--skip', 'udp-many,udp-fifty,tcp-fifty,tcp-many,tcp-slow'] if not LONG else []
CLIENTS = [] if LONG else ['--case', 'line,ends,second,unicode']
side_by_side(
    attempt,
    ('upcased --public, over a lossy link', passes, 'server', [UPCASED, '--public', '--port={port}'], '--lab', LOSSY, *MANY),
    ("a student's server at {host}", passes, 'server', SERVER, '--lab', LOSSY, '--level', 'robust', '--case',
     'udp-line,udp-two,tcp-line,tcp-pieces,tcp-last,restart'),
    ("a student's server at 0.0.0.0", passes, 'server', ANYWHERE, '--lab', LOSSY, '--level', 'textbook', '--case',
     'udp-line,tcp-line,sigterm'),
    ("a student's TCP client", passes, 'client', command('tcp_client.py') + CLIENT, '--lab', LOSSY, *CLIENTS),
    ("a student's UDP client", passes, 'client', command('udp_client.py') + CLIENT, '--lab', LOSSY, '--case', 'line'),
    ('--drop request:1', repeats, 'request:1', True),
    ('--drop reply:1', repeats, 'reply:1', True),
    ('--drop reply:2', repeats, 'reply:2', False),
    ('--drop tcp segment:1', slow, 'tcp segment:1', 'tcp-line', 0.15),
    ('--drop syn:1', slow, 'syn:1', 'tcp-line', 0.9),
    # The judge waits 10 s for a connection.
    ('--drop syn:1x20', again, 'syn:1x20', 'tcp-line', 'run again 1 time, since the link had lost a packet'),
    ('--drop request:1, a client', passes, 'client', command('udp_client.py') + CLIENT, '--drop', 'request:1', '--case',
     'line'),
    ('a server that answers no datagram', fails, 'server', [*SERVER, 'silent'], ['udp-line'], '--lab', LOSSY, '--wait', '1s'),
    ('a server that stays on its own host', fails, 'server', command('asyncio_server.py') + ['{port}'], ['udp-line', 'tcp-line'],
     '--lab', '', '--wait', '1s'),
    ('a client that takes a reply from anybody', fails, 'client', command('udp_client_takes_stranger.py') + CLIENT,
     ['udp-forged'], '--lab', 'delay 10ms'),
    ('--lab: not a share', refused, "'x' is not a share", '--lab', 'loss x'),
    ('--lab: no setting', refused, "'speed' is no setting", '--lab', 'speed 3'),
    ('--drop: no kind of packet', refused, "'packet' is none of", '--drop', 'packet:1'),
    ('--drop: no number', refused, "'0' is no packet's number", '--drop', 'request:0'),
    ('--drop: the second rule', refused, "'0' is no packet's number", '--drop', 'request:1', '--drop', 'reply:0'))
lab.until(lambda: not lab.processes(MARK), 5)
point('nothing is left', [f'process {process}' for process in lab.processes(MARK)])
done()
