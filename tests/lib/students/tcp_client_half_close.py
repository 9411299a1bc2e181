# SPDX-License-Identifier: GPL-3.0-or-later
# Right: ends its side at the end of its input, and shows what comes until the server ends its own.
import sys
from socket import SHUT_WR, create_connection
from threading import Thread

try:
    client = create_connection((sys.argv[1], int(sys.argv[2])))
except OSError as error:
    sys.exit(str(error))


def show():
    for line in client.makefile(encoding="utf-8", errors="replace", newline="\n"):
        print("".join(c if c.isprintable() else "?" for c in line.rstrip("\n")), flush=True)


reader = Thread(target=show)
reader.start()
try:
    for line in sys.stdin:
        client.sendall(line.encode())
    client.shutdown(SHUT_WR)
except OSError as error:
    print(error)
reader.join()
