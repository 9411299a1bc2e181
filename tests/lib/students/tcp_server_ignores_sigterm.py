# SPDX-License-Identifier: GPL-3.0-or-later
# Ignores SIGTERM: only SIGKILL ends it. Seen where somebody wants to be safe from Ctrl-C.
import signal
import sys
import threading
from socket import create_server


def serve(connection):
    with connection:
        try:
            while data := connection.recv(4096):
                connection.sendall(data.upper())
        except ConnectionError:
            pass


signal.signal(signal.SIGTERM, signal.SIG_IGN)
signal.signal(signal.SIGINT, signal.SIG_IGN)
server = create_server(("127.0.0.1", int(sys.argv[1])), backlog=100)
while True:
    client, _ = server.accept()
    threading.Thread(target=serve, args=(client,), daemon=True).start()
