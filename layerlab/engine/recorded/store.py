"""The recordings on disk: small JSON files by content key, each with a checksum. Knows no engine.

``steps/`` one build step each, ``solves/`` whole builds by BuildKit, ``bases/`` base images, ``containers/`` what was
asked of containers, ``layers/`` what layers hold, ``packed/`` what they take packed, ``transfers/`` what went to and
from a registry, ``refusals/`` builds that the engine would not begin, ``provenance.json`` where all of it comes from.
One such folder stands on one set of bases, so a notebook that is recorded by itself, on other bases than the rest,
has a folder of its own inside.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Literal, get_args

from layerlab.engine.protocol import Builder
from layerlab.errors import NotRecorded, RecordingDamaged
from layerlab.image import normal_reference

Kind = Literal["steps", "solves", "bases", "containers", "layers", "packed", "refusals", "transfers"]
BaseOrigin = Literal["official", "stand-in", "mixed", "none"]
Payload = dict[str, Any]
KINDS: tuple[Kind, ...] = get_args(Kind)

_MEND = "Restore it with `git checkout recordings`, or record anew with `layerlab record`."
_PROVENANCE = "provenance.json"
_IN_PACKAGE = Path(__file__).resolve().parents[3] / "recordings"


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """Which engine was recorded, when, and on which bases. Shown by every figure drawn from a recording.

    ``version_answer`` and ``info_answer`` are the engine's own answers, less what describes the machine.
    """

    name: str
    version: str
    api_version: str
    platform: str
    storage: str
    builder: Builder
    recorded_on: date
    bases: BaseOrigin = "none"
    py_minor: str | None = None
    version_answer: Payload = field(default_factory=dict)
    info_answer: Payload = field(default_factory=dict)

    def is_comparable(self, other: Provenance) -> bool:
        """True where recordings of both may stand side by side: step keys include builder and platform."""
        return (self.builder, self.platform) == (other.builder, other.platform)


class Recordings:
    """A folder of recordings. Files are read when asked for and then kept."""

    def __init__(self, folder: Path, *, reached: Path | None = None) -> None:
        self.folder = folder
        self._reached = reached
        self._known: dict[tuple[str, str], Payload | None] = {}
        self._noted: set[tuple[str, str]] = set()

    @classmethod
    def open(cls, notebook: str = "", *, folder: Path | None = None) -> Recordings:
        """Open a folder of recordings.

        Parameters
        ----------
        folder
            By default ``LAYERLAB_RECORDINGS``, else the checkout's own ``recordings`` folder.
        notebook
            Name of the notebook, which is its exercise's too; where it has recordings of its own, they are opened.

        Raises
        ------
        NotRecorded
            It is not there: an installed package carries no recordings.
        """
        what = f"No folder {folder.name!r} of recordings is there" if folder else ""
        if folder is None and (named := os.environ.get("LAYERLAB_RECORDINGS")):
            folder = Path(named).expanduser()
            what = f"LAYERLAB_RECORDINGS names {folder.name!r}, and no such folder is there"
        folder = folder or _IN_PACKAGE
        if not folder.is_dir():
            what = what or (
                "There are no recordings here: they come with the course's checkout, not with the installed package"
            )
            raise NotRecorded(
                f"{what}. Work in a clone of the course, set LAYERLAB_RECORDINGS to its `recordings` folder, "
                "or start an engine (`layerlab engine start`)."
            )
        reached = os.environ.get("LAYERLAB_RECORDINGS_REACHED")
        return cls(own_folder(folder, notebook) or folder, reached=Path(reached) if reached else None)

    def read(self, kind: Kind, key: str) -> Payload | None:
        """Return one recording, or None where there is none. Raises RecordingDamaged."""
        if (kind, key) not in self._known:
            path = self.path(kind, key)
            self._known[kind, key] = _read(path) if path.exists() else None
        found = self._known[kind, key]
        if found is not None:
            self._note_reached(kind, key)
        return found

    def needed(self, kind: Kind, key: str, *, by: str) -> Payload:
        """Return a recording that another one names. Raises RecordingDamaged where it is missing."""
        found = self.read(kind, key)
        if found is None:
            raise RecordingDamaged(f"The recording {self.name(kind, key)} is missing, and {by} needs it. {_MEND}")
        return found

    def write(self, kind: Kind, key: str, payload: Mapping[str, Any]) -> None:
        """Write one recording, replacing what was there."""
        _write(self.path(kind, key), payload)
        self._known[kind, key] = dict(payload)

    def keys(self, kind: Kind) -> Iterator[str]:
        """Name every recording of a kind, in a stable order."""
        for path in sorted((self.folder / kind).rglob("*.json")):
            yield path.stem

    def all(self, kind: Kind) -> Iterator[tuple[str, Payload]]:
        """Yield every recording of a kind with its key, without counting it as reached."""
        for key in self.keys(kind):
            yield key, _read(self.path(kind, key))

    def remove(self, kind: Kind, key: str) -> None:
        """Delete one recording; one that is not there is no error."""
        self.path(kind, key).unlink(missing_ok=True)
        self._known.pop((kind, key), None)

    def path(self, kind: Kind, key: str) -> Path:
        """Name the file of a recording; steps go into folders by their first two digits."""
        folder = self.folder / kind
        return (folder / key[:2] if kind == "steps" else folder) / f"{key}.json"

    def name(self, kind: Kind, key: str) -> str:
        """Name a recording as messages do: relative to the checkout."""
        return _shown(self.path(kind, key))

    @property
    def provenance(self) -> Provenance:
        """Where these recordings come from. Raises NotRecorded or RecordingDamaged."""
        path = self.folder / _PROVENANCE
        if not path.exists():
            raise NotRecorded(
                f"The folder {self.folder.name!r} holds no {_PROVENANCE}, so nothing is recorded there. "
                "Run `layerlab record` on an engine, or `git checkout recordings`."
            )
        found = _read(path)
        try:
            return Provenance(**{**found, "recorded_on": date.fromisoformat(found["recorded_on"])})
        except (KeyError, TypeError, ValueError) as error:
            raise RecordingDamaged(f"{_shown(path)} lacks a field or has a wrong one: {error}. {_MEND}") from error

    @provenance.setter
    def provenance(self, value: Provenance) -> None:
        _write(self.folder / _PROVENANCE, {**asdict(value), "recorded_on": value.recorded_on.isoformat()})

    def _note_reached(self, kind: Kind, key: str) -> None:
        # Kernels that verify a recording append to one list; what is not on it is not needed.
        if self._reached and (kind, key) not in self._noted:
            self._noted.add((kind, key))
            with self._reached.open("a", encoding="utf-8") as file:
                file.write(f"{kind} {key}\n")


def own_folder(folder: Path, notebook: str) -> Path | None:
    """Return the folder of a notebook that was recorded by itself, or None where it shares the others'."""
    own = folder / notebook
    return own if notebook and (own / _PROVENANCE).exists() else None


