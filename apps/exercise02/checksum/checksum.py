"""Answers with the checksum of the path of the request, computed by a small library written in C."""

import ctypes
from http.server import BaseHTTPRequestHandler, HTTPServer

library = ctypes.CDLL("./libcrc.so")
library.checksum.restype = ctypes.c_ulong


class Checksum(BaseHTTPRequestHandler):
    def do_GET(self):
        found = library.checksum(self.path.encode())
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"{found:08x}\n".encode())


HTTPServer(("0.0.0.0", 8000), Checksum).serve_forever()
