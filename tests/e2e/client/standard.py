# SPDX-License-Identifier: GPL-3.0-or-later
"""Standard input, output and error of all three programs: what cannot be read or written is told,
nothing that is not ours drives a terminal, and what other locales make of text."""
import errno
import json
import os
import pty
import re
import resource
import select
import shutil
import socket
import subprocess
import tempfile
import threading
import time

from client import ENVIRONMENT, HOME, PATIENCE, UPCASE, UPCASED, differences, python, upcased
from tap import LAB, MUSL, done, error_text, not_here, point

# A title, a bell, C1's CSI, what turns text about, a line separator, an end of line and no UTF-8.
EVIL = b"\x1b]0;EVIL\x07\x1b[31m\x9b31m\xc2\x9b31m\xe2\x80\xaetxt\xe2\x81\xa6\xe2\x80\xa8\rx\xff\x7f"
RAW = re.compile(
    rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\rx|\xc2[\x80-\x9f]|\xe2\x80[\xa8-\xae]|\xe2\x81[\xa6-\xa9]"
)
PLACE = tempfile.mkdtemp(prefix="standard-test-")


def environment(**more):
    return {**ENVIRONMENT, "UPCASED": UPCASED, "XDG_RUNTIME_DIR": PLACE, "TMPDIR": PLACE, **more}


def execute(*command, stdin=b"", **more):
    more.setdefault("stdout", subprocess.PIPE)
    if isinstance(stdin, bytes):
        more["input"] = stdin
    elif stdin is not None:
        more["stdin"] = stdin
    return subprocess.run(command,
                          stderr=subprocess.PIPE,
                          timeout=PATIENCE,
                          env=environment(),
                          check=False,
                          **more)


def told(result, wanted, *words):
    return differences("status", str(result.returncode), str(wanted)) + \
        [f"{word} is not in {result.stderr[-300:]!r}" for word in words if word not in result.stderr]


def inputs():
    for name, path, word in (("a directory", "/", b"Is a directory"),
                             ("one that fails", "/proc/self/mem", error_text(errno.EIO).encode())):
        for options in ([], ["--tcp", "--quiet"], ["--json"], ["--both"]):
            with open(path, "rb") if path != "/" else _Directory() as stdin:
                result = execute(UPCASE, "--plain", *options, stdin=stdin)
            point(f"standard input is {name}, {' '.join(options) or 'plain'}",
                  told(result, 1, b"standard input: " + word))
            if options == ["--json"]:
                last = json.loads(result.stdout.splitlines()[-1])
                point("... and the record says that it was cut short",
                      differences("stopped", str(last["stopped"]), "True"))
        result = execute(UPCASE, "--plain", "--read", path)
        point(f"--read {name}", told(result, 1, word))
        result = execute(UPCASE, "--plain", "--config", path)
        point(f"--config {name}", told(result, 2, b"is a folder" if path == "/" else word))
    with upcased() as server:
        reader, writer = os.pipe()
        os.write(writer, b"read before\n")
        result = execute(UPCASE,
                         "--plain",
                         "127.0.0.1",
                         str(server.port),
                         stdin=None,
                         preexec_fn=lambda: os.close(0))
        again = execute(UPCASE,
                        "--read",
                        "-",
                        "--plain",
                        stdin=None,
                        preexec_fn=lambda: os.close(0))
        point("--read - and standard input is closed", told(again, 1 if MUSL else 2, b"Bad file descriptor"))
        point("standard input is closed", told(result, 1, b"standard input: Bad file descriptor"))
        result = execute(UPCASE,
                         "--count=2",
                         "-q",
                         "127.0.0.1",
                         str(server.port),
                         stdin=None,
                         preexec_fn=lambda: os.close(0))
        point("... which is no fault where it is not read",
              told(result, 0) + differences("replies", result.stdout, b"LINE 1\nLINE 2\n"))
        os.close(reader)
        os.close(writer)


class _Directory:
    def __enter__(self):
        self.fd = os.open("/", os.O_RDONLY)
        return self.fd

    def __exit__(self, *_):
        os.close(self.fd)


