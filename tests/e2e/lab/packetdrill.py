# SPDX-License-Identifier: GPL-3.0-or-later
"""TCP's answer to exact losses, against what others say of it: the test scripts of packetdrill
(github.com/google/packetdrill, gtests/net/tcp and its history; in Linux, tools/testing/selftests/net/packetdrill, they are
called tcp_FOLDER_FILE). Rules for packets by number make the losses of a script; then Linux does what the script asserts:
which segment it sends at which acknowledgement, its congestion window and slow-start threshold, the state of its recovery,
and its timers. Nothing of the scripts is copied: each is named by its file.

The near host is the host under test of a script; the far host takes the place of the script's remote side and only
acknowledges. TCP_INFO counts what came and what went (segs_in, data_segs_out), so that what belongs to an acknowledgement
is known without any time. UPCASE_TEST_LONG=1 plays all over both back ends, and those too that take seconds."""

import json
import math
import os
import textwrap

from lab import PLACE, PYTHON, done, need_hosts, python, run, serves, side_by_side, working_backends
from tap import point

need_hosts()
LONG = os.environ.get('UPCASE_TEST_LONG') == '1'

# Takes what comes. An acknowledgement for each selective one, not one for several of a millisecond.
SINK = textwrap.dedent('''
    import os, select, socket, subprocess, sys
    with open("/proc/sys/net/ipv4/tcp_comp_sack_nr", "w") as file:
        file.write("0")
    if sys.argv[1:] == ["each"]:
        # An acknowledgement for each segment.
        subprocess.run("ip route replace 10.9.0.0/24 dev wire src 10.9.0.2 quickack 1".split(), check=True)
    server = socket.create_server(("10.9.0.2", 12000))
    open(os.environ["SERVES"], "w").close()
    sockets = [server]
    while True:
        for ready in select.select(sockets, [], [])[0]:
            try:
                if ready is server:
                    sockets.append(server.accept()[0])
                elif not ready.recv(1 << 20):
                    raise ConnectionError
            except OSError:
                sockets.remove(ready)
                ready.close()
    ''')

