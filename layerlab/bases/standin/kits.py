"""The two ways to compile CPython for stand-ins: against this distribution's glibc, and against musl. Data only."""

from __future__ import annotations

from dataclasses import dataclass

from layerlab.bases.standin.timeline import Task


@dataclass(frozen=True)
class Kit:
    """A recipe that compiles CPython: what it needs, what it makes, and how long that takes on two idle cores.

    ``libraries`` are the source packages compiled along with CPython. ``outputs`` are the tar archives it leaves,
    CPython's first; ``has_system`` says that they are a whole base, which needs no root file system of Debian's.
    """

    recipe: str
    toolchain: str
    source: Task
    installing: Task
    compiling: Task
    libraries: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ("cpython",)
    has_system: bool = False

    @property
    def tasks(self) -> tuple[Task, Task, Task]:
        """Its work in order."""
        return self.source, self.installing, self.compiling


GLIBC = Kit(
    recipe="cpython",
    toolchain="layerlab/standin-toolchain:latest",
    source=Task("source", "fetching CPython's source", 4),
    installing=Task("toolchain", "installing a compiler", 14),
    compiling=Task("compile", "compiling CPython", 125),
)
MUSL = Kit(
    recipe="cpython-musl",
    toolchain="layerlab/standin-toolchain-musl:latest",
    source=Task("musl-source", "fetching the sources of busybox, OpenSSL and CPython", 8),
    installing=Task("musl-toolchain", "installing a compiler for musl", 16),
    compiling=Task("musl-compile", "compiling busybox, OpenSSL and CPython against musl", 230),
    libraries=("busybox", "zlib", "libffi", "openssl"),
    outputs=("cpython", "system", "data"),
    has_system=True,
)
KITS = {"slim": GLIBC, "full": GLIBC, "musl": MUSL}
