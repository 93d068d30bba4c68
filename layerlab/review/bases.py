"""What the name of a base image says: libc, Python, user, whether it can exist. Asks no registry."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from layerlab.dockerfile.references import REFERENCE

Libc = Literal["glibc", "musl"]

_HUB = re.compile(r"^(?:(?:index\.)?docker\.io/)?(?:library/)?")
_CODENAMES = "jessie|stretch|buster|bullseye|bookworm|trixie|forky|duke"
# docker-library/python, "Supported tags": version, then one of these variants.
_PYTHON_TAG = re.compile(
    rf"(?P<version>\d+(?:\.\d+){{0,2}}(?:(?:a|b|rc)\d+|-rc)?|rc|latest)?(?:(?:^|-)(?P<variant>slim(?:-(?:{_CODENAMES}))?|"
    rf"alpine(?:\d+\.\d+)?|{_CODENAMES}|windowsservercore(?:-\w+)?|nanoserver(?:-\w+)?))?"
)
# Debian 10 and older went out of support before Python 3.12 came (docker-library/python, issues 863 and 870).
_OLD_DEBIANS = ("jessie", "stretch", "buster")
_DISTROLESS_NAME = re.compile(r"(?:static|base|base-nossl|cc|python3|java-base|java\d+|nodejs\d*)(?:-debian1[123])?")
# GoogleContainerTools/distroless, README: any other tag is deprecated.
_DISTROLESS_TAG = re.compile(
    r"(?:latest|nonroot|debug|debug-nonroot)(?:-(?:amd64|arm64|arm|s390x|ppc64le))?|[0-9a-f]{40}"
)
_DISTROLESS_PYTHON = {"11": (3, 9), "12": (3, 11), "13": (3, 13)}
# Images that start as root unless told otherwise, by their own Dockerfiles.
_ROOTS = frozenset({"python", "debian", "ubuntu", "alpine", "busybox", "node", "golang", "pypy", "scratch", "fedora"})


@dataclass(frozen=True)
class Base:
    """The name of an image, taken apart."""

    written: str
    name: str = ""
    tag: str = ""
    digest: str = ""

    @property
    def is_known(self) -> bool:
        """False where the name cannot be read, for instance because a build argument without a default is in it."""
        return bool(self.name)

    @property
    def is_python(self) -> bool:
        """True for the official image of Python."""
        return self.name == "python"

    @property
    def is_distroless(self) -> bool:
        """True for Google's images without shell or package manager."""
        return self.name.startswith(("gcr.io/distroless/", "distroless/"))

    @property
    def has_shell(self) -> bool:
        """False where it is certain that there is none."""
        return self.written != "scratch" and not (self.is_distroless and "debug" not in self.tag)

    @property
    def starts_python(self) -> bool:
        """True where the entry point is Python already, so that CMD gives it arguments."""
        return self.is_distroless and self.name.rpartition("/")[2].startswith("python")

    @property
    def is_full_python(self) -> bool:
        """True for Python with compilers and headers: the tag names neither slim nor alpine."""
        return self.is_python and self._variant in ("", *_CODENAMES.split("|"))

    @property
    def libc(self) -> Libc | None:
        """The C library its programs were made for, where the name says it."""
        if self.name == "alpine" or (self.is_python and self._variant.startswith("alpine")):
            return "musl"
        is_debian = self.name in ("debian", "ubuntu") or self.is_distroless
        return "glibc" if is_debian or (self.is_python and not self._variant.startswith("windows")) else None

    @property
    def python(self) -> tuple[int, int] | None:
        """Python's version up to the minor, where the name says it."""
        if self.is_python:
            found = re.match(r"(\d+)\.(\d+)", self.tag)
            return (int(found[1]), int(found[2])) if found else None
        debian = re.search(r"-debian(\d+)$", self.name)
        return _DISTROLESS_PYTHON.get(debian[1]) if debian and self.starts_python else None

    @property
    def starts_as_root(self) -> bool | None:
        """Whether a container of it runs as root unless told otherwise; None where the name doesn't say."""
        if self.is_distroless:
            return "nonroot" not in self.tag
        return True if self.name in _ROOTS or self.name == "ghcr.io/astral-sh/uv" else None

    @property
    def missing(self) -> str | None:
        """Why there can be no such image, or None."""
        if self.is_distroless:
            return self._missing_distroless
        if not self.is_python or not self.tag:
            return None
        match = _PYTHON_TAG.fullmatch(self.tag)
        if match is None:
            ending = self.tag.partition("-")[2] or self.tag
            return f"the official image of Python has no variant {ending!r}: slim, alpine, or a Debian's name"
        old = next((name for name in _OLD_DEBIANS if self._variant.endswith(name)), None)
        if old and self.python and self.python >= (3, 12):
            return f"Debian {old} was out of support before Python 3.12 came, so the two were never published together"
        return None

    @property
    def moves(self) -> str | None:
        """What may come under the same name one day, or None where the name says enough."""
        if self.digest or not self.is_known or self.written == "scratch":
            return None
        if self.tag in ("", "latest"):
            return "whatever is newest" if not self.is_distroless else None
        return "another minor version of Python" if self.is_python and self.python is None else None

    @property
    def _variant(self) -> str:
        match = _PYTHON_TAG.fullmatch(self.tag)
        return (match["variant"] or "") if match else "?"

    @property
    def _missing_distroless(self) -> str | None:
        name = self.name.rpartition("/")[2]
        if name == "python3-debian12":
            return "it was taken off the registry in May 2026; today's is gcr.io/distroless/python3-debian13"
        if name.startswith("python") and not _DISTROLESS_NAME.fullmatch(name):
            return "distroless names Python's images python3-debian13 and the like, never by a minor version"
        if name.startswith("python") and not self.name.startswith("gcr.io/"):
            return "distroless images lie in gcr.io/distroless"
        if self.tag and name.startswith("python") and not _DISTROLESS_TAG.fullmatch(self.tag):
            return f"distroless has no tag {self.tag!r}: latest, nonroot, debug and debug-nonroot"
        return None


def read(reference: str) -> Base:
    """Take the name of an image apart; one that is none gives a `Base` that is not known.

    >>> read("docker.io/library/python:3.12-slim").tag, read("{VERSION}").is_known
    ('3.12-slim', False)
    """
    match = REFERENCE.fullmatch(reference)
    if match is None:
        return Base(reference)
    return Base(reference, _HUB.sub("", match["name"]), match["tag"] or "", match["digest"] or "")
