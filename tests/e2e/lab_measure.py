# SPDX-License-Identifier: GPL-3.0-or-later
"""What is measured in the lab, beside what the capture shows and what Python's statistics module makes of the records. With
arguments: the seeds to use, one run each."""
import json
import math
import os
import re
import shutil
import statistics
import subprocess
import sys

from lab import PLACE, done, environment, need_hosts, run
from tap import UPCASE, UPCASED, point

need_hosts()
# Slow machines get fewer lines.
LINES = 1000 if float(os.environ.get('TEST_PATIENCE', '1')) <= 1 else 200
PROGRAMS = {'UPCASE': shutil.copy(UPCASE, PLACE), 'UPCASED': shutil.copy(UPCASED, PLACE)}
NEAR, FAR = '10.9.0.1', '10.9.0.2'
# What a histogram's value may be out, and how much later than the capture's stamp a reply may be read where the kernel has none.
ERROR = 0.002
MOMENT = 5e6


def measure(link, count, interval, capture):
    """The client's records and what it said."""
    status, out, err = run('--quiet', *link, f'--pcap={capture}', '--', PROGRAMS['UPCASE'], '--both', f'--count={count}',
                           f'--interval={interval}', '--json', FAR, env={**PROGRAMS, 'HOME': PLACE})
    return status, [json.loads(line) for line in out.splitlines()], err


def equal(**pairs):
    return [f'{name}: {got}, not {want}' for name, (got, want) in pairs.items() if got != want]


def close(name, got, want, relative, slack=0.0):
    if want is None or got is None:
        return [] if got is want else [f'{name}: {got}, not {want}']
    return [] if abs(got - want) <= relative * abs(want) + slack else [f'{name}: {got}, not {want}']


# --- the capture ---

FIELDS = ['frame.time_epoch', 'ip.src', 'tcp.seq_raw', 'tcp.len', 'tcp.flags.syn', 'tcp.flags.fin', 'tcp.analysis.retransmission',
          'tcp.analysis.out_of_order']


def packets(capture, host):
    """What that host saw: (time in ns, who sent it, first byte, bytes, SYN, FIN, sent again)."""
    words = ['tshark', '-r', capture, '-2', '-R', f'frame.interface_name == "{host}" && tcp', '-T', 'fields']
    for field in FIELDS:
        words += ['-e', field]
    result = subprocess.run(words, capture_output=True, text=True, check=True, env=environment('self'))
    found = []
    for line in result.stdout.splitlines():
        time, source, seq, length, syn, fin, again, disorder = line.split('\t')
        seconds, rest = time.split('.')
        # At the sender itself nothing overtakes anything: what tshark takes for out of order there, because it follows a later
        # segment within a round trip, is a segment sent again.
        found.append((int(seconds) * 10**9 + int(rest.ljust(9, '0')), source, int(seq), int(length), syn == '1', fin == '1',
                      bool(again or disorder)))
    return found


def sent_again(seen, sender, until):
    """Until the client closes; both ends may send again after that, and nobody asks them any more."""
    return sum(again for time, source, _, _, _, _, again in seen if source == sender and time < until)


def sent_again_by_bytes(seen, sender, until):
    """The same without tshark's judgement: bytes, or a SYN, that had been sent before."""
    count, top = 0, None
    for time, source, seq, length, syn, _, _ in seen:
        if source != sender or time >= until or length + syn == 0:
            continue
        count += top is not None and (seq - top) % 2**32 >= 2**31
        end = (seq + length + syn) % 2**32
        top = end if top is None or (end - top) % 2**32 < 2**31 else top
    return count


def arrivals(near):
    """When bytes of the replies could be read, and how many by then: segments behind a missing one wait for it."""
    first = expected = None
    waiting, found = {}, []
    for time, source, seq, length, syn, _, _ in near:
        if source != FAR:
            continue
        if syn:
            first = expected = (seq + 1) % 2**32
        elif length:
            place = (seq - first) % 2**32
            waiting[place] = max(waiting.get(place, 0), length)
            reached = (expected - first) % 2**32
            before = reached
            for begin in sorted(waiting):
                if begin <= reached:
                    reached = max(reached, begin + waiting.pop(begin))
            expected = (first + reached) % 2**32
            if reached > before:
                found.append((time, reached))
    return found


