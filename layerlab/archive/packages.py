"""Which package a file belongs to, read from the package databases that lie in the same layer.

Knows three of them: Python's ``RECORD`` (packaging.python.org, recording installed projects), dpkg's ``*.list`` and
apk's ``installed``. A layer tells of the packages it installed; what it copied without its database stays unowned.
"""

from __future__ import annotations

import csv
import posixpath
import re
from collections.abc import Iterator

_RECORD = re.compile(r"([^/]+)-([^-/]+)\.dist-info/RECORD$")
_DPKG = re.compile(r"var/lib/dpkg/info/([^/:]+)(?::[^/]*)?\.list$")
_APK = ("lib/apk/db/installed", "usr/lib/apk/db/installed")
_ENDINGS = (".dist-info/RECORD", ".list", *_APK)
# Debian since 12 keeps these under /usr and links them; dpkg's lists still name them as packages do.
_MERGED = ("bin/", "sbin/", "lib/", "lib32/", "lib64/", "libx32/")
LONGEST = 16 << 20


def is_database(path: str) -> bool:
    """True for a file that says which files a package has."""
    if not path.endswith(_ENDINGS):
        return False
    return bool(_RECORD.search(path) or _DPKG.match(path) or path in _APK)


def owners(path: str, content: bytes) -> Iterator[tuple[str, str]]:
    """Yield (path of a file, package) for every file that a database claims.

    Packages are named ``python:fastapi 0.115.0``, ``debian:gcc-12``, ``alpine:musl 1.2.5-r0``.
    """
    text = content.decode("utf-8", "replace")
    if match := _RECORD.search(path):
        return _of_record(posixpath.dirname(posixpath.dirname(path)), _python_name(match), text)
    if match := _DPKG.match(path):
        return _of_list(f"debian:{match[1]}", text)
    return _of_installed(text)


def _python_name(match: re.Match[str]) -> str:
    return f"python:{re.sub(r'[-_.]+', '-', match[1]).lower()} {match[2]}"


def _of_record(site: str, package: str, text: str) -> Iterator[tuple[str, str]]:
    for row in csv.reader(text.splitlines()):
        if row:
            # Scripts lie above the folder of the packages: "../../../bin/fastapi".
            yield posixpath.normpath(posixpath.join("/", site, row[0])).lstrip("/"), package


def _of_list(package: str, text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        path = line.lstrip("/")
        yield path, package
        if path.startswith(_MERGED):
            yield f"usr/{path}", package


def _of_installed(text: str) -> Iterator[tuple[str, str]]:
    # Blocks of "LETTER:value" lines: P name, V version, F folder, R file in the last folder.
    name = version = folder = ""
    for line in text.splitlines():
        letter, _, value = line.partition(":")
        if letter == "P":
            name = value
        elif letter == "V":
            version = value
        elif letter == "F":
            folder = f"{value}/" if value else ""
        elif letter == "R":
            yield f"{folder}{value}", f"alpine:{name} {version}"
