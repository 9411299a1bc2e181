# SPDX-License-Identifier: GPL-3.0-or-later
# Right: Python's socketserver over UDP. The class itself reads no more than 8192 bytes of a
# datagram.
import socketserver
import sys


class Capitals(socketserver.BaseRequestHandler):
    def handle(self):
        data, server = self.request
        text = data.decode(errors="surrogateescape").upper()
        server.sendto(text.encode(errors="surrogateescape"), self.client_address)


socketserver.UDPServer.max_packet_size = 65536
with socketserver.UDPServer(("127.0.0.1", int(sys.argv[1])), Capitals) as server:
    server.serve_forever()
