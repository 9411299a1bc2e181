# SPDX-License-Identifier: GPL-3.0-or-later
# Replies stay in a buffer until the client ends: no flush. Seen where makefile(), a
# BufferedWriter or stdio is used.
import sys
import threading
from socket import create_server


def serve(connection):
    with connection:
        try:
            with connection.makefile("rb") as lines, connection.makefile("wb", 1 << 20) as replies:
                for line in lines:
                    replies.write(line.upper())
        except ConnectionError:
            pass


server = create_server(("127.0.0.1", int(sys.argv[1])), backlog=100)
while True:
    client, _ = server.accept()
    threading.Thread(target=serve, args=(client,), daemon=True).start()
