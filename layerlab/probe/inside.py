"""Runs inside an image, with the Python it finds there: lists as JSON what was installed. Standard library only.

`contents PROGRAM` tells distributions, application and tools; `files SOURCE…` what a COPY of these would carry.
Sizes are bytes of regular files. Nothing printed depends on time, host or order on disk.
"""

from __future__ import annotations

import glob
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from functools import lru_cache
from importlib import metadata
from typing import Any

TOOLS = "uv uvx pip pip3 poetry conda gcc cc g++ c++ clang cpp ld as make cmake cargo rustc apk apt apt-get dpkg git "
TOOLS += "curl wget sh bash busybox"
PLACES = "/usr/local/bin /usr/bin /bin /usr/local/sbin /usr/sbin /sbin /root/.local/bin /root/.cargo/bin"
NOT_NEEDED = (".git", ".cache", "__pycache__")
SINGLES = 60  # an image's whole /usr/bin is named by folder, not one by one


def contents(program: str) -> dict[str, Any]:
    python = interpreter(program)
    seen: set[str] = set()
    found = [distribution(one, seen) for one in metadata.distributions(path=module_path(python))]
    unique = {(one["name"], one["folder"]): one for one in reversed(found)}
    return {
        "python": python,
        "distributions": [unique[key] for key in sorted(unique)],
        "application_bytes": application_bytes(os.getcwd(), seen, set(module_path(python))),
        "tools": sorted(tools(), key=lambda tool: tool["path"]),
    }


def interpreter(program: str) -> str:
    """Find the Python that a start command runs: the one named by the script's first line, or this one."""
    path = shutil.which(program) if program else None
    if path is None:
        return sys.executable
    if os.path.basename(path).startswith("python"):
        return path
    with open(path, "rb") as file:
        words = file.readline(512).decode("utf-8", "replace").strip().split()
    if not words or not words[0].startswith("#!") or "python" not in words[-1]:
        return sys.executable
    named = shutil.which(words[-1] if words[0] == "#!/usr/bin/env" else words[0][2:])
    return named or sys.executable


def module_path(python: str) -> list[str]:
    # The interpreter itself knows best: ENV, venv and user site all have a say.
    asked = [python, "-B", "-c", "import sys; print('\\n'.join(sys.path[1:]))"]
    lines = subprocess.run(asked, stdout=subprocess.PIPE, check=True).stdout.decode().splitlines()
    return [line for line in dict.fromkeys(lines) if os.path.isdir(line)]


def distribution(one: metadata.Distribution, seen: set[str]) -> dict[str, Any]:
    files = {os.path.realpath(str(one.locate_file(file))) for file in own_files(one)}
    new = sorted(path for path in files - seen if not path.endswith(".pyc"))
    seen |= files
    folder = os.path.realpath(str(one.locate_file("")))
    name, version = one.metadata["Name"] or "unknown", one.version or ""
    return {"name": name.lower().replace("_", "-"), "version": version, "folder": folder, "size": total(new)}


def own_files(one: metadata.Distribution) -> list[str]:
    if one.files is not None:
        return [str(file) for file in one.files]
    # Distributions' own packages come without a list; what they are called is all there is to go by.
    tops = (one.read_text("top_level.txt") or one.metadata["Name"] or "").split()
    patterns = [pattern for top in tops for pattern in (top + "/**", top + ".py")]
    root = str(one.locate_file(""))
    return [os.path.relpath(path, root) for name in patterns for path in glob.glob(root + "/" + name, recursive=True)]


def application_bytes(folder: str, seen: set[str], module_folders: set[str]) -> int:
    """Count what lies in the working directory and belongs to no distribution; of / only the files right in it."""
    found = []
    for root, folders, files in os.walk(folder):
        inside = [os.path.join(root, name) for name in folders if folder != "/"]
        folders[:] = [os.path.basename(path) for path in inside if is_application(path, module_folders)]
        found += [os.path.join(root, name) for name in files]
    return total(path for path in found if os.path.realpath(path) not in seen and not path.endswith(".pyc"))


def is_application(folder: str, module_folders: set[str]) -> bool:
    is_venv = os.path.exists(os.path.join(folder, "pyvenv.cfg"))
    return not is_venv and folder not in module_folders and os.path.basename(folder) not in NOT_NEEDED


