"""Serve a few requests, and copy what the process had open by then into a folder that can be a whole file system.

    python keep.py FOLDER [PATH...]

What no request here asks for is not loaded, and so it is left behind.
"""

import os
import re
import socket
import sys
import threading
import time

import uvicorn
import uvicorn.__main__  # what `python -m uvicorn` starts

PORT = 8000
LOADER = re.compile(rb"/lib[\w/.-]*/ld-[\w.-]+")


def ask(server, paths):
    """Ask by hand: a client of Python's own would load modules that the service needs none of."""
    try:
        while not server.started:
            time.sleep(0.1)
        for path in paths:
            with socket.create_connection(("127.0.0.1", PORT)) as line:
                line.sendall(f"GET {path} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n".encode())
                print(path, line.makefile("rb").readline().decode().strip())
    finally:
        server.should_exit = True


def opened():
    """Modules, shared libraries and the interpreter of this process, by the path that each was opened at."""
    with open("/proc/self/maps") as maps:
        mapped = {line.split(maxsplit=5)[-1].strip() for line in maps if "/" in line}
    modules = {getattr(module, "__file__", None) for module in list(sys.modules.values())}
    ours = {os.path.abspath(__file__)}
    return sorted(path for path in {*mapped, *modules} - ours if path and os.path.isfile(path))


def names(path):
    """Links beside a file that lead to it: a library is asked for by another name than its file has."""
    folder = os.path.dirname(path)
    beside = (os.path.join(folder, name) for name in os.listdir(folder))
    return [one for one in beside if os.path.islink(one) and os.path.realpath(one) == path]


def loader(program):
    """The path at which a program asks the kernel for its loader."""
    with open(program, "rb") as file:
        return LOADER.search(file.read(4096)).group().decode()


def copy(path, folder):
    # Here and not above: what this script needs by itself is no part of what the service had open.
    import shutil

    os.makedirs(os.path.dirname(folder + path), exist_ok=True)
    shutil.copy(path, folder + path)
    for name in names(path) if ".so" in path else ():
        link(name, path, folder)


def link(name, path, folder):
    if not os.path.lexists(folder + name):
        os.makedirs(os.path.dirname(folder + name), exist_ok=True)
        os.symlink(path, folder + name)


def main(folder, *paths):
    server = uvicorn.Server(uvicorn.Config("main:app", host="127.0.0.1", port=PORT))
    asking = threading.Thread(target=ask, args=(server, paths or ("/health", "/")))
    asking.start()
    server.run()
    asking.join()
    program = os.path.realpath(sys.executable)
    for path in opened():
        copy(path, folder)
    link(loader(program), os.path.realpath(loader(program)), folder)
    link("/usr/local/bin/python3", program, folder)
    print(sum(len(files) for _, _, files in os.walk(folder)), "files kept")


if __name__ == "__main__":
    main(*sys.argv[1:])
