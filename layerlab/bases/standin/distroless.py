"""Makes a distroless Python of this distribution's binary packages: unpacked, never installed. Knows apt, no engine."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template

from layerlab.bases import system_python
from layerlab.bases.registry import Cancelled, never
from layerlab.bases.standin import debian, recipes, shell
from layerlab.bases.standin.unpacked import Unpacked
from layerlab.errors import BaseUnavailable

OUTPUTS = ("system", "python")

_DEPENDENCY = re.compile(r"^ *(?P<another>\|?)(?:Pre)?Depends: <?(?P<name>[^>\s]+)>?$")


@dataclass(frozen=True)
class Packages:
    """Which packages go in, layer by layer, and which are left out though something depends on them."""

    layers: tuple[tuple[str, ...], ...]
    left_out: frozenset[str]


def packages(minor: str) -> Packages:
    """Read the recipe's lists for this minor version of Python."""
    blocks = re.split(r"^\[.*\]$", Template(_list("packages")).substitute(PY_MINOR=minor), flags=re.MULTILINE)
    return Packages(tuple(tuple(block.split()) for block in blocks), frozenset(_list("left-out").split()))


def finished(parts: Path, digest: str) -> tuple[Path, ...] | None:
    """Return what an earlier run of the same recipe left in the folder ``parts``, or None."""
    made = tuple(parts / f"{name}-{digest}.tar" for name in OUTPUTS)
    return made if all(map(Path.is_file, made)) else None


def make(
    archive: debian.Archive, parts: Path, work: Path, *, digest: str, log: Path, cancelled: Cancelled = never
) -> tuple[Path, ...]:
    """Fetch the packages and write a tar archive for each layer into ``parts``; ``work`` is a folder for meanwhile.

    Raises
    ------
    BaseUnavailable
        A package can't be had, or can't be unpacked.
    BuildCancelled
    """
    minor = system_python.minor()
    options = debian.own_apt(archive, parts, "deb")
    shell.run(["apt-get", *options, "update"], log=log, cancelled=cancelled, environment=archive.environment)
    layers = with_dependencies(packages(minor), ["apt-cache", *options])
    folder = work / "packages"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    command = ["apt-get", *options, "download", *(name for layer in layers for name in layer)]
    shell.run(command, log=log, cancelled=cancelled, folder=folder, environment=archive.environment)
    made = []
    for name, layer in zip(OUTPUTS, layers, strict=True):
        files = Unpacked()
        for package in layer:
            files.add(_found(folder, package))
        _finish(files, name, minor)
        files.write(parts / f"{name}-{digest}.tar")
        made.append(parts / f"{name}-{digest}.tar")
    shutil.rmtree(folder)
    return tuple(made)


def with_dependencies(wanted: Packages, apt_cache: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """Add to each layer the packages that its own depend on and no lower layer has, by name."""
    seen = set(wanted.left_out)
    layers = []
    for asked in wanted.layers:
        layer: set[str] = set()
        waiting = [name for name in asked if name not in seen]
        while waiting:
            layer.update(waiting)
            seen.update(waiting)
            printed = shell.output([*apt_cache, "depends", *sorted(waiting)])
            waiting = sorted({name for name in _first_choices(printed) if name not in seen})
        layers.append(tuple(sorted(layer)))
    return tuple(layers)


def _first_choices(printed: str) -> Iterator[str]:
    """Yield what packages depend on, of alternatives (``a | b``) the first, which is the one apt would take."""
    is_another = False
    for line in printed.splitlines():
        if match := _DEPENDENCY.match(line):
            if not is_another:
                yield match["name"].partition(":")[0]
            is_another = bool(match["another"])


def _finish(files: Unpacked, layer: str, minor: str) -> None:
    """Write what the packages' own scripts would have made, which never run here."""
    if layer == "python":
        for name in ("python", "python3"):
            files.link(f"usr/bin/{name}", f"python{minor}")
        return
    for path in sorted((recipes.folder() / "distroless" / "etc").iterdir()):
        files.file(f"etc/{path.name}", path.read_bytes())
    certificates = (files.content(path) for path in files.paths("usr/share/ca-certificates/"))
    files.file("etc/ssl/certs/ca-certificates.crt", b"".join(certificates))
    files.file("usr/lib/os-release", _marked(files.content("usr/lib/os-release").decode()).encode())
    files.link_merged()
    files.folder("tmp", mode=0o1777)
    files.folder("root", mode=0o700)
    files.folder("home/nonroot", mode=0o700, owner=65532)


def _marked(release: str) -> str:
    """Say in os-release what this is, as the other stand-ins do.

    >>> print(_marked('PRETTY_NAME="Debian 12"\\nID=debian\\n'), end="")
    PRETTY_NAME="Debian 12, Layer Lab stand-in"
    ID=debian
    VARIANT="Layer Lab stand-in, not an official image"
    VARIANT_ID=layerlab-standin
    """
    named = re.sub(r'^(PRETTY_NAME=".*)"$', r'\1, Layer Lab stand-in"', release, flags=re.MULTILINE)
    return f'{named}VARIANT="Layer Lab stand-in, not an official image"\nVARIANT_ID=layerlab-standin\n'


def _found(folder: Path, package: str) -> Path:
    for path in folder.glob(f"{package}_*.deb"):
        return path
    raise BaseUnavailable(
        f"apt downloaded no package {package}. Run `apt-get update` and try again; if it stays so, use another mirror."
    )


def _list(name: str) -> str:
    """Read one of the recipe's lists without its comments."""
    text = (recipes.folder() / "distroless" / name).read_text(encoding="utf-8")
    return "\n".join(line for line in text.splitlines() if not line.startswith("#"))
