# SPDX-License-Identifier: GPL-3.0-or-later
# The end of a longer line stays in the buffer and follows a shorter one. Seen in Java: getData()
# without getLength().
import sys
from socket import AF_INET, SOCK_DGRAM, socket

server = socket(AF_INET, SOCK_DGRAM)
server.bind(("127.0.0.1", int(sys.argv[1])))
buffer = bytearray(65536)
while True:
    length, client = server.recvfrom_into(buffer)
    server.sendto(buffer.rstrip(b"\0").upper(), client)
