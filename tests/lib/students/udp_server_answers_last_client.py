# SPDX-License-Identifier: GPL-3.0-or-later
# Replies go to the client that wrote last: its address is a global variable. Seen where threads
# answer.
import sys
import threading
from socket import AF_INET, SOCK_DGRAM, socket

server = socket(AF_INET, SOCK_DGRAM)
server.bind(("127.0.0.1", int(sys.argv[1])))


def answer(text):
    server.sendto(text.upper(), client)


while True:
    message, client = server.recvfrom(65536)
    threading.Timer(0.05, answer, (message,)).start()
