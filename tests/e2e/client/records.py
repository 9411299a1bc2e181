# SPDX-License-Identifier: GPL-3.0-or-later
"""Records: --json, --csv and --save as another program reads them, and --read that shows what was recorded."""
import base64
import csv
import io
import json
import os
import re
import subprocess
import tempfile

from client import ENVIRONMENT, PATIENCE, UPCASE, differences, python, run, upcased
from tap import done, point, sanitized

FATES = {
    "answered": "answered", "lost": "lost", "refused": "refused", "failed": "failed",
    "cut off": "cut_off", "waiting": "waiting", "queued": "queued"
}


def records(text):
    """Each line by a reader of JSON that is not ours; times and counts are whole numbers."""
    def no_constant(word):
        raise ValueError(word)
    return [json.loads(line, parse_constant=no_constant) for line in text.decode().splitlines()]


def text_of(record, key="text"):
    if key + "_base64" in record:
        return base64.b64decode(record[key + "_base64"], validate=True)
    return None if record[key] is None else record[key].encode()


def sums(found):
    """What lines and the replies behind them come to, by session."""
    totals = [{
        name: 0
        for name in [*FATES.values(), "late", "duplicates", "strays", "reordered", "typed"]
    } for record in found if record["type"] == "session"]
    for record in found:
        if record["type"] == "line":
            total = totals[record["session"]]
            total["typed"] += 1
            total[FATES[record["fate"]]] += 1
            for name in ["late", "duplicates", "reordered"]:
                total[name] += int(record[name])
        elif record["type"] == "reply":
            total = totals[record["session"]]
            name = {
                "stray": "strays", "late": "late", "duplicate": "duplicates", "answer": "answered"
            }[record["match"]]
            total[name] += 1
            total["lost"] -= record["match"] == "answer"
    return totals


def check_sums(found):
    faults = []
    if [found[0]["type"], found[-1]["type"]] != ["start", "summary"]:
        faults.append("it does not begin with start and end with summary")
    for total, session in zip(sums(found), found[-1]["sessions"]):
        faults += [f"{name}: lines have {value}, the summary {session[name]}"
                   for name, value in total.items() if session[name] != value]
        if session["unrecorded"]:
            faults.append("lines without a record")
    return faults


def check_times(found):
    faults = []
    for line in (record for record in found if record["type"] == "line"):
        if line["fate"] == "answered" and line["rtt_ns"] != line["replied_ns"] - line["sent_ns"]:
            faults.append(f"line {line['n']}: round trip")
        if line["fate"] == "answered" and line["waited_ns"] != line["replied_ns"] - line["typed_ns"]:
            faults.append(f"line {line['n']}: waited")
        if line["sent_ns"] is not None and line["connecting_ns"] + line["queued_ns"] != line[
                "sent_ns"] - line["typed_ns"]:
            faults.append(f"line {line['n']}: the parts are not the whole")
        if not line["typed_ns"] <= line["sent_ns"]:
            faults.append(f"line {line['n']}: sent before it was typed")
    return faults


def totals(found):
    keep = [
        "transport", *FATES.values(), "typed", "late", "duplicates", "strays", "reordered",
        "differs", "cut_short"
    ]
    return [{
        **{key: session[key]
           for key in keep}, "round_trip": session["round_trip"], "loss_runs": session["loss_runs"],
        "delay_variation": session["delay_variation"], "tcp": session["tcp"]
    } for session in found[-1]["sessions"]]


def same_again(folder, name, text):
    """Reading and writing again gives the same records, but for their order and the packets of the link."""
    path = os.path.join(folder, name)
    with open(path, "wb") as file:
        file.write(text)
    result = run("--read", path, "--json")
    before, after = records(text), records(result.stdout)
    key = json.dumps
    return differences("records", sorted(after, key=key), sorted(before, key=key)) + \
        differences("totals", totals(after), totals(before))


LINES = [
    "hello", "lose this", "late 300 this", "twice this", "stray before this", "echo this", "hello",
    "", "grüße", "a\tb\0c", "=1+1", "-2;@x;'", "\x7f\x9b31m\u202eb\u2028\x1b"
]


