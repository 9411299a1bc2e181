# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts that cannot be reached: every line of the input has a record and a fate whatever failed,
and the reason names the thing. In a network namespace of its own, where a name server of this test
answers as it is told."""
import csv
import io
import json
import os
import pty
import signal
import socket
import struct
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor

from client import ENVIRONMENT, HOME, PATIENCE, UPCASE, run, upcased
from tap import LAB, MUSL, UPCASED, done, enter_namespaces, has, not_here, point

ETC = os.path.join(HOME.name, "etc")
NAMES = {
    "etc/resolv.conf": "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n",
    "etc/nsswitch.conf": "hosts: files dns\n",
    "etc/hosts": "127.0.0.1 localhost four.test\nfd00::1 six.test\n::ffff:127.0.0.1 mapped.test\n"
}


def shell(script):
    subprocess.run(["sh", "-ec", script], check=True)


def name_server():
    """Answers by the name that is asked for: its first label says how."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", 53))
    codes = {"missing": 3, "broken": 2, "refusing": 5}
    while True:
        data, sender = sock.recvfrom(512)
        end = data.index(0, 12)
        label = data[13:13 + data[12]].decode()
        kind = struct.unpack("!H", data[end + 1:end + 3])[0]
        found = {"onlyfour": (1, bytes([127, 0, 0, 1])),
                 "onlysix": (28, bytes(15) + b"\1")}.get(label)
        answer = b""
        if found and found[0] == kind:
            answer = b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, 1, len(found[1])) + found[1]
        if label != "silent":
            sock.sendto(
                data[:2] + bytes([0x81, 0x80 | codes.get(label, 0)]) +
                struct.pack("!HHHH", 1, 1 if answer else 0, 0, 0) + data[12:end + 5] + answer,
                sender)


def wanted(got, count, error):
    """Faults: not so many lines, all failed for that reason."""
    want = [("failed", error)] * count
    return [] if got == want else [f"got {got}, wanted {want}"]


def json_lines(text):
    return [(r["fate"], r["error"]) for r in map(json.loads, text.splitlines())
            if r["type"] == "line"]


def csv_lines(text):
    return [(r["fate"], r["error"]) for r in csv.DictReader(io.StringIO(text.decode()))
            if r["type"] == "line"]


def says(text, *words):
    return [f"does not say {word!r}: {text!r}" for word in words if word.encode() not in text]


def misleads(text):
    return [
        f"says {word!r}: {text!r}" for word in (b"is it on", b"nothing can be sent") if word in text
    ]


enter_namespaces("--net", "--mount")
os.mkdir(ETC)
for path, content in NAMES.items():
    with open(os.path.join(HOME.name, path), "w", encoding="ascii") as file:
        file.write(content)
shell(f"ip link set lo up; mount --bind {ETC} /etc")
threading.Thread(target=name_server, daemon=True).start()

# Options, host, the record's error, words of the sentence.
# What POSIX has no code for.
UNKNOWN = "EAI_SYSTEM", "without an answer"
CASES = [
    ([], "0.0.46.224", "address of no host", "localhost:12000"),
    ([], "12000", "address of no host", "localhost:12000"),
    ([], "10.0.0.1", "ENETUNREACH", "no route to that network"),
    ([], "fd00::1", "ENETUNREACH", "no route to that network"),
    ([], "fe80::1", "no interface", "fe80::1%eth0"),
    ([], "fe80::1%nosuch", "no such interface", "no interface of that name"),
    ([], "fe80::1%4711", "no such interface", "no interface of that name"),
    ([], "224.0.0.1", "group address", "multicast"),
    ([], "255.255.255.255", "group address", "broadcast"),
    ([], "ff02::1", "group address", "multicast"),
    ([], "::ffff:224.0.0.1", "group address", "multicast"),
    (["-6"], "localhost", "no IPv6 address", "leave out --ipv6"),
    (["-6"], "four.test", "no IPv6 address", "leave out --ipv6"),
    (["-6"], "onlyfour.test", "no IPv6 address", "leave out --ipv6"),
    (["-6"], "127.0.0.1", "no IPv6 address", "leave out --ipv6"),
    (["-6"], "127.1", *(("no IPv6 address", "leave out --ipv6") if has("EAI_NODATA") else UNKNOWN)),
    (["-4"], "::1", "no IPv4 address", "leave out --ipv4"),
    (["-4"], "six.test", "no IPv4 address", "leave out --ipv4"),
    (["-4"], "onlysix.test", "no IPv4 address", "leave out --ipv4"),
    ([], "missing.test", "EAI_NONAME", "check the spelling"),
    (["-6"], "missing.test", "EAI_NONAME", "check the spelling"),
    ([], "empty.test", *(("EAI_NONAME", "check the spelling") if MUSL else
                        ("EAI_NODATA", "stands for no address") if has("EAI_NODATA") else UNKNOWN)),
    ([], "broken.test", "EAI_AGAIN", "no name server gave an answer"),
    ([], "silent.test", "EAI_AGAIN", "no name server gave an answer"),
    ([], "refusing.test", "EAI_AGAIN", "no name server gave an answer"),
]
THREE = b"one\ntwo\nthree\n"
# The formats run side by side, since some wait for a name server; without an interval, and with one of
# 20 minutes, for which a run that fails does not wait.
FORMATS = ("--json", ), ("--csv", "-n3"), ("--csv", "-n3", "-i20m"), ()
TRANSPORTS = ("-u", 3), ("-t", 3), ("-b", 6)
with ThreadPoolExecutor(len(FORMATS) * len(TRANSPORTS)) as pool:
    for options, host, error, words in CASES:
        faults = []
        results = {
            (transport, form): pool.submit(run,
                                           "--plain",
                                           *options,
                                           transport,
                                           *form,
                                           host,
                                           stdin=b"" if "-n3" in form else THREE)
            for transport, _ in TRANSPORTS for form in FORMATS
        }
        for transport, count in TRANSPORTS:
            json_run, now, later, told = (results[transport, form].result() for form in FORMATS)
            faults += wanted(json_lines(json_run.stdout), count, error) + says(
                json_run.stderr, words) + misleads(json_run.stderr)
            faults += [] if json_run.returncode == 1 else [f"status {json_run.returncode}"]
            for result in now, later:
                faults += wanted(csv_lines(result.stdout), count, error)
            faults += says(told.stderr, "line 1", "line 3",
                           words) + ([] if not told.stdout else [f"{told.stdout!r}"])
        point(f"{' '.join([*options, host])}: {error}", faults)

