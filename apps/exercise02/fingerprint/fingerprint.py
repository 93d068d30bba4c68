"""Answers with the fingerprint that git would give to the path of the request."""

import subprocess
from http.server import BaseHTTPRequestHandler, HTTPServer


class Fingerprint(BaseHTTPRequestHandler):
    def do_GET(self):
        command = ["git", "hash-object", "--stdin"]
        found = subprocess.run(command, input=self.path.encode(), capture_output=True, check=True)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(found.stdout)


HTTPServer(("0.0.0.0", 8000), Fingerprint).serve_forever()
