# SPDX-License-Identifier: GPL-3.0-or-later
# Does not see that the server has closed: recv() gives nothing, for ever. Seen where a loop waits
# for an end of line.
import sys
from socket import create_connection

try:
    connection = create_connection((sys.argv[1], int(sys.argv[2])), timeout=3)
    for line in sys.stdin:
        connection.sendall(line.rstrip("\n").encode() + b"\n")
        reply = b""
        while not reply.endswith(b"\n"):
            reply += connection.recv(4096)
        text = reply.decode(errors="replace").rstrip("\n")
        print("".join(c if c.isprintable() else "?" for c in text), flush=True)
except OSError as error:
    sys.exit(f"No connection: {error}")
