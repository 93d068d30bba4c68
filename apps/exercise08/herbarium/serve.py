"""Answers which sheets a herbarium has of a family, and shows a sheet; standard library only."""

import json
import signal
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from scan import BYTES_PER_SHEET

CATALOGUE = json.loads(Path("catalogue.json").read_text())
SCANS = Path("scans.txt")
SHEETS = SCANS.stat().st_size // BYTES_PER_SHEET


def sheet(number):
    """Read one sheet out of all of them."""
    with SCANS.open("rb") as scans:
        scans.seek(number * BYTES_PER_SHEET)
        return scans.read(BYTES_PER_SHEET).decode()


class Herbarium(BaseHTTPRequestHandler):
    """Three routes: ``/health``, ``/families/<name>`` and ``/sheets/<number>``."""

    def do_GET(self):
        """Answer with JSON."""
        _, route, *names = self.path.split("/")
        name = names[0] if names else ""
        if route == "health":
            self.answer({"status": "healthy", "families": len(CATALOGUE)})
        elif route == "families" and name in CATALOGUE:
            sheets = CATALOGUE[name]
            self.answer({"family": name, "sheets": len(sheets), "first": sheets[0], "last": sheets[-1]})
        elif route == "sheets" and name.isdigit() and int(name) < SHEETS:
            self.answer({"label": sheet(int(name)).partition("\n")[0].strip()})
        else:
            self.send_error(404)

    def answer(self, value):
        """Send a value as JSON."""
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    # A process with number 1 is not ended by SIGTERM unless it says so itself.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    ThreadingHTTPServer(("0.0.0.0", 8000), Herbarium).serve_forever()
