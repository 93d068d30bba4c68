"""One file of recordings: a line of JSON each, ``[KIND, KEY, CHECKSUM, PAYLOAD]``, sorted by kind and key.

The first line is of the kind ``file``: its format, how many lines follow, and where they come from. Opening a file
looks at the beginning of each line only; a line is read, and its checksum verified, when it is asked for. While a
file is being recorded lines are appended as they come, the later one counts, and the number of lines is null.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn

from layerlab.engine.recorded.pack import dumps
from layerlab.errors import RecordingDamaged

FORMAT = 1
SUFFIX = ".jsonl"
FIX = "Restore it with `git checkout recordings`, or record anew with `layerlab record`."

_FILE = "file"
Name = tuple[str, str]
Hook = Callable[[Mapping[str, Any]], Any]


class Lines:
    """A file of recordings. One that is not there is empty, and the first write makes it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lines: dict[Name, tuple[int, bytes]] = {}
        self._state: tuple[int, int] | None = None
        self.provenance: dict[str, Any] | None = None
        self.refresh()

    @property
    def shown(self) -> str:
        """The file's name as messages have it: what lies above its folder is this machine's business."""
        return f"recordings/{self.path.name}"

    def refresh(self) -> bool:
        """Look for what another process, or another object, has written since; True if there is something.

        Raises
        ------
        RecordingDamaged
            The file is cut short, a line has another form, or another edition of the course wrote it.
        """
        try:
            status = self.path.stat()
        except FileNotFoundError:
            return False
        state = (status.st_mtime_ns, status.st_size)
        if state == self._state:
            return False
        self._index(self.path.read_bytes())
        self._state = state
        return True

    def read(self, kind: str, key: str, hook: Hook | None = None) -> Any:
        """Return a payload, or None where there is none. ``hook`` is what `json.loads` calls for each object."""
        if (found := self._lines.get((kind, key))) is None:
            return None
        number, line = found
        try:
            head, checksum, text = _parted(line)
            if checksum != _checksum(head, text):
                raise ValueError("it does not match its checksum")
            return json.loads(text, object_hook=hook)
        except ValueError as error:
            self._damaged(number, f"{kind} {key}", error)

    def text(self, kind: str, key: str) -> bytes:
        """Return a line as it stands in the file."""
        return self._lines[kind, key][1]

    def __contains__(self, name: Name) -> bool:
        return name in self._lines

    def keys(self, kind: str) -> Iterator[str]:
        """Name every line of a kind, sorted."""
        return iter(sorted(key for one, key in self._lines if one == kind))

    def append(self, kind: str, key: str, payload: object) -> None:
        """Add a line at the end; it takes the place of one with the same name."""
        self.refresh()
        if self._state is None or self._is_sorted:
            self.rewrite()
        with self.path.open("ab") as file:
            file.write(_line(kind, key, payload))
        self.refresh()

    def rewrite(self) -> None:
        """Write a file with what this one holds and where it comes from, to which lines can be appended."""
        self.refresh()
        write(self.path, {name: line for name, (_, line) in self._lines.items()}, self.provenance, is_open=True)
        self.refresh()

    def _index(self, data: bytes) -> None:
        lines = data.split(b"\n")
        if lines.pop():
            raise RecordingDamaged(f"{self.shown} is cut short: its last line has no end. {FIX}")
        found: dict[Name, tuple[int, bytes]] = {}
        for number, line in enumerate(lines, start=1):
            # A line begins [ "KIND" , "KEY" , "CHECKSUM" …, and no name has a quotation mark in it.
            parts = line.split(b'"', 4)
            if len(parts) < 5 or parts[0] != b"[" or parts[2] != b",":
                self._damaged(number, "no recording", "it does not begin as one")
            found[parts[1].decode(), parts[3].decode()] = number, line
        self._lines = found
        self._read_header(len(lines))

    def _read_header(self, count: int) -> None:
        header = self.read(_FILE, self.path.stem)
        if header is None or self._lines.pop((_FILE, self.path.stem))[0] != 1:
            raise RecordingDamaged(f"{self.shown} does not begin with a line that describes it. {FIX}")
        if header.get("format") != FORMAT:
            raise RecordingDamaged(
                f"{self.shown} has the format {header.get('format')!r}, and this edition of the course reads {FORMAT}. "
                "Update the course, or take the recordings of this edition (`git checkout recordings`)."
            )
        self.provenance = header["provenance"]
        self._is_sorted = header["lines"] is not None
        if self._is_sorted and header["lines"] != count - 1:
            raise RecordingDamaged(
                f"{self.shown} is cut short: it has {count - 1} lines after its first, and {header['lines']} were "
                f"written. {FIX}"
            )

    def _damaged(self, number: int, what: str, error: object) -> NoReturn:
        raise RecordingDamaged(f"Line {number} of {self.shown} ({what}) is damaged: {error}. {FIX}") from None


def write(
    path: Path, records: Mapping[Name, object], provenance: Mapping[str, Any] | None, *, is_open: bool = False
) -> None:
    """Write a file anew, sorted, of payloads or of lines as bytes; to one that is left open lines may be appended."""
    lines = [one if isinstance(one, bytes) else _line(*name, one)[:-1] for name, one in sorted(records.items())]
    header = {"format": FORMAT, "lines": None if is_open else len(lines), "provenance": provenance}
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(f".{os.getpid()}.tmp")
    partial.write_bytes(_line(_FILE, path.stem, header) + b"".join(line + b"\n" for line in lines))
    partial.replace(path)  # a file is there whole or not at all


def _line(kind: str, key: str, payload: object) -> bytes:
    head, text = f'["{kind}","{key}",'.encode(), dumps(payload).encode()
    return b'%b"%b",%b]\n' % (head, _checksum(head, text).encode(), text)


def _parted(line: bytes) -> tuple[bytes, str, bytes]:
    kind, key, rest = line.split(b",", 2)  # neither kinds nor keys have a comma in them
    quoted, _, text = rest.partition(b",")
    return kind + b"," + key + b",", quoted.decode().strip('"'), text[:-1]


def _checksum(head: bytes, text: bytes) -> str:
    return hashlib.sha256(head + text).hexdigest()[:16]