def outputs():
    path = os.path.join(PLACE, "run.jsonl")
    with upcased() as server:
        host = ["127.0.0.1", str(server.port)]
        execute(UPCASE, "--plain", "--save", path, *host, stdin=b"x\n")
        commands = [[UPCASE, "--plain", *options, *host] for options in (
            [], ["--tcp"], ["--both"], ["--ordered"], ["--quiet"], ["--json"], ["--csv"])]
        commands += [[UPCASE, "--read", path, *options]
                     for options in (["--plain"], ["--json"], ["--csv"])]
        commands += [[program, option] for program in (UPCASE, UPCASED, LAB)
                     for option in ("--help", "--version")]
        commands += [[LAB, "--presets"], [LAB, "ctl", "--help"]]
        for command in commands:
            name = " ".join([os.path.basename(command[0]), *command[1:]]).replace(PLACE, "")
            with open("/dev/full", "wb") as full:
                result = execute(*command, stdin=b"x\n", stdout=full)
            point(f"{name}: a full disk",
                  told(result, 1, b"standard output: No space left on device"))
            result = execute(*command, stdin=b"x\n", stdout=None, preexec_fn=lambda: os.close(1))
            point(f"{name}: closed", told(result, 1, b"standard output: Bad file descriptor"))
        target = os.path.join(PLACE, "short.csv")
        result = execute(UPCASE,
                         "--plain",
                         "--count=100",
                         "--interval=0",
                         "-q",
                         "--save",
                         target,
                         *host,
                         preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100)))
        point("--save: a file that may not grow", told(result, 1, b"File too large") +
              ([f"{target} is there"] if os.path.exists(target) else []))


def on_terminal(*command, stdin=b"", env=None, screen=False, leave=None, executable=None):
    """What a program writes to a terminal; what it reads, from a pipe, or from there. ^D when `leave` was seen."""
    master, slave = pty.openpty()
    reader, writer = os.pipe()
    # Less than a pipe takes; who does not read it may be gone by then.
    if not screen:
        os.write(writer, stdin)
    os.close(writer)
    process = subprocess.Popen(command,
                               stdin=slave if screen else reader,
                               stdout=slave,
                               stderr=slave,
                               start_new_session=True,
                               executable=executable,
                               env=environment(**{"TERM": "xterm", **(env or {})}))
    os.close(slave)
    os.close(reader)
    seen, late, typed = b"", time.monotonic() + PATIENCE, not screen
    while time.monotonic() < late:
        if not select.select([master], [], [], 0.05)[0]:
            if process.poll() is not None:
                break
            continue
        try:
            part = os.read(master, 65536)
        except OSError:
            break
        seen += part
        # It reads keys from the moment on when it asks how pastes come.
        if not typed and b"\x1b[?2004h" in seen:
            os.write(master, stdin)
            typed = True
        if leave and leave in seen:
            os.write(master, b"\x04")
            leave = None
    process.kill()
    process.wait()
    os.close(master)
    return seen


def tame(name, seen, *words):
    """Nothing raw, and the words are there, so that what is looked at was written at all."""
    raw = RAW.search(seen)
    point(name, ([f"raw {raw[0]!r} in {seen!r}"] if raw else []) +
          [f"{word} is not in {seen!r}" for word in words if word not in seen])


SPELT = rb"\x1b]0;EVIL\x07"


def name_of(program, command):
    words = b" ".join(command).replace(EVIL,
                                       b"EVIL").replace(EVIL[:-3],
                                                        b"EVIL").replace(os.fsencode(PLACE), b"")
    return f"{program} {words.decode()}"


