"""Tells when the water in the harbour is highest and lowest."""

import json
import signal
import sys

from bottle import Bottle, abort
from waitress import serve

with open("tides.json") as file:
    TIDES = json.load(file)
app = Bottle()


@app.get("/health")
def health():
    return {"status": "healthy", "days": len(TIDES)}


@app.get("/tides/<day>")
def tides(day):
    return {"day": day, **TIDES[day]} if day in TIDES else abort(404, "no such day in the table")


if __name__ == "__main__":
    # A process with number 1 is not ended by SIGTERM unless it says so itself.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    serve(app, host="0.0.0.0", port=8000)
