# SPDX-License-Identifier: GPL-3.0-or-later
# A datagram of more than 1024 bytes is cut short. Seen everywhere, with 2048 bytes also in the
# textbook.
import sys
from socket import AF_INET, SOCK_DGRAM, socket

server = socket(AF_INET, SOCK_DGRAM)
server.bind(("127.0.0.1", int(sys.argv[1])))
while True:
    message, client = server.recvfrom(1024)
    server.sendto(message.upper(), client)
