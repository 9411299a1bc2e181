# SPDX-License-Identifier: GPL-3.0-or-later
"""The eight pairings with the textbook's programs: each of its clients with upcased and with its
own server (the control), the plain client with each of its servers by name and by address. The
screen's are in test_textbook.c. And, where they are installed, nc, socat and ncat."""
import os
import shutil
import socket
import subprocess

from client import ENVIRONMENT, PATIENCE, PYTHON, TOP, differences, python, run, upcased
from tap import done, point

def known(host):
    """The name can be looked up: the barest of machines do not know even this one."""
    try:
        return bool(socket.getaddrinfo(host, 1))
    except OSError:
        return False


# By address, and by the name that stands for IPv6 first where there is IPv6.
HOSTS = ["127.0.0.1", "localhost" if known("localhost") else "127.1"]
LINES = b"hello\nis anyone there\n\nhello\nStra\xc3\x9fe 42\n"


def textbook_client(name, port, text):
    path = os.path.join(TOP, "tests/lib/textbook", name)
    return subprocess.run([PYTHON, path, "127.0.0.1", str(port)],
                          input=text,
                          capture_output=True,
                          timeout=PATIENCE,
                          check=False).stdout


with upcased() as server:
    point(
        "the textbook's UDP client, upcased",
        differences("reply", textbook_client("udp_client.py", server.port, "grüße\n".encode()),
                    "GRÜSSE\n".encode()))
    point("the textbook's TCP client, upcased",
          differences("reply", textbook_client("tcp_client.py", server.port, "grüße\n".encode()),
                      "From server: GRÜSSE\n".encode()))

with python("textbook/udp_server.py", "0") as server:
    point(
        "the textbook's UDP client, its own server",
        differences("reply", textbook_client("udp_client.py", server.port, b"hello\n"), b"HELLO\n"))
    for host in HOSTS:
        result = run("--plain", "--ordered", host, server.port, stdin=LINES)
        point(
            f"upcase over UDP, the textbook's server at {host}",
            differences("replies", result.stdout, LINES.upper()) +
            differences("status", str(result.returncode), "0"))

with python("textbook/tcp_server.py", "0") as server:
    point(
        "the textbook's TCP client, its own server",
        differences("reply", textbook_client("tcp_client.py", server.port, b"hello\n"),
                    b"From server: HELLO\n"))
    for host in HOSTS:
        result = run("--plain", "--tcp", host, server.port, stdin=LINES * 5)
        point(f"upcase over TCP, the textbook's server at {host}, 25 lines",
              differences("replies", result.stdout, (LINES * 5).upper()) +
              differences("status", str(result.returncode), "0"))

OTHERS = {
    "nc": ["nc", "-N", "127.0.0.1"],
    "ncat": ["ncat", "127.0.0.1"],
    "socat": ["socat", "-t5", "-"],
}
with upcased() as server:
    for name, command in OTHERS.items():
        if not shutil.which(name):
            continue
        where = [f"TCP:127.0.0.1:{server.port}"] if name == "socat" else [str(server.port)]
        result = subprocess.run(command + where,
                                input=b"hello\nworld\n",
                                capture_output=True,
                                timeout=PATIENCE,
                                env=ENVIRONMENT,
                                check=False)
        point(f"{name} over TCP, upcased", differences("replies", result.stdout, b"HELLO\nWORLD\n"))
done()