def longest_stall(near, lines, started):
    """As client-tui/stall.h has it, by the capture's arrivals: from the later of the last byte's arrival and the sending of the line
    that waits longest, to the next byte's arrival."""
    ends, total = [], 0
    for line in lines:
        total += len(line['text'].encode()) + 1
        ends.append(total)
    longest, last, answered = 0, 0, 0
    for time, reached in arrivals(near):
        begin = max(last, started + lines[answered]['sent_ns'])
        longest = max(longest, time - begin)
        last = time
        while answered < len(lines) - 1 and ends[answered] <= reached:
            answered += 1
    return longest


# --- the figures ---

def quantile(values, share):
    """Null where fewer than one line on average lies beyond it."""
    if len(values) * (1 - share) < 1 - 1e-9 or len(values) < 2:
        return None
    return statistics.quantiles(values, n=1000, method='inclusive')[round(share * 1000) - 1]


def check_values(name, told, values, whole):
    faults = equal(**{f'{name} count': (told['count'], len(values))})
    faults += close(f'{name} mean', told['mean_ns'], statistics.fmean(values) if values else None, 1e-9, 1)
    for key, share in (('median_ns', 0.5), ('p90_ns', 0.9), ('p99_ns', 0.99), ('p999_ns', 0.999)):
        faults += close(f'{name} {key}', told[key], quantile(values, share), ERROR, 1)
    if whole and len(values) > 1:
        faults += equal(**{f'{name} min': (told['min_ns'], min(values)), f'{name} max': (told['max_ns'], max(values))})
        faults += close(f'{name} sd', told['sd_ns'], statistics.stdev(values), 1e-9, 1)
    return faults


def runs_of(lines):
    runs, length = [], 0
    for line in lines:
        if line['fate'] == 'lost':
            length += 1
        elif length:
            runs.append(length)
            length = 0
    return runs + ([length] if length else [])


def reordered(lines):
    """RFC 4737: the next expected number never decreases."""
    count, expected = 0, 0
    for line in sorted((line for line in lines if line['fate'] == 'answered'), key=lambda line: line['replied_ns']):
        count += line['n'] < expected
        expected = max(expected, line['n'] + 1)
    return count


def check_figures(lines, told):
    answered = [line for line in lines if line['fate'] == 'answered']
    times = [line['rtt_ns'] for line in answered]
    faults = equal(typed=(told['typed'], len(lines)), answered=(told['answered'], len(answered)),
                   lost=(told['lost'], sum(line['fate'] == 'lost' for line in lines)),
                   duplicates=(told['duplicates'], sum(line['duplicates'] for line in lines)),
                   sent=(told['sent'], sum(told[fate] for fate in ('answered', 'lost', 'waiting', 'refused', 'failed', 'cut_off'))))
    faults += check_values('round trip', told['round_trip'], times, True)
    steps = [abs(b['rtt_ns'] - a['rtt_ns']) for a, b in zip(lines, lines[1:]) if a['fate'] == b['fate'] == 'answered']
    faults += check_values('ipdv', told['delay_variation'], steps, False)
    runs = runs_of(lines)
    faults += equal(runs=(told['loss_runs']['count'], len(runs)), longest=(told['loss_runs']['longest'], max(runs, default=0)))
    faults += close('mean run', told['loss_runs']['mean'], statistics.fmean(runs) if runs else None, 1e-12)
    return faults


def wilson(lost, of, z=1.959963984540054):
    share, square = lost / of, z * z / of
    middle, reach = share + square / 2, z * math.sqrt(share * (1 - share) / of + square / of / 4)
    return [100 * (middle - reach) / (1 + square), 100 * (middle + reach) / (1 + square)]


NS = {'s': 1e9, 'ms': 1e6, 'µs': 1e3, 'us': 1e3, 'ns': 1}


def check_words(said, udp, lines):
    """What stands in the summary alone: Wilson's interval, pdv."""
    match = re.search(r'lost +(\d+)/(\d+) \(([\d.]+) %, 95 % ([\d.]+).{1,3}?([\d.]+)\)', said)
    if not match:
        return [f'no interval: {said!r}']
    faults = equal(lost=(int(match[1]), udp['lost']), of=(int(match[2]), udp['answered'] + udp['lost']))
    for got, want in zip(match.group(4, 5), wilson(int(match[1]), int(match[2]))):
        faults += close('Wilson', float(got), want, 0, 0.5 if '.' not in got else 0.05)
    match = re.search(r'(?m)^pdv, p99 +([\d.]+) (\w+)', said)
    times = [line['rtt_ns'] for line in lines if line['fate'] == 'answered']
    want = quantile(times, 0.99) - min(times)
    # Of what the histogram makes of the round trip; and three digits are shown.
    faults += close('pdv', float(match[1]) * NS[match[2]], want, 0.01, ERROR * max(times)) if match else [f'no pdv: {said!r}']
    return faults


