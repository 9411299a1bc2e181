# SPDX-License-Identifier: GPL-3.0-or-later
"""Measuring in the lab: what the client says of UDP and TCP side by side is what the capture shows,
and its statistics are those that somebody else computes from its records."""

import json
import math
import os
import shutil
import statistics
import subprocess

from lab import PLACE, done, need_hosts, run, side_by_side, working_backends
from tap import UPCASE, UPCASED, Late, has, point, points_of_best

need_hosts()
COUNT = 1000 if float(os.environ.get('TEST_PATIENCE', '1')) <= 1 else 300
LOSS = 0.2
# The histogram's (histogram.h).
ERROR = 1 / 512
# s: with a third of all lost, a segment may be lost so often that its timeout has doubled to half a
# minute.
RTO_PATIENCE = 120
# What the capture and the client may differ in about one arrival, ns: it is read when the processor
# is free.
SLACK = 5_000_000 * float(os.environ.get('TEST_PATIENCE', '1'))
PROGRAMS = {'UPCASE': shutil.copy(UPCASE, PLACE), 'UPCASED': shutil.copy(UPCASED, PLACE)}


def tshark(capture, condition, *fields):
    words = [word for field in fields for word in ('-e', field)]
    result = subprocess.run([
        'tshark', '-r', capture, '-2', '-Y', condition, '-T', 'fields', *words
    ],
                            capture_output=True,
                            text=True,
                            check=True)
    return [line.split('\t') for line in result.stdout.splitlines()]


def unequal(*what):
    return [f'{name}: {got}, not {want}' for name, got, want in what if got != want]


def close(got, want, error):
    return got is None or abs(got - want) <= error * abs(want) + 2


def quantile(values, q):
    """Hyndman and Fan's type 7."""
    at = (len(values) - 1) * q
    low = math.floor(at)
    high = min(low + 1, len(values) - 1)
    return values[low] + (at - low) * (values[high] - values[low])


def check_spread(name, said, values):
    """The figures of a distribution."""
    if not values:
        return unequal((f'{name}, count', said['count'], 0))
    ordered = sorted(values)
    wanted = {'median_ns': (statistics.median(values), ERROR)}
    for key, q in (('p90_ns', 0.9), ('p99_ns', 0.99), ('p999_ns', 0.999)):
        if len(values) * (1 - q) >= 1 - 1e-9:
            wanted[key] = (quantile(ordered, q), ERROR)
            # Python's own, of the same type.
            if q in (0.9, 0.99) and len(values) > 1:
                other = statistics.quantiles(values, n=100, method='inclusive')[round(q * 100) - 1]
                assert math.isclose(other, wanted[key][0], rel_tol=1e-9), (other, wanted[key])
    wanted['mean_ns'] = (statistics.fmean(values), 1e-6)
    if 'min_ns' in said:
        wanted |= {'min_ns': (ordered[0], 0), 'max_ns': (ordered[-1], 0)}
        if len(values) > 1:
            wanted['sd_ns'] = (statistics.stdev(values), 1e-6)
    faults = unequal((f'{name}, count', said['count'], len(values)))
    return faults + [
        f'{name}, {key}: {said[key]}, not {want:.0f}' for key, (want, error) in wanted.items()
        if said[key] is None or not close(said[key], want, error)
    ]


def lost_runs(lines):
    runs, length = [], 0
    for line in lines:
        if line['fate'] == 'lost':
            length += 1
        elif length:
            runs.append(length)
            length = 0
    return runs + ([length] if length else [])


def reordered(lines):
    """RFC 4737: the next expected number never decreases. Only replies in time count."""
    expected, found = 0, 0
    for line in sorted((line for line in lines if line['fate'] == 'answered'),
                       key=lambda line: line['replied_ns']):
        found += line['n'] < expected
        expected = max(expected, line['n'] + 1)
    return found