def arguments():
    evil = os.fsencode(PLACE) + b"/" + EVIL
    os.mkdir(evil)
    with open(evil + b"/config", "wb") as file:
        file.write(b"wait = " + EVIL + b"\n")
    with open(evil + b"/bad.jsonl", "wb") as file:
        file.write(EVIL + b"\n")
    client = [
        [EVIL],
        [b"localhost", EVIL],
        [b"a", b"1", EVIL],
        [b"--wait=" + EVIL],
        [b"--" + EVIL],
        [b"-x" + EVIL],
        [b"--plain=" + EVIL],
        [b"--save", evil + b".txt/x.txt"],
        [b"--save", EVIL + b".pdf"],
        [b"--read", evil],
        [b"--read", evil + b"/bad.jsonl"],
        [b"--config", evil + b"/none"],
        [b"--config", evil + b"/config"],
        [b"--config", evil],
    ]
    for command in client:
        tame(name_of("upcase", command), on_terminal(UPCASE, *command),
             b"-x" if command[0][:2] == b"-x" else b"EVIL")
    tame("upcase and a letter that is none", on_terminal(UPCASE, b"-" + EVIL), rb"-\x1b")
    tame("upcase, by another name", on_terminal(EVIL, b"--wrong", executable=UPCASE), b"--wrong")
    tame("upcase and a server that is not there",
         on_terminal(UPCASE, b"--plain", env={"UPCASED": b"/" + EVIL}), SPELT)
    tame("upcase on a terminal that is not known",
         on_terminal(UPCASE, screen=True, env={"TERM": EVIL[:-2]}), SPELT)
    tame("upcase and a name that does not resolve",
         on_terminal(UPCASE, "--plain", "a\u202eb\u009b.invalid", stdin=b"x\n"),
         rb"a\xe2\x80\xaeb\xc2\x9b.invalid")
    tame("upcase in the C locale",
         on_terminal(UPCASE, "--plain", "grüße.invalid", stdin=b"x\n", env={"LC_ALL": "C"}),
         rb"gr\xc3\xbc\xc3\x9fe.invalid")
    for command in ([EVIL], [b"--bind=" + EVIL], [b"--" + EVIL],
                    [b"--port=0", b"--port-file",
                     evil], [b"--port-file", EVIL + b"/x"], [b"--port=0", b"--control",
                                                             evil], [b"--port=" + EVIL]):
        tame(name_of("upcased", command), on_terminal(UPCASED, *command), b"EVIL")
    for command in ([b"--loss=" + EVIL], [b"--" + EVIL], [b"--preset=" + EVIL],
                    [b"ctl", b"--socket", evil], [b"ctl", b"--" + EVIL], [b"ctl", EVIL[:-3]]):
        tame(name_of("upcase-lab", command), on_terminal(LAB, *command),
             b"EVIL" if b"ctl" not in command[:1] or len(command) > 2 else b"")


def replies():
    text = EVIL.replace(b"\n", b"") + "grüße ".encode() * 400 + b"\n"
    with upcased() as server:
        for options in ([], ["--tcp"], ["--both"], ["--ordered"],
                        ["--both", "--count=3", "--interval=1ms"], ["--json"], ["--csv"]):
            seen = on_terminal(UPCASE,
                               "--plain",
                               *options,
                               "127.0.0.1",
                               str(server.port),
                               stdin=text)
            words = [b"LINE 3"
                     ] if "--count=3" in options else [] if {"--json", "--csv"} & {*options} else [
                         SPELT, ("GRÜSSE " * 400).encode()
                     ]
            tame(f"replies {' '.join(options) or '--plain'}", seen, *words)
        # Into a pipe bytes stay as they are.
        result = execute(UPCASE, "--plain", "--tcp", "127.0.0.1", str(server.port), stdin=text)
        point(
            "replies into a pipe are as they were",
            differences("reply", result.stdout[:20], text[:20].upper()) +
            differences("length", str(len(result.stdout)), str(len(text))))


def recording():
    path = os.path.join(PLACE, "evil.jsonl")
    plain = os.path.join(PLACE, "good.jsonl")
    with python("scripted_server.py", "tcp") as server:
        execute(UPCASE,
                "--plain",
                "--tcp",
                "--save",
                plain,
                "127.0.0.1",
                str(server.port),
                stdin=b"one\nclose two\n")
    evil = EVIL.replace(b"\x9b31m", b"", 1).replace(b"\xff", b"").decode() + "\n"
    with open(plain, encoding="utf-8") as file, open(path, "w", encoding="utf-8") as out:
        for line in file:
            record = json.loads(line)
            for found in [record, *record.get("sessions", [])]:
                if "peer" in found:
                    found["peer"] = evil + "peer"
            for key in ("text", "reply"):
                if isinstance(record.get(key), str):
                    record[key] = evil + record[key]
            out.write(json.dumps(record) + "\n")
    for options in (["--plain"], ["--json"], ["--csv"]):
        seen = on_terminal(UPCASE, "--read", path, *options)
        tame(f"a recording that lies, {options[0]}", seen, b"peer")
        if options == ["--plain"]:
            point("... and its peer stays on its line",
                  [] if re.search(rb"--- TCP [^\n]*peer ---", seen) else [f"{seen!r}"])
    # The screen has a right to the terminal; what it shows has not.
    seen = on_terminal(UPCASE, "--read", path, screen=True, stdin=b"\x04")
    point("a recording that lies, on the screen and after it", [
        f"{word} in {seen!r}"
        for word in (b"\x1b]0;EVIL", b"\xc2\x9b31m", b"\xe2\x80\xae") if word in seen
    ] + ([] if b"peer ---" in seen else [f"no summary in {seen!r}"]))