def by_transport(found, name):
    return sorted((r for r in found if r['type'] == 'line' and r['transport'] == name), key=lambda r: r['n'])


def check_run(seed):
    capture = os.path.join(PLACE, f'measure-{seed}.pcapng')
    status, found, said = measure(['--loss=20%', '--delay=10ms', '--cc=cubic', f'--seed={seed}'], LINES, '5ms', capture)
    if not found or found[-1]['type'] != 'summary':
        point(f'seed {seed}: it runs', [f'status {status}', said])
        return
    udp, tcp = found[-1]['sessions']
    lines = {name: by_transport(found, name) for name in ('udp', 'tcp')}
    # 0.36 of them, and 3.29 standard deviations: one run of a thousand is outside.
    reach = 3.29 * math.sqrt(0.36 * 0.64 / LINES)
    point(f'seed {seed}: UDP loses 36 %, TCP none', close('lost', udp['lost'] / LINES, 0.36, 0, reach) +
          equal(status=(status, 1), udp=(udp['typed'], LINES), tcp=(tcp['answered'], LINES), lost=(tcp['lost'], 0)))
    point(f'seed {seed}: the link is named', equal(link=(found[0]['link'], 'loss 20 % each way, delay 10 ms'),
                                                   end=(found[-1]['link'], found[0]['link'])))
    late = max(line['sent_ns'] - line['typed_ns'] for line in lines['tcp'])
    point(f'seed {seed}: over TCP too each line is handed over when it is due', [] if late < 20e6 else [f'{late / 1e6} ms later'])
    near, far = packets(capture, 'near'), packets(capture, 'far')
    end = min((time for time, source, _, _, _, fin, _ in near if fin and source == NEAR), default=2**63)
    print(f'# sent again: near {tcp["tcp"]["retransmissions"]}, far {tcp["tcp"]["far_retransmissions"]}; '
          f'longest stall {tcp["tcp"]["longest_stall_ns"] / 1e6:.1f} ms')
    point(f'seed {seed}: sent again as often as tshark sees it', equal(
        near=(tcp['tcp']['retransmissions'], sent_again(near, NEAR, end)),
        far=(tcp['tcp']['far_retransmissions'], sent_again(far, FAR, end)),
        near_bytes=(tcp['tcp']['retransmissions'], sent_again_by_bytes(near, NEAR, end)),
        far_bytes=(tcp['tcp']['far_retransmissions'], sent_again_by_bytes(far, FAR, end))))
    stall = longest_stall(near, lines['tcp'], found[0]['started_ns'])
    point(f'seed {seed}: the longest stall is the capture\'s', close('stall', tcp['tcp']['longest_stall_ns'], stall, 0, MOMENT)
          if stall > 250e6 or tcp['tcp']['longest_stall_ns'] else [])
    point(f'seed {seed}: UDP\'s figures are Python\'s', check_figures(lines['udp'], udp) + check_words(said, udp, lines['udp']))
    point(f'seed {seed}: TCP\'s figures are Python\'s', check_figures(lines['tcp'], tcp))


def check_disorder():
    """Copies and replies out of order."""
    capture = os.path.join(PLACE, 'disorder.pcapng')
    link = ['--delay=20ms', '--jitter=10ms', '--order=free', '--duplicate=5%', '--loss=5%', '--burst=4', '--seed=3']
    found = measure(link, 400, '1ms', capture)[1]
    udp, tcp = found[-1]['sessions']
    lines = by_transport(found, 'udp')
    again = sum(r['type'] == 'reply' for r in found)
    point('reordered and duplicated lines are counted as RFC 4737 and RFC 5560 do', equal(
        reordered=(udp['reordered'], reordered(lines)), records=(again, 0)) + check_figures(lines, udp) +
        check_figures(by_transport(found, 'tcp'), tcp) +
        ([] if udp['reordered'] > 20 and udp['duplicates'] > 10 else [f'too few: {udp["reordered"]}, {udp["duplicates"]}']))


if not shutil.which('tshark'):
    point('tshark is installed', ['it is not'])
    done()
for chosen in sys.argv[1:] or ['1']:
    check_run(chosen)
check_disorder()
done()