# Plays scripts one after the other, on a connection each, and prints for each what was sent, and a sample of TCP_INFO for each
# segment that the near host sends or gets and for each write.
SENDER = textwrap.dedent('''
    import heapq, itertools, json, os, select, socket, struct, sys, time
    # On a busy machine too it looks when a packet comes: it mostly sleeps.
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    except OSError:
        pass
    while not os.path.exists(os.environ["SERVES"]):
        time.sleep(0.005)
    SYSCTLS = {"tcp_timestamps": 0, "tcp_slow_start_after_idle": 0, "tcp_no_metrics_save": 1, "tcp_sack": 1,
               "tcp_window_scaling": 1, "tcp_tso_win_divisor": 3, "tcp_wmem": "4096 262144 4194304"}
    STATES = "Open", "Disorder", "CWR", "Recovery", "Loss"
    NAMES = ("rto ato snd_mss rcv_mss unacked sacked lost retrans fackets lds las ldr lar pmtu rcv_ssthresh rtt rttvar "
             "ssthresh cwnd advmss reordering rcv_rtt rcv_space total_retrans").split()

    class Link:
        def __init__(self):
            self.socket, self.text = socket.socket(socket.AF_UNIX), b""
            self.socket.connect(os.environ["UPCASE_LAB"])
            self.order("events on 12000")
        def order(self, words):
            self.socket.sendall(words.encode() + b"\\n")
            start = len(self.text)
            while b"\\nok\\n" not in b"\\n" + self.text[start:]:
                assert b"\\nerror" not in b"\\n" + self.text[start:], (words, self.text[start:])
                self.read()
        def read(self):
            self.text += self.socket.recv(1 << 20)
        def events(self):
            *lines, self.text = self.text.split(b"\\n")
            for words in (line.decode().split() for line in lines):
                if words and words[0] == "event":
                    yield {"there": words[2] == "there", **dict(word.split("=", 1) for word in words[3:])}

    class Play:
        def __init__(self, script):
            for name, value in {**SYSCTLS, **script["sysctl"]}.items():
                with open("/proc/sys/net/ipv4/" + name, "w") as file:
                    file.write(str(value))
            for words in "drop none", "preset none", *("set " + setting for setting in script["link"]):
                link.order(words)
            self.socket = socket.socket()
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
            self.socket.connect(("10.9.0.2", 12000))
            self.socket.setblocking(False)
            self.socket.send(b"x" * script["warm_up"])
            while self.info()["unacked"]:
                time.sleep(0.001)
            for words in script["rules"]:
                link.order(words)
            self.samples, self.sent, self.arrivals, self.due, self.base = [], [], 0, [], self.info()
            self.serial = itertools.count()
            self.begin = time.monotonic_ns()
            self.at_acks = {}
            for when, *what in script["todo"]:
                if isinstance(when, str):
                    self.at_acks[int(when.split()[1])] = what
                else:
                    self.later(self.begin + int(when * 1e6), what)
            self.go(self.begin + int(script["until"] * 1e6))
            # Ends with a reset.
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.socket.close()
        def later(self, at, what):
            heapq.heappush(self.due, (at, next(self.serial), what))
        def info(self):
            """The kernel reads the window before it locks the socket: it is that of the state before."""
            now, before = self.read(), None
            while now["in"] != (before or {}).get("in"):
                before, now = now, self.read()
            return now
        def read(self):
            b = self.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 300)
            return {"state": STATES[b[1]], "probes": b[3], "backoff": b[4], **dict(zip(NAMES, struct.unpack_from("24I", b, 8))),
                    "acked": struct.unpack_from("Q", b, 120)[0], "in": struct.unpack_from("I", b, 140)[0],
                    "out": struct.unpack_from("I", b, 156)[0]}
        def sample(self):
            now = self.info()
            for key in "in", "out", "acked", "total_retrans":
                now[key] -= self.base[key]
            self.samples.append(now)
            for number in [number for number in self.at_acks if number <= now["in"]]:
                self.act(*self.at_acks.pop(number))
            return now
        def act(self, kind, value):
            if kind == "arrived" and self.sample()["in"] < value:
                self.later(time.monotonic_ns() + 100_000, (kind, value))
            elif kind == "write":
                self.sample()
                self.socket.send(b"x" * value)
                self.sample()
            elif kind == "close":
                self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, value)
                self.socket.shutdown(socket.SHUT_WR)
            elif kind == "order":
                link.order(value)
        def take(self, event):
            at = int(event["in"]) - self.begin
            if at < 0 or event["proto"] != "tcp":
                return
            if event["there"]:
                self.sent.append((at / 1e6, int(event["seq"]), int(event["payload"]), event["flags"]))
                self.sample()
            elif "out" in event:
                self.arrivals += 1
                self.later(int(event["out"]), ("arrived", self.arrivals))
        def go(self, end):
            while (now := time.monotonic_ns()) < end:
                while self.due and self.due[0][0] <= now:
                    self.act(*heapq.heappop(self.due)[2])
                for event in link.events():
                    self.take(event)
                wait = min([end] + [at for at, *_ in self.due]) - time.monotonic_ns()
                if select.select([link.socket], [], [], max(0, wait / 1e9))[0]:
                    link.read()

    link = Link()
    for script in json.loads(sys.argv[1]):
        play = Play(script)
        print(json.dumps({"sent": play.sent, "samples": play.samples}), flush=True)
    ''')
INFINITE = 0x7fffffff


