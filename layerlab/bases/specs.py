"""Which bases the course stands on, and how they are called. Knows names, no engine."""

from __future__ import annotations

import re
from dataclasses import dataclass

from layerlab.image import normal_reference

# The Python that the course's official references carry; what stand-ins carry is the distribution's business.
OFFICIAL_MINOR = "3.12"


@dataclass(frozen=True)
class BaseSpec:
    """One base the course uses.

    Attributes
    ----------
    pattern
        Its official reference, ``{minor}`` standing for the Python version where the tag has one.
    lacks
        What the official image has and the stand-in cannot have: whatever needs it is skipped there, saying that it
        needs an official base.
    official_minor
        The Python that the official image carries.
    standin_pattern
        What a stand-in is named; the official pattern, truthfully versioned, where that has a version to be true to.
    """

    key: str
    pattern: str
    title: str
    lacks: tuple[str, ...] = ()
    official_minor: str = OFFICIAL_MINOR
    standin_pattern: str = ""

    @property
    def standin(self) -> str:
        """What its stand-in is called, which is never the official image's name.

        >>> BASES["musl"].standin
        'musl stand-in'
        """
        return f"{self.key} stand-in"

    @property
    def follows_course(self) -> bool:
        """True where there is one for every Python, so that all bases of a course carry the same."""
        return "{minor}" in self.pattern

    def reference(self, minor: str | None = None) -> str:
        """Name the base for a minor version of Python; without one, the official image.

        >>> BASES["slim"].reference("3.11"), BASES["distroless"].reference()
        ('python:3.11-slim', 'gcr.io/distroless/python3-debian13:nonroot')
        """
        wanted = minor or self.official_minor
        if not self.follows_course and wanted != self.official_minor:
            return self.standin_reference(wanted)
        return self.pattern.format(minor=wanted)

    def standin_reference(self, minor: str) -> str:
        """Name a stand-in that carries this Python.

        >>> BASES["distroless"].standin_reference("3.11")
        'standin/distroless-python3:3.11'
        """
        return (self.standin_pattern or self.pattern).format(minor=minor)


BASES: dict[str, BaseSpec] = {
    spec.key: spec
    for spec in (
        BaseSpec("slim", "python:{minor}-slim", "CPython on a Debian without manuals and tools"),
        BaseSpec("full", "python:{minor}", "CPython on Debian with compilers, headers and version control"),
        BaseSpec(
            "musl",
            "python:{minor}-alpine",
            "CPython on musl and busybox instead of Debian",
            lacks=("apk", "sqlite3"),
        ),
        # Its tags name the Debian release and not the Python, so a stand-in of another Python needs another name.
        BaseSpec(
            "distroless",
            "gcr.io/distroless/python3-debian13:nonroot",
            "Debian's Python and the libraries it needs: no shell, no package manager",
            official_minor="3.13",
            standin_pattern="standin/distroless-python3:{minor}",
        ),
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
    for spec in BASES.values():
        for pattern in filter(None, (spec.pattern, spec.standin_pattern)):
            if match := re.fullmatch(re.escape(pattern).replace(r"\{minor\}", r"(?P<minor>\d+\.\d+)"), short):
                minor = match["minor"] if "{minor}" in pattern else spec.official_minor
                return Wanted(short, digest or None, spec.key, minor)
    return Wanted(short, digest or None)
