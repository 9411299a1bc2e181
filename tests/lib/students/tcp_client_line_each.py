# SPDX-License-Identifier: GPL-3.0-or-later
# Right: a connection for each line, whose end tells the server that the line is whole.
import sys
from socket import SHUT_WR, create_connection

for line in sys.stdin:
    try:
        with create_connection((sys.argv[1], int(sys.argv[2]))) as client:
            client.sendall(line.encode())
            client.shutdown(SHUT_WR)
            reply = b""
            while data := client.recv(4096):
                reply += data
    except OSError as error:
        sys.exit(str(error))
    print("".join(c if c.isprintable() else "?" for c in reply.decode(errors="replace")), flush=True)
