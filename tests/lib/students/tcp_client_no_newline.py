# SPDX-License-Identifier: GPL-3.0-or-later
# Forgets the terminator: no end of line is sent. Seen where a line is read with strip() or
# input().
import sys
from socket import create_connection

try:
    connection = create_connection((sys.argv[1], int(sys.argv[2])), timeout=3)
    replies = connection.makefile("rb")
    for line in sys.stdin:
        connection.sendall(line.rstrip("\n").encode())
        reply = replies.readline()
        if not reply.endswith(b"\n"):
            sys.exit(f"The server closed the connection, behind {reply}.")
        text = reply.decode(errors="replace").rstrip("\n")
        print("".join(c if c.isprintable() else "?" for c in text), flush=True)
except OSError as error:
    sys.exit(f"No connection: {error}")
