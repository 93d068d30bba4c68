"""Answers which buses leave a stop: reads one record of a table that was computed when the image was built."""

from flask import Flask, abort

from make_table import BYTES_PER_STOP, STOPS, TABLE

app = Flask(__name__)


@app.get("/health")
def health():
    return {"status": "healthy"}


@app.get("/stops/<int:stop>")
def departures(stop):
    if stop >= STOPS:
        abort(404)
    with open(TABLE, "rb") as table:
        table.seek(stop * BYTES_PER_STOP)
        return {"stop": stop, "departures": table.read(BYTES_PER_STOP).decode().splitlines()}


if __name__ == "__main__":
    app.run(host="0.0.0.0", port=5000)
