"""Tells when the next ferry leaves."""

import signal
import sys

from bottle import Bottle, abort
from dateutil.parser import ParserError, parse
from dateutil.rrule import HOURLY, rrule
from jinja2 import Template
from waitress import serve

FERRIES = rrule(HOURLY, interval=2, dtstart=parse("2026-01-01T06:30"))
SAYS = Template("After {{ asked }} the next ferry leaves at {{ leaves }}.")
app = Bottle()


@app.get("/health")
def health():
    return {"status": "healthy"}


@app.get("/after/<moment>")
def after(moment):
    try:
        asked = parse(moment)
    except ParserError:
        abort(404, "no such moment")
    return SAYS.render(asked=asked.isoformat(), leaves=FERRIES.after(asked).isoformat())


if __name__ == "__main__":
    # A process with number 1 is not ended by SIGTERM unless it says so itself.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    serve(app, host="0.0.0.0", port=8000)
