"""Writes the lines of an address as the label printer can print them."""

import signal
import sys

from bottle import Bottle
from plain import plain
from waitress import serve

app = Bottle()


@app.get("/health")
def health():
    return {"status": "healthy"}


@app.get("/labels/<line>")
def label(line):
    return {"line": line, "printed": plain(line)}


if __name__ == "__main__":
    # A process with number 1 is not ended by SIGTERM unless it says so itself.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    serve(app, host="0.0.0.0", port=8000)
