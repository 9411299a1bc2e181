# SPDX-License-Identifier: GPL-3.0-or-later
# Takes blanks for the end of the line: strip() removes them all.
import sys
from socketserver import StreamRequestHandler, ThreadingTCPServer


class Handler(StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            self.wfile.write(line.strip().upper() + b"\n")


ThreadingTCPServer.allow_reuse_address = True
ThreadingTCPServer.request_queue_size = 100
ThreadingTCPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
