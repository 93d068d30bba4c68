"""A compose file as values: the containers that it starts, with their mounts and ports. Knows YAML, and no engine.

Reads the part of the Compose specification that the course uses, and says so where a file goes beyond it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from layerlab.errors import ComposeError

_SERVICE = frozenset({"command", "environment", "image", "ports", "read_only", "stop_grace_period", "user", "volumes"})
_VOLUME = frozenset({"type", "source", "target", "read_only", "bind"})
_PORT = re.compile(r"(?:(?P<address>\d+(?:\.\d+){3}):)?(?:(?P<host>\d+):)?(?P<container>\d+)(?:/tcp)?")


@dataclass(frozen=True)
class Service:
    """One service of a compose file.

    Attributes
    ----------
    mounts
        Folder of this machine → ``"/path:ro"``, as `layerlab.engine.protocol.Engine.start` takes them.
    ports
        Port of the container → port of this machine, 0 where the engine is to pick one.
    makes_folders
        An engine is to make a folder that is not there, as the short form of a mount asks it to.
    """

    name: str
    image: str
    mounts: Mapping[str, str]
    ports: Mapping[int, int]
    read_only: bool = False
    makes_folders: bool = False

    def __repr__(self) -> str:
        mounts = ", ".join(f"{Path(source).name} → {target}" for source, target in self.mounts.items()) or "nothing"
        ports = ", ".join(f"{host} → {inside}" for inside, host in self.ports.items()) or "none"
        return f"{self.name}: {self.image}, mounts {mounts}, ports {ports}"


def load(path: Path) -> tuple[Service, ...]:
    """Read the services of a compose file, in its order.

    Raises
    ------
    ComposeError
        The file is not there, is no YAML, or says something that is wrong or that this reader does not know.
    """
    import yaml

    try:
        read = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise ComposeError(f"{path.name} cannot be read as YAML: {reason}. Mend it and read it again.") from error
    services = read.get("services") if isinstance(read, dict) else None
    if not isinstance(services, dict) or not services:
        raise ComposeError(f"{path.name} names no services. Begin it with `services:` and the name of one below.")
    return tuple(_service(str(name), given, path) for name, given in services.items())


def _service(name: str, given: Any, path: Path) -> Service:
    where = f"{path.name}, service {name}"
    told = _fields(given, _SERVICE, where)
    if not isinstance(told.get("image"), str):
        raise ComposeError(f"{where}: no `image:`. Name the image that its containers start from.")
    volumes = list(_volumes(told.get("volumes", ()), where, path.parent))
    return Service(
        name,
        told["image"],
        mounts={source: target for source, target, _ in volumes},
        ports=dict(_port(one, where) for one in told.get("ports", ())),
        read_only=told.get("read_only") is True,
        makes_folders=any(makes for _, _, makes in volumes),
    )


def _volumes(given: Any, where: str, folder: Path) -> Iterator[tuple[str, str, bool]]:
    for one in given:
        if isinstance(one, str):
            source, colon, target = one.partition(":")
            if not colon:
                raise ComposeError(f"{where}: {one!r} mounts nothing. Write SOURCE:TARGET.")
            yield _source(source, folder), target, True
            continue
        told = _fields(one, _VOLUME, f"{where}, volumes")
        if told.get("type") != "bind" or not told.get("source") or not told.get("target"):
            raise ComposeError(f"{where}: a mount needs `type: bind`, a `source:` and a `target:`.")
        # The specification makes a missing folder unless it is told otherwise.
        makes = (told.get("bind") or {}).get("create_host_path", True) is not False
        yield _source(str(told["source"]), folder), str(told["target"]) + ":ro" * (told.get("read_only") is True), makes


def _source(source: str, folder: Path) -> str:
    # Only what begins with a dot or a slash is a path; another word is the name of a volume.
    return str((folder / source).resolve()) if source.startswith((".", "/")) else source


def _port(given: Any, where: str) -> tuple[int, int]:
    match = _PORT.fullmatch(str(given))
    if match is None or not 0 < int(match["container"]) < 65536:
        raise ComposeError(f"{where}: {given!r} is no port. Write it as in '127.0.0.1:8000:8000'.")
    return int(match["container"]), int(match["host"] or 0)


def _fields(given: Any, known: frozenset[str], where: str) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise ComposeError(f"{where}: a list of `name: value` is wanted here, and there is {given!r}.")
    if unknown := sorted(str(name) for name in given if name not in known):
        raise ComposeError(f"{where}: this reader does not know `{unknown[0]}`. It knows: {', '.join(sorted(known))}.")
    return given
