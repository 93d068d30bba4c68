"""The last value of a meter, on some thousand small machines in the field."""

import http.server
import json
from pathlib import Path

VALUE = Path("/run/meter/value")


class Reading(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps({"kWh": float(VALUE.read_text())}).encode())


http.server.HTTPServer(("", 8000), Reading).serve_forever()
