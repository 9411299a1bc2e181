# SPDX-License-Identifier: GPL-3.0-or-later
# The textbook's UDP client: one line from the keyboard, one datagram, one reply.
import sys
from socket import AF_INET, SOCK_DGRAM, socket

client = socket(AF_INET, SOCK_DGRAM)
message = sys.stdin.readline().rstrip("\n").encode()
client.sendto(message, (sys.argv[1], int(sys.argv[2])))
reply, server = client.recvfrom(2048)
print(reply.decode())
client.close()