class Trace:
    """What happened to a script's data. Segments are named as in the rules: 3 is the third, 3x2 its first repeat. `faults`:
    what is not as the script asserts."""

    def __init__(self, record):
        self.samples, self.sent, self.faults = record['samples'], [], []
        first, times = [], {}
        for at, seq, size, flags in record['sent']:
            if not size and 'F' not in flags:
                continue
            number = next((i for i, (start, end) in enumerate(first, 1) if start <= seq < end), None)
            if number is None:
                first.append((seq, seq + max(size, 1)))
                number = len(first)
            times[number] = times.get(number, 0) + 1
            self.sent.append((f'{number}x{times[number]}' if times[number] > 1 else str(number), at, size))

    def must(self, what, got, want):
        if got != want:
            self.faults.append(f'{what}: {got}, not {want}')

    def all_sent(self, names):
        self.must('sent', ' '.join(name for name, *_ in self.sent), names)

    def states(self, when, sample, state):
        for key, want in state.items():
            self.must(f'{key} {when}', sample[key], want)

    def ack(self, number, sends=None, **state):
        """At the acknowledgement of that number these segments are sent, and this is then TCP's state."""
        for before, sample in zip(self.samples, self.samples[1:]):
            if before['in'] == number - 1 and sample['in'] == number:
                break
        else:
            self.faults.append(f'no sample between acknowledgement {number} and its neighbours')
            return
        if sends is not None:
            sent = ' '.join(name for name, *_ in self.sent[before['out']:sample['out']])
            self.must(f'sent at acknowledgement {number}', sent, sends)
        self.states(f'at acknowledgement {number}', sample, state)

    def acked(self, count, **state):
        """TCP's state when so many bytes have been acknowledged."""
        found = next((sample for sample in self.samples if sample['acked'] == count), None)
        if found:
            self.states(f'at {count} bytes acknowledged', found, state)
        else:
            self.faults.append(f'no sample at {count} bytes acknowledged')

    def sent_again(self, times, **state):
        """TCP's state at its first sample with so many retransmissions."""
        found = next((sample for sample in self.samples if sample['total_retrans'] == times), None)
        self.states(f'at retransmission {times}', found or self.samples[-1], state)

    def last(self, **state):
        self.states('at the end', self.samples[-1], state)

    def gap(self, earlier, later, nominal, late=20):
        """Between two transmissions, ms: packetdrill itself tolerates 12.5 %, at least 4 ms; Linux's timers of more than 63
        ticks run out up to an eighth late."""
        when = {name: at for name, at, _ in self.sent}
        gap = when.get(later, math.nan) - when.get(earlier, math.nan)
        if not gap >= nominal - 4:
            self.faults.append(f'{later} {gap:.1f} ms after {earlier}, not {nominal}')
        elif gap > nominal * 1.125 + late:
            self.faults.append(f'{later} {gap:.1f} ms after {earlier}, not {nominal}')


SCRIPTS = []


def script(name, *link, rules=(), todo, until, acks='as it likes', mtu=1040, warm_up=0, sysctl=None, long=False):
    """A script of packetdrill: its file, the settings of the link, the rules, what is done when (ms, or at which
    acknowledgement), and until when. `acks`: whether the far host acknowledges 'each' segment. The function that follows says
    what the script asserts."""
    def add(check):
        SCRIPTS.append({
            'name': name, 'link': link, 'rules': rules, 'todo': todo, 'until': until, 'warm_up': warm_up,
            'sysctl': sysctl or {}, 'host': (acks, mtu), 'long': long, 'check': check
        })
        return check
    return add


# Packets of 1,040 bytes, one in 10 ms, or in 2: so the acknowledgements come one by one, whatever the machine does.
EACH_10MS = 'delay 50ms', 'rate 832kbit there', 'queue 1000p there'
EACH_2MS = 'delay 50ms', 'rate 4160kbit there', 'queue 1000p there'
NO_SACK = {'tcp_sack': 0, 'tcp_window_scaling': 0}


@script('fast_retransmit/fr-4pkt-sack.pkt', 'delay 50ms', 'rate 6mbit there', rules=['drop segment:1'], mtu=1500,
        todo=[(0, 'write', 5840)], until=240)
def fast_retransmit(t):
    t.all_sent('1 2 3 4 1x2')
    t.ack(2, '', state='Disorder', sacked=2)
    t.ack(3, '1x2', state='Recovery', ssthresh=7, lost=1, retrans=1)
    t.last(state='Open', cwnd=7, ssthresh=7, acked=5840)


@script('fast_retransmit/fr-4pkt.pkt', 'delay 50ms', 'rate 6mbit there', rules=['drop segment:1'], mtu=1500, warm_up=1000,
        todo=[(0, 'write', 5840)], until=240, sysctl=NO_SACK)
