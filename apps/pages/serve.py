"""Serves the pages that the build rendered, with nothing but Python's standard library."""

import signal
import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

# A process with number 1 is not ended by SIGTERM unless it says so itself.
signal.signal(signal.SIGTERM, lambda *_: sys.exit())
ThreadingHTTPServer(("0.0.0.0", 8000), partial(SimpleHTTPRequestHandler, directory="pages")).serve_forever()
