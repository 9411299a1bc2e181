# SPDX-License-Identifier: GPL-3.0-or-later
# An empty datagram ends it: it is taken for the end of a stream. Seen where the loop came from a
# TCP server.
import sys
from socket import AF_INET, SOCK_DGRAM, socket

server = socket(AF_INET, SOCK_DGRAM)
server.bind(("127.0.0.1", int(sys.argv[1])))
while True:
    message, client = server.recvfrom(65536)
    if not message:
        break
    server.sendto(message.upper(), client)
