"""Which bases the course stands on, and how they are called. Knows names, no engine."""

from __future__ import annotations

import re
from dataclasses import dataclass

from layerlab.engine.recordings import normal_reference

# The Python that the course's official references carry; what stand-ins carry is the distribution's business.
OFFICIAL_MINOR = "3.12"

_PYTHON = re.compile(r"^python:(?P<minor>\d+\.\d+)(?P<suffix>-[a-z0-9.-]+)?$")


@dataclass(frozen=True)
class BaseSpec:
    """One base the course uses: ``suffix`` is what follows the Python version in its tag.

    ``lacks`` names what the official image has and the stand-in cannot have: whatever needs it is skipped there,
    saying that it needs an official base.
    """

    key: str
    suffix: str
    title: str
    lacks: tuple[str, ...] = ()

    @property
    def standin(self) -> str:
        """What its stand-in is called, which is never the official image's name.

        >>> BASES["musl"].standin
        'musl stand-in'
        """
        return f"{self.key} stand-in"

    def reference(self, minor: str = OFFICIAL_MINOR) -> str:
        """Name the base for a minor version of Python.

        >>> BASES["slim"].reference("3.11")
        'python:3.11-slim'
        """
        return f"python:{minor}{self.suffix}"


BASES: dict[str, BaseSpec] = {
    spec.key: spec
    for spec in (
        BaseSpec("slim", "-slim", "CPython on a Debian without manuals and tools"),
        BaseSpec("full", "", "CPython on Debian with compilers, headers and version control"),
        BaseSpec("musl", "-alpine", "CPython on musl and busybox instead of Debian", lacks=("apk", "sqlite3")),
    )
}


@dataclass(frozen=True)
class Wanted:
    """A base that was asked for: ``reference`` without its digest, ``digest`` where one is pinned.

    ``key`` and ``minor`` are None for an image that is none of the course's bases.
    """

    reference: str
    digest: str | None = None
    key: str | None = None
    minor: str | None = None

    @property
    def pinned(self) -> str:
        """The reference as the engine is asked for it: a digest wins over the tag, which is dropped then."""
        if self.digest is None:
            return self.reference
        repository, _, tag = self.reference.rpartition(":")
        return f"{repository if '/' not in tag else self.reference}@{self.digest}"


def parse(reference: str) -> Wanted:
    """Take a reference apart.

    >>> parse("docker.io/library/python:3.12-slim@sha256:abc").pinned
    'python@sha256:abc'
    >>> parse("python:3.11").key, parse("alpine").key
    ('full', None)
    """
    name, _, digest = reference.partition("@")
    short = normal_reference(name)
    if match := _PYTHON.match(short):
        for spec in BASES.values():
            if spec.suffix == (match["suffix"] or ""):
                return Wanted(short, digest or None, spec.key, match["minor"])
    return Wanted(short, digest or None)