def check_statistics(session, lines):
    lines.sort(key=lambda line: line['n'])
    rtts, waited = ([
        line['replied_ns'] - line[begin] for line in lines if line['fate'] == 'answered'
    ] for begin in ('sent_ns', 'typed_ns'))
    pairs = [
        abs((b['replied_ns'] - b['sent_ns']) - (a['replied_ns'] - a['sent_ns']))
        for a, b in zip(lines, lines[1:]) if a['fate'] == b['fate'] == 'answered'
    ]
    runs = lost_runs(lines)
    mean = session['loss_runs']['mean']
    return check_spread('round trip', session['round_trip'], rtts) + check_spread('waited', session['waited'], waited) + \
        check_spread('delay variation', session['delay_variation'], pairs) + unequal(
            ('lines', len(lines), session['typed']),
            ('answered', sum(line['fate'] == 'answered' for line in lines), session['answered']),
            ('lost', sum(line['fate'] == 'lost' for line in lines), session['lost']),
            ('late', sum(line['late'] for line in lines), session['late']),
            ('duplicates', sum(line['duplicates'] for line in lines), session['duplicates']),
            ('reordered', sum(line['reordered'] for line in lines), session['reordered']),
            ('reordered, of the times', reordered(lines) if session['transport'] == 'udp' else 0, session['reordered']),
            ('runs', len(runs), session['loss_runs']['count']), ('longest run', max(runs, default=0), session['loss_runs']['longest']),
            ('mean run', True, mean is None if not runs else math.isclose(mean, sum(runs) / len(runs))))


def session_of(backend, link, client):
    capture = os.path.join(PLACE, f'{backend}.pcapng')
    if os.path.exists(capture):
        os.unlink(capture)
    status, out, err = run('-q',
                           '--backend',
                           backend,
                           '--cc=cubic',
                           f'--pcap={capture}',
                           *link,
                           '--',
                           PROGRAMS['UPCASE'],
                           '--json',
                           '-q',
                           *client,
                           patience=RTO_PATIENCE,
                           env={**PROGRAMS, 'HOME': PLACE})
    records = [json.loads(line) for line in out.splitlines()]
    if status not in (0, 1) or not records or records[-1]['type'] != 'summary':
        raise AssertionError(f'status {status}: {err}')
    return records, {session['transport']: session for session in records[-1]['sessions']}, capture


def lines_of(records, transport):
    return [
        record for record in records
        if record['type'] == 'line' and record['transport'] == transport
    ]


def to_ns(text):
    whole, part = text.split('.')
    return int(whole) * 10**9 + int(part[:9].ljust(9, '0'))


def again(capture, host, address):
    """When a host sent segments again, ns, as tshark finds them in what that host alone saw. One
    that follows soon after a later segment it calls out of order, though on the sending side
    nothing can be. (A FIN is sent when all is over and asked.)"""
    alone = f'{capture}.{host}'
    subprocess.run([
        'tshark', '-r', capture, '-Y', f'frame.interface_name == "{host}"', '-w', alone
    ],
                   check=True,
                   capture_output=True)
    return [
        to_ns(row[0]) for row in tshark(
            alone, f'ip.src == {address} && tcp.flags.fin == 0 && (tcp.analysis.retransmission || '
            'tcp.analysis.out_of_order)', 'frame.time_epoch')
    ]


def check_again_there(capture, lines, said):
    """The last reply's acknowledgement may be lost: what the far host then sends again is counted
    if it is sent before the client asks, which it does between that reply and its own FIN."""
    times = again(capture, 'far', '10.9.0.2')
    end = int(lines['start']) + max(line['replied_ns'] for line in lines['tcp'])
    fin = to_ns(
        tshark(capture,
               'frame.interface_name == "near" && ip.src == 10.9.0.1 && tcp.flags.fin == 1',
               'frame.time_epoch')[0][0])
    least, most = sum(when < end for when in times), sum(when < fin for when in times)
    if not has('TCP_INFO'):
        return [] if said is None else [f'sent again there: {said}, which is not known']
    return [] if least <= said <= most else [f'sent again there: {said}, not {least} to {most}']


def longest_silence(capture, lines):
    """The longest time without a byte of a reply while a line waited, by the capture: when lines
    were handed over and when bytes could be read, ns. A byte can be read when all before it have
    come. On a busy machine the client reads it when it gets a processor: also returned are that
    silence as far as the client could know, and how much later than it could each line was read."""
    rows = tshark(
        capture,
        'frame.interface_name == "near" && ip.src == 10.9.0.2 && tcp.len > 0 && !frame.comment contains "lost"',
        'frame.time_epoch', 'tcp.seq', 'tcp.len')
    start = int(lines['start'])
    expected, held, arrivals = 1, {}, []
    for when, seq, length in rows:
        held[int(seq)] = max(held.get(int(seq), 0), int(length))
        moved = False
        for first in sorted(held):
            if first <= expected < first + held[first]:
                expected = first + held[first]
                moved = True
        if moved:
            arrivals.append((to_ns(when) - start, expected))
    # Byte for byte: the reply to a line ends where its own and all before it end.
    ends, total = [], 1
    for line in lines['tcp']:
        total += len(line['text'].encode()) + 1
        ends.append(total)
    longest, known, last, read, answered, late = 0, 0, 0, 0, 0, []
    for when, upto in arrivals:
        first, at = answered, when
        while answered < len(ends) and ends[answered] <= upto:
            at = lines['tcp'][answered]['replied_ns']
            late.append(at - when)
            answered += 1
        if first < len(ends):
            since = lines['tcp'][first]['sent_ns']
            longest, known = max(longest,
                                 when - max(since, last)), max(known, at - max(since, read))
        last, read = when, max(read, at)
    return longest, known, late


