"""Runs inside an image: serves, asks itself, and prints as JSON which packages that took. Uses the image's uvicorn.

What the interpreter loads before the service does not count: some packages hook into every start of a Python.
"""

from __future__ import annotations

import importlib
import json
import sys
import threading
import time
import urllib.request

PORT = 8765


def main(paths: list[str]) -> None:
    before = set(sys.modules)
    ask_itself(paths)
    tops = {name.partition(".")[0] for name in set(sys.modules) - before}
    print(json.dumps(owners(tops)))


def ask_itself(paths: list[str]) -> None:
    # By name: it is the image's, and no package of this project's.
    uvicorn = importlib.import_module("uvicorn")
    server = uvicorn.Server(uvicorn.Config("main:app", port=PORT, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(0.05)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    for path in paths:
        opener.open(f"http://127.0.0.1:{PORT}{path}", timeout=60).read()
    server.should_exit = True
    thread.join()


def owners(tops: set[str]) -> list[str]:
    # Asked for only now: looking for owners loads modules of its own.
    from importlib.metadata import packages_distributions

    known = packages_distributions()
    return sorted({name.lower().replace("_", "-") for top in tops for name in known.get(top, ())})


if __name__ == "__main__":
    main(sys.argv[1:])