def fast_retransmit_without_sack(t):
    t.all_sent('1 2 3 4 1x2')
    t.ack(2, '', state='Disorder', sacked=2)
    t.ack(3, '1x2', state='Recovery', ssthresh=7)
    t.last(acked=5840)


@script('fast_retransmit/fr-4pkt-fack-last-mss.pkt', 'delay 50ms', rules=['drop segment:1-3'],
        todo=[(0, 'write', 4000)], until=350)
def reordering_timer(t):
    """The script has 40 ms, of a kernel with ticks of 10 ms: a quarter of the round-trip time, and 2 ms or ticks."""
    t.all_sent('1 2 3 4 1x2 2x2 3x2')
    t.gap('1', '1x2', 100 + 25, late=20)
    t.sent_again(1, state='Recovery', lost=3, retrans=1)
    t.last(acked=4000)


@script('fast_recovery/prr-ss-10pkt-lost-1.pkt', *EACH_10MS, rules=['drop segment:1'],
        todo=[(0, 'write', 10000), ('ack 3', 'write', 7000)], until=400)
def recovery_sends_for_each_sack(t):
    t.ack(3, '1x2', state='Recovery', cwnd=7, ssthresh=7)
    for number, segment in zip(range(4, 10), range(11, 17)):
        t.ack(number, str(segment), state='Recovery', cwnd=7)
    t.ack(10, '17', state='Open', cwnd=7, ssthresh=7, acked=10000)


@script('fast_recovery/prr-ss-30pkt-lost1_4.pkt', *EACH_10MS, rules=['drop segment:1-4'],
        todo=[(0, 'write', 10000), (400, 'write', 10000)], until=420)
def recovery_of_four(t):
    for number in range(1, 5):
        t.ack(number + 2, f'{number}x2', state='Recovery', ssthresh=7)
    t.acked(10000, state='Open', cwnd=7)
    at = [at for name, at, _ in t.sent if name in ('11', '12', '13', '14', '15', '16', '17')]
    t.must('sent at once', len(at) == 7 and max(at) - min(at) < 5, True)


@script('fast_recovery/prr-ss-30pkt-lost-1_4-11_16.pkt', *EACH_10MS, rules=['drop segment:1,2x2,3,4'],
        todo=[(0, 'write', 20000)], until=480, sysctl={'tcp_tso_win_divisor': 100})
def recovery_loses_again(t):
    """Its comment says that 11 to 16 are lost; its acknowledgements say that the first repeat of 2 is."""
    for number, sends in enumerate('11 12 1x2 2x2 3x2 4x2 13 14'.split(), 1):
        t.ack(number, sends)
    t.ack(8, state='Recovery', ssthresh=7, lost=4, retrans=4)
    t.ack(9, '15 16', cwnd=7, acked=1000)
    t.ack(10, '2x3', cwnd=6, lost=2)
    for number, segment in zip(range(11, 14), range(17, 20)):
        t.ack(number, str(segment), cwnd=6, lost=1)
    t.last(state='Open', cwnd=7, ssthresh=7, total_retrans=5, acked=20000)


@script('cubic/cubic-rto-ss-ca-cwnd-bump.pkt', *EACH_2MS, rules=['drop segment:2x2'], acks='each',
        todo=[(0, 'write', 1000), (250, 'write', 1000), ('ack 2', 'write', 200000)], until=1500)
