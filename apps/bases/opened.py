"""Which files the service opens before it can answer: its modules and libraries, added up in bytes. Linux only."""

import os
import sys

import main
import uvicorn.loops.auto
import uvicorn.protocols.http.auto

assert main.app and uvicorn.loops.auto and uvicorn.protocols.http.auto

libraries = {line.split(maxsplit=5)[-1].strip() for line in open("/proc/self/maps") if "/" in line}
modules = {getattr(module, "__file__", None) for module in list(sys.modules.values())}
files = {os.path.realpath(path) for path in (*libraries, *modules, sys.executable) if path and os.path.isfile(path)}
print(len(files), sum(os.path.getsize(path) for path in files))
