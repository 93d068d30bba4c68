"""Says of what kind a file is, by what is in it and not by its name."""

import ctypes
import signal
import sys
from pathlib import Path

from bottle import Bottle, abort
from waitress import serve

MIME = 0x10  # magic.h: say it as a media type

magic = ctypes.CDLL("libmagic.so.1")
magic.magic_open.restype = ctypes.c_void_p
magic.magic_load.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
magic.magic_file.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
magic.magic_file.restype = ctypes.c_char_p
cookie = magic.magic_open(MIME)
magic.magic_load(cookie, None)  # the table that comes with the library

SAMPLES = Path(__file__).with_name("samples")
app = Bottle()


@app.get("/health")
def health():
    return {"status": "healthy"}


@app.get("/kinds/<name>")
def kind(name):
    if not (SAMPLES / name).is_file():
        abort(404, "no such file")
    said = magic.magic_file(cookie, str(SAMPLES / name).encode())
    return {"name": name, "kind": said.decode()} if said else abort(500, "nobody could tell")


if __name__ == "__main__":
    # A process with number 1 is not ended by SIGTERM unless it says so itself.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    serve(app, host="0.0.0.0", port=8000)
