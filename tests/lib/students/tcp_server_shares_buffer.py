# SPDX-License-Identifier: GPL-3.0-or-later
# One buffer for all clients. Seen when two send pieces of lines in turns.
import sys
from selectors import EVENT_READ, DefaultSelector
from socket import create_server

selector = DefaultSelector()
listener = create_server(("127.0.0.1", int(sys.argv[1])), backlog=100)
selector.register(listener, EVENT_READ)
waiting = b""
while True:
    for key, _ in selector.select():
        client = key.fileobj
        if client is listener:
            selector.register(listener.accept()[0], EVENT_READ)
            continue
        try:
            data = client.recv(4096)
            waiting += data or b"\n" if waiting else data
            end = waiting.rfind(b"\n") + 1
            client.sendall(waiting[:end].upper())
            waiting = waiting[end:]
        except OSError:
            data = b""
        if not data:
            selector.unregister(client)
            client.close()
