# SPDX-License-Identifier: GPL-3.0-or-later
# Answers each datagram twice. Seen where a retry was built into the server.
import sys
from socket import AF_INET, SOCK_DGRAM, socket

server = socket(AF_INET, SOCK_DGRAM)
server.bind(("127.0.0.1", int(sys.argv[1])))
while True:
    message, client = server.recvfrom(65536)
    server.sendto(message.upper(), client)
    server.sendto(message.upper(), client)