def tools() -> Iterator[dict[str, Any]]:
    looked_in = [*os.environ.get("PATH", "").split(":"), *PLACES.split()]
    # /bin is another name for /usr/bin in most images; the first name on PATH is the one that counts.
    places = {os.path.realpath(place): place for place in reversed(looked_in) if os.path.isdir(place)}
    for place in places.values():
        for name in TOOLS.split():
            path = os.path.join(place, name)
            if os.access(path, os.X_OK):
                # A name for busybox, or for gcc-12, weighs nothing of its own.
                yield {"name": name, "path": path, "size": 0 if os.path.islink(path) else os.path.getsize(path)}


def total(paths: Iterable[str]) -> int:
    """Add up regular files, a file with several names once."""
    kept: dict[tuple[int, int], int] = {}
    for path in paths:
        try:
            status = os.lstat(path)
        except OSError:
            continue
        if os.path.isfile(path) and not os.path.islink(path):
            kept[status.st_dev, status.st_ino] = status.st_size
    return sum(kept.values())


def files(sources: list[str]) -> list[dict[str, Any]]:
    owners = owners_of_files(sources)
    groups: dict[tuple[str, str, str | None], list[str]] = {}
    for source in sorted({path for pattern in sources for path in glob.glob(pattern) or [pattern]}):
        for path in regular_files(source):
            groups.setdefault((source, *group(source, path, owners)), []).append(path)
    return [entry(*key, groups[key]) for key in sorted(groups, key=lambda key: (key[0], key[1], key[2] or ""))]


def owners_of_files(sources: list[str]) -> dict[str, tuple[str, str]]:
    """Map files to the distribution that brought them: a program in bin belongs to a package in lib beside it."""
    owners = {}
    for place in sorted(site_folders(sources)):
        for one in metadata.distributions(path=[place]):
            name = (one.metadata["Name"] or "unknown").lower().replace("_", "-")
            for file in own_files(one):
                owners[os.path.normpath(os.path.join(place, file))] = (name, place)
    return owners


def site_folders(sources: list[str]) -> set[str]:
    tops = {source if os.path.dirname(source) == "/" else os.path.dirname(source) for source in sources}
    walked = (folder for top in tops for folder in walk(top))
    names = ("site-packages", "dist-packages")
    return {folder for folder in (*walked, *sys.path) if os.path.basename(folder) in names}


def walk(top: str) -> Iterator[str]:
    for root, folders, _ in os.walk(top):
        skip_machine(root, folders)
        yield root


def skip_machine(root: str, folders: list[str]) -> None:
    """Leave out what the kernel shows and no image holds."""
    if root == "/":
        folders[:] = [name for name in folders if name not in ("proc", "sys", "dev")]


def regular_files(source: str) -> Iterator[str]:
    if os.path.isfile(source):
        yield source
    for root, folders, names in os.walk(source):
        skip_machine(root, folders)
        for name in names:
            path = os.path.join(root, name)
            if os.path.isfile(path) and not os.path.islink(path):
                yield path


def group(source: str, path: str, owners: dict[str, tuple[str, str]]) -> tuple[str, str | None]:
    """Name what a file is told under: itself if it is a program, else its distribution, else the source's entry."""
    folder, name = os.path.split(path)
    known = path
    if os.path.basename(folder) == "__pycache__":
        known = os.path.join(os.path.dirname(folder), name.split(".")[0] + ".py")
    owner, site = owners.get(path) or owners.get(known) or (None, "")
    if os.path.basename(folder) in ("bin", "sbin") and os.access(path, os.X_OK):
        return (folder if owner is None and is_crowded(folder) else path), owner
    if owner:
        return os.path.join(site, owner), owner
    top = os.path.relpath(path, source).split("/")[0]
    return (os.path.join(source, top) if top != "." else path), None


@lru_cache(maxsize=None)
def is_crowded(folder: str) -> bool:
    return len(os.listdir(folder)) > SINGLES


def entry(source: str, path: str, owner: str | None, paths: list[str]) -> dict[str, Any]:
    contents = hashlib.sha256()
    for one in sorted(paths):
        if not one.endswith(".pyc"):
            with open(one, "rb") as file:
                contents.update(os.fsencode(os.path.relpath(one, source)) + b"\0" + file.read())
    return {
        "source": source,
        "is_folder": os.path.isdir(source),
        "path": path,
        "owner": owner,
        "size": total(paths),
        "runs": paths == [path] and os.access(path, os.X_OK),
        "digest": contents.hexdigest()[:16],
    }


if __name__ == "__main__":
    command, *rest = sys.argv[1:]
    answer = contents(rest[0] if rest else "") if command == "contents" else files(rest)
    print(json.dumps(answer, separators=(",", ":")))