def lying_lab(path, answers):
    """What answers on a control socket, and is no lab."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen()

    def serve():
        for answer in answers:
            with listener.accept()[0] as client:
                client.recv(1000)
                client.sendall(answer)
        listener.close()
    threading.Thread(target=serve, daemon=True).start()


def labs():
    path = os.path.join(PLACE, "link")
    event = b"packet at=1 dir=there fate=" + EVIL.replace(
        b"\r", b"") + b" in=0 proto=udp sport=1 dport=2 size=3 marks=\x1b[31m\n"
    lying_lab(path, [
        EVIL + b"\nok\n", b"error " + EVIL + b"\n", b"ok\n" + event + b"error " + EVIL + b"\n"
    ])
    for words in (["link"], ["loss", "1%"], ["watch"]):
        tame(f"upcase-lab ctl {words[0]} and a lab that lies",
             on_terminal(LAB, "ctl", "--socket", path, *words), b"EVIL")
    if execute(LAB, "--check").returncode != 0:
        print("# no hosts can be made here: what the lab says of its commands is not looked at")
        return
    tame("upcase-lab and a command that is not there", on_terminal(LAB, "-q", "--", EVIL), SPELT)
    tame("upcase-lab and a far command that fails", on_terminal(
        LAB, "-q", "--far", b"upcased --port=0 --bind='" + EVIL + b"'", "--", "true"), b"EVIL")
    for option in ("--pcap", "--far-log"):
        tame(f"upcase-lab {option}",
             on_terminal(LAB, "-q", option, b"/nowhere/" + EVIL, "--", "true"), SPELT)
    result = execute(LAB, "-q", "--pcap=/dev/full", "--", "true")
    point("upcase-lab --pcap: a full disk", told(result, 1, b"the capture is not complete"))


def heard(server):
    if not select.select([server], [], [], PATIENCE)[0]:
        return b"(nothing)"
    text, client = server.recvfrom(2048)
    server.sendto(text.upper().replace("ü".encode(), "Ü".encode()).replace("ß".encode(), b"SS"),
                  client)
    return text


def locales():
    """A locale of one byte a character, made here."""
    name = "en_US.ISO-8859-1"
    env = {"LOCPATH": PLACE, "LC_ALL": name}
    made = shutil.which("localedef") and subprocess.run(
        ["localedef", "-c", "-i", "en_US", "-f", "ISO-8859-1",
         os.path.join(PLACE, name)],
        capture_output=True,
        check=False)
    # Without the system's definitions it makes one of its own choice.
    if MUSL or not made or subprocess.run(["locale", "charmap"],
                                  env={**os.environ, **env},
                                  capture_output=True,
                                  text=True,
                                  check=False).stdout.strip() != "ISO-8859-1":
        not_here("a locale of ISO 8859-1: localedef or what it needs is not installed, or musl has none",
                 "ISO 8859-1")
        return
    latin = "grüße".encode("latin-1")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        host = ["127.0.0.1", str(server.getsockname()[1])]
        client = subprocess.Popen([UPCASE, "-q", "--plain", *host],
                                  stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE,
                                  env=environment(**env))
        client.stdin.write(latin + b"\n")
        client.stdin.close()
        sent = heard(server)
        reply = client.stdout.read()
        client.wait(PATIENCE)
        point("ISO 8859-1: plain lines go out as the bytes that they are",
              differences("sent", sent, latin) + differences("reply", reply,
                                                             latin.upper() + b"\n"))
        screens = []
        typist = threading.Thread(target=lambda: screens.append(
            on_terminal(UPCASE, *host, screen=True, env=env, leave=b"SSE", stdin=latin + b"\r")))
        typist.start()
        sent = heard(server)
        typist.join()
        point("ISO 8859-1: what is typed on the screen is UTF-8 on the wire",
              differences("sent", sent, "grüße".encode()))
        point("ISO 8859-1: and comes back with signs that such a terminal has",
              [] if b"GR?SSE" in re.sub(rb"\x1b\[[0-9;]*m|\x1b\(B", b"", screens[0])
              and "Ü".encode() not in screens[0] else [f"{screens[0]!r}"])
    with upcased() as server:
        seen = on_terminal(UPCASE,
                           "-q",
                           "--plain",
                           "127.0.0.1",
                           str(server.port),
                           stdin=latin + b"\x9b31m " + "盛".encode() + b"\n",
                           env=env)
        point("ISO 8859-1: a terminal gets its letters, and no control", differences(
            "reply", seen, b"GR\xfc\xdfE\\x9b31M \xe7\\x9b\\x9b\r\n"))


def main():
    inputs()
    outputs()
    arguments()
    replies()
    recording()
    labs()
    locales()
    shutil.rmtree(PLACE, ignore_errors=True)
    HOME.cleanup()
    done()


main()
