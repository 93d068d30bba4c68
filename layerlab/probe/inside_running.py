"""Runs beside a service in its container, or in its base: what the running process uses. Standard library only.

`uses` tells, as JSON, the packages that its Python finds, with their bytecode apart, and every other file that its
process has mapped, with the system package that brought it. `holds FILE…` tells which of these files are there,
and which packages.
"""

from __future__ import annotations

import glob
import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from importlib import metadata
from typing import Any

DPKG, APK = "/var/lib/dpkg/info/*.list", "/lib/apk/db/installed"


def uses() -> dict[str, Any]:
    process = service()
    python = words_of(process)[0]
    asked = [python, "-B", "-c", "import sys; print('\\n'.join(sys.path))"]
    listed = subprocess.run(asked, stdout=subprocess.PIPE, check=True).stdout.decode().splitlines()
    path = [line for line in dict.fromkeys(listed) if line and os.path.isdir(line)]
    folder = os.path.realpath(f"/proc/{process}/cwd")
    outside = [one for one in mapped(process) if not is_below(one, [folder, *path])]
    return {"packages": packages(path), "libraries": libraries(outside)}


def service() -> int:
    """Return the process to look at: the first Python that serves, which number 1 may have started."""
    for number in sorted(int(name) for name in os.listdir("/proc") if name.isdigit()):
        words = words_of(number)
        if number != os.getpid() and words and "python" in os.path.basename(words[0]):
            return number
    raise SystemExit("no process here is a Python")


def words_of(process: int) -> list[str]:
    try:
        with open(f"/proc/{process}/cmdline", "rb") as file:
            return file.read().decode("utf-8", "replace").split("\0")[:-1]
    except OSError:
        return []


def mapped(process: int) -> list[str]:
    """Return the files in the memory of a process: programs, shared libraries, and tables that it maps."""
    with open(f"/proc/{process}/maps") as file:
        names = {line.split(None, 5)[5].rstrip("\n") for line in file if len(line.split(None, 5)) == 6}
    return sorted(name for name in names if os.path.isfile(name))


def is_below(path: str, folders: Iterable[str]) -> bool:
    return any(path.startswith(os.path.realpath(folder).rstrip("/") + "/") for folder in folders)


def packages(path: list[str]) -> list[dict[str, Any]]:
    seen: set[str] = set()
    found = []
    for one in metadata.distributions(path=path):
        files = {os.path.realpath(str(one.locate_file(file))) for file in one.files or ()} - seen
        seen |= files
        name = (one.metadata["Name"] or "unknown").lower().replace("_", "-")
        place = {"name": name, "version": one.version or "", "folder": os.path.realpath(str(one.locate_file("")))}
        sources = [file for file in files if not file.endswith(".pyc")]
        compiled = [importlib.util.cache_from_source(file) for file in sources if file.endswith(".py")]
        found.append({**place, "size": total(sources), "bytecode": total(compiled)})
    return sorted(found, key=lambda one: (one["name"], one["folder"]))


def libraries(files: list[str]) -> list[dict[str, Any]]:
    """Sum files up by the system package that claims them; what none claims stands for itself."""
    claimed = dict(claims({os.path.basename(file) for file in files}))
    groups: dict[str, list[str]] = {}
    for file in files:
        groups.setdefault(claimed.get(file, ("", ()))[0] or file, []).append(file)
    wholes = {name: list(whole) for name, whole in claimed.values()}
    return [
        {"name": name, "files": mine, "size": total(wholes.get(name, mine))} for name, mine in sorted(groups.items())
    ]


def claims(names: set[str]) -> Iterator[tuple[str, tuple[str, list[str]]]]:
    """Yield file → (package, all of its files), for packages that hold a file of one of these names."""
    for package, files in [*of_dpkg(), *of_apk()]:
        real = [at_home(file) for file in files if os.path.basename(file) in names]
        if real:
            whole = sorted({at_home(file) for file in files})
            yield from ((file, (package, whole)) for file in real)


def at_home(file: str) -> str:
    # /lib is another name for /usr/lib where they were merged, and a package may list either.
    return os.path.join(os.path.realpath(os.path.dirname(file)), os.path.basename(file))


def of_dpkg() -> Iterator[tuple[str, list[str]]]:
    for name in sorted(glob.glob(DPKG)):
        with open(name, encoding="utf-8") as file:
            yield os.path.basename(name)[: -len(".list")].partition(":")[0], file.read().splitlines()


def of_apk() -> Iterator[tuple[str, list[str]]]:
    """Read apk's database: a paragraph a package; P names it, F a folder, R a file in that folder."""
    if not os.path.exists(APK):
        return
    with open(APK, encoding="utf-8") as file:
        paragraphs = file.read().split("\n\n")
    for paragraph in paragraphs:
        package, folder, files = "", "", []
        for line in paragraph.splitlines():
            letter, _, rest = line.partition(":")
            package = rest if letter == "P" else package
            folder = rest if letter == "F" else folder
            files += [f"/{folder}/{rest}"] if letter == "R" else []
        yield package, files


def holds(files: list[str]) -> dict[str, Any]:
    path = [line for line in sys.path if line and os.path.isdir(line)]
    return {"packages": packages(path), "files": [file for file in files if os.path.isfile(file)]}


def total(paths: Iterable[str]) -> int:
    """Add up regular files, a file with several names once."""
    kept: dict[tuple[int, int], int] = {}
    for path in paths:
        if os.path.isfile(path) and not os.path.islink(path):
            status = os.stat(path)
            kept[status.st_dev, status.st_ino] = status.st_size
    return sum(kept.values())


if __name__ == "__main__":
    answer = uses() if sys.argv[1] == "uses" else holds(sys.argv[2:])
    print(json.dumps(answer, separators=(",", ":")))
