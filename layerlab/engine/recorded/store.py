"""The recordings: payloads by kind and content key, in one file a notebook. Knows no engine.

``steps`` are one step of the classic builder each, ``vertices`` one of BuildKit, ``images`` what a stage of BuildKit
ended in, ``solves`` whole builds by BuildKit, ``bases`` base images, ``containers`` what was
asked of containers, ``layers`` what layers hold, ``packed`` what they take packed, ``transfers`` what went to and
from a registry, ``refusals`` builds that the engine would not begin.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, get_args

from layerlab.engine.protocol import Builder
from layerlab.engine.recorded.lines import FIX, SUFFIX, Lines, Name
from layerlab.engine.recorded.pack import dumps, unpacked, whole_columns
from layerlab.errors import NotRecorded, RecordingDamaged
from layerlab.image import normal_reference

Kind = Literal[
    "steps", "vertices", "images", "solves", "bases", "containers", "layers", "sizes", "packed", "refusals", "transfers"
]
BaseOrigin = Literal["official", "stand-in", "mixed", "none"]
Payload = dict[str, Any]
KINDS: tuple[Kind, ...] = get_args(Kind)
# Named by what they hold, so they are the same for every notebook.
CONTENT_KINDS: tuple[Kind, ...] = ("layers", "packed")
SHARED = f"shared{SUFFIX}"

_NOTHING = "{!r} holds no recordings. Run `layerlab record` on an engine, or `git checkout recordings`."
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


class Store:
    """What is recorded in a file, and, where that holds nothing, in the files beside it.

    Parameters
    ----------
    path
        The file: recordings of one notebook and its exercise. One that is not there is empty.
    others
        Files to ask after it. Only those that go with it are: of the same builder and platform, and with the same
        base images, for a step recorded on another base is another step.
    adopts
        True while recording: what another file holds is written into this one when it is asked for.
    reached
        A file to which the name of every recording that was asked for is appended, once.

    Notes
    -----
    Layers, and values that several files need, stand in ``shared.jsonl`` beside them, named by their content.
    """

    def __init__(
        self, path: Path, *, others: Iterable[Path] = (), adopts: bool = False, reached: Path | None = None
    ) -> None:
        self.path = path
        self._others = tuple(others)
        self._adopts = adopts
        self._reached = reached
        shared = Lines(path.with_name(SHARED))
        self._file = _Payloads(Lines(path), shared)
        self._shared = _Payloads(shared, shared)
        self._noted: set[Name] = set()

    @classmethod
    def open(cls, notebook: str = "", *, folder: Path | None = None) -> Store:
        """Open the recordings of a notebook.

        Parameters
        ----------
        folder
            By default ``LAYERLAB_RECORDINGS``, else the checkout's own ``recordings`` folder. A file stands for
            itself alone.
        notebook
            Name of the notebook, which is its exercise's too; what its own file does not hold the others may.

        Raises
        ------
        NotRecorded
            They are not there: an installed package carries no recordings.
        """
        what = f"No folder {folder.name!r} of recordings is there" if folder else ""
        if folder is None and (named := os.environ.get("LAYERLAB_RECORDINGS")):
            folder = Path(named).expanduser()
            what = f"LAYERLAB_RECORDINGS names {folder.name!r}, and no such folder is there"
        folder = folder or _IN_PACKAGE
        found = [folder] if folder.suffix == SUFFIX else files(folder)
        if not folder.exists():
            what = what or (
                "There are no recordings here: they come with the course's checkout, not with the installed package"
            )
            raise NotRecorded(
                f"{what}. Work in a clone of the course, set LAYERLAB_RECORDINGS to its `recordings` folder, "
                "or start an engine (`layerlab engine start`)."
            )
        if not found:
            raise NotRecorded(_NOTHING.format(folder.name))
        own = next((path for path in found if path.stem == notebook), found[0])
        reached = os.environ.get("LAYERLAB_RECORDINGS_REACHED")
        return cls(own, others=(path for path in found if path != own), reached=Path(reached) if reached else None)

    @classmethod
    def to_record(cls) -> Store:
        """Open the file that LAYERLAB_RECORDINGS names, to write to it. Raises NotRecorded where it names none."""
        named = Path(os.environ.get("LAYERLAB_RECORDINGS", ""))
        if named.suffix != SUFFIX:
            raise NotRecorded("LAYERLAB_RECORDINGS names no file to record to. Use `layerlab record`, which sets it.")
        others = (path for path in files(named.parent) if path != named)
        return cls(named, others=others, adopts=True)

    def read(self, kind: Kind, key: str) -> Payload | None:
        """Return one recording, or None where there is none. Raises RecordingDamaged."""
        found = next((found for one in self._asked(kind) if (found := one.read(kind, key)) is not None), None)
        if found is not None:
            self._note_reached(kind, key)
            if self._adopts and not self._file.holds(kind, key):
                self.write(kind, key, found)
        return found

    def needed(self, kind: Kind, key: str, *, by: str) -> Payload:
        """Return a recording that another one names. Raises RecordingDamaged where it is missing."""
        found = self.read(kind, key)
        if found is None:
            raise RecordingDamaged(f"{self._file.lines.shown} lacks {kind} {key}, and {by} needs it. {FIX}")
        return found

    def write(self, kind: Kind, key: str, payload: Mapping[str, Any]) -> None:
        """Write one recording, replacing what was there."""
        self._file.write(kind, key, payload)

    def keys(self, kind: Kind) -> Iterator[str]:
        """Name every recording of a kind, in a stable order."""
        return iter(dict.fromkeys(key for one in self._asked(kind) for key in one.lines.keys(kind)))

    def all(self, kind: Kind) -> Iterator[tuple[str, Payload]]:
        """Yield every recording of a kind with its key, without counting it as reached."""
        seen: set[str] = set()
        for one in self._asked(kind):
            for key in one.lines.keys(kind):
                if key not in seen:
                    seen.add(key)
                    yield key, one.needed(kind, key)

    @property
    def is_signed(self) -> bool:
        """True where it says where its recordings come from."""
        return self._file.lines.provenance is not None

    @property
    def provenance(self) -> Provenance:
        """Where these recordings come from. Raises NotRecorded or RecordingDamaged."""
        if not self.is_signed:
            raise NotRecorded(_NOTHING.format(self._file.lines.shown))
        return _provenance(self._file.lines)

    @provenance.setter
    def provenance(self, value: Provenance) -> None:
        self._file.lines.provenance = {**asdict(value), "recorded_on": value.recorded_on.isoformat()}
        self._file.lines.rewrite()

    def _asked(self, kind: Kind) -> Iterator[_Payloads]:
        yield self._file
        if kind in CONTENT_KINDS:
            yield self._shared
        yield from self._fitting

    @cached_property
    def _fitting(self) -> tuple[_Payloads, ...]:
        own = _provenance(self._file.lines) if self.is_signed else None
        bases = dict(self._file.base_ids()) if self._others else {}
        found = []
        for path in self._others:
            one = _Payloads(Lines(path), self._shared.lines)
            theirs = dict(one.base_ids())
            if one.lines.provenance is None or (own and not own.is_comparable(_provenance(one.lines))):
                continue
            if all(bases.get(key, image_id) == image_id for key, image_id in theirs.items()):
                bases |= theirs
                found.append(one)
        return tuple(found)

    def _note_reached(self, kind: Kind, key: str) -> None:
        # Kernels that verify a recording append to one list; what is not on it is not needed.
        if self._reached and (kind, key) not in self._noted:
            self._noted.add((kind, key))
            with self._reached.open("a", encoding="utf-8") as file:
                file.write(f"{kind} {key}\n")


class _Payloads:
    """The payloads in one file, as they were before they were packed. Read when asked for and then kept."""

    def __init__(self, lines: Lines, shared: Lines) -> None:
        self.lines = lines
        self._shared = shared
        self._known: dict[Name, Any] = {}

    def holds(self, kind: str, key: str) -> bool:
        return (kind, key) in self.lines

    def read(self, kind: str, key: str) -> Any:
        if (kind, key) not in self._known:
            if not self.holds(kind, key) and not self.lines.refresh():
                return None
            found = self.lines.read(kind, key, self._unpacked)
            if found is None:
                return None
            self._known[kind, key] = _as_recorded(kind, found)
        return self._known[kind, key]

    def needed(self, kind: str, key: str) -> Any:
        found = self.read(kind, key)
        if found is None:
            raise RecordingDamaged(f"{self.lines.shown} lacks {kind} {key}, and another line needs it. {FIX}")
        return found

    def write(self, kind: str, key: str, payload: Mapping[str, Any]) -> None:
        self.lines.append(kind, key, payload)
        self._known[kind, key] = dict(payload)

    def base_ids(self) -> Iterator[tuple[str, str]]:
        return ((key, str(self.needed("bases", key)["inspect"]["Id"])) for key in self.lines.keys("bases"))

    def _unpacked(self, value: Mapping[str, Any]) -> Any:
        return unpacked(value, at=self._value, like=lambda link: self.needed(*link.split("/"))["inspect"])

    def _value(self, name: str) -> Any:
        if ("values", name) not in self._known:
            holder = self.lines if self.holds("values", name) else self._shared
            found = holder.read("values", name, self._unpacked)
            if found is None:
                raise RecordingDamaged(f"{holder.shown} lacks the value {name}, and {self.lines.shown} needs it. {FIX}")
            self._known["values", name] = found
        return self._known["values", name]


def files(folder: Path) -> list[Path]:
    """Return every file of recordings in a folder, that of shared values left out."""
    return sorted(path for path in folder.glob(f"*{SUFFIX}") if path.name != SHARED)


def _as_recorded(kind: str, payload: Any) -> Any:
    is_short = kind == "layers" and isinstance(payload["layer"]["elsewhere"], list)
    return {"layer": whole_columns(payload["layer"])} if is_short else payload


def _provenance(lines: Lines) -> Provenance:
    found = lines.provenance or {}
    try:
        return Provenance(**{**found, "recorded_on": date.fromisoformat(found["recorded_on"])})
    except (KeyError, TypeError, ValueError) as error:
        raise RecordingDamaged(
            f"The first line of {lines.shown} lacks a field or has a wrong one: {error}. {FIX}"
        ) from error


def digest(*parts: object) -> str:
    """Hash JSON values into a key of 32 hex digits: enough that no two inputs ever meet."""
    return hashlib.sha256(dumps(parts).encode()).hexdigest()[:32]


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
