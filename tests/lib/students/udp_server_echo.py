# SPDX-License-Identifier: GPL-3.0-or-later
# Echoes: the line comes back as it was. Seen where an echo server was taken for a start.
import sys
from socket import AF_INET, SOCK_DGRAM, socket

server = socket(AF_INET, SOCK_DGRAM)
server.bind(("127.0.0.1", int(sys.argv[1])))
while True:
    message, client = server.recvfrom(65536)
    server.sendto(message, client)