# What can drive a terminal or turn the order of text about.
UNSAFE = re.compile(r"[\0-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def plain(cell):
    """A cell of CSV without the apostrophes before what a spreadsheet takes for a formula."""
    return re.sub("(^|;)'", r"\1", cell)


def udp(folder):
    lines = "\n".join(LINES).encode() + b"\n\xff\xfe\n"
    with python("scripted_server.py", "udp") as server:
        result = run("--json", "--wait=200ms", "127.0.0.1", server.port, stdin=lines)
        found = records(result.stdout)
        point("UDP: each line of --json is JSON, and the sums are right",
              check_sums(found) + check_times(found))
        point("UDP: no control character in it",
              UNSAFE.findall(result.stdout.decode().replace("\n", "")))
        sent = [record for record in found if record["type"] == "line"]
        point("UDP: records in the order of numbers", differences(
            "numbers", [record["n"] for record in sent], list(range(1, len(LINES) + 2))))
        point("UDP: the texts are exact, UTF-8 or not", differences(
            "texts", [text_of(record) for record in sent], lines.split(b"\n")[:-1]))
        point(
            "UDP: it says what became of them",
            differences("fates", [
                sent[0]["fate"], sent[1]["fate"], sent[4]["late"], sent[3]["duplicates"],
                sent[5]["differs"], sent[6]["tag"] is not None
            ], ["answered", "lost", False, 1, True, True]))
        point("UDP: read and written again", same_again(folder, "udp.jsonl", result.stdout))
        table = run("--csv", "--wait=200ms", "127.0.0.1", server.port, stdin=lines).stdout
        rows = list(csv.DictReader(io.StringIO(table.decode(), newline="")))
        point(
            "UDP: nor in --csv, and no formula",
            UNSAFE.findall(table.decode().replace("\r\n", "")) +
            [cell for row in rows for cell in row.values() if re.search("(^|;)[=+@-]", cell)])
        texts = [
            base64.b64decode(plain(row["text_base64"]))
            if row["text_base64"] else plain(row["text"]).encode() for row in rows
            if row["type"] == "line"
        ]
        point(
            "UDP: --csv is the same, a row a line",
            differences("texts", texts,
                        lines.split(b"\n")[:-1]) +
            differences("fates", [row["fate"] for row in rows if row["type"] == "line"],
                        [r["fate"] for r in sent]) +
            ([] if all(line.endswith(b"\r\n")
                       for line in table.splitlines(True)) else ["ends of line"]))


def both(folder):
    with upcased() as server:
        result = run("--both", "--count=300", "--interval=1ms", "--json", "127.0.0.1", server.port)
        found = records(result.stdout)
        point("both: the sums are right", check_sums(found) + check_times(found))
        ends = [(record["text"], record["ours"]) for record in found
                if record.get("stage") == "ended"]
        point("both: this end closed the connection first",
              differences("ends", ends, [("closed (FIN)", True)]))
        point("both: read and written again", same_again(folder, "both.jsonl", result.stdout))
        path = os.path.join(folder, "b.csv")
        result = run("--both", "--count=20", "--interval=0", "--save", path, "127.0.0.1",
                     server.port)
        with open(path, encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        point(
            "--save FILE.csv at the end",
            differences("status", result.returncode, 0) + differences(
                "lines", sorted((row["transport"], int(row["n"])) for row in rows),
                sorted((transport, n) for transport in ["udp", "tcp"] for n in range(1, 21))))
        os.unlink(path)
        again = run("--read", os.path.join(folder, "both.jsonl"), "--save", path)
        point("--read and --save", differences("status", again.returncode, 0) +
              ([] if os.path.exists(path) else ["no file"]))
        text = os.path.join(folder, "b.txt")
        run("--read", os.path.join(folder, "both.jsonl"), "--save", text)
        with open(text, encoding="utf-8") as file:
            point("as text", [] if "300 tcp line 300 -> LINE 300 " in file.read() else ["no such line"])


def cut_off(folder):
    """The end of a connection is the time of all lines that it cut off, of no other line."""
    with python("scripted_server.py", "tcp") as server:
        result = run("--json",
                     "--tcp",
                     "127.0.0.1",
                     server.port,
                     stdin=b"one\nhold two\nreset three\n")
    found = records(result.stdout)
    lines = [record for record in found if record["type"] == "line"]
    notices = [
        record["at_ns"] for record in found
        if record["type"] == "notice" and "whether the server saw" in record["text"]
    ]
    cut = [record["decided_ns"] for record in lines if record["fate"] == "cut off"]
    point(
        "cut off: it says when",
        differences("fates", [record["fate"]
                              for record in lines], ["answered", "cut off", "cut off"]) +
        differences("notices", len(notices), 1) + differences("times", len(set(cut)), 1) +
        ([] if cut and notices and 0 <= notices[0] - cut[0] < 1e9 else
         [f"cut off at {cut}, told at {notices}"]))
    point("cut off: read and written again", same_again(folder, "cut.jsonl", result.stdout))
    for record in found:
        if "decided_ns" in record:
            record["decided_ns"] = None
    point("cut off at a time that is not known: none is made up", same_again(
        folder, "unknown.jsonl", "".join(json.dumps(record) + "\n" for record in found).encode()))


def refused(folder):
    existing = os.path.join(folder, "there.csv")
    with open(existing, "w", encoding="utf-8") as file:
        file.write("mine")
    for name, arguments, word in [
            ("standard output", ["--save", "-"], b"--json and --csv"),
            ("an ending that is not known", ["--save", os.path.join(folder, "x.pdf")], b".jsonl"),
            ("a file that exists", ["--save", existing], b"already"),
            ("no such folder", ["--save", os.path.join(folder, "no", "x.csv")], b"folder"),
            ("--step without --read", ["--step"], b"--read"),
            ("--read and a host", ["--read", existing, "localhost"], b"sends nothing"),
            ("no such recording", ["--read", os.path.join(folder, "none")], b"No such file"),
            ("no recording", ["--read", existing], b"line 1:")]:
        result = run(*arguments)
        point(
            f"refused: {name}",
            differences("status", result.returncode, 2) +
            differences("lines", result.stderr.count(b"\n"), 1) +
            ([] if word in result.stderr else [str(result.stderr)]))
    with open(existing, encoding="utf-8") as file:
        point("a file that exists stays as it was", differences("text", file.read(), "mine"))


def huge(folder):
    """A line without an end, and a count that would take all memory, are refused in little memory."""
    path = os.path.join(folder, "huge.jsonl")
    with open(path, "wb") as file:
        file.truncate(1 << 30)
    limit = ["sh", "-c", 'ulimit -v 1000000; exec "$0" "$@"', UPCASE]
    if sanitized():
        limit = [UPCASE]
    result = subprocess.run([*limit, "--read", path],
                            capture_output=True,
                            env=ENVIRONMENT,
                            timeout=PATIENCE,
                            check=False,
                            stdin=subprocess.DEVNULL)
    point("a line of a gigabyte is refused", differences("status", result.returncode, 2) +
          ([] if b"line 1: longer than any record" in result.stderr else [str(result.stderr)]))


def broken_output():
    with upcased() as server:
        for name, target in [("a full disk", "/dev/full"), ("a reader that has gone", None)]:
            if target:
                out = os.open(target, os.O_WRONLY)
            else:
                reader, out = os.pipe()
                os.close(reader)
            result = subprocess.run([
                UPCASE, "-q", "--json", "--count=50", "--interval=1ms", "127.0.0.1",
                str(server.port)
            ],
                                    stdout=out,
                                    stderr=subprocess.PIPE,
                                    env=ENVIRONMENT,
                                    timeout=PATIENCE,
                                    check=False)
            os.close(out)
            point(
                f"{name} ends it with one line",
                differences("status", result.returncode, 1) +
                ([] if result.stderr.count(b"\n") == 1 and b"standard output" in result.stderr else
                 [str(result.stderr)]))


def live():
    """A record comes out when it is final, not at the end."""
    with upcased() as server, subprocess.Popen([
            UPCASE, "--json", "--tcp", "127.0.0.1",
            str(server.port)
    ],
                                               stdin=subprocess.PIPE,
                                               stdout=subprocess.PIPE,
                                               stderr=subprocess.DEVNULL,
                                               env=ENVIRONMENT) as client:
        client.stdin.write(b"now\n")
        client.stdin.flush()
        types = [json.loads(client.stdout.readline())["type"] for _ in range(4)]
        point("records are written while it goes on",
              differences("types", types, ["start", "session", "event", "line"]))
        client.stdin.close()
        client.stdout.read()


def main():
    with tempfile.TemporaryDirectory(prefix="upcase-test-") as folder:
        udp(folder)
        both(folder)
        cut_off(folder)
        refused(folder)
        huge(folder)
    broken_output()
    live()
    done()


main()
