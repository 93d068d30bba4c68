"""Names one author after the other."""

import itertools
import json
from pathlib import Path

from flask import Flask

app = Flask(__name__)
authors = itertools.cycle(json.loads(Path("authors.json").read_text()))


@app.get("/")
def read_root():
    return {"author": next(authors)}


@app.get("/health")
def health():
    return {"status": "healthy"}


if __name__ == "__main__":
    app.run(host="0.0.0.0", port=5000)
