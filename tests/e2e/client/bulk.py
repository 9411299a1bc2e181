# SPDX-License-Identifier: GPL-3.0-or-later
"""Bulk lines: as fast as TCP takes them, for so long; their goodput beside the lines' own records."""
import json
import socket
import threading
import time

from client import differences, run
from tap import Late, done, point, points_of_best

SIZE = 999


class SlowServer(threading.Thread):
    """Answers with capitals, some megabytes a second, until the client has no more."""

    def __init__(self):
        super().__init__(daemon=True)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.start()

    def run(self):
        talk = self.listener.accept()[0]
        while data := talk.recv(10000):
            talk.sendall(data.upper())
            time.sleep(0.001)


def equal(what, got, wanted):
    return [] if got == wanted else [f"{what}: {got}, wanted {wanted}"]


def bulk():
    """Each point about a run, and its faults."""
    result = run("--plain", "--json", "--bulk=300ms", f"--size={SIZE}", "127.0.0.1", SlowServer().port)
    yield ("--bulk chooses TCP and ends well", differences("status", str(result.returncode), "0") +
           ([] if b"lines of 999 bytes in 3" in result.stderr and b" sent, goodput " in result.stderr
            and b"\nbulk: " in result.stderr else [Late(result.stderr)]))
    records = [json.loads(line) for line in result.stdout.splitlines()]
    first, tcp = records[0], records[-1]["sessions"][0]["tcp"]
    lines = [record for record in records if record["type"] == "line"]
    yield ("the plan is that of numbered lines without an end",
           equal("count", first["count"], None) + equal("size", first["size"], SIZE) +
           equal("interval", first["interval_ns"], 0) +
           equal("duration", first["duration_ns"], 300000000))
    yield ("all lines are there, and all are answered",
           equal("lines", tcp["bulk_lines"], len(lines)) +
           equal("bytes", tcp["bulk_sent"], len(lines) * (SIZE + 1)) +
           equal("sizes", {len(line["text"]) for line in lines}, {SIZE}) +
           equal("fates", {line["fate"] for line in lines}, {"answered"}))
    # The first line goes alone, and the time begins behind it. What the kernel had at the end and
    # the client had not read yet does not count.
    end = lines[1]["typed_ns"] + tcp["bulk_ns"]
    upto = [sum(SIZE + 1 for line in lines if line["replied_ns"] <= end + slack)
            for slack in (-100000000, 20000000)]
    yield ("the goodput is of the lines that were answered in the time",
           equal("goodput", tcp["bulk_goodput"], int(tcp["bulk_answered"] * 1e9 / tcp["bulk_ns"])) +
           ([] if 300e6 <= tcp["bulk_ns"] else [f"{tcp['bulk_ns']} ns"]) +
           ([] if upto[0] - SIZE - 1 <= tcp["bulk_answered"] <= upto[1] else
            [Late(f"{tcp['bulk_answered']} bytes, wanted {upto[0]} to {upto[1]}")]))


points_of_best(bulk)
for arguments, word in ((["--udp", "--bulk=1s"], b"UDP has no flow control"),
                        (["--both", "--bulk=1s"], b"UDP has no flow control"),
                        (["--bulk=1s", "--count=5"], b"without --count"),
                        (["--bulk=0"], b"--bulk=0"), (["--bulk=2h"], b"1ms to 1h"),
                        (["--bulk=1s", "--read=x"], b"--read")):
    result = run(*arguments)
    point(f"refused: {' '.join(arguments)}",
          differences("status", str(result.returncode), "2") +
          differences("lines", str(len(result.stderr.splitlines())), "1") +
          ([] if word in result.stderr else [f"{result.stderr!r}"]))
done()
