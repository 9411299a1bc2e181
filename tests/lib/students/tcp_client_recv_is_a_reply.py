# SPDX-License-Identifier: GPL-3.0-or-later
# One recv() is taken for one reply: in pieces it is cut, and its rest is the next. Seen
# everywhere, also in the textbook.
import sys
from socket import create_connection

try:
    connection = create_connection((sys.argv[1], int(sys.argv[2])), timeout=3)
    for line in sys.stdin:
        connection.sendall(line.rstrip("\n").encode() + b"\n")
        reply = connection.recv(65536)
        if not reply:
            sys.exit(f"The server closed the connection, behind {reply}.")
        text = reply.decode(errors="replace").rstrip("\n")
        print("".join(c if c.isprintable() else "?" for c in text), flush=True)
except OSError as error:
    sys.exit(f"No connection: {error}")