def timeout_then_slow_start(t):
    t.acked(1000, cwnd=10, ssthresh=INFINITE)
    t.gap('2', '2x2', 300)
    t.gap('2x2', '2x3', 300)
    t.sent_again(2, state='Loss', cwnd=1, ssthresh=7)
    t.acked(2000, state='Open', cwnd=2, ssthresh=7)
    grown = {sample['acked'] // 1000: sample['cwnd'] for sample in t.samples if 2000 < sample['acked'] <= 23000}
    t.must('windows', grown, {count: 8 if count == 23 else min(count, 7) for count in grown})
    t.must('their number', len(grown) > 10, True)


@script('cwnd_moderation/cwnd-moderation-disorder-no-moderation.pkt', 'delay 50ms', rules=['drop segment:1,3,4'],
        todo=[(0, 'write', 4000)], until=115)
def disorder(t):
    t.ack(1, '', state='Disorder', cwnd=10, sacked=1, lost=0)


@script('sack/sack-shift-sacked-2-6-8-3-9-nofack.pkt', *EACH_2MS, todo=[(0, 'write', 10000)], until=500,
        rules=['drop segment:1,2,5,6,8', 'packet delay 17ms segment:4', 'packet delay 15ms segment:10'])
def segments_change_places(t):
    t.ack(3, '1x2', state='Recovery', lost=6)
    t.ack(4, '2x2', lost=5, reordering=6)
    t.ack(5, lost=5)
    t.acked(1000, lost=4)
    t.acked(4000, lost=3)
    t.last(state='Open', unacked=0, sacked=0, lost=0, retrans=0, acked=10000)


@script('sack/sack-shift-sacked-7-5-6-8-9-fack.pkt', 'delay 50ms', todo=[(0, 'write', 10000)], until=340,
        rules=['drop segment:1-5', 'packet delay 50ms segment:6', 'packet delay 53ms segment:7', 'packet delay 56ms segment:9',
               'packet delay 59ms segment:10'])
def one_sack_and_a_timer(t):
    t.ack(1, '', state='Disorder')
    t.gap('1', '1x2', 100 + 25, late=20)
    t.sent_again(1, state='Recovery', lost=7, reordering=3)
    for number, lost in (2, 6), (3, 5):
        t.ack(number, f'{number}x2', lost=lost, reordering=3)
    t.ack(4, '4x2')
    t.ack(5, '5x2')
    t.last(state='Open', unacked=0, sacked=0, lost=0, retrans=0, acked=10000)


@script('limited_transmit/limited-transmit-sack.pkt', *EACH_10MS, rules=['packet delay 28ms segment:1'],
        todo=[(0, 'write', 15000)], until=300)
def limited_transmit(t):
    t.ack(1, '11', state='Disorder')
    t.ack(2, '12')
    t.ack(3, '13 14', state='Open', cwnd=11)
    t.ack(4, '15')
    t.last(total_retrans=0, acked=15000)


@script('limited_transmit/limited-transmit-no-sack.pkt', *EACH_10MS, rules=['packet delay 28ms segment:1'], warm_up=1000,
        todo=[(0, 'write', 15000)], until=300, sysctl=NO_SACK)
def limited_transmit_without_sack(t):
    limited_transmit(t)


@script('slow_start/slow-start-app-limited.pkt', 'delay 20ms', todo=[(0, 'write', 10000)], until=60)
def a_window_full(t):
    t.last(cwnd=20, acked=10000)


@script('slow_start/slow-start-app-limited-9-packets-out.pkt', 'delay 20ms', todo=[(0, 'write', 9000)], until=60)
def nine_tenths_of_a_window(t):
    t.last(cwnd=18, acked=9000)


@script('slow_start/slow-start-ack-per-2pkt-send-5pkt.pkt', 'delay 20ms', todo=[(0, 'write', 5000)], until=60)
def half_a_window(t):
    t.last(cwnd=10, acked=5000)


@script('slow_start/slow-start-ack-per-2pkt-send-6pkt.pkt', 'delay 20ms', todo=[(0, 'write', 6000)], until=60)
def six_tenths_of_a_window(t):
    t.last(cwnd=12, acked=6000)


@script('slow_start/slow-start-ack-per-1pkt.pkt', *EACH_10MS, acks='each', todo=[(0, 'write', 30000)], until=230,
        sysctl={'tcp_tso_win_divisor': 100})
def slow_start(t):
    for number in range(1, 11):
        t.ack(number, f'{9 + 2 * number} {10 + 2 * number}', cwnd=10 + number, acked=1000 * number)


@script('slow_start/slow-start-ack-per-2pkt.pkt', *EACH_10MS, acks='each', rules=['drop ack:1,3,5,7,9'],
        todo=[(0, 'write', 30000)], until=230, sysctl={'tcp_tso_win_divisor': 100})
def slow_start_with_half_of_the_acknowledgements(t):
    for number in range(1, 6):
        t.ack(number, cwnd=10 + 2 * number, acked=2000 * number)


@script('slow_start/slow-start-after-idle.pkt', 'delay 50ms', todo=[(0, 'write', 26000), (2000, 'write', 20000)], until=2090,
        sysctl={'tcp_slow_start_after_idle': 1}, long=True)
def slow_start_after_idle(t):
    t.acked(10000, cwnd=20)
    t.acked(26000, cwnd=36)
    t.last(cwnd=10)


@script('initial_window/iw10-base-case.pkt', 'delay 20ms', todo=[(0, 'write', 20000)], until=35)
def initial_window(t):
    t.all_sent('1 2 3 4 5 6 7 8 9 10')


@script('cubic/cubic-hystart-delay-rtt-jumps-upward.pkt', 'delay 100ms', acks='each',
        rules=['drop ack:11,13,15,17,19,21,23,25,27,29'], todo=[(0, 'write', 30000), (250, 'order', 'set delay 140ms back')], until=660)
def the_way_gets_longer(t):
    t.acked(10000, cwnd=20, ssthresh=INFINITE)
    t.last(cwnd=36, ssthresh=36, acked=30000)


@script('pmtu_discovery/pmtud-1pkt-1460-to-1160.pkt', 'delay 50ms', 'mtu 1200', mtu=1500, todo=[(0, 'write', 1460)], until=130)
def path_mtu(t):
    t.must('sizes', [size for *_, size in t.sent], [1460, 1160, 300])
    t.must('sent at once', t.sent[-1][1] - t.sent[0][1] < 5, True)
    t.last(snd_mss=1160, pmtu=1200, acked=1460)


@script('user_timeout/user_timeout.pkt', 'delay 50ms', rules=['drop fin:1x100'],
        todo=[(0, 'close', 3000)], until=3000, long=True)
def end_unheard(t):
    for times, nominal in (2, 300), (3, 300), (4, 600):
        t.gap('1' if times == 2 else f'1x{times - 1}', f'1x{times}', nominal, late=80)


def play(backend, host, scripts):
    """Plays scripts in one lab. Returns their faults."""
    acks, mtu = host
    words = [{key: one[key] for key in ('link', 'rules', 'todo', 'until', 'warm_up', 'sysctl')} for one in scripts]
    env = serves()
    sink = os.path.join(PLACE, 'sink.py')
    status, out, err = run(f'--backend={backend}', '-q', '--cc=cubic', f'--mtu={mtu}',
                           f'--far="{PYTHON}" "{sink}" {acks}', '--', *python(SENDER), json.dumps(words), env=env)
    traces = [Trace(json.loads(line)) for line in out.splitlines()]
    for one, trace in zip(scripts, traces):
        one['check'](trace)
    faults = [trace.faults and trace.faults + [str(trace.sent)] for trace in traces]
    return faults + [[f'not played: status {status}, {err}']] * (len(scripts) - len(traces))


def play_all(backend, host, scripts):
    """What TCP does depends on times too, which a busy machine changes: a script in which something is wrong is played
    again."""
    for left in reversed(range(4)):
        wrong = []
        for one, faults in zip(scripts, play(backend, host, scripts)):
            if left and faults:
                print('# tried again:', one['name'], *faults, sep='\n#   ', flush=True)
                wrong.append(one)
            else:
                point(f'{backend}: {one["name"]}: {one["check"].__name__.replace("_", " ")}', faults)
        scripts = wrong
        if not scripts:
            break


def main():
    with open(os.path.join(PLACE, 'sink.py'), 'w', encoding='ascii') as file:
        file.write(SINK)
    backends, groups = working_backends(), {}
    for number, one in enumerate(one for one in SCRIPTS if LONG or not one['long']):
        # In turn over one back end and the other, a few in each lab.
        for backend in backends if LONG else [backends[number % len(backends)]]:
            groups.setdefault((backend, one['host'], number // 2 % 2), []).append(one)
    side_by_side(lambda key, scripts: play_all(*key[:2], scripts), *zip(*groups.items()))


main()
done()
