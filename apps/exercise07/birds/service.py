"""Tells which bird has wings of a length in millimetres. The lengths lie at the head of a large model file."""

import functools
import json
import signal
import sys

from bottle import Bottle
from waitress import serve

MODEL = "models/birds.model"
app = Bottle()


@functools.cache
def wings():
    with open(MODEL, "rb") as file:
        return json.loads(file.readline())


@app.get("/health")
def health():
    return {"status": "healthy"}


@app.get("/birds/<length:int>")
def bird(length):
    return {"length": length, "bird": min(wings(), key=lambda name: abs(wings()[name] - length))}


if __name__ == "__main__":
    # A process with number 1 is not ended by SIGTERM unless it says so itself.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    if "--load-first" in sys.argv:
        wings()
    serve(app, host="0.0.0.0", port=8000)
