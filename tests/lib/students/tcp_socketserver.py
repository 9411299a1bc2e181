# SPDX-License-Identifier: GPL-3.0-or-later
# Right: Python's socketserver, a thread for each client, answers what comes at once (ASCII only).
import socketserver
import sys


class Capitals(socketserver.BaseRequestHandler):
    def handle(self):
        try:
            while data := self.request.recv(4096):
                self.request.sendall(data.upper())
        except ConnectionError:
            pass


socketserver.ThreadingTCPServer.allow_reuse_address = True
socketserver.ThreadingTCPServer.daemon_threads = True
socketserver.ThreadingTCPServer.request_queue_size = 100
with socketserver.ThreadingTCPServer(("127.0.0.1", int(sys.argv[1])), Capitals) as server:
    server.serve_forever()
