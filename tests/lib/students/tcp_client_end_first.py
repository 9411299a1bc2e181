# SPDX-License-Identifier: GPL-3.0-or-later
# Prints all replies when the input has ended, none before, and none at all if the server goes.
# Seen where replies are gathered in a list.
import sys
from socket import create_connection

try:
    connection = create_connection((sys.argv[1], int(sys.argv[2])), timeout=3)
    replies = connection.makefile("rb")
    lines = []
    for line in sys.stdin:
        connection.sendall(line.rstrip("\n").encode() + b"\n")
        reply = replies.readline()
        if not reply.endswith(b"\n"):
            sys.exit(f"The server closed the connection, behind {reply}.")
        text = reply.decode(errors="replace").rstrip("\n")
        lines.append("".join(c if c.isprintable() else "?" for c in text))
    print("\n".join(lines))
except OSError as error:
    sys.exit(f"No connection: {error}")
