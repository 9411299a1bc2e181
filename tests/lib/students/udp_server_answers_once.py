# SPDX-License-Identifier: GPL-3.0-or-later
# Takes the same line of the same client for a duplicate, and does not answer it.
import sys
from socket import AF_INET, SOCK_DGRAM, socket

server = socket(AF_INET, SOCK_DGRAM)
server.bind(("127.0.0.1", int(sys.argv[1])))
last = None
while True:
    came = server.recvfrom(65536)
    if came != last:
        server.sendto(came[0].upper(), came[1])
    last = came
