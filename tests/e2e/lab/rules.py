# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules for packets by number: tshark finds in the capture that what did not arrive, or arrived late, twice or damaged, is
the packet of that number and no other; the same over both back ends."""

import os
import shutil
import subprocess
import textwrap

from lab import PLACE, done, need_hosts, python, run, side_by_side, working_backends
from tap import UPCASED, not_here, point

need_hosts()
if not shutil.which('tshark'):
    not_here('tshark is not installed')

DATAGRAMS = textwrap.dedent('''
    import socket
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.connect(("10.9.0.2", 12000))
    for i in range(1, 16):
        s.send(b"line %02d" % i)
        s.settimeout(0.3)
        try:
            s.recv(99)
        except socket.timeout:
            pass
    ''')
# One write a segment; what comes back is read at the end.
SEGMENTS = textwrap.dedent('''
    import socket, time
    s = socket.create_connection(("10.9.0.2", 12000))
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for i in range(1, 13):
        s.send(b"segment %02d" % i)
        time.sleep(0.002)
    got = b""
    while len(got) < 120:
        got += s.recv(999)
    assert got == b"".join(b"SEGMENT %02d" % i for i in range(1, 13)), got
    ''')


def tshark(capture, *fields):
    """Rows of the fields, behind the host's name."""
    words = [word for field in ('frame.interface_name', *fields) for word in ('-e', field)]
    result = subprocess.run(['tshark', '-r', capture, '-T', 'fields', *words],
                            capture_output=True,
                            text=True,
                            check=False)
    return [row.split('\t') for row in result.stdout.splitlines()]


def lab(backend, source, *rules):
    """Runs the source with the rules; the path of the capture, and faults."""
    capture = os.path.join(PLACE, f'{backend}-{len(rules)}-{len(source)}.pcapng')
    status, out, err = run(f'--backend={backend}', '-q', '--pcap', capture, *rules, '--',
                           *python(source),
                           env={'UPCASED': UPCASED})
    return capture, [] if status == 0 and not err else [f'status {status}, {out!r}, {err!r}']


def differs(what, got, want):
    return [] if got == want else [f'{what}: {got}, not {want}']


def check_datagrams(backend):
    """Requests 3 and 7 to 9 do not arrive; nor does reply 2. The fourth reply is late by 100 ms, so that
    its line comes after its wait; request 12 arrives twice and reply 11 not at all, since it is damaged."""
    rules = os.path.join(PLACE, f'{backend}-rules')
    with open(rules, 'w', encoding='ascii') as file:
        file.write('# of the lecture\n\nreply:2\r\n delay 100ms reply:4\nduplicate udp:request:12\n')
    os.chmod(rules, 0o644)
    capture, faults = lab(backend, DATAGRAMS, '--drop', 'request:3,7-9', '--drops', rules, '--packet',
                          'corrupt reply 9')
    seen, damaged = {}, []
    for host, at, comment, payload in tshark(capture, 'frame.time_epoch', 'frame.comment', 'udp.payload'):
        # What the receiver has of it can be any packet.
        if 'damaged' in comment:
            continue
        text = bytes.fromhex(payload).decode()
        key = host, 'reply' if text.startswith('LINE') else 'request'
        seen.setdefault(key, []).append((int(text[-2:]), float(at)))
        if 'bit flipped' in comment:
            damaged.append((*key, len(seen[key])))
    numbers = {key: [number for number, _ in list_of] for key, list_of in seen.items()}
    arrived = [n for n in range(1, 16) if n not in (3, 7, 8, 9)]
    arrived.insert(arrived.index(12), 12)
    faults += differs('requests sent', numbers.get(('near', 'request')), list(range(1, 16)))
    faults += differs('requests there', numbers.get(('far', 'request')), arrived)
    faults += differs('replies sent', numbers.get(('far', 'reply')), arrived)
    # The second reply sent is that to line 2, the fourth that to 5, the ninth that to 12's copy.
    here = [n for i, n in enumerate(arrived, 1) if i not in (2, 9)]
    faults += differs('replies here', numbers.get(('near', 'reply')), here)
    faults += differs('damaged', damaged, [('far', 'reply', 9)])
    sent = dict(reversed(seen.get(('far', 'reply'), [])))
    late = [n for n, at in seen.get(('near', 'reply'), []) if at - sent.get(n, at) > 0.1]
    faults += differs('replies that are late', late, [5])
    point(f'{backend}: datagrams by number, tshark', faults)


def check_segments(backend):
    """The sixth segment is sent three times until it arrives; the SYN and the second segment back twice."""
    capture, faults = lab(backend, SEGMENTS, '--drop', 'segment:6x2', '--drop', 'syn:1', '--drop',
                          'segment:2 back')
    sent = {}
    for host, port, syn, seq, length in tshark(capture, 'tcp.dstport', 'tcp.flags.syn', 'tcp.seq_raw',
                                               'tcp.len'):
        if length != '0' or syn in ('1', 'True'):
            way = 'there' if port == '12000' else 'back'
            sent.setdefault((host, way), []).append((syn in ('1', 'True'), int(seq)))
    for way, out, there, again in ('there', 'near', 'far', {'syn': 2, 6: 3}), ('back', 'far', 'near', {2: 2}):
        first = []
        for key in sent.get((out, way), []):
            if key not in first:
                first.append(key)
        # The SYN is number 0; segments that were joined have the first one's number.
        for number, key in enumerate(first):
            name = 'syn' if key[0] else number
            count = sent[out, way].count(key)
            lost = count - sent.get((there, way), []).count(key)
            want = again.get(name, 1) - 1
            faults += differs(f'{name} {way}: lost', lost, want)
    point(f'{backend}: segments by number, tshark', faults)


def check(backend):
    check_datagrams(backend)
    check_segments(backend)


side_by_side(check, working_backends())
done()