# Errors of sockets, and those of routes that forbid.
for kind, error, words in ("unreachable", "EHOSTUNREACH", "cannot be reached"), ("prohibit", "EACCES", "a rule of this machine"), \
        ("blackhole", "EINVAL", "a route of this machine"), ("throw", "ENETUNREACH", "no route to that network"):
    shell(f"ip route add {kind} 10.1.0.0/16; ip -6 route add {kind} fd01::/64")
    faults = []
    for host in "10.1.0.1", "fd01::1":
        for transport in "-u", "-t":
            result = run("--plain", "--json", transport, host, stdin=THREE)
            faults += wanted(json_lines(result.stdout), 3, error) + says(result.stderr, words)
    shell(f"ip route del {kind} 10.1.0.0/16; ip -6 route del {kind} fd01::/64")
    point(f"a route that is {kind}", faults)
with open("/proc/sys/net/ipv6/conf/all/disable_ipv6", "w", encoding="ascii") as file:
    file.write("1")
    file.flush()
    faults = []
    for transport in "-u", "-t":
        for host in "::1", "six.test", "fd00::1":
            result = run("--plain", "--json", "-6", transport, host, stdin=THREE)
            faults += wanted(json_lines(result.stdout), 3, "EADDRNOTAVAIL") + says(
                result.stderr, "IPv6")
    point("IPv6 is off", faults)
    file.seek(0)
    file.write("0")

# An IPv4-mapped address is IPv4's: what ICMP says of it is heard, and it is answered.
with upcased() as server:
    for host in "::ffff:127.0.0.1", "::ffff:7f00:1", "mapped.test":
        faults = []
        for options in ["-u"], ["-t"], ["-6", "-u"], ["-4", "-t"]:
            if host == "mapped.test" and options[0] in ("-4", "-6"):
                continue
            result = run("--plain", *options, host, server.port, stdin=b"hello\n")
            faults += says(result.stdout, "HELLO") + says(result.stderr, f"127.0.0.1:{server.port}")
        result = run("--plain", "--json", "-u", "--wait=1h", host, "9", stdin=THREE)
        if json_lines(result.stdout) != [("refused", "ECONNREFUSED")] * 3:
            faults.append(f"refused: {result.stdout!r}")
        point(f"{host} is IPv4's", faults)

# The address of any host is this machine, which answers as 127.0.0.1 or ::1.
for host in "0.0.0.0", "::":
    fates = json_lines(run("--plain", "--json", "-u", "--wait=1h", host, "9", stdin=THREE).stdout)
    point(f"{host} is refused, not forbidden",
          [] if fates == [("refused", "ECONNREFUSED")] * 3 else [fates])


# Lines that come when nobody can be reached any more.
def late_lines(*arguments):
    process = subprocess.Popen([UPCASE, "--plain", "--json", *arguments],
                               stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE,
                               env=ENVIRONMENT)
    told = process.stderr.readline()
    out, _ = process.communicate(THREE, PATIENCE)
    return told, out


