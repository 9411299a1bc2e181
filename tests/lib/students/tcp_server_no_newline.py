# SPDX-License-Identifier: GPL-3.0-or-later
# Forgets the terminator: the reply has no end of line. Seen where a line is read with strip().
import sys
import threading
from socket import create_server


def serve(connection):
    with connection:
        try:
            for line in connection.makefile("rb"):
                connection.sendall(line.strip(b"\n").upper())
        except ConnectionError:
            pass


server = create_server(("127.0.0.1", int(sys.argv[1])), backlog=100)
while True:
    client, _ = server.accept()
    threading.Thread(target=serve, args=(client,), daemon=True).start()