def sets(folder: Path) -> tuple[Path, ...]:
    """Return every set of recordings in a folder: the shared one, and those of single notebooks."""
    return tuple(sorted(path.parent for path in folder.rglob(_PROVENANCE)))


def digest(*parts: object) -> str:
    """Hash JSON values into a key of 32 hex digits: enough that no two inputs ever meet."""
    text = json.dumps(parts, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def base_key(reference: str) -> str:
    """Name a base's file: readable, and the same for every spelling of one reference.

    >>> base_key("docker.io/library/python:3.12-slim")
    'python-3.12-slim'
    >>> base_key("scratchpad")
    'scratchpad-latest'
    """
    return re.sub(r"[^A-Za-z0-9._-]+", "-", normal_reference(reference)).strip("-.")


def layer_key(diff_id: str) -> str:
    """Name the file of a layer's entries, or of what it takes packed.

    >>> layer_key("sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef")
    '5f70bf18a086007016e948b04aed3b82'
    """
    return diff_id.rpartition(":")[2][:32]


def _read(path: Path) -> Payload:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RecordingDamaged(f"The recording {_shown(path)} cannot be read: {error}. {_MEND}") from error
    checksum = found.pop("checksum", None) if isinstance(found, dict) else None
    if checksum != _checksum(found):
        raise RecordingDamaged(f"The recording {_shown(path)} does not match its own checksum. {_MEND}")
    return dict(found)


def _write(path: Path, payload: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(f".{os.getpid()}.tmp")
    partial.write_text(_format({"checksum": _checksum(payload), **payload}), encoding="utf-8")
    partial.replace(path)  # a recording is there whole or not at all


def _checksum(payload: object) -> str:
    text = json.dumps(payload, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def _format(payload: Mapping[str, Any]) -> str:
    """Lay JSON out for a reader of diffs: a field, or an item of a field's list, to a line."""
    fields = (f" {json.dumps(name)}: {_value(payload[name])}" for name in sorted(payload))
    return "{\n" + ",\n".join(fields) + "\n}\n"


def _value(value: object) -> str:
    if isinstance(value, list) and value:
        return "[\n" + _lines(map(_dumps, value)) + "\n ]"
    if isinstance(value, dict) and value:
        return "{\n" + _lines(f"{json.dumps(name)}: {_dumps(value[name])}" for name in sorted(value)) + "\n }"
    return _dumps(value)


def _lines(items: Iterable[str]) -> str:
    return ",\n".join(f"  {item}" for item in items)


def _dumps(value: object) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def _shown(path: Path) -> str:
    # From the recordings folder on: what lies above it is this machine's business.
    parts = path.parts
    start = next((i for i, part in enumerate(parts) if part in KINDS), len(parts) - 1)
    return "/".join(("recordings", *parts[start:]))
