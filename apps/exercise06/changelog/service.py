"""What changed lately in a repository that is mounted at /repository."""

import http.server
import subprocess


class Changes(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        command = ["git", "-C", "/repository", "log", "--oneline", "-10"]
        lines = subprocess.run(command, capture_output=True, check=True).stdout
        self.send_response(200)
        self.end_headers()
        self.wfile.write(lines)


http.server.HTTPServer(("", 8000), Changes).serve_forever()