def both(backend):
    """Each point about a run over both, and its faults."""
    records, sessions, capture = session_of(backend, ['--loss=20%', '--seed=11'], [
        '--both', '--count', str(COUNT), '--interval', '5ms', '10.9.0.2'
    ])
    udp, tcp = sessions['udp'], sessions['tcp']
    lines = {
        'udp': lines_of(records, 'udp'), 'tcp': sorted(lines_of(records, 'tcp'),
                                                       key=lambda line: line['n']),
        'start': records[0]['started_ns']
    }
    expected = 1 - (1 - LOSS) ** 2
    # One time in a thousand it is further away.
    room = 3.3 * math.sqrt(expected * (1 - expected) / COUNT)
    faults = unequal(('mismatches', records[-1]['truth']['mismatches'], 0), ('TCP answered', tcp['answered'], COUNT),
                     ('sent again here', len(again(capture, 'near', '10.9.0.1')) if has('TCP_INFO') else None,
                      tcp['tcp']['retransmissions'])) + \
        check_again_there(capture, lines, tcp['tcp']['far_retransmissions'])
    faults += [] if abs(udp['lost'] / COUNT -
                        expected) < room else [f'lost {udp["lost"]} of {COUNT}']
    (silence, known, late), stalled = longest_silence(capture,
                                                      lines), tcp['tcp']['longest_stall_ns']
    print(
        f'# {backend}: UDP lost {udp["lost"]} of {COUNT}; TCP sent again {tcp["tcp"]["retransmissions"]} here, '
        f'{tcp["tcp"]["far_retransmissions"]} there; longest stall {stalled / 1e6:.1f} ms, in the capture {silence / 1e6:.1f} ms; '
        f'lines read {min(late) / 1e6:.2f} to {max(late) / 1e6:.2f} ms after they came, at the median '
        f'{statistics.median(late) / 1e6:.2f}')
    # By the capture alone it is out by no more than a line was read late.
    if tcp['tcp']['stalls'] and (abs(known - stalled) > SLACK
                                 or abs(silence - stalled) > SLACK + max(late)):
        faults.append(
            Late(f'longest stall {stalled}, in the capture {silence}, by when lines were read {known}'
                 ))
    faults += [] if -SLACK < min(late) and statistics.median(late) < SLACK else [
        Late(
            f'lines were read {min(late)} to {max(late)} ns after they came, at the median {statistics.median(late)}'
        )
    ]
    yield (
        f'{backend}: {COUNT} lines over both: what is lost, sent again and stalled is in the capture',
        faults)
    yield (f'{backend}: the statistics of UDP are those of its records',
          check_statistics(udp, lines['udp']))
    yield (f'{backend}: the statistics of TCP are those of its records',
          check_statistics(tcp, lines['tcp']))


def check_everything(backend):
    """With second copies, jitter and overtaking."""
    records, sessions, _ = session_of(backend, [
        '--loss=10%', '--burst=3', '--delay=10ms', '--jitter=8ms', '--order=free', '--duplicate=5%',
        '--reorder=5%', '--seed=12'
    ], ['--udp', '--count',
        str(COUNT), '--interval', '2ms', '--wait', '40ms', '10.9.0.2'])
    # A late reply or a copy that came after its line's record has one of its own.
    lines = {line['n']: line for line in lines_of(records, 'udp')}
    for record in records:
        if record['type'] != 'reply' or not record.get('n'):
            continue
        if record['match'] == 'duplicate':
            lines[record['n']]['duplicates'] += 1
        elif record['match'] == 'late':
            lines[record['n']]['late'] = True
    point(f'{backend}: so they are with copies, jitter and overtaking',
          check_statistics(sessions['udp'], list(lines.values())))


def check(backend):
    points_of_best(lambda: both(backend))
    check_everything(backend)


side_by_side(check, working_backends())
done()
