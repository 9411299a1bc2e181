# SPDX-License-Identifier: GPL-3.0-or-later
# The last line is lost if no end of line follows it. Seen where lines are cut out of a buffer.
import sys
import threading
from socket import create_server


def serve(connection):
    with connection:
        rest = b""
        try:
            while data := connection.recv(4096):
                *lines, rest = (rest + data).split(b"\n")
                connection.sendall(b"".join(line.upper() + b"\n" for line in lines))
        except ConnectionError:
            pass


server = create_server(("127.0.0.1", int(sys.argv[1])), backlog=100)
while True:
    client, _ = server.accept()
    threading.Thread(target=serve, args=(client,), daemon=True).start()
