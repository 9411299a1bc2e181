# SPDX-License-Identifier: GPL-3.0-or-later
# Right: Python's socketserver by lines: answers at the end of a line, and the rest at the end of
# the stream.
import socketserver
import sys


class Capitals(socketserver.StreamRequestHandler):
    def handle(self):
        try:
            for line in self.rfile:
                text = line.decode(errors="surrogateescape").upper()
                self.wfile.write(text.encode(errors="surrogateescape"))
        except ConnectionError:
            pass


socketserver.ThreadingTCPServer.allow_reuse_address = True
socketserver.ThreadingTCPServer.daemon_threads = True
socketserver.ThreadingTCPServer.request_queue_size = 100
with socketserver.ThreadingTCPServer(("127.0.0.1", int(sys.argv[1])), Capitals) as server:
    server.serve_forever()
