# SPDX-License-Identifier: GPL-3.0-or-later
# The textbook's TCP client: connects, sends a sentence without an end of line, prints what comes
# back.
import sys
from socket import AF_INET, SOCK_STREAM, socket

client = socket(AF_INET, SOCK_STREAM)
client.connect((sys.argv[1], int(sys.argv[2])))
sentence = sys.stdin.readline().rstrip("\n").encode()
client.send(sentence)
reply = client.recv(1024)
print("From server:", reply.decode())
client.close()