for arguments, error in (["10.0.0.1"], "ENETUNREACH"), (["-t", "missing.test"],
                                                        "EAI_NONAME"), (["-t", "127.0.0.1",
                                                                         "9"], "ECONNREFUSED"):
    told, out = late_lines(*arguments)
    point(f"lines behind the end of {arguments}",
          wanted(json_lines(out), 3, error) + ([] if told else ["nothing was told"]))


# Whoever leaves while it is tried again leaves lines that failed for the reason of that.
with subprocess.Popen([UPCASE, "--plain", "--json", "-t", "--retries=forever", "127.0.0.1", "9"],
                      stdin=subprocess.PIPE,
                      stdout=subprocess.PIPE,
                      stderr=subprocess.PIPE,
                      env=ENVIRONMENT) as left:
    left.stdin.write(THREE)
    left.stdin.flush()
    left.stderr.readline()
    # The first ends the input, the next the wait.
    while left.poll() is None:
        left.send_signal(signal.SIGINT)
        try:
            left.wait(0.2)
        except subprocess.TimeoutExpired:
            pass
    point("left while it is tried again", wanted(json_lines(left.stdout.read()), 3, "ECONNREFUSED"))


# A person at a terminal need not end an input that is in vain; what stands there already has its
# record.
def typed(text, *arguments):
    main, side = pty.openpty()
    os.write(main, text)
    with subprocess.Popen([UPCASE, "--plain", "--json", *arguments],
                          stdin=side,
                          stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL,
                          env=ENVIRONMENT) as process:
        os.close(side)
        out = process.communicate(timeout=PATIENCE)[0]
    os.close(main)
    return out, process.returncode


for host, error in ("10.0.0.1", "ENETUNREACH"), ("missing.test", "EAI_NONAME"):
    out, ended = typed(THREE, host)
    point(f"typed to {host}",
          wanted(json_lines(out), 3, error) + ([] if ended == 1 else [f"status {ended}"]))
    out, ended = typed(b"", host)
    point(f"nothing typed to {host}",
          wanted(json_lines(out), 0, error) + ([] if ended == 1 else [f"status {ended}"]))

# However few rows are remembered.
MANY = b"".join(b"%d\n" % i for i in range(20000))
for host, error in ("10.0.0.1", "ENETUNREACH"), ("missing.test", "EAI_NONAME"):
    result = run("--plain", "--csv", "-b", "--rows=1", host, stdin=MANY)
    point(f"20,000 lines to {host}, one row",
          wanted(csv_lines(result.stdout), 40000, error)[:1] and ["not 40000 records"])

# Nobody has the server's port, and the system would give it to the client itself, which would get
# its own lines back.
RANGE = "/proc/sys/net/ipv4/ip_local_port_range"
try:
    with open(RANGE, encoding="ascii") as file:
        before = file.read()
    with open(RANGE, "w", encoding="ascii") as file:
        file.write("40000 40000")
    for transport in "--udp", "--tcp":
        result = run("--plain", "--json", transport, "127.0.0.1", 40000, stdin=b"HELLO\n")
        point(f"the client's own port, {transport}",
              wanted(json_lines(result.stdout), 1, "ECONNREFUSED"))
    with open(RANGE, "w", encoding="ascii") as file:
        file.write(before)
except OSError as error:
    not_here(f"a range of local ports: {error.strerror}", "the client's own port")

# The server's own addresses.
for address, words in ("fe80::1", "fe80::1%eth0"), ("fe80::1%nosuch", "no interface"), ("fe80::1%4711", "no interface"), \
        ("::ffff:127.0.0.1", "leave ::ffff: out"), ("224.0.0.1", "one host"), ("10.0.0.1", "not an address of this host"):
    result = subprocess.run([UPCASED, "--port=0", f"--bind={address}"],
                            capture_output=True,
                            timeout=PATIENCE,
                            check=False)
    point(f"upcased --bind={address}", says(result.stderr, words))

# In the lab the first record says how the link is set, whatever came of the rest.
if subprocess.run([LAB, "--check"], capture_output=True, check=False).returncode == 0:
    for host in "0.0.46.224", "fe80::1", "missing.test":
        out = subprocess.run([LAB, "-q", "--loss=20%", "--", UPCASE, "--plain", "--json", host],
                             input=THREE,
                             capture_output=True,
                             timeout=PATIENCE,
                             env={**os.environ, **ENVIRONMENT},
                             check=False).stdout
        first = json.loads(out.splitlines()[0])
        point(f"the link in the first record, {host}",
              [] if first["type"] == "start" and first["link"] and "loss 20 %" in first["link"]
              and len(json_lines(out)) == 3 else [f"{out!r}"])

done()
